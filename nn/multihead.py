"""Attention with several heads."""

from __future__ import annotations

from typing import Any

import autograd
from autograd.tensor import Tensor

from . import functional as F
from . import init
from .linear import NonDynamicallyQuantizableLinear
from .module import Module
from .parameter import Parameter

__all__ = ["MultiheadAttention"]


class MultiheadAttention(Module):
    r"""Attention of several heads, each with projections of its own, put side by side and projected once more.

    .. math::
        \operatorname{concat}_h \left( \operatorname{softmax} \left(
        \frac{Q W^Q_h (K W^K_h)^T}{\sqrt{d}} \right) V W^V_h \right) W^O

    Vaswani et al., "Attention Is All You Need" (2017), section 3.2.2.

    Args:
        embed_dim: E, size of each query and output; d is E / H.
        num_heads: H, which divides E.
        dropout: probability with which an attention weight is dropped while training.
        bias: whether the projections have biases.
        add_bias_kv: learn one more key and value, which every query sees.
        add_zero_attn: add a key and a value of zeros.
        kdim: size of each key; E by default.
        vdim: size of each value; E by default.
        batch_first: the batch is the first dimension, not the second.
        device: ``"cpu"``.
        dtype: of the parameters; the default dtype by default.

    Shape:
        - Query: ``(L, N, E)``; ``(N, L, E)`` with ``batch_first``; ``(L, E)`` for one example
        - Key, value: ``(S, N, kdim)`` and ``(S, N, vdim)``, likewise
        - Output: as the query; weights ``(N, L, S)``, ``(N, H, L, S)`` without the mean over heads

    Attributes:
        in_proj_weight: ``(3 E, E)``, drawn by Xavier's uniform rule; with other sizes of keys or values there are
            ``q_proj_weight`` ``(E, E)``, ``k_proj_weight`` ``(E, kdim)`` and ``v_proj_weight`` ``(E, vdim)`` instead.
        in_proj_bias: ``(3 E,)``, zeros.
        out_proj: the last projection, with a bias of zeros.

    Raises:
        ValueError: sizes that are not positive.
        AssertionError: ``num_heads`` does not divide ``embed_dim``.

    >>> import autograd, nn
    >>> x = autograd.randn(7, 2, 16)
    >>> output, weights = nn.MultiheadAttention(16, 4)(x, x, x)
    >>> output.shape, weights.shape
    (torch.Size([7, 2, 16]), torch.Size([2, 7, 7]))
    """

    bias_k: Parameter | None
    bias_v: Parameter | None

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if embed_dim <= 0 or num_heads <= 0:
            raise ValueError(
                "embed_dim and num_heads must be greater than 0, got "
                f"embed_dim={embed_dim} and num_heads={num_heads} instead"
            )
        super().__init__()
        self.embed_dim = embed_dim
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self._qkv_same_embed_dim = self.kdim == self.vdim == embed_dim
        self.num_heads = num_heads
        self.dropout = dropout
        self.batch_first = batch_first
        self.head_dim = embed_dim // num_heads
        if embed_dim % num_heads:
            raise AssertionError(f"embed_dim must be divisible by num_heads, but got {embed_dim} and {num_heads}")
        shapes = {
            "q_proj_weight": (embed_dim, embed_dim),
            "k_proj_weight": (embed_dim, self.kdim),
            "v_proj_weight": (embed_dim, self.vdim),
            "in_proj_weight": (3 * embed_dim, embed_dim),
        }
        absent: tuple[str, ...] = ("in_proj_weight",)
        if self._qkv_same_embed_dim:
            shapes = {"in_proj_weight": shapes.pop("in_proj_weight"), **shapes}
            absent = ("q_proj_weight", "k_proj_weight", "v_proj_weight")
        for name, shape in shapes.items():
            there = name not in absent
            self.register_parameter(
                name, Parameter(autograd.empty(shape, device=device, dtype=dtype)) if there else None
            )
        if bias:
            self.in_proj_bias = Parameter(autograd.empty(3 * embed_dim, device=device, dtype=dtype))
        else:
            self.register_parameter("in_proj_bias", None)
        self.out_proj = NonDynamicallyQuantizableLinear(embed_dim, embed_dim, bias=bias, device=device, dtype=dtype)
        if add_bias_kv:
            self.bias_k = Parameter(autograd.empty((1, 1, embed_dim), device=device, dtype=dtype))
            self.bias_v = Parameter(autograd.empty((1, 1, embed_dim), device=device, dtype=dtype))
        else:
            self.bias_k = self.bias_v = None
        self.add_zero_attn = add_zero_attn
        self._reset_parameters()

    def _reset_parameters(self) -> None:
        for weight in (self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight):
            if weight is not None:
                init.xavier_uniform_(weight)
        if self.in_proj_bias is not None:
            init.constant_(self.in_proj_bias, 0.0)
            init.constant_(self.out_proj.bias, 0.0)
        for bias in (self.bias_k, self.bias_v):
            if bias is not None:
                init.xavier_normal_(bias)

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """The attended values, and the weights if ``need_weights``.

        Args:
            query: see the class for shapes.
            key: likewise.
            value: likewise.
            key_padding_mask: ``(N, S)``: True where a key is padding, or numbers to add to its scores.
            need_weights: return the weights, too.
            attn_mask: ``(L, S)`` or ``(N H, L, S)``: True where a key must not be looked at, or numbers to add.
            average_attn_weights: return the mean of the weights over the heads.
            is_causal: a hint that ``attn_mask`` is the causal one.
        """
        if query.is_nested:
            if key_padding_mask is not None or attn_mask is not None:
                raise AssertionError(
                    "MultiheadAttention takes no masks with nested tensors; pad them, or unbind() them"
                )
            return self._by_component(query, key, value, need_weights, average_attn_weights)
        swapped = self.batch_first and query.dim() == 3
        if swapped:
            itself, shared = query is key is value, key is value
            query = query.transpose(1, 0)
            key = query if itself else key.transpose(1, 0)
            value = key if shared else value.transpose(1, 0)
        output, weights = F.multi_head_attention_forward(
            query,
            key,
            value,
            self.embed_dim,
            self.num_heads,
            self.in_proj_weight,
            self.in_proj_bias,
            self.bias_k,
            self.bias_v,
            self.add_zero_attn,
            self.dropout,
            self.out_proj.weight,
            self.out_proj.bias,
            training=self.training,
            key_padding_mask=key_padding_mask,
            need_weights=need_weights,
            attn_mask=attn_mask,
            use_separate_proj_weight=not self._qkv_same_embed_dim,
            q_proj_weight=self.q_proj_weight,
            k_proj_weight=self.k_proj_weight,
            v_proj_weight=self.v_proj_weight,
            average_attn_weights=average_attn_weights,
            is_causal=is_causal,
        )
        return output.transpose(1, 0) if swapped else output, weights

    def _by_component(
        self, query: Tensor, key: Tensor, value: Tensor, need_weights: bool, average: bool
    ) -> tuple[Tensor, Tensor | None]:
        """Nested tensors: each component is an example of its own."""
        from autograd.ops.nested.operators import by_component

        weights: list[Any] = []

        def attend(query: Tensor, *others: Tensor) -> Tensor:
            key, value = others or (query, query)
            output, seen = self(query, key, value, need_weights=need_weights, average_attn_weights=average)
            weights.append(seen)
            return output

        others: Any = () if query is key is value else (key, value)
        output: Any = by_component(attend, query, *others)
        return output, autograd.nested.as_nested_tensor(weights) if need_weights else None
