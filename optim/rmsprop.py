"""RMSprop: steps divided by the root of the gradient's mean square."""

from __future__ import annotations

from typing import Any

from autograd.rows.table import _
from autograd.tensor import Tensor

from .optimizer import (
    Group,
    Optimizer,
    Params,
    as_scalar,
    check_at_least,
    check_lr,
    columns,
    count_steps,
    counter,
    zeros_like,
)
from .rule import Rule

__all__ = ["RMSprop", "rmsprop"]


class RMSprop(Optimizer):
    r"""Divides by a running root mean square. Hinton, lecture 6e of "Neural networks for machine learning" (2012).

    .. math::
        v &\leftarrow \alpha v + (1 - \alpha) g^2 \\
        b &\leftarrow \text{momentum} \cdot b + g / (\sqrt v + \epsilon) \\
        \theta &\leftarrow \theta - \text{lr} \cdot b

    Centered, the variance v - ḡ² stands for v, with ḡ the running mean of the gradient. Graves (2013).

    Args:
        params: parameters, or groups of them, as for `Optimizer`.
        lr: length of a step.
        alpha: how much of the running means is kept.
        eps: keeps the denominator away from zero.
        weight_decay: factor of a penalty on the squared length of the parameters.
        momentum: share of the last step that is kept.
        centered: divide by the standard deviation.
        capturable: accepted for PyTorch's sake.
        foreach: accepted for PyTorch's sake.
        maximize: step along the gradient instead.
        differentiable: record the step, so that gradients pass through it.

    Raises:
        ValueError: a negative number.

    >>> import autograd, nn, optim
    >>> w = nn.Parameter(autograd.tensor([1.0]))
    >>> optimizer = optim.RMSprop([w], lr=0.01)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.data
    tensor([0.9000])
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_lr(lr)
        check_at_least(0, "Invalid epsilon value", eps)
        check_at_least(0, "Invalid momentum value", momentum)
        check_at_least(0, "Invalid weight_decay value", weight_decay)
        check_at_least(0, "Invalid alpha value", alpha)
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "alpha": alpha,
            "eps": eps,
            "centered": centered,
            "weight_decay": weight_decay,
            "capturable": capturable,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def new_state(self, param: Tensor, group: Group) -> dict[str, Any]:
        state = {"step": counter(), "square_avg": zeros_like(param)}
        if group["momentum"] > 0:
            state["momentum_buffer"] = zeros_like(param)
        if group["centered"]:
            state["grad_avg"] = zeros_like(param)
        return state

    def update(self, params: list[Tensor], gradients: list[Any], group: Group) -> None:
        square_avgs, grad_avgs, momentum_buffer_list, state_steps = columns(
            self._states(params, group), "square_avg", "grad_avg", "momentum_buffer", "step"
        )
        rmsprop(
            params,
            gradients,
            square_avgs,
            grad_avgs,
            momentum_buffer_list,
            state_steps,
            lr=group["lr"],
            alpha=group["alpha"],
            eps=group["eps"],
            weight_decay=group["weight_decay"],
            momentum=group["momentum"],
            centered=group["centered"],
            maximize=group["maximize"],
        )


def rmsprop(
    params: list[Tensor],
    grads: list[Tensor],
    square_avgs: list[Tensor],
    grad_avgs: list[Tensor],
    momentum_buffer_list: list[Tensor],
    state_steps: list[Tensor],
    foreach: bool | None = None,
    maximize: bool = False,
    differentiable: bool = False,
    capturable: bool = False,
    has_complex: bool = False,
    *,
    lr: float | Tensor,
    alpha: float,
    eps: float,
    weight_decay: float,
    momentum: float,
    centered: bool,
) -> None:
    """One step of `RMSprop` on ``params``, in place; recorded unless in `no_grad`.

    Args:
        params: parameters.
        grads: their gradients.
        square_avgs: their mean squares.
        grad_avgs: their mean gradients; read if ``centered``.
        momentum_buffer_list: their last steps; read with momentum.
        state_steps: their numbers of steps, as tensors.
        foreach, differentiable, capturable, has_complex: accepted for PyTorch's sake.
        maximize, lr, alpha, eps, weight_decay, momentum, centered: as for `RMSprop`.

    Raises:
        RuntimeError: a number of steps that is not a tensor.
    """
    count_steps(state_steps)
    _step(
        grads,
        (params, square_avgs, grad_avgs if centered else None, momentum_buffer_list if momentum > 0 else None),
        lr=as_scalar(lr),
        alpha=alpha,
        new=1 - alpha,
        eps=eps,
        weight_decay=weight_decay,
        momentum=momentum,
        decays=bool(weight_decay != 0),
        centered=bool(centered),
        remembers=bool(momentum > 0),
        maximize=bool(maximize),
    )


@Rule
def _step(
    g,
    theta,
    v,
    mean,
    b,
    *,
    lr,
    alpha,
    new,
    eps,
    weight_decay,
    momentum,
    decays,
    centered,
    remembers,
    maximize,
):
    if maximize:
        g = -g
    if decays:
        g = g + weight_decay * theta
    v = alpha * v + new * g * g
    if centered:
        mean = mean + new * (g - mean)
        spread = _.sqrt(v - mean * mean) + eps
    else:
        spread = _.sqrt(v) + eps
    step = g / spread
    if remembers:
        b = momentum * b + step
        step = b
    return theta - lr * step, v, mean, b
