"""Formulas along a dimension: NumPy's reading and the compiled walks agree with sums taken in longer numbers."""

import math
import re

import numpy as np
import pytest

from autograd.kernels import jit, threads
from autograd.kernels import softmax as kernel
from autograd.kernels.along import COLUMNS, Along

TYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
SHAPES = [
    ((5, 1), 1), ((5, 7), 1), ((3, 16), -1), ((3, 17), 1), ((2, 1025), 1), ((1, 3000), 1), ((40,), 0),
    ((7, 5), 0), ((1030, 3), 0), ((2, 9, 3), 1), ((2, 5, COLUMNS), 1), ((2, 5, COLUMNS + 3), 1), ((1, 1, 1), 1),
    ((2, 3, 4), (1, 2)), ((2, 3, 4), (0, 1)), ((2, 3, 4), (0, 2)), ((2, 3, 4), (2, 0, 1)),
    ((0, 4), 1), ((0, 4, 3), 1),
]  # fmt: skip


def wide_softmax(x, axis):
    e = np.exp(x - x.max(axis, keepdims=True, initial=-np.inf))
    return e / e.sum(axis, keepdims=True)


def wide_logsumexp(x, axis):
    return np.log(np.exp(x).sum(axis, keepdims=True))


# The formula, its operands made of x and g, and what it should give.
FORMULAS = {
    "softmax": (lambda x, g, axis: (x,), lambda x, g, axis: wide_softmax(x, axis)),
    "log_softmax": (lambda x, g, axis: (x,), lambda x, g, axis: x - wide_logsumexp(x, axis)),
    "logsumexp": (lambda x, g, axis: (x,), lambda x, g, axis: wide_logsumexp(x, axis)),
    "softmax_gradient": (
        lambda x, g, axis: (g, wide_softmax(x, axis)),
        lambda x, g, axis: wide_softmax(x, axis) * (g - (g * wide_softmax(x, axis)).sum(axis, keepdims=True)),
    ),
    "log_softmax_gradient": (
        lambda x, g, axis: (g, x - wide_logsumexp(x, axis)),
        lambda x, g, axis: g - wide_softmax(x, axis) * g.sum(axis, keepdims=True),
    ),
    "logsumexp_gradient": (
        lambda x, g, axis: (g.sum(axis, keepdims=True), x, wide_logsumexp(x, axis)),
        lambda x, g, axis: g.sum(axis, keepdims=True) * wide_softmax(x, axis),
    ),
}


@TYPES
@pytest.mark.parametrize("name", FORMULAS)
def test_values(name, dtype, reading):
    operands_of, oracle = FORMULAS[name]
    rng = np.random.default_rng(0)
    for shape, axis in SHAPES:
        x, g = rng.standard_normal((2, *shape))
        operands = [each.astype(dtype) for each in operands_of(x, g, axis)]
        got = getattr(kernel, name)(axis, *operands)
        want = oracle(x, g, axis)
        assert got.dtype == dtype
        limit = 2e-5 if dtype == np.float32 else 1e-13
        np.testing.assert_allclose(got, want, limit, limit, err_msg=f"{shape} along {axis}")


@TYPES
def test_rows_of_every_length(dtype, reading):
    """Whole turns of vectors, masked ones and single elements; nothing is written behind the last row."""
    rng = np.random.default_rng(0)
    for length in (*range(1, 140), 511, 513, 560, 600):
        x = rng.standard_normal((3, length)).astype(dtype)
        memory = np.full(x.size + 200, 7, dtype)
        got = kernel.softmax(1, x, out=memory[: x.size].reshape(x.shape))
        np.testing.assert_allclose(got, wide_softmax(x.astype(np.float64), 1), 2e-5, err_msg=str(length))
        assert (memory[x.size :] == 7).all()


def test_memory_orders(reading):
    """Transposed, strided, reversed and repeated operands."""
    block = np.random.default_rng(0).standard_normal((6, 40, 10)).astype(np.float32)
    repeated = np.broadcast_to(block[:1], block.shape)
    for x in (block.T, block[:, ::3], block[::-1, :, ::-1], repeated, block.swapaxes(0, 1)[3:]):
        for axis in range(3):
            np.testing.assert_allclose(kernel.softmax(axis, x), wide_softmax(x, axis), 1e-5)
            g = np.cos(x)
            want = FORMULAS["softmax_gradient"][1](x, g, axis)
            np.testing.assert_allclose(kernel.softmax_gradient(axis, g, wide_softmax(x, axis)), want, 1e-4, 1e-6)


NAN, INF, LN2, LN3 = math.nan, math.inf, math.log(2), math.log(3)
# A row (M the largest number), its softmax, its log_softmax and its logsumexp.
EXTREMES = [
    ([-INF, -INF, -INF], [NAN, NAN, NAN], [NAN, NAN, NAN], -INF),
    ([INF, 0, 1], [NAN, NAN, NAN], [NAN, NAN, NAN], INF),
    ([NAN, 0, 1], [NAN, NAN, NAN], [NAN, NAN, NAN], NAN),
    ([INF, -INF, NAN], [NAN, NAN, NAN], [NAN, NAN, NAN], NAN),
    ([-INF, 0, -INF], [0, 1, 0], [-INF, 0, -INF], 0),
    ([1e4, 1e4, -1e4], [0.5, 0.5, 0], [-LN2, -LN2, -2e4 - LN2], 1e4 + LN2),
    (["M", 0, "-M"], [1, 0, 0], [0, "-M", -INF], "M"),
    (["M", "M", "M"], [1 / 3, 1 / 3, 1 / 3], [-LN3, -LN3, -LN3], "M"),
]


@TYPES
@pytest.mark.parametrize("axis", [0, 1])
def test_extreme_values(axis, dtype, reading):
    """Far from zero, and infinite: nothing overflows, and NaN stands where PyTorch has it."""
    largest = np.finfo(dtype).max
    numbers = {"M": largest, "-M": -largest}
    x, *wanted = (
        np.array([[numbers.get(n, n) for n in np.atleast_1d(np.array(row, object))] for row in column], dtype)
        for column in zip(*EXTREMES, strict=True)
    )
    x, *wanted = (each if axis == 1 else np.ascontiguousarray(each.T) for each in (x, *wanted))
    for formula, want in zip((kernel.softmax, kernel.log_softmax, kernel.logsumexp), wanted, strict=True):
        with np.errstate(all="ignore"):
            np.testing.assert_allclose(formula(axis, x), want, 1e-6, err_msg=formula.name)


def test_float16_is_rounded_once(reading):
    x = np.random.default_rng(0).standard_normal((3, 5)).astype(np.float16)
    got = kernel.log_softmax(1, x)
    assert got.dtype == np.float16
    np.testing.assert_array_equal(got, (x - wide_logsumexp(x.astype(np.float64), 1)).astype(np.float16))


def test_threads_agree(number_of_threads_restored):
    """Pieces of the work give the same bits as all of it."""
    pytest.importorskip("numba")
    rng = np.random.default_rng(0)
    for shape, axis in (((300, 400), 1), ((300, 400), 0), ((4, 50, 30, 30), 1)):
        x = rng.standard_normal(shape).astype(np.float32)
        results = []
        for number in (1, 3):
            threads.set_num_threads(number)
            results.append(kernel.softmax(axis, x))
        np.testing.assert_array_equal(*results)


@TYPES
def test_nan_spreads_over_its_row(dtype, reading):
    """Wherever it stands, and whatever else is there: maxima overlook it."""
    x = np.random.default_rng(0).standard_normal((300, 150)).astype(dtype)
    x[np.arange(150), np.arange(150)] = math.nan
    x[50:100, 7], x[100:150, 7] = INF, -INF
    for formula in (kernel.softmax, kernel.log_softmax, kernel.logsumexp):
        with np.errstate(invalid="ignore"):
            got = formula(1, x)
        assert np.isnan(got[:150]).all(), formula.name
        assert np.isfinite(got[150:]).all(), formula.name


_ = highest = total = None  # of the formulas


@Along
def several(x, y, each):
    shifted = x - each
    span = highest(shifted) + highest(-shifted)
    wave = _.sin(y)
    sum = total(wave * shifted)
    share = wave * sum
    return share, span, shifted * sum


def test_several_results(reading):
    """Values for each element and for each run, from operands of both kinds, and turns that wait for another."""
    rng = np.random.default_rng(0)
    for shape, axis in (((4, 6), 1), ((4, 6), 0), ((2, 3, 200), 1)):
        x, y = rng.standard_normal((2, *shape))
        each = x.mean(axis, keepdims=True)
        share, span, product = several(axis, x, y, each)
        sum = (np.sin(y) * (x - each)).sum(axis, keepdims=True)
        np.testing.assert_allclose(share, np.sin(y) * sum, 1e-12)
        np.testing.assert_allclose(span, np.ptp(x, axis, keepdims=True), 1e-12)
        np.testing.assert_allclose(product, (x - each) * sum, 1e-12, 1e-12)


@pytest.mark.parametrize(("name", "count"), [("softmax", 1), ("log_softmax", 1), ("softmax_gradient", 2)])
@pytest.mark.parametrize("axis", [0, 1])
def test_packed_instructions(name, count, axis, monkeypatch):
    """Maxima, exponentials and sums are taken of whole registers, and libm is not called."""
    pytest.importorskip("numba")
    from numba.core.registry import cpu_target

    _triple, _name, features = cpu_target.target_context.codegen().magic_tuple()
    if "+avx2" not in features:
        pytest.skip("a host without AVX2")
    monkeypatch.setattr(jit, "cache_folder", lambda: None)  # numba shows no assembly of what it read from a cache
    fresh = Along(getattr(kernel, name)._function)
    with jit.using("always"):
        fresh(axis, *[np.ones((20, 20), np.float32)] * count)
    ((walk, _results),) = fresh._kernels.values()
    (assembly,) = walk.inspect_asm().values()
    register = "zmm" if "+avx512f" in features else "ymm"
    operations = ["mul"] if name == "softmax_gradient" else ["max", "fmadd", "sub"]
    for operation in operations:
        assert re.search(rf"v\w*{operation}\w*ps\s.*%{register}", assembly), operation
    assert not re.search(r"\b_?(exp|log)f?\b(?:@PLT)?$", assembly, re.MULTILINE)
