"""How arrays lie in memory."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["is_channels_last", "is_dense", "is_same_place", "is_spread", "meets_itself", "memory_and_start"]


def is_spread(array: np.ndarray) -> bool:
    """Whether several elements share one place in memory."""
    steps = zip(array.shape, array.strides, strict=True)
    return array.size > 0 and 0 in array.strides and any(n > 1 and not step for n, step in steps)


def meets_itself(array: np.ndarray) -> bool:
    """Whether elements may share a place in memory, as those of sliding windows do."""
    if array.flags.c_contiguous:
        return False
    reach = array.itemsize
    for step, n in sorted((step, n) for step, n in zip(array.strides, array.shape, strict=True) if n > 1):
        if step < reach:
            return True
        reach += step * (n - 1)
    return False


def is_dense(array: np.ndarray) -> bool:
    """Whether the elements fill a stretch of memory, each place once, in whatever order of the dimensions."""
    if array.flags.c_contiguous:
        return True
    expected = array.itemsize
    for step, n in sorted((step, n) for step, n in zip(array.strides, array.shape, strict=True) if n != 1):
        if step != expected:
            return False
        expected *= n
    return True


def is_same_place(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two arrays have the same elements in the same memory."""
    return a.shape == b.shape and a.strides == b.strides and a.ctypes.data == b.ctypes.data


def is_channels_last(array: np.ndarray) -> bool:
    """Whether an array of images lies in memory with the channels, dimension 1, as the innermost one."""
    return array.ndim in (4, 5) and not array.flags.c_contiguous and np.moveaxis(array, 1, -1).flags.c_contiguous


def memory_and_start(array: np.ndarray) -> tuple[np.ndarray, int]:
    """All memory that ``array`` is a part of, in one dimension, and the number of the element at which it starts.

    >>> memory, start = memory_and_start(np.arange(6).reshape(2, 3)[1:, ::2])
    >>> memory, start
    (array([0, 1, 2, 3, 4, 5]), 3)
    """
    root: Any = array
    below = root
    while (below := getattr(below, "base", None)) is not None:
        root = below if isinstance(below, np.ndarray) else root
    item = array.itemsize
    if root.flags.c_contiguous:
        flat = root.reshape(-1)
    else:
        extent = sum((n - 1) * step for n, step in zip(root.shape, root.strides, strict=True)) // root.itemsize + 1
        flat = np.lib.stride_tricks.as_strided(root, (extent if root.size else 0,), (root.itemsize,))
    if flat.dtype != array.dtype:
        flat = flat.view(np.uint8)[: flat.nbytes // item * item].view(array.dtype)
    return flat, (array.ctypes.data - flat.ctypes.data) // item if array.size else 0
