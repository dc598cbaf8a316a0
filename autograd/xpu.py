"""``torch.xpu``: Intel's GPUs, which are never available here."""

from __future__ import annotations

__all__ = ["device_count", "empty_cache", "is_available", "manual_seed", "manual_seed_all"]


def is_available() -> bool:
    """False: tensors live on the CPU."""
    return False


def device_count() -> int:
    """0."""
    return 0


def manual_seed(seed: int) -> None:
    """Does nothing: there is no GPU."""


def manual_seed_all(seed: int) -> None:
    """Does nothing: there is no GPU."""


def empty_cache() -> None:
    """Does nothing: there is no GPU."""
