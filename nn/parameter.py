"""Tensors that a module owns: parameters, which are trained, and buffers, which are not."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.dtypes import default_dtype
from autograd.tensor import Tensor, _make

__all__ = ["Buffer", "Parameter"]


class Parameter(Tensor):
    """A tensor that a module registers as one of its parameters when it is assigned as an attribute.

    It shares the memory of ``data`` and is a leaf of the graph.

    Args:
        data: the initial value; an empty tensor by default.
        requires_grad: whether operators on it are recorded.

    Raises:
        TypeError: ``data`` is not a Tensor.
        RuntimeError: ``data`` is not floating-point, and ``requires_grad`` is set.

    >>> import autograd, nn
    >>> nn.Parameter(autograd.tensor([1.0, 2.0]))
    Parameter containing:
    tensor([1., 2.], requires_grad=True)
    """

    def __new__(cls, data: Tensor | None = None, requires_grad: bool = True) -> Parameter:
        parameter: Any = _make(cls, _array_of(data, "Parameter"))
        if requires_grad:
            parameter.requires_grad_()
        return parameter

    def __deepcopy__(self, memo: dict[int, Any]) -> Parameter:
        if id(self) not in memo:
            # Like PyTorch's: the value is copied, the gradient is not.
            copied = _make(type(self), self._array.copy(order="K"))
            memo[id(self)] = copied.requires_grad_(self.requires_grad)
        return memo[id(self)]

    def __repr__(self, **options: Any) -> str:  # type: ignore[override]
        return "Parameter containing:\n" + super().__repr__(**options)


class Buffer(Tensor):
    """A tensor that a module registers as a buffer when it is assigned as an attribute.

    Buffers follow their module's dtype and are saved with it, but optimizers do not see them: running statistics,
    tables of constants.

    Args:
        data: the initial value; an empty tensor by default. The memory is shared.
        persistent: whether it is part of the module's ``state_dict``.

    Raises:
        TypeError: ``data`` is not a Tensor.
    """

    persistent: bool

    def __new__(cls, data: Tensor | None = None, *, persistent: bool = True) -> Buffer:
        buffer: Any = _make(cls, _array_of(data, "Buffer"))
        if data is not None and data.requires_grad:
            buffer.requires_grad_()
        buffer.persistent = persistent
        return buffer


def _array_of(data: Tensor | None, kind: str) -> np.ndarray:
    if data is None:
        return np.empty(0, default_dtype.numpy)
    if not isinstance(data, Tensor):
        raise TypeError(f"{kind}() takes a Tensor, but got {type(data).__name__}; convert with autograd.tensor first")
    return data._array
