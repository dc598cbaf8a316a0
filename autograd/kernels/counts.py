"""Counts by rejection: Poisson and binomial numbers from uniform ones, drawn as PyTorch draws them.

How many uniform numbers a count takes depends on these numbers: a loop takes them in turn (`Twister.each`). Small means
count waiting times (Devroye, "Non-Uniform Random Variate Generation", 1986, chapter X); large ones use transformed
rejection: Hörmann, "The transformed rejection method for generating Poisson random variables" (1993), algorithm PTRS,
and "The generation of binomial random variates" (1993), algorithm BTRS, in whose last test PyTorch takes one more
logarithm.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .twister import Twister

__all__ = ["binomial", "poisson"]

# From this mean on, transformed rejection.
LARGE_MEAN = 10.0


def poisson(rates: np.ndarray, twister: Twister) -> np.ndarray:
    """One Poisson number in float64 for each of the non-negative ``rates``, in C order."""
    return twister.each(poisson_numbers, [rates.astype(np.float64).ravel()]).reshape(rates.shape)


def binomial(count: np.ndarray, prob: np.ndarray, twister: Twister) -> np.ndarray:
    """One binomial number for each pair of ``count`` and ``prob``, float arrays of one shape and dtype, in C order.

    No trials or no chance give 0, a chance of 1 or more gives ``count``, a chance of NaN gives NaN; so does, of the
    chances in between, a count of NaN or infinity, for which PyTorch never comes to an end.
    """
    drawn = (count > 0) & (prob > 0) & (prob < 1) & np.isfinite(count)
    # Of successes and failures those that are rarer. PyTorch, too, computes in the dtype of both numbers here.
    rare = np.where(prob > 0.5, 1 - prob, prob)
    with np.errstate(all="ignore"):
        means = count * rare
        columns = [count, count + 1, np.where(drawn, rare, 0), means, np.log1p(-rare)]
        columns += [np.sqrt(means * (1 - rare)), rare / (1 - rare), np.floor((count + 1) * rare)]
        wide = [column.astype(np.float64).ravel() for column in columns]
        found = twister.each(binomial_numbers, wide, count.dtype == np.float32).reshape(count.shape).astype(count.dtype)
        known = np.where((count <= 0) | (prob <= 0), 0, np.where(prob >= 1, count, np.nan))
        return np.where(drawn, np.where(prob > 0.5, count - found, found), known).astype(count.dtype)


# --- The loops, which are compiled, too (`rejection_loops`) -----------------------------------------------------------


def poisson_numbers(rates: Any, u: Any, start: int, spare: float, out: Any) -> tuple[int, int, float]:
    at, size = 0, len(u)
    for i in range(start, len(rates)):
        begin, rate = at, rates[i]
        if rate == 0:
            out[i] = 0.0
        elif rate < LARGE_MEAN:
            # Waiting times of mean 1 / rate within 1: uniforms whose product stays above exp(-rate).
            if at == size:
                return begin, i, spare
            limit, product, count = math.exp(-rate), u[at], 0.0
            at += 1
            while product > limit:
                if at == size:
                    return begin, i, spare
                product *= u[at]
                at += 1
                count += 1
            out[i] = count
        else:
            root, log_rate = math.sqrt(rate), math.log(rate)
            b = 0.931 + 2.53 * root
            a = -0.059 + 0.02483 * b
            log_alpha = math.log(1.1239 + 1.1328 / (b - 3.4))
            accept = 0.9277 - 3.6224 / (b - 2)
            while True:
                if at + 2 > size:
                    return begin, i, spare
                place, v = u[at] - 0.5, u[at + 1]
                at += 2
                edge = 0.5 - abs(place)
                if edge == 0:
                    continue
                count = floor((2 * a / edge + b) * place + rate + 0.43)
                if not (edge >= 0.07 and v <= accept):
                    if count < 0 or (edge < 0.013 and v > edge):
                        continue
                    density = -rate + count * log_rate - math.lgamma(count + 1)
                    if not log(v) + log_alpha - math.log(a / (edge * edge) + b) <= density:
                        continue
                # A count that no 64-bit integer holds becomes the smallest one, as in PyTorch.
                out[i] = count if count < 2.0**63 else -(2.0**63)
                break
    return at, len(rates), spare


def binomial_numbers(
    counts: Any, following: Any, chances: Any, means: Any, log_misses: Any, deviations: Any, odds: Any, modes: Any,
    single: bool, u: Any, start: int, spare: float, out: Any,
) -> tuple[int, int, float]:  # fmt: skip
    at, size = 0, len(u)
    for i in range(start, len(counts)):
        begin, n = at, counts[i]
        if not chances[i] > 0:
            continue
        if means[i] < LARGE_MEAN:
            trials, total = n, -1.0
            while trials >= 0:
                if at == size:
                    return begin, i, spare
                trials += floor(-log(u[at]) / log_misses[i])
                at += 1
                total += 1
            out[i] = total
            continue
        b = 1.15 + 2.53 * deviations[i]
        a = -0.0873 + 0.0248 * b + 0.01 * chances[i]
        center = means[i] + 0.5
        accept = 0.92 - 4.2 / b
        alpha = (2.83 + 5.1 / b) * deviations[i]
        mode = modes[i]
        peak = (mode + 0.5) * math.log((mode + 1) / (odds[i] * (n - mode + 1))) + stirling(mode) + stirling(n - mode)
        while True:
            if at + 2 > size:
                return begin, i, spare
            place, v = u[at] - 0.5, u[at + 1]
            at += 2
            edge = 0.5 - abs(place)
            if edge == 0:
                continue
            k = rounded(floor((2 * a / edge + b) * place + center), single)
            if not (edge >= 0.07 and v <= accept):
                if not 0 <= k <= n:
                    continue
                rest = rounded(n - k, single)
                failures = rounded(rest + 1, single)
                density = (
                    peak
                    + following[i] * math.log((n - mode + 1) / failures)
                    + (k + 0.5) * math.log(odds[i] * failures / rounded(k + 1, single))
                    - stirling(k)
                    - stirling(rest)
                )
                if not log(v * alpha / (a / (edge * edge) + b)) <= density:
                    continue
            out[i] = k
            break
    return at, len(counts), spare


def stirling(k: float) -> float:
    """What Stirling's formula leaves of log k!."""
    if k < 10:
        return math.lgamma(k + 1) - (0.5 * math.log(2 * math.pi) + (k + 0.5) * math.log(k + 1) - (k + 1))
    square = (k + 1) ** 2
    return (1 / 12 - (1 / 360 - 1 / 1260 / square) / square) / (k + 1)


def rounded(x: float, single: bool) -> float:
    """A number as its dtype holds it: float32 where it is ``single``."""
    return float(np.float32(x)) if single else x


def floor(x: float) -> float:
    return x // 1.0 if -1e300 < x < 1e300 else x


def log(x: float) -> float:
    return math.log(x) if x > 0 else -math.inf


PARTS = (stirling, rounded, floor, log)
