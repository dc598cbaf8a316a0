"""Nested tensors made as in PyTorch."""

import numpy as np
import pytest
from nested_tensors import arrays, described, holes, jag, make
from parity import agree, refuse_alike

CONSTRUCTED = {
    "lists": lambda L: L.nested.nested_tensor([[1, 2], [3]]),
    "lists jagged": lambda L: L.nested.nested_tensor([[1.5, 2.0], [3.0]], layout=L.jagged),
    "dtype": lambda L: L.nested.nested_tensor([[1, 2], [3]], dtype=L.float64),
    "two dtypes": lambda L: L.nested.nested_tensor([L.ones(2), L.ones(3, dtype=L.float64)]),
    "nested lists": lambda L: L.nested.nested_tensor([[[1, 2], [3, 4]], [[5, 6]]]),
    "an empty component": lambda L: L.nested.nested_tensor([L.ones(0, 3), L.ones(2, 3)], layout=L.jagged),
    "another ragged dimension": lambda L: L.nested.nested_tensor([L.ones(3, 2), L.ones(3, 4)], layout=L.jagged),
    "no ragged dimension": lambda L: L.nested.nested_tensor([L.ones(3, 2), L.ones(3, 2)], layout=L.jagged),
    "as a dense tensor": lambda L: L.nested.as_nested_tensor(L.tensor(np.ones((2, 3)))),
    "as a dense tensor, jagged": lambda L: L.nested.as_nested_tensor(L.tensor(np.ones((2, 3, 4))), layout=L.jagged),
    "as a tuple": lambda L: L.nested.as_nested_tensor((L.ones(2), L.ones(3)), dtype=L.float64),
    "lengths": lambda L: L.nested.nested_tensor_from_jagged(L.tensor(np.arange(6)), lengths=L.tensor([2, 1, 3])),
    "holes": holes,
    "holes unbound": lambda L: list(holes(L).unbind()),
    "jagged_dim": lambda L: L.nested.nested_tensor_from_jagged(
        L.tensor(np.ones((2, 6))), L.tensor([0, 2, 6]), jagged_dim=2
    ),
    "narrow": lambda L: L.nested.narrow(L.tensor(np.arange(20).reshape(4, 5)), 1, 1, 2, layout=L.jagged),
    "narrow by tensors": lambda L: L.nested.narrow(
        L.tensor(np.arange(20).reshape(4, 5)),
        1,
        L.tensor([0, 1, 2, 0]),
        L.tensor([1, 2, 3, 1]),
        layout=L.jagged,
    ),
    "narrow without holes": lambda L: L.nested.narrow(L.tensor(np.arange(20).reshape(4, 5)), 1, 0, 5, layout=L.jagged),
    "narrow strided": lambda L: L.nested.narrow(L.tensor(np.arange(20).reshape(4, 5)), 0, 1, 2),
    "masked_select": lambda L: L.nested.masked_select(L.tensor(arrays()[1]), L.tensor(arrays()[1] > 0)),
    "masked_select by a row": lambda L: L.nested.masked_select(L.tensor(arrays()[1]), L.tensor([True, False, True])),
    "masked_select of more": lambda L: L.nested.masked_select(
        L.tensor(np.ones((2, 2, 2))), L.tensor(np.ones((2, 2, 2)) > 0)
    ),
}


@pytest.mark.parametrize("name", CONSTRUCTED)
def test_constructed_as_in_pytorch(ours, theirs, name):
    agree(described(CONSTRUCTED[name](ours)), described(CONSTRUCTED[name](theirs)), what=name)


REFUSED = {
    "no list": lambda L: L.nested.nested_tensor(L.ones(2, 3)),
    "a tuple": lambda L: L.nested.nested_tensor((L.ones(2),)),
    "layout": lambda L: L.nested.nested_tensor([L.ones(2)], layout=L.sparse_coo),
    "dimensions": lambda L: L.nested.nested_tensor([L.ones(2), L.ones(2, 2)]),
    "dimensions, jagged": lambda L: L.nested.nested_tensor([L.ones(2), L.ones(2, 2)], layout=L.jagged),
    "dtypes, jagged": lambda L: L.nested.nested_tensor([L.ones(2), L.ones(2).double()], layout=L.jagged),
    "nothing, jagged": lambda L: L.nested.nested_tensor([], layout=L.jagged),
    "scalars, jagged": lambda L: L.nested.nested_tensor([1.0], layout=L.jagged),
    "two ragged, jagged": lambda L: L.nested.nested_tensor([L.ones(2, 3), L.ones(3, 2)], layout=L.jagged),
    "nested": lambda L: L.nested.nested_tensor([make(L, "strided")]),
    "integers that require grad": lambda L: L.nested.nested_tensor([[1]], requires_grad=True),
    "as a number": lambda L: L.nested.as_nested_tensor(3),
    "as a vector": lambda L: L.nested.as_nested_tensor(L.ones(2)),
    "as the other layout": lambda L: L.nested.as_nested_tensor(jag(L), layout=L.strided),
    "no offsets": lambda L: L.nested.nested_tensor_from_jagged(L.ones(3)),
    "jagged_dim 0": lambda L: L.nested.nested_tensor_from_jagged(L.ones(3), L.tensor([0, 3]), jagged_dim=0),
    "jagged_dim 2": lambda L: L.nested.nested_tensor_from_jagged(L.ones(3), L.tensor([0, 3]), jagged_dim=2),
    "lengths": lambda L: L.nested.nested_tensor_from_jagged(L.ones(3), L.tensor([0, 3]), L.tensor([1, 2])),
    "offsets 2-D": lambda L: L.nested.nested_tensor_from_jagged(L.ones(3), L.tensor([[0, 3]])),
    "offsets no tensor": lambda L: L.nested.nested_tensor_from_jagged(L.ones(3), [0, 3]),
    "offsets beyond": lambda L: L.nested.nested_tensor_from_jagged(L.ones(3), L.tensor([0, 2, 9])).unbind(),
    "narrow dim": lambda L: L.nested.narrow(L.ones(4, 5), 2, 0, 2, layout=L.jagged),
    "narrow tensors": lambda L: L.nested.narrow(L.ones(4, 5), 0, L.tensor([1]), 2),
    "narrow float": lambda L: L.nested.narrow(L.ones(4, 5), 1, 0.5, 2),
    "narrow lengths": lambda L: L.nested.narrow(L.ones(4, 5), 1, 0, L.tensor([1, 2]), layout=L.jagged),
    "masked_select layout": lambda L: L.nested.masked_select(L.ones(2, 2).to_sparse(), L.ones(2, 2) > 0),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_as_in_pytorch(ours, theirs, name):
    refuse_alike(ours, theirs, REFUSED[name])
