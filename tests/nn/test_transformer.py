"""Attention of several heads, and the layers and stacks of the Transformer, against PyTorch's."""

import math

import numpy as np
import pytest

import autograd
import nn


def gradients(lib, layer, inputs, *outputs):
    """Outputs, then the gradients of inputs and parameters for a fixed cotangent."""
    out = outputs[0]
    weight = lib.linspace(0.5, 1.5, out.numel(), dtype=out.dtype).reshape(out.shape)
    (out * weight).sum().backward()
    return [*outputs, *(x.grad for x in inputs), *(p.grad for p in layer.parameters())]


def inputs_of(lib, shapes):
    rng = np.random.default_rng(3)
    return [lib.tensor(rng.standard_normal(shape), requires_grad=True) for shape in shapes]


# --- MultiheadAttention --------------------------------------------------------------------------------------------

BATCH = ((5, 2, 8), (7, 2, 8), (7, 2, 8))
MASK = np.random.default_rng(0).random((5, 7)) < 0.3
PADDING = np.array([[False] * 7, [False] * 4 + [True] * 3])

# constructor, call, shapes
HEADS = {
    "plain": ({}, {}, BATCH),
    "no bias": ({"bias": False}, {}, BATCH),
    "one example": ({}, {}, [(5, 8), (7, 8), (7, 8)]),
    "batch first": ({"batch_first": True}, {}, [(2, 5, 8), (2, 7, 8), (2, 7, 8)]),
    "other sizes": ({"kdim": 3, "vdim": 6}, {}, [(5, 2, 8), (7, 2, 3), (7, 2, 6)]),
    "other sizes without bias": ({"kdim": 3, "vdim": 8, "bias": False}, {}, [(5, 2, 8), (7, 2, 3), (7, 2, 8)]),
    "one more key": ({"add_bias_kv": True}, {"key_padding_mask": PADDING, "attn_mask": MASK}, BATCH),
    "a key of zeros": ({"add_zero_attn": True}, {"key_padding_mask": PADDING, "attn_mask": MASK}, BATCH),
    "both": ({"add_zero_attn": True, "add_bias_kv": True}, {"need_weights": False, "attn_mask": MASK}, BATCH),
    "no weights": ({}, {"need_weights": False}, BATCH),
    "weights of heads": ({}, {"average_attn_weights": False}, BATCH),
    "padding": ({}, {"key_padding_mask": PADDING}, BATCH),
    "padding without weights": ({}, {"key_padding_mask": PADDING, "need_weights": False}, BATCH),
    "mask": ({}, {"attn_mask": MASK}, BATCH),
    "numbers as mask": ({}, {"attn_mask": MASK * -1.5, "key_padding_mask": PADDING * -2.0}, BATCH),
    "mask of heads": ({}, {"attn_mask": np.stack([MASK] * 8) & (np.arange(8)[:, None, None] % 2 == 0)}, BATCH),
    "mask of heads without weights": ({}, {"attn_mask": np.stack([MASK] * 8), "need_weights": False}, BATCH),
    "causal hint": ({}, {"attn_mask": np.triu(np.ones((5, 7), bool), 1), "is_causal": True}, BATCH),
    "causal hint without weights": (
        {},
        {"attn_mask": np.triu(np.ones((5, 7), bool), 1), "is_causal": True, "need_weights": False},
        BATCH,
    ),
    "dropout": ({"dropout": 0.4}, {}, BATCH),
    "dropout without weights": ({"dropout": 0.4}, {"need_weights": False}, BATCH),
}


@pytest.mark.parametrize("name", HEADS)
def test_heads(name, both):
    made, called, shapes = HEADS[name]

    def program(lib):
        lib.manual_seed(1)
        layer = lib.nn.MultiheadAttention(8, 4, dtype=lib.float64, **made)
        start = [repr(layer), list(layer.state_dict()), *layer.state_dict().values()]
        inputs = inputs_of(lib, shapes)
        masks = {k: lib.tensor(v) if isinstance(v, np.ndarray) else v for k, v in called.items()}
        out, weights = layer(*inputs, **masks)
        trained = gradients(lib, layer, inputs, out, weights)
        return [start, trained, list(layer.eval()(*inputs, **masks))]

    both(program, rtol=1e-9, atol=1e-10)


def test_self_attention_projects_once_and_agrees(both):
    def program(lib):
        outcomes = []
        for batch_first in (False, True):
            lib.manual_seed(2)
            layer = lib.nn.MultiheadAttention(8, 2, batch_first=batch_first, dtype=lib.float64)
            for shape in ((4, 3, 8), (4, 8)):
                (x,) = inputs_of(lib, [shape])
                out, weights = layer(x, x, x)
                out.square().sum().backward()
                outcomes += [out, weights, x.grad]
        return outcomes

    both(program, rtol=1e-9, atol=1e-10)


def call(lib, made=None, shapes=BATCH, **masks):
    layer = lib.nn.MultiheadAttention(8, 4, dtype=lib.float64, **(made or {}))
    masks = {k: lib.tensor(v) if isinstance(v, np.ndarray) else v for k, v in masks.items()}
    return layer(*inputs_of(lib, shapes), **masks)


REFUSED = {
    "heads": lambda lib: lib.nn.MultiheadAttention(8, 3),
    "no heads": lambda lib: lib.nn.MultiheadAttention(8, 0),
    "four dimensions": lambda lib: call(lib, shapes=[(5, 2, 8, 1)] * 3),
    "mixed": lambda lib: call(lib, shapes=[(5, 2, 8), (7, 8), (7, 8)]),
    "embedding": lambda lib: call(lib, shapes=[(5, 2, 4)] * 3),
    "key and value": lambda lib: call(lib, shapes=[(5, 2, 8), (7, 2, 8), (6, 2, 8)]),
    "mask shape": lambda lib: call(lib, attn_mask=np.zeros((7, 5))),
    "mask of heads": lambda lib: call(lib, attn_mask=np.zeros((4, 5, 7))),
    "mask dimensions": lambda lib: call(lib, attn_mask=np.zeros((1, 8, 5, 7))),
    "mask of integers": lambda lib: call(lib, attn_mask=np.zeros((5, 7), int)),
    "padding shape": lambda lib: call(lib, key_padding_mask=np.zeros((2, 6))),
    "padding dimensions": lambda lib: call(lib, key_padding_mask=np.zeros(7)),
    "hint without mask": lambda lib: call(lib, is_causal=True),
    "activation": lambda lib: lib.nn.TransformerEncoderLayer(8, 2, activation="tanh"),
    "features": lambda lib: lib.nn.Transformer(8, 2, 1, 1, 8)(lib.zeros(5, 2, 8), lib.zeros(5, 2, 4)),
    "batches": lambda lib: lib.nn.Transformer(8, 2, 1, 1, 8)(lib.zeros(5, 2, 8), lib.zeros(5, 3, 8)),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.filterwarnings("ignore:enable_nested_tensor")
def test_refusals(name, torch):
    with pytest.raises(Exception) as theirs:
        REFUSED[name](torch)
    with pytest.raises(theirs.type):
        REFUSED[name](autograd)


# --- Transformer ---------------------------------------------------------------------------------------------------


def causal(size):
    return np.triu(np.full((size, size), -math.inf), 1)


LAYERS = {
    "plain": {},
    "norm first": {"norm_first": True},
    "gelu": {"activation": "gelu"},
    "no bias": {"bias": False},
    "batch first": {"batch_first": True},
    "no dropout": {"dropout": 0.0},
}


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("kind", ["TransformerEncoderLayer", "TransformerDecoderLayer"])
def test_layers(name, kind, both):
    def program(lib):
        lib.manual_seed(4)
        layer = getattr(lib.nn, kind)(8, 2, 12, dtype=lib.float64, **LAYERS[name])
        outcomes = [list(layer.state_dict()), repr(layer)]
        shapes = [(5, 3, 8)] if kind == "TransformerEncoderLayer" else [(5, 3, 8), (5, 3, 8)]
        inputs = inputs_of(lib, shapes)
        length, count = (3, 5) if LAYERS[name].get("batch_first") else (5, 3)
        padding = lib.tensor(np.arange(length) > np.arange(count)[:, None] % length + 1)
        mask = lib.tensor(causal(length)) == -math.inf
        names = ("src", "src") if len(shapes) == 1 else ("tgt", "memory")
        masks = {f"{names[0]}_mask": mask, f"{names[1]}_key_padding_mask": padding}
        for training in (True, False):
            layer.train(training).zero_grad()
            for x in inputs:
                x.grad = None
            outcomes += gradients(lib, layer, inputs, layer(*inputs, **masks))
        return outcomes

    both(program, rtol=1e-8, atol=1e-9)


@pytest.mark.filterwarnings("ignore:enable_nested_tensor")
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("shapes", [[(6, 4, 8), (5, 4, 8)], [(6, 8), (5, 8)]], ids=["batch", "one example"])
def test_transformer(batch_first, shapes, both):
    def program(lib):
        lib.manual_seed(5)
        model = lib.nn.Transformer(8, 2, 2, 2, 12, 0.1, batch_first=batch_first, dtype=lib.float64)
        src, tgt = inputs_of(lib, shapes)
        if batch_first and src.dim() == 3:
            src, tgt = src.detach().transpose(0, 1).contiguous(), tgt.detach().transpose(0, 1).contiguous()
            src.requires_grad_(), tgt.requires_grad_()
        mask = model.generate_square_subsequent_mask(5, dtype=lib.float64)
        out = model(src, tgt, tgt_mask=mask)
        trained = gradients(lib, model, [src, tgt], out)
        return [list(model.state_dict()), mask, *trained, model.eval()(src, tgt, tgt_mask=mask, tgt_is_causal=True)]

    both(program, rtol=1e-8, atol=1e-9)


def test_the_layers_of_a_stack_are_copies():
    layer = nn.TransformerEncoderLayer(8, 2, 12)
    stack = nn.TransformerEncoder(layer, 3, nn.LayerNorm(8))
    first, second = stack.layers[0], stack.layers[1]
    assert first is not layer
    assert first.linear1.weight is not second.linear1.weight
    assert autograd.equal(first.linear1.weight, second.linear1.weight)


def test_a_causal_model_does_not_see_the_future():
    autograd.manual_seed(0)
    stack = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 12, batch_first=True), 2).eval()
    mask = nn.Transformer.generate_square_subsequent_mask(6)
    x = autograd.randn(1, 6, 8)
    changed = x.clone()
    changed[0, 4:] = 0
    np.testing.assert_array_equal(stack(x, mask).detach()[0, :4].numpy(), stack(changed, mask).detach()[0, :4].numpy())


def test_custom_parts_take_their_place():
    encoder, decoder = nn.Identity(), nn.Identity()
    model = nn.Transformer(8, 2, custom_encoder=encoder, custom_decoder=decoder)
    assert model.encoder is encoder
    assert model.decoder is decoder
