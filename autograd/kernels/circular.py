"""Sine, cosine, tangent and their inverses.

An angle is reduced by multiples of pi in float64, against pi in three words (Cody and Waite): sin(x) is then
(-1)^k sin(r) with |r| <= pi/2, one odd polynomial and no choice between two.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .scalar import copysign, flip, fma, inline, named, polynomial, round, signbit, sqrt, where, words

__all__ = ["circulars"]

_PI = "3.14159265358979323846264338327950288419716939937510582097494459"
_PI_1, _PI_2, _PI_3 = words(_PI, np.float64, 53, 53, 53)
_INVERSE_PI = np.float64(1 / np.pi)
# Past 2^50 the multiple of pi has no exact float64: the angle is unknown, and NaN says so.
_LIMIT = np.float64(2.0**50)
_NAN = np.float64("nan")


@inline
def _reduced(x, shift):
    """The r with |r| <= pi/2 and sin(r) = sin(x + shift * pi), for float64 |x| <= 2^50."""
    k = round(x * _INVERSE_PI + shift)
    n = -(k - shift)  # -0.0 for k = 0: then r is x, sign of zero included
    r = fma(n, _PI_3, fma(n, _PI_2, fma(n, _PI_1, x)))
    return where(abs(x) <= _LIMIT, flip(r, k), _NAN)


def circulars(real: type, fits: Mapping[str, Sequence[float]]) -> dict[str, Any]:
    """The trigonometric family for ``real``, by name.

    ``sin``, ``cos`` and ``tan`` are accurate for |x| <= 2^50 and NaN beyond. They stay in float64 to the end
    for float32, too: as fast, correctly rounded nearly always, and cos(0) is 1.

    Args:
        fits: ``"sin"``, ``"atan"`` and ``"asin"``: the p in f(r) = r + r^3 p(r^2), for |r| up to pi / 2,
            tan(pi / 8) and 1 / 2.
    """
    info = np.finfo(real)
    zero, quarter, half, one, two = map(real, (0.0, 0.25, 0.5, 1.0, 2.0))
    infinity, vast = real("inf"), real(2.0 ** (info.maxexp - 3))
    no_turn, half_turn = np.float64(0.0), np.float64(0.5)
    sin_fit, atan_fit, asin_fit = polynomial(fits["sin"]), polynomial(fits["atan"]), polynomial(fits["asin"])
    pi, pi_low = words(_PI, real, info.nmant + 1, info.nmant + 1)
    half_pi, half_pi_low, quarter_pi, quarter_pi_low = (
        pi / two,
        pi_low / two,
        pi / two / two,
        pi_low / two / two,
    )
    tan_1, tan_3 = real(2.0**0.5 - 1), real(2.0**0.5 + 1)  # tan(pi / 8), tan(3 pi / 8)

    @inline
    def sine(r):
        z = r * r
        return copysign(r + r * z * sin_fit(z), r)  # keeps -0.0

    @inline
    def sin(x):
        return real(sine(_reduced(np.float64(x), no_turn)))

    @inline
    def cos(x):
        return real(sine(_reduced(np.float64(x), half_turn)))

    @inline
    def tan(x):
        x = np.float64(x)
        return real(sine(_reduced(x, no_turn)) / sine(_reduced(x, half_turn)))

    @inline
    def angle(y, x):
        """atan(y / x) for y, x >= 0, not both zero nor infinite."""
        steep = y > tan_3 * x
        middle = y > tan_1 * x
        t = where(steep, -x, where(middle, y - x, y)) / where(steep, y, where(middle, y + x, x))
        z = t * t
        high = where(steep, half_pi, where(middle, quarter_pi, zero))
        low = where(steep, half_pi_low, where(middle, quarter_pi_low, zero))
        return high + (t + (t * z * atan_fit(z) + low))

    @inline
    def atan(x):
        return copysign(angle(abs(x), one), x)

    @inline
    def atan2(y, x):
        """The angle of the point (x, y), in [-pi, pi]."""
        a, b = abs(y), abs(x)
        # Ratios of zeros and of infinities mean 0 and 1; the quarter keeps a + b finite.
        both_infinite = (a == infinity) & (b == infinity)
        both_zero = (a == zero) & (b == zero)
        scale = where((a > vast) | (b > vast), quarter, one)
        a = where(both_infinite, one, a * scale)
        b = where(both_infinite | both_zero, one, b * scale)
        r = angle(a, b)
        return copysign(where(signbit(x), pi - (r - pi_low), r), y)

    @inline
    def arc(a):
        """(s, t, far): asin(a) is s + t, or pi/2 - 2 (s + t) where ``far``; 0 <= a <= 1."""
        far = a > half
        z = where(far, (one - a) * half, a * a)
        s = where(far, sqrt(z), a)
        return s, s * z * asin_fit(z), far

    @inline
    def asin(x):
        s, t, far = arc(abs(x))
        return copysign(where(far, (half_pi - two * s) - (two * t - half_pi_low), s + t), x)

    @inline
    def acos(x):
        s, t, far = arc(abs(x))
        near = half_pi - (x - (half_pi_low - copysign(t, x)))
        opposite = (pi - two * s) - (two * t - pi_low)
        return where(far, where(x < zero, opposite, two * (s + t)), near)

    return named(sin, cos, tan, asin, acos, atan, atan2)
