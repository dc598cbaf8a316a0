"""Pictures of gradient graphs: what they show is true, and looking changes nothing."""

import re
import shutil
import sys

import graphviz
import numpy as np
import pytest

import autograd
import nn
from autograd import Value
from autograd.draw import Drawing, draw, to_dot, trace
from autograd.draw import dot as dot_module
from autograd.tensor import node_of


def operators(found):
    return [record.operator for record in found.records if record.kind == "operator"]


def by_label(found):
    return {record.label: record for record in found.records if record.label}


def incoming(found, target):
    return [edge.source for edge in found.edges if edge.target == target]


def test_values_and_gradients_of_a_scalar_expression():
    a, b, c, f = (Value(number, label=label) for number, label in ((2.0, "a"), (-3.0, "b"), (10.0, "c"), (-2.0, "f")))
    e = a * b
    d = e + c
    loss = d * f
    e.label, d.label, loss.label = "e", "d", "L"
    found = by_label(trace(loss))
    expected = {"a": (2, 6), "b": (-3, -4), "c": (10, -2), "f": (-2, 4), "e": (-6, -2), "d": (4, -2), "L": (-8, 1)}
    assert {label: (record.value, record.gradient) for label, record in found.items()} == expected
    assert found["L"].is_root
    assert not found["d"].is_root
    source = draw(loss).source
    for text in ("×", "+", ">L<", "-8", "value", "grad", "rankdir=LR"):
        assert text in source


def test_both_edges_of_a_doubled_operand():
    for x in (Value(3.0), autograd.tensor(3.0, requires_grad=True)):
        found = trace(x + x)
        assert [(edge.source, edge.target) for edge in found.edges] == [(1, 0), (1, 0)]
        assert float(found.records[1].gradient) == 2.0
        assert draw(x + x).source.count("1 -> 0") == 2


def test_plain_numbers_are_constants():
    x = Value(3.0)
    found = trace(2.0 - x)
    assert operators(found) == ["sub"]
    sources = [found.records[number] for number in incoming(found, 0)]
    assert [record.kind for record in sources] == ["constant", "leaf"]
    assert sources[0].value == 2.0
    assert re.search(r"label=left.*style=dashed", draw(2.0 - x).source)

    data = autograd.tensor([[1.0, 2.0]])
    weight = autograd.ones(2, 3, requires_grad=True)
    found = trace(data @ weight, labels={"data": data})
    assert by_label(found)["data"].kind == "constant"
    np.testing.assert_array_equal(by_label(found)["data"].value, [[1.0, 2.0]])


def test_a_constant_that_several_operators_saved_is_one_record():
    data = autograd.tensor([1.0, 2.0])
    x = autograd.ones(2, requires_grad=True)
    found = trace((x * data + x * x * data).sum())
    assert [record.kind for record in found.records].count("constant") == 1


def mlp():
    autograd.manual_seed(0)
    return nn.models.MLP(2, 3, 1, activation=nn.Tanh)


def network_loss(model, x, y):
    hidden = model[1](model[0](x))
    return ((model[2](hidden) - y) ** 2).mean() + 0.1 * hidden.abs().sum()


def test_gradients_are_those_of_grad_at_every_node():
    x = autograd.tensor([[0.5, -1.0], [2.0, 0.3]], requires_grad=True)
    a = x @ x.t()
    b = a.tanh()
    c = (b * a).sum(0)
    loss = (c * c).mean()
    found = trace(loss, labels={"x": x, "a": a, "b": b, "c": c, "loss": loss})
    for label, tensor in {"x": x, "a": a, "b": b, "c": c}.items():
        (expected,) = autograd.grad(loss, tensor, retain_graph=True)
        np.testing.assert_allclose(by_label(found)[label].gradient, expected.numpy(), rtol=1e-6)
        np.testing.assert_array_equal(by_label(found)[label].value, tensor.detach().numpy())


EXPRESSIONS = [
    lambda x, keep: keep(keep(keep(x * 2.0) + x).sum()),
    lambda x, keep: keep(keep(keep(x.exp()) / keep(x.abs())).mean()),
    lambda x, keep: keep(keep(keep(x @ x) @ x).tanh()).sum(1).max(),
    lambda x, keep: keep(keep(x.reshape(4)).softmax(0)).log().sum(),
    lambda x, keep: keep(keep(autograd.cat([x, keep(x * x)])).sum(0)).prod(),
    lambda x, keep: keep(autograd.stack([keep(x.relu()), keep(-x)])).pow(2).mean(),
    lambda x, keep: keep(keep(x[0]) * keep(x[:, 1])).sum() + keep(keep(x.t()) - x).sum(),
    lambda x, keep: keep(autograd.where(x > 0, keep(x * 3), keep(x / 2))).sum(),
    lambda x, keep: sum(keep(piece).sum() for piece in x.split(1)),
    lambda x, keep: keep(keep(x * x).clone().mul_(x)).sum(),
    lambda x, keep: keep(keep(x.clamp(-0.5, 1.0)).std()) * keep(x.norm()),
]


def test_a_shown_value_is_the_value():
    known = total = 0
    for expression in EXPRESSIONS:
        kept = []

        def keep(tensor, kept=kept):
            kept.append(tensor)
            return tensor

        x = autograd.tensor([[1.5, -0.5], [0.25, 2.0]], requires_grad=True)
        root = expression(x, keep)
        found = trace(root)
        order = list(autograd.graph.topological_order([node_of(root)]))
        records = dict(zip(order, found.records, strict=False))
        for tensor in kept:
            record = records[node_of(tensor)]
            total += 1
            if record.value is not None:
                known += 1
                np.testing.assert_allclose(record.value, tensor.detach().numpy(), rtol=1e-6)
                assert record.shape == tuple(tensor.shape)
            else:
                assert record.gradient is not None
    assert known >= 0.8 * total


def test_looking_touches_no_grad_and_calls_no_hook():
    calls = []
    x = autograd.tensor([1.0, 2.0], requires_grad=True)
    y = x * x
    y.retain_grad()
    y.register_hook(calls.append)
    x.register_hook(calls.append)
    x.register_post_accumulate_grad_hook(calls.append)
    y.grad_fn.register_hook(lambda *gradients: calls.append(gradients))
    loss = y.sum()
    draw(loss)
    assert calls == []
    assert x.grad is None
    assert y.grad is None
    loss.backward()
    assert len(calls) == 4
    np.testing.assert_array_equal(x.grad.numpy(), [2.0, 4.0])

    a = Value(3.0)
    b = a * a
    b.backward()
    before = a.grad, b.grad
    draw(b)
    assert (a.grad, b.grad) == before
    b.backward()
    assert a.grad == 12.0


def test_looking_leaves_grad_mode_and_anomaly_mode():
    x = autograd.tensor([0.0], requires_grad=True)
    loss = (x.sqrt() * 0.0).sum()
    with autograd.detect_anomaly():
        found = trace(loss)
        assert autograd.is_anomaly_enabled()
        with pytest.raises(RuntimeError, match="nan"):
            loss.backward()
    assert not autograd.is_anomaly_enabled()
    assert np.isnan(found.records[-1].gradient if found.records[-1].kind == "leaf" else found.records[-2].gradient)
    with autograd.no_grad():
        draw(x * 1.0)
        assert not autograd.is_grad_enabled()


def test_after_backward_the_picture_says_what_is_missing():
    model = mlp()
    x, y = autograd.ones(4, 2), autograd.zeros(4, 1)
    loss = network_loss(model, x, y)
    loss.backward()
    found = trace(loss, params=dict(model.named_parameters()))
    assert "retain_graph=True" in found.notes[0]
    assert all(record.gradient is None for record in found.records)
    weight = by_label(found)["0.weight"]
    np.testing.assert_array_equal(weight.accumulated, model[0].weight.grad.numpy())
    assert float(found.records[0].value) == pytest.approx(loss.item())
    source = to_dot(found).source
    assert "retain_graph=True" in source
    assert ".grad" in source


def test_with_retain_graph_everything_is_still_there():
    model = mlp()
    loss = network_loss(model, autograd.ones(4, 2), autograd.zeros(4, 1))
    loss.backward(retain_graph=True)
    found = trace(loss, params=dict(model.named_parameters()))
    assert found.notes == []
    np.testing.assert_allclose(by_label(found)["2.bias"].gradient, model[2].bias.grad.numpy(), rtol=1e-6)


def test_nothing_is_computed_from_numbers_that_have_changed():
    weight = autograd.ones(2, requires_grad=True)
    y = (weight + weight).exp()
    loss = y.sum()
    with autograd.no_grad():
        weight.mul_(5)
        y.zero_()
    found = trace(loss)
    assert "modified by an inplace operation" in found.notes[0]
    assert all(record.value is None for record in found.records if record.operator in ("add", "exp"))

    freed = (weight + weight) * weight
    total = freed.sum()
    total.backward()
    with autograd.no_grad():
        weight.mul_(5)
    for record in trace(total).records:
        assert record.operator not in ("add", "mul") or record.value is None


def test_tensor_without_a_graph_is_one_box():
    x = autograd.tensor([1.0, 2.0])
    found = trace(x, labels={"x": x})
    assert len(found.records) == 1
    assert found.records[0].label == "x"
    assert "requires no gradient" in draw(x).source
    leaf = autograd.tensor([1.0], requires_grad=True)
    assert [record.kind for record in trace(leaf).records] == ["leaf"]


def test_labels_and_parameters():
    model = mlp()
    x, y = autograd.ones(4, 2), autograd.zeros(4, 1)
    x.label = "not asked for"
    loss = network_loss(model, x, y)
    found = trace(loss, labels={"x": x, "loss": loss}, params=dict(model.named_parameters()))
    kinds = {label: record.kind for label, record in by_label(found).items()}
    assert kinds["0.weight"] == kinds["2.bias"] == "parameter"
    assert kinds["x"] == "constant"
    assert kinds["loss"] == "operator"
    leaf = autograd.ones(1, requires_grad=True)
    leaf.label = "mine"
    assert "mine" in by_label(trace(leaf * 2))


def test_operators_with_several_results():
    x = autograd.arange(4.0).requires_grad_()
    first, second = x.chunk(2)
    found = trace((first * second).sum())
    outputs = [record for record in found.records if record.kind == "output"]
    assert sorted(record.settings for record in outputs) == ["output 0", "output 1"]
    assert all(record.gradient.shape == (2,) for record in outputs)
    assert operators(found)[-1] == "split_at"


def test_several_roots_and_roots_of_many_elements():
    x = autograd.tensor([1.0, 2.0], requires_grad=True)
    found = trace([x * 2, (x * x).sum()])
    assert [record.is_root for record in found.records].count(True) == 2
    np.testing.assert_array_equal(next(r for r in found.records if r.kind == "leaf").gradient, [4.0, 6.0])
    assert "sum of all root elements" in found.notes[0]


def test_large_graphs_without_recursion():
    depth = 20_000
    assert depth > sys.getrecursionlimit()
    value = Value(1.0)
    tensor = autograd.ones((), requires_grad=True)
    for _ in range(depth):
        value = value + value if value.data < 1e6 else value * 0.5
        tensor = tensor * 1.0
    found = trace(value)
    assert len(found.records) > depth
    assert all(record.gradient is not None for record in found.records if record.kind != "constant")
    drawing = draw(tensor)
    assert drawing.source.count("->") == 2 * depth
    bundle = drawing._repr_mimebundle_()
    assert "too many" in bundle["text/plain"]
    assert len(bundle["text/plain"]) < 1000


def test_labels_are_escaped():
    x = Value(1.0, label='<b> & "quotes" \\N')
    source = draw(x.exp()).source
    assert "&lt;b&gt; &amp; " in source
    if shutil.which("dot"):
        assert "quotes" in draw(x.exp()).pipe(format="svg", encoding="utf-8")


def test_numbers_and_summaries():
    x = autograd.tensor([[1.0, -2.0], [0.5, 1000.0]], requires_grad=True)
    source = draw(x * 1).source
    assert "[[   1.000   -2.000]" in source
    assert "min" not in source
    source = draw(x * 1, max_elements=3).source
    for fact in ("min", "mean", "max"):
        assert fact in source
    bad = autograd.tensor([np.nan, np.inf, 1.0], requires_grad=True)
    assert "2 not finite" in draw(bad.relu(), max_elements=2).source
    assert "value" not in draw(x * 1, values=False).source
    assert "grad  " not in draw(x * 1, gradients=False).source
    assert "-0<" not in draw(Value(-0.0)).source


def test_an_empty_tensor():
    x = autograd.zeros(0, 3).requires_grad_()
    assert "0×3" in draw((x * 2).sum(), max_elements=0).source


def test_the_picture():
    if shutil.which("dot") is None:
        pytest.skip("Graphviz' dot is not installed")
    model = mlp()
    loss = network_loss(model, autograd.ones(4, 2), autograd.zeros(4, 1))
    drawing = draw(loss, params=dict(model.named_parameters()))
    assert isinstance(drawing, graphviz.Digraph)
    svg = drawing._repr_svg_()
    assert svg.count('class="node"') == drawing.box_count
    assert "0.weight" in svg
    assert drawing._repr_mimebundle_()["image/svg+xml"] == svg


def test_without_the_dot_program(monkeypatch):
    monkeypatch.setenv("PATH", "")
    drawing = draw(Value(2.0) * 3.0)
    assert drawing._repr_svg_() is None
    text = drawing._repr_mimebundle_()["text/plain"]
    assert "install Graphviz" in text
    assert "digraph" in text


def test_bad_arguments():
    x = autograd.ones(1, requires_grad=True)
    for arguments, error, message in (
        ((3.0,), TypeError, "Value or a Tensor, but got float"),
        (([],), ValueError, "empty"),
        (([x, "x"],), TypeError, "got str"),
    ):
        with pytest.raises(error, match=message):
            draw(*arguments)
    for bad in (-1, 2.5, True):
        with pytest.raises(ValueError, match="max_elements"):
            draw(x, max_elements=bad)
    with pytest.raises(TypeError, match="'w' must be a Value or a Tensor"):
        draw(x, labels={"w": 3})


def test_the_package_can_be_called():
    import autograd.draw  # noqa: F401

    assert callable(autograd.draw)
    assert isinstance(autograd.draw(Value(1.0)), Drawing)
    assert isinstance(sys.modules["autograd.draw"](Value(1.0)), Drawing)


def test_every_sign_belongs_to_an_operator():
    from autograd.ops import load_all
    from autograd.rows.table import TABLE

    load_all()

    for names in (dot_module.GLYPHS, dot_module.SYMMETRIC, dot_module.OPERANDS):
        assert set(names) <= set(TABLE)
