"""Random probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import autograd

from ..dtypes import Size
from ..tensor import Tensor
from . import constraints
from .exp_family import ExponentialFamily
from .functions import one_hot

__all__ = ["Dirichlet"]


class Dirichlet(ExponentialFamily):
    """Vectors x of K probabilities, of density proportional to ``prod_k x_k^(concentration_k - 1)``.

    Args:
        concentration: (..., K), positive.

    Raises:
        ValueError: no axis, or a concentration that is not positive.

    >>> import autograd
    >>> Dirichlet(autograd.tensor([1.0, 3.0])).mean
    tensor([0.2500, 0.7500])
    """

    arg_constraints: Any = {"concentration": constraints.independent(constraints.positive, 1)}
    support: Any = constraints.simplex
    has_rsample = True

    def __init__(self, concentration: Tensor, validate_args: bool | None = None) -> None:
        if concentration.dim() < 1:
            raise ValueError("`concentration` parameter must be at least one-dimensional.")
        self.concentration = concentration
        super().__init__(concentration.shape[:-1], concentration.shape[-1:], validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.concentration / self.concentration.sum(-1, True)

    @property
    def mode(self) -> Tensor:
        excess = (self.concentration - 1).clamp(min=0.0)
        mode = excess / excess.sum(-1, True)
        # The density grows without bound towards every corner: the first one stands for them.
        corner = one_hot(mode.argmax(-1), self.event_shape[0]).to(mode)
        return autograd.where((self.concentration < 1).all(-1, keepdim=True), corner, mode)

    @property
    def variance(self) -> Tensor:
        total = self.concentration.sum(-1, True)
        return self.concentration * (total - self.concentration) / (total.pow(2) * (total + 1))

    def rsample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        return autograd._sample_dirichlet(self.concentration.expand(self._extended_shape(sample_shape)))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return autograd.xlogy(self.concentration - 1.0, value).sum(-1) - self._log_normalizer(self.concentration)

    def entropy(self) -> Tensor:
        a = self.concentration
        k, total = a.size(-1), a.sum(-1)
        mean_logs = (k - total) * autograd.digamma(total) + ((a - 1.0) * autograd.digamma(a)).sum(-1)
        return self._log_normalizer(a) - mean_logs

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return (self.concentration,)

    def _log_normalizer(self, x: Tensor) -> Tensor:  # type: ignore[override]  # one per parameter
        return x.lgamma().sum(-1) - autograd.lgamma(x.sum(-1))
