"""``torch.mps``: Apple's GPUs, which are never available here."""

from __future__ import annotations

from typing import Any

__all__ = ["device_count", "empty_cache", "is_available", "manual_seed", "seed", "synchronize"]


def is_available() -> bool:
    """False: tensors live on the CPU."""
    return False


def device_count() -> int:
    """0."""
    return 0


def manual_seed(seed: int) -> None:
    """Does nothing: there is no GPU."""


def seed() -> None:
    """Does nothing: there is no GPU."""


def _refused(name: str) -> Any:
    raise RuntimeError(f"Cannot execute mps.{name}() without MPS backend: chalkgrad computes on the CPU")


def synchronize() -> None:
    """Raises RuntimeError: there is no GPU."""
    _refused("synchronize")


def empty_cache() -> None:
    """Raises RuntimeError: there is no GPU."""
    _refused("empty_cache")
