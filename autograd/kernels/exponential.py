"""Exponentials, logarithms and what is made of them: sigmoid, softplus and the hyperbolic functions.

exp(x) is 2^n e^r with |r| <= ln(2) / 2, and log(x) is n ln(2) + log(m) with m within a factor sqrt(2) of 1
(Cody and Waite, *Software Manual for the Elementary Functions*, 1980; the arrangement of the logarithm's
series in s = (m - 1) / (m + 1) is fdlibm's). Small results keep their relative accuracy: expm1(r) and log(m)
are computed without the 1, which only the caller adds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numba import njit

from .scalar import (
    aligned_pow2,
    aligner,
    copysign,
    exponent,
    inline,
    mantissa,
    named,
    polynomial,
    pow2,
    sqrt,
    where,
    words,
)

__all__ = ["LN2", "exponentials"]

LN2 = "0.6931471805599453094172321214581765680755"
_LOG10_2 = "0.3010299956639811952137388947244930267682"
_LOG10_E = "0.4342944819032518276511289189166050822944"
_LOG2_E = "1.442695040888963407359924681001892137427"


def exponentials(real: type, fits: Mapping[str, Sequence[float]]) -> dict[str, Any]:
    """The exponential family for ``real``, by name.

    Args:
        fits: ``"exp"``, the polynomial q in expm1(r) = r + r^2 q(r) for |r| <= ln(2) / 2, and ``"log"``, the
            p in log((1 + s) / (1 - s)) = 2s + s^3 p(s^2) for |s| <= (sqrt(2) - 1) / (sqrt(2) + 1).
    """
    info = np.finfo(real)
    digits, largest, smallest = info.nmant + 1, info.max, info.smallest_normal
    # Where the sign of zero tells nothing, -(a - b) is b - a.
    unsigned = njit(forceinline=True, no_cfunc_wrapper=True, error_model="numpy", fastmath={"contract", "nsz"})
    zero, eighth, quarter, half, one, two, four = map(real, (0.0, 0.125, 0.25, 0.5, 1.0, 2.0, 4.0))
    infinity, nan, ulp = real("inf"), real("nan"), real(info.eps / 4)
    exp_fit, log_fit = polynomial(fits["exp"]), polynomial(fits["log"])

    # The high words leave room for a product with any exponent, so n * high is exact.
    ln2_high, ln2_low = words(LN2, real, digits - 12, digits)
    log10_2_high, log10_2_low = words(_LOG10_2, real, digits - 12, digits)
    log10_e_high, log10_e_low = words(_LOG10_E, real, digits, digits)
    log2_e_high, log2_e_low = words(_LOG2_E, real, digits, digits)
    ln2 = real(ln2_high + ln2_low)

    # Beyond these e^x is zero, e^x - 1 is -1, and sinh(x) is infinite.
    top = real(np.log(float(largest)) + 0.75)
    bottom = real((info.minexp - info.nmant - 1) * float(ln2) - 0.5)
    lowest = real(-(digits + 1) * float(ln2))
    top2, bottom2 = real(info.maxexp + 1), real(info.minexp - info.nmant - 2)
    # A power that may overflow or be subnormal is reached from 2^half_way, in a second step that rounds right.
    half_way = info.maxexp // 2
    plain, raised, lowered, quartered = (aligner(real, plus) for plus in (0, half_way, -half_way, -2))
    up_half, down_half = real(2.0**half_way), real(2.0**-half_way)
    saturated = real(-lowest / two)  # tanh is 1
    vast = real(2.0 ** (info.maxexp // 2 - 4))
    subnormal_shift, up = real(digits), real(2.0**digits)

    @inline
    def clamp(x, low, high):
        return where(x < low, low, where(x > high, high, x))

    @inline
    def near_expm1(r):
        """expm1(r) for |r| <= ln(2) / 2."""
        return r + r * r * exp_fit(r)

    @inline
    def reduced(x, base):
        """(2^(n + plus), expm1(x - n ln 2)) for ``base = aligner(real, plus)``; n is the integer next to x / ln(2)."""
        t = x * log2_e_high + base
        n = t - base
        return aligned_pow2(t), near_expm1((x - n * ln2_high) - n * ln2_low)

    @inline
    def exp(x):
        x = clamp(x, bottom, top)
        power, rest = reduced(x, where(x < zero, raised, lowered))
        return (power + power * rest) * where(x < zero, down_half, up_half)

    @unsigned
    def raised_decay(a):
        """e^-a for a >= 0, raised by a power of two that is the same for all: shares of a whole do without the way
        down."""
        x = -a
        power, rest = reduced(where(x < bottom, bottom, x), raised)
        return power + power * rest

    @unsigned
    def decay(a):
        """e^-a for a >= 0."""
        return raised_decay(a) * down_half

    @inline
    def exp2(x):
        x = clamp(x, bottom2, top2)
        base = where(x < zero, raised, lowered)
        t = x + base
        rest = near_expm1((x - (t - base)) * ln2)
        return (one + rest) * aligned_pow2(t) * where(x < zero, down_half, up_half)

    @inline
    def quarter_expm1(x):
        """expm1(x) / 4: finite as long as sinh(x) is."""
        power, rest = reduced(clamp(x, lowest, top), quartered)
        return power * rest + (power - quarter)

    @inline
    def expm1(x):
        """e^x - 1."""
        return where(abs(x) < ulp, x, four * quarter_expm1(x))

    @inline
    def series(f, extra):
        """log(1 + f) + extra for f in [sqrt(1/2) - 1, sqrt(2) - 1] and a small extra."""
        s = f / (two + f)
        z = s * s
        square = half * f * f
        return f - (square - (s * (square + z * log_fit(z)) + extra))

    @inline
    def split(x):
        """(k, f) with x = 2^k (1 + f), for finite x > 0."""
        tiny = x < smallest
        x = where(tiny, x * up, x)
        return exponent(x) - where(tiny, subnormal_shift, zero), mantissa(x) - one

    @inline
    def at_ends(x, y):
        """y, the logarithm of x, put right where x is zero, negative, infinite or NaN."""
        return where(x > zero, where(x < infinity, y, x), where(x == zero, -infinity, nan))

    @inline
    def log(x):
        k, f = split(x)
        return at_ends(x, k * ln2_high + series(f, k * ln2_low))

    @inline
    def log2(x):
        k, f = split(x)
        y = series(f, zero)
        return at_ends(x, k + (y * log2_e_high + y * log2_e_low))

    @inline
    def log10(x):
        k, f = split(x)
        y = series(f, zero)
        return at_ends(x, k * log10_2_high + (y * log10_e_high + (y * log10_e_low + k * log10_2_low)))

    @inline
    def log1p(x):
        """log(1 + x)."""
        small = abs(x) < ulp
        t = where(small, one, x)  # the square of a tiny x is subnormal, and such arithmetic 5 times slower
        u = one + t
        part = u - one
        lost = (one - (u - part)) + (t - part)  # u + lost is 1 + t exactly (Knuth's two-sum)
        k = exponent(u)
        f = (mantissa(u) - one) + lost * pow2(-where(k > subnormal_shift, subnormal_shift, k))
        return where(small, x, at_ends(u, k * ln2_high + series(f, k * ln2_low)))

    @inline
    def sigmoid(x):
        """1 / (1 + e^-x)."""
        power, rest = reduced(-clamp(x, bottom, -lowest), lowered)
        return down_half / (down_half + (power + power * rest))

    @inline
    def softplus(x):
        """log(1 + e^x)."""
        return where(x > zero, x, zero) + log1p(decay(abs(x)))

    @inline
    def log_sigmoid(x):
        """log(1 / (1 + e^-x))."""
        return where(x < zero, x, zero) - log1p(decay(abs(x)))

    @inline
    def logaddexp(x, y):
        """log(e^x + e^y)."""
        larger = where(x > y, x, y)
        return where(x == y, x + ln2, larger + log1p(decay(abs(x - y))))

    @inline
    def sinh(x):
        a = abs(x)
        h = two * quarter_expm1(a)
        y = h + where(h < largest, h, largest) / (two * h + one)
        return copysign(where(a < ulp, a, y), x)

    @inline
    def cosh(x):
        power, rest = reduced(clamp(abs(x), zero, top), quartered)
        e = power * (one + rest)
        return two * e + eighth / e

    @inline
    def tanh(x):
        a = abs(x)
        power, rest = reduced(-two * where(a > saturated, saturated, a), plain)
        t = power * rest + (power - one)
        return copysign(t / (t + two), x)

    @inline
    def asinh(x):
        a = abs(x)
        huge = a > vast
        y = log1p(where(huge, a, a + a * a / (one + sqrt(a * a + one))))
        return copysign(y + where(huge, ln2, zero), x)

    @inline
    def acosh(x):
        t = x - one
        huge = x > vast
        y = log1p(where(huge, x, t + sqrt(t * (t + two)))) + where(huge, ln2, zero)
        return where(x >= one, y, nan)

    @inline
    def atanh(x):
        a = abs(x)
        return copysign(half * log1p(two * a / (one - a)), x)

    return named(
        exp, exp2, expm1, decay, raised_decay, log, log2, log10, log1p, sigmoid, softplus, log_sigmoid, logaddexp,
        sinh, cosh, tanh, asinh, acosh, atanh,
    )  # fmt: skip
