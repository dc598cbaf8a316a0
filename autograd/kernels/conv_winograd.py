"""Convolution with windows of 3 x 3 by Winograd's algorithm: 16 products for four numbers where the sum takes 36.

A map is cut into tiles of 2 x 2, each of which sees 4 x 4 numbers ``d`` of the image. With a filter ``g`` of 3 x 3::

    tile = A^T [(G g G^T) * (B^T d B)] A

        1  0 -1  0           1    0    0
    B^T 0  1  1  0    G     1/2  1/2  1/2    A^T  1  1  1  0
        0 -1  1  0          1/2 -1/2  1/2         0  1 -1 -1
        0  1  0 -1           0    0    1

where ``*`` is number by number. The sum over channels can be taken before ``A``, so that it is 16 products of
matrices, filters x channels by channels x tiles. The gradient of the image is such a convolution with filters turned
round; that of the filters goes the other way, ``G^T [(A dtile A^T) * (B^T d B)] G``, and adds up tiles.
`winograd_tile` has the transforms, for vectors of tiles or of filters.

Each number sees its own window only, and rounding is that of the direct sum within a small factor. But what is added
and subtracted again leaves NaN where it is infinite: the caller is told when a number is not finite, and computes all
anew, directly.

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
from .conv_tiles import FASTMATH, inline, turn_rows
from .gemm_loops import from_line
from .gemm_tile import host_tile, multiply, tile_columns, tile_lanes, tile_rows, transpose_rows
from .memory import LINE, ROOM
from .winograd_tile import (
    join_filters,
    join_tiles,
    split_rows,
    transform_columns,
    transform_filters,
    transform_tiles,
)

__all__ = ["correlate", "products", "weight_gradient", "weight_products"]

GRAIN = 1 << 20  # products worth a thread
BLOCK_BYTES = 3 << 18  # of a block's image and sums: what is left of the second-level cache belongs to filters
# What the transform of a tile costs, of an image or of sums, in products of numbers, and what it costs once for each of
# their maps, for a filter in one channel, and for a call: measured for 3 to 512 channels, maps of 4 x 4 to 224 x 224.
OF_TILE, OF_MAP, OF_FILTER, OF_CALL = 120, 1400, 500, 1 << 18
OF_BLOCK = 16  # and a block for a product that is added to those of others
TOGETHER = 2  # panels of filters whose sums wait for the last transform
DEEP = 128  # channels, or tiles, that are multiplied in one go
WEIGHT_BYTES = 1 << 20  # of a block's image and gradient, where sums are all else
GIVEN = 64  # filters whose gradient lies beside the image at once, a multiple of a tile's columns
# Tiles are added up in spans that threads share out, and the spans in order. Their number, which decides how sums are
# rounded, depends on sizes alone: this one or a half or a quarter of it, and so many numbers in all.
SPANS, SPAN_NUMBERS = 4, 1 << 18


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
    spans: int  # of blocks that are added up, for a weight's gradient
    parts: int  # that a group's filters are cut into
    pitch: int  # from one row of an image's matrix to the next,
    row: int  # and of those beside it, of sums or of a gradient; the numbers of
    image: int  # one of the 16 matrices of an image,
    beside: int  # of those beside it,
    plane: int  # and of a plane of an image's transformed rows
    numbers: int  # in a thread's room

    @property
    def blocks(self) -> int:
        return -(-self.samples // self.room) * self.bands


def products(geometry: Geometry, itemsize: int) -> float:
    """Products of each sample, filter and channel that cost as much as all the work; infinite where it cannot be done.

    Args:
        geometry: of a convolution, which may be `Geometry.turned_round`.
    """
    tiles = _tiles(geometry, itemsize, 1) if _fits(geometry) else None
    if tiles is None or tiles.numbers * itemsize > ROOM:
        return float("inf")
    tile = host_tile(8 * itemsize)
    count = tiles.blocks * _up(tiles.room * tiles.rows * tiles.wide, tile.lanes)
    filters = _up(tiles.filters, tile.heights()[-1])
    work = (16 * count + OF_FILTER) * tiles.channels * filters
    work += (OF_TILE * count + OF_MAP * tiles.samples) * (tiles.channels + filters)
    return (work + OF_CALL / tiles.groups) / (tiles.samples * tiles.channels * tiles.filters)


def weight_products(geometry: Geometry, itemsize: int) -> float:
    """`products` of the weight's gradient."""
    tiles = _tiles(geometry, itemsize, 1, of_weight=True) if _fits(geometry) else None
    if tiles is None or tiles.numbers * itemsize > ROOM:
        return float("inf")
    tile = host_tile(8 * itemsize)
    count = tiles.samples * tiles.high * tiles.wide
    channels, filters = _up(tiles.channels, tile.heights()[-1]), _up(tiles.filters, tile.lanes)
    work = (16 * (count + OF_BLOCK * tiles.blocks) + OF_FILTER) * channels * filters
    work += (OF_TILE * count + OF_MAP * tiles.samples) * (channels + filters)
    return (work + OF_CALL / tiles.groups) / (tiles.samples * tiles.channels * tiles.filters)


def _fits(geometry: Geometry) -> bool:
    is_depthwise = geometry.channels == geometry.filters == geometry.groups  # and has no matrices
    window = geometry.axes == 2 and geometry.kernel == (1, 3, 3)
    return window and max(*geometry.stride, *geometry.dilation) == 1 and not is_depthwise


def _up(count: int, multiple: int) -> int:
    return -(-count // multiple) * multiple


def _odd_lines(count: int, line: int) -> int:
    """At least so many, in an odd number of lines of the cache: rows that lie a power of two apart compete for places
    in it."""
    return (_up(count, line) // line | 1) * line


@lru_cache(256)
def _tiles(geometry: Geometry, itemsize: int, wanted: int, *, of_weight: bool = False) -> Tiles:
    """
    Args:
        wanted: pieces.
        of_weight: beside the image there lies a gradient, and not sums.
    """
    tile, line = host_tile(8 * itemsize), LINE // itemsize
    channels, filters = geometry.channels // geometry.groups, geometry.filters // geometry.groups
    (_, height, width), (_, out_height, out_width) = geometry.size, geometry.out
    high, wide = -(-out_height // 2), -(-out_width // 2)
    if of_weight:
        beside = row = _odd_lines(min(GIVEN, filters) + tile.lanes, line)
        scratch, limit = 4 * tile.lanes, WEIGHT_BYTES
    else:
        beside, scratch, limit = TOGETHER * tile.rows, 4, BLOCK_BYTES
    most = max(limit // ((16 * (channels + beside) + 8 + scratch) * itemsize), tile.columns)
    rows = max(1, min(high, most // wide))
    bands = -(-high // rows)
    rows = -(-high // bands)
    room = max(1, min(most // (rows * wide), geometry.samples)) if bands == 1 else 1
    pitch = _odd_lines(room * rows * wide + tile.lanes, line)
    blocks = pieces = -(-geometry.samples // room) * bands
    spans, least = 0, TOGETHER * tile.rows
    if of_weight:
        size = 16 * geometry.groups * channels * _odd_lines(filters, line)
        pieces = spans = 1 << max(1, min(blocks, SPANS, SPAN_NUMBERS // size)).bit_length() - 1
        least = tile.columns
    else:
        row = pitch
    parts = max(1, min(-(-wanted // (pieces * geometry.groups)), filters // least))
    image, others, plane = channels * pitch + line, beside * pitch + line, (rows + 1) * wide + tile.columns + line
    numbers = 16 * (image + others) + 8 * plane + scratch * pitch + tile.lanes * (tile.lanes + 1)
    return Tiles(
        geometry.samples, geometry.groups, channels, filters, height, width, geometry.padding[1], geometry.padding[2],
        out_height, out_width, high, wide, room, rows, bands, spans, parts,
        pitch, row, image, others, plane, numbers,
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
    tiles = _tiles(geometry, x.itemsize, threads.wanted_pieces())
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


def weight_gradient(g: np.ndarray, x: np.ndarray, gw: np.ndarray, geometry: Geometry) -> bool:
    """Writes the weight's gradient; whether all its numbers are finite.

    Args:
        g: (N, F, H, W), flat.
        x: (N, C, H, W), flat.
        gw: (F, C / groups, 3, 3), flat.
    """
    tile = host_tile(8 * x.itemsize)
    tiles = _tiles(geometry, x.itemsize, threads.wanted_pieces(), of_weight=True)
    row = _odd_lines(tiles.filters, LINE // x.itemsize)
    sums = np.empty((tiles.spans, tiles.groups, 16, tiles.channels, row), x.dtype)
    pieces = tiles.spans * tiles.groups * tiles.parts
    grain = -(-GRAIN * pieces // (g.size * tiles.channels * 4))
    threads.run(add_tiles, pieces, x, g, sums, tiles, grain=grain)
    bad = np.zeros(1, np.int64)
    pieces = tiles.groups * -(-tiles.filters // tile.lanes)
    grain = -(-GRAIN * pieces // (sums.size * 16))
    threads.run(join_spans, pieces, sums, gw, bad, tiles.filters, grain=grain)
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


@inline
def transform_image(real, size, x, tiles, first, samples, group, top, rows, target, planes):
    """A block of tiles at the address ``target``: 16 matrices, channels x tiles."""
    lanes, wide, plane = tile_lanes(real.type(0)), tiles.wide * size, tiles.plane * size
    for c in range(tiles.channels):
        for s in range(samples):
            map_ = ((first + s) * tiles.groups + group) * tiles.channels + c
            for odd in range(2):
                # Of the rows 2 * i + odd, from the block's first on, those inside the image.
                y = 2 * top + odd - tiles.top
                low = min(max((1 - y) // 2, 0), rows + 1)
                end = max(min((tiles.height - y + 1) // 2, rows + 1), low)
                to = planes + 4 * odd * plane
                if low < end:
                    source = x + (map_ * tiles.height + y + 2 * low) * tiles.width * size
                    # From the right to the left: rows are written beyond their ends, and then overwritten.
                    for t in range((tiles.wide - 1) // lanes * lanes, -1, -lanes):
                        split_rows(
                            real.type(0), source, 2 * tiles.width * size, to + low * wide + t * size, wide, plane,
                            end - low, 2 * t - tiles.left, tiles.width,
                        )  # fmt: skip
                for j in range(4):
                    row = array_at(to + j * plane, (rows + 1) * tiles.wide, real)
                    for i in range(low * tiles.wide):
                        row[uint64(i)] = 0
                    for i in range(end * tiles.wide, (rows + 1) * tiles.wide):
                        row[uint64(i)] = 0
            each = rows * tiles.wide
            to = target + (c * tiles.pitch + s * each) * size
            vectors = (each + lanes - 1) // lanes
            transform_columns(real.type(0), planes, wide, plane, to, tiles.image * size, vectors)


@compiled(fastmath=FASTMATH, error_model="numpy")
def correlate_tiles(start, stop, x, filters, bias, out, bad, tiles, room):
    """Pieces ``start..stop`` of ``out``: blocks of tiles, times groups, times ``tiles.parts`` of the filters of a
    group. At the address ``room`` are `memory.ROOM` bytes for a block."""
    zero = out.dtype.type(0)
    size, lanes, across, most = out.itemsize, tile_lanes(zero), tile_columns(zero), tile_rows(zero)
    panels = (tiles.filters + most - 1) // most
    panel, matrix = (tiles.channels * most + lanes) * size, filters.size // 16 * size
    pitch, image, sums = tiles.pitch * size, tiles.image * size, tiles.beside * size
    v0 = room
    m0 = v0 + 16 * image
    h0 = m0 + 16 * sums
    s0 = h0 + 8 * tiles.plane * size
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
            transform_image(out.dtype, size, x0, tiles, first, samples, group, top, rows, v0, h0)
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
    note(array_at(check, lanes, out.dtype), bad)
    keep(bias)


@inline
def note(check, bad):
    """Notes that a number was not finite."""
    for i in range(check.size):
        if check[i] != 0:
            bad[0] = 1


@inline
def transform_gradient(real, size, g, tiles, first, samples, group, top, rows, f0, f1, target, pixels):
    """A block of tiles of the gradients of filters ``f0..f1`` at the address ``target``: 16 matrices, tiles x filters.
    At the address ``pixels`` is room for as many maps as a vector has lanes."""
    lanes, line, map_size = tile_lanes(real.type(0)), 2 * tiles.wide, tiles.out_height * tiles.out_width
    vector, row = lanes * size, tiles.row * size
    height = min(2 * rows, tiles.out_height - 2 * top)
    together = height if tiles.out_width == line else 1
    numbers = array_at(pixels, 2 * rows * line * lanes, real)
    for s in range(samples):
        for f in range(f0, f1, lanes):
            map_ = ((first + s) * tiles.groups + group) * tiles.filters + f
            source = g + (map_ * map_size + 2 * top * tiles.out_width) * size
            for y in range(0, height, together):
                transpose_rows(
                    real.type(0), source + y * tiles.out_width * size, map_size * size,
                    pixels + y * line * vector, vector, min(lanes, f1 - f), together * tiles.out_width,
                )  # fmt: skip
            for y in range(height):
                for i in range((y * line + tiles.out_width) * lanes, (y + 1) * line * lanes):
                    numbers[uint64(i)] = 0
            for i in range(height * line * lanes, numbers.size):
                numbers[uint64(i)] = 0
            for y in range(rows):
                at, to = pixels + 2 * y * line * vector, target + (s * rows + y) * tiles.wide * row + (f - f0) * size
                transform_tiles(real.type(0), at, line * vector, to, tiles.beside * size, row, tiles.wide)


@compiled(fastmath=FASTMATH, error_model="numpy")
def add_tiles(start, stop, x, g, sums, tiles, room):
    """Pieces ``start..stop`` of the weight's gradient before its last transform: spans of blocks, times groups, times
    ``tiles.parts`` of the filters.

    ``sums`` has (span, group, 16, channel, filter or nothing). Which tiles are added together never depends on the
    pieces.
    """
    zero = sums.dtype.type(0)
    size, across, most = sums.itemsize, tile_columns(zero), tile_rows(zero)
    panels = (tiles.filters + across - 1) // across
    pitch, image, row, given = tiles.pitch * size, tiles.image * size, tiles.row * size, tiles.beside * size
    v0 = room
    w0 = v0 + 16 * image
    h0 = w0 + 16 * given
    s0 = h0 + 8 * tiles.plane * size
    x0, g0, c0, c_row = intp(x.ctypes.data), intp(g.ctypes.data), intp(sums.ctypes.data), sums.shape[4] * size
    blocks = (tiles.samples + tiles.room - 1) // tiles.room * tiles.bands
    for item in range(start, stop):
        part, group, span = item % tiles.parts, item // tiles.parts % tiles.groups, item // tiles.parts // tiles.groups
        f0 = panels * part // tiles.parts * across
        f1 = min(panels * (part + 1) // tiles.parts * across, tiles.filters)
        adds = 0
        for block in range(blocks * span // tiles.spans, blocks * (span + 1) // tiles.spans):
            first, top = block // tiles.bands * tiles.room, block % tiles.bands * tiles.rows
            samples, rows = min(tiles.room, tiles.samples - first), min(tiles.rows, tiles.high - top)
            count = samples * rows * tiles.wide
            parts = (count + DEEP - 1) // DEEP
            transform_image(sums.dtype, size, x0, tiles, first, samples, group, top, rows, v0, h0)
            for given_from in range(f0, f1, GIVEN):
                given_to = min(given_from + GIVEN, f1)
                transform_gradient(
                    sums.dtype, size, g0, tiles, first, samples, group, top, rows, given_from, given_to, w0, s0
                )
                for i in range(16):
                    to = c0 + ((span * tiles.groups + group) * 16 + i) * tiles.channels * c_row
                    for deep in range(parts):
                        t, end = count * deep // parts, count * (deep + 1) // parts
                        for f in range(given_from, given_to, across):
                            b = w0 + i * given + t * row + (f - given_from) * size
                            for c in range(0, tiles.channels, most):
                                a, at = v0 + i * image + c * pitch + t * size, to + c * c_row + f * size
                                multiply(
                                    zero, a, pitch, size, b, row, end - t, at, c_row, at, c_row, size, adds + deep,
                                    min(most, tiles.channels - c), min(across, given_to - f),
                                )  # fmt: skip
            adds = 1


@compiled(fastmath=FASTMATH, error_model="numpy")
def join_spans(start, stop, sums, gw, bad, filters):
    """Blocks ``start..stop`` of filters, as many as a vector has lanes, of the weight's gradient."""
    zero = gw.dtype.type(0)
    size, lanes = gw.itemsize, tile_lanes(zero)
    spans, channels = sums.shape[0], sums.shape[3]
    blocks, taps = (filters + lanes - 1) // lanes, 9 * channels
    span, of_group, step, row, _ = sums.strides
    by_tap = from_line(np.empty((taps + 2 * lanes) * lanes + LINE // size, gw.dtype))
    pitch = taps + lanes
    by_filter = np.empty((lanes + lanes) * pitch + lanes, gw.dtype)
    check = np.zeros(lanes, gw.dtype)
    to, turned, found = intp(by_tap.ctypes.data), intp(by_filter.ctypes.data), intp(check.ctypes.data)
    for item in range(start, stop):
        group, f = item // blocks, item % blocks * lanes
        source = intp(sums.ctypes.data) + group * of_group + f * size
        join_filters(zero, source, step, row, span, spans, to, channels, filters - f, found)
        turn_rows(zero, size, to, lanes * size, turned, pitch * size, taps, lanes)
        for i in range(min(lanes, filters - f)):
            target = (group * filters + f + i) * taps
            for k in range(taps):
                gw[uint64(target + k)] = by_filter[uint64(i * pitch + k)]
    note(check, bad)
    keep(check)
    keep(by_tap)
    keep(by_filter)
