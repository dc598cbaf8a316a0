"""Adafactor: second moments of a matrix kept as one row and one column."""

from __future__ import annotations

from typing import Any

from autograd.kernels.halves import finfo
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
    refuse_scaled,
    zeros_like,
)

__all__ = ["Adafactor", "adafactor"]


class Adafactor(Optimizer):
    r"""Adaptive steps with little memory.

    Shazeer and Stern, "Adafactor: adaptive learning rates with sublinear memory cost" (2018). The second moment of a
    matrix is the product of its row means R and column means C over the mean of R:

    .. math::
        R &\leftarrow R + t^\kappa (\text{mean}_j g_{ij}^2 - R), \quad
        C \leftarrow C + t^\kappa (\text{mean}_i g_{ij}^2 - C) \\
        u &= g / \sqrt{\max(R C / \text{mean}(R), \epsilon_1^2)} \\
        \theta &\leftarrow \theta - \min(\text{lr}, 1 / \sqrt t) \cdot \max(\epsilon_2, \text{rms}(\theta))
            \cdot u / \max(1, \text{rms}(u) / d)

    Vectors keep the second moment of each element.

    Args:
        params: parameters, or groups of them, as for `Optimizer`.
        lr: largest length of a step, in proportion to the parameters.
        beta2_decay: the power κ by which the moments change less and less.
        eps: ε₁, of the parameter's dtype where it is None, and ε₂.
        d: a longer root mean square of the step is cut to this.
        weight_decay: rate at which the parameters shrink.
        foreach: accepted for PyTorch's sake.
        maximize: step along the gradient instead.

    Raises:
        ValueError: a number out of range.

    >>> import autograd, nn, optim
    >>> w = nn.Parameter(autograd.tensor([1.0]))
    >>> optimizer = optim.Adafactor([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.data
    tensor([0.9000])
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
    ) -> None:
        check_lr(lr, "Learning rate should be >= 0 but is")
        if not beta2_decay <= 0:
            raise ValueError(f"beta2_decay should be <= 0 but is: {beta2_decay}")
        if eps[0] is not None:
            check_at_least(0, "epsilon1 should be >= 0 but is", eps[0])
        check_at_least(0, "epsilon2 should be >= 0 but is", eps[1])
        check_at_least(1, "Clipping threshold d should be >= 1 but is", d)
        check_at_least(0, "weight_decay should be >= 0 but is", weight_decay)
        defaults = {
            "lr": lr,
            "beta2_decay": beta2_decay,
            "eps": eps,
            "d": d,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def new_state(self, param: Tensor, group: Group) -> dict[str, Any]:
        if param.dim() < 2:
            return {"step": counter(), "variance": zeros_like(param)}
        *others, rows, columns = param.shape
        row_var, col_var = param.new_zeros([*others, rows, 1]), param.new_zeros([*others, 1, columns])
        return {"step": counter(), "row_var": row_var, "col_var": col_var}

    def update(self, params: list[Tensor], gradients: list[Any], group: Group) -> None:
        if any(param.is_complex() for param in params):
            raise RuntimeError("Adafactor does not support complex parameters")
        row_vars, col_vars, variances, state_steps = columns(
            self._states(params, group), "row_var", "col_var", "variance", "step"
        )
        adafactor(
            params,
            gradients,
            row_vars,
            col_vars,
            variances,
            state_steps,
            d=group["d"],
            lr=group["lr"],
            beta2_decay=group["beta2_decay"],
            weight_decay=group["weight_decay"],
            eps1=group["eps"][0],
            eps2=group["eps"][1],
            maximize=group["maximize"],
        )


def adafactor(
    params: list[Tensor],
    grads: list[Tensor],
    row_vars: list[Tensor | None],
    col_vars: list[Tensor | None],
    variances: list[Tensor | None],
    state_steps: list[Tensor],
    foreach: bool | None = None,
    grad_scale: Tensor | None = None,
    found_inf: Tensor | None = None,
    has_complex: bool = False,
    *,
    d: float,
    lr: float | Tensor,
    beta2_decay: float,
    weight_decay: float,
    eps1: float | None,
    eps2: float,
    maximize: bool,
) -> None:
    """One step of `Adafactor` on ``params``, in place.

    Args:
        params: parameters.
        grads: their gradients.
        row_vars, col_vars: moments of matrices, None for vectors.
        variances: moments of vectors, None for matrices.
        state_steps: their numbers of steps, as tensors.
        foreach, has_complex: accepted for PyTorch's sake.
        grad_scale, found_inf: only None.
        d, lr, beta2_decay, weight_decay, eps1, eps2, maximize: as for `Adafactor`.

    Raises:
        RuntimeError: a number of steps that is not a tensor.
    """
    refuse_scaled(grad_scale, found_inf)
    lr = float(as_scalar(lr))
    for i, (param, t) in enumerate(zip(params, count_steps(state_steps), strict=True)):
        g = -grads[i] if maximize else grads[i]
        tiny = float(finfo(param._array.dtype).eps) if eps1 is None else eps1
        length = max(eps2, _root_mean_square(param)) * min(lr, t**-0.5)
        if weight_decay != 0:
            param.mul_(1 - lr * weight_decay)
        moment = _moment(g, row_vars[i], col_vars[i], variances[i], t**beta2_decay, tiny)
        step = g * moment.clamp(min=tiny * tiny).rsqrt()
        param.add_(step, alpha=-length / max(1.0, _root_mean_square(step) / d))


def _moment(
    g: Tensor, rows: Tensor | None, columns: Tensor | None, variance: Tensor | None, weight: float, tiny: float
) -> Tensor:
    """The estimate of g², after its means have moved by ``weight`` towards it."""
    if variance is not None:
        return variance.lerp_(g * g, weight)
    if rows is None or columns is None:
        raise AssertionError("row_var and col_var should be defined when grad is multidimensional")
    rows.lerp_((g * g).mean(-1, keepdim=True), weight)
    columns.lerp_((g * g).mean(-2, keepdim=True), weight)
    return rows @ columns / rows.mean(-2, keepdim=True).clamp(min=tiny)


def _root_mean_square(x: Tensor) -> float:
    return x.norm(2).item() / x.numel() ** 0.5
