"""Averages of a model's weights on the way of its training. As ``torch.optim.swa_utils``."""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from autograd.graph import no_grad
from autograd.tensor import Tensor, wrap
from nn.batchnorm import _BatchNorm
from nn.module import Module

from .lr_scheduler.base import LRScheduler, for_each_group
from .lr_scheduler.one_cycle import check_strategy
from .optimizer import Optimizer

__all__ = [
    "SWALR",
    "AveragedModel",
    "get_ema_avg_fn",
    "get_ema_multi_avg_fn",
    "get_swa_avg_fn",
    "get_swa_multi_avg_fn",
    "update_bn",
]

Average = Callable[[Tensor, Tensor, Any], Tensor]
MultiAverage = Callable[[Sequence[Tensor], Sequence[Tensor], Any], None]


def _check_decay(decay: float) -> None:
    if decay < 0.0 or decay > 1.0:
        raise ValueError(f"Invalid decay value {decay} provided. Please provide a value in [0,1] range.")


def get_ema_avg_fn(decay: float = 0.999) -> Average:
    """The exponential moving average ``decay * average + (1 - decay) * new``.

    Raises:
        ValueError: ``decay`` outside [0, 1].

    >>> import autograd
    >>> get_ema_avg_fn(0.75)(autograd.tensor(4.0), autograd.tensor(8.0), 1)
    tensor(5.)
    """
    _check_decay(decay)

    def average(averaged: Tensor, current: Tensor, num_averaged: Any) -> Tensor:
        with no_grad():
            return decay * averaged + (1 - decay) * current

    return average


def get_swa_avg_fn() -> Average:
    """The mean of all: ``average + (new - average) / (n + 1)``.

    >>> import autograd
    >>> get_swa_avg_fn()(autograd.tensor(4.0), autograd.tensor(7.0), 2)
    tensor(5.)
    """

    def average(averaged: Tensor, current: Tensor, num_averaged: Any) -> Tensor:
        with no_grad():
            return averaged + (current - averaged) / (num_averaged + 1)

    return average


def _in_place(average: Average) -> MultiAverage:
    """An average of lists of tensors, written into the first."""

    def update(averaged: Sequence[Tensor], current: Sequence[Tensor], num_averaged: Any) -> None:
        with no_grad():
            for old, new in zip(averaged, current, strict=True):
                old.copy_(average(old, new, num_averaged))

    return update


def get_ema_multi_avg_fn(decay: float = 0.999) -> MultiAverage:
    """As `get_ema_avg_fn`, for lists of tensors, the first of which is written to.

    Raises:
        ValueError: ``decay`` outside [0, 1].

    >>> import autograd, nn, optim
    >>> model = optim.swa_utils.AveragedModel(nn.Linear(2, 1), multi_avg_fn=optim.swa_utils.get_ema_multi_avg_fn(0.9))
    """
    return _in_place(get_ema_avg_fn(decay))


def get_swa_multi_avg_fn() -> MultiAverage:
    """As `get_swa_avg_fn`, for lists of tensors, the first of which is written to.

    >>> import autograd, nn, optim
    >>> model = optim.swa_utils.AveragedModel(nn.Linear(2, 1), multi_avg_fn=optim.swa_utils.get_swa_multi_avg_fn())
    """
    return _in_place(get_swa_avg_fn())


class AveragedModel(Module):
    """A copy of a model whose parameters are averages of the model's. Izmailov et al. (2018), Polyak (1992).

    Args:
        model: which is copied.
        device: accepted for PyTorch's sake.
        avg_fn: new average from the old one, a parameter and the number of models so far; the mean by default.
        multi_avg_fn: the same for lists, writing to the first. Only one of them.
        use_buffers: average buffers as well; otherwise they are copied.

    Raises:
        AssertionError: both functions.

    >>> import nn
    >>> model = nn.Linear(1, 1, bias=False)
    >>> averaged = AveragedModel(model)
    >>> for value in (1.0, 2.0, 6.0):
    ...     _ = nn.init.constant_(model.weight, value)
    ...     averaged.update_parameters(model)
    >>> averaged.module.weight.item(), averaged.n_averaged
    (3.0, tensor(3))
    """

    n_averaged: Tensor

    def __init__(
        self,
        model: Module,
        device: Any = None,
        avg_fn: Average | None = None,
        multi_avg_fn: MultiAverage | None = None,
        use_buffers: bool = False,
    ) -> None:
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise AssertionError("Only one of avg_fn and multi_avg_fn should be provided")
        self.module = copy.deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        self.register_buffer("n_averaged", wrap(np.zeros((), np.int64)))
        self.avg_fn = avg_fn
        self.multi_avg_fn = multi_avg_fn
        self.use_buffers = use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.module(*args, **kwargs)

    def update_parameters(self, model: Module) -> None:
        """Takes the parameters of ``model`` into the average."""
        mine, theirs = (
            [tensor.detach() for tensor in itertools.chain(m.parameters(), m.buffers() if self.use_buffers else ())]
            for m in (self.module, model)
        )
        with no_grad():
            if self.n_averaged == 0:
                for averaged, current in zip(mine, theirs, strict=True):
                    averaged.copy_(current)
            elif self.multi_avg_fn is not None:
                for averaged_list, current_list in _by_dtype(mine, theirs):
                    self.multi_avg_fn(averaged_list, current_list, self.n_averaged)
            else:
                _in_place(self.avg_fn or get_swa_avg_fn())(mine, theirs, self.n_averaged)
            if not self.use_buffers:
                for averaged, current in zip(self.module.buffers(), model.buffers(), strict=True):
                    averaged.detach().copy_(current.detach())
            self.n_averaged += 1


def _by_dtype(*lists: list[Tensor]) -> list[list[list[Tensor]]]:
    """The lists, split by the dtype of the first one's tensors."""
    kinds: dict[Any, list[list[Tensor]]] = {}
    for tensors in zip(*lists, strict=True):
        group = kinds.setdefault(tensors[0].dtype, [[] for _ in lists])
        for part, tensor in zip(group, tensors, strict=True):
            part.append(tensor)
    return list(kinds.values())


def update_bn(loader: Iterable[Any], model: Module, device: Any = None) -> None:
    """Computes the running statistics of all batch normalization layers anew, as means over ``loader``.

    Args:
        loader: inputs, or tuples or lists that begin with one.
        model: called with each input in training mode.
        device: accepted for PyTorch's sake.

    >>> import autograd, nn, optim
    >>> model = nn.BatchNorm1d(2)
    >>> optim.swa_utils.update_bn([autograd.tensor([[1.0, 2.0], [3.0, 6.0]])], model)
    >>> model.running_mean
    tensor([2., 4.])
    """
    layers = {module: module.momentum for module in model.modules() if isinstance(module, _BatchNorm)}
    if not layers:
        return
    was_training = model.training
    model.train()
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # the mean over all batches
    with no_grad():
        for batch in loader:
            x = batch[0] if isinstance(batch, (list, tuple)) else batch
            model(x if device is None else x.to(device))
    for layer, momentum in layers.items():
        layer.momentum = momentum
    model.train(was_training)


class SWALR(LRScheduler):
    """From the present rate to a constant one, with which weights are averaged.

    Args:
        optimizer: whose groups are given rates.
        swa_lr: the constant rate, one for all groups or a list.
        anneal_epochs: number of epochs on the way.
        anneal_strategy: along half a cosine (``"cos"``) or a line (``"linear"``).
        last_epoch: number of the last epoch when a training is resumed.

    Raises:
        ValueError: an unknown strategy, a number of epochs that is no integer or negative, or a list of another length.

    >>> import autograd, nn, optim
    >>> optimizer = optim.SGD([autograd.ones(1, requires_grad=True)], lr=1.0)
    >>> schedule, rates = optim.swa_utils.SWALR(optimizer, swa_lr=0.5, anneal_epochs=2, anneal_strategy="linear"), []
    >>> for _ in range(4):
    ...     optimizer.step()
    ...     rates += schedule.get_last_lr()
    ...     schedule.step()
    >>> rates
    [1.0, 0.75, 0.5, 0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: float | list[float],
        anneal_epochs: int = 10,
        anneal_strategy: str = "cos",
        last_epoch: int = -1,
    ) -> None:
        rates = for_each_group("swa_lr", optimizer, swa_lr)
        check_strategy(anneal_strategy)
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(f"anneal_epochs must be equal or greater than 0, got {anneal_epochs}")
        for rate, group in zip(rates, optimizer.param_groups, strict=True):
            group["swa_lr"] = rate
        self._anneal_strategy = anneal_strategy
        self.anneal_epochs = anneal_epochs
        super().__init__(optimizer, last_epoch)

    def _share(self, step: int) -> float:
        """Share of the way that is done after a number of steps."""
        t = max(0, min(1, step / max(1, self.anneal_epochs)))
        return (1 - math.cos(math.pi * t)) / 2 if self._anneal_strategy == "cos" else t

    def _rates(self) -> list[Any]:
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        before, now = self._share(step - 1), self._share(step)
        rates = []
        for group, rate in zip(self.optimizer.param_groups, self._current(), strict=True):
            end = group["swa_lr"]
            # Where the way began, found from the present rate: another schedule may have changed it.
            start = end if before == 1 else (rate - before * end) / (1 - before)
            rates.append(end * now + start * (1 - now))
        return rates
