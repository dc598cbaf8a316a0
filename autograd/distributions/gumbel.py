"""Largest numbers of many."""

from __future__ import annotations

import math
from typing import Any

import autograd

from ..tensor import Tensor
from . import constraints
from .transformed_distribution import TransformedDistribution
from .transforms import AffineTransform, ExpTransform
from .uniform import Uniform
from .utils import broadcast_all, euler_constant

__all__ = ["Gumbel"]


class Gumbel(TransformedDistribution):
    """Density ``exp(-z - exp(-z)) / scale`` with ``z = (x - loc) / scale``.

    Args:
        loc: the most probable value.
        scale: positive.

    Raises:
        ValueError: ``scale`` is not positive.

    >>> import autograd
    >>> Gumbel(autograd.tensor([0.0]), autograd.tensor([1.0])).mean
    tensor([0.5772])
    """

    arg_constraints: Any = {"loc": constraints.real, "scale": constraints.positive}
    support: Any = constraints.real

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        self.loc, self.scale = broadcast_all(loc, scale)
        limits = autograd.finfo(self.loc.dtype)
        low = autograd.full_like(self.loc, limits.tiny)
        base = Uniform(low, autograd.full_like(low, 1 - limits.eps), validate_args=validate_args)
        # loc - scale ln(-ln u)
        flip = AffineTransform(loc=0, scale=-autograd.ones_like(self.scale))
        steps = [ExpTransform().inv, flip, ExpTransform().inv, AffineTransform(loc=self.loc, scale=-self.scale)]
        super().__init__(base, steps, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.loc + self.scale * euler_constant

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def stddev(self) -> Tensor:
        return math.pi / math.sqrt(6) * self.scale

    @property
    def variance(self) -> Tensor:
        return self.stddev.pow(2)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        y = (self.loc - value) / self.scale
        return (y - y.exp()) - self.scale.log()

    def entropy(self) -> Tensor:
        return self.scale.log() + (1 + euler_constant)
