"""The bell curve."""

from __future__ import annotations

import math
from collections.abc import Sequence

import autograd

from ..dtypes import Size
from ..tensor import Tensor
from .exp_family import ExponentialFamily
from .symmetric import LocationScale
from .utils import standard_normal

__all__ = ["Normal"]

HALF_LOG_TAU = 0.5 * math.log(2 * math.pi)


class Normal(LocationScale, ExponentialFamily):
    """Density ``exp(-z^2 / 2) / (scale sqrt(2 pi))`` with ``z = (x - loc) / scale``.

    Args:
        loc: the mean.
        scale: the standard deviation, positive.

    Raises:
        ValueError: a scale that is not positive, or a loc that is NaN.

    >>> import autograd
    >>> Normal(autograd.tensor([1.0]), autograd.tensor([2.0])).log_prob(autograd.tensor([1.0]))
    tensor([-1.6121])
    """

    _mean_carrier_measure = 0

    @property
    def stddev(self) -> Tensor:
        return self.scale

    @property
    def variance(self) -> Tensor:
        return self.scale.pow(2)

    def sample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        with autograd.no_grad():
            return autograd.normal(self.loc.expand(shape), self.scale.expand(shape))

    def rsample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        return self.loc + standard_normal(self._extended_shape(sample_shape), self.loc) * self.scale

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return -((value - self.loc) ** 2) / (2 * self.scale**2) - self.scale.log() - HALF_LOG_TAU

    def cdf(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return 0.5 * (1 + autograd.erf((value - self.loc) * self.scale.reciprocal() / math.sqrt(2)))

    def icdf(self, value: Tensor) -> Tensor:
        return self.loc + self.scale * autograd.erfinv(2 * value - 1) * math.sqrt(2)

    def entropy(self) -> Tensor:
        return 0.5 + HALF_LOG_TAU + autograd.log(self.scale)

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return (self.loc / self.scale.pow(2), -0.5 * self.scale.pow(2).reciprocal())

    def _log_normalizer(self, x: Tensor, y: Tensor) -> Tensor:  # type: ignore[override]  # one per parameter
        return -0.25 * x.pow(2) / y + 0.5 * autograd.log(-math.pi / y)
