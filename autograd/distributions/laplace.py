"""The double exponential distribution."""

from __future__ import annotations

import math
from collections.abc import Sequence

import autograd

from ..dtypes import Size
from ..tensor import Tensor
from .symmetric import LocationScale

__all__ = ["Laplace"]


class Laplace(LocationScale):
    """Density ``exp(-|x - loc| / scale) / (2 scale)``.

    Args:
        loc: the mean.
        scale: positive.

    Raises:
        ValueError: ``scale`` is not positive.

    >>> import autograd
    >>> Laplace(autograd.tensor([0.0]), autograd.tensor([1.0])).log_prob(autograd.tensor([0.0])).exp()
    tensor([0.5000])
    """

    @property
    def stddev(self) -> Tensor:
        return math.sqrt(2) * self.scale

    @property
    def variance(self) -> Tensor:
        return 2 * self.scale.pow(2)

    def rsample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        eps = autograd.finfo(self.loc.dtype).eps
        u = autograd.empty(self._extended_shape(sample_shape), dtype=self.loc.dtype).uniform_(eps - 1, 1)
        return self.loc - self.scale * u.sign() * autograd.log1p(-u.abs())

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return -autograd.log(2 * self.scale) - autograd.abs(value - self.loc) / self.scale

    def cdf(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        distance = value - self.loc
        return 0.5 - 0.5 * distance.sign() * autograd.expm1(-distance.abs() / self.scale)

    def icdf(self, value: Tensor) -> Tensor:
        centered = value - 0.5
        return self.loc - self.scale * centered.sign() * autograd.log1p(-2 * centered.abs())

    def entropy(self) -> Tensor:
        return 1 + autograd.log(2 * self.scale)
