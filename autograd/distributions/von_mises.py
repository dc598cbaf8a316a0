"""Angles around a direction."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import autograd

from ..dtypes import Size
from ..tensor import Tensor
from . import constraints
from .symmetric import Symmetric
from .utils import broadcast_all, lazy_property

__all__ = ["VonMises"]


class VonMises(Symmetric):
    """Angles x of density proportional to ``exp(concentration cos(x - loc))``.

    Args:
        loc: an angle in radians.
        concentration: positive.

    Raises:
        ValueError: ``concentration`` is not positive.

    >>> import autograd
    >>> VonMises(autograd.tensor([1.0]), autograd.tensor([4.0])).mean
    tensor([1.])
    """

    arg_constraints: Any = {"loc": constraints.real, "concentration": constraints.positive}
    support: Any = constraints.real
    has_rsample = False

    def __init__(self, loc: Any, concentration: Any, validate_args: bool | None = None) -> None:
        self.loc, self.concentration = broadcast_all(loc, concentration)
        super().__init__(self.loc.shape, validate_args=validate_args)

    @lazy_property
    def variance(self) -> Tensor:
        """The circular variance, ``1 - I1(concentration) / I0(concentration)``."""
        return 1 - autograd.special.i1e(self.concentration) / autograd.special.i0e(self.concentration)

    def sample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        """By rejection (Best and Fisher, 1979), in float64."""
        shape = self._extended_shape(sample_shape)
        with autograd.no_grad():
            loc, k = self.loc.double(), self.concentration.double()
            r = _proposal(k)
            angles, found = autograd.empty(shape, dtype=loc.dtype), autograd.zeros(shape, dtype=autograd.bool)
            while not found.all():
                u1, u2, u3 = autograd.rand((3, *shape), dtype=loc.dtype).unbind()
                z = autograd.cos(math.pi * u1)
                f = (1 + r * z) / (r + z)
                c = k * (r - f)
                accepted = (c * (2 - c) - u2 > 0) | ((c / u2).log() + 1 - c >= 0)
                angles = autograd.where(accepted, (u3 - 0.5).sign() * f.acos(), angles)
                found = found | accepted
            return ((angles + math.pi + loc) % (2 * math.pi) - math.pi).to(self.loc.dtype)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        # ln I0 = ln(i0e) + concentration: I0 itself overflows.
        excess = self.concentration * (autograd.cos(value - self.loc) - 1)
        return excess - math.log(2 * math.pi) - autograd.special.i0e(self.concentration).log()


def _proposal(k: Tensor) -> Tensor:
    """The parameter of the wrapped Cauchy distribution whose numbers are accepted most often."""
    tau = 1 + (1 + 4 * k**2).sqrt()
    rho = (tau - (2 * tau).sqrt()) / (2 * k)
    # Where k is so small that the difference cancels, a series.
    return autograd.where(k < 1e-5, 1 / k + k, (1 + rho**2) / (2 * rho))
