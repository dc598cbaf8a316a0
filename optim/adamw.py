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
    *switches: Any,
    **options: Any,
) -> None:
    """One step of `AdamW` on ``params``, in place: `adam` with ``decoupled_weight_decay``.

    Args:
        params, grads, exp_avgs, exp_avg_sqs, max_exp_avg_sqs, state_steps: lists, as for `adam`.
        switches, options: further arguments of `adam`.
    """
    moments = exp_avgs, exp_avg_sqs, max_exp_avg_sqs
    adam(params, grads, *moments, state_steps, *switches, **options, decoupled_weight_decay=True)
