"""Gradients of convolutions without the convolution, compared with PyTorch's and with those of the convolution."""

from __future__ import annotations

import numpy as np
import pytest

import autograd
import nn.functional as F
import nn.grad

CASES = [
    ((2, 4, 7), (6, 4, 3), {}),
    ((2, 4, 8), (6, 2, 3), {"stride": 2, "padding": 1, "groups": 2}),
    ((1, 4, 9, 8), (4, 1, 3, 2), {"stride": (2, 3), "padding": (1, 0), "dilation": (1, 2), "groups": 4}),
    ((3, 2, 5, 5), (1, 2, 1, 3), {"padding": 2}),
    ((2, 2, 5, 6, 4), (4, 2, 2, 3, 2), {"stride": 2, "dilation": (2, 1, 1), "padding": 1}),
]


@pytest.mark.parametrize(("size", "weight_size", "options"), CASES)
def test_gradients_are_those_of_the_convolution(size, weight_size, options):
    axes, rng = len(size) - 2, np.random.default_rng(0)
    x = autograd.tensor(rng.standard_normal(size), requires_grad=True)
    w = autograd.tensor(rng.standard_normal(weight_size), requires_grad=True)
    out = getattr(F, f"conv{axes}d")(x, w, **options)
    g = autograd.tensor(rng.standard_normal(out.shape), requires_grad=True)
    gx, gw = autograd.grad(out, (x, w), g, create_graph=True)
    ours = (
        getattr(nn.grad, f"conv{axes}d_input")(size, w, g, **options),
        getattr(nn.grad, f"conv{axes}d_weight")(x, weight_size, g, **options),
    )
    for expected, got in zip((gx, gw), ours, strict=True):
        np.testing.assert_allclose(got.detach().numpy(), expected.detach().numpy(), rtol=1e-10, atol=1e-12)
    # And they are differentiable themselves.
    for expected, got, other in zip((gx, gw), ours, (w, x), strict=True):
        second = [autograd.grad((each * each).sum(), (g, other), retain_graph=True) for each in (expected, got)]
        for a, b in zip(*second, strict=True):
            np.testing.assert_allclose(b.numpy(), a.numpy(), rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize(("size", "weight_size", "options"), CASES)
def test_gradients_are_pytorchs(torch, size, weight_size, options):
    axes, rng = len(size) - 2, np.random.default_rng(1)
    x, w = rng.standard_normal(size), rng.standard_normal(weight_size)
    g = rng.standard_normal(getattr(F, f"conv{axes}d")(autograd.tensor(x), autograd.tensor(w), **options).shape)
    for name, ours, theirs in (
        ("input", (size, autograd.tensor(w)), (size, torch.tensor(w))),
        ("weight", (autograd.tensor(x), weight_size), (torch.tensor(x), weight_size)),
    ):
        got = getattr(nn.grad, f"conv{axes}d_{name}")(*ours, autograd.tensor(g), **options)
        expected = getattr(torch.nn.grad, f"conv{axes}d_{name}")(*theirs, torch.tensor(g), **options)
        np.testing.assert_allclose(got.numpy(), expected.numpy(), rtol=1e-10, atol=1e-12)


BAD = [
    {"input_size": (2, 4, 7), "grad_output": (2, 6, 5)},  # dimensions
    {"grad_output": (2, 6, 4, 5)},
    {"input_size": (2, 3, 7, 7)},  # channels
    {"stride": 0},
    {"stride": 2},
    {"groups": 2},
]


@pytest.mark.parametrize("changes", BAD)
def test_shapes_that_do_not_fit(both, changes):
    options = {"input_size": (2, 4, 7, 7), "grad_output": (2, 6, 5, 5)} | changes
    size, out = options.pop("input_size"), options.pop("grad_output")

    def gradients(lib):
        return lib.nn.grad.conv2d_input(size, lib.ones(6, 4, 3, 3), lib.ones(*out), **options)

    def weights(lib):
        return lib.nn.grad.conv2d_weight(lib.ones(*size), (6, 4, 3, 3), lib.ones(*out), **options)

    assert both(gradients)[:2] == both(weights)[:2] == ("raised", "RuntimeError")
