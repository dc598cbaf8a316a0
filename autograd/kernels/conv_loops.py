"""Compiled loops of :mod:`autograd.kernels.conv_columns`: image planes to matrix columns and back.

Arrays are flat. ``geometry`` is an int64 array of six rows (kernel, stride, padding, dilation, input, output) by
three axes (depth, height, width). ``box`` names a part of the output: (first sample, samples, first depth, depths,
first row, rows). ``columns`` has a line for each tap of each channel and in it the box's positions, sample by sample.

Indices are made unsigned: numba tests a signed one for being negative, which keeps LLVM from vectorizing (measured:
four times slower). Rows are not sliced: each slice counts a reference, atomically and shared by all threads.
"""

from __future__ import annotations

import numpy as np
from numba import uint64

from .compiled import compiled

__all__ = ["columns_to_image", "image_to_columns"]

FASTMATH = {"contract", "arcp", "nsz"}


@compiled(fastmath=FASTMATH)
def inside(size, positions, kernel, stride, padding, dilation):
    """For each tap, the bounds of the positions at which it lies inside the image.

    Measured: found for each plane anew, the divisions took as long as the copying of short rows.
    """
    low, high = np.empty(kernel, np.int64), np.empty(kernel, np.int64)
    for tap in range(kernel):
        offset = tap * dilation - padding
        low[tap] = min(max((stride - 1 - offset) // stride, 0), positions)
        high[tap] = max(min((size - 1 - offset) // stride + 1, positions), low[tap])
    return low, high


@compiled(fastmath=FASTMATH)
def image_to_columns(start, stop, x, channels, columns, geometry, box):
    """Packs planes ``start..stop`` of a box; plane ``i`` is channel ``i // samples`` of sample ``i % samples``."""
    kernel_d, kernel_h, kernel_w = geometry[0]
    stride_d, stride_h, stride_w = geometry[1]
    padding_d, padding_h, padding_w = geometry[2]
    dilation_d, dilation_h, dilation_w = geometry[3]
    depth, height, width = geometry[4]
    out_width = geometry[5, 2]
    taps = kernel_d * kernel_h * kernel_w
    low, high = inside(width, out_width, kernel_w, stride_w, padding_w, dilation_w)
    first, samples, z0, depths, y0, rows = box
    positions = depths * rows * out_width
    for item in range(start, stop):
        sample = item % samples
        channel = item // samples
        plane = ((first + sample) * channels + channel) * depth * height * width
        line = (channel * taps * samples + sample) * positions
        for kz, ky, kx in np.ndindex(kernel_d, kernel_h, kernel_w):
            offset = kx * dilation_w - padding_w
            left, right = low[kx], high[kx]
            target = line
            line += samples * positions
            for z in range(z0, z0 + depths):
                iz = z * stride_d - padding_d + kz * dilation_d
                for y in range(y0, y0 + rows):
                    iy = y * stride_h - padding_h + ky * dilation_h
                    if iz < 0 or iz >= depth or iy < 0 or iy >= height:
                        for j in range(out_width):
                            columns[uint64(target + j)] = 0
                    else:
                        source = plane + (iz * height + iy) * width + offset
                        for j in range(left):
                            columns[uint64(target + j)] = 0
                        if stride_w == 1:
                            for j in range(left, right):
                                columns[uint64(target + j)] = x[uint64(source + j)]
                        else:
                            for j in range(left, right):
                                columns[uint64(target + j)] = x[uint64(source + j * stride_w)]
                        for j in range(right, out_width):
                            columns[uint64(target + j)] = 0
                    target += out_width


@compiled(fastmath=FASTMATH)
def columns_to_image(start, stop, columns, gx, channels, geometry, box):
    """Adds the columns of planes ``start..stop`` to ``gx``: the transpose of `image_to_columns`.

    A plane belongs to one thread and its taps are added in order, so the sums never depend on the scheduling.
    """
    kernel_d, kernel_h, kernel_w = geometry[0]
    stride_d, stride_h, stride_w = geometry[1]
    padding_d, padding_h, padding_w = geometry[2]
    dilation_d, dilation_h, dilation_w = geometry[3]
    depth, height, width = geometry[4]
    out_width = geometry[5, 2]
    taps = kernel_d * kernel_h * kernel_w
    low, high = inside(width, out_width, kernel_w, stride_w, padding_w, dilation_w)
    first, samples, z0, depths, y0, rows = box
    positions = depths * rows * out_width
    for item in range(start, stop):
        sample = item % samples
        channel = item // samples
        plane = ((first + sample) * channels + channel) * depth * height * width
        line = (channel * taps * samples + sample) * positions
        for kz, ky, kx in np.ndindex(kernel_d, kernel_h, kernel_w):
            offset = kx * dilation_w - padding_w
            left, right = low[kx], high[kx]
            source = line
            line += samples * positions
            for z in range(z0, z0 + depths):
                iz = z * stride_d - padding_d + kz * dilation_d
                for y in range(y0, y0 + rows):
                    iy = y * stride_h - padding_h + ky * dilation_h
                    if 0 <= iz < depth and 0 <= iy < height:
                        target = plane + (iz * height + iy) * width + offset
                        if stride_w == 1:
                            for j in range(left, right):
                                gx[uint64(target + j)] += columns[uint64(source + j)]
                        else:
                            for j in range(left, right):
                                gx[uint64(target + j * stride_w)] += columns[uint64(source + j)]
                    source += out_width
