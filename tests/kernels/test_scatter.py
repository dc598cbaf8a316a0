"""Sums of rows sent to given places, in both readings."""

import numpy as np
import pytest

from autograd.kernels import scatter, threads

# target, indices
CASES = [
    ((10, 4), (7,)),
    ((10,), (30,)),
    ((3, 2, 5), (4, 6)),
    ((5, 4), (0,)),
    ((0, 4), (0,)),
    ((5, 0), (3,)),
    ((6, 3), ()),
    ((50, 200), (300,)),
]


def inputs(target, shape, dtype="float64"):
    generator = np.random.default_rng(0)
    indices = generator.integers(0, max(target[0], 1), shape)
    return np.asarray(indices), np.asarray(generator.standard_normal((*shape, *target[1:]))).astype(dtype)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int64", "complex128"])
def test_agrees_with_one_by_one(reading, dtype):
    tolerance = {"float16": 2e-2, "float32": 1e-5}.get(dtype, 1e-12)
    for target, shape in CASES:
        indices, rows = inputs(target, shape, dtype)
        wanted = np.zeros(target, dtype)
        for place in np.ndindex(indices.shape):
            wanted[indices[place]] += rows[place]
        out = scatter.scatter_add_rows(target, indices, rows)
        assert out.dtype == dtype
        assert out.shape == target
        np.testing.assert_allclose(out, wanted, rtol=tolerance, atol=tolerance)


def test_agrees_with_the_gradient_of_torch(reading):
    torch = pytest.importorskip("torch")
    for target, shape in CASES:
        if target[0] == 0:
            continue
        indices, rows = inputs(target, shape)
        weight = torch.zeros(target, dtype=torch.float64, requires_grad=True)
        (gradient,) = torch.autograd.grad(weight[torch.tensor(indices)], weight, torch.tensor(rows))
        np.testing.assert_allclose(scatter.scatter_add_rows(target, indices, rows), gradient.numpy(), atol=1e-12)


def test_negative_small_and_strided_indices(reading):
    indices, rows = inputs((9, 4), (6,))
    out = scatter.scatter_add_rows((9, 4), indices, rows)
    for other in (indices - 9, indices.astype(np.uint8), np.repeat(indices, 2)[::2]):
        np.testing.assert_array_equal(scatter.scatter_add_rows((9, 4), other, rows), out)
    np.testing.assert_array_equal(scatter.scatter_add_rows((9, 4), indices, np.asfortranarray(rows)), out)
    broadcast = np.broadcast_to(np.float64(1), (6, 4))
    np.testing.assert_array_equal(
        scatter.scatter_add_rows((9, 4), indices, broadcast)[:, 0], np.bincount(indices, minlength=9)
    )


def test_same_bits_whatever_the_threads(reading, monkeypatch):
    monkeypatch.setattr(scatter, "GRAIN", 1)
    indices, rows = inputs((20, 500), (300,), "float32")
    before, results = threads.get_num_threads(), set()
    try:
        for count in (1, 2, 5):
            threads.set_num_threads(count)
            results.add(scatter.scatter_add_rows((20, 500), indices, rows).tobytes())
    finally:
        threads.set_num_threads(before)
    assert len(results) == 1


def test_errors(reading):
    rows = np.zeros((2, 3))
    table = [
        (IndexError, "index 5 is out of range.* 5 rows", (5, 3), np.array([0, 5]), rows),
        (IndexError, "index -6", (5, 3), np.array([0, -6]), rows),
        (ValueError, r"expect \(2, 4\)", (5, 4), np.array([0, 1]), rows),
        (ValueError, "expect", (), np.array([0, 1]), rows),
        (TypeError, "float64", (5, 3), np.array([0.0, 1.0]), rows),
        (TypeError, "bool", (2, 3), np.array([True, False]), rows),
    ]
    for error, message, *arguments in table:
        with pytest.raises(error, match=message):
            scatter.scatter_add_rows(*arguments)
