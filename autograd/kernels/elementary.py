"""The scalar library of generated loops, put together for one float type by ``math32`` and ``math64``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .arithmetic import arithmetic
from .circular import circulars
from .exponential import exponentials
from .special import error_functions, powers

__all__ = ["library"]


def library(real: type, fits: Mapping[str, Sequence[float]], double: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Every function of ``real`` by name; nothing is compiled before its first use.

    Args:
        fits: polynomial coefficients, lowest degree first; each family says which it needs.
        double: the float64 library, where ``real`` is float32.
    """
    exponential = exponentials(real, fits)
    return {
        **arithmetic(real),
        **exponential,
        **circulars(real, fits),
        **powers(real, fits, double or exponential),
        **error_functions(real, fits),
    }
