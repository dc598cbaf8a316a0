"""SGD against PyTorch, and what all optimizers share."""

from __future__ import annotations

import copy
import io
import pickle
import warnings

import numpy as np
import pytest

import autograd
import nn
import optim

ARGUMENTS = [
    {"lr": 0.1},
    {"lr": 0.1, "momentum": 0.9},
    {"lr": 0.05, "momentum": 0.9, "dampening": 0.5},
    {"lr": 0.05, "momentum": 0.8, "nesterov": True},
    {"lr": 0.1, "weight_decay": 0.1},
    {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.01, "nesterov": True},
    {"lr": 0.01, "maximize": True, "momentum": 0.5, "weight_decay": 0.1},
    {"lr": 0.1, "maximize": True},
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("arguments", ARGUMENTS, ids=str)
def test_twenty_steps_give_the_numbers_of_torch(twin, arguments, dtype):
    ours, theirs, our_params, their_params = twin.run("SGD", arguments, dtype=dtype)
    twin.assert_same(our_params, their_params, rtol=2e-6 if dtype == "float32" else 1e-13)
    assert repr(ours) == repr(theirs)


@pytest.mark.parametrize("arguments", ARGUMENTS[:4], ids=str)
def test_state_dicts_are_interchangeable(twin, arguments):
    twin.check_interchange("SGD", arguments)


def test_invalid_arguments_raise_as_in_torch():
    torch = pytest.importorskip("torch")
    cases = [
        {"lr": -1.0},
        {"momentum": -0.1},
        {"weight_decay": -0.1},
        {"nesterov": True},
        {"nesterov": True, "momentum": 0.9, "dampening": 0.1},
    ]
    for arguments in cases:
        with pytest.raises(ValueError) as theirs:
            torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], **arguments)
        with pytest.raises(ValueError) as ours:
            optim.SGD([nn.Parameter(autograd.zeros(1))], **arguments)
        assert str(ours.value) == str(theirs.value)
    with pytest.raises(RuntimeError, match="differentiable"):
        optim.SGD([nn.Parameter(autograd.zeros(1))], differentiable=True, fused=True)
    with pytest.raises(ValueError, match="1-element"):
        optim.SGD([nn.Parameter(autograd.zeros(1))], lr=autograd.zeros(2))


def test_parameter_groups():
    a, b, c = (nn.Parameter(autograd.ones(2)) for _ in range(3))
    optimizer = optim.SGD([{"params": [a]}, {"params": b, "lr": 1.0}], lr=0.1)
    optimizer.add_param_group({"params": [c], "lr": 2.0})
    assert [group["lr"] for group in optimizer.param_groups] == [0.1, 1.0, 2.0]
    for param in (a, b, c):
        param.grad = autograd.ones(2)
    optimizer.step()
    assert [round(param[0].item(), 6) for param in (a, b, c)] == [0.9, 0.0, -1.0]

    wrong = [
        (TypeError, "must be a dict", [a]),
        (KeyError, "params", {"lr": 1.0}),
        (TypeError, "ordered collections", {"params": {a}}),
        (TypeError, "can only optimize Tensors", {"params": [1.0]}),
        (ValueError, "non-leaf", {"params": [a * 2]}),
        (ValueError, "more than one parameter group", {"params": [a]}),
        (ValueError, "names", {"params": [("d", nn.Parameter(autograd.ones(1)))]}),
        (ValueError, "Some param names are missing", {"params": [("d", nn.Parameter(autograd.ones(1))), a]}),
    ]
    for kind, message, group in wrong:
        with pytest.raises(kind, match=message):
            optimizer.add_param_group(group)
    assert len(optimizer.param_groups) == 3
    with pytest.raises(ValueError, match="empty parameter list"):
        optim.SGD([])
    with pytest.raises(TypeError, match="iterable of Tensors or dicts"):
        optim.SGD(a)
    with pytest.warns(UserWarning, match="duplicate parameters"):
        optim.SGD([a, a])


def test_named_parameters_keep_their_names():
    model = nn.Linear(2, 1)
    optimizer = optim.SGD(model.named_parameters())
    assert optimizer.param_groups[0]["param_names"] == ["weight", "bias"]
    assert optimizer.state_dict()["param_groups"][0]["param_names"] == ["weight", "bias"]
    optimizer.load_state_dict(optim.SGD(nn.Linear(2, 1).parameters(), lr=7.0).state_dict())
    assert optimizer.param_groups[0]["param_names"] == ["weight", "bias"]
    assert optimizer.param_groups[0]["lr"] == 7.0


def test_closure_runs_with_recording_and_step_without():
    w = nn.Parameter(autograd.tensor([2.0]))
    optimizer = optim.SGD([w], lr=0.25)

    def closure():
        optimizer.zero_grad()
        loss = (w * w).sum()
        loss.backward()
        return loss

    with autograd.no_grad():
        assert optimizer.step(closure).item() == 4.0
    assert w.item() == 1.0
    assert w.is_leaf


def test_step_is_noticed_by_a_graph_that_saved_the_parameter():
    w = nn.Parameter(autograd.tensor([2.0]))
    y = (w * w).sum()
    w.grad = autograd.ones(1)
    optim.SGD([w], lr=0.1).step()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.backward()


def test_parameters_without_gradient_are_left_alone():
    a, b = nn.Parameter(autograd.ones(1)), nn.Parameter(autograd.ones(1))
    a.grad = autograd.ones(1)
    optimizer = optim.SGD([a, b], lr=0.5, momentum=0.9)
    optimizer.step()
    assert (a.item(), b.item()) == (0.5, 1.0)
    assert list(optimizer.state) == [a]


def test_zero_grad():
    w = nn.Parameter(autograd.ones(2))
    optimizer = optim.SGD([w])
    w.grad = gradient = autograd.ones(2)
    optimizer.zero_grad(set_to_none=False)
    assert w.grad is gradient
    assert gradient.tolist() == [0.0, 0.0]
    optimizer.zero_grad()
    assert w.grad is None


def test_step_hooks():
    w = nn.Parameter(autograd.ones(1))
    optimizer = optim.SGD([w])
    calls = []
    before = optimizer.register_step_pre_hook(lambda o, args, kwargs: calls.append(("before", o is optimizer)))
    optimizer.register_step_post_hook(lambda o, args, kwargs: calls.append(("after", o is optimizer)))
    optimizer.step()
    before.remove()
    optimizer.step()
    assert calls == [("before", True), ("after", True), ("after", True)]


def test_hooks_run_once_around_a_step_that_calls_another():
    class Counting(optim.SGD):
        def step(self, closure=None):
            return super().step(closure)

    optimizer = Counting([nn.Parameter(autograd.ones(1))])
    calls = []
    optimizer.register_step_post_hook(lambda *_: calls.append(1))
    optimizer.step()
    assert calls == [1]


def test_own_optimizers_define_step_or_update():
    class Signs(optim.Optimizer):
        def __init__(self, params, lr):
            super().__init__(params, {"lr": lr})

        def update(self, params, gradients, group):
            for param, gradient in zip(params, gradients, strict=True):
                param.sub_(group["lr"] * gradient.sign())

    w = nn.Parameter(autograd.tensor([1.0, -1.0]))
    (w * w).sum().backward()
    Signs([w], 0.5).step()
    assert w.tolist() == [0.5, -0.5]
    with pytest.raises(NotImplementedError, match=r"update\(\) or step\(\)"):
        optim.Optimizer([w], {}).step()


def test_copies_and_pickles_go_on_alike():
    w = nn.Parameter(autograd.ones(3))
    optimizer = optim.SGD([w], lr=0.1, momentum=0.9)
    w.grad = autograd.ones(3)
    optimizer.step()
    for copied in (copy.deepcopy(optimizer), pickle.load(io.BytesIO(pickle.dumps(optimizer)))):
        (param,) = copied.param_groups[0]["params"]
        assert param is not w
        param.grad = autograd.ones(3)
        copied.step()
        expected = 0.9 - 0.1 * 1.9
        np.testing.assert_allclose(param.detach().numpy(), expected, rtol=1e-6)


def test_loading_checks_first_and_copies():
    w = nn.Parameter(autograd.ones(2))
    optimizer = optim.SGD([w], lr=0.1, momentum=0.9)
    w.grad = autograd.ones(2)
    optimizer.step()
    saved = optimizer.state_dict()
    two_groups = {"state": {}, "param_groups": saved["param_groups"] * 2}
    more = {"state": {}, "param_groups": [{**saved["param_groups"][0], "params": [0, 1], "lr": 9.0}]}
    for wrong, message in ((two_groups, "different number of parameter groups"), (more, "match the size")):
        with pytest.raises(ValueError, match=message):
            optimizer.load_state_dict(wrong)
    assert optimizer.param_groups[0]["lr"] == 0.1

    double = nn.Parameter(autograd.ones(2, dtype=autograd.float64))
    other = optim.SGD([double], lr=0.1, momentum=0.9)
    other.load_state_dict(saved)
    buffer = other.state[double]["momentum_buffer"]
    assert buffer.dtype == autograd.float64
    buffer.zero_()
    assert optimizer.state[w]["momentum_buffer"].tolist() == [1.0, 1.0]


def test_nothing_warns():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        w = nn.Parameter(autograd.tensor([1e38]))
        w.grad = autograd.tensor([-1e38])
        optim.SGD([w], lr=1e3).step()
    assert np.isinf(w.item())
