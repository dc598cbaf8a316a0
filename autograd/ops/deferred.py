"""Families of operators that are loaded when one of their names is first used: `import autograd` stays light.

For each family (a module of this package) the public names that it registers: functions by namespace, and methods of
Tensor. A test compares these lists with what the modules register.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from ..tensor import Tensor
from .public import NAMESPACES, attach_rows

__all__ = ["FAMILIES", "attach_methods", "find", "load", "load_all"]

# family -> {namespace or "Tensor": names}; "torch" is `autograd` itself.
FAMILIES: dict[str, dict[str, str]] = {}

_loaded: set[str] = set()


def load(family: str) -> None:
    """Imports a family, which publishes its functions, methods and rows."""
    if family not in _loaded:
        importlib.import_module(f"{__package__}.{family}")
        attach_rows()
        _loaded.add(family)


def load_all() -> None:
    """Imports every family: for the documentation and the tests, which walk through the whole table."""
    for family in FAMILIES:
        load(family)


def find(namespace: str, name: str) -> Any:
    """The function ``name`` of a namespace, its family loaded if need be.

    Raises:
        AttributeError: there is none.
    """
    for family, places in FAMILIES.items():
        if name in places.get(namespace, "").split():
            load(family)
    try:
        return NAMESPACES[namespace][name]
    except KeyError:
        raise AttributeError(f"module {namespace!r} has no attribute {name!r}") from None


def names(namespace: str) -> set[str]:
    """All names of a namespace, of loaded families and others."""
    later = (places.get(namespace, "").split() for places in FAMILIES.values())
    return set(NAMESPACES[namespace]).union(*later)


def attach_methods() -> None:
    """Gives Tensor a stand-in for each method of the families: at the first call it loads the real one."""
    for family, places in FAMILIES.items():
        for name in places.get("Tensor", "").split():
            setattr(Tensor, name, _stand_in(family, name))


def _stand_in(family: str, name: str) -> Callable[..., Any]:
    def method(self: Tensor, *args: Any, **kwargs: Any) -> Any:
        load(family)
        return getattr(self, name)(*args, **kwargs)

    method.__name__, method.__qualname__ = name, f"Tensor.{name}"
    return method
