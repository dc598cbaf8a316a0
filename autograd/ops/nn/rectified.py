"""A linear layer and the ReLU behind it, in one pass over the result."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import graph
from ...graph import state
from ...kernels import gemm, jit
from ...kernels.silence import silently
from ...rows.casting import active as casting
from ...rows.public import FUNCTIONAL, TORCH
from ...rows.readings import F32, F64
from ...rows.shortcuts import KEPT_LESS
from ...rows.unrolled import RECORDED, TENSOR, recorders
from ...tensor import ArrayError, Tensor, node_of, wrap
from ..linalg.matmul import linear
from .activations import relu

__all__ = ["LARGE", "linear_relu"]

# Products from which on a layer is worth a look at what comes next: fewer are OpenBLAS's (see `gemm`). Measured, one
# way through layers of 64 x 64 with a batch of 512: 184 and 173 us, without a gradient 178 and 166.
LARGE = gemm.WEIGHT * jit.threshold


def linear_relu(input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """``relu(linear(input, weight, bias))``, recorded as these two operators.

    The sum before the ReLU, which no gradient asks for, is not written down. For whom it might matter, such as hooks on
    saved values, and where nothing would be won, the two are called one after the other.

    >>> import autograd
    >>> linear_relu(autograd.ones(1, 2), autograd.tensor([[1.0, 1.0], [-1.0, -1.0]]), autograd.ones(2))
    tensor([[3., 0.]])
    """
    try:
        x, w, b = input._array, weight._array, None if bias is None else bias._array
        nodes = [None if operand is None else node_of(operand) for operand in (input, weight, bias)]
        is_recorded = state.grad and any(node is not None for node in nodes)
        at_once = not (casting or state.push is not None or graph.is_watched()) and _ends_with_maximum(x, w, b)
        # Of larger results ReLU keeps bits, and takes a pass for them.
        at_once = at_once and not (is_recorded and len(x) * len(w) >= KEPT_LESS)
    except ArrayError:  # an example of a batch; sparse or masked numbers
        at_once = False
    if not at_once:
        return TORCH["relu"](FUNCTIONAL["linear"](input, weight, bias))
    result = silently(gemm.matrix_product, x, w.T, b, True)
    out = wrap(result)
    if is_recorded:
        total = wrap(result)  # stands for the sum: none of its numbers is ever asked for
        kinds = tuple([TENSOR if node is None else RECORDED for node in nodes])
        recorders(linear)[kinds](total, input, weight, bias, x, w, b, *nodes)
        recorders(relu)[(RECORDED,)](out, total, result, total._node)
    return out


def _ends_with_maximum(x: Any, w: Any, b: Any) -> bool:
    """Whether the arrays are those of a plain layer, and their product takes the maximum in its last pass."""
    if not (type(x) is type(w) is type(b) is np.ndarray and x.ndim == 2 == w.ndim and b.ndim == 1):
        return False
    dtype = x.dtype
    fits = dtype is w.dtype is b.dtype and x.shape[1] == w.shape[1] and len(b) == len(w)
    return fits and (dtype is F32 or dtype is F64) and gemm.use_tiles(x, w.T)
