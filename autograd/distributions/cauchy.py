"""The ratio of two normal numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence

import autograd

from ..dtypes import Size
from ..tensor import Tensor
from .symmetric import LocationScale

__all__ = ["Cauchy"]


class Cauchy(LocationScale):
    """Density ``1 / (pi scale (1 + z^2))`` with ``z = (x - loc) / scale``; it has no mean.

    Args:
        loc: the median.
        scale: half of the width at half of the height, positive.

    Raises:
        ValueError: ``scale`` is not positive.

    >>> import autograd
    >>> Cauchy(autograd.tensor([0.0]), autograd.tensor([1.0])).cdf(autograd.tensor([1.0]))
    tensor([0.7500])
    """

    @property
    def mean(self) -> Tensor:
        return autograd.full(self._extended_shape(), math.nan, dtype=self.loc.dtype)

    @property
    def variance(self) -> Tensor:
        return autograd.full(self._extended_shape(), math.inf, dtype=self.loc.dtype)

    def rsample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        standard = autograd.empty(self._extended_shape(sample_shape), dtype=self.loc.dtype).cauchy_()
        return self.loc + standard * self.scale

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return -math.log(math.pi) - self.scale.log() - (((value - self.loc) / self.scale) ** 2).log1p()

    def cdf(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return autograd.atan((value - self.loc) / self.scale) / math.pi + 0.5

    def icdf(self, value: Tensor) -> Tensor:
        return autograd.tan(math.pi * (value - 0.5)) * self.scale + self.loc

    def entropy(self) -> Tensor:
        return math.log(4 * math.pi) + self.scale.log()
