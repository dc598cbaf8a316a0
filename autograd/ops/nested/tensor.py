"""Nested tensors: components of many sizes in one. See `ops.structured` for what they share with other kinds.

Their elements, component by component, are one packed tensor, the numbers. Of the jagged layout it has all dimensions
but that of the batch, and along the ragged one the components stand one behind another; of the strided layout, where
every dimension may be ragged, it has one dimension.
"""

from __future__ import annotations

import itertools
import math
import weakref
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from ... import dtypes
from ...dtypes import Size, SymInt
from ...graph import Node, is_recording
from ...rows.table import TABLE
from ...tensor import Tensor, TensorNode, check_dim, node_of, set_node, shared_counter, wrap
from ..structured import Operators, StructuredTensor, hand_on, numbers_of, refuse_batch

__all__ = ["JaggedTensor", "NestedOperators", "NestedTensor", "StridedNested", "jagged", "on_nested", "pack", "strided"]

ndarray = np.ndarray


class NestedOperators(Operators):
    """The operators that know nested tensors: those in the table, and all that work element by element."""

    def otherwise(self, name: str, function: Callable[..., Any]) -> Callable[..., Any] | None:
        from .operators import elementwise

        return elementwise(name, function)


on_nested = NestedOperators("nested.", "convert with to_padded_tensor(), or take it apart with unbind()")


class NestedTensor(StructuredTensor):
    """What nested tensors of both layouts have in common."""

    __slots__ = ()

    operators = on_nested
    described = "nested tensors"
    is_nested = True

    def parts(self, numbers: Tensor) -> tuple[Tensor, ...]:
        """The components, as views of the packed numbers."""
        raise NotImplementedError  # each layout has its own

    def part(self, numbers: Tensor, number: int) -> Tensor:
        """One component, as a view of the packed numbers that may be written to."""
        raise NotImplementedError  # each layout has its own

    def sizes(self) -> ndarray:
        """The size of each component, a row."""
        raise NotImplementedError  # each layout has its own

    def unbind(self, dim: int = 0) -> tuple[Tensor, ...]:
        """The components.

        Raises:
            RuntimeError: another dimension than the first.
        """
        if check_dim("unbind", dim, self.ndim) != 0:
            raise RuntimeError(f"unbind(): a nested tensor has components along dimension 0 alone, got dim={dim}")
        return self.parts(numbers_of(self, "UnbindBackward0"))

    def dim(self) -> int:
        return self.ndim

    ndimension = dim

    def numel(self) -> int:
        return int(self.sizes().prod(axis=1).sum())

    nelement = numel

    @property
    def nbytes(self) -> int:
        return self.numel() * self.element_size()

    def storage_offset(self) -> int:
        return wrap(self._numbers).storage_offset()

    def __len__(self) -> int:
        return len(self.sizes())

    def __iter__(self) -> Any:
        return iter(self.unbind())

    def _indices(self, index: Any) -> tuple[Any, ...]:
        """An index as one item for each dimension that it says something about."""
        items = index if isinstance(index, tuple) else (index,)
        if any(isinstance(item, (Tensor, ndarray, list)) for item in items):
            raise NotImplementedError(f"a nested tensor cannot be indexed by tensors; {self.operators.remedy}")
        if Ellipsis in items:
            at = items.index(Ellipsis)
            items = (*items[:at], *[slice(None)] * (self.ndim - len(items) + 1), *items[at + 1 :])
        if len(items) > self.ndim:
            raise IndexError(f"too many indices for a nested tensor of {self.ndim} dimensions: {len(items)}")
        return items

    def __getitem__(self, index: Any) -> Any:
        first, *rest = self._indices(index)
        if not isinstance(first, slice):
            part = self.unbind()[first]
            return part[tuple(rest)] if rest else part
        return self._sliced(first, tuple(rest))

    def _sliced(self, batch: slice, rest: tuple[Any, ...]) -> Any:
        raise NotImplementedError  # each layout has its own

    def __setitem__(self, index: Any, value: Any) -> None:
        first, *rest = self._indices(index)
        self.refuse_leaf("__setitem__")
        numbers = numbers_of(self)
        which = range(len(self))[first] if isinstance(first, slice) else [range(len(self))[first]]
        values = value.unbind() if isinstance(value, NestedTensor) else [value] * len(which)
        for number, new in zip(which, values, strict=True):
            self.part(numbers, number)[tuple(rest)] = new
        self.follow(numbers)

    def follow(self, numbers: Tensor) -> Any:
        """Takes the history of its own numbers, which were written to."""
        result = self.like(numbers)
        self._numbers = numbers._array
        if result._node is not None:
            set_node(self, result._node)
        return self

    def overwrite(self, other: Any, operator: str) -> Any:
        self.refuse_leaf(operator)
        numbers = numbers_of(self)
        numbers.copy_(numbers_of(other))
        return self.follow(numbers)

    def __bool__(self) -> bool:
        if self.numel() != 1:
            raise RuntimeError("Boolean value of Tensor with more than one value is ambiguous")
        return bool(self.item())

    def item(self) -> Any:
        if self.numel() != 1:
            raise RuntimeError(f"a Tensor with {self.numel()} elements cannot be converted to Scalar")
        return self._numbers.item()

    def _refuse(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError(f"nested tensors have no array of their own shape; {self.operators.remedy}")

    numpy = tolist = __array__ = _refuse


class PackedNode(TensorNode):
    """Packed numbers as a nested tensor: of a nested gradient the numbers."""

    __slots__ = ("title",)

    def __init__(self, numbers: Node, title: str | None) -> None:
        super().__init__((numbers,))
        self.title = title

    def vjp(self, g: Any) -> Sequence[Any]:
        found = numbers_of(g)
        return (found if is_recording() else found._array,)

    def name(self) -> str:
        return self.title or self.edges[0].name()  # type: ignore[union-attr]  # it is there


def _around(kind: type[Any], numbers: Tensor, title: str | None) -> Any:
    """A nested tensor in the memory of its numbers, recorded if they are."""
    refuse_batch(numbers, "nested")
    result = object.__new__(kind)
    result._numbers, result._counter = numbers._array, shared_counter(numbers)
    result._view = result._node = None
    node = node_of(numbers)
    if node is not None and is_recording():
        hand_on(result, PackedNode(node, title))
    return result


# --- The strided layout ----------------------------------------------------------------------------------------------


class StridedNested(NestedTensor):
    """Components of any sizes, with equally many dimensions; their elements one behind another."""

    __slots__ = ("_sizes",)

    _sizes: ndarray  # (components, dimensions of one)

    content: ClassVar[tuple[str, ...]] = ("_numbers", "_sizes")

    def like(self, numbers: Tensor) -> StridedNested:
        return strided(numbers, self._sizes)

    def sizes(self) -> ndarray:
        return self._sizes

    def parts(self, numbers: Tensor) -> tuple[Tensor, ...]:
        pieces = TABLE["split_at"](numbers, [int(n) for n in self._sizes.prod(axis=1)], 0)
        return tuple([piece.view(size) for piece, size in zip(pieces, self._sizes.tolist(), strict=True)])

    def part(self, numbers: Tensor, number: int) -> Tensor:
        counts, size = self._sizes.prod(axis=1), self._sizes[number].tolist()
        return numbers.narrow(0, int(counts[:number].sum()), int(counts[number])).view(size)

    @property
    def ndim(self) -> int:
        return self._sizes.shape[1] + 1

    @property
    def shape(self) -> Any:
        raise RuntimeError("a nested tensor of the strided layout has no shape; ask size(dim), or unbind() it")

    def size(self, dim: int | None = None) -> Any:
        if dim is None:
            return self.shape
        dim = check_dim("size", dim, self.ndim)
        if dim == 0:
            return len(self._sizes)
        along = self._sizes[:, dim - 1]
        if len(along) and (along != along[0]).any():
            raise RuntimeError(f"Given dimension {dim} is irregular and does not have a size.")
        return int(along[0]) if len(along) else 0

    def stride(self, dim: int | None = None) -> Any:
        raise RuntimeError("a nested tensor of the strided layout has no strides; unbind() it")

    def is_same_size(self, other: Tensor) -> bool:
        return isinstance(other, StridedNested) and np.array_equal(self._sizes, other._sizes)

    def is_contiguous(self, memory_format: Any = dtypes.contiguous_format) -> bool:
        return True

    def values(self) -> Tensor:
        """All elements, one behind another."""
        return numbers_of(self)

    def _nested_tensor_size(self) -> Tensor:
        """The size of each component, a row."""
        return wrap(self._sizes.copy())

    def _nested_tensor_strides(self) -> Tensor:
        """The strides of each component, a row."""
        behind = np.ones_like(self._sizes)
        behind[:, :-1] = np.cumprod(self._sizes[:, :0:-1], axis=1)[:, ::-1]
        return wrap(behind)

    def _nested_tensor_storage_offsets(self) -> Tensor:
        """Where each component begins among the elements."""
        return wrap(np.cumsum([0, *self._sizes.prod(axis=1)[:-1]]) if len(self._sizes) else np.zeros(0, np.int64))

    def _sliced(self, batch: slice, rest: tuple[Any, ...]) -> Any:
        return pack([part[rest] for part in self.unbind()[batch]])

    def __reduce_ex__(self, protocol: Any) -> Any:
        return _rebuild_strided, (wrap(self._numbers), self._sizes, self.requires_grad)

    def __repr__(self, **options: Any) -> str:  # type: ignore[override]  # Tensor's has options by name
        from ...printing import format_tensor

        notes = ["requires_grad=True"] if self.requires_grad else []
        default = dtypes.get_default_dtype().numpy
        parts = [
            format_tensor(part._array, suffixes=notes, default_dtype=default, dtype_name=repr(self.dtype))
            for part in self.parts(wrap(self._numbers))
        ]
        inside = ",\n".join(parts).replace("\n", "\n  ")
        node = self.grad_fn
        notes = [f"grad_fn=<{node.name()}>"] if node is not None else notes
        return ", ".join([f"nested_tensor([\n{'  ' * bool(parts)}{inside}\n]", *notes]) + ")"


def strided(numbers: Tensor, sizes: ndarray, title: str | None = None) -> StridedNested:
    """The nested tensor of strided layout with these elements (one dimension) and sizes of components."""
    result = _around(StridedNested, numbers, title)
    result._sizes = sizes
    return result


def pack(parts: Sequence[Tensor], dtype: dtypes.dtype | None = None) -> StridedNested:
    """The nested tensor of strided layout with these components, of equally many dimensions.

    Args:
        dtype: of one without components.
    """
    sizes = np.array([part.shape for part in parts], np.int64).reshape(len(parts), parts[0].ndim if parts else 0)
    if parts:
        numbers = TABLE["concatenate_along"]([part.reshape(-1) for part in parts], 0)
    else:
        numbers = wrap(np.zeros(0, (dtype or dtypes.get_default_dtype()).numpy))
    return strided(numbers, sizes, "NestedTensorFromTensorListBackward0")


def _rebuild_strided(numbers: Tensor, sizes: ndarray, requires_grad: bool) -> Any:
    return strided(numbers, sizes).requires_grad_(requires_grad)


# --- The jagged layout -----------------------------------------------------------------------------------------------

_known: dict[int, SymInt] = {}
_counter = itertools.count(1)


def _ragged_size(source: Tensor) -> SymInt:
    """The size that belongs to a tensor of offsets or lengths: one for each, as long as it lives."""
    key = id(source)
    if key not in _known:
        _known[key] = SymInt(next(_counter))
        weakref.finalize(source, _known.pop, key).atexit = False
    return _known[key]


class JaggedTensor(NestedTensor):
    """Components that differ in their size along one dimension only.

    ``offsets`` says where each component begins among the values along that dimension, and where the last one ends;
    ``lengths``, where given, that a component ends before the next one begins.
    """

    __slots__ = ("_extremes", "_lengths", "_offsets", "_ragged_idx")

    _offsets: Tensor
    _lengths: Tensor | None
    _ragged_idx: int
    _extremes: dict[str, int]  # the shortest and the longest length, as far as known; shared by all of this structure

    layout = dtypes.jagged
    content: ClassVar[tuple[str, ...]] = ("_numbers", "_offsets", "_lengths", "_ragged_idx", "_extremes")

    def like(self, numbers: Tensor, ragged_idx: int | None = None) -> JaggedTensor:
        ragged = self._ragged_idx if ragged_idx is None else ragged_idx
        return jagged(numbers, self._offsets, self._lengths, ragged, self._extremes)

    def offsets(self) -> Tensor:
        """Where each component begins, and where the last one ends (components + 1)."""
        return self._offsets

    def lengths(self) -> Tensor | None:
        """The length of each component, if that is not where the next one begins."""
        return self._lengths

    def values(self) -> Tensor:
        """The packed numbers, in the tensor's own memory; gradients flow through them."""
        return numbers_of(self, "NestedGetValuesBackward0")

    def counts(self) -> ndarray:
        """The length of each component along the ragged dimension."""
        return np.diff(self._offsets._array) if self._lengths is None else self._lengths._array

    def sizes(self) -> ndarray:
        counts = self.counts()
        sizes = np.tile(np.array(self._numbers.shape, np.int64), (len(counts), 1))
        sizes[:, self._ragged_idx - 1] = counts
        return sizes

    def parts(self, numbers: Tensor) -> tuple[Tensor, ...]:
        starts, counts, dim = self._offsets._array, self.counts(), self._ragged_idx - 1
        bound = numbers.shape[dim]
        if (counts < 0).any() or (starts < 0).any() or (starts[:-1] + counts > bound).any():
            raise RuntimeError(f"unbind(): nested tensor offsets and lengths do not match the {bound} values")
        if self._lengths is None and starts[0] == 0 and starts[-1] == bound:
            return TABLE["split_at"](numbers, counts.tolist(), dim)
        return tuple([self.part(numbers, i) for i in range(len(counts))])

    def part(self, numbers: Tensor, number: int) -> Tensor:
        return numbers.narrow(self._ragged_idx - 1, int(self._offsets._array[number]), int(self.counts()[number]))

    def _get_max_seqlen(self) -> int:
        return self._extreme("max")

    def _get_min_seqlen(self) -> int:
        return self._extreme("min")

    _max_seqlen, _min_seqlen = property(_get_max_seqlen), property(_get_min_seqlen)

    def _extreme(self, which: str) -> int:
        if which not in self._extremes:
            self._extremes[which] = int(getattr(self.counts(), which)(initial=0 if which == "max" else None))
        return self._extremes[which]

    # --- Facts -------------------------------------------------------------------------------------------------------

    @property
    def ndim(self) -> int:
        return self._numbers.ndim + 1

    def _ragged_size(self) -> SymInt:
        return _ragged_size(self._offsets if self._lengths is None else self._lengths)

    @property
    def shape(self) -> Any:
        size = [len(self._offsets) - 1, *self._numbers.shape]
        size[self._ragged_idx] = self._ragged_size()
        return Size(size)

    def size(self, dim: int | None = None) -> Any:
        return self.shape if dim is None else self.shape[check_dim("size", dim, self.ndim)]

    def stride(self, dim: int | None = None) -> Any:
        inner = wrap(self._numbers).stride()
        strides = (inner[self._ragged_idx - 1] * self._ragged_size(), *inner)
        return strides if dim is None else strides[check_dim("stride", dim, self.ndim)]

    def numel(self) -> int:
        if self._lengths is None:
            return self._numbers.size
        rest = math.prod(n for d, n in enumerate(self._numbers.shape) if d != self._ragged_idx - 1)
        return int(self._lengths._array.sum()) * rest

    nelement = numel

    def is_same_size(self, other: Tensor) -> bool:
        return isinstance(other, JaggedTensor) and self.shape == other.shape

    def is_contiguous(self, memory_format: Any = dtypes.contiguous_format) -> bool:
        return self._lengths is None and wrap(self._numbers).is_contiguous(memory_format)

    def _sliced(self, batch: slice, rest: tuple[Any, ...]) -> Any:
        if batch != slice(None):
            raise RuntimeError("slice(): not supported for NestedTensor on dim=0")
        before = [item for item in rest[: self._ragged_idx - 1] if not isinstance(item, slice)]
        if rest[self._ragged_idx - 1 : self._ragged_idx] not in ((), (slice(None),)) or None in rest:
            raise RuntimeError("slice(): not supported for NestedTensor on ragged dim")
        return self.like(numbers_of(self)[rest], self._ragged_idx - len(before))

    def __reduce_ex__(self, protocol: Any) -> Any:
        arguments = (wrap(self._numbers), self._offsets, self._lengths, self._ragged_idx, self._extremes)
        return _rebuild_jagged, (arguments, self.requires_grad)

    def __repr__(self, **options: Any) -> str:  # type: ignore[override]  # Tensor's has options by name
        history = ", requires_grad=True" if self.requires_grad else ""
        if self.grad_fn is not None:
            history = f", grad_fn={self.grad_fn}"
        return (
            f"NestedTensor(size={tuple(self.shape)}, offsets={self._offsets}{history}, "
            f"contiguous={self.is_contiguous()})"
        )


def jagged(
    values: Tensor,
    offsets: Tensor,
    lengths: Tensor | None = None,
    ragged_idx: int = 1,
    extremes: dict[str, int] | None = None,
    title: str | None = None,
) -> JaggedTensor:
    """The nested tensor of jagged layout in the memory of ``values``."""
    result = _around(JaggedTensor, values, title)
    result._offsets, result._lengths, result._ragged_idx = offsets, lengths, ragged_idx
    result._extremes = {} if extremes is None else extremes
    result._ragged_size()
    return result


def _rebuild_jagged(arguments: tuple[Any, ...], requires_grad: bool) -> Any:
    return jagged(*arguments).requires_grad_(requires_grad)
