"""Scaled dot-product attention that keeps no weights: two numbers a query, from which the way back finds them again.

Dao et al., "FlashAttention" (2022): the weights of a query are ``exp(scores - top) * share``, and what the softmax
needs on its way back, the mean of the weights' gradients, is the product of the result and its gradient.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from . import jit, threads
from .memory import address_of

__all__ = ["backward", "forward"]

ndarray = np.ndarray
GRAIN = 1 << 14  # scores: below this a piece is not worth the handing over to another thread


def forward(
    query: ndarray, key: ndarray, value: ndarray, mask: ndarray | None, scale: float, causal: bool
) -> tuple[ndarray, ndarray, ndarray]:
    """``softmax(query key^T scale + mask) value``, each query's largest score, and 1 over its sum of exponentials.

    A query all of whose scores are -inf gets zeros for all of them.

    Args:
        query: (..., L, E).
        key: (..., S, E), of at least one key.
        value: (..., S, V).
        mask: broadcast to (..., L, S): numbers, or True for keys that a query sees.
        scale: what scores are multiplied by; not 0 where there is a mask.
        causal: a query sees the keys up to its own position.

    Returns:
        (..., L, V), (..., L) and (..., L).
    """
    if not _compiles(query, key, value):
        scores = _scores(query, key, mask, scale, causal)
        top = scores.max(-1, keepdims=True)
        top[top == -np.inf] = 0
        weights = np.exp(scores - top)
        total = weights.sum(-1, keepdims=True)
        total[total == 0] = np.inf
        return weights / total @ value, top[..., 0], 1 / total[..., 0]
    from .attention_loops import attend  # slow to import: only for who compiles

    query, key, value = _in_rows(query), _in_rows(key), _in_rows(value)
    out = np.empty_like(query, shape=(*query.shape[:-1], value.shape[-1]))
    if out.strides[-1] != out.itemsize:  # queries of one element leave open what comes next in memory
        out = np.empty(out.shape, out.dtype)
    tops, shares = np.empty(query.shape[:-1], query.dtype), np.empty(query.shape[:-1], query.dtype)
    _over_heads(attend, (query, key, value, _added(mask, query, key, scale), out), (tops, shares), scale, causal)
    return out, tops, shares


def backward(
    g: ndarray,
    query: ndarray,
    key: ndarray,
    value: ndarray,
    mask: ndarray | None,
    out: ndarray,
    tops: ndarray,
    shares: ndarray,
    scale: float,
    causal: bool,
) -> tuple[ndarray, ndarray, ndarray]:
    """Gradients of query, key and value, from that of `forward`'s result and what it returned."""
    if not _compiles(query, key, value):
        means = np.einsum("...i,...i->...", g, out)
        weights = np.exp(_scores(query, key, mask, scale, causal) - tops[..., None]) * shares[..., None]
        scores = weights * (g @ value.swapaxes(-1, -2) - means[..., None]) * scale
        return scores @ key, scores.swapaxes(-1, -2) @ query, weights.swapaxes(-1, -2) @ g
    from .attention_loops import attend_back

    given = _in_rows(query), _in_rows(key), _in_rows(value)
    unseen = causal and key.shape[-2] > query.shape[-2]  # keys whose gradients nothing is written to
    like = np.zeros_like if unseen else np.empty_like
    gradients = np.empty_like(given[0]), like(given[1]), like(given[2])
    added = _added(mask, query, key, scale)
    matrices = (*given, added, _in_rows(out), _in_rows(g), *gradients)
    _over_heads(attend_back, matrices, (tops, shares), scale, causal)
    return gradients


def _compiles(query: ndarray, key: ndarray, value: ndarray) -> bool:
    return bool(query.size and value.size) and jit.use_loops(query[..., 0].size * key.shape[-2])


def _scores(query: ndarray, key: ndarray, mask: ndarray | None, scale: float, causal: bool) -> ndarray:
    scores = query * query.dtype.type(scale) @ key.swapaxes(-1, -2)
    if causal:
        mask = np.tri(*scores.shape[-2:], dtype=np.bool_)
    if mask is None:
        return scores
    return np.where(mask, scores, -np.inf) if mask.dtype == np.bool_ else scores + mask.astype(scores.dtype)


def _added(mask: ndarray | None, query: ndarray, key: ndarray, scale: float) -> ndarray | None:
    """What the mask adds to scores before they are scaled, for all heads, with rows in one piece."""
    if mask is None:
        return None
    if mask.dtype == np.bool_:
        mask = np.where(mask, 0.0, -np.inf)
    added = np.empty((*mask.shape[:-1], key.shape[-2]), query.dtype)
    added[...] = mask
    largest = np.finfo(added.dtype).max * min(abs(scale), 1) / 2
    np.clip(added, -largest, largest, out=added, where=np.isfinite(added))  # the lowest number is not -inf
    added /= scale
    return np.broadcast_to(added, (*query.shape[:-1], key.shape[-2]))


def _in_rows(array: ndarray) -> ndarray:
    """The array, or a copy of it whose rows are in one piece; no two rows are one."""
    return array if array.strides[-1] == array.itemsize and 0 not in array.strides else array.copy()


def _over_heads(
    kernel: Any, matrices: tuple[Any, ...], of_queries: tuple[ndarray, ...], scale: float, causal: bool
) -> None:
    query, key, value, *_others = matrices
    places = np.zeros((query[..., 0, 0].size, len(matrices)), np.int64)
    steps = np.zeros(len(matrices), np.int64)
    for i, matrix in enumerate(matrices):
        if matrix is not None:
            places[:, i], steps[i] = _addresses(matrix), matrix.strides[-2]
    queries, keys = query.shape[-2], key.shape[-2]
    of_queries = tuple(np.ascontiguousarray(each).reshape(-1, queries) for each in of_queries)
    threads.run(
        kernel, len(places), places, steps, *of_queries, keys, query.shape[-1],
        value.shape[-1], query.dtype.type(scale), causal, grain=max(1, GRAIN // (queries * keys)),
    )  # fmt: skip


def _addresses(array: ndarray) -> ndarray:
    """Where each of the matrices begins."""
    return _distances(array.shape[:-2], array.strides[:-2]) + address_of(array)


@lru_cache(maxsize=64)
def _distances(counts: tuple[int, ...], steps: tuple[int, ...]) -> ndarray:
    """How far each of the matrices is from the first one."""
    places = np.zeros(1, np.int64)
    for count, step in zip(counts, steps, strict=True):
        places = np.add.outer(places, np.arange(count) * step).reshape(-1)
    return places
