"""Maxima, means and norms of windows over one to three axes against PyTorch."""

import itertools

import numpy as np
import pytest
from parity import agree_on, agree_with_gradients, refuse_alike, twins

rng = np.random.default_rng(0)

# axes, input, arguments, options
WINDOWS = [
    (1, (2, 3, 9), (2,), {}),
    (1, (3, 8), (3,), {"stride": 2, "padding": 1}),
    (2, (2, 3, 6, 6), (2,), {}),
    (2, (3, 6, 7), (3,), {"stride": 2}),
    (2, (1, 2, 7, 8), ((2, 3),), {"stride": (1, 2)}),
    (2, (1, 2, 7, 7), (3, 2, 1), {}),
    (2, (1, 2, 6, 5), (3,), {"stride": 2, "padding": 1, "ceil_mode": True}),
    (2, (1, 1, 5, 5), (2,), {"ceil_mode": True}),
    (2, (1, 1, 4, 4), (4,), {"padding": (2, 1)}),
    (2, (0, 2, 4, 4), (2,), {"stride": []}),
    (3, (2, 2, 4, 5, 6), (2,), {}),
    (3, (2, 4, 5, 6), ((2, 1, 3),), {"stride": (1, 2, 2), "padding": (1, 0, 1)}),
    (3, (1, 2, 5, 5, 5), (3, 2, 1), {"ceil_mode": True}),
]
DTYPES = {"float64": (1e-11, 1e-12), "float32": (1e-5, 1e-6)}


@pytest.mark.parametrize(("axes", "shape", "args", "options"), WINDOWS)
def test_pooling(axes, shape, args, options, ours, theirs, reading):
    x = rng.standard_normal(shape)
    expressions = [
        lambda L, x: getattr(L.F, f"max_pool{axes}d")(x, *args, **options),
        lambda L, x: getattr(L.F, f"avg_pool{axes}d")(x, *args, **options),
        lambda L, x: getattr(L.F, f"avg_pool{axes}d")(x, *args, **options, count_include_pad=False),
    ]
    if axes > 1:
        expressions.append(lambda L, x: getattr(L.F, f"avg_pool{axes}d")(x, *args, **options, divisor_override=5))
    for i, (expression, dtype) in enumerate(itertools.product(expressions, DTYPES)):
        pair = twins(ours, theirs, expression)
        agree_with_gradients(ours, theirs, *pair, [x.astype(dtype)], *DTYPES[dtype], f"{i} {dtype}")


NAN = float("nan")
DETAILS = {
    "dilation": lambda L, x: L.F.max_pool2d(x, 2, stride=1, dilation=2),
    "indices": lambda L, x: L.F.max_pool2d(x, 2, return_indices=True),
    "indices padded": lambda L, x: L.F.max_pool2d(x, 3, 2, 1, return_indices=True),
    "one image indices": lambda L, x: L.F.max_pool2d(x[0], 2, return_indices=True),
    "with indices": lambda L, x: L.F.max_pool2d_with_indices(x, 2),
    "sequence indices": lambda L, x: L.F.max_pool1d(x[0], 3, 2, 1, return_indices=True),
    "sequence with indices": lambda L, x: L.F.max_pool1d_with_indices(x[0], 3),
    "volume indices": lambda L, x: L.F.max_pool3d(x, (1, 2, 3), 1, (0, 1, 1), return_indices=True),
    "volume with indices": lambda L, x: L.F.max_pool3d_with_indices(x, 2, dilation=(1, 2, 2)),
    "nan": lambda L, x: L.F.max_pool2d(L.where(x > 1, L.tensor(NAN, dtype=L.float64), x), 2, return_indices=True),
    "infinities": lambda L, x: L.F.max_pool2d(x * 0 - float("inf"), 2, padding=1, return_indices=True),
    "ties": lambda L, x: L.F.max_pool2d(x * 0, 2, return_indices=True),
    "integers": lambda L, x: L.F.max_pool2d((x * 10).int(), 3, 2, 1),
    "mean of integers": lambda L, x: L.F.avg_pool2d((x * 10).long(), 3, 2, 1),
    "mean of volumes of integers": lambda L, x: L.F.avg_pool3d((x * 10).long(), 2, divisor_override=-3),
    "halves": lambda L, x: L.F.avg_pool2d(x.half() * 1000, 6),
    "layout": lambda L, x: L.F.max_pool2d(x.transpose(2, 3)[..., ::2], 2),
    "main namespace": lambda L, x: [
        L.max_pool1d(x[0], 2),
        L.max_pool2d(x, 2),
        L.max_pool3d(x, 2),
        L.avg_pool1d(x[0], 2),
    ],
    "main namespace indices": lambda L, x: L.max_pool1d_with_indices(x[0], 2),
    "largest absolute value": lambda L, x: L.F.lp_pool2d(x, float("inf"), 2),
    "smallest absolute value": lambda L, x: L.F.lp_pool2d(x, -float("inf"), 2),
}


@pytest.mark.parametrize("name", DETAILS)
def test_details(name, ours, theirs, reading):
    agree_on(ours, theirs, DETAILS[name], [rng.standard_normal((2, 2, 6, 6))])


def test_ties_share_no_gradient(ours, theirs, reading):
    ties = np.zeros((1, 1, 4, 4))
    agree_with_gradients(ours, theirs, *twins(ours, theirs, lambda L, x: L.F.max_pool2d(x, 2)), [ties])


NORMS = [
    ((2, 3, 8), 1, (2, 3), {}),
    ((2, 3, 8), 1, (3, 2), {"stride": 1, "ceil_mode": True}),
    ((2, 6, 5), 2, (2, 2), {"ceil_mode": True}),
    ((1, 2, 6, 5), 2, (1.5, (2, 1)), {"stride": (1, 2)}),
    ((1, 2, 4, 4, 4), 3, (2, 2), {}),
]


@pytest.mark.parametrize(("shape", "axes", "args", "options"), NORMS)
def test_norms(shape, axes, args, options, ours, theirs):
    expression = lambda L, x: getattr(L.F, f"lp_pool{axes}d")(x, *args, **options)
    for x in (rng.uniform(0.1, 2, shape), np.zeros(shape)):
        agree_with_gradients(ours, theirs, *twins(ours, theirs, expression), [x])


REFUSED = {
    "dims": (lambda L: L.F.max_pool2d(L.zeros(5, 5), 2), ["max_pool2d", "[5, 5]"]),
    "no channels": (lambda L: L.F.max_pool2d(L.zeros(1, 0, 5, 5), 2), ["max_pool2d", "[1, 0, 5, 5]"]),
    "padding": (lambda L: L.F.max_pool2d(L.zeros(1, 5, 5), 2, padding=2), ["half", "2"]),
    "padding of dilated": (lambda L: L.F.max_pool1d(L.zeros(1, 9), 3, padding=2, dilation=2), ["half", "3"]),
    "kernel": (lambda L: L.F.max_pool2d(L.zeros(1, 5, 5), 0), ["0"]),
    "kernel length": (lambda L: L.F.max_pool3d(L.zeros(1, 5, 5, 5), (2, 2)), ["kernel_size", "3"]),
    "kernel type": (lambda L: L.F.max_pool2d(L.zeros(1, 5, 5), 2.5), ["kernel_size", "float"]),
    "stride": (lambda L: L.F.avg_pool2d(L.zeros(1, 5, 5), 2, 0), ["0"]),
    "too small": (lambda L: L.F.max_pool2d(L.zeros(1, 2, 2), 3), ["max_pool2d"]),
    "mean too small": (lambda L: L.F.avg_pool2d(L.zeros(1, 2, 2), 3), ["avg_pool2d"]),
    "volume too small": (lambda L: L.F.avg_pool3d(L.zeros(1, 2, 4, 4), 3, padding=1), ["avg_pool3d", "(2, 4, 4)"]),
    "divisor": (lambda L: L.F.avg_pool2d(L.zeros(1, 4, 4), 2, divisor_override=0), ["divisor"]),
    "sequence of integers": (lambda L: L.F.max_pool1d(L.ones(1, 4).long(), 2), ["max_pool1d", "Long"]),
    "truth values": (lambda L: L.F.max_pool2d(L.ones(1, 4, 4).bool(), 2), ["max_pool2d", "Bool"]),
    "mean of short integers": (lambda L: L.F.avg_pool2d(L.ones(1, 4, 4).int(), 2), ["avg_pool2d", "Int"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name, ours, theirs):
    refuse_alike(ours, theirs, *REFUSED[name])
