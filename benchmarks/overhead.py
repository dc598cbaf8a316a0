"""What an operator costs beside its arithmetic: small tensors, one thread. ``python -m benchmarks.overhead``"""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import partial
from typing import Any

from benchmarks.runner import main
from benchmarks.workload import Call, Library, Workload


def hundred(apply: Callable[[Any, Any], Any], recorded: bool, other: Any, library: Library) -> Call:
    library.lib.manual_seed(0)
    left = library.lib.randn(4, 4, requires_grad=recorded)
    right = library.lib.randn(4, 4) if other is None else other

    def run() -> None:
        for _ in range(100):
            apply(left, right)

    return run


def chain(steps: int, library: Library) -> Call:
    """Five operators in each of so many steps, forward and backward."""
    lib = library.lib
    lib.manual_seed(0)
    x, y, w, b = lib.randn(4, 4), lib.randn(4, 4), lib.randn(4, 4, requires_grad=True), lib.randn(4, requires_grad=True)

    def total() -> Any:
        h = w
        for _ in range(steps):
            h = ((h * y + b) * 0.5 - x).tanh()
        return h.sum()

    total = library.compiled(total)

    def run() -> None:
        total().backward()
        w.grad = b.grad = None

    return run


def _parameters(library: Library) -> list[Any]:
    library.lib.manual_seed(0)
    shapes = ((16, 2), (16,), (16, 16), (16,), (2, 16), (2,))
    parameters = [library.nn.Parameter(library.lib.randn(*shape)) for shape in shapes]
    for parameter in parameters:
        parameter.grad = library.lib.randn(*parameter.shape) * 1e-3
    return parameters


def clip(library: Library) -> Call:
    return partial(library.nn.utils.clip_grad_norm_, _parameters(library), 1.0)


WORKLOADS = {
    "100 times x + y, 4x4": Workload(partial(hundred, operator.add, False, None)),
    "100 times x + y, 4x4, recorded": Workload(partial(hundred, operator.add, True, None)),
    "100 times x * 2.0, 4x4": Workload(partial(hundred, operator.mul, False, 2.0)),
    "100 times x @ y, 4x4": Workload(partial(hundred, operator.matmul, False, None)),
    "chain of 40 small operators, forward+backward": Workload(partial(chain, 8), goal=0.5),
    "SGD step, 6 small parameters": Workload(
        lambda library: library.optim.SGD(_parameters(library), lr=1e-5, momentum=0.9).step
    ),
    "Adam step, 6 small parameters": Workload(lambda library: library.optim.Adam(_parameters(library), lr=1e-5).step),
    "clip_grad_norm_ of 6 small gradients": Workload(clip),
}

if __name__ == "__main__":
    main("overhead")
