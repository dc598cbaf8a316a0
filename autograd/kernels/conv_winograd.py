"""Convolution with windows of 3 x 3 by Winograd's algorithm: 16 products for four numbers where the sum takes 36.

A map is cut into tiles of 2 x 2, each of which sees 4 x 4 numbers ``d`` of the image. With a filter ``g`` of 3 x 3::

    tile = A^T [(G g G^T) * (B^T d B)] A

        1  0 -1  0           1    0    0
    B^T 0  1  1  0    G     1/2  1/2  1/2    A^T  1  1  1  0
        0 -1  1  0          1/2 -1/2  1/2         0  1 -1 -1
        0  1  0 -1           0    0    1

where ``*`` is number by number. The sum over channels can be taken before ``A``, so that it is 16 products of
matrices, filters x channels by channels x tiles. `winograd_tile` has the transforms, for vectors of tiles.

Rounding is that of the direct sum within a small factor, but tiles share what is not finite: the caller is told when
there is such a number, and computes all anew, directly.

Source: A. Lavin, S. Gray, Fast Algorithms for Convolutional Neural Networks, CVPR 2016, https://arxiv.org/abs/1509.09308
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numba import intp, uint64

from . import threads
from .addresses import keep
from .addresses import run as array_at
from .compiled import compiled
from .conv_columns import Geometry
from .conv_tiles import FASTMATH
from .gemm_tile import host_tile, multiply, tile_columns, tile_lanes, tile_rows
from .memory import LINE, ROOM
from .winograd_tile import join_tiles, split_rows, transform_columns, transform_filters

__all__ = ["Tiles", "correlate", "products"]

GRAIN = 1 << 20  # products worth a thread
BLOCK_BYTES = 3 << 18  # of a block's image and sums: what is left of the second-level cache belongs to filters
# What the transform of a tile costs, of an image or of sums, in products of numbers, and what it costs once for each of
# their maps, for a filter in one channel, and for a call: measured for 3 to 512 channels, maps of 4 x 4 to 224 x 224.
OF_TILE, OF_MAP, OF_FILTER, OF_CALL = 120, 1400, 500, 1 << 18
TOGETHER = 2  # panels of filters whose sums wait for the last transform
DEEP = 128  # channels that are multiplied in one go


class Tiles(NamedTuple):
    """How maps are cut into blocks of tiles, for the loops."""

    samples: int
    groups: int
    channels: int  # of a group, and so the filters
    filters: int
    height: int  # of the image
    width: int
    top: int  # padding
    left: int
    out_height: int
    out_width: int
    high: int  # tiles of a map
    wide: int
    room: int  # samples in a block
    rows: int  # of tiles, in a block of each of them
    bands: int  # blocks to a sample
    parts: int  # that a group's filters are cut into
    pitch: int  # tiles from one row of a matrix to the next, the numbers of
    image: int  # one of the 16 matrices of an image,
    sums: int  # of sums,
    plane: int  # and of a plane of an image's transformed rows

    @property
    def blocks(self) -> int:
        return -(-self.samples // self.room) * self.bands


def products(geometry: Geometry, itemsize: int) -> float:
    """Products of each sample, filter and channel that cost as much as all the work; infinite where it cannot be done.

    Args:
        geometry: of a convolution, which may be `Geometry.turned_round`.
    """
    if geometry.axes != 2 or geometry.kernel != (1, 3, 3) or max(*geometry.stride, *geometry.dilation) > 1:
        return float("inf")
    tiles = _tiles(geometry, itemsize, 1)
    tile = host_tile(8 * itemsize)
    if (16 * (tiles.image + tiles.sums) + 8 * tiles.plane + 4 * tiles.pitch + tile.lanes) * itemsize > ROOM:
        return float("inf")
    each = tiles.room * tiles.rows * tiles.wide
    count = tiles.blocks * (-(-each // tile.lanes) * tile.lanes)
    filters = -(-tiles.filters // tile.heights()[-1]) * tile.heights()[-1]
    work = (16 * count + OF_FILTER) * tiles.channels * filters
    work += (OF_TILE * count + OF_MAP * tiles.samples) * (tiles.channels + filters)
    return (work + OF_CALL / tiles.groups) / (tiles.samples * tiles.channels * tiles.filters)


@lru_cache(256)
def _tiles(geometry: Geometry, itemsize: int, wanted: int) -> Tiles:
    tile = host_tile(8 * itemsize)
    channels, filters = geometry.channels // geometry.groups, geometry.filters // geometry.groups
    (_, height, width), (_, out_height, out_width) = geometry.size, geometry.out
    high, wide = -(-out_height // 2), -(-out_width // 2)
    most = max(BLOCK_BYTES // (16 * (channels + TOGETHER * tile.rows) * itemsize), tile.columns)
    rows = max(1, min(high, most // wide))
    bands = -(-high // rows)
    rows = -(-high // bands)
    room = max(1, min(most // (rows * wide), geometry.samples)) if bands == 1 else 1
    # Odd numbers of lines: rows, and matrices, that lie a power of two apart would compete for places in the cache.
    line = LINE // itemsize
    pitch = (-(-(room * rows * wide + tile.lanes) // line) | 1) * line
    blocks = -(-geometry.samples // room) * bands * geometry.groups
    parts = max(1, min(-(-wanted // blocks), filters // (TOGETHER * tile.rows)))
    return Tiles(
        geometry.samples, geometry.groups, channels, filters, height, width, geometry.padding[1], geometry.padding[2],
        out_height, out_width, high, wide, room, rows, bands, parts,
        pitch, channels * pitch + line, TOGETHER * tile.rows * pitch + line, (rows + 1) * wide + tile.columns + line,
    )  # fmt: skip


def correlate(
    x: np.ndarray, packed: np.ndarray, bias: np.ndarray, out: np.ndarray, geometry: Geometry, *, is_turned: bool
) -> bool:
    """Writes the output; whether all its numbers are finite.

    Args:
        x: (N, C, H, W), flat.
        packed: the filters in panels as high as a tile, tap by tap.
        bias: (F,), or empty.
        out: (N, F, H, W).
        geometry: of this convolution, which may be `Geometry.turned_round`; then the taps lie in the opposite order.
    """
    count = threads.get_num_threads()
    tiles = _tiles(geometry, x.itemsize, count * threads.PIECES_PER_THREAD if count > 1 else 1)
    tile = host_tile(8 * x.itemsize)
    panels = -(-tiles.filters // tile.rows)
    length = tiles.channels * tile.rows + tile.lanes
    filters = np.empty(16 * tiles.groups * panels * length, x.dtype)
    pieces = tiles.groups * panels
    grain = -(-GRAIN * pieces // (filters.size * 16))
    threads.run(transform_panels, pieces, packed, filters, tiles.channels, is_turned, grain=grain)
    bad = np.zeros(1, np.int64)
    bias = bias if bias.size else np.zeros(tiles.groups * tiles.filters, x.dtype)
    pieces = tiles.blocks * tiles.groups * tiles.parts
    grain = -(-GRAIN * pieces // (out.size * tiles.channels * 4))
    threads.run(correlate_tiles, pieces, x, filters, bias, out.reshape(-1), bad, tiles, grain=grain)
    return not bad[0]


@compiled(fastmath=FASTMATH, error_model="numpy")
def transform_panels(start, stop, packed, filters, channels, turned):
    """Panels ``start..stop`` of filters: 16 matrices, the panels of each side by side."""
    zero = filters.dtype.type(0)
    size, most, lanes = filters.itemsize, tile_rows(zero), tile_lanes(zero)
    length = channels * most + lanes
    step, first = most * size, 0
    if turned:
        step, first = -step, 8 * step
    for panel in range(start, stop):
        source = intp(packed.ctypes.data) + panel * channels * 9 * most * size + first
        target = intp(filters.ctypes.data) + panel * length * size
        transform_filters(zero, source, step, 9 * most * size, target, filters.size // 16 * size, channels)


@compiled(fastmath=FASTMATH, error_model="numpy")
def correlate_tiles(start, stop, x, filters, bias, out, bad, tiles, room):
    """Pieces ``start..stop`` of ``out``: blocks of tiles, times groups, times ``tiles.parts`` of the filters of a
    group. At the address ``room`` are `memory.ROOM` bytes for a block."""
    zero = out.dtype.type(0)
    size, lanes, across, most = out.itemsize, tile_lanes(zero), tile_columns(zero), tile_rows(zero)
    panels = (tiles.filters + most - 1) // most
    pitch, wide = tiles.pitch * size, tiles.wide * size
    panel, matrix = (tiles.channels * most + lanes) * size, filters.size // 16 * size
    image, sums, plane = tiles.image * size, tiles.sums * size, tiles.plane * size
    v0 = room
    m0 = v0 + 16 * image
    h0 = m0 + 16 * sums
    s0 = h0 + 8 * plane
    check = s0 + 4 * pitch
    cleared = array_at(m0, (check - m0) // size + lanes, out.dtype)
    for i in range(cleared.size):
        cleared[uint64(i)] = 0
    joined = array_at(s0, 4 * tiles.pitch, out.dtype)
    x0, u0, b0 = intp(x.ctypes.data), intp(filters.ctypes.data), intp(bias.ctypes.data)
    map_size = tiles.out_height * tiles.out_width
    filled = -1
    for item in range(start, stop):
        part, group, block = item % tiles.parts, item // tiles.parts % tiles.groups, item // tiles.parts // tiles.groups
        first, top = block // tiles.bands * tiles.room, block % tiles.bands * tiles.rows
        samples, rows = min(tiles.room, tiles.samples - first), min(tiles.rows, tiles.high - top)
        each = rows * tiles.wide
        count = samples * each
        if filled != item // tiles.parts:
            filled = item // tiles.parts
            for c in range(tiles.channels):
                for s in range(samples):
                    map_ = ((first + s) * tiles.groups + group) * tiles.channels + c
                    for odd in range(2):
                        # Of the rows 2 * i + odd, from the block's first on, those inside the image.
                        y = 2 * top + odd - tiles.top
                        low = min(max((1 - y) // 2, 0), rows + 1)
                        end = max(min((tiles.height - y + 1) // 2, rows + 1), low)
                        h = h0 + 4 * odd * plane
                        if low < end:
                            source = x0 + (map_ * tiles.height + y + 2 * low) * tiles.width * size
                            # From the right to the left: rows are written beyond their ends, and then overwritten.
                            for t in range((tiles.wide - 1) // lanes * lanes, -1, -lanes):
                                split_rows(
                                    zero, source, 2 * tiles.width * size, h + low * wide + t * size, wide, plane,
                                    end - low, 2 * t - tiles.left, tiles.width,
                                )  # fmt: skip
                        for j in range(4):
                            row = array_at(h + j * plane, (rows + 1) * tiles.wide, out.dtype)
                            for i in range(low * tiles.wide):
                                row[uint64(i)] = 0
                            for i in range(end * tiles.wide, (rows + 1) * tiles.wide):
                                row[uint64(i)] = 0
                    to = v0 + c * pitch + s * each * size
                    transform_columns(zero, h0, wide, plane, to, image, (each + lanes - 1) // lanes)
        end_filter = min(panels * (part + 1) // tiles.parts * most, tiles.filters)
        for f0 in range(panels * part // tiles.parts * most, end_filter, TOGETHER * most):
            f1 = min(f0 + TOGETHER * most, end_filter)
            for i in range(16):
                for t in range(0, count, across):
                    for c in range(0, tiles.channels, DEEP):
                        deep = min(DEEP, tiles.channels - c)
                        b = v0 + i * image + c * pitch + t * size
                        for f in range(f0, f1, most):
                            a = u0 + i * matrix + (group * panels + f // most) * panel + c * most * size
                            to = m0 + i * sums + (f - f0) * pitch + t * size
                            multiply(
                                zero, a, size, most * size, b, pitch, deep, to, pitch, to, pitch, size, c,
                                min(most, f1 - f), min(across, count - t),
                            )  # fmt: skip
            for f in range(f0, f1):
                added = b0 + (group * tiles.filters + f) * size
                join_tiles(zero, m0 + (f - f0) * pitch, sums, added, s0, 2 * pitch, (count + lanes - 1) // lanes, check)
                for s in range(samples):
                    to = (((first + s) * tiles.groups + group) * tiles.filters + f) * map_size
                    for y in range(2 * top, min(2 * (top + rows), tiles.out_height)):
                        at = 2 * (s * each + (y // 2 - top) * tiles.wide) + y % 2 * 2 * tiles.pitch
                        for k in range(tiles.out_width):
                            out[uint64(to + y * tiles.out_width + k)] = joined[uint64(at + k)]
    total = array_at(check, lanes, out.dtype)
    for i in range(lanes):
        if total[i] != 0:
            bad[0] = 1
    keep(bias)
