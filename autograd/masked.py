"""Masked tensors and masked operators under PyTorch's names: what it has at ``torch.masked``."""

from __future__ import annotations

from typing import Any

from .rows import deferred

__all__ = sorted(deferred.names("masked"))


def __getattr__(name: str) -> Any:
    return deferred.find("masked", name)


def __dir__() -> list[str]:
    return __all__
