"""The function library ``_`` of the rows, over Python floats.

Plain `math`, which raises where IEEE arithmetic has an answer (log 0, 1/0, overflow): the float reading then asks
NumPy's float64, so nothing is decided twice.
"""

import math
from math import (
    acos,
    acosh,
    asin,
    asinh,
    atan,
    atan2,
    atanh,
    copysign,
    cos,
    cosh,
    erf,
    erfc,
    exp,
    expm1,
    fmod,
    hypot,
    isfinite,
    isinf,
    isnan,
    lgamma,
    log,
    log1p,
    log2,
    log10,
    pow,
    sin,
    sinh,
    sqrt,
    tan,
    tanh,
)

abs = math.fabs


def where(condition, x, y):
    return x if condition else y


def maximum(x, y):
    return x if x >= y or x != x else y


def minimum(x, y):
    return x if x <= y or x != x else y


def fmax(x, y):
    return y if x != x or y > x else x


def fmin(x, y):
    return y if x != x or y < x else x


def sign(x):
    return float((x > 0) - (x < 0))


def signbit(x):
    return copysign(1.0, x) < 0


def floor(x):
    return copysign(float(math.floor(x)), x)


def ceil(x):
    return copysign(float(math.ceil(x)), x)


def trunc(x):
    return copysign(float(math.trunc(x)), x)


def round(x):
    return copysign(float(math.floor(x + 0.5) if x % 1 != 0.5 else 2 * math.floor(x / 2 + 0.5)), x)


def rsqrt(x):
    return 1.0 / sqrt(x)


def remainder(x, y):
    return x % y


def div_floor(x, y):
    return x // y


def exp2(x):
    return pow(2.0, x)


def logaddexp(x, y):
    return x if x == y == -math.inf else maximum(x, y) + log1p(exp(-abs(x - y)))


def sigmoid(x):
    return 1.0 / (1.0 + exp(-x)) if x >= 0 else exp(x) / (1.0 + exp(x))


def softplus(x):
    return maximum(x, 0.0) + log1p(exp(-abs(x)))


def log_sigmoid(x):
    return minimum(x, 0.0) - log1p(exp(-abs(x)))


def ndtr(x):
    return 0.5 * erfc(-x * 0.7071067811865476)


def normal_density(x):
    return 0.3989422804014327 * exp(-0.5 * x * x)


def gelu_slope(x):
    x = minimum(maximum(x, -40.0), 40.0)
    return ndtr(x) + x * normal_density(x)


def logical_and(x, y):
    return bool(x) and bool(y)


def logical_or(x, y):
    return bool(x) or bool(y)


def logical_xor(x, y):
    return bool(x) != bool(y)


def logical_not(x):
    return not x


def __getattr__(name):
    """A function that only ndarrays have, for one number."""
    from . import on_arrays

    function = getattr(on_arrays, name)
    return lambda *numbers: float(function(*map(on_arrays.np.float64, numbers)))


__all__ = [
    "abs",
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "ceil",
    "copysign",
    "cos",
    "cosh",
    "div_floor",
    "erf",
    "erfc",
    "exp",
    "exp2",
    "expm1",
    "floor",
    "fmax",
    "fmin",
    "fmod",
    "gelu_slope",
    "hypot",
    "isfinite",
    "isinf",
    "isnan",
    "lgamma",
    "log",
    "log1p",
    "log2",
    "log10",
    "log_sigmoid",
    "logaddexp",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "maximum",
    "minimum",
    "ndtr",
    "normal_density",
    "pow",
    "remainder",
    "round",
    "rsqrt",
    "sigmoid",
    "sign",
    "signbit",
    "sin",
    "sinh",
    "softplus",
    "sqrt",
    "tan",
    "tanh",
    "trunc",
    "where",
]
