"""Samples put together to a batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from typing import Any

import numpy as np

import autograd
from autograd import Tensor

__all__ = ["default_collate", "default_convert"]

NO_TEXT = "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found {}"


def default_convert(data: Any) -> Any:
    """Arrays and NumPy numbers as tensors, in nested containers too; everything else as it is."""
    if isinstance(data, (Tensor, str, bytes)):
        return data
    if isinstance(data, (np.ndarray, np.generic)):
        return data if data.dtype.kind in "SUOMm" else autograd.as_tensor(data)
    return _map(data, default_convert)


def default_collate(batch: Any) -> Any:
    """A list of samples as one batch: tensors, arrays and numbers are stacked, containers are collated field by field.

    Raises:
        TypeError: a type that has no batch.
        RuntimeError: sequences of different lengths.

    >>> from autograd.utils.data import default_collate
    >>> default_collate([{"x": 1.0, "y": [1, 2]}, {"x": 2.0, "y": [3, 4]}])
    {'x': tensor([1., 2.], dtype=torch.float64), 'y': [tensor([1, 3]), tensor([2, 4])]}
    """
    first = batch[0]
    if isinstance(first, Tensor):
        return autograd.stack(list(batch), 0)
    if isinstance(first, np.ndarray):
        if first.dtype.kind in "SUO":
            raise TypeError(NO_TEXT.format(first.dtype))
        return default_collate([autograd.as_tensor(item) for item in batch])
    if isinstance(first, np.generic) and first.dtype.kind not in "SUO":
        return autograd.as_tensor(np.asarray(batch))
    if isinstance(first, float):
        return autograd.as_tensor(batch, dtype=autograd.float64)
    if isinstance(first, int):
        return autograd.as_tensor(batch)
    if isinstance(first, (str, bytes)):
        return batch
    if isinstance(first, Mapping):
        collated = {key: default_collate([sample[key] for sample in batch]) for key in first}
        return _like(first, collated)
    if isinstance(first, tuple) and hasattr(first, "_fields"):
        return type(first)(*(default_collate(list(field)) for field in zip(*batch, strict=True)))
    if isinstance(first, Sequence):
        if any(len(sample) != len(first) for sample in batch):
            raise RuntimeError("each element in list of batch should be of equal size")
        fields = [default_collate(list(field)) for field in zip(*batch, strict=True)]
        return fields if isinstance(first, tuple) else _like(first, fields)
    raise TypeError(NO_TEXT.format(type(first)))


def _map(data: Any, function: Callable[[Any], Any]) -> Any:
    if isinstance(data, Mapping):
        return _like(data, {key: function(value) for key, value in data.items()})
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return type(data)(*(function(item) for item in data))
    if isinstance(data, tuple):
        return [function(item) for item in data]
    if isinstance(data, Sequence):
        return _like(data, [function(item) for item in data])
    return data


def _like(original: Any, value: Any) -> Any:
    """``value`` in the container's own type, where that can be made so."""
    if type(original) is type(value):
        return value
    try:
        if isinstance(original, MutableMapping):
            import copy

            clone = copy.copy(original)
            clone.update(value)
            return clone
        return type(original)(value)
    except TypeError:
        return value
