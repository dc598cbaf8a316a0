"""Where the time goes: the names of ``torch.profiler`` and of ``torch.autograd.profiler``.

While no profile runs, nothing is measured and nothing is slower.
"""

from .events import EventList, FunctionEvent, FunctionEventAvg
from .profile import profile, supported_activities
from .recording import record_function
from .schedules import ProfilerAction, ProfilerActivity, schedule, tensorboard_trace_handler

__all__ = [
    "EventList",
    "FunctionEvent",
    "FunctionEventAvg",
    "ProfilerAction",
    "ProfilerActivity",
    "profile",
    "record_function",
    "schedule",
    "supported_activities",
    "tensorboard_trace_handler",
]
