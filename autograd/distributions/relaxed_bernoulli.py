"""Tosses of a coin that are nearly 0 or 1, with gradients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..dtypes import Size
from ..tensor import Tensor
from . import constraints
from .probs_or_logits import ProbsOrLogits
from .relaxed import Relaxed
from .transforms import SigmoidTransform
from .utils import broadcast_all, clamp_probs, uniform

__all__ = ["LogitRelaxedBernoulli", "RelaxedBernoulli"]


class LogitRelaxedBernoulli(ProbsOrLogits):
    """Log-odds of `RelaxedBernoulli` numbers.

    Args:
        temperature: a tensor.
        probs: probabilities of 1.
        logits: or their log-odds.

    Raises:
        ValueError: both or none of them, or a probability outside of [0, 1].
    """

    support: Any = constraints.real

    def __init__(
        self, temperature: Tensor, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        self.temperature = temperature
        self._take(probs, logits)
        super().__init__(self._param.size(), validate_args=validate_args)

    def rsample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        p = clamp_probs(self.probs.expand(shape))
        u = clamp_probs(uniform(shape, p))
        return (u.log() - (-u).log1p() + p.log() - (-p).log1p()) / self.temperature

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        difference = logits - value.mul(self.temperature)
        return self.temperature.log() + difference - 2 * difference.exp().log1p()


class RelaxedBernoulli(Relaxed):
    """Numbers of (0, 1) near 0 or 1: the sigmoid of ``(logits + logistic numbers) / temperature``.

    Maddison, Mnih and Teh, "The Concrete distribution" (2017); Jang, Gu and Poole (2017).

    Args:
        temperature: a tensor; near 0 samples are nearly 0 or 1.
        probs: probabilities of 1.
        logits: or their log-odds.

    Raises:
        ValueError: both or none of them, or a probability outside of [0, 1].

    >>> import autograd
    >>> RelaxedBernoulli(autograd.tensor(0.5), autograd.tensor([0.9])).rsample().shape
    torch.Size([1])
    """

    arg_constraints: Any = ProbsOrLogits.arg_constraints
    support: Any = constraints.unit_interval

    def __init__(
        self, temperature: Tensor, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        base = LogitRelaxedBernoulli(temperature, probs, logits)
        super().__init__(base, SigmoidTransform(), validate_args=validate_args)
