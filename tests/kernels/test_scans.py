"""Scans in compiled loops: the same as NumPy's, whatever the dimension; extremes as PyTorch's."""

import numpy as np
import pytest

from autograd.kernels import jit, scans

SHAPES = [((12,), 0), ((1,), 0), ((3, 5), 0), ((3, 5), 1), ((2, 3, 4), 1), ((2, 3, 4), 2), ((4, 1), 0), ((2, 6, 1), 1)]


def numbers(shape, dtype):
    """With repeated elements, infinities and NaN."""
    x = np.random.default_rng(3).integers(-2, 3, shape).astype(dtype)
    x.reshape(-1)[7:8], x.reshape(-1)[10:11] = np.nan, np.inf
    return x


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("shape", "axis"), SHAPES)
def test_loops_are_as_numpy(shape, axis, dtype):
    for x in (numbers(shape, dtype), numbers(shape[::-1], dtype).T):
        results = []
        for mode in ("always", "never"):
            with jit.using(mode), np.errstate(invalid="ignore"):
                results.append(
                    [
                        scans.accumulate(np.add, x, axis),
                        scans.accumulate(np.multiply, x, axis),
                        *scans.running_extremes(x, axis, True),
                        *scans.running_extremes(x, axis, False),
                    ]
                )
        for loop, plain in zip(*results, strict=True):
            assert loop.dtype == plain.dtype
            np.testing.assert_array_equal(loop, plain)


@pytest.mark.parametrize("mode", ["always", "never"])
def test_sums_are_rounded_once(mode):
    x = np.full(1000, 0.1, np.float32)
    with jit.using(mode):
        want = np.cumsum(x.astype(np.float64)).astype(np.float32)
        np.testing.assert_array_equal(scans.accumulate(np.add, x, 0), want)


@pytest.mark.parametrize("mode", ["always", "never"])
@pytest.mark.parametrize(("shape", "axis"), SHAPES)
def test_extremes_are_as_pytorch(shape, axis, mode, torch):
    x = numbers(shape, "float32")
    with jit.using(mode):
        for largest, function in ((True, torch.cummax), (False, torch.cummin)):
            values, places = function(torch.from_numpy(x), axis)
            ours = scans.running_extremes(x, axis, largest)
            np.testing.assert_array_equal(ours[0], values.numpy())
            np.testing.assert_array_equal(ours[1], places.numpy())
