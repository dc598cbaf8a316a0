"""What nested tensors are: history, memory, sizes, printed form, copies and files as in PyTorch."""

import copy
import io
import pickle
import re
import weakref

import numpy as np
import pytest
from nested_tensors import LAYOUTS, arrays, holes, jag, make
from parity import agree, outcome, refuse_alike

import autograd
from autograd import nested


@pytest.mark.parametrize("layout", LAYOUTS)
def test_history_leads_to_the_components(ours, theirs, layout):
    results = []
    for L in (ours, theirs):
        parts = [L.tensor(a, requires_grad=True) for a in arrays()]
        x = L.nested.as_nested_tensor(parts, layout=getattr(L, layout))
        factors = [L.tensor(a) for a in arrays(seed=3)]
        weight = L.nested.nested_tensor(factors, layout=getattr(L, layout))
        if layout == "jagged":
            weight = L.nested.nested_tensor_from_jagged(weight.values(), x.offsets())
        (x * x).backward(weight)
        leaf = L.nested.nested_tensor(parts, layout=getattr(L, layout), requires_grad=True)
        results.append([x.is_leaf, leaf.is_leaf, *[part.grad for part in parts]])
    agree(*results)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_hooks_and_kept_gradients_are_nested(layout):
    x = nested.nested_tensor([autograd.ones(2, 3), autograd.ones(1, 3)], layout=getattr(autograd, layout))
    x.requires_grad_()
    seen = []
    x.register_hook(lambda g: g * 2)
    y = x * 3
    y.retain_grad()
    y.register_hook(lambda g: seen.append(g.is_nested))
    y.sum().backward(retain_graph=True)
    assert seen == [True]
    assert y.grad.unbind()[1].tolist() == [[1.0] * 3]
    assert x.grad.unbind()[0].tolist() == [[6.0] * 3] * 2
    (y * y).values().sum().backward()  # a second time, from a new node
    assert x.grad.unbind()[0].tolist() == [[6.0 + 2 * 9 * 2] * 3] * 2
    (g,) = autograd.grad((x * x).values().sum(), x, create_graph=True)
    (gg,) = autograd.grad(g.sum(), x)
    assert gg.unbind()[1].tolist() == [[8.0] * 3]  # the hook doubles it twice
    with pytest.raises(RuntimeError, match="Mismatch in shape"):
        y.backward(nested.nested_tensor([autograd.ones(2, 3)], layout=getattr(autograd, layout)))
    with pytest.raises(RuntimeError, match="implicitly created only for scalar"):
        y.backward()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_writes_reach_the_memory_and_the_graph(layout):
    x = nested.nested_tensor([autograd.ones(2, 3), autograd.ones(1, 3)], layout=getattr(autograd, layout))
    view = x.unbind()[0]
    x.mul_(3)
    assert view.tolist() == [[3.0] * 3] * 2
    x[1] = 7.0
    assert x[1].tolist() == [[7.0] * 3]
    leaf = x.requires_grad_()
    with pytest.raises(RuntimeError, match="leaf Variable"):
        leaf.add_(1)
    with autograd.no_grad():
        leaf.add_(leaf.detach())
    y = leaf * 1
    y[0] = leaf[0] * 5
    y[1, 0] = 0.0
    y.sum().backward()
    assert leaf.grad[0].tolist() == [[5.0] * 3] * 2
    assert leaf.grad[1].tolist() == [[0.0] * 3]
    z = leaf * 2
    square = z * z
    z.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        square.sum().backward()


def test_in_the_memory_of_its_values(ours, theirs):
    results = []
    for L in (ours, theirs):
        values = L.tensor(np.arange(12.0).reshape(6, 2))
        x = L.nested.nested_tensor_from_jagged(values, L.tensor([0, 2, 3, 6]))
        x.mul_(2)
        x.values().add_(1)
        padded = L.nested.nested_tensor_from_jagged(values, x.offsets(), max_seqlen=3).to_padded_tensor(0.0)
        results.append([values, x[2], x.to_padded_tensor(0.0), padded])
    agree(*results)


REFUSED = {
    "shape": lambda L: make(L, "strided").shape,
    "irregular size": lambda L: make(L, "strided").size(1),
    "stride": lambda L: make(L, "strided").stride(),
    "H": lambda L: jag(L).H,
    "unbind 1": lambda L: jag(L).unbind(1),
    "unbind 1 strided": lambda L: make(L, "strided").unbind(1),
    "item": lambda L: jag(L).item(),
    "bool": lambda L: bool(jag(L)),
    "numpy": lambda L: jag(L).numpy(),
    "tolist": lambda L: jag(L).tolist(),
    "component": lambda L: jag(L)[5],
    "slice of components": lambda L: jag(L)[0:1],
    "slice of the ragged": lambda L: jag(L)[..., 0:1, :],
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_as_in_pytorch(ours, theirs, name):
    refuse_alike(ours, theirs, REFUSED[name])


def printed(x):
    return re.sub(r"0x[0-9a-f]+", "0x", re.sub(r"\bj\d+", "j", repr(x)))


PRINTED = {
    "strided": lambda L: make(L, "strided"),
    "jagged": jag,
    "leaf": lambda L: make(L, "strided", requires_grad=True),
    "jagged leaf": lambda L: jag(L, requires_grad=True),
    "float32": lambda L: make(L, "strided").float(),
    "bools": lambda L: make(L, "strided") > 0,
    "nothing": lambda L: L.nested.nested_tensor([]),
    "0-d": lambda L: L.nested.nested_tensor([1.0, 2.0]),
    "an empty component": lambda L: L.nested.nested_tensor([L.ones(0, 3), L.ones(1, 3)]),
    "from parts": lambda L: L.nested.as_nested_tensor([L.tensor(a, requires_grad=True) for a in arrays()]),
    "from parts, jagged": lambda L: L.nested.as_nested_tensor(
        [L.tensor(a, requires_grad=True) for a in arrays()], layout=L.jagged
    ),
    "product": lambda L: make(L, "strided", requires_grad=True) * 2,
    "jagged product": lambda L: jag(L, requires_grad=True) * 2,
    "transposed": lambda L: jag(L).mT,
    "holes": holes,
    "large": lambda L: L.nested.nested_tensor([L.tensor(np.arange(2000.0)), L.tensor(np.arange(3.0))]),
    "size": lambda L: jag(L).shape,
    "strides": lambda L: jag(L).stride(),
}


@pytest.mark.parametrize("name", PRINTED)
def test_printed_as_in_pytorch(ours, theirs, name):
    assert printed(PRINTED[name](ours)) == printed(PRINTED[name](theirs))


SIZES_OF_SIZES = {
    "equal": lambda j, k: (j == j, j == k, j != k, j == 3, j != 3, j * 2 == j * 2, j * 2 == j),
    "small": lambda j, k: (j >= 2, j > 1, j < 2, j < 2, j > 1, j >= 0),
    "multiples": lambda j, k: (3 * j >= j, j <= j * 3, j < 2 * j, j > j * 2),
    "printed": lambda j, k: re.sub(r"\d+$", "", str(3 * j)),
    "true": lambda j, k: (bool(j), isinstance(j, int)),
    "> 2": lambda j, k: j > 2,
    ">= 3": lambda j, k: j >= 3,
    "<= 2": lambda j, k: j <= 2,
    "of another": lambda j, k: j > k,
    "product": lambda j, k: j * j,
}


@pytest.mark.parametrize("name", SIZES_OF_SIZES)
def test_ragged_sizes_compare_as_in_pytorch(ours, theirs, name):
    (mine, my_error), (other, their_error) = (
        outcome(SIZES_OF_SIZES[name], jag(L).size(1), jag(L).size(1)) for L in (ours, theirs)
    )
    assert (mine, my_error) == (other, their_error)


def test_one_structure_has_one_ragged_size():
    x = make(autograd, "jagged")
    assert x.shape == (x * 2).shape == x.clone().shape == copy.deepcopy(x).shape == autograd.zeros_like(x).shape
    assert x.shape != make(autograd, "jagged").shape
    assert isinstance(x.size(1), autograd.SymInt)
    assert hash(x.size(1)) == hash((x * 2).size(1))
    assert x.shape[:2] == (3, x.size(1))
    assert isinstance(x.shape[:2], autograd.Size)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_copies_pickles_and_files(layout):
    x = make(autograd, layout, requires_grad=True)
    (x * x).values().sum().backward()
    twin = copy.deepcopy(x)
    assert twin.requires_grad
    assert twin.is_leaf
    assert autograd.equal(twin.grad, x.grad)
    assert twin.values().data_ptr() != x.values().data_ptr()
    with pytest.raises(RuntimeError, match="deepcopy"):
        copy.deepcopy(x * 2)
    stream = io.BytesIO()
    autograd.save({"x": x}, stream)
    for again in (pickle.loads(pickle.dumps(x)), autograd.load(io.BytesIO(stream.getvalue()))["x"]):
        assert again.requires_grad
        assert again.layout is x.layout
        for a, b in zip(again.unbind(), x.unbind(), strict=True):
            assert autograd.equal(a, b)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_pytorch_reads_our_files(torch, layout):
    x, stream = make(autograd, layout), io.BytesIO()
    autograd.save(x, stream)
    stream.seek(0)
    found = torch.load(stream)
    for a, b in zip(x.unbind(), found.unbind(), strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("weights_only", [True, False])
def test_reads_files_of_pytorch(torch, layout, weights_only):
    stream = io.BytesIO()
    parts = [torch.ones(2, 3), torch.zeros(1, 3)]
    torch.save(torch.nested.nested_tensor(parts, layout=getattr(torch, layout)), stream)
    stream.seek(0)
    x = autograd.load(stream, weights_only=weights_only)
    assert [part.tolist() for part in x.unbind()] == [[[1.0] * 3] * 2, [[0.0] * 3]]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_graph_keeps_no_numbers_that_no_rule_saved(layout):
    x = make(autograd, layout, requires_grad=True)
    y = x * 2
    kept = weakref.ref(y._numbers)
    z = y + 1
    del y
    assert kept() is None
    z.sum().backward()
    assert x.grad[0].tolist() == [[2.0] * 3] * 2


@pytest.mark.parametrize("layout", LAYOUTS)
def test_compared_and_materialized(layout):
    x = make(autograd, layout, requires_grad=True)
    autograd.testing.assert_close(x, x * 1)
    with pytest.raises(AssertionError, match="Mismatched elements"):
        autograd.testing.assert_close(x, x + 1)
    y = autograd.ones(2, requires_grad=True)
    (zeros,) = autograd.grad(y.sum(), x, materialize_grads=True)
    assert zeros.is_same_size(x)
    assert not zeros.sum()
    assert autograd.allclose(x, x * 1)
    assert not autograd.equal(x, x + 1)


def test_tangents_pass_through():
    def function(x):
        return nested.as_nested_tensor([x, x[:1] * 2], layout=autograd.jagged).exp().values().sum()

    x = autograd.tensor([0.5, 1.0], dtype=autograd.float64)
    value, tangent = autograd.func.jvp(function, (x,), (autograd.ones_like(x),))
    assert autograd.allclose(tangent, x.exp().sum() + 2 * (2 * x[:1]).exp().sum())
    assert autograd.allclose(value, function(x))
    with pytest.raises(RuntimeError, match="vmap: a nested tensor"):
        autograd.vmap(function)(autograd.ones(2, 3))


def test_loaded_when_used(subprocess_python):
    subprocess_python(
        "import sys, autograd; autograd.jagged; autograd.nested; "
        "assert not [name for name in sys.modules if name.startswith('autograd.ops.nested')]"
    )
