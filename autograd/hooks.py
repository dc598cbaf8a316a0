"""What users attach to the graph beyond one node: hooks on saved values, on several gradients at once; edges by name.

Everything here is found in `autograd.graph`. Tensors are only asked for what they offer everyone (`detach`, `clone`,
`grad_fn`): nothing here knows what an array is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple

from . import graph
from .graph import Node, state

__all__ = [
    "GradientEdge",
    "allow_mutation_on_saved_tensors",
    "disable_saved_tensors_hooks",
    "get_gradient_edge",
    "increment_version",
    "node_behind",
    "register_multi_grad_hook",
    "save_on_cpu",
    "saved_tensors_hooks",
]


class _Disabled:
    """Why this process's `saved_tensors_hooks` are switched off, or None."""

    message: str | None = None


class saved_tensors_hooks:
    """Inside, every tensor that an operator saves for its gradient passes through ``pack_hook``, and through
    ``unpack_hook`` when the backward pass asks for it.

    Args:
        pack_hook: from a tensor (without history) to anything.
        unpack_hook: from what ``pack_hook`` gave to a tensor of the same values.

    The innermost pair applies. Writes to a tensor after it was packed are not noticed.

    >>> import autograd
    >>> x = autograd.tensor([1.0, 2.0], requires_grad=True)
    >>> def pack(saved):
    ...     print("pack", saved)
    ...     return saved
    >>> with autograd.graph.saved_tensors_hooks(pack, lambda packed: packed):
    ...     y = x.exp()
    pack tensor([2.7183, 7.3891])
    """

    def __init__(self, pack_hook: Callable[[Any], Any], unpack_hook: Callable[[Any], Any]) -> None:
        self.pack_hook, self.unpack_hook = pack_hook, unpack_hook
        self._outer: list[Any] = []

    def __enter__(self) -> None:
        if _Disabled.message is not None:
            raise RuntimeError(_Disabled.message)
        self._outer.append(state.packing)
        state.packing = self.pack_hook, self.unpack_hook
        graph.watch(True)

    def __exit__(self, *error: object) -> None:
        state.packing = self._outer.pop()
        graph.watch(False)


class save_on_cpu(saved_tensors_hooks):
    """Keeps saved tensors in the CPU's memory, where all tensors are: accepted so that programs run unchanged."""

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda") -> None:
        super().__init__(lambda tensor: (tensor.device, tensor.cpu()), lambda packed: packed[1].to(packed[0]))


@contextmanager
def disable_saved_tensors_hooks(error_message: str) -> Iterator[None]:
    """Inside, entering `saved_tensors_hooks` raises RuntimeError with this message."""
    before, _Disabled.message = _Disabled.message, error_message
    try:
        yield
    finally:
        _Disabled.message = before


class _MutationContext(saved_tensors_hooks):
    """The copies of `allow_mutation_on_saved_tensors`; `clear` gives them up."""

    def __init__(self) -> None:
        self._copies: dict[int, Any] | None = {}
        super().__init__(self._pack, self._unpack)

    def _pack(self, tensor: Any) -> int:
        copies = self._copies
        if copies is None:
            raise RuntimeError("Trying to save a tensor in an allow_mutation_on_saved_tensors() that has ended")
        key = len(copies)
        copies[key] = tensor.clone()
        return key

    def _unpack(self, key: int) -> Any:
        if self._copies is None or key not in self._copies:
            raise AssertionError("Trying to backward outside of the 'allow_mutation_on_saved_tensors' context")
        return self._copies[key]

    def clear(self) -> None:
        """Gives up the copies."""
        self._copies = {}


@contextmanager
def allow_mutation_on_saved_tensors() -> Iterator[_MutationContext]:
    """Inside, tensors may be written to although an operator saved them; the backward pass must run inside too.

    Every saved value is copied when it is saved.

    >>> import autograd
    >>> with autograd.graph.allow_mutation_on_saved_tensors():
    ...     x = autograd.tensor([2.0], requires_grad=True)
    ...     y = x.clone()
    ...     z = y * y
    ...     _ = y.zero_()
    ...     z.backward()
    >>> x.grad
    tensor([4.])
    """
    context = _MutationContext()
    with context:
        try:
            yield context
        finally:
            context._copies = None


class GradientEdge(NamedTuple):
    """A place in the graph for `autograd.grad` and `autograd.backward`: output ``output_nr`` of ``node``."""

    node: Node
    output_nr: int
    ownership_token: Node | None = None


def get_gradient_edge(tensor: Any) -> GradientEdge:
    """The edge through which gradients reach ``tensor``.

    Raises:
        RuntimeError: it does not require grad.
    """
    if not tensor.requires_grad:
        raise RuntimeError("It is not possible to get the gradient edge for a Tensor that does not require gradients")
    return GradientEdge(node_behind(tensor), tensor.output_nr)


def node_behind(tensor: Any) -> Node:
    """The node through which gradients reach a tensor: its maker, or where a leaf's gradient is kept."""
    if tensor.grad_fn is not None:
        return tensor.grad_fn
    with graph.enable_grad():
        return tensor.view_as(tensor).grad_fn.edges[0]


def increment_version(tensor: Any) -> None:
    """Notes that the memory of a tensor, or of each of several, was written to in a way that was not seen."""
    for each in tensor if isinstance(tensor, Iterable) and not hasattr(tensor, "grad_fn") else (tensor,):
        each._bump_version()


class _Handles:
    """Several removable handles as one."""

    def __init__(self, handles: Sequence[graph.RemovableHandle]) -> None:
        self.handles = tuple(handles)

    def remove(self) -> None:
        for handle in self.handles:
            handle.remove()

    def __enter__(self) -> _Handles:
        return self

    def __exit__(self, *error: object) -> None:
        self.remove()


def register_multi_grad_hook(
    tensors: Sequence[Any], fn: Callable[[Any], None], *, mode: Literal["all", "any"] = "all"
) -> _Handles:
    """Calls ``fn`` once in a backward pass that reaches several tensors.

    Args:
        tensors: they must require grad.
        fn: with ``mode="all"`` called with the list of their gradients (None for those that the pass does not reach)
            when all are known; with ``"any"``, called with the first gradient.

    Returns:
        a handle whose ``remove()`` takes the hook away.

    >>> import autograd
    >>> a, b = (autograd.ones(2, requires_grad=True) for _ in range(2))
    >>> handle = autograd.graph.register_multi_grad_hook((a, b), lambda gradients: print(gradients))
    >>> (a * 2 + b * 3).sum().backward()
    [tensor([2., 2.]), tensor([3., 3.])]
    """
    if mode not in ("all", "any"):
        raise ValueError(f"Expects mode to be one of ('all', 'any') but got {mode}")
    nodes = [node_behind(tensor) for tensor in tensors if tensor.requires_grad]
    if len(nodes) < len(tensors):
        raise AssertionError("register_multi_grad_hook: every tensor must require grad")
    current: Any = None  # the pass that the following belong to
    gradients: list[Any] = []
    missing = 0

    def hook(index: int, g: Any) -> None:
        nonlocal current, gradients, missing
        is_first = state.running is not current
        if is_first:
            current = state.running
            gradients = [None] * len(nodes)
            missing = _reached(nodes) if mode == "all" else 0
        if mode == "any":
            if is_first:
                fn(g)
            return
        gradients[index] = g
        missing -= 1
        if not missing:
            current, complete, gradients = None, gradients, []
            fn(complete)

    return _Handles([tensor.register_hook(_numbered(hook, i)) for i, tensor in enumerate(tensors)])


def _numbered(hook: Callable[[int, Any], None], index: int) -> Callable[[Any], None]:
    return lambda g: hook(index, g)


def _reached(nodes: Sequence[Node]) -> int:
    """How many of the nodes get a gradient in the running pass."""
    if state.running is None:
        return len(nodes)
    roots, needed = state.running
    reached = set(graph.topological_order(roots))
    return sum(node in reached and (needed is None or node in needed) for node in nodes)
