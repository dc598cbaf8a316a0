"""``torch.backends.cudnn``: NVIDIA's kernels are not there, their switches may be set and change nothing."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator

__all__ = ["allow_tf32", "benchmark", "benchmark_limit", "deterministic", "enabled", "flags", "is_available", "version"]

enabled = True
benchmark = False
benchmark_limit = 10
deterministic = False
allow_tf32 = True


def is_available() -> bool:
    """False: there is no GPU."""
    return False


def version() -> None:
    """None: cuDNN is not there."""


@contextlib.contextmanager
def flags(
    enabled: bool = False,
    benchmark: bool = False,
    benchmark_limit: int = 10,
    deterministic: bool = False,
    allow_tf32: bool = True,
) -> Iterator[None]:
    """Sets the switches for the length of a ``with`` block."""
    module = sys.modules[__name__].__dict__
    wanted = {
        "enabled": enabled,
        "benchmark": benchmark,
        "benchmark_limit": benchmark_limit,
        "deterministic": deterministic,
        "allow_tf32": allow_tf32,
    }
    before = {name: module[name] for name in wanted}
    module.update(wanted)
    try:
        yield
    finally:
        module.update(before)
