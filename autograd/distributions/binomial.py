"""Successes of a number of trials."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import autograd

from ..dtypes import Size
from ..tensor import Tensor
from . import constraints
from .probs_or_logits import ProbsOrLogits

__all__ = ["Binomial"]


class Binomial(ProbsOrLogits):
    """Successes of ``total_count`` trials: ``P(k) = C(n, k) p^k (1 - p)^(n - k)``.

    Args:
        total_count: n, a number or a tensor.
        probs: probabilities of success.
        logits: or their log-odds.

    Raises:
        ValueError: both or none of them, a probability outside of [0, 1], or a negative count.

    >>> import autograd
    >>> Binomial(4, autograd.tensor([0.5])).log_prob(autograd.tensor([2.0])).exp()
    tensor([0.3750])
    """

    arg_constraints: Any = {"total_count": constraints.nonnegative_integer, **ProbsOrLogits.arg_constraints}
    has_enumerate_support = True

    def __init__(
        self, total_count: Any = 1, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        (count,) = self._take(probs, logits, total_count)
        self.total_count = count.type_as(self._param)
        super().__init__(self._param.size(), validate_args=validate_args)

    @constraints.dependent_property(is_discrete=True, event_dim=0)
    def support(self):
        return constraints.integer_interval(0, self.total_count)

    @property
    def mean(self) -> Tensor:
        return self.total_count * self.probs

    @property
    def mode(self) -> Tensor:
        return ((self.total_count + 1) * self.probs).floor().clamp(max=self.total_count)

    @property
    def variance(self) -> Tensor:
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        with autograd.no_grad():
            return autograd.binomial(self.total_count.expand(shape), self.probs.expand(shape))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        n, logits = self.total_count, self.logits
        choices = autograd.lgamma(n + 1) - autograd.lgamma(value + 1) - autograd.lgamma(n - value + 1)
        # ln(1 + exp(logits)), with the mean of the one-sided slopes at 0.
        positive = (logits.clamp(min=0) + logits - logits.clamp(max=0)) / 2
        return value * logits + choices - n * positive - n * autograd.log1p(autograd.exp(-autograd.abs(logits)))

    def _common_count(self, operation: str) -> int:
        count = int(self.total_count.max())
        if not self.total_count.min() == count:
            # As in PyTorch: examples would have sets of values of different sizes.
            raise NotImplementedError(f"Inhomogeneous total count not supported by `{operation}`.")
        return count

    def entropy(self) -> Tensor:
        self._common_count("entropy")
        log_prob = self.log_prob(self.enumerate_support(False))
        return -(autograd.exp(log_prob) * log_prob).sum(0)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        count = self._common_count("enumerate_support")
        return self._enumerated(autograd.arange(1 + count, dtype=self._param.dtype), expand)
