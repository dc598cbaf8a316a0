"""Measuring: who enters and leaves what, and when.

Every row passes through `apply_pointwise` or `apply_coarse`, every step of a backward pass through the ``vjp`` of its
node, every other function through a namespace. While a profile runs, those stand-ins that take the time take their
place, and the short paths step aside; afterwards everything is as before, so that a profile costs nothing when off.
"""

from __future__ import annotations

import functools
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ContextDecorator
from types import FunctionType
from typing import Any

import numpy as np

from .. import function, graph
from ..kernels.memory import is_root
from ..rows import dispatch, nodes, public, table
from ..tensor import Tensor, TensorLeaf
from .events import FunctionEvent

__all__ = ["Recorder", "record_function"]


class _Here(threading.local):
    recorder: Recorder | None = None
    open: FunctionEvent | None = None  # what it has begun and not ended in this thread


_here = _Here()
_running: Recorder | None = None


class Recorder:
    """Measures everything between `start` and `stop`; one at a time.

    Attributes:
        events: what was measured, in the order of its beginning.
    """

    def __init__(self, shapes: bool, memory: bool, stack: bool) -> None:
        self.shapes, self.memory, self.stack = shapes, memory, stack
        self.events: list[FunctionEvent] = []
        self.began = self.ended = 0

    def start(self) -> None:
        """Begins to measure.

        Raises:
            RuntimeError: another profile is running.
        """
        global _running
        if _running is not None:
            raise RuntimeError("Profiler is already enabled on this thread: end the profile that is running first")
        _running = self
        self.began = time.perf_counter_ns()
        graph.watch(True)
        _replace(_stand_ins())

    def stop(self) -> None:
        """Ends measuring; what is still open ends now."""
        global _running
        _replace({id(new): old for old, new in _installed})
        _installed.clear()
        graph.watch(False)
        _running = None
        self.ended = time.perf_counter_ns()
        for event in self.events:
            if not event.end:
                event.end = self.ended

    def enter(self, name: str, inputs: Any = (), annotated: bool = False) -> FunctionEvent | None:
        """Begins an event; None where it is a part of one of the same name, as a function and its row are."""
        if _here.recorder is not self:
            _here.recorder, _here.open = self, None
        parent = _here.open
        if parent is not None and parent.name == name and not annotated:
            return None
        shapes = [_shape(value) for value in inputs] if self.shapes else []
        event = FunctionEvent(len(self.events) + 1, name, threading.get_ident(), shapes, parent, annotated)
        if self.stack:
            event.stack = list(_user_frames())
        self.events.append(event)
        _here.open = event
        event.start = time.perf_counter_ns()
        return event

    def leave(self, event: FunctionEvent, result: Any = None) -> None:
        """Ends an event with what it made."""
        event.end = time.perf_counter_ns()
        _here.open = event.cpu_parent
        if self.memory:
            made = sum(_bytes(each) for each in (result if isinstance(result, (list, tuple)) else (result,)))
            event.cpu_memory_usage = max(made, sum(child.cpu_memory_usage for child in event.cpu_children))


def _shape(value: Any) -> list[Any]:
    if isinstance(value, (list, tuple)) and value and isinstance(value[0], (Tensor, np.ndarray)):
        return [list(each.shape) for each in value]
    return list(value.shape) if isinstance(value, (Tensor, np.ndarray)) else []


def _bytes(value: Any) -> int:
    """The memory that came with a result: none with a view."""
    array = value._array if type(value) is Tensor else value
    return array.nbytes if isinstance(array, np.ndarray) and is_root(array) else 0


def _user_frames() -> Iterator[str]:
    package = __name__.split(".", 1)[0]
    frame: Any = sys._getframe(3)
    while frame is not None:
        if str(frame.f_globals.get("__name__", "")).split(".", 1)[0] != package:
            yield f"{frame.f_code.co_filename}({frame.f_lineno}): {frame.f_code.co_name}"
        frame = frame.f_back


# --- Stand-ins -------------------------------------------------------------------------------------------------------

_installed: list[tuple[Any, Any]] = []  # (function, its stand-in)

# (class, method): what a backward pass calls, and rows on arrays inside it.
_METHODS = [
    (nodes.RowNode, "vjp"), (nodes.PointwiseNode, "vjp"), (nodes.ComplexNode, "vjp"), (nodes.WideNode, "vjp"),
    (nodes.ManyNode, "vjp"), (function.BackwardNode, "vjp"), (TensorLeaf, "receive"),
    (table.PointwiseRow, "compute"), (table.CoarseRow, "compute"),
]  # fmt: skip


def _measured(call: Callable[..., Any], name: Callable[..., str], inputs: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(call)
    def stand_in(*args: Any, **kwargs: Any) -> Any:
        recorder = _running
        event = None if recorder is None else recorder.enter(name(*args), inputs(*args))
        if recorder is None or event is None:
            return call(*args, **kwargs)
        result = None
        try:
            result = call(*args, **kwargs)
            return result
        finally:
            recorder.leave(event, result)

    return stand_in


def _stand_ins() -> dict[int, Any]:
    """For the id of every function that is measured, what takes its place."""
    of_row = lambda row, *args: f"aten::{row.name}"  # noqa: E731
    for call in (dispatch.apply_pointwise, dispatch.apply_coarse):
        _installed.append((call, _measured(call, of_row, lambda row, values: values)))
    for cls, name in _METHODS:
        method = vars(cls)[name]
        if name == "compute":
            _installed.append((method, _measured(method, of_row, lambda row, *args: args)))
        else:
            _installed.append((method, _measured(method, lambda node, *args: node.name(), lambda node, g, *args: (g,))))
    seen: set[int] = set()
    for space in public.NAMESPACES.values():
        for name, call in space.items():
            if isinstance(call, FunctionType) and not hasattr(call, "row") and id(call) not in seen:
                seen.add(id(call))
                title = f"aten::{name}"
                _installed.append((call, _measured(call, lambda *args, title=title: title, lambda *args: args)))
    return {id(old): new for old, new in _installed}


def _replace(others: dict[int, Any]) -> None:
    """Puts other functions in the places of those with the given ids: modules, namespaces, classes."""
    modules = [vars(m) for n, m in list(sys.modules.items()) if n.partition(".")[0] in ("autograd", "nn", "optim")]
    for names in (*modules, *public.NAMESPACES.values()):
        for name, value in list(names.items()):
            if id(value) in others and names is not globals():
                names[name] = others[id(value)]
    for cls in (Tensor, *dict.fromkeys(cls for cls, _ in _METHODS)):
        for name, value in list(vars(cls).items()):
            if id(value) in others:
                setattr(cls, name, others[id(value)])


class record_function(ContextDecorator):
    """A name for what happens inside a ``with`` block or a function, as it appears in a profile.

    Args:
        name: of the range.
        args: a note, kept on the event.

    >>> import autograd
    >>> with autograd.profiler.profile() as prof, autograd.profiler.record_function("all of it"):
    ...     y = autograd.ones(3).exp()
    >>> [event.name for event in prof.events() if event.is_user_annotation]
    ['all of it']
    """

    def __init__(self, name: str, args: str | None = None) -> None:
        self.name, self.args = name, args
        self._open: list[tuple[Recorder, FunctionEvent] | None] = []

    def __enter__(self) -> record_function:
        event = _running.enter(self.name, annotated=True) if _running is not None else None
        self._open.append((_running, event) if _running is not None and event is not None else None)
        return self

    def __exit__(self, *error: object) -> None:
        entry = self._open.pop()
        if entry is not None and not entry[1].end:
            entry[0].leave(entry[1])

    def _recreate_cm(self) -> record_function:
        return record_function(self.name, self.args)
