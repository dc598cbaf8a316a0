"""Recurrent networks: of Elman, LSTM and GRU."""

from __future__ import annotations

import math
import numbers
import warnings
from collections.abc import Callable
from typing import Any

import autograd
from autograd.tensor import Tensor

from . import init
from .module import Module
from .parameter import Parameter
from .utils.rnn import PackedSequence

__all__ = ["GRU", "LSTM", "RNN", "RNNBase"]

GATES = {"LSTM": 4, "GRU": 3, "RNN_TANH": 1, "RNN_RELU": 1}


class RNNBase(Module):
    """What RNN, LSTM and GRU share: weights of all layers and directions, and the handling of inputs and states.

    Args:
        mode: ``"RNN_TANH"``, ``"RNN_RELU"``, ``"LSTM"`` or ``"GRU"``.
        input_size: features of the input.
        hidden_size: features of the hidden state, H.
        num_layers: each layer but the first reads the one before.
        bias: whether there are biases.
        batch_first: inputs and outputs are (B, T, ·), not (T, B, ·); states are not concerned.
        dropout: probability of dropout behind each layer but the last, while training.
        bidirectional: a second direction walks from the last step to the first.
        proj_size: the LSTM's hidden states are projected to so many features; 0 for no projection.
        device: ``"cpu"``.
        dtype: of the parameters; the default dtype by default.

    Attributes:
        weight_ih_l[k]: (G·H, input_size), G = 4, 3 or 1 being the number of gates; what layer k reads. Behind the
            first layer (G·H, directions·H). Names of the second direction end in ``_reverse``.
        weight_hh_l[k]: (G·H, H).
        bias_ih_l[k], bias_hh_l[k]: (G·H,).
        weight_hr_l[k]: (proj_size, H), where there is a projection.

        All are drawn from U(-√k, √k) with k = 1 / hidden_size.

    Raises:
        ValueError: sizes that are not positive, ``dropout`` outside of [0, 1], or a projection that is not smaller.
        TypeError: sizes that are not integers, flags that are not bools.
    """

    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.mode = mode
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        self._check_sizes(dropout)
        gates = GATES[mode] * hidden_size
        outputs = proj_size or hidden_size
        self._all_weights: list[list[str]] = []
        for layer in range(num_layers):
            inputs = outputs * self._directions if layer else input_size
            shapes: dict[str, tuple[int, ...]] = {"weight_ih": (gates, inputs), "weight_hh": (gates, outputs)}
            if bias:
                shapes |= {"bias_ih": (gates,), "bias_hh": (gates,)}
            if proj_size:
                shapes["weight_hr"] = (proj_size, hidden_size)
            for direction in ("", "_reverse")[: self._directions]:
                named = {f"{name}_l{layer}{direction}": shape for name, shape in shapes.items()}
                for name, shape in named.items():
                    setattr(self, name, Parameter(autograd.empty(shape, device=device, dtype=dtype)))
                self._all_weights.append(list(named))
        self.reset_parameters()

    def _check_sizes(self, dropout: Any) -> None:
        if not isinstance(dropout, numbers.Number) or isinstance(dropout, bool) or not 0 <= self.dropout <= 1:
            raise ValueError(f"dropout should be a number in range [0, 1], the probability of a zero, got {dropout!r}")
        if self.dropout > 0 and self.num_layers == 1:
            warnings.warn(
                "dropout option adds dropout after all but last recurrent layer, so non-zero dropout expects "
                f"num_layers greater than 1, but got dropout={dropout} and num_layers={self.num_layers}",
                stacklevel=4,
            )
        for name in ("bias", "batch_first"):
            if not isinstance(getattr(self, name), bool):
                raise TypeError(f"{name} should be of type bool, got: {type(getattr(self, name)).__name__}")
        for name in ("input_size", "hidden_size"):
            if not isinstance(getattr(self, name), int):
                raise TypeError(f"{name} should be of type int, got: {type(getattr(self, name)).__name__}")
        for name in ("input_size", "hidden_size", "num_layers"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be greater than zero, got {getattr(self, name)}")
        if self.proj_size < 0:
            raise ValueError(f"proj_size should be a positive integer or zero (no projection), got {self.proj_size}")
        if self.proj_size >= self.hidden_size:
            raise ValueError(f"proj_size={self.proj_size} has to be smaller than hidden_size={self.hidden_size}")
        if self.mode not in GATES:
            raise ValueError(f"Unrecognized RNN mode: {self.mode}")

    @property
    def _directions(self) -> int:
        return 2 if self.bidirectional else 1

    @property
    def all_weights(self) -> list[list[Parameter]]:
        """The parameters of each layer and direction."""
        return [[getattr(self, name) for name in names] for names in self._all_weights]

    @property
    def _flat_weights_names(self) -> list[str]:
        return [name for names in self._all_weights for name in names]

    @property
    def _flat_weights(self) -> list[Any]:
        """The parameters in a row, as they are now: another tensor may stand under a parameter's name."""
        return [getattr(self, name, None) for name in self._flat_weights_names]

    def __setattr__(self, name: str, value: Any) -> None:
        if name != "_flat_weights":
            super().__setattr__(name, value)
            return
        for each, weight in zip(self._flat_weights_names, value, strict=True):
            super().__setattr__(each, weight)

    def flatten_parameters(self) -> None:
        """Does nothing: for programs that run on GPUs, too, where it puts the weights into one memory."""

    def reset_parameters(self) -> None:
        """Draws new weights."""
        draw_uniformly(self, self.hidden_size)

    def check_input(self, input: Tensor, batch_sizes: Tensor | None) -> None:
        """Refuses an input of another dtype than the weights', or of a wrong shape.

        Raises:
            ValueError: another dtype.
            RuntimeError: a wrong shape.
        """
        dtype = self._flat_weights[0].dtype
        if input.dtype is not dtype:
            raise ValueError(
                f"RNN input dtype ({input.dtype}) does not match weight dtype ({dtype}). "
                f"Convert input: input.to({dtype}), or convert model: model.to({input.dtype})"
            )
        expected = 3 if batch_sizes is None else 2
        if input.dim() != expected:
            raise RuntimeError(f"input must have {expected} dimensions, got {input.dim()}")
        if input.size(-1) != self.input_size:
            raise RuntimeError(
                f"input.size(-1) must be equal to input_size. Expected {self.input_size}, got {input.size(-1)}"
            )

    def get_expected_hidden_size(self, input: Tensor, batch_sizes: Tensor | None) -> tuple[int, int, int]:
        """The shape of the hidden state for an input."""
        if batch_sizes is None:
            batch = input.size(0 if self.batch_first else 1)
        else:
            batch = int(batch_sizes[0])
        return self.num_layers * self._directions, batch, self.proj_size or self.hidden_size

    def check_hidden_size(
        self, hx: Tensor, expected_hidden_size: tuple[int, int, int], msg: str = "Expected hidden size {}, got {}"
    ) -> None:
        """Refuses a state of another shape.

        Raises:
            RuntimeError: says ``msg``.
        """
        if tuple(hx.size()) != expected_hidden_size:
            raise RuntimeError(msg.format(expected_hidden_size, list(hx.size())))

    def check_forward_args(self, input: Tensor, hidden: Any, batch_sizes: Tensor | None) -> None:
        """Refuses input and states that do not fit."""
        self.check_input(input, batch_sizes)
        self.check_hidden_size(hidden, self.get_expected_hidden_size(input, batch_sizes))

    def permute_hidden(self, hx: Any, permutation: Tensor | None) -> Any:
        """The states with their sequences in another order."""
        return hx if permutation is None else self._each(lambda state: state.index_select(1, permutation), hx)

    def _each(self, function: Callable[[Tensor], Any], hx: Any) -> Any:
        return function(hx)

    def _first_states(self, input: Tensor, batch_sizes: Tensor | None) -> Any:
        return autograd.zeros(self.get_expected_hidden_size(input, batch_sizes), dtype=input.dtype)

    def _check_dimensions(self, hx: Any, expected: int) -> None:
        if hx.dim() != expected:
            kind = "batched 3-D" if expected == 3 else "unbatched 2-D"
            raise RuntimeError(f"For {kind} input, hx should also be {expected}-D but got {hx.dim()}-D tensor")

    def _run(self, input: Any, hx: Any) -> tuple[Any, Any]:
        if isinstance(input, PackedSequence):
            data, batch_sizes, order, back = input
            hx = self._first_states(data, batch_sizes) if hx is None else self.permute_hidden(hx, order)
            output, states = self._layers(data, hx, batch_sizes)
            return PackedSequence(output, batch_sizes, order, back), self.permute_hidden(states, back)
        if input.dim() not in (2, 3):
            raise ValueError(f"{type(self).__name__}: Expected input to be 2D or 3D, got {input.dim()}D instead")
        if hx is not None:
            self._check_dimensions(hx, input.dim())
        if input.dim() == 3:
            return self._layers(input, self._first_states(input, None) if hx is None else hx, None)
        batch_dim = 0 if self.batch_first else 1
        input = input.unsqueeze(batch_dim)
        hx = self._first_states(input, None) if hx is None else self._each(lambda state: state.unsqueeze(1), hx)
        output, states = self._layers(input, hx, None)
        return output.squeeze(batch_dim), self._each(lambda state: state.squeeze(1), states)

    def _layers(self, input: Tensor, hx: Any, batch_sizes: Tensor | None) -> tuple[Tensor, Any]:
        self.check_forward_args(input, hx, batch_sizes)
        network = getattr(autograd, self.mode.lower())
        options = (self._flat_weights, self.bias, self.num_layers, self.dropout, self.training, self.bidirectional)
        if batch_sizes is None:
            output, *states = network(input, hx, *options, self.batch_first)
        else:
            output, *states = network(input, batch_sizes, hx, *options)
        return output, states[0] if len(states) == 1 else tuple(states)

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        defaults = {"proj_size": 0, "num_layers": 1, "bias": True, "batch_first": False, "dropout": 0}
        for name, default in (defaults | {"bidirectional": False}).items():
            if getattr(self, name) != default:
                text += f", {name}={getattr(self, name)}"
        return text


def draw_uniformly(module: Module, hidden_size: int) -> None:
    """Draws all parameters from U(-√k, √k) with k = 1 / hidden_size."""
    bound = 1 / math.sqrt(hidden_size) if hidden_size > 0 else 0
    for weight in module.parameters():
        init.uniform_(weight, -bound, bound)


def refuse_projection(proj_size: int | None) -> None:
    if proj_size is not None:
        raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")


class RNN(RNNBase):
    r"""The recurrent network of Elman, "Finding structure in time" (1990).

    .. math::
        h_t = \tanh(W_{ih} x_t + b_{ih} + W_{hh} h_{t-1} + b_{hh})

    Args:
        input_size: features of the input.
        hidden_size: features of the hidden state, H.
        num_layers: each layer but the first reads the one before.
        nonlinearity: ``"tanh"`` or ``"relu"``.
        bias, batch_first, dropout, bidirectional, device, dtype: see `RNNBase`, as well as for the parameters.

    Shape:
        - Input: (T, B, input_size), (T, input_size) or a `PackedSequence`; ``hx`` (layers · directions, B, H), 0 by
          default
        - Output: (T, B, directions · H), or packed; the last states, shaped as ``hx``

    >>> import autograd, nn
    >>> output, h = nn.RNN(10, 20, 2)(autograd.randn(5, 3, 10))
    >>> output.shape, h.shape
    (torch.Size([5, 3, 20]), torch.Size([2, 3, 20]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
        proj_size: int | None = None,
    ) -> None:
        refuse_projection(proj_size)
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or 'relu'.")
        mode = f"RNN_{nonlinearity.upper()}"
        super().__init__(
            mode, input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, 0, device, dtype
        )
        self.nonlinearity = nonlinearity

    def forward(self, input: Any, hx: Tensor | None = None) -> tuple[Any, Tensor]:
        return self._run(input, hx)


class LSTM(RNNBase):
    r"""Long short-term memory; Hochreiter and Schmidhuber (1997), with the forget gate of Gers et al. (2000).

    .. math::
        i, f, o = \sigma(W_{ih} x_t + b_{ih} + W_{hh} h_{t-1} + b_{hh}), \quad g = \tanh(\text{the same}), \quad
        c_t = f c_{t-1} + i g, \quad h_t = o \tanh c_t

    The rows of the weights belong to i, f, g and o.

    Args:
        input_size: features of the input.
        hidden_size: features of the cell, H.
        num_layers: each layer but the first reads the one before.
        bias, batch_first, dropout, bidirectional, proj_size, device, dtype: see `RNNBase`, as well as for the
            parameters.

    Shape:
        - Input: (T, B, input_size), (T, input_size) or a `PackedSequence`; ``hx`` is the pair of hidden state
          (layers · directions, B, proj_size or H) and cell (layers · directions, B, H), 0 by default
        - Output: (T, B, directions · (proj_size or H)), or packed; the pair of last states, shaped as ``hx``

    >>> import autograd, nn
    >>> output, (h, c) = nn.LSTM(10, 20, 2, bidirectional=True)(autograd.randn(5, 3, 10))
    >>> output.shape, h.shape, c.shape
    (torch.Size([5, 3, 40]), torch.Size([4, 3, 20]), torch.Size([4, 3, 20]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            "LSTM", input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, proj_size, device,
            dtype,
        )  # fmt: skip

    def get_expected_cell_size(self, input: Tensor, batch_sizes: Tensor | None) -> tuple[int, int, int]:
        """The shape of the cell for an input."""
        return (*self.get_expected_hidden_size(input, batch_sizes)[:2], self.hidden_size)

    def check_forward_args(self, input: Tensor, hidden: Any, batch_sizes: Tensor | None) -> None:
        self.check_input(input, batch_sizes)
        hidden_size = self.get_expected_hidden_size(input, batch_sizes)
        self.check_hidden_size(hidden[0], hidden_size, "Expected hidden[0] size {}, got {}")
        cell_size = self.get_expected_cell_size(input, batch_sizes)
        self.check_hidden_size(hidden[1], cell_size, "Expected hidden[1] size {}, got {}")

    def _each(self, function: Callable[[Tensor], Any], hx: Any) -> Any:
        return function(hx[0]), function(hx[1])

    def _first_states(self, input: Tensor, batch_sizes: Tensor | None) -> Any:
        cell = autograd.zeros(self.get_expected_cell_size(input, batch_sizes), dtype=input.dtype)
        return super()._first_states(input, batch_sizes), cell

    def _check_dimensions(self, hx: Any, expected: int) -> None:
        if hx[0].dim() != expected or hx[1].dim() != expected:
            kind = "batched 3-D" if expected == 3 else "unbatched 2-D"
            raise RuntimeError(
                f"For {kind} input, hx and cx should also be {expected}-D but got ({hx[0].dim()}-D, {hx[1].dim()}-D) "
                "tensors"
            )

    def forward(self, input: Any, hx: tuple[Tensor, Tensor] | None = None) -> tuple[Any, tuple[Tensor, Tensor]]:
        return self._run(input, hx)


class GRU(RNNBase):
    r"""Gated recurrent units; Cho et al. (2014), with the reset gate behind the product with the hidden state.

    .. math::
        r, z = \sigma(W_{ih} x_t + b_{ih} + W_{hh} h_{t-1} + b_{hh}), \quad
        n = \tanh(W_{in} x_t + b_{in} + r (W_{hn} h_{t-1} + b_{hn})), \quad h_t = (1 - z) n + z h_{t-1}

    The rows of the weights belong to r, z and n.

    Args:
        input_size: features of the input.
        hidden_size: features of the hidden state, H.
        num_layers: each layer but the first reads the one before.
        bias, batch_first, dropout, bidirectional, device, dtype: see `RNNBase`, as well as for the parameters.

    Shape:
        - Input: (T, B, input_size), (T, input_size) or a `PackedSequence`; ``hx`` (layers · directions, B, H), 0 by
          default
        - Output: (T, B, directions · H), or packed; the last states, shaped as ``hx``

    >>> import autograd, nn
    >>> output, h = nn.GRU(10, 20, batch_first=True)(autograd.randn(3, 5, 10))
    >>> output.shape, h.shape
    (torch.Size([3, 5, 20]), torch.Size([1, 3, 20]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
        proj_size: int | None = None,
    ) -> None:
        refuse_projection(proj_size)
        super().__init__(
            "GRU", input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, 0, device, dtype
        )

    def forward(self, input: Any, hx: Tensor | None = None) -> tuple[Any, Tensor]:
        return self._run(input, hx)
