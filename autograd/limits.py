"""The range and precision of the element types: `finfo` and `iinfo`."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import dtypes

__all__ = ["finfo", "iinfo"]


def _checked(operator: str, given: Any) -> dtypes.dtype:
    if not isinstance(given, dtypes.dtype):
        raise TypeError(f"{operator}(): argument 'type' (position 1) must be torch.dtype, not {type(given).__name__}")
    return given


class finfo:
    """Limits of a floating-point dtype; of a complex one those of its parts.

    Args:
        type: the dtype; the default dtype by default.

    Attributes:
        bits: size of a number.
        eps: distance from 1 to the next number.
        max, min: the largest number, and the same below zero.
        tiny, smallest_normal: the smallest number above zero with full precision.
        resolution: 10 to the power of minus the number of digits that survive.
        dtype: the dtype's name.

    Raises:
        TypeError: not a floating-point or complex dtype.

    >>> import autograd
    >>> finfo(autograd.float16).max
    65504.0
    """

    __module__ = "autograd"

    __slots__ = ("bits", "dtype", "eps", "max", "min", "resolution", "smallest_normal", "tiny")

    def __init__(self, type: Any = None) -> None:
        kind = dtypes.get_default_dtype() if type is None else _checked("finfo", type)
        if not (kind.is_floating_point or kind.is_complex):
            raise TypeError(f"finfo requires a floating-point dtype, but got {kind}; use iinfo for integers")
        if kind is dtypes.bfloat16:  # eight bits of exponent as float32, seven of fraction
            digits, self.eps, self.max, self.tiny = 2, 2.0**-7, (2 - 2.0**-7) * 2.0**127, 2.0**-126
            self.bits, self.dtype = 16, kind.name
        else:
            real = dtypes.real_of(kind.numpy)
            facts = np.finfo(real)
            digits, self.eps, self.max, self.tiny = (
                facts.precision, float(facts.eps), float(facts.max), float(facts.tiny),
            )  # fmt: skip
            self.bits, self.dtype = facts.bits, real.name
        self.min, self.smallest_normal, self.resolution = -self.max, self.tiny, 10.0**-digits

    def __repr__(self) -> str:
        names = ("resolution", "min", "max", "eps", "smallest_normal", "tiny")
        return f"finfo({', '.join(f'{name}={getattr(self, name):g}' for name in names)}, dtype={self.dtype})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, finfo) and self.dtype == other.dtype

    def __hash__(self) -> int:
        return hash(self.dtype)


class iinfo:
    """Limits of an integer dtype.

    Attributes:
        bits: size of a number.
        max, min: the largest and the smallest number.
        dtype: the dtype's name.

    Raises:
        TypeError: not an integer dtype.

    >>> import autograd
    >>> iinfo(autograd.int8).max
    127
    """

    __module__ = "autograd"

    __slots__ = ("bits", "dtype", "max", "min")

    def __init__(self, type: Any) -> None:
        kind = _checked("iinfo", type)
        if kind.is_floating_point or kind.is_complex or kind is dtypes.bool:
            remedy = "it has no limits" if kind is dtypes.bool else "use finfo for floating-point numbers"
            raise TypeError(f"iinfo requires an integer dtype, but got {kind}; {remedy}")
        facts = np.iinfo(kind.numpy)
        self.bits, self.min, self.max, self.dtype = facts.bits, int(facts.min), int(facts.max), kind.name

    def __repr__(self) -> str:
        return f"iinfo(min={self.min:g}, max={self.max:g}, dtype={self.dtype})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, iinfo) and self.dtype == other.dtype

    def __hash__(self) -> int:
        return hash(self.dtype)


# Classes that say they are from `autograd`: doctest would pass them over.
__test__ = {"finfo": finfo, "iinfo": iinfo}
