"""Layers on nested tensors: encoders, attention and modules, as in PyTorch and component by component."""

import pytest
from nested_tensors import LAYOUTS, arrays, functional, heads, jag, make
from parity import agree, refuse_alike

import autograd
import nn
import nn.functional as F
from autograd import nested
from autograd.testing import gradcheck, gradgradcheck


@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_encoder_runs_on_nested_tensors(ours, theirs, layout):
    theirs.manual_seed(0)
    model = theirs.nn.TransformerEncoder(
        theirs.nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, batch_first=True, dtype=theirs.float64), 2
    ).eval()
    mine = nn.TransformerEncoder(
        nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, batch_first=True, dtype=autograd.float64), 2
    )
    mine.load_state_dict({name: ours.tensor(value.numpy()) for name, value in model.state_dict().items()})
    sizes = [(3, 4), (5, 4), (1, 4)]
    with theirs.no_grad():
        wanted = model(make(theirs, "strided", sizes))
    x = make(ours, layout, sizes, requires_grad=True)
    found = mine(x)
    assert found.layout is x.layout
    agree(list(found.unbind()), list(wanted.unbind()), 1e-6, 1e-6)
    found.sum().backward()
    assert x.grad.is_same_size(x)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_modules_run_on_nested_tensors(layout):
    autograd.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.GELU(), nn.Dropout(0.5), nn.Linear(4, 2)).eval().double()
    x = make(autograd, layout)
    for mine, part in zip(model(x).unbind(), x.unbind(), strict=True):
        assert autograd.allclose(mine, model(part))
    words = nested.nested_tensor([[1, 2], [3]], layout=getattr(autograd, layout))
    table = nn.Embedding(5, 3)
    for mine, part in zip(table(words).unbind(), words.unbind(), strict=True):
        assert autograd.equal(mine, table(part))
    attention = nn.MultiheadAttention(4, 2, batch_first=True)
    y = nested.nested_tensor([autograd.rand(2, 4), autograd.rand(3, 4)], layout=getattr(autograd, layout))
    out, weights = attention(y, y, y)
    single, seen = attention(y[1], y[1], y[1])
    assert autograd.allclose(out[1], single)
    assert autograd.allclose(weights[1], seen)
    with pytest.raises(AssertionError, match="takes no masks"):
        attention(y, y, y, attn_mask=autograd.zeros(2, 2))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_weights_get_the_gradients_of_all_components(layout):
    model = nn.Sequential(nn.Embedding(5, 3), nn.Linear(3, 4), nn.LayerNorm(4)).double()
    words = [autograd.tensor([1, 2, 1]), autograd.tensor([4])]
    found, wanted = [], []
    for gradients in (found, wanted):
        inputs = [nested.nested_tensor(words, layout=getattr(autograd, layout))] if gradients is found else words
        sum(model(x).sin().sum() for x in inputs).backward()
        gradients += [parameter.grad for parameter in model.parameters()]
        model.zero_grad()
    for mine, other in zip(found, wanted, strict=True):
        assert autograd.allclose(mine, other)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_attention_is_that_of_each_component(layout):
    q, k, v = (heads(autograd, layout, seed) for seed in (0, 1, 2))
    for is_causal in (False, True):
        out = F.scaled_dot_product_attention(q, *(q * 2, q * 3), is_causal=is_causal)
        for mine, part in zip(out.unbind(), q.unbind(), strict=True):
            assert autograd.allclose(
                mine, F.scaled_dot_product_attention(part, part * 2, part * 3, is_causal=is_causal)
            )
    assert F.scaled_dot_product_attention(q, k, v).transpose(1, 2).is_contiguous()
    components = [autograd.tensor(a, requires_grad=True) for a in arrays([(2, 2, 4), (3, 2, 4)])]

    def attended(*parts):
        x = nested.as_nested_tensor(list(parts), layout=getattr(autograd, layout)).transpose(1, 2)
        return tuple(F.scaled_dot_product_attention(x, x, x).unbind())

    assert gradcheck(attended, components)
    assert gradgradcheck(attended, components)


REFUSED = {
    "softmax over components": lambda L: jag(L).softmax(0),
    "softmax over components, strided": lambda L: make(L, "strided").softmax(0),
    "log_softmax ragged": lambda L: jag(L).log_softmax(1),
    "matmul doubly ragged": lambda L: (lambda x: L.matmul(x, x.mT))(jag(L)),
    "matmul vector": lambda L: L.matmul(jag(L), L.ones(3, dtype=L.float64)),
    "matmul sizes": lambda L: L.matmul(jag(L), L.ones(4, 4, dtype=L.float64)),
    "bmm 2-D": lambda L: L.bmm(jag(L), L.ones(3, 4, dtype=L.float64)),
    "linear sizes": lambda L: functional(L).linear(jag(L), L.ones(2, 4, dtype=L.float64)),
    "layer_norm 2-D": lambda L: functional(L).layer_norm(jag(L)[..., 0], (3,)),
    "layer_norm everything": lambda L: functional(L).layer_norm(jag(L), (3, 4, 3)),
    "rms_norm ragged": lambda L: functional(L).rms_norm(jag(L), (4, 3)),
    "attention mask": lambda L: functional(L).scaled_dot_product_attention(
        *[heads(L, "jagged", 0)] * 3, attn_mask=L.ones(2, 2) > 0
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_as_in_pytorch(ours, theirs, name):
    refuse_alike(ours, theirs, REFUSED[name])
