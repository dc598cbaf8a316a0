"""Single layers, forward and backward. ``python -m benchmarks.layers``"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

from benchmarks.runner import main
from benchmarks.workload import Call, Library, Traffic, Workload

Shape = tuple[int, ...]

FROM_OUTPUT = "x>y yg>d"  # the gradient d of x follows from that of y, g, and from y
FROM_INPUT = "x>y xg>d"


def back_and_forth(function: Callable[[Library], Callable[..., Any]], shapes: list[Shape], library: Library) -> Call:
    """A function of tensors of these shapes, and the gradients of all of them and of its parameters."""
    lib = library.lib
    lib.manual_seed(0)
    inputs = [lib.randn(*shape, requires_grad=True) for shape in shapes]
    applied = function(library)
    parameters = list(applied.parameters()) if isinstance(applied, library.nn.Module) else []
    applied = library.compiled(applied)
    seed = None

    def run() -> None:
        nonlocal seed
        result = applied(*inputs)
        if isinstance(result, tuple):
            result = result[0]
        if seed is None:
            seed = lib.ones_like(result.detach())
        result.backward(seed)
        for tensor in (*inputs, *parameters):
            tensor.grad = None

    return run


def pointwise(name: str, goal: float) -> Workload:
    return _streaming(lambda library: getattr(library.functional, name), (1_000_000,), goal, FROM_INPUT)


def _streaming(function: Callable[[Library], Callable[..., Any]], shape: Shape, goal: float, passes: str) -> Workload:
    """Work as fast as the arrays pass."""
    return Workload(partial(back_and_forth, function, [shape]), goal, traffic=Traffic(passes, math.prod(shape)))


def cross_entropy(library: Library) -> Callable[..., Any]:
    classes = library.lib.randint(0, 1000, (1000,))
    return lambda x: library.functional.cross_entropy(x, classes)


def convolution(channels: int, side: int, batch: int, goal: float, groups: int = 1) -> Workload:
    def layer(library: Library) -> Callable[..., Any]:
        return library.nn.Conv2d(channels, channels, 3, padding=1, groups=groups)

    shape = (batch, channels, side, side)
    products = math.prod(shape) * 9 * channels // groups
    traffic = Traffic(FROM_INPUT, math.prod(shape)) if groups == channels else None
    return Workload(partial(back_and_forth, layer, [shape]), goal, flops=6 * products, traffic=traffic)


def recurrent(name: str, gates: int, goal: float) -> Workload:
    steps, batch, features, hidden = 50, 32, 64, 128

    def layer(library: Library) -> Callable[..., Any]:
        return getattr(library.nn, name)(features, hidden)

    flops = 6 * steps * batch * (features + hidden) * gates * hidden
    return Workload(partial(back_and_forth, layer, [(steps, batch, features)]), goal, flops=flops)


def attention(batch: int, heads: int, length: int, width: int, goal: float | None = None) -> Workload:
    """Two products forward and four backward, each over the half of the square that is not masked."""

    def function(library: Library) -> Callable[..., Any]:
        return partial(library.functional.scaled_dot_product_attention, is_causal=True)

    shape = (batch, heads, length, width)
    return Workload(
        partial(back_and_forth, function, [shape] * 3),
        goal,
        flops=6 * math.prod(shape) * length,
    )


WORKLOADS = {
    "exp, 1 M": _streaming(lambda library: library.lib.exp, (1_000_000,), 0.5, FROM_OUTPUT),
    "tanh, 1 M": _streaming(lambda library: library.lib.tanh, (1_000_000,), 0.3, FROM_OUTPUT),
    "GELU, 1 M": pointwise("gelu", 0.6),
    "sigmoid, 1 M": _streaming(lambda library: library.lib.sigmoid, (1_000_000,), 0.8, FROM_OUTPUT),
    "SiLU, 1 M": pointwise("silu", 0.8),
    "softmax, 1000x1000": _streaming(
        lambda library: partial(library.lib.softmax, dim=-1), (1000, 1000), 0.7, FROM_OUTPUT
    ),
    "cross-entropy, 1000x1000": _streaming(cross_entropy, (1000, 1000), 0.7, "x> x>d"),
    "layer norm, 1000x1000": _streaming(lambda library: library.nn.LayerNorm(1000), (1000, 1000), 0.6, FROM_INPUT),
    "batch norm, 64x64x32x32": _streaming(
        lambda library: library.nn.BatchNorm2d(64), (64, 64, 32, 32), 0.8, FROM_INPUT
    ),
    "conv 3x3, 64 to 64, 32x32, batch 16": convolution(64, 32, 16, 1.0),
    "conv 3x3, 128 to 128, 16x16, batch 8": convolution(128, 16, 8, 1.0),
    "depthwise conv 3x3, 128, 28x28, batch 8": convolution(128, 28, 8, 0.8, groups=128),
    "LSTM, 50x32x64 to 128": recurrent("LSTM", 4, 0.9),
    "GRU, 50x32x64 to 128": recurrent("GRU", 3, 0.6),
    "RNN, 50x32x64 to 128": recurrent("RNN", 1, 0.5),
    "causal attention, 8x4x128x32": attention(8, 4, 128, 32, goal=0.9),
    "causal attention, 4x8x512x64": attention(4, 8, 512, 64, goal=0.9),
}

if __name__ == "__main__":
    main("layers")
