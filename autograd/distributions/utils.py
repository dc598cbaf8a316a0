"""Helpers of all distributions: broadcasting, probabilities and logits, values that are computed once."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import autograd

from ..tensor import Tensor

__all__ = [
    "broadcast_all", "clamp_probs", "euler_constant", "lazy_property", "logits_to_probs", "probs_to_logits",
    "tril_matrix_to_vec", "vec_to_tril_matrix",
]  # fmt: skip

euler_constant = 0.57721566490153286060
Number = (bool, int, float)


def broadcast_all(*values: Any) -> tuple[Tensor, ...]:
    """Tensors and numbers as tensors of one shape; numbers take the dtype of the first tensor, or the default one.

    Raises:
        ValueError: something else than a tensor or a number.

    >>> import autograd
    >>> broadcast_all(autograd.zeros(2), 1)
    (tensor([0., 0.]), tensor([1., 1.]))
    """
    for value in values:
        if not isinstance(value, (Tensor, *Number)):
            raise ValueError(f"distributions take tensors and numbers, but got {type(value).__name__}: {value!r}")
    dtype = next((value.dtype for value in values if isinstance(value, Tensor)), autograd.get_default_dtype())
    tensors = [value if isinstance(value, Tensor) else autograd.as_tensor(value, dtype=dtype) for value in values]
    return autograd.broadcast_tensors(*tensors)


def standard_normal(shape: Sequence[int], like: Tensor) -> Tensor:
    """Standard normal numbers in the dtype of ``like``."""
    return autograd.empty(shape, dtype=like.dtype).normal_()


def uniform(shape: Sequence[int], like: Tensor) -> Tensor:
    """Uniform numbers of [0, 1) in the dtype of ``like``."""
    return autograd.rand(shape, dtype=like.dtype)


def sum_rightmost(value: Tensor, dim: int) -> Tensor:
    """Sum over the last ``dim`` axes."""
    return value.reshape((*value.shape[: value.dim() - dim], -1)).sum(-1) if dim else value


def logits_to_probs(logits: Tensor, is_binary: bool = False) -> Tensor:
    """Probabilities: the sigmoid of log-odds if ``is_binary``, else the softmax of logits along the last axis.

    >>> import autograd
    >>> logits_to_probs(autograd.zeros(2), is_binary=True)
    tensor([0.5000, 0.5000])
    """
    return autograd.sigmoid(logits) if is_binary else autograd.softmax(logits, dim=-1)


def clamp_probs(probs: Tensor) -> Tensor:
    """Probabilities at least the dtype's epsilon away from 0 and 1.

    >>> import autograd
    >>> clamp_probs(autograd.tensor([0.0])) > 0
    tensor([True])
    """
    eps = autograd.finfo(probs.dtype).eps
    return probs.clamp(min=eps, max=1 - eps)


def probs_to_logits(probs: Tensor, is_binary: bool = False) -> Tensor:
    """Log-odds of probabilities if ``is_binary``, else their logarithms; 0 and 1 are clamped first.

    >>> import autograd
    >>> probs_to_logits(autograd.tensor([0.5]), is_binary=True)
    tensor([0.])
    """
    probs = clamp_probs(probs)
    return autograd.log(probs) - autograd.log1p(-probs) if is_binary else autograd.log(probs)


class lazy_property:
    """A method that becomes an attribute when it is first asked for; its value is recorded for gradients."""

    def __init__(self, wrapped: Callable[[Any], Any]) -> None:
        self.wrapped = wrapped
        functools.update_wrapper(self, wrapped)  # type: ignore[arg-type]

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        with autograd.enable_grad():
            value = self.wrapped(instance)
        setattr(instance, self.wrapped.__name__, value)
        return value


def _below(n: int, diag: int) -> Tensor:
    return autograd.ones(n, n, dtype=autograd.bool).tril(diag)


def tril_matrix_to_vec(mat: Tensor, diag: int = 0) -> Tensor:
    """The entries of (..., n, n) on and below a diagonal, row by row.

    Raises:
        ValueError: no such diagonal.

    >>> import autograd
    >>> tril_matrix_to_vec(autograd.tensor([[1., 0.], [2., 3.]]))
    tensor([1., 2., 3.])
    """
    n = mat.shape[-1]
    if not -n <= diag < n:
        raise ValueError(f"diag ({diag}) provided is outside [{-n}, {n - 1}].")
    return mat[..., _below(n, diag)]


def vec_to_tril_matrix(vec: Tensor, diag: int = 0) -> Tensor:
    """The matrices (..., n, n) whose entries on and below a diagonal are ``vec``; zeros elsewhere.

    Raises:
        ValueError: a length that no matrix has.

    >>> import autograd
    >>> vec_to_tril_matrix(autograd.tensor([1., 2., 3.]))
    tensor([[1., 0.],
            [2., 3.]])
    """
    # The positive root of length = n (n + 1) / 2 + n diag - |diag| (|diag| + sign) / 2.
    shift = 1 + 2 * diag
    n = (math.sqrt(shift**2 + 8 * vec.shape[-1] + 4 * abs(diag) * (diag + 1)) - shift) / 2
    if round(n) - n > autograd.finfo(vec.dtype).eps:
        raise ValueError(f"no square matrix has {vec.shape[-1]} entries on and below its diagonal {diag}")
    mask = _below(round(n), diag)
    matrix = autograd.zeros(vec.shape[:-1] + tuple(mask.shape), dtype=vec.dtype)
    matrix[..., mask] = vec
    return matrix
