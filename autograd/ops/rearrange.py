"""Joining, splitting, turning and repeating tensors: compositions of the movements in `shape`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..dtypes import Size
from ..rows.dispatch import NUMBERS, apply
from ..rows.public import TORCH, function, inplace
from ..rows.table import TABLE
from ..tensor import Tensor, check_dim
from ..tensor import wrap as tensor_of
from .convert import check_tensor
from .index import masked_fill, select_indices
from .shape import (
    cat,
    chunk,
    expand,
    flip,
    reshape,
    slice_view,
    split,
    transpose,
    unsqueeze,
)

__all__ = ["atleast_1d", "atleast_2d", "atleast_3d", "broadcast_shapes", "repeat_interleave", "rot90", "tensor_split"]


def _separately(function: Callable[..., Any], alone: bool) -> None:
    """Makes ``function`` a method that also takes the items of its sequence as separate arguments.

    ``alone`` says whether a single number is a sequence, too.
    """

    def method(self: Tensor, *items: Any, **named: Any) -> Any:
        if len(items) > 1 or (alone and items and not isinstance(items[0], (tuple, list))):
            items = (items,)
        return TORCH[function.__name__](self, *items, **named)

    method.__name__, method.__doc__ = function.__name__, function.__doc__
    setattr(Tensor, function.__name__, method)


# --- Shapes that fit together ---------------------------------------------------------------------------------------


@function(method=False)
def broadcast_shapes(*shapes: Any) -> Size:
    """The shape that tensors of these shapes (sequences of sizes, or one size each) broadcast to.

    Raises:
        RuntimeError: two sizes differ and neither is 1.
        ValueError: a negative size.

    >>> import autograd
    >>> autograd.broadcast_shapes((2, 1), (3,), 1)
    torch.Size([2, 3])
    """
    sizes = [(shape,) if isinstance(shape, int) else tuple(shape) for shape in shapes]
    if any(n < 0 for shape in sizes for n in shape):
        raise ValueError(f"broadcast_shapes: negative sizes in {', '.join(str(list(s)) for s in sizes)}")
    try:
        return Size(np.broadcast_shapes(*sizes))
    except ValueError:
        raise RuntimeError(
            f"broadcast_shapes: {', '.join(str(list(s)) for s in sizes)} do not broadcast to a single shape"
        ) from None


@function(method=False)
def broadcast_tensors(*tensors: Any) -> tuple[Tensor, ...]:
    """Views of the tensors, all expanded to the shape that they broadcast to.

    >>> import autograd
    >>> a, b = autograd.broadcast_tensors(autograd.zeros(2, 1), autograd.ones(3))
    >>> a.shape, b.shape
    (torch.Size([2, 3]), torch.Size([2, 3]))
    """
    for i, tensor in enumerate(tensors):
        if not isinstance(tensor, Tensor):
            raise TypeError(f"broadcast_tensors(): expected Tensor as element {i}, but got {type(tensor).__name__}")
    shape = broadcast_shapes(*(tensor.shape for tensor in tensors))
    return tuple(apply(expand, (tensor, shape), {}) for tensor in tensors)


@function(method=False)
def broadcast_to(input: Tensor, size: Any) -> Tensor:
    """A view of ``input`` expanded to ``size``, without copying.

    >>> import autograd
    >>> autograd.broadcast_to(autograd.tensor([1, 2]), (2, 2))
    tensor([[1, 2],
            [1, 2]])
    """
    return apply(expand, (input, tuple(size)), {})


_separately(broadcast_to, alone=True)


def _at_least(n: int, widened: Callable[[Tensor], Tensor], doc: str) -> Callable[..., Any]:
    def at_least(*tensors: Any) -> Any:
        if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)):
            tensors = tuple(tensors[0])
        elif len(tensors) == 1:
            return widened(check_tensor(at_least.__name__, "tensors", tensors[0]))
        return tuple(widened(check_tensor(at_least.__name__, "tensors", tensor)) for tensor in tensors)

    at_least.__name__ = f"atleast_{n}d"
    at_least.__doc__ = f"{doc} One tensor gives a tensor, several (or a sequence of them) a tuple."
    return function(method=False)(at_least)


def _to_1d(tensor: Tensor) -> Tensor:
    return tensor if tensor.ndim else apply(reshape, (tensor, (1,)), {})


def _to_2d(tensor: Tensor) -> Tensor:
    return tensor if tensor.ndim > 1 else apply(unsqueeze, (_to_1d(tensor), 0), {})


def _to_3d(tensor: Tensor) -> Tensor:
    return tensor if tensor.ndim > 2 else apply(unsqueeze, (_to_2d(tensor), -1), {})


atleast_1d = _at_least(1, _to_1d, "A 0-d tensor in shape (1,); others as they are.")
atleast_2d = _at_least(2, _to_2d, "A vector as one row; tensors of two dimensions and more as they are.")
atleast_3d = _at_least(3, _to_3d, "A matrix (n, m) in shape (n, m, 1), a vector as (1, n, 1); others as they are.")


# --- Joining --------------------------------------------------------------------------------------------------------


def _joining(name: str, widened: Callable[[Tensor], Tensor], dim_of: Callable[[Tensor], int], doc: str, *aliases: str):
    def join(tensors: Sequence[Tensor], *, out: Tensor | None = None) -> Tensor:
        if isinstance(tensors, Tensor) or not isinstance(tensors, Sequence):
            raise TypeError(f"{name}(): argument 'tensors' must be tuple of Tensors, not {type(tensors).__name__}")
        if not tensors:
            raise RuntimeError(f"{name} expects a non-empty TensorList")
        wide = [widened(check_tensor(name, f"tensors[{i}]", tensor)) for i, tensor in enumerate(tensors)]
        return cat(wide, dim_of(wide[0]), out=out)

    join.__name__, join.__doc__ = name, doc
    function(method=False, aliases=aliases)(join)


def _as_column(tensor: Tensor) -> Tensor:
    return tensor if tensor.ndim > 1 else apply(reshape, (tensor, (tensor.numel(), 1)), {})


_joining("hstack", _to_1d, lambda first: min(first.ndim - 1, 1), "Tensors joined side by side: along dimension 1, "
         "vectors along dimension 0.")  # fmt: skip
_joining("vstack", _to_2d, lambda _: 0, "Tensors joined one below the other; vectors become rows.", "row_stack")
_joining("dstack", _to_3d, lambda _: 2, "Tensors joined along dimension 2, after `atleast_3d`.")
_joining("column_stack", _as_column, lambda _: 1, "Tensors joined along dimension 1; vectors become columns.")


# --- Splitting ------------------------------------------------------------------------------------------------------


@function(torch=True)
def tensor_split(
    input: Tensor,
    tensor_indices_or_sections: Any = None,
    dim: int = 0,
    *,
    indices: Any = None,
    sections: int | None = None,
    indices_or_sections: Any = None,
) -> tuple[Tensor, ...]:
    """Views of pieces of ``input`` along ``dim``: so many of nearly equal size, or split before the given indices.

    Args:
        input: at least one dimension.
        tensor_indices_or_sections: a number of pieces, or the indices, also as an int64 tensor; equivalently one of
            the keywords ``indices``, ``sections`` and ``indices_or_sections``.
        dim: the dimension that is split.

    Raises:
        RuntimeError: 0-d input, no positive number of pieces, or a tensor that holds no int64.

    >>> import autograd
    >>> autograd.tensor_split(autograd.arange(5), 2)
    (tensor([0, 1, 2]), tensor([3, 4]))
    >>> autograd.tensor_split(autograd.arange(5), (1, 3))
    (tensor([0]), tensor([1, 2]), tensor([3, 4]))
    """
    check_tensor("tensor_split", "input", input)
    given = [v for v in (tensor_indices_or_sections, indices, sections, indices_or_sections) if v is not None]
    if len(given) != 1:
        raise TypeError("tensor_split() takes either indices or sections")
    wanted = given[0]
    if not input.ndim:
        raise RuntimeError("tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims")
    at = check_dim("tensor_split", dim, input.ndim)
    n = input.shape[at]
    if isinstance(wanted, Tensor):
        if wanted._array.dtype != np.int64:
            raise RuntimeError(
                f"tensor_split expected tensor_indices_or_sections to have dtype of long, but got {wanted.dtype}"
            )
        if wanted.ndim > 1:
            raise RuntimeError(
                "tensor_split expected tensor_indices_or_sections to be a zero-dimensional or one-dimensional tensor, "
                f"but got a tensor with {wanted.ndim} dims"
            )
        wanted = wanted.tolist()
    if isinstance(wanted, (int, np.integer)):
        if wanted <= 0:
            raise RuntimeError(f"tensor_split: number of sections must be larger than 0, got {wanted}")
        size, larger = divmod(n, int(wanted))
        ends = np.cumsum([size + 1] * larger + [size] * (int(wanted) - larger)).tolist()
        starts = [0, *ends[:-1]]
    else:
        if not all(isinstance(i, (int, np.integer)) for i in wanted):
            raise TypeError(f"tensor_split(): argument 'indices' must be tuple of ints, but got {wanted}")
        starts, ends = [0, *map(int, wanted)], [*map(int, wanted), n]
    lead = (slice(None),) * at
    return tuple(apply(slice_view, (input, (*lead, slice(a, b))), {}) for a, b in zip(starts, ends, strict=True))


def _splitting(name: str, least: int, dim_of: Callable[[Tensor], int], doc: str) -> None:
    def split_evenly(
        input: Tensor, indices_or_sections: Any = None, *, indices: Any = None, sections: Any = None
    ) -> tuple[Tensor, ...]:
        given = [v for v in (indices_or_sections, indices, sections) if v is not None]
        if len(given) != 1:
            raise TypeError(f"{name}() takes either indices or sections")
        wanted = given[0]
        if input.ndim < least:
            raise RuntimeError(
                f"torch.{name} requires a tensor with at least {least} dimension, but got a tensor with {input.ndim} "
                "dimensions!"
            )
        dim = dim_of(input)
        if isinstance(wanted, int) and (wanted <= 0 or input.shape[dim] % wanted):
            raise RuntimeError(
                f"torch.{name} attempted to split along dimension {dim}, but the size of the dimension "
                f"{input.shape[dim]} is not divisible by the split_size {wanted}!"
            )
        return tensor_split(input, wanted, dim)

    split_evenly.__name__, split_evenly.__doc__ = name, doc
    function(method=False)(split_evenly)
    _separately(split_evenly, alone=False)


_splitting("hsplit", 1, lambda x: min(x.ndim - 1, 1), "Views of pieces along dimension 1 (of a vector, along 0): a "
           "number of equal ones, or split before the given indices.")  # fmt: skip
_splitting("vsplit", 2, lambda _: 0, "Views of pieces along dimension 0: a number of equal ones, or split before the "
           "given indices.")  # fmt: skip
_splitting("dsplit", 3, lambda _: 2, "Views of pieces along dimension 2: a number of equal ones, or split before the "
           "given indices.")  # fmt: skip


@function()
def split_with_sizes(input: Tensor, split_sizes: Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """Views of consecutive pieces along ``dim``, of the sizes listed."""
    if isinstance(split_sizes, (int, np.integer)):
        raise TypeError("split_with_sizes(): argument 'split_sizes' must be tuple of ints, not int")
    return split(input, split_sizes, dim)


def _untied(pieces: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """The pieces, in the same memory, but written to without a thought of the others."""
    for piece in pieces:
        piece._view = piece._counter = None
    return tuple(pieces)


@function()
def unsafe_split(input: Tensor, split_size: int, dim: int = 0) -> tuple[Tensor, ...]:
    """`split` for callers who write to each piece and read ``input`` no more: writes are not tracked as views are."""
    return _untied(split(input, split_size, dim))


@function()
def unsafe_chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """`chunk` for callers who write to each piece and read ``input`` no more: writes are not tracked as views are."""
    return _untied(chunk(input, chunks, dim))


@function()
def unsafe_split_with_sizes(input: Tensor, split_sizes: Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """`split_with_sizes` for callers who write to each piece and read ``input`` no more: writes are not tracked."""
    return _untied(split_with_sizes(input, split_sizes, dim))


# --- Turning --------------------------------------------------------------------------------------------------------


@function()
def fliplr(input: Tensor) -> Tensor:
    """The order of columns reversed; a copy. ``input`` has at least two dimensions."""
    if input.ndim < 2:
        raise RuntimeError(f"fliplr: input must be >= 2-d, but has shape {list(input.shape)}.")
    return apply(flip, (input, (1,)), {})


@function()
def flipud(input: Tensor) -> Tensor:
    """The order of rows reversed; a copy. ``input`` has at least one dimension."""
    if input.ndim < 1:
        raise RuntimeError("flipud: input must be >= 1-d, but is 0-d.")
    return apply(flip, (input, (0,)), {})


@function()
def rot90(input: Tensor, k: int = 1, dims: Sequence[int] = (0, 1)) -> Tensor:
    """Turned by ``k`` times 90 degrees in the plane of ``dims``, from the first towards the second; a copy.

    Raises:
        RuntimeError: fewer than two dimensions, or not two different ``dims``.

    >>> import autograd
    >>> autograd.rot90(autograd.tensor([[1, 2], [3, 4]]))
    tensor([[2, 4],
            [1, 3]])
    """
    if len(dims) != 2:
        raise RuntimeError(f"rot90: expected total rotation dims == 2, but got dims = {list(dims)}")
    if input.ndim < 2:
        raise RuntimeError(f"rot90: expected total dims >= 2, but got an input of shape {list(input.shape)}")
    first, second = (check_dim("rot90", dim, input.ndim) for dim in dims)
    if first == second:
        raise RuntimeError(f"rot90: expected rotation dims to be different, but got {list(dims)}")
    if k % 4 == 0:
        return input.clone()
    if k % 4 == 2:
        return apply(flip, (input, (first, second)), {})
    turned = apply(flip, (input, (second if k % 4 == 1 else first,)), {})
    return apply(transpose, (turned, first, second), {})


# --- Repeating ------------------------------------------------------------------------------------------------------


@function(method=False)
def tile(input: Tensor, dims: Sequence[int]) -> Tensor:
    """The tensor copied ``dims[i]`` times along each dimension; the shorter of shape and ``dims`` gets ones in front.

    >>> import autograd
    >>> autograd.tile(autograd.tensor([1, 2]), (2, 2))
    tensor([[1, 2, 1, 2],
            [1, 2, 1, 2]])
    """
    if not isinstance(dims, (tuple, list)):
        raise TypeError(f"tile(): argument 'dims' must be tuple of ints, not {type(dims).__name__}")
    for n in dims:
        if not isinstance(n, (int, np.integer)) or isinstance(n, bool):
            raise TypeError(f"tile(): argument 'dims' must be tuple of ints, but found {type(n).__name__}")
    copies = (1,) * (input.ndim - len(dims)) + tuple(dims)
    return apply(TABLE["repeat"], (input, copies), {})


_separately(tile, alone=True)


@function()
def repeat_interleave(
    input: Any = None, repeats: Any = None, dim: int | None = None, *, output_size: int | None = None
) -> Tensor:
    """Each slice along ``dim`` (each element without ``dim``) repeated so often, copies beside one another.

    Args:
        input: any shape. Alone, it holds the numbers of repeats, and the result is the places: 0 so often, then 1 ...
        repeats: a number, or an int32 or int64 tensor with a number for each slice.
        dim: the dimension along which slices repeat; without it ``input`` is flattened.
        output_size: the result's size along ``dim``, checked.

    Raises:
        RuntimeError: negative repeats, another number of them than slices, or another ``output_size``.

    >>> import autograd
    >>> autograd.repeat_interleave(autograd.tensor([5, 6]), autograd.tensor([1, 2]))
    tensor([5, 6, 6])
    """
    if input is None:
        input, repeats = repeats, None
    check_tensor("repeat_interleave", "input", input)
    if repeats is None:
        places = _places_of_repeats(input, input.numel(), output_size)
        return tensor_of(places.astype(input._array.dtype))
    if not isinstance(repeats, (Tensor, int, np.integer)) or isinstance(repeats, bool):
        raise TypeError(f"repeat_interleave(): argument 'repeats' must be int or Tensor, not {type(repeats).__name__}")
    if dim is None:
        input, dim = apply(reshape, (input, (-1,)), {}), 0
    at = check_dim("repeat_interleave", dim, input.ndim)
    n = input.shape[at] if input.ndim else 1
    if not isinstance(repeats, Tensor):
        repeats = tensor_of(np.asarray(repeats, np.int64))
    elif repeats.ndim > 1:
        raise RuntimeError(f"repeat_interleave: repeats must be 0-d or 1-d, but got shape {list(repeats.shape)}")
    elif repeats.ndim and repeats.numel() not in (1, n):
        raise RuntimeError(
            f"repeat_interleave: repeats must have the same size as input along dim, but got {repeats.numel()} repeats "
            f"for input {list(input.shape)} at dimension {at}"
        )
    places = _places_of_repeats(apply(expand, (repeats.reshape(-1), (n,)), {}), n, output_size)
    return apply(select_indices, (_to_1d(input), at, places), {})


def _places_of_repeats(repeats: Tensor, n: int, output_size: int | None) -> np.ndarray:
    if repeats.ndim != 1:
        raise RuntimeError(f"repeat_interleave only accepts a 1-d tensor of repeats, but got {list(repeats.shape)}")
    counts = repeats._array
    if counts.dtype not in (np.int32, np.int64):
        raise NotImplementedError(
            f"\"repeat_interleave\" not implemented for repeats of '{repeats.dtype}'; use .long()"
        )
    if counts.size and counts.min() < 0:
        raise RuntimeError(f"repeat_interleave: repeats must be non-negative, but got {counts.min()}")
    if output_size is not None and counts.sum() != output_size:
        raise RuntimeError(f"repeat_interleave: output_size is {output_size}, but the repeats add up to {counts.sum()}")
    return np.repeat(np.arange(n), counts)


# --- Diagonals ------------------------------------------------------------------------------------------------------


@function()
def diag(input: Tensor, diagonal: int = 0) -> Tensor:
    """The diagonal of a matrix as a vector, or a matrix with a vector on its diagonal; copies.

    Raises:
        RuntimeError: neither a vector nor a matrix.

    >>> import autograd
    >>> autograd.diag(autograd.tensor([1, 2]))
    tensor([[1, 0],
            [0, 2]])
    """
    if input.ndim == 1:
        return diag_embed(input, diagonal)
    if input.ndim != 2:
        raise RuntimeError(f"diag(): supports 1-d and 2-d tensors, but got shape {list(input.shape)}")
    return apply(TABLE["diagonal"], (input, diagonal), {}).clone()


@function()
def diag_embed(input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Matrices that have the last dimension of ``input`` on a diagonal, and zeros elsewhere.

    Args:
        input: shape (\\*, n).
        offset: which diagonal: 0 the main one, positive above, negative below it.
        dim1: where in the result the rows are; with n + abs(offset) rows and columns.
        dim2: where the columns are.

    >>> import autograd
    >>> autograd.diag_embed(autograd.tensor([1, 2]), 1)
    tensor([[0, 1, 0],
            [0, 0, 2],
            [0, 0, 0]])
    """
    ndim = check_tensor("diag_embed", "input", input).ndim + 1
    first, second = check_dim("diag_embed", dim1, ndim), check_dim("diag_embed", dim2, ndim)
    if first == second:
        raise RuntimeError(f"diag_embed: diagonal dimensions cannot be identical {dim1}, {dim2}")
    check_dim("diag_embed", -1, input.ndim)
    if not input.ndim:
        raise IndexError("diag_embed: input must have at least 1 dimension, but is 0-d")
    size = input.shape[-1] + abs(offset)
    shape = list(input.shape[:-1])
    for dim in sorted((first, second)):
        shape.insert(dim, size)
    return apply(TABLE["diagonal_fill"], (input, tuple(shape), offset, first, second), {})


@inplace("fill_diagonal_")
def fill_diagonal_(self: Tensor, fill_value: Any, wrap: bool = False) -> Tensor:
    """Writes ``fill_value`` on the main diagonal: where all indices are equal.

    Args:
        fill_value: a number or a 0-d tensor.
        wrap: go on in a tall matrix, one row below the end of the diagonal.

    Raises:
        RuntimeError: fewer than two dimensions, or more than two of different sizes.
    """
    if self.ndim < 2:
        raise RuntimeError(f"fill_diagonal_: dimensions must be larger than 1, but the shape is {list(self.shape)}")
    if self.ndim > 2 and len(set(self.shape)) > 1:
        raise RuntimeError(f"fill_diagonal_: all dimensions of input must be of equal length, not {list(self.shape)}")
    chosen = np.zeros(self.shape, np.bool_)
    np.fill_diagonal(chosen, True, wrap)
    if isinstance(fill_value, Tensor) and fill_value.ndim:
        raise RuntimeError(f"fill_diagonal_ only supports a 0-dimensional value, but got {list(fill_value.shape)}")
    if not isinstance(fill_value, (Tensor, *NUMBERS)):
        raise TypeError(f"fill_diagonal_(): argument 'fill_value' must be Number, not {type(fill_value).__name__}")
    return masked_fill(self, tensor_of(chosen), fill_value)
