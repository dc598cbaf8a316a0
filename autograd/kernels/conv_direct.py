"""Convolution as a matrix product straight from the padded image, for :mod:`autograd.kernels.conv`.

What is decided here, in plans and tables that are kept for the next call: the boxes of samples that go through the
cache together, and where in a box each *tap* (an element of the window, in one channel) finds its numbers. The loops
are those of :mod:`~autograd.kernels.conv_tiles`.

The gradient of the input is a convolution of ``g`` with a stride of 1, or several: one for each remainder of the
coordinates divided by the stride, with the taps that lead there.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from math import prod
from typing import NamedTuple

import numpy as np

from . import conv_abreast, conv_channels, conv_depthwise, conv_tiles, conv_winograd, threads
from .contiguous import contiguous
from .conv_columns import Geometry
from .gemm_tile import host_tile
from .memory import LINE, empty

__all__ = ["Plan", "forward", "gradient_pays", "input_gradient", "weight_gradient"]

GRAIN = 1 << 20  # products worth a thread
BOX_BYTES = 1 << 18  # of a box: what is left of the second-level cache belongs to filters and sums
# Samples are added up in spans that threads share out, and the spans in order. Their number, which decides how sums are
# rounded, depends on sizes alone: this one or a half or a quarter of it, and so many numbers in all.
SPANS, SPAN_NUMBERS = 4, 1 << 19
FILTERS_WORTH_A_BOX = 32
COMPETING = 256  # at such multiples of bytes lie lines that compete for places in the first-level cache
WORTH_TRANSPOSING = 8  # filters and channels, each of which meets all of the others

Axes = tuple[int, ...]


class Plan(NamedTuple):
    """How the loops walk over a convolution; what has three sizes goes along depth, height and width."""

    samples: int
    groups: int
    channels: int  # of a group, and so the filters
    filters: int
    depth: int  # of the image
    height: int
    width: int
    pad_z: int
    pad_y: int
    pad_x: int
    stride_z: int
    stride_y: int
    stride_x: int
    deep: int  # of each plane of the box
    high: int
    wide: int
    room: int  # samples in a box
    depths: int  # of the output, in a box
    bands: int  # boxes to a sample
    parts: int  # that a group's filters are cut into
    out_depth: int
    out_height: int
    out_width: int
    step_z: int  # from one position of a job to the next in the output
    step_y: int
    step_x: int
    filter_step: int  # from one filter to the next in the weight
    group_step: int

    @property
    def boxes(self) -> int:
        return -(-self.samples // self.room) * self.bands


class Tables(NamedTuple):
    """Of each job the first tap, the end of its taps, its sizes and its first place in the output, and of a depthwise
    convolution how many columns of taps it has; of each tap its offset in a box, in bytes, and its place in the weight;
    and the runs of taps that lie side by side there: where, and how many."""

    jobs: np.ndarray
    taps: np.ndarray
    order: np.ndarray
    runs: np.ndarray


def forward(
    x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None, geometry: Geometry, dtype: np.dtype
) -> np.ndarray:
    """`conv.conv_forward`."""
    added = np.empty(0, dtype) if bias is None else bias
    if _abreast_pays(geometry, dtype.itemsize, is_gradient=False):
        filters = _by_filter(weight, geometry, dtype)
        return conv_abreast.correlate(_flat(x, dtype), filters, _flat(added, dtype), geometry)
    plan, tables = _forward_plan(geometry, dtype.itemsize, threads.wanted_pieces())
    out = empty((geometry.samples, geometry.filters, *geometry.spatial_out()), dtype)
    if _winograd_pays(geometry, dtype.itemsize, is_gradient=False):
        packed = _pack(_flat(weight, dtype), plan, tables)
        if conv_winograd.correlate(_flat(x, dtype), packed, _flat(added, dtype), out, geometry, is_turned=False):
            return out
    _correlate(x, weight, added, out, plan, tables)
    return out


def input_gradient(
    g: np.ndarray, weight: np.ndarray, x_shape: tuple[int, ...], geometry: Geometry, dtype: np.dtype
) -> np.ndarray:
    """`conv.conv_input_gradient`, of a weight without NaN and infinity: these would meet the zeros around ``g``."""
    nothing = np.empty(0, dtype)
    if _abreast_pays(geometry, dtype.itemsize, is_gradient=True):
        filters = _by_filter(weight, geometry, dtype)[..., ::-1].swapaxes(1, 2)
        return conv_abreast.correlate(_flat(g, dtype), filters, nothing, geometry.turned_round())
    plan, tables = _gradient_plan(geometry, dtype.itemsize, threads.wanted_pieces())
    if _winograd_pays(geometry, dtype.itemsize, is_gradient=True):
        gx, packed = empty(x_shape, dtype), _pack(_flat(weight, dtype), plan, tables)
        if conv_winograd.correlate(_flat(g, dtype), packed, nothing, gx, geometry.turned_round(), is_turned=True):
            return gx
    if len(tables.jobs) < prod(min(s, e) for s, e in zip(geometry.stride, geometry.size, strict=True)):
        gx = np.zeros(x_shape, dtype)  # no window reaches some of it
    else:
        gx = empty(x_shape, dtype)
    if len(tables.jobs):
        _correlate(g, weight, nothing, gx, plan, tables)
    return gx


@lru_cache(256)
def gradient_pays(geometry: Geometry, itemsize: int) -> bool:
    """Whether the gradient of the input has few enough products with zeros around ``g`` and behind the ends of rows.

    Measured: from twice the products that count on, columns are faster.
    """
    plan, tables = _gradient_plan(geometry, itemsize, 1)
    return (
        _is_depthwise(plan)
        or _abreast_pays(geometry, itemsize, is_gradient=True)
        or _winograd_pays(geometry, itemsize, is_gradient=True)
        or _products(plan, tables, itemsize) <= 2 * prod(geometry.kernel) * geometry.positions
    )


@lru_cache(256)
def _abreast_pays(geometry: Geometry, itemsize: int, *, is_gradient: bool) -> bool:
    """Whether vectors of samples have so many fewer products than vectors of positions that it pays to transpose."""
    if is_gradient and prod(geometry.stride) > 1:
        return False
    plan, tables = (_gradient_plan if is_gradient else _forward_plan)(geometry, itemsize, 1)
    turned = geometry.turned_round() if is_gradient else geometry
    if min(plan.filters, plan.channels) < WORTH_TRANSPOSING:
        return False
    least = min(_products(plan, tables, itemsize), conv_winograd.products(turned, itemsize))
    return conv_abreast.lane_products(turned, itemsize) * 1.25 < least


@lru_cache(256)
def _winograd_pays(geometry: Geometry, itemsize: int, *, is_gradient: bool) -> bool:
    """Whether its transforms cost less than the products that Winograd's algorithm saves."""
    plan, tables = (_gradient_plan if is_gradient else _forward_plan)(geometry, itemsize, 1)
    turned = geometry.turned_round() if is_gradient else geometry
    return conv_winograd.products(turned, itemsize) < _products(plan, tables, itemsize)


@lru_cache(256)
def _winograd_pays_for_weight(geometry: Geometry, itemsize: int) -> bool:
    """`_winograd_pays`, for the weight's gradient."""
    return conv_winograd.weight_products(geometry, itemsize) < prod(geometry.kernel) * geometry.positions


def _products(plan: Plan, tables: Tables, itemsize: int) -> float:
    """Products of each sample, filter and channel, those with zeros and of empty lanes and rows included."""
    tile = host_tile(8 * itemsize)
    filters = -(-plan.filters // tile.heights()[-1]) * tile.heights()[-1]
    products = 0
    for first, end, depth, height, width, *_ in tables.jobs.tolist():
        rows = depth * height
        vectors = min(rows * -(-width // tile.lanes), -(-rows * plan.wide // tile.lanes))
        products += (end - first) * vectors * tile.lanes * filters
    return products / (plan.filters * plan.channels)


def weight_gradient(
    g: np.ndarray, x: np.ndarray, weight_shape: tuple[int, ...], geometry: Geometry, dtype: np.dtype
) -> np.ndarray:
    """`conv.conv_weight_gradient`."""
    if _winograd_pays_for_weight(geometry, dtype.itemsize):
        gw = np.empty(weight_shape, dtype)
        if conv_winograd.weight_gradient(_flat(g, dtype), _flat(x, dtype), gw.reshape(-1), geometry):
            return gw
    plan, tables = _forward_plan(geometry, dtype.itemsize, SPANS)
    taps, lanes = tables.taps, host_tile(8 * dtype.itemsize).lanes
    maps = _flat(x, dtype), _flat(g, dtype)
    gw = np.empty(weight_shape, dtype)
    if _is_depthwise(plan):
        arrays = (*maps, gw.reshape(plan.groups, -1), plan, tables.jobs, taps, tables.order)
        grain = _grain(plan.groups, g.size * taps.size)
        threads.run(conv_depthwise.add_row_products, plan.groups, *arrays, grain=grain)
        return gw
    spans = 1 << max(1, min(plan.boxes, SPANS, SPAN_NUMBERS // gw.size)).bit_length() - 1
    plan = plan._replace(parts=_parts(spans * plan.groups, plan.filters, threads.get_num_threads()))
    sums = np.empty(spans * gw.size, dtype)
    pieces = spans * plan.groups * plan.parts
    grain = _grain(pieces, g.size * taps.size)
    runs, length, pitch = _tap_runs(geometry, plan, dtype.itemsize)
    if length >= host_tile(8 * dtype.itemsize).columns:
        threads.run(conv_channels.add_channels, pieces, *maps, sums, plan, runs, length, pitch, grain=grain)
        numbers = (prod(geometry.kernel), plan.channels)
        grain = _grain(geometry.filters, sums.size)
        loop = conv_channels.add_spans_of_channels
        threads.run(loop, geometry.filters, sums, gw.reshape(-1), *numbers, grain=grain)
        return gw
    threads.run(conv_tiles.add_products, pieces, *maps, sums, plan, taps, grain=grain)
    pieces = plan.groups * -(-plan.filters // lanes)
    grain = _grain(pieces, sums.size)
    threads.run(conv_tiles.add_spans, pieces, sums, gw.reshape(-1), plan.groups, plan.filters, lanes, grain=grain)
    return gw


def _correlate(
    x: np.ndarray, weight: np.ndarray, bias: np.ndarray, out: np.ndarray, plan: Plan, tables: Tables
) -> None:
    dtype = out.dtype
    if _is_depthwise(plan):
        loop, filters = conv_depthwise.filter_maps, weight.reshape(plan.groups, -1)[:, tables.order]
    else:
        loop, filters = conv_tiles.correlate, _pack(_flat(weight, dtype), plan, tables)
    pieces = plan.boxes * plan.groups * plan.parts
    grain = _grain(pieces, out.size * tables.taps.size)
    arrays = (_flat(array, dtype) for array in (x, filters, bias))
    threads.run(loop, pieces, *arrays, out.reshape(-1), plan, tables.jobs, tables.taps, grain=grain)


def _pack(weight: np.ndarray, plan: Plan, tables: Tables) -> np.ndarray:
    """The filters in panels as high as a tile."""
    high = host_tile(8 * weight.itemsize).rows
    panels = -(-plan.filters // high)
    pieces = plan.groups * panels
    packed = np.empty(pieces * tables.taps.size * high, weight.dtype)
    grain = _grain(pieces, packed.size)
    threads.run(conv_tiles.pack_filters, pieces, weight, packed, plan, tables.runs, panels, grain=grain)
    return packed


def _is_depthwise(plan: Plan) -> bool:
    """Whether every output map sees one input map of its own."""
    return plan.channels == plan.filters == 1


@lru_cache(256)
def _forward_plan(geometry: Geometry, itemsize: int, wanted: int) -> tuple[Plan, Tables]:
    kernel, stride, padding, dilation, size, out = _axes(geometry)
    channels, filters = geometry.channels // geometry.groups, geometry.filters // geometry.groups
    lines = channels * prod(kernel)
    reach = tuple((k - 1) * d // s for k, s, d in zip(kernel, stride, dilation, strict=True))
    planes = channels * prod(stride)
    plan = Plan._make((
        geometry.samples, geometry.groups, channels, filters, *size, *padding, *stride,
        *_box(out, reach, planes * itemsize, geometry, filters, wanted),
        *out, 1, 1, 1, lines, filters * lines,
    ))  # fmt: skip
    # A tap lies in the plane of its remainders, where the stride is 1.
    tap = np.indices(kernel).reshape(3, -1) * np.array(dilation).reshape(3, 1)
    remainder, quotient = tap % np.array(stride).reshape(3, 1), tap // np.array(stride).reshape(3, 1)
    phase = np.arange(channels).reshape(-1, 1) * prod(stride) + np.ravel_multi_index(tuple(remainder), stride)
    offsets = phase * (plan.room * plan.deep * plan.high * plan.wide) + _place(quotient, plan)
    jobs = np.array([[0, lines, *out, 0, 0, 0]], np.int64)
    return plan, _tables(jobs, offsets.reshape(-1) * itemsize, np.arange(lines), plan, itemsize)


@lru_cache(256)
def _gradient_plan(geometry: Geometry, itemsize: int, wanted: int) -> tuple[Plan, Tables]:
    kernel, stride, padding, dilation, size, out = _axes(geometry)
    channels, filters = geometry.channels // geometry.groups, geometry.filters // geometry.groups
    taps = prod(kernel)
    # Along each axis, for each remainder: which taps lead there, and from how far away in g.
    ways = [
        [[(k, (r + p - k * d) // s) for k in range(n) if (r + p - k * d) % s == 0] for r in range(min(s, e))]
        for n, s, p, d, e in zip(kernel, stride, padding, dilation, size, strict=True)
    ]
    distances = [[distance for way in axis for _, distance in way] or [0] for axis in ways]
    low = tuple(map(min, distances))
    reach = tuple(max(far) - min(far) for far in distances)
    most = tuple(-(-e // s) for e, s in zip(size, stride, strict=True))
    plan = Plan._make((
        geometry.samples, geometry.groups, filters, channels, *out, *(-distance for distance in low), 1, 1, 1,
        *_box(most, reach, filters * itemsize, geometry, channels, wanted),
        *size, *stride, taps, filters * channels * taps,
    ))  # fmt: skip
    plane, count = plan.room * plan.deep * plan.high * plan.wide, 0
    jobs, offsets, numbers = [], [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    by_filter = np.arange(filters).reshape(-1, 1)
    for remainders in product(*(range(len(axis)) for axis in ways)):
        chosen = np.array(list(product(*(axis[r] for axis, r in zip(ways, remainders, strict=True)))), np.int64)
        if not chosen.size:
            continue
        sizes = (-(-(e - r) // s) for e, r, s in zip(size, remainders, stride, strict=True))
        jobs.append([count, count + filters * len(chosen), *sizes, *remainders])
        count += filters * len(chosen)
        offsets.append(by_filter * plane + _place(chosen[:, :, 1].T - np.array(low).reshape(3, 1), plan))
        numbers.append(by_filter * (channels * taps) + np.ravel_multi_index(tuple(chosen[:, :, 0].T), kernel))
    in_box, in_weight = (np.concatenate([part.reshape(-1) for part in parts]) for parts in (offsets, numbers))
    return plan, _tables(np.array(jobs, np.int64).reshape(-1, 8), in_box * itemsize, in_weight, plan, itemsize)


def _tables(jobs: np.ndarray, taps: np.ndarray, order: np.ndarray, plan: Plan, itemsize: int) -> Tables:
    """The tables of taps in that order; of a depthwise convolution, in columns."""
    if _is_depthwise(plan):
        chosen, counts = [], []
        for first, end, _, height, *_ in jobs.tolist():
            pitch = plan.wide if height > 1 else plan.high * plan.wide
            places, numbers = conv_depthwise.columns(taps[first:end].tolist(), pitch * itemsize)
            chosen += [first + place for place in places]
            counts.append(numbers)
        jobs = np.hstack([jobs, np.array(counts, np.int64).reshape(-1, len(conv_depthwise.LENGTHS))])
        taps, order = taps[chosen], order[chosen]
    begins = np.flatnonzero(np.diff(order, prepend=-2) != 1)
    return Tables(jobs, taps, order, np.stack([order[begins], np.diff(begins, append=order.size)], 1))


@lru_cache(256)
def _tap_runs(geometry: Geometry, plan: Plan, itemsize: int) -> tuple[np.ndarray, int, int]:
    """Offsets in bytes of the taps, channels last, that begin a run of neighbors, the length of a run, and the numbers
    from a position to the next."""
    kernel, _, _, dilation, *_ = _axes(geometry)
    competes = plan.channels * itemsize % COMPETING == 0
    pitch = plan.channels + (LINE // itemsize if competes else 0)
    z, y, x = np.indices(kernel) * np.array(dilation).reshape(3, 1, 1, 1)
    offsets = ((z * plan.high * plan.stride_y + y) * plan.wide * plan.stride_x + x) * (pitch * itemsize)
    if dilation[2] == 1 and not competes:
        return np.ascontiguousarray(offsets[:, :, 0]).reshape(-1), kernel[2] * plan.channels, pitch
    return offsets.reshape(-1), plan.channels, pitch


def _axes(geometry: Geometry) -> tuple[Axes, ...]:
    """Kernel, stride, padding, dilation, size and output, with the two axes of an image as depth and width: boxes are
    cut along the depth."""
    order = (1, 0, 2) if geometry.axes == 2 else (0, 1, 2)
    return tuple(tuple(values[axis] for axis in order) for values in geometry[:6])


def _place(coordinates: np.ndarray, plan: Plan) -> np.ndarray:
    """Offsets in a plane of a box."""
    z, y, x = coordinates
    return (z * plan.high + y) * plan.wide + x


def _box(out: Axes, reach: Axes, planes: int, geometry: Geometry, filters: int, wanted: int) -> Axes:
    """Sizes of a plane, samples and depths of a box, boxes to a sample and parts of the filters.

    Args:
        out: positions along each axis.
        reach: the distance from a position to its farthest tap.
        planes: of one sample, times the bytes of a number.
        wanted: pieces.
    """
    high, wide = out[1] + reach[1], out[2] + reach[2]
    slice_bytes = max(planes * high * wide, 1)
    whole, depths = slice_bytes * (out[0] + reach[0]), out[0]
    if whole > 2 * BOX_BYTES:  # what boxes of one sample have in common is copied for each of them
        depths = max(1, min(depths, max(BOX_BYTES // slice_bytes - reach[0], reach[0])))
    bands = -(-out[0] // depths)
    room = min(BOX_BYTES // max(whole, 1), geometry.samples, geometry.samples * geometry.groups // wanted)
    room = max(1, room) if filters > 1 else 1  # one filter does not come back to what the cache holds
    boxes = -(-geometry.samples // room) * bands
    return depths + reach[0], high, wide, room, depths, bands, _parts(boxes * geometry.groups, filters, wanted)


def _parts(pieces: int, filters: int, wanted: int) -> int:
    """Parts of the filters that make as many pieces as wanted; each fills a box of its own."""
    return max(1, min(-(-wanted // max(pieces, 1)), filters // FILTERS_WORTH_A_BOX))


def _grain(pieces: int, products: int) -> int:
    return -(-GRAIN * pieces // max(products, 1))


def _by_filter(weight: np.ndarray, geometry: Geometry, dtype: np.dtype) -> np.ndarray:
    """The weight as (groups, F / groups, C / groups, taps)."""
    groups = geometry.groups
    shape = (groups, geometry.filters // groups, geometry.channels // groups, prod(geometry.kernel))
    return np.ascontiguousarray(weight, dtype).reshape(shape)


def _flat(array: np.ndarray, dtype: np.dtype) -> np.ndarray:
    return contiguous(array, dtype).reshape(-1)
