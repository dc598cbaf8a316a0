"""What constructors and schedules take, by PyTorch's names, in its order, with its defaults."""

from __future__ import annotations

import importlib
import inspect

import pytest

import nn
import nn.utils
import nn.utils.parametrizations
import nn.utils.prune
import optim

SPACES = {
    "nn": nn,
    "nn.init": nn.init,
    "nn.utils": nn.utils,
    "nn.utils.rnn": nn.utils.rnn,
    "nn.utils.parametrize": nn.utils.parametrize,
    "nn.utils.parametrizations": nn.utils.parametrizations,
    "nn.utils.prune": nn.utils.prune,
    "optim": optim,
    "optim.lr_scheduler": optim.lr_scheduler,
    "optim.swa_utils": optim.swa_utils,
}

HIDDEN = ("args", inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.empty.__name__)  # nothing to compare with


def parameters_of(function):
    """Names, kinds and defaults; of functions among the defaults the names."""
    found = inspect.signature(function).parameters.values()
    return [(p.name, p.kind, getattr(p.default, "__name__", p.default)) for p in found]


@pytest.mark.parametrize("space", SPACES)
def test_signatures_are_those_of_torch(space, torch):
    theirs = importlib.import_module(f"torch.{space}")
    home = f"torch.{space.partition('.')[0]}"
    compared = 0
    for name in sorted(set(dir(theirs)) & set(dir(SPACES[space]))):
        each = getattr(theirs, name)
        if name.startswith("_") or not callable(each) or not str(getattr(each, "__module__", "")).startswith(home):
            continue
        expected = parameters_of(each)
        if expected[:1] != [HIDDEN]:
            assert parameters_of(getattr(SPACES[space], name)) == expected, name
            compared += 1
    assert compared > 2
