"""Small arrays side by side: what is read once for all of them need not be called for each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["SMALL", "gathered"]

SMALL = 2048  # elements: of larger arrays the copies cost more than the calls that they save (measured)


def gathered(arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
    """All elements in 1-D arrays, in any order: one copy of the small arrays of each dtype, and the large ones.

    >>> gathered([np.ones((2, 2)), np.zeros(1), np.ones(2, np.float32)])
    [array([1., 1., 1., 1., 0.]), array([1., 1.], dtype=float32)]
    """
    small: dict[str, list[np.ndarray]] = {}
    found = []
    for array in arrays:
        flat = array.ravel(order="K")
        if flat.size > SMALL:
            found.append(flat)
        else:
            small.setdefault(flat.dtype.char, []).append(flat)
    return [pieces[0] if len(pieces) == 1 else np.concatenate(pieces) for pieces in small.values()] + found
