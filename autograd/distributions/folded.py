"""Absolute values of numbers that are symmetric around 0."""

from __future__ import annotations

import math
from typing import Any

import autograd

from ..tensor import Tensor
from . import constraints
from .distribution import Distribution
from .transformed_distribution import TransformedDistribution
from .transforms import AbsTransform

__all__ = ["Folded"]


class Folded(TransformedDistribution):
    """``|x|`` for x of a distribution that is symmetric around 0 and has a ``scale``."""

    arg_constraints: Any = {"scale": constraints.positive}
    support: Any = constraints.nonnegative
    has_rsample: Any = True
    # Of the distribution that is folded.
    symmetric: type[Distribution]

    def __init__(self, scale: Any, validate_args: bool | None = None) -> None:
        super().__init__(
            self.symmetric(0, scale, validate_args=False),  # type: ignore[arg-type]
            AbsTransform(),
            validate_args=validate_args,
        )

    @property
    def scale(self) -> Tensor:
        """Of the distribution that is folded."""
        return self.base_dist.scale

    @property
    def mode(self) -> Tensor:
        return autograd.zeros_like(self.scale)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        value = autograd.as_tensor(value, dtype=self.scale.dtype)
        return autograd.where(value >= 0, self.base_dist.log_prob(value) + math.log(2), -math.inf)

    def cdf(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return 2 * self.base_dist.cdf(value) - 1

    def icdf(self, value: Tensor) -> Tensor:
        return self.base_dist.icdf((value + 1) / 2)

    def entropy(self) -> Tensor:
        return self.base_dist.entropy() - math.log(2)
