"""Attention: weighted means of values, weighted by how well their keys fit a query."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from ... import kernels
from ...backends import cuda
from ...forward_ad import pull_through
from ...rows.batching import is_batched
from ...rows.dispatch import apply
from ...rows.public import function
from ...rows.table import Array, _, coarse
from ...rows.writes import type_name
from ...tensor import Tensor, node_of, wrap
from ..convert import check_tensor
from ..shape import cat
from .dropouts import dropout

__all__ = ["attention", "multi_head_attention_forward", "scaled_dot_product_attention"]

FUSED = (np.float32, np.float64)


@coarse(
    latex=r"\operatorname{softmax}(s \, Q K^T + M) V",
    extras=("tops", "shares"),
    home="",
    node_name="ScaledDotProductFlashAttentionForCpu",
    complex=False,
)
def attention(query: Array, key: Array, value: Array, mask: Array, scale, is_causal):
    return kernels.attention.forward(query, key, value, mask, scale, is_causal)


@attention.gradient("query", "key", "value")
def _(g, query, key, value, mask, out, tops, shares, scale, is_causal):
    if not isinstance(query, Tensor):
        return kernels.attention.backward(g, query, key, value, mask, out, tops, shares, scale, is_causal)
    # To be differentiated again.
    return pull_through(lambda q, k, v: [_composed(q, k, v, mask, 0.0, is_causal, scale)], (query, key, value), [g])


def _is_fused(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, scale: float) -> bool:
    """Whether one row serves these tensors: it learns no mask, broadcasts nothing else and does not work on nothing."""
    if any(x is not None and is_batched(x) for x in (query, key, value, mask)):
        return False
    (*batch, queries, width), (*of_keys, keys, k_width), (*of_values, values, _width) = (
        x.shape for x in (query, key, value)
    )
    fits = batch == of_keys == of_values and width == k_width and keys == values
    if mask is not None:
        sizes = zip(mask.shape[::-1], (keys, queries, *batch[::-1]), strict=False)
        fits = fits and mask.ndim <= query.ndim and all(own in (1, size) for own, size in sizes)
        fits = fits and node_of(mask) is None and scale != 0
    return fits and query._array.dtype in FUSED and 0 not in (*query.shape, *value.shape)


@function(torch=False, functional=True, method=False)
def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """``softmax(query key^T scale + mask) value``: Vaswani et al., "Attention Is All You Need" (2017), section 3.2.1.

    Args:
        query: (..., L, E).
        key: (..., S, E).
        value: (..., S, V).
        attn_mask: broadcast to (..., L, S): bool, where True takes part, or numbers that are added to the scores. A
            query for which nothing takes part gets zeros.
        dropout_p: the probability with which a weight is dropped, always: pass 0 for evaluation.
        is_causal: a query sees the keys up to its own position; instead of a mask.
        scale: ``1 / sqrt(E)`` by default.
        enable_gqa: several heads of queries (the third dimension from the right) share one of keys and values.

    Returns:
        (..., L, V).

    Raises:
        RuntimeError: shapes or dtypes that do not fit, a mask beside ``is_causal``, a probability out of range, or
            `nn.attention.sdpa_kernel` allows no kernel.

    >>> import autograd
    >>> q = k = autograd.eye(2) * 100
    >>> autograd.nn.functional.scaled_dot_product_attention(q, k, autograd.tensor([[1.0], [2.0]]))
    tensor([[1.],
            [2.]])
    """
    arrays = [
        check_tensor("scaled_dot_product_attention", n, x)._array
        for n, x in (("query", query), ("key", key), ("value", value))
    ]
    if min(x.ndim for x in arrays) < 2:
        raise RuntimeError(
            "scaled_dot_product_attention: query, key and value must have at least 2 dimensions, but got shapes "
            f"{list(query.shape)}, {list(key.shape)} and {list(value.shape)}"
        )
    if len({x.dtype for x in arrays}) > 1:
        raise RuntimeError(
            "scaled_dot_product_attention: Expected query, key, and value to have the same dtype, but got "
            f"{', '.join(type_name(x.dtype) for x in arrays)}"
        )
    if arrays[0].dtype.itemsize < 4:  # halves are computed with in float32, and rounded once
        wide = (x.float() for x in (query, key, value))
        mask = attn_mask if attn_mask is None or attn_mask._array.dtype == np.bool_ else attn_mask.float()
        result = scaled_dot_product_attention(*wide, mask, dropout_p, is_causal, scale, enable_gqa)
        return result.to(query.dtype)
    if attn_mask is not None:
        if is_causal:
            raise RuntimeError("scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True")
        if attn_mask.dtype is not query.dtype and attn_mask._array.dtype not in (np.bool_, np.float32):
            raise RuntimeError(
                "scaled_dot_product_attention: Expected attn_mask dtype to be bool or float or to match query dtype, "
                f"but got {attn_mask.dtype} and {query.dtype}"
            )
    if enable_gqa:
        heads = query.shape[-3]
        if heads % key.shape[-3] or heads % value.shape[-3]:
            raise RuntimeError(
                "scaled_dot_product_attention: Number of heads in key and value must divide the number of heads in "
                f"query, but got {key.shape[-3]}, {value.shape[-3]} and {heads}"
            )
        key = key.repeat_interleave(heads // key.shape[-3], -3)
        value = value.repeat_interleave(heads // value.shape[-3], -3)
    if not cuda.sdp_kernels & {"math", "flash"}:
        raise RuntimeError(
            "scaled_dot_product_attention: No viable backend was found: there is one kernel, which sdpa_kernel allows "
            "as MATH or FLASH_ATTENTION"
        )
    factor = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    if not 0 <= dropout_p <= 1:
        raise RuntimeError(f"dropout probability has to be between 0 and 1, but got {dropout_p}")
    inputs = query, key, value
    if dropout_p == 0 and _is_fused(*inputs, attn_mask, factor):
        return apply(attention, (*inputs, attn_mask, factor, is_causal), {})
    return _composed(*inputs, attn_mask, dropout_p, is_causal, factor)


def _composed(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None,
    dropout_p: float,
    is_causal: bool,
    factor: float,
) -> Tensor:
    """Attention made of other rows."""
    scores = (query * factor) @ key.mT
    if is_causal:
        attn_mask = wrap(np.tri(*scores.shape[-2:], dtype=bool))
    weights, nothing = scores, None
    if attn_mask is not None:
        seen = attn_mask._array if attn_mask._array.dtype == np.bool_ else attn_mask._array != -np.inf
        blind = ~seen.any(-1, keepdims=True)
        nothing = wrap(np.asarray(blind)) if blind.any() else None
        if attn_mask._array.dtype == np.bool_:
            weights = _.where(wrap(seen | blind), scores, -math.inf)
        else:
            weights = scores + (attn_mask if nothing is None else attn_mask.masked_fill(nothing, 0)).to(scores.dtype)
    weights = weights.softmax(-1)
    if nothing is not None:
        weights = weights.masked_fill(nothing, 0)
    if dropout_p != 0:
        weights = dropout(weights, dropout_p, True)
    return weights @ value


# --- Several heads -------------------------------------------------------------------------------------------------


def _as_bias(mask: Tensor | None, name: str, dtype: Any, other: Tensor | None = None, other_name: str = "") -> Any:
    """A mask as what is added to scores: a bool mask becomes -inf where it is True.

    Raises:
        AssertionError: integers.
    """
    if mask is None:
        return None
    if mask._array.dtype != np.bool_ and not mask.is_floating_point():
        raise AssertionError(f"only bool and floating types of {name} are supported, but got {mask.dtype}")
    if other is not None and other.dtype is not mask.dtype:
        warnings.warn(
            f"Support for mismatched {name} and {other_name} is deprecated. Use same type for both instead.",
            UserWarning,
            stacklevel=3,
        )
    if mask.is_floating_point():
        return mask
    return wrap(np.where(mask._array, -np.inf, 0).astype(dtype.numpy))


def _check_shapes(
    query: Tensor, key: Tensor, value: Tensor, padding: Tensor | None, mask: Tensor | None, heads: int
) -> None:
    """Raises an AssertionError unless all have the numbers of dimensions of a batch, or all of a single example."""
    if query.ndim not in (2, 3):
        raise AssertionError(
            f"query should be unbatched 2D or batched 3D tensor but received {query.ndim}-D query tensor"
        )
    kind = "batched (3-D)" if query.ndim == 3 else "unbatched (2-D)"
    if not key.ndim == value.ndim == query.ndim:
        raise AssertionError(
            f"For {kind} `query`, expected `key` and `value` to be {query.ndim}-D but found {key.ndim}-D and "
            f"{value.ndim}-D tensors respectively"
        )
    if padding is not None and padding.ndim != query.ndim - 1:
        raise AssertionError(
            f"For {kind} `query`, expected `key_padding_mask` to be `None` or {query.ndim - 1}-D but found "
            f"{padding.ndim}-D tensor instead"
        )
    if mask is not None and mask.ndim not in (2, 3):
        raise AssertionError(
            f"For {kind} `query`, expected `attn_mask` to be `None`, 2-D or 3-D but found {mask.ndim}-D tensor instead"
        )
    if mask is not None and mask.ndim == 3 and query.ndim == 2:
        wanted = heads, query.shape[0], key.shape[0]
        if mask.shape != wanted:
            raise AssertionError(f"Expected `attn_mask` shape to be {wanted} but got {tuple(mask.shape)}")


def _projected(
    query: Tensor, key: Tensor, value: Tensor, weights: tuple[Tensor, ...] | Tensor, bias: Tensor | None
) -> tuple[Tensor, ...]:
    """Queries, keys and values for all heads; in self-attention by one product."""
    if isinstance(weights, Tensor):
        if query is key is value:
            return _.linear(query, weights, bias).chunk(3, -1)
        weights = weights.chunk(3)
    biases = (None, None, None) if bias is None else bias.chunk(3)
    return tuple(_.linear(x, w, b) for x, w, b in zip((query, key, value), weights, biases, strict=True))


@function(torch=False, functional=True, method=False)
def multi_head_attention_forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Tensor | None,
    in_proj_bias: Tensor | None,
    bias_k: Tensor | None,
    bias_v: Tensor | None,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Tensor,
    out_proj_bias: Tensor | None,
    training: bool = True,
    key_padding_mask: Tensor | None = None,
    need_weights: bool = True,
    attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Tensor | None = None,
    k_proj_weight: Tensor | None = None,
    v_proj_weight: Tensor | None = None,
    static_k: Tensor | None = None,
    static_v: Tensor | None = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """What `MultiheadAttention` computes: project, attend in each head, put the heads side by side, project.

    Args:
        query: (L, N, E), or (L, E) for one example.
        key: (S, N, kE).
        value: (S, N, vE).
        embed_dim_to_check: E.
        num_heads: H, which divides E.
        in_proj_weight: (3 E, E) for queries, keys and values; None with ``use_separate_proj_weight``.
        in_proj_bias: (3 E,), or None.
        bias_k: (1, 1, E): one more key, with ``bias_v`` as its value.
        bias_v: see ``bias_k``.
        add_zero_attn: one more key and value of zeros.
        dropout_p: probability with which a weight is dropped while ``training``.
        out_proj_weight: (E, E).
        out_proj_bias: (E,), or None.
        training: whether weights are dropped.
        key_padding_mask: (N, S): bool, where True is padding, or numbers to add.
        need_weights: return the attention weights, too.
        attn_mask: (L, S) or (N H, L, S): bool, where True does **not** take part, or numbers to add.
        use_separate_proj_weight: use ``q_proj_weight`` (E, E), ``k_proj_weight`` (E, kE), ``v_proj_weight`` (E, vE).
        q_proj_weight: see there.
        k_proj_weight: see there.
        v_proj_weight: see there.
        static_k: (N H, S, E / H): keys in place of the projected ones.
        static_v: likewise, values.
        average_attn_weights: return the mean of the weights over the heads.
        is_causal: a hint that ``attn_mask`` is the causal one.

    Returns:
        (L, N, E), and the weights: (N, L, S), or (N, H, L, S) without the mean, or None.

    Raises:
        AssertionError: numbers of dimensions or sizes that do not fit.
        RuntimeError: a mask of another shape, or ``is_causal`` without one.
    """
    _check_shapes(query, key, value, key_padding_mask, attn_mask, num_heads)
    single = query.ndim == 2
    if single:
        itself = query is key is value
        query = query.unsqueeze(1)
        key, value = (query, query) if itself else (key.unsqueeze(1), value.unsqueeze(1))
        key_padding_mask = None if key_padding_mask is None else key_padding_mask.unsqueeze(0)
    length, count, size = query.shape
    sources = key.shape[0]
    key_padding_mask = _as_bias(key_padding_mask, "key_padding_mask", query.dtype, attn_mask, "attn_mask")
    if is_causal and attn_mask is None:
        raise RuntimeError(
            "Need attn_mask if specifying the is_causal hint. You may use the Transformer module method "
            "`generate_square_subsequent_mask` to create this mask."
        )
    if is_causal and key_padding_mask is None and not need_weights:
        attn_mask = None
    else:
        attn_mask = _as_bias(attn_mask, "attn_mask", query.dtype)
        is_causal = False
    if size != embed_dim_to_check:
        raise AssertionError(f"was expecting embedding dimension of {embed_dim_to_check}, but got {size}")
    if size % num_heads:
        raise AssertionError(f"embed_dim {size} not divisible by num_heads {num_heads}")
    fits = key.shape[:2] == value.shape[:2] if use_separate_proj_weight else key.shape == value.shape
    if not fits:
        raise AssertionError(f"key shape {tuple(key.shape)} does not match value shape {tuple(value.shape)}")
    if attn_mask is not None:
        wanted = (length, sources) if attn_mask.ndim == 2 else (count * num_heads, length, sources)
        if attn_mask.shape != wanted:
            raise RuntimeError(
                f"The shape of the {attn_mask.ndim}D attn_mask is {tuple(attn_mask.shape)}, but should be {wanted}."
            )
        attn_mask = attn_mask.unsqueeze(0) if attn_mask.ndim == 2 else attn_mask
    separate = q_proj_weight, k_proj_weight, v_proj_weight
    weights: Any = separate if use_separate_proj_weight else in_proj_weight
    if weights is None or (use_separate_proj_weight and any(w is None for w in separate)):
        raise AssertionError(f"use_separate_proj_weight is {use_separate_proj_weight} but those weights are None")
    q, k, v = _projected(query, key, value, weights, in_proj_bias)
    if (bias_k is None) != (bias_v is None):
        raise AssertionError("bias_k and bias_v must be given together")
    width = size // num_heads
    more = 0  # keys beyond the input's, which every query sees
    if bias_k is not None and bias_v is not None:
        if static_k is not None or static_v is not None:
            raise AssertionError("bias cannot be added to static key or value.")
        k, v = (cat([x, b.repeat(1, count, 1)]) for x, b in ((k, bias_k), (v, bias_v)))
        more += 1
    q, k, v = (x.reshape(x.shape[0], count * num_heads, width).transpose(0, 1) for x in (q, k, v))
    for name, static in (("static_k", static_k), ("static_v", static_v)):
        if static is not None and (static.shape[0], static.shape[2]) != (count * num_heads, width):
            raise AssertionError(
                f"expecting {name} of shape ({count * num_heads}, S, {width}), but got {tuple(static.shape)}"
            )
    k, v = k if static_k is None else static_k, v if static_v is None else static_v
    if add_zero_attn:
        k, v = (cat([x, x.new_zeros(count * num_heads, 1, width)], 1) for x in (k, v))
        more += 1
    sources = k.shape[1]
    if more and attn_mask is not None:
        attn_mask = _.pad_constant(attn_mask, (0, more), 0.0)
    if key_padding_mask is not None:
        if more:
            key_padding_mask = _.pad_constant(key_padding_mask, (0, more), 0.0)
        if key_padding_mask.shape != (count, sources):
            raise AssertionError(
                f"key_padding_mask should have shape {(count, sources)}, but got {tuple(key_padding_mask.shape)}"
            )
        of_heads = key_padding_mask.reshape(count, 1, 1, sources).expand(-1, num_heads, -1, -1)
        of_heads = of_heads.reshape(count * num_heads, 1, sources)
        attn_mask = of_heads if attn_mask is None else attn_mask + of_heads
    dropped = dropout_p if training else 0.0
    attention = None
    if need_weights:
        scores = (q * math.sqrt(1 / width)) @ k.mT
        attention = (scores if attn_mask is None else scores + attn_mask).softmax(-1)
        if dropped > 0:
            attention = dropout(attention, dropped, True)
        out = (attention @ v).transpose(0, 1)
        attention = attention.reshape(count, num_heads, length, sources)
        attention = attention.mean(1) if average_attn_weights else attention
        attention = attention.squeeze(0) if single else attention
    else:
        if attn_mask is not None:
            alike = attn_mask.shape[0] == 1
            attn_mask = attn_mask.unsqueeze(0) if alike else attn_mask.reshape(count, num_heads, -1, sources)
        q, k, v = (x.unflatten(0, (count, num_heads)) for x in (q, k, v))
        out = scaled_dot_product_attention(q, k, v, attn_mask, dropped, is_causal).permute(2, 0, 1, 3)
    out = _.linear(out.reshape(length, count, size), out_proj_weight, out_proj_bias)
    return (out.squeeze(1) if single else out), attention
