"""Families loaded on first use: the lists of their names are what the modules register."""

import subprocess
import sys

from autograd.rows import deferred

PROBE = """
import sys
import autograd
from autograd import Tensor
from autograd.rows import deferred
from autograd.rows.public import NAMESPACES

def registered():
    names = {space: set(functions) for space, functions in NAMESPACES.items()}
    methods = {name for name, value in vars(Tensor).items() if callable(value) or isinstance(value, property)}
    return names, methods, dict(vars(Tensor))

for family, places in deferred.FAMILIES.items():
    listed = {space: set(names.split()) for space, names in places.items()}
    assert not any(name in NAMESPACES[space] for space in listed if space != "Tensor" for name in listed[space])
    before, _, attributes = registered()
    deferred.load(family)
    after, _, now = registered()
    for space in NAMESPACES:
        new = after[space] - before[space]
        if new - listed.get(space, set()):
            print(family, space, "is not listed:", *sorted(new - listed.get(space, set())))
        if listed.get(space, set()) - after[space]:
            print(family, space, "does not register:", *sorted(listed[space] - after[space]))
    changed = {name for name in now if now[name] is not attributes.get(name)}
    if changed != listed.get("Tensor", set()):
        print(family, "Tensor: listed and registered methods differ in", *sorted(changed ^ listed.get("Tensor", set())))
"""


def test_the_lists_are_what_the_families_register():
    done = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "", done.stdout


def test_names_are_found_before_their_family_is_loaded():
    for places in deferred.FAMILIES.values():
        for space, names in places.items():
            if space != "Tensor":
                assert set(names.split()) <= deferred.names(space)


def test_an_unknown_name_is_an_attribute_error():
    import autograd

    assert not hasattr(autograd, "no_such_function")
