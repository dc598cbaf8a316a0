"""Normal vectors that vary in few directions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import autograd

from ..dtypes import Size
from ..tensor import Tensor
from . import constraints
from .normal_vector import NormalVector
from .scale_matrix import log_det, solve_lower, squared_distance
from .utils import lazy_property, standard_normal

__all__ = ["LowRankMultivariateNormal"]


class LowRankMultivariateNormal(NormalVector):
    """Normal vectors with the covariance matrix ``W W^T + diag(d)``.

    All is computed with the (m, m) matrix ``I + W^T diag(d)^-1 W`` (Woodbury's identity, the determinant lemma).

    Args:
        loc: (..., n), the mean.
        cov_factor: (..., n, m), W.
        cov_diag: (..., n), d; positive.

    Raises:
        ValueError: shapes that do not fit, or d is not positive.

    >>> import autograd
    >>> LowRankMultivariateNormal(autograd.zeros(2), autograd.ones(2, 1), autograd.ones(2)).covariance_matrix
    tensor([[2., 1.],
            [1., 2.]])
    """

    arg_constraints: Any = {
        "loc": constraints.real_vector,
        "cov_factor": constraints.independent(constraints.real, 2),
        "cov_diag": constraints.independent(constraints.positive, 1),
    }

    def __init__(self, loc: Tensor, cov_factor: Tensor, cov_diag: Tensor, validate_args: bool | None = None) -> None:
        if loc.dim() < 1:
            raise ValueError("loc must be at least one-dimensional.")
        event_shape = loc.shape[-1:]
        if cov_factor.dim() < 2:
            raise ValueError("cov_factor must be at least two-dimensional, with optional leading batch dimensions")
        if cov_factor.shape[-2:-1] != event_shape:
            raise ValueError(
                f"cov_factor must be a batch of matrices with shape {event_shape[0]} x m, but got {cov_factor.shape}"
            )
        if cov_diag.shape[-1:] != event_shape:
            raise ValueError(f"cov_diag must be a batch of vectors with shape {event_shape}, but got {cov_diag.shape}")
        batch_shape = autograd.broadcast_shapes(loc.shape[:-1], cov_factor.shape[:-2], cov_diag.shape[:-1])
        self.loc = loc.expand((*batch_shape, -1))
        self.cov_factor = cov_factor.expand((*batch_shape, -1, -1))
        self.cov_diag = cov_diag.expand((*batch_shape, -1))
        super().__init__(batch_shape, event_shape, validate_args=validate_args)
        self._unbroadcasted_cov_factor, self._unbroadcasted_cov_diag = cov_factor, cov_diag
        inner = self._whitened_factor @ cov_factor
        self._capacitance_tril = autograd.linalg.cholesky(inner + autograd.eye(inner.shape[-1], dtype=inner.dtype))

    @property
    def _whitened_factor(self) -> Tensor:
        """``W^T diag(d)^-1``."""
        return self._unbroadcasted_cov_factor.mT / self._unbroadcasted_cov_diag.unsqueeze(-2)

    @lazy_property
    def variance(self) -> Tensor:
        """The diagonal of the covariance matrix."""
        variance = self._unbroadcasted_cov_factor.pow(2).sum(-1) + self._unbroadcasted_cov_diag
        return variance.expand(self._extended_shape())

    @lazy_property
    def scale_tril(self) -> Tensor:
        """The lower triangular L with ``L L^T`` the covariance matrix."""
        root = self._unbroadcasted_cov_diag.sqrt().unsqueeze(-1)
        scaled = self._unbroadcasted_cov_factor / root
        unit = autograd.eye(self._event_shape[0], dtype=scaled.dtype)
        return (root * autograd.linalg.cholesky(scaled @ scaled.mT + unit)).expand((*self._batch_shape, -1, -1))

    @lazy_property
    def covariance_matrix(self) -> Tensor:
        """``W W^T + diag(d)``."""
        factor = self._unbroadcasted_cov_factor
        return (factor @ factor.mT + autograd.diag_embed(self._unbroadcasted_cov_diag)).expand(
            (*self._batch_shape, -1, -1)
        )

    @lazy_property
    def precision_matrix(self) -> Tensor:
        """The inverse of the covariance matrix."""
        removed = solve_lower(self._capacitance_tril, self._whitened_factor)
        inverse = autograd.diag_embed(self._unbroadcasted_cov_diag.reciprocal())
        return (inverse - removed.mT @ removed).expand((*self._batch_shape, -1, -1))

    def rsample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        common = standard_normal((*shape[:-1], self.cov_factor.shape[-1]), self.loc)
        own = standard_normal(shape, self.loc)
        moved = (self._unbroadcasted_cov_factor @ common.unsqueeze(-1)).squeeze(-1)
        return self.loc + moved + self._unbroadcasted_cov_diag.sqrt() * own

    def _covariance_factor(self) -> Tensor:
        return autograd.cat([self.cov_factor, autograd.diag_embed(self.cov_diag.sqrt())], -1)

    def _log_det(self) -> Tensor:
        return 2 * log_det(self._capacitance_tril) + self._unbroadcasted_cov_diag.log().sum(-1)

    def _squared_distance(self, x: Tensor) -> Tensor:
        inner = (self._whitened_factor @ x.unsqueeze(-1)).squeeze(-1)
        own = (x.pow(2) / self._unbroadcasted_cov_diag).sum(-1)
        return own - squared_distance(self._capacitance_tril, inner)
