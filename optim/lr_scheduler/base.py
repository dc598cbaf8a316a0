"""What all schedules share: when the learning rate is set, what is remembered of it, and the order of the calls."""

from __future__ import annotations

import functools
import warnings
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from autograd.graph import no_grad
from autograd.tensor import Tensor

from ..optimizer import Group, Optimizer, as_scalar

__all__ = ["LRScheduler"]

EPOCH_IS_DEPRECATED = (
    "The epoch parameter in `scheduler.step()` was not necessary and is being deprecated where possible. Please use "
    "`scheduler.step()` to step the scheduler; with an epoch the closed form of the schedule is used where it has one."
)
ADVICE = "See https://pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate"


class LRScheduler:
    """Base class of schedules: sets ``group["lr"]`` of an optimizer once an epoch, or once a step.

    A schedule of one's own defines ``get_lr()``, which returns the rates of all groups at ``self.last_epoch``, from
    ``self.base_lrs`` or from the rates of before. Rates that are tensors are written to.

    Args:
        optimizer: whose groups are given rates.
        last_epoch: number of the last epoch when a training is resumed, for which the groups keep ``"initial_lr"``.

    Raises:
        TypeError: ``optimizer`` is none.
        KeyError: a training is resumed, and a group has no ``"initial_lr"``.

    >>> import autograd, optim
    >>> class Halves(LRScheduler):
    ...     def get_lr(self):
    ...         return [lr / 2**self.last_epoch for lr in self.base_lrs]
    >>> optimizer = optim.SGD([autograd.ones(1, requires_grad=True)], lr=1.0)
    >>> schedule = Halves(optimizer)
    >>> for _ in range(2):
    ...     optimizer.step()
    ...     schedule.step()
    >>> schedule.get_last_lr()
    [0.25]
    """

    _get_lr_called_within_step = False
    _is_initial = False

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        require_optimizer(optimizer)
        self.optimizer = optimizer
        for number, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", _copied(group["lr"]))
            elif "initial_lr" not in group:
                raise KeyError(
                    f"param 'initial_lr' is not specified in param_groups[{number}] when resuming scheduler with "
                    f"last_epoch={last_epoch}: load the optimizer's state dict first, or leave last_epoch at -1"
                )
        self.base_lrs = options(optimizer, "initial_lr")
        self.last_epoch = last_epoch
        _watch_steps(optimizer)
        self._initial_step()

    def _initial_step(self) -> None:
        self._step_count = 0
        self._is_initial = True
        try:
            self.step()
        finally:
            self._is_initial = False

    def state_dict(self) -> dict[str, Any]:
        """All of the schedule but its optimizer."""
        return {name: value for name, value in self.__dict__.items() if name != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Goes on where the schedule with this `state_dict` was."""
        self.__dict__.update(state_dict)

    def get_last_lr(self) -> list[float | Tensor]:
        """The rates that were last set, one a group."""
        return self._last_lr

    def get_lr(self) -> list[float | Tensor]:
        """The rates at ``last_epoch``, one a group; `step` calls it."""
        if not self._get_lr_called_within_step:
            warnings.warn(
                "To get the last learning rate computed by the scheduler, please use `get_last_lr()`.", stacklevel=2
            )
        return self._rates()

    def _rates(self) -> list[float | Tensor]:
        raise NotImplementedError(f"{type(self).__name__} must define get_lr()")

    def _current(self) -> list[Any]:
        """The rates of the groups as they are."""
        return options(self.optimizer, "lr")

    def step(self, epoch: int | None = None) -> None:
        """The next epoch: call it after the optimizer's steps.

        Args:
            epoch: number of an epoch to jump to; deprecated.
        """
        if self._step_count == 1:
            self._check_order()
        self._step_count += 1
        if epoch is not None:
            warnings.warn(EPOCH_IS_DEPRECATED, stacklevel=2)
        self._update_lr(epoch)

    def _check_order(self) -> None:
        if not hasattr(self.optimizer.step, "_wrapped_by_lr_sched"):
            warnings.warn(
                "Seems like `optimizer.step()` has been overridden after learning rate scheduler initialization. "
                f"Please, make sure to call `optimizer.step()` before `lr_scheduler.step()`. {ADVICE}",
                stacklevel=3,
            )
        elif not getattr(self.optimizer, "_opt_called", False):
            warnings.warn(
                "Detected call of `lr_scheduler.step()` before `optimizer.step()`: the first value of the schedule is "
                f"skipped. Call them in the opposite order. {ADVICE}",
                stacklevel=3,
            )

    def _update_lr(self, epoch: int | None = None) -> None:
        with self._calling_get_lr():
            if epoch is None:
                self.last_epoch += 1
                rates = self.get_lr()
            else:
                self.last_epoch = epoch
                rates = (getattr(self, "_get_closed_form_lr", None) or self.get_lr)()
        self._set(rates)

    @contextmanager
    def _calling_get_lr(self) -> Iterator[None]:
        self._get_lr_called_within_step = True
        try:
            yield
        finally:
            self._get_lr_called_within_step = False

    def _set(self, rates: Sequence[float | Tensor]) -> None:
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            set_option(group, "lr", rate)
        self._last_lr: list[float | Tensor] = self._current()


class _LRScheduler(LRScheduler):
    """The name of `LRScheduler` in older programs."""


def require_optimizer(optimizer: Any) -> None:
    """Checks what a schedule is made for.

    Raises:
        TypeError: no optimizer.
    """
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")


def _copied(value: Any) -> Any:
    return value.clone() if isinstance(value, Tensor) else value


def options(optimizer: Optimizer, name: str) -> list[Any]:
    """An option of all groups; tensors are copied."""
    return [_copied(group[name]) for group in optimizer.param_groups]


def set_option(group: Group, name: str, value: Any) -> None:
    """Sets an option of a group: writes to it where it is a tensor."""
    if isinstance(group[name], Tensor):
        with no_grad():
            group[name].fill_(as_scalar(value))
    else:
        group[name] = value


def for_each_group(name: str, optimizer: Optimizer, value: Any) -> list[Any]:
    """An argument that is one value for all groups, or a list with one for each.

    Raises:
        ValueError: a list of another length.
    """
    if not isinstance(value, (list, tuple)):
        value = [value] * len(optimizer.param_groups)
    elif len(value) != len(optimizer.param_groups):
        raise ValueError(
            f"{name} must have the same length as optimizer.param_groups. {name} has {len(value)} values, param_groups "
            f"has {len(optimizer.param_groups)}."
        )
    return [_copied(item) for item in value]


def _watch_steps(optimizer: Any) -> None:
    """Lets the optimizer note that it has been called, for the warning about the order of calls."""
    if hasattr(optimizer.step, "_wrapped_by_lr_sched"):
        return
    function, reference = optimizer.step.__func__, weakref.ref(optimizer)

    @functools.wraps(function)
    def step(*args: Any, **kwargs: Any) -> Any:
        watched: Any = reference()
        watched._opt_called = True
        return function(watched, *args, **kwargs)

    step._wrapped_by_lr_sched = True  # type: ignore[attr-defined]
    optimizer.step = step
