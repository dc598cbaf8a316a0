"""Memory for time: activations that are computed again in the backward pass, as ``torch.utils.checkpoint``."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import Any

from .. import pytree
from ..differentiation import backward
from ..function import Function
from ..graph import enable_grad, no_grad, state
from ..hooks import saved_tensors_hooks
from ..ops.random import get_rng_state, set_rng_state
from ..rows.packing import pack_tensor, unpack_tensor
from ..tensor import Tensor

__all__ = [
    "CheckpointError",
    "CheckpointFunction",
    "check_backward_validity",
    "checkpoint",
    "checkpoint_sequential",
    "detach_variable",
    "get_device_states",
    "noop_context_fn",
    "set_checkpoint_debug_enabled",
    "set_checkpoint_early_stop",
    "set_device_states",
]

Contexts = tuple[AbstractContextManager[Any], AbstractContextManager[Any]]


class CheckpointError(RuntimeError):
    """The second run of a checkpointed function did not save what the first did."""


class _Settings:
    early_stop = True  # False inside `set_checkpoint_early_stop(False)`
    debug: bool | None = None


@contextmanager
def set_checkpoint_early_stop(enable: bool) -> Iterator[None]:
    """Inside, whether `checkpoint` ends the second run as soon as everything needed is there, whatever it was told."""
    before, _Settings.early_stop = _Settings.early_stop, enable
    try:
        yield
    finally:
        _Settings.early_stop = before


@contextmanager
def set_checkpoint_debug_enabled(enabled: bool | None) -> Iterator[None]:
    """Inside, whether errors of `checkpoint` list what both runs saved; None leaves it to each call."""
    before, _Settings.debug = _Settings.debug, enabled
    try:
        yield
    finally:
        _Settings.debug = before


def noop_context_fn() -> Contexts:
    """Two contexts that do nothing: the default for both runs."""
    return nullcontext(), nullcontext()


def detach_variable(inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """The same values without history; what required grad requires it."""
    if not isinstance(inputs, tuple):
        raise RuntimeError(f"Only tuple of tensors is supported. Got Unsupported input type: {type(inputs).__name__}")
    return tuple(
        value.detach().requires_grad_(value.requires_grad) if isinstance(value, Tensor) else value for value in inputs
    )


def check_backward_validity(inputs: Iterable[Any]) -> None:
    """Warns when none of the inputs requires grad: then a reentrant checkpoint gives no gradients."""
    if not any(isinstance(value, Tensor) and value.requires_grad for value in inputs):
        warnings.warn("None of the inputs have requires_grad=True. Gradients will be None", UserWarning, stacklevel=2)


def get_device_states(*args: Any) -> tuple[list[int], list[Tensor]]:
    """Random states of devices other than the CPU: there are none."""
    return [], []


def set_device_states(devices: Sequence[int], states: Sequence[Tensor], *, device_type: str | None = None) -> None:
    """Sets what `get_device_states` gave.

    Raises:
        RuntimeError: a device other than the CPU is named.
    """
    if devices or states:
        raise RuntimeError(f"set_device_states: there is only the CPU, but devices {list(devices)} were given")


def _given(operator: str, use_reentrant: bool | None) -> bool:
    """What was given, or with a warning PyTorch's old default."""
    if use_reentrant is not None:
        return use_reentrant
    warnings.warn(
        f"utils.checkpoint.{operator}: the use_reentrant parameter should be passed explicitly. use_reentrant=False is "
        "recommended, but if you need to preserve the current behavior, you can pass use_reentrant=True.",
        UserWarning,
        stacklevel=3,
    )
    return True


def checkpoint(
    function: Callable[..., Any],
    *args: Any,
    use_reentrant: bool | None = None,
    context_fn: Callable[[], Contexts] = noop_context_fn,
    determinism_check: str = "default",
    debug: bool = False,
    early_stop: bool = True,
    **kwargs: Any,
) -> Any:
    """``function(*args, **kwargs)`` without keeping its intermediate values: the backward pass computes them again.

    Args:
        function: must compute the same when it is run again.
        use_reentrant: True keeps nothing but the inputs and runs a backward pass within the backward pass: at least
            one input must require grad, and only ``backward()`` without ``inputs`` is possible. False leaves out the
            saved values alone, one by one, and is without these limits; it should be preferred.
        context_fn: two contexts, for the first run and for the second.
        determinism_check: ``"default"`` compares shapes and dtypes of what both runs save, ``"none"`` does not.
        debug: errors list what both runs saved.
        early_stop: end the second run when all that is needed is there.
        kwargs: those of ``function``; ``preserve_rng_state=True`` gives both runs the same random numbers.

    Raises:
        ValueError: options that do not go together.
        CheckpointError: in the backward pass, when the second run saves something else.

    >>> import autograd
    >>> from autograd.utils.checkpoint import checkpoint
    >>> x = autograd.tensor([0.0, 1.0], requires_grad=True)
    >>> checkpoint(lambda x: x.exp().square(), x, use_reentrant=False).sum().backward()
    >>> x.grad
    tensor([ 2.0000, 14.7781])
    """
    use_reentrant = _given("checkpoint", use_reentrant)
    preserve = kwargs.pop("preserve_rng_state", True)
    if use_reentrant:
        if kwargs:
            raise ValueError(f"Unexpected keyword arguments: {','.join(kwargs)}")
        if context_fn is not noop_context_fn or debug:
            raise ValueError("Passing `context_fn` or `debug` is only supported when use_reentrant=False.")
        check_backward_validity(args)
        return CheckpointFunction.apply(function, preserve, *args)
    if determinism_check not in ("default", "none"):
        raise ValueError(f"determinism_check should be one of ['default', 'none'], but got {determinism_check}")
    first, second = context_fn()
    if not state.grad:
        with first:
            return function(*args, **kwargs)
    run = _Run(function, args, kwargs, preserve, second)
    run.compares = determinism_check == "default"
    run.debug = debug if _Settings.debug is None else _Settings.debug
    run.stops_early = early_stop and _Settings.early_stop
    with saved_tensors_hooks(run.pack, run.unpack), first:
        return function(*args, **kwargs)


@contextmanager
def _random_numbers_from(start: Tensor | None) -> Iterator[None]:
    """Inside, random numbers go on from a state, and behind it from where they were."""
    if start is None:
        yield
        return
    before = get_rng_state()
    set_rng_state(start)
    try:
        yield
    finally:
        set_rng_state(before)


class CheckpointFunction(Function):
    """The reentrant way: one operator that keeps its inputs, and whose backward runs the function and goes back."""

    @staticmethod
    def forward(ctx: Any, run_function: Callable[..., Any], preserve_rng_state: bool, *args: Any) -> Any:
        ctx.run_function = run_function
        ctx.random_state = get_rng_state() if preserve_rng_state else None
        ctx.inputs = [None if isinstance(value, Tensor) else value for value in args]
        ctx.places = [i for i, value in enumerate(args) if isinstance(value, Tensor)]
        ctx.save_for_backward(*(value for value in args if isinstance(value, Tensor)))
        with no_grad():
            return run_function(*args)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        if state.running is not None and state.running[1] is not None:
            raise RuntimeError(
                "When use_reentrant=True, checkpoint is incompatible with .grad() or passing an `inputs` parameter to "
                ".backward(). To resolve this error, you can either set use_reentrant=False, or call .backward() "
                "without passing the `inputs` argument."
            )
        inputs = list(ctx.inputs)
        for place, tensor in zip(ctx.places, ctx.saved_tensors, strict=True):
            inputs[place] = tensor
        detached = detach_variable(tuple(inputs))
        with _random_numbers_from(ctx.random_state), enable_grad():
            outputs = ctx.run_function(*detached)
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        pairs = [
            (output, g)
            for output, g in zip(outputs, grad_outputs, strict=True)
            if isinstance(output, Tensor) and output.requires_grad
        ]
        if not pairs:
            raise RuntimeError("none of output has requires_grad=True, this checkpoint() is not necessary")
        backward([output for output, _ in pairs], [g for _, g in pairs])
        return None, None, *(value.grad if isinstance(value, Tensor) else None for value in detached)


class _Enough(BaseException):
    """Ends the second run: all that is needed is there. No `except Exception` on the way may hold it up."""


class _Run:
    """One checkpointed call, the other way: each saved value is replaced by its number, and when one is asked for, the
    function runs again and the values of that run take the numbers' places."""

    compares = stops_early = True
    debug = False

    def __init__(
        self, function: Callable[..., Any], args: Any, kwargs: Any, preserve: bool, context: AbstractContextManager[Any]
    ) -> None:
        self.function, self.context = function, context
        self.random_state = get_rng_state() if preserve else None
        self.saved: list[tuple[Any, Any]] = []  # shape and dtype of what the first run saved
        self.values: dict[int, Tensor] = {}
        leaves, self.structure = pytree.flatten((args, kwargs))
        # A checkpoint around this one packs what this one keeps.
        self.outer = state.packing
        self.leaves = [self._keep(leaf) for leaf in leaves]

    def _keep(self, leaf: Any) -> Any:
        if self.outer is None or not isinstance(leaf, Tensor):
            return leaf
        packed, unpack, needs_grad = pack_tensor(self.outer[0], leaf.detach()), self.outer[1], leaf.requires_grad
        return _Kept(lambda: unpack_tensor(unpack, packed).detach().requires_grad_(needs_grad))

    def pack(self, tensor: Tensor) -> int:
        """Takes a value of the first run; gives its number."""
        self.saved.append((tensor.shape, tensor.dtype))
        return len(self.saved) - 1

    def unpack(self, number: int) -> Tensor:
        """The value of that number; each is given once, and the next backward pass computes anew."""
        if number not in self.values:
            self._again()
        return self.values.pop(number)

    def _again(self) -> None:
        found: list[Tensor] = []

        def take(tensor: Tensor) -> Tensor:
            if len(found) == len(self.saved):
                self._fail(
                    "trying to save more tensors during recomputation than during the original forward pass", found
                )
            found.append(tensor.detach())
            if self.stops_early and len(found) == len(self.saved):
                raise _Enough
            return tensor

        leaves = [leaf.value() if isinstance(leaf, _Kept) else leaf for leaf in self.leaves]
        args, kwargs = pytree.unflatten(leaves, self.structure)
        hooks = saved_tensors_hooks(take, lambda tensor: tensor)
        with _random_numbers_from(self.random_state), enable_grad(), hooks, self.context, suppress(_Enough):
            self.function(*args, **kwargs)
        if len(found) != len(self.saved):
            self._fail(
                "a different number of tensors was saved during the original forward and recomputation: "
                f"{len(self.saved)} during forward, {len(found)} during recomputation",
                found,
            )
        for number, (tensor, facts) in enumerate(zip(found, self.saved, strict=True)):
            if self.compares and facts != (tensor.shape, tensor.dtype):
                self._fail(
                    "recomputed values have different metadata than during the forward pass: the tensor at position "
                    f"{number} had shape {list(facts[0])} and {facts[1]}, but now has shape {list(tensor.shape)} and "
                    f"{tensor.dtype}",
                    found,
                )
        self.values = dict(enumerate(found))

    def _fail(self, problem: str, found: list[Tensor]) -> None:
        message = f"checkpoint: {problem}. The function must compute the same when it is run again."
        if self.debug:
            first = [(list(shape), dtype) for shape, dtype in self.saved]
            message += f"\nForward: {first}\nRecomputation: {[(list(t.shape), t.dtype) for t in found]}"
        raise CheckpointError(message)


class _Kept:
    """An argument in the keeping of an outer checkpoint."""

    def __init__(self, value: Callable[[], Tensor]) -> None:
        self.value = value


def checkpoint_sequential(
    functions: Any, segments: int, input: Any, use_reentrant: bool | None = None, **kwargs: Any
) -> Any:
    """Calls ``functions`` one after the other, in ``segments`` pieces of which all but the last are checkpointed.

    Args:
        functions: an ``nn.Sequential``, or a sequence of modules or functions of one argument.
        segments: number of pieces.
        input: for the first function.
        use_reentrant: as for `checkpoint`.
        kwargs: ``preserve_rng_state`` alone.

    >>> import autograd
    >>> from autograd.utils.checkpoint import checkpoint_sequential
    >>> steps = [autograd.sin, autograd.exp, autograd.square]
    >>> checkpoint_sequential(steps, 3, autograd.zeros(1, requires_grad=True), use_reentrant=False)
    tensor([1.], grad_fn=<PowBackward0>)
    """
    use_reentrant = _given("checkpoint_sequential", use_reentrant)
    preserve = kwargs.pop("preserve_rng_state", True)
    if kwargs:
        raise ValueError(f"Unexpected keyword arguments: {','.join(kwargs)}")
    steps = list(functions.children()) if hasattr(functions, "children") else list(functions)

    def run(piece: Sequence[Callable[[Any], Any]]) -> Callable[[Any], Any]:
        def forward(value: Any) -> Any:
            for step in piece:
                value = step(value)
            return value

        return forward

    size = len(steps) // segments
    last = size * (segments - 1)
    for start in range(0, last, size) if size else ():
        input = checkpoint(
            run(steps[start : start + size]), input, use_reentrant=use_reentrant, preserve_rng_state=preserve
        )
    return run(steps[last:])(input)
