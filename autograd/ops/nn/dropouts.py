"""Noise in a network: dropout of elements and of features, randomized leaky ReLU, Gumbel softmax.

Each draws the mask that PyTorch draws from the same seed.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from ... import kernels
from ...kernels.halves import FLOATING, is_half
from ...kernels.sampling import in_memory_order
from ...rows.dispatch import apply
from ...rows.public import FUNCTIONAL, TORCH, function
from ...rows.table import Array, coarse
from ...rows.writes import check_write, type_name, write
from ...tensor import Tensor, check_dim, wrap
from ..convert import check_tensor, records
from ..random import Generator, default_generator, stream_of

# alpha dropout: what SELU tends to where its input tends to minus infinity, without its sign.
SELU_LIMIT = 1.7580993408473766
PACKED = (
    16384  # elements from which a mask waits for the gradient as bits: packing a few takes longer than drawing them
)


@coarse(latex=r"x \, m / (1 - p)", home="", node_name="Mul", keeps_layout=True)
def masked_scale(x: Array, mask, scale):
    return kernels.dropout.masked_scale(x, mask, scale)


@masked_scale.gradient("x")
def _(g, mask, scale):
    return masked_scale(g, mask, scale)


def _scale(keep: float, dtype: np.dtype) -> Any:
    """``1 / keep``, computed as PyTorch divides a mask by a number: halves in float32, then rounded."""
    kind = np.float32 if is_half(dtype) else dtype.type
    return dtype.type(kind(1) / kind(keep))


def _check_floats(operator: str, array: np.ndarray) -> None:
    if array.dtype.kind == "c":
        raise NotImplementedError(f"{operator} is not implemented for '{type_name(array.dtype)}'")
    if array.dtype.kind not in FLOATING:
        raise RuntimeError(
            f"{operator}: result type Float can't be cast to the desired output type {type_name(array.dtype)}; "
            "convert with .float() first"
        )


def _drop(name: str, input: Tensor, p: float, train: bool, inplace: bool = False) -> Tensor:
    """One of the four kinds of dropout, told by its name."""
    array = check_tensor(name, "input", input)._array
    if not 0 <= p <= 1:
        raise RuntimeError(f"{name}: dropout probability has to be between 0 and 1, but got {p}")
    if p == 0 or not train or array.size == 0:
        return input
    if inplace:
        check_write(input, f"{name}_", records(input))
    if p == 1:
        out = input * wrap(np.zeros((), array.dtype))
    else:
        _check_floats(name, array)
        out = _with_noise(name, input, p)
    return write(input, out, f"{name}_") if inplace else out


def _with_noise(name: str, input: Tensor, p: float) -> Tensor:
    array, stream = input._array, default_generator.stream
    if name.startswith("feature"):
        if array.ndim < 2:
            raise RuntimeError(f"{name}: Feature dropout requires at least 2 dimensions in the input, got {array.ndim}")
        mask = stream.bernoulli(1 - p, (*array.shape[:2], *(1,) * (array.ndim - 2)), np.bool_)
    else:
        mask = in_memory_order(array, lambda shape: stream.bernoulli(1 - p, shape, np.bool_))
    if "alpha" not in name:
        kept = kernels.dropout.Bits(mask) if records(input) and mask.size >= PACKED else mask
        return apply(masked_scale, (input, kept, _scale(1 - p, array.dtype)), {})
    # Dropped elements become SELU's limit; the affine map restores mean 0 and variance 1. Klambauer et al. (2017).
    a = 1 / math.sqrt((SELU_LIMIT**2 * p + 1) * (1 - p))
    kind = array.dtype.type
    shift = (mask.astype(array.dtype) - kind(1)) * kind(SELU_LIMIT * a) + kind(SELU_LIMIT * a * p)
    return input * wrap(np.asarray(mask * kind(a))) + wrap(np.asarray(shift))


def _check_probability(p: float) -> None:
    if p < 0 or p > 1:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")


_DOC = """{what}, with PyTorch's mask.

    Args:
        input: {shape}, of floats.
        p: probability of being dropped.
        train: False gives ``input`` back.

    Raises:
        RuntimeError: ``p`` outside of [0, 1]{more}.
    """


def _publish(name: str, what: str, shape: str) -> None:
    def plain(input: Tensor, p: float, train: bool) -> Tensor:
        return _drop(name, input, p, train)

    def inplace(input: Tensor, p: float, train: bool) -> Tensor:
        return _drop(name, input, p, train, inplace=True)

    more = ", or fewer than 2 dimensions" if name.startswith("feature") else ""
    for written, ending in ((plain, ""), (inplace, "_")):
        written.__name__ = written.__qualname__ = name + ending
        written.__doc__ = _DOC.format(what=what + (", in place" if ending else ""), shape=shape, more=more)
        function(method=False)(written)


_publish("dropout", "Each element set to 0 with probability ``p``, the others divided by ``1 - p``", "any shape")
_publish("feature_dropout", "Dropout of whole channels", "(N, C, *)")
_publish("alpha_dropout", "Dropout that keeps mean 0 and variance 1 of what SELU gives", "any shape")
_publish("feature_alpha_dropout", "Alpha dropout of whole channels", "(N, C, *)")


@function(method=False)
def native_dropout(input: Tensor, p: float, train: bool | None) -> tuple[Tensor, Tensor]:
    """The result of dropout and its mask; ``train=None`` means True."""
    array = check_tensor("native_dropout", "input", input)._array
    if array.size == 0:
        return input, wrap(np.empty_like(array))
    if train is False:
        return input.clone(), wrap(np.ones(array.shape, np.bool_))
    _check_floats("native_dropout", array)
    mask = in_memory_order(array, lambda shape: default_generator.stream.bernoulli(1 - p, shape, np.bool_))
    return apply(masked_scale, (input, mask, _scale(1 - p, array.dtype) if p < 1 else 0.0), {}), wrap(mask)


@function(home="nn.functional")
def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Each element set to 0 with probability ``p``, the others divided by ``1 - p``; nothing when not training.

    Draws the mask that PyTorch draws from the same seed.

    Raises:
        ValueError: ``p`` outside of [0, 1].

    >>> import nn
    >>> import autograd
    >>> nn.functional.dropout(autograd.ones(3), 1.0)
    tensor([0., 0., 0.])
    """
    _check_probability(p)
    return _drop("dropout", input, p, training, inplace)


@function(home="nn.functional")
def alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """Elements set to SELU's limit for minus infinity with probability ``p``; the result keeps mean and variance.

    Klambauer et al., "Self-Normalizing Neural Networks" (2017).

    Raises:
        ValueError: ``p`` outside of [0, 1].

    >>> import autograd
    >>> from nn import functional as F
    >>> F.alpha_dropout(autograd.ones(3), 0.5, training=False)
    tensor([1., 1., 1.])
    """
    _check_probability(p)
    return _drop("alpha_dropout", input, p, training, inplace)


@function(home="nn.functional")
def feature_alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """`alpha_dropout` of whole channels: ``input`` is (N, C, *).

    Raises:
        ValueError: ``p`` outside of [0, 1].
        RuntimeError: fewer than 2 dimensions.

    >>> import autograd
    >>> from nn import functional as F
    >>> x = F.feature_alpha_dropout(autograd.zeros(8, 4, 3), 0.5, training=True)
    >>> x.std(2).max()  # channels are kept or left out as a whole
    tensor(0.)
    """
    _check_probability(p)
    return _drop("feature_alpha_dropout", input, p, training, inplace)


def _drop_features(name: str, input: Tensor, p: float, training: bool, inplace: bool, batched: bool) -> Tensor:
    """Dropout of the channels of a batch, or of a single sample: its first dimension."""
    if batched:
        return _drop("feature_dropout", input, p, training, inplace)
    out = _drop("feature_dropout", input.unsqueeze(0), p, training, inplace)
    return input if inplace else out.squeeze(0)


@function(home="nn.functional")
def dropout1d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Dropout of whole channels: ``input`` is (N, C, L) or (C, L).

    Raises:
        ValueError: ``p`` outside of [0, 1].
        RuntimeError: another number of dimensions.

    >>> import autograd
    >>> from nn import functional as F
    >>> x = F.dropout1d(autograd.ones(8, 4, 3), 0.5)
    >>> set(x.sum(2).flatten().tolist()) <= {0.0, 6.0}  # whole channels
    True
    """
    _check_probability(p)
    ndim = check_tensor("dropout1d", "input", input)._array.ndim
    if ndim not in (2, 3):
        raise RuntimeError(f"dropout1d: Expected 2D or 3D input, but received a {ndim}D input: use dropout")
    return _drop_features("dropout1d", input, p, training, inplace, ndim == 3)


@function(home="nn.functional")
def dropout2d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Dropout of whole channels: ``input`` is (N, C, H, W).

    A 3-dimensional input counts as (N, C, L), with a warning, as in PyTorch.

    Raises:
        ValueError: ``p`` outside of [0, 1].
        RuntimeError: fewer than 2 dimensions.

    >>> import autograd
    >>> from nn import functional as F
    >>> x = F.dropout2d(autograd.ones(8, 4, 3, 3), 0.5)
    >>> set(x.sum((2, 3)).flatten().tolist()) <= {0.0, 18.0}  # whole channels
    True
    """
    _check_probability(p)
    ndim = check_tensor("dropout2d", "input", input)._array.ndim
    if ndim == 3:
        warnings.warn(
            "dropout2d: a 3-D input counts as (N, C, L): use dropout1d, or unsqueeze(0) an image (C, H, W).",
            UserWarning,
            stacklevel=3,
        )
    elif ndim != 4:
        _warn_of_dimensions("dropout2d", ndim)
    return _drop_features("dropout2d", input, p, training, inplace, batched=True)


@function(home="nn.functional")
def dropout3d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Dropout of whole channels: ``input`` is (N, C, D, H, W) or (C, D, H, W).

    Raises:
        ValueError: ``p`` outside of [0, 1].

    >>> import autograd
    >>> from nn import functional as F
    >>> x = F.dropout3d(autograd.ones(8, 4, 1, 3, 3), 0.5)
    >>> set(x.sum((2, 3, 4)).flatten().tolist()) <= {0.0, 18.0}  # whole channels
    True
    """
    _check_probability(p)
    ndim = check_tensor("dropout3d", "input", input)._array.ndim
    if ndim not in (4, 5):
        _warn_of_dimensions("dropout3d", ndim)
    return _drop_features("dropout3d", input, p, training, inplace, ndim == 5)


def _warn_of_dimensions(name: str, ndim: int) -> None:
    warnings.warn(
        f"{name}: a {ndim}-D input is deprecated and will be an error: use dropout for elements.",
        UserWarning,
        stacklevel=4,
    )


# --- Randomized leaky ReLU -----------------------------------------------------------------------------------------


def _rrelu(input: Tensor, lower: float, upper: float, training: bool, generator: Generator | None) -> Tensor:
    array = check_tensor("rrelu", "input", input)._array
    stream = stream_of("rrelu", generator)
    if not lower <= upper:
        raise RuntimeError(f"rrelu: Lower bound should be less than or equal to the upper bound, got {lower} > {upper}")
    if array.dtype.kind not in FLOATING or (training and array.dtype == np.float16):
        raise NotImplementedError(f"rrelu is not implemented for '{type_name(array.dtype)}'")
    if not training:
        return FUNCTIONAL["leaky_relu"](input, (lower + upper) / 2)
    slopes = np.ones(array.shape, array.dtype)
    negative = array <= 0
    # PyTorch rounds the bounds to the tensor's dtype, but draws in float64.
    low, high = float(array.dtype.type(lower)), float(array.dtype.type(upper))
    slopes[negative] = stream.uniform(int(negative.sum()), np.float64) * (high - low) + low
    return wrap(slopes) * input  # in rows, as PyTorch gives it


@function(method=False)
def rrelu(
    input: Tensor,
    lower: float = 1 / 8,
    upper: float = 1 / 3,
    training: bool = False,
    generator: Generator | None = None,
) -> Tensor:
    """``x`` where it is positive, else ``r * x``; r uniform on [lower, upper) in training, their mean otherwise.

    Xu et al., "Empirical Evaluation of Rectified Activations in Convolutional Network" (2015).

    Raises:
        RuntimeError: ``lower > upper``.
        NotImplementedError: a dtype that is not floating-point.

    >>> import autograd
    >>> from nn import functional as F
    >>> F.rrelu(autograd.tensor([-1.0, 2.0]), 0.1, 0.3)
    tensor([-0.2000,  2.0000])
    """
    return _rrelu(input, lower, upper, training, generator)


@function(method=False)
def rrelu_(
    input: Tensor,
    lower: float = 1 / 8,
    upper: float = 1 / 3,
    training: bool = False,
    generator: Generator | None = None,
) -> Tensor:
    """`rrelu` in place."""
    check_write(check_tensor("rrelu_", "input", input), "rrelu_", records(input))
    return write(input, _rrelu(input, lower, upper, training, generator), "rrelu_")


def _functional_rrelu() -> None:
    def rrelu(
        input: Tensor, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False, inplace: bool = False
    ) -> Tensor:
        return TORCH["rrelu_" if inplace else "rrelu"](input, lower, upper, training)

    rrelu.__doc__ = TORCH["rrelu"].__doc__
    function(home="nn.functional")(rrelu)
    FUNCTIONAL["rrelu_"] = TORCH["rrelu_"]


_functional_rrelu()


# --- Gumbel softmax ------------------------------------------------------------------------------------------------


@function(home="nn.functional")
def gumbel_softmax(logits: Tensor, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1) -> Tensor:
    """``softmax((logits + g) / tau)`` with Gumbel noise g: a draw from a categorical distribution, made differentiable.

    Jang et al., "Categorical Reparameterization with Gumbel-Softmax" (2017).

    Args:
        logits: unnormalized log-probabilities of any shape.
        tau: temperature: the lower, the closer to one-hot.
        hard: one-hot in value, with the gradient of the soft draw.
        eps: ignored, as in PyTorch.
        dim: where the categories are.

    Raises:
        IndexError: ``dim`` out of range.

    >>> import nn
    >>> import autograd
    >>> nn.functional.gumbel_softmax(autograd.zeros(2, 3), hard=True).sum(1)
    tensor([1., 1.])
    """
    if eps != 1e-10:
        warnings.warn("gumbel_softmax: `eps` is deprecated and has no effect.", UserWarning, stacklevel=3)
    array = check_tensor("gumbel_softmax", "logits", logits)._array
    check_dim("gumbel_softmax", dim, array.ndim)
    noise = -wrap(default_generator.stream.exponential(array.shape, array.dtype)).log()
    soft = ((logits + noise) / tau).softmax(dim)
    if not hard:
        return soft
    one_hot = np.zeros(array.shape, array.dtype)
    np.put_along_axis(one_hot, np.expand_dims(soft._array.argmax(dim), dim), 1, dim)
    return wrap(one_hot) - soft.detach() + soft


__all__ = [
    "alpha_dropout",
    "dropout",
    "dropout1d",
    "dropout2d",
    "dropout3d",
    "feature_alpha_dropout",
    "gumbel_softmax",
    "masked_scale",
    "native_dropout",
    "rrelu",
    "rrelu_",
]
