"""An array continued beyond its borders, and the transpose of that, axis after axis.

Modes: ``reflect`` mirrors at the outermost elements, ``replicate`` repeats them, ``circular`` goes on at the other
end. ``widths`` are pairs (before, after) for the last axes, none negative; a reflection is shorter than its axis, a
circular border at most as long.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

__all__ = ["add_borders", "with_borders"]

Widths = Sequence[tuple[int, int]]
Place = tuple[slice, ...]


def with_borders(x: np.ndarray, widths: Widths, mode: str) -> np.ndarray:
    """``x`` with borders that continue it.

    >>> with_borders(np.array([1, 2, 3]), [(2, 1)], "reflect")
    array([3, 2, 1, 2, 3, 2])
    """
    lead = x.ndim - len(widths)
    shape = (*x.shape[:lead], *(a + n + b for n, (a, b) in zip(x.shape[lead:], widths, strict=True)))
    out = np.empty(shape, x.dtype)
    out[_inside(shape, widths)] = x
    for border, source in _borders(shape, widths, mode):
        out[border] = out[source]
    return out


def add_borders(g: np.ndarray, widths: Widths, mode: str) -> np.ndarray:
    """The transpose of `with_borders`: what stands in the borders is added to where it came from.

    >>> add_borders(np.array([1, 1, 1, 1, 1, 1]), [(2, 1)], "reflect")
    array([1, 3, 2])
    """
    g = g.copy()
    for border, source in reversed(list(_borders(g.shape, widths, mode))):
        part = g[border]
        g[source] += part.sum(len(border) - 1, part.dtype, keepdims=True) if mode == "replicate" else part
    return g[_inside(g.shape, widths)].copy()


def _inside(shape: Sequence[int], widths: Widths) -> tuple[Any, ...]:
    sizes = shape[len(shape) - len(widths) :]
    return (..., *(slice(a, size - b) for size, (a, b) in zip(sizes, widths, strict=True)))


def _borders(shape: Sequence[int], widths: Widths, mode: str) -> Iterator[tuple[Place, Place]]:
    """(border, source) of all borders of an array with this shape, borders included."""
    lead = len(shape) - len(widths)
    for axis, (a, b) in enumerate(widths, lead):
        before = (slice(None),) * axis
        end = shape[axis] - b  # what is inside reaches from a to here
        if mode == "reflect":
            last = end - 2 - b
            sources = slice(2 * a, a, -1), slice(end - 2, last if last >= 0 else None, -1)
        elif mode == "replicate":
            sources = slice(a, a + 1), slice(end - 1, end)
        else:
            sources = slice(end - a, end), slice(a, a + b)
        if a:
            yield (*before, slice(0, a)), (*before, sources[0])
        if b:
            yield (*before, slice(end, end + b)), (*before, sources[1])
