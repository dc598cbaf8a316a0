"""Recurrent networks: tanh and ReLU, GRU and LSTM, of any number of layers and directions, and their cells.

One row is one direction of one layer over a whole sequence, which is packed: the rows of the first step, then those of
the next, ...
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from ... import kernels
from ...forward_ad import pull_through
from ...rows.batching import is_batched
from ...rows.dispatch import apply
from ...rows.public import FUNCTIONAL, TORCH, function
from ...rows.table import Array, _, coarse
from ...tensor import Tensor
from ..convert import check_tensor
from .dropouts import dropout as drop

KINDS = kernels.recurrent_steps.KINDS
FUSED = (np.float32, np.float64)


@coarse(
    latex=r"h_t = \mathrm{cell}(x_t, h_{t-1})",
    extras=("gates", "inner", "before", "cells"),
    outputs=None,
    home="",
    node_name=lambda kind: "".join(part.capitalize() for part in kind.split("_")),
    complex=False,
)
def recurrence(
    x: Array,
    h: Array,
    c: Array,
    w_ih: Array,
    w_hh: Array,
    b_ih: Array,
    b_hh: Array,
    w_hr: Array,
    kind,
    batch_sizes,
    reverse,
):
    weights = kernels.recurrent.Weights(w_ih, w_hh, b_ih, b_hh, w_hr)
    results, saved = kernels.recurrent.forward(kind, x, h, c, weights, batch_sizes, reverse)
    return results, *saved


@recurrence.gradient("x", "h", "c", "w_ih", "w_hh", "b_ih", "b_hh", "w_hr")
def _(
    g, x, h, c, w_ih, w_hh, b_ih, b_hh, w_hr, gates, inner, before, cells, kind, batch_sizes, reverse, wanted
):  # fmt: skip
    if not isinstance(x, Tensor):
        weights, saved = kernels.recurrent.Weights(w_ih, w_hh, b_ih, b_hh, w_hr), (gates, inner, before, cells)
        return kernels.recurrent.backward(kind, g, x, weights, saved, batch_sizes, reverse, wanted)
    inputs = (x, h, c, w_ih, w_hh, b_ih, b_hh, w_hr)
    composed = functools.partial(step_by_step, kind=kind, batch_sizes=batch_sizes, reverse=reverse)
    return pull_through(composed, inputs, g)


def step_by_step(
    x: Tensor,
    h: Tensor,
    c: Tensor | None,
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor | None,
    b_hh: Tensor | None,
    w_hr: Tensor | None,
    kind: str,
    batch_sizes: Sequence[int],
    reverse: bool,
) -> tuple[Tensor, ...]:
    """`recurrence`, made of other rows."""
    formula = kernels.recurrent_steps.formula_of(kind, sigmoid=_.sigmoid, tanh=_.tanh, relu=_.relu)
    own_sums = FUNCTIONAL["linear"](x, w_ih, b_ih)
    parts = own_sums.reshape(sum(batch_sizes), own_sums.shape[-1]).split(list(batch_sizes))
    order = range(len(parts))[::-1] if reverse else range(len(parts))
    first = [state.reshape(state.shape[-2:]) for state in (h, c) if state is not None]
    states = [state[:0] for state in first]
    ended: list[list[Tensor]] = [[] for _ in first]
    outs: list[Any] = [None] * len(parts)
    for step in order:
        size = batch_sizes[step]
        for i, state in enumerate(states):
            if len(state) > size:
                ended[i].append(state[size:])
                states[i] = state[:size]
            elif len(state) < size:
                states[i] = TORCH["cat"]((state, first[i][len(state) : size]))
        own, brought = parts[step], FUNCTIONAL["linear"](states[0], w_hh, b_hh)
        if kind == "lstm":
            *_gates, states[1], states[0] = formula(*(own + brought).chunk(4, 1), states[1])
        elif kind == "gru":
            (r, z, n), (r_h, z_h, m) = own.chunk(3, 1), brought.chunk(3, 1)
            states[0] = formula(r + r_h, z + z_h, n, m, states[0])[-1]
        else:
            states[0] = formula(own + brought)
        if w_hr is not None:
            states[0] = FUNCTIONAL["linear"](states[0], w_hr)
        outs[step] = states[0]
    last = [TORCH["cat"]((state, *before[::-1])) for state, before in zip(states, ended, strict=True)]
    shapes = [state.shape for state in (h, c) if state is not None]
    last = [state.reshape(shape) for state, shape in zip(last, shapes, strict=True)]
    return TORCH["cat"](outs).reshape(*x.shape[:-1], h.shape[-1]), *last


def _run(
    kind: str, x: Tensor, states: Sequence[Tensor], weights: Sequence[Any], batch_sizes: Sequence[int], reverse: bool
) -> tuple[Tensor, ...]:
    """One direction of one layer on ``x``, (rows, I) or (T, B, I): the hidden states of all rows, and the last ones."""
    _check_weights(kind, x, states, weights)
    h, c = states if kind == "lstm" else (states[0], None)
    arguments = (x, h, c, *weights, kind, tuple(batch_sizes), reverse)
    tensors = [value for value in arguments[:8] if value is not None]
    if any(is_batched(value) for value in tensors) or tensors[0]._array.dtype not in FUSED:
        return step_by_step(*arguments)
    return apply(recurrence, arguments, {})


GATES = {"lstm": 4, "gru": 3, "rnn_tanh": 1, "rnn_relu": 1}
NAMES = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")


def _check_weights(kind: str, x: Tensor, states: Sequence[Tensor], weights: Sequence[Any]) -> None:
    hidden, outputs = states[-1].shape[-1], states[0].shape[-1]
    rows = GATES[kind] * hidden
    shapes = ((rows, x.shape[-1]), (rows, outputs), (rows,), (rows,), (outputs, hidden))
    for name, weight, shape in zip(NAMES, weights, shapes, strict=True):
        if weight is not None and tuple(weight.shape) != shape:
            raise RuntimeError(
                f"{kind}: {name} has shape {list(weight.shape)}, but input {list(x.shape)} and {GATES[kind]} gates of "
                f"hidden size {hidden} expect {list(shape)}"
            )
    for name, value in (*(("hx", state) for state in states), *zip(NAMES, weights, strict=True)):
        if value is not None and value.dtype is not x.dtype:
            raise RuntimeError(
                f"{kind}: input and {name} must have the same dtype, but got {x.dtype} and {value.dtype}"
            )


# --- Layers --------------------------------------------------------------------------------------------------------


def _layers(
    kind: str,
    x: Tensor,
    batch_sizes: Sequence[int],
    states: Sequence[Tensor],
    params: Sequence[Tensor],
    has_biases: bool,
    num_layers: int,
    dropout: float,
    train: bool,
    bidirectional: bool,
) -> tuple[Tensor, ...]:
    """All layers on ``x``, packed or not: the last one's hidden states, and the last states of all."""
    directions = 2 if bidirectional else 1
    places = num_layers * directions
    projects = kind == "lstm" and states[0].shape[-1] != states[1].shape[-1]
    count = 2 + 2 * has_biases + projects
    if len(params) != places * count:
        raise RuntimeError(
            f"{kind}: got an incorrect number of RNN parameters: {len(params)}, but {num_layers} layers of "
            f"{directions} directions have {count} each"
        )
    _check_states(kind, states, places, batch_sizes[0])
    finals: list[tuple[Tensor, ...]] = []
    for layer in range(num_layers):
        outs = []
        for reverse in range(directions):
            place = layer * directions + reverse
            own: list[Any] = list(params[place * count : (place + 1) * count])
            own[2:2] = [] if has_biases else [None, None]
            own += [] if projects else [None]
            # One place takes and gives the states of all as they are.
            given = states if places == 1 else [state[place] for state in states]
            out, *last = _run(kind, x, given, own, batch_sizes, bool(reverse))
            outs.append(out)
            finals.append(tuple(last))
        x = outs[0] if directions == 1 else TORCH["cat"](outs, -1)
        if layer < num_layers - 1:
            x = drop(x, dropout, train)
    if places == 1:
        return x, *finals[0]
    return x, *(TORCH["stack"](each) for each in zip(*finals, strict=True))


def _check_states(kind: str, states: Sequence[Tensor], layers: int, batch: int) -> None:
    for state in states:
        if state.ndim != 3 or state.shape[:2] != (layers, batch):
            raise RuntimeError(
                f"{kind}: Expected hidden size [{layers}, {batch}, hidden_size], got {list(state.shape)}"
            )


def _pair(name: str, hx: Any) -> tuple[Tensor, ...]:
    if not isinstance(hx, (tuple, list)):
        raise TypeError(f"{name}(): argument 'hx' must be tuple of Tensors, not {type(hx).__name__}")
    if len(hx) != 2:
        raise RuntimeError(f"{name} expects two hidden states, but got {len(hx)}")
    return tuple(hx)


PADDED = ("input", "hx", "params", "has_biases", "num_layers", "dropout", "train", "bidirectional", "batch_first")
PACKED = ("data", "batch_sizes", "hx", *PADDED[2:-1])


def _call(kind: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Tensor, ...]:
    """Both ways to call a network: with padded sequences, and with packed ones."""
    hx_place = 2 if kind != "lstm" else 1
    packed = "batch_sizes" in kwargs or (
        len(args) > hx_place and all(isinstance(value, Tensor) for value in args[1 : hx_place + 1])
    )
    names = PACKED if packed else PADDED
    given = {**dict(zip(names, args, strict=False)), **kwargs}
    if len(args) > len(names) or len(given) < len(args) + len(kwargs) or set(given) != set(names):
        raise TypeError(f"{kind}() takes the arguments {', '.join(PADDED)}; or {', '.join(PACKED)}")
    if not isinstance(given["params"], (list, tuple)):
        raise TypeError(f"{kind}(): argument 'params' must be tuple of Tensors, not {type(given['params']).__name__}")
    x = check_tensor(kind, names[0], given[names[0]])
    hx = given["hx"]
    states = _pair(kind, hx) if kind == "lstm" else (hx,)
    for state in states:
        check_tensor(kind, "hx", state)
    options = [given[name] for name in PADDED[2:-1]]
    if packed:
        batch_sizes = given["batch_sizes"].tolist()
        if x.ndim != 2 or sum(batch_sizes) != x.shape[0]:
            raise RuntimeError(
                f"{kind}: data {list(x.shape)} should have as many rows as batch_sizes {batch_sizes} add up to"
            )
        return _layers(kind, x, batch_sizes, states, *options)
    if x.ndim != 3:
        raise IndexError(f"{kind}: Expected input to be 3D, got {x.ndim}D: {list(x.shape)}")
    if given["batch_first"]:
        x = x.transpose(0, 1)
    steps, batch, _features = x.shape
    if steps == 0:
        raise RuntimeError("Expected sequence length to be larger than 0 in RNN")
    out, *last = _layers(kind, x, [batch] * steps, states, *options)
    return out.transpose(0, 1) if given["batch_first"] else out, *last


@function(method=False)
def lstm(*args: Any, **kwargs: Any) -> tuple[Tensor, ...]:
    """Long short-term memory (Hochreiter and Schmidhuber, 1997): ``(output, h_n, c_n)``.

    ``lstm(input, hx, params, has_biases, num_layers, dropout, train, bidirectional, batch_first)``, or packed
    ``lstm(data, batch_sizes, hx, params, has_biases, num_layers, dropout, train, bidirectional)``.

    Args:
        input: (T, B, I), or (B, T, I) with ``batch_first``; packed ``data`` is (rows, I).
        batch_sizes: the rows of each step: integers that never grow, starting with B.
        hx: ``h_0`` (layers · directions, B, H) and ``c_0``; where weights project, the former's H is smaller.
        params: for each layer and direction ``weight_ih, weight_hh, bias_ih, bias_hh, weight_hr``, without those that
            there are not.
        has_biases: whether there are biases.
        num_layers: how many layers.
        dropout: probability of dropout between layers.
        train: whether to drop out.
        bidirectional: a second direction walks from the last step to the first.

    Raises:
        RuntimeError: shapes or numbers of weights that do not fit.

    >>> import autograd, nn
    >>> m, zeros = nn.LSTM(3, 5), autograd.zeros(1, 2, 5)
    >>> autograd.lstm(autograd.ones(4, 2, 3), (zeros, zeros), m._flat_weights, True, 1, 0, False, False, False)[0].shape
    torch.Size([4, 2, 5])
    """
    return _call("lstm", args, kwargs)


def _publish(kind: str, what: str) -> None:
    def network(*args: Any, **kwargs: Any) -> tuple[Tensor, ...]:
        return _call(kind, args, kwargs)

    network.__name__ = network.__qualname__ = kind
    network.__doc__ = f"{what}: ``(output, h_n)``. Arguments are those of `lstm`, with one tensor for ``hx``."

    def cell(
        input: Tensor,
        hx: Tensor,
        w_ih: Tensor,
        w_hh: Tensor,
        b_ih: Tensor | None = None,
        b_hh: Tensor | None = None,
    ) -> Tensor:
        return _cell(f"{kind}_cell", kind, input, (hx,), w_ih, w_hh, b_ih, b_hh)[0]

    cell.__name__ = cell.__qualname__ = f"{kind}_cell"
    cell.__doc__ = (
        f"{what}, one step: the next hidden state (B, H). Arguments are those of `lstm_cell`, with one tensor for "
        "``hx``."
    )
    for written in (network, cell):
        function(method=False)(written)


_publish("gru", "Gated recurrent unit (Cho et al., 2014)")
_publish("rnn_tanh", "Recurrent network of Elman (1990) with tanh")
_publish("rnn_relu", "Recurrent network of Elman (1990) with ReLU")


# --- Cells ---------------------------------------------------------------------------------------------------------


@function(method=False)
def lstm_cell(
    input: Tensor,
    hx: Sequence[Tensor],
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> tuple[Tensor, ...]:
    """Long short-term memory, one step: the next ``(h, c)``.

    Args:
        input: (B, I).
        hx: ``(h, c)``, each (B, H).
        w_ih: (4H, I).
        w_hh: (4H, H).
        b_ih: (4H,), or None.
        b_hh: (4H,), or None.

    Raises:
        RuntimeError: shapes that do not fit.

    >>> import autograd
    >>> state = autograd.zeros(2, 5)
    >>> h, c = autograd.lstm_cell(autograd.ones(2, 3), (state, state), autograd.ones(20, 3), autograd.ones(20, 5))
    >>> h.shape
    torch.Size([2, 5])
    """
    return _cell("lstm_cell", "lstm", input, _pair("lstm_cell", hx), w_ih, w_hh, b_ih, b_hh)


def _cell(name: str, kind: str, input: Tensor, states: tuple[Tensor, ...], *weights: Any) -> tuple[Tensor, ...]:
    for argument, value in (("input", input), *(("hx", state) for state in states)):
        check_tensor(name, argument, value)
    w_ih, w_hh, *biases = weights
    if input.ndim != 2:
        raise IndexError(f"{name}: input should be 2-dimensional, [batch, {w_ih.shape[1]}], but is {list(input.shape)}")
    for state in states:
        if tuple(state.shape) != (input.shape[0], w_hh.shape[1]):
            raise RuntimeError(
                f"{name}: hidden state {list(state.shape)} doesn't match input {list(input.shape)} and weight_hh "
                f"{list(w_hh.shape)}: expected [{input.shape[0]}, {w_hh.shape[1]}]"
            )
    given = sum(bias is not None for bias in biases)
    zeros = None if given != 1 else next(bias for bias in biases if bias is not None).detach() * 0
    biases = [zeros if bias is None else bias for bias in biases]
    return _run(kind, input, states, [w_ih, w_hh, *biases, None], (input.shape[0],), False)[1:]


__all__ = ["lstm", "lstm_cell", "recurrence", "step_by_step"]
