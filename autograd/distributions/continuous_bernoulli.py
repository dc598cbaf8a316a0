"""Numbers of the unit interval with the density of a Bernoulli distribution."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import autograd

from ..dtypes import Size
from ..tensor import Tensor
from . import constraints
from .exp_family import ExponentialFamily
from .functions import binary_cross_entropy_with_logits
from .probs_or_logits import ProbsOrLogits
from .utils import broadcast_all, clamp_probs, lazy_property, logits_to_probs, uniform

__all__ = ["ContinuousBernoulli"]


class ContinuousBernoulli(ProbsOrLogits, ExponentialFamily):
    """Density ``C(p) p^x (1 - p)^(1 - x)`` on [0, 1] (Loaiza-Ganem and Cunningham, 2019).

    Args:
        probs: p, inside of (0, 1).
        logits: or its log-odds.
        lims: between these p the normalizer is a Taylor series around one half.

    Raises:
        ValueError: both or none of them, or p outside of [0, 1].

    >>> import autograd
    >>> ContinuousBernoulli(autograd.tensor([0.3])).mean
    tensor([0.4302])
    """

    support: Any = constraints.unit_interval
    has_rsample = True
    _mean_carrier_measure = 0

    def __init__(
        self,
        probs: Any = None,
        logits: Any = None,
        lims: tuple[float, float] = (0.499, 0.501),
        validate_args: bool | None = None,
    ) -> None:
        self._take(probs, logits)
        if probs is not None:
            if validate_args is not None and not self.arg_constraints["probs"].check(self.probs).all():
                raise ValueError(f"The parameter probs has invalid values, outside of [0, 1]: {self.probs}")
            self.probs = clamp_probs(self.probs)
        self._lims = lims
        super().__init__(self._param.size(), validate_args=validate_args)

    @lazy_property
    def probs(self) -> Tensor:
        """p, kept from 0 and 1."""
        return clamp_probs(logits_to_probs(self.logits, is_binary=True))

    def _is_stable(self, x: Tensor, offset: float = 0.0) -> Tensor:
        return (x <= self._lims[0] - offset) | (x > self._lims[1] - offset)

    def _outside_unstable_region(self) -> Tensor:
        return self._is_stable(self.probs)

    def _cut_probs(self) -> Tensor:
        """Probabilities for which the closed formulas are stable; the others stand at the limit."""
        return autograd.where(self._outside_unstable_region(), self.probs, self._lims[0])

    def _closed_or_series(self, closed: Tensor, series: Tensor) -> Tensor:
        return autograd.where(self._outside_unstable_region(), closed, series)

    def _cont_bern_log_norm(self) -> Tensor:
        """``ln C(p)``."""
        p = self._cut_probs()
        low = p <= 0.5
        # Each branch is finite where the other is chosen, for its gradient.
        below, above = autograd.where(low, p, 0.0), autograd.where(p >= 0.5, p, 1.0)
        distance = autograd.where(low, autograd.log1p(-2.0 * below), autograd.log(2.0 * above - 1.0))
        closed = autograd.log(autograd.abs(autograd.log1p(-p) - autograd.log(p))) - distance
        x = (self.probs - 0.5) ** 2
        return self._closed_or_series(closed, math.log(2.0) + (4.0 / 3.0 + 104.0 / 45.0 * x) * x)

    @property
    def mean(self) -> Tensor:
        p = self._cut_probs()
        closed = p / (2.0 * p - 1.0) + 1.0 / (autograd.log1p(-p) - autograd.log(p))
        x = self.probs - 0.5
        return self._closed_or_series(closed, 0.5 + (1.0 / 3.0 + 16.0 / 45.0 * x**2) * x)

    @property
    def variance(self) -> Tensor:
        p = self._cut_probs()
        closed = p * (p - 1.0) / (1.0 - 2.0 * p) ** 2 + 1.0 / (autograd.log1p(-p) - autograd.log(p)) ** 2
        x = (self.probs - 0.5) ** 2
        return self._closed_or_series(closed, 1.0 / 12.0 - (1.0 / 15.0 - 128.0 / 945.0 * x) * x)

    def sample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        with autograd.no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        return self.icdf(uniform(self._extended_shape(sample_shape), self.probs))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        return self._cont_bern_log_norm() - binary_cross_entropy_with_logits(logits, value, reduction="none")

    def cdf(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        p = self._cut_probs()
        closed = (p**value * (1.0 - p) ** (1.0 - value) + p - 1.0) / (2.0 * p - 1.0)
        inside = self._closed_or_series(closed, value)
        return autograd.where(value <= 0.0, 0.0, autograd.where(value >= 1.0, 1.0, inside))

    def icdf(self, value: Tensor) -> Tensor:
        p = self._cut_probs()
        miss = autograd.log1p(-p)
        closed = (autograd.log1p(-p + value * (2.0 * p - 1.0)) - miss) / (autograd.log(p) - miss)
        return self._closed_or_series(closed, value)

    def entropy(self) -> Tensor:
        miss = autograd.log1p(-self.probs)
        return self.mean * (miss - autograd.log(self.probs)) - self._cont_bern_log_norm() - miss

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return (self.logits,)

    def _log_normalizer(self, x: Tensor) -> Tensor:  # type: ignore[override]  # one per parameter
        stable = self._is_stable(x, 0.5)
        safe = autograd.where(stable, x, self._lims[0] - 0.5)
        closed = autograd.log(autograd.abs(autograd.expm1(safe))) - autograd.log(autograd.abs(safe))
        return autograd.where(stable, closed, 0.5 * x + x**2 / 24.0 - x**4 / 2880.0)
