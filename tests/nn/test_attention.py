"""Which kernels attention may use."""

from __future__ import annotations

import pytest

import autograd
import nn.functional as F
from autograd.backends import cuda
from nn.attention import SDPBackend, sdpa_kernel


def attend():
    x = autograd.ones(1, 2, 3)
    return F.scaled_dot_product_attention(x, x, x)


@pytest.mark.parametrize(
    "backends", [SDPBackend.MATH, SDPBackend.FLASH_ATTENTION, [SDPBackend.CUDNN_ATTENTION, SDPBackend.MATH]]
)
def test_the_kernel_that_is_there(backends):
    with sdpa_kernel(backends, set_priority=True):
        assert attend().shape == (1, 2, 3)


@pytest.mark.parametrize("backends", [SDPBackend.EFFICIENT_ATTENTION, SDPBackend.ERROR, []])
def test_no_kernel(backends):
    with sdpa_kernel(backends), pytest.raises(RuntimeError, match="No viable backend"):
        attend()
    assert attend().shape == (1, 2, 3)


@pytest.mark.parametrize("backends", ["MATH", None, (SDPBackend.MATH,)])
def test_what_is_no_kernel(backends):
    with pytest.raises(AssertionError, match="SDPBackend"), sdpa_kernel(backends):
        pass


def test_switches_are_the_same_ones():
    switches = {
        "math": SDPBackend.MATH,
        "flash": SDPBackend.FLASH_ATTENTION,
        "mem_efficient": SDPBackend.EFFICIENT_ATTENTION,
        "cudnn": SDPBackend.CUDNN_ATTENTION,
    }
    for name, backend in switches.items():
        enable, is_enabled = getattr(cuda, f"enable_{name}_sdp"), getattr(cuda, f"{name}_sdp_enabled")
        assert is_enabled()
        enable(False)
        try:
            with sdpa_kernel(backend):
                assert [getattr(cuda, f"{other}_sdp_enabled")() for other in switches] == [o == name for o in switches]
            assert not is_enabled()
        finally:
            enable(True)
        with pytest.raises(RuntimeError):
            enable("yes")


def test_names_are_pytorchs(torch):
    theirs = torch.nn.attention.SDPBackend.__members__
    assert [(name, int(kernel)) for name, kernel in theirs.items()] == [(k.name, int(k)) for k in SDPBackend]
    assert [repr(kernel) for kernel in theirs.values()] == [repr(kernel) for kernel in SDPBackend]
