"""Functions behind the layers, with PyTorch's signatures: those of `autograd.ops` whose home is ``nn.functional``."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from autograd.rows import deferred as _deferred
from autograd.rows.public import FUNCTIONAL as _FUNCTIONAL
from autograd.rows.public import TORCH as _TORCH
from autograd.rows.writes import write as _write
from autograd.tensor import Tensor

globals().update(_FUNCTIONAL)
globals().update({name: _TORCH[name] for name in ("relu", "relu_", "tanh", "sigmoid", "selu", "celu")})


def _with_inplace(name: str) -> Callable[..., Any]:
    """The activation ``name`` with PyTorch's option to write the result into the input."""
    plain = globals()[name]

    @functools.wraps(plain)
    def function(input: Tensor, *args: Any, inplace: bool = False, **kwargs: Any) -> Tensor:
        result = plain(input, *args, **kwargs)
        return _write(input, result, f"{name}_") if inplace else result

    return function


_IN_PLACE = "relu relu6 leaky_relu elu selu celu hardtanh hardsigmoid hardswish silu mish"
globals().update({name: _with_inplace(name) for name in _IN_PLACE.split()})
__all__ = sorted({*_deferred.names("nn.functional"), "relu", "tanh", "sigmoid", "selu", "celu"})


def __getattr__(name: str) -> Any:
    """A function of a family that is loaded on first use, or the AttributeError."""
    globals()[name] = found = _deferred.find("nn.functional", name)
    return found
