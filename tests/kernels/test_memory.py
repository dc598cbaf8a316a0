"""The room that each thread keeps for what its kernels pack."""

import threading

import numpy as np
import pytest

from autograd.kernels.memory import ROOM, room, room_for


def test_room_is_aligned_and_kept():
    assert room() == room()
    assert room() % ROOM == 0


def test_each_thread_has_its_own():
    own, found = room(), []
    other = threading.Thread(target=lambda: found.append(room()))
    other.start()
    other.join()
    assert abs(found[0] - own) >= ROOM


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_arrays_that_fit_lie_in_the_room(dtype):
    dtype = np.dtype(dtype)
    for count in (0, 1, ROOM // dtype.itemsize):
        array = room_for(count, dtype)
        assert array.shape == (count,)
        assert array.dtype == dtype
        assert array.ctypes.data == room() or count == 0
    larger = room_for(ROOM // dtype.itemsize + 1, dtype)
    assert larger.shape == (ROOM // dtype.itemsize + 1,)
    assert not np.shares_memory(larger, room_for(ROOM // dtype.itemsize, dtype))
