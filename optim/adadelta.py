"""Adadelta: steps as long as the last ones, in proportion to the gradients."""

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

__all__ = ["Adadelta", "adadelta"]


class Adadelta(Optimizer):
    r"""Steps whose length follows from the squares of earlier steps. Zeiler (2012).

    .. math::
        v &\leftarrow \rho v + (1 - \rho) g^2 \\
        \Delta &= g \sqrt{u + \epsilon} / \sqrt{v + \epsilon} \\
        u &\leftarrow \rho u + (1 - \rho) \Delta^2 \\
        \theta &\leftarrow \theta - \text{lr} \cdot \Delta

    Args:
        params: parameters, or groups of them, as for `Optimizer`.
        lr: factor of the steps.
        rho: how much of the running means u and v is kept.
        eps: keeps the first steps from being zero.
        weight_decay: factor of a penalty on the squared length of the parameters.
        foreach: accepted for PyTorch's sake.
        capturable: accepted for PyTorch's sake.
        maximize: step along the gradient instead.
        differentiable: record the step, so that gradients pass through it.

    Raises:
        ValueError: a negative number, or rho above 1.

    >>> import autograd, nn, optim
    >>> w = nn.Parameter(autograd.tensor([1.0]))
    >>> optimizer = optim.Adadelta([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.data
    tensor([0.9997])
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_lr(lr)
        if not 0 <= rho <= 1:
            raise ValueError(f"Invalid rho value: {rho}")
        check_at_least(0, "Invalid epsilon value", eps)
        check_at_least(0, "Invalid weight_decay value", weight_decay)
        defaults = {
            "lr": lr,
            "rho": rho,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "capturable": capturable,
            "foreach": foreach,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def new_state(self, param: Tensor, group: Group) -> dict[str, Any]:
        return {"step": counter(), "square_avg": zeros_like(param), "acc_delta": zeros_like(param)}

    def update(self, params: list[Tensor], gradients: list[Any], group: Group) -> None:
        square_avgs, acc_deltas, state_steps = columns(self._states(params, group), "square_avg", "acc_delta", "step")
        adadelta(
            params,
            gradients,
            square_avgs,
            acc_deltas,
            state_steps,
            lr=group["lr"],
            rho=group["rho"],
            eps=group["eps"],
            weight_decay=group["weight_decay"],
            maximize=group["maximize"],
        )


def adadelta(
    params: list[Tensor],
    grads: list[Tensor],
    square_avgs: list[Tensor],
    acc_deltas: list[Tensor],
    state_steps: list[Tensor],
    capturable: bool = False,
    foreach: bool | None = None,
    differentiable: bool = False,
    has_complex: bool = False,
    *,
    lr: float | Tensor,
    rho: float,
    eps: float,
    weight_decay: float,
    maximize: bool,
) -> None:
    """One step of `Adadelta` on ``params``, in place; recorded unless in `no_grad`.

    Args:
        params: parameters.
        grads: their gradients.
        square_avgs, acc_deltas: their running means v and u.
        state_steps: their numbers of steps, as tensors.
        capturable, foreach, differentiable, has_complex: accepted for PyTorch's sake.
        lr, rho, eps, weight_decay, maximize: as for `Adadelta`.

    Raises:
        RuntimeError: a number of steps that is not a tensor.
    """
    count_steps(state_steps)
    _step(
        grads,
        (params, square_avgs, acc_deltas),
        lr=as_scalar(lr),
        rho=rho,
        new=1 - rho,
        eps=eps,
        weight_decay=weight_decay,
        decays=bool(weight_decay != 0),
        maximize=bool(maximize),
    )


@Rule
def _step(g, theta, v, u, *, lr, rho, new, eps, weight_decay, decays, maximize):
    if maximize:
        g = -g
    if decays:
        g = g + weight_decay * theta
    v = rho * v + new * g * g
    delta = _.sqrt(u + eps) / _.sqrt(v + eps) * g
    u = rho * u + new * delta * delta
    return theta - lr * delta, v, u
