"""Storages: all the memory behind tensors, shared with them; the old tensor types; memory shared between processes."""

from __future__ import annotations

import os
import warnings

import numpy as np
import pytest

import autograd
from autograd.storage import STORAGES, TypedStorage, UntypedStorage

VIEWS = {
    "whole": lambda lib: lib.arange(6.0),
    "row": lambda lib: lib.arange(6.0).reshape(2, 3)[1],
    "transposed": lambda lib: lib.arange(6.0).reshape(2, 3).t(),
    "part": lambda lib: lib.arange(10)[2:8:2],
    "expanded": lambda lib: lib.ones(1, 2).expand(3, 2),
    "number": lambda lib: lib.tensor(2.0),
    "empty": lambda lib: lib.ones(0),
    "detached": lambda lib: lib.ones(4)[1:].detach(),
}


@pytest.mark.parametrize("name", VIEWS)
@pytest.mark.filterwarnings("ignore:TypedStorage is deprecated")
def test_a_storage_is_the_whole_memory(name, torch):
    ours, theirs = VIEWS[name](autograd), VIEWS[name](torch)
    assert ours.storage().tolist() == theirs.storage().tolist()
    assert ours.untyped_storage().tolist() == theirs.untyped_storage().tolist()
    assert ours.storage_offset() == theirs.storage_offset()
    assert repr(ours.storage()) == repr(theirs.storage())
    if ours.numel():
        assert ours.storage()[ours.storage_offset()] == ours.flatten()[0].item()


def test_memory_is_shared():
    x = autograd.zeros(2, 3)
    row = x[1]
    row.storage()[0] = 5
    row.untyped_storage()[4:8] = list(np.float32(7).tobytes())
    assert x.tolist() == [[5, 7, 0], [0, 0, 0]]
    row.storage().fill_(2)
    assert x.sum() == 12
    assert row.storage().data_ptr() == x.data_ptr()
    again = autograd.FloatTensor(x.storage())
    again[5] = 9
    assert x[1, 2] == 9
    assert again.storage().data_ptr() == x.data_ptr()


def test_memory_of_numpy_arrays():
    array = np.arange(12.0).reshape(3, 4)
    for view in (array[1:, ::2], array.T, array[::-1, ::-1]):
        x = autograd.from_numpy(view)
        assert x.storage().tolist() == list(range(12))
        assert x.storage()[x.storage_offset()] == x[0, 0].item()
    memory = np.frombuffer(bytearray(16), np.float32)
    assert autograd.from_numpy(memory[1:]).storage_offset() == 1


def test_a_storage_keeps_its_memory_alive():
    storage = autograd.arange(100_000).storage()
    other = [autograd.zeros(100_000) for _ in range(10)]
    assert storage[99_999] == 99_999
    del other


@pytest.mark.parametrize("name", STORAGES)
def test_every_type(name, torch):
    kind, dtype = STORAGES[name], getattr(autograd, name)
    storage = kind([0, 1])
    assert isinstance(storage, kind)
    assert isinstance(storage, TypedStorage)
    assert storage.dtype is kind.dtype is dtype
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's own are deprecated, and say so once in a process
        assert storage.type() == getattr(torch, kind.__name__)(2).type()
    assert storage.type(kind) is storage
    assert storage.tolist() == [0, 1]
    assert storage.clone().data_ptr() != storage.data_ptr()
    assert autograd.zeros(2, dtype=dtype).storage_type() is kind
    assert TypedStorage(wrap_storage=storage.untyped(), dtype=dtype).data_ptr() == storage.data_ptr()
    others = [other for other in STORAGES.values() if other is not kind]
    assert not any(isinstance(storage, other) for other in others)
    assert kind(3).copy_(kind([1, 1, 0])).tolist() == [1, 1, 0]


def test_wrong_use():
    storage = autograd.ones(2).storage()
    for wrong, error in (
        (lambda: storage[2], IndexError),
        (lambda: storage["a"], RuntimeError),
        (lambda: storage.copy_(autograd.ones(3).storage()), RuntimeError),
        (lambda: storage.type("torch.NoStorage"), ValueError),
        (lambda: UntypedStorage(-1), RuntimeError),
        (lambda: UntypedStorage("a"), TypeError),
        (lambda: autograd.LongTensor(storage), RuntimeError),
        (lambda: autograd.ByteStorage.from_buffer(b"abc", "middle"), ValueError),
        (lambda: autograd.FloatStorage.from_buffer(b"abc", "little"), ValueError),
    ):
        with pytest.raises(error):
            wrong()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_shared_memory():
    x = autograd.zeros(3)
    assert not x.is_shared()
    assert x.share_memory_() is x
    assert x.is_shared()
    assert x[1:].is_shared()
    assert x.storage().is_shared()
    before = x.data_ptr()
    assert x.share_memory_().data_ptr() == before
    child = os.fork()
    if child == 0:
        x.fill_(7)
        os._exit(0)
    os.waitpid(child, 0)
    assert x.tolist() == [7, 7, 7]
    with pytest.raises(RuntimeError, match="view"):
        autograd.zeros(3)[1:].share_memory_()


@pytest.mark.parametrize("name", ["Float", "Double", "Half", "Long", "Int", "Short", "Char", "Byte", "Bool"])
def test_old_tensor_types(name, torch):
    ours, theirs = (getattr(lib, f"{name}Tensor") for lib in (autograd, torch))
    for arguments in ([[0, 1]], [[[0], [1]]], [np.array([0, 1])], [range(2)], []):
        assert ours(*arguments).tolist() == theirs(*arguments).tolist()
        assert repr(ours(*arguments)) == repr(theirs(*arguments))
    assert tuple(ours(2, 3).shape) == (2, 3)
    assert str(ours.dtype) == str(theirs.dtype)
    x = autograd.tensor([0, 1]).type(ours)
    assert isinstance(x, ours)
    assert x.type() == f"torch.{name}Tensor"
    assert autograd.tensor([0, 1]).type(f"torch.{name}Tensor").dtype is ours.dtype
    assert isinstance(x.new([1]), ours)
    others = {other for other in ("FloatTensor", "LongTensor") if other != f"{name}Tensor"}
    assert not any(isinstance(x, getattr(autograd, other)) for other in others)


def test_the_default_tensor_type():
    try:
        autograd.set_default_tensor_type("torch.DoubleTensor")
        assert autograd.tensor(1.0).dtype is autograd.float64
        assert autograd.Tensor([1]).dtype is autograd.float64
        autograd.set_default_tensor_type(autograd.HalfTensor)
        assert autograd.zeros(1).dtype is autograd.float16
    finally:
        autograd.set_default_tensor_type(autograd.FloatTensor)
    for wrong in (autograd.LongTensor, "torch.cuda.FloatTensor", autograd.cuda.FloatTensor, autograd.float64):
        with pytest.raises(TypeError):
            autograd.set_default_tensor_type(wrong)
    assert autograd.get_default_dtype() is autograd.float32


def test_variables():
    x = autograd.ones(2)
    y = autograd.Variable(x, requires_grad=True)
    assert y.is_leaf
    assert y.requires_grad
    assert not x.requires_grad
    (y * y).sum().backward()
    assert y.grad.tolist() == [2, 2]
    x.fill_(3)
    assert y.tolist() == [3, 3]
    assert isinstance(x, autograd.Variable)
    assert not isinstance(3, autograd.Variable)


def test_vectors_in_files(both, tmp_path):
    def program(L):
        path = str(tmp_path / f"numbers of {L.__name__}")
        L.arange(4.0).numpy().tofile(path)
        private = L.from_file(path, size=3)
        private.mul_(10)
        shared = L.from_file(path, shared=True, size=6)
        before = shared.tolist()
        shared[1] = 5.0
        made = L.from_file(path + ", new", True, 2, dtype=L.int32).fill_(7)
        return (
            (private, before, shared, made),
            (L.from_file(path, False, 2), L.from_file(path, size=1, dtype=L.float64).dtype is L.float64),
            (L.from_file(path), L.from_file(path + ", new", size=2, dtype=L.int32)),
            (L.from_file(path, size=1, requires_grad=True).requires_grad, os.path.getsize(path)),
        )

    both(program)


@pytest.mark.parametrize("case", ["no file", "too short", "no text", "negative"])
def test_files_that_hold_no_vector(both, tmp_path, case):
    path = tmp_path / "bytes"
    path.write_bytes(bytes(8))
    name, size = {
        "no file": (str(path) + "?", 1),
        "too short": (str(path), 3),
        "no text": (3, 1),
        "negative": (str(path), -1),
    }[case]
    outcome = both(lambda L: L.from_file(name, size=size))
    assert outcome[0] == "raised"
