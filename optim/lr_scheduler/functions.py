"""Schedules given by functions of the epoch."""

from __future__ import annotations

import types
from collections.abc import Callable, Sequence
from typing import Any

from autograd.tensor import Tensor

from ..optimizer import Optimizer
from .base import LRScheduler

__all__ = ["LambdaLR", "MultiplicativeLR"]

Function = Callable[[int], float]


class _OfFunctions(LRScheduler):
    """One function for each group. State dicts keep those that are objects with a state, not plain functions."""

    def __init__(self, optimizer: Optimizer, lr_lambda: Function | Sequence[Function], last_epoch: int = -1) -> None:
        groups = len(optimizer.param_groups)
        self.lr_lambdas: list[Any] = list(lr_lambda) if isinstance(lr_lambda, (list, tuple)) else [lr_lambda] * groups
        if len(self.lr_lambdas) != groups:
            raise ValueError(f"Expected {groups} lr_lambdas, but got {len(self.lr_lambdas)}")
        super().__init__(optimizer, last_epoch)

    def state_dict(self) -> dict[str, Any]:
        """All of the schedule but its optimizer and its functions, of which the state of callable objects is kept."""
        states = [None if isinstance(f, types.FunctionType) else f.__dict__.copy() for f in self.lr_lambdas]
        return {**super().state_dict(), "lr_lambdas": states}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Goes on where the schedule with this `state_dict` was; callable objects are given their state."""
        super().load_state_dict({name: value for name, value in state_dict.items() if name != "lr_lambdas"})
        for function, state in zip(self.lr_lambdas, state_dict["lr_lambdas"], strict=True):
            if state is not None:
                function.__dict__.update(state)


class LambdaLR(_OfFunctions):
    """The first rate times a function of the epoch.

    Args:
        optimizer: whose groups are given rates.
        lr_lambda: function of the epoch's number, or a list with one for each group.
        last_epoch: number of the last epoch when a training is resumed.

    Raises:
        ValueError: a list of another length.

    >>> import autograd, optim
    >>> optimizer = optim.SGD([autograd.ones(1, requires_grad=True)], lr=1.0)
    >>> LambdaLR(optimizer, lambda epoch: 0.95 ** epoch).get_last_lr()
    [1.0]
    """

    def _rates(self) -> list[float | Tensor]:
        return [base * f(self.last_epoch) for f, base in zip(self.lr_lambdas, self.base_lrs, strict=True)]


class MultiplicativeLR(_OfFunctions):
    """The rate of before times a function of the epoch.

    Args:
        optimizer: whose groups are given rates.
        lr_lambda: function of the epoch's number, or a list with one for each group.
        last_epoch: number of the last epoch when a training is resumed.

    Raises:
        TypeError: something that cannot be called.
        ValueError: a list of another length.

    >>> import autograd, optim
    >>> optimizer = optim.SGD([autograd.ones(1, requires_grad=True)], lr=1.0)
    >>> schedule, rates = optim.lr_scheduler.MultiplicativeLR(optimizer, lambda epoch: 0.5), []
    >>> for _ in range(5):
    ...     optimizer.step()
    ...     rates += schedule.get_last_lr()
    ...     schedule.step()
    >>> rates
    [1.0, 0.5, 0.25, 0.125, 0.0625]
    """

    def __init__(self, optimizer: Optimizer, lr_lambda: Function | Sequence[Function], last_epoch: int = -1) -> None:
        for function in lr_lambda if isinstance(lr_lambda, (list, tuple)) else [lr_lambda]:
            if not callable(function):
                raise TypeError(f"lr_lambda should be a function, but got {type(function).__name__}")
        super().__init__(optimizer, lr_lambda, last_epoch)

    def _rates(self) -> list[float | Tensor]:
        if self._is_initial:
            return self._current()
        return [rate * f(self.last_epoch) for f, rate in zip(self.lr_lambdas, self._current(), strict=True)]
