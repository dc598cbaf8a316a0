"""How arrays lie in memory."""

from __future__ import annotations

import numpy as np

__all__ = ["is_spread"]


def is_spread(array: np.ndarray) -> bool:
    """Whether several elements share one place in memory."""
    steps = zip(array.shape, array.strides, strict=True)
    return array.size > 0 and 0 in array.strides and any(n > 1 and not step for n, step in steps)
