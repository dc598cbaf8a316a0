"""Recurrent networks against PyTorch's: weights, names, printed form, values, states, gradients, masks, refusals."""

import copy
import gc
import itertools
import pickle
import weakref
from types import SimpleNamespace

import numpy as np
import pytest
from parity import agree, refuse_alike

import autograd
import nn

KINDS = ("LSTM", "GRU", "RNN", "relu", "projected")
OPTIONS = list(itertools.product((1, 2), (False, True), (True, False), (False, True)))
INPUTS = ("padded", "packed", "unsorted", "unbatched")


def make(library, kind, *sizes, **options):
    name = {"relu": "RNN", "projected": "LSTM"}.get(kind, kind)
    options |= {"relu": {"nonlinearity": "relu"}, "projected": {"proj_size": 3}}.get(kind, {})
    return getattr(library.nn, name)(*sizes, **options)


OURS = SimpleNamespace(nn=nn, t=autograd, of=autograd.tensor, grad=autograd.grad)


@pytest.fixture
def libraries(torch):
    return OURS, SimpleNamespace(nn=torch.nn, t=torch, of=torch.tensor, grad=torch.autograd.grad, linalg=torch.linalg)


def flat(value):
    if isinstance(value, tuple):
        return [item for each in value if each is not None for item in flat(each)]
    return [value]


def run(library, module, form, with_states, batch_first):
    """Outputs, and the gradients of input, states and parameters."""
    random = np.random.default_rng(0)

    def tensor(*shape):
        return library.of(random.standard_normal(shape).astype("float32")).requires_grad_()

    x = tensor(*((3, 4) if form == "unbatched" else (2, 3, 4) if batch_first else (3, 2, 4)))
    places = module.num_layers * (2 if module.bidirectional else 1)
    batch = () if form == "unbatched" else (2,)
    states = None
    if with_states:
        states = tensor(places, *batch, module.proj_size or 5)
        if module.mode == "LSTM":
            states = states, tensor(places, *batch, 5)
    given = x
    if form in ("packed", "unsorted"):
        lengths = [3, 2] if form == "packed" else [1, 3]
        given = library.nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first, form == "packed")
    library.t.manual_seed(1)
    outs = flat(module(given, states))
    loss = sum((out * out.detach().cos()).sum() for out in outs if out.requires_grad)
    inputs = [x, *([] if states is None else flat(states)), *module.parameters()]
    return tuple(outs), library.grad(loss, inputs)


@pytest.mark.filterwarnings("ignore:LSTM with projections:UserWarning")  # PyTorch's, once
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", INPUTS)
def test_every_combination(kind, form, libraries):
    for (layers, bidirectional, bias, batch_first), with_states in itertools.product(OPTIONS, (False, True)):
        what = f"layers {layers}, bidirectional {bidirectional}, bias {bias}, batch_first {batch_first}, {with_states}"
        options = {"num_layers": layers, "bidirectional": bidirectional, "bias": bias, "batch_first": batch_first}
        options["dropout"] = 0.4 if layers > 1 else 0.0
        for library in libraries:
            library.t.manual_seed(0)
        mine, other = modules = [make(library, kind, 4, 5, **options) for library in libraries]
        assert repr(mine) == repr(other)
        assert mine._flat_weights_names == other._flat_weights_names
        for (name, own), (their_name, theirs) in zip(
            mine.state_dict().items(), other.state_dict().items(), strict=True
        ):
            assert name == their_name
            np.testing.assert_array_equal(own.numpy(), theirs.numpy(), err_msg=name)
        results = (
            run(library, module, form, with_states, batch_first)
            for library, module in zip(libraries, modules, strict=True)
        )
        agree(*results, 1e-4, 1e-5, what)


@pytest.mark.filterwarnings("ignore:LSTM with projections:UserWarning")
@pytest.mark.parametrize("kind", KINDS)
def test_training_with_dropout(kind, libraries):
    """50 steps of a classifier of sequences lead to the same losses, masks included."""
    losses = []
    for library in libraries:
        library.t.manual_seed(0)
        network = make(library, kind, 6, 8, num_layers=3, dropout=0.3, bidirectional=True)
        head = library.nn.Linear(2 * (network.proj_size or 8), 4)
        parameters = [*network.parameters(), *head.parameters()]
        random = np.random.default_rng(0)
        x = library.of(random.standard_normal((7, 5, 6)).astype("float32"))
        y = library.of(random.integers(0, 4, 5))
        course = []
        for _ in range(50):
            loss = library.nn.functional.cross_entropy(head(network(x)[0].mean(0)), y)
            for parameter in parameters:
                parameter.grad = None
            loss.backward()
            with library.t.no_grad():
                for parameter in parameters:
                    parameter -= 0.3 * parameter.grad
            course.append(loss.item())
        losses.append(course)
    assert losses[1][-1] < losses[1][0]
    np.testing.assert_allclose(*losses, rtol=1e-4, atol=1e-5)


CELLS = [("RNNCell", {}), ("RNNCell", {"nonlinearity": "relu"}), ("LSTMCell", {}), ("GRUCell", {})]


@pytest.mark.parametrize(("name", "options"), CELLS)
@pytest.mark.parametrize("bias", [True, False])
def test_cells(name, options, bias, libraries):
    for batch, with_states in itertools.product(((), (3,)), (False, True)):
        results = []
        for library in libraries:
            library.t.manual_seed(0)
            cell = getattr(library.nn, name)(4, 5, bias=bias, **options)
            random = np.random.default_rng(0)
            tensors = [library.of(random.standard_normal((*batch, n))).requires_grad_() for n in (4, 5, 5)]
            cell = cell.to(tensors[0].dtype)
            x, *states = tensors
            states = states if name == "LSTMCell" else states[:1]
            hx = (tuple(states) if name == "LSTMCell" else states[0]) if with_states else None
            outs = flat(cell(x, hx))
            outs[0].pow(2).sum().backward()
            grads = [tensor.grad for tensor in (x, *(states if with_states else ()), *cell.parameters())]
            results.append((repr(cell), tuple(outs), tuple(grads)))
        assert results[0][0] == results[1][0]
        agree(results[0][1:], results[1][1:], 1e-9, 1e-10, f"{name} {batch} {with_states}")


PROGRAMS = {
    "more layers than dropout needs": lambda L: L.nn.LSTM(3, 4, dropout=2),
    "dropout is no flag": lambda L: L.nn.LSTM(3, 4, dropout=True),
    "bias is a flag": lambda L: L.nn.LSTM(3, 4, bias=1),
    "batch_first is a flag": lambda L: L.nn.GRU(3, 4, batch_first=1),
    "sizes are integers": lambda L: L.nn.LSTM(3.0, 4),
    "hidden sizes are integers": lambda L: L.nn.LSTM(3, 4.0),
    "no features": lambda L: L.nn.LSTM(0, 4),
    "no hidden state": lambda L: L.nn.GRU(3, 0),
    "no layers": lambda L: L.nn.RNN(3, 4, 0),
    "projection to more": lambda L: L.nn.LSTM(3, 4, proj_size=4),
    "projection to less than nothing": lambda L: L.nn.LSTM(3, 4, proj_size=-1),
    "projection of a GRU": lambda L: L.nn.GRU(3, 4, proj_size=2),
    "projection of an RNN": lambda L: L.nn.RNN(3, 4, proj_size=0),
    "nonlinearity": lambda L: L.nn.RNN(3, 4, nonlinearity="x"),
    "mode": lambda L: L.nn.RNNBase("X", 3, 4),
    "base": lambda L: L.nn.RNNBase("LSTM", 3, 4)(L.t.zeros(2, 2, 3)),
    "features": lambda L: L.nn.LSTM(3, 4)(L.t.zeros(2, 2, 2)),
    "dimensions": lambda L: L.nn.LSTM(3, 4)(L.t.zeros(3)),
    "dtype": lambda L: L.nn.LSTM(3, 4)(L.t.zeros(2, 2, 3, dtype=L.t.float64)),
    "states of another batch": lambda L: L.nn.GRU(3, 4)(L.t.zeros(2, 2, 3), L.t.zeros(1, 3, 4)),
    "states of another size": lambda L: L.nn.LSTM(3, 4)(L.t.zeros(2, 2, 3), (L.t.zeros(1, 2, 5),) * 2),
    "unbatched states": lambda L: L.nn.GRU(3, 4)(L.t.zeros(2, 2, 3), L.t.zeros(1, 4)),
    "batched states": lambda L: L.nn.LSTM(3, 4)(L.t.zeros(2, 3), (L.t.zeros(1, 2, 4),) * 2),
    "dtype of states": lambda L: L.nn.GRU(3, 4)(L.t.zeros(2, 2, 3), L.t.zeros(1, 2, 4, dtype=L.t.float64)),
    "no steps": lambda L: L.nn.GRU(3, 4)(L.t.zeros(0, 2, 3)),
    "cell, features": lambda L: L.nn.RNNCell(3, 4)(L.t.zeros(2, 2)),
    "cell, dimensions": lambda L: L.nn.GRUCell(3, 4)(L.t.zeros(2, 2, 3)),
    "cell, states": lambda L: L.nn.GRUCell(3, 4)(L.t.zeros(2, 3), L.t.zeros(3, 4)),
    "cell, dimensions of states": lambda L: L.nn.LSTMCell(3, 4)(L.t.zeros(2, 3), (L.t.zeros(2, 1, 4),) * 2),
    "cell, dtype": lambda L: L.nn.GRUCell(3, 4)(L.t.zeros(2, 3), L.t.zeros(2, 4, dtype=L.t.float64)),
    "cell, nonlinearity": lambda L: L.nn.RNNCell(3, 4, nonlinearity="x")(L.t.zeros(3)),
}


@pytest.mark.filterwarnings("ignore:dropout option")
@pytest.mark.parametrize("name", PROGRAMS)
def test_refusals(name, libraries):
    refuse_alike(*libraries, PROGRAMS[name])


def test_dropout_of_one_layer_warns():
    with pytest.warns(UserWarning, match="num_layers=1"):
        nn.LSTM(3, 4, dropout=0.1)


@pytest.mark.filterwarnings("ignore:LSTM with projections:UserWarning")
@pytest.mark.parametrize("kind", KINDS)
def test_no_sequences(kind, libraries):
    outs = [flat(make(library, kind, 3, 4)(library.t.zeros(2, 0, 3))) for library in libraries]
    agree(tuple(outs[0]), tuple(outs[1]))


def test_weights_by_other_names():
    network = nn.LSTM(3, 4, 2, bidirectional=True, proj_size=2)
    assert [len(weights) for weights in network.all_weights] == [5] * 4
    assert network.all_weights[1][4] is network.weight_hr_l0_reverse
    assert network.flatten_parameters() is None
    network._flat_weights = [nn.Parameter(weight.detach() * 0) for weight in network._flat_weights]
    assert all(float(parameter.abs().sum()) == 0 for parameter in network.parameters())
    for twin in (copy.deepcopy(network), pickle.loads(pickle.dumps(network))):
        assert list(twin.state_dict()) == list(network.state_dict())
        x = autograd.ones(2, 1, 3)
        agree(twin(x)[0], network(x)[0])


def test_a_tensor_under_a_parameters_name():
    """As weight dropout does it: the parameter gives way to a tensor that was computed."""
    network, x = nn.GRU(3, 4), autograd.randn(2, 1, 3)
    raw = network.weight_hh_l0
    del network.weight_hh_l0
    network.weight_hh_l0 = raw * 0.5
    network(x)[0].sum().backward()
    assert float(raw.grad.abs().sum()) > 0


def test_outputs_may_be_written_to():
    for kind in KINDS:
        network = make(OURS, kind, 3, 4)
        x = autograd.randn(4, 2, 3)
        plain = network(x)[0]
        expected = autograd.grad((plain * 2).sum(), list(network.parameters()))
        written = network(x)[0].mul_(2)
        agree(autograd.grad(written.sum(), list(network.parameters())), expected)


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_saved_is_freed(kind):
    """After the backward pass nothing of a step is left, without the garbage collector."""
    network = make(OURS, kind, 3, 4, num_layers=2)
    gc.collect()
    gc.disable()
    try:
        for backward in (True, False):
            output = network(autograd.randn(5, 2, 3))[0]
            node = output.grad_fn
            while not hasattr(node, "plan") or node.plan.row.name != "recurrence":
                node = node.edges[0]
            saved = [weakref.ref(value) for value in node.saved if isinstance(value, np.ndarray) and value.base is None]
            assert len(saved) > 3
            if backward:
                output.sum().backward()
                alive = {id(parameter._array) for parameter in network.parameters()}
                left = [ref() for ref in saved if ref() is not None and id(ref()) not in alive]
                assert not left
            else:
                whole = weakref.ref(output)
                del output, node
                assert whole() is None
    finally:
        gc.enable()
