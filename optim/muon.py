"""Muon: momentum made orthogonal, for the matrices of hidden layers."""

from __future__ import annotations

from typing import Any

from autograd.tensor import Tensor

from .optimizer import Group, Optimizer, Params, as_scalar, check_at_least, check_lr, zeros_like

__all__ = ["Muon", "muon"]

COEFFICIENTS = (3.4445, -4.7750, 2.0315)


class Muon(Optimizer):
    r"""Steps along the orthogonal matrix nearest to the momentum.

    Jordan et al., "Muon: an optimizer for hidden layers in neural networks" (2024).

    .. math::
        b &\leftarrow \mu b + (1 - \mu) g \\
        \theta &\leftarrow (1 - \text{lr} \cdot \text{weight\_decay}) \theta - \text{lr}' \cdot \text{orth}(b)

    ``orth`` sends all singular values towards 1 by Newton-Schulz steps :math:`X \leftarrow a X + (b A + c A^2) X`,
    :math:`A = X X^T`, computed on 8 bits of precision (bfloat16).

    Args:
        params: matrices, or groups of them, as for `Optimizer`.
        lr: length of a step.
        weight_decay: rate at which the parameters shrink.
        momentum: share μ of the momentum that is kept.
        nesterov: look ahead along the momentum.
        ns_coefficients: a, b and c of the Newton-Schulz steps.
        eps: smallest norm that the momentum is divided by.
        ns_steps: number of Newton-Schulz steps, below 100.
        adjust_lr_fn: factor of lr for a matrix of A rows and B columns: ``"original"`` (as None) √max(1, A/B),
            ``"match_rms_adamw"`` 0.2 √max(A, B).

    Raises:
        ValueError: a parameter that is no matrix, a negative number, or another name of a function.

    >>> import autograd, nn, optim
    >>> w = nn.Parameter(autograd.eye(2))
    >>> optimizer = optim.Muon([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.data
    tensor([[0.8775, 0.0000],
            [0.0000, 0.8775]])
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = COEFFICIENTS,
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ) -> None:
        check_lr(lr, "Learning rate should be >= 0 but is")
        check_at_least(0, "momentum should be >= 0 but is", momentum)
        check_at_least(0, "weight decay should be >= 0 but is", weight_decay)
        if adjust_lr_fn not in (None, "original", "match_rms_adamw"):
            raise ValueError(f"Adjust learning rate function {adjust_lr_fn} is not supported")
        defaults = {
            "lr": lr,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "nesterov": nesterov,
            "ns_coefficients": ns_coefficients,
            "eps": eps,
            "ns_steps": ns_steps,
            "adjust_lr_fn": adjust_lr_fn,
        }
        super().__init__(params, defaults)
        for group in self.param_groups:
            for param in group["params"]:
                if param.ndim != 2:
                    raise ValueError(
                        f"Muon only supports 2D parameters whereas we found a parameter with size: {param.shape}"
                    )

    def new_state(self, param: Tensor, group: Group) -> dict[str, Any]:
        return {"momentum_buffer": zeros_like(param)}

    def update(self, params: list[Tensor], gradients: list[Any], group: Group) -> None:
        if any(param.is_complex() for param in params):
            raise RuntimeError("Muon does not support complex parameters")
        buffers = [state["momentum_buffer"] for state in self._states(params, group)]
        options = {name: option for name, option in group.items() if name in self.defaults}
        muon(params, gradients, buffers, **options, has_complex=False)


def muon(
    params: list[Tensor],
    grads: list[Tensor],
    muon_momentum_bufs: list[Tensor],
    *,
    foreach: bool | None = None,
    lr: float | Tensor,
    weight_decay: float,
    momentum: float,
    nesterov: bool,
    ns_coefficients: tuple[float, float, float],
    ns_steps: int,
    eps: float,
    adjust_lr_fn: str | None,
    has_complex: bool,
) -> None:
    """One step of `Muon` on ``params``, in place.

    Args:
        params: matrices.
        grads: their gradients.
        muon_momentum_bufs: their momentum.
        foreach: only None or False.
        lr, weight_decay, momentum, nesterov, ns_coefficients, ns_steps, eps, adjust_lr_fn: as for `Muon`.
        has_complex: only False.

    Raises:
        RuntimeError: ``foreach``.
        ValueError: ``has_complex``, a gradient that is no matrix, 100 steps or more, or not three coefficients.
    """
    if foreach:
        raise RuntimeError("Foreach is not supported for Muon yet")
    if has_complex:
        raise ValueError("Complex parameters are not supported")
    if any(gradient.ndim != 2 for gradient in grads):
        raise ValueError("Param gradient must be a 2D matrix")
    if ns_steps >= 100:
        raise ValueError("Number of steps must be less than 100 for computational efficiency")
    if len(ns_coefficients) != 3:
        raise ValueError("Coefficients must be a tuple of exactly 3 values")
    lr = float(as_scalar(lr))
    for param, gradient, buffer in zip(params, grads, muon_momentum_bufs, strict=True):
        buffer.lerp_(gradient, 1 - momentum)
        update = gradient.lerp(buffer, momentum) if nesterov else buffer
        direction = orthogonal(update, ns_coefficients, ns_steps, eps)
        param.mul_(1 - lr * weight_decay)
        param.add_(direction.to(param.dtype), alpha=-lr * _factor(adjust_lr_fn, *param.shape))


def _factor(adjust_lr_fn: str | None, rows: int, columns: int) -> float:
    if adjust_lr_fn == "match_rms_adamw":
        return 0.2 * max(rows, columns) ** 0.5
    return max(1, rows / columns) ** 0.5


def orthogonal(matrix: Tensor, coefficients: tuple[float, float, float], steps: int, eps: float) -> Tensor:
    """About the orthogonal matrix nearest to ``matrix``, in bfloat16.

    >>> import autograd
    >>> q = orthogonal(autograd.tensor([[3.0, 0.0], [0.0, 0.5]]), COEFFICIENTS, 5, 1e-7)
    >>> bool(((q - autograd.eye(2)).abs() < 0.4).all())
    True
    """
    a, b, c = coefficients
    wide = matrix.shape[0] <= matrix.shape[1]
    x = matrix.bfloat16() if wide else matrix.bfloat16().T
    x = x / x.norm().clamp(min=eps)
    for _ in range(steps):
        gram = x @ x.T
        update = gram.addmm(gram, gram, beta=b, alpha=c)
        x = x.addmm(update, x, beta=a)
    return x if wide else x.T
