"""Products of vectors, matrices and tensors beyond the matrix product: Kronecker, cross, chains, contractions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...dtypes import from_numpy_dtype, promote_numpy
from ...kernels.halves import INEXACT
from ...rows.dispatch import NUMBERS, apply
from ...rows.public import NAMESPACES, TORCH, function
from ...rows.table import _
from ...rows.writes import type_name
from ...tensor import Tensor, check_dim, wrap
from ..convert import check_tensor
from .matmul import matmul, numbers_first, wrong_dims
from .matrices import conj

__all__ = [
    "bilinear", "chain_matmul", "cross", "diagonal", "inner", "kron", "multi_dot", "tensordot", "vander", "vdot",
    "vecdot",
]  # fmt: skip


def _same_dtype(operator: str, a: Tensor, b: Tensor) -> None:
    if a._array.dtype != b._array.dtype:
        kinds = [type_name(tensor._array.dtype) for tensor in (a, b)]
        raise RuntimeError(f"{operator}: both inputs should have the same dtype, but got {kinds[0]} and {kinds[1]}")


@function(functional=True, method=False)
def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """A map linear in each of two vectors: ``y_o = sum_ij x1_i weight_oij x2_j + bias_o``.

    Args:
        input1: (..., I).
        input2: (..., J), the other dimensions the same.
        weight: (O, I, J).
        bias: (O,), or None.

    Raises:
        RuntimeError: shapes that do not fit (both named).

    >>> import autograd
    >>> autograd.bilinear(autograd.ones(4, 2), autograd.ones(4, 3), autograd.ones(5, 2, 3)).shape
    torch.Size([4, 5])
    """
    a, b = (check_tensor("bilinear", f"input{i + 1}", x)._array.shape for i, x in enumerate((input1, input2)))
    shape = check_tensor("bilinear", "weight", weight)._array.shape
    if len(a) != len(b) or a[:-1] != b[:-1]:
        raise RuntimeError(f"bilinear: input batch dimensions do not match: got {list(a)} and {list(b)}")
    if len(shape) != 3 or (a[-1], b[-1]) != shape[1:]:
        raise RuntimeError(
            f"bilinear: inputs {list(a)} and {list(b)} do not match weight {list(shape)} (out, in1, in2)"
        )
    if bias is not None and bias.shape != shape[:1]:
        raise RuntimeError(f"bilinear: bias {list(bias.shape)} does not match weight {list(shape)}")
    outputs, left, right = shape
    half = (input1 @ weight.permute(1, 0, 2).reshape(left, outputs * right)).unflatten(-1, (outputs, right))
    out = (half * input2.unsqueeze(-2)).sum(-1, dtype=half.dtype)
    return out if bias is None else out + bias


# --- Vectors -------------------------------------------------------------------------------------------------------


@function(arguments={"tensor": "other"})
def inner(input: Tensor, other: Tensor) -> Tensor:
    """The sums of products over the last dimensions: (..., n) and (***, n) give (..., ***); a 0-d tensor multiplies.

    >>> import autograd
    >>> autograd.inner(autograd.tensor([1.0, 2.0]), autograd.tensor([[1.0, 1.0], [0.0, 3.0]]))
    tensor([3., 6.])
    """
    a, b = check_tensor("inner", "input", input), check_tensor("inner", "other", other)
    if not a._array.ndim or not b._array.ndim:
        return _.mul(a, b)
    _same_dtype("inner", a, b)
    if a._array.shape[-1] != b._array.shape[-1]:
        raise RuntimeError(
            "inner() the last dimension must match on both input tensors but got shapes "
            f"{list(a.shape)} and {list(b.shape)}"
        )
    return tensordot(a, b, ([-1], [-1]))


@function(arguments={"tensor": "other"})
def vdot(input: Tensor, other: Tensor) -> Tensor:
    """``sum conj(input) * other`` of two vectors.

    >>> import autograd
    >>> autograd.vdot(autograd.tensor([1.0, 2.0]), autograd.tensor([3.0, 4.0]))
    tensor(11.)
    """
    a, b = check_tensor("vdot", "input", input), check_tensor("vdot", "other", other)
    if a._array.ndim != 1 or b._array.ndim != 1:
        raise RuntimeError(f"vdot: 1D tensors expected, but got shapes {list(a.shape)} and {list(b.shape)}")
    _same_dtype("vdot", a, b)
    return apply(matmul, (conj(a), b), {})


@function(home="linalg")
def vecdot(x: Tensor, y: Tensor, *, dim: int = -1) -> Tensor:
    """``sum conj(x) * y`` over dimension ``dim`` of tensors that broadcast.

    >>> import autograd
    >>> autograd.linalg.vecdot(autograd.tensor([[1.0, 2.0], [3.0, 4.0]]), autograd.tensor([1.0, 1.0]))
    tensor([3., 7.])
    """
    name = "linalg.vecdot"
    for key, tensor in (("x", x), ("y", y)):
        kind = check_tensor(name, key, tensor)._array.dtype
        if kind.kind not in INEXACT:
            raise RuntimeError(
                f"{name}: Expected a floating point or complex tensor as input. Got {type_name(kind)}; convert it with "
                ".float()"
            )
    _same_dtype(name, x, y)
    return (conj(x) * y).sum(dim)


def _cross(operator: str, input: Tensor, other: Tensor, dim: int) -> Tensor:
    a, b = input._array, other._array
    if a.ndim != b.ndim:
        raise RuntimeError(
            f"{operator}: inputs must have the same number of dimensions, but got shapes {list(a.shape)} and "
            f"{list(b.shape)}"
        )
    if not a.ndim:
        raise IndexError(f"{operator}: inputs are 0-d, and have no dimension of length 3")
    at = check_dim(operator, dim, a.ndim)
    if a.shape[at] != 3 or b.shape[at] != 3:
        raise RuntimeError(
            f"{operator}: inputs dimension {dim} must have length 3, but got shapes {list(a.shape)} and {list(b.shape)}"
        )
    _same_dtype(operator, input, other)
    if a.dtype.kind == "b":
        raise NotImplementedError(f"{operator} not implemented for bool tensors; convert with .int() or .float()")
    (x1, x2), (y1, y2) = ([_.roll(tensor, shift, at) for shift in (-1, -2)] for tensor in (input, other))
    return x1 * y2 - x2 * y1


@function(home="linalg")
def cross(input: Tensor, other: Tensor, *, dim: int = -1) -> Tensor:
    """The vectors orthogonal to both, ``x_{i+1} y_{i+2} - x_{i+2} y_{i+1}``, over a dimension of size 3.

    >>> import autograd
    >>> autograd.linalg.cross(autograd.tensor([1.0, 0.0, 0.0]), autograd.tensor([0.0, 1.0, 0.0]))
    tensor([0., 0., 1.])
    """
    name = "linalg.cross"
    return _cross(name, check_tensor(name, "input", input), check_tensor(name, "other", other), dim)


@function()
def cross(input: Tensor, other: Tensor, dim: int | None = None) -> Tensor:
    """`linalg.cross`; without ``dim``, over the first dimension of size 3."""
    a, b = check_tensor("cross", "input", input), check_tensor("cross", "other", other)
    if dim is None:
        if 3 not in a._array.shape:
            raise RuntimeError(f"cross: no dimension of size 3 in input of shape {list(a.shape)}")
        dim = a._array.shape.index(3)
    return _cross("cross", a, b, dim)


# --- Sums of products ----------------------------------------------------------------------------------------------


def _accumulated(name: str, operands: tuple[str, str], doc: str, product: Any) -> None:
    """A function ``beta * input + alpha * product(first, second)``, as in `matmul`, with PyTorch's keywords."""

    def compute(*args: Any, beta: Any = 1, alpha: Any = 1, **named: Any) -> Tensor:
        args += tuple(named.pop(key) for key in ("input", "self", *operands) if key in named)
        if named:
            raise TypeError(f"{name}() got an unexpected keyword argument {next(iter(named))!r}")
        return product(*numbers_first(name, args, beta, alpha))

    compute.__name__, compute.__doc__ = name, doc
    function(inplace=True)(compute)


def _addbmm(input: Tensor, first: Tensor, second: Tensor, beta: Any, alpha: Any) -> Tensor:
    a, b = first._array, second._array
    for name, tensor in (("batch1", first), ("batch2", second)):
        if tensor._array.ndim != 3:
            raise wrong_dims("addbmm", tensor, f"expected {name} to be 3-D", True)
    if a.shape[0] != b.shape[0] or a.shape[2] != b.shape[1]:
        raise RuntimeError(
            f"addbmm: batches of matrices of shapes {list(a.shape)} and {list(b.shape)} cannot be multiplied"
        )
    # The sum over the batch is part of the sum over columns of one long matrix product.
    columns = a.shape[0] * a.shape[2]
    wide = first.permute(1, 0, 2).reshape(a.shape[1], columns)
    return TORCH["addmm"](input, wide, second.reshape(columns, b.shape[2]), beta=beta, alpha=alpha)


def _addr(input: Tensor, first: Tensor, second: Tensor, beta: Any, alpha: Any) -> Tensor:
    for name, tensor in (("vec1", first), ("vec2", second)):
        if tensor._array.ndim != 1:
            raise RuntimeError(f"addr: Expected 1-D argument {name}, but got {tensor._array.ndim}-D")
    kind = input._array.dtype
    for tensor in (first, second):
        kind = promote_numpy(kind, tensor._array.dtype)
    for name, value in (("beta", beta), ("alpha", alpha)):
        if kind.kind in "biu" and isinstance(value, float):
            raise RuntimeError(
                f"addr: For integral input tensors, argument {name} must not be a floating point number."
            )
    shape = (first._array.shape[0], second._array.shape[0])
    try:
        np.broadcast_to(input._array, shape)
    except ValueError:
        raise RuntimeError(
            f"addr: input of shape {list(input.shape)} does not broadcast to the product's shape {list(shape)}"
        ) from None
    dtype = from_numpy_dtype(kind)
    product = first.to(dtype).unsqueeze(1) * second.to(dtype)
    if kind.kind == "b":
        product = product & bool(alpha)
        return product | input if beta else product
    product = product if alpha == 1 else product * alpha
    if beta == 0:  # ignores the input, NaN included
        return product
    return (input if beta == 1 else input * beta) + product


_accumulated("addbmm", ("batch1", "batch2"), "``beta * input + alpha * sum_b batch1[b] @ batch2[b]``.", _addbmm)
_accumulated("addr", ("vec1", "vec2"), "``beta * input + alpha * outer(vec1, vec2)``.", _addr)


# --- Tensors -------------------------------------------------------------------------------------------------------


@function(method=False)
def tensordot(a: Tensor, b: Tensor, dims: Any = 2) -> Tensor:
    """The sums of products over several dimensions at once.

    Args:
        dims: how many: the last of ``a`` and the first of ``b``; or two lists of dimensions, of ``a`` and of ``b``.

    >>> import autograd
    >>> x = autograd.ones(2, 3, 4)
    >>> autograd.tensordot(x, x, ([0, 2], [0, 2])).shape
    torch.Size([3, 3])
    """
    name = "tensordot"
    x, y = check_tensor(name, "a", a)._array, check_tensor(name, "b", b)._array
    if isinstance(dims, Tensor):
        dims = dims.tolist()
    if isinstance(dims, (int, np.integer)) and not isinstance(dims, bool):
        if dims < 0:
            raise RuntimeError(f"tensordot expects dims >= 0, but got dims={dims}")
        if dims > min(x.ndim, y.ndim):
            raise RuntimeError(
                f"tensordot expects dims <= {min(x.ndim, y.ndim)}, the number of dimensions, but got dims={dims} for "
                f"shapes {list(x.shape)} and {list(y.shape)}"
            )
        of_a, of_b = list(range(-int(dims), 0)), list(range(int(dims)))
    elif isinstance(dims, (list, tuple)) and len(dims) == 2:
        of_a, of_b = ([int(d) for d in each] if isinstance(each, Sequence) else [int(each)] for each in dims)
    else:
        raise RuntimeError(f"tensordot expects dims to be int or two lists of dimensions, but got dims={dims!r}")
    if len(of_a) != len(of_b):
        raise RuntimeError(f"tensordot: both dimension lists should have same length, but got {of_a} and {of_b}")
    _same_dtype(name, a, b)
    of_a, of_b = ([check_dim(name, d, array.ndim) for d in each] for each, array in ((of_a, x), (of_b, y)))
    for each in (of_a, of_b):
        if len(set(each)) != len(each):
            raise RuntimeError(f"tensordot: a dim appears multiple times in the list of dims {each}")
    for i, j in zip(of_a, of_b, strict=True):
        if x.shape[i] != y.shape[j] and 1 not in (x.shape[i], y.shape[j]):
            raise RuntimeError(
                f"tensordot: contracted dimensions need to match, but first has size {x.shape[i]} in dim {i} and "
                f"second has size {y.shape[j]} in dim {j}"
            )
        # A dimension of size 1 broadcasts: the other is summed over alone.
        if x.shape[i] != y.shape[j]:
            if x.shape[i] == 1:
                b = b.sum(j, keepdim=True, dtype=b.dtype)
            else:
                a = a.sum(i, keepdim=True, dtype=a.dtype)
            x, y = a._array, b._array
    rows, columns = ([d for d in range(array.ndim) if d not in each] for array, each in ((x, of_a), (y, of_b)))
    shape = [x.shape[d] for d in rows], [y.shape[d] for d in columns]
    inner_size = math.prod(x.shape[d] for d in of_a)
    left = a.permute((*rows, *of_a)).reshape((math.prod(shape[0]), inner_size))
    right = b.permute((*of_b, *columns)).reshape((inner_size, math.prod(shape[1])))
    return (left @ right).reshape((*shape[0], *shape[1]))


@function()
def kron(input: Tensor, other: Tensor) -> Tensor:
    """The Kronecker product: ``other`` times each element of ``input``, as blocks.

    >>> import autograd
    >>> autograd.kron(autograd.eye(2), autograd.tensor([1.0, 2.0]))
    tensor([[1., 2., 0., 0.],
            [0., 0., 1., 2.]])
    """
    a, b = check_tensor("kron", "input", input)._array, check_tensor("kron", "other", other)._array
    ndim = max(a.ndim, b.ndim)
    wide_a, wide_b = (1,) * (ndim - a.ndim) + a.shape, (1,) * (ndim - b.ndim) + b.shape
    left = input.reshape(tuple(n for size in wide_a for n in (size, 1)))
    right = other.reshape(tuple(n for size in wide_b for n in (1, size)))
    return (left * right).reshape(tuple(m * n for m, n in zip(wide_a, wide_b, strict=True)))


# --- Chains --------------------------------------------------------------------------------------------------------


def _cheapest(sizes: Sequence[int]) -> list[list[int]]:
    """Where to split each chain of matrices ``i .. j`` of sizes ``sizes[i] x sizes[i + 1]``.

    Cormen, Leiserson, Rivest and Stein, "Introduction to Algorithms", section on matrix-chain multiplication.
    """
    n = len(sizes) - 1
    cost = [[0] * n for _i in range(n)]
    split = [[0] * n for _i in range(n)]
    for length in range(1, n):
        for i in range(n - length):
            j = i + length
            cost[i][j], split[i][j] = min(
                (cost[i][k] + cost[k + 1][j] + sizes[i] * sizes[k + 1] * sizes[j + 1], k) for k in range(i, j)
            )
    return split


@function(home="linalg")
def multi_dot(tensors: Sequence[Tensor]) -> Tensor:
    """The product of two matrices or more, in the order that takes the fewest multiplications.

    Args:
        tensors: matrices; the first may be a vector, taken for a row, and the last one, taken for a column.

    >>> import autograd
    >>> autograd.linalg.multi_dot([autograd.ones(2, 3), autograd.ones(3, 4), autograd.ones(4)])
    tensor([12., 12.])
    """
    name = "multi_dot()"
    if not isinstance(tensors, (list, tuple)):
        raise TypeError(f"{name}: argument 'tensors' must be tuple of Tensors, not {type(tensors).__name__}")
    if len(tensors) < 2:
        raise RuntimeError(f"{name}: expected at least 2 tensors but got {len(tensors)}")
    matrices = [check_tensor(name, "tensors", tensor) for tensor in tensors]
    last = len(matrices) - 1
    for i, tensor in enumerate(matrices):
        ndim = tensor._array.ndim
        if ndim != 2 and not (ndim == 1 and i in (0, last)):
            allowed = "1D or 2D" if i in (0, last) else "2D"
            raise RuntimeError(f"{name}: tensor {i} must be {allowed} but got {ndim}D")
        _same_dtype("multi_dot", matrices[0], tensor)
    shape = [*matrices[0]._array.shape[:-1], *matrices[last]._array.shape[1:]]
    if matrices[0]._array.ndim == 1:
        matrices[0] = matrices[0].unsqueeze(0)
    if matrices[last]._array.ndim == 1:
        matrices[last] = matrices[last].unsqueeze(1)
    for i in range(last):
        if matrices[i]._array.shape[1] != matrices[i + 1]._array.shape[0]:
            raise RuntimeError(
                f"{name}: tensors {i} and {i + 1} with shapes {list(matrices[i].shape)} and "
                f"{list(matrices[i + 1].shape)} cannot be multiplied"
            )
    split = _cheapest([*(m._array.shape[0] for m in matrices), matrices[last]._array.shape[1]])

    def product(i: int, j: int) -> Tensor:
        return matrices[i] if i == j else product(i, split[i][j]) @ product(split[i][j] + 1, j)

    return product(0, last).reshape(shape)


@function(method=False)
def chain_matmul(*matrices: Tensor) -> Tensor:
    """The product of one matrix or more, in the order that takes the fewest multiplications: `linalg.multi_dot`."""
    if not matrices:
        raise RuntimeError("chain_matmul(): Expected one or more matrices")
    for matrix in matrices:
        if check_tensor("chain_matmul", "matrices", matrix)._array.ndim != 2:
            raise RuntimeError(f"chain_matmul(): Tensor of shape {list(matrix.shape)} where matrices are expected")
    return matrices[0] if len(matrices) == 1 else multi_dot(matrices)


# --- What linalg has from elsewhere --------------------------------------------------------------------------------

NAMESPACES["linalg"]["matmul"] = TORCH["matmul"]


@function(home="linalg", arguments={"input": "A"})
def diagonal(A: Tensor, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """The diagonals of matrices (..., m, n), as a view: `autograd.diagonal` over the last two dimensions."""
    return check_tensor("linalg.diagonal", "A", A).diagonal(offset, dim1, dim2)


@function(home="linalg")
def vander(x: Tensor, *, N: int | None = None) -> Tensor:
    """Rows of powers ``1, x, ..., x^(N-1)`` of the elements of (..., n): (..., n, N), N = n by default.

    >>> import autograd
    >>> autograd.linalg.vander(autograd.tensor([2, 3]), N=3)
    tensor([[1, 2, 4],
            [1, 3, 9]])
    """
    name = "linalg.vander"
    array = check_tensor(name, "x", x)._array
    if array.dtype.kind == "b" or array.dtype == np.float16:
        raise RuntimeError(
            f"{name} supports float32, float64, complex and integer tensors, but got {type_name(array.dtype)}"
        )
    n = N if N is not None else array.shape[-1] if array.ndim else 1
    if isinstance(n, bool) or not isinstance(n, NUMBERS) or isinstance(n, float):
        raise TypeError(f"{name}(): argument 'N' must be int, not {type(n).__name__}")
    if n < 2:
        raise RuntimeError(f"{name}: N must be greater than 1, but is {n}.")
    x = x.unsqueeze(0) if not array.ndim else x
    one = wrap(np.ones((*x._array.shape, 1), array.dtype))
    powers = x.unsqueeze(-1).expand(*x._array.shape, n - 1).cumprod(-1)
    return TORCH["cat"]([one, powers], -1)


def _removed(name: str, remedy: str) -> None:
    def compute(*args: Any, **kwargs: Any) -> Any:
        raise RuntimeError(f"{name} was removed from PyTorch in version 1.9 and is not here: use {remedy}")

    compute.__name__ = name
    compute.__doc__ = f"Raises: PyTorch removed it in version 1.9 in favor of ``{remedy}``."
    function(method=name != "matrix_rank")(compute)


for _name, _remedy in (
    ("matrix_rank", "linalg.matrix_rank(A)"),
    ("solve", "linalg.solve(A, B), whose arguments stand in the other order"),
    ("lstsq", "linalg.lstsq(A, B), whose arguments stand in the other order"),
    ("eig", "linalg.eig(A)"),
    ("symeig", "linalg.eigh(A, UPLO='U')"),
):
    _removed(_name, _remedy)
