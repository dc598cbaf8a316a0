"""Pruning: one program in both libraries, random numbers included."""

from __future__ import annotations

import importlib

import pytest

import nn
from nn.utils import prune


def model_of(L):
    L.manual_seed(5)
    return L.nn.Sequential(L.nn.Linear(6, 4), L.nn.ReLU(), L.nn.Linear(4, 3))


def outcome_of(L, layer, shape=(2, 6)):
    y = layer(L.ones(shape))
    (y * y).sum().backward()
    state = layer.state_dict()
    gradients = [None if p.grad is None else p.grad for p in layer.parameters()]
    return y, gradients, list(state), list(state.values()), [n for n, _ in layer.named_buffers()]


def pruned(L, *steps, then=None):
    """Steps are names of functions with their arguments, applied to one layer; ``then`` to the result."""
    layer = model_of(L)[0]
    for name, *args in steps:
        args = [argument(L) if callable(argument) else argument for argument in args]
        getattr(L.nn.utils.prune, name)(layer, "weight", *args)
    return outcome_of(L, layer) if then is None else then(L, layer)


def everywhere(L, *args, **kwargs):
    model = model_of(L)
    pairs = [(model[0], "weight"), (model[2], "weight"), (model[2], "bias")]
    L.nn.utils.prune.global_unstructured(pairs, *args, **kwargs)
    return outcome_of(L, model), L.nn.utils.prune.is_pruned(model)


def everywhere_by_scores(L):
    model = model_of(L)
    pairs = [(model[0], "weight"), (model[2], "weight")]
    scores = {pairs[0]: L.arange(24.0).reshape(4, 6)}
    L.nn.utils.prune.global_unstructured(pairs, L.nn.utils.prune.L1Unstructured, scores, amount=9)
    L.nn.utils.prune.global_unstructured(pairs, L.nn.utils.prune.L1Unstructured, amount=4)
    return outcome_of(L, model)


def own_kind(L, kind):
    class Own(L.nn.utils.prune.BasePruningMethod):
        PRUNING_TYPE = kind

        def compute_mask(self, t, default_mask):
            return default_mask

    layer = model_of(L)[0]
    Own.apply(layer, "weight")
    Own.apply(layer, "weight")
    return outcome_of(L, layer)


def scores(L):
    return L.arange(24.0).reshape(4, 6)


def checkered(L):
    return L.arange(24).reshape(4, 6) % 2


PROGRAMS = {
    "identity": lambda L: pruned(L, ("identity",)),
    "random": lambda L: pruned(L, ("random_unstructured", 0.3)),
    "random number": lambda L: pruned(L, ("random_unstructured", 5)),
    "none": lambda L: pruned(L, ("random_unstructured", 0)),
    "l1": lambda L: pruned(L, ("l1_unstructured", 0.4)),
    "l1 by scores": lambda L: pruned(L, ("l1_unstructured", 7, scores)),
    "l1 none": lambda L: pruned(L, ("l1_unstructured", 0.0)),
    "l1 all": lambda L: pruned(L, ("l1_unstructured", 1.0)),
    "random slices": lambda L: pruned(L, ("random_structured", 2, 0)),
    "random slices of the last": lambda L: pruned(L, ("random_structured", 0.5, -1)),
    "no slices": lambda L: pruned(L, ("random_structured", 0, 1)),
    "l2 slices": lambda L: pruned(L, ("ln_structured", 0.5, 2, 0)),
    "l1 slices": lambda L: pruned(L, ("ln_structured", 1, 1, -1)),
    "largest slices": lambda L: pruned(L, ("ln_structured", 1, float("inf"), 1)),
    "slices by scores": lambda L: pruned(L, ("ln_structured", 1, 1, 1, scores)),
    "mask": lambda L: pruned(L, ("custom_from_mask", checkered)),
    "l1 twice": lambda L: pruned(L, ("l1_unstructured", 5), ("l1_unstructured", 0.5)),
    "three": lambda L: pruned(L, ("random_unstructured", 0.2), ("ln_structured", 1, 2, 0), ("l1_unstructured", 2)),
    "mask after slices": lambda L: pruned(L, ("random_structured", 1, 0), ("custom_from_mask", checkered)),
    "removed": lambda L: pruned(
        L, ("l1_unstructured", 5), then=lambda L, layer: outcome_of(L, L.nn.utils.prune.remove(layer, "weight"))
    ),
    "hooks": lambda L: pruned(L, ("l1_unstructured", 5), then=lambda L, layer: len(layer._forward_pre_hooks)),
    "hooks of two": lambda L: pruned(
        L, ("l1_unstructured", 5), ("identity",), then=lambda L, layer: len(layer._forward_pre_hooks)
    ),
    "everywhere": lambda L: everywhere(L, L.nn.utils.prune.L1Unstructured, amount=10),
    "everywhere at random": lambda L: everywhere(L, L.nn.utils.prune.RandomUnstructured, amount=0.3),
    "everywhere by scores": everywhere_by_scores,
    "everywhere by slices": lambda L: everywhere(L, L.nn.utils.prune.RandomStructured, amount=0.3),
    "everywhere by no dict": lambda L: everywhere(L, L.nn.utils.prune.L1Unstructured, [1], amount=3),
    "no pairs": lambda L: L.nn.utils.prune.global_unstructured(1, L.nn.utils.prune.L1Unstructured, amount=3),
    "a method of one's own": lambda L: own_kind(L, "unstructured"),
    "a structured one without a dim": lambda L: own_kind(L, "structured"),
    "an unknown kind": lambda L: own_kind(L, "other"),
    "too many": lambda L: pruned(L, ("l1_unstructured", 25)),
    "too large": lambda L: pruned(L, ("l1_unstructured", 1.1)),
    "negative": lambda L: pruned(L, ("random_unstructured", -1)),
    "no number": lambda L: pruned(L, ("random_unstructured", "all")),
    "another dim": lambda L: pruned(L, ("random_structured", 1, 2)),
    "slices of a vector": lambda L: L.nn.utils.prune.random_structured(model_of(L)[0], "bias", 1, 0),
    "scores of another shape": lambda L: pruned(L, ("l1_unstructured", 1, lambda L: L.ones(3))),
    "mask of another shape": lambda L: pruned(L, ("custom_from_mask", lambda L: L.ones(3))),
    "remove what is not there": lambda L: L.nn.utils.prune.remove(model_of(L)[0], "weight"),
    "without a module": lambda L: L.nn.utils.prune.L1Unstructured(2).prune(L.tensor([3.0, -1.0, 0.5, 2.0])),
    "without a module, by scores": lambda L: L.nn.utils.prune.L1Unstructured(2).prune(
        L.tensor([3.0, -1.0, 0.5, 2.0]), importance_scores=L.tensor([1.0, 2.0, 3.0, 4.0])
    ),
    "without a module, scores of another shape": lambda L: L.nn.utils.prune.L1Unstructured(2).prune(
        L.ones(4), importance_scores=L.ones(3)
    ),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_pruning(both, name):
    importlib.import_module("torch.nn.utils.prune")  # which `import torch` leaves out
    both(PROGRAMS[name], label=name)


def test_container():
    first, second = prune.L1Unstructured(1), prune.L1Unstructured(2)
    first._tensor_name = second._tensor_name = "weight"
    container = prune.PruningContainer(first)
    container.add_pruning_method(second)
    assert (len(container), list(container), container[1]) == (2, [first, second], second)
    with pytest.raises(TypeError, match="not a BasePruningMethod"):
        container.add_pruning_method("third")
    other = prune.L1Unstructured(1)
    other._tensor_name = "bias"
    with pytest.raises(ValueError, match="'weight'"):
        container.add_pruning_method(other)


def test_a_refused_pruning_leaves_the_parameter_as_it_was():
    layer = nn.Linear(3, 2)
    weight = layer.weight
    for refused in (
        lambda: prune.l1_unstructured(layer, "weight", 7),
        lambda: prune.ln_structured(layer, "bias", 1, 2, 0),
    ):
        with pytest.raises(ValueError, match="amount=7|Structured"):
            refused()
    assert layer.weight is weight
    assert [name for name, _ in layer.named_parameters()] == ["weight", "bias"]
    assert not prune.is_pruned(layer)
