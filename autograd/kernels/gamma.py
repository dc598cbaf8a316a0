"""Gamma numbers by rejection, drawn as PyTorch draws them, and how they move with their parameters.

Marsaglia and Tsang, "A simple method for generating gamma variables" (2000). A number x that was drawn from a
distribution function F(x; a) moves with a parameter by ``dx/da = -(dF/da) / (dF/dx)`` (implicit reparameterization:
Figurnov, Mohamed and Mnih, 2018). With t = x exp(u), gamma and beta densities are log-concave in u, so that dF/da is
the integral of one tail, which Gauss-Legendre quadrature takes to about 12 digits; the shorter tail is chosen.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .twister import Twister, pair
from .uncompiled import digamma

__all__ = ["beta_gradient", "gamma", "gamma_gradient"]

# PyTorch writes these two in single precision and computes with them in double.
THIRD, SQUEEZE = float(np.float32(1 / 3)), float(np.float32(0.0331))
# A tail ends where the density has fallen by exp(-40); between, as many nodes as keep 12 digits.
DECAY, NODES = 40.0, 64


def gamma(shapes: np.ndarray, twister: Twister) -> np.ndarray:
    """One gamma number in float64, of rate 1, for each of the float ``shapes``, in C order."""
    # PyTorch rounds these to the dtype of the shapes, and everything that follows to double.
    boosted = np.where(shapes < 1, shapes + shapes.dtype.type(1), shapes)
    with np.errstate(divide="ignore", over="ignore"):
        powers = np.where(shapes < 1, shapes.dtype.type(1) / shapes, 0)
    d = boosted - shapes.dtype.type(THIRD)
    columns = [column.astype(np.float64).ravel() for column in (shapes, powers, d)]
    return twister.each(gamma_numbers, columns).reshape(shapes.shape)


def gamma_numbers(
    shapes: Any, powers: Any, d: Any, u: Any, start: int, spare: float, out: Any
) -> tuple[int, int, float]:
    """A loop for `Twister.each`, which is compiled, too (`rejection_loops`)."""
    at, last = 0, len(u) - 3
    for i in range(start, len(shapes)):
        shape, begin, waiting = shapes[i], at, spare
        if not shape > 0:
            out[i] = 0.0 if shape == 0 else math.nan
            continue
        scale = 1.0
        if shape < 1:
            if at > last:
                return begin, i, waiting
            scale = (1 - u[at]) ** powers[i]
            at += 1
        c = 1 / math.sqrt(9 * d[i])
        while True:
            if at > last:
                return begin, i, waiting
            if spare == spare:
                x, spare = spare, math.nan
            else:
                x, spare = pair(u[at], u[at + 1])
                at += 2
            y = 1 + c * x
            if y <= 0:
                continue
            v, w, square = y * y * y, 1 - u[at], x * x
            at += 1
            if w < 1 - SQUEEZE * square * square or math.log(w) < 0.5 * square + d[i] * (1 - v + math.log(v)):
                out[i] = scale * d[i] * v
                break
    return at, len(shapes), spare


def gamma_gradient(shape: np.ndarray, x: np.ndarray) -> np.ndarray:
    """How a gamma number ``x`` of rate 1 moves with its ``shape``; float64 arrays of one shape."""
    log_x, center = np.log(x), digamma(shape)

    def below(a, x, log_x, center):
        return _tail(lambda u: -a * u - x * np.expm1(-u), lambda u: center - log_x + u, a)

    def above(a, x, log_x, center):
        return _tail(lambda u: a * u - x * np.expm1(u), lambda u: log_x - center + u, a)

    return x * _either(x <= shape, below, above, shape, x, log_x, center)


def beta_gradient(x: np.ndarray, shape: np.ndarray, total: np.ndarray) -> np.ndarray:
    """How a beta number ``x`` of shapes ``shape`` and ``total - shape`` moves with the first, divided by ``1 - x``.

    A component of a Dirichlet number is such a number; the division leaves the factor by which all others give way.
    """
    rest = total - shape
    center = digamma(shape) - digamma(total)

    def below(a, b, x, center):
        log_x = np.log(x)
        spread = _spread(x)
        return _tail(lambda u: -a * u - (a + b) * spread(u), lambda u: center - log_x + u + spread(u), a)

    def above(a, b, x, center):
        log_x = np.log(x)
        spread = _spread(1 - x)
        return _tail(lambda u: -b * u - (a + b) * spread(u), lambda u: log_x - spread(u) - center, b)

    return x * _either(x * total <= shape, below, above, shape, rest, x, center)


def _spread(x: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """``u -> ln(1 - x + x exp(-u))``: what normalizes when the odds of ``x`` fall by ``exp(-u)``."""
    return lambda u: np.log1p(x * np.expm1(-u))


def _either(chosen: np.ndarray, first: Callable, second: Callable, *arrays: np.ndarray) -> np.ndarray:
    out = np.empty(chosen.shape)
    with np.errstate(all="ignore"):
        for mask, function in ((chosen, first), (~chosen, second)):
            out[mask] = function(*(array[mask] for array in arrays))
    return out


def _tail(exponent: Callable, score: Callable, like: np.ndarray) -> np.ndarray:
    """``integral of score(u) exp(exponent(u))`` for u from 0 on; the exponent is concave and falls from 0."""
    reach = np.ones_like(like)
    while (short := exponent(reach) > -DECAY).any() and reach.max(initial=0) < 1e300:
        reach[short] *= 2
    while (long := exponent(reach / 2) < -DECAY).any() and reach.min(initial=1) > 1e-300:
        reach[long] /= 2
    total = np.zeros_like(like)
    for node, weight in zip(*_quadrature(), strict=True):
        u = node * reach
        total += weight * score(u) * np.exp(exponent(u))
    return total * reach


@functools.cache
def _quadrature() -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of [0, 1]: squares of Gauss-Legendre nodes, so that most are near 0."""
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    roots = (nodes + 1) / 2
    return roots**2, weights * roots
