"""Gamma and Dirichlet numbers that are differentiable in their parameters (implicit reparameterization).

The formulas are in `autograd/kernels/gamma.py`. PyTorch takes the same derivatives from approximations.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..kernels.halves import finfo
from ..rows.dispatch import apply, broadcast_shape
from ..rows.public import function
from ..rows.table import Array, _, coarse
from ..rows.writes import type_name
from ..tensor import Tensor
from .convert import check_tensor
from .random import Generator, stream_of

__all__: list[str] = []


def _floats(operator: str, name: str, x: Any) -> np.ndarray:
    array = check_tensor(operator, name, x)._array
    if array.dtype not in (np.float32, np.float64):
        raise NotImplementedError(f"\"{operator}\" not implemented for '{type_name(array.dtype)}'; use .float()")
    return array


# --- Numbers that were drawn, as functions of their parameters -------------------------------------------------------


@coarse(latex=r"\gamma \sim \Gamma(x, 1)", home="", node_name="StandardGamma", complex=False)
def gamma_drawn(x: Array, values):
    return values


@gamma_drawn.gradient("x")
def _(g, x, out):
    return g * _.gamma_gradient(x, out)


@coarse(latex=r"d \sim \operatorname{Dirichlet}(x)", home="", node_name="SampleDirichlet", complex=False)
def dirichlet_drawn(x: Array, values):
    return values


@dirichlet_drawn.gradient("x")
def _(g, x, out):
    # One component moves, and all others give way in proportion.
    common = _.sum(out * g, -1, True)
    return (g - common) * _.beta_gradient(out, x, _.sum(x, -1, True) + 0 * x)


# --- How they move with their parameters -----------------------------------------------------------------------------


def _in_double(kernel: str, *arrays: np.ndarray) -> np.ndarray:
    from ..kernels import gamma

    return getattr(gamma, kernel)(*(array.astype(np.float64) for array in arrays)).astype(arrays[0].dtype)


def _no_derivative(operator: str) -> Any:
    raise NotImplementedError(f"the derivative for '{operator}' is not implemented.")


@coarse(latex=r"\partial \gamma / \partial x", home="", node_name="StandardGammaGrad", complex=False)
def gamma_gradient(x: Array, value: Array):
    return _in_double("gamma_gradient", x, value)


@coarse(latex=r"\partial d / \partial x / (1 - d)", home="", node_name="DirichletGrad", complex=False)
def beta_gradient(value: Array, x: Array, total: Array):
    return _in_double("beta_gradient", value, x, total)


@gamma_gradient.gradient("x")
def _(g):
    _no_derivative("_standard_gamma_grad")


@gamma_gradient.gradient("value")
def _(g):
    _no_derivative("_standard_gamma_grad")


@beta_gradient.gradient("value")
def _(g):
    _no_derivative("_dirichlet_grad")


@beta_gradient.gradient("x")
def _(g):
    _no_derivative("_dirichlet_grad")


@beta_gradient.gradient("total")
def _(g):
    _no_derivative("_dirichlet_grad")


# --- Functions -------------------------------------------------------------------------------------------------------


@function(method=False)
def _standard_gamma(input: Tensor, generator: Generator | None = None) -> Tensor:
    """Gamma numbers of rate 1, one for each shape in ``input``, differentiable in it (once).

    Raises:
        NotImplementedError: neither float32 nor float64; a second backward pass.

    >>> import autograd
    >>> generator = autograd.Generator().manual_seed(0)
    >>> autograd._standard_gamma(autograd.ones(2), generator=generator).shape
    torch.Size([2])
    """
    shapes = _floats("_standard_gamma", "input", input)
    drawn = stream_of("_standard_gamma", generator).gamma(shapes).astype(shapes.dtype)
    return apply(gamma_drawn, (input, np.maximum(drawn, finfo(shapes.dtype).tiny)), {})


@function(method=False)
def _standard_gamma_grad(input: Tensor, output: Tensor) -> Tensor:
    """How gamma numbers ``output`` move with their shapes ``input``.

    >>> import autograd
    >>> autograd._standard_gamma_grad(autograd.tensor([1.0]), autograd.tensor([1.0]))
    tensor([1.1736])
    """
    arrays = [_floats("_standard_gamma_grad", name, x) for name, x in (("input", input), ("output", output))]
    return apply(gamma_gradient, _one_shape(gamma_gradient, arrays, (input, output)), {})


@function(method=False)
def _sample_dirichlet(input: Tensor, generator: Generator | None = None) -> Tensor:
    """Dirichlet numbers of the concentrations in the last axis of ``input``, differentiable in them (once).

    Raises:
        NotImplementedError: neither float32 nor float64; a second backward pass.

    >>> import autograd
    >>> autograd._sample_dirichlet(autograd.ones(2, 3)).sum(-1).round(decimals=4)
    tensor([1., 1.])
    """
    shapes = _floats("_sample_dirichlet", "input", input)
    gammas = stream_of("_sample_dirichlet", generator).gamma(shapes.astype(np.float64))
    limits = finfo(shapes.dtype)
    with np.errstate(invalid="ignore"):
        shares = (gammas / gammas.sum(-1, keepdims=True)).astype(shapes.dtype)
    values = np.clip(shares, limits.tiny, math.nextafter(1.0, 0.0) if shapes.dtype == np.float64 else 1 - limits.epsneg)
    return apply(dirichlet_drawn, (input, values.astype(shapes.dtype)), {})


@function(method=False)
def _dirichlet_grad(x: Tensor, alpha: Tensor, total: Tensor) -> Tensor:
    """How components ``x`` of Dirichlet numbers move with their own concentrations ``alpha``, divided by ``1 - x``.

    >>> import autograd
    >>> autograd._dirichlet_grad(autograd.tensor([0.5]), autograd.tensor([1.0]), autograd.tensor([2.0]))
    tensor([0.6931])
    """
    operands = (("x", x), ("alpha", alpha), ("total", total))
    arrays = [_floats("_dirichlet_grad", name, operand) for name, operand in operands]
    return apply(beta_gradient, _one_shape(beta_gradient, arrays, (x, alpha, total)), {})


def _one_shape(row: Any, arrays: list[np.ndarray], tensors: tuple[Tensor, ...]) -> list[Tensor]:
    shape = broadcast_shape(row, arrays)
    return [
        tensor if array.shape == shape else tensor.expand(shape) for array, tensor in zip(arrays, tensors, strict=True)
    ]
