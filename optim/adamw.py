"""Adam with weight decay that does not pass through the moments."""

from __future__ import annotations

from typing import Any

from autograd.tensor import Tensor

from .adam import Adam, adam
from .optimizer import Params

__all__ = ["AdamW", "adamw"]


class AdamW(Adam):
    r"""`Adam` on parameters that shrink by ``1 - lr · weight_decay`` before each step.

    Loshchilov and Hutter, "Decoupled weight decay regularization" (2019).

    Args:
        params: parameters, or groups of them, as for `Optimizer`.
        lr: length of a step, roughly, in each coordinate.
        betas: how much of the moments is kept.
        eps: keeps the denominator away from zero.
        weight_decay: rate of the shrinking.
        amsgrad: divide by the largest second moment so far.
        maximize: step along the gradient instead.
        foreach: accepted for PyTorch's sake.
        capturable: accepted for PyTorch's sake.
        differentiable: record the step, so that gradients pass through it.
        fused: accepted for PyTorch's sake.

    Raises:
        ValueError: a negative number, or betas outside [0, 1).

    >>> import autograd, nn, optim
    >>> w = nn.Parameter(autograd.tensor([1.0]))
    >>> optimizer = optim.AdamW([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.data
    tensor([0.8990])
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-3,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            foreach=foreach,
            maximize=maximize,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=True,
        )

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            group["decoupled_weight_decay"] = True  # also in what Adam has saved


def adamw(
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
    *,
    amsgrad: bool,
    beta1: float | Tensor,
    beta2: float | Tensor,
    lr: float | Tensor,
    weight_decay: float,
    eps: float,
    maximize: bool,
) -> None:
    """One step of `AdamW` on ``params``, in place: `adam` with ``decoupled_weight_decay``.

    Args:
        params, grads, exp_avgs, exp_avg_sqs, max_exp_avg_sqs, state_steps: lists, as for `adam`.
        foreach, capturable, differentiable, fused, has_complex: accepted for PyTorch's sake.
        grad_scale, found_inf: only None.
        amsgrad, beta1, beta2, lr, weight_decay, eps, maximize: as for `AdamW`.
    """
    adam(
        params,
        grads,
        exp_avgs,
        exp_avg_sqs,
        max_exp_avg_sqs,
        state_steps,
        grad_scale=grad_scale,
        found_inf=found_inf,
        decoupled_weight_decay=True,
        amsgrad=amsgrad,
        beta1=beta1,
        beta2=beta2,
        lr=lr,
        weight_decay=weight_decay,
        eps=eps,
        maximize=maximize,
    )
