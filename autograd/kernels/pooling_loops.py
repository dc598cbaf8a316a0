"""Compiled loops of the kernels of pooling; arrays are flat, a work item is one plane (sample, channel).

A plane has three axes (depth, height, width), of which the first have size 1 where there are fewer. A row of windows is
treated tap by tap, so that the innermost loop runs along the row and LLVM vectorizes it.
Indices are made unsigned, which spares numba's test for negative ones. A plane belongs to one thread, so sums run
in a fixed order.
"""

from __future__ import annotations

from math import inf, isnan

import numpy as np
from numba import int32, uint64

from .compiled import compiled
from .scalar import wide

__all__ = ["average_planes", "max_planes", "max_regions", "scatter_planes", "spread_planes"]

FASTMATH = {"contract", "arcp", "nsz"}


@compiled(fastmath=FASTMATH)
def _inside(size, windows, stride, offset):
    """Bounds of the windows ``j`` with ``0 <= j * stride + offset < size``."""
    low = min(max((stride - 1 - offset) // stride, 0), windows)
    high = max(min((size - 1 - offset) // stride + 1, windows), low)
    return low, high


@compiled(fastmath=FASTMATH)
def _first(start, dilation):
    return start if start >= 0 else start - start // dilation * dilation


@compiled(fastmath=FASTMATH)
def max_planes(start, stop, x, out, indices, size, out_size, kernel, stride, padding, dilation):
    """The largest element under each window and where it lies in its plane; a NaN is larger than any number.

    Measured: comparing in contiguous rows of the elements' own width is what makes LLVM vectorize the comparison,
    two to three times faster than in ``out`` and ``indices`` themselves.
    """
    wide()  # measured: a sixth less time; the other kernels here, bound by memory, gain nothing
    depth, height, width = size
    out_depth, out_height, out_width = out_size
    stride_w = stride[2]
    lowest = x.dtype.type(-inf)
    values = np.empty(out_width, x.dtype)
    best = np.empty(out_width, x.dtype)
    places = np.empty(out_width, np.int32)
    for item in range(start * out_depth * out_height, stop * out_depth * out_height):
        sheet, oy = item // out_height, item % out_height
        plane, oz = sheet // out_depth * depth * height * width, sheet % out_depth
        z0, y0 = oz * stride[0] - padding[0], oy * stride[1] - padding[1]
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
                    offset = kx * dilation[2] - padding[2]
                    low, high = _inside(width, out_width, stride_w, offset)
                    where = (iz * height + iy) * width + offset
                    for ox in range(low, high):
                        values[uint64(ox)] = x[uint64(plane + where + ox * stride_w)]
                    for ox in range(low, high):
                        value = values[uint64(ox)]
                        larger = (value > best[uint64(ox)]) | isnan(value)
                        best[uint64(ox)] = value if larger else best[uint64(ox)]
                        places[uint64(ox)] = int32(where + ox * stride_w) if larger else places[uint64(ox)]
        target = item * out_width
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
    """Adds each ``g`` to the element of its plane that ``indices`` names; sets ``failed`` if there is none."""
    for plane in range(start, stop):
        base = plane * elements
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
    for item in range(start * out_depth * out_height, stop * out_depth * out_height):
        sheet, oy = item // out_height, item % out_height
        plane, oz = sheet // out_depth * depth * height * width, sheet % out_depth
        target = item * out_width
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
                    low, high = _inside(width, out_width, stride_w, kx - padding[2])
                    source = plane + (iz * height + iy) * width + kx - padding[2]
                    for ox in range(low, high):
                        out[uint64(target + ox)] += x[uint64(source + ox * stride_w)]
        divisor = (oz * out_height + oy) * out_width
        for ox in range(out_width):
            out[uint64(target + ox)] /= divisors[uint64(divisor + ox)]


@compiled(fastmath=FASTMATH)
def spread_planes(start, stop, g, divisors, gx, size, out_size, kernel, stride, padding):
    """Adds each ``g`` over its divisor to its window of ``gx``: the transpose of `average_planes`."""
    depth, height, width = size
    out_depth, out_height, out_width = out_size
    stride_w = stride[2]
    for item in range(start * out_depth * out_height, stop * out_depth * out_height):
        sheet, oy = item // out_height, item % out_height
        plane, oz = sheet // out_depth * depth * height * width, sheet % out_depth
        source = item * out_width
        divisor = (oz * out_height + oy) * out_width
        for kz in range(kernel[0]):
            iz = oz * stride[0] - padding[0] + kz
            if iz < 0 or iz >= depth:
                continue
            for ky in range(kernel[1]):
                iy = oy * stride[1] - padding[1] + ky
                if iy < 0 or iy >= height:
                    continue
                for kx in range(kernel[2]):
                    low, high = _inside(width, out_width, stride_w, kx - padding[2])
                    target = plane + (iz * height + iy) * width + kx - padding[2]
                    for ox in range(low, high):
                        share = g[uint64(source + ox)] / divisors[uint64(divisor + ox)]
                        gx[uint64(target + ox * stride_w)] += share
