"""Systems of linear equations and what is made of their solutions: inverses, determinants, powers, exponentials.

Gradients of the matrix functions are those of Giles, "An extended collection of matrix derivative results for forward
and reverse mode algorithmic differentiation" (2008), written for complex numbers: ``g`` is the gradient with respect to
the conjugate, and ``mH`` the conjugate transpose.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...kernels import lapack
from ...kernels.halves import is_half
from ...rows.dispatch import apply
from ...rows.nodes import sum_to
from ...rows.public import function
from ...rows.results import result_type
from ...rows.table import TABLE, Array, _, coarse
from ...tensor import Tensor, wrap
from ..convert import check_tensor
from .matrices import (
    broadcast_batches,
    by_columns,
    call,
    check_floating,
    check_info,
    check_matrix,
    conj,
    identity,
    mH,
    same_kind,
    tril,
    triu,
)

__all__ = [
    "check_pivots", "cholesky_inverse", "cholesky_solution", "cholesky_solve", "cofactors", "cofactors_derivative",
    "det", "determinant", "inv", "inv_ex", "inverse", "inverse_ex", "ldl_solution", "ldl_solve",
    "least_squares_solution", "logdet", "lstsq", "lu_solve", "matrix_exp", "matrix_exponential", "matrix_power",
    "pinv", "pinverse", "pseudoinverse", "sign_and_log_determinant", "slogdet", "solution_ex", "solve", "solve_ex",
    "solve_triangular", "tensorinv", "tensorsolve", "triangular_solution", "triangular_solve",
]  # fmt: skip


# --- Inverses and solutions ----------------------------------------------------------------------------------------


@coarse(latex=r"x^{-1}", home="", node_name="LinalgInvEx", outputs=None, holomorphic=False)
def inverse_ex(x: Array):
    return lapack.inverse(x)


@inverse_ex.gradient("x")
def _(g, outs):
    adjoint = mH(outs[0])
    return -(adjoint @ g[0] @ adjoint)


_INV_EX = result_type("linalg_inv_ex", "inverse info")
_SINGULAR = (
    "pivot {} is zero: the matrix is singular and has no inverse. linalg.pinv and linalg.lstsq take singular matrices."
)


@function(home="linalg", arguments={"input": "A"})
def inv_ex(A: Tensor, *, check_errors: bool = False) -> Any:
    """The inverse of square matrices (..., n, n), and ``info``: 0, or the number of the pivot that is zero.

    Args:
        check_errors: raise LinAlgError where there is no inverse.

    >>> import autograd
    >>> autograd.linalg.inv_ex(autograd.tensor([[2.0, 0.0], [0.0, 0.0]])).info
    tensor(2, dtype=torch.int32)
    """
    result = _INV_EX(*call(inverse_ex, check_matrix("linalg.inv_ex", "A", A, square=True)))
    if check_errors:
        check_info("linalg.inv_ex", result.info, _SINGULAR)
    return result


@function(home="linalg", arguments={"input": "A"})
def inv(A: Tensor) -> Tensor:
    """The inverse of square matrices (..., n, n).

    Raises:
        LinAlgError: a matrix is singular.

    >>> import autograd
    >>> autograd.linalg.inv(autograd.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.2500]])
    """
    inverse, info = call(inverse_ex, check_matrix("linalg.inv", "A", A, square=True))
    check_info("linalg.inv", info, _SINGULAR)
    return inverse


@function()
def inverse(input: Tensor) -> Tensor:
    """The inverse of square matrices (..., n, n): `linalg.inv`.

    >>> import autograd
    >>> autograd.inverse(autograd.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.2500]])
    """
    return inv(input)


@coarse(latex=r"x^{-1} y", home="", node_name="LinalgSolveEx", outputs=None, holomorphic=False)
def solution_ex(x: Array, y: Array):
    """Matrices x (..., n, n) and y (..., n, k) with the same leading dimensions."""
    return lapack.solve(x, y)


@solution_ex.gradient("x", "y")
def _(g, x, outs):
    grad = _.solution_ex(mH(x), g[0])[0]
    return -(grad @ mH(outs[0])), grad


_SOLVE_EX = result_type("linalg_solve_ex", "result info")


def _is_vector(a: Tensor, b: Tensor) -> bool:
    """Whether ``b`` holds vectors, one for each matrix of ``a``, by NumPy's rule before version 2."""
    return b._array.ndim == 1 or (a._array.ndim - 1 == b._array.ndim and b._array.shape == a._array.shape[:-1])


def _solve_ex(operator: str, A: Tensor, B: Tensor, left: bool) -> tuple[Tensor, Tensor]:
    check_matrix(operator, "A", A, square=True)
    check_tensor(operator, "B", B)
    same_kind(operator, A=A, B=B)
    vector = _is_vector(A, B)
    if vector:
        if not left:
            raise RuntimeError(f"{operator}: Vector broadcasting of the left hand side is not supported for left=False")
        B = B.unsqueeze(-1)
    elif B._array.ndim < 2:
        raise RuntimeError(f"{operator}: B must be a vector or matrices, but has shape {list(B.shape)}")
    n = A._array.shape[-1]
    if B._array.shape[-2 if left else -1] != n:
        raise RuntimeError(
            f"{operator}: Incompatible shapes of A and B for the equation {'AX = B' if left else 'XA = B'}: "
            f"{list(A.shape)} and {list(B.shape)}"
        )
    a, b = broadcast_batches(operator, A, B) if left else broadcast_batches(operator, A.mT, B.mT)
    x, info = call(solution_ex, a, b)
    x = x if left else x.mT
    return x.squeeze(-1) if vector else x, info


@function(home="linalg")
def solve_ex(A: Tensor, B: Tensor, *, left: bool = True, check_errors: bool = False) -> Any:
    """`solve`, and ``info``: 0, or the number of the pivot of ``A`` that is zero.

    >>> import autograd
    >>> from autograd import linalg
    >>> linalg.solve_ex(autograd.tensor([[2.0, 0.0], [0.0, 4.0]]), autograd.ones(2))
    torch.return_types.linalg_solve_ex(
    result=tensor([0.5000, 0.2500]),
    info=tensor(0, dtype=torch.int32))
    """
    result = _SOLVE_EX(*_solve_ex("linalg.solve_ex", A, B, left))
    if check_errors:
        check_info("linalg.solve_ex", result.info, _SINGULAR)
    return result


@function(home="linalg")
def solve(A: Tensor, B: Tensor, *, left: bool = True) -> Tensor:
    """The solution X of ``A X = B``, or of ``X A = B`` with ``left=False``.

    Args:
        A: (..., n, n).
        B: (..., n, k), or vectors (..., n); with ``left=False`` (..., k, n). Leading dimensions broadcast.

    Raises:
        LinAlgError: a matrix is singular.

    >>> import autograd
    >>> autograd.linalg.solve(autograd.tensor([[2.0, 0.0], [0.0, 4.0]]), autograd.tensor([1.0, 1.0]))
    tensor([0.5000, 0.2500])
    """
    x, info = _solve_ex("linalg.solve", A, B, left)
    check_info("linalg.solve", info, _SINGULAR)
    return x


def _check_system(operator: str, left: bool = True, **operands: Tensor) -> None:
    """Raises unless a square matrix and right hand sides, in this order, are of one kind and fit together."""
    (a_name, a), (b_name, b) = operands.items()
    check_matrix(operator, a_name, a, square=True)
    check_matrix(operator, b_name, b)
    same_kind(operator, **operands)
    if b._array.shape[-2 if left else -1] != a._array.shape[-1]:
        raise RuntimeError(
            f"{operator}: Incompatible shapes of {a_name} and {b_name}: {list(a.shape)} and {list(b.shape)}"
        )


@coarse(latex=r"x^{-1} y", home="", node_name="LinalgSolveTriangular", keeps_layout=True, holomorphic=False)
def triangular_solution(x: Array, y: Array, upper, unit=False):
    """Triangular x (..., n, n) and y (..., n, k) with the same leading dimensions."""
    return lapack.solve_triangular(x, y, upper, unit)


@triangular_solution.gradient("x", "y")
def _(g, x, out, upper, unit):
    grad = _.triangular_solution(mH(x), g, not upper, unit)
    full = -(grad @ mH(out))
    return triu(full, int(unit)) if upper else tril(full, -int(unit)), grad


@function(home="linalg", arguments={"A": "input"})
def solve_triangular(
    input: Tensor, B: Tensor, *, upper: bool, left: bool = True, unitriangular: bool = False
) -> Tensor:
    """The solution X of ``A X = B`` (``X A = B`` with ``left=False``) for triangular ``A``, the first argument.

    Args:
        input: ``A`` (..., n, n), of which one triangle is read.
        B: (..., n, k), or (..., k, n) with ``left=False``.
        upper: which triangle.
        unitriangular: takes the diagonal for ones.

    >>> import autograd
    >>> A = autograd.tensor([[1.0, 0.0], [1.0, 2.0]])
    >>> autograd.linalg.solve_triangular(A, autograd.tensor([[1.0], [5.0]]), upper=False)
    tensor([[1.],
            [2.]])
    """
    name = "linalg.solve_triangular"
    _check_system(name, left, A=input, B=B)
    if left:
        return call(triangular_solution, *broadcast_batches(name, input, B), upper, unitriangular)
    a, b = broadcast_batches(name, input.mT, B.mT)
    return call(triangular_solution, a, b, not upper, unitriangular).mT


_TRIANGULAR = result_type("triangular_solve", "solution cloned_coefficient")


@function(arguments={"b": "self", "input": "self"})
def triangular_solve(
    self: Tensor, A: Tensor, upper: bool = True, transpose: bool = False, unitriangular: bool = False
) -> Any:
    """The solution of ``A X = b`` (``A^T X = b`` with ``transpose``), b the first argument, and a copy of ``A``.

    PyTorch's older form of `linalg.solve_triangular`.

    >>> import autograd
    >>> autograd.triangular_solve(autograd.ones(2, 1), autograd.tensor([[2.0, 0.0], [0.0, 4.0]])).solution
    tensor([[0.5000],
            [0.2500]])
    """
    name = "triangular_solve"
    _check_system(name, A=A, b=self)
    a, b = broadcast_batches(name, A, self)
    x = call(triangular_solution, mH(a) if transpose else a, b, upper != transpose, unitriangular)
    return _TRIANGULAR(x, apply(by_columns, (a,), {}))


@coarse(latex=r"(y y^\top)^{-1} x", home="", node_name="CholeskySolve", keeps_layout=True, holomorphic=False)
def cholesky_solution(x: Array, y: Array):
    """Right hand sides x (..., n, k) and lower factors y (..., n, n) with the same leading dimensions."""
    half = lapack.solve_triangular(y, x, False, False)
    return lapack.solve_triangular(y.conj().swapaxes(-2, -1), half, True, False)


@cholesky_solution.gradient("x", "y")
def _(g, y, out):
    # As PyTorch, the gradient of ``(y y^H)^-1 x`` for any y: it is not cut to a triangle.
    grad = _.cholesky_solution(g, y)
    product = grad @ mH(out)
    return grad, -((product + mH(product)) @ y)


@function(arguments={"B": "self", "L": "input2", "input": "self"})
def cholesky_solve(self: Tensor, input2: Tensor, upper: bool = False) -> Tensor:
    """The solution X of ``A X = B`` where ``A = L L^T``: B (..., n, k) is the first argument, L the second.

    Args:
        upper: the second argument is ``U`` with ``A = U^T U``.

    >>> import autograd
    >>> from autograd import linalg
    >>> factor = linalg.cholesky(autograd.tensor([[2.0, 0.0], [0.0, 4.0]]))
    >>> autograd.cholesky_solve(autograd.ones(2, 1), factor)
    tensor([[0.5000],
            [0.2500]])
    """
    name = "cholesky_solve"
    _check_system(name, L=input2, B=self)
    b, factor = broadcast_batches(name, self, input2)
    return call(cholesky_solution, b, mH(factor) if upper else factor)


@function(arguments={"L": "input"})
def cholesky_inverse(input: Tensor, upper: bool = False) -> Tensor:
    """The inverse of ``A = L L^T``, or of ``U^T U`` with ``upper``, from the factor (..., n, n).

    >>> import autograd
    >>> from autograd import linalg
    >>> autograd.cholesky_inverse(linalg.cholesky(autograd.tensor([[2.0, 0.0], [0.0, 4.0]])))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.2500]])
    """
    check_matrix("cholesky_inverse", "L", input, square=True)
    zero = np.diagonal(input._array, 0, -2, -1) == 0
    if zero.any():
        info = wrap(np.where(zero.any(-1), zero.argmax(-1) + 1, 0))
        check_info("cholesky_inverse", info, "element {} of the diagonal is zero: there is no inverse.")
    eye, factor = broadcast_batches("cholesky_inverse", identity(input._array.shape[-1], input), input)
    return call(cholesky_solution, eye, mH(factor) if upper else factor)


@function(arguments={"b": "self", "input": "self"})
def lu_solve(self: Tensor, LU_data: Tensor, LU_pivots: Tensor) -> Tensor:
    """The solution X of ``A X = b`` by the factors of ``A``; PyTorch's older form of `linalg.lu_solve`.

    >>> import autograd
    >>> from autograd import linalg
    >>> linalg.lu_solve(*linalg.lu_factor(autograd.tensor([[2.0, 0.0], [0.0, 4.0]])), autograd.ones(2, 1))
    tensor([[0.5000],
            [0.2500]])
    """
    return _lu_solve(LU_data, LU_pivots, self)


@function(home="linalg")
def lu_solve(LU: Tensor, pivots: Tensor, B: Tensor, *, left: bool = True, adjoint: bool = False) -> Tensor:
    """The solution X of ``A X = B`` by the factors that `lu_factor` made of ``A``.

    Args:
        LU, pivots: (..., n, n) and (..., n).
        B: (..., n, k), or (..., k, n) with ``left=False``.
        left: False solves ``X A = B``.
        adjoint: solves with the conjugate transpose of ``A``.
    """
    return _lu_solve(LU, pivots, B, left, adjoint)


def _lu_solve(LU: Tensor, pivots: Tensor, B: Tensor, left: bool = True, adjoint: bool = False) -> Tensor:
    name = "linalg.lu_solve"
    _check_system(name, left, LU=LU, B=B)
    check_pivots(name, LU, pivots)
    if not left:  # X A = B is A^H X^H = B^H
        return mH(_lu_solve(LU, pivots, mH(B), True, not adjoint))
    order = lapack.permutation(pivots._array, LU._array.shape[-1])
    lu, b = broadcast_batches(name, LU, B)
    order = np.broadcast_to(order, b._array.shape[:-1])
    if not adjoint:
        half = call(triangular_solution, lu, _rows(b, order), False, True)
        return call(triangular_solution, lu, half, True)
    half = call(triangular_solution, mH(lu), b, False)
    return _rows(call(triangular_solution, mH(lu), half, True, True), np.argsort(order, -1))


def check_pivots(operator: str, LU: Tensor, pivots: Any) -> None:
    array = check_tensor(operator, "pivots", pivots)._array
    if array.dtype != np.int32:
        raise RuntimeError(f"{operator}: pivots should be a Tensor of scalar type torch.int32, not {pivots.dtype}")
    expected = (*LU._array.shape[:-2], min(LU._array.shape[-2:]))
    if array.shape != expected:
        raise RuntimeError(f"{operator}: pivots of shape {list(expected)} expected, but got {list(array.shape)}")


def _rows(x: Any, order: np.ndarray) -> Any:
    """The rows of each matrix in another order."""
    return _.gather_along(x, x.ndim - 2, np.broadcast_to(order[..., None], tuple(x.shape)))


@coarse(latex=r"x^{-1} y", home="", node_name="LinalgLdlSolve", keeps_layout=True, holomorphic=False)
def ldl_solution(y: Array, factors, pivots, hermitian):
    return lapack.ldl_solve(factors, pivots, y, hermitian)


@ldl_solution.gradient("y")
def _(g, factors, pivots, hermitian):
    if hermitian or factors.dtype.kind != "c":
        return _.ldl_solution(g, factors, pivots, hermitian)
    return conj(_.ldl_solution(conj(g), factors, pivots, hermitian))


@function(home="linalg")
def ldl_solve(LD: Tensor, pivots: Tensor, B: Tensor, *, hermitian: bool = False) -> Tensor:
    """The solution X of ``A X = B`` by the factors that `ldl_factor` made of the symmetric or Hermitian ``A``.

    Differentiable in ``B``.

    >>> import autograd
    >>> from autograd import linalg
    >>> linalg.ldl_solve(*linalg.ldl_factor(autograd.tensor([[2.0, 0.0], [0.0, 4.0]])), autograd.ones(2, 1))
    tensor([[0.5000],
            [0.2500]])
    """
    name = "linalg.ldl_solve"
    _check_system(name, LD=LD, B=B)
    array = check_tensor(name, "pivots", pivots)._array
    if array.shape != LD._array.shape[:-1]:
        raise RuntimeError(f"{name}: Expected pivots of shape {list(LD.shape[:-1])}, but got {list(pivots.shape)}")
    if array.dtype.kind != "i":
        raise RuntimeError(f"{name}: Expected pivots to be integers, but got {pivots.dtype}")
    ld, b = broadcast_batches(name, LD, B)
    order = np.broadcast_to(array, ld._array.shape[:-1])
    return call(ldl_solution, b, ld._array, order, hermitian)


# --- Determinants --------------------------------------------------------------------------------------------------


@coarse(latex=r"\det x", home="", node_name="LinalgDet")
def determinant(x: Array):
    return np.asarray(np.linalg.det(x), x.dtype)


@determinant.gradient("x")
def _(g, x):
    return _.cofactors(x) * g[..., None, None]


@coarse(latex=r"\partial \det x / \partial x", home="")
def cofactors(x: Array):
    """``det(x) x^-T``, which is a polynomial: by the singular value decomposition, singular matrices are no exception.

    The cofactors of ``U S V^H`` are ``det(U V^H) conj(U) C conj(V^H)``, where C has the products of all other
    singular values on its diagonal.
    """
    u, s, vh = lapack.svd(x, True)
    scale = np.linalg.det(u) * np.linalg.det(vh)
    others = _product_of_others(s, 1)
    return ((u.conj() * (others * scale[..., None])[..., None, :]) @ vh.conj()).astype(x.dtype)


@cofactors.gradient("x")
def _(g, x):
    return _.cofactors_derivative(x, g)


@coarse(latex=r"\frac{\partial}{\partial x} \langle y, \partial \det x / \partial x \rangle", home="")
def cofactors_derivative(x: Array, y: Array):
    """With ``x = U S V^H`` and ``Y = U^H y V``, the derivative in the rotated entries is
    ``sum_i Y_ii P_ij`` on the diagonal and ``-Y_ji P_ij`` off it, P_ij the product of all singular values but two.
    """
    u, s, vh = lapack.svd(x, True)
    v = vh.conj().swapaxes(-2, -1)
    scale = np.linalg.det(u) * np.linalg.det(vh)
    rotated = u.conj().swapaxes(-2, -1) @ y @ v
    others = _product_of_others(s, 2)
    on = (others * np.diagonal(rotated, 0, -2, -1)[..., None, :]).sum(-1)
    off = -others * rotated.swapaxes(-2, -1)
    n = x.shape[-1]
    inner = np.where(np.eye(n, dtype=bool), on[..., None], off) * scale[..., None, None]
    return (u.conj() @ inner @ vh.conj()).astype(x.dtype)


@cofactors_derivative.gradient("y")
def _(g, x, y):
    return _.cofactors_derivative(x, g)


@cofactors_derivative.gradient("x")
def _(g, x, y):
    # Where x is regular, <g, D(x)[y]> is det(x) (<y, P> <g, P> - <g, P y^T P>) with P = x^-T.
    p = _.transpose(_.inverse_ex(x)[0], -2, -1)
    py, pg = (p @ _.transpose(each, -2, -1) @ p for each in (y, g))
    in_y, in_g = (_.sum(each * p, (-2, -1), True) for each in (y, g))
    value = in_y * in_g - _.sum(g * py, (-2, -1), True)
    crossed = py @ _.transpose(g, -2, -1) @ p + pg @ _.transpose(y, -2, -1) @ p
    return (p * value - in_g * py - in_y * pg + crossed) * determinant(x)[..., None, None]


def _product_of_others(s: np.ndarray, count: int) -> np.ndarray:
    """Products of all values but one (..., n), or but two different ones (..., n, n) with zeros on the diagonal."""
    n = s.shape[-1]
    left_out = np.eye(n, dtype=bool)
    if count == 1:
        return np.where(left_out, 1, s[..., None, :]).prod(-1)
    pairs = left_out[:, None] | left_out[None]
    return np.where(left_out, 0, np.where(pairs, 1, s[..., None, None, :]).prod(-1))


@function(arguments={"A": "input"})
@function(home="linalg", arguments={"A": "input"})
def det(input: Tensor) -> Tensor:
    """The determinant of square matrices (..., n, n). The gradient, the matrix of cofactors, is exact for singular
    matrices, too.

    >>> import autograd
    >>> autograd.linalg.det(autograd.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor(-2.)
    """
    return call(determinant, check_matrix("linalg.det", "A", input, square=True))


@coarse(
    latex=r"(\operatorname{sign} \det x, \ln |\det x|)",
    home="",
    node_name="LinalgSlogdet",
    outputs=None,
    holomorphic=False,
)
def sign_and_log_determinant(x: Array):
    sign, size = np.linalg.slogdet(x)
    return np.asarray(np.where(np.isnan(size), 0, sign), x.dtype), np.asarray(size, x.real.dtype)


@sign_and_log_determinant.gradient("x")
def _(g, x, outs):
    g_sign, g_log = g
    scale = g_log
    if g_sign is not None and outs[0].dtype != outs[1].dtype:  # complex: the sign turns with the angle
        turn = conj(g_sign) * outs[0]
        turn = (turn - conj(turn)) * 0.5
        scale = -turn if g_log is None else g_log - turn
    if scale is None:
        return x * 0
    return mH(_.inverse_ex(x)[0]) * scale[..., None, None]


_SLOGDET = {name: result_type(name, "sign logabsdet") for name in ("slogdet", "linalg_slogdet")}


def _slogdet(A: Tensor, name: str) -> Any:
    return _SLOGDET[name](*call(sign_and_log_determinant, check_matrix("linalg.slogdet", "A", A, square=True)))


@function()
def slogdet(input: Tensor) -> Any:
    """Sign and logarithm of the absolute value of the determinant of square matrices (..., n, n)."""
    return _slogdet(input, "slogdet")


@function(home="linalg", arguments={"input": "A"})
def slogdet(A: Tensor) -> Any:
    """Sign and logarithm of the absolute value of the determinant of square matrices (..., n, n).

    >>> import autograd
    >>> autograd.linalg.slogdet(autograd.tensor([[1.0, 0.0], [0.0, -1.0]])).sign
    tensor(-1.)
    """
    return _slogdet(A, "linalg_slogdet")


@function(arguments={"A": "input"})
def logdet(input: Tensor) -> Tensor:
    """The logarithm of the determinant of square matrices (..., n, n): NaN where that is negative.

    >>> import autograd
    >>> autograd.logdet(autograd.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor(2.0794)
    >>> autograd.logdet(autograd.tensor([[-1.0]]))
    tensor(nan)
    """
    sign, size = _slogdet(input, "slogdet")
    if sign._array.dtype.kind == "c":
        return sign.log() + size
    return TABLE["where"](sign == -1, math.nan, size)


# --- Least squares -------------------------------------------------------------------------------------------------


def cut_of(x: np.ndarray, largest: np.ndarray, atol: Any, rtol: Any) -> np.ndarray:
    """Singular values up to ``max(atol, rtol * largest)`` count as zero; without either, up to rounding errors."""
    if rtol is None:
        rounding = max(x.shape[-2:]) * np.finfo(x.dtype).eps
        rtol = rounding if atol is None else np.where(np.asarray(atol) > 0, 0.0, rounding)
    return np.maximum(0.0 if atol is None else atol, np.asarray(rtol) * largest)


@coarse(latex=r"x^+", home="", node_name="LinalgPinv", holomorphic=False)
def pseudoinverse(x: Array, atol=None, rtol=None, hermitian=False):
    """``atol`` and ``rtol`` are None, numbers or arrays, one number a matrix."""
    if not x.size:
        return np.zeros((*x.shape[:-2], x.shape[-1], x.shape[-2]), x.dtype)
    if hermitian:
        s, u = lapack.eigh(x, True)
        vh = u.conj().swapaxes(-2, -1)
    else:
        u, s, vh = lapack.svd(x, False)
    size = np.abs(s)
    kept = size > cut_of(x, size.max(-1), atol, rtol)[..., None]
    inverse = np.where(kept, 1 / np.where(kept, s, 1), 0)
    inverse = np.where(np.isnan(s), s, inverse)
    return ((vh.conj().swapaxes(-2, -1) * inverse[..., None, :]) @ u.conj().swapaxes(-2, -1)).astype(x.dtype)


@pseudoinverse.gradient("x")
def _(g, x, x_shape, out):
    # Golub and Pereyra, "The differentiation of pseudo-inverses and nonlinear least squares problems whose variables
    # separate" (1973), equation 4.12: for perturbations that keep the rank.
    adjoint, g_adjoint = mH(out), mH(g)
    left = g_adjoint @ out @ adjoint
    right = adjoint @ (out @ g_adjoint)
    grad = (left - x @ (out @ left)) + (right - (right @ out) @ x) - adjoint @ g @ adjoint
    return sum_to(grad, x_shape)  # one matrix may have been given several tolerances


def tolerance_of(operator: str, x: Tensor, value: Any, name: str) -> Any:
    """A tolerance as a number or an array with the matrices' leading dimensions."""
    if not isinstance(value, Tensor):
        return value
    if value._array.dtype.kind == "c":
        raise RuntimeError(f"{operator}: {name} tensor of complex type is not supported.")
    try:
        np.broadcast_shapes(value._array.shape, x._array.shape[:-2])
    except ValueError:
        raise RuntimeError(
            f"{operator}: {name} of shape {list(value.shape)} does not broadcast to the batch dimensions of "
            f"{list(x.shape)}"
        ) from None
    return value._array


@function(home="linalg", arguments={"A": "input", "tol": "rcond"})
def pinv(input: Tensor, rcond: Any = None, hermitian: bool = False, *, atol: Any = None, rtol: Any = None) -> Tensor:
    """The pseudoinverse (Moore and Penrose) of matrices (..., m, n): (..., n, m).

    Args:
        rcond: another name for ``rtol``.
        hermitian: takes the matrices for Hermitian and reads their lower triangles.
        atol, rtol: singular values up to ``max(atol, rtol * largest)`` count as zero; numbers or tensors, one a matrix.
            By default ``rtol`` is ``max(m, n)`` times the dtype's epsilon, or 0 where an ``atol`` is given.

    >>> import autograd
    >>> autograd.linalg.pinv(autograd.tensor([[2.0, 0.0], [0.0, 0.0]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.0000]])
    """
    name = "linalg.pinv"
    check_matrix(name, "A", input, square=hermitian)
    rtol = rtol if rcond is None else rcond
    cuts = [tolerance_of(name, input, value, each) for value, each in ((atol, "atol"), (rtol, "rtol"))]
    return call(pseudoinverse, input, *cuts, hermitian)


@function()
def pinverse(input: Tensor, rcond: float = 1e-15) -> Tensor:
    """`linalg.pinv` with singular values up to ``rcond * largest`` counted as zero.

    >>> import autograd
    >>> autograd.pinverse(autograd.tensor([[2.0, 0.0]]))
    tensor([[0.5000],
            [0.0000]])
    """
    return pinv(input, rcond)


@coarse(latex=r"x^+ y", home="", node_name="LinalgLstsq", outputs=None, holomorphic=False)
def least_squares_solution(x: Array, y: Array, cut, driver):
    return tuple(lapack.least_squares(x, y, cut, driver))


@least_squares_solution.gradient("x", "y")
def _(g, x, y, outs, cut, driver):
    # The solution is x^+ y: the rule of `pseudoinverse` with products regrouped, so that it, too, only solves.
    g_solution, g_residuals = g[:2]
    solution, adjoint = outs[0], mH(x)
    rest = y - x @ solution
    grad_x = grad_y = 0.0
    if g_solution is not None:
        grad_y = _.least_squares_solution(adjoint, g_solution, cut, driver)[0]
        again = _.least_squares_solution(x, grad_y, cut, driver)[0]
        out_of = _.least_squares_solution(adjoint, solution, cut, driver)[0]
        grad_x = rest @ mH(again) - grad_y @ mH(solution) + out_of @ mH(g_solution - adjoint @ grad_y)
    if g_residuals is not None and g_residuals.shape == (*rest.shape[:-2], rest.shape[-1]):
        # At the minimum the residuals depend on the solution in second order only.
        turned = rest * (2 * g_residuals[..., None, :])
        grad_x, grad_y = grad_x - turned @ mH(solution), grad_y + turned
    return grad_x, grad_y


_LSTSQ = result_type("linalg_lstsq", "solution residuals rank singular_values")
_DRIVERS = ("gels", "gelsy", "gelsd", "gelss")


@function(home="linalg", arguments={"A": "input", "B": "b"})
def lstsq(input: Tensor, b: Tensor, rcond: float | None = None, *, driver: str | None = None) -> Any:
    """The solution X of ``min ||A X - B||`` in the sense of least squares, of least length where there are several.

    Args:
        input: A (..., m, n).
        b: B (..., m, k), or vectors (..., m).
        rcond: singular values up to ``rcond * largest`` count as zero; the dtype's epsilon times ``max(m, n)`` by
            default.
        driver: LAPACK's ``gelsy`` (default), ``gels``, ``gelsd`` or ``gelss``.

    Returns:
        (solution, residuals, rank, singular_values): the sums of squared residuals where ``m > n`` and all ranks are
        full (empty for ``gelsy``), else an empty tensor; no rank for ``gels``; singular values for ``gelsd`` and
        ``gelss`` only.

    >>> import autograd
    >>> A, b = autograd.tensor([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]]), autograd.tensor([1.0, 3.0, 5.0])
    >>> autograd.linalg.lstsq(A, b).solution.round(decimals=4)
    tensor([1., 2.])
    """
    name = "linalg.lstsq"
    check_matrix(name, "input", input)
    same_kind(name, input=input, b=check_tensor(name, "other", b))
    if b._array.ndim < 1:
        raise RuntimeError(f"{name}: b must have at least 1 dimension")
    if driver is not None and driver not in _DRIVERS:
        raise RuntimeError(f"{name}: driver must be one of {', '.join(_DRIVERS)}, not {driver!r}")
    driver = driver or "gelsy"
    difference = input._array.ndim - b._array.ndim
    if difference not in (0, 1):
        raise RuntimeError(
            f"{name}: b of shape {list(b.shape)} must have as many dimensions as input {list(input.shape)}, or one less"
        )
    vector = difference == 1
    right = b.unsqueeze(-1) if vector else b
    if right._array.shape[-2] != input._array.shape[-2]:
        raise RuntimeError(f"{name}: input {list(input.shape)} and b {list(b.shape)} have different numbers of rows")
    x, y = broadcast_batches(name, input, right)
    if rcond is None:
        rcond = float(np.finfo(x._array.dtype).eps) * max(x._array.shape[-2:])
    solution, residuals, rank, values = call(least_squares_solution, x, y, rcond, driver)
    none = np.zeros(0, values._array.dtype)
    return _LSTSQ(
        solution.squeeze(-1) if vector else solution,
        residuals,
        wrap(np.zeros(0, np.int64)) if driver == "gels" else rank,
        values.detach() if driver in ("gelsd", "gelss") else wrap(none),
    )


# --- Functions of matrices -----------------------------------------------------------------------------------------


@coarse(latex=r"e^x", home="", node_name="LinalgMatrixExp")
def matrix_exponential(x: Array):
    return lapack.expm(x)


@matrix_exponential.gradient("x")
def _(g, x):
    # Mathias, "A chain rule for matrix functions and applications" (1996): the derivative stands in the corner of the
    # exponential of [[x, direction], [0, x]].
    n = x.shape[-1]
    x = _.transpose(x, -2, -1)
    blocks = _.concatenate_along([_.concatenate_along([x, g], -1), _.concatenate_along([x * 0, x], -1)], -2)
    return _.matrix_exponential(blocks)[..., :n, n:]


@function(arguments={"A": "input"})
@function(home="linalg", arguments={"A": "input"})
def matrix_exp(input: Tensor) -> Tensor:
    """The exponential ``sum_k A^k / k!`` of square matrices (..., n, n).

    >>> import autograd
    >>> autograd.linalg.matrix_exp(autograd.tensor([[0.0, 1.0], [0.0, 0.0]]))
    tensor([[1., 1.],
            [0., 1.]])
    """
    name = "linalg.matrix_exp"
    if isinstance(input, Tensor) and is_half(input._array.dtype):
        return matrix_exp(input.float()).to(input.dtype)
    return call(matrix_exponential, check_matrix(name, "A", input, square=True))


@function(arguments={"A": "input"})
@function(home="linalg", arguments={"A": "input"})
def matrix_power(input: Tensor, n: int) -> Tensor:
    """The product of ``n`` copies of square matrices (..., m, m); of their inverses for a negative ``n``.

    >>> import autograd
    >>> autograd.linalg.matrix_power(autograd.tensor([[1.0, 1.0], [0.0, 1.0]]), 5)
    tensor([[1., 5.],
            [0., 1.]])
    """
    name = "linalg.matrix_power"
    array = check_tensor(name, "A", input)._array
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)):
        raise TypeError(f"{name}(): argument 'n' must be int, not {type(n).__name__}")
    if array.ndim < 2 or array.shape[-1] != array.shape[-2]:
        raise RuntimeError(f"{name}: A must be batches of square matrices, but has shape {list(array.shape)}")
    if n == 0:
        return _.blank(input) + identity(array.shape[-1], input)  # its gradient is zero
    base = inv(input) if n < 0 else input
    n = abs(n)
    if n == 1:
        return base if base is not input else input.clone()
    result = None
    while n:  # binary powers
        if n & 1:
            result = base if result is None else result @ base
        n >>= 1
        base = base @ base if n else base
    return result  # type: ignore[return-value]


# --- Tensors as matrices -------------------------------------------------------------------------------------------


@function(home="linalg", arguments={"A": "input"})
def tensorinv(input: Tensor, ind: int = 2) -> Tensor:
    """The inverse for `tensordot`: of A with dimensions ``(first ind, others)`` whose products are equal.

    ``tensordot(tensorinv(A, ind), B, ind)`` solves ``tensordot(A, X, X.ndim) == B``.

    >>> import autograd
    >>> from autograd import linalg
    >>> linalg.tensorinv(2 * autograd.eye(6).reshape(2, 3, 6)).shape
    torch.Size([6, 2, 3])
    """
    name = "linalg.tensorinv"
    shape = check_tensor(name, "A", input)._array.shape
    if ind <= 0:
        raise RuntimeError(f"{name}: Expected a strictly positive integer for 'ind', but got {ind}")
    if ind > len(shape):
        raise RuntimeError(f"{name}: 'ind' is {ind}, but A of shape {list(shape)} has {len(shape)} dimensions")
    left, right = shape[:ind], shape[ind:]
    if math.prod(left) != math.prod(right):
        raise RuntimeError(
            f"{name}: Expected self to satisfy prod(self.shape[ind:]) == prod(self.shape[:ind]), but {list(shape)} "
            f"with ind={ind} gives {math.prod(right)} and {math.prod(left)}"
        )
    check_floating(name, "A", input)
    return inv(input.reshape(math.prod(left), math.prod(right))).reshape((*right, *left))


@function(home="linalg", arguments={"A": "input", "B": "other"})
def tensorsolve(input: Tensor, other: Tensor, dims: Any = None) -> Tensor:
    """The solution X of ``tensordot(A, X, X.ndim) == B``.

    Args:
        input: A, with the dimensions of B first and those of X behind.
        other: B.
        dims: dimensions of A that are moved to its end before.

    >>> import autograd
    >>> from autograd import linalg
    >>> linalg.tensorsolve(2 * autograd.eye(6).reshape(2, 3, 6), autograd.ones(2, 3))
    tensor([0.5000, 0.5000, 0.5000, 0.5000, 0.5000, 0.5000])
    """
    name = "linalg.tensorsolve"
    check_tensor(name, "A", input)
    check_tensor(name, "B", other)
    same_kind(name, A=input, B=other)
    if dims is not None:
        dims = (dims,) if isinstance(dims, int) else tuple(dims)
        input = input.movedim(dims, tuple(range(-len(dims), 0)))
    size = other._array.size
    shape = input._array.shape[other._array.ndim :]
    if math.prod(shape) != size or input._array.size != size * size:
        raise RuntimeError(
            f"{name}: Expected self to satisfy prod(self.shape[other.ndim:]) == prod(self.shape[:other.ndim]), but A "
            f"is {list(input.shape)} and B {list(other.shape)}"
        )
    check_floating(name, "A", input)
    return solve(input.reshape(size, size), other.reshape(size)).reshape(tuple(shape))
