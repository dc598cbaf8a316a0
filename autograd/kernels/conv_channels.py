"""The gradient of a convolution's weight with channels side by side: a vector holds one tap of many channels.

The image lies in a box with its channels last, so that for each position the taps of a row of the window, in all
channels, follow each other. Filters times positions are multiplied with positions times taps, which the register tile
of the matrix product reads where they lie, through a table of the positions' offsets.

Measured, with copies of the taps' rows (`conv_tiles.add_products`, for few channels) as one: 0.7 for windows of 5 x 5
in 20 channels of 12 x 12, 0.9 for 3 x 3 in 64 channels of 32 x 32.
"""

from __future__ import annotations

import numpy as np
from numba import intp, uint64

from .addresses import keep
from .compiled import compiled
from .conv_tiles import DEPTH, FASTMATH, inline, turn_rows
from .gemm_loops import from_line
from .gemm_tile import multiply_windows, tile_columns, tile_lanes, tile_rows
from .memory import LINE

__all__ = ["add_channels", "add_spans_of_channels"]


@inline
def fill_channels_last(image, x, plan, first, samples, z0, group, deep, high, wide, pitch):
    """Copies a group's channels, from depth ``z0`` on, into a box that is zero where no image ever lies.

    It is filled from its begin to its end: what follows a row may be overwritten with zeros.
    """
    zero, size = x.dtype.type(0), x.itemsize
    map_size = plan.depth * plan.height * plan.width
    line = pitch * size
    begin = max(-plan.pad_x, 0)  # negative padding leaves columns out
    length = min(plan.width - begin, wide - max(plan.pad_x, 0))
    for s, z, y in np.ndindex(samples, deep, high):
        from_z, from_y = z0 * plan.stride_z + z - plan.pad_z, y - plan.pad_y
        to = ((s * deep + z) * high + y) * wide + max(plan.pad_x, 0)
        if 0 <= from_z < plan.depth and 0 <= from_y < plan.height:
            at = ((first + s) * plan.groups + group) * plan.channels * map_size
            at += (from_z * plan.height + from_y) * plan.width + begin
            source, target = intp(x.ctypes.data) + at * size, intp(image.ctypes.data) + to * line
            turn_rows(zero, size, source, map_size * size, target, line, plan.channels, length)
        else:
            image[to * pitch : (to + length) * pitch] = 0


@compiled(fastmath=FASTMATH, error_model="numpy")
def add_channels(start, stop, x, g, sums, plan, runs, length, pitch):
    """Pieces ``start..stop`` of the weight's gradient: spans of boxes, times groups, times ``plan.parts`` of filters.

    ``sums`` has (span, group, filter, tap, channel). ``runs`` are offsets in bytes, of ``length`` numbers each that lie
    side by side in a box and in the sums; a box has ``pitch`` numbers from one position to the next. Which samples are
    added together never depends on the pieces.
    """
    zero = sums.dtype.type(0)
    size, lanes, across, most = sums.itemsize, tile_lanes(zero), tile_columns(zero), tile_rows(zero)
    deep, high, wide = plan.deep * plan.stride_z, plan.high * plan.stride_y, plan.wide * plan.stride_x
    image = np.zeros((plan.room * deep * high * wide + lanes) * pitch + across + lanes + LINE // size, sums.dtype)
    image = from_line(image)
    places = np.empty(plan.room * plan.depths * plan.out_height * plan.out_width, np.int64)
    panels = (plan.filters + most - 1) // most
    given = np.empty((panels * DEPTH + lanes) * most + lanes, sums.dtype)
    image0, given0, table = intp(image.ctypes.data), intp(given.ctypes.data), intp(places.ctypes.data)
    g0, c0 = intp(g.ctypes.data), intp(sums.ctypes.data)
    map_size = plan.out_depth * plan.out_height * plan.out_width
    row = len(runs) * length * size
    spans = sums.size * size // (plan.groups * plan.filters * row)
    boxes = (plan.samples + plan.room - 1) // plan.room * plan.bands
    for item in range(start, stop):
        part, group, span = item % plan.parts, item // plan.parts % plan.groups, item // (plan.parts * plan.groups)
        first_panel, last_panel = panels * part // plan.parts, panels * (part + 1) // plan.parts
        c = c0 + (span * plan.groups + group) * plan.filters * row
        adds = 0
        for box in range(boxes * span // spans, boxes * (span + 1) // spans):
            first, z0 = box // plan.bands * plan.room, box % plan.bands * plan.depths
            samples, depths = min(plan.room, plan.samples - first), min(plan.depths, plan.out_depth - z0)
            fill_channels_last(image, x, plan, first, samples, z0, group, deep, high, wide, pitch)
            count = 0
            for s, z, y, j in np.ndindex(samples, depths, plan.out_height, plan.out_width):
                place = ((s * deep + z * plan.stride_z) * high + y * plan.stride_y) * wide + j * plan.stride_x
                places[count] = place * pitch * size
                count += 1
            here = count // samples  # of a sample
            for low in range(0, count, DEPTH):
                high_place = min(low + DEPTH, count)
                n = high_place - low
                for panel in range(first_panel, last_panel):
                    f, place = panel * most, low
                    while place < high_place:
                        s, at = place // here, place % here
                        run = min(high_place - place, here - at)
                        source = ((first + s) * plan.groups + group) * plan.filters + f
                        source = source * map_size + z0 * plan.out_height * plan.out_width + at
                        to = given0 + ((panel - first_panel) * n + place - low) * most * size
                        turn_rows(
                            zero, size, g0 + source * size, map_size * size, to, most * size,
                            min(most, plan.filters - f), run,
                        )  # fmt: skip
                        place += run
                for run in range(len(runs)):
                    for j in range(0, length, across):
                        b = image0 + runs[run] + j * size
                        for panel in range(first_panel, last_panel):
                            to = c + panel * most * row + (run * length + j) * size
                            multiply_windows(
                                zero, given0 + (panel - first_panel) * n * most * size, table + low * 8,
                                b, b + lanes * size, n, to, row, to, row, size, adds,
                                min(most, plan.filters - panel * most), min(across, length - j),
                            )  # fmt: skip
                adds = 1
    keep(given)


@compiled(fastmath=FASTMATH, error_model="numpy")
def add_spans_of_channels(start, stop, sums, gw, taps, channels):
    """Filters ``start..stop`` of the weight's gradient: the sums of all spans, with taps after channels."""
    count = taps * channels
    for item in range(start, stop):
        first = item * count
        for other in range(first + gw.size, sums.size, gw.size):
            for i in range(count):
                sums[uint64(first + i)] += sums[uint64(other + i)]
        for tap in range(taps):
            source, target = first + tap * channels, first + tap
            for channel in range(channels):
                gw[uint64(target + channel * taps)] = sums[uint64(source + channel)]
