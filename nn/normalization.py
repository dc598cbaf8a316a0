"""Normalization within a sample: of layers, of groups of channels, of neighboring channels."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np

import autograd
from autograd.tensor import Tensor, wrap

from . import functional as F
from . import init
from .module import Module
from .parameter import Parameter

__all__ = ["CrossMapLRN2d", "GroupNorm", "LayerNorm", "LocalResponseNorm", "RMSNorm"]


class Affine(Module):
    """Weight and bias of a normalization, where it has them."""

    def _register_affine(self, shape: Sequence[int], weight: bool, bias: bool, device: Any, dtype: Any) -> None:
        for name, wanted in (("weight", weight), ("bias", bias)):
            value = Parameter(autograd.empty(tuple(shape), device=device, dtype=dtype)) if wanted else None
            self.register_parameter(name, value)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Weight 1 and bias 0."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)


def _shape_of(normalized_shape: int | Sequence[int]) -> tuple[int, ...]:
    return (int(normalized_shape),) if isinstance(normalized_shape, Integral) else tuple(normalized_shape)  # type: ignore[arg-type]


class LayerNorm(Affine):
    r"""Standardizes the last dimensions: :math:`y = (x - \mu) / \sqrt{\sigma^2 + \epsilon} \cdot w + b`.

    Ba et al., "Layer Normalization" (2016).

    Args:
        normalized_shape: sizes of the last dimensions, or the size of the last one.
        eps: added to the variance.
        elementwise_affine: whether there are a weight and a bias.
        bias: whether there is a bias.
        device: ``"cpu"``.
        dtype: of the parameters; the default dtype by default.

    Shape:
        - Input: ``(*, *normalized_shape)``
        - Output: as the input.

    Attributes:
        weight: of shape ``normalized_shape``, ones.
        bias: of shape ``normalized_shape``, zeros.

    >>> import autograd, nn
    >>> nn.LayerNorm(2, eps=0.0)(autograd.tensor([[1.0, 3.0]])).tolist()
    [[-1.0, 1.0]]
    """

    __constants__ = ("normalized_shape", "eps", "elementwise_affine")

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = _shape_of(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        affine = elementwise_affine
        self._register_affine(self.normalized_shape, affine, affine and bias, device, dtype)

    def forward(self, input: Tensor) -> Tensor:
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, "
            f"bias={self.bias is not None}"
        )


class RMSNorm(Module):
    r"""Divides the last dimensions by their root mean square: :math:`x / \sqrt{\text{mean}(x^2) + \epsilon} \cdot w`.

    Zhang and Sennrich, "Root Mean Square Layer Normalization" (2019).

    Args:
        normalized_shape: sizes of the last dimensions, or the size of the last one.
        eps: added to the mean; the distance from 1 to the next number by default.
        elementwise_affine: whether there is a weight.
        device: ``"cpu"``.
        dtype: of the weight; the default dtype by default.

    Shape:
        - Input: ``(*, *normalized_shape)``
        - Output: as the input.

    >>> import autograd, nn
    >>> nn.RMSNorm(2)(autograd.tensor([[1.0, 7.0]])).detach()
    tensor([[0.2000, 1.4000]])
    """

    __constants__ = ("normalized_shape", "eps", "elementwise_affine")

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = _shape_of(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        weight = Parameter(autograd.empty(self.normalized_shape, device=device, dtype=dtype))
        self.register_parameter("weight", weight if elementwise_affine else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Weight 1."""
        if self.weight is not None:
            init.ones_(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class GroupNorm(Affine):
    r"""Standardizes groups of channels: :math:`y = (x - \mu) / \sqrt{\sigma^2 + \epsilon} \cdot w + b`.

    Wu and He, "Group Normalization" (2018).

    Args:
        num_groups: into how many groups of the same size the channels are parted.
        num_channels: number of channels C.
        eps: added to the variance.
        affine: whether there are a weight and a bias.
        device: ``"cpu"``.
        dtype: of the parameters; the default dtype by default.
        bias: whether there is a bias.

    Shape:
        - Input: ``(N, C, *)``
        - Output: as the input.

    Attributes:
        weight: ``(C,)``, ones.
        bias: ``(C,)``, zeros.

    Raises:
        ValueError: channels that cannot be parted so.

    >>> import autograd, nn
    >>> nn.GroupNorm(2, 4, eps=0.0)(autograd.tensor([[1.0, 3.0, 2.0, 4.0]])).tolist()
    [[-1.0, 1.0, -1.0, 1.0]]
    """

    __constants__ = ("num_groups", "num_channels", "eps", "affine")

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if num_channels % num_groups != 0:
            raise ValueError(f"num_channels ({num_channels}) must be divisible by num_groups ({num_groups})")
        self.num_groups = num_groups
        self.num_channels = num_channels
        self.eps = eps
        self.affine = affine
        self._register_affine((num_channels,), affine, affine and bias, device, dtype)

    def forward(self, input: Tensor) -> Tensor:
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )


class LocalResponseNorm(Module):
    r"""Divides by a power of the mean square of ``size`` channels: :math:`x / (k + \alpha \, \text{mean}(x^2))^\beta`.

    Krizhevsky et al., "ImageNet Classification with Deep Convolutional Neural Networks" (2012).

    Args:
        size: number of neighboring channels.
        alpha: factor of the mean square.
        beta: exponent.
        k: what is added.

    Shape:
        - Input: ``(N, C, *)``
        - Output: as the input.

    >>> import autograd, nn
    >>> nn.LocalResponseNorm(1, alpha=1.0, beta=1.0)(autograd.tensor([[[1.0], [2.0]]])).flatten()
    tensor([0.5000, 0.4000])
    """

    __constants__ = ("size", "alpha", "beta", "k")

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k

    def forward(self, input: Tensor) -> Tensor:
        return F.local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"


class CrossMapLRN2d(LocalResponseNorm):
    """`LocalResponseNorm` of images over the windows of PyTorch's older implementation, which never drop channel 0.

    Arguments are those of `LocalResponseNorm`; inputs are ``(N, C, H, W)``.

    Raises:
        ValueError: another number of dimensions.

    >>> import autograd, nn
    >>> nn.CrossMapLRN2d(3)(autograd.randn(2, 4, 3, 3)).shape
    torch.Size([2, 4, 3, 3])
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1) -> None:
        super().__init__(size, alpha, beta, k)

    def forward(self, input: Tensor) -> Tensor:
        if input.dim() != 4:
            raise ValueError(f"CrossMapLRN2d: Expected input to be 4D, got {input.dim()}D instead.")
        channels, reach = input.shape[1], (self.size - 1) // 2 + 1
        # A running sum: channel c + reach - 1 enters, and c - reach leaves from c = reach + 1 on.
        window, other = np.indices((channels, channels))
        inside = (other < window + reach) & ((other > window - reach) | (other == 0))
        weights = wrap(inside.astype(input._array.dtype))
        sums = (weights @ (input * input).flatten(2)).view_as(input)
        return input * (sums * (self.alpha / self.size) + self.k) ** -self.beta
