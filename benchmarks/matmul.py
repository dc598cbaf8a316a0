"""Matrix products through the whole engine: squares, transposes, batches, layers. ``python -m benchmarks.matmul``"""

from __future__ import annotations

from functools import partial

from benchmarks.runner import main
from benchmarks.workload import ITEMSIZE, Call, Library, Traffic, Workload

SQUARES = (64, 128, 256, 512, 1024, 2048)
LAYERS = ((128, 784, 256), (128, 256, 256), (128, 256, 10), (64, 64, 64), (2048, 128, 512))  # batch, in, out


def product(batch: tuple[int, ...], n: int, dtype: str, goal: float | None = None, transposed: str = "") -> Workload:
    """The product of two squares, or of two batches of them."""

    def make(library: Library) -> Call:
        lib = library.lib
        lib.manual_seed(0)
        operands = {side: lib.randn(*batch, n, n, dtype=getattr(lib, dtype)) for side in ("left", "right")}
        if transposed:
            operands[transposed] = operands[transposed].t()
        return partial(lib.matmul, operands["left"], operands["right"])

    count = batch[0] if batch else 1
    traffic = Traffic("ab>c", count * n * n, dtype) if batch else None
    return Workload(make, goal, flops=2 * count * n**3, traffic=traffic, dtype=dtype)


def linear(batch: int, into: int, out: int) -> Workload:
    def make(library: Library) -> Call:
        lib, functional = library.lib, library.functional
        lib.manual_seed(0)
        x, weight = lib.randn(batch, into, requires_grad=True), lib.randn(out, into, requires_grad=True)
        bias, seed = lib.randn(out, requires_grad=True), lib.randn(batch, out)

        def run() -> None:
            functional.linear(x, weight, bias).backward(seed)
            x.grad = weight.grad = bias.grad = None

        return run

    return Workload(make, flops=6 * batch * into * out)


WORKLOADS: dict[str, Workload] = {}
for dtype in ITEMSIZE:
    for n in SQUARES:
        WORKLOADS[f"matmul {n}, {dtype}"] = product((), n, dtype, goal=1.1)
        if n in (128, 1024):
            for side in ("left", "right"):
                WORKLOADS[f"matmul {n}, {dtype}, {side} transposed"] = product((), n, dtype, transposed=side)
    WORKLOADS[f"bmm 256 x 32, {dtype}"] = product((256,), 32, dtype, goal=1.1)
for sizes in LAYERS:
    WORKLOADS["linear {} x {} -> {}, forward+backward".format(*sizes)] = linear(*sizes)

if __name__ == "__main__":
    main("matmul")
