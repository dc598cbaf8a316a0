"""What was measured: single events, their averages by name, tables and traces of them."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterable
from typing import Any

__all__ = ["EventList", "FunctionEvent", "FunctionEventAvg"]


def _time(microseconds: float) -> str:
    if microseconds >= 1e6:
        return f"{microseconds / 1e6:.3f}s"
    return f"{microseconds / 1e3:.3f}ms" if microseconds >= 1e3 else f"{microseconds:.3f}us"


def _memory(count: int) -> str:
    for unit, size in (("GB", 1 << 30), ("MB", 1 << 20), ("KB", 1 << 10)):
        if abs(count) >= size:
            return f"{count / size:.2f} {unit}"
    return f"{count} B"


class _Times:
    """What events and averages have in common; times are in microseconds. Nothing runs on another device."""

    count: int
    cpu_time_total: float
    self_cpu_time_total: float
    device_time = device_time_total = self_device_time_total = 0.0
    device_memory_usage = self_device_memory_usage = 0
    cuda_time = cuda_time_total = self_cuda_time_total = 0.0
    cuda_memory_usage = self_cuda_memory_usage = 0
    flops = 0

    @property
    def cpu_time(self) -> float:
        """Of one call."""
        return self.cpu_time_total / self.count if self.count else 0.0

    @property
    def cpu_time_str(self) -> str:
        return _time(self.cpu_time)

    @property
    def cpu_time_total_str(self) -> str:
        return _time(self.cpu_time_total)

    @property
    def self_cpu_time_total_str(self) -> str:
        return _time(self.self_cpu_time_total)


class FunctionEvent(_Times):
    """One call of an operator, one step of a backward pass, or one range of `record_function`.

    Attributes:
        name: such as ``aten::mul``, ``MulBackward0`` or the range's own.
        start, end: nanoseconds of a clock.
        cpu_parent, cpu_children: the events around it and in it.
        input_shapes: of its tensors, where the profile was told to record them.
        cpu_memory_usage: bytes of the results, where it was told so.
        stack: lines of the user's code, where it was told so.
    """

    count = 1

    def __init__(
        self, id: int, name: str, thread: int, shapes: list[Any], parent: FunctionEvent | None, annotated: bool
    ) -> None:
        self.id, self.name, self.thread, self.input_shapes = id, name, thread, shapes
        self.is_user_annotation = annotated
        self.start = self.end = 0
        self.cpu_parent = parent
        self.cpu_children: list[FunctionEvent] = []
        self.cpu_memory_usage = 0
        self.stack: list[str] = []
        if parent is not None:
            parent.cpu_children.append(self)

    @property
    def key(self) -> str:
        return self.name

    @property
    def cpu_time_total(self) -> float:  # type: ignore[override]
        return (self.end - self.start) / 1000

    @property
    def self_cpu_time_total(self) -> float:  # type: ignore[override]
        return self.cpu_time_total - sum(child.cpu_time_total for child in self.cpu_children)

    @property
    def self_cpu_memory_usage(self) -> int:
        return self.cpu_memory_usage - sum(child.cpu_memory_usage for child in self.cpu_children)

    def __repr__(self) -> str:
        return (
            f"<FunctionEvent id={self.id} name={self.name} cpu_time={self.cpu_time_str} thread={self.thread} "
            f"cpu_children={[child.id for child in self.cpu_children]} input_shapes={self.input_shapes} "
            f"cpu_memory_usage={self.cpu_memory_usage}>"
        )


class FunctionEventAvg(_Times):
    """All events of one name, added up."""

    def __init__(self, key: str = "", input_shapes: Any = "", stack: Iterable[str] = ()) -> None:
        self.key, self.input_shapes, self.stack = key, input_shapes, list(stack)
        self.count = 0
        self.cpu_time_total = self.self_cpu_time_total = 0.0
        self.cpu_memory_usage = self.self_cpu_memory_usage = 0
        self.is_user_annotation = False

    def add(self, other: Any) -> FunctionEventAvg:
        """Takes another event, or average, in."""
        self.count += other.count
        self.cpu_time_total += other.cpu_time_total
        self.self_cpu_time_total += other.self_cpu_time_total
        self.cpu_memory_usage += other.cpu_memory_usage
        self.self_cpu_memory_usage += other.self_cpu_memory_usage
        self.is_user_annotation |= other.is_user_annotation
        return self

    __iadd__ = add

    def __repr__(self) -> str:
        return (
            f"<FunctionEventAvg key={self.key} self_cpu_time={self.self_cpu_time_total_str} "
            f"cpu_time={self.cpu_time_str}  self_cuda_time=0.000us cuda_time=0.000us "
            f"input_shapes={self.input_shapes} cpu_memory_usage={self.cpu_memory_usage} cuda_memory_usage=0>"
        )


class EventList(list[Any]):
    """Events, or averages of them."""

    def __init__(self, events: Iterable[Any] = (), *, memory: bool = False) -> None:
        super().__init__(events)
        self.memory = memory

    def __str__(self) -> str:
        return self.table()

    @property
    def self_cpu_time_total(self) -> float:
        """The time of everything, counted once."""
        return sum(event.self_cpu_time_total for event in self)

    def key_averages(self, group_by_input_shape: bool = False, group_by_stack_n: int = 0, **_: Any) -> EventList:
        """The events added up by name.

        Args:
            group_by_input_shape: by the shapes of their inputs, too.
            group_by_stack_n: by so many lines of the user's code, too.
        """
        groups: dict[Any, FunctionEventAvg] = {}
        for event in self:
            shapes = str(event.input_shapes) if group_by_input_shape else ""
            stack = tuple(event.stack[:group_by_stack_n])
            key = event.key, shapes, stack
            if key not in groups:
                groups[key] = FunctionEventAvg(event.key, shapes, stack)
            groups[key].add(event)
        return EventList(groups.values(), memory=self.memory)

    def total_average(self) -> FunctionEventAvg:
        """All events added up."""
        total = FunctionEventAvg("Total")
        for event in self:
            total.add(event)
        return total

    def table(
        self,
        sort_by: str | None = None,
        row_limit: int = 100,
        max_src_column_width: int = 75,
        max_name_column_width: int = 55,
        max_shapes_column_width: int = 80,
        header: str | None = None,
        top_level_events_only: bool = False,
        time_unit: str | None = None,
    ) -> str:
        """The events as text.

        Args:
            sort_by: the attribute by which they are sorted, the largest first: ``"cpu_time_total"``,
                ``"self_cpu_time_total"``, ``"cpu_memory_usage"``, ``"count"`` ...
            row_limit: rows at most; -1 for all.
            header: a line above.
            top_level_events_only: leave out events inside of others.
            time_unit: ``"s"``, ``"ms"`` or ``"us"`` for all times.

        Raises:
            AttributeError: no event has the attribute ``sort_by``.
        """
        if not self:
            return ""
        rows = [e for e in self if not (top_level_events_only and getattr(e, "cpu_parent", None) is not None)]
        if sort_by is not None:
            rows.sort(key=lambda event: getattr(event, sort_by), reverse=True)
        total = self.self_cpu_time_total
        units = {"s": 1e6, "ms": 1e3, "us": 1.0}
        show = _time if time_unit is None else lambda value: f"{value / units[time_unit]:.3f}{time_unit}"
        share = lambda part: f"{part / total if total else 0:.2%}"  # noqa: E731
        titles = ["Name", "Self CPU %", "Self CPU", "CPU total %", "CPU total", "CPU time avg"]
        titles += ["CPU Mem", "Self CPU Mem"] * self.memory + ["# of Calls"]
        has_shapes, has_stack = any(e.input_shapes for e in rows), any(e.stack for e in rows)
        titles += ["Input Shapes"] * has_shapes + ["Source Location"] * has_stack
        lines = []
        for event in rows if row_limit < 0 else rows[:row_limit]:
            cells = [_cut(event.key, max_name_column_width - 3)]
            cells += [share(event.self_cpu_time_total), show(event.self_cpu_time_total)]
            cells += [share(event.cpu_time_total), show(event.cpu_time_total), show(event.cpu_time)]
            cells += [_memory(event.cpu_memory_usage), _memory(event.self_cpu_memory_usage)] * self.memory
            cells += [str(event.count)]
            cells += [_cut(str(event.input_shapes), max_shapes_column_width)] * has_shapes
            cells += [_cut(event.stack[0] if event.stack else "", max_src_column_width)] * has_stack
            lines.append(cells)
        widths = [12] * len(titles)
        for column in (0, *range(len(titles) - has_shapes - has_stack, len(titles))):
            widths[column] = max(12, *(len(cells[column]) + 4 for cells in lines)) if lines else 12
        rule = "".join("-" * width + "  " for width in widths)
        body = ["".join(f"{cell:>{width}}  " for cell, width in zip(cells, widths, strict=True)) for cells in lines]
        top = [] if header is None else ["=" * len(rule), header]
        titled = "".join(f"{title:>{width}}  " for title, width in zip(titles, widths, strict=True))
        return "\n".join([*top, rule, titled, rule, *body, rule, f"Self CPU time total: {show(total)}", ""])

    def export_chrome_trace(self, path: Any, **notes: Any) -> None:
        """Writes the events as a file for ``chrome://tracing`` and Perfetto, compressed if its name ends in ``.gz``."""
        trace = {"schemaVersion": 1, "displayTimeUnit": "ms", "traceEvents": [_traced(e) for e in self], **notes}
        with gzip.open(path, "wt") if str(path).endswith(".gz") else open(path, "w") as file:
            json.dump(trace, file)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 3] + "..."


def _traced(event: FunctionEvent) -> dict[str, Any]:
    return {
        "ph": "X",
        "cat": "user_annotation" if event.is_user_annotation else "cpu_op",
        "name": event.name,
        "pid": os.getpid(),
        "tid": event.thread,
        "ts": event.start / 1000,
        "dur": event.cpu_time_total,
        "args": {"External id": event.id, "Input Dims": event.input_shapes, "Call stack": ";".join(event.stack)},
    }
