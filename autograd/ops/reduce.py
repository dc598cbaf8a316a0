"""Reductions and scans: sums, products, extremes, moments, softmax."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dtypes import default_dtype, to_numpy_dtype
from ..kernels import softmax as kernel
from ..kernels.along import Along
from ..kernels.extremes import largest, smallest
from ..kernels.halves import FLOATING
from ..kernels.scans import accumulate
from ..kernels.sums import LARGE, add_up
from ..rows import deferred
from ..rows.dispatch import apply, broadcast_shape
from ..rows.public import function, inplace
from ..rows.results import result_type
from ..rows.table import TABLE, Array, _, coarse
from ..rows.writes import write_out
from ..tensor import Tensor, check_dim, wrap
from .convert import check_tensor
from .shape import expand, flip, reshape, unsqueeze

ALL_AXES = tuple(tuple(range(ndim)) for ndim in range(8))


def axes_of(operator: str, dim: Any, ndim: int) -> tuple[int, ...]:
    """Dimensions to reduce as non-negative numbers; None and an empty sequence mean all.

    Raises:
        RuntimeError: a dimension named twice.
        IndexError: one out of range.
    """
    if type(dim) is int:
        at = check_dim(operator, dim, ndim)
        return (at,) if ndim else ()
    if dim is None or (isinstance(dim, (tuple, list)) and not dim):
        return ALL_AXES[ndim] if ndim < len(ALL_AXES) else tuple(range(ndim))
    dims = tuple(check_dim(operator, d, ndim) for d in (dim if isinstance(dim, (tuple, list)) else (dim,)))
    if len(set(dims)) != len(dims):
        raise RuntimeError(f"{operator}: dim {dim} appears multiple times in the list of dims")
    return dims if ndim else ()


# Up to so many elements NumPy writes repeated numbers out faster than it computes with a view that repeats them.
WRITTEN_OUT = 4096


def stretched(g: Any, shape: Sequence[int], dims: Sequence[int], keepdim: bool) -> Any:
    """The gradient or the value of a reduction, so that it broadcasts with what was reduced."""
    if not keepdim and dims and g.ndim:
        return reshape(g, tuple([1 if i in dims else n for i, n in enumerate(shape)]))
    return g


def spread(g: Any, shape: Sequence[int], dims: Sequence[int], keepdim: bool) -> Any:
    """The gradient of a reduction, repeated over what was reduced."""
    g = stretched(g, shape, dims, keepdim)
    if type(g) is np.ndarray and math.prod(shape) <= WRITTEN_OUT:
        full = np.empty(shape, g.dtype)
        full[...] = g
        return full
    return expand(g, tuple(shape))


def count_along(shape: Sequence[int], dims: Sequence[int]) -> int:
    """Number of elements that go into one result."""
    return math.prod(shape[d] for d in dims)


def _sum(x: np.ndarray, axes: tuple[int, ...], keepdim: bool, dtype: np.dtype) -> np.ndarray:
    if dtype == np.float16:
        return add_up(x, axes, keepdim, np.dtype(np.float32)).astype(dtype)
    return add_up(x, axes, keepdim, dtype)


# --- Sums ----------------------------------------------------------------------------------------------------------


def _with_dim(name: str) -> Any:
    """PyTorch's node names: SumBackward0 over all elements, SumBackward1 with ``dim``."""
    return lambda dim: f"{name}Backward{0 if dim is None else 1}"


@coarse(latex=r"\sum_i x_i", node_name=_with_dim("Sum"))
def sum(x: Array, dim=None, keepdim=False, dtype=None):
    """The sum over ``dim`` (an int, several, or all); integers are summed as int64."""
    if dtype is None and dim is None and x.dtype.kind == "f" and x.itemsize > 2:
        if x.size < LARGE:
            return np.add.reduce(x, axis=None, keepdims=keepdim)
        return add_up(x, tuple(range(x.ndim)), keepdim, x.dtype)
    kind = np.dtype(np.int64) if x.dtype.kind in "biu" else x.dtype
    kind = kind if dtype is None else to_numpy_dtype(dtype)
    return _sum(x, axes_of("sum", dim, x.ndim), keepdim, kind)


@sum.gradient("x")
def _(g, x_shape, x_dtype, dim, keepdim):
    spread_g = spread(g, x_shape, axes_of("sum", dim, len(x_shape)), keepdim)
    kind = g.dtype.numpy if isinstance(g, Tensor) else g.dtype
    return spread_g if kind == x_dtype else TABLE["to"](spread_g, x_dtype)


@coarse(latex=r"\frac{1}{n} \sum_i x_i", node_name=_with_dim("Mean"))
def mean(x: Array, dim=None, keepdim=False, dtype=None):
    """The mean over ``dim``.

    Raises:
        RuntimeError: an integer tensor without ``dtype``.
    """
    kind = x.dtype if dtype is None else to_numpy_dtype(dtype)
    if kind.kind not in "fc":
        raise RuntimeError(
            "mean(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. Got: "
            f"{kind.name}; convert with .float() or pass dtype=."
        )
    axes = axes_of("mean", dim, x.ndim)
    wide = np.dtype(np.float32) if kind == np.float16 else kind
    total = add_up(x, axes, keepdim, wide)
    return np.asarray(total / wide.type(count_along(x.shape, axes))).astype(kind, copy=False)


@mean.gradient("x")
def _(g, x_shape, x_dtype, dim, keepdim):
    dims = axes_of("mean", dim, len(x_shape))
    count = count_along(x_shape, dims)
    return TABLE["to"](spread(_.div(g, count), x_shape, dims, keepdim), x_dtype)


@coarse(latex=r"\prod_i x_i", home="", node_name="Prod")
def product_along(x: Array, dim, keepdim, dtype=None):
    kind = np.int64 if x.dtype.kind in "biu" else x.dtype
    kind = kind if dtype is None else to_numpy_dtype(dtype)
    return np.multiply.reduce(x, axis=dim, dtype=kind, keepdims=keepdim)


@product_along.gradient("x")
def _(g, x, dim, keepdim):
    spread_g = spread(g, x.shape, (dim % max(x.ndim, 1),) if x.ndim else (), keepdim)
    return _.mul(spread_g, product_of_others(x, dim))


@coarse(latex=r"\prod_{j \ne i} x_j", home="")
def product_of_others(x: Array, dim):
    """For each element the product of all others along ``dim``; exact with zeros, where dividing is not."""
    if x.ndim == 0:
        return np.ones_like(x)
    x = np.moveaxis(x, dim, 0)
    before = np.ones_like(x)
    np.cumprod(x[:-1], axis=0, out=before[1:])
    after = np.ones_like(x)
    after[:-1] = np.cumprod(x[:0:-1], axis=0)[::-1]
    return np.moveaxis(before * after, 0, dim)


@product_of_others.gradient("x")
def _(g, x, dim):
    # d(product without i)/dx_j is the product without i and j: row i of a matrix that holds x with 1 at place i.
    if x.ndim == 0:
        return _.mul(g, 0.0)
    n = x.shape[dim]
    last = x.ndim - 1
    x, g = _.transpose(x, dim, last), _.transpose(g, dim, last)
    diagonal = wrap(np.eye(n, dtype=bool)) if isinstance(x, Tensor) else np.eye(n, dtype=bool)
    rows = _.where(diagonal, 1.0, expand(unsqueeze(x, last), (*x.shape, n)))
    pairs = _.where(diagonal, 0.0, product_of_others(rows, -1))
    return _.transpose(_.sum(_.mul(pairs, unsqueeze(g, last + 1)), last), dim, last)


@function()
def prod(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The product of all elements, or along ``dim``."""
    ndim = check_tensor("prod", "input", input)._array.ndim
    if dtype is not None:
        input = input.to(dtype)
    if dim is None:
        return apply(product_along, (apply(reshape, (input, (-1,)), {}), 0, False, dtype), {})
    at = check_dim("prod", dim, ndim)
    if ndim == 0:
        return apply(product_along, (input.reshape(1), 0, False, dtype), {})
    return apply(product_along, (input, at, keepdim, dtype), {})


@coarse(latex=r"\sum_{j \le i} x_j")
def cumsum(x: Array, dim, dtype=None):
    """Running sums along ``dim``."""
    return scan(np.add, "cumsum", x, dim, dtype)


@cumsum.gradient("x")
def _(g, x_dtype, dim):
    return TABLE["to"](flip(cumsum(flip(g, (dim,)), dim), (dim,)), x_dtype) if g.ndim else g


def scan(ufunc: np.ufunc, operator: str, x: np.ndarray, dim: Any, dtype: Any) -> np.ndarray:
    """Running sums or products, in PyTorch's dtype."""
    kind = np.dtype(np.int64) if x.dtype.kind in "biu" else x.dtype
    kind = kind if dtype is None else to_numpy_dtype(dtype)
    at = check_dim(operator, dim, x.ndim)
    return accumulate(ufunc, x.astype(kind, copy=False), at) if x.ndim else x.astype(kind)


def scan_into(name: str) -> None:
    """Publishes the in-place method ``name`` of a scan, which keeps the tensor's dtype."""

    def compute(self: Tensor, dim: int, dtype: Any = None) -> Tensor:
        if dtype is not None and dtype is not self.dtype:
            raise RuntimeError(
                f"Bad in-place call: input tensor dtype {self.dtype} and output tensor dtype {dtype} should match"
            )
        if self._array.dtype.kind == "b":
            raise NotImplementedError(f"\"{name}\" not implemented for 'Bool'; {name[:-1]}() gives int64")
        return apply(TABLE[name[:-1]], (self, dim, self.dtype), {})

    compute.__doc__ = f"In-place version of ``{name[:-1]}``, in the tensor's own dtype."
    inplace(name)(compute)


scan_into("cumsum_")


# --- Extremes ------------------------------------------------------------------------------------------------------


def check_not_empty(operator: str, x: np.ndarray, axes: tuple[int, ...], dim: Any) -> None:
    if count_along(x.shape, axes) == 0:
        if dim is None:
            raise RuntimeError(
                f"{operator}(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction "
                "dim with the 'dim' argument."
            )
        raise IndexError(f"{operator}(): Expected reduction dim {dim} to have non-zero size, but got {list(x.shape)}.")


def _share_of_extreme(g: Any, x: Any, out: Any, dim: Any, keepdim: bool) -> Any:
    """The gradient of an extreme goes in equal shares to the elements that attain it."""
    dims = axes_of("amax", dim, x.ndim)
    attained = _.eq(x, stretched(out, x.shape, dims, keepdim))
    attained = TABLE["to"](attained, g.dtype)
    share = stretched(g, x.shape, dims, keepdim)
    return _.mul(attained, _.div(share, _.sum(attained, dims, True)) if dims else share)


@coarse(latex=r"\max_i x_i", complex=False)
def amax(x: Array, dim=(), keepdim=False):
    """The largest element over ``dim`` (an int, several, or all); its gradient is shared by ties."""
    axes = axes_of("amax", dim, x.ndim)
    check_not_empty("amax", x, axes, None if dim == () else dim)
    return largest(x, axes, keepdim)


@amax.gradient("x")
def _(g, x, out, dim, keepdim):
    return _share_of_extreme(g, x, out, dim, keepdim)


@coarse(latex=r"\min_i x_i", complex=False)
def amin(x: Array, dim=(), keepdim=False):
    """The smallest element over ``dim`` (an int, several, or all); its gradient is shared by ties."""
    axes = axes_of("amin", dim, x.ndim)
    check_not_empty("amin", x, axes, None if dim == () else dim)
    return smallest(x, axes, keepdim)


@amin.gradient("x")
def _(g, x, out, dim, keepdim):
    return _share_of_extreme(g, x, out, dim, keepdim)


@coarse(
    latex=r"\max_i x_i \text{ or } \min_i x_i",
    home="",
    node_name=lambda name: f"{name.capitalize()}Backward1",
    complex=False,
)
def extreme(x: Array, name):
    return (np.maximum if name == "max" else np.minimum).reduce(x, axis=None)


@extreme.gradient("x")
def _(g, x, out):
    return shared_equally(g, x, out)


def shared_equally(g: Any, x: Any, value: Any) -> Any:
    """The gradient of one element picked from all of ``x``, in equal shares to those equal to it; NaN equals NaN."""
    chosen = TABLE["to"](_.logical_or(_.eq(x, value), _.logical_and(_.isnan(x), _.isnan(value))), g.dtype)
    return _.mul(chosen, _.div(g, _.sum(chosen)))


@coarse(latex=r"x \text{ at given places}", home="", node_name=lambda name: name)
def taken(x: Array, dim, places, keepdim, name):
    """The elements at ``places`` along ``dim``, which must be distinct where gradients flow; ``keepdim=False`` drops
    the dimension."""
    values = np.take_along_axis(x, places, dim)
    return values if keepdim else values.squeeze(dim)


@taken.gradient("x")
def _(g, x_shape, dim, places, keepdim):
    return placed(g if keepdim else unsqueeze(g, dim), x_shape, dim, places)


@coarse(latex=r"x \text{ at given places, 0 elsewhere}", home="", node_name="ValueSelectingReductionBackward")
def placed(x: Array, shape, dim, places):
    out = np.zeros(shape, x.dtype)
    np.put_along_axis(out, places, x, dim)
    return out


@placed.gradient("x")
def _(g, dim, places):
    return taken(g, dim, places, True, "Gather")


MAX, MIN = result_type("max", "values indices"), result_type("min", "values indices")


def _find(name: str, search: Any) -> None:
    def compute(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
        x = check_tensor(name, "input", input)._array
        if x.dtype.kind in "bc":
            kind, way = ("bool", "int") if x.dtype.kind == "b" else ("complex", "abs")
            raise RuntimeError(f"{name}(): does not support {kind} input; convert with .{way}()")
        if dim is None:
            if x.size == 0:
                raise IndexError(f"{name}(): Expected reduction dim to be specified for input.numel() == 0.")
            places = np.asarray(search(x.reshape(-1)), np.int64)
            return wrap(places.reshape((1,) * x.ndim) if keepdim else places)
        at = check_dim(name, dim, x.ndim)
        if x.ndim == 0:
            return wrap(np.zeros((), np.int64))
        check_not_empty(name, x, (at,), dim)
        return wrap(np.asarray(search(x, axis=at, keepdims=keepdim), np.int64))

    compute.__name__ = name
    compute.__doc__ = f"Place of the {name[3:]}imum, of all elements flattened or along ``dim``; of ties, the first."
    function()(compute)


_find("argmax", np.argmax)
_find("argmin", np.argmin)


def _extreme(name: str, pair: Any, elementwise: str) -> None:
    def compute(input: Tensor, dim: Any = None, keepdim: bool = False) -> Any:
        x = check_tensor(name, "input", input)._array
        if isinstance(dim, Tensor):
            return TABLE[elementwise](input, dim)
        if dim is None:
            check_not_empty(name, x, tuple(range(x.ndim)), None)
            return apply(extreme, (input, name), {})
        at = check_dim(name, dim, x.ndim)
        if x.dtype.kind == "c":
            raise RuntimeError(f"{name}(): complex numbers have no order; take .real, .imag or .abs()")
        if x.ndim == 0:
            return pair(input.clone(), wrap(np.zeros((), np.int64)))
        check_not_empty(name, x, (at,), dim)
        places = getattr(x, f"arg{name}")(at)
        kept = places.reshape((*x.shape[:at], 1, *x.shape[at + 1 :]))
        values = apply(taken, (input, at, kept, keepdim, name.capitalize()), {})
        return pair(values, wrap(kept if keepdim else np.asarray(places)))

    compute.__name__ = name
    compute.__doc__ = (
        f"The {name}imum of all elements; along ``dim``, a pair (values, indices); of two tensors, element by element."
    )
    function(arguments={"other": "dim"})(compute)


_extreme("max", MAX, "maximum")
_extreme("min", MIN, "minimum")


# --- Moments -------------------------------------------------------------------------------------------------------


def _correction(operator: str, unbiased: Any, correction: Any) -> float:
    if correction is not None:
        if unbiased is not None:
            raise TypeError(f"{operator}() takes either 'unbiased' or 'correction', not both")
        return correction
    return 1 if unbiased is None or unbiased else 0


@coarse(latex=r"\frac{1}{n - c} \sum_i |x_i - \bar x|^2", home="", node_name="Var", holomorphic=False)
def variance(x: Array, dim, correction, keepdim):
    if x.dtype.kind == "c":
        return variance.forward(x.real, dim, correction, keepdim) + variance.forward(x.imag, dim, correction, keepdim)
    if x.dtype.kind != "f":
        raise RuntimeError(f"std and var only support floating point and complex dtypes, but got {x.dtype.name}")
    axes = axes_of("var", dim, x.ndim)
    count = count_along(x.shape, axes)
    kind = np.dtype(np.float32) if x.dtype == np.float16 else x.dtype
    total = np.add.reduce(x, axis=axes, dtype=kind, keepdims=True)
    deviation = np.asarray(x - total / kind.type(count))
    np.multiply(deviation, deviation, deviation)
    squares = np.add.reduce(deviation, axis=axes, dtype=kind, keepdims=keepdim)
    return np.asarray(squares / kind.type(max(count - correction, 0))).astype(x.dtype, copy=False)


@variance.gradient("x")
def _(g, x, dim, correction, keepdim):
    dims = axes_of("var", dim, x.ndim)
    left = count_along(x.shape, dims) - correction
    factor = 2 / left if left > 0 else math.nan
    deviation = _.sub(x, mean(x, dims, True))
    return _.mul(stretched(_.mul(g, factor), x.shape, dims, keepdim), deviation)


@coarse(latex=r"\sqrt{\frac{1}{n - c} \sum_i |x_i - \bar x|^2}", home="", node_name="Std", holomorphic=False)
def deviation(x: Array, dim, correction, keepdim):
    return np.sqrt(variance.forward(x, dim, correction, keepdim))


@deviation.gradient("x")
def _(g, x, out, dim, correction, keepdim):
    dims = axes_of("std", dim, x.ndim)
    left = count_along(x.shape, dims) - correction
    flat = _.eq(out, 0)  # no spread: the derivative is taken as 0
    scale = _.where(flat, 0.0, _.div(g, _.where(flat, 1.0, _.mul(out, left if left > 0 else math.nan))))
    return _.mul(stretched(scale, x.shape, dims, keepdim), _.sub(x, mean(x, dims, True)))


def _moment(name: str, row: Any, doc: str) -> None:
    def compute(
        input: Tensor, dim: Any = None, unbiased: Any = None, keepdim: bool = False, *, correction: Any = None
    ) -> Tensor:  # fmt: skip
        if isinstance(dim, bool):
            dim, unbiased = None, dim
        check_tensor(name, "input", input)
        return apply(row, (input, dim, _correction(name, unbiased, correction), keepdim), {})

    compute.__name__, compute.__doc__ = name, doc
    function()(compute)


_moment("var", variance, "The variance over ``dim``, divided by n - ``correction`` (1 by default).")
_moment("std", deviation, "The standard deviation over ``dim``, with n - ``correction`` (1 by default) in the divisor.")


# --- Softmax and its relatives -------------------------------------------------------------------------------------


def _back(formula: Along, dim: Any, *operands: Array) -> Array:
    """A gradient along ``dim``: computed of arrays in one walk, recorded of what records."""
    if all(type(operand) is np.ndarray for operand in operands):
        return formula(dim, *operands)
    return formula.reading(_, total=lambda x: _.sum(x, dim, True))(*operands)


@coarse(latex=r"\ln \sum_i e^{x_i}")
def logsumexp(x: Array, dim, keepdim=False):
    """``log(sum(exp(x)))`` over ``dim``, without overflow."""
    if x.dtype.kind not in "fc":
        x = x.astype(default_dtype.numpy)
    if dim is None:
        raise TypeError("logsumexp(): argument 'dim' must be tuple of ints, not NoneType")
    axes = axes_of("logsumexp", dim, x.ndim)
    out = kernel.logsumexp(axes, x)
    return out if keepdim else out.reshape([n for i, n in enumerate(x.shape) if i not in axes])


@logsumexp.gradient("x")
def _(g, x, out, dim, keepdim):
    dims = axes_of("logsumexp", dim, x.ndim)
    kept = tuple([1 if i in dims else n for i, n in enumerate(x.shape)])
    each, whole = (value if keepdim else reshape(value, kept) for value in (g, out))
    return _back(kernel.logsumexp_gradient, dims, each, x, whole)


@coarse(latex=r"\frac{e^{x_i}}{\sum_j e^{x_j}}", home="", node_name="Softmax")
def softmax_along(x: Array, dim):
    return kernel.softmax(dim, x) if x.ndim else np.exp(x - x)  # 1, or NaN


@softmax_along.gradient("x")
def _(g, out, dim):
    return _back(kernel.softmax_gradient, dim, g, out) if out.ndim else _.mul(g, 0.0)


@coarse(latex=r"x_i - \ln \sum_j e^{x_j}", home="", node_name="LogSoftmax")
def log_softmax_along(x: Array, dim):
    return kernel.log_softmax(dim, x) if x.ndim else x - x


@log_softmax_along.gradient("x")
def _(g, out, dim):
    return _back(kernel.log_softmax_gradient, dim, g, out) if out.ndim else _.mul(g, 0.0)


def _implicit_dim(name: str, ndim: int, stacklevel: int) -> int:
    warnings.warn(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to include dim=X as an argument.",
        UserWarning,
        stacklevel=stacklevel + 1,  # what makes functions public stands between
    )
    return 0 if ndim in (0, 1, 3) else 1


def _softmax(name: str, row: Any, formula: str, sign: float = 1.0) -> None:
    def compute(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
        check_tensor(name, "input", input)
        if sign < 0:
            input = -input
        if type(_stacklevel) is not int:
            dtype = _stacklevel
        elif dim is None:
            dim = _implicit_dim(name, input._array.ndim, _stacklevel)
        if dtype is not None:
            input = input.to(dtype)
        dim = check_dim(name, dim, input._array.ndim)
        if input._array.dtype.kind not in FLOATING:
            if input._array.size == 0:
                return input.clone()
            raise NotImplementedError(
                f'"{name}" not implemented for {input.dtype}; convert with .float() or pass dtype='
            )
        return apply(row, (input, dim), {})

    compute.__name__, compute.__doc__ = name, f"``{formula}`` along ``dim``, without overflow."
    function(functional=True, torch=name != "softmin", method=name != "softmin")(compute)


_softmax("softmax", softmax_along, "exp(x_i) / sum_j exp(x_j)")
_softmax("log_softmax", log_softmax_along, "x_i - log sum_j exp(x_j)")
_softmax("softmin", softmax_along, "exp(-x_i) / sum_j exp(-x_j)", -1.0)


# --- Truth, counting, comparing ------------------------------------------------------------------------------------


def _truth_dtype(x: np.ndarray) -> np.dtype:
    return x.dtype if x.dtype == np.uint8 else np.dtype(np.bool_)


def _truth(name: str, ufunc: Any, doc: str) -> None:
    def compute(input: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
        x = check_tensor(name, "input", input)._array
        nothing = isinstance(dim, (tuple, list)) and not dim  # here, unlike elsewhere, it means no dimension
        axes = () if nothing else axes_of(name, dim, x.ndim)
        return wrap(np.asarray(ufunc.reduce(x != 0, axis=axes, keepdims=keepdim), _truth_dtype(x)))

    compute.__name__, compute.__doc__ = name, doc
    function()(compute)


_truth("all", np.logical_and, "Whether all elements, or those along ``dim``, are true.")
_truth("any", np.logical_or, "Whether any element, or one along ``dim``, is true.")


@function()
def count_nonzero(input: Tensor, dim: Any = None, *more: int) -> Tensor:
    """Number of elements that are not 0, in all or along ``dim``: an int, several, or a tuple."""
    x = check_tensor("count_nonzero", "input", input)._array
    dim = (dim, *more) if more else dim
    return wrap(np.asarray(np.count_nonzero(x, axis=axes_of("count_nonzero", dim, x.ndim)), np.int64))


@function()
def equal(input: Tensor, other: Tensor) -> bool:
    """Whether two tensors have the same shape and the same elements."""
    a, b = check_tensor("equal", "input", input)._array, check_tensor("equal", "other", other)._array
    return a.shape == b.shape and bool((a == b).all())


@function()
def isclose(input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Tensor:
    """Where ``|input - other| <= atol + rtol * |other|``."""
    if check_tensor("isclose", "input", input).dtype is not check_tensor("isclose", "other", other).dtype:
        raise RuntimeError(f"isclose: {input.dtype} did not match {other.dtype}")
    for name, tolerance in (("rtol", rtol), ("atol", atol)):
        if tolerance < 0:
            raise RuntimeError(f"isclose: {name} must be greater than or equal to zero, but got {tolerance}")
    broadcast_shape(TABLE["eq"], (input._array, other._array))
    return wrap(np.asarray(np.isclose(input._array, other._array, rtol, atol, equal_nan)))


@function()
def allclose(input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> bool:
    """Whether ``|input - other| <= atol + rtol * |other|`` everywhere."""
    return bool(isclose(input, other, rtol, atol, equal_nan)._array.all())


@function()
def norm(
    input: Tensor, p: Any = "fro", dim: Any = None, keepdim: bool = False, out: Any = None, dtype: Any = None
) -> Tensor:
    """The vector norm ``(sum |x|^p)^(1/p)`` over ``dim``; ``p`` may be inf, -inf or 0. ``"fro"`` is 2, and ``"nuc"``
    the sum of the singular values of matrices.

    >>> import autograd
    >>> autograd.norm(autograd.tensor([3.0, 4.0]))
    tensor(5.)
    """
    check_tensor("norm", "input", input)
    if dtype is not None:
        input = input.to(dtype)
    if p == "nuc":
        pair = tuple(range(input._array.ndim)) if dim is None else dim
        result = deferred.find("linalg", "matrix_norm")(input, "nuc", pair, keepdim)
    elif isinstance(p, str) and p != "fro":
        raise RuntimeError(f"norm(): order {p!r} is not supported; pass a number, 'fro' or 'nuc'")
    else:
        result = apply(p_norm, (input, 2.0 if p in ("fro", None) else float(p), dim, keepdim), {})
    return result if out is None else write_out(out, result, "norm")


def _sum_of_squares(x: np.ndarray, axes: tuple[int, ...], keepdim: bool) -> np.ndarray:
    first = x.ndim - len(axes)
    if x.dtype != np.float16 and x.flags.c_contiguous and sorted(axes) == list(range(first, x.ndim)):
        rows = x.reshape(*x.shape[:first], count_along(x.shape, axes))
        return np.vecdot(rows, rows).reshape(x.shape[:first] + (1,) * (len(axes) if keepdim else 0))
    wide = np.dtype(np.float32) if x.dtype == np.float16 else x.dtype
    return _sum(np.square(x, dtype=wide), axes, keepdim, wide)


@coarse(latex=r"\Bigl(\sum_i |x_i|^p\Bigr)^{1/p}", home="", node_name="LinalgVectorNorm", holomorphic=False)
def p_norm(x: Array, p, dim, keepdim):
    if x.dtype.kind not in "fc":
        raise RuntimeError(
            f"norm(): input dtype should be either floating point or complex. Got {x.dtype.name} instead; convert with "
            ".float() or pass dtype=."
        )
    axes = axes_of("norm", dim, x.ndim)
    size: Any = np.abs(x.astype(np.float32) if x.dtype == np.float16 else x) if p != 2 or x.dtype.kind == "c" else x
    kind = size.dtype.type(0).real.dtype if x.dtype.kind == "c" else x.dtype
    if math.isinf(p):
        if count_along(x.shape, axes) == 0:
            raise RuntimeError(f"norm(): the norm of order {p} of no elements has no value, shape {list(x.shape)}")
        out = (np.maximum if p > 0 else np.minimum).reduce(size, axis=axes, keepdims=keepdim)
    elif p == 0:
        out = np.count_nonzero(size, axis=axes, keepdims=keepdim)
    elif p == 1:
        out = _sum(size, axes, keepdim, size.dtype)
    elif p == 2:
        out = np.sqrt(_sum_of_squares(size, axes, keepdim))
    else:
        out = _sum(size**p, axes, keepdim, size.dtype) ** size.dtype.type(1 / p)
    return np.asarray(out).astype(kind, copy=False)


@p_norm.gradient("x")
def _(g, x, out, p, dim, keepdim):
    dims = axes_of("norm", dim, x.ndim)
    full_g, full = stretched(g, x.shape, dims, keepdim), stretched(out, x.shape, dims, keepdim)
    if p == 0:
        return _.mul(x, 0.0)
    if p == 1:
        return _.mul(_.sgn(x), full_g)
    if math.isinf(p):  # in equal shares to the elements that attain it
        attained = TABLE["to"](_.logical_or(_.eq(_.abs(x), full), _.logical_and(_.isnan(x), _.isnan(full))), g.dtype)
        share = _.div(full_g, _.sum(attained, dims, True)) if dims else full_g
        return _.mul(_.mul(_.sgn(x), attained), share)
    flat = _.eq(full, 0)
    scale = _.where(flat, 0.0, _.div(full_g, _.pow(_.where(flat, 1.0, full), p - 1)))
    if p == 2:
        return _.mul(x, scale)
    zero = _.eq(x, 0)
    size = _.where(zero, 0.0, _.pow(_.where(zero, 1.0, _.abs(x)), p - 1))
    return _.mul(_.mul(_.sgn(x), size), scale)


__all__ = [
    "allclose",
    "amax",
    "amin",
    "axes_of",
    "check_not_empty",
    "count_along",
    "count_nonzero",
    "cumsum",
    "deviation",
    "equal",
    "extreme",
    "isclose",
    "log_softmax_along",
    "logsumexp",
    "mean",
    "norm",
    "p_norm",
    "placed",
    "prod",
    "product_along",
    "product_of_others",
    "scan",
    "scan_into",
    "shared_equally",
    "softmax_along",
    "spread",
    "sum",
    "taken",
    "variance",
]
