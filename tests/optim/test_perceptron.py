"""The perceptron's rule: NAND in the steps that paper and pencil take, and XOR never."""

from __future__ import annotations

import pytest

import autograd
import nn
import optim

INPUTS = [(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)]
NAND, XOR = [1.0, 1.0, 1.0, 0.0], [0.0, 1.0, 1.0, 0.0]


def step_unit():
    unit = nn.Sequential(nn.Linear(2, 1), nn.Step(at_zero=0.0, straight_through=True))
    for parameter in unit.parameters():
        nn.init.zeros_(parameter)
    return unit


def by_hand(targets, epochs):
    """w ← w + (y - ŷ) x with x₀ = 1: the weights after every example."""
    w, path = [0.0, 0.0, 0.0], []
    for _ in range(epochs):
        for (a, b), y in zip(INPUTS, targets, strict=True):
            x = (1.0, a, b)
            guess = 1.0 if sum(wi * xi for wi, xi in zip(w, x, strict=True)) > 0 else 0.0
            w = [wi + (y - guess) * xi for wi, xi in zip(w, x, strict=True)]
            path.append(tuple(w))
    return path


def weights(unit):
    return (unit[0].bias.item(), *unit[0].weight.detach().flatten().tolist())


def test_nand_takes_the_steps_of_paper_and_pencil():
    unit = step_unit()
    rule = optim.Perceptron(unit.parameters())
    path, errors = [], []
    for _ in range(7):
        errors.append(0)
        for x, y in zip(INPUTS, NAND, strict=True):
            errors[-1] += rule.learn(unit, autograd.tensor(x), autograd.tensor([y]))
            path.append(weights(unit))
    assert path == by_hand(NAND, 7)
    assert errors[-1] == errors[-2] == 0
    assert path[-1] == (3.0, -2.0, -1.0)
    assert unit(autograd.tensor(INPUTS)).flatten().tolist() == NAND


def test_a_batch_adds_the_corrections_and_a_rate_scales_them():
    unit = step_unit()
    rule = optim.Perceptron(unit.parameters(), lr=0.5)
    assert rule.learn(unit, autograd.tensor(INPUTS), autograd.tensor(NAND).reshape(4, 1)) == 3
    assert weights(unit) == (1.5, 0.5, 0.5)


def test_xor_is_out_of_reach():
    unit = step_unit()
    rule = optim.Perceptron(unit.parameters())
    for _ in range(100):
        errors = [rule.learn(unit, autograd.tensor(x), autograd.tensor([y])) for x, y in zip(INPUTS, XOR, strict=True)]
        assert sum(errors) > 0


def test_the_gradient_of_the_squared_error_is_the_same():
    unit, x, y = step_unit(), autograd.tensor(INPUTS), autograd.tensor(NAND).reshape(4, 1)
    (0.5 * (unit(x) - y) ** 2).sum().backward()
    optim.Perceptron(unit.parameters()).step()
    other = step_unit()
    optim.Perceptron(other.parameters()).learn(other, x, y)
    assert weights(unit) == weights(other) == (3.0, 1.0, 1.0)


def test_errors():
    unit = step_unit()
    with pytest.raises(ValueError, match="learning rate"):
        optim.Perceptron(unit.parameters(), lr=-1.0)
    with pytest.raises(ValueError, match=r"\(4, 1\).*\(4,\)"):
        optim.Perceptron(unit.parameters()).learn(unit, autograd.tensor(INPUTS), autograd.tensor(NAND))
