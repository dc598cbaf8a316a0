"""Compiled loops of :mod:`autograd.kernels.scatter`; arrays are flat, and indices made unsigned: numba tests a signed
one for being negative.
"""

from __future__ import annotations

from numba import uint64

from .compiled import compiled

__all__ = ["add_row_parts"]

FASTMATH = {"contract", "arcp", "nsz"}


@compiled(fastmath=FASTMATH)
def add_row_parts(start, stop, indices, rows, out, width):
    """Adds columns ``start..stop`` of every row, so each element of ``out`` belongs to one thread."""
    for i in range(indices.size):
        target = indices[uint64(i)] * width
        source = i * width
        for j in range(start, stop):
            out[uint64(target + j)] += rows[uint64(source + j)]
