"""Modules whose parameters are left as the memory is."""

from __future__ import annotations

import inspect
from typing import Any

from ..module import Module

__all__ = ["skip_init"]


def skip_init(module_cls: type[Module], *args: Any, **kwargs: Any) -> Module:
    """A module of a class, its parameters and buffers memory that is not initialized.

    Args:
        module_cls: a class whose constructor takes ``device``.
        args: of the constructor.
        kwargs: of the constructor.

    Raises:
        RuntimeError: not a class of modules, or it takes no ``device``.

    >>> import nn
    >>> nn.utils.skip_init(nn.Linear, 5, 1)
    Linear(in_features=5, out_features=1, bias=True)
    """
    if not issubclass(module_cls, Module):
        raise RuntimeError(f"Expected a Module; got {module_cls}")
    if "device" not in inspect.signature(module_cls).parameters:
        raise RuntimeError("Module must support a 'device' arg to skip initialization")
    return module_cls(*args, **kwargs).to_empty(device=kwargs.get("device", "cpu"))
