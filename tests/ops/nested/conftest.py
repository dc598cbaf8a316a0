"""What PyTorch warns of."""

import warnings

import pytest


@pytest.fixture(autouse=True)
def quiet():
    """PyTorch warns that nested tensors of strided layout are a prototype."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning)
        yield
