"""Functions of nested tensors, as in ``torch.nested``: loaded from `autograd.ops` when a name is first used."""

from __future__ import annotations

from typing import Any

from .rows import deferred

__all__ = sorted(deferred.names("nested"))


def __getattr__(name: str) -> Any:
    value = globals()[name] = deferred.find("nested", name)
    return value


def __dir__() -> list[str]:
    return __all__
