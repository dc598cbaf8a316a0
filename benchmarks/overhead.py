"""What an operator costs beside its arithmetic: small tensors, one thread. ``python -m benchmarks.overhead``"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from benchmarks.runner import Libraries, main


def workloads(library: str) -> dict[str, Callable[[], Any]]:
    libraries = Libraries(library)
    lib, nn, optim = libraries.lib, libraries.nn, libraries.optim
    lib.manual_seed(0)
    x, y, w, b = lib.randn(4, 4), lib.randn(4, 4), lib.randn(4, 4, requires_grad=True), lib.randn(4, requires_grad=True)

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

    params = [nn.Parameter(lib.randn(*shape)) for shape in ((16, 2), (16,), (16, 16), (16,), (2, 16), (2,))]
    for param in params:
        param.grad = lib.randn(*param.shape) * 1e-3

    return {
        "100 times x + y, 4x4": hundred(operator.add, x, y),
        "100 times x + y, 4x4, recorded": hundred(operator.add, w, y),
        "100 times x * 2.0, 4x4": hundred(operator.mul, x, 2.0),
        "100 times x @ y, 4x4": hundred(operator.matmul, x, y),
        "chain of 40 small operators, forward+backward": chain,
        "SGD step, 6 small parameters": optim.SGD(params, lr=1e-5, momentum=0.9).step,
        "Adam step, 6 small parameters": optim.Adam(params, lr=1e-5).step,
        "clip_grad_norm_ of 6 small gradients": lambda: nn.utils.clip_grad_norm_(params, 1.0),
    }


if __name__ == "__main__":
    main("benchmarks.overhead", workloads)
