"""Lifetimes."""

from __future__ import annotations

from typing import Any

import autograd

from ..tensor import Tensor
from . import constraints
from .exponential import Exponential
from .transformed_distribution import TransformedDistribution
from .transforms import AffineTransform, PowerTransform
from .utils import broadcast_all, euler_constant

__all__ = ["Weibull"]


class Weibull(TransformedDistribution):
    """``scale x^(1 / concentration)`` for an exponential number x of rate 1.

    Args:
        scale: positive.
        concentration: positive; above 1 what is older breaks sooner.

    Raises:
        ValueError: a parameter that is not positive.

    >>> import autograd
    >>> Weibull(autograd.tensor([2.0]), autograd.tensor([1.0])).mean
    tensor([2.])
    """

    arg_constraints: Any = {"scale": constraints.positive, "concentration": constraints.positive}
    support: Any = constraints.positive

    def __init__(self, scale: Any, concentration: Any, validate_args: bool | None = None) -> None:
        self.scale, self.concentration = broadcast_all(scale, concentration)
        self.concentration_reciprocal = self.concentration.reciprocal()
        base = Exponential(autograd.ones_like(self.scale), validate_args=validate_args)
        steps = [PowerTransform(exponent=self.concentration_reciprocal), AffineTransform(loc=0, scale=self.scale)]
        super().__init__(base, steps, validate_args=validate_args)

    def _log_moment(self, n: int) -> Tensor:
        return autograd.lgamma(1 + n * self.concentration_reciprocal)

    @property
    def mean(self) -> Tensor:
        return self.scale * autograd.exp(self._log_moment(1))

    @property
    def mode(self) -> Tensor:
        return self.scale * ((self.concentration - 1) / self.concentration) ** self.concentration.reciprocal()

    @property
    def variance(self) -> Tensor:
        return self.scale.pow(2) * (autograd.exp(self._log_moment(2)) - autograd.exp(2 * self._log_moment(1)))

    def entropy(self) -> Tensor:
        return euler_constant * (1 - self.concentration_reciprocal) + (self.scale / self.concentration).log() + 1
