"""What the machine can do at most: a loop of fused multiply-adds and one that copies. ``python -m benchmarks.machine``

The peaks that the other families are held against, measured in the same run and by the same clock.
"""

from __future__ import annotations

from functools import cache, partial
from typing import Any

import numpy as np

from benchmarks.runner import main
from benchmarks.workload import Call, Library, Workload

ROWS, COLUMNS = 16, 2048  # a row stays in the first cache
# Over each row, and multiply-adds on an element while it is in a register. Each waits for the one before, so a
# processor must see several elements ahead: measured with 8, 16, 24 and 32 steps: 175, 190, 165, 146 GFLOP/s.
PASSES, STEPS = 128, 16
CACHED, LARGE = 1 << 20, 1 << 24  # elements: of the tensors that most workloads have, and of what no cache holds


@cache
def _loops() -> tuple[Any, Any]:
    from numba import njit

    from autograd.kernels.scalar import wide

    @njit(nogil=True, fastmath={"contract"})
    def multiply_add(first: int, last: int, x: Any, a: Any, b: Any) -> None:
        wide()
        for row in range(first, last):
            for _ in range(PASSES):
                for i in range(x.shape[1]):
                    value = x[row, i]
                    for _ in range(STEPS):
                        value = value * a + b
                    x[row, i] = value

    @njit(nogil=True)
    def copy(first: int, last: int, source: Any, target: Any) -> None:
        wide()
        for i in range(first, last):
            target[i] = source[i]

    return multiply_add, copy


def _multiply_adds(dtype: str, library: Library) -> Call:
    from autograd.kernels import threads

    x, half = np.ones((ROWS, COLUMNS), dtype), np.dtype(dtype).type(0.5)
    return partial(threads.run, _loops()[0], ROWS, x, half, half)


def _copy(size: int, library: Library) -> Call:
    from autograd.kernels import threads

    source, target = np.ones(size, np.float32), np.zeros(size, np.float32)
    return partial(threads.run, _loops()[1], size, source, target, grain=CACHED // 8)


FLOPS = 2 * ROWS * COLUMNS * PASSES * STEPS
MOVED = 3 * 4  # bytes for each element: the target's line is read, too, before it is written
WORKLOADS = {
    "multiply-adds, float32": Workload(partial(_multiply_adds, "float32"), flops=FLOPS),
    "multiply-adds, float64": Workload(partial(_multiply_adds, "float64"), flops=FLOPS, dtype="float64"),
    "copy, 4 MB": Workload(partial(_copy, CACHED), bytes=MOVED * CACHED),
    "copy, 64 MB": Workload(partial(_copy, LARGE), bytes=MOVED * LARGE),
}

if __name__ == "__main__":
    main("machine")
