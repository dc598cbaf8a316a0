"""Adamax: Adam with the largest gradient so far in the place of the second moment."""

from __future__ import annotations

from typing import Any

from autograd.rows.table import _
from autograd.tensor import Tensor

from .optimizer import (
    Group,
    Optimizer,
    Params,
    alike,
    as_scalar,
    check_at_least,
    check_betas,
    check_lr,
    columns,
    count_steps,
    counter,
    zeros_like,
)
from .rule import Rule

__all__ = ["Adamax", "adamax"]


class Adamax(Optimizer):
    r"""`Adam` by the infinity norm. Kingma and Ba (2015), section 7.1.

    .. math::
        m &\leftarrow \beta_1 m + (1 - \beta_1) g \\
        u &\leftarrow \max(\beta_2 u, |g| + \epsilon) \\
        \theta &\leftarrow \theta - \frac{\text{lr}}{1 - \beta_1^t} \cdot \frac{m}{u}

    Args:
        params: parameters, or groups of them, as for `Optimizer`.
        lr: length of a step.
        betas: how much of the moments is kept.
        eps: keeps the denominator away from zero.
        weight_decay: factor of a penalty on the squared length of the parameters.
        foreach: accepted for PyTorch's sake.
        maximize: step along the gradient instead.
        differentiable: record the step, so that gradients pass through it.
        capturable: accepted for PyTorch's sake.

    Raises:
        ValueError: a negative number, or betas outside [0, 1).

    >>> import autograd, nn, optim
    >>> w = nn.Parameter(autograd.tensor([1.0]))
    >>> optimizer = optim.Adamax([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.data
    tensor([0.9000])
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        check_lr(lr)
        check_at_least(0, "Invalid epsilon value", eps)
        check_betas(betas)
        check_at_least(0, "Invalid weight_decay value", weight_decay)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def new_state(self, param: Tensor, group: Group) -> dict[str, Any]:
        return {"step": counter(), "exp_avg": zeros_like(param), "exp_inf": zeros_like(param)}

    def update(self, params: list[Tensor], gradients: list[Any], group: Group) -> None:
        exp_avgs, exp_infs, state_steps = columns(self._states(params, group), "exp_avg", "exp_inf", "step")
        adamax(
            params,
            gradients,
            exp_avgs,
            exp_infs,
            state_steps,
            eps=group["eps"],
            beta1=group["betas"][0],
            beta2=group["betas"][1],
            lr=group["lr"],
            weight_decay=group["weight_decay"],
            maximize=group["maximize"],
        )


def adamax(
    params: list[Tensor],
    grads: list[Tensor],
    exp_avgs: list[Tensor],
    exp_infs: list[Tensor],
    state_steps: list[Tensor],
    foreach: bool | None = None,
    maximize: bool = False,
    differentiable: bool = False,
    capturable: bool = False,
    has_complex: bool = False,
    *,
    eps: float,
    beta1: float,
    beta2: float,
    lr: float | Tensor,
    weight_decay: float,
) -> None:
    """One step of `Adamax` on ``params``, in place; recorded unless in `no_grad`.

    Args:
        params: parameters.
        grads: their gradients.
        exp_avgs, exp_infs: their moments m and largest gradients u.
        state_steps: their numbers of steps, as tensors.
        foreach, differentiable, capturable, has_complex: accepted for PyTorch's sake.
        maximize, eps, beta1, beta2, lr, weight_decay: as for `Adamax`.

    Raises:
        RuntimeError: a number of steps that is not a tensor.
    """
    lr = as_scalar(lr)
    for t, (given, *written) in alike(count_steps(state_steps), grads, params, exp_avgs, exp_infs):
        _step(
            given,
            written,
            step_size=lr / (1 - beta1**t),
            new1=1 - beta1,
            kept2=beta2,
            eps=eps,
            weight_decay=weight_decay,
            decays=bool(weight_decay != 0),
            maximize=bool(maximize),
        )


@Rule
def _step(g, theta, m, u, *, step_size, new1, kept2, eps, weight_decay, decays, maximize):
    if maximize:
        g = -g
    if decays:
        g = g + weight_decay * theta
    m = m + new1 * (g - m)
    u = _.maximum(kept2 * u, _.abs(g) + eps)
    return theta - step_size * m / u, m, u
