"""DataLoader: batches of a dataset, made in this process or in workers."""

from __future__ import annotations

import math
import multiprocessing
import os
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from multiprocessing import connection
from typing import Any, Generic, TypeVar

from .collate import default_collate, default_convert
from .dataset import Dataset, IterableDataset
from .sampler import BatchSampler, RandomSampler, Sampler, SequentialSampler, draw_seed
from .worker import End, Failure, fetch_from, work

__all__ = ["DataLoader"]

T = TypeVar("T", covariant=True)


class _Forever(Sampler[None]):
    """Stands for the indices of a stream."""

    def __iter__(self) -> Iterator[None]:
        while True:
            yield None


class DataLoader(Generic[T]):
    """Iterates over a dataset in batches.

    Args:
        dataset: samples by index, or an `IterableDataset`.
        batch_size: samples in a batch; None for samples one by one, without collating.
        shuffle: whether to draw a new permutation at each pass.
        sampler: an iterable of indices, instead of ``shuffle``.
        batch_sampler: an iterable of lists of indices, instead of the four arguments above and ``drop_last``.
        num_workers: processes that make batches; 0 for this one.
        collate_fn: makes a batch of a list of samples; `default_collate` by default.
        pin_memory: accepted; there is no other device to copy to.
        drop_last: leave out a last batch that is smaller.
        timeout: seconds to wait for a worker; 0 for ever.
        worker_init_fn: called with the worker's number at its start.
        multiprocessing_context: how workers are started: a context, or its name.
        generator: draws permutations and the workers' seed; the default one otherwise.
        prefetch_factor: batches that each worker makes ahead; 2 by default.
        persistent_workers: keep the workers after a pass.
        in_order: whether batches come in the order of their indices, or as they are ready.

    Raises:
        ValueError: arguments that exclude each other, or out of range.

    The order of shuffled samples is PyTorch's for the same seed.

    >>> import autograd
    >>> from autograd.utils.data import DataLoader, TensorDataset
    >>> for batch in DataLoader(TensorDataset(autograd.arange(5)), batch_size=2):
    ...     print(batch)
    [tensor([0, 1])]
    [tensor([2, 3])]
    [tensor([4])]
    """

    _iterator: Any = None
    _ready = False

    def __init__(
        self,
        dataset: Dataset[T],
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Iterable[Any] | None = None,
        batch_sampler: Iterable[Any] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[Any], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], None] | None = None,
        multiprocessing_context: Any = None,
        generator: Any = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        if num_workers < 0:
            raise ValueError("num_workers option should be non-negative; use num_workers=0 to disable multiprocessing.")
        if timeout < 0:
            raise ValueError("timeout option should be non-negative")
        if num_workers == 0 and prefetch_factor is not None:
            raise ValueError(
                "prefetch_factor option could only be specified in multiprocessing.let num_workers > 0 to enable "
                "multiprocessing, otherwise set prefetch_factor to None."
            )
        if prefetch_factor is not None and prefetch_factor < 0:
            raise ValueError("prefetch_factor option should be non-negative")
        if persistent_workers and num_workers == 0:
            raise ValueError("persistent_workers option needs num_workers > 0")
        if num_workers == 0 and multiprocessing_context is not None:
            raise ValueError(
                f"multiprocessing_context can only be used with multi-process loading (num_workers > 0), but got "
                f"num_workers={num_workers}"
            )
        self.dataset = dataset
        self._is_stream = isinstance(dataset, IterableDataset)
        if self._is_stream:
            self._check_stream(shuffle, sampler, batch_sampler)
        if sampler is not None and shuffle:
            raise ValueError("sampler option is mutually exclusive with shuffle")
        if batch_sampler is not None:
            if batch_size != 1 or shuffle or sampler is not None or drop_last:
                raise ValueError(
                    "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and drop_last"
                )
            batch_size, drop_last = None, False
        elif batch_size is None and drop_last:
            raise ValueError("batch_size=None option disables auto-batching and is mutually exclusive with drop_last")
        if sampler is None:
            if self._is_stream:
                sampler = _Forever()
            else:
                sampler = RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)  # type: ignore[arg-type]
        if batch_size is not None and batch_sampler is None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.batch_size, self.drop_last = batch_size, drop_last
        self.sampler, self.batch_sampler = sampler, batch_sampler
        self.num_workers, self.timeout, self.worker_init_fn = num_workers, timeout, worker_init_fn
        self.prefetch_factor = 2 if num_workers and prefetch_factor is None else prefetch_factor
        self.persistent_workers, self.in_order = persistent_workers, in_order
        self.pin_memory, self.pin_memory_device = pin_memory, pin_memory_device
        self.generator = generator
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        if num_workers > cores:
            warnings.warn(
                f"This DataLoader will create {num_workers} worker processes in total. Our suggested max number of "
                f"worker in current system is {cores}, which is smaller than what this DataLoader is going to create.",
                UserWarning,
                stacklevel=2,
            )
        if isinstance(multiprocessing_context, str) or multiprocessing_context is None:
            multiprocessing_context = multiprocessing.get_context(multiprocessing_context)
        self.multiprocessing_context = multiprocessing_context
        self.collate_fn = collate_fn or (default_collate if self._is_batched else default_convert)
        self._ready = True

    @staticmethod
    def _check_stream(shuffle: Any, sampler: Any, batch_sampler: Any) -> None:
        for name, value in (("shuffle", shuffle or None), ("sampler", sampler), ("batch_sampler", batch_sampler)):
            if value is not None:
                raise ValueError(
                    f"DataLoader with IterableDataset: expected unspecified {name} option, but got {name}={value}"
                )

    def __setattr__(self, name: str, value: Any) -> None:
        fixed = ("batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers")
        if self._ready and name in fixed:
            raise ValueError(f"{name} attribute should not be set after DataLoader is initialized")
        super().__setattr__(name, value)

    @property
    def _is_batched(self) -> bool:
        return self.batch_sampler is not None

    @property
    def _indices(self) -> Any:
        return self.batch_sampler if self._is_batched else self.sampler

    def __iter__(self) -> Iterator[T]:
        if not self.num_workers:
            return _Here(self)
        if not self.persistent_workers:
            return _Workers(self)
        if self._iterator is None:
            self._iterator = _Workers(self)
        else:
            self._iterator.restart()
        return self._iterator

    def __len__(self) -> int:
        if not self._is_stream:
            return len(self._indices)
        length = len(self.dataset)  # type: ignore[arg-type]
        if self.batch_size is None:
            return length
        return length // self.batch_size if self.drop_last else math.ceil(length / self.batch_size)


class _Here:
    """A pass in this process."""

    def __init__(self, loader: DataLoader[Any]) -> None:
        # PyTorch draws the workers' seed at each pass even without workers: the stream goes on as there.
        self.seed = draw_seed(loader.generator)
        self.indices = iter(loader._indices)
        self.fetch = fetch_from(
            loader.dataset, loader._is_stream, loader._is_batched, loader.collate_fn, loader.drop_last
        )
        self.length = loader.__len__

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        return self.fetch(next(self.indices))

    def __len__(self) -> int:
        return self.length()


class _Workers:
    """Passes made by worker processes; a pass hands out its tasks in turn and keeps answers that come too early."""

    def __init__(self, loader: DataLoader[Any]) -> None:
        self.loader = loader
        self.pid = os.getpid()
        seed = draw_seed(loader.generator)
        make_fetch = (loader.dataset, loader._is_stream, loader._is_batched, loader.collate_fn, loader.drop_last)
        context = loader.multiprocessing_context
        self.processes: list[Any] = []
        self.tasks: list[Any] = []
        self.results: list[Any] = []
        for number in range(loader.num_workers):
            theirs, mine = context.Pipe(duplex=False)
            own, answers = context.Pipe(duplex=False)
            process = context.Process(
                target=work,
                args=(theirs, answers, make_fetch, (number, loader.num_workers, seed), loader.worker_init_fn),
                daemon=True,
            )
            process.start()
            theirs.close()
            answers.close()
            self.processes.append(process)
            self.tasks.append(mine)
            self.results.append(own)
        self._begin()

    def restart(self) -> None:
        """Begins a new pass with the same workers, which keep their seeds; answers of an unfinished one are taken and
        dropped first."""
        while self.owner:
            self._take()
        for task in self.tasks:
            task.send(("again", None))
        self._begin()

    def _begin(self) -> None:
        self.indices = iter(self.loader._indices)
        self.active = [True] * len(self.processes)
        self.turn = 0  # the worker that gets the next task
        self.sent = self.given = 0  # numbers of the next task and of the next answer
        self.owner: dict[int, int] = {}  # tasks under way and their workers
        self.answers: dict[int, Any] = {}
        for _ in range((self.loader.prefetch_factor or 1) * len(self.processes)):
            self._send()

    def _send(self) -> None:
        if not any(self.active):
            return
        try:
            indices = next(self.indices)
        except StopIteration:
            return
        while not self.active[self.turn]:
            self.turn = (self.turn + 1) % len(self.active)
        self.owner[self.sent] = self.turn
        self.tasks[self.turn].send((self.sent, indices))
        self.sent += 1
        self.turn = (self.turn + 1) % len(self.active)

    def _take(self) -> None:
        """Waits for an answer and puts it among `answers`."""
        deadline = time.monotonic() + self.loader.timeout if self.loader.timeout else None
        busy = sorted(set(self.owner.values()))
        handles = {self.results[worker]: worker for worker in busy}
        while True:
            left = None if deadline is None else max(deadline - time.monotonic(), 0)
            ready = connection.wait([*handles, *(self.processes[worker].sentinel for worker in busy)], left)
            if not ready:
                self.close()
                raise RuntimeError(f"DataLoader timed out after {self.loader.timeout} seconds")
            for handle in handles.keys() & set(ready):
                try:
                    number, answer = handle.recv()
                except EOFError:
                    continue  # it died: its sentinel tells
                worker = self.owner.pop(number)
                if isinstance(answer, End):
                    self.active[worker] = False
                self.answers[number] = answer
                return
            dead = [self.processes[worker].pid for worker in busy if not self.processes[worker].is_alive()]
            if dead:
                self.close()
                raise RuntimeError(f"DataLoader worker (pid(s) {', '.join(map(str, dead))}) exited unexpectedly")

    def __iter__(self) -> Iterator[Any]:
        return self

    def __len__(self) -> int:
        return len(self.loader)

    def __next__(self) -> Any:
        while self.owner or self.answers:
            number = self.given if self.loader.in_order else next(iter(self.answers), None)
            while number not in self.answers:
                self._take()
                if number is None:
                    number = next(iter(self.answers))
            self.given += 1
            answer = self.answers.pop(number)
            self._send()
            if isinstance(answer, Failure):
                answer.reraise()
            if not isinstance(answer, End):
                return answer
        if not self.loader.persistent_workers:
            self.close()
        raise StopIteration

    def close(self) -> None:
        """Ends the workers."""
        processes, self.processes = self.processes, []
        for task in self.tasks:
            try:
                task.send(None)
            except (OSError, ValueError):
                continue
        for process in processes:
            process.join(5)
            if process.is_alive():
                process.terminate()
                process.join()
        for handle in (*self.tasks, *self.results):
            handle.close()
        self.tasks, self.results, self.owner, self.answers = [], [], {}, {}

    def __del__(self) -> None:
        if getattr(self, "processes", None) and self.pid == os.getpid():
            self.close()
