"""From dense to sparse and back: constructors, conversions, masks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ... import dtypes
from ...devices import require_cpu
from ...rows.public import function
from ...tensor import Tensor, wrap
from ..create import tensor as new_tensor
from ..structured import numbers_of, refuse_batch
from . import rows  # noqa: F401
from .operators import coalesced, to_coo
from .tensor import CsrTensor, SparseTensor, at_places, build, flat_places, is_sparse, on_sparse, summed

__all__ = ["sparse_coo_tensor", "sparse_csr_tensor", "spdiags"]


def _values(values: Any, dtype: Any, operator: str) -> Tensor:
    given = values if isinstance(values, Tensor) else new_tensor(values, dtype=dtype)
    if given.ndim == 0:
        given = given.reshape(1)
    return given if dtype is None else given.to(dtype)


def _places(indices: Any, what: str) -> np.ndarray:
    given = indices if isinstance(indices, Tensor) else new_tensor(indices)
    if given.dtype.numpy.kind == "c":
        raise RuntimeError(f"{what} must be an int tensor, but got {given.dtype}")
    return given._array.astype(np.int64, copy=False)


def _finish(result: SparseTensor, requires_grad: bool) -> Tensor:
    return result.requires_grad_() if requires_grad else result


@function(method=False)
def sparse_coo_tensor(
    indices: Any,
    values: Any = None,
    size: Sequence[int] | None = None,
    *,
    dtype: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
    check_invariants: bool | None = None,
    is_coalesced: bool | None = None,
) -> Tensor:
    """A tensor that is 0 except at ``indices``, where it has ``values``; values of one place add up.

    Called with a size alone, a tensor of zeros.

    Args:
        indices: (sparse_dim, nnz), integers.
        values: (nnz,), or (nnz, ...) for values that are tensors. Gradients flow to them.
        size: of the whole; by default what the indices need.
        dtype: of the values.
        requires_grad: record operators on the result.
        check_invariants: accepted; places are always checked.
        is_coalesced: whether the indices are sorted and none occurs twice, as far as the caller knows.

    Raises:
        RuntimeError: shapes that do not fit, or an index outside of ``size``.

    >>> import autograd
    >>> autograd.sparse_coo_tensor([[0, 1], [2, 0]], [3.0, 4.0], (2, 3)).to_dense()
    tensor([[0., 0., 3.],
            [4., 0., 0.]])
    """
    require_cpu(device, "sparse_coo_tensor")
    if values is None:
        size = tuple(indices) if size is None else tuple(size)
        kind = (dtype or dtypes.get_default_dtype()).numpy
        places, numbers = np.zeros((len(size), 0), np.int64), wrap(np.zeros(0, kind))
        return _finish(build(places, numbers, size, True), requires_grad)
    places, given = _places(indices, "indices"), _values(values, dtype, "sparse_coo_tensor")
    if places.ndim != 2:
        raise RuntimeError(f"indices must be sparse_dim x nnz, but got: {list(places.shape)}")
    count, nnz = places.shape
    if nnz != len(given):
        raise RuntimeError(
            f"indices and values must have same nnz, but got nnz from indices: {nnz}, nnz from values: {len(given)}"
        )
    if places.size and places.min() < 0:
        raise RuntimeError(f"found negative index {places.min()} in the indices of sparse_coo_tensor")
    least = places.max(axis=1) + 1 if nnz else np.zeros(count, np.int64)
    if size is None:
        size = (*least.tolist(), *given.shape[1:])
    size = tuple(size)
    if len(size) != count + given.ndim - 1:
        raise RuntimeError(
            f"'len(size) == sparse_dim + dense_dim' is not satisfied: len(size) = {len(size)}, sparse_dim = {count}, "
            f"dense_dim = {given.ndim - 1}"
        )
    for dim, (n, needed) in enumerate(zip(size, least.tolist(), strict=False)):
        if needed > n:
            raise RuntimeError(
                f"size is inconsistent with indices: for dim {dim}, size is {n} but found index {needed - 1}"
            )
    if tuple(given.shape[1:]) != size[count:]:
        raise RuntimeError(f"values has incorrect size, expected {[nnz, *size[count:]]}, got {list(given.shape)}")
    known = nnz < 2 if is_coalesced is None else is_coalesced
    return _finish(build(places, given, size, known), requires_grad)


@function(method=False)
def sparse_csr_tensor(
    crow_indices: Any,
    col_indices: Any,
    values: Any,
    size: Sequence[int] | None = None,
    *,
    dtype: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
    check_invariants: bool | None = None,
) -> Tensor:
    """A matrix in compressed rows: row i has ``values[crow_indices[i] : crow_indices[i + 1]]`` at the columns
    ``col_indices`` of the same range.

    Args:
        crow_indices: (rows + 1), integers.
        col_indices: (nnz), integers.
        values: (nnz). Gradients flow to them.
        size: (rows, columns); by default what the indices need.
        dtype: of the values.
        requires_grad: record operators on the result.
        check_invariants: accepted; places are always checked.

    Raises:
        RuntimeError: indices that describe no matrix of this size.

    >>> import autograd
    >>> autograd.sparse_csr_tensor([0, 1, 2], [2, 0], [3.0, 4.0], (2, 3)).to_dense()
    tensor([[0., 0., 3.],
            [4., 0., 0.]])
    """
    require_cpu(device, "sparse_csr_tensor")
    starts, columns = _places(crow_indices, "crow_indices"), _places(col_indices, "col_indices")
    given = _values(values, dtype, "sparse_csr_tensor")
    if starts.ndim != 1 or columns.ndim != 1 or given.ndim != 1:
        raise RuntimeError(
            f"sparse_csr_tensor: crow_indices, col_indices and values must be vectors, but have shapes "
            f"{list(starts.shape)}, {list(columns.shape)} and {list(given.shape)}"
        )
    if len(columns) != len(given):
        raise RuntimeError(
            f"number of elements in col_indices and values must be the same, but got {len(columns)} and {len(given)}"
        )
    if size is None:
        size = (len(starts) - 1, int(columns.max()) + 1 if columns.size else 0)
    if len(size) != 2 or len(starts) != size[0] + 1:
        raise RuntimeError(f"crow_indices.shape[-1] must be equal to nrows + 1: {len(starts)} for size {tuple(size)}")
    if starts[0] != 0 or starts[-1] != len(columns) or (np.diff(starts) < 0).any():
        raise RuntimeError(f"crow_indices must grow from 0 to nnz = {len(columns)}, but are {starts.tolist()}")
    if columns.size and (columns.min() < 0 or columns.max() >= size[1]):
        raise RuntimeError(f"`0 <= col_indices < ncols` is not satisfied: columns go up to {columns.max()} of {size}")
    row = np.repeat(np.arange(size[0]), np.diff(starts))
    return _finish(build(np.stack([row, columns]), given, size, True, starts), requires_grad)


@function(home="sparse", method=False)
def spdiags(diagonals: Tensor, offsets: Tensor, shape: Sequence[int], layout: Any = None) -> Tensor:
    """The sparse matrix with ``out[j - offsets[i], j] = diagonals[i, j]``, wherever that is inside of it.

    Args:
        diagonals: (n, m), or (m) for a single one. Gradients flow to them.
        offsets: (n), int64, all different: 0 is the main diagonal, what is above is positive.
        shape: of the matrix.
        layout: `sparse_coo`, which is the default, or `sparse_csr`.

    Raises:
        RuntimeError: shapes that do not fit, an offset that occurs twice, or another layout.

    >>> import autograd
    >>> autograd.sparse.spdiags(autograd.tensor([[1, 2], [3, 4]]), autograd.tensor([0, -1]), (3, 3)).to_dense()
    tensor([[1, 0, 0],
            [3, 2, 0],
            [0, 4, 0]])
    """
    if not isinstance(offsets, Tensor):
        raise TypeError(f"spdiags(): argument 'offsets' must be Tensor, not {type(offsets).__name__}")
    if len(shape) != 2:
        raise RuntimeError(f"spdiags(): Output shape must be 2d, got {list(shape)}")
    if layout not in (None, dtypes.sparse_coo, dtypes.sparse_csr):
        raise RuntimeError(f"spdiags(): Only output layouts sparse_coo and sparse_csr are supported, got {layout}")
    if diagonals.ndim not in (1, 2):
        raise RuntimeError(f"spdiags(): Diagonals must be vector or matrix, got {list(diagonals.shape)}")
    if offsets.ndim > 1:
        raise RuntimeError(f"spdiags(): Offsets must be scalar or vector, got {list(offsets.shape)}")
    if offsets.dtype is not dtypes.int64:
        raise RuntimeError(f"spdiags(): Offset Tensor must have dtype Long but got {offsets.dtype}")
    rows_of = diagonals.reshape(1, -1) if diagonals.ndim == 1 else diagonals
    count, below = len(rows_of), offsets._array.reshape(-1, 1)
    if len(below) != count:
        raise RuntimeError(
            f"spdiags(): Number of diagonals ({count}) does not match the number of offsets ({len(below)})"
        )
    if len(np.unique(below)) != count:
        raise RuntimeError("spdiags(): Offset tensor contains duplicate values")
    columns = np.arange(rows_of.shape[1])
    row = columns - below
    which, column = np.nonzero((row >= 0) & (row < shape[0]) & (columns < shape[1]))
    places = np.stack([row[which, column], column])
    result = build(places, rows_of[wrap(which), wrap(column)], tuple(shape), False)
    return to_sparse_csr(result) if layout is dtypes.sparse_csr else result


# --- Conversions ------------------------------------------------------------------------------------------------------


@function(torch=False, method=True)
def to_sparse(
    self: Tensor, sparse_dim: Any = None, *, layout: Any = None, blocksize: Any = None, dense_dim: Any = None
):
    """The elements that are not 0, in coordinate form, or in the form ``layout``.

    Args:
        sparse_dim: how many leading dimensions have places; the values keep the others. All by default.
        layout: `sparse_coo` or `sparse_csr`.

    Raises:
        RuntimeError: ``sparse_dim`` is not between 1 and the number of dimensions, or the layout is not available.
    """
    if isinstance(sparse_dim, dtypes.layout):
        sparse_dim, layout = None, sparse_dim
    if layout is dtypes.sparse_csr:
        return to_sparse_csr(self)
    if layout is not None and layout is not dtypes.sparse_coo:
        raise RuntimeError(f"to_sparse: layout {layout} is not available; use sparse_coo or sparse_csr")
    if is_sparse(self):
        return to_coo(self)  # type: ignore[arg-type]
    count = self.ndim if sparse_dim is None else int(sparse_dim)
    if self.ndim and not 0 < count <= self.ndim:
        raise RuntimeError(f"sparse_dim must be in (0, {self.ndim}], but got {count}")
    refuse_batch(self, "sparse")
    array = self._array
    occupied = array != 0
    places = np.stack(
        np.nonzero(occupied.any(axis=tuple(range(count, array.ndim))) if count < array.ndim else occupied)
    )
    return build(places, at_places(self, places), array.shape, True, title="ToSparseBackward0")


@function(torch=False, method=True)
def to_sparse_coo(self: Tensor) -> Tensor:
    """The elements that are not 0, in coordinate form."""
    return to_sparse(self)


@function(torch=False, method=True)
def to_sparse_csr(self: Tensor, dense_dim: int | None = None) -> Tensor:
    """The elements of a matrix that are not 0, in compressed rows.

    Raises:
        RuntimeError: not a matrix.
    """
    if isinstance(self, CsrTensor):
        return self
    if self.ndim != 2 or (is_sparse(self) and self.sparse_dim() != 2):
        raise RuntimeError(f"to_sparse_csr: only a matrix has compressed rows, but this tensor is {self.ndim}D")
    tensor: Any = coalesced(self if is_sparse(self) else to_sparse(self))  # type: ignore[arg-type]
    starts = np.searchsorted(tensor._places[0], np.arange(tensor._size[0] + 1))
    return build(tensor._places, numbers_of(tensor), tensor._size, True, starts, "ToSparseCsrBackward0")


@function(torch=False, method=True)
def to_dense(self: Tensor, dtype: Any = None, *, masked_grad: bool | None = None) -> Tensor:
    """The tensor with all its elements; itself when it is dense already. Back comes a gradient at its places."""
    if not is_sparse(self):
        return self if dtype is None else self.to(dtype)
    tensor: Any = self
    sizes = tensor._size[: tensor.sparse_dim()]
    flat = flat_places(tensor._places, sizes)
    dense = summed(numbers_of(tensor), flat, int(np.prod(sizes, dtype=np.int64))).reshape(tensor._size)
    return dense if dtype is None else dense.to(dtype)


on_sparse("to_dense")(to_dense)


@function(torch=False, method=True)
def coalesce(self: Tensor) -> Tensor:
    """The sparse tensor with sorted places, none of them twice: values of one place are added up."""
    if not is_sparse(self):
        raise RuntimeError("coalesce expected sparse coordinate tensor layout but got Strided")
    return coalesced(self)  # type: ignore[arg-type]


@function(torch=False, method=True)
def sparse_mask(self: Tensor, mask: Tensor) -> Tensor:
    """The elements of this tensor, dense or sparse, at the places of ``mask``, a sparse tensor of the same shape.

    Raises:
        RuntimeError: the mask is dense or of another shape.
    """
    if not is_sparse(mask):
        raise RuntimeError("sparse_mask: expected a sparse mask, but got a dense one; convert it with to_sparse()")
    if self.shape != mask.shape:
        raise RuntimeError(
            f"sparse_mask(): operands have incompatible sizes; self has size {list(self.shape)} but mask has size "
            f"{list(mask.shape)}"
        )
    return mask.detach().like(at_places(self, mask._places))


# --- What dense tensors say to questions about sparse ones ---------------------------------------------------------


@function(torch=False, method=True)
def sparse_dim(self: Tensor) -> int:
    """Number of dimensions that have places: none."""
    return 0


@function(torch=False, method=True)
def dense_dim(self: Tensor) -> int:
    """Number of dimensions without places: all."""
    return self.ndim


def _only_sparse(name: str, layout: str, error: type[Exception] = RuntimeError) -> None:
    def method(self: Tensor) -> Any:
        kind = "Sparse" if self.is_sparse else "SparseCsr" if self.is_sparse_csr else "Strided"
        raise error(f"{name} expected {layout} tensor layout but got {kind}; convert with to_sparse()")

    method.__name__, method.__qualname__ = name, f"Tensor.{name}"
    method.__doc__ = "Of a sparse tensor; raises for any other."
    setattr(Tensor, name, method)


_only_sparse("indices", "sparse coordinate")
_only_sparse("is_coalesced", "sparse coordinate")
_only_sparse("values", "sparse")
_only_sparse("_indices", "sparse coordinate", NotImplementedError)
_only_sparse("_values", "sparse coordinate", NotImplementedError)
_only_sparse("_nnz", "sparse", NotImplementedError)
_only_sparse("crow_indices", "sparse row compressed")
_only_sparse("col_indices", "sparse row compressed")


@function(torch=False, method=True)
def sparse_resize_(self: Tensor, size: Sequence[int], sparse_dim: int, dense_dim: int) -> Tensor:
    """Another size for a sparse tensor whose values all keep their places, in place.

    Raises:
        RuntimeError: a dense tensor, other numbers of dimensions, or a size that a value does not fit in.
    """
    if not is_sparse(self):
        raise RuntimeError("sparse_resize_ expected a sparse tensor, but got a dense one")
    tensor: Any = self
    if sparse_dim != tensor.sparse_dim() or dense_dim != tensor.dense_dim() or len(size) != tensor.ndim:
        raise RuntimeError(f"sparse_resize_: {tuple(size)} must have as many dimensions of each kind as {tensor._size}")
    if any(n < tensor._places[d].max(initial=-1) + 1 for d, n in enumerate(size[:sparse_dim])) or (
        tuple(size[sparse_dim:]) != tensor._size[sparse_dim:]
    ):
        raise RuntimeError(f"sparse_resize_: values of size {tensor._size} do not fit in {tuple(size)}")
    tensor._size = tuple(size)
    return tensor


@function(torch=False, method=True)
def sparse_resize_and_clear_(self: Tensor, size: Sequence[int], sparse_dim: int, dense_dim: int) -> Tensor:
    """A sparse tensor of ``size`` without values, in place: all its elements are 0.

    Args:
        size: of the whole.
        sparse_dim: how many of its dimensions have places.
        dense_dim: how many the values have.

    Raises:
        RuntimeError: numbers of dimensions that are not those of ``size``, or a leaf that requires grad.
        NotImplementedError: a dense tensor.
    """
    if not is_sparse(self):
        raise NotImplementedError(
            "sparse_resize_and_clear_(): not implemented for dense tensors; use resize_().zero_()"
        )
    if len(size) != sparse_dim + dense_dim:
        raise RuntimeError(
            f"sparse_resize_and_clear_(): 'len(size) == sparse_dim + dense_dim' is not satisfied: len(size) = "
            f"{len(size)}, sparse_dim = {sparse_dim}, dense_dim = {dense_dim}"
        )
    tensor: Any = self
    values = wrap(np.zeros((0, *size[sparse_dim:]), tensor._numbers.dtype))
    tensor.become(build(np.zeros((sparse_dim, 0), np.int64), values, size, True), "sparse_resize_and_clear_")
    return tensor if tensor.is_leaf else tensor.detach_()
