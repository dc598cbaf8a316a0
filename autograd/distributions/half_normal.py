"""Absolute values of normal numbers."""

from __future__ import annotations

import math

from ..tensor import Tensor
from .folded import Folded
from .normal import Normal

__all__ = ["HalfNormal"]


class HalfNormal(Folded):
    """``|x|`` for a normal number x of mean 0 and standard deviation ``scale``.

    Args:
        scale: positive.

    Raises:
        ValueError: ``scale`` is not positive.

    >>> import autograd
    >>> HalfNormal(autograd.tensor([1.0])).mean
    tensor([0.7979])
    """

    symmetric = Normal

    @property
    def mean(self) -> Tensor:
        return self.scale * math.sqrt(2 / math.pi)

    @property
    def variance(self) -> Tensor:
        return self.scale.pow(2) * (1 - 2 / math.pi)
