"""Adam for sparse gradients, such as those of large embeddings."""

from __future__ import annotations

from typing import Any

from autograd.tensor import Tensor

from .optimizer import Group, Optimizer, Params, check_betas, check_lr, columns, zeros_like
from .sparse import add_at, values_at

__all__ = ["SparseAdam", "sparse_adam"]


class SparseAdam(Optimizer):
    """`Adam` that changes only the elements, and their moments, for which the gradient has values.

    Args:
        params: dense parameters, or groups of them, as for `Optimizer`; their gradients are sparse.
        lr: length of a step, roughly, in each coordinate.
        betas: how much of the moments is kept.
        eps: keeps the denominator away from zero.
        maximize: step along the gradient instead.

    Raises:
        ValueError: lr or eps not positive, betas outside [0, 1), or parameters that are sparse or complex.

    >>> import autograd, nn, optim
    >>> table = nn.Embedding.from_pretrained(autograd.ones(3, 2), freeze=False, sparse=True)
    >>> optimizer = optim.SparseAdam(table.parameters(), lr=0.1)
    >>> table(autograd.tensor([1])).sum().backward()
    >>> optimizer.step()
    >>> table.weight.data
    tensor([[1.0000, 1.0000],
            [0.9000, 0.9000],
            [1.0000, 1.0000]])
    """

    _sparse_gradients = True
    _counts_in_int = True

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        maximize: bool = False,
    ) -> None:
        check_lr(lr)
        if not lr > 0:
            raise ValueError(f"Invalid learning rate: {lr}")
        if not eps > 0:
            raise ValueError(f"Invalid epsilon value: {eps}")
        check_betas(betas)
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "maximize": maximize})
        for refused, advice in (
            (lambda param: param.is_sparse, "Sparse params at indices {}: SparseAdam requires dense parameter tensors"),
            (lambda param: param.is_complex(), "Complex params at indices {}: SparseAdam does not support them"),
        ):
            places = [
                [i, j]
                for i, group in enumerate(self.param_groups)
                for j, param in enumerate(group["params"])
                if refused(param)
            ]
            if places:
                raise ValueError(advice.format(places))

    def new_state(self, param: Tensor, group: Group) -> dict[str, Any]:
        return {"step": 0, "exp_avg": zeros_like(param), "exp_avg_sq": zeros_like(param)}

    def update(self, params: list[Tensor], gradients: list[Any], group: Group) -> None:
        if not all(gradient.is_sparse for gradient in gradients):
            raise RuntimeError("SparseAdam does not support dense gradients, please consider Adam instead")
        states = self._states(params, group)
        for state in states:
            state["step"] += 1
        exp_avgs, exp_avg_sqs, state_steps = columns(states, "exp_avg", "exp_avg_sq", "step")
        sparse_adam(
            params,
            gradients,
            exp_avgs,
            exp_avg_sqs,
            state_steps,
            eps=group["eps"],
            beta1=group["betas"][0],
            beta2=group["betas"][1],
            lr=group["lr"],
            maximize=group["maximize"],
        )


def sparse_adam(
    params: list[Tensor],
    grads: list[Any],
    exp_avgs: list[Tensor],
    exp_avg_sqs: list[Tensor],
    state_steps: list[int],
    *,
    eps: float,
    beta1: float,
    beta2: float,
    lr: float | Tensor,
    maximize: bool,
) -> None:
    """One step of `SparseAdam` on ``params``, in place.

    Args:
        params: parameters.
        grads: their sparse gradients.
        exp_avgs, exp_avg_sqs: their moments.
        state_steps: the number of each one's step, this one included.
        eps, beta1, beta2, lr, maximize: as for `SparseAdam`.
    """
    for param, gradient, m, v, t in zip(params, grads, exp_avgs, exp_avg_sqs, state_steps, strict=True):
        gradient = gradient.coalesce()
        g = -gradient._values() if maximize else gradient._values()
        add_at(m, gradient, (g - values_at(m, gradient)) * (1 - beta1))
        add_at(v, gradient, (g * g - values_at(v, gradient)) * (1 - beta2))
        step_size = float(lr) * (1 - beta2**t) ** 0.5 / (1 - beta1**t)
        add_at(param, gradient, values_at(m, gradient) * -step_size / (values_at(v, gradient).sqrt() + eps))
