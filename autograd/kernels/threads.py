"""Work spread over Python threads that compute without the GIL; `tasks` has how they share it.

The pool outlives ``fork`` (the child starts its own), may be entered from several Python threads at once, and spins
only for a bounded time, giving its core up all the while. OpenMP gives up each of these: libgomp aborts a forked child,
numba's workqueue aborts on concurrent use, and a spinning barrier costs whole scheduling quanta once a core is shared.
"""

from __future__ import annotations

import os
import threading
from _thread import allocate_lock
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from importlib import import_module
from types import FunctionType
from typing import Any

import numpy as np

from . import jit
from .memory import LINE, room

__all__ = ["Kernel", "always_shared", "get_num_threads", "run", "set_num_threads", "wanted_pieces"]

# Pieces per thread: when one core is taken away, the others pick up the pieces it did not start.
PIECES_PER_THREAD = 4
ASLEEP = 1  # in the slot of a worker that does not look at it


def _available_cores() -> int:
    limit = os.environ.get("CHALKGRAD_NUM_THREADS") or os.environ.get("OMP_NUM_THREADS")
    if limit and limit.isdigit() and int(limit) > 0:
        return int(limit)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Kernel:
    """A compiled kernel ``loops(start, stop, *args)``, as one thread calls it and as several share it.

    If its last argument is called ``room``, it is given the address of `memory.room` of the thread that it runs in.

    Args:
        loops: what `compiled` gives.
        signature: the types of all arguments; then calls do without numba's search for a version that fits.
    """

    def __init__(self, loops: Any, signature: Any = None) -> None:
        self.loops, self.signature = loops, signature
        self.alone = loops if signature is None else loops.compile(signature)
        code = loops.py_func.__code__
        self.takes_room = code.co_varnames[code.co_argcount - 1] == "room"

    @cached_property
    def shared(self) -> Callable[..., bool]:
        """``shared(slots, workers, pieces, total, room, *args)``."""
        from numba import intp

        from .tasks import spread

        shared = spread(self.loops, self.takes_room)
        if self.signature is None:
            return shared
        given = self.signature.args[2 : len(self.signature.args) - self.takes_room]
        return shared.compile((intp, intp, intp, intp, intp, *given))


class _Pool:
    """Threads that take part in calls, with a slot for each; they begin with the first call that is shared.

    A slot has a line of the cache for itself: two in one would be passed to and fro."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self.sleeping: list[_Worker] = []
        self.unborn = list(range(workers))
        self.memory = np.zeros((max(workers, 1), LINE // 8), np.int64)
        self.slots = self.memory.ctypes.data

    def begin(self) -> None:
        """Starts the threads."""
        from numba import intp

        from .tasks import serve

        _keep_blas_alone()
        compiled = serve.compile((intp, intp))  # not by a thread that ends with the program
        while True:
            try:
                _Worker(self, self.unborn.pop(), compiled)
            except (IndexError, RuntimeError):  # all are there, or the interpreter is ending
                return

    def wake(self) -> None:
        """Has those that sleep look at their slots again."""
        while True:
            try:
                worker = self.sleeping.pop()
            except IndexError:
                return
            worker.slot[0] = 0
            worker.lock.release()


class _Worker:
    def __init__(self, pool: _Pool, number: int, serve: Callable[[int, int], None]) -> None:
        self.pool, self.slot, self.serve = pool, pool.memory[number], serve
        self.lock = allocate_lock()
        self.lock.acquire()
        threading.Thread(target=self.work, name="chalkgrad", daemon=True).start()

    def work(self) -> None:
        while True:
            self.serve(self.slot.ctypes.data, room())
            self.pool.sleeping.append(self)
            if self.pool is not _pool:
                return
            self.lock.acquire()


_num_threads = _available_cores()
_pool = _Pool(_num_threads - 1)
_kernels: dict[Any, Kernel] = {}
_always = False


def get_num_threads() -> int:
    """Number of threads that a kernel may use, the caller's own included.

    >>> import autograd
    >>> autograd.get_num_threads() >= 1
    True
    """
    return _num_threads


def wanted_pieces() -> int:
    """Pieces of work that the threads share out well; one, where there is one thread."""
    return _num_threads * PIECES_PER_THREAD if _num_threads > 1 else 1


def set_num_threads(num_threads: int) -> None:
    """Lets kernels use ``num_threads`` threads, the caller's own included.

    NumPy's BLAS computes in its caller's thread from then on.

    Raises:
        TypeError: not an integer.
        RuntimeError: not positive.
    """
    global _num_threads, _pool
    if not isinstance(num_threads, int) or isinstance(num_threads, bool):
        raise TypeError(f"set_num_threads expects an int, but got {type(num_threads).__name__}")
    if num_threads < 1:
        raise RuntimeError(f"set_num_threads expects a positive integer, but got {num_threads}")
    before, _num_threads, _pool = _pool, num_threads, _Pool(num_threads - 1)
    before.wake()
    jit.notify()
    _keep_blas_alone()


def _keep_blas_alone() -> None:
    """Has the OpenBLAS of NumPy's wheels compute in its caller's thread: threads of its own would go on spinning for
    milliseconds after each call, and a worker, which gives way, would not get its core back. Measured, a training step
    of a small GPT with two threads took 131 ms beside them and takes 86 without."""
    import ctypes

    try:
        limit = ctypes.CDLL(import_module("numpy._core._multiarray_umath").__file__).scipy_openblas_set_num_threads64_
    except (AttributeError, ImportError, OSError):  # another BLAS, which has an environment variable of its own
        return
    limit(1)


@contextmanager
def always_shared() -> Iterator[None]:
    """Inside, kernels run in the form that threads share, whatever the size: to compile it ahead, and to test it."""
    global _always
    _always = True
    try:
        yield
    finally:
        _always = False


def run(kernel: Any, total: int, *args: object, grain: int = 1) -> None:
    """Calls ``kernel(start, stop, *args)`` on pieces that cover ``range(total)`` once each.

    Args:
        kernel: a `Kernel`, or what `compiled` gives; pieces run in any order and side by side, so they must not overlap
            in what they write. One in Python runs in the caller's thread.
        total: number of work items.
        grain: the fewest items worth a piece; with ``total <= grain`` the caller's thread does all of it.

    Raises:
        MemoryError: a piece could not get memory.
    """
    if type(kernel) is FunctionType:
        kernel(0, total, *args)
        return
    if type(kernel) is not Kernel:
        kernel = _kernels.get(kernel) or _kernels.setdefault(kernel, Kernel(kernel))
    pieces = min(total // max(grain, 1), _num_threads * PIECES_PER_THREAD)
    if (_num_threads == 1 or pieces < 2) and not _always:
        if kernel.takes_room:
            args = (*args, room())
        kernel.alone(0, total, *args)
        return
    shared, pool = kernel.shared, _pool  # compiled before the workers are woken
    if pool.unborn:
        pool.begin()
    if pool.sleeping:
        pool.wake()
    if shared(pool.slots, pool.workers, pieces, total, room(), *args):
        raise MemoryError(f"{kernel.loops.__name__}: a piece of the work could not get memory")


def _after_fork() -> None:
    # The parent's workers do not exist in the child.
    global _pool
    _pool = _Pool(_num_threads - 1)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
