"""Factorizations and solutions of stacks of matrices: NumPy's functions where they take stacks, else LAPACK through
SciPy, matrix by matrix.

NumPy computes float32 in float64 and rounds once. What can fail returns ``info`` beside the result, as LAPACK does: 0,
or which leading minor (pivot) was the first to fail.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

__all__ = [
    "cholesky", "columns", "eig", "eigh", "eliminate", "expm", "geqrf", "inverse", "ldl_factor", "ldl_solve",
    "least_squares", "lu_factor", "permutation", "qr", "solve", "solve_triangular", "substitute_rows", "svd",
]  # fmt: skip

ndarray = np.ndarray


def each_matrix(kernel: Callable[..., Sequence[Any]], *stacks: ndarray) -> list[ndarray]:
    """The results of a kernel for single matrices, on stacks that have the same leading dimensions."""
    lead = stacks[0].shape[:-2]
    if not lead:
        return [np.asarray(result) for result in kernel(*stacks)]
    count = math.prod(lead)
    flat = [stack.reshape(count, *stack.shape[-2:]) for stack in stacks]
    if count == 0:  # one matrix tells the shapes
        single = [np.asarray(result) for result in kernel(*(_identity(stack) for stack in stacks))]
        return [np.empty((*lead, *result.shape), result.dtype) for result in single]
    results = zip(*(kernel(*matrices) for matrices in zip(*flat, strict=True)), strict=True)
    stacked = [np.stack([np.asarray(each) for each in result]) for result in results]
    return [result.reshape(*lead, *result.shape[1:]) for result in stacked]


def columns(x: ndarray) -> ndarray:
    """The matrices laid out column by column, as LAPACK's results are, and therefore PyTorch's."""
    return np.ascontiguousarray(x.swapaxes(-2, -1)).swapaxes(-2, -1)


def _identity(stack: ndarray) -> ndarray:
    return np.eye(*stack.shape[-2:], dtype=stack.dtype)


def _lapack(name: str, *arrays: ndarray) -> Any:
    from scipy.linalg import get_lapack_funcs

    return get_lapack_funcs(name, arrays)


def lu_factor(a: ndarray) -> list[ndarray]:
    """``L`` below and ``U`` on and above the diagonal of one matrix, the rows that were exchanged (from 1), info."""

    def factor(a: ndarray) -> tuple[ndarray, ndarray, int]:
        if not a.size:
            return a.copy(), np.empty(min(a.shape), np.int32), 0
        lu, pivots, info = _lapack("getrf", a)(a)
        return lu, pivots.astype(np.int32) + 1, info

    lu, pivots, info = eliminate(a) if _many(a) else each_matrix(factor, a)
    return [columns(lu), pivots, info.astype(np.int32)]


def permutation(pivots: ndarray, rows: int) -> ndarray:
    """Where each row of ``P^T A`` comes from, for the exchanges that `lu_factor` returns."""
    order = np.broadcast_to(np.arange(rows), (*pivots.shape[:-1], rows)).copy()
    if not pivots.size:
        return order
    flat, exchanges = order.reshape(-1, rows), pivots.reshape(-1, pivots.shape[-1])
    every = np.arange(len(flat))
    for i in range(pivots.shape[-1]):
        j = exchanges[:, i] - 1
        flat[every, i], flat[every, j] = flat[every, j], flat[every, i].copy()
    return order


def _zero_pivot(a: ndarray) -> ndarray:
    return lu_factor(a)[2]


def inverse(a: ndarray) -> tuple[ndarray, ndarray]:
    """The inverses, NaN where there is none, and info."""
    try:
        return columns(np.linalg.inv(a)), np.zeros(a.shape[:-2], np.int32)
    except np.linalg.LinAlgError:
        info = _zero_pivot(a)
    regular = np.where((info == 0)[..., None, None], a, np.eye(a.shape[-1], dtype=a.dtype))
    return np.where((info == 0)[..., None, None], np.linalg.inv(regular), a.dtype.type(np.nan)), info


def solve(a: ndarray, b: ndarray) -> tuple[ndarray, ndarray]:
    """The solutions of ``a x = b``, NaN where there is none, and info."""
    try:
        return columns(np.linalg.solve(a, b)), np.zeros(a.shape[:-2], np.int32)
    except np.linalg.LinAlgError:
        info = _zero_pivot(a)
    regular = np.where((info == 0)[..., None, None], a, np.eye(a.shape[-1], dtype=a.dtype))
    return np.where((info == 0)[..., None, None], np.linalg.solve(regular, b), a.dtype.type(np.nan)), info


def solve_triangular(a: ndarray, b: ndarray, upper: bool, unit: bool) -> ndarray:
    """The solutions of ``a x = b``, reading one triangle of ``a``; infinite where its diagonal has a zero."""
    if _many(a):
        return columns(substitute_rows(a, b, upper, unit))
    from scipy.linalg import get_blas_funcs

    trsm = get_blas_funcs("trsm", (a, b))

    def substitute(a: ndarray, b: ndarray) -> tuple[ndarray]:
        if not b.size:
            return (b.copy(),)
        # Transposed, a matrix in C order is one in Fortran's: x^T a^T = b^T needs no copies of the operands.
        return (trsm(1, a.T, b.T, side=1, lower=upper, diag=unit).T,)

    return columns(each_matrix(substitute, a, b)[0])


def cholesky(a: ndarray) -> tuple[ndarray, ndarray]:
    """The lower factor of each matrix, whose lower triangle is read, and info."""
    try:
        factors = columns(np.linalg.cholesky(a))
    except np.linalg.LinAlgError:
        pass
    else:  # of NaN and infinity nothing is said
        failed = ~np.isfinite(np.diagonal(factors, 0, -2, -1))
        info = np.where(failed.any(-1), failed.argmax(-1) + 1, 0) if failed.any() else np.zeros(a.shape[:-2])
        return factors, np.asarray(info, np.int32)

    def factor(a: ndarray) -> tuple[ndarray, int]:
        return _lapack("potrf", a)(a, lower=1, clean=1)

    factors, info = each_matrix(factor, a)
    return factors, info.astype(np.int32)


def geqrf(a: ndarray) -> tuple[ndarray, ndarray]:
    """``R`` and below it the Householder vectors, and their scales."""
    if not a.size:
        return a.copy(), np.zeros((*a.shape[:-2], min(a.shape[-2:])), a.dtype)
    h, tau = np.linalg.qr(a, "raw")
    return columns(h.swapaxes(-2, -1)), tau


def qr(a: ndarray, mode: Any) -> tuple[ndarray, ndarray]:
    """Q and R; Q is empty in mode ``r``."""
    result: Any = np.linalg.qr(a, mode)
    q, r = (np.zeros(0, a.dtype), result) if mode == "r" else result
    return columns(q) if q.ndim > 1 else q, columns(r)


def svd(a: ndarray, full: bool) -> tuple[ndarray, ndarray, ndarray]:
    """``U``, the singular values in descending order, ``V^H``."""
    if a.size:
        u, s, vh = np.linalg.svd(a, full)
        return columns(u), s, columns(vh)
    *lead, m, n = a.shape
    k = min(m, n)
    u = np.broadcast_to(np.eye(m, m if full else k, dtype=a.dtype), (*lead, m, m if full else k))
    vh = np.broadcast_to(np.eye(n if full else k, n, dtype=a.dtype), (*lead, n if full else k, n))
    return u.copy(), np.zeros((*lead, k), a.real.dtype), vh.copy()


def eigh(a: ndarray, lower: bool) -> tuple[ndarray, ndarray]:
    """Eigenvalues in ascending order and orthonormal eigenvectors of matrices of which one triangle is read."""
    values, vectors = np.linalg.eigh(a, "L" if lower else "U")
    return values, columns(vectors)


def eig(a: ndarray) -> tuple[ndarray, ndarray]:
    """Eigenvalues and eigenvectors of length 1, complex."""
    kind = np.complex64 if a.dtype in (np.float32, np.complex64) else np.complex128
    if not a.size:
        return np.zeros(a.shape[:-1], kind), np.zeros(a.shape, kind)
    values, vectors = np.linalg.eig(a)
    return values.astype(kind), columns(vectors.astype(kind))


def expm(a: ndarray) -> ndarray:
    """The matrix exponential, by scaling and squaring, in double precision."""
    from scipy.linalg import expm

    if not a.size:
        return a.copy()
    return expm(a.astype(np.complex128 if a.dtype.kind == "c" else np.float64)).astype(a.dtype)


def least_squares(a: ndarray, b: ndarray, cut: float | None, driver: str) -> list[ndarray]:
    """The solution of least length of ``min |a x - b|``, the sums of squared residuals, ranks, singular values.

    Residuals are empty unless there are more equations than unknowns and all ranks are full, and for ``gelsy``;
    singular values are empty for drivers that do not compute them.
    """
    from scipy.linalg import lstsq

    (m, n), k, real = a.shape[-2:], b.shape[-1], a.real.dtype

    def solve(a: ndarray, b: ndarray) -> tuple[Any, ...]:
        if not (m and n and k):
            return np.zeros((n, k), a.dtype), 0, np.zeros(min(m, n), real)
        x, _, rank, values = lstsq(a, b, cut, lapack_driver="gelsy" if driver == "gels" else driver)
        return x, rank, np.zeros(0, real) if values is None else values

    x, ranks, values = each_matrix(solve, a, b)
    residuals = np.zeros(0, real)
    if m > n and driver != "gelsy" and (ranks == n).all():
        residuals = np.sum(np.abs(b - a @ x) ** 2, -2)
    return [x, residuals, ranks.astype(np.int64), values]


# --- Many small matrices -------------------------------------------------------------------------------------------


def _many(a: ndarray) -> bool:
    """Whether there are so many matrices that a step for all of them at once is better than LAPACK for each."""
    return a.ndim > 2 and math.prod(a.shape[:-2]) > 2 * min(a.shape[-2:]) and a.size > 0


def eliminate(a: ndarray) -> tuple[ndarray, ndarray, ndarray]:
    """`lu_factor` by Gaussian elimination with the largest pivot of each column, in all matrices at once."""
    lead, (m, n) = a.shape[:-2], a.shape[-2:]
    lu = a.reshape(-1, m, n).copy()
    every = np.arange(len(lu))
    pivots = np.empty((len(lu), min(m, n)), np.int32)
    info = np.zeros(len(lu), np.int32)
    for k in range(min(m, n)):
        column = lu[:, k:, k]
        size = np.abs(column.real) + np.abs(column.imag) if a.dtype.kind == "c" else np.abs(column)  # as in LAPACK
        at = k + size.argmax(-1)
        lu[every, k], lu[every, at] = lu[every, at], lu[every, k].copy()
        pivots[:, k] = at + 1
        pivot = lu[:, k, k]
        info = np.where((pivot == 0) & (info == 0), k + 1, info)
        lu[:, k + 1 :, k] /= np.where(pivot == 0, 1, pivot)[:, None]
        lu[:, k + 1 :, k + 1 :] -= lu[:, k + 1 :, k, None] * lu[:, k, None, k + 1 :]
    return lu.reshape(a.shape), pivots.reshape(*lead, -1), info.reshape(lead)


def substitute_rows(a: ndarray, b: ndarray, upper: bool, unit: bool) -> ndarray:
    """`solve_triangular` row by row, in all matrices at once."""
    n = a.shape[-1]
    x = np.empty(b.shape, b.dtype)
    for i in reversed(range(n)) if upper else range(n):
        known = slice(i + 1, n) if upper else slice(0, i)
        row = b[..., i, :] - (a[..., i, None, known] @ x[..., known, :])[..., 0, :]
        x[..., i, :] = row if unit else row / a[..., i, i, None]
    return x


# --- Symmetric indefinite matrices ---------------------------------------------------------------------------------


def ldl_factor(a: ndarray, hermitian: bool) -> list[ndarray]:
    """Bunch and Kaufman's factorization as LAPACK packs it (lower triangle), its pivots and info."""
    name = "hetrf" if hermitian and a.dtype.kind == "c" else "sytrf"

    def factor(a: ndarray) -> tuple[ndarray, ndarray, int]:
        if not a.size:
            return a.copy(), np.empty(0, np.int32), 0
        ld, pivots, info = _lapack(name, a)(a, lower=1)
        return np.tril(ld), np.asarray(pivots, np.int32), info

    ld, pivots, info = each_matrix(factor, a)
    return [columns(ld), pivots, info.astype(np.int32)]


def ldl_solve(ld: ndarray, pivots: ndarray, b: ndarray, hermitian: bool) -> ndarray:
    """The solutions of ``a x = b`` by the factors of `ldl_factor`: substitution through ``L``, blocks of order 1 and 2
    on the diagonal, substitution through ``L^T``, rows exchanged on the way (LAPACK's sytrs)."""

    if not b.size:
        return b.copy()

    def conj(x: ndarray) -> ndarray:
        return x.conj() if hermitian else x

    def substitute(ld: ndarray, pivots: ndarray, b: ndarray) -> tuple[ndarray]:
        x, n = b.copy(), len(ld)
        steps = []  # (first row, size of its block)
        i = 0
        while i < n:
            size = 1 if pivots[0, i] > 0 else 2
            block = slice(i, i + size)
            other = abs(int(pivots[0, i + size - 1])) - 1
            x[[i + size - 1, other]] = x[[other, i + size - 1]]
            x[i + size :] -= ld[i + size :, block] @ x[block]
            diagonal = ld[block, block]
            if size == 2:
                corner = diagonal[1, 0]
                diagonal = np.array([[diagonal[0, 0], conj(corner)], [corner, diagonal[1, 1]]])
                x[block] = np.linalg.solve(diagonal, x[block])
            else:
                x[block] = x[block] / (diagonal.real if hermitian else diagonal)
            steps.append((i, size))
            i += size
        for i, size in reversed(steps):
            block = slice(i, i + size)
            x[block] -= conj(ld[i + size :, block]).T @ x[i + size :]
            other = abs(int(pivots[0, i + size - 1])) - 1
            x[[i + size - 1, other]] = x[[other, i + size - 1]]
        return (x,)

    return columns(each_matrix(substitute, ld, pivots[..., None, :], b)[0])
