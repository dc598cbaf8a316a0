"""Compiled loops of the kernels of pooling; arrays are flat, a work item is one plane (sample, channel).

A plane has three axes (depth, height, width), of which the first have size 1 where there are fewer. A row of windows is
treated tap by tap, so that the innermost loop runs along the row and LLVM vectorizes it.
Indices are made unsigned, which spares numba's test for negative ones. A plane belongs to one thread, so sums run
in a fixed order.
"""

from __future__ import annotations

from math import inf, isnan

import numpy as np
from numba import int32, njit, uint64

from .compiled import compiled
from .scalar import where, wide

__all__ = ["average_planes", "max_planes", "max_regions", "scatter_planes", "spread_planes"]

FASTMATH = {"contract", "arcp", "nsz"}


@compiled(fastmath=FASTMATH)
def _bounds(size, windows, kernel, stride, padding, dilation):
    """For each tap ``k`` of an axis the bounds of the windows that have it inside: ``0 <= place < size``."""
    lows, highs = np.empty(kernel, np.int64), np.empty(kernel, np.int64)
    for k in range(kernel):
        offset = k * dilation - padding
        lows[k] = min(max((stride - 1 - offset) // stride, 0), windows)
        highs[k] = max(min((size - 1 - offset) // stride + 1, windows), lows[k])
    return lows, highs


@compiled(fastmath=FASTMATH)
def _first(start, dilation):
    return start if start >= 0 else start - start // dilation * dilation


@njit(forceinline=True, fastmath=FASTMATH)
def _is_larger(value, best):
    return (value > best) | isnan(value)


@njit(forceinline=True, fastmath=FASTMATH)
def _row_of_squares(x, out, indices, plane, corner, target, windows, width):
    """Windows of 2 by 2 side by side, of which the first has its corner at ``corner``."""
    for ox in range(windows):
        best, place = x[uint64(plane + corner + 2 * ox)], int32(0)
        for ky in range(2):
            for kx in range(2):
                value = x[uint64(plane + corner + 2 * ox + ky * width + kx)]
                larger = _is_larger(value, best)
                best = where(larger, value, best)
                place = int32(ky * width + kx) if larger else place
        out[uint64(target + ox)] = best
        indices[uint64(target + ox)] = int32(corner + 2 * ox) + place


@compiled(fastmath=FASTMATH)
def max_planes(start, stop, x, out, indices, size, out_size, kernel, stride, padding, dilation):
    """The largest element under each window and where it lies in its plane; a NaN is larger than any number.

    Measured: comparing in contiguous rows of the elements' own width is what makes LLVM vectorize the comparison,
    two to three times faster than in ``out`` and ``indices`` themselves. The most usual windows, of 2 by 2 side by
    side, are two to four times as fast in straight code.
    """
    wide()  # measured: a sixth less time; the other kernels here, bound by memory, gain nothing
    depth, height, width = size
    out_depth, out_height, out_width = out_size
    stride_w = stride[2]
    lowest = x.dtype.type(-inf)
    lows, highs = _bounds(width, out_width, kernel[2], stride_w, padding[2], dilation[2])
    values = np.empty(out_width, x.dtype)
    best = np.empty(out_width, x.dtype)
    places = np.empty(out_width, np.int32)
    is_tiled = kernel == (1, 2, 2) and stride == (1, 2, 2) and padding == (0, 0, 0) and dilation == (1, 1, 1)
    is_tiled = is_tiled and 2 * out_height <= height and 2 * out_width <= width
    for sheet in range(start * out_depth, stop * out_depth):
        plane, z0 = sheet // out_depth * depth * height * width, sheet % out_depth * stride[0] - padding[0]
        for oy in range(out_height):
            y0, target = oy * stride[1] - padding[1], (sheet * out_height + oy) * out_width
            if is_tiled:
                _row_of_squares(x, out, indices, plane, (z0 * height + y0) * width, target, out_width, width)
                continue
            row = (_first(z0, dilation[0]) * height + _first(y0, dilation[1])) * width
            for ox in range(out_width):
                best[uint64(ox)] = lowest
                places[uint64(ox)] = int32(row + _first(ox * stride_w - padding[2], dilation[2]))
            for kz in range(kernel[0]):
                iz = z0 + kz * dilation[0]
                if iz < 0 or iz >= depth:
                    continue
                for ky in range(kernel[1]):
                    iy = y0 + ky * dilation[1]
                    if iy < 0 or iy >= height:
                        continue
                    for kx in range(kernel[2]):
                        at = (iz * height + iy) * width + kx * dilation[2] - padding[2]
                        for ox in range(lows[kx], highs[kx]):
                            values[uint64(ox)] = x[uint64(plane + at + ox * stride_w)]
                        for ox in range(lows[kx], highs[kx]):
                            larger = _is_larger(values[uint64(ox)], best[uint64(ox)])
                            best[uint64(ox)] = values[uint64(ox)] if larger else best[uint64(ox)]
                            places[uint64(ox)] = int32(at + ox * stride_w) if larger else places[uint64(ox)]
            for ox in range(out_width):
                out[uint64(target + ox)] = best[uint64(ox)]
                indices[uint64(target + ox)] = places[uint64(ox)]


@compiled(fastmath=FASTMATH)
def max_regions(start, stop, x, out, indices, size, out_size, firsts, ends):
    """`max_planes` for regions of any sizes: from ``firsts`` to ``ends``, rows with the depths, heights and widths of
    the regions one after the other; one row for all planes, or one for each.
    """
    depth, height, width = size
    out_depth, out_height, out_width = out_size
    lowest = x.dtype.type(-inf)
    for item in range(start, stop):
        plane, bounds = item * depth * height * width, item % len(firsts)
        target = item * out_depth * out_height * out_width
        for oz in range(out_depth):
            z0, z1 = firsts[bounds, oz], ends[bounds, oz]
            for oy in range(out_height):
                y0, y1 = firsts[bounds, out_depth + oy], ends[bounds, out_depth + oy]
                for ox in range(out_width):
                    column = out_depth + out_height + ox
                    x0, x1 = firsts[bounds, column], ends[bounds, column]
                    best, place = lowest, (z0 * height + y0) * width + x0
                    for iz in range(z0, z1):
                        for iy in range(y0, y1):
                            row = (iz * height + iy) * width
                            for ix in range(x0, x1):
                                value = x[uint64(plane + row + ix)]
                                if value > best or isnan(value):
                                    best, place = value, row + ix
                    out[uint64(target)] = best
                    indices[uint64(target)] = place
                    target += 1


@compiled(fastmath=FASTMATH)
def scatter_planes(start, stop, g, indices, gx, positions, elements, failed):
    """Zeros, and each ``g`` added to the element of its plane that ``indices`` names; sets ``failed`` where there is
    none."""
    for plane in range(start, stop):
        base = plane * elements
        for i in range(base, base + elements):
            gx[uint64(i)] = 0
        for i in range(plane * positions, (plane + 1) * positions):
            index = indices[uint64(i)]
            if 0 <= index < elements:
                gx[uint64(base + index)] += g[uint64(i)]
            else:
                failed[0] = True


@compiled(fastmath=FASTMATH)
def average_planes(start, stop, x, divisors, out, size, out_size, kernel, stride, padding):
    """The sum of each window over its divisor."""
    depth, height, width = size
    out_depth, out_height, out_width = out_size
    stride_w = stride[2]
    lows, highs = _bounds(width, out_width, kernel[2], stride_w, padding[2], 1)
    for sheet in range(start * out_depth, stop * out_depth):
        plane, oz = sheet // out_depth * depth * height * width, sheet % out_depth
        for oy in range(out_height):
            target = (sheet * out_height + oy) * out_width
            for ox in range(out_width):
                out[uint64(target + ox)] = 0
            for kz in range(kernel[0]):
                iz = oz * stride[0] - padding[0] + kz
                if iz < 0 or iz >= depth:
                    continue
                for ky in range(kernel[1]):
                    iy = oy * stride[1] - padding[1] + ky
                    if iy < 0 or iy >= height:
                        continue
                    for kx in range(kernel[2]):
                        source = plane + (iz * height + iy) * width + kx - padding[2]
                        for ox in range(lows[kx], highs[kx]):
                            out[uint64(target + ox)] += x[uint64(source + ox * stride_w)]
            divisor = (oz * out_height + oy) * out_width
            for ox in range(out_width):
                out[uint64(target + ox)] /= divisors[uint64(divisor + ox)]


@compiled(fastmath=FASTMATH)
def spread_planes(start, stop, g, divisors, gx, size, out_size, kernel, stride, padding):
    """Zeros, and each ``g`` over its divisor added to its window of ``gx``: the transpose of `average_planes`."""
    depth, height, width = size
    out_depth, out_height, out_width = out_size
    stride_w = stride[2]
    lows, highs = _bounds(width, out_width, kernel[2], stride_w, padding[2], 1)
    shares = np.empty(out_width, g.dtype)
    for sheet in range(start * out_depth, stop * out_depth):
        plane, oz = sheet // out_depth * depth * height * width, sheet % out_depth
        if oz == 0:
            for i in range(plane, plane + depth * height * width):
                gx[uint64(i)] = 0
        for oy in range(out_height):
            source, divisor = (sheet * out_height + oy) * out_width, (oz * out_height + oy) * out_width
            for ox in range(out_width):
                shares[uint64(ox)] = g[uint64(source + ox)] / divisors[uint64(divisor + ox)]
            for kz in range(kernel[0]):
                iz = oz * stride[0] - padding[0] + kz
                if iz < 0 or iz >= depth:
                    continue
                for ky in range(kernel[1]):
                    iy = oy * stride[1] - padding[1] + ky
                    if iy < 0 or iy >= height:
                        continue
                    for kx in range(kernel[2]):
                        target = plane + (iz * height + iy) * width + kx - padding[2]
                        for ox in range(lows[kx], highs[kx]):
                            gx[uint64(target + ox * stride_w)] += shares[uint64(ox)]
