"""Which reading of a formula serves which sizes and shapes, with one thread and with several."""

import operator

import numpy as np
import pytest

import autograd
from autograd.kernels.loops import Loop
from nn import functional

pytest.importorskip("numba")

MATRIX, SMALL, ROW, COLUMN = (1024, 128), (512, 128), (128,), (1024, 1)
# What is called, the shapes of its operands, their dtype, and whether it is a loop with one thread, and with two.
CALLS = [
    (operator.add, (MATRIX, MATRIX), "float32", False, True),
    (operator.mul, (MATRIX, ROW), "float32", True, True),
    (operator.sub, (ROW, MATRIX), "float32", True, True),
    (operator.truediv, (MATRIX, COLUMN), "float32", True, True),
    (operator.add, ((4, 64, 32, 32), (64, 1, 1)), "float32", True, True),
    (operator.add, (MATRIX, ROW), "float64", True, True),
    (operator.add, (MATRIX, ROW), "int64", False, False),
    (operator.mul, (MATRIX, (1, 1)), "float32", False, True),
    (operator.add, (SMALL, ROW), "float32", False, False),
    (lambda x: x * 2.5, (MATRIX,), "float32", False, True),
    (lambda x: 2.5 - x, (MATRIX,), "float32", False, True),
    (lambda x, y: x.t() + y, ((128, 1024), ROW), "float32", True, True),
    (autograd.lerp, (MATRIX, MATRIX, ROW), "float32", True, True),
    (functional.gelu, ((64, 64),), "float32", True, True),
    (functional.gelu, ((63, 64),), "float32", False, False),
    (autograd.tanh, ((127, 128),), "float32", False, False),
    (autograd.tanh, ((128, 128),), "float32", True, True),
    (autograd.neg, (MATRIX,), "float32", False, True),
]


@pytest.fixture
def loops(monkeypatch, number_of_threads_restored):
    """The names of loops that have run."""
    seen = []
    for method in ("_on_runs", "_anyhow"):

        def spy(self, *args, way=getattr(Loop, method)):
            seen.append(self.name)
            return way(self, *args)

        monkeypatch.setattr(Loop, method, spy)
    return seen


@pytest.mark.parametrize("number", range(len(CALLS)))
def test_what_runs_as_a_loop(number, loops):
    call, shapes, dtype, *wanted = CALLS[number]
    autograd.manual_seed(0)
    operands = [(autograd.rand(*shape) + 0.5).to(getattr(autograd, dtype)) for shape in shapes]
    found, results = [], []
    for threads in (1, 2):
        autograd.set_num_threads(threads)
        for _ in range(2):  # the first use takes the general way
            del loops[:]
            results.append(call(*operands).numpy())
            found.append(bool(loops))
    assert found == [wanted[0]] * 2 + [wanted[1]] * 2
    for result in results[1:]:
        np.testing.assert_array_equal(result, results[0])
