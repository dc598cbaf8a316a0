"""Moments, standardized arrays and their gradients: NumPy's way and the compiled loops, for every kind of layer."""

import sys

import numpy as np
import pytest
from guarding import GUARD

from autograd.kernels import jit, threads
from autograd.kernels import normalization as kernel
from autograd.kernels.memory import is_root
from autograd.kernels.normalization import CHANNELS, ROWS

TYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
# The shape (N, G, K, S), and along which axes means are taken: rows, groups, images of channels, columns.
LAYOUTS = [
    ((5, 1, 7, 1), ROWS), ((1, 1, 1, 1), ROWS), ((3, 1, 1025, 1), ROWS), ((40, 1, 16, 1), ROWS),
    ((4, 3, 5, 1), ROWS), ((4, 3, 5, 6), ROWS), ((2, 4, 1, 9), ROWS),
    ((4, 1, 3, 33), CHANNELS), ((2, 1, 5, 1), CHANNELS), ((1100, 1, 3, 1), CHANNELS), ((6, 1, 130, 1), CHANNELS),
    ((1, 1, 4, 1), CHANNELS),
]  # fmt: skip
EPS = 1e-3


def arrays_of(shape, dtype):
    """x far from zero, the output's gradient, weight and bias."""
    rng = np.random.default_rng(0)
    x, g = rng.standard_normal((2, *shape)) + np.array([3.0, 0.0]).reshape(2, 1, 1, 1, 1)
    weight, bias = rng.standard_normal((2, 1, *shape[1:3], 1))
    return [each.astype(dtype) for each in (x, g, weight, bias)]


def wide_gradients(g, x, mean, scale, weight, axes, centered):
    standard = (x - mean) * scale
    weighted = g * weight
    of_x = weighted
    if axes:
        of_x = weighted - standard * (weighted * standard).mean(axes, keepdims=True)
        of_x = of_x - weighted.mean(axes, keepdims=True) * centered
    return of_x * scale, (g * standard).sum(CHANNELS, keepdims=True), g.sum(CHANNELS, keepdims=True)


@TYPES
@pytest.mark.parametrize("centered", [True, False])
def test_values_and_gradients(centered, dtype, reading):
    limit = 3e-5 if dtype == np.float32 else 1e-12
    for shape, axes in LAYOUTS:
        if not centered and axes == CHANNELS:
            continue  # no layer divides channels by their mean square
        x, g, weight, bias = arrays_of(shape, dtype)
        wide = x.astype(np.float64)
        center = wide.mean(axes, keepdims=True) * centered
        spread = ((wide - center) ** 2).mean(axes, keepdims=True)
        deviation = 1 / np.sqrt(spread + EPS)

        mean, variance = kernel.moments(x, axes, centered)
        np.testing.assert_allclose(np.broadcast_to(mean, center.shape), center, limit, limit, err_msg=f"{shape}")
        np.testing.assert_allclose(variance, spread, limit, limit, err_msg=f"{shape}")

        want = (wide - center) * deviation * weight + bias
        out, mean, scale = kernel.standardize(x, weight, bias, axes, EPS, centered)
        assert out.dtype == mean.dtype == scale.dtype == dtype
        np.testing.assert_allclose(out, want, 10 * limit, 10 * limit, err_msg=f"{shape}")
        np.testing.assert_allclose(scale, deviation, limit, err_msg=f"{shape}")
        given = kernel.standardized(x, mean, scale, weight, bias, axes)
        np.testing.assert_allclose(given, want, 10 * limit, 10 * limit, err_msg=f"{shape}")
        plain = kernel.standardized(x, mean, scale, None, None, axes)
        np.testing.assert_allclose(plain * weight + bias, want, 10 * limit, 10 * limit, err_msg=f"{shape}")

        for taken in (axes, ()) if axes == CHANNELS else (axes,):
            got = kernel.gradients(g.reshape(shape[0], -1), x.reshape(shape[0], -1), shape, mean, scale, weight, taken)
            assert got[0].shape == (shape[0], x.size // shape[0])
            assert is_root(got[0]), "the gradient of a leaf would be copied"
            if centered:
                wanted = wide_gradients(g, wide, center, deviation, weight, taken, centered)
                for a, b in zip(got, wanted, strict=True):
                    np.testing.assert_allclose(a.reshape(b.shape), b, 100 * limit, 100 * limit, err_msg=f"{shape}")
        if not centered:
            got = kernel.gradients(g, x, shape, mean, scale, weight, axes, centered)
            wanted = wide_gradients(g, wide, center, deviation, weight, axes, centered)
            for a, b in zip(got, wanted, strict=True):
                np.testing.assert_allclose(a.reshape(b.shape), b, 100 * limit, 100 * limit, err_msg=f"{shape}")


def test_no_numbers_stay_where_they_are(reading):
    """NaN and infinity spoil their own row, or column, and no other."""
    for axes, shape, row in ((ROWS, (4, 1, 6, 1), np.s_[1]), (CHANNELS, (6, 1, 4, 1), np.s_[:, :, 1])):
        for wrong in (np.nan, np.inf):
            x = arrays_of(shape, np.float32)[0]
            x[2 if axes == CHANNELS else 1, 0, 1 if axes == CHANNELS else 2, 0] = wrong
            with np.errstate(all="ignore"):
                out = kernel.standardize(x, None, None, axes, EPS)[0]
            assert np.isnan(out[row]).all()
            assert np.isfinite(np.delete(out, 1, axis=0 if axes == ROWS else 2)).all()


def test_threads_agree(number_of_threads_restored):
    """Pieces of the work give the same bits as all of it, sums over examples included."""
    pytest.importorskip("numba")
    for shape, axes in (((300, 1, 400, 1), ROWS), ((30, 1, 8, 500), CHANNELS), ((300, 1, 400, 1), CHANNELS)):
        x, g, weight, bias = arrays_of(shape, np.float32)
        results = []
        for number in (1, 3):
            threads.set_num_threads(number)
            with jit.using("always"):
                out, mean, scale = kernel.standardize(x, weight, bias, axes, EPS)
                gradients = kernel.gradients(g, x, shape, mean, scale, weight, axes)
                assert axes != ROWS or all(map(is_root, gradients)), "the gradient of a leaf would be copied"
                results.append([out, *gradients])
        for one, three in zip(*results, strict=True):
            np.testing.assert_array_equal(one, three)


@TYPES
def test_rows_of_any_length(dtype):
    """Whole vectors, several abreast, and what is left; and sums of more than one block."""
    pytest.importorskip("numba")
    limit = 3e-5 if dtype == np.float32 else 1e-12
    for length in (*range(1, 70), *range(124, 132), 1000, 1023, 1024, 1025, 2047, 2050, 3100):
        shape = (3, 1, length, 1)
        x, g, weight, bias = arrays_of(shape, dtype)
        wide = x.astype(np.float64)
        center = wide.mean(ROWS, keepdims=True)
        deviation = 1 / np.sqrt(((wide - center) ** 2).mean(ROWS, keepdims=True) + EPS)
        with jit.using("always"):
            out, mean, scale = kernel.standardize(x, weight, bias, ROWS, EPS)
            got = kernel.gradients(g, x, shape, mean, scale, weight, ROWS)
        error = f"{length}"
        np.testing.assert_allclose(out, (wide - center) * deviation * weight + bias, limit, 10 * limit, err_msg=error)
        for a, b in zip(got, wide_gradients(g, wide, center, deviation, weight, ROWS, True), strict=True):
            np.testing.assert_allclose(a.reshape(b.shape), b, limit, 100 * limit, err_msg=error)


OUTSIDE = """
from autograd.kernels.normalization_loops import row_gradients, standardize_rows

rng = np.random.default_rng(0)
for dtype in (np.float32, np.float64):
    for length in (1, 7, 15, 16, 17, 40, 63, 64, 65, 1000, 1024, 1031):
        arrays = [rng.standard_normal(n * length).astype(dtype) for n in (4, 4, 1, 1)]
        found = []
        for before in (True, False):
            x, g, weight, bias = (guarded(array, before) for array in arrays)
            out, of_x = (guarded(np.empty_like(x), before) for _ in range(2))
            mean, scale = (guarded(np.empty(4, dtype), before) for _ in range(2))
            sums = [guarded(np.empty(length, dtype), before) for _ in range(2)]
            standardize_rows(0, 4, x, weight, bias, out, mean, scale, length, 1, 1e-5, True)
            row_gradients(0, 1, g, x, mean, scale, weight, of_x, *sums, length, 1, 4, length, True)
            found.append([out, of_x, mean, scale, *sums])
        for a, b in zip(*found):
            assert a.tobytes() == b.tobytes(), (dtype, length)
print("inside")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="protects pages with mprotect(2)")
def test_rows_touch_nothing_outside_of_their_operands(subprocess_python):
    pytest.importorskip("numba")
    assert subprocess_python(GUARD + OUTSIDE) == "inside\n"
