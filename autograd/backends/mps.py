"""``torch.backends.mps``: Apple's GPUs are not used."""

from __future__ import annotations

__all__ = ["is_available", "is_built"]


def is_available() -> bool:
    """False: tensors live on the CPU."""
    return False


def is_built() -> bool:
    """False."""
    return False
