"""tinygrad on the CPU, every call captured by ``TinyJit``; it compiles with clang."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

os.environ.setdefault("DEV", "CPU")

import numpy as np
from tinygrad import Device, Tensor, TinyJit

from benchmarks.rivals import programs

if shutil.which("clang") is None:
    raise ModuleNotFoundError("tinygrad compiles with clang, which is not installed")


def _tensor(array: Any) -> Tensor:
    return Tensor(array).realize()


def _ready(function: Callable[[], Sequence[Tensor]]) -> Callable[[], Any]:
    """Tensors are promises, and calls return before the work is done; what is timed waits for it."""
    captured = TinyJit(lambda: Tensor.realize(*function()))

    def run() -> None:
        captured()
        Device[Device.DEFAULT].synchronize()

    return run


def _chain() -> Callable[[], Any]:
    x, y, w, b = (_tensor(programs.noise(*shape)) for shape in ((4, 4), (4, 4), (4, 4), (4,)))

    def gradients() -> Sequence[Tensor]:
        h = w
        for _ in range(8):
            h = ((h * y + b) * 0.5 - x).tanh()
        return h.sum().gradient(w, b)

    return _ready(gradients)


def _perceptron(batch: int, *sizes: int) -> Callable[[], Any]:
    parameters = []
    for into, out in pairwise(sizes):
        parameters += [_tensor(programs.noise(into, out) / np.float32(into**0.5)), _tensor(np.zeros(out, np.float32))]
    velocities = [_tensor(np.zeros(parameter.shape, np.float32)) for parameter in parameters]
    x, classes = _tensor(programs.noise(batch, sizes[0])), _tensor(np.arange(batch, dtype=np.int32) % sizes[-1])

    def step() -> Sequence[Tensor]:
        h = x
        for i in range(0, len(parameters), 2):
            h = (h if i == 0 else h.relu()) @ parameters[i] + parameters[i + 1]
        gradients = h.sparse_categorical_crossentropy(classes).gradient(*parameters)
        for parameter, velocity, g in zip(parameters, velocities, gradients, strict=True):
            velocity.assign(float(programs.MOMENTUM) * velocity + g)
            parameter.assign(parameter - float(programs.RATE) * velocity)
        return [*parameters, *velocities]

    return _ready(step)


def _there_and_back(function: Callable[[Tensor], Tensor], shape: tuple[int, ...] = (1_000_000,)) -> Callable[[], Any]:
    x, seed = (_tensor(array.reshape(shape)) for array in programs.million())

    def both() -> Sequence[Tensor]:
        y = function(x)
        return y, *y.gradient(x, gradient=seed)

    return _ready(both)


def _matmul(n: int) -> Callable[[], Any]:
    x, y = (_tensor(array) for array in programs.squares(n))
    return _ready(lambda: [x @ y])


WORKLOADS = {
    programs.CHAIN: _chain,
    **{title: partial(_perceptron, *sizes) for title, sizes in programs.PERCEPTRONS.items()},
    **{title: partial(_there_and_back, getattr(Tensor, name)) for title, name in programs.POINTWISE.items()},
    "softmax, 1000x1000": partial(_there_and_back, Tensor.softmax, (1000, 1000)),
    **{title: partial(_matmul, n) for title, n in programs.MATMULS.items()},
}
