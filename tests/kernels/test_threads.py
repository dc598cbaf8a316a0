"""The pool of workers: every piece once, whoever else computes, whatever fails."""

import gc
import sys
import threading
import time
import weakref

import numpy as np
import pytest

from autograd.kernels import threads


@pytest.fixture(autouse=True)
def four_threads():
    before = threads.get_num_threads()
    threads.set_num_threads(4)
    yield
    threads.set_num_threads(before)


def mark(start, stop, seen):
    time.sleep(0.0005)  # without the GIL, like a kernel
    for i in range(start, stop):
        seen[i] += 1


def workers():
    return [thread for thread in threading.enumerate() if thread.name == "chalkgrad"]


@pytest.mark.parametrize("total", [0, 1, 2, 3, 15, 16, 17, 1000])
def test_every_item_once(total):
    for grain in (1, 5, 2000):
        seen = [0] * total
        threads.run(mark, total, seen, grain=grain)
        assert seen == [1] * total


def test_workers_take_part_and_stay():
    names, barrier = set(), threading.Barrier(4, timeout=60)

    def meet(start, stop):
        names.add(threading.current_thread().name)
        barrier.wait()

    for _ in range(3):
        threads.run(meet, 4)
    assert len(workers()) == 3
    assert names == {"chalkgrad", threading.current_thread().name}


def test_a_call_within_a_call_stays_in_its_thread():
    places = []

    def inner(start, stop, outer):
        places.append((outer, threading.current_thread().name, stop - start))

    threads.run(lambda start, stop: threads.run(inner, 100, threading.current_thread().name), 8)
    assert len(places) == 8
    assert all(outer == name and size == 100 for outer, name, size in places)


@pytest.mark.parametrize("failing", ["one piece", "all pieces", "the workers' pieces", "the caller's pieces"])
def test_an_error_reaches_the_caller_and_harms_nothing(failing):
    def kernel(start, stop):
        time.sleep(0.001)
        is_caller = threading.current_thread().name != "chalkgrad"
        if failing == "all pieces" or {"one piece": start == 3}.get(failing, is_caller == failing.startswith("the c")):
            raise ArithmeticError(f"{failing}: {start}")

    def often():
        for _ in range(20):  # a busy machine may leave all pieces of one call to one thread
            threads.run(kernel, 16)

    with pytest.raises(ArithmeticError, match=failing):
        often()
    seen = [0] * 50
    threads.run(mark, 50, seen)
    assert seen == [1] * 50
    assert len(workers()) <= 3


def test_callers_at_once_share_the_workers():
    results = [[0] * 200 for _ in range(8)]

    def call(seen):
        for _ in range(5):
            threads.run(mark, 200, seen)

    callers = [threading.Thread(target=call, args=(seen,)) for seen in results]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(120)
    assert results == [[5] * 200] * 8
    assert len(workers()) <= 3


def test_a_busy_pool_is_not_waited_for():
    """A caller finds all workers taken, and does the work alone."""
    begun, let_go = threading.Barrier(5, timeout=60), threading.Event()

    def hold(start, stop):
        begun.wait()
        let_go.wait(60)

    holder = threading.Thread(target=threads.run, args=(hold, 4))
    holder.start()
    begun.wait()
    names = set()
    threads.run(lambda start, stop: names.add(threading.current_thread().name), 16)
    let_go.set()
    holder.join(60)
    assert names == {threading.current_thread().name}


def test_the_number_of_workers_follows_the_setting():
    barrier = threading.Barrier(4, timeout=60)
    threads.run(lambda start, stop: barrier.wait(), 4)
    assert len(workers()) == 3
    threads.set_num_threads(2)
    deadline = time.monotonic() + 60
    while workers() and time.monotonic() < deadline:
        time.sleep(0.001)
    assert not workers(), "workers of the pool before must end"
    pair = threading.Barrier(2, timeout=60)
    threads.run(lambda start, stop: pair.wait(), 2)
    assert len(workers()) == 1


def test_nothing_is_kept_of_a_call():
    array = np.zeros(64)
    alive = weakref.ref(array)
    threads.run(mark, 64, array)
    del array
    deadline = time.monotonic() + 60
    while alive() is not None and time.monotonic() < deadline:
        time.sleep(0.001)  # a worker that was withdrawn lets go when it wakes
    gc.collect()
    assert alive() is None


def test_the_end_of_a_program_does_not_wait(subprocess_python):
    source = """
import threading, time
from autograd.kernels import threads
threads.set_num_threads(4)
threads.run(lambda start, stop: time.sleep(0.01), 16)
# One that computes without end, in a thread that nobody waits for.
threading.Thread(target=lambda: threads.run(lambda start, stop: time.sleep(600), 16), daemon=True).start()
time.sleep(0.1)
print("ended")
"""
    assert subprocess_python(source, timeout=60) == "ended\n"


@pytest.mark.skipif(sys.platform != "linux", reason="asks the OpenBLAS of NumPy's wheels")
def test_blas_is_limited_too():
    import ctypes

    blas = ctypes.CDLL(sys.modules["numpy._core._multiarray_umath"].__file__)
    if not hasattr(blas, "scipy_openblas_get_num_threads64_"):
        pytest.skip("NumPy has another BLAS")
    threads.set_num_threads(1)
    assert blas.scipy_openblas_get_num_threads64_() == 1
