"""HIPS autograd, eager on NumPy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from typing import Any

from benchmarks.rivals import programs

# Imported by name: its package is called as ours is, and only where it is installed does this name mean it.
hips_numpy: Any = import_module("autograd.numpy")
hips: Any = import_module("autograd")


def _gradients(function: Callable[..., Any], count: int) -> Callable[..., Sequence[Any]]:
    return hips.grad(function, tuple(range(count)))


def _pointwise(name: str) -> Callable[[], Any]:
    x, seed = programs.million()
    traced = hips.make_vjp(getattr(hips_numpy, name))
    return lambda: traced(x)[0](seed)


WORKLOADS = {
    **programs.eager(hips_numpy, _gradients),
    **{title: partial(_pointwise, name) for title, name in programs.POINTWISE.items()},
}
