"""Scans beyond the running sum, and differences and integrals of sampled functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import dtypes
from ..kernels.scans import WIDER, running_extremes
from ..rows.dispatch import NUMBERS, apply
from ..rows.public import function
from ..rows.results import result_type
from ..rows.table import TABLE, Array, _, coarse
from ..rows.writes import type_name
from ..tensor import Tensor, check_dim, wrap
from .convert import check_tensor
from .index import scatter_add_zeros
from .reduce import cumsum, scan, scan_into
from .shape import cat, expand, flip, unsqueeze

__all__ = ["cummax", "cummin", "cumprod", "cumulative_trapezoid", "diff", "gradient", "logcumsumexp", "trapezoid"]


def _sums_from_here(x: Any, dim: int) -> Any:
    """For each element the sum of it and all behind it along ``dim``."""
    return flip(cumsum(flip(x, (dim,)), dim), (dim,))


# --- Products ------------------------------------------------------------------------------------------------------


@coarse(latex=r"\prod_{j \le i} x_j")
def cumprod(x: Array, dim, dtype=None):
    """Running products along ``dim``."""
    return scan(np.multiply, "cumprod", x, dim, dtype)


@cumprod.gradient("x")
def _(g, x, out, dim):
    # The derivative of out_k by x_i is out_k / x_i for k >= i, where x_i is not 0.
    if not x.ndim:
        return TABLE["to"](g, x.dtype)
    dim %= x.ndim
    x_wide = TABLE["to"](x, g.dtype)
    zero = _.eq(x_wide, 0)
    if not bool((zero._array if isinstance(zero, Tensor) else zero).any()):
        return TABLE["to"](_.div(_sums_from_here(_.mul(g, out), dim), x_wide), x.dtype)
    if isinstance(x, Tensor):
        return TABLE["to"](_products_without(g, x_wide, dim), x.dtype)
    # Behind the first zero all products vanish; by that zero they are the products of the others.
    first = zero & (np.add.accumulate(zero, dim, np.int64) == 1)
    before = np.add.accumulate(zero, dim, np.int64) == 0
    others = np.multiply.accumulate(np.where(first, g.dtype.type(1), x_wide), dim)
    at_first = _sums_from_here(np.where(before, g.dtype.type(0), g * others), dim)
    at_others = _sums_from_here(g * out, dim) / np.where(before, x_wide, g.dtype.type(1))
    return np.where(before, at_others, np.where(first, at_first, g.dtype.type(0))).astype(x.dtype, copy=False)


scan_into("cumprod_")


def _products_without(g: Any, x: Any, dim: int) -> Any:
    """The gradient of `cumprod` as a sum over all pairs: differentiable where elements are 0, too."""
    n, last = x.shape[dim], x.ndim - 1
    x, g = _.transpose(x, dim, last), _.transpose(g, dim, last)
    rows = expand(unsqueeze(x, last), (*x.shape, n))  # row i: all elements, 1 in place of element i
    rows = cumprod(_.where(wrap(np.eye(n, dtype=bool)), 1.0, rows), last + 1)
    rows = _.where(wrap(np.triu(np.ones((n, n), bool))), rows, 0.0)
    return _.transpose(_.sum(_.mul(rows, unsqueeze(g, last)), last + 1), dim, last)


# --- Logarithms of sums ---------------------------------------------------------------------------------------------


@coarse(latex=r"\ln \sum_{j \le i} e^{x_j}")
def logcumsumexp(x: Array, dim):
    """Logarithms of the running sums of ``exp(x)`` along ``dim``, without overflow."""
    if x.dtype.kind not in "fc":
        raise NotImplementedError(
            f"\"logcumsumexp_out_cpu\" not implemented for '{type_name(x.dtype)}'; convert with .float()"
        )
    at = check_dim("logcumsumexp", dim, x.ndim)
    if not x.ndim:
        return x.copy()
    if x.dtype.kind == "c":
        return _complex_logcumsumexp(x, at)
    return np.logaddexp.accumulate(x, axis=at, dtype=WIDER.get(x.dtype, x.dtype)).astype(x.dtype, copy=False)


def _complex_logcumsumexp(x: np.ndarray, dim: int) -> np.ndarray:
    out = x.copy()
    steps = np.moveaxis(out, dim, 0)
    for i in range(1, len(steps)):
        before, here = steps[i - 1], steps[i]
        ahead = before.real > here.real
        large, small = np.where(ahead, before, here), np.where(ahead, here, before)
        steps[i] = large + np.log1p(np.exp(small - large))
    return out


@logcumsumexp.gradient("x")
def _(g, x, out, dim):
    # sum_{k >= i} g_k exp(x_i - out_k) in logarithms, for the positive and the negative gradients each.
    if not x.ndim:
        return g
    if (x._array if isinstance(x, Tensor) else x).dtype.kind == "c":
        logs = _.sub(_.log(g), out)
        return _.exp(_.add(flip(logcumsumexp(flip(logs, (dim,)), dim), (dim,)), x))
    total = None
    for sign in (1.0, -1.0):
        signed = _.mul(g, sign)
        chosen = _.logical_not(_.le(signed, 0))  # NaN is in both
        logs = _.where(chosen, _.sub(_.log(_.where(chosen, signed, 1.0)), out), -np.inf)
        part = _.exp(_.add(flip(logcumsumexp(flip(logs, (dim,)), dim), (dim,)), x))
        total = part if total is None else _.sub(total, part)
    return total


# --- Running extremes -----------------------------------------------------------------------------------------------


@coarse(latex=r"\max_{j \le i} x_j \text{ or } \min_{j \le i} x_j", home="", node_name=lambda name: name.capitalize())
def running_extreme(x: Array, dim, values, places, name):
    return values


@running_extreme.gradient("x")
def _(g, x_shape, dim, places):
    return scatter_add_zeros(g, x_shape, dim, places)


def _running(name: str, word: str) -> Any:
    pair = result_type(name, "values indices")

    def compute(input: Tensor, dim: int) -> Any:
        x = check_tensor(name, "input", input)._array
        at = check_dim(name, dim, x.ndim)
        if x.size == 0 or x.ndim == 0:
            return pair(input.clone(), wrap(np.zeros(x.shape, np.int64)))
        if x.dtype.kind == "c":
            raise NotImplementedError(f'"{name}" not implemented for complex numbers, which have no order')
        values, places = running_extremes(x, at, name == "cummax")
        return pair(apply(running_extreme, (input, at, values, places, name), {}), wrap(places))

    compute.__name__ = name
    compute.__doc__ = f"""A pair (values, indices): the largest element so far along ``dim``, and its place.

    Of equal elements it is the last; NaN is larger than all.

    >>> import autograd
    >>> autograd.{name}(autograd.tensor([1, 3, 2]), 0).values
    tensor({[1, 3, 3] if name == "cummax" else [1, 1, 1]})
    """.replace("largest", word).replace("larger", f"{word[:-2]}er")
    return function()(compute)


cummax = _running("cummax", "largest")
cummin = _running("cummin", "smallest")


# --- Differences ----------------------------------------------------------------------------------------------------


@function()
def diff(
    input: Tensor, n: int = 1, dim: int = -1, prepend: Tensor | None = None, append: Tensor | None = None
) -> Tensor:
    """Differences of neighbors along ``dim``, ``n`` times; ``prepend`` and ``append`` are joined on first.

    Raises:
        RuntimeError: a 0-d tensor, a negative ``n``.

    >>> import autograd
    >>> autograd.diff(autograd.tensor([1, 4, 9, 16]))
    tensor([3, 5, 7])
    """
    ndim = check_tensor("diff", "input", input)._array.ndim
    if ndim == 0:
        raise RuntimeError("diff expects input to be at least one-dimensional; got a 0-d tensor")
    if n < 0:
        raise RuntimeError(f"diff: order n must be non-negative but got {n}")
    at = check_dim("diff", dim, ndim)
    for name, part in (("prepend", prepend), ("append", append)):
        if part is not None and check_tensor("diff", name, part)._array.ndim != ndim:
            raise RuntimeError(
                f"diff expects prepend or append to be the same dimension as input: {name} has shape "
                f"{list(part.shape)}, input {list(input.shape)}"
            )
    if n == 0:
        return input.clone()
    parts = [part for part in (prepend, input, append) if part is not None]
    result: Tensor = cat(parts, at) if len(parts) > 1 else input
    for _step in range(min(n, result._array.shape[at])):
        left, right = _neighbors(result, at)
        result = right.logical_xor(left) if result.dtype is dtypes.bool else right - left
    return result


def _neighbors(x: Tensor, dim: int) -> tuple[Tensor, Tensor]:
    """All but the last, and all but the first along ``dim``."""
    n = max(x._array.shape[dim] - 1, 0)
    return x.narrow(dim, 0, n), x.narrow(dim, min(1, x._array.shape[dim]), n)


@function(method=False)
def gradient(input: Tensor, *, spacing: Any = None, dim: Any = None, edge_order: int = 1) -> tuple[Tensor, ...]:
    """The derivative of a sampled function along each of ``dim``: second-order differences inside, at the edges
    one-sided differences of order ``edge_order``.

    Args:
        input: values on a grid.
        spacing: a number, one number for each dimension, or for each a tensor of coordinates.
        dim: an int or several; all by default.
        edge_order: 1 or 2.

    Raises:
        RuntimeError: another ``edge_order``, a dimension that is too short, a spacing that does not fit.

    >>> import autograd
    >>> autograd.gradient(autograd.tensor([1.0, 4.0, 9.0, 16.0]))
    (tensor([3., 4., 6., 7.]),)
    """
    array = check_tensor("gradient", "input", input)._array
    if array.dtype == np.uint8:
        raise RuntimeError("torch.gradient does not support uint8 input; convert with .float()")
    if edge_order not in (1, 2):
        raise RuntimeError(f"gradient only supports edge_order=1 and edge_order=2, but got {edge_order}")
    dims = range(array.ndim) if dim is None else dim if isinstance(dim, (tuple, list)) else (dim,)
    spacings: Sequence[Any] = spacing if isinstance(spacing, (tuple, list)) else [1 if spacing is None else spacing]
    if not isinstance(spacing, (tuple, list)):
        spacings = list(spacings) * len(dims)
    if len(spacings) != len(dims):
        raise RuntimeError(
            f"gradient expected spacing to be unspecified, a number or to hold one item for each of {len(dims)} "
            f"dimensions, but got {len(spacings)}"
        )
    places = [check_dim("gradient", d, array.ndim) for d in dims]
    if len(set(places)) != len(places):
        raise RuntimeError(f"gradient: dim {dim} names a dimension more than once")
    for at, step in zip(places, spacings, strict=True):
        n = array.shape[at] if array.ndim else 0
        if n < edge_order + 1:
            raise RuntimeError(
                f"gradient expected each dimension size to be at least edge_order+1 = {edge_order + 1}, but dimension "
                f"{at} of {list(array.shape)} is {n}"
            )
        if isinstance(step, Tensor) and step._array.ndim and step._array.shape != (n,):
            raise RuntimeError(
                f"gradient: the coordinates of dimension {at} must have shape [{n}], but got {list(step.shape)}"
            )
    return tuple(_derivative(input, at, step, edge_order) for at, step in zip(places, spacings, strict=True))


def _derivative(f: Tensor, dim: int, step: Any, edge_order: int) -> Tensor:
    n = f._array.shape[dim]

    def at(start: int, length: int = 1) -> Tensor:
        return f.narrow(dim, start % n, length)

    if isinstance(step, NUMBERS) or not step._array.ndim:
        inside = (at(2, n - 2) - at(0, n - 2)) / (2 * step) if n > 2 else at(0, 0) / step
        if edge_order == 1:
            left, right = (at(1) - at(0)) / step, (at(-1) - at(-2)) / step
        else:
            left = (at(0) * -1.5 + at(1) * 2 - at(2) * 0.5) / step
            right = (at(-3) * 0.5 - at(-2) * 2 + at(-1) * 1.5) / step
        return cat([left, inside, right], dim)
    # Unequal distances: the parabola through three points, differentiated at the middle one and at the ends.
    shape = [-1 if d == dim else 1 for d in range(f._array.ndim)]
    h = diff(step).reshape(shape)
    h0, h1 = h.narrow(dim, 0, n - 2), h.narrow(dim, 1, n - 2)
    inside = at(0, n - 2) * (-h1 / (h0 * (h0 + h1))) + at(1, n - 2) * ((h1 - h0) / (h0 * h1))
    inside = inside + at(2, n - 2) * (h0 / (h1 * (h0 + h1)))
    if edge_order == 1:
        left, right = (at(1) - at(0)) / h.narrow(dim, 0, 1), (at(-1) - at(-2)) / h.narrow(dim, n - 2, 1)
    else:
        a, b = h.narrow(dim, 0, 1), h.narrow(dim, 1, 1)
        left = at(0) * (-(2 * a + b) / (a * (a + b))) + at(1) * ((a + b) / (a * b)) - at(2) * (a / (b * (a + b)))
        a, b = h.narrow(dim, n - 3, 1), h.narrow(dim, n - 2, 1)
        right = at(-3) * (b / (a * (a + b))) - at(-2) * ((a + b) / (a * b)) + at(-1) * ((a + 2 * b) / (b * (a + b)))
    return cat([left, inside, right], dim)


# --- Integrals ------------------------------------------------------------------------------------------------------


@function(method=False, aliases=["trapz"])
def trapezoid(y: Tensor, x: Tensor | None = None, *, dx: Any = None, dim: int = -1) -> Tensor:
    """The integral along ``dim`` of the function with values ``y``, by the trapezoidal rule.

    Args:
        y: values.
        x: their coordinates: one dimension, or a shape that broadcasts with ``y``'s.
        dx: the distance of neighbors instead, 1 by default.

    Raises:
        RuntimeError: not one coordinate for each value.

    >>> import autograd
    >>> autograd.trapezoid(autograd.tensor([1.0, 2.0, 4.0]))
    tensor(4.5000)
    """
    left, right, width, at = _panels("trapezoid", y, x, dx, dim)
    if not y._array.shape[at]:
        return y.sum(at).to(y.dtype)  # no division made it a float
    if isinstance(width, Tensor):
        return ((left + right) * width).sum(at) / 2
    return (y.sum(at) - (y.select(at, 0) + y.select(at, -1)) * 0.5) * width


@function(method=False)
def cumulative_trapezoid(y: Tensor, x: Tensor | None = None, *, dx: Any = None, dim: int = -1) -> Tensor:
    """The integrals along ``dim`` from the first sample up to each further one; arguments as for `trapezoid`.

    >>> import autograd
    >>> autograd.cumulative_trapezoid(autograd.tensor([1.0, 2.0, 4.0]))
    tensor([1.5000, 4.5000])
    """
    left, right, width, at = _panels("cumulative_trapezoid", y, x, dx, dim)
    if isinstance(width, Tensor):
        return ((left + right) * width).cumsum(at) / 2
    return (left + right).cumsum(at) * (width / 2)


def _panels(operator: str, y: Tensor, x: Tensor | None, dx: Any, dim: int) -> tuple[Tensor, Tensor, Any, int]:
    """Left and right values of the panels, their widths, and the dimension of the result along which they lie."""
    ndim = check_tensor(operator, "y", y)._array.ndim
    if x is not None and dx is not None:
        raise TypeError(f"{operator}() takes x or dx, not both")
    if ndim == 0:
        raise IndexError(f"{operator}: Dimension specified as {dim} but tensor has no dimensions")
    at = check_dim(operator, dim, ndim)
    for name, values in (("y", y), ("x", x)):
        if values is not None and check_tensor(operator, name, values).dtype is dtypes.bool:
            raise RuntimeError(f"{operator}: received a bool input for `{name}`, but bool is not supported")
    n = y._array.shape[at]
    left, right = _neighbors(y, at)
    if x is None:
        return left, right, 1 if dx is None else dx, at - ndim
    if x._array.ndim == 1:
        if x._array.shape[0] != n:
            raise RuntimeError(
                f"{operator}: There must be one `x` value for each sample point: y has {n} along dimension {at}, x "
                f"{x._array.shape[0]}"
            )
        return left, right, diff(x).reshape([-1 if d == at else 1 for d in range(ndim)]), at - ndim
    if x._array.ndim < ndim:
        x = x.reshape((1,) * (ndim - x._array.ndim) + tuple(x.shape))
    place = check_dim(operator, dim, x._array.ndim)
    if x._array.shape[place] not in (1, n):
        raise RuntimeError(
            f"{operator}: There must be one `x` value for each sample point: y has shape {list(y.shape)}, x "
            f"{list(x.shape)}, along dimension {dim}"
        )
    return left, right, diff(x, dim=place), at - ndim
