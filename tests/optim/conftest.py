"""An optimizer of ours and its twin in PyTorch, fed with the same gradients."""

from __future__ import annotations

import numpy as np
import pytest

import autograd
import nn
import optim

SHAPES = [(3, 4), (5,), (), (2, 3, 2)]


class Twin:
    """Runs both libraries side by side."""

    def __init__(self, torch):
        self.torch = torch

    def run(self, name, arguments, steps=20, dtype="float32"):
        """Both optimizers and both lists of parameters after some steps."""
        rng = np.random.default_rng(0)
        starts = [np.asarray(rng.standard_normal(shape)).astype(dtype) for shape in SHAPES]
        our_params = [nn.Parameter(autograd.tensor(start)) for start in starts]
        their_params = [self.torch.nn.Parameter(self.torch.tensor(start)) for start in starts]
        ours = getattr(optim, name)(our_params, **arguments)
        theirs = getattr(self.torch.optim, name)(their_params, **arguments)
        self.step(rng, ours, theirs, our_params, their_params, steps)
        return ours, theirs, our_params, their_params

    def step(self, rng, ours, theirs, our_params, their_params, steps):
        """Steps of both on the same random gradients."""
        for _ in range(steps):
            for our, their in zip(our_params, their_params, strict=True):
                gradient = np.asarray(rng.standard_normal(their.shape)).astype(our._array.dtype)
                our.grad, their.grad = autograd.tensor(gradient), self.torch.tensor(gradient)
            ours.step()
            theirs.step()

    def assert_same(self, our_params, their_params, rtol=2e-6):
        """The parameters agree."""
        for our, their in zip(our_params, their_params, strict=True):
            np.testing.assert_allclose(our.detach().numpy(), their.detach().numpy(), rtol=rtol, atol=rtol)

    def check_interchange(self, name, arguments):
        """Each library goes on from the other's state, and they stay together."""
        torch = self.torch
        ours, theirs, our_params, their_params = self.run(name, arguments, steps=5)
        saved, expected = ours.state_dict(), theirs.state_dict()
        assert saved["param_groups"] == expected["param_groups"]
        assert saved["state"].keys() == expected["state"].keys()
        for number, remembered in saved["state"].items():
            assert remembered.keys() == expected["state"][number].keys()
            for key, value in remembered.items():
                assert str(value.dtype) == str(expected["state"][number][key].dtype)

        fresh = getattr(optim, name)(our_params, lr=123.0)
        fresh.load_state_dict(expected)
        fresh_theirs = getattr(torch.optim, name)(their_params, lr=123.0)
        state = {
            number: {key: torch.tensor(value.numpy()) for key, value in remembered.items()}
            for number, remembered in saved["state"].items()
        }
        fresh_theirs.load_state_dict({"param_groups": saved["param_groups"], "state": state})
        self.step(np.random.default_rng(1), fresh, fresh_theirs, our_params, their_params, 5)
        self.assert_same(our_params, their_params)


@pytest.fixture
def twin():
    return Twin(pytest.importorskip("torch"))
