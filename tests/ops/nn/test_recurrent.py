"""Recurrent networks as functions: both ways to call them, other dtypes, transforms, refusals.

Values, gradients and second derivatives of every kind are in `samples/recurrent.py`.
"""

import numpy as np
import pytest
from parity import agree, refuse_alike

import autograd
from autograd import func

GATES = {"lstm": 4, "gru": 3, "rnn_tanh": 1, "rnn_relu": 1}
every_kind = pytest.mark.parametrize("kind", GATES)


def weights(L, kind, dtype="float64", inputs=3, hidden=4):
    random = np.random.default_rng(1)
    gates = GATES[kind] * hidden
    return [L.of(random.uniform(-1, 1, s).astype(dtype)) for s in ((gates, inputs), (gates, hidden), gates, gates)]


def hidden(L, kind, batch=2, dtype="float64"):
    random = np.random.default_rng(2)
    h, c = (L.of(random.uniform(-1, 1, (1, batch, 4)).astype(dtype)) for _ in range(2))
    return (h, c) if kind == "lstm" else h


def steps(L, rows=(5, 2, 3), dtype="float64"):
    return L.of(np.random.default_rng(3).uniform(-1, 1, rows).astype(dtype))


@every_kind
def test_both_ways_to_call(kind, ours, theirs):
    results = []
    for L in (ours, theirs):
        network, given, hx = getattr(L, kind), weights(L, kind), hidden(L, kind)
        options = {"has_biases": True, "num_layers": 1, "dropout": 0.0, "train": False, "bidirectional": False}
        sizes = L.of(np.array([2, 2, 1]))
        results.append(
            (
                network(steps(L), hx, given, *options.values(), False),
                network(steps(L), hx, given, *options.values(), batch_first=False),
                network(input=steps(L, (2, 5, 3)), hx=hx, params=given, batch_first=True, **options),
                network(steps(L, (5, 3)), sizes, hx, given, *options.values()),
                network(data=steps(L, (5, 3)), batch_sizes=sizes, hx=hx, params=given, **options),
            )
        )
    agree(*results)


@every_kind
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "complex64"])
def test_other_dtypes(kind, dtype, ours, torch):
    if dtype == "complex64" and kind == "rnn_relu":
        pytest.skip("complex numbers have no ReLU")
    results = []
    for library in (autograd, torch):
        as_type = lambda array, t=library: t.tensor(array).to(getattr(t, dtype)).requires_grad_()
        L = type("L", (), {"of": staticmethod(as_type)})
        x, hx, given = steps(L, dtype="float32"), hidden(L, kind, dtype="float32"), weights(L, kind, "float32")
        outs = getattr(library, kind)(x, hx, given, True, 1, 0.0, False, False, False)
        outs[0].abs().sum().backward()
        results.append([value.to(library.complex64) for value in (*outs, x.grad, given[1].grad)])
    tolerance = 1e-5 if dtype == "complex64" else {"float16": 5e-3, "bfloat16": 4e-2}[dtype]
    agree(*results, tolerance, 4 * tolerance)


@every_kind
def test_transforms(kind, ours):
    given, hx = weights(ours, kind), hidden(ours, kind)

    def network(x, recurrent):
        values = [given[0], recurrent, *given[2:]]
        return getattr(autograd, kind)(x, hx, values, True, 1, 0.0, False, False, False)[0]

    x, direction = steps(ours), steps(ours) * 0.5
    value, tangent = func.jvp(lambda x: network(x, given[1]), (x,), (direction,))
    agree(value, network(x, given[1]))
    near = [network(x + sign * 1e-6 * direction, given[1]) for sign in (1, -1)]
    agree(tangent, (near[0] - near[1]) / 2e-6, 1e-6, 1e-8)
    batch = autograd.stack([x, direction, x * x])
    each = [func.grad(lambda w, x=x: network(x, w).pow(2).sum())(given[1]) for x in batch]
    together = func.vmap(func.grad(lambda w, x: network(x, w).pow(2).sum()), (None, 0))(given[1], batch)
    agree(together, autograd.stack(each), 1e-9, 1e-11)


def test_one_row_for_each_direction(ours):
    given = [parameter.requires_grad_() for parameter in weights(ours, "lstm")]
    out = autograd.lstm(steps(ours), hidden(ours, "lstm"), given, True, 1, 0.0, False, False, False)[0]
    rows, waiting = [], [out.grad_fn]
    while waiting:
        node = waiting.pop()
        rows += [node.plan.row.name] if hasattr(node, "plan") else []
        waiting += [edge for edge in node.edges if edge is not None]
    assert rows == ["recurrence"]


def call(L, kind, x=(5, 2, 3), batch=2, states=slice(None), params=slice(None), bidirectional=False):
    hx = hidden(L, kind, batch)[states]
    return getattr(L, kind)(steps(L, x), hx, weights(L, kind)[params], True, 1, 0.0, True, bidirectional, False)


REFUSED = {
    "few weights": lambda L: call(L, "gru", params=slice(3)),
    "one state": lambda L: call(L, "lstm", states=slice(1)),
    "a tensor of states": lambda L: call(L, "lstm", states=0),
    "two directions": lambda L: call(L, "gru", bidirectional=True),
    "features": lambda L: call(L, "gru", (5, 2, 2)),
    "dimensions": lambda L: call(L, "gru", (5, 3)),
    "batch": lambda L: call(L, "gru", batch=3),
    "no steps": lambda L: call(L, "gru", (0, 2, 3)),
    "few arguments": lambda L: L.gru(steps(L), hidden(L, "gru")),
    "an argument more": lambda L: L.gru(steps(L), hidden(L, "gru"), [], True, 1, 0.0, True, False, False, 1),
    "gates of a cell": lambda L: L.gru_cell(steps(L, (2, 3)), hidden(L, "gru")[0], *weights(L, "lstm")),
    "one state of a cell": lambda L: L.lstm_cell(steps(L, (2, 3)), hidden(L, "gru"), *weights(L, "lstm")),
    "dimensions of a cell": lambda L: L.rnn_tanh_cell(steps(L, (3,)), hidden(L, "gru")[0, 0], *weights(L, "rnn_tanh")),
    "batch of a cell": lambda L: L.gru_cell(steps(L, (2, 3)), hidden(L, "gru", 3)[0], *weights(L, "gru")),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name, ours, theirs):
    refuse_alike(ours, theirs, REFUSED[name])


def test_packed_rows_are_counted(ours):
    given = steps(ours, (5, 3)), autograd.tensor([2, 2]), hidden(ours, "gru"), weights(ours, "gru")
    with pytest.raises(RuntimeError, match=r"data \[5, 3\] should have as many rows as batch_sizes \[2, 2\]"):
        autograd.gru(*given, True, 1, 0.0, True, False)


def test_a_cell_with_one_bias(ours, theirs):
    results = []
    for L in (ours, theirs):
        *given, bias, _ = weights(L, "gru")
        results.append(L.gru_cell(steps(L, (2, 3)), hidden(L, "gru")[0], *given, bias))
    agree(*results)
