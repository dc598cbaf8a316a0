"""Sums of squares of normal numbers."""

from __future__ import annotations

from typing import Any

from ..dtypes import Size
from ..tensor import Tensor
from . import constraints
from .gamma import Gamma

__all__ = ["Chi2"]


class Chi2(Gamma):
    """The sum of the squares of ``df`` standard normal numbers.

    Args:
        df: degrees of freedom, positive, not necessarily whole.

    Raises:
        ValueError: ``df`` is not positive.

    >>> import autograd
    >>> Chi2(autograd.tensor([3.0])).mean
    tensor([3.])
    """

    arg_constraints: Any = {"df": constraints.positive}

    def __init__(self, df: Any, validate_args: bool | None = None) -> None:
        super().__init__(0.5 * df, 0.5, validate_args=validate_args)

    def _expanded_part(self, name: str, value: Any, batch_shape: Size) -> Any:
        return value.expand(batch_shape) if name in Gamma.arg_constraints else value

    @property
    def df(self) -> Tensor:
        """Degrees of freedom."""
        return self.concentration * 2
