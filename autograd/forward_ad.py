"""Forward mode: tangents travel with the values, as in ``torch.autograd.forward_ad``.

Inside a level every recorded operator takes the tangents of its inputs to the tangent of its output at once. A
pointwise row does so by the very rules that take gradients back, as element acts on element. The rules of other rows
are linear in ``g``: the derivative of ``vjp(g)`` by ``g``, taken by the engine itself, is the rule forward. A
`Function` brings its own ``jvp``.

Tangents are kept by node, so an operator that is not recorded (inside `no_grad`) has none, and a dual tensor says that
it requires grad.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary, WeakSet

import numpy as np

from . import graph
from .graph import Leaf, Node, enable_grad, state
from .rows.batching import enclose, expose, levels_of
from .rows.pull import pull
from .rows.table import PointwisePlan
from .tensor import Tensor, TensorNode, node_of, shared_counter, wrap

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
]


class UnpackedDualTensor(NamedTuple):
    """A value and its tangent, which is None where there is none."""

    primal: Tensor
    tangent: Tensor | None


class Level:
    """One derivative direction: the tangents of what was computed since it began.

    Attributes:
        tangents: by the node of the value.
        open: nodes whose values depend, too, on something outside the level that requires grad: their tangents are
            recorded.
        detached: gradients were off where the level began, so that nothing in it has a history outside.
    """

    def __init__(self, detached: bool = False) -> None:
        self.tangents: WeakKeyDictionary[Node, Tensor] = WeakKeyDictionary()
        self.open: WeakSet[Node] = WeakSet()
        self.detached = detached


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
    """The same memory behind a node of its own. Outer levels see through it."""
    node = node_of(tensor) if keep_history else None
    step = kind((node,))
    result = wrap(tensor._array, step)
    result._counter = shared_counter(tensor)
    if node is not None:
        for level in _here.levels:
            _carry(level, node, step)
    return result


def _carry(level: Level, node: Node, step: Node) -> None:
    tangent = level.tangents.get(node)
    if tangent is not None:
        level.tangents[step] = tangent
    if tangent is None or node in level.open:
        level.open.add(step)


@contextmanager
def _restricted(levels: tuple[Level, ...], recording: bool) -> Iterator[None]:
    """Inside, only these levels hold, and nothing is packed."""
    before = _here.levels, state.push, state.packing, state.grad
    _here.levels, state.push = levels, push if levels else None
    state.packing, state.grad = None, recording
    try:
        yield
    finally:
        _here.levels, state.push, state.packing, state.grad = before


@contextmanager
def in_level(level: Level) -> Iterator[Level]:
    """Inside, ``level`` is the innermost one, and operators are recorded."""
    before = _here.levels, state.push
    _here.levels, state.push = (*_here.levels, level), push
    graph.watch(True)
    try:
        with enable_grad():
            yield level
    finally:
        graph.watch(False)
        _here.levels, state.push = before


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
    for number, level, tangents in _concerned(node.edges):
        outs = out if isinstance(out, tuple) else (out,)
        recording = _is_open(level, node.edges) or number > 0
        with _restricted(_here.levels[:number], recording):
            pushed = _push_row(node, outs, tangents, recording)
        _keep(level, outs, pushed, recording and _is_open(level, node.edges))


def push_identity(node: Node) -> None:
    """The same for a node that hands on the one value it was given."""
    for _, level, _ in _concerned(node.edges):
        _carry(level, node.edges[0], node)  # type: ignore[arg-type]


def push_function(ctx: Any, outputs: Sequence[Tensor], args: Sequence[Any]) -> None:
    """The same for a `Function`, by its own ``jvp``."""
    for number, level, tangents in _concerned(ctx.edges):
        given = iter(tangents)
        by_argument = [next(given) if isinstance(argument, Tensor) else None for argument in args]
        is_open = _is_open(level, ctx.edges)
        with _restricted(_here.levels[:number], is_open or number > 0):
            pushed = ctx.function_class.jvp(ctx, *by_argument)
        _keep(level, outputs, pushed if isinstance(pushed, tuple) else (pushed,), is_open)


def _concerned(edges: Sequence[Node | None]) -> Iterator[tuple[int, Level, list[Tensor | None]]]:
    """The levels, innermost first, in which one of the edges has a tangent; with the tangents."""
    levels = _here.levels
    for number in reversed(range(len(levels))):
        known = levels[number].tangents
        tangents = [None if edge is None else known.get(edge) for edge in edges]
        if any(tangent is not None for tangent in tangents):
            yield number, levels[number], tangents


def _is_open(level: Level, edges: Sequence[Node | None]) -> bool:
    return any(e is not None and (e in level.open or e not in level.tangents) for e in edges)


def _keep(level: Level, outs: Sequence[Tensor], tangents: Sequence[Tensor | None], is_open: bool) -> None:
    for out, tangent in zip(outs, tangents, strict=True):
        node = out._node
        if node is not None and tangent is not None:
            level.tangents[node] = tangent
            if is_open or tangent.requires_grad:
                level.open.add(node)


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
    dual = through(primal, keep_history=not level.detached)
    step: Any = dual._node
    level.tangents[step] = tangent
    level.open.discard(step)
    if step.edges[0] is not None or (tangent.requires_grad and not level.detached):
        level.open.add(step)
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
    if node is not None and tangent is not None:
        if node in level.open or len(_here.levels) > 1:
            primal = through(tensor)
            step: Any = primal._node
            level.tangents.pop(step, None)
            level.open.add(step)
        else:
            primal = tensor.detach()
    for batch in reversed(batches):
        primal = enclose(primal, batch)
        tangent = None if tangent is None else enclose(tangent, batch)
    if level.detached and len(_here.levels) == 1:
        primal, tangent = primal.detach(), None if tangent is None else tangent.detach()
    return UnpackedDualTensor(primal, tangent)


def enter_dual_level() -> int:
    """Begins the level; returns its number, 0.

    Raises:
        RuntimeError: it has begun already: there is only one. `autograd.func.jvp` nests.
    """
    if _here.entered:
        raise RuntimeError("Nested forward mode AD is not supported at the moment")
    level = Level(detached=not state.grad)
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
        raise RuntimeError("Trying to exit a forward AD level that was not the last one that was created.")
    ((_, context),) = _here.entered
    _here.entered = ()
    context.__exit__(None, None, None)


class dual_level:
    """Inside, dual tensors can be made, and what is computed with them has tangents.

    >>> import autograd
    >>> from autograd import forward_ad
    >>> x, t = autograd.tensor([1.0, 2.0]), autograd.tensor([1.0, 0.0])
    >>> with forward_ad.dual_level():
    ...     y = forward_ad.make_dual(x, t) ** 3
    ...     forward_ad.unpack_dual(y).tangent
    tensor([3., 0.])
    """

    def __enter__(self) -> int:
        return enter_dual_level()

    def __exit__(self, *error: object) -> None:
        exit_dual_level()


def make_dual(tensor: Tensor, tangent: Tensor, *, level: int | None = None) -> Tensor:
    """``tensor`` with a tangent: the direction in which derivatives are taken.

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
    return make_dual_at(_here.entered[0][0], tensor, tangent)


def unpack_dual(tensor: Tensor, *, level: int | None = None) -> UnpackedDualTensor:
    """Value and tangent of a dual tensor; the tangent is None for any other."""
    if not isinstance(tensor, Tensor):
        raise TypeError(f"unpack_dual(): argument 'tensor' must be Tensor, not {type(tensor).__name__}")
    if not _here.entered:
        return UnpackedDualTensor(tensor, None)
    return unpack_dual_at(_here.entered[0][0], tensor)
