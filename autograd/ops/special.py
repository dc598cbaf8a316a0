"""Special functions (`autograd.special`), element by element: the gamma family, error functions and the normal
distribution, Bessel functions, zeta, orthogonal polynomials.

Most formulas are one call of the function library: their kernels are SciPy's, or recurrences in
`kernels/uncompiled.py`. The derivatives are textbook ones (Abramowitz and Stegun, chapters 6, 7, 9 and 22); functions
whose derivative PyTorch does not have, such as `airy_ai`, have none here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..dtypes import get_default_dtype
from ..kernels import uncompiled
from ..kernels.halves import FLOATING, is_half
from ..rows.dispatch import apply, broadcast_shape
from ..rows.public import NAMESPACES, TORCH, attach_rows, function
from ..rows.table import TABLE, Array, PointwiseRow, _, coarse, pointwise
from ..rows.writes import type_name
from ..tensor import Tensor
from .bitwise import promoted
from .convert import check_tensor
from .shape import expand

# --- The gamma family ----------------------------------------------------------------------------------------------


@pointwise(latex=r"\ln |\Gamma(x)|", domain=(0.2, 4), result="float", inplace=True)
def lgamma(x):
    return _.lgamma(x)


@lgamma.gradient("x")
def _(g, x):
    return g * _.digamma(x)


@pointwise(latex=r"\psi(x) = \Gamma'(x) / \Gamma(x)", domain=(0.2, 4), result="float", inplace=True)
def digamma(x):
    return _.digamma(x)


@digamma.gradient("x")
def _(g, x):
    return g * _.polygamma_of(x, 1)


@pointwise(latex=r"\psi^{(n)}(x)", domain=(0.3, 4), result="float", home="", node_name="Polygamma")
def polygamma_of(x, n=1):
    return _.polygamma_of(x, n)


@polygamma_of.gradient("x")
def _(g, x, n):
    return g * _.polygamma_of(x, n + 1)


@function(method=False)
def polygamma(n: int, input: Tensor) -> Tensor:
    """The ``n``-th derivative of the digamma function; the arguments may change places.

    Raises:
        TypeError: ``n`` is not an int.
        RuntimeError: ``n`` is negative.

    >>> import autograd
    >>> autograd.polygamma(1, autograd.tensor([1.0, 2.0]))
    tensor([1.6449, 0.6449])
    """
    if isinstance(n, Tensor) and isinstance(input, int):
        n, input = input, n  # in the order of the method
    if not isinstance(n, int):
        raise TypeError(f"polygamma(): argument 'n' must be int, not {type(n).__name__}")
    if n < 0:
        raise RuntimeError(f"polygamma(n, x) does not support negative n, but got n={n}.")
    check_tensor("polygamma", "input", input)
    return apply(digamma, (input,), {}) if n == 0 else apply(polygamma_of, (input, n), {})


def _polygamma(self: Tensor, n: int) -> Tensor:
    """The ``n``-th derivative of the digamma function."""
    return polygamma(n, self)


_polygamma.__name__ = "polygamma"
function(torch=False, method=True, inplace=True)(_polygamma)


@function(inplace=True)
def mvlgamma(input: Tensor, p: int) -> Tensor:
    """The logarithm of the multivariate gamma function of dimension ``p``:
    ``p (p - 1) / 4 ln pi + sum_j lgamma(input - j / 2)`` for ``j`` from 0 to ``p - 1``.

    Raises:
        RuntimeError: ``p`` below 1, or a bool tensor.

    >>> import autograd
    >>> autograd.mvlgamma(autograd.tensor([2.0, 3.0]), 2)
    tensor([0.4516, 1.5502])
    """
    if check_tensor("mvlgamma", "input", input)._array.dtype.kind == "b":
        raise RuntimeError("mvlgamma: the input tensor may not be a boolean tensor; convert it with .float()")
    if p < 1:
        raise RuntimeError(f"mvlgamma: p has to be greater than or equal to 1, but got p={p}")
    total = apply(lgamma, (input.clone(),), {})  # so that mvlgamma_ overwrites nothing that a rule needs
    for j in range(1, p):
        total = total + apply(lgamma, (input - 0.5 * j,), {})
    return total + 0.25 * p * (p - 1) * math.log(math.pi)


def _refuse_derivative(text: str) -> Any:
    raise NotImplementedError(f"the derivative for '{text}' is not implemented.")


def _broadcast(*operands: Tensor) -> Sequence[Tensor]:
    shape = broadcast_shape(igamma_of, [operand._array for operand in operands])
    return [operand if operand._array.shape == shape else apply(expand, (operand, shape), {}) for operand in operands]


def _binary_floats(operator: str, first: Any, second: Any) -> Sequence[Tensor]:
    """Two tensors of one floating-point dtype and one shape."""
    check_tensor(operator, "input", first)
    check_tensor(operator, "other", second)
    first, second = promoted(operator, first, second)
    if first._array.dtype.kind not in FLOATING:
        raise NotImplementedError(f"\"{operator}\" not implemented for '{type_name(first._array.dtype)}'")
    return _broadcast(first, second)


def _incomplete_gamma(operator: str, input: Any, other: Any) -> Tensor:
    return apply(TABLE[f"{operator}_of"], _binary_floats(operator, input, other), {})


@coarse(latex=r"P(x, y) = \frac{1}{\Gamma(x)} \int_0^y t^{x-1} e^{-t} dt", home="", node_name="Igamma")
def igamma_of(x: Array, y: Array):
    return on_halves(uncompiled.igamma, x, y)


@igamma_of.gradient("x")
def _(g):
    _refuse_derivative("igamma: input")


@igamma_of.gradient("y")
def _(g, x, y):
    return g * _.exp((x - 1) * _.log(y) - y - _.lgamma(x))


@coarse(latex=r"Q(x, y) = 1 - P(x, y)", home="", node_name="Igammac")
def igammac_of(x: Array, y: Array):
    return on_halves(uncompiled.igammac, x, y)


@igammac_of.gradient("x")
def _(g):
    _refuse_derivative("igammac: input")


@igammac_of.gradient("y")
def _(g, x, y):
    return -g * _.exp((x - 1) * _.log(y) - y - _.lgamma(x))


def on_halves(kernel: Any, *arrays: Any) -> Any:
    """A kernel for float32 and float64, on any float dtype: halves compute in float32 and round once."""
    if arrays[0].dtype == np.float16:
        return kernel(*(array.astype(np.float32) for array in arrays)).astype(np.float16)
    return kernel(*arrays)


@function(inplace=True)
def igamma(input: Tensor, other: Tensor) -> Tensor:
    """The regularized lower incomplete gamma function P(input, other), differentiable in ``other``.

    Raises:
        NotImplementedError: integers, and by a backward pass that asks for the derivative in ``input``.

    >>> import autograd
    >>> autograd.igamma(autograd.tensor([4.0]), autograd.tensor([3.0, 4.0]))
    tensor([0.3528, 0.5665])
    """
    return _incomplete_gamma("igamma", input, other)


@function(inplace=True)
def igammac(input: Tensor, other: Tensor) -> Tensor:
    """The regularized upper incomplete gamma function Q(input, other), differentiable in ``other``.

    Raises:
        NotImplementedError: integers, and by a backward pass that asks for the derivative in ``input``.

    >>> import autograd
    >>> autograd.igammac(autograd.tensor([4.0]), autograd.tensor([3.0, 4.0]))
    tensor([0.6472, 0.4335])
    """
    return _incomplete_gamma("igammac", input, other)


@coarse(latex=r"\zeta(x, y) = \sum_{k=0}^\infty (k + y)^{-x}", home="", node_name="SpecialZeta", complex=False)
def zeta_of(x: Array, y: Array):
    return uncompiled.zeta(x, y)


@zeta_of.gradient("x")
def _(g):
    _refuse_derivative("zeta")


@zeta_of.gradient("y")
def _(g, x, y):
    return g * -x * zeta_of(x + 1, y)


@function(home="special")
def zeta(input: Any, other: Any) -> Tensor:
    """The Hurwitz zeta function ``sum_k (k + other)^-input``, differentiable in ``other``; one may be a number.

    Raises:
        NotImplementedError: float16, and by a backward pass that asks for the derivative in ``input``.

    >>> import autograd
    >>> autograd.special.zeta(autograd.tensor([2.0, 4.0]), 1)
    tensor([1.6449, 1.0823])
    """
    if not isinstance(input, Tensor) and not isinstance(other, Tensor):
        raise TypeError("zeta(): one of the arguments must be a Tensor, not two numbers")
    first, second = promoted("zeta", input, other)
    if first.dtype.is_complex:
        raise NotImplementedError(f"\"zeta_cpu\" not implemented for '{type_name(first._array.dtype)}'")
    if first._array.dtype.kind not in FLOATING:
        first, second = (each.to(get_default_dtype()) for each in (first, second))
    refuse_half("zeta")((), first._array.dtype)
    return apply(zeta_of, _broadcast(first, second), {})


# --- Error functions, the normal distribution, entropy ---------------------------------------------------------------


@pointwise(latex=r"\operatorname{erf}^{-1} x", domain=(-0.9, 0.9), result="float", inplace=True)
def erfinv(x):
    return _.erfinv(x)


@erfinv.gradient("x")
def _(g, out):
    return g * (0.886226925452758 * _.exp(out * out))


def refuse_half(name: str) -> Any:
    def check(operands: Any, dtype: np.dtype) -> None:
        if is_half(dtype):
            raise NotImplementedError(
                f"\"{name}_cpu\" not implemented for '{type_name(dtype)}'; convert the operands with .float()"
            )

    return check


def special(latex: str, **options: Any) -> Callable[[Callable[..., Any]], PointwiseRow]:
    """Decorator: a row of the namespace ``special`` that gives floats, but none of half precision."""

    def register(formula: Callable[..., Any]) -> PointwiseRow:
        check = refuse_half(formula.__name__)
        return pointwise(latex=latex, result="float", home="special", check=check, **options)(formula)

    return register


@special(r"e^{x^2} \operatorname{erfc} x", node_name="SpecialErfcx")
def erfcx(x):
    return _.erfcx(x)


@erfcx.gradient("x")
def _(g, x, out):
    return g * (2 * x * out - 1.1283791670955126)


@special(r"\Phi^{-1}(x)", domain=(0.05, 0.95), node_name="SpecialNdtri")
def ndtri(x):
    return _.ndtri(x)


@ndtri.gradient("x")
def _(g, out):
    return g * (2.5066282746310002 * _.exp(0.5 * (out * out)))


@special(r"\ln \Phi(x)", node_name="SpecialLogNdtr")
def log_ndtr(x):
    return _.log_ndtr(x)


@log_ndtr.gradient("x")
def _(g, x):
    return g * (0.7978845608028654 / _.erfcx(-0.7071067811865476 * x))


@pointwise(latex=r"-x \ln x", domain=(0.2, 3), result="float", home="special", node_name="SpecialEntr")
def entr(x):
    return _.entr(x)


@entr.gradient("x")
def _(g, x):
    return g * (-1 - _.log(x))


@pointwise(
    latex=r"x \ln(1 + y)",
    domain=((0.1, 3), (-0.7, 3)),
    result="float",
    home="special",
    node_name="SpecialXlog1Py",
    numbers="either",
)
def xlog1py(x, y):
    return _.where(_.logical_and(x == 0, _.logical_not(_.isnan(y))), 0.0, x * _.log1p(y))


@xlog1py.gradient("x")
def _(g, x, y):
    return _.where(_.logical_and(x == 0, y <= -1), 0.0, g * _.log1p(y))


@xlog1py.gradient("y")
def _(g, x, y):
    return g * x / (y + 1)


# --- Bessel functions ------------------------------------------------------------------------------------------------


@pointwise(latex=r"I_0(x)", result="float", inplace=True)
def i0(x):
    return _.i0(x)


@i0.gradient("x")
def _(g, x):
    return g * _.i1(x)


@pointwise(latex=r"e^{-|x|} I_0(x)", result="float", home="special", node_name="SpecialI0E")
def i0e(x):
    return _.i0e(x)


@i0e.gradient("x")
def _(g, x, out):
    return g * (_.i1e(x) - _.sign(x) * out)


@pointwise(latex=r"I_1(x)", domain=(0.2, 3), result="float", home="special", node_name="SpecialI1")
def i1(x):
    return _.i1(x)


@i1.gradient("x")
def _(g, x, out):
    return g * _.where(x == 0, 0.5, _.i0(x) - out / _.where(x == 0, 1.0, x))


@pointwise(latex=r"e^{-|x|} I_1(x)", domain=(0.2, 3), result="float", home="special", node_name="SpecialI1E")
def i1e(x):
    return _.i1e(x)


@i1e.gradient("x")
def _(g, x, out):
    return g * _.where(x == 0, 0.5, _.i0e(x) - out * (_.sign(x) + 1 / _.where(x == 0, 1.0, x)))


@special(r"\operatorname{Ai}(x)")
def airy_ai(x):
    return _.airy_ai(x)


@special(r"J_0(x)")
def bessel_j0(x):
    return _.bessel_j0(x)


@special(r"J_1(x)")
def bessel_j1(x):
    return _.bessel_j1(x)


@special(r"Y_0(x)", domain=(0.2, 3))
def bessel_y0(x):
    return _.bessel_y0(x)


@special(r"Y_1(x)", domain=(0.2, 3))
def bessel_y1(x):
    return _.bessel_y1(x)


@special(r"I_0(x)")
def modified_bessel_i0(x):
    return _.i0(x)


@special(r"I_1(x)")
def modified_bessel_i1(x):
    return _.i1(x)


@special(r"K_0(x)", domain=(0.2, 3))
def modified_bessel_k0(x):
    return _.k0(x)


@special(r"K_1(x)", domain=(0.2, 3))
def modified_bessel_k1(x):
    return _.k1(x)


@special(r"e^x K_0(x)", domain=(0.2, 3))
def scaled_modified_bessel_k0(x):
    return _.k0e(x)


@special(r"e^x K_1(x)", domain=(0.2, 3))
def scaled_modified_bessel_k1(x):
    return _.k1e(x)


@special(r"j_0(x) = \frac{\sin x}{x}")
def spherical_bessel_j0(x):
    return _.spherical_bessel_j0(x)


# --- Orthogonal polynomials, y being the degree ----------------------------------------------------------------------


def polynomial(latex: str) -> Callable[[Callable[..., Any]], PointwiseRow]:
    """Decorator: a row of `special` for orthogonal polynomials, whose second operand is the degree."""
    return special(latex, domain=((-1, 1), (0, 6)), numbers="either", arguments={"n": "y"})


@polynomial(r"T_y(x)")
def chebyshev_polynomial_t(x, y):
    return _.chebyshev_polynomial_t(x, y)


@polynomial(r"U_y(x)")
def chebyshev_polynomial_u(x, y):
    return _.chebyshev_polynomial_u(x, y)


@polynomial(r"V_y(x)")
def chebyshev_polynomial_v(x, y):
    return _.chebyshev_polynomial_v(x, y)


@polynomial(r"W_y(x)")
def chebyshev_polynomial_w(x, y):
    return _.chebyshev_polynomial_w(x, y)


@polynomial(r"T_y(2x - 1)")
def shifted_chebyshev_polynomial_t(x, y):
    return _.shifted_chebyshev_polynomial_t(x, y)


@polynomial(r"U_y(2x - 1)")
def shifted_chebyshev_polynomial_u(x, y):
    return _.shifted_chebyshev_polynomial_u(x, y)


@polynomial(r"V_y(2x - 1)")
def shifted_chebyshev_polynomial_v(x, y):
    return _.shifted_chebyshev_polynomial_v(x, y)


@polynomial(r"W_y(2x - 1)")
def shifted_chebyshev_polynomial_w(x, y):
    return _.shifted_chebyshev_polynomial_w(x, y)


@polynomial(r"H_y(x)")
def hermite_polynomial_h(x, y):
    return _.hermite_polynomial_h(x, y)


@polynomial(r"\mathit{He}_y(x)")
def hermite_polynomial_he(x, y):
    return _.hermite_polynomial_he(x, y)


@polynomial(r"L_y(x)")
def laguerre_polynomial_l(x, y):
    return _.laguerre_polynomial_l(x, y)


@polynomial(r"P_y(x)")
def legendre_polynomial_p(x, y):
    return _.legendre_polynomial_p(x, y)


# --- The same functions under their names here -----------------------------------------------------------------------

ALSO_HERE = {
    "digamma": "digamma psi",
    "erf": "erf",
    "erfc": "erfc",
    "erfinv": "erfinv",
    "exp2": "exp2",
    "expm1": "expm1",
    "i0": "i0",
    "igamma": "gammainc",
    "igammac": "gammaincc",
    "lgamma": "gammaln",
    "log1p": "log1p",
    "log_softmax": "log_softmax",
    "logit": "logit",
    "logsumexp": "logsumexp",
    "mvlgamma": "multigammaln",
    "polygamma": "polygamma",
    "round": "round",
    "sigmoid": "expit",
    "sinc": "sinc",
    "softmax": "softmax",
    "xlogy": "xlogy",
}

attach_rows()
for _name, _others in ALSO_HERE.items():
    for _other in _others.split():
        NAMESPACES["special"][_other] = TORCH[_name]

__all__ = ["igamma", "igammac", "mvlgamma", "on_halves", "polygamma", "refuse_half", "zeta"]
