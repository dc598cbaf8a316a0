"""What relaxed discrete distributions, which are transformed ones, ask their base distributions for."""

from __future__ import annotations

from typing import Any

from ..tensor import Tensor
from .transformed_distribution import TransformedDistribution

__all__ = ["Relaxed"]


class Relaxed(TransformedDistribution):
    """Parameters of the base distribution."""

    has_rsample: Any = True

    @property
    def temperature(self) -> Tensor:
        """Near 0 samples are nearly discrete."""
        return self.base_dist.temperature

    @property
    def logits(self) -> Tensor:
        """Log-odds, or logarithms of probabilities."""
        return self.base_dist.logits

    @property
    def probs(self) -> Tensor:
        """Probabilities."""
        return self.base_dist.probs
