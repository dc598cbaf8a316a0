"""Hashes of tensors, by which two of them are told apart."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..kernels.halves import FLOATING
from ..rows.public import function
from ..tensor import Tensor, wrap
from .reduce import axes_of

__all__ = ["hash_tensor"]


@function()
def hash_tensor(input: Tensor, dim: Any = (), *, keepdim: bool = False, mode: int = 0) -> Tensor:
    """The exclusive or of the elements' bits, as float64 or int64: uint64.

    Args:
        dim: the dimension or dimensions to reduce; all by default.
        keepdim: keep them, of size 1.
        mode: 0, the only one.

    Raises:
        RuntimeError: another mode, or no elements and no ``dim``.
        IndexError: ``dim`` is out of range, or has no elements.
        NotImplementedError: complex or unsigned numbers, but for uint8.

    >>> import autograd
    >>> autograd.hash_tensor(autograd.tensor([[1, 2], [4, 4]]), 1)
    tensor([3, 0], dtype=torch.uint64)
    """
    if mode != 0:
        raise RuntimeError(f"hash_tensor(): Unknown hash_tensor mode: {mode}")
    array = input._array
    if array.dtype.kind == "c" or (array.dtype.kind == "u" and array.itemsize > 1):
        raise NotImplementedError(f"hash_tensor(): not implemented for {input.dtype}; convert with .to(int64)")
    axes = axes_of("hash_tensor", dim, array.ndim)
    if not array.size:
        if dim is None or dim == ():
            raise RuntimeError("hash_tensor(): Expected reduction dim to be specified for input.numel() == 0")
        for axis in axes:
            if not array.shape[axis]:
                raise IndexError(f"hash_tensor(): Expected reduction dim {axis} to have non-zero size.")
    wide = array.astype(np.float64 if array.dtype.kind in FLOATING else np.int64)
    found = np.bitwise_xor.reduce(wide.view(np.uint64), axis=axes, keepdims=True)
    return wrap(found if keepdim else found.squeeze(axes))
