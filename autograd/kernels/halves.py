"""The floating-point types of 16 bits. To NumPy bfloat16 is a type of kind "V" that its own functions do not know."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["FLOATING", "INEXACT", "finfo", "is_half"]

# NumPy's kinds of numbers with a fraction: of the real ones, and of all.
FLOATING, INEXACT = "fV", "fVc"


def is_half(dtype: np.dtype) -> bool:
    """Whether it is float16 or bfloat16."""
    return dtype.itemsize == 2 and dtype.kind in FLOATING


def finfo(dtype: np.dtype) -> Any:
    """NumPy's facts about a floating-point type."""
    if dtype.kind == "V":
        from ml_dtypes import finfo as with_bfloat16

        return with_bfloat16(dtype)
    return np.finfo(dtype)
