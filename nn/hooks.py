"""Hooks of modules: functions called before and after ``forward``, and when gradients pass through.

A module with hooks is called through `call_with_hooks`. Backward hooks need all gradients of a call's outputs, and
of its inputs, at once: a `Gate` lets several tensors pass unchanged and sees their gradients together.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from autograd.graph import HookDict, Node, RemovableHandle, is_grad_enabled
from autograd.tensor import Tensor, TensorNode, node_of, shared_counter, wrap

if TYPE_CHECKING:
    from .module import Module

__all__ = [
    "BACKWARD",
    "BACKWARD_PRE",
    "FORWARD",
    "FORWARD_PRE",
    "REGISTRATION",
    "ForwardHook",
    "call_with_hooks",
    "has_hooks",
    "pre_hooks_of",
    "register",
    "registered",
]

# Hooks of all modules: those of a module's own come after them. And hooks on registering in each registry.
FORWARD_PRE, FORWARD, BACKWARD_PRE, BACKWARD = HookDict(), HookDict(), HookDict(), HookDict()
REGISTRATION = {"_parameters": HookDict(), "_buffers": HookDict(), "_modules": HookDict()}


class ForwardHook(NamedTuple):
    """A forward hook or forward pre-hook and how it wants to be called."""

    function: Callable[..., Any]
    with_kwargs: bool = False
    always_call: bool = False


def register(hooks: HookDict, hook: Any, prepend: bool = False) -> RemovableHandle:
    """Adds ``hook`` behind the others, or before them."""
    handle = hooks.register(hook)
    if prepend:
        for key in [key for key in hooks if key != handle.id]:
            hooks[key] = hooks.pop(key)
    return handle


def pre_hooks_of(module: Module, kind: type) -> list[tuple[int, Any]]:
    """The forward pre-hooks of ``module`` that are objects of a class, with the keys that they are registered under."""
    hooks = ((key, hook.function) for key, hook in module._forward_pre_hooks.items())
    return [(key, function) for key, function in hooks if isinstance(function, kind)]


def registered(registry: str, module: Module, name: str, value: Any) -> Any:
    """What hooks on registration make of ``value``, which is about to be registered in ``module`` under ``name``."""
    for hook in REGISTRATION[registry].values():
        changed = hook(module, name, value)
        value = value if changed is None else changed
    return value


def register_module_forward_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Calls ``hook(module, args)`` before every module's ``forward``; what it returns replaces the arguments."""
    return register(FORWARD_PRE, ForwardHook(hook))


def register_module_forward_hook(
    hook: Callable[..., Any], *, with_kwargs: bool = False, always_call: bool = False
) -> RemovableHandle:
    """Calls ``hook(module, args, output)`` after every module's ``forward``; what it returns replaces the output."""
    return register(FORWARD, ForwardHook(hook, with_kwargs, always_call))


def register_module_backward_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """`register_module_full_backward_hook` of the old kind: sees the gradients of a module's last operator alone."""
    check_kind(BACKWARD, full=False)
    return register(BACKWARD, PartialHook(hook))


def register_module_full_backward_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Calls ``hook(module, grad_input, grad_output)`` when the gradients of any module's inputs are known."""
    check_kind(BACKWARD, full=True)
    return register(BACKWARD, hook)


def register_module_full_backward_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Calls ``hook(module, grad_output)`` before gradients enter any module."""
    return register(BACKWARD_PRE, hook)


def register_module_parameter_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Calls ``hook(module, name, parameter)`` when a parameter is registered; what it returns takes its place."""
    return register(REGISTRATION["_parameters"], hook)


def register_module_buffer_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Calls ``hook(module, name, buffer)`` when a buffer is registered; what it returns takes its place."""
    return register(REGISTRATION["_buffers"], hook)


def register_module_module_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Calls ``hook(module, name, submodule)`` when a module is registered; what it returns takes its place."""
    return register(REGISTRATION["_modules"], hook)


def has_hooks(module: Module) -> Any:
    """Whether anything looks at a call of the module.

    Raises:
        KeyError: it has not been made by `Module.__init__`.
    """
    own = module.__dict__  # attributes of a class with `__getattr__` take three times as long
    return (
        own["_forward_hooks"]
        or own["_forward_pre_hooks"]
        or own["_backward_hooks"]
        or own["_backward_pre_hooks"]
        or FORWARD
        or FORWARD_PRE
        or BACKWARD
        or BACKWARD_PRE
    )


def call_with_hooks(module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """``module.forward(*args, **kwargs)`` with the module's hooks around it."""
    result = None
    called: set[int] = set()
    try:
        args, kwargs = _before(module, args, kwargs)
        backward = [*BACKWARD.values(), *module._backward_hooks.values()]
        full = [hook for hook in backward if not isinstance(hook, PartialHook)]
        gates = None
        if full or BACKWARD_PRE or module._backward_pre_hooks:
            gates = _Gates(module, full)
            args = gates.at_inputs(args)
        result = module.forward(*args, **kwargs)
        for key, hook in _forward_hooks(module):
            called.add(key)
            changed = _call(hook, module, args, kwargs, result)
            result = result if changed is None else changed
        result = result if gates is None else gates.at_outputs(result)
        if len(full) < len(backward):
            _watch_last_node(module, [hook for hook in backward if isinstance(hook, PartialHook)], args, result)
        return result
    except Exception:
        for key, hook in _forward_hooks(module):
            if hook.always_call and key not in called:
                _call_after_failure(hook, module, args, kwargs, result)
        raise


def _forward_hooks(module: Module) -> list[tuple[int, ForwardHook]]:
    return [*FORWARD.items(), *module._forward_hooks.items()]


def _before(module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    for hook in [*FORWARD_PRE.values(), *module._forward_pre_hooks.values()]:
        if hook.with_kwargs:
            changed = hook.function(module, args, kwargs)
            if changed is not None:
                if not isinstance(changed, tuple) or len(changed) != 2:
                    raise RuntimeError(
                        f"forward pre-hook must return None or a tuple of (new_args, new_kwargs), but got {changed}."
                    )
                args, kwargs = changed
        else:
            changed = hook.function(module, args)
            if changed is not None:
                args = changed if isinstance(changed, tuple) else (changed,)
    return args, kwargs


def _call(hook: ForwardHook, module: Module, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> Any:
    if hook.with_kwargs:
        return hook.function(module, args, kwargs, result)
    return hook.function(module, args, result)


def _call_after_failure(
    hook: ForwardHook, module: Module, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any
) -> None:
    try:
        _call(hook, module, args, kwargs, result)
    except Exception as error:
        warnings.warn(
            "module forward hook with ``always_call=True`` raised an exception that was silenced as another error "
            f"was raised in forward: {error}",
            stacklevel=4,
        )


# --- Backward ------------------------------------------------------------------------------------------------------


class PartialHook(NamedTuple):
    """A backward hook of the old kind, which sees the gradients of the last operator of a module alone."""

    function: Callable[..., Any]


def check_kind(hooks: HookDict, full: bool) -> None:
    """Raises RuntimeError where backward hooks of the other kind are registered already."""
    if any(isinstance(hook, PartialHook) == full for hook in hooks.values()):
        raise RuntimeError(
            "Cannot use both regular backward hooks and full backward hooks on a single Module. Please use only one of "
            "them."
        )


def _watch_last_node(module: Module, hooks: list[PartialHook], args: tuple[Any, ...], result: Any) -> None:
    last = result
    while not isinstance(last, Tensor):
        last = next(v for v in last.values() if isinstance(v, Tensor)) if isinstance(last, dict) else last[0]
    node = last.grad_fn
    if node is None:
        return
    for hook in hooks:
        node.register_hook(functools.partial(hook.function, module))
    _warn_of_partial_hooks(args, result, node)


def _warn_of_partial_hooks(args: tuple[Any, ...], result: Any, node: Any) -> None:
    """Says what hooks of the old kind will not see."""
    results = result if isinstance(result, tuple) else (result,)
    what, missing = "", "grad_output"
    if not all(isinstance(value, Tensor) for value in results):
        what = "on a Module that does not return a single Tensor or a tuple of Tensors"
    elif not all(isinstance(value, Tensor) for value in args):
        what, missing = "on a Module that does not take as input a single Tensor or a tuple of Tensors", "grad_input"
    elif len({value.grad_fn for value in results if value.grad_fn is not None}) > 1:
        what = "when outputs are generated by different autograd Nodes"
    elif {value.grad_fn for value in args if value.grad_fn is not None} != {each for each, _ in node.next_functions}:
        what, missing = "when the forward contains multiple autograd Nodes", "grad_input"
    if what:
        warnings.warn(
            f"Using a non-full backward hook {what} is deprecated and will be removed in future versions. This hook "
            f"will be missing some {missing}. Please use register_full_backward_hook to get the documented behavior.",
            FutureWarning,
            stacklevel=5,
        )


class Gate(Node):
    """The identity on several tensors; ``watch`` sees, and may replace, their gradients all at once."""

    __slots__ = ("watch",)

    def __init__(self, tensors: Sequence[Tensor], watch: Callable[[list[Tensor | None]], Sequence[Any]]) -> None:
        super().__init__(tuple(node_of(tensor) for tensor in tensors))
        self.watch = watch

    def vjp(self, g: dict[int, Any]) -> Sequence[Any]:
        recorded = any(isinstance(value, Tensor) for value in g.values())
        changed = self.watch([_as_tensor(g.get(index)) for index in range(len(self.edges))])
        # Views, as hooks may keep the gradients: backward() adds into an array only where it owns the memory.
        return [value if recorded or value is None else value._array[...] for value in changed]

    def accumulate(self, total: dict[int, Any], g: dict[int, Any], owned: bool) -> dict[int, Any]:
        return total | g

    def name(self) -> str:
        return "BackwardHookFunctionBackward"


def _as_tensor(g: Any) -> Tensor | None:
    return g if g is None or isinstance(g, Tensor) else wrap(np.asarray(g))


class Port(TensorNode):
    """One of the tensors that pass a `Gate`."""

    __slots__ = ("index",)

    def __init__(self, gate: Gate, index: int) -> None:
        super().__init__((gate,))
        self.index = index

    def vjp(self, g: Any) -> Sequence[Any]:
        return ({self.index: g},)

    def name(self) -> str:
        return "BackwardHookFunctionBackward"


def _pass_through(values: tuple[Any, ...], watch: Callable[[list[Any]], Sequence[Any]]) -> tuple[Any, ...] | None:
    """``values`` with a gate behind its tensors; None where nothing is recorded."""
    tensors = [value for value in values if isinstance(value, Tensor)]
    if not is_grad_enabled() or not any(tensor.requires_grad for tensor in tensors):
        return None
    positions = [i for i, value in enumerate(values) if isinstance(value, Tensor)]

    def spread(gradients: list[Tensor | None]) -> Sequence[Any]:
        full: list[Any] = [None] * len(values)
        for i, gradient in zip(positions, gradients, strict=True):
            full[i] = gradient
        changed = watch(full)
        return [changed[i] for i in positions]

    gate = Gate(tensors, spread)
    passed = list(values)
    for index, position in enumerate(positions):
        if gate.edges[index] is not None:
            tensor = wrap(tensors[index]._array, Port(gate, index))
            tensor._counter = shared_counter(tensors[index])
            passed[position] = tensor
    return tuple(passed)


class _Gates:
    """The two gates of one call, and the output gradients on their way from one to the other."""

    def __init__(self, module: Module, hooks: list[Callable[..., Any]]) -> None:
        self.module = module
        self.hooks = hooks
        self.pre_hooks = [*BACKWARD_PRE.values(), *module._backward_pre_hooks.values()]
        self.input_count = 0
        self.inputs_recorded = False
        self.grad_output: tuple[Any, ...] | None = None

    def at_inputs(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        self.input_count = len(args)
        passed = _pass_through(args, self._watch_inputs)
        self.inputs_recorded = passed is not None
        return args if passed is None else passed

    def at_outputs(self, result: Any) -> Any:
        if not isinstance(result, (Tensor, tuple)):
            warnings.warn(
                "For backward hooks to be called, module output should be a Tensor or a tuple of Tensors but "
                f"received {type(result)}",
                stacklevel=4,
            )
            return result
        values = result if isinstance(result, tuple) else (result,)
        passed = _pass_through(values, self._watch_outputs)
        if passed is None:
            return result
        if isinstance(result, Tensor):
            return passed[0]
        return passed if type(result) is tuple else type(result)(*passed)

    def _watch_outputs(self, gradients: list[Any]) -> Sequence[Any]:
        grad_output: Sequence[Any] = tuple(gradients)
        for hook in self.pre_hooks:
            changed = hook(self.module, grad_output)
            if changed is not None:
                grad_output = _checked("Backward pre hook", "grad_output", changed, len(gradients))
        if self.inputs_recorded:
            self.grad_output = tuple(grad_output)
        elif self.hooks:
            self._call_without_inputs(tuple(grad_output))
        return grad_output

    def _call_without_inputs(self, grad_output: tuple[Any, ...]) -> None:
        warnings.warn(
            "Full backward hook is firing when gradients are computed with respect to module outputs since no "
            "inputs require gradients.",
            stacklevel=2,
        )
        for hook in self.hooks:
            changed = hook(self.module, (None,) * self.input_count, grad_output)
            if changed is not None and any(gradient is not None for gradient in changed):
                raise RuntimeError(
                    "Backward hook for Modules where no input requires gradient should always return None or None "
                    "for all gradients."
                )

    def _watch_inputs(self, gradients: list[Any]) -> Sequence[Any]:
        grad_input: Sequence[Any] = tuple(gradients)
        if self.grad_output is None:  # the gradient came another way than through the module's outputs
            return grad_input
        for hook in self.hooks:
            changed = hook(self.module, grad_input, self.grad_output)
            if changed is not None:
                grad_input = _checked("Backward hook", "grad_input", changed, len(gradients))
        self.grad_output = None
        return grad_input


def _checked(kind: str, name: str, changed: Any, expected: int) -> tuple[Any, ...]:
    changed = (changed,) if isinstance(changed, Tensor) else tuple(changed)
    if len(changed) != expected:
        raise RuntimeError(f"{kind} returned an invalid number of {name}, got {len(changed)}, but expected {expected}")
    return changed
