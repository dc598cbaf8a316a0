"""Compiled loops of :mod:`autograd.kernels.attention`: blocks of scores that stay in the caches, one head after the
other.

A work item is one head, given by the addresses of its matrices and the bytes from row to row; the rows are in one
piece. Whatever is the second matrix of a product is packed once for the head, in panels as wide as a tile; the first
one is read where it lies. Blocks and tiles begin at multiples of a tile's height, for queries and keys alike, so that
those which see each other are known by where they begin.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import intp, njit, types, uint32, uint64
from numba.extending import overload

from . import math32, math64
from .addresses import run
from .compiled import compiled
from .gemm_loops import from_line, pack_columns
from .gemm_tile import multiply, tile_columns, tile_rows
from .memory import LINE
from .scalar import larger, plus, where, wide

__all__ = ["attend", "attend_back"]

OPTIONS: Any = {"error_model": "numpy", "fastmath": {"contract", "arcp", "nsz"}}
UNIT = 64  # loops along a row of scores take a multiple of so many elements: none is left that is not in a vector
BLOCK = 1 << 18  # bytes of a block of weights on the way there, whose rows are whole
QUERIES, KEYS = 96, 192  # of a block on the way back: multiples of the height of tiles, and of their width
# Rows a power of two apart would compete for the same place in the first-level cache.
APART = 16

inline = njit(**OPTIONS)


def fading(a):
    """e^-a for a >= 0; 0 where that is below all normal numbers, which alone are fast to compute with."""
    return np.exp(-a)


@overload(fading, jit_options={"forceinline": True})
def _typed_fading(a):
    library: Any = math32 if a == types.float32 else math64
    decay, real = library.decay, np.float32 if a == types.float32 else np.float64
    zero, last = real(0), real(np.floor(-np.log(np.finfo(real).smallest_normal)))
    return lambda a: where(a > last, zero, decay(a))


@inline
def up(count, unit):
    """The next multiple of ``unit``."""
    return (count + unit - 1) // unit * unit


@inline
def room(depth, width, like):
    """Place for a packed matrix, and for what is written and read beyond its end."""
    columns = tile_columns(like.dtype.type(0))
    return from_line(np.empty(up(width, columns) * depth + columns * columns + LINE // like.itemsize, like.dtype))


@inline
def product(a, a_row, a_column, b, depth, c, c_row, d, d_row, height, width, lowest, size):
    """``C = A @ B + D`` on one tile, where B is in a panel; nothing is added where D's address is 0."""
    panel = tile_columns(lowest) * size
    multiply(lowest, a, a_row, a_column, b, panel, depth, c, c_row, d or c, d_row, size, d, height, width)


@inline
def last_key(causal, query, keys):
    """How many keys the query and those before it see."""
    return min(query + 1, keys) if causal else keys


# Without `contract`: scores as large as the lowest number differ from each other in the way back, too, by exactly 0.
@njit(error_model="numpy", fastmath={"arcp", "nsz"})
def soften(row, seen, end, scale):
    """Makes ``seen`` > 0 scores weights, with zeros up to ``end``; the largest, and 1 over the sum of exponentials.

    Where all scores are -inf, all weights are zeros, and so are the two numbers.
    """
    wide()
    # Elements beyond are passed over here, not overwritten first: what is written in pieces is slow to read as vectors.
    count, zero, one = uint32(seen), row.dtype.type(0), row.dtype.type(1)
    first = top = row[0] * scale
    total = zero
    for j in range(uint64(end)):
        top = larger(top, where(uint32(j) < count, row[j] * scale, first))
    top = where(top == row.dtype.type(-np.inf), zero, top)
    for j in range(uint64(end)):
        weight = where(uint32(j) < count, fading(top - row[j] * scale), zero)
        row[j] = weight
        total = plus(total, weight)
    share = where(total == zero, zero, one / total)
    for j in range(uint64(end)):
        row[j] *= share
    return top, share


@njit(error_model="numpy", fastmath={"arcp", "nsz"})
def soften_back(row, gradients, seen, end, scale, top, share, mean):
    """Makes scores weights, and gradients of weights those of scores before they were scaled; zeros as in `soften`."""
    wide()
    count, zero = uint32(seen), row.dtype.type(0)
    for j in range(uint64(end)):
        weight = where(uint32(j) < count, fading(top - row[j] * scale) * share, zero)
        row[j] = weight
        gradients[j] = where(uint32(j) < count, weight * (gradients[j] - mean) * scale, zero)


@njit(error_model="numpy", fastmath={"contract", "reassoc", "nsz"})
def multiply_rows(a, a_row, b, b_row, width, products):
    """The product of each row of one matrix with the same row of another."""
    wide()
    for i in range(len(products)):
        left = run(a + i * a_row, width, products.dtype)
        right = run(b + i * b_row, width, products.dtype)
        total = products.dtype.type(0)
        for j in range(uint64(width)):
            total += left[j] * right[j]
        products[i] = total


@inline
def pack(matrix, row, column, depth, width, panels):
    """Brings a matrix into panels, whose address it returns."""
    start = intp(panels.ctypes.data)
    pack_columns(panels.dtype.type(0), panels.itemsize, matrix, row, column, depth, width, start)
    return start


@compiled(**OPTIONS)
def attend(start, stop, places, steps, tops, shares, keys, width, v_width, scale, causal):
    """Heads ``start..stop`` of ``softmax(Q K^T scale) V``.

    Args:
        places: (heads, 5), addresses of Q, K, V, what is added to the scores before they are scaled (or 0), and the
            result.
        steps: (5,), bytes from row to row of each.
        tops: (heads, queries), to be filled: each query's largest score.
        shares: (heads, queries), to be filled: 1 over the sum of each query's exponentials.
        keys: number of keys.
        width: of Q and K.
        v_width: of V and the result.
    """
    k_panels, v_panels = room(width, keys, tops), room(keys, v_width, tops)
    length, high = up(keys, UNIT) + APART, tile_rows(scale)
    rows = min(max(BLOCK // (length * tops.itemsize) // high, 1) * high, up(tops.shape[1], high))
    weights = np.empty((rows, length), tops.dtype)
    for head in range(start, stop):
        # Scratches are arguments: of a variable whose address alone is used numba frees the memory.
        attend_head(
            places[head], steps, tops[head], shares[head], keys, width, v_width, scale, causal,
            k_panels, v_panels, weights,
        )  # fmt: skip


@inline
def attend_head(places, steps, tops, shares, keys, width, v_width, scale, causal, k_panels, v_panels, weights):
    """`attend` for one head."""
    queries, size, lowest = len(tops), tops.itemsize, type(scale)(-np.inf)
    high, wide = tile_rows(scale), tile_columns(scale)
    q, k, v, bias, out = places
    q_step, k_step, v_step, bias_step, out_step = steps
    k_at = pack(k, size, k_step, width, keys, k_panels)
    v_at = pack(v, v_step, size, keys, v_width, v_panels)
    rows, w_at, w_step = len(weights), intp(weights.ctypes.data), weights.strides[0]
    for first in range(0, queries, rows):
        last = min(first + rows, queries)
        for j in range(0, last_key(causal, last - 1, keys), wide):
            for i in range(max(first, j // high * high) if causal else first, last, high):
                product(
                    q + i * q_step, q_step, size, k_at + j * width * size, width,
                    w_at + (i - first) * w_step + j * size, w_step, bias and bias + i * bias_step + j * size, bias_step,
                    min(high, last - i), min(wide, keys - j), lowest, size,
                )  # fmt: skip
        for i in range(first, last, high):
            end = up(last_key(causal, i + high - 1, keys), UNIT)
            for row in range(i, min(i + high, last)):
                tops[row], shares[row] = soften(weights[row - first], last_key(causal, row, keys), end, scale)
        for j in range(0, v_width, wide):
            for i in range(first, last, high):
                product(
                    w_at + (i - first) * w_step, w_step, size, v_at + j * keys * size,
                    last_key(causal, i + high - 1, keys), out + i * out_step + j * size, out_step, 0, 0,
                    min(high, last - i), min(wide, v_width - j), lowest, size,
                )  # fmt: skip


@compiled(**OPTIONS)
def attend_back(start, stop, places, steps, tops, shares, keys, width, v_width, scale, causal):
    """Gradients of heads ``start..stop``; of keys and values that no query sees they are not written.

    Args:
        places: (heads, 9), addresses of Q, K, V, what was added, the result, its gradient and those of Q, K and V.
        steps: (9,), bytes from row to row of each.
        tops: (heads, queries), from `attend`.
        shares: likewise.
        keys: number of keys.
        width: of Q and K.
        v_width: of V and the result.
    """
    queries = tops.shape[1]
    across = room(width, keys, tops), room(v_width, keys, tops)
    along = room(keys, width, tops), room(queries, width, tops), room(queries, v_width, tops)
    length = min(up(keys, UNIT), KEYS) + APART
    weights, gradients = np.empty((QUERIES, length), tops.dtype), np.empty((QUERIES, length), tops.dtype)
    means = np.empty(queries, tops.dtype)
    for head in range(start, stop):
        attend_head_back(
            places[head], steps, tops[head], shares[head], means, keys, width, v_width, scale, causal,
            across, along, weights, gradients,
        )  # fmt: skip


@inline
def attend_head_back(
    places, steps, tops, shares, means, keys, width, v_width, scale, causal, across, along, weights, gradients
):
    """`attend_back` for one head; it packs K and V transposed (across), and K, Q and G (along)."""
    queries, size, lowest = len(tops), tops.itemsize, type(scale)(-np.inf)
    high, wide = tile_rows(scale), tile_columns(scale)
    q, k, v, bias, out, g, gq, gk, gv = places
    q_step, k_step, v_step, bias_step, out_step, g_step, gq_step, gk_step, gv_step = steps
    multiply_rows(out, out_step, g, g_step, v_width, means)
    kt_at = pack(k, size, k_step, width, keys, across[0])
    vt_at = pack(v, size, v_step, v_width, keys, across[1])
    k_at = pack(k, k_step, size, keys, width, along[0])
    q_at = pack(q, q_step, size, queries, width, along[1])
    g_at = pack(g, g_step, size, queries, v_width, along[2])
    w_at, d_at, step = intp(weights.ctypes.data), intp(gradients.ctypes.data), weights.strides[0]
    for left in range(0, keys, KEYS):
        right = min(left + KEYS, keys)
        for first in range(left // QUERIES * QUERIES if causal else 0, queries, QUERIES):
            last = min(first + QUERIES, queries)
            for j in range(left, min(last_key(causal, last - 1, keys), right), wide):
                for i in range(max(first, j // high * high) if causal else first, last, high):
                    at, height, many = (i - first) * step + (j - left) * size, min(high, last - i), min(wide, right - j)
                    more = bias and bias + i * bias_step + j * size
                    product(
                        q + i * q_step, q_step, size, kt_at + j * width * size, width,
                        w_at + at, step, more, bias_step, height, many, lowest, size,
                    )  # fmt: skip
                    product(
                        g + i * g_step, g_step, size, vt_at + j * v_width * size, v_width,
                        d_at + at, step, 0, 0, height, many, lowest, size,
                    )  # fmt: skip
            for i in range(max(first, left // high * high) if causal else first, last, high):
                height, count = min(high, last - i), min(last_key(causal, i + high - 1, keys), right) - left
                for row in range(i, i + height):
                    seen = max(min(last_key(causal, row, keys), right) - left, 0)
                    soften_back(
                        weights[row - first], gradients[row - first], seen, up(count, UNIT),
                        scale, tops[row], shares[row], means[row],
                    )  # fmt: skip
                for c in range(0, width, wide):
                    to = gq + i * gq_step + c * size
                    product(
                        d_at + (i - first) * step, step, size, k_at + (c * keys + left * wide) * size, count,
                        to, gq_step, left and to, gq_step, height, min(wide, width - c), lowest, size,
                    )  # fmt: skip
            for j in range(left, right, high):
                top = max(first, j) if causal else first
                if top >= last:
                    break
                at, height = (top - first) * step + (j - left) * size, min(high, right - j)
                is_seen = first > (j // QUERIES * QUERIES if causal else 0)  # by queries of a block before this one
                for c in range(0, v_width, wide):
                    to = gv + j * gv_step + c * size
                    product(
                        w_at + at, size, step, g_at + (c * queries + top * wide) * size, last - top,
                        to, gv_step, is_seen and to, gv_step, height, min(wide, v_width - c), lowest, size,
                    )  # fmt: skip
                for c in range(0, width, wide):
                    to = gk + j * gk_step + c * size
                    product(
                        d_at + at, size, step, q_at + (c * queries + top * wide) * size, last - top,
                        to, gk_step, is_seen and to, gk_step, height, min(wide, width - c), lowest, size,
                    )  # fmt: skip
