"""Gradients through an optimizer's step: with respect to the parameters, their gradients, the state and the rate."""

from __future__ import annotations

import numpy as np
import pytest

import autograd
import optim

CASES = [
    ("SGD", {"lr": 0.9, "momentum": 0.3, "weight_decay": 0.1, "nesterov": True}, ["momentum_buffer"]),
    ("SGD", {"lr": 0.9}, []),
    ("Adam", {"lr": 0.9, "weight_decay": 0.1}, ["exp_avg", "exp_avg_sq"]),
    ("Adam", {"lr": 0.9, "amsgrad": True, "maximize": True}, ["exp_avg", "exp_avg_sq", "max_exp_avg_sq"]),
    ("AdamW", {"lr": 0.9, "amsgrad": True}, ["exp_avg", "exp_avg_sq", "max_exp_avg_sq"]),
    ("NAdam", {"lr": 0.9, "weight_decay": 0.1}, ["exp_avg", "exp_avg_sq"]),
    ("RAdam", {"lr": 0.9, "betas": (0.5, 0.9)}, ["exp_avg", "exp_avg_sq"]),
    ("Adamax", {"lr": 0.9}, ["exp_avg", "exp_inf"]),
    ("Adagrad", {"lr": 0.9}, ["sum"]),
    ("Adadelta", {"lr": 0.9, "weight_decay": 0.1}, ["square_avg", "acc_delta"]),
    ("RMSprop", {"lr": 0.9}, ["square_avg"]),
    ("RMSprop", {"lr": 0.9, "centered": True, "momentum": 0.1}, ["square_avg", "grad_avg", "momentum_buffer"]),
    ("ASGD", {"lr": 0.9}, ["ax"]),
    ("Rprop", {"lr": 0.9}, ["prev", "step_size"]),
]
# PyTorch's own step fails for ASGD: it writes to a tensor that it needs.
IN_TORCH = [case for case in CASES if case[0] != "ASGD"]
COUNTED = {"NAdam": {"mu_product": 0.7}, "ASGD": {"eta": 0.5, "mu": 0.6}}


def positive(seed, size=7):
    return np.random.default_rng(seed).uniform(0.5, 1.5, size)


def state_of(lib, name, keys, values):
    state = {key: value.clone() for key, value in zip(keys, values, strict=True)}
    if "grad_avg" in state:
        state["grad_avg"] = state["grad_avg"] * 0.1  # a variance that is positive
    if name != "SGD":
        state["step"] = lib.tensor(10.0, dtype=lib.float64)
        state |= {key: lib.tensor(value, dtype=lib.float64) for key, value in COUNTED.get(name, {}).items()}
    return state


def stepped(lib, name, options, keys, p, g, *values):
    """The parameter and its state after a step that is recorded."""
    p = p.clone()
    p.grad = g
    package = optim if lib is autograd else lib.optim
    optimizer = getattr(package, name)([p], differentiable=True, **options)
    optimizer.state[p].update(state_of(lib, name, keys, values))
    optimizer.step()
    return (p, *(optimizer.state[p][key] for key in keys))


@pytest.mark.parametrize(("name", "options", "keys"), CASES, ids=str)
def test_gradcheck(name, options, keys):
    inputs = [autograd.tensor(positive(i)).requires_grad_() for i in range(2 + len(keys))]
    assert autograd.gradcheck(lambda *given: stepped(autograd, name, options, keys, *given), inputs)


@pytest.mark.parametrize(("name", "options", "keys"), IN_TORCH, ids=str)
def test_gradients_are_those_of_torch(both, name, options, keys):
    def program(lib):
        inputs = [lib.tensor(positive(i)).requires_grad_() for i in range(2 + len(keys))]
        outputs = stepped(lib, name, options, keys, *inputs)
        loss = sum((output * lib.tensor(positive(9 + i))).sum() for i, output in enumerate(outputs))
        loss.backward()
        return [output.detach() for output in outputs], [lib.zeros(7) if x.grad is None else x.grad for x in inputs]

    both(program, rtol=1e-9, atol=1e-11)


def loss_after_two_steps(lib, name, lr, start):
    package = optim if lib is autograd else lib.optim
    p = start.clone()
    optimizer = getattr(package, name)([p], lr=lr, differentiable=True)
    for _ in range(2):
        position = p.clone()  # the step writes to p
        (p.grad,) = lib.autograd.grad((position**3).sum(), [position], create_graph=True)
        optimizer.step()
    return (p * p).sum()


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW"])
def test_the_rate_may_be_learned(both, name):
    def program(lib):
        lr = lib.tensor(0.1, dtype=lib.float64, requires_grad=True)
        start = lib.tensor(positive(0)).requires_grad_()
        loss_after_two_steps(lib, name, lr, start).backward()
        return lr.grad, start.grad

    both(program, rtol=1e-4)  # PyTorch counts steps in float32, and so computes the corrections of the moments


@pytest.mark.parametrize("name", ["SGD", "RAdam", "NAdam", "Adagrad", "RMSprop", "Adadelta", "Adamax"])
def test_the_rate_of_every_rule_may_be_learned(name):
    lr = autograd.tensor(0.1, dtype=autograd.float64, requires_grad=True)
    start = autograd.tensor(positive(0)).requires_grad_()
    assert autograd.gradcheck(lambda *given: loss_after_two_steps(autograd, name, *given), (lr, start))


def test_a_leaf_cannot_be_written_to(both):
    def program(lib):
        package = optim if lib is autograd else lib.optim
        p = lib.ones(2, requires_grad=True)
        p.grad = lib.ones(2)
        package.SGD([p], differentiable=True).step()

    assert both(program)[:2] == ("raised", "RuntimeError")


def test_other_optimizers_take_leaves_only():
    with pytest.raises(ValueError, match="non-leaf"):
        optim.Adam([autograd.ones(2, requires_grad=True) * 2])


def test_a_gradient_given_to_what_is_no_leaf_can_be_read(both):
    def program(lib):
        p = lib.ones(2, requires_grad=True) * 2
        p.grad = lib.tensor([1.0, 2.0])
        return p.grad

    both(program)
