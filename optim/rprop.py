"""Rprop: steps by the gradient's sign, each coordinate with a length of its own."""

from __future__ import annotations

from typing import Any

from autograd.rows.table import _
from autograd.tensor import Tensor

from .optimizer import (
    Group,
    Optimizer,
    Params,
    check_lr,
    columns,
    count_steps,
    counter,
    full_like,
    zeros_like,
)
from .rule import Rule

__all__ = ["Rprop", "rprop"]


class Rprop(Optimizer):
    r"""Resilient propagation. Riedmiller and Braun, "A direct adaptive method for faster backpropagation" (1993).

    The step of a coordinate grows by η₊ where its gradient keeps the sign, and shrinks by η₋ where the sign changes;
    there the coordinate rests once.

    .. math::
        s &\leftarrow \text{clip}(s \cdot \{\eta_+, 1, \eta_-\}, s_{min}, s_{max}), \quad
        \theta \leftarrow \theta - \text{sign}(g) \, s

    Args:
        params: parameters, or groups of them, as for `Optimizer`.
        lr: length of the first step.
        etas: η₋ and η₊.
        step_sizes: the shortest and the longest step.
        capturable: accepted for PyTorch's sake.
        foreach: accepted for PyTorch's sake.
        maximize: step along the gradient instead.
        differentiable: record the step, so that gradients pass through it.

    Raises:
        ValueError: a negative learning rate, or not η₋ < 1 < η₊.

    >>> import autograd, nn, optim
    >>> w = nn.Parameter(autograd.tensor([1.0]))
    >>> optimizer = optim.Rprop([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.data
    tensor([0.9000])
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_lr(lr)
        if not 0.0 < etas[0] < 1.0 < etas[1]:
            raise ValueError(f"Invalid eta values: {etas[0]}, {etas[1]}")
        defaults = {
            "lr": lr,
            "etas": etas,
            "step_sizes": step_sizes,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def new_state(self, param: Tensor, group: Group) -> dict[str, Any]:
        first: complex = float(group["lr"])
        first = complex(first, first) if param.is_complex() else first
        return {"step": counter(), "prev": zeros_like(param), "step_size": full_like(param, first)}

    def update(self, params: list[Tensor], gradients: list[Any], group: Group) -> None:
        prevs, step_sizes, state_steps = columns(self._states(params, group), "prev", "step_size", "step")
        rprop(
            params,
            gradients,
            prevs,
            step_sizes,
            state_steps,
            step_size_min=group["step_sizes"][0],
            step_size_max=group["step_sizes"][1],
            etaminus=group["etas"][0],
            etaplus=group["etas"][1],
            maximize=group["maximize"],
        )


def rprop(
    params: list[Tensor],
    grads: list[Tensor],
    prevs: list[Tensor],
    step_sizes: list[Tensor],
    state_steps: list[Tensor],
    foreach: bool | None = None,
    capturable: bool = False,
    maximize: bool = False,
    differentiable: bool = False,
    has_complex: bool = False,
    *,
    step_size_min: float,
    step_size_max: float,
    etaminus: float,
    etaplus: float,
) -> None:
    """One step of `Rprop` on ``params``, in place; recorded unless in `no_grad`.

    Args:
        params: parameters.
        grads: their gradients.
        prevs: their last gradients, 0 where the sign had changed.
        step_sizes: the length of the step of each element.
        state_steps: their numbers of steps, as tensors.
        foreach, capturable, differentiable, has_complex: accepted for PyTorch's sake.
        maximize, step_size_min, step_size_max, etaminus, etaplus: as for `Rprop`.

    Raises:
        RuntimeError: a number of steps that is not a tensor.
    """
    count_steps(state_steps)
    _step(
        grads,
        (params, prevs, step_sizes),
        shortest=step_size_min,
        longest=step_size_max,
        etaminus=etaminus,
        etaplus=etaplus,
        maximize=bool(maximize),
    )


@Rule
def _step(g, theta, previous, s, *, shortest, longest, etaminus, etaplus, maximize):
    if maximize:
        g = -g
    agreement = g * previous
    s = _.where(agreement > 0, s * etaplus, _.where(agreement < 0, s * etaminus, s))
    s = _.minimum(_.maximum(s, shortest), longest)
    g = _.where(agreement < 0, 0.0, g)
    return theta - _.sign(g) * s, g, s
