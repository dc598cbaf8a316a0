"""Settings that PyTorch's programs make. Those for things that are always so here are checked and remembered."""

from __future__ import annotations

import warnings
from typing import Any

from .tensor import Tensor

__all__ = [
    "are_deterministic_algorithms_enabled", "get_deterministic_debug_mode", "get_float32_matmul_precision",
    "get_num_interop_threads", "has_lapack", "has_mkl", "has_openmp", "is_deterministic_algorithms_warn_only_enabled",
    "is_warn_always_enabled", "set_deterministic_debug_mode", "set_float32_matmul_precision", "set_flush_denormal",
    "set_num_interop_threads", "set_warn_always", "typename", "use_deterministic_algorithms",
]  # fmt: skip

has_lapack, has_mkl, has_openmp = True, False, False  # linear algebra is NumPy's and SciPy's

DEBUG_MODES = ("default", "warn", "error")
PRECISIONS = ("highest", "high", "medium")


class _State:
    debug_mode = 0
    precision = "highest"
    interop_threads = 1
    warn_always = False


_state = _State()


def _require_bool(operator: str, name: str, value: Any) -> None:
    if not isinstance(value, bool):
        raise TypeError(f"{operator}(): argument '{name}' must be bool, not {type(value).__name__}")


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Asks for algorithms that give the same result each time. They all do: nothing changes.

    Raises:
        TypeError: ``mode`` or ``warn_only`` is no bool.
    """
    _require_bool("use_deterministic_algorithms", "mode", mode)
    _require_bool("use_deterministic_algorithms", "warn_only", warn_only)
    _state.debug_mode = (1 if warn_only else 2) if mode else 0


def are_deterministic_algorithms_enabled() -> bool:
    """Whether `use_deterministic_algorithms` was asked for."""
    return _state.debug_mode > 0


def is_deterministic_algorithms_warn_only_enabled() -> bool:
    """Whether it was asked for with ``warn_only``."""
    return _state.debug_mode == 1


def set_deterministic_debug_mode(debug_mode: int | str) -> None:
    """`use_deterministic_algorithms` in another form: ``"default"`` or 0 for no, ``"warn"`` or 1, ``"error"`` or 2.

    Raises:
        TypeError: neither a number nor a name.
        RuntimeError: another one.
    """
    if isinstance(debug_mode, str):
        if debug_mode not in DEBUG_MODES:
            raise RuntimeError(
                f"invalid value of debug_mode, expected one of `default`, `warn`, `error`, but got {debug_mode}"
            )
        debug_mode = DEBUG_MODES.index(debug_mode)
    if not isinstance(debug_mode, int):
        raise TypeError(f"debug_mode must be str or int, but got {type(debug_mode).__name__}")
    if debug_mode not in (0, 1, 2):
        raise RuntimeError(f"invalid value of debug_mode, expected 0, 1, or 2, but got {debug_mode}")
    _state.debug_mode = debug_mode


def get_deterministic_debug_mode() -> int:
    """What `set_deterministic_debug_mode` has set, as a number."""
    return _state.debug_mode


def set_float32_matmul_precision(precision: str) -> None:
    """Allows matrix products of float32 to be less precise. They stay precise: nothing changes.

    Args:
        precision: ``"highest"``, ``"high"`` or ``"medium"``; of anything else there is a warning.
    """
    if precision in PRECISIONS:
        _state.precision = precision
    else:
        warnings.warn(f"{precision} is not one of 'highest', 'high', or 'medium'; nothing changes", stacklevel=2)


def get_float32_matmul_precision() -> str:
    """What `set_float32_matmul_precision` has set."""
    return _state.precision


def set_flush_denormal(mode: bool) -> bool:
    """Whether numbers too small for full precision could be made 0, as PyTorch can on some processors: False.

    Raises:
        TypeError: ``mode`` is no bool.
    """
    _require_bool("set_flush_denormal", "mode", mode)
    return False


def set_warn_always(b: bool, /) -> None:
    """Asks for warnings each time, not once. Python's own filters decide about them.

    Raises:
        RuntimeError: no bool.
    """
    if not isinstance(b, bool):
        raise RuntimeError(f"set_warn_always expects a bool, but got {type(b).__name__}")
    _state.warn_always = b


def is_warn_always_enabled() -> bool:
    """What `set_warn_always` has set."""
    return _state.warn_always


def set_num_interop_threads(num: int) -> None:
    """Number of operators that PyTorch runs side by side in compiled programs. Here one follows another.

    Raises:
        RuntimeError: not a positive integer.
    """
    if not isinstance(num, int) or isinstance(num, bool) or num < 1:
        raise RuntimeError(f"set_num_interop_threads expects a positive integer, but got {num!r}")
    _state.interop_threads = num


def get_num_interop_threads() -> int:
    """What `set_num_interop_threads` has set."""
    return _state.interop_threads


def typename(obj: Any) -> str:
    """The name of an object's type with its module; of a tensor such as ``torch.FloatTensor``.

    >>> import autograd
    >>> typename(autograd.ones(2))
    'torch.FloatTensor'
    """
    if isinstance(obj, Tensor):
        return obj.type()
    kind = obj if hasattr(obj, "__qualname__") else type(obj)
    module = getattr(kind, "__module__", None) or ""
    return kind.__qualname__ if module in ("builtins", "") else f"{module}.{kind.__qualname__}"
