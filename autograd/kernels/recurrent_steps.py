"""The steps of recurrent networks: each cell's formulas once, read over arrays or inside compiled loops.

A sweep walks over a packed sequence: the rows of its first step, then those of the next, one row for each sequence
that is as long. `starts` and `sizes` tell each step's rows in the order of the walk, and end with a step of no rows.
In one place for all cells lie, a row for each row of the sequence:

- ``gates``: what enters the gates from the input, side by side, and after the step what their functions gave; the GRU's
  last is the hidden part of its new state's.
- ``inner``: tanh of the LSTM's cell; what enters the GRU's new state from the input, and after the step the new state
  before it is mixed with the old one.
- ``before``, ``cells``: hidden state and cell before the step.

Here is no literal number, as an untyped one turns a float32 loop into a float64 one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from types import FunctionType
from typing import Any

import numpy as np

from .memory import ROOM, keep_freed_memory
from .on_arrays import sigmoid, tanh, where

__all__ = ["KINDS", "compiled_sweeps", "formula_of", "plain_sweeps"]

KINDS = ("lstm", "gru", "rnn_tanh", "rnn_relu")


zero = 0


def relu(x: Any) -> Any:
    return np.maximum(x, 0)


# --- Formulas ------------------------------------------------------------------------------------------------------


def lstm(i, f, g, o, c):
    """Gates, cell, its tanh and the hidden state, from the sums that enter the gates and the cell before."""
    i, f, g, o = sigmoid(i), sigmoid(f), tanh(g), sigmoid(o)
    c = f * c + i * g
    t = tanh(c)
    return i, f, g, o, c, t, o * t


def gru(r, z, n, m, h):
    """Gates, new state and the hidden state; ``m`` is what the hidden state before adds to the new state's sum."""
    r, z = sigmoid(r), sigmoid(z)
    n = tanh(n + r * m)
    return r, z, n, n + z * (h - n)


def rnn_tanh(a):
    return tanh(a)


def rnn_relu(a):
    return relu(a)


FORMULAS = {formula.__name__: formula for formula in (lstm, gru, rnn_tanh, rnn_relu)}


def lstm_back(i, f, g, o, c, t, gh, gc):
    """Gradients of the four sums and of the cell before, from those of hidden state and cell."""
    gt = gh * o
    gc = gc + gt - gt * t * t
    return gc * g * (i - i * i), gc * c * (f - f * f), gc * (i - i * g * g), gh * t * (o - o * o), gc * f


def gru_back(r, z, n, m, h, gh):
    """Gradients of the sums r, z, n, of ``m``, and of the hidden state before on its direct way."""
    gn = gh - gh * z
    gn = gn - gn * n * n
    return gn * m * (r - r * r), gh * (h - n) * (z - z * z), gn, gn * r, gh * z


def rnn_tanh_back(h, gh):
    return gh - gh * h * h


def rnn_relu_back(h, gh):
    return where(h > zero, gh, h)


# --- Sweeps, the same in both readings -----------------------------------------------------------------------------


def put(target, at, source, first, end):
    """Copies rows ``first..end`` of the source to rows of the target from ``at`` on."""
    target[at : at + end - first] = source[first:end]


def add(target, source, at):
    """Adds rows of the source from ``at`` on."""
    target += source[at : at + target.shape[0]]


def advance(values, size, target, first, last, next_start, next_size):
    """Of ``size`` rows those that go on stand before the next step, those that only begin there get their ``first``
    state, and those that ended have their ``last``."""
    both = min(size, next_size)
    put(target, next_start, values, 0, both)
    put(target, next_start + both, first, both, next_size)
    put(last, both, values, both, size)


def lay_out(matrix, room):
    """The matrix as `multiply` takes it."""
    return matrix


def multiply(rows, matrix, out, adds):
    """Writes the product, or adds it to what is there."""
    if adds:
        out += rows @ matrix
    else:
        np.dot(rows, matrix, out)


def forward_parts(
    start, stop, bounds, weight, projection, h, c, starts, sizes, gates, inner, before, cells, out, last_h, last_c, room
):
    """Parts ``start..stop`` of `forward_sweep`: sequences have nothing to do with each other. Each part has those from
    one of the ``bounds`` to the next, and its share of each step."""
    for part in range(start, stop):
        first, end = bounds[part], bounds[part + 1]
        forward_sweep(
            weight, room, projection, h[first:end], c[first:end], starts[part], sizes[part],
            gates, inner, before, cells, out, last_h[first:end], last_c[first:end],
        )  # fmt: skip


def backward_parts(
    start, stop, bounds, g, gh, gc, weight, projection, starts, sizes, gates, inner, before, cells, gx, gm, gp, room
):
    """Parts ``start..stop`` of `backward_sweep`."""
    for part in range(start, stop):
        first, end = bounds[part], bounds[part + 1]
        backward_sweep(
            g, gh[first:end], gc[first:end], weight, room, projection, starts[part], sizes[part],
            gates, inner, before, cells, gx, gm, gp,
        )  # fmt: skip


def forward_sweep(weight, room, projection, h, c, starts, sizes, gates, inner, before, cells, out, last_h, last_c):
    """Fills everything from ``gates`` on, in which is what the input brings. ``projection`` is transposed and may be
    empty; so may ``c`` and its kind, but for the LSTM. At the address ``room`` the weight is laid out."""
    matrix = lay_out(weight.T, room)
    width = inner.shape[1]
    cell = np.empty((c.shape[0], width), gates.dtype)
    hidden = np.empty((h.shape[0] if projection.shape[0] else 0, width), gates.dtype)
    advance(out, 0, before, h, last_h, starts[0], sizes[0])
    if c.shape[0]:
        advance(cell, 0, cells, c, last_c, starts[0], sizes[0])
    for step in range(sizes.size - 1):
        start, size = starts[step], sizes[step]
        stop = start + size
        multiply(before[start:stop], matrix, gates[start:stop], True)
        if projection.shape[0]:
            forward_step(gates, inner, before, cells, cell, hidden[:size], start)
            np.dot(hidden[:size], projection, out[start:stop])
        else:
            forward_step(gates, inner, before, cells, cell, out[start:stop], start)
        advance(out[start:stop], size, before, h, last_h, starts[step + 1], sizes[step + 1])
        if c.shape[0]:
            advance(cell, size, cells, c, last_c, starts[step + 1], sizes[step + 1])


def backward_sweep(g, gh, gc, weight, room, projection, starts, sizes, gates, inner, before, cells, gx, gm, gp):
    """Fills ``gx`` with the gradients of the gates' sums and ``gp`` with those of projected states; ``gh`` and ``gc``,
    the gradients of the last states, become those of the first ones. ``gm`` is the part of ``gx`` that belongs to what
    the hidden state brought: the GRU's begins behind that of the new state's other sum."""
    matrix = lay_out(weight, room)
    hidden = np.empty((gh.shape[0] if projection.shape[0] else 0, projection.shape[1]), gh.dtype)
    for step in range(sizes.size - 2, -1, -1):
        start, size = starts[step], sizes[step]
        stop = start + size
        rows = gh[:size]
        add(rows, g, start)
        if projection.shape[0]:
            put(gp, start, rows, 0, size)
            np.dot(rows, projection, hidden[:size])
            backward_step(gates, inner, before, cells, hidden[:size], gc, gx, start)
            multiply(gm[start:stop], matrix, rows, False)
        else:
            backward_step(gates, inner, before, cells, rows, gc, gx, start)
            multiply(gm[start:stop], matrix, rows, True)


def forward_step(*arguments: Any) -> None:
    """Stands for the step of a kind of cell."""
    raise NotImplementedError  # `_own` puts a kind's step in its place


backward_step = forward_step
formula: Any = None  # of the kind of cell; `formula_back` goes back
formula_back: Any = None
wide: Any = None  # see scalar.wide
unsigned: Any = None  # numba tests a signed index for being negative
address = tile_rows = tile_columns = multiply_tile = pack_columns = prefetch = unsigned  # of compiled loops


# --- Steps over arrays ---------------------------------------------------------------------------------------------


def _sides(rows: np.ndarray, count: int) -> list[np.ndarray]:
    width = rows.shape[1] // count
    return [rows[:, k * width : (k + 1) * width] for k in range(count)]


def _fill(targets: list[np.ndarray], results: tuple[np.ndarray, ...]) -> None:
    for target, result in zip(targets, results, strict=True):
        target[...] = result


def lstm_step(gates, inner, before, cells, cell, hidden, start):
    rows = slice(start, start + len(hidden))
    sides = _sides(gates[rows], 4)
    _fill([*sides, cell[: len(hidden)], inner[rows], hidden], formula(*sides, cells[rows]))


def lstm_step_back(gates, inner, before, cells, gh, gc, gx, start):
    rows = slice(start, start + len(gh))
    gc = gc[: len(gh)]
    _fill([*_sides(gx[rows], 4), gc], formula_back(*_sides(gates[rows], 4), cells[rows], inner[rows], gh, gc))
    gh[...] = 0


def gru_step(gates, inner, before, cells, cell, hidden, start):
    rows = slice(start, start + len(hidden))
    r, z, m = _sides(gates[rows], 3)
    _fill([r, z, inner[rows], hidden], formula(r, z, inner[rows], m, before[rows]))


def gru_step_back(gates, inner, before, cells, gh, gc, gx, start):
    rows = slice(start, start + len(gh))
    r, z, m = _sides(gates[rows], 3)
    gn, gr, gz, gm = _sides(gx[rows], 4)
    _fill([gr, gz, gn, gm, gh], formula_back(r, z, inner[rows], m, before[rows], gh))


def rnn_step(gates, inner, before, cells, cell, hidden, start):
    sums = gates[start : start + len(hidden)]
    hidden[...] = sums[...] = formula(sums)


def rnn_step_back(gates, inner, before, cells, gh, gc, gx, start):
    rows = slice(start, start + len(gh))
    gx[rows] = formula_back(gates[rows], gh)
    gh[...] = 0


# --- Steps as loops, to be compiled --------------------------------------------------------------------------------

AHEAD = 2  # rows


def ask(matrix, row):
    """Asks for a row that comes soon. Its gates are read side by side, which hides from the processor that rows follow
    each other: measured, the LSTM's steps took 1.2 times as long forward, and 1.1 times back."""
    prefetch(zero, address(matrix.ctypes.data) + (row + AHEAD) * matrix.strides[0], matrix.strides[0])


def lstm_loop(gates, inner, before, cells, cell, hidden, start):
    wide()
    count, size = hidden.shape
    width = unsigned(size)
    for row in range(count):
        b, c, t = gates[start + row], cells[start + row], inner[start + row]
        new, h = cell[row], hidden[row]
        for j in range(width):
            f, g, o = j + width, j + width + width, j + width + width + width
            b[j], b[f], b[g], b[o], new[j], t[j], h[j] = formula(b[j], b[f], b[g], b[o], c[j])


def lstm_loop_back(gates, inner, before, cells, gh, gc, gx, start):
    wide()
    count, size = gh.shape
    width = unsigned(size)
    for row in range(count):
        b, c, t, ga = gates[start + row], cells[start + row], inner[start + row], gx[start + row]
        ask(gates, start + row)
        ask(gx, start + row)
        h, cell = gh[row], gc[row]
        for j in range(width):
            f, g, o = j + width, j + width + width, j + width + width + width
            ga[j], ga[f], ga[g], ga[o], cell[j] = formula_back(b[j], b[f], b[g], b[o], c[j], t[j], h[j], cell[j])
    gh[:] = zero


def gru_loop(gates, inner, before, cells, cell, hidden, start):
    wide()
    count, size = hidden.shape
    width = unsigned(size)
    for row in range(count):
        b, old, n, h = gates[start + row], before[start + row], inner[start + row], hidden[row]
        for j in range(width):
            z, m = j + width, j + width + width
            b[j], b[z], n[j], h[j] = formula(b[j], b[z], n[j], b[m], old[j])


def gru_loop_back(gates, inner, before, cells, gh, gc, gx, start):
    wide()
    count, size = gh.shape
    width = unsigned(size)
    for row in range(count):
        b, old, n, h = gates[start + row], before[start + row], inner[start + row], gh[row]
        gn = gx[start + row]
        ask(gates, start + row)
        ask(gx, start + row)
        for j in range(width):
            z, m, last = j + width, j + width + width, j + width + width + width
            gn[z], gn[m], gn[j], gn[last], h[j] = formula_back(b[j], b[z], n[j], b[m], old[j], h[j])


def rnn_loop(gates, inner, before, cells, cell, hidden, start):
    wide()
    count, size = hidden.shape
    for row in range(count):
        b, h = gates[start + row], hidden[row]
        for j in range(unsigned(size)):
            b[j] = h[j] = formula(b[j])


def rnn_loop_back(gates, inner, before, cells, gh, gc, gx, start):
    wide()
    count, size = gh.shape
    for row in range(count):
        b, ga, h = gates[start + row], gx[start + row], gh[row]
        for j in range(unsigned(size)):
            ga[j] = formula_back(b[j], h[j])
    gh[:] = zero


def put_rows(target, at, source, first, end):
    """`put` without a word on shapes that do not fit, which takes three seconds to compile."""
    for row in range(end - first):
        for j in range(unsigned(target.shape[1])):
            target[at + row, j] = source[first + row, j]


def add_rows(target, source, at):
    """`add` by vectors, unlike numba's own loop."""
    for row in range(target.shape[0]):
        to, values = target[row], source[at + row]
        for j in range(unsigned(target.shape[1])):
            to[j] += values[j]


def lay_out_panels(matrix, room):
    """The address of the matrix in panels as wide as a tile, (count, K, columns of a tile), and what they lie in where
    they do not fit into the thread's room."""
    depth, width = matrix.shape
    row, column = matrix.strides
    high, wide = tile_rows(zero), tile_columns(zero)
    # The last panel's rows may be written beyond their end.
    numbers = ((width + wide - 1) // wide * depth + high) * wide
    own = np.empty(numbers if numbers * matrix.itemsize > ROOM else 0, matrix.dtype)
    target = room if own.size == 0 else address(own.ctypes.data)
    pack_columns(zero, matrix.itemsize, address(matrix.ctypes.data), row, column, depth, width, target)
    return target, own


def multiply_panels(rows, panels, out, adds):
    """`multiply` with a matrix in panels."""
    high, wide = tile_rows(zero), tile_columns(zero)
    step, depth = wide * out.itemsize, rows.shape[1]
    first, to = address(rows.ctypes.data), address(out.ctypes.data)
    for i in range(0, rows.shape[0], high):
        for k in range((out.shape[1] + wide - 1) // wide):
            target = to + i * out.strides[0] + k * step
            multiply_tile(
                zero, first + i * rows.strides[0], rows.strides[0], rows.strides[1],
                panels[0] + k * depth * step, step, depth,
                target, out.strides[0], target, out.strides[0], out.strides[1], adds,
                min(high, rows.shape[0] - i), min(wide, out.shape[1] - k * wide),
            )  # fmt: skip


# --- The two readings ----------------------------------------------------------------------------------------------


def formula_of(kind: str, **names: Any) -> Callable[..., Any]:
    """The formula of a kind of cell, over whatever the functions ``sigmoid``, ``tanh`` and ``relu`` take."""
    return _bound(FORMULAS[kind], kind, **names)


def _bound(function: Callable[..., Any], name: str, **names: Any) -> Any:
    """The function under a name of its own, with other things behind the names that it uses.

    What is compiled differently needs another name: by it numba's disk cache tells functions of one file apart, and so
    does the linker what two entries of the cache have in common, when processes of their own compiled them.
    """
    bound = FunctionType(function.__code__, {**globals(), **names}, name)
    bound.__qualname__ = name
    return bound


def _own(kind: str, suffix: str) -> tuple[Callable[..., Any], Callable[..., Any], dict[str, Any]]:
    """The steps of a kind, forward and back, and the formulas behind the names that they use."""
    family, backs = kind.partition("_")[0], (lstm_back, gru_back, rnn_tanh_back, rnn_relu_back)
    formulas = {"formula": FORMULAS[kind], "formula_back": backs[KINDS.index(kind)]}
    return globals()[f"{family}_{suffix}"], globals()[f"{family}_{suffix}_back"], formulas


@cache
def plain_sweeps(kind: str) -> tuple[Callable[..., None], Callable[..., None]]:
    """The two sweeps over arrays, of parts of the sequences."""
    step, step_back, names = _own(kind, "step")
    forward = _bound(forward_sweep, f"{kind}_forward", forward_step=_bound(step, step.__name__, **names))
    backward = _bound(backward_sweep, f"{kind}_backward", backward_step=_bound(step_back, step_back.__name__, **names))
    return (
        _bound(forward_parts, forward.__name__, forward_sweep=forward),
        _bound(backward_parts, backward.__name__, backward_sweep=backward),
    )


OPTIONS: dict[str, Any] = {
    "nogil": True,
    "no_cfunc_wrapper": True,
    "fastmath": {"contract", "arcp", "nsz"},
    "error_model": "numpy",
}


@cache
def _common(dtype: np.dtype) -> dict[str, Any]:
    """What the compiled sweeps of all kinds call: compiled once for each type."""
    from numba import intp, njit, uint64

    from . import gemm_loops, gemm_tile, math32, math64, scalar

    library: Any = math32 if dtype == np.float32 else math64
    zero = dtype.type(0)
    names = {
        "sigmoid": library.sigmoid,
        "tanh": library.tanh,
        "relu": scalar.inline(lambda x: library.maximum(x, zero)),
        "where": scalar.where,
        "zero": zero,
        "wide": scalar.wide,
        "unsigned": uint64,
        "address": intp,
        "tile_rows": gemm_tile.tile_rows,
        "tile_columns": gemm_tile.tile_columns,
        "multiply_tile": gemm_tile.multiply,
        "pack_columns": gemm_loops.pack_columns,
        "prefetch": gemm_tile.prefetch,
    }
    names["put"] = njit(**OPTIONS)(_bound(put_rows, "put", **names))
    names["add"] = njit(**OPTIONS)(_bound(add_rows, "add", **names))
    names["advance"] = njit(**OPTIONS)(_bound(advance, "advance", **names))
    names["ask"] = njit(**OPTIONS)(_bound(ask, "ask", **names))
    names["lay_out"] = njit(**OPTIONS)(_bound(lay_out_panels, "lay_out", **names))
    names["multiply"] = njit(**OPTIONS)(_bound(multiply_panels, "multiply", **names))
    return names


@cache
def compiled_sweeps(kind: str, dtype: np.dtype) -> tuple[Callable[..., None], Callable[..., None]]:
    """The two sweeps compiled, for float32 or float64."""
    from numba import njit

    from . import scalar
    from .compiled import compiled

    keep_freed_memory()
    names = dict(_common(dtype))
    step, step_back, formulas = _own(kind, "loop")
    names |= {key: scalar.inline(_bound(formula, formula.__name__, **names)) for key, formula in formulas.items()}
    own = {"forward_step": step, "backward_step": step_back}
    own |= {"forward_sweep": forward_sweep, "backward_sweep": backward_sweep}
    for name, function in own.items():
        names[name] = njit(**OPTIONS)(_bound(function, f"{kind}_{name}", **names))
    forward = _bound(forward_parts, f"{kind}_forward_{dtype.name}", **names)
    backward = _bound(backward_parts, f"{kind}_backward_{dtype.name}", **names)
    return compiled(**OPTIONS)(forward), compiled(**OPTIONS)(backward)
