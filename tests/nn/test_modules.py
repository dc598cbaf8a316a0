"""PyTorch's places of layers."""

from __future__ import annotations

import importlib
import inspect
import pkgutil

import pytest

import nn

ABSENT = {"_functions", "linear_cross_entropy", "linear_cross_entropy_options"}
# Bases and helpers that the layers here do without.
PRIVATE = {
    "_ConvTransposeMixin", "_LazyConvXdMixin", "_LazyProtocol", "_WrappedHook",
}  # fmt: skip


def places(torch):
    listed = {each.name for each in pkgutil.iter_modules(torch.nn.modules.__path__)}
    return sorted(listed - ABSENT)


def test_every_place_has_what_pytorch_has_there(torch):
    missing = []
    assert set(places(torch)) == set(nn.modules.PLACES)
    for place in places(torch):
        theirs, ours = (importlib.import_module(f"{root}.{place}") for root in ("torch.nn.modules", "nn.modules"))
        for name, value in vars(theirs).items():
            if inspect.isclass(value) and value.__module__ == theirs.__name__ and name not in PRIVATE:
                found = getattr(ours, name, None)
                if found is None:
                    missing.append(f"{place}.{name}")
                elif not name.startswith("_") and hasattr(nn, name):
                    assert found is getattr(nn, name)
    assert not missing


def test_names_of_other_places_are_not_there():
    with pytest.raises(AttributeError, match=r"nn\.modules\.linear"):
        nn.modules.linear.Conv2d  # noqa: B018
    with pytest.raises(AttributeError, match=r"nn\.modules"):
        nn.modules.NoLayer  # noqa: B018


def test_bases():
    layers = [nn.Conv1d(1, 1, 1), nn.BatchNorm2d(1), nn.LSTM(1, 1), nn.MSELoss(), nn.MaxPool1d(2), nn.Dropout2d()]
    modules = nn.modules
    bases = [
        modules.conv._ConvNd,
        modules.batchnorm._BatchNorm,
        modules.rnn.RNNBase,
        modules.loss._Loss,
        modules.pooling._MaxPoolNd,
        modules.dropout._DropoutNd,
    ]
    assert [[isinstance(layer, base) for base in bases] for layer in layers] == [
        [i == j for j in range(6)] for i in range(6)
    ]
    assert modules.Linear is nn.Linear
    assert modules.utils._pair(3) == (3, 3)
    assert modules.utils._triple([1, 2, 3]) == (1, 2, 3)
