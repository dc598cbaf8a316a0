"""Arithmetic, logic on bits, special functions: every overload, keyword and refusal of PyTorch's."""

import itertools

import numpy as np
import pytest
from parity import agree, outcome

import autograd
from autograd.rows.public import NAMESPACES

# Calls on a float32 vector x, a float64 vector d, integers i and bools b: the result, or the type of the error.
CALLS = """
L.add(x, 2, x) | L.add(x, 2, 3) | L.add(x, x, 3) | L.sub(x, 2, 3) | L.subtract(x, 2, 3) | L.subtract(x, x, 3)
x.subtract(2, 3) | x.sub(2, 3) | x.add(2, x) | x.add_(2, x) | L.add(2, 3) | L.add(2., 3) | L.add(True, False)
L.mul(2, 3) | L.div(2, 3) | L.true_divide(2, 3) | L.floor_divide(5, 3) | L.floor_divide(5., 3) | L.sub(2, 3)
L.divide(2, 3) | L.subtract(5, x) | L.divide(5, x, rounding_mode='floor') | L.add(b, b, alpha=2)
L.add(b, b, alpha=True) | L.add(i, i, alpha=1.5) | L.add(i, i, alpha=True) | L.sub(b, b) | L.rsub(x, 2, alpha=3)
L.rsub(x, 2, 3) | L.rsub(i, 2) | L.rsub(b, 2) | L.rsub(b, b) | L.rsub(x, x, alpha=2) | L.addcmul(x, 2, x, x)
L.addcmul(b, b, b) | L.addcmul(i, i, i, value=1.5) | L.addcmul(i, i, i, value=2) | L.addcmul(b, b, b, value=True)
L.addcmul(i, x, i, value=1.5) | L.addcdiv(i, i, i) | L.addcdiv(x, i, i) | L.addcdiv(x, i, x) | L.addcdiv(b, b, b)
L.addcdiv(x, 2, x, x) | L.addcmul(x, x, 2) | L.addcmul(x, 2, x) | x.addcmul(2, x, x) | x.addcmul_(2, x, x)
L.lerp(x, x, d) | L.lerp(x, d, 0.5) | L.lerp(i, i, 0.5) | L.lerp(b, b, 0.5) | L.lerp(x, 2., 0.5) | L.lerp(2., x, 0.5)
L.lerp(x, x, True) | L.lerp(x, x, i) | L.lerp(i, i, i) | L.lerp(x, x, L.tensor(0.5))
L.lerp(x, x, L.tensor(0.5, dtype=L.float64)) | L.lerp(x, L.tensor(3.), L.tensor(0.5)) | i.lerp_(i, 0.5)
L.prelu(x, L.tensor([.1], dtype=L.float64)) | L.prelu(i, L.tensor([1])) | L.prelu(x, [.1])
L.tensor([1, 2], dtype=L.int8)**300 | L.tensor([1, 2], dtype=L.uint8)**300 | L.tensor([1, 2], dtype=L.uint8)**-1
L.tensor([1, 2], dtype=L.int8)*300 | L.tensor([1, 2], dtype=L.int8)+300 | L.tensor([1, 2], dtype=L.int8)<300
300**L.tensor([1, 2], dtype=L.int8) | L.isclose(x, d) | L.isclose(x, x, rtol=-1) | L.isclose(i, i) | L.isclose(b, b)
L.isclose(x, L.tensor([1., 2., 3.])) | L.isclose(x, [1.]) | L.allclose(x, d) | L.allclose(x, L.tensor([1., 2., 3.]))
L.round(b) | L.round(i) | L.round(i, decimals=1) | L.round(i, decimals=-1) | L.round(x, decimals=0)
L.special.round(i, decimals=2) | b.round_() | L.hypot(i, i) | L.logaddexp(i, i) | L.logaddexp2(i, i)
L.copysign(i, i) | L.copysign(b, -1) | L.nextafter(i, i) | L.nextafter(x, d) | L.nextafter(x.half(), x.half())
L.heaviside(x, d) | L.heaviside(i, i) | L.heaviside(b, b) | L.heaviside(x, x[0]) | L.gcd(i, b) | L.gcd(b, b)
L.lcm(b, b) | L.lcm(L.tensor([0, 0, 4]), L.tensor([0, 5, 6], dtype=L.int8)) | L.ldexp(i, i) | L.ldexp(b, i)
L.ldexp(x.half(), i) | L.float_power(i, 2) | L.float_power(2, i) | L.float_power(x, d) | x.float_power_(2)
d.float_power_(2) | i.float_power_(2) | L.frexp(i) | L.frexp(x) | L.frexp(x.half())
L.frexp(L.tensor([float('inf'), float('nan'), 0., -3.])) | L.angle(b) | L.angle(i)
L.angle(L.tensor([-0., 0., -1., float('nan'), -float('inf')])) | L.sgn(b) | L.sgn(L.tensor([float('nan'), -2.]))
L.positive(b) | L.positive(x) is x | L.isreal(i) | L.isposinf(i) | L.isneginf(b) | L.signbit(b) | L.deg2rad(i)
L.rad2deg(b) | L.logit(b) | L.logit(i) | L.logit(i, 0.1) | L.logit(x, 'a') | L.mvlgamma(x, 2) | L.mvlgamma(x+1, 2)
L.mvlgamma(x, 0) | L.mvlgamma(i, 1) | L.polygamma(1, i) | L.polygamma(-1, x) | L.polygamma(1.5, x)
x.polygamma(2) | x.polygamma(n=2)
x.polygamma_(2) | L.digamma(L.tensor([0., -0., -1., -1.5, float('inf'), -float('inf')])) | L.lgamma(i) | L.erfinv(b)
L.i0(i) | L.special.zeta(i, 2) | L.special.zeta(x, b) | L.igamma(i, i) | L.igamma(b, b) | L.special.airy_ai(b)
L.special.bessel_j0(x.half()) | L.special.i0(x.half()) | L.special.entr(x.half()) | L.special.erfcx(x.half())
L.special.chebyshev_polynomial_t(i, i) | L.special.chebyshev_polynomial_t(x, 2.7)
L.special.chebyshev_polynomial_t(0.3, i) | L.special.log_ndtr(x.half()) | L.special.modified_bessel_i0(x.half())
L.special.zeta(x.half(), x.half()) | L.bitwise_left_shift(i, -1) | L.bitwise_left_shift(i, 64)
L.bitwise_left_shift(i, 63) | L.bitwise_left_shift(b, b)
L.bitwise_left_shift(L.tensor([1, 100], dtype=L.int8), L.tensor([7, 3], dtype=L.int8))
L.bitwise_left_shift(L.tensor([1, 100], dtype=L.int8), 8)
L.bitwise_right_shift(L.tensor([-100, 100], dtype=L.int8), 9)
L.bitwise_right_shift(L.tensor([-100, 100], dtype=L.int8), -1)
L.bitwise_right_shift(L.tensor([200, 100], dtype=L.uint8), 8) | L.bitwise_right_shift(2, i) | i<<1 | 1<<i | i>>1
x<<1 | x>>1 | 2.0<<i | i<<1.5 | 2>>x | b<<1 | i<<b | L.bitwise_and(i, b) | L.bitwise_and(i, 1.5) | i & 1.5 | 1.5 & i
b & 1 | L.bitwise_not(x) | ~x | L.clamp(b, 0, 1) | L.clamp(b, b, b) | L.clamp(b, L.tensor(0), L.tensor(1))
L.clamp(i, 0.5) | L.clamp(i, 0.5, L.tensor(3)) | L.clamp(x, 'a') | L.clamp(L.tensor([1, 2], dtype=L.uint8), -1, 300)
L.clamp(x, max=None) | L.clamp_min(b, 1) | L.clamp(x, min=L.tensor([1., 2., 3.])) | L.clamp(x, float('nan'))
L.clamp(x, True) | i[:0] % 0 | i[:0] // 0 | L.fmod(i[:0], 0) | L.div(i[:0], 0, rounding_mode='trunc')
L.clamp(i, d) | L.clamp_min(x, None) | L.div(i, 0, rounding_mode='floor')
L.div(i, 0, rounding_mode='trunc') | L.div(L.tensor([True]), L.tensor([True]), rounding_mode='floor')
L.div(x, 2, rounding_mode='ceil') | L.div(x, 2, 'floor') | L.nan_to_num(b)
L.nan_to_num(i, out=L.empty(2, dtype=L.int64)) | L.threshold(b, 1, 1) | L.threshold(i, 1, 1.5) | L.hardshrink(i)
L.celu(i) | L.celu(x, 0) | L.selu(i) | L.relu(b) | L.special.softmax(i, 0) | L.special.softmax(i, 0, dtype=L.float64)
L.special.log_softmax(x, 0) | L.special.logsumexp(i, 0) | L.special.logsumexp(x, (0, )) | L.special.exp2(i)
L.special.multigammaln(x+1, 2) | x.map_(x, lambda a, b:a+b) | x.map2_(x, x, lambda a, b, c:a+b+c)
x.apply_(lambda a:a*2) | i.apply_(lambda a:a*2.5) | x.reinforce(1) | x.__div__(2) | x.__rdiv__(2) | L.square(b)
L.sqrt(b) | L.frac(i) | L.floor(b) | L.ceil(i) | L.trunc(b) | L.abs(b)
L.logical_not(i, out=L.empty(2, dtype=L.float32)) | L.logical_not(i, out=L.empty(2, dtype=L.int8))
L.eq(x, x, out=L.empty(2, dtype=L.float32)) | L.exp(i, out=L.empty(2, dtype=L.int64)) | L.fmod(i, 0)
L.remainder(i, 0) | L.remainder(5, i) | L.pow(2, 3) | L.pow(x, 'a') | L.pow(b, 2) | L.pow(2, b) | L.pow(b, b)
L.pow(i, -1) | L.pow(x, exponent=2) | L.pow(self=2, exponent=x) | L.eq(x, None) | L.eq(x, 'a') | L.atan2(x, 2)
L.maximum(x, 2) | L.true_divide(i, i, out=L.empty(2, dtype=L.int64))
"""


def evaluate(call, library):
    tensor = library.tensor
    x, i, b = tensor([1.0, 2.0]), tensor([1, 2]), tensor([True, False])
    return eval(call, {"L": library, "x": x, "i": i, "b": b, "d": x.double()})


@pytest.mark.parametrize("line", CALLS.strip().splitlines(), ids=range(CALLS.strip().count("\n") + 1))
def test_calls(line, torch):
    for call in line.split(" | "):
        (mine, my_error), (other, error) = (outcome(evaluate, call, library) for library in (autograd, torch))
        assert my_error is error, f"{call}: ours {my_error or mine}, PyTorch's {error or other}"
        if error is None:
            tight = ("digamma", "polygamma", "zeta")
            agree(mine, other, *((1e-5, 1e-6) if any(name in call for name in tight) else ()), what=call)


def test_refusals_change_nothing(torch):
    for call in CALLS.replace("\n", " | ").split(" | "):
        name = call.partition("(")[0]
        if not name.endswith("_") or not name.startswith(("x.", "i.", "b.")):
            continue
        if outcome(evaluate, call, torch)[1] is not None:
            target = {
                "x": autograd.tensor([1.0, 2.0]),
                "i": autograd.tensor([1, 2]),
                "b": autograd.tensor([True, False]),
            }
            before = {key: value.tolist() for key, value in target.items()}
            with pytest.raises((RuntimeError, TypeError)):
                eval(call, {"L": autograd, "d": target["x"].double(), **target})
            assert {key: value.tolist() for key, value in target.items()} == before, call


# Functions of two operands, either of which may be a Python number in some of them.
BINARY = """
add sub mul div true_divide floor_divide pow fmod remainder maximum minimum fmax fmin hypot atan2 logaddexp logaddexp2
xlogy copysign nextafter heaviside gcd lcm ldexp float_power eq ne lt le gt ge logical_and logical_or logical_xor
bitwise_and bitwise_or bitwise_xor bitwise_left_shift bitwise_right_shift rsub igamma igammac lerp
special.xlog1py special.zeta special.gammainc special.chebyshev_polynomial_t special.hermite_polynomial_h
"""


def find(library, name):
    for part in name.split("."):
        library = getattr(library, part)
    return library


@pytest.mark.parametrize("name", BINARY.split())
def test_numbers_as_operands(name, torch):
    """Which operands may be numbers, as function, method and in place; and what comes out."""
    for kind, number in (("float32", 2.0), ("float32", 2), ("int64", 2), ("int64", 2.5), ("int64", True), ("bool", 2)):
        forms = {
            "number second": lambda L, t, n: find(L, name)(t, n),
            "number first": lambda L, t, n: find(L, name)(n, t),
            "numbers": lambda L, t, n: find(L, name)(n, n),
            "method": lambda L, t, n: getattr(t, name)(n),
            "in place": lambda L, t, n: getattr(t, f"{name}_")(n),
        }
        for form, call in forms.items():
            (mine, my_error), (other, error) = (
                outcome(call, library, library.tensor([1, 3]).to(getattr(library, kind)), number)
                for library in (autograd, torch)
            )
            what = f"{name} {form} of {kind}, {number!r}"
            assert my_error is error, f"{what}: ours {my_error or mine}, PyTorch's {error or other}"
            if error is None:
                agree(mine, other, 1e-5, 1e-6, what)


@pytest.mark.parametrize("name", ["floor_divide", "heaviside"])
def test_recorded_without_a_derivative(name, torch):
    """The result requires grad, and going back, or forward, raises."""
    for lib, transforms in ((autograd, autograd), (torch, torch.autograd)):
        x = lib.tensor([1.5, -2.5], requires_grad=True)
        y, other = lib.ones(2), x * 1
        getattr(y, f"{name}_")(x)
        getattr(other, f"{name}_")(lib.ones(2))
        for result in (getattr(lib, name)(x, x), getattr(lib, name)(lib.ones(2), x), y, other):
            assert result.requires_grad
            assert "grad_fn=<NotImplemented>" in repr(result)
            for create_graph in (False, True):
                with pytest.raises(RuntimeError, match=f"derivative for aten::{name}_? is not implemented"):
                    transforms.grad(result.sum(), x, create_graph=create_graph)
        with transforms.forward_ad.dual_level():
            dual = transforms.forward_ad.make_dual(lib.ones(2), lib.ones(2))
            with pytest.raises(NotImplementedError, match=name):
                getattr(lib, name)(dual, lib.ones(2))
    x = autograd.tensor([2.0, 3.0], requires_grad=True)
    (slope,) = autograd.grad(autograd.remainder(7.0, x).sum(), x, create_graph=True)
    assert autograd.grad(slope.sum(), x)[0].tolist() == [0.0, 0.0]  # its rule divides, too, and has a derivative


def test_reflected_operators(torch):
    operators = (
        "add radd sub rsub mul rmul truediv rtruediv floordiv rfloordiv mod rmod pow rpow and rand or ror xor rxor"
    )
    for name, kind, number in itertools.product(
        f"{operators} lshift rlshift rshift rrshift".split(), ("float32", "int32", "bool"), (2, 0.5, True)
    ):
        (mine, my_error), (other, error) = (
            outcome(getattr(library.tensor([1, 3]).to(getattr(library, kind)), f"__{name}__"), number)
            for library in (autograd, torch)
        )
        what = f"__{name}__ of {kind}, {number!r}"
        assert my_error is error, f"{what}: ours {my_error or mine}, PyTorch's {error or other}"
        if error is None:
            agree(mine, other, what=what)


def test_shifts_and_divisors_of_all_integers(ours, theirs):
    generator = np.random.default_rng(0)
    for kind in ("int8", "int16", "int32", "int64", "uint8"):
        limits = np.iinfo(kind)
        a = generator.integers(limits.min, limits.max, 200, kind, endpoint=True)
        shifts = generator.integers(max(limits.min, -3), 70, 200).astype(kind)
        for name in ("bitwise_left_shift", "bitwise_right_shift"):
            agree(
                getattr(ours, name)(ours.of(a), ours.of(shifts)), getattr(theirs, name)(theirs.of(a), theirs.of(shifts))
            )
        b = generator.integers(max(limits.min, -11), 11, 200).astype(kind)
        for name in ("gcd", "lcm"):
            small = (a // 8).astype(kind)
            agree(
                getattr(ours, name)(ours.of(small), ours.of(b)), getattr(theirs, name)(theirs.of(small), theirs.of(b))
            )
        b[b == 0] = 1
        for mode in ("floor", "trunc"):
            mine, other = (L.div(L.of(a), L.of(b), rounding_mode=mode) for L in (ours, theirs))
            agree(mine, other, what=f"{kind} {mode}")


def test_negative_powers_of_integers(ours, theirs):
    base, exponent = (
        np.array(column) for column in zip(*itertools.product((0, 1, -1, 2, -2, 3), (-3, -2, -1, 0, 2)), strict=True)
    )
    for kind in ("int8", "int32", "int64"):
        agree(ours.of(base.astype(kind)) ** ours.of(exponent), theirs.of(base.astype(kind)) ** theirs.of(exponent))
    agree(2 ** ours.of(exponent), 2 ** theirs.of(exponent))


def test_halves_on_their_own_grid(ours, theirs):
    generator = np.random.default_rng(1)
    x, y = (generator.normal(0, 30, 500).astype(np.float16) for _ in range(2))
    for call in (lambda L, x, y: L.nextafter(x, y), lambda L, x, y: L.div(x, y, rounding_mode="trunc")):
        agree(call(ours, ours.of(x), ours.of(y)), call(theirs, theirs.of(x), theirs.of(y)), 0, 0)


def test_python_functions_over_elements(torch):
    def table(library):
        x = library.tensor([[1.0, 2.0], [3.0, 4.0]]).t()
        yield x.apply_(lambda a: a * 2)
        yield x.map_(x.clone() + 1, lambda a, b: a - b * b)
        yield x.map2_(x.clone(), x.clone()[:1], lambda a, b, c: a + b + c)
        yield library.empty(0).apply_(lambda a: a + 1)

    agree(list(table(autograd)), list(table(torch)))
    for call in (
        lambda L: L.ones(2, requires_grad=True).apply_(abs),
        lambda L: L.ones(2).map_(2, max),
        lambda L: L.ones(2).reinforce(1),
    ):
        assert outcome(call, autograd)[1] is outcome(call, torch)[1]


def test_every_special_function_exists(torch):
    missing = set(torch.special.__all__) - set(autograd.special.__all__)
    assert not missing
    assert set(autograd.special.__all__) <= set(NAMESPACES["special"]) | set(dir(autograd.special))


def test_derivatives_that_nobody_has(torch):
    """The backward pass says so, where PyTorch's does; the other input's gradient is there."""
    for name in ("igamma", "igammac", "special.zeta"):
        for library in (autograd, torch):
            x, y = (library.tensor([2.0], dtype=library.float64, requires_grad=True) for _ in range(2))
            out = find(library, name)(x, y)
            with pytest.raises(NotImplementedError):
                out.sum().backward()
            find(library, name)(x.detach(), y).sum().backward()
            assert y.grad is not None


@pytest.mark.parametrize("name", ["abs", "absolute"])
def test_dtypes_of_the_out_of_abs(torch, name):
    accepted = []
    for library in (autograd, torch):
        found = []
        for dtype, other in itertools.product(
            ["float16", "bfloat16", "float32", "float64", "complex64", "complex128", "uint8", "int64"], repeat=2
        ):
            x, out = library.ones(3, dtype=getattr(library, dtype)), library.zeros(3, dtype=getattr(library, other))
            try:
                getattr(library, name)(x, out=out)
            except RuntimeError:
                assert not out.any()
            else:
                assert out.all()
                found.append((dtype, other))
        accepted.append(found)
    assert accepted[0] == accepted[1]
    assert ("complex64", "float64") in accepted[0]
