"""Products of sparse matrices with dense and sparse ones, and what is in ``torch.sparse``."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...graph import state
from ...rows.public import function
from ...rows.table import TABLE
from ...tensor import Tensor, check_dim, wrap
from ..structured import numbers_of
from . import rows  # noqa: F401
from .operators import coalesced, placed_sum, sum_along, to_coo
from .tensor import CsrTensor, SparseTensor, build, flat_places, is_sparse, on_sparse, summed, taken

__all__ = ["matrix_product"]


def _check(name: str, x: Any, y: Any) -> None:
    for label, tensor in (("mat1", x), ("mat2", y)):
        if not isinstance(tensor, Tensor):
            raise TypeError(f"{name}(): argument '{label}' must be Tensor, not {type(tensor).__name__}")
        if tensor.ndim != 2 or (is_sparse(tensor) and tensor.sparse_dim() != 2):
            raise RuntimeError(f"{name}: {label} must be a matrix without dense dimensions, but is {tensor.ndim}D")
    if x.shape[1] != y.shape[0]:
        raise RuntimeError(
            f"{name}: mat1 and mat2 shapes cannot be multiplied ({x.shape[0]}x{x.shape[1]} and "
            f"{y.shape[0]}x{y.shape[1]})"
        )
    if x.dtype is not y.dtype:
        raise RuntimeError(f"{name}: expected mat1 and mat2 to have the same dtype, but got {x.dtype} and {y.dtype}")


def matrix_product(name: str, x: Any, y: Any, masked: bool) -> Any:
    """The product of two matrices of which one is sparse, or both.

    Args:
        masked: whether the gradient of a sparse matrix is sparse, or that of all its elements.
    """
    _check(name, x, y)
    if is_sparse(x) and is_sparse(y):
        return _of_two(x, y)
    if is_sparse(y):
        return matrix_product(name, y.t(), x.t(), masked).t()
    row, columns = x._places
    if masked or state.push is not None:  # a tangent has the values' places
        return TABLE["sparse_matmul"](numbers_of(x), y, row, columns, x._size[0])
    return TABLE["full_sparse_matmul"](wrap(x._numbers, x._node), y, row, columns, x._size[0], False)


def _of_two(x: SparseTensor, y: SparseTensor) -> SparseTensor:
    """The sparse product: of every pair of values (i, k) and (k, j) the product, added up at (i, j)."""
    compressed = isinstance(x, CsrTensor) and isinstance(y, CsrTensor)
    a, b = coalesced(to_coo(x)), coalesced(to_coo(y))
    starts = np.searchsorted(b._places[0], np.arange(b._size[0] + 1))
    first, counts = starts[a._places[1]], np.diff(starts)[a._places[1]]
    left = np.repeat(np.arange(len(counts)), counts)
    inside = np.arange(len(left)) - np.repeat(np.cumsum(counts) - counts, counts)
    right = first[left] + inside
    places = np.stack([a._places[0][left], b._places[1][right]])
    values = taken(numbers_of(a), left) * taken(numbers_of(b), right)
    result = placed_sum(places, values, (a._size[0], b._size[1]))
    return result.to_sparse_csr() if compressed else result


@on_sparse("mm", "spmm")
def _mm(x: Any, y: Any) -> Any:
    return matrix_product("mm", x, y, masked=False)


@on_sparse("mv")
def _mv(x: Any, y: Any) -> Any:
    if not isinstance(y, Tensor) or y.ndim != 1 or is_sparse(y):
        raise RuntimeError(f"mv: expected a dense vector, but got shape {list(getattr(y, 'shape', []))}")
    return matrix_product("mv", x, y.unsqueeze(1), masked=False).squeeze(1)


@on_sparse("matmul")
def _matmul(x: Any, y: Any) -> Any:
    if y.ndim == 1:
        return _mv(x, y)
    if x.ndim == 1:
        return _mv(y.t(), x)
    if x.ndim == 3 and y.ndim == 3:
        return _bmm(x, y)
    return matrix_product("matmul", x, y, masked=False)


@on_sparse("bmm")
def _bmm(x: Any, y: Any) -> Any:
    if x.ndim != 3 or y.ndim != 3 or x.shape[0] != y.shape[0]:
        raise RuntimeError(f"bmm: batches of matrices do not fit: {list(x.shape)} and {list(y.shape)}")
    return TABLE["stack_along"]([matrix_product("bmm", x[i], y[i], masked=False) for i in range(x.shape[0])], 0)


def _scaled_sum(input: Tensor, product: Any, beta: Any, alpha: Any) -> Any:
    product = product if alpha == 1 else product * alpha
    if beta == 0:
        return product
    input = input if beta == 1 else input * beta
    if not is_sparse(product) and tuple(input.shape) != tuple(product.shape):
        input = input.expand(product.shape)
    return input + product


@on_sparse("addmm")
def _addmm(input: Tensor, mat1: Any, mat2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    return _scaled_sum(input, matrix_product("addmm", mat1, mat2, masked=False), beta, alpha)


@on_sparse("linear")
def _linear(input: Any, weight: Any, bias: Any = None) -> Any:
    flat = input if input.ndim == 2 else input.reshape(-1, input.shape[-1])
    out = matrix_product("linear", flat, weight.t(), masked=False)
    out = out if input.ndim == 2 else out.reshape(*input.shape[:-1], weight.shape[0])
    return out if bias is None else out + bias


@function(method=False)
def spmm(input: Tensor, mat2: Tensor) -> Tensor:
    """The product of a sparse and a dense matrix; `mm` by another name."""
    return input.mm(mat2)


def _rows_of_product(name: str, x: Any, y: Any) -> tuple[np.ndarray, Tensor]:
    """The rows of a sparse matrix that have values, and those rows of its product with a dense one."""
    if not is_sparse(x) or is_sparse(y):
        raise RuntimeError(f"{name}(): expected a sparse and a dense matrix")
    product = matrix_product(name, x, y, masked=True)
    used = np.unique(x._places[0])
    return used, taken(product, used)


@function(method=False)
def hspmm(mat1: Tensor, mat2: Tensor) -> Tensor:
    """The product of a sparse and a dense matrix, as a sparse tensor whose values are the rows that are not zero.

    Raises:
        RuntimeError: a matrix of the other layout, or shapes or dtypes that do not fit.

    >>> import autograd
    >>> autograd.hspmm(autograd.tensor([[0.0, 0.0], [1.0, 2.0]]).to_sparse(), autograd.eye(2)).values()
    tensor([[1., 2.]])
    """
    used, values = _rows_of_product("hspmm", mat1, mat2)
    return build(used[None], values, (mat1.shape[0], mat2.shape[1]), True)


@function()
def smm(input: Tensor, mat2: Tensor) -> Tensor:
    """The product of a sparse and a dense matrix, as a sparse matrix.

    Raises:
        RuntimeError: a matrix of the other layout, or shapes or dtypes that do not fit.

    >>> import autograd
    >>> autograd.smm(autograd.tensor([[0.0, 0.0], [1.0, 2.0]]).to_sparse(), autograd.eye(2)).coalesce().values()
    tensor([1., 2.])
    """
    used, values = _rows_of_product("smm", input, mat2)
    count = mat2.shape[1]
    places = np.stack([np.repeat(used, count), np.tile(np.arange(count), len(used))])
    return build(places, values.reshape(-1), (input.shape[0], count), False)


@function()
def sspaddmm(input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """``beta * input + alpha * (mat1 @ mat2)`` as a sparse matrix, of sparse ``input`` and ``mat1``, dense ``mat2``.

    Raises:
        RuntimeError: a matrix of the other layout, or shapes or dtypes that do not fit.
    """
    product = smm(mat1, mat2)
    if not is_sparse(input) or input.shape != product.shape:
        raise RuntimeError(
            f"sspaddmm(): expected input to be a sparse matrix of shape {list(product.shape)}, got {list(input.shape)}"
        )
    first: Any = to_coo(input)  # type: ignore[arg-type]  # checked above
    second: Any = product
    values = TABLE["concatenate_along"]([numbers_of(first) * beta, numbers_of(second) * alpha], 0)
    return build(np.concatenate([first._places, second._places], 1), values, tuple(input.shape), False)


# --- torch.sparse -----------------------------------------------------------------------------------------------------


@function(home="sparse")
def mm(mat1: Tensor, mat2: Tensor) -> Tensor:
    """The product of a sparse matrix with a dense or sparse one; the gradient of a sparse matrix is sparse.

    Raises:
        RuntimeError: shapes or dtypes that do not fit.

    >>> import autograd
    >>> eye = autograd.eye(2).to_sparse()
    >>> autograd.sparse.mm(eye, autograd.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[1., 2.],
            [3., 4.]])
    """
    if is_sparse(mat1) or is_sparse(mat2):
        return matrix_product("mm", mat1, mat2, masked=True)
    return mat1.mm(mat2)


@function(home="sparse")
def addmm(mat: Tensor, mat1: Tensor, mat2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """``beta * mat + alpha * (mat1 @ mat2)``; the gradient of a sparse matrix is sparse."""
    return _scaled_sum(mat, mm(mat1, mat2), beta, alpha)


@function(home="sparse")
def sampled_addmm(input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """``alpha * (mat1 @ mat2) + beta * input`` at the places of the sparse ``input``, and computed nowhere else.

    Raises:
        RuntimeError: ``input`` is not in compressed rows, or the shapes do not fit.
    """
    if not isinstance(input, CsrTensor):
        raise RuntimeError(f"sampled_addmm: expected input of layout torch.sparse_csr, but got {input.layout}")
    _check("sampled_addmm", mat1, mat2)
    if tuple(input.shape) != (mat1.shape[0], mat2.shape[1]):
        raise RuntimeError(f"sampled_addmm: input has shape {list(input.shape)}, which is not that of the product")
    row, columns = input._places
    sampled = (taken(mat1, row) * taken(mat2.t(), columns)).sum(1)
    return input.like(sampled * alpha + numbers_of(input) * beta)


@function(home="sparse")
def sum(input: Tensor, dim: Any = None, dtype: Any = None) -> Tensor:
    """The sum of a sparse tensor, or along dimensions: sparse, unless all sparse dimensions are summed away.

    Unlike that of ``input.sum()``, the gradient is sparse.
    """
    if not is_sparse(input):
        return input.sum() if dim is None else input.sum(dim)
    tensor: Any = input if dtype is None else input.to(dtype)
    if isinstance(tensor, CsrTensor) and dim is not None:
        raise NotImplementedError(
            "sparse.sum() along a dimension needs the layout sparse_coo; convert with to_sparse()"
        )
    return numbers_of(tensor).sum() if dim is None else sum_along(tensor, dim)


def _normalized(name: str, input: Any, dim: int, dtype: Any) -> Any:
    if not is_sparse(input) or isinstance(input, CsrTensor):
        raise NotImplementedError(f"sparse.{name}() takes a tensor of layout sparse_coo; convert it with to_sparse()")
    x = coalesced(input if dtype is None else input.to(dtype))
    if not (x.is_floating_point() or x.is_complex()):
        raise NotImplementedError(f"\"{name}\" not implemented for '{x.dtype}'; convert with .float()")
    dim, values = check_dim(name, dim, x.ndim), numbers_of(x)
    if dim >= x.sparse_dim():
        return x.like(getattr(values, name)(dim - x.sparse_dim() + 1))
    others = [d for d in range(x.sparse_dim()) if d != dim]
    _, group = np.unique(flat_places(x._places[others], [x._size[d] for d in others]), return_inverse=True)
    count = int(group.max()) + 1 if len(group) else 0
    largest = np.full((count, *values.shape[1:]), -np.inf, x._numbers.dtype)
    np.maximum.at(largest, group, x._numbers)
    shifted = values - wrap(largest[group])
    total = taken(summed(shifted.exp(), group, count), group)
    return x.like(shifted - total.log() if name == "log_softmax" else shifted.exp() / total)


@function(home="sparse")
def softmax(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """The softmax along a dimension of the elements that have a value; the others count as -inf.

    >>> import autograd
    >>> x = autograd.sparse_coo_tensor([[0, 0], [0, 2]], [1.0, 1.0], (2, 3))
    >>> autograd.sparse.softmax(x, 1).to_dense()
    tensor([[0.5000, 0.0000, 0.5000],
            [0.0000, 0.0000, 0.0000]])
    """
    return _normalized("softmax", input, dim, dtype)


@function(home="sparse")
def log_softmax(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """The logarithm of `softmax`, at the elements that have a value."""
    return _normalized("log_softmax", input, dim, dtype)
