"""Updates of arrays piece by piece, so that what one step of a formula writes is still cached for the next."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd.kernels.silence import silently

__all__ = ["BLOCK", "update_in_blocks"]

# Elements of one piece: five float32 arrays of it fit into a second-level cache of half a megabyte.
BLOCK = 16384


class _Scratch(threading.local):
    """Memory for intermediate values, made once for each thread, dtype and number of arrays."""

    def __init__(self) -> None:
        self.memory: dict[tuple[np.dtype, int], list[np.ndarray]] = {}

    def like(self, array: np.ndarray, count: int) -> list[np.ndarray]:
        if array.size > BLOCK:
            return [np.empty_like(array) for _ in range(count)]
        key = array.dtype, count
        if key not in self.memory:
            self.memory[key] = [np.empty(BLOCK, array.dtype) for _ in range(count)]
        return [buffer[: array.size].reshape(array.shape) for buffer in self.memory[key]]


_scratch = _Scratch()


def update_in_blocks(
    rule: Callable[..., Any], gradient: np.ndarray, written: Sequence[np.ndarray], scratch: int, **constants: Any
) -> None:
    """Calls ``rule(gradient, *written, *scratch, **constants)`` on pieces of the arrays that fit into the cache.

    Args:
        rule: works element by element, in place, and only reads the gradient.
        gradient: of the parameter's shape, in any memory order.
        written: the parameter and its state, all of the same shape.
        scratch: number of arrays for intermediate values that the rule is given.
        constants: handed on.
    """
    size = gradient.size
    if size <= BLOCK or not all(array.flags.c_contiguous for array in written):
        silently(lambda: rule(gradient, *written, *_scratch.like(written[0], scratch), **constants))
        return
    flat = [np.ascontiguousarray(gradient).reshape(-1), *(array.reshape(-1) for array in written)]

    def run() -> None:
        for start in range(0, size, BLOCK):
            pieces = [array[start : start + BLOCK] for array in flat]
            rule(*pieces, *_scratch.like(pieces[1], scratch), **constants)

    silently(run)
