"""Momentum that goes down while the rate goes up: what `CyclicLR` and `OneCycleLR` share."""

from __future__ import annotations

from typing import Any

from ..optimizer import Group, Optimizer
from .base import for_each_group

__all__ = ["set_momentum", "start_momentum"]


def start_momentum(optimizer: Optimizer, base: Any, largest: Any, resumed: bool) -> tuple[bool, list[Any], list[Any]]:
    """Sets the momentum of all groups to its largest value, unless a training is resumed.

    Args:
        optimizer: one with momentum or betas.
        base, largest: the bounds, one for all groups or a list.
        resumed: leave the groups as they are.

    Returns:
        Whether the first of the betas is the momentum, and the bounds of each group.

    Raises:
        ValueError: an optimizer without momentum, or a list of another length.
    """
    if "momentum" not in optimizer.defaults and "betas" not in optimizer.defaults:
        raise ValueError("optimizer must support momentum or beta1 with `cycle_momentum` option enabled")
    use_beta1 = "betas" in optimizer.defaults
    highs, lows = (
        for_each_group("max_momentum", optimizer, largest),
        for_each_group("base_momentum", optimizer, base),
    )
    if not resumed:
        for low, high, group in zip(lows, highs, optimizer.param_groups, strict=True):
            set_momentum(group, use_beta1, high)
            group["max_momentum"], group["base_momentum"] = high, low
    return use_beta1, lows, highs


def set_momentum(group: Group, use_beta1: bool, momentum: Any) -> None:
    """Sets the momentum of a group, or the first of its betas."""
    if use_beta1:
        group["betas"] = (momentum, *group["betas"][1:])
    else:
        group["momentum"] = momentum
