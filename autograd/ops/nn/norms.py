"""Normalization as ``nn.functional`` has it: with its arguments in another order and more checks."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from ...rows import deferred
from ...rows.public import TORCH, function
from ...tensor import Tensor
from ..convert import check_tensor
from . import normalization  # noqa: F401

__all__ = ["batch_norm", "group_norm", "instance_norm", "local_response_norm", "normalize"]


def _verify_batch_size(size: Sequence[int]) -> None:
    if size[0] * prod(size[2:]) == 1:
        raise ValueError(f"Expected more than 1 value per channel when training, got input size {list(size)}")


@function(home="nn.functional")
def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Each channel standardized across the batch: ``(x - mean) / sqrt(variance + eps) * weight + bias``.

    Ioffe and Szegedy, "Batch Normalization" (2015).

    Args:
        input: (N, C, *), of floats.
        running_mean: (C,); in training moved towards the batch's mean, in place, else used in its stead.
        running_var: (C,); in the same way for the unbiased variance.
        weight: (C,), or None.
        bias: (C,), or None.
        training: whether mean and variance are those of the batch.
        momentum: the weight of the batch in the running statistics.
        eps: added to the variance.

    Raises:
        ValueError: one value per channel in training, or ``eps`` not positive.
        RuntimeError: no running statistics in evaluation; shapes or dtypes that do not fit.

    >>> import autograd, nn
    >>> nn.functional.batch_norm(autograd.tensor([[1.0], [3.0]]), None, None, training=True).flatten()
    tensor([-1.0000,  1.0000])
    """
    if training:
        _verify_batch_size(check_tensor("batch_norm", "input", input).shape)
    if eps < 0 or (training and eps == 0):
        wanted = "positive during training" if training else "non-negative"
        raise ValueError(f"batch_norm eps must be {wanted}, but got {eps}")
    return TORCH["batch_norm"](input, weight, bias, running_mean, running_var, training, momentum, eps, False)


@function(home="nn.functional")
def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Each channel of each sample standardized: ``(x - mean) / sqrt(variance + eps) * weight + bias``.

    Ulyanov et al., "Instance Normalization" (2016). Arguments are those of `batch_norm`.

    Args:
        use_input_stats: whether mean and variance are those of ``input``; else the running ones.

    Raises:
        ValueError: one value per channel.
        RuntimeError: no running statistics where they are needed; shapes or dtypes that do not fit.

    >>> import autograd
    >>> from nn import functional as F
    >>> F.instance_norm(autograd.tensor([[[1.0, 3.0], [10.0, 30.0]]]))
    tensor([[[-1.0000,  1.0000],
             [-1.0000,  1.0000]]])
    """
    if use_input_stats and prod(check_tensor("instance_norm", "input", input).shape[2:]) == 1:
        raise ValueError(f"Expected more than 1 spatial element when training, got input size {list(input.shape)}")
    return TORCH["instance_norm"](input, weight, bias, running_mean, running_var, use_input_stats, momentum, eps, False)


@function(home="nn.functional")
def group_norm(
    input: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5
) -> Tensor:
    """Each sample's groups of channels standardized: ``(x - mean) / sqrt(variance + eps) * weight + bias``.

    Wu and He, "Group Normalization" (2018).

    Args:
        input: (N, C, *), of floats.
        num_groups: into how many groups of the same size the channels are parted.
        weight: (C,), or None.
        bias: (C,), or None.
        eps: added to the variance.

    Raises:
        ValueError: one value per group.
        RuntimeError: channels that cannot be parted so; shapes or dtypes that do not fit.

    >>> import autograd
    >>> from nn import functional as F
    >>> F.group_norm(autograd.tensor([[1.0, 3.0, 10.0, 30.0]]), num_groups=2)
    tensor([[-1.0000,  1.0000, -1.0000,  1.0000]])
    """
    shape = check_tensor("group_norm", "input", input).shape
    if len(shape) < 2:
        raise RuntimeError(f"group_norm: Expected at least 2 dimensions for input tensor but received {len(shape)}")
    _verify_batch_size([shape[0] * shape[1] // num_groups, num_groups, *shape[2:]])
    return TORCH["group_norm"](input, num_groups, weight, bias, eps)


@function(home="nn.functional")
def local_response_norm(input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Tensor:
    """Each element divided by a power of the mean square of its neighbors in ``size`` channels.

    ``x / (k + alpha * mean(x * x)) ** beta``, zeros standing beyond the channels. Krizhevsky et al. (2012).

    Args:
        input: (N, C, *), of floats, with one more dimension at least.
        size: number of neighboring channels.

    Raises:
        ValueError: fewer than 3 dimensions.
        RuntimeError: ``size`` is not positive.

    >>> import autograd
    >>> from nn import functional as F
    >>> F.local_response_norm(autograd.ones(1, 3, 1, 1), size=3, alpha=3.0).flatten()
    tensor([0.4387, 0.3536, 0.4387])
    """
    array = check_tensor("local_response_norm", "input", input)._array
    if array.ndim < 3:
        raise ValueError(
            f"local_response_norm: Expected 3D or higher dimensionality input (got {array.ndim} dimensions)"
        )
    if array.size == 0:
        return input
    squares = (input * input).reshape(array.shape[0], 1, array.shape[1], -1)
    pad, avg_pool2d = (deferred.find("nn.functional", name) for name in ("pad", "avg_pool2d"))
    around = pad(squares, (0, 0, size // 2, (size - 1) // 2))
    means = avg_pool2d(around, (size, 1), 1).reshape(array.shape)
    return input / (means * alpha + k) ** beta


@function(home="nn.functional")
def normalize(input: Tensor, p: float = 2.0, dim: Any = 1, eps: float = 1e-12, out: Tensor | None = None) -> Tensor:
    """Vectors along ``dim`` divided by their norm: ``x / max(norm(x, p), eps)``.

    Args:
        p: of the norm.
        dim: one dimension, several, or None for all.
        eps: the smallest divisor.
        out: receives the result.

    Raises:
        IndexError: ``dim`` out of range.
        RuntimeError: ``input`` is of integers.

    >>> import autograd, nn
    >>> nn.functional.normalize(autograd.tensor([[3.0, 4.0]]))
    tensor([[0.6000, 0.8000]])
    """
    norm = check_tensor("normalize", "input", input).norm(p, dim, keepdim=True)
    return TORCH["div"](input, norm.clamp_min(eps).expand_as(input), out=out)
