"""Conditions that a program states about itself: ``autograd._check(n > 0, lambda: f"n is {n}")``."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from .dtypes import bool as bool_dtype
from .tensor import Tensor

__all__ = [
    "_check",
    "_check_index",
    "_check_is_size",
    "_check_not_implemented",
    "_check_tensor_all",
    "_check_tensor_all_with",
    "_check_type",
    "_check_value",
    "_check_with",
]

Message = Callable[[], Any] | None


def _check_with(error_type: type[Exception], cond: bool, message: Message = None) -> None:
    """Raises ``error_type`` with what ``message()`` gives, unless ``cond`` is true.

    Raises:
        TypeError: ``cond`` is not a bool, or the message not callable.

    >>> _check_with(ValueError, 1 < 2, lambda: "never")
    """
    if not isinstance(cond, bool):
        hint = ". For tensor conditions, use _check_tensor_all()" if isinstance(cond, Tensor) else ""
        raise TypeError(f"cond must be a bool, but got {type(cond)}{hint}")
    if cond:
        return
    if message is None:
        raise error_type("Expected cond to be True, but got False; pass a message that says what is expected")
    if not callable(message):
        raise TypeError(f"message must be a callable, but got {type(message)}")
    raise error_type(str(message()))


def _check(cond: bool, message: Message = None) -> None:
    """Raises RuntimeError unless ``cond`` is true."""
    _check_with(RuntimeError, cond, message)


def _check_index(cond: bool, message: Message = None) -> None:
    """Raises IndexError unless ``cond`` is true."""
    _check_with(IndexError, cond, message)


def _check_value(cond: bool, message: Message = None) -> None:
    """Raises ValueError unless ``cond`` is true."""
    _check_with(ValueError, cond, message)


def _check_type(cond: bool, message: Message = None) -> None:
    """Raises TypeError unless ``cond`` is true."""
    _check_with(TypeError, cond, message)


def _check_not_implemented(cond: bool, message: Message = None) -> None:
    """Raises NotImplementedError unless ``cond`` is true."""
    _check_with(NotImplementedError, cond, message)


def _check_is_size(i: int, message: Message = None, *, max: int | None = None) -> None:
    """Raises RuntimeError unless ``i`` is a size, and not above ``max``. Deprecated, as in PyTorch."""
    warnings.warn("_check_is_size is deprecated; use _check(i >= 0) instead.", FutureWarning, stacklevel=2)
    _check(i >= 0, message)
    if max is not None:
        _check(i <= max, message)


def _check_tensor_all_with(error_type: type[Exception], cond: Tensor, message: Message = None) -> None:
    """Raises ``error_type`` unless every element of a boolean tensor is true."""
    if not isinstance(cond, Tensor):
        raise TypeError(f"cond must be a tensor, but got {type(cond)}")
    if cond.dtype is not bool_dtype:
        raise TypeError(f"cond tensor must have dtype torch.bool, but got {cond.dtype}")
    _check_with(error_type, bool(cond.all()), message)


def _check_tensor_all(cond: Tensor, message: Message = None) -> None:
    """Raises RuntimeError unless every element of a boolean tensor is true."""
    _check_tensor_all_with(RuntimeError, cond, message)
