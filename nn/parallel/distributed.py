"""A model trained by several processes, of which there is one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from autograd.devices import require_cpu

from ..module import Module

__all__ = ["DistributedDataParallel"]


class DistributedDataParallel(Module):
    """A model whose gradients are averaged over processes; there is one, so that they stay what they are.

    Args:
        module: the model; names of its state get ``module.`` before them.
        device_ids: None, as for a model on the CPU.
        output_device: None or ``"cpu"``.
        dim: along which batches would be cut.
        kwargs: how PyTorch is to communicate: kept, there is nothing to communicate.

    Attributes:
        module: the model.
        require_backward_grad_sync: False within `no_sync`.

    Raises:
        RuntimeError: no parameter of the model is trained.

    >>> import nn
    >>> list(nn.parallel.DistributedDataParallel(nn.Linear(2, 1)).state_dict())
    ['module.weight', 'module.bias']
    """

    def __init__(
        self, module: Module, device_ids: Any = None, output_device: Any = None, dim: int = 0, **kwargs: Any
    ) -> None:
        super().__init__()
        if not any(parameter.requires_grad for parameter in module.parameters()):
            raise RuntimeError(
                "DistributedDataParallel is not needed when a module doesn't have any parameters that require a "
                "gradient."
            )
        for device in (*(device_ids or ()), output_device):
            if device is not None:
                require_cpu(device, "DistributedDataParallel")
        self.module = module
        self.device_ids = device_ids
        self.output_device = output_device
        self.dim = dim
        self.options = kwargs
        self.require_backward_grad_sync = True

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        return self.module(*inputs, **kwargs)

    @contextmanager
    def no_sync(self) -> Iterator[None]:
        """Within a ``with`` block gradients stay with their process; in one process they always do."""
        before, self.require_backward_grad_sync = self.require_backward_grad_sync, False
        try:
            yield
        finally:
            self.require_backward_grad_sync = before
