"""Adam: steps scaled by running moments of the gradient."""

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
    check_switches,
    columns,
    count_steps,
    counter,
    refuse_scaled,
    zeros_like,
)
from .rule import Rule

__all__ = ["Adam", "adam"]


class Adam(Optimizer):
    r"""Adaptive moment estimation. Kingma and Ba (2015).

    .. math::
        m &\leftarrow \beta_1 m + (1 - \beta_1) g \\
        v &\leftarrow \beta_2 v + (1 - \beta_2) g^2 \\
        \theta &\leftarrow \theta - \text{lr} \cdot
            \frac{m / (1 - \beta_1^t)}{\sqrt{v / (1 - \beta_2^t)} + \epsilon}

    Args:
        params: parameters, or groups of them, as for `Optimizer`.
        lr: length of a step, roughly, in each coordinate.
        betas: how much of the moments m and v is kept; two floats or two tensors.
        eps: keeps the denominator away from zero.
        weight_decay: factor of a penalty on the squared length of the parameters.
        amsgrad: divide by the largest v so far. Reddi et al. (2018).
        foreach: accepted for PyTorch's sake.
        maximize: step along the gradient instead.
        capturable: accepted for PyTorch's sake.
        differentiable: record the step, so that gradients pass through it.
        fused: accepted for PyTorch's sake.
        decoupled_weight_decay: shrink the parameters directly, as `AdamW` does.

    Raises:
        ValueError: a negative number, or betas outside [0, 1) or of two types.

    >>> import autograd, nn, optim
    >>> w = nn.Parameter(autograd.tensor([1.0]))
    >>> optimizer = optim.Adam([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.data
    tensor([0.9000])
    """

    _no_sparse_advice = ", please consider SparseAdam instead"

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-3,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        for name, value in (("lr", lr), ("betas[0]", betas[0]), ("betas[1]", betas[1])):
            if isinstance(value, Tensor):
                if foreach and not capturable:
                    raise ValueError(f"{name} as a Tensor is not supported for capturable=False and foreach=True")
                if value.numel() != 1:
                    raise ValueError(f"Tensor {name} must be 1-element")
        check_lr(lr)
        check_at_least(0, "Invalid epsilon value", eps)
        check_betas(betas)
        check_at_least(0, "Invalid weight_decay value", weight_decay)
        if not any(isinstance(betas[0], kind) and isinstance(betas[1], kind) for kind in (float, Tensor)):
            raise ValueError("betas must be either both floats or both Tensors")
        check_switches(foreach, fused, differentiable)
        defaults = {
            "lr": lr,
            "betas": tuple(map(as_scalar, betas)),
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
            "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults)

    def new_state(self, param: Tensor, group: Group) -> dict[str, Any]:
        state = {"step": counter(0, group), "exp_avg": zeros_like(param), "exp_avg_sq": zeros_like(param)}
        return {**state, "max_exp_avg_sq": zeros_like(param)} if group["amsgrad"] else state

    def update(self, params: list[Tensor], gradients: list[Any], group: Group) -> None:
        states = self._states(params, group)
        if group["differentiable"] and any(state["step"].requires_grad for state in states):
            raise RuntimeError("`requires_grad` is not supported for `step` in differentiable mode")
        exp_avgs, exp_avg_sqs, max_exp_avg_sqs, state_steps = columns(
            states, "exp_avg", "exp_avg_sq", "max_exp_avg_sq", "step"
        )
        adam(
            params,
            gradients,
            exp_avgs,
            exp_avg_sqs,
            max_exp_avg_sqs,
            state_steps,
            amsgrad=group["amsgrad"],
            beta1=group["betas"][0],
            beta2=group["betas"][1],
            lr=group["lr"],
            weight_decay=group["weight_decay"],
            eps=group["eps"],
            maximize=group["maximize"],
            decoupled_weight_decay=group["decoupled_weight_decay"],
        )


def adam(
    params: list[Tensor],
    grads: list[Tensor],
    exp_avgs: list[Tensor],
    exp_avg_sqs: list[Tensor],
    max_exp_avg_sqs: list[Tensor],
    state_steps: list[Tensor],
    foreach: bool | None = None,
    capturable: bool = False,
    differentiable: bool = False,
    fused: bool | None = None,
    grad_scale: Tensor | None = None,
    found_inf: Tensor | None = None,
    has_complex: bool = False,
    decoupled_weight_decay: bool = False,
    *,
    amsgrad: bool,
    beta1: float | Tensor,
    beta2: float | Tensor,
    lr: float | Tensor,
    weight_decay: float,
    eps: float,
    maximize: bool,
) -> None:
    """One step of `Adam` on ``params``, in place; recorded unless in `no_grad`.

    Args:
        params: parameters.
        grads: their gradients.
        exp_avgs, exp_avg_sqs: their moments.
        max_exp_avg_sqs: their largest second moments; read with ``amsgrad`` only.
        state_steps: their numbers of steps, as tensors.
        foreach, capturable, differentiable, fused, has_complex: accepted for PyTorch's sake.
        grad_scale, found_inf: only None.
        decoupled_weight_decay, amsgrad, beta1, beta2, lr, weight_decay, eps, maximize: as for `Adam`.

    Raises:
        RuntimeError: a number of steps that is not a tensor.
    """
    refuse_scaled(grad_scale, found_inf)
    lr, beta1, beta2 = as_scalar(lr), as_scalar(beta1), as_scalar(beta2)
    largest = max_exp_avg_sqs if amsgrad else None
    for t, (given, *written) in alike(count_steps(state_steps), grads, params, exp_avgs, exp_avg_sqs, largest):
        _step(
            given,
            written,
            step_size=lr / (1 - beta1**t),
            correction2=(1 - beta2**t) ** 0.5,
            new1=1 - beta1,
            kept2=beta2,
            new2=1 - beta2,
            eps=eps,
            weight_decay=weight_decay,
            shrink=1 - lr * weight_decay,
            decays=bool(weight_decay != 0),
            decoupled=bool(decoupled_weight_decay),
            amsgrad=bool(amsgrad),
            maximize=bool(maximize),
        )


@Rule
def _step(
    g,
    theta,
    m,
    v,
    largest,
    *,
    step_size,
    correction2,
    new1,
    kept2,
    new2,
    eps,
    weight_decay,
    shrink,
    decays,
    decoupled,
    amsgrad,
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
    if amsgrad:
        largest = _.maximum(largest, v)
        spread = _.sqrt(largest)
    else:
        spread = _.sqrt(v)
    return theta - step_size * m / (spread / correction2 + eps), m, v, largest
