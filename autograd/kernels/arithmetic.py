"""The functions of ``math32`` and ``math64`` that need no approximation: comparison, rounding, division."""

from __future__ import annotations

from typing import Any

from . import scalar
from .scalar import copysign, floor, fmod, inline, named, sqrt, where

__all__ = ["arithmetic"]


def arithmetic(real: type) -> dict[str, Any]:
    """The exactly computable functions for ``real`` (``np.float32`` or ``np.float64``), by name."""
    zero, half, one, infinity = map(real, (0.0, 0.5, 1.0, float("inf")))

    @inline
    def maximum(a, b):
        """The larger; NaN if either is."""
        return where((a >= b) | (a != a), a, b)

    @inline
    def minimum(a, b):
        """The smaller; NaN if either is."""
        return where((a <= b) | (a != a), a, b)

    @inline
    def fmax(a, b):
        """The larger; a NaN is ignored."""
        return where((a >= b) | (b != b), a, b)

    @inline
    def fmin(a, b):
        """The smaller; a NaN is ignored."""
        return where((a <= b) | (b != b), a, b)

    magnitude = abs

    @inline
    def absolute(x):
        """|x|."""
        return magnitude(x)

    @inline
    def sign(x):
        """-1, 0 or 1; 0 for NaN."""
        return where(x > zero, one, where(x < zero, -one, zero))

    @inline
    def rsqrt(x):
        """1 / sqrt(x)."""
        return one / sqrt(x)

    @inline
    def isnan(x):
        return x != x

    @inline
    def isinf(x):
        return magnitude(x) == infinity

    @inline
    def isfinite(x):
        return magnitude(x) < infinity

    @inline
    def remainder(x, y):
        """x - y * floor(x / y), with the sign of y."""
        rest = fmod(x, y)
        return where((rest != zero) & ((rest < zero) != (y < zero)), rest + y, rest)

    @inline
    def div_floor(x, y):
        """The q, an integer, for which x = q * y + remainder(x, y); x / y where y is zero."""
        rest = fmod(x, y)
        borrow = (rest != zero) & ((rest < zero) != (y < zero))
        quotient = (x - rest) / y - where(borrow, one, zero)
        whole = floor(quotient)
        # The division may have rounded down past the integer that the quotient must be.
        whole = where(quotient - whole > half, whole + one, whole)
        ratio = x / y
        return where(y == zero, ratio, where(quotient == zero, copysign(zero, ratio), whole))

    @inline
    def logical_and(a, b):
        return a & b

    @inline
    def logical_or(a, b):
        return a | b

    @inline
    def logical_xor(a, b):
        return a != b

    @inline
    def logical_not(a):
        return not a

    instructions = {
        name: getattr(scalar, name)
        for name in ("where", "floor", "ceil", "trunc", "round", "sqrt", "copysign", "signbit", "fmod")
    }
    functions = named(
        maximum, minimum, fmax, fmin, sign, rsqrt, isnan, isinf, isfinite, remainder, div_floor,
        logical_and, logical_or, logical_xor, logical_not,
    )  # fmt: skip
    return {**instructions, **functions, "abs": absolute}
