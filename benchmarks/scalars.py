"""One number in each node of the graph, as in a lesson: XOR by scalars. ``python -m benchmarks.scalars``"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any

from benchmarks.runner import main
from benchmarks.workload import Call, Library, Workload

POINTS = [((0.0, 0.0), 0.0), ((0.0, 1.0), 1.0), ((1.0, 0.0), 1.0), ((1.0, 1.0), 0.0)]


def xor(number: Callable[[float], Any], units: int = 8, rate: float = 0.05) -> Call:
    """A step of gradient descent on a 2-8-1 network, the whole of it made of single numbers."""
    random = Random(0)
    hidden = [[number(random.uniform(-1, 1)) for _ in range(3)] for _ in range(units)]
    outer = [number(random.uniform(-1, 1)) for _ in range(units + 1)]
    parameters = [*outer, *(weight for unit in hidden for weight in unit)]

    def run() -> None:
        for parameter in parameters:
            parameter.grad = number(0.0).grad
        loss: Any = 0.0
        for (a, b), target in POINTS:
            y = outer[-1]
            for weight, (first, second, bias) in zip(outer[:-1], hidden, strict=True):
                y = y + weight * (first * a + second * b + bias).relu()
            loss = loss + (y - target) ** 2
        loss.backward()
        for parameter in parameters:
            parameter.data -= rate * parameter.grad

    return run


def _make(library: Library) -> Call:
    if library.name == "chalkgrad":
        return xor(library.lib.Value)
    return xor(partial(library.lib.tensor, requires_grad=True))


WORKLOADS = {"XOR 2-8-1 by scalars, SGD step": Workload(_make)}

if __name__ == "__main__":
    main("scalars")
