"""What every published function has: a name by which ``pickle`` finds it."""

from __future__ import annotations

import importlib
import pickle

import pytest

SPACES = [
    "autograd", "nn.functional", "autograd.special", "autograd.linalg", "autograd.fft", "autograd.masked",
    "autograd.signal.windows",
]  # fmt: skip


@pytest.mark.filterwarnings("ignore")  # names that warn when they are asked for
@pytest.mark.parametrize("space", SPACES)
def test_functions_are_pickled_by_name(space):
    module = importlib.import_module(space)
    functions = {name: getattr(module, name) for name in module.__all__}
    functions = {name: each for name, each in functions.items() if type(each).__name__ == "function"}
    assert len(functions) > 8
    for name, each in functions.items():
        assert pickle.loads(pickle.dumps(each)) is each, name
