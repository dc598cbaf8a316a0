"""Distributions with a matrix that says how far they scatter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import autograd

from ..tensor import Tensor
from .distribution import Distribution
from .utils import lazy_property

__all__ = ["ScaleMatrix", "given_matrix", "log_det", "lower_factor", "solve_lower", "squared_distance"]


NAMES = ("covariance_matrix", "precision_matrix", "scale_tril")


def given_matrix(matrices: Sequence[Any]) -> tuple[str, Any]:
    """The one matrix that was given, of the three of `NAMES`, with its name.

    Raises:
        ValueError: none or several of them, or one of fewer than two axes.
    """
    given = [(name, matrix) for name, matrix in zip(NAMES, matrices, strict=True) if matrix is not None]
    if len(given) != 1:
        raise ValueError("Exactly one of covariance_matrix or precision_matrix or scale_tril may be specified.")
    name, matrix = given[0]
    if matrix.dim() < 2:
        raise ValueError(f"{name} must be at least two-dimensional, with optional leading batch dimensions")
    return name, matrix


def lower_factor(name: str, matrix: Tensor) -> Tensor:
    """The lower triangular L with ``L L^T`` the covariance matrix, of one of the matrices of `NAMES`."""
    if name == "scale_tril":
        return matrix
    if name == "covariance_matrix":
        return autograd.linalg.cholesky(matrix)
    # Without inverting P: an upper triangular factor of it is L^-T.
    upper = autograd.linalg.cholesky(autograd.flip(matrix, (-2, -1)))
    return solve_lower(autograd.flip(upper, (-2, -1)).mT, autograd.eye(matrix.shape[-1], dtype=matrix.dtype))


def solve_lower(lower: Tensor, right: Tensor) -> Tensor:
    """``lower^-1 right`` for lower triangular matrices."""
    return autograd.linalg.solve_triangular(lower, right, upper=False)


def log_det(lower: Tensor) -> Tensor:
    """``ln det`` of lower triangular matrices."""
    return lower.diagonal(dim1=-2, dim2=-1).log().sum(-1)


def squared_distance(lower: Tensor, x: Tensor) -> Tensor:
    """``x^T (L L^T)^-1 x`` for factors L (*batch, n, n) and vectors (*more, *batch, n)."""
    batch = x.dim() + 1 - lower.dim()
    if batch <= 0:
        return solve_lower(lower, x.unsqueeze(-1)).pow(2).sum((-2, -1))
    # The axes that L does not have become columns, which one factor solves for together.
    columns = x.reshape((-1, *x.shape[batch:])).movedim(0, -1)
    return solve_lower(lower, columns).pow(2).sum(-2).movedim(-1, 0).reshape(x.shape[:-1])


class ScaleMatrix(Distribution):
    """One of a covariance matrix, its inverse and its Cholesky factor is given, and the others follow.

    ``_unbroadcasted_scale_tril`` is the factor, of the batch of the matrix that was given.
    """

    _unbroadcasted_scale_tril: Tensor

    @lazy_property
    def scale_tril(self) -> Tensor:
        """The lower triangular L with ``L L^T`` the covariance matrix."""
        return self._unbroadcasted_scale_tril.expand((*self._batch_shape, -1, -1))

    @lazy_property
    def covariance_matrix(self) -> Tensor:
        """``L L^T``."""
        return (self._unbroadcasted_scale_tril @ self._unbroadcasted_scale_tril.mT).expand((*self._batch_shape, -1, -1))

    @lazy_property
    def precision_matrix(self) -> Tensor:
        """The inverse of the covariance matrix."""
        return autograd.cholesky_inverse(self._unbroadcasted_scale_tril).expand((*self._batch_shape, -1, -1))
