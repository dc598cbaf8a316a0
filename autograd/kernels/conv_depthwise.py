"""Compiled loops for depthwise convolutions, in which output map ``c`` sees input map ``c`` and no other.

There is no matrix product here: one filter meets many rows. The sums of a block of rows are all in registers, and so
are, for the filter's gradient, the block's rows of ``g``. Taps come in *columns* of some that lie one row beneath the
other: a vector of windows is loaded once for as many rows and taps as meet there. Plans, tables and padded boxes are
those of :mod:`~autograd.kernels.conv_tiles`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from llvmlite import ir
from numba import intp, uint64
from numba.extending import intrinsic

from .addresses import keep
from .compiled import compiled
from .conv_tiles import FASTMATH, fill, inline, planes
from .gemm_tile import WORD, Tile, Writer, lower, tile_columns, tile_lanes, word

__all__ = ["add_row_products", "columns", "filter_maps"]

# Taps of a column. Measured for 1024 maps of 28 x 28, 3 x 3 taps: 263 us, and 367 with each tap by itself.
LENGTHS = (3, 2, 1)
# Rows of blocks. Measured: others, up to 12, were as fast or, for 7 and 14 rows, slower. Where several tiles lie side
# by side, the highest block of each comes before what lies beneath.
HEIGHTS = (7, 3, 1)
COUNTS = 8  # numbers of a job before those of its columns


def columns(taps: Sequence[int], pitch: int) -> tuple[list[int], list[int]]:
    """Taps, whose offsets are given, in columns of neighbors at the distance of rows: the order in which the columns
    have them, longest columns first, and how many columns there are of each of the `LENGTHS`.

    >>> columns([0, 1, 10, 11, 20], pitch=10)
    ([0, 2, 4, 1, 3], [1, 1, 0])
    """
    left = {offset: tap for tap, offset in enumerate(taps)}
    found: dict[int, list[int]] = {length: [] for length in LENGTHS}
    for offset in sorted(left):
        column: list[int] = []
        while offset in left and len(column) < LENGTHS[0]:
            column.append(left.pop(offset))
            offset += pitch
        if column:
            found[len(column)] += column
    return [tap for column in found.values() for tap in column], [len(found[length]) // length for length in LENGTHS]


def _write_blocks(
    writer: Writer,
    tile: Tile,
    arrays: Sequence[tuple[ir.Value, ir.Value]],
    height: ir.Value,
    width: ir.Value,
    write: Callable[..., None],
) -> None:
    """Cuts rows into blocks, of as many vectors as the width takes: ``write`` is given the block's shape, what of its
    vectors lies below the width, and its first row in each of the arrays, which are given as address and pitch."""
    builder, after = writer.builder, writer.builder.append_basic_block()
    for vectors in range(1, tile.vectors + 1):
        fits, larger = builder.append_basic_block(), builder.append_basic_block()
        builder.cbranch(builder.icmp_signed("<=", width, word(vectors * tile.lanes)), fits, larger)
        builder.position_at_end(fits)
        masks, left, begins = writer.masks(width, vectors), height, [begin for begin, _ in arrays]
        for rows in HEIGHTS:
            if 3 * rows > 2 * tile.rows:  # windows and taps take a third of the registers that sums have
                continue
            count = builder.sdiv(left, word(rows))
            left = builder.sub(left, builder.mul(count, word(rows)))
            with writer.loop(count, begins, may_be_empty=True) as (now, begins):
                write(Tile(rows, vectors, tile.lanes), masks, *now)
                begins += [writer.far(at, pitch, rows) for at, (_, pitch) in zip(now, arrays, strict=True)]
        builder.branch(after)
        builder.position_at_end(larger)
    builder.branch(after)
    builder.position_at_end(after)


def _columns(writer: Writer, address: ir.Value) -> Iterator[tuple[int, ir.Value]]:
    """The lengths of columns, and how many there are of each."""
    for i, length in enumerate(LENGTHS):
        yield length, writer.builder.load(writer.at(writer.far(address, word(WORD.width // 8), i), WORD))


def _windows(
    writer: Writer, tile: Tile, x: ir.Value, x_row: ir.Value, taps: int
) -> Iterator[tuple[int, int, int, ir.Value]]:
    """What the windows of a block's rows have for a column of taps: row, vector, tap, and what lies there."""
    for i in range(tile.rows + taps - 1):
        for j in range(tile.vectors):
            window = writer.load(writer.far(x, word(tile.lanes * writer.size), j))
            for tap in range(taps):
                if 0 <= i - tap < tile.rows:
                    yield i - tap, j, tap, window
        x = writer.builder.add(x, x_row)


def _write_filter(writer: Writer, tile: Tile, first: ir.Value, *values: ir.Value) -> None:
    weight, table, counts, x, x_row, c, c_row, height, width = values
    builder, size, step = writer.builder, word(writer.size), word(tile.lanes * writer.size)

    def write(block: Tile, masks: Sequence[ir.Value], x: ir.Value, c: ir.Value) -> None:
        after = [weight, table, *[writer.splat(first)] * (block.rows * block.vectors)]
        for taps, count in _columns(writer, counts):
            with writer.loop(count, after, may_be_empty=True) as ((at, place, *sums), after):
                numbers = [
                    writer.splat(builder.load(writer.at(writer.far(at, size, k), writer.real))) for k in range(taps)
                ]
                start = builder.add(x, builder.load(writer.at(place, WORD)))
                for i, j, tap, window in _windows(writer, block, start, x_row, taps):
                    at_sum = i * block.vectors + j
                    sums[at_sum] = writer.add_product(numbers[tap], window, sums[at_sum])
                after += [writer.far(at, size, taps), writer.far(place, word(WORD.width // 8), taps), *sums]
        for i in range(block.rows):
            for j in range(block.vectors):
                writer.store(after[2 + i * block.vectors + j], writer.far(c, step, j), masks[j])
            c = builder.add(c, c_row)

    _write_blocks(writer, tile, [(x, x_row), (c, c_row)], height, width, write)


def _write_dots(writer: Writer, tile: Tile, real: ir.Value, *values: ir.Value) -> None:
    g, g_row, x, x_row, table, counts, c, height, width = values
    builder, step = writer.builder, word(tile.lanes * writer.size)

    def write(block: Tile, masks: Sequence[ir.Value], x: ir.Value, g: ir.Value) -> None:
        rows = [writer.far(g, g_row, i) for i in range(block.rows)]
        given = [[writer.load(writer.far(row, step, j), mask) for j, mask in enumerate(masks)] for row in rows]
        after = [c, table]
        for taps, count in _columns(writer, counts):
            with writer.loop(count, after, may_be_empty=True) as ((to, place), after):
                sums = [[writer.zero] * block.vectors for _ in range(taps)]
                start = builder.add(x, builder.load(writer.at(place, WORD)))
                for i, j, tap, window in _windows(writer, block, start, x_row, taps):
                    # What follows a row need not be finite.
                    more = writer.add_product(given[i][j], window, sums[tap][j])
                    sums[tap][j] = builder.select(masks[j], more, sums[tap][j])
                for tap in range(taps):
                    at = writer.far(to, step, tap)
                    writer.store(functools.reduce(builder.fadd, sums[tap], writer.load(at)), at)
                after += [writer.far(to, step, taps), writer.far(place, word(WORD.width // 8), taps)]

    _write_blocks(writer, tile, [(x, x_row), (g, g_row)], height, width, write)


_lower_filter = lower(9, _write_filter)
_lower_dots = lower(9, _write_dots)


@intrinsic
def filter_rows(typing_context, first, weight, table, counts, x, x_row, c, c_row, height, width):
    """Writes ``first`` plus the weighted sum of windows for rows of positions, at most as wide as a tile.

    Taps lie in columns, and ``counts`` has how many there are of each of the `LENGTHS`. The tap ``k`` of the first
    position lies at ``x`` plus what the table of int64 offsets in bytes has there.
    """
    return _lower_filter(first)


@intrinsic
def dot_rows(typing_context, real, g, g_row, x, x_row, table, counts, c, height, width):
    """Adds to ``c``, which has a vector for each tap, ``g`` times that tap of its windows in x, added up over the rows,
    which are at most as wide as a tile. Taps are as in `filter_rows`."""
    return _lower_dots(real)


@inline
def row_pitch(plan, depths, height):
    """Rows of positions that lie at the same distance, and how often there are so many: number, number, distance in
    the box, distance from one such group to the next."""
    if height == 1:
        return depths, 1, plan.high * plan.wide, 0
    return height, depths, plan.wide, plan.high * plan.wide


@compiled(fastmath=FASTMATH, error_model="numpy")
def filter_maps(start, stop, x, weight, bias, out, plan, jobs, taps):
    """`conv_tiles.correlate` for groups of one channel and one filter, whose ``weight`` has its taps in their order.

    A job ends with how many columns of taps of each length it has.
    """
    zero = out.dtype.type(0)
    size, across = out.itemsize, tile_columns(zero)
    image = np.zeros(planes(plan) + across, out.dtype)
    sums = np.empty(max(plan.depths, plan.high) * across, out.dtype)
    x0, b, w0, c0 = intp(x.ctypes.data), intp(image.ctypes.data), intp(weight.ctypes.data), intp(out.ctypes.data)
    s0, jobs0, table = intp(sums.ctypes.data), intp(jobs.ctypes.data), intp(taps.ctypes.data)
    for item in range(start, stop):
        group, box = item % plan.groups, item // plan.groups
        first, z0 = box // plan.bands * plan.room, box % plan.bands * plan.depths
        samples = min(plan.room, plan.samples - first)
        fill(out.dtype, size, b, x0, plan, first, samples, z0, group)
        shift = bias[group] if bias.size else zero
        for job in range(len(jobs)):
            tap, width, counts = jobs[job, 0], jobs[job, 4], jobs0 + (job * jobs.shape[1] + COUNTS) * 8
            depths, height = max(min(plan.depths, jobs[job, 2] - z0), 0), jobs[job, 3]
            rows, times, pitch, period = row_pitch(plan, depths, height)
            next_y, next_z = plan.step_y * plan.out_width, plan.step_z * plan.out_height * plan.out_width
            next_row = next_z if height == 1 else next_y
            for s, z in np.ndindex(samples, times):
                to = ((first + s) * plan.groups + group) * plan.out_depth + z0 * plan.step_z + jobs[job, 5]
                to = (to * plan.out_height + jobs[job, 6]) * plan.out_width + z * next_z + jobs[job, 7]
                window = s * plan.deep * plan.high * plan.wide + z * period
                most = max(rows, 1) if width <= across else HEIGHTS[0]
                for y in range(0, rows, most):
                    for j in range(0, width, across):
                        tall, now = min(most, rows - y), min(across, width - j)
                        c, c_row = c0 + (to + y * next_row + j * plan.step_x) * size, next_row * size
                        if plan.step_x > 1:
                            c, c_row = s0, across * size
                        filter_rows(
                            shift, w0 + (group * taps.size + tap) * size, table + tap * 8, counts,
                            b + (window + y * pitch + j) * size, pitch * size, c, c_row, tall, now,
                        )  # fmt: skip
                        if plan.step_x > 1:
                            for row in range(tall):
                                target = to + (y + row) * next_row + j * plan.step_x
                                for i in range(now):
                                    out[uint64(target + i * plan.step_x)] = sums[uint64(row * across + i)]
    keep(image)


@compiled(fastmath=FASTMATH, error_model="numpy")
def add_row_products(start, stop, x, g, gw, plan, jobs, taps, order):
    """`conv_tiles.add_products` for groups ``start..stop`` of one channel and one filter, for whose taps ``order`` has
    their places in the weight."""
    zero = gw.dtype.type(0)
    size, lanes, across = gw.itemsize, tile_lanes(zero), tile_columns(zero)
    image = np.zeros(planes(plan) + across, gw.dtype)
    sums = np.zeros((stop - start) * taps.size * lanes, gw.dtype)
    x0, b, g0, c0 = intp(x.ctypes.data), intp(image.ctypes.data), intp(g.ctypes.data), intp(sums.ctypes.data)
    counts, table = intp(jobs.ctypes.data) + COUNTS * 8, intp(taps.ctypes.data)
    boxes = (plan.samples + plan.room - 1) // plan.room * plan.bands
    for box in range(boxes):
        first, z0 = box // plan.bands * plan.room, box % plan.bands * plan.depths
        samples, depths = min(plan.room, plan.samples - first), min(plan.depths, plan.out_depth - z0)
        for group in range(start, stop):
            fill(gw.dtype, size, b, x0, plan, first, samples, z0, group)
            rows, times, pitch, period = row_pitch(plan, depths, plan.out_height)
            for s, z in np.ndindex(samples, times):
                given = (
                    (((first + s) * plan.groups + group) * plan.out_depth + z0 + z) * plan.out_height * plan.out_width
                )
                window = s * plan.deep * plan.high * plan.wide + z * period
                most = max(rows, 1) if plan.out_width <= across else HEIGHTS[0]
                for y in range(0, rows, most):
                    for j in range(0, plan.out_width, across):
                        dot_rows(
                            zero, g0 + (given + y * plan.out_width + j) * size, plan.out_width * size,
                            b + (window + y * pitch + j) * size, pitch * size, table, counts,
                            c0 + (group - start) * taps.size * lanes * size, min(most, rows - y),
                            min(across, plan.out_width - j),
                        )  # fmt: skip
    for group in range(start, stop):
        for tap in range(taps.size):
            total, begin = zero, ((group - start) * taps.size + tap) * lanes
            for lane in range(begin, begin + lanes):
                total += sums[uint64(lane)]
            gw[group, order[tap]] = total
    keep(image)
