"""Functions of sparse tensors, as in ``torch.sparse``: loaded from `autograd.ops` when a name is first used."""

from __future__ import annotations

from contextlib import ContextDecorator
from typing import Any

from .rows import deferred

__all__ = sorted([*deferred.names("sparse"), "check_sparse_tensor_invariants"])


class check_sparse_tensor_invariants(ContextDecorator):
    """Whether constructors of sparse tensors are asked to check places, in a block or a function.

    They always check them here; the switch is remembered.

    Args:
        enable: what holds inside.

    Raises:
        RuntimeError: one instance is entered within itself.

    >>> with check_sparse_tensor_invariants():
    ...     check_sparse_tensor_invariants.is_enabled()
    True
    """

    _enabled = False

    def __init__(self, enable: bool = True) -> None:
        self.state = enable
        self.saved_state: bool | None = None

    @staticmethod
    def is_enabled() -> bool:
        """Whether they are asked to."""
        return check_sparse_tensor_invariants._enabled

    @staticmethod
    def enable() -> None:
        """Asks them to."""
        check_sparse_tensor_invariants._enabled = True

    @staticmethod
    def disable() -> None:
        """No longer asks them to."""
        check_sparse_tensor_invariants._enabled = False

    def _recreate_cm(self) -> check_sparse_tensor_invariants:
        return type(self)(self.state)

    def __enter__(self) -> None:
        if self.saved_state is not None:
            raise RuntimeError(
                "This context manager instance is already activated. Use a different context manager instance for "
                "context nesting."
            )
        self.saved_state = self.is_enabled()
        check_sparse_tensor_invariants._enabled = self.state

    def __exit__(self, *error: Any) -> None:
        check_sparse_tensor_invariants._enabled, self.saved_state = bool(self.saved_state), None


def __getattr__(name: str) -> Any:
    value = globals()[name] = deferred.find("sparse", name)
    return value


def __dir__() -> list[str]:
    return __all__
