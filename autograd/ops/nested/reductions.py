"""Reductions of nested tensors: over dimensions of the components, over the ragged one by padding, over everything."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...limits import finfo
from ...tensor import Tensor, check_dim, wrap
from ..structured import numbers_of
from .operators import each, mapped, on_numbers, padded_to
from .tensor import JaggedTensor, on_nested, pack

__all__: list[str] = []


def _bound(dtype: Any, sign: int = -1) -> Any:
    """What no element is below, or with ``sign`` 1 above."""
    if dtype.numpy.kind == "b":
        return sign > 0
    if not dtype.is_floating_point:
        return sign * np.inf
    return sign * float(finfo(dtype).max)


def reduced(name: str, x: Any, dim: Any, keepdim: bool, run: Callable[..., Any], neutral: Any) -> Any:
    """A reduction over dimensions: over the ragged one, or all, the result is dense.

    Args:
        run: the reduction of a dense tensor, given dimensions and ``keepdim``.
        neutral: what elements of padding may be.
    """
    if dim is None or (isinstance(dim, (tuple, list)) and not dim):
        holes = isinstance(x, JaggedTensor) and x._lengths is not None
        numbers = numbers_of(pack(x.unbind())) if holes else numbers_of(x)
        out = run(numbers, None, False)
        return out.reshape([1] * x.ndim) if keepdim else out
    several = isinstance(dim, (tuple, list))
    dims = [check_dim(name, d, x.ndim) for d in (dim if several else [dim])]
    ragged = x._ragged_idx if isinstance(x, JaggedTensor) else None
    inside = [d - 1 for d in dims if d]
    if ragged in dims and x._lengths is not None:
        raise RuntimeError(
            f"{name}(): reducing across the ragged dimension is not supported for non-contiguous nested tensors with "
            "holes"
        )
    if 0 in dims:
        if ragged not in dims:
            raise RuntimeError(
                f"{name}(): reducing along the batch dimension but not the ragged dimension is not supported for "
                "nested tensors"
            )
        out = run(numbers_of(x), inside, keepdim)
        return mapped(out, lambda dense: dense.unsqueeze(0)) if keepdim else out
    if ragged in dims:
        if len(dims) > 1:
            raise RuntimeError(
                f"{name}(): reducing along a ragged and non-batch dimension is not supported for nested tensors"
            )
        dense = padded_to(x, neutral, max(x._get_max_seqlen(), 1))
        return run(dense, dims if several else dims[0], keepdim)
    if ragged is not None and not keepdim:
        ragged -= len([d for d in dims if d < ragged])
    return each(x, lambda part: run(part, inside if several else inside[0], keepdim), ragged)


def _reduction(name: str, neutral: Callable[[Any], Any]) -> None:
    def function(x: Any, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Any:
        if isinstance(dim, Tensor):  # max(x, y)
            return on_numbers(getattr(Tensor, f"{name}imum"), name, [x, dim], {})
        options = {} if dtype is None else {"dtype": dtype}

        def run(dense: Tensor, dims: Any, keep: bool) -> Any:
            chosen: dict[str, Any] = {} if dims is None else {"dim": dims, "keepdim": keep}
            return getattr(dense, name)(**chosen, **options)

        return reduced(name, x, dim, keepdim, run, neutral(x.dtype))

    on_nested(name)(function)


for _names, _neutral in (
    ("sum any", lambda dtype: 0), ("prod all", lambda dtype: 1), ("logsumexp", lambda dtype: -np.inf),
    ("amax max argmax", _bound), ("amin min argmin", lambda dtype: _bound(dtype, 1)),
):  # fmt: skip
    for _name in _names.split():
        _reduction(_name, _neutral)


@on_nested("mean")
def _mean(x: Any, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Any:
    def run(dense: Tensor, dims: Any, keep: bool) -> Tensor:
        return dense.mean(dtype=dtype) if dims is None else dense.mean(dims, keep, dtype=dtype)

    if not isinstance(x, JaggedTensor) or dim not in (x._ragged_idx, x._ragged_idx - x.ndim, [x._ragged_idx]):
        return reduced("mean", x, dim, keepdim, run, 0)
    total = x.sum(dim, keepdim=True, dtype=dtype)
    mean = total / wrap(x.counts().reshape(-1, *[1] * (x.ndim - 1)))
    return mean if keepdim else mean.squeeze(x._ragged_idx)
