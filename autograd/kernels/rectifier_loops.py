"""Compiled loops of :mod:`autograd.kernels.rectifier`; a work item is a word: the bits of `WORD` elements.

LLVM makes no bits of comparisons by itself, so a word is written here as it is for a whole vector: compared at once,
and the vector of truth values is the word.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir
from numba import types, uint64
from numba.extending import intrinsic

from .compiled import compiled
from .scalar import wide

__all__ = ["WORD", "pass_words", "rectify_words"]

WORD = 16
BITS = ir.IntType(WORD)


def _addresses(
    context: Any, builder: ir.IRBuilder, kinds: Sequence[types.Array], values: Sequence[ir.Value]
) -> list[ir.Value]:
    """Where the elements of a word are, where their results go, and where the word itself lies."""
    *arrays, word = values
    parts = ((WORD, None), (WORD, None), (WORD // 8, BITS))
    places = []
    for kind, value, (length, whole) in zip(kinds, arrays, parts, strict=True):
        data = context.make_array(kind)(context, builder, value).data
        first = builder.gep(data, [builder.mul(word, ir.Constant(word.type, length))])
        whole = whole or ir.VectorType(data.type.pointee, length)
        places.append(builder.bitcast(first, whole.as_pointer()))
    return places


def _selecting(find: Callable[[ir.IRBuilder, ir.Value, ir.Value], ir.Value]) -> Callable[..., ir.Value]:
    """What an intrinsic writes: the elements of a word for which ``find(builder, elements, address of the bits)`` is
    true, and 0 in the place of the others."""

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, values: Sequence[ir.Value]) -> ir.Value:
        source, target, mask = _addresses(context, builder, signature.args[:3], values)
        size = signature.args[0].dtype.bitwidth // 8
        vector = builder.load(source, align=size)
        chosen = builder.select(find(builder, vector, mask), vector, _zeros(vector))
        builder.store(chosen, target, align=size)
        return context.get_dummy_value()

    return generate


def _zeros(vector: ir.Value) -> ir.Constant:
    return ir.Constant(vector.type, [0.0] * WORD)


def _compared(builder: ir.IRBuilder, vector: ir.Value, mask: ir.Value) -> ir.Value:
    passes = builder.fcmp_unordered(">", vector, _zeros(vector))
    builder.store(builder.bitcast(passes, BITS), mask, align=1)
    return passes


def _remembered(builder: ir.IRBuilder, vector: ir.Value, mask: ir.Value) -> ir.Value:
    return builder.bitcast(builder.load(mask, align=1), ir.VectorType(ir.IntType(1), WORD))


@intrinsic
def rectify_word(typing_context, x, out, bits, word):
    """Writes the results and the bits of a word; nothing is checked."""
    return types.none(x, out, bits, word), _selecting(_compared)


@intrinsic
def pass_word(typing_context, g, out, bits, word):
    """Writes the gradients of a word; nothing is checked."""
    return types.none(g, out, bits, word), _selecting(_remembered)


@compiled()
def rectify_words(start, stop, x, out, bits):
    """``max(x, 0)``, and the bits of what is positive, or NaN."""
    wide()
    whole = min(stop, len(x) // WORD)
    for word in range(start, whole):
        rectify_word(x, out, bits, uint64(word))
    for first in range(max(start, whole) * WORD, min(stop * WORD, len(x)), 8):
        byte = 0
        for i in range(first, min(first + 8, len(x))):
            passes = not x[i] <= 0
            out[i] = x[i] if passes else x.dtype.type(0)
            byte |= passes << (i - first)
        bits[first // 8] = byte


@compiled()
def pass_words(start, stop, g, out, bits):
    """``g`` where the bit is set, elsewhere 0."""
    wide()
    whole = min(stop, len(g) // WORD)
    for word in range(start, whole):
        pass_word(g, out, bits, uint64(word))
    for i in range(max(start, whole) * WORD, min(stop * WORD, len(g))):
        out[i] = g[i] if bits[i // 8] >> (i % 8) & 1 else g.dtype.type(0)
