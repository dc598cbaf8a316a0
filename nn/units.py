"""Units of the first neural networks, and units that learn their own activation."""

from __future__ import annotations

from typing import Any

from autograd.tensor import Tensor

from . import functional as F
from .linear import Linear
from .module import Module

__all__ = ["Maxout", "Sign", "Step"]


class Step(Module):
    r""":math:`y = 1` above zero, 0 below it: the perceptron's unit.

    Its gradient is 0, so that gradient descent teaches nothing below it; that is why the units after it are smooth.

    Args:
        at_zero: the value at zero.
        straight_through: pass the gradient as if the unit were the identity (Bengio et al., 2013).

    Shape:
        - Input, output: ``(*)``, the same

    >>> import autograd, nn
    >>> nn.Step(at_zero=0.0)(autograd.tensor([-1.0, 0.0, 2.0]))
    tensor([0., 0., 1.])
    """

    def __init__(self, at_zero: float = 0.5, straight_through: bool = False) -> None:
        super().__init__()
        self.at_zero = at_zero
        self.straight_through = straight_through

    def forward(self, input: Tensor) -> Tensor:
        return F.step(input, self.at_zero, self.straight_through)

    def extra_repr(self) -> str:
        return f"at_zero={self.at_zero}" + (", straight_through=True" if self.straight_through else "")


class Sign(Module):
    r""":math:`y = 1` above zero, -1 below it, 0 there, with the gradient 0.

    Args:
        straight_through: pass the gradient as if the unit were the identity.

    Shape:
        - Input, output: ``(*)``, the same

    >>> import autograd, nn
    >>> nn.Sign()(autograd.tensor([-2.0, 3.0]))
    tensor([-1.,  1.])
    """

    def __init__(self, straight_through: bool = False) -> None:
        super().__init__()
        self.straight_through = straight_through

    def forward(self, input: Tensor) -> Tensor:
        return F.sign(input, self.straight_through)

    def extra_repr(self) -> str:
        return "straight_through=True" if self.straight_through else ""


class Maxout(Linear):
    r"""The largest of ``pieces`` affine maps: :math:`y_o = \max_k (x A_{ok}^T + b_{ok})`, a learned convex activation.

    With two pieces, one of them always 0, it is a linear layer and `ReLU`. Goodfellow et al., "Maxout Networks" (2013).

    Args:
        in_features: size of each input sample.
        out_features: size of each output sample.
        pieces: how many maps each output chooses from.
        bias: whether there is a ``b``.
        device: ``"cpu"``.
        dtype: of the parameters; the default dtype by default.

    Shape:
        - Input: ``(*, in_features)``
        - Output: ``(*, out_features)``

    Attributes:
        weight: ``(out_features * pieces, in_features)``, as in `Linear`.
        bias: ``(out_features * pieces,)``.

    >>> import autograd, nn
    >>> nn.Maxout(4, 3, pieces=2)(autograd.randn(5, 4)).shape
    torch.Size([5, 3])
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        pieces: int = 2,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if pieces < 1:
            raise ValueError(f"Maxout: pieces must be at least 1, but got {pieces}")
        super().__init__(in_features, out_features * pieces, bias, device, dtype)
        self.pieces = pieces

    def forward(self, input: Tensor) -> Tensor:
        return F.maxout(super().forward(input), self.pieces)

    def extra_repr(self) -> str:
        outputs, bias = self.out_features // self.pieces, self.bias is not None
        return f"in_features={self.in_features}, out_features={outputs}, pieces={self.pieces}, bias={bias}"
