"""Mixtures of distributions of one kind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import autograd

from ..dtypes import Size
from ..tensor import Tensor
from . import constraints
from .categorical import Categorical
from .distribution import Distribution

__all__ = ["MixtureSameFamily"]


class MixtureSameFamily(Distribution):
    """Values of one of K distributions, chosen at random.

    Args:
        mixture_distribution: a `Categorical` of K categories.
        component_distribution: a batch of distributions whose last batch axis has length K.

    Raises:
        ValueError: something else, or batches that do not fit.

    >>> import autograd
    >>> from autograd.distributions import Categorical, Normal
    >>> MixtureSameFamily(Categorical(autograd.ones(2)), Normal(autograd.tensor([-1.0, 3.0]), 1.0)).mean
    tensor(1.)
    """

    arg_constraints: Any = {}
    has_rsample = False

    def __init__(
        self, mixture_distribution: Categorical, component_distribution: Distribution, validate_args: bool | None = None
    ) -> None:
        if not isinstance(mixture_distribution, Categorical):
            raise ValueError(f"the mixture distribution must be a Categorical, but got {mixture_distribution!r}")
        if not isinstance(component_distribution, Distribution):
            raise ValueError(f"the component distribution must be a Distribution, but got {component_distribution!r}")
        mixed, batch = mixture_distribution.batch_shape, component_distribution.batch_shape[:-1]
        for ours, theirs in zip(reversed(mixed), reversed(batch), strict=False):
            if ours != theirs and 1 not in (ours, theirs):
                raise ValueError(
                    f"`mixture_distribution.batch_shape` ({mixed}) is not compatible with "
                    f"`component_distribution.batch_shape` ({batch}) without its last axis"
                )
        count, components = mixture_distribution.logits.shape[-1], component_distribution.batch_shape[-1:]
        if components and count != components[0]:
            raise ValueError(
                f"`mixture_distribution` has {count} components, but `component_distribution.batch_shape[-1]` is "
                f"{components[0]}"
            )
        self._mixture_distribution, self._component_distribution = mixture_distribution, component_distribution
        self._num_component = count
        event_shape = component_distribution.event_shape
        self._event_ndims = len(event_shape)
        super().__init__(batch, event_shape, validate_args=validate_args)

    def _expanded_part(self, name: str, value: Any, batch_shape: Size) -> Any:
        if name == "_component_distribution":
            batch_shape = Size((*batch_shape, self._num_component))
        return super()._expanded_part(name, value, batch_shape)

    @constraints.dependent_property
    def support(self):
        return constraints.MixtureSameFamilyConstraint(self._component_distribution.support)

    @property
    def mixture_distribution(self) -> Categorical:
        """Which component is chosen."""
        return self._mixture_distribution

    @property
    def component_distribution(self) -> Any:
        """The components, along the last axis of its batch."""
        return self._component_distribution

    def _weights(self) -> Tensor:
        """Probabilities of the components, in the shape of their means."""
        probs = self.mixture_distribution.probs
        return probs.reshape(probs.shape + (1,) * self._event_ndims)

    def _averaged(self, values: Tensor) -> Tensor:
        return (self._weights() * values).sum(-1 - self._event_ndims)

    @property
    def mean(self) -> Tensor:
        return self._averaged(self.component_distribution.mean)

    @property
    def variance(self) -> Tensor:
        # What the components vary, and what their means do.
        apart = self.component_distribution.mean - self.mean.unsqueeze(-1 - self._event_ndims)
        return self._averaged(self.component_distribution.variance) + self._averaged(apart.pow(2.0))

    def sample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        with autograd.no_grad():
            chosen = self.mixture_distribution.sample(sample_shape)
            values = self.component_distribution.sample(sample_shape)
            axis = values.dim() - self._event_ndims - 1
            chosen = chosen.reshape(tuple(chosen.shape) + (1,) * (self._event_ndims + 1))
            chosen = chosen.expand((*values.shape[:axis], 1, *values.shape[axis + 1 :]))
            return values.gather(axis, chosen).squeeze(axis)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        of_components = self.component_distribution.log_prob(self._for_components(value))
        return autograd.logsumexp(
            of_components + autograd.log_softmax(self.mixture_distribution.logits, dim=-1), dim=-1
        )

    def cdf(self, value: Tensor) -> Tensor:
        of_components = self.component_distribution.cdf(self._for_components(value))
        return (of_components * self.mixture_distribution.probs).sum(-1)

    def _for_components(self, value: Tensor) -> Tensor:
        return value.unsqueeze(-1 - self._event_ndims)

    def __repr__(self) -> str:
        parts = f"{self.mixture_distribution},\n  {self.component_distribution}"
        return f"MixtureSameFamily(\n  {parts})"
