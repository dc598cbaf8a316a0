"""Several models on an input each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..module import Module

__all__ = ["parallel_apply"]


def parallel_apply(
    modules: Sequence[Module],
    inputs: Sequence[Any],
    kwargs_tup: Sequence[dict[str, Any]] | None = None,
    devices: Sequence[Any] | None = None,
) -> list[Any]:
    """What each module gives for its input. They run one after the other, as each uses all cores.

    Args:
        modules: as many as inputs.
        inputs: for each module its only argument, or a tuple or list of arguments.
        kwargs_tup: for each module its keyword arguments.
        devices: for each module ``"cpu"``.

    Raises:
        AssertionError: different numbers of modules, inputs, keyword arguments or devices.
    """
    for name, values in (("inputs", inputs), ("kwargs_tup", kwargs_tup), ("devices", devices)):
        if values is not None and len(values) != len(modules):
            raise AssertionError(
                f"The number of modules {len(modules)} is not equal to the number of {name} {len(values)}"
            )
    named = [{}] * len(modules) if kwargs_tup is None else kwargs_tup
    return [
        module(*(given if isinstance(given, (list, tuple)) else (given,)), **kwargs)
        for module, given, kwargs in zip(modules, inputs, named, strict=True)
    ]
