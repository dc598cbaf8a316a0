"""Mixed precision, devices and settings: what PyTorch does on a machine without a GPU."""

from __future__ import annotations

import importlib
import math

import pytest

import autograd
import optim
from autograd.amp import GradScaler, autocast


def test_autocast_changes_nothing():
    with autocast("cpu") as context:
        assert (autograd.ones(2, 2) @ autograd.ones(2, 2)).dtype is autograd.float32
    assert context.fast_dtype is autograd.bfloat16

    @autograd.autocast("cpu", dtype=autograd.float16)
    def product(x):
        return x @ x

    assert product(autograd.ones(2, 2)).tolist() == [[2, 2], [2, 2]]
    with pytest.warns(UserWarning, match="not available"):
        autocast("cuda")
    autocast("cuda", enabled=False)
    with pytest.raises(RuntimeError):
        autocast("nothing")
    with pytest.raises(ValueError):
        autocast(3)


def run_scaler(lib, optimizers, scaler_class):
    """Factors and weights of a training with one overflow."""
    w = lib.ones(2, requires_grad=True)
    optimizer = optimizers.SGD([w], lr=0.125)
    scaler = scaler_class("cpu", init_scale=8.0, growth_interval=2)
    history = []
    for step in range(6):
        optimizer.zero_grad()
        loss = (w * w).sum() * (math.inf if step == 2 else 1.0)
        scaler.scale(loss).backward()
        if step % 2:
            scaler.unscale_(optimizer)
        scaler.step(optimizer)
        scaler.update()
        history.append((scaler.get_scale(), w.tolist()))
    state = scaler.state_dict()
    other = scaler_class("cpu")
    other.load_state_dict(state)
    history.append((other.get_scale(), sorted(state)))
    return history


def test_the_scaler_does_what_pytorchs_does(torch):
    assert run_scaler(autograd, optim, GradScaler) == run_scaler(torch, torch.optim, torch.amp.GradScaler)


def test_the_scaler_refuses_wrong_order():
    w = autograd.ones(2, requires_grad=True)
    optimizer, scaler = optim.SGD([w], lr=0.1), GradScaler("cpu")
    with pytest.raises(AssertionError, match="step"):
        scaler.update()
    scaler.scale([w.sum(), (w.sum(),)])[0].backward()
    scaler.unscale_(optimizer)
    with pytest.raises(RuntimeError, match="already"):
        scaler.unscale_(optimizer)
    with pytest.raises(ValueError):
        scaler.scale("text")


def test_the_scaler_of_a_gpu_scales_nothing():
    w = autograd.ones(2, requires_grad=True)
    optimizer = optim.SGD([w], lr=0.5)
    with pytest.warns(UserWarning, match="not available"):
        scaler = autograd.cuda.amp.GradScaler()
    assert not scaler.is_enabled()
    scaler.scale(w.sum()).backward()
    scaler.unscale_(optimizer)
    scaler.step(optimizer)
    scaler.update()
    assert scaler.get_scale() == 1.0
    assert scaler.state_dict() == {}
    assert w.tolist() == [0.5, 0.5]


def test_the_default_device():
    assert autograd.get_default_device() == autograd.device("cpu")
    with autograd.device("cpu", 0):
        assert autograd.get_default_device() == autograd.device("cpu:0")
        assert autograd.ones(1).device == autograd.device("cpu")

    @autograd.device("cpu", 1)
    def inside():
        return autograd.get_default_device()

    assert inside() == autograd.device("cpu:1")
    assert autograd.get_default_device() == autograd.device("cpu")
    autograd.set_default_device("cpu")
    autograd.set_default_device(None)
    for wrong, error in (("cuda", AssertionError), ("mps", RuntimeError), (3.5, TypeError)):
        with pytest.raises(error):
            autograd.set_default_device(wrong)
    with pytest.raises(AssertionError), autograd.device("cuda"):
        pass


MODULES = [
    "cuda", "cuda.amp", "mps", "xpu", "cpu", "accelerator", "amp", "backends", "backends.cudnn", "backends.mps",
    "backends.cuda", "backends.mkl", "backends.mkldnn", "backends.openmp", "backends.opt_einsum", "types", "storage",
    "serialization",
]  # fmt: skip


@pytest.mark.parametrize("name", MODULES)
def test_modules_can_be_imported_by_name(name):
    module = importlib.import_module(f"autograd.{name}")
    found = autograd
    for part in name.split("."):
        found = getattr(found, part)
    assert found is module
    assert not [each for each in module.__all__ if not hasattr(module, each)]


def test_switches_of_backends():
    cudnn = importlib.import_module("autograd.backends.cudnn")
    cudnn.benchmark = True
    with cudnn.flags(enabled=False, deterministic=True):
        assert (cudnn.enabled, cudnn.benchmark, cudnn.deterministic) == (False, False, True)
    assert (cudnn.enabled, cudnn.benchmark, cudnn.deterministic) == (True, True, False)
    cudnn.benchmark = False


def test_the_order_of_an_einsum_can_be_switched():
    switches = autograd.backends.opt_einsum
    operands = [autograd.rand(*shape) for shape in ((2, 30), (30, 4), (4, 50), (50, 3))]
    expected = autograd.einsum("ab,bc,cd,de->ae", *operands)
    try:
        for enabled, strategy in ((False, "auto"), (True, "greedy"), (True, "optimal")):
            switches.enabled, switches.strategy = enabled, strategy
            assert autograd.allclose(autograd.einsum("ab,bc,cd,de->ae", *operands), expected)
    finally:
        switches.enabled, switches.strategy = True, "auto"


def test_settings_are_remembered():
    for set_, get, values, first in (
        (autograd.set_float32_matmul_precision, autograd.get_float32_matmul_precision, ["high", "medium"], "highest"),
        (autograd.set_deterministic_debug_mode, autograd.get_deterministic_debug_mode, [1, 2], 0),
        (autograd.set_warn_always, autograd.is_warn_always_enabled, [True], False),
        (autograd.set_num_interop_threads, autograd.get_num_interop_threads, [3], 1),
    ):
        assert get() == first
        for value in values:
            set_(value)
            assert get() == value
        set_(first)
    autograd.use_deterministic_algorithms(True, warn_only=True)
    assert autograd.are_deterministic_algorithms_enabled()
    assert autograd.is_deterministic_algorithms_warn_only_enabled()
    assert autograd.get_deterministic_debug_mode() == 1
    autograd.use_deterministic_algorithms(False)
    assert not autograd.are_deterministic_algorithms_enabled()
    with pytest.warns(UserWarning, match="'highest'"):
        autograd.set_float32_matmul_precision("best")


def test_bfloat16_is_a_name():
    assert autograd.ones(1).dtype != autograd.bfloat16
    for call in (
        lambda: autograd.ones(1).to(autograd.bfloat16),
        lambda: autograd.ones(1).bfloat16(),
        lambda: autograd.zeros(1, dtype=autograd.bfloat16),
        lambda: autograd.ones(2).sum(dtype=autograd.bfloat16),
    ):
        with pytest.raises(TypeError, match=r"bfloat16 is not available.*float32"):
            call()
