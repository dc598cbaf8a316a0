"""The rectified linear unit and its bits: words, what is left behind the last one, and NumPy's way agree."""

import numpy as np
import pytest

from autograd.kernels import jit, rectifier, threads

SIZES = [0, 1, 7, 8, 15, 16, 17, 24, 25, 31, 33, 1000, 16384, 70003]


def elements_of(size, dtype):
    x = np.random.default_rng(size).standard_normal(size).astype(dtype)
    special = [np.nan, 0.0, -0.0, np.inf, -np.inf, np.finfo(dtype).smallest_subnormal, -np.finfo(dtype).tiny]
    x[: len(special)] = special[:size]
    x[size - len(special) :] = special[:size]
    return x


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("mode", ["never", "always"])
def test_values_and_bits(mode, dtype):
    if mode == "always":
        pytest.importorskip("numba")
    for size in SIZES:
        x, g = elements_of(size, dtype), elements_of(size, dtype)[::-1].copy()
        passes = (x > 0) | np.isnan(x)
        with jit.using(mode):
            out, bits = rectifier.rectify(x)
            found = rectifier.passed(g, bits)
        assert out.dtype == found.dtype == dtype
        assert bits.nbytes == -(-size // 8)
        np.testing.assert_array_equal(out, np.maximum(x, 0), err_msg=str(size))
        np.testing.assert_array_equal(np.unpackbits(bits, count=size, bitorder="little"), passes, err_msg=str(size))
        np.testing.assert_array_equal(found, np.where(passes, g, 0), err_msg=str(size))


def test_any_layout():
    x = elements_of(6 * 5 * 4, np.float32).reshape(6, 5, 4)
    for each in (x, x.transpose(2, 0, 1), x[::2], np.asfortranarray(x)):
        out, bits = rectifier.rectify(each)
        np.testing.assert_array_equal(out, np.maximum(each, 0))
        np.testing.assert_array_equal(rectifier.passed(each, bits), np.where(each <= 0, 0, each))


def test_threads_agree(number_of_threads_restored):
    pytest.importorskip("numba")
    x, results = elements_of(1_000_003, np.float32), []
    for number in (1, 3):
        threads.set_num_threads(number)
        out, bits = rectifier.rectify(x)
        results.append((out, bits, rectifier.passed(x, bits)))
    for one, three in zip(*results, strict=True):
        np.testing.assert_array_equal(one, three)
