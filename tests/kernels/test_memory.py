"""The room that each thread keeps for what its kernels pack."""

import threading

from autograd.kernels.memory import ROOM, room


def test_room_is_aligned_and_kept():
    assert room() == room()
    assert room() % ROOM == 0


def test_each_thread_has_its_own():
    own, found = room(), []
    other = threading.Thread(target=lambda: found.append(room()))
    other.start()
    other.join()
    assert abs(found[0] - own) >= ROOM
