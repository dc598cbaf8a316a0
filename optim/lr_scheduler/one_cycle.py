"""One rise and one fall of the rate over a whole training."""

from __future__ import annotations

import math
from typing import Any

from autograd.tensor import Tensor

from ..optimizer import Optimizer
from .base import LRScheduler, for_each_group, require_optimizer
from .momentum import set_momentum, start_momentum

__all__ = ["OneCycleLR", "anneal"]


def anneal(strategy: str, start: Any, end: Any, share: float) -> Any:
    """Between ``start`` and ``end``: along half a cosine (``"cos"``) or a line (``"linear"``)."""
    if strategy == "cos":
        return end + (start - end) / 2.0 * (math.cos(math.pi * share) + 1)
    return (end - start) * share + start


def check_strategy(strategy: str) -> None:
    """Checks the name of a curve.

    Raises:
        ValueError: neither ``"cos"`` nor ``"linear"``.
    """
    if strategy not in ("cos", "linear"):
        raise ValueError(f"anneal_strategy must be one of 'cos' or 'linear', instead got {strategy}")


def _phase(end_step: float, lr: tuple[str, str], momentum: tuple[str, str]) -> dict[str, Any]:
    return {
        "end_step": end_step,
        "start_lr": lr[0],
        "end_lr": lr[1],
        "start_momentum": momentum[0],
        "end_momentum": momentum[1],
    }


class OneCycleLR(LRScheduler):
    """Up to ``max_lr`` and down to nearly nothing; call `step` after each batch.

    Smith and Topin, "Super-convergence: very fast training of neural networks using large learning rates" (2018).

    Args:
        optimizer: whose groups are given rates.
        max_lr: the largest rate, one for all groups or a list.
        total_steps: number of batches in all; or
        epochs, steps_per_epoch: whose product it is.
        pct_start: share of the batches in which the rate goes up.
        anneal_strategy: ``"cos"`` or ``"linear"``.
        cycle_momentum: let momentum, or the first of the betas, go the other way.
        base_momentum, max_momentum: its bounds, one for all groups or a list.
        div_factor: ``max_lr`` over the first rate.
        final_div_factor: the first rate over the last.
        three_phase: go down as fast as up, and then on to the last rate.
        last_epoch: number of the last batch when a training is resumed.

    Raises:
        TypeError: ``optimizer`` is none.
        ValueError: a number out of range or not given, lists of another length, or an optimizer without momentum to
            cycle; and in `step`, more than ``total_steps``.

    >>> import autograd, optim
    >>> optimizer = optim.SGD([autograd.ones(1, requires_grad=True)], lr=1.0)
    >>> schedule, rates = optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1.0, total_steps=5, cycle_momentum=False), []
    >>> for _ in range(5):
    ...     optimizer.step()
    ...     rates += schedule.get_last_lr()
    ...     schedule.step()
    >>> [round(rate, 4) for rate in rates]
    [0.04, 0.9505, 0.6113, 0.1883, 0.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        require_optimizer(optimizer)
        self.optimizer = optimizer
        self.total_steps = _total(total_steps, epochs, steps_per_epoch)
        if pct_start < 0 or pct_start > 1 or not isinstance(pct_start, float):
            raise ValueError(f"Expected float between 0 and 1 pct_start, but got {pct_start}")
        check_strategy(anneal_strategy)
        top, last = float(pct_start * self.total_steps) - 1, self.total_steps - 1
        down, up = ("max_momentum", "base_momentum"), ("base_momentum", "max_momentum")
        self._schedule_phases = [_phase(top, ("initial_lr", "max_lr"), down)]
        if three_phase:
            bottom = float(2 * pct_start * self.total_steps) - 2
            self._schedule_phases += [
                _phase(bottom, ("max_lr", "initial_lr"), up),
                _phase(last, ("initial_lr", "min_lr"), ("max_momentum", "max_momentum")),
            ]
        else:
            self._schedule_phases += [_phase(last, ("max_lr", "min_lr"), up)]
        self._anneal_func_type = anneal_strategy
        max_lrs = for_each_group("max_lr", optimizer, max_lr)
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self.use_beta1 = start_momentum(optimizer, base_momentum, max_momentum, last_epoch != -1)[0]
        if last_epoch == -1:
            for group, largest in zip(optimizer.param_groups, max_lrs, strict=True):
                group["initial_lr"] = largest / div_factor
                group["max_lr"] = largest
                group["min_lr"] = group["initial_lr"] / final_div_factor
        super().__init__(optimizer, last_epoch)

    def _rates(self) -> list[float | Tensor]:
        if self.last_epoch > self.total_steps:
            raise ValueError(
                f"Tried to step {self.last_epoch} times. The specified number of total steps is {self.total_steps}"
            )
        start, phases = 0.0, list(self._schedule_phases)
        while len(phases) > 1 and self.last_epoch > phases[0]["end_step"]:
            start = phases.pop(0)["end_step"]
        phase = phases[0]
        share = (self.last_epoch - start) / (phase["end_step"] - start)
        rates = []
        for group in self.optimizer.param_groups:
            lr, momentum = ((group.get(phase[f"start_{x}"]), group.get(phase[f"end_{x}"])) for x in ("lr", "momentum"))
            rates.append(anneal(self._anneal_func_type, *lr, share))
            if self.cycle_momentum:
                set_momentum(group, self.use_beta1, anneal(self._anneal_func_type, *momentum, share))
        return rates


def _total(total_steps: int | None, epochs: int | None, steps_per_epoch: int | None) -> int:
    if total_steps is not None:
        given = {"total_steps": total_steps}
    elif epochs is None or steps_per_epoch is None:
        raise ValueError("You must define either total_steps OR (epochs AND steps_per_epoch)")
    else:
        given = {"epochs": epochs, "steps_per_epoch": steps_per_epoch}
    for name, number in given.items():
        if not isinstance(number, int) or number <= 0:
            raise ValueError(f"Expected positive integer {name}, but got {number}")
    return math.prod(given.values())
