"""A weight as a length times a direction, recomputed before every ``forward``: the older form.

Its successor is `nn.utils.parametrizations.weight_norm`.
"""

from __future__ import annotations

import warnings
from typing import Any, TypeVar

import autograd
from autograd.tensor import Tensor

from ..hooks import pre_hooks_of
from ..module import Module
from ..parameter import Parameter, is_lazy

__all__ = ["WeightNorm", "remove_weight_norm", "weight_norm"]

SomeModule = TypeVar("SomeModule", bound=Module)


def of_length(direction: Tensor, length: Tensor, dim: int) -> Tensor:
    """``direction`` scaled to ``length``, along all dimensions but ``dim`` (-1: all of them)."""
    return direction * (length / autograd.norm_except_dim(direction, 2, dim))


class WeightNorm:
    """The hook that computes the weight.

    Args:
        name: of the parameter.
        dim: dimension that is not summed over; None or -1 sums over all.
    """

    def __init__(self, name: str, dim: int | None) -> None:
        self.name = name
        self.dim = -1 if dim is None else dim

    def compute_weight(self, module: Module) -> Tensor:
        """The weight that the two parameters stand for."""
        return of_length(getattr(module, f"{self.name}_v"), getattr(module, f"{self.name}_g"), self.dim)

    @staticmethod
    def apply(module: Module, name: str, dim: int | None) -> WeightNorm:
        """Replaces the parameter ``name`` of ``module`` by a length and a direction, and registers the hook."""
        warnings.warn(
            "`torch.nn.utils.weight_norm` is deprecated in favor of `torch.nn.utils.parametrizations.weight_norm`.",
            FutureWarning,
            stacklevel=3,
        )
        if any(hook.name == name for _, hook in pre_hooks_of(module, WeightNorm)):
            raise RuntimeError(f"Cannot register two weight_norm hooks on the same parameter {name}")
        hook = WeightNorm(name, dim)
        weight = getattr(module, name)
        if is_lazy(weight):
            raise ValueError(
                "The module passed to `WeightNorm` can't have uninitialized parameters. Make sure to run the dummy "
                "forward before applying weight normalization"
            )
        del module._parameters[name]
        length = autograd.norm_except_dim(weight.detach(), 2, hook.dim)
        module.register_parameter(f"{name}_g", Parameter(length))
        module.register_parameter(f"{name}_v", Parameter(weight.data))
        setattr(module, name, hook.compute_weight(module))
        module.register_forward_pre_hook(hook)
        return hook

    def remove(self, module: Module) -> None:
        """Makes the weight a parameter again."""
        weight = self.compute_weight(module)
        delattr(module, self.name)
        for ending in ("_g", "_v"):
            del module._parameters[self.name + ending]
        setattr(module, self.name, Parameter(weight.data))

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self.name, self.compute_weight(module))


def weight_norm(module: SomeModule, name: str = "weight", dim: int | None = 0) -> SomeModule:
    r"""Parts a weight into its length and its direction: :math:`w = g \, v / \lVert v \rVert`.

    Salimans and Kingma, "Weight Normalization" (2016).

    Args:
        module: that owns the weight.
        name: of the weight; ``{name}_g`` and ``{name}_v`` take its place.
        dim: each index of this dimension has a length of its own; None: one for all.

    Returns:
        ``module``.

    Raises:
        RuntimeError: it has been done already.
        ValueError: the weight has no shape yet.
    """
    WeightNorm.apply(module, name, dim)
    return module


def remove_weight_norm(module: SomeModule, name: str = "weight") -> SomeModule:
    """Undoes `weight_norm`.

    Raises:
        ValueError: there is nothing to undo.
    """
    for key, hook in pre_hooks_of(module, WeightNorm):
        if hook.name == name:
            hook.remove(module)
            del module._forward_pre_hooks[key]
            return module
    raise ValueError(f"weight_norm of '{name}' not found in {module}")
