"""Counts by rejection: Poisson and binomial numbers from uniform ones, drawn as PyTorch draws them.

How many uniform numbers a count takes depends on these numbers, so they are drawn one by one. Small means count
waiting times (Devroye, "Non-Uniform Random Variate Generation", 1986, chapter X); large ones use transformed rejection:
Hörmann, "The transformed rejection method for generating Poisson random variables" (1993), algorithm PTRS, and "The
generation of binomial random variates" (1993), algorithm BTRS, in whose last test PyTorch takes one more logarithm.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["binomial", "poisson"]

Draw = Callable[[], float]

# From this mean on, transformed rejection.
LARGE_MEAN = 10.0


def poisson(rates: np.ndarray, draw: Draw) -> np.ndarray:
    """One Poisson number in float64 for each of the non-negative ``rates``, in C order."""
    drawn = [(_poisson_large if rate >= LARGE_MEAN else _poisson_small)(rate, draw) for rate in _floats(rates)]
    return np.array(drawn, np.float64).reshape(rates.shape)


def _poisson_small(rate: float, draw: Draw) -> float:
    if rate == 0:
        return 0.0
    # Waiting times of mean 1 / rate within 1: uniforms whose product stays above exp(-rate).
    limit, product, count = math.exp(-rate), draw(), 0
    while product > limit:
        product *= draw()
        count += 1
    return count


def _poisson_large(rate: float, draw: Draw) -> float:
    root, log_rate = math.sqrt(rate), math.log(rate)
    b = 0.931 + 2.53 * root
    a = -0.059 + 0.02483 * b
    log_alpha = math.log(1.1239 + 1.1328 / (b - 3.4))
    accept = 0.9277 - 3.6224 / (b - 2)
    while True:
        u, v = draw() - 0.5, draw()
        edge = 0.5 - abs(u)
        if edge == 0:
            continue
        count = _floor((2 * a / edge + b) * u + rate + 0.43)
        if not (edge >= 0.07 and v <= accept):
            if count < 0 or (edge < 0.013 and v > edge):
                continue
            density = -rate + count * log_rate - math.lgamma(count + 1)
            if not _log(v) + log_alpha - math.log(a / (edge * edge) + b) <= density:
                continue
        # A count that no 64-bit integer holds becomes the smallest one, as in PyTorch.
        return count if count < 2.0**63 else -(2.0**63)


def binomial(count: np.ndarray, prob: np.ndarray, draw: Draw) -> np.ndarray:
    """One binomial number for each pair of ``count`` and ``prob``, float arrays of one shape and dtype, in C order.

    No trials or no chance give 0, a chance of 1 or more gives ``count``, a chance of NaN gives NaN; so does, of the
    chances in between, a count of NaN or infinity, for which PyTorch never comes to an end.
    """
    drawn = [_binomial(n, p, draw) for n, p in zip(count.ravel(), prob.ravel(), strict=True)]
    return np.array(drawn, count.dtype).reshape(count.shape)


def _binomial(count: Any, prob: Any, draw: Draw) -> float:
    if count <= 0 or prob <= 0:
        return 0.0
    if prob >= 1:
        return count
    if np.isnan(prob) or not np.isfinite(count):
        return math.nan
    if prob > 0.5:
        return count - _successes(count, 1 - prob, draw)
    return _successes(count, prob, draw)


def _successes(count: Any, prob: Any, draw: Draw) -> float:
    """At most as many successes as failures. Both numbers are NumPy's: PyTorch, too, computes in their dtype here."""
    if count * prob >= LARGE_MEAN:
        return _successes_large(count, prob, draw)
    log_miss, trials, total = float(np.log1p(-prob)), float(count), -1
    while trials >= 0:
        u = draw()
        trials -= math.ceil(math.log(u) / log_miss) if u > 0 else math.inf
        total += 1
    return total


def _successes_large(count: Any, prob: Any, draw: Draw) -> float:
    deviation = float(np.sqrt(count * prob * (1 - prob)))
    b = 1.15 + 2.53 * deviation
    a = -0.0873 + 0.0248 * b + 0.01 * float(prob)
    center = float(count * prob) + 0.5
    accept = 0.92 - 4.2 / b
    odds = float(prob / (1 - prob))
    alpha = (2.83 + 5.1 / b) * deviation
    mode = float(np.floor((count + 1) * prob))
    n, to_dtype = float(count), count.dtype.type
    peak = (mode + 0.5) * math.log((mode + 1) / (odds * (n - mode + 1))) + _stirling(mode) + _stirling(n - mode)
    while True:
        u, v = draw() - 0.5, draw()
        edge = 0.5 - abs(u)
        if edge == 0:
            continue
        k = to_dtype(math.floor((2 * a / edge + b) * u + center))
        if edge >= 0.07 and v <= accept:
            return k
        if not 0 <= k <= count:
            continue
        failures = float(count - k + 1)
        density = (
            peak
            + float(count + 1) * math.log((n - mode + 1) / failures)
            + (float(k) + 0.5) * math.log(odds * failures / float(k + 1))
            - _stirling(float(k))
            - _stirling(float(count - k))
        )
        if _log(v * alpha / (a / (edge * edge) + b)) <= density:
            return k


def _stirling(k: float) -> float:
    """What Stirling's formula leaves of log k!."""
    if k < 10:
        return math.lgamma(k + 1) - (0.5 * math.log(2 * math.pi) + (k + 0.5) * math.log(k + 1) - (k + 1))
    square = (k + 1) ** 2
    return (1 / 12 - (1 / 360 - 1 / 1260 / square) / square) / (k + 1)


def _floats(array: np.ndarray) -> list[float]:
    return array.ravel().tolist()


def _floor(x: float) -> float:
    return float(math.floor(x)) if math.isfinite(x) else x


def _log(x: float) -> float:
    return math.log(x) if x > 0 else -math.inf
