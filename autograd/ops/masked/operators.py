"""Which operators know masked tensors, and what they do with the elements and with the mask."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from ...dtypes import result_type
from ...graph import is_recording
from ...rows.nodes import sum_to
from ...rows.public import TORCH
from ...rows.table import Row
from ...tensor import Tensor, TensorNode, node_of, wrap
from ..sparse.tensor import SparseTensor, flat_places, is_sparse
from ..structured import hand_on, numbers_of
from . import functions
from .tensor import MaskedTensor, closed, elements_of, is_masked_tensor, on_masked, open_to_masks

__all__: Sequence[str] = []


def _name(operator: Any) -> str:
    return operator.name if isinstance(operator, Row) else operator.__name__


def _mapped(value: Any, of: Callable[[MaskedTensor], Any]) -> Any:
    """A value or a sequence with ``of(x)`` in the place of each masked tensor."""
    if is_masked_tensor(value):
        return of(value)
    return type(value)(_mapped(item, of) for item in value) if type(value) in (list, tuple) else value


# --- Element by element -----------------------------------------------------------------------------------------------


def _common_mask(name: str, operands: Sequence[Any]) -> Tensor:
    """The mask of the masked tensors among the operands.

    Raises:
        ValueError: their masks do not match.
        TypeError: beside a sparse masked tensor stands one with dimensions that is not masked.
    """
    masks = [x._mask for x in operands if is_masked_tensor(x)]
    for other in masks[1:]:
        if not _match(masks[0], other):
            raise ValueError(
                f"{name}(): Input masks must match, but those of shapes {list(masks[0].shape)} and "
                f"{list(other.shape)} differ; where() combines tensors with different masks"
            )
    for x in operands if is_sparse(masks[0]) else ():
        if isinstance(x, Tensor) and not is_masked_tensor(x) and x.ndim:
            raise TypeError(f"{name}(): a sparse masked tensor takes numbers and masked tensors, but no {type(x)}")
    return masks[0]


def _match(a: Tensor, b: Tensor) -> bool:
    if isinstance(a, SparseTensor) or isinstance(b, SparseTensor):
        same = a.layout is b.layout and a.shape == b.shape and np.array_equal(a._places, b._places)
        return same and np.array_equal(a._numbers, b._numbers)
    return a.ndim == b.ndim and bool(a.eq(b).all())


def _copy(operator: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    """Elements as others, in the place of the same ones; another masked tensor may say of which dtype."""
    given = elements_of(x) if is_masked_tensor(x) else x
    result = operator(given, *(_mapped(other, elements_of) for other in args), **kwargs)
    if not is_masked_tensor(x) or not isinstance(result, Tensor):
        return result
    return x if result is given else open_to_masks(result, x._mask)


def _elementwise(operator: Any, *args: Any, **kwargs: Any) -> MaskedTensor:
    mask = _common_mask(_name(operator), (*args, *kwargs.values()))
    given = [_mapped(x, elements_of) for x in args]
    result = operator(*given, **{key: _mapped(x, elements_of) for key, x in kwargs.items()})
    if result is given[0]:
        return args[0]
    return open_to_masks(result, mask if is_sparse(mask) else mask.expand(result.shape))


def _in_place(operator: Any, x: Any, *args: Any, **kwargs: Any) -> MaskedTensor:
    name = _name(operator)
    if not is_masked_tensor(x):
        raise TypeError(f"{name}(): a tensor that is not masked cannot take in a masked one; use to_tensor(value)")
    mask = _common_mask(name, (x, *args))
    x.refuse_leaf(name)
    elements = elements_of(x)
    operator(elements, *(_mapped(other, elements_of) for other in args), **kwargs)
    return x.become(open_to_masks(elements, mask), name)


_UNARY = (
    "abs acos acosh angle asin asinh atan atanh bitwise_not ceil clamp conj_physical cos cosh deg2rad digamma erf "
    "erfc erfinv exp exp2 expm1 floor frac lgamma log log10 log1p log2 logit i0 isfinite isinf isnan nan_to_num neg "
    "positive pow rad2deg reciprocal round rsqrt sigmoid sign sgn signbit sin sinc sinh sqrt square tan tanh trunc"
)
_BINARY = (
    "add atan2 bitwise_and bitwise_or bitwise_xor bitwise_left_shift bitwise_right_shift div div_floor div_trunc "
    "floor_divide fmod logaddexp logaddexp2 mul nextafter remainder sub rsub eq ne le ge gt lt maximum minimum fmax "
    "fmin"
)
_COPIES = (
    "to type type_as float double half bfloat16 int long short char byte bool clone contiguous ones_like zeros_like "
    "empty_like full_like blank"
)
_ALIASES = (  # in place: elsewhere an operator is known by its own name
    "absolute arccos arccosh arcsin arcsinh arctan arctan2 arctanh clip divide fix greater greater_equal less "
    "less_equal multiply negative not_equal subtract true_divide"
)
on_masked.ways |= dict.fromkeys(_COPIES.split(), _copy)
on_masked.ways |= dict.fromkeys(f"{_UNARY} {_BINARY}".split(), _elementwise)
on_masked.ways |= dict.fromkeys((f"{name}_" for name in f"{_UNARY} {_BINARY} {_ALIASES} copy".split()), _in_place)


class WhereNode(TensorNode):
    """Which elements of a result came from which operand: elsewhere an operand's gradient does not count."""

    __slots__ = ("condition", "shapes")

    def __init__(self, condition: Tensor, operands: Sequence[Tensor]) -> None:
        super().__init__(tuple(node_of(x) for x in operands))
        self.condition, self.shapes = condition, [x.shape for x in operands]

    def vjp(self, g: Any) -> Sequence[Any]:
        if not is_masked_tensor(g):
            g = closed(g if isinstance(g, Tensor) else wrap(g.copy()), wrap(np.ones(g.shape, np.bool_)))
        chosen = (self.condition, self.condition.bitwise_not())
        parts = [open_to_masks(elements_of(g), g._mask & condition) for condition in chosen]
        return [sum_to(part, shape) for part, shape in zip(parts, self.shapes, strict=True)]

    def name(self) -> str:
        return "_MaskedWhereBackward"


@on_masked("where")
def _where(condition: Any, input: Any, other: Any) -> MaskedTensor:
    if is_masked_tensor(condition) or not isinstance(condition, Tensor):
        raise TypeError(f"where(): condition must be a Tensor that is not masked, but is {type(condition).__name__}")
    if any(is_masked_tensor(x) and is_sparse(x._mask) for x in (input, other)):
        raise TypeError("where() of sparse masked tensors; convert with to_dense() first")
    dtype = result_type(*(_mapped(x, elements_of) for x in (input, other)))
    given = [x if isinstance(x, Tensor) else wrap(np.asarray(x)) for x in (input, other)]
    given = [x.to(dtype) for x in given]
    masks = [x._mask if is_masked_tensor(x) else wrap(np.ones(x.shape, np.bool_)) for x in given]
    data = [_mapped(x, elements_of) for x in given]
    result = closed(TORCH["where"](condition, *(x.detach() for x in data)), TORCH["where"](condition, *masks))
    if any(node_of(x) is not None for x in data) and is_recording():
        hand_on(result, WhereNode(condition, data))
    return result


# --- Places: what is done to the elements is done to the mask ---------------------------------------------------------


def _moved(operator: Any, *args: Any, **kwargs: Any) -> Any:
    for x in args:
        if type(x) in (list, tuple) and len(set(map(is_masked_tensor, x))) > 1:
            raise TypeError(f"{_name(operator)}(): either all tensors are masked or none is; see as_masked_tensor()")
    mask = operator(*(_mapped(x, MaskedTensor.get_mask) for x in args), **kwargs)
    data = operator(*(_mapped(x, lambda t: elements_of(t, whole=True)) for x in args), **kwargs)
    if isinstance(data, Tensor):
        return open_to_masks(data, mask)
    return type(data)(open_to_masks(part, each) for part, each in zip(data, mask, strict=True))


_FUNCTIONS = (
    "select narrow transpose swapaxes swapdims t split chunk tensor_split expand expand_as view view_as reshape "
    "reshape_as flatten unflatten ravel unsqueeze squeeze permute movedim unbind cat stack hstack vstack unfold"
)
_ROWS = (
    "view_as_shape slice_view slice_fill split_at pick matrix_transpose concatenate_along stack_along index "
    "index_add_zeros windows sum_of_windows image_to_columns columns_to_image"
)
on_masked.ways |= dict.fromkeys(f"{_FUNCTIONS} {_ROWS}".split(), _moved)


# --- Reductions: of the elements that count ---------------------------------------------------------------------------


def _reduced(
    compute: Callable[..., Tensor],
    x: MaskedTensor,
    dim: Any = None,
    keepdim: bool = False,
    dtype: Any = None,
    **options: Any,
) -> MaskedTensor:
    """The masked function of the elements; a result counts where one of its elements does."""
    mask, data, in_all = x._mask, x.get_data(), dim is None or dim == () or dim == []
    if isinstance(mask, SparseTensor):
        if not in_all:
            raise TypeError("a sparse masked tensor is reduced over all dimensions; convert with to_dense() first")
        data, mask = numbers_of(x), wrap(mask._numbers)
    if in_all:
        result = compute(data, keepdim=keepdim, dtype=dtype, mask=mask, **options)
        return closed(result, mask.any().reshape(result.shape))
    result = compute(data, dim=dim, keepdim=keepdim, dtype=dtype, mask=mask, **options)
    return closed(result, mask.any(dim, keepdim))


for _reduction in ("sum", "mean", "amin", "amax", "prod"):
    on_masked(_reduction)(partial(_reduced, getattr(functions, _reduction)))


def _place(compute: Callable[..., Tensor], x: MaskedTensor, dim: Any = None, keepdim: bool = False) -> MaskedTensor:
    result, mask = _reduced(compute, x, dim, keepdim), x._mask
    if not isinstance(mask, SparseTensor):
        return result
    place = flat_places(mask._places, mask.shape)[int(result._numbers)]
    return result.like(wrap(np.asarray(place, result._numbers.dtype)))


for _reduction in ("argmin", "argmax"):
    on_masked(_reduction)(partial(_place, getattr(functions, _reduction)))


def _all_true(data: Tensor, *, mask: Tensor, dtype: Any, **options: Any) -> Tensor:
    return data.masked_fill(mask.bitwise_not(), True).all(**options)


on_masked("all")(partial(_reduced, _all_true))


@on_masked("variance")
def _variance(x: MaskedTensor, dim: Any, correction: Any, keepdim: bool) -> MaskedTensor:
    return _reduced(functions.var, x, dim, keepdim, correction=correction)


@on_masked("deviation")
def _deviation(x: MaskedTensor, dim: Any, correction: Any, keepdim: bool) -> MaskedTensor:
    return _reduced(functions.std, x, dim, keepdim, correction=correction)


@on_masked("p_norm")
def _norm(x: MaskedTensor, p: float, dim: Any, keepdim: bool) -> MaskedTensor:
    return _reduced(functions.norm, x, dim, keepdim, ord=p)


@on_masked("softmax")
def _softmax(x: MaskedTensor, dim: int, dtype: Any = None) -> MaskedTensor:
    if is_sparse(x._mask):
        raise TypeError("softmax() of a sparse masked tensor; convert with to_dense() first")
    return closed(functions.softmax(x.get_data(), dim, dtype=dtype, mask=x._mask), x._mask)
