"""Module: registration, walking, modes, conversion, state, hooks, printing. PyTorch is the oracle."""

from __future__ import annotations

import copy
import gc
import os
import pickle
import weakref
from collections import OrderedDict

import numpy as np
import pytest

import autograd
import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(3, 4)
        self.rest = nn.Sequential(nn.ReLU(), nn.Linear(4, 2, bias=False))
        self.scale = nn.Parameter(autograd.ones(2))
        self.register_buffer("mean", autograd.zeros(2))
        self.register_buffer("cache", autograd.zeros(1), persistent=False)

    def forward(self, x):
        return self.rest(self.first(x)) * self.scale + self.mean


def torch_net(torch):
    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.first = torch.nn.Linear(3, 4)
            self.rest = torch.nn.Sequential(torch.nn.ReLU(), torch.nn.Linear(4, 2, bias=False))
            self.scale = torch.nn.Parameter(torch.ones(2))
            self.register_buffer("mean", torch.zeros(2))
            self.register_buffer("cache", torch.zeros(1), persistent=False)

    return Net()


def names(pairs):
    return [name for name, _ in pairs]


# --- Registration --------------------------------------------------------------------------------------------------


def test_the_tree_is_walked_as_in_torch():
    torch = pytest.importorskip("torch")
    ours, theirs = Net(), torch_net(torch)
    for method in ("named_parameters", "named_buffers", "named_modules", "named_children"):
        assert names(getattr(ours, method)()) == names(getattr(theirs, method)())
        if method != "named_children":
            assert names(getattr(ours, method)(prefix="p")) == names(getattr(theirs, method)(prefix="p"))
    assert names(ours.named_parameters(recurse=False)) == ["scale"]
    assert names(ours.named_buffers(recurse=False)) == ["mean", "cache"]
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert list(ours.state_dict(prefix="m.")) == list(theirs.state_dict(prefix="m."))
    assert [type(m).__name__ for m in ours.modules()] == [type(m).__name__ for m in theirs.modules()]
    assert len(list(ours.parameters())) == len(list(theirs.parameters()))
    assert [type(m) for m in ours.children()] == [nn.Linear, nn.Sequential]
    assert len(list(ours.buffers())) == 2


def test_shared_members_are_listed_once():
    shared = nn.Linear(2, 2)
    model = nn.Sequential(shared, shared)
    assert names(model.named_parameters()) == ["0.weight", "0.bias"]
    assert names(model.named_modules()) == ["", "0"]
    assert names(model.named_children()) == ["0"]
    everything = ["0.weight", "0.bias", "1.weight", "1.bias"]
    assert names(model.named_parameters(remove_duplicate=False)) == everything
    assert names(model.named_modules(remove_duplicate=False)) == ["", "0", "1"]
    assert [*model.modules(remove_duplicate=False)] == [model, model[0], model[1]]
    assert list(model.state_dict()) == everything
    model[1].weight = model[0].weight
    assert len(list(model.parameters())) == 2


def test_assignment_moves_a_name_between_registries():
    m = nn.Module()
    m.x = 1
    m.x = nn.Buffer(autograd.ones(1), persistent=False)
    assert "x" not in m.__dict__
    assert names(m.named_buffers()) == ["x"]
    assert list(m.state_dict()) == []
    m.x = autograd.zeros(3)
    assert m._buffers["x"].shape == (3,)
    m.x = nn.Linear(1, 1)
    assert "x" not in m._buffers
    assert list(m.state_dict()) == ["x.weight", "x.bias"]
    m.x = nn.Parameter(autograd.ones(1))
    assert "x" not in m._modules
    assert list(m.state_dict()) == ["x"]
    m.x = None
    assert m.x is None
    assert list(m.parameters()) == []
    del m.x
    assert not hasattr(m, "x")
    with pytest.raises(AttributeError):
        del m.x


def both_raise(kind, ours, theirs):
    """Both sides raise the same kind of error; returns ours as text."""
    with pytest.raises(kind):
        theirs()
    with pytest.raises(kind) as caught:
        ours()
    return str(caught.value)


def test_errors_of_registration():
    torch = pytest.importorskip("torch")
    cases = [
        (KeyError, "can't be empty", lambda m, t, n: m.register_parameter("", None)),
        (KeyError, 'can\'t contain "."', lambda m, t, n: m.register_buffer("a.b", None)),
        (KeyError, "already exists", lambda m, t, n: m.register_parameter("forward", None)),
        (KeyError, "already exists", lambda m, t, n: m.register_buffer("w", None)),
        (KeyError, "already exists", lambda m, t, n: m.add_module("w", n.Identity())),
        (KeyError, "can't be empty", lambda m, t, n: m.add_module("", n.Identity())),
        (TypeError, "should be a string", lambda m, t, n: m.register_buffer(3, None)),
        (TypeError, "should be a string", lambda m, t, n: m.register_parameter(3, None)),
        (TypeError, "nn.Parameter or None", lambda m, t, n: m.register_parameter("v", t.ones(1))),
        (TypeError, "Tensor or None", lambda m, t, n: m.register_buffer("v", 3.0)),
        (TypeError, "not a Module subclass", lambda m, t, n: m.add_module("v", 3)),
        (TypeError, "as parameter 'w'", lambda m, t, n: setattr(m, "w", t.ones(1))),
        (TypeError, "as parameter 'w'", lambda m, t, n: setattr(m, "w", n.Identity())),
        (TypeError, "as parameter 'w'", lambda m, t, n: setattr(m, "w", n.Buffer(t.ones(1)))),
        (TypeError, "as child module 'child'", lambda m, t, n: setattr(m, "child", 3)),
        (TypeError, "as child module 'child'", lambda m, t, n: setattr(m, "child", n.Buffer(t.ones(1)))),
        (TypeError, "as buffer 'b'", lambda m, t, n: setattr(m, "b", 3)),
        (AttributeError, "has no attribute 'missing'", lambda m, t, n: m.missing),
        (AttributeError, "`missing`", lambda m, t, n: m.get_submodule("child.missing")),
        (AttributeError, "not an nn.Module", lambda m, t, n: m.get_submodule("w")),
        (AttributeError, "not an nn.Parameter", lambda m, t, n: m.get_parameter("b")),
        (AttributeError, "not a buffer", lambda m, t, n: m.get_buffer("w")),
        (AttributeError, "`missing`", lambda m, t, n: m.get_parameter("child.missing")),
        (ValueError, "boolean", lambda m, t, n: m.train(1)),
        (NotImplementedError, 'missing the required "forward"', lambda m, t, n: m(1)),
        (TypeError, "floating point", lambda m, t, n: m.to(t.int64)),
        (TypeError, "dict-like", lambda m, t, n: m.load_state_dict([1])),
    ]
    for kind, message, act in cases:
        modules = []
        for t, n in ((autograd, nn), (torch, torch.nn)):
            m = n.Module()
            m.w = n.Parameter(t.ones(1))
            m.child = n.Identity()
            m.register_buffer("b", t.ones(1))
            modules.append((m, t, n))
        text = both_raise(kind, lambda: act(*modules[0]), lambda: act(*modules[1]))
        assert message in text.replace("\\", ""), text
    with pytest.raises(ValueError, match="non-leaf"):
        nn.Module().register_parameter("w", _made_by_an_operator())


def _made_by_an_operator():
    parameter = nn.Parameter(autograd.ones(1))
    with autograd.enable_grad():
        parameter._node = (parameter * 2)._node
    return parameter


def test_errors_before_init():
    torch = pytest.importorskip("torch")
    for make in (
        lambda t, n: n.Parameter(t.ones(1)),
        lambda t, n: n.Identity(),
        lambda t, n: n.Buffer(t.ones(1)),
    ):
        texts = []
        for t, n in ((autograd, nn), (torch, torch.nn)):

            class Forgetful(n.Module):
                def __init__(self, value):
                    self.value = value

            with pytest.raises(AttributeError) as caught:
                Forgetful(make(t, n))
            texts.append(str(caught.value))
        assert texts[0] == texts[1]

    class Late(nn.Module):
        def __init__(self):
            self.size = 3

    with pytest.raises(AttributeError, match=r"call super\(\).__init__\(\)"):
        Late()(1)


def test_lookup_by_path():
    net = Net()
    assert net.get_submodule("") is net
    assert net.get_submodule("rest.1") is net.rest[1]
    assert net.get_parameter("rest.1.weight") is net.rest[1].weight
    assert net.get_parameter("scale") is net.scale
    assert net.get_buffer("mean") is net.mean
    assert {"scale", "first", "mean", "forward"} <= set(dir(net))


def test_plain_containers_of_modules_warn():
    cases = [
        (lambda: [nn.Linear(1, 1)], "layers is a plain list of modules.*nn.ModuleList"),
        (lambda: (nn.Linear(1, 1),), "layers is a plain tuple of modules.*nn.ModuleList"),
        (lambda: {"a": nn.Linear(1, 1)}, "layers is a plain dict of modules.*nn.ModuleDict"),
        (lambda: [[1], [nn.Linear(1, 1)]], "layers is a plain list of modules.*nn.ModuleList"),
        (lambda: [nn.Parameter(autograd.ones(1))], "layers is a plain list of parameters.*nn.ParameterList"),
        (lambda: {"a": nn.Parameter(autograd.ones(1))}, "layers is a plain dict of parameters.*nn.ParameterDict"),
    ]
    for make, message in cases:
        m = nn.Module()
        with pytest.warns(UserWarning, match=message):
            m.layers = make()
        assert list(m.parameters()) == []
    nn.Module().sizes = [1, 2, "three"]


# --- Modes and conversion ------------------------------------------------------------------------------------------


def test_modes():
    net = Net()
    assert net.eval() is net
    assert not any(m.training for m in net.modules())
    net.train()
    assert all(m.training for m in net.modules())
    net.requires_grad_(False)
    assert not any(p.requires_grad for p in net.parameters())
    net.requires_grad_()
    net(autograd.ones(1, 3)).sum().backward()
    gradient = net.scale.grad
    net.zero_grad(set_to_none=False)
    assert net.scale.grad is gradient
    assert gradient.tolist() == [0.0, 0.0]
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())
    seen = []
    assert net.apply(lambda m: seen.append(type(m).__name__)) is net
    assert seen == ["Linear", "ReLU", "Linear", "Sequential", "Net"]


def test_conversion_keeps_the_parameters_themselves():
    net = Net()
    net.register_buffer("count", autograd.tensor(3))
    net(autograd.ones(1, 3)).sum().backward()
    weight = net.first.weight
    value = weight.tolist()
    for convert, dtype in (
        (lambda: net.double(), autograd.float64),
        (lambda: net.float(), autograd.float32),
        (lambda: net.half(), autograd.float16),
        (lambda: net.to(autograd.float64), autograd.float64),
        (lambda: net.to("cpu", autograd.float32), autograd.float32),
        (lambda: net.to(dtype=autograd.float64, device="cpu"), autograd.float64),
        (lambda: net.to(autograd.ones(1)), autograd.float32),
        (lambda: net.cpu(), autograd.float32),
    ):
        assert convert() is net
        assert net.first.weight is weight
        assert weight.dtype == dtype
        assert weight.grad.dtype == dtype
        assert net.mean.dtype == dtype
        assert net.count.dtype == autograd.int64
        assert weight.requires_grad
        assert weight.is_leaf
    np.testing.assert_allclose(weight.tolist(), value, rtol=1e-2)
    for wrong in (net.cuda, lambda: net.to("cuda"), lambda: net.cuda(0)):
        with pytest.raises(AssertionError, match="cuda"):
            wrong()
    with pytest.raises(TypeError, match="unexpected keyword"):
        net.to(kind=3)
    with pytest.raises(TypeError, match="expects a dtype"):
        net.to(3.0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_shared_memory_is_seen_by_a_forked_parent():
    net = Net().share_memory()
    child = os.fork()
    if child == 0:
        net.scale._array[...] = 7.0
        os._exit(0)
    os.waitpid(child, 0)
    assert net.scale.tolist() == [7.0, 7.0]


def test_deepcopy_and_pickle():
    net = Net()
    x = autograd.ones(2, 3)
    for copied in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert copied.first.weight is not net.first.weight
        assert isinstance(copied.first.weight, nn.Parameter)
        assert copied.first.weight.requires_grad
        assert copied(x).tolist() == net(x).tolist()
        copied.scale.data.zero_()
        assert net.scale.tolist() == [1.0, 1.0]
        assert list(copied.state_dict()) == list(net.state_dict())
    shared = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    shared[1].weight = shared[0].weight
    copied = copy.deepcopy(shared)
    assert copied[0].weight is copied[1].weight


def test_parameter_and_buffer():
    p = nn.Parameter(autograd.tensor([1.0, 2.0]))
    assert repr(p) == "Parameter containing:\ntensor([1., 2.], requires_grad=True)"
    assert type(p + 1) is autograd.Tensor
    p.grad = autograd.ones(2)
    copied = copy.deepcopy(p)
    assert type(copied) is nn.Parameter
    assert copied.grad is None
    assert copied.requires_grad
    loaded = pickle.loads(pickle.dumps(nn.Parameter(autograd.ones(2), requires_grad=False)))
    assert type(loaded) is nn.Parameter
    assert not loaded.requires_grad
    with autograd.no_grad():
        assert nn.Parameter(autograd.ones(1)).requires_grad
    base = autograd.zeros(2)
    nn.Parameter(base).data.fill_(3)
    assert base.tolist() == [3.0, 3.0]
    assert nn.Parameter().shape == (0,)
    with pytest.raises(TypeError, match="takes a Tensor"):
        nn.Parameter([1.0])
    with pytest.raises(RuntimeError, match="floating point"):
        nn.Parameter(autograd.tensor([1]))
    assert nn.Buffer(autograd.ones(1)).persistent
    assert repr(nn.Buffer(autograd.ones(1))) == "tensor([1.])"


def test_modules_die_without_the_garbage_collector():
    gc.disable()
    try:
        net = Net()
        net(autograd.ones(1, 3)).sum().backward()
        died = weakref.ref(net)
        del net
        assert died() is None
    finally:
        gc.enable()


# --- State ---------------------------------------------------------------------------------------------------------


def test_state_dict_shares_memory_and_is_detached():
    net = Net()
    state = net.state_dict()
    assert isinstance(state, OrderedDict)
    assert not state["scale"].requires_grad
    state["scale"].fill_(5)
    assert net.scale.tolist() == [5.0, 5.0]
    assert net.state_dict(keep_vars=True)["scale"] is net.scale
    destination = OrderedDict()
    assert net.state_dict(destination=destination) is destination


def test_loading_copies_and_reports():
    source, target = Net(), Net()
    weight = target.first.weight
    result = target.load_state_dict(source.state_dict())
    assert repr(result) == str(result) == "<All keys matched successfully>"
    assert target.first.weight is weight
    assert weight.tolist() == source.first.weight.tolist()
    assert weight._array is not source.first.weight._array
    state = source.state_dict()
    del state["scale"]
    state["extra"] = autograd.ones(1)
    result = target.load_state_dict(state, strict=False)
    assert result.missing_keys == ["scale"]
    assert result.unexpected_keys == ["extra"]
    assert repr(result) == "_IncompatibleKeys(missing_keys=['scale'], unexpected_keys=['extra'])"


def test_failed_loading_lists_everything_as_torch_does_and_changes_nothing():
    torch = pytest.importorskip("torch")
    ours, theirs = Net(), torch_net(torch)
    texts = []
    for t, model in ((autograd, ours), (torch, theirs)):
        state = model.state_dict()
        before = {name: value.tolist() for name, value in state.items()}
        wrong = OrderedDict((name, value + 1) for name, value in state.items())
        del wrong["scale"], wrong["rest.1.weight"]
        wrong["first.bias"] = t.ones(7)
        wrong["mean"] = t.ones(2, 2)
        wrong["nothing"] = t.ones(1)
        wrong["first.nothing"] = t.ones(1)
        wrong["rest.9.weight"] = t.ones(1)
        with pytest.raises(RuntimeError) as caught:
            model.load_state_dict(wrong)
        texts.append(str(caught.value))
        if t is autograd:
            assert before == {name: value.tolist() for name, value in model.state_dict().items()}
            with pytest.raises(RuntimeError, match="size mismatch"):
                model.load_state_dict(wrong, strict=False)
            assert before == {name: value.tolist() for name, value in model.state_dict().items()}
    assert texts[0] == texts[1]


def test_loading_takes_arrays_of_other_libraries():
    torch = pytest.importorskip("torch")
    theirs = torch_net(torch)
    net = Net()
    net.load_state_dict(theirs.state_dict())
    np.testing.assert_array_equal(net.first.weight.detach().numpy(), theirs.first.weight.detach().numpy())
    net.load_state_dict({name: value.numpy() * 0 for name, value in theirs.state_dict().items()})
    assert net.first.bias.tolist() == [0.0] * 4
    with pytest.raises(RuntimeError, match='parameter named "scale", expected a Tensor'):
        net.load_state_dict({**net.state_dict(), "scale": 3})
    one = nn.Module()
    one.w = nn.Parameter(autograd.tensor(0.0))
    one.load_state_dict({"w": autograd.ones(1)})
    assert one.w.item() == 1.0


def test_loading_converts_the_dtype_unless_it_assigns():
    net = Net()
    state = {name: value.double() for name, value in net.state_dict().items()}
    net.load_state_dict(state)
    assert net.scale.dtype == autograd.float32
    net.scale.requires_grad_(False)
    net.load_state_dict(state, assign=True)
    assert net.scale.dtype == autograd.float64
    assert net.scale._array is state["scale"]._array
    assert not net.scale.requires_grad
    assert net.first.weight.requires_grad
    assert isinstance(net.first.weight, nn.Parameter)


@pytest.mark.parametrize("dtype", ["float64", "complex64", "int64", "bool"])
def test_loading_assigns_what_can_be_trained(dtype, both):
    def program(lib):
        package = nn if lib is autograd else lib.nn
        layer = package.Linear(2, 1)
        layer.load_state_dict({"weight": lib.ones(1, 2, dtype=getattr(lib, dtype)), "bias": lib.ones(1)}, assign=True)
        return layer.weight

    both(program)


def test_loading_is_noticed_by_a_graph_that_saved_a_parameter():
    net = nn.Linear(2, 2)
    x = autograd.ones(1, 2, requires_grad=True)
    y = net(x).sum()
    net.load_state_dict(nn.Linear(2, 2).state_dict())
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.backward()


def test_extra_state():
    class Counting(nn.Module):
        def __init__(self):
            super().__init__()
            self.count = 0

        def get_extra_state(self):
            return {"count": self.count}

        def set_extra_state(self, state):
            self.count = state["count"]

    model = nn.Sequential(Counting())
    model[0].count = 3
    state = model.state_dict()
    assert list(state) == ["0._extra_state"]
    other = nn.Sequential(Counting())
    assert repr(other.load_state_dict(state)) == "<All keys matched successfully>"
    assert other[0].count == 3
    with pytest.raises(RuntimeError, match=r'Missing key\(s\) in state_dict: "0._extra_state"'):
        other.load_state_dict({})


def test_state_hooks():
    net = nn.Linear(1, 1, bias=False)
    calls = []
    net.register_state_dict_pre_hook(lambda m, prefix, keep_vars: calls.append((m is net, prefix, keep_vars)))
    net.register_state_dict_post_hook(lambda m, state, prefix, metadata: state.update({prefix + "extra": 1}))
    assert list(net.state_dict(prefix="p.")) == ["p.weight", "p.extra"]
    assert calls == [(True, "p.", False)]

    def rename(module, state, prefix, metadata, strict, missing, unexpected, errors):
        state[prefix + "weight"] = state.pop(prefix + "w")

    target = nn.Linear(1, 1, bias=False)
    target.register_load_state_dict_pre_hook(rename)
    target.register_load_state_dict_post_hook(lambda m, keys: calls.append(m.weight.item()))
    target.load_state_dict({"w": autograd.full((1, 1), 2.0)})
    assert target.weight.item() == 2.0
    assert calls[-1] == 2.0

    forgiving = nn.Linear(1, 1)
    forgiving.register_load_state_dict_post_hook(lambda m, keys: keys.missing_keys.clear())
    forgiving.load_state_dict({"weight": autograd.full((1, 1), 2.0)})
    assert forgiving.weight.item() == 2.0


# --- Forward and backward hooks ------------------------------------------------------------------------------------


def test_forward_hooks_change_arguments_and_results():
    m = nn.Identity()
    handle = m.register_forward_pre_hook(lambda module, args: args[0] + 1)
    m.register_forward_hook(lambda module, args, output: output * 10)
    assert m(1) == 20
    handle.remove()
    assert m(1) == 10
    m.register_forward_hook(lambda module, args, output: output + 1, prepend=True)
    assert m(1) == 20
    m.register_forward_pre_hook(
        lambda module, args, kwargs: ((kwargs.pop("value"),), kwargs), with_kwargs=True, prepend=True
    )
    m.register_forward_hook(lambda module, args, kwargs, output: (args, kwargs, output), with_kwargs=True)
    assert m(value=5) == ((5,), {}, 60)
    bad = nn.Identity()
    bad.register_forward_pre_hook(lambda module, args, kwargs: 3, with_kwargs=True)
    with pytest.raises(RuntimeError, match="new_args, new_kwargs"):
        bad(1)


def test_always_called_hooks_run_when_forward_fails():
    class Failing(nn.Module):
        def forward(self, x):
            raise ValueError("no")

    m, calls = Failing(), []
    m.register_forward_hook(lambda *_: calls.append("usual"))
    m.register_forward_hook(lambda module, args, output: calls.append((args, output)), always_call=True)
    with pytest.raises(ValueError, match="no"):
        m(3)
    assert calls == [((3,), None)]

    def raising(*_):
        raise KeyError("hook")

    m.register_forward_hook(raising, always_call=True)
    with pytest.warns(UserWarning, match="always_call"), pytest.raises(ValueError, match="no"):
        m(3)


class TwoInTwoOut:
    """A module of two inputs and outputs, in either library."""

    def __new__(cls, n):
        class Module(n.Module):
            def forward(self, a, b, factor=2.0):
                return a * b, a + b * factor

        return Module()


def run_with_hooks(t, n, inputs, use, change=None):
    """What the hooks of a call saw, and the gradients of its inputs."""
    seen = []
    m = TwoInTwoOut(n)

    def listed(gradients):
        return [None if g is None else g.tolist() for g in gradients]

    def pre_hook(module, grad_output):
        seen.append(("pre", listed(grad_output)))
        if change in ("output", "both"):
            return tuple(None if g is None else g * 2 for g in grad_output)
        return None

    def hook(module, grad_input, grad_output):
        # For an input that is not recorded PyTorch shows zeros or None, we None.
        recorded = [g for g, (_, wanted) in zip(grad_input, inputs, strict=True) if wanted]
        seen.append(("hook", listed(recorded), listed(grad_output)))
        if change in ("input", "both"):
            return tuple(None if g is None else g * 3 for g in grad_input)
        return None

    m.register_full_backward_pre_hook(pre_hook)
    m.register_full_backward_hook(hook)
    tensors = [t.tensor(value, requires_grad=recorded) for value, recorded in inputs]
    outputs = m(*tensors)
    sum(outputs[i].sum() for i in use).backward()
    return seen, [None if x.grad is None else x.grad.tolist() for x in tensors]


def test_backward_hooks_see_and_change_what_torch_shows_them():
    torch = pytest.importorskip("torch")
    a, b = [1.0, 2.0], [3.0, 5.0]
    for inputs in ([(a, True), (b, True)], [(a, True), (b, False)]):
        for use in ((0, 1), (0,), (1,)):
            for change in (None, "output", "input", "both"):
                ours = run_with_hooks(autograd, nn, inputs, use, change)
                theirs = run_with_hooks(torch, torch.nn, inputs, use, change)
                assert ours == theirs, (inputs, use, change)


def test_backward_hooks_without_recorded_inputs():
    net = nn.Linear(2, 1)
    seen = []
    net.register_full_backward_hook(
        lambda m, grad_input, grad_output: seen.append((grad_input, grad_output[0].tolist()))
    )
    out = net(autograd.ones(1, 2))
    with pytest.warns(UserWarning, match="no inputs require gradients"):
        out.sum().backward()
    assert seen == [((None,), [[1.0]])]
    with autograd.no_grad():
        assert not net(autograd.ones(1, 2)).requires_grad
    net.register_full_backward_hook(lambda m, grad_input, grad_output: grad_output)
    out = net(autograd.ones(1, 2))
    with pytest.warns(UserWarning, match="firing"), pytest.raises(RuntimeError, match="should always return None"):
        out.sum().backward()


def test_wrong_results_of_backward_hooks_are_refused():
    m = nn.Tanh()
    handle = m.register_full_backward_hook(lambda *_: (None, None))
    with pytest.raises(RuntimeError, match="invalid number of grad_input, got 2, but expected 1"):
        m(autograd.ones(1, requires_grad=True)).backward()
    handle.remove()
    m.register_full_backward_pre_hook(lambda *_: ())
    with pytest.raises(RuntimeError, match="invalid number of grad_output, got 0, but expected 1"):
        m(autograd.ones(1, requires_grad=True)).backward()
    odd = nn.Identity()
    odd.register_full_backward_hook(lambda *_: None)
    with pytest.warns(UserWarning, match="should be a Tensor or a tuple of Tensors"):
        odd([1])


def test_gradients_of_gradients_pass_backward_hooks():
    m = nn.Tanh()
    seen = []
    m.register_full_backward_hook(lambda m, grad_input, grad_output: seen.append(grad_input[0].item()))
    x = autograd.tensor(0.5, requires_grad=True)
    (first,) = autograd.grad(m(x), x, create_graph=True)
    (second,) = autograd.grad(first, x)
    t = np.tanh(0.5)
    np.testing.assert_allclose([first.item(), second.item()], [1 - t * t, -2 * t * (1 - t * t)], rtol=1e-5)
    assert seen[0] == pytest.approx(first.item())


# --- Printing and containers ---------------------------------------------------------------------------------------


def printed(n, t):
    class Custom(n.Module):
        def __init__(self):
            super().__init__()
            self.inner = n.Sequential(n.Linear(1, 2), n.Sequential(n.Tanh()))
            self.table = n.ModuleDict({"a": n.ReLU(), "b": n.ModuleList([n.Linear(2, 2) for _ in range(3)])})
            self.none = None
            self.register_module("gone", None)

        def extra_repr(self):
            return "first=1\nsecond=2"

    class OneLine(n.Module):
        def extra_repr(self):
            return "x=1"

    class Empty(n.Module):
        pass

    blocks = n.ModuleList([n.Sequential(n.Linear(1, 1), n.ReLU()) for _ in range(2)] + [n.Tanh(), n.Tanh(), n.ReLU()])
    parameters = n.ParameterList([t.ones(2, 3), n.Parameter(t.ones(()))])
    return [Custom(), OneLine(), Empty(), blocks, n.ModuleList(), n.Sequential(), n.ModuleList([Empty()]), parameters]


def test_printed_form_is_that_of_torch():
    torch = pytest.importorskip("torch")
    for ours, theirs in zip(printed(nn, autograd), printed(torch.nn, torch), strict=True):
        assert repr(ours) == repr(theirs)


def test_sequential():
    a, b, c = nn.Linear(1, 1), nn.ReLU(), nn.Tanh()
    model = nn.Sequential(a, b)
    assert len(model) == 2
    assert model[0] is a
    assert model[-1] is b
    assert list(model.append(c)) == [a, b, c]
    assert list(model[1:]) == [b, c]
    assert list(model[1:]._modules) == ["1", "2"]
    model.insert(0, c)
    model.insert(-1, b)
    assert list(model) == [c, a, b, b, c]
    del model[0]
    del model[-2:]
    assert list(model) == [a, b]
    assert list(model._modules) == ["0", "1"]
    model.extend([c, c])
    model[2] = b
    assert list(model) == [a, b, b, c]
    assert model.pop(-1) is c
    assert list(model + nn.Sequential(c)) == [a, b, b, c]
    assert list(nn.Sequential(a) * 2) == [a, a]
    model += nn.Sequential(c)
    assert list(model) == [a, b, b, c]
    named = nn.Sequential(OrderedDict(first=a, second=b))
    assert named.first is a
    assert list(named.state_dict()) == ["first.weight", "first.bias"]
    for kind, wrong in (
        (IndexError, lambda: model[4]),
        (IndexError, lambda: model.insert(9, a)),
        (TypeError, lambda: model.insert(0, 3)),
        (TypeError, lambda: nn.Sequential(3)),
        (TypeError, lambda: model.extend([a, 3])),
        (TypeError, lambda: model.extend(3)),
        (ValueError, lambda: model + [a]),
        (ValueError, lambda: model * 0),
        (TypeError, lambda: model * "a"),
    ):
        with pytest.raises(kind):
            wrong()
    assert len(model) == 4


def test_module_list_and_dict():
    a, b, c = nn.Linear(1, 1), nn.ReLU(), nn.Tanh()
    modules = nn.ModuleList([a, b])
    modules.append(c).extend([a])
    modules.insert(1, c)
    assert list(modules) == [a, c, b, c, a]
    assert isinstance(modules[:2], nn.ModuleList)
    modules[0] = b
    assert modules[0] is b
    assert list(modules + [a]) == [b, c, b, c, a, a]
    modules += [c]
    assert modules.pop() is c
    assert "0" not in dir(modules)
    with pytest.raises(NotImplementedError):
        modules(1)
    with pytest.raises(TypeError, match="not a Module"):
        modules.insert(0, 3)

    table = nn.ModuleDict({"a": a})
    table["b"] = b
    table.update([("c", c)])
    assert list(table) == list(table.keys()) == ["a", "b", "c"]
    assert list(table.values()) == [a, b, c]
    assert "a" in table
    assert len(table) == 3
    assert table.pop("b") is b
    del table["c"]
    assert list(table.items()) == [("a", a)]
    table.clear()
    assert len(table) == 0
    for kind, wrong in ((TypeError, 3), (ValueError, [("a", a, b)]), (TypeError, [3]), (TypeError, {"a": 3})):
        with pytest.raises(kind):
            table.update(wrong)


def test_parameter_list_and_dict():
    values = nn.ParameterList([autograd.ones(2), nn.Parameter(autograd.zeros(1))])
    values.append(autograd.ones(1))
    values += [autograd.ones(3)]
    assert names(values.named_parameters()) == ["0", "1", "2", "3"]
    assert len(values[1:]) == 3
    values[0] = autograd.zeros(5)
    assert values[0].shape == (5,)
    assert [p.numel() for p in values] == [5, 1, 1, 3]
    assert repr(values).startswith("ParameterList(\n    (0): Parameter containing: [torch.float32 of size 5]")
    for kind, wrong in ((TypeError, lambda: values.extend(values[0])), (TypeError, lambda: values.extend(3))):
        with pytest.raises(kind):
            wrong()
    with pytest.raises(IndexError):
        values[9]
    table = nn.ParameterDict({"a": autograd.ones(2)})
    table["b"] = autograd.ones(1)
    assert list(table.keys()) == ["a", "b"]
    assert all(isinstance(p, nn.Parameter) for p in table.values())
    del table["a"]
    assert list(table.items())[0][0] == "b"
    assert "b" in table
    assert len(table) == 1
