"""A module called with other parameters; the older name of `autograd.func.functional_call`."""

from __future__ import annotations

import warnings
from typing import Any

import autograd
from autograd.tensor import Tensor

from ..module import Module

__all__ = ["functional_call"]


def functional_call(
    module: Module,
    parameters_and_buffers: dict[str, Tensor],
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """`autograd.func.functional_call`, which takes its place.

    >>> import autograd, nn, warnings
    >>> layer, x = nn.Linear(1, 1, False), autograd.ones(1)
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     nn.utils.stateless.functional_call(layer, {"weight": autograd.ones(1, 1)}, x)
    tensor([1.])
    """
    warnings.warn(
        "`torch.nn.utils.stateless.functional_call` is deprecated as of PyTorch 2.0 and will be removed in a future "
        "version of PyTorch. Please use `torch.func.functional_call` instead which is a drop-in replacement.",
        FutureWarning,
        stacklevel=2,
    )
    given = () if args is None else args
    return autograd.func.functional_call(
        module, parameters_and_buffers, given, kwargs, tie_weights=tie_weights, strict=strict
    )
