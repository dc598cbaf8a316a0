"""Ratios of two variances."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import autograd

from ..dtypes import Size
from ..tensor import Tensor
from . import constraints
from .distribution import Distribution
from .gamma import Gamma
from .utils import broadcast_all

__all__ = ["FisherSnedecor"]


class FisherSnedecor(Distribution):
    """``(x / df1) / (y / df2)`` for chi-squared numbers x and y of ``df1`` and ``df2`` degrees of freedom.

    Args:
        df1: positive.
        df2: positive.

    Raises:
        ValueError: degrees of freedom that are not positive.

    >>> import autograd
    >>> FisherSnedecor(autograd.tensor([1.0]), autograd.tensor([4.0])).mean
    tensor([2.])
    """

    arg_constraints: Any = {"df1": constraints.positive, "df2": constraints.positive}
    support: Any = constraints.positive
    has_rsample = True

    def __init__(self, df1: Any, df2: Any, validate_args: bool | None = None) -> None:
        self.df1, self.df2 = broadcast_all(df1, df2)
        self._gamma1 = Gamma(self.df1 * 0.5, self.df1)
        self._gamma2 = Gamma(self.df2 * 0.5, self.df2)
        super().__init__(self.df1.size(), validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        n = autograd.where(self.df2 <= 2, math.nan, self.df2)
        return n / (n - 2)

    @property
    def mode(self) -> Tensor:
        mode = (self.df1 - 2) / self.df1 * self.df2 / (self.df2 + 2)
        return autograd.where(self.df1 <= 2, math.nan, mode)

    @property
    def variance(self) -> Tensor:
        m, n = self.df1, autograd.where(self.df2 <= 4, math.nan, self.df2)
        return 2 * n.pow(2) * (m + n - 2) / (m * (n - 2).pow(2) * (n - 4))

    def rsample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        numerator, denominator = self._gamma1.rsample(sample_shape), self._gamma2.rsample(sample_shape)
        return (numerator / denominator).clamp(min=autograd.finfo(numerator.dtype).tiny)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        a, b, ratio = self.df1 * 0.5, self.df2 * 0.5, self.df1 / self.df2
        choices = (a + b).lgamma() - a.lgamma() - b.lgamma()
        return choices + a * ratio.log() + (a - 1) * autograd.log(value) - (a + b) * autograd.log1p(ratio * value)
