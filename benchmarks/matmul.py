"""Matrix products through the whole engine: squares, transposes, batches, layers. ``python -m benchmarks.matmul``"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.runner import Libraries, main

SQUARES = (64, 128, 256, 512, 1024, 2048)
LAYERS = ((128, 784, 256), (128, 256, 256), (128, 256, 10), (64, 64, 64), (2048, 128, 512))  # batch, in, out


def workloads(library: str) -> dict[str, Callable[[], Any]]:
    libraries = Libraries(library)
    lib, functional = libraries.lib, libraries.functional
    lib.manual_seed(0)
    found: dict[str, Callable[[], Any]] = {}

    def product(x: Any, y: Any) -> Callable[[], Any]:
        return lambda: lib.matmul(x, y)

    def layer(x: Any, weight: Any, bias: Any, seed: Any) -> Callable[[], None]:
        def run() -> None:
            functional.linear(x, weight, bias).backward(seed)
            x.grad = weight.grad = bias.grad = None

        return run

    for dtype in (lib.float32, lib.float64):
        name = str(dtype).rpartition(".")[2]
        for n in SQUARES:
            x, y = lib.randn(n, n, dtype=dtype), lib.randn(n, n, dtype=dtype)
            found[f"matmul {n}, {name}"] = product(x, y)
            if n in (128, 1024):
                found[f"matmul {n}, {name}, left transposed"] = product(x.t(), y)
                found[f"matmul {n}, {name}, right transposed"] = product(x, y.t())
        x, y = lib.randn(256, 32, 32, dtype=dtype), lib.randn(256, 32, 32, dtype=dtype)
        found[f"bmm 256 x 32, {name}"] = product(x, y)
    for batch, into, out in LAYERS:
        x, weight = lib.randn(batch, into, requires_grad=True), lib.randn(out, into, requires_grad=True)
        bias, seed = lib.randn(out, requires_grad=True), lib.randn(batch, out)
        found[f"linear {batch} x {into} -> {out}, forward+backward"] = layer(x, weight, bias, seed)
    return found


if __name__ == "__main__":
    main("benchmarks.matmul", workloads)
