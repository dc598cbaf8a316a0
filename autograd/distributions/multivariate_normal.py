"""Normal vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import autograd

from ..dtypes import Size
from ..tensor import Tensor
from . import constraints
from .normal_vector import NormalVector
from .scale_matrix import ScaleMatrix, given_matrix, log_det, lower_factor, squared_distance
from .utils import standard_normal

__all__ = ["MultivariateNormal"]


class MultivariateNormal(NormalVector, ScaleMatrix):
    """Vectors x of density proportional to ``exp(-(x - loc)^T C^-1 (x - loc) / 2)``.

    Args:
        loc: (..., n), the mean.
        covariance_matrix: (..., n, n), C; positive definite.
        precision_matrix: or its inverse.
        scale_tril: or its lower triangular Cholesky factor, the fastest of the three.

    Raises:
        ValueError: not exactly one of the matrices, too few axes, or a matrix that is not positive definite.

    >>> import autograd
    >>> MultivariateNormal(autograd.zeros(2), autograd.eye(2)).log_prob(autograd.zeros(2))
    tensor(-1.8379)
    """

    arg_constraints: Any = {
        "loc": constraints.real_vector,
        "covariance_matrix": constraints.positive_definite,
        "precision_matrix": constraints.positive_definite,
        "scale_tril": constraints.lower_cholesky,
    }

    def __init__(
        self,
        loc: Tensor,
        covariance_matrix: Tensor | None = None,
        precision_matrix: Tensor | None = None,
        scale_tril: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        if loc.dim() < 1:
            raise ValueError("loc must be at least one-dimensional.")
        name, matrix = given_matrix((covariance_matrix, precision_matrix, scale_tril))
        batch_shape = autograd.broadcast_shapes(matrix.shape[:-2], loc.shape[:-1])
        setattr(self, name, matrix.expand((*batch_shape, -1, -1)))
        self.loc = loc.expand((*batch_shape, -1))
        super().__init__(batch_shape, self.loc.shape[-1:], validate_args=validate_args)
        self._unbroadcasted_scale_tril = lower_factor(name, matrix)

    @property
    def variance(self) -> Tensor:
        return self._unbroadcasted_scale_tril.pow(2).sum(-1).expand(self._extended_shape())

    def rsample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        standard = standard_normal(self._extended_shape(sample_shape), self.loc)
        return self.loc + (self._unbroadcasted_scale_tril @ standard.unsqueeze(-1)).squeeze(-1)

    def _covariance_factor(self) -> Tensor:
        return self._unbroadcasted_scale_tril

    def _log_det(self) -> Tensor:
        return 2 * log_det(self._unbroadcasted_scale_tril)

    def _squared_distance(self, x: Tensor) -> Tensor:
        return squared_distance(self._unbroadcasted_scale_tril, x)
