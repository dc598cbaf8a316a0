"""``torch.backends.opt_einsum``: how `einsum` finds the order in which to multiply three or more operands."""

from __future__ import annotations

import importlib.util

__all__ = ["enabled", "is_available", "strategy"]

enabled = True
strategy = "auto"


def is_available() -> bool:
    """Whether the package opt_einsum is installed."""
    return importlib.util.find_spec("opt_einsum") is not None
