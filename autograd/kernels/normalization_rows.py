"""The vectors under :mod:`autograd.kernels.normalization_loops`: what is done with one run of elements of a row.

Written in LLVM's own words, as no loop of numba's that asks for memory ahead is made of vectors: while a row is
computed, which takes the nearest cache alone, the next one is brought from farther away. Measured for 1000 x 1000, best
and median times beside loops of numba's while others used the machine: forward 162 and 472 us (183 and 546), back 236
and 661 (229 and 995).

Addresses are integers; nothing is checked here: the caller vouches for them. What is asked for ahead need not exist.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from .gemm_tile import WORD, Tile, Writer, lower, word

__all__ = ["mix_run", "product_run", "shift_run", "square_run", "sum_run"]

ABREAST = 4  # sums that are taken side by side, as one addition need not wait for the one before
# Into which of the caches: on the way back the nearest one has no room for another row. Measured, 228 us and 257.
NEAREST, SECOND = 3, 2

Body = Callable[[ir.Value, Any, Sequence[ir.Value]], list[ir.Value]]


def _sweep(writer: Writer, count: ir.Value, body: Body, totals: int = 0, abreast: int = 1) -> list[ir.Value]:
    """Goes through ``count`` numbers, vector by vector, and returns the sums of its totals over all lanes.

    Args:
        body: is given the offset of a vector in bytes, the mask of its lanes or None, and the totals so far; returns
            the next ones.
        totals: how many there are.
        abreast: vectors of a step, which have totals of their own.
    """
    builder, vector = writer.builder, writer.lanes * writer.size

    def steps(
        number: ir.Value, offset: ir.Value, sets: list[list[ir.Value]], mask: ir.Value | None = None
    ) -> tuple[ir.Value, list[list[ir.Value]]]:
        flat = [total for each in sets for total in each]
        with writer.loop(number, [offset, *flat], may_be_empty=True) as ((at, *values), following):
            following.append(builder.add(at, word(len(sets) * vector)))
            for k in range(len(sets)):
                here = builder.add(at, word(k * vector))
                following += body(here, mask, values[k * totals : (k + 1) * totals])
        offset, *values = following
        return offset, [values[k * totals : (k + 1) * totals] for k in range(len(sets))]

    vectors, rest = builder.udiv(count, word(writer.lanes)), builder.urem(count, word(writer.lanes))
    offset, sets = word(0), [[writer.zero] * totals for _ in range(abreast)]
    if abreast > 1:
        offset, sets = steps(builder.udiv(vectors, word(abreast)), offset, sets)
        vectors = builder.urem(vectors, word(abreast))
        while len(sets) > 1:
            half = len(sets) // 2
            sets = [
                [builder.fadd(a, b) for a, b in zip(*pair, strict=True)]
                for pair in zip(sets[:half], sets[half:], strict=True)
            ]
    offset, sets = steps(vectors, offset, sets)
    is_cut = builder.zext(builder.icmp_signed(">", rest, word(0)), WORD)
    _, (found,) = steps(is_cut, offset, sets, writer.masks(rest, 1)[0])
    return [writer.total(each) for each in found]


def _write_sum(writer: Writer, tile: Tile, zero: ir.Value, x: ir.Value, count: ir.Value) -> ir.Value:
    builder = writer.builder

    def body(at: ir.Value, mask: Any, totals: Sequence[ir.Value]) -> list[ir.Value]:
        return [builder.fadd(totals[0], writer.load(builder.add(x, at), mask))]

    return _sweep(writer, count, body, 1, ABREAST)[0]


def _write_squares(writer: Writer, tile: Tile, center: ir.Value, x: ir.Value, count: ir.Value) -> ir.Value:
    builder, center = writer.builder, writer.splat(center)

    def body(at: ir.Value, mask: Any, totals: Sequence[ir.Value]) -> list[ir.Value]:
        distance = builder.fsub(writer.load(builder.add(x, at), mask), center)
        if mask is not None:
            distance = builder.select(mask, distance, writer.zero)
        return [writer.add_product(distance, distance, totals[0])]

    return _sweep(writer, count, body, 1, ABREAST)[0]


def _write_shift(writer: Writer, tile: Tile, center: ir.Value, scale: ir.Value, *places: ir.Value) -> None:
    x, weight, bias, out, count, ahead = places
    builder, center, scale = writer.builder, writer.splat(center), writer.splat(scale)

    def body(at: ir.Value, mask: Any, totals: Sequence[ir.Value]) -> list[ir.Value]:
        here = builder.add(x, at)
        _ask(writer, [here, builder.add(out, at)], ahead, NEAREST)
        a, b = (writer.load(builder.add(place, at), mask) for place in (weight, bias))
        standard = builder.fmul(builder.fsub(writer.load(here, mask), center), scale)
        writer.store(writer.add_product(standard, a, b), builder.add(out, at), mask)
        return []

    _sweep(writer, count, body)


def _write_products(
    writer: Writer, tile: Tile, center: ir.Value, scale: ir.Value, *places: ir.Value
) -> Sequence[ir.Value]:
    g, x, weight, of_weight, of_bias, count, later = places
    builder, center, scale = writer.builder, writer.splat(center), writer.splat(scale)

    def body(at: ir.Value, mask: Any, totals: Sequence[ir.Value]) -> list[ir.Value]:
        _ask(writer, [at], later, SECOND)
        gradient, value, factor = (writer.load(builder.add(place, at), mask) for place in (g, x, weight))
        along = builder.fmul(gradient, builder.fsub(value, center))
        for place, a, b in ((of_weight, along, scale), (of_bias, gradient, None)):
            here = builder.add(place, at)
            known = writer.load(here, mask)
            writer.store(builder.fadd(known, a) if b is None else writer.add_product(a, b, known), here, mask)
        return [writer.add_product(each, factor, total) for each, total in zip((gradient, along), totals, strict=True)]

    return _sweep(writer, count, body, 2)


def _write_mix(writer: Writer, tile: Tile, *values: ir.Value) -> None:
    center, scale, slope, shift = (writer.splat(value) for value in values[:4])
    g, x, weight, out, count, ahead = values[4:]
    builder = writer.builder

    def body(at: ir.Value, mask: Any, totals: Sequence[ir.Value]) -> list[ir.Value]:
        here = [builder.add(place, at) for place in (g, x, weight)]
        _ask(writer, here[:2], ahead, SECOND)
        gradient, value, factor = (writer.load(place, mask) for place in here)
        along = writer.add_product(builder.fsub(value, center), slope, shift)
        writer.store(writer.add_product(builder.fmul(gradient, scale), factor, along), builder.add(out, at), mask)
        return []

    _sweep(writer, count, body)


def _ask(writer: Writer, places: Sequence[ir.Value], ahead: ir.Value, near: int) -> None:
    for place in places:
        writer.prefetch(writer.builder.add(place, ahead), to_write=False, near=near)


_lower_sum = lower(2, _write_sum, lambda real: real)
_lower_squares = lower(2, _write_squares, lambda real: real)
_lower_shift = lower(6, _write_shift, reals=2)
_lower_products = lower(7, _write_products, lambda real: types.UniTuple(real, 2), reals=2)
_lower_mix = lower(6, _write_mix, reals=4)


@intrinsic
def sum_run(typing_context, zero, x, count):
    """The sum of ``count`` numbers."""
    return _lower_sum(zero)


@intrinsic
def square_run(typing_context, center, x, count):
    """The sum of the squares of ``x - center``."""
    return _lower_squares(center)


@intrinsic
def shift_run(typing_context, center, scale, x, weight, bias, out, count, ahead):
    """Writes ``(x - center) * scale * weight + bias``, and asks for ``x`` and ``out`` of ``ahead`` bytes farther."""
    return _lower_shift(center)


@intrinsic
def product_run(typing_context, center, scale, g, x, weight, of_weight, of_bias, count, later):
    """The sums of ``g * weight`` and of ``g * weight * (x - center)``; adds ``g * (x - center) * scale`` to
    ``of_weight`` and ``g`` to ``of_bias``, and asks for what begins at ``later``."""
    return _lower_products(center)


@intrinsic
def mix_run(typing_context, center, scale, slope, shift, g, x, weight, out, count, ahead):
    """Writes ``g * scale * weight + (x - center) * slope + shift``, and asks for ``g`` and ``x`` of ``ahead`` bytes
    farther."""
    return _lower_mix(center)
