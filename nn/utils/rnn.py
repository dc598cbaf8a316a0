"""Sequences of different lengths: padded to one tensor, or packed step by step without padding."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import autograd
from autograd.tensor import Tensor

__all__ = [
    "PackedSequence",
    "invert_permutation",
    "pack_padded_sequence",
    "pack_sequence",
    "pad_packed_sequence",
    "pad_sequence",
    "unpack_sequence",
    "unpad_sequence",
]


class _Fields(NamedTuple):
    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None
    unsorted_indices: Tensor | None


class PackedSequence(_Fields):
    """Sequences step by step, the longest first: what `pack_padded_sequence` and `pack_sequence` make.

    Attributes:
        data: (rows, *): the first element of every sequence, then the second of those that have one, ...
        batch_sizes: how many rows each step has: int64, never growing.
        sorted_indices: where in the batch each sequence was before they were ordered by length; None where they were.
        unsorted_indices: the inverse: where each sequence of the batch is now.

    >>> import autograd, nn
    >>> nn.utils.rnn.pack_sequence([autograd.tensor([1, 2, 3]), autograd.tensor([4, 5])]).data
    tensor([1, 4, 2, 5, 3])
    """

    __slots__ = ()

    def __new__(
        cls,
        data: Any,
        batch_sizes: Tensor | None = None,
        sorted_indices: Tensor | None = None,
        unsorted_indices: Tensor | None = None,
    ) -> PackedSequence:
        if batch_sizes is None:
            if not isinstance(data, (list, tuple)) or len(data) != 2:
                raise AssertionError("PackedSequence: without batch_sizes, data must be a pair (data, batch_sizes)")
            data, batch_sizes = data
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def to(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """The same with ``data.to(...)``; itself where that changes nothing."""
        data = self.data.to(*args, **kwargs)
        return self if data is self.data else self._replace(data=data)

    def cuda(self, *args: Any, **kwargs: Any) -> PackedSequence:
        return self.to(*args, **{"device": "cuda", **kwargs})

    def cpu(self, *args: Any, **kwargs: Any) -> PackedSequence:
        return self.to(*args, **{"device": "cpu", **kwargs})

    def pin_memory(self) -> PackedSequence:
        pinned = (None if field is None else field.pin_memory() for field in self[2:])
        return type(self)(self.data.pin_memory(), self.batch_sizes, *pinned)

    def double(self) -> PackedSequence:
        return self.to(autograd.float64)

    def float(self) -> PackedSequence:
        return self.to(autograd.float32)

    def half(self) -> PackedSequence:
        return self.to(autograd.float16)

    def long(self) -> PackedSequence:
        return self.to(autograd.int64)

    def int(self) -> PackedSequence:
        return self.to(autograd.int32)

    def short(self) -> PackedSequence:
        return self.to(autograd.int16)

    def char(self) -> PackedSequence:
        return self.to(autograd.int8)

    def byte(self) -> PackedSequence:
        return self.to(autograd.uint8)

    @property
    def is_cuda(self) -> bool:
        """Whether ``data`` is on a GPU."""
        return self.data.is_cuda

    def is_pinned(self) -> bool:
        """Whether ``data`` is in pinned memory."""
        return self.data.is_pinned()


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """The permutation that undoes ``permutation`` (N,); None of None.

    >>> import autograd, nn
    >>> nn.utils.rnn.invert_permutation(autograd.tensor([2, 0, 1]))
    tensor([1, 2, 0])
    """
    if permutation is None:
        return None
    return autograd.empty_like(permutation).scatter_(0, permutation, autograd.arange(permutation.numel()))


def pack_padded_sequence(
    input: Tensor, lengths: Tensor | Sequence[int], batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """Padded sequences without their padding.

    Args:
        input: (T, B, *), or (B, T, *) with ``batch_first``.
        lengths: of each sequence, at least 1.
        enforce_sorted: the sequences must stand in decreasing order of length; else they are put in order, and the
            result remembers where they were.

    Raises:
        RuntimeError: ``input`` is empty, or lengths that are not in order, not positive, too large or not B of them.

    >>> import autograd, nn
    >>> x = autograd.tensor([[1, 2, 0], [3, 0, 0], [4, 5, 6]])
    >>> packed = nn.utils.rnn.pack_padded_sequence(x, [2, 1, 3], batch_first=True, enforce_sorted=False)
    >>> packed.data, packed.batch_sizes
    (tensor([4, 1, 3, 5, 2, 6]), tensor([3, 2, 1]))
    """
    own = autograd.as_tensor(lengths, dtype=autograd.int64)
    if own.dim() != 1:
        raise RuntimeError(f"pack_padded_sequence: lengths should be 1-dimensional, got {list(own.shape)}")
    batch_dim = 0 if batch_first else 1
    batch, steps = input.size(batch_dim), input.size(1 - batch_dim)
    if input.numel() == 0:
        raise RuntimeError("Cannot pack empty tensors.")
    if len(own) != batch:
        raise RuntimeError(f"Expected `len(lengths)` to be equal to batch_size, but got {len(own)} and {batch}")
    order = None
    if not enforce_sorted:
        own, order = autograd.sort(own, descending=True)
        input = input.index_select(batch_dim, order)
    counts = own.tolist()
    if min(counts) <= 0:
        raise RuntimeError(f"Length of all samples has to be greater than 0, but found {min(counts)}")
    if counts != sorted(counts, reverse=True):
        raise RuntimeError(
            "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True: pass "
            "`enforce_sorted=False`"
        )
    if counts[0] > steps:
        raise RuntimeError(f"pack_padded_sequence: a length of {counts[0]}, but input has {steps} steps")
    batch_sizes = _counts(own)
    data = input.flatten(0, 1).index_select(0, _places(batch_sizes, batch, steps, batch_first))
    return PackedSequence(data, batch_sizes, order)


def _counts(lengths: Tensor) -> Tensor:
    """How many sequences have each step, from their lengths in decreasing order; and the other way round."""
    return (lengths > autograd.arange(int(lengths[0])).unsqueeze(1)).sum(1)


def _places(batch_sizes: Tensor, batch: int, steps: int, batch_first: bool) -> Tensor:
    """Where in padded sequences, flattened, each packed row is."""
    along, across = (1, steps) if batch_first else (batch, 1)
    sequences = autograd.arange(batch)
    places = (autograd.arange(len(batch_sizes)) * along).unsqueeze(1) + sequences * across
    return places[sequences < batch_sizes.unsqueeze(1)]


def _spread(rows: Tensor, places: Tensor, shape: Sequence[int], value: float) -> Tensor:
    """``rows`` at places of ``shape``, two dimensions counted as one, in a tensor that is else ``value``."""
    padded = autograd.full((shape[0] * shape[1], *rows.shape[1:]), value, dtype=rows.dtype)
    return padded.index_copy(0, places, rows).unflatten(0, tuple(shape))


def pad_packed_sequence(
    sequence: PackedSequence,
    batch_first: bool = False,
    padding_value: float = 0.0,
    total_length: int | None = None,
) -> tuple[Tensor, Tensor]:
    """Packed sequences padded to one length, in their order before packing, and their lengths.

    Args:
        batch_first: the result is (B, T, *), not (T, B, *).
        padding_value: what stands behind the end of a sequence.
        total_length: T, at least the length of the longest sequence, which it is by default.

    Raises:
        ValueError: ``total_length`` is too small.

    >>> import autograd, nn
    >>> packed = nn.utils.rnn.pack_sequence([autograd.tensor([1, 2]), autograd.tensor([3])])
    >>> nn.utils.rnn.pad_packed_sequence(packed, batch_first=True)
    (tensor([[1, 2],
            [3, 0]]), tensor([2, 1]))
    """
    batch_sizes = sequence.batch_sizes
    steps = len(batch_sizes)
    if total_length is not None:
        if total_length < steps:
            raise ValueError(
                f"Expected total_length to be at least the length of the longest sequence in input, but got "
                f"total_length={total_length} and max sequence length being {steps}"
            )
        steps = total_length
    batch = int(batch_sizes[0])
    shape = (batch, steps) if batch_first else (steps, batch)
    padded = _spread(sequence.data, _places(batch_sizes, batch, steps, batch_first), shape, padding_value)
    lengths = _counts(batch_sizes)
    back = sequence.unsorted_indices
    if back is None:
        return padded, lengths
    return padded.index_select(0 if batch_first else 1, back), lengths[back]


def pad_sequence(
    sequences: Tensor | Iterable[Tensor],
    batch_first: bool = False,
    padding_value: float = 0.0,
    padding_side: str = "right",
) -> Tensor:
    """Sequences (length, *) padded to the longest's length: (T, B, *), or (B, T, *) with ``batch_first``.

    Args:
        padding_value: what stands beside a shorter sequence.
        padding_side: ``"right"`` or ``"left"``.

    Raises:
        RuntimeError: no sequences, an unknown side, or elements of different shapes.

    >>> import autograd, nn
    >>> nn.utils.rnn.pad_sequence([autograd.ones(3), autograd.ones(1)], batch_first=True, padding_side="left")
    tensor([[1., 1., 1.],
            [0., 0., 1.]])
    """
    if not isinstance(sequences, Iterable):
        raise RuntimeError(f"pad_sequence: Expected iterable for input sequences, but got {type(sequences).__name__}")
    sequences = list(sequences)
    if not sequences:
        raise RuntimeError("pad_sequence: received an empty list of sequences")
    if padding_side not in ("left", "right"):
        raise RuntimeError(f"pad_sequence: Expected padding_side to be one of left or right, but got {padding_side}.")
    first = sequences[0]
    for i, sequence in enumerate(sequences):
        if not isinstance(sequence, Tensor):
            raise TypeError(f"pad_sequence: expected Tensor as element {i}, but got {type(sequence).__name__}")
        if sequence.dim() == 0:
            raise RuntimeError(f"pad_sequence: element {i} has no dimension")
        if sequence.shape[1:] != first.shape[1:]:
            raise RuntimeError(
                f"pad_sequence: sequences must agree but in their length, got {list(first.shape)} and "
                f"{list(sequence.shape)}"
            )
    batch, steps = len(sequences), max(len(sequence) for sequence in sequences)
    along, across = (1, steps) if batch_first else (batch, 1)
    places = []
    for b, sequence in enumerate(sequences):
        begin = steps - len(sequence) if padding_side == "left" else 0
        places.append(autograd.arange(begin, begin + len(sequence)) * along + b * across)
    shape = (batch, steps) if batch_first else (steps, batch)
    rows = autograd.cat([sequence.to(first.dtype) for sequence in sequences])
    return _spread(rows, autograd.cat(places), shape, padding_value)


def unpad_sequence(padded_sequences: Tensor, lengths: Tensor, batch_first: bool = False) -> list[Tensor]:
    """The sequences that `pad_sequence` padded on the right, from their lengths (B,).

    >>> import autograd, nn
    >>> nn.utils.rnn.unpad_sequence(autograd.tensor([[1, 2], [3, 0]]), autograd.tensor([2, 1]), batch_first=True)
    [tensor([1, 2]), tensor([3])]
    """
    rows = padded_sequences if batch_first else padded_sequences.transpose(0, 1)
    places = autograd.arange(rows.shape[1])
    return [row[places < length] for row, length in zip(rows, lengths, strict=True)]


def pack_sequence(sequences: Sequence[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Sequences (length, *) packed; see `pack_padded_sequence`.

    >>> import autograd, nn
    >>> nn.utils.rnn.pack_sequence([autograd.tensor([1, 2, 3]), autograd.tensor([4, 5])]).batch_sizes
    tensor([2, 2, 1])
    """
    lengths = [sequence.size(0) for sequence in sequences]
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """The sequences that `pack_sequence` packed, in their order.

    >>> import autograd, nn
    >>> nn.utils.rnn.unpack_sequence(nn.utils.rnn.pack_sequence([autograd.tensor([1, 2]), autograd.tensor([3])]))
    [tensor([1, 2]), tensor([3])]
    """
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)
