"""What the tests of operators share: the two libraries under one interface, and a count of what the table covers."""

import numpy as np
import pytest

import autograd
from autograd.rows import deferred


class Library:
    """A library's main namespace, with ``nn.functional`` as ``F``: an expression of it runs in ours and in PyTorch's.

    ``of`` makes a tensor of this library from an ndarray.
    """

    def __init__(self, namespace, functional, of):
        self.F, self.of = functional, of
        self._namespace = namespace

    def __getattr__(self, name):
        return getattr(self._namespace, name)


class _Functional:
    def __getattr__(self, name):
        return deferred.find("nn.functional", name)


def _tensor_of(array, requires_grad=False):
    tensor = autograd.from_numpy(np.array(array, order="K"))
    return tensor.requires_grad_(requires_grad)


@pytest.fixture(scope="session")
def ours():
    return Library(autograd, _Functional(), _tensor_of)


@pytest.fixture(scope="session")
def theirs(torch):
    def of(array, requires_grad=False):
        return torch.from_numpy(np.array(array, order="K")).requires_grad_(requires_grad)

    return Library(torch, torch.nn.functional, of)


def pytest_terminal_summary(terminalreporter):
    import operator_samples

    terminalreporter.write_line(operator_samples.summary())
