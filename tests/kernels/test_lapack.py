"""Stacks of matrices: many small ones at once give what LAPACK gives for each."""

import numpy as np
import pytest

from autograd.kernels import lapack

DTYPES = {"float32": 1e-5, "float64": 1e-12, "complex64": 1e-5, "complex128": 1e-12}


def numbers(*shape, dtype="float64", seed=0):
    generator = np.random.default_rng(seed)
    x = generator.uniform(-1, 1, shape)
    return (x + 1j * generator.uniform(-1, 1, shape) if dtype.startswith("complex") else x).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4), (1, 1)])
def test_elimination_of_many(dtype, shape):
    """The same pivots, also where some are zero."""
    stack = numbers(5, 8, *shape, dtype=dtype)
    stack[1, 2] = 0
    stack[2, :, :, 0] = 0
    lu, pivots, info = lapack.lu_factor(stack)
    for place in np.ndindex(5, 8):
        one, exchanged, failed = lapack.lu_factor(stack[place])
        np.testing.assert_allclose(lu[place], one, atol=10 * DTYPES[dtype])
        np.testing.assert_array_equal(pivots[place], exchanged)
        assert info[place] == failed
    assert lu.dtype == stack.dtype
    assert pivots.dtype == info.dtype == np.int32


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("upper", [False, True])
@pytest.mark.parametrize("unit", [False, True])
def test_substitution_in_many(dtype, upper, unit):
    a, b = numbers(40, 3, 3, dtype=dtype) + 2 * np.eye(3, dtype=dtype), numbers(40, 3, 2, dtype=dtype, seed=1)
    x = lapack.solve_triangular(a, b, upper, unit)
    assert x.dtype == a.dtype
    for i in range(40):
        np.testing.assert_allclose(
            x[i], lapack.solve_triangular(a[i], b[i], upper, unit), rtol=0, atol=20 * DTYPES[dtype]
        )
        triangle = (np.triu if upper else np.tril)(a[i])
        if unit:
            np.fill_diagonal(triangle, 1)
        np.testing.assert_allclose(triangle @ x[i], b[i], rtol=0, atol=20 * DTYPES[dtype])


def test_the_permutation_undoes_the_exchanges():
    a = numbers(2, 5, 4)
    lu, pivots, _info = lapack.lu_factor(a)
    order = lapack.permutation(pivots, 5)
    lower, upper = np.tril(lu, -1)[..., :4] + np.eye(5, 4), np.triu(lu)[..., :4, :]
    np.testing.assert_allclose(lower @ upper, np.take_along_axis(a, order[..., None], 1), atol=1e-12)


def test_no_matrices_and_no_elements():
    for shape in ((0, 3, 3), (2, 0, 0), (2, 0, 4, 3)):
        a = np.zeros(shape)
        lu, pivots, info = lapack.lu_factor(a)
        assert (lu.shape, pivots.shape, info.shape) == (shape, (*shape[:-2], min(shape[-2:])), shape[:-2])
        u, s, vh = lapack.svd(a, False)
        assert (u @ (s[..., None] * vh)).shape == shape
