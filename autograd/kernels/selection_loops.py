"""Compiled loops of :mod:`autograd.kernels.selection`."""

from __future__ import annotations

from numba import njit

from . import selection

__all__ = ["arrange_rows"]

arrange = njit(cache=True, nogil=True)(selection.arrange)


@njit(cache=True, nogil=True)
def arrange_rows(start, stop, keys, places, rank, way):
    """Arranges rows ``start..stop``."""
    for row in range(start, stop):
        arrange(keys[row], places[row], rank, way)
