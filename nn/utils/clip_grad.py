"""Limits for gradients that grow too large."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from autograd.kernels.silence import silently
from autograd.tensor import Tensor, count_write, wrap

__all__ = ["clip_grad_norm_", "clip_grad_value_", "clip_grads_with_norm_", "get_total_norm"]


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    r"""Scales all gradients by one factor, in place, so that together they are no longer than ``max_norm``.

    .. math::
        g \leftarrow g \cdot \min\left(1, \frac{\text{max\_norm}}{\lVert g \rVert + 10^{-6}}\right)

    Args:
        parameters: one tensor or several; those without a gradient are left out.
        max_norm: the largest length of all gradients, seen as one vector.
        norm_type: the p of the norm; ``inf`` is the largest absolute value.
        error_if_nonfinite: raise instead of scaling by a nan or inf.
        foreach: accepted for PyTorch's sake.

    Returns:
        The norm before scaling.

    Raises:
        RuntimeError: with ``error_if_nonfinite``, the norm is nan or inf; no gradient has changed.
    """
    listed = _listed(parameters)
    gradients = [tensor.grad for tensor in listed if tensor.grad is not None]
    total_norm = get_total_norm(gradients, norm_type, error_if_nonfinite, foreach)
    clip_grads_with_norm_(listed, max_norm, total_norm, foreach)
    return total_norm


def get_total_norm(
    tensors: Tensor | Iterable[Tensor],
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """The norm of all tensors, seen as one vector: a 0-d tensor; arguments as for `clip_grad_norm_`."""
    listed = _listed(tensors)
    if not listed:
        return wrap(np.zeros((), np.float32))
    p = float(norm_type)
    norms = np.array([silently(_norm, tensor._array, p) for tensor in listed])
    total = silently(_norm, norms, p)
    if error_if_nonfinite and not math.isfinite(total):
        raise RuntimeError(
            f"The total norm of order {p} for gradients from `parameters` is non-finite, so it cannot be clipped. "
            "To disable this error and scale the gradients by the non-finite norm anyway, set "
            "`error_if_nonfinite=False`"
        )
    return wrap(np.array(total, norms.dtype))


def clip_grads_with_norm_(
    parameters: Tensor | Iterable[Tensor], max_norm: float, total_norm: Tensor, foreach: bool | None = None
) -> None:
    """Scales all gradients as `clip_grad_norm_` does, for a norm that is known already."""
    limit = float(max_norm)
    factor = np.minimum(limit / (total_norm._array + 1e-6), 1.0)
    for tensor in _listed(parameters):
        if tensor.grad is not None:
            gradient = tensor.grad._array
            silently(np.multiply, gradient, gradient.dtype.type(factor), gradient)
            count_write(tensor.grad)


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float, foreach: bool | None = None) -> None:
    """Limits every element of every gradient to [-clip_value, clip_value], in place.

    Args:
        parameters: one tensor or several; those without a gradient are left out.
        clip_value: the largest absolute value.
        foreach: accepted for PyTorch's sake.
    """
    limit = float(clip_value)
    for tensor in _listed(parameters):
        if tensor.grad is not None:
            gradient = tensor.grad._array
            np.clip(gradient, -limit, limit, out=gradient)
            count_write(tensor.grad)


def _listed(tensors: Tensor | Iterable[Tensor]) -> list[Tensor]:
    return [tensors] if isinstance(tensors, Tensor) else list(tensors)


def _norm(array: np.ndarray, p: float) -> np.floating:
    if array.size == 0:
        return array.dtype.type(0)
    if p == 2.0:
        flat = array.ravel(order="K")
        return np.sqrt(flat @ flat)
    sizes = np.abs(array)
    if math.isinf(p):
        return sizes.max() if p > 0 else sizes.min()
    if p == 0.0:
        return array.dtype.type(np.count_nonzero(sizes))
    return np.sum(sizes**p) ** (1 / p)
