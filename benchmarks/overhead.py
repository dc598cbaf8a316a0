"""What an operator costs beside its arithmetic: small tensors, one thread. ``python -m benchmarks.overhead``"""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

from benchmarks.runner import compare, report, serve


def workloads(library: str) -> dict[str, Callable[[], Any]]:
    lib: Any = import_module("autograd" if library == "chalkgrad" else library)
    functional: Any = import_module("nn.functional" if library == "chalkgrad" else "torch.nn.functional")
    if library == "torch":
        lib.set_num_threads(1)
    lib.manual_seed(0)
    x, y, w, b = lib.randn(4, 4), lib.randn(4, 4), lib.randn(4, 4, requires_grad=True), lib.randn(4, requires_grad=True)
    big = lib.randn(1_000_000, requires_grad=True)
    seed = lib.randn(1_000_000)

    def hundred(apply: Callable[[Any, Any], Any], left: Any, right: Any) -> Callable[[], None]:
        def run() -> None:
            for _ in range(100):
                apply(left, right)

        return run

    def chain() -> None:
        h = w
        for _ in range(8):
            h = ((h * y + b) * 0.5 - x).tanh()
        h.sum().backward()
        w.grad = b.grad = None

    def large(function: Callable[[Any], Any]) -> Callable[[], None]:
        def run() -> None:
            function(big).backward(seed)
            big.grad = None

        return run

    return {
        "100 times x + y, 4x4": hundred(operator.add, x, y),
        "100 times x + y, 4x4, recorded": hundred(operator.add, w, y),
        "100 times x * 2.0, 4x4": hundred(operator.mul, x, 2.0),
        "100 times x @ y, 4x4": hundred(operator.matmul, x, y),
        "chain of 40 small operators, forward+backward": chain,
        "GELU of 1 M float32, forward+backward": large(functional.gelu),
        "tanh of 1 M float32, forward+backward": large(lib.tanh),
        "exp of 1 M float32, forward+backward": large(lib.exp),
        "sigmoid of 1 M float32, forward+backward": large(lib.sigmoid),
    }


if __name__ == "__main__":
    if "--child" in sys.argv:
        serve(workloads)
    else:
        report(compare("benchmarks.overhead", ("chalkgrad", "torch")), path="benchmarks/results.json")
