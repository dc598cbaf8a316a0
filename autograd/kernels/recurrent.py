"""Recurrent networks over a packed sequence, in one direction of one layer: forward, and back.

A step multiplies the inputs and the hidden states of all sequences with the weights, and one pass makes the rest, while
the sums are near. Going back, the weights' gradients are products over all steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import prod
from types import FunctionType
from typing import Any, NamedTuple

import numpy as np

from . import jit, threads
from .memory import empty
from .recurrent_steps import compiled_sweeps, plain_sweeps

__all__ = ["Weights", "backward", "forward"]

ndarray = np.ndarray

GRAIN = 1 << 20  # products of states and weights worth a thread
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
        x: (..., I), the input: of its rows the first ones belong to the first step.
        h: (..., B, R), the first hidden states, of leading dimensions that are 1.
        c: (..., B, H), the first cells of an LSTM.
        batch_sizes: how many rows of ``x`` belong to each step, starting with B and never growing.
        reverse: walk from the last step to the first.

    Returns:
        (..., R), what is shaped as ``h``, and for an LSTM as ``c``; and arrays of which nobody else knows.
    """
    dtype, rows, width = x.dtype, sum(batch_sizes), _width(kind, weights)
    is_lstm, states = kind == "lstm", h.shape[-1]
    before, gates = _states_and_gates(weights, states, batch_sizes, reverse)
    inner = empty((rows if kind == "gru" else 0, width), dtype)
    cells = empty((rows if is_lstm else 0, width), dtype)
    out, last_h = empty((*x.shape[:-1], states), dtype), _copy(h)
    last_c = np.empty((0, width), dtype) if c is None else _copy(c)
    projection = np.empty((0, 0), dtype) if weights.projection is None else np.ascontiguousarray(weights.projection.T)
    sweep, _, lay_out, _ = _sweeps(kind, gates)
    bounds, *walk = _walk(tuple(batch_sizes), reverse, _parts(batch_sizes[0], rows, weights.hidden))
    _run(
        sweep, bounds, _as_rows(x), *_entering(kind, weights, lay_out), projection, *walk,
        gates, inner, before, cells, _as_rows(out), _as_rows(last_h), _as_rows(last_c),
    )  # fmt: skip
    return ((out, last_h, last_c) if is_lstm else (out, last_h)), (gates, inner, before, cells)


def _states_and_gates(
    weights: Weights, states: int, batch_sizes: Sequence[int], reverse: bool
) -> tuple[ndarray, ndarray]:
    """Memory for the hidden state before each step, and for the gates."""
    dtype, rows, gates, batch = weights.hidden.dtype, sum(batch_sizes), len(weights.hidden), batch_sizes[0]
    if gates != states or batch != batch_sizes[-1]:
        return empty((rows, states), dtype), empty((rows, gates), dtype)
    # The gate of an RNN is what stands before the next step.
    both = empty((rows + batch, gates), dtype)
    early, late = both[:rows], both[batch:]
    return (late, early) if reverse else (early, late)


def _entering(kind: str, weights: Weights, lay_out: Any) -> tuple[tuple[ndarray, ...], tuple[ndarray, ...]]:
    """Weights and biases as `recurrent_steps.enter` takes them."""
    w = np.concatenate(weights[:2], 1)
    none = np.empty((0, len(w)), w.dtype)
    b_ih, b_hh = (none if bias is None else np.ascontiguousarray(bias)[None] for bias in weights[2:4])
    both = b_ih + b_hh
    if kind != "gru":
        return (lay_out(w.T),), (both,)
    end = len(w) // 3 * 2
    parts = w[:end], *(np.ascontiguousarray(weight[end:]) for weight in weights[:2])
    return tuple(lay_out(part.T) for part in parts), (both[:, :end], b_ih[:, end:], b_hh[:, end:])


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
    rows, width = len(gates), _width(kind, weights)
    g, *states = (np.ascontiguousarray(gradient) for gradient in gradients)
    gh, gc = _copy(states[0]), _copy(states[1]) if kind == "lstm" else np.empty((0, 0), g.dtype)
    # Of all sums, and of these what the input brought and what the hidden state. Of the GRU's new state one is the
    # input's alone and comes first, one is the hidden state's and comes last.
    is_gru = kind == "gru"
    sums = empty((rows, 4 * width if is_gru else gates.shape[1]), gates.dtype)
    turn = width if is_gru else 0
    projects = weights.projection is not None
    projection = np.ascontiguousarray(weights.projection) if projects else np.empty((0, 0), g.dtype)
    gp = empty((rows if projects else 0, g.shape[-1]), g.dtype)
    gx = empty(x.shape, x.dtype) if "x" in wanted else None
    x, dtype, count = _as_rows(x), g.dtype, len(weights.hidden)
    gw_ih = empty((count, x.shape[1] if "w_ih" in wanted else 0), dtype)
    gw_hh, gb = empty(weights.hidden.shape, dtype), np.empty(sums.shape[1], dtype)
    _, sweep, lay_out, weigh = _sweeps(kind, gates)
    bounds, *walk = _walk(tuple(batch_sizes), reverse, _parts(batch_sizes[0], rows, weights.hidden))
    _run(
        sweep, bounds, _as_rows(g), _as_rows(gh), _as_rows(gc),
        lay_out(_turned(np.ascontiguousarray(weights.input), -turn)), lay_out(np.ascontiguousarray(weights.hidden)),
        projection, *walk,
        gates, inner, before, cells, sums, x[:0] if gx is None else _as_rows(gx), gp,
    )  # fmt: skip
    # The first and the last columns of a GRU's sums are of one weight alone, and its last rows belong to them.
    shared, rest = slice(count - turn), slice(count - turn, count)
    for first, own, brought in ((turn, shared, shared), (0, rest, slice(0)), (count, slice(0), rest))[: 1 + 2 * is_gru]:
        some = gb[first : first + (count - turn if first == turn else turn)]
        grain = max(1, GRAIN // before.size) if before.size else 1
        threads.run(weigh, some.size, sums, first, x, before, gw_ih[own], gw_hh[brought], some, grain=grain)
    gb_ih = gb_hh = None
    # Not one array for both: the pass takes all gradients of such a rule for shared ones.
    if weights.bias_ih is not None:
        gb_ih, gb_hh = _turned(gb[:count], turn).copy(), gb[turn:]
    gw_hr = None
    if projects:  # the states before their projection are made again
        i, f, new, o = np.split(gates, 4, 1)
        gw_hr = gp.T @ (o * np.tanh(f * cells + i * new))
    return gx, gh, gc if kind == "lstm" else None, gw_ih if "w_ih" in wanted else None, gw_hh, gb_ih, gb_hh, gw_hr


def _copy(array: ndarray) -> ndarray:
    """A copy that begins with a line of the cache."""
    result = empty(array.shape, array.dtype)
    result[...] = array
    return result


def _as_rows(array: ndarray) -> ndarray:
    return np.ascontiguousarray(array).reshape(prod(array.shape[:-1]), array.shape[-1])


def _turned(rows: ndarray, count: int) -> ndarray:
    """The first rows behind the others."""
    return np.concatenate((rows[count:], rows[:count])) if count else rows


def _sweeps(kind: str, gates: ndarray) -> Any:
    is_compiled = gates.size > 0 and jit.use_loops(gates.size)
    return compiled_sweeps(kind, gates.dtype) if is_compiled else plain_sweeps(kind)


def _width(kind: str, weights: Weights) -> int:
    return len(weights.hidden) // {"lstm": 4, "gru": 3}.get(kind, 1)


def _parts(batch: int, rows: int, weight: ndarray) -> int:
    """How many threads share the sequences."""
    return max(1, min(threads.get_num_threads(), batch // SEQUENCES, rows * weight.size // GRAIN))


@lru_cache(64)
def _walk(batch_sizes: tuple[int, ...], reverse: bool, parts: int) -> tuple[ndarray, ndarray, ndarray]:
    """The first sequence of each part that a thread walks along, and the end of the last one; and for each part, in the
    order of the walk, where its share of a step begins and how many rows it has."""
    sizes = np.array(batch_sizes, np.int64)
    bounds = np.arange(parts + 1) * sizes.max(initial=0) // parts
    starts = np.cumsum(sizes) - sizes
    if reverse:
        starts, sizes = starts[::-1], sizes[::-1]
    first, end = bounds[:-1, None], bounds[1:, None]
    return bounds, starts + first, np.clip(sizes, first, end) - first


def _run(sweep: Any, bounds: ndarray, *arguments: Any) -> None:
    """A sweep over all parts, which the threads share out among themselves."""
    parts = len(bounds) - 1
    if isinstance(sweep, FunctionType):
        sweep(0, parts, bounds, *arguments)
    else:
        threads.run(sweep, parts, bounds, *arguments)
