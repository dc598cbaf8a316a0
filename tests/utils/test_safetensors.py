"""Weights that go to PyTorch and come back: the same logits on both sides."""

import numpy as np
import pytest

import autograd
import nn
from autograd.utils.safetensors import load_file, load_model, save_file, save_model

safetensors = pytest.importorskip("safetensors.torch")
sources = pytest.importorskip("model_sources")

letters = np.arange(10)[None] % 7
image = np.random.default_rng(0).random((2, 3, 32, 32), np.float32)

# file of nn.models -> how the model is made from what it defines, an input
MODELS = {
    "lenet": (lambda m: m["LeNet"](), np.random.default_rng(0).random((2, 1, 28, 28), np.float32)),
    "resnet": (lambda m: m["resnet18"](num_classes=10), image),
    "char_rnn": (lambda m: m["CharRNN"](20, 16, 2, "lstm"), letters),
    "gpt": (lambda m: m["GPT"](30, 12, 16, 2, 4), letters),
    "bert": (lambda m: m["BERT"](30, 12, 16, 2, 4), letters),
}


def logits(library, model, x):
    with library.no_grad():
        out = model.eval()(library.tensor(x))
    return (out[0] if isinstance(out, tuple) else out).numpy()


@pytest.mark.parametrize("name", MODELS)
def test_weights_of_pytorch_give_the_same_logits_here_and_back(name, torch, tmp_path):
    make, x = MODELS[name]
    torch.manual_seed(1)
    theirs = make(sources.on_torch(torch, name))
    safetensors.save_model(theirs, str(tmp_path / "theirs.safetensors"))
    autograd.manual_seed(2)
    ours = make(vars(sources.ours(name)))
    assert not np.allclose(logits(autograd, ours, x), logits(torch, theirs, x), atol=1e-3)
    assert load_model(ours, tmp_path / "theirs.safetensors") == ([], [])
    expected = logits(torch, theirs, x)
    np.testing.assert_allclose(logits(autograd, ours, x), expected, rtol=1e-4, atol=1e-5)

    save_model(ours, tmp_path / "ours.safetensors")
    torch.manual_seed(3)
    again = make(sources.on_torch(torch, name))
    safetensors.load_model(again, str(tmp_path / "ours.safetensors"))
    np.testing.assert_array_equal(logits(torch, again, x), expected)


@pytest.mark.parametrize(
    "dtype", ["float16", "float32", "float64", "bfloat16", "int8", "int16", "int32", "int64", "uint8", "bool"]
)
def test_every_dtype_goes_both_ways(dtype, torch, tmp_path):
    values = [[1.5, 0.0, -2.0], [3.0, 4.0, 1.0]]
    ours = autograd.tensor(values).abs().to(getattr(autograd, dtype))
    theirs = torch.tensor(values).abs().to(getattr(torch, dtype))
    safetensors.save_file({"x": theirs}, str(tmp_path / "theirs.safetensors"))
    loaded = load_file(tmp_path / "theirs.safetensors")["x"]
    assert str(loaded.dtype) == str(theirs.dtype)
    assert autograd.equal(loaded, ours)
    save_file({"x": ours}, tmp_path / "ours.safetensors")
    assert torch.equal(safetensors.load_file(str(tmp_path / "ours.safetensors"))["x"], theirs)


def test_views_are_written_as_they_look(tmp_path):
    x = autograd.arange(12.0).reshape(3, 4)
    save_file({"x": x.t(), "y": autograd.tensor(3.0)}, tmp_path / "file")
    loaded = load_file(tmp_path / "file")
    assert autograd.equal(loaded["x"], x.t())
    assert loaded["y"].shape == ()
    loaded["x"] += 1  # it may be written to


def test_shared_memory_is_refused_by_name_and_kept_by_models(tmp_path):
    x = autograd.zeros(4)
    with pytest.raises(RuntimeError, match=r"\['a', 'b'\].*save_model"):
        save_file({"a": x, "b": x[:2], "c": autograd.zeros(2)}, tmp_path / "file")
    assert not (tmp_path / "file").exists()
    model = nn.models.GPT(5, 4, 8, 1, 2)
    save_model(model, tmp_path / "file", {"about": "a test"})
    assert "head.weight" not in load_file(tmp_path / "file")
    load_model(model, tmp_path / "file")
    assert model.head.weight is model.tokens.weight


def test_other_names_are_refused(tmp_path):
    save_file({"weight": autograd.ones(2, 3), "more": autograd.ones(1)}, tmp_path / "file")
    layer = nn.Linear(3, 2)
    before = layer.weight.detach().clone()
    with pytest.raises(RuntimeError, match=r"missing \['bias'\], unexpected \['more'\]"):
        load_model(layer, tmp_path / "file")
    assert autograd.equal(layer.weight, before)
    assert load_model(layer, tmp_path / "file", strict=False) == (["bias"], ["more"])
    assert autograd.equal(layer.weight, autograd.ones(2, 3))


def test_what_is_no_file_of_weights_is_refused(tmp_path):
    (tmp_path / "file").write_bytes(b"no weights")
    with pytest.raises(Exception, match="(?i)header|deserializ"):
        load_file(tmp_path / "file")
