"""Largest and smallest elements: NumPy's values in every way, NaN and infinities included."""

import numpy as np
import pytest

from autograd.kernels import jit, threads
from autograd.kernels.extremes import largest, smallest

WAYS = [(largest, np.maximum), (smallest, np.minimum)]
# Shapes, and the dimensions that are reduced: rows, columns, several at once, few and many results, nothing left.
CASES = [
    ((300, 128), (1,)), ((300, 7), (1,)), ((9000, 2), (1,)), ((500, 100), (0,)), ((100, 500), (0,)),
    ((20, 30, 40), (1,)), ((20, 30, 40), (1, 2)), ((20, 30, 40), (0, 2)), ((150, 3, 5, 8), (1, 2, 3)),
    ((150, 120), (0, 1)), ((20000,), (0,)), ((130, 129, 1), (2,)), ((3, 4), ()),
]  # fmt: skip


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int64"])
@pytest.mark.parametrize("mode", ["auto", "never", "always"])
def test_agrees_with_numpy(mode, dtype):
    if mode == "always":
        pytest.importorskip("numba")
    rng = np.random.default_rng(0)
    with jit.using(mode):
        for shape, axes in CASES:
            x = (rng.standard_normal(shape) * 100).astype(dtype)
            if dtype != "int64" and x.size > 1000:
                flat = x.reshape(-1)
                flat[::997], flat[::1009], flat[::4001] = np.inf, -np.inf, np.nan
            for array in (x, x[..., ::-1]):
                for keepdims in (True, False):
                    for way, ufunc in WAYS:
                        found = way(array, axes, keepdims)
                        wanted = ufunc.reduce(array, axis=axes, keepdims=keepdims)
                        np.testing.assert_array_equal(found, wanted, err_msg=f"{shape} {axes}", strict=True)


def test_infinite_rows(reading):
    x = np.full((200, 130), -np.inf, np.float32)
    assert (largest(x, (1,), False) == -np.inf).all()
    assert (smallest(-x, (1,), False) == np.inf).all()
    x[3] = np.nan
    assert np.isnan(largest(x, (1,), False)).sum() == 1


def test_nothing_to_choose_from(reading):
    with pytest.raises(ValueError, match="zero-size"):
        largest(np.ones((0, 200), np.float32), (0,), False)


def test_threads_agree(number_of_threads_restored):
    x = np.random.default_rng(0).standard_normal((3000, 50)).astype(np.float32)
    found = []
    for number in (1, 3):
        threads.set_num_threads(number)
        found.append(largest(x, (1,), False))
    np.testing.assert_array_equal(*found)
