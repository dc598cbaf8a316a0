"""Adam: steps scaled by running moments of the gradient."""

from __future__ import annotations

import numpy as np

from autograd.tensor import Tensor, count_write, wrap

from .blocks import update_in_blocks
from .optimizer import Group, Optimizer, Params, check_switches, scalar

__all__ = ["Adam"]


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
        betas: how much of the moments m and v is kept.
        eps: keeps the denominator away from zero.
        weight_decay: factor of a penalty on the squared length of the parameters.
        amsgrad: divide by the largest v so far. Reddi et al. (2018).
        foreach: accepted for PyTorch's sake.
        maximize: step along the gradient instead.
        capturable: accepted for PyTorch's sake.
        differentiable: only False.
        fused: accepted for PyTorch's sake.
        decoupled_weight_decay: shrink the parameters directly, as `AdamW` does.

    Raises:
        ValueError: a negative number, or betas outside [0, 1).

    >>> import autograd, nn, optim
    >>> w = nn.Parameter(autograd.tensor([1.0]))
    >>> optimizer = optim.Adam([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.data
    tensor([0.9000])
    """

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
        if not scalar("lr", lr) >= 0:
            raise ValueError(f"Invalid learning rate: {lr}")
        if not eps >= 0:
            raise ValueError(f"Invalid epsilon value: {eps}")
        beta1, beta2 = (scalar(f"betas[{i}]", beta) for i, beta in enumerate(betas))
        if not 0 <= beta1 < 1:
            raise ValueError(f"Invalid beta parameter at index 0: {beta1}")
        if not 0 <= beta2 < 1:
            raise ValueError(f"Invalid beta parameter at index 1: {beta2}")
        if not weight_decay >= 0:
            raise ValueError(f"Invalid weight_decay value: {weight_decay}")
        check_switches(foreach, fused, differentiable)
        defaults = {
            "lr": lr,
            "betas": (beta1, beta2),
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

    def update(self, param: Tensor, gradient: Tensor, group: Group) -> None:
        state = self.state[param]
        if not state:
            state["step"] = wrap(np.zeros((), np.float32))
            state["exp_avg"] = wrap(np.zeros_like(param._array))
            state["exp_avg_sq"] = wrap(np.zeros_like(param._array))
            if group["amsgrad"]:
                state["max_exp_avg_sq"] = wrap(np.zeros_like(param._array))
        state["step"]._array[...] += 1
        t, (beta1, beta2) = state["step"].item(), group["betas"]
        lr, decay = float(group["lr"]), float(group["weight_decay"])
        decoupled = group.get("decoupled_weight_decay", False)
        update_in_blocks(
            _step,
            gradient._array,
            (
                param._array,
                state["exp_avg"]._array,
                state["exp_avg_sq"]._array,
                state["max_exp_avg_sq"]._array if group["amsgrad"] else None,
            ),
            scratch=2,
            step_size=lr / (1 - beta1**t),
            correction2=(1 - beta2**t) ** 0.5,
            beta1=beta1,
            beta2=beta2,
            eps=group["eps"],
            shrink=1 - lr * decay if decoupled else 1.0,
            penalty=0.0 if decoupled else decay,
            maximize=group["maximize"],
        )
        count_write(param)


def _step(
    g: np.ndarray,
    theta: np.ndarray,
    m: np.ndarray,
    v: np.ndarray,
    largest: np.ndarray | None,
    s: np.ndarray,
    d: np.ndarray,
    *,
    step_size: float,
    correction2: float,
    beta1: float,
    beta2: float,
    eps: float,
    shrink: float,
    penalty: float,
    maximize: bool,
) -> None:
    """The formula, in place on ``theta`` and the moments; ``s`` and ``d`` hold intermediate values.

    ``step_size`` is lr / (1 - β₁ᵗ), ``correction2`` is √(1 - β₂ᵗ).
    """
    if maximize:
        g = np.negative(g, s)
    if shrink != 1:
        np.multiply(theta, shrink, theta)
    if penalty:
        g = np.add(g, np.multiply(theta, penalty, d), s)
    np.subtract(g, m, d)
    np.multiply(d, 1 - beta1, d)
    np.add(m, d, m)
    np.multiply(v, beta2, v)
    np.multiply(g, 1 - beta2, d)
    np.multiply(d, g, d)
    np.add(v, d, v)
    if largest is not None:
        v = np.maximum(largest, v, out=largest)
    np.sqrt(v, d)
    np.divide(d, correction2, d)
    np.add(d, eps, d)
    np.multiply(m, step_size, s)
    np.divide(s, d, d)
    np.subtract(theta, d, theta)
