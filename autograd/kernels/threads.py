"""Work spread over Python threads: compiled kernels release the GIL, so plain threads run in parallel.

The pool outlives ``fork`` (the child starts its own), may be entered from several Python threads at once, and never
spins. OpenMP gives up each of these: libgomp aborts a forked child, numba's workqueue aborts on concurrent use, and a
spinning barrier costs whole scheduling quanta once a core is shared.

A worker waits on a bare lock. Measured, a piece of work goes there and back in 6.4 us so (median, a busy machine), and
in 12.3 us through `concurrent.futures.ThreadPoolExecutor`.
"""

from __future__ import annotations

import os
import threading
from _thread import allocate_lock
from collections.abc import Callable
from importlib import import_module

from .memory import keep_freed_memory

__all__ = ["get_num_threads", "run", "set_num_threads"]

# Pieces per thread: when one core is taken away, the others pick up the pieces it did not start.
PIECES_PER_THREAD = 4


def _available_cores() -> int:
    limit = os.environ.get("CHALKGRAD_NUM_THREADS") or os.environ.get("OMP_NUM_THREADS")
    if limit and limit.isdigit() and int(limit) > 0:
        return int(limit)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Share:
    """A worker's part in a call. The ticket is taken by the worker when it begins, or by the caller to withdraw it."""

    __slots__ = ("done", "error", "ticket", "work")

    def __init__(self, work: Callable[[], None]) -> None:
        self.work = work
        self.ticket = [None]
        self.error: BaseException | None = None
        self.done = allocate_lock()
        self.done.acquire()

    def wait(self) -> None:
        """Waits for a worker that has begun; one that has not will find nothing to do."""
        if not self._take():
            self.done.acquire()

    def run(self) -> bool:
        """The worker's side; whether somebody waits for it."""
        if not self._take():
            return False
        try:
            self.work()
        except BaseException as error:
            self.error = error
        return True

    def _take(self) -> bool:
        try:
            self.ticket.pop()
        except IndexError:
            return False
        return True


class _Pool:
    """Workers that wait, and how many more may be started."""

    def __init__(self, workers: int) -> None:
        self.idle: list[_Worker] = []
        self.missing = [None] * workers

    def hand_out(self, work: Callable[[], None], count: int) -> list[_Share]:
        """Lets up to ``count`` workers take part: none that is busy with another thread's call."""
        shares = []
        for _ in range(count):
            try:
                worker = self.idle.pop()
            except IndexError:
                if (started := self._start()) is None:
                    break
                worker = started
            worker.share = share = _Share(work)
            worker.wake.release()
            shares.append(share)
        return shares

    def _start(self) -> _Worker | None:
        try:
            self.missing.pop()
            return _Worker(self)
        except (IndexError, RuntimeError):  # as many as there may be, or the interpreter is ending
            return None


class _Worker:
    def __init__(self, pool: _Pool) -> None:
        self.pool = pool
        self.share: _Share | None = None
        self.wake = allocate_lock()
        self.wake.acquire()
        threading.Thread(target=self.serve, name="chalkgrad", daemon=True).start()

    def serve(self) -> None:
        while True:
            self.wake.acquire()
            share, self.share = self.share, None
            if share is None:
                return
            is_awaited = share.run()
            self.pool.idle.append(self)  # first, so that whoever waits finds it idle
            if is_awaited:
                share.done.release()
            del share  # it holds arrays
            if self.pool is not _pool:
                return


_num_threads = _available_cores()
_pool = _Pool(_num_threads - 1)
_inside = threading.local()


def get_num_threads() -> int:
    """Number of threads that a kernel may use, the caller's own included.

    >>> import autograd
    >>> autograd.get_num_threads() >= 1
    True
    """
    return _num_threads


def set_num_threads(num_threads: int) -> None:
    """Lets kernels use ``num_threads`` threads, the caller's own included, and NumPy's BLAS as many.

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
    while before.idle:
        before.idle.pop().wake.release()
    _limit_blas(num_threads)


def _limit_blas(num_threads: int) -> None:
    """Tells the OpenBLAS in NumPy's wheels: two pools that both use all cores would get into each other's way."""
    import ctypes

    try:
        limit = ctypes.CDLL(import_module("numpy._core._multiarray_umath").__file__).scipy_openblas_set_num_threads64_
    except (AttributeError, ImportError, OSError):  # another BLAS, which has an environment variable of its own
        return
    limit(num_threads)


def run(kernel: Callable[..., None], total: int, *args: object, grain: int = 1) -> None:
    """Calls ``kernel(start, stop, *args)`` on pieces that cover ``range(total)`` once each.

    Args:
        kernel: a function that releases the GIL; pieces run in any order, so they must not overlap in what they write.
        total: number of work items.
        grain: the fewest items worth a piece; with ``total <= grain`` the caller's thread does all of it.
    """
    keep_freed_memory()
    threads = _num_threads
    pieces = min(total // max(grain, 1), threads * PIECES_PER_THREAD)
    if threads == 1 or pieces < 2 or getattr(_inside, "kernel", False):
        kernel(0, total, *args)
        return
    bounds = [total * i // pieces for i in range(pieces + 1)]
    todo = list(range(pieces - 1, -1, -1))

    def work() -> None:
        _inside.kernel = True
        try:
            while True:
                try:
                    piece = todo.pop()
                except IndexError:
                    return
                kernel(bounds[piece], bounds[piece + 1], *args)
        finally:
            _inside.kernel = False

    shares = _pool.hand_out(work, min(threads, pieces) - 1)
    try:
        work()
    finally:
        todo.clear()
        for share in shares:
            share.wait()
    for share in shares:
        if share.error is not None:
            raise share.error


def _after_fork() -> None:
    # The parent's workers do not exist in the child.
    global _pool, _inside
    _pool, _inside = _Pool(_num_threads - 1), threading.local()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
