"""The order in memory of a result: that of its operands, the first of which that has one decides."""

from __future__ import annotations

import itertools
from functools import lru_cache

import numpy as np

__all__ = ["memory_order", "tidy"]

ndarray = np.ndarray
Layout = tuple[tuple[int, ...], tuple[int, ...]]  # shape and strides of an operand


def tidy(result: ndarray, *operands: ndarray) -> ndarray:
    """The result of an operator on elements, as it lies in memory in PyTorch. NumPy agrees where the operands agree
    and none of them was expanded."""
    strides = operands[0].strides
    for operand in operands:
        if operand.strides != strides:
            break
    else:
        if 0 not in strides or result.flags.c_contiguous:
            return result
    if result.flags.c_contiguous and all(_descend(operand.strides) for operand in operands):
        return result
    order = memory_order(result.shape, tuple([(operand.shape, operand.strides) for operand in operands]))
    if order is None:
        return result if result.flags.c_contiguous else np.ascontiguousarray(result)
    there, back = order
    ordered = result.transpose(there)
    return result if ordered.flags.c_contiguous else np.ascontiguousarray(ordered).transpose(back)


@lru_cache(4096)
def _descend(strides: tuple[int, ...]) -> bool:
    """Whether each dimension has smaller steps than those before, but for those along which nothing moves."""
    moving = [step for step in strides if step]
    return all(a > b for a, b in itertools.pairwise(moving))


@lru_cache(4096)
def memory_order(shape: tuple[int, ...], operands: tuple[Layout, ...]) -> tuple[list[int], list[int]] | None:
    """The dimensions of a result of this shape, those with the largest steps first, and how they come back into their
    usual order; None where that is the order in memory.

    Two dimensions stand as in the first operand that was broadcast along neither of them. They are compared in the
    order of an insertion sort from the last to the first, which matters, as "before" is not transitive here.
    """
    dims = list(reversed(range(len(shape))))
    steps = [_steps(shape, *operand) for operand in operands]
    for i in range(1, len(dims)):
        at = i
        for before in reversed(range(i)):
            sign = _compare(shape, steps, dims[before], dims[at])
            if sign < 0:
                break
            if sign > 0:
                dims[before], dims[at] = dims[at], dims[before]
                at = before
    dims.reverse()
    usual = list(range(len(dims)))
    return None if dims == usual else (dims, sorted(usual, key=dims.__getitem__))


def _steps(shape: tuple[int, ...], own: tuple[int, ...], strides: tuple[int, ...]) -> tuple[int, ...]:
    """The strides of an operand in the result's dimensions, 0 where it is broadcast."""
    extra = len(shape) - len(own)
    return (0,) * extra + tuple(0 if m != n else s for m, n, s in zip(own, shape[extra:], strides, strict=True))


def _compare(shape: tuple[int, ...], steps: list[tuple[int, ...]], a: int, b: int) -> int:
    """1 where dimension ``a`` has the larger steps, -1 where it has the smaller, 0 where no operand tells."""
    for own in steps:
        if own[a] and own[b]:
            if own[a] != own[b]:
                return 1 if own[a] > own[b] else -1
            if shape[a] > shape[b]:
                return 1
    return 0
