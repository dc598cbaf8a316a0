"""Windows as columns on plain arrays: against a loop, and the one function as the other's transpose."""

import numpy as np
import pytest

from autograd.kernels import conv_fold, jit

# Shape, kernel, stride, padding, dilation.
CASES = [
    ((2, 3, 9), (3,), (2,), (1,), (2,)),
    ((2, 3, 5, 6), (2, 3), (1, 2), (1, 0), (2, 1)),
    ((1, 2, 4, 5, 4), (2, 1, 3), (1, 2, 1), (0, 1, 2), (1, 1, 2)),
]


def columns_by_hand(x, kernel, stride, padding, dilation):
    x = np.pad(x, [(0, 0), (0, 0), *((p, p) for p in padding)])
    spans = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    starts = [range(0, n - e + 1, s) for n, e, s in zip(x.shape[2:], spans, stride, strict=True)]
    windows = [
        x[(slice(None), slice(None), *(slice(a, a + e, d) for a, e, d in zip(corner, spans, dilation, strict=True)))]
        for corner in np.array(np.meshgrid(*starts, indexing="ij")).reshape(len(kernel), -1).T
    ]
    return np.stack([window.reshape(len(x), -1) for window in windows], -1)


@pytest.mark.parametrize("mode", ["never", "always"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.complex128, np.int64])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_columns_and_back(case, dtype, mode):
    if mode == "always":
        pytest.importorskip("numba")
    shape, *window = case
    numbers = np.random.default_rng(0)
    x = (10 * numbers.standard_normal(shape)).astype(dtype)
    with jit.using(mode):
        columns = conv_fold.images_to_columns(x, *window)
        np.testing.assert_array_equal(columns, columns_by_hand(x, *window))
        g = (10 * numbers.standard_normal(columns.shape)).astype(dtype)
        image = conv_fold.columns_to_images(g, shape[2:], *window)
    assert image.dtype == dtype
    assert image.shape == shape
    np.testing.assert_allclose((image * x).sum(), (columns * g).sum(), rtol=1e-4)


def test_arrays_that_do_not_lie_in_order():
    x = np.arange(60.0).reshape(1, 3, 4, 5)
    for other in (np.asfortranarray(x), np.repeat(x, 2, -1)[..., ::2]):
        window = ((2, 2), (1, 1), (0, 0), (1, 1))
        columns = conv_fold.images_to_columns(x, *window)
        np.testing.assert_array_equal(conv_fold.images_to_columns(other, *window), columns)
        np.testing.assert_array_equal(
            conv_fold.columns_to_images(np.asfortranarray(columns), (4, 5), *window),
            conv_fold.columns_to_images(columns, (4, 5), *window),
        )
