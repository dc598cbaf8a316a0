"""Adam and AdamW against PyTorch."""

from __future__ import annotations

import pytest

import autograd
import nn
import optim

ARGUMENTS = [
    {},
    {"lr": 0.1},
    {"lr": 0.01, "betas": (0.5, 0.9)},
    {"lr": 0.01, "eps": 1e-2},
    {"lr": 0.01, "weight_decay": 0.1},
    {"lr": 0.01, "amsgrad": True},
    {"lr": 0.01, "amsgrad": True, "weight_decay": 0.1, "maximize": True},
    {"lr": 0.01, "maximize": True},
    {"lr": 0.01, "betas": (0.0, 0.0)},
]


@pytest.mark.parametrize("name", ["Adam", "AdamW"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("arguments", ARGUMENTS, ids=str)
def test_twenty_steps_give_the_numbers_of_torch(twin, name, arguments, dtype):
    ours, theirs, our_params, their_params = twin.run(name, arguments, dtype=dtype)
    twin.assert_same(our_params, their_params, rtol=5e-6 if dtype == "float32" else 1e-12)
    assert repr(ours) == repr(theirs)


@pytest.mark.parametrize("name", ["Adam", "AdamW"])
@pytest.mark.parametrize("arguments", [{"lr": 0.1}, {"lr": 0.01, "amsgrad": True, "weight_decay": 0.1}], ids=str)
def test_state_dicts_are_interchangeable(twin, name, arguments):
    twin.check_interchange(name, arguments)


def test_step_counts_in_a_scalar_tensor():
    w = nn.Parameter(autograd.ones(2, dtype=autograd.float64))
    optimizer = optim.Adam([w])
    for _ in range(3):
        w.grad = autograd.ones(2, dtype=autograd.float64)
        optimizer.step()
    step = optimizer.state[w]["step"]
    assert step.shape == ()
    assert step.dtype == autograd.float32
    assert step.item() == 3.0


def test_learning_rate_and_betas_may_be_tensors():
    a, b = nn.Parameter(autograd.ones(2)), nn.Parameter(autograd.ones(2))
    a.grad, b.grad = autograd.ones(2), autograd.ones(2)
    optim.Adam([a], lr=autograd.tensor(0.1), betas=(autograd.tensor(0.5), autograd.tensor(0.5))).step()
    optim.Adam([b], lr=0.1, betas=(0.5, 0.5)).step()
    assert a.tolist() == pytest.approx(b.tolist(), rel=1e-6)


def test_invalid_arguments_raise_as_in_torch():
    torch = pytest.importorskip("torch")
    for arguments in (
        {"lr": -1.0},
        {"eps": -1.0},
        {"betas": (1.0, 0.9)},
        {"betas": (0.9, -0.1)},
        {"weight_decay": -0.1},
    ):
        with pytest.raises(ValueError) as theirs:
            torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))], **arguments)
        with pytest.raises(ValueError) as ours:
            optim.Adam([nn.Parameter(autograd.zeros(1))], **arguments)
        assert str(ours.value) == str(theirs.value)
    with pytest.raises(RuntimeError, match="fused"):
        optim.Adam([nn.Parameter(autograd.zeros(1))], fused=True, foreach=True)


def test_switches_of_the_implementation_change_nothing():
    results = []
    for arguments in ({}, {"foreach": True}, {"fused": True}, {"capturable": True}):
        w = nn.Parameter(autograd.ones(2))
        w.grad = autograd.tensor([1.0, -2.0])
        optim.Adam([w], lr=0.1, **arguments).step()
        results.append(w.tolist())
    assert all(result == results[0] for result in results)


def test_adamw_loaded_from_adam_stays_decoupled():
    w = nn.Parameter(autograd.ones(2))
    optimizer = optim.AdamW([w])
    optimizer.load_state_dict(optim.Adam([w]).state_dict())
    assert optimizer.param_groups[0]["decoupled_weight_decay"] is True


def test_training_reduces_the_loss():
    autograd.manual_seed(0)
    model = nn.models.MLP(2, 16, 1, activation=nn.Tanh)
    x = autograd.randn(64, 2)
    y = x[:, :1] * x[:, 1:]
    optimizer = optim.Adam(model.parameters(), lr=0.05)
    losses = []
    for _ in range(200):
        optimizer.zero_grad()
        loss = ((model(x) - y) ** 2).mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.1 * losses[0]
