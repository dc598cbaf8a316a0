"""Tensors put together from others, lists of indices, and memory with given strides."""

from __future__ import annotations

import itertools
import warnings
from typing import Any

import numpy as np

from .. import dtypes
from ..dtypes import default_dtype, to_numpy_dtype
from ..rows.public import TORCH, function
from ..tensor import Tensor, check_differentiable, wrap
from .convert import check_tensor
from .create import _dtype, creation, meshgrid

# --- Indices -------------------------------------------------------------------------------------------------------


def _triangle(name: str, upper: bool) -> None:
    def indices(row: int, col: int, offset: int = 0, *, dtype: Any = None) -> np.ndarray:
        for what, size in (("row", row), ("col", col)):
            if isinstance(size, (bool, np.bool_)) or not isinstance(size, (int, np.integer)):
                raise TypeError(f"{name}(): argument '{what}' must be int, not {type(size).__name__}")
            if size < 0:
                raise RuntimeError(f"{name}: {what} must be non-negative, got {size}")
        kind = _dtype(dtype, dtypes.int64.numpy)
        if kind not in (np.int32, np.int64):
            raise NotImplementedError(f"\"{name}\" not implemented for '{dtypes.from_numpy_dtype(kind)}'")
        find = np.triu_indices if upper else np.tril_indices
        return np.stack(find(row, offset, col)).astype(kind)

    indices.__name__ = name
    indices.__doc__ = (
        f"Row and column indices of the {'upper' if upper else 'lower'} triangle of a ``row`` x ``col`` matrix, of "
        f"shape ``(2, count)``, row by row; ``offset`` moves the diagonal up."
    )
    creation()(indices)


_triangle("tril_indices", upper=False)
_triangle("triu_indices", upper=True)


@function(method=False)
def unravel_index(indices: Tensor, shape: Any) -> tuple[Tensor, ...]:
    """Coordinates in an array of ``shape`` of positions in its flattened form: one tensor for each dimension.

    Args:
        indices: integers of any shape; they wrap around as PyTorch's do.
        shape: a tuple of ints or one int.

    Raises:
        TypeError: ``indices`` are no integers, or ``shape`` holds something else than ints.
        ValueError: a negative size.

    >>> import autograd
    >>> autograd.unravel_index(autograd.tensor([5, 7]), (3, 4))
    (tensor([1, 1]), tensor([1, 3]))
    """
    array = check_tensor("unravel_index", "indices", indices)._array
    if array.dtype.kind not in "iu":
        raise TypeError(f"unravel_index: expected 'indices' to be integer dtype, but got {indices.dtype}")
    if isinstance(shape, (int, np.integer)) and not isinstance(shape, bool):
        shape = (shape,)
    elif isinstance(shape, Tensor):
        shape = shape.tolist()
    elif not isinstance(shape, (list, tuple)):
        raise TypeError(f"unravel_index: expected 'shape' to be int or sequence of ints, but got {type(shape)}")
    for size in shape:
        if isinstance(size, bool) or not isinstance(size, (int, np.integer)):
            raise TypeError(f"unravel_index: expected 'shape' sequence to only contain ints, but got {type(size)}")
    if any(size < 0 for size in shape):
        raise ValueError(f"unravel_index: 'shape' cannot have negative values, but got {tuple(shape)}")
    if 0 in shape and array.size:
        raise RuntimeError(f"unravel_index: ZeroDivisionError: an array of shape {tuple(shape)} has no elements")
    coordinates = np.empty((*array.shape, len(shape)), np.int64)  # as in PyTorch, they lie side by side
    below = 1
    for place, size in reversed(list(enumerate(shape))):
        coordinates[..., place] = array.astype(np.int64) // max(below, 1) % max(size, 1)
        below *= size
    return tuple(wrap(coordinates[..., place]) for place in range(len(shape)))


# --- Combinations of tensors ---------------------------------------------------------------------------------------


@function(method=False)
def block_diag(*tensors: Tensor) -> Tensor:
    """A matrix with the given matrices, rows (1-D) and numbers (0-D) along its diagonal, and 0 elsewhere.

    Raises:
        TypeError: an argument that is no Tensor.
        RuntimeError: a tensor of more than two dimensions.

    >>> import autograd
    >>> autograd.block_diag(autograd.tensor([1, 2]), autograd.tensor([[3], [4]]))
    tensor([[1, 2, 0],
            [0, 0, 3],
            [0, 0, 4]])
    """
    blocks = []
    for position, each in enumerate(tensors):
        if not isinstance(each, Tensor):
            raise TypeError(f"block_diag(): expected Tensor as element {position}, but got {type(each).__name__}")
        if each.ndim > 2:
            raise RuntimeError(
                f"torch.block_diag: Input tensors must have 2 or fewer dimensions. Input {position} has "
                f"{each.ndim} dimensions"
            )
        blocks.append(each if each.ndim == 2 else each.reshape(1, -1))
    if not blocks:
        return wrap(np.zeros((1, 0), default_dtype.numpy))
    width, before, rows = sum(block.shape[1] for block in blocks), 0, []
    for block in blocks:
        height, here = block.shape
        left, right = block.new_zeros(height, before), block.new_zeros(height, width - before - here)
        rows.append(TORCH["cat"]((left, block, right), 1))
        before += here
    return TORCH["cat"](rows, 0)


def _vectors(operator: str, tensors: Any) -> None:
    for each in tensors:
        if check_tensor(operator, "tensors", each).ndim != 1:
            raise RuntimeError(f"{operator}: Expect a 1D vector, but got shape {list(each.shape)}")


@function(method=False)
def cartesian_prod(*tensors: Tensor) -> Tensor:
    """Every choice of one element from each 1-D tensor, a row each, the last tensor varying fastest.

    Of one tensor the tensor itself.

    Raises:
        RuntimeError: no tensors, tensors of different dtypes, or with more or fewer dimensions than one.

    >>> import autograd
    >>> autograd.cartesian_prod(autograd.tensor([1, 2]), autograd.tensor([3, 4]))
    tensor([[1, 3],
            [1, 4],
            [2, 3],
            [2, 4]])
    """
    if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)):
        tensors = tuple(tensors[0])
    _vectors("cartesian_prod", tensors)
    if len(tensors) == 1:
        return tensors[0]
    return TORCH["stack"]([grid.flatten() for grid in meshgrid(*tensors, indexing="ij")], 1)


@function(method=False)
def combinations(input: Tensor, r: int = 2, with_replacement: bool = False) -> Tensor:
    """The choices of ``r`` elements of a 1-D tensor, in order, a row each; ``with_replacement`` also repeated ones.

    Raises:
        RuntimeError: ``input`` is not 1-D, or ``r`` negative.

    >>> import autograd
    >>> autograd.combinations(autograd.tensor([1, 2, 3]))
    tensor([[1, 2],
            [1, 3],
            [2, 3]])
    """
    _vectors("combinations", (input,))
    if isinstance(r, bool) or not isinstance(r, (int, np.integer)):
        raise TypeError(f"combinations(): argument 'r' must be int, not {type(r).__name__}")
    if r < 0:
        raise RuntimeError(f"combinations: Expect a non-negative number, but got {r}")
    if r == 0:
        return wrap(np.empty(0, input._array.dtype))
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    chosen = np.array(list(choose(range(input.numel()), int(r))), np.int64).reshape(-1, int(r))
    return input[wrap(chosen)]


@function()
def diagflat(input: Tensor, offset: int = 0) -> Tensor:
    """A square matrix with the elements of ``input``, flattened, on a diagonal; ``offset`` moves it up.

    >>> import autograd
    >>> autograd.diagflat(autograd.tensor([1, 2]))
    tensor([[1, 0],
            [0, 2]])
    """
    return check_tensor("diagflat", "input", input).reshape(-1).diag(offset)


@function(method=False)
def vander(x: Tensor, N: int | None = None, increasing: bool = False) -> Tensor:
    """The Vandermonde matrix of a vector: in row ``i`` the powers of ``x[i]``, the highest first.

    Args:
        x: 1-D.
        N: number of columns; as many as rows by default.
        increasing: the lowest power first.

    Raises:
        RuntimeError: ``x`` is not 1-D, or ``N`` negative.

    >>> import autograd
    >>> autograd.vander(autograd.tensor([2, 3]), 3)
    tensor([[4, 2, 1],
            [9, 3, 1]])
    """
    if check_tensor("vander", "x", x).ndim != 1:
        raise RuntimeError(f"vander: x must be a one-dimensional tensor, but got shape {list(x.shape)}")
    count = x.numel() if N is None else int(N)
    if count < 0:
        raise RuntimeError(f"vander: N must be non-negative, but got {N}")
    if x._array.dtype.kind in "biu":
        x = x.to(dtypes.int64)
    if count == 0:
        return x.new_empty(x.numel(), 0)
    powers = [x.new_ones(x.numel())]
    while len(powers) < count:
        powers.append(powers[-1] * x if len(powers) > 1 else x)
    return TORCH["stack"](powers if increasing else powers[::-1], 1)


# --- Memory --------------------------------------------------------------------------------------------------------


def _strided(operator: str, size: Any, stride: Any, kind: np.dtype) -> np.ndarray:
    for name, values in (("size", size), ("stride", stride)):
        if not isinstance(values, (list, tuple)):
            raise TypeError(f"{operator}(): argument '{name}' must be tuple of ints, not {type(values).__name__}")
        for value in values:
            if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
                raise TypeError(f"{operator}(): argument '{name}' must be tuple of ints, not {type(value).__name__}")
    if len(size) != len(stride):
        raise RuntimeError(
            f"{operator}: dimensionality of sizes ({len(size)}) must match dimensionality of strides ({len(stride)})"
        )
    if any(n < 0 for n in size):
        raise RuntimeError(f"{operator}: trying to create tensor with negative dimension: {list(size)}")
    if any(step < 0 for step in stride):
        raise RuntimeError(f"{operator}: strides must be non-negative, but got {list(stride)}")
    needed = 0 if 0 in size else 1 + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    memory = np.empty(needed, kind)
    return np.ndarray(tuple(size), kind, memory, strides=[step * kind.itemsize for step in stride])


@creation()
def empty_strided(size: Any, stride: Any, *, dtype: Any = None) -> np.ndarray:
    """Uninitialized memory seen with the given sizes and strides, which count elements.

    Raises:
        RuntimeError: as many strides as sizes are needed, and none may be negative.

    >>> import autograd
    >>> autograd.empty_strided((2, 3), (1, 2)).stride()
    (1, 2)
    """
    return _strided("empty_strided", size, stride, _dtype(dtype, default_dtype.numpy))


@creation(method=True)
def new_empty_strided(self: Tensor, size: Any, stride: Any, *, dtype: Any = None) -> np.ndarray:
    """Uninitialized memory of this tensor's dtype, seen with the given sizes and strides."""
    return _strided("new_empty_strided", size, stride, _dtype(dtype, self._array.dtype))


@creation()
def empty_permuted(size: Any, physical_layout: Any, *, dtype: Any = None) -> np.ndarray:
    """Uninitialized memory without gaps, its dimensions in memory in the order of ``physical_layout``.

    Raises:
        RuntimeError: ``physical_layout`` is no permutation of the dimensions.

    >>> import autograd
    >>> autograd.empty_permuted((2, 3, 4), (2, 0, 1)).stride()
    (3, 1, 6)
    """
    if sorted(physical_layout) != list(range(len(size))):
        raise RuntimeError(
            f"empty_permuted: physical_layout must be a permutation of {list(range(len(size)))}, the dimensions of "
            f"size {list(size)}, but got {list(physical_layout)}"
        )
    if any(n < 0 for n in size):
        raise RuntimeError(f"empty_permuted: trying to create tensor with negative dimension: {list(size)}")
    memory = np.empty([size[dim] for dim in physical_layout], _dtype(dtype, default_dtype.numpy))
    return memory.transpose(np.argsort(physical_layout))


@function(method=False)
def frombuffer(buffer: Any, *, dtype: Any, count: int = -1, offset: int = 0, requires_grad: bool = False) -> Tensor:
    """A 1-D tensor that shares the memory of an object with Python's buffer protocol, such as a bytearray.

    Args:
        dtype: what the bytes are read as.
        count: number of elements; all by default.
        offset: bytes to skip.

    Raises:
        ValueError: no buffer, an empty one, or one that does not hold that many elements.

    >>> import autograd
    >>> autograd.frombuffer(bytearray([1, 2, 3]), dtype=autograd.uint8)
    tensor([1, 2, 3], dtype=torch.uint8)
    """
    kind = to_numpy_dtype(dtype)
    try:
        memory = memoryview(buffer)
    except TypeError:
        raise ValueError(f"frombuffer: {type(buffer).__name__} does not implement Python buffer protocol.") from None
    length, item = memory.nbytes, kind.itemsize
    if length == 0 or count == 0:
        raise ValueError(f"frombuffer: both buffer length ({length}) and count ({count}) must not be 0")
    if not 0 <= offset < length:
        raise ValueError(
            f"frombuffer: offset ({offset} bytes) must be non-negative and no greater than buffer length ({length} "
            "bytes) minus 1"
        )
    if count < 0 and (length - offset) % item:
        raise ValueError(
            f"frombuffer: buffer length ({length - offset} bytes) after offset ({offset} bytes) must be a multiple of "
            f"element size ({item})"
        )
    if count > 0 and offset + count * item > length:
        raise ValueError(
            f"frombuffer: requested buffer length ({count} * {item} bytes) after offset ({offset} bytes) must not be "
            f"greater than actual buffer length ({length} bytes)"
        )
    if memory.readonly:
        warnings.warn(
            "The given buffer is not writable, and writing to the tensor will be refused. Copy it into a bytearray "
            "first if you want to write to it.",
            UserWarning,
            stacklevel=3,
        )
    if requires_grad:
        check_differentiable(kind)
    return wrap(np.frombuffer(buffer, kind, max(count, -1), offset)).requires_grad_(requires_grad)


__all__ = [
    "block_diag",
    "cartesian_prod",
    "combinations",
    "diagflat",
    "empty_permuted",
    "empty_strided",
    "frombuffer",
    "new_empty_strided",
    "unravel_index",
    "vander",
]
