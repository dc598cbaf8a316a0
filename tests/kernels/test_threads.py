"""The pool of workers: every piece once, whoever else computes, whatever fails."""

import sys
import threading
import time
import weakref
from functools import cache

import numpy as np
import pytest

from autograd.kernels import threads

pytest.importorskip("numba")


@pytest.fixture(autouse=True)
def four_threads(number_of_threads_restored):
    threads.set_num_threads(4)
    deadline = time.monotonic() + 60
    while workers() and time.monotonic() < deadline:
        time.sleep(0.001)
    assert not workers(), "workers of the pool before must end"


@cache
def kernels():
    """Compiled loops that show who ran what."""
    from numba import intp, types

    from autograd.kernels.compiled import compiled
    from autograd.kernels.tasks import number_at, put

    thread = types.ExternalFunction("pthread_self", types.intp())
    sleep = types.ExternalFunction("usleep", types.int32(types.uint32))

    @compiled()
    def mark(start, stop, seen):
        sleep(200)
        for i in range(start, stop):
            seen[i] += 1

    @compiled()
    def meet(start, stop, there, names):
        """Each piece waits for all others: they run at the same time or, after a third of a second, not at all."""
        names[start] = thread()
        put(intp(there.ctypes.data) + 8 * start, 1)
        for _ in range(300):
            missing = 0
            for i in range(there.size):
                missing += number_at(intp(there.ctypes.data) + 8 * i) == 0
            if missing == 0:
                break
            sleep(1000)

    @compiled()
    def hold(start, stop, names, let_go):
        put(intp(names.ctypes.data) + 8 * start, thread())
        while number_at(intp(let_go.ctypes.data)) == 0:
            sleep(1000)

    @compiled()
    def name(start, stop, names):
        for i in range(start, stop):
            names[i] = thread()

    @compiled()
    def fail(start, stop, first, last):
        sleep(200)
        if start >= first and start < last:
            raise ValueError("a piece failed")

    @compiled()
    def where(start, stop, there, names, rooms, room):
        meet(start, stop, there, names)
        rooms[start] = room

    return {function.__name__: function for function in (mark, meet, hold, name, fail, where)}


def workers():
    return [thread for thread in threading.enumerate() if thread.name == "chalkgrad"]


def meeting(count=4, kernel="meet"):
    """What the kernel notes of the threads that ran one piece each, at the same time."""
    for _ in range(20):  # one that was about to sleep when the call came takes no part in it
        there, *notes = np.zeros((3 if kernel == "where" else 2, count), np.int64)
        threads.run(kernels()[kernel], count, there, *notes)
        assert there.all()
        if len(set(notes[0].tolist())) == count:
            break
    return [note.tolist() for note in notes]


@pytest.mark.parametrize("total", [0, 1, 2, 3, 15, 16, 17, 1000])
def test_every_item_once(total):
    for grain in (1, 5, 2000):
        seen = np.zeros(total, np.int64)
        threads.run(kernels()["mark"], total, seen, grain=grain)
        assert (seen == 1).all()


@pytest.mark.parametrize("pause", [0, 0.05], ids=["at once", "asleep in between"])
def test_workers_take_part_and_stay(pause):
    met = []
    for _ in range(3):
        met.append(set(meeting()[0]))
        time.sleep(pause)
    assert len(workers()) == 3
    assert len(met[0]) == 4
    assert met[1] == met[2] == met[0]
    assert threading.get_ident() in met[0]


def test_a_kernel_in_python_stays_in_its_thread():
    names = []
    threads.run(lambda start, stop: names.append((threading.current_thread(), start, stop)), 100)
    assert names == [(threading.current_thread(), 0, 100)]


def test_each_thread_has_a_room():
    names, rooms = meeting(kernel="where")
    assert len(set(rooms)) == 4
    assert rooms[names.index(threading.get_ident())] == threads.room()
    threads.set_num_threads(1)
    assert meeting(1, "where")[1] == [threads.room()]


@pytest.mark.parametrize("which", [(3, 4), (0, 16), (0, 1), (15, 16)])
def test_a_piece_that_fails_reaches_the_caller_and_harms_nothing(which):
    with pytest.raises(MemoryError, match="fail: a piece of the work could not get memory"):
        threads.run(kernels()["fail"], 16, *which)
    seen = np.zeros(50, np.int64)
    threads.run(kernels()["mark"], 50, seen)
    assert (seen == 1).all()
    assert len(workers()) <= 3


def test_callers_at_once_share_the_workers():
    results = np.zeros((8, 200), np.int64)

    def call(seen):
        for _ in range(5):
            threads.run(kernels()["mark"], 200, seen)

    callers = [threading.Thread(target=call, args=(seen,)) for seen in results]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(120)
    assert (results == 5).all()
    assert len(workers()) <= 3


def test_who_works_for_another_caller_is_not_waited_for():
    for _ in range(20):  # one that was about to sleep when a call came takes no part in it
        meeting()
        names, let_go, others = np.zeros(4, np.int64), np.zeros(1, np.int64), np.zeros(16, np.int64)
        holder = threading.Thread(target=threads.run, args=(kernels()["hold"], 4, names, let_go))
        holder.start()
        time.sleep(0.05)
        threads.run(kernels()["name"], 16, others)
        held = set(names.tolist()) - {0}
        let_go[0] = 1
        holder.join(60)
        assert threading.get_ident() in others
        assert held.isdisjoint(others.tolist())
        if len(held) > 1:
            break
    assert len(held) > 1


def test_the_number_of_workers_follows_the_setting():
    meeting()
    assert len(workers()) == 3
    threads.set_num_threads(2)
    assert len(set(meeting(2)[0])) == 2
    deadline = time.monotonic() + 60
    while len(workers()) > 1 and time.monotonic() < deadline:
        time.sleep(0.001)
    assert len(workers()) == 1, "workers of the pool before must end"


def test_nothing_is_kept_of_a_call():
    array = np.zeros(64, np.int64)
    alive = weakref.ref(array)
    threads.run(kernels()["mark"], 64, array)
    assert array.all()
    del array
    assert alive() is None


def test_the_end_of_a_program_does_not_wait(subprocess_python, tmp_path):
    (tmp_path / "resting.py").write_text("""
from numba import types
from autograd.kernels.compiled import compiled
sleep = types.ExternalFunction("usleep", types.int32(types.uint32))

@compiled()
def rest(start, stop, times):
    for _ in range(times):
        sleep(1000)
""")
    source = f"""
import sys, threading, time
from autograd.kernels import threads
sys.path.append({str(tmp_path)!r})
from resting import rest
threads.set_num_threads(4)
threads.run(rest, 16, 1)
# One that computes without end, in a thread that nobody waits for.
threading.Thread(target=lambda: threads.run(rest, 16, 600_000), daemon=True).start()
time.sleep(0.1)
print("ended")
"""
    assert subprocess_python(source, timeout=60) == "ended\n"


def test_bits_do_not_depend_on_who_compiled_first(subprocess_python, tmp_path):
    """One thread's machine code is also that of several: a copy, optimized once more, would add in another order."""
    source = """if True:
        import hashlib, sys
        import numpy as np
        from autograd.kernels import normalization, threads

        x, g = np.random.default_rng(0).standard_normal((2, 30, 1, 8, 500)).astype("float32")
        for number in NUMBERS:
            threads.set_num_threads(number)
            out, mean, scale = normalization.standardize(x, None, None, normalization.CHANNELS, 1e-3)
            gradients = normalization.gradients(g, x, x.shape, mean, scale, None, normalization.CHANNELS)
            print(hashlib.sha256(b"".join(each.tobytes() for each in (out, *gradients))).hexdigest())
    """
    found = []
    for numbers in ("(3,)", "(3,)", "(1,)", "(3, 1)", "(1, 3)"):
        program = source.replace("NUMBERS", numbers)
        found += subprocess_python(program, CHALKGRAD_CACHE=str(tmp_path / "loops")).split()
    assert len(found) == 7
    assert len(set(found)) == 1


def test_what_is_shared_comes_from_the_cache(subprocess_python, tmp_path):
    """A second process finds the machine code, of a kernel with one version and of one with several."""
    source = """
import autograd
autograd.set_num_threads(2)
x = autograd.ones(300, 300)
print((x @ x).tanh().add(1).exp().isfinite().all().item(), autograd.jit.compiled())
"""
    first, second = (subprocess_python(source, CHALKGRAD_CACHE=str(tmp_path)).split() for _ in range(2))
    assert first[0] == second[0] == "True"
    assert int(first[1]) > 0 == int(second[1])


@pytest.mark.skipif(sys.platform != "linux", reason="asks the OpenBLAS of NumPy's wheels")
@pytest.mark.parametrize("first", ["threads.set_num_threads(2)", "threads.set_num_threads(1)", "ones(700).tanh()"])
def test_blas_has_no_threads_beside_the_workers(subprocess_python, first):
    source = f"""
import ctypes, sys
import numpy as np
from autograd import ones
from autograd.kernels import threads
blas = ctypes.CDLL(sys.modules["numpy._core._multiarray_umath"].__file__)
if not hasattr(blas, "scipy_openblas_get_num_threads64_"):
    print("another")
else:
    threads._num_threads, threads._pool = 2, threads._Pool(1)  # as on a machine of two cores
    before = blas.scipy_openblas_get_num_threads64_()
    with threads.always_shared():
        {first.replace("700", "1 << 17")}
    print(before, blas.scipy_openblas_get_num_threads64_())
"""
    before, *after = subprocess_python(source, OPENBLAS_NUM_THREADS="2").split()
    if before == "another":
        pytest.skip("NumPy has another BLAS")
    assert (before, after) == ("2", ["1"])
