"""Compiled loops of :mod:`autograd.kernels.conv_direct`: convolution as a matrix product that never makes the matrix.

An image lies padded in a buffer, and a *tap* (an element of the window, in one channel) is an offset in it: the windows
of neighboring positions are neighbors for every tap. So the register tile of the matrix product reads lines of the
matrix of windows straight from the image, a vector of positions at a time, through tables of offsets.

Arrays are flat; ``plan`` is a :class:`~autograd.kernels.conv_direct.Plan`, and tables hold offsets in bytes.
"""

from __future__ import annotations

import numpy as np
from numba import intp, njit, uint64

from .addresses import keep
from .addresses import run as array_at
from .compiled import compiled
from .gemm_loops import from_line
from .gemm_tile import (
    copy_rows,
    multiply,
    multiply_windows,
    tile_columns,
    tile_lanes,
    tile_rows,
    transpose_rows,
)
from .memory import LINE

__all__ = ["add_products", "add_spans", "correlate", "pack_filters"]

FASTMATH = {"contract", "arcp", "nsz"}
# Taps, or positions, that are multiplied in one go: what they meet stays in the first-level cache. Twice as many take
# 0.5 to 1 % less time for 128 channels of 16 x 16, but longer sums in float32 are off by more.
DEPTH = 288
FILTERS = 1 << 19  # bytes of filters that meet all positions of a box before others do
# Columns of tiles whose sums are written at once, as maps lie some pages of memory apart. Measured for 64 channels of
# 32 x 32, 8 and 1: 8.2 and 8.6 ms, and 9.4 with an output that began at most lines of a page.
WRITTEN = 8

inline = njit(forceinline=True, no_cfunc_wrapper=True, fastmath=FASTMATH, error_model="numpy")


@inline
def planes(plan):
    """Numbers in the buffer for a box: of each channel and each phase, all samples."""
    return plan.channels * plan.stride_z * plan.stride_y * plan.stride_x * plan.room * plan.deep * plan.high * plan.wide


@inline
def fill(real, size, image, x, plan, first, samples, z0, channel):
    """Copies a group's channels, from depth ``z0`` on, into a buffer that is zero where no image ever lies.

    It is filled from its begin to its end: what follows a row may be overwritten with zeros. ``image`` and ``x`` are
    the addresses of numbers of the type ``real``: references to arrays are counted, and each time that waits until all
    before is written. Measured: a depthwise convolution of 28 x 28 took a tenth longer with arrays.
    """
    area = plan.height * plan.width
    for c in range(plan.channels):
        for pz, py, px in np.ndindex(plan.stride_z, plan.stride_y, plan.stride_x):
            phase = ((c * plan.stride_z + pz) * plan.stride_y + py) * plan.stride_x + px
            z, y, left = z0 * plan.stride_z + pz - plan.pad_z, py - plan.pad_y, px - plan.pad_x
            slices, slice_step = within(z, plan.stride_z, plan.depth, plan.deep), plan.stride_z * area
            rows, row_step = within(y, plan.stride_y, plan.height, plan.high), plan.stride_y * plan.width
            columns = within(left, plan.stride_x, plan.width, plan.wide)
            if plan.high == 1:  # an image: its rows lie along what is the depth of a volume, and are copied at once
                slices, slice_step, rows, row_step = rows, row_step, slices, slice_step
            for s in range(samples):
                to = image + (phase * plan.room + s) * plan.deep * plan.high * plan.wide * size
                at = (((first + s) * plan.channels * plan.groups + channel + c) * plan.depth + z) * area
                at = x + (at + y * plan.width + left) * size
                for i in range(slices[0]):
                    inner = rows if slices[1] <= i < slices[2] else (rows[0], 0, 0)
                    fill_rows(real, size, to, inner, columns, at, row_step, plan.stride_x, plan.bands)
                    to += rows[0] * plan.wide * size
                    at += slice_step * size


@inline
def within(begin, step, size, count):
    """Of ``count`` places, from ``begin`` on and ``step`` apart, those in ``range(size)``: count, first, end."""
    first = min(max(-(begin // step), 0), count)
    return count, first, min(max((size - 1 - begin) // step + 1, first), count)


@inline
def fill_rows(real, size, to, rows, columns, at, row_step, step, bands):
    """Fills rows of the buffer from the address ``to`` on, in the ``columns`` that are `within` the image: its rows are
    copied, and others zero where there are several ``bands``. Their first number would lie at ``at``."""
    (count, top, bottom), (wide, left, right) = rows, columns
    width, across = right - left, tile_columns(real.type(0))
    target = array_at(to + left * size, 0, real)
    if bands > 1:
        for i in range(count - (bottom - top)):
            row = (i if i < top else i + bottom - top) * wide
            for j in range(width):
                target[uint64(row + j)] = 0
    if step > 1:
        source = array_at(at + left * step * size, 0, real)
        for i in range(top, bottom):
            for j in range(width):
                target[uint64(i * wide + j)] = source[uint64(i * row_step + j * step)]
    elif top < bottom:
        together = bottom - top if width <= across else 1
        for i in range(top, bottom, together):
            for j in range((width - 1) // across * across, -1, -across):
                begin, end = at + (i * row_step + left + j) * size, to + (i * wide + left + j) * size
                copy_rows(real.type(0), begin, row_step * size, end, wide * size, together, min(across, width - j))


@inline
def turn_rows(real, size, source, source_row, target, target_row, count, width):
    """`transpose_rows` of any number of rows, from the right to the left: each row of the target is written up to a
    vector's lanes beyond its end, and then overwritten, and so are as many rows beyond the last."""
    lanes = tile_lanes(real)
    for i in range((count - 1) // lanes * lanes, -1, -lanes):
        transpose_rows(
            real, source + i * source_row, source_row, target + i * size, target_row, min(lanes, count - i), width
        )


@inline
def cover(rows, length, lanes, vectors):
    """Covers positions with vectors: in ``vectors`` the place where each begins, and its row and column; their number.

    Row ``i`` has ``length`` positions from ``rows[i]`` on. A vector that is longer goes on into the next rows.
    """
    count, row, column = 0, 0, 0
    while row < rows.size:
        begin = rows[row] + column
        vectors[0, count], vectors[1, count], vectors[2, count] = begin, row, column
        count += 1
        while row < rows.size and rows[row] + length <= begin + lanes:
            row += 1
        if row < rows.size:
            column = max(begin + lanes - rows[row], 0)
    return count


@inline
def find_runs(vectors, first, last, lanes, rows, targets, length, step, runs):
    """What vectors ``first..last``, which lie side by side, hold of the output: in ``runs`` the place where each run
    begins among their numbers, the place in the output and the length; the number of runs."""
    count = 0
    for vector in range(first, last):
        begin, row, column = vectors[0, vector], vectors[1, vector], vectors[2, vector]
        lane = 0
        while lane < lanes and row < rows.size:
            run = min(length - column, lanes - lane)
            source, target = (vector - first) * lanes + lane, targets[row] + column * step
            before = max(count - 1, 0)
            goes_on = count > 0 and source - runs[0, before] == target - runs[1, before] == runs[2, before]
            if goes_on and step == 1:
                runs[2, before] += run
            else:
                runs[0, count], runs[1, count], runs[2, count] = source, target, run
                count += 1
            row, column = row + 1, 0
            if row < rows.size:
                lane = rows[row] - begin
    return count


@inline
def write(sums, pitch, out, target, map_size, maps, step, runs):
    """Writes runs of positions for some maps to where they lie in the output: one map after the other, since maps lie
    far apart."""
    for i in range(maps):
        for run in range(runs.shape[1]):
            at, to = i * pitch + runs[0, run], target + i * map_size + runs[1, run]
            if step == 1:
                for k in range(runs[2, run]):
                    out[uint64(to + k)] = sums[uint64(at + k)]
            else:
                for k in range(runs[2, run]):
                    out[uint64(to + k * step)] = sums[uint64(at + k)]


@compiled(fastmath=FASTMATH, error_model="numpy")
def pack_filters(start, stop, weight, packed, plan, runs, panels):
    """Panels ``start..stop`` of the weight, as high as a tile: in each the filters' numbers side by side, tap by tap.

    A run is a number of taps that lie side by side in the weight, too: its first number there, and its length.
    """
    zero = weight.dtype.type(0)
    size, most, lanes = weight.itemsize, tile_rows(zero), tile_lanes(zero)
    longest = 0  # by a loop: numba takes 0.5 s to compile `max` of an array
    for run in range(len(runs)):
        longest = max(longest, runs[run, 1])
    # A transposed run is written beyond its end, where later ones come: but the last ones elsewhere, for what lies
    # behind them may be another thread's.
    room = np.empty((longest + lanes) * most + 2 * lanes, weight.dtype)
    w, to, p = intp(weight.ctypes.data), intp(room.ctypes.data), intp(packed.ctypes.data)
    taps = packed.size // (panels * plan.groups * most)
    for item in range(start, stop):
        group, f = item // panels, item % panels * most
        count, tap = min(most, plan.filters - f), 0
        for run in range(len(runs)):
            source = w + (group * plan.group_step + f * plan.filter_step + runs[run, 0]) * size
            target = (item * taps + tap) * most
            fits = item + 1 < stop and taps - tap - runs[run, 1] + taps > 2 * lanes
            turned = p + target * size if fits else to
            turn_rows(zero, size, source, plan.filter_step * size, turned, most * size, count, runs[run, 1])
            if not fits:
                for i in range(runs[run, 1] * most):
                    packed[uint64(target + i)] = room[uint64(i)]
            tap += runs[run, 1]


@compiled(fastmath=FASTMATH, error_model="numpy")
def correlate(start, stop, x, packed, bias, out, plan, jobs, taps):
    """Pieces ``start..stop`` of ``out``: boxes, times groups, times ``plan.parts`` of the filters of a group.

    A job is a part of the output with taps of its own: its first tap, the end of its taps, depth, height, width, and
    where it begins in the output along each axis.
    """
    zero = out.dtype.type(0)
    size, lanes, across, most = out.itemsize, tile_lanes(zero), tile_columns(zero), tile_rows(zero)
    together, pitch = across // lanes, WRITTEN * across
    image = from_line(np.zeros(planes(plan) + across + LINE // size, out.dtype))
    rows, targets = (
        np.empty(plan.room * plan.depths * plan.high, np.int64),
        np.empty(plan.room * plan.depths * plan.high, np.int64),
    )
    vectors = np.empty((3, rows.size * (1 + plan.wide // lanes)), np.int64)
    runs = np.empty((3, pitch), np.int64)
    longest = 1
    for job in range(len(jobs)):
        longest = max(longest, jobs[job, 1] - jobs[job, 0])
    block = min(max(FILTERS // (longest * size * most), 1) * most, plan.filters)
    sums = from_line(np.empty(block * pitch + LINE // size, out.dtype))
    a0, b, c, d = intp(packed.ctypes.data), intp(image.ctypes.data), intp(sums.ctypes.data), intp(bias.ctypes.data)
    source, table, panels = intp(x.ctypes.data), intp(taps.ctypes.data), (plan.filters + most - 1) // most
    map_size = plan.out_depth * plan.out_height * plan.out_width
    filled = -1
    for item in range(start, stop):
        part, group, box = item % plan.parts, item // plan.parts % plan.groups, item // (plan.parts * plan.groups)
        first, z0 = box // plan.bands * plan.room, box % plan.bands * plan.depths
        samples = min(plan.room, plan.samples - first)
        filters_end = min(panels * (part + 1) // plan.parts * most, plan.filters)
        if filled != item // plan.parts:
            filled = item // plan.parts
            fill(out.dtype, size, b, source, plan, first, samples, z0, group * plan.channels)
        for job in range(len(jobs)):
            first_tap, end_tap = jobs[job, 0], jobs[job, 1]
            depths, height, width = max(min(plan.depths, jobs[job, 2] - z0), 0), jobs[job, 3], jobs[job, 4]
            parts = (end_tap - first_tap + DEPTH - 1) // DEPTH
            number = 0
            for s, z, y in np.ndindex(samples, depths, height):
                rows[number] = ((s * plan.deep + z) * plan.high + y) * plan.wide
                targets[number] = (
                    (first + s) * plan.filters * plan.groups * map_size
                    + (((z0 + z) * plan.step_z + jobs[job, 5]) * plan.out_height + y * plan.step_y + jobs[job, 6])
                    * plan.out_width
                    + jobs[job, 7]
                )
                number += 1
            count = cover(rows[:number], width, lanes, vectors)
            for f0 in range(panels * part // plan.parts * most, filters_end, block):
                f1 = min(f0 + block, filters_end)
                for start_vector in range(0, count, together * WRITTEN):
                    end_vector = min(start_vector + together * WRITTEN, count)
                    for vector in range(start_vector, end_vector, together):
                        now = min(together, end_vector - vector)
                        b_first, b_next = b + vectors[0, vector] * size, b + vectors[0, vector + now - 1] * size
                        for deep in range(parts):
                            tap = first_tap + (end_tap - first_tap) * deep // parts
                            end = first_tap + (end_tap - first_tap) * (deep + 1) // parts
                            for f in range(f0, f1, most):
                                a = a0 + ((group * panels + f // most) * taps.size + tap) * most * size
                                to = c + ((f - f0) * pitch + (vector - start_vector) * lanes) * size
                                added, added_row, added_column, adds = to, pitch * size, size, deep
                                if deep == 0 and bias.size:
                                    added, adds = d + (group * plan.filters + f) * size, 1
                                    added_row, added_column = size, 0
                                multiply_windows(
                                    zero, a, table + tap * 8, b_first, b_next, end - tap,
                                    to, pitch * size, added, added_row, added_column, adds,
                                    min(most, f1 - f), now * lanes,
                                )  # fmt: skip
                    found = find_runs(
                        vectors, start_vector, end_vector, lanes, rows[:number], targets, width, plan.step_x, runs
                    )
                    target = (group * plan.filters + f0) * map_size
                    write(sums, pitch, out, target, map_size, f1 - f0, plan.step_x, runs[:, :found])
    keep(image)


@inline
def even_runs(rows, start, stop, runs):
    """Rows at the same distance from each other: in ``runs`` the first, how many, the distance; the number of runs."""
    count, row = 0, start
    while row < stop:
        step = rows[row + 1] - rows[row] if row + 1 < stop else 0
        end = row + 1
        while end < stop and rows[end] - rows[end - 1] == step:
            end += 1
        runs[count, 0], runs[count, 1], runs[count, 2] = row, end - row, step
        count += 1
        row = end
    return count


@compiled(fastmath=FASTMATH, error_model="numpy")
def add_products(start, stop, x, g, sums, plan, taps):
    """Pieces ``start..stop`` of the weight's gradient: spans of boxes, times groups, times ``plan.parts`` of filters.

    ``sums`` has (span, group, tap, filter). Which samples are added together never depends on the pieces.
    """
    zero = sums.dtype.type(0)
    size, lanes, across, most = sums.itemsize, tile_lanes(zero), tile_columns(zero), tile_rows(zero)
    image = np.zeros(planes(plan) + across, sums.dtype)
    # Positions of a block: some rows of the output, or a part of a single one.
    length = min(DEPTH, plan.out_width)
    height = min(DEPTH // length, plan.room * plan.depths * plan.out_height)
    rows, places = np.empty((2, plan.room * plan.depths * plan.out_height), np.int64)
    runs = np.empty((height, 3), np.int64)
    wide = height * length * across * size
    panels = np.empty(((plan.filters + across) // across * wide + LINE) // size + lanes * across, sums.dtype)
    panels = from_line(panels)
    line = (DEPTH + lanes) * size
    lines = np.empty(most * line // size + across, sums.dtype)
    a, b, g0, c0 = intp(lines.ctypes.data), intp(panels.ctypes.data), intp(g.ctypes.data), intp(sums.ctypes.data)
    source, image0 = intp(x.ctypes.data), intp(image.ctypes.data)
    map_size = plan.out_depth * plan.out_height * plan.out_width
    c_row = plan.filters * size
    spans = len(sums) // (plan.groups * taps.size * plan.filters)
    boxes = (plan.samples + plan.room - 1) // plan.room * plan.bands
    for item in range(start, stop):
        part, group, span = item % plan.parts, item // plan.parts % plan.groups, item // (plan.parts * plan.groups)
        f0, f1 = plan.filters * part // plan.parts, plan.filters * (part + 1) // plan.parts
        adds = 0
        for box in range(boxes * span // spans, boxes * (span + 1) // spans):
            first, z0 = box // plan.bands * plan.room, box % plan.bands * plan.depths
            samples, depths = min(plan.room, plan.samples - first), min(plan.depths, plan.out_depth - z0)
            fill(sums.dtype, size, image0, source, plan, first, samples, z0, group * plan.channels)
            number = 0
            for s, z, y in np.ndindex(samples, depths, plan.out_height):
                rows[number] = ((s * plan.deep + z) * plan.high + y) * plan.wide * size
                places[number] = ((first + s) * plan.groups + group) * plan.filters * map_size
                places[number] += ((z0 + z) * plan.out_height + y) * plan.out_width
                number += 1
            for row in range(0, number, height):
                deep = min(height, number - row)
                count = even_runs(rows, row, row + deep, runs)
                for x0 in range(0, plan.out_width, length):
                    across_x = min(length, plan.out_width - x0)
                    for f in range(f0, f1, lanes):
                        to = b + (f - f0) // across * wide + (f - f0) % across * size
                        i = 0
                        while i < deep:
                            n = 1
                            while i + n < deep and places[row + i + n] - places[row + i + n - 1] == across_x:
                                n += 1
                            transpose_rows(
                                zero, g0 + (places[row + i] + f * map_size + x0) * size, map_size * size,
                                to + i * across_x * across * size, across * size, min(lanes, f1 - f), n * across_x,
                            )  # fmt: skip
                            i += n
                    for tap in range(0, taps.size, most):
                        taller = min(most, taps.size - tap)
                        for i in range(taller):
                            to = a + i * line
                            for run in range(count):
                                begin = image0 + taps[tap + i] + rows[runs[run, 0]] + x0 * size
                                # From the right to the left: rows are written beyond their ends, and then overwritten.
                                for j in range((across_x - 1) // across * across, -1, -across):
                                    copy_rows(
                                        zero, begin + j * size, runs[run, 2], to + j * size, across_x * size,
                                        runs[run, 1], min(across, across_x - j),
                                    )  # fmt: skip
                                to += runs[run, 1] * across_x * size
                        c = c0 + (((span * plan.groups + group) * taps.size + tap) * plan.filters) * size
                        for f in range(f0, f1, across):
                            to = c + f * size
                            multiply(
                                zero, a, line, size, b + (f - f0) // across * wide, across * size, deep * across_x,
                                to, c_row, to, c_row, size, adds, taller, min(across, f1 - f),
                            )  # fmt: skip
                    adds = 1
    keep(image)
    keep(lines)
    keep(panels)


@compiled(fastmath=FASTMATH, error_model="numpy")
def add_spans(start, stop, sums, gw, groups, filters, width):
    """Blocks ``start..stop`` of ``width`` filters of the weight's gradient: the sums of all spans, transposed."""
    blocks = (filters + width - 1) // width
    taps = gw.size // (groups * filters)
    for item in range(start, stop):
        group, f = item // blocks, item % blocks * width
        count = min(width, filters - f)
        for tap in range(taps):
            source = (group * taps + tap) * filters + f
            target = (group * filters + f) * taps + tap
            for i in range(count):
                total = sums[uint64(source + i)]
                for other in range(source + i + gw.size, sums.size, gw.size):
                    total += sums[uint64(other)]
                gw[uint64(target + i * taps)] = total
