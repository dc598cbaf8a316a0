"""The compiled loop of :mod:`autograd.kernels.resample`; arrays are flat, and indices made unsigned: numba tests a
signed one for being negative.
"""

from __future__ import annotations

from numba import uint64

from .compiled import compiled

__all__ = ["map_rows"]

FASTMATH = {"contract", "arcp", "nsz"}


@compiled(fastmath=FASTMATH)
def map_rows(start, stop, x, out, inputs, inner, bounds, places, weights):
    """Applies a map along the middle axis of ``x`` (outer, inputs, inner); a work item is one of the outer axis."""
    outputs = len(bounds) - 1
    for item in range(start, stop):
        source, target = item * inputs * inner, item * outputs * inner
        if inner == 1:
            for i in range(outputs):
                total = x.dtype.type(0)
                for k in range(bounds[i], bounds[i + 1]):
                    total += weights[uint64(k)] * x[uint64(source + places[uint64(k)])]
                out[uint64(target + i)] = total
            continue
        for i in range(outputs):
            to = target + i * inner
            for j in range(inner):
                out[uint64(to + j)] = 0
            for k in range(bounds[i], bounds[i + 1]):
                weight, row = weights[uint64(k)], source + places[uint64(k)] * inner
                for j in range(inner):
                    out[uint64(to + j)] += weight * x[uint64(row + j)]
