"""Normalized, parametrized and fused weights: one program in both libraries."""

from __future__ import annotations

import copy
import pickle
import warnings

import pytest

import autograd
import nn
from nn.utils import parametrizations, parametrize

SEED = 3


def layer_of(L, kind="Linear", *args, **kwargs):
    L.manual_seed(SEED)
    return getattr(L.nn, kind)(*(args or (4, 3)), **kwargs)


def outcome_of(L, layer, shape=(2, 4)):
    """Output, gradients, state and names of a layer called twice in training and once in evaluation."""
    x = L.arange(float(L.zeros(shape).numel())).reshape(shape) / 7 - 0.5
    results = []
    for training in (True, True, False):
        layer.train(training)
        layer.zero_grad()
        y = layer(x)
        (y * y).sum().backward()
        results += [y, [p.grad for p in layer.parameters()]]
    state = layer.state_dict()
    return [*results, sorted(state), [state[name] for name in sorted(state)], repr(layer)]


def quietly(function, *args, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*args, **kwargs)


def old_weight_norm(L, layer, *args, **kwargs):
    return quietly(L.nn.utils.weight_norm, layer, *args, **kwargs)


IMAGES = (2, 4, 3, 3)

PROGRAMS = {
    "weight_norm": lambda L: outcome_of(L, old_weight_norm(L, layer_of(L))),
    "weight_norm of all": lambda L: outcome_of(L, old_weight_norm(L, layer_of(L), dim=None)),
    "weight_norm by the second": lambda L: outcome_of(L, old_weight_norm(L, layer_of(L), dim=1)),
    "weight_norm of a convolution": lambda L: outcome_of(
        L, old_weight_norm(L, layer_of(L, "Conv2d", 4, 3, 2), "weight"), IMAGES
    ),
    "weight_norm twice": lambda L: old_weight_norm(L, old_weight_norm(L, layer_of(L))),
    "weight_norm of a lazy layer": lambda L: old_weight_norm(L, L.nn.LazyLinear(2)),
    "weight_norm pickled": lambda L: outcome_of(L, pickle.loads(pickle.dumps(old_weight_norm(L, layer_of(L))))),
    "weight_norm removed": lambda L: outcome_of(L, L.nn.utils.remove_weight_norm(old_weight_norm(L, layer_of(L)))),
    "weight_norm not there": lambda L: L.nn.utils.remove_weight_norm(layer_of(L)),
    "spectral_norm": lambda L: outcome_of(L, L.nn.utils.spectral_norm(layer_of(L))),
    "spectral_norm, many steps": lambda L: outcome_of(L, L.nn.utils.spectral_norm(layer_of(L), n_power_iterations=5)),
    "spectral_norm of a convolution": lambda L: outcome_of(
        L, L.nn.utils.spectral_norm(layer_of(L, "Conv2d", 4, 3, 2), dim=1), IMAGES
    ),
    "spectral_norm of a transposed convolution": lambda L: outcome_of(
        L, L.nn.utils.spectral_norm(layer_of(L, "ConvTranspose2d", 4, 3, 2)), IMAGES
    ),
    "spectral_norm of a bias": lambda L: outcome_of(L, L.nn.utils.spectral_norm(layer_of(L), "bias")),
    "spectral_norm of a bias that is None": lambda L: L.nn.utils.spectral_norm(layer_of(L, bias=False), "bias"),
    "spectral_norm without steps": lambda L: L.nn.utils.spectral_norm(layer_of(L), n_power_iterations=0),
    "spectral_norm twice": lambda L: L.nn.utils.spectral_norm(L.nn.utils.spectral_norm(layer_of(L))),
    "spectral_norm removed": lambda L: outcome_of(
        L, L.nn.utils.remove_spectral_norm(L.nn.utils.spectral_norm(layer_of(L)))
    ),
    "spectral_norm not there": lambda L: L.nn.utils.remove_spectral_norm(layer_of(L)),
    "parametrized weight_norm": lambda L: outcome_of(L, L.nn.utils.parametrizations.weight_norm(layer_of(L))),
    "parametrized weight_norm of all": lambda L: outcome_of(
        L, L.nn.utils.parametrizations.weight_norm(layer_of(L), dim=None)
    ),
    "parametrized spectral_norm": lambda L: outcome_of(L, L.nn.utils.parametrizations.spectral_norm(layer_of(L))),
    "parametrized spectral_norm of a vector": lambda L: outcome_of(
        L, L.nn.utils.parametrizations.spectral_norm(layer_of(L), "bias")
    ),
    "parametrized spectral_norm of a convolution": lambda L: outcome_of(
        L, L.nn.utils.parametrizations.spectral_norm(layer_of(L, "Conv2d", 4, 3, 2), n_power_iterations=3), IMAGES
    ),
    "parametrized spectral_norm without steps": lambda L: L.nn.utils.parametrizations.spectral_norm(
        layer_of(L), n_power_iterations=0
    ),
    "parametrized spectral_norm of another dim": lambda L: L.nn.utils.parametrizations.spectral_norm(
        layer_of(L), dim=2
    ),
    "parametrized spectral_norm of nothing": lambda L: L.nn.utils.parametrizations.spectral_norm(layer_of(L), "other"),
    "orthogonal wide": lambda L: outcome_of(L, L.nn.utils.parametrizations.orthogonal(layer_of(L))),
    "orthogonal square": lambda L: outcome_of(
        L, L.nn.utils.parametrizations.orthogonal(layer_of(L, "Linear", 4, 4), use_trivialization=True)
    ),
    "orthogonal tall": lambda L: outcome_of(L, L.nn.utils.parametrizations.orthogonal(layer_of(L, "Linear", 4, 6))),
    "orthogonal cayley": lambda L: outcome_of(
        L, L.nn.utils.parametrizations.orthogonal(layer_of(L, "Linear", 4, 6), orthogonal_map="cayley")
    ),
    "orthogonal exp": lambda L: outcome_of(
        L, L.nn.utils.parametrizations.orthogonal(layer_of(L), orthogonal_map="matrix_exp")
    ),
    "orthogonal without a base": lambda L: outcome_of(
        L, L.nn.utils.parametrizations.orthogonal(layer_of(L, "Linear", 4, 6), use_trivialization=False)
    ),
    "orthogonal exp without a base": lambda L: outcome_of(
        L,
        L.nn.utils.parametrizations.orthogonal(
            layer_of(L, "Linear", 4, 4), orthogonal_map="matrix_exp", use_trivialization=False
        ),
    ),
    "orthogonal vector": lambda L: L.nn.utils.parametrizations.orthogonal(layer_of(L), "bias"),
    "orthogonal by another map": lambda L: L.nn.utils.parametrizations.orthogonal(layer_of(L), orthogonal_map="qr"),
    "orthogonal nothing": lambda L: L.nn.utils.parametrizations.orthogonal(layer_of(L), "other"),
}  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
def test_weights(both, name):
    both(PROGRAMS[name], label=name, rtol=2e-4, atol=2e-5)


def assigned_orthogonal(L):
    layer = L.nn.utils.parametrizations.orthogonal(layer_of(L, "Linear", 4, 4))
    target = L.linalg.qr(L.arange(16.0).reshape(4, 4).sin())[0]
    layer.weight = target
    same = L.allclose(layer.weight, target, atol=1e-5)
    layer.weight = target * 2
    return same, L.allclose(layer.weight @ layer.weight.T, L.eye(4), atol=1e-4)


def test_any_orthogonal_matrix_can_be_assigned(both):
    assert both(assigned_orthogonal) == ("tuple", [True, True])


def test_spectral_norm_saves_and_loads(both):
    def program(L):
        first, second = (L.nn.utils.spectral_norm(layer_of(L)) for _ in range(2))
        first(L.ones(1, 4))
        state = first.state_dict()
        second.load_state_dict(state)
        older = dict(state)
        del older["weight_v"]
        older["weight"] = first.weight.detach()
        third = L.nn.utils.spectral_norm(layer_of(L))
        third.load_state_dict(older)
        versions = state._metadata[""]["spectral_norm"]
        return versions, second.eval()(L.ones(1, 4)), third.eval()(L.ones(1, 4))

    both(program, rtol=1e-4, atol=1e-5)


def test_weight_norm_of_the_older_form_is_loaded_by_the_newer(both):
    def program(L):
        older = old_weight_norm(L, layer_of(L))
        newer = L.nn.utils.parametrizations.weight_norm(layer_of(L, "Linear", 4, 3))
        with L.no_grad():
            older.weight_g.mul_(2)
        newer.load_state_dict(older.state_dict())
        return newer(L.ones(1, 4)), older(L.ones(1, 4))

    both(program)


# --- Parametrizations of one's own ---------------------------------------------------------------------------------


def classes(L):
    class Double(L.nn.Module):
        def forward(self, x):
            return 2 * x

        def right_inverse(self, x):
            return x / 2

    class Sum(L.nn.Module):
        def forward(self, a, b):
            return a + b

        def right_inverse(self, x):
            return [x - 1, L.ones_like(x)]

    class Shape(L.nn.Module):
        def forward(self, x):
            return x.reshape(-1)

    class Dtype(L.nn.Module):
        def forward(self, x):
            return x.double()

    class Number(L.nn.Module):
        def forward(self, x):
            return 1.0

    return {"Double": Double, "Sum": Sum, "Shape": Shape, "Dtype": Dtype, "Number": Number}


def registered(L, *names, tensor="weight", **kwargs):
    layer = layer_of(L)
    for name in names:
        L.nn.utils.parametrize.register_parametrization(layer, tensor, classes(L)[name](), **kwargs)
    return layer


def through(L, layer):
    layer.weight = L.ones(3, 4)
    return outcome_of(L, layer)


def removed(L, layer, **kwargs):
    p = L.nn.utils.parametrize
    before = [
        p.is_parametrized(layer),
        p.is_parametrized(layer, "bias"),
        p.type_before_parametrizations(layer).__name__,
    ]
    p.remove_parametrizations(layer, "weight", **kwargs)
    return before, p.is_parametrized(layer), type(layer).__name__, outcome_of(L, layer)


def buffered(L):
    layer = layer_of(L)
    layer.register_buffer("table", L.ones(2))
    L.nn.utils.parametrize.register_parametrization(layer, "table", classes(L)["Double"]())
    return layer.table, sorted(layer.state_dict()), [n for n, _ in layer.named_buffers()]


def transferred(L):
    source, target = registered(L, "Double", "Double"), layer_of(L, "Linear", 4, 3, bias=False)
    L.nn.utils.parametrize.transfer_parametrizations_and_params(source, target)
    return outcome_of(L, target), target.parametrizations.weight.original is source.parametrizations.weight.original


OWN = {
    "one": lambda L: outcome_of(L, registered(L, "Double")),
    "two": lambda L: outcome_of(L, registered(L, "Double", "Double")),
    "of several tensors": lambda L: outcome_of(L, registered(L, "Sum")),
    "of several tensors, then one": lambda L: outcome_of(L, registered(L, "Sum", "Double")),
    "assigned": lambda L: through(L, registered(L, "Double", "Double")),
    "assigned to several": lambda L: through(L, registered(L, "Sum")),
    "assigned without an inverse": lambda L: through(L, registered(L, "Shape", unsafe=True)),
    "another shape": lambda L: registered(L, "Shape"),
    "another shape, unsafe": lambda L: registered(L, "Shape", unsafe=True).weight.shape,
    "another shape second": lambda L: registered(L, "Double", "Shape"),
    "another dtype": lambda L: registered(L, "Dtype"),
    "no tensor": lambda L: registered(L, "Number"),
    "no parameter": lambda L: registered(L, "Double", tensor="other"),
    "removed": lambda L: removed(L, registered(L, "Double")),
    "removed, the original left": lambda L: removed(L, registered(L, "Double"), leave_parametrized=False),
    "several removed": lambda L: removed(L, registered(L, "Sum")),
    "several removed, left": lambda L: removed(L, registered(L, "Sum"), leave_parametrized=False),
    "not there to remove": lambda L: removed(L, layer_of(L)),
    "of a buffer": buffered,
    "transferred": transferred,
    "copied": lambda L: outcome_of(L, copy.deepcopy(registered(L, "Double"))),
    "pickled": lambda L: pickle.dumps(registered(L)),
    "mode": lambda L: [m.training for m in registered(L, "Double").eval().modules()],
}


@pytest.mark.parametrize("name", OWN)
def test_parametrizations(both, name):
    if name == "pickled":
        with pytest.raises(RuntimeError, match="state_dict"):
            pickle.dumps(parametrizations.weight_norm(nn.Linear(2, 2)))
        return
    both(OWN[name], label=name)


def test_a_refused_parametrization_leaves_the_module_as_it_was():
    layer = nn.Linear(4, 3)
    weight = layer.weight
    with pytest.raises(ValueError, match="shape"):
        parametrize.register_parametrization(layer, "weight", classes(autograd)["Shape"]())
    assert layer.weight is weight
    assert type(layer) is nn.Linear


def test_cached():
    layer = parametrizations.weight_norm(nn.Linear(2, 2))
    assert layer.weight is not layer.weight
    with parametrize.cached():
        first = layer.weight
        with parametrize.cached():
            assert layer.weight is first
        assert layer.weight is first
    assert layer.weight is not first


# --- Fusion --------------------------------------------------------------------------------------------------------


def normalized(L, features, **kwargs):
    layer = L.nn.BatchNorm2d(features, **kwargs).eval() if features != 1 else L.nn.BatchNorm1d(1).eval()
    with L.no_grad():
        for tensor in (*layer.parameters(), *layer.buffers()):
            if tensor.is_floating_point():
                tensor.copy_(L.arange(1.0, tensor.numel() + 1) / 3)
    return layer


def fused(L, layer, bn, shape, **kwargs):
    fuse = L.nn.utils.fuse_linear_bn_eval if isinstance(layer, L.nn.Linear) else L.nn.utils.fuse_conv_bn_eval
    result = fuse(layer, bn, **kwargs)
    x = L.arange(float(L.zeros(shape).numel())).reshape(shape) / 9
    return result(x), result.weight.requires_grad, repr(result)


FUSED = {
    "convolution": lambda L: fused(L, layer_of(L, "Conv2d", 4, 3, 2).eval(), normalized(L, 3), IMAGES),
    "without bias": lambda L: fused(L, layer_of(L, "Conv2d", 4, 3, 2, bias=False).eval(), normalized(L, 3), IMAGES),
    "not affine": lambda L: fused(L, layer_of(L, "Conv2d", 4, 3, 2).eval(), normalized(L, 3, affine=False), IMAGES),
    "transposed": lambda L: fused(
        L, layer_of(L, "ConvTranspose2d", 4, 3, 2).eval(), normalized(L, 3), IMAGES, transpose=True
    ),
    "linear": lambda L: fused(L, layer_of(L).eval(), normalized(L, 3), (2, 4)),
    "linear and one": lambda L: fused(L, layer_of(L).eval(), normalized(L, 1), (2, 4)),
    "linear of other features": lambda L: fused(L, layer_of(L).eval(), normalized(L, 2), (2, 4)),
    "training": lambda L: fused(L, layer_of(L), normalized(L, 3), (2, 4)),
    "no statistics": lambda L: fused(
        L, layer_of(L).eval(), L.nn.BatchNorm1d(3, track_running_stats=False).eval(), (2, 4)
    ),
}


@pytest.mark.parametrize("name", FUSED)
def test_fusion(both, name):
    both(FUSED[name], label=name)


def test_skip_init_and_the_older_functional_call(both):
    def program(L):
        layer = L.nn.utils.skip_init(L.nn.Linear, 3, 2, dtype=L.float64)
        called = quietly(
            L.nn.utils.stateless.functional_call, layer, {"weight": L.ones(2, 3).double()}, L.ones(3).double()
        )
        return repr(layer), layer.weight.dtype, layer.weight.requires_grad, (called - layer.bias).detach()

    def refused(L):
        L.nn.utils.skip_init(L.nn.ReLU)

    both(program)
    both(refused)


def test_memory_formats():
    model = nn.Sequential(nn.Conv2d(3, 4, 2), nn.Sequential(nn.Conv3d(3, 4, 2)))
    nn.utils.convert_conv2d_weight_memory_format(model, autograd.channels_last)
    assert model[0].weight.is_contiguous(memory_format=autograd.channels_last)
    assert model[1][0].weight.is_contiguous()
    nn.utils.convert_conv3d_weight_memory_format(model, autograd.channels_last_3d)
    assert model[1][0].weight.is_contiguous(memory_format=autograd.channels_last_3d)
