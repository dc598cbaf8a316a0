"""The steps of recurrent networks: each cell's formulas once, read over arrays or inside compiled loops.

A sweep walks over a packed sequence: the rows of its first step, then those of the next, one row for each sequence
that is as long. `starts` and `sizes` tell each step's rows in the order of the walk.
In one place for all cells lie, a row for each row of the sequence:

- ``gates``: what enters the gates, side by side, and after the step what their functions gave; the GRU's last is the
  hidden part of its new state's.
- ``inner``: of the GRU alone, what enters its new state from the input, and after the step the new state before it is
  mixed with the old one.
- ``before``, ``cells``: hidden state and cell before the step.

Here is no literal number, as an untyped one turns a float32 loop into a float64 one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from types import FunctionType
from typing import Any

import numpy as np

from .gemm import product
from .on_arrays import sigmoid, tanh, where

__all__ = ["KINDS", "compiled_sweeps", "formula_of", "plain_sweeps"]

KINDS = ("lstm", "gru", "rnn_tanh", "rnn_relu")


zero = 0


def relu(x: Any) -> Any:
    return np.maximum(x, 0)


# --- Formulas ------------------------------------------------------------------------------------------------------


def lstm(i, f, g, o, c):
    """Gates, cell and the hidden state, from the sums that enter the gates and the cell before."""
    i, f, g, o = sigmoid(i), sigmoid(f), tanh(g), sigmoid(o)
    c = f * c + i * g
    return i, f, g, o, c, o * tanh(c)


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


def lstm_back(i, f, g, o, c, gh, gc):
    """Gradients of the four sums and of the cell before, from those of hidden state and cell. To compute tanh of the
    cell again takes less time than to keep it."""
    t = tanh(f * c + i * g)
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


def put(target, left, source, first, end):
    """Copies rows ``first..end`` of the source to the first rows of the target, from a column on."""
    target[: end - first, left : left + source.shape[1]] = source[first:end]


def take(target, source, left):
    """Fills the target from the first rows of the source, from a column on."""
    target[:] = source[: target.shape[0], left:]


def add(target, source, at):
    """Adds rows of the source from ``at`` on."""
    target += source[at : at + target.shape[0]]


def lay_out(matrix):
    """The matrix as `multiply` takes it."""
    return matrix


def multiply(rows, matrix, added, out):
    """Writes ``rows @ matrix + added``. What is added may be ``out``, one row for all, or have no rows."""
    if len(added):
        np.add(rows @ matrix, added, out)
    else:
        np.matmul(rows, matrix, out)


def enter(entering, weights, biases, gates, inner):
    """Writes the sums that enter the gates of a step."""
    multiply(entering, weights[0], biases[0][:, : gates.shape[1]], gates[:, : gates.shape[1]])


def gru_enter(entering, weights, biases, gates, inner):
    """`enter` for the GRU, whose new state is made of two sums: the input's goes to ``inner``."""
    width = inner.shape[1]
    features, both = entering.shape[1] - width, width + width
    multiply(entering, weights[0], biases[0][:, :both], gates[:, :both])
    multiply(entering[:, :features], weights[1], biases[1][:, :width], inner[:, :width])
    multiply(entering[:, features:], weights[2], biases[2][:, :width], gates[:, both:])


def leave(sums, matrix, none, gh):
    """Writes the gradients of the hidden states before a step, which has all of them by its product alone."""
    multiply(sums, matrix, none, gh)


def gru_leave(sums, matrix, none, gh):
    """`leave` for the GRU, whose state has gone on in part: what that brings stands there."""
    multiply(sums, matrix, gh, gh)


def forward_parts(
    start, stop, bounds, x, weights, biases, projection, starts, sizes,
    gates, inner, before, cells, out, h, c,
):  # fmt: skip
    """Parts ``start..stop`` of `forward_sweep`: sequences have nothing to do with each other. Each part has those from
    one of the ``bounds`` to the next, and its share of each step."""
    for part in range(start, stop):
        first, end = bounds[part], bounds[part + 1]
        forward_sweep(
            x, weights, biases, projection, starts[part], sizes[part],
            gates, inner, before, cells, out, h[first:end], c[first:end],
        )  # fmt: skip


def backward_parts(
    start, stop, bounds, g, gh, gc, w_ih, w_hh, projection, starts, sizes, gates, inner, before, cells, sums, gx, gp
):
    """Parts ``start..stop`` of `backward_sweep`."""
    for part in range(start, stop):
        first, end = bounds[part], bounds[part + 1]
        backward_sweep(
            g, gh[first:end], gc[first:end], w_ih, w_hh, projection, starts[part], sizes[part],
            gates, inner, before, cells, sums, gx, gp,
        )  # fmt: skip


def forward_sweep(x, weights, biases, projection, starts, sizes, gates, inner, before, cells, out, h, c):
    """Fills everything from ``gates`` on; ``h`` and ``c``, the first states, become the last ones: those of a sequence
    stay as they are while it has not begun, or has ended. ``weights``, laid out, and ``biases`` are what `enter` takes;
    ``projection`` is transposed and may be empty; so may ``c`` and its kind, but for the LSTM."""
    width = projection.shape[0] or out.shape[1]
    hidden = np.empty((h.shape[0] if projection.shape[0] else 0, width), gates.dtype)
    # Input and hidden state side by side, of which one product makes sums.
    features = x.shape[1]
    entering = np.empty((h.shape[0], features + h.shape[1]), gates.dtype)
    put(entering, features, h, 0, h.shape[0])
    for step in range(sizes.size):
        start, size = starts[step], sizes[step]
        stop = start + size
        put(entering, 0, x, start, stop)
        # All that `multiply` is given is a part of rows, even where it is the whole: it is compiled for one layout.
        enter(entering[:size, : entering.shape[1]], weights, biases, gates[start:stop], inner[start:stop])
        if projection.shape[0]:
            take(before[start:stop], entering, features)
            forward_step(gates, inner, cells, c, hidden[:size], hidden, 0, hidden[:size], start)
            np.dot(hidden[:size], projection, out[start:stop])
            put(entering, features, out, start, stop)
        else:
            forward_step(gates, inner, cells, c, before[start:stop], entering, features, out[start:stop], start)
    take(h, entering, features)


def backward_sweep(g, gh, gc, w_ih, w_hh, projection, starts, sizes, gates, inner, before, cells, sums, gx, gp):
    """Fills ``sums`` with the gradients of the gates' sums, ``gx`` with those of the input, unless it has no rows, and
    ``gp`` with those of projected states; ``gh`` and ``gc``, the gradients of the last states, become those of the
    first ones. The GRU has one sum more: the input's share of the new state comes first, the hidden state's last."""
    turn = sums.shape[1] - gates.shape[1]
    hidden = np.empty((gh.shape[0] if projection.shape[0] else 0, projection.shape[1]), gh.dtype)
    nothing, none = np.zeros_like(hidden), gx[:0, : gx.shape[1]]
    for step in range(sizes.size - 1, -1, -1):
        start, size = starts[step], sizes[step]
        stop = start + size
        rows = gh[:size]
        if projection.shape[0]:
            add(rows, g, start)
            put(gp[start:stop], 0, rows, 0, size)
            np.dot(rows, projection, hidden[:size])
            backward_step(gates, inner, before, cells, hidden[:size], nothing[:size], gc, sums, start)
        else:
            backward_step(gates, inner, before, cells, rows, g[start:stop], gc, sums, start)
        leave(sums[start:stop, turn:], w_hh, none, gh[:size, : gh.shape[1]])
        if gx.shape[0]:
            multiply(sums[start:stop, : gates.shape[1]], w_ih, none, gx[start:stop, : gx.shape[1]])


def forward_step(*arguments: Any) -> None:
    """Stands for the step of a kind of cell."""
    raise NotImplementedError  # `_own` puts a kind's step in its place


backward_step = forward_step
formula: Any = None  # of the kind of cell; `formula_back` goes back
formula_back: Any = None
wide: Any = None  # see scalar.wide
unsigned: Any = None  # numba tests a signed index for being negative
address = tile_rows = tile_columns = multiply_tile = pack_columns = from_line = prefetch = unsigned  # of compiled loops


# --- Steps over arrays ---------------------------------------------------------------------------------------------


def _sides(rows: np.ndarray, count: int) -> list[np.ndarray]:
    width = rows.shape[1] // count
    return [rows[:, k * width : (k + 1) * width] for k in range(count)]


def _fill(targets: list[np.ndarray], results: tuple[np.ndarray, ...]) -> None:
    for target, result in zip(targets, results, strict=True):
        target[...] = result


def _replace(before: np.ndarray, state: np.ndarray, left: int, hidden: np.ndarray, last: np.ndarray) -> None:
    """The state stands in columns from ``left`` on: what it was goes to ``before``, and ``last`` takes its place."""
    own = state[: len(hidden), left:]
    before[...] = own
    own[...] = hidden[...] = last


def lstm_step(gates, inner, cells, cell, before, state, left, hidden, start):
    rows, cell = slice(start, start + len(hidden)), cell[: len(hidden)]
    sides, cells[rows] = _sides(gates[rows], 4), cell
    results = formula(*sides, cell)
    _fill([*sides, cell], results[:-1])
    _replace(before, state, left, hidden, results[-1])


def lstm_step_back(gates, inner, before, cells, gh, g, gc, gx, start):
    rows = slice(start, start + len(gh))
    gc = gc[: len(gh)]
    _fill([*_sides(gx[rows], 4), gc], formula_back(*_sides(gates[rows], 4), cells[rows], gh + g, gc))


def gru_step(gates, inner, cells, cell, before, state, left, hidden, start):
    rows = slice(start, start + len(hidden))
    r, z, m = _sides(gates[rows], 3)
    results = formula(r, z, inner[rows], m, state[: len(hidden), left:])
    _fill([r, z, inner[rows]], results[:-1])
    _replace(before, state, left, hidden, results[-1])


def gru_step_back(gates, inner, before, cells, gh, g, gc, gx, start):
    rows = slice(start, start + len(gh))
    r, z, m = _sides(gates[rows], 3)
    gn, gr, gz, gm = _sides(gx[rows], 4)
    _fill([gr, gz, gn, gm, gh], formula_back(r, z, inner[rows], m, before[rows], gh + g))


def rnn_step(gates, inner, cells, cell, before, state, left, hidden, start):
    sums = gates[start : start + len(hidden)]
    sums[...] = formula(sums)
    _replace(before, state, left, hidden, sums)


def rnn_step_back(gates, inner, before, cells, gh, g, gc, gx, start):
    rows = slice(start, start + len(gh))
    gx[rows] = formula_back(gates[rows], gh + g)


# --- Steps as loops, to be compiled --------------------------------------------------------------------------------

AHEAD = 2  # rows


def ask(matrix, row):
    """Asks for a row that comes soon. Its gates are read side by side, which hides from the processor that rows follow
    each other: measured, the LSTM's steps took 1.2 times as long forward, and 1.1 times back."""
    prefetch(zero, address(matrix.ctypes.data) + (row + AHEAD) * matrix.strides[0], matrix.strides[0])


def lstm_loop(gates, inner, cells, cell, before, state, left, hidden, start):
    wide()
    count, size = hidden.shape
    width = unsigned(size)
    for row in range(count):
        b, c, old, s = gates[start + row], cell[row], before[row], state[row][left:]
        old_cell, h = cells[start + row], hidden[row]
        for j in range(width):
            f, g, o = j + width, j + width + width, j + width + width + width
            old_cell[j], old[j] = c[j], s[j]
            b[j], b[f], b[g], b[o], c[j], _ = formula(b[j], b[f], b[g], b[o], c[j])
        # The formula's hidden state in a turn of its own. It waits for a second tanh, beside which the next gates would
        # hardly begin: measured, both in one turn took 1.3 times as long.
        for j in range(width):
            s[j] = h[j] = b[j + width + width + width] * tanh(c[j])


def lstm_loop_back(gates, inner, before, cells, gh, g, gc, gx, start):
    wide()
    count, size = gh.shape
    width = unsigned(size)
    for row in range(count):
        b, c, ga = gates[start + row], cells[start + row], gx[start + row]
        ask(gates, start + row)
        ask(gx, start + row)
        h, out, cell = gh[row], g[row], gc[row]
        for j in range(width):
            f, n, o = j + width, j + width + width, j + width + width + width
            ga[j], ga[f], ga[n], ga[o], cell[j] = formula_back(b[j], b[f], b[n], b[o], c[j], h[j] + out[j], cell[j])


def gru_loop(gates, inner, cells, cell, before, state, left, hidden, start):
    wide()
    count, size = hidden.shape
    width = unsigned(size)
    for row in range(count):
        b, n, old, s, h = gates[start + row], inner[start + row], before[row], state[row][left:], hidden[row]
        for j in range(width):
            z, m = j + width, j + width + width
            old[j] = s[j]
            b[j], b[z], n[j], last = formula(b[j], b[z], n[j], b[m], s[j])
            s[j] = h[j] = last


def gru_loop_back(gates, inner, before, cells, gh, g, gc, gx, start):
    wide()
    count, size = gh.shape
    width = unsigned(size)
    for row in range(count):
        b, old, n, h = gates[start + row], before[start + row], inner[start + row], gh[row]
        gn, out = gx[start + row], g[row]
        ask(gates, start + row)
        ask(gx, start + row)
        for j in range(width):
            z, m, last = j + width, j + width + width, j + width + width + width
            gn[z], gn[m], gn[j], gn[last], h[j] = formula_back(b[j], b[z], n[j], b[m], old[j], h[j] + out[j])


def rnn_loop(gates, inner, cells, cell, before, state, left, hidden, start):
    wide()
    count, size = hidden.shape
    for row in range(count):
        b, old, s, h = gates[start + row], before[row], state[row][left:], hidden[row]
        for j in range(unsigned(size)):
            old[j] = s[j]
            b[j] = s[j] = h[j] = formula(b[j])


def rnn_loop_back(gates, inner, before, cells, gh, g, gc, gx, start):
    wide()
    count, size = gh.shape
    for row in range(count):
        b, ga, h, out = gates[start + row], gx[start + row], gh[row], g[row]
        for j in range(unsigned(size)):
            ga[j] = formula_back(b[j], h[j] + out[j])


def put_rows(target, left, source, first, end):
    """`put` without a word on shapes that do not fit, which takes three seconds to compile."""
    wide()
    for row in range(end - first):
        to, values = target[row], source[first + row]
        for j in range(unsigned(source.shape[1])):
            to[unsigned(left) + j] = values[j]


def take_rows(target, source, left):
    """`take` in the same way."""
    for row in range(target.shape[0]):
        to, values = target[row], source[row]
        for j in range(unsigned(target.shape[1])):
            to[j] = values[unsigned(left) + j]


def add_rows(target, source, at):
    """`add` by vectors, unlike numba's own loop."""
    for row in range(target.shape[0]):
        to, values = target[row], source[at + row]
        for j in range(unsigned(target.shape[1])):
            to[j] += values[j]


def lay_out_panels(matrix):
    """The matrix in panels as wide as a tile, (count, K, columns of a tile), one behind the other."""
    depth, width = matrix.shape
    row, column = matrix.strides
    wide = tile_columns(zero)
    # Behind the last panel up to as many rows are written as a vector has numbers, fewer than are columns.
    panels = from_line(np.empty(((width + wide - 1) // wide * depth + wide) * wide, matrix.dtype))
    start, to = address(matrix.ctypes.data), address(panels.ctypes.data)
    pack_columns(zero, matrix.itemsize, start, row, column, depth, width, to)
    return panels


def multiply_panels(rows, panels, added, out):
    """`multiply` with a matrix in panels."""
    high, wide = tile_rows(zero), tile_columns(zero)
    step, depth = wide * out.itemsize, rows.shape[1]
    first, to, more = address(rows.ctypes.data), address(out.ctypes.data), address(added.ctypes.data)
    next_added = added.strides[0] if added.shape[0] > 1 else 0
    for i in range(0, rows.shape[0], high):
        for k in range((out.shape[1] + wide - 1) // wide):
            multiply_tile(
                zero, first + i * rows.strides[0], rows.strides[0], rows.strides[1],
                address(panels.ctypes.data) + k * depth * step, step, depth,
                to + i * out.strides[0] + k * step, out.strides[0],
                more + i * next_added + k * step, next_added, out.strides[1], added.shape[0],
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


def _own(kind: str, suffix: str) -> tuple[dict[str, Callable[..., Any]], dict[str, Callable[..., Any]]]:
    """What the sweeps of a kind call, and the formulas behind the names that its steps use."""
    family, backs = kind.partition("_")[0], (lstm_back, gru_back, rnn_tanh_back, rnn_relu_back)
    formulas = {"formula": FORMULAS[kind], "formula_back": backs[KINDS.index(kind)]}
    called = {
        "enter": gru_enter if kind == "gru" else enter,
        "leave": gru_leave if kind == "gru" else leave,
        "forward_step": globals()[f"{family}_{suffix}"],
        "backward_step": globals()[f"{family}_{suffix}_back"],
    }
    return called, formulas


def weigh(start, stop, sums, first, x, before, gw_ih, gw_hh, gb):
    """Rows ``start..stop`` of the weights' gradients and of ``gb``, from the columns of ``sums`` from the first on; a
    gradient that is empty is not wanted."""
    rows, columns = slice(start, stop), sums[:, first + start : first + stop].T
    for inputs, result in ((x, gw_ih), (before, gw_hh)):
        if result.size:
            result[rows] = product(columns, inputs)
    gb[rows] = columns.sum(1)


@cache
def plain_sweeps(kind: str) -> tuple[Callable[..., Any], ...]:
    """The two sweeps over arrays, of parts of the sequences, `lay_out` and `weigh`."""
    called, formulas = _own(kind, "step")
    names = {name: _bound(function, function.__name__, **formulas) for name, function in called.items()}
    forward = _bound(forward_sweep, f"{kind}_forward", **names)
    backward = _bound(backward_sweep, f"{kind}_backward", **names)
    return (
        _bound(forward_parts, forward.__name__, forward_sweep=forward),
        _bound(backward_parts, backward.__name__, backward_sweep=backward),
        lay_out,
        weigh,
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
        "from_line": gemm_loops.from_line,
        "prefetch": gemm_tile.prefetch,
    }
    names["put"] = njit(**OPTIONS)(_bound(put_rows, "put", **names))
    names["take"] = njit(**OPTIONS)(_bound(take_rows, "take", **names))
    names["add"] = njit(**OPTIONS)(_bound(add_rows, "add", **names))
    names["ask"] = njit(**OPTIONS)(_bound(ask, "ask", **names))
    names["multiply"] = njit(**OPTIONS)(_bound(multiply_panels, "multiply", **names))
    return names


@cache
def _compiled_lay_out(dtype: np.dtype) -> Callable[..., Any]:
    from .compiled import compiled

    return compiled(**OPTIONS)(_bound(lay_out_panels, f"lay_out_{dtype.name}", **_common(dtype)))


@cache
def compiled_sweeps(kind: str, dtype: np.dtype) -> tuple[Callable[..., Any], ...]:
    """The same compiled, for float32 or float64."""
    from numba import njit

    from . import scalar
    from .compiled import compiled
    from .recurrent_weights import weigh

    names = dict(_common(dtype))
    called, formulas = _own(kind, "loop")
    names |= {key: scalar.inline(_bound(formula, formula.__name__, **names)) for key, formula in formulas.items()}
    called |= {"forward_sweep": forward_sweep, "backward_sweep": backward_sweep}
    for name, function in called.items():
        names[name] = njit(**OPTIONS)(_bound(function, f"{kind}_{name}", **names))
    forward = _bound(forward_parts, f"{kind}_forward_{dtype.name}", **names)
    backward = _bound(backward_parts, f"{kind}_backward_{dtype.name}", **names)
    return compiled(**OPTIONS)(forward), compiled(**OPTIONS)(backward), _compiled_lay_out(dtype), weigh
