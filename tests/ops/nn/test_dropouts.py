"""Dropout, randomized leaky ReLU and Gumbel softmax: PyTorch's masks from the same seed."""

import pytest
from seeded import CLOSE, EXACT, FLOATS, calls, check_layouts, check_refusals, check_sizes, seeded


def functional(L):
    return L.nn.functional


# name: (tolerance, program(L, n, dtype)).
STREAMS = {
    "dropout": (
        CLOSE,
        lambda L, n, d: (functional(L).dropout(L.ones(n, dtype=d), 0.4), L.dropout(L.ones(n, dtype=d), 0.2, True)),
    ),
    "dropout ends": (EXACT, lambda L, n, d: [functional(L).dropout(L.ones(n, dtype=d), p) for p in (0.0, 1.0, 0.5)]),
    "dropout module": (CLOSE, lambda L, n, d: L.nn.Dropout(0.3)(L.ones(n, dtype=d))),
    "dropout inplace": (CLOSE, lambda L, n, d: functional(L).dropout(L.ones(n, dtype=d), 0.3, inplace=True)),
    "dropout_": (CLOSE, lambda L, n, d: L.dropout_(L.ones(n, dtype=d), 0.3, True)),
    "native_dropout": (
        CLOSE,
        lambda L, n, d: (
            L.native_dropout(L.ones(n, dtype=d), 0.3, True),
            L.native_dropout(L.ones(n, dtype=d), 0.3, None),
        ),
    ),
    "alpha_dropout": (
        CLOSE,
        lambda L, n, d: (
            functional(L).alpha_dropout(L.ones(n, dtype=d), training=True),
            L.alpha_dropout(L.ones(n, dtype=d), 0.1, True),
        ),
    ),
    "alpha_dropout_": (
        CLOSE,
        lambda L, n, d: (
            functional(L).alpha_dropout(L.ones(n, dtype=d), 0.3, True, True),
            L.alpha_dropout_(L.ones(n, dtype=d), 0.1, True),
        ),
    ),
    "feature_dropout": (
        CLOSE,
        lambda L, n, d: (
            L.feature_dropout(
                L.ones(2, n, 2, dtype=d), 0.3, True
            ).flatten(),  # a long list is quicker to compare than a deep one
            L.feature_dropout_(L.ones(n, 2, dtype=d), 0.3, True).flatten(),
        ),
    ),
    "feature_alpha_dropout": (
        CLOSE,
        lambda L, n, d: (
            functional(L).feature_alpha_dropout(L.ones(2, n, 2, dtype=d), 0.3, True).flatten(),
            L.feature_alpha_dropout_(L.ones(n, 2, dtype=d), 0.3, True).flatten(),
        ),
    ),
    "dropout1d": (
        CLOSE,
        lambda L, n, d: (
            functional(L).dropout1d(L.ones(2, n, 2, dtype=d), 0.3).flatten(),
            functional(L).dropout1d(L.ones(n, 2, dtype=d), inplace=True).flatten(),
        ),
    ),
    "dropout2d": (
        CLOSE,
        lambda L, n, d: (
            functional(L).dropout2d(L.ones(2, n, 1, 2, dtype=d), 0.3).flatten(),
            functional(L).dropout2d(L.ones(n, 2, 1, dtype=d)).flatten(),
        ),
    ),
    "dropout3d": (
        CLOSE,
        lambda L, n, d: (
            functional(L).dropout3d(L.ones(2, n, 1, 2, 1, dtype=d), 0.3).flatten(),
            functional(L).dropout3d(L.ones(n, 1, 2, 1, dtype=d)).flatten(),
        ),
    ),
    "gumbel_softmax": (
        CLOSE,
        lambda L, n, d: functional(L).gumbel_softmax(L.zeros(3, n, dtype=d), 0.7, dim=0).flatten(),
    ),
    "gumbel_softmax hard": (
        CLOSE,
        lambda L, n, d: functional(L).gumbel_softmax(L.zeros(n, 4, dtype=d), hard=True) if d != L.float16 else 0,
    ),
}

FLOAT_STREAMS = {
    "rrelu": (EXACT, lambda L, n, d: functional(L).rrelu((L.arange(n) % 7 - 4).to(d), training=True)),
    "rrelu forms": (
        CLOSE,
        lambda L, n, d: (
            functional(L).rrelu(-L.ones(n, dtype=d), 0.1, 0.9, True, inplace=True),
            functional(L).rrelu_(-L.ones(n, dtype=d), 0.1, 0.9, True),
            L.rrelu(-L.ones(n, dtype=d), training=True, generator=L.Generator().manual_seed(5)),
            L.rrelu_(-L.ones(n, dtype=d)),
            functional(L).rrelu(-L.ones(n, dtype=d), 0.1, 0.3),
        ),
    ),
}


@pytest.mark.parametrize("name", [*STREAMS, *FLOAT_STREAMS])
def test_the_same_seed_gives_the_same_numbers(both, name):
    tolerance, program = {**STREAMS, **FLOAT_STREAMS}[name]
    check_sizes(both, tolerance, program, FLOATS if name in FLOAT_STREAMS else ("float16", *FLOATS), name)


# name: (tolerance, program(L, input)).
INPUTS = {
    "dropout": (CLOSE, lambda L, x: functional(L).dropout(x + 1, 0.4)),
    "dropout_": (CLOSE, lambda L, x: L.dropout_(x.fill_(1), 0.4, True)),
    "native_dropout": (CLOSE, lambda L, x: L.native_dropout(x + 1, 0.4, True)),
    "alpha_dropout": (CLOSE, lambda L, x: functional(L).alpha_dropout(x + 1, 0.4, True)),
    "feature_dropout": (CLOSE, lambda L, x: L.feature_dropout(x.unsqueeze(0).unsqueeze(-1) + 1, 0.4, True)),
    "rrelu": (CLOSE, lambda L, x: functional(L).rrelu(x - 1, training=True)),
    "gumbel_softmax": (CLOSE, lambda L, x: functional(L).gumbel_softmax(x, dim=-1)),
}


@pytest.mark.parametrize("name", INPUTS)
def test_masks_of_inputs_of_any_layout(both, name):
    tolerance, program = INPUTS[name]
    check_layouts(both, tolerance, program, name)


CALLS = """
L.dropout(L.ones(4), 0.5) | L.dropout(L.ones(4), 1.5, True) | L.dropout(L.ones(4), 1.5, False)
L.dropout(L.ones(4).long(), 0.5, True) | L.dropout(L.ones(4).long(), 0.5, False)
L.dropout(L.ones(4).bool(), 0.5, True) | L.dropout(L.tensor([L.inf, L.nan, 3e38] * 4), 0.5, True)
L.dropout(L.tensor([L.inf, L.nan]), 1.0, True) | L.dropout(L.ones(4), p=0.5, train=True)
L.dropout_(L.ones(4, requires_grad=True), 0.5, True) | L.dropout(L.ones(0), 0.5, True) | F.dropout(L.ones(4), 2)
F.dropout(L.ones(4), L.nan) | F.dropout([1.0]) | F.dropout(L.ones(4, requires_grad=True), 0.5, inplace=True)
F.dropout(L.ones(1).expand(4), 0.5, inplace=True) | L.feature_dropout(L.ones(4), 0.5, True)
L.feature_dropout(L.ones(4), 0.5, False) | L.alpha_dropout(L.ones(4), 1.5, True)
L.alpha_dropout(L.ones(4), 1.0, True) | L.alpha_dropout(L.ones(4).long(), 0.5, True)
L.native_dropout(L.ones(4), 0.5, False) | L.native_dropout(L.ones(4), 1.0, True) | F.dropout1d(L.ones(4))
F.dropout1d(L.ones(4, 2), 2) | F.dropout2d(L.ones(4)) | F.dropout2d(L.ones(4, 2))
F.dropout2d(L.ones(1, 2, 2, 2), training=False) | F.dropout3d(L.ones(4, 2, 2)) | F.dropout2d(L.ones(2, 2), -1)
F.alpha_dropout(L.ones(4)) | F.alpha_dropout(L.ones(4), 2.0) | F.feature_alpha_dropout(L.ones(4), training=True)
F.feature_alpha_dropout(L.ones(4, 2, 2)) | F.rrelu(L.ones(4), 0.5, 0.2) | F.rrelu(L.ones(4), 0.5, 0.2, True)
F.rrelu(L.ones(4).long()) | F.rrelu(L.ones(4).long(), training=True) | F.rrelu(-L.ones(4).half(), training=True)
F.rrelu(L.tensor([0.0, -0.0, L.nan]), training=True) | F.rrelu(-L.ones(4), 0.2, 0.2, True)
L.rrelu(L.ones(4), generator=5) | F.gumbel_softmax(L.ones(3, 4).long()) | F.gumbel_softmax(L.ones(3, 4), dim=5)
F.gumbel_softmax(L.ones(3, 4), eps=1)
"""


def test_arguments_mean_and_raise_what_they_do_in_pytorch(both):
    for text, run in calls(CALLS):
        both(run, rtol=1e-6, atol=1e-6, label=text)


def test_a_refused_call_draws_nothing():
    check_refusals(CALLS)


NOISE = {
    "dropout": lambda L, x: functional(L).dropout(x, 0.3),
    "feature_dropout": lambda L, x: L.feature_dropout(x, 0.3, True),
    "alpha_dropout": lambda L, x: functional(L).alpha_dropout(x, 0.3, True),
    "rrelu": lambda L, x: functional(L).rrelu(x, training=True),
    "rrelu evaluated": lambda L, x: functional(L).rrelu(x),
    "gumbel_softmax": lambda L, x: functional(L).gumbel_softmax(x, 0.5),
    "gumbel_softmax hard": lambda L, x: functional(L).gumbel_softmax(x, hard=True),
    "native_dropout": lambda L, x: L.native_dropout(x, 0.3, True)[0],
    "in place": lambda L, x: L.alpha_dropout_(L.dropout_(x * 1, 0.2, True), 0.2, True),
}


def test_gradients_flow_through_noise(both):
    for name, program in NOISE.items():

        def run(L, program=program):
            x = L.linspace(-2, 2, 24, dtype=L.float64).reshape(3, 4, 2).requires_grad_()
            g = L.autograd.grad if hasattr(L, "autograd") else L.grad
            (slope,) = g((program(L, x) ** 2).sum(), x, create_graph=True)
            (second,) = g((slope**2).sum(), x)
            return slope, second

        both(seeded(run), rtol=1e-12, atol=1e-12, label=name)
