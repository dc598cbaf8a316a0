"""Transforms of vectors and matrices; public in `transforms`."""

from __future__ import annotations

import math

import autograd

from ..dtypes import Size
from ..tensor import Tensor
from . import constraints
from .elementary_transforms import Elementary, inside_unit
from .functions import logsigmoid, pad, softplus
from .transform import Shape, Transform, check_dim
from .utils import tril_matrix_to_vec, vec_to_tril_matrix

__all__ = [
    "CorrCholeskyTransform", "LowerCholeskyTransform", "PositiveDefiniteTransform", "SoftmaxTransform",
    "StickBreakingTransform",
]  # fmt: skip


def _after_one(x: Tensor) -> Tensor:
    """A one before the last axis of ``x``."""
    return pad(x, [1, 0], value=1)


class SoftmaxTransform(Elementary):
    """``y = softmax(x)``, and ``ln y`` back: no bijection, for a constant added to x is lost."""

    domain = constraints.real_vector
    codomain = constraints.simplex

    def _call(self, x: Tensor) -> Tensor:
        probs = (x - x.max(-1, True)[0]).exp()
        return probs / probs.sum(-1, True)

    def _inverse(self, y: Tensor) -> Tensor:
        return y.log()

    def forward_shape(self, shape: Shape) -> Size:
        check_dim("the shape", len(shape), 1)
        return shape  # type: ignore[return-value]

    inverse_shape = forward_shape


class StickBreakingTransform(Elementary):
    """n numbers become n + 1 probabilities: each takes a share, ``sigmoid(x_k - ln(n - k))``, of what is left."""

    domain = constraints.real_vector
    codomain = constraints.simplex
    bijective = True

    def _call(self, x: Tensor) -> Tensor:
        shares = inside_unit(autograd.sigmoid(x - _remaining(x)))
        return pad(shares, [0, 1], value=1) * _after_one((1 - shares).cumprod(-1))

    def _inverse(self, y: Tensor) -> Tensor:
        first = y[..., :-1]
        rest = (1 - first.cumsum(-1)).clamp(min=autograd.finfo(y.dtype).tiny)
        return first.log() - rest.log() + _remaining(first)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        x = x - _remaining(x)
        return (logsigmoid(x) - x + y[..., :-1].log()).sum(-1)

    def forward_shape(self, shape: Shape) -> Size:
        check_dim("the shape", len(shape), 1)
        return Size((*shape[:-1], shape[-1] + 1))

    def inverse_shape(self, shape: Shape) -> Size:
        check_dim("the shape", len(shape), 1)
        return Size((*shape[:-1], shape[-1] - 1))


def _remaining(x: Tensor) -> Tensor:
    """``ln n, ln (n - 1), ... ln 1``: with them x = 0 gives all places the same."""
    return autograd.arange(x.shape[-1], 0, -1, dtype=x.dtype).log()


class LowerCholeskyTransform(Elementary):
    """Square matrices become lower triangular ones, with the exponential of their diagonal."""

    domain = constraints.independent(constraints.real, 2)
    codomain = constraints.lower_cholesky

    def _call(self, x: Tensor) -> Tensor:
        return x.tril(-1) + x.diagonal(dim1=-2, dim2=-1).exp().diag_embed()

    def _inverse(self, y: Tensor) -> Tensor:
        return y.tril(-1) + y.diagonal(dim1=-2, dim2=-1).log().diag_embed()


class PositiveDefiniteTransform(Elementary):
    """Square matrices become positive definite ones, ``L L^T`` with the L of `LowerCholeskyTransform`."""

    domain = constraints.independent(constraints.real, 2)
    codomain = constraints.positive_definite

    def _call(self, x: Tensor) -> Tensor:
        lower = LowerCholeskyTransform()(x)
        return lower @ lower.mT

    def _inverse(self, y: Tensor) -> Tensor:
        return LowerCholeskyTransform().inv(autograd.linalg.cholesky(y))


class CorrCholeskyTransform(Transform):
    """n (n - 1) / 2 numbers become the Cholesky factor of a correlation matrix of n variables.

    Their tanh are partial correlations: in each row an entry takes its part of the length that is left (Lewandowski,
    Kurowicka and Joe, 2009).
    """

    domain = constraints.real_vector
    codomain = constraints.corr_cholesky
    bijective = True

    def _call(self, x: Tensor) -> Tensor:
        eps = autograd.finfo(x.dtype).eps
        partial = vec_to_tril_matrix(autograd.tanh(x).clamp(min=-1 + eps, max=1 - eps), diag=-1)
        left = (1 - partial**2).sqrt().cumprod(-1)
        return (partial + autograd.eye(partial.shape[-1], dtype=x.dtype)) * _after_one(left[..., :-1])

    def _inverse(self, y: Tensor) -> Tensor:
        left = _after_one((1 - autograd.cumsum(y * y, dim=-1))[..., :-1])
        partial = tril_matrix_to_vec(y, diag=-1) / tril_matrix_to_vec(left, diag=-1).sqrt()
        return (partial.log1p() - partial.neg().log1p()) / 2

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor, intermediates: None = None) -> Tensor:
        left = 1 - (y * y).cumsum(dim=-1)
        breaking = 0.5 * tril_matrix_to_vec(left, diag=-2).log().sum(-1)
        return breaking - 2 * (x + softplus(-2 * x) - math.log(2.0)).sum(dim=-1)

    def forward_shape(self, shape: Shape) -> Size:
        check_dim("the shape", len(shape), 1)
        n = round((0.25 + 2 * shape[-1]) ** 0.5 + 0.5)
        if n * (n - 1) // 2 != shape[-1]:
            raise ValueError(f"Input is not a flattened lower-diagonal number: {shape[-1]} is no n (n - 1) / 2")
        return Size((*shape[:-1], n, n))

    def inverse_shape(self, shape: Shape) -> Size:
        check_dim("the shape", len(shape), 2)
        if shape[-2] != shape[-1]:
            raise ValueError(f"Input is not square: {tuple(shape)}")
        return Size((*shape[:-2], shape[-1] * (shape[-1] - 1) // 2))
