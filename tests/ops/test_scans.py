"""Scans, differences and integrals: all forms of their arguments, against PyTorch."""

from functools import partial

import numpy as np
import parity
import pytest
from parity import agree_on, agree_with_gradients, refuse_alike

INF, NAN = float("inf"), float("nan")
DTYPES = ["float16", "float32", "float64", "int8", "int32", "int64", "uint8", "bool"]


numbers = partial(parity.numbers, below=4)

SCANS = {
    "cumprod": lambda L, x: [L.cumprod(x, 1), x.cumprod(dim=-1), L.cumprod(input=x, dim=0)],
    "cumprod dtype": lambda L, x: L.cumprod(x, 1, dtype=L.float64),
    "cumprod int": lambda L, x: L.cumprod(x, 1, dtype=L.int32),
    "cumprod 0-d": lambda L, x: x[0, 0, 0].cumprod(0),
    "cumprod empty": lambda L, x: x[:0].cumprod(1),
    "cumsum": lambda L, x: [x.cumsum(0), x[0, 0, 0].cumsum(-1)],
    "cummax": lambda L, x: [*L.cummax(x, 1), *x.cummax(-1), *x[:, :0].cummax(1), *x[0, 0, 0].cummax(0)],
    "cummin": lambda L, x: [*L.cummin(x, 0), *x.cummin(dim=2)],
    "logcumsumexp": lambda L, x: [L.logcumsumexp(x, 1), x.logcumsumexp(-1), x[:0].logcumsumexp(0)],
    "diff": lambda L, x: [L.diff(x), x.diff(2, 1), x.diff(n=9, dim=0), x.diff(0), L.diff(x, prepend=x[..., :2])],
    "diff joined": lambda L, x: L.diff(x, 1, 0, x[:1], x[1:]),
    "gradient": lambda L, x: [*L.gradient(x), *L.gradient(x, spacing=2, dim=1, edge_order=2)],
    "gradient list": lambda L, x: [*L.gradient(x, spacing=[0.5, 2], dim=(0, 2)), *L.gradient(x, dim=[1])],
    "gradient coordinates": lambda L, x: L.gradient(x, spacing=(L.of([1, 2, 5]).to(x.dtype),), dim=1, edge_order=2),
    "trapezoid": lambda L, x: [L.trapezoid(x), L.trapezoid(x, dx=0.5, dim=0), L.trapz(x, dim=1)],
    "trapezoid at": lambda L, x: [L.trapezoid(x, x), L.trapezoid(x, x[0, 0]), L.trapezoid(x, x[0, :, 0], dim=1)],
    "cumulative_trapezoid": lambda L, x: [L.cumulative_trapezoid(x, dx=2), L.cumulative_trapezoid(x, x[0], dim=-1)],
    "trapezoid of few": lambda L, x: [L.trapezoid(x[..., :n]) for n in (0, 1)],
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", SCANS)
def test_dtypes(name, dtype, ours, theirs):
    """Values, dtypes and refusals for every dtype."""
    loose = (8e-3, 8e-3) if dtype == "float16" else (None, None)
    agree_on(ours, theirs, SCANS[name], [numbers(dtype)], *loose, what=f"{name} {dtype}")


SPECIAL = np.array([[1.0, NAN, 2.0, NAN], [INF, 1.0, -INF, INF], [2.0, 2.0, -INF, 2.0], [-INF, -INF, 0.0, NAN]])


@pytest.mark.parametrize("name", ["cumprod", "cumsum", "cummax", "cummin", "logcumsumexp", "diff"])
def test_special_values(name, ours, theirs):
    agree_on(ours, theirs, lambda L, x: getattr(L, name)(x, dim=1), [SPECIAL], what=name)


def test_long_sums_round_once(ours, theirs):
    """float32 accumulates in float64, as in PyTorch: the last of 100,000 partial sums agrees to the last bits."""
    x = np.random.default_rng(0).random(100_000).astype(np.float32)
    for name in ("cumsum", "logcumsumexp"):
        agree_on(ours, theirs, lambda L, x: getattr(L, name)(x, 0), [x], 1e-6, 0, what=name)


WITH_GRADIENTS = {
    "cumprod": lambda L, x: x.cumprod(1),
    "cummax with ties": lambda L, x: x.cummax(1)[0],
    "cummin with ties": lambda L, x: x.cummin(0)[0],
    "logcumsumexp": lambda L, x: x.logcumsumexp(1),
    "diff": lambda L, x: x.diff(dim=0),
}
TIES = np.array([[1.0, 2.0, 2.0, 0.0], [3.0, 0.0, 3.0, 3.0], [0.0, 0.0, -1.0, 0.0]])


@pytest.mark.parametrize("name", WITH_GRADIENTS)
def test_gradients_at_ties_and_zeros(name, ours, theirs):
    twins = (lambda *t, L=library: WITH_GRADIENTS[name](L, *t) for library in (ours, theirs))
    agree_with_gradients(ours, theirs, *twins, [TIES])


def test_second_gradient_of_products_with_zeros(ours, theirs):
    def second(L, grad):
        x = L.of(TIES, True)
        (first,) = grad(x.cumprod(1).sum(), x, create_graph=True)
        return grad((first * first).sum(), x)[0]

    theirs_second = second(theirs, theirs.autograd.grad)
    np.testing.assert_allclose(second(ours, ours.grad).numpy(), theirs_second.numpy())


def test_in_place_and_out(ours, theirs):
    agree_on(ours, theirs, lambda L, x: (x * 1).cumprod_(1), [numbers("float32")])
    agree_on(ours, theirs, lambda L, x: (x * 1).cumprod_(0), [numbers("int32")])
    for name in ("cumprod", "logcumsumexp", "diff"):
        agree_on(ours, theirs, lambda L, x: getattr(L, name)(x, dim=1, out=L.empty(0)), [numbers("float32")], what=name)

    def expression(L, x):
        values, indices = L.empty(0), L.empty(0, dtype=L.int64)
        L.cummax(x, 1, out=(values, indices))
        return values, indices

    agree_on(ours, theirs, expression, [numbers("float32")])


REFUSED = {
    "diff of 0-d": (lambda L: L.diff(L.of(1.0)), ["diff", "0-d"]),
    "diff order": (lambda L: L.diff(L.zeros(3), -1), ["diff", "-1"]),
    "diff joined": (lambda L: L.diff(L.zeros(3), prepend=L.zeros(1, 1)), ["prepend", "[1, 1]"]),
    "cumprod dim": (lambda L: L.zeros(2, 3).cumprod(2), ["[-2, 1]", "2"]),
    "cummax dim": (lambda L: L.cummax(L.zeros(2), 1), ["[-1, 0]"]),
    "logcumsumexp of ints": (lambda L: L.logcumsumexp(L.of([1]), 0), ["logcumsumexp", "Long"]),
    "gradient edge": (lambda L: L.gradient(L.zeros(3), edge_order=3), ["edge_order", "3"]),
    "gradient short": (lambda L: L.gradient(L.zeros(1)), ["gradient", "2"]),
    "gradient uint8": (lambda L: L.gradient(L.zeros(3, dtype=L.uint8)), ["uint8"]),
    "gradient spacing": (lambda L: L.gradient(L.zeros(3, 3), spacing=[1.0]), ["spacing"]),
    "gradient dims": (lambda L: L.gradient(L.zeros(3, 3), dim=(0, 0)), ["dim", "(0, 0)"]),
    "trapezoid points": (lambda L: L.trapezoid(L.zeros(3), L.zeros(2)), ["trapezoid", "3", "2"]),
    "trapezoid x and dx": (lambda L: L.trapezoid(L.zeros(3), L.zeros(3), dx=1.0), ["x", "dx"]),
    "trapezoid of 0-d": (lambda L: L.trapezoid(L.of(1.0)), ["trapezoid"]),
    "trapezoid of bools": (lambda L: L.trapezoid(L.of([True])), ["bool"]),
    "not a tensor": (lambda L: L.cummax([1.0], 0), ["cummax", "list"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name, ours, theirs):
    refuse_alike(ours, theirs, *REFUSED[name])


def test_coordinates_that_do_not_fit_are_refused(ours):
    """PyTorch computes with them whatever comes of it."""
    with pytest.raises(RuntimeError, match=r"shape \[3\], but got \[4\]"):
        ours.gradient(ours.zeros(3), spacing=(ours.zeros(4),))


@pytest.mark.parametrize("name", ["cumsum_", "cumprod_"])
def test_in_place_scans_keep_the_dtype(name, ours, theirs):
    scan = lambda L, x, **options: getattr(x, name)(0, **options)  # noqa: E731
    for call, dtypes in (
        (scan, DTYPES),
        (lambda L, x: scan(L, x, dtype=L.float32), DTYPES),
        (lambda L, x: scan(L, x, dtype=L.int64), DTYPES),
        (lambda L, x: scan(L, x, dtype=L.bool), ["bool", "float32"]),
        (lambda L, x: getattr(x, name)(3), ["float32"]),
    ):
        for dtype in dtypes:
            agree_on(ours, theirs, call, [numbers(dtype)], what=f"{name} {dtype}")
