"""Arithmetic on sizes: on plain numbers as in PyTorch, on ragged ones where it means something."""

import pytest

import autograd

CALLS = [
    "sym_int(2.7), sym_int(-2.7), sym_int(True), sym_float(3), sym_not(0), sym_not(True), sym_sqrt(9), sym_sqrt(2.0)",
    "sym_max(1, 2), sym_max(1, 1.0), sym_max(3, 1.0), sym_min(1, 2), sym_min(1, 1.0), sym_min(0.5, 2)",
    "sym_ite(True, 1, 2), sym_ite(False, 1, 2), sym_sum([1, 2, 3]), sym_sum(1, 2), sym_sum((1, 2.5)), sym_sum([])",
    "sym_ite(1, 2, 3)",
    "sym_ite(True, 2, 3.0)",
    "sym_max('a', 'b')",
    "sym_min('a', 'b')",
    "sym_int('x')",
]


@pytest.mark.parametrize("source", CALLS)
def test_numbers(torch, source):
    found = []
    for lib in (autograd, torch):
        try:
            found.append([(type(x), x) for x in eval(source, {n: getattr(lib, n) for n in dir(lib) if "sym_" in n})])
        except Exception as error:
            found.append(type(error))
    assert found[0] == found[1]


def test_ragged_sizes():
    j = autograd.SymInt(1)
    assert autograd.sym_int(j) is j
    assert autograd.sym_max(3 * j, 2 * j) == 3 * j
