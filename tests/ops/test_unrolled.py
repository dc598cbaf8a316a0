"""The written-out path of rows with kernels does what the general one does: same numbers, same memory, same graph."""

import ast

import numpy as np
import pytest
from operator_samples import ATTRIBUTES, CASES, POINTWISE, arrays_for, sample

import autograd
from autograd import graph
from autograd.kernels import jit
from autograd.rows import unrolled
from autograd.rows.table import TABLE

UNROLLED = [row for row in TABLE.values() if unrolled._can_be_written(row)]


class watched:
    """While this is on, every operator takes the general way."""

    def __enter__(self):
        graph.watch(True)

    def __exit__(self, *error):
        graph.watch(False)


@pytest.mark.parametrize("row", UNROLLED, ids=lambda row: row.name)
def test_no_parameter_is_taken_for_another_name(row):
    """The text uses names of its own beside the row's parameters."""
    parameters = set(row.parameters)
    sources = [unrolled._call_source(row)]
    for name in row.rules:
        kinds = tuple(2 if each == name else 1 for each in row.inputs)
        plan = row.plan(tuple(kind == 2 for kind in kinds))
        sources.append(unrolled._recorder_source(row, plan, kinds))
    for lines in sources:
        tree = ast.parse("\n".join(lines))
        names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
        written = {node.id for node in names if isinstance(node.ctx, ast.Store)}
        assert not written & parameters
        assert not {node.id for node in names if node.id in unrolled._SCOPE} & parameters


def described(tensor):
    """What a result's graph consists of."""
    found, waiting, seen = [], [tensor._node], set()
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        saved = [v.shape if isinstance(v, np.ndarray) else type(v) for v in getattr(node, "saved", ())]
        guards = list(getattr(node, "guards", ())[1::2])
        fits = [want for want in getattr(node, "fit", None) or () if want is not None]
        found.append((node.name(), len(node.edges), saved, guards, fits))
        waiting += node.edges
    return found


def outcome(ours, expression, arrays):
    autograd.manual_seed(0)
    tensors = [ours.of(array, True) for array in arrays]
    out = expression(ours, *tensors)
    graph_of_it = described(out)
    gradients = autograd.grad(out, tensors, autograd.ones_like(out), allow_unused=True) if out.requires_grad else ()
    values = [out.detach(), *(g for g in gradients if g is not None)]
    return graph_of_it, [(v.numpy().tobytes(), v.shape, v.stride(), v.dtype) for v in values], out._view is None


@pytest.mark.parametrize(("name", "expression", "shapes"), CASES, ids=[case[0] for case in CASES])
def test_both_ways_agree(name, expression, shapes, ours):
    arrays = arrays_for(shapes, dtype="float32")
    with watched():
        general = outcome(ours, expression, arrays)
    outcome(ours, expression, arrays)  # a row's first call writes its short path
    assert outcome(ours, expression, arrays) == general


@pytest.mark.parametrize("row", POINTWISE, ids=lambda row: row.name)
def test_both_ways_agree_on_pointwise_rows(row, ours):
    """Alike, broadcast, numbers in the place of each operand, types that the short path refuses."""
    count = len(row.inputs)
    cases = [sample(row, [(2, 3)] * count, dtype="float32"), sample(row, [(2, 3), (3,), ()][:count], dtype="float64")]
    cases.append([array.astype("float32" if i else "float64") for i, array in enumerate(cases[0])])
    for arrays in cases:
        for number in (None, *range(count)):
            for attributes in {(), ATTRIBUTES.get(row.name, ())}:
                if number is not None and (count == 1 or row.inputs[number] == "condition"):
                    continue

                def expression(L, *tensors, number=number, arrays=arrays, attributes=attributes):
                    given = [float(a.flat[0]) if i == number else t for i, (a, t) in enumerate(zip(arrays, tensors))]  # noqa: B905
                    return row(*given, *attributes)

                with watched():
                    general = pointwise_outcome(ours, expression, arrays)
                pointwise_outcome(ours, expression, arrays)
                assert pointwise_outcome(ours, expression, arrays) == general, (number, attributes)


@pytest.mark.parametrize("name", ["tanh", "relu", "isnan", "mul", "pow", "leaky_relu", "gelu_exact", "where"])
def test_both_ways_agree_on_large_arrays(name, ours):
    """Where loops take over: operands in one piece, broadcast, transposed; a number; other modes in between."""
    row = TABLE[name]
    count = len(row.inputs)
    n = int(jit.threshold**0.5) + 2
    for shapes in ([(n, n)] * count, [(n, n), *[(n,)] * (count - 1)], [(n, 1), *[(1, n)] * (count - 1)]):
        arrays = sample(row, shapes, dtype="float32")
        for transposed in (False, True):
            for number in (None, *range(1, count)):

                def expression(L, *tensors, number=number, transposed=transposed, arrays=arrays):
                    given = [t.t() if transposed and t.dim() == 2 else t for t in tensors]
                    given = [float(a.flat[0]) if i == number else t for i, (a, t) in enumerate(zip(arrays, given))]  # noqa: B905
                    return row(*given, *ATTRIBUTES.get(row.name, ()))

                with watched():
                    general = pointwise_outcome(ours, expression, arrays)
                for mode in ("auto", "never", "auto"):
                    with jit.using(mode):
                        pointwise_outcome(ours, expression, arrays)
                        short = pointwise_outcome(ours, expression, arrays)
                        assert short == general or mode == "never", (shapes, transposed, number)


def test_a_change_of_the_mode_reaches_the_way_back(ours, monkeypatch):
    """What a plan knows of sizes is forgotten: in mode ``always`` small arrays go through loops."""
    x = autograd.randn(3, 3, requires_grad=True)
    plan = x.tanh()._node.plan
    used = []
    for _ in range(2):
        x.tanh().sum().backward()
    assert plan.limit
    monkeypatch.setattr(plan.program, "loop", lambda *given: used.append(given) or [np.zeros((3, 3), np.float32)])
    x.tanh().sum().backward()
    assert not used
    with jit.using("always"):
        x.tanh().sum().backward()
        x.tanh().sum().backward()
    assert len(used) == 2


def pointwise_outcome(ours, expression, arrays):
    tensors = [ours.of(array, array.dtype.kind == "f") for array in arrays]
    try:
        out = expression(ours, *tensors)
        graph_of_it = described(out)
        leaves = [tensor for tensor in tensors if tensor.requires_grad]
        seed = autograd.ones_like(out)
        gradients = autograd.grad(out, leaves, seed, allow_unused=True) if out.requires_grad else ()
    except (RuntimeError, TypeError, AttributeError) as error:
        return type(error), str(error)
    values = [out.detach(), *(g for g in gradients if g is not None)]
    return graph_of_it, [(v.numpy().tobytes(), v.shape, v.stride(), v.dtype) for v in values]


def test_rows_take_the_short_path_unless_something_watches():
    row = TABLE["linear"]
    x, weight = autograd.ones(2, 3), autograd.ones(4, 3, requires_grad=True)
    call = lambda: autograd.nn.functional.linear(x, weight)  # noqa: E731
    call()
    plan = call()._node.plan
    assert None not in (row.short, plan.unrolled)
    with autograd.inference_mode():
        assert (row.short, plan.unrolled) == (None, None)
        call()
        assert row.short is None
    call()
    assert None not in (row.short, plan.unrolled)


def test_who_begins_to_watch_meanwhile_is_noticed(monkeypatch):
    row = TABLE["linear"]
    autograd.nn.functional.linear(autograd.ones(2, 3), autograd.ones(4, 3))
    unrolled._forget()
    answers = iter([False, True])
    with monkeypatch.context() as patch:
        patch.setattr(graph, "is_watched", lambda: next(answers))
        unrolled.write_call(row, lambda *arguments: None)
    assert row.short is None


def test_unusual_calls_end_as_in_the_general_way(ours):
    """Errors, halves, complex and saved inference tensors: the short path refuses, the general one knows."""
    with autograd.inference_mode():
        inferred = autograd.ones(2, 2)
    weight = autograd.ones(2, 2, requires_grad=True)
    calls = [
        lambda: autograd.matmul(autograd.ones(2, 3), autograd.ones(2, 3)),
        lambda: autograd.matmul(autograd.ones(2, 2), autograd.ones(2, 2, dtype=autograd.float64)),
        lambda: autograd.matmul(autograd.ones(2, 2), 3.0),
        lambda: autograd.matmul(inferred, weight),
        lambda: autograd.matmul(autograd.ones(2, 2).half(), autograd.ones(2, 2).half()),
        lambda: autograd.matmul(autograd.ones(2, 2).cfloat(), weight.cfloat()),
        lambda: autograd.matmul(autograd.ones(2, 2).bfloat16(), autograd.ones(2, 2).bfloat16()),
        lambda: autograd.softmax(autograd.ones(2, 2), 1, dtype=autograd.bfloat16),
    ]

    def ending(call):
        try:
            result = call()
        except Exception as error:
            return type(error), str(error)
        return result.dtype, result.float().tolist() if not result.is_complex() else result.tolist()

    autograd.matmul(autograd.ones(2, 2), weight)
    for call in calls:
        short = ending(call)
        with watched():
            assert ending(call) == short


def test_a_write_to_what_was_saved_is_noticed():
    x, weight = autograd.ones(2, 2), autograd.ones(2, 2, requires_grad=True)
    for _ in range(2):
        out = autograd.matmul(x, weight)
        x.add_(1)
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            out.sum().backward()
