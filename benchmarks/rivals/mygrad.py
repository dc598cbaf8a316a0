"""MyGrad, eager on NumPy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import mygrad as mg

from benchmarks.rivals import programs


def _gradients(function: Callable[..., Any], count: int) -> Callable[..., Sequence[Any]]:
    def gradients(*arrays: Any) -> Sequence[Any]:
        tensors = [mg.tensor(array, copy=False) for array in arrays]
        function(*tensors).backward()
        return [tensor.grad for tensor in tensors]

    return gradients


def _pointwise(name: str) -> Callable[[], Any]:
    x, seed = programs.million()
    tensor = mg.tensor(x)
    return lambda: getattr(mg, name)(tensor).backward(seed)


WORKLOADS = {
    **programs.eager(mg, _gradients),
    **{title: partial(_pointwise, name) for title, name in programs.POINTWISE.items()},
}
