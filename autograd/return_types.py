"""``torch.return_types``: the named tuples that functions with several results return, by the functions' names.

>>> import autograd
>>> isinstance(autograd.ones(2).max(0), autograd.return_types.max)
True
"""

from __future__ import annotations

from typing import Any

from .rows import deferred
from .rows.results import RESULT_TYPES

__all__: list[str] = []


def __getattr__(name: str) -> Any:
    if name not in RESULT_TYPES and not name.startswith("__"):
        deferred.load_all()
    try:
        return RESULT_TYPES[name]
    except KeyError:
        raise AttributeError(f"module 'autograd.return_types' has no attribute {name!r}") from None


def __dir__() -> list[str]:
    deferred.load_all()
    return sorted(RESULT_TYPES)
