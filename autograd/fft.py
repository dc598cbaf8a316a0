"""Discrete Fourier transforms under PyTorch's names: what it has at ``torch.fft``."""

from __future__ import annotations

from typing import Any

from .rows import deferred

__all__ = sorted(deferred.names("fft"))


def __getattr__(name: str) -> Any:
    return deferred.find("fft", name)


def __dir__() -> list[str]:
    return __all__
