"""Weighted sums of elements at given places, against loops, in both readings."""

import numpy as np
import pytest

from autograd.kernels import taps, threads


def arguments(n=2, channels=3, size=7, tap_count=4, points=5, dtype=np.float64):
    generator = np.random.default_rng(0)
    x, g = (generator.standard_normal((n, channels, count)).astype(dtype) for count in (size, points))
    weights = generator.standard_normal((n, tap_count, points)).astype(dtype)
    return x, g, weights, generator.integers(-1, size, (n, tap_count, points))


def by_loops(x, g, weights, places):
    picked, spread, weighed = np.zeros(g.shape), np.zeros(x.shape), np.zeros(weights.shape)
    for n, t, p in np.ndindex(*places.shape):
        place = places[n, t, p]
        if place >= 0:
            picked[n, :, p] += weights[n, t, p] * x[n, :, place]
            spread[n, :, place] += weights[n, t, p] * g[n, :, p]
            weighed[n, t, p] = g[n, :, p] @ x[n, :, place]
    return picked, spread, weighed


SIZES = [{}, {"n": 0}, {"channels": 0}, {"points": 0}, {"tap_count": 1, "size": 1}]


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize(("dtype", "scale"), [("float64", 1e-12), ("float32", 1e-5), ("float16", 2e-2)])
def test_the_three_derivatives(sizes, dtype, scale, reading):
    x, g, weights, places = arguments(**sizes, dtype=dtype)
    wanted = by_loops(x, g, weights, places)
    results = (
        taps.pick(x, weights, places),
        taps.spread(g, weights, places, x.shape[2]),
        taps.weigh(g, x, places),
    )
    for mine, other in zip(results, wanted, strict=True):
        assert mine.dtype == dtype
        np.testing.assert_allclose(mine, other, scale, scale)


def test_what_is_outside_is_zero_and_not_nothing(reading):
    x, places = np.full((1, 1, 2), np.inf), np.array([[[-1, -1]]])
    np.testing.assert_array_equal(taps.pick(x, np.array([[[2.0, np.nan]]]), places), [[[0, np.nan]]])


def test_threads_change_nothing():
    x, g, weights, places = arguments(4, 8, 400, 4, 300, np.float32)
    before, results = threads.get_num_threads(), set()
    try:
        for count in (1, 2, 5):
            threads.set_num_threads(count)
            results.add(taps.spread(g, weights, places, 400).tobytes() + taps.weigh(g, x, places).tobytes())
    finally:
        threads.set_num_threads(before)
    assert len(results) == 1
