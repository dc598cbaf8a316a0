"""The way back from max-pooling against PyTorch."""

import numpy as np
import pytest
from parity import agree_on, agree_with_gradients, refuse_alike, twins

rng = np.random.default_rng(0)

# axes, input of the pooling, its window, stride and padding, output size
CASES = [
    (1, (2, 3, 8), (2, None, 0), None),
    (1, (3, 9), (2, None, 0), (9,)),
    (2, (2, 3, 6, 8), (2, None, 0), None),
    (2, (3, 7, 7), (3, 2, 1), (7, 7)),
    (2, (1, 2, 7, 6), ((2, 3), (2, 3), 0), (1, 2, 7, 6)),
    (2, (0, 2, 4, 4), (2, None, 0), None),
    (3, (2, 2, 4, 4, 6), (2, None, 0), None),
    (3, (2, 5, 4, 6), (2, 2, (0, 1, 0)), (5, 4, 6)),
]


@pytest.mark.parametrize(("axes", "shape", "window", "size"), CASES)
def test_values_and_gradients(axes, shape, window, size, ours, theirs, reading):
    def expression(L, x):
        values, indices = getattr(L.F, f"max_pool{axes}d")(x, *window, return_indices=True)
        return getattr(L.F, f"max_unpool{axes}d")(values, indices, *window, output_size=size)

    for dtype in ("float64", "float32"):
        x = rng.standard_normal(shape).astype(dtype)
        agree_with_gradients(ours, theirs, *twins(ours, theirs, expression), [x], what=dtype)


def test_the_last_of_several_stays(ours, theirs):
    places = np.array([[[[0, 5], [5, 5]]]])
    call = lambda L, x: L.F.max_unpool2d(x, L.of(places), 2)
    agree_on(ours, theirs, call, [np.arange(4.0).reshape(1, 1, 2, 2)])


def unpool(indices, axes=2, size=None, **options):
    def call(L):
        x = L.ones(1, 1, *(2,) * axes)
        return getattr(L.F, f"max_unpool{axes}d")(x, L.of(indices), 2, output_size=size, **options)

    return call


SQUARE = np.zeros((1, 1, 2, 2), int)
REFUSED = {
    "outside": (unpool(SQUARE + 16), ["16"]),
    "before": (unpool(SQUARE - 1), ["-1"]),
    "type": (unpool(SQUARE.astype("int32")), ["indices", "int32"]),
    "shape": (unpool(SQUARE[..., :1]), ["[1, 1, 2, 2]", "[1, 1, 2, 1]"]),
    "size": (unpool(SQUARE, size=(9, 4)), ["output_size", "9", "between 2 and 6"]),
    "size's length": (unpool(SQUARE, size=(4,)), ["output_size", "2 or 4"]),
    "stride": (unpool(np.zeros((1, 1, 2, 2, 2), int), 3, stride=0), ["stride"]),
    "dims": (lambda L: L.F.max_unpool2d(L.zeros(2, 2), L.zeros(2, 2).long(), 2), ["max_unpool2d", "[2, 2]"]),
    "integers": (lambda L: L.F.max_unpool2d(L.zeros(1, 2, 2).long(), L.zeros(1, 2, 2).long(), 2), ["Long"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name, ours, theirs):
    refuse_alike(ours, theirs, *REFUSED[name])
