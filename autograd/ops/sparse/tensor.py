"""Sparse tensors: places, and a value at each. See `ops.structured` for what they share with other kinds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from ... import dtypes
from ...dtypes import Size
from ...graph import Node, is_recording
from ...rows.table import TABLE
from ...tensor import StructureError, Tensor, TensorNode, check_dim, node_of, wrap
from ..index import index, index_add_zeros
from ..structured import Operators, StructuredTensor, hand_on, history_notes, numbers_of, refuse_batch

__all__ = [
    "CsrTensor",
    "SparseTensor",
    "at_places",
    "build",
    "flat_places",
    "is_sparse",
    "on_sparse",
    "summed",
    "taken",
]

ndarray = np.ndarray


on_sparse = Operators("sparse.", "convert with to_dense() first")


class SparseTensor(StructuredTensor):
    """A tensor in coordinate form: ``indices`` (sparse_dim, nnz) and ``values`` (nnz, ...). Values of one place add up.

    Made by `autograd.sparse_coo_tensor`, ``to_sparse()`` and operators.
    """

    __slots__ = ("_coalesced", "_places", "_size")

    _places: ndarray
    _size: tuple[int, ...]
    _coalesced: bool

    layout = dtypes.sparse_coo
    described = "tensors of layout torch.sparse_coo"
    is_sparse = True
    operators = on_sparse
    content: ClassVar[tuple[str, ...]] = ("_places", "_numbers", "_size", "_coalesced")

    def like(self, values: Tensor, coalesced: bool | None = None) -> SparseTensor:
        """Other values at the same places."""
        return build(self._places, values, self._size, self._coalesced if coalesced is None else coalesced)

    # --- Facts ---------------------------------------------------------------------------------------------------

    @property
    def shape(self) -> Size:
        return Size(self._size)

    def size(self, dim: int | None = None) -> Any:
        return self.shape if dim is None else self._size[check_dim("size", dim, len(self._size))]

    @property
    def ndim(self) -> int:
        return len(self._size)

    def dim(self) -> int:
        return len(self._size)

    ndimension = dim

    def numel(self) -> int:
        return self.shape.numel()

    nelement = numel

    def is_contiguous(self, memory_format: Any = dtypes.contiguous_format) -> bool:
        return True

    def is_same_size(self, other: Tensor) -> bool:
        return self.shape == other.shape

    def __len__(self) -> int:
        if not self._size:
            raise TypeError("len() of a 0-d tensor")
        return self._size[0]

    def sparse_dim(self) -> int:
        """Number of leading dimensions that have places."""
        return len(self._places)

    def dense_dim(self) -> int:
        """Number of dimensions of one value."""
        return self._numbers.ndim - 1

    def _nnz(self) -> int:
        """Number of values kept."""
        return len(self._numbers)

    def is_coalesced(self) -> bool:
        """Whether places are sorted and none occurs twice."""
        return self._coalesced

    def _indices(self) -> Tensor:
        """The places, in the tensor's own memory."""
        return wrap(self._places)

    def indices(self) -> Tensor:
        """The places (sparse_dim, nnz).

        Raises:
            RuntimeError: the tensor is not coalesced.
        """
        return self._only_coalesced("indices")._indices()

    def values(self) -> Tensor:
        """The values (nnz, ...), through which gradients flow.

        Raises:
            RuntimeError: the tensor is not coalesced.
        """
        return numbers_of(self._only_coalesced("values"))

    def _only_coalesced(self, what: str) -> SparseTensor:
        if not self._coalesced:
            raise RuntimeError(f"Cannot get {what} on an uncoalesced tensor, please call .coalesce() first")
        return self

    def numpy(self, *, force: bool = False) -> ndarray:
        raise TypeError(
            f"can't convert {_kind(self)} layout tensor to numpy. Use Tensor.to_dense() to get a dense tensor first."
        )

    # --- History -------------------------------------------------------------------------------------------------

    def __getitem__(self, index: Any) -> Any:
        result: Any = self
        dim = 0
        for item in index if isinstance(index, tuple) else (index,):
            if isinstance(item, slice) and item == slice(None):
                dim += 1
            elif isinstance(item, Tensor) and item.ndim == 1 and item.dtype in (dtypes.int32, dtypes.int64):
                result, dim = TABLE["index_select"](result, dim, item), dim + 1
            elif isinstance(item, (int, np.integer)) and not isinstance(item, bool):
                result = result.select(dim, int(item))
            else:
                raise StructureError(
                    type(self),
                    f"indexing a tensor of layout {self.layout} takes integers, vectors of integers and ':', but not "
                    f"{item!r}; convert it with to_dense() first",
                )
        return result

    def __iter__(self) -> Any:
        return iter([self[i] for i in range(len(self))])

    def __bool__(self) -> bool:
        if self.numel() > 1:
            raise RuntimeError("Boolean value of Tensor with more than one value is ambiguous")
        return bool(self.item())

    def item(self) -> Any:
        if self.numel() != 1:
            raise RuntimeError(f"a Tensor with {self.numel()} elements cannot be converted to Scalar")
        return self._numbers.sum().item()

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise StructureError(
            type(self),
            f"a tensor of layout {self.layout} cannot be saved or pickled; save its indices, its values and its size",
        )

    def __repr__(self, **options: Any) -> str:  # type: ignore[override]
        from ...printing import format_parts

        notes = [f"size={self._size}", f"nnz={self._nnz()}"]
        known = (dtypes.get_default_dtype(), dtypes.int64, dtypes.bool)
        if self.dtype not in known:
            notes.append(f"dtype={self.dtype}")
        notes.append(f"layout={self.layout}")
        notes += history_notes(self)
        return format_parts(self._parts(), notes, self.is_sparse)

    def _parts(self) -> dict[str, ndarray]:
        """What is printed."""
        return {"indices": self._places, "values": self._numbers}


class CsrTensor(SparseTensor):
    """A matrix in compressed rows: where each row's values begin, and for each value its column.

    Made by `autograd.sparse_csr_tensor` and ``to_sparse_csr()``.
    """

    __slots__ = ("_starts",)

    content = (*SparseTensor.content, "_starts")

    _starts: ndarray

    layout = dtypes.sparse_csr
    described = "tensors of layout torch.sparse_csr"
    is_sparse = False
    is_sparse_csr = True

    def like(self, values: Tensor, coalesced: bool | None = None) -> SparseTensor:
        return build(self._places, values, self._size, True, self._starts)

    def crow_indices(self) -> Tensor:
        """Where each row begins among the values, and where the last one ends (rows + 1)."""
        return wrap(self._starts)

    def col_indices(self) -> Tensor:
        """For each value its column (nnz)."""
        return wrap(self._places[1])

    def values(self) -> Tensor:
        return numbers_of(self)

    def _refuse(self, *args: Any) -> Any:
        raise RuntimeError("expected sparse coordinate tensor layout but got SparseCsr; convert with to_sparse() first")

    indices = _indices = is_coalesced = coalesce = _refuse

    def _parts(self) -> dict[str, ndarray]:
        return {"crow_indices": self._starts, "col_indices": self._places[1], "values": self._numbers}


def is_sparse(value: Any) -> bool:
    """Whether it is a sparse tensor of any layout."""
    return isinstance(value, SparseTensor)


def _kind(tensor: SparseTensor) -> str:
    return "Sparse" if tensor.is_sparse else "SparseCsr"


# --- Between a sparse tensor and its values --------------------------------------------------------------------------


class SparseNode(TensorNode):
    """Values that were put at places: of a sparse gradient those at the same places."""

    __slots__ = ("places", "title")

    def __init__(self, values: Node, places: ndarray, title: str) -> None:
        super().__init__((values,))
        self.places, self.title = places, title

    def vjp(self, g: Any) -> Sequence[Any]:
        if isinstance(g, SparseTensor) and np.array_equal(g._places, self.places):
            found = numbers_of(g)
        else:
            found = at_places(g if isinstance(g, Tensor) else wrap(g), self.places)
        return (found if is_recording() else found._array,)

    def name(self) -> str:
        return self.title


def build(
    places: ndarray,
    values: Tensor,
    size: Sequence[int],
    coalesced: bool = False,
    starts: ndarray | None = None,
    title: str = "SparseCooTensorWithDimsAndTensorsBackward0",
) -> SparseTensor:
    """The sparse tensor with these values at these places, which are taken for right; recorded if the values are."""
    refuse_batch(values, "sparse")
    result: Any = object.__new__(SparseTensor if starts is None else CsrTensor)
    result._places, result._numbers, result._size = places, values._array, tuple(int(n) for n in size)
    result._coalesced = coalesced or len(values._array) < 2
    result._view = result._counter = result._node = None
    node = node_of(values)
    if node is not None and is_recording():
        hand_on(result, SparseNode(node, places, title))
    if starts is not None:
        result._starts = starts
    return result


# --- What operators on places are made of ----------------------------------------------------------------------------


def flat_places(places: ndarray, size: Sequence[int]) -> ndarray:
    """One number for each place: its position in a dense array of the sparse dimensions."""
    flat = np.zeros(places.shape[1], np.int64)
    for along, n in zip(places, size, strict=False):
        flat = flat * n + along
    return flat


def taken(values: Tensor, which: ndarray) -> Tensor:
    """``values[which]`` along the first dimension, by a row whose gradient is `summed`."""
    return index(values, (which,))


def summed(values: Tensor, which: ndarray, count: int) -> Tensor:
    """Zeros (count, ...) to which each value is added at its number in ``which``."""
    return index_add_zeros(values, (count, *values.shape[1:]), (which,))


def at_places(tensor: Tensor, places: ndarray) -> Tensor:
    """The elements of a dense or sparse tensor at ``places``; a sparse one has 0 where it has no value."""
    sizes = tensor.shape[: len(places)]
    wanted = flat_places(places, sizes)
    if not isinstance(tensor, SparseTensor):
        return taken(tensor.reshape(-1, *tensor.shape[len(places) :]), wanted)
    own = flat_places(tensor._places, sizes)
    known, number = np.unique(own, return_inverse=True)
    values = summed(numbers_of(tensor), number, len(known) + 1)  # the last row stays 0, for places without a value
    found = np.searchsorted(known, wanted)
    hit = found < len(known)
    hit[hit] = known[found[hit]] == wanted[hit]
    return taken(values, np.where(hit, found, len(known)))
