"""Activation functions, element by element.

Derivatives at kinks are PyTorch's: relu'(0) = 0, leaky_relu'(0) = negative_slope, hardtanh'(±1) = 0. Conditions are
written so that a NaN passes the gradient on instead of hiding behind a zero.
"""

from __future__ import annotations

from ...kernels import rectifier
from ...kernels.halves import finfo
from ...rows.dispatch import apply
from ...rows.public import function
from ...rows.table import TABLE, Array, _, coarse, pointwise
from ...tensor import Tensor, check_dim
from ..convert import check_tensor


@pointwise(latex=r"\max(x, 0)", kinks=(0,), inplace=True, refuses_bool="convert with .float()")
def relu(x):
    return _.maximum(x, 0)


@relu.gradient("x")
def _(g, out):
    return _.where(out <= 0, 0.0, g)


@coarse(latex=relu.latex, extras=("bits",), home="", node_name="Relu", complex=False)
def relu_of_many(x: Array):
    """`relu` of an array that is in one piece, and large enough that a bit of each element is kept, not the output."""
    return rectifier.rectify(x)


@relu_of_many.gradient("x")
def _(g, bits):
    return passed(g, bits)


@coarse(latex=r"x \, [b]", home="", node_name="ThresholdBackward", complex=False)
def passed(x: Array, bits: Array):
    """``x`` where the bit is set, elsewhere 0."""
    return rectifier.passed(x, bits)


@passed.gradient("x")
def _(g, bits):
    return passed(g, bits)


relu.many = relu_of_many


@pointwise(
    latex=r"\min(\max(x, 0), 6)",
    kinks=(0, 6),
    home="nn.functional",
    domain=(-3, 9),
    refuses_bool="convert with .float()",
    node_name="Hardtanh",
)
def relu6(x):
    return _.minimum(_.maximum(x, 0), 6)


@relu6.gradient("x")
def _(g, x):
    return _.where(_.logical_or(x <= 0, x >= 6), 0.0, g)


@pointwise(latex=r"x > 0 \; ? \; x : \text{slope} \cdot x", kinks=(0,), home="nn.functional", accepts="floats")
def leaky_relu(x, negative_slope=0.01):
    return _.where(x > 0, x, x * negative_slope)


@leaky_relu.gradient("x")
def _(g, x, negative_slope):
    return _.where(x > 0, g, g * negative_slope)


@pointwise(latex=r"x > 0 \; ? \; x : w x", kinks=(0,), home="", node_name="PreluKernel", accepts="floats")
def prelu_kernel(x, weight):
    return _.where(x > 0, x, weight * x)


@prelu_kernel.gradient("x")
def _(g, x, weight):
    return _.where(x > 0, g, weight * g)


@prelu_kernel.gradient("weight")
def _(g, x):
    return _.where(x > 0, 0.0, g * x)


@pointwise(latex=r"x > 0 \; ? \; x : \alpha (e^x - 1)", kinks=(0,), home="nn.functional", accepts="floats")
def elu(x, alpha=1.0):
    return _.where(x > 0, x, alpha * _.expm1(x))


@elu.gradient("x")
def _(g, x, alpha):
    return _.where(x <= 0, g * (alpha * _.exp(x)), g)


@pointwise(
    latex=r"\lambda (x > 0 \; ? \; x : \alpha (e^x - 1))",
    kinks=(0,),
    inplace=True,
    node_name="Elu",
    method=False,
    accepts="floats",
)
def selu(x):
    return 1.0507009873554805 * _.where(x > 0, x, 1.6732632423543772 * _.expm1(x))


@selu.gradient("x")
def _(g, x):
    return 1.0507009873554805 * _.where(x <= 0, g * (1.6732632423543772 * _.exp(x)), g)


@pointwise(
    latex=r"\max(x, 0) + \min(0, \alpha (e^{x/\alpha} - 1))",
    kinks=(0,),
    home="",
    node_name="Elu",
    accepts="floats",
)
def celu(x, alpha=1.0):
    return _.where(x > 0, x, alpha * _.expm1(x / alpha))


@celu.gradient("x")
def _(g, x, alpha):
    return _.where(x <= 0, g * _.exp(x / alpha), g)


@pointwise(latex=r"\tfrac{1}{2} x (1 + \operatorname{erf}(x / \sqrt 2))", home="", node_name="Gelu", accepts="floats")
def gelu_exact(x):
    return x * _.ndtr(x)


@gelu_exact.gradient("x")
def _(g, x):
    return g * _.gelu_slope(x)


@pointwise(latex=r"\Phi(x) + x \varphi(x)", result="float", home="", node_name="GeluSlope")
def gelu_slope(x):
    return _.gelu_slope(x)


@gelu_slope.gradient("x")
def _(g, x):
    return g * (_.normal_density(x) * (2 - x * x))


@pointwise(
    latex=r"\tfrac{1}{2} x (1 + \tanh(\sqrt{2/\pi} (x + 0.044715 x^3)))", home="", node_name="Gelu", accepts="floats"
)
def gelu_tanh(x):
    return 0.5 * x * (1 + _.tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)))


@gelu_tanh.gradient("x")
def _(g, x):
    t = _.tanh(0.7978845608028654 * (x + 0.044715 * x * x * x))
    slope = 0.7978845608028654 * (1 + 0.134145 * x * x)
    return g * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * slope)


@pointwise(latex=r"x \, \sigma(x)", home="nn.functional", accepts="floats", complex=True)
def silu(x):
    return x * _.sigmoid(x)


@silu.gradient("x")
def _(g, x):
    s = _.sigmoid(x)
    return g * (s * (1 + x * (1 - s)))


@pointwise(latex=r"x \, \sigma(y)", home="", node_name="Glu", accepts="floats")
def gated(x, y):
    return x * _.sigmoid(y)


@gated.gradient("x")
def _(g, y):
    return g * _.sigmoid(y)


@gated.gradient("y")
def _(g, x, y):
    s = _.sigmoid(y)
    return g * (x * (s * (1 - s)))


@pointwise(latex=r"x \tanh(\ln(1 + e^x))", home="nn.functional", accepts="floats")
def mish(x):
    return x * _.tanh(_.softplus(x))


@mish.gradient("x")
def _(g, x):
    t = _.tanh(_.softplus(x))
    return g * (t + x * _.sigmoid(x) * (1 - t * t))


@pointwise(latex=r"\tfrac{1}{\beta} \ln(1 + e^{\beta x})", home="nn.functional", accepts="floats")
def softplus(x, beta=1.0, threshold=20.0):
    return _.where(x * beta > threshold, x, _.log1p(_.exp(x * beta)) / beta)


@softplus.gradient("x")
def _(g, x, beta, threshold):
    return _.where(x * beta > threshold, g, g * _.sigmoid(x * beta))


@pointwise(
    latex=r"\frac{x}{1 + |x|}",
    kinks=(0,),
    home="nn.functional",
    result="float",
    node_name="Div",
    accepts="numbers",
    complex="complex_softsign",
)
def softsign(x):
    return x / (1 + _.abs(x))


@softsign.gradient("x")
def _(g, x):
    denominator = 1 + _.abs(x)
    return g / (denominator * denominator)


@pointwise(latex=r"\ln \sigma(x)", home="nn.functional", node_name="LogSigmoid", accepts="floats")
def logsigmoid(x):
    return _.log_sigmoid(x)


@logsigmoid.gradient("x")
def _(g, x):
    return g * _.sigmoid(-x)


@pointwise(
    latex=r"\min(\max(x, \text{min}), \text{max})",
    kinks=(-1, 1),
    home="",
    refuses_bool="convert with .float()",
)
def hardtanh(x, min_val=-1.0, max_val=1.0):
    return _.minimum(_.maximum(x, min_val), max_val)


@hardtanh.gradient("x")
def _(g, x, min_val, max_val):
    return _.where(_.logical_or(x <= min_val, x >= max_val), 0.0, g)


@pointwise(latex=r"\min(\max(x + 3, 0), 6) / 6", kinks=(-3, 3), domain=(-5, 5), home="nn.functional", accepts="floats")
def hardsigmoid(x):
    return _.minimum(_.maximum(x + 3, 0), 6) / 6


@hardsigmoid.gradient("x")
def _(g, x):
    return _.where(_.logical_and(x > -3, x < 3), g / 6, 0.0)


@pointwise(
    latex=r"x \min(\max(x + 3, 0), 6) / 6", kinks=(-3, 3), domain=(-5, 5), home="nn.functional", accepts="floats"
)
def hardswish(x):
    return x * _.minimum(_.maximum(x + 3, 0), 6) / 6


@hardswish.gradient("x")
def _(g, x):
    return _.where(x <= -3, 0.0, _.where(x < 3, g * (x / 3 + 0.5), g))


@pointwise(
    latex=r"x - \tanh x",
    home="nn.functional",
    result="float",
    refuses_bool="convert with .float()",
    node_name="Sub",
    complex=True,
)
def tanhshrink(x):
    return x - _.tanh(x)


@tanhshrink.gradient("x")
def _(g, x):
    t = _.tanh(x)
    return g * (t * t)


@pointwise(latex=r"\operatorname{sign}(x) \max(|x| - \lambda, 0)", kinks=(-0.5, 0.5), home="", accepts="floats")
def softshrink(x, lambd=0.5):
    return _.where(x > lambd, x - lambd, _.where(x < -lambd, x + lambd, 0 * x))


@softshrink.gradient("x")
def _(g, x, lambd):
    return _.where(_.logical_and(x >= -lambd, x <= lambd), 0.0, g)


@pointwise(latex=r"|x| > \lambda \; ? \; x : 0", kinks=(-0.5, 0.5), home="", accepts="floats")
def hardshrink(x, lambd=0.5):
    return _.where(_.logical_and(x >= -lambd, x <= lambd), 0.0, x)


@hardshrink.gradient("x")
def _(g, x, lambd):
    return _.where(_.logical_and(x >= -lambd, x <= lambd), 0.0, g)


@pointwise(
    latex=r"x > \text{threshold} \; ? \; x : \text{value}",
    kinks=(0,),
    home="",
    node_name="Threshold",
    accepts="numbers",
)
def threshold_at(x, threshold=0.0, value=0.0):
    return _.where(x <= threshold, value, x)


@threshold_at.gradient("x")
def _(g, x, threshold):
    return _.where(x <= threshold, 0.0, g)


# --- With limits to check ------------------------------------------------------------------------------------------


@function(torch=False, functional=True, method=False)
def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0) -> Tensor:
    """``min(max(input, min_val), max_val)``.

    Raises:
        ValueError: ``min_val`` is above ``max_val``.
        RuntimeError: bool input, or negative limits for an unsigned one.

    >>> import autograd
    >>> autograd.nn.functional.hardtanh(autograd.tensor([-2.0, 0.5, 2.0]))
    tensor([-1.0000,  0.5000,  1.0000])
    """
    if min_val > max_val:
        raise ValueError(f"min_val cannot be greater than max_val: hardtanh got {min_val} and {max_val}")
    if check_tensor("hardtanh", "input", input)._array.dtype.kind == "u" and (min_val < 0 or max_val < 0):
        raise RuntimeError(
            f"cannot do hardtanh on an unsigned type with negative limits: got {input.dtype}, {min_val} and {max_val}"
        )
    return apply(TABLE["hardtanh"], (input, min_val, max_val), {})


@function(torch=False, functional=True, method=False)
def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """``input`` moved towards 0 by ``lambd``, and 0 where it is no further away: ``sign(x) max(|x| - lambd, 0)``.

    Raises:
        RuntimeError: ``lambd`` is negative or more than the dtype holds.

    >>> import autograd
    >>> autograd.nn.functional.softshrink(autograd.tensor([-2.0, 0.3, 2.0]))
    tensor([-1.5000,  0.0000,  1.5000])
    """
    dtype = check_tensor("softshrink", "input", input).dtype
    if dtype.is_floating_point and not 0 <= lambd <= finfo(dtype.numpy).max:
        raise RuntimeError(
            f"lambda must be in range [0, {float(finfo(dtype.numpy).max):g}] for input dtype {dtype}, but found {lambd}"
        )
    return apply(TABLE["softshrink"], (input, lambd), {})


@function(torch=False, functional=True, method=False)
def glu(input: Tensor, dim: int = -1) -> Tensor:
    """The gated linear unit: ``a * sigmoid(b)``, where a and b are the halves of ``input`` along ``dim``.

    Dauphin et al., "Language Modeling with Gated Convolutional Networks" (2016).

    Raises:
        RuntimeError: an odd size, or no dimension at all.
        NotImplementedError: no floating-point numbers.

    >>> import autograd
    >>> autograd.nn.functional.glu(autograd.tensor([2.0, 0.0]))
    tensor([1.])
    """
    shape = check_tensor("glu", "input", input)._array.shape
    if not shape:
        raise RuntimeError("glu does not support scalars because halving size must be even")
    dim = check_dim("glu", dim, len(shape))
    if shape[dim] % 2:
        raise RuntimeError(f"glu: Halving dimension must be even, but dimension {dim} is size {shape[dim]}")
    if not input.is_floating_point():
        raise NotImplementedError(f"glu not implemented for {input.dtype}; convert with .float()")
    return apply(TABLE["gated"], input.chunk(2, dim), {})


__all__ = [
    "celu",
    "elu",
    "gated",
    "gelu_exact",
    "gelu_slope",
    "gelu_tanh",
    "glu",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "leaky_relu",
    "logsigmoid",
    "mish",
    "prelu_kernel",
    "relu",
    "relu6",
    "selu",
    "silu",
    "softplus",
    "softshrink",
    "softsign",
    "tanhshrink",
    "threshold_at",
]
