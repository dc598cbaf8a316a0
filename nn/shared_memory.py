"""Memory that a process shares with those it forks, for training one model from several processes."""

from __future__ import annotations

from autograd.kernels.memory import shared_copy
from autograd.tensor import Tensor, wrap

__all__ = ["share"]


def share(tensor: Tensor) -> Tensor:
    """A copy of ``tensor`` in shared memory: a forked child's writes are seen by its parent, and the reverse."""
    return wrap(shared_copy(tensor._array))
