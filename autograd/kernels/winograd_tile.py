"""The vectors under :mod:`autograd.kernels.conv_winograd`: the transforms of filters, of images and of sums.

A vector holds the same number of many tiles, or of many filters. Addresses are integers, strides count bytes, and whole
vectors are written: where they overlap, the later one wins. Nothing is checked here: the caller vouches for them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from llvmlite import ir
from numba.extending import intrinsic

from .gemm_tile import INT, Tile, Writer, lower, word

__all__ = ["join_filters", "join_tiles", "split_rows", "transform_columns", "transform_filters", "transform_tiles"]


def _of_image(writer: Writer, d: Sequence[ir.Value]) -> list[ir.Value]:
    """``B^T d``."""
    add, subtract = writer.builder.fadd, writer.builder.fsub
    return [subtract(d[0], d[2]), add(d[1], d[2]), subtract(d[2], d[1]), subtract(d[1], d[3])]


def _of_filter(writer: Writer, g: Sequence[ir.Value]) -> list[ir.Value]:
    """``G g``."""
    builder, half = writer.builder, ir.Constant(writer.vector, [0.5] * writer.lanes)
    ends, middle = builder.fmul(builder.fadd(g[0], g[2]), half), builder.fmul(g[1], half)
    return [g[0], builder.fadd(ends, middle), builder.fsub(ends, middle), g[2]]


def _of_sums(writer: Writer, m: Sequence[ir.Value]) -> list[ir.Value]:
    """``A^T m``."""
    add, subtract = writer.builder.fadd, writer.builder.fsub
    return [add(add(m[0], m[1]), m[2]), subtract(subtract(m[1], m[2]), m[3])]


def _of_tile(writer: Writer, y: Sequence[ir.Value]) -> list[ir.Value]:
    """``A y``."""
    builder = writer.builder
    return [y[0], builder.fadd(y[0], y[1]), builder.fsub(y[0], y[1]), builder.fneg(y[1])]


def _of_products(writer: Writer, u: Sequence[ir.Value]) -> list[ir.Value]:
    """``G^T u``."""
    builder, half = writer.builder, ir.Constant(writer.vector, [0.5] * writer.lanes)
    both = builder.fmul(builder.fadd(u[1], u[2]), half)
    return [builder.fadd(u[0], both), builder.fmul(builder.fsub(u[1], u[2]), half), builder.fadd(both, u[3])]


def _both_ways(
    writer: Writer,
    transform: Callable[[Writer, Sequence[ir.Value]], list[ir.Value]],
    square: Sequence[Sequence[ir.Value]],
) -> list[list[ir.Value]]:
    """The transform of all columns of a square, and then of all rows."""
    columns = [transform(writer, column) for column in zip(*square, strict=True)]
    return [transform(writer, row) for row in zip(*columns, strict=True)]


def _pick(writer: Writer, a: ir.Value, b: ir.Value, lanes: Sequence[int]) -> ir.Value:
    return writer.builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(INT, writer.lanes), list(lanes)))


def _write_split(writer: Writer, tile: Tile, real: ir.Value, *values: ir.Value) -> None:
    source, source_row, target, target_row, plane, count, left, width = values
    builder, lanes = writer.builder, tile.lanes
    masks = []
    for first in (0, lanes, 2, lanes + 2):
        column = builder.add(writer.splat(left), writer.numbers(first))
        masks.append((first, builder.icmp_unsigned("<", column, writer.splat(width))))
    begin = writer.far(source, left, writer.size)
    with writer.loop(count, [begin, target]) as ((start, to), following):
        a, b, c, d = (writer.load(writer.far(start, word(writer.size), first), mask) for first, mask in masks)
        even, odd = range(0, 2 * lanes, 2), range(1, 2 * lanes, 2)
        numbers = [_pick(writer, *pair, order) for pair in ((a, b), (c, d)) for order in (even, odd)]
        for j, vector in enumerate(_of_image(writer, numbers)):
            writer.store(vector, writer.far(to, plane, j))
        following += [builder.add(start, source_row), builder.add(to, target_row)]


def _write_columns(writer: Writer, tile: Tile, real: ir.Value, *values: ir.Value) -> None:
    source, row, plane, target, step, count = values
    builder, next_vector = writer.builder, word(tile.lanes * writer.size)
    with writer.loop(count, [source, target]) as ((start, to), following):
        for j in range(4):
            even, odd = writer.far(start, plane, j), writer.far(start, plane, j + 4)
            places = (even, odd, builder.add(even, row), builder.add(odd, row))
            for i, vector in enumerate(_of_image(writer, [writer.load(place) for place in places])):
                writer.store(vector, writer.far(to, step, 4 * i + j))
        following += [builder.add(start, next_vector), builder.add(to, next_vector)]


def _write_filters(writer: Writer, tile: Tile, real: ir.Value, *values: ir.Value) -> None:
    source, tap, channel, target, step, count = values
    builder, next_column = writer.builder, word(tile.rows * writer.size)
    with writer.loop(count, [source, target]) as ((start, to), following):
        for part in range(0, tile.rows, tile.lanes):
            here = builder.add(start, word(part * writer.size))
            mask = writer.masks(word(tile.rows - part), 1)[0]
            taps = [writer.load(writer.far(here, tap, k), mask) for k in range(9)]
            square = _both_ways(writer, _of_filter, [taps[:3], taps[3:6], taps[6:]])
            for i, vector in enumerate(vector for row in square for vector in row):
                writer.store(vector, builder.add(writer.far(to, step, i), word(part * writer.size)))
        following += [builder.add(start, channel), builder.add(to, next_column)]


def _write_join(writer: Writer, tile: Tile, real: ir.Value, *values: ir.Value) -> None:
    source, step, bias, target, second, count, check = values
    builder, lanes = writer.builder, tile.lanes
    next_vector = word(lanes * writer.size)
    added, nothing = writer.splat(builder.load(writer.at(bias, writer.real))), writer.zero
    first, last = range(lanes), range(lanes, 2 * lanes)
    with writer.loop(count, [source, target, writer.load(check)]) as ((start, to, total), following):
        sums = [writer.load(writer.far(start, step, i)) for i in range(16)]
        for i, row in enumerate(_both_ways(writer, _of_sums, [sums[i : i + 4] for i in range(0, 16, 4)])):
            a, b = (builder.fadd(vector, added) for vector in row)
            for vector in (a, b):
                total = writer.add_product(vector, nothing, total)
            for j in range(2):
                order = [place for k in range(j * lanes // 2, (j + 1) * lanes // 2) for place in (first[k], last[k])]
                at = builder.add(writer.far(to, second, i), word(j * lanes * writer.size))
                writer.store(_pick(writer, a, b, order), at)
        following += [builder.add(start, next_vector), builder.add(to, word(2 * lanes * writer.size)), total]
    writer.store(following[2], check)


def _write_tiles(writer: Writer, tile: Tile, real: ir.Value, *values: ir.Value) -> None:
    source, row, target, step, next_tile, count = values
    builder, vector = writer.builder, word(tile.lanes * writer.size)
    with writer.loop(count, [source, target]) as ((start, to), following):
        rows = [[writer.load(writer.far(writer.far(start, row, i), vector, j)) for j in range(2)] for i in range(2)]
        for i, number in enumerate(number for row in _both_ways(writer, _of_tile, rows) for number in row):
            writer.store(number, writer.far(to, step, i))
        following += [writer.far(start, vector, 2), builder.add(to, next_tile)]


def _write_join_filters(writer: Writer, tile: Tile, real: ir.Value, *values: ir.Value) -> None:
    source, step, row, span, spans, target, count, width, check = values
    builder, vector = writer.builder, word(tile.lanes * writer.size)
    mask = writer.masks(width, 1)[0]
    with writer.loop(count, [source, target, writer.load(check)]) as ((start, to, total), following):
        with writer.loop(spans, [start, *[writer.zero] * 16]) as ((at, *sums), more):
            more.append(builder.add(at, span))
            more += [builder.fadd(number, writer.load(writer.far(at, step, i), mask)) for i, number in enumerate(sums)]
        square = _both_ways(writer, _of_products, [more[i : i + 4] for i in range(1, 17, 4)])
        for i, number in enumerate(number for row in square for number in row):
            writer.store(number, writer.far(to, vector, i))
            total = writer.add_product(number, writer.zero, total)
        following += [builder.add(start, row), writer.far(to, vector, 9), total]
    writer.store(following[2], check)


_lower_split = lower(8, _write_split)
_lower_columns = lower(6, _write_columns)
_lower_filters = lower(6, _write_filters)
_lower_join = lower(7, _write_join)
_lower_tiles = lower(6, _write_tiles)
_lower_join_filters = lower(9, _write_join_filters)


@intrinsic
def split_rows(typing_context, real, source, source_row, target, target_row, plane, count, left, width):
    """``B^T`` along ``count`` rows of an image, of as many tiles as a vector has lanes: four rows of the target, a
    ``plane`` apart. The first tile begins in column ``left`` of the row; outside its ``width`` numbers there are zeros.
    """
    return _lower_split(real)


@intrinsic
def transform_columns(typing_context, real, source, row, plane, target, step, count):
    """``B^T`` along the columns of what `split_rows` made: ``count`` vectors of tiles, to 16 places a ``step`` apart.

    In the source lie the even rows of the image in four planes, and then the odd ones; a ``row`` of each is one of
    tiles.
    """
    return _lower_columns(real)


@intrinsic
def transform_filters(typing_context, real, source, tap, channel, target, step, count):
    """``G g G^T`` of a panel of filters in ``count`` channels: the target's rows are as long as the panel is high."""
    return _lower_filters(real)


@intrinsic
def join_tiles(typing_context, real, source, step, bias, target, second, count, check):
    """``A^T m A`` of ``count`` vectors of tiles, plus the number at ``bias``: two rows of numbers, the other one
    ``second`` bytes from the first. To the vector at ``check`` is added what is NaN where a number is not finite."""
    return _lower_join(real)


@intrinsic
def transform_tiles(typing_context, real, source, row, target, step, next_tile, count):
    """``A y A^T`` of ``count`` tiles side by side, of as many filters as a vector has lanes: to 16 places a ``step``
    apart. In the source each number of a map is a vector, and a ``row`` of the map lies behind the other."""
    return _lower_tiles(real)


@intrinsic
def join_filters(typing_context, real, source, step, row, span, spans, target, count, width, check):
    """``G^T u G`` of ``width`` filters, or as many as a vector has lanes, in ``count`` channels, which lie a ``row``
    apart: nine vectors of the target for each. ``u`` is the sum of ``spans``, and ``check`` as in `join_tiles`."""
    return _lower_join_filters(real)
