"""Sums of rows that are sent to given places: the gradient of picking rows, as an embedding does."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from . import jit, threads

__all__ = ["flat_places", "reduce_at", "scatter_add_rows"]

# Measured: one core adds half a million elements in the time that sharing the work takes to pay.
GRAIN = 1 << 19
# A narrower part of a row shares its cache lines with another thread's part.
NARROWEST = 64

LOOP_DTYPES = (np.dtype(np.float32), np.dtype(np.float64))
BINCOUNT_DTYPES = (np.dtype(np.float16), *LOOP_DTYPES)


@np.errstate(all="ignore")
def scatter_add_rows(target_shape: Sequence[int], indices: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """``out`` of zeros with ``out[indices[i]] += rows[i]`` for each ``i``; rows of one target are added in order.

    The order, and so the last bit of a sum, does not depend on the threads.

    Args:
        target_shape: (V, *row).
        indices: integers of any shape, from -V to V - 1; negative ones count from the end.
        rows: indices.shape + row.

    Raises:
        TypeError: the indices are not integers.
        ValueError: ``rows`` does not have the shape that the others lead to.
        IndexError: an index is out of range.

    >>> scatter_add_rows((3, 2), np.array([2, 0, 2]), np.array([[1., 2.], [3., 4.], [5., 6.]]))
    array([[3., 4.],
           [0., 0.],
           [6., 8.]])
    """
    shape = tuple(target_shape)
    if indices.dtype.kind not in "iu":
        raise TypeError(f"scatter_add_rows: indices must be integers, but got {indices.dtype}.")
    if not shape or rows.shape != indices.shape + shape[1:]:
        raise ValueError(
            f"scatter_add_rows: rows have shape {rows.shape}, but indices {indices.shape} into a target {shape} "
            f"expect {indices.shape + shape[1:]}."
        )
    width = prod(shape[1:])
    places = _places(indices.reshape(-1), shape[0])
    if rows.dtype in LOOP_DTYPES and jit.use_loops(rows.size):
        from .scatter_loops import add_row_parts

        out = np.zeros(shape, rows.dtype)
        arguments = (places, np.ascontiguousarray(rows).reshape(-1), out.reshape(-1), width)
        threads.run(add_row_parts, width, *arguments, grain=max(NARROWEST, GRAIN // max(places.size, 1)))
        return out
    if rows.dtype in BINCOUNT_DTYPES:
        elements = (places[:, None] * width + np.arange(width)).reshape(-1)
        sums = np.bincount(elements, weights=rows.reshape(-1), minlength=prod(shape))
        return sums.astype(rows.dtype, copy=False).reshape(shape)
    out = np.zeros(shape, rows.dtype)
    np.add.at(out, places, rows.reshape(places.size, *shape[1:]))
    return out


def _places(indices: np.ndarray, size: int) -> np.ndarray:
    """Contiguous int64 indices from 0 to ``size - 1``."""
    if indices.size == 0:
        return np.zeros(0, np.int64)
    low, high = int(indices.min()), int(indices.max())
    if low < -size or high >= size:
        raise IndexError(
            f"scatter_add_rows: index {low if low < -size else high} is out of range for a target of {size} rows."
        )
    places = np.ascontiguousarray(indices, np.int64)
    return np.where(places < 0, places + size, places) if low < 0 else places


REDUCERS = {"sum": np.add, "prod": np.multiply, "mean": np.add, "amax": np.maximum, "amin": np.minimum}


@np.errstate(all="ignore")
def reduce_at(
    x: np.ndarray, y: np.ndarray, dim: int, places: np.ndarray, reduce: str, include_self: bool
) -> np.ndarray:
    """A copy of ``x`` in which ``y[j, k]`` is combined into ``[places[j, k], k]`` (for ``dim=0``).

    Args:
        x: at least one dimension.
        y: as many; at least as large as ``places``.
        dim: the dimension along which ``places`` counts, from 0.
        places: integers from 0; no larger than ``x`` along the other dimensions.
        reduce: a key of `REDUCERS`. A mean of integers is rounded down.
        include_self: whether the elements of ``x`` take part where something is combined.

    >>> reduce_at(np.array([1, 8]), np.array([2, 6]), 0, np.array([0, 0]), "mean", True)
    array([3, 8])
    """
    flat = flat_places(x.shape, dim, places)
    given = y[tuple(slice(0, n) for n in places.shape)].reshape(-1)
    out = x.copy().reshape(-1)
    if not include_self:
        out[flat] = _neutral(reduce, x.dtype)
    REDUCERS[reduce].at(out, flat, given)
    if reduce == "mean":
        counts = np.maximum(np.bincount(flat, minlength=out.size) + include_self, 1)
        out = out // counts if x.dtype.kind in "iu" else out / counts
    return out.astype(x.dtype, copy=False).reshape(x.shape)


def flat_places(shape: Sequence[int], dim: int, places: np.ndarray) -> np.ndarray:
    """For each of ``places`` along ``dim`` the number of that element in an array of ``shape``, in one dimension.

    >>> flat_places((2, 3), 1, np.array([[2], [0]]))
    array([2, 3])
    """
    result, step = np.zeros((), np.int64), 1
    for d in reversed(range(len(shape))):
        grid = places if d == dim else np.arange(places.shape[d]).reshape(-1, *[1] * (len(shape) - 1 - d))
        result = result + grid * step
        step *= shape[d]
    return np.broadcast_to(result, places.shape).reshape(-1)


def _neutral(reduce: str, dtype: np.dtype) -> Any:
    """What changes nothing when it is combined."""
    if reduce in ("sum", "mean"):
        return 0
    if reduce == "prod":
        return 1
    if dtype.kind == "f":
        return -np.inf if reduce == "amax" else np.inf
    if dtype.kind == "b":
        return reduce == "amin"
    return np.iinfo(dtype).min if reduce == "amax" else np.iinfo(dtype).max
