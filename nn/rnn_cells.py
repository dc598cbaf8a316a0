"""One step of a recurrent network: the cells behind `nn.RNN`, `nn.LSTM` and `nn.GRU`."""

from __future__ import annotations

from typing import Any

import autograd
from autograd.tensor import Tensor

from .module import Module
from .parameter import Parameter
from .rnn import draw_uniformly

__all__ = ["GRUCell", "LSTMCell", "RNNCell", "RNNCellBase"]


class RNNCellBase(Module):
    """What the cells share.

    Args:
        input_size: features of the input.
        hidden_size: features of the hidden state, H.
        bias: whether there are biases.
        num_chunks: how many gates there are, G.
        device: ``"cpu"``.
        dtype: of the parameters; the default dtype by default.

    Attributes:
        weight_ih: (G·H, input_size).
        weight_hh: (G·H, H).
        bias_ih, bias_hh: (G·H,); None without.

        All are drawn from U(-√k, √k) with k = 1 / hidden_size.
    """

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool, num_chunks: int, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        gates = num_chunks * hidden_size
        self.weight_ih = Parameter(autograd.empty(gates, input_size, device=device, dtype=dtype))
        self.weight_hh = Parameter(autograd.empty(gates, hidden_size, device=device, dtype=dtype))
        for name in ("bias_ih", "bias_hh"):
            given = Parameter(autograd.empty(gates, device=device, dtype=dtype)) if bias else None
            self.register_parameter(name, given)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws new weights."""
        draw_uniformly(self, self.hidden_size)

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        if self.bias is not True:
            text += f", bias={self.bias}"
        return text

    def _step(self, function: Any, input: Tensor, states: tuple[Tensor, ...], pair: bool = False) -> Any:
        """One step on a batch, or on a single sample."""
        name = type(self).__name__
        if input.dim() not in (1, 2):
            raise ValueError(f"{name}: Expected input to be 1D or 2D, got {input.dim()}D instead")
        for state in states:
            if state.dim() not in (1, 2):
                raise ValueError(f"{name}: Expected hidden to be 1D or 2D, got {state.dim()}D instead")
        batched = input.dim() == 2
        if not batched:
            input, states = input.unsqueeze(0), tuple(state.unsqueeze(0) for state in states)
        if not states:
            states = (autograd.zeros(input.size(0), self.hidden_size, dtype=input.dtype),) * (1 + pair)
        hx = states if pair else states[0]
        out = function(input, hx, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
        if batched:
            return out
        return tuple(state.squeeze(0) for state in out) if pair else out.squeeze(0)


class RNNCell(RNNCellBase):
    r"""One step of `nn.RNN`: :math:`h' = \tanh(W_{ih} x + b_{ih} + W_{hh} h + b_{hh})`.

    Args:
        input_size: features of the input.
        hidden_size: features of the hidden state, H.
        bias: whether there are biases.
        nonlinearity: ``"tanh"`` or ``"relu"``.
        device: ``"cpu"``.
        dtype: of the parameters; the default dtype by default.

    Shape:
        - Input: (B, input_size) or (input_size); ``hx`` (B, H) or (H), 0 by default
        - Output: as ``hx``

    Raises:
        ValueError: an input or a state of another number of dimensions.
        RuntimeError: an unknown nonlinearity, or shapes that do not fit.

    >>> import autograd, nn
    >>> nn.RNNCell(10, 20)(autograd.randn(3, 10)).shape
    torch.Size([3, 20])
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        if self.nonlinearity not in ("tanh", "relu"):
            raise RuntimeError(f"Unknown nonlinearity: {self.nonlinearity}; choose 'tanh' or 'relu'")
        cell = autograd.rnn_tanh_cell if self.nonlinearity == "tanh" else autograd.rnn_relu_cell
        return self._step(cell, input, () if hx is None else (hx,))

    def extra_repr(self) -> str:
        text = super().extra_repr()
        return text if self.nonlinearity == "tanh" else f"{text}, nonlinearity={self.nonlinearity}"


class LSTMCell(RNNCellBase):
    """One step of `nn.LSTM`.

    Args:
        input_size: features of the input.
        hidden_size: features of the hidden state, H.
        bias: whether there are biases.
        device: ``"cpu"``.
        dtype: of the parameters; the default dtype by default.

    Shape:
        - Input: (B, input_size) or (input_size); ``hx`` is a pair of (B, H) or (H), 0 by default
        - Output: the next hidden state and cell, as ``hx``

    Raises:
        ValueError: an input or a state of another number of dimensions.
        RuntimeError: shapes that do not fit.

    >>> import autograd, nn
    >>> h, c = nn.LSTMCell(10, 20)(autograd.randn(3, 10))
    >>> h.shape, c.shape
    (torch.Size([3, 20]), torch.Size([3, 20]))
    """

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    def forward(self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, Tensor]:
        return self._step(autograd.lstm_cell, input, () if hx is None else tuple(hx), pair=True)


class GRUCell(RNNCellBase):
    """One step of `nn.GRU`.

    Args:
        input_size: features of the input.
        hidden_size: features of the hidden state, H.
        bias: whether there are biases.
        device: ``"cpu"``.
        dtype: of the parameters; the default dtype by default.

    Shape:
        - Input: (B, input_size) or (input_size); ``hx`` (B, H) or (H), 0 by default
        - Output: as ``hx``

    Raises:
        ValueError: an input or a state of another number of dimensions.
        RuntimeError: shapes that do not fit.

    >>> import autograd, nn
    >>> nn.GRUCell(10, 20)(autograd.randn(3, 10)).shape
    torch.Size([3, 20])
    """

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        return self._step(autograd.gru_cell, input, () if hx is None else (hx,))
