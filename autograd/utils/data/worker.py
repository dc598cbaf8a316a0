"""What runs in a `DataLoader`'s worker processes, and how the loader talks to them.

Each worker has a pipe of its own for tasks and one for results: the loader waits for any of them and notices a worker
that died. A thread in the worker empties the task pipe, so that the loader never waits for a worker that computes.
"""

from __future__ import annotations

import os
import queue
import random
import threading
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing import connection, parent_process
from typing import Any

import numpy as np

import autograd

__all__ = ["End", "Failure", "WorkerInfo", "fetch_from", "get_worker_info", "work"]


@dataclass(frozen=True)
class WorkerInfo:
    """Which worker this process is: its number, how many there are, its seed, and its copy of the dataset."""

    id: int
    num_workers: int
    seed: int
    dataset: Any


_info: WorkerInfo | None = None


def get_worker_info() -> WorkerInfo | None:
    """What this worker process is; None in the main process."""
    return _info


class End:
    """In place of a batch: the worker's stream has ended."""


class Failure:
    """An error in a worker, to be raised again in the main process with the worker's own traceback in its text."""

    def __init__(self, error: BaseException, where: str) -> None:
        self.kind = type(error)
        self.text = f"Caught {self.kind.__name__} {where}.\nOriginal {traceback.format_exc()}"

    def reraise(self) -> None:
        try:
            error = self.kind(self.text)
        except Exception:
            raise RuntimeError(self.text) from None
        raise error


def fetch_from(dataset: Any, is_stream: bool, batched: bool, collate: Callable[[Any], Any], drop_last: bool) -> Any:
    """The function from what a sampler yields to a batch; it raises StopIteration at a stream's end."""
    if is_stream:
        stream = iter(dataset)

        def fetch_next(indices: Any) -> Any:
            if not batched:
                return collate(next(stream))
            samples = _up_to(stream, len(indices))
            if not samples or (drop_last and len(samples) < len(indices)):
                raise StopIteration
            return collate(samples)

        return fetch_next

    def fetch(indices: Any) -> Any:
        if not batched:
            return collate(dataset[indices])
        several = getattr(dataset, "__getitems__", None)
        return collate(several(indices) if several else [dataset[i] for i in indices])

    return fetch


def _up_to(stream: Iterator[Any], count: int) -> list[Any]:
    samples = []
    for _ in range(count):
        try:
            samples.append(next(stream))
        except StopIteration:
            break
    return samples


def work(tasks: Any, results: Any, make_fetch: tuple[Any, ...], info: tuple[int, int, int], prepare: Any) -> None:
    """A worker's life: ``(number, indices)`` comes in, ``(number, batch)`` goes out.

    A task ``("again", None)`` begins a new pass; None, or the end of the parent process, ends it.
    """
    global _info
    number, count, base_seed = info
    autograd.set_num_threads(1)
    waiting: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(tasks, waiting), daemon=True).start()
    failure: Any = None
    fetch: Any = None
    try:
        _seed(base_seed, number)
        _info = WorkerInfo(number, count, base_seed + number, make_fetch[0])
        if prepare is not None:
            prepare(number)
        fetch = fetch_from(*make_fetch)
    except Exception as error:
        failure = Failure(error, f"in DataLoader worker process {number}")
    while (task := waiting.get()) is not None:
        key, argument = task
        if key == "again":
            try:
                fetch, failure = fetch_from(*make_fetch), None
            except Exception as error:
                failure = Failure(error, f"in DataLoader worker process {number}")
            continue
        if failure is not None:
            results.send((key, failure))
            continue
        try:
            answer = fetch(argument)
        except StopIteration:
            answer = End()
        except KeyboardInterrupt:
            return
        except Exception as error:
            answer = Failure(error, f"in DataLoader worker process {number}")
        results.send((key, answer))


def _receive(tasks: Any, waiting: queue.SimpleQueue[Any]) -> None:
    parent = parent_process()
    watched = [tasks] if parent is None else [tasks, parent.sentinel]
    while True:
        ready = connection.wait(watched)
        if tasks not in ready:
            os._exit(1)  # the parent is gone: nobody waits for results
        try:
            task = tasks.recv()
        except (EOFError, OSError):
            task = None
        waiting.put(task)
        if task is None:
            return


def _seed(base_seed: int, number: int) -> None:
    """Seeds of a worker, as PyTorch's workers have them."""
    seed = base_seed + number
    random.seed(seed)
    autograd.manual_seed(seed)
    entropy = [number, base_seed & 0xFFFFFFFF, base_seed >> 32, 0]
    np.random.seed(np.random.SeedSequence(entropy).generate_state(4))
