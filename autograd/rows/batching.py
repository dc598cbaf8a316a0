"""A tensor that stands for one example of a batch, and operators on it: what `autograd.vmap` is made of.

`Batched` holds the whole batch as an ordinary tensor, the batch first, and shows the shape of one example. A row on it
becomes a row on the whole batch: pointwise rows by aligning dimensions, the rows of `RULES` by counting dimensions from
behind the batch. Whatever has no rule runs on one example after the other, and its results are stacked: an operator
asks for the array of a `Batched`, gets its `Facts`, which raise `BatchError` for anything but shape and dtype, and who
called the operator runs the loop. Results are the same either way.

Levels nest: the value of a `Batched` may be one of an outer level. The outermost wrapper is the innermost `vmap`.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from types import MethodType
from typing import Any

import numpy as np

from .. import pytree
from ..dtypes import from_numpy_dtype
from ..graph import state
from ..tensor import BatchError, Tensor, check_dim, shared_counter
from .dispatch import apply_coarse, apply_pointwise, signature_of
from .public import FUNCTIONAL, TORCH
from .table import TABLE, CoarseRow, PointwiseRow, Row

__all__ = [
    "Batch",
    "Batched",
    "active_batches",
    "apply_function",
    "check_randomness",
    "coarse_on_batch",
    "enclose",
    "entered",
    "expose",
    "is_batched",
    "levels_of",
    "over_examples",
    "pointwise_on_batch",
    "row_on_batch",
    "wrap_batch",
    "write_into",
]

new = object.__new__
slices = slice(None)


class Batch:
    """One `vmap`: how many examples, what random operators are to do inside; later ones have a greater ``depth``."""

    __slots__ = ("depth", "randomness", "size")

    _depths = itertools.count()

    def __init__(self, size: int, randomness: str) -> None:
        self.size, self.randomness, self.depth = size, randomness, next(self._depths)


class _Here(threading.local):
    batches: tuple[Batch, ...] = ()


_here = _Here()


def active_batches() -> tuple[Batch, ...]:
    """The levels of this thread, outermost first."""
    return _here.batches


@contextmanager
def entered(batches: tuple[Batch, ...]) -> Iterator[None]:
    """Inside, these are the active levels."""
    before = _here.batches, state.draws
    _here.batches, state.draws = batches, check_randomness if batches else None
    try:
        yield
    finally:
        _here.batches, state.draws = before


NO_NUMBERS = (
    "vmap: this needs the numbers of single examples, which a function inside vmap does not see: no .item(), no "
    ".numpy(), no `if` or `while` on a tensor's values (use autograd.where), no shapes that depend on values."
)


ONE_MEMORY = (
    "vmap: inplace arithmetic(self, *extra_args) is not possible because there exists a Tensor `other` in extra_args "
    "that has more elements than `self`. This happened due to `other` being vmapped over but `self` not being vmapped "
    "over in a vmap. Please try to use out-of-place operators instead of {}."
)


class Facts:
    """Stands where an operator looks for an array: it knows shape and dtype; anything else raises `BatchError`."""

    __slots__ = ("dtype", "shape")

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype) -> None:
        self.shape, self.dtype = shape, dtype

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return int(np.prod(self.shape))

    @property
    def itemsize(self) -> int:
        return self.dtype.itemsize

    @property
    def nbytes(self) -> int:
        return self.size * self.itemsize

    def _refuse(self, *args: Any, **kwargs: Any) -> Any:
        raise BatchError(NO_NUMBERS)

    __getattr__ = __array__ = __array_ufunc__ = __array_function__ = __getitem__ = __setitem__ = __iter__ = _refuse
    __len__ = __bool__ = __float__ = __int__ = __index__ = __contains__ = _refuse
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _refuse
    __matmul__ = __rmatmul__ = __pow__ = __rpow__ = __neg__ = __invert__ = __and__ = __or__ = __xor__ = _refuse
    __mod__ = __floordiv__ = __lshift__ = __rshift__ = __abs__ = _refuse
    __lt__ = __le__ = __gt__ = __ge__ = __eq__ = __ne__ = _refuse
    __hash__ = None  # type: ignore[assignment]


class Batched(Tensor):
    """One example of a batch, as a function inside `vmap` sees it."""

    __slots__ = ("_batch", "_value")

    _batch: Batch
    _value: Tensor

    @property
    def _array(self) -> Any:  # type: ignore[override]
        array = self._value._array
        return Facts(array.shape[1:], array.dtype)

    @property
    def _view(self) -> Any:
        raise BatchError(NO_NUMBERS)

    @_view.setter
    def _view(self, value: Any) -> None:
        base_of(self)._view = value

    @property
    def _node(self) -> Any:  # type: ignore[override]
        raise BatchError(NO_NUMBERS)

    @property
    def _counter(self) -> Any:
        return shared_counter(base_of(self))

    @_counter.setter
    def _counter(self, value: Any) -> None:
        base_of(self)._counter = value

    def _refuse(self, *args: Any, **kwargs: Any) -> Any:
        raise BatchError(NO_NUMBERS)

    item = tolist = numpy = __array__ = __bool__ = __float__ = __int__ = __complex__ = __index__ = _refuse
    __contains__ = __dlpack__ = __deepcopy__ = __reduce_ex__ = data_ptr = storage_offset = _refuse

    @property  # type: ignore[misc]
    def requires_grad(self) -> bool:
        return base_of(self).requires_grad

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        raise RuntimeError(
            "You are attempting to call Tensor.requires_grad_() inside of a function being vmapped. This is "
            "unsupported: use autograd.func.grad or autograd.func.vjp inside it."
        )

    @property
    def is_leaf(self) -> bool:
        return base_of(self).is_leaf

    @property
    def grad_fn(self) -> Any:
        return base_of(self).grad_fn

    @property  # type: ignore[misc]
    def grad(self) -> None:
        return None

    def backward(self, *args: Any, **kwargs: Any) -> None:
        raise RuntimeError(
            "backward() called inside a functorch transform. This is not supported, please use autograd.func.grad or "
            "autograd.func.vjp instead."
        )

    def detach(self) -> Tensor:
        return wrap_batch(self._value.detach(), self._batch)

    @property  # type: ignore[misc]
    def data(self) -> Tensor:
        return wrap_batch(self._value.data, self._batch)

    @property
    def _version(self) -> int:
        return base_of(self)._version

    def is_inference(self) -> bool:
        return base_of(self).is_inference()

    def stride(self, dim: int | None = None) -> Any:
        steps = self._value.stride()[1:]
        return steps if dim is None else steps[check_dim("stride", dim, len(steps))]

    def is_contiguous(self, memory_format: Any = None) -> bool:
        return self._value.is_contiguous()

    def contiguous(self, memory_format: Any = None) -> Tensor:
        return wrap_batch(self._value.contiguous(), self._batch)

    def __getitem__(self, index: Any) -> Any:
        items = index if isinstance(index, tuple) else (index,)
        tensors = [item for item in items if isinstance(item, Tensor)]
        others = (int, slice, type(None), type(Ellipsis), np.integer, Tensor)
        plain = all(isinstance(item, others) and not isinstance(item, bool) for item in items)
        if not plain or len(tensors) > 1 or any(is_batched(item) for item in tensors):
            return over_examples(Tensor.__getitem__, (self, index), {})
        if len(items) == 1 and isinstance(index, int) and not self.shape:
            raise IndexError("invalid index of a 0-dim tensor.")
        if tensors and not all(item is tensors[0] or isinstance(item, (slice, type(Ellipsis))) for item in items):
            return over_examples(Tensor.__getitem__, (self, index), {})  # where the result's dimensions go is involved
        place = (slices, *items)
        return wrap_batch(self._value[place], self._batch)

    def __setitem__(self, index: Any, value: Any) -> None:
        over_examples(Tensor.__setitem__, (self, index, value), {}, writes=True)

    def __getattribute__(self, name: str) -> Any:
        # Methods that are no published operators, as those are guarded themselves.
        value = super().__getattribute__(name)
        guarded = type(value) is MethodType and name not in Batched.__dict__
        return partial(_or_over_examples, value.__func__, self) if guarded else value

    def __repr__(self, *, tensor_contents: Any = None) -> str:  # type: ignore[override]
        return f"BatchedTensor(lvl={self._batch.depth}, bdim=0, value={self._value!r})"


def _or_over_examples(method: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    try:
        return method(*args, **kwargs)
    except BatchError as error:
        return error.of_function(method, args, kwargs)


def wrap_batch(value: Tensor, batch: Batch) -> Batched:
    """The tensor of which ``value`` holds all examples along its first dimension."""
    result = new(Batched)
    result._value, result._batch = value, batch
    return result


def is_batched(value: Any) -> bool:
    """Whether ``value`` stands for one example of a batch."""
    return isinstance(value, Batched)


def base_of(tensor: Tensor) -> Tensor:
    """The ordinary tensor inside."""
    while isinstance(tensor, Batched):
        tensor = tensor._value
    return tensor


def levels_of(tensor: Any) -> list[Batch]:
    """The levels at which it is batched, innermost `vmap` first."""
    found = []
    while isinstance(tensor, Batched):
        found.append(tensor._batch)
        tensor = tensor._value
    return found


def top_level(values: Any) -> Batch | None:
    """The innermost level at which anything in ``values`` is batched."""
    found = [leaf._batch for leaf in pytree.leaves(values) if isinstance(leaf, Batched)]
    return max(found, key=lambda batch: batch.depth) if found else None


def whole(tensor: Any, batch: Batch) -> Tensor:
    """All examples: the batch itself, or the one tensor for all of them, expanded."""
    if isinstance(tensor, Batched) and tensor._batch is batch:
        return tensor._value
    return tensor.expand(batch.size, *tensor.shape)


def expose(tensor: Tensor, batch: Batch) -> Tensor:
    """All examples of one level, inner levels staying as they are; where it is not batched there, expanded."""
    if isinstance(tensor, Batched) and tensor._batch.depth > batch.depth:
        return wrap_batch(expose(tensor._value, batch).transpose(0, 1), tensor._batch)
    return whole(tensor, batch)


def enclose(tensor: Tensor, batch: Batch) -> Tensor:
    """The reverse of `expose`: the first dimension becomes the examples of a level."""
    if isinstance(tensor, Batched) and tensor._batch.depth > batch.depth:
        return wrap_batch(enclose(tensor._value.transpose(0, 1), batch), tensor._batch)
    return wrap_batch(tensor, batch)


# --- One example after the other -----------------------------------------------------------------------------------


def over_examples(
    function: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any], writes: bool = False
) -> Any:
    """``function`` on each example of the innermost level at which an argument is batched; results stacked.

    Without a batched argument it is a random function, which draws for each example of the level that says so.

    Raises:
        BatchError: nothing is batched: the numbers themselves were asked for; or the function ``writes`` to its first
            argument, which has one memory for all examples.
    """
    batch = top_level((args, kwargs)) or _drawing_batch()
    if batch is None:
        raise BatchError(NO_NUMBERS)
    name = getattr(function, "__name__", "")
    if name in FUNCTIONS:
        result = FUNCTIONS[name](batch, *args, **kwargs)
        if result is not NotImplemented:
            return result
    writes = writes or (name.endswith("_") and not name.startswith("_"))
    if writes and not _has(args[0], batch):
        raise BatchError(ONE_MEMORY.format(name))
    if not batch.size:
        raise RuntimeError(f"vmap: {name} has no rule for a batch of no examples")
    remaining = tuple(b for b in _here.batches if b is not batch or batch.randomness == "error")
    results, written = [], []
    with entered(()):
        restore = _random_state() if batch.randomness == "same" else None
    with entered(remaining):
        for i in range(batch.size):
            if restore is not None:
                restore()
            given, named = pytree.each(partial(_example, batch, i), (tuple(args), kwargs))
            if writes:
                given = (given[0].clone(), *given[1:])
                written.append(given[0])
            result = function(*given, **named)
            results.append(_OWN if writes and result is given[0] else result)
    if writes:
        write_into(args[0]._value, TABLE["stack_along"](written, 0), name)
    flat = [pytree.leaves(result) for result in results]
    combined = [_combined(list(column), batch, args) for column in zip(*flat, strict=True)]
    return pytree.unflatten(combined, pytree.structure(results[0]))


def _example(batch: Batch, i: int, leaf: Any) -> Any:
    return leaf._value.select(0, i) if _has(leaf, batch) else leaf


def _combined(results: list[Any], batch: Batch, args: Sequence[Any]) -> Any:
    """What the examples gave, as one: tensors stacked; a write's own target for `_OWN`."""
    first = results[0]
    if first is _OWN:
        return args[0]
    if isinstance(first, Tensor):
        if any(result.shape != first.shape for result in results):
            raise BatchError(NO_NUMBERS)
        return wrap_batch(TABLE["stack_along"](results, 0), batch)
    if any(result != first for result in results):
        raise BatchError(NO_NUMBERS)
    return first


_OWN = object()


def _drawing_batch() -> Batch | None:
    return next((b for b in reversed(_here.batches) if b.randomness != "error"), None)


def _random_state() -> Callable[[], None]:
    from ..ops.random import default_generator

    start = default_generator.get_state()

    def restore() -> None:
        default_generator.set_state(start)

    return restore


def check_randomness() -> None:
    """Called before random numbers are drawn inside `vmap`.

    Raises:
        RuntimeError: the level says ``randomness="error"``.
        BatchError: to be run on one example after the other: each draws its own numbers, or the same from one state.
    """
    for batch in reversed(_here.batches):
        if batch.randomness == "error":
            raise RuntimeError(
                "vmap: called random operation while in randomness error mode. Please either use the 'same' or "
                "'different' randomness flags on vmap or perform the randomness operation out of vmap"
            )
        raise BatchError(NO_NUMBERS)


# --- Writes --------------------------------------------------------------------------------------------------------


def write_into(target: Tensor, result: Tensor, name: str) -> Tensor:
    """Writes ``result`` into ``target``, of the same shape; one of them is batched.

    The result must have been computed from a copy of ``target``: unlike a single row (`write`), what was computed in
    several steps may have saved the memory that is overwritten here.

    Raises:
        BatchError: the result differs between examples, and ``target`` has one memory for all.
        RuntimeError: another shape.
    """
    from .writes import write

    batch = top_level((target, result))
    if batch is None:
        return write(target, result, name)
    if not isinstance(target, Batched) or target._batch is not batch:
        raise BatchError(ONE_MEMORY.format(name))
    if target.shape != result.shape:
        raise RuntimeError(
            f"output with shape {list(target.shape)} doesn't match the broadcast shape {list(result.shape)} in {name}"
        )
    write_into(target._value, whole(result, batch), name)
    return target


# --- Rows ----------------------------------------------------------------------------------------------------------


def pointwise_on_batch(row: PointwiseRow, values: Sequence[Any]) -> Tensor:
    """A pointwise row on operands of which some are batched."""
    count = len(row.inputs)
    operands = list(values[:count])
    batch = top_level(operands)
    assert batch is not None
    tensors = [operand for operand in operands if isinstance(operand, Tensor)]
    mixed = {t.dtype for name, t in zip(row.inputs, operands, strict=True) if isinstance(t, Tensor)}
    if len(mixed) > 1 or any(not isinstance(o, Tensor) for o in operands):
        # A 0-d example counts less in the promotion of types than the batch would.
        # Before integers become floats, so that checks hold.
        dtype = from_numpy_dtype(signature_of(row, operands).promoted)
        operands = [
            operand.to(dtype) if isinstance(operand, Tensor) and name != "condition" else operand
            for name, operand in zip(row.inputs, operands, strict=True)
        ]
    ndim = max(tensor.ndim for tensor in tensors)
    aligned = [
        _aligned(operand._value, ndim) if isinstance(operand, Batched) and operand._batch is batch else operand
        for operand in operands
    ]
    return wrap_batch(apply_pointwise(row, [*aligned, *values[count:]]), batch)


def _aligned(value: Tensor, ndim: int) -> Tensor:
    """The batch with dimensions of size 1 behind its first, so that examples have ``ndim`` dimensions."""
    missing = ndim + 1 - value.ndim
    return value if not missing else value.reshape(value.shape[0], *(1,) * missing, *value.shape[1:])


def row_on_batch(row: Row, values: Sequence[Any]) -> Any:
    """A row on parameters of which some are batched."""
    return (pointwise_on_batch if isinstance(row, PointwiseRow) else coarse_on_batch)(row, values)  # type: ignore


def coarse_on_batch(row: CoarseRow, values: Sequence[Any]) -> Any:
    """A row with a kernel on inputs of which some are batched: by its rule, or on one example after the other."""
    values = list(values)
    batch = top_level(values)
    rule = RULES.get(row.name)
    if batch is not None and rule is not None and batch.size:
        result = rule(batch, *values)
        if result is not NotImplemented:
            return pytree.each(lambda value: wrap_batch(value, batch), result)
    return over_examples(partial(_again, row), values, {})


def _again(row: CoarseRow, *values: Any) -> Any:
    return apply_coarse(row, list(values))


RULES: dict[str, Callable[..., Any]] = {}
FUNCTIONS: dict[str, Callable[..., Any]] = {}


def function_rule(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator: ``(batch, *arguments) -> the batched result`` of the public function of that name, or
    NotImplemented: for functions that ask for more than shapes before they come to a row."""
    FUNCTIONS[function.__name__] = function
    return function


def rule(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorator: ``(batch, *the row's values) -> the result for the whole batch``, or NotImplemented."""

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        for name in names:
            RULES[name] = partial(function, name)
        return function

    return register


def _has(value: Any, batch: Batch) -> bool:
    return isinstance(value, Batched) and value._batch is batch


def _behind(dim: Any, ndim: int) -> Any:
    """A dimension of one example, or several or all, as dimensions of the batch."""
    if dim is None:
        return tuple(range(1, ndim + 1))
    if isinstance(dim, (tuple, list)):
        return tuple(_behind(d, ndim) for d in dim) or tuple(range(1, ndim + 1))
    return check_dim("vmap", dim, ndim) + 1


@rule("to", "clone", "blank", "_contiguous_copy", "triangle", "bitwise_not")
def _(name: str, batch: Batch, x: Any, *rest: Any) -> Any:
    return TABLE[name](x._value, *rest)


@rule("sum", "mean", "amax", "amin", "logsumexp", "variance", "deviation", "euclidean_norm")
def _(name: str, batch: Batch, x: Any, dim: Any, *rest: Any) -> Any:
    value = x._value
    if not x.ndim:
        return TABLE[name](value.unsqueeze(1), 1 if dim is None else _behind(dim, 1), *_no_keepdim(name, rest))
    return TABLE[name](value, _behind(dim, x.ndim), *rest)


def _no_keepdim(name: str, rest: tuple[Any, ...]) -> tuple[Any, ...]:
    at = TABLE[name].parameters.index("keepdim") - 2
    return (*rest[:at], False, *rest[at + 1 :])


@rule("cumsum", "cumprod", "logcumsumexp", "softmax_along", "log_softmax_along", "product_along", "product_of_others")
def _(name: str, batch: Batch, x: Any, dim: Any, *rest: Any) -> Any:
    return TABLE[name](x._value, _behind(dim, x.ndim), *rest) if x.ndim else NotImplemented


@rule("extreme")
def _(name: str, batch: Batch, x: Any, which: str) -> Any:
    return TABLE[f"a{which}"](x._value.reshape(batch.size, -1), 1)


@rule("reshape", "view_as_shape")
def _(name: str, batch: Batch, x: Any, shape: Any) -> Any:
    return TABLE[name](x._value, (batch.size, *shape))


@rule("permute")
def _(name: str, batch: Batch, x: Any, dims: Any) -> Any:
    return TABLE[name](x._value, (0, *_behind(tuple(dims), x.ndim))) if x.ndim else NotImplemented


@rule("transpose")
def _(name: str, batch: Batch, x: Any, dim0: int, dim1: int) -> Any:
    return TABLE[name](x._value, _behind(dim0, x.ndim), _behind(dim1, x.ndim)) if x.ndim else NotImplemented


@rule("matrix_transpose")
def _(name: str, batch: Batch, x: Any) -> Any:
    return x._value.permute(0, *range(x.ndim, 0, -1))


@rule("expand")
def _(name: str, batch: Batch, x: Any, size: Any, *rest: Any) -> Any:
    if len(size) < x.ndim:
        return NotImplemented
    return TABLE[name](_aligned(x._value, len(size)), (batch.size, *size), *rest)


@rule("unsqueeze")
def _(name: str, batch: Batch, x: Any, dim: int) -> Any:
    return TABLE[name](x._value, _behind(dim, x.ndim + 1))


@rule("squeeze")
def _(name: str, batch: Batch, x: Any, dim: Any) -> Any:
    if not x.ndim:
        return NotImplemented
    dims = range(x.ndim) if dim is None else dim if isinstance(dim, (tuple, list)) else (dim,)
    gone = {check_dim("squeeze", d, x.ndim) for d in dims}
    return x._value.reshape(batch.size, *(n for i, n in enumerate(x.shape) if n != 1 or i not in gone))


@rule("slice_view")
def _(name: str, batch: Batch, x: Any, index: Any) -> Any:
    return TABLE[name](x._value, (slices, *index))


@rule("slice_fill")
def _(name: str, batch: Batch, x: Any, shape: Any, index: Any) -> Any:
    return TABLE[name](x._value, (batch.size, *shape), (slices, *index))


@rule("index")
def _(name: str, batch: Batch, x: Any, indices: Any) -> Any:
    return TABLE[name](x._value, (slices, *indices)) if _stay_in_place(indices) else NotImplemented


@rule("index_add_zeros")
def _(name: str, batch: Batch, x: Any, shape: Any, indices: Any) -> Any:
    if not _stay_in_place(indices):
        return NotImplemented
    return TABLE[name](x._value, (batch.size, *shape), (slices, *indices))


def _stay_in_place(indices: Any) -> bool:
    """Whether the dimensions of an advanced index come where they are named, not in front."""
    at = [i for i, item in enumerate(indices) if isinstance(item, np.ndarray)]
    return all(isinstance(i, (np.ndarray, slice)) for i in indices) and at == list(range(at[0], at[-1] + 1))


@rule("gather_along")
def _(name: str, batch: Batch, x: Any, dim: int, places: Any) -> Any:
    if not x.ndim:
        return NotImplemented
    return TABLE[name](x._value, _behind(dim, x.ndim), np.broadcast_to(places, (batch.size, *places.shape)))


@rule("scatter_add_zeros")
def _(name: str, batch: Batch, x: Any, shape: Any, dim: int, places: Any) -> Any:
    if not x.ndim:
        return NotImplemented
    places = np.broadcast_to(places, (batch.size, *places.shape))
    return TABLE[name](x._value, (batch.size, *shape), _behind(dim, x.ndim), places)


@rule("select_indices")
def _(name: str, batch: Batch, x: Any, dim: int, places: Any) -> Any:
    return TABLE[name](x._value, _behind(dim, x.ndim), places) if x.ndim else NotImplemented


@rule("flip")
def _(name: str, batch: Batch, x: Any, dims: Any) -> Any:
    return TABLE[name](x._value, _behind(tuple(dims), x.ndim)) if x.ndim and len(dims) else NotImplemented


@rule("roll")
def _(name: str, batch: Batch, x: Any, shifts: Any, dims: Any) -> Any:
    return NotImplemented if dims is None or not x.ndim else TABLE[name](x._value, shifts, _behind(dims, x.ndim))


@rule("repeat")
def _(name: str, batch: Batch, x: Any, repeats: Any) -> Any:
    return NotImplemented if len(repeats) < x.ndim else _aligned(x._value, len(repeats)).repeat(1, *repeats)


@rule("pad_constant", "pad_border", "add_border")
def _(name: str, batch: Batch, x: Any, widths: Any, what: Any) -> Any:
    return TABLE[name](x._value, widths, what)


@rule("concatenate_along", "stack_along")
def _(name: str, batch: Batch, tensors: Any, dim: int) -> Any:
    ndim = tensors[0].ndim + (name == "stack_along")
    if any(tensor.ndim != tensors[0].ndim for tensor in tensors):
        return NotImplemented
    return TABLE[name]([whole(tensor, batch) for tensor in tensors], _behind(dim, ndim))


@rule("split_at")
def _(name: str, batch: Batch, x: Any, sections: Any, dim: int) -> Any:
    return TABLE[name](x._value, sections, _behind(dim, x.ndim)) if x.ndim else NotImplemented


@rule("unbind")
def _(name: str, batch: Batch, x: Any, dim: int) -> Any:
    return TABLE[name](x._value, _behind(dim, x.ndim)) if x.ndim else NotImplemented


@rule("diagonal")
def _(name: str, batch: Batch, x: Any, offset: int, dim1: int, dim2: int) -> Any:
    return TABLE[name](x._value, offset, _behind(dim1, x.ndim), _behind(dim2, x.ndim)) if x.ndim > 1 else NotImplemented


@rule("diagonal_fill")
def _(name: str, batch: Batch, x: Any, shape: Any, offset: int, dim1: int, dim2: int) -> Any:
    return TABLE[name](x._value, (batch.size, *shape), offset, _behind(dim1, len(shape)), _behind(dim2, len(shape)))


@rule("matmul")
def _(name: str, batch: Batch, x: Any, y: Any) -> Any:
    if not x.ndim or not y.ndim:
        return NotImplemented
    vectors = x.ndim == 1, y.ndim == 1
    x = x.unsqueeze(0) if vectors[0] else x
    y = y.unsqueeze(1) if vectors[1] else y
    ndim = max(x.ndim, y.ndim)
    left, right = (_aligned(t._value, ndim) if _has(t, batch) else t for t in (x, y))
    product = TABLE["matmul"](left, right)
    product = product.squeeze(-1) if vectors[1] else product
    return product.squeeze(-1 if vectors[1] else -2) if vectors[0] else product


@rule("linear")
def _(name: str, batch: Batch, x: Any, weight: Any, bias: Any) -> Any:
    if not _has(weight, batch) and not _has(bias, batch):
        return TABLE["linear"](x._value, weight, bias) if x.ndim else NotImplemented
    if weight.ndim != 2 or not x.ndim:
        return NotImplemented
    product = TABLE["matmul"](x, TABLE["transpose"](weight, 0, 1))
    result = product if bias is None else _add(product, bias)
    return whole(result, batch)


def _add(x: Any, y: Any) -> Any:
    return TABLE["add"](x, y)


@rule("einsum_product")
def _(name: str, batch: Batch, operands: Any, terms: Any, result: str) -> Any:
    label = next(c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" if c not in "".join(terms) + result)
    marked = [label + term if _has(o, batch) else term for o, term in zip(operands, terms, strict=True)]
    return TABLE[name]([o._value if _has(o, batch) else o for o in operands], marked, label + result)


@rule("convolve", "convolve_transpose")
def _(name: str, batch: Batch, x: Any, weight: Any, bias: Any, *sizes: Any) -> Any:
    *rest, groups = sizes
    if not _has(weight, batch) and not _has(bias, batch):
        return _unmerged(TABLE[name](_merged(x), weight, bias, *rest, groups), batch)
    # Examples with filters of their own are groups of one convolution.
    filters = whole(weight, batch).flatten(0, 1)
    shift = None if bias is None else whole(bias, batch).flatten(0, 1)
    return _examples(TABLE[name](_as_channels(x, batch), filters, shift, *rest, groups * batch.size), batch)


@rule("convolve_weight_gradient")
def _(name: str, batch: Batch, x: Any, y: Any, shape: Any, *sizes: Any) -> Any:
    *rest, groups = sizes
    shape = (batch.size * shape[0], *shape[1:])
    filters = TABLE[name](_as_channels(x, batch), _as_channels(y, batch), shape, *rest, groups * batch.size)
    return filters.unflatten(0, (batch.size, -1))


def _as_channels(x: Any, batch: Batch) -> Tensor:
    """Image batches (N, C, *), one an example, as one batch whose channels are those of all examples."""
    return whole(x, batch).movedim(0, 1).flatten(1, 2)


def _examples(x: Tensor, batch: Batch) -> Tensor:
    return x.unflatten(1, (batch.size, -1)).movedim(1, 0)


@rule("max_pool", "avg_pool", "resample", "image_to_columns", "columns_to_image")
def _(name: str, batch: Batch, x: Any, *rest: Any) -> Any:
    return _unmerged(TABLE[name](_merged(x), *rest), batch)


def _merged(x: Any) -> Tensor:
    """All examples of a batch of image batches as one batch of images."""
    return x._value.reshape(-1, *x.shape[1:])


def _unmerged(x: Tensor, batch: Batch) -> Tensor:
    return x.reshape(batch.size, -1, *x.shape[1:])


@rule(
    *(f"total_{each}_error" for each in ("squared", "absolute", "huber", "bernoulli")),
    "total_bernoulli_error_of_logits",
)
def _(name: str, batch: Batch, x: Any, y: Any, reduction: str, options: tuple[Any, ...]) -> Any:
    if x.shape != y.shape:
        return NotImplemented
    return whole(TABLE[reduction](TABLE[name.removeprefix("total_")](x, y, *options)), batch)


@function_rule
def as_strided(batch: Batch, input: Any, size: Any, stride: Any, storage_offset: int | None = None) -> Any:
    if not _has(input, batch) or is_batched(input._value):
        return NotImplemented
    value = input._value
    return wrap_batch(value.as_strided((batch.size, *size), (value.stride(0), *stride), storage_offset), batch)


def _like(name: str) -> None:
    def like(batch: Batch, input: Any, *args: Any, **kwargs: Any) -> Any:
        if not _has(input, batch):
            return NotImplemented
        return wrap_batch(TORCH[name](input._value, *args, **kwargs), batch)

    like.__name__ = name
    function_rule(like)


for _name in ("zeros_like", "ones_like", "full_like", "empty_like"):
    _like(_name)


@function_rule
def gather(batch: Batch, input: Any, dim: int, index: Any, **kwargs: Any) -> Any:
    if not input.ndim or input.ndim != index.ndim:
        return NotImplemented
    return wrap_batch(TORCH["gather"](whole(input, batch), _behind(dim, input.ndim), whole(index, batch)), batch)


@function_rule
def embedding(batch: Batch, input: Any, weight: Any, padding_idx: int | None = None, **options: Any) -> Any:
    if options:
        return NotImplemented
    if not _has(weight, batch):
        return wrap_batch(FUNCTIONAL["embedding"](input._value, weight, padding_idx), batch)
    if padding_idx is not None:
        return NotImplemented
    # One table for each example: all tables as one, and places in it.
    rows, width = weight.shape
    starts = TORCH["arange"](batch.size).reshape(-1, *(1,) * input.ndim) * rows
    places = whole(input, batch) + starts
    return wrap_batch(FUNCTIONAL["embedding"](places, weight._value.reshape(-1, width)), batch)


def _likelihood(name: str) -> None:
    def loss(
        batch: Batch,
        input: Any,
        target: Any,
        weight: Any = None,
        size_average: Any = None,
        ignore_index: int = -100,
        reduce: Any = None,
        reduction: str = "mean",
        **options: Any,
    ) -> Any:
        if weight is not None or size_average is not None or reduce is not None or reduction not in REDUCTIONS:
            return NotImplemented
        single = input.ndim == 1
        x, goal = (t if single else t.flatten(0, 1) for t in (whole(input, batch), whole(target, batch)))
        losses = FUNCTIONAL[name](x, goal, ignore_index=ignore_index, reduction="none", **options)
        losses = losses.reshape(batch.size, -1)
        if reduction == "none":
            shape = input.shape[1:] if single else (input.shape[0], *input.shape[2:])
            return wrap_batch(losses.reshape(batch.size, *shape), batch)
        total = losses.sum(1)
        if reduction == "mean":
            classes = goal.ndim < x.ndim
            total = total / (
                TORCH["ne"](goal, ignore_index).reshape(batch.size, -1).sum(1) if classes else losses.shape[1]
            )
        return wrap_batch(total, batch)

    loss.__name__ = name
    function_rule(loss)


REDUCTIONS = ("none", "mean", "sum")
for _name in ("cross_entropy", "nll_loss"):
    _likelihood(_name)


@function_rule
def as_strided_copy(batch: Batch, input: Any, *args: Any, **kwargs: Any) -> Any:
    view = as_strided(batch, input, *args, **kwargs)
    return view if view is NotImplemented else view.clone()


@function_rule
def as_strided_scatter(
    batch: Batch, input: Any, src: Any, size: Any, stride: Any, storage_offset: int | None = None
) -> Any:
    value = whole(input, batch).clone().contiguous()
    if is_batched(value):
        return NotImplemented
    place = (batch.size, *size), (value.stride(0), *stride), storage_offset or 0
    return wrap_batch(TORCH["as_strided_scatter"](value, whole(src, batch), *place), batch)


# --- Functions of the user's own -----------------------------------------------------------------------------------


def apply_function(cls: Any, args: tuple[Any, ...], error: BatchError) -> Any:
    """A `Function` on batched arguments: by its own ``vmap``, or on one example after the other where it says so.

    Raises:
        RuntimeError: it does neither.
    """
    from ..function import Function, VmapInfo

    batch = top_level(args)
    if batch is None:
        raise error
    own = cls.vmap is not Function.vmap
    if own and cls.generate_vmap_rule:
        raise RuntimeError(
            f"You tried to vmap over {cls.__name__}, but it has both generate_vmap_rule=True and an overridden vmap "
            "staticmethod. Please set generate_vmap_rule=False or delete the overridden vmap staticmethod."
        )
    if cls.generate_vmap_rule:
        return over_examples(cls.apply, args, {})
    if not own:
        raise RuntimeError(
            f"You tried to vmap over {cls.__name__}, but it does not have vmap support. Please override and implement "
            "the vmap staticmethod or set generate_vmap_rule=True."
        )
    in_dims = pytree.each(lambda leaf: 0 if _has(leaf, batch) else None, args)
    values = pytree.each(lambda leaf: leaf._value if _has(leaf, batch) else leaf, args)
    outputs, out_dims = cls.vmap(VmapInfo(batch.size, batch.randomness), in_dims, *values)

    def enclosed(output: Any, dim: int | None) -> Any:
        return output if dim is None else wrap_batch(output.movedim(dim, 0), batch)

    flat = pytree.leaves(outputs)
    dims = pytree.broadcast(out_dims, outputs)
    return pytree.unflatten([enclosed(o, d) for o, d in zip(flat, dims, strict=True)], pytree.structure(outputs))
