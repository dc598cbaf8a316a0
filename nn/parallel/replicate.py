"""Copies of a model that share its parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from autograd.devices import require_cpu

from ..module import Module
from ..parameter import is_lazy

__all__ = ["replicate"]

SomeModule = TypeVar("SomeModule", bound=Module)


def replicate(network: SomeModule, devices: Sequence[Any], detach: bool = False) -> list[SomeModule]:
    """Copies of ``network``, one for each device, whose parameters and buffers are its own; or detached from them.

    Args:
        network: a model.
        devices: all of them ``"cpu"``.
        detach: let no gradient through.

    Raises:
        RuntimeError: it has parameters without a shape.

    >>> import nn
    >>> first, second = nn.parallel.replicate(nn.Linear(2, 2), ["cpu", "cpu"])
    >>> first is second, first.weight is second.weight
    (False, True)
    """
    for device in devices:
        require_cpu(device, "replicate")
    if any(is_lazy(parameter) for parameter in network.parameters()):
        raise RuntimeError(
            "Modules with uninitialized parameters can't be used with `DataParallel`. Run a dummy forward pass to "
            "correctly initialize the modules"
        )
    return [_copy(network, detach, {}) for _ in devices]


def _copy(module: Any, detach: bool, copies: dict[Module, Module]) -> Any:
    if module in copies:
        return copies[module]
    copy = object.__new__(type(module))
    copies[module] = copy
    copy.__dict__.update(module.__dict__)
    for registry in ("_parameters", "_buffers"):
        tensors = module.__dict__[registry].items()
        copy.__dict__[registry] = {
            name: tensor.detach() if detach and tensor is not None else tensor for name, tensor in tensors
        }
    copy.__dict__["_modules"] = {
        name: None if child is None else _copy(child, detach, copies) for name, child in module._modules.items()
    }
    return copy
