"""Compiled loops for depthwise convolutions, in which output map ``c`` sees input map ``c`` and no other.

There is no matrix product here: one filter meets many rows. Several rows of positions are added up in registers, tap
after tap; for the filter's gradient, one vector for each tap. Plans, tables and padded boxes are those of
:mod:`~autograd.kernels.conv_tiles`.
"""

from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba import intp, uint64
from numba.extending import intrinsic

from .compiled import compiled
from .conv_tiles import FASTMATH, fill, inline, planes
from .gemm_tile import WORD, Tile, Writer, lower, tile_columns, tile_lanes, tile_rows, word

__all__ = ["add_row_products", "filter_maps"]


TAPS = 9  # whose products are added up at once, each in a register of its own: all of the most usual window


def _write_filter(writer: Writer, tile: Tile, first: ir.Value, *values: ir.Value) -> None:
    """The smallest tile that holds the rows and the width: with half of the vectors, twice as many rows."""
    builder, (*_, height, width) = writer.builder, values
    after = builder.append_basic_block()
    for vectors in range(1, tile.vectors + 1):
        for rows in reversed(tile.heights()):
            shape = Tile(rows // vectors, vectors, tile.lanes)
            fits, larger = builder.append_basic_block(), builder.append_basic_block()
            is_low = builder.icmp_signed("<=", height, word(shape.rows))
            builder.cbranch(builder.and_(is_low, builder.icmp_signed("<=", width, word(shape.columns))), fits, larger)
            builder.position_at_end(fits)
            _write_rows(writer, shape, first, *values)
            builder.branch(after)
            builder.position_at_end(larger)
    builder.branch(after)
    builder.position_at_end(after)


def _write_rows(writer: Writer, tile: Tile, first: ir.Value, *values: ir.Value) -> None:
    weight, table, taps, x, x_row, c, c_row, height, width = values
    builder, vectors, step = writer.builder, range(tile.vectors), word(tile.lanes * writer.size)
    last, rows = builder.sub(height, word(1)), []
    for i in range(tile.rows):
        rows.append(builder.select(builder.icmp_signed("<", word(i), last), word(i), last))
    starts = [writer.far(x, x_row, row) for row in rows]
    sums = [writer.splat(first)] * (len(rows) * tile.vectors)
    with writer.loop(taps, [weight, table, *sums]) as ((at, place, *before), following):
        following += [builder.add(at, word(writer.size)), builder.add(place, word(WORD.width // 8))]
        number, offset = writer.splat(builder.load(writer.at(at, writer.real))), builder.load(writer.at(place, WORD))
        for i, start in enumerate(starts):
            for j in vectors:
                window = writer.load(writer.far(builder.add(start, offset), step, j))
                values = (number, window, before[i * tile.vectors + j])
                following.append(writer.call(f"llvm.fmuladd.{writer.suffix}", writer.vector, *values))
    masks = writer.masks(width, tile.vectors)
    for i in range(len(rows)):
        with builder.if_then(builder.icmp_signed("<", word(i), height), likely=True):
            for j in vectors:
                writer.store(
                    following[2 + i * tile.vectors + j], writer.far(writer.far(c, c_row, i), step, j), masks[j]
                )


def _write_dots(writer: Writer, tile: Tile, real: ir.Value, *values: ir.Value) -> None:
    g, g_row, x, x_row, table, taps, c, height, width = values
    builder, step = writer.builder, word(tile.lanes * writer.size)
    last, mask, windows = builder.sub(taps, word(1)), writer.masks(width, 1)[0], []
    for i in range(TAPS):
        tap = builder.select(builder.icmp_signed("<", word(i), last), word(i), last)
        place = builder.add(table, builder.mul(tap, word(WORD.width // 8)))
        windows.append(builder.add(x, builder.load(writer.at(place, WORD))))
    with writer.loop(height, [g, word(0), *[writer.zero] * TAPS]) as ((at, row, *sums), following):
        following += [builder.add(at, g_row), builder.add(row, x_row)]
        given = writer.load(at, mask)
        for window, total in zip(windows, sums, strict=True):
            values = (given, writer.load(builder.add(window, row)), total)
            more = writer.call(f"llvm.fmuladd.{writer.suffix}", writer.vector, *values)
            following.append(builder.select(mask, more, total))
    for i, total in enumerate(following[2:]):
        with builder.if_then(builder.icmp_signed("<", word(i), taps), likely=True):
            to = writer.far(c, step, i)
            writer.store(builder.fadd(writer.load(to), total), to)


_lower_filter = lower(9, _write_filter)
_lower_dots = lower(9, _write_dots)


@intrinsic
def filter_rows(typing_context, first, weight, table, taps, x, x_row, c, c_row, height, width):
    """Writes ``first`` plus the weighted sum of windows for some rows of positions: at most half as many as a tile's,
    or as many if they are no wider than a vector.

    The tap ``k`` of the first position lies at ``x`` plus what the table of int64 offsets in bytes has there.
    """
    return _lower_filter(first)


@intrinsic
def dot_rows(typing_context, real, g, g_row, x, x_row, table, taps, c, height, width):
    """Adds to ``c``, which has a vector for each tap, ``g`` times that tap of its windows in x, added up over the rows.

    There are at most ``TAPS`` taps, and a row is at most as wide as a vector.
    """
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
    """`conv_tiles.correlate` for groups of one channel and one filter, whose ``weight`` has its taps in their order."""
    zero = out.dtype.type(0)
    size, across, lanes, tallest = out.itemsize, tile_columns(zero), tile_lanes(zero), tile_rows(zero)
    image = np.zeros(planes(plan) + across, out.dtype)
    sums = np.empty(tallest * across, out.dtype)
    x0, w0, c0, s0 = intp(image.ctypes.data), intp(weight.ctypes.data), intp(out.ctypes.data), intp(sums.ctypes.data)
    table = intp(taps.ctypes.data)
    for item in range(start, stop):
        group, box = item % plan.groups, item // plan.groups
        first, z0 = box // plan.bands * plan.room, box % plan.bands * plan.depths
        samples = min(plan.room, plan.samples - first)
        fill(image, x, plan, first, samples, z0, group)
        shift = bias[group] if bias.size else zero
        for job in range(len(jobs)):
            tap, end, width = jobs[job, 0], jobs[job, 1], jobs[job, 4]
            depths, height = max(min(plan.depths, jobs[job, 2] - z0), 0), jobs[job, 3]
            rows, times, pitch, period = row_pitch(plan, depths, height)
            most = tallest if width <= lanes else tallest // 2
            next_y, next_z = plan.step_y * plan.out_width, plan.step_z * plan.out_height * plan.out_width
            next_row = next_z if height == 1 else next_y
            for s, z in np.ndindex(samples, times):
                to = ((first + s) * plan.groups + group) * plan.out_depth + z0 * plan.step_z + jobs[job, 5]
                to = (to * plan.out_height + jobs[job, 6]) * plan.out_width + z * next_z + jobs[job, 7]
                window = s * plan.deep * plan.high * plan.wide + z * period
                for y in range(0, rows, most):
                    tall = min(most, rows - y)
                    for j in range(0, width, across):
                        c, c_row = c0 + (to + y * next_row + j * plan.step_x) * size, next_row * size
                        if plan.step_x > 1:
                            c, c_row = s0, across * size
                        filter_rows(
                            shift, w0 + (group * taps.size + tap) * size, table + tap * 8, end - tap,
                            x0 + (window + y * pitch + j) * size, pitch * size, c, c_row, tall, min(across, width - j),
                        )  # fmt: skip
                        if plan.step_x > 1:
                            for row in range(tall):
                                target = to + (y + row) * next_row + j * plan.step_x
                                for i in range(min(across, width - j)):
                                    out[uint64(target + i * plan.step_x)] = sums[uint64(row * across + i)]


@compiled(fastmath=FASTMATH, error_model="numpy")
def add_row_products(start, stop, x, g, sums, plan, taps):
    """`conv_tiles.add_products` for groups ``start..stop`` of one channel and one filter.

    ``sums`` has a vector for each tap, to which products are added.
    """
    zero = sums.dtype.type(0)
    size, lanes = sums.itemsize, tile_lanes(zero)
    image = np.zeros(planes(plan) + tile_columns(zero), sums.dtype)
    x0, g0, c0 = intp(image.ctypes.data), intp(g.ctypes.data), intp(sums.ctypes.data)
    table = intp(taps.ctypes.data)
    boxes = (plan.samples + plan.room - 1) // plan.room * plan.bands
    for box in range(boxes):
        first, z0 = box // plan.bands * plan.room, box % plan.bands * plan.depths
        samples, depths = min(plan.room, plan.samples - first), min(plan.depths, plan.out_depth - z0)
        for group in range(start, stop):
            fill(image, x, plan, first, samples, z0, group)
            rows, times, pitch, period = row_pitch(plan, depths, plan.out_height)
            for s, z in np.ndindex(samples, times):
                given = (
                    (((first + s) * plan.groups + group) * plan.out_depth + z0 + z) * plan.out_height * plan.out_width
                )
                window = s * plan.deep * plan.high * plan.wide + z * period
                for j in range(0, plan.out_width, lanes):
                    for tap in range(0, taps.size, TAPS):
                        dot_rows(
                            zero, g0 + (given + j) * size, plan.out_width * size, x0 + (window + j) * size,
                            pitch * size, table + tap * 8, min(TAPS, taps.size - tap),
                            c0 + (group * taps.size + tap) * lanes * size, rows, min(lanes, plan.out_width - j),
                        )  # fmt: skip
