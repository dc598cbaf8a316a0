"""`compile` and what belongs to it: the names of ``torch.compiler``.

Here every operator is a compiled loop or one call of a compiled library already, at its first use and without being
asked. So `compile` has nothing left to translate: it checks its options and returns an object that runs the same
program, which gives the same numbers to the last bit, at the same speed. No operators are fused, no graph is captured,
and ``fullgraph=True`` is true of every program.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

__all__ = [
    "allow_in_graph",
    "assume_constant_result",
    "compile",
    "cudagraph_mark_step_begin",
    "disable",
    "is_compiling",
    "is_dynamo_compiling",
    "is_exporting",
    "list_backends",
    "reset",
    "set_stance",
]

BACKENDS = ("cudagraphs", "inductor", "openxla", "tvm")
DEBUGGING_BACKENDS = ("aot_eager", "aot_eager_decomp_partition", "eager")
MODES = ("default", "lite", "reduce-overhead", "max-autotune-no-cudagraphs", "max-autotune")
STANCES = ("default", "force_eager", "eager_on_recompile", "fail_on_recompile", "eager_then_compile")


def _check_options(
    *,
    fullgraph: bool = False,
    dynamic: bool | None = None,
    backend: str | Callable[..., Any] = "inductor",
    mode: str | None = None,
    options: dict[str, Any] | None = None,
    disable: bool = False,
) -> None:
    """Raises for options that `compile` refuses.

    Raises:
        RuntimeError: ``mode`` and ``options`` at once, or an unknown mode or backend.
        NotImplementedError: a backend that is a function: there is no graph to call it with.
    """
    if mode is not None and options is not None:
        raise RuntimeError("Either mode or options can be specified, but both can't be specified at the same time.")
    if mode is not None and mode not in MODES:
        raise RuntimeError(f"Unrecognized mode={mode}, should be one of: {', '.join(MODES)}")
    if callable(backend):
        raise NotImplementedError("compile: a backend of one's own needs a captured graph, and none is captured here")
    if backend not in BACKENDS + DEBUGGING_BACKENDS:
        raise RuntimeError(f"Invalid backend: {backend!r}, see `list_backends()` for available backends.")


def compile(
    model: Any = None,
    *,
    fullgraph: bool = False,
    dynamic: bool | None = None,
    backend: str | Callable[..., Any] = "inductor",
    mode: str | None = None,
    options: dict[str, Any] | None = None,
    disable: bool = False,
) -> Any:
    """A module or function that does what ``model`` does: see this module for what is, and is not, compiled.

    Without ``model`` a decorator. A module comes back as an `nn.compiled.OptimizedModule`, whose names in
    ``state_dict`` begin with ``_orig_mod.`` and whose other attributes are those of the module.

    Args:
        fullgraph, dynamic, backend, mode, options: checked, and without effect.
        disable: return ``model`` itself.

    Raises:
        AssertionError: ``model`` cannot be called.
        RuntimeError: options that exclude each other, or an unknown mode or backend.
        NotImplementedError: a backend that is a function.

    >>> import autograd
    >>> @autograd.compile
    ... def square(x):
    ...     return x * x
    >>> square(autograd.tensor([1.0, 2.0]))
    tensor([1., 4.])
    """
    given = {"fullgraph": fullgraph, "dynamic": dynamic, "backend": backend, "mode": mode, "options": options}
    _check_options(**given)  # type: ignore[arg-type]  # a dict of options of several types
    if model is None:
        return lambda model: compile(model, disable=disable, **given)  # type: ignore[arg-type]  # as above
    if not callable(model):
        raise AssertionError(f"A callable function is expected, but {type(model)} is provided.")
    if disable:
        return model
    from nn.module import Module

    if isinstance(model, Module):
        from nn.compiled import OptimizedModule

        return OptimizedModule(model)
    if inspect.isclass(model):
        return model

    @functools.wraps(model)
    def compiled(*args: Any, **kwargs: Any) -> Any:
        return model(*args, **kwargs)

    compiled._torchdynamo_orig_callable = model  # type: ignore[attr-defined]  # where PyTorch keeps it
    return compiled


def disable(fn: Any = None, recursive: bool = True, *, reason: str | None = None) -> Any:
    """The function itself, which `compile` leaves alone anyway; a decorator without one."""
    return (lambda fn: fn) if fn is None else fn


def allow_in_graph(fn: Any) -> Any:
    """The function, or the functions, themselves."""
    return fn


def assume_constant_result(fn: Callable[..., Any]) -> Callable[..., Any]:
    """The function itself: it is called every time."""
    return fn


def is_compiling() -> bool:
    """False: a program is never run for the sake of its graph."""
    return False


def is_dynamo_compiling() -> bool:
    """False, as `is_compiling`."""
    return False


def is_exporting() -> bool:
    """False, as `is_compiling`."""
    return False


def list_backends(exclude_tags: Any = ("debug", "experimental")) -> list[str]:
    """The backends that `compile` takes by name."""
    return sorted(BACKENDS + (() if exclude_tags else DEBUGGING_BACKENDS))


def reset() -> None:
    """Does nothing: `compile` remembers nothing. Compiled loops stay, since they depend on no program."""


def cudagraph_mark_step_begin() -> None:
    """Does nothing: there are no CUDA graphs."""


@contextmanager
def set_stance(stance: str = "default", *, skip_guard_eval_unsafe: bool = False, force_backend: Any = None) -> Iterator:
    """Accepts a block with one of PyTorch's stances; none makes a difference.

    Raises:
        RuntimeError: an unknown stance.
    """
    if stance not in STANCES:
        raise RuntimeError(f"invalid torch.compile stance '{stance}', should be one of: {', '.join(STANCES)}")
    yield
