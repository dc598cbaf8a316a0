"""PyTorch's ``torch.cuda`` on a machine without CUDA, as chalkgrad always is: questions are answered, orders refused.

Programs that ask ``cuda.is_available()`` and go on without a GPU run unchanged; those that need one are told so.
"""

from __future__ import annotations

import contextlib
from typing import Any

from ..devices import require_cpu
from ..legacy import type_named

__all__ = [
    "Event", "OutOfMemoryError", "Stream", "current_device", "current_stream", "default_stream", "device",
    "device_count", "empty_cache", "get_device_capability", "get_device_name", "get_device_properties",
    "get_rng_state", "get_rng_state_all", "init", "initial_seed", "ipc_collect", "is_available", "is_bf16_supported",
    "is_current_stream_capturing", "is_initialized", "manual_seed", "manual_seed_all", "max_memory_allocated",
    "max_memory_reserved", "mem_get_info", "memory_allocated", "memory_reserved", "reset_peak_memory_stats", "seed",
    "seed_all", "set_device", "set_rng_state_all", "synchronize",
]  # fmt: skip


class OutOfMemoryError(RuntimeError):
    """What PyTorch raises when a GPU's memory is full. Here an array that does not fit raises MemoryError."""


def is_available() -> bool:
    """False: tensors live on the CPU."""
    return False


def is_initialized() -> bool:
    """False."""
    return False


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """False."""
    return False


def is_current_stream_capturing() -> bool:
    """False."""
    return False


def device_count() -> int:
    """0."""
    return 0


def _nothing(name: str, answer: Any, text: str) -> None:
    def function(*args: Any, **kwargs: Any) -> Any:
        return list(answer) if isinstance(answer, list) else answer

    function.__name__ = function.__qualname__ = name
    function.__doc__ = text
    globals()[name] = function


for _name in ("empty_cache", "manual_seed", "manual_seed_all", "seed", "seed_all", "reset_peak_memory_stats"):
    _nothing(_name, None, "Does nothing: there is no GPU.")
for _name in ("memory_allocated", "max_memory_allocated", "memory_reserved", "max_memory_reserved"):
    _nothing(_name, 0, "0 bytes: there is no GPU.")
_nothing("get_rng_state_all", [], "An empty list: there is no GPU.")
_nothing("set_rng_state_all", None, "Does nothing: there is no GPU.")


def _refused(name: str) -> None:
    def function(*args: Any, **kwargs: Any) -> Any:
        require_cpu("cuda", f"cuda.{name}")

    function.__name__ = function.__qualname__ = name
    function.__doc__ = "Raises AssertionError: there is no GPU."
    globals()[name] = function


for _name in (
    "current_device", "current_stream", "default_stream", "get_device_capability", "get_device_name",
    "get_device_properties", "get_rng_state", "init", "initial_seed", "ipc_collect", "mem_get_info", "set_device",
    "synchronize",
):  # fmt: skip
    _refused(_name)


class device(contextlib.AbstractContextManager):
    """``with cuda.device(0):`` does nothing, as in PyTorch without a GPU."""

    def __init__(self, device: Any) -> None:
        self.idx = device

    def __exit__(self, *error: Any) -> None:
        return None


class Stream:
    """Raises RuntimeError: there is no GPU whose work could be put in order."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise RuntimeError(f"cuda.{type(self).__name__} requires CUDA, and chalkgrad computes on the CPU")


class Event(Stream):
    """Raises RuntimeError: there is no GPU whose time could be taken."""


def __getattr__(name: str) -> Any:
    if name == "amp":
        import importlib

        return importlib.import_module(".amp", __name__)
    if name.endswith("Tensor"):
        try:
            return type_named(f"torch.cuda.{name}")
        except ValueError:
            pass
    raise AttributeError(f"module 'autograd.cuda' has no attribute {name!r}")
