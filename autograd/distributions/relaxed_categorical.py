"""Categories that are nearly one-hot vectors, with gradients."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..dtypes import Size
from ..tensor import Tensor
from . import constraints
from .categorical import Categorical
from .probs_or_logits import OverCategorical
from .relaxed import Relaxed
from .transforms import ExpTransform
from .utils import broadcast_all, clamp_probs, uniform

__all__ = ["ExpRelaxedCategorical", "RelaxedOneHotCategorical"]


class ExpRelaxedCategorical(OverCategorical):
    """Logarithms of `RelaxedOneHotCategorical` numbers.

    Args:
        temperature: a tensor.
        probs: (..., K) non-negative weights, which are divided by their sum.
        logits: or (..., K) logarithms of such weights.

    Raises:
        ValueError: both or none of them, no axis, or weights that make no probabilities.
    """

    support: Any = constraints.real_vector
    has_rsample = True

    def __init__(
        self, temperature: Tensor, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        self._categorical = Categorical(probs, logits)
        self.temperature = temperature
        super().__init__(self._categorical.batch_shape, self.param_shape[-1:], validate_args=validate_args)

    def rsample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        u = clamp_probs(uniform(self._extended_shape(sample_shape), self.logits))
        scores = (self.logits - (-(u.log())).log()) / self.temperature
        return scores - scores.logsumexp(dim=-1, keepdim=True)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        k = self._event_shape[0]
        logits, value = broadcast_all(self.logits, value)
        score = logits - value.mul(self.temperature)
        score = (score - score.logsumexp(dim=-1, keepdim=True)).sum(-1)
        return score + (k - 1) * self.temperature.log() + math.lgamma(k)


class RelaxedOneHotCategorical(Relaxed):
    """Probability vectors near one-hot ones: the softmax of ``(logits + Gumbel numbers) / temperature``.

    Maddison, Mnih and Teh, "The Concrete distribution" (2017); Jang, Gu and Poole (2017).

    Args:
        temperature: a tensor; near 0 samples are nearly one-hot.
        probs: (..., K) non-negative weights, which are divided by their sum.
        logits: or (..., K) logarithms of such weights.

    Raises:
        ValueError: both or none of them, no axis, or weights that make no probabilities.

    >>> import autograd
    >>> RelaxedOneHotCategorical(autograd.tensor(0.5), autograd.ones(3)).rsample().shape
    torch.Size([3])
    """

    arg_constraints: Any = OverCategorical.arg_constraints
    support: Any = constraints.simplex

    def __init__(
        self, temperature: Tensor, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        base = ExpRelaxedCategorical(temperature, probs, logits, validate_args=validate_args)
        super().__init__(base, ExpTransform(), validate_args=validate_args)
