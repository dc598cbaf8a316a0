"""Complex numbers: their parts, size and direction, and the rows that take a real row's place for them.

The gradient of a real function with respect to ``z = x + iy`` is ``dL/dx + i dL/dy``, as in PyTorch: the direction of
steepest ascent. The rules here are written for complex numbers (``holomorphic=False``) where the operator is not
holomorphic.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import dtypes
from ..dtypes import complex_of
from ..rows.dispatch import apply
from ..rows.nodes import holds_complex, sum_to
from ..rows.public import function
from ..rows.table import TABLE, Array, _, coarse
from ..rows.writes import type_name
from ..tensor import Tensor, wrap
from .convert import check_tensor
from .shape import slice_view, transpose

# --- Parts ---------------------------------------------------------------------------------------------------------


@coarse(latex=r"\operatorname{Re} x", home="", node_name="Select", is_view=True, holomorphic=False)
def real(x: Array):
    return x.real


@real.gradient("x")
def _(g, x_dtype):
    return _.to(g, x_dtype)


@coarse(latex=r"\operatorname{Im} x", home="", node_name="Select", is_view=True, holomorphic=False)
def imag(x: Array):
    return x.imag


@imag.gradient("x")
def _(g, x_dtype):
    return _.mul(_.to(g, x_dtype), 1j)


@function(method=False)
def real(input: Tensor) -> Tensor:
    """The real part, a view; a real tensor itself.

    >>> import autograd
    >>> autograd.real(autograd.tensor([1 + 2j, 3 - 1j]))
    tensor([1., 3.])
    """
    return apply(TABLE["real"], (input,), {}) if check_tensor("real", "input", input).is_complex() else input


@function(method=False)
def imag(input: Tensor) -> Tensor:
    """The imaginary part, a view.

    Raises:
        RuntimeError: a real tensor, which has none.

    >>> import autograd
    >>> autograd.imag(autograd.tensor([1 + 2j, 3 - 1j]))
    tensor([ 2., -1.])
    """
    if not check_tensor("imag", "input", input).is_complex():
        raise RuntimeError(f"imag is not implemented for tensors with non-complex dtypes, but got {input.dtype}.")
    return apply(TABLE["imag"], (input,), {})


def _part(take: Any, doc: str) -> property:
    def write(self: Tensor, value: Any) -> None:
        part = take(self)
        part.copy_(value) if isinstance(value, Tensor) else part.fill_(value)

    return property(take, write, doc=doc)


Tensor.real = _part(real, "The real part, a view that may be written to; a real tensor itself.")  # type: ignore[attr-defined]
Tensor.imag = _part(imag, "The imaginary part, a view that may be written to.")  # type: ignore[attr-defined]


@coarse(latex=r"\bar x", home="", node_name="Conj", keeps_layout=True, holomorphic=False)
def conj(x: Array):
    return np.conjugate(x) if x.dtype.kind == "c" else x


@conj.gradient("x")
def _(g):
    return _.conj(g)


def _conjugate(input: Tensor) -> Tensor:
    return apply(TABLE["conj"], (input,), {}) if check_tensor("conj", "input", input).is_complex() else input


@function()
def conj(input: Tensor) -> Tensor:
    """The complex conjugate, computed at once; a real tensor itself.

    >>> import autograd
    >>> autograd.tensor([1 + 2j]).conj()
    tensor([1.-2.j])
    """
    return _conjugate(input)


@function(inplace=True)
def conj_physical(input: Tensor) -> Tensor:
    """The complex conjugate; a real tensor itself."""
    return _conjugate(input)


@function()
def resolve_conj(input: Tensor) -> Tensor:
    """The tensor itself: conjugates are never postponed."""
    return check_tensor("resolve_conj", "input", input)


@function()
def resolve_neg(input: Tensor) -> Tensor:
    """The tensor itself: negatives are never postponed."""
    return check_tensor("resolve_neg", "input", input)


@function()
def is_conj(input: Tensor) -> bool:
    """False: conjugates are never postponed."""
    check_tensor("is_conj", "input", input)
    return False


@function()
def is_neg(input: Tensor) -> bool:
    """False: negatives are never postponed."""
    check_tensor("is_neg", "input", input)
    return False


@function(method=False)
def is_complex(input: Tensor) -> bool:
    """Whether the dtype is complex64 or complex128."""
    return check_tensor("is_complex", "input", input).is_complex()


@function()
def isreal(input: Tensor) -> Tensor:
    """Where the imaginary part is 0: everywhere in a real tensor."""
    return wrap(np.asarray(np.isreal(check_tensor("isreal", "input", input)._array)))


# --- Size and direction --------------------------------------------------------------------------------------------


@coarse(latex=r"|x|", home="", node_name="Abs", keeps_layout=True, holomorphic=False)
def modulus(x: Array):
    return np.abs(x)


@modulus.gradient("x")
def _(g, x):
    return _.mul(g, _.sgn(x))


@coarse(latex=r"\frac{x}{|x|}", inplace=True, keeps_layout=True, holomorphic=False)
def sgn(x: Array):
    """The number of size 1 in the direction of ``input``, 0 at 0; of real numbers the sign.

    >>> import autograd
    >>> autograd.sgn(autograd.tensor([3 + 4j, 0j]))
    tensor([0.6000+0.8000j, 0.0000+0.0000j])
    """
    if x.dtype.kind != "c":
        return _.sign(x)
    size = np.abs(x)
    size = size + (size == 0)
    out = np.empty_like(x)
    out.real, out.imag = x.real / size, x.imag / size  # part by part: of infinite numbers one part is finite
    return out


@sgn.gradient("x")
def _(g, x, out):
    if not holds_complex([x]):
        return _.blank(g)
    size = _.abs(x)
    zero = _.eq(size, 0)
    along = _.mul(out, _.real(_.mul(g, _.conj(out))))
    return _.where(zero, 0.0, _.div(_.sub(g, along), _.where(zero, 1.0, size)))


@coarse(latex=r"\arg x", keeps_layout=True, holomorphic=False)
def angle(x: Array):
    """The angle to the positive real axis, in (-pi, pi]: 0 or pi for real numbers.

    >>> import autograd
    >>> autograd.angle(autograd.tensor([1j, -1 + 0j]))
    tensor([1.5708, 3.1416])
    """
    if x.dtype.kind == "c":
        return np.arctan2(x.imag, x.real)
    kind = x.dtype if x.dtype.kind == "f" else dtypes.default_dtype.numpy
    return np.where(np.isnan(x), x, np.where(x < 0, np.pi, 0.0)).astype(kind)


@angle.gradient("x")
def _(g, x):
    if not holds_complex([x]):
        return _.blank(g)
    squared = _.square(_.abs(x))
    zero = _.eq(squared, 0)
    return _.where(zero, 0.0, _.mul(g, _.div(_.mul(x, 1j), _.where(zero, 1.0, squared))))


# --- Complex numbers from real ones ----------------------------------------------------------------------------------


@coarse(latex=r"x + iy", home="", holomorphic=False)
def complex(x: Array, y: Array):
    shape = np.broadcast_shapes(x.shape, y.shape)
    out = np.empty(shape, complex_of(x.dtype))
    out.real, out.imag = x, y
    return out


@complex.gradient("x")
def _(g, x_shape):
    return sum_to(_.real(g), x_shape)


@complex.gradient("y")
def _(g, y_shape):
    return sum_to(_.imag(g), y_shape)


def _check_parts(operator: str, first: Any, second: Any, names: tuple[str, str]) -> None:
    arrays = [check_tensor(operator, n, t)._array for n, t in zip(names, (first, second), strict=True)]
    if any(array.dtype.kind != "f" for array in arrays):
        kinds = " and ".join(type_name(array.dtype) for array in arrays)
        raise RuntimeError(f"{operator}: Expected both inputs to be Half, Float or Double tensors but got {kinds}")
    if arrays[0].dtype != arrays[1].dtype:
        raise RuntimeError(
            f"{operator}: Expected object of scalar type {type_name(arrays[0].dtype)} but got scalar type "
            f"{type_name(arrays[1].dtype)} for second argument"
        )
    try:
        np.broadcast_shapes(*(array.shape for array in arrays))
    except ValueError:
        shapes = " and ".join(str(list(array.shape)) for array in arrays)
        raise RuntimeError(f"{operator}: the shapes {shapes} do not broadcast") from None


def _check_out(operator: str, given: Tensor, out: Any) -> None:
    if isinstance(out, Tensor) and out._array.dtype != complex_of(given._array.dtype):
        raise RuntimeError(
            f"{operator}: Expected object of scalar type {type_name(complex_of(given._array.dtype))} but got scalar "
            f"type {type_name(out._array.dtype)} for argument 'out'"
        )


@function(method=False)
def complex(real: Tensor, imag: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``real + i * imag``, broadcast: complex64 for float32 parts, complex128 for float64.

    Raises:
        RuntimeError: parts that are not floating-point, or not of one dtype.

    >>> import autograd
    >>> autograd.complex(autograd.tensor([1.0, 2.0]), autograd.tensor([3.0, -4.0]))
    tensor([1.+3.j, 2.-4.j])
    """
    from ..rows.writes import write_out

    _check_parts("complex", real, imag, ("real", "imag"))
    _check_out("complex", real, out)
    result = apply(TABLE["complex"], (real, imag), {})
    return result if out is None else write_out(out, result, "complex")


@function(method=False)
def polar(abs: Tensor, angle: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``abs * (cos(angle) + i sin(angle))``, broadcast.

    Raises:
        RuntimeError: arguments that are not floating-point, or not of one dtype.

    >>> import autograd
    >>> autograd.polar(autograd.tensor([1.0, 2.0]), autograd.tensor([0.0, 0.5]))
    tensor([1.0000+0.0000j, 1.7552+0.9589j])
    """
    from ..rows.writes import write_out

    _check_parts("polar", abs, angle, ("abs", "angle"))
    if abs.dtype is dtypes.float16:
        raise NotImplementedError("\"polar\" not implemented for 'Half'; convert with .float()")
    _check_out("polar", abs, out)
    result = apply(TABLE["complex"], (abs * angle.cos(), abs * angle.sin()), {})
    return result if out is None else write_out(out, result, "polar")


@coarse(latex=r"(\operatorname{Re} x, \operatorname{Im} x)", is_view=True, method=False, holomorphic=False)
def view_as_real(x: Array):
    """A view with one more dimension of size 2: real and imaginary parts.

    Raises:
        RuntimeError: a real tensor.

    >>> import autograd
    >>> autograd.view_as_real(autograd.tensor([1 + 2j, 3 - 1j]))
    tensor([[ 1.,  2.],
            [ 3., -1.]])
    """
    if x.dtype.kind != "c":
        raise RuntimeError(f"view_as_real is only supported for complex tensors, but got {x.dtype.name}")
    half = x.itemsize // 2
    return np.lib.stride_tricks.as_strided(x.real, (*x.shape, 2), (*x.strides, half))


@view_as_real.gradient("x")
def _(g):
    return TABLE["complex"](slice_view(g, (Ellipsis, 0)), slice_view(g, (Ellipsis, 1)))


@coarse(latex=r"x_{\ldots 0} + i x_{\ldots 1}", is_view=True, method=False, holomorphic=False)
def view_as_complex(x: Array):
    """A view of the last dimension, which has size 2, as complex numbers.

    Raises:
        RuntimeError: another size, or memory in which the two parts do not lie side by side.

    >>> import autograd
    >>> autograd.view_as_complex(autograd.tensor([[1.0, 2.0], [3.0, -1.0]]))
    tensor([1.+2.j, 3.-1.j])
    """
    if x.dtype.kind != "f" or x.itemsize == 2:
        raise RuntimeError(
            "view_as_complex is only supported for float and double tensors, but got a tensor of scalar type: "
            f"{type_name(x.dtype)}"
        )
    if x.ndim == 0 or x.shape[-1] != 2:
        raise RuntimeError(f"view_as_complex: Tensor must have a last dimension of size 2, but got {list(x.shape)}")
    if x.strides[-1] != x.itemsize:
        raise RuntimeError("view_as_complex: Tensor must have a last dimension with stride 1; call contiguous() first")
    if any(step % (2 * x.itemsize) for step in x.strides[:-1]):
        raise RuntimeError(
            "view_as_complex: Tensor must have a stride divisible by 2 for all but last dimension; call contiguous()"
        )
    return x.view(complex_of(x.dtype))[..., 0]


@view_as_complex.gradient("x")
def _(g):
    return view_as_real(g)


# --- Rows that take a real row's place -------------------------------------------------------------------------------


@coarse(latex=r"\operatorname{arcosh} x", home="", node_name="Acosh", keeps_layout=True)
def complex_acosh(x: Array):
    return np.arccosh(x)


@complex_acosh.gradient("x")
def _(g, x):
    # Not rsqrt(x^2 - 1), as for real numbers: that is another branch in the left half of the plane.
    return _.mul(g, _.mul(_.rsqrt(_.sub(x, 1)), _.rsqrt(_.add(x, 1))))


@coarse(latex=r"\ln(e^x + e^y)", home="", node_name="Logaddexp", keeps_layout=True)
def complex_logaddexp(x: Array, y: Array):
    # NumPy orders complex numbers by their real parts first, which is what decides here.
    high, low = np.maximum(x, y), np.minimum(x, y)
    return np.where(x == y, x + np.log(2).astype(high.real.dtype), high + np.log1p(np.exp(low - high)))


@complex_logaddexp.gradient("x")
def _(g, x, out):
    return _.to(sum_to(_.mul(g, _.exp(_.sub(x, out))), x.shape), x.dtype)


@complex_logaddexp.gradient("y")
def _(g, y, out):
    return _.to(sum_to(_.mul(g, _.exp(_.sub(y, out))), y.shape), y.dtype)


@coarse(latex=r"|x - y|", home="", node_name="L1Loss", holomorphic=False)
def distance(x: Array, y: Array):
    return np.abs(x - y)


@distance.gradient("x")
def _(g, x, y):
    return sum_to(_.mul(g, _.sgn(_.sub(x, y))), x.shape)


@distance.gradient("y")
def _(g, x, y):
    return sum_to(_.mul(g, _.sgn(_.sub(y, x))), y.shape)


@coarse(latex=r"\frac{x}{1 + |x|}", home="", node_name="Softsign", keeps_layout=True, holomorphic=False)
def complex_softsign(x: Array):
    return x / (1 + np.abs(x))


@complex_softsign.gradient("x")
def _(g, x):
    size = _.abs(x)
    outward = _.real(_.mul(g, _.conj(x)))
    return _.sub(_.div(g, _.add(size, 1)), _.mul(_.sgn(x), _.div(outward, _.square(_.add(size, 1)))))


# --- Conjugate transposes ------------------------------------------------------------------------------------------


@function()
def adjoint(input: Tensor) -> Tensor:
    """The conjugate transpose of the last two dimensions.

    Raises:
        RuntimeError: one dimension.
    """
    if check_tensor("adjoint", "input", input)._array.ndim == 1:
        raise RuntimeError(
            f"tensor.adjoint() is only supported on matrices or batches of matrices. Got {input._array.ndim}-D tensor."
        )
    if not input._array.ndim:
        return _conjugate(input)
    return _conjugate(apply(transpose, (input, -2, -1), {}))


def _conjugate_transpose(self: Tensor) -> Tensor:
    if self.ndim not in (0, 2):
        raise RuntimeError(f"tensor.H is only supported on matrices (2-D tensors). Got {self.ndim}-D tensor.")
    return adjoint(self) if self.ndim else _conjugate(self)


Tensor.H = property(_conjugate_transpose, doc="The conjugate transpose of a matrix.")  # type: ignore[attr-defined]
Tensor.mH = property(adjoint, doc="The conjugate transpose of the last two dimensions.")  # type: ignore[attr-defined]


__all__ = [
    "adjoint",
    "angle",
    "complex",
    "conj",
    "conj_physical",
    "distance",
    "imag",
    "is_complex",
    "is_conj",
    "is_neg",
    "isreal",
    "modulus",
    "polar",
    "real",
    "resolve_conj",
    "resolve_neg",
    "sgn",
    "view_as_complex",
    "view_as_real",
]
