"""Functions over ndarrays that have no compiled twin: a row that calls one is read by NumPy at any size.

Most are scipy.special's, under PyTorch's names. SciPy is imported by the first call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import logaddexp2, nextafter

from .halves import FLOATING

SCIPY = {
    "bessel_j0": "j0",
    "bessel_j1": "j1",
    "bessel_y0": "y0",
    "bessel_y1": "y1",
    "entr": "entr",
    "erfcx": "erfcx",
    "i0": "i0",
    "i0e": "i0e",
    "i1": "i1",
    "i1e": "i1e",
    "igamma": "gammainc",
    "igammac": "gammaincc",
    "k0": "k0",
    "k0e": "k0e",
    "k1": "k1",
    "k1e": "k1e",
    "log_ndtr": "log_ndtr",
    "ndtri": "ndtri",
    "zeta": "zeta",
}


def __getattr__(name: str) -> Any:
    if name not in SCIPY:
        raise AttributeError(f"no function {name!r} on arrays")
    import scipy.special

    function = globals()[name] = getattr(scipy.special, SCIPY[name])
    return function


def digamma(x: Any) -> Any:
    """The derivative of ln Gamma; a pole at 0 whose side the zero's sign tells, and at the negative integers."""
    from scipy.special import psi

    poles = np.where(x == 0, np.copysign(x.dtype.type(np.inf), -x), x.dtype.type(np.nan))
    return np.where((x <= 0) & (x == np.floor(x)), poles, psi(x))


def polygamma_of(x: Any, n: Any) -> Any:
    """The ``n``-th derivative of digamma: ``(-1)^(n+1) n! zeta(n + 1, x)``."""
    from scipy.special import gamma, zeta

    if n == 0:
        return digamma(x)
    if n == 1:
        # Reflected as in PyTorch, so that a pole is the same huge number here, of the sine's rounding error.
        sine = np.sin(x.dtype.type(np.pi) * x)
        values = zeta(2.0, np.where(x < 0.5, 1 - x, x).astype(np.float64)).astype(x.dtype)
        return np.where(x < 0.5, x.dtype.type(np.pi**2) / (sine * sine) - values, values)
    factor = gamma(n + 1.0) * (1.0 if n % 2 else -1.0)
    values = (factor * zeta(n + 1.0, x.astype(np.float64))).astype(x.dtype)
    return np.where(x == -np.inf, x.dtype.type(np.nan), values)


def erfinv(x: Any) -> Any:
    from scipy.special import erfinv

    return np.copysign(erfinv(x), x)  # SciPy's erfinv(-0.0) is 0.0


def airy_ai(x: Any) -> Any:
    from scipy.special import airy

    return airy(x)[0]


def spherical_bessel_j0(x: Any) -> Any:
    """``sin x / x``, 1 at 0 and 0 at infinity."""
    safe = np.where(x == 0, x.dtype.type(1), x)
    quotient = np.where(np.isinf(x), x.dtype.type(0), np.sin(safe) / safe)
    return np.where(x == 0, x.dtype.type(1), quotient)


def div_trunc(x: Any, y: Any) -> Any:
    """The quotient rounded towards zero, exact for integers of any size."""
    if x.dtype.kind in FLOATING:
        return np.trunc(x / y)
    if x.size and not np.all(y):
        raise RuntimeError("ZeroDivisionError")
    floor = np.floor_divide(x, y)
    return floor + ((floor < 0) & (floor * y != x)).astype(floor.dtype)


# --- Orthogonal polynomials ----------------------------------------------------------------------------------------


# Above these degrees PyTorch calls Hermite polynomials NaN: they overflow.
HIGHEST_HERMITE = {"float32": 128, "float64": 512}


def _polynomial(
    first: Callable[[Any], Any],
    following: Callable[[Any, Any, Any, Any], Any],
    highest: dict[str, int] | None = None,
) -> Callable[[Any, Any], Any]:
    """The family ``p_0 = 1``, ``p_1 = first(x)``, ``p_(k+1) = following(k, x, p_k, p_(k-1))``.

    The degree is truncated to an integer; below zero the polynomial is 0, above the dtype's ``highest`` it is NaN.
    """

    def evaluate(x: Any, n: Any) -> Any:
        x, n = np.broadcast_arrays(x, n)
        degree = n.astype(np.int64)
        result = np.where(degree < 0, x.dtype.type(0), x.dtype.type(1))
        if highest is not None:
            limit = highest[x.dtype.name]
            result = np.where(degree > limit, x.dtype.type(np.nan), result)
            degree = np.where(degree > limit, 0, degree)
        before, now = np.ones_like(x), first(x)
        last = int(degree.max(initial=0))
        for k in range(1, last + 1):
            np.copyto(result, now, where=degree == k)
            if k < last and np.isnan(now).all():
                # It has overflowed everywhere, to infinities of both signs and to NaN, and stays so.
                np.copyto(result, now, where=degree > k)
                break
            before, now = now, following(x.dtype.type(k), x, now, before)
        return result

    return evaluate


def _chebyshev(first: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    return _polynomial(first, lambda k, x, p, q: (x + x) * p - q)


chebyshev_polynomial_t = _chebyshev(lambda x: x)
chebyshev_polynomial_u = _chebyshev(lambda x: x + x)
chebyshev_polynomial_v = _chebyshev(lambda x: x + x - 1)
chebyshev_polynomial_w = _chebyshev(lambda x: x + x + 1)


def shifted_chebyshev_polynomial_t(x: Any, n: Any) -> Any:
    return chebyshev_polynomial_t(x + x - 1, n)


def shifted_chebyshev_polynomial_u(x: Any, n: Any) -> Any:
    return chebyshev_polynomial_u(x + x - 1, n)


def shifted_chebyshev_polynomial_v(x: Any, n: Any) -> Any:
    return chebyshev_polynomial_v(x + x - 1, n)


def shifted_chebyshev_polynomial_w(x: Any, n: Any) -> Any:
    return chebyshev_polynomial_w(x + x - 1, n)


hermite_polynomial_h = _polynomial(lambda x: x + x, lambda k, x, p, q: (x + x) * p - (k + k) * q, HIGHEST_HERMITE)
hermite_polynomial_he = _polynomial(lambda x: x, lambda k, x, p, q: x * p - k * q, HIGHEST_HERMITE)
laguerre_polynomial_l = _polynomial(lambda x: 1 - x, lambda k, x, p, q: ((k + k + 1 - x) * p - k * q) / (k + 1))
legendre_polynomial_p = _polynomial(lambda x: x, lambda k, x, p, q: ((k + k + 1) * x * p - k * q) / (k + 1))


__all__ = [
    "airy_ai",
    "chebyshev_polynomial_t",
    "chebyshev_polynomial_u",
    "chebyshev_polynomial_v",
    "chebyshev_polynomial_w",
    "digamma",
    "div_trunc",
    "erfinv",
    "hermite_polynomial_h",
    "hermite_polynomial_he",
    "laguerre_polynomial_l",
    "legendre_polynomial_p",
    "logaddexp2",
    "nextafter",
    "polygamma_of",
    "shifted_chebyshev_polynomial_t",
    "shifted_chebyshev_polynomial_u",
    "shifted_chebyshev_polynomial_v",
    "shifted_chebyshev_polynomial_w",
    "spherical_bessel_j0",
]
NAMES = frozenset([*SCIPY, *__all__])

# What these compute on float16 is not the rounded result for float32: a neighbor, a quotient rounded before it is cut.
ON_HALVES = frozenset(["nextafter", "div_trunc"])
