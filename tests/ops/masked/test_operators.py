"""Operators on masked tensors: values, masks, gradients and refusals are PyTorch's."""

import numpy as np
import pytest
from masked_tensors import CONDITION, MASK, NUMBERS, OTHER_MASK, agree_masked, described, masked, weighted
from parity import agree, outcome, refuse_alike

ELEMENTARY = (
    "abs absolute acos arccos angle asin arcsin asinh arcsinh atan arctan atanh arctanh ceil conj_physical cos cosh "
    "deg2rad digamma erf erfc erfinv exp exp2 expm1 fix floor frac lgamma log log10 log1p log2 logit i0 isnan "
    "isfinite nan_to_num neg negative positive rad2deg reciprocal round rsqrt sigmoid sign sgn signbit sin sinc sinh "
    "sqrt square tan tanh trunc"
)
UNARY = dict.fromkeys(ELEMENTARY.split(), ()) | {"clamp": (0.2, 0.5), "clip": (0.2, 0.5), "pow": (3,)}
NO_WRITING = {"angle", "positive", "signbit", "isnan", "isfinite"}


def gradient(L, function, *tensors):
    """Gradients of a weighted sum of the result, or the type of the error."""
    function(*tensors)  # an error here is none of the way back
    return outcome(lambda: (weighted(L, function(*tensors)).backward(), [x.grad for x in tensors])[1])


def agree_on_the_way_back(ours, theirs, function, *arrays):
    """The gradients are PyTorch's where it has them; what it cannot differentiate is that of the dense tensor."""
    mine, error = gradient(ours, lambda *t: function(ours, *t), *(make(ours) for make in arrays))
    assert error is None
    other, missing = gradient(theirs, lambda *t: function(theirs, *t), *(make(theirs) for make in arrays))
    if missing is None and all(type(x).__name__ == "MaskedTensor" for x in other):
        agree_masked(mine, other)
    return mine


@pytest.mark.parametrize("name", UNARY)
def test_unary(name, ours, theirs):
    both = [lambda L, x: getattr(L, name)(x, *UNARY[name]), lambda L, x: getattr(x, name)(*UNARY[name])]
    for expression in both:
        agree_masked(expression(ours, masked(ours)), expression(theirs, masked(theirs)))
    if name not in NO_WRITING:
        x, y = masked(ours), masked(theirs)
        data = x.get_data()
        assert getattr(x, f"{name}_")(*UNARY[name]) is x
        getattr(y, f"{name}_")(*UNARY[name])
        agree_masked(x, y)
        agree(x.get_data(), data)  # written where it was
    if not both[0](ours, masked(ours)).dtype.is_floating_point:
        return
    (mine,) = agree_on_the_way_back(ours, theirs, both[0], lambda L: masked(L, requires_grad=True))
    x = theirs.of(np.where(MASK, NUMBERS, 0.5), True)
    weighted(theirs, getattr(theirs, name)(x, *UNARY[name])).backward()
    agree(mine.get_mask(), theirs.of(MASK))
    agree(mine.to_tensor(0), theirs.where(theirs.of(MASK), x.grad, 0.0), 1e-8, 1e-12)


@pytest.mark.parametrize("name", ["acosh", "arccosh"])
def test_unary_above_one(name, ours, theirs):
    agree_on_the_way_back(
        ours, theirs, lambda L, x: getattr(L, name)(x), lambda L: masked(L, NUMBERS + 1, requires_grad=True)
    )


FLOATS = (
    "add atan2 arctan2 div divide floor_divide fmod logaddexp logaddexp2 mul multiply nextafter remainder sub subtract "
    "true_divide eq ne le ge greater greater_equal gt less_equal lt less maximum minimum fmax fmin not_equal"
)
INTEGERS = ["bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_left_shift", "bitwise_right_shift"]
OPERANDS = {
    "masked": lambda L, grad: masked(L, NUMBERS[::-1].copy() + 0.5, requires_grad=grad),
    "plain": lambda L, grad: L.of(np.array([[0.5, np.nan, 2.0], [1.5, 0.2, 1.2]]), grad),
    "broadcast": lambda L, grad: L.of(np.array([0.5, 1.5, 1.25]), grad),
    "0-d": lambda L, grad: L.of(np.array(1.5), grad),
    "number": lambda L, grad: 0.5,
}
ROUNDED = {"floor_divide", "nextafter"}  # without a derivative


@pytest.mark.parametrize("kind", OPERANDS)
@pytest.mark.parametrize("name", FLOATS.split())
def test_binary(name, kind, ours, theirs):
    make = OPERANDS[kind]

    def expression(L, x, y):
        return getattr(L, name)(x, y)

    if kind == "number" and outcome(expression, theirs, masked(theirs), 0.5)[1]:
        return
    agree_masked(*(expression(L, masked(L), make(L, False)) for L in (ours, theirs)))
    if kind not in ("number", "masked"):
        agree_masked(*(expression(L, make(L, False), masked(L)) for L in (ours, theirs)))
    into = f"{name}_"
    if hasattr(theirs.Tensor, into):
        written = [outcome(getattr(masked(L), into), make(L, False)) for L in (ours, theirs)]
        agree_masked(*(result for result, _ in written))
    if not expression(ours, masked(ours), make(ours, False)).dtype.is_floating_point or name in ROUNDED:
        return
    leaf = [lambda L: masked(L, requires_grad=True)]
    if kind == "number":
        agree_on_the_way_back(ours, theirs, lambda L, x: expression(L, x, 0.5), *leaf)
    else:
        mine = agree_on_the_way_back(ours, theirs, expression, *leaf, lambda L: make(L, True))
        assert all(g is not None and not g.to_tensor(0).isnan().any() for g in mine)


@pytest.mark.parametrize("name", INTEGERS)
def test_binary_of_integers(name, ours, theirs):
    numbers = np.array([[3, 5, 1], [2, 6, 4]])
    for other in (lambda L: masked(L, numbers[::-1].copy() % 3), lambda L: L.of(numbers[0] % 3), lambda L: 1):
        agree_masked(*(getattr(L, name)(masked(L, numbers), other(L)) for L in (ours, theirs)))
        agree_masked(*(getattr(masked(L, numbers), f"{name}_")(other(L)) for L in (ours, theirs)))


PYTHON = {
    "x + x": lambda x: x + x,
    "x - 1": lambda x: x - 1,
    "1 + x": lambda x: 1 + x,
    "2 * x": lambda x: 2 * x,
    "1 / x": lambda x: 1 / x,
    "x / 2": lambda x: x / 2,
    "x // 0.2": lambda x: x // 0.2,
    "x % 0.2": lambda x: x % 0.2,
    "x**2": lambda x: x**2,
    "-x": lambda x: -x,
    "abs": abs,
    "x > 0.2": lambda x: x > 0.2,
    "0.2 > x": lambda x: x < 0.2,
    "x == x": lambda x: x == x,
    "x != 0.1": lambda x: x != 0.1,
    "~": lambda x: ~(x > 0.2),
    "int + float": lambda x: x.long() + 1.5,
    "bool": lambda x: (x > 0.2).bool(),
    "half": lambda x: x.half(),
    "float": lambda x: x.float(),
    "double": lambda x: x.double(),
    "short": lambda x: x.short(),
    "type_as": lambda x: x.type_as(x.float()),
    "type": lambda x: x.type(),
    "clone": lambda x: x.clone(),
    "detach": lambda x: x.detach(),
    "data": lambda x: x.data,
}


@pytest.mark.parametrize("expression", PYTHON.values(), ids=PYTHON)
def test_python_operators_and_copies(expression, ours, theirs):
    agree_masked(expression(masked(ours)), expression(masked(theirs)))


def test_a_plain_tensor_stays_plain(ours):
    x = ours.of(NUMBERS)
    for y in (x.to(masked(ours).float()), x.type_as(masked(ours).float())):
        agree(y, x.float())


def test_what_pytorch_does_not_know_yet(ours):
    """Keywords, and a masked tensor on the right of a number."""
    x = masked(ours, np.where(MASK, NUMBERS, 7.0))
    numbers = x.get_data()
    for mine, dense in (
        (1 - x, 1 - numbers),
        (2**x, 2**numbers),
        (ours.add(x, x, alpha=2), numbers * 3),
        (ours.div(x, 0.25, rounding_mode="floor"), (numbers / 0.25).floor()),
        (ours.div(x, 0.25, rounding_mode="trunc"), (numbers / 0.25).trunc()),
        (x.round(decimals=1), numbers.round(decimals=1)),
        (ours.zeros_like(x), numbers * 0),
        (ours.div(numbers, other=x), numbers / numbers),
        (x.to(masked(ours, mask=OTHER_MASK).half()).double(), numbers.half().double()),
        (x.permute(1, 0).T, numbers),
        (ours.stack(list(x)), numbers),
        (ours.stack(x.unbind(1), 1), numbers),
        (x.unsqueeze(0).squeeze(0), numbers),
    ):
        agree(mine.get_data(), dense)
        assert (mine.get_mask() == ours.of(MASK)).all()
    total = x.sum(keepdim=True)
    assert total.shape == total.get_mask().shape == (1, 1)


REDUCTIONS = {
    "all": lambda L, x, f: f(),
    "0": lambda L, x, f: f(0),
    "dim": lambda L, x, f: f(dim=-1),
    "keepdim": lambda L, x, f: f(1, keepdim=True),
}
SEVERAL = {"both": lambda L, x, f: f((0, 1)), "one of several": lambda L, x, f: f((0,), keepdim=True)}
WIDER = {"dtype": lambda L, x, f: f(0, dtype=L.float32)}
REDUCED = {
    **dict.fromkeys(["sum", "mean", "amin", "amax", "var", "std"], REDUCTIONS | SEVERAL),
    **dict.fromkeys(["prod", "argmin", "argmax"], REDUCTIONS),
}
REDUCED["sum"] = REDUCED["sum"] | WIDER
CASES = [(name, case) for name, cases in REDUCED.items() for case in cases]


@pytest.mark.parametrize(("name", "case"), CASES, ids=[f"{name}-{case}" for name, case in CASES])
def test_reductions(name, case, ours, theirs):
    def expression(L, x):
        return REDUCED[name][case](L, x, getattr(x, name))

    for numbers, mask in ((NUMBERS, MASK), (NUMBERS, np.zeros_like(MASK)), (NUMBERS[0], MASK[0])):
        if numbers.ndim < 2 and "1" in expression.__code__.co_names:
            continue
        (mine, error), (other, theirs_error) = (
            outcome(expression, L, masked(L, numbers, mask)) for L in (ours, theirs)
        )
        assert error is theirs_error
        if error is None:
            agree_masked(mine, other)
    if not name.startswith("arg"):
        agree_on_the_way_back(ours, theirs, expression, lambda L: masked(L, np.nan_to_num(NUMBERS), requires_grad=True))


def test_all(ours, theirs):
    for numbers in (NUMBERS > 0.2, NUMBERS > 0):
        for call in (lambda x: x.all(), lambda x: x.all(0), lambda x: x.all(dim=1, keepdim=True)):
            agree_masked(*(call(masked(L, numbers)) for L in (ours, theirs)))


def test_norm(ours):
    """PyTorch's own fails."""
    x = masked(ours, requires_grad=True)
    kept = NUMBERS[MASK]
    for p, expected in ((2, np.sqrt((kept**2).sum())), (1, kept.sum()), (float("inf"), kept.max())):
        agree(x.norm(p).to_tensor(0), ours.of(np.asarray(expected)))
    x.norm().backward()
    agree(x.grad.to_tensor(0), ours.of(np.where(MASK, NUMBERS / np.sqrt((kept**2).sum()), 0)))


def test_softmax(ours, theirs):
    for dim in (0, 1, -1):
        agree_masked(*(masked(L).softmax(dim) for L in (ours, theirs)))
        agree_masked(*(L.nn.functional.softmax(masked(L), dim=dim) for L in (ours, theirs)))
        agree_on_the_way_back(ours, theirs, lambda L, x, d=dim: x.softmax(d), lambda L: masked(L, requires_grad=True))


MOVED = {
    "select": lambda L, x: x.select(1, 2),
    "x[0]": lambda L, x: x[0],
    "x[:, 1:]": lambda L, x: x[:, 1:],
    "x[..., None]": lambda L, x: x[..., None],
    "x[index]": lambda L, x: x[L.of(np.array([1, 0, 0]))],
    "x[mask]": lambda L, x: x[L.of(CONDITION)],
    "narrow": lambda L, x: x.narrow(1, 1, 2),
    "transpose": lambda L, x: x.transpose(0, 1),
    "t": lambda L, x: x.t(),
    "split": lambda L, x: x.split(2, 1)[0],
    "all of split": lambda L, x: L.cat(x.split(2, 1), 1),
    "chunk": lambda L, x: x.chunk(3, 1)[2],
    "view": lambda L, x: x.view(3, 2),
    "view_as": lambda L, x: x.view_as(x),
    "reshape": lambda L, x: x.reshape(-1),
    "flatten": lambda L, x: x.flatten(),
    "ravel": lambda L, x: x.ravel(),
    "expand": lambda L, x: x.unsqueeze(0).expand(2, 2, 3),
    "expand_as": lambda L, x: x[0].expand_as(x),
    "unsqueeze": lambda L, x: x.unsqueeze(1),
    "unfold": lambda L, x: x.unfold(1, 2, 1),
    "im2col": lambda L, x: L.nn.functional.unfold(x[None, None], (2, 2)),
    "col2im": lambda L, x: L.nn.functional.fold(x[None], (1, 3), (1, 1)),
    "cat": lambda L, x: L.cat([x, x * 2], 1),
    "stack": lambda L, x: L.stack([x, x * 2], 1),
    "vstack": lambda L, x: L.vstack([x, x]),
    "hstack": lambda L, x: L.hstack([x, x]),
    "contiguous": lambda L, x: x.t().contiguous(),
    "ones_like": lambda L, x: L.ones_like(x) * x,
    "swapaxes": lambda L, x: x.swapaxes(0, 1),
}


@pytest.mark.parametrize("expression", MOVED.values(), ids=MOVED)
def test_places(expression, ours, theirs):
    agree_masked(expression(ours, masked(ours)), expression(theirs, masked(theirs)))
    (mine,) = agree_on_the_way_back(ours, theirs, expression, lambda L: masked(L, requires_grad=True))
    x = theirs.of(np.nan_to_num(NUMBERS), True)
    counting = expression(theirs, masked(theirs)).get_mask()
    y = expression(theirs, x)
    (y * theirs.of(np.arange(1.0, y.numel() + 1).reshape(tuple(y.shape))) * counting).sum().backward()
    agree(mine.to_tensor(0), x.grad)


def test_where(ours, theirs):
    def operands(L):
        return L.of(CONDITION), masked(L, requires_grad=True), masked(L, NUMBERS + 1, OTHER_MASK, requires_grad=True)

    results = []
    for L in (ours, theirs):
        condition, x, y = operands(L)
        z = L.where(condition, x * 2, y)
        weighted(L, z).backward()
        results.append([z, x.grad, y.grad, L.where(condition, masked(L), y.detach())])
    agree_masked(*results)
    agree_masked(*(L.where(L.of(CONDITION), masked(L), 0) for L in (ours, theirs)))
    agree_masked(*(L.where(L.of(CONDITION), masked(L), L.of(NUMBERS)) for L in (ours, theirs)))


def test_gradients_meet_with_different_masks(ours):
    """Where PyTorch refuses to add them: what counts in one of them counts in the sum."""
    x = masked(ours, requires_grad=True)
    (x[0].sum() * 2 + x[1].sum()).backward()
    agree_masked(x.grad, masked(ours, np.array([[2.0, 0, 2], [0, 0, 1]])))
    x.grad = None
    (x[:, 2] * 3).sum().backward()
    (x[0]).sum().backward()
    agree(x.grad.get_mask(), ours.of(np.array([[True, False, True], [False, False, True]])))
    agree(x.grad.to_tensor(0), ours.of(np.array([[1.0, 0, 4], [0, 0, 3]])))


FUNCTIONS = {
    "sum": (), "prod": (), "amax": (0,), "amin": (1,), "argmax": (0,), "softmax": (1,), "log_softmax": (1,),
    "softmin": (0,), "cumsum": (1,), "cumprod": (0,), "logsumexp": (0,), "median": (1,), "norm": (2.0, 0),
    "normalize": (2.0, 1),
}  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
def test_masked_functions_take_masked_tensors(name, ours, theirs):
    """The result is a plain tensor, and the gradient masked."""
    results = []
    for L in (ours, theirs):
        x = masked(L, np.nan_to_num(NUMBERS), requires_grad=True)
        y = getattr(L.masked, name)(x, *FUNCTIONS[name])
        results.append([y])
        if name not in ("argmax", "softmax", "log_softmax", "softmin", "logsumexp", "median", "amax"):  # NaN, ties
            (y * y).sum().backward()
            results[-1].append(described(x.grad))
    agree(*results)


@pytest.mark.parametrize("name", ["mean", "var", "std"])
def test_the_own_mask_decides_what_is_counted(name, ours):
    """PyTorch counts what is masked out, too, unless the mask is given once more."""
    x = masked(ours)
    agree(getattr(ours.masked, name)(x, 1), getattr(ours.masked, name)(x.get_data(), 1, mask=x.get_mask()))
    agree(getattr(ours.masked, name)(x, 1), getattr(x, name)(1).get_data())


REFUSED = {
    "masks": lambda L: masked(L) + masked(L, mask=OTHER_MASK),
    "masks in place": lambda L: masked(L).mul_(masked(L, mask=OTHER_MASK)),
    "dimensions of masks": lambda L: masked(L) * masked(L, NUMBERS[0], MASK[0]),
    "shapes": lambda L: masked(L) + L.of(np.ones((2, 4))),
    "shapes of masks": lambda L: masked(L) + masked(L, np.ones((2, 4)), np.ones((2, 4), bool)),
    "leaf": lambda L: masked(L, requires_grad=True).add_(1),
    "dtype in place": lambda L: masked(L, MASK.astype(np.int64)).add_(1.5),
    "shape in place": lambda L: masked(L, NUMBERS[0], MASK[0]).add_(L.of(NUMBERS)),
    "complex": lambda L: masked(L).to(L.complex64),
    "cat with plain": lambda L: L.cat([masked(L), L.of(NUMBERS)]),
    "stack with plain": lambda L: L.stack([L.of(NUMBERS), masked(L)]),
    "max": lambda L: masked(L).max(),
    "any": lambda L: masked(L).any(),
    "median": lambda L: masked(L).median(),
    "cumsum": lambda L: masked(L).cumsum(0),
    "relu": lambda L: L.relu(masked(L)),
    "logical_not": lambda L: masked(L).logical_not(),
    "log_softmax": lambda L: masked(L).log_softmax(0),
    "matmul": lambda L: masked(L) @ L.of(NUMBERS.T.copy()),
    "mm": lambda L: L.mm(L.of(NUMBERS.T.copy()), masked(L)),
    "linear": lambda L: L.nn.functional.linear(masked(L), L.of(NUMBERS)),
    "gather": lambda L: masked(L).gather(0, L.of(np.array([[0]]))),
    "masked_fill": lambda L: masked(L).masked_fill(L.of(MASK), 1),
    "assignment": lambda L: masked(L).__setitem__(0, 1.0),
    "dim": lambda L: masked(L).sum(2),
    "where alone": lambda L: L.where(L.of(MASK), masked(L)),
    "numpy": lambda L: masked(L).numpy(),
    "tolist": lambda L: masked(L).tolist(),
    "item of many": lambda L: masked(L).item(),
    "item of none": lambda L: masked(L)[0, 1].item(),
    "bool": lambda L: bool(masked(L)[0, 1]),
    "float": lambda L: float(masked(L)[1, 0]),
    "equal": lambda L: L.equal(masked(L), masked(L)),
}
OTHERWISE = {"where alone": TypeError}  # PyTorch: ValueError


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name, ours, theirs):
    if name in OTHERWISE:
        with pytest.raises(OTHERWISE[name]):
            REFUSED[name](ours)
    else:
        refuse_alike(ours, theirs, REFUSED[name])


def test_own_refusals(ours):
    x = masked(ours)
    for call, error, words in (
        (lambda: ours.of(NUMBERS).add_(x), TypeError, "not masked"),
        (lambda: ours.masked.sum(x, mask=ours.of(OTHER_MASK)), ValueError, "mask of its own"),
        (lambda: ours.masked.sum(ours.of(NUMBERS), mask=x > 0), TypeError, "itself masked"),
        (lambda: x.to_sparse() * ours.of(NUMBERS), TypeError, "sparse masked"),
        (lambda: x.to_sparse().sum(0), TypeError, "all dimensions"),
        (lambda: ours.where(ours.of(MASK), x.to_sparse(), 0), TypeError, "to_dense"),
        (lambda: x.to_sparse().softmax(0), TypeError, "to_dense"),
        (
            lambda: ours.func.vmap(lambda row: ours.masked.as_masked_tensor(row, row > 0))(x.get_data()),
            RuntimeError,
            "vmap",
        ),
    ):
        with pytest.raises(error, match=words):
            call()
