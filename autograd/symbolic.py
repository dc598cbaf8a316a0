"""Arithmetic on sizes that may be ragged (`SymInt`), as ``torch.sym_int`` and its kind: on plain numbers, Python's."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from .dtypes import SymInt

__all__ = ["sym_float", "sym_int", "sym_ite", "sym_max", "sym_min", "sym_not", "sym_sqrt", "sym_sum"]


def sym_float(a: Any) -> float:
    """The number as a float.

    >>> sym_float(3)
    3.0
    """
    return float(a)


def sym_int(a: Any) -> Any:
    """The number as an int, cut off; a ragged size as it is.

    >>> sym_int(2.7)
    2
    """
    return a if isinstance(a, SymInt) else int(a)


def sym_sqrt(a: Any) -> float:
    """The square root.

    >>> sym_sqrt(9)
    3.0
    """
    return math.sqrt(a)


def sym_not(a: Any) -> bool:
    """Whether ``a`` is false."""
    return not a


def sym_ite(b: bool, t: Any, f: Any) -> Any:
    """``t if b else f``, of one type.

    Raises:
        AssertionError: ``b`` is no bool, or ``t`` and ``f`` are of different types.

    >>> sym_ite(True, 1, 2)
    1
    """
    if not isinstance(b, bool):
        raise AssertionError(f"sym_ite(): expected a bool, got {type(b).__name__}")
    if type(t) is not type(f):
        raise AssertionError(f"sym_ite(): type mismatch: {type(t).__name__} vs {type(f).__name__}")
    return t if b else f


def sym_max(a: Any, b: Any) -> Any:
    """The larger number: a float where one of them is.

    Raises:
        AssertionError: one is no int or float.

    >>> sym_max(2, 1.0)
    2.0
    """
    return _promoted("sym_max", a, b, b if b > a else a)


def sym_min(a: Any, b: Any) -> Any:
    """The smaller number: a float where one of them is.

    Raises:
        AssertionError: one is no int or float.

    >>> sym_min(2, 1.0)
    1.0
    """
    return _promoted("sym_min", a, b, b if b < a else a)


def _promoted(operator: str, a: Any, b: Any, chosen: Any) -> Any:
    for value in (a, b):
        if not isinstance(value, (int, float, SymInt)):
            raise AssertionError(f"{operator}(): expected int or float, got {type(value).__name__}")
    return float(chosen) if isinstance(a, float) or isinstance(b, float) else chosen


def sym_sum(*args: Any) -> Any:
    """The sum of numbers, given one by one or as a sequence.

    >>> sym_sum([1, 2, 3]), sym_sum(1, 2)
    (6, 3)
    """
    numbers: Sequence[Any] = args[0] if len(args) == 1 and isinstance(args[0], (list, tuple)) else args
    return sum(numbers)
