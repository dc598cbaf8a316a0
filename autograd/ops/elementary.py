"""Elementary functions, element by element: exponentials and logarithms, trigonometric and hyperbolic functions, the
error function.
"""

from __future__ import annotations

from ..rows.table import _, pointwise

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
def _(g, x, eps):
    # Outside of [0, 1] the derivative is NaN, but a constant one.
    slope = _.where(_.logical_or(x < 0, x > 1), 1e999 - 1e999, 1 / _.abs(x * (1 - x)))
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


__all__ = [
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "cos",
    "cosh",
    "erf",
    "erfc",
    "exp",
    "exp2",
    "expm1",
    "hypot",
    "log",
    "log1p",
    "log2",
    "log10",
    "logaddexp",
    "logit",
    "ndtr",
    "normal_density",
    "sigmoid",
    "sin",
    "sinc",
    "sinh",
    "tan",
    "tanh",
    "xlogy",
]
