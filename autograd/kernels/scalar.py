"""Scalar operations that LLVM widens into SIMD: what the elementary functions are built from.

``math.exp`` in a numba loop is a library call per element. The functions of ``math32`` and ``math64`` are
instead straight-line arithmetic (no branch, no call, no table), so the loop around them vectorizes. This
module holds the parts numba has no name for: selects, fused multiply-adds, polynomials, the bits of a float.
They take ``float32`` or ``float64``, return the type they were given, and refuse a mixture, so nothing is
promoted unnoticed.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

__all__ = [
    "aligned_pow2", "aligner", "ceil", "copysign", "exact", "exponent", "fetch", "flip", "floor", "fma",
    "fmod", "inline", "larger", "mantissa", "named", "plus", "polynomial", "pow2", "raised", "round", "signbit",
    "sqrt", "trunc", "where", "wide", "words",
]  # fmt: skip

# Inlined into the loop whatever their size; `exact` forbids contraction where rounding errors are computed.
inline = njit(forceinline=True, no_cfunc_wrapper=True, error_model="numpy", fastmath={"contract"})
exact = njit(forceinline=True, no_cfunc_wrapper=True, error_model="numpy")


def named(*functions: Any) -> dict[str, Any]:
    """The numba functions (or instructions) by name."""
    return {function.__name__: function for function in functions}


def words(value: str | Fraction, real: type, *bits: int) -> tuple[Any, ...]:
    """Floats of at most the given numbers of bits whose sum approximates ``value`` > 0 from below.

    >>> words("5.1875", np.float64, 3, 24)
    (np.float64(5.0), np.float64(0.1875))
    """
    rest = Fraction(Decimal(value)) if isinstance(value, str) else value
    parts = []
    for width in bits:
        unit = Fraction(2) ** (_binade(rest) - width + 1) if rest else Fraction(1)
        part = math.floor(rest / unit) * unit
        parts.append(real(float(part)))
        rest -= part
    return tuple(parts)


def _binade(value: Fraction) -> int:
    """floor(log2(value)) for value > 0."""
    guess = value.numerator.bit_length() - value.denominator.bit_length()
    return guess if value >= Fraction(2) ** guess else guess - 1


@intrinsic
def wide(typing_context):
    """Called anywhere in a function, lets its loops use the host's widest registers.

    LLVM uses half of an AVX-512 register, since the first processors with them lowered their clock for the whole.
    Later ones do not: on one with AMX, exp, tanh and sigmoid took 1.3 to 1.7 times as long that way. Where there is
    no AVX-512 nothing changes.
    """

    def generate(context, builder, signature, values):
        # llvmlite knows no attributes with a value and refuses them; LLVM reads any text.
        set.add(builder.function.attributes, '"prefer-vector-width"="512"')
        return context.get_dummy_value()

    return types.none(), generate


@intrinsic
def fetch(typing_context, array, index):
    """Asks for the line of memory in which an element lies, to be near when it is read; there need not be one."""

    def generate(context, builder, signature, values):
        data = context.make_array(array)(context, builder, values[0]).data
        byte, word = ir.IntType(8), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte.as_pointer(), word, word, word])
        place = builder.bitcast(builder.gep(data, [values[1]]), byte.as_pointer())
        prefetch = builder.module.declare_intrinsic("llvm.prefetch", [byte.as_pointer()], kind)
        builder.call(prefetch, [place, word(0), word(3), word(1)])  # to be read, kept in all caches, data
        return context.get_dummy_value()

    return types.none(array, index), generate


def _instruction(emit: Callable[..., ir.Value], result: types.Type | None = None, name: str = "") -> Any:
    """A numba callable of floats of one type; ``emit(builder, *values)`` writes its LLVM."""

    def instruction(typing_context: Any, *operands: types.Type) -> Any:
        if any(operand != operands[0] or not isinstance(operand, types.Float) for operand in operands):
            return None
        signature = (result or operands[0])(*operands)
        return signature, lambda context, builder, signature, values: emit(builder, *values)

    instruction.__name__ = instruction.__qualname__ = name or emit.__name__
    instruction.__doc__ = emit.__doc__
    # numba takes the number of operands from here: it cannot lower *operands.
    instruction.__signature__ = inspect.signature(emit)  # type: ignore[attr-defined]
    return intrinsic(instruction)


def _llvm(name: str, doc: str, arity: int = 1) -> Any:
    """The LLVM intrinsic ``name`` on ``arity`` floats."""
    emit = (
        lambda builder, x: _call(builder, name, x),
        lambda builder, x, y: _call(builder, name, x, y),
        lambda builder, x, y, z: _call(builder, name, x, y, z),
    )[arity - 1]
    emit.__doc__ = doc
    return _instruction(emit, name=name.removeprefix("llvm."))


def _call(builder: ir.IRBuilder, name: str, *values: ir.Value, flags: Sequence[str] = ()) -> ir.Value:
    real = values[0].type
    signature = ir.FunctionType(real, [real] * len(values))
    return builder.call(builder.module.declare_intrinsic(name, [real], signature), values, fastmath=flags)


floor = _llvm("llvm.floor", "Largest integer <= x.")
ceil = _llvm("llvm.ceil", "Smallest integer >= x.")
trunc = _llvm("llvm.trunc", "x without its fraction.")
round = _llvm("llvm.rint", "Nearest integer, halves to even.")
sqrt = _llvm("llvm.sqrt", "Correctly rounded square root.")
copysign = _llvm("llvm.copysign", "|x| with the sign of y.", arity=2)
# Hosts without the instruction (x86 before 2013) call libm for it: slower there, never different.
fma = _llvm("llvm.fma", "x * y + z, rounded once.", arity=3)


@njit(forceinline=True, no_cfunc_wrapper=True, fastmath={"contract", "nsz", "reassoc"})
def plus(total, x):
    """total + x, where sums may be taken in any order: what lets a loop that adds up vectorize."""
    return total + x


@_instruction
def larger(builder, x, y):
    """The larger; any number where one is NaN: loops that keep the largest vectorize with it, as one instruction."""
    return _call(builder, "llvm.maxnum", x, y, flags=("nnan", "nsz"))


@_instruction
def fmod(builder, x, y):
    """x - y * trunc(x / y), exactly: C's fmod."""
    return builder.frem(x, y)


@intrinsic
def where(typing_context, condition, a, b):
    """``a`` where the boolean ``condition`` holds, else ``b``; both are evaluated."""
    if a != b or condition != types.boolean:
        return None
    return a(condition, a, b), lambda context, builder, signature, values: builder.select(*values)


def polynomial(coefficients: Sequence[float]) -> Any:
    """The function ``c[0] + c[1] x + c[2] x^2 + ...`` by Horner's rule, in the type of ``x``."""

    def horner(builder, x):
        last, *others = reversed(_numbers(builder, x.type, coefficients))
        for coefficient in others:
            last = _call(builder, "llvm.fmuladd", last, x, coefficient)
        return last

    return _instruction(horner)


def _numbers(builder: ir.IRBuilder, real: ir.Type, values: Sequence[float]) -> list[ir.Value]:
    """Numbers that lie in memory one behind the other, but for a 1, which saves a product.

    A literal has an address of its own, and a loop of more of them than it has registers for addresses asks for each in
    every turn: measured, GELU of a million float32 took 400 us so, and 350 with its coefficients in tables.
    """
    kind, word = ir.ArrayType(real, len(values)), ir.IntType(32)
    name = f"{real}_" + "_".join(float(value).hex() for value in values)
    table = builder.module.globals.get(name)
    if table is None:
        table = ir.GlobalVariable(builder.module, kind, name)
        table.initializer = ir.Constant(kind, [float(value) for value in values])
        table.linkage = "weak"  # what might be replaced by another module's is not made literals again
    numbers = []
    for i, value in enumerate(values):
        number = builder.load(builder.gep(table, [word(0), word(i)], inbounds=True))
        number.set_metadata("invariant.load", builder.module.add_metadata([]))
        numbers.append(ir.Constant(real, 1.0) if value == 1 else number)
    return numbers


# --- the bits of a float ---


def _layout(real: ir.Type) -> tuple[ir.IntType, int, int]:
    """Integer of the same width, bits of the fraction, bias of the exponent."""
    single = isinstance(real, ir.FloatType)
    return (ir.IntType(32), 23, 127) if single else (ir.IntType(64), 52, 1023)


def _integer(builder: ir.IRBuilder, n: ir.Value, plus: int = 0) -> ir.Value:
    """The integer-valued float ``n + plus`` in the low bits of an integer, modulo a power of two."""
    # Adding 1.5 * 2^fraction aligns the units with the last bit: cheaper than a conversion, and AVX2 has none
    # between double and int64.
    word, fraction, _bias = _layout(n.type)
    shifted = builder.fadd(n, ir.Constant(n.type, 1.5 * 2.0**fraction + plus))
    return builder.bitcast(shifted, word)


def _binary_exponent(builder: ir.IRBuilder, x: ir.Value) -> ir.Value:
    """The integer k with x / 2^k in [sqrt(1/2), sqrt(2)), for normal x > 0."""
    word, fraction, _bias = _layout(x.type)
    root = np.float32(0.5**0.5).view(np.int32) if fraction == 23 else np.float64(0.5**0.5).view(np.int64)
    offset = builder.sub(builder.bitcast(x, word), ir.Constant(word, int(root)))
    return builder.ashr(offset, ir.Constant(word, fraction))


@_instruction
def exponent(builder, x):
    """The k, as a float, for which x / 2^k lies in [sqrt(1/2), sqrt(2)); normal x > 0."""
    k = _binary_exponent(builder, x)
    # Only AVX-512 converts int64 to double in SIMD; every exponent fits an int32.
    return builder.sitofp(builder.trunc(k, ir.IntType(32)) if k.type.width > 32 else k, x.type)


@_instruction
def mantissa(builder, x):
    """x / 2^exponent(x), in [sqrt(1/2), sqrt(2))."""
    word, fraction, _bias = _layout(x.type)
    shift = builder.shl(_binary_exponent(builder, x), ir.Constant(word, fraction))
    return builder.bitcast(builder.sub(builder.bitcast(x, word), shift), x.type)


@_instruction
def pow2(builder, n):
    """2^n for integer-valued n in the range of normal exponents; arbitrary bits for any other n."""
    _word, fraction, bias = _layout(n.type)
    biased = _integer(builder, n, plus=bias)
    return builder.bitcast(builder.shl(biased, ir.Constant(biased.type, fraction)), n.type)


def aligner(real: type, plus: int = 0) -> Any:
    """The constant c for which x + c is rounded to an integer n, plus c: n is (x + c) - c; |x| < 2^(fraction - 2).

    ``aligned_pow2`` makes 2^(n + plus) of the sum: cheaper than a rounding and a ``pow2``.
    """
    info = np.finfo(real)
    return real(1.5 * 2.0**info.nmant + (info.maxexp - 1) + plus)


@_instruction
def aligned_pow2(builder, t):
    """2^(n + plus) for t = n + aligner(type of t, plus), where that is a normal number; else arbitrary bits."""
    word, fraction, _bias = _layout(t.type)
    return builder.bitcast(builder.shl(builder.bitcast(t, word), ir.Constant(word, fraction)), t.type)


@_instruction
def raised(builder, x, t):
    """2^(n + plus) x for t = n + aligner(type of t, plus - bias of the exponent), where x and the result are normal
    numbers: an addition of integers, which is not a product's rival for the units that multiply."""
    word, fraction, _bias = _layout(t.type)
    power = builder.shl(builder.bitcast(t, word), ir.Constant(word, fraction))
    return builder.bitcast(builder.add(builder.bitcast(x, word), power), x.type)


@_instruction
def flip(builder, x, n):
    """(-1)^n x for integer-valued |n| < 2^(fraction bits - 1)."""
    word, _fraction, _bias = _layout(x.type)
    parity = builder.shl(_integer(builder, n), ir.Constant(word, word.width - 1))
    return builder.bitcast(builder.xor(builder.bitcast(x, word), parity), x.type)


def _is_negative(builder, x):
    """Whether the sign bit is set: true for -0.0."""
    word, _fraction, _bias = _layout(x.type)
    return builder.icmp_signed("<", builder.bitcast(x, word), ir.Constant(word, 0))


signbit = _instruction(_is_negative, result=types.boolean, name="signbit")
