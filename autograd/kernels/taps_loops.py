"""Compiled loops of :mod:`autograd.kernels.taps`; arrays are flat, and indices made unsigned: numba tests a signed one
for being negative. A plane of the result, or a sample, belongs to one thread.
"""

from __future__ import annotations

from numba import uint64

from .compiled import compiled

__all__ = ["pick_planes", "spread_planes", "weigh_samples"]

FASTMATH = {"contract", "arcp", "nsz"}


@compiled(fastmath=FASTMATH)
def pick_planes(start, stop, x, weights, places, out, channels, size, taps, points):
    """Sums of weighted elements; an element outside is 0, whose product with NaN is NaN."""
    zero = x.dtype.type(0)
    for plane in range(start, stop):
        source, target, tables = plane * size, plane * points, plane // channels * taps * points
        for p in range(points):
            total = zero
            for t in range(taps):
                at = tables + t * points + p
                place = places[uint64(at)]
                total += weights[uint64(at)] * (x[uint64(source + place)] if place >= 0 else zero)
            out[uint64(target + p)] = total


@compiled(fastmath=FASTMATH)
def spread_planes(start, stop, g, weights, places, out, channels, size, taps, points):
    """Adds each weighted ``g`` to its elements."""
    for plane in range(start, stop):
        target, source, tables = plane * size, plane * points, plane // channels * taps * points
        for p in range(points):
            for t in range(taps):
                at = tables + t * points + p
                place = places[uint64(at)]
                if place >= 0:
                    out[uint64(target + place)] += weights[uint64(at)] * g[uint64(source + p)]


@compiled(fastmath=FASTMATH)
def weigh_samples(start, stop, g, x, places, out, channels, size, taps, points):
    """Products of ``g`` and its elements, added up over the channels."""
    for sample in range(start, stop):
        for c in range(channels):
            plane = sample * channels + c
            source, planes = plane * points, plane * size
            for t in range(taps):
                tables = (sample * taps + t) * points
                for p in range(points):
                    place = places[uint64(tables + p)]
                    if place >= 0:
                        out[uint64(tables + p)] += g[uint64(source + p)] * x[uint64(planes + place)]
