"""Losses against PyTorch's."""

from __future__ import annotations

import numpy as np
import pytest

import autograd
import nn

rng = np.random.default_rng(0)
PAIR = rng.standard_normal((4, 3)), rng.standard_normal((4, 3))
PROBABILITIES = rng.random((4, 3)), rng.integers(0, 2, (4, 3)).astype(float)
EDGES = np.array([0.0, 1.0, 0.5, 1e-30]), np.array([0.0, 1.0, 1.0, 1.0])
LOGITS = rng.standard_normal((4, 3)) * 3, rng.random((4, 3))
CLASSES = rng.standard_normal((4, 5)), np.array([0, 4, 2, -100])
PIXELS = rng.standard_normal((2, 5, 3, 2)), rng.integers(0, 5, (2, 3, 2))
ONE = rng.standard_normal(5), np.array(3)
SOFT = rng.standard_normal((4, 5)), np.full((4, 5), 0.2)
WEIGHT = np.array([1.0, 0.5, 2.0, 3.0, 0.1])

# Name, keyword arguments (arrays become tensors), input and target.
LOSSES = [
    ("L1Loss", {}, PAIR),
    ("MSELoss", {}, PAIR),
    ("BCELoss", {}, PROBABILITIES),
    ("BCELoss", {}, EDGES),
    ("BCELoss", {"weight": WEIGHT[:3]}, PROBABILITIES),
    ("BCEWithLogitsLoss", {}, LOGITS),
    ("BCEWithLogitsLoss", {"weight": WEIGHT[:3], "pos_weight": WEIGHT[2:]}, LOGITS),
    ("NLLLoss", {}, CLASSES),
    ("NLLLoss", {"weight": WEIGHT}, CLASSES),
    ("NLLLoss", {"ignore_index": 2}, (CLASSES[0], np.array([0, 4, 2, 1]))),
    ("NLLLoss", {}, PIXELS),
    ("NLLLoss", {}, ONE),
    ("CrossEntropyLoss", {}, CLASSES),
    ("CrossEntropyLoss", {"weight": WEIGHT}, CLASSES),
    ("CrossEntropyLoss", {"label_smoothing": 0.1}, CLASSES),
    ("CrossEntropyLoss", {"label_smoothing": 0.1, "weight": WEIGHT}, CLASSES),
    ("CrossEntropyLoss", {"weight": WEIGHT}, PIXELS),
    ("CrossEntropyLoss", {}, ONE),
    ("CrossEntropyLoss", {}, SOFT),
    ("CrossEntropyLoss", {"weight": WEIGHT, "label_smoothing": 0.2}, SOFT),
]


def run(t, n, name, kwargs, reduction, data, dtype):
    kwargs = {k: t.tensor(v.astype(dtype)) if isinstance(v, np.ndarray) else v for k, v in kwargs.items()}
    loss = getattr(n, name)(**kwargs, reduction=reduction)
    x, y = data
    x = t.tensor(np.asarray(x).astype(dtype), requires_grad=True)
    y = t.tensor(y.astype(dtype) if y.dtype.kind == "f" else y)
    value = loss(x, y)
    value.sum().backward()
    return repr(loss), list(loss.state_dict()), value.detach().numpy(), x.grad.numpy()


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize(("name", "kwargs", "data"), LOSSES, ids=lambda v: v if isinstance(v, str) else "")
def test_loss_is_that_of_torch(name, kwargs, data, reduction):
    torch = pytest.importorskip("torch")
    # PyTorch's bound in the gradient of BCELoss at 0 and 1 is a float32, in float64 too.
    for dtype, tolerance in ((np.float32, 1e-5), (np.float64, 1e-8 if data is EDGES else 1e-12)):
        ours = run(autograd, nn, name, kwargs, reduction, data, dtype)
        theirs = run(torch, torch.nn, name, kwargs, reduction, data, dtype)
        assert ours[:2] == theirs[:2]
        for our, their in zip(ours[2:], theirs[2:], strict=True):
            assert our.dtype == dtype
            np.testing.assert_allclose(our, their, rtol=tolerance, atol=tolerance)


def test_all_classes_ignored_is_nan_as_in_torch():
    torch = pytest.importorskip("torch")
    for t, n in ((autograd, nn), (torch, torch.nn)):
        assert np.isnan(n.CrossEntropyLoss()(t.zeros(1, 2), t.tensor([-100])).item())


def test_old_arguments_warn_and_mean_what_they_meant():
    for kwargs, reduction in (
        ({"size_average": False}, "sum"),
        ({"reduce": False}, "none"),
        ({"size_average": True}, "mean"),
    ):
        with pytest.warns(UserWarning, match=f"reduction='{reduction}'"):
            assert nn.MSELoss(**kwargs).reduction == reduction


def test_an_unknown_reduction_is_refused():
    for name in ("MSELoss", "L1Loss", "BCELoss", "BCEWithLogitsLoss", "NLLLoss", "CrossEntropyLoss"):
        with pytest.raises(ValueError, match="average is not a valid value for reduction"):
            getattr(nn, name)(reduction="average")


def test_weights_are_buffers_that_follow_the_dtype():
    loss = nn.CrossEntropyLoss(weight=autograd.ones(3)).double()
    assert loss.weight.dtype == autograd.float64
    assert list(loss.parameters()) == []
    assert nn.CrossEntropyLoss().weight is None
