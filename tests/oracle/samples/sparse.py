"""Operators on sparse tensors, whose values come from dense ones and whose results are made dense."""

import warnings

import numpy as np

ROWS, COLUMNS = np.array([0, 2, 1, 0, 2]), np.array([1, 0, 3, 3, 2])


def sparse(L, values):
    warnings.filterwarnings("ignore", message="Sparse")  # PyTorch's say that they are in beta
    return L.sparse_coo_tensor(L.of(np.stack([ROWS, COLUMNS])), values, (3, 4))


SAMPLES = {
    "sparse": [
        (lambda L, x: sparse(L, x).to_dense() * 2, ((5,),)),
        (lambda L, x: sparse(L, x * x).coalesce().values() * x, ((5,),)),
        (lambda L, x, y: L.sparse.mm(sparse(L, x), y), ((5,), (4, 2))),
        (lambda L, x, y: sparse(L, x) @ y, ((5,), (4, 2))),
        (lambda L, x, y: y @ sparse(L, x), ((5,), (2, 3))),
        (lambda L, x, y: L.sparse.mm(sparse(L, x), sparse(L, y).t()).to_dense(), ((5,), (5,))),
        (lambda L, x, y: y + sparse(L, x * x), ((5,), (3, 4))),
        (lambda L, x: sparse(L, x).sum() * x, ((5,),)),
        (lambda L, x: L.sparse.sum(sparse(L, x), 0).to_dense(), ((5,),)),
        (lambda L, x: L.sparse.softmax(sparse(L, x), 1).to_dense(), ((5,),)),
        (lambda L, x: (x * 3).to_sparse().to_dense(), ((3, 4),)),
        (lambda L, x, y: y.sparse_mask(sparse(L, x).coalesce()).to_dense(), ((5,), (3, 4))),
    ],
}
