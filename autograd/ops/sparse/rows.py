"""The rows that sparse tensors need beyond those of dense ones: they see values and plain numbers, no sparse tensor."""

from __future__ import annotations

import numpy as np

from ...rows.table import Array, _, coarse
from ..index import index

__all__ = ["add_at_places", "full_sparse_matmul", "sparse_matmul", "sum_of_sparse"]


@coarse(latex=r"\sum_{k : r_k = i} x_k y_{c_k j}", home="", node_name="Mm")
def sparse_matmul(x: Array, y: Array, rows, columns, count):
    """The matrix with values ``x`` at (rows, columns), times a dense one of as many rows as it has columns."""
    from scipy.sparse import csr_matrix

    kind = np.result_type(x.dtype, np.float32) if x.dtype == np.float16 else x.dtype
    matrix = csr_matrix((x.astype(kind, copy=False), (rows, columns)), (count, y.shape[0]))
    return np.asarray(matrix @ y.astype(kind, copy=False)).astype(x.dtype, copy=False)


@sparse_matmul.gradient("x")
def _(g, y, rows, columns):
    return _.sum(index(g, (rows,)) * index(y, (columns,)), 1, False)


@sparse_matmul.gradient("y")
def _(g, x, y_shape, rows, columns):
    return sparse_matmul(x, g, columns, rows, y_shape[0])


# Of these the gradient for ``x``, the values of a sparse tensor, is that of the whole tensor, and dense: as in PyTorch.


@coarse(latex=r"\sum_{k : r_k = i} x_k y_{c_k j}", home="", node_name="Mm")
def full_sparse_matmul(x: Array, y: Array, rows, columns, count, transposed):
    """As `sparse_matmul`; ``transposed`` says that it is the transpose of the tensor whose values ``x`` are."""
    return sparse_matmul(x, y, rows, columns, count)


@full_sparse_matmul.gradient("x")
def _(g, y, transposed):
    if transposed:
        g, y = y, g
    return _.matmul(g, _.transpose(y, 0, 1))


@full_sparse_matmul.gradient("y")
def _(g, x, y_shape, rows, columns, transposed):
    return full_sparse_matmul(x, g, columns, rows, y_shape[0], not transposed)


@coarse(latex=r"\sum_i x_i", home="", node_name="Sum")
def sum_of_sparse(x: Array, size):
    return x.sum(dtype=np.int64 if x.dtype.kind in "biu" else x.dtype)


@sum_of_sparse.gradient("x")
def _(g, size):
    return _.expand(g, size)


@coarse(latex=r"y + x \text{ at its places}", home="", node_name="Add")
def add_at_places(x: Array, y: Array, places):
    out = y.copy()
    np.add.at(out, tuple(places), x)
    return out


@add_at_places.gradient("x", "y")
def _(g):
    return g, g
