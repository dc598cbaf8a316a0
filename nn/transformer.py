"""The Transformer: layers of attention and of small networks, with residual connections around both."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import autograd
from autograd.tensor import Tensor

from . import functional as F
from . import init
from .container import ModuleList
from .dropout import Dropout
from .linear import Linear
from .module import Module
from .multihead import MultiheadAttention
from .normalization import LayerNorm

__all__ = [
    "Transformer", "TransformerDecoder", "TransformerDecoderLayer", "TransformerEncoder", "TransformerEncoderLayer",
]  # fmt: skip

Activation = str | Callable[[Tensor], Tensor]


def _activation(given: Activation) -> Callable[[Tensor], Tensor]:
    if not isinstance(given, str):
        return given
    if given not in ("relu", "gelu"):
        raise RuntimeError(f"activation should be relu/gelu, not {given}")
    return getattr(F, given)


def _causal_mask(size: int, dtype: Any = None, device: Any = None) -> Tensor:
    return autograd.triu(autograd.full((size, size), -math.inf, dtype=dtype, device=device), diagonal=1)


def _is_causal(mask: Tensor | None, hint: bool | None, size: int) -> bool:
    """Whether a mask is the causal one: as the caller says, or found out by comparing."""
    if hint is not None or mask is None:
        return bool(hint)
    causal = _causal_mask(size, dtype=mask.dtype)
    return mask.shape == causal.shape and autograd.equal(mask, causal)


class _Layer(Module):
    """What encoder and decoder layers share: the small network, and how a sublayer is put into its residual path."""

    self_attn: MultiheadAttention
    linear1: Linear
    dropout: Dropout
    linear2: Linear
    norm_first: bool
    activation: Callable[[Tensor], Tensor]

    def _attend(self, attention: MultiheadAttention, x: Tensor, memory: Tensor, *masks: Any) -> Tensor:
        mask, padding, is_causal = masks
        return attention(
            x, memory, memory, attn_mask=mask, key_padding_mask=padding, is_causal=is_causal, need_weights=False
        )[0]

    def _network(self, x: Tensor) -> Tensor:
        return self.linear2(self.dropout(self.activation(self.linear1(x))))

    def _residual(self, x: Tensor, norm: Module, dropout: Module, sublayer: Callable[[Tensor], Tensor]) -> Tensor:
        if self.norm_first:
            return x + dropout(sublayer(norm(x)))
        return norm(x + dropout(sublayer(x)))


class TransformerEncoderLayer(_Layer):
    r"""Self-attention, then a network of two linear layers, each as :math:`\operatorname{norm}(x + f(x))`.

    Vaswani et al., "Attention Is All You Need" (2017), section 3.1.

    Args:
        d_model: E, size of each position.
        nhead: heads of the attention.
        dim_feedforward: width of the network.
        dropout: probability of a zero, in four places.
        activation: ``"relu"``, ``"gelu"``, or a function.
        layer_norm_eps: of the normalizations.
        batch_first: the batch is the first dimension, not the second.
        norm_first: normalize before each part: :math:`x + f(\operatorname{norm}(x))`.
        bias: whether linear layers and normalizations have biases.
        device: ``"cpu"``.
        dtype: of the parameters; the default dtype by default.

    Shape:
        - Input, output: ``(L, N, E)``; ``(N, L, E)`` with ``batch_first``; ``(L, E)`` for one example

    Raises:
        RuntimeError: an unknown ``activation``.

    >>> import autograd, nn
    >>> nn.TransformerEncoderLayer(d_model=16, nhead=4)(autograd.rand(10, 2, 16)).shape
    torch.Size([10, 2, 16])
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        made: dict[str, Any] = {"bias": bias, "device": device, "dtype": dtype}
        self.self_attn = MultiheadAttention(d_model, nhead, dropout=dropout, batch_first=batch_first, **made)
        self.linear1 = Linear(d_model, dim_feedforward, **made)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, **made)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, eps=layer_norm_eps, **made)
        self.norm2 = LayerNorm(d_model, eps=layer_norm_eps, **made)
        self.dropout1 = Dropout(dropout)
        self.dropout2 = Dropout(dropout)
        self.activation = _activation(activation)

    def forward(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool = False,
    ) -> Tensor:
        """The layer's output; masks as in `MultiheadAttention`."""
        masks = src_mask, src_key_padding_mask, is_causal
        x = self._residual(src, self.norm1, self.dropout1, lambda x: self._attend(self.self_attn, x, x, *masks))
        return self._residual(x, self.norm2, self.dropout2, self._network)


class TransformerDecoderLayer(_Layer):
    r"""Self-attention, attention to an encoder's output, then a network, each as :math:`\operatorname{norm}(x + f(x))`.

    Args:
        d_model: E, size of each position.
        nhead: heads of the attentions.
        dim_feedforward: width of the network.
        dropout: probability of a zero.
        activation: ``"relu"``, ``"gelu"``, or a function.
        layer_norm_eps: of the normalizations.
        batch_first: the batch is the first dimension, not the second.
        norm_first: normalize before each part.
        bias: whether linear layers and normalizations have biases.
        device: ``"cpu"``.
        dtype: of the parameters; the default dtype by default.

    Shape:
        - Target, output: ``(L, N, E)``; ``(N, L, E)`` with ``batch_first``; ``(L, E)`` for one example
        - Memory: ``(S, N, E)``, likewise

    Raises:
        RuntimeError: an unknown ``activation``.

    >>> import autograd, nn
    >>> layer = nn.TransformerDecoderLayer(d_model=16, nhead=4)
    >>> layer(autograd.rand(5, 2, 16), autograd.rand(10, 2, 16)).shape
    torch.Size([5, 2, 16])
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        made: dict[str, Any] = {"bias": bias, "device": device, "dtype": dtype}
        self.self_attn = MultiheadAttention(d_model, nhead, dropout=dropout, batch_first=batch_first, **made)
        self.multihead_attn = MultiheadAttention(d_model, nhead, dropout=dropout, batch_first=batch_first, **made)
        self.linear1 = Linear(d_model, dim_feedforward, **made)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, **made)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, eps=layer_norm_eps, **made)
        self.norm2 = LayerNorm(d_model, eps=layer_norm_eps, **made)
        self.norm3 = LayerNorm(d_model, eps=layer_norm_eps, **made)
        self.dropout1 = Dropout(dropout)
        self.dropout2 = Dropout(dropout)
        self.dropout3 = Dropout(dropout)
        self.activation = _activation(activation)

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """The layer's output; masks as in `MultiheadAttention`."""
        own = tgt_mask, tgt_key_padding_mask, tgt_is_causal
        other = memory_mask, memory_key_padding_mask, memory_is_causal
        x = self._residual(tgt, self.norm1, self.dropout1, lambda x: self._attend(self.self_attn, x, x, *own))
        x = self._residual(x, self.norm2, self.dropout2, lambda x: self._attend(self.multihead_attn, x, memory, *other))
        return self._residual(x, self.norm3, self.dropout3, self._network)


class _Stack(Module):
    """Copies of one layer, one on the other."""

    norm: Module | None

    def __init__(self, layer: Any, num_layers: int, norm: Module | None) -> None:
        super().__init__()
        self.layers = ModuleList([copy.deepcopy(layer) for _ in range(num_layers)])
        self.num_layers = num_layers
        self.norm = norm

    def _length(self, x: Tensor) -> int:
        """Positions of an input, batched or not; none that all components of a nested one have."""
        return 0 if x.is_nested else x.shape[1 if x.dim() == 3 and self.layers[0].self_attn.batch_first else 0]


class TransformerEncoder(_Stack):
    """Copies of an encoder layer, one on the other.

    Args:
        encoder_layer: the layer, which is copied.
        num_layers: how often.
        norm: applied to the output, or None.
        enable_nested_tensor: accepted; padding is computed and masked.
        mask_check: accepted, belongs to ``enable_nested_tensor``.

    Shape:
        - Input, output: as those of the layer

    >>> import autograd, nn
    >>> layer = nn.TransformerEncoderLayer(d_model=16, nhead=4)
    >>> nn.TransformerEncoder(layer, num_layers=2)(autograd.rand(10, 2, 16)).shape
    torch.Size([10, 2, 16])
    """

    def __init__(
        self,
        encoder_layer: TransformerEncoderLayer,
        num_layers: int,
        norm: Module | None = None,
        enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ) -> None:
        super().__init__(encoder_layer, num_layers, norm)
        self.enable_nested_tensor = enable_nested_tensor
        self.mask_check = mask_check

    def forward(
        self,
        src: Tensor,
        mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool | None = None,
    ) -> Tensor:
        """The last layer's output; ``is_causal`` says whether ``mask`` is the causal one, None looks."""
        causal = _is_causal(mask, is_causal, self._length(src))
        for layer in self.layers:
            src = layer(src, src_mask=mask, is_causal=causal, src_key_padding_mask=src_key_padding_mask)
        return src if self.norm is None else self.norm(src)


class TransformerDecoder(_Stack):
    """Copies of a decoder layer, one on the other.

    Args:
        decoder_layer: the layer, which is copied.
        num_layers: how often.
        norm: applied to the output, or None.

    Shape:
        - Target, memory, output: as those of the layer

    >>> import autograd, nn
    >>> layer = nn.TransformerDecoderLayer(d_model=16, nhead=4)
    >>> nn.TransformerDecoder(layer, num_layers=2)(autograd.rand(5, 2, 16), autograd.rand(10, 2, 16)).shape
    torch.Size([5, 2, 16])
    """

    def __init__(self, decoder_layer: TransformerDecoderLayer, num_layers: int, norm: Module | None = None) -> None:
        super().__init__(decoder_layer, num_layers, norm)

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """The last layer's output; ``tgt_is_causal`` says whether ``tgt_mask`` is the causal one, None looks."""
        causal = _is_causal(tgt_mask, tgt_is_causal, self._length(tgt))
        for layer in self.layers:
            tgt = layer(
                tgt,
                memory,
                tgt_mask=tgt_mask,
                memory_mask=memory_mask,
                tgt_key_padding_mask=tgt_key_padding_mask,
                memory_key_padding_mask=memory_key_padding_mask,
                tgt_is_causal=causal,
                memory_is_causal=memory_is_causal,
            )
        return tgt if self.norm is None else self.norm(tgt)


class Transformer(Module):
    """An encoder and a decoder that attends to its output. Vaswani et al., "Attention Is All You Need" (2017).

    Args:
        d_model: E, size of each position.
        nhead: heads of the attentions.
        num_encoder_layers: layers of the encoder.
        num_decoder_layers: layers of the decoder.
        dim_feedforward: width of the networks.
        dropout: probability of a zero.
        activation: ``"relu"``, ``"gelu"``, or a function.
        custom_encoder: in place of the encoder.
        custom_decoder: in place of the decoder.
        layer_norm_eps: of the normalizations.
        batch_first: the batch is the first dimension, not the second.
        norm_first: normalize before each part.
        bias: whether linear layers and normalizations have biases.
        device: ``"cpu"``.
        dtype: of the parameters; the default dtype by default.

    Shape:
        - Source: ``(S, N, E)``; ``(N, S, E)`` with ``batch_first``; ``(S, E)`` for one example
        - Target, output: ``(T, N, E)``, likewise

    >>> import autograd, nn
    >>> model = nn.Transformer(d_model=16, nhead=4, num_encoder_layers=1, num_decoder_layers=1, dim_feedforward=32)
    >>> model(autograd.rand(10, 2, 16), autograd.rand(7, 2, 16)).shape
    torch.Size([7, 2, 16])
    """

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        custom_encoder: Any = None,
        custom_decoder: Any = None,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        sizes = d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first
        made: dict[str, Any] = {"bias": bias, "device": device, "dtype": dtype}
        if custom_encoder is None:
            encoder_layer = TransformerEncoderLayer(*sizes, **made)
            norm = LayerNorm(d_model, eps=layer_norm_eps, **made)
            custom_encoder = TransformerEncoder(encoder_layer, num_encoder_layers, norm)
        self.encoder = custom_encoder
        if custom_decoder is None:
            decoder_layer = TransformerDecoderLayer(*sizes, **made)
            norm = LayerNorm(d_model, eps=layer_norm_eps, **made)
            custom_decoder = TransformerDecoder(decoder_layer, num_decoder_layers, norm)
        self.decoder = custom_decoder
        self._reset_parameters()
        self.d_model = d_model
        self.nhead = nhead
        self.batch_first = batch_first

    def forward(
        self,
        src: Tensor,
        tgt: Tensor,
        src_mask: Tensor | None = None,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        src_is_causal: bool | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """The decoder's output; masks as in `MultiheadAttention`.

        Raises:
            RuntimeError: batches of different sizes, or positions that are not of size ``d_model``.
        """
        batch = 0 if self.batch_first else 1
        if src.dim() == 3 and src.size(batch) != tgt.size(batch):
            raise RuntimeError(
                f"the batch number of src and tgt must be equal, but got {list(src.shape)} and {list(tgt.shape)}"
            )
        if src.size(-1) != self.d_model or tgt.size(-1) != self.d_model:
            raise RuntimeError(
                f"the feature number of src and tgt must be equal to d_model={self.d_model}, but got "
                f"{list(src.shape)} and {list(tgt.shape)}"
            )
        memory = self.encoder(src, mask=src_mask, src_key_padding_mask=src_key_padding_mask, is_causal=src_is_causal)
        return self.decoder(
            tgt,
            memory,
            tgt_mask=tgt_mask,
            memory_mask=memory_mask,
            tgt_key_padding_mask=tgt_key_padding_mask,
            memory_key_padding_mask=memory_key_padding_mask,
            tgt_is_causal=tgt_is_causal,
            memory_is_causal=memory_is_causal,
        )

    @staticmethod
    def generate_square_subsequent_mask(sz: int, device: Any = None, dtype: Any = None) -> Tensor:
        """The causal mask: (sz, sz), -inf above the diagonal and 0 elsewhere."""
        return _causal_mask(sz, dtype, device)

    def _reset_parameters(self) -> None:
        for p in self.parameters():
            if p.dim() > 1:
                init.xavier_uniform_(p)
