"""Linear algebra: products, norms, solvers and decompositions, one file a family."""
