"""Weighted sums of a few elements of each plane, at places of their own: what sampling an image at points is made of.

Shapes: ``x`` (N, C, S) holds planes of S elements, ``places`` and ``weights`` (N, T, P) tell for each of P points the
T elements (-1 is one outside, which counts as 0) and their weights, the same for all channels. The three functions
are the three derivatives of ``Σ g[n, c, p] weights[n, t, p] x[n, c, places[n, t, p]]``.
"""

from __future__ import annotations

import numpy as np

from . import jit, threads

__all__ = ["pick", "spread", "weigh"]

GRAIN = 16384  # products worth a thread
LOOP_DTYPES = (np.dtype(np.float32), np.dtype(np.float64))


@np.errstate(all="ignore")
def pick(x: np.ndarray, weights: np.ndarray, places: np.ndarray) -> np.ndarray:
    """``out[n, c, p] = Σ weights[n, t, p] x[n, c, places[n, t, p]]``.

    >>> pick(np.array([[[1., 2., 4.]]]), np.array([[[0.5], [0.5]]]), np.array([[[1], [2]]]))
    array([[[3.]]])
    """
    (n, channels, size), (taps, points) = x.shape, weights.shape[1:]
    if _use_loops(x, points * taps):
        from .taps_loops import pick_planes

        out = np.empty((n, channels, points), x.dtype)
        _run(
            pick_planes,
            n * channels,
            taps * points,
            *map(_flat, (x, weights, places, out)),
            channels,
            size,
            taps,
            points,
        )
        return out
    around = _with_outside(x)
    out = np.zeros((n, channels, points), _sum_dtype(x.dtype))
    for t in range(taps):
        out += weights[:, t, None] * np.take_along_axis(around, places[:, t, None], 2)
    return out.astype(x.dtype, copy=False)


@np.errstate(all="ignore")
def spread(g: np.ndarray, weights: np.ndarray, places: np.ndarray, size: int) -> np.ndarray:
    """``out[n, c, s] = Σ weights[n, t, p] g[n, c, p]`` over all t and p with ``places[n, t, p] = s``.

    >>> spread(np.array([[[3.]]]), np.array([[[0.5], [0.5]]]), np.array([[[1], [2]]]), 3)
    array([[[0. , 1.5, 1.5]]])
    """
    (n, channels, points), taps = g.shape, weights.shape[1]
    if _use_loops(g, points * taps):
        from .taps_loops import spread_planes

        out = np.zeros((n, channels, size), g.dtype)
        _run(
            spread_planes,
            n * channels,
            taps * points,
            *map(_flat, (g, weights, places, out)),
            channels,
            size,
            taps,
            points,
        )
        return out
    planes = np.arange(n * channels).reshape(n, channels, 1, 1) * (size + 1)
    targets = planes + np.where(places < 0, size, places)[:, None]
    products = weights[:, None].astype(np.float64) * g[:, :, None]
    sums = np.bincount(targets.reshape(-1), products.reshape(-1), n * channels * (size + 1))
    return np.ascontiguousarray(sums.reshape(n, channels, size + 1)[..., :size], g.dtype)


@np.errstate(all="ignore")
def weigh(g: np.ndarray, x: np.ndarray, places: np.ndarray) -> np.ndarray:
    """``out[n, t, p] = Σ_c g[n, c, p] x[n, c, places[n, t, p]]``.

    >>> weigh(np.array([[[3.]]]), np.array([[[1., 2., 4.]]]), np.array([[[1], [2]]]))
    array([[[ 6.],
            [12.]]])
    """
    (n, channels, size), (taps, points) = x.shape, places.shape[1:]
    if _use_loops(x, points * taps):
        from .taps_loops import weigh_samples

        out = np.zeros((n, taps, points), x.dtype)
        _run(weigh_samples, n, channels * taps * points, *map(_flat, (g, x, places, out)), channels, size, taps, points)
        return out
    around = _with_outside(x)
    out = np.empty((n, taps, points), _sum_dtype(x.dtype))
    for t in range(taps):
        (g * np.take_along_axis(around, places[:, t, None], 2)).sum(1, out.dtype, out[:, t])
    return out.astype(x.dtype, copy=False)


def _with_outside(x: np.ndarray) -> np.ndarray:
    """The planes with a 0 behind the last element, where -1 leads."""
    return np.concatenate([x, np.zeros((*x.shape[:2], 1), x.dtype)], axis=2)


def _sum_dtype(dtype: np.dtype) -> np.dtype:
    return np.dtype(np.float32) if dtype == np.float16 else dtype


def _use_loops(x: np.ndarray, products: int) -> bool:
    return x.dtype in LOOP_DTYPES and jit.use_loops(x.shape[0] * x.shape[1] * products)


def _flat(array: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(array).reshape(-1)


def _run(kernel: object, items: int, work: int, *arguments: object) -> None:
    threads.run(kernel, items, *arguments, grain=max(1, GRAIN // max(work, 1)))
