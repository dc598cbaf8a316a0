"""Pooling to a given size against PyTorch."""

import numpy as np
import pytest
from parity import agree_on, agree_with_gradients, refuse_alike, twins

rng = np.random.default_rng(0)

# axes, input, output size
CASES = [
    (1, (2, 3, 7), 3),
    (1, (3, 4), 6),
    (1, (2, 3, 5), (1,)),
    (2, (2, 3, 6, 8), (3, 2)),
    (2, (3, 7, 5), 4),
    (2, (1, 2, 5, 6), (None, 4)),
    (2, (1, 2, 5, 6), 1),
    (2, (2, 2, 3, 2), (5, 7)),
    (2, (0, 2, 4, 4), 3),
    (3, (1, 2, 4, 5, 6), (2, 3, None)),
    (3, (2, 5, 4, 3), 2),
    (3, (2, 2, 3, 3, 3), 1),
]


@pytest.mark.parametrize("kind", ["max", "avg"])
@pytest.mark.parametrize(("axes", "shape", "size"), CASES)
def test_values_and_gradients(kind, axes, shape, size, ours, theirs, reading):
    expression = lambda L, x: getattr(L.F, f"adaptive_{kind}_pool{axes}d")(x, size)
    for dtype, scale in (("float64", (1e-11, 1e-12)), ("float32", (1e-5, 1e-6))):
        x = rng.standard_normal(shape).astype(dtype)
        agree_with_gradients(ours, theirs, *twins(ours, theirs, expression), [x], *scale, dtype)


def strange():
    x = np.round(rng.standard_normal((2, 2, 7, 6)))
    x[rng.random(x.shape) < 0.2] = np.nan
    x[rng.random(x.shape) < 0.3] = -np.inf
    x[rng.random(x.shape) < 0.1] = np.inf
    return x


DETAILS = {
    "indices": lambda L, x: L.F.adaptive_max_pool2d(x, (3, 4), return_indices=True),
    "one image": lambda L, x: L.F.adaptive_max_pool2d(x[0], 3, True),
    "with indices": lambda L, x: L.F.adaptive_max_pool2d_with_indices(x, 3),
    "sequence": lambda L, x: L.F.adaptive_max_pool1d(x[0], 4, return_indices=True),
    "volume": lambda L, x: L.F.adaptive_max_pool3d(x, (2, 3, 5), return_indices=True),
    "main namespace": lambda L, x: L.adaptive_max_pool1d(x[0], 4),
    "mean": lambda L, x: L.F.adaptive_avg_pool2d(x, (3, 4)),
    "mean of all": lambda L, x: L.F.adaptive_avg_pool2d(x, 1),
    "mean in the main namespace": lambda L, x: L.adaptive_avg_pool1d(x[0], 4),
    "nothing": lambda L, x: [L.F.adaptive_avg_pool2d(x, (0, 2)), L.F.adaptive_max_pool2d(x, (0, 2))],
    "halves": lambda L, x: L.F.adaptive_avg_pool2d(x.half(), 2),
    "layout": lambda L, x: L.F.adaptive_max_pool2d(x.transpose(2, 3)[:, :, ::2], 2),
}


@pytest.mark.parametrize("name", DETAILS)
def test_details(name, ours, theirs, reading):
    agree_on(ours, theirs, DETAILS[name], [rng.standard_normal((2, 2, 7, 6))])
    agree_on(ours, theirs, DETAILS[name], [strange()], what="NaN and infinities")


REFUSED = {
    "dims": (lambda L: L.F.adaptive_avg_pool2d(L.zeros(5, 5), 2), ["adaptive_avg_pool2d", "[5, 5]"]),
    "dims of sizes": (lambda L: L.F.adaptive_max_pool2d(L.zeros(5, 5), (2, 2)), ["adaptive_max_pool2d", "[5, 5]"]),
    "empty": (lambda L: L.F.adaptive_avg_pool2d(L.zeros(1, 2, 0, 3), 2), ["[1, 2, 0, 3]"]),
    "negative": (lambda L: L.F.adaptive_avg_pool2d(L.zeros(1, 5, 5), (2, -1)), ["output_size", "-1"]),
    "length": (lambda L: L.F.adaptive_avg_pool3d(L.zeros(1, 1, 5, 5, 5), (2, 2)), ["output_size", "3"]),
    "type": (lambda L: L.F.adaptive_max_pool1d(L.zeros(1, 5), 2.5), ["output_size", "float"]),
    "integers": (lambda L: L.F.adaptive_avg_pool2d(L.ones(1, 4, 4).long(), 2), ["adaptive_avg_pool2d", "Long"]),
    "maxima of integers": (lambda L: L.F.adaptive_max_pool2d(L.ones(1, 4, 4).long(), 2), ["Long"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name, ours, theirs):
    refuse_alike(ours, theirs, *REFUSED[name])
