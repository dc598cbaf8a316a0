"""Element-by-element mathematics: arithmetic, powers and logarithms, trigonometry, comparisons.

Conventions at kinks are PyTorch's: abs'(0) = sign'(0) = 0, maximum and minimum split ties in half, clamp passes the
gradient on its bounds.
"""

from __future__ import annotations

import numpy as np

from ..rows.table import _, pointwise

# --- Arithmetic ----------------------------------------------------------------------------------------------------


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


@pointwise(
    latex=r"x^y",
    domain=((0.2, 3), (-2, 2)),
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


@pointwise(latex=r"\max(x, y)", numbers="none")
def maximum(x, y):
    return _.maximum(x, y)


@maximum.gradient("x")
def _(g, x, y):
    return _.where(x == y, 0.5 * g, _.where(x < y, 0.0, g))


@maximum.gradient("y")
def _(g, x, y):
    return _.where(x == y, 0.5 * g, _.where(x > y, 0.0, g))


@pointwise(latex=r"\min(x, y)", numbers="none")
def minimum(x, y):
    return _.minimum(x, y)


@minimum.gradient("x")
def _(g, x, y):
    return _.where(x == y, 0.5 * g, _.where(x > y, 0.0, g))


@minimum.gradient("y")
def _(g, x, y):
    return _.where(x == y, 0.5 * g, _.where(x < y, 0.0, g))


@pointwise(latex=r"\max(x, y) \text{ ignoring NaN}", numbers="none")
def fmax(x, y):
    return _.fmax(x, y)


@fmax.gradient("x")
def _(g, x, y):
    return _.where(_.logical_or(x >= y, _.isnan(y)), g, 0.0)


@fmax.gradient("y")
def _(g, x, y):
    return _.where(_.logical_or(x >= y, _.isnan(y)), 0.0, g)


@pointwise(latex=r"\min(x, y) \text{ ignoring NaN}", numbers="none")
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


# --- Powers of e, logarithms ---------------------------------------------------------------------------------------


@pointwise(latex=r"e^x", result="float", inplace=True, complex=True)
def exp(x):
    return _.exp(x)


@exp.gradient("x")
def _(g, out):
    return g * out


@pointwise(latex=r"2^x", result="float", inplace=True, complex=True)
def exp2(x):
    return _.exp2(x)


@exp2.gradient("x")
def _(g, out):
    return g * (out * 0.6931471805599453)


@pointwise(latex=r"e^x - 1", result="float", inplace=True, complex=True)
def expm1(x):
    return _.expm1(x)


@expm1.gradient("x")
def _(g, out):
    return g * (out + 1)


@pointwise(latex=r"\ln x", domain=(0.2, 3), result="float", inplace=True, complex=True)
def log(x):
    return _.log(x)


@log.gradient("x")
def _(g, x):
    return g / x


@pointwise(latex=r"\log_2 x", domain=(0.2, 3), result="float", inplace=True, complex=True)
def log2(x):
    return _.log2(x)


@log2.gradient("x")
def _(g, x):
    return g / (x * 0.6931471805599453)


@pointwise(latex=r"\log_{10} x", domain=(0.2, 3), result="float", inplace=True, complex=True)
def log10(x):
    return _.log10(x)


@log10.gradient("x")
def _(g, x):
    return g / (x * 2.302585092994046)


@pointwise(latex=r"\ln(1 + x)", domain=(-0.7, 3), result="float", inplace=True, node_name="Log1P", complex=True)
def log1p(x):
    return _.log1p(x)


@log1p.gradient("x")
def _(g, x):
    return g / (x + 1)


@pointwise(latex=r"\ln(e^x + e^y)", result="float", accepts="floats", complex="complex_logaddexp", numbers="none")
def logaddexp(x, y):
    return _.logaddexp(x, y)


@logaddexp.gradient("x")
def _(g, x, y):
    return g * _.sigmoid(x - y)


@logaddexp.gradient("y")
def _(g, x, y):
    return g * _.sigmoid(y - x)


@pointwise(latex=r"x \ln y", domain=((0.1, 3), (0.2, 3)), result="float", inplace=True, numbers="either")
def xlogy(x, y):
    return _.where(_.logical_and(x == 0, _.logical_not(_.isnan(y))), 0.0, x * _.log(y))


@xlogy.gradient("x")
def _(g, x, y):
    return _.where(_.logical_and(x == 0, y <= 0), 0.0, g * _.log(y))


@xlogy.gradient("y")
def _(g, x, y):
    return g * x / y


@pointwise(
    latex=r"\ln \frac{x}{1 - x}, \; x \in [\varepsilon, 1 - \varepsilon]",
    domain=(0.05, 0.95),
    result="float",
    home="",
)
def logit(x, eps=-1.0):
    z = _.where(eps < 0, x, _.where(x < eps, eps, _.where(x > 1 - eps, 1 - eps, x)))
    return _.log(z / (1 - z))


@logit.gradient("x")
def _(g, x, eps, out):
    # Outside of [0, 1] the logarithm is NaN, and so is its derivative.
    slope = 1 / _.abs(_.where(_.logical_or(x < 0, x > 1), out, x * (1 - x)))
    return g * _.where(eps < 0, slope, _.where(_.logical_or(x < eps, x > 1 - eps), 0.0, slope))


@pointwise(latex=r"\sigma(x) = \frac{1}{1 + e^{-x}}", result="float", inplace=True, complex=True)
def sigmoid(x):
    return _.sigmoid(x)


@sigmoid.gradient("x")
def _(g, out):
    return g * ((1 - out) * out)


# --- Trigonometric, hyperbolic, their inverses ---------------------------------------------------------------------


@pointwise(latex=r"\sin x", result="float", inplace=True, complex=True)
def sin(x):
    return _.sin(x)


@sin.gradient("x")
def _(g, x):
    return g * _.cos(x)


@pointwise(latex=r"\cos x", result="float", inplace=True, complex=True)
def cos(x):
    return _.cos(x)


@cos.gradient("x")
def _(g, x):
    return -g * _.sin(x)


@pointwise(latex=r"\tan x", domain=(-1.2, 1.2), result="float", inplace=True, complex=True)
def tan(x):
    return _.tan(x)


@tan.gradient("x")
def _(g, out):
    return g * (1 + out * out)


@pointwise(latex=r"\arcsin x", domain=(-0.9, 0.9), result="float", inplace=True, aliases=("arcsin",), complex=True)
def asin(x):
    return _.asin(x)


@asin.gradient("x")
def _(g, x):
    return g * _.rsqrt(1 - x * x)


@pointwise(latex=r"\arccos x", domain=(-0.9, 0.9), result="float", inplace=True, aliases=("arccos",), complex=True)
def acos(x):
    return _.acos(x)


@acos.gradient("x")
def _(g, x):
    return -g * _.rsqrt(1 - x * x)


@pointwise(latex=r"\arctan x", result="float", inplace=True, aliases=("arctan",), complex=True)
def atan(x):
    return _.atan(x)


@atan.gradient("x")
def _(g, x):
    return g / (x * x + 1)


@pointwise(
    latex=r"\operatorname{atan2}(x, y)",
    domain=((0.2, 3), (0.2, 3)),
    result="float",
    aliases=("arctan2",),
    inplace=True,
    numbers="none",
)
def atan2(x, y):
    return _.atan2(x, y)


@atan2.gradient("x")
def _(g, x, y):
    norm = x * x + y * y
    return _.where(norm == 0, 0.0, g * (y / norm))


@atan2.gradient("y")
def _(g, x, y):
    norm = x * x + y * y
    return _.where(norm == 0, 0.0, g * (-x / norm))


@pointwise(latex=r"\sinh x", result="float", inplace=True, complex=True)
def sinh(x):
    return _.sinh(x)


@sinh.gradient("x")
def _(g, x):
    return g * _.cosh(x)


@pointwise(latex=r"\cosh x", result="float", inplace=True, complex=True)
def cosh(x):
    return _.cosh(x)


@cosh.gradient("x")
def _(g, x):
    return g * _.sinh(x)


@pointwise(latex=r"\tanh x", result="float", inplace=True, complex=True)
def tanh(x):
    return _.tanh(x)


@tanh.gradient("x")
def _(g, out):
    return g * (1 - out * out)


@pointwise(latex=r"\operatorname{arsinh} x", result="float", inplace=True, aliases=("arcsinh",), complex=True)
def asinh(x):
    return _.asinh(x)


@asinh.gradient("x")
def _(g, x):
    return g * _.rsqrt(x * x + 1)


@pointwise(
    latex=r"\operatorname{arcosh} x",
    domain=(1.2, 3),
    result="float",
    inplace=True,
    aliases=("arccosh",),
    complex="complex_acosh",
)
def acosh(x):
    return _.acosh(x)


@acosh.gradient("x")
def _(g, x):
    return g * _.rsqrt(x * x - 1)


@pointwise(
    latex=r"\operatorname{artanh} x",
    domain=(-0.9, 0.9),
    result="float",
    inplace=True,
    aliases=("arctanh",),
    complex=True,
)
def atanh(x):
    return _.atanh(x)


@atanh.gradient("x")
def _(g, x):
    return g / (1 - x * x)


@pointwise(latex=r"\sqrt{x^2 + y^2}", domain=((0.3, 3), (0.3, 3)), inplace=True, accepts="floats", numbers="none")
def hypot(x, y):
    return _.hypot(x, y)


@hypot.gradient("x")
def _(g, x, out):
    return g * (x / out)


@hypot.gradient("y")
def _(g, y, out):
    return g * (y / out)


@pointwise(latex=r"\frac{\sin \pi x}{\pi x}", domain=(0.2, 3), result="float", inplace=True, complex=True)
def sinc(x):
    angle = 3.141592653589793 * x
    return _.where(x == 0, 1.0, _.sin(angle) / _.where(x == 0, 1.0, angle))


@sinc.gradient("x")
def _(g, x):
    angle = 3.141592653589793 * x
    return _.where(x == 0, 0.0, g * ((_.cos(angle) * angle - _.sin(angle)) / _.where(x == 0, 1.0, angle * x)))


@pointwise(latex=r"\operatorname{erf} x", result="float", inplace=True)
def erf(x):
    return _.erf(x)


@erf.gradient("x")
def _(g, x):
    return g * (1.1283791670955126 * _.exp(-(x * x)))


@pointwise(latex=r"1 - \operatorname{erf} x", result="float", inplace=True)
def erfc(x):
    return _.erfc(x)


@erfc.gradient("x")
def _(g, x):
    return -g * (1.1283791670955126 * _.exp(-(x * x)))


@pointwise(
    latex=r"\Phi(x) = \tfrac{1}{2} (1 + \operatorname{erf}(x / \sqrt 2))",
    result="float",
    home="special",
    node_name="SpecialNdtr",
)
def ndtr(x):
    return _.ndtr(x)


@ndtr.gradient("x")
def _(g, x):
    return g * _.normal_density(x)


@pointwise(latex=r"\varphi(x) = \tfrac{1}{\sqrt{2\pi}} e^{-x^2/2}", result="float", home="", node_name="NormalDensity")
def normal_density(x):
    return _.normal_density(x)


@normal_density.gradient("x")
def _(g, x, out):
    return -g * (x * out)


# --- Comparisons and tests -----------------------------------------------------------------------------------------


@pointwise(latex=r"x = y", result="bool", inplace=True, complex=True, numbers="second")
def eq(x, y):
    return x == y


@pointwise(latex=r"x \ne y", result="bool", inplace=True, aliases=("not_equal",), complex=True, numbers="second")
def ne(x, y):
    return x != y


@pointwise(latex=r"x < y", result="bool", inplace=True, aliases=("less",), numbers="second")
def lt(x, y):
    return x < y


@pointwise(latex=r"x \le y", result="bool", inplace=True, aliases=("less_equal",), numbers="second")
def le(x, y):
    return x <= y


@pointwise(latex=r"x > y", result="bool", inplace=True, aliases=("greater",), numbers="second")
def gt(x, y):
    return x > y


@pointwise(latex=r"x \ge y", result="bool", inplace=True, aliases=("greater_equal",), numbers="second")
def ge(x, y):
    return x >= y


@pointwise(latex=r"x \text{ is NaN}", result="bool", complex=True)
def isnan(x):
    return _.isnan(x)


@pointwise(latex=r"|x| = \infty", result="bool", complex=True)
def isinf(x):
    return _.isinf(x)


@pointwise(latex=r"|x| < \infty", result="bool", complex=True)
def isfinite(x):
    return _.isfinite(x)


@pointwise(latex=r"x \text{ has the sign bit}", result="bool")
def signbit(x):
    return _.signbit(x)


@pointwise(latex=r"x \ne 0 \wedge y \ne 0", result="bool", inplace=True, complex=True, numbers="none")
def logical_and(x, y):
    return _.logical_and(x != 0, y != 0)


@pointwise(latex=r"x \ne 0 \vee y \ne 0", result="bool", inplace=True, complex=True, numbers="none")
def logical_or(x, y):
    return _.logical_or(x != 0, y != 0)


@pointwise(latex=r"x \ne 0 \oplus y \ne 0", result="bool", inplace=True, complex=True, numbers="none")
def logical_xor(x, y):
    return _.logical_xor(x != 0, y != 0)


@pointwise(latex=r"x = 0", result="bool", inplace=True, complex=True)
def logical_not(x):
    return x == 0


__all__ = [
    "abs",
    "acos",
    "acosh",
    "add",
    "addcdiv",
    "addcmul",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "ceil",
    "check_fits",
    "clamp_between",
    "clamp_from_above",
    "clamp_from_below",
    "cos",
    "cosh",
    "div",
    "div_floor",
    "div_trunc",
    "eq",
    "erf",
    "erfc",
    "exp",
    "exp2",
    "expm1",
    "fill_where",
    "floor",
    "floor_divide",
    "fmax",
    "fmin",
    "fmod",
    "frac",
    "ge",
    "gt",
    "hypot",
    "isfinite",
    "isinf",
    "isnan",
    "le",
    "lerp",
    "log",
    "log1p",
    "log2",
    "log10",
    "logaddexp",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "logit",
    "lt",
    "maximum",
    "minimum",
    "mul",
    "ndtr",
    "ne",
    "neg",
    "normal_density",
    "pow",
    "reciprocal",
    "remainder",
    "round_to_even",
    "rsqrt",
    "sigmoid",
    "sign",
    "signbit",
    "sin",
    "sinc",
    "sinh",
    "sqrt",
    "square",
    "sub",
    "tan",
    "tanh",
    "trunc",
    "where",
    "xlogy",
]
