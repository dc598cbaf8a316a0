"""Workloads of the families as programs over any namespace that looks like NumPy, and their operands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

__all__ = [
    "CHAIN", "MATMULS", "MOMENTUM", "PERCEPTRONS", "POINTWISE", "RATE", "chain", "eager", "million", "noise",
    "perceptron", "squares",
]  # fmt: skip

CHAIN = "chain of 40 small operators, forward+backward"
PERCEPTRONS = {  # batch, then sizes
    "MLP 2-16-16-2, batch 32, SGD step": (32, 2, 16, 16, 2),
    "MLP 64-64-64-10, batch 64, SGD step": (64, 64, 64, 64, 10),
    "MLP 784-256-256-10, batch 128, SGD step": (128, 784, 256, 256, 10),
}
POINTWISE = {"exp, 1 M": "exp", "tanh, 1 M": "tanh"}
MATMULS = {"matmul 256, float32": 256, "matmul 1024, float32": 1024}
RATE, MOMENTUM = np.float32(0.01), np.float32(0.9)


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(shape, np.float32)


def million() -> tuple[np.ndarray, np.ndarray]:
    """A million numbers, and a gradient for them."""
    return noise(1_000_000), np.ones(1_000_000, np.float32)


def squares(n: int) -> tuple[np.ndarray, np.ndarray]:
    return noise(n, n), noise(n, n)


def chain(xp: Any) -> tuple[Callable[..., Any], list[np.ndarray]]:
    """A function of two arrays, to be differentiated with respect to both, and the two."""
    x, y = noise(4, 4), noise(4, 4)

    def total(w: Any, b: Any) -> Any:
        h = w
        for _ in range(8):
            h = xp.tanh((h * y + b) * 0.5 - x)
        return xp.sum(h)

    return total, [noise(4, 4), noise(4)]


def perceptron(xp: Any, batch: int, sizes: Sequence[int]) -> tuple[Callable[..., Any], list[np.ndarray]]:
    """The cross-entropy of a perceptron on a batch of noise as a function of its parameters, and these."""
    parameters = []
    for into, out in pairwise(sizes):
        parameters += [noise(into, out) / np.float32(into**0.5), np.zeros(out, np.float32)]
    x, wanted = noise(batch, sizes[0]), np.eye(sizes[-1], dtype=np.float32)[np.arange(batch) % sizes[-1]]

    def loss(*parameters: Any) -> Any:
        h = x
        for i in range(0, len(parameters), 2):
            h = xp.matmul(h if i == 0 else xp.maximum(h, 0), parameters[i]) + parameters[i + 1]
        h = h - xp.max(h, axis=1, keepdims=True)
        return -xp.sum(wanted * (h - xp.log(xp.sum(xp.exp(h), axis=1, keepdims=True)))) / batch

    return loss, parameters


def eager(xp: Any, gradients: Callable[..., Callable[..., Sequence[Any]]]) -> dict[str, Callable[[], Any]]:
    """The chain and the perceptrons of a library that computes on NumPy arrays as it is called.

    Args:
        gradients: of a function and the number of its arguments, the function that computes its gradients.
    """
    return {
        CHAIN: partial(_chain_gradients, xp, gradients),
        **{title: partial(_perceptron_step, xp, gradients, *sizes) for title, sizes in PERCEPTRONS.items()},
    }


def _chain_gradients(xp: Any, gradients: Callable[..., Callable[..., Sequence[Any]]]) -> Callable[[], Any]:
    total, operands = chain(xp)
    return partial(gradients(total, len(operands)), *operands)


def _perceptron_step(
    xp: Any, gradients: Callable[..., Callable[..., Sequence[Any]]], batch: int, *sizes: int
) -> Callable[[], None]:
    """Gradient descent with momentum on NumPy arrays, in place."""
    loss, parameters = perceptron(xp, batch, sizes)
    gradients_of = gradients(loss, len(parameters))
    velocities = [np.zeros_like(parameter) for parameter in parameters]

    def step() -> None:
        for parameter, velocity, g in zip(parameters, velocities, gradients_of(*parameters), strict=True):
            velocity *= MOMENTUM
            velocity += g
            parameter -= RATE * velocity

    return step
