"""Windows of images as columns, and back, against PyTorch."""

import numpy as np
import pytest
from parity import agree_on, agree_with_gradients, refuse_alike

rng = np.random.default_rng(0)

# Shape of the image, kernel, options, number of windows.
WINDOWS = {
    "plain": ((2, 3, 5, 6), 2, {}, 20),
    "one image": ((3, 5, 6), 2, {}, 20),
    "rectangle": ((2, 3, 5, 6), (3, 2), {}, 15),
    "stride": ((2, 3, 7, 6), 2, {"stride": (3, 1)}, 10),
    "padding": ((2, 3, 4, 3), 3, {"padding": (1, 2)}, 20),
    "dilation": ((1, 2, 6, 7), 2, {"dilation": (2, 3)}, 16),
    "all": ((2, 3, 7, 9), (3, 2), {"dilation": 2, "padding": (2, 1), "stride": (2, 3)}, 12),
    "whole image": ((2, 3, 4, 5), (4, 5), {}, 1),
    "no images": ((0, 3, 5, 6), 2, {}, 20),
    "lists": ((1, 2, 4, 4), [2, 2], {"stride": [2, 2]}, 4),
}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", WINDOWS)
def test_values_and_gradients(name, dtype, ours, theirs, reading):
    shape, kernel, options, count = WINDOWS[name]
    columns = int(np.prod(kernel)) ** (2 if isinstance(kernel, int) else 1) * shape[-3]
    x, y = (rng.standard_normal(s).astype(dtype) for s in (shape, (*shape[:-3], columns, count)))
    unfold = [lambda x, L=library: L.F.unfold(x, kernel, **options) for library in (ours, theirs)]
    agree_with_gradients(ours, theirs, *unfold, [x])
    fold = [lambda y, L=library: L.F.fold(y, shape[-2:], kernel, **options) for library in (ours, theirs)]
    agree_with_gradients(ours, theirs, *fold, [y])


@pytest.mark.parametrize("dtype", ["bool", "float16", "complex64", "int64"])
def test_dtypes(dtype, ours, theirs):
    x = (2 * rng.standard_normal((2, 2, 4, 4))).astype(dtype)
    agree_on(ours, theirs, lambda L, x: L.F.unfold(x, 2, padding=1), [x])
    agree_on(ours, theirs, lambda L, x: L.F.fold(x.reshape(2, 8, 4), (3, 3), 2), [x])


def test_a_convolution_is_a_product_with_columns(ours):
    x, w = ours.randn(2, 3, 6, 5), ours.randn(4, 3, 3, 2)
    product = (w.flatten(1) @ ours.F.unfold(x, (3, 2), padding=1)).unflatten(2, (6, 6))
    assert (product - ours.conv2d(x, w, padding=1)).abs().max() < 1e-5


REFUSED = {
    "kernel": (lambda L: L.F.unfold(L.zeros(1, 2, 5, 5), 6), ["6", "5"]),
    "sizes": (lambda L: L.F.unfold(L.zeros(1, 2, 5, 5), (2, 2, 2)), ["kernel_size"]),
    "stride": (lambda L: L.F.unfold(L.zeros(1, 2, 5, 5), 2, stride=0), ["stride", "0"]),
    "padding": (lambda L: L.F.unfold(L.zeros(1, 2, 5, 5), 2, padding=-1), ["padding", "-1"]),
    "dilation": (lambda L: L.F.unfold(L.zeros(1, 2, 5, 5), 2, dilation=0), ["dilation", "0"]),
    "no kernel": (lambda L: L.F.unfold(L.zeros(1, 2, 5, 5), 0), ["kernel_size", "0"]),
    "floats": (lambda L: L.F.unfold(L.zeros(1, 2, 5, 5), 2.0), ["kernel_size", "float"]),
    "dims": (lambda L: L.F.unfold(L.zeros(1, 2, 5, 5, 5), 2), ["[1, 2, 5, 5, 5]"]),
    "no channels": (lambda L: L.F.unfold(L.zeros(1, 0, 5, 5), 2), ["[1, 0, 5, 5]"]),
    "not a tensor": (lambda L: L.F.unfold([1.0], 2), ["input"]),
    "integers": (lambda L: L.F.unfold(L.zeros(1, 2, 5, 5).int(), 2), ["unfold", "Int"]),
    "columns": (lambda L: L.F.fold(L.zeros(1, 7, 16), 5, 2), ["7", "(2, 2)"]),
    "windows": (lambda L: L.F.fold(L.zeros(1, 8, 15), 5, 2), ["4 * 4 = 16", "15"]),
    "fold dims": (lambda L: L.F.fold(L.zeros(1, 8, 16, 1), 5, 2), ["[1, 8, 16, 1]"]),
    "output sizes": (lambda L: L.F.fold(L.zeros(1, 8, 16), (5, 5, 5), 2), ["output_size"]),
    "output too small": (lambda L: L.F.fold(L.zeros(1, 8, 16), 1, 2), ["2", "1"]),
    "no windows": (lambda L: L.F.fold(L.zeros(1, 8, 0), 5, 2), ["[1, 8, 0]"]),
    "fold stride": (lambda L: L.F.fold(L.zeros(1, 8, 16), 5, 2, stride=0), ["stride", "0"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name, ours, theirs):
    refuse_alike(ours, theirs, *REFUSED[name])
