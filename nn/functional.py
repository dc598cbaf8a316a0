"""Functions behind the layers, with PyTorch's signatures: those of `autograd.ops` whose home is ``nn.functional``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autograd.ops.public import FUNCTIONAL as _FUNCTIONAL
from autograd.ops.public import TORCH as _TORCH

globals().update(_FUNCTIONAL)
globals().update(
    {name: _TORCH[name] for name in ("relu", "relu_", "tanh", "sigmoid", "selu", "celu") if name in _TORCH}
)
__all__ = sorted({*_FUNCTIONAL, "relu", "tanh", "sigmoid", "selu", "celu"})

if TYPE_CHECKING:  # the names are those of the operators' table

    def __getattr__(name: str) -> Any: ...
