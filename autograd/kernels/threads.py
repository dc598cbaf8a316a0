"""Work spread over Python threads: compiled kernels release the GIL, so plain threads run in parallel.

A pool of ordinary threads outlives ``fork`` (the child starts its own), may be entered from several Python
threads at once and never spins. OpenMP gives up each of these: libgomp aborts a forked child, numba's workqueue
aborts on concurrent use, and a spinning barrier costs whole scheduling quanta once a core is shared.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

from .memory import keep_freed_memory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

__all__ = ["get_num_threads", "run", "set_num_threads"]

# Pieces per thread: when one core is taken away, the others pick up the pieces it did not start.
PIECES_PER_THREAD = 4


def _available_cores() -> int:
    limit = os.environ.get("CHALKGRAD_NUM_THREADS") or os.environ.get("OMP_NUM_THREADS")
    if limit and limit.isdigit() and int(limit) > 0:
        return int(limit)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


_num_threads = _available_cores()
_pool: ThreadPoolExecutor | None = None
_lock = threading.Lock()
_inside = threading.local()


def get_num_threads() -> int:
    """Number of threads that a kernel may use, the caller's own included.

    >>> import autograd
    >>> autograd.get_num_threads() >= 1
    True
    """
    return _num_threads


def set_num_threads(num_threads: int) -> None:
    """Lets kernels use ``num_threads`` threads, the caller's own included.

    Raises:
        TypeError: not an integer.
        RuntimeError: not positive.
    """
    global _num_threads, _pool
    if not isinstance(num_threads, int) or isinstance(num_threads, bool):
        raise TypeError(f"set_num_threads expects an int, but got {type(num_threads).__name__}")
    if num_threads < 1:
        raise RuntimeError(f"set_num_threads expects a positive integer, but got {num_threads}")
    with _lock:
        _num_threads, _pool = num_threads, None


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

    pool = _workers()
    helpers = [pool.submit(work) for _ in range(min(threads, pieces) - 1)]
    try:
        work()
    finally:
        todo.clear()
        for helper in helpers:
            # A helper that never started has nothing left to do: withdrawing it saves waiting for a busy pool.
            if not helper.cancel():
                helper.result()


def _workers() -> ThreadPoolExecutor:
    global _pool
    pool = _pool
    if pool is None:
        with _lock:
            if _pool is None:
                from concurrent.futures import ThreadPoolExecutor  # slow to import: only for who uses threads

                _pool = ThreadPoolExecutor(max(_num_threads - 1, 1), thread_name_prefix="chalkgrad")
            pool = _pool
    return pool


def _after_fork() -> None:
    # The parent's worker threads do not exist in the child, and its locks may have been held.
    global _pool, _lock, _inside
    _pool, _lock, _inside = None, threading.Lock(), threading.local()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
