"""A batch normalization in evaluation, folded into the layer before it: one affine map in place of two."""

from __future__ import annotations

import copy
from typing import TypeVar

import autograd
from autograd.tensor import Tensor

from ..batchnorm import _BatchNorm
from ..linear import Linear
from ..module import Module
from ..parameter import Parameter

__all__ = ["fuse_conv_bn_eval", "fuse_conv_bn_weights", "fuse_linear_bn_eval", "fuse_linear_bn_weights"]

Convolution = TypeVar("Convolution", bound=Module)


def _check(layer: Module, bn: _BatchNorm) -> tuple[Tensor, Tensor]:
    if layer.training or bn.training:
        raise AssertionError("Fusion only for eval!")
    if bn.running_mean is None or bn.running_var is None:
        raise AssertionError("bn.running_mean and bn.running_var must not be None")
    return bn.running_mean, bn.running_var


def fuse_conv_bn_eval(conv: Convolution, bn: _BatchNorm, transpose: bool = False) -> Convolution:
    """A convolution that does what ``conv`` and then ``bn`` do.

    Args:
        conv: in evaluation mode; it is copied.
        bn: in evaluation mode.
        transpose: whether the convolution is transposed.

    Raises:
        AssertionError: one is in training mode, or there are no running statistics.

    >>> import autograd, nn
    >>> conv, bn, x = nn.Conv2d(2, 3, 1).eval(), nn.BatchNorm2d(3).eval(), autograd.randn(1, 2, 4, 4)
    >>> autograd.allclose(nn.utils.fuse_conv_bn_eval(conv, bn)(x), bn(conv(x)), atol=1e-5)
    True
    """
    mean, variance = _check(conv, bn)
    fused = copy.deepcopy(conv)
    fused.weight, fused.bias = fuse_conv_bn_weights(
        fused.weight, fused.bias, mean, variance, bn.eps, bn.weight, bn.bias, transpose
    )
    return fused


def fuse_conv_bn_weights(
    conv_w: Tensor,
    conv_b: Tensor | None,
    bn_rm: Tensor,
    bn_rv: Tensor,
    bn_eps: float,
    bn_w: Tensor | None,
    bn_b: Tensor | None,
    transpose: bool = False,
) -> tuple[Parameter, Parameter]:
    """Weight and bias of the convolution that `fuse_conv_bn_eval` makes, from those of the two layers."""
    dim = 1 if transpose else 0
    return _fused(conv_w, conv_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, dim)


def fuse_linear_bn_eval(linear: Linear, bn: _BatchNorm) -> Linear:
    """A linear layer that does what ``linear`` and then ``bn`` do.

    Args:
        linear: in evaluation mode; it is copied.
        bn: in evaluation mode, of as many features, or of one.

    Raises:
        AssertionError: one is in training mode, there are no running statistics, or another number of features.

    >>> import autograd, nn
    >>> layer, bn, x = nn.Linear(3, 2).eval(), nn.BatchNorm1d(2).eval(), autograd.randn(4, 3)
    >>> autograd.allclose(nn.utils.fuse_linear_bn_eval(layer, bn)(x), bn(layer(x)), atol=1e-6)
    True
    """
    mean, variance = _check(linear, bn)
    if bn.num_features not in (linear.out_features, 1):
        raise AssertionError(
            "To fuse, linear.out_features == bn.num_features or bn.num_features == 1, got linear.out_features="
            f"{linear.out_features} and bn.num_features={bn.num_features}"
        )
    fused = copy.deepcopy(linear)
    fused.weight, fused.bias = fuse_linear_bn_weights(
        fused.weight, fused.bias, mean, variance, bn.eps, bn.weight, bn.bias
    )
    return fused


def fuse_linear_bn_weights(
    linear_w: Tensor,
    linear_b: Tensor | None,
    bn_rm: Tensor,
    bn_rv: Tensor,
    bn_eps: float,
    bn_w: Tensor | None,
    bn_b: Tensor | None,
) -> tuple[Parameter, Parameter]:
    """Weight and bias of the layer that `fuse_linear_bn_eval` makes, from those of the two layers."""
    return _fused(linear_w, linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, 0)


def _fused(
    weight: Tensor,
    bias: Tensor | None,
    mean: Tensor,
    variance: Tensor,
    eps: float,
    scale: Tensor | None,
    shift: Tensor | None,
    dim: int,
) -> tuple[Parameter, Parameter]:
    """``dim`` is where the weight's outputs are."""
    trains = weight.requires_grad, bias is not None and bias.requires_grad
    with autograd.no_grad():
        factor = (variance + eps).rsqrt()
        factor = factor if scale is None else scale * factor
        along = [1] * weight.ndim
        along[dim] = -1
        fused_weight = (weight * factor.reshape(along)).to(weight.dtype)
        fused_bias = ((-mean if bias is None else bias - mean) * factor).to((weight if bias is None else bias).dtype)
        fused_bias = fused_bias if shift is None else (fused_bias + shift).to(fused_bias.dtype)
    return Parameter(fused_weight, trains[0]), Parameter(fused_bias, trains[1])
