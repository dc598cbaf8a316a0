"""Weights of convolutions laid out in memory for images whose channels come last."""

from __future__ import annotations

from typing import Any, TypeVar

from ..conv import Conv2d, Conv3d, ConvTranspose2d, ConvTranspose3d
from ..module import Module

__all__ = ["convert_conv2d_weight_memory_format", "convert_conv3d_weight_memory_format"]

SomeModule = TypeVar("SomeModule", bound=Module)


def convert_conv2d_weight_memory_format(module: SomeModule, memory_format: Any) -> SomeModule:
    """Lays out the weights of all 2-dimensional convolutions in ``module`` as ``memory_format`` says."""
    return _converted(module, (Conv2d, ConvTranspose2d), memory_format)


def convert_conv3d_weight_memory_format(module: SomeModule, memory_format: Any) -> SomeModule:
    """Lays out the weights of all 3-dimensional convolutions in ``module`` as ``memory_format`` says."""
    return _converted(module, (Conv3d, ConvTranspose3d), memory_format)


def _converted(module: SomeModule, kinds: tuple[type, ...], memory_format: Any) -> SomeModule:
    for each in module.modules():
        if isinstance(each, kinds):
            each.weight.data = each.weight.detach().clone(memory_format=memory_format)
    return module
