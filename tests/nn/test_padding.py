"""Layers that make borders, against PyTorch's."""

import pytest
from layers import layer_program

import autograd
import nn

SEQUENCE, IMAGE, VOLUME = (2, 3, 5), (2, 3, 5, 4), (1, 2, 4, 5, 4)
INPUTS = {1: SEQUENCE, 2: IMAGE, 3: VOLUME}
WIDTHS = {1: [2, (1, 3), (-1, 2)], 2: [1, (1, 2, 3, 0), (0, -1, 1, 1)], 3: [1, (1, 2, 3, 0, 1, 2), [0, -1, 1, 1, 2, 0]]}
KINDS = {"ConstantPad": (3.5,), "ZeroPad": (), "ReflectionPad": (), "ReplicationPad": (), "CircularPad": ()}


@pytest.mark.parametrize("axes", INPUTS)
@pytest.mark.parametrize("kind", KINDS)
def test_layers(kind, axes, both):
    for widths in WIDTHS[axes]:
        for shape in (INPUTS[axes], INPUTS[axes][1:]):
            both(layer_program(f"{kind}{axes}d", (widths, *KINDS[kind]), {}, shape), label=f"{widths} {shape}")


def test_constants_around_any_shape(both):
    both(layer_program("ConstantPad1d", ((1, 2), -1), {}, (2, 3, 4, 5)))
    both(layer_program("ZeroPad2d", ((1, 2),), {}, (4, 5)))


def test_families():
    assert issubclass(nn.ZeroPad2d, nn.ConstantPad2d)
    assert nn.ZeroPad2d(1).value == 0.0
    assert nn.ConstantPad3d(1, value=2).padding == (1,) * 6


REFUSED = {
    "circular dims": lambda L: L.nn.CircularPad1d(1)(L.ones(1, 2, 5, 5)),
    "circular sequence": lambda L: L.nn.CircularPad2d(1)(L.ones(5, 5)),
    "circular volume": lambda L: L.nn.CircularPad3d(1)(L.ones(5, 5, 5)),
    "reflection dims": lambda L: L.nn.ReflectionPad1d(1)(L.ones(1, 2, 5, 5)),
    "reflection": lambda L: L.nn.ReflectionPad1d(5)(L.ones(1, 2, 5)),
    "odd": lambda L: L.nn.ReplicationPad1d((1, 2, 3))(L.ones(1, 2, 5)),
    "floats": lambda L: L.nn.ZeroPad1d(1.5)(L.ones(1, 2, 5)),
    "no value": lambda L: L.nn.ConstantPad1d(1),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name, both):
    both(REFUSED[name])
    with pytest.raises((ValueError, TypeError, RuntimeError)):
        REFUSED[name](autograd)
