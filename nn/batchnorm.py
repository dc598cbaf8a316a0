"""Batch normalization, and what it shares with instance normalization: running statistics."""

from __future__ import annotations

from typing import Any

import autograd
from autograd.graph import no_grad
from autograd.tensor import Tensor

from . import functional as F
from . import init
from .lazy import LazyModuleMixin
from .module import Module
from .parameter import Parameter, UninitializedBuffer, UninitializedParameter

__all__ = [
    "BatchNorm1d",
    "BatchNorm2d",
    "BatchNorm3d",
    "LazyBatchNorm1d",
    "LazyBatchNorm2d",
    "LazyBatchNorm3d",
    "SyncBatchNorm",
]


def check_dim(input: Tensor, allowed: tuple[int, ...]) -> None:
    """Raises ValueError unless ``input`` has one of the numbers of dimensions."""
    if input.dim() not in allowed:
        expected = " or ".join(f"{ndim}D" for ndim in allowed)
        raise ValueError(f"expected {expected} input (got {input.dim()}D input)")


class _NormBase(Module):
    """Weight, bias and running statistics of channels."""

    _version = 2
    __constants__ = ("track_running_stats", "momentum", "eps", "num_features", "affine")

    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        for name, wanted in (("weight", affine), ("bias", affine and bias)):
            value = Parameter(autograd.empty(num_features, device=device, dtype=dtype)) if wanted else None
            self.register_parameter(name, value)
        tracked: dict[str, Tensor | None] = dict.fromkeys(("running_mean", "running_var", "num_batches_tracked"))
        if track_running_stats:
            for name in ("running_mean", "running_var"):
                tracked[name] = autograd.empty(num_features, device=device, dtype=dtype)
            tracked["num_batches_tracked"] = autograd.zeros((), device=device, dtype=autograd.int64)
        for name, buffer in tracked.items():
            self.register_buffer(name, buffer)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Forgets the batches seen: mean 0 and variance 1."""
        if self.track_running_stats:
            self.running_mean.zero_()  # type: ignore[union-attr]
            self.running_var.fill_(1)  # type: ignore[union-attr]
            self.num_batches_tracked.zero_()  # type: ignore[union-attr]

    def reset_parameters(self) -> None:
        """Forgets the batches seen; weight 1 and bias 0."""
        self.reset_running_stats()
        if self.affine:
            init.ones_(self.weight)
            if self.bias is not None:
                init.zeros_(self.bias)

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )

    def _load_from_state_dict(
        self, state_dict: dict[str, Any], prefix: str, local_metadata: dict[str, Any], *rest: Any
    ) -> None:
        # Version 2 added num_batches_tracked; what was saved before starts from the present count.
        if self.track_running_stats and (local_metadata.get("version") or 0) < 2:
            state_dict.setdefault(f"{prefix}num_batches_tracked", self.num_batches_tracked)
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)


class _LazyNormBase(LazyModuleMixin, _NormBase):
    """A layer of this kind that takes ``num_features`` from its first input."""

    def __init__(
        self,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(0, eps, momentum, False, False, device, dtype, bias=False)
        self.affine = affine
        self.track_running_stats = track_running_stats
        if affine:
            self.weight = UninitializedParameter(device=device, dtype=dtype)
            if bias:
                self.bias = UninitializedParameter(device=device, dtype=dtype)
        if track_running_stats:
            self.running_mean = UninitializedBuffer(device=device, dtype=dtype)
            self.running_var = UninitializedBuffer(device=device, dtype=dtype)
            self.num_batches_tracked = autograd.zeros((), device=device, dtype=autograd.int64)

    def reset_parameters(self) -> None:
        """As the layer's own, once the number of channels is known."""
        if not self.has_uninitialized_params() and self.num_features != 0:
            super().reset_parameters()

    def initialize_parameters(self, input: Tensor) -> None:
        """Takes ``num_features`` from the second dimension of ``input``."""
        if self.has_uninitialized_params():
            self.num_features = input.shape[1]
            uninitialized: list[Any] = [self.weight, self.bias] if self.affine else []
            if self.track_running_stats:
                uninitialized += [self.running_mean, self.running_var]
            for tensor in uninitialized:
                if tensor is not None:
                    tensor.materialize((self.num_features,))
            self.reset_parameters()


class _BatchNorm(_NormBase):
    """What batch normalization is for any number of dimensions."""

    def _check_input_dim(self, input: Tensor) -> None:
        raise NotImplementedError

    def forward(self, input: Tensor) -> Tensor:
        self._check_input_dim(input)
        momentum = 0.0 if self.momentum is None else self.momentum
        tracks = not self.training or self.track_running_stats
        if self.training and self.track_running_stats and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
            if self.momentum is None:  # the mean of all batches
                momentum = 1.0 / float(self.num_batches_tracked)
        return F.batch_norm(
            input,
            self.running_mean if tracks else None,
            self.running_var if tracks else None,
            self.weight,
            self.bias,
            self.training or (self.running_mean is None and self.running_var is None),
            momentum,
            self.eps,
        )


class BatchNorm1d(_BatchNorm):
    r"""Standardizes each channel over a batch: :math:`y = (x - \mu) / \sqrt{\sigma^2 + \epsilon} \cdot w + b`.

    In training the mean and the variance are the batch's, in evaluation running averages of them.
    Ioffe and Szegedy, "Batch Normalization" (2015).

    Args:
        num_features: number of channels C.
        eps: added to the variance.
        momentum: weight of a new batch in the running averages; None for the mean of all batches.
        affine: whether there are a weight and a bias.
        track_running_stats: False: the batch's own statistics always.
        device: ``"cpu"``.
        dtype: of the parameters; the default dtype by default.
        bias: whether there is a bias.

    Shape:
        - Input: ``(N, C)`` or ``(N, C, L)``
        - Output: as the input.

    Attributes:
        weight: ``(C,)``, ones.
        bias: ``(C,)``, zeros.
        running_mean: ``(C,)``, zeros until a batch was seen.
        running_var: ``(C,)``, of the unbiased variance; ones until a batch was seen.
        num_batches_tracked: how many batches they come from.

    Raises:
        ValueError: another number of dimensions, or a single value per channel in training.

    >>> import autograd, nn
    >>> nn.BatchNorm1d(1)(autograd.tensor([[1.0], [3.0]])).flatten().tolist()
    [-0.9999949932098389, 0.9999949932098389]
    """

    def _check_input_dim(self, input: Tensor) -> None:
        check_dim(input, (2, 3))


class BatchNorm2d(_BatchNorm):
    """`BatchNorm1d` of images: inputs ``(N, C, H, W)``. Arguments and attributes are the same.

    >>> import autograd, nn
    >>> nn.BatchNorm2d(3)(autograd.randn(2, 3, 4, 4)).shape
    torch.Size([2, 3, 4, 4])
    """

    def _check_input_dim(self, input: Tensor) -> None:
        check_dim(input, (4,))


class BatchNorm3d(_BatchNorm):
    """`BatchNorm1d` of volumes: inputs ``(N, C, D, H, W)``. Arguments and attributes are the same.

    >>> import autograd, nn
    >>> nn.BatchNorm3d(3)(autograd.randn(2, 3, 4, 4, 4)).shape
    torch.Size([2, 3, 4, 4, 4])
    """

    def _check_input_dim(self, input: Tensor) -> None:
        check_dim(input, (5,))


class LazyBatchNorm1d(_LazyNormBase, _BatchNorm):
    """A `BatchNorm1d` that takes ``num_features`` from its first input.

    >>> import autograd, nn
    >>> layer = nn.LazyBatchNorm1d()
    >>> layer(autograd.randn(4, 3)).shape, layer.num_features
    (torch.Size([4, 3]), 3)
    """

    cls_to_become = BatchNorm1d
    _check_input_dim = BatchNorm1d._check_input_dim


class LazyBatchNorm2d(_LazyNormBase, _BatchNorm):
    """A `BatchNorm2d` that takes ``num_features`` from its first input.

    >>> import autograd, nn
    >>> layer = nn.LazyBatchNorm2d()
    >>> layer(autograd.randn(4, 3, 2, 2)).shape, layer.num_features
    (torch.Size([4, 3, 2, 2]), 3)
    """

    cls_to_become = BatchNorm2d
    _check_input_dim = BatchNorm2d._check_input_dim


class LazyBatchNorm3d(_LazyNormBase, _BatchNorm):
    """A `BatchNorm3d` that takes ``num_features`` from its first input.

    >>> import autograd, nn
    >>> layer = nn.LazyBatchNorm3d()
    >>> layer(autograd.randn(4, 3, 2, 2, 2)).shape, layer.num_features
    (torch.Size([4, 3, 2, 2, 2]), 3)
    """

    cls_to_become = BatchNorm3d
    _check_input_dim = BatchNorm3d._check_input_dim


class SyncBatchNorm(_BatchNorm):
    """Batch normalization over the batches of all processes; there is one, so it is that of any number of dimensions.

    Args:
        process_group: kept; there is one process.

    The other arguments are those of `BatchNorm1d`.

    Shape:
        - Input: ``(N, C, *)``
        - Output: as the input.

    Raises:
        ValueError: fewer than 2 dimensions, or no channels.

    >>> import nn
    >>> nn.SyncBatchNorm.convert_sync_batchnorm(nn.Sequential(nn.BatchNorm2d(2)))[0].num_features
    2
    """

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        process_group: Any = None,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)
        self.process_group = process_group

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() < 2:
            raise ValueError(f"expected at least 2D input (got {input.dim()}D input)")
        if input.shape[1] == 0:
            raise ValueError("SyncBatchNorm number of input channels should be non-zero")

    @classmethod
    def convert_sync_batchnorm(cls, module: Module, process_group: Any = None) -> Module:
        """``module`` with every batch normalization in it replaced by one of this kind, around the same parameters."""
        converted = module
        if isinstance(module, _BatchNorm):
            converted = SyncBatchNorm(
                module.num_features,
                module.eps,
                module.momentum,
                module.affine,
                module.track_running_stats,
                process_group,
                bias=module.bias is not None,
            )
            with no_grad():
                for name, tensor in (*module._parameters.items(), *module._buffers.items()):
                    setattr(converted, name, tensor)
            converted.training = module.training
        for name, child in module.named_children():
            converted.add_module(name, cls.convert_sync_batchnorm(child, process_group))
        return converted
