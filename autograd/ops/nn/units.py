"""Units of the first neural networks, which have no useful derivative, and maxout, which learns its own activation."""

from __future__ import annotations

from ...rows.public import function
from ...rows.table import _, pointwise
from ...tensor import Tensor, check_dim
from ..convert import check_tensor

__all__ = ["maxout", "sign", "sign_unit", "step", "step_unit"]


@pointwise(latex=r"x > 0 \; ? \; 1 : x = 0 \; ? \; c : 0", kinks=(0,), home="", node_name="Step", accepts="floats")
def step_unit(x, at_zero=0.5, slope=0.0):
    return _.where(x > 0, 1.0, _.where(x < 0, 0.0, at_zero + 0 * x))


@step_unit.gradient("x")
def _(g, slope):
    return g * slope


@pointwise(latex=r"\operatorname{sign} x", kinks=(0,), home="", node_name="Sign", accepts="floats")
def sign_unit(x, slope=0.0):
    return _.sign(x)


@sign_unit.gradient("x")
def _(g, slope):
    return g * slope


@function(torch=False, functional=True, method=False)
def step(input: Tensor, at_zero: float = 0.5, straight_through: bool = False) -> Tensor:
    """1 above zero, 0 below it, and ``at_zero`` there: the perceptron's unit.

    Its derivative is 0 wherever there is one, so that nothing below it learns by gradients; that is what is passed
    on. With ``straight_through`` the gradient passes as if the unit were the identity: Bengio, Leonard and Courville,
    "Estimating or Propagating Gradients Through Stochastic Neurons for Conditional Computation" (2013).

    >>> import autograd
    >>> autograd.nn.functional.step(autograd.tensor([-2.0, 0.0, 3.0]))
    tensor([0.0000, 0.5000, 1.0000])
    """
    check_tensor("step", "input", input)
    return step_unit(input, float(at_zero), float(straight_through))


@function(torch=False, functional=True, method=False)
def sign(input: Tensor, straight_through: bool = False) -> Tensor:
    """1 above zero, -1 below it, 0 there; the gradient is 0, or passes unchanged with ``straight_through`` (`step`).

    >>> import autograd
    >>> autograd.nn.functional.sign(autograd.tensor([-2.0, 0.0, 3.0]))
    tensor([-1.,  0.,  1.])
    """
    check_tensor("sign", "input", input)
    return sign_unit(input, float(straight_through))


@function(torch=False, functional=True, method=False)
def maxout(input: Tensor, pieces: int, dim: int = -1) -> Tensor:
    """The largest of each ``pieces`` neighbors along ``dim``: Goodfellow et al., "Maxout Networks" (2013).

    Of linear functions it is a convex piecewise linear one; with the two pieces ``x`` and ``0`` it is `relu`.

    Args:
        input: (..., pieces * n, ...).
        pieces: how many stand side by side.
        dim: where.

    Returns:
        (..., n, ...).

    Raises:
        RuntimeError: the size along ``dim`` is no multiple of ``pieces``.

    >>> import autograd
    >>> autograd.nn.functional.maxout(autograd.tensor([1.0, -1.0, 2.0, 5.0]), 2)
    tensor([1., 5.])
    """
    shape = check_tensor("maxout", "input", input)._array.shape
    dim = check_dim("maxout", dim, len(shape))
    if pieces < 1 or not shape or shape[dim] % pieces:
        raise RuntimeError(f"maxout: shape {list(shape)} cannot be cut into groups of pieces={pieces} along dim {dim}")
    return input.unflatten(dim, (shape[dim] // pieces, pieces)).amax(dim + 1)
