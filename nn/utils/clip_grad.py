"""Limits for gradients that grow too large."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

import autograd
from autograd.kernels.gather import gathered
from autograd.kernels.silence import silently
from autograd.ops.structured import plain
from autograd.rows.public import TORCH
from autograd.tensor import Tensor, count_write, wrap

__all__ = ["clip_grad_norm", "clip_grad_norm_", "clip_grad_value_", "clip_grads_with_norm_", "get_total_norm"]


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

    >>> import autograd, nn
    >>> w = autograd.zeros(2, requires_grad=True)
    >>> w.grad = autograd.tensor([3.0, 4.0])
    >>> nn.utils.clip_grad_norm_([w], max_norm=1.0)
    tensor(5.)
    >>> w.grad
    tensor([0.6000, 0.8000])
    """
    listed = _listed(parameters)
    if not listed and isinstance(parameters, Iterator):
        warnings.warn("`parameters` is an empty generator, no gradient clipping will occur.", stacklevel=2)
    total_norm = get_total_norm(_gradients(listed), norm_type, error_if_nonfinite, foreach)
    clip_grads_with_norm_(listed, max_norm, total_norm, foreach)
    return total_norm


def clip_grad_norm(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """`clip_grad_norm_` under the name it had before in-place functions had their underscore."""
    warnings.warn(
        "`torch.nn.utils.clip_grad_norm` is now deprecated in favor of `torch.nn.utils.clip_grad_norm_`.",
        FutureWarning,
        stacklevel=2,
    )
    return clip_grad_norm_(parameters, max_norm, norm_type, error_if_nonfinite, foreach)


def get_total_norm(
    tensors: Tensor | Iterable[Tensor],
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """The norm of all tensors, seen as one vector: a 0-d tensor; arguments as for `clip_grad_norm_`.

    >>> import autograd, nn
    >>> nn.utils.get_total_norm([autograd.tensor([3.0]), autograd.tensor([4.0])])
    tensor(5.)
    """
    listed = plain(_listed(tensors))
    if not listed:
        return wrap(np.zeros((), np.float32))
    p = float(norm_type)
    arrays = [tensor._array for tensor in listed]
    dtype = arrays[0].dtype
    if p == 2.0 and dtype.char in "fd" and all(array.dtype == dtype for array in arrays):
        total = wrap(np.asarray(silently(_length, arrays)))
    else:
        norms = [autograd.linalg.vector_norm(tensor.detach(), p) for tensor in listed]
        total = autograd.linalg.vector_norm(norms[0] if len(norms) == 1 else TORCH["stack"](norms), p)
    if error_if_nonfinite and not math.isfinite(total):
        raise RuntimeError(
            f"The total norm of order {p} for gradients from `parameters` is non-finite, so it cannot be clipped. "
            "To disable this error and scale the gradients by the non-finite norm anyway, set "
            "`error_if_nonfinite=False`"
        )
    return total


def clip_grads_with_norm_(
    parameters: Tensor | Iterable[Tensor], max_norm: float, total_norm: Tensor, foreach: bool | None = None
) -> None:
    """Scales all gradients as `clip_grad_norm_` does, for a norm that is known already.

    >>> import autograd, nn
    >>> w = autograd.zeros(2, requires_grad=True)
    >>> w.grad = autograd.tensor([3.0, 4.0])
    >>> nn.utils.clip_grads_with_norm_([w], max_norm=1.0, total_norm=autograd.tensor(10.0))
    >>> w.grad
    tensor([0.3000, 0.4000])
    """
    total = total_norm._array[()]
    factor = silently(lambda: float(max_norm) / (total + 1e-6))
    if not factor >= 1:  # nan scales too
        silently(_in_place, np.multiply, _gradients(parameters), factor)


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float, foreach: bool | None = None) -> None:
    """Limits every element of every gradient to [-clip_value, clip_value], in place.

    Args:
        parameters: one tensor or several; those without a gradient are left out.
        clip_value: the largest absolute value.
        foreach: accepted for PyTorch's sake.

    >>> import autograd, nn
    >>> w = autograd.zeros(2, requires_grad=True)
    >>> w.grad = autograd.tensor([3.0, -4.0])
    >>> nn.utils.clip_grad_value_([w], 3.5)
    >>> w.grad
    tensor([ 3.0000, -3.5000])
    """
    limit = float(clip_value)
    silently(_in_place, np.ndarray.clip, _gradients(parameters), -limit, limit)


def _listed(tensors: Tensor | Iterable[Tensor]) -> list[Tensor]:
    return [tensors] if isinstance(tensors, Tensor) else list(tensors)


def _length(arrays: list[np.ndarray]) -> np.floating:
    """The length of all arrays as one vector."""
    return np.sqrt(sum(flat @ flat for flat in gathered(arrays)))


def _gradients(parameters: Tensor | Iterable[Tensor]) -> list[Tensor]:
    return plain([gradient for tensor in _listed(parameters) if (gradient := tensor.grad) is not None])


def _in_place(function: Callable[..., Any], gradients: list[Tensor], *numbers: float) -> None:
    """Each gradient becomes ``function(gradient, *numbers)``."""
    dtype = None
    for gradient in gradients:
        array = gradient._array
        if array.dtype is not dtype:
            dtype = array.dtype
            operands = [np.array(number, dtype) for number in numbers]  # NumPy converts Python's anew on every call
        function(array, *operands, array)
        count_write(gradient)
