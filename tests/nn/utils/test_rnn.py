"""Padding and packing of sequences against PyTorch's."""

import pickle

import numpy as np
import pytest
from parity import agree, refuse_alike

import autograd
import nn

LENGTHS = ([3, 2, 2, 1], [2, 2, 2, 2], [1, 3, 1, 2])
SHAPES = ((), (2,), (2, 3))


@pytest.fixture
def libraries(torch):
    return (
        type("Ours", (), {"t": autograd, "rnn": nn.utils.rnn}),
        type("Theirs", (), {"t": torch, "rnn": torch.nn.utils.rnn, "linalg": torch.linalg}),
    )


def fields(packed):
    return tuple(field for field in packed if field is not None)


@pytest.mark.parametrize("lengths", LENGTHS)
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_pack_and_pad(lengths, batch_first, shape, libraries):
    ordered = lengths == sorted(lengths, reverse=True)
    results = []
    for L in libraries:
        x = L.t.tensor(np.random.default_rng(0).standard_normal((*((4, 3) if batch_first else (3, 4)), *shape)))
        x.requires_grad_()
        packed = L.rnn.pack_padded_sequence(x, L.t.tensor(lengths), batch_first, enforce_sorted=ordered)
        found = [fields(packed)]
        for total, value in ((None, 0.0), (5, -1.5)):
            padded, own_lengths = L.rnn.pad_packed_sequence(packed, batch_first, value, total)
            found += [padded, own_lengths]
        found += L.rnn.unpack_sequence(packed)
        (padded * padded).sum().backward()
        results.append((*found, x.grad))
    agree(*results)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_pad_and_unpad(side, batch_first, shape, libraries):
    results = []
    for L in libraries:
        random = np.random.default_rng(0)
        sequences = [L.t.tensor(random.standard_normal((n, *shape))).requires_grad_() for n in (2, 4, 1)]
        padded = L.rnn.pad_sequence(sequences, batch_first, 0.5, side)
        (padded * padded).sum().backward()
        found = [padded, L.rnn.pad_sequence(iter(sequences), batch_first)]
        found += L.rnn.unpad_sequence(padded.detach(), L.t.tensor([2, 4, 1]), batch_first)
        results.append((*found, *(sequence.grad for sequence in sequences)))
    agree(*results)


EXPRESSIONS = {
    "pack": lambda L: fields(L.rnn.pack_sequence([L.t.arange(3), L.t.arange(2)])),
    "pack unsorted": lambda L: fields(L.rnn.pack_sequence([L.t.arange(1), L.t.arange(3)], enforce_sorted=False)),
    "unpack": lambda L: L.rnn.unpack_sequence(L.rnn.pack_sequence([L.t.arange(1), L.t.arange(3)], False)),
    "empty sequence": lambda L: L.rnn.pad_sequence([L.t.zeros(0, 2), L.t.ones(2, 2)]),
    "a tensor": lambda L: L.rnn.pad_sequence(L.t.ones(2, 3)),
    "the first dtype": lambda L: L.rnn.pad_sequence([L.t.arange(2), L.t.ones(1)]),
    "bool": lambda L: L.rnn.pad_sequence([L.t.ones(2, dtype=L.t.bool), L.t.ones(1, dtype=L.t.bool)]),
    "integers": lambda L: L.rnn.pad_sequence([L.t.arange(2), L.t.arange(1)], padding_value=-1),
    "a pair": lambda L: fields(L.rnn.PackedSequence((L.t.ones(2), L.t.tensor([1, 1])))),
    "to": lambda L: fields(L.rnn.pack_sequence([L.t.arange(3), L.t.arange(2)], False).to(L.t.float64)),
    "inverse": lambda L: L.rnn.invert_permutation(L.t.tensor([2, 0, 1])),
    **{
        name: lambda L, name=name: fields(getattr(L.rnn.pack_sequence([L.t.ones(2), L.t.ones(1)]), name)())
        for name in ("double", "float", "half", "long", "int", "short", "char", "byte", "cpu")
    },
}


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_expression(name, libraries):
    agree(*(EXPRESSIONS[name](L) for L in libraries))


REFUSED = {
    "order": lambda L: L.rnn.pack_padded_sequence(L.t.zeros(3, 2), [2, 3]),
    "length 0": lambda L: L.rnn.pack_padded_sequence(L.t.zeros(3, 2), [3, 0]),
    "too many": lambda L: L.rnn.pack_padded_sequence(L.t.zeros(3, 2), [3, 2, 1]),
    "too many, unsorted": lambda L: L.rnn.pack_padded_sequence(L.t.zeros(3, 2, 1), [1, 2, 1], enforce_sorted=False),
    "too few": lambda L: L.rnn.pack_padded_sequence(L.t.zeros(3, 2), [3]),
    "a matrix of lengths": lambda L: L.rnn.pack_padded_sequence(L.t.zeros(3, 2), L.t.tensor([[3, 2]])),
    "nothing": lambda L: L.rnn.pack_padded_sequence(L.t.zeros(3, 0), []),
    "one dimension": lambda L: L.rnn.pack_padded_sequence(L.t.zeros(3), [3]),
    "unsorted sequences": lambda L: L.rnn.pack_sequence([L.t.zeros(1), L.t.zeros(2)]),
    "no sequences": lambda L: L.rnn.pad_sequence([]),
    "a number": lambda L: L.rnn.pad_sequence(3),
    "numbers": lambda L: L.rnn.pad_sequence([1, 2]),
    "no dimension": lambda L: L.rnn.pad_sequence([L.t.tensor(1.0)]),
    "shapes": lambda L: L.rnn.pad_sequence([L.t.zeros(2), L.t.zeros(3, 1)]),
    "side": lambda L: L.rnn.pad_sequence([L.t.zeros(2)], padding_side="up"),
    "total_length": lambda L: L.rnn.pad_packed_sequence(L.rnn.pack_sequence([L.t.zeros(2)]), total_length=1),
    "no pair": lambda L: L.rnn.PackedSequence(L.t.zeros(2)),
    "number of lengths": lambda L: L.rnn.unpad_sequence(L.t.zeros(3, 2), L.t.tensor([1, 2, 3])),
    "integers of another kind": lambda L: L.rnn.invert_permutation(L.t.tensor([1, 0], dtype=L.t.int32)),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name, libraries):
    refuse_alike(*libraries, REFUSED[name])


def test_a_length_beyond_the_end():
    with pytest.raises(RuntimeError, match="length of 4, but input has 3"):
        nn.utils.rnn.pack_padded_sequence(autograd.zeros(3, 2), [4, 1])


def test_packed_sequences_are_tuples():
    packed = nn.utils.rnn.pack_sequence([autograd.arange(1), autograd.arange(3)], enforce_sorted=False)
    data, batch_sizes, order, back = packed
    assert packed.to(data.dtype) is packed
    assert not packed.is_cuda
    assert not packed.is_pinned()
    again = pickle.loads(pickle.dumps(packed))
    assert type(again) is type(packed)
    agree(tuple(again), (data, batch_sizes, order, back))
    assert nn.utils.rnn.invert_permutation(None) is None
