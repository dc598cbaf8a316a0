"""Activation functions as layers. Derivatives at kinks are PyTorch's."""

from __future__ import annotations

import warnings
from typing import Any

import autograd
from autograd.tensor import Tensor

from . import functional as F
from . import init
from .module import Module
from .parameter import Parameter

__all__ = [
    "CELU", "ELU", "GELU", "GLU", "SELU", "Hardshrink", "Hardsigmoid", "Hardswish", "Hardtanh", "LeakyReLU",
    "LogSigmoid", "LogSoftmax", "Mish", "PReLU", "RReLU", "ReLU", "ReLU6", "SiLU", "Sigmoid", "Softmax", "Softmax2d",
    "Softmin", "Softplus", "Softshrink", "Softsign", "Tanh", "Tanhshrink", "Threshold",
]  # fmt: skip


class Threshold(Module):
    r""":math:`y = x \text{ if } x > \text{threshold, else value}`

    Args:
        threshold: where the identity begins.
        value: what stands below.
        inplace: write into the input.

    Shape:
        - Input, output: ``(*)``, the same

    >>> import autograd, nn
    >>> nn.Threshold(0.5, -1.0)(autograd.tensor([0.0, 2.0]))
    tensor([-1.,  2.])
    """

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__()
        self.threshold = threshold
        self.value = value
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.threshold(input, self.threshold, self.value, inplace=self.inplace)

    def extra_repr(self) -> str:
        return f"threshold={self.threshold}, value={self.value}" + (", inplace=True" if self.inplace else "")


class ReLU(Module):
    r""":math:`y = \max(0, x)`

    Args:
        inplace: write into the input.

    Shape:
        - Input, output: ``(*)``, the same

    >>> import autograd, nn
    >>> nn.ReLU()(autograd.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return input.relu_() if self.inplace else autograd.relu(input)  # `F.relu` looks at `inplace` once more

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class LeakyReLU(Module):
    r""":math:`y = x \text{ if } x > 0 \text{, else slope} \cdot x`

    Args:
        negative_slope: slope below zero.
        inplace: write into the input.

    Shape:
        - Input, output: ``(*)``, the same

    >>> import autograd, nn
    >>> nn.LeakyReLU(0.1)(autograd.tensor([-1.0, 2.0]))
    tensor([-0.1000,  2.0000])
    """

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__()
        self.negative_slope = negative_slope
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.leaky_relu(input, self.negative_slope, inplace=self.inplace)

    def extra_repr(self) -> str:
        return f"negative_slope={self.negative_slope}" + (", inplace=True" if self.inplace else "")


class ELU(Module):
    r""":math:`y = x \text{ if } x > 0 \text{, else } \alpha (e^x - 1)`

    Args:
        alpha: minus the limit at minus infinity.
        inplace: write into the input.

    Shape:
        - Input, output: ``(*)``, the same

    >>> import autograd, nn
    >>> nn.ELU()(autograd.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha = alpha
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.elu(input, self.alpha, inplace=self.inplace)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}" + (", inplace=True" if self.inplace else "")


class SELU(Module):
    r""":math:`y = 1.0507 \, (x \text{ if } x > 0 \text{, else } 1.6733 (e^x - 1))`

    Args:
        inplace: write into the input.

    Shape:
        - Input, output: ``(*)``, the same

    >>> import autograd, nn
    >>> nn.SELU()(autograd.tensor([-1.0, 2.0]))
    tensor([-1.1113,  2.1014])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.selu(input, inplace=self.inplace)

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class CELU(Module):
    r""":math:`y = \max(0, x) + \min(0, \alpha (e^{x / \alpha} - 1))`

    Args:
        alpha: minus the limit at minus infinity; not zero.
        inplace: write into the input.

    Shape:
        - Input, output: ``(*)``, the same

    >>> import autograd, nn
    >>> nn.CELU(2.0)(autograd.tensor([-1.0, 2.0]))
    tensor([-0.7869,  2.0000])
    """

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha = alpha
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.celu(input, self.alpha, inplace=self.inplace)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}" + (", inplace=True" if self.inplace else "")


class GELU(Module):
    r""":math:`y = x \, \Phi(x), \; \Phi \text{ the normal distribution function}`

    Args:
        approximate: ``"tanh"`` computes Φ by a formula with tanh.

    Shape:
        - Input, output: ``(*)``, the same

    >>> import autograd, nn
    >>> nn.GELU()(autograd.tensor([-1.0, 2.0]))
    tensor([-0.1587,  1.9545])
    >>> nn.GELU("tanh")(autograd.tensor([-1.0, 2.0]))
    tensor([-0.1588,  1.9546])
    """

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, input: Tensor) -> Tensor:
        return F.gelu(input, approximate=self.approximate)

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


class SiLU(Module):
    r""":math:`y = x \, \sigma(x)`

    Args:
        inplace: write into the input.

    Shape:
        - Input, output: ``(*)``, the same

    >>> import autograd, nn
    >>> nn.SiLU()(autograd.tensor([-1.0, 2.0]))
    tensor([-0.2689,  1.7616])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.silu(input, inplace=self.inplace)

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class Mish(Module):
    r""":math:`y = x \tanh(\ln(1 + e^x))`

    Args:
        inplace: write into the input.

    Shape:
        - Input, output: ``(*)``, the same

    >>> import autograd, nn
    >>> nn.Mish()(autograd.tensor([-1.0, 2.0]))
    tensor([-0.3034,  1.9440])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.mish(input, inplace=self.inplace)

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class Softplus(Module):
    r""":math:`y = \tfrac{1}{\beta} \ln(1 + e^{\beta x})`

    Args:
        beta: sharpness of the bend.
        threshold: the identity where ``beta * x`` is above this.

    Shape:
        - Input, output: ``(*)``, the same

    >>> import autograd, nn
    >>> nn.Softplus()(autograd.tensor([0.0, 2.0]))
    tensor([0.6931, 2.1269])
    """

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta = beta
        self.threshold = threshold

    def forward(self, input: Tensor) -> Tensor:
        return F.softplus(input, self.beta, self.threshold)

    def extra_repr(self) -> str:
        return f"beta={self.beta}, threshold={self.threshold}"


class Softsign(Module):
    r""":math:`y = x / (1 + |x|)`

    Shape:
        - Input, output: ``(*)``, the same

    >>> import autograd, nn
    >>> nn.Softsign()(autograd.tensor([-1.0, 3.0]))
    tensor([-0.5000,  0.7500])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.softsign(input)


class LogSigmoid(Module):
    r""":math:`y = \ln \sigma(x)`

    Shape:
        - Input, output: ``(*)``, the same

    >>> import autograd, nn
    >>> nn.LogSigmoid()(autograd.tensor([-100.0, 0.0]))
    tensor([-100.0000,   -0.6931])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.logsigmoid(input)


class Hardtanh(Module):
    r""":math:`y = \min(\max(x, \text{min\_val}), \text{max\_val})`

    Args:
        min_val: the lower bound.
        max_val: the upper bound, above ``min_val``.
        inplace: write into the input.
        min_value: the older name of ``min_val``.
        max_value: the older name of ``max_val``.

    Shape:
        - Input, output: ``(*)``, the same

    Raises:
        AssertionError: ``max_val`` is not above ``min_val``.

    >>> import autograd, nn
    >>> nn.Hardtanh()(autograd.tensor([-4.0, 0.5, 4.0]))
    tensor([-1.0000,  0.5000,  1.0000])
    """

    def __init__(
        self,
        min_val: float = -1.0,
        max_val: float = 1.0,
        inplace: bool = False,
        min_value: float | None = None,
        max_value: float | None = None,
    ) -> None:
        super().__init__()
        for name, older in (("min_val", min_value), ("max_val", max_value)):
            if older is not None:
                warnings.warn(
                    f"keyword argument `{name}ue` is deprecated and renamed to `{name}`", FutureWarning, stacklevel=2
                )
        self.min_val = min_val if min_value is None else min_value
        self.max_val = max_val if max_value is None else max_value
        self.inplace = inplace
        if self.max_val <= self.min_val:
            raise AssertionError(f"max_val ({self.max_val}) must be greater than min_val ({self.min_val})")

    def forward(self, input: Tensor) -> Tensor:
        return F.hardtanh(input, self.min_val, self.max_val, inplace=self.inplace)

    def extra_repr(self) -> str:
        return f"min_val={self.min_val}, max_val={self.max_val}" + (", inplace=True" if self.inplace else "")


class ReLU6(Hardtanh):
    r""":math:`y = \min(\max(x, 0), 6)`

    Args:
        inplace: write into the input.

    Shape:
        - Input, output: ``(*)``, the same

    >>> import autograd, nn
    >>> nn.ReLU6()(autograd.tensor([-1.0, 5.0, 7.0]))
    tensor([0., 5., 6.])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__(0.0, 6.0, inplace)

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class Hardsigmoid(Module):
    r""":math:`y = \min(\max(x + 3, 0), 6) / 6`

    Args:
        inplace: write into the input.

    Shape:
        - Input, output: ``(*)``, the same

    >>> import autograd, nn
    >>> nn.Hardsigmoid()(autograd.tensor([-4.0, 0.0, 1.0]))
    tensor([0.0000, 0.5000, 0.6667])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.hardsigmoid(input, inplace=self.inplace)


class Hardswish(Module):
    r""":math:`y = x \min(\max(x + 3, 0), 6) / 6`

    Args:
        inplace: write into the input.

    Shape:
        - Input, output: ``(*)``, the same

    >>> import autograd, nn
    >>> nn.Hardswish()(autograd.tensor([-4.0, 1.0, 4.0]))
    tensor([-0.0000, 0.6667, 4.0000])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.hardswish(input, inplace=self.inplace)


class Tanh(Module):
    r""":math:`y = \tanh x`

    Shape:
        - Input, output: ``(*)``, the same

    >>> import autograd, nn
    >>> nn.Tanh()(autograd.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7616])
    """

    def forward(self, input: Tensor) -> Tensor:
        return input.tanh()


class Sigmoid(Module):
    r""":math:`y = \sigma(x) = 1 / (1 + e^{-x})`

    Shape:
        - Input, output: ``(*)``, the same

    >>> import autograd, nn
    >>> nn.Sigmoid()(autograd.tensor([0.0, 2.0]))
    tensor([0.5000, 0.8808])
    """

    def forward(self, input: Tensor) -> Tensor:
        return input.sigmoid()


class Softmax(Module):
    r""":math:`y_i = e^{x_i} / \sum_j e^{x_j}`

    Args:
        dim: the dimension that sums to one.

    Shape:
        - Input, output: ``(*)``, the same

    >>> import autograd, nn
    >>> nn.Softmax(dim=0)(autograd.zeros(4))
    tensor([0.2500, 0.2500, 0.2500, 0.2500])
    """

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        return F.softmax(input, self.dim, _stacklevel=5)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class LogSoftmax(Module):
    r""":math:`y_i = x_i - \ln \sum_j e^{x_j}`

    Args:
        dim: the dimension that is normalized.

    Shape:
        - Input, output: ``(*)``, the same

    >>> import autograd, nn
    >>> nn.LogSoftmax(dim=0)(autograd.tensor([0.0, 0.0]))
    tensor([-0.6931, -0.6931])
    """

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        return F.log_softmax(input, self.dim, _stacklevel=5)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Softmin(Module):
    r""":math:`y_i = e^{-x_i} / \sum_j e^{-x_j}`

    Args:
        dim: the dimension that sums to one.

    Shape:
        - Input, output: ``(*)``, the same

    >>> import autograd, nn
    >>> nn.Softmin(dim=0)(autograd.tensor([0.0, 1.0]))
    tensor([0.7311, 0.2689])
    """

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        return F.softmin(input, self.dim, _stacklevel=5)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Softmax2d(Module):
    r"""`Softmax` over the channels of each pixel.

    Shape:
        - Input, output: ``(N, C, H, W)`` or ``(C, H, W)``, the same

    Raises:
        ValueError: another number of dimensions.

    >>> import autograd, nn
    >>> nn.Softmax2d()(autograd.zeros(1, 4, 2, 2)).sum((2, 3))
    tensor([[1., 1., 1., 1.]])
    """

    def forward(self, input: Tensor) -> Tensor:
        if input.dim() not in (3, 4):
            raise ValueError(f"Softmax2d: expected input to be 3D or 4D, got {input.dim()}D instead")
        return F.softmax(input, -3)


class Tanhshrink(Module):
    r""":math:`y = x - \tanh x`

    Shape:
        - Input, output: ``(*)``, the same

    >>> import autograd, nn
    >>> nn.Tanhshrink()(autograd.tensor([0.0, 1.0]))
    tensor([0.0000, 0.2384])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.tanhshrink(input)


class Softshrink(Module):
    r""":math:`y = \operatorname{sign}(x) \max(|x| - \lambda, 0)`

    Args:
        lambd: λ, not negative.

    Shape:
        - Input, output: ``(*)``, the same

    >>> import autograd, nn
    >>> nn.Softshrink()(autograd.tensor([-1.0, 0.3, 2.0]))
    tensor([-0.5000,  0.0000,  1.5000])
    """

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: Tensor) -> Tensor:
        return F.softshrink(input, self.lambd)

    def extra_repr(self) -> str:
        return str(self.lambd)


class Hardshrink(Module):
    r""":math:`y = x \text{ if } |x| > \lambda \text{, else } 0`

    Args:
        lambd: λ.

    Shape:
        - Input, output: ``(*)``, the same

    >>> import autograd, nn
    >>> nn.Hardshrink()(autograd.tensor([-1.0, 0.3, 2.0]))
    tensor([-1.,  0.,  2.])
    """

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: Tensor) -> Tensor:
        return F.hardshrink(input, self.lambd)

    def extra_repr(self) -> str:
        return str(self.lambd)


class PReLU(Module):
    r""":math:`y = x \text{ if } x > 0 \text{, else } a x`, with learned slopes ``a``

    Args:
        num_parameters: 1, or one slope for each channel.
        init: first value of the slopes.
        device: ``"cpu"``.
        dtype: of the slopes; the default dtype by default.

    Shape:
        - Input, output: ``(N, C, *)``, the same

    Attributes:
        weight: ``(num_parameters,)``, the slopes.

    >>> import autograd, nn
    >>> nn.PReLU()(autograd.tensor([-1.0, 2.0]))
    tensor([-0.2500,  2.0000], grad_fn=<PreluKernelBackward0>)
    """

    def __init__(self, num_parameters: int = 1, init: float = 0.25, device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        self.num_parameters = num_parameters
        self.init = init
        self.weight = Parameter(autograd.empty(num_parameters, device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Sets all slopes to ``init``."""
        init.constant_(self.weight, self.init)

    def forward(self, input: Tensor) -> Tensor:
        return F.prelu(input, self.weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"


class RReLU(Module):
    r""":math:`y = x \text{ if } x > 0 \text{, else } r x`, with a new slope r for each element while training

    Args:
        lower: lower bound of the slopes.
        upper: upper bound; in evaluation mode the slope is the mean of both.
        inplace: write into the input.

    Shape:
        - Input, output: ``(*)``, the same

    >>> import autograd, nn
    >>> nn.RReLU(0.1, 0.3).eval()(autograd.tensor([-1.0, 2.0]))
    tensor([-0.2000,  2.0000])
    """

    def __init__(self, lower: float = 1.0 / 8, upper: float = 1.0 / 3, inplace: bool = False) -> None:
        super().__init__()
        self.lower = lower
        self.upper = upper
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.rrelu(input, self.lower, self.upper, self.training, self.inplace)

    def extra_repr(self) -> str:
        return f"lower={self.lower}, upper={self.upper}" + (", inplace=True" if self.inplace else "")


class GLU(Module):
    r""":math:`y = a \, \sigma(b)`, where a and b are the halves of the input

    Args:
        dim: along which it is halved.

    Shape:
        - Input: ``(*, 2 n, *)``
        - Output: ``(*, n, *)``

    >>> import autograd, nn
    >>> nn.GLU()(autograd.tensor([1.0, 2.0, 0.0, 1.0]))
    tensor([0.5000, 1.4621])
    """

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        return F.glu(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"
