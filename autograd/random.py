"""The default random generator: its seed, its state, and a block that leaves it as it was."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from .devices import require_cpu
from .ops.random import default_generator, get_rng_state, initial_seed, manual_seed, seed, set_rng_state

__all__ = [
    "default_generator",
    "fork_rng",
    "get_rng_state",
    "initial_seed",
    "manual_seed",
    "seed",
    "set_rng_state",
]


@contextmanager
def fork_rng(
    devices: Iterable[Any] | None = None, enabled: bool = True, device_type: str | None = None
) -> Iterator[None]:
    """A block after which the default generator goes on from where it stood before.

    Args:
        devices: further devices whose generators would be saved; none exist here.
        enabled: False makes the block do nothing.
        device_type: their kind.

    Raises:
        AssertionError: a device that is not the CPU.

    >>> import autograd
    >>> _ = autograd.manual_seed(0)
    >>> with autograd.random.fork_rng():
    ...     inside = autograd.rand(2)
    >>> bool((autograd.rand(2) == inside).all())
    True
    """
    if not enabled:
        yield
        return
    for device in devices or ():
        require_cpu(f"{device_type or 'cuda'}:{device}" if isinstance(device, int) else device, "fork_rng")
    before = get_rng_state()
    try:
        yield
    finally:
        set_rng_state(before)
