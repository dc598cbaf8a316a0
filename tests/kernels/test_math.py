"""The scalar library of generated loops: every function, both precisions, against a wider oracle."""

import functools
import math
import re
import subprocess
import sys

import mpmath
import numpy as np
import pytest
from assembly import assembly_of, packed_multiplications

pytest.importorskip("numba")
from numba import njit
from numba.core.errors import TypingError
from scipy.special import gammaln

from autograd.kernels import math32, math64
from autograd.kernels.scalar import wide

LIBRARIES = {np.float32: math32, np.float64: math64}
REALS = pytest.mark.parametrize("real", LIBRARIES, ids=["float32", "float64"])
FLAGS = {"contract", "arcp", "nsz"}


@functools.cache
def loop(real, name, arity=1):
    """The function over arrays, compiled as generated loops are."""
    function = getattr(LIBRARIES[real], name)

    def unary(x, out):
        wide()
        for i in range(x.size):
            out[i] = function(x[i])

    def binary(x, y, out):
        wide()
        for i in range(x.size):
            out[i] = function(x[i], y[i])

    return njit(unary if arity == 1 else binary, nogil=True, fastmath=FLAGS)


def apply(real, name, *arrays, dtype=None):
    out = np.empty(arrays[0].shape, dtype or real)
    loop(real, name, len(arrays))(*arrays, out)
    return out


def specials(real):
    info = np.finfo(real)
    positive = [
        0,
        info.smallest_subnormal,
        info.smallest_normal,
        info.eps,
        0.5,
        1,
        1.5,
        2,
        2.5,
        3,
        7.25,
        100,
        1000,
    ]
    return np.array([s * v for v in [*positive, info.max, np.inf] for s in (1, -1)] + [np.nan], real)


def pairs(values):
    return [np.ascontiguousarray(a.ravel()) for a in np.meshgrid(values, values)]


def random_pairs(real, seed=0, size=20_000):
    return np.random.default_rng(seed).standard_normal((2, size)).astype(real) * real(5)


def error(got, want):
    """Distance in units of the last place of the result; infinite where NaN, inf or the sign of 0 differ."""
    real = got.dtype.type
    rounded = want.astype(real)
    same_sign = (np.signbit(got) == np.signbit(rounded)) | (want != 0)
    same = ((got == rounded) & same_sign) | (np.isnan(got) & np.isnan(rounded))
    unit = np.spacing(np.maximum(np.abs(rounded), np.finfo(real).smallest_normal)).astype(want.dtype)
    distance = np.abs(got.astype(want.dtype) - want) / unit
    comparable = np.isfinite(got) & np.isfinite(want) & same_sign
    return np.where(same, 0, np.where(comparable, distance, np.inf))


def elementwise(function):
    """A function of Python floats over an array: erf and erfc exist in no wider type."""
    return lambda x: np.array([function(value) for value in x.tolist()])


def sigmoid(x):
    e = np.exp(-np.abs(x))
    return np.where(x < 0, e, 1) / (1 + e)


def softplus(x):
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def log_sigmoid(x):
    return np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x)))


def ndtr(x):
    with mpmath.workprec(90):
        return float(mpmath.ncdf(max(min(x, 99.0), -99.0)))  # mpmath refuses very large numbers


def normal_density(x):
    return np.exp(x * x / -2) / np.sqrt(2 * x.dtype.type(math.pi) + x.dtype.type(2.4492935982947064e-16))


# name: oracle, interval sampled evenly, largest error in ulp (float32, float64; hosts without FMA included)
ACCURACY = {
    "exp": (np.exp, (-90, 90), 1, 1),
    "exp2": (np.exp2, (-130, 130), 1.1, 1.1),
    "expm1": (np.expm1, (-30, 90), 1.6, 1.7),
    "log": (np.log, (0.5, 2), 1, 1),
    "log2": (np.log2, (0.5, 2), 1.8, 1.8),
    "log10": (np.log10, (0.5, 2), 1.9, 1.9),
    "log1p": (np.log1p, (-1, 3), 1.5, 1.5),
    "sigmoid": (sigmoid, (-90, 40), 2.1, 2),
    "softplus": (softplus, (-90, 90), 1.6, 1.6),
    "log_sigmoid": (log_sigmoid, (-90, 90), 1.6, 1.6),
    "sinh": (np.sinh, (-90, 90), 2, 2),
    "cosh": (np.cosh, (-90, 90), 1.3, 1.3),
    "tanh": (np.tanh, (-20, 20), 2.6, 2.6),
    "asinh": (np.arcsinh, (-5, 5), 1.7, 1.8),
    "acosh": (np.arccosh, (1, 10), 2, 2),
    "atanh": (np.arctanh, (-1, 1), 1.9, 1.9),
    "sin": (np.sin, (-100, 100), 0.6, 2),
    "cos": (np.cos, (-100, 100), 0.6, 2),
    "tan": (np.tan, (-100, 100), 0.6, 3.3),
    "asin": (np.arcsin, (-1, 1), 2, 2),
    "acos": (np.arccos, (-1, 1), 1.3, 1.3),
    "atan": (np.arctan, (-10, 10), 1.8, 1.8),
    "erf": (elementwise(math.erf), (-6, 6), 1.3, 2),
    "erfc": (elementwise(math.erfc), (-6, 27), 4.6, 8),
    "ndtr": (elementwise(ndtr), (-38, 6), 9, 6),
    "normal_density": (normal_density, (-38, 38), 3, 3),
    "rsqrt": (lambda x: 1 / np.sqrt(x), (0, 10), 1.5, 1.5),
}
PERIODIC = {"sin", "cos", "tan"}
LIMIT = 2.0**50  # beyond it the periodic functions are NaN

EXACT_UNARY = {
    "abs": np.abs, "ceil": np.ceil, "floor": np.floor, "isfinite": np.isfinite, "isinf": np.isinf,
    "isnan": np.isnan, "round": np.rint, "sign": lambda x: np.sign(np.where(np.isnan(x), 0, x)) + 0,
    "signbit": np.signbit, "sqrt": np.sqrt, "trunc": np.trunc,
}  # fmt: skip
EXACT_BINARY = {
    "copysign": np.copysign, "fmax": np.fmax, "fmin": np.fmin, "fmod": np.fmod,
    "maximum": np.maximum, "minimum": np.minimum,
}  # fmt: skip


@REALS
@pytest.mark.parametrize("name", ACCURACY)
def test_accuracy(name, real):
    oracle, interval, *limits = ACCURACY[name]
    wide = np.float64 if real is np.float32 else np.longdouble
    info = np.finfo(real)
    top = math.log2(LIMIT) if name in PERIODIC else info.maxexp - 0.01
    scales = np.exp2(np.linspace(info.minexp, top, 4000)).astype(real)
    special = specials(real)
    if name in PERIODIC:
        special = special[~(np.isfinite(special) & (np.abs(special) > LIMIT))]
    x = np.concatenate([np.linspace(*interval, 20_000).astype(real), scales, -scales, special])
    with np.errstate(all="ignore"):
        want = oracle(x.astype(wide))
        errors = error(apply(real, name, x), want)
    worst = np.argmax(errors)
    limit = limits[real is np.float64] + (np.finfo(wide).eps == info.eps)  # no wider type: the oracle's own ulp
    assert errors[worst] <= limit, f"{name}({x[worst]!r}): {errors[worst]:.3g} ulp from {want[worst]!r}"


@REALS
@pytest.mark.parametrize("name", [*EXACT_UNARY, *EXACT_BINARY])
def test_exact(name, real):
    if name in EXACT_UNARY:
        oracle, inputs = EXACT_UNARY[name], [np.concatenate([specials(real), random_pairs(real)[0]])]
    else:
        grid, random = pairs(specials(real)), random_pairs(real)
        oracle, inputs = EXACT_BINARY[name], [np.concatenate(both) for both in zip(grid, random, strict=True)]
    with np.errstate(all="ignore"):
        want = oracle(*inputs)
    got = apply(real, name, *inputs, dtype=want.dtype)
    np.testing.assert_array_equal(got, want)
    if want.dtype == real and name not in ("maximum", "minimum", "fmax", "fmin"):  # they may pick either zero
        zero = want == 0
        np.testing.assert_array_equal(np.signbit(got[zero]), np.signbit(want[zero]))


BINARY = {"pow": (np.power, 0.6, 1.3), "hypot": (np.hypot, 0.6, 1.2), "atan2": (np.arctan2, 2, 2)}


@REALS
@pytest.mark.parametrize("name", BINARY)
def test_accuracy_of_two_arguments(name, real):
    oracle, *limits = BINARY[name]
    wide = np.float64 if real is np.float32 else np.longdouble
    grid, random, scale = pairs(specials(real)), random_pairs(real), np.log(float(np.finfo(real).max))
    rng = np.random.default_rng(1)
    base = np.exp(rng.uniform(-0.5, 0.5, 20_000) * rng.choice([1, scale], 20_000)).astype(real)
    power = (rng.uniform(-1, 1, base.size) * scale / np.abs(np.log(base.astype(float)))).astype(real)
    x, y = (np.concatenate(parts) for parts in zip(grid, random, (base, power), strict=True))
    with np.errstate(all="ignore"):
        want = oracle(x.astype(wide), y.astype(wide))
        errors = error(apply(real, name, x, y), want)
    worst = np.argmax(errors)
    limit = limits[real is np.float64] + (np.finfo(wide).eps == np.finfo(real).eps)
    assert errors[worst] <= limit, f"{name}({x[worst]!r}, {y[worst]!r}): {errors[worst]:.3g} ulp"


@REALS
@pytest.mark.parametrize("exponent", [-2, -1, -0.5, 0, 0.5, 1, 1.75, 2, 3])
def test_known_exponents(exponent, real):
    x = np.concatenate([specials(real), *random_pairs(real)])
    with np.errstate(all="ignore"):
        want = np.power(x.astype(np.float64 if real is np.float32 else np.longdouble), exponent)
        if exponent == 0.5:
            want = np.where(np.isneginf(x), np.inf, want)  # as C, where NumPy has the square root
        assert error(apply(real, "known_pow", x, np.full_like(x, exponent)), want).max() <= 2


@REALS
def test_lgamma(real):
    x = np.concatenate([np.linspace(-10, 10, 20_001).astype(real), specials(real), random_pairs(real)[0]])
    x = x[(x == 0) | ~(np.abs(x) < np.finfo(real).smallest_normal)]  # SciPy has inf for subnormals
    want = gammaln(x.astype(float))
    want[np.isneginf(x)] = np.inf  # as PyTorch and C; SciPy has -inf
    with np.errstate(over="ignore"):
        want = want.astype(real)
    np.testing.assert_allclose(apply(real, "lgamma", x), want, rtol=8 * np.finfo(real).eps, atol=4e-15)


@REALS
def test_logaddexp(real):
    wide = np.float64 if real is np.float32 else np.longdouble
    x, y = (np.concatenate(parts) for parts in zip(pairs(specials(real)), random_pairs(real), strict=True))
    with np.errstate(all="ignore"):
        want = np.logaddexp(x.astype(wide), y.astype(wide))
        got = apply(real, "logaddexp", x, y)
        # Where the two terms cancel, the error is relative to them, as in NumPy.
        unit = np.spacing(np.maximum(np.abs(want), np.maximum(np.abs(x), np.abs(y))).astype(real))
        close = np.abs(got - want) <= 2 * unit
    infinite = (got == want.astype(real)) | (np.isnan(got) & np.isnan(want))
    assert (close | infinite).all()


@REALS
def test_division(real):
    """As PyTorch, where the quotient is small: for large ones its fmod gives NaN, ours what C's gives."""
    torch = pytest.importorskip("torch")
    values = specials(real)
    values = values[~((np.abs(values) > 1000) & np.isfinite(values)) & ~((values != 0) & (np.abs(values) < 0.5))]
    x, y = (np.concatenate(parts) for parts in zip(pairs(values), random_pairs(real), strict=True))
    for name in ("fmod", "remainder", "div_floor"):
        oracle = torch.floor_divide if name == "div_floor" else getattr(torch, name)
        want = oracle(torch.from_numpy(x), torch.from_numpy(y)).numpy()
        got = apply(real, name, x, y)
        np.testing.assert_array_equal(got, want, err_msg=name)
        np.testing.assert_array_equal(np.signbit(got[got == 0]), np.signbit(want[got == 0]), err_msg=name)


# What a learner would look up first, independently of any oracle.
VALUES = [
    ("remainder", (-1, 3), 2), ("remainder", (1, -3), -2), ("remainder", (-1, math.inf), math.inf),
    ("remainder", (1, 0), math.nan), ("fmod", (-1, 3), -1), ("fmod", (1e30, 0.5), 0),
    ("div_floor", (-1, 3), -1), ("div_floor", (5, 0), math.inf), ("div_floor", (0, 0), math.nan),
    ("pow", (-2, 3), -8), ("pow", (-2, 0.5), math.nan), ("pow", (math.nan, 0), 1), ("pow", (1, math.nan), 1),
    ("pow", (-1, math.inf), 1), ("pow", (0, -1), math.inf), ("maximum", (1, math.nan), math.nan),
    ("fmax", (1, math.nan), 1), ("atan2", (0, -1), math.pi), ("hypot", (math.inf, math.nan), math.inf),
    ("logaddexp", (-math.inf, -math.inf), -math.inf), ("logaddexp", (math.inf, math.inf), math.inf),
    ("cos", (0,), 1), ("exp", (0,), 1), ("log", (0,), -math.inf), ("log", (-1,), math.nan), ("log2", (8,), 3),
    ("exp2", (10,), 1024), ("sin", (math.inf,), math.nan), ("sin", (1e300,), math.nan), ("round", (2.5,), 2),
    ("sign", (math.nan,), 0), ("lgamma", (-1,), math.inf), ("acos", (1,), 0),
    ("sigmoid", (-math.inf,), 0),
]  # fmt: skip


@REALS
def test_values(real):
    for name, arguments, want in VALUES:
        with np.errstate(over="ignore"):
            inputs = [np.array([argument]).astype(real) for argument in arguments]
        got = apply(real, name, *inputs)
        np.testing.assert_array_equal(got, [real(want)], err_msg=f"{name}{arguments}")


@REALS
def test_choices_and_logic(real):
    m = LIBRARIES[real]
    a, b, c, d = m.logical_and, m.logical_or, m.logical_xor, m.logical_not
    where = m.where

    @njit
    def all_of(p, q, x, y):
        return where(p, x, y), a(p, q), b(p, q), c(p, q), d(p)

    for p in (False, True):
        for q in (False, True):
            chosen, *logic = all_of(p, q, real(1), real(2))
            assert chosen == (1 if p else 2)
            assert logic == [p and q, p or q, p != q, not p]
            assert all(isinstance(value, bool) for value in logic)


@REALS
def test_large_angles(real):
    """Up to 2^50 the reduction keeps every bit: cases next to multiples of pi / 2."""
    x = np.concatenate([np.arange(1, 40_000) * (np.pi / 2), np.pi / 2 * np.exp2(np.arange(48))]).astype(real)
    for name, oracle in (("sin", np.sin), ("cos", np.cos)):
        want = oracle(x.astype(np.float64 if real is np.float32 else np.longdouble))
        assert error(apply(real, name, x), want).max() <= 3, name


@REALS
def test_gradual_underflow(real):
    info = np.finfo(real)
    x = np.linspace(np.log(float(info.smallest_normal)), np.log(float(info.smallest_subnormal)) - 1, 2000).astype(real)
    want = np.exp(x.astype(np.longdouble))
    assert (np.abs(apply(real, "exp", x) - want) <= info.smallest_subnormal).all()


@REALS
def test_decay(real):
    """exp(-a) is asked for a >= 0 alone, and rounding may have left it slightly below."""
    info = np.finfo(real)
    scales = np.exp2(np.linspace(info.minexp, info.maxexp - 0.01, 4000)).astype(real)
    a = np.concatenate([np.linspace(-0.01, 90, 20_000).astype(real), scales, np.array([0, np.inf, np.nan], real)])
    want = np.exp(-a.astype(np.float64 if real is np.float32 else np.longdouble))
    assert error(apply(real, "decay", a), want).max() <= 2
    raised = apply(real, "raised_decay", a)
    assert error(raised / raised[-3], want).max() <= 2  # of the third to last a is 0


@REALS
def test_gelu_slope(real):
    """Relative to its terms where these cancel: it is zero near -0.75."""
    x = np.concatenate([np.linspace(-37, 6, 20_000).astype(real), specials(real)])
    wide = np.clip(x.astype(np.float64 if real is np.float32 else np.longdouble), -99, 99)
    density = normal_density(wide)
    want = elementwise(ndtr)(wide) + wide * density
    with np.errstate(all="ignore"):
        got = apply(real, "gelu_slope", x)
        unit = np.spacing(np.maximum(np.maximum(np.abs(want), density), np.finfo(real).smallest_normal).astype(real))
        distance = np.abs(got - want) / unit
    assert (distance[~np.isnan(want)] <= 7).all()
    assert (np.isnan(got) == np.isnan(want)).all()


def test_same_functions_in_both_precisions():
    assert math32.__all__ == math64.__all__
    tested = {*ACCURACY, *EXACT_UNARY, *EXACT_BINARY, *BINARY, "decay", "known_pow", "lgamma", "logaddexp"}
    tested |= {
        "gelu_slope",
        "raised_decay",
        "remainder",
        "div_floor",
        "where",
        "logical_and",
        "logical_or",
        "logical_xor",
        "logical_not",
    }
    assert set(math32.__all__) == tested


def test_results_keep_the_precision():
    @njit
    def single(x):
        return math32.exp(x), math32.pow(x, x), math32.sin(x), math32.lgamma(x), math32.sign(x)

    single(np.float32(1))
    (signature,) = single.nopython_signatures
    assert str(signature.return_type) == "UniTuple(float32 x 5)"
    with pytest.raises(TypingError):
        njit(lambda x: math32.exp(x))(np.float64(1))


@REALS
@pytest.mark.parametrize("name", ["exp", "log", "tanh", "sigmoid", "erf", "sin", "pow"])
def test_vectorized(name, real):
    """The loop works on whole registers: packed multiplications, and no call to libm."""
    arity = 2 if name == "pow" else 1
    apply(real, name, *[np.ones(4, real)] * arity)
    assembly = assembly_of(loop(real, name, arity))
    assert len(packed_multiplications(assembly)) >= 5
    assert not re.search(rf"\b_?{name}f?\b(?:@PLT)?$", assembly, re.MULTILINE)


def test_import_compiles_nothing():
    program = (
        "from autograd.kernels import math32, math64\n"
        "for m in (math32, math64):\n"
        "    for name in m.__all__:\n"
        "        assert not getattr(getattr(m, name), 'signatures', ()), name\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
