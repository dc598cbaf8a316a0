"""Arithmetic element by element: sums, products, powers, extremes, rounding, choices.

Conventions at kinks are PyTorch's: abs'(0) = sign'(0) = 0, maximum and minimum split ties in half, clamp passes the
gradient on its bounds.
"""

from __future__ import annotations

import numpy as np

from ..rows.table import _, pointwise


@pointwise(latex=r"x + y", inplace=True, complex=True)
def add(x, y):
    return x + y


@add.gradient("x")
def _(g):
    return g


@add.gradient("y")
def _(g):
    return g


@pointwise(
    latex=r"x - y", inplace=True, aliases=("subtract",), refuses_bool="use ^ or logical_xor() instead", complex=True
)
def sub(x, y):
    return x - y


@sub.gradient("x")
def _(g):
    return g


@sub.gradient("y")
def _(g):
    return -g


def _rsub_name(wanted):
    return "RsubBackward1" if wanted == ("x",) else "RsubBackward0"  # as if the other were a number


@pointwise(latex=r"y - x", home="", node_name=_rsub_name, refuses_bool="use ^ or logical_xor() instead", complex=True)
def rsub(x, y):
    return y - x


@rsub.gradient("x")
def _(g):
    return -g


@rsub.gradient("y")
def _(g):
    return g


@pointwise(latex=r"x \, y", inplace=True, aliases=("multiply",), complex=True)
def mul(x, y):
    return x * y


@mul.gradient("x")
def _(g, y):
    return g * y


@mul.gradient("y")
def _(g, x):
    return g * x


@pointwise(
    latex=r"\frac{x}{y}",
    domain=((-3, 3), (0.3, 3)),
    result="float",
    inplace=True,
    aliases=("true_divide",),
    complex=True,
)
def div(x, y):
    return x / y


@div.gradient("x")
def _(g, y):
    return g / y


@div.gradient("y")
def _(g, y, out):
    return -g * (out / y)


@pointwise(
    latex=r"\lfloor x / y \rfloor", domain=((-3, 3), (0.3, 3)), home="", node_name="DivBackward1", accepts="numbers"
)
def div_floor(x, y):
    return _.div_floor(x, y)


@div_floor.gradient("x")
def _():
    return 0.0


@div_floor.gradient("y")
def _():
    return 0.0


@pointwise(
    latex=r"\operatorname{trunc}(x / y)",
    domain=((-3, 3), (0.3, 3)),
    home="",
    node_name="DivBackward1",
    accepts="numbers",
)
def div_trunc(x, y):
    return _.div_trunc(x, y)


@div_trunc.gradient("x")
def _():
    return 0.0


@div_trunc.gradient("y")
def _():
    return 0.0


@pointwise(latex=r"x + v \, y \, z", home="", accepts="numbers", complex=True)
def addcmul(x, y, z, value=1):
    return x + value * y * z


@addcmul.gradient("x")
def _(g):
    return g


@addcmul.gradient("y")
def _(g, z, value):
    return g * (value * z)


@addcmul.gradient("z")
def _(g, y, value):
    return g * (value * y)


def _check_quotient(operands, dtype):
    if all(getattr(operand, "_array", operand).dtype.kind in "iub" for operand in operands[1:]):
        raise RuntimeError(
            "Integer division with addcdiv is no longer supported: convert tensor1 or tensor2 to float, or round the "
            "quotient with div(rounding_mode=...) yourself."
        )


@pointwise(
    latex=r"x + v \, \frac{y}{z}",
    domain=((-3, 3), (-3, 3), (0.3, 3)),
    home="",
    result="float",
    check=_check_quotient,
    complex=True,
)
def addcdiv(x, y, z, value=1):
    return x + value * y / z


@addcdiv.gradient("x")
def _(g):
    return g


@addcdiv.gradient("y")
def _(g, z, value):
    return g * (value / z)


@addcdiv.gradient("z")
def _(g, y, z, value):
    return -g * (value * y / (z * z))


@pointwise(
    latex=r"-x", inplace=True, aliases=("negative",), refuses_bool="use ~ or logical_not() instead", complex=True
)
def neg(x):
    return -x


@neg.gradient("x")
def _(g):
    return -g


@pointwise(latex=r"|x|", inplace=True, kinks=(0,), aliases=("absolute",), accepts="numbers", complex="modulus")
def abs(x):
    return _.abs(x)


@abs.gradient("x")
def _(g, x):
    return g * _.sign(x)


@pointwise(latex=r"\operatorname{sign} x", inplace=True, kinks=(0,))
def sign(x):
    return _.sign(x)


@sign.gradient("x")
def _():
    return 0.0


@pointwise(latex=r"x^2", result="number", inplace=True, node_name="Pow", complex=True)
def square(x):
    return x * x


@square.gradient("x")
def _(g, x):
    return g * (2 * x)


@pointwise(latex=r"\sqrt{x}", domain=(0.2, 3), result="float", inplace=True, complex=True)
def sqrt(x):
    return _.sqrt(x)


@sqrt.gradient("x")
def _(g, out):
    return g / (2 * out)


@pointwise(latex=r"\frac{1}{\sqrt{x}}", domain=(0.2, 3), result="float", inplace=True, complex=True)
def rsqrt(x):
    return _.rsqrt(x)


@rsqrt.gradient("x")
def _(g, out):
    return -0.5 * g * (out * out * out)


@pointwise(latex=r"\frac{1}{x}", domain=(0.2, 3), result="float", inplace=True, complex=True)
def reciprocal(x):
    return 1 / x


@reciprocal.gradient("x")
def _(g, out):
    return -g * (out * out)


def check_fits(operator, number, dtype):
    """Raises RuntimeError where a Python integer is out of an integer dtype's range."""
    if dtype.kind in "iu" and isinstance(number, int):
        limits = np.iinfo(dtype)
        if not limits.min <= number <= limits.max:
            raise RuntimeError(f"{operator}: value {number} cannot be converted to type {dtype.name} without overflow")


def _check_power(operands, dtype):
    if dtype.kind == "b" and not isinstance(operands[1], bool):
        raise NotImplementedError("\"pow\" not implemented for 'Bool'; convert the operands with .long()")
    exponent = operands[1]
    if dtype.kind in "iu" and isinstance(exponent, int):
        if exponent < 0:
            raise RuntimeError("Integers to negative integer powers are not allowed.")
        check_fits("pow", exponent, dtype)


def _power_name(wanted):
    if len(wanted) > 1:
        return "PowBackward1"
    return "PowBackward0" if wanted == ("x",) else "PowBackward2"  # as if the other were a number


@pointwise(
    latex=r"x^y",
    domain=((0.2, 3), (-2, 2)),
    node_name=_power_name,
    inplace=True,
    check=_check_power,
    complex=True,
    numbers="either",
    arguments={"exponent": "y"},
)
def pow(x, y):
    return _.pow(x, y)


@pow.gradient("x")
def _(g, x, y):
    return _.where(y == 0, 0.0, g * (y * _.pow(x, y - 1)))


@pow.gradient("y")
def _(g, x, y, out):
    return g * _.where(_.logical_and(x == 0, _.isfinite(out)), 0.0, out * _.log(x))


@pointwise(
    latex=r"\operatorname{fmod}(x, y)", domain=((-3, 3), (3.5, 5)), inplace=True, accepts="numbers", numbers="second"
)
def fmod(x, y):
    return _.fmod(x, y)


@fmod.gradient("x")
def _(g):
    return g


@fmod.gradient("y")
def _(g, x, y):
    return -g * _.trunc(x / y)


@pointwise(
    latex=r"x - y \lfloor x / y \rfloor", domain=((0.1, 3), (3.5, 5)), inplace=True, accepts="numbers", numbers="either"
)
def remainder(x, y):
    return _.remainder(x, y)


@remainder.gradient("x")
def _(g):
    return g


@remainder.gradient("y")
def _(g, x, y):
    return -g * _.div_floor(x, y)


@pointwise(
    latex=r"\lfloor x / y \rfloor",
    domain=((-3, 3), (0.3, 3)),
    inplace=True,
    accepts="numbers",
    refuses_backward=True,
)
def floor_divide(x, y):
    return _.div_floor(x, y)


@pointwise(latex=r"\max(x, y)", numbers="none", refuses_complex="compare .real, .imag or .abs()")
def maximum(x, y):
    return _.maximum(x, y)


@maximum.gradient("x")
def _(g, x, y):
    return _.where(x == y, 0.5 * g, _.where(x < y, 0.0, g))


@maximum.gradient("y")
def _(g, x, y):
    return _.where(x == y, 0.5 * g, _.where(x > y, 0.0, g))


@pointwise(latex=r"\min(x, y)", numbers="none", refuses_complex="compare .real, .imag or .abs()")
def minimum(x, y):
    return _.minimum(x, y)


@minimum.gradient("x")
def _(g, x, y):
    return _.where(x == y, 0.5 * g, _.where(x > y, 0.0, g))


@minimum.gradient("y")
def _(g, x, y):
    return _.where(x == y, 0.5 * g, _.where(x < y, 0.0, g))


@pointwise(latex=r"\max(x, y) \text{ ignoring NaN}", numbers="none", refuses_complex="compare .real, .imag or .abs()")
def fmax(x, y):
    return _.fmax(x, y)


@fmax.gradient("x")
def _(g, x, y):
    return _.where(_.logical_or(x >= y, _.isnan(y)), g, 0.0)


@fmax.gradient("y")
def _(g, x, y):
    return _.where(_.logical_or(x >= y, _.isnan(y)), 0.0, g)


@pointwise(latex=r"\min(x, y) \text{ ignoring NaN}", numbers="none", refuses_complex="compare .real, .imag or .abs()")
def fmin(x, y):
    return _.fmin(x, y)


@fmin.gradient("x")
def _(g, x, y):
    return _.where(_.logical_or(x <= y, _.isnan(y)), g, 0.0)


@fmin.gradient("y")
def _(g, x, y):
    return _.where(_.logical_or(x <= y, _.isnan(y)), 0.0, g)


@pointwise(
    latex=r"\min(\max(x, \text{low}), \text{high})",
    domain=((-3, 3), (-2, -1), (1, 2)),
    home="",
    node_name="ClampBackward1",
    accepts="numbers",
)
def clamp_between(x, low, high):
    return _.minimum(_.maximum(x, low), high)


@clamp_between.gradient("x")
def _(g, x, low, high):
    return _.where(_.logical_and(x >= low, x <= high), g, 0.0)


@clamp_between.gradient("low")
def _(g, x, low, high):
    return _.where(_.logical_and(x < low, low < high), g, 0.0)


@clamp_between.gradient("high")
def _(g, x, low, high):
    return _.where(_.logical_or(x > high, low > high), g, 0.0)


@pointwise(
    latex=r"\max(x, \text{low})", domain=((-3, 3), (-1, 1)), home="", node_name="ClampBackward1", accepts="numbers"
)
def clamp_from_below(x, low):
    return _.maximum(x, low)


@clamp_from_below.gradient("x")
def _(g, x, low):
    return _.where(x >= low, g, 0.0)


@clamp_from_below.gradient("low")
def _(g, x, low):
    return _.where(x < low, g, 0.0)


@pointwise(
    latex=r"\min(x, \text{high})", domain=((-3, 3), (-1, 1)), home="", node_name="ClampBackward1", accepts="numbers"
)
def clamp_from_above(x, high):
    return _.minimum(x, high)


@clamp_from_above.gradient("x")
def _(g, x, high):
    return _.where(x <= high, g, 0.0)


@clamp_from_above.gradient("high")
def _(g, x, high):
    return _.where(x > high, g, 0.0)


@pointwise(latex=r"\text{condition} \; ? \; x : y", home="", node_name="Where", complex=True)
def where(condition, x, y):
    return _.where(condition, x, y)


@where.gradient("x")
def _(g, condition):
    return _.where(condition, g, 0.0)


@where.gradient("y")
def _(g, condition):
    return _.where(condition, 0.0, g)


@pointwise(latex=r"\text{condition} \; ? \; y : x", home="", node_name="MaskedFill", keeps_layout=False, complex=True)
def fill_where(x, condition, y):
    return _.where(condition, y, x)


@fill_where.gradient("x")
def _(g, condition):
    return _.where(condition, 0.0, g)


@fill_where.gradient("y")
def _(g, condition):
    return _.where(condition, g, 0.0)


@pointwise(latex=r"x + w \, (y - x)", inplace=True, accepts="floats", complex=True)
def lerp(x, y, weight):
    return _.where(_.abs(weight) < 0.5, x + weight * (y - x), y - (y - x) * (1 - weight))


@lerp.gradient("x")
def _(g, weight):
    return g * (1 - weight)


@lerp.gradient("y")
def _(g, weight):
    return g * weight


@lerp.gradient("weight")
def _(g, x, y):
    return g * (y - x)


@pointwise(latex=r"\lfloor x \rfloor", inplace=True, accepts="numbers")
def floor(x):
    return _.floor(x)


@floor.gradient("x")
def _():
    return 0.0


@pointwise(latex=r"\lceil x \rceil", inplace=True, accepts="numbers")
def ceil(x):
    return _.ceil(x)


@ceil.gradient("x")
def _():
    return 0.0


@pointwise(latex=r"\operatorname{trunc} x", inplace=True, aliases=("fix",), accepts="numbers")
def trunc(x):
    return _.trunc(x)


@trunc.gradient("x")
def _():
    return 0.0


@pointwise(latex=r"\text{nearest integer, ties to even}", home="", node_name="Round", accepts="numbers")
def round_to_even(x):
    return _.round(x)


@round_to_even.gradient("x")
def _():
    return 0.0


@pointwise(latex=r"x - \operatorname{trunc} x", inplace=True, accepts="floats")
def frac(x):
    return x - _.trunc(x)


@frac.gradient("x")
def _(g):
    return g


__all__ = [
    "abs",
    "add",
    "addcdiv",
    "addcmul",
    "ceil",
    "check_fits",
    "clamp_between",
    "clamp_from_above",
    "clamp_from_below",
    "div",
    "div_floor",
    "div_trunc",
    "fill_where",
    "floor",
    "floor_divide",
    "fmax",
    "fmin",
    "fmod",
    "frac",
    "lerp",
    "maximum",
    "minimum",
    "mul",
    "neg",
    "pow",
    "reciprocal",
    "remainder",
    "round_to_even",
    "rsqrt",
    "rsub",
    "sign",
    "sqrt",
    "square",
    "sub",
    "trunc",
    "where",
]
