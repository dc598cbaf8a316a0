"""Layers of convolution against PyTorch's: printed form, first weights, results, gradients, refusals."""

import numpy as np
import pytest
from layers import layer_program

import autograd
import nn

SEQUENCE, IMAGE, VOLUME = (2, 4, 9), (2, 4, 9, 8), (2, 4, 5, 6, 5)

# Name, arguments, keywords, shape of the input.
LAYERS = [
    ("Conv1d", (4, 6, 3), {}, SEQUENCE),
    ("Conv1d", (4, 6, (3,)), {"stride": 2, "padding": (1,), "dilation": 2, "groups": 2}, SEQUENCE),
    ("Conv1d", (4, 6, 4), {"padding": "same", "padding_mode": "replicate"}, SEQUENCE[1:]),
    ("Conv1d", (4, 4, 3), {"groups": 4, "padding": 1, "padding_mode": "circular"}, SEQUENCE),
    ("Conv2d", (4, 6, 3), {}, IMAGE),
    ("Conv2d", (4, 6, (3, 2)), {"stride": (2, 1), "padding": (1, 2)}, IMAGE),
    ("Conv2d", (4, 6, 3), {"padding": "same"}, IMAGE),
    ("Conv2d", (4, 6, (2, 4)), {"padding": "same", "dilation": (1, 2)}, IMAGE),
    ("Conv2d", (4, 6, 3), {"padding": "valid", "dilation": 2}, IMAGE),
    ("Conv2d", (4, 6, 3), {"padding": "valid", "padding_mode": "reflect"}, IMAGE),
    ("Conv2d", (4, 6, 3), {"groups": 2, "bias": False}, IMAGE),
    ("Conv2d", (4, 8, 3), {"groups": 4, "padding": 1}, IMAGE),
    ("Conv2d", (4, 6, 3), {"padding": 1, "padding_mode": "reflect"}, IMAGE),
    ("Conv2d", (4, 6, 3), {"padding": (2, 1), "padding_mode": "replicate"}, IMAGE),
    ("Conv2d", (4, 6, 3), {"padding": "same", "padding_mode": "circular"}, IMAGE),
    ("Conv2d", (4, 6, 3), {}, IMAGE[1:]),
    ("Conv3d", (4, 6, 3), {"padding": 1}, VOLUME),
    ("Conv3d", (4, 6, (1, 2, 3)), {"stride": (1, 2, 1), "dilation": (2, 1, 2), "groups": 2}, VOLUME),
    ("Conv3d", (4, 2, 3), {"padding": (2, 1, 0), "padding_mode": "circular", "bias": False}, VOLUME[1:]),
    ("ConvTranspose1d", (4, 6, 3), {"stride": 2, "padding": 1, "output_padding": 1}, SEQUENCE),
    ("ConvTranspose1d", (4, 6, 3, 2, 1, 1, 2, False, 2), {}, SEQUENCE[1:]),
    ("ConvTranspose2d", (4, 6, 3), {}, IMAGE),
    ("ConvTranspose2d", (4, 6, (3, 2)), {"stride": (2, 3), "padding": (1, 0), "output_padding": (0, 2)}, IMAGE),
    ("ConvTranspose2d", (4, 8, 3), {"groups": 4, "bias": False, "dilation": 2}, IMAGE[1:]),
    ("ConvTranspose3d", (4, 2, (1, 2, 3)), {"stride": 2, "groups": 2}, VOLUME),
    ("LazyConv1d", (6, 3), {"padding": 1}, SEQUENCE),
    ("LazyConv2d", (6, 3), {"groups": 2, "bias": False}, IMAGE),
    ("LazyConv3d", (6, 2, 1, "same"), {}, VOLUME[1:]),
    ("LazyConvTranspose1d", (6, 3, 2, 1, 1), {}, SEQUENCE),
    ("LazyConvTranspose2d", (6, 3), {"groups": 2, "bias": False}, IMAGE[1:]),
    ("LazyConvTranspose3d", (6, 2), {"stride": 2}, VOLUME),
]


@pytest.mark.filterwarnings("ignore:Using padding='same' with even", "ignore:Lazy modules are a new feature")
@pytest.mark.parametrize(("name", "args", "kwargs", "shape"), LAYERS, ids=str)
def test_layers(name, args, kwargs, shape, both):
    both(layer_program(name, args, kwargs, shape))
    both(layer_program(name, args, kwargs, shape, dtype="float32"), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("size", [[11], (12,), (2, 3, 11), [13], [10], [3, 12]], ids=str)
def test_output_size(size, both):
    both(layer_program("ConvTranspose1d", (4, 3, 3, 2), {}, (2, 4, 5), call=(size,)))


def test_output_size_undoes_a_stride():
    x = autograd.randn(1, 3, 12, 13)
    down, up = nn.Conv2d(3, 4, 3, 2, 1), nn.ConvTranspose2d(4, 3, 3, 2, 1)
    assert up(down(x), output_size=x.shape).shape == up(down(x), x.shape[2:]).shape == x.shape


def test_attributes(both):
    names = (
        "in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "transposed", "output_padding",
        "groups", "padding_mode",
    )  # fmt: skip
    for make in (
        lambda L: L.nn.Conv2d(4, 6, 3, padding=[1, 2], groups=2),
        lambda L: L.nn.Conv1d(4, 6, 3, padding="same"),
        lambda L: L.nn.ConvTranspose3d(4, 6, 3, output_padding=1, stride=2),
    ):
        both(lambda L, make=make: [getattr(make(L), name) for name in names])


def test_another_weight():
    layer, x = nn.Conv1d(2, 3, 2, padding=1, padding_mode="replicate"), autograd.randn(1, 2, 4)
    out = layer._conv_forward(x, 2 * layer.weight, None)
    autograd.testing.assert_close(out, 2 * (layer(x) - layer.bias[:, None]))


def test_dtype_and_device():
    layer = nn.ConvTranspose2d(2, 3, 1, dtype=autograd.float64, device="cpu")
    assert {p.dtype for p in layer.parameters()} == {autograd.float64}
    lazy = nn.LazyConv2d(3, 1, dtype=autograd.float64)
    assert lazy(autograd.ones(1, 2, 3, 3, dtype=autograd.float64)).dtype == autograd.float64


def test_lazy_layers_become_ordinary_ones():
    layer = nn.LazyConv2d(3, 2, groups=2)
    assert isinstance(layer, nn.Conv2d)
    assert "LazyConv2d(0, 3" in repr(layer)
    assert layer.has_uninitialized_params()
    layer.out_channels = 4
    layer(autograd.ones(1, 6, 5, 5))
    assert type(layer) is nn.Conv2d
    assert layer.weight.shape == (4, 3, 2, 2)
    assert layer.bias.shape == (4,)


REFUSED = {
    "groups of the input": (lambda L: L.nn.Conv2d(3, 4, 1, groups=2), "in_channels must be divisible"),
    "groups of the output": (lambda L: L.nn.Conv2d(4, 3, 1, groups=2), "out_channels must be divisible"),
    "no groups": (lambda L: L.nn.Conv2d(4, 3, 1, groups=0), "groups must be a positive"),
    "padding": (lambda L: L.nn.Conv2d(4, 3, 1, padding="full"), "Invalid padding string 'full'"),
    "same strided": (lambda L: L.nn.Conv2d(4, 3, 1, padding="same", stride=(1, 2)), "strided"),
    "padding mode": (lambda L: L.nn.Conv2d(4, 3, 1, padding_mode="ones"), "padding_mode must be one of"),
    "transposed padding mode": (lambda L: L.nn.ConvTranspose1d(4, 3, 1, padding_mode="reflect"), 'Only "zeros"'),
    "kernel": (lambda L: L.nn.Conv2d(4, 3, 1.5), "kernel_size must be an int or 2"),
    "output size": (lambda L: L.nn.ConvTranspose1d(2, 2, 3, 3)(L.ones(1, 2, 5), [18]), r"\[15\] to \[17\]"),
    "output sizes": (lambda L: L.nn.ConvTranspose1d(2, 2, 3, 3)(L.ones(1, 2, 5), [1, 15]), "1 or 3 elements"),
    "channels": (lambda L: L.nn.Conv1d(2, 3, 1)(L.ones(1, 4, 5)), "4 channels"),
    "lazy dims": (lambda L: L.nn.LazyConv2d(4, 3)(L.ones(5, 5)), "LazyConv2d"),
    "lazy groups": (lambda L: L.nn.LazyConvTranspose2d(4, 3, groups=2)(L.ones(3, 5, 5)), "in_channels must be"),
}


@pytest.mark.filterwarnings("ignore:Lazy modules are a new feature")
@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name, both):
    call, message = REFUSED[name]
    both(call)
    with pytest.raises((ValueError, TypeError, RuntimeError), match=message):
        call(autograd)


def test_a_kernel_of_too_many_axes_is_refused_at_once():
    with pytest.raises(TypeError, match="kernel_size must be an int or 2 of them, but got \\(1, 2, 3\\)"):
        nn.Conv2d(1, 1, (1, 2, 3))


def test_state_moves_both_ways(torch):
    theirs, ours = torch.nn.ConvTranspose2d(3, 4, 2), nn.ConvTranspose2d(3, 4, 2)
    ours.load_state_dict({key: autograd.from_numpy(value.numpy()) for key, value in theirs.state_dict().items()})
    x = np.random.default_rng(0).standard_normal((1, 3, 4, 4)).astype(np.float32)
    np.testing.assert_allclose(
        ours(autograd.tensor(x)).detach().numpy(), theirs(torch.tensor(x)).detach().numpy(), rtol=1e-4, atol=1e-5
    )
