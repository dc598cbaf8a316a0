"""A few of the singular values or eigenvalues of large matrices."""

from __future__ import annotations

from typing import Any

from ...rows.public import TORCH, function
from ...rows.table import _
from ...tensor import Tensor
from ..convert import check_tensor
from .decompositions import cholesky_factor, eigh_factors, qr_factors, svd_factors
from .matrices import LinAlgError, broadcast_batches, call, check_matrix, mH, same_kind

__all__ = ["lobpcg", "pca_lowrank", "svd_lowrank"]


def _range_basis(A: Tensor, q: int, niter: int) -> Tensor:
    """An orthonormal basis (..., m, q) of nearly all that the matrices (..., m, n) map to.

    Halko, Martinsson and Tropp, "Finding structure with randomness" (2009), algorithm 4.4: random directions, powers
    of ``A A^H``, orthonormalized after each half.
    """
    basis = call(qr_factors, A @ TORCH["randn"](A._array.shape[-1], q, dtype=A.dtype), "reduced")[0]
    for _step in range(niter):
        back = call(qr_factors, mH(A) @ basis, "reduced")[0]
        basis = call(qr_factors, A @ back, "reduced")[0]
    return basis


@function(method=False)
def svd_lowrank(A: Tensor, q: int | None = 6, niter: int | None = 2, M: Tensor | None = None) -> Any:
    """U (..., m, q), S (..., q) and V (..., n, q) with ``A`` close to ``U diag(S) V^H``, for matrices of low rank.

    A randomized algorithm (Halko and others, 2009, algorithm 5.1), on PyTorch's stream of random numbers.

    Args:
        q: how many singular values, a little more than the rank.
        niter: how often ``A A^H`` is applied: more for singular values that fall slowly.
        M: subtracted from A, such as its mean.

    >>> import autograd
    >>> a = autograd.randn(6, 2) @ autograd.randn(2, 5)
    >>> u, s, v = autograd.svd_lowrank(a, q=2)
    >>> autograd.allclose(u @ s.diag() @ v.mT, a, atol=1e-4)
    True
    """
    name = "svd_lowrank"
    check_matrix(name, "A", A)
    if M is not None:
        same_kind(name, A=A, M=check_tensor(name, "M", M))
        A = A - M.broadcast_to(A.shape)
    wide = A._array.shape[-2] < A._array.shape[-1]
    tall = mH(A) if wide else A
    basis = _range_basis(tall, 6 if q is None else q, 2 if niter is None else niter)
    u, s, vh = call(svd_factors, mH(basis) @ tall, False)
    u, v = basis @ u, mH(vh)
    return (v, s, u) if wide else (u, s, v)


@function(method=False)
def pca_lowrank(A: Tensor, q: int | None = None, center: bool = True, niter: int = 2) -> Any:
    """Principal components: `svd_lowrank` of the rows of (..., m, n) less their mean.

    Args:
        q: how many components, ``min(6, m, n)`` by default.
        center: whether the mean is subtracted.

    Raises:
        ValueError: ``q`` is not between 0 and ``min(m, n)``, or ``niter`` is negative.

    >>> import autograd
    >>> a = autograd.randn(6, 2) @ autograd.randn(2, 5)
    >>> u, s, v = autograd.pca_lowrank(a, q=2)
    >>> autograd.allclose(u @ s.diag() @ v.mT, a - a.mean(0), atol=1e-4)
    True
    """
    check_matrix("pca_lowrank", "A", A)
    m, n = A._array.shape[-2:]
    q = min(6, m, n) if q is None else q
    if not 0 <= q <= min(m, n):
        raise ValueError(f"q(={q}) must be non-negative integer and not greater than min(m, n)={min(m, n)}")
    if niter < 0:
        raise ValueError(f"niter(={niter}) must be non-negative integer")
    return svd_lowrank(A - A.mean(-2, keepdim=True) if center else A, q, niter)


@function(method=False)
def lobpcg(
    A: Tensor,
    k: int | None = None,
    B: Tensor | None = None,
    X: Tensor | None = None,
    n: int | None = None,
    iK: Tensor | None = None,
    niter: int | None = None,
    tol: float | None = None,
    largest: bool | None = None,
    method: str | None = None,
    tracker: None = None,
    ortho_iparams: Any = None,
    ortho_fparams: Any = None,
    ortho_bparams: Any = None,
) -> tuple[Tensor, Tensor]:
    """The ``k`` largest or smallest eigenvalues of ``A x = lambda B x`` and their eigenvectors.

    Tensors are dense here, and the result is that of the full eigendecomposition, which is exact, deterministic and
    differentiable. What steers PyTorch's iteration has therefore no influence: ``X`` (apart from its number of
    columns), ``iK``, ``niter``, ``tol``, ``method``, ``ortho_*params``.

    Args:
        A, B: symmetric (..., m, m), B positive definite, the identity by default.
        k: how many; the columns of ``X``, or 1, by default. At most ``m / 3``, as in PyTorch. ``n`` is another name.
        largest: True by default.
        tracker: refused, since there are no iterations that it could follow.

    Returns:
        Eigenvalues (..., k), the most extreme first, and eigenvectors (..., m, k), orthonormal with respect to B.

    >>> import autograd
    >>> autograd.lobpcg(autograd.arange(1.0, 7.0).diag(), 2)[0]
    tensor([6., 5.])
    """
    name = "lobpcg"
    check_matrix(name, "A", A, square=True)
    if tracker is not None:
        raise NotImplementedError("lobpcg: there are no iterations to track; leave tracker=None")
    k = k or n or (1 if X is None else X.shape[-1])
    m = A._array.shape[-1]
    if m < 3 * k:
        raise ValueError(f"lobpcg: A needs three times as many rows as eigenpairs are asked for, not {m} for {k}")
    factor = None
    if B is not None:
        same_kind(name, A=A, B=check_matrix(name, "B", B, square=True))
        A, B = broadcast_batches(name, A, B)
        factor, info = call(cholesky_factor, B, False)
        if info._array.any():
            raise LinAlgError("lobpcg: B is not positive definite")
        half = call(_.triangular_solution, factor, A, False)
        A = mH(call(_.triangular_solution, factor, mH(half), False))
    values, vectors = call(eigh_factors, A, True)
    if largest is None or largest:
        values, vectors = values.flip(-1), vectors.flip(-1)
    values, vectors = values[..., :k], vectors[..., :k]
    if factor is not None:
        vectors = call(_.triangular_solution, mH(factor), vectors, True)
    return values, vectors
