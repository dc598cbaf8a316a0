"""Recurrent networks over a packed sequence, in one direction of one layer: forward, and back.

The input's share of each gate comes from one matrix product for all steps, which the caller makes; a step multiplies
the hidden states of all sequences with the other weight, and one pass makes the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import FunctionType
from typing import Any, NamedTuple

import numpy as np

from . import gemm, jit, threads
from .recurrent_steps import compiled_sweeps, plain_sweeps

__all__ = ["Weights", "backward", "forward"]

ndarray = np.ndarray

GRAIN = 1 << 20  # products of states and weights worth a thread, which lays the weights out anew
SEQUENCES = 2  # the fewest that a thread walks along: fewer would leave a tile of the product almost empty


class Weights(NamedTuple):
    """What a direction of a layer owns beside the input's weight; the last three may be None.

    Attributes:
        hidden: (G, R), what the hidden state brings to the gates.
        bias_ih: (G,).
        bias_hh: (G,).
        projection: (R, H), what makes the hidden state smaller; of the LSTM alone.
    """

    hidden: ndarray
    bias_ih: ndarray | None
    bias_hh: ndarray | None
    projection: ndarray | None


def forward(
    kind: str, x: ndarray, h: ndarray, c: ndarray | None, weights: Weights, batch_sizes: Sequence[int], reverse: bool
) -> tuple[tuple[ndarray, ...], tuple[ndarray, ...]]:
    """The hidden state of each step and the last states, and what `backward` needs to know.

    Args:
        kind: ``"lstm"``, ``"gru"``, ``"rnn_tanh"`` or ``"rnn_relu"``.
        x: (rows, G), what the input brings to the gates, without bias; G is 4H, 3H or H.
        h: (B, R), the first hidden states; R is H where nothing is projected.
        c: (B, H), the first cells of an LSTM.
        batch_sizes: how many rows of ``x`` belong to each step, starting with B and never growing.
        reverse: walk from the last step to the first.

    Returns:
        (rows, R), (B, R) and for an LSTM (B, H); and arrays of which nobody else knows.
    """
    dtype, rows, width = x.dtype, len(x), _width(kind, x)
    starts, sizes = _walk(batch_sizes, reverse)
    is_lstm = kind == "lstm"
    gates = np.empty_like(x)
    inner = np.empty((0 if kind.startswith("rnn") else rows, width), dtype)
    before = np.empty((rows, h.shape[1]), dtype)
    cells = np.empty((rows if is_lstm else 0, width), dtype)
    out, last_h = np.empty_like(before), np.empty(h.shape, dtype)
    first_c = np.empty((0, width), dtype) if c is None else np.ascontiguousarray(c)
    last_c = np.empty_like(first_c)
    projection = np.empty((0, 0), dtype) if weights.projection is None else np.ascontiguousarray(weights.projection.T)
    sweep = _sweeps(kind, x)[0]
    hidden = np.ascontiguousarray(weights.hidden)
    _run(
        sweep, len(h), hidden, rows, np.ascontiguousarray(x), hidden, _bias(kind, x, weights), projection,
        np.ascontiguousarray(h), first_c, starts, sizes, gates, inner, before, cells, out, last_h, last_c,
    )  # fmt: skip
    return ((out, last_h, last_c) if is_lstm else (out, last_h)), (gates, inner, before, cells)


def backward(
    kind: str,
    gradients: Sequence[ndarray],
    weights: Weights,
    saved: Sequence[ndarray],
    batch_sizes: Sequence[int],
    reverse: bool,
) -> tuple[ndarray | None, ...]:
    """Gradients of ``x``, ``h``, ``c`` and the weights in their order; None for what is not there.

    Args:
        gradients: of what `forward` returns first.
        saved: what it returns second.
    """
    gates, inner, before, cells = saved
    starts, sizes = _walk(batch_sizes, reverse)
    g, *states = (np.ascontiguousarray(gradient) for gradient in gradients)
    gh = states[0].copy()
    gc = states[1].copy() if kind == "lstm" else np.empty((0, 0), g.dtype)
    gx = np.empty_like(gates)
    gm = np.empty_like(gates) if kind == "gru" else gx
    projects = weights.projection is not None
    projection = np.ascontiguousarray(weights.projection) if projects else np.empty((0, 0), g.dtype)
    gp = np.empty((len(g) if projects else 0, g.shape[1]), g.dtype)
    sweep = _sweeps(kind, gates)[1]
    hidden = np.ascontiguousarray(weights.hidden)
    _run(
        sweep, len(gh), hidden, len(g), g, gh, gc, hidden, projection, starts, sizes, gates, inner, before, cells,
        gx, gm, gp,
    )  # fmt: skip
    gb = None if weights.bias_ih is None else gx.sum(0)
    gb_hh = gb if gm is gx or gb is None else gm.sum(0)
    # The state before its projection: the output gate's value times tanh of the cell.
    gw_hr = gp.T @ (gates[:, 3 * inner.shape[1] :] * inner) if projects else None
    return gx, gh, gc if kind == "lstm" else None, gemm.product(gm.T, before), gb, gb_hh, gw_hr


def _sweeps(kind: str, gates: ndarray) -> Any:
    return compiled_sweeps(kind, gates.dtype) if _is_compiled(gates) else plain_sweeps(kind)


def _is_compiled(gates: ndarray) -> bool:
    return gates.size > 0 and jit.use_loops(gates.size)


def _width(kind: str, x: ndarray) -> int:
    return x.shape[1] // {"lstm": 4, "gru": 3}.get(kind, 1)


def _walk(batch_sizes: Sequence[int], reverse: bool) -> tuple[ndarray, ndarray]:
    """Where each step begins and how many rows it has, in the order of the walk; a step of no rows ends it."""
    sizes = np.asarray(batch_sizes, np.int64)
    starts = np.cumsum(sizes) - sizes
    if reverse:
        starts, sizes = starts[::-1], sizes[::-1]
    return np.append(starts, 0), np.append(sizes, 0)


def _run(sweep: Any, batch: int, weight: ndarray, rows: int, *arguments: Any) -> None:
    """A sweep over ``rows`` steps of ``batch`` sequences, which the threads share out among themselves."""
    if isinstance(sweep, FunctionType):
        sweep(0, 1, 1, *arguments, 0)
        return
    parts = max(1, min(threads.get_num_threads(), batch // SEQUENCES, rows * weight.size // GRAIN))
    threads.run(sweep, parts, parts, *arguments)


def _bias(kind: str, x: ndarray, weights: Weights) -> ndarray:
    """What is added to the sums of the gates; the GRU's new state has a bias on each side of the reset gate."""
    width = _width(kind, x)
    if weights.bias_ih is None or weights.bias_hh is None:
        return np.zeros(4 * width if kind == "gru" else x.shape[1], x.dtype)
    both = weights.bias_ih + weights.bias_hh
    if kind != "gru":
        return both
    return np.concatenate((both[: 2 * width], weights.bias_ih[2 * width :], weights.bias_hh[2 * width :]))
