"""Movement: values, gradients, and whether the result is a view with PyTorch's strides."""

import numpy as np
import pytest
from parity import agree, agree_on, agree_with_gradients, refuse_alike, same_memory

X = np.arange(24.0).reshape(2, 3, 4)

# Results and, where PyTorch returns a view, shared memory and strides.
CALLS = {
    "reshape": lambda L, x: L.reshape(x, (4, 6)),
    "reshape -1": lambda L, x: x.reshape(-1, 3),
    "reshape list": lambda L, x: x.reshape([6, 4]),
    "reshape 0-d": lambda L, x: x[0, 0, 0].reshape(1, 1),
    "reshape of transposed": lambda L, x: x.transpose(0, 2).reshape(-1),
    "reshape keeps strides": lambda L, x: x[:, :, ::2].reshape(6, 2),
    "reshape ones": lambda L, x: x.permute(1, 0, 2).reshape(3, 1, 2, 4),
    "view": lambda L, x: x.view(6, -1),
    "view of sliced": lambda L, x: x[:, 1:].view(2, 8),
    "view split": lambda L, x: x[..., ::2].view(2, 3, 2, 1),
    "view_as": lambda L, x: x.view_as(x.reshape(24)),
    "permute": lambda L, x: L.permute(x, (2, 0, 1)),
    "permute star": lambda L, x: x.permute(-1, 0, 1),
    "transpose": lambda L, x: L.transpose(x, 0, -1),
    "transpose named": lambda L, x: x.transpose(dim0=1, dim1=2),
    "swapaxes": lambda L, x: x.swapaxes(0, 1),
    "swapdims": lambda L, x: L.swapdims(x, 0, 1),
    "T": lambda L, x: x[0].T,
    "mT": lambda L, x: x.mT,
    "t": lambda L, x: x[0].t(),
    "t of vector": lambda L, x: L.t(x[0, 0]),
    "expand": lambda L, x: x[:, :1].expand(2, 5, 4),
    "expand new": lambda L, x: x.expand(3, -1, 3, 4),
    "expand same": lambda L, x: x.expand(2, 3, 4),
    "expand_as": lambda L, x: x[0, 0].expand_as(x),
    "broadcast 0-d": lambda L, x: x[0, 0, 1].expand(2, 2),
    "unsqueeze": lambda L, x: L.unsqueeze(x, 1),
    "unsqueeze last": lambda L, x: x.unsqueeze(-1),
    "unsqueeze strided": lambda L, x: x[:, ::2].unsqueeze(2),
    "squeeze": lambda L, x: x[:, :1, :1].squeeze(),
    "squeeze dim": lambda L, x: x[:, :1].squeeze(1),
    "squeeze none": lambda L, x: x.squeeze(0),
    "squeeze dims": lambda L, x: x[:1, :1].squeeze((0, 1)),
    "squeeze 0-d": lambda L, x: x[0, 0, 0].squeeze(),
    "flatten": lambda L, x: L.flatten(x),
    "flatten part": lambda L, x: x.flatten(1),
    "flatten middle": lambda L, x: x.flatten(start_dim=0, end_dim=1),
    "flatten 0-d": lambda L, x: x[0, 0, 0].flatten(),
    "flatten one": lambda L, x: x.flatten(1, 1),
    "unflatten": lambda L, x: x.unflatten(2, (2, 2)),
    "unflatten -1": lambda L, x: L.unflatten(x, -1, (-1, 2)),
    "ravel": lambda L, x: L.ravel(x),
    "ravel copy": lambda L, x: x.permute(2, 1, 0).ravel(),
    "movedim": lambda L, x: L.movedim(x, 0, 2),
    "movedim several": lambda L, x: x.movedim((0, 1), (-1, 0)),
    "moveaxis": lambda L, x: L.moveaxis(x, -1, 0),
    "narrow": lambda L, x: x.narrow(2, 1, 2),
    "narrow negative": lambda L, x: L.narrow(x, 1, -2, 2),
    "select": lambda L, x: L.select(x, 1, -1),
    "diagonal": lambda L, x: x[0].diagonal(),
    "diagonal offset": lambda L, x: L.diagonal(x, 1, 1, 2),
    "diagonal below": lambda L, x: x.diagonal(offset=-1, dim1=0, dim2=2),
    "index int": lambda L, x: x[1],
    "index slices": lambda L, x: x[:, 1:, ::3],
    "index none": lambda L, x: x[None, ..., 0],
    "index all": lambda L, x: x[...],
    "index scalar": lambda L, x: x[1, 2, 3],
    "index empty": lambda L, x: x[:, 2:1],
    "index tuple of nothing": lambda L, x: x[()],
    "clone": lambda L, x: x.transpose(0, 1).clone(),
    "contiguous": lambda L, x: x.contiguous(),
    "contiguous copy": lambda L, x: x.transpose(0, 1).contiguous(),
    "flip": lambda L, x: L.flip(x, (0, -1)),
    "flip star": lambda L, x: x.flip(0, 1),
    "flip none": lambda L, x: x.flip([]),
    "roll": lambda L, x: L.roll(x, 1, 2),
    "roll several": lambda L, x: x.roll((1, -2), (0, 1)),
    "roll flat": lambda L, x: x.roll(5),
    "roll named": lambda L, x: L.roll(x, shifts=1, dims=0),
    "repeat": lambda L, x: x.repeat(2, 1, 2),
    "repeat new": lambda L, x: x[0].repeat(2, 1, 1),
    "repeat list": lambda L, x: x[0, 0].repeat([3]),
    "repeat zero": lambda L, x: x.repeat(1, 0, 1),
    "cat": lambda L, x: L.cat((x, x), 1),
    "cat negative": lambda L, x: L.cat([x, x[..., :1]], dim=-1),
    "cat one": lambda L, x: L.cat([x]),
    "cat with empty": lambda L, x: L.cat([x[0], L.zeros(0, dtype=L.float64)]),
    "cat dtypes": lambda L, x: L.cat([x[0], L.ones(1, 4, dtype=L.int64)]),
    "concat": lambda L, x: L.concat([x, x]),
    "concatenate": lambda L, x: L.concatenate((x, x), 2),
    "stack": lambda L, x: L.stack([x, x], 3),
    "stack 0-d": lambda L, x: L.stack([x[0, 0, 0], x[1, 1, 1]]),
    "stack dtypes": lambda L, x: L.stack([x[0], x[0].int()]),
    "pad": lambda L, x: L.F.pad(x, (1, 2, 0, 1)),
    "pad value": lambda L, x: L.F.pad(x, (1, 0), value=-1.0),
    "pad crop": lambda L, x: L.F.pad(x, (-1, -1, 1, 0)),
    "pad reflect": lambda L, x: L.F.pad(x, (2, 1), mode="reflect"),
    "pad reflect 2": lambda L, x: L.F.pad(x, (2, 1, 1, 2), mode="reflect"),
    "pad replicate": lambda L, x: L.F.pad(x, (5, 1), mode="replicate"),
    "pad circular": lambda L, x: L.F.pad(x, (3, 1), mode="circular"),
    "tril": lambda L, x: L.tril(x),
    "triu": lambda L, x: x.triu(diagonal=1),
    "tril below": lambda L, x: x.tril(-1),
    "meshgrid": lambda L, x: L.meshgrid(x[0, 0], x[0, :, 0], indexing="ij")[1],
}

SEVERAL = {
    "split": lambda L, x: L.split(x, 2, 2),
    "split uneven": lambda L, x: x.split(3, dim=-1),
    "split sizes": lambda L, x: x.split([1, 0, 2], 1),
    "split whole": lambda L, x: L.split(x, 10),
    "chunk": lambda L, x: L.chunk(x, 2, 1),
    "chunk more": lambda L, x: x.chunk(5, -1),
    "unbind": lambda L, x: L.unbind(x),
    "unbind last": lambda L, x: x.unbind(-1),
    "meshgrid xy": lambda L, x: L.meshgrid(x[0, 0], x[0, :, 0], indexing="xy"),
    "meshgrid list": lambda L, x: L.meshgrid([x[0, 0], x[1, 0]], indexing="ij"),
}


@pytest.mark.parametrize("name", CALLS)
def test_result_and_gradient(name, ours, theirs):
    twins = (lambda x, L=library: CALLS[name](L, x) * 2 for library in (ours, theirs))
    agree_with_gradients(ours, theirs, *twins, [X])


def strides(tensor):
    """Of the dimensions along which there is a step."""
    return [step for step, n in zip(tensor.stride(), tensor.shape, strict=True) if n > 1]


@pytest.mark.parametrize("name", CALLS)
def test_memory(name, ours, theirs):
    mine, other = ours.of(X), theirs.of(X)
    a, b = CALLS[name](ours, mine), CALLS[name](theirs, other)
    agree(a, b)
    assert same_memory(a, mine) == same_memory(b, other)
    if b.numel() > 1:
        assert strides(a) == strides(b)
        assert a.storage_offset() == b.storage_offset()
        assert a.is_contiguous() == b.is_contiguous()


@pytest.mark.parametrize("name", SEVERAL)
def test_several_results(name, ours, theirs):
    mine, other = ours.of(X), theirs.of(X)
    pieces, twins = SEVERAL[name](ours, mine), SEVERAL[name](theirs, other)
    assert type(pieces) is type(twins)
    agree(list(pieces), list(twins))
    for a, b in zip(pieces, twins, strict=True):
        assert same_memory(a, mine) == same_memory(b, other)
        assert b.numel() < 2 or strides(a) == strides(b)
    weighted = (
        lambda x, L=library: sum((i + 1) * piece.sum() for i, piece in enumerate(SEVERAL[name](L, x)))
        for library in (ours, theirs)
    )
    agree_with_gradients(ours, theirs, *weighted, [X])


@pytest.mark.parametrize("dtype", ["float16", "int32", "int64", "uint8", "bool"])
def test_other_dtypes(dtype, ours, theirs):
    for name, call in CALLS.items():
        if name not in ("cat dtypes", "stack dtypes", "cat with empty") and not name.startswith("pad "):
            agree_on(ours, theirs, call, [X.astype(dtype)], what=name)


def test_empty(ours, theirs):
    calls = {
        "reshape": lambda L, x: x.reshape(3, 0),
        "flatten": lambda L, x: x.flatten(),
        "cat": lambda L, x: L.cat([x, x], 1),
        "permute": lambda L, x: x.permute(1, 0),
        "flip": lambda L, x: x.flip(0),
        "roll": lambda L, x: x.roll(1, 1),
        "repeat": lambda L, x: x.repeat(1, 2),
        "split": lambda L, x: list(x.split(2)),
        "chunk": lambda L, x: list(x.chunk(2, 1)),
        "stack": lambda L, x: L.stack([x, x]),
        "expand": lambda L, x: x.expand(4, 0, 3),
        "-1 of nothing": lambda L, x: x.reshape(-1, 3),
        "-1 is ambiguous": lambda L, x: x.reshape(-1, 0),
        "unbind": lambda L, x: list(x.unbind(0)),
    }
    for name, call in calls.items():
        agree_on(ours, theirs, call, [np.zeros((0, 3))], what=name)


REFUSED = {
    "reshape size": (lambda L: L.zeros(2, 3).reshape(4, 2), ["[4, 2]", "6"]),
    "reshape two -1": (lambda L: L.zeros(2, 3).reshape(-1, -1), ["-1"]),
    "reshape negative": (lambda L: L.zeros(2, 3).reshape(-2, 3), ["-2"]),
    "reshape -1 does not fit": (lambda L: L.zeros(2, 3).reshape(4, -1), ["[4, -1]", "6"]),
    "view of transposed": (lambda L: L.zeros(2, 3).t().view(6), ["view", "reshape"]),
    "permute length": (lambda L: L.zeros(2, 3).permute(0), ["permute", "2", "1"]),
    "permute twice": (lambda L: L.zeros(2, 3).permute(0, 0), ["permute", "[0, 0]"]),
    "permute range": (lambda L: L.zeros(2, 3).permute(0, 2), ["Dimension out of range"]),
    "transpose range": (lambda L: L.zeros(2, 3).transpose(0, 2), ["Dimension out of range"]),
    "expand": (lambda L: L.zeros(2, 3).expand(2, 4), ["[2, 4]", "[2, 3]"]),
    "expand fewer": (lambda L: L.zeros(2, 3).expand(3), ["expand", "[3]", "[2, 3]"]),
    "expand -1 in front": (lambda L: L.zeros(3).expand(-1, 3), ["expand"]),
    "unsqueeze": (lambda L: L.zeros(2).unsqueeze(3), ["Dimension out of range", "[-2, 1]"]),
    "squeeze": (lambda L: L.zeros(2).squeeze(1), ["Dimension out of range"]),
    "flip twice": (lambda L: L.zeros(2, 3).flip(0, 0), ["flip"]),
    "roll lengths": (lambda L: L.zeros(2, 3).roll((1, 2), (0,)), ["roll"]),
    "repeat fewer": (lambda L: L.zeros(2, 3).repeat(2), ["repeat", "1", "2"]),
    "repeat negative": (lambda L: L.zeros(2).repeat(-1), ["-1"]),
    "cat sizes": (lambda L: L.cat([L.zeros(2, 3), L.zeros(2, 4)]), ["[2, 3]", "[2, 4]"]),
    "cat dims": (lambda L: L.cat([L.zeros(2, 3), L.zeros(2)]), ["[2, 3]", "[2]"]),
    "cat nothing": (lambda L: L.cat([]), ["cat"]),
    "cat 0-d": (lambda L: L.cat([L.tensor(1.0)]), ["zero-dimensional"]),
    "cat of a tensor": (lambda L: L.cat(L.zeros(2)), ["cat", "tensors", "Tensor"]),
    "cat of numbers": (lambda L: L.cat([L.zeros(2), 1.0]), ["cat", "float"]),
    "cat dim": (lambda L: L.cat([L.zeros(2)], 1), ["Dimension out of range"]),
    "stack sizes": (lambda L: L.stack([L.zeros(2), L.zeros(3)]), ["[2]", "[3]"]),
    "stack nothing": (lambda L: L.stack([]), ["stack"]),
    "split sum": (lambda L: L.zeros(5).split([2, 2]), ["[2, 2]", "5"]),
    "split zero": (lambda L: L.zeros(5).split(0), ["0"]),
    "split negative": (lambda L: L.zeros(5).split(-1), ["-1"]),
    "split 0-d": (lambda L: L.tensor(1.0).split(1), ["split"]),
    "chunk zero": (lambda L: L.zeros(5).chunk(0), ["0"]),
    "unbind 0-d": (lambda L: L.tensor(1.0).unbind(), ["Dimension"]),
    "flatten order": (lambda L: L.zeros(2, 3).flatten(1, 0), ["flatten", "start_dim"]),
    "unflatten": (lambda L: L.zeros(2, 3).unflatten(1, (2, 2)), ["[2, 2]", "3"]),
    "t": (lambda L: L.zeros(2, 3, 4).t(), ["t()", "3"]),
    "mT": (lambda L: L.zeros(3).mT, ["1"]),
    "movedim lengths": (lambda L: L.zeros(2, 3).movedim((0, 1), 0), ["movedim"]),
    "movedim twice": (lambda L: L.zeros(2, 3).movedim((0, 0), (0, 1)), ["movedim"]),
    "narrow": (lambda L: L.zeros(2, 3).narrow(1, 2, 2), ["2", "3"]),
    "select": (lambda L: L.zeros(2, 3).select(1, 3), ["3", "[2, 3]"]),
    "diagonal": (lambda L: L.zeros(2, 3).diagonal(0, 1, 1), ["1"]),
    "pad odd": (lambda L: L.F.pad(L.zeros(2, 3), (1,)), ["1"]),
    "pad too many": (lambda L: L.F.pad(L.zeros(3), (1, 1, 1, 1)), ["4"]),
    "pad mode": (lambda L: L.F.pad(L.zeros(1, 2, 3), (1, 1), mode="mirror"), ["mirror"]),
    "pad reflect": (lambda L: L.F.pad(L.zeros(1, 2, 3), (3, 0), mode="reflect"), ["3", "[1, 2, 3]"]),
    "pad circular": (lambda L: L.F.pad(L.zeros(1, 2, 3), (4, 0), mode="circular"), ["4"]),
    "pad value": (lambda L: L.F.pad(L.zeros(1, 2, 3), (1, 0), mode="reflect", value=1.0), ["reflect"]),
    "tril of vector": (lambda L: L.zeros(3).tril(), ["tril", "[3]"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name, ours, theirs):
    refuse_alike(ours, theirs, *REFUSED[name])


SEPARATE = """
L.flip(x, 0) | L.flip(x, 0, 1) | L.permute(x, 1, 0) | L.permute(x, 0) | L.squeeze(x, 0, 1) | L.reshape(x, 2, 2)
L.reshape(x, 4) | L.squeeze(x, 0) | L.squeeze(x, (0, 1)) | L.flip(x, (0, 1)) | L.permute(x, dims=(1, 0))
x.flip(0) | x.flip(0, 1) | x.flip([0]) | x.permute(1, 0) | x.permute((1, 0)) | x.permute(dims=(1, 0)) | x.squeeze(0, 1)
x.unsqueeze(0).squeeze_(0, 1) | x.reshape(4) | x.reshape(-1, 1) | x.reshape(shape=(4,)) | x.expand(3, 2, 2) | x.view(4)
x.repeat(2, 1) | x.repeat([2, 1])
"""


@pytest.mark.parametrize("call", [call.strip() for line in SEPARATE.split("\n") for call in line.split("|") if call])
def test_methods_take_separate_numbers_and_functions_do_not(call, both):
    both(lambda L: eval(call, {"L": L, "x": L.arange(4.0).reshape(2, 2)}))
