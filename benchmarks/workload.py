"""What is measured: a workload makes, of one library's packages, the call that is timed."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

__all__ = ["ITEMSIZE", "Call", "Library", "Traffic", "Workload"]

Call = Callable[[], Any]
ITEMSIZE = {"float32": 4, "float64": 8}


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
class Traffic:
    """What no implementation can read and write less of: passes over arrays of one size.

    Attributes:
        passes: one after the other, separated by spaces; a letter for each array that is read, then for each written.
        size: elements of each array.
        dtype: of the elements.

    >>> exp = Traffic("x>y yg>d", 1_000_000)  # y from x; then, from y and its gradient, that of x
    >>> exp.pairs, exp.bytes
    ([('x', 'y'), ('yg', 'd')], 20000000)
    """

    passes: str
    size: int
    dtype: str = "float32"

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """What each pass reads and what it writes."""
        return [(read, written) for read, _, written in (one.partition(">") for one in self.passes.split())]

    @property
    def bytes(self) -> int:
        return sum(len(read + written) for read, written in self.pairs) * self.size * ITEMSIZE[self.dtype]

    def __str__(self) -> str:
        return f"bare passes {self.passes}, {self.size:,} {self.dtype}"


@dataclass(frozen=True)
class Workload:
    """A call to be timed, and what is known about it.

    Attributes:
        make: given the packages, the call.
        goal: at most this many times PyTorch's time.
        flops: additions and multiplications that the formula has, where that can be said.
        traffic: what must be read and written at least, where that may take longer than the arithmetic.
        dtype: of the arithmetic.
    """

    make: Callable[[Library], Call]
    goal: float | None = None
    flops: float = 0
    traffic: Traffic | None = None
    dtype: str = "float32"
