"""The function library ``_`` of the rows, over ndarrays: NumPy's ufuncs, and scipy.special where NumPy has none."""

from typing import Any

import numpy as np
from numpy import (
    abs,
    ceil,
    copysign,
    cos,
    cosh,
    exp,
    exp2,
    expm1,
    floor,
    fmax,
    fmin,
    hypot,
    isfinite,
    isinf,
    isnan,
    log,
    log1p,
    log2,
    log10,
    logaddexp,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    maximum,
    minimum,
    signbit,
    sin,
    sinh,
    sqrt,
    tan,
    tanh,
    trunc,
)
from numpy import arccos as acos
from numpy import arccosh as acosh
from numpy import arcsin as asin
from numpy import arcsinh as asinh
from numpy import arctan as atan
from numpy import arctan2 as atan2
from numpy import arctanh as atanh
from numpy import rint as round

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
    "decay",
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
    "raised_decay",
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
]  # fmt: skip


def _refusing_zero(function: Any) -> Any:
    """Integers have no infinity to stand for a division by zero."""

    def divide(x: Any, y: Any) -> Any:
        if y.dtype.kind in "iu" and x.size and not np.all(y):
            raise RuntimeError("ZeroDivisionError")
        return function(x, y)

    return divide


def pow(x: Any, y: Any) -> Any:
    if x.dtype.kind in "iu" and y.dtype.kind in "iu" and np.any(y < 0):
        # An inverse rounds to 0, but for those of 1 and -1.
        inverse = np.where(x == 1, 1, np.where(x == -1, np.where(y % 2 == 0, 1, -1), 0)).astype(x.dtype)
        return np.where(y < 0, inverse, np.power(x, np.where(y < 0, y.dtype.type(0), y)))
    if x.dtype.kind == "b":
        return np.logical_or(x, np.logical_not(y))
    power = np.power(x, y)
    if x.dtype.kind == "c" and (y.ndim or y not in (0, 2, 3)) and not np.all(x):
        power = np.where(x == 0, np.exp(y * np.log(x)), power)  # as C, where NumPy has cases of its own
    return power


div_floor = _refusing_zero(np.floor_divide)
fmod = _refusing_zero(np.fmod)
remainder = _refusing_zero(np.remainder)


def sign(x: Any) -> Any:
    # np.sign(nan) is nan, PyTorch's is 0.
    if x.dtype.kind == "b":
        return x
    return np.subtract(x > 0, x < 0, dtype=x.dtype)


_ONE = np.array(1, np.int8)
_WORDS = {np.dtype(np.float32): np.int32, np.dtype(np.float64): np.int64}
SELECTED = 1024  # elements from which masking bits is faster than NumPy's `where`


def undispatched(function: Any) -> Any:
    """A function of NumPy's without its search for other array types, which takes 0.4 us (measured), where it names
    what it finds without one."""
    return getattr(function, "_implementation", function)


_where = undispatched(np.where)


def where(condition: Any, x: Any, y: Any) -> Any:
    """NumPy's `where`. It branches; where one side is the number 0, the bits of the other are masked instead: measured
    for 4096 float32 and conditions as good as random, 3.3 and 16 us."""
    if type(condition) is np.ndarray and condition.size >= SELECTED:
        for kept, zero in ((x, y), (y, x)):
            word = _WORDS.get(getattr(kept, "dtype", None))
            if word is None or kept.shape != condition.shape or np.ndim(zero) or zero:
                continue
            if getattr(zero, "dtype", kept.dtype) == kept.dtype and not np.signbit(zero):
                flags = condition.view(np.int8)
                masks = np.negative(flags) if kept is x else np.subtract(flags, _ONE)  # all bits or none, in bytes
                result = np.empty(kept.shape, kept.dtype)
                bits = result.view(word)
                np.copyto(bits, masks)  # in words
                np.bitwise_and(kept.view(word), bits, bits)
                return result
    return _where(condition, x, y)


def rsqrt(x: Any) -> Any:
    return np.reciprocal(np.sqrt(x))


def sigmoid(x: Any) -> Any:
    # exp overflows to inf for very negative x, and 1/inf is the right 0.
    one = x.dtype.type(1)
    return one / (one + np.exp(-x))


def softplus(x: Any) -> Any:
    return np.logaddexp(x, x.dtype.type(0))


def log_sigmoid(x: Any) -> Any:
    return -np.logaddexp(-x, x.dtype.type(0))


def decay(a: Any) -> Any:
    return np.exp(-a)


raised_decay = decay


def normal_density(x: Any) -> Any:
    return np.exp(x * x * x.dtype.type(-0.5)) * x.dtype.type(0.3989422804014327)


FAR = 40.0  # beyond it the normal distribution is 0 or 1


def gelu_slope(x: Any) -> Any:
    from scipy.special import ndtr

    x = np.minimum(np.maximum(x, x.dtype.type(-FAR)), x.dtype.type(FAR))
    return ndtr(x) + x * normal_density(x)


def lgamma(x: Any) -> Any:
    from scipy.special import gammaln

    return np.where(np.isinf(x), x.dtype.type(np.inf), gammaln(x))  # SciPy's is -inf at -inf


def __getattr__(name: str) -> Any:
    # scipy.special takes longer to import than all of NumPy: only for who asks.
    scipy_names = {"erf": "erf", "erfc": "erfc", "ndtr": "ndtr"}
    if name not in scipy_names:
        from . import uncompiled

        return getattr(uncompiled, name)
    import scipy.special

    function = getattr(scipy.special, scipy_names[name])
    globals()[name] = function
    return function
