"""`compile`, `cond` and the `_check` functions: names, options and errors as in PyTorch, the same program behind."""

import copy
import pickle
import warnings

import pytest

import autograd
import nn
from autograd import compiler
from nn.compiled import OptimizedModule


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(2, 3), nn.Dropout(0.5))
        self.register_buffer("count", autograd.zeros(1))

    def forward(self, x, *, scale=1.0):
        return self.inner(x) * scale

    def special(self):
        return "special"


def test_a_compiled_module_is_the_module():
    net = Net()
    compiled = autograd.compile(net)
    assert isinstance(compiled, OptimizedModule)
    assert compiled._orig_mod is net
    assert list(compiled.state_dict()) == [f"_orig_mod.{name}" for name in net.state_dict()]
    assert [id(p) for p in compiled.parameters()] == [id(p) for p in net.parameters()]
    assert compiled.special() == "special"
    assert compiled.inner is net.inner
    compiled.note = 3
    assert net.note == 3
    assert "note" not in vars(compiled)
    del compiled.note
    assert not hasattr(net, "note")
    compiled.eval()
    assert (net.training, compiled.training, net.inner.training) == (False, False, False)
    x = autograd.randn(4, 2)
    assert autograd.equal(compiled(x, scale=2.0), net(x, scale=2.0))
    compiled(x).sum().backward()
    assert net.inner[0].weight.grad is not None
    with pytest.raises(AttributeError, match="nothing"):
        compiled.nothing  # noqa: B018


def test_copies_and_state():
    compiled = autograd.compile(Net())
    again = copy.deepcopy(compiled)
    assert again._orig_mod is not compiled._orig_mod
    again.load_state_dict(compiled.state_dict())
    assert repr(pickle.loads(pickle.dumps(autograd.compile(nn.Linear(2, 3))))) == repr(
        autograd.compile(nn.Linear(2, 3))
    )


def test_hooks_of_the_module_run():
    net, seen = nn.Linear(2, 2), []
    net.register_forward_hook(lambda module, args, out: seen.append("inner"))
    compiled = autograd.compile(net)
    compiled.register_forward_hook(lambda module, args, out: seen.append("outer"))
    compiled(autograd.ones(1, 2))
    assert seen == ["inner", "outer"]


def test_functions_and_decorators():
    @autograd.compile(fullgraph=True, mode="reduce-overhead", dynamic=True)
    def double(x):
        """Twice."""
        return x * 2

    @autograd.compile
    def triple(x):
        return x * 3

    x = autograd.ones(2)
    assert double(x).tolist() == [2, 2]
    assert (double.__name__, double.__doc__) == ("double", "Twice.")
    assert triple(x).tolist() == [3, 3]
    assert triple._torchdynamo_orig_callable(x).tolist() == [3, 3]
    net = nn.Linear(2, 2)
    assert autograd.compile(net, disable=True) is net
    assert net.compile(backend="eager") is None
    assert "compile" not in vars(net)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_repr_is_pytorch_s(torch):
    assert repr(autograd.compile(nn.Sequential(nn.Linear(2, 3)))) == repr(
        torch.compile(torch.nn.Sequential(torch.nn.Linear(2, 3)), backend="eager")
    )


@pytest.mark.parametrize(
    "bad",
    [
        lambda L: L.compile(3),
        lambda L: L.compile(len, mode="default", options={}),
        lambda L: L.compile(len, mode="fastest"),
        lambda L: L.cond(L.tensor([True, False]), len, len, (L.ones(2),)),
        lambda L: L.cond("yes", len, len, (L.ones(2),)),
        lambda L: L.cond(L.tensor(True), 1, len, (L.ones(2),)),
        lambda L: L.cond(L.tensor(True), len, len, (3, "a")),
        lambda L: L._check(False),
        lambda L: L._check(1),
        lambda L: L._check(L.tensor(True)),
        lambda L: L._check(False, "text"),
        lambda L: L._check_index(False, lambda: "text"),
        lambda L: L._check_value(False, lambda: "text"),
        lambda L: L._check_type(False),
        lambda L: L._check_not_implemented(False),
        lambda L: L._check_with(KeyError, False, lambda: 3),
        lambda L: L._check_tensor_all(L.tensor([True, False])),
        lambda L: L._check_tensor_all(True),
        lambda L: L._check_tensor_all(L.ones(2)),
        lambda L: L._check_tensor_all_with(ValueError, L.tensor([False]), lambda: "text"),
    ],
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of PyTorch, at its first compile
def test_refusals(bad, both):
    assert both(bad)[0] == "raised"


def test_checks_that_hold_say_nothing(torch):
    for L in (autograd, torch):
        assert L._check(True, lambda: 1 / 0) is None
        assert L._check_tensor_all(L.tensor([True])) is None
        with pytest.warns(FutureWarning):
            L._check_is_size(3, max=4)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with pytest.raises(RuntimeError):
                L._check_is_size(-1)
    with pytest.raises(KeyError, match="3"):
        autograd._check_with(KeyError, False, lambda: 3)


def test_unknown_backends_are_refused():
    with pytest.raises(RuntimeError, match="fast"):
        autograd.compile(len, backend="fast")
    with pytest.raises(NotImplementedError, match="graph"):
        autograd.compile(len, backend=lambda graph, inputs: graph)
    with pytest.raises(RuntimeError, match="mode"):
        nn.Linear(2, 2).compile(mode="fastest")


def test_compiler_names():
    assert compiler.disable(len) is len
    assert compiler.disable(recursive=False)(len) is len
    assert compiler.allow_in_graph(len) is compiler.assume_constant_result(len) is len
    assert [compiler.is_compiling(), compiler.is_dynamo_compiling(), compiler.is_exporting()] == [False] * 3
    assert "inductor" in compiler.list_backends()
    assert "eager" in compiler.list_backends(None)
    assert compiler.reset() is compiler.cudagraph_mark_step_begin() is None
    with compiler.set_stance("force_eager"):
        pass
    with pytest.raises(RuntimeError, match="stance"), compiler.set_stance("none"):
        pass


def test_cond_takes_one_branch():
    x = autograd.tensor([1.0, -3.0], requires_grad=True)
    for pred in (True, autograd.tensor(True), autograd.tensor([[1]])):
        y = autograd.cond(pred, lambda x, more: x * more["a"], lambda x, more: 1 / 0, (x, {"a": autograd.tensor(2.0)}))
        assert y.tolist() == [2, -6]
    (g,) = autograd.grad(autograd.cond(x.sum() > 0, lambda x: x, lambda x: x**2, (x,)).sum(), x)
    assert g.tolist() == [2, -6]
