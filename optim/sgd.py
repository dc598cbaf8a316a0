"""Stochastic gradient descent, with momentum."""

from __future__ import annotations

import numpy as np

from autograd.tensor import Tensor, count_write, wrap

from .blocks import update_in_blocks
from .optimizer import Group, Optimizer, Params, check_switches, scalar

__all__ = ["SGD"]


class SGD(Optimizer):
    r"""Steps against the gradient: :math:`\theta \leftarrow \theta - \text{lr} \cdot b`.

    .. math::
        g &\leftarrow g + \text{weight\_decay} \cdot \theta \\
        b &\leftarrow \text{momentum} \cdot b + (1 - \text{dampening}) \cdot g

    Without momentum b = g; the first b is g. With ``nesterov`` the step is along g + momentum · b.
    Sutskever et al., "On the importance of initialization and momentum in deep learning" (2013).

    Args:
        params: parameters, or groups of them, as for `Optimizer`.
        lr: length of a step.
        momentum: share of the last step that is kept.
        dampening: takes this share from the gradient's part in the momentum.
        weight_decay: factor of a penalty on the squared length of the parameters.
        nesterov: look ahead along the momentum.
        maximize: step along the gradient instead.
        foreach: accepted for PyTorch's sake.
        differentiable: only False.
        fused: accepted for PyTorch's sake.

    Raises:
        ValueError: a negative number, or Nesterov momentum without momentum or with dampening.

    >>> import autograd, nn, optim
    >>> w = nn.Parameter(autograd.tensor([1.0]))
    >>> optimizer = optim.SGD([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.data
    tensor([0.8000])
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        if not scalar("lr", lr) >= 0:
            raise ValueError(f"Invalid learning rate: {lr}")
        if not momentum >= 0:
            raise ValueError(f"Invalid momentum value: {momentum}")
        if not weight_decay >= 0:
            raise ValueError(f"Invalid weight_decay value: {weight_decay}")
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        check_switches(foreach, fused, differentiable)
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)

    def update(self, param: Tensor, gradient: Tensor, group: Group) -> None:
        buffer, dampening = None, group["dampening"]
        if group["momentum"] != 0:
            state = self.state[param]
            if state.get("momentum_buffer") is None:
                # Zeros and no dampening make the first buffer the gradient itself.
                state["momentum_buffer"], dampening = wrap(np.zeros_like(param._array)), 0
            buffer = state["momentum_buffer"]._array
        update_in_blocks(
            _step,
            gradient._array,
            (param._array, buffer),
            scratch=2,
            lr=float(group["lr"]),
            momentum=group["momentum"],
            dampening=dampening,
            weight_decay=float(group["weight_decay"]),
            nesterov=group["nesterov"],
            maximize=group["maximize"],
        )
        count_write(param)


def _step(
    g: np.ndarray,
    theta: np.ndarray,
    b: np.ndarray | None,
    s: np.ndarray,
    t: np.ndarray,
    *,
    lr: float,
    momentum: float,
    dampening: float,
    weight_decay: float,
    nesterov: bool,
    maximize: bool,
) -> None:
    """The formula, in place on parameter ``theta`` and momentum ``b``; ``s`` and ``t`` hold intermediate values."""
    if maximize:
        g = np.negative(g, s)
    if weight_decay:
        g = np.add(g, np.multiply(theta, weight_decay, t), s)
    if b is not None:
        np.multiply(b, momentum, b)
        np.add(b, np.multiply(g, 1 - dampening, t), b)
        g = np.add(g, np.multiply(b, momentum, t), s) if nesterov else b
    np.subtract(theta, np.multiply(g, lr, t), theta)
