"""Single layers, forward and backward. ``python -m benchmarks.layers``"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.runner import Libraries, main


def workloads(library: str) -> dict[str, Callable[[], Any]]:
    libraries = Libraries(library)
    lib, nn, functional = libraries.lib, libraries.nn, libraries.functional
    lib.manual_seed(0)

    def back_and_forth(function: Callable[..., Any], *shapes: tuple[int, ...]) -> Callable[[], None]:
        """The function of tensors of these shapes, and the gradients of all of them and of its parameters."""
        inputs = [lib.randn(*shape, requires_grad=True) for shape in shapes]
        parameters = list(function.parameters()) if isinstance(function, nn.Module) else []

        def run() -> None:
            result = function(*inputs)
            if isinstance(result, tuple):
                result = result[0]
            if "seed" not in kept:
                kept["seed"] = lib.ones_like(result.detach())
            result.backward(kept["seed"])
            for tensor in (*inputs, *parameters):
                tensor.grad = None

        kept: dict[str, Any] = {}
        return run

    classes = lib.randint(0, 1000, (1000,))

    def attention(q: Any, k: Any, v: Any) -> Any:
        return functional.scaled_dot_product_attention(q, k, v, is_causal=True)

    million = (1_000_000,)
    return {
        "exp, 1 M": back_and_forth(lib.exp, million),
        "tanh, 1 M": back_and_forth(lib.tanh, million),
        "GELU, 1 M": back_and_forth(functional.gelu, million),
        "sigmoid, 1 M": back_and_forth(lib.sigmoid, million),
        "SiLU, 1 M": back_and_forth(functional.silu, million),
        "softmax, 1000x1000": back_and_forth(lambda x: lib.softmax(x, -1), (1000, 1000)),
        "cross-entropy, 1000x1000": back_and_forth(lambda x: functional.cross_entropy(x, classes), (1000, 1000)),
        "layer norm, 1000x1000": back_and_forth(nn.LayerNorm(1000), (1000, 1000)),
        "batch norm, 64x64x32x32": back_and_forth(nn.BatchNorm2d(64), (64, 64, 32, 32)),
        "conv 3x3, 64 to 64, 32x32, batch 16": back_and_forth(nn.Conv2d(64, 64, 3, padding=1), (16, 64, 32, 32)),
        "conv 3x3, 128 to 128, 16x16, batch 8": back_and_forth(nn.Conv2d(128, 128, 3, padding=1), (8, 128, 16, 16)),
        "depthwise conv 3x3, 128, 28x28, batch 8": back_and_forth(
            nn.Conv2d(128, 128, 3, padding=1, groups=128), (8, 128, 28, 28)
        ),
        "LSTM, 50x32x64 to 128": back_and_forth(nn.LSTM(64, 128), (50, 32, 64)),
        "GRU, 50x32x64 to 128": back_and_forth(nn.GRU(64, 128), (50, 32, 64)),
        "RNN, 50x32x64 to 128": back_and_forth(nn.RNN(64, 128), (50, 32, 64)),
        "causal attention, 8x4x128x32": back_and_forth(attention, *[(8, 4, 128, 32)] * 3),
        "causal attention, 4x8x512x64": back_and_forth(attention, *[(4, 8, 512, 64)] * 3),
    }


if __name__ == "__main__":
    main("benchmarks.layers", workloads)
