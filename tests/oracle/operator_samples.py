"""Arguments for every row of the operator table, and how to write it in PyTorch where the name is another one.

Pointwise rows need nothing: they are sampled in their `domain`. Coarse rows are reached through `SAMPLES`:
expressions ``f(L, *tensors)`` that run unchanged in both libraries (``L.F`` is nn.functional). The files in
``samples/`` add to what stands here, one file a family: each may define EXPRESSIONS, ATTRIBUTES, KINKS, SAMPLES,
EXEMPT, LOOSE and SPECIAL_OPEN.
"""

import runpy
from pathlib import Path

import numpy as np

from autograd.ops import load_all
from autograd.rows.table import TABLE, PointwiseRow

load_all()

POINTWISE = [row for row in TABLE.values() if isinstance(row, PointwiseRow)]
COARSE = [row for row in TABLE.values() if not isinstance(row, PointwiseRow)]

# Rows that PyTorch knows by another name.
EXPRESSIONS = {
    "clamp_between": lambda L, x, low, high: L.clamp(x, low, high),
    "clamp_from_below": lambda L, x, low: L.clamp(x, min=low),
    "clamp_from_above": lambda L, x, high: L.clamp(x, max=high),
    "where": lambda L, condition, x, y: L.where(condition, x, y),
    "fill_where": lambda L, x, condition, y: L.where(condition, y, x),
    "round_to_even": lambda L, x: L.round(x),
    "without_nan": lambda L, x: L.where(x == x, x, L.zeros_like(x)),
    "ndtr": lambda L, x: L.special.ndtr(x),
    "normal_density": lambda L, x: L.exp(-0.5 * x * x) * 0.3989422804014327,
    "celu": lambda L, x, alpha=1.0: L.celu(x, alpha),
    "gated": lambda L, x, y: L.F.glu(L.stack(L.broadcast_tensors(x, y)), 0).squeeze(0),
    "gelu_exact": lambda L, x: L.F.gelu(x),
    "gelu_slope": lambda L, x: L.special.ndtr(x) + x * L.exp(-0.5 * x * x) * 0.3989422804014327,
    "hardshrink": lambda L, x, lambd=0.5: L.hardshrink(x, lambd),
    "hardtanh": lambda L, x, min_val=-1.0, max_val=1.0: L.F.hardtanh(x, min_val, max_val),
    "softshrink": lambda L, x, lambd=0.5: L.F.softshrink(x, lambd),
    "gelu_tanh": lambda L, x: L.F.gelu(x, approximate="tanh"),
    "threshold_at": lambda L, x, threshold=0.0, value=0.0: L.F.threshold(x, threshold, value),
    "prelu_kernel": lambda L, x, weight: L._prelu_kernel(*L.broadcast_tensors(x, weight)),
    "squared_error": lambda L, x, y: L.F.mse_loss(*L.broadcast_tensors(x, y), reduction="none"),
    "smooth_error": lambda L, x, y, beta=1.0: L.F.smooth_l1_loss(
        *L.broadcast_tensors(x, y), reduction="none", beta=beta
    ),
    "rsub": lambda L, x, y: L.rsub(x, y),
    "huber_error": lambda L, x, y, delta=1.0: L.F.huber_loss(*L.broadcast_tensors(x, y), "none", delta),
    "absolute_error": lambda L, x, y: L.F.l1_loss(*L.broadcast_tensors(x, y), reduction="none"),
    "bernoulli_error": lambda L, x, y: L.F.binary_cross_entropy(*L.broadcast_tensors(x, y), reduction="none"),
    "bernoulli_error_of_logits": lambda L, x, y: L.F.binary_cross_entropy_with_logits(
        *L.broadcast_tensors(x, y), reduction="none"
    ),
}

# Other values than the defaults for rows with attributes.
ATTRIBUTES = {
    "leaky_relu": (0.2,),
    "elu": (0.7,),
    "huber_error": (0.4,),
    "smooth_error": (0.4,),
    "celu": (0.7,),
    "softplus": (2.0, 3.0),
    "hardtanh": (-0.5, 1.5),
    "softshrink": (0.8,),
    "hardshrink": (0.8,),
    "threshold_at": (0.5, -2.0),
}

# Points where a derivative jumps or a formula divides by zero, beyond the rows' own `kinks`.
KINKS = {
    "maximum": [(1, 1), (0, 0), (-2, -2)],
    "minimum": [(1, 1), (0, 0), (-2, -2)],
    "fmax": [(1, 1), (0, 0)],
    "fmin": [(1, 1), (0, 0)],
    "absolute_error": [(1, 1), (0, 0)],
    "clamp_between": [(-1, -1, 1), (1, -1, 1), (0, 0, 0), (2, 1, -1), (-2, 1, -1), (0, 1, -1)],
    "clamp_from_below": [(-1, -1), (0, 0)],
    "clamp_from_above": [(1, 1), (0, 0)],
    "pow": [(0, 0), (0, 1), (0, 2), (0, 0.5), (0, -1), (-1.5, 2), (-1.5, 0), (2, 0), (1, 3)],
    "atan2": [(0, 0), (0, 1), (0, -1), (1, 0), (-1, 0)],
    "xlogy": [(0, 0), (0, 1), (0, 2), (1, 1)],
    "hypot": [(0, 1), (1, 0)],
    "sinc": [(0,)],
    "fmod": [(3, 1.5), (-3, 1.5), (0, 2)],
    "remainder": [(3, 1.5), (-3, 1.5), (0, 2), (-1, 3), (1, -3)],
    "lerp": [(1, 3, 0), (1, 3, 1), (1, 3, 0.5)],
    "sqrt": [(0,)],
    "rsqrt": [(0,)],
    "reciprocal": [(0,)],
    "div": [(1, 0), (0, 1)],
    "square": [(0,)],
    "floor": [(0,), (1,), (-1,)],
    "ceil": [(0,), (1,), (-1,)],
    "trunc": [(0,), (1,), (-1,)],
    "round_to_even": [(0.5,), (1.5,), (2.5,), (-0.5,)],
    "frac": [(0,), (1,), (-1.5,)],
    "log": [(0,)],
    "silu": [(0,)],
    "mish": [(0,)],
    "gelu_exact": [(0,)],
    "gelu_tanh": [(0,)],
    "tanhshrink": [(0,)],
    "prelu_kernel": [(0, 0.25), (-1, 0), (1, 2)],
    "bernoulli_error": [(0, 0), (1, 1), (0, 1), (1, 0)],
    "bernoulli_error_of_logits": [(0, 0), (0, 1), (0, 0.5)],
    "logaddexp": [(0, 0), (1, 1)],
}


def oracle(row, library):
    """The row's function in ``library``, taking the row's arguments in order."""
    if row.name in EXPRESSIONS:
        expression = EXPRESSIONS[row.name]
        return lambda *args: expression(library, *args)
    home = {"torch": library, "nn.functional": library.F}.get(row.home)
    return getattr(home or getattr(library, row.home), row.name, None)


def intervals(row):
    """The row's domain, one interval for each input."""
    domain = row.domain
    return list(domain) if isinstance(domain[0], tuple) else [domain] * len(row.inputs)


def sample(row, shapes, seed=0, dtype=np.float64):
    """Random inputs inside the row's domain and away from its kinks."""
    generator = np.random.default_rng(seed)
    arrays = []
    for name, shape, (low, high) in zip(row.inputs, shapes, intervals(row), strict=True):
        if name == "condition":
            arrays.append(generator.random(shape) < 0.5)
            continue
        margin = 0.02 * (high - low)
        x = generator.uniform(low + margin, high - margin, shape)
        for kink in row.kinks:
            x = np.where(np.abs(x - kink) < margin, kink + margin * 2, x)
        arrays.append(np.asarray(x, dtype))
    return arrays


# --- Coarse rows ---------------------------------------------------------------------------------------------------


def _write(index):
    def expression(L, x, y):
        z = x * 1
        z[index] = y
        return z

    return expression


def _through_view(view):
    def expression(L, x, y):
        z = x * 1
        view(z).copy_(y)
        return z * z

    return expression


def _scaled(L, x):
    z = x.clone()
    z[1:].mul_(3.0)
    return z


CLASSES = np.array([2, 0, 1, 2])
PIXELS = np.array([[[0, 2], [1, 1]], [[2, 2], [0, -100]]])
WEIGHTS = np.array([0.5, 1.5, 2.0])
MASK = np.array([[True, False, True, True], [False, False, True, False], [True, True, False, True]])
PROBABILITIES = np.array([[0.2, 0.3, 0.5], [1.0, 0.0, 0.0], [0.6, 0.2, 0.2], [0.1, 0.1, 0.8]])

m34, m234 = ((3, 4),), ((2, 3, 4),)

PADDING = "the padding row's gradient is 0 by definition"

# (expression, shapes of its tensors, and where they cannot be had, why no finite differences)
SAMPLES = {
    "copies": [
        (lambda L, x: x.clone(), m34),
        (lambda L, x: x.t().contiguous(), m34),
        (lambda L, x: x.to(L.float64) * x, m34),
        (lambda L, x: x.double() + x.type(L.float64), m34),
        (lambda L, x: x.float().double().float() * 1, m34, "rounds to float32: differences have no correct digit"),
        (lambda L, x, y: (x * 1).copy_(y) * y, ((3, 4), (4,))),
        (lambda L, x: (x * 1).fill_(2.0) * x, m34),
        (lambda L, x: (x * 1).zero_() + x, m34),
        (_write(0), ((3, 4), (4,))),
        (_write((slice(None), slice(1, 4, 2))), ((3, 4), (3, 2))),
        (_write((Ellipsis, -1)), ((3, 4), ())),
        (_write([0, 2]), ((3, 4), (2, 4))),
        (_write(([0, 2, 1], [1, 1, 3])), ((3, 4), (3,))),
        (_through_view(lambda z: z[1]), ((3, 4), (4,))),
        (_through_view(lambda z: z.t()[0]), ((3, 4), (3,))),
        (_through_view(lambda z: z[1:].view(-1)[2:5]), ((3, 4), (3,))),
        (_through_view(lambda z: z.diagonal()), ((3, 4), (3,))),
        (_through_view(lambda z: z.unsqueeze(1).squeeze(1).permute(1, 0)), ((3, 4), (4, 3))),
        (_scaled, m34),
        (lambda L, x, y: (x * 1).index_put_((L.of([0, 2]),), y), ((3, 4), (2, 4))),
        (lambda L, x, y: (x * 1).index_put_((L.of([0, 0]),), y, accumulate=True), ((3, 4), (2, 4))),
    ],
    "shape": [
        (lambda L, x: x.reshape(4, 3) * 2, m34),
        (lambda L, x: L.reshape(x, (-1, 2)).t(), m34),
        (lambda L, x: x.view(2, -1), m34),
        (lambda L, x: x.view_as(x.reshape(12)), m34),
        (lambda L, x: x.permute(2, 0, 1), m234),
        (lambda L, x: L.permute(x, (-1, 0, 1)), m234),
        (lambda L, x: x.transpose(0, -1), m234),
        (lambda L, x: x.swapaxes(1, 2), m234),
        (lambda L, x: x.T, m34),
        (lambda L, x: x.mT, m234),
        (lambda L, x: x.expand(2, 3, 4), ((3, 1),)),
        (lambda L, x: x.expand(-1, 4) * 2, ((3, 1),)),
        (lambda L, x: x.expand_as(x.new_zeros(2, 3, 4)), ((3, 1),)),
        (lambda L, x: x.unsqueeze(-1).unsqueeze(0), m34),
        (lambda L, x: x.squeeze(), ((1, 3, 1),)),
        (lambda L, x: x.squeeze(0), ((1, 3, 1),)),
        (lambda L, x: x.squeeze((0, 2)), ((1, 3, 1),)),
        (lambda L, x: L.flip(x, (0, 2)), m234),
        (lambda L, x: x.flip(1), m34),
        (lambda L, x: L.roll(x, 2, 1), m34),
        (lambda L, x: L.roll(x, (1, -1), (0, 1)), m34),
        (lambda L, x: L.roll(x, 5), m34),
        (lambda L, x: x.repeat(2, 1, 3), m34),
        (lambda L, x: x.repeat(2, 3), ((4,),)),
        (lambda L, x, y: L.cat([x, y], 1), ((3, 4), (3, 2))),
        (lambda L, x, y: L.cat((x, y, x), dim=-2), ((3, 4), (1, 4))),
        (lambda L, x, y: L.stack([x, y], -1), ((3, 4), (3, 4))),
        (lambda L, x, y: L.stack([x, y, x]), ((3, 4), (3, 4))),
        (lambda L, x: L.split(x, 2, 1)[1] * 2, ((3, 5),)),
        (lambda L, x: sum(piece.sum(1) * piece.prod(1) for piece in x.split([1, 2, 2], -1)), ((3, 5),)),
        (lambda L, x: x.chunk(3, 1)[2] * x.chunk(3, 1)[0], ((3, 6),)),
        (lambda L, x: L.unbind(x, 1)[2] * x.unbind(1)[0], m34),
        (lambda L, x: x.flatten(1) * 2, m234),
        (lambda L, x: x.flatten(0, 1).unflatten(0, (3, -1)), m234),
        (lambda L, x: x.ravel(), m34),
        (lambda L, x: L.movedim(x, 0, -1), m234),
        (lambda L, x: L.movedim(x, (0, 1), (2, 0)), m234),
        (lambda L, x: x.narrow(1, 1, 2), m34),
        (lambda L, x: x.select(1, -1), m34),
        (lambda L, x: L.diagonal(x, 1), m34),
        (lambda L, x: x.diagonal(-1, 0, 2), m234),
        (lambda L, x: L.F.pad(x, (1, 2)), m34),
        (lambda L, x: L.F.pad(x, (1, -1, 0, 2), value=1.5), m34),
        (lambda L, x: L.F.pad(x, (2, 1, 1, 1), mode="reflect"), ((1, 2, 3, 4),)),
        (lambda L, x: L.F.pad(x, (2, 1, 1, 0), mode="replicate"), ((1, 2, 3, 4),)),
        (lambda L, x: L.F.pad(x, (2, 1, 1, 0), mode="circular"), ((1, 2, 3, 4),)),
        (lambda L, x: L.tril(x, 1) + L.triu(x, -1), m34),
    ],
    "index": [
        (lambda L, x: x[1], m34),
        (lambda L, x: x[:, ::2], m34),
        (lambda L, x: x[..., None, -1], m34),
        (lambda L, x: x[[0, 2, 2]], m34),
        (lambda L, x: x[:, L.of([3, 0, 3])], m34),
        (lambda L, x: x[L.of([0, 2]), L.of([1, 1])], m34),
        (lambda L, x: x[:, L.of([[0, 1], [1, 2]]), 1:3], m234),
        (lambda L, x: x[0, :, L.of([0, 0, 3])], m234),
        (lambda L, x: x[L.of([0, 1]), :, L.of([0, 3])], m234),
        (lambda L, x: x[L.of(MASK)], m34),
        (lambda L, x: x[:, L.of(MASK)], m234),
        (lambda L, x: x[x.detach() > 10], m34),
        (lambda L, x: L.gather(x, 1, L.of([[0, 0], [3, 1], [2, 2]])), m34),
        (lambda L, x: x.gather(0, L.of([[0, 2, 1], [2, 2, 0]])), m34),
        (lambda L, x, y: L.scatter(x, 1, L.of([[0, 3], [1, 2], [2, 0]]), y), ((3, 4), (3, 2))),
        (lambda L, x: x.scatter(0, L.of([[0, 2, 1, 1]]), 1.5), m34),
        (lambda L, x, y: L.scatter_add(x, 0, L.of([[0, 0, 1, 2], [0, 1, 1, 2]]), y), ((3, 4), (2, 4))),
        (lambda L, x, y: x.scatter_add(1, L.of([[0, 3], [1, 1]]), y), ((3, 4), (2, 2))),
        (lambda L, x: L.index_select(x, 1, L.of([3, 0, 3])), m34),
        (lambda L, x: L.masked_fill(x, L.of(MASK), 2.0) * x, m34),
        (lambda L, x, y: x.masked_fill(L.of(MASK), y), ((3, 4), ())),
        (lambda L, x: L.masked_select(x, L.of(MASK)), m34),
        (lambda L, x, y: L.where(L.of(MASK), x, y), ((3, 4), (4,))),
        (lambda L, x: L.where(L.of(MASK), x, 0.0), m34),
    ],
    "reduce": [
        (lambda L, x: x.sum(), m234),
        (lambda L, x: L.sum(x, 1), m234),
        (lambda L, x: x.sum((0, -1), keepdim=True), m234),
        (lambda L, x: x.sum(dtype=L.float64), m34),
        (lambda L, x: x.mean(), m234),
        (lambda L, x: L.mean(x, (0, 2), keepdim=True), m234),
        (lambda L, x: x.mean(-1), m34),
        (lambda L, x: x.prod(), m34),
        (lambda L, x: L.prod(x, 1, keepdim=True), m34),
        (lambda L, x: (x * L.of(MASK)).prod(0), m34),
        (lambda L, x: x.cumsum(1), m34),
        (lambda L, x: L.cumsum(x, -2), m234),
        (lambda L, x: x.amax(1), m34),
        (lambda L, x: L.amin(x, (0, 2), keepdim=True), m234),
        (lambda L, x: x.max(), m34),
        (lambda L, x: x.max(1)[0], m34),
        (lambda L, x: L.min(x, 0, keepdim=True).values, m34),
        (lambda L, x: x.var(), m34),
        (lambda L, x: L.var(x, 1, keepdim=True), m34),
        (lambda L, x: x.var((0, 2), unbiased=False), m234),
        (lambda L, x: x.std(dim=1, correction=2), m34),
        (lambda L, x: x.std(), m34),
        (lambda L, x: L.logsumexp(x, 1), m34),
        (lambda L, x: x.logsumexp((0, 1), keepdim=True), m234),
        (lambda L, x: L.softmax(x, 1), m34),
        (lambda L, x: x.softmax(0), m34),
        (lambda L, x: L.F.log_softmax(x, -1), m34),
        (lambda L, x: L.F.softmin(x, 1), m34),
        (lambda L, x: L.norm(x), m34),
        (lambda L, x: x.norm(dim=1, keepdim=True), m34),
        (lambda L, x: x.norm(1), m34),
        (lambda L, x: x.norm(3, dim=0), m34),
        (lambda L, x: x.norm(float("inf"), dim=1), m34),
    ],
    "matmul": [
        (lambda L, x, y: x @ y, ((3, 4), (4, 2))),
        (lambda L, x, y: L.matmul(x, y), ((4,), (4,))),
        (lambda L, x, y: x @ y, ((3, 4), (4,))),
        (lambda L, x, y: x @ y, ((4,), (4, 2))),
        (lambda L, x, y: x @ y, ((2, 3, 4), (4, 2))),
        (lambda L, x, y: x @ y, ((2, 3, 4), (4,))),
        (lambda L, x, y: x @ y, ((4,), (2, 4, 3))),
        (lambda L, x, y: x @ y, ((3, 4), (2, 4, 2))),
        (lambda L, x, y: x @ y, ((2, 1, 3, 4), (3, 4, 2))),
        (lambda L, x, y: L.mm(x, y), ((3, 4), (4, 2))),
        (lambda L, x, y: L.bmm(x, y), ((2, 3, 4), (2, 4, 2))),
        (lambda L, x, y: L.mv(x, y), ((3, 4), (4,))),
        (lambda L, x, y: L.dot(x, y), ((4,), (4,))),
        (lambda L, x, y: L.outer(x, y), ((3,), (4,))),
        (lambda L, c, x, y: L.addmm(c, x, y, beta=0.5, alpha=2.0), ((2,), (3, 4), (4, 2))),
        (lambda L, c, x, y: L.addmv(c, x, y), ((3,), (3, 4), (4,))),
        (lambda L, c, x, y: L.baddbmm(c, x, y, alpha=-1), ((2, 3, 2), (2, 3, 4), (2, 4, 2))),
        (lambda L, x, w, b: L.F.linear(x, w, b), ((3, 4), (2, 4), (2,))),
        (lambda L, x, w, b: L.F.linear(x, w, b), ((2, 3, 4), (2, 4), (2,))),
        (lambda L, x, w: L.F.linear(x, w), ((4,), (2, 4))),
        (lambda L, x, y: L.einsum("ij,jk->ik", x, y), ((3, 4), (4, 2))),
        (lambda L, x, y: L.einsum("bij,bkj->bik", x, y), ((2, 3, 4), (2, 5, 4))),
        (lambda L, x, y: L.einsum("i,j", x, y), ((3,), (4,))),
        (lambda L, x: L.einsum("ii", x), ((3, 3),)),
        (lambda L, x: L.einsum("...ii->...i", x), ((2, 3, 3),)),
        (lambda L, x, y: L.einsum("...ij,...jk", x, y), ((2, 3, 4), (4, 2))),
        (lambda L, x: L.einsum("ijk->ki", x), m234),
        (lambda L, x, y, z: L.einsum("ab,bc,cd->ad", x, y, z), ((2, 3), (3, 4), (4, 2))),
        (lambda L, x, y: L.einsum(x, [0, 1], y, [1, 2], [0, 2]), ((3, 4), (4, 2))),
    ],
    "loss": [
        (lambda L, x, y: L.F.mse_loss(x, y), ((3, 4), (3, 4))),
        (lambda L, x, y: L.F.mse_loss(x, y, reduction="sum"), ((3, 4), (3, 4))),
        (lambda L, x, y: L.F.l1_loss(x, y, reduction="none"), ((3, 4), (3, 4))),
        (lambda L, x, y: L.F.l1_loss(x, y), ((3, 4), (3, 4))),
        (lambda L, x, y: L.F.l1_loss(x, y, reduction="sum"), ((3, 4), (3, 4))),
        (lambda L, x, y: L.F.huber_loss(x, y, delta=0.7), ((3, 4), (3, 4))),
        (lambda L, x, y: L.F.huber_loss(x, y, "sum", 0.7), ((3, 4), (3, 4))),
        (lambda L, x, y: L.F.smooth_l1_loss(x, y, beta=0.7), ((3, 4), (3, 4))),
        (lambda L, x, y: L.F.smooth_l1_loss(x, y, reduction="sum", beta=0.7), ((3, 4), (3, 4))),
        (lambda L, x, y: L.F.binary_cross_entropy_with_logits(x, y), ((3, 4), (3, 4))),
        (lambda L, x, y: L.F.binary_cross_entropy(x.sigmoid(), y.sigmoid()), ((3, 4), (3, 4))),
        (
            lambda L, x: L.F.binary_cross_entropy(
                x.sigmoid(), L.of(MASK * 1.0).to(x.dtype), L.of(1.0 + MASK).to(x.dtype), reduction="sum"
            ),
            m34,
        ),
        (lambda L, x: L.F.binary_cross_entropy_with_logits(x, L.of(MASK * 1.0).to(x.dtype)), m34),
        (
            lambda L, x: L.F.binary_cross_entropy_with_logits(
                x, L.of(MASK * 1.0).to(x.dtype), pos_weight=L.of([1.0, 2, 3, 4]).to(x.dtype), reduction="none"
            ),
            m34,
        ),
        (lambda L, x: L.F.nll_loss(L.F.log_softmax(x, 1), L.of(CLASSES)), ((4, 3),)),
        (lambda L, x: L.F.nll_loss(x, L.of(CLASSES), reduction="none"), ((4, 3),)),
        (lambda L, x: L.F.nll_loss(x, L.of(CLASSES), L.of(WEIGHTS).to(x.dtype), ignore_index=1), ((4, 3),)),
        (lambda L, x: L.F.nll_loss(x, L.of(PIXELS), reduction="sum"), ((2, 3, 2, 2),)),
        (lambda L, x: L.F.nll_loss(x, L.of(1)), ((3,),)),
        (lambda L, x: L.F.cross_entropy(x, L.of(CLASSES)), ((4, 3),)),
        (lambda L, x: L.F.cross_entropy(x, L.of(CLASSES), L.of(WEIGHTS).to(x.dtype), reduction="sum"), ((4, 3),)),
        (lambda L, x: L.F.cross_entropy(x, L.of(CLASSES), ignore_index=2, reduction="none"), ((4, 3),)),
        (lambda L, x: L.F.cross_entropy(x, L.of(CLASSES), label_smoothing=0.2), ((4, 3),)),
        (
            lambda L, x: L.F.cross_entropy(
                x, L.of(CLASSES), L.of(WEIGHTS).to(x.dtype), ignore_index=0, label_smoothing=0.2, reduction="mean"
            ),
            ((4, 3),),
        ),
        (lambda L, x: L.F.cross_entropy(x, L.of(PIXELS), L.of(WEIGHTS).to(x.dtype)), ((2, 3, 2, 2),)),
        (lambda L, x: L.F.cross_entropy(x, L.of(PROBABILITIES).to(x.dtype)), ((4, 3),)),
        (
            lambda L, x: L.F.cross_entropy(
                x, L.of(PROBABILITIES).to(x.dtype), L.of(WEIGHTS).to(x.dtype), label_smoothing=0.1
            ),
            ((4, 3),),
        ),
        (lambda L, x, y: L.F.cross_entropy(x, y, reduction="none"), ((4, 3), (4, 3))),
        (lambda L, x: L.F.cross_entropy(x, L.of(2)), ((3,),)),
    ],
    "layers": [
        (lambda L, w: L.F.embedding(L.of([[0, 2, 2], [1, 0, 3]]), w), ((4, 2),)),
        (lambda L, w: L.F.embedding(L.of([1, 1, 2]), w, padding_idx=1), ((4, 2),), PADDING),
        (lambda L, w: L.F.embedding(L.of([1, 1, 2]), w, padding_idx=-2), ((4, 2),), PADDING),
        (lambda L, x: L.F.dropout(x, 0.0) * L.F.dropout(x, 0.5, training=False), m34),
        (lambda L, x: L.F.dropout(x, 1.0), m34),
        (lambda L, x, w: L.F.prelu(x, w), ((2, 3, 4), (3,))),
        (lambda L, x, w: L.F.prelu(x, w), ((2, 3), (1,))),
    ],
    "pointwise": [
        (lambda L, x: L.clamp(x, -1, 1) + x.clamp(min=0.5) + L.clip(x, max=0.2), m34),
        (lambda L, x, y: x.clamp(y - 1, y + 1), ((3, 4), (4,))),
        (lambda L, x, y: L.div(x, y.exp(), rounding_mode="floor") + L.div(x, y.exp()), ((3, 4), (3, 4))),
        (lambda L, x, y, z: L.addcmul(x, y, z, value=0.5), ((3, 4), (3, 1), (4,))),
        (lambda L, x, y, z: x.addcdiv(y, z.exp(), value=-2), ((3, 4), (3, 1), (4,))),
        (lambda L, x, y: L.add(x, y, alpha=2) - L.sub(x, y, alpha=0.5), ((3, 4), (4,))),
        (lambda L, x: 2 - x + 3 / (x * x + 1) + 2**x + x**3 + (-x) * 1.5, m34),
        (lambda L, x: x.round(decimals=1) * x, m34),
        (lambda L, x: L.F.gelu(x) + L.F.gelu(x, approximate="tanh"), m34),
        (lambda L, x: L.F.threshold(x, 0.1, 20) + L.selu(x), m34),
        (lambda L, x: x + x + x.relu() * x, m34),
    ],
}

# Rows without a gradient and without a sample, and what tests them.
EXEMPT = {
    "pick": "replays which of several views was written to: test_shape.py::test_several_results, test_forward_ad.py",
    "bits": "integers only: test_table.py::test_bits",
    "bitwise_not": "integers only: test_table.py::test_bits",
}

# (row, dtype) -> tolerances, where PyTorch is the less exact one.
LOOSE = {
    ("celu", "float64"): (1e-7, 1e-7),  # its 1 / alpha is a float32
    ("hardsigmoid", "float64"): (1e-7, 1e-7),  # its 1 / 6 is a float32
    ("hardswish", "float64"): (1e-7, 1e-7),
    ("bernoulli_error", "float64"): (1e-7, 1e-12),  # its 1e-12 is a float32
    ("tanhshrink", "float16"): (2e-2, 2e-3),  # it rounds between its steps
    ("bernoulli_error_of_logits", "float16"): (1e-2, 5e-3),
}

# Rows that are not PyTorch's at some of the special values, and why.
INFINITE = (float("inf"), -float("inf"))
SPECIAL_OPEN = {
    "gelu_exact": (INFINITE, "its vectorized and its scalar code differ"),
    "gelu_slope": (INFINITE, "zero times infinity there, ours the limit"),
    "bernoulli_error_of_logits": (INFINITE, "its vectorized and its scalar code differ"),
}

for _path in sorted(Path(__file__).with_name("samples").glob("*.py")):
    _more = runpy.run_path(str(_path))
    for _name in ("EXPRESSIONS", "ATTRIBUTES", "KINKS", "SAMPLES", "EXEMPT", "LOOSE", "SPECIAL_OPEN"):
        for _key, _value in _more.get(_name, {}).items():
            if _key in globals()[_name]:
                raise ValueError(f"{_path.name} defines {_name}[{_key!r}] again")
            globals()[_name][_key] = _value

CASES = [(f"{family}-{i}", *case[:2]) for family, cases in SAMPLES.items() for i, case in enumerate(cases)]
NO_DIFFERENCES = {
    f"{family}-{i}": case[2] for family, cases in SAMPLES.items() for i, case in enumerate(cases) if len(case) > 2
}


def arrays_for(shapes, seed=0, dtype=np.float64):
    generator = np.random.default_rng(seed)
    return [np.asarray(generator.uniform(-2, 2, shape), dtype) for shape in shapes]


def summary():
    """What the loop over the table covers, in a line or two."""
    lines = [
        f"operator table: {len(TABLE)} rows, {len(POINTWISE)} pointwise (all sampled), {len(COARSE)} coarse "
        f"({len(CASES)} samples), {len(EXEMPT)} exempt:"
    ]
    lines += [f"  {name}: {reason}" for name, reason in EXEMPT.items()]
    return "\n".join(lines)
