"""Functions over one, two and three spatial axes, and arguments of those that move a window over an image."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...kernels.halves import FLOATING
from ...rows.public import function
from ...rows.writes import type_name
from ...tensor import Tensor
from ..convert import check_tensor

__all__ = ["batch_of_images", "check_numbers", "over_axes", "tuple_of"]


def over_axes(name: str, *counts: int, **options: Any) -> Callable[[Callable[[int], Any]], Callable[[int], Any]]:
    """Decorator: ``make(n)`` gives the function over ``n`` spatial axes, which is published as ``name.format(n)``.

    Args:
        counts: the numbers of axes.
        options: those of `function`.
    """

    def register(make: Callable[[int], Any]) -> Callable[[int], Any]:
        for n in counts:
            written = make(n)
            written.__name__ = written.__qualname__ = name.format(n)
            written.__doc__ = make.__doc__
            function(method=False, **options)(written)
        return make

    return register


def batch_of_images(operator: str, input: Tensor, axes: int) -> Tensor:
    """The input (N, C, *size) itself, or a batch of the one image (C, *size).

    Raises:
        RuntimeError: another number of dimensions, or one beside N is 0.
    """
    shape = check_tensor(operator, "input", input)._array.shape
    if len(shape) not in (axes + 1, axes + 2) or 0 in shape[-axes - 1 :]:
        raise RuntimeError(
            f"{operator}: non-empty {axes + 1}D or {axes + 2}D (batch mode) tensor expected for input, but got "
            f"{list(shape)}"
        )
    return input if len(shape) == axes + 2 else input.unsqueeze(0)


def check_numbers(operator: str, dtype: np.dtype, *others: str) -> None:
    """Refuses elements that are neither floating-point nor of the ``others``: names of dtypes.

    Raises:
        NotImplementedError: they are not.
    """
    if dtype.kind not in FLOATING and dtype.name not in others:
        raise NotImplementedError(
            f"\"{operator}\" not implemented for '{type_name(dtype)}'; convert the input with .float()"
        )


def tuple_of(operator: str, name: str, value: Any, count: int) -> tuple[int, ...]:
    """One integer for each spatial dimension, from one for all or a sequence.

    Raises:
        TypeError: not integers.
        RuntimeError: another number of them.
    """
    if type(value) is tuple and len(value) == count and {*map(type, value)} == {int}:
        return value
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,) * count
    values = values * count if len(values) == 1 else values
    for v in values:
        if not isinstance(v, (int, np.integer)) or isinstance(v, bool):
            raise TypeError(f"{operator}(): argument '{name}' must be tuple of ints, but found {type(v).__name__}")
    if len(values) != count:
        raise RuntimeError(f"{operator}: expected {name} to be a single integer or {count} of them, but got {values}")
    return tuple(int(v) for v in values)
