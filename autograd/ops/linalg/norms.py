"""Norms of vectors and matrices, what is made of them (condition, rank), and distances between many points."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ... import dtypes
from ...kernels.halves import FLOATING, INEXACT, is_half
from ...rows.dispatch import NUMBERS, apply
from ...rows.nodes import sum_to
from ...rows.public import function
from ...rows.table import TABLE, Array, _, coarse
from ...rows.writes import type_name
from ...tensor import Tensor, check_dim, wrap
from ..convert import check_tensor
from ..reduce import amax, amin, axes_of, count_along, p_norm
from .decompositions import eigh_values, singular_values
from .matrices import call, check_floating, check_matrix, same_kind
from .solvers import cut_of, inverse_ex, tolerance_of

__all__ = ["cdist", "cond", "distances", "matrix_norm", "matrix_rank", "norm", "pdist", "vector_norm"]


def _as_floating(operator: str, input: Any, dtype: Any) -> Tensor:
    """The input, in ``dtype`` where one is given."""
    tensor = check_tensor(operator, "A", input)
    kind = tensor._array.dtype
    if kind.kind not in INEXACT:
        raise RuntimeError(
            f"{operator}: Expected a floating point or complex tensor as input. Got {type_name(kind)}; convert it with "
            ".float()"
        )
    if dtype is None:
        return tensor
    wanted = dtypes.to_numpy_dtype(dtype)
    if wanted.kind not in INEXACT:
        raise RuntimeError(f"{operator}: dtype should be floating point or complex. Got {dtype}")
    if (kind.kind == "c") != (wanted.kind == "c"):
        raise RuntimeError(f"{operator}: dtype should be {'complex' if kind.kind == 'c' else 'real'}. Got {dtype}")
    if np.promote_types(kind, wanted) != wanted:
        raise RuntimeError(
            f"{operator}: the dtype of the input {tensor.dtype} should be convertible without narrowing "
            f"to the specified dtype {dtype}"
        )
    return tensor.to(dtype)


@function(home="linalg", arguments={"input": "x"})
def vector_norm(x: Tensor, ord: Any = 2, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The norm ``(sum |x|^ord)^(1/ord)`` over ``dim``, or of all elements as one vector.

    Args:
        ord: a number; inf is the largest, -inf the smallest absolute value, 0 counts what is not zero.
        dtype: converts the input first.

    >>> import autograd
    >>> autograd.linalg.vector_norm(autograd.tensor([3.0, -4.0]))
    tensor(5.)
    """
    name = "linalg.vector_norm"
    if isinstance(ord, bool) or not isinstance(ord, NUMBERS):
        raise TypeError(f"{name}(): argument 'ord' must be Number, not {type(ord).__name__}")
    tensor = _as_floating(name, x, dtype)
    axes = axes_of(name, dim, tensor._array.ndim)
    if (ord < 0 or ord == math.inf) and not count_along(tensor._array.shape, axes):
        raise RuntimeError(
            f"{name} cannot compute the {ord} norm on an empty tensor because the operation does not have an identity"
        )
    return apply(p_norm, (tensor, float(ord), dim, keepdim), {})


def _two_dims(operator: str, tensor: Tensor, dim: Any) -> tuple[int, int]:
    if not isinstance(dim, (tuple, list)) or len(dim) != 2:
        raise RuntimeError(f"{operator}: dim must be a 2-tuple. Got {dim}")
    ndim = tensor._array.ndim
    if ndim < 2:
        raise RuntimeError(f"{operator}: The input tensor A must have at least 2 dimensions, but has {ndim}.")
    first, second = (check_dim(operator, d, ndim) for d in dim)
    if first == second:
        raise RuntimeError(f"{operator}: dims must be different. Got ({dim[0]}, {dim[1]})")
    return first, second


@function(home="linalg", arguments={"input": "A"})
def matrix_norm(
    A: Tensor, ord: Any = "fro", dim: Any = (-2, -1), keepdim: bool = False, *, dtype: Any = None
) -> Tensor:
    """A norm of the matrices over the two dimensions ``dim``.

    Args:
        ord: ``"fro"``, the root of the sum of squares; ``"nuc"``, the sum of the singular values; 2 and -2, the largest
            and the smallest of them; 1 and -1, of the sums of absolute values of columns; inf and -inf, of rows.
        dtype: converts the input first.

    >>> import autograd
    >>> autograd.linalg.matrix_norm(autograd.tensor([[3.0, 0.0], [0.0, -4.0]]), "nuc")
    tensor(7.)
    """
    name = "linalg.matrix_norm"
    tensor = _as_floating(name, A, dtype)
    if not (isinstance(ord, str) and ord in ("fro", "nuc")) and ord not in (1, -1, 2, -2, math.inf, -math.inf):
        raise RuntimeError(f"{name}: Order {ord} not supported.")
    rows, columns = _two_dims(name, tensor, dim)
    if ord == "fro":
        return apply(p_norm, (tensor, 2.0, (rows, columns), keepdim), {})
    extreme = amax if isinstance(ord, str) or ord > 0 else amin
    if ord in ("nuc", 2, -2):
        check_floating(name, "A", tensor)
        values = call(singular_values, tensor.movedim((rows, columns), (-2, -1)))
        result = values.sum(-1) if ord == "nuc" else apply(extreme, (values, (-1,), False), {})
        return result.unsqueeze(-1).unsqueeze(-1).movedim((-2, -1), (rows, columns)) if keepdim else result
    summed, other = (rows, columns) if abs(ord) == 1 else (columns, rows)
    sums = apply(p_norm, (tensor, 1.0, (summed,), True), {})
    result = apply(extreme, (sums, (other,), True), {})
    return result if keepdim else result.squeeze((rows, columns))


@function(home="linalg", arguments={"input": "A"})
def norm(A: Tensor, ord: Any = None, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """`vector_norm` or `matrix_norm`: the latter where ``dim`` names two dimensions, or where an ``ord`` and no ``dim``
    is given for a matrix.

    >>> import autograd
    >>> autograd.linalg.norm(autograd.tensor([[3.0, 0.0], [0.0, -4.0]]))
    tensor(5.)
    """
    name = "linalg.norm"
    ndim = check_tensor(name, "A", A)._array.ndim
    if isinstance(ord, str):
        if dim is not None and (not isinstance(dim, (tuple, list)) or len(dim) != 2):
            raise RuntimeError(f"linalg.matrix_norm: dim must be a 2-tuple. Got {dim}")
        if dim is None and ndim != 2:
            raise RuntimeError(
                f"{name}: If dim is not specified but ord is, the input must be 2D for {ord!r}. Got {ndim}D."
            )
        return matrix_norm(A, ord, (0, 1) if dim is None else dim, keepdim, dtype=dtype)
    if ord is not None and dim is None and ndim not in (1, 2):
        raise RuntimeError(f"{name}: If dim is not specified but ord is, the input must be 1D or 2D. Got {ndim}D.")
    pair = isinstance(dim, (tuple, list)) and len(dim) == 2
    if isinstance(dim, (tuple, list)) and len(dim) not in (1, 2):
        raise RuntimeError(f"{name}: If dim is specified, it must be of length 1 or 2. Got {dim}")
    if ord is not None and (pair or (dim is None and ndim == 2)):
        return matrix_norm(A, ord, (0, 1) if dim is None else dim, keepdim, dtype=dtype)
    return vector_norm(A, 2 if ord is None else ord, dim, keepdim, dtype=dtype)


@function(home="linalg", arguments={"A": "input"})
def cond(input: Tensor, p: Any = None) -> Tensor:
    """The condition ``|A| |A^-1|`` of matrices (..., n, n), infinite where there is no inverse.

    Args:
        p: the norm, as `matrix_norm` takes it; None, 2 and -2 are quotients of singular values, of any matrices.

    >>> import autograd
    >>> autograd.linalg.cond(autograd.tensor([[4.0, 0.0], [0.0, 2.0]]))
    tensor(2.)
    """
    name = "linalg.cond"
    if p not in (None, 2, -2, "fro", "nuc", 1, -1, math.inf, -math.inf):
        raise RuntimeError(f"{name} got an invalid norm type: {p}")
    by_inverse = p not in (None, 2, -2)
    check_matrix("linalg.inv" if by_inverse else name, "A", input, square=by_inverse)
    if not input._array.size:
        return wrap(np.zeros(input._array.shape[:-2], input._array.real.dtype))
    if not by_inverse:
        values = call(singular_values, input)
        first, last = values[..., 0], values[..., -1]
        return last / first if p == -2 else first / last
    inverse, info = call(inverse_ex, input)
    result = matrix_norm(input, p) * matrix_norm(inverse, p)
    return TABLE["where"](info != 0, math.inf, result) if info._array.any() else result


def _rank(operator: str, input: Tensor, hermitian: bool, atol: Any, rtol: Any) -> Tensor:
    check_matrix(operator, "A", input, square=hermitian)
    x = input._array
    cuts = [tolerance_of(operator, input, value, each) for value, each in ((atol, "atol"), (rtol, "rtol"))]
    if not x.size:
        return wrap(np.zeros(x.shape[:-2], np.int64))
    plain = input.detach()
    sizes = np.abs((call(eigh_values, plain, True) if hermitian else call(singular_values, plain))._array)
    return wrap(np.asarray((sizes > cut_of(x, sizes.max(-1), *cuts)[..., None]).sum(-1), np.int64))


@function(home="linalg", arguments={"A": "input"})
def matrix_rank(
    input: Tensor, tol: Any = None, hermitian: bool = False, *, atol: Any = None, rtol: Any = None
) -> Tensor:
    """How many singular values of matrices (..., m, n) are larger than ``max(atol, rtol * largest)``.

    Args:
        tol: another name for ``atol``, without a relative tolerance.
        hermitian: takes the matrices for Hermitian and reads their lower triangles.
        atol, rtol: as in `pinv`.

    >>> import autograd
    >>> autograd.linalg.matrix_rank(autograd.tensor([[1.0, 2.0], [2.0, 4.0]]))
    tensor(1)
    """
    if tol is not None:
        atol, rtol = tol, 0.0
    return _rank("linalg.matrix_rank", input, hermitian, atol, rtol)


# --- Distances -----------------------------------------------------------------------------------------------------

LARGE = 25  # PyTorch takes the product of matrices for euclidean distances of more points than this


@coarse(latex=r"\Bigl(\sum_k |x_{ik} - y_{jk}|^p\Bigr)^{1/p}", home="", node_name="Cdist")
def distances(x: Array, y: Array, p, by_product):
    """Between all rows of x (..., m, d) and all of y (..., n, d)."""
    if by_product:
        squares = (-2 * x) @ y.swapaxes(-2, -1)
        squares += (x * x).sum(-1)[..., :, None]
        squares += (y * y).sum(-1)[..., None, :]
        return np.sqrt(np.maximum(squares, 0, out=squares), out=squares)
    lead = np.broadcast_shapes(x.shape[:-2], y.shape[:-2])
    out = np.zeros((*lead, x.shape[-2], y.shape[-2]), x.dtype)
    for k in range(x.shape[-1]):  # coordinate by coordinate: all differences at once would need d times the memory
        size = np.abs(x[..., :, None, k] - y[..., None, :, k])
        if p == 0:
            out += size != 0
        elif math.isinf(p):
            np.maximum(out, size, out=out)
        else:
            out += size if p == 1 else size * size if p == 2 else size**p
    return out if p in (0, 1) or math.isinf(p) else np.sqrt(out) if p == 2 else out ** out.dtype.type(1 / p)


@distances.gradient("x", "y")
def _(g, x, x_shape, y, y_shape, out, p):
    if p == 2:  # sum_j w_ij (x_i - y_j): products of matrices
        weights = _over(g, out)
        of_x = x * _.sum(weights, -1, True) - weights @ y
        turned = _.transpose(weights, -2, -1)
        of_y = y * _.sum(turned, -1, True) - turned @ x
    else:
        each = _distance_gradient(_.unsqueeze(x, -2) - _.unsqueeze(y, -3), _.unsqueeze(g, -1), _.unsqueeze(out, -1), p)
        of_x, of_y = _.sum(each, -2), -_.sum(each, -3)
    return sum_to(of_x, x_shape), sum_to(of_y, y_shape)


def _over(g: Any, distance: Any) -> Any:
    """``g / distance``, 0 where two points are the same."""
    same = _.eq(distance, 0)
    return _.where(same, 0.0, g / _.where(same, 1.0, distance))


def _distance_gradient(difference: Any, g: Any, distance: Any, p: float) -> Any:
    """``g`` times the derivative of ``(sum |difference|^p)^(1/p)``."""
    sign = _.sign(difference)
    if p == 0:
        return difference * 0
    if p == 1:
        return sign * g
    size = _.abs(difference)
    if math.isinf(p):
        return sign * _.where(_.eq(size, distance), g, 0.0)
    same = _.eq(distance, 0)
    flat = _.logical_or(same, _.eq(size, 0))
    ratio = _.where(flat, 1.0, size) / _.where(same, 1.0, distance)
    return _.where(flat, 0.0, sign * _.pow(ratio, p - 1) * g)


_MODES = {
    "use_mm_for_euclid_dist_if_necessary": None,
    "use_mm_for_euclid_dist": True,
    "donot_use_mm_for_euclid_dist": False,
}


def _check_p(operator: str, p: Any) -> float:
    if isinstance(p, bool) or not isinstance(p, NUMBERS):
        raise TypeError(f"{operator}(): argument 'p' must be float, not {type(p).__name__}")
    if p < 0:
        raise RuntimeError(f"{operator} only supports non-negative p values, not {p}")
    return float(p)


@function(method=False)
def cdist(x1: Tensor, x2: Tensor, p: float = 2.0, compute_mode: str = "use_mm_for_euclid_dist_if_necessary") -> Tensor:
    """The distances ``(sum |x1_i - x2_j|^p)^(1/p)`` between all rows of two sets of points.

    Args:
        x1, x2: (..., m, d) and (..., n, d); the result is (..., m, n).
        p: the norm; inf is the largest difference, 0 the number of differences.
        compute_mode: whether euclidean distances may be taken from a product of matrices, which is faster and loses
            digits where points are close: ``use_mm_for_euclid_dist_if_necessary`` (from 26 points on),
            ``use_mm_for_euclid_dist``, ``donot_use_mm_for_euclid_dist``.

    >>> import autograd
    >>> autograd.cdist(autograd.tensor([[0.0, 0.0]]), autograd.tensor([[3.0, 4.0], [0.0, 1.0]]))
    tensor([[5., 1.]])
    """
    a, b = check_tensor("cdist", "x1", x1)._array, check_tensor("cdist", "x2", x2)._array
    for name, array in (("x1", a), ("x2", b)):
        if array.ndim < 2:
            raise RuntimeError(f"cdist only supports at least 2D tensors, {name} got: {array.ndim}D")
        if array.dtype.kind not in FLOATING:
            raise RuntimeError(f"cdist only supports floating-point dtypes, {name} got: {type_name(array.dtype)}")
        if is_half(array.dtype):
            kind = type_name(array.dtype)
            raise NotImplementedError(f"cdist is not implemented for {kind}, {name}; convert it with .float()")
    if a.shape[-1] != b.shape[-1]:
        raise RuntimeError(f"cdist: x1 {list(a.shape)} and x2 {list(b.shape)} must have the same number of columns")
    same_kind("cdist", x1=x1, x2=x2)
    p = _check_p("cdist", p)
    if compute_mode not in _MODES:
        raise ValueError(f"{compute_mode} is not a valid value for compute_mode; choose from {', '.join(_MODES)}")
    try:
        np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    except ValueError:
        raise RuntimeError(
            f"cdist: the batch dimensions of x1 {list(a.shape)} and x2 {list(b.shape)} do not broadcast"
        ) from None
    by_product = _MODES[compute_mode]
    if by_product is None:
        by_product = max(a.shape[-2], b.shape[-2]) > LARGE
    return apply(distances, (x1, x2, p, p == 2 and by_product), {})


@function(functional=True, method=False)
def pdist(input: Tensor, p: float = 2.0) -> Tensor:
    """The distances between all pairs of different rows of (n, d), row by row: n (n - 1) / 2 numbers.

    >>> import autograd
    >>> autograd.pdist(autograd.tensor([[0.0], [1.0], [3.0]]))
    tensor([1., 3., 2.])
    """
    x = check_tensor("pdist", "input", input)._array
    if x.ndim != 2:
        raise RuntimeError(f"pdist only supports 2D tensors, got: {x.ndim}D")
    if x.dtype.kind not in FLOATING:
        raise RuntimeError(f"pdist only supports floating-point dtypes, not {type_name(x.dtype)}")
    if x.dtype == np.float16:
        raise NotImplementedError("pdist is not implemented for Half; convert it with .float()")
    p = _check_p("pdist", p)
    return apply(distances, (input, input, p, False), {})[np.triu_indices(len(x), 1)]
