"""Rounding to few bits, and its gradient, against PyTorch."""

import pytest

DTYPES = ["float16", "bfloat16", "float32", "float64"]
BOUNDS = [(0, 255), (-128, 127), (0, 7)]


def numbers(L, dtype):
    special = L.tensor([[0.05, -1.0, 0.25, 1e20], [0.15, 30.0, float("nan"), float("inf")]])
    L.manual_seed(0)
    return L.cat([special, L.randn(6, 4) * 5, L.arange(8.0).reshape(2, 4) / 4]).to(getattr(L, dtype))


def with_gradient(L, quantize, x):
    x.requires_grad_()
    y = quantize(x)
    (g,) = L.autograd.grad(y, x, L.ones_like(y) * 2)
    return y.detach(), g


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("low", "high"), BOUNDS)
def test_of_one_scale(both, dtype, low, high):
    def program(L):
        f = L.fake_quantize_per_tensor_affine
        found = []
        for scale, zero in ((0.1, 0), (0.5, 1), (L.tensor(0.3), L.tensor(0)), (L.tensor([0.25]), L.tensor([1]))):
            found += with_gradient(L, lambda x, s=scale, z=zero: f(x, s, z, low, high), numbers(L, dtype))
        return found, f(L.empty(0), 0.1, 0, low, high)

    both(program)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("zeros", ["int32", "float32", "float16"])
def test_of_a_scale_for_each_channel(both, dtype, axis, zeros):
    def program(L):
        x = numbers(L, dtype).clamp(-1e4, 1e4)  # beyond int64 PyTorch's channels take the lowest number
        n = x.shape[axis]
        scale, zero = (L.arange(n) + 1) * 0.125, (L.arange(n) % 3).to(getattr(L, zeros))
        f = L.fake_quantize_per_channel_affine
        return with_gradient(L, lambda x: f(x, scale, zero, axis, -10, 100), x)

    both(program)


def channels(L, x=None, scale=None, zero=None, axis=0, low=0, high=9):
    x = L.ones(2, 3) if x is None else x
    scale = L.ones(2) if scale is None else scale
    zero = L.zeros(2, dtype=L.int32) if zero is None else zero
    return L.fake_quantize_per_channel_affine(x, scale, zero, axis, low, high)


REFUSED = {
    "integers": lambda L: L.fake_quantize_per_tensor_affine(L.ones(2, dtype=L.int32), 0.1, 0, 0, 9),
    "zero outside": lambda L: L.fake_quantize_per_tensor_affine(L.ones(2), 0.1, 10, 0, 9),
    "no integers to choose from": lambda L: L.fake_quantize_per_tensor_affine(L.ones(2), 0.1, 1, 2, 1),
    "broken zero": lambda L: L.fake_quantize_per_tensor_affine(L.ones(2), 0.1, 0.5, 0, 9),
    "two scales": lambda L: L.fake_quantize_per_tensor_affine(L.ones(2), L.ones(2), L.zeros(2), 0, 9),
    "channels of integers": lambda L: channels(L, L.ones(2, 3, dtype=L.int64)),
    "wide scale": lambda L: channels(L, scale=L.ones(2, dtype=L.float64)),
    "wide zero": lambda L: channels(L, zero=L.zeros(2, dtype=L.int64)),
    "other sizes": lambda L: channels(L, scale=L.ones(3)),
    "other axis": lambda L: channels(L, axis=1),
    "negative axis": lambda L: channels(L, axis=-2),
    "no such axis": lambda L: channels(L, axis=2),
    "zeros outside": lambda L: channels(L, zero=L.tensor([0, 10], dtype=L.int32)),
    "nothing to choose from": lambda L: channels(L, low=3, high=2),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(both, name):
    assert both(REFUSED[name])[0] == "raised"
