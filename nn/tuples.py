"""Numbers that stand for as many equal ones as there are dimensions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import repeat
from typing import Any

__all__ = ["ntuple"]


def ntuple(n: int) -> Callable[[Any], tuple[Any, ...]]:
    """A function that gives ``n`` times its argument, or the tuple of it where it is iterable.

    >>> ntuple(2)(3), ntuple(2)([3, 4])
    ((3, 3), (3, 4))
    """

    def parse(x: Any) -> tuple[Any, ...]:
        return tuple(x) if isinstance(x, Iterable) else tuple(repeat(x, n))

    return parse


_single, _pair, _triple, _quadruple = map(ntuple, (1, 2, 3, 4))
_ntuple = ntuple
