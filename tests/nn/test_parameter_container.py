"""Lists and dicts of parameters: one program in both libraries."""

from __future__ import annotations

import copy
import pickle
from collections import OrderedDict

import pytest

import autograd
import nn


def listed(L, *values):
    return L.nn.ParameterList(values or [L.ones(2), L.nn.Parameter(L.zeros(1, 3), False), "other"])


def named(L):
    return L.nn.ParameterDict({"b": L.ones(2), "a": L.nn.Parameter(L.zeros(1, 3)), "c": 5})


def facts(container):
    return [
        len(container),
        repr(container),
        [name for name, _ in container.named_parameters()],
        list(container.state_dict()),
        [type(value).__name__ for value in (container if hasattr(container, "append") else container.values())],
    ]


def then(container, change):
    result = change(container)
    return facts(container), result if not hasattr(result, "state_dict") else facts(result)


PROGRAMS = {
    "list": lambda L: facts(listed(L)),
    "empty list": lambda L: facts(L.nn.ParameterList()),
    "list of a generator": lambda L: facts(L.nn.ParameterList(L.ones(n) for n in range(3))),
    "list of a tensor": lambda L: L.nn.ParameterList(L.ones(3)),
    "list of a number": lambda L: L.nn.ParameterList(3),
    "item": lambda L: [listed(L)[0], listed(L)[-1], listed(L)[-2]],
    "slice": lambda L: [facts(listed(L)[1:]), facts(listed(L)[::-1])],
    "item out of range": lambda L: listed(L)[3],
    "iteration": lambda L: list(listed(L)),
    "set item": lambda L: then(listed(L), lambda c: c.__setitem__(-3, L.full((4,), 2.0))),
    "set item out of range": lambda L: then(listed(L), lambda c: c.__setitem__(3, L.ones(1))),
    "append": lambda L: then(listed(L), lambda c: c.append(L.ones(3))),
    "extend": lambda L: then(listed(L), lambda c: c.extend([1, L.ones(3)])),
    "extend by a list": lambda L: then(listed(L), lambda c: c.extend(listed(L))),
    "add": lambda L: then(listed(L), lambda c: c.__iadd__([L.ones(3)])),
    "call a list": lambda L: listed(L)(1),
    "dict": lambda L: facts(named(L)),
    "empty dict": lambda L: facts(L.nn.ParameterDict()),
    "dict in order": lambda L: facts(L.nn.ParameterDict(OrderedDict([("b", L.ones(2)), ("a", L.zeros(1))]))),
    "dict of pairs": lambda L: facts(L.nn.ParameterDict([("b", L.ones(2)), ("a", None)])),
    "dict of triples": lambda L: L.nn.ParameterDict([("b", 1, 2)]),
    "dict of numbers": lambda L: L.nn.ParameterDict([1, 2]),
    "dict of a number": lambda L: L.nn.ParameterDict(1),
    "dict by numbers": lambda L: L.nn.ParameterDict({1: L.ones(2)}),
    "dict of a dict": lambda L: facts(L.nn.ParameterDict(named(L))),
    "get": lambda L: [named(L)["b"], named(L).get("b"), named(L).get("d"), named(L).get("d", 7)],
    "missing": lambda L: named(L)["d"],
    "in": lambda L: ["a" in named(L), "d" in named(L)],
    "views": lambda L: [list(named(L).keys()), list(named(L).values()), list(named(L)), list(reversed(named(L)))],
    "items": lambda L: list(named(L).items()),
    "set": lambda L: then(named(L), lambda c: c.__setitem__("z", L.ones(3))),
    "delete": lambda L: then(named(L), lambda c: c.__delitem__("a")),
    "delete what is missing": lambda L: then(named(L), lambda c: c.__delitem__("d")),
    "pop": lambda L: then(named(L), lambda c: c.pop("c")),
    "pop what is missing": lambda L: then(named(L), lambda c: c.pop("d")),
    "popitem": lambda L: then(named(L), lambda c: c.popitem()[0]),
    "popitem of none": lambda L: L.nn.ParameterDict().popitem(),
    "setdefault": lambda L: then(named(L), lambda c: [c.setdefault("c", 1), c.setdefault("y", L.ones(1))]),
    "clear": lambda L: then(named(L), lambda c: c.clear()),
    "copy": lambda L: then(named(L), lambda c: c.copy()),
    "fromkeys": lambda L: then(named(L), lambda c: c.fromkeys(["x", "y"], L.ones(1))),
    "update": lambda L: then(named(L), lambda c: c.update({"z": L.ones(1), "b": 3.0})),
    "or": lambda L: then(named(L), lambda c: c | L.nn.ParameterDict({"z": L.ones(1)})),
    "or in place": lambda L: then(named(L), lambda c: c.__ior__(L.nn.ParameterDict({"z": L.ones(1)}))),
    "call a dict": lambda L: named(L)(1),
    "times": lambda L: repr(L.nn.Sequential(L.nn.ReLU(), L.nn.Tanh()) * 2),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_containers(both, name):
    both(PROGRAMS[name], label=name)


def test_times_in_place(both):
    def program(L):
        layers = L.nn.Sequential(L.nn.ReLU(), L.nn.Tanh())
        layers *= 3
        return repr(layers), layers[0] is layers[2]

    both(program)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))])
def test_copies(copied):
    for container in (listed(autograd), named(autograd)):
        assert facts(copied(container)) == facts(container)


def test_the_container_of_old():
    with pytest.warns(UserWarning, match="deprecated"):
        container = nn.Container(first=nn.ReLU())
    assert repr(container) == "Container(\n  (first): ReLU()\n)"
