"""A random probability whose distribution function is elementary."""

from __future__ import annotations

import math
from typing import Any

import autograd

from ..tensor import Tensor
from . import constraints
from .transformed_distribution import TransformedDistribution
from .transforms import AffineTransform, PowerTransform
from .uniform import Uniform
from .utils import broadcast_all, euler_constant

__all__ = ["Kumaraswamy"]


class Kumaraswamy(TransformedDistribution):
    """Distribution function ``1 - (1 - x^concentration1)^concentration0`` on [0, 1].

    Args:
        concentration1: positive.
        concentration0: positive.

    Raises:
        ValueError: a concentration that is not positive.

    >>> import autograd
    >>> Kumaraswamy(autograd.tensor([1.0]), autograd.tensor([3.0])).mean
    tensor([0.2500])
    """

    arg_constraints: Any = {"concentration1": constraints.positive, "concentration0": constraints.positive}
    support: Any = constraints.unit_interval
    has_rsample: Any = True

    def __init__(self, concentration1: Any, concentration0: Any, validate_args: bool | None = None) -> None:
        self.concentration1, self.concentration0 = broadcast_all(concentration1, concentration0)
        low = autograd.zeros_like(self.concentration0)
        base = Uniform(low, autograd.ones_like(low), validate_args=validate_args)
        steps = [
            PowerTransform(exponent=self.concentration0.reciprocal()),
            AffineTransform(loc=1.0, scale=-1.0),
            PowerTransform(exponent=self.concentration1.reciprocal()),
        ]
        super().__init__(base, steps, validate_args=validate_args)

    def _moment(self, n: int) -> Tensor:
        """``E[x^n] = b B(1 + n / a, b)``."""
        a, b = self.concentration1, self.concentration0
        return b * autograd.exp(autograd.lgamma(1 + n / a) + autograd.lgamma(b) - autograd.lgamma(1 + n / a + b))

    @property
    def mean(self) -> Tensor:
        return self._moment(1)

    @property
    def mode(self) -> Tensor:
        # PyTorch's is NaN everywhere.
        a, b = self.concentration1, self.concentration0
        return autograd.where((a < 1) | (b < 1), math.nan, ((a - 1) / (a * b - 1)) ** (1 / a))

    @property
    def variance(self) -> Tensor:
        return self._moment(2) - self.mean.pow(2)

    def entropy(self) -> Tensor:
        a, b = self.concentration1, self.concentration0
        harmonic = autograd.digamma(b + 1) + euler_constant
        return (1 - b.reciprocal()) + (1 - a.reciprocal()) * harmonic - autograd.log(a) - autograd.log(b)
