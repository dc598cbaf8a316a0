"""Averaged stochastic gradient descent."""

from __future__ import annotations

from typing import Any

from autograd.tensor import Tensor

from .optimizer import (
    Group,
    Optimizer,
    Params,
    alike,
    check_at_least,
    check_lr,
    columns,
    count_steps,
    counter,
    overwrite,
    zeros_like,
)
from .rule import Rule

__all__ = ["ASGD", "asgd"]


class ASGD(Optimizer):
    r"""Gradient descent with shrinking steps, and the mean of the parameters on the way.

    Polyak and Juditsky, "Acceleration of stochastic approximation by averaging" (1992).

    .. math::
        \theta &\leftarrow (1 - \lambda \eta) \theta - \eta g \\
        a &\leftarrow a + \mu (\theta - a) \\
        \eta &\leftarrow \text{lr} / (1 + \lambda \cdot \text{lr} \cdot t)^\alpha, \quad
        \mu \leftarrow 1 / \max(1, t - t_0)

    The mean a is kept as ``"ax"`` in the state.

    Args:
        params: parameters, or groups of them, as for `Optimizer`.
        lr: length of the first step.
        lambd: decay λ of the parameters and of the steps' length.
        alpha: power by which steps become shorter.
        t0: step from which on the mean is taken.
        weight_decay: factor of a penalty on the squared length of the parameters.
        foreach: accepted for PyTorch's sake.
        maximize: step along the gradient instead.
        differentiable: record the step, so that gradients pass through it.
        capturable: accepted for PyTorch's sake.

    Raises:
        ValueError: a negative learning rate or weight decay.

    >>> import autograd, nn, optim
    >>> w = nn.Parameter(autograd.tensor([1.0]))
    >>> optimizer = optim.ASGD([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.data
    tensor([0.8000])
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        check_lr(lr)
        check_at_least(0, "Invalid weight_decay value", weight_decay)
        defaults = {
            "lr": lr,
            "lambd": lambd,
            "alpha": alpha,
            "t0": t0,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def new_state(self, param: Tensor, group: Group) -> dict[str, Any]:
        eta, mu = counter(float(group["lr"])), counter(1.0)
        return {"step": counter(), "eta": eta, "mu": mu, "ax": zeros_like(param)}

    def update(self, params: list[Tensor], gradients: list[Any], group: Group) -> None:
        axs, mus, etas, state_steps = columns(self._states(params, group), "ax", "mu", "eta", "step")
        asgd(
            params,
            gradients,
            axs,
            mus,
            etas,
            state_steps,
            lambd=group["lambd"],
            lr=group["lr"],
            t0=group["t0"],
            alpha=group["alpha"],
            weight_decay=group["weight_decay"],
            maximize=group["maximize"],
        )


def asgd(
    params: list[Tensor],
    grads: list[Tensor],
    axs: list[Tensor],
    mus: list[Tensor],
    etas: list[Tensor],
    state_steps: list[Tensor],
    foreach: bool | None = None,
    maximize: bool = False,
    differentiable: bool = False,
    capturable: bool = False,
    has_complex: bool = False,
    *,
    lambd: float,
    lr: float | Tensor,
    t0: float,
    alpha: float,
    weight_decay: float,
) -> None:
    """One step of `ASGD` on ``params``, in place; recorded unless in `no_grad`.

    Args:
        params: parameters.
        grads: their gradients.
        axs: their means.
        mus, etas: the weight μ in the mean and the length η of the step, as tensors; written to.
        state_steps: their numbers of steps, as tensors.
        foreach, differentiable, capturable, has_complex: accepted for PyTorch's sake.
        maximize, lambd, lr, t0, alpha, weight_decay: as for `ASGD`.

    Raises:
        RuntimeError: a number of steps that is not a tensor.
    """
    lr, keys = float(lr), []
    for t, mu, eta in zip(count_steps(state_steps), mus, etas, strict=True):
        keys.append((mu.item(), eta.item()))
        overwrite(eta, lr / (1 + lambd * lr * t) ** alpha)
        overwrite(mu, 1 / max(1, t - t0))
    for (mu, eta), (given, *written) in alike(keys, grads, params, axs):
        _step(
            given,
            written,
            eta=eta,
            shrink=1 - lambd * eta,
            mu=mu,
            weight_decay=weight_decay,
            decays=bool(weight_decay != 0),
            averages=mu != 1,
            maximize=bool(maximize),
        )


@Rule
def _step(g, theta, a, *, eta, shrink, mu, weight_decay, decays, averages, maximize):
    if maximize:
        g = -g
    if decays:
        g = g + weight_decay * theta
    theta = theta * shrink - eta * g
    return theta, a + mu * (theta - a) if averages else theta
