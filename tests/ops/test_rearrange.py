"""Joining, splitting, turning and repeating: values, gradients and memory as PyTorch's, on several dtypes."""

import numpy as np
import pytest
from parity import agree, agree_in_memory, agree_on, agree_with_gradients, refuse_alike

import autograd

X = np.arange(24.0).reshape(2, 3, 4)

CALLS = {
    "broadcast_to": lambda L, x: L.broadcast_to(x[:, :1], (5, 2, 3, 4)),
    "broadcast_to method": lambda L, x: x[0, 0].broadcast_to((2, 4)),
    "atleast_1d": lambda L, x: L.atleast_1d(x[0, 0, 0]),
    "atleast_2d": lambda L, x: L.atleast_2d(x[0, 0]),
    "atleast_3d vector": lambda L, x: L.atleast_3d(x[0, 0]),
    "atleast_3d matrix": lambda L, x: L.atleast_3d(x[0]),
    "atleast_3d as it is": lambda L, x: L.atleast_3d(x),
    "hstack": lambda L, x: L.hstack((x, x[:, :1])),
    "hstack vectors": lambda L, x: L.hstack([x[0, 0], x[0, 0, 1]]),
    "vstack": lambda L, x: L.vstack((x[0, 0], x[0])),
    "row_stack": lambda L, x: L.row_stack((x[0, 0], x[0, 1])),
    "dstack": lambda L, x: L.dstack((x[0, 0], x[0, 1])),
    "dstack cubes": lambda L, x: L.dstack((x, x[..., :1])),
    "column_stack": lambda L, x: L.column_stack((x[0, :, 0], x[0], x[1, :, 1])),
    "column_stack numbers": lambda L, x: L.column_stack((x[0, 0, 0], x[0, 0, 1])),
    "fliplr": lambda L, x: L.fliplr(x),
    "flipud": lambda L, x: x.flipud(),
    "rot90": lambda L, x: L.rot90(x),
    "rot90 twice": lambda L, x: x.rot90(2, (0, 2)),
    "rot90 back": lambda L, x: x.rot90(-1, (1, -1)),
    "rot90 none": lambda L, x: x.rot90(4),
    "tile": lambda L, x: L.tile(x, (2, 1, 2)),
    "tile fewer": lambda L, x: x.tile(2),
    "tile more": lambda L, x: x[0].tile(2, 1, 3),
    "repeat_interleave": lambda L, x: L.repeat_interleave(x, 2),
    "repeat_interleave dim": lambda L, x: x.repeat_interleave(3, dim=-1),
    "repeat_interleave tensor": lambda L, x: L.repeat_interleave(x, L.of([1, 0, 2]), 1, output_size=3),
    "repeat_interleave one": lambda L, x: x.repeat_interleave(L.of([2]), 0),
    "repeat_interleave 0-d": lambda L, x: x[0, 0, 1].repeat_interleave(3),
    "diag of matrix": lambda L, x: L.diag(x[0], 1),
    "diag of vector": lambda L, x: x[0, 0].diag(-1),
    "diag outside": lambda L, x: L.diag(x[0], 9),
    "diag_embed": lambda L, x: L.diag_embed(x),
    "diag_embed dims": lambda L, x: x[0].diag_embed(offset=-2, dim1=0, dim2=-1),
    "fill_diagonal_": lambda L, x: (x[0] * 1).fill_diagonal_(7.0),
    "fill_diagonal_ wrapped": lambda L, x: (x.reshape(8, 3) * 1).fill_diagonal_(7.0, wrap=True),
    "fill_diagonal_ cube": lambda L, x: (x[:, :2, :2] * 1).fill_diagonal_(5.0),
    "constant_pad_nd": lambda L, x: L.constant_pad_nd(x, (1, 2, -1, 0), 3.0),
}

SEVERAL = {
    "atleast_1d": lambda L, x: L.atleast_1d(x[0, 0, 0], x[0]),
    "atleast_2d": lambda L, x: L.atleast_2d([x[0, 0], x]),
    "broadcast_tensors": lambda L, x: L.broadcast_tensors(x[0], x[:, :1], x[0, 0, 0]),
    "tensor_split": lambda L, x: L.tensor_split(x, 3, -1),
    "tensor_split more": lambda L, x: x.tensor_split(4, dim=1),
    "tensor_split indices": lambda L, x: x.tensor_split((1, 3), 2),
    "tensor_split crossed": lambda L, x: x.tensor_split((3, 1, -1), 2),
    "tensor_split tensor": lambda L, x: L.tensor_split(x, L.of([1, 9]), dim=1),
    "tensor_split 0-d tensor": lambda L, x: L.tensor_split(x, L.of(np.int64(2)), dim=1),
    "tensor_split sections": lambda L, x: L.tensor_split(x, sections=2, dim=2),
    "hsplit": lambda L, x: L.hsplit(x, 3),
    "hsplit vector": lambda L, x: x[0, 0].hsplit(2),
    "vsplit": lambda L, x: x.vsplit([1]),
    "dsplit": lambda L, x: L.dsplit(x, (1, 3)),
    "split_with_sizes": lambda L, x: x.split_with_sizes([1, 0, 3], -1),
    "unsafe_split": lambda L, x: L.unsafe_split(x, 2, 2),
    "unsafe_chunk": lambda L, x: x.unsafe_chunk(2, 1),
    "unsafe_split_with_sizes": lambda L, x: L.unsafe_split_with_sizes(x, [1, 2], 1),
}


@pytest.mark.parametrize("name", CALLS)
def test_result_and_gradient(name, ours, theirs):
    twins = (lambda x, L=library: CALLS[name](L, x) * 2 for library in (ours, theirs))
    agree_with_gradients(ours, theirs, *twins, [X])


@pytest.mark.parametrize("name", CALLS)
def test_memory(name, ours, theirs):
    agree_in_memory(ours, theirs, CALLS[name], X, name)


@pytest.mark.parametrize("name", SEVERAL)
def test_several_results(name, ours, theirs):
    agree_in_memory(ours, theirs, SEVERAL[name], X, name)
    weighted = (
        lambda x, L=library: sum((i + 1) * (part * part).sum() for i, part in enumerate(SEVERAL[name](L, x)))
        for library in (ours, theirs)
    )
    agree_with_gradients(ours, theirs, *weighted, [X])


@pytest.mark.parametrize("dtype", ["float16", "complex64", "int32", "uint8", "bool"])
def test_other_dtypes(dtype, ours, theirs):
    for name, call in CALLS.items():
        if name != "constant_pad_nd" or dtype != "bool":
            agree_on(ours, theirs, call, [X.astype(dtype)], what=name)


def test_empty(ours, theirs):
    calls = {
        "tensor_split": lambda L, x: L.tensor_split(x, 2, 1),
        "hstack": lambda L, x: L.hstack((x, x)),
        "column_stack": lambda L, x: L.column_stack((x, x)),
        "tile": lambda L, x: x.tile(2, 3),
        "tile by 0": lambda L, x: L.ones(2).tile(0),
        "repeat_interleave": lambda L, x: x.repeat_interleave(2),
        "repeat_interleave dim": lambda L, x: x.repeat_interleave(2, 1),
        "rot90": lambda L, x: L.rot90(x),
        "diag": lambda L, x: x.diag(),
        "diag_embed": lambda L, x: x.diag_embed(),
        "broadcast_tensors": lambda L, x: L.broadcast_tensors(x, L.ones(3, dtype=L.float64)),
    }
    for name, call in calls.items():
        agree_on(ours, theirs, call, [np.zeros((0, 3))], what=name)


def test_shapes(ours, theirs):
    for shapes in ([], [(2, 1), (3,)], [2, (1, 2)], [(0, 1), (1, 3)], [(5,), (4, 1), (1, 1, 1)]):
        mine, other = ours.broadcast_shapes(*shapes), theirs.broadcast_shapes(*shapes)
        assert type(mine) is autograd.Size
        assert tuple(mine) == tuple(other)


def test_repeats_alone(ours, theirs):
    agree_on(ours, theirs, lambda L: L.repeat_interleave(L.of([2, 0, 3])), [])
    agree_on(ours, theirs, lambda L: L.repeat_interleave(L.of(np.array([2, 1], "int32")), output_size=3), [])


def test_out(ours, theirs):
    for name in ("hstack", "vstack", "dstack", "column_stack"):
        results = []
        for L in (ours, theirs):
            out = L.zeros(0, dtype=L.float64)
            assert getattr(L, name)((L.of(X[0]), L.of(X[1])), out=out) is out
            results.append(out)
        agree(*results, what=name)


def test_unsafe_pieces_may_be_written_to(ours):
    """A piece of `split` may not be written to while recording; those of `unsafe_split` may."""
    x = ours.of(X, True)
    first = (x * 1).unsafe_split(1)[0]
    first.mul_(3)
    first.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), np.stack([np.full((3, 4), 3.0), np.zeros((3, 4))]))


REFUSED = {
    "broadcast_shapes": (lambda L: L.broadcast_shapes((3,), (2,)), ["[3]", "[2]"]),
    "broadcast_shapes negative": (lambda L: L.broadcast_shapes((-1,), (2,)), ["-1"]),
    "broadcast_tensors": (lambda L: L.broadcast_tensors(L.zeros(3), L.zeros(2)), ["[3]", "[2]"]),
    "broadcast_tensors list": (lambda L: L.broadcast_tensors([L.zeros(3)]), ["list"]),
    "broadcast_to": (lambda L: L.broadcast_to(L.zeros(3), (2,)), ["[3]", "[2]"]),
    "atleast_1d": (lambda L: L.atleast_1d(1.0), ["float"]),
    "hstack nothing": (lambda L: L.hstack([]), ["hstack"]),
    "hstack tensor": (lambda L: L.hstack(L.zeros(2)), ["hstack", "Tensor"]),
    "hstack sizes": (lambda L: L.hstack([L.zeros(2, 1), L.zeros(3, 1)]), ["[2, 1]", "[3, 1]"]),
    "column_stack nothing": (lambda L: L.column_stack(()), ["column_stack"]),
    "tensor_split 0-d": (lambda L: L.tensor_split(L.tensor(1.0), 2), ["1-dimensional"]),
    "tensor_split zero": (lambda L: L.zeros(3).tensor_split(0), ["0"]),
    "tensor_split floats": (lambda L: L.zeros(3).tensor_split(L.tensor([1.0])), ["float32"]),
    "tensor_split matrix": (lambda L: L.zeros(3).tensor_split(L.tensor([[1]])), ["2 dims"]),
    "tensor_split float": (lambda L: L.zeros(3).tensor_split((1.5,)), ["1.5"]),
    "tensor_split dim": (lambda L: L.zeros(3).tensor_split(2, 1), ["Dimension out of range"]),
    "hsplit 0-d": (lambda L: L.tensor(1.0).hsplit(1), ["hsplit", "0 dim"]),
    "hsplit": (lambda L: L.zeros(3).hsplit(2), ["3", "2"]),
    "vsplit": (lambda L: L.zeros(3).vsplit(2), ["vsplit", "at least 2"]),
    "dsplit": (lambda L: L.zeros(3, 3).dsplit(2), ["dsplit", "at least 3"]),
    "split_with_sizes": (lambda L: L.zeros(3).split_with_sizes([1, 1]), ["[1, 1]", "3"]),
    "split_with_sizes int": (lambda L: L.zeros(3).split_with_sizes(2), ["int"]),
    "fliplr": (lambda L: L.zeros(3).fliplr(), ["2-d", "[3]"]),
    "flipud": (lambda L: L.tensor(1.0).flipud(), ["1-d"]),
    "rot90 vector": (lambda L: L.zeros(3).rot90(), ["[3]"]),
    "rot90 one dim": (lambda L: L.zeros(3, 3).rot90(1, (0,)), ["[0]"]),
    "rot90 same": (lambda L: L.zeros(3, 3).rot90(1, (0, -2)), ["-2"]),
    "rot90 range": (lambda L: L.zeros(3, 3).rot90(1, (0, 2)), ["Dimension out of range"]),
    "tile int": (lambda L: L.tile(L.zeros(2), 2), ["dims", "int"]),
    "tile negative": (lambda L: L.zeros(2).tile(-1), ["-1"]),
    "repeats negative": (lambda L: L.zeros(2).repeat_interleave(-1), ["-1"]),
    "repeats float": (lambda L: L.zeros(2).repeat_interleave(2.5), ["float"]),
    "repeats list": (lambda L: L.repeat_interleave(L.zeros(2), [1, 2]), ["list"]),
    "repeats of floats": (lambda L: L.zeros(2).repeat_interleave(L.ones(2)), ["float32"]),
    "repeats number": (lambda L: L.zeros(2, 2).repeat_interleave(L.tensor([1, 2, 3]), 0), ["3", "[2, 2]"]),
    "repeats matrix": (lambda L: L.zeros(2, 2).repeat_interleave(L.tensor([[1, 2]]), 0), ["[1, 2]"]),
    "repeats size": (lambda L: L.zeros(2).repeat_interleave(2, output_size=3), ["3", "4"]),
    "repeats dim": (lambda L: L.zeros(2).repeat_interleave(2, 1), ["Dimension out of range"]),
    "diag 0-d": (lambda L: L.tensor(1.0).diag(), ["diag"]),
    "diag cube": (lambda L: L.zeros(1, 1, 1).diag(), ["[1, 1, 1]"]),
    "diag_embed same": (lambda L: L.zeros(2).diag_embed(0, 0, 0), ["0"]),
    "diag_embed range": (lambda L: L.zeros(2).diag_embed(0, 0, 5), ["Dimension out of range"]),
    "diag_embed 0-d": (lambda L: L.tensor(1.0).diag_embed(), []),
    "fill_diagonal_ vector": (lambda L: L.zeros(2).fill_diagonal_(1), ["[2]"]),
    "fill_diagonal_ cuboid": (lambda L: L.zeros(2, 2, 3).fill_diagonal_(1), ["[2, 2, 3]"]),
    "fill_diagonal_ text": (lambda L: L.zeros(2, 2).fill_diagonal_("a"), ["str"]),
    "constant_pad_nd": (lambda L: L.constant_pad_nd(L.zeros(2), (1,)), ["1"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name, ours, theirs):
    refuse_alike(ours, theirs, *REFUSED[name])
