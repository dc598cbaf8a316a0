"""PyTorch's paths to names that `autograd` offers in more than one place."""

import importlib

import pytest

import autograd

# module -> names in it
MODULES = {
    "autograd.grad_mode": "no_grad enable_grad set_grad_enabled inference_mode set_multithreading_enabled",
    "autograd.anomaly_mode": "detect_anomaly set_detect_anomaly",
    "autograd.gradcheck": "gradcheck gradgradcheck GradcheckError",
    "autograd.variable": "Variable",
    "autograd.function": "Function FunctionCtx InplaceFunction once_differentiable",
    "autograd.functional": "jacobian hessian vjp jvp hvp vhp",
    "autograd.func": "grad grad_and_value vjp jvp jacrev jacfwd hessian vmap functional_call stack_module_state "
    "linearize functionalize",
    "autograd.forward_ad": "dual_level make_dual unpack_dual enter_dual_level exit_dual_level UnpackedDualTensor",
    "autograd.graph": "Node GradientEdge get_gradient_edge increment_version register_multi_grad_hook save_on_cpu "
    "saved_tensors_hooks disable_saved_tensors_hooks allow_mutation_on_saved_tensors",
    "autograd.utils.checkpoint": "checkpoint checkpoint_sequential CheckpointError detach_variable noop_context_fn "
    "get_device_states set_device_states check_backward_validity set_checkpoint_early_stop "
    "set_checkpoint_debug_enabled",
    "autograd.utils.dlpack": "from_dlpack to_dlpack",
    "autograd.utils": "swap_tensors",
}


@pytest.mark.parametrize("path", MODULES)
def test_modules(path):
    module = importlib.import_module(path)
    missing = [name for name in MODULES[path].split() if not hasattr(module, name)]
    assert not missing
    # The same module by attributes, as programs reach it.
    found = autograd
    for part in path.split(".")[1:]:
        found = getattr(found, part)
    assert found is module or path == "autograd.gradcheck"


def test_gradcheck_is_a_function_and_a_module():
    x = autograd.tensor([1.0], dtype=autograd.float64, requires_grad=True)
    importlib.import_module("autograd.gradcheck")
    assert autograd.gradcheck(autograd.sin, x)


def test_the_oracle_s_autograd_is_ours():
    assert autograd.autograd is autograd
    assert autograd.vmap is autograd.func.vmap


def test_multithreading(both):
    def program(L):
        mode = L.autograd.set_multithreading_enabled
        inside = []
        with mode(False):
            inside.append(L.autograd.is_multithreading_enabled())
        mode(True)  # holds from here on
        return inside, L.autograd.is_multithreading_enabled()

    both(program)


def test_anomaly_mode_without_a_block():
    autograd.set_anomaly_enabled(True, check_nan=False)
    try:
        assert autograd.is_anomaly_enabled()
        assert not autograd.is_anomaly_check_nan_enabled()
    finally:
        autograd.set_anomaly_enabled(False)
    assert not autograd.is_anomaly_enabled()


def test_swap_tensors():
    a, b = autograd.zeros(2, requires_grad=True), autograd.nn.Parameter(autograd.ones(3))
    note = {"a": 1}
    a.note = note
    y = (b * 2).sum()
    autograd.utils.swap_tensors(a, b)
    assert isinstance(a, autograd.nn.Parameter)
    assert type(b) is autograd.Tensor
    assert (a.tolist(), b.tolist()) == ([1.0, 1.0, 1.0], [0.0, 0.0])
    assert b.note is note
    y.backward()
    assert a.grad.tolist() == [2.0, 2.0, 2.0]
    assert b.grad is None


def test_swap_tensors_refuses_weak_references():
    import weakref

    a, b = autograd.zeros(2), autograd.ones(2)
    reference = weakref.ref(a)
    with pytest.raises(RuntimeError, match="t1 because it has weakref"):
        autograd.utils.swap_tensors(a, b)
    assert reference() is a
