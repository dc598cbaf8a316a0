"""Arguments of operators that move a window over an image."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["tuple_of"]


def tuple_of(operator: str, name: str, value: Any, count: int) -> tuple[int, ...]:
    """One integer for each spatial dimension, from one for all or a sequence.

    Raises:
        TypeError: not integers.
        RuntimeError: another number of them.
    """
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,) * count
    values = values * count if len(values) == 1 else values
    for v in values:
        if not isinstance(v, (int, np.integer)) or isinstance(v, bool):
            raise TypeError(f"{operator}(): argument '{name}' must be tuple of ints, but found {type(v).__name__}")
    if len(values) != count:
        raise RuntimeError(f"{operator}: expected {name} to be a single integer or {count} of them, but got {values}")
    return tuple(int(v) for v in values)
