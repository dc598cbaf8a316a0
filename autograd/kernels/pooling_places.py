"""Elements of planes by their positions, as max-pooling notes them: put back, picked out, and written.

``indices`` (N, C, *out) of integers tell where in its plane (sample, channel) of an array (N, C, *size) each element
lies, counted in logical order.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from . import jit
from .pooling import LOOP_DTYPES, run_on_planes

__all__ = ["add_to_planes", "pick_from_planes", "write_to_planes"]


@np.errstate(all="ignore")
def add_to_planes(x: np.ndarray, indices: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """Zeros of ``shape``, plus each ``x`` at its index: the gradient of picking the elements.

    Raises:
        RuntimeError: ``x`` and ``indices`` differ in shape, or in samples or channels from ``shape``; or an index lies
            outside of its plane.

    >>> add_to_planes(np.ones((1, 1, 1, 2)), np.array([[[[1, 1]]]]), (1, 1, 1, 3))
    array([[[[0., 2., 0.]]]])
    """
    _check_shapes(x, indices, shape)
    planes, elements, positions = prod(shape[:2]), prod(shape[2:]), prod(x.shape[2:])
    if x.dtype in LOOP_DTYPES and jit.use_loops(x.size):
        from .pooling_loops import scatter_planes

        out, failed = np.empty(tuple(shape), x.dtype), np.zeros(1, np.bool_)
        places = indices if indices.dtype in (np.int32, np.int64) else indices.astype(np.int64)
        flat = (np.ascontiguousarray(x).reshape(-1), np.ascontiguousarray(places).reshape(-1))
        run_on_planes(scatter_planes, out, *flat, out.reshape(-1), positions, elements, failed)
        if failed[0]:
            raise _outside(indices, shape)
        return out
    sums = np.bincount(_flat(indices, shape), weights=x.reshape(-1), minlength=planes * elements)
    return sums.astype(x.dtype, copy=False).reshape(tuple(shape))


def pick_from_planes(x: np.ndarray, indices: np.ndarray) -> np.ndarray:
    """The elements of ``x`` at ``indices``.

    Raises:
        RuntimeError: ``x`` and ``indices`` differ in samples or channels, or an index lies outside of its plane.

    >>> pick_from_planes(np.array([[[[5., 6., 7.]]]]), np.array([[[[1, 1]]]]))
    array([[[[6., 6.]]]])
    """
    _check_shapes(indices, indices, x.shape)
    return x.reshape(-1)[_flat(indices, x.shape)].reshape(indices.shape)


def write_to_planes(x: np.ndarray, indices: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """Zeros of ``shape`` but for each ``x`` at its index; of several for one place the last stays.

    Raises:
        RuntimeError: ``x`` and ``indices`` differ in shape, or in samples or channels from ``shape``; or an index lies
            outside of its plane.

    >>> write_to_planes(np.array([[[[5., 6.]]]]), np.array([[[[2, 0]]]]), (1, 1, 1, 3))
    array([[[[6., 0., 5.]]]])
    """
    _check_shapes(x, indices, shape)
    out = np.zeros(prod(shape), x.dtype)
    out[_flat(indices, shape)] = x.reshape(-1)
    return out.reshape(tuple(shape))


def _flat(indices: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """The indices as places in all planes together, in one dimension."""
    planes, elements = prod(shape[:2]), prod(shape[2:])
    if indices.size and (indices.min() < 0 or indices.max() >= elements):
        raise _outside(indices, shape)
    each = indices.reshape(planes, prod(indices.shape[2:]))
    return (each + np.arange(planes)[:, None] * elements).reshape(-1)


def _check_shapes(x: np.ndarray, indices: np.ndarray, shape: Sequence[int]) -> None:
    if x.shape != indices.shape or x.shape[:2] != tuple(shape[:2]):
        raise RuntimeError(
            f"max_pool: values of shape {x.shape}, indices {indices.shape} and planes {tuple(shape)}: the first two "
            f"must agree, and all three in samples and channels."
        )


def _outside(indices: np.ndarray, shape: Sequence[int]) -> RuntimeError:
    return RuntimeError(
        f"max_pool: found an invalid max index: indices run from {indices.min()} to {indices.max()}, but a "
        f"plane of {tuple(shape)} has {prod(shape[2:])} elements."
    )
