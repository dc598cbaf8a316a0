"""Compiled loops of the matrix product: blocks that fit the caches, packed in the order in which a tile reads them.

A block of B, packed in panels as wide as a tile, stays in the second-level cache; a panel of A, as high as a tile, in
the first, while all panels of the block pass by. Each element's sum is made in the same order whatever the piece that
it lies in: the result does not depend on the number of threads.
"""

from __future__ import annotations

from numba import intp, njit

from .compiled import compiled
from .gemm_tile import RECTIFIED, copy_rows, multiply, tile_columns, tile_lanes, tile_rows, transpose_rows
from .memory import LINE

__all__ = ["from_line", "multiply_pieces", "pack_columns"]

DEPTH = 256  # of a block: then a panel of A takes 12 KB of float32
BLOCK = 1 << 20  # bytes of a block of B, half a second-level cache of today
ROW = DEPTH + 16  # numbers from row to row of packed A: a power of two apart they would compete for places in the cache
GROUP = 8  # panels of A that are packed together
TOGETHER = 32  # rows of transposed A that are read for all panels of a group before the next ones
PAGE = 4096  # rows that lie this far apart compete for the same place in the first-level cache

inline = njit(nogil=True, error_model="numpy")


@inline
def from_line(numbers):
    """From the first number on that begins a line of the cache, at most `LINE` bytes later: vectors that lie in two
    lines cost products a tenth of their time."""
    return numbers[-intp(numbers.ctypes.data) % LINE // numbers.itemsize :]


@inline
def pack_columns(zero, size, b, row, column, depth, width, target):
    """Panels of ``width`` columns of B, one of whose strides is a number's size: (panels, depth, columns of a tile)."""
    wide = tile_columns(zero)
    for first in range(0, width, wide):
        count = min(wide, width - first)
        start, to = b + first * column, target + first * depth * size
        if column == size:
            copy_rows(zero, start, row, to, wide * size, depth, count)
        else:
            for lane in range(0, wide, tile_lanes(zero)):
                transpose_rows(zero, start + lane * column, column, to + lane * size, wide * size, count - lane, depth)


@inline
def pack_rows(zero, size, a, row, column, height, depth, target):
    """Panels of A, `ROW` numbers from each row of a panel to the same of the next; the strides within them."""
    high, wide = tile_rows(zero), tile_columns(zero)
    if column == size:
        whole = depth // wide * wide
        for i in range(height):
            start, to = a + i * row, target + i * ROW * size
            if whole:
                copy_rows(zero, start, wide * size, to, wide * size, whole // wide, wide)
            if depth > whole:
                copy_rows(zero, start + whole * size, 0, to + whole * size, 0, 1, depth - whole)
        return ROW * size, size
    for k in range(0, depth, TOGETHER):
        count = min(TOGETHER, depth - k)
        for first in range(0, height, high):
            width = min(high, height - first)
            start, to = a + k * column + first * size, target + (first * ROW + k * high) * size
            # From right to left: a row is written beyond its end, and then overwritten by the one before and after.
            for part in range((width - 1) // wide * wide, -1, -wide):
                part_width = min(wide, width - part)
                copy_rows(zero, start + part * size, column, to + part * size, high * size, count, part_width)
    return size, high * size


@inline
def read_rows(row, column, size, depth, tiles):
    """Whether A is read where it lies, since packing costs more than it saves for so many tiles."""
    if column == size:
        return tiles <= 16 and row % PAGE != 0
    reach = abs(column) * min(depth, DEPTH)
    # The last is as many columns of the result, and as many numbers of A, in each type.
    few = tiles == 1 or (tiles <= 3 and depth <= DEPTH) or (tiles <= size and reach <= 16 * PAGE * size)
    return few or reach <= 16 * PAGE


@inline
def read_columns(zero, size, b, row, column, depth, tiles):
    """Whether B is read where it lies: only if its rows are in one piece, for few tiles, or on few pages and so that no
    vector lies in two lines of the cache, which was measured to cost a tenth."""
    well = (b | row) % (tile_lanes(zero) * size) == 0 and abs(row) * depth <= 64 * PAGE
    return column == size and tiles <= (24 if well else 8)


@inline
def multiply_range(a, b, c, d, rectified, batches, rows, columns, room):
    """Rows and columns (first, last) of the products of pairs of matrices (first, last)."""
    zero, size = c.dtype.type(0), c.itemsize
    high, wide = tile_rows(zero), tile_columns(zero)
    depth = a.shape[2]
    a_row, a_column = a.strides[1], a.strides[2]
    b_row, b_column = b.strides[1], b.strides[2]
    c_row = c.strides[1]
    d_row = d.strides[1] if d.shape[1] > 1 else 0
    d_column = size if d.shape[2] > 1 else 0
    to_a, to_b = room, room + (GROUP * ROW * high + wide) * size
    parts = (depth + DEPTH - 1) // DEPTH
    block = max(BLOCK // (DEPTH * wide * size), 1) * wide
    down, across = (rows[1] - rows[0] + high - 1) // high, (columns[1] - columns[0] + wide - 1) // wide
    a_direct = read_rows(a_row, a_column, size, depth, across)
    b_direct = read_columns(zero, size, intp(b.ctypes.data), b_row, b_column, min(depth, DEPTH), down)
    for batch in range(batches[0], batches[1]):
        a0 = intp(a.ctypes.data) + (batch * a.strides[0] if a.shape[0] > 1 else 0)
        b0 = intp(b.ctypes.data) + (batch * b.strides[0] if b.shape[0] > 1 else 0)
        c0 = intp(c.ctypes.data) + batch * c.strides[0]
        d0 = intp(d.ctypes.data) + (batch * d.strides[0] if d.shape[0] > 1 else 0)
        for left in range(columns[0], columns[1], block):
            right = min(left + block, columns[1])
            for part in range(parts):
                first, last = depth * part // parts, depth * (part + 1) // parts
                deep = last - first
                adds = RECTIFIED if rectified and part + 1 == parts else min(part + d.size, 1)
                b_here = b0 + first * b_row + left * b_column
                packed_from = (right - left) // wide * wide if b_direct else 0
                if left + packed_from < right:
                    width = right - left - packed_from
                    pack_columns(zero, size, b_here + packed_from * b_column, b_row, b_column, deep, width, to_b)
                for top in range(rows[0], rows[1], GROUP * high):
                    bottom = min(top + GROUP * high, rows[1])
                    a_here, panel, row, column = a0 + top * a_row + first * a_column, high * a_row, a_row, a_column
                    if not a_direct:
                        row, column = pack_rows(zero, size, a_here, a_row, a_column, bottom - top, deep, to_a)
                        a_here, panel = to_a, high * ROW * size
                    for i in range(top, bottom, high):
                        height, a_panel = min(high, bottom - i), a_here + (i - top) // high * panel
                        for j in range(left, right, wide):
                            at, next_row = b_here + (j - left) * b_column, b_row
                            if j - left >= packed_from:
                                at, next_row = to_b + (j - left - packed_from) * deep * size, wide * size
                            to = c0 + i * c_row + j * size
                            added, added_row, added_column = to, c_row, size
                            if part == 0 and d.size:
                                added, added_row, added_column = d0 + i * d_row + j * d_column, d_row, d_column
                            multiply(
                                zero, a_panel, row, column, at, next_row, deep,
                                to, c_row, added, added_row, added_column, adds, height, min(wide, right - j),
                            )  # fmt: skip


@compiled(error_model="numpy")
def multiply_pieces(start, stop, a, b, c, d, rectified, row_pieces, column_pieces, room):
    """Pieces ``start..stop`` of ``c = a @ b + d``: each pair of matrices is cut into ``row_pieces`` times
    ``column_pieces`` of them. ``rectified``, there being a d: of ``max(a @ b + d, 0)``.

    Shapes: a (batch or 1, m, k), b (batch or 1, k, n), c (batch, m, n), d the same with any of them 1, or empty. C
    and D have their rows in one piece, and A and B their rows or columns; none is empty otherwise. At the address
    ``room`` are `memory.ROOM` bytes for a group of panels of A and a block of B.
    """
    zero = c.dtype.type(0)
    high, wide = tile_rows(zero), tile_columns(zero)
    m, n, low = c.shape[1], c.shape[2], high // 3  # of the lowest tile
    row_tiles, column_tiles = (m + low - 1) // low, (n + wide - 1) // wide
    if row_pieces == column_pieces == 1:
        none = m - m  # numba would compile `multiply_range` once more for a 0
        multiply_range(a, b, c, d, rectified, (start, stop), (none, m), (none, n), room)
        return
    for item in range(start, stop):
        batch, piece = item // (row_pieces * column_pieces), item % (row_pieces * column_pieces)
        i, j = piece // column_pieces, piece % column_pieces
        rows = (row_tiles * i // row_pieces * low, min(row_tiles * (i + 1) // row_pieces * low, m))
        columns = (column_tiles * j // column_pieces * wide, min(column_tiles * (j + 1) // column_pieces * wide, n))
        multiply_range(a, b, c, d, rectified, (batch, batch + 1), rows, columns, room)
