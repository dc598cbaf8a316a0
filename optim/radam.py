"""RAdam: Adam whose first steps do without the second moment."""

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

__all__ = ["RAdam", "radam"]


class RAdam(Optimizer):
    r"""`Adam` that waits until its second moment can be trusted.

    Liu et al., "On the variance of the adaptive learning rate and beyond" (2020). With
    :math:`\rho_\infty = 2 / (1 - \beta_2) - 1` and :math:`\rho_t = \rho_\infty - 2 t \beta_2^t / (1 - \beta_2^t)`:

    .. math::
        \theta \leftarrow \theta - \text{lr} \frac{m}{1 - \beta_1^t} \cdot \begin{cases}
            \sqrt{\frac{(\rho_t - 4)(\rho_t - 2) \rho_\infty}{(\rho_\infty - 4)(\rho_\infty - 2) \rho_t}}
            \frac{\sqrt{1 - \beta_2^t}}{\sqrt v + \epsilon} & \rho_t > 5 \\
            1 & \text{otherwise} \end{cases}

    Args:
        params: parameters, or groups of them, as for `Optimizer`.
        lr: length of a step.
        betas: how much of the moments is kept.
        eps: keeps the denominator away from zero.
        weight_decay: factor of a penalty on the squared length of the parameters.
        decoupled_weight_decay: shrink the parameters directly, as `AdamW` does.
        foreach: accepted for PyTorch's sake.
        maximize: step along the gradient instead.
        capturable: accepted for PyTorch's sake.
        differentiable: record the step, so that gradients pass through it.

    Raises:
        ValueError: a negative number, or betas outside [0, 1).

    >>> import autograd, nn, optim
    >>> w = nn.Parameter(autograd.tensor([1.0]))
    >>> optimizer = optim.RAdam([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.data
    tensor([0.8000])
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
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
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "decoupled_weight_decay": decoupled_weight_decay,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def new_state(self, param: Tensor, group: Group) -> dict[str, Any]:
        return {"step": counter(), "exp_avg": zeros_like(param), "exp_avg_sq": zeros_like(param)}

    def update(self, params: list[Tensor], gradients: list[Any], group: Group) -> None:
        exp_avgs, exp_avg_sqs, state_steps = columns(self._states(params, group), "exp_avg", "exp_avg_sq", "step")
        radam(
            params,
            gradients,
            exp_avgs,
            exp_avg_sqs,
            state_steps,
            beta1=group["betas"][0],
            beta2=group["betas"][1],
            lr=group["lr"],
            weight_decay=group["weight_decay"],
            eps=group["eps"],
            maximize=group["maximize"],
            decoupled_weight_decay=group["decoupled_weight_decay"],
        )


def radam(
    params: list[Tensor],
    grads: list[Tensor],
    exp_avgs: list[Tensor],
    exp_avg_sqs: list[Tensor],
    state_steps: list[Tensor],
    decoupled_weight_decay: bool = False,
    foreach: bool | None = None,
    differentiable: bool = False,
    capturable: bool = False,
    has_complex: bool = False,
    maximize: bool = False,
    *,
    beta1: float,
    beta2: float,
    lr: float | Tensor,
    weight_decay: float,
    eps: float,
) -> None:
    """One step of `RAdam` on ``params``, in place; recorded unless in `no_grad`.

    Args:
        params: parameters.
        grads: their gradients.
        exp_avgs, exp_avg_sqs: their moments.
        state_steps: their numbers of steps, as tensors.
        foreach, differentiable, capturable, has_complex: accepted for PyTorch's sake.
        decoupled_weight_decay, maximize, beta1, beta2, lr, weight_decay, eps: as for `RAdam`.

    Raises:
        RuntimeError: a number of steps that is not a tensor.
    """
    lr, longest = as_scalar(lr), 2 / (1 - beta2) - 1
    for t, (given, *written) in alike(count_steps(state_steps), grads, params, exp_avgs, exp_avg_sqs):
        rho = longest - 2 * t * beta2**t / (1 - beta2**t)
        rectified, scale = rho > 5, 1.0
        if rectified:
            variance = (rho - 4) * (rho - 2) * longest / ((longest - 4) * (longest - 2) * rho)
            scale = (variance * (1 - beta2**t)) ** 0.5
        _step(
            given,
            written,
            step_size=lr * scale / (1 - beta1**t),
            new1=1 - beta1,
            kept2=beta2,
            new2=1 - beta2,
            eps=eps,
            weight_decay=weight_decay,
            shrink=1 - lr * weight_decay,
            rectified=rectified,
            decays=bool(weight_decay != 0),
            decoupled=bool(decoupled_weight_decay),
            maximize=bool(maximize),
        )


@Rule
def _step(
    g,
    theta,
    m,
    v,
    *,
    step_size,
    new1,
    kept2,
    new2,
    eps,
    weight_decay,
    shrink,
    rectified,
    decays,
    decoupled,
    maximize,
):
    if maximize:
        g = -g
    if decays:
        if decoupled:
            theta = theta * shrink
        else:
            g = g + weight_decay * theta
    m = m + new1 * (g - m)
    v = kept2 * v + new2 * g * g
    step = step_size * m
    if rectified:
        step = step / (_.sqrt(v) + eps)
    return theta - step, m, v
