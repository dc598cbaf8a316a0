"""Samples of linear algebra: families solvers, decompositions, norms, products, einsum.

Vectors of decompositions are arbitrary in sign: what is looked at does not depend on it.
"""

INF = float("inf")
M = ((3, 3),)
MB = ((2, 3, 3),)


def eye(L, x):
    return L.eye(x.shape[-1], dtype=x.dtype)


def regular(L, x):
    return x + 5 * eye(L, x)


def positive(L, x):
    return x @ x.mT + 2 * eye(L, x)


def symmetric(L, x):
    """With eigenvalues that lie apart."""
    return x + x.mT + L.diag_embed(6.0 * L.arange(x.shape[-1]).to(x.dtype))


def function_of(L, x, full=False):
    """``U sin(S) V^H``: a function of the singular values and of both sets of vectors."""
    k = min(x.shape[-2:])
    u, s, vh = L.linalg.svd(x, full)
    return (u[..., :k] * s.sin().unsqueeze(-2)) @ vh[..., :k, :]


def diagonal_of_lu(L, x):
    lu, pivots = L.linalg.lu_factor(x)
    return lu * lu


def real_parts(L, z):
    return L.view_as_real(z.resolve_conj())


def eigenvalues(L, x):
    values = L.linalg.eigvals(x + L.diag_embed(8.0 * L.arange(x.shape[-1]).to(x.dtype)))
    return real_parts(L, (values * values).sum(-1))


def eigenvectors(L, x):
    """``V exp(D / 8) V^-1``."""
    values, v = L.linalg.eig(x + L.diag_embed(8.0 * L.arange(x.shape[-1]).to(x.dtype)))
    return real_parts(L, (v * (values / 8).exp().unsqueeze(-2)) @ L.linalg.inv(v))


def complex_of(function):
    """A function of a complex matrix, made from two real ones, that has a complex value."""

    def expression(L, x, y):
        return real_parts(L, function(L, L.complex(x, y)))

    return expression


def hermitian(L, z):
    return z @ z.mH + 2 * eye(L, z)


SAMPLES = {
    "solvers": [
        (lambda L, x: L.linalg.inv(regular(L, x)), MB),
        (lambda L, x: L.inverse(regular(L, x)) @ L.linalg.inv_ex(regular(L, x)).inverse, M),
        (lambda L, x, y: L.linalg.solve(regular(L, x), y), ((3, 3), (3,))),
        (lambda L, x, y: L.linalg.solve(regular(L, x), y), ((3, 3), (2, 3, 2))),
        (lambda L, x, y: L.linalg.solve(regular(L, x), y, left=False), ((2, 3, 3), (4, 3))),
        (lambda L, x, y: L.linalg.solve_ex(regular(L, x), y).result, ((2, 3, 3), (2, 3))),
        (lambda L, x, y: L.linalg.solve_triangular(regular(L, x), y, upper=True), ((3, 3), (2, 3, 2))),
        (
            lambda L, x, y: L.linalg.solve_triangular(x, y, upper=False, left=False, unitriangular=True),
            ((3, 3), (2, 2, 3)),
        ),
        (lambda L, x, y: L.cholesky_solve(y, regular(L, x).tril()), ((3, 3), (2, 3, 2))),
        (lambda L, x: L.cholesky_inverse(regular(L, x).triu(), upper=True), MB),
        (lambda L, x, y: L.linalg.lu_solve(*L.linalg.lu_factor(regular(L, x)), y), ((2, 3, 3), (2, 3, 2))),
        (
            lambda L, x, y: L.linalg.lu_solve(*L.linalg.lu_factor(x.mT), y, left=False, adjoint=True),
            ((3, 3), (2, 3)),
        ),
        (lambda L, x: L.linalg.det(x), MB),
        (lambda L, x: L.det(L.cat([x, x[:1] * 2 - x[1:]])), ((2, 3),)),
        (lambda L, x: L.det(x.expand(3, 3)), ((1, 3),)),
        (lambda L, x: L.linalg.slogdet(x).logabsdet * L.slogdet(x)[0], MB),
        (lambda L, x: L.logdet(positive(L, x)), MB),
        (lambda L, x: L.linalg.pinv(x), ((2, 4, 3),)),
        (lambda L, x: L.linalg.pinv(x, rtol=1e-3) @ L.pinverse(x).mT, ((3, 4),)),
        (lambda L, x: L.linalg.pinv(positive(L, x), hermitian=True), M),
        (lambda L, x, y: L.linalg.pinv(x @ y, rtol=1e-4), ((4, 2), (2, 3))),
        (lambda L, x, y: L.linalg.lstsq(x, y).solution, ((4, 3), (4, 2))),
        (lambda L, x, y: L.linalg.lstsq(x, y, driver="gelsd").solution, ((2, 3, 4), (2, 3, 1))),
        (lambda L, x, y: L.linalg.lstsq(x, y, driver="gels")[1], ((4, 3), (4, 2))),
        (lambda L, x: L.linalg.matrix_exp(x), MB),
        (lambda L, x: L.matrix_power(x, 3) + L.linalg.matrix_power(regular(L, x), -2) + x.matrix_power(0), MB),
        (lambda L, x: L.linalg.tensorinv(x.reshape(2, 3, 6) + L.eye(6, dtype=x.dtype).view(2, 3, 6)), ((6, 6),)),
        (
            lambda L, x, y: L.linalg.tensorsolve(x.reshape(2, 3, 6) + 7 * L.eye(6, dtype=x.dtype).view(2, 3, 6), y),
            ((6, 6), (2, 3)),
        ),
    ],
    "decompositions": [
        (lambda L, x: L.linalg.cholesky(positive(L, x)), MB),
        (lambda L, x: L.linalg.cholesky_ex(positive(L, x), upper=True).L, M),
        (lambda L, x: L.linalg.qr(x).Q @ L.linalg.qr(x)[1].sin(), ((2, 4, 3),)),
        (lambda L, x: L.linalg.qr(x)[0].abs() + L.linalg.qr(x).R.abs()[:, :3], ((3, 4),)),
        (lambda L, x: L.linalg.qr(x, mode="complete").R.abs(), M),
        (diagonal_of_lu, ((2, 3, 3),)),
        (diagonal_of_lu, ((4, 3),)),
        (diagonal_of_lu, ((3, 5),)),
        (lambda L, x: L.linalg.lu(x).L @ L.linalg.lu(x)[2].sin(), ((4, 3),)),
        (function_of, ((2, 3, 3),)),
        (function_of, ((4, 3),)),
        (lambda L, x: function_of(L, x, True), ((3, 4),)),
        (lambda L, x: L.svd(x).U.abs() * L.svd(x)[1], ((4, 3),)),
        (lambda L, x: L.svd(x).V.abs() * L.linalg.svdvals(x), ((3, 4),)),
        (lambda L, x: L.linalg.svdvals(x).sin(), ((2, 3, 4),)),
        (lambda L, x: L.linalg.eigh(symmetric(L, x))[1].abs(), MB),
        (lambda L, x: L.linalg.eigh(symmetric(L, x), "U").eigenvectors.abs() * L.linalg.eigvalsh(symmetric(L, x)), M),
        (eigenvalues, MB),
        (eigenvectors, M),
        (lambda L, x, t: L.linalg.householder_product(x, t), ((2, 4, 3), (2, 2))),
        (lambda L, x, t, y: L.ormqr(x, t, y), ((4, 3), (3,), (4, 2))),
        (lambda L, x, t, y: L.ormqr(x, t, y, False, True), ((4, 3), (3,), (2, 4))),
    ],
    "complex matrices": [
        (complex_of(lambda L, z: L.linalg.inv(regular(L, z))), (*M, *M)),
        (complex_of(lambda L, z: L.linalg.solve(regular(L, z), z.conj(), left=False)), (*M, *M)),
        (complex_of(lambda L, z: L.linalg.solve_triangular(regular(L, z), z, upper=True)), (*M, *M)),
        (complex_of(lambda L, z: L.cholesky_solve(z, L.linalg.cholesky(hermitian(L, z)))), (*M, *M)),
        (complex_of(lambda L, z: L.linalg.lu_solve(*L.linalg.lu_factor(z), z.mH, adjoint=True)), (*M, *M)),
        (complex_of(lambda L, z: L.linalg.det(z) * L.linalg.slogdet(z).sign * L.linalg.slogdet(z)[1]), (*M, *M)),
        (complex_of(lambda L, z: L.logdet(z)), (*MB, *MB)),
        (complex_of(lambda L, z: L.linalg.pinv(z)), ((3, 2), (3, 2))),
        (complex_of(lambda L, z: L.linalg.lstsq(z, z.conj()).solution), ((3, 2), (3, 2))),
        (complex_of(lambda L, z: L.linalg.matrix_exp(z)), (*M, *M)),
        (complex_of(lambda L, z: L.linalg.cholesky(hermitian(L, z), upper=True)), (*M, *M)),
        (complex_of(lambda L, z: L.linalg.qr(z).Q @ L.linalg.qr(z).R.conj()), ((4, 3), (4, 3))),
        (complex_of(lambda L, z: L.linalg.qr(z)[0] @ L.linalg.qr(z).R.conj()), ((3, 4), (3, 4))),
        (complex_of(diagonal_of_lu), ((4, 3), (4, 3))),
        (complex_of(function_of), ((4, 3), (4, 3))),
        (complex_of(lambda L, z: function_of(L, z, True)), ((2, 3), (2, 3))),
        (lambda L, x, y: L.linalg.svdvals(L.complex(x, y)), ((2, 3, 2), (2, 3, 2))),
        (lambda L, x, y: L.linalg.eigh(hermitian(L, L.complex(x, y)))[1].abs(), (*M, *M)),
        (lambda L, x, y: L.linalg.eigvalsh(hermitian(L, L.complex(x, y))), (*M, *M)),
        (lambda L, x, y: L.linalg.eig(L.complex(x, y))[1].abs().sum(-1), (*M, *M)),
        (complex_of(lambda L, z: L.linalg.householder_product(0.3 * z, z[0])), ((4, 3), (4, 3))),
        (complex_of(lambda L, z: L.linalg.vecdot(z, z[0]) + L.vdot(z[0], z[1])), (*M, *M)),
    ],
    "norms": [
        (lambda L, x: L.linalg.norm(x) + L.linalg.norm(x, dim=(0, 1)) + L.linalg.norm(x, 2), M),
        (lambda L, x: L.linalg.vector_norm(x, 3, (0, 2), keepdim=True), MB),
        (lambda L, x: L.linalg.vector_norm(x, -INF, -1) + L.linalg.norm(x, 1.5, 0), M),
        (lambda L, x: L.linalg.matrix_norm(x) + L.linalg.matrix_norm(x, "nuc"), ((2, 3, 4),)),
        (lambda L, x: L.linalg.matrix_norm(x, 2, (0, 2), True) * L.linalg.matrix_norm(x, -2, (2, 0)), ((3, 2, 4),)),
        (lambda L, x: L.linalg.matrix_norm(x, 1) + L.linalg.matrix_norm(x, -INF, keepdim=True), ((2, 3, 4),)),
        (lambda L, x: L.linalg.cond(x) * L.linalg.cond(x, -2), M),
        (lambda L, x, y: L.cdist(x, y), ((2, 3, 4), (5, 4))),
        (lambda L, x, y: L.cdist(x, y), ((30, 4), (5, 4))),
        (lambda L, x, y: L.cdist(x, y, 1) + L.cdist(x, y, INF), ((2, 3, 4), (2, 5, 4))),
        (lambda L, x, y: L.cdist(x, y, 3.5), ((2, 3, 4), (2, 5, 4))),
        (lambda L, x, y: L.cdist(x, y, 0) + L.F.pdist(x, 1).sum() + y.sum(), ((3, 4), (5, 4))),
        (lambda L, x: L.F.pdist(x), ((4, 3),)),
    ],
    "products": [
        (lambda L, x, y: L.inner(x, y) * L.inner(x[0], y[0]) + L.inner(x[0, 0], y[0, 0]), ((2, 3), (4, 3))),
        (lambda L, x, y: L.vdot(x, y) * L.linalg.vecdot(x, y), ((3,), (3,))),
        (lambda L, x, y: L.linalg.vecdot(x, y, dim=0), ((3, 4), (3, 1))),
        (lambda L, x, y: L.linalg.cross(x, y) + L.cross(x, y, 1), ((2, 3), (1, 3))),
        (lambda L, c, x, y: L.addbmm(c, x, y, beta=0.5, alpha=2), ((2,), (3, 4, 2), (3, 2, 2))),
        (lambda L, c, x, y: L.addr(c, x, y, beta=0.5, alpha=2), ((2,), (3,), (2,))),
        (lambda L, x, y: L.tensordot(x, y), ((2, 3, 4), (3, 4, 2))),
        (lambda L, x, y: L.tensordot(x, y, ([0, -1], [1, 0])), ((2, 3, 4), (4, 2))),
        (lambda L, x, y: L.tensordot(x, y, 0), ((2,), (3,))),
        (lambda L, x, y: L.kron(x, y), ((2, 3), (2, 1, 2))),
        (lambda L, x, y, z: L.linalg.multi_dot([x, y, z, z[0]]), ((3,), (3, 2), (2, 2))),
        (lambda L, x: L.linalg.vander(x, N=3) + L.linalg.diagonal(x, offset=0).sum(), M),
    ],
    "einsum": [
        (lambda L, x, y: L.einsum("bij,bkj->bki", x, y), ((2, 3, 4), (2, 5, 4))),
        (lambda L, x, y: L.einsum("ij,ij->j", x, y), ((3, 4), (1, 4))),
        (lambda L, x, y: L.einsum("...i,j", x, y), ((2, 3), (4,))),
        (lambda L, x, y, z: L.einsum("ij,kj,kl->", x, y, z), ((2, 3), (4, 3), (4, 2))),
    ],
}

EXEMPT = {
    "householder_form": "has no derivative, as in PyTorch: expressions/nodes.txt",
    "ldl_solution": "PyTorch has no derivative of it: test_solvers.py::test_ldl",
}
