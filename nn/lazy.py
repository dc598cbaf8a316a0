"""Layers that find the sizes of their parameters in the first batch."""

from __future__ import annotations

import itertools
from typing import Any

from .module import Module
from .parameter import is_lazy

__all__: list[str] = []


class LazyModuleMixin(Module):
    """What lazy layers share: they start with uninitialized parameters, and their first call gives these a shape.

    A lazy layer inherits from this class and from the layer that it becomes, creates its parameters as
    `UninitializedParameter` and its buffers as `UninitializedBuffer`, and defines `initialize_parameters`. Before its
    first ``forward``, that is called with the same arguments, and the object's class becomes ``cls_to_become``.

    >>> import autograd, nn
    >>> model = nn.Sequential(nn.LazyLinear(3), nn.LazyLinear(2))
    >>> model(autograd.ones(5, 4)).shape
    torch.Size([5, 2])
    >>> model
    Sequential(
      (0): Linear(in_features=4, out_features=3, bias=True)
      (1): Linear(in_features=3, out_features=2, bias=True)
    )
    """

    cls_to_become: type[Module] | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._initialize_hook = self.register_forward_pre_hook(self._infer_parameters, with_kwargs=True)

    def initialize_parameters(self, *args: Any, **kwargs: Any) -> None:
        """Gives the uninitialized parameters their shapes and first values; the arguments are those of ``forward``."""
        raise NotImplementedError(f"initialize_parameters is not implemented for {type(self).__name__}")

    def has_uninitialized_params(self) -> bool:
        """Whether a parameter or buffer of this module has no shape yet."""
        return any(map(is_lazy, itertools.chain(self._parameters.values(), self._buffers.values())))

    def _infer_parameters(self, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any] | None = None) -> None:
        module.initialize_parameters(*args, **(kwargs or {}))
        if module.has_uninitialized_params():
            raise RuntimeError(f"module {self._get_name()} has not been fully initialized")
        module._initialize_hook.remove()
        del module._initialize_hook
        if module.cls_to_become is not None:
            module.__class__ = module.cls_to_become
