"""First values of parameters. Every function writes into its tensor, in place and unrecorded, and returns it.

The same seed gives the same numbers as PyTorch. ``fan_in`` is the number of inputs that one output sums over,
``fan_out`` the number of outputs that one input reaches.
"""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

import autograd
from autograd.graph import no_grad
from autograd.tensor import Tensor, wrap

__all__ = [
    "calculate_gain",
    "constant_",
    "dirac_",
    "eye_",
    "kaiming_normal_",
    "kaiming_uniform_",
    "normal_",
    "ones_",
    "orthogonal_",
    "sparse_",
    "trunc_normal_",
    "uniform_",
    "xavier_normal_",
    "xavier_uniform_",
    "zeros_",
]

LINEAR = (
    "linear",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "sigmoid",
)


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor by which weights grow to make up for what an activation function takes away.

    Args:
        nonlinearity: such as ``"linear"`` (1), ``"tanh"`` (5/3), ``"relu"`` (√2), ``"leaky_relu"``, ``"selu"`` (3/4).
        param: the negative slope of ``"leaky_relu"``; 0.01 by default.

    Raises:
        ValueError: an unknown function, or a slope that is no number.

    >>> import nn
    >>> nn.init.calculate_gain("leaky_relu", 0.2)  # sqrt(2 / (1 + 0.2**2))
    1.3867504905630728
    """
    if nonlinearity in LINEAR:
        return 1
    if nonlinearity == "tanh":
        return 5.0 / 3
    if nonlinearity == "relu":
        return math.sqrt(2.0)
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        if isinstance(slope, bool) or not isinstance(slope, (int, float)):
            raise ValueError(f"negative_slope {param} not a valid number")
        return math.sqrt(2.0 / (1 + slope**2))
    if nonlinearity == "selu":
        return 3.0 / 4
    raise ValueError(f"Unsupported nonlinearity {nonlinearity}")


def _draw(method: Callable[..., Tensor], a: float, b: float, generator: Any) -> Tensor:
    with no_grad():
        return method(a, b) if generator is None else method(a, b, generator=generator)


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Any = None) -> Tensor:
    """Draws from the uniform distribution on [a, b).

    >>> import autograd, nn
    >>> w = nn.init.uniform_(autograd.empty(3, 5), -1.0, 1.0)
    >>> w.abs().max() <= 1
    tensor(True)
    """
    return _draw(tensor.uniform_, a, b, generator)


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Any = None) -> Tensor:
    """Draws from the normal distribution.

    >>> import autograd, nn
    >>> nn.init.normal_(autograd.empty(3, 5), std=0.01).shape
    torch.Size([3, 5])
    """
    return _draw(tensor.normal_, mean, std, generator)


def trunc_normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0, generator: Any = None
) -> Tensor:
    """Draws from the normal distribution, again and again until every value is in [a, b].

    >>> import autograd, nn
    >>> w = nn.init.trunc_normal_(autograd.empty(100), a=-1.0, b=1.0)
    >>> w.abs().max() <= 1
    tensor(True)
    """
    if mean < a - 2 * std or mean > b + 2 * std:
        warnings.warn(
            "mean is more than 2 std from [a, b] in nn.init.trunc_normal_. The distribution of values may be "
            "incorrect.",
            stacklevel=2,
        )
    inside = (math.erf((b - mean) / (std * math.sqrt(2))) - math.erf((a - mean) / (std * math.sqrt(2)))) / 2
    with no_grad():
        if inside > 0.3:
            # The bounds as the tensor's dtype has them: a value that equals one is inside.
            low, high = (float(tensor._array.dtype.type(bound)) for bound in (a, b))
            tensor.normal_(mean, std, generator=generator)
            while (outside := (tensor < low) | (tensor > high)).any():
                drawn = autograd.empty_like(tensor).normal_(mean, std, generator=generator)
                tensor.copy_(autograd.where(outside, drawn, tensor))
            return tensor
        # Few normal values would fit: uniform ones are kept with a probability proportional to the density.
        peak = -0.5 * ((max(a, min(mean, b)) - mean) / std) ** 2
        pending = autograd.ones_like(tensor, dtype=autograd.bool)
        while pending.any():
            drawn = autograd.empty_like(tensor).uniform_(a, b, generator=generator)
            tensor.copy_(autograd.where(pending, drawn, tensor))
            density = drawn.sub_(mean).div_(std).pow_(2).mul_(-0.5).sub_(peak)
            pending &= autograd.empty_like(tensor).uniform_(generator=generator).log_() > density
        return tensor


def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fills with ``val``.

    >>> import autograd, nn
    >>> nn.init.constant_(autograd.empty(3), 0.5)
    tensor([0.5000, 0.5000, 0.5000])
    """
    with no_grad():
        return tensor.fill_(val)


def ones_(tensor: Tensor) -> Tensor:
    """Fills with ones.

    >>> import autograd, nn
    >>> nn.init.ones_(autograd.empty(2))
    tensor([1., 1.])
    """
    return constant_(tensor, 1.0)


def zeros_(tensor: Tensor) -> Tensor:
    """Fills with zeros.

    >>> import autograd, nn
    >>> nn.init.zeros_(autograd.empty(2))
    tensor([0., 0.])
    """
    return constant_(tensor, 0.0)


def eye_(tensor: Tensor) -> Tensor:
    """Makes a matrix the identity, with zeros beyond the square part.

    Raises:
        ValueError: not 2-dimensional.

    >>> import autograd, nn
    >>> nn.init.eye_(autograd.empty(2, 3))
    tensor([[1., 0., 0.],
            [0., 1., 0.]])
    """
    if tensor.ndim != 2:
        raise ValueError(f"Only tensors with 2 dimensions are supported, but got shape {tuple(tensor.shape)}")
    zeros_(tensor)
    np.fill_diagonal(tensor._array[: min(tensor.shape)], 1)
    return tensor


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Makes the kernel of a convolution copy its input channels, as many as there are outputs for.

    Args:
        tensor: ``(out_channels, in_channels / groups, *kernel_size)``, with one to three kernel dimensions.
        groups: of the convolution; each copies its own channels.

    Raises:
        ValueError: another number of dimensions, or groups that do not divide the outputs.

    >>> import autograd, nn
    >>> w = nn.init.dirac_(autograd.empty(1, 1, 3))
    >>> w
    tensor([[[0., 1., 0.]]])
    >>> nn.functional.conv1d(autograd.tensor([[[1.0, 2.0, 3.0]]]), w, padding=1)
    tensor([[[1., 2., 3.]]])
    """
    if tensor.ndim not in (3, 4, 5):
        raise ValueError(f"Only tensors with 3, 4, or 5 dimensions are supported, but got {tensor.ndim}")
    outputs, inputs, *kernel = tensor.shape
    if outputs % groups:
        raise ValueError(f"dim 0 must be divisible by groups, but got {outputs} and groups={groups}")
    zeros_(tensor)
    center = tuple(size // 2 for size in kernel)
    per_group = outputs // groups
    for group in range(groups):
        for channel in range(min(per_group, inputs)):
            position = (group * per_group + channel, channel, *center)
            tensor._array[position] = 1
    return tensor


def _calculate_fan_in_and_fan_out(tensor: Tensor) -> tuple[int, int]:
    if tensor.ndim < 2:
        raise ValueError(
            "Fan in and fan out can not be computed for tensor with fewer than 2 dimensions, but got shape "
            f"{tuple(tensor.shape)}"
        )
    outputs, inputs, *kernel = tensor.shape
    return inputs * math.prod(kernel), outputs * math.prod(kernel)


def _fan(tensor: Tensor, mode: str) -> int:
    mode = mode.lower()
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"Mode {mode} not supported, please use one of ['fan_in', 'fan_out']")
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    return fan_in if mode == "fan_in" else fan_out


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Draws from U(-a, a) with a = gain · √(6 / (fan_in + fan_out)). Glorot and Bengio (2010).

    Raises:
        ValueError: fewer than two dimensions.

    >>> import autograd, nn
    >>> w = nn.init.xavier_uniform_(autograd.empty(3, 5), nn.init.calculate_gain("relu"))
    >>> w.abs().max() <= (2 * 6 / (3 + 5)) ** 0.5
    tensor(True)
    """
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    bound = math.sqrt(3.0) * (gain * math.sqrt(2.0 / (fan_in + fan_out)))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Draws from N(0, σ²) with σ = gain · √(2 / (fan_in + fan_out)). Glorot and Bengio (2010).

    Raises:
        ValueError: fewer than two dimensions.

    >>> import autograd, nn
    >>> nn.init.xavier_normal_(autograd.empty(3, 5)).shape
    torch.Size([3, 5])
    """
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    return normal_(tensor, 0.0, gain * math.sqrt(2.0 / (fan_in + fan_out)), generator)


def _kaiming_std(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    return calculate_gain(nonlinearity, a) / math.sqrt(_fan(tensor, mode))


def kaiming_uniform_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", generator: Any = None
) -> Tensor:
    """Draws from U(-b, b) with b = gain · √(3 / fan). He et al. (2015).

    Args:
        tensor: at least 2-dimensional.
        a: the negative slope of ``"leaky_relu"``.
        mode: ``"fan_in"`` keeps the variance in the forward pass, ``"fan_out"`` in the backward pass.
        nonlinearity: what follows the layer, as for `calculate_gain`.
        generator: the source of random numbers.

    Raises:
        ValueError: fewer than two dimensions, or an unknown mode or nonlinearity.

    >>> import autograd, nn
    >>> w = nn.init.kaiming_uniform_(autograd.empty(3, 5), nonlinearity="relu")
    >>> w.abs().max() <= (6 / 5) ** 0.5
    tensor(True)
    """
    if 0 in tensor.shape:
        warnings.warn("Initializing zero-element tensors is a no-op", stacklevel=2)
        return tensor
    bound = math.sqrt(3.0) * _kaiming_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", generator: Any = None
) -> Tensor:
    """Draws from N(0, σ²) with σ = gain / √fan. He et al. (2015); arguments as for `kaiming_uniform_`.

    >>> import autograd, nn
    >>> nn.init.kaiming_normal_(autograd.empty(3, 5), mode="fan_out", nonlinearity="relu").shape
    torch.Size([3, 5])
    """
    if 0 in tensor.shape:
        warnings.warn("Initializing zero-element tensors is a no-op", stacklevel=2)
        return tensor
    return normal_(tensor, 0.0, _kaiming_std(tensor, a, mode, nonlinearity), generator)


def orthogonal_(tensor: Tensor, gain: float = 1, generator: Any = None) -> Tensor:
    """Makes the rows, or the columns if these are fewer, orthogonal, of length ``gain``. Saxe et al. (2013).

    Dimensions after the first count as one.

    Raises:
        ValueError: fewer than two dimensions.

    >>> import autograd, nn
    >>> w = nn.init.orthogonal_(autograd.empty(3, 5))
    >>> autograd.allclose(w @ w.T, autograd.eye(3), atol=1e-6)
    True
    """
    if tensor.ndim < 2:
        raise ValueError(f"Only tensors with 2 or more dimensions are supported, but got shape {tuple(tensor.shape)}")
    array = tensor._array
    if array.size == 0:
        return tensor
    rows = len(array)
    drawn = normal_(wrap(np.empty((rows, array.size // rows), array.dtype)), generator=generator)._array
    if array.dtype == np.float16:
        raise NotImplementedError("orthogonal_: there is no QR decomposition of float16; convert the result of float32")
    wide = rows < drawn.shape[1]
    q, r = np.linalg.qr(drawn.T if wide else drawn)
    # The sign of r's diagonal makes q uniformly distributed (Mezzadri, arXiv:math-ph/0609050).
    q = q * np.sign(np.diagonal(r))
    with no_grad():
        return tensor.copy_(wrap(q.T if wide else q).reshape(tensor.shape)).mul_(gain)


def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Any = None) -> Tensor:
    """Draws a matrix from N(0, std²) and sets the fraction ``sparsity`` of each column to zero. Martens (2010).

    As in PyTorch, the places of the zeros come from the default generator.

    Raises:
        ValueError: not 2-dimensional.

    >>> import autograd, nn
    >>> w = nn.init.sparse_(autograd.empty(10, 4), sparsity=0.3)
    >>> (w == 0).sum(0)
    tensor([3, 3, 3, 3])
    """
    if tensor.ndim != 2:
        raise ValueError(f"Only tensors with 2 dimensions are supported, but got shape {tuple(tensor.shape)}")
    normal_(tensor, 0.0, std, generator)
    rows, columns = tensor.shape
    zeros = math.ceil(sparsity * rows)
    with no_grad():
        for column in range(columns):
            tensor[autograd.randperm(rows)[:zeros], column] = 0
    return tensor


def _older(name: str) -> Callable[..., Tensor]:
    """What was called ``uniform`` before in-place operators had their underscore."""
    written = globals()[f"{name}_"]

    @functools.wraps(written)
    def function(*args: Any, **kwargs: Any) -> Tensor:
        warnings.warn(f"`nn.init.{name}` is now deprecated in favor of `nn.init.{name}_`.", FutureWarning, stacklevel=2)
        return written(*args, **kwargs)

    function.__name__ = function.__qualname__ = name
    return function


constant, dirac, eye, normal, orthogonal, sparse, uniform = map(
    _older, ("constant", "dirac", "eye", "normal", "orthogonal", "sparse", "uniform")
)
kaiming_normal, kaiming_uniform, xavier_normal, xavier_uniform = map(
    _older, ("kaiming_normal", "kaiming_uniform", "xavier_normal", "xavier_uniform")
)
