"""Masked operators (`autograd.masked`): what is masked out takes no part, as if it were not there.

A ``mask`` is a tensor of bools (or of what converts to them) that broadcasts to the input's shape; True is what
counts. Before the ordinary operator runs, the rest is replaced by its neutral element: 0 for a sum, 1 for a product,
infinity for a minimum. Where nothing counts, the result is that neutral element, and NaN for a mean or a softmax.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...dtypes import dtype as DType
from ...dtypes import float32, int64
from ...kernels.halves import FLOATING, INEXACT
from ...rows.deferred import find
from ...rows.public import TORCH, function
from ...rows.table import TABLE
from ...tensor import Tensor, check_dim, wrap
from ..convert import check_tensor
from .tensor import is_masked_tensor


def _mask_of(operator: str, input: Tensor, mask: Any) -> Tensor:
    """The mask as bools of the input's shape."""
    if is_masked_tensor(mask):
        raise TypeError(f"{operator}: mask must be a tensor that is not itself masked; use its to_tensor(False)")
    array, shape = check_tensor(operator, "mask", mask)._array, tuple(input.shape)
    if array.ndim > len(shape):
        raise IndexError(
            f"{operator}: expected broadcastable mask, but mask {list(array.shape)} has more dimensions than "
            f"the input {list(shape)}"
        )
    try:
        return wrap(np.broadcast_to(array != 0, shape))
    except ValueError:
        raise RuntimeError(
            f"{operator}: mask {list(array.shape)} cannot be broadcast to the input {list(shape)}"
        ) from None


def _lowest(dtype: np.dtype) -> Any:
    return -math.inf if dtype.kind in FLOATING else int(_limits(dtype).min)


def _highest(dtype: np.dtype) -> Any:
    return math.inf if dtype.kind in FLOATING else int(_limits(dtype).max)


def _limits(dtype: np.dtype) -> np.iinfo:
    if dtype.kind == "c":
        raise TypeError("complex numbers have no order, and therefore no largest or smallest one to leave out")
    if dtype.kind == "b":
        raise NotImplementedError("a masked extreme has no neutral element for bools; convert with .long()")
    return np.iinfo(dtype)


def _parts(operator: str, input: Tensor, mask: Any) -> tuple[Tensor, Any]:
    """The elements and their mask: as they are given, or those of a masked tensor.

    Raises:
        ValueError: another mask beside a masked tensor.
    """
    if not is_masked_tensor(check_tensor(operator, "input", input)):
        return input, mask
    dense = input.to_dense()
    if mask is not None and not np.array_equal(_mask_of(operator, dense, mask)._array, dense.get_mask()._array):
        raise ValueError(f"{operator}: a masked tensor has a mask of its own, but mask is another; pass get_data()")
    return dense.get_data(), dense.get_mask()


def _kept(operator: str, input: Tensor, mask: Any, neutral: Any) -> Tensor:
    """The input with ``neutral`` (or the ``neutral`` of its dtype) where the mask is not."""
    input, mask = _parts(operator, input, mask)
    array = input._array
    if mask is None:
        return input
    fill = neutral(array.dtype) if callable(neutral) else neutral
    return TABLE["where"](_mask_of(operator, input, mask), input, fill)


def _dims(operator: str, dim: Any, ndim: int) -> tuple[int, ...]:
    """Dimensions as non-negative numbers in order; None means all, and so does ``()``.

    Raises:
        IndexError: one out of range.
        RuntimeError: one named twice.
    """
    if dim is None or dim == ():
        return tuple(range(ndim))
    dims = [check_dim(operator, d, ndim) for d in (dim if isinstance(dim, (tuple, list)) else (dim,))]
    if len(set(dims)) != len(dims):
        raise RuntimeError(f"{operator}: dim {dim} appears multiple times in the list of dims")
    return tuple(sorted(dims))


def _one_dim(operator: str, dim: Any, input: Tensor) -> int:
    return _dims(operator, dim, check_tensor(operator, "input", input).ndim)[0]


def _wide(input: Tensor, dtype: DType | None) -> DType:
    """The dtype of a sum or product: that of the input, int64 for narrower integers."""
    return dtype or (input.dtype if input.dtype.numpy.kind in INEXACT else int64)


# --- Reductions ----------------------------------------------------------------------------------------------------


@function(home="masked")
def sum(input: Tensor, dim: Any = None, *, keepdim: bool = False, dtype: Any = None, mask: Any = None) -> Tensor:
    """The sum of the elements that the mask keeps, over all dimensions or ``dim``.

    >>> import autograd
    >>> x = autograd.tensor([[1, 2], [3, 4]])
    >>> autograd.masked.sum(x, 1, mask=autograd.tensor([[True, False], [True, True]]))
    tensor([1, 7])
    """
    kept = _kept("sum", input, mask, 0)
    return TORCH["sum"](kept, _dims("sum", dim, kept._array.ndim), bool(keepdim), dtype=_wide(input, dtype))


@function(home="masked")
def prod(input: Tensor, dim: Any = None, *, keepdim: bool = False, dtype: Any = None, mask: Any = None) -> Tensor:
    """The product of the elements that the mask keeps, over all dimensions or ``dim``.

    >>> import autograd
    >>> autograd.masked.prod(autograd.tensor([2.0, 3.0]), mask=autograd.tensor([False, True]))
    tensor(3.)
    """
    result = _kept("prod", input, mask, 1)
    dims = _dims("prod", dim, result._array.ndim)
    result = result.to(_wide(input, dtype))
    for d in reversed(dims):
        result = TORCH["prod"](result, d, bool(keepdim))
    return result


def _extreme(name: str, neutral: Any, what: str) -> Any:
    def reduction(
        input: Tensor, dim: Any = None, *, keepdim: bool = False, dtype: Any = None, mask: Any = None
    ) -> Tensor:
        kept = _kept(name, input, mask, neutral)
        return TORCH[name](kept, _dims(name, dim, kept._array.ndim), bool(keepdim)).to(dtype or input.dtype)

    reduction.__name__, reduction.__doc__ = name, f"The {what} of the elements that the mask keeps."
    return function(home="masked")(reduction)


amax = _extreme("amax", _lowest, "largest")
amin = _extreme("amin", _highest, "smallest")


def _place(name: str, neutral: Any, what: str) -> Any:
    def reduction(
        input: Tensor, dim: int | None = None, *, keepdim: bool = False, dtype: Any = None, mask: Any = None
    ) -> Tensor:
        kept = _kept(name, input, mask, neutral)
        return TORCH[name](kept, dim, bool(keepdim)).to(dtype or input.dtype)

    reduction.__name__, reduction.__doc__ = name, f"The index of the {what} of the elements that the mask keeps."
    return function(home="masked")(reduction)


argmax = _place("argmax", _lowest, "largest")
argmin = _place("argmin", _highest, "smallest")


def _count(operator: str, input: Tensor, mask: Any, dim: Any, keepdim: bool) -> Tensor:
    input, mask = _parts(operator, input, mask)
    kept = np.ones(input._array.shape, np.bool_) if mask is None else _mask_of(operator, input, mask)._array
    dims = _dims(operator, dim, kept.ndim) if kept.ndim else ()
    return wrap(np.asarray(kept.sum(dims, np.int64, keepdims=keepdim)))


@function(home="masked")
def mean(input: Tensor, dim: Any = None, *, keepdim: bool = False, dtype: Any = None, mask: Any = None) -> Tensor:
    """The mean of the elements that the mask keeps, over all dimensions or ``dim``; NaN where it keeps none.

    Raises:
        ValueError: integers, without a floating-point ``dtype``.

    >>> import autograd
    >>> autograd.masked.mean(autograd.tensor([1.0, 2.0, 6.0]), mask=autograd.tensor([True, False, True]))
    tensor(3.5000)
    """
    wanted = dtype or check_tensor("mean", "input", input).dtype
    if not (wanted.is_floating_point or wanted.is_complex):
        raise ValueError(
            f"mean(): Could not infer output dtype. {'Optional' if dtype else 'Input'} dtype must be either a "
            f"floating point or complex dtype. Got: {wanted}"
        )
    total = sum(input, dim, keepdim=keepdim, dtype=wanted, mask=mask)
    return total / _count("mean", input, mask, dim, bool(keepdim))


@function(home="masked")
def median(input: Tensor, dim: int = -1, *, keepdim: bool = False, dtype: Any = None, mask: Any = None) -> Tensor:
    """The median along ``dim`` of the elements that the mask keeps, the lower one of two; NaN where it keeps none.

    Raises:
        ValueError: integers, where it keeps none.

    >>> import autograd
    >>> autograd.masked.median(autograd.tensor([1.0, 2.0, 6.0, 7.0]), 0, mask=autograd.tensor([0, 1, 1, 1]))
    tensor(6.)
    """
    d = _one_dim("median", dim, input)
    is_float = input.dtype.is_floating_point
    kept = _kept("median", input if is_float else input.to(float32), mask, math.nan)
    output = find("torch", "nanmedian")(kept, d, keepdim).values
    if is_float:
        return output
    if np.isnan(output._array).any():
        raise ValueError("masked median expects no fully masked out rows if dtype is not floating point")
    return output.to(dtype or input.dtype)


@function(home="masked")
def logsumexp(input: Tensor, dim: Any = None, *, keepdim: bool = False, dtype: Any = None, mask: Any = None) -> Tensor:
    """``log(sum(exp(x)))`` over the elements that the mask keeps; -inf where it keeps none.

    >>> import autograd
    >>> autograd.masked.logsumexp(autograd.tensor([0.0, 0.0, 9.0]), 0, mask=autograd.tensor([True, True, False]))
    tensor(0.6931)
    """
    kept = _kept("logsumexp", input, mask, lambda dtype: -math.inf if dtype.kind == "c" else _lowest(dtype))
    result = TORCH["logsumexp"](kept, _dims("logsumexp", dim, kept._array.ndim), keepdim)
    return result.to(dtype or input.dtype)


@function(home="masked")
def logaddexp(
    input: Tensor, other: Tensor, *, dtype: Any = None, input_mask: Any = None, other_mask: Any = None
) -> Tensor:
    """``log(exp(input) + exp(other))``, without what either mask leaves out.

    >>> import autograd
    >>> x, y = autograd.tensor([0.0, 1.0]), autograd.tensor([0.0, 2.0])
    >>> autograd.masked.logaddexp(x, y, other_mask=autograd.tensor([True, False]))
    tensor([0.6931, 1.0000])
    """
    first = _kept("logaddexp", input, input_mask, _lowest)
    second = _kept("logaddexp", other, other_mask, _lowest)
    return TORCH["logaddexp"](first, second).to(dtype or input.dtype)


@function(home="masked")
def norm(
    input: Tensor, ord: float = 2.0, dim: Any = None, *, keepdim: bool = False, dtype: Any = None, mask: Any = None
) -> Tensor:
    """The vector norm ``(sum |x|^ord)^(1/ord)`` of the elements that the mask keeps.

    >>> import autograd
    >>> autograd.masked.norm(autograd.tensor([3.0, 9.0, 4.0]), mask=autograd.tensor([True, False, True]))
    tensor(5.)
    """
    kept = _kept("norm", input, mask, math.inf if ord == -math.inf else 0)
    dims = _dims("norm", dim, kept._array.ndim)
    return find("linalg", "vector_norm")(kept, ord, dims, bool(keepdim), dtype=dtype or input.dtype)


def _variance(
    operator: str,
    input: Tensor,
    dim: Any,
    unbiased: bool | None,
    correction: float | None,
    keepdim: bool,
    **options: Any,
) -> Tensor:
    if unbiased is not None and correction is not None:
        raise AssertionError(f"masked.{operator}: only one of unbiased and correction may be given")
    if correction is None:
        correction = 0.0 if unbiased is False else 1.0
    dtype = options["dtype"]
    input, mask = _parts(operator, input, options["mask"])
    kind = input.dtype
    wanted = dtype or (kind if kind.is_floating_point or kind.is_complex else float32)
    precise = wanted if wanted.is_floating_point or wanted.is_complex else float32
    center = sum(input, dim, keepdim=True, dtype=wanted, mask=mask) / _count(operator, input, mask, dim, True)
    distance = input - center
    square = distance * distance.conj() if distance.dtype.is_complex else distance * distance
    total = sum(square, dim, keepdim=keepdim, dtype=precise, mask=mask)
    count = _count(operator, input, mask, dim, bool(keepdim))._array
    freedom = (
        wrap(np.asarray(np.maximum(count - correction, 0), total.real._array.dtype)) if correction else wrap(count)
    )
    return (total / freedom).to(wanted)


@function(home="masked")
def var(
    input: Tensor, dim: Any = None, unbiased: bool | None = None, *, correction: float | None = None,
    keepdim: bool = False, dtype: Any = None, mask: Any = None,
) -> Tensor:  # fmt: skip
    """The variance of the ``n`` elements that the mask keeps: squared distances over ``n - correction`` (1).

    >>> import autograd
    >>> autograd.masked.var(autograd.tensor([1.0, 9.0, 3.0]), mask=autograd.tensor([True, False, True]))
    tensor(2.)
    """
    return _variance("var", input, dim, unbiased, correction, keepdim, dtype=dtype, mask=mask)


@function(home="masked")
def std(
    input: Tensor, dim: Any = None, unbiased: bool | None = None, *, correction: float | None = None,
    keepdim: bool = False, dtype: Any = None, mask: Any = None,
) -> Tensor:  # fmt: skip
    """The square root of `var`.

    >>> import autograd
    >>> autograd.masked.std(autograd.tensor([1.0, 9.0, 3.0]), mask=autograd.tensor([True, False, True]))
    tensor(1.4142)
    """
    return _variance("std", input, dim, unbiased, correction, keepdim, dtype=dtype, mask=mask).sqrt()


# --- Along a dimension, of the input's shape -----------------------------------------------------------------------


def _scan(name: str, neutral: int, what: str) -> Any:
    def scan(input: Tensor, dim: int, *, dtype: Any = None, mask: Any = None) -> Tensor:
        d = _one_dim(name, dim, input)
        wanted = dtype or input.dtype
        if wanted.numpy.kind == "b":
            raise NotImplementedError(f"\"{name}_out_cpu\" not implemented for 'Bool'; pass dtype=torch.int64")
        return find("torch", name)(_kept(name, input, mask, neutral), d, dtype=wanted).to(wanted)

    scan.__name__, scan.__doc__ = name, f"The {what} along ``dim`` of the elements that the mask keeps."
    return function(home="masked")(scan)


cumsum = _scan("cumsum", 0, "sums so far")
cumprod = _scan("cumprod", 1, "products so far")


def _normalized(name: str, neutral: Any, formula: str) -> Any:
    def normalized(input: Tensor, dim: int, *, dtype: Any = None, mask: Any = None) -> Tensor:
        d = _one_dim(name, dim, input)
        return find("nn.functional", name)(_kept(name, input, mask, neutral), d, dtype=dtype or input.dtype)

    normalized.__name__ = name
    normalized.__doc__ = f"{formula} along ``dim``, over the elements that the mask keeps; NaN where it keeps none."
    return function(home="masked")(normalized)


softmax = _normalized("softmax", _lowest, "``exp(x) / sum(exp(x))``")
log_softmax = _normalized("log_softmax", _lowest, "``x - log(sum(exp(x)))``")
softmin = _normalized("softmin", _highest, "``exp(-x) / sum(exp(-x))``")


@function(home="masked")
def normalize(
    input: Tensor, ord: float, dim: int, *, eps: float = 1e-12, dtype: Any = None, mask: Any = None
) -> Tensor:
    """``x / max(norm, eps)`` with the norm of order ``ord`` along ``dim`` of the elements that the mask keeps.

    >>> import autograd
    >>> autograd.masked.normalize(autograd.tensor([3.0, 9.0, 4.0]), 2.0, 0, mask=autograd.tensor([1, 0, 1]))
    tensor([0.6000, 0.0000, 0.8000])
    """
    kept = _kept("normalize", input, mask, 0)
    size = norm(input, ord, dim, keepdim=True, dtype=dtype, mask=mask)
    return kept / TORCH["maximum"](size, wrap(np.array(eps, size._array.dtype)))


__all__: Sequence[str] = [
    "amax",
    "amin",
    "argmax",
    "argmin",
    "cumprod",
    "cumsum",
    "log_softmax",
    "logaddexp",
    "logsumexp",
    "mean",
    "median",
    "norm",
    "normalize",
    "prod",
    "softmax",
    "softmin",
    "std",
    "sum",
    "var",
]
