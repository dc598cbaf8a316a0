"""Sums of formulas in one pass: against sums of the formula's values."""

import numpy as np
import pytest

from autograd import jit
from autograd.kernels.sums import PIECE, Sum, add_up

_ = None


def squares(x, y):
    return (x - y) * (x - y)


def bounded(x, y, limit):
    return _.minimum(_.abs(x - y), limit) * 0.5


def values(formula, x, y, *numbers):
    return (x - y) ** 2 if formula is squares else np.minimum(np.abs(x - y), numbers[0]) * 0.5


@pytest.mark.parametrize("mode", ["never", "always"])
@pytest.mark.parametrize(("formula", "numbers"), [(squares, ()), (bounded, (0.7,))])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_agrees_with_the_values(formula, numbers, dtype, mode):
    """Shorter than a piece, whole pieces, pieces and a rest; broadcast and transposed."""
    total = Sum(formula, 2)
    generator = np.random.default_rng(0)
    shapes = [(5,), (PIECE,), (3, PIECE), (PIECE + 7,), (2 * PIECE - 1,), (0,), ()]
    rtol = {"float16": 2e-3, "float32": 1e-6, "float64": 1e-14}[dtype]
    with jit.using(mode):
        for shape in shapes:
            x, y = generator.normal(size=(2, *shape)).astype(dtype)
            for a, b in ((x, y), (x, y[..., :1] if shape else y), (x.T, y.T)):
                found = total((np.asarray(a), np.asarray(b)), numbers)
                expected = values(formula, np.float64(a), np.float64(b), *numbers).sum()
                assert found.dtype == ("float32" if dtype == "float16" else dtype)
                np.testing.assert_allclose(found, expected, rtol=rtol)


def test_nan_and_infinity_arrive():
    x = np.zeros(2 * PIECE, np.float32)
    total = Sum(squares, 2)
    for special in (np.nan, np.inf):
        for place in (0, PIECE + 3, -1):
            changed = x.copy()
            changed[place] = special
            with np.errstate(invalid="ignore"):
                np.testing.assert_equal(total((changed, x)), special)


SHAPES = {
    (70_000,): [(0,)],
    (257, 300): [(0,), (1,), (0, 1), (1, 0)],
    (600, 128): [(0,), (1,)],
    (3, 250, 4, 33): [(0,), (1,), (2,), (3,), (0, 1), (3, 2), (1, 2, 0), (0, 2), (0, 1, 2, 3)],
}


@pytest.mark.parametrize("mode", ["never", "auto"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int64"])
def test_add_up(shape, dtype, mode):
    """Over all and over some dimensions, side by side or not, in one piece in memory or not, kept or not."""
    x = np.random.default_rng(0).normal(size=shape, scale=100).astype(dtype)
    rtol = {"float16": 1e-5, "float32": 1e-5, "float64": 1e-13}.get(dtype, 0)
    wide = np.dtype("float32" if dtype == "float16" else dtype)
    for axes in SHAPES[shape]:
        for array in (x, x[::2], x.copy(order="F")):
            for keepdims in (False, True):
                with jit.using(mode):
                    found = add_up(array, axes, keepdims, wide)
                expected = np.add.reduce(array, axes, float if dtype != "int64" else None, keepdims=keepdims)
                assert found.dtype == wide
                assert found.shape == expected.shape
                np.testing.assert_allclose(found, expected, rtol, 1e-2 if rtol > 1e-6 else 1e-9)


def test_large_sums_are_as_exact_as_small_ones():
    x = np.full(1 << 20, 0.1, "float32")
    np.testing.assert_allclose(add_up(x, (0,), False, x.dtype), np.float64(x[0]) * x.size, 5e-7)
