"""Systems of equations, inverses, determinants, matrix functions: forms, edge cases and refusals, against PyTorch."""

import warnings

import numpy as np
import pytest
from parity import agree, agree_on, agree_with_gradients, outcome, refuse_alike

import autograd
from autograd.testing import gradcheck, gradgradcheck

EMPTY, ONE, BATCHES = (0, 0), (1, 1), (2, 0, 3, 3)


def regular(*shape, dtype="float64", seed=0):
    """Well-conditioned matrices."""
    x = np.random.default_rng(seed).uniform(-1, 1, shape)
    return (x + 3 * np.eye(*shape[-2:])).astype(dtype)


def numbers(*shape, dtype="float64", seed=1):
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(dtype)


def positive(*shape, dtype="float64"):
    x = numbers(*shape)
    return (x @ x.swapaxes(-2, -1) + np.eye(shape[-1])).astype(dtype)


PIVOTS = np.array([1, 3, 3], np.int32)
SINGULAR = np.array([[1.0, 2.0], [2.0, 4.0]])

CALLS = {
    "inv": (lambda L, a: [L.linalg.inv(a), L.inverse(a), a.inverse(), *L.linalg.inv_ex(a)], regular(3, 3)),
    "inv batch": (lambda L, a: L.linalg.inv(A=a), regular(2, 4, 3, 3)),
    "inv empty": (lambda L, a: L.linalg.inv(a), np.zeros(EMPTY)),
    "inv no matrices": (lambda L, a: L.linalg.inv(a), np.zeros(BATCHES)),
    "inv_ex singular": (lambda L, a: L.linalg.inv_ex(a).info, np.stack([SINGULAR, np.eye(2), 0 * SINGULAR])),
    "inv nan": (lambda L, a: L.linalg.inv(a), np.full((2, 2), np.nan)),
    "solve": (lambda L, a, b: [L.linalg.solve(a, b), *L.linalg.solve_ex(A=a, B=b)], regular(3, 3), numbers(3, 2)),
    "solve vector": (lambda L, a, b: L.linalg.solve(a, b), regular(3, 3), numbers(3)),
    "solve vectors": (lambda L, a, b: L.linalg.solve(a, b), regular(2, 3, 3), numbers(2, 3)),
    "solve broadcast": (lambda L, a, b: L.linalg.solve(a, b), regular(2, 1, 3, 3), numbers(4, 3, 2)),
    "solve right": (lambda L, a, b: L.linalg.solve(a, b, left=False), regular(2, 3, 3), numbers(4, 3)),
    "solve empty": (lambda L, a, b: L.linalg.solve(a, b), np.zeros(EMPTY), np.zeros((0, 2))),
    "solve no columns": (lambda L, a, b: L.linalg.solve(a, b), regular(3, 3), np.zeros((3, 0))),
    "solve_ex singular": (lambda L, a, b: L.linalg.solve_ex(a, b).info, np.stack([SINGULAR, np.eye(2)]), numbers(2, 1)),
    "triangular": (lambda L, a, b: L.linalg.solve_triangular(a, b, upper=True), regular(3, 3), numbers(2, 3, 2)),
    "triangular unit": (
        lambda L, a, b: L.linalg.solve_triangular(a, b, upper=False, unitriangular=True),
        regular(3, 3),
        numbers(3, 2),
    ),
    "triangular right": (
        lambda L, a, b: L.linalg.solve_triangular(a, b, upper=False, left=False),
        regular(2, 3, 3),
        numbers(4, 3),
    ),
    "triangular zero": (lambda L, a, b: L.linalg.solve_triangular(a, b, upper=True), 0 * SINGULAR, numbers(2, 1)),
    "triangular empty": (
        lambda L, a, b: L.linalg.solve_triangular(a, b, upper=True),
        np.zeros((0, 3, 3)),
        np.zeros((3, 2)),
    ),
    "triangular_solve": (
        lambda L, a, b: [
            *L.triangular_solve(b, a),
            *b.triangular_solve(a, upper=False, transpose=True),
            *L.triangular_solve(b, a, True, True, True),
        ],
        regular(3, 3),
        numbers(3, 2),
    ),
    "cholesky_solve": (
        lambda L, a, b: [L.cholesky_solve(b, a.tril()), b.cholesky_solve(a.triu(), upper=True)],
        regular(2, 3, 3),
        numbers(3, 2),
    ),
    "cholesky_inverse": (
        lambda L, a: [L.cholesky_inverse(a.tril()), a.triu().cholesky_inverse(upper=True)],
        regular(2, 3, 3),
    ),
    "lu_solve": (
        lambda L, a, b: [
            L.linalg.lu_solve(a, L.of(PIVOTS), b),
            L.linalg.lu_solve(a, L.of(PIVOTS), b, adjoint=True),
            L.linalg.lu_solve(a, L.of(PIVOTS), b.mT, left=False),
            L.linalg.lu_solve(a, L.of(PIVOTS), b.mT, left=False, adjoint=True),
            L.lu_solve(b, a, L.of(PIVOTS)),
        ],
        regular(3, 3),
        numbers(3, 2),
    ),
    "det": (lambda L, a: [L.linalg.det(a), L.det(a), a.det(), a.logdet(), *a.slogdet()], regular(2, 3, 3)),
    "det negative": (lambda L, a: [L.det(a), L.logdet(a), *L.linalg.slogdet(a)], np.diag([1.0, -2.0])),
    "det zero": (lambda L, a: [L.det(a), L.logdet(a), *L.slogdet(a)], np.zeros((2, 2))),
    "det empty": (lambda L, a: [L.det(a), L.logdet(a), *L.slogdet(a)], np.zeros((2, 0, 0))),
    "det names": (
        lambda L, a: [L.linalg.slogdet(a).sign, L.slogdet(a).logabsdet, L.linalg.det(A=a), L.det(input=a)],
        regular(3, 3),
    ),
    "pinv": (
        lambda L, a: [
            L.linalg.pinv(a),
            L.linalg.pinv(a, rtol=0.3),
            L.linalg.pinv(a, atol=0.5),
            L.linalg.pinv(a, 0.3),
            L.linalg.pinv(a, atol=L.of(np.array([0.1, 0.9]))),
            L.linalg.pinv(a[0], rtol=L.of(np.array([0.1, 0.9]))),
            L.pinverse(a),
            a.pinverse(rcond=0.2),
        ],
        numbers(2, 4, 3),
    ),
    "pinv hermitian": (lambda L, a: L.linalg.pinv(a, hermitian=True, rtol=0.01), positive(3, 3) - np.eye(3)),
    "pinv zero": (lambda L, a: L.linalg.pinv(a), np.zeros((2, 3))),
    "pinv empty": (lambda L, a: L.linalg.pinv(a), np.zeros((2, 0, 3))),
    "matrix_exp": (lambda L, a: [L.matrix_exp(a), L.linalg.matrix_exp(a), a.matrix_exp()], numbers(2, 3, 3)),
    "matrix_exp empty": (lambda L, a: L.matrix_exp(a), np.zeros((0, 3, 3))),
    "matrix_power": (
        lambda L, a: (
            [L.matrix_power(a, n) for n in (0, 1, 2, 5, -1, -3)] + [a.matrix_power(7), L.linalg.matrix_power(a, 4)]
        ),
        regular(2, 3, 3) / 3,
    ),
    "matrix_power of integers": (lambda L, a: L.linalg.matrix_power(a, 10), np.array([[1, 1], [1, 0]])),
    "tensorinv": (lambda L, a: L.linalg.tensorinv(a.reshape(2, 3, 6)), regular(6, 6)),
    "tensorinv 1": (lambda L, a: L.linalg.tensorinv(a.reshape(6, 2, 3), ind=1), regular(6, 6)),
    "tensorsolve": (
        lambda L, a, b: [
            L.linalg.tensorsolve(a.reshape(2, 3, 6), b),
            L.linalg.tensorsolve(a.reshape(2, 6, 3), b, dims=(1,)),
        ],
        regular(6, 6),
        numbers(2, 3),
    ),
    "out": (
        lambda L, a: L.linalg.inv(a, out=L.empty(0, dtype=L.float64)),
        regular(3, 3),
    ),
    "out of two": (
        lambda L, a: L.linalg.slogdet(a, out=(L.empty(0, dtype=L.float64), L.empty(0, dtype=L.float64))),
        regular(2, 3, 3),
    ),
}


@pytest.fixture(autouse=True)
def quiet():
    """PyTorch warns of its older names."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning)
        yield


@pytest.mark.parametrize("name", CALLS)
def test_call(name, ours, theirs):
    expression, *arrays = CALLS[name]
    agree_on(ours, theirs, expression, arrays, 1e-9, 1e-10, what=name)
    if arrays[0].dtype.kind == "f" and "out" not in name:
        agree_on(ours, theirs, expression, [a.astype("float32") for a in arrays], 2e-4, 2e-4, what=name)
        if "nan" not in name and "zero" not in name:
            agree_on(ours, theirs, expression, [a.astype("complex128") for a in arrays], 1e-9, 1e-10, what=name)


LEAST_SQUARES = [
    ((4, 3), (4, 2)),
    ((3, 4), (3, 2)),
    ((3, 3), (3, 1)),
    ((2, 4, 3), (2, 4)),
    ((5, 2, 4, 3), (1, 2, 4, 1)),
]


@pytest.mark.parametrize("driver", [None, "gels", "gelsy", "gelsd", "gelss"])
def test_least_squares(driver, ours, theirs):
    for shapes in LEAST_SQUARES:
        arrays = [numbers(*shape, seed=i) for i, shape in enumerate(shapes)]
        agree_on(ours, theirs, lambda L, a, b: L.linalg.lstsq(a, b, driver=driver), arrays, 1e-9, 1e-10, str(shapes))
        twins = (lambda a, b, L=L: L.linalg.lstsq(a, b, driver=driver)[0] for L in (ours, theirs))
        agree_with_gradients(ours, theirs, *twins, arrays, 1e-8, 1e-9, str(shapes))
    if driver != "gels":  # which asks for full rank
        low = numbers(5, 1) * numbers(1, 3, seed=2)
        agree_on(ours, theirs, lambda L, a, b: L.linalg.lstsq(a, b, driver=driver), [low, numbers(5, 2)], 1e-9, 1e-10)
        agree_on(ours, theirs, lambda L, a: L.linalg.lstsq(a, a, rcond=0.5, driver=driver)[2], [regular(3, 3)])


def test_least_squares_of_low_rank_has_derivatives(ours):
    """For changes that keep the rank."""
    x, y, b = (ours.of(numbers(*shape, seed=i), True) for i, shape in enumerate([(5, 2), (2, 3), (5, 2)]))

    def solution(x, y, b):
        return ours.linalg.lstsq(x @ y, b, rcond=1e-8).solution

    assert gradcheck(solution, (x, y, b))
    assert gradgradcheck(solution, (x, y, b))


@pytest.mark.parametrize("hermitian", [False, True])
@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_ldl(hermitian, dtype, ours, theirs):
    """Pivots of order 1 and 2, and a derivative in B, which PyTorch does not have."""
    a = numbers(4, 5, 5).astype(dtype)
    if dtype == "complex128":
        a = a + 1j * numbers(4, 5, 5, seed=4)
    a = a + (a.conj() if hermitian else a).swapaxes(-2, -1)
    a[1] -= np.diag(np.diag(a[1]))
    b = numbers(5, 2).astype(dtype)

    def solved(L, a, b):
        factors = L.linalg.ldl_factor(a, hermitian=hermitian)
        return [
            *factors,
            *L.linalg.ldl_factor_ex(a, hermitian=hermitian),
            L.linalg.ldl_solve(*factors, b, hermitian=hermitian),
        ]

    agree_on(ours, theirs, solved, [a, b], 1e-9, 1e-10)
    factors = ours.linalg.ldl_factor(ours.of(a), hermitian=hermitian)
    x = ours.linalg.ldl_solve(*factors, ours.of(b), hermitian=hermitian)
    np.testing.assert_allclose(a @ x.numpy(), np.broadcast_to(b, (4, 5, 2)), atol=1e-9)
    right = ours.of(b, True)
    assert gradcheck(lambda b: ours.linalg.ldl_solve(*factors, b, hermitian=hermitian), (right,))
    assert gradgradcheck(lambda b: ours.linalg.ldl_solve(*factors, b, hermitian=hermitian), (right,))


@pytest.mark.parametrize("rank", [0, 1, 2, 3])
def test_determinant_of_any_rank(rank, ours):
    """It is a polynomial: its first, second and third derivatives exist for every matrix."""
    values = np.diag(np.arange(3) < rank) * 1.0
    q, r = np.linalg.qr(numbers(3, 3))[0], np.linalg.qr(numbers(3, 3, seed=5))[0]
    x, h = ours.of(q @ values @ r, True), ours.of(numbers(3, 3), True)
    assert gradcheck(ours.linalg.det, (x,))
    assert gradgradcheck(ours.linalg.det, (x,))
    if rank == 3:

        def along(x, h):
            return (autograd.grad(ours.linalg.det(x), x, create_graph=True)[0] * h).sum()

        assert gradgradcheck(along, (x, h))


REFUSED = {
    "inv singular": (lambda L: L.linalg.inv(L.of(SINGULAR)), ["linalg.inv", "singular", "2"]),
    "inv batch": (lambda L: L.linalg.inv(L.of(np.stack([np.eye(2), SINGULAR]))), ["Batch element 1"]),
    "inv_ex": (lambda L: L.linalg.inv_ex(L.of(SINGULAR), check_errors=True), ["inv_ex"]),
    "inv vector": (lambda L: L.linalg.inv(L.zeros(3)), ["linalg.inv", "[3]"]),
    "inv rectangle": (lambda L: L.linalg.inv(L.zeros(2, 3)), ["square", "2 by 3"]),
    "inv integers": (lambda L: L.linalg.inv(L.of(np.eye(2, dtype=int))), ["Long", ".float()"]),
    "inv half": (lambda L: L.linalg.inv(L.eye(2).half()), ["Half"]),
    "inv list": (lambda L: L.linalg.inv([[1.0]]), ["Tensor", "list"]),
    "solve singular": (lambda L: L.linalg.solve(L.of(SINGULAR), L.of(SINGULAR)), ["linalg.solve", "singular"]),
    "solve shapes": (lambda L: L.linalg.solve(L.eye(3), L.zeros(2, 3)), ["[3, 3]", "[2, 3]"]),
    "solve dtypes": (lambda L: L.linalg.solve(L.eye(2), L.eye(2, dtype=L.float64)), ["float32", "float64"]),
    "solve batches": (lambda L: L.linalg.solve(L.zeros(2, 3, 3), L.zeros(3, 3, 1)), ["[2, 3, 3]", "[3, 3, 1]"]),
    "solve vector right": (lambda L: L.linalg.solve(L.eye(3), L.zeros(3), left=False), ["left"]),
    "triangular": (lambda L: L.linalg.solve_triangular(L.eye(3), L.zeros(2, 2), upper=True), ["[3, 3]", "[2, 2]"]),
    "triangular upper": (lambda L: L.linalg.solve_triangular(L.eye(3), L.zeros(3, 2)), ["upper"]),
    "triangular vector": (lambda L: L.linalg.solve_triangular(L.eye(3), L.zeros(3), upper=True), ["[3]"]),
    "cholesky_solve": (lambda L: L.cholesky_solve(L.zeros(2, 1), L.eye(3)), ["[3, 3]", "[2, 1]"]),
    "lu_solve pivots": (lambda L: L.linalg.lu_solve(L.eye(3), L.zeros(3), L.zeros(3, 1)), ["pivots", "int32"]),
    "lu_solve shapes": (
        lambda L: L.linalg.lu_solve(L.eye(3), L.zeros(2, dtype=L.int32), L.zeros(3, 1)),
        ["pivots", "[3]", "[2]"],
    ),
    "ldl_solve": (lambda L: L.linalg.ldl_solve(L.eye(3), L.zeros(3), L.zeros(3, 1)), ["pivots", "float32"]),
    "det": (lambda L: L.det(L.zeros(2, 3)), ["linalg.det", "2 by 3"]),
    "slogdet": (lambda L: L.linalg.slogdet(L.zeros(3)), ["[3]"]),
    "pinv": (lambda L: L.linalg.pinv(L.zeros(2, 3), hermitian=True), ["square"]),
    "pinv atol": (lambda L: L.linalg.pinv(L.zeros(2, 2, 3), atol=L.zeros(3)), ["atol", "[3]"]),
    "pinv nan": (lambda L: L.linalg.pinv(L.of(np.full((2, 2), np.nan))), ["NaN"]),
    "lstsq driver": (lambda L: L.linalg.lstsq(L.eye(2), L.eye(2), driver="best"), ["'best'", "gelsy"]),
    "lstsq rows": (lambda L: L.linalg.lstsq(L.zeros(4, 2), L.zeros(3, 1)), ["[4, 2]", "[3, 1]"]),
    "lstsq dims": (lambda L: L.linalg.lstsq(L.zeros(2, 4, 2), L.zeros(4)), ["[2, 4, 2]", "[4]"]),
    "matrix_exp": (lambda L: L.matrix_exp(L.zeros(2, 3)), ["2 by 3"]),
    "matrix_power": (lambda L: L.matrix_power(L.zeros(2, 3), 2), ["[2, 3]"]),
    "matrix_power n": (lambda L: L.matrix_power(L.eye(2), 0.5), ["'n'", "float"]),
    "matrix_power singular": (lambda L: L.matrix_power(L.of(SINGULAR), -1), ["singular"]),
    "tensorinv": (lambda L: L.linalg.tensorinv(L.zeros(2, 3, 4)), ["[2, 3, 4]", "6", "4"]),
    "tensorinv ind": (lambda L: L.linalg.tensorinv(L.zeros(2, 2), ind=0), ["ind", "0"]),
    "tensorsolve": (lambda L: L.linalg.tensorsolve(L.zeros(2, 3, 6), L.zeros(2, 2)), ["[2, 3, 6]", "[2, 2]"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name, ours, theirs):
    expression, words = REFUSED[name]
    refuse_alike(ours, theirs, expression, words)


def test_the_error_is_a_runtime_error(ours, theirs):
    for library in (ours, theirs):
        assert issubclass(library.linalg.LinAlgError, RuntimeError)
        with pytest.raises(library.linalg.LinAlgError):
            library.linalg.inv(library.zeros(2, 2))


def test_out_of_another_type(ours, theirs):
    for library in (ours, theirs):
        with pytest.raises(RuntimeError):
            library.linalg.inv(library.eye(2), out=library.empty(0, dtype=library.int64))


def test_layouts(ours, theirs):
    """Transposed, strided and expanded matrices; and results lie column by column, as PyTorch's do."""
    layouts = [lambda x: x.mT, lambda x: x[..., ::2, ::2], lambda x: x[:1, :4, :4].expand(3, 4, 4)]
    functions = [
        lambda L, x: L.linalg.inv(x),
        lambda L, x: L.linalg.det(x),
        lambda L, x: L.linalg.solve(x, x[..., :2]),
        lambda L, x: L.linalg.solve_triangular(x, x[..., :2], upper=False),
        lambda L, x: L.linalg.matrix_exp(x),
        lambda L, x: L.linalg.pinv(x),
    ]
    x = regular(3, 8, 8)
    for layout in layouts:
        for function in functions:
            twins = (lambda x, L=L: function(L, layout(x)) for L in (ours, theirs))
            agree_with_gradients(ours, theirs, *twins, [x], 1e-8, 1e-9)
    for function in functions[0], functions[2], functions[3]:
        assert function(ours, ours.of(x)).stride() == function(theirs, theirs.of(x)).stride()


def test_names_of_results(ours, theirs):
    a, b = regular(3, 3), numbers(3, 1)
    for expression in (
        lambda L: L.linalg.inv_ex(L.of(a)),
        lambda L: L.linalg.solve_ex(L.of(a), L.of(b)),
        lambda L: L.linalg.slogdet(L.of(a)),
        lambda L: L.slogdet(L.of(a)),
        lambda L: L.triangular_solve(L.of(b), L.of(a)),
        lambda L: L.linalg.lstsq(L.of(a), L.of(b)),
    ):
        mine, other = expression(ours), expression(theirs)
        assert type(mine).__name__ == type(other).__name__
        assert repr(mine).splitlines()[0] == repr(other).splitlines()[0]
        for field in mine._fields:
            agree(getattr(mine, field), getattr(other, field), 1e-9, 1e-10)


def test_removed_functions(ours, theirs):
    for name in ("solve", "eig", "lstsq", "symeig", "matrix_rank"):
        arguments = [lambda L: L.eye(2)] * (2 if name in ("solve", "lstsq") else 1)
        mine, other = (outcome(getattr(L, name), *(each(L) for each in arguments))[1] for L in (ours, theirs))
        assert mine is other is RuntimeError
