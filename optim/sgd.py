"""Stochastic gradient descent, with momentum."""

from __future__ import annotations

from typing import Any

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
    refuse_scaled,
    zeros_like,
)
from .rule import Rule
from .sparse import add_at

__all__ = ["SGD", "sgd"]


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
        differentiable: record the step, so that gradients pass through it.
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

    _sparse_gradients = True

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float | Tensor = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_lr(lr)
        check_at_least(0, "Invalid momentum value", momentum)
        check_at_least(0, "Invalid weight_decay value", weight_decay)
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

    def update(self, params: list[Tensor], gradients: list[Any], group: Group) -> None:
        states = [self.state[param] for param in params] if group["momentum"] != 0 else []
        buffers = [state.get("momentum_buffer") for state in states]
        is_first = [buffer is None for buffer in buffers]
        sgd(
            params,
            gradients,
            buffers,
            weight_decay=group["weight_decay"],
            momentum=group["momentum"],
            lr=group["lr"],
            dampening=group["dampening"],
            nesterov=group["nesterov"],
            maximize=group["maximize"],
        )
        if True in is_first:
            for state, buffer in zip(states, buffers, strict=True):
                state["momentum_buffer"] = buffer


USUAL = (False, False)  # a gradient that is not sparse, and not the first


def sgd(
    params: list[Tensor],
    d_p_list: list[Any],
    momentum_buffer_list: list[Tensor | None],
    has_sparse_grad: bool = False,
    foreach: bool | None = None,
    fused: bool | None = None,
    grad_scale: Tensor | None = None,
    found_inf: Tensor | None = None,
    *,
    weight_decay: float | Tensor,
    momentum: float,
    lr: float | Tensor,
    dampening: float,
    nesterov: bool,
    maximize: bool,
) -> None:
    """One step of `SGD` on ``params``, in place.

    Args:
        params: parameters.
        d_p_list: their gradients.
        momentum_buffer_list: their momentum, None before the first step; written to. Not read without momentum.
        has_sparse_grad: accepted for PyTorch's sake, as are ``foreach`` and ``fused``.
        grad_scale, found_inf: only None.
        weight_decay, momentum, lr, dampening, nesterov, maximize: as for `SGD`.
    """
    refuse_scaled(grad_scale, found_inf)
    lr, remembers = as_scalar(lr), bool(momentum != 0)
    buffers = momentum_buffer_list if remembers else None
    kinds = [(g.is_sparse, b is None) for g, b in zip(d_p_list, buffers or d_p_list, strict=True)]
    runs: Any = [(USUAL, [d_p_list, params, buffers])]
    if kinds.count(USUAL) < len(kinds):
        if weight_decay != 0 and any(is_sparse for is_sparse, _ in kinds):
            raise RuntimeError("weight_decay is not available for sparse gradients")
        for i, (_, is_first) in enumerate(kinds):
            if is_first:
                momentum_buffer_list[i] = zeros_like(params[i])
        runs = alike(kinds, d_p_list, params, buffers)
    for (is_sparse, is_first), (gradients, *written) in runs:
        if is_sparse and not remembers:
            for param, gradient in zip(written[0], gradients, strict=True):
                add_at(param, gradient, gradient.coalesce()._values() * (float(lr) if maximize else -float(lr)))
            continue
        _step(
            [gradient.to_dense() for gradient in gradients] if is_sparse else gradients,
            written,
            lr=lr,
            momentum=momentum,
            # Zeros and no dampening make the first buffer the gradient itself.
            undamped=1 if is_first else 1 - dampening,
            damps=bool(not is_first and dampening != 0),
            weight_decay=weight_decay,
            decays=bool(weight_decay != 0),
            remembers=remembers,
            nesterov=bool(nesterov),
            maximize=bool(maximize),
        )


@Rule
def _step(g, theta, b, *, lr, momentum, undamped, weight_decay, damps, decays, remembers, nesterov, maximize):
    if maximize:
        g = -g
    if decays:
        g = g + weight_decay * theta
    if remembers:
        b = momentum * b + (undamped * g if damps else g)
        g = g + momentum * b if nesterov else b
    return theta - lr * g, b
