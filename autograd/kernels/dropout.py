"""What dropout does with its mask, and a mask of which each bool takes a bit."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np

from . import jit

__all__ = ["Bits", "masked_scale"]

_: Any = None


class Bits:
    """An array of bools, one in each bit: what dropout keeps until the gradient comes.

    >>> Bits(np.array([[True, False]])).array()
    array([[ True, False]])
    """

    __slots__ = ("_order", "_shape", "bits")

    def __init__(self, mask: np.ndarray) -> None:
        # As it lies in memory: so it is packed without a copy, and unpacked as it was.
        self._order = sorted(range(mask.ndim), key=lambda axis: -mask.strides[axis])
        in_order = mask.transpose(self._order)
        self._shape = in_order.shape
        self.bits = np.packbits(in_order)

    def array(self) -> np.ndarray:
        """The bools, in the array's shape and order in memory."""
        flat = np.unpackbits(self.bits, count=math.prod(self._shape))
        return flat.view(np.bool_).reshape(self._shape).transpose(np.argsort(self._order))


def masked_scale(x: np.ndarray, mask: np.ndarray | Bits, scale: Any) -> np.ndarray:
    """``x * mask * scale``, the mask first: a large number that is dropped must not overflow.

    Args:
        x: floats, laid out in memory in whatever order.
        mask: bools that broadcast to the shape of ``x``.
        scale: a number of the dtype of ``x``.
    """
    if isinstance(mask, Bits):
        mask = mask.array()
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
