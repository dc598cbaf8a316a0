"""Recurrent networks over a packed sequence, in one direction of one layer: forward, and back.

The input's share of each gate comes from one matrix product for all steps; a step adds the product of the hidden states
of all sequences with the other weight, and one pass makes the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
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
    """What a direction of a layer owns; the last three may be None.

    Attributes:
        input: (G, I), what the input brings to the gates; G is 4H, 3H or H.
        hidden: (G, R), what the hidden state brings to them; R is H where nothing is projected.
        bias_ih: (G,).
        bias_hh: (G,).
        projection: (R, H), what makes the hidden state smaller; of the LSTM alone.
    """

    input: ndarray
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
        x: (rows, I), the input.
        h: (B, R), the first hidden states.
        c: (B, H), the first cells of an LSTM.
        batch_sizes: how many rows of ``x`` belong to each step, starting with B and never growing.
        reverse: walk from the last step to the first.

    Returns:
        (rows, R), (B, R) and for an LSTM (B, H); and arrays of which nobody else knows.
    """
    dtype, rows, width = x.dtype, len(x), _width(kind, weights)
    is_lstm = kind == "lstm"
    gates = np.empty((rows, len(weights.hidden)), dtype)
    inner = np.empty((0 if kind.startswith("rnn") else rows, width), dtype)
    before = np.empty((rows, h.shape[1]), dtype)
    cells = np.empty((rows if is_lstm else 0, width), dtype)
    out, last_h = np.empty_like(before), np.empty(h.shape, dtype)
    first_c = np.empty((0, width), dtype) if c is None else np.ascontiguousarray(c)
    last_c = np.empty_like(first_c)
    projection = np.empty((0, 0), dtype) if weights.projection is None else np.ascontiguousarray(weights.projection.T)
    _enter(kind, x, weights, gates, inner)
    sweep = _sweeps(kind, gates)[0]
    hidden = np.ascontiguousarray(weights.hidden)
    bounds, *walk = _walk(tuple(batch_sizes), reverse, _parts(len(h), rows, hidden))
    _run(
        sweep, bounds, hidden, projection, np.ascontiguousarray(h), first_c, *walk,
        gates, inner, before, cells, out, last_h, last_c,
    )  # fmt: skip
    return ((out, last_h, last_c) if is_lstm else (out, last_h)), (gates, inner, before, cells)


def _enter(kind: str, x: ndarray, weights: Weights, gates: ndarray, inner: ndarray) -> None:
    """Writes into ``gates`` what enters them besides the hidden state's share. The GRU's new state is made of two sums:
    the hidden state's has its place in ``gates``, the input's in ``inner``."""
    bias_ih, bias_hh = weights.bias_ih, weights.bias_hh
    both = None if bias_ih is None or bias_hh is None else bias_ih + bias_hh
    end = gates.shape[1] if kind != "gru" else 2 * inner.shape[1]
    gemm.product(x, weights.input[:end].T, both if both is None else both[:end], out=gates[:, :end])
    if kind == "gru":
        gemm.product(x, weights.input[end:].T, bias_ih if bias_ih is None else bias_ih[end:], out=inner)
        gates[:, end:] = 0 if bias_hh is None else bias_hh[end:]


def backward(
    kind: str,
    gradients: Sequence[ndarray],
    x: ndarray,
    weights: Weights,
    saved: Sequence[ndarray],
    batch_sizes: Sequence[int],
    reverse: bool,
    wanted: Sequence[str] = ("x", "w_ih"),
) -> tuple[ndarray | None, ...]:
    """Gradients of ``x``, ``h``, ``c`` and the weights in their order; None for what is not there.

    Args:
        gradients: of what `forward` returns first.
        saved: what it returns second.
        wanted: without ``"x"`` or ``"w_ih"`` that of the input or of its weight is not computed.
    """
    gates, inner, before, cells = saved
    width = _width(kind, weights)
    g, *states = (np.ascontiguousarray(gradient) for gradient in gradients)
    gh = states[0].copy()
    gc = states[1].copy() if kind == "lstm" else np.empty((0, 0), g.dtype)
    # Of all sums, and of these what the input brought and what the hidden state. Of the GRU's new state one is the
    # input's alone and comes first, one is the hidden state's and comes last.
    is_gru = kind == "gru"
    sums = np.empty((len(gates), 4 * width if is_gru else gates.shape[1]), gates.dtype)
    entered, brought = (sums[:, : 3 * width], sums[:, width:]) if is_gru else (sums, sums)
    turn = width if is_gru else 0
    projects = weights.projection is not None
    projection = np.ascontiguousarray(weights.projection) if projects else np.empty((0, 0), g.dtype)
    gp = np.empty((len(g) if projects else 0, g.shape[1]), g.dtype)
    sweep = _sweeps(kind, gates)[1]
    hidden = np.ascontiguousarray(weights.hidden)
    bounds, *walk = _walk(tuple(batch_sizes), reverse, _parts(len(gh), len(g), hidden))
    _run(
        sweep, bounds, g, gh, gc, hidden, projection, *walk,
        gates, inner, before, cells, sums, brought, gp,
    )  # fmt: skip
    gx = gemm.product(entered, _turned(weights.input, -turn)) if "x" in wanted else None
    gw_ih = _turned(gemm.product(entered.T, x), turn) if "w_ih" in wanted else None
    total = None if weights.bias_ih is None else sums.sum(0)
    gb_ih = gb_hh = total
    if is_gru and total is not None:
        gb_ih, gb_hh = _turned(total[: 3 * width], turn), total[width:]
    # The state before its projection: the output gate's value times tanh of the cell.
    gw_hr = gp.T @ (gates[:, 3 * width :] * inner) if projects else None
    return gx, gh, gc if kind == "lstm" else None, gw_ih, gemm.product(brought.T, before), gb_ih, gb_hh, gw_hr


def _turned(rows: ndarray, count: int) -> ndarray:
    """The first rows behind the others."""
    return np.concatenate((rows[count:], rows[:count])) if count else rows


def _sweeps(kind: str, gates: ndarray) -> Any:
    return compiled_sweeps(kind, gates.dtype) if _is_compiled(gates) else plain_sweeps(kind)


def _is_compiled(gates: ndarray) -> bool:
    return gates.size > 0 and jit.use_loops(gates.size)


def _width(kind: str, weights: Weights) -> int:
    return len(weights.hidden) // {"lstm": 4, "gru": 3}.get(kind, 1)


def _parts(batch: int, rows: int, weight: ndarray) -> int:
    """How many threads share the sequences."""
    return max(1, min(threads.get_num_threads(), batch // SEQUENCES, rows * weight.size // GRAIN))


@lru_cache(64)
def _walk(batch_sizes: tuple[int, ...], reverse: bool, parts: int) -> tuple[ndarray, ndarray, ndarray]:
    """The first sequence of each part that a thread walks along, and the end of the last one; and for each part, in the
    order of the walk, where its share of a step begins and how many rows it has; a step of no rows ends it."""
    sizes = np.array(batch_sizes, np.int64)
    bounds = np.arange(parts + 1) * sizes.max(initial=0) // parts
    starts = np.cumsum(sizes) - sizes
    if reverse:
        starts, sizes = starts[::-1], sizes[::-1]
    first, end = bounds[:-1, None], bounds[1:, None]
    return bounds, np.append(starts, 0) + first, np.clip(np.append(sizes, 0), first, end) - first


def _run(sweep: Any, bounds: ndarray, *arguments: Any) -> None:
    """A sweep over all parts, which the threads share out among themselves."""
    parts = len(bounds) - 1
    if isinstance(sweep, FunctionType):
        sweep(0, parts, bounds, *arguments, 0)
    else:
        threads.run(sweep, parts, bounds, *arguments)
