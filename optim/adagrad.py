"""Adagrad: steps divided by the root of the sum of all squared gradients."""

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
    check_lr,
    check_switches,
    columns,
    count_steps,
    counter,
    full_like,
    refuse_scaled,
)
from .rule import Rule
from .sparse import add_at, values_at

__all__ = ["Adagrad", "adagrad"]


class Adagrad(Optimizer):
    r"""Steps that become shorter where gradients have been large.

    Duchi, Hazan and Singer, "Adaptive subgradient methods for online learning and stochastic optimization" (2011).

    .. math::
        s &\leftarrow s + g^2 \\
        \theta &\leftarrow \theta - \frac{\text{lr}}{1 + (t - 1) \cdot \text{lr\_decay}}
            \cdot \frac{g}{\sqrt s + \epsilon}

    It is the decay lr / √t divided by the root mean square of all gradients: the two factors √t cancel.

    Args:
        params: parameters, or groups of them, as for `Optimizer`.
        lr: length of the first step.
        lr_decay: rate at which steps become shorter in addition.
        weight_decay: factor of a penalty on the squared length of the parameters.
        initial_accumulator_value: the sum s before the first step.
        eps: keeps the denominator away from zero.
        foreach: accepted for PyTorch's sake.
        maximize: step along the gradient instead.
        differentiable: record the step, so that gradients pass through it.
        fused: accepted for PyTorch's sake.

    Raises:
        ValueError: a negative number.

    >>> import autograd, nn, optim
    >>> w = nn.Parameter(autograd.tensor([1.0]))
    >>> optimizer = optim.Adagrad([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.data
    tensor([0.9000])
    """

    _sparse_gradients = True

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_lr(lr)
        check_at_least(0, "Invalid lr_decay value", lr_decay)
        check_at_least(0, "Invalid weight_decay value", weight_decay)
        check_at_least(0, "Invalid initial_accumulator_value value", initial_accumulator_value)
        check_at_least(0, "Invalid epsilon value", eps)
        check_switches(foreach, fused, differentiable)
        defaults = {
            "lr": lr,
            "lr_decay": lr_decay,
            "eps": eps,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)
        for group in self.param_groups:
            self._states(group["params"], group)

    def new_state(self, param: Tensor, group: Group) -> dict[str, Any]:
        first = group["initial_accumulator_value"]
        first = complex(first, first) if param.is_complex() else first
        return {"step": counter(0, group), "sum": full_like(param, first)}

    def share_memory(self) -> None:
        """Moves the sums into memory that other processes see."""
        for group in self.param_groups:
            for state in self._states(group["params"], group):
                state["sum"].share_memory_()

    def update(self, params: list[Tensor], gradients: list[Any], group: Group) -> None:
        state_sums, state_steps = columns(self._states(params, group), "sum", "step")
        adagrad(
            params,
            gradients,
            state_sums,
            state_steps,
            lr=group["lr"],
            weight_decay=group["weight_decay"],
            lr_decay=group["lr_decay"],
            eps=group["eps"],
            maximize=group["maximize"],
        )


def adagrad(
    params: list[Tensor],
    grads: list[Any],
    state_sums: list[Tensor],
    state_steps: list[Tensor],
    fused: bool | None = None,
    grad_scale: Tensor | None = None,
    found_inf: Tensor | None = None,
    has_sparse_grad: bool = False,
    foreach: bool | None = None,
    differentiable: bool = False,
    has_complex: bool = False,
    *,
    lr: float | Tensor,
    weight_decay: float,
    lr_decay: float,
    eps: float,
    maximize: bool,
) -> None:
    """One step of `Adagrad` on ``params``, in place; recorded unless in `no_grad`.

    Args:
        params: parameters.
        grads: their gradients, which may be sparse.
        state_sums: their sums of squared gradients.
        state_steps: their numbers of steps, as tensors.
        fused, has_sparse_grad, foreach, differentiable, has_complex: accepted for PyTorch's sake.
        grad_scale, found_inf: only None.
        lr, weight_decay, lr_decay, eps, maximize: as for `Adagrad`.

    Raises:
        RuntimeError: a number of steps that is not a tensor, or weight decay with a sparse gradient.
    """
    refuse_scaled(grad_scale, found_inf)
    sparse = [gradient.is_sparse for gradient in grads]
    if weight_decay != 0 and any(sparse):
        raise RuntimeError("weight_decay option is not compatible with sparse gradients")
    lr, keys = as_scalar(lr), list(zip(count_steps(state_steps), sparse, strict=True))
    for (t, is_sparse), (given, *written) in alike(keys, grads, params, state_sums):
        length = lr / (1 + (t - 1) * lr_decay)
        if is_sparse:
            for gradient, param, total in zip(given, *written, strict=True):
                gradient = gradient.coalesce()
                values = -gradient._values() if maximize else gradient._values()
                add_at(total, gradient, values * values)
                add_at(param, gradient, values * -length / (values_at(total, gradient).sqrt() + eps))
            continue
        _step(
            given,
            written,
            length=length,
            eps=eps,
            weight_decay=weight_decay,
            decays=bool(weight_decay != 0),
            maximize=bool(maximize),
        )


@Rule
def _step(g, theta, s, *, length, eps, weight_decay, decays, maximize):
    if maximize:
        g = -g
    if decays:
        g = g + weight_decay * theta
    s = s + g * g
    return theta - length * g / (_.sqrt(s) + eps), s
