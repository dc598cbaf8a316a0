"""Networks of single numbers, and the expressions on which scalar engines are classically checked."""

import math
import random
import subprocess
import sys

import pytest

import nn.scalar
from autograd import Value
from autograd.draw import trace
from nn.scalar import MLP, Layer, Module, Neuron


def classic(x):
    z = 2 * x + 2 + x
    q = z.relu() + z * x
    h = (z * z).relu()
    return h + q + q * x


def longer(a, b):
    c = a + b
    d = a * b + b**3
    c = c + c + 1
    c = c + 1 + c + (-a)
    d = d + d * 2 + (b + a).relu()
    d = d + 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    return g + 10.0 / f


EXPRESSIONS = [
    (classic, (-4.0,)),
    (longer, (-4.0, 2.0)),
    (lambda a, b: (a * b).tanh() / (a.exp() + b.sigmoid()), (0.3, -1.2)),
    (lambda a, b: a**2.5 - 2**b + (a / b).log(), (1.7, 0.6)),
    (lambda a, b: 1 - (a - b).abs().sqrt() * a.sin() + b.cos() ** 2, (2.0, -0.5)),
]


def test_values_and_gradients_are_those_of_torch():
    torch = pytest.importorskip("torch")
    for expression, point in EXPRESSIONS:
        ours = [Value(number) for number in point]
        theirs = [torch.tensor(number, dtype=torch.float64, requires_grad=True) for number in point]
        result, expected = expression(*ours), expression(*theirs)
        result.backward()
        expected.backward()
        assert result.data == pytest.approx(expected.item(), rel=1e-12)
        for value, tensor in zip(ours, theirs, strict=True):
            assert value.grad == pytest.approx(tensor.grad.item(), rel=1e-10)


def test_gradients_are_slopes():
    h = 1e-6
    for expression, point in EXPRESSIONS:
        values = [Value(number) for number in point]
        expression(*values).backward()
        for i, value in enumerate(values):
            up = [number + h * (i == j) for j, number in enumerate(point)]
            down = [number - h * (i == j) for j, number in enumerate(point)]
            slope = (expression(*map(Value, up)).data - expression(*map(Value, down)).data) / (2 * h)
            assert value.grad == pytest.approx(slope, rel=1e-5, abs=1e-6)


def test_representation():
    assert repr(Neuron(3)) == "ReLUNeuron(3)"
    assert repr(Neuron(3, nonlin=False)) == "LinearNeuron(3)"
    assert repr(Layer(2, 2)) == "Layer of [ReLUNeuron(2), ReLUNeuron(2)]"
    assert repr(MLP(2, [2, 1])) == "MLP of [Layer of [ReLUNeuron(2), ReLUNeuron(2)], Layer of [LinearNeuron(2)]]"


def test_a_neuron_computes_a_weighted_sum():
    neuron = Neuron(2)
    neuron.w[0].data, neuron.w[1].data, neuron.b.data = 3.0, -2.0, 1.0
    assert neuron([-1.0, 2.0]).data == 0.0
    neuron.nonlin = False
    z = neuron([Value(-1.0), 2.0])
    assert z.data == -6.0
    assert round(z.sigmoid().data, 3) == 0.002
    z.backward()
    assert [weight.grad for weight in neuron.w] == [-1.0, 2.0]
    assert neuron.b.grad == 1.0


def test_first_weights():
    random.seed(0)
    layer = Layer(200, 10)
    weights = [weight.data for neuron in layer.neurons for weight in neuron.w]
    assert -1 < min(weights) < -0.9
    assert 0.9 < max(weights) < 1
    assert abs(sum(weights) / len(weights)) < 0.05
    assert {neuron.b.data for neuron in layer.neurons} == {0.0}
    random.seed(0)
    assert Neuron(1).w[0].data == weights[0]


def test_structure():
    model = MLP(3, [4, 4, 1])
    assert len(model.parameters()) == 41
    assert len(set(map(id, model.parameters()))) == 41
    assert [len(layer.neurons) for layer in model.layers] == [4, 4, 1]
    assert [layer.neurons[0].nonlin for layer in model.layers] == [True, True, False]
    assert isinstance(model([1.0, 2.0, 3.0]), Value)
    assert len(MLP(3, [4, 2])([1.0, 2.0, 3.0])) == 2
    assert isinstance(MLP(2, [1, 1])([1.0, 2.0]), Value)
    assert Module().parameters() == []


def test_zero_grad():
    model = MLP(2, [3, 1])
    model([1.0, -2.0]).backward()
    assert any(parameter.grad for parameter in model.parameters())
    model.zero_grad()
    assert all(parameter.grad == 0.0 for parameter in model.parameters())


def test_bad_arguments():
    for make, message in (
        (lambda: Neuron(0), "Neuron: nin must be a positive int, but got 0"),
        (lambda: Layer(2, -1), "Layer: nout must be a positive int, but got -1"),
        (lambda: MLP(2, []), "nouts"),
        (lambda: MLP(2, [1.5]), "1.5"),
        (lambda: Neuron(2)([1.0]), "takes 2 inputs, but got 1"),
    ):
        with pytest.raises(ValueError, match=message):
            make()


def two_moons(count):
    """Two interleaved half circles with labels -1 and 1."""
    points, labels = [], []
    for i in range(count):
        angle = math.pi * random.random()
        upper = i % 2 == 0
        x = math.cos(angle) if upper else 1 - math.cos(angle)
        y = math.sin(angle) if upper else 0.5 - math.sin(angle)
        points.append((x + random.gauss(0, 0.1), y + random.gauss(0, 0.1)))
        labels.append(-1 if upper else 1)
    return points, labels


def test_learns_two_moons_with_a_hinge_loss():
    random.seed(0)
    points, labels = two_moons(30)
    model = MLP(2, [8, 8, 1])
    for step in range(60):
        scores = [model(point) for point in points]
        data_loss = sum((1 - label * score).relu() for label, score in zip(labels, scores, strict=True)) / len(points)
        loss = data_loss + 1e-4 * sum(parameter * parameter for parameter in model.parameters())
        if data_loss.data < 0.03:  # a wrong point alone costs 1/30
            break
        model.zero_grad()
        loss.backward()
        for parameter in model.parameters():
            parameter.data -= 0.5 * parameter.grad
    assert data_loss.data < 0.03, f"loss {data_loss.data:.3f} after {step + 1} steps"
    assert all((score.data > 0) == (label > 0) for label, score in zip(labels, scores, strict=True))


def test_a_small_network_can_be_drawn():
    random.seed(0)
    found = trace(MLP(2, [2, 1])([1.0, -2.0]))
    assert [record.operator for record in found.records].count("relu") == 2
    assert all(record.gradient is not None for record in found.records if record.kind != "constant")


def test_is_part_of_nn():
    assert nn.scalar.MLP is MLP


def test_importing_nn_is_enough():
    code = "import nn; print(nn.scalar.MLP(3, [4, 1]))"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.startswith("MLP of [Layer of [ReLUNeuron(3)")
