"""What all normal vectors have, however their covariance matrix is given."""

from __future__ import annotations

import math
from typing import Any

from ..tensor import Tensor
from . import constraints
from .symmetric import Symmetric

__all__ = ["NormalVector"]


class NormalVector(Symmetric):
    """Vectors of density ``exp(-(x - loc)^T C^-1 (x - loc) / 2) / sqrt(det(2 pi C))``.

    A subclass gives ``_log_det`` and ``_squared_distance`` of C, and any matrix S with ``S S^T = C``.
    """

    support: Any = constraints.real_vector
    has_rsample = True

    def _covariance_factor(self) -> Tensor:
        """S."""
        raise NotImplementedError

    def _log_det(self) -> Tensor:
        """``ln det C``."""
        raise NotImplementedError

    def _squared_distance(self, x: Tensor) -> Tensor:
        """``x^T C^-1 x``."""
        raise NotImplementedError

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        distance = self._squared_distance(value - self.loc)
        return -0.5 * (self._event_shape[0] * math.log(2 * math.pi) + self._log_det() + distance)

    def entropy(self) -> Tensor:
        entropy = 0.5 * (self._event_shape[0] * (1.0 + math.log(2 * math.pi)) + self._log_det())
        return entropy.expand(self._batch_shape)
