"""Einsum beyond `test_matmul`: paths for many operands, dtypes, views, dimensions of size 1, refusals."""

import numpy as np
import pytest
from parity import agree_on, agree_with_gradients, refuse_alike, same_memory

from autograd.ops.linalg.einsum import _path, parse_einsum


def numbers(*shapes):
    return [np.random.default_rng(i).uniform(-1, 1, shape) for i, shape in enumerate(shapes)]


EQUATIONS = [
    ("bhqd,bhkd->bhqk", (2, 3, 4, 5), (2, 3, 6, 5)),
    ("bhqk,bhkd->bqhd", (2, 3, 4, 6), (2, 3, 6, 5)),
    ("bik,bjk->bij", (1, 3, 4), (5, 2, 4)),
    ("ijk,jk->i", (2, 3, 4), (3, 4)),
    ("ijk,jk->i", (2, 3, 4), (1, 4)),
    ("ij,kj->ik", (2, 1), (3, 4)),
    ("ij,kj->ik", (0, 3), (4, 3)),
    ("ij,kj->ik", (2, 0), (4, 0)),
    ("i,j,k->kij", (2,), (3,), (4,)),
    ("ab,bc,cd,de,ef->fa", (2, 3), (3, 4), (4, 2), (2, 5), (5, 2)),
    ("ij,ij,ij->i", (2, 3), (2, 3), (2, 1)),
    ("...a,...b,...c->...abc", (2, 3), (1, 2), (2,)),
    ("...i->i", (2, 3)),
    ("...i,...i->i", (2, 3), (2, 3)),
    ("iij,jk->ik", (3, 3, 2), (2, 4)),
    ("ij,k->", (2, 3), (4,)),
    (",,->", (), (), ()),
    ("ij->...ij", (2, 3)),
]


@pytest.mark.parametrize(("equation", "shapes"), [(e, s) for e, *s in EQUATIONS])
def test_equation(equation, shapes, ours, theirs):
    twins = (lambda *t, L=L: L.einsum(equation, *t) for L in (ours, theirs))
    agree_with_gradients(ours, theirs, *twins, numbers(*shapes), what=equation)


def test_dtypes(ours, theirs):
    x = np.array([[1, 0, 3], [2, 1, 1]])
    for dtype in ("float16", "float32", "int8", "int64", "uint8", "bool", "complex64"):
        for equation in ("ij,kj->ik", "ij,ij->ij", "ij,ik->kji", "ij,k...->j", "i...,i...->..."):
            agree_on(
                ours,
                theirs,
                lambda L, x: L.einsum(equation, x, x),
                [x.astype(dtype)],
                2e-3,
                1e-3,
                f"{equation} {dtype}",
            )
        agree_on(ours, theirs, lambda L, x: L.einsum("ij->j", x), [x.astype(dtype)], 2e-3, 1e-3, dtype)
        agree_on(ours, theirs, lambda L, x: L.einsum("ij,ij->ij", x, x.double()), [x.astype(dtype)], 2e-3, 1e-3, dtype)


def test_one_operand_gives_a_view(ours, theirs):
    for L in (ours, theirs):
        x = L.of(numbers((2, 3))[0])
        for equation in ("ij->ji", "ij->ij", "ij"):
            assert same_memory(L.einsum(equation, x), x)


def test_many_operands_take_the_cheapest_path(ours):
    """A chain of matrices that starts with a vector is never multiplied from the other end."""
    shapes = ((1, 50), (50, 60), (60, 70), (70, 80))
    terms, result = parse_einsum("ab,bc,cd,de->ae", shapes)
    tensors = [ours.of(np.zeros(shape)) for shape in shapes]
    terms = list(terms)
    for first, second in _path(terms, result, tensors):
        pair = {terms[first], terms[second]}
        assert any("a" in term for term in pair), pair
        for i in sorted((first, second), reverse=True):
            del terms[i]
        terms.append("".join(sorted(set("".join(pair)))))


def test_two_operands_do_not_load_opt_einsum(subprocess_python):
    printed = subprocess_python(
        "import sys, autograd\n"
        "x = autograd.ones(3, 3)\n"
        "autograd.einsum('ij,jk->ik', x, x)\n"
        "print('opt_einsum' in sys.modules)\n"
        "autograd.einsum('ij,jk,kl->il', x, x, x)\n"
        "print('opt_einsum' in sys.modules)"
    )
    assert printed == "False\nTrue\n"


REFUSED = {
    "nothing": (lambda L: L.einsum("ij"), []),
    "equation": (lambda L: L.einsum(5, L.zeros(2)), ["str", "int"]),
    "list": (lambda L: L.einsum("ij", [[1.0]]), ["Tensor"]),
    "sub-list": (lambda L: L.einsum(L.zeros(2), [52]), ["52"]),
    "negative": (lambda L: L.einsum(L.zeros(2), [-1]), ["-1"]),
    "two ellipses": (lambda L: L.einsum("......", L.zeros(2)), ["......"]),
    "two dots": (lambda L: L.einsum("..i", L.zeros(2)), ["..i"]),
    "two arrows": (lambda L: L.einsum("i->i->", L.zeros(2)), ["'-'"]),
    "dtypes": (lambda L: L.einsum("ij,jk", L.zeros(2, 2), L.zeros(2, 2, dtype=L.float64)), ["Float", "Double"]),
    "diagonal": (lambda L: L.einsum("ii", L.zeros(2, 3)), ["'i'", "2", "3"]),
    "sizes": (lambda L: L.einsum("i,i", L.zeros(2), L.zeros(3)), ["'i'", "2", "3"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name, ours, theirs):
    refuse_alike(ours, theirs, *REFUSED[name])
