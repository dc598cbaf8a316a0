"""Waiting times of several events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import autograd

from ..dtypes import Size
from ..tensor import Tensor
from . import constraints
from .exp_family import ExponentialFamily
from .utils import broadcast_all

__all__ = ["Gamma"]


class Gamma(ExponentialFamily):
    """Density ``rate^a x^(a - 1) exp(-rate x) / Gamma(a)`` for x > 0, with a = ``concentration``.

    Args:
        concentration: positive.
        rate: positive; the inverse of the scale.

    Raises:
        ValueError: a parameter that is not positive.

    >>> import autograd
    >>> Gamma(autograd.tensor([2.0]), autograd.tensor([4.0])).mean
    tensor([0.5000])
    """

    arg_constraints: Any = {"concentration": constraints.positive, "rate": constraints.positive}
    support: Any = constraints.nonnegative
    has_rsample = True
    _mean_carrier_measure = 0

    def __init__(self, concentration: Any, rate: Any, validate_args: bool | None = None) -> None:
        self.concentration, self.rate = broadcast_all(concentration, rate)
        super().__init__(self.concentration.size(), validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.concentration / self.rate

    @property
    def mode(self) -> Tensor:
        return ((self.concentration - 1) / self.rate).clamp(min=0)

    @property
    def variance(self) -> Tensor:
        return self.concentration / self.rate.pow(2)

    def rsample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        value = autograd._standard_gamma(self.concentration.expand(shape)) / self.rate.expand(shape)
        # Not recorded: what has underflown still moves with the parameters.
        value.data.clamp_(min=autograd.finfo(value.dtype).tiny)
        return value

    def log_prob(self, value: Tensor) -> Tensor:
        value = autograd.as_tensor(value, dtype=self.rate.dtype)
        self._validate_sample(value)
        a, rate = self.concentration, self.rate
        return autograd.xlogy(a, rate) + autograd.xlogy(a - 1, value) - rate * value - autograd.lgamma(a)

    def cdf(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return autograd.special.gammainc(self.concentration, self.rate * value)

    def entropy(self) -> Tensor:
        a = self.concentration
        return a - autograd.log(self.rate) + autograd.lgamma(a) + (1.0 - a) * autograd.digamma(a)

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return (self.concentration - 1, -self.rate)

    def _log_normalizer(self, x: Tensor, y: Tensor) -> Tensor:  # type: ignore[override]  # one per parameter
        return autograd.lgamma(x + 1) + (x + 1) * autograd.log(-y.reciprocal())
