"""`profile`: a block of code, measured."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterable
from typing import Any

from .events import EventList, FunctionEventAvg
from .recording import Recorder, record_function
from .schedules import ProfilerAction, ProfilerActivity

__all__ = ["profile", "supported_activities"]

RECORDING = (ProfilerAction.RECORD, ProfilerAction.RECORD_AND_SAVE)


def supported_activities() -> set[ProfilerActivity]:
    """What can be measured: the CPU."""
    return {ProfilerActivity.CPU}


class profile:
    """Measures operators, backward passes and `record_function` ranges inside a ``with`` block.

    It takes the arguments of ``torch.profiler.profile`` and of the older ``torch.autograd.profiler.profile``. Operators
    take their general way while it runs: small ones are slower than without.

    Args:
        enabled: False measures nothing.
        activities: any but the CPU gives a warning.
        schedule: a function from the number of a step to a `ProfilerAction`; steps end with `step`.
        on_trace_ready: called with the profile when the events of a round are complete.
        record_shapes: keep the shapes of inputs.
        profile_memory: add up the bytes of results.
        with_stack: keep the lines of the user's code.
        with_flops, with_modules, use_kineto, experimental_config: accepted; nothing is counted for them.
        use_cuda, use_device: anything but the CPU gives a warning.
        acc_events: keep the events of all rounds, not of the last one.

    Raises:
        RuntimeError: another profile is running.

    >>> import autograd
    >>> x = autograd.ones(2, requires_grad=True)
    >>> with autograd.profiler.profile(record_shapes=True) as prof:
    ...     x.exp().sum().backward()
    >>> {event.key: event.count for event in prof.key_averages()}["ExpBackward0"]
    1
    """

    def __init__(
        self,
        enabled: bool = True,
        *,
        activities: Iterable[ProfilerActivity] | None = None,
        schedule: Callable[[int], ProfilerAction] | None = None,
        on_trace_ready: Callable[..., Any] | None = None,
        record_shapes: bool = False,
        profile_memory: bool = False,
        with_stack: bool = False,
        with_flops: bool = False,
        with_modules: bool = False,
        use_cuda: bool | None = None,
        use_device: str | None = None,
        use_cpu: bool = True,
        use_kineto: bool = False,
        experimental_config: Any = None,
        acc_events: bool = False,
    ) -> None:
        wanted = set(supported_activities() if activities is None else activities)
        if use_cuda or use_device is not None or wanted - supported_activities():
            warnings.warn("CUDA is not available, disabling CUDA profiling", UserWarning, stacklevel=2)
        self.enabled = enabled and (use_cpu and ProfilerActivity.CPU in wanted)
        self.schedule = schedule or (lambda step: ProfilerAction.RECORD)
        self.record_steps = schedule is not None
        self.on_trace_ready = on_trace_ready
        self.record_shapes, self.profile_memory, self.with_stack = record_shapes, profile_memory, with_stack
        self.acc_events = acc_events
        self.step_num = 0
        self.current_action = self.schedule(0)
        self.metadata: dict[str, Any] = {}
        self._recorder: Recorder | None = None
        self._step: record_function | None = None
        self._events: EventList | None = None

    # --- Beginning and end -----------------------------------------------------------------------------------------

    def __enter__(self) -> profile:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def start(self) -> None:
        """Begins with step 0."""
        self._record()
        self._begin_step()

    def stop(self) -> None:
        """Ends the profile."""
        self._end_step()
        if self._save() and self.on_trace_ready is not None:
            self.on_trace_ready(self)

    def step(self) -> None:
        """Tells that a step of the program has ended and the next begins."""
        self._end_step()
        before, self.step_num = self.current_action, self.step_num + 1
        self.current_action = self.schedule(self.step_num)
        if before is ProfilerAction.RECORD_AND_SAVE:
            if self._save() and self.on_trace_ready is not None:
                self.on_trace_ready(self)
        elif before is ProfilerAction.RECORD and self.current_action not in RECORDING:
            warnings.warn("Incorrect schedule: RECORD followed by NONE or WARMUP", UserWarning, stacklevel=2)
            self._save()
        self._record()
        self._begin_step()

    def _record(self) -> None:
        if self.enabled and self._recorder is None and self.current_action in RECORDING:
            recorder = Recorder(self.record_shapes, self.profile_memory, self.with_stack)
            recorder.start()
            self._recorder = recorder

    def _save(self) -> bool:
        """Ends measuring; whether it was on."""
        if self._recorder is None:
            return False
        self._recorder.stop()
        before = self._events if self.acc_events and self._events is not None else ()
        self._events = EventList([*before, *self._recorder.events], memory=self.profile_memory)
        self._recorder = None
        return True

    def _begin_step(self) -> None:
        if self.record_steps:
            self._step = record_function(f"ProfilerStep#{self.step_num}")
            self._step.__enter__()

    def _end_step(self) -> None:
        if self._step is not None:
            self._step.__exit__()
            self._step = None

    # --- What was measured -----------------------------------------------------------------------------------------

    def events(self) -> EventList:
        """Every event of the last round, in the order of their beginning.

        Raises:
            AssertionError: the profile has not ended, or measured nothing.
        """
        if self._events is None:
            if not self.enabled:
                return EventList()
            raise AssertionError("Profiler didn't finish running: ask for the events after the with block, or stop()")
        return self._events

    @property
    def function_events(self) -> EventList:
        """The events, by the older name."""
        return self.events()

    def key_averages(
        self, group_by_input_shape: bool = False, group_by_stack_n: int = 0, group_by_overload_name: bool = False
    ) -> EventList:
        """The events added up by name, and by shapes or lines of code where told so."""
        return self.events().key_averages(group_by_input_shape, group_by_stack_n)

    def total_average(self) -> FunctionEventAvg:
        """All events added up."""
        return self.events().total_average()

    @property
    def self_cpu_time_total(self) -> float:
        """The time of all events in microseconds, counted once."""
        return self.events().self_cpu_time_total

    def table(self, *args: Any, **kwargs: Any) -> str:
        """The single events as text; see `EventList.table`."""
        return self.events().table(*args, **kwargs)

    def __str__(self) -> str:
        return "<unfinished profiler.profile>" if self._events is None and self.enabled else str(self.events())

    __repr__ = __str__

    def add_metadata(self, key: str, value: str) -> None:
        """Adds a note to the trace that is written."""
        self.metadata[key] = value

    def add_metadata_json(self, key: str, value: str) -> None:
        """Adds a note that is JSON itself."""
        self.metadata[key] = json.loads(value)

    def export_chrome_trace(self, path: Any) -> None:
        """Writes the events as a file for ``chrome://tracing`` and Perfetto, compressed if its name ends in ``.gz``."""
        self.events().export_chrome_trace(path, **self.metadata)

    def export_stacks(self, path: str, metric: str = "self_cpu_time_total") -> None:
        """Writes a line for each event with its lines of code, outermost first, and its time: for flame graphs.

        Raises:
            ValueError: another metric, or the profile did not keep lines of code.
        """
        if metric != "self_cpu_time_total":
            raise ValueError(f"metric should be one of: ['self_cpu_time_total'], but is {metric!r}")
        if not self.with_stack:
            raise ValueError("export_stacks() requires with_stack=True")
        with open(path, "w") as file:
            for event in self.events():
                if event.stack:
                    names = ";".join(line.replace(" ", "_") for line in reversed(event.stack))
                    file.write(f"{names} {int(event.self_cpu_time_total)}\n")
