"""Counts of several categories."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import autograd

from ..dtypes import Size
from ..tensor import Tensor
from . import constraints
from .binomial import Binomial
from .categorical import Categorical
from .probs_or_logits import OverCategorical
from .utils import broadcast_all

__all__ = ["Multinomial"]


class Multinomial(OverCategorical):
    """How often each of K categories came up in ``total_count`` draws.

    Args:
        total_count: an int.
        probs: (..., K) non-negative weights, which are divided by their sum.
        logits: or (..., K) logarithms of such weights.

    Raises:
        NotImplementedError: ``total_count`` is no int.
        ValueError: both or none of the weights, no axis, or weights that make no probabilities.

    >>> import autograd
    >>> Multinomial(5, autograd.tensor([0.0, 1.0])).sample()
    tensor([0., 5.])
    """

    def __init__(
        self, total_count: int = 1, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        if not isinstance(total_count, int):
            raise NotImplementedError(f"inhomogeneous total_count is not supported: expected an int, got {total_count}")
        self.total_count = total_count
        self._categorical = Categorical(probs, logits)
        super().__init__(self._categorical.batch_shape, self.param_shape[-1:], validate_args=validate_args)

    @constraints.dependent_property(is_discrete=True, event_dim=1)
    def support(self):
        return constraints.multinomial(self.total_count)

    @property
    def mean(self) -> Tensor:
        return self.probs * self.total_count

    @property
    def variance(self) -> Tensor:
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        picks = self._categorical.sample((self.total_count, *sample_shape)).movedim(0, -1)
        counts = autograd.zeros(self._extended_shape(sample_shape), dtype=picks.dtype)
        return counts.scatter_add_(-1, picks, autograd.ones_like(picks)).type_as(self.probs)

    def entropy(self) -> Tensor:
        # Each count alone is binomial, and the entropy needs the mean of ln k! only.
        counts = Binomial(self.total_count, self.probs)
        values = counts.enumerate_support(expand=False)[1:]
        log_factorials = (autograd.exp(counts.log_prob(values)) * autograd.lgamma(values + 1)).sum([0, -1])
        return self.total_count * self._categorical.entropy() - math.lgamma(self.total_count + 1) + log_factorials

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        logits = autograd.where((value == 0) & (logits == -math.inf), 0.0, logits)
        choices = autograd.lgamma(value.sum(-1) + 1) - autograd.lgamma(value + 1).sum(-1)
        return choices + (logits * value).sum(-1)
