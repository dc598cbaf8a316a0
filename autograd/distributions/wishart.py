"""Random covariance matrices."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import autograd

from ..dtypes import Size
from ..tensor import Tensor
from . import constraints
from .chi2 import Chi2
from .exp_family import ExponentialFamily
from .scale_matrix import ScaleMatrix, given_matrix, log_det, lower_factor
from .utils import Number, vec_to_tril_matrix

__all__ = ["Wishart"]


class Wishart(ScaleMatrix, ExponentialFamily):
    """Sums of ``x x^T`` over ``df`` normal vectors x of mean 0: matrices that are positive definite.

    Args:
        df: degrees of freedom, above n - 1, not necessarily whole.
        covariance_matrix: (..., n, n), of x; positive definite.
        precision_matrix: or its inverse.
        scale_tril: or its lower triangular Cholesky factor.

    Raises:
        ValueError: not exactly one of the matrices, one that is not positive definite, or ``df`` is too small.

    >>> import autograd
    >>> Wishart(autograd.tensor(3.0), autograd.eye(2)).mean
    tensor([[3., 0.],
            [0., 3.]])
    """

    support: Any = constraints.positive_definite
    has_rsample = True
    _mean_carrier_measure = 0

    def __init__(
        self,
        df: Any,
        covariance_matrix: Tensor | None = None,
        precision_matrix: Tensor | None = None,
        scale_tril: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        name, matrix = given_matrix((covariance_matrix, precision_matrix, scale_tril))
        if isinstance(df, Number):
            df = autograd.as_tensor(df, dtype=matrix.dtype)
        batch_shape = autograd.broadcast_shapes(df.shape, matrix.shape[:-2])
        n = matrix.shape[-1]
        if df.le(n - 1).any():
            raise ValueError(f"Value of df={df} expected to be greater than ndim - 1 = {n - 1}.")
        self.df = df.expand(batch_shape)
        setattr(self, name, matrix.expand((*batch_shape, -1, -1)))
        super().__init__(batch_shape, matrix.shape[-2:], validate_args=validate_args)
        if self.df.lt(n).any():
            warnings.warn(
                "Low df values detected. Singular samples are highly likely to occur for ndim - 1 < df < ndim.",
                stacklevel=2,
            )
        self._unbroadcasted_scale_tril = lower_factor(name, matrix)

    @property
    def arg_constraints(self) -> Any:
        return {
            "covariance_matrix": constraints.positive_definite,
            "precision_matrix": constraints.positive_definite,
            "scale_tril": constraints.lower_cholesky,
            "df": constraints.greater_than(self._event_shape[-1] - 1),
        }

    @property
    def mean(self) -> Tensor:
        return self.df[..., None, None] * self.covariance_matrix

    @property
    def mode(self) -> Tensor:
        factor = self.df - self.covariance_matrix.shape[-1] - 1
        factor = autograd.where(factor <= 0, math.nan, factor)
        return factor[..., None, None] * self.covariance_matrix

    @property
    def variance(self) -> Tensor:
        covariance = self.covariance_matrix
        diagonal = covariance.diagonal(dim1=-2, dim2=-1)
        return self.df[..., None, None] * (covariance.pow(2) + diagonal.unsqueeze(-1) * diagonal.unsqueeze(-2))

    def _bartlett_sampling(self, sample_shape: Sequence[int]) -> Tensor:
        """``L A A^T L^T`` with chi numbers on A's diagonal and normal ones below it."""
        n = self._event_shape[-1]
        degrees = self.df.unsqueeze(-1) - autograd.arange(n, dtype=self.df.dtype)
        tiny = autograd.finfo(degrees.dtype).eps
        diagonal = Chi2(degrees).rsample(sample_shape).sqrt().clamp(min=tiny)
        below = autograd.randn((*sample_shape, *self._batch_shape, n * (n - 1) // 2), dtype=diagonal.dtype)
        noise = diagonal.diag_embed() + vec_to_tril_matrix(below, diag=-1)
        factor = self._unbroadcasted_scale_tril @ noise
        return factor @ factor.mT

    def rsample(self, sample_shape: Sequence[int] = Size(), max_try_correction: int = 10) -> Tensor:
        """Matrices by Bartlett's decomposition; those that are singular to rounding are drawn again.

        Args:
            sample_shape: before the batch.
            max_try_correction: how often at most.
        """
        # PyTorch draws all regular matrices a second time: so that a seed gives the same ones.
        with autograd.no_grad():
            self._bartlett_sampling(sample_shape)
        sample = self._bartlett_sampling(sample_shape)
        for _ in range(max_try_correction):
            singular = ~self.support.check(sample)
            if not singular.any():
                break
            warnings.warn("Singular sample detected.", stacklevel=2)
            sample = autograd.where(singular[..., None, None], self._bartlett_sampling(sample_shape), sample)
        return sample

    def _halves(self) -> tuple[int, Tensor]:
        return self._event_shape[-1], self.df / 2

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        n, half = self._halves()
        lower = self._unbroadcasted_scale_tril
        trace = autograd.cholesky_solve(value, lower).diagonal(dim1=-2, dim2=-1).sum(-1)
        normalizer = self.df * (n * math.log(2) / 2 + log_det(lower)) + autograd.mvlgamma(half, n)
        log_value = autograd.linalg.slogdet(value).logabsdet
        return (self.df - n - 1) / 2 * log_value - trace / 2 - normalizer

    def entropy(self) -> Tensor:
        n, half = self._halves()
        spread = (n + 1) * (n * math.log(2) / 2 + log_det(self._unbroadcasted_scale_tril))
        rise = autograd.digamma(half.unsqueeze(-1) - 0.5 * autograd.arange(n, dtype=half.dtype)).sum(-1)
        return spread + autograd.mvlgamma(half, n) - (self.df - n - 1) / 2 * rise + self.df * n / 2

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return (-self.precision_matrix / 2, (self.df - self._event_shape[-1] - 1) / 2)

    def _log_normalizer(self, x: Tensor, y: Tensor) -> Tensor:  # type: ignore[override]  # one per parameter
        n = self._event_shape[-1]
        half = y + (n + 1) / 2
        return half * (n * math.log(2) - autograd.linalg.slogdet(-2 * x).logabsdet) + autograd.mvlgamma(half, n)
