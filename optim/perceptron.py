"""The perceptron's learning rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd.tensor import Tensor

from .optimizer import Group, Optimizer, Params, check_lr
from .rule import Rule

__all__ = ["Perceptron"]


class Perceptron(Optimizer):
    r"""The rule :math:`w \leftarrow w + \text{lr} \cdot (y - \hat y) \, x`. Rosenblatt (1958).

    A step unit ŷ = 1 if w · x > 0 else 0 has the derivative 0 almost everywhere, so no gradient reaches its weights.
    The rule lets the error pass the unit as if it were not there: ŷ - y is taken for the gradient of the sum w · x, and
    the chain rule makes (ŷ - y) x of it at the weights, which `step` subtracts. A unit with ``straight_through=True``
    does just that: ``output.backward(output - target)`` leaves (ŷ - y) x in ``w.grad``, which is also the gradient of
    the squared error (ŷ - y)² / 2. `learn` makes these calls.

    Right answers change nothing. Classes that a line can separate are learned in finitely many steps (Novikoff, 1962);
    others, such as XOR, never.

    Args:
        params: weights and bias of the unit.
        lr: factor of the corrections. With weights that start at 0 it makes no difference to the answers.

    Raises:
        ValueError: a negative rate.

    >>> import autograd, nn, optim
    >>> unit = nn.Sequential(nn.Linear(2, 1), nn.Step(at_zero=0.0, straight_through=True))
    >>> for parameter in unit.parameters():
    ...     nn.init.zeros_(parameter)  # doctest: +ELLIPSIS
    Parameter containing:...
    >>> x = autograd.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    >>> nand = autograd.tensor([[1.0], [1.0], [1.0], [0.0]])
    >>> rule = optim.Perceptron(unit.parameters())
    >>> errors = [sum(rule.learn(unit, x[i], nand[i]) for i in range(4)) for epoch in range(7)]
    >>> errors
    [2, 3, 3, 2, 1, 0, 0]
    """

    def __init__(self, params: Params, lr: float | Tensor = 1.0) -> None:
        check_lr(lr)
        super().__init__(params, {"lr": lr})

    def update(self, params: list[Tensor], gradients: list[Any], group: Group) -> None:
        _correct(gradients, (params,), lr=group["lr"])

    def learn(self, unit: Callable[[Tensor], Tensor], x: Tensor, y: Tensor) -> int:
        """One correction by an example, or by the sum over a batch.

        Args:
            unit: ends with a step unit that lets gradients through.
            x: the input.
            y: the right output, 0 or 1, of the output's shape.

        Returns:
            How many outputs were wrong.

        Raises:
            ValueError: ``y`` has another shape than the output.
        """
        output = unit(x)
        if output.shape != y.shape:
            raise ValueError(f"learn: the unit's output is {tuple(output.shape)}, but y is {tuple(y.shape)}")
        error = output.detach() - y
        self.zero_grad()
        output.backward(error)
        self.step()
        return int(error.ne(0).sum().item())


@Rule
def _correct(g, w, *, lr):
    return (w - lr * g,)
