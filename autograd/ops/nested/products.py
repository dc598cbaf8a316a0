"""Layers on nested tensors: products, normalizations, softmax, attention."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...dtypes import SymInt
from ...rows.public import FUNCTIONAL
from ...rows.table import TABLE
from ...tensor import Tensor, check_dim
from ..structured import numbers_of
from .operators import along_last, by_component, each, inner_dim, padded_to, unpadded
from .tensor import JaggedTensor, NestedTensor, StridedNested, on_nested, pack

__all__: list[str] = []


@on_nested("linear")
def _linear(input: Any, weight: Tensor, bias: Tensor | None = None) -> Any:
    if not isinstance(input, NestedTensor):
        raise NotImplementedError("linear() takes a nested input, but no nested weight; unbind() it")
    return along_last("linear", input, lambda rows: TABLE["linear"](rows, weight, bias))


@on_nested("embedding")
def _embedding(input: Any, weight: Tensor, *args: Any, **kwargs: Any) -> Any:
    return along_last("embedding", input, lambda rows: FUNCTIONAL["embedding"](rows, weight, *args, **kwargs), 0)


@on_nested("one_hot")
def _one_hot(tensor: Any, num_classes: int = -1) -> Any:
    return along_last("one_hot", tensor, lambda rows: FUNCTIONAL["one_hot"](rows, num_classes), 0)


@on_nested("layer_norm")
def _layer_norm(input: Any, normalized_shape: Sequence[Any], *args: Any, **kwargs: Any) -> Any:
    if isinstance(input, JaggedTensor):
        if input.ndim <= 2:
            raise RuntimeError("layer_norm(): not supported for NestedTensor objects with 2 or fewer dimensions")
        if len(normalized_shape) == input.ndim:
            raise RuntimeError("layer_norm(): not supported when normalizing over the batch dimension for NestedTensor")
        if any(isinstance(n, SymInt) for n in normalized_shape):
            count = len(normalized_shape)
            return by_component(lambda part: FUNCTIONAL["layer_norm"](part, part.shape[-count:]), input)
    return along_last(
        "layer_norm",
        input,
        lambda rows: FUNCTIONAL["layer_norm"](rows, normalized_shape, *args, **kwargs),
        len(normalized_shape),
    )


@on_nested("rms_norm")
def _rms_norm(input: Any, normalized_shape: Sequence[int], *args: Any, **kwargs: Any) -> Any:
    count = len(normalized_shape)
    if isinstance(input, JaggedTensor) and count > input.ndim - input._ragged_idx - 1:
        raise ValueError("rms_norm(): Normalization over the ragged dim not supported for nested tensors")
    return along_last(
        "rms_norm", input, lambda rows: FUNCTIONAL["rms_norm"](rows, normalized_shape, *args, **kwargs), count
    )


def _normalizing(name: str) -> None:
    def function(input: Any, dim: Any = None, _stacklevel: int = 3, dtype: Any = None) -> Any:
        if not isinstance(dim, int):
            raise RuntimeError(f"{name}(): takes one dimension of a nested tensor, but got dim={dim}")
        at = check_dim(name, dim, input.ndim)

        def along(x: Tensor, dim: int) -> Tensor:
            return getattr(x, name)(dim, dtype=dtype)

        if isinstance(input, JaggedTensor) and at == input._ragged_idx:
            if input._lengths is not None or name != "softmax":
                raise RuntimeError(f"{name}(): not supported along the ragged dimension for NestedTensor with holes")
            dense = padded_to(input, -np.inf, input._get_max_seqlen())
            return input.like(unpadded(along(dense, at), input))
        inside = inner_dim(name, input, at)
        if at == input.ndim - 1:
            return along_last(name, input, lambda rows: along(rows, -1))
        return each(input, lambda part: along(part, inside))

    on_nested(name, f"{name}_along")(function)


_normalizing("softmax")
_normalizing("log_softmax")


@on_nested("softmin")
def _softmin(input: Any, dim: Any = None, _stacklevel: int = 3, dtype: Any = None) -> Any:
    return (-input).softmax(dim, dtype=dtype)


def _convolution(name: str, count: int) -> None:
    def function(input: Any, *args: Any, **kwargs: Any) -> Any:
        return along_last(name, input, lambda rows: FUNCTIONAL[name](rows, *args, **kwargs), count)

    on_nested(name)(function)


for _axes in (1, 2, 3):
    _convolution(f"conv{_axes}d", _axes + 1)


# --- Products of matrices --------------------------------------------------------------------------------------------


def _zipped(x: Any, y: Any) -> list[Tensor]:
    """The product of each component with that of the same number, or with a matrix that serves all."""
    count = len(x if isinstance(x, NestedTensor) else y)
    sides = []
    for side in (x, y):
        if not isinstance(side, NestedTensor) and side.ndim < 3:
            sides.append([side] * count)
        elif len(side) != count:
            raise RuntimeError(f"matmul: Expected size for the 1st dimension to be the same, got {len(x)} and {len(y)}")
        else:
            sides.append(side.unbind())
    return [a.matmul(b) for a, b in zip(*sides, strict=True)]


@on_nested("matmul")
def _matmul(x: Any, y: Any) -> Any:
    for side in (x, y):
        if isinstance(side, StridedNested):
            if side.ndim < 3:
                raise RuntimeError(f"matmul: nested tensors of matrices are needed, but one has {side.ndim} dimensions")
            return pack(_zipped(x, y))
    ragged, other = getattr(x, "_ragged_idx", None), getattr(y, "_ragged_idx", None)
    if ragged is None or other is None:
        nested, dense = (x, y) if other is None else (y, x)
        # The ragged dimension is neither multiplied nor that of the dense operand.
        if nested._ragged_idx != nested.ndim - (1 if nested is x else 2) and dense.ndim >= 2:
            if dense.ndim == 2:
                return nested.like(numbers_of(x).matmul(y) if nested is x else x.matmul(numbers_of(y)))
            if dense.ndim == nested.ndim and nested._lengths is None:
                length = nested._get_max_seqlen()
                x, y = (padded_to(side, 0.0, length) if side is nested else side for side in (x, y))
                return nested.like(unpadded(x.matmul(y), nested))
    elif x.ndim > 3 and y.ndim > 3 and x.shape[: ragged + 1] == y.shape[: ragged + 1] and ragged < x.ndim - 2:
        return x.like(numbers_of(x).matmul(numbers_of(y)))
    elif x.ndim == y.ndim == 3 and (ragged, other) == (2, 1) and x.size(2) == y.size(1):
        return TABLE["stack_along"](_zipped(x, y), 0)
    raise RuntimeError(f"matmul(): not supported between inputs of shapes {tuple(x.shape)} and {tuple(y.shape)}")


@on_nested("bmm")
def _bmm(x: Any, y: Any) -> Any:
    for name, side in (("input", x), ("mat2", y)):
        if side.ndim != 3:
            raise ValueError(f"bmm(): {name} must be 3D")
    return _matmul(x, y)


@on_nested("scaled_dot_product_attention")
def _attention(
    query: Any, key: Any, value: Any, attn_mask: Tensor | None = None, dropout_p: float = 0.0, is_causal: bool = False,
    scale: float | None = None, enable_gqa: bool = False,
) -> Any:  # fmt: skip
    if attn_mask is not None:
        raise ValueError("scaled_dot_product_attention: masks are not supported for nested tensors; pad and mask them")
    if not all(isinstance(x, NestedTensor) and x.layout is query.layout for x in (query, key, value)):
        raise ValueError("scaled_dot_product_attention: query, key and value must be nested tensors of one layout")
    attend = FUNCTIONAL["scaled_dot_product_attention"]
    options = {"dropout_p": dropout_p, "is_causal": is_causal, "scale": scale, "enable_gqa": enable_gqa}

    def attended(*several: Tensor) -> Tensor:
        return attend(*(x.unsqueeze(0) for x in several), **options).squeeze(0)

    return by_component(attended, query, key, value)
