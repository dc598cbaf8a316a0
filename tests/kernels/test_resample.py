"""Linear maps along axes on plain arrays: against dense matrices, in both readings."""

import numpy as np
import pytest

from autograd.kernels import resample, threads

F64 = np.dtype(np.float64)
MAPS = {
    "mean": resample.mean_map(7, 3),
    "mean of more": resample.mean_map(3, 5),
    "nearest": resample.nearest_map(5, 8, 5 / 8, F64, exact=False),
    "nearest exact": resample.nearest_map(5, 3, 5 / 3, F64, exact=True),
    "linear": resample.linear_map(5, 9, 0.5, F64, align_corners=True),
    "cubic": resample.cubic_map(6, 4, 1.5, F64, align_corners=False),
    "triangle": resample.filter_map(9, 4, 2.25, F64, "bilinear"),
    "lanczos": resample.filter_map(9, 4, 2.25, F64, "lanczos"),
    "nothing": resample.mean_map(4, 0),
}


def dense(each):
    matrix = np.zeros((each.outputs, each.inputs))
    for i in range(each.outputs):
        for k in range(each.bounds[i], each.bounds[i + 1]):
            matrix[i, each.places[k]] += each.weights[k]
    return matrix


@pytest.mark.parametrize("name", MAPS)
def test_a_map_is_a_matrix(name, reading):
    each, x = MAPS[name], np.random.default_rng(0).standard_normal((2, 3, MAPS[name].inputs))
    np.testing.assert_allclose(resample.resample(x, [each]), x @ dense(each).T, 1e-12, 1e-13)
    np.testing.assert_array_equal(dense(each.transposed), dense(each).T)
    np.testing.assert_array_equal(dense(each.transposed.transposed), dense(each))
    halves = resample.resample(x.astype(np.float16), [each])
    assert halves.dtype == np.float16
    np.testing.assert_allclose(halves, x @ dense(each).T, 0.01, 0.01)


@pytest.mark.parametrize("name", MAPS)
def test_weights_add_up_to_one(name):
    np.testing.assert_allclose(dense(MAPS[name]).sum(1), 1, 1e-12)


def test_several_axes(reading):
    maps = [MAPS["cubic"], MAPS["mean"], MAPS["linear"]]
    x = np.random.default_rng(0).standard_normal((2, 6, 7, 5))
    wanted = np.einsum("nijk,ai,bj,ck->nabc", x, *map(dense, maps))
    for each in (x, np.asfortranarray(x), np.repeat(x, 2, axis=0)[::2]):
        np.testing.assert_allclose(resample.resample(each, maps), wanted, 1e-12, 1e-13)


def test_bytes_are_rounded_after_each_axis():
    x = np.array([[0, 255], [1, 0]], np.uint8)
    maps = [resample.mean_map(2, 1), resample.mean_map(2, 1)]
    assert resample.resample_bytes(x, maps).tolist() == [[65]]  # 127.5 and 0.5, then 64.5, each rounded up


def test_threads_change_nothing():
    x = np.random.default_rng(0).standard_normal((16, 60, 70)).astype(np.float32)
    maps = [resample.linear_map(60, 90, 60 / 90, F64, False), resample.cubic_map(70, 40, 70 / 40, F64, False)]
    before, results = threads.get_num_threads(), set()
    try:
        for count in (1, 2, 5):
            threads.set_num_threads(count)
            results.add(resample.resample(x, maps).tobytes())
    finally:
        threads.set_num_threads(before)
    assert len(results) == 1
