"""``torch.backends.mkl``: Intel's MKL is not used."""

from __future__ import annotations

__all__ = ["is_available"]


def is_available() -> bool:
    """False: NumPy, SciPy and numba compute."""
    return False
