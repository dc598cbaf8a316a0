"""JAX, every call compiled by ``jit``."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import Any

os.environ["NPROC"] = os.environ["OMP_NUM_THREADS"]  # how many threads XLA starts, read once

import jax
import jax.numpy as jnp

from benchmarks.rivals import programs


def _ready(function: Callable[..., Any], *operands: Any) -> Callable[[], Any]:
    """Calls return before the work is done; what is timed waits for it."""
    compiled, placed = jax.jit(function), jax.device_put(operands)
    return lambda: jax.block_until_ready(compiled(*placed))


def _chain() -> Callable[[], Any]:
    total, operands = programs.chain(jnp)
    return _ready(jax.value_and_grad(total, (0, 1)), *operands)


def _perceptron(batch: int, *sizes: int) -> Callable[[], Any]:
    loss, parameters = programs.perceptron(jnp, batch, sizes)
    gradients = jax.grad(loss, tuple(range(len(parameters))))

    @partial(jax.jit, donate_argnums=(0, 1))
    def update(parameters: Any, velocities: Any) -> Any:
        velocities = [
            programs.MOMENTUM * velocity + g for velocity, g in zip(velocities, gradients(*parameters), strict=True)
        ]
        return [p - programs.RATE * velocity for p, velocity in zip(parameters, velocities, strict=True)], velocities

    state = jax.device_put((parameters, [jnp.zeros_like(p) for p in parameters]))

    def step() -> None:
        nonlocal state
        state = jax.block_until_ready(update(*state))

    return step


def _there_and_back(function: Callable[[Any], Any], shape: tuple[int, ...] = (1_000_000,)) -> Callable[[], Any]:
    def both(x: Any, seed: Any) -> Any:
        y, backward = jax.vjp(function, x)
        return y, backward(seed)

    return _ready(both, *(array.reshape(shape) for array in programs.million()))


def _matmul(n: int) -> Callable[[], Any]:
    return _ready(jnp.matmul, *programs.squares(n))


WORKLOADS = {
    programs.CHAIN: _chain,
    **{title: partial(_perceptron, *sizes) for title, sizes in programs.PERCEPTRONS.items()},
    **{title: partial(_there_and_back, getattr(jnp, name)) for title, name in programs.POINTWISE.items()},
    "GELU, 1 M": partial(_there_and_back, partial(jax.nn.gelu, approximate=False)),
    "sigmoid, 1 M": partial(_there_and_back, jax.nn.sigmoid),
    "SiLU, 1 M": partial(_there_and_back, jax.nn.silu),
    "softmax, 1000x1000": partial(_there_and_back, jax.nn.softmax, (1000, 1000)),
    **{title: partial(_matmul, n) for title, n in programs.MATMULS.items()},
}
