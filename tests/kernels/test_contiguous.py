"""Copies in the order of dimensions: every bit where NumPy has it, whatever way an array lies in memory."""

import sys

import numpy as np
import pytest
from guarding import GUARD

import autograd
from autograd.kernels import jit, threads
from autograd.kernels.contiguous import _walk, contiguous, copied

# Shape in memory, order of the dimensions, and whether squares of registers turn it.
LAYOUTS = [
    ((16, 16), (1, 0), True), ((15, 16), (1, 0), False), ((16, 15), (1, 0), False), ((17, 31), (1, 0), True),
    ((300, 700), (1, 0), True), ((64, 256), (1, 0), True), ((257, 63), (1, 0), True),
    ((2, 1, 40, 30), (0, 3, 2, 1), True), ((3, 20, 50), (0, 2, 1), True), ((20, 3, 50), (2, 1, 0), True),
    ((20, 50, 3), (1, 0, 2), False), ((2, 18, 3, 19), (0, 3, 2, 1), True), ((2, 17, 5, 6), (0, 2, 3, 1), True),
    ((2, 3, 2, 17, 33), (0, 2, 1, 4, 3), True), ((2, 3, 2, 3, 17, 16), (3, 1, 0, 2, 5, 4), False), ((40,), (0,), False),
]  # fmt: skip
DTYPES = ["float32", "float64", "int32", "uint64", "complex64", "float16", "complex128", "bool"]


def numbers(shape, dtype):
    """Any bits at all, but for truth values."""
    rng = np.random.default_rng(0)
    if dtype == "bool":
        return rng.integers(0, 2, shape).astype(bool)
    size = np.dtype(dtype).itemsize
    return rng.integers(0, 256, (*shape, size), np.uint8).view(dtype).reshape(shape)


def check(array):
    for out in (contiguous(array), copied(array)):
        assert out.flags.c_contiguous
        assert (out.dtype, out.shape) == (array.dtype, array.shape)
        assert out.tobytes() == array.tobytes()
    assert not np.shares_memory(copied(array), array)


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_layout(reading, dtype):
    for shape, order, _ in LAYOUTS:
        array = numbers(shape, dtype)
        check(array.transpose(order))
        check(array[..., ::-1].transpose(order))
        check(array[tuple(slice(n > 2, None) for n in shape)].transpose(order))


def test_what_is_turned():
    for shape, order, is_turned in LAYOUTS:
        array = numbers(shape, "float32").transpose(order)
        assert (_walk(array.shape, array.strides, 4) is not None) == is_turned, (shape, order)


def test_nothing_to_copy():
    array = numbers((30, 30), "float32")
    assert contiguous(array) is array
    assert contiguous(array, np.dtype(np.float32)) is array
    array = np.arange(900, dtype=np.float32).reshape(30, 30)
    wide = contiguous(array.T, np.dtype(np.float64))
    assert wide.flags.c_contiguous
    np.testing.assert_array_equal(wide, array.T)
    assert contiguous(np.array(1.0)).shape == ()


def test_repeated_and_misplaced_elements(reading):
    row = numbers((40,), "float32")
    check(np.broadcast_to(row[:, None], (40, 50)))
    check(np.broadcast_to(row, (50, 40)).T)
    check(np.lib.stride_tricks.sliding_window_view(row, 20).T)
    misplaced = np.zeros(4 * 40 * 50 + 1, np.uint8)[1:].view(np.float32).reshape(40, 50)
    misplaced[...] = numbers((40, 50), "float32")
    check(misplaced.T)


def test_threads_agree(number_of_threads_restored):
    array = numbers((5, 700, 300), "float32").transpose(0, 2, 1)
    for number in (1, 3):
        threads.set_num_threads(number)
        check(array)


def test_operators_that_copy():
    """`contiguous`, `reshape` where a view is impossible, and gradients on their way to leaves."""
    x = autograd.randn(130, 140, requires_grad=True)
    y = x.t()
    wanted = np.ascontiguousarray(x.detach().numpy().T)
    for copy in (y.contiguous(), y.clone(memory_format=autograd.contiguous_format), y.reshape(-1), y.reshape(-1, 65)):
        np.testing.assert_array_equal(copy.detach().numpy().reshape(140, 130), wanted)
    assert y.reshape(70, 2, 130).data_ptr() == x.data_ptr()
    with pytest.raises(RuntimeError, match=r"shape '\[3, 5\]' is invalid for input of size 18200"):
        y.reshape(3, 5)
    g = autograd.randn(140, 130)
    y.contiguous().backward(g)
    assert x.grad.is_contiguous()
    np.testing.assert_array_equal(x.grad.numpy(), g.numpy().T)
    (again,) = autograd.autograd.grad(x.t(), x, g)
    np.testing.assert_array_equal(again.numpy(), g.numpy().T)
    assert again.data_ptr() != g.data_ptr()


OUTSIDE = """
from autograd.kernels import jit
from autograd.kernels.contiguous import contiguous

rng = np.random.default_rng(0)
with jit.using("always"):
    for dtype in (np.float32, np.float64):
        for shape in ((16, 16), (17, 19), (31, 300), (520, 40), (64, 64)):
            array = rng.standard_normal(shape).astype(dtype)
            for before in (True, False):
                assert contiguous(guarded(array, before).T).tobytes() == array.T.tobytes(), (dtype, shape)
print("inside")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="protects pages with mprotect(2)")
def test_nothing_is_read_outside(subprocess_python):
    pytest.importorskip("numba")
    assert subprocess_python(GUARD + OUTSIDE) == "inside\n"


def test_nothing_is_written_outside():
    """The result lies between numbers that stay."""
    pytest.importorskip("numba")
    from autograd.kernels.contiguous import ZEROS
    from autograd.kernels.contiguous_loops import turn_planes

    for dtype in (np.float32, np.float64):
        for shape in ((16, 16), (17, 19), (31, 300), (520, 40)):
            array = np.random.default_rng(0).standard_normal(shape).astype(dtype)
            memory = np.full(array.size + 200, 7, dtype)
            items, steps = _walk(array.T.shape, array.T.strides, array.itemsize)
            at = memory.ctypes.data + 100 * array.itemsize
            turn_planes(0, items, ZEROS[array.itemsize], array.itemsize, array.ctypes.data, at, steps)
            np.testing.assert_array_equal(memory[100:-100].reshape(array.T.shape), array.T)
            assert (memory[:100] == 7).all()
            assert (memory[-100:] == 7).all()


def test_without_numba(monkeypatch):
    with jit.using("never"):
        check(numbers((200, 200), "float32").T)
