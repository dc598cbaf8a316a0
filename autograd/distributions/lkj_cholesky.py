"""Random correlation matrices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import autograd

from ..dtypes import Size
from ..tensor import Tensor
from . import constraints
from .beta import Beta
from .distribution import Distribution
from .utils import broadcast_all

__all__ = ["LKJCholesky"]


class LKJCholesky(Distribution):
    """Lower Cholesky factors L of correlation matrices, of density proportional to ``det(L L^T)^(concentration - 1)``.

    Lewandowski, Kurowicka and Joe, "Generating random correlation matrices based on vines and extended onion method"
    (2009).

    Args:
        dim: number of variables, at least 2.
        concentration: positive; 1 makes all correlation matrices alike, more favors weak correlations.

    Raises:
        ValueError: a smaller ``dim``, or ``concentration`` is not positive.

    >>> import autograd
    >>> LKJCholesky(3, 0.5).sample().shape
    torch.Size([3, 3])
    """

    arg_constraints: Any = {"concentration": constraints.positive}
    support: Any = constraints.corr_cholesky

    def __init__(self, dim: int, concentration: Any = 1.0, validate_args: bool | None = None) -> None:
        if dim < 2:
            raise ValueError(f"Expected dim to be an integer greater than or equal to 2. Found dim={dim}.")
        self.dim = dim
        (self.concentration,) = broadcast_all(concentration)
        # Squared lengths of the rows left of the diagonal.
        places = autograd.arange(dim - 1, dtype=self.concentration.dtype)
        places = autograd.cat([autograd.zeros(1, dtype=places.dtype), places])
        rest = self.concentration.unsqueeze(-1) + 0.5 * (dim - 2) - 0.5 * places
        self._beta = Beta(places + 0.5, rest)
        super().__init__(self.concentration.size(), Size((dim, dim)), validate_args=validate_args)

    def _expanded_part(self, name: str, value: Any, batch_shape: Size) -> Any:
        return value.expand((*batch_shape, self.dim)) if name == "_beta" else value

    def sample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        """By the onion method: row after row a direction and a length."""
        with autograd.no_grad():
            squares = self._beta.sample(sample_shape).unsqueeze(-1)
            normal = autograd.randn(self._extended_shape(sample_shape), dtype=squares.dtype).tril(-1)
            directions = normal / normal.norm(dim=-1, keepdim=True)
            directions[..., 0, :] = 0.0
            rows = autograd.sqrt(squares) * directions
            tiny = autograd.finfo(rows.dtype).tiny
            diagonal = autograd.clamp(1 - (rows**2).sum(-1), min=tiny).sqrt()
            return rows + autograd.diag_embed(diagonal)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        n = self.dim - 1
        diagonal = value.diagonal(dim1=-1, dim2=-2)[..., 1:]
        # In L the density has a Jacobian, L_ii to the power dim - i.
        order = 2 * (self.concentration - 1).unsqueeze(-1) + self.dim - autograd.arange(2, self.dim + 1)
        alpha = self.concentration + 0.5 * n
        normalizer = autograd.mvlgamma(alpha - 0.5, n) - autograd.lgamma(alpha) * n
        return (order * diagonal.log()).sum(-1) - (0.5 * n * math.log(math.pi) + normalizer)
