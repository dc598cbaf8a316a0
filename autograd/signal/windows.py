"""Window functions under PyTorch's names: what it has at ``torch.signal.windows``."""

from __future__ import annotations

from typing import Any

from ..rows import deferred

__all__ = sorted(deferred.names("signal.windows"))


def __getattr__(name: str) -> Any:
    return deferred.find("signal.windows", name)


def __dir__() -> list[str]:
    return __all__
