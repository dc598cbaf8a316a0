"""The gradients of a recurrent layer's weights and biases, in one walk over the gradients of the gates' sums.

They are the products of these, transposed, with what entered the steps, and the sums of their columns. A block of them
is read from afar once, when it is packed.
"""

from __future__ import annotations

import numpy as np
from numba import intp, uint64

from .compiled import compiled
from .gemm_loops import DEPTH, GROUP, inline, pack_columns
from .gemm_tile import copy_rows, multiply, tile_columns, tile_lanes, tile_rows
from .scalar import wide

__all__ = ["weigh"]


@inline
def add_columns(totals, matrix, left):
    """Adds up the columns from ``left`` on, and then these sums to the totals, which loses less."""
    wide()
    block = np.zeros(totals.size, totals.dtype)
    for i in range(len(matrix)):
        row = matrix[i]
        for j in range(uint64(totals.size)):
            block[j] += row[uint64(left) + j]
    for j in range(uint64(totals.size)):
        totals[j] += block[j]


@inline
def panel_strides(zero, size):
    """From column to column of a packed panel of A, and from one panel to the next. A column takes whole vectors, so
    that each is written into one line of the cache: measured, columns one behind the other took 1.07 times as long."""
    column = (tile_rows(zero) + tile_lanes(zero) - 1) // tile_lanes(zero) * tile_lanes(zero) * size
    return column, (DEPTH + 1) * column  # a power of two apart panels would compete for places in the cache


@inline
def pack_panels(rows, first, count, target):
    """``count`` columns from the first on in panels as high as a tile, row by row, for all panels at once."""
    zero, size = rows.dtype.type(0), rows.itemsize
    high, wide = tile_rows(zero), tile_columns(zero)
    column, panel = panel_strides(zero, size)
    whole = count // high
    for i in range(len(rows)):
        start, to = intp(rows.ctypes.data) + i * rows.strides[0] + first * size, target + i * column
        for part in range(0, high, wide):
            if whole:
                width = min(wide, high - part)
                copy_rows(zero, start + part * size, high * size, to + part * size, panel, whole, width)
        start, to = start + whole * high * size, to + whole * panel
        for part in range(0, count % high, wide):
            width = min(wide, count % high - part)
            copy_rows(zero, start + part * size, 0, to + part * size, 0, 1, width)


@inline
def pack_rest(matrix, target):
    """The last columns, which fill no panel: a tile would read beyond them."""
    zero, size = matrix.dtype.type(0), matrix.itemsize
    rest = matrix.shape[1] % tile_columns(zero)
    if rest:
        start = intp(matrix.ctypes.data) + (matrix.shape[1] - rest) * size
        pack_columns(zero, size, start, matrix.strides[0], size, len(matrix), rest, target)


@inline
def multiply_panel(a, row, column, b, rest, result, first, height, adds):
    """Rows of the result from the first on: a panel of A times B, whose last columns are packed, and what is there if
    it ``adds``; nothing where there is no result."""
    if result.size == 0:
        return
    zero, size = result.dtype.type(0), result.itemsize
    across, step = tile_columns(zero), result.strides[0]
    for j in range(0, result.shape[1], across):
        width, to = min(across, result.shape[1] - j), intp(result.ctypes.data) + first * step + j * size
        at, b_row = (intp(b.ctypes.data) + j * size, b.strides[0]) if width == across else (rest, across * size)
        multiply(zero, a, row, column, at, b_row, len(b), to, step, to, step, size, adds, height, width)


@compiled(error_model="numpy")
def weigh(start, stop, sums, first, x, before, gw_ih, gw_hh, gb, room):
    """Rows ``start..stop`` of the weights' gradients and of ``gb``, from the columns of ``sums`` from the first on.

    Args:
        x: (rows, I), the inputs.
        before: (rows, R), the hidden states.
        gw_ih: (columns, I), to be filled; or empty.
        gw_hh: (columns, R), the same.
        gb: (columns,), to be filled.
    """
    zero, size, rows = sums.dtype.type(0), sums.itemsize, len(sums)
    high, across = tile_rows(zero), tile_columns(zero)
    column, panel = panel_strides(zero, size)
    own_rest = room + GROUP * panel + across * size
    brought_rest = own_rest + DEPTH * across * size
    gb[start:stop] = zero
    parts = (rows + DEPTH - 1) // DEPTH
    for part in range(parts):
        top, bottom = rows * part // parts, rows * (part + 1) // parts
        block, own, brought = sums[top:bottom], x[top:bottom], before[top:bottom]
        # This reads whole rows, one after the other, before the packing does in pieces.
        add_columns(gb[start:stop], block, first + start)
        pack_rest(own, own_rest)
        pack_rest(brought, brought_rest)
        for left in range(start, stop, GROUP * high):
            right = min(left + GROUP * high, stop)
            pack_panels(block, first + left, right - left, room)
            for i in range(left, right, high):
                packed, height = room + (i - left) // high * panel, min(high, right - i)
                multiply_panel(packed, size, column, own, own_rest, gw_ih, i, height, part)
                multiply_panel(packed, size, column, brought, brought_rest, gw_hh, i, height, part)
