"""Branches on a tensor's value."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from . import pytree
from .tensor import Tensor

__all__ = ["cond"]


def cond(pred: Any, true_fn: Callable[..., Any], false_fn: Callable[..., Any], operands: Sequence[Any] = ()) -> Any:
    """``true_fn(*operands) if pred else false_fn(*operands)``; gradients flow through the branch that was taken.

    Args:
        pred: a bool, or a tensor of one element.
        operands: tensors, in any nesting of dicts, lists and tuples.

    Raises:
        RuntimeError: ``pred`` is neither, a branch is not callable, or an operand is not a tensor.

    >>> import autograd
    >>> x = autograd.tensor([1.0, -2.0])
    >>> cond(x.sum() > 0, lambda x: x, lambda x: -x, (x,))
    tensor([-1.,  2.])
    """
    if not isinstance(pred, (bool, Tensor)):
        raise RuntimeError(f"Expected pred to be bool or tensor, but got {pred}.")
    if isinstance(pred, Tensor) and pred.numel() != 1:
        raise RuntimeError(f"Expected pred to be bool or single-element tensor, but got {pred}.")
    if not callable(true_fn) or not callable(false_fn):
        raise RuntimeError("Expect both branches to be callable.")
    leaves = pytree.flatten(operands)[0] if isinstance(operands, (tuple, list)) else [None]
    if not all(isinstance(leaf, Tensor) for leaf in leaves):
        raise RuntimeError(
            "Expect operands to be a tuple of possibly nested dict/list/tuple that only consists of tensor leaves, "
            f"but got {operands}."
        )
    return true_fn(*operands) if pred else false_fn(*operands)
