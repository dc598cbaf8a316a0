"""Successes before a number of failures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import autograd

from ..dtypes import Size
from ..tensor import Tensor
from . import constraints
from .functions import logsigmoid
from .gamma import Gamma
from .probs_or_logits import ProbsOrLogits
from .utils import lazy_property

__all__ = ["NegativeBinomial"]


class NegativeBinomial(ProbsOrLogits):
    """Successes before ``total_count`` failures: ``P(k) = C(k + n - 1, k) p^k (1 - p)^n``.

    Args:
        total_count: n, not necessarily whole.
        probs: probabilities of success, below 1.
        logits: or their log-odds.

    Raises:
        ValueError: both or none of them, a probability outside of [0, 1), or a negative count.

    >>> import autograd
    >>> NegativeBinomial(autograd.tensor([3.0]), autograd.tensor([0.5])).mean
    tensor([3.])
    """

    arg_constraints: Any = {
        "total_count": constraints.greater_than_eq(0),
        "probs": constraints.half_open_interval(0.0, 1.0),
        "logits": constraints.real,
    }
    support: Any = constraints.nonnegative_integer

    def __init__(
        self, total_count: Any, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        (count,) = self._take(probs, logits, total_count)
        self.total_count = count.type_as(self._param)
        super().__init__(self._param.size(), validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.total_count * autograd.exp(self.logits)

    @property
    def mode(self) -> Tensor:
        return ((self.total_count - 1) * self.logits.exp()).floor().clamp(min=0.0)

    @property
    def variance(self) -> Tensor:
        return self.mean / autograd.sigmoid(-self.logits)

    @lazy_property
    def _gamma(self) -> Gamma:
        """Of the rate: a Poisson number whose rate is a gamma number is a negative binomial one."""
        return Gamma(self.total_count, autograd.exp(-self.logits), validate_args=False)

    def sample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        with autograd.no_grad():
            return autograd.poisson(self._gamma.sample(sample_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        n = self.total_count
        weight = n * logsigmoid(-self.logits) + value * logsigmoid(self.logits)
        choices = autograd.lgamma(n + value) - autograd.lgamma(1.0 + value) - autograd.lgamma(n)
        return weight + choices.masked_fill(n + value == 0.0, 0.0)
