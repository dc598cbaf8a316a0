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
COUNTS = rng.integers(0, 5, (4, 3)).astype(float)
SIGNS = rng.choice([-1.0, 1.0], (4, 3))
LABELS = np.array([[1, 3, -1, 2, 0], [-1, 1, 2, 3, 4], [0, 1, 2, 3, 4], [2, 2, -1, -1, -1]])
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
    ("HuberLoss", {}, PAIR),
    ("HuberLoss", {"delta": 0.3}, PAIR),
    ("SmoothL1Loss", {"beta": 0.5}, PAIR),
    ("SmoothL1Loss", {"beta": 0.0}, PAIR),
    ("KLDivLoss", {}, (PAIR[0], PROBABILITIES[0])),
    ("KLDivLoss", {"log_target": True}, PAIR),
    ("KLDivLoss", {}, (PAIR[0], PROBABILITIES[1])),
    ("PoissonNLLLoss", {}, (PAIR[0], COUNTS)),
    ("PoissonNLLLoss", {"full": True}, (PAIR[0], COUNTS)),
    ("PoissonNLLLoss", {"log_input": False, "eps": 1e-3}, (PROBABILITIES[0], COUNTS)),
    ("GaussianNLLLoss", {}, (*PAIR, PROBABILITIES[0])),
    ("GaussianNLLLoss", {"full": True, "eps": 0.5}, (*PAIR, PROBABILITIES[0][:, :1])),
    ("GaussianNLLLoss", {}, (*PAIR, PROBABILITIES[0][:, 0])),
    ("SoftMarginLoss", {}, (PAIR[0], SIGNS)),
    ("HingeEmbeddingLoss", {"margin": 0.5}, (PROBABILITIES[0], SIGNS)),
    ("MarginRankingLoss", {"margin": 0.5}, (*PAIR, SIGNS)),
    ("CosineEmbeddingLoss", {}, (*PAIR, SIGNS[:, 0])),
    ("CosineEmbeddingLoss", {"margin": -0.5}, (*PAIR, SIGNS[:, 0])),
    ("CosineEmbeddingLoss", {"margin": -0.5}, (PAIR[0][0], PAIR[1][0], SIGNS[0, 0])),
    ("TripletMarginLoss", {}, (*PAIR, PROBABILITIES[0])),
    ("TripletMarginLoss", {"margin": 2.0, "p": 1.0, "swap": True, "eps": 1e-3}, (*PAIR, PROBABILITIES[0])),
    ("TripletMarginWithDistanceLoss", {"swap": True}, (*PAIR, PROBABILITIES[0])),
    ("MultiMarginLoss", {}, (CLASSES[0], CLASSES[1].clip(0))),
    ("MultiMarginLoss", {"p": 2, "margin": 0.3, "weight": WEIGHT}, (CLASSES[0], CLASSES[1].clip(0))),
    ("MultiMarginLoss", {}, ONE),
    ("MultiLabelMarginLoss", {}, (CLASSES[0], LABELS)),
    ("MultiLabelMarginLoss", {}, (CLASSES[0][0], LABELS[0])),
    ("MultiLabelSoftMarginLoss", {"weight": WEIGHT[:3]}, (PAIR[0], PROBABILITIES[1])),
]


def run(t, n, name, kwargs, reduction, data, dtype):
    kwargs = {k: t.tensor(v.astype(dtype)) if isinstance(v, np.ndarray) else v for k, v in kwargs.items()}
    loss = getattr(n, name)(**kwargs, reduction=reduction)
    inputs = [t.tensor(v.astype(dtype) if v.dtype.kind == "f" else v) for v in data]
    learned = [x.requires_grad_() for x in inputs[: max(1, len(inputs) - 1)]]
    value = loss(*inputs)
    value.sum().backward()
    return repr(loss), list(loss.state_dict()), value.detach().numpy(), *(x.grad.numpy() for x in learned)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize(("name", "kwargs", "data"), LOSSES, ids=lambda v: v if isinstance(v, str) else "")
def test_loss_is_that_of_torch(name, kwargs, data, reduction):
    torch = pytest.importorskip("torch")
    # PyTorch's bound in the gradient of BCELoss at 0 and 1 is a float32, in float64 too.
    if name == "KLDivLoss":
        reduction = {"mean": "batchmean"}.get(reduction, reduction)
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
        ({"size_average": 0}, "sum"),
        ({"reduce": 0}, "none"),
    ):
        with pytest.warns(UserWarning, match=f"reduction='{reduction}'"):
            assert nn.MSELoss(**kwargs).reduction == reduction


REFUSED = {
    "reduction": lambda t, n: n.MSELoss(reduction="average")(t.zeros(2), t.zeros(2)),
    "reduction of classes": lambda t, n: n.NLLLoss(reduction="average")(t.zeros(2, 3), t.zeros(2).long()),
    "delta": lambda t, n: n.HuberLoss(delta=0.0)(t.zeros(2), t.zeros(2)),
    "delta is no number": lambda t, n: n.HuberLoss(delta="1"),
    "beta": lambda t, n: n.SmoothL1Loss(beta=-1.0)(t.zeros(2), t.zeros(2)),
    "negative variance": lambda t, n: n.GaussianNLLLoss()(t.zeros(2), t.zeros(2), -t.ones(2)),
    "variances": lambda t, n: n.GaussianNLLLoss()(t.zeros(4, 3), t.zeros(4, 3), t.ones(4, 2)),
    "ranks": lambda t, n: n.MarginRankingLoss()(t.zeros(4, 3), t.zeros(3), t.ones(3)),
    "cosine of many": lambda t, n: n.CosineEmbeddingLoss()(t.zeros(4, 3), t.zeros(4, 3), t.ones(4, 3)),
    "cosine ranks": lambda t, n: n.CosineEmbeddingLoss()(t.zeros(3), t.zeros(3), t.ones(3)),
    "margin": lambda t, n: n.TripletMarginLoss(margin=0.0),
    "margin with distance": lambda t, n: n.TripletMarginWithDistanceLoss(margin=-1.0),
    "triplet ranks": lambda t, n: n.TripletMarginLoss()(t.zeros(4, 3), t.zeros(3), t.zeros(3)),
    "p": lambda t, n: n.MultiMarginLoss(p=3),
    "weight of classes": lambda t, n: n.MultiMarginLoss(weight=t.ones(2))(t.zeros(2, 3), t.tensor([0, 1])),
    "weight is a matrix": lambda t, n: n.MultiMarginLoss(weight=t.ones(2, 2)),
    "class": lambda t, n: n.MultiMarginLoss()(t.zeros(2, 3), t.tensor([0, 3])),
    "classes": lambda t, n: n.MultiMarginLoss()(t.zeros(2, 3), t.tensor([0, 1, 2])),
    "scores": lambda t, n: n.MultiMarginLoss()(t.zeros(2, 3, 4), t.tensor([0, 1])),
    "float classes": lambda t, n: n.MultiMarginLoss()(t.zeros(2, 3), t.zeros(2)),
    "labels": lambda t, n: n.MultiLabelMarginLoss()(t.zeros(2, 3), t.zeros(2, 2).long()),
    "label": lambda t, n: n.MultiLabelMarginLoss()(t.zeros(1, 3), t.tensor([[3, 0, 0]])),
    "one_hot of floats": lambda t, n: n.functional.one_hot(t.zeros(2)),
    "one_hot of nothing": lambda t, n: n.functional.one_hot(t.zeros(0).long()),
    "one_hot of negatives": lambda t, n: n.functional.one_hot(t.tensor([-1])),
    "one_hot of few classes": lambda t, n: n.functional.one_hot(t.tensor([2]), 2),
    "smoothing of a linear loss": lambda t, n: n.LinearCrossEntropyLoss(2, 3, label_smoothing=2.0),
    "weight of a linear loss": lambda t, n: n.LinearCrossEntropyLoss(2, 3, weight=t.ones(2)),
    "features": lambda t, n: n.LinearCrossEntropyLoss(2, 3)(t.zeros(4, 3), t.zeros(4).long()),
    "ctc blank": lambda t, n: n.CTCLoss(blank=4)(t.zeros(5, 1, 4), t.ones(1, 2).long(), [5], [2]),
    "ctc time": lambda t, n: n.CTCLoss()(t.zeros(5, 1, 4), t.ones(1, 2).long(), [6], [2]),
    "ctc text": lambda t, n: n.CTCLoss()(t.zeros(5, 1, 4), t.ones(1, 2).long(), [5], [3]),
    "ctc batch": lambda t, n: n.CTCLoss()(t.zeros(5, 1, 4), t.ones(1, 2).long(), [5, 5], [2]),
    "ctc joined": lambda t, n: n.CTCLoss()(t.zeros(5, 2, 4), t.ones(3).long(), [5, 5], [2, 2]),
    "ctc halves": lambda t, n: n.CTCLoss()(t.zeros(5, 1, 4).half(), t.ones(1, 2).long(), [5], [2]),
    "cutoffs": lambda t, n: n.AdaptiveLogSoftmaxWithLoss(8, 20, [10, 5]),
    "no cutoffs": lambda t, n: n.AdaptiveLogSoftmaxWithLoss(8, 20, []),
    "adaptive target": lambda t, n: n.AdaptiveLogSoftmaxWithLoss(8, 20, [5])(t.zeros(2, 8), t.tensor([0, 20])),
    "adaptive batch": lambda t, n: n.AdaptiveLogSoftmaxWithLoss(8, 20, [5])(t.zeros(2, 8), t.tensor([0])),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name):
    torch = pytest.importorskip("torch")
    with pytest.raises(Exception) as theirs:
        REFUSED[name](torch, torch.nn)
    with pytest.raises(theirs.type):
        REFUSED[name](autograd, nn)


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("zero_infinity", [False, True])
def test_ctc_is_that_of_torch(reduction, zero_infinity):
    torch = pytest.importorskip("torch")
    for case in range(20):
        rng = np.random.default_rng(case)
        steps, count, classes, letters = rng.integers(1, 9), rng.integers(1, 4), rng.integers(2, 5), rng.integers(1, 5)
        blank = int(rng.integers(classes))
        logits = rng.standard_normal((steps, count, classes))
        texts = rng.integers(1, classes, (count, letters))
        texts = (texts + blank) % classes  # never the blank
        times, lengths = rng.integers(1, steps + 1, count), rng.integers(0, letters + 1, count)
        joined = np.concatenate([text[:n] for text, n in zip(texts, lengths, strict=True)])
        outcomes = []
        for t, n in ((autograd, nn), (torch, torch.nn)):
            loss = n.CTCLoss(blank, reduction, zero_infinity)
            for targets in (texts, joined):
                x = t.tensor(logits, requires_grad=True)
                value = loss(x.log_softmax(2), t.tensor(targets), t.tensor(times), t.tensor(lengths))
                value.sum().backward()
                outcomes.append((value.detach().numpy(), x.grad.numpy()))
        for our, their in zip(outcomes[:2], outcomes[2:], strict=True):
            for a, b in zip(our, their, strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12, err_msg=f"case {case}")


def test_ctc_of_one_example_and_of_nothing():
    torch = pytest.importorskip("torch")
    logits = rng.standard_normal((5, 4))
    for text, time, length in (([1, 2], 5, 2), ([1, 1], 3, 2), ([], 0, 0), ([], 3, 0), ([3], 0, 1), ([1, 2], 1, 2)):
        values = [
            n.CTCLoss(reduction="none")(
                t.tensor(logits), t.tensor(text, dtype=t.int64), t.tensor(time), t.tensor(length)
            ).item()
            for t, n in ((autograd, nn), (torch, torch.nn))
        ]
        assert values[0] == pytest.approx(values[1]), (text, time, length)


def test_ctc_has_no_second_derivative():
    x = autograd.zeros(3, 1, 2, dtype=autograd.float64, requires_grad=True)
    loss = nn.CTCLoss()(x.log_softmax(2), autograd.tensor([[1]]), [3], [1])
    (g,) = autograd.grad(loss, x, create_graph=True)
    with pytest.raises(RuntimeError, match="not implemented"):
        autograd.grad(g.square().sum(), x)


@pytest.mark.parametrize("bias", [False, True])
def test_adaptive_softmax_is_that_of_torch(bias):
    torch = pytest.importorskip("torch")
    outcomes = []
    for t, n in ((autograd, nn), (torch, torch.nn)):
        t.manual_seed(3)
        layer = n.AdaptiveLogSoftmaxWithLoss(16, 20, [5, 9, 15], div_value=2.0, head_bias=bias)
        x = t.randn(12, 16, requires_grad=True)
        output, loss = layer(x, t.arange(12) + 6)
        loss.backward()
        single = layer(x[0], t.tensor(3)).output
        gradients = [p.grad for p in layer.parameters()]
        outcomes.append([output, loss, single, layer.log_prob(x), layer.predict(x), x.grad, *gradients])
    for a, b in zip(*outcomes, strict=True):
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-5, atol=1e-6)


def test_the_losses_of_a_score():
    """Squared, hinge and logistic loss by their formulas, with the slopes that go with them."""
    score, sign = autograd.tensor([-1.0, 0.0, 0.5, 2.0], requires_grad=True), autograd.tensor([1.0, -1.0, 1.0, 1.0])
    for loss, values, slopes in (
        (nn.SquareLoss, [4, 1, 0.25, 1], [-4, 2, -1, 2]),
        (nn.HingeLoss, [2, 1, 0.5, 0], [-1, 1, -1, 0]),
    ):
        score.grad = None
        value = loss(reduction="none")(score, sign)
        value.sum().backward()
        assert value.tolist() == values
        assert score.grad.tolist() == slopes
        assert loss()(score, sign).item() == pytest.approx(np.mean(values))
    p = autograd.tensor([0.25, 0.5, 0.0], requires_grad=True)
    value = nn.LogisticLoss(reduction="none")(p, autograd.tensor([1.0, 1.0, 0.0]))
    value.sum().backward()
    np.testing.assert_allclose(value.detach().numpy(), [np.log(4), np.log(2), 0], rtol=1e-6)
    assert p.grad.tolist()[:2] == [-4, -2]


def test_cross_entropy_is_the_logistic_loss_of_one_hot_classes():
    logits, classes = autograd.tensor(CLASSES[0]), autograd.tensor(CLASSES[1].clip(0))
    one_hot = nn.functional.one_hot(classes, 5).double()
    summed = nn.LogisticLoss(reduction="sum")(logits.softmax(1), one_hot) / 4
    assert summed.item() == pytest.approx(nn.CrossEntropyLoss()(logits, classes).item(), rel=1e-12)


def test_weights_are_buffers_that_follow_the_dtype():
    loss = nn.CrossEntropyLoss(weight=autograd.ones(3)).double()
    assert loss.weight.dtype == autograd.float64
    assert list(loss.parameters()) == []
    assert nn.CrossEntropyLoss().weight is None
