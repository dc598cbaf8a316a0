"""The rows' functions over arrays, where they do more than NumPy's."""

import numpy as np
import pytest

from autograd.kernels import on_arrays


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int64", "complex64"])
@pytest.mark.parametrize("size", [0, 1, 7, on_arrays.SELECTED, 5000])
def test_where(dtype, size):
    """Numbers of every kind, next to zeros of both signs, other numbers and arrays: bit for bit NumPy's."""
    random = np.random.default_rng(0)
    condition = random.random(size) < 0.5
    x = random.normal(size=size).astype(dtype)
    if dtype.startswith("float"):
        x[::3] = [np.nan, np.inf, -np.inf, -0.0, 0.0][size % 5]
    spread = np.repeat(x, 2)[::2]
    numbers = [np.array(0, dtype), -np.array(0, dtype), np.array(3, dtype), np.zeros(1, dtype), np.array(0, "float64")]
    numbers += [0.0, 0, -0.0, False]
    for given in (x, spread, x[:1]):
        for other in (*numbers, x[::-1]):
            for pair in ((given, other), (other, given)):
                if given.size or not size:
                    found, expected = on_arrays.where(condition, *pair), np.where(condition, *pair)
                    assert found.dtype == expected.dtype
                    assert found.tobytes() == expected.tobytes()


def test_where_gives_an_array_of_its_own():
    x, zero = np.ones((64, 64), "float32"), np.array(0, "float32")
    found = on_arrays.where(x > zero, x, zero)
    assert found.base is None
    assert found.flags.writeable
