"""Grad mode, inference mode and anomaly mode: as contexts and decorators, per thread. Oracle: PyTorch."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import autograd


def leaf(lib, *values):
    return lib.tensor(list(values), requires_grad=True)


# --- Modes ---------------------------------------------------------------------------------------------------------


def modes_nested(lib):
    seen = [lib.is_grad_enabled()]
    with lib.no_grad():
        seen.append(lib.is_grad_enabled())
        with lib.enable_grad():
            seen.append(lib.is_grad_enabled())
            with lib.set_grad_enabled(False):
                seen.append(lib.is_grad_enabled())
            seen.append(lib.is_grad_enabled())
        with lib.inference_mode():
            seen += [lib.is_grad_enabled(), lib.is_inference_mode_enabled()]
            with lib.inference_mode(False):
                seen += [lib.is_grad_enabled(), lib.is_inference_mode_enabled()]
        seen += [lib.is_grad_enabled(), lib.is_inference_mode_enabled()]
    seen.append(lib.is_grad_enabled())
    return seen


def set_grad_enabled_as_function(lib):
    seen = []
    lib.set_grad_enabled(False)
    seen.append(lib.is_grad_enabled())
    lib.set_grad_enabled(True)
    seen.append(lib.is_grad_enabled())
    return seen


def modes_restore_after_an_error(lib):
    for switch in (lib.no_grad, lib.inference_mode, lambda: lib.set_grad_enabled(False)):
        try:
            with switch():
                raise KeyError
        except KeyError:
            assert lib.is_grad_enabled()
    return lib.is_grad_enabled(), lib.is_inference_mode_enabled()


def modes_as_decorators(lib):
    @lib.no_grad()
    def off():
        return lib.is_grad_enabled()

    @lib.no_grad
    def off_without_call():
        return lib.is_grad_enabled()

    @lib.enable_grad()
    def on():
        return lib.is_grad_enabled()

    @lib.set_grad_enabled(False)
    def set_off():
        return lib.is_grad_enabled()

    after_definition = lib.is_grad_enabled()

    @lib.inference_mode()
    def inference():
        return lib.is_inference_mode_enabled(), lib.ones(1).is_inference()

    @lib.inference_mode
    def inference_without_call():
        return lib.is_inference_mode_enabled()

    with lib.no_grad():
        inside = on(), off()
    return (
        off(),
        off_without_call(),
        on(),
        set_off(),
        after_definition,
        inference(),
        inference_without_call(),
        inside,
        off.__name__,
    )


def modes_on_generators(lib):
    @lib.no_grad()
    def numbers():
        try:
            got = yield lib.is_grad_enabled()
            while True:
                try:
                    got = yield got, lib.is_grad_enabled()
                except ValueError:
                    got = yield "thrown", lib.is_grad_enabled()
        finally:
            seen.append(("closed", lib.is_grad_enabled()))

    seen = []
    generator = numbers()
    seen += [next(generator), lib.is_grad_enabled()]
    seen += [generator.send(5), lib.is_grad_enabled(), generator.throw(ValueError()), lib.is_grad_enabled()]
    generator.close()
    return [*seen, lib.is_grad_enabled()]


def recursive_decorated(lib):
    @lib.no_grad()
    def down(n):
        return [lib.is_grad_enabled()] + (down(n - 1) if n else [])

    return down(3), lib.is_grad_enabled()


def results_in_no_grad(lib):
    x = leaf(lib, 1.0)
    with lib.no_grad():
        y = x * 2
        z = lib.ones(2, requires_grad=True)
        w = x.clone()
    return y.requires_grad, y.is_leaf, y.grad_fn, z.requires_grad, w.requires_grad, (z * 2).requires_grad


def inference_tensor_in_graph(lib):
    with lib.inference_mode():
        x = lib.ones(2)
    return (x * leaf(lib, 1.0, 2.0)).sum()


def inference_tensor_where_nothing_is_saved(lib):
    with lib.inference_mode():
        x = lib.ones(2)
    y = leaf(lib, 1.0, 2.0)
    (x + y).sum().backward()
    return y.grad, x.is_inference(), (x + 1).is_inference(), x.clone().is_inference()


def inference_tensor_requires_grad(lib):
    with lib.inference_mode():
        x = lib.ones(2)
    x.requires_grad_()


def inference_tensor_written_outside(lib):
    with lib.inference_mode():
        x = lib.ones(2)
        x.add_(1)
    x.add_(1)


def inference_tensor_version(lib):
    with lib.inference_mode():
        x = lib.ones(2)
    return x._version


def inference_view_of_normal(lib):
    x = lib.ones(4)
    with lib.inference_mode():
        y = x[:2]
        kinds = y.is_inference(), x.is_inference()
        y.add_(1)
    return kinds, x, x._version


def inference_leaf(lib):
    with lib.inference_mode():
        x = lib.ones(2, requires_grad=True)
        y = x * 2
        return x.requires_grad, y.requires_grad, y.grad_fn is None


MODE_PROGRAMS = [
    modes_nested, set_grad_enabled_as_function, modes_restore_after_an_error, modes_as_decorators,
    modes_on_generators, recursive_decorated, results_in_no_grad, inference_tensor_in_graph,
    inference_tensor_where_nothing_is_saved, inference_tensor_requires_grad, inference_tensor_written_outside,
    inference_tensor_version, inference_view_of_normal, inference_leaf,
]  # fmt: skip


@pytest.mark.parametrize("program", MODE_PROGRAMS, ids=lambda program: program.__name__)
def test_modes_like_torch(both, program):
    both(program)


@pytest.mark.parametrize("switch", [autograd.no_grad(), autograd.inference_mode()])
def test_a_switch_can_be_entered_again_while_inside(switch):
    with switch:
        with switch:
            assert not autograd.is_grad_enabled()
        assert not autograd.is_grad_enabled()
    assert autograd.is_grad_enabled()


def test_modes_hold_for_one_thread():
    seen = {}

    def look(name):
        seen[name] = autograd.is_grad_enabled(), autograd.is_inference_mode_enabled()

    with autograd.inference_mode():
        thread = threading.Thread(target=look, args=("other",))
        thread.start()
        thread.join()
        look("own")
    assert seen == {"other": (True, False), "own": (False, True)}


@pytest.mark.parametrize("switch", [autograd.set_grad_enabled, autograd.inference_mode])
def test_modes_refuse_what_is_not_a_bool(switch):
    with pytest.raises(TypeError, match="bool"):
        switch(1)
    assert autograd.is_grad_enabled()


# --- Anomaly mode --------------------------------------------------------------------------------------------------


def test_anomaly_mode_names_the_forward_line():
    with autograd.detect_anomaly():
        x = autograd.tensor([-1.0], requires_grad=True)
        y = x.sqrt()  # the culprit
        with pytest.raises(RuntimeError, match="SqrtBackward0.*nan values in its 0th output") as caught:
            (y * 2).sum().backward()
    text = str(caught.value)
    assert "test_modes.py" in text
    assert "y = x.sqrt()  # the culprit" in text
    assert "autograd/ops" not in text


def test_anomaly_mode_explains_other_errors_too():
    with autograd.set_detect_anomaly(True):
        x, y = autograd.ones(2, requires_grad=True), autograd.ones(2)
        z = x * y  # saved y
        y.add_(1)
        with pytest.raises(RuntimeError, match="modified by an inplace operation") as caught:
            z.sum().backward()
    assert "z = x * y  # saved y" in str(caught.value)


def test_anomaly_mode_without_check_nan_lets_nan_pass():
    with autograd.detect_anomaly(check_nan=False):
        assert autograd.is_anomaly_enabled()
        x = autograd.tensor([-1.0], requires_grad=True)
        x.sqrt().sum().backward()
    assert np.isnan(x.grad.item())
    assert not autograd.is_anomaly_enabled()


def test_anomaly_mode_nests_and_switches():
    with autograd.detect_anomaly():
        with autograd.set_detect_anomaly(False):
            assert not autograd.is_anomaly_enabled()
        assert autograd.is_anomaly_enabled()
    autograd.set_detect_anomaly(True)
    assert autograd.is_anomaly_enabled()
    autograd.set_detect_anomaly(False)
    assert not autograd.is_anomaly_enabled()


@pytest.mark.parametrize("operator", ["view", "split", "max", "index", "matmul"])
def test_anomaly_mode_reaches_rows_of_every_kind(operator):
    run = {
        "view": lambda x: x.view(4),
        "split": lambda x: x.split(1)[0],
        "max": lambda x: x.max(1)[0],
        "index": lambda x: x[0],
        "matmul": lambda x: x @ x,
    }[operator]
    with autograd.detect_anomaly():
        x = autograd.ones(2, 2, requires_grad=True)
        y = run(x)
        with pytest.raises(RuntimeError, match="nan") as caught:
            y.backward(autograd.full(y.shape, float("nan")))
    assert "y = run(x)" in str(caught.value)
