"""Absolute values of Cauchy numbers."""

from __future__ import annotations

import math

import autograd

from ..tensor import Tensor
from .cauchy import Cauchy
from .folded import Folded

__all__ = ["HalfCauchy"]


class HalfCauchy(Folded):
    """``|x|`` for a Cauchy number x of median 0; its mean is infinite.

    Args:
        scale: positive; the median.

    Raises:
        ValueError: ``scale`` is not positive.

    >>> import autograd
    >>> HalfCauchy(autograd.tensor([2.0])).cdf(autograd.tensor([2.0]))
    tensor([0.5000])
    """

    symmetric = Cauchy

    @property
    def mean(self) -> Tensor:
        return autograd.full(self._extended_shape(), math.inf, dtype=self.scale.dtype)

    @property
    def variance(self) -> Tensor:
        return self.base_dist.variance
