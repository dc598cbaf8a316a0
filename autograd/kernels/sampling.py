"""From uniform numbers and words to draws: the arithmetic of ``streams``, which holds the random state."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from .halves import FLOATING, finfo, is_half
from .layout import is_spread

__all__ = [
    "affine",
    "between",
    "bounds",
    "box_muller",
    "fused",
    "in_memory_order",
    "largest",
    "leaders",
    "representable",
    "rounded",
    "slots",
    "swapped",
]

# Above this length the swaps of a permutation are worth importing LAPACK for.
LAPACK_PERMUTATION = 100_000


def rounded(x: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """``x`` in the dtype; to one of 16 bits in two steps, by way of float32, as PyTorch goes."""
    with np.errstate(over="ignore"):
        return (x.astype(np.float32) if is_half(dtype) else x).astype(dtype, copy=False)


def between(unit: np.ndarray, low: float, high: float) -> np.ndarray:
    """``unit * (high - low) + low`` rounded once, in the precision of ``unit``."""
    if unit.dtype == np.float64:
        return fused(unit, high - low, low)
    width = float(np.float32(high) - np.float32(low))
    # 24 by 24 bits are exact in float64.
    return (unit.astype(np.float64) * width + float(np.float32(low))).astype(np.float32)


def fused(x: np.ndarray, factor: float, offset: float) -> np.ndarray:
    """``x * factor + offset`` in float64 rounded once: PyTorch's compiled loops use fused multiply-add."""
    if not np.isfinite(factor) or not np.isfinite(offset):
        return x * factor + offset
    # Dekker's product, x * factor == product + error; a factor in [1/2, 1) cannot overflow.
    factor, exponent = math.frexp(factor)
    splitter = float((1 << 27) + 1)
    factor_head = splitter * factor - (splitter * factor - factor)
    head = splitter * x - (splitter * x - x)
    tail, factor_tail = x - head, factor - factor_head
    product = x * factor
    error = ((head * factor_head - product) + head * factor_tail + tail * factor_head) + tail * factor_tail
    product, error = np.ldexp(product, exponent), np.ldexp(error, exponent)
    # Knuth's sum, product + offset == total + lost.
    total = product + offset
    kept = total - offset
    return total + (((product - kept) + (offset - (total - kept))) + error)


def affine(z: np.ndarray, factor: float, offset: float) -> np.ndarray:
    """``z * factor + offset`` in the precision of ``z``: rounded once in float64, twice in float32."""
    if z.dtype == np.float64:
        return fused(z, factor, offset)
    z *= z.dtype.type(factor)
    z += z.dtype.type(offset)
    return z


def box_muller(u: np.ndarray) -> np.ndarray:
    """Turns each 16 uniforms into 16 normals in place; what follows the last 16 stays."""
    blocks = u[: u.size // 16 * 16].reshape(-1, 16)
    radius = np.log(1 - blocks[:, :8])
    radius *= -2
    np.sqrt(radius, out=radius)
    angle = blocks[:, 8:] * u.dtype.type(2 * math.pi)
    np.multiply(radius, np.cos(angle), out=blocks[:, :8])
    np.multiply(radius, np.sin(angle), out=blocks[:, 8:])
    return u


def in_memory_order(like: np.ndarray, draw: Callable[..., np.ndarray], *others: np.ndarray) -> np.ndarray:
    """``draw(shape, *others)`` for an array of ``like``'s shape, drawn in the order in which ``like`` lies in memory.

    So PyTorch fills a transposed tensor. Where elements share memory the order is the logical one.

    Args:
        like: an array of any strides.
        draw: gets the sizes of the dimensions, and the other arrays, in that order.
        others: arrays of ``like``'s shape.
    """
    if like.flags.c_contiguous or is_spread(like):
        return draw(like.shape, *others)
    order = sorted(range(like.ndim), key=lambda axis: -like.strides[axis] if like.shape[axis] > 1 else 0)
    values = draw(tuple(like.shape[axis] for axis in order), *(other.transpose(order) for other in others))
    return values.transpose(np.argsort(order))


def largest(dtype: np.dtype) -> int:
    """Largest integer up to which the dtype holds all."""
    if dtype.kind in FLOATING:
        return 1 << (finfo(dtype).nmant + 1)
    return 1 if dtype.kind == "b" else int(np.iinfo(dtype).max)


def bounds(dtype: np.dtype) -> tuple[int, int]:
    """Smallest and largest number of the dtype that is also an int64 (or a uint64)."""
    if dtype.kind in FLOATING:
        last = int(float(finfo(dtype).max))
        return max(-last, -(1 << 63)), min(last, (1 << 63) - 1)
    last = largest(dtype)
    return (0 if dtype.kind in "ub" else -last - 1), last


def representable(low: int, high: int, dtype: np.dtype) -> tuple[int, int]:
    """The bounds moved inward by a step of the dtype where rounding could leave the range."""
    digits = finfo(dtype).nmant + 1
    first, last = int(dtype.type(low + 1)), int(dtype.type(high - 1))
    if first < low:
        low = first + (1 << max(abs(low + 1).bit_length() - digits, 0))
    if last >= high:
        high = last - (1 << max(abs(high - 1).bit_length() - digits, 0))
    return low, high


def swapped(n: int, partners: np.ndarray) -> np.ndarray:
    """``arange(n)`` after swapping element i with element ``partners[i]``, for i in order."""
    if LAPACK_PERMUTATION < n < 1 << 31:
        from scipy.linalg.lapack import dlaswp

        # Row interchanges are the same loop in C (float64 holds indices exactly): 3, not 370 ms per million.
        column = np.arange(n, dtype=np.float64).reshape(-1, 1)
        return dlaswp(column, partners.astype(np.int32), overwrite_a=1)[:, 0]
    order = list(range(n))
    for i, j in enumerate(partners.tolist()):
        order[i], order[j] = order[j], order[i]
    return np.array(order, np.int64)


def slots(weights: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Where each row's points of [0, 1) fall among its running shares, which end in 1."""
    precision = np.float64 if weights.dtype == np.float64 else np.float32
    edges: np.ndarray = np.cumsum(weights, axis=1, dtype=precision)
    edges = np.divide(edges, edges[:, -1:])
    edges[:, -1] = 1
    found = np.empty(points.shape, np.int64)
    for row, (shares, values) in enumerate(zip(edges, points, strict=True)):
        found[row] = np.searchsorted(shares, values)
    return found


def leaders(scores: np.ndarray, count: int) -> np.ndarray:
    """Indices of each row's ``count`` largest scores, largest first and earlier ones first among equals."""
    if not scores.size:
        return np.empty((len(scores), count), np.int64)
    if count == 1:
        return scores.argmax(axis=1, keepdims=True)
    return np.argsort(-scores, axis=1, kind="stable")[:, :count].copy()
