"""Where arrays begin in memory, and the room that each thread keeps for what its kernels pack."""

import mmap
import platform
import threading
from pathlib import Path

import numpy as np
import pytest

import autograd
from autograd.kernels.memory import LINE, ROOM, at_line, empty, is_root, room
from autograd.tensor import root_of

SHAPE = (33, 65)  # 8 KB of float32

NEW = {
    "empty": lambda: autograd.empty(*SHAPE),
    "zeros": lambda: autograd.zeros(*SHAPE),
    "ones, float64": lambda: autograd.ones(*SHAPE, dtype=autograd.float64),
    "ones, bfloat16": lambda: autograd.ones(99, *SHAPE, dtype=autograd.bfloat16),
    "full": lambda: autograd.full(SHAPE, 3),
    "new_zeros": lambda: autograd.ones(1).new_zeros(SHAPE),
    "ones_like": lambda: autograd.ones_like(autograd.empty(*SHAPE)),
    "rand": lambda: autograd.rand(*SHAPE),
    "randn": lambda: autograd.randn(*SHAPE),
    "randint": lambda: autograd.randint(0, 9, SHAPE),
    "tensor": lambda: autograd.tensor(np.ones(SHAPE)),
    "weight": lambda: autograd.nn.Linear(*SHAPE).weight.detach(),
}


@pytest.mark.parametrize("name", NEW)
def test_new_tensors_begin_with_a_line(name):
    tensors = [NEW[name]() for _ in range(5)]  # one might begin so by chance
    assert [tensor.data_ptr() % LINE for tensor in tensors] == [0] * 5
    for tensor in tensors:
        assert tensor.untyped_storage().nbytes() == tensor._array.nbytes
        assert tensor[1:].storage_offset() == tensor.stride(0)


def test_an_array_in_a_block_is_the_root_of_its_views():
    array = empty(SHAPE, np.dtype(np.float32))
    assert root_of(array[1:].T) is root_of(array) is array
    assert is_root(array)
    assert not is_root(array[1:])
    assert not is_root(np.frombuffer(bytes(8), np.float32))


def test_empty_and_at_line_leave_small_arrays_alone():
    assert empty((2, 3), np.dtype(np.float32)).base is None
    assert empty((0, 9), np.dtype(np.float32)).shape == (0, 9)
    for array in (np.ones(3), np.ones((64, 64)).T, empty((64, 64), np.dtype(np.float64))):
        assert at_line(array) is array


def test_at_line_copies():
    memory = empty((1025,), np.dtype(np.float64))
    memory[:] = range(1025)
    moved = at_line(memory[1:])
    assert moved.ctypes.data % LINE == 0
    np.testing.assert_array_equal(moved, memory[1:])


def test_room_is_aligned_and_kept():
    assert room() == room()
    assert room() % ROOM == 0


def test_each_thread_has_its_own():
    own, found = room(), []
    other = threading.Thread(target=lambda: found.append(room()))
    other.start()
    other.join()
    assert abs(found[0] - own) >= ROOM


LARGE_PAGES = """
import numpy as np
from autograd.kernels.memory import address_of

def flags_at(address):
    inside = False
    with open("/proc/self/smaps") as maps:
        for line in maps:
            first, *rest = line.split()
            if "-" in first:
                begin, end = (int(text, 16) for text in first.split("-"))
                inside = begin <= address < end
            elif inside and first == "VmFlags:":
                return rest

arrays = [np.empty(3_000_000, np.uint8) for _ in range(9)]
assert all("hg" in flags_at(address_of(array)) for array in arrays)
del arrays
again = np.empty(3_000_000, np.uint8)
assert "hg" in flags_at(address_of(again)), "the heap was given back"
"""


@pytest.mark.skipif(not hasattr(mmap, "MADV_HUGEPAGE"), reason="the system has no large pages to ask for")
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries are left as they are")
def test_arrays_lie_where_large_pages_are_asked_for(subprocess_python):
    if not Path("/sys/kernel/mm/transparent_hugepage").exists():
        pytest.skip("this kernel has none")
    subprocess_python(LARGE_PAGES)
