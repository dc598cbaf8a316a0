"""Special functions under PyTorch's names: what it has at ``torch.special``."""

from __future__ import annotations

from typing import Any

from .rows import deferred

__all__ = sorted(deferred.names("special"))


def __getattr__(name: str) -> Any:
    return deferred.find("special", name)


def __dir__() -> list[str]:
    return __all__
