"""Sums of formulas in one pass: against sums of the formula's values."""

import numpy as np
import pytest

from autograd import jit
from autograd.kernels.sums import PIECE, Sum

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
