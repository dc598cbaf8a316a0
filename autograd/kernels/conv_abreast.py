"""Convolution with samples side by side: a vector holds one position of many samples, for small images.

Where rows are short, vectors of positions (:mod:`~autograd.kernels.conv_tiles`) are partly empty, and a padded image
has many taps that are zeros. Here every lane has a sample, and each position meets the taps inside the image and no
others. The price is two transpositions: of the input, so that samples lie next to each other, and of the output, back.
Measured, batch 64: windows of 5 x 5 in images of 12 x 12, 20 to 50 channels, take 0.65 of the time, and half of it for
the gradient of the input; 3 x 3 in 7 x 7, 64 channels, 0.62.

The gradient of the input, with a stride of 1, is such a convolution of ``g`` with the filters turned round.
"""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import NamedTuple

import numpy as np
from numba import intp, uint64

from . import threads
from .compiled import compiled
from .conv_columns import Geometry
from .conv_tiles import FASTMATH, inline
from .gemm_tile import host_tile, multiply_windows, tile_columns, tile_lanes, tile_rows, transpose_rows
from .memory import ROOM

__all__ = ["correlate", "lane_products"]

GRAIN = 1 << 20  # products worth a thread


class Plan(NamedTuple):
    """What has three sizes goes along depth, height and width."""

    samples: int
    groups: int
    channels: int  # of a group, and so the filters
    filters: int
    kernel: tuple[int, int, int]
    stride: tuple[int, int, int]
    padding: tuple[int, int, int]
    dilation: tuple[int, int, int]
    size: tuple[int, int, int]
    out: tuple[int, int, int]


@lru_cache(256)
def lane_products(geometry: Geometry, itemsize: int) -> float:
    """Products of each sample, filter and channel, those of empty lanes included; infinite where there is no room."""
    tile = host_tile(8 * itemsize)
    if _numbers(geometry, itemsize) * itemsize > ROOM:
        return float("inf")
    pairs = 1
    for kernel, stride, padding, dilation, size, out in zip(*geometry[:6], strict=True):
        places = np.arange(out).reshape(-1, 1) * stride - padding + np.arange(kernel) * dilation
        pairs *= int(np.count_nonzero((places >= 0) & (places < size)))
    return pairs * -(-geometry.samples // tile.lanes) * tile.lanes / geometry.samples


def correlate(x: np.ndarray, filters: np.ndarray, bias: np.ndarray, geometry: Geometry) -> np.ndarray:
    """The output (N, F, *out).

    Args:
        x: (N, C, *spatial), flat.
        filters: (groups, F / groups, C / groups, taps).
        bias: (F,), or empty.
        geometry: of this convolution, which may be `Geometry.turned_round`.
    """
    dtype, itemsize = x.dtype, x.itemsize
    tile = host_tile(8 * itemsize)
    groups, count, channels, taps = filters.shape
    panels = -(-count // tile.rows)
    padded = np.zeros((groups, taps, channels, panels * tile.rows), dtype)
    padded[..., :count] = filters.transpose(0, 3, 2, 1)
    packed = padded.reshape(groups, taps * channels, panels, tile.rows).swapaxes(1, 2).reshape(-1)
    plan = Plan(geometry.samples, groups, channels, count, *geometry[:6])  # type: ignore[arg-type]  # a part of a named tuple
    out = np.empty((geometry.samples, geometry.filters, *geometry.spatial_out()), dtype)
    pieces = -(-geometry.samples // tile.columns) * groups * panels
    loop = (x, packed, bias, out.reshape(-1), plan, _offsets(geometry, itemsize))
    threads.run(multiply_samples, pieces, *loop, grain=-(-GRAIN * pieces // (out.size * taps * channels)))
    return out


def _numbers(geometry: Geometry, itemsize: int) -> int:
    """Of the samples of a box, and a block that is written beyond them."""
    tile = host_tile(8 * itemsize)
    return (geometry.channels // geometry.groups * prod(geometry.size) + tile.lanes) * tile.columns


@lru_cache(256)
def _offsets(geometry: Geometry, itemsize: int) -> np.ndarray:
    """Of each tap, (kernel, channels), its offset from the first in bytes."""
    tile, (_, height, width) = host_tile(8 * itemsize), geometry.size
    z, y, x = np.indices(geometry.kernel) * np.array(geometry.dilation).reshape(3, 1, 1, 1)
    channels = np.arange(geometry.channels // geometry.groups) * prod(geometry.size)
    return (((z * height + y) * width + x).reshape(-1, 1) + channels).reshape(-1) * (tile.columns * itemsize)


@inline
def inside(plan, axis, position):
    """Along an axis the coordinate of a position's first tap, and the first and the end of the taps in the image."""
    first, step = position * plan.stride[axis] - plan.padding[axis], plan.dilation[axis]
    low = max((step - 1 - first) // step, 0)
    return first, low, max(min((plan.size[axis] - 1 - first) // step + 1, plan.kernel[axis]), low)


@compiled(fastmath=FASTMATH, error_model="numpy")
def multiply_samples(start, stop, x, packed, bias, out, plan, taps, room):
    """Pieces ``start..stop`` of ``out``: boxes of as many samples as a tile has columns, groups, panels of filters.

    ``packed`` has panels as high as a tile, tap by tap; ``taps`` their offsets at the address ``room``, where each
    number of a sample is a row of the samples.
    """
    zero = out.dtype.type(0)
    size, lanes, across, most = out.itemsize, tile_lanes(zero), tile_columns(zero), tile_rows(zero)
    count = plan.size[0] * plan.size[1] * plan.size[2]
    places = plan.out[0] * plan.out[1] * plan.out[2]
    panels = (plan.filters + most - 1) // most
    row = across * size
    sums = np.empty(most * places * across, out.dtype)
    pitch = (places + lanes - 1) // lanes * lanes
    turned = np.empty((across + lanes) * pitch, out.dtype)
    x0, a0, image0, d0 = intp(x.ctypes.data), intp(packed.ctypes.data), room, intp(bias.ctypes.data)
    s0, t0, table = intp(sums.ctypes.data), intp(turned.ctypes.data), intp(taps.ctypes.data)
    filled = -1
    for item in range(start, stop):
        panel, box = item % panels, item // panels
        group, first = box % plan.groups, box // plan.groups * across
        samples = min(across, plan.samples - first)
        if filled != box:
            filled = box
            sample = plan.groups * plan.channels * count
            for c in range(plan.channels):
                at = first * sample + (group * plan.channels + c) * count
                for lane in range(0, samples, lanes):
                    transpose_rows(
                        zero, x0 + (at + lane * sample) * size, sample * size,
                        image0 + c * count * row + lane * size, row, min(lanes, samples - lane), count,
                    )  # fmt: skip
        f = group * plan.filters + panel * most
        height = min(most, plan.filters - panel * most)
        a = a0 + (group * panels + panel) * taps.size * most * size
        to = s0
        for z, y, x_ in np.ndindex(plan.out):
            first_z, low_z, high_z = inside(plan, 0, z)
            first_y, low_y, high_y = inside(plan, 1, y)
            first_x, low_x, high_x = inside(plan, 2, x_)
            window = image0 + ((first_z * plan.size[1] + first_y) * plan.size[2] + first_x) * row
            deep, times = high_x - low_x, high_y - low_y
            if deep == plan.kernel[2]:  # taps of several rows follow each other
                deep, times = deep * times, min(times, 1)
            added, added_row, added_column, adds = d0 + f * size, size, 0, bias.size
            for kz in range(low_z, high_z):
                for ky in range(low_y, low_y + times):
                    if deep:
                        tap = ((kz * plan.kernel[1] + ky) * plan.kernel[2] + low_x) * plan.channels
                        multiply_windows(
                            zero, a + tap * most * size, table + tap * 8, window, window + lanes * size,
                            deep * plan.channels, to, places * row, added, added_row, added_column, adds,
                            height, samples,
                        )  # fmt: skip
                        added, added_row, added_column, adds = to, places * row, size, 1
            if added != to:  # no tap lies inside
                for i in range(height):
                    number = bias[f + i] if bias.size else zero
                    for lane in range(samples):
                        sums[uint64((to - s0) // size + i * places * across + lane)] = number
            to += row
        for i in range(height):
            for place in range(0, places, lanes):
                transpose_rows(
                    zero, s0 + (i * places + place) * row, row, t0 + place * size, pitch * size,
                    min(lanes, places - place), samples,
                )  # fmt: skip
            for sample in range(samples):
                target, source = ((first + sample) * plan.groups * plan.filters + f + i) * places, sample * pitch
                for place in range(places):
                    out[uint64(target + place)] = turned[uint64(source + place)]
