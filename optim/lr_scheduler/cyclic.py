"""A rate that goes up and down between two bounds."""

from __future__ import annotations

import math
import types
from collections.abc import Callable
from functools import partial
from typing import Any

from autograd.tensor import Tensor

from ..optimizer import Optimizer
from .base import LRScheduler, for_each_group, require_optimizer, set_option
from .momentum import set_momentum, start_momentum

__all__ = ["CyclicLR"]


def _one(x: float) -> float:
    return 1.0


def _half_each(cycle: float) -> float:
    return 1 / 2.0 ** (cycle - 1)


def _power(gamma: float, x: float) -> float:
    return gamma**x


class CyclicLR(LRScheduler):
    """Triangles between ``base_lr`` and ``max_lr``; call `step` after each batch.

    Smith, "Cyclical learning rates for training neural networks" (2017).

    Args:
        optimizer: whose groups are given rates.
        base_lr, max_lr: the bounds, one for all groups or a list.
        step_size_up: batches from ``base_lr`` to ``max_lr``.
        step_size_down: batches back, as many by default.
        mode: ``"triangular"``; ``"triangular2"`` halves the height each cycle; ``"exp_range"`` scales it by
            ``gamma ** batches``.
        gamma: for ``"exp_range"``.
        scale_fn: height of a triangle as a function, instead of ``mode``.
        scale_mode: whether ``scale_fn`` is given the number of the ``"cycle"`` or of ``"iterations"``.
        cycle_momentum: let momentum, or the first of the betas, go the other way.
        base_momentum, max_momentum: its bounds, one for all groups or a list.
        last_epoch: number of the last batch when a training is resumed.

    Raises:
        TypeError: ``optimizer`` is none.
        ValueError: an unknown mode, lists of another length, or an optimizer without momentum to cycle.

    >>> import autograd, optim
    >>> optimizer = optim.SGD([autograd.ones(1, requires_grad=True)], lr=1.0)
    >>> schedule = optim.lr_scheduler.CyclicLR(optimizer, 0.0, max_lr=1.0, step_size_up=2, cycle_momentum=False)
    >>> rates = []
    >>> for _ in range(5):
    ...     optimizer.step()
    ...     rates += schedule.get_last_lr()
    ...     schedule.step()
    >>> rates
    [0.0, 0.5, 1.0, 0.5, 0.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float | list[float],
        max_lr: float | list[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: str = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.8,
        max_momentum: float | list[float] = 0.9,
        last_epoch: int = -1,
    ) -> None:
        require_optimizer(optimizer)
        if mode not in ("triangular", "triangular2", "exp_range") and scale_fn is None:
            raise ValueError(f"mode is invalid and scale_fn is None: {mode!r}")
        self.optimizer = optimizer
        base_lrs = for_each_group("base_lr", optimizer, base_lr)
        self.max_lrs = for_each_group("max_lr", optimizer, max_lr)
        up = float(step_size_up)
        self.total_size = up + (up if step_size_down is None else float(step_size_down))
        self.step_ratio = up / self.total_size
        self.mode = mode
        self.gamma = gamma
        self._scale_fn_custom = scale_fn
        self.scale_mode = scale_mode
        self._init_scale_fn()
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self.use_beta1, self.base_momentums, self.max_momentums = start_momentum(
                optimizer, base_momentum, max_momentum, last_epoch != -1
            )
        if last_epoch == -1:
            for lr, group in zip(base_lrs, optimizer.param_groups, strict=True):
                set_option(group, "lr", lr)
        super().__init__(optimizer, last_epoch)
        self.base_lrs = base_lrs

    def _init_scale_fn(self) -> None:
        if self._scale_fn_custom is None:
            self.scale_mode = "iterations" if self.mode == "exp_range" else "cycle"
            functions: dict[str, Callable[[float], float]] = {
                "triangular": _one,
                "triangular2": _half_each,
                "exp_range": partial(_power, self.gamma),
            }
            self._scale_fn_ref: Callable[[float], float] = functions[self.mode]

    def scale_fn(self, x: float) -> float:
        """Height of the triangle at cycle, or batch, ``x``."""
        return self._scale_fn_ref(x) if self._scale_fn_custom is None else self._scale_fn_custom(x)

    def _rates(self) -> list[float | Tensor]:
        cycle = math.floor(1 + self.last_epoch / self.total_size)
        x = 1.0 + self.last_epoch / self.total_size - cycle
        height = x / self.step_ratio if x <= self.step_ratio else (x - 1) / (self.step_ratio - 1)
        height *= self.scale_fn(cycle if self.scale_mode == "cycle" else self.last_epoch)
        if self.cycle_momentum:
            bounds = zip(self.optimizer.param_groups, self.base_momentums, self.max_momentums, strict=True)
            for group, low, high in bounds:
                set_momentum(group, self.use_beta1, high - (high - low) * height)
        return [low + (high - low) * height for low, high in zip(self.base_lrs, self.max_lrs, strict=True)]

    def state_dict(self) -> dict[str, Any]:
        """All of the schedule but its optimizer and a ``scale_fn`` that is a plain function."""
        state = super().state_dict()
        state.pop("_scale_fn_ref", None)
        function = state["_scale_fn_custom"]
        plain = function is None or isinstance(function, types.FunctionType)
        return {**state, "_scale_fn_custom": None if plain else function.__dict__.copy()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Goes on where the schedule with this `state_dict` was, a ``scale_fn`` that is an object with it."""
        super().load_state_dict({name: value for name, value in state_dict.items() if name != "_scale_fn_custom"})
        if state_dict["_scale_fn_custom"] is not None:
            self._scale_fn_custom.__dict__.update(state_dict["_scale_fn_custom"])
        self._init_scale_fn()
