"""Losses: every form of input, target, weight and reduction against PyTorch, and their refusals."""

import itertools

import numpy as np
import pytest
from parity import agree_on, agree_with_gradients, refuse_alike

REDUCTIONS = ["none", "mean", "sum"]
rng = np.random.default_rng(0)

# (input, classes) for every kind of shape.
CLASSES = {
    "one": (rng.standard_normal(5), np.array(3)),
    "batch": (rng.standard_normal((6, 5)), np.array([0, 4, 2, 2, 1, 3])),
    "sequence": (rng.standard_normal((2, 5, 3)), np.array([[0, 1, 2], [4, 4, 0]])),
    "image": (rng.standard_normal((2, 3, 2, 2)), np.array([[[0, 2], [1, 1]], [[2, 2], [0, 1]]])),
    "one class": (rng.standard_normal((3, 1)), np.array([0, 0, 0])),
    "large logits": (rng.standard_normal((4, 3)) * 1e4, np.array([0, 1, 2, 0])),
}


def twins(ours, theirs, expression):
    return [lambda *t, L=library: expression(L, *t) for library in (ours, theirs)]


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("loss", ["cross_entropy", "nll_loss"])
def test_classes(loss, name, reduction, ours, theirs, reading):
    logits, classes = CLASSES[name]
    count = logits.shape[0 if logits.ndim == 1 else 1]
    options = [
        {},
        {"weight": np.linspace(0.5, 2, count)},
        {"ignore_index": 2},
        {"weight": np.linspace(0.5, 2, count), "ignore_index": int(classes.flat[0])},
    ]
    if loss == "cross_entropy":
        options += [{**given, "label_smoothing": 0.1} for given in options]
    for given, dtype in itertools.product(options, ("float64", "float32")):
        if reduction == "mean" and classes.ndim == 0 and "ignore_index" in given:
            continue  # 0 / 0

        def expression(L, x, given=given, dtype=dtype):
            extra = dict(given)
            if "weight" in extra:
                extra["weight"] = L.of(extra["weight"].astype(dtype))
            return getattr(L.F, loss)(x, L.of(classes), reduction=reduction, **extra)

        scale = (1e-10, 1e-12) if dtype == "float64" else (2e-5, 2e-5)
        agree_with_gradients(
            ours, theirs, *twins(ours, theirs, expression), [logits.astype(dtype)], *scale, f"{given} {dtype}"
        )


@pytest.mark.parametrize("name", ["batch", "image"])
def test_second_derivative_of_classes(name, ours, theirs, reading):
    """The gradient's gradient, for each reduction, with weights and a class that is ignored."""
    logits, classes = CLASSES[name]
    factors = np.linspace(0.5, 2, logits.shape[1])
    for reduction in REDUCTIONS:

        def slope(L, x, reduction=reduction):
            options = {"weight": L.of(factors), "ignore_index": 2, "reduction": reduction}
            loss = L.F.cross_entropy(x, L.of(classes), **options)
            (gradient,) = L.autograd.grad((loss * loss).sum(), x, create_graph=True)
            return gradient

        agree_with_gradients(ours, theirs, *twins(ours, theirs, slope), [logits], 1e-10, 1e-12, reduction)


def test_rows_without_numbers(ours, theirs, reading):
    """Infinite logits and NaN give what they give in PyTorch, also in rows that count nothing."""
    inf, nan = np.inf, np.nan
    rows = [[-inf, 0, 1], [0, -inf, -inf], [inf, 0, 0], [nan, 0, 0], [-inf, -inf, -inf], [0, 1, 2]]
    classes = np.array([1, 0, 0, 2, 1, 2])
    for ignored, reduction in itertools.product((-100, 2), REDUCTIONS):

        def expression(L, x, ignored=ignored, reduction=reduction):
            return L.F.cross_entropy(x, L.of(classes), ignore_index=ignored, reduction=reduction)

        agree_with_gradients(
            ours, theirs, *twins(ours, theirs, expression), [np.array(rows)], what=f"{ignored} {reduction}"
        )


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", [name for name in CLASSES if name != "one class"])
def test_probabilities(name, reduction, ours, theirs):
    logits, _ = CLASSES[name]
    axis = 0 if logits.ndim == 1 else 1
    target = rng.random(logits.shape)
    target /= target.sum(axis, keepdims=True)
    weight = np.linspace(0.5, 2, logits.shape[axis])
    for smoothing, weighted in itertools.product((0.0, 0.2), (False, True)):

        def expression(L, x, y, smoothing=smoothing, weighted=weighted):
            factors = L.of(weight) if weighted else None
            return L.F.cross_entropy(x, y, factors, reduction=reduction, label_smoothing=smoothing)

        what = f"smoothing {smoothing}, weighted {weighted}"
        agree_with_gradients(ours, theirs, *twins(ours, theirs, expression), [logits, target], 1e-9, 1e-10, what)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("shape", [(3, 4), (4,), (), (2, 0)])
def test_pairs(shape, reduction, ours, theirs):
    """mse, l1 and binary cross-entropy, with the gradients of both arguments."""
    x, y = (np.asarray(rng.uniform(0.1, 0.9, shape)) for _ in range(2))
    losses = ["mse_loss", "l1_loss", "binary_cross_entropy", "binary_cross_entropy_with_logits"]
    for loss in losses:

        def expression(L, a, b, loss=loss):
            return getattr(L.F, loss)(a, b, reduction=reduction)

        for dtype, scale in (("float64", (1e-11, 1e-12)), ("float32", (1e-5, 1e-5))):
            arrays = [x.astype(dtype), y.astype(dtype)]
            agree_with_gradients(ours, theirs, *twins(ours, theirs, expression), arrays, *scale, loss)


WEIGHT = np.linspace(0.5, 2, 12).reshape(3, 4)
WEIGHTED = {
    "bce": lambda L, x, y, r: L.F.binary_cross_entropy(x, y, L.of(WEIGHT), reduction=r),
    "bce broadcast": lambda L, x, y, r: L.F.binary_cross_entropy(x, y, weight=L.of(WEIGHT[:, :1]), reduction=r),
    "logits": lambda L, x, y, r: L.F.binary_cross_entropy_with_logits(x * 9, y, L.of(WEIGHT), reduction=r),
    "pos_weight": lambda L, x, y, r: L.F.binary_cross_entropy_with_logits(
        x - 3, y, pos_weight=L.of(WEIGHT), reduction=r
    ),
    "pos_weight row": lambda L, x, y, r: L.F.binary_cross_entropy_with_logits(
        x - 0.5, y, L.of(WEIGHT), pos_weight=L.of(WEIGHT[0]), reduction=r
    ),
    "mse": lambda L, x, y, r: L.F.mse_loss(x, y, reduction=r, weight=L.of(WEIGHT)),
    "l1": lambda L, x, y, r: L.F.l1_loss(x, y, reduction=r, weight=L.of(WEIGHT)),
}


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", WEIGHTED)
def test_weights(name, reduction, ours, theirs):
    arrays = [rng.uniform(0.1, 0.9, (3, 4)) for _ in range(2)]
    expression = lambda L, x, y: WEIGHTED[name](L, x, y, reduction)
    agree_with_gradients(ours, theirs, *twins(ours, theirs, expression), arrays, 1e-10, 1e-11)


def test_extreme_values(ours, theirs):
    """No overflow for large logits; probabilities of 0 and 1 count -100."""
    logits = np.array([1000.0, -1000.0, 0.0, 88.0, -88.0, 1e-8])
    goals = np.array([0.0, 1.0, 0.5, 1.0, 0.0, 1.0])
    expression = lambda L, x, y: L.F.binary_cross_entropy_with_logits(x, y, reduction="none")
    for dtype in ("float32", "float64"):
        arrays = [logits.astype(dtype), goals.astype(dtype)]
        agree_with_gradients(ours, theirs, *twins(ours, theirs, expression), arrays, 1e-6, 1e-6)
    certain = np.array([0.0, 1.0, 0.0, 1.0]), np.array([0.0, 1.0, 1.0, 0.0])
    agree_on(ours, theirs, lambda L, x, y: L.F.binary_cross_entropy(x, y, reduction="none"), list(certain))


MIXED = {
    "one class in a vector": lambda L, x, y: [
        loss(x[0], L.of([2]), reduction=r) for loss in (L.F.nll_loss, L.F.cross_entropy) for r in REDUCTIONS
    ],
    "no examples": lambda L, x, y: [L.F.cross_entropy(x[:0], x[:0], reduction=r) for r in REDUCTIONS],
    "no places": lambda L, x, y: L.F.cross_entropy(x.reshape(3, 4, 1)[..., :0], x.reshape(3, 4, 1)[..., :0]),
    "logits of double": lambda L, x, y: L.F.binary_cross_entropy_with_logits(x.double(), y),
    "targets of double": lambda L, x, y: L.F.binary_cross_entropy_with_logits(x, y.double()),
    "weighted logits of double": lambda L, x, y: L.F.binary_cross_entropy_with_logits(x.double(), y, pos_weight=y[0]),
    "soft margin, double": lambda L, x, y: [L.F.soft_margin_loss(x, y.double()), L.F.soft_margin_loss(x.double(), y)],
    "soft margin, broadcast": lambda L, x, y: L.F.soft_margin_loss(x, y[0] > 0.5),
    "ranking of ints": lambda L, x, y: L.F.margin_ranking_loss(*[L.of([1, -1])] * 3),
    "l1 sum of ints": lambda L, x, y: L.F.l1_loss(L.of([1, 0]), L.of([3, 1]), reduction="sum"),
    "soft labels broadcast": lambda L, x, y: [
        L.F.multilabel_soft_margin_loss(x[0], y, reduction=r) for r in REDUCTIONS
    ],
    "a double number": lambda L, x, y: [
        loss(x, y.double()[0, 0]) for loss in (L.F.mse_loss, L.F.l1_loss, L.F.smooth_l1_loss, L.F.huber_loss)
    ],
}


@pytest.mark.parametrize("name", MIXED)
@pytest.mark.filterwarnings("ignore:Using a target size")
def test_mixed_dtypes_and_shapes(name, ours, theirs):
    arrays = [rng.uniform(0.1, 0.9, (3, 4)).astype("float32") for _ in range(2)]
    agree_on(ours, theirs, MIXED[name], arrays, 1e-5, 1e-6)


def test_a_smoothed_class_in_a_vector(ours):
    x = ours.of(rng.random(4))
    for reduction in REDUCTIONS:
        one, same = (ours.F.cross_entropy(x, ours.of(k), label_smoothing=0.1, reduction=reduction) for k in (2, [2]))
        assert one.shape == same.shape == ()
        assert one.item() == same.item()


def test_all_ignored(ours, theirs):
    for reduction in REDUCTIONS:
        expression = lambda L, x: L.F.cross_entropy(x, L.of([1, 1]), ignore_index=1, reduction=reduction)
        agree_on(ours, theirs, expression, [np.zeros((2, 3))], what=reduction)


@pytest.mark.filterwarnings("ignore:size_average and reduce", "ignore:Using a target size")
def test_old_arguments_and_broadcasting(ours, theirs):
    x, y = rng.random((3, 4)), rng.random(4)
    calls = [
        lambda L, x, y: L.F.mse_loss(x, y),
        lambda L, x, y: L.F.l1_loss(x, y, reduction="sum"),
        lambda L, x, y: L.F.mse_loss(x, x, size_average=False),
        lambda L, x, y: L.F.mse_loss(x, x * 2, reduce=False),
        lambda L, x, y: L.F.cross_entropy(x, L.of([0, 1, 3]), size_average=False),
        lambda L, x, y: L.F.nll_loss(x, L.of([0, 1, 3]), reduce=False),
    ]
    for i, call in enumerate(calls):
        agree_on(ours, theirs, call, [x, y], what=f"call {i}")


def test_warnings(ours, theirs):
    for library in (ours, theirs):
        with pytest.warns(UserWarning, match=r"target size \(torch.Size\(\[4\]\)\)"):
            library.F.mse_loss(library.zeros(3, 4), library.zeros(4))
        with pytest.warns(UserWarning, match="size_average and reduce"):
            library.F.l1_loss(library.zeros(3), library.zeros(3), size_average=True)
        for function in (library.F.softmax, library.F.log_softmax, library.F.softmin):
            with pytest.warns(UserWarning, match=f"Implicit dimension choice for {function.__name__} ") as record:
                function(library.zeros(3))
            assert record[0].filename == __file__


REFUSED = {
    "reduction": (lambda L: L.F.mse_loss(L.zeros(2), L.zeros(2), reduction="max"), ["max"]),
    "ce reduction": (lambda L: L.F.cross_entropy(L.zeros(2, 3), L.of([0, 1]), reduction="max"), ["max"]),
    "class too large": (lambda L: L.F.cross_entropy(L.zeros(2, 3), L.of([0, 3])), ["3", "out of bounds"]),
    "class negative": (lambda L: L.F.nll_loss(L.zeros(2, 3), L.of([0, -1])), ["-1", "out of bounds"]),
    "batch sizes": (lambda L: L.F.cross_entropy(L.zeros(2, 3), L.of([0, 1, 2])), ["(2)", "(3)"]),
    "target shape": (lambda L: L.F.cross_entropy(L.zeros(2, 3, 4), L.zeros(2, 5, dtype=L.int64)), ["[2, 4]", "[2, 5]"]),
    "float classes": (lambda L: L.F.nll_loss(L.zeros(2, 3), L.zeros(2)), ["nll_loss", "float32"]),
    "float classes ce": (lambda L: L.F.cross_entropy(L.zeros(2, 3), L.zeros(2)), ["cross_entropy"]),
    "weight length": (lambda L: L.F.cross_entropy(L.zeros(2, 3), L.of([0, 1]), L.ones(2)), ["3", "[2]"]),
    "weight dtype": (
        lambda L: L.F.cross_entropy(L.zeros(2, 3), L.of([0, 1]), L.ones(3, dtype=L.float64)),
        ["float64"],
    ),
    "smoothing": (lambda L: L.F.cross_entropy(L.zeros(2, 3), L.of([0, 1]), label_smoothing=1.5), ["1.5"]),
    "int logits": (lambda L: L.F.cross_entropy(L.zeros(2, 3, dtype=L.int64), L.of([0, 1])), ["cross_entropy"]),
    "bce shapes": (lambda L: L.F.binary_cross_entropy(L.ones(2), L.ones(3)), ["[2]", "[3]"]),
    "bce range": (lambda L: L.F.binary_cross_entropy(L.ones(2) * 2, L.ones(2)), ["0", "1"]),
    "bce dtypes": (lambda L: L.F.binary_cross_entropy(L.ones(2), L.ones(2, dtype=L.float64)), ["float64"]),
    "logits shapes": (lambda L: L.F.binary_cross_entropy_with_logits(L.ones(2), L.ones(3)), ["[2]", "[3]"]),
    "mse shapes": (lambda L: L.F.mse_loss(L.ones(2), L.ones(2, 3)[:, :2].reshape(4)[:3]), ["2", "3"]),
    "classes of a number": (lambda L: L.F.nll_loss(L.of(1.0), L.of(0)), ["nll_loss"]),
    "one class for many": (lambda L: L.F.cross_entropy(L.zeros(2, 3), L.of(0)), ["(2)", "(0)"]),
    "two classes for one": (lambda L: L.F.nll_loss(L.zeros(3), L.of([0, 1])), ["size: 2"]),
    "logits of ints": (lambda L: L.F.binary_cross_entropy_with_logits(L.of([1]), L.ones(1)), ["int64"]),
    "logits with ints": (lambda L: L.F.binary_cross_entropy_with_logits(L.ones(1), L.of([1])), ["int64", ".float()"]),
    "logits with bools": (lambda L: L.F.binary_cross_entropy_with_logits(L.ones(1), L.of([True])), ["bool"]),
    "kl ints": (lambda L: L.F.kl_div(L.zeros(2), L.of([1, 0]), reduction="sum"), ["int64"]),
    "soft margin of ints": (lambda L: L.F.soft_margin_loss(L.of([1, 0]), L.ones(2)), ["int64"]),
    "soft margin grows": (lambda L: L.F.soft_margin_loss(L.ones(4), L.ones(3, 4)), ["[4]", "[3, 4]"]),
    "l1 ints": (lambda L: L.F.l1_loss(L.of([1, 0]), L.of([1, 1])), ["mean"]),
    "glu ints": (lambda L: L.F.glu(L.of([1, 0])), ["glu", "int64"]),
    "rms_norm of a number": (lambda L: L.F.rms_norm(L.of(1.0), (4,)), ["1 dimensions"]),
    "mse ints": (lambda L: L.F.mse_loss(L.ones(2, dtype=L.int64), L.ones(2, dtype=L.int64)), ["Long"]),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.filterwarnings("ignore:Using a target size")
def test_refusals(name, ours, theirs):
    refuse_alike(ours, theirs, *REFUSED[name])
