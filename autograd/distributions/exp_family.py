"""Distributions of the exponential family, whose entropy follows from their log-normalizer."""

from __future__ import annotations

from typing import Any

import autograd

from ..tensor import Tensor
from .distribution import Distribution
from .utils import sum_rightmost

__all__ = ["ExponentialFamily"]


class ExponentialFamily(Distribution):
    """Densities ``exp(<t(x), theta> - F(theta) + k(x))`` with natural parameters theta and log-normalizer F.

    A subclass gives ``_natural_params``, ``_log_normalizer`` and ``_mean_carrier_measure`` (the mean of k).
    """

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        raise NotImplementedError

    def _log_normalizer(self, *natural_params: Tensor) -> Tensor:
        raise NotImplementedError

    _mean_carrier_measure: Any = property(lambda self: self._no_carrier_measure())

    def _no_carrier_measure(self) -> Any:
        raise NotImplementedError(f"{type(self).__name__} does not give the mean of its carrier measure")

    def _normalizer_and_gradients(self) -> tuple[list[Tensor], Tensor, tuple[Any, ...]]:
        """The natural parameters as leaves, F there, and its gradients, which are the means of t(x)."""
        parameters = [parameter.detach().requires_grad_() for parameter in self._natural_params]
        with autograd.enable_grad():
            normalizer = self._log_normalizer(*parameters)
            gradients = autograd.grad(normalizer.sum(), parameters, create_graph=True)
        return parameters, normalizer, gradients

    def entropy(self) -> Tensor:
        """``F(theta) - <theta, grad F(theta)> - E[k(x)]`` (a Bregman divergence), by one backward pass."""
        offset = -self._mean_carrier_measure
        parameters, normalizer, gradients = self._normalizer_and_gradients()
        result = offset + normalizer
        for parameter, gradient in zip(parameters, gradients, strict=True):
            product = parameter * gradient
            result = result - sum_rightmost(product, product.dim() - len(self._batch_shape))
        return result
