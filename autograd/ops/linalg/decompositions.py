"""Factorizations of matrices: Cholesky, QR, LU, LDL, singular values, eigenvalues, Householder vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...kernels import lapack
from ...rows.dispatch import apply
from ...rows.public import function
from ...rows.results import result_type
from ...rows.table import Array, _, coarse
from ...rows.writes import write_out
from ...tensor import Tensor, wrap
from ..convert import check_tensor
from .matrices import (
    by_columns,
    call,
    check_floating,
    check_info,
    check_matrix,
    check_stack,
    conj,
    hermitian_from_lower,
    identity,
    is_complex,
    mH,
    on_diagonal,
    same_kind,
    tril,
    triu,
)
from .solvers import check_pivots

__all__ = [
    "cholesky", "cholesky_ex", "cholesky_factor", "eig", "eig_factors", "eigh", "eigh_factors", "eigh_values",
    "eigvals", "eigvalsh", "geqrf", "householder_form", "householder_product", "ldl_factor", "ldl_factor_ex",
    "lu", "lu_factor", "lu_factor_ex", "lu_factors", "lu_unpack", "orgqr", "ormqr", "qr", "qr_factors",
    "singular_values", "svd", "svd_factors", "svdvals",
]  # fmt: skip


# --- Cholesky ------------------------------------------------------------------------------------------------------


@coarse(latex=r"L, \; L L^\top = x", home="", node_name="LinalgCholeskyEx", outputs=None, holomorphic=False)
def cholesky_factor(x: Array, upper):
    if not upper:
        return lapack.cholesky(x)
    factor, info = lapack.cholesky(x.conj().swapaxes(-2, -1))
    return lapack.columns(factor.conj().swapaxes(-2, -1)), info


@cholesky_factor.gradient("x")
def _(g, outs, upper):
    # Murray, "Differentiation of the Cholesky decomposition" (2016), equation 10.
    factor, g_factor = (mH(outs[0]), mH(g[0])) if upper else (outs[0], g[0])
    adjoint = mH(factor)
    middle = adjoint @ tril(g_factor)
    middle = tril(middle) + mH(tril(middle, -1))
    half = _.triangular_solution(adjoint, middle, True)
    return mH(_.triangular_solution(adjoint, mH(half), True)) * 0.5


_CHOLESKY = result_type("linalg_cholesky_ex", "L info")
_NOT_POSITIVE = "the leading minor of order {} is not positive: the matrix is not positive definite."


def _cholesky(operator: str, A: Tensor, upper: bool) -> tuple[Tensor, Tensor]:
    return call(cholesky_factor, check_matrix(operator, "A", A, square=True), bool(upper))


@function(home="linalg", arguments={"A": "input"})
def cholesky_ex(input: Tensor, *, upper: bool = False, check_errors: bool = False) -> Any:
    """`cholesky`, and ``info``: 0, or the order of the first leading minor that is not positive.

    >>> import autograd
    >>> from autograd import linalg
    >>> linalg.cholesky_ex(autograd.tensor([[4.0, 2.0], [2.0, 5.0]]))
    torch.return_types.linalg_cholesky_ex(
    L=tensor([[2., 0.],
            [1., 2.]]),
    info=tensor(0, dtype=torch.int32))
    >>> linalg.cholesky_ex(-autograd.eye(2)).info
    tensor(1, dtype=torch.int32)
    """
    result = _CHOLESKY(*_cholesky("linalg.cholesky_ex", input, upper))
    if check_errors:
        check_info("linalg.cholesky_ex", result.info, _NOT_POSITIVE)
    return result


@function(home="linalg", arguments={"A": "input"})
def cholesky(input: Tensor, *, upper: bool = False, out: Tensor | None = None) -> Tensor:
    """The lower triangular L with ``A = L L^H`` of positive definite matrices (..., n, n); ``U = L^H`` with ``upper``.

    Raises:
        LinAlgError: a matrix is not positive definite.

    >>> import autograd
    >>> autograd.linalg.cholesky(autograd.tensor([[4.0, 2.0], [2.0, 5.0]]))
    tensor([[2., 0.],
            [1., 2.]])
    """
    factor, info = _cholesky("linalg.cholesky", input, upper)
    check_info("linalg.cholesky", info, _NOT_POSITIVE)
    return factor if out is None else write_out(out, factor, "linalg.cholesky", (input,))


@function(arguments={"A": "input"})
def cholesky(input: Tensor, upper: bool = False) -> Tensor:
    """The Cholesky factor: `linalg.cholesky`."""
    factor, info = _cholesky("cholesky", input, upper)
    check_info("cholesky", info, _NOT_POSITIVE)
    return factor


# --- QR ------------------------------------------------------------------------------------------------------------


@coarse(latex=r"(Q, R), \; Q R = x", home="", node_name="LinalgQr", outputs=None, holomorphic=False)
def qr_factors(x: Array, mode):
    return lapack.qr(x, mode)


@qr_factors.gradient("x")
def _(g, outs, mode):
    # Roberts and Roberts, "QR and LQ decomposition matrix backpropagation algorithms for square, wide, and deep
    # matrices" (2020), section 3.
    (q, r), (g_q, g_r) = outs, g
    if mode == "r":
        raise RuntimeError(
            "linalg.qr: the derivative depends on Q, which mode='r' does not compute; use mode='reduced'."
        )
    m, n = q.shape[-2], r.shape[-1]
    if mode == "complete" and m > n:
        raise RuntimeError(
            f"linalg.qr: mode='complete' is not differentiable where there are more rows ({m}) than columns ({n}); use "
            "mode='reduced'."
        )
    g_q = q * 0 if g_q is None else g_q
    g_r = r * 0 if g_r is None else g_r
    g_rest = None
    if n > m:  # x = [square, rest] = Q [R, Q^H rest]
        rest, g_q_rest = r[..., m:], g_r[..., m:]
        g_q = g_q + q @ rest @ mH(g_q_rest)
        g_rest = q @ g_q_rest
        r, g_r = r[..., :m], g_r[..., :m]
    middle = hermitian_from_lower(r @ mH(g_r) - mH(g_q) @ q)
    grad = mH(_.triangular_solution(r, mH(g_q + q @ middle), True))
    return grad if g_rest is None else _.concatenate_along([grad, g_rest], -1)


_QR = {name: result_type(name, "Q R") for name in ("qr", "linalg_qr")}


@function(home="linalg", arguments={"input": "A"})
def qr(A: Tensor, mode: str = "reduced") -> Any:
    """``A = Q R`` with orthonormal columns in Q and upper triangular R, for matrices (..., m, n).

    Args:
        mode: ``reduced``: Q (..., m, k) and R (..., k, n) with k = min(m, n); ``complete``: Q (..., m, m) and
            R (..., m, n); ``r``: R of the reduced form alone, and an empty Q.

    >>> import autograd
    >>> autograd.linalg.qr(autograd.tensor([[3.0, 1.0], [4.0, 2.0]])).R.abs()
    tensor([[5.0000, 2.2000],
            [0.0000, 0.4000]])
    """
    check_matrix("linalg.qr", "A", A)
    if mode not in ("reduced", "complete", "r"):
        raise RuntimeError(
            f"linalg.qr: received unrecognized mode {mode!r} but expected one of 'reduced', 'complete' or 'r'"
        )
    return _QR["linalg_qr"](*call(qr_factors, A, mode))


@function(arguments={"A": "input"})
def qr(input: Tensor, some: bool = True) -> Any:
    """The QR decomposition, reduced with ``some`` and complete without: `linalg.qr`."""
    return _QR["qr"](*call(qr_factors, check_matrix("qr", "A", input), "reduced" if some else "complete"))


# --- LU ------------------------------------------------------------------------------------------------------------


@coarse(latex=r"(L, U), \; P L U = x", home="", node_name="LinalgLuFactorEx", outputs=None, holomorphic=False)
def lu_factors(x: Array):
    return tuple(lapack.lu_factor(x))


@lu_factors.gradient("x")
def _(g, outs):
    # From d(P^T x) = dL U + L dU: the parts of L^-1 (P^T dx) U^-1 below and above the diagonal are L^-1 dL and dU U^-1.
    # The rows below the square part, and the columns beside it, solve with U1 and L1.
    (lu, pivots, _info), g_lu = outs, g[0]
    m, n = lu.shape[-2:]
    k = min(m, n)
    square = lu[..., :k, :k]
    lower, upper = mH(square), mH(triu(square))  # of L1^H, only the upper triangle is read
    g_lower, g_upper = tril(g_lu[..., :k, :k], -1), triu(g_lu[..., :k, :k])
    beside = below = None
    if n > k:
        beside = _.triangular_solution(lower, g_lu[..., k:], True, True)
        g_lower = g_lower - beside @ mH(lu[..., k:])
    if m > k:
        below = mH(_.triangular_solution(triu(square), mH(g_lu[..., k:, :]), True))
        g_upper = g_upper - mH(lu[..., k:, :]) @ below
    eye = identity(k, square)
    unit = tril(square, -1) + eye
    middle = tril(mH(unit) @ g_lower, -1) + triu(g_upper @ upper)
    grad = _.triangular_solution(lower, mH(_.triangular_solution(triu(square), mH(middle), True)), True, True)
    if beside is not None:
        grad = _.concatenate_along([grad, beside], -1)
    if below is not None:
        grad = _.concatenate_along([grad, below], -2)
    order = np.argsort(lapack.permutation(getattr(pivots, "_array", pivots), m), -1)
    return _.gather_along(grad, len(lu.shape) - 2, np.broadcast_to(order[..., None], tuple(lu.shape)))


_LU = result_type("linalg_lu", "P L U")
_LU_FACTOR = result_type("linalg_lu_factor", "LU pivots")
_LU_FACTOR_EX = result_type("linalg_lu_factor_ex", "LU pivots info")
_LU_UNPACK = result_type("lu_unpack", "P L U")
_LU_WITH_INFO = result_type("_lu_with_info", "LU pivots info")
_ZERO_PIVOT = "pivot {} is zero; the factors exist, but cannot be divided by."


def _lu(operator: str, A: Tensor, pivot: bool) -> Any:
    check_matrix(operator, "A", A)
    if not pivot:
        raise RuntimeError(f"{operator}: LU without pivoting is not implemented on the CPU; leave pivot=True")
    return call(lu_factors, A)


@function(home="linalg", arguments={"input": "A"})
def lu_factor_ex(A: Tensor, *, pivot: bool = True, check_errors: bool = False) -> Any:
    """`lu_factor`, and ``info``: 0, or the number of the first pivot that is zero.

    >>> import autograd
    >>> from autograd import linalg
    >>> linalg.lu_factor_ex(autograd.tensor([[0.0, 2.0], [4.0, 5.0]]))
    torch.return_types.linalg_lu_factor_ex(
    LU=tensor([[4., 5.],
            [0., 2.]]),
    pivots=tensor([2, 2], dtype=torch.int32),
    info=tensor(0, dtype=torch.int32))
    """
    result = _LU_FACTOR_EX(*_lu("linalg.lu_factor_ex", A, pivot))
    if check_errors:
        check_info("linalg.lu_factor_ex", result.info, _ZERO_PIVOT, RuntimeError)
    return result


@function(home="linalg", arguments={"input": "A"})
def lu_factor(A: Tensor, *, pivot: bool = True) -> Any:
    """``A = P L U`` packed for `lu_solve`: L (its unit diagonal left out) and U in one matrix, and the exchanged rows.

    >>> import autograd
    >>> autograd.linalg.lu_factor(autograd.tensor([[1.0, 3.0], [2.0, 4.0]])).LU
    tensor([[2.0000, 4.0000],
            [0.5000, 1.0000]])
    """
    factors, pivots, info = _lu("linalg.lu_factor", A, pivot)
    check_info("linalg.lu_factor", info, _ZERO_PIVOT, RuntimeError)
    return _LU_FACTOR(factors, pivots)


@function(torch=False, method=True)
def lu(self: Tensor, pivot: bool = True, get_infos: bool = False) -> Any:
    """The packed LU factorization and its pivots, and with ``get_infos`` the numbers of zero pivots."""
    result = _LU_WITH_INFO(*_lu("lu", self, pivot))
    return result if get_infos else tuple(result[:2])


@function(method=False)
def lu(A: Tensor, pivot: bool = True, get_infos: bool = False, out: Any = None) -> Any:
    """The packed LU factorization and its pivots, and with ``get_infos`` the numbers of zero pivots."""
    from ...rows.writes import write_outs

    result = A.lu(pivot, get_infos)
    return result if out is None else write_outs(out, result, "lu")


@function(method=False)
def lu_unpack(LU_data: Tensor, LU_pivots: Tensor, unpack_data: bool = True, unpack_pivots: bool = True) -> Any:
    """P, L and U from what `lu_factor` returned; empty tensors for what is not unpacked.

    >>> import autograd
    >>> from autograd import linalg
    >>> autograd.lu_unpack(*linalg.lu_factor(autograd.tensor([[0.0, 2.0], [4.0, 5.0]]))).P
    tensor([[0., 1.],
            [1., 0.]])
    """
    name = "lu_unpack"
    check_matrix(name, "LU_data", LU_data)
    m, n = LU_data._array.shape[-2:]
    k = min(m, n)
    empty = wrap(np.zeros(0, LU_data._array.dtype))
    p, lower, upper = empty, empty, empty
    if unpack_pivots:
        check_pivots(name, LU_data, LU_pivots)
        order = lapack.permutation(LU_pivots._array, m)
        p = wrap(np.swapaxes(np.eye(m, dtype=LU_data._array.dtype)[order], -2, -1).copy())
    if unpack_data:
        lower = tril(LU_data[..., :k], -1) + identity(m, LU_data, k)
        upper = triu(LU_data[..., :k, :])
    return _LU_UNPACK(p, lower, upper)


@function(home="linalg", arguments={"input": "A"})
def lu(A: Tensor, *, pivot: bool = True) -> Any:
    """``A = P L U`` for matrices (..., m, n): a permutation, unit lower triangular (..., m, k), upper (..., k, n).

    >>> import autograd
    >>> P, L, U = autograd.linalg.lu(autograd.tensor([[1.0, 3.0], [2.0, 4.0]]))
    >>> P @ L @ U
    tensor([[1., 3.],
            [2., 4.]])
    """
    factors, pivots, _info = _lu("linalg.lu", A, pivot)
    return _LU(*lu_unpack(factors, pivots))


# --- LDL -----------------------------------------------------------------------------------------------------------

_LDL = result_type("linalg_ldl_factor", "LD pivots")
_LDL_EX = result_type("linalg_ldl_factor_ex", "LD pivots info")


def _ldl(operator: str, A: Tensor, hermitian: bool) -> Any:
    check_matrix(operator, "A", A, square=True)
    return [wrap(array) for array in lapack.ldl_factor(A._array, hermitian)]


@function(home="linalg", arguments={"A": "input"})
def ldl_factor_ex(input: Tensor, *, hermitian: bool = False, check_errors: bool = False) -> Any:
    """`ldl_factor`, and ``info``: 0, or the number of the first block of D that is singular."""
    result = _LDL_EX(*_ldl("linalg.ldl_factor_ex", input, hermitian))
    if check_errors:
        check_info("linalg.ldl_factor_ex", result.info, "block {} of D is singular.")
    return result


@function(home="linalg", arguments={"A": "input"})
def ldl_factor(input: Tensor, *, hermitian: bool = False) -> Any:
    """``A = L D L^T`` of symmetric matrices (``L D L^H`` with ``hermitian``), packed for `ldl_solve`.

    LAPACK's form (Bunch and Kaufman): L below the diagonal and D's blocks of order 1 and 2 on it, and the exchanged
    rows, negative for blocks of order 2. Not differentiable.

    >>> import autograd
    >>> from autograd import linalg
    >>> linalg.ldl_factor(autograd.tensor([[4.0, 2.0], [2.0, 5.0]]))
    torch.return_types.linalg_ldl_factor(
    LD=tensor([[4.0000, 0.0000],
            [0.5000, 4.0000]]),
    pivots=tensor([1, 2], dtype=torch.int32))
    """
    factors, pivots, info = _ldl("linalg.ldl_factor", input, hermitian)
    check_info("linalg.ldl_factor", info, "block {} of D is singular.")
    return _LDL(factors, pivots)


# --- Singular values -----------------------------------------------------------------------------------------------


def _differences(values: Any) -> Any:
    """``values_j - values_i`` with ones on the diagonal."""
    n = values.shape[-1]
    return _.unsqueeze(values, -2) - _.unsqueeze(values, -1) + identity(n, values)


def _skew(x: Any) -> Any:
    return x - mH(x)


def _check_phase(operator: str, turned: Any) -> None:
    """Raises where a gradient depends on the phase of complex vectors, which is arbitrary: the imaginary part of the
    diagonal of ``turned`` says how the value would change with it."""
    phases = np.diagonal(getattr(turned, "_array", turned), 0, -2, -1).imag
    if not np.allclose(phases, 0, atol=1e-2):
        raise RuntimeError(
            f"{operator}: the vectors are determined up to a factor of absolute value 1 each, and the function whose "
            "gradient is taken depends on it; use what does not, such as absolute values or projections"
        )


@coarse(latex=r"(U, S, V), \; U S V^\top = x", home="", node_name="LinalgSvd", outputs=None, holomorphic=False)
def svd_factors(x: Array, full):
    return lapack.svd(x, full)


@svd_factors.gradient("x")
def _(g, outs, x_shape):
    # Wan and Zhang, "Automatic differentiation for complex valued SVD" (2019), equations 26 to 29. The columns of U and
    # V beyond the singular values are arbitrary, and their gradients left out.
    (u, s, vh), (g_u, g_s, g_vh) = outs, g
    m, n = x_shape[-2:]
    k = min(m, n)
    if u.shape[-1] > k or vh.shape[-2] > k:
        u, vh = u[..., :k], vh[..., :k, :]
        g_u, g_vh = g_u if g_u is None else g_u[..., :k], g_vh if g_vh is None else g_vh[..., :k, :]
    if g_u is None and g_vh is None:
        return (u * _.unsqueeze(g_s, -2)) @ vh
    if is_complex(u):
        _check_phase("linalg.svd", (0 if g_u is None else mH(u) @ g_u) + (0 if g_vh is None else vh @ mH(g_vh)))
    row, column = _.unsqueeze(s, -2), _.unsqueeze(s, -1)
    of_u = None if g_u is None else _skew(mH(u) @ g_u)
    of_v = None if g_vh is None else _skew(vh @ mH(g_vh))
    numerator = (0 if of_u is None else of_u * row) + (0 if of_v is None else column * of_v)
    middle = numerator / _differences(s * s)
    if g_s is not None:
        middle = middle + on_diagonal(g_s)
    if of_u is not None and of_v is not None and is_complex(u):
        middle = middle + on_diagonal(_.diagonal(of_u, 0, -2, -1) / (2 * s))
    if m > k and g_u is not None:
        outside = g_u / row
        left = u @ middle + outside - u @ (mH(u) @ outside)
        return left @ vh
    if n > k and g_vh is not None:
        outside = g_vh / column
        return u @ (middle @ vh + outside - (outside @ mH(vh)) @ vh)
    return u @ middle @ vh


@coarse(latex=r"\sigma(x)", home="", node_name="LinalgSvd", holomorphic=False)
def singular_values(x: Array):
    """Descending; faster than with the vectors, which going back computes."""
    return np.linalg.svd(x, compute_uv=False) if x.size else np.zeros((*x.shape[:-2], min(x.shape[-2:])), x.real.dtype)


@singular_values.gradient("x")
def _(g, x):
    u, _s, vh = svd_factors(x, False)
    return (u * _.unsqueeze(g, -2)) @ vh


_SVD, _LINALG_SVD = result_type("svd", "U S V"), result_type("linalg_svd", "U S Vh")


def _check_driver(operator: str, driver: Any) -> None:
    if driver is not None:
        raise RuntimeError(f"{operator}: driver={driver!r} chooses a kernel for CUDA; leave it out on the CPU")


@function(home="linalg", arguments={"input": "A"})
def svd(A: Tensor, full_matrices: bool = True, *, driver: str | None = None) -> Any:
    """``A = U diag(S) Vh`` with unitary U and Vh, and S real, descending, for matrices (..., m, n).

    Args:
        full_matrices: U (..., m, m) and Vh (..., n, n); else U (..., m, k) and Vh (..., k, n), k = min(m, n).

    >>> import autograd
    >>> autograd.linalg.svd(autograd.tensor([[0.0, 2.0], [1.0, 0.0]])).S
    tensor([2., 1.])
    """
    check_matrix("linalg.svd", "A", A)
    _check_driver("linalg.svd", driver)
    return _LINALG_SVD(*call(svd_factors, A, bool(full_matrices)))


@function(home="linalg", arguments={"input": "A"})
def svdvals(A: Tensor, *, driver: str | None = None) -> Tensor:
    """The singular values of matrices (..., m, n), descending.

    >>> import autograd
    >>> from autograd import linalg
    >>> linalg.svdvals(autograd.tensor([[3.0, 0.0], [0.0, -4.0]]))
    tensor([4., 3.])
    """
    check_matrix("linalg.svdvals", "A", A)
    _check_driver("linalg.svdvals", driver)
    return call(singular_values, A)


@function(arguments={"A": "input"})
def svd(input: Tensor, some: bool = True, compute_uv: bool = True) -> Any:
    """``input = U diag(S) V^H``; V, not its adjoint, and reduced by default, unlike `linalg.svd`.

    Args:
        some: the reduced form.
        compute_uv: without, U and V are zeros.
    """
    check_matrix("svd", "A", input)
    if compute_uv:
        u, s, vh = call(svd_factors, input, not some)
        return _SVD(u, s, mH(vh))
    array = input._array
    m, n = array.shape[-2:]
    u, v = (wrap(np.zeros((*array.shape[:-2], each, each), array.dtype)) for each in (m, n))
    return _SVD(u, call(singular_values, input), v)


# --- Eigenvalues ---------------------------------------------------------------------------------------------------


@coarse(
    latex=r"(\lambda, V), \; V \lambda V^\top = x", home="", node_name="LinalgEigh", outputs=None, holomorphic=False
)
def eigh_factors(x: Array, lower):
    return lapack.eigh(x, lower)


@eigh_factors.gradient("x")
def _(g, outs):
    # Giles (2008), section 3.1.
    (values, v), (g_values, g_v) = outs, g
    if g_v is None:
        return (v * _.unsqueeze(g_values, -2)) @ mH(v)
    # Only Hermitian changes of the input count: the Hermitian part, its diagonal zero.
    along = mH(v) @ g_v
    if is_complex(v):
        _check_phase("linalg.eigh", along)
    middle = _skew(along) * 0.5 / _differences(values)
    middle = middle - on_diagonal(_.diagonal(middle, 0, -2, -1))
    if g_values is not None:
        middle = middle + on_diagonal(g_values)
    return v @ middle @ mH(v)


@coarse(latex=r"\lambda(x)", home="", node_name="LinalgEigh", holomorphic=False)
def eigh_values(x: Array, lower):
    """Ascending; faster than with the vectors, which going back computes."""
    return np.linalg.eigvalsh(x, "L" if lower else "U")


@eigh_values.gradient("x")
def _(g, x, lower):
    _values, v = eigh_factors(x, lower)
    return (v * _.unsqueeze(g, -2)) @ mH(v)


_EIGH, _EIG = (result_type(name, "eigenvalues eigenvectors") for name in ("linalg_eigh", "linalg_eig"))


def _is_lower(operator: str, triangle: Any) -> bool:
    if not isinstance(triangle, str):
        raise TypeError(f"{operator}(): argument 'UPLO' must be str, not {type(triangle).__name__}")
    if triangle.upper() not in ("L", "U"):
        raise RuntimeError(f"{operator}: Expected UPLO argument to be 'L' or 'U', but got {triangle!r}")
    return triangle.upper() == "L"


@function(home="linalg", arguments={"A": "input"})
def eigh(input: Tensor, UPLO: str = "L") -> Any:
    """Eigenvalues, ascending, and orthonormal eigenvectors (columns) of symmetric or Hermitian matrices (..., n, n).

    Args:
        UPLO: the triangle that is read, ``"L"`` or ``"U"``. The gradient is a full matrix.

    >>> import autograd
    >>> autograd.linalg.eigh(autograd.tensor([[2.0, 1.0], [1.0, 2.0]])).eigenvalues
    tensor([1., 3.])
    """
    check_matrix("linalg.eigh", "A", input, square=True)
    return _EIGH(*call(eigh_factors, input, _is_lower("linalg.eigh", UPLO)))


@function(home="linalg", arguments={"A": "input"})
def eigvalsh(input: Tensor, UPLO: str = "L") -> Tensor:
    """The eigenvalues, ascending, of symmetric or Hermitian matrices (..., n, n), of which one triangle is read.

    >>> import autograd
    >>> from autograd import linalg
    >>> linalg.eigvalsh(autograd.tensor([[2.0, 1.0], [1.0, 2.0]]))
    tensor([1., 3.])
    """
    check_matrix("linalg.eigvalsh", "A", input, square=True)
    return call(eigh_values, input, _is_lower("linalg.eigvalsh", UPLO))


@coarse(latex=r"(\lambda, V), \; V \lambda V^{-1} = x", home="", node_name="LinalgEig", outputs=None, holomorphic=False)
def eig_factors(x: Array):
    return lapack.eig(x)


@eig_factors.gradient("x")
def _(g, outs):
    # Boeddeker et al., "On the computation of complex-valued gradients with application to statistically optimum
    # beamforming" (2017), equation 4.77, for eigenvectors of length 1.
    (values, v), (g_values, g_v) = outs, g
    adjoint = mH(v)
    if g_v is None:
        return _.solution_ex(adjoint, on_diagonal(g_values) @ adjoint)[0]
    along = adjoint @ g_v
    _check_phase("linalg.eig", along)
    own = _.diagonal(along, 0, -2, -1)
    own = (own + conj(own)) * 0.5
    middle = (along - (adjoint @ v) * _.unsqueeze(own, -2)) / conj(_differences(values))
    middle = middle - on_diagonal(_.diagonal(middle, 0, -2, -1))
    if g_values is not None:
        middle = middle + on_diagonal(g_values)
    return _.solution_ex(adjoint, middle @ adjoint)[0]


@function(home="linalg", arguments={"A": "input"})
def eig(input: Tensor) -> Any:
    """Eigenvalues and eigenvectors (columns of length 1) of square matrices (..., n, n), complex, in LAPACK's order.

    >>> import autograd
    >>> autograd.linalg.eig(autograd.tensor([[2.0, 0.0], [0.0, 3.0]])).eigenvalues
    tensor([2.+0.j, 3.+0.j])
    """
    return _EIG(*_eig("linalg.eig", input))


def _eig(operator: str, A: Tensor) -> Any:
    if not np.isfinite(check_matrix(operator, "A", A, square=True)._array).all():
        raise RuntimeError(f"{operator}: the input should not contain NaN or infinity")
    return call(eig_factors, A)


@function(home="linalg", arguments={"A": "input"})
def eigvals(input: Tensor) -> Tensor:
    """The eigenvalues of square matrices (..., n, n), complex, in LAPACK's order.

    >>> import autograd
    >>> from autograd import linalg
    >>> linalg.eigvals(autograd.tensor([[0.0, 1.0], [-1.0, 0.0]]))
    tensor([0.+1.j, 0.-1.j])
    """
    return _eig("linalg.eigvals", input)[0]


# --- Householder vectors -------------------------------------------------------------------------------------------

_GEQRF = result_type("geqrf", "a tau")


@coarse(latex=r"(V + R, \tau), \; H_1 \cdots H_k R = x", home="", node_name="Geqrf", outputs=None, holomorphic=False)
def householder_form(x: Array):
    return tuple(lapack.geqrf(x))


@householder_form.gradient("x")
def _(g):
    raise NotImplementedError("the derivative for 'geqrf' is not implemented; linalg.qr has one")


@function(arguments={"A": "input"})
def geqrf(input: Tensor) -> Any:
    """LAPACK's form of the QR decomposition: R, below it the Householder vectors, and their scales ``tau``.

    It has no derivative, as in PyTorch; `linalg.qr` has one.

    >>> import autograd
    >>> from autograd import linalg
    >>> a, tau = autograd.geqrf(autograd.eye(2) + 1)
    >>> autograd.allclose(linalg.householder_product(a, tau) @ a.triu(), autograd.eye(2) + 1)
    True
    """
    return _GEQRF(*call(householder_form, check_matrix("geqrf", "A", input)))


def _check_householder(operator: str, A: Tensor, tau: Tensor) -> None:
    check_matrix(operator, "input", A)
    same_kind(operator, input=A, tau=check_tensor(operator, "tau", tau))
    m, n = A._array.shape[-2:]
    if m < n:
        raise RuntimeError(f"{operator}: input must have as many rows as columns or more, but is {m} by {n}")
    if not tau._array.ndim:
        raise IndexError(f"{operator}: tau must have one dimension at least, but is 0-d")
    if tau._array.ndim != A._array.ndim - 1 or tau._array.shape[:-1] != A._array.shape[:-2]:
        raise RuntimeError(
            f"{operator}: Expected tau to have one dimension less than input {list(A.shape)} and the same batches, but "
            f"got {list(tau.shape)}"
        )
    if n < tau._array.shape[-1]:
        raise RuntimeError(
            f"{operator}: input.shape[-1] must be greater than or equal to tau.shape[-1], not {n} < "
            f"{tau._array.shape[-1]}"
        )


def _reflections(A: Tensor, tau: Tensor) -> tuple[Tensor, Tensor]:
    """V and T with ``H_1 ... H_k = I - V T V^H``, where ``H_i = I - tau_i v_i v_i^H``.

    Puglisi, "Modification of the Householder method based on the compact WY representation" (1992): the inverse of T
    is the upper triangle of ``V^H V`` with ``1 / tau`` on the diagonal; multiplied by tau here, which may be zero.
    """
    k, m = tau._array.shape[-1], A._array.shape[-2]
    v = tril(A[..., :k], -1) + identity(m, A, k)
    scaled = triu(tau.unsqueeze(-1) * (mH(v) @ v), 1)
    return v, call(_.triangular_solution, scaled, on_diagonal(tau), True, True)


@function(home="linalg", arguments={"A": "input"})
def householder_product(input: Tensor, tau: Tensor) -> Tensor:
    """The first n columns of ``H_1 H_2 ... H_k``, ``H_i = I - tau_i v_i v_i^H``.

    Args:
        input: (..., m, n), m >= n, with the vectors ``v_i`` below the diagonal of its first columns; ones on the
            diagonal and zeros above are understood.
        tau: (..., k), k <= n.

    >>> import autograd
    >>> from autograd import linalg
    >>> a, tau = autograd.geqrf(autograd.eye(2) + 1)
    >>> q = linalg.householder_product(a, tau)
    >>> autograd.allclose(q.T @ q, autograd.eye(2), atol=1e-6)
    True
    """
    name = "linalg.householder_product"
    _check_householder(name, input, tau)
    v, t = _reflections(input, tau)
    m, n = input._array.shape[-2:]
    return apply(by_columns, (identity(m, input, n) - v @ (t @ mH(v[..., :n, :])),), {})


@function(arguments={"input": "self", "tau": "input2"})
def orgqr(self: Tensor, input2: Tensor) -> Tensor:
    """`linalg.householder_product`.

    >>> import autograd
    >>> a, tau = autograd.geqrf(autograd.eye(2) + 1)
    >>> q = autograd.orgqr(a, tau)
    >>> autograd.allclose(q.T @ q, autograd.eye(2), atol=1e-6)
    True
    """
    return householder_product(self, input2)


@function(arguments={"input": "self", "tau": "input2", "other": "input3"})
def ormqr(self: Tensor, input2: Tensor, input3: Tensor, left: bool = True, transpose: bool = False) -> Tensor:
    """The product of ``Q = H_1 ... H_k`` (m by m) with a matrix: ``Q C``, ``C Q`` without ``left``.

    Args:
        self, input2: Householder vectors and their scales, as in `linalg.householder_product`.
        input3: C (..., m, n), or (..., n, m) without ``left``.
        transpose: takes ``Q^H`` for Q.

    >>> import autograd
    >>> a, tau = autograd.geqrf(autograd.eye(2) + 1)
    >>> x = autograd.ones(2, 1)
    >>> autograd.allclose(autograd.ormqr(a, tau, x), autograd.orgqr(a, tau) @ x)
    True
    """
    name = "ormqr"
    check_stack(name, "input", self)
    check_stack(name, "other", input3)
    if not check_tensor(name, "tau", input2)._array.ndim:
        raise IndexError(f"{name}: tau must have one dimension at least, but is 0-d")
    k, order = input2._array.shape[-1:], -2 if left else -1
    shape = self._array.shape
    if input2._array.ndim != len(shape) - 1 or input2._array.shape[:-1] != shape[:-2]:
        raise RuntimeError(f"{name}: tau {list(input2.shape)} does not fit input {list(self.shape)}")
    if input3._array.ndim != len(shape) or input3._array.shape[:-2] != shape[:-2]:
        raise RuntimeError(f"{name}: other {list(input3.shape)} and input {list(self.shape)} must have equal batches")
    if input3._array.shape[order] < k[0] or input3._array.shape[order] != shape[-2]:
        raise RuntimeError(
            f"{name}: other.shape[{order}] must be equal to input.shape[-2] and not less than tau.shape[-1], but got "
            f"{list(input3.shape)}, {list(self.shape)} and {list(input2.shape)}"
        )
    if k[0] != min(input3._array.shape[order], shape[-1]):
        raise RuntimeError(
            f"{name}: tau.shape[-1] must be equal to min(other.shape[{order}], input.shape[-1]), but got "
            f"{list(input2.shape)} for {list(input3.shape)} and {list(self.shape)}"
        )
    check_floating(name, "input", self)
    same_kind(name, input=self, tau=input2, other=input3)
    v, t = _reflections(self, input2)
    if transpose:
        t = mH(t)
    product = input3 - v @ (t @ (mH(v) @ input3)) if left else input3 - ((input3 @ v) @ t) @ mH(v)
    return apply(by_columns, (product,), {})
