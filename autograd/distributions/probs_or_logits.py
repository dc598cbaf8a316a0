"""Distributions that are given by probabilities or by logits: either follows from the other."""

from __future__ import annotations

from typing import Any

from ..dtypes import Size
from ..tensor import Tensor
from . import constraints
from .distribution import Distribution
from .utils import broadcast_all, lazy_property, logits_to_probs, probs_to_logits

__all__ = ["OverCategorical", "ProbsOrLogits", "either_of"]


def either_of(probs: Any, logits: Any) -> tuple[str, Any]:
    """The parameter that was given, with its name.

    Raises:
        ValueError: both or none.
    """
    if (probs is None) == (logits is None):
        raise ValueError("Either `probs` or `logits` must be specified, but not both.")
    return ("probs", probs) if logits is None else ("logits", logits)


class ProbsOrLogits(Distribution):
    """The chance of one event, as a probability or as log-odds."""

    arg_constraints: Any = {"probs": constraints.unit_interval, "logits": constraints.real}

    def _take(self, probs: Any, logits: Any, *others: Any) -> list[Tensor]:
        """Sets the parameter that was given; returns the others, which broadcast with it."""
        name, value = either_of(probs, logits)
        *others, value = broadcast_all(*others, value)  # type: ignore[assignment]
        setattr(self, name, value)
        return others  # type: ignore[return-value]

    @lazy_property
    def logits(self) -> Tensor:
        """Log-odds."""
        return probs_to_logits(self.probs, is_binary=True)

    @lazy_property
    def probs(self) -> Tensor:
        """Probabilities."""
        return logits_to_probs(self.logits, is_binary=True)

    @property
    def _param(self) -> Tensor:
        return self.probs if "probs" in vars(self) else self.logits

    def _new(self, *args: Any, **kwargs: Any) -> Tensor:
        return self._param.new(*args, **kwargs)

    @property
    def param_shape(self) -> Size:
        """Shape of the probabilities."""
        return self._param.size()


class OverCategorical(Distribution):
    """What is made of a categorical distribution: its parameters are that one's."""

    arg_constraints: Any = {"probs": constraints.simplex, "logits": constraints.real_vector}
    _categorical: Any

    @property
    def _param(self) -> Tensor:
        return self._categorical._param

    def _new(self, *args: Any, **kwargs: Any) -> Tensor:
        return self._categorical._new(*args, **kwargs)

    @property
    def logits(self) -> Tensor:
        """Normalized logarithms of the probabilities."""
        return self._categorical.logits

    @property
    def probs(self) -> Tensor:
        """Probabilities that sum to 1."""
        return self._categorical.probs

    @property
    def param_shape(self) -> Size:
        """Shape of the probabilities."""
        return self._categorical.param_shape
