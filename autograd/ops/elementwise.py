"""Element-by-element functions that programs need rarely: signs and neighbors of floats, mantissas, angles in degrees,
common divisors, bit shifts, Python functions applied to each element.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..dtypes import complex128, float64
from ..graph import state
from ..kernels.halves import FLOATING
from ..rows.dispatch import NUMBERS, apply, broadcast_shape
from ..rows.public import TORCH, function, inplace
from ..rows.results import result_type
from ..rows.table import TABLE, Array, _, coarse, pointwise
from ..rows.writes import check_write, count_write, type_name, write
from ..tensor import Tensor, wrap
from .bitwise import div, integer_function
from .convert import check_tensor

# --- Signs, neighbors, steps ---------------------------------------------------------------------------------------


@pointwise(latex=r"|x| \operatorname{sign} y", result="float", inplace=True, kinks=(0,), numbers="second")
def copysign(x, y):
    return _.copysign(x, y)


@copysign.gradient("x")
def _(g, x, out):
    return g * _.where(x == 0, 0.0, out / x)


@copysign.gradient("y")
def _():
    return 0.0


@pointwise(latex=r"\text{next float after } x \text{ towards } y", inplace=True, accepts="floats", numbers="none")
def nextafter(x, y):
    return _.nextafter(x, y)


@nextafter.gradient("x")
def _(g, x, y):
    return _.where(x == y, 0.0, g)


@nextafter.gradient("y")
def _():
    return 0.0


def _check_heaviside(operands: Any, dtype: np.dtype) -> None:
    if operands[0].dtype is not operands[1].dtype:
        raise RuntimeError("heaviside is not yet implemented for tensors with different dtypes.")


@pointwise(
    latex=r"x < 0 \; ? \; 0 : x = 0 \; ? \; y : 1",
    inplace=True,
    kinks=(0,),
    numbers="none",
    check=_check_heaviside,
    refuses_complex="take .real or .imag",
    refuses_backward=True,
    arguments={"values": "y"},
)
def heaviside(x, y):
    return _.where(x == 0, y, _.where(x > 0, 1.0, 0.0))


@pointwise(latex=r"x = \infty", result="bool", refuses_complex="take .real or .imag")
def isposinf(x):
    return _.logical_and(_.isinf(x), x > 0)


@pointwise(latex=r"x = -\infty", result="bool", refuses_complex="take .real or .imag")
def isneginf(x):
    return _.logical_and(_.isinf(x), x < 0)


@function()
def positive(input: Tensor) -> Tensor:
    """The tensor itself: what ``+x`` is.

    Raises:
        RuntimeError: a bool tensor.
    """
    if check_tensor("positive", "input", input)._array.dtype.kind == "b":
        raise RuntimeError("The `+` operator, on a bool tensor is not supported.")
    return input


# --- Arithmetic ----------------------------------------------------------------------------------------------------


@pointwise(latex=r"\frac{\pi}{180} x", result="float", inplace=True, refuses_complex="take .angle()")
def deg2rad(x):
    return x * 0.017453292519943295


@deg2rad.gradient("x")
def _(g):
    return g * 0.017453292519943295


@pointwise(latex=r"\frac{180}{\pi} x", result="float", inplace=True, refuses_complex="take .angle()")
def rad2deg(x):
    return x * 57.29577951308232


@rad2deg.gradient("x")
def _(g):
    return g * 57.29577951308232


@pointwise(latex=r"\log_2(2^x + 2^y)", accepts="floats", numbers="none")
def logaddexp2(x, y):
    return _.logaddexp2(x, y)


@logaddexp2.gradient("x")
def _(g, x, y):
    return g / (1 + _.exp2(y - x))


@logaddexp2.gradient("y")
def _(g, x, y):
    return g / (1 + _.exp2(x - y))


@function(method=False)
def rsub(input: Tensor, other: Any, alpha: Any = 1) -> Tensor:
    """``other - alpha * input``.

    >>> import autograd
    >>> autograd.rsub(autograd.tensor([1, 2]), 10, alpha=2)
    tensor([8, 6])
    """
    check_tensor("rsub", "input", input)
    if alpha == 1 and alpha is not True:
        return apply(TABLE["rsub"], (input, other), {})
    return TORCH["sub"](other, input, alpha=alpha)


@coarse(latex=r"x \, 2^e", home="", node_name="Ldexp")
def scaled_by_power(x: Array, exponent):
    return np.ldexp(x, exponent)


@scaled_by_power.gradient("x")
def _(g, exponent):
    return scaled_by_power(g, exponent)


@function(inplace=True)
def ldexp(input: Tensor, other: Tensor) -> Tensor:
    """``input * 2**other``, without overflow on the way where ``other`` holds integers.

    Raises:
        NotImplementedError: ``other`` holds bools.

    >>> import autograd
    >>> autograd.ldexp(autograd.tensor([1.0, 3.0]), autograd.tensor([1, -1]))
    tensor([2.0000, 1.5000])
    """
    x, exponent = check_tensor("ldexp", "input", input)._array, check_tensor("ldexp", "other", other)._array
    if x.dtype.kind != "f" or exponent.dtype.kind == "f":
        return input * TORCH["pow"](2.0, other)
    if exponent.dtype.kind == "b":
        raise NotImplementedError("\"ldexp_cpu_exp\" not implemented for 'Bool'")
    shape = broadcast_shape(scaled_by_power, (x, exponent))
    limits = np.iinfo(np.int32)
    powers = np.clip(exponent, limits.min, limits.max).astype(np.int32)
    return apply(scaled_by_power, (input if x.shape == shape else input.expand(shape), powers), {})


def _as_double(operand: Any) -> Any:
    if not isinstance(operand, Tensor):
        return operand
    return operand.to(complex128 if operand.dtype.is_complex else float64)


@function(arguments={"self": "input"})
def float_power(input: Any, exponent: Any) -> Tensor:
    """``input ** exponent`` in float64.

    >>> import autograd
    >>> autograd.float_power(autograd.tensor([2, 3]), -1)
    tensor([0.5000, 0.3333], dtype=torch.float64)
    """
    if not isinstance(input, Tensor) and not isinstance(exponent, Tensor):
        raise TypeError("float_power(): one of the arguments must be a Tensor, not two numbers")
    return TORCH["pow"](_as_double(input), _as_double(exponent))


@inplace("float_power_")
def _float_power_into(self: Tensor, exponent: Any) -> Tensor:
    """In-place version of ``float_power``, for float64 tensors."""
    result = float_power(self, exponent)
    if result.dtype is not self.dtype:
        raise RuntimeError(
            f"the base given to float_power_ has dtype {type_name(self._array.dtype)} but the operation's result "
            f"requires dtype {type_name(result._array.dtype)}"
        )
    return result


# --- Mantissa and exponent -----------------------------------------------------------------------------------------


@coarse(latex=r"m \text{ of } x = m \, 2^e, \; \tfrac{1}{2} \le |m| < 1", home="", node_name="Frexp")
def mantissa(x: Array, exponent):
    return np.frexp(x)[0]


@mantissa.gradient("x")
def _(g, exponent):
    return scaled_by_power(g, -exponent)


_Frexp = result_type("frexp", "mantissa exponent")


@function()
def frexp(input: Tensor) -> Any:
    """The mantissa, between 1/2 and 1 in size, and the exponent of ``input = mantissa * 2**exponent``.

    Raises:
        RuntimeError: not floats.

    >>> import autograd
    >>> autograd.frexp(autograd.tensor([1.0, 6.0])).exponent
    tensor([1, 3], dtype=torch.int32)
    """
    array = check_tensor("frexp", "input", input)._array
    if array.dtype.kind not in FLOATING:
        raise RuntimeError("torch.frexp() only supports floating-point dtypes")
    exponent = np.asarray(np.frexp(array)[1], np.int32)
    return _Frexp(apply(mantissa, (input, exponent), {}), wrap(exponent))


# --- Integers ------------------------------------------------------------------------------------------------------


def _shift_left(x: Any, y: Any) -> Any:
    width = x.dtype.itemsize * 8
    valid = (y >= 0) & (y < width)
    return np.where(valid, np.left_shift(x, np.where(valid, y, 0).astype(x.dtype)), x.dtype.type(0))


def _shift_right(x: Any, y: Any) -> Any:
    # A shift by all bits leaves the sign, as many shifts by one would.
    width = x.dtype.itemsize * 8
    valid = (y >= 0) & (y < width)
    shifted = np.right_shift(x, np.where(valid, y, width - 1).astype(x.dtype))
    return shifted if x.dtype.kind == "i" else np.where(valid, shifted, x.dtype.type(0))


def _common_multiple(x: Any, y: Any) -> Any:
    if x.dtype.itemsize < 4:
        return _common_multiple(x.astype(np.int64), y.astype(np.int64)).astype(x.dtype)  # as C computes in int
    divisor = np.gcd(x, y)
    quotient = np.floor_divide(x, np.where(divisor == 0, x.dtype.type(1), divisor))
    return np.abs(quotient * y)


integer_function(
    "bitwise_left_shift", _shift_left, "``input * 2**other``, bit by bit; 0 for shifts out of range.", label="lshift",
    bools=False,
)  # fmt: skip
integer_function(
    "bitwise_right_shift", _shift_right, "``input`` shifted by ``other`` bits, the sign kept.", label="rshift",
    bools=False,
)  # fmt: skip
integer_function("gcd", np.gcd, "The greatest common divisor, not negative.", bools=False, numbers=False)
integer_function("lcm", _common_multiple, "The least common multiple, not negative.", bools=False, numbers=False)


def _attach_shifts() -> None:
    for name, sign in (("bitwise_left_shift", "lshift"), ("bitwise_right_shift", "rshift")):
        shift, into = TORCH[name], getattr(Tensor, f"{name}_")

        def forward(self: Tensor, other: Any, shift: Any = shift) -> Any:
            return shift(self, other) if isinstance(other, (Tensor, *NUMBERS)) else NotImplemented

        def backward(self: Tensor, other: Any, shift: Any = shift) -> Any:
            return shift(other, self) if isinstance(other, (Tensor, *NUMBERS)) else NotImplemented

        for prefix, method in (("", forward), ("r", backward), ("i", into)):
            setattr(Tensor, f"__{prefix}{sign}__", method)


_attach_shifts()


# --- Python functions, and what older programs call ----------------------------------------------------------------


def _mapped(name: str, self: Tensor, others: tuple[Tensor, ...], callable: Callable[..., Any]) -> Tensor:
    if not all(isinstance(other, Tensor) for other in others):
        raise TypeError(f"{name}(): expected Tensors to map over")
    if state.grad and any(tensor.requires_grad for tensor in (self, *others)):
        raise RuntimeError(f"Can't call {name}() on Variable that requires grad. Use var.detach().{name}() instead.")
    check_write(self, name, False)
    shape = self._array.shape
    columns = [np.broadcast_to(tensor._array, shape).ravel().tolist() for tensor in (self, *others)]
    values = [callable(*row) for row in zip(*columns, strict=True)]
    self._array[...] = np.asarray(values).reshape(shape).astype(self._array.dtype) if values else self._array
    count_write(self)
    return self


def _apply(self: Tensor, callable: Callable[[Any], Any]) -> Tensor:
    """Replaces each element by ``callable(element)``; slow, for trying things out."""
    return _mapped("apply_", self, (), callable)


def _map(self: Tensor, other: Tensor, callable: Callable[[Any, Any], Any]) -> Tensor:
    """Replaces each element by ``callable(element, other's element)``."""
    return _mapped("map_", self, (other,), callable)


def _map2(self: Tensor, x: Tensor, y: Tensor, callable: Callable[[Any, Any, Any], Any]) -> Tensor:
    """Replaces each element by ``callable(element, x's element, y's element)``."""
    return _mapped("map2_", self, (x, y), callable)


def _reinforce(self: Tensor, reward: Any) -> None:
    """Removed from PyTorch.

    Raises:
        RuntimeError: always; it names what to write instead.
    """
    raise RuntimeError(
        "reinforce() was removed. Multiply the log-probability of the sampled action with the reward, and minimize "
        "the negative: loss = -log_prob(action) * reward."
    )


def _divide_into(self: Tensor, other: Any) -> Tensor:
    return write(self, div(self, other), "__idiv__")


for _name, _method in {
    "apply_": _apply,
    "map_": _map,
    "map2_": _map2,
    "reinforce": _reinforce,
    "__div__": lambda self, other: div(self, other),
    "__rdiv__": lambda self, other: div(other, self),
    "__idiv__": _divide_into,
}.items():
    _method.__name__, _method.__qualname__ = _name, f"Tensor.{_name}"
    setattr(Tensor, _name, _method)

__all__ = ["float_power", "frexp", "ldexp", "mantissa", "positive", "rsub"]
