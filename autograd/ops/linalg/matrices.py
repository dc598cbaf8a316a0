"""What the families of linear algebra share: checks of their operands, transposes, triangles, the error."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...kernels.halves import is_half
from ...rows.dispatch import apply
from ...rows.public import NAMESPACES
from ...rows.table import Array, Row, _, coarse
from ...rows.writes import type_name
from ...tensor import Tensor, wrap
from ..convert import check_tensor

__all__ = [
    "LinAlgError", "broadcast_batches", "by_columns", "call", "check_floating", "check_info", "check_matrix",
    "check_stack", "conj", "hermitian_from_lower", "identity", "is_complex", "mH", "on_diagonal", "same_kind", "tril",
    "triu",
]  # fmt: skip


class _LinAlgError(RuntimeError):
    """A matrix is singular, or not positive definite, or an iteration did not converge."""


LinAlgError = _LinAlgError  # PyTorch's exception has these two names, too
NAMESPACES["linalg"]["LinAlgError"] = LinAlgError


def call(row: Row, *arguments: Any) -> Any:
    """The row on tensors; what NumPy finds wrong is a LinAlgError."""
    try:
        return apply(row, arguments, {})
    except np.linalg.LinAlgError as error:
        raise LinAlgError(f"linalg: {error} in {row.name} (is there NaN or infinity in the input?)") from None


@coarse(latex=r"x", home="", node_name="Clone", keeps_layout=True)
def by_columns(x: Array):
    """A copy that lies in memory column by column, as results of LAPACK do."""
    return np.array(x.swapaxes(-2, -1), order="C").swapaxes(-2, -1)


@by_columns.gradient("x")
def _(g):
    return g


def check_stack(operator: str, name: str, value: Any) -> Tensor:
    """``value`` if it is a tensor of two dimensions or more."""
    tensor = check_tensor(operator, name, value)
    if tensor._array.ndim < 2:
        raise RuntimeError(
            f"{operator}: The input tensor {name} must have at least 2 dimensions, but has shape {list(tensor.shape)}."
        )
    return tensor


def check_matrix(operator: str, name: str, value: Any, *, square: bool = False) -> Tensor:
    """``value`` if it is a tensor of float32, float64 or complex matrices.

    Raises:
        TypeError: not a Tensor.
        RuntimeError: fewer than two dimensions, another dtype, or not square where it must be.
    """
    tensor = check_stack(operator, name, value)
    check_floating(operator, name, tensor)
    rows, columns = tensor._array.shape[-2:]
    if square and rows != columns:
        raise RuntimeError(
            f"{operator}: {name} must be batches of square matrices, but they are {rows} by {columns} matrices"
        )
    return tensor


# Other dtypes are refused with a NotImplementedError where PyTorch's kernel refuses them, with its base class
# RuntimeError where a check before it does: of integers these kernels, of half precision all but these checks.
_KERNEL_REFUSES_INTEGERS = (
    "cholesky cholesky_inverse cholesky_solve triangular_solve linalg.solve_triangular lu linalg.lu linalg.lu_factor "
    "linalg.lu_factor_ex geqrf ormqr linalg.householder_product linalg.eigh linalg.eigvalsh"
)
_CHECK_REFUSES_HALF = (
    "linalg.inv linalg.inv_ex linalg.slogdet linalg.pinv linalg.lstsq linalg.matrix_rank linalg.matrix_norm "
    "linalg.tensorinv"
)


def check_floating(operator: str, name: str, tensor: Tensor) -> Tensor:
    """``tensor`` if LAPACK has its dtype."""
    dtype = tensor._array.dtype
    if dtype.kind in "fc" and not is_half(dtype):
        return tensor
    if is_half(dtype):
        by_kernel = operator not in _CHECK_REFUSES_HALF.split()
    else:
        by_kernel = operator in _KERNEL_REFUSES_INTEGERS.split()
    raise (NotImplementedError if by_kernel else RuntimeError)(
        f"{operator}: Expected {name} to be float32, float64 or complex, but got {type_name(dtype)}; convert it with "
        ".float()"
    )


def same_kind(operator: str, **tensors: Tensor) -> None:
    """Raises where dtypes differ."""
    kinds = {name: tensor._array.dtype.name for name, tensor in tensors.items()}
    if len(set(kinds.values())) > 1:
        given = " and ".join(f"{name} {kind}" for name, kind in kinds.items())
        raise RuntimeError(f"{operator}: Expected the operands to have the same dtype, but got {given}")


def broadcast_batches(operator: str, *tensors: Tensor) -> list[Tensor]:
    """The tensors with their leading dimensions, all but two, expanded to a common shape."""
    leads = [tensor._array.shape[:-2] for tensor in tensors]
    if all(lead == leads[0] for lead in leads):
        return list(tensors)
    try:
        lead = np.broadcast_shapes(*leads)
    except ValueError:
        raise RuntimeError(
            f"{operator}: the batch dimensions of shapes {' and '.join(str(list(t.shape)) for t in tensors)} do not "
            "broadcast"
        ) from None
    return [
        tensor if own == lead else apply(_.expand, (tensor, (*lead, *tensor._array.shape[-2:])), {})
        for tensor, own in zip(tensors, leads, strict=True)
    ]


def check_info(operator: str, info: Tensor, problem: str, error: type[RuntimeError] = LinAlgError) -> None:
    """Raises what LAPACK reported: ``problem`` with the number of the pivot or minor as ``{}``."""
    failed = np.argwhere(info._array)
    if len(failed):
        which = tuple(int(i) for i in failed[0])
        batch = "" if not which else f"(Batch element {which[0] if len(which) == 1 else which}): "
        raise error(f"{operator}: {batch}{problem.format(int(info._array[which]))}")


# --- For gradient rules, on ndarrays and on Tensors ------------------------------------------------------------------


def is_complex(x: Any) -> bool:
    return getattr(x, "_array", x).dtype.kind == "c"


def conj(x: Any) -> Any:
    return _.conj(x) if is_complex(x) else x


def mH(x: Any) -> Any:
    """The conjugate transpose of each matrix."""
    return conj(_.transpose(x, -2, -1))


def tril(x: Any, diagonal: int = 0) -> Any:
    return _.triangle(x, "tril", diagonal)


def triu(x: Any, diagonal: int = 0) -> Any:
    return _.triangle(x, "triu", diagonal)


def hermitian_from_lower(x: Any) -> Any:
    """The Hermitian matrix whose lower triangle is that of ``x``."""
    half = (tril(x) + tril(x, -1)) * 0.5
    return half + mH(half)


def on_diagonal(x: Any) -> Any:
    """Diagonal matrices."""
    return _.diagonal_fill(x, (*x.shape, x.shape[-1]), 0, -2, -1)


def identity(n: int, like: Any, m: int | None = None) -> Any:
    """The identity (``n`` by ``m``), in the dtype and kind, ndarray or Tensor, of ``like``."""
    array = np.eye(n, n if m is None else m, dtype=getattr(like, "_array", like).dtype)
    return wrap(array) if isinstance(like, Tensor) else array
