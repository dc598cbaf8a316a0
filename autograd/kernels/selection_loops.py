"""Compiled loops of :mod:`autograd.kernels.selection`."""

from __future__ import annotations

from . import selection
from .compiled import compiled

__all__ = ["arrange_rows"]

arrange = compiled()(selection.arrange)


@compiled()
def arrange_rows(start, stop, keys, places, rank, way):
    """Arranges rows ``start..stop``."""
    for row in range(start, stop):
        arrange(keys[row], places[row], rank, way)
