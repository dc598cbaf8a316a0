"""Masked tensors of both libraries, and what is compared of them."""

import warnings

import pytest

PROTOTYPE = "The PyTorch API of MaskedTensors is in prototype stage"


@pytest.fixture(autouse=True)
def quiet():
    """Both libraries warn that masked tensors are a prototype, and PyTorch of what it does not implement."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning)
        yield
