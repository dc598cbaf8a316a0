"""Every layer against PyTorch's: first weights, printed form, names, outputs, gradients."""

from __future__ import annotations

import math

import numpy as np
import pytest

import autograd
import nn

IMAGE, BATCH = (2, 4, 9, 8), (5, 6)

# Name, positional and keyword arguments, shape of the input.
LAYERS = [
    ("Linear", (6, 3), {}, BATCH),
    ("Linear", (6, 3), {"bias": False}, BATCH),
    ("Linear", (6, 3), {}, (2, 3, 6)),
    ("Linear", (6, 1), {}, (6,)),
    ("Identity", (1, 2), {"three": 3}, BATCH),
    ("Flatten", (), {}, IMAGE),
    ("Flatten", (0, 2), {}, IMAGE),
    ("Unflatten", (1, (2, 3)), {}, BATCH),
    ("Unflatten", (-1, (-1, 2)), {}, BATCH),
    ("MaxPool2d", (2,), {}, IMAGE),
    ("MaxPool2d", (3,), {"stride": 2, "padding": 1}, IMAGE),
    ("MaxPool2d", ((3, 2),), {"stride": (2, 1), "dilation": (1, 2)}, IMAGE),
    ("MaxPool2d", (2,), {"ceil_mode": True}, IMAGE),
    ("MaxPool2d", (2,), {}, IMAGE[1:]),
    ("AvgPool2d", (2,), {}, IMAGE),
    ("AvgPool2d", (3,), {"stride": 2, "padding": 1}, IMAGE),
    ("AvgPool2d", (3,), {"stride": 2, "padding": 1, "count_include_pad": False}, IMAGE),
    ("AvgPool2d", (2,), {"ceil_mode": True, "divisor_override": 3}, IMAGE),
    ("ReLU", (), {}, BATCH),
    ("ReLU6", (), {}, BATCH),
    ("LeakyReLU", (), {}, BATCH),
    ("LeakyReLU", (0.2,), {}, BATCH),
    ("ELU", (), {}, BATCH),
    ("ELU", (0.5,), {}, BATCH),
    ("SELU", (), {}, BATCH),
    ("CELU", (), {}, BATCH),
    ("CELU", (0.5,), {}, BATCH),
    ("GELU", (), {}, BATCH),
    ("GELU", ("tanh",), {}, BATCH),
    ("SiLU", (), {}, BATCH),
    ("Mish", (), {}, BATCH),
    ("Softplus", (), {}, BATCH),
    ("Softplus", (2.0, 1.0), {}, BATCH),
    ("Softsign", (), {}, BATCH),
    ("LogSigmoid", (), {}, BATCH),
    ("Hardtanh", (), {}, BATCH),
    ("Hardtanh", (-0.5, 0.7), {}, BATCH),
    ("Hardsigmoid", (), {}, BATCH),
    ("Hardswish", (), {}, BATCH),
    ("Tanh", (), {}, BATCH),
    ("Sigmoid", (), {}, BATCH),
    ("Softmax", (), {"dim": 1}, BATCH),
    ("Softmax", (0,), {}, BATCH),
    ("LogSoftmax", (), {"dim": -1}, BATCH),
    ("Tanhshrink", (), {}, BATCH),
    ("Softshrink", (), {}, BATCH),
    ("Softshrink", (0.1,), {}, BATCH),
    ("Hardshrink", (), {}, BATCH),
    ("Threshold", (0.1, 20.0), {}, BATCH),
    ("PReLU", (), {}, BATCH),
    ("PReLU", (4,), {"init": 0.1}, IMAGE),
    ("Dropout", (), {}, BATCH),
    ("Dropout", (0.2,), {}, BATCH),
    ("Dropout", (1.0,), {}, BATCH),
]
IN_PLACE = [
    ("ReLU", ()),
    ("ReLU6", ()),
    ("LeakyReLU", ()),
    ("ELU", ()),
    ("SELU", ()),
    ("CELU", ()),
    ("SiLU", ()),
    ("Mish", ()),
    ("Hardtanh", ()),
    ("Hardsigmoid", ()),
    ("Hardswish", ()),
    ("Threshold", (0.1, 20.0)),
    ("Dropout", (0.5,)),
]


def both(name, args, kwargs):
    """The layer in both libraries, made from the same seed."""
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    autograd.manual_seed(0)
    return getattr(nn, name)(*args, **kwargs), getattr(torch.nn, name)(*args, **kwargs), torch


def run(t, layer, x, seed=1):
    """Output and gradients of the input and the parameters, for an output gradient of small whole numbers."""
    t.manual_seed(seed)
    x = t.tensor(x, requires_grad=True)
    y = layer(x)
    g = np.arange(math.prod(y.shape), dtype=x.detach().numpy().dtype).reshape(tuple(y.shape)) % 7 - 3
    y.backward(t.tensor(g))
    return [y.detach().numpy(), x.grad.numpy(), *(p.grad.numpy() for p in layer.parameters())]


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")  # PyTorch's
@pytest.mark.parametrize(("name", "args", "kwargs", "shape"), LAYERS, ids=str)
def test_layer_is_that_of_torch(name, args, kwargs, shape):
    ours, theirs, torch = both(name, args, kwargs)
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for our, their in zip(ours.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_array_equal(our.detach().numpy(), their.detach().numpy())
    x = np.random.default_rng(0).standard_normal(shape).astype(np.float32) * 2
    # PyTorch's hardsigmoid takes 1/6 as a float32, in float64 too.
    for dtype, tolerance in ((np.float32, 1e-5), (np.float64, 1e-7 if name == "Hardsigmoid" else 1e-12)):
        if dtype is np.float64:
            ours.double()
            theirs.double()
        ours.zero_grad()
        theirs.zero_grad()
        for our, their in zip(run(autograd, ours, x.astype(dtype)), run(torch, theirs, x.astype(dtype)), strict=True):
            assert our.dtype == dtype
            np.testing.assert_allclose(our, their, rtol=tolerance, atol=tolerance * 20)
    ours.eval()
    theirs.eval()
    for our, their in zip(run(autograd, ours, x.astype(dtype)), run(torch, theirs, x.astype(dtype)), strict=True):
        np.testing.assert_allclose(our, their, rtol=tolerance, atol=tolerance * 20)


@pytest.mark.parametrize(("name", "args"), IN_PLACE, ids=str)
def test_layers_in_place(name, args):
    ours, theirs, torch = both(name, args, {"inplace": True})
    assert repr(ours) == repr(theirs)
    values = np.random.default_rng(0).standard_normal(BATCH).astype(np.float32)
    results = []
    for t, layer in ((autograd, ours), (torch, theirs)):
        t.manual_seed(0)
        x = t.tensor(values, requires_grad=True)
        middle = x * 1
        out = layer(middle)
        assert out is middle
        out.sum().backward()
        results.append((out.detach().numpy(), x.grad.numpy()))
    for our, their in zip(*results, strict=True):
        np.testing.assert_allclose(our, their, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "kwargs",
    [{}, {"padding_idx": 2}, {"padding_idx": -1}, {"scale_grad_by_freq": True}, {"max_norm": 1.0}, {"norm_type": 1.0}],
    ids=str,
)
def test_embedding(kwargs):
    ours, theirs, torch = both("Embedding", (7, 3), kwargs)
    assert repr(ours) == repr(theirs)
    np.testing.assert_allclose(ours.weight.detach().numpy(), theirs.weight.detach().numpy(), rtol=1e-5)
    indices = np.array([[1, 2, 2], [6, 0, 1]])
    results = []
    for t, layer in ((autograd, ours), (torch, theirs)):
        out = layer(t.tensor(indices))
        out.backward(t.ones(2, 3, 3))
        results.append((out.detach().numpy(), layer.weight.grad.numpy(), layer.weight.detach().numpy()))
    for our, their in zip(*results, strict=True):
        np.testing.assert_allclose(our, their, rtol=1e-5)


def test_embedding_from_a_given_table():
    table = autograd.arange(6.0).reshape(3, 2)
    layer = nn.Embedding.from_pretrained(table)
    assert not layer.weight.requires_grad
    assert layer(autograd.tensor([2])).tolist() == [[4.0, 5.0]]
    assert nn.Embedding.from_pretrained(table, freeze=False).weight.requires_grad
    for wrong, message in (
        (lambda: nn.Embedding.from_pretrained(autograd.ones(3)), "2-dimensional"),
        (lambda: nn.Embedding(3, 2, padding_idx=3), "padding_idx=3"),
        (lambda: nn.Embedding(3, 2, _weight=autograd.ones(2, 2)), "shape"),
    ):
        with pytest.raises(AssertionError, match=message):
            wrong()


def test_dtype_and_device_of_parameters():
    for layer in (
        nn.Linear(2, 3, dtype=autograd.float64, device="cpu"),
        nn.Conv2d(2, 3, 1, dtype=autograd.float64),
        nn.Embedding(2, 3, dtype=autograd.float64),
        nn.PReLU(dtype=autograd.float64),
    ):
        assert all(p.dtype == autograd.float64 for p in layer.parameters())
    with pytest.raises(AssertionError, match="cuda"):
        nn.Linear(2, 3, device="cuda")


def test_wrong_arguments():
    torch = pytest.importorskip("torch")
    cases = [
        (ValueError, "between 0 and 1, but got 1.5", lambda n: n.Dropout(1.5)),
        (TypeError, "tuple of ints", lambda n: n.Unflatten(1, 3)),
        (TypeError, "element of type str at pos 1", lambda n: n.Unflatten(1, (3, "a"))),
        (AssertionError, r"min_val \(2\)", lambda n: n.Hardtanh(2, 1)),
    ]
    for kind, message, make in cases:
        with pytest.raises(kind):
            make(torch.nn)
        with pytest.raises(kind, match=message):
            make(nn)
    with pytest.raises(RuntimeError, match="4"):
        nn.Linear(3, 2)(autograd.ones(1, 4))


def test_older_names_of_bounds():
    with pytest.warns(FutureWarning, match="`min_value` is deprecated and renamed to `min_val`"):
        assert repr(nn.Hardtanh(min_value=-2)) == "Hardtanh(min_val=-2, max_val=1.0)"
    with pytest.warns(FutureWarning, match="`max_value` is deprecated and renamed to `max_val`"):
        assert nn.Hardtanh(-1, 1, max_value=3).max_val == 3


def test_relu6_is_a_hardtanh():
    layer = nn.ReLU6()
    assert isinstance(layer, nn.Hardtanh)
    assert (layer.min_val, layer.max_val, repr(layer)) == (0.0, 6.0, "ReLU6()")


def test_unflatten_keeps_what_it_was_given():
    assert repr(nn.Unflatten(1, [2, 3])) == "Unflatten(dim=1, unflattened_size=[2, 3])"


# --- First values --------------------------------------------------------------------------------------------------

INITS = [
    ("uniform_", (-1.0, 3.0), {}),
    ("normal_", (1.0, 0.5), {}),
    ("constant_", (3.0,), {}),
    ("ones_", (), {}),
    ("zeros_", (), {}),
    ("xavier_uniform_", (), {"gain": 1.5}),
    ("xavier_normal_", (), {}),
    ("kaiming_uniform_", (), {"a": 0.3}),
    ("kaiming_uniform_", (), {"mode": "fan_out", "nonlinearity": "relu"}),
    ("kaiming_normal_", (), {}),
    ("kaiming_normal_", (), {"mode": "fan_out", "nonlinearity": "tanh"}),
    ("trunc_normal_", (), {}),
    ("trunc_normal_", (0.0, 1.0, 1.0, 2.0), {}),
    ("trunc_normal_", (0.5, 2.0), {}),
    ("orthogonal_", (), {"gain": 2.0}),
]


@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (8, 3, 3, 2)], ids=str)
@pytest.mark.parametrize(("name", "args", "kwargs"), INITS, ids=str)
def test_first_values_are_those_of_torch(name, args, kwargs, shape):
    torch = pytest.importorskip("torch")
    results = []
    for t, n in ((autograd, nn), (torch, torch.nn)):
        t.manual_seed(3)
        parameter = n.Parameter(t.empty(*shape))
        assert getattr(n.init, name)(parameter, *args, **kwargs) is parameter
        assert parameter.is_leaf
        results.append(parameter.detach().numpy())
        results.append(t.rand(2).numpy())
    exact = not any(kind in name for kind in ("normal", "orthogonal"))
    np.testing.assert_allclose(results[0], results[2], rtol=0 if exact else 1e-5, atol=0 if exact else 1e-6)
    np.testing.assert_array_equal(results[1], results[3])


def test_structured_first_values():
    torch = pytest.importorskip("torch")
    for shape in ((3, 3), (2, 4), (4, 2)):
        assert nn.init.eye_(autograd.empty(*shape)).tolist() == torch.nn.init.eye_(torch.empty(*shape)).tolist()
    for shape, groups in (((4, 2, 3), 2), ((3, 5, 3, 3), 1), ((4, 2, 2, 2, 3), 2)):
        ours = nn.init.dirac_(autograd.empty(*shape), groups).tolist()
        assert ours == torch.nn.init.dirac_(torch.empty(*shape), groups).tolist()
    for name, param in (("linear", None), ("tanh", None), ("relu", None), ("leaky_relu", 0.2), ("selu", None)):
        assert nn.init.calculate_gain(name, param) == torch.nn.init.calculate_gain(name, param)
    assert nn.init.calculate_gain("leaky_relu") == torch.nn.init.calculate_gain("leaky_relu")
    for wrong, message in (
        (lambda: nn.init.eye_(autograd.empty(2)), "2 dimensions"),
        (lambda: nn.init.dirac_(autograd.empty(2, 2)), "3, 4, or 5"),
        (lambda: nn.init.dirac_(autograd.empty(3, 2, 2), 2), "divisible"),
        (lambda: nn.init.xavier_normal_(autograd.empty(2)), "fewer than 2 dimensions"),
        (lambda: nn.init.orthogonal_(autograd.empty(2)), "2 or more"),
        (lambda: nn.init.kaiming_normal_(autograd.empty(2, 2), mode="fan"), "Mode fan not supported"),
        (lambda: nn.init.calculate_gain("sine"), "Unsupported nonlinearity sine"),
        (lambda: nn.init.calculate_gain("leaky_relu", "a"), "not a valid number"),
    ):
        with pytest.raises(ValueError, match=message):
            wrong()
    with pytest.warns(UserWarning, match="zero-element"):
        nn.init.kaiming_uniform_(autograd.empty(0, 2))
    with pytest.warns(UserWarning, match="more than 2 std"):
        nn.init.trunc_normal_(autograd.empty(2), 0.0, 1.0, 3.0, 4.0)


def test_first_values_are_noticed_by_a_graph_that_saved_the_parameter():
    for fill in (nn.init.eye_, nn.init.orthogonal_, nn.init.trunc_normal_, nn.init.uniform_):
        w = nn.Parameter(autograd.ones(2, 2))
        y = (w * w).sum()
        fill(w)
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            y.backward()


# --- Helpers for training ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("norm_type", [2.0, 1.0, 3.0, math.inf, -math.inf, 0.0])
def test_clipping_by_norm(norm_type):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    gradients = [rng.standard_normal(shape).astype(np.float32) for shape in ((3, 4), (5,))]
    for limit in (0.5, 1e6):
        results = []
        for t, n in ((autograd, nn), (torch, torch.nn)):
            params = [n.Parameter(t.zeros(*g.shape)) for g in gradients] + [n.Parameter(t.zeros(1))]
            for p, g in zip(params, gradients, strict=False):
                p.grad = t.tensor(g)
            total = n.utils.clip_grad_norm_(params, limit, norm_type)
            assert tuple(total.shape) == ()
            results.append([total.numpy(), *(p.grad.numpy() for p in params[:2])])
        for our, their in zip(*results, strict=True):
            np.testing.assert_allclose(our, their, rtol=1e-5)
            assert our.dtype == their.dtype


def test_clipping_by_value_and_edge_cases():
    p = nn.Parameter(autograd.zeros(3))
    assert nn.utils.clip_grad_norm_([p], 1.0).item() == 0.0
    p.grad = autograd.tensor([-3.0, 0.5, 2.0])
    nn.utils.clip_grad_value_(p, 1)
    assert p.grad.tolist() == [-1.0, 0.5, 1.0]
    p.grad = autograd.tensor([math.inf, 0.5, 2.0])
    with pytest.raises(RuntimeError, match="non-finite"):
        nn.utils.clip_grad_norm_([p], 1.0, error_if_nonfinite=True)
    assert p.grad.tolist() == [math.inf, 0.5, 2.0]
    p.grad = autograd.ones(3)
    assert nn.utils.clip_grad_norm_((q for q in [p]), 1.0).item() == pytest.approx(math.sqrt(3))
    assert p.grad.tolist() == pytest.approx([1 / math.sqrt(3)] * 3, rel=1e-5)


def test_parameters_as_a_vector():
    model = nn.Linear(3, 2)
    vector = nn.utils.parameters_to_vector(model.parameters())
    expected = [value for row in model.weight.tolist() for value in row] + model.bias.tolist()
    assert vector.tolist() == expected
    vector.sum().backward()
    assert model.weight.grad.tolist() == [[1.0] * 3] * 2
    nn.utils.vector_to_parameters(autograd.arange(8.0), model.parameters())
    assert model.weight.tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
    assert model.bias.tolist() == [6.0, 7.0]
    assert model.weight.requires_grad
    nn.utils.vector_to_parameters(autograd.arange(1.0, 12.0), model.parameters())
    assert model.bias.tolist() == [7.0, 8.0]
    with pytest.raises(RuntimeError, match="8 elements"):
        nn.utils.vector_to_parameters(autograd.arange(7.0), model.parameters())
    with pytest.raises(TypeError, match="expected a Tensor"):
        nn.utils.vector_to_parameters([1.0], model.parameters())


IN_PLACE = (
    "relu",
    "relu6",
    "leaky_relu",
    "elu",
    "selu",
    "celu",
    "hardtanh",
    "hardsigmoid",
    "hardswish",
    "silu",
    "mish",
)


@pytest.mark.parametrize("name", IN_PLACE)
def test_functional_activation_in_place(name):
    torch = pytest.importorskip("torch")

    def run(lib, functional):
        x = lib.tensor([-4.0, -1.0, -0.0, 0.3, 2.0, 7.0], requires_grad=True)
        y = x * 1.5
        result = getattr(functional, name)(y, inplace=True)
        assert result is y
        y.sum().backward()
        return y.detach().numpy(), x.grad.numpy()

    for mine, theirs in zip(run(autograd, nn.functional), run(torch, torch.nn.functional), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=2e-6, atol=1e-6)
