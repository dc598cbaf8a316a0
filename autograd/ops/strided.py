"""Tensors as their memory: views by strides and by bytes, sliding windows, resizing, and copies and writes of views."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..dtypes import contiguous_format, dtype, to_numpy_dtype
from ..graph import state
from ..kernels.layout import memory_and_start
from ..rows.dispatch import apply
from ..rows.public import NAMESPACES, TORCH, function, publish_writing, with_keywords
from ..rows.table import TABLE, Array, _, coarse
from ..rows.writes import type_name
from ..tensor import Tensor, check_dim, count_write, shared_counter, wrap
from .convert import check_tensor, clone, view_scatter
from .shape import become, select, slice_view, split, view

__all__ = ["as_strided", "resize_", "unfold", "view_as_dtype"]


# --- By strides -----------------------------------------------------------------------------------------------------


class Layout(NamedTuple):
    """Where the elements of a tensor lie in its memory, counted in elements."""

    shape: tuple[int, ...]
    stride: tuple[int, ...]
    offset: int
    memory: np.ndarray  # all of it, in one dimension

    @classmethod
    def of(cls, tensor: Tensor) -> Layout:
        memory, offset = memory_and_start(tensor._array)
        return cls(tuple(tensor.shape), tensor.stride(), offset, memory)

    def holds(self, array: np.ndarray) -> bool:
        """Whether ``array`` is the one that was laid out so, and no other of its shape."""
        if array.shape != self.shape or array.dtype != self.memory.dtype:
            return False
        start = self.memory.ctypes.data + self.offset * self.memory.itemsize
        steps = tuple(step // array.itemsize for step in array.strides)
        return array.ctypes.data == start and (steps == self.stride or not array.size)

    def places(self) -> np.ndarray:
        """The place in memory of each element."""
        return places_of(self.shape, self.stride, self.offset)


def places_of(shape: Sequence[int], stride: Sequence[int], offset: int) -> np.ndarray:
    places = np.asarray(offset)
    for n, step in zip(shape, stride, strict=True):
        places = places[..., None] + np.arange(n) * step
    return places


def _shared(x: np.ndarray, places: np.ndarray) -> np.ndarray:
    """``x`` divided by how many of its elements share each place in memory."""
    counts = np.bincount(places.reshape(-1))
    return x if counts.max(initial=0) <= 1 else x / counts[places].astype(x.dtype)


@coarse(latex=r"x_{o + s \cdot i}", is_view=True, home="", node_name="AsStrided")
def strided_view(x: Array, size, stride, offset, layout):
    if layout.holds(x):
        return np.ndarray(size, x.dtype, layout.memory, offset * x.itemsize, [step * x.itemsize for step in stride])
    # Other values for the elements that were laid out so: what they would be in that memory, 0 elsewhere.
    own, wanted = layout.places(), places_of(size, stride, offset)
    memory = np.zeros(1 + max(own.max(initial=0), wanted.max(initial=0)), x.dtype)
    np.add.at(memory, own, _shared(x, own))
    return memory[wanted]


@strided_view.gradient("x")
def _(g, size, stride, offset, layout):
    return strided_sum(g, size, stride, offset, layout)


@coarse(latex=r"\sum_{o + s \cdot j = i} x_j", home="", node_name="AsStridedSum")
def strided_sum(x: Array, size, stride, offset, layout):
    own, given = layout.places(), places_of(size, stride, offset)
    memory = np.zeros(1 + max(own.max(initial=0), given.max(initial=0)), x.dtype)
    np.add.at(memory, given, x)
    return _shared(memory[own], own)


@strided_sum.gradient("x")
def _(g, size, stride, offset, layout):
    return strided_view(g, size, stride, offset, layout)


def _strided_arguments(
    operator: str, input: Tensor, size: Sequence[int], stride: Sequence[int], storage_offset: int | None
) -> tuple[Any, ...]:
    layout = Layout.of(check_tensor(operator, "input", input))
    size, stride = tuple(int(n) for n in size), tuple(int(n) for n in stride)
    offset = layout.offset if storage_offset is None else int(storage_offset)
    if len(size) != len(stride):
        raise RuntimeError(f"{operator}: mismatch in length of strides {list(stride)} and shape {list(size)}")
    if any(step < 0 for step in stride):
        raise RuntimeError(f"{operator}: negative strides are not supported at the moment, got strides: {list(stride)}")
    if any(n < 0 for n in size) or offset < 0:
        raise RuntimeError(f"{operator}: size {list(size)} and storage offset {offset} must not be negative")
    last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True)) if 0 not in size else -1
    if last >= layout.memory.size:
        raise RuntimeError(
            f"{operator}: sizes {list(size)}, strides {list(stride)} and storage offset {offset} need a storage of "
            f"{last + 1} elements, out of bounds for storage of {layout.memory.size}"
        )
    return size, stride, offset, layout


@function()
def as_strided(input: Tensor, size: Sequence[int], stride: Sequence[int], storage_offset: int | None = None) -> Tensor:
    """A view into the memory of ``input``: element ``i`` lies at ``storage_offset + sum(stride * i)``.

    Args:
        input: any tensor.
        size: the view's shape.
        stride: for each dimension the distance between neighbors, in elements.
        storage_offset: where the first element lies; where that of ``input`` does by default.

    Raises:
        RuntimeError: strides and sizes differ in number, a negative stride, or places outside of the memory.

    >>> import autograd
    >>> autograd.arange(5).as_strided((3, 2), (1, 2))
    tensor([[0, 2],
            [1, 3],
            [2, 4]])
    """
    return apply(strided_view, (input, *_strided_arguments("as_strided", input, size, stride, storage_offset)), {})


publish_writing(become("as_strided_"))


# --- Sliding windows ------------------------------------------------------------------------------------------------


@coarse(latex=r"x_{s i + j}", is_view=True, home="", node_name="Unfold")
def windows(x: Array, dimension, size, step):
    at = check_dim("unfold", dimension, x.ndim)
    n = x.shape[at] if x.ndim else 1
    if size < 0 or step <= 0 or size > n:
        raise RuntimeError(
            f"unfold: size must be from 0 to the {n} elements along dimension {at} and step positive, but got size "
            f"{size} and step {step}"
        )
    if not x.ndim:
        return x.reshape(1)[:size]
    shape, strides = list(x.shape), list(x.strides)
    shape[at], strides[at] = (n - size) // step + 1, strides[at] * step
    return np.lib.stride_tricks.as_strided(x, (*shape, size), (*strides, x.strides[at]))


@windows.gradient("x")
def _(g, x_shape, dimension, size, step):
    return sum_of_windows(g, x_shape, dimension, size, step)


@coarse(latex=r"\sum_{s i + j = k} x_{ij}", home="", node_name="UnfoldBackward")
def sum_of_windows(x: Array, shape, dimension, size, step):
    out = np.zeros(shape, x.dtype)
    parts = windows.forward(out, dimension, size, step)
    for j in range(size):  # no two windows share their j-th element
        parts[..., j] += x[..., j]
    return out


@sum_of_windows.gradient("x")
def _(g, dimension, size, step):
    return windows(g, dimension, size, step)


@function(torch=False, method=True)
def unfold(self: Tensor, dimension: int, size: int, step: int) -> Tensor:
    """A view of all windows of ``size`` elements along ``dimension``, ``step`` apart, in a new last dimension.

    Raises:
        RuntimeError: a window larger than the dimension, or a step that is not positive.

    >>> import autograd
    >>> autograd.arange(5).unfold(0, 2, 1)
    tensor([[0, 1],
            [1, 2],
            [2, 3],
            [3, 4]])
    """
    return apply(windows, (self, dimension, size, step), {})


# --- By bytes -------------------------------------------------------------------------------------------------------


@coarse(latex=r"x", is_view=True, home="", node_name="ViewDtype")
def view_as_dtype(x: Array, target):
    old, new = x.itemsize, target.itemsize
    kinds = f"{type_name(x.dtype)} as {type_name(target)} (different element sizes)"
    if old != new and not x.ndim:
        raise RuntimeError(f"view: self.dim() cannot be 0 to view {kinds}")
    if old != new and x.shape[-1] != 1 and x.strides[-1] != old and x.size:
        raise RuntimeError(f"view: self.stride(-1) must be 1 to view {kinds}, but got {x.strides[-1] // old}")
    if old < new:
        if x.shape[-1] * old % new:
            raise RuntimeError(f"view: self.size(-1) must be divisible by {new // old} to view {kinds}, not {x.shape}")
        if any(step % new for step in x.strides[:-1]):
            raise RuntimeError(f"view: strides must be divisible by {new // old} to view {kinds}")
    return x.view(target)


def view_by_bytes(self: Tensor, target: dtype) -> Tensor:
    """The bytes of ``self`` read as elements of another type; outside of the graph."""
    return apply(view_as_dtype, (self, to_numpy_dtype(target)), {})


# --- Writing to a part of a copy ------------------------------------------------------------------------------------


def _scattered(operator: str, input: Tensor, src: Tensor, part: Tensor, step: tuple[Any, ...]) -> Tensor:
    """A copy of ``input`` in which the part that ``step`` views holds ``src``."""
    if check_tensor(operator, "src", src).shape != part.shape:
        raise RuntimeError(
            f"{operator}: expected src to have a size equal to the slice of self. src size = {list(src.shape)}, slice "
            f"size = {list(part.shape)}"
        )
    return apply(view_scatter, (input, src.to(input.dtype), (step,)), {})


def _scattered_slice(operator: str, input: Tensor, src: Tensor, dim: int, place: Any) -> Tensor:
    index = (*[slice(None)] * dim, place)
    return _scattered(operator, input, src, apply(slice_view, (input, index), {}), (slice_view, (index,), {}))


@function()
def select_scatter(input: Tensor, src: Tensor, dim: int, index: int) -> Tensor:
    """A copy of ``input`` with ``src`` in place of the slice at ``index`` along ``dim``.

    >>> import autograd
    >>> autograd.select_scatter(autograd.zeros(2, 2), autograd.ones(2), 0, 1)
    tensor([[0., 0.],
            [1., 1.]])
    """
    select(input, dim, index)  # its checks
    return _scattered_slice("select_scatter", input, src, check_dim("select_scatter", dim, input.ndim), int(index))


def _checked_slice(operator: str, input: Tensor, dim: int, start: Any, end: Any, step: int) -> tuple[int, slice]:
    if not input.ndim:
        raise IndexError(f"{operator}() cannot be applied to a 0-dim tensor.")
    if step <= 0:
        raise RuntimeError(f"{operator}: slice step must be positive, but got {step}")
    return check_dim(operator, dim, input.ndim), slice(start, end, step)


@function()
def slice_scatter(
    input: Tensor, src: Tensor, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> Tensor:
    """A copy of ``input`` with ``src`` in place of the slice ``start:end:step`` along ``dim``."""
    return _scattered_slice("slice_scatter", input, src, *_checked_slice("slice", input, dim, start, end, step))


@function()
def diagonal_scatter(input: Tensor, src: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """A copy of ``input`` with ``src`` in place of the diagonal over two dimensions."""
    diagonal = TABLE["diagonal"]
    part = apply(diagonal, (input, offset, dim1, dim2), {})
    return _scattered("diagonal_scatter", input, src, part, (diagonal, (offset, dim1, dim2), {}))


@function()
def as_strided_scatter(
    input: Tensor, src: Tensor, size: Sequence[int], stride: Sequence[int], storage_offset: int | None = None
) -> Tensor:
    """A copy of ``input`` with ``src`` at the places that `as_strided` views."""
    arguments = _strided_arguments("as_strided_scatter", input, size, stride, storage_offset)
    part = apply(strided_view, (input, *arguments), {})
    return _scattered("as_strided_scatter", input, src, part, (strided_view, arguments, {}))


# --- Copies of views ------------------------------------------------------------------------------------------------


def _slice(input: Tensor, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1) -> Tensor:
    at, place = _checked_slice("slice", input, dim, start, end, step)
    return apply(slice_view, (input, (*[slice(None)] * at, place)), {})


def _narrow(input: Tensor, dim: int, start: int, length: int) -> Tensor:
    if isinstance(dim, int) and dim >= max(input.ndim, 1):
        raise RuntimeError(f"narrow_copy: expected dim < {input.ndim}, the number of dimensions, but got {dim}")
    return TORCH["narrow"](input, dim, start, length)


def _same(input: Tensor) -> Tensor:
    return input


def _copying(name: str, view: Callable[..., Any], method: bool = False) -> None:
    def copy(input: Tensor, *args: Any, **kwargs: Any) -> Any:
        result = view(check_tensor(name, "input", input), *args, **kwargs)
        if isinstance(result, tuple):
            return tuple(apply(clone, (part, contiguous_format), {}) for part in result)
        return apply(clone, (result, contiguous_format), {})

    copy.__name__ = name
    copy.__doc__ = f"What ``{name.removesuffix('_copy')}`` views, in memory of its own."
    function(method=method)(copy)


for _name, _view in {
    "alias": _same,
    "as_strided": as_strided,
    "detach": Tensor.detach,
    "diagonal": None,
    "expand": NAMESPACES["methods"]["expand"],
    "permute": None,
    "select": None,
    "slice": with_keywords(_slice),
    "split": None,
    "split_with_sizes": with_keywords(split, {"split_sizes": "split_size_or_sections"}),
    "squeeze": None,
    "t": None,
    "transpose": None,
    "unbind": None,
    "unfold": with_keywords(unfold),
    "unsqueeze": None,
    "view": view,
    "view_as_complex": None,
    "view_as_real": None,
}.items():
    _copying(f"{_name}_copy", _view or TORCH[_name])
_copying("narrow_copy", _narrow, method=True)


# --- Resizing -------------------------------------------------------------------------------------------------------


def _check_sizes(operator: str, sizes: tuple[Any, ...]) -> tuple[int, ...]:
    shape = tuple(sizes[0]) if len(sizes) == 1 and isinstance(sizes[0], (tuple, list)) else sizes
    for n in shape:
        if not isinstance(n, (int, np.integer)):
            raise TypeError(f"{operator}(): argument 'size' must be tuple of ints, but found {type(n).__name__}")
        if n < 0:
            raise RuntimeError(f"{operator}: size {list(shape)} has a negative dimension")
    return tuple(int(n) for n in shape)


@function(torch=False, method=True)
def resize_(self: Tensor, *sizes: Any, size: Any = None, memory_format: Any = None) -> Tensor:
    """Gives this tensor another shape: the first elements of its memory in order, which grows where it is too small.

    New elements are not initialized. Memory that grows is new memory: views of the old one keep that.

    Raises:
        RuntimeError: it requires grad, or a negative size.

    >>> import autograd
    >>> autograd.arange(6).resize_(2, 2)
    tensor([[0, 1],
            [2, 3]])
    """
    shape = _check_sizes("resize_", sizes if size is None else (size,))
    if self.requires_grad:
        raise RuntimeError("resize_: cannot resize variables that require grad; clone() or detach() first")
    if shape == self._array.shape:
        return self
    memory, offset = memory_and_start(self._array)
    count = math.prod(shape)
    if offset + count > memory.size:
        grown = np.empty(offset + count, memory.dtype)
        grown[: memory.size] = memory
        memory, self._view, self._counter = grown, None, [self._version, 0]
    self._array = memory[offset : offset + count].reshape(shape)
    count_write(self)
    return self


@function(method=True)
def resize_as_(input: Tensor, the_template: Tensor, *, memory_format: Any = None) -> Tensor:
    """`resize_` to the shape of ``the_template``."""
    return resize_(input, *check_tensor("resize_as_", "the_template", the_template).shape)


@function(torch=False, method=True)
def resize(self: Tensor, *sizes: Any) -> Tensor:
    """Deprecated: `reshape`, for which no element may be left out or added."""
    return _resized("resize", self, _check_sizes("resize", sizes))


def _resized(operator: str, self: Tensor, shape: tuple[int, ...]) -> Tensor:
    warnings.warn(f"non-inplace {operator} is deprecated; use reshape()", UserWarning, stacklevel=4)
    if math.prod(shape) != self.numel():
        raise RuntimeError(
            f"{operator}: requested {list(shape)} ({math.prod(shape)} elements), but the tensor has shape "
            f"{list(self.shape)} ({self.numel()} elements), and their number must be preserved"
        )
    return self.reshape(shape)


@function(torch=False, method=True)
def resize_as(self: Tensor, tensor: Tensor) -> Tensor:
    """Deprecated: `reshape_as`, for which no element may be left out or added."""
    return _resized("resize_as", self, tuple(tensor.shape))


@function(torch=False, method=True)
def set_(self: Tensor, source: Any = None, storage_offset: int = 0, size: Any = None, stride: Any = None) -> Tensor:
    """Makes this tensor look into the memory of ``source`` (a tensor or a storage): where it does, or by strides.

    Raises:
        RuntimeError: it requires grad, or another dtype.
    """
    if state.grad and self.requires_grad:
        raise RuntimeError("set_: a leaf Variable that requires grad is being used in an in-place operation.")
    if source is None:
        self._array, self._view, self._counter = np.empty(0, self._array.dtype), None, None
        return self
    items = getattr(source, "_items", None)  # a storage's: bytes, or elements
    if items is not None:
        source = wrap(items.view(self._array.dtype) if items.dtype == np.uint8 else items)
    if check_tensor("set_", "source", source).dtype is not self.dtype:
        raise RuntimeError(f"set_: could not set a tensor of type {source.dtype} to a tensor of type {self.dtype}")
    target = source.detach()
    if size is not None:
        if stride is None:
            stride = [math.prod(size[i + 1 :]) for i in range(len(size))]
        target = as_strided(target, size, stride, storage_offset)
    self._array, self._view, self._counter = target._array, None, shared_counter(source)
    return self


@function(torch=False, method=True)
def is_set_to(self: Tensor, tensor: Tensor) -> bool:
    """Whether both have the same elements in the same memory, in the same shape and order."""
    mine, other = self._array, tensor._array
    facts = ((a.ctypes.data, a.shape, a.strides, a.dtype) for a in (mine, other))
    return len(set(facts)) == 1


@function(torch=False, method=True)
def dim_order(self: Tensor, *, ambiguity_check: Any = False) -> tuple[int, ...]:
    """The dimensions from the outermost in memory to the innermost.

    Raises:
        RuntimeError: with ``ambiguity_check``, when steps of several dimensions agree or a dimension has size 1.
    """
    steps = self.stride()
    if ambiguity_check and (len(set(steps)) < len(steps) or 1 in self.shape):
        raise RuntimeError(f"dim_order: ambiguous for shape {list(self.shape)} and strides {list(steps)}")
    return tuple(sorted(range(self.ndim), key=lambda dim: -steps[dim]))
