"""Step and sign units, maxout, and dropout of channels."""

import numpy as np
import pytest

import autograd
import nn


def test_step_and_sign_have_the_lectures_values():
    x = autograd.tensor([-2.0, -0.0, 0.0, 1e-30, 3.0])
    assert nn.Step()(x).tolist() == [0, 0.5, 0.5, 1, 1]
    assert nn.Step(at_zero=0.0)(x).tolist() == [0, 0, 0, 1, 1]
    assert nn.Sign()(x).tolist() == [-1, 0, 0, 1, 1]
    assert np.isnan(nn.Step()(autograd.tensor(float("nan"))).item())


@pytest.mark.parametrize("unit", [nn.Step, nn.Sign])
def test_gradients_are_zero_or_pass_straight_through(unit):
    for straight, expected in ((False, 0.0), (True, 2.0)):
        x = autograd.tensor([-1.0, 0.0, 4.0], requires_grad=True)
        (2 * unit(straight_through=straight)(x)).sum().backward()
        assert x.grad.tolist() == [expected] * 3


def test_units_print_what_they_are():
    assert repr(nn.Step()) == "Step(at_zero=0.5)"
    assert repr(nn.Step(0.0, True)) == "Step(at_zero=0.0, straight_through=True)"
    assert repr(nn.Sign()) == "Sign()"
    assert repr(nn.Maxout(4, 3)) == "Maxout(in_features=4, out_features=3, pieces=2, bias=True)"


def test_maxout_is_the_largest_of_its_maps():
    autograd.manual_seed(0)
    layer = nn.Maxout(4, 3, pieces=5).double()
    x = autograd.randn(2, 7, 4, dtype=autograd.float64)
    maps = x.numpy() @ layer.weight.detach().numpy().T + layer.bias.detach().numpy()
    expected = maps.reshape(2, 7, 3, 5).max(-1)
    np.testing.assert_allclose(layer(x).detach().numpy(), expected, rtol=1e-12)
    assert autograd.gradcheck(layer, (x.requires_grad_(),))


def test_relu_is_maxout_with_a_zero_piece():
    layer = nn.Maxout(2, 2, pieces=2, bias=False)
    with autograd.no_grad():
        layer.weight.copy_(autograd.tensor([[1.0, 0.0], [0.0, 0.0], [0.0, 1.0], [0.0, 0.0]]))
    x = autograd.randn(6, 2)
    assert autograd.equal(layer(x), x.relu())


def test_maxout_refuses_groups_that_do_not_fit():
    with pytest.raises(RuntimeError, match=r"\[2, 5\].*pieces=2"):
        nn.functional.maxout(autograd.zeros(2, 5), 2)
    with pytest.raises(ValueError, match="pieces"):
        nn.Maxout(2, 2, pieces=0)


SHAPES = {"Dropout": (4, 5), "Dropout1d": (3, 4, 6), "Dropout2d": (3, 4, 2, 5), "Dropout3d": (3, 4, 2, 2, 2)}
SHAPES |= {"AlphaDropout": (4, 5), "FeatureAlphaDropout": (3, 4, 6)}


@pytest.mark.parametrize("name", SHAPES)
def test_dropout_layers_are_those_of_torch(name, both):
    def program(lib):
        outcomes = []
        for arguments in ({}, {"p": 0.2}, {"p": 0.0}, {"p": 1.0}):
            lib.manual_seed(5)
            layer = getattr(lib.nn, name)(**arguments)
            x = lib.randn(*SHAPES[name]).requires_grad_()
            y = layer(x)
            y.sum().backward()
            outcomes += [repr(layer), y, x.grad, layer.eval()(x)]
        return outcomes

    both(program)
    for p in (-0.1, 1.1):
        with pytest.raises(ValueError, match="between 0 and 1"):
            getattr(nn, name)(p)
