"""A batch spread over devices, of which there is one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd.devices import require_cpu

from ..module import Module

__all__ = ["DataParallel", "data_parallel"]


class DataParallel(Module):
    """A model on all GPUs; there is none, so it is the model itself, with ``module.`` before the names of its state.

    Args:
        module: the model.
        device_ids: None, or ``"cpu"`` ones.
        output_device: None or ``"cpu"``.
        dim: along which batches would be cut.

    Attributes:
        module: the model.

    >>> import nn
    >>> list(nn.DataParallel(nn.Linear(2, 1)).state_dict())
    ['module.weight', 'module.bias']
    """

    def __init__(
        self,
        module: Module,
        device_ids: Sequence[Any] | None = None,
        output_device: Any = None,
        dim: int = 0,
    ) -> None:
        super().__init__()
        self.module = module
        self.device_ids: list[Any] = []

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        return self.module(*inputs, **kwargs)


def data_parallel(
    module: Module,
    inputs: Any,
    device_ids: Sequence[Any] | None = None,
    output_device: Any = None,
    dim: int = 0,
    module_kwargs: dict[str, Any] | None = None,
) -> Any:
    """What `DataParallel` of ``module`` gives for ``inputs``.

    Args:
        module: a model.
        inputs: its only argument, or a tuple of arguments.
        device_ids: ``"cpu"`` ones.
        output_device: ``"cpu"``.
        dim: along which batches would be cut.
        module_kwargs: its keyword arguments.
    """
    for device in (*(device_ids or ()), output_device):
        if device is not None:
            require_cpu(device, "data_parallel")
    given = inputs if isinstance(inputs, tuple) else () if inputs is None else (inputs,)
    return module(*given, **(module_kwargs or {}))
