"""Instance normalization: each channel of each sample by itself."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar

from autograd.tensor import Tensor

from . import functional as F
from .batchnorm import _LazyNormBase, _NormBase, check_dim

__all__ = [
    "InstanceNorm1d",
    "InstanceNorm2d",
    "InstanceNorm3d",
    "LazyInstanceNorm1d",
    "LazyInstanceNorm2d",
    "LazyInstanceNorm3d",
]


class _InstanceNorm(_NormBase):
    """What instance normalization is for any number of dimensions."""

    sample_ndim: ClassVar[int]  # dimensions of one sample: channels and places

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)

    def forward(self, input: Tensor) -> Tensor:
        check_dim(input, (self.sample_ndim, self.sample_ndim + 1))
        dim = input.dim() - self.sample_ndim
        channels = input.shape[dim]
        if channels != self.num_features:
            if self.affine:
                raise ValueError(
                    f"expected input's size at dim={dim} to match num_features ({self.num_features}), but got: "
                    f"{channels}."
                )
            warnings.warn(
                f"input's size at dim={dim} does not match num_features. You can silence this warning by not passing "
                "in num_features, which is not used because affine=False",
                stacklevel=2,
            )
        if dim == 0:
            return self._normalized(input.unsqueeze(0)).squeeze(0)
        return self._normalized(input)

    def _normalized(self, input: Tensor) -> Tensor:
        return F.instance_norm(
            input,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not self.track_running_stats,
            0.0 if self.momentum is None else self.momentum,
            self.eps,
        )

    def _load_from_state_dict(
        self,
        state_dict: dict[str, Any],
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        # What was saved before versions were counted may hold statistics that are not tracked by default any more.
        if local_metadata.get("version") is None and not self.track_running_stats:
            names = [name for name in ("running_mean", "running_var") if prefix + name in state_dict]
            if names:
                error_msgs.append(
                    f"Unexpected running stats buffer(s) {' and '.join(f'{prefix}{name}' for name in names)} for "
                    f"{type(self).__name__} with track_running_stats=False: remove them from the state_dict, or create "
                    "the layer with track_running_stats=True."
                )
            for name in names:
                del state_dict[prefix + name]
        super()._load_from_state_dict(
            state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs
        )


class InstanceNorm1d(_InstanceNorm):
    r"""Standardizes each channel of each sample: :math:`y = (x - \mu) / \sqrt{\sigma^2 + \epsilon} \cdot w + b`.

    Ulyanov et al., "Instance Normalization" (2016).

    Args:
        num_features: number of channels C.
        eps: added to the variance.
        momentum: weight of a new batch in the running averages.
        affine: whether there are a weight and a bias.
        track_running_stats: whether evaluation uses running averages in place of each sample's own.
        device: ``"cpu"``.
        dtype: of the parameters; the default dtype by default.
        bias: whether there is a bias, with ``affine``.

    Shape:
        - Input: ``(N, C, L)`` or ``(C, L)``
        - Output: as the input.

    Raises:
        ValueError: another number of dimensions, or a single value per channel.

    >>> import autograd, nn
    >>> nn.InstanceNorm1d(1, eps=0.0)(autograd.tensor([[[1.0, 3.0]]]))
    tensor([[[-1.,  1.]]])
    """

    sample_ndim = 2


class InstanceNorm2d(_InstanceNorm):
    """`InstanceNorm1d` of images: inputs ``(N, C, H, W)`` or ``(C, H, W)``. Arguments are the same.

    >>> import autograd, nn
    >>> nn.InstanceNorm2d(3)(autograd.randn(2, 3, 4, 4)).shape
    torch.Size([2, 3, 4, 4])
    """

    sample_ndim = 3


class InstanceNorm3d(_InstanceNorm):
    """`InstanceNorm1d` of volumes: inputs ``(N, C, D, H, W)`` or ``(C, D, H, W)``. Arguments are the same.

    >>> import autograd, nn
    >>> nn.InstanceNorm3d(3)(autograd.randn(2, 3, 4, 4, 4)).shape
    torch.Size([2, 3, 4, 4, 4])
    """

    sample_ndim = 4


class LazyInstanceNorm1d(_LazyNormBase, _InstanceNorm):
    """An `InstanceNorm1d` that takes ``num_features`` from its first input.

    >>> import autograd, nn
    >>> layer = nn.LazyInstanceNorm1d()
    >>> layer(autograd.randn(4, 3, 5)).shape, layer.num_features
    (torch.Size([4, 3, 5]), 3)
    """

    cls_to_become = InstanceNorm1d
    sample_ndim = 2


class LazyInstanceNorm2d(_LazyNormBase, _InstanceNorm):
    """An `InstanceNorm2d` that takes ``num_features`` from its first input.

    >>> import autograd, nn
    >>> layer = nn.LazyInstanceNorm2d()
    >>> layer(autograd.randn(4, 3, 5, 5)).shape, layer.num_features
    (torch.Size([4, 3, 5, 5]), 3)
    """

    cls_to_become = InstanceNorm2d
    sample_ndim = 3


class LazyInstanceNorm3d(_LazyNormBase, _InstanceNorm):
    """An `InstanceNorm3d` that takes ``num_features`` from its first input.

    >>> import autograd, nn
    >>> layer = nn.LazyInstanceNorm3d()
    >>> layer(autograd.randn(4, 3, 5, 5, 5)).shape, layer.num_features
    (torch.Size([4, 3, 5, 5, 5]), 3)
    """

    cls_to_become = InstanceNorm3d
    sample_ndim = 4
