"""A linear layer and the ReLU behind it, computed at once: nobody can tell, but by the clock."""

import numpy as np
import pytest

import autograd
import nn
from autograd.kernels import gemm
from autograd.ops.nn.rectified import linear_relu
from nn import functional as F

pytest.importorskip("numba")


@pytest.fixture
def at_once(monkeypatch):
    """How often the maximum was taken with the product."""
    counts = []
    product = gemm.matrix_product

    def counting(a, b, added=None, rectified=False):
        counts.append(rectified)
        return product(a, b, added, rectified)

    monkeypatch.setattr(gemm, "matrix_product", counting)
    return counts


def layer(rows=150, size=100, features=120, dtype=autograd.float32):
    autograd.manual_seed(0)
    tensors = [autograd.randn(*shape, dtype=dtype) for shape in ((rows, size), (features, size), (features,))]
    tensors[0][0, 0] = float("nan")
    return [tensor.requires_grad_() for tensor in tensors]


def results_of(function, tensors, g):
    out = function(*tensors)
    return out, autograd.grad(out, [t for t in tensors if t.requires_grad], g)


def names_behind(node):
    return node and [node.name(), *(names_behind(edge) for edge, _ in node.next_functions)]


def apart(x, weight, bias):
    return F.relu(F.linear(x, weight, bias))


@pytest.mark.parametrize("dtype", [autograd.float32, autograd.float64])
def test_values_gradients_and_nodes(at_once, dtype):
    g = autograd.randn(150, 120, dtype=dtype)
    for constant in (None, 0, 1, 2):
        tensors = layer(dtype=dtype)
        if constant is not None:
            tensors[constant].requires_grad_(False)
        out, gradients = results_of(linear_relu, tensors, g)
        want, wanted = results_of(apart, tensors, g)
        assert at_once == [True], "only the first way takes the maximum with the product"
        at_once.clear()
        np.testing.assert_array_equal(out.detach().numpy(), want.detach().numpy())
        for ours, theirs in zip(gradients, wanted, strict=True):
            np.testing.assert_array_equal(ours.numpy(), theirs.numpy())
        assert names_behind(out.grad_fn) == names_behind(want.grad_fn)


def test_gradients_of_gradients(at_once):
    tensors = layer()
    tensors[0].data[0, 0] = 1.0
    found = []
    for way in (linear_relu, apart):
        (first,) = autograd.grad((way(*tensors) ** 2).sum(), tensors[1], create_graph=True)
        found.append(autograd.grad((first**2).sum(), tensors[0])[0])
    assert at_once[0]
    np.testing.assert_array_equal(found[0].numpy(), found[1].numpy())


def test_writes_are_noticed():
    for which in range(3):
        tensors = layer()
        out = linear_relu(*tensors)
        with autograd.no_grad():
            (out, *tensors)[which].mul_(2)
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            out.sum().backward()


def test_who_looks_sees_two_steps(at_once):
    """Small or very large results, other layouts and dtypes, hooks, tangents, examples and autocast."""
    x, weight, bias = tensors = layer()
    seen = []
    for others in (layer(10, 10, 10), layer(300, 20, 256), [t.half() for t in tensors], [x[0], weight, bias]):
        results_of(linear_relu, others, autograd.ones_like(apart(*others)))
    with autograd.graph.saved_tensors_hooks(lambda t: seen.append(t.shape) or t, lambda t: t):
        linear_relu(*tensors)
    with autograd.autocast("cpu"):
        assert linear_relu(*tensors).dtype is autograd.bfloat16
    autograd.func.jvp(lambda x: linear_relu(x, weight, bias), (x.detach(),), (x.detach(),))
    examples = autograd.vmap(lambda row: linear_relu(row, weight, bias))(x)
    np.testing.assert_allclose(examples.detach().numpy(), apart(*tensors).detach().numpy(), 1e-5, 1e-5)
    assert not any(at_once)
    assert sorted(map(tuple, seen)) == [(120, 100), (150, 100), (150, 120)]
    with autograd.no_grad():
        linear_relu(*layer(300, 100, 256))
    assert any(at_once), "without a gradient there are no bits to keep"


def model(*layers):
    autograd.manual_seed(1)
    return nn.Sequential(nn.Linear(100, 120), *layers, nn.Linear(120, 3))


def test_sequences(at_once):
    x = autograd.randn(150, 100)
    plain = model(nn.ReLU())
    want = plain[2](F.relu(plain[0](x)))
    at_once.clear()
    np.testing.assert_array_equal(plain(x).detach().numpy(), want.detach().numpy())
    assert any(at_once)

    called = []

    class Doubled(nn.ReLU):
        def forward(self, input):
            called.append("a subclass")
            return super().forward(input)

    def hooked(which):
        network = model(nn.ReLU())
        network[which].register_forward_hook(lambda module, args, out: called.append(f"hook {which}"))
        return network

    def patched(which):
        network = model(nn.ReLU())
        forward = network[which].forward
        network[which].forward = lambda x: called.append(f"patched {which}") or forward(x)
        return network

    at_once.clear()
    networks = [model(Doubled()), hooked(0), hooked(1), patched(0), patched(1), model(nn.ReLU(inplace=True))]
    for network in networks:
        np.testing.assert_array_equal(network(x).detach().numpy(), want.detach().numpy())
    assert not any(at_once)
    without = nn.Sequential(nn.Linear(100, 120, bias=False), nn.ReLU())
    np.testing.assert_array_equal(without(x).detach().numpy(), F.relu(without[0](x)).detach().numpy())
    assert called == ["a subclass", "hook 0", "hook 1", "patched 0", "patched 1"]
    assert not any(at_once)
    for network in (
        model(),
        model(nn.Tanh()),
        nn.Sequential(nn.Linear(100, 120)),
        model(nn.Linear(120, 120), nn.ReLU()),
    ):
        assert network(x).shape[0] == 150
    with pytest.raises(RuntimeError, match="cannot be multiplied"):
        plain(autograd.randn(150, 99))
