"""Same seed, same numbers: every function that draws, against PyTorch, in values, state, layout and errors."""

import copy
import pickle
import warnings

import numpy as np
import pytest
from seeded import CLOSE, EXACT, FLOATS, NORMAL, SIZES, calls, check_layouts, check_refusals, check_sizes, seeded

import autograd

INTEGERS = ("uint8", "int8", "int16", "int32", "int64")

# name: (tolerance, program(L, n, dtype)); a program draws about n numbers.
STREAMS = {
    "rand": (EXACT, lambda L, n, d: L.rand(n, dtype=d)),
    "rand sizes": (EXACT, lambda L, n, d: (L.rand(n, 2, dtype=d), L.rand((2, n), dtype=d), L.rand(size=[n], dtype=d))),
    "rand requires_grad": (EXACT, lambda L, n, d: L.rand(n, dtype=d, requires_grad=True)),
    "rand generator": (EXACT, lambda L, n, d: L.rand(n, dtype=d, generator=L.Generator().manual_seed(5))),
    "rand out": (EXACT, lambda L, n, d: L.rand(n, out=L.empty(n, dtype=d))),
    "rand_like": (EXACT, lambda L, n, d: L.rand_like(L.zeros(n, dtype=d))),
    "rand_like generator": (
        EXACT,
        lambda L, n, d: L.rand_like(L.zeros(n), dtype=d, generator=L.Generator().manual_seed(5)),
    ),
    "randn": (NORMAL, lambda L, n, d: L.randn(n, dtype=d)),
    "randn twice": (NORMAL, lambda L, n, d: (L.randn(n, dtype=d), L.randn(3, dtype=d), L.randn(n, dtype=d))),
    "randn out": (NORMAL, lambda L, n, d: L.randn(n, out=L.empty(3, dtype=d))),
    "randn generator": (NORMAL, lambda L, n, d: L.randn(n, dtype=d, generator=L.Generator().manual_seed(5))),
    "randn_like": (NORMAL, lambda L, n, d: L.randn_like(L.zeros(n, dtype=d), requires_grad=True)),
    "randint": (EXACT, lambda L, n, d: (L.randint(10, (n,)), L.randint(-3, 7, (n,)), L.randint(9, (n,), dtype=d))),
    "randint keywords": (
        EXACT,
        lambda L, n, d: (
            L.randint(high=3, size=(n,)),
            L.randint(low=1, high=3, size=[n]),
            L.randint(0, high=3, size=(n,)),
        ),
    ),
    "randint wide": (EXACT, lambda L, n, d: (L.randint(-(2**40), 2**40, (n,)), L.randint(2**33, (n,)))),
    "randint out": (EXACT, lambda L, n, d: L.randint(0, 9, (n,), out=L.empty(n, dtype=d))),
    "randint generator": (EXACT, lambda L, n, d: L.randint(9, (n,), generator=L.Generator().manual_seed(5))),
    "randint_like": (
        EXACT,
        lambda L, n, d: (L.randint_like(L.zeros(n, dtype=d), 9), L.randint_like(L.ones(n, dtype=d), -5, 9)),
    ),
    "randint_like keywords": (
        EXACT,
        lambda L, n, d: (
            L.randint_like(L.zeros(n, dtype=d), low=1, high=9, dtype=L.int32),
            L.randint_like(L.zeros(n), L.tensor(7), generator=L.Generator().manual_seed(5)),
        ),
    ),
    "randperm": (EXACT, lambda L, n, d: (L.randperm(n), L.randperm(n, dtype=d) if n < 2000 or d != L.float16 else 0)),
    "randperm generator": (EXACT, lambda L, n, d: L.randperm(n, generator=L.Generator().manual_seed(5))),
    "randperm out": (EXACT, lambda L, n, d: L.randperm(n, out=L.empty(n, dtype=L.int64))),
    "normal numbers": (NORMAL, lambda L, n, d: L.normal(1.0, 2.0, (n,), dtype=d)),
    "normal size": (NORMAL, lambda L, n, d: L.normal(0, 1, size=(2, n), out=L.empty(0, dtype=d))),
    "normal mean": (NORMAL, lambda L, n, d: L.normal(L.arange(n).to(d))),
    "normal mean number": (NORMAL, lambda L, n, d: L.normal(L.arange(n).to(d) / n, 0.3)),
    "normal number std": (NORMAL, lambda L, n, d: L.normal(0.7, L.arange(n).to(d) / n)),
    "normal tensors": (NORMAL, lambda L, n, d: L.normal(L.arange(n).to(d) / n, L.arange(n, 0, -1).to(d) / n)),
    "normal broadcast": (NORMAL, lambda L, n, d: L.normal(L.zeros(3, 1, dtype=d), L.ones(n, dtype=L.float64))),
    "normal integer std": (NORMAL, lambda L, n, d: L.normal(L.zeros(n, dtype=d), L.full((n,), 2))),
    "normal out": (NORMAL, lambda L, n, d: L.normal(L.zeros(n), L.ones(n), out=L.empty(n, dtype=d))),
    "normal mean out": (NORMAL, lambda L, n, d: L.normal(L.zeros(n), 2.0, out=L.empty(2, n, dtype=d))),
    "normal generator": (NORMAL, lambda L, n, d: L.normal(L.zeros(n, dtype=d), generator=L.Generator().manual_seed(5))),
    "bernoulli": (EXACT, lambda L, n, d: L.bernoulli(L.linspace(0, 1, n, dtype=L.float64).to(d))),
    "bernoulli method": (
        EXACT,
        lambda L, n, d: (L.full((n,), 0.4, dtype=d).bernoulli(), L.zeros(n, dtype=d).bernoulli(0.2)),
    ),
    "bernoulli p": (EXACT, lambda L, n, d: L.bernoulli(L.zeros(n, dtype=d), 0.3)),
    "bernoulli out": (EXACT, lambda L, n, d: L.bernoulli(L.full((n,), 0.3, dtype=d), out=L.empty(0))),
    "bernoulli_": (EXACT, lambda L, n, d: (L.empty(n, dtype=d).bernoulli_(), L.empty(n, dtype=d).bernoulli_(0.9))),
    "bernoulli_ tensor": (
        EXACT,
        lambda L, n, d: (
            L.empty(3, n, dtype=L.int64).bernoulli_(L.linspace(0, 1, n, dtype=L.float64).to(d)),
            L.empty(n).bernoulli_(L.tensor(0.3, dtype=d)),
        ),
    ),
    "multinomial": (
        EXACT,
        lambda L, n, d: L.multinomial(L.arange(1.0, 1 + min(n, 1000)).to(d), min(n, 7)) if d != L.float16 else 0,
    ),
    "multinomial one": (EXACT, lambda L, n, d: L.multinomial(L.ones(5, min(n, 1000), dtype=d), 1)),
    "multinomial all": (EXACT, lambda L, n, d: L.arange(1.0, 1 + min(n, 1000)).double().multinomial(min(n, 1000))),
    "multinomial replacement": (
        EXACT,
        lambda L, n, d: L.multinomial(L.arange(1.0, 31).to(d).reshape(3, 10), n, replacement=True),
    ),
    "multinomial generator": (
        EXACT,
        lambda L, n, d: L.multinomial(
            L.ones(min(n, 1000)), min(n, 1000), False, generator=L.Generator().manual_seed(5)
        ),
    ),
    "uniform_": (EXACT, lambda L, n, d: (L.empty(n, dtype=d).uniform_(), L.empty(n, dtype=d).uniform_(-2, 3))),
    "uniform_ keywords": (EXACT, lambda L, n, d: L.empty(n, dtype=d).uniform_(**{"from": 1, "to": 2.5})),
    "uniform_ generator": (
        EXACT,
        lambda L, n, d: L.empty(n, dtype=d).uniform_(0, 2, generator=L.Generator().manual_seed(5)),
    ),
    "normal_": (NORMAL, lambda L, n, d: (L.empty(n, dtype=d).normal_(), L.empty(n, dtype=d).normal_(1, std=0.5))),
    "normal_ rows": (NORMAL, lambda L, n, d: L.zeros(3, n, dtype=d)[1].normal_()),
    "log_normal_": (
        CLOSE,
        lambda L, n, d: (L.empty(n, dtype=d).log_normal_(0.1, 0.3), L.empty(n, dtype=L.float64).log_normal_()),
    ),
    "exponential_": (
        CLOSE,
        lambda L, n, d: (L.empty(n, dtype=d).exponential_(), L.empty(n, dtype=d).exponential_(lambd=2.0)),
    ),
    "geometric_": (EXACT, lambda L, n, d: (L.empty(n, dtype=d).geometric_(0.3), L.empty(n, dtype=d).geometric_(p=0.9))),
    "cauchy_": (
        CLOSE,
        lambda L, n, d: (L.empty(n, dtype=L.float64).cauchy_(), L.empty(n, dtype=d).cauchy_(1, sigma=0.01)),
    ),
    "random_": (
        EXACT,
        lambda L, n, d: (
            L.empty(n, dtype=d).random_(),
            L.empty(n, dtype=d).random_(10),
            L.empty(n, dtype=d).random_(-9, 5),
        ),
    ),
    "random_ keywords": (
        EXACT,
        lambda L, n, d: (
            L.empty(n, dtype=d).random_(to=9),
            L.empty(n, dtype=d).random_(**{"from": 2, "to": 9}),
            L.empty(n, dtype=d).random_(3, to=9),
            L.empty(n, dtype=d).random_(5, None),
            L.empty(n, dtype=d).random_(**{"from": 5, "to": None}, generator=L.Generator().manual_seed(5)),
        ),
    ),
    "poisson": (EXACT, lambda L, n, d: L.poisson(L.linspace(0, 30, n, dtype=L.float64).to(d))),
    "poisson generator": (EXACT, lambda L, n, d: L.poisson(L.full((n,), 3.0, dtype=d), L.Generator().manual_seed(5))),
}

FLOAT_STREAMS = {
    "binomial": (
        EXACT,
        lambda L, n, d: L.binomial(L.linspace(0, 200, n, dtype=d).floor(), L.linspace(-0.1, 1.1, n, dtype=d)),
    ),
    "binomial broadcast": (
        EXACT,
        lambda L, n, d: L.binomial(
            L.full((2, n // 2), 40.0, dtype=d), L.tensor(0.7, dtype=d), L.Generator().manual_seed(5)
        ),
    ),
}


@pytest.mark.parametrize("name", [*STREAMS, *FLOAT_STREAMS])
def test_the_same_seed_gives_the_same_numbers(both, name):
    tolerance, program = {**STREAMS, **FLOAT_STREAMS}[name]
    check_sizes(both, tolerance, program, FLOATS if name in FLOAT_STREAMS else ("float16", *FLOATS), name)


INTEGER_STREAMS = {
    "random_": lambda L, n, d: L.empty(n, dtype=d).random_(),
    "random_(to)": lambda L, n, d: L.empty(n, dtype=d).random_(100),
    "random_(from, None)": lambda L, n, d: L.empty(n, dtype=d).random_(3, None),
    "randint": lambda L, n, d: L.randint(0, 100, (n,), dtype=d),
    "randint_like": lambda L, n, d: L.randint_like(L.ones(n, dtype=d), 2, 100),
    "randperm": lambda L, n, d: L.randperm(min(n, 100), dtype=d),
    "geometric_": lambda L, n, d: L.empty(n, dtype=d).geometric_(0.2),
    "bernoulli_": lambda L, n, d: L.empty(n, dtype=d).bernoulli_(0.3),
    "bernoulli": lambda L, n, d: L.bernoulli(L.empty(n, dtype=d), 0.3),
    "bernoulli_ tensor": lambda L, n, d: L.empty(n, dtype=d).bernoulli_(L.linspace(0, 1, n)),
}


@pytest.mark.parametrize("name", INTEGER_STREAMS)
def test_integers(both, name):
    for dtype in INTEGERS:
        for n in SIZES:
            run = seeded(lambda L, n=n, dtype=dtype: INTEGER_STREAMS[name](L, n, getattr(L, dtype)))
            both(run, rtol=0, atol=0, label=f"{name} {dtype}[{n}]")


def test_booleans(both):
    for program in (
        lambda L: L.empty(99, dtype=L.bool).random_(),
        lambda L: L.empty(99, dtype=L.bool).random_(2),
        lambda L: L.empty(99, dtype=L.bool).bernoulli_(0.2),
        lambda L: L.randint(0, 2, (99,), dtype=L.bool),
    ):
        both(seeded(program))


# name: (tolerance, program(L, target)).
FILLED = {
    "uniform_": (EXACT, lambda L, x: x.uniform_(-1, 2)),
    "normal_": (NORMAL, lambda L, x: x.normal_(1, 2)),
    "log_normal_": (CLOSE, lambda L, x: x.log_normal_(0, 0.1)),
    "exponential_": (CLOSE, lambda L, x: x.exponential_()),
    "geometric_": (EXACT, lambda L, x: x.geometric_(0.2)),
    "cauchy_": (CLOSE, lambda L, x: x.cauchy_(0, 0.01)),
    "random_": (EXACT, lambda L, x: x.random_()),
    "random_(9)": (EXACT, lambda L, x: x.random_(9)),
    "bernoulli_": (EXACT, lambda L, x: x.bernoulli_(0.4)),
    "bernoulli_ tensor": (EXACT, lambda L, x: x.bernoulli_(L.linspace(0, 1, x.numel()).reshape(x.shape))),
    "bernoulli_ like": (EXACT, lambda L, x: (x + 0.4).bernoulli_(x + 0.5)),
    "bernoulli": (EXACT, lambda L, x: L.bernoulli(x + 0.4)),
    "bernoulli p": (EXACT, lambda L, x: L.bernoulli(x, 0.4)),
    "bernoulli out": (EXACT, lambda L, x: L.bernoulli(L.linspace(0, 1, x.numel()).reshape(x.shape), out=x)),
    "rand out": (EXACT, lambda L, x: L.rand(x.shape, out=x)),
    "randn out": (NORMAL, lambda L, x: L.randn(x.shape, out=x)),
    "randint out": (EXACT, lambda L, x: L.randint(9, x.shape, out=x)),
    "normal out": (NORMAL, lambda L, x: L.normal(1.0, 2.0, x.shape, out=x)),
    "normal tensors out": (NORMAL, lambda L, x: L.normal(L.zeros(x.shape), L.ones(x.shape), out=x)),
    "rand_like": (EXACT, lambda L, x: L.rand_like(x)),
    "rand_like contiguous": (EXACT, lambda L, x: L.rand_like(x, memory_format=L.contiguous_format)),
    "randn_like": (NORMAL, lambda L, x: L.randn_like(x)),
    "randn_like contiguous": (NORMAL, lambda L, x: L.randn_like(x, memory_format=L.contiguous_format)),
    "randint_like": (EXACT, lambda L, x: L.randint_like(x, 9)),
    "normal": (NORMAL, lambda L, x: (L.normal(x, 1.0), L.normal(0.0, x + 1), L.normal(x, x + 1))),
    "poisson": (EXACT, lambda L, x: L.poisson(x + L.arange(x.numel()).reshape(x.shape))),
    "binomial": (EXACT, lambda L, x: L.binomial(x + 30, x + 0.3)),
}


@pytest.mark.parametrize("name", FILLED)
def test_targets_of_any_layout_are_filled_in_the_order_of_memory(both, name):
    tolerance, program = FILLED[name]
    check_layouts(both, tolerance, program, name)


def test_weights_and_repeated_elements_in_other_layouts(both):
    for program in (
        lambda L: L.multinomial((L.arange(35.0) + 1).reshape(7, 5).t(), 3),
        lambda L: L.multinomial((L.arange(35.0) + 1).reshape(7, 5).t(), 5, replacement=True),
        lambda L: L.multinomial((L.arange(5.0) + 1).expand(4, 5), 3),
        lambda L: L.rand_like(L.zeros(1, 5).expand(4, 5)),
        lambda L: L.randn_like(L.zeros(1, 5).expand(4, 5)),
        lambda L: L.bernoulli(L.full((1, 5), 0.4).expand(4, 5)),
        lambda L: L.poisson(L.full((1, 5), 4.0).expand(4, 5)),
    ):
        both(seeded(program))


# Programs that raise, or that mean something unexpected; both libraries must agree.
CALLS = """
L.ones(20).normal_(0, 1e39) | L.ones(20).normal_(1e39, 1)
L.ones(3).normal_(0, 1e39) | L.ones(20).half().normal_(0, 1e6)
L.ones(20).normal_(L.nan) | L.ones(20).normal_(0, L.inf)
L.ones(20).log_normal_(0, 1e3) | L.ones(20).double().normal_(0, L.inf)
L.rand(2, pin_memory=True) | L.rand(2, layout=5) | L.randn(2, layout=L.strided) | L.rand_like(L.ones(2), device='foo')
L.rand(2, requires_grad=3) | L.randint(3, (2,), pin_memory=True) | L.randperm(3, layout='a') | L.rand(2, foo=1)
L.normal(1.0, 2.0, (2,), pin_memory=True) | L.randint_like(L.ones(2), 3, layout=1) | L.rand(2, device=5.0)
L.rand() | L.rand(-1) | L.rand(2.5) | L.rand('a') | L.rand((2,), (3,)) | L.rand(True) | L.rand(2, 3, size=(2,))
L.rand(()) | L.rand(2, dtype=L.int64) | L.rand(2, dtype=L.bool) | L.randn(2, dtype=L.int64)
L.randn(2, dtype=L.bool) | L.rand_like([1.0]) | L.rand(2, generator=5) | L.rand(2, generator=L.Generator)
L.rand(2, dtype='float32') | L.rand(2, device='cuda') | L.rand(2, device='cpu')
L.rand(2, out=L.ones(2, dtype=L.int64)) | L.rand(2, dtype=L.float32, out=L.ones(2).double())
L.rand(2, out=L.ones(2, requires_grad=True)) | L.rand(2, out=[1]) | L.rand_like(L.ones(2, dtype=L.int64))
L.randn_like(L.ones(2, dtype=L.bool)) | L.randn_like(L.ones(2), generator=1) | L.rand(2, dtype=float).dtype
L.randint(3) | L.randint(3, 5) | L.randint(3, 5, 2) | L.randint(3.0, (2,)) | L.randint(0, (2,))
L.randint(5, 3, (2,)) | L.randint(low=0, size=(2,)) | L.randint(300, (2,), dtype=L.uint8)
L.randint(3, (2,), dtype=L.bool) | L.randint(2**40, (2,), dtype=L.int32) | L.randint(0, 2**63, (2,))
L.randint(3, (2,), requires_grad=True) | L.randint(0, 3, (-2,)) | L.randint(L.tensor(3), (2,))
L.randint(L.tensor(3.0), (2,)) | L.randint(L.tensor([3]), (2,)) | L.randint(True, (2,)) | L.randint(3, size=2)
L.randint(3, (2,), size=(2,)) | L.randint(3, (2.0,)) | L.randint(3, ()) | L.randint(3, [2])
L.randint(3, high=(2,)) | L.randint(3, (2,), dtype=L.int32, out=L.ones(2)) | L.randint(3, (2,), generator='a')
L.randint(-2**63, 2**63 - 1, (2,)) | L.randint_like(L.ones(2), 3, 1) | L.randint_like(L.ones(2), 3.5)
L.randint_like(L.ones(2), L.tensor([3])) | L.randint_like(L.ones(2), L.tensor(3.5)) | L.randint_like([1], 3)
L.randint_like(L.ones(2)) | L.randint_like(L.ones(2).bool(), 3) | L.randint_like(L.ones(2).to(L.uint8), 300)
L.randint_like(L.ones(2), 3, requires_grad=True) | L.randperm(-1) | L.randperm(2.5) | L.randperm('a')
L.randperm(0) | L.randperm(300, dtype=L.uint8) | L.randperm(256, dtype=L.uint8).max() | L.randperm(3, dtype=L.bool)
L.randperm(3000, dtype=L.float16) | L.randperm(3, out=L.ones(3)) | L.randperm(3, dtype=L.int64, out=L.ones(3))
L.randperm(L.tensor(3)) | L.randperm(3, requires_grad=True) | L.randperm() | L.normal(1.0, 2.0) | L.normal(1.0)
L.normal(1, 2, 2) | L.normal(1.0, -2.0, (2,)) | L.normal(1.0, 2.0, (2,), dtype=L.int64) | L.normal('a', 1.0, (2,))
L.normal(L.tensor([1]), 1.0) | L.normal(L.ones(2), -1.0) | L.normal(L.ones(2), L.tensor([1.0, -1.0]))
L.normal(L.ones(2), L.tensor([1.0, L.nan])) | L.normal(L.ones(2), L.nan) | L.normal(L.ones(3), L.ones(2))
L.normal(1.0, L.tensor([1])) | L.normal(L.ones(2), 1.0, (2,)) | L.normal(L.ones(2), L.ones(2), (2,))
L.normal(L.ones(2), 1.0, dtype=L.float64) | L.normal(L.ones(2), 1.0, out=L.ones(3))
L.normal(L.ones(2), 1.0, out=L.ones(2).long()) | L.normal(L.ones(2), 1.0, generator=3)
L.normal(L.ones(2, requires_grad=True), 1.0, out=L.ones(2))
L.normal(L.ones(2), L.ones(2, requires_grad=True), out=L.ones(2)) | L.normal([1.0], 1.0)
L.normal(1.0, 2.0, (2,), dtype=L.float32, out=L.ones(2).double()) | L.normal(L.ones(2).half(), L.ones(2)).dtype
L.normal(L.ones(2), L.ones(2).double()).dtype | L.bernoulli(L.tensor([0.5, 2.0])) | L.bernoulli(L.tensor([L.nan]))
L.bernoulli(L.tensor([1, 0])) | L.bernoulli(L.tensor([True])) | L.bernoulli(L.ones(2), 1.5)
L.bernoulli(L.ones(2), L.ones(2)) | L.bernoulli(0.5) | L.bernoulli(L.ones(2), generator=1)
L.bernoulli(L.ones(2), out=L.ones(2).long()) | L.bernoulli(L.ones(2), out=L.ones(3))
L.bernoulli(L.ones(2, requires_grad=True), out=L.ones(2)) | L.ones(2).bernoulli_(2) | L.ones(2).bernoulli_(L.nan)
L.ones(2).bernoulli_(L.tensor([1, 0])) | L.ones(2).bernoulli_(L.ones(3))
L.ones(2).bernoulli_(L.tensor([0.5, 1.5])) | L.ones(2).bernoulli_('a') | L.ones(2).bernoulli_(p=0.5, q=1)
L.ones(2, requires_grad=True).bernoulli_() | L.ones(1).expand(3).bernoulli_() | L.multinomial(L.ones(3), 0)
L.multinomial(L.ones(3), 4) | L.multinomial(L.ones(3), -1) | L.multinomial(L.ones(3), 2.5)
L.multinomial(L.ones(3).long(), 2) | L.multinomial(L.ones(3, 3, 3), 2) | L.multinomial(L.tensor(1.0), 1)
L.multinomial(L.zeros(3), 2) | L.multinomial(L.zeros(3), 2, True) | L.multinomial(L.tensor([1.0, -1.0]), 1)
L.multinomial(L.tensor([1.0, -1.0]), 3, True) | L.multinomial(L.tensor([1.0, L.nan]), 1)
L.multinomial(L.tensor([1.0, L.inf]), 1) | L.multinomial(L.tensor([1.0, L.inf]), 2, True)
L.multinomial(L.tensor([1.0, 0.0, 0.0]), 2) | L.multinomial(L.ones(0, 3), 2) | L.multinomial(L.ones(2, 0), 1)
L.multinomial(L.ones(2, 0), 1, True) | L.multinomial(L.ones(3), 2, out=L.ones(2))
L.multinomial(L.ones(3), 2, out=L.ones(5).long()) | L.multinomial(L.ones(3), 2, generator=5)
L.multinomial([1.0, 2.0], 2) | L.multinomial(L.ones(3), 2, None) | L.multinomial(L.ones(3), 2, replacement=1)
L.multinomial(L.ones(3, requires_grad=True), 2) | L.ones(2).uniform_(2, 1) | L.ones(2).uniform_(0, L.inf)
L.ones(2).uniform_(0, L.nan) | L.ones(2).uniform_(-3e38, 3e38) | L.ones(2).half().uniform_(0, 1e6)
L.ones(2).long().uniform_() | L.ones(2).uniform_('a') | L.ones(2).uniform_(L.tensor(1.0), 2)
L.ones(2).uniform_(0, 1, 2) | L.ones(2).uniform_(low=1) | L.ones(2).uniform_(0, **{'from': 1})
L.ones(2, requires_grad=True).uniform_() | L.ones(1).expand(3).uniform_() | L.ones(2).uniform_(1)
L.ones(2).uniform_(to=2) | L.ones(2).normal_(0, -1) | L.ones(2).normal_(0, L.nan) | L.ones(2).long().normal_()
L.ones(2).normal_(L.tensor(1.0), 2) | L.ones(2).normal_(L.ones(2)) | L.ones(0).normal_(0, -1)
L.ones(2).normal_(None) | L.ones(2).log_normal_(0, 0) | L.ones(2).log_normal_(0, -1)
L.ones(2).log_normal_(0, L.nan) | L.ones(2).long().log_normal_() | L.ones(2).bool().log_normal_()
L.ones(2).exponential_(0) | L.ones(2).exponential_(-1) | L.ones(2).exponential_(L.nan)
L.ones(2).exponential_(L.inf) | L.ones(2).long().exponential_() | L.ones(2).bool().exponential_()
L.ones(2).exponential_(L.tensor(2)) | L.ones(2).exponential_(L.tensor([2.0])) | L.ones(2).geometric_(0)
L.ones(2).geometric_(1) | L.ones(2).geometric_() | L.ones(2).geometric_(L.nan) | L.ones(2).bool().geometric_(0.5)
L.ones(2).geometric_(0.5, 0.5) | L.ones(2).cauchy_(0, 0) | L.ones(2).cauchy_(0, -1) | L.ones(2).cauchy_(0, L.nan)
L.ones(2).cauchy_(L.nan) | L.ones(2).long().cauchy_() | L.ones(2).random_(3, 2) | L.ones(2).random_(0)
L.ones(2).random_(-5) | L.ones(2).random_(3, 3) | L.ones(2).random_(2.5) | L.ones(2).random_(True)
L.ones(2).random_(None) | L.ones(2).random_(None, 5) | L.ones(2).random_(to=None) | L.ones(2).random_(**{'from': 2})
L.ones(2).random_(5, 7, 9) | L.ones(2).random_(2**63) | L.ones(2).to(L.uint8).random_(300)
L.ones(2).to(L.uint8).random_(-1, 25) | L.ones(2).bool().random_(3) | L.ones(2).half().random_(0, 70000)
L.ones(2).random_(L.tensor(3)) | L.ones(2).bool().random_(0, None) | L.poisson(L.tensor([1.0, -1.0]))
L.poisson(L.tensor([L.nan])) | L.poisson(L.tensor([1, 2])) | L.poisson(2.0) | L.poisson(L.ones(2), generator=1)
L.poisson(L.ones(0)) | L.poisson(L.tensor([L.inf, 1e20]).double()) | L.binomial(L.ones(2).long(), L.ones(2))
L.binomial(L.ones(2), L.ones(2).long()) | L.binomial(L.ones(2).double(), L.ones(2))
L.binomial(L.ones(2), L.ones(2).double()) | L.binomial(L.ones(2).half(), L.ones(2).half())
L.binomial(L.ones(2), 0.5) | L.binomial(L.ones(2), L.ones(3)) | L.binomial(count=L.ones(2), prob=L.ones(2))
L.binomial(L.tensor([2.0, -1, 5, 5, 5]), L.tensor([2.0, 0.5, -1, 1.5, L.nan])) | L.binomial(L.ones(2), L.ones(2), 3)
L.manual_seed('a') | L.manual_seed(None) | L.manual_seed(2**64) | L.manual_seed(-(2**63) - 1)
L.manual_seed(-1).initial_seed() | L.manual_seed(1.5).initial_seed() | L.manual_seed('3').initial_seed()
L.manual_seed(True).initial_seed() | L.Generator().manual_seed(1.5) | L.Generator().manual_seed('3')
L.Generator().manual_seed(True) | L.Generator().manual_seed(-1).initial_seed() | L.Generator().initial_seed()
L.Generator().manual_seed(2**64) | L.Generator('cuda') | L.Generator('foo') | L.Generator(5)
L.Generator('cpu').device | L.Generator(device=L.device('cpu')).device | L.Generator(None).device
L.Generator(device='cpu:1').device | L.Generator().get_offset() | L.Generator().set_offset(4)
L.Generator().graphsafe_get_state() | L.Generator().graphsafe_set_state(L.Generator())
L.Generator().clone_state().initial_seed() | L.Generator().set_state(L.zeros(5056))
L.Generator().set_state(L.zeros(5).to(L.uint8)) | L.Generator().set_state(L.zeros(5056).to(L.uint8))
L.Generator().set_state([1]) | L.set_rng_state(L.zeros(5056)) | L.set_rng_state([1])
L.Generator().set_state(L.Generator().manual_seed(8).get_state()).initial_seed()
L.set_rng_state(L.get_rng_state()) | L.get_rng_state().shape
sorted(set(L.random.__all__) - {'thread_safe_generator', 'default_generator'})
L.random.fork_rng(devices=[0]).__enter__() | L.random.initial_seed()
L.random.default_generator is L.default_generator
"""


def test_arguments_mean_and_raise_what_they_do_in_pytorch(both):
    for text, run in calls(CALLS):
        both(run, rtol=1e-6, atol=1e-6, label=text)


WARNINGS = (
    "L.ones(2).random_(2**25)",
    "L.ones(2).half().random_(0, 5000)",
    "L.ones(2).random_(-2**40, 0)",
    "L.ones(2).random_(2**24)",
    "L.ones(2).random_(-2**24, None)",
    "L.randint(2**25, (2,), dtype=L.float32)",
    "L.randint_like(L.ones(2), 2**25)",
    "L.randint(2**54, (2,), dtype=L.float64)",
    "L.randint(2**25, (2,), dtype=L.int32)",
    "L.ones(2).random_()",
)


def test_ranges_that_a_float_dtype_does_not_hold_are_warned_of(torch):
    for text in WARNINGS:
        counts = []
        for L in (autograd, torch):
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                eval(text, {"L": L})
            counts.append([w.category for w in caught])
        assert counts[0] == counts[1], text


def test_a_refused_call_draws_nothing():
    check_refusals(CALLS)


# Parameters of draws: their gradients are zero, of the right shape.
PARAMETERS = {
    "bernoulli": lambda L, x, y: L.bernoulli(x) + 0 * y.sum(),
    "poisson": lambda L, x, y: L.poisson(y) + 0 * x.sum(),
    "normal mean": lambda L, x, y: L.normal(x, 2.0) + 0 * y.sum(),
    "normal std": lambda L, x, y: L.normal(2.0, y) + 0 * x.sum(),
    "normal": lambda L, x, y: L.normal(x, y),
}


def test_gradients_of_the_parameters_of_a_draw_are_zero(both):
    for name, program in PARAMETERS.items():

        def run(L, program=program):
            x = L.full((3, 1), 0.4, requires_grad=True)
            y = L.ones(4, dtype=L.float64).float().requires_grad_(True)
            out = program(L, x, y)
            (out * out).sum().backward()
            return out, x.grad, y.grad

        both(seeded(run), label=name)


def test_a_filled_tensor_forgets_its_history(both):
    for name in ("uniform_", "normal_", "random_", "exponential_", "log_normal_", "cauchy_", "bernoulli_"):

        def run(L, name=name):
            x = L.ones(3, requires_grad=True)
            y = x * 2
            version = y._version
            getattr(y, name)()
            (y * y).sum().backward()
            return y, x.grad, y._version - version

        both(seeded(run), label=name)


# --- Generators and states -----------------------------------------------------------------------------------------


def test_states_travel_to_pytorch_and_back(torch):
    for n in (0, 3, 17, 700):
        ours, theirs = autograd.Generator().manual_seed(1), torch.Generator().manual_seed(2)
        autograd.randn(n, generator=ours)
        theirs.set_state(torch.from_numpy(ours.get_state().numpy()))
        assert autograd.rand(n, generator=ours).tolist() == torch.rand(n, generator=theirs).tolist()
        autograd.randn(5, generator=ours), torch.randn(5, generator=theirs)
        assert ours.get_state().tolist() == theirs.get_state().tolist()
        ours.manual_seed(9)
        ours.set_state(autograd.from_numpy(theirs.get_state().numpy()))
        assert autograd.randn(3, generator=ours).tolist() == torch.randn(3, generator=theirs).tolist()
        assert ours.initial_seed() == theirs.initial_seed()


def test_a_state_brings_the_same_numbers_again(both):
    def run(L):
        before = L.get_rng_state()
        first = L.randn(5), L.rand(3)
        L.set_rng_state(before)
        return first, L.randn(5), L.rand(3)

    first, *again = both(seeded(run), rtol=1e-6)[1][0][1]
    assert all(np.array_equal(a[3], b[3]) for a, b in zip(first[1], again, strict=True))


def test_a_generator_is_copied_cloned_and_pickled_with_its_state(both):
    for twin in (copy.copy, copy.deepcopy, lambda g: pickle.loads(pickle.dumps(g)), lambda g: g.clone_state()):

        def run(L, twin=twin):
            generator = L.Generator().manual_seed(4)
            L.randn(3, generator=generator)
            other = twin(generator)
            drawn = L.randn(4, generator=generator)
            return drawn, L.randn(4, generator=other), other is generator, other.initial_seed()

        both(run)


def test_fork_rng(both):
    def run(L):
        L.manual_seed(5)
        with L.random.fork_rng(devices=[]):
            inside = L.rand(3)
            L.manual_seed(6)
        with L.random.fork_rng(enabled=False):
            L.rand(2)
        try:
            with L.random.fork_rng():
                L.rand(7)
                raise KeyError
        except KeyError:
            pass
        return inside, L.rand(3), L.initial_seed()

    both(run)


def test_seeds_from_the_system_differ():
    generator = autograd.Generator()
    seeds = {generator.seed() for _ in range(4)}
    assert len(seeds) == 4
    assert generator.initial_seed() in seeds
    before = autograd.get_rng_state()
    assert autograd.seed() == autograd.initial_seed() == autograd.random.initial_seed()
    autograd.set_rng_state(before)


def test_numbers_that_overflow_are_infinite_without_a_warning():
    for text in (
        "ones(20).normal_(0, 1e39)",
        "ones(3).normal_(0, 1e39)",
        "ones(20).half().normal_(0, 1e6)",
        "ones(3).half().normal_(0, 1e6)",
        "ones(20).double().normal_(0, L.inf)",
        "ones(99).log_normal_(0, 1e3)",
        "ones(99).half().exponential_(1e-9)",
        "ones(99).half().cauchy_(0, 1e38)",
        "normal(L.full((9,), 6e4).half(), 6e4)",
    ):
        assert eval(f"L.{text}", {"L": autograd}).abs().max() == autograd.inf, text
