"""Floating-point exceptions are values here (inf, nan), as in PyTorch: NumPy is kept from warning about them."""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["quiet", "silently"]


def _quiet_context() -> contextvars.Context:
    context = contextvars.copy_context()
    context.run(np.seterr, all="ignore")
    return context


# NumPy keeps its error state in a context variable: running inside a prepared context silences overflow and
# division warnings for 15 ns, where `with np.errstate` takes 800 ns (measured).
quiet = _quiet_context().run


def silently(function: Callable[..., Any], *arguments: Any) -> Any:
    """``function(*arguments)`` without floating-point warnings."""
    try:
        return quiet(function, *arguments)
    except RuntimeError as error:
        # The context belongs to one thread at a time, and to one call: others take the slower way.
        if "cannot enter context" not in str(error):
            raise
    with np.errstate(all="ignore"):
        return function(*arguments)
