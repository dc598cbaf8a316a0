"""Factorizations: forms, shapes, degenerate cases and refusals, against PyTorch and against what defines them."""

import warnings

import numpy as np
import pytest
from parity import agree, agree_on, agree_with_gradients, refuse_alike

from autograd.testing import gradcheck, gradgradcheck

SHAPES = [(3, 3), (4, 2), (2, 4), (2, 3, 3), (2, 1, 4, 3), (0, 0), (0, 3), (3, 0), (0, 3, 3), (1, 1)]


def numbers(*shape, dtype="float64", seed=1):
    x = np.random.default_rng(seed).uniform(-1, 1, shape)
    if dtype.startswith("complex"):
        x = x + 1j * np.random.default_rng(seed + 1).uniform(-1, 1, shape)
    return x.astype(dtype)


def positive(*shape, dtype="float64"):
    x = numbers(*shape, dtype=dtype)
    return x @ x.conj().swapaxes(-2, -1) + np.eye(shape[-1], dtype=dtype)


@pytest.fixture(autouse=True)
def quiet():
    """PyTorch warns of its older names."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning)
        yield


# What does not depend on the signs of vectors: each expression may be compared with PyTorch.
OF_ANY_SHAPE = {
    "qr": lambda L, a: [x.abs() for mode in ("reduced", "complete", "r") for x in L.linalg.qr(a, mode)],
    "old qr": lambda L, a: [x.abs() for some in (True, False) for x in (*L.qr(a, some), *a.qr(some=some))],
    "svd": lambda L, a: [x.abs() for x in (*L.linalg.svd(a, full_matrices=False), *L.svd(a), *a.svd())],
    "svd of full size": lambda L, a: [x.shape for x in (*L.linalg.svd(a), *L.svd(a, some=False))],
    "singular values": lambda L, a: [L.linalg.svdvals(a), L.linalg.svdvals(A=a), *L.svd(a, compute_uv=False)],
    "lu": lambda L, a: [*L.linalg.lu(a), *L.linalg.lu_factor_ex(a)],
    "lu_factor": lambda L, a: [*L.linalg.lu_factor(a), *L.lu(a), *a.lu(), *L.lu(a, get_infos=True)],
    "lu_unpack": lambda L, a: [*L.lu_unpack(*L.linalg.lu_factor_ex(a)[:2])],
    "half of lu_unpack": lambda L, a: [
        *L.lu_unpack(*L.linalg.lu_factor_ex(a)[:2], unpack_data=False),
        *L.lu_unpack(*L.linalg.lu_factor_ex(a)[:2], unpack_pivots=False),
    ],
    "geqrf": lambda L, a: [*L.geqrf(a), *a.geqrf()],
}
OF_SQUARES = {
    "cholesky": lambda L, a: [L.linalg.cholesky(a), L.cholesky(a), a.cholesky(upper=True), *L.linalg.cholesky_ex(a)],
    "upper cholesky": lambda L, a: [L.linalg.cholesky(a, upper=True), *L.linalg.cholesky_ex(a, upper=True)],
    "eigh": lambda L, a: [x.abs() for triangle in "LUlu" for x in L.linalg.eigh(a, triangle)],
    "eigvalsh": lambda L, a: [L.linalg.eigvalsh(a), L.linalg.eigvalsh(a, UPLO="U")],
    "ldl": lambda L, a: [*L.linalg.ldl_factor(a, hermitian=True), *L.linalg.ldl_factor_ex(a, hermitian=True)],
}
TOLERANCE = {
    "float32": (1e-4, 1e-5),
    "float64": (1e-10, 1e-11),
    "complex64": (1e-4, 1e-5),
    "complex128": (1e-10, 1e-11),
}


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("name", OF_ANY_SHAPE)
def test_any_shape(name, dtype, ours, theirs):
    for shape in SHAPES:
        arrays = [numbers(*shape, dtype=dtype)]
        agree_on(ours, theirs, OF_ANY_SHAPE[name], arrays, *TOLERANCE[dtype], what=f"{name} {shape}")


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("name", OF_SQUARES)
def test_squares(name, dtype, ours, theirs):
    for shape in SHAPES:
        if shape[-1] == shape[-2]:
            arrays = [positive(*shape, dtype=dtype)]
            agree_on(ours, theirs, OF_SQUARES[name], arrays, *TOLERANCE[dtype], what=f"{name} {shape}")


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_products_give_the_matrix_back(dtype, ours):
    rtol, atol = TOLERANCE[dtype]
    for shape in SHAPES:
        a = ours.of(numbers(*shape, dtype=dtype))
        u, s, vh = ours.linalg.svd(a, False)
        p, lower, upper = ours.linalg.lu(a)
        products = [u @ (s.unsqueeze(-1) * vh), p.to(a.dtype) @ lower @ upper]
        products += [q @ r for q, r in (ours.linalg.qr(a), ours.linalg.qr(a, "complete"))]
        full, s, vh = ours.linalg.svd(a)
        products.append(full[..., : s.shape[-1]] @ (s.unsqueeze(-1) * vh[..., : s.shape[-1], :]))
        for product in products:
            np.testing.assert_allclose(product.numpy(), a.numpy(), rtol, atol * 10)
        if shape[-1] == shape[-2]:
            values, vectors = ours.linalg.eig(a)
            np.testing.assert_allclose(
                (vectors * values.unsqueeze(-2)).numpy(), (a.to(values.dtype) @ vectors).numpy(), rtol, atol * 10
            )
            assert values.dtype is vectors.dtype is ours.linalg.eigvals(a).dtype


def test_eigenvalues(ours, theirs):
    for dtype in ("float64", "complex128", "float32"):
        for shape in ((3, 3), (2, 4, 4), (0, 0), (0, 2, 2)):
            a = numbers(*shape, dtype=dtype)
            mine, other = ours.linalg.eigvals(ours.of(a)), theirs.linalg.eigvals(theirs.of(a))
            assert str(mine.dtype) == str(other.dtype)
            sort = lambda x: np.sort_complex(np.round(x.numpy(), 3))  # noqa: E731
            np.testing.assert_allclose(sort(mine), sort(other), atol=2e-3)
            agree(ours.linalg.eig(ours.of(a)).eigenvalues, mine)


HOUSEHOLDER = [((3, 3), (3,)), ((2, 4, 3), (2, 3)), ((4, 0), (0,)), ((0, 4, 3), (0, 3)), ((5, 2), (2,))]


def test_householder(ours, theirs):
    for shapes in HOUSEHOLDER:
        for dtype in ("float64", "complex128"):
            a, tau = (numbers(*shape, dtype=dtype, seed=i) for i, shape in enumerate(shapes))
            c = numbers(*shapes[0][:-1], 2, dtype=dtype, seed=7)

            def products(L, a, tau, c):
                return [
                    L.linalg.householder_product(a, tau),
                    L.orgqr(a, tau),
                    a.orgqr(tau),
                    L.ormqr(a, tau, c),
                    L.ormqr(a, tau, c, transpose=True),
                    a.ormqr(tau, c.mT, left=False),
                ]

            agree_on(ours, theirs, products, [a, tau, c], 1e-10, 1e-11, what=str(shapes))
    few = [numbers(4, 3), numbers(1)]
    agree_on(ours, theirs, lambda L, a, tau: L.linalg.householder_product(a, tau), few, 1e-10, 1e-11)
    a = numbers(5, 3)
    np.testing.assert_allclose(
        ours.linalg.householder_product(*ours.geqrf(ours.of(a))).numpy(),
        ours.linalg.qr(ours.of(a)).Q.numpy(),
        atol=1e-12,
    )


def test_unwanted_outputs_cost_no_derivative(ours, theirs):
    """Equal singular values or eigenvalues: those of the vectors do not exist, those of the values do."""
    x = np.eye(3)
    expressions = [
        lambda L, x: L.linalg.svd(x).S,
        lambda L, x: L.linalg.svdvals(x),
        lambda L, x: L.linalg.eigh(x)[0],
        lambda L, x: L.linalg.eigvalsh(x),
    ]
    for expression in expressions:
        twins = (lambda x, L=L: expression(L, x) for L in (ours, theirs))
        agree_with_gradients(ours, theirs, *twins, [x])
    tensor = ours.of(x, True)
    (ours.linalg.svd(tensor)[0] * ours.of(numbers(3, 3))).sum().backward()
    assert not np.isfinite(tensor.grad.numpy()).all()


def test_gradients_by_one_output_alone(ours):
    """Each output of each decomposition, the others unused."""
    x = positive(3, 3) + np.diag([0.0, 1.0, 3.0])
    for expression, outputs in (
        (lambda x: ours.linalg.svd(x), 3),
        (lambda x: ours.linalg.eigh(x + x.mT), 2),
        (lambda x: ours.linalg.qr(x), 2),
        (lambda x: ours.linalg.lu(x)[1:], 2),
    ):
        for i in range(outputs):
            tensor = ours.of(x, True)
            assert gradcheck(lambda x, i=i, f=expression: f(x)[i].abs(), (tensor,)), i
            assert gradgradcheck(lambda x, i=i, f=expression: f(x)[i].abs(), (tensor,)), i


@pytest.mark.parametrize("name", ["svd", "eigh", "eig"])
def test_a_function_of_the_phases_has_no_gradient(name, ours, theirs):
    """Complex vectors are determined up to a phase; absolute values do not depend on it."""
    z = positive(3, 3, dtype="complex128")
    for L in (ours, theirs):
        x = L.of(z, True)
        vectors = getattr(L.linalg, name)(x)[0 if name == "svd" else 1]
        with pytest.raises(RuntimeError, match=name):
            (vectors * L.of(numbers(3, 3, dtype="complex128", seed=9))).real.sum().backward(retain_graph=True)
        vectors.abs().sum().backward()


def test_outputs_written_to(ours, theirs):
    """An output that the rule needs may not be changed before the backward pass."""
    for L in (ours, theirs):
        x = L.of(positive(3, 3), True)
        factor = L.linalg.cholesky(x)
        with L.no_grad():
            factor.mul_(2.0)
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            factor.sum().backward()


REFUSED = {
    "cholesky": (lambda L: L.linalg.cholesky(L.of(np.diag([1.0, -1.0]))), ["linalg.cholesky", "order 2"]),
    "old cholesky": (lambda L: L.cholesky(L.of(np.diag([1.0, 1.0, -1.0]))), ["cholesky", "order 3"]),
    "cholesky batch": (lambda L: L.linalg.cholesky(L.of(np.stack([np.eye(2), -np.eye(2)]))), ["Batch element 1"]),
    "cholesky_ex": (lambda L: L.linalg.cholesky_ex(-L.eye(2), check_errors=True), ["order 1"]),
    "cholesky shape": (lambda L: L.linalg.cholesky(L.zeros(2, 3)), ["2 by 3"]),
    "cholesky integers": (lambda L: L.linalg.cholesky(L.of(np.eye(2, dtype=int))), ["Long", ".float()"]),
    "cholesky nan": (lambda L: L.linalg.cholesky(L.of(np.full((2, 2), np.nan))), ["positive"]),
    "qr mode": (lambda L: L.linalg.qr(L.eye(2), "full"), ["'full'", "reduced"]),
    "qr vector": (lambda L: L.linalg.qr(L.zeros(2)), ["[2]"]),
    "qr r backward": (lambda L: L.linalg.qr(L.eye(2).requires_grad_(), "r")[1].sum().backward(), ["mode='r'"]),
    "qr complete backward": (
        lambda L: L.linalg.qr(L.ones(3, 2).requires_grad_(), "complete").R.sum().backward(),
        ["complete", "3", "2"],
    ),
    "lu pivot": (lambda L: L.linalg.lu(L.eye(2), pivot=False), ["pivot"]),
    "lu_factor singular": (lambda L: L.linalg.lu_factor(L.zeros(2, 2)), ["pivot 1"]),
    "lu_unpack pivots": (lambda L: L.lu_unpack(L.eye(2), L.zeros(2)), ["pivots", "int32"]),
    "svd integers": (lambda L: L.linalg.svd(L.of(np.eye(2, dtype=int))), ["Long"]),
    "svd half": (lambda L: L.linalg.svd(L.eye(2).half()), ["Half"]),
    "svd driver": (lambda L: L.linalg.svd(L.eye(2), driver="gesvd"), ["driver", "gesvd"]),
    "svd nan": (lambda L: L.linalg.svd(L.of(np.full((2, 2), np.nan))), ["NaN"]),
    "svdvals nan": (lambda L: L.linalg.svdvals(L.of(np.full((2, 2), np.nan))), ["NaN"]),
    "eigh triangle": (lambda L: L.linalg.eigh(L.eye(2), "X"), ["UPLO", "'X'"]),
    "eigh shape": (lambda L: L.linalg.eigh(L.zeros(2, 3)), ["2 by 3"]),
    "eig shape": (lambda L: L.linalg.eig(L.zeros(2, 3)), ["2 by 3"]),
    "eig nan": (lambda L: L.linalg.eig(L.of(np.full((2, 2), np.nan))), ["NaN"]),
    "householder": (lambda L: L.linalg.householder_product(L.zeros(2, 3), L.zeros(3)), ["2 by 3"]),
    "householder tau": (lambda L: L.linalg.householder_product(L.zeros(3, 2), L.zeros(3)), ["2 < 3"]),
    "householder dims": (lambda L: L.linalg.householder_product(L.zeros(3, 2), L.zeros(2, 2)), ["[2, 2]"]),
    "householder dtypes": (
        lambda L: L.linalg.householder_product(L.zeros(3, 2), L.zeros(2, dtype=L.float64)),
        ["float32", "float64"],
    ),
    "ormqr tau": (lambda L: L.ormqr(L.zeros(4, 3), L.zeros(2), L.zeros(4, 2)), ["[2]", "[4, 2]", "[4, 3]"]),
    "ormqr": (lambda L: L.ormqr(L.zeros(3, 2), L.zeros(2), L.zeros(4, 2)), ["[4, 2]"]),
    "ldl": (lambda L: L.linalg.ldl_factor(L.zeros(2, 3)), ["2 by 3"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name, ours, theirs):
    expression, words = REFUSED[name]
    refuse_alike(ours, theirs, expression, words)


def test_names_of_results(ours, theirs):
    a = positive(3, 3)
    for expression in (
        lambda L, a: L.linalg.svd(a),
        lambda L, a: L.svd(a),
        lambda L, a: L.linalg.qr(a),
        lambda L, a: L.qr(a),
        lambda L, a: L.linalg.eigh(a),
        lambda L, a: L.linalg.eig(a),
        lambda L, a: L.linalg.lu(a),
        lambda L, a: L.linalg.lu_factor(a),
        lambda L, a: L.linalg.lu_factor_ex(a),
        lambda L, a: L.lu_unpack(*L.linalg.lu_factor(a)),
        lambda L, a: L.linalg.cholesky_ex(a),
        lambda L, a: L.linalg.ldl_factor(a),
        lambda L, a: L.linalg.ldl_factor_ex(a),
        lambda L, a: L.geqrf(a),
        lambda L, a: L.lu(a, get_infos=True),
    ):
        mine, other = expression(ours, ours.of(a)), expression(theirs, theirs.of(a))
        assert repr(mine).splitlines()[:1] == repr(other).splitlines()[:1]
        assert all(hasattr(other, field) for field in mine._fields)
        assert type(mine).__name__ == type(other).__name__


def test_results_lie_column_by_column(ours, theirs):
    a = positive(2, 3, 3)
    for expression in (
        lambda L, a: [L.linalg.cholesky(a), L.linalg.cholesky(a, upper=True)],
        lambda L, a: [*L.linalg.qr(a), *L.linalg.qr(a[..., :2], "complete")],
        lambda L, a: [*L.linalg.svd(a), *L.linalg.svd(a[..., :2], False)],
        lambda L, a: [L.linalg.eigh(a)[1], L.linalg.eig(a)[1], L.linalg.lu_factor(a)[0], L.linalg.ldl_factor(a)[0]],
        lambda L, a: [*L.geqrf(a), L.linalg.householder_product(*L.geqrf(a)), L.orgqr(*L.geqrf(a[..., :2]))],
        lambda L, a: [L.ormqr(*L.geqrf(a), a[..., :2]), L.ormqr(*L.geqrf(a), a[:, :2], left=False, transpose=True)],
        lambda L, a: [*L.triangular_solve(a[..., :2], a), *L.triangular_solve(a[..., :2], a.mT, transpose=True)],
    ):
        mine, other = expression(ours, ours.of(a)), expression(theirs, theirs.of(a))
        assert [tuple(x.stride()) for x in mine] == [tuple(x.stride()) for x in other]


EXACT_OUT = {
    "cholesky": lambda L, x, out: L.linalg.cholesky(x, out=out),
    "upper cholesky": lambda L, x, out: L.linalg.cholesky(x, upper=True, out=out),
    "lu": lambda L, x, out: L.linalg.lu(x, out=(out, *(L.empty(0, dtype=x.dtype) for _ in "lu")))[0],
    "lu's u": lambda L, x, out: L.linalg.lu(x, out=(*(L.empty(0, dtype=x.dtype) for _ in "pl"), out))[2],
    "torch.cholesky": lambda L, x, out: L.cholesky(x, out=out),  # takes whatever holds its result
}


@pytest.mark.parametrize("name", EXACT_OUT)
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64"])
def test_dtypes_of_out(ours, theirs, name, dtype):
    matrix = positive(3, 3, dtype=dtype)
    accepted = 0
    for other in ("bfloat16", "float32", "float64", "complex64", "complex128", "int64"):
        results = []
        for L in (ours, theirs):
            out = L.empty(0, dtype=getattr(L, other))
            try:
                results.append(EXACT_OUT[name](L, L.tensor(matrix), out) is out and out.to(L.complex128))
            except RuntimeError:
                assert out.numel() == 0
                results.append(None)
        assert (results[0] is None) == (results[1] is None), other
        if results[0] is not None:
            accepted += 1
            agree(*results, rtol=1e-5, atol=1e-6)
    assert accepted >= 1
