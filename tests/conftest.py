"""What all tests share: a guard against leaked global state, and the comparison of one program in two libraries."""

from __future__ import annotations

import gc
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import autograd
from autograd import jit, printing

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "oracle"))  # what several folders of tests compare with

# PyTorch on one thread: its second one waits for work in a loop, and takes the processor from the other worker's tests.
os.environ["MKL_NUM_THREADS"] = "1"

STATE = {
    "grad mode": autograd.is_grad_enabled,
    "inference mode": autograd.is_inference_mode_enabled,
    "anomaly mode": autograd.is_anomaly_enabled,
    "default dtype": autograd.get_default_dtype,
    "jit mode": jit.mode,
    "jit threshold": lambda: jit.threshold,
    "number of threads": autograd.get_num_threads,
    "print options": lambda: printing._options,
    "NumPy's error state": lambda: tuple(np.geterr().items()),
    "recursion limit": sys.getrecursionlimit,
}
RESTORE = {
    "grad mode": autograd.set_grad_enabled,
    "inference mode": lambda mode: setattr(autograd.graph.state, "inference", mode),
    "anomaly mode": autograd.set_detect_anomaly,
    "default dtype": autograd.set_default_dtype,
    "jit mode": jit.set_mode,
    "jit threshold": lambda size: setattr(jit, "threshold", size),
    "number of threads": autograd.set_num_threads,
    "print options": lambda options: setattr(printing, "_options", options),
    "NumPy's error state": lambda modes: np.seterr(**dict(modes)),
    "recursion limit": sys.setrecursionlimit,
}


def pytest_collection():
    """20,000 tests are made, and none thrown away: there is nothing to be collected."""
    gc.disable()


def pytest_collection_finish():
    """What lives by now lives to the end: the garbage collector need not look at it again."""
    gc.enable()
    gc.collect()
    gc.freeze()


def pytest_runtest_teardown(item, nextitem):
    """So too what the tests of a file left: compiled code, modules, caches."""
    if nextitem is not None and nextitem.path != item.path:
        pytest_collection_finish()


@pytest.fixture
def number_of_threads_restored():
    before = autograd.get_num_threads()
    yield
    autograd.set_num_threads(before)


@pytest.fixture(autouse=True)
def nothing_leaks():
    """Fails a test that leaves global state changed, and restores it for the next one."""
    before = {name: read() for name, read in STATE.items()}
    yield
    leaked = {name: read() for name, read in STATE.items() if read() != before[name]}
    for name in leaked:
        RESTORE[name](before[name])
    assert not leaked, f"the test changed and did not restore: {leaked}; before: {[before[name] for name in leaked]}"


@pytest.fixture(scope="session")
def torch():
    """PyTorch, the oracle; tests that need it are skipped without it."""
    return pytest.importorskip("torch")


@pytest.fixture(params=["never", "always"])
def reading(request):
    """NumPy's reading of the rows and kernels, then the compiled one."""
    if request.param == "always":
        pytest.importorskip("numba")
    with jit.using(request.param):
        yield request.param


@pytest.fixture
def subprocess_python():
    """Runs Python source in a fresh process from the project's root and returns what it printed."""

    def run(source, *, timeout=240, **environment):
        variables = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
        variables = {name: value for name, value in variables.items() if value is not None}
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", source],
            cwd=ROOT,
            env=variables,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert done.returncode == 0, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    return run


def _plain(value, lib):
    """A value of either library in a form that can be compared: tensors become (dtype, requires_grad, array)."""
    if isinstance(value, lib.Tensor):
        name = str(value.dtype).removeprefix("torch.")
        array = np.array(value.detach().tolist(), dtype="float32" if name == "bfloat16" else name)
        return "tensor", str(value.dtype), value.requires_grad, array.reshape(tuple(value.shape))
    if isinstance(value, (list, tuple)):
        return type(value).__name__, [_plain(item, lib) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item, lib) for key, item in value.items()}
    if value is None or isinstance(value, (bool, int, float, str, np.ndarray)):
        return value
    return str(value)


def _same_numbers(ours, theirs, rtol, atol):
    return np.allclose(ours, theirs, rtol=rtol, atol=atol, equal_nan=True)


def _same(ours, theirs, rtol, atol):
    if isinstance(ours, np.ndarray) and isinstance(theirs, np.ndarray):
        if ours.dtype != theirs.dtype or ours.shape != theirs.shape:
            return False
        if ours.dtype.kind == "c":  # part by part: the other part of an infinite number may be rounded
            return _same_numbers(ours.real, theirs.real, rtol, atol) and _same_numbers(
                ours.imag, theirs.imag, rtol, atol
            )
        if ours.dtype.kind == "f":
            return _same_numbers(ours, theirs, rtol, atol)
        return np.array_equal(ours, theirs)
    if isinstance(ours, (list, tuple)) and isinstance(theirs, (list, tuple)):
        return len(ours) == len(theirs) and all(_same(a, b, rtol, atol) for a, b in zip(ours, theirs, strict=True))
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(_same(ours[k], theirs[k], rtol, atol) for k in ours)
    if type(ours) is float and type(theirs) is float:
        return math.isclose(ours, theirs, rel_tol=rtol, abs_tol=atol) or (ours != ours and theirs != theirs)
    return type(ours) is type(theirs) and ours == theirs


def _outcome(program, lib):
    try:
        return _plain(program(lib), lib)
    except Exception as error:
        return "raised", type(error).__name__, str(error)
    finally:
        assert lib.is_grad_enabled()


@pytest.fixture(scope="session")
def both(torch):
    """``both(program)`` runs ``program(lib)`` with this library and with PyTorch and compares what comes out.

    Results may be nested; tensors are compared in dtype, shape, requires_grad and values. A program that raises must
    raise in both, the same type of exception. Returns our outcome in plain form.
    """

    def compare(program, *, rtol=1e-5, atol=1e-6, label=""):
        theirs, ours = _outcome(program, torch), _outcome(program, autograd)
        if isinstance(ours, tuple) and isinstance(theirs, tuple) and ours[:1] == theirs[:1] == ("raised",):
            agree = ours[1] == theirs[1]
        else:
            agree = _same(ours, theirs, rtol, atol)
        assert agree, f"{label}\n  autograd: {ours}\n  torch:    {theirs}"
        return ours

    return compare
