"""What the machine can do at most: multiply-adds, and loops that only read and write. ``python -m benchmarks.machine``

What the other families are held against, measured in the same run and by the same clock.
"""

from __future__ import annotations

from functools import cache, partial
from typing import Any

import numpy as np

from benchmarks import layers, matmul, training
from benchmarks.runner import main
from benchmarks.workload import Call, Library, Traffic, Workload

ROWS, COLUMNS = 16, 2048  # a row stays in the first cache
# Over each row, and multiply-adds on an element while it is in a register. Each waits for the one before, so a
# processor must see several elements ahead: measured with 8, 16, 24 and 32 steps: 175, 190, 165, 146 GFLOP/s.
PASSES, STEPS = 128, 16


@cache
def _multiply_add() -> Any:
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

    return multiply_add


@cache
def _bare_passes() -> dict[tuple[int, int], Any]:
    """By how many arrays are read and written, a loop with as little arithmetic as that leaves."""
    from numba import njit
    from numba import uint64 as U

    from autograd.kernels.scalar import plus, wide

    @njit(nogil=True)
    def read(first: int, last: int, x: Any) -> None:
        wide()
        total = x[U(first)]
        for i in range(U(first), U(last)):
            total = plus(total, x[i])
        x[U(first)] = total / total  # or nothing need be read

    @njit(nogil=True)
    def copy(first: int, last: int, x: Any, y: Any) -> None:
        wide()
        for i in range(U(first), U(last)):
            y[i] = x[i]

    @njit(nogil=True)
    def multiply(first: int, last: int, x: Any, y: Any, z: Any) -> None:
        wide()
        for i in range(U(first), U(last)):
            z[i] = x[i] * y[i]

    @njit(nogil=True)
    def update(first: int, last: int, x: Any, y: Any, z: Any, w: Any) -> None:
        wide()
        for i in range(U(first), U(last)):
            z[i] *= y[i]
            w[i] *= y[i]
            x[i] *= z[i] * w[i]

    return {(1, 0): read, (1, 1): copy, (2, 1): multiply, (4, 3): update}


def _multiply_adds(dtype: str, library: Library) -> Call:
    from autograd.kernels import threads

    x, half = np.ones((ROWS, COLUMNS), dtype), np.dtype(dtype).type(0.5)
    return partial(threads.run, _multiply_add(), ROWS, x, half, half)


def _move(traffic: Traffic, library: Library) -> Call:
    names = dict.fromkeys("".join(read + written for read, written in traffic.pairs))
    return bare(traffic, {name: np.ones(traffic.size, traffic.dtype) for name in names})


def bare(traffic: Traffic, arrays: dict[str, np.ndarray]) -> Call:
    """The passes over arrays of these names."""
    from autograd.kernels import threads

    calls = []
    for read, written in traffic.pairs:
        loop = _bare_passes()[len(read), len(written)]
        met = [arrays[name] for name in dict.fromkeys(read + written)]
        calls.append(partial(threads.run, loop, traffic.size, *met))

    def run() -> None:
        for call in calls:
            call()

    return run


FLOPS = 2 * ROWS * COLUMNS * PASSES * STEPS
MOVED = [w.traffic for family in (layers, matmul, training) for w in family.WORKLOADS.values() if w.traffic]
WORKLOADS = {
    "multiply-adds, float32": Workload(partial(_multiply_adds, "float32"), flops=FLOPS),
    "multiply-adds, float64": Workload(partial(_multiply_adds, "float64"), flops=FLOPS, dtype="float64"),
    **{str(traffic): Workload(partial(_move, traffic), traffic=traffic) for traffic in MOVED},
}

if __name__ == "__main__":
    main("machine")
