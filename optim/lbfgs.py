"""L-BFGS: a quasi-Newton method that remembers a few steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd.graph import enable_grad, no_grad
from autograd.ops.complex import view_as_real
from autograd.ops.rearrange import cat
from autograd.tensor import Tensor

from .optimizer import Optimizer, Params, as_scalar, check_lr
from .wolfe import strong_wolfe

__all__ = ["LBFGS"]


class LBFGS(Optimizer):
    """Steps along the gradient times an inverse Hessian estimated from the last steps.

    Nocedal and Wright, "Numerical optimization" (2006), algorithms 7.4 (the product) and 3.5 (the line search). All
    parameters together are one vector; `step` needs a closure, which it calls several times.

    Args:
        params: parameters; only one group.
        lr: length of a step in units of the quasi-Newton step; the first try of a line search.
        max_iter: iterations within one `step`.
        max_eval: evaluations of the closure within one `step`; 1.25 times ``max_iter`` by default.
        tolerance_grad: stop once no component of the gradient is larger.
        tolerance_change: stop once neither the loss nor a parameter changes by more.
        history_size: number of steps that are remembered.
        line_search_fn: ``"strong_wolfe"``, or None for steps of length lr.

    Raises:
        ValueError: a negative learning rate, or several groups.

    >>> import autograd, nn, optim
    >>> w = nn.Parameter(autograd.tensor([3.0, 2.0]))
    >>> optimizer = optim.LBFGS([w], line_search_fn="strong_wolfe")
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = ((w - autograd.tensor([1.0, -1.0])) ** 2).sum()
    ...     loss.backward()
    ...     return loss
    >>> optimizer.step(closure)
    tensor(13., grad_fn=<SumBackward0>)
    >>> w.data
    tensor([ 1.0000, -1.0000])
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        check_lr(lr)
        defaults = {
            "lr": lr,
            "max_iter": max_iter,
            "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad,
            "tolerance_change": tolerance_change,
            "history_size": history_size,
            "line_search_fn": line_search_fn,
        }
        super().__init__(params, defaults)
        if len(self.param_groups) != 1:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")

    def step(self, closure: Callable[[], Any]) -> Any:
        """Up to ``max_iter`` iterations.

        Args:
            closure: clears the gradients, computes the loss and its gradients, and returns the loss.

        Returns:
            The loss before the step.

        Raises:
            RuntimeError: an unknown line search.
            AssertionError: a second group was added.
        """
        if len(self.param_groups) != 1:
            raise AssertionError(f"LBFGS takes one group of parameters, but got {len(self.param_groups)}")
        with no_grad():
            return self._minimize(enable_grad()(closure))

    def _minimize(self, closure: Callable[[], Any]) -> Any:
        group = self.param_groups[0]
        params: list[Tensor] = group["params"]
        lr, max_iter, max_eval = as_scalar(group["lr"]), group["max_iter"], group["max_eval"]
        tolerance, smallest_change = group["tolerance_grad"], group["tolerance_change"]
        line_search = group["line_search_fn"]
        if line_search not in (None, "strong_wolfe"):
            raise RuntimeError(f"only 'strong_wolfe' is supported as line_search_fn, but got {line_search!r}")
        state = self.state[params[0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)

        first_loss = closure()
        loss, gradient, evaluations = float(first_loss), _flat_gradient(params), 1
        state["func_evals"] += 1
        if gradient.abs().max() <= tolerance:
            return first_loss

        def at(position: list[Tensor], length: Any, direction: Tensor) -> tuple[float, Tensor]:
            """Loss and gradient further along the direction."""
            _move(params, length, direction)
            found = float(closure()), _flat_gradient(params)
            for param, value in zip(params, position, strict=True):
                param.copy_(value)
            return found

        iteration = 0
        while iteration < max_iter:
            iteration += 1
            state["n_iter"] += 1
            direction = _direction(state, gradient, group["history_size"])
            if state.get("prev_flat_grad") is None:
                state["prev_flat_grad"] = gradient.clone()
            else:
                state["prev_flat_grad"].copy_(gradient)
            state["prev_loss"] = loss
            length = min(1.0, 1.0 / gradient.abs().sum()) * lr if state["n_iter"] == 1 else lr
            state["d"], state["t"] = direction, length
            slope = gradient.dot(direction)
            if slope > -smallest_change:
                break

            used = 0
            if line_search is not None:
                position = [param.clone() for param in params]
                loss, gradient, length, used = strong_wolfe(
                    lambda t, x=position, d=direction: at(x, t, d),  # type: ignore[misc]
                    length,
                    direction.abs().max(),
                    loss,
                    gradient,
                    direction,
                    smallest_change,
                    max_eval - evaluations,
                )
                state["t"] = length
                _move(params, length, direction)
            else:
                _move(params, length, direction)
                if iteration != max_iter:
                    loss, gradient, used = float(closure()), _flat_gradient(params), 1
            evaluations += used
            state["func_evals"] += used
            if (
                iteration == max_iter
                or evaluations >= max_eval
                or gradient.abs().max() <= tolerance
                or (direction * length).abs().max() <= smallest_change
                or abs(loss - state["prev_loss"]) < smallest_change
            ):
                break
        return first_loss


def _direction(state: dict[str, Any], gradient: Tensor, history_size: int) -> Tensor:
    """Minus the estimated inverse Hessian times the gradient, after the last step has joined the estimate."""
    if state["n_iter"] == 1:
        state.update(old_dirs=[], old_stps=[], ro=[], H_diag=1)
        return -gradient
    changes, steps, inverses = state["old_dirs"], state["old_stps"], state["ro"]
    change, step = gradient - state["prev_flat_grad"], state["d"] * state["t"]
    curvature = change.dot(step)
    if curvature > 1e-10:
        if len(changes) == history_size:
            for remembered in (changes, steps, inverses):
                remembered.pop(0)
        changes.append(change)
        steps.append(step)
        inverses.append(1.0 / curvature)
        state["H_diag"] = curvature / change.dot(change)
    shares = state.setdefault("al", [None] * history_size)
    q = -gradient
    for i in reversed(range(len(changes))):
        shares[i] = steps[i].dot(q) * inverses[i]
        q = q - shares[i] * changes[i]
    q = q * state["H_diag"]
    for i in range(len(changes)):
        q = q + (shares[i] - changes[i].dot(q) * inverses[i]) * steps[i]
    return q


def _flat_gradient(params: list[Tensor]) -> Tensor:
    """The gradients of all parameters as one vector of real numbers."""
    parts = []
    for param in params:
        gradient = param.new_zeros(param.shape) if param.grad is None else param.grad
        gradient = gradient.to_dense() if gradient.is_sparse else gradient
        parts.append((view_as_real(gradient) if gradient.is_complex() else gradient).reshape(-1))
    return cat(parts)


def _move(params: list[Tensor], length: Any, direction: Tensor) -> None:
    """Adds a multiple of a vector to all parameters."""
    start = 0
    for param in params:
        real = view_as_real(param) if param.is_complex() else param
        real.add_(direction[start : start + real.numel()].view_as(real) * length)
        start += real.numel()
