"""Layers of pooling against PyTorch: printed form, values, state, refusals."""

import copy
import pickle

import numpy as np
import pytest
from parity import agree, refuse_alike

import autograd
import nn

rng = np.random.default_rng(0)
SHAPES = {1: (2, 3, 9), 2: (2, 3, 8, 9), 3: (1, 2, 6, 7, 8)}
IMAGE = rng.standard_normal((2, 3, 8, 9))

# class without its number of axes, arguments, the numbers of axes
LAYERS = [
    ("MaxPool", {"kernel_size": 2}, (1, 2, 3)),
    ("MaxPool", {"kernel_size": 3, "stride": 2, "padding": 1, "dilation": 2, "ceil_mode": True}, (1, 2, 3)),
    ("MaxPool", {"kernel_size": 2, "return_indices": True}, (1, 2, 3)),
    ("MaxPool", {"kernel_size": (2, 3), "stride": (1, 2)}, (2,)),
    ("AvgPool", {"kernel_size": 2}, (1, 2, 3)),
    ("AvgPool", {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True}, (1, 2, 3)),
    ("AvgPool", {"kernel_size": 3, "padding": 1, "count_include_pad": False}, (1, 2, 3)),
    ("AvgPool", {"kernel_size": 2, "divisor_override": 3}, (2, 3)),
    ("LPPool", {"norm_type": 2, "kernel_size": 2}, (1, 2, 3)),
    ("LPPool", {"norm_type": 1.5, "kernel_size": 3, "stride": 1, "ceil_mode": True}, (1, 2, 3)),
    ("AdaptiveMaxPool", {"output_size": 4}, (1, 2, 3)),
    ("AdaptiveMaxPool", {"output_size": 3, "return_indices": True}, (1, 2, 3)),
    ("AdaptiveMaxPool", {"output_size": (None, 3)}, (2,)),
    ("AdaptiveAvgPool", {"output_size": 4}, (1, 2, 3)),
    ("AdaptiveAvgPool", {"output_size": (3, None, 1)}, (3,)),
    ("FractionalMaxPool", {"kernel_size": 2, "output_size": 3}, (2, 3)),
    ("FractionalMaxPool", {"kernel_size": 3, "output_ratio": 0.4, "return_indices": True}, (2, 3)),
]
CASES = [(f"{name}{axes}d", SHAPES[axes], options) for name, options, numbers in LAYERS for axes in numbers]


@pytest.mark.parametrize(("name", "shape", "options"), CASES)
def test_layers(name, shape, options, torch):
    x = np.abs(rng.standard_normal(shape))
    layers = [getattr(library, name)(**options) for library in (nn, torch.nn)]
    assert repr(layers[0]) == repr(layers[1])
    for given in (x, x[0]):
        results = []
        for library, layer in zip((autograd, torch), layers, strict=True):
            library.manual_seed(1)
            results.append(layer(library.from_numpy(given)))
        agree(*results, 1e-6, 1e-7)
    copies = []
    for copied in (copy.deepcopy(layers[0]), pickle.loads(pickle.dumps(layers[0]))):
        autograd.manual_seed(1)
        copies.append(copied(autograd.from_numpy(x)))
    agree(*copies)


def test_samples_of_fractional_pooling_are_state(torch):
    samples = rng.random((2, 3, 2))
    layers = [
        L.nn.FractionalMaxPool2d(2, output_size=3, _random_samples=L.from_numpy(samples)) for L in (autograd, torch)
    ]
    assert list(layers[0].state_dict()) == list(layers[1].state_dict()) == ["_random_samples"]
    agree(*(layer(L.from_numpy(IMAGE)) for L, layer in zip((autograd, torch), layers, strict=True)))


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_unpooling(axes, torch):
    x = rng.standard_normal(SHAPES[axes])
    results, printed = [], []
    for library in (autograd, torch):
        pool = getattr(library.nn, f"MaxPool{axes}d")(3, 2, 1, return_indices=True)
        back = getattr(library.nn, f"MaxUnpool{axes}d")(3, stride=2, padding=1)
        results.append(back(*pool(library.from_numpy(x)), output_size=x.shape))
        printed.append(repr(back))
    agree(*results)
    assert printed[0] == printed[1]


REFUSED = {
    "neither": (lambda L: L.nn.FractionalMaxPool2d(2), ["output_size", "output_ratio"]),
    "both": (lambda L: L.nn.FractionalMaxPool2d(2, output_size=2, output_ratio=0.5), ["output_ratio", "0.5"]),
    "ratio": (lambda L: L.nn.FractionalMaxPool3d(2, output_ratio=(0.5, 1.0, 0.5)), ["output_ratio", "1.0"]),
    "window": (lambda L: L.nn.FractionalMaxPool3d((2, 0, 2), output_size=2), ["kernel_size", "(2, 0, 2)"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name, torch):
    refuse_alike(autograd, torch, *REFUSED[name])
