"""Means of few normal numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import autograd

from ..dtypes import Size
from ..tensor import Tensor
from . import constraints
from .chi2 import Chi2
from .distribution import Distribution
from .utils import broadcast_all, standard_normal

__all__ = ["StudentT"]


class StudentT(Distribution):
    """``loc + scale x / sqrt(y / df)`` for a standard normal x and a chi-squared y of ``df`` degrees of freedom.

    Args:
        df: degrees of freedom, positive.
        loc: the center.
        scale: positive.

    Raises:
        ValueError: ``df`` or ``scale`` is not positive.

    >>> import autograd
    >>> StudentT(autograd.tensor([3.0])).variance
    tensor([3.])
    """

    arg_constraints: Any = {"df": constraints.positive, "loc": constraints.real, "scale": constraints.positive}
    support: Any = constraints.real
    has_rsample = True

    def __init__(self, df: Any, loc: Any = 0.0, scale: Any = 1.0, validate_args: bool | None = None) -> None:
        self.df, self.loc, self.scale = broadcast_all(df, loc, scale)
        self._chi2 = Chi2(self.df)
        super().__init__(self.df.size(), validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return autograd.where(self.df <= 1, math.nan, self.loc)

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        is_finite = self.df > 2
        df = autograd.where(is_finite, self.df, 3.0)
        otherwise = autograd.where(self.df > 1, math.inf, math.nan).to(df.dtype)
        return autograd.where(is_finite, self.scale.pow(2) * df / (df - 2), otherwise)

    def rsample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        x = standard_normal(self._extended_shape(sample_shape), self.df)
        return self.loc + self.scale * (x * autograd.rsqrt(self._chi2.rsample(sample_shape) / self.df))

    def _log_beta(self) -> Tensor:
        """``ln B(df / 2, 1 / 2)``."""
        return autograd.lgamma(0.5 * self.df) + 0.5 * math.log(math.pi) - autograd.lgamma(0.5 * (self.df + 1))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        y = (value - self.loc) / self.scale
        normalizer = self.scale.log() + 0.5 * self.df.log() + self._log_beta()
        return -0.5 * (self.df + 1.0) * autograd.log1p(y**2.0 / self.df) - normalizer

    def entropy(self) -> Tensor:
        rise = autograd.digamma(0.5 * (self.df + 1)) - autograd.digamma(0.5 * self.df)
        return self.scale.log() + 0.5 * (self.df + 1) * rise + 0.5 * self.df.log() + self._log_beta()
