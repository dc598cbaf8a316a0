"""NAdam: Adam with Nesterov momentum."""

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
    overwrite,
    require_counters,
    zeros_like,
)
from .rule import Rule

__all__ = ["NAdam", "nadam"]


class NAdam(Optimizer):
    r"""`Adam` that looks ahead along its momentum. Dozat, "Incorporating Nesterov momentum into Adam" (2016).

    .. math::
        \mu_t &= \beta_1 (1 - 0.96^{t \psi} / 2) \\
        \hat m &= \frac{\mu_{t+1} m}{1 - \prod_{i=1}^{t+1} \mu_i} + \frac{(1 - \mu_t) g}{1 - \prod_{i=1}^t \mu_i} \\
        \theta &\leftarrow \theta - \text{lr} \cdot \hat m / (\sqrt{v / (1 - \beta_2^t)} + \epsilon)

    with m and v of `Adam`, and ψ the ``momentum_decay``.

    Args:
        params: parameters, or groups of them, as for `Optimizer`.
        lr: length of a step.
        betas: how much of the moments is kept.
        eps: keeps the denominator away from zero.
        weight_decay: factor of a penalty on the squared length of the parameters.
        momentum_decay: how fast the momentum warms up.
        decoupled_weight_decay: shrink the parameters directly, as `AdamW` does.
        foreach: accepted for PyTorch's sake.
        maximize: step along the gradient instead.
        capturable: accepted for PyTorch's sake.
        differentiable: record the step, so that gradients pass through it.

    Raises:
        ValueError: a negative number, or betas outside [0, 1).

    >>> import autograd, nn, optim
    >>> w = nn.Parameter(autograd.tensor([1.0]))
    >>> optimizer = optim.NAdam([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.data
    tensor([0.8944])
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
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
        check_at_least(0, "Invalid momentum_decay value", momentum_decay)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def new_state(self, param: Tensor, group: Group) -> dict[str, Any]:
        moments = {"exp_avg": zeros_like(param), "exp_avg_sq": zeros_like(param)}
        return {"step": counter(), "mu_product": counter(1.0), **moments}

    def update(self, params: list[Tensor], gradients: list[Any], group: Group) -> None:
        exp_avgs, exp_avg_sqs, mu_products, state_steps = columns(
            self._states(params, group), "exp_avg", "exp_avg_sq", "mu_product", "step"
        )
        nadam(
            params,
            gradients,
            exp_avgs,
            exp_avg_sqs,
            mu_products,
            state_steps,
            beta1=group["betas"][0],
            beta2=group["betas"][1],
            lr=group["lr"],
            weight_decay=group["weight_decay"],
            momentum_decay=group["momentum_decay"],
            eps=group["eps"],
            maximize=group["maximize"],
            decoupled_weight_decay=group["decoupled_weight_decay"],
        )


def nadam(
    params: list[Tensor],
    grads: list[Tensor],
    exp_avgs: list[Tensor],
    exp_avg_sqs: list[Tensor],
    mu_products: list[Tensor],
    state_steps: list[Tensor],
    decoupled_weight_decay: bool = False,
    foreach: bool | None = None,
    capturable: bool = False,
    differentiable: bool = False,
    has_complex: bool = False,
    maximize: bool = False,
    *,
    beta1: float,
    beta2: float,
    lr: float | Tensor,
    weight_decay: float,
    momentum_decay: float,
    eps: float,
) -> None:
    """One step of `NAdam` on ``params``, in place; recorded unless in `no_grad`.

    Args:
        params: parameters.
        grads: their gradients.
        exp_avgs, exp_avg_sqs: their moments.
        mu_products: their products of all μ so far, as tensors.
        state_steps: their numbers of steps, as tensors.
        foreach, capturable, differentiable, has_complex: accepted for PyTorch's sake.
        decoupled_weight_decay, maximize, beta1, beta2, lr, weight_decay, momentum_decay, eps: as for `NAdam`.

    Raises:
        RuntimeError: a number of steps that is not a tensor.
    """
    require_counters(state_steps, mu_products)

    def weight(t: float) -> float:
        return beta1 * (1 - 0.5 * 0.96 ** (t * momentum_decay))

    lr, counts = as_scalar(lr), count_steps(state_steps)
    keys = [(t, overwrite(product, product.item() * weight(t))) for t, product in zip(counts, mu_products, strict=True)]
    for (t, product), (given, *written) in alike(keys, grads, params, exp_avgs, exp_avg_sqs):
        mu, mu_next = weight(t), weight(t + 1)
        _step(
            given,
            written,
            along_g=lr * (1 - mu) / (1 - product),
            along_m=lr * mu_next / (1 - product * mu_next),
            correction2=1 - beta2**t,
            new1=1 - beta1,
            kept2=beta2,
            new2=1 - beta2,
            eps=eps,
            weight_decay=weight_decay,
            shrink=1 - lr * weight_decay,
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
    along_g,
    along_m,
    correction2,
    new1,
    kept2,
    new2,
    eps,
    weight_decay,
    shrink,
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
    spread = _.sqrt(v / correction2) + eps
    return theta - along_g * g / spread - along_m * m / spread, m, v
