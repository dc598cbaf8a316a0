"""Schedules along a cosine, with and without restarts."""

from __future__ import annotations

import math

from autograd.tensor import Tensor

from ..optimizer import Optimizer
from .base import LRScheduler

__all__ = ["CosineAnnealingLR", "CosineAnnealingWarmRestarts"]


def _raised(phase: float) -> float:
    """From 1 at 0 to 0 at 1 and back."""
    return (1 + math.cos(math.pi * phase)) / 2


class CosineAnnealingLR(LRScheduler):
    r"""Down and up along a cosine of period 2 ``T_max``.

    .. math::
        \eta_t = \eta_{min} + (\eta_0 - \eta_{min}) (1 + \cos(\pi t / T_{max})) / 2

    Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts" (2017), without the restarts. Each
    rate follows from the one before, so that other schedules may change it in between.

    Args:
        optimizer: whose groups are given rates.
        T_max: epochs from the first rate to the smallest.
        eta_min: the smallest rate.
        last_epoch: number of the last epoch when a training is resumed.

    >>> import autograd, optim
    >>> optimizer = optim.SGD([autograd.ones(1, requires_grad=True)], lr=1.0)
    >>> schedule, rates = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=4), []
    >>> for _ in range(5):
    ...     optimizer.step()
    ...     rates += schedule.get_last_lr()
    ...     schedule.step()
    >>> [round(rate, 4) for rate in rates]
    [1.0, 0.8536, 0.5, 0.1464, 0.0]
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        self.T_max = T_max
        self.eta_min = eta_min
        super().__init__(optimizer, last_epoch)

    def _rates(self) -> list[float | Tensor]:
        if self._is_initial:
            return self._current()
        if self._step_count == 1 and self.last_epoch > 0:
            return self._get_closed_form_lr()
        now, before = _raised(self.last_epoch / self.T_max), _raised((self.last_epoch - 1) / self.T_max)
        if (self.last_epoch - 1 - self.T_max) % (2 * self.T_max) == 0:  # the rate before was the smallest
            rise = _raised((self.T_max - 1) / self.T_max)
            return [
                rate + (base - self.eta_min) * rise for base, rate in zip(self.base_lrs, self._current(), strict=True)
            ]
        return [now / before * (rate - self.eta_min) + self.eta_min for rate in self._current()]

    def _get_closed_form_lr(self) -> list[float | Tensor]:
        share = _raised(self.last_epoch / self.T_max)
        return [self.eta_min + (base - self.eta_min) * share for base in self.base_lrs]


class CosineAnnealingWarmRestarts(LRScheduler):
    """Down along half a cosine, then from the first rate again. Loshchilov and Hutter (2017).

    Args:
        optimizer: whose groups are given rates.
        T_0: epochs until the first restart.
        T_mult: factor of that number after each restart.
        eta_min: the smallest rate.
        last_epoch: number of the last epoch when a training is resumed.

    Raises:
        ValueError: ``T_0`` or ``T_mult`` is no positive integer, ``eta_min`` no number.

    >>> import autograd, optim
    >>> optimizer = optim.SGD([autograd.ones(1, requires_grad=True)], lr=1.0)
    >>> schedule, rates = optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, T_0=2), []
    >>> for _ in range(5):
    ...     optimizer.step()
    ...     rates += schedule.get_last_lr()
    ...     schedule.step()
    >>> [round(rate, 4) for rate in rates]
    [1.0, 0.5, 1.0, 0.5, 1.0]
    """

    def __init__(
        self, optimizer: Optimizer, T_0: int, T_mult: int = 1, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        if T_0 <= 0 or not isinstance(T_0, int):
            raise ValueError(f"Expected positive integer T_0, but got {T_0}")
        if T_mult < 1 or not isinstance(T_mult, int):
            raise ValueError(f"Expected integer T_mult >= 1, but got {T_mult}")
        if not isinstance(eta_min, (float, int)):
            raise ValueError(f"Expected float or int eta_min, but got {eta_min} of type {type(eta_min)}")
        self.T_0 = T_0
        self.T_i = T_0
        self.T_mult = T_mult
        self.eta_min = eta_min
        self.T_cur = last_epoch
        super().__init__(optimizer, last_epoch)

    def _rates(self) -> list[float | Tensor]:
        share = _raised(self.T_cur / self.T_i)
        return [self.eta_min + (base - self.eta_min) * share for base in self.base_lrs]

    def step(self, epoch: float | None = None) -> None:
        """The next epoch, or any other; parts of epochs make a smooth schedule.

        Args:
            epoch: number of an epoch, with ``i / len(loader)`` added after batch i, for example.

        Raises:
            ValueError: a negative epoch.
        """
        if epoch is None and self.last_epoch < 0:
            epoch = 0
        if epoch is None:
            epoch = self.last_epoch + 1
            self.T_cur += 1
            if self.T_cur >= self.T_i:
                self.T_cur %= self.T_i
                self.T_i *= self.T_mult
        elif epoch < 0:
            raise ValueError(f"Expected non-negative epoch, but got {epoch}")
        else:
            self._jump(epoch)
        self.last_epoch = math.floor(epoch)
        with self._calling_get_lr():
            rates = self.get_lr()
        self._set(rates)

    def _jump(self, epoch: float) -> None:
        if epoch < self.T_0:
            self.T_i, self.T_cur = self.T_0, epoch  # type: ignore[assignment]  # parts of epochs are welcome
        elif self.T_mult == 1:
            self.T_cur = epoch % self.T_0  # type: ignore[assignment]
        else:
            restarts = int(math.log(epoch / self.T_0 * (self.T_mult - 1) + 1, self.T_mult))
            self.T_cur = epoch - self.T_0 * (self.T_mult**restarts - 1) / (self.T_mult - 1)
            self.T_i = self.T_0 * self.T_mult**restarts
