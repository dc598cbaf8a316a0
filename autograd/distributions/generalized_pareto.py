"""What exceeds a high threshold."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import autograd

from ..dtypes import Size
from ..tensor import Tensor
from . import constraints
from .distribution import Distribution
from .utils import broadcast_all, uniform

__all__ = ["GeneralizedPareto"]


class GeneralizedPareto(Distribution):
    """Survival function ``(1 + concentration z)^(-1 / concentration)``, ``z = (x - loc) / scale`` >= 0.

    With concentration 0 it is ``exp(-z)``; below 0 values end at ``loc - scale / concentration``.

    Args:
        loc: the threshold.
        scale: positive.
        concentration: how heavy the tail is.

    Raises:
        ValueError: ``scale`` is not positive.

    >>> import autograd
    >>> GeneralizedPareto(0.0, 1.0, autograd.tensor([0.0, 0.5])).mean
    tensor([1., 2.])
    """

    arg_constraints: Any = {"loc": constraints.real, "scale": constraints.positive, "concentration": constraints.real}
    has_rsample = True

    def __init__(self, loc: Any, scale: Any, concentration: Any, validate_args: bool | None = None) -> None:
        self.loc, self.scale, self.concentration = broadcast_all(loc, scale, concentration)
        super().__init__(self.loc.size(), validate_args=validate_args)

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self):
        end = self.loc - self.scale / self.concentration
        return constraints.interval(self.loc, autograd.where(self.concentration < 0, end, math.inf))

    def _by_tail(self, exponential: Tensor, power: Callable[[Tensor], Tensor]) -> Tensor:
        """The limit where the concentration is (nearly) 0, elsewhere a function of the concentration."""
        none = autograd.isclose(self.concentration, autograd.zeros_like(self.concentration))
        return autograd.where(none, exponential, power(autograd.where(none, 1.0, self.concentration)))

    @property
    def mean(self) -> Tensor:
        c = self.concentration
        return self.loc + autograd.where(c < 1, self.scale / (1 - c), math.nan)

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        c = self.concentration
        return autograd.where(c < 0.5, self.scale**2 / ((1 - c) ** 2 * (1 - 2 * c)), math.nan)

    def rsample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        return self.icdf(uniform(self._extended_shape(sample_shape), self.loc))

    def _z(self, value: Tensor) -> Tensor:
        return (value - self.loc) / self.scale

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        z = self._z(value)
        return -self.scale.log() - self._by_tail(z, lambda c: autograd.special.xlog1py(1 / c + 1, c * z))

    def log_survival_function(self, value: Tensor) -> Tensor:
        """``ln P(x > value)``."""
        z = self._z(value)
        return -self._by_tail(z, lambda c: autograd.log1p(c * z) / c)

    def log_cdf(self, value: Tensor) -> Tensor:
        """``ln P(x <= value)``."""
        return autograd.log1p(-autograd.exp(self.log_survival_function(value)))

    def cdf(self, value: Tensor) -> Tensor:
        return -autograd.expm1(self.log_survival_function(value))

    def icdf(self, value: Tensor) -> Tensor:
        log_survival = autograd.log1p(-value)
        return self.loc + self.scale * self._by_tail(-log_survival, lambda c: autograd.expm1(-c * log_survival) / c)

    def entropy(self) -> Tensor:
        return self.scale.log() + self.concentration + 1
