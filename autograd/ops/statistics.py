"""Sums without NaN, several moments at once, covariance, norms and distances, reductions of segments."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from ..kernels.halves import FLOATING, INEXACT
from ..rows.dispatch import apply
from ..rows.nodes import sum_to
from ..rows.public import function, inplace
from ..rows.results import result_type
from ..rows.table import TABLE, _, pointwise
from ..rows.writes import type_name
from ..tensor import Tensor, check_dim
from .convert import check_tensor
from .reduce import amax, amin, axes_of, check_not_empty, deviation, norm, p_norm, variance
from .shape import stack

__all__ = [
    "aminmax", "corrcoef", "cov", "dist", "frobenius_norm", "nanmean", "nansum", "norm_except_dim", "nuclear_norm",
    "renorm", "segment_reduce", "std_mean", "sum_to_size", "trace", "var_mean",
]  # fmt: skip

AMINMAX = result_type("aminmax", "min max")


# --- Sums -----------------------------------------------------------------------------------------------------------


@function()
def nansum(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The sum over ``dim``, where NaN counts as 0.

    >>> import autograd
    >>> autograd.nansum(autograd.tensor([1.0, autograd.nan, 2.0]))
    tensor(3.)
    """
    return _without_nan("nansum", input).sum(dim, keepdim, dtype=dtype)


@function()
def nanmean(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The mean over ``dim`` of what is not NaN.

    Raises:
        RuntimeError: an integer tensor.

    >>> import autograd
    >>> autograd.nanmean(autograd.tensor([1.0, autograd.nan, 2.0]))
    tensor(1.5000)
    """
    x = check_tensor("nanmean", "input", input)._array
    if x.dtype.kind not in INEXACT:
        raise RuntimeError(
            f"nanmean(): expected input to have floating point or complex dtype but got {type_name(x.dtype)}; convert "
            "with .float()"
        )
    count = input.isnan().logical_not().sum(dim, keepdim)
    return _without_nan("nanmean", input).sum(dim, keepdim, dtype=dtype) / count


def _without_nan(operator: str, input: Tensor) -> Tensor:
    kind = check_tensor(operator, "input", input)._array.dtype.kind
    if kind == "c":
        raise RuntimeError(f"{operator} does not support complex inputs; take .real and .imag")
    return input if kind in "biu" else apply(without_nan, (input,), {})


@pointwise(latex=r"x = x \; ? \; x : 0", home="", node_name="Nansum")
def without_nan(x):
    return _.where(x == x, x, 0.0)


@without_nan.gradient("x")
def _(g, x):
    return _.where(x == x, g, 0.0)


@function(torch=False, method=True)
def sum_to_size(self: Tensor, *sizes: Any, size: Any = None) -> Tensor:
    """This tensor summed over the dimensions along which ``size`` would have to be broadcast to its shape.

    >>> import autograd
    >>> autograd.ones(2, 3).sum_to_size(1, 3)
    tensor([[2., 2., 2.]])
    """
    sizes = sizes if size is None else (size,)
    shape = tuple(sizes[0]) if len(sizes) == 1 and isinstance(sizes[0], (tuple, list)) else sizes
    own = tuple(self.shape)
    ending = own[len(own) - len(shape) :]
    if len(shape) > len(own) or any(n not in (1, m) for n, m in zip(shape, ending, strict=True)):
        raise RuntimeError(f"sum_to_size: size {list(shape)} is not expandable to size {list(own)}.")
    if not shape:
        return self.sum()
    return self if shape == own else sum_to(self, shape)


@function()
def trace(input: Tensor) -> Tensor:
    """The sum of the diagonal of a matrix.

    Raises:
        RuntimeError: not two dimensions.

    >>> import autograd
    >>> autograd.trace(autograd.eye(3))
    tensor(3.)
    """
    x = check_tensor("trace", "input", input)._array
    if x.ndim != 2:
        raise RuntimeError(f"trace: expected a matrix, but got tensor with dim {x.ndim}, shape {list(x.shape)}")
    if x.dtype.kind == "b":
        raise NotImplementedError("\"trace\" not implemented for 'Bool'; convert with .long()")
    return input.diagonal().sum()


# --- Several results at once ----------------------------------------------------------------------------------------


@function()
def aminmax(input: Tensor, *, dim: int | None = None, keepdim: bool = False) -> Any:
    """A pair (min, max) of all elements or along ``dim``; gradients are shared by ties.

    Raises:
        RuntimeError: no elements at all.
        IndexError: none along ``dim``.

    >>> import autograd
    >>> autograd.aminmax(autograd.tensor([2, 1, 3]))
    torch.return_types.aminmax(
    min=tensor(1),
    max=tensor(3))
    """
    x = check_tensor("aminmax", "input", input)._array
    dims = axes_of("aminmax", None if dim is None else check_dim("aminmax", dim, x.ndim), x.ndim)
    check_not_empty("aminmax", x, dims, dim)
    return AMINMAX(*(apply(row, (input, dims, keepdim), {}) for row in (amin, amax)))


def _moments(name: str, row: Any, word: str) -> Any:
    moment = name.removesuffix("_mean")

    def compute(
        input: Tensor, dim: Any = None, unbiased: Any = None, keepdim: bool = False, *, correction: Any = None
    ) -> tuple[Tensor, Tensor]:
        if isinstance(dim, bool):
            dim, unbiased = None, dim
        check_tensor(name, "input", input)
        spread = getattr(Tensor, moment)(input, dim, unbiased, keepdim, correction=correction)
        return spread, input.mean(axes_of(name, dim, input._array.ndim), keepdim) if input._array.ndim else input.mean()

    compute.__name__ = name
    compute.__doc__ = f"""A pair: the {word} over ``dim``, divided by n - ``correction`` (1 by default), and the mean.

    >>> import autograd
    >>> autograd.{name}(autograd.tensor([1.0, 2.0, 3.0]))
    (tensor(1.), tensor(2.))
    """
    return function(method=False)(compute)


var_mean = _moments("var_mean", variance, "variance")
std_mean = _moments("std_mean", deviation, "standard deviation")


# --- Covariance -----------------------------------------------------------------------------------------------------


@function()
def cov(
    input: Tensor, *, correction: int = 1, fweights: Tensor | None = None, aweights: Tensor | None = None
) -> Tensor:
    """The covariance matrix of variables (rows) from their observations (columns).

    Args:
        correction: taken off the number of observations in the divisor.
        fweights: how often each observation is repeated: non-negative integers.
        aweights: how much each observation counts: non-negative floats.

    Raises:
        RuntimeError: more than two dimensions, bool inputs, weights that do not fit or are negative.

    >>> import autograd
    >>> autograd.cov(autograd.tensor([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]]))
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    x = check_tensor("cov", "input", input)._array
    if x.ndim > 2:
        raise RuntimeError(f"cov(): expected input to have two or fewer dimensions but got shape {list(x.shape)}")
    if x.dtype.kind == "b":
        raise RuntimeError("cov(): bool dtype is not supported for input; convert with .float()")
    table = input if x.ndim == 2 else input.reshape(1, -1)
    count = table._array.shape[1]
    weight = _observation_weights(count, fweights, aweights)
    total: Any = count if weight is None else weight.sum()
    if weight is not None and not float(total):
        raise RuntimeError("cov(): weights sum to zero, can't be normalized")
    mean = (table if weight is None else table * weight).sum(1) / total
    divisor = total - correction
    if aweights is not None and correction != 0:
        divisor = total - correction * (weight * aweights).sum() / total
    if float(divisor) <= 0:
        warnings.warn(
            "cov(): degrees of freedom is <= 0. Correction should be strictly less than the number of observations.",
            stacklevel=3,
        )
        divisor = 0 if weight is None else divisor * 0
    centered = table - mean.unsqueeze(1)
    other = centered if weight is None else centered * weight
    product = centered @ other.t().conj().to(centered.dtype)
    return (product / divisor).squeeze()


def _observation_weights(count: int, fweights: Tensor | None, aweights: Tensor | None) -> Tensor | None:
    """The product of both kinds of weights."""
    weight = None
    for name, given, kinds in (("fweights", fweights, "iu"), ("aweights", aweights, FLOATING)):
        if given is None:
            continue
        array = check_tensor("cov", name, given)._array
        if array.ndim > 1:
            raise RuntimeError(f"cov(): expected {name} to have one or fewer dimensions but got {array.ndim}")
        if array.dtype.kind not in kinds:
            wanted = "integral" if kinds == "iu" else "floating point"
            raise RuntimeError(f"cov(): expected {name} to have {wanted} dtype but got {name} with {given.dtype} dtype")
        if array.size != count:
            raise RuntimeError(
                f"cov(): expected {name} to have the same numel as there are observations in the input but got "
                f"{array.size} != {count}"
            )
        if count and array.min() < 0:
            raise RuntimeError(f"cov(): {name} cannot be negative, but got {array.min()}")
        weight = given if weight is None else weight * given
    return weight


@function()
def corrcoef(input: Tensor) -> Tensor:
    """The matrix of correlation coefficients of variables (rows) from their observations (columns).

    >>> import autograd
    >>> autograd.corrcoef(autograd.tensor([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]]))
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    if check_tensor("corrcoef", "input", input)._array.ndim > 2:
        raise RuntimeError(f"corrcoef(): expected input to have two or fewer dimensions but got {list(input.shape)}")
    c = cov(input)
    if not c._array.ndim:
        return c / c
    scale = TABLE["real"](c).diagonal().sqrt()
    c = c / scale.unsqueeze(1) / scale.unsqueeze(0)
    if c._array.dtype.kind != "c":
        return c.clamp(-1, 1)
    return TABLE["complex"](TABLE["real"](c).clamp(-1, 1), TABLE["imag"](c).clamp(-1, 1))


# --- Norms ----------------------------------------------------------------------------------------------------------


@function()
def dist(input: Tensor, other: Tensor, p: float = 2) -> Tensor:
    """The norm of a difference, ``(sum |input - other|^p)^(1/p)``.

    >>> import autograd
    >>> autograd.dist(autograd.tensor([3.0, 0.0]), autograd.tensor([0.0, 4.0]))
    tensor(5.)
    """
    return norm(check_tensor("dist", "input", input) - check_tensor("dist", "other", other), p)


@inplace("renorm_")
@function()
def renorm(input: Tensor, p: float, dim: int, maxnorm: float) -> Tensor:
    """Each slice along ``dim`` whose ``p``-norm is above ``maxnorm``, scaled down to it; the others as they are.

    Raises:
        RuntimeError: fewer than two dimensions, ``p`` not positive, a negative ``maxnorm``.

    >>> import autograd
    >>> autograd.renorm(autograd.tensor([[3.0, 4.0], [0.3, 0.4]]), 2, 0, 1.0)
    tensor([[0.6000, 0.8000],
            [0.3000, 0.4000]])
    """
    x = check_tensor("renorm", "input", input)._array
    if isinstance(p, complex) or p <= 0:
        raise RuntimeError(f"renorm: non-positive-norm not supported, got p={p}")
    if isinstance(maxnorm, complex) or maxnorm < 0:
        raise RuntimeError(f"renorm: expected maxnorm to be >= 0 but got {maxnorm}")
    if x.ndim < 2:
        raise RuntimeError(f"renorm: input needs at least 2 dimensions, got {x.ndim} dimensions")
    at = check_dim("renorm", dim, x.ndim)
    input = input.clone()  # so that renorm_ overwrites nothing that a rule needs
    size = apply(p_norm, (input, float(p), tuple(d for d in range(x.ndim) if d != at), True), {})
    # The small number keeps rounding from leaving a norm above the limit.
    return input * TABLE["where"](size > maxnorm, maxnorm / (size + 1e-7), 1.0)


@function(method=False)
def frobenius_norm(input: Tensor, dim: Any, keepdim: bool = False) -> Tensor:
    """The root of the sum of squares over ``dim``; today's name is ``linalg.vector_norm``.

    >>> import autograd
    >>> autograd.frobenius_norm(autograd.tensor([[3.0, 4.0]]), (0, 1))
    tensor(5.)
    """
    return norm(input, 2, dim, keepdim)


@function(method=False)
def nuclear_norm(input: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
    """The sum of the singular values of matrices; today's name is ``linalg.matrix_norm(input, "nuc")``."""
    if isinstance(dim, bool):
        dim, keepdim = None, dim
    return norm(input, "nuc", dim, keepdim)


@function(method=False)
def norm_except_dim(v: Tensor, pow: float = 2, dim: int = 0) -> Tensor:
    """The norms of the slices along ``dim``, kept as dimensions of size 1; of all elements for ``dim=-1``.

    >>> import autograd
    >>> autograd.norm_except_dim(autograd.tensor([[3.0, 4.0], [6.0, 8.0]]))
    tensor([[ 5.],
            [10.]])
    """
    ndim = check_tensor("norm_except_dim", "v", v)._array.ndim
    if dim == -1:
        return norm(v, pow)
    if ndim == 0:
        raise IndexError(f"norm_except_dim: Dimension specified as {dim} but tensor has no dimensions")
    at = check_dim("norm_except_dim", dim, ndim)
    return norm(v, pow, tuple(d for d in range(ndim) if d != at), True)


# --- Segments -------------------------------------------------------------------------------------------------------

NEUTRAL = {"sum": 0.0, "mean": math.nan, "max": -math.inf, "min": math.inf, "prod": 1.0}


@function(method=False)
def segment_reduce(
    data: Tensor, reduce: str, *, lengths: Tensor | None = None, indices: Tensor | None = None,
    offsets: Tensor | None = None, axis: int = 0, unsafe: bool = False, initial: float | None = None,
) -> Tensor:  # fmt: skip
    """The sum, mean, maximum, minimum or product of each segment along ``axis``.

    Args:
        reduce: ``"sum"``, ``"mean"``, ``"max"``, ``"min"`` or ``"prod"``.
        lengths: the segments' lengths; with leading dimensions, those of each row of ``data``.
        offsets: instead, where each segment begins, and the end of the last one.
        axis: the last dimension of ``lengths``.
        initial: the value of an empty segment, and what the others start with.

    Raises:
        RuntimeError: neither or both of ``lengths`` and ``offsets``, or lengths that do not fit.

    >>> import autograd
    >>> autograd.segment_reduce(autograd.tensor([1.0, 2.0, 4.0]), "sum", lengths=autograd.tensor([1, 2]))
    tensor([1., 6.])
    """
    x = check_tensor("segment_reduce", "data", data)._array
    at = check_dim("segment_reduce", axis, x.ndim)
    if reduce not in NEUTRAL:
        raise RuntimeError(f"segment_reduce(): unsupported reduction {reduce!r}: one of {', '.join(NEUTRAL)}")
    if x.size == 0:
        raise RuntimeError(f"segment_reduce(): expected data to be non-empty, but its shape is {list(x.shape)}")
    if indices is not None:
        raise RuntimeError("segment_reduce(): indices based reduction is not supported yet; pass lengths or offsets")
    if (lengths is None) == (offsets is None):
        raise RuntimeError("segment_reduce(): Either lengths or offsets must be defined")
    given = check_tensor("segment_reduce", "lengths", offsets if lengths is None else lengths)._array
    if given.ndim != at + 1 or given.shape[:-1] != x.shape[:at]:
        raise RuntimeError(
            f"segment_reduce(): Expected axis to be the last dimension of lengths: got axis {at}, shape "
            f"{list(given.shape)} and data {list(x.shape)}"
        )
    if lengths is None:
        begins, ends = given[..., :-1], given[..., 1:]
    else:
        ends = np.cumsum(given, axis=-1)
        begins = ends - given
        if not unsafe and ((given < 0).any() or (ends[..., -1:] != x.shape[at]).any()):
            raise RuntimeError(
                f"segment_reduce(): Expected all rows of lengths along axis to sum to data.size(axis) = {x.shape[at]} "
                f"when !unsafe, but got {given.tolist()}"
            )
    start = NEUTRAL[reduce] if initial is None else float(initial)
    segments = [
        _segment(data[row].narrow(0, int(begin), int(end - begin)), reduce, start, initial is not None)
        for row in np.ndindex(given.shape[:-1])
        for begin, end in zip(begins[row], ends[row], strict=True)
    ]
    return stack(segments).reshape(*begins.shape, *x.shape[at + 1 :])


def _segment(part: Tensor, reduce: str, start: float, given: bool) -> Tensor:
    if not part._array.shape[0]:
        return part.new_full(part.shape[1:], start)
    if reduce in ("max", "min"):
        result = part.amax(0) if reduce == "max" else part.amin(0)
        return result.clamp(min=start) if reduce == "max" else result.clamp(max=start)
    if reduce == "prod":
        return part.prod(0) * start
    total = part.sum(0) + (start if given else 0.0)
    return total / part._array.shape[0] if reduce == "mean" else total
