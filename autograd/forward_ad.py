"""Forward mode: tangents travel with the values, as in ``torch.autograd.forward_ad``.

Inside a level every recorded operator takes the tangents of its inputs to the tangent of its output at once. A
pointwise row does so by the very rules that take gradients back, as element acts on element. The rules of other rows
are linear in ``g``: the derivative of ``vjp(g)`` by ``g``, taken by the engine itself, is the rule forward. A
`Function` brings its own ``jvp``.

Tangents are kept by node. Inside a level every operator is therefore recorded, whatever the grad mode; where no
gradient is asked for, what it gives is left with its tangents alone (`Dual`), and the node is gone at once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary, WeakSet

import numpy as np

from . import graph
from .graph import Leaf, Node, _ModeSwitch, enable_grad, state
from .rows.batching import enclose, expose, levels_of
from .rows.pull import pull
from .rows.table import PointwisePlan
from .tensor import Dual, Tensor, TensorNode, has_history, node_of, shared_counter, wrap

__all__ = [
    "Level",
    "Start",
    "Through",
    "UnpackedDualTensor",
    "dual_level",
    "enter_dual_level",
    "exit_dual_level",
    "in_level",
    "make_dual",
    "make_dual_at",
    "through",
    "unpack_dual",
    "unpack_dual_at",
    "with_tangents",
    "without_history",
]


class UnpackedDualTensor(NamedTuple):
    """A value and its tangent, which is None where there is none."""

    primal: Tensor
    tangent: Tensor | None


class Level:
    """One derivative direction: the tangents of what was computed since it began.

    Attributes:
        tangents: by the node of the value.
        open: nodes whose values or tangents depend, too, on something outside the level that requires grad: the
            tangents of what is made from them are recorded.
    """

    def __init__(self) -> None:
        self.tangents: WeakKeyDictionary[Node, Tensor] = WeakKeyDictionary()
        self.open: WeakSet[Node] = WeakSet()

    def give(self, node: Node, tangent: Tensor, is_open: bool) -> None:
        self.tangents[node] = tangent
        if is_open or tangent.requires_grad:
            self.open.add(node)

    def is_open(self, nodes: Sequence[Node | None]) -> bool:
        return any(n in self.open or (has_history(n) and n not in self.tangents) for n in nodes if n is not None)

    def end(self) -> None:
        """Takes the tangents from those who live on: where only they stood, nothing is left."""
        for node in list(self.tangents):
            del self.tangents[node]
            owner = node.owner() if type(node) is Dual else None
            if owner is not None and owner._node is node:
                owner._node = with_tangents(owner, None, node)


class _Here(threading.local):
    levels: tuple[Level, ...] = ()
    entered: tuple[tuple[Level, Any], ...] = ()  # by `enter_dual_level`, with what undoes it


_here = _Here()


class Through(TensorNode):
    """The identity, as a step of its own: where a level or a transform begins."""

    __slots__ = ()

    def vjp(self, g: Any) -> Sequence[Any]:
        return (g,)

    def name(self) -> str:
        return "AliasBackward0"


class Start(Leaf, TensorNode):
    """The same where a transform begins to record: a leaf to those inside, who must not write to it."""

    __slots__ = ()

    def __init__(self, edges: tuple[Node | None, ...]) -> None:
        super().__init__()
        self.edges = edges

    def vjp(self, g: Any) -> Sequence[Any]:
        return (g,)


def through(tensor: Tensor, keep_history: bool = True, kind: type[Through | Start] = Through) -> Tensor:
    """The same memory behind a node of its own. Levels see through it."""
    node = node_of(tensor)
    step = kind((node if keep_history and has_history(node) else None,))
    result = wrap(tensor._array, step)
    result._counter = shared_counter(tensor)
    for level, tangent in _tangents_of(node):
        level.give(step, tangent, level.is_open(step.edges))
    return result


def pull_through(
    function: Callable[..., Sequence[Tensor]], inputs: Sequence[Any], cotangents: Sequence[Tensor]
) -> list[Tensor | None]:
    """Recorded gradients of ``function``, for a row that is differentiated again: what it computes made of other rows.

    Args:
        function: of the inputs.
        inputs: of the row; None, and a tensor without a node, have no gradient.
        cotangents: of the function's results.
    """
    inputs = list(inputs)
    wanted = [i for i, value in enumerate(inputs) if value is not None and node_of(value) is not None]
    with enable_grad():
        for i in wanted:
            inputs[i] = through(inputs[i])  # inputs that only lead here
        results = function(*inputs)
    found = pull(results, [inputs[i] for i in wanted], cotangents, create_graph=True)
    gradients: list[Tensor | None] = [None] * len(inputs)
    for i, gradient in zip(wanted, found, strict=True):
        gradients[i] = gradient
    return gradients


def _tangents_of(node: Node | None) -> list[tuple[Level, Tensor]]:
    """The levels in which the node has a tangent, innermost first, with it."""
    if node is None:
        return []
    return [(level, level.tangents[node]) for level in reversed(_here.levels) if node in level.tangents]


def with_tangents(owner: Tensor, node: Node | None, pushed: Node | None) -> Node | None:
    """``node`` with the tangents of ``pushed``; where it is None and there are any, a `Dual` of ``owner``."""
    for level, tangent in _tangents_of(pushed):
        node = Dual(owner) if node is None else node
        level.give(node, tangent, has_history(node) and level.is_open((node,)))
    return node


def without_history(tensor: Tensor, change: Callable[[Tensor], Tensor]) -> Tensor:
    """The same memory with nothing but tangents, each of which is given to ``change``."""
    batches = levels_of(tensor)
    for batch in batches:
        tensor = expose(tensor, batch)
    result = tensor.detach()
    for level, tangent in _tangents_of(node_of(tensor)):
        result._node = result._node or Dual(result)
        level.give(result._node, change(tangent), False)
    for batch in reversed(batches):
        result = enclose(result, batch)
    return result


def _alias(tensor: Tensor) -> Tensor:
    """The same memory with the same tangents; its history is recorded where grad mode is on."""
    node = node_of(tensor)
    return through(tensor) if state.grad and has_history(node) else without_history(tensor, lambda tangent: tangent)


@contextmanager
def _restricted(levels: tuple[Level, ...], recording: bool) -> Iterator[None]:
    """Inside, only these levels hold, and nothing is packed."""
    before = _here.levels, state.push, state.packing, state.grad
    _here.levels, state.push = levels, push if levels or recording else None
    state.packing, state.grad = None, recording
    try:
        yield
    finally:
        _here.levels, state.push, state.packing, state.grad = before


@contextmanager
def in_level(level: Level) -> Iterator[Level]:
    """Inside, ``level`` is the innermost one."""
    before = _here.levels, state.push
    _here.levels, state.push = (*_here.levels, level), push
    graph.watch(True)
    try:
        yield level
    finally:
        graph.watch(False)
        _here.levels, state.push = before
        level.end()


# --- From the tangents of the inputs to the tangent of the output --------------------------------------------------


def push(out: Any, node: Any) -> None:
    """Called for every recorded operator: gives each level the tangent of what it made.

    Args:
        out: the tensor, or the tuple of tensors of an operator with several outputs.
        node: the operator's node.
    """
    plan = getattr(node, "plan", None)
    if plan is None or (getattr(plan.row, "outputs", 1) is None and isinstance(out, Tensor)):
        return  # the outputs of a row with several do not exist yet: it comes again
    outs = out if isinstance(out, tuple) else (out,)
    if not _is_kept(node):
        node.guards = ()  # nobody can write to what was saved before it is used
    for level, tangents, recording in _concerned(node.edges):
        _keep(level, outs, _push_row(node, outs, tangents, recording), recording)
    _settle(outs, node)


def push_identity(out: Tensor, node: Node) -> None:
    """The same for a value that was handed on as it is."""
    for level, tangents, recording in _concerned(node.edges):
        level.give(node, tangents[0], recording)  # type: ignore[arg-type]
    _settle((out,), node)


def push_function(ctx: Any, outputs: Sequence[Tensor], args: Sequence[Any]) -> None:
    """The same for a `Function`, by its own ``jvp``."""
    for level, tangents, recording in _concerned(ctx.edges):
        given = iter(tangents)
        by_argument = [next(given) if isinstance(argument, Tensor) else None for argument in args]
        pushed = ctx.function_class.jvp(ctx, *by_argument)
        _keep(level, outputs, pushed if isinstance(pushed, tuple) else (pushed,), recording)
    _settle(outputs, ctx)


def _concerned(edges: Sequence[Node | None]) -> Iterator[tuple[Level, list[Tensor | None], bool]]:
    """The levels, innermost first, in which one of the edges has a tangent; with the tangents, and whether what is
    made of them is recorded. The loop's body runs outside of the level."""
    levels, wanted = _here.levels, state.grad
    for number in reversed(range(len(levels))):
        level = levels[number]
        tangents = [None if edge is None else level.tangents.get(edge) for edge in edges]
        if any(tangent is not None for tangent in tangents):
            recording = wanted and level.is_open(edges)
            with _restricted(levels[:number], recording):
                yield level, tangents, recording


def _keep(level: Level, outs: Sequence[Tensor], tangents: Sequence[Tensor | None], is_open: bool) -> None:
    for out, tangent in zip(outs, tangents, strict=True):
        if out._node is not None and tangent is not None:
            level.give(out._node, tangent, is_open)


def _is_kept(node: Node) -> bool:
    return state.grad and any(map(has_history, node.edges))


def _settle(outs: Sequence[Tensor], node: Node) -> None:
    """Where no gradient is asked for, only the tangents are left of an operator."""
    if not _is_kept(node):
        for out in outs:
            out._node = with_tangents(out, None, out._node)


def _push_row(node: Any, outs: tuple[Tensor, ...], tangents: list[Any], recording: bool) -> list[Tensor | None]:
    plan = node.plan
    like = outs[0]
    is_complex = any(t is not None and t.is_complex() for t in (*tangents, like))
    if isinstance(plan, PointwisePlan) and (plan.row.holomorphic or not is_complex):
        dtype = like.dtype
        given = [None if t is None else t if t.dtype is dtype else t.to(dtype) for t in tangents]
        result = plan.on_tangents(given, node._as_tensors(), node.attributes)
        return [_shaped(result, like)]
    return _transposed(node, outs, tangents, recording)


def _shaped(tangent: Any, like: Tensor) -> Tensor:
    """A tangent of ``like``'s shape and dtype: rules may give numbers, or leave a broadcast undone."""
    if tangent is None or not isinstance(tangent, Tensor):
        return wrap(np.full(like._array.shape, 0 if tangent is None else tangent, like._array.dtype))
    if tangent.dtype is not like.dtype:
        tangent = tangent.to(like.dtype)
    return tangent if tangent.shape == like.shape else tangent.expand(like.shape)


def _transposed(node: Any, outs: tuple[Tensor, ...], tangents: list[Any], recording: bool) -> list[Tensor | None]:
    """``J @ tangents``, as the derivative of ``g -> g @ J`` by ``g``."""
    # Anywhere would do for a linear rule; but some take logarithms of `g` on the way, and those of eigenvectors refuse
    # what depends on the vectors' phases, which 0 never does.
    fill = np.ones_like if len(outs) == 1 else np.zeros_like
    seeds = [wrap(fill(out._array), Through((None,))) for out in outs]
    with enable_grad():
        gradients = node.vjp(seeds[0] if outs[0]._node is node else dict(enumerate(seeds)))
    pairs = [
        (gradient, tangent)
        for gradient, tangent in zip(gradients, tangents, strict=True)
        if tangent is not None and isinstance(gradient, Tensor) and node_of(gradient) is not None
    ]
    results: Sequence[Any] = [None] * len(outs)
    if pairs:
        results = pull(
            [gradient for gradient, _ in pairs], seeds, [tangent for _, tangent in pairs], create_graph=recording
        )
    return [
        wrap(np.zeros_like(out._array)) if result is None else result for out, result in zip(outs, results, strict=True)
    ]


# --- Dual tensors --------------------------------------------------------------------------------------------------


def make_dual_at(level: Level, primal: Tensor, tangent: Tensor, shared: bool = False) -> Tensor:
    """The value of ``primal`` with a tangent in ``level``.

    Where only the tangent is batched, so becomes the value, unless it is ``shared`` by all examples for sure.
    """
    if primal.shape != tangent.shape:
        raise RuntimeError(
            "Trying to set a forward gradient that has a different size than that of the original Tensor, this is not "
            f"supported. Tensor is of size {list(primal.shape)} while the given forward gradient is of size "
            f"{list(tangent.shape)}."
        )
    batches = levels_of(primal)
    if not shared:
        batches = sorted({*batches, *levels_of(tangent)}, key=lambda batch: -batch.depth)
    for batch in batches:
        primal, tangent = expose(primal, batch), expose(tangent, batch)
    before = node_of(primal)
    if before is not None and before in level.tangents:
        raise RuntimeError(
            "Making a dual Tensor based on a Tensor that already has a forward gradient at the same level 0 is not "
            "supported."
        )
    dual = _alias(primal)
    dual._node = dual._node or Dual(dual)
    level.give(dual._node, tangent, has_history(dual._node))
    for batch in reversed(batches):
        dual = enclose(dual, batch)
    return dual


def unpack_dual_at(level: Level, tensor: Tensor) -> UnpackedDualTensor:
    """Value and tangent in ``level``; the value has no tangent there any more."""
    batches = levels_of(tensor)
    for batch in batches:
        tensor = expose(tensor, batch)
    node = node_of(tensor)
    primal, tangent = tensor, None if node is None else level.tangents.get(node)
    if tangent is not None:
        primal = _alias(tensor)
        own: Any = primal._node
        del level.tangents[own]
        if type(own) is Dual:
            primal._node = with_tangents(primal, None, own)
    for batch in reversed(batches):
        primal = enclose(primal, batch)
        tangent = None if tangent is None else enclose(tangent, batch)
    return UnpackedDualTensor(primal, tangent)


def enter_dual_level() -> int:
    """Begins the level; returns its number, 0.

    Raises:
        RuntimeError: it has begun already: there is only one. `autograd.func.jvp` nests.
    """
    if _here.entered:
        raise RuntimeError("Nested forward mode AD is not supported at the moment")
    level = Level()
    context = in_level(level)
    context.__enter__()
    _here.entered = ((level, context),)
    return 0


def exit_dual_level(*, level: int | None = None) -> None:
    """Ends the level: tangents are gone.

    Raises:
        RuntimeError: it had not begun.
    """
    if not _here.entered or level not in (None, 0):
        raise RuntimeError(
            "Trying to exit a forward AD level that was not the last one that was created. This is not supported."
        )
    ((_, context),) = _here.entered
    _here.entered = ()
    context.__exit__(None, None, None)


class dual_level(_ModeSwitch):
    """Inside, dual tensors can be made, and what is computed with them has tangents.

    >>> import autograd
    >>> from autograd import forward_ad
    >>> x, t = autograd.tensor([1.0, 2.0]), autograd.tensor([1.0, 0.0])
    >>> with forward_ad.dual_level():
    ...     y = forward_ad.make_dual(x, t) ** 3
    ...     forward_ad.unpack_dual(y).tangent
    tensor([3., 0.])
    """

    def _enter(self) -> int:
        return enter_dual_level()

    def _leave(self, previous: int) -> None:
        exit_dual_level(level=previous)

    def __enter__(self) -> int:  # type: ignore[override]  # other switches have nothing to tell
        super().__enter__()
        return self._previous[-1]


class _set_fwd_grad_enabled(_ModeSwitch):
    """Whether tangents are followed in this thread: at once when called, back again at the end of a ``with`` block."""

    def __init__(self, mode: bool) -> None:
        super().__init__()
        self.mode = mode
        self._before = _here.levels
        self._enter()

    def _enter(self) -> tuple[Level, ...]:
        _here.levels = (self._before or tuple(level for level, _ in _here.entered)) if self.mode else ()
        return self._before

    def _leave(self, previous: tuple[Level, ...]) -> None:
        _here.levels = previous

    def _fresh(self) -> _set_fwd_grad_enabled:
        return _set_fwd_grad_enabled(self.mode)


def _is_fwd_grad_enabled() -> bool:
    return bool(_here.levels) or state.push is None


def make_dual(tensor: Tensor, tangent: Tensor, *, level: int | None = None) -> Tensor:
    """``tensor`` with a tangent: the direction in which derivatives are taken. In `inference_mode` there are none.

    Args:
        tensor: floating-point or complex.
        tangent: of its shape.
        level: 0, the only level.

    Raises:
        RuntimeError: outside `dual_level`, other shapes, or ``tensor`` has a tangent.
        ValueError: another type.
    """
    if not _here.entered or level not in (None, 0):
        raise RuntimeError(
            "Trying to create a dual Tensor for forward AD but no level exists, make sure to enter_dual_level() first."
        )
    for name, value in (("primal", tensor), ("tangent", tangent)):
        if not (value.is_floating_point() or value.is_complex()):
            raise ValueError(f"Expected {name} to be floating point or complex, but got: {value.dtype}")
    if state.inference:
        return tensor.view_as(tensor)
    return make_dual_at(_here.entered[0][0], tensor, tangent)


def unpack_dual(tensor: Tensor, *, level: int | None = None) -> UnpackedDualTensor:
    """Value and tangent of a dual tensor; the tangent is None for any other."""
    if not isinstance(tensor, Tensor):
        raise TypeError(f"unpack_dual(): argument 'tensor' must be Tensor, not {type(tensor).__name__}")
    if state.inference or not (_here.entered and _here.levels):
        return UnpackedDualTensor(tensor, None)
    return unpack_dual_at(_here.entered[0][0], tensor)
