"""Compiled loops of :mod:`autograd.kernels.selection`."""

from __future__ import annotations

from types import FunctionType

from numba import njit

from . import selection
from .compiled import compiled

__all__ = ["arrange_rows"]

# Closures would be copied to wherever they are called: that takes several times as long to compile.
names = dict(vars(selection))
for part in selection.PARTS:
    names[part.__name__] = njit(nogil=True, no_cfunc_wrapper=True)(FunctionType(part.__code__, names, part.__name__))
arrange = compiled()(FunctionType(selection.arrange.__code__, names, "arrange"))


@compiled()
def arrange_rows(start, stop, keys, places, rank, way):
    """Arranges rows ``start..stop``."""
    for row in range(start, stop):
        arrange(keys[row], places[row], rank, way)
