"""Named tuples, for functions with several results, which print as PyTorch's do."""

from __future__ import annotations

from collections import namedtuple
from typing import Any

__all__ = ["RESULT_TYPES", "result_type"]

RESULT_TYPES: dict[str, Any] = {}  # by the function's name; of the families that are loaded


def result_type(name: str, fields: str) -> Any:
    """The type of the results of the function ``name``, a named tuple.

    >>> result_type("qr", "Q R")(1, 2)
    torch.return_types.qr(
    Q=1,
    R=2)
    """
    base = namedtuple(name, fields)  # type: ignore[misc]  # named at run time

    def __repr__(self: Any) -> str:
        parts = ",\n".join(f"{field}={value!r}" for field, value in zip(self._fields, self, strict=True))
        return f"torch.return_types.{name}(\n{parts})"

    RESULT_TYPES[name] = type(name, (base,), {"__repr__": __repr__, "__slots__": ()})
    return RESULT_TYPES[name]
