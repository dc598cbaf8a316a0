"""Borders against PyTorch."""

import itertools

import numpy as np
import pytest
from parity import agree_on, agree_with_gradients, refuse_alike

rng = np.random.default_rng(0)

MODES = ("constant", "reflect", "replicate", "circular")
# Shape, widths.
BORDERS = [
    ((2, 3, 5), (1, 2)),
    ((3, 5), (4, 0)),
    ((2, 3, 5), (-1, 3)),
    ((2, 3, 5), (3, -2)),
    ((2, 3, 5), (0, 0)),
    ((2, 3, 4, 5), (1, 2, 3, 0)),
    ((3, 4, 5), (0, 4, 2, 2)),
    ((2, 3, 4, 5), (1, -1, -2, 0)),
    ((2, 2, 3, 4, 3), (1, 2, 0, 3, 2, 1)),
    ((2, 3, 4, 3), (0, 2, 1, 1, 2, -1)),
    ((0, 3, 5), (1, 2)),
    ((2, 3, 1), (0, 0)),
    ((1, 2, 4, 5), (1, 1, -2, -2)),
]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("shape", "widths"), BORDERS, ids=str)
def test_values_and_gradients(mode, shape, widths, ours, theirs):
    pair = [lambda x, L=library: L.F.pad(x, widths, mode) for library in (ours, theirs)]
    agree_with_gradients(ours, theirs, *pair, [rng.standard_normal(shape)])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", "float16", "complex64"])
def test_dtypes(mode, dtype, ours, theirs):
    x = (10 * rng.standard_normal((2, 3, 4, 5))).astype(dtype)
    agree_on(ours, theirs, lambda L, x: L.F.pad(x, (2, 1, 0, 3), mode), [x], what=f"{mode} {dtype}")


CALLS = {
    "value": lambda L, x: L.F.pad(x, (1, 2), value=3.5),
    "value as a tensor": lambda L, x: L.F.pad(x, (1, 2), "constant", L.tensor(3.5)),
    "integers": lambda L, x: L.F.pad(x.long(), (1, 2), value=2.7),
    "any dimension": lambda L, x: L.F.pad(x, (1, 0, 0, 1, 2, -1)),
    "keywords": lambda L, x: L.F.pad(input=x, pad=[1, 1], mode="circular", value=0.0),
    "nothing": lambda L, x: L.F.pad(x, ()),
    "a number": lambda L, x: L.F.pad(x.sum(), ()),
    "all cropped": lambda L, x: L.F.pad(x, (-1, -3)),
    "empty": lambda L, x: L.F.pad(x[:, :0], (1, 1, 2, 0)),
    "circular and no channels": lambda L, x: L.F.pad(x[:, :0], (1, 1), "circular"),
    "circular and all cropped": lambda L, x: L.F.pad(x, (-1, -3), "circular"),
    "slices": lambda L, x: L.F.pad(x.transpose(0, 1)[:, :, ::2], (1, 1), "reflect"),
    "complex value": lambda L, x: L.constant_pad_nd(x + 0j, (1, 0), 2j),
}


@pytest.mark.parametrize("name", CALLS)
def test_calls(name, ours, theirs):
    agree_on(ours, theirs, CALLS[name], [rng.standard_normal((2, 3, 4))], what=name)


def test_the_result_is_a_copy(ours, theirs):
    for L, mode in itertools.product((ours, theirs), MODES):
        x = L.zeros(2, 3, 4)
        assert L.F.pad(x, (0, 0), mode).add_(1).sum() == 24
        assert x.sum() == 0


def test_nodes(ours, theirs):
    for L in (ours, theirs):
        x = L.ones(1, 2, 5, requires_grad=True)
        names = {mode: L.F.pad(x, (1, 1), mode).grad_fn.name() for mode in MODES}
        del names["circular"]  # PyTorch composes it of writes
        assert list(names.values()) == [
            "ConstantPadNdBackward0", "ReflectionPad1DBackward0", "ReplicationPad1DBackward0",
        ]  # fmt: skip


REFUSED = {
    "odd": (lambda L: L.F.pad(L.zeros(1, 2, 5), (1,)), ["divisible by 2"]),
    "too many": (lambda L: L.F.pad(L.zeros(5), (1, 1, 1, 1)), ["4", "1"]),
    "too many, reflected": (lambda L: L.F.pad(L.zeros(1, 2, 5, 5), (1,) * 8, "reflect"), ["8", "4D"]),
    "floats": (lambda L: L.F.pad(L.zeros(5), (1.0, 1)), ["pad", "1.0"]),
    "a number": (lambda L: L.F.pad(L.zeros(5), 1), ["pad", "1"]),
    "not a tensor": (lambda L: L.F.pad([1.0], (1, 1)), ["input", "list"]),
    "cropped beyond": (lambda L: L.F.pad(L.zeros(1, 5), (-3, -3)), ["(-3, -3)", "[1, 5]"]),
    "cropped beyond and padded": (lambda L: L.F.pad(L.zeros(1, 5), (-6, 7)), ["(-6, 7)"]),
    "mode": (lambda L: L.F.pad(L.zeros(1, 2, 5), (1, 1), "mirror"), ["mirror", "replicate"]),
    "value": (lambda L: L.F.pad(L.zeros(1, 2, 5), (1, 1), "reflect", 1.0), ["reflect", "value"]),
    "complex value": (lambda L: L.F.pad(L.zeros(1, 2, 5), (1, 1), "constant", 1j), ["value", "complex"]),
    "overflow": (lambda L: L.F.pad(L.zeros(5).byte(), (1, 1), value=300), ["300", "overflow"]),
    "not a number": (lambda L: L.F.pad(L.zeros(5).int(), (1, 1), value=float("nan")), ["nan", "overflow"]),
    "without channels": (lambda L: L.F.pad(L.zeros(5), (1, 1), "replicate"), ["2", "1D"]),
    "image and two widths": (lambda L: L.F.pad(L.zeros(1, 2, 5, 5), (1, 1), "circular"), ["2", "4D"]),
    "long reflection": (lambda L: L.F.pad(L.zeros(1, 2, 5), (5, 0), "reflect"), ["(5, 0)", "[1, 2, 5]"]),
    "long circle": (lambda L: L.F.pad(L.zeros(1, 2, 5), (6, 0), "circular"), ["(6, 0)", "wrapping"]),
    "circle of nothing": (lambda L: L.F.pad(L.zeros(1, 2, 5), (-3, -3), "circular"), ["(-3, -3)"]),
    "empty": (lambda L: L.F.pad(L.zeros(1, 2, 0), (1, 1), "replicate"), ["[1, 2, 0]"]),
    "no channels": (lambda L: L.F.pad(L.zeros(2, 0, 5), (1, 1), "reflect"), ["[2, 0, 5]"]),
    "nothing left": (lambda L: L.F.pad(L.zeros(1, 2, 5), (-3, -2), "reflect"), ["too small"]),
    "bool": (lambda L: L.F.pad(L.zeros(1, 2, 5).bool(), (1, 1), "reflect"), ["reflect", "Bool"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name, ours, theirs):
    refuse_alike(ours, theirs, *REFUSED[name])
