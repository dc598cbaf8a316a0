"""Schedules that decay by a formula: in steps, exponentially, along a line, a power or an inverse square root."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from typing import Any

from autograd.tensor import Tensor

from ..optimizer import Optimizer
from .base import LRScheduler

__all__ = [
    "ConstantLR",
    "ExponentialLR",
    "InverseSquareRootLR",
    "LinearLR",
    "MultiStepLR",
    "PolynomialLR",
    "StepLR",
]


class _OfFactors(LRScheduler):
    """A schedule whose rate is a factor times that of before; other schedules of the optimizer multiply in."""

    def _factor(self) -> float:
        """Rate of this epoch over that of the last one."""
        raise NotImplementedError

    def _closed_factor(self) -> float:
        """Rate of this epoch over the first one."""
        raise NotImplementedError

    def _rates(self) -> list[float | Tensor]:
        factor = self._factor()
        return self._current() if factor == 1 else [rate * factor for rate in self._current()]

    def _get_closed_form_lr(self) -> list[float | Tensor]:
        factor = self._closed_factor()
        return [base * factor for base in self.base_lrs]


class StepLR(_OfFactors):
    """Times ``gamma`` every ``step_size`` epochs.

    Args:
        optimizer: whose groups are given rates.
        step_size: number of epochs with one rate.
        gamma: factor.
        last_epoch: number of the last epoch when a training is resumed.

    >>> import autograd, optim
    >>> optimizer = optim.SGD([autograd.ones(1, requires_grad=True)], lr=1.0)
    >>> schedule, rates = StepLR(optimizer, step_size=2, gamma=0.5), []
    >>> for _ in range(5):
    ...     optimizer.step()
    ...     rates += schedule.get_last_lr()
    ...     schedule.step()
    >>> rates
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1) -> None:
        self.step_size = step_size
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def _factor(self) -> float:
        return 1 if self.last_epoch == 0 or self.last_epoch % self.step_size else self.gamma

    def _closed_factor(self) -> float:
        return self.gamma ** (self.last_epoch // self.step_size)


class MultiStepLR(_OfFactors):
    """Times ``gamma`` at each milestone.

    Args:
        optimizer: whose groups are given rates.
        milestones: numbers of epochs; one that is there twice counts twice.
        gamma: factor.
        last_epoch: number of the last epoch when a training is resumed.

    >>> import autograd, optim
    >>> optimizer = optim.SGD([autograd.ones(1, requires_grad=True)], lr=1.0)
    >>> schedule, rates = optim.lr_scheduler.MultiStepLR(optimizer, milestones=[2, 3], gamma=0.5), []
    >>> for _ in range(5):
    ...     optimizer.step()
    ...     rates += schedule.get_last_lr()
    ...     schedule.step()
    >>> rates
    [1.0, 1.0, 0.5, 0.25, 0.25]
    """

    def __init__(
        self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.milestones = Counter(milestones)
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def _factor(self) -> float:
        return self.gamma ** self.milestones[self.last_epoch]

    def _closed_factor(self) -> float:
        return self.gamma ** bisect_right(sorted(self.milestones.elements()), self.last_epoch)


class ConstantLR(_OfFactors):
    """Times ``factor`` for the first ``total_iters`` epochs.

    Args:
        optimizer: whose groups are given rates.
        factor: between 0 and 1.
        total_iters: number of epochs with the smaller rate.
        last_epoch: number of the last epoch when a training is resumed.

    Raises:
        ValueError: a factor outside [0, 1].

    >>> import autograd, optim
    >>> optimizer = optim.SGD([autograd.ones(1, requires_grad=True)], lr=1.0)
    >>> schedule, rates = optim.lr_scheduler.ConstantLR(optimizer, factor=0.5, total_iters=2), []
    >>> for _ in range(5):
    ...     optimizer.step()
    ...     rates += schedule.get_last_lr()
    ...     schedule.step()
    >>> rates
    [0.5, 0.5, 1.0, 1.0, 1.0]
    """

    def __init__(
        self, optimizer: Optimizer, factor: float = 1.0 / 3, total_iters: int = 5, last_epoch: int = -1
    ) -> None:
        if factor > 1.0 or factor < 0:
            raise ValueError("Constant multiplicative factor expected to be between 0 and 1.")
        self.factor = factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def _factor(self) -> float:
        if self.last_epoch == 0:
            return self.factor
        return 1 if self.last_epoch != self.total_iters else 1.0 / self.factor

    def _closed_factor(self) -> float:
        return 1 if self.last_epoch >= self.total_iters else self.factor


class LinearLR(_OfFactors):
    """A factor that goes along a line for the first ``total_iters`` epochs.

    Args:
        optimizer: whose groups are given rates.
        start_factor: factor of the first epoch, above 0 and at most 1.
        end_factor: factor at the end, between 0 and 1.
        total_iters: number of epochs along the line.
        last_epoch: number of the last epoch when a training is resumed.

    Raises:
        ValueError: a factor out of range.

    >>> import autograd, optim
    >>> optimizer = optim.SGD([autograd.ones(1, requires_grad=True)], lr=1.0)
    >>> schedule, rates = optim.lr_scheduler.LinearLR(optimizer, start_factor=0.5, total_iters=4), []
    >>> for _ in range(5):
    ...     optimizer.step()
    ...     rates += schedule.get_last_lr()
    ...     schedule.step()
    >>> rates
    [0.5, 0.625, 0.75, 0.875, 1.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if start_factor > 1.0 or start_factor <= 0:
            raise ValueError(
                "Starting multiplicative factor expected to be greater than 0 and less or equal to 1, but is "
                f"{start_factor}"
            )
        if end_factor > 1.0 or end_factor < 0:
            raise ValueError(f"Ending multiplicative factor expected to be between 0 and 1, but is {end_factor}")
        self.start_factor = start_factor
        self.end_factor = end_factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def _factor(self) -> float:
        if self.last_epoch == 0:
            return self.start_factor
        if self._is_initial or self.last_epoch > self.total_iters:
            return 1
        rise = self.end_factor - self.start_factor
        return 1.0 + rise / (self.total_iters * self.start_factor + (self.last_epoch - 1) * rise)

    def _closed_factor(self) -> float:
        share = min(self.total_iters, self.last_epoch) / self.total_iters
        return self.start_factor + (self.end_factor - self.start_factor) * share


class ExponentialLR(_OfFactors):
    """Times ``gamma`` every epoch.

    Args:
        optimizer: whose groups are given rates.
        gamma: factor.
        last_epoch: number of the last epoch when a training is resumed.

    >>> import autograd, optim
    >>> optimizer = optim.SGD([autograd.ones(1, requires_grad=True)], lr=1.0)
    >>> schedule, rates = optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5), []
    >>> for _ in range(5):
    ...     optimizer.step()
    ...     rates += schedule.get_last_lr()
    ...     schedule.step()
    >>> rates
    [1.0, 0.5, 0.25, 0.125, 0.0625]
    """

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def _factor(self) -> float:
        return 1 if self._is_initial else self.gamma

    def _closed_factor(self) -> float:
        return self.gamma**self.last_epoch


class PolynomialLR(_OfFactors):
    """Down to 0 in ``total_iters`` epochs, as a power of the share of epochs that are left.

    Args:
        optimizer: whose groups are given rates.
        total_iters: number of epochs until the rate is 0.
        power: of the share.
        last_epoch: number of the last epoch when a training is resumed.

    >>> import autograd, optim
    >>> optimizer = optim.SGD([autograd.ones(1, requires_grad=True)], lr=1.0)
    >>> schedule, rates = optim.lr_scheduler.PolynomialLR(optimizer, total_iters=4, power=1.0), []
    >>> for _ in range(5):
    ...     optimizer.step()
    ...     rates += schedule.get_last_lr()
    ...     schedule.step()
    >>> rates
    [1.0, 0.75, 0.5, 0.25, 0.0]
    """

    def __init__(self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1) -> None:
        self.total_iters = total_iters
        self.power = power
        super().__init__(optimizer, last_epoch)

    def _factor(self) -> float:
        if self._is_initial or self.last_epoch > self.total_iters:
            return 1
        left, before = (1.0 - epoch / self.total_iters for epoch in (self.last_epoch, self.last_epoch - 1))
        return (left / before) ** self.power

    def _closed_factor(self) -> float:
        return (1.0 - min(self.total_iters, self.last_epoch) / self.total_iters) ** self.power


class InverseSquareRootLR(_OfFactors):
    r"""The 1/t decay of stochastic gradient descent: :math:`\eta_t = \eta / \sqrt{t + 1}` at epoch t.

    Rates that fall so slowly still reach any distance, while their noise averages out. Robbins and Monro (1951);
    `Adagrad` divides such a rate by the root mean square of the gradients.

    Args:
        optimizer: whose groups are given rates.
        last_epoch: number of the last epoch when a training is resumed.

    >>> import autograd, optim
    >>> optimizer = optim.SGD([autograd.ones(1, requires_grad=True)], lr=1.0)
    >>> schedule = InverseSquareRootLR(optimizer)
    >>> for _ in range(3):
    ...     optimizer.step()
    ...     schedule.step()
    >>> schedule.get_last_lr()
    [0.5]
    """

    def _rates(self) -> list[Any]:
        return self._get_closed_form_lr()

    def _closed_factor(self) -> float:
        return (self.last_epoch + 1) ** -0.5
