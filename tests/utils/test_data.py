"""Datasets, samplers and loaders: the same batches, orders and errors as PyTorch's, from the same seeds."""

import collections
import gc
import os
import time

import numpy as np
import pytest

import autograd
from autograd.utils import data as ours

Point = collections.namedtuple("Point", ["x", "y"])


@pytest.fixture
def theirs(torch):
    import torch.utils.data

    return torch.utils.data


def plain(value):
    """Tensors as lists, containers as they are."""
    if hasattr(value, "tolist"):
        return (str(value.dtype), value.tolist())
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


class Squares:
    def __init__(self, n=10):
        self.n = n

    def __len__(self):
        return self.n

    def __getitem__(self, index):
        if index >= self.n:
            raise IndexError(index)
        return {"x": float(index), "y": index * index, "name": str(index)}


class Batched(Squares):
    def __getitems__(self, indices):
        return [self[i] | {"many": 1} for i in indices]


def count_up(library, n=10, share=True):
    class Stream(library.IterableDataset):
        def __iter__(self):
            info = library.get_worker_info()
            if info is None or not share:
                return iter(range(n))
            return iter(range(info.id, n, info.num_workers))

    return Stream()


LOADERS = {
    "sequential": lambda L, t: L.DataLoader(Squares(), 3),
    "drop last": lambda L, t: L.DataLoader(Squares(), 3, drop_last=True),
    "shuffled": lambda L, t: L.DataLoader(Squares(), 3, shuffle=True),
    "generator": lambda L, t: L.DataLoader(Squares(), 4, shuffle=True, generator=t.Generator().manual_seed(3)),
    "one by one": lambda L, t: L.DataLoader(Squares(), None),
    "sampler": lambda L, t: L.DataLoader(Squares(), 2, sampler=L.SubsetRandomSampler([1, 5, 7])),
    "weights": lambda L, t: L.DataLoader(Squares(), 4, sampler=L.WeightedRandomSampler([0.1, 1, 2, 5.0], 20)),
    "weights, no replacement": lambda L, t: L.DataLoader(
        Squares(), 4, sampler=L.WeightedRandomSampler([0.1, 1, 2, 5.0], 3, replacement=False)
    ),
    "replacement": lambda L, t: L.DataLoader(
        Squares(), 5, sampler=L.RandomSampler(range(10), replacement=True, num_samples=70)
    ),
    "more samples": lambda L, t: L.DataLoader(Squares(), 5, sampler=L.RandomSampler(range(10), num_samples=25)),
    "batch sampler": lambda L, t: L.DataLoader(Squares(), batch_sampler=[[0, 3], [2], [5, 6, 7]]),
    "several at once": lambda L, t: L.DataLoader(Batched(), 4),
    "collate": lambda L, t: L.DataLoader(range(7), 3, collate_fn=sum),
    "subset": lambda L, t: L.DataLoader(L.Subset(Batched(), [3, 1, 2]), 2),
    "tensors": lambda L, t: L.DataLoader(L.TensorDataset(t.arange(6), t.ones(6, 2)), 4, shuffle=True),
    "concat": lambda L, t: L.DataLoader(L.ConcatDataset([range(3), range(10, 12)]), 2),
    "stack": lambda L, t: L.DataLoader(L.StackDataset(a=range(3), b=Squares(3)), 2),
    "distributed": lambda L, t: L.DataLoader(
        range(11), 2, sampler=L.DistributedSampler(range(11), num_replicas=3, rank=1, seed=5)
    ),
    "stream": lambda L, t: L.DataLoader(count_up(L), 4),
    "stream, drop last": lambda L, t: L.DataLoader(count_up(L), 4, drop_last=True),
    "stream, one by one": lambda L, t: L.DataLoader(count_up(L), None),
    "chain": lambda L, t: L.DataLoader(L.ChainDataset([count_up(L), count_up(L, 3)]), 4),
    "workers": lambda L, t: L.DataLoader(Squares(23), 3, shuffle=True, num_workers=2),
    "persistent": lambda L, t: L.DataLoader(Squares(9), 2, shuffle=True, num_workers=2, persistent_workers=True),
    "workers, stream": lambda L, t: L.DataLoader(count_up(L, 11), 2, num_workers=2),
    "workers, stream, uneven": lambda L, t: L.DataLoader(count_up(L, 3), 1, num_workers=2),
}


@pytest.mark.parametrize("name", LOADERS)
def test_batches(name, theirs, torch):
    """Two passes, and the random numbers behind them."""
    results = []
    for library, tensors in ((ours, autograd), (theirs, torch)):
        tensors.manual_seed(11)
        loader = LOADERS[name](library, tensors)
        passes = [[plain(batch) for batch in loader] for _ in range(2)]
        results.append((passes, tensors.rand(2).tolist()))
        if not name.startswith(("stream", "chain", "workers, stream")):
            assert len(loader) == len(passes[0])
        del loader
    assert results[0] == results[1]


@pytest.mark.parametrize(
    "samples",
    [
        [1, 2],
        [1.5, 2.5],
        [True, False],
        ["a", "b"],
        [np.float32(1), np.float32(2)],
        [np.array([1, 2]), np.array([3, 4])],
        [Point(1, 2.0), Point(3, 4.0)],
        [(1, [2, 3]), (4, [5, 6])],
        [{"a": 1, "b": (2.0, "c")}, {"a": 3, "b": (4.0, "d")}],
        [collections.OrderedDict(a=1), collections.OrderedDict(a=2)],
    ],
)
def test_collate(samples, theirs):
    mine, other = ours.default_collate(samples), theirs.default_collate(samples)
    assert plain(mine) == plain(other)
    assert type(mine) is type(other) or hasattr(mine, "tolist")
    mine, other = ours.default_convert(samples), theirs.default_convert(samples)
    assert plain(mine) == plain(other)


ERRORS = [
    lambda L, t: L.DataLoader(range(3), num_workers=-1),
    lambda L, t: L.DataLoader(range(3), timeout=-1),
    lambda L, t: L.DataLoader(range(3), prefetch_factor=2),
    lambda L, t: L.DataLoader(range(3), persistent_workers=True),
    lambda L, t: L.DataLoader(range(3), shuffle=True, sampler=[0]),
    lambda L, t: L.DataLoader(range(3), batch_size=2, batch_sampler=[[0]]),
    lambda L, t: L.DataLoader(range(3), batch_size=None, drop_last=True),
    lambda L, t: L.DataLoader(range(3), batch_size=0),
    lambda L, t: L.DataLoader(count_up(L), shuffle=True),
    lambda L, t: L.DataLoader(count_up(L), sampler=[0]),
    lambda L, t: setattr(L.DataLoader(range(3)), "batch_size", 4),
    lambda L, t: L.BatchSampler([1], 2, drop_last=1),
    lambda L, t: L.RandomSampler(range(3), replacement=1),
    lambda L, t: L.RandomSampler(range(3), num_samples=0),
    lambda L, t: L.WeightedRandomSampler([1.0], 0),
    lambda L, t: L.WeightedRandomSampler([[1.0]], 1),
    lambda L, t: L.DistributedSampler(range(3), 2, 2),
    lambda L, t: L.TensorDataset(t.ones(2), t.ones(3)),
    lambda L, t: L.StackDataset(range(2), range(3)),
    lambda L, t: L.StackDataset(),
    lambda L, t: L.ConcatDataset([]),
    lambda L, t: L.ConcatDataset([count_up(L)]),
    lambda L, t: L.ConcatDataset([range(3)])[-4],
    lambda L, t: L.random_split(range(3), [1, 1]),
    lambda L, t: L.random_split(range(3), [0.5, -0.5, 1.0]),
    lambda L, t: L.default_collate([[1], [1, 2]]),
    lambda L, t: L.default_collate([object()]),
    lambda L, t: L.Dataset()[0],
    lambda L, t: iter(L.IterableDataset()),
    lambda L, t: iter(L.Sampler()),
]


@pytest.mark.parametrize("case", ERRORS)
def test_errors(case, theirs, torch):
    with pytest.raises(Exception) as expected:
        case(theirs, torch)
    with pytest.raises(expected.type):
        case(ours, autograd)


@pytest.mark.parametrize("lengths", [[7, 3], [0.7, 0.3], [0.25, 0.25, 0.25, 0.25], [10], [0, 10]])
def test_random_split(lengths, theirs, torch):
    results = []
    for library, tensors in ((ours, autograd), (theirs, torch)):
        tensors.manual_seed(2)
        results.append([list(part.indices) for part in library.random_split(range(10), lengths)])
    assert results[0] == results[1]


def test_datasets_add_up():
    both = ours.TensorDataset(autograd.arange(2)) + ours.TensorDataset(autograd.arange(3))
    assert len(both) == 5
    assert both[-1][0].item() == 2
    assert list(count_up(ours, 2) + count_up(ours, 3)) == [0, 1, 0, 1, 2]


def test_workers_have_seeds_of_their_own(theirs, torch):
    class Numbers:
        def __init__(self, library, tensors):
            self.library, self.tensors = library, tensors

        def __len__(self):
            return 4

        def __getitem__(self, index):
            import random

            info = self.library.get_worker_info()
            drawn = random.random(), np.random.rand(), self.tensors.rand(1).item()
            return info.id, info.num_workers, info.seed, *drawn

    results = []
    for library, tensors in ((ours, autograd), (theirs, torch)):
        tensors.manual_seed(5)
        loader = library.DataLoader(Numbers(library, tensors), num_workers=2, collate_fn=lambda batch: batch)
        results.append(list(loader))
    assert results[0] == results[1]


class Failing(Squares):
    def __getitem__(self, index):
        if index == 3:
            raise KeyError("number three")
        if index == 5:
            os._exit(7)
        if index == 7:
            time.sleep(60)
        return index


def test_errors_of_workers_come_with_their_traceback():
    loader = ours.DataLoader(Failing(5), num_workers=2)
    with pytest.raises(KeyError, match="worker process 1") as caught:
        list(loader)
    assert "number three" in str(caught.value)


def test_a_worker_that_dies_or_hangs_is_noticed():
    with pytest.raises(RuntimeError, match="exited unexpectedly"):
        list(ours.DataLoader(Failing(), num_workers=2, sampler=[0, 5]))
    with pytest.raises(RuntimeError, match="timed out after 0.5 seconds"):
        list(ours.DataLoader(Failing(), num_workers=1, sampler=[7], timeout=0.5))


def test_workers_end_with_the_pass():
    iterator = iter(ours.DataLoader(range(100), 2, num_workers=2))
    processes = iterator.processes
    next(iterator)
    assert all(process.is_alive() for process in processes)
    del iterator
    gc.collect()
    assert not any(process.is_alive() for process in processes)


def test_out_of_order():
    loader = ours.DataLoader(range(20), 3, num_workers=2, in_order=False)
    assert sorted(number for batch in loader for number in batch.tolist()) == list(range(20))


def test_a_persistent_pass_may_be_left_early():
    loader = ours.DataLoader(range(20), 2, num_workers=2, persistent_workers=True)
    next(iter(loader))
    assert [batch.tolist() for batch in loader] == [[i, i + 1] for i in range(0, 20, 2)]
    loader._iterator.close()
