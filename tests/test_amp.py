"""Mixed precision, devices and settings: what PyTorch does on a machine without a GPU."""

from __future__ import annotations

import importlib
import math
from concurrent.futures import ThreadPoolExecutor

import pytest

import autograd
import optim
from autograd.amp import GradScaler, autocast

CAST = [
    "x @ y, lib.mm(x, y), x.matmul(y), lib.bmm(x[None], y[None]), lib.addmm(x, x, y)",
    "lib.einsum('ij,jk->ik', x, y)",
    "F.linear(x, y), F.linear(x, y, x[0]), F.conv1d(x[None], y[None].mT), F.conv2d(x[None, None], y[None, None])",
    "x + y, x.exp(), x.sum(), x.softmax(0), lib.mv(x, y[0]), lib.outer(x[0], y[0])",
    "F.mse_loss(h, h), F.cross_entropy(h, lib.arange(3)), F.l1_loss(h, y), F.nll_loss(h, lib.arange(3)), h.prod()",
    "h + h, h.sum(), h.mean(), h.softmax(0), F.layer_norm(h, (3,)), F.layer_norm(h, (3,), x[0], x[0]), F.gelu(h)",
    "lib.linalg.inv(h), lib.linalg.qr(h).R, lib.linalg.svdvals(h), lib.fft.rfft(h), lib.cdist(h, h), h.quantile(0.5)",
    "lib.cat([h, h]), lib.cat([h, x]), lib.stack([x, h]), lib.cat([x, x]), lib.cat([h, x.int()])",
    "x.double() @ y.double(), (x.int() @ y.int()), F.linear(x.double(), y.double())",
]


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize("source", CAST)
def test_autocast_gives_pytorchs_dtypes(torch, source, dtype):
    kinds = []
    for lib, functional in ((autograd, autograd.nn.functional), (torch, torch.nn.functional)):
        x = lib.tensor([[1.0, 2.0, 0.5], [0.5, 1.0, 1.0], [1.0, 0.0, 2.0]])
        names = {"lib": lib, "F": functional, "x": x, "y": x + 1, "h": x.to(getattr(lib, dtype))}
        with lib.autocast("cpu", dtype=getattr(lib, dtype)):
            results = eval(source, names)
        results = results if isinstance(results, tuple) else (results,)
        kinds.append([str(getattr(result, "dtype", result)) for result in results])
    assert kinds[0] == kinds[1]


def test_autocast_trains_as_in_pytorch(torch):
    losses = []
    for lib in (autograd, torch):
        lib.manual_seed(0)
        model = lib.nn.Sequential(lib.nn.Linear(4, 8), lib.nn.LayerNorm(8), lib.nn.GELU(), lib.nn.Linear(8, 3))
        optimizer = lib.optim.SGD(model.parameters(), lr=0.5)
        x, y = lib.randn(12, 4), lib.arange(12) % 3
        for _ in range(5):
            optimizer.zero_grad()
            with lib.autocast("cpu", dtype=lib.bfloat16):
                out = model(x)
                loss = lib.nn.functional.cross_entropy(out, y)
            assert (out.dtype, loss.dtype) == (lib.bfloat16, lib.float32)
            loss.backward()
            optimizer.step()
            assert all(p.dtype is p.grad.dtype is lib.float32 for p in model.parameters())
        losses.append(loss.item())
    assert losses[0] == pytest.approx(losses[1], rel=1e-2)


def test_autocast_begins_and_ends():
    def kind():
        return (autograd.ones(2, 2) @ autograd.ones(2, 2)).dtype

    def states():
        return autograd.is_autocast_enabled("cpu"), autograd.get_autocast_dtype("cpu"), kind()

    off = (False, autograd.bfloat16, autograd.float32)
    assert states() == off
    with autocast("cpu") as context:
        assert context.fast_dtype is autograd.bfloat16
        assert states() == (True, autograd.bfloat16, autograd.bfloat16)
        with autocast("cpu", dtype=autograd.float16), autocast("cpu"):
            assert states() == (True, autograd.float16, autograd.float16)
        with autocast("cpu", enabled=False):
            assert kind() is autograd.float32
        with context, pytest.raises(RuntimeError):
            autograd.ones(2, 3) @ autograd.ones(2, 3)
        assert kind() is autograd.bfloat16
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(kind).result() is autograd.float32
    assert states() == off
    with pytest.warns(UserWarning, match="not supported"), autocast("cpu", dtype=autograd.float32):
        assert kind() is autograd.float32
    assert not autograd.is_autocast_enabled()
    assert autograd.get_autocast_dtype("cuda") is autograd.float16

    @autograd.autocast("cpu", dtype=autograd.float16)
    def product(x):
        return x @ x

    assert product(autograd.ones(2, 2)).dtype is autograd.float16
    assert states() == off


def test_autocast_refuses_other_devices():
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


@pytest.mark.parametrize("bad", [None, math.inf, math.nan])
def test_unscaling_gradients_of_many_sizes_and_dtypes(torch, bad):
    results = []
    for lib, package, scaler_class in ((autograd, optim, GradScaler), (torch, torch.optim, torch.amp.GradScaler)):
        sizes = [(3, "float32"), (2, "float64"), (5000, "float32"), (1, "bfloat16"), (4, "float32")]
        params = [lib.ones(size, dtype=getattr(lib, kind), requires_grad=True) for size, kind in sizes]
        optimizer, scaler = package.SGD(params, lr=0.5), scaler_class("cpu", init_scale=3.0)
        scaler.scale(sum((param.float() * 0.7).sum() for param in params)).backward()
        params[1].grad = None
        if bad is not None:
            params[-1].grad[1] = bad
        scaler.unscale_(optimizer)
        scaler.step(optimizer)
        results.append([param.detach().float().tolist() for param in params])
        results[-1] += [param.grad.float()[:1].tolist() for param in params if param.grad is not None]
    assert results[0] == results[1]


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


def product(lib, **options):
    class Product(lib.autograd.Function):
        seen = []

        @staticmethod
        @lib.amp.custom_fwd(device_type="cpu", **options)
        def forward(ctx, a, b, n):
            ctx.save_for_backward(a, b)
            Product.seen += [lib.is_autocast_enabled("cpu"), str(a.dtype)]
            return a @ b * n

        @staticmethod
        @lib.amp.custom_bwd(device_type="cpu")
        def backward(ctx, g):
            a, b = ctx.saved_tensors
            Product.seen += [lib.is_autocast_enabled("cpu"), str((g @ b.mT).dtype)]
            return (g.to(b.dtype) @ b.mT).to(a.dtype), (a.mT @ g.to(a.dtype)).to(b.dtype), None

    return Product


@pytest.mark.parametrize("cast_inputs", [None, "float32", "bfloat16"])
@pytest.mark.parametrize("enabled", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float64"])
def test_custom_functions_under_autocast(torch, cast_inputs, enabled, dtype):
    results = []
    for lib in (autograd, torch):
        function = product(lib, cast_inputs=cast_inputs and getattr(lib, cast_inputs))
        x = lib.ones(2, 2, dtype=getattr(lib, dtype), requires_grad=True)
        with lib.autocast("cpu", dtype=lib.bfloat16, enabled=enabled):
            y = function.apply(x, x.detach() * 2, 3)
        y.sum().backward()
        results.append((str(y.dtype), y.tolist(), str(x.grad.dtype), x.grad.tolist(), function.seen))
    assert results[0] == results[1]


def test_custom_functions_name_their_device():
    for decorator in (autograd.amp.custom_fwd, autograd.amp.custom_bwd):
        with pytest.raises(ValueError, match="device_type"):
            decorator(device_type=autograd.device("cpu"))
        assert decorator(abs, device_type="cpu").__name__ == "abs"
    assert autograd.amp.is_autocast_available("cpu")
    assert not autograd.amp.is_autocast_available("cuda")


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
