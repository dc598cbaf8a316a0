"""Maximum over regions of any sizes: those of adaptive and of fractional pooling."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from .pooling import flat_index, lowest_of, run_on_planes, three_axes, use_pooling_loops

__all__ = ["adaptive_regions", "fractional_regions", "max_of_regions"]

# For each axis the first place of each region, and the place behind its last: (1, out) for all planes of an array, or
# (planes, out); where the array has more planes, as that of a batch of examples has, these come round again.
Regions = Sequence[tuple[np.ndarray, np.ndarray]]


def adaptive_regions(size: Sequence[int], out_size: Sequence[int]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Regions that cover each axis as evenly as they can: ``i`` reaches from ``⌊i n / m⌋`` to ``⌈(i + 1) n / m⌉``.

    >>> adaptive_regions((5,), (2,))
    [(array([[0, 2]]), array([[3, 5]]))]
    """
    steps = [(np.arange(m)[None], n, m) for n, m in zip(size, out_size, strict=True)]
    return [(i * n // m, -(-(i + 1) * n // m)) for i, n, m in steps]


def fractional_regions(
    size: Sequence[int], out_size: Sequence[int], kernel: Sequence[int], samples: np.ndarray
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Regions of the size of ``kernel`` at pseudo-random steps (Graham, "Fractional max-pooling", 2014).

    Args:
        samples: (planes, axes), from 0 to 1: where the sequence of each plane and axis begins.

    >>> fractional_regions((7,), (3,), (2,), np.array([[0.5]]))
    [(array([[0, 2, 5]]), array([[2, 4, 7]]))]
    """
    regions = []
    for n, m, k, u in zip(size, out_size, kernel, samples.T[..., None], strict=True):
        firsts = np.full((len(u), m), n - k)
        if m > 1:
            step = u.dtype.type(n - k) / u.dtype.type(m - 1)
            firsts[:, :-1] = ((np.arange(m - 1, dtype=u.dtype) + u) * step).astype(np.int64) - (u * step).astype(
                np.int64
            )
        regions.append((firsts, firsts + k))
    return regions


def max_of_regions(x: np.ndarray, regions: Regions) -> tuple[np.ndarray, np.ndarray]:
    """The largest element of each region, and its position in its plane, as int64.

    Of equal elements the first one counts, of several NaN the last.

    Args:
        x: (N, C, *size).
        regions: one pair for each axis of ``size``; no region is empty or reaches over the edge.

    >>> max_of_regions(np.array([[[1., 3., 2., 0.]]]), adaptive_regions((4,), (2,)))
    (array([[[3., 2.]]]), array([[[1, 2]]]))
    """
    size, out_size = x.shape[2:], tuple(firsts.shape[1] for firsts, _ in regions)
    shape = (*x.shape[:2], *out_size)
    if use_pooling_loops(x):
        from .pooling_loops import max_regions

        out, indices = np.empty(shape, x.dtype), np.empty(shape, np.int64)
        single = [(np.zeros((len(regions[0][0]), 1), np.int64), np.ones((len(regions[0][0]), 1), np.int64))]
        firsts, ends = (
            np.concatenate(bounds, axis=1) for bounds in zip(*single * (3 - len(size)), *regions, strict=True)
        )
        sizes = three_axes(size, 1), three_axes(out_size, 1)
        run_on_planes(
            max_regions,
            x,
            np.ascontiguousarray(x).reshape(-1),
            out.reshape(-1),
            indices.reshape(-1),
            *sizes,
            firsts,
            ends,
        )
        return out, indices
    planes = np.ascontiguousarray(x).reshape(prod(x.shape[:2]), prod(size))
    longest = [int((ends - firsts).max(initial=0)) for firsts, ends in regions]
    best = np.full((len(planes), *out_size), lowest_of(x.dtype), x.dtype)
    indices = _places([firsts for firsts, _ in regions], size, len(planes))
    for tap in np.ndindex(*longest):
        # A region that is smaller than others sees its last element again, which changes nothing.
        taps = [np.minimum(firsts + t, ends - 1) for t, (firsts, ends) in zip(tap, regions, strict=True)]
        where = _places(taps, size, len(planes))
        values = np.take_along_axis(planes, where.reshape(len(planes), prod(out_size)), axis=1).reshape(best.shape)
        larger = (values > best) | np.isnan(values)
        np.copyto(best, values, where=larger)
        np.copyto(indices, where, where=larger)
    return best.reshape(shape), indices.reshape(shape)


def _places(along: Sequence[np.ndarray], size: Sequence[int], planes: int) -> np.ndarray:
    """`flat_index` for each plane, whose rows of places come round again where there are fewer of them."""
    rows = [flat_index(places, size) for places in zip(*along, strict=True)]
    out = np.empty((planes, *(places.shape[1] for places in along)), np.int64)
    for plane in range(planes):
        out[plane] = rows[plane % len(rows)]
    return out
