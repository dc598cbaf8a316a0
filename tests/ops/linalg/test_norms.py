"""Norms, condition, rank and distances, against PyTorch."""

import math

import numpy as np
import pytest
from parity import agree_on, agree_with_gradients, outcome, refuse_alike

INF = math.inf
ORDERS = (0, 0.5, 1, 2, 3.5, INF, -INF, -1, -2)
MATRIX_ORDERS = ("fro", "nuc", 1, -1, 2, -2, INF, -INF)


def numbers(*shape, dtype="float64", seed=1):
    x = np.random.default_rng(seed).uniform(-1, 1, shape)
    if dtype.startswith("complex"):
        x = x + 1j * np.random.default_rng(seed + 1).uniform(-1, 1, shape)
    return x.astype(dtype)


@pytest.mark.parametrize("ord", ORDERS)
def test_vector_norms(ord, ours, theirs):
    for shape, dim in (((4,), None), ((2, 3, 4), None), ((2, 3, 4), 1), ((2, 3, 4), (0, -1)), ((), None), ((3, 0), 0)):
        for keepdim in (False, True):
            if shape == (3, 0) and (ord < 0 or ord == INF):
                continue

            def norm(L, x, dim=dim, keepdim=keepdim):
                return L.linalg.vector_norm(x, ord, dim, keepdim)

            for dtype in ("float64", "complex128", "float32", "float16"):
                scale = {"float16": (4e-3, 1e-3), "float32": (1e-5, 1e-6)}.get(dtype, (1e-11, 1e-12))
                agree_on(ours, theirs, norm, [numbers(*shape, dtype=dtype)], *scale, what=f"{ord} {shape} {dim}")
            twins = (lambda x, L=L: norm(L, x) for L in (ours, theirs))
            agree_with_gradients(ours, theirs, *twins, [numbers(*shape)], 1e-10, 1e-11, f"{ord} {shape} {dim}")


@pytest.mark.parametrize("ord", MATRIX_ORDERS)
def test_matrix_norms(ord, ours, theirs):
    for shape, dim in (((3, 4), (-2, -1)), ((2, 3, 4), (0, 2)), ((2, 3, 4), (2, -2)), ((0, 2, 3), (1, 2))):
        for keepdim in (False, True):

            def norm(L, x, dim=dim, keepdim=keepdim):
                return L.linalg.matrix_norm(x, ord, dim, keepdim)

            for dtype in ("float64", "complex128", "float32"):
                scale = (1e-5, 1e-6) if dtype == "float32" else (1e-10, 1e-11)
                agree_on(ours, theirs, norm, [numbers(*shape, dtype=dtype)], *scale, what=f"{ord} {shape} {dim}")
            twins = (lambda x, L=L: norm(L, x) for L in (ours, theirs))
            agree_with_gradients(ours, theirs, *twins, [numbers(*shape)], 1e-9, 1e-10, f"{ord} {shape} {dim}")


CALLS = {
    "norm": lambda L, x: [
        L.linalg.norm(x),
        L.linalg.norm(x[0]),
        L.linalg.norm(x, dim=0),
        L.linalg.norm(input=x, ord=1),
    ],
    "norm of three dims": lambda L, x: [L.linalg.norm(x[None]), L.linalg.norm(x[None], None, (0, 2), True)],
    "norm over pairs": lambda L, x: [
        L.linalg.norm(x, 2, (0, 1)),
        L.linalg.norm(x, "nuc"),
        L.linalg.norm(x, dim=(1, 0)),
    ],
    "norm of a number": lambda L, x: [L.linalg.norm(x[0, 0]), L.linalg.vector_norm(x[0, 0], 3)],
    "dtype": lambda L, x: [
        L.linalg.norm(x.float(), dtype=L.float64),
        L.linalg.vector_norm(x.float(), 3, dtype=L.float64),
        L.linalg.matrix_norm(x.float(), 1, dtype=L.float64),
    ],
    "out": lambda L, x: L.linalg.norm(x, out=L.empty(0, dtype=L.float64)),
    "nan": lambda L, x: [L.linalg.norm(x * math.nan, order) for order in (0.5, 1, INF, -INF) for x in (x[0],)],
    "cond": lambda L, x: [L.linalg.cond(x), L.linalg.cond(x, -2), L.linalg.cond(x[:, :3], 2)],
    "cond by the inverse": lambda L, x: [L.linalg.cond(x[:, :3], p) for p in ("fro", "nuc", 1, -1, INF, -INF)],
    "cond of a singular one": lambda L, x: [L.linalg.cond(x[:, :3] * 0, p) for p in (None, "fro", 1)],
    "cond of nothing": lambda L, x: [L.linalg.cond(x[:0, :0]), L.linalg.cond(x[None, :3, :3][:0], "fro")],
    "rank": lambda L, x: [
        L.linalg.matrix_rank(x),
        L.linalg.matrix_rank(x, 0.9),
        L.linalg.matrix_rank(x, tol=0.1, hermitian=False),
        L.linalg.matrix_rank(x, atol=0.5, rtol=0.2),
        L.linalg.matrix_rank(x[None].expand(2, 3, 4), atol=L.of(np.array([0.1, 0.9]))),
        L.linalg.matrix_rank(x @ x.mT - 0.3 * L.eye(3, dtype=x.dtype), hermitian=True),
        L.linalg.matrix_rank(x[:, :0]),
        L.linalg.matrix_rank(x * 0),
    ],
}


@pytest.mark.parametrize("name", CALLS)
def test_call(name, ours, theirs):
    agree_on(ours, theirs, CALLS[name], [numbers(3, 4)], 1e-10, 1e-11, what=name)


@pytest.mark.parametrize("p", [0, 0.5, 1, 1.5, 2, 3, INF])
def test_distances(p, ours, theirs):
    for shapes in (((3, 4), (5, 4)), ((2, 1, 3, 2), (4, 5, 2)), ((3, 0), (2, 0)), ((0, 2), (3, 2)), ((30, 3), (4, 3))):
        arrays = [numbers(*shape, seed=i) for i, shape in enumerate(shapes)]
        twins = (lambda x, y, L=L: L.cdist(x, y, p) for L in (ours, theirs))
        agree_with_gradients(ours, theirs, *twins, arrays, 1e-8, 1e-8, f"{p} {shapes}")
    for n in (0, 1, 2, 5):
        agree_on(ours, theirs, lambda L, x: [L.pdist(x, p), L.F.pdist(x, p)], [numbers(n, 3)], 1e-10, 1e-11)
        if n > 1:
            twins = (lambda x, L=L: L.pdist(x, p) for L in (ours, theirs))
            agree_with_gradients(ours, theirs, *twins, [numbers(n, 3)], 1e-9, 1e-10, f"{p} {n}")


@pytest.mark.parametrize("p", [1, 1.5, 2, 3, INF])
def test_distances_of_equal_points(p, ours, theirs):
    """No gradient flows where two points are the same."""
    x = np.array([[1.0, 2.0], [3.0, 1.0], [1.0, 2.0]])
    twins = (lambda x, L=L: L.cdist(x, x.detach(), p) for L in (ours, theirs))
    agree_with_gradients(ours, theirs, *twins, [x], 1e-10, 1e-11)


def test_compute_modes(ours, theirs):
    x, y = numbers(40, 3, dtype="float32"), numbers(30, 3, dtype="float32", seed=2)
    for mode in ("use_mm_for_euclid_dist", "donot_use_mm_for_euclid_dist", "use_mm_for_euclid_dist_if_necessary"):
        agree_on(ours, theirs, lambda L, x, y: L.cdist(x, y, compute_mode=mode), [x, y], 1e-4, 1e-4)
    # Without a product of matrices no digits are lost between points that are close.
    near = np.float32(1e-4) * numbers(30, 3, dtype="float32") + 100
    exact = np.linalg.norm(near.astype("float64")[:, None] - near.astype("float64"), axis=-1)
    given = ours.cdist(ours.of(near), ours.of(near), compute_mode="donot_use_mm_for_euclid_dist").numpy()
    np.testing.assert_allclose(given, exact, 1e-6, 1e-9)


REFUSED = {
    "vector ord": (lambda L: L.linalg.vector_norm(L.zeros(2), "fro"), ["ord", "str"]),
    "vector integers": (lambda L: L.linalg.vector_norm(L.of([1, 2])), ["Long", ".float()"]),
    "vector dim": (lambda L: L.linalg.vector_norm(L.zeros(2), dim=1), ["1"]),
    "vector dims": (lambda L: L.linalg.vector_norm(L.zeros(2, 2), dim=(0, 0)), ["0"]),
    "vector of nothing": (lambda L: L.linalg.vector_norm(L.zeros(0), INF), ["inf", "empty"]),
    "vector of nothing, negative": (lambda L: L.linalg.vector_norm(L.zeros(0), -1), ["-1", "empty"]),
    "narrower dtype": (
        lambda L: L.linalg.vector_norm(L.zeros(2, dtype=L.float64), dtype=L.float32),
        ["float64", "float32"],
    ),
    "integer dtype": (lambda L: L.linalg.vector_norm(L.zeros(2), dtype=L.int64), ["int64"]),
    "matrix ord": (lambda L: L.linalg.matrix_norm(L.zeros(2, 2), 3), ["3"]),
    "matrix name": (lambda L: L.linalg.matrix_norm(L.zeros(2, 2), "foo"), ["foo"]),
    "matrix of a vector": (lambda L: L.linalg.matrix_norm(L.zeros(2)), ["2 dimensions"]),
    "matrix dim": (lambda L: L.linalg.matrix_norm(L.zeros(2, 2), dim=(0,)), ["2-tuple"]),
    "matrix dims": (lambda L: L.linalg.matrix_norm(L.zeros(2, 2), dim=(0, -2)), ["(0, -2)"]),
    "matrix half": (lambda L: L.linalg.matrix_norm(L.zeros(2, 2).half(), 2), ["Half"]),
    "norm of 3 dims": (lambda L: L.linalg.norm(L.zeros(2, 2, 2), 2), ["3D"]),
    "norm dims": (lambda L: L.linalg.norm(L.zeros(2, 2, 2), dim=(0, 1, 2)), ["(0, 1, 2)"]),
    "norm name": (lambda L: L.linalg.norm(L.zeros(2, 2), "nuc", 0), ["2-tuple", "0"]),
    "norm list": (lambda L: L.linalg.norm([1.0]), ["Tensor", "list"]),
    "cond": (lambda L: L.linalg.cond(L.zeros(2, 2), 3), ["3"]),
    "cond rectangle": (lambda L: L.linalg.cond(L.zeros(2, 3), "fro"), ["2 by 3"]),
    "rank": (lambda L: L.linalg.matrix_rank(L.zeros(2)), ["[2]"]),
    "rank hermitian": (lambda L: L.linalg.matrix_rank(L.zeros(2, 3), hermitian=True), ["2 by 3"]),
    "cdist columns": (lambda L: L.cdist(L.zeros(2, 3), L.zeros(2, 4)), ["[2, 3]", "[2, 4]"]),
    "cdist vector": (lambda L: L.cdist(L.zeros(3), L.zeros(2, 3)), ["x1", "1D"]),
    "cdist p": (lambda L: L.cdist(L.zeros(2, 3), L.zeros(2, 3), -1), ["-1"]),
    "cdist mode": (lambda L: L.cdist(L.zeros(2, 3), L.zeros(2, 3), compute_mode="fast"), ["fast"]),
    "cdist integers": (lambda L: L.cdist(L.of([[1]]), L.of([[1]])), ["x1", "Long"]),
    "cdist batches": (lambda L: L.cdist(L.zeros(2, 2, 3), L.zeros(3, 2, 3)), ["[2, 2, 3]", "[3, 2, 3]"]),
    "pdist": (lambda L: L.pdist(L.zeros(2, 3, 4)), ["3D"]),
    "pdist p": (lambda L: L.pdist(L.zeros(2, 3), p=-1), ["-1"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name, ours, theirs):
    refuse_alike(ours, theirs, *REFUSED[name])


def test_nan_has_no_singular_values(ours, theirs):
    for call in (
        lambda L, x: L.linalg.matrix_rank(x),
        lambda L, x: L.linalg.norm(x, "nuc"),
        lambda L, x: L.linalg.cond(x),
    ):
        for L in (ours, theirs):
            assert outcome(call, L, L.of(np.full((2, 2), np.nan)))[1] is L.linalg.LinAlgError
