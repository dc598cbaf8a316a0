"""Powers, the hypotenuse, the error function and log-gamma."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from .exponential import LN2
from .scalar import (
    aligned_pow2,
    aligner,
    copysign,
    exact,
    exponent,
    floor,
    fma,
    inline,
    mantissa,
    named,
    polynomial,
    pow2,
    raised,
    round,
    sqrt,
    where,
    words,
)

__all__ = ["error_functions", "powers"]

_TWO_THIRDS, _TWO_THIRDS_LOW = words(Fraction(2, 3), np.float64, 53, 53)
_LN2, _LN2_LOW = words(LN2, np.float64, 41, 53)


def powers(real: type, fits: Mapping[str, Sequence[float]], double: Mapping[str, Any]) -> dict[str, Any]:
    """``pow``, ``known_pow``, ``hypot`` and ``lgamma`` for ``real``, by name.

    Args:
        fits: for float64, ``"exp"`` as in :func:`~autograd.kernels.exponential.exponentials` and
            ``"log_tail"``, the t in log((1 + s) / (1 - s)) = 2s + s^3 (2/3 + s^2 t(s^2)).
        double: the float64 functions ``log`` and ``exp``; float32 powers are computed with them.
    """
    zero, half, one, two, three = map(real, (0.0, 0.5, 1.0, 2.0, 3.0))
    infinity, nan = real("inf"), real("nan")
    magnitude, hypotenuse = (_in_double(double), _plain) if real is np.float32 else (_extended(fits), _scaled)

    @inline
    def pow(x, y):
        """x^y with the special values of C's pow."""
        a = abs(x)
        whole = floor(y) == y
        odd = whole & (floor(y * half) != y * half)
        power = where((a == one) & (y == y), one, real(magnitude(np.float64(a), np.float64(y))))
        power = where((x < zero) & (a < infinity) & (abs(y) < infinity) & (not whole), nan, power)
        return where((y == zero) | (x == one), one, where(odd, copysign(power, x), power))

    @inline
    def known_pow(x, y):
        """x^y for a y that the compiler knows, which leaves one of these ways and nothing of the others."""
        inverse, root = one / x, where(x == -infinity, infinity, sqrt(x) + zero)
        power = where(y == half, root, where(y == -half, one / root, pow(x, y)))
        power = where(y == -one, inverse, where(y == -two, inverse * inverse, power))
        return where(y == one, x, where(y == two, x * x, where(y == three, x * x * x, power)))

    @inline
    def hypot(x, y):
        """sqrt(x^2 + y^2) without overflow."""
        length = real(hypotenuse(np.float64(x), np.float64(y)))
        return where((abs(x) == infinity) | (abs(y) == infinity), infinity, length)

    @inline
    def lgamma(x):
        """log |Gamma(x)| by numba, a call per element; near its zeros 1 and 2 the error is 1e-15 absolute."""
        return real(math.lgamma(np.float64(x)))

    return named(pow, known_pow, hypot, lgamma)


@inline
def _plain(x, y):
    return sqrt(x * x + y * y)


_HUGE, _SHRINK, _TINY, _GROW = map(np.float64, (2.0**500, 2.0**-600, 2.0**-500, 2.0**600))
_ONE = np.float64(1.0)


@inline
def _scaled(x, y):
    a, b = abs(x), abs(y)
    larger = where(a > b, a, b)
    factor = where(larger > _HUGE, _SHRINK, where(larger < _TINY, _GROW, _ONE))
    return _plain(a * factor, b * factor) / factor


def _in_double(double: Mapping[str, Any]) -> Any:
    exp, log = double["exp"], double["log"]

    @inline
    def magnitude(a, y):
        return exp(y * log(a))

    return magnitude


def _extended(fits: Mapping[str, Sequence[float]]) -> Any:
    """a^y for float64 a >= 0: the logarithm as a sum of two floats, since its error is multiplied by y."""
    zero, half, one, two = map(np.float64, (0.0, 0.5, 1.0, 2.0))
    infinity, smallest, up = np.float64("inf"), np.finfo(np.float64).smallest_normal, np.float64(2.0**53)
    subnormal_shift, limit = np.float64(53), np.float64(746)
    tail_fit, exp_fit = polynomial(fits["log_tail"]), polynomial(fits["exp"])
    inverse_ln2 = np.float64(1 / math.log(2))

    @exact
    def product(a, a_low, b, b_low):
        high = a * b
        return high, fma(a, b, -high) + (a * b_low + a_low * b)

    @exact
    def fast_sum(a, b):
        """a + b and its rounding error, for |a| >= |b| or a = 0."""
        high = a + b
        return high, b - (high - a)

    @exact
    def log(a):
        """The logarithm of finite a > 0 in two words, to 2^-63."""
        tiny = a < smallest
        a = where(tiny, a * up, a)
        k = exponent(a) - where(tiny, subnormal_shift, zero)
        m = mantissa(a)
        f = m - one
        below = m + one
        s = f / below
        s_low = (fma(-s, below, f) - s * (m - (below - one))) / below
        z, z_low = product(s, s_low, s, s_low)
        c, c_low = fast_sum(_TWO_THIRDS, z * tail_fit(z))
        w, w_low = product(s, s_low, z, z_low)
        v, v_low = product(w, w_low, c, c_low + _TWO_THIRDS_LOW)
        y, y_low = fast_sum(two * s, v)
        high, low = fast_sum(k * _LN2, y)
        return high, low + (y_low + (two * s_low + v_low) + k * _LN2_LOW)

    @exact
    def magnitude(a, y):
        high, low = log(a)
        ends = (a == zero) | (a == infinity) | (a != a)
        high = where(ends, where(a == zero, -infinity, a), high)
        p = y * high
        p_low = where(abs(p) < limit, fma(y, high, -p) + y * low, zero)
        p = where(p > limit, limit, where(p < -limit, -limit, p))
        n = round(p * inverse_ln2)
        r = fma(n, -_LN2_LOW, fma(n, -_LN2, p)) + p_low
        first = round(n * half)
        return (one + (r + r * r * exp_fit(r))) * pow2(first) * pow2(n - first)

    return magnitude


def error_functions(real: type, fits: Mapping[str, Sequence[float]]) -> dict[str, Any]:
    """``erf``, ``erfc``, ``ndtr``, ``normal_density`` and ``gelu_slope`` for ``real``, by name.

    Args:
        fits: ``"exp"`` as in :func:`~autograd.kernels.exponential.exponentials`; ``"erf"``, the p in
            erf(x) = x + x p(x^2) for |x| <= 1; ``"erfc"``, the q in erfc(a) = exp(-a^2) q((a - 3) / (a + 3)) / (a + 3)
            for a >= 0.6 (a transformation of Schonfelder, *Math. Comp.* 32, 1978). Optionally ``"bell"``, an ``"exp"``
            for exp(-a^2 / 2); and ``"tail"`` with four more, which :func:`_below` explains.
    """
    one, two, three, middle, half, zero = map(real, (1.0, 2.0, 3.0, 0.6, 0.5, 0.0))
    root_half = real(math.sqrt(0.5))
    near_fit, far_fit = polynomial(fits["erf"]), polynomial(fits["erfc"])
    square_bell, bell = _bell(real, fits["exp"], 1.0), _bell(real, fits.get("bell", fits["exp"]), 0.5)
    up = _bell_scale(real)
    down, density = real(1 / up), real(1 / math.sqrt(2 * math.pi) / up)

    @inline
    def near(x):
        return x + x * near_fit(x * x)

    @inline
    def beyond(a):
        """erfc(a) / e^(-a^2)."""
        inverse = one / (a + three)
        return inverse * far_fit((a - three) * inverse)

    @inline
    def far(a):
        e, a = square_bell(a)
        return e * (beyond(a) * down)

    @inline
    def erf(x):
        """2 / sqrt(pi) times the integral of exp(-t^2) over [0, x]."""
        a = abs(x)
        return where(a < one, near(x), copysign(one - far(a), x))

    @inline
    def erfc(x):
        """1 - erf(x)."""
        a = abs(x)
        tail = far(a)
        return where(a < middle, one - near(x), where(x < middle, two - tail, tail))

    @inline
    def normal_density(x):
        """The standard normal density, exp(-x^2 / 2) / sqrt(2 pi)."""
        e, _a = bell(abs(x))
        return e * density

    if "tail" in fits:
        ndtr_below, slope_below = (_below(real, fits, name) for name in ("ndtr", "slope"))

        @inline
        def ndtr(x):
            """The standard normal distribution function, (1 + erf(x / sqrt 2)) / 2."""
            tail = ndtr_below(x)
            return where(x >= zero, one - tail, tail)

        @inline
        def gelu_slope(x):
            """The derivative of x ndtr(x)."""
            tail = slope_below(x)
            return where(x >= zero, one - tail, tail)

    else:
        end = _vanished(real, 0.5)

        @inline
        def ndtr(x):
            """The standard normal distribution function, (1 + erf(x / sqrt 2)) / 2."""
            y = x * root_half
            e, a = bell(abs(x))
            tail = e * (beyond(a * root_half) * (half * down))
            return where(abs(y) < middle, half + half * near(y), where(x >= zero, one - tail, tail))

        @inline
        def gelu_slope(x):
            """The derivative of x ndtr(x)."""
            x = where(x < -end, -end, where(x > end, end, x))
            return ndtr(x) + x * normal_density(x)

    return named(erf, erfc, ndtr, normal_density, gelu_slope)


def _bell_scale(real: type) -> float:
    """What bells are multiplied by to be normal numbers wherever the true value is not zero."""
    return 2.0 ** (np.finfo(real).maxexp // 2)


def _vanished(real: type, c: float) -> Any:
    """Where e^(-c a^2) rounds to zero, and nothing is left of its products with functions below 1."""
    info = np.finfo(real)
    return real(math.sqrt((info.nmant + 1.5 - info.minexp) * math.log(2) / c))


def _below(real: type, fits: Mapping[str, Sequence[float]], name: str) -> Any:
    """The function f(-a) of x, where a is |x|, clipped to where f(-a) is not zero.

    f(-a) = 2^n b(z) p(a) / q(a) with the fits b, ``"tail"``, and p and q, those called after ``name``: ``"ndtr"``, or
    ``"slope"`` for the derivative of x ndtr(x). With n, the integer next to -a^2 / (2 ln 2), and z = -a^2 - n h, where
    h has but the first 16 bits of 2 ln 2, nothing is rounded before z. 2^n b(z) is exp(-a^2 / 2) times a smooth
    function of a, for which p / q makes up. b and q end with 1, which saves a product in each.
    """
    info = np.finfo(real)
    base = aligner(real, info.maxexp // 2 - info.maxexp + 1)
    steepness, vanished = real(0.5 / math.log(2)), _vanished(real, 0.5)
    high = real(2 * words(LN2, real, 16)[0])
    scale = _bell_scale(real)  # in p again: a small f(-a) underflows gradually
    bell, lower = polynomial(fits["tail"]), polynomial(fits[f"{name}_lower"])
    upper = polynomial([c / scale for c in fits[f"{name}_upper"]])

    @inline
    def below(x):
        a = abs(x)
        a = where(a > vanished, vanished, a)
        t = base - a * a * steepness
        z = fma(-a, a, (base - t) * high)
        return raised(bell(z), t) * (upper(a) / lower(a))

    return below


def _bell(real: type, exp_fit: Sequence[float], c: float) -> Any:
    """The function (s e^(-c a^2), a) of a >= 0, which it returns clipped to where the bell is not zero; s is the scale.

    e^(-c a^2) = 2^n e^(-c z) with z = a^2 + n ln(2) / c, where a^2 + n * high is rounded once: c a^2 grows to 745, and
    rounding it by itself would cost that many ulp.
    """
    info = np.finfo(real)
    plus = info.maxexp // 2
    base = aligner(real, plus)
    steepness, vanished = real(c / math.log(2)), _vanished(real, c)
    high, low = (real(word / c) for word in words(LN2, real, info.nmant - 11, info.nmant + 1))
    fit = polynomial([coefficient * (-c) ** k for k, coefficient in enumerate((1.0, 1.0, *exp_fit))])

    @inline
    def bell(a):
        a = where(a > vanished, vanished, a)
        t = base - a * a * steepness
        n = t - base  # not positive
        z = fma(a, a, n * high) + n * low
        return aligned_pow2(t) * fit(z), a

    return bell
