"""What is measured: a workload makes, of one library's packages, the call that is timed."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

__all__ = ["Call", "Library", "Workload"]

Call = Callable[[], Any]


class Library:
    """The packages of chalkgrad or PyTorch, by PyTorch's names: ``lib``, ``nn``, ``functional``, ``optim``.

    Args:
        compiled: what is done with a function or a model before it is called again and again; nothing, as a rule.
    """

    def __init__(self, name: str, compiled: Callable[[Any], Any] = lambda function: function) -> None:
        prefix = "" if name == "chalkgrad" else f"{name}."
        self.name = name
        self.compiled = compiled
        self.lib: Any = import_module("autograd" if name == "chalkgrad" else name)
        self.nn: Any = import_module(f"{prefix}nn")
        self.functional: Any = import_module(f"{prefix}nn.functional")
        self.optim: Any = import_module(f"{prefix}optim")
        if name == "torch" and "OMP_NUM_THREADS" in os.environ:
            self.lib.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))


@dataclass(frozen=True)
class Workload:
    """A call to be timed, and what is known about it.

    Attributes:
        make: given the packages, the call.
        goal: at most this many times PyTorch's time.
        flops: additions and multiplications that no implementation can do without, where that can be said.
        bytes: what must be read and written at least: every array once in each pass that needs it.
        dtype: of the arithmetic.
    """

    make: Callable[[Library], Call]
    goal: float | None = None
    flops: float = 0
    bytes: float = 0
    dtype: str = "float32"
