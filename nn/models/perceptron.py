"""The perceptron, the gates it can be, and the network of them that it cannot be alone."""

from __future__ import annotations

import autograd
from autograd.tensor import Tensor

from ..linear import Linear
from ..module import Module
from ..units import Step

__all__ = ["XOR", "Perceptron", "nand"]


class Perceptron(Module):
    """A unit that says 1 where ``w . x + b > 0`` and 0 elsewhere: Rosenblatt, "The Perceptron" (1958).

    Its weights begin at zero. They are learned by ``optim.Perceptron``, as no gradient passes a step; with
    ``straight_through`` the error passes it unchanged, which is what that rule does.

    Args:
        features: size of each input.

    Shape:
        - Input: ``(*, features)``
        - Output: ``(*,)``, 0 or 1

    >>> import autograd, nn
    >>> nn.models.Perceptron(2)(autograd.tensor([[1.0, 2.0]]))
    tensor([0.], grad_fn=<SqueezeBackward1>)
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        self.linear = Linear(features, 1)
        self.step = Step(at_zero=0.0, straight_through=True)
        with autograd.no_grad():
            self.linear.weight.zero_()
            self.linear.bias.zero_()

    def forward(self, x: Tensor) -> Tensor:
        return self.step(self.linear(x)).squeeze(-1)


def nand(weight: float = -2.0, bias: float = 3.0) -> Perceptron:
    """A perceptron of two inputs that is a NAND gate: ``3 - 2 x1 - 2 x2`` is above zero unless both are 1.

    Any logical function can be built of it.

    >>> import autograd, nn
    >>> nn.models.nand()(autograd.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])).tolist()
    [1.0, 1.0, 1.0, 0.0]
    """
    gate = Perceptron(2)
    with autograd.no_grad():
        gate.linear.weight.fill_(weight)
        gate.linear.bias.fill_(bias)
    return gate


class XOR(Module):
    """Exclusive or, which no single perceptron computes: a second layer looks at what NAND gates say.

    ``a xor b = nand(nand(a, nand(a, b)), nand(b, nand(a, b)))``

    Shape:
        - Input: ``(*, 2)``, 0 or 1
        - Output: ``(*,)``, 0 or 1

    >>> import autograd, nn
    >>> nn.models.XOR()(autograd.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])).tolist()
    [0.0, 1.0, 1.0, 0.0]
    """

    def __init__(self) -> None:
        super().__init__()
        self.gate = nand()

    def forward(self, x: Tensor) -> Tensor:
        a, b = x.unbind(-1)
        both = self._nand(a, b)
        return self._nand(self._nand(a, both), self._nand(b, both))

    def _nand(self, a: Tensor, b: Tensor) -> Tensor:
        return self.gate(autograd.stack([a, b], -1))
