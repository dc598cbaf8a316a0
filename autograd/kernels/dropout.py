"""What dropout does with its mask."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from . import jit

__all__ = ["masked_scale"]

_: Any = None


def masked_scale(x: np.ndarray, mask: np.ndarray, scale: Any) -> np.ndarray:
    """``x * mask * scale``, the mask first: a large number that is dropped must not overflow.

    Args:
        x: floats, laid out in memory in whatever order.
        mask: bool, broadcasts to the shape of ``x``.
        scale: a number of the dtype of ``x``.
    """
    if jit.use_loops(x.size) and x.dtype.kind == "f" and 4 <= x.dtype.itemsize <= 8:
        return _loop()([x, mask, np.asarray(scale, x.dtype)], (), x.dtype)[0]
    out = np.asarray(x * mask)
    return np.multiply(out, out.dtype.type(scale), out)


@cache
def _loop() -> Any:
    from .along_walk import pointwise  # slow to import: only for who compiles

    return pointwise(_scaled, ("x", "mask", "scale"))


def _scaled(x, mask, scale):
    return _.where(mask, x, 0 * x) * scale
