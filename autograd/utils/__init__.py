"""Tools around training: what PyTorch keeps in ``torch.utils``."""

from __future__ import annotations

import importlib
from typing import Any

__all__ = ["checkpoint", "data", "dlpack", "safetensors", "swap_tensors"]


def __getattr__(name: str) -> Any:
    if name in ("checkpoint", "data", "dlpack", "safetensors"):
        return importlib.import_module(f"{__name__}.{name}")
    if name == "swap_tensors":
        from .swap import swap_tensors

        return swap_tensors
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
