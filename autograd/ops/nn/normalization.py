"""Normalization: a tensor standardized by the mean and the variance of its layers, groups, channels or instances."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from ...dtypes import from_numpy_dtype, wider
from ...graph import state
from ...kernels import normalization as kernel
from ...kernels.silence import silently
from ...rows.dispatch import apply
from ...rows.public import function
from ...rows.table import Array, _, coarse
from ...rows.widening import widened
from ...rows.writes import type_name
from ...tensor import Tensor, count_write, wrap
from ..convert import check_tensor
from ..shape import reshape

__all__ = [
    "batch_norm",
    "group_norm",
    "instance_norm",
    "layer_norm",
    "native_batch_norm",
    "native_group_norm",
    "native_layer_norm",
    "rms_norm",
    "standardize",
]

ROWS, CHANNELS = kernel.ROWS, kernel.CHANNELS


def _node_name(kind: Any) -> str:
    return kind


@coarse(
    latex=r"\frac{x - \mu}{\sigma} \, w + b",
    extras=("mean", "scale"),
    home="",
    node_name=_node_name,
    complex=False,
)
def standardize(x: Array, weight: Array, bias: Array, view, axes, moments, eps, centered, kind):
    """``x`` minus its mean, divided by its standard deviation, times ``weight``, plus ``bias``.

    Args:
        view: the shape (N, G, K, S) in which means are taken along two axes, and weight and bias belong to G and K.
        axes: along which the moments are taken; () where they are constants.
        moments: mean and ``1 / sqrt(variance + eps)`` where they are known: constants, or what `_moments` gave.
        centered: whether there is a mean to subtract.
        kind: PyTorch's name of the node.
    """
    weight, bias = (None if each is None else _placed(each, view) for each in (weight, bias))
    if moments is None:
        out, mean, scale = kernel.standardize(x.reshape(view), weight, bias, axes, eps, centered)
    else:
        mean, scale = moments
        out = kernel.standardized(x.reshape(view), mean, scale, weight, bias, axes or CHANNELS)
    return out.reshape(x.shape), mean, scale


@standardize.gradient("x", "weight", "bias")
def _(
    g, x, weight, mean, scale, x_dtype, weight_shape, weight_dtype, bias_shape, bias_dtype, view, axes, eps, centered
):
    shape = tuple(x.shape)
    placed = None if weight is None else weight.reshape(_places(weight_shape, view))
    if isinstance(g, np.ndarray) and isinstance(x, np.ndarray):
        found = kernel.gradients(g, x, view, mean, scale, placed, axes, centered)
    else:
        found = _composed(reshape(g, view), reshape(x, view), x_dtype, placed, axes, mean, scale, eps, centered)
    wanted = ((shape, x_dtype), (weight_shape, weight_dtype), (bias_shape, bias_dtype))
    return [
        None if size is None else _converted(gradient if gradient.shape == size else gradient.reshape(size), dtype)
        for gradient, (size, dtype) in zip(found, wanted, strict=True)
    ]


def _converted(value, dtype):
    array = value._array if isinstance(value, Tensor) else value
    return value if array.dtype == dtype else _.to(value, dtype)


def _composed(g, x, dtype, weight, axes, mean, scale, eps, centered):
    """The gradients written with rows, in which mean and variance depend on ``x``."""
    wide = kernel.wide_dtype(dtype)
    g, x = _converted(g, wide), _converted(x, wide)
    weight = None if weight is None else _converted(weight, wide)
    if axes:
        mean = _.mean(x, axes, True) if centered else mean
        distance = x - mean
        scale = _.rsqrt(_.mean(distance * distance, axes, True) + eps)
    standard = (x - mean) * scale
    weighted = g if weight is None else g * weight
    gradient = weighted
    if axes:
        gradient = weighted - standard * _.mean(weighted * standard, axes, True)
        if centered:
            gradient = gradient - _.mean(weighted, axes, True)
    return gradient * scale, _.sum(g * standard, CHANNELS, True), _.sum(g, CHANNELS, True)


def _places(shape: Sequence[int], view: Sequence[int]) -> tuple[int, ...]:
    """The shape in which a weight meets a tensor of shape ``view``; one value for each group or for each place."""
    return (1, view[1], prod(shape) // max(view[1], 1), 1) if prod(shape) else (1, view[1], view[2], 1)


def _placed(weight: np.ndarray, view: Sequence[int]) -> np.ndarray:
    return weight.reshape(_places(weight.shape, view))


def _moments(
    x: np.ndarray, view: Sequence[int], axes: tuple[int, ...], eps: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean, ``1 / sqrt(variance + eps)`` and variance of ``x`` along ``axes`` of its ``view``."""
    mean, variance = silently(kernel.moments, widened(x).reshape(view), axes)
    return mean, silently(kernel.inverse_deviation, variance, eps), variance


# --- Checks --------------------------------------------------------------------------------------------------------


def _wide(dtype: np.dtype) -> np.dtype:
    return kernel.wide_dtype(wider.get(dtype, dtype))


def _check_floating(operator: str, x: np.ndarray, allowed: str = "f") -> None:
    if _wide(x.dtype).kind not in allowed:
        raise NotImplementedError(
            f"\"{operator}\" not implemented for '{type_name(x.dtype)}'; convert the input with .float()"
        )


def _check_dtypes(operator: str, x: np.ndarray, *others: Tensor | None) -> None:
    """All of one dtype; or the others float32 where ``x`` is of two bytes."""
    dtypes = {other._array.dtype for other in others if other is not None}
    if dtypes == {x.dtype}:
        return
    if len(dtypes) > 1 or (dtypes and not dtypes & {x.dtype, _wide(x.dtype)}):
        found = ", ".join(sorted(dtype.name for dtype in dtypes))
        raise RuntimeError(
            f"{operator}: mixed dtype: the input is {x.dtype.name}, but its parameters are {found}; expect parameters "
            f"to be {_wide(x.dtype).name}"
        )


def _check_normalized_shape(
    operator: str, x: np.ndarray, normalized_shape: Any, parameters: dict[str, Tensor | None]
) -> tuple[int, ...]:
    if not isinstance(normalized_shape, (tuple, list)):
        raise TypeError(
            f"{operator}(): argument 'normalized_shape' must be tuple of ints, not {type(normalized_shape).__name__}"
        )
    shape = tuple(map(int, normalized_shape))
    if not shape:
        raise RuntimeError(
            f"{operator}: Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one "
            "element, but got normalized_shape = []"
        )
    for name, parameter in parameters.items():
        if parameter is not None and parameter._array.shape != shape:
            raise RuntimeError(
                f"{operator}: Expected {name} to be of same shape as normalized_shape, but got {name} of shape "
                f"{list(parameter.shape)} and normalized_shape = {list(shape)}"
            )
    if x.ndim == 0 and operator == "rms_norm":
        raise ValueError("rms_norm: Input tensor must have at least 1 dimensions, but got 0")
    if x.shape[max(x.ndim - len(shape), 0) :] != shape:
        wanted = ", ".join(map(str, ("*", *shape)))
        raise RuntimeError(
            f"{operator}: Given normalized_shape={list(shape)}, expected input with shape [{wanted}], but got input of "
            f"size{list(x.shape)}"
        )
    return shape


def _check_channels(operator: str, x: np.ndarray, parameters: dict[str, Tensor | None]) -> int:
    channels = x.shape[1] if x.ndim > 1 else 0
    for name, parameter in parameters.items():
        if parameter is not None and parameter.numel() != channels:
            raise RuntimeError(
                f"{operator}: {name} should contain {channels} elements not {parameter.numel()}; the input has shape "
                f"{list(x.shape)}"
            )
    return channels


# --- Layers: along the last dimensions -----------------------------------------------------------------------------


def _rows(x: np.ndarray, shape: Sequence[int]) -> tuple[int, ...]:
    return (prod(x.shape[: x.ndim - len(shape)]), 1, prod(shape), 1)


def _check_layer_norm(
    input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None, bias: Tensor | None
) -> tuple[int, ...]:
    x = check_tensor("layer_norm", "input", input)._array
    shape = _check_normalized_shape("layer_norm", x, normalized_shape, {"weight": weight, "bias": bias})
    _check_dtypes("layer_norm", x, weight, bias)
    _check_floating("layer_norm", x)
    return shape


@function(method=False)
def native_layer_norm(
    input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None, bias: Tensor | None, eps: float
) -> tuple[Tensor, Tensor, Tensor]:
    """`layer_norm`, and the mean and ``1 / sqrt(variance + eps)`` of each row, which have no gradient."""
    shape = _check_layer_norm(input, normalized_shape, weight, bias)
    x = input._array
    view = _rows(x, shape)
    mean, scale, _variance = _moments(x, view, ROWS, eps)
    arguments = (input, weight, bias, view, ROWS, (mean, scale), eps, True, "NativeLayerNorm")
    out = apply(standardize, arguments, {})
    kept = next((each._array.dtype for each in (weight, bias) if each is not None), x.dtype)
    reduced = x.shape[: x.ndim - len(shape)] + (1,) * len(shape)
    return out, *(wrap(each.astype(kept, copy=False).reshape(reduced)) for each in (mean, scale))


@function(functional=True, method=False)
def layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
    cudnn_enable: bool = True,
) -> Tensor:
    """The last dimensions standardized: ``(x - mean) / sqrt(variance + eps) * weight + bias``.

    Ba et al., "Layer Normalization" (2016).

    Args:
        input: (*, *normalized_shape), of floats.
        normalized_shape: sizes of the dimensions over which mean and variance are taken.
        weight: of shape ``normalized_shape``, or None.
        bias: of shape ``normalized_shape``, or None.
        eps: added to the variance.
        cudnn_enable: accepted for PyTorch's sake.

    Raises:
        RuntimeError: shapes or dtypes that do not fit.
        NotImplementedError: ``input`` is not floating-point.

    >>> import autograd, nn
    >>> nn.functional.layer_norm(autograd.tensor([[1.0, 3.0]]), (2,), eps=0.0)
    tensor([[-1.,  1.]])
    """
    shape = _check_layer_norm(input, normalized_shape, weight, bias)
    view = _rows(input._array, shape)
    return apply(standardize, (input, weight, bias, view, ROWS, None, eps, True, "NativeLayerNorm"), {})


@function(functional=True, method=False)
def rms_norm(
    input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None = None, eps: float | None = None
) -> Tensor:
    """The last dimensions divided by their root mean square: ``x / sqrt(mean(x * x) + eps) * weight``.

    Zhang and Sennrich, "Root Mean Square Layer Normalization" (2019).

    Args:
        input: (*, *normalized_shape).
        normalized_shape: sizes of the dimensions over which the mean is taken.
        weight: of shape ``normalized_shape``, or None.
        eps: added to the mean; the distance from 1 to the next number by default.

    Raises:
        RuntimeError: shapes that do not fit.
        NotImplementedError: ``input`` is of integers.

    >>> import autograd, nn
    >>> nn.functional.rms_norm(autograd.tensor([[1.0, 7.0]]), (2,))
    tensor([[0.2000, 1.4000]])
    """
    x = check_tensor("rms_norm", "input", input)._array
    shape = _check_normalized_shape("rms_norm", x, normalized_shape, {"weight": weight})
    _check_floating("rms_norm", x, "fc")
    if eps is None:
        eps = float(np.finfo(_wide(x.dtype)).eps)
    if x.dtype.kind == "c" or (weight is not None and weight.is_complex()):
        dims = tuple(range(x.ndim - len(shape), x.ndim))
        out = input * ((input * input).mean(dims, True) + eps).rsqrt()
        return (out if weight is None else out * weight).to(input.dtype)
    view = _rows(x, shape)
    return apply(standardize, (input, weight, None, view, ROWS, None, eps, False, "Mul"), {})


# --- Groups of channels --------------------------------------------------------------------------------------------


@function(method=False)
def group_norm(
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
    cudnn_enabled: bool = True,
) -> Tensor:
    """Each sample's groups of channels standardized; see `nn.functional.group_norm`."""
    x = check_tensor("group_norm", "input", input)._array
    if num_groups <= 0:
        raise RuntimeError(f"group_norm: Expected num groups to be greater than 0, got {num_groups}")
    if x.ndim < 2 or x.shape[1] % num_groups:
        raise RuntimeError(
            f"group_norm: Expected number of channels in input to be divisible by num_groups, but got input of shape "
            f"{list(x.shape)} and num_groups={num_groups}"
        )
    samples, channels = x.shape[:2]
    for name, parameter in (("weight", weight), ("bias", bias)):
        if parameter is not None and tuple(parameter.shape) != (channels,):
            raise RuntimeError(
                f"group_norm: Expected {name} to be a vector of size equal to the number of channels in input, but got "
                f"{name} of shape {list(parameter.shape)} and input of shape {list(x.shape)}"
            )
    _check_dtypes("group_norm", x, weight, bias)
    _check_floating("group_norm", x)
    view = (samples, num_groups, channels // num_groups, prod(x.shape[2:]))
    return apply(standardize, (input, weight, bias, view, ROWS, None, eps, True, "NativeGroupNorm"), {})


@function(method=False)
def native_group_norm(
    input: Tensor, weight: Tensor | None, bias: Tensor | None, N: int, C: int, HxW: int, group: int, eps: float
) -> tuple[Tensor, Tensor, Tensor]:
    """`group_norm`, and the mean and ``1 / sqrt(variance + eps)`` of each group, (N, group)."""
    x = check_tensor("native_group_norm", "input", input)._array
    if x.size != N * C * HxW:
        raise RuntimeError(
            f"native_group_norm: Expected X.numel() == N * C * HxW, but got shape {list(x.shape)} and {N}, {C}, {HxW}"
        )
    out = group_norm(input, group, weight, bias, eps)
    groups = input.to(from_numpy_dtype(_wide(x.dtype))).reshape(N, group, C // group * HxW)
    mean = groups.mean(-1)
    scale = (groups.var(-1, correction=0) + eps).rsqrt()
    kept = next((each.dtype for each in (weight, bias) if each is not None), input.dtype)
    return out, mean.to(kept), scale.to(kept)


# --- Channels across the batch, and each instance's channels -------------------------------------------------------


def _follow(running: Tensor | None, value: np.ndarray, momentum: float) -> None:
    """Moves a running statistic towards ``value``."""
    if running is not None:
        array = running._array
        array[...] = (1 - momentum) * array.astype(value.dtype) + momentum * value.reshape(array.shape)
        count_write(running)


def _unbiased(variance: np.ndarray, count: int) -> np.ndarray:
    with np.errstate(all="ignore"):
        return variance * (np.float64(count) / (count - 1))


def _check_running(operator: str, running: dict[str, Tensor | None], needed: bool) -> None:
    """In evaluation there must be running statistics, and never a gradient of them."""
    for name, value in running.items():
        if value is None and needed:
            raise RuntimeError(f"{operator}: {name} must be defined in evaluation mode")
        if value is not None and state.grad and value.requires_grad:
            raise RuntimeError(f"{operator} is not differentiable with respect to argument '{name}'; detach() it")


def _constant_moments(
    running_mean: Tensor, running_var: Tensor, eps: float, dtype: np.dtype
) -> tuple[np.ndarray, np.ndarray]:
    wide = _wide(dtype)
    mean, variance = (each._array.astype(wide).reshape(1, 1, -1, 1) for each in (running_mean, running_var))
    with np.errstate(all="ignore"):
        return mean, 1 / np.sqrt(variance + wide.type(eps))


@function(method=False)
def native_batch_norm(
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    training: bool,
    momentum: float,
    eps: float,
) -> tuple[Tensor, Tensor, Tensor]:
    """`batch_norm`, and in training the mean and ``1 / sqrt(variance + eps)`` of each channel."""
    x = check_tensor("batch_norm", "input", input)._array
    if not isinstance(momentum, (int, float)):
        raise TypeError(f"batch_norm(): argument 'momentum' must be float, not {type(momentum).__name__}")
    running = {"running_mean": running_mean, "running_var": running_var}
    _check_running("batch_norm", running, needed=not training)
    channels = _check_channels("batch_norm", x, {**running, "weight": weight, "bias": bias})
    if training and (running_mean is None) != (running_var is None):
        raise ValueError("batch_norm: running_mean and running_var must either both be None or neither be None")
    if x.size == 0 and training:
        raise RuntimeError(
            f"batch_norm: input tensor must have at least one element, but got input_sizes = {list(x.shape)}"
        )
    _check_floating("batch_norm", x)
    _check_dtypes("batch_norm", x, weight, bias, running_mean, running_var)
    view = (x.shape[0], 1, channels, prod(x.shape[2:]))
    kept = next((e._array.dtype for e in (weight, bias, *running.values()) if e is not None), x.dtype)
    if not training:
        moments = _constant_moments(running_mean, running_var, eps, x.dtype)  # type: ignore[arg-type]
        out = apply(standardize, (input, weight, bias, view, (), moments, eps, True, "NativeBatchNorm"), {})
        return out, wrap(np.empty(0, kept)), wrap(np.empty(0, kept))
    mean, scale, variance = _moments(x, view, CHANNELS, eps)
    arguments = (input, weight, bias, view, CHANNELS, (mean, scale), eps, True, "NativeBatchNorm")
    out = apply(standardize, arguments, {})
    _follow(running_mean, mean, momentum)
    _follow(running_var, _unbiased(variance, x.size // channels), momentum)
    return out, *(wrap(each.astype(kept, copy=False).reshape(-1)) for each in (mean, scale))


@function(method=False)
def batch_norm(
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    training: bool,
    momentum: float,
    eps: float,
    cudnn_enabled: bool,
) -> Tensor:
    """Channels standardized across the batch; see `nn.functional.batch_norm`."""
    if check_tensor("batch_norm", "input", input)._array.size == 0:
        _check_channels("batch_norm", input._array, {"weight": weight, "bias": bias})
        out = input.clone()
        for parameter, combine in ((weight, "mul"), (bias, "add")):
            if parameter is not None:
                out = getattr(out, combine)(parameter.reshape(-1, *(1,) * (input.ndim - 2)))
        return out
    return native_batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps)[0]


@function(method=False)
def instance_norm(
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    use_input_stats: bool,
    momentum: float,
    eps: float,
    cudnn_enabled: bool,
) -> Tensor:
    """Each sample's channels standardized by themselves; see `nn.functional.instance_norm`."""
    x = check_tensor("instance_norm", "input", input)._array
    running = {"running_mean": running_mean, "running_var": running_var}
    _check_running("instance_norm", running, needed=not use_input_stats)
    channels = _check_channels("instance_norm", x, {**running, "weight": weight, "bias": bias})
    if (running_mean is None) != (running_var is None):
        raise ValueError("instance_norm: running_mean and running_var must either both be None or neither be None")
    _check_floating("instance_norm", x)
    _check_dtypes("instance_norm", x, weight, bias)
    if not use_input_stats:
        moments = _constant_moments(running_mean, running_var, eps, x.dtype)  # type: ignore[arg-type]
        view: tuple[int, ...] = (x.shape[0], 1, channels, prod(x.shape[2:]))
        return apply(standardize, (input, weight, bias, view, (), moments, eps, True, "View"), {})
    view = (x.shape[0], channels, 1, prod(x.shape[2:]))
    mean, scale, variance = _moments(x, view, ROWS, eps)
    out = apply(standardize, (input, weight, bias, view, ROWS, (mean, scale), eps, True, "View"), {})
    if x.size:
        _follow(running_mean, mean.mean(0), momentum)
        _follow(running_var, _unbiased(variance, view[3]).mean(0), momentum)
    return out
