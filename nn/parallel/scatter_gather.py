"""A batch in pieces, and pieces as one batch; in nested containers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import autograd
from autograd.devices import require_cpu
from autograd.tensor import Tensor

__all__ = ["gather", "scatter", "scatter_kwargs"]


def is_namedtuple(value: Any) -> bool:
    """Whether ``value`` is a tuple with names."""
    return isinstance(value, tuple) and hasattr(value, "_fields")


def scatter(inputs: Any, target_gpus: Sequence[Any], dim: int = 0) -> list[Any]:
    """The pieces of all tensors in ``inputs``, one for each device; anything else is repeated.

    Args:
        inputs: a tensor, or nested tuples, lists and dicts.
        target_gpus: devices, all of them ``"cpu"``: as many as there are to be pieces, at most.
        dim: along which tensors are cut.

    >>> import autograd, nn
    >>> nn.parallel.scatter((autograd.arange(4), "x"), ["cpu", "cpu"])
    [(tensor([0, 1]), 'x'), (tensor([2, 3]), 'x')]
    """
    for device in target_gpus:
        require_cpu(device, "scatter")

    def pieces(value: Any) -> list[Any]:
        if isinstance(value, Tensor):
            return list(value.chunk(len(target_gpus), dim))
        if is_namedtuple(value):
            return [type(value)(*each) for each in zip(*map(pieces, value), strict=False)]
        if isinstance(value, (tuple, list)) and value:
            return [type(value)(each) for each in zip(*map(pieces, value), strict=False)]
        if isinstance(value, dict) and value:
            return [type(value)(each) for each in zip(*map(pieces, value.items()), strict=False)]
        return [value for _ in target_gpus]

    return pieces(inputs)


def scatter_kwargs(
    inputs: tuple[Any, ...], kwargs: dict[str, Any] | None, target_gpus: Sequence[Any], dim: int = 0
) -> tuple[tuple[Any, ...], tuple[dict[str, Any], ...]]:
    """The pieces of positional and of keyword arguments, as many of the one as of the other."""
    positional: list[Any] = scatter(inputs, target_gpus, dim) if inputs else []
    named: list[Any] = scatter(kwargs, target_gpus, dim) if kwargs else []
    count = max(len(positional), len(named))
    positional += [() for _ in range(count - len(positional))]
    named += [{} for _ in range(count - len(named))]
    return tuple(positional), tuple(named)


def gather(outputs: Sequence[Any], target_device: Any, dim: int = 0) -> Any:
    """The tensors in ``outputs``, which are built alike, put together along ``dim``.

    Args:
        outputs: tensors, or nested tuples, lists and dicts of them, or Nones.
        target_device: ``"cpu"``.
        dim: along which tensors lie behind each other; numbers become a vector.

    Raises:
        ValueError: dicts of different lengths.
    """
    if target_device is not None:
        require_cpu(target_device, "gather")
    first = outputs[0]
    if isinstance(first, Tensor):
        return autograd.cat([each.reshape(1) if each.dim() == 0 else each for each in outputs], dim)
    if first is None:
        return None
    if isinstance(first, dict):
        if any(len(each) != len(first) for each in outputs):
            raise ValueError("All dicts must have the same number of keys")
        return type(first)((key, gather([each[key] for each in outputs], target_device, dim)) for key in first)
    joined = (gather(each, target_device, dim) for each in zip(*outputs, strict=True))
    return type(first)(*joined) if is_namedtuple(first) else type(first)(joined)
