"""Pooling at pseudo-random steps against PyTorch, from the same seed."""

import numpy as np
import pytest
from parity import agree, agree_with_gradients, refuse_alike, twins

rng = np.random.default_rng(0)

# axes, input, arguments
CASES = [
    (2, (2, 3, 9, 8), {"kernel_size": 2, "output_size": (4, 5)}),
    (2, (3, 9, 8), {"kernel_size": (3, 1), "output_ratio": (0.5, 0.7)}),
    (2, (1, 2, 6, 6), {"kernel_size": 2, "output_size": 1}),
    (2, (0, 2, 6, 6), {"kernel_size": 2, "output_size": 3}),
    (3, (2, 2, 7, 8, 9), {"kernel_size": 2, "output_size": (3, 4, 5)}),
    (3, (2, 7, 8, 9), {"kernel_size": (1, 2, 3), "output_ratio": 0.5}),
]


@pytest.mark.parametrize(("axes", "shape", "options"), CASES)
def test_values_and_gradients(axes, shape, options, ours, theirs, reading):
    def expression(L, x):
        L.manual_seed(4)
        return getattr(L.F, f"fractional_max_pool{axes}d")(x, **options)

    for dtype in ("float64", "float32", "float16"):
        x = rng.standard_normal(shape).astype(dtype)
        agree_with_gradients(ours, theirs, *twins(ours, theirs, expression), [x], 1e-5, 1e-6, dtype)


def test_indices_and_given_samples(ours, theirs, reading):
    for axes in (2, 3):
        x, samples = rng.standard_normal((2, 3, *(8, 9, 10)[:axes])), rng.uniform(0, 1, (2, 3, axes))
        name = f"fractional_max_pool{axes}d"
        results = [
            (
                getattr(L.F, name)(L.of(x), 2, 4, return_indices=True, _random_samples=L.of(samples)),
                getattr(L.F, f"{name}_with_indices")(
                    L.of(x), 3, output_ratio=(0.5,) * axes, _random_samples=L.of(samples)
                ),
            )
            for L in (ours, theirs)
        ]
        agree(*results)


REFUSED = {
    "nothing": (lambda L: L.F.fractional_max_pool2d(L.zeros(1, 5, 5), 2), ["output_size", "output_ratio"]),
    "dims": (
        lambda L: L.F.fractional_max_pool2d(L.zeros(5, 5), 2, 2, _random_samples=L.zeros(1, 5, 2)),
        ["fractional_max_pool2d", "[5, 5]"],
    ),
    "large": (lambda L: L.F.fractional_max_pool2d(L.zeros(1, 5, 5), 3, 4), ["kernel_size (3, 3)", "(4, 4)", "(5, 5)"]),
    "large volume": (lambda L: L.F.fractional_max_pool3d(L.zeros(1, 5, 5, 5), 2, 4), ["kernel_size (2, 2, 2)"]),
    "samples": (
        lambda L: L.F.fractional_max_pool2d(L.zeros(1, 5, 5), 2, 2, _random_samples=L.zeros(1, 2, 2)),
        ["_random_samples", "(1, 1, 2)", "(1, 2, 2)"],
    ),
    "dtype of samples": (
        lambda L: L.F.fractional_max_pool2d(L.zeros(1, 5, 5), 2, 2, _random_samples=L.zeros(1, 1, 2).double()),
        ["_random_samples", "float32"],
    ),
    "integers": (lambda L: L.F.fractional_max_pool2d(L.ones(1, 4, 4).long(), 2, 2), []),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name, ours, theirs):
    refuse_alike(ours, theirs, *REFUSED[name])
