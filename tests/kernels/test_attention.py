"""Attention on plain arrays: the compiled reading against NumPy's at the edges of blocks, tiles and vectors, in every
layout; what it keeps; and that threads change nothing."""

import itertools

import numpy as np
import pytest

from autograd.kernels import attention, jit, threads

TOLERANCE = {"float32": 2e-5, "float64": 1e-11}
LENGTHS = (1, 2, 31, 33, 96, 130, 200, 400)
WIDTHS = (1, 3, 16, 17, 32, 33, 64, 80)


def contiguous(random, heads, length, width):
    return random.standard_normal((*heads, length, width))


def of_one_projection(random, heads, length, width):
    """Heads that lie side by side in each row, with other things behind them."""
    *batch, count = heads
    return random.standard_normal((*batch, length, count, width + 3))[..., :width].swapaxes(-2, -3)


def columns(random, heads, length, width):
    return random.standard_normal((*heads, width, length)).swapaxes(-1, -2)


def repeated(random, heads, length, width):
    return np.broadcast_to(random.standard_normal((length, width)), (*heads, length, width))


LAYOUTS = {f.__name__: f for f in (contiguous, of_one_projection, columns, repeated)}


def arguments(dtype, heads, queries, keys, width, v_width, layout=contiguous):
    """Query, key, value and the gradient of the result."""
    random = np.random.default_rng(0)
    sizes = ((queries, width), (keys, width), (keys, v_width), (queries, v_width))
    return [layout(random, heads, *size).astype(dtype, order="K") for size in sizes]


def both_ways(reading, given, scale, causal, mask=None):
    query, key, value, g = given
    with jit.using(reading):
        out, *kept = attention.forward(query, key, value, mask, scale, causal)
        return out, *kept, *attention.backward(g, query, key, value, mask, out, *kept, scale, causal)


def agree(dtype, *size, scale=0.3, causal=False, layout=contiguous, mask=None):
    pytest.importorskip("numba")
    given = arguments(dtype, *size, layout=layout)
    out, _top, *found = both_ways("always", given, scale, causal, mask)
    expected_out, _top, *expected = both_ways("never", [x.astype(np.float64) for x in given], scale, causal, mask)
    for a, b in zip((out, *found), (expected_out, *expected), strict=True):
        assert a.dtype == dtype
        tolerance = TOLERANCE[dtype] * max(1, np.abs(b).max())
        np.testing.assert_allclose(a, b, TOLERANCE[dtype], tolerance, err_msg=f"{size}, {causal=}")


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("dtype", TOLERANCE)
def test_edges_of_blocks(dtype, causal):
    for length, width in itertools.product(LENGTHS, WIDTHS):
        agree(dtype, (2,), length, length, width, width, causal=causal)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("dtype", TOLERANCE)
def test_other_numbers_of_keys_and_widths(dtype, causal):
    for queries, keys in itertools.product((1, 12, 50, 130, 210), (1, 31, 64, 65, 193, 389)):
        agree(dtype, (2, 1), queries, keys, 9, 20, scale=-0.3, causal=causal)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", TOLERANCE)
def test_layouts(dtype, layout):
    for heads in ((), (3,), (2, 3), (2, 1, 3)) if layout != "of_one_projection" else ((3,), (2, 3), (2, 1, 3)):
        agree(dtype, heads, 40, 50, 12, 7, causal=True, layout=LAYOUTS[layout])
        agree(dtype, heads, 40, 40, 1, 5, layout=LAYOUTS[layout])


SEEN = np.random.default_rng(1).random((2, 3, 100, 90)) < 0.5
SEEN[..., 5, :] = False
MASKS = {
    "of all heads": SEEN,
    "of one example": SEEN[0, 0],
    "of examples": SEEN[:, :1],
    "of keys": SEEN[0, 0, 7],
    "of queries": SEEN[0, 0, :, :1],
    "transposed": np.ascontiguousarray(SEEN[0, 0].T).T,
    "numbers": np.where(SEEN, np.random.default_rng(2).standard_normal(SEEN.shape), -np.inf).astype("float32"),
    "the lowest number": np.where(SEEN[0], 0, np.finfo("float32").min).astype("float32"),
}


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("dtype", TOLERANCE)
def test_masks(dtype, mask):
    for scale in (0.3, -0.3):
        agree(dtype, (2, 3), 100, 90, 8, 8, scale=scale, mask=MASKS[mask])


def test_a_query_that_sees_nothing_gets_zeros():
    given = arguments("float32", (2, 3), 100, 90, 8, 8)
    for reading in ("never", "always") if jit.numba_available() else ("never",):
        out, tops, shares, g_query, *_others = both_ways(reading, given, 1.0, False, SEEN)
        for array in (out, tops, shares, g_query):
            assert np.isfinite(array).all()
            assert not array[:, :, 5].any()
            assert array[:, :, :5].any()


def test_results_lie_as_the_inputs_do():
    pytest.importorskip("numba")
    given = arguments("float32", (2, 3), 40, 40, 8, 8, of_one_projection)
    out, _tops, _shares, *gradients = both_ways("always", given, 1.0, True)
    for array in (out, *gradients):
        assert array.swapaxes(-2, -3).flags.c_contiguous


def test_what_is_kept():
    query, key, value, _g = arguments("float64", (2,), 40, 50, 8, 8)
    scores = query @ key.swapaxes(-1, -2) * 0.5
    for reading in ("never", "always") if jit.numba_available() else ("never",):
        with jit.using(reading):
            _out, tops, shares = attention.forward(query, key, value, None, 0.5, False)
        np.testing.assert_allclose(tops, scores.max(-1), 1e-12)
        np.testing.assert_allclose(shares, 1 / np.exp(scores - scores.max(-1, keepdims=True)).sum(-1), 1e-12)


def test_large_scores_do_not_overflow():
    pytest.importorskip("numba")
    given = [x * 100 for x in arguments("float32", (2,), 70, 70, 16, 16)]
    for reading in ("never", "always"):
        for array in both_ways(reading, given, 1.0, True):
            assert np.isfinite(array).all()


@pytest.mark.parametrize("place", [0, 1, 2])
def test_nan_stays_with_the_queries_that_see_it(place):
    pytest.importorskip("numba")
    given = arguments("float32", (1,), 100, 100, 8, 8)
    given[place][0, 60] = np.nan
    query, key, value, _g = given
    with jit.using("always"):
        lost = np.isnan(attention.forward(query, key, value, None, 1.0, True)[0][0]).any(-1)
    assert lost[60]
    assert not lost[:60].any()
    assert lost[61:].all() == (place > 0)


def test_threads_change_nothing():
    pytest.importorskip("numba")
    given = arguments("float32", (5, 3), 130, 130, 20, 20)
    before = threads.get_num_threads()
    found = []
    try:
        for count in (1, 3):
            threads.set_num_threads(count)
            found.append(both_ways("always", given, 0.2, True))
    finally:
        threads.set_num_threads(before)
    for a, b in zip(*found, strict=True):
        assert np.array_equal(a, b)
