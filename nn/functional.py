"""Functions behind the layers, with PyTorch's signatures: those of `autograd.ops` whose home is ``nn.functional``."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from autograd.rows import deferred as _deferred
from autograd.rows.public import FUNCTIONAL as _FUNCTIONAL
from autograd.rows.public import TORCH as _TORCH
from autograd.rows.writes import write as _write
from autograd.tensor import Tensor

globals().update(_FUNCTIONAL)
globals().update({name: _TORCH[name] for name in ("relu", "tanh", "sigmoid", "selu", "celu")})


# Activations with PyTorch's option to write the result into the input, and the options that come before that one.
_IN_PLACE: dict[str, dict[str, Any]] = {
    "relu": {}, "relu6": {}, "leaky_relu": {"negative_slope": 0.01}, "elu": {"alpha": 1.0}, "selu": {},
    "celu": {"alpha": 1.0}, "hardtanh": {"min_val": -1.0, "max_val": 1.0}, "hardsigmoid": {}, "hardswish": {},
    "silu": {}, "mish": {}, "threshold": {"threshold": inspect.Parameter.empty, "value": inspect.Parameter.empty},
}  # fmt: skip
_WRITING = ("celu_", "elu_", "hardtanh_", "leaky_relu_", "relu_", "selu_", "threshold_")


def _with_inplace(name: str) -> Callable[..., Any]:
    plain, options = globals()[name], _IN_PLACE[name]
    count = len(options)

    @functools.wraps(plain)
    def function(input: Tensor, *args: Any, inplace: bool = False, **kwargs: Any) -> Tensor:
        if len(args) > count:
            args, inplace = args[:count], args[count]
        result = plain(input, *args, **kwargs)
        return _write(input, result, f"{name}_") if inplace else result

    named = {"input": inspect.Parameter.empty, **options, "inplace": False}
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    function.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(each, kind, default=default) for each, default in named.items()]
    )
    function.__module__, function.__name__, function.__qualname__ = __name__, name, name
    return function


def _writing(name: str) -> Callable[..., Any]:
    function = globals()[name.removesuffix("_")]
    written = functools.partial(function, inplace=True)
    written.__doc__ = f"``{name.removesuffix('_')}`` in place."
    return written


globals().update({name: _with_inplace(name) for name in _IN_PLACE})
globals().update({name: _writing(name) for name in _WRITING})
__all__ = sorted({*_deferred.names("nn.functional"), *_IN_PLACE, *_WRITING, "tanh", "sigmoid"})


def __getattr__(name: str) -> Any:
    """A function of a family that is loaded on first use, or the AttributeError."""
    globals()[name] = found = _deferred.find("nn.functional", name)
    return found
