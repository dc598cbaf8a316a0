"""Copies of arrays in the order of their dimensions, where they lie in memory in another one.

NumPy writes row by row, and reads one number of each line of the cache at a time: for 1024 x 1024 transposed float32,
all of whose rows begin in the same few lines of the cache, that takes 3.4 ms. Squares of registers take 0.35 (measured,
one thread), as each line is read and written as a whole.
"""

from __future__ import annotations

from functools import lru_cache
from math import prod

import numpy as np

from . import jit, threads
from .memory import LINE, address_of

__all__ = ["contiguous", "copied"]

GRAIN = 16384  # elements worth a thread
CHUNK, BAND = 256, 4 * LINE  # numbers in a row, and bytes of a column, that a work item turns at least
OUTER = 3  # dimensions beside the two that are turned
ZEROS = {4: np.float32(0), 8: np.float64(0)}  # by whose type squares of registers are made, whatever the bits mean


def contiguous(array: np.ndarray, dtype: np.dtype | None = None) -> np.ndarray:
    """The array, or a copy of it if it is not C-contiguous, or not of ``dtype``.

    >>> contiguous(np.arange(6).reshape(2, 3).T).strides
    (16, 8)
    """
    if dtype is not None and array.dtype != dtype:
        return array.astype(dtype, order="C")
    return array if array.flags.c_contiguous else copied(array)


def copied(array: np.ndarray) -> np.ndarray:
    """A copy of the array in the order of its dimensions."""
    if jit.use_loops(array.size) and array.itemsize in ZEROS and array.dtype.kind in "fiuc" and array.flags.aligned:
        walk = _walk(array.shape, array.strides, array.itemsize)
        if walk is not None:
            return _turned(array, *walk)
    return array.copy(order="C")


def _turned(array: np.ndarray, items: int, steps: np.ndarray) -> np.ndarray:
    from .contiguous_loops import turn_planes

    out = np.empty(array.shape, array.dtype)
    size, grain = array.itemsize, max(1, GRAIN * items // array.size)
    threads.run(turn_planes, items, ZEROS[size], size, address_of(array), address_of(out), steps, grain=grain)
    return out


@lru_cache(256)
def _walk(shape: tuple[int, ...], strides: tuple[int, ...], size: int) -> tuple[int, np.ndarray] | None:
    """Work items and what `turn_planes` is told, if the array consists of matrices of many rows and columns, which lie
    in memory column by column."""
    from .loops import coalesced

    dims, (steps,) = coalesced(shape, [strides])
    if size not in steps[:-1]:
        return None
    inner, least = steps.index(size), LINE // size
    length, height = dims[inner], dims[-1]
    outer = [axis for axis in range(len(dims) - 1) if axis != inner]
    if len(outer) > OUTER or min(length, height) < least or steps[-1] == size:
        return None
    targets = [size]
    for n in reversed(dims[1:]):
        targets.insert(0, targets[0] * n)
    chunks, bands = max(1, length // CHUNK), max(1, height * size // BAND)
    missing = OUTER - len(outer)
    sizes = [1] * missing + [dims[axis] for axis in outer]
    of_planes = [[0] * missing + [each[axis] for axis in outer] for each in (steps, targets)]
    told = [length, height, chunks, bands, steps[-1], targets[inner], *sizes[1:], *of_planes[0], *of_planes[1]]
    return prod(sizes) * chunks * bands, np.array(told)
