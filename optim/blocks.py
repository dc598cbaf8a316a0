"""Updates of arrays piece by piece, so that what one step of a formula writes is still cached for the next."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd.kernels.silence import silently

__all__ = ["BLOCK", "update_in_blocks"]

# Elements of one piece. Measured with Adam on 4 M float32: 8.6 ms, against 15.1 ms in one piece and 19.7 ms in 4096s.
BLOCK = 65536


class _Scratch(threading.local):
    """Memory for intermediate values, shared by all updates of a thread; views of it are kept by shape."""

    def __init__(self) -> None:
        self.memory: dict[tuple[np.dtype, int], np.ndarray] = {}
        self.views: dict[tuple[np.dtype, int, tuple[int, ...]], list[np.ndarray]] = {}

    def like(self, array: np.ndarray, count: int) -> list[np.ndarray]:
        key = array.dtype, count, array.shape
        views = self.views.get(key)
        if views is None:
            if array.size > BLOCK:
                return [np.empty_like(array) for _ in range(count)]
            memory = self.memory.get(key[:2])
            if memory is None:
                memory = self.memory[key[:2]] = np.empty((count, BLOCK), array.dtype)
            views = self.views[key] = [row[: array.size].reshape(array.shape) for row in memory]
        return views


_scratch = _Scratch()


def update_in_blocks(
    rule: Callable[..., Any],
    gradient: np.ndarray,
    written: Sequence[np.ndarray | None],
    scratch: int,
    **constants: Any,
) -> None:
    """Calls ``rule(gradient, *written, *scratch, **constants)`` on pieces of the arrays that fit into the cache.

    Args:
        rule: works element by element, in place, and only reads the gradient.
        gradient: of the parameter's shape, in any memory order.
        written: the parameter, and arrays of its state of the same shape or None.
        scratch: number of arrays for intermediate values that the rule is given.
        constants: handed on.
    """
    size = gradient.size
    if size <= BLOCK or not all(array is None or array.flags.c_contiguous for array in written):
        silently(lambda: rule(gradient, *written, *_scratch.like(gradient, scratch), **constants))
        return
    flat = [None if array is None else array.reshape(-1) for array in (np.ascontiguousarray(gradient), *written)]

    def run() -> None:
        for start in range(0, size, BLOCK):
            pieces = [None if array is None else array[start : start + BLOCK] for array in flat]
            rule(*pieces, *_scratch.like(pieces[0], scratch), **constants)  # type: ignore[arg-type]

    silently(run)
