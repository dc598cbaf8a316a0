"""Sparse tensors: places, and a value at each.

A sparse tensor keeps no array of its own shape. Operators take its values, compute with them by ordinary rows, and put
the results at the same places or others: the graph of the values is the graph of the sparse tensor, and no operator
here needs a gradient rule of its own. Two nodes stand where the one becomes the other: `SparseNode` takes a sparse
gradient to one of the values, `ValuesNode` takes it back.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np

from ... import dtypes
from ...dtypes import Size, from_numpy_dtype
from ...graph import Leaf, Node, is_recording, state
from ...rows.table import TABLE
from ...tensor import SparseError, Tensor, TensorNode, check_dim, history_of, node_of, set_node, wrap
from ..index import index, index_add_zeros

__all__ = [
    "CsrTensor",
    "SparseTensor",
    "at_places",
    "build",
    "flat_places",
    "is_sparse",
    "refuse_batch",
    "summed",
    "taken",
    "values_of",
]

ndarray = np.ndarray


class SparseTensor(Tensor):
    """A tensor in coordinate form: ``indices`` (sparse_dim, nnz) and ``values`` (nnz, ...). Values of one place add up.

    Made by `autograd.sparse_coo_tensor`, ``to_sparse()`` and operators.
    """

    __slots__ = ("_coalesced", "_numbers", "_places", "_size")

    _places: ndarray
    _numbers: ndarray
    _size: tuple[int, ...]
    _coalesced: bool

    layout = dtypes.sparse_coo
    is_sparse = True
    # So that `ndarray + sparse` is left to the sparse tensor.
    __array_ufunc__ = None

    @property
    def _array(self) -> Any:  # type: ignore[override]
        raise SparseError(f"not implemented for a tensor of layout {self.layout}; convert it with to_dense() first")

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
    def dtype(self) -> dtypes.dtype:
        return from_numpy_dtype(self._numbers.dtype)

    @property
    def ndim(self) -> int:
        return len(self._size)

    def dim(self) -> int:
        return len(self._size)

    ndimension = dim

    def numel(self) -> int:
        return self.shape.numel()

    nelement = numel

    def element_size(self) -> int:
        return self._numbers.itemsize

    itemsize = property(element_size)

    def is_floating_point(self) -> bool:
        return self.dtype.is_floating_point

    def is_complex(self) -> bool:
        return self.dtype.is_complex

    def is_signed(self) -> bool:
        return self.dtype.is_signed

    def is_contiguous(self, memory_format: Any = dtypes.contiguous_format) -> bool:
        return True

    def is_same_size(self, other: Tensor) -> bool:
        return self.shape == other.shape

    def is_shared(self) -> bool:
        return False

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

    def _values(self) -> Tensor:
        """The values, in the tensor's own memory and outside the graph."""
        return wrap(self._numbers)

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
        return values_of(self._only_coalesced("values"))

    def _only_coalesced(self, what: str) -> SparseTensor:
        if not self._coalesced:
            raise RuntimeError(f"Cannot get {what} on an uncoalesced tensor, please call .coalesce() first")
        return self

    def numpy(self, *, force: bool = False) -> ndarray:
        raise TypeError(
            f"can't convert {_kind(self)} layout tensor to numpy. Use Tensor.to_dense() to get a dense tensor first."
        )

    # --- History -------------------------------------------------------------------------------------------------

    def detach(self) -> SparseTensor:
        return self.like(self._values())

    data = property(detach)

    def detach_(self) -> SparseTensor:
        self._node = None
        return self

    def become(self, other: SparseTensor, operator: str) -> SparseTensor:
        """Takes the content and the history of ``other``: what an in-place operator does.

        Raises:
            RuntimeError: a leaf that requires grad, while recording.
        """
        if state.grad and isinstance(self._node, Leaf):
            raise RuntimeError(
                f"a leaf Variable that requires grad is being used in an in-place operation. ({operator})"
            )
        self._places, self._numbers, self._size = other._places, other._numbers, other._size
        self._coalesced = other._coalesced
        if other._node is not None:
            set_node(self, other._node)
        return self

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
                raise SparseError(
                    f"indexing a tensor of layout {self.layout} takes integers, vectors of integers and ':', but not "
                    f"{item!r}; convert it with to_dense() first"
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

    def __deepcopy__(self, memo: dict[int, Any]) -> SparseTensor:
        if not self.is_leaf:
            raise RuntimeError("Only Tensors created explicitly by the user support the deepcopy protocol; detach() it")
        if id(self) not in memo:
            result = memo[id(self)] = self.like(wrap(self._numbers.copy()))
            result.requires_grad_(self.requires_grad)
            if self.grad is not None:
                result.grad = copy.deepcopy(self.grad, memo)
        return memo[id(self)]

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise SparseError(
            f"a tensor of layout {self.layout} cannot be saved or pickled; save its indices, its values and its size"
        )

    def __repr__(self, **options: Any) -> str:  # type: ignore[override]
        from ...printing import format_parts

        notes = [f"size={self._size}", f"nnz={self._nnz()}"]
        known = (dtypes.get_default_dtype(), dtypes.int64, dtypes.bool)
        if self.dtype not in known:
            notes.append(f"dtype={self.dtype}")
        notes.append(f"layout={self.layout}")
        node = history_of(self)
        if node is not None:
            notes.append("requires_grad=True" if isinstance(node, Leaf) else f"grad_fn=<{node.name()}>")
        return format_parts(self._parts(), notes, self.is_sparse)

    def _parts(self) -> dict[str, ndarray]:
        """What is printed."""
        return {"indices": self._places, "values": self._numbers}


class CsrTensor(SparseTensor):
    """A matrix in compressed rows: where each row's values begin, and for each value its column.

    Made by `autograd.sparse_csr_tensor` and ``to_sparse_csr()``.
    """

    __slots__ = ("_starts",)

    _starts: ndarray

    layout = dtypes.sparse_csr
    is_sparse = False
    is_sparse_csr = True

    def like(self, values: Tensor, coalesced: bool | None = None) -> SparseTensor:
        return build(self._places, values, self._size, True, self._starts)

    def become(self, other: SparseTensor, operator: str) -> SparseTensor:
        self._starts = other._starts
        return super().become(other, operator)

    def crow_indices(self) -> Tensor:
        """Where each row begins among the values, and where the last one ends (rows + 1)."""
        return wrap(self._starts)

    def col_indices(self) -> Tensor:
        """For each value its column (nnz)."""
        return wrap(self._places[1])

    def values(self) -> Tensor:
        return values_of(self)

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
            found = values_of(g)
        else:
            found = at_places(g if isinstance(g, Tensor) else wrap(g), self.places)
        return (found if is_recording() else found._array,)

    def name(self) -> str:
        return self.title


class ValuesNode(TensorNode):
    """The values of a sparse tensor: their gradient, at its places."""

    __slots__ = ("pattern",)

    def __init__(self, tensor: SparseTensor) -> None:
        super().__init__((tensor._node,))
        self.pattern = tensor.detach()

    def vjp(self, g: Any) -> Sequence[Any]:
        return (self.pattern.like(g if isinstance(g, Tensor) else wrap(g.copy())),)

    def name(self) -> str:
        return "ValuesBackward0"


def _hand_on(out: Tensor, node: Node) -> None:
    """Makes the node that of ``out``; a tangent is handed on like the value."""
    out._node = node
    if state.push is not None:
        from ...forward_ad import push_identity

        push_identity(out, node)


def values_of(tensor: SparseTensor) -> Tensor:
    """The values with their place in the graph, coalesced or not."""
    result = wrap(tensor._numbers)
    if tensor._node is not None and is_recording():
        _hand_on(result, ValuesNode(tensor))
    return result


def refuse_batch(tensor: Tensor) -> None:
    """Raises inside of `vmap`, where a tensor has no numbers of its own."""
    if not isinstance(tensor._array, ndarray):
        raise RuntimeError("vmap: a sparse tensor cannot be one example of a batch; make it outside of vmap")


def build(
    places: ndarray,
    values: Tensor,
    size: Sequence[int],
    coalesced: bool = False,
    starts: ndarray | None = None,
    title: str = "SparseCooTensorWithDimsAndTensorsBackward0",
) -> SparseTensor:
    """The sparse tensor with these values at these places, which are taken for right; recorded if the values are."""
    refuse_batch(values)
    result: Any = object.__new__(SparseTensor if starts is None else CsrTensor)
    result._places, result._numbers, result._size = places, values._array, tuple(int(n) for n in size)
    result._coalesced = coalesced or len(values._array) < 2
    result._view = result._counter = result._node = None
    node = node_of(values)
    if node is not None and is_recording():
        _hand_on(result, SparseNode(node, places, title))
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
    values = summed(values_of(tensor), number, len(known) + 1)  # the last row stays 0, for places without a value
    found = np.searchsorted(known, wanted)
    hit = found < len(known)
    hit[hit] = known[found[hit]] == wanted[hit]
    return taken(values, np.where(hit, found, len(known)))
