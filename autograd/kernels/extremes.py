"""The largest and the smallest elements along dimensions."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from . import jit
from .along import Along

__all__ = ["largest", "smallest"]

# So many results are worth a compiled walk, if what lies behind the dimensions is narrow. Measured for float32, one
# thread, with NumPy and with a walk: 8192 x 128 along its rows 590 and 120 us, along its columns 275 and 115; 256 x 128
# along its rows 19 and 11; but 1024 x 1024 along its columns 97 and 200.
MANY = NARROW = 128


def _largest(x: Any) -> Any:
    spoiled = total(_.where(x == x, 0.0, x))  # type: ignore[name-defined]  # noqa: F821 (the reading's)
    return _.where(spoiled == spoiled, highest(x), spoiled)  # type: ignore[name-defined]  # noqa: F821


def _smallest(x: Any) -> Any:
    spoiled = total(_.where(x == x, 0.0, x))  # type: ignore[name-defined]  # noqa: F821
    return _.where(spoiled == spoiled, -highest(-x), spoiled)  # type: ignore[name-defined]  # noqa: F821


_walks: dict[Any, Along] = {np.maximum: Along(_largest), np.minimum: Along(_smallest)}


def largest(x: np.ndarray, axes: tuple[int, ...], keepdims: bool) -> np.ndarray:
    """The largest element over the dimensions ``axes``; NaN, if one is NaN.

    >>> largest(np.array([[3, 1], [2, 4]]), (1,), False)
    array([3, 4])
    """
    return _extreme(np.maximum, x, axes, keepdims)


def smallest(x: np.ndarray, axes: tuple[int, ...], keepdims: bool) -> np.ndarray:
    """The smallest element over the dimensions ``axes``; NaN, if one is NaN."""
    return _extreme(np.minimum, x, axes, keepdims)


def _extreme(way: np.ufunc, x: np.ndarray, axes: tuple[int, ...], keepdims: bool) -> np.ndarray:
    if x.size >= MANY and axes and x.dtype.char in "fd" and jit.use_loops(x.size):
        last = max(axes)
        length, width = prod([x.shape[axis] for axis in axes]), prod(x.shape[last + 1 :])
        if last - min(axes) == len(axes) - 1 and x.size >= MANY * length and width <= NARROW:
            result = _walks[way](axes, x)
            return result if keepdims else result.reshape([n for axis, n in enumerate(x.shape) if axis not in axes])
    return way.reduce(x, axis=axes, keepdims=keepdims)
