"""Products of matrices and their generalization, einsum."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...kernels.gemm import matrix_product, product
from ...rows.dispatch import NUMBERS, apply
from ...rows.nodes import sum_to
from ...rows.public import function
from ...rows.readings import F32, F64
from ...rows.table import Array, _, coarse
from ...rows.writes import write_out
from ...tensor import Tensor
from ..convert import check_tensor
from ..shape import reshape, transpose, unsqueeze


def _check_matmul(x: np.ndarray, y: np.ndarray, operator: str = "matmul") -> None:
    if x.ndim == 0 or y.ndim == 0:
        raise RuntimeError(f"both arguments to {operator} need to be at least 1D, but they are {x.ndim}D and {y.ndim}D")
    if x.dtype != y.dtype:
        raise RuntimeError(f"expected m1 and m2 to have the same dtype, but got: {x.dtype.name} != {y.dtype.name}")
    if x.dtype.kind == "b" and ((x.size and y.size) or x.ndim == y.ndim == 1):
        raise NotImplementedError(f"{operator} not implemented for bool tensors; convert with .int() or .float()")
    inner = y.shape[-2] if y.ndim > 1 else y.shape[0]
    if x.shape[-1] != inner:
        raise RuntimeError(
            f"mat1 and mat2 shapes cannot be multiplied ({operator} of {list(x.shape)} and {list(y.shape)}: "
            f"{x.shape[-1]} != {inner})"
        )
    lead_x, lead_y = x.shape[:-2], y.shape[:-2]
    for a, b in zip(reversed(lead_x), reversed(lead_y), strict=False):
        if a != b and 1 not in (a, b):
            raise RuntimeError(f"{operator}: batch dimensions of {list(x.shape)} and {list(y.shape)} do not broadcast")


def _product_name(x_shape: Any, y_shape: Any, x: Any, y: Any) -> str:
    dims = tuple(len(shape) for shape in (x_shape, y_shape) if shape is not None)
    names: dict[tuple[int, ...], str] = {(2, 2): "Mm", (2, 1): "Mv", (1, 1): "Dot", (3, 3): "Bmm"}
    return names.get(dims, "Matmul")


def _as_matrix(shape: Sequence[int]) -> tuple[int, int]:
    """All leading dimensions as one; not -1, which is ambiguous where there are no elements."""
    return math.prod(shape[:-1]), shape[-1]


@coarse(latex=r"\sum_k x_{ik} y_{kj}", node_name=_product_name, one_dtype=True)
def matmul(x: Array, y: Array):
    """The matrix product; 1-D operands count as a row on the left and a column on the right, leading dimensions
    broadcast."""
    dtype = x.dtype
    if dtype is y.dtype and (dtype is F32 or dtype is F64) and x.ndim == 2 == y.ndim:
        try:
            return matrix_product(x, y)
        except ValueError:  # shapes that do not fit, which the check says better
            _check_matmul(x, y)
            raise
    _check_matmul(x, y)
    return _multiply(x, y)


def _multiply(x: np.ndarray, y: np.ndarray, added: np.ndarray | None = None) -> np.ndarray:
    """``x @ y + added`` for operands that fit."""
    if x.dtype == np.float16:
        out = product(x.astype(np.float32), y.astype(np.float32)).astype(np.float16)
        return out if added is None else out + added
    if y.ndim == 2 and x.ndim > 2 and (added is None or added.ndim < 2):
        # One large product instead of one per leading index.
        return product(x.reshape(_as_matrix(x.shape)), y, added).reshape(*x.shape[:-1], y.shape[1])
    return product(x, y, added)


@matmul.gradient("x")
def _(g, x_shape, y, y_shape):
    if y.ndim == 1:
        g, y = unsqueeze(g, -1), unsqueeze(y, -1)
    if len(x_shape) == 1:
        g = unsqueeze(g, -2)
    grad = matmul(g, y.T if y.ndim == 2 else transpose(y, -2, -1))
    return reshape(sum_to(grad, (1, *x_shape) if len(x_shape) == 1 else x_shape), x_shape)


@matmul.gradient("y")
def _(g, x, x_shape, y_shape):
    if len(y_shape) == 1:
        g = unsqueeze(g, -1)
    if x.ndim == 1:
        x, g = unsqueeze(x, -2), unsqueeze(g, -2) if len(y_shape) > 1 or g.ndim < 2 else g
    if len(y_shape) <= 2 and x.ndim > 2:
        x, g = reshape(x, _as_matrix(x.shape)), reshape(g, _as_matrix(g.shape))
    grad = matmul(x.T if x.ndim == 2 else transpose(x, -2, -1), g)
    return reshape(sum_to(grad, (*y_shape, 1) if len(y_shape) == 1 else y_shape), y_shape)


@coarse(latex=r"x W^\top + b", home="nn.functional", node_name="Addmm", one_dtype=True)
def linear(x: Array, weight: Array, bias: Array = None):
    """``input @ weight.T + bias``: input (..., in), weight (out, in), bias (out,), result (..., out)."""
    dtype = x.dtype
    if (
        (dtype is F32 or dtype is F64)
        and dtype is weight.dtype
        and x.ndim == 2 == weight.ndim
        and (bias is None or (bias.dtype is dtype and bias.ndim == 1))
    ):
        try:
            return matrix_product(x, weight.T, bias)
        except ValueError:  # shapes that do not fit, which the check says better
            _check_linear(x, weight, bias)
            raise
    _check_linear(x, weight, bias)
    return _multiply(x, weight.T, bias)


def _check_linear(x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None) -> None:
    if weight.ndim == 2 and x.ndim and x.shape[-1] != weight.shape[1]:
        raise RuntimeError(
            f"mat1 and mat2 shapes cannot be multiplied (linear: input {list(x.shape)} has {x.shape[-1]} features, "
            f"weight {list(weight.shape)} expects {weight.shape[1]})"
        )
    if bias is not None:
        if bias.dtype != x.dtype:
            raise RuntimeError(f"linear: bias has dtype {bias.dtype.name}, but the product has {x.dtype.name}")
        if bias.ndim > 1 or (bias.ndim == 1 and bias.shape[0] not in (1, weight.shape[0])):
            raise RuntimeError(f"linear: bias {list(bias.shape)} does not match weight {list(weight.shape)}")
    _check_matmul(x, weight.T)


@linear.gradient("x")
def _(g, weight):
    return matmul(g, weight)


@linear.gradient("weight")
def _(g, x, weight_shape):
    if x.ndim == 2 == len(weight_shape):
        return matmul(g.T, x)
    if len(weight_shape) == 1:
        x = reshape(x, _as_matrix(x.shape))
        return matmul(transpose(x, 0, 1), reshape(g, (-1,)))
    if x.ndim == 1:
        return matmul(unsqueeze(g, 1), unsqueeze(x, 0))
    if x.ndim > 2:
        x, g = reshape(x, _as_matrix(x.shape)), reshape(g, _as_matrix(g.shape))
    return matmul(g.T, x)


@linear.gradient("bias")
def _(g, bias_shape):
    return sum_to(g, bias_shape)


# --- Products with a fixed number of dimensions --------------------------------------------------------------------


def wrong_dims(name: str, tensor: Tensor, message: str, looks_first: bool) -> Exception:
    """The error for a tensor with the wrong number of dimensions; ``looks_first`` where PyTorch looks at a size before
    it checks, so that one without dimensions is an IndexError."""
    return (IndexError if looks_first and not tensor._array.ndim else RuntimeError)(
        f"{name}: {message}, but got shape {list(tensor.shape)}"
    )


def _strict_product(name: str, ndims: tuple[int, int], second: str, doc: str) -> None:
    def compute(input: Tensor, mat2: Tensor, *, out: Tensor | None = None) -> Tensor:
        for position, (tensor, ndim) in enumerate(zip((input, mat2), ndims, strict=True)):
            if check_tensor(name, ("input", second)[position], tensor)._array.ndim != ndim:
                raise wrong_dims(
                    name, tensor, f"expected argument {position + 1} to be {ndim}-D", name == "mv" and not position
                )
        if name == "bmm" and input._array.shape[0] != mat2._array.shape[0]:
            raise RuntimeError(
                f"bmm: batch sizes must agree, but got shapes {list(input.shape)} and {list(mat2.shape)}"
            )
        result = apply(matmul, (input, mat2), {})
        return result if out is None else write_out(out, result, name)

    compute.__name__, compute.__doc__ = name, doc
    function(arguments={second: "mat2"})(compute)


_strict_product("mm", (2, 2), "mat2", "The product of two matrices.")
_strict_product("bmm", (3, 3), "mat2", "The products of two batches of matrices.")
_strict_product("mv", (2, 1), "vec", "The product of a matrix and a vector.")
_strict_product("dot", (1, 1), "tensor", "The sum of the products of two vectors' elements.")


@function(aliases=("ger",))
def outer(input: Tensor, vec2: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The matrix of products of two vectors' elements."""
    for name, tensor in (("input", input), ("vec2", vec2)):
        if check_tensor("outer", name, tensor)._array.ndim != 1:
            raise RuntimeError(f"outer: expected 1-D tensors, but got shape {list(tensor.shape)}")
    result = _.mul(apply(unsqueeze, (input, 1), {}), vec2)
    return result if out is None else write_out(out, result, "outer")


@coarse(latex=r"\beta x + \alpha \, a b", home="", node_name=lambda name: name.capitalize())
def added_product(x: Array, first: Array, second: Array, beta, alpha, name):
    _check_matmul(first, second, name)
    shape = (*first.shape[:-1], *second.shape[-1:][: second.ndim - 1])
    if beta != 0:  # otherwise the input is ignored, NaN included
        try:
            np.broadcast_to(x, shape)
        except ValueError:
            raise RuntimeError(
                f"{name}: the input of shape {list(x.shape)} does not broadcast to the product's shape {list(shape)}"
            ) from None
        if alpha == beta == 1:
            return _multiply(first, second, x)
    out = _multiply(first, second)
    out = out if alpha == 1 else out * out.dtype.type(alpha)
    return out if beta == 0 else out + (x if beta == 1 else x * x.dtype.type(beta))


@added_product.gradient("x")
def _(g, x_shape, beta, name):
    return sum_to(g if beta == 1 else _.mul(g, beta), x_shape)


@added_product.gradient("first")
def _(g, first_shape, second, alpha):
    if second.ndim == 1:
        g, second = unsqueeze(g, -1), unsqueeze(second, -1)
    grad = matmul(g, transpose(second, -2, -1))
    return grad if alpha == 1 else _.mul(grad, alpha)


@added_product.gradient("second")
def _(g, first, second_shape, alpha):
    grad = matmul(transpose(first, -2, -1), g)
    return grad if alpha == 1 else _.mul(grad, alpha)


def numbers_first(name: str, args: tuple[Any, ...], beta: Any, alpha: Any) -> tuple[Any, ...]:
    """(input, first, second, beta, alpha) from the arguments of ``name``, which may be in the order that PyTorch
    deprecated: ``(beta, input, first, second)`` or ``(beta, input, alpha, first, second)``."""
    tensors = [argument for argument in args if isinstance(argument, Tensor)]
    numbers = [argument for argument in args if not isinstance(argument, Tensor)]
    if len(tensors) != 3 or len(numbers) > 2 or not all(isinstance(n, NUMBERS) for n in (*numbers, beta, alpha)):
        kinds = ", ".join(type(argument).__name__ for argument in args)
        raise TypeError(f"{name}() takes three tensors, beta= and alpha=, but got ({kinds})")
    return (*tensors, *numbers, *(beta, alpha)[len(numbers) :])


def _added_product(name: str, ndims: tuple[int, int], operands: tuple[str, str]) -> None:
    def compute(*args: Any, beta: Any = 1, alpha: Any = 1, out: Tensor | None = None, **named: Any) -> Tensor:
        args += tuple(named.pop(key) for key in ("input", "self", *operands) if key in named)
        if named:
            raise TypeError(f"{name}() got an unexpected keyword argument {next(iter(named))!r}")
        input, first, second, beta, alpha = numbers_first(name, args, beta, alpha)
        for tensor, ndim in zip((first, second), ndims, strict=True):
            if tensor._array.ndim != ndim:
                raise wrong_dims(name, tensor, f"expected a {ndim}-D tensor", name == "baddbmm")
        if input._array.dtype != first._array.dtype:
            raise RuntimeError(
                f"{name}: input and {operands[0]} must have the same dtype, but got {input.dtype} and {first.dtype}"
            )
        if ndims[0] == 3 and first._array.shape[0] != second._array.shape[0]:
            raise RuntimeError(
                f"{name}: batch sizes must agree, but got shapes {list(first.shape)} and {list(second.shape)}"
            )
        for key, factor in (("beta", beta), ("alpha", alpha)):
            if isinstance(factor, complex) and not input.is_complex():
                raise RuntimeError(f"{name}: value cannot be converted to type float without overflow: {key}={factor}")
        result = apply(added_product, (input, first, second, beta, alpha, name), {})
        return result if out is None else write_out(out, result, name)

    compute.__name__ = name
    compute.__doc__ = f"``beta * input + alpha * ({operands[0]} @ {operands[1]})``."
    function(inplace=True)(compute)


for _name, _ndims, _operands in (
    ("addmm", (2, 2), ("mat1", "mat2")),
    ("addmv", (2, 1), ("mat", "vec")),
    ("baddbmm", (3, 3), ("batch1", "batch2")),
):
    _added_product(_name, _ndims, _operands)


# --- Diagonals ------------------------------------------------------------------------------------------------------


@coarse(latex=r"x_{i, i + k}", is_view=True)
def diagonal(x: Array, offset=0, dim1=0, dim2=1):
    """The diagonal over two dimensions, as the last dimension of a view."""
    from ...tensor import check_dim

    first, second = check_dim("diagonal", dim1, x.ndim), check_dim("diagonal", dim2, x.ndim)
    if first == second:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    out = np.diagonal(x, offset, first, second)
    out.flags.writeable = x.flags.writeable  # NumPy locks diagonals; PyTorch writes through them
    return out


@diagonal.gradient("x")
def _(g, x_shape, offset, dim1, dim2):
    return diagonal_fill(g, x_shape, offset, dim1, dim2)


@coarse(latex=r"x \text{ on the diagonal of } 0", home="", node_name="DiagonalFill")
def diagonal_fill(x: Array, shape, offset, dim1, dim2):
    out = np.zeros(shape, x.dtype)
    diagonal.forward(out, offset, dim1, dim2)[...] = x
    return out


@diagonal_fill.gradient("x")
def _(g, offset, dim1, dim2):
    return diagonal(g, offset, dim1, dim2)


__all__ = ["added_product", "diagonal", "diagonal_fill", "linear", "matmul", "numbers_first", "outer", "wrong_dims"]
