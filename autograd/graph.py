"""The graph and the chain rule: nodes, their order, one backward pass. Nothing here knows what an array is.

A node stands for one recorded operator. ``edges`` names the nodes that produced its inputs, so the graph points
from results back to causes, and an intermediate value dies as soon as no rule needs it. ``vjp(g)`` turns the gradient
of the node's output into the gradients of its inputs (the vector-Jacobian product). `run_backward` visits nodes in
topological order, adds up what arrives at each and hands it on: that is all of reverse-mode differentiation.
"""

from __future__ import annotations

import functools
import itertools
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import TracebackType
from typing import Any

__all__ = [
    "Leaf",
    "Node",
    "RemovableHandle",
    "detect_anomaly",
    "enable_grad",
    "inference_mode",
    "is_anomaly_check_nan_enabled",
    "is_anomaly_enabled",
    "is_grad_enabled",
    "is_inference_mode_enabled",
    "is_multithreading_enabled",
    "no_grad",
    "run_backward",
    "set_anomaly_enabled",
    "set_detect_anomaly",
    "set_grad_enabled",
    "set_multithreading_enabled",
    "topological_order",
]


class HookDict(dict[int, Any]):
    """Hooks in the order of registration. A class of its own because a plain dict takes no weak reference."""

    __slots__ = ("__weakref__",)

    def register(self, hook: Callable[..., Any]) -> RemovableHandle:
        handle = RemovableHandle(self)
        self[handle.id] = hook
        return handle


class RemovableHandle:
    """What registering a hook returns: ``remove()`` takes the hook away, and so does leaving a ``with`` block."""

    _ids = itertools.count()

    def __init__(self, hooks: HookDict) -> None:
        self.id = next(number for number in self._ids if number not in hooks)  # those of an unpickled dict are taken
        self._hooks = weakref.ref(hooks)

    def remove(self) -> None:
        """Takes the hook away; doing so twice is harmless."""
        hooks = self._hooks()
        if hooks is not None:
            hooks.pop(self.id, None)

    def __getstate__(self) -> tuple[HookDict | None, int]:
        return self._hooks(), self.id

    def __setstate__(self, state: tuple[HookDict | None, int]) -> None:
        hooks, self.id = state
        self._hooks = weakref.ref(HookDict() if hooks is None else hooks)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        self.remove()


class Hooks:
    """What was attached to a node. Who sees the complete gradient of its output, in this order: functions
    ``g -> g or None`` on the value, the keeper that stores it, functions on the node; behind the rule, functions
    ``(input_gradients, g) -> ... or None``. And notes: where the operator was called (under `detect_anomaly`), and
    the user's own."""

    __slots__ = ("after", "before", "keeper", "metadata", "on_value", "trace")

    def __init__(self) -> None:
        self.on_value = HookDict()
        self.keeper: Callable[[Any], None] | None = None
        self.before = HookDict()
        self.after = HookDict()
        self.trace: str | None = None
        self.metadata: dict[str, Any] = {}

    def complete(self, g: Any) -> Any:
        """The gradient after all hooks before the rule."""
        for hook in list(self.on_value.values()):
            changed = hook(g)
            g = g if changed is None else changed
        if self.keeper is not None:
            self.keeper(g)
        for hook in list(self.before.values()):
            changed = hook(g)
            g = g if changed is None else changed
        return g

    def behind(self, input_gradients: Sequence[Any], g: Any) -> Sequence[Any]:
        """The input gradients after all hooks behind the rule."""
        for hook in list(self.after.values()):
            changed = hook(input_gradients, g)
            input_gradients = input_gradients if changed is None else changed
        return input_gradients


class Node:
    """One recorded operator.

    Attributes:
        edges: for each differentiable input the node that made it, or None where no gradient is wanted.
        hooks: what was attached here (hooks, notes), or None.
    """

    # No `__dict__`: a node is made by every recorded operator, and the dict alone would cost a fifth of that.
    __slots__ = ("__weakref__", "edges", "hooks")

    hooks: Hooks | None

    def __init__(self, edges: tuple[Node | None, ...] = ()) -> None:
        self.edges = edges
        self.hooks = None

    def vjp(self, g: Any) -> Sequence[Any]:
        """Gradients of the inputs, aligned with `edges`, given the gradient ``g`` of the output."""
        raise NotImplementedError(f"{type(self).__name__} has no gradient rule")

    def receive(self, g: Any, owned: bool) -> None:
        """Takes a gradient that ends here; ``owned`` says that nobody else holds ``g``. Leaves define it."""
        raise NotImplementedError(f"{type(self).__name__} is not a leaf")

    def accumulate(self, total: Any, g: Any, owned: bool) -> Any:
        """``total + g``; may write into ``total`` when it is ``owned`` by this backward pass."""
        return total + g

    def release(self) -> None:
        """Frees what was saved for `vjp`; a node that saves nothing has nothing to free."""

    def check(self, gradients: Sequence[Any]) -> None:
        """Raises when a gradient is NaN; called under `detect_anomaly`. Nodes whose values can be NaN define it."""

    def name(self) -> str:
        """Readable name, such as ``MulBackward0``."""
        return type(self).__name__

    # What users' hooks see of a gradient, and what is taken back from them: nodes of arrays show tensors.

    def shown(self, g: Any) -> Any:
        """A gradient as users see it."""
        return g

    def taken(self, changed: Any, g: Any) -> Any:
        """What a user's hook returned in place of ``g``, as the engine needs it."""
        return changed

    def all_hooks(self) -> Hooks:
        """The node's hooks, made at the first use."""
        if self.hooks is None:
            self.hooks = Hooks()
        return self.hooks

    def register_value_hook(self, hook: Callable[[Any], Any]) -> RemovableHandle:
        """Calls ``hook(g)`` with the complete gradient of the output; what it returns replaces the gradient."""

        def on_value(g: Any) -> Any:
            changed = hook(self.shown(g))
            return None if changed is None else self.taken(changed, g)

        return self.all_hooks().on_value.register(on_value)

    def register_prehook(self, hook: Callable[[Any], Any]) -> RemovableHandle:
        """Calls ``hook(grad_outputs)`` before this node's rule; what it returns replaces them."""

        def before(g: Any) -> Any:
            changed = hook((self.shown(g),))
            if changed is None:
                return None
            return self.taken(changed[0] if isinstance(changed, tuple) else changed, g)

        return self.all_hooks().before.register(before)

    def register_hook(self, hook: Callable[[Any, Any], Any]) -> RemovableHandle:
        """Calls ``hook(grad_inputs, grad_outputs)`` behind this node's rule; what it returns replaces the former."""

        def after(input_gradients: Sequence[Any], g: Any) -> Any:
            changed = hook(tuple(self.shown(gradient) for gradient in input_gradients), (self.shown(g),))
            if changed is None:
                return None
            changed = changed if isinstance(changed, tuple) else (changed,)
            return [self.taken(new, old) for new, old in zip(changed, input_gradients, strict=True)]

        return self.all_hooks().after.register(after)


class Leaf(Node):
    """Where gradients end: what arrives is added to ``grad``."""

    __slots__ = ("grad",)

    def __init__(self, grad: Any = None) -> None:
        super().__init__()
        self.grad = grad

    def receive(self, g: Any, owned: bool) -> None:
        """Adds ``g`` to ``grad``."""
        self.grad = g if self.grad is None else self.grad + g

    def name(self) -> str:
        return "AccumulateGrad"


def shared_nodes(roots: Sequence[Node | None]) -> dict[Node, int]:
    """The nodes to which several edges lead, with their number; an entry of ``roots`` counts as an edge.

    Without recursion, so depth is limited by memory alone; linear in the number of edges.
    """
    seen: set[Node] = set()
    shared: dict[Node, int] = {}
    found = [roots]
    see, find = seen.add, found.append
    for edges in found:  # grows while it is walked through
        for edge in edges:
            if edge in seen:
                shared[edge] = shared.get(edge, 1) + 1
            elif edge is not None:
                see(edge)
                if edge.edges:
                    find(edge.edges)
    return shared


def topological_order(roots: Iterable[Node]) -> Iterator[Node]:
    """Every node reachable from ``roots``, each before the nodes its edges lead to (Kahn's algorithm)."""
    edges: Sequence[Node | None] = list(dict.fromkeys(roots))
    waiting = shared_nodes(edges)
    ready: list[Node] = []
    while True:
        for edge in edges:
            if edge is None:
                continue
            left = waiting.get(edge, 1) - 1
            if left:
                waiting[edge] = left
            else:
                ready.append(edge)
        if not ready:
            return
        node = ready.pop()
        yield node
        edges = node.edges


def run_backward(
    roots: Sequence[Node],
    gradients: Sequence[Any],
    *,
    inputs: Sequence[Node] | None = None,
    retain_graph: bool = False,
    create_graph: bool = False,
    accumulate: bool = True,
    call_hooks: bool = True,
) -> list[Any]:
    """One backward pass from ``roots`` with the given output ``gradients``: the chain rule in topological order.

    A node's turn comes when all its consumers had theirs (Kahn's algorithm, as in `topological_order`): its gradient
    is then complete, its rule turns it into gradients of its inputs, and these are added to what waits there. The
    pass begins as if a node before all others had just given the roots their gradients.

    Args:
        roots: nodes of the differentiated outputs.
        gradients: gradient of each output.
        inputs: nodes at which the pass ends; None for all leaves. Only paths to them are followed.
        retain_graph: keep what the rules saved, for another pass.
        create_graph: record the pass itself, for gradients of gradients.
        accumulate: hand what arrives at leaves to their `receive`, which adds it to their ``grad``.
        call_hooks: let the hooks on the nodes see and change gradients.

    Returns:
        For each of ``inputs`` the gradient that arrived, None where no path leads; empty without ``inputs``.
    """
    arrived: dict[Node, Any] = {}
    needed: set[Node] | None = None
    if inputs is not None:
        arrived = dict.fromkeys(inputs)
        needed = _leading_to(inputs, roots)

    waiting = shared_nodes(roots)
    # Gradients that are not complete yet, and whether somebody else holds them too: then they must be copied rather
    # than written into. Only nodes with several consumers come here; the rest are ready at once.
    pending: dict[Node, tuple[Any, bool]] = {}
    ready: list[tuple[Node, Any, bool]] = []
    check_nan = _anomaly.check_nan

    node: Any = None
    edges: Sequence[Node | None] = roots
    input_gradients: Sequence[Any] = gradients
    count, all_shared, g, is_shared = len(roots), True, None, False
    delivers = inputs is None and accumulate  # leaves take what arrives at once, where nobody else waits for it
    free = not retain_graph
    before, state.grad = state.grad, create_graph
    outer, state.running = state.running, (roots, needed)
    try:
        while True:
            # A rule that hands on `g` itself gives away what it was given, once.
            if count == 1 and (edge := edges[0]) is not None and edge not in waiting:
                gradient = input_gradients[0]
                is_shared = all_shared or (is_shared and gradient is g)
                node, g = edge, gradient
            else:
                for edge, gradient in zip(edges, input_gradients):  # noqa: B905 (measured: strict= costs 60 ns)
                    if edge is None:
                        continue
                    shared = all_shared or (is_shared and gradient is g)
                    if edge in waiting:
                        left = waiting[edge] = waiting[edge] - 1
                        if edge in pending:
                            total, total_is_shared = pending[edge]
                            if gradient is None:
                                gradient, shared = total, total_is_shared
                            else:
                                gradient, shared = edge.accumulate(total, gradient, not total_is_shared), False
                        if left:
                            if gradient is not None:
                                pending[edge] = gradient, shared
                            continue
                        pending.pop(edge, None)
                    if not edge.edges and delivers and edge.hooks is None and gradient is not None:
                        edge.receive(gradient, not shared)
                    else:
                        ready.append((edge, gradient, shared))
                if not ready:
                    break
                node, g, is_shared = ready.pop()
            edges = node.edges
            count = len(edges)
            hooks = node.hooks if call_hooks else None
            if g is None or hooks is not None or needed is not None:
                all_shared = False
                if g is None or (needed is not None and node not in needed):
                    input_gradients = (None,) * count
                    continue
                if hooks is not None:
                    g, is_shared = hooks.complete(g), True
                if node in arrived:
                    arrived[node], is_shared = g, True
                if needed is not None and count and needed.isdisjoint(edges):
                    input_gradients = (None,) * count
                    continue
            if count:
                input_gradients = node.vjp(g)
                if free:
                    node.release()
                if check_nan:
                    node.check(input_gradients)
                if count == 1:
                    all_shared = False
                elif count == 2:
                    all_shared = input_gradients[0] is input_gradients[1]
                elif count == 3:  # a set takes ten times as long
                    first, second, third = input_gradients
                    all_shared = first is second or second is third or third is first
                else:
                    all_shared = len({*map(id, input_gradients)}) < count
            else:
                if accumulate:
                    node.receive(g, not is_shared)
                input_gradients, all_shared = (), False
            if hooks is not None:
                input_gradients = hooks.behind(input_gradients, g)
    except Exception as error:
        if node is not None and node.hooks is not None and node.hooks.trace:
            _append_trace(error, node, node.hooks.trace)
        raise
    finally:
        state.grad, state.running = before, outer
    return [arrived[node] for node in inputs] if inputs is not None else []


def _leading_to(targets: Sequence[Node], roots: Sequence[Node]) -> set[Node]:
    """The nodes on paths from ``roots`` to ``targets``."""
    needed = set(targets)
    for node in reversed(list(topological_order(roots))):
        if not needed.isdisjoint(node.edges):
            needed.add(node)
    return needed


def remember_line(node: Node) -> None:
    """Notes on the node which lines of the user's code are recording it."""
    import traceback

    package = __name__.split(".", 1)[0]
    frames = [
        (frame, line)
        for frame, line in traceback.walk_stack(None)
        if not str(frame.f_globals.get("__name__", "")).startswith(f"{package}.")
    ]
    node.all_hooks().trace = "".join(traceback.StackSummary.extract(reversed(frames)).format())


def _append_trace(error: Exception, node: Node, trace: str) -> None:
    where = f"{node.name()} was recorded at:\n{trace}"
    error.args = (f"{error}\n\n{where}", *error.args[1:])


# --- Modes ---------------------------------------------------------------------------------------------------------


class _ThreadState(threading.local):
    """What is on in this thread. Class attributes are a new thread's defaults."""

    grad = True
    inference = False
    multithreading = True
    # What `autograd.hooks` and `autograd.forward_ad` set: the innermost pair of hooks on saved values, what is told of
    # every recorded operator; and the running backward pass, as its roots and the nodes that it needs.
    packing: tuple[Callable[[Any], Any], Callable[[Any], Any]] | None = None
    push: Callable[[Any, Node], None] | None = None
    draws: Callable[[], None] | None = None  # asked by `vmap` to be called before random numbers are drawn
    running: tuple[Sequence[Node], set[Node] | None] | None = None


state = _ThreadState()


class _Anomaly:
    """`detect_anomaly` holds for the whole process, as its purpose is to find a line wherever it runs."""

    enabled = False
    check_nan = False


_anomaly = _Anomaly()

# Called when something starts or stops watching every operator (anomaly mode, inference mode): the dispatcher
# then leaves its fast path.
watchers: list[Callable[[], None]] = []
_watching = 0
_watch_lock = threading.Lock()


def watch(on: bool) -> None:
    """Counts the watchers of all threads and tells the dispatcher when the first comes or the last goes."""
    global _watching
    with _watch_lock:
        _watching += 1 if on else -1
        for notify in watchers:
            notify()


def is_watched() -> bool:
    """Whether anything watches every operator."""
    return _watching > 0


def observe(out: Any, node: Any) -> None:
    """Shows a node that was just recorded, and the value it made, to those who watch."""
    if _anomaly.enabled:
        remember_line(node)
    if state.push is not None:
        state.push(out, node)
        if out._node is not node:
            return  # only the tangents are kept
    if state.packing is not None:
        node.pack(*state.packing)


def is_recording() -> bool:
    """Whether operators are recorded in this thread, for gradients or for tangents."""
    return state.grad or state.push is not None


def is_grad_enabled() -> bool:
    """Whether operators are recorded for gradients in this thread.

    >>> import autograd
    >>> with autograd.no_grad():
    ...     autograd.is_grad_enabled()
    False
    """
    return state.grad


def is_inference_mode_enabled() -> bool:
    """Whether this thread is inside `inference_mode`."""
    return state.inference


def is_anomaly_enabled() -> bool:
    """Whether `detect_anomaly` is on."""
    return _anomaly.enabled


def is_anomaly_check_nan_enabled() -> bool:
    """Whether `detect_anomaly` looks for NaN."""
    return _anomaly.check_nan


class _ModeSwitch:
    """A context manager that is also a decorator; entering again while inside is allowed."""

    def __init__(self) -> None:
        self._previous: list[Any] = []

    def _enter(self) -> Any:
        raise NotImplementedError  # each mode has its own

    def _leave(self, previous: Any) -> None:
        raise NotImplementedError  # each mode has its own

    def _fresh(self) -> _ModeSwitch:
        return type(self)()

    def __enter__(self) -> None:
        self._previous.append(self._enter())

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._leave(self._previous.pop())

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        import inspect

        if inspect.isgeneratorfunction(function):
            return _wrap_generator(self._fresh, function)

        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            with self._fresh():
                return function(*args, **kwargs)

        return wrapped


def _wrap_generator(context: Callable[[], Any], function: Callable[..., Any]) -> Callable[..., Any]:
    """The generator's own steps run inside ``context()``; its consumer's code between them does not."""

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        generator = function(*args, **kwargs)
        step, argument = generator.send, None
        while True:
            try:
                with context():
                    value = step(argument)
            except StopIteration as stop:
                return stop.value
            try:
                step, argument = generator.send, (yield value)
            except GeneratorExit:
                with context():
                    generator.close()
                raise
            except BaseException as error:
                step, argument = generator.throw, error

    return wrapped


class _GradSwitch(_ModeSwitch):
    target = True

    def __new__(cls, function: Callable[..., Any] | None = None) -> Any:
        switch = super().__new__(cls)
        if function is None:
            return switch
        cls.__init__(switch)
        return switch(function)

    def __init__(self, function: Callable[..., Any] | None = None) -> None:
        super().__init__()

    def _enter(self) -> bool:
        previous, state.grad = state.grad, self.target
        return previous

    def _leave(self, previous: bool) -> None:
        state.grad = previous


class no_grad(_GradSwitch):
    """Operators inside are not recorded, in this thread. Context manager and decorator.

    >>> import autograd
    >>> x = autograd.tensor([1.0], requires_grad=True)
    >>> with autograd.no_grad():
    ...     y = x * 2
    >>> y.requires_grad
    False
    """

    target = False


class enable_grad(_GradSwitch):
    """Operators inside are recorded even within `no_grad`, in this thread. Context manager and decorator."""


class set_grad_enabled(_ModeSwitch):
    """Turns recording on or off in this thread: at once when called, back again at the end of a ``with`` block.

    Raises:
        TypeError: ``mode`` is not a bool.
    """

    def __init__(self, mode: bool) -> None:
        super().__init__()
        if not isinstance(mode, bool):
            raise TypeError(f"set_grad_enabled expects a bool, but got {type(mode).__name__}")
        self.mode = mode
        self._before = state.grad
        state.grad = mode

    def _enter(self) -> bool:
        state.grad = self.mode
        return self._before

    def _leave(self, previous: bool) -> None:
        state.grad = previous

    def _fresh(self) -> set_grad_enabled:
        return set_grad_enabled(self.mode)

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        state.grad = self._before  # as a decorator it must not change the mode of the defining code
        return super().__call__(function)


class inference_mode(_ModeSwitch):
    """Like `no_grad`, and tensors made inside have no tangents and can never take part in recording afterwards."""

    def __new__(cls, mode: bool | Callable[..., Any] = True) -> Any:
        switch = super().__new__(cls)
        if callable(mode):
            cls.__init__(switch, True)
            return switch(mode)
        return switch

    def __init__(self, mode: bool = True) -> None:
        super().__init__()
        if not isinstance(mode, bool):
            raise TypeError(f"inference_mode expects a bool, but got {type(mode).__name__}")
        self.mode = mode

    def _enter(self) -> tuple[Any, ...]:
        previous = state.grad, state.inference, state.push
        if self.mode != state.inference:
            watch(self.mode)
        state.inference = self.mode
        state.grad = not self.mode
        if self.mode:
            state.push = None
        return previous

    def _leave(self, previous: tuple[Any, ...]) -> None:
        if previous[1] != state.inference:
            watch(previous[1])
        state.grad, state.inference, state.push = previous

    def _fresh(self) -> inference_mode:
        return inference_mode(self.mode)


class set_multithreading_enabled(_ModeSwitch):
    """Accepted so that programs run unchanged: a backward pass always runs in the thread that started it, and what its
    kernels do is up to `set_num_threads`. At once when called, back again at the end of a ``with`` block."""

    def __init__(self, mode: bool) -> None:
        super().__init__()
        self.mode = mode
        self._before = state.multithreading
        state.multithreading = mode

    def _enter(self) -> bool:
        state.multithreading = self.mode
        return self._before

    def _leave(self, previous: bool) -> None:
        state.multithreading = previous

    def _fresh(self) -> set_multithreading_enabled:
        return set_multithreading_enabled(self.mode)


def is_multithreading_enabled() -> bool:
    """What `set_multithreading_enabled` was told, True by default."""
    return state.multithreading


class set_detect_anomaly(_ModeSwitch):
    """Turns `detect_anomaly` on or off: at once when called, back again at the end of a ``with`` block."""

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        super().__init__()
        self._before = _anomaly.enabled, _anomaly.check_nan
        self.mode, self.check_nan = mode, check_nan
        self._set(mode, mode and check_nan)

    @staticmethod
    def _set(enabled: bool, check_nan: bool) -> None:
        if enabled != _anomaly.enabled:
            watch(enabled)
        _anomaly.enabled, _anomaly.check_nan = enabled, check_nan

    def _enter(self) -> tuple[bool, bool]:
        return self._before

    def _leave(self, previous: tuple[bool, bool]) -> None:
        self._set(*previous)


def set_anomaly_enabled(mode: bool, check_nan: bool = True) -> None:
    """Turns `detect_anomaly` on or off, until the next call."""
    set_detect_anomaly._set(mode, mode and check_nan)


class detect_anomaly(set_detect_anomaly):
    """Finds the operator behind a failing or NaN gradient.

    Inside, each node remembers where it was recorded, and an error in the backward pass ends with those lines;
    with ``check_nan`` a NaN gradient is such an error. Slow: for looking, not for training.
    """

    def __init__(self, check_nan: bool = True) -> None:
        _ModeSwitch.__init__(self)
        self.mode, self.check_nan = True, check_nan

    def _enter(self) -> tuple[bool, bool]:
        previous = _anomaly.enabled, _anomaly.check_nan
        self._set(True, self.check_nan)
        return previous

    def _fresh(self) -> detect_anomaly:
        return detect_anomaly(self.check_nan)


_IN_HOOKS = (
    "GradientEdge", "allow_mutation_on_saved_tensors", "disable_saved_tensors_hooks", "get_gradient_edge",
    "increment_version", "register_multi_grad_hook", "save_on_cpu", "saved_tensors_hooks",
)  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _IN_HOOKS:
        from . import hooks

        return getattr(hooks, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
