"""Operators of the user's own: `Function` with a forward and a backward method, as ``torch.autograd.Function``."""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from . import graph
from .graph import Leaf, Node, no_grad, state
from .kernels.halves import INEXACT
from .rows.nodes import fit
from .rows.packing import pack_tensor, unpack_tensor
from .tensor import BatchError, Tensor, TensorNode, next_function, node_of, shape_of, wrap

__all__ = ["BackwardNode", "Function", "FunctionCtx", "InplaceFunction", "once_differentiable"]


class FunctionCtx:
    """What `forward` and `backward` of a `Function` share: ``ctx``. Any attribute may be set on it."""

    needs_input_grad: tuple[bool, ...] = ()
    saved_for_forward: tuple[Tensor | None, ...] | None = None
    materialize_grads = True
    to_save: tuple[Tensor | None, ...] = ()
    dirty_tensors: tuple[Tensor, ...] = ()
    non_differentiable: tuple[Tensor, ...] = ()

    @property
    def saved_tensors(self) -> tuple[Tensor | None, ...]:
        """What was saved."""
        return self.saved_for_forward or self.to_save

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keeps tensors (inputs, outputs or others) for `backward`, which reads them from `saved_tensors`."""
        self.to_save = _check_saved("save_for_backward", tensors)

    def save_for_forward(self, *tensors: Tensor | None) -> None:
        """Keeps tensors for `Function.jvp`, which reads them from `saved_tensors`."""
        self.saved_for_forward = _check_saved("save_for_forward", tensors)

    def mark_dirty(self, *args: Tensor) -> None:
        """Names the inputs that forward has written to; each must be among its outputs."""
        self.dirty_tensors = args

    def mark_non_differentiable(self, *args: Tensor) -> None:
        """Names outputs that have no gradient."""
        self.non_differentiable = args

    def mark_shared_storage(self, *pairs: Any) -> None:
        """Of no effect: shared memory is found without being named."""
        warnings.warn(
            "mark_shared_storage is deprecated. Tensors with shared storages are automatically tracked.",
            FutureWarning,
            stacklevel=2,
        )

    def set_materialize_grads(self, value: bool) -> None:
        """Whether a missing gradient of an output reaches `backward` as zeros (the default) or as None."""
        self.materialize_grads = value


def _check_saved(name: str, tensors: Sequence[Any]) -> tuple[Tensor | None, ...]:
    for i, tensor in enumerate(tensors):
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(f"{name} can only save variables, but argument {i} is of type {type(tensor).__name__}")
    return tuple(tensors)


class _Saved:
    """A tensor that was saved for backward: an input as it is, an output without the node that it would keep alive."""

    __slots__ = ("hooks", "is_output", "packed", "version")

    def __init__(self, tensor: Tensor, node: Node) -> None:
        self.hooks = state.packing
        self.version = tensor._version
        self.is_output = getattr(node_of(tensor), "function", node_of(tensor)) is node
        if self.hooks is not None:
            source = node_of(tensor)
            self.packed: Any = pack_tensor(self.hooks[0], bare(tensor)), None if self.is_output else source
        elif self.is_output:
            self.packed = bare(tensor), getattr(tensor._node, "index", None)
        else:
            self.packed = tensor

    def value(self, node: BackwardNode) -> Tensor:
        if self.hooks is not None:
            packed, source = self.packed
            tensor = bare(unpack_tensor(self.hooks[1], packed))
            tensor._node = node if self.is_output else source
            return tensor
        if self.is_output:
            packed, index = self.packed
            tensor = bare(packed)
            tensor._node = node if index is None else FunctionOutput(node, index)
        else:
            tensor = self.packed
        if tensor._version != self.version:
            raise RuntimeError(
                "one of the variables needed for gradient computation has been modified by an inplace operation: a "
                f"tensor of shape {list(tensor.shape)}, saved by {node.name()}, is at version {tensor._version}; "
                f"expected version {self.version} instead. Hint: clone() it before writing."
            )
        return tensor


def bare(tensor: Tensor) -> Tensor:
    """The tensor in its own memory, with its version, without a node."""
    if tensor._is_structured:
        return tensor.detach()
    result = wrap(tensor._array)
    result._counter = tensor._counter
    return result


class Zeros(NamedTuple):
    """A tensor's shape and dtype, as those of its gradient: zeros that are made when they are asked for."""

    shape: tuple[int, ...]
    dtype: np.dtype
    pattern: Tensor | None = None  # of a structured tensor: zeros of its kind that take no memory

    @classmethod
    def like(cls, tensor: Any) -> Zeros | None:
        """Those of a tensor; None for what is none."""
        if not isinstance(tensor, Tensor):
            return None
        if not tensor._is_structured:
            return cls(tensor._array.shape, tensor._array.dtype)
        numbers = tensor._numbers
        pattern = tensor.like(wrap(np.broadcast_to(np.zeros((), numbers.dtype), numbers.shape)))
        return cls(numbers.shape, numbers.dtype, pattern)

    def tensor(self) -> Tensor:
        """The zeros."""
        return wrap(np.zeros(self.shape, self.dtype)) if self.pattern is None else self.pattern.clone()

    def fit(self, g: Tensor, recording: bool) -> Any:
        """The gradient ``g`` of what was broadcast to its shape; None where it does not fit."""
        if self.pattern is not None:
            return g.to(self.pattern.dtype) if self.pattern.is_same_size(g) else None
        if g._is_structured:
            return g if tuple(g.shape) == self.shape else None
        if tuple(g.shape) != self.shape and not _is_expandable(self.shape, tuple(g.shape)):
            return None
        return fit(g if recording else g._array, self.shape, self.dtype)


class BackwardNode(TensorNode, FunctionCtx):
    """A `Function` that was applied: the node of the graph is the ``ctx`` of its methods."""

    # Further attributes are the user's: no `__slots__`, unlike other nodes.

    function_class: type[Function]
    _saved: tuple[_Saved | None, ...] | None = ()
    _inputs: tuple[Zeros | None, ...]  # None where no tensor was given
    _outputs: tuple[Zeros | None, ...] = ()
    _is_tuple = False

    def __init__(self) -> None:
        super().__init__()

    def name(self) -> str:
        return type(self).__name__

    @property
    def next_functions(self) -> tuple[tuple[Node | None, int], ...]:
        """For each tensor input the node that made it and its output number."""
        return tuple(next_function(edge) for edge in self.edges)

    @property
    def saved_tensors(self) -> tuple[Tensor | None, ...]:
        """What `save_for_backward` kept.

        Raises:
            RuntimeError: it was freed by an earlier backward pass, or written to in the meantime.
        """
        if self._saved is None:
            raise RuntimeError(
                f"Trying to backward through {self.name()} a second time, or to read its saved tensors after they "
                "were freed by the first pass. Pass retain_graph=True to the first backward() or grad()."
            )
        if self.saved_for_forward is not None or not self._saved:
            return super().saved_tensors
        return tuple(None if each is None else each.value(self) for each in self._saved)

    @property
    def saved_variables(self) -> tuple[Tensor | None, ...]:
        """The old name of `saved_tensors`."""
        warnings.warn("'saved_variables' is deprecated; use 'saved_tensors'", DeprecationWarning, stacklevel=2)
        return self.saved_tensors

    def release(self) -> None:
        if self._saved:
            self._saved = None

    def vjp(self, g: Any) -> Sequence[Any]:
        given = g if isinstance(g, dict) else {self._number: g}
        recording = any(isinstance(value, Tensor) for value in given.values())
        gradients: list[Tensor | None] = []
        for number, like in enumerate(self._outputs):
            value = given.get(number)
            if value is not None:
                gradients.append(self.shown(value))
            elif self.materialize_grads and like is not None:
                gradients.append(like.tensor())
            else:
                gradients.append(None)
        results = self.function_class._backward()(self, *gradients)
        return self._fitted(results if isinstance(results, tuple) else (results,), recording)

    _number = 0

    def _fitted(self, results: Sequence[Any], recording: bool) -> Sequence[Any]:
        """What backward returned, as gradients of the tensor inputs: checked, summed and cast to their shapes."""
        expected = len(self._inputs)
        if len(results) > expected and all(result is None for result in results[expected:]):
            results = results[:expected]
        if len(results) != expected:
            raise RuntimeError(
                f"function {self.name()} returned an incorrect number of gradients (expected {expected}, got "
                f"{len(results)})"
            )
        gradients: list[Any] = []
        for number, (result, like) in enumerate(zip(results, self._inputs, strict=True)):
            if like is None:
                if result is not None:
                    raise RuntimeError(
                        f"function {self.name()} returned a gradient different than None at position {number + 1}, "
                        "but the corresponding forward input was not a Variable"
                    )
                continue
            if result is not None and not isinstance(result, Tensor):
                raise RuntimeError(f"expected Variable or None (got {type(result).__name__})")
            if result is not None and self.edges[len(gradients)] is not None:
                fitted = like.fit(result, recording)
                if fitted is None:
                    raise RuntimeError(
                        f"Function {self.name()} returned an invalid gradient at index {len(gradients)} - got "
                        f"{list(shape_of(result))} but expected shape compatible with "
                        f"{list(shape_of(like if like.pattern is None else like.pattern))}"
                    )
                result = fitted
            gradients.append(result)
        return gradients

    def accumulate(self, total: Any, g: Any, owned: bool) -> Any:
        if not isinstance(g, dict):
            return super().accumulate(total, g, owned)
        return total | {i: total[i] + value if i in total else value for i, value in g.items()}

    def shown(self, g: Any) -> Any:
        if isinstance(g, dict):
            return tuple(TensorNode.shown(self, g.get(i)) for i in range(len(self._outputs)))
        return TensorNode.shown(self, g)


def _is_expandable(shape: tuple[int, ...], wider: tuple[int, ...]) -> bool:
    extra = len(wider) - len(shape)
    return extra >= 0 and all(n in (1, m) for n, m in zip(shape, wider[extra:], strict=True))


class FunctionOutput(TensorNode):
    """One of several outputs of a `Function`; whatever else is asked of it is the function's."""

    __slots__ = ("index",)

    def __init__(self, function: BackwardNode, index: int) -> None:
        super().__init__((function,))
        self.index = index

    @property
    def function(self) -> BackwardNode:
        """The node of the function."""
        return self.edges[0]  # type: ignore[return-value]  # __init__ puts nothing else there

    def vjp(self, g: Any) -> Sequence[Any]:
        return ({self.index: g},)

    def name(self) -> str:
        return self.function.name()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.edges[0], name)


class _FunctionType(type):
    """Gives each `Function` the class of its nodes."""

    def __init__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> None:
        super().__init__(name, bases, namespace)
        cls._backward_cls = type(f"{name}Backward", (BackwardNode,), {"function_class": cls})


class Function(FunctionCtx, metaclass=_FunctionType):
    """An operator written by its user: subclass it, write `forward` and `backward`, call ``apply``.

    ``forward(ctx, *args)`` computes; with `setup_context` it is ``forward(*args)`` alone. Nothing inside is recorded.
    ``backward(ctx, *grad_outputs)`` returns one gradient for each argument of forward, None for those without; where
    it is itself made of operators on ``ctx.saved_tensors``, gradients of gradients follow.

    >>> import autograd
    >>> class Exp(autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         result = x.exp()
    ...         ctx.save_for_backward(result)
    ...         return result
    ...     @staticmethod
    ...     def backward(ctx, grad_output):
    ...         (result,) = ctx.saved_tensors
    ...         return grad_output * result
    >>> x = autograd.tensor(0.0, requires_grad=True)
    >>> y = Exp.apply(x)
    >>> y
    tensor(1., grad_fn=<ExpBackward>)
    >>> autograd.grad(y, x)
    (tensor(1.),)
    """

    generate_vmap_rule = False
    _backward_cls: type[BackwardNode]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        warnings.warn(
            f"{type(self)} should not be instantiated. Methods on autograd functions are all static, so you should "
            "invoke them on the class itself. Instantiating an autograd function will raise an error in a future "
            "version.",
            DeprecationWarning,
            stacklevel=2,
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError(LEGACY)

    # What a subclass leaves out raises when it is asked for, not when the class is made: as in PyTorch, most classes
    # have no need of setup_context, jvp and vmap, and one that is never differentiated none of backward.

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """The value: ``forward(ctx, *args)``, or ``forward(*args)`` beside `setup_context`."""
        raise NotImplementedError("You must implement the forward function for custom autograd.Function.")

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> Any:
        """Prepares ``ctx`` for `backward` from what forward was given and what it returned."""
        raise NotImplementedError("setup_context is not implemented.")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """The gradients of all arguments of forward, given those of its outputs."""
        raise NotImplementedError(
            "You must implement either the backward or vjp method for your custom autograd.Function to use it with "
            "backward mode AD."
        )

    vjp = backward

    @staticmethod
    def jvp(ctx: Any, *grad_inputs: Any) -> Any:
        """The tangents of all outputs, given those of the arguments of forward (None where there is none)."""
        raise NotImplementedError(
            "You must implement the jvp function for custom autograd.Function to use it with forward mode AD."
        )

    @staticmethod
    def vmap(info: Any, in_dims: Any, *args: Any) -> Any:
        """The function on a batch: returns the output and the position of its batch dimension."""
        raise NotImplementedError("To use autograd.Function with vmap, implement the vmap staticmethod.")

    @classmethod
    def _backward(cls) -> Callable[..., Any]:
        own, other = cls.backward is not Function.backward, cls.vjp is not Function.vjp
        if own and other:
            raise RuntimeError(
                "Implementing both 'backward' and 'vjp' for a custom Function is not allowed. You should only "
                "implement one of them."
            )
        return cls.vjp if other else cls.backward

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Computes the function and records it.

        Raises:
            RuntimeError: an input marked as dirty is not returned, or is a leaf.
        """
        has_setup = cls.setup_context is not Function.setup_context
        if has_setup and kwargs:
            args = _bound(cls.forward, args, kwargs)
            kwargs = {}
        try:
            return _apply(cls, args, kwargs, has_setup)
        except BatchError as error:
            from .rows.batching import apply_function

            return apply_function(cls, args, error)


LEGACY = (
    "Legacy autograd function with non-static forward method is deprecated. Please use new-style autograd function "
    "with static forward method."
)


def _bound(forward: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
    bound = inspect.signature(forward).bind(*args, **kwargs)
    bound.apply_defaults()
    return bound.args


def _apply(cls: type[Function], args: tuple[Any, ...], kwargs: dict[str, Any], has_setup: bool) -> Any:
    ctx = cls._backward_cls()
    tensors = [argument for argument in args if isinstance(argument, Tensor)]
    ctx._inputs = tuple([Zeros.like(argument) for argument in args])
    nodes = [node_of(tensor) for tensor in tensors]
    ctx.needs_input_grad = tuple(isinstance(a, Tensor) and a.requires_grad for a in args)
    before = state.grad, state.push
    state.grad, state.push = False, None
    try:
        if has_setup:
            result = cls.forward(*args)
            cls.setup_context(ctx, args, result)
        else:
            result = cls.forward(ctx, *args, **kwargs)
    finally:
        state.grad, state.push = before
    ctx._is_tuple = isinstance(result, tuple)
    outputs = list(result) if isinstance(result, tuple) else [result]
    recorded = graph.is_recording() and any(node is not None for node in nodes)
    for tensor in ctx.dirty_tensors:
        if not any(tensor is output for output in outputs):
            raise RuntimeError(
                "Some elements marked as dirty during the forward method were not returned as output. The inputs that "
                "are modified inplace must all be outputs of the Function."
            )
        if recorded and isinstance(node_of(tensor), Leaf):
            raise RuntimeError("a leaf Variable that requires grad is being used in an in-place operation.")
    ctx._outputs = tuple([Zeros.like(output) for output in outputs])
    if not recorded:
        outputs = [_unrecorded(output, tensors, ctx) for output in outputs]
        return tuple(outputs) if isinstance(result, tuple) else outputs[0]
    ctx.edges = tuple(nodes)
    places = [i for i, output in enumerate(outputs) if isinstance(output, Tensor)]
    for i in places:
        outputs[i] = _recorded(outputs[i], tensors, ctx, None if len(places) == 1 else i)
    if len(places) == 1:
        ctx._number = places[0]
    ctx._saved = tuple(None if tensor is None else _Saved(tensor, ctx) for tensor in _renewed(ctx, result, outputs))
    ctx.to_save = ctx.dirty_tensors = ctx.non_differentiable = ()
    if graph.is_watched():
        observe(ctx, [outputs[i] for i in places], args)
    return tuple(outputs) if ctx._is_tuple else outputs[0]


def _renewed(ctx: BackwardNode, result: Any, outputs: list[Any]) -> list[Tensor | None]:
    """The tensors to save, where those that forward returned are now others."""
    before = result if isinstance(result, tuple) else (result,)
    return [
        next((new for old, new in zip(before, outputs, strict=True) if old is tensor and old is not None), tensor)
        for tensor in ctx.to_save
    ]


def _is_one_of(tensor: Any, tensors: Sequence[Any]) -> bool:
    return any(tensor is each for each in tensors)


def _alias(tensor: Tensor) -> Tensor:
    """The same memory without a history: an input that forward handed on as it was."""
    return tensor.detach()


def _unrecorded(output: Any, tensors: list[Tensor], ctx: BackwardNode) -> Any:
    if isinstance(output, Tensor) and _is_one_of(output, tensors) and not _is_one_of(output, ctx.dirty_tensors):
        return _alias(output)
    return output


def _recorded(output: Tensor, tensors: list[Tensor], ctx: BackwardNode, number: int | None) -> Tensor:
    """An output of forward with its place in the graph."""
    is_input, is_dirty = _is_one_of(output, tensors), _is_one_of(output, ctx.dirty_tensors)
    differentiable = output.dtype.numpy.kind in INEXACT and not _is_one_of(output, ctx.non_differentiable)
    if is_input and not is_dirty:
        output = _alias(output)
    node: Node = ctx if number is None else FunctionOutput(ctx, number)
    if not differentiable:
        if not is_input:
            output._node = None
        return output
    if is_dirty:
        from .rows.writes import set_history

        if output._counter is None or not is_input:
            output._bump_version()
        set_history(output, node)
        if output._view is not None:
            output._node = node
            output._view.generation = output._counter[1]  # type: ignore[index]
    else:
        output._node = node
    return output


def observe(ctx: BackwardNode, outputs: list[Tensor], args: Sequence[Any]) -> None:
    """Anomaly mode remembers the line; forward mode hands tangents on by the function's own `jvp`."""
    if graph.is_anomaly_enabled():
        graph.remember_line(ctx)
    if state.push is not None:
        from .forward_ad import push_function

        push_function(ctx, outputs, args)


class InplaceFunction(Function):
    """A function that may be told to work in place; kept for old programs."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace


class _Forbidden(TensorNode):
    """Behind a gradient that must not be differentiated again."""

    __slots__ = ()

    def vjp(self, g: Any) -> Sequence[Any]:
        raise RuntimeError("trying to differentiate twice a function that was marked with @once_differentiable")

    def name(self) -> str:
        return "NotDifferentiable"


def once_differentiable(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator for `Function.backward`: its operators are not recorded, and differentiating through it raises.

    >>> import autograd
    >>> class Cube(autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x**3
    ...     @staticmethod
    ...     @once_differentiable
    ...     def backward(ctx, g):
    ...         return g * 3 * ctx.saved_tensors[0] ** 2
    >>> x = autograd.tensor(2.0, requires_grad=True)
    >>> autograd.grad(Cube.apply(x), x)
    (tensor(12.),)
    """

    @functools.wraps(fn)
    def wrapper(ctx: Any, *args: Any) -> Any:
        with no_grad():
            outputs = fn(ctx, *args)
        nodes = tuple(node_of(a) for a in args if isinstance(a, Tensor))
        if not state.grad or all(node is None for node in nodes):
            return outputs

        def guarded(output: Any) -> Any:
            if output is None:
                return None
            result = bare(output)
            result._node = _Forbidden(nodes)
            return result

        return tuple(map(guarded, outputs)) if isinstance(outputs, tuple) else guarded(outputs)

    return wrapper


class VmapInfo(NamedTuple):
    """What `Function.vmap` is told of the batch."""

    batch_size: int
    randomness: str
