"""Channels that become pixels, and channels that change places, against PyTorch."""

import numpy as np
import pytest
from parity import agree_on, agree_with_gradients, refuse_alike, twins

rng = np.random.default_rng(0)

# name, input, factor or groups
CASES = [
    ("pixel_shuffle", (2, 8, 3, 2), 2),
    ("pixel_shuffle", (9, 2, 2), 3),
    ("pixel_shuffle", (2, 1, 4, 3, 1), 1),
    ("pixel_unshuffle", (2, 3, 4, 6), 2),
    ("pixel_unshuffle", (1, 3, 6), 3),
    ("pixel_unshuffle", (2, 2, 1, 4, 4), 4),
    ("channel_shuffle", (2, 6, 3), 2),
    ("channel_shuffle", (1, 6, 2, 2), 3),
    ("channel_shuffle", (2, 4, 2, 1, 2), 4),
    ("channel_shuffle", (0, 4, 2), 2),
]


@pytest.mark.parametrize(("name", "shape", "factor"), CASES)
def test_values_and_gradients(name, shape, factor, ours, theirs):
    for expression in (lambda L, x: getattr(L, name)(x, factor), lambda L, x: getattr(L.F, name)(x, factor)):
        agree_with_gradients(ours, theirs, *twins(ours, theirs, expression), [rng.standard_normal(shape)])
        for dtype in ("uint8", "bool", "complex128", "float16"):
            agree_on(ours, theirs, expression, [rng.uniform(0, 9, shape).astype(dtype)], what=dtype)


def test_no_images(ours, theirs):
    agree_on(ours, theirs, lambda L, x: L.pixel_shuffle(x, 2), [np.zeros((0, 4, 2, 2))])


def test_the_inner_name(ours, theirs):
    for shape in ((1, 4, 2, 2), (2, 6, 3)):
        agree_on(ours, theirs, lambda L, x: L.native_channel_shuffle(x, 2), [rng.standard_normal(shape)])


REFUSED = {
    "channels": (lambda L: L.pixel_shuffle(L.zeros(1, 3, 2, 2), 2), ["pixel_shuffle", "3", "4"]),
    "dims": (lambda L: L.pixel_shuffle(L.zeros(4, 4), 2), ["pixel_shuffle", "3 dim"]),
    "factor": (lambda L: L.pixel_shuffle(L.zeros(1, 4, 2, 2), -1), ["upscale_factor", "-1"]),
    "type": (lambda L: L.pixel_shuffle(L.zeros(1, 4, 2, 2), 2.0), ["upscale_factor", "float"]),
    "pixels": (lambda L: L.pixel_unshuffle(L.zeros(1, 3, 4), 2), ["pixel_unshuffle", "3 x 4"]),
    "no factor": (lambda L: L.pixel_unshuffle(L.zeros(1, 4, 4), 0), ["downscale_factor", "0"]),
    "groups": (lambda L: L.channel_shuffle(L.zeros(1, 4, 2), 3), ["4 channels", "3 groups"]),
    "no groups": (lambda L: L.channel_shuffle(L.zeros(1, 4, 2), 0), ["0"]),
    "no pixels": (lambda L: L.channel_shuffle(L.zeros(4, 2), 2), ["[4, 2]"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name, ours, theirs):
    refuse_alike(ours, theirs, *REFUSED[name])
