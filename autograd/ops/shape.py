"""Movement: the same elements in another shape or order. Views where PyTorch gives views."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Any

import numpy as np

from ..dtypes import can_cast, promote_types
from ..dtypes import dtype as DType
from ..graph import Leaf, enable_grad, state
from ..kernels import jit
from ..kernels.contiguous import contiguous
from ..kernels.layout import is_channels_last
from ..rows.dispatch import apply
from ..rows.nodes import sum_to
from ..rows.public import function
from ..rows.table import Array, Arrays, _, coarse
from ..rows.writes import check_apart, shares_memory, write_out
from ..tensor import Tensor, check_dim, count_write, node_of, set_node, wrap


def resolve_shape(shape: Sequence[Any], size: int, operator: str) -> tuple[int, ...]:
    """``shape`` with its -1 replaced by what is left for it.

    Raises:
        RuntimeError: it does not hold ``size`` elements, or has two -1.
    """
    if isinstance(shape, int):
        raise TypeError(f"{operator}(): argument 'shape' must be tuple of ints, not int")
    shape = tuple(map(int, shape))
    if math.prod(shape) == size and min(shape, default=0) >= 0:
        return shape
    if shape.count(-1) > 1:
        raise RuntimeError(f"{operator}: only one dimension can be inferred, but shape {list(shape)} has several -1")
    if min(shape, default=0) < -1:
        raise RuntimeError(f"{operator}: invalid shape dimension in {list(shape)}")
    if -1 in shape:
        known = -math.prod(shape)
        if known == 0 or size % known:
            raise RuntimeError(f"shape '{list(shape)}' is invalid for input of size {size}")
        return tuple([size // known if n == -1 else n for n in shape])
    raise RuntimeError(f"shape '{list(shape)}' is invalid for input of size {size}")


def _reshaped(x: np.ndarray, shape: Sequence[Any], operator: str) -> np.ndarray:
    try:
        if min(shape, default=0) >= -1:  # to NumPy any negative size is what is left
            return x.reshape(shape)
    except (TypeError, ValueError):
        pass  # is said below, or is a size all the same
    return x.reshape(resolve_shape(shape, x.size, operator))


@coarse(latex=r"x", is_view=True, star="shape", node_name="View")
def reshape(x: Array, shape):
    """The same elements in another shape, one dimension of which may be -1; a view where memory allows."""
    if x.size >= jit.threshold and not x.flags.c_contiguous:
        try:
            return x.reshape(resolve_shape(shape, x.size, "reshape"), copy=False)
        except ValueError:  # it needs a copy
            x = contiguous(x)
    return _reshaped(x, shape, "reshape")


@reshape.gradient("x")
def _(g, x_shape):
    return reshape(g, x_shape)


@coarse(latex=r"x", is_view=True, star="shape", method=False, home="", node_name="View")
def view_as_shape(x: Array, shape):
    out = _reshaped(x, shape, "view")
    if not x.flags.c_contiguous and x.size and not shares_memory(out, x):
        raise RuntimeError(
            f"view size {list(shape)} is not compatible with input tensor's size {list(x.shape)} and stride (at least "
            "one dimension spans across two contiguous subspaces). Use .reshape(...) instead."
        )
    return out


@view_as_shape.gradient("x")
def _(g, x_shape):
    return reshape(g, x_shape)


@coarse(latex=r"x_{\pi(i)}", is_view=True, star="dims")
def permute(x: Array, dims):
    """Dimensions in another order; always a view."""
    for dim in dims if isinstance(dims, (tuple, list)) else (None,):
        if type(dim) is not int and (not isinstance(dim, (int, np.integer)) or isinstance(dim, bool)):
            raise TypeError(f"permute(): argument 'dims' must be tuple of ints, but got {dims}")
    if len(dims) != x.ndim:
        raise RuntimeError(
            f"permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired "
            f"ordering of dimensions i.e. input.dim() = {x.ndim} is not equal to len(dims) = {len(dims)}"
        )
    order = [check_dim("permute", dim, x.ndim) for dim in dims]
    if len(set(order)) != len(order):
        raise RuntimeError(f"permute(): duplicate dims are not allowed, but got {list(dims)}")
    return x.transpose(order)


@permute.gradient("x")
def _(g, dims):
    order = [dim % len(dims) for dim in dims]
    return permute(g, tuple(sorted(range(len(order)), key=order.__getitem__)))


@coarse(
    latex=r"x^\top",
    is_view=True,
    aliases=("swapaxes", "swapdims"),
    arguments={"axis0": "dim0", "axis1": "dim1"},
)
def transpose(x: Array, dim0, dim1):
    """Two dimensions exchanged; always a view."""
    first, second = check_dim("transpose", dim0, x.ndim), check_dim("transpose", dim1, x.ndim)
    return x.swapaxes(first, second) if x.ndim else x.view()


@transpose.gradient("x")
def _(g, dim0, dim1):
    return transpose(g, dim0, dim1)


@coarse(latex=r"x_{1 \cdots n}", is_view=True, star="size", home="methods", method=True)
def expand(x: Array, size, implicit=False):
    """Dimensions of size 1 repeated without copying; -1 keeps a size, new dimensions come first."""
    extra = len(size) - x.ndim
    if extra < 0:
        raise RuntimeError(
            f"expand: the number of sizes provided ({len(size)}) must be greater or equal to the number of dimensions "
            f"in the tensor ({x.ndim}); shapes {list(size)} and {list(x.shape)}"
        )
    own = (*(1,) * extra, *x.shape)
    shape = tuple([int(n) if n != -1 or i < extra else own[i] for i, n in enumerate(size)])
    for i, (n, m) in enumerate(zip(shape, own, strict=True)):
        if n < 0 or (m != n and m != 1):
            raise RuntimeError(
                f"The expanded size of the tensor ({n}) must match the existing size "
                f"({x.shape[i - extra] if i >= extra else 'none'}) at non-singleton dimension {i}. Target sizes: "
                f"{list(size)}. Tensor sizes: {list(x.shape)}"
            )
    strides = [s if n == m else 0 for s, n, m in zip(x.strides, x.shape, shape[extra:], strict=True)]
    for i in reversed(range(extra)):  # a new dimension that is not repeated steps over what follows, as in PyTorch
        strides.insert(0, strides[0] * shape[i + 1] if strides and shape[i] == 1 else 0)
    if x.flags.c_contiguous and x.flags.writeable and x.size:
        return np.ndarray(shape, x.dtype, x, 0, strides)  # measured: 0.4 us, as_strided takes 3
    return np.lib.stride_tricks.as_strided(x, shape, strides)


@expand.gradient("x")
def _(g, x_shape):
    return sum_to(g, x_shape)


@coarse(latex=r"x", is_view=True)
def unsqueeze(x: Array, dim):
    """A new dimension of size 1 at ``dim``."""
    at = check_dim("unsqueeze", dim, x.ndim + 1)
    return x.reshape(*x.shape[:at], 1, *x.shape[at:])


@unsqueeze.gradient("x")
def _(g, x_shape):
    return reshape(g, x_shape)


def _squeeze_name(dim: Any) -> str:
    return f"SqueezeBackward{0 if dim is None else 2 if isinstance(dim, tuple) and len(dim) > 1 else 1}"


@coarse(latex=r"x", is_view=True, star="dim", node_name=_squeeze_name)
def squeeze(x: Array, dim=None):
    """Dimensions of size 1 removed: all of them, or those named by ``dim`` that have size 1."""
    if dim is None:
        return x.reshape([n for n in x.shape if n != 1])
    dims = _distinct_dims("squeeze", dim, x.ndim)
    return x.reshape([n for i, n in enumerate(x.shape) if n != 1 or i not in dims])


@squeeze.gradient("x")
def _(g, x_shape, dim):
    return reshape(g, x_shape)


def _distinct_dims(operator: str, dims: Any, ndim: int) -> list[int]:
    """One dimension or several as non-negative indices.

    Raises:
        RuntimeError: a dimension is named twice.
    """
    found = [check_dim(operator, dim, ndim) for dim in (dims if isinstance(dims, (tuple, list)) else (dims,))]
    if len(set(found)) != len(found):
        twice = next(dim for dim in found if found.count(dim) > 1)
        raise RuntimeError(f"{operator}: dim {twice} appears multiple times in the list of dims {list(dims)}")
    return found


def _slice_name(index: Any) -> str:
    if index == (Ellipsis,):
        return "Alias"
    kinds = [type(item) for item in index if item != slice(None)]
    return "Select" if int in kinds else "Unsqueeze" if kinds and kinds[-1] is type(None) else "Slice"


@coarse(latex=r"x_{a:b:s}", is_view=True, home="", node_name=_slice_name)
def slice_view(x: Array, index):
    # The Ellipsis keeps a single element an array that shares memory.
    place = index if Ellipsis in index else (*index, Ellipsis)
    out = x[place]
    if None not in place:
        return out
    # NumPy gives a new dimension the step 0, PyTorch that of its neighbors, which a reshape computes.
    return x[tuple(item for item in place if item is not None)].reshape(out.shape)


@slice_view.gradient("x")
def _(g, x_shape, index):
    return slice_fill(g, x_shape, index)


@coarse(latex=r"0 \text{ except } x \text{ at the slice}", home="", node_name="SliceFill")
def slice_fill(x: Array, shape, index):
    out = np.zeros(shape, x.dtype)
    out[index] = x
    return out


@slice_fill.gradient("x")
def _(g, index):
    return slice_view(g, index)


@coarse(latex=r"x_{n-i}", star="dims", keeps_layout=True)
def flip(x: Array, dims):
    """The order of elements reversed along each of ``dims``; a copy."""
    if not isinstance(dims, (tuple, list)):
        raise TypeError(f"flip(): argument 'dims' must be tuple of ints, not {type(dims).__name__}")
    axes = _distinct_dims("flip", dims, x.ndim)
    return (np.flip(x, tuple(axes)) if x.ndim else x).copy(order="K")


@flip.gradient("x")
def _(g, dims):
    return flip(g, dims)


@coarse(latex=r"x_{i - s \bmod n}")
def roll(x: Array, shifts, dims=None):
    """Elements moved by ``shifts`` along ``dims``, those that leave coming in at the other end."""
    if dims is not None and not isinstance(dims, int) and len(tuple(dims)) == 0:
        dims = None
    if isinstance(shifts, bool) or isinstance(dims, bool):
        raise TypeError("roll(): shifts and dims must be ints or tuples of ints, not bool")
    moves, axes = (v if isinstance(v, (tuple, list)) else (v,) for v in (shifts, dims))
    if not moves:
        raise RuntimeError("roll: `shifts` required, but it is empty")
    if dims is not None and len(moves) != len(axes):
        raise RuntimeError(f"roll: shifts {shifts} and dims {dims} must align: {len(moves)} and {len(axes)} given")
    if dims is not None:
        dims = tuple(check_dim("roll", dim, x.ndim) for dim in axes)
    return np.roll(x, shifts, dims)


@roll.gradient("x")
def _(g, shifts, dims):
    return roll(g, tuple(-s for s in shifts) if isinstance(shifts, (tuple, list)) else -shifts, dims)


@coarse(latex=r"x_{i \bmod n}", star="repeats", home="methods", method=True)
def repeat(x: Array, repeats):
    """The tensor copied ``repeats`` times along each dimension; new dimensions come first."""
    if len(repeats) < x.ndim:
        raise RuntimeError(
            f"repeat: number of dimensions of repeat dims ({len(repeats)}) can not be smaller than number of "
            f"dimensions of tensor ({x.ndim})"
        )
    if any(n < 0 for n in repeats):
        raise RuntimeError(f"repeat: negative number of copies in {list(repeats)}")
    return np.tile(x, tuple(int(n) for n in repeats))


@repeat.gradient("x")
def _(g, x_shape, repeats):
    extra = len(repeats) - len(x_shape)
    shape = (1,) * extra + tuple(x_shape)
    split = [n for r, size in zip(repeats, shape, strict=True) for n in (int(r), size)]
    total = _.sum(reshape(g, split), tuple(range(0, len(split), 2)), False)
    return reshape(total, x_shape)


@coarse(latex=r"x \,\|\, y \,\|\, \cdots", home="", node_name="Cat", keeps_layout=True)
def concatenate_along(tensors: Arrays, dim):
    first = tensors[0]
    axis = check_dim("cat", dim, first.ndim)
    for i, array in enumerate(tensors):
        if array.ndim != first.ndim:
            raise RuntimeError(
                f"Tensors must have same number of dimensions: got {first.ndim} and {array.ndim} (shapes "
                f"{list(first.shape)} and {list(array.shape)})"
            )
        if array.shape == first.shape:
            continue
        for d in range(array.ndim):
            if d != axis and array.shape[d] != first.shape[d]:
                raise RuntimeError(
                    f"Sizes of tensors must match except in dimension {axis}. Expected size {first.shape[d]} but got "
                    f"size {array.shape[d]} for tensor number {i} in the list (shapes {list(first.shape)} and "
                    f"{list(array.shape)})."
                )
    out = np.concatenate(tensors, axis)  # its elements lie as those of the tensors do
    last = not out.flags.c_contiguous and all(is_channels_last(array) for array in tensors)
    return out if last else np.ascontiguousarray(out)


@concatenate_along.gradient("tensors")
def _(g, tensors_shapes, dim):
    dim = dim % g.ndim
    grads, start = [], 0
    for shape in tensors_shapes:
        grads.append(slice_view(g, (*[slice(None)] * dim, slice(start, start + shape[dim]))))
        start += shape[dim]
    return grads


@function(method=False, aliases=("concat", "concatenate"))
def cat(tensors: Sequence[Tensor], dim: int = 0, *, out: Tensor | None = None) -> Tensor:
    """Tensors joined along dimension ``dim``; all other sizes must agree. Dtypes are promoted.

    Raises:
        RuntimeError: no tensors, or sizes that do not match (both shapes named).

    >>> import autograd
    >>> autograd.cat((autograd.tensor([[1, 2]]), autograd.tensor([[3, 4]])))
    tensor([[1, 2],
            [3, 4]])
    """
    if isinstance(tensors, Tensor) or not isinstance(tensors, Sequence):
        raise TypeError(f"cat(): argument 'tensors' must be tuple of Tensors, not {type(tensors).__name__}")
    if not tensors:
        raise ValueError("cat(): expected a non-empty list of Tensors")
    kept = [t for t in tensors if not (isinstance(t, Tensor) and t._array.shape == (0,))] or list(tensors)
    kept = same_dtype("cat", kept)
    if kept[0]._array.ndim == 0:
        raise RuntimeError("zero-dimensional tensor (at position 0) cannot be concatenated; use stack()")
    _check_joined_out("cat", kept, out)
    result = apply(concatenate_along, (kept, dim), {})
    return result if out is None else write_out(out, result, "cat")


def _check_joined_out(operator: str, tensors: Sequence[Tensor], out: Any) -> None:
    if isinstance(out, Tensor):
        if not can_cast(tensors[0].dtype, out.dtype):
            raise TypeError(f"{operator}(): input types can't be cast to the desired output type {out.dtype}")
        check_apart(out, tensors, operator)


def same_dtype(operator: str, tensors: Sequence[Any]) -> list[Tensor]:
    """The tensors, promoted to a common dtype."""
    for position, item in enumerate(tensors):
        if not isinstance(item, Tensor):
            raise TypeError(
                f"{operator}(): expected Tensor as element {position} in argument 0, but got {type(item).__name__}"
            )
    types = [item.dtype for item in tensors]
    dtype = types[0]
    if types.count(dtype) == len(types):
        return list(tensors)
    for other in types[1:]:
        dtype = promote_types(dtype, other)
    return [item.to(dtype) for item in tensors]


@coarse(latex=r"(x, y, \ldots)", home="", node_name="Stack")
def stack_along(tensors: Arrays, dim):
    for array in tensors:
        if array.shape != tensors[0].shape:
            raise RuntimeError(
                f"stack expects each tensor to be equal size, but got {list(tensors[0].shape)} at entry 0 and "
                f"{list(array.shape)} at entry {[a.shape for a in tensors].index(array.shape)}"
            )
    return np.stack(tensors, check_dim("stack", dim, tensors[0].ndim + 1))


@stack_along.gradient("tensors")
def _(g, dim):
    return list(unbind(g, dim))


@function(method=False)
def stack(tensors: Sequence[Tensor], dim: int = 0, *, out: Tensor | None = None) -> Tensor:
    """Tensors of one shape joined along a new dimension ``dim``.

    >>> import autograd
    >>> autograd.stack((autograd.tensor([1, 2]), autograd.tensor([3, 4])), dim=1)
    tensor([[1, 3],
            [2, 4]])
    """
    if isinstance(tensors, Tensor) or not isinstance(tensors, Sequence):
        raise TypeError(f"stack(): argument 'tensors' must be tuple of Tensors, not {type(tensors).__name__}")
    if not tensors:
        raise RuntimeError("stack expects a non-empty TensorList")
    tensors = same_dtype("stack", tensors)
    _check_joined_out("stack", tensors, out)
    result = apply(stack_along, (tensors, dim), {})
    return result if out is None else write_out(out, result, "stack")


@coarse(latex=r"(x_{0:s}, x_{s:2s}, \ldots)", is_view=True, outputs=None, home="", node_name="Split")
def split_at(x: Array, sections, dim):
    axis = check_dim("split", dim, x.ndim)
    lead = (slice(None),) * axis
    places = [(*lead, slice(int(a), int(b))) for a, b in pairwise(accumulate(sections, initial=0))]
    return tuple([x[place] for place in places])


@split_at.gradient("x")
def _(g, dim):
    return concatenate_along(g, dim)


@function(arguments={"split_size": "split_size_or_sections"})
def split(tensor: Tensor, split_size_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Views of consecutive pieces along ``dim``: of one size (the last may be smaller), or of the sizes listed.

    >>> import autograd
    >>> autograd.split(autograd.arange(5), 2)
    (tensor([0, 1]), tensor([2, 3]), tensor([4]))
    >>> autograd.split(autograd.arange(5), [1, 4])
    (tensor([0]), tensor([1, 2, 3, 4]))
    """
    n = tensor._array.shape[check_dim("split", dim, tensor._array.ndim)] if tensor._array.ndim else None
    if n is None:
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    if isinstance(split_size_or_sections, (int, np.integer)):
        size = int(split_size_or_sections)
        if size < 0 or (size == 0 and n):
            raise RuntimeError(f"split expects split_size be non-negative, but got split_size={size}")
        sections = [min(size, n - start) for start in range(0, n, size)] if n else [0]
    else:
        sections = [int(section) for section in split_size_or_sections]
        if sum(sections) != n or any(section < 0 for section in sections):
            raise RuntimeError(
                f"split_with_sizes expects split_sizes to sum exactly to {n} (input tensor's size at dimension {dim}), "
                f"but got split_sizes={sections}"
            )
    return apply(split_at, (tensor, sections, dim), {})


@function()
def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """Views of at most ``chunks`` pieces of equal size along ``dim``; the last may be smaller.

    >>> import autograd
    >>> autograd.chunk(autograd.arange(5), 2)
    (tensor([0, 1, 2]), tensor([3, 4]))
    """
    if not input._array.ndim:
        raise RuntimeError("chunk expects at least a 1-dimensional tensor")
    if chunks <= 0:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    n = input._array.shape[check_dim("chunk", dim, input._array.ndim)]
    return split(input, max(1, -(-n // chunks)), dim) if n else split(input, [0] * chunks, dim)


@coarse(latex=r"(x_0, x_1, \ldots)", is_view=True, outputs=None)
def unbind(x: Array, dim=0):
    """Views of the slices along ``dim``, which disappears."""
    if x.ndim == 0:
        raise IndexError("Dimension specified as 0 but tensor has no dimensions: unbind needs one")
    axis = check_dim("unbind", dim, x.ndim)
    lead = (slice(None),) * axis
    places = [(*lead, i, Ellipsis) for i in range(x.shape[axis])]
    return tuple(x[place] for place in places)


@unbind.gradient("x")
def _(g, dim):
    return stack_along(g, dim)


@coarse(latex=r"x", is_view=True, home="", node_name="Pick")
def pick(x: Array, row, args, number):
    """One output of a row with several: how a view remembers which one it is."""
    return row.forward(x, *args)[number]


@pick.gradient("x")
def _(g, x_shape, row, args, number):
    places = row.forward(np.arange(math.prod(x_shape)).reshape(x_shape), *args)[number]
    return _.index_add_zeros(g, x_shape, np.unravel_index(places, x_shape))


@coarse(latex=r"\text{constant around } x", home="", node_name="ConstantPadNd")
def pad_constant(x: Array, widths, value):
    """``widths``: pairs (before, after) from the last dimension backwards; negative widths crop."""
    pairs = [(0, 0)] * (x.ndim - len(widths) // 2) + list(zip(widths[-2::-2], widths[::-2], strict=True))
    cropped = x[tuple(slice(max(0, -a), n - max(0, -b)) for (a, b), n in zip(pairs, x.shape, strict=True))]
    if max(widths, default=0) <= 0:
        return cropped.copy()
    out = np.full([a + n + b for (a, b), n in zip(pairs, x.shape, strict=True)], value, x.dtype)
    out[tuple(slice(max(0, a), max(0, a) + n) for (a, _), n in zip(pairs, cropped.shape, strict=True))] = cropped
    return out


@pad_constant.gradient("x")
def _(g, widths):
    return pad_constant(g, tuple(-w for w in widths), 0)


# --- Compositions --------------------------------------------------------------------------------------------------


@function(torch=False, method=True)
def view(self: Tensor, *shape: Any, dtype: Any = None, size: Any = None) -> Tensor:
    """A view of the same elements in another shape, one dimension of which may be -1; or of the same bytes as
    elements of another dtype (outside of the graph).

    Raises:
        RuntimeError: the memory layout needs a copy; use ``reshape``.

    >>> import autograd
    >>> autograd.arange(4).view(2, -1)
    tensor([[0, 1],
            [2, 3]])
    """
    for n in shape:
        if type(n) is not int:
            break
    else:
        if shape:
            return apply(view_as_shape, (self, shape), {})
        shape = tuple(given for given in (dtype, size) if given is not None)
    if len(shape) == 1 and isinstance(shape[0], (tuple, list)):
        shape = tuple(shape[0])
    elif not shape or not all(isinstance(n, (int, np.integer, DType, Tensor)) for n in shape):
        raise TypeError(f"view() takes sizes or a dtype, but got ({', '.join(type(n).__name__ for n in shape)})")
    if len(shape) == 1 and isinstance(shape[0], DType):
        from .strided import view_by_bytes

        return view_by_bytes(self, shape[0])
    return apply(view_as_shape, (self, shape), {})


@function(torch=False, method=True)
def view_as(self: Tensor, other: Tensor) -> Tensor:
    """A view in ``other``'s shape.

    >>> import autograd
    >>> autograd.arange(4).view_as(autograd.zeros(2, 2))
    tensor([[0, 1],
            [2, 3]])
    """
    return view(self, other.shape)


@function(torch=False, method=True)
def reshape_as(self: Tensor, other: Tensor) -> Tensor:
    """The same elements in ``other``'s shape.

    >>> import autograd
    >>> autograd.arange(4).reshape_as(autograd.zeros(2, 2))
    tensor([[0, 1],
            [2, 3]])
    """
    return apply(reshape, (self, other.shape), {})


@function(torch=False, method=True)
def expand_as(self: Tensor, other: Tensor) -> Tensor:
    """Expanded to ``other``'s size.

    >>> import autograd
    >>> autograd.tensor([1, 2]).expand_as(autograd.zeros(2, 2))
    tensor([[1, 2],
            [1, 2]])
    """
    return apply(expand, (self, other._array.shape), {})


@function()
def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Dimensions ``start_dim`` to ``end_dim`` merged into one.

    >>> import autograd
    >>> autograd.flatten(autograd.zeros(2, 3, 4), 1).shape
    torch.Size([2, 12])
    """
    shape = input._array.shape
    start, end = check_dim("flatten", start_dim, len(shape)), check_dim("flatten", end_dim, len(shape))
    if start > end:
        raise RuntimeError(f"flatten() has invalid args: start_dim {start_dim} cannot come after end_dim {end_dim}")
    if not shape:
        return apply(reshape, (input, (1,)), {})
    if start == end:
        return input
    return apply(reshape, (input, (*shape[:start], math.prod(shape[start : end + 1]), *shape[end + 1 :])), {})


@function()
def unflatten(input: Tensor, dim: int, sizes: Sequence[int]) -> Tensor:
    """Dimension ``dim`` split into dimensions of the given sizes, one of which may be -1.

    >>> import autograd
    >>> autograd.unflatten(autograd.zeros(2, 6), 1, (2, -1)).shape
    torch.Size([2, 2, 3])
    """
    shape = input._array.shape
    if not shape:
        raise RuntimeError(f"unflatten: dimension specified as {dim} but tensor has no dimensions")
    at = check_dim("unflatten", dim, len(shape))
    inner = resolve_shape(sizes, shape[at], "unflatten")
    return apply(reshape, (input, (*shape[:at], *inner, *shape[at + 1 :])), {})


@function()
def ravel(input: Tensor) -> Tensor:
    """All elements in one dimension, contiguous: a view where they lie in order already.

    >>> import autograd
    >>> autograd.ravel(autograd.tensor([[1, 2], [3, 4]]))
    tensor([1, 2, 3, 4])
    """
    return apply(reshape, (input.contiguous(), (-1,)), {})


@function()
def t(input: Tensor) -> Tensor:
    """The transpose of a matrix; tensors of fewer dimensions as they are.

    >>> import autograd
    >>> autograd.t(autograd.tensor([[1, 2], [3, 4]]))
    tensor([[1, 3],
            [2, 4]])
    """
    if input._array.ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {input._array.ndim}D")
    return apply(matrix_transpose, (input,), {})


@coarse(latex=r"x^\top", is_view=True, home="", node_name="T")
def matrix_transpose(x: Array):
    return x.T


@matrix_transpose.gradient("x")
def _(g):
    return matrix_transpose(g)


@function(aliases=("moveaxis",))
def movedim(input: Tensor, source: Any, destination: Any) -> Tensor:
    """Dimensions moved to new places; the others keep their order.

    >>> import autograd
    >>> autograd.movedim(autograd.zeros(2, 3, 4), 0, -1).shape
    torch.Size([3, 4, 2])
    """
    if isinstance(source, (tuple, list)) != isinstance(destination, (tuple, list)):
        raise TypeError(f"movedim(): source {source} and destination {destination} must both be ints or both tuples")
    ndim = input._array.ndim
    sources = [check_dim("movedim", d, ndim) for d in (source if isinstance(source, (tuple, list)) else (source,))]
    targets = [
        check_dim("movedim", d, ndim)
        for d in (destination if isinstance(destination, (tuple, list)) else (destination,))
    ]
    if len(sources) != len(targets):
        raise RuntimeError(f"movedim: got {len(sources)} source and {len(targets)} destination dimensions")
    if len(set(sources)) != len(sources) or len(set(targets)) != len(targets):
        raise RuntimeError(f"movedim: repeated dim in source {source} or destination {destination}")
    rest = iter(d for d in range(ndim) if d not in sources)
    order = [sources[targets.index(d)] if d in targets else next(rest) for d in range(ndim)]
    return apply(permute, (input, tuple(order)), {})


@function()
def narrow(input: Tensor, dim: int, start: Any, length: int) -> Tensor:
    """A view of ``length`` elements from ``start`` along ``dim``.

    >>> import autograd
    >>> autograd.narrow(autograd.arange(5), 0, 1, 3)
    tensor([1, 2, 3])
    """
    if not input._array.ndim:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    at = check_dim("narrow", dim, input._array.ndim)
    n = input._array.shape[at]
    if isinstance(start, Tensor):
        if start._array.ndim or start._array.dtype.kind not in "iu":
            raise RuntimeError(f"narrow(): start must be an 0-dim integral Tensor, but is {start.dtype} {start.shape}.")
        start = int(start)
    if length < 0:
        raise RuntimeError(f"narrow(): length must be non-negative, but got {length}.")
    if not -n <= start <= n:
        raise IndexError(f"start out of range (expected to be in range of [{-n}, {n}], but got {start})")
    start = start + n if start < 0 else start
    if start + length > n:
        raise RuntimeError(f"start ({start}) + length ({length}) exceeds dimension size ({n}).")
    return apply(slice_view, (input, (*[slice(None)] * at, slice(start, start + length))), {})


@function()
def select(input: Tensor, dim: int, index: int) -> Tensor:
    """A view of the slice at ``index`` along ``dim``, which disappears.

    >>> import autograd
    >>> autograd.select(autograd.tensor([[1, 2], [3, 4]]), 1, 0)
    tensor([1, 3])
    """
    at = check_dim("select", dim, input._array.ndim)
    n = input._array.shape[at]
    if not -n <= index < n:
        raise IndexError(
            f"select(): index {index} out of range for tensor of size {list(input.shape)} at dimension {at}"
        )
    return apply(slice_view, (input, (*[slice(None)] * at, int(index))), {})


def _matrix_transpose(self: Tensor) -> Tensor:
    if self.ndim < 2:
        raise RuntimeError(f"tensor.mT is only supported on matrices or batches of matrices. Got {self.ndim}-D.")
    return apply(transpose, (self, -2, -1), {})


def _reversed_dims(self: Tensor) -> Tensor:
    ndim = self.ndim
    if ndim == 2:
        return apply(permute, (self, (1, 0)), {})
    if ndim != 0:
        warnings.warn(
            "The use of `x.T` on tensors of dimension other than 2 to reverse their shape is deprecated. Consider "
            "`x.mT` to transpose batches of matrices or `x.permute(*range(x.ndim - 1, -1, -1))`.",
            UserWarning,
            stacklevel=2,
        )
    return apply(permute, (self, tuple(reversed(range(ndim)))), {})


Tensor.T = property(_reversed_dims, doc="All dimensions in reverse order.")  # type: ignore[attr-defined]
Tensor.mT = property(_matrix_transpose, doc="The last two dimensions exchanged.")  # type: ignore[attr-defined]


# --- In place: the tensor becomes a view of itself ------------------------------------------------------------------


def become(name: str) -> Any:
    """The in-place method ``name`` that makes a tensor the view of itself that the method without underscore gives."""

    def method(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        look = getattr(Tensor, name[:-1])
        if getattr(self, "_batch", None) is not None:
            self._value = look(self, *args, **kwargs)._value  # type: ignore[attr-defined]  # a `Batched`
            return self
        node = node_of(self)
        if isinstance(node, Leaf):
            if state.grad:
                raise RuntimeError("a leaf Variable that requires grad is being used in an in-place operation.")
            self._array = look(self, *args, **kwargs)._array
        else:
            before = self
            if self._view is None and self._counter is not None:
                # Older views keep looking into what the tensor was.
                before = wrap(self._array, node)
                before._counter = self._counter
            with enable_grad():
                view = look(before, *args, **kwargs)
            self._array = view._array
            set_node(self, view._node)
            if before is not self or self._view is not None:
                self._view = view._view
        count_write(self)
        return self

    method.__name__, method.__qualname__ = name, f"Tensor.{name}"
    method.__doc__ = f"In-place version of ``{name[:-1]}``: changes this tensor's shape, not its memory."
    setattr(Tensor, name, method)
    return method


for _name in ("t_", "transpose_", "swapaxes_", "swapdims_", "squeeze_", "unsqueeze_"):
    become(_name)


__all__ = [
    "become",
    "cat",
    "chunk",
    "concatenate_along",
    "expand",
    "expand_as",
    "flatten",
    "flip",
    "matrix_transpose",
    "movedim",
    "narrow",
    "pad_constant",
    "permute",
    "pick",
    "ravel",
    "repeat",
    "reshape",
    "reshape_as",
    "resolve_shape",
    "roll",
    "same_dtype",
    "select",
    "slice_fill",
    "slice_view",
    "split",
    "split_at",
    "squeeze",
    "stack",
    "stack_along",
    "t",
    "transpose",
    "unbind",
    "unflatten",
    "unsqueeze",
    "view",
    "view_as",
    "view_as_shape",
]
