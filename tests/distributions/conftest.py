"""What the tests of distributions share."""

import sys

import pytest


@pytest.fixture(autouse=True)
def pytorch_refuses_bad_parameters():
    """PyTorch's own compiler, wherever a test has loaded it, stops PyTorch's distributions from checking theirs."""
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.distributions.Distribution.set_default_validate_args(True)
