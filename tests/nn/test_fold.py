"""Fold and Unfold against PyTorch's."""

import pytest
from layers import layer_program

LAYERS = [
    ("Unfold", (2,), {}, (2, 3, 4, 5)),
    ("Unfold", ((2, 3),), {"padding": 1, "stride": (2, 1), "dilation": (1, 2)}, (2, 3, 4, 5)),
    ("Unfold", (2, 2, 1, 3), {}, (3, 4, 5)),
    ("Fold", ((4, 5), 2), {}, (2, 12, 12)),
    ("Fold", (4, (2, 3)), {"padding": 1, "stride": 2}, (12, 6)),
    ("Fold", (5, 2, 2, 1, 2), {}, (1, 8, 9)),
]


@pytest.mark.parametrize(("name", "args", "kwargs", "shape"), LAYERS, ids=str)
def test_layers(name, args, kwargs, shape, both):
    both(layer_program(name, args, kwargs, shape))


def test_fold_undoes_unfold_but_counts_overlaps(both):
    def program(L):
        x = L.arange(30.0).reshape(1, 1, 5, 6)
        fold, unfold = L.nn.Fold((5, 6), 3, padding=1), L.nn.Unfold(3, padding=1)
        return fold(unfold(x)) / fold(unfold(L.ones_like(x))) - x

    (_, _, _, difference) = both(program)
    assert abs(difference).max() < 1e-5
