"""Normal numbers of float32 from uniform ones, to the last bit those of PyTorch on processors with AVX2.

PyTorch takes logarithm, sine and cosine there from polynomials (the single-precision ones of the Cephes library), and
its compiler fuses products and sums. The formulas below do the same, step by step. They are read twice: by NumPy, and
compiled for large arrays; both round every step alike.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from types import FunctionType
from typing import Any

import numpy as np

from . import jit

__all__ = ["box_muller"]

T = np.float32
unsigned: Any = int  # compiled: numba tests a signed index for being negative
# NumPy's reading goes in pieces that stay in the cache.
PIECE = 1 << 15
BLOCK = 16
# `randn(16)` takes 100 us by NumPy's reading and 13 by the compiled one: who has drawn so many times gets that, too.
OFTEN = 100

_calls = 0


@np.errstate(over="ignore", invalid="ignore")
def box_muller(u: np.ndarray, mean: float, std: float) -> np.ndarray:
    """Turns each 16 uniforms into 16 normals in place; what follows the last 16 stays.

    Args:
        u: float32 of [0, 1), contiguous.
        mean: of the result.
        std: its standard deviation.
    """
    global _calls
    whole = u[: u.size // BLOCK * BLOCK]
    _calls += 1
    if jit.use_loops(whole.size) or (_calls > OFTEN and jit.use_loops(jit.threshold)):
        _compiled()(whole, T(mean), T(std))
        return u
    for start in range(0, whole.size, PIECE):
        blocks = whole[start : start + PIECE].reshape(-1, 2, BLOCK // 2)
        blocks[:, 0], blocks[:, 1] = pair(blocks[:, 0].copy(), blocks[:, 1].copy(), T(mean), T(std))
    return u


# --- Formulas, on arrays or on floats ------------------------------------------------------------------------------


def fma(a: Any, b: Any, c: Any) -> Any:
    """``a * b + c`` rounded once: in float64 the product is exact (and the sum all but always)."""
    exact = np.multiply(a, b, dtype=np.float64)
    exact += c
    return exact.astype(T)


def pair(u1: Any, u2: Any, mean: Any, std: Any) -> Any:
    """``mean + std * sqrt(-2 log(1 - u1)) * (cos, sin)(2 pi u2)``."""
    radius = np.sqrt(T(-2) * logarithm(T(1) - u1))
    sine, cosine = sine_and_cosine(T(2 * math.pi) * u2)
    return fma(radius * cosine, std, mean), fma(radius * sine, std, mean)


def logarithm(x: Any) -> Any:
    """Natural logarithm of a normal number: exponent and mantissa apart, the mantissa in [sqrt(1/2), sqrt(2))."""
    bits = np.float32(x).view(np.int32)
    mantissa = np.int32((bits & 0x007FFFFF) | 0x3F000000).view(np.float32)
    exponent = T((bits >> 23) - 126)
    low = T(mantissa < T(math.sqrt(0.5)))
    exponent = exponent - low
    x = (mantissa - T(1)) + mantissa * low
    square = x * x
    y = fma(T(7.0376836292e-2), x, T(-1.1514610310e-1))
    y = fma(y, x, T(1.1676998740e-1))
    y = fma(y, x, T(-1.2420140846e-1))
    y = fma(y, x, T(1.4249322787e-1))
    y = fma(y, x, T(-1.6668057665e-1))
    y = fma(y, x, T(2.0000714765e-1))
    y = fma(y, x, T(-2.4999993993e-1))
    y = fma(y, x, T(3.3333331174e-1))
    # log 2 in two parts: 0.693359375 has few digits.
    y = fma(y * x, square, exponent * T(-2.12194440e-4))
    return fma(exponent, T(0.693359375), x + (y - square * T(0.5)))


def sine_and_cosine(x: Any) -> Any:
    """Sine and cosine of a small positive number: the octant, and polynomials on [-pi/4, pi/4]."""
    octant = (np.int32(x * T(4 / math.pi)) + 1) & -2
    y = T(octant)
    # pi / 4 in three parts.
    x = fma(y, T(-0.78515625), x)
    x = fma(y, T(-2.4187564849853515625e-4), x)
    x = fma(y, T(-3.77489497744594108e-8), x)
    square = x * x
    even = fma(T(2.443315711809948e-5), square, T(-1.388731625493765e-3))
    even = fma(even, square, T(4.166664568298827e-2)) * square
    even = fma(even, square, square * T(-0.5)) + T(1)
    odd = fma(T(-1.9515295891e-4), square, T(8.3321608736e-3))
    odd = fma(odd, square, T(-1.6666654611e-1)) * square
    odd = fma(odd, x, x)
    # Exchanged and negated bit by bit: NumPy's where() goes element by element.
    odd_bits, even_bits = np.float32(odd).view(np.int32), np.float32(even).view(np.int32)
    exchange = (odd_bits ^ even_bits) & -((octant >> 1) & 1)
    sine = np.int32(odd_bits ^ exchange ^ ((octant & 4) << 29)).view(np.float32)
    cosine = np.int32(even_bits ^ exchange ^ (((octant + 2) & 4) << 29)).view(np.float32)
    return sine, cosine


# --- The compiled reading ------------------------------------------------------------------------------------------


def blocks(u: Any, mean: Any, std: Any) -> None:
    """`pair` of the first and the last 8 of each 16 numbers, in place."""
    for start in range(0, u.size, 16):
        for i in range(start, start + 8):
            u[unsigned(i)], u[unsigned(i + 8)] = pair(u[unsigned(i)], u[unsigned(i + 8)], mean, std)


@cache
def _compiled() -> Callable[..., None]:
    """`blocks`, and the formulas under their own names with LLVM's instructions; without contraction of its own."""
    from numba import njit, uint64

    from .compiled import compiled
    from .scalar import fma

    names: dict[str, Any] = {"T": T, "np": np, "math": math, "fma": fma, "unsigned": uint64}
    for formula in (logarithm, sine_and_cosine, pair):
        names[formula.__name__] = njit(forceinline=True)(FunctionType(formula.__code__, names))
    loop = FunctionType(blocks.__code__, {**names, "__name__": __name__}, blocks.__name__)
    return compiled(error_model="numpy")(loop)
