"""Running sums, products, maxima and minima along one dimension."""

from __future__ import annotations

from math import prod

import numpy as np

from . import jit, threads
from .contiguous import contiguous

__all__ = ["accumulate", "running_extremes"]

LOOP_DTYPES = (np.dtype(np.float32), np.dtype(np.float64))
# Measured: one core scans so many elements in the time that sharing the work takes to pay.
GRAIN = 1 << 16
# Floats accumulate in the next wider type, as in PyTorch, and are rounded once.
WIDER: dict[np.dtype, np.dtype] = {
    np.dtype(np.float16): np.dtype(np.float32),
    np.dtype(np.float32): np.dtype(np.float64),
}


def _has_loops(x: np.ndarray) -> bool:
    return x.dtype in LOOP_DTYPES and jit.use_loops(x.size)


def _steps(x: np.ndarray, axis: int) -> tuple[int, int, int]:
    """Number of runs, elements of each along ``axis``, and what lies behind each of these in memory."""
    return prod(x.shape[:axis]), x.shape[axis], prod(x.shape[axis + 1 :])


def accumulate(ufunc: np.ufunc, x: np.ndarray, axis: int) -> np.ndarray:
    """Running sums (`np.add`) or products (`np.multiply`), in ``x``'s dtype.

    >>> accumulate(np.add, np.array([[1, 2], [3, 4]]), 0)
    array([[1, 2],
           [4, 6]])
    """
    if not _has_loops(x):
        wide = x.astype(WIDER.get(x.dtype, x.dtype))
        return ufunc.accumulate(wide, axis=axis, out=wide).astype(x.dtype, copy=False)
    from .scans_loops import accumulate_runs

    x = contiguous(x)
    out = np.empty_like(x)
    runs, length, width = _steps(x, axis)
    grain = max(1, GRAIN // (length * width))
    threads.run(accumulate_runs, runs, x.reshape(-1), out.reshape(-1), length, width, ufunc is np.multiply, grain=grain)
    return out


def running_extremes(x: np.ndarray, axis: int, largest: bool) -> tuple[np.ndarray, np.ndarray]:
    """The largest (or smallest) elements so far and their places along ``axis``: of equal ones the last, and NaN for
    good.

    >>> running_extremes(np.array([1, 3, 2, 3]), 0, True)
    (array([1, 3, 3, 3]), array([0, 1, 1, 3]))
    """
    if not _has_loops(x):
        # An element that equals the extreme so far takes over, and so does NaN.
        ufunc = np.maximum if largest else np.minimum
        leads = (x == ufunc.accumulate(x, axis=axis)) | (x != x)
        steps = np.arange(x.shape[axis]).reshape([-1 if d == axis else 1 for d in range(x.ndim)])
        places = np.maximum.accumulate(np.where(leads, steps, 0), axis=axis)
        return np.take_along_axis(x, places, axis), places
    from .scans_loops import extreme_runs

    x = contiguous(x)
    values, places = np.empty_like(x), np.empty(x.shape, np.int64)
    runs, length, width = _steps(x, axis)
    grain = max(1, GRAIN // (length * width))
    arrays = (x.reshape(-1), values.reshape(-1), places.reshape(-1))
    threads.run(extreme_runs, runs, *arrays, length, width, largest, grain=grain)
    return values, places
