"""The candidate's side: what runs in the processes that the runner starts.

Little is imported at the top, so that the import of a library is measured with all that it brings.
"""

from __future__ import annotations

import gc
import json
import math
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from typing import Any

__all__ = ["LIBRARIES", "clock", "family", "first_use", "serve"]

LIBRARIES = {"chalkgrad": ("autograd", "nn", "optim"), "torch": ("torch", "torch.nn", "torch.optim")}
MEGABYTE = 1 << 20


def family(name: str) -> Mapping[str, Any]:
    """The workloads of ``benchmarks/<name>.py``."""
    return import_module(f"benchmarks.{name}").WORKLOADS


def makers(name: str, candidate: str) -> Mapping[str, Callable[[], Any]]:
    """What makes the calls of those workloads of the family that the candidate knows; none where it is missing."""
    workloads = family(name)
    try:
        if candidate in LIBRARIES:
            library = import_module("benchmarks.workload").Library(candidate)
            return {title: partial(workload.make, library) for title, workload in workloads.items()}
        known = import_module(f"benchmarks.rivals.{candidate}").WORKLOADS
        return {title: known[title] for title in workloads if title in known}
    except ModuleNotFoundError:
        return {}


def serve(name: str, candidate: str) -> None:
    """Tells which workloads it knows; then reads ``workload, seconds`` and answers with that one's seconds per call."""
    known = makers(name, candidate)
    print(json.dumps(list(known)), flush=True)
    title, call = "", None
    for line in sys.stdin:
        asked, seconds = json.loads(line)
        if asked != title or call is None:
            call = None  # the memory of one workload is free before the next is made
            title, call = asked, known[asked]()
        print(json.dumps(clock(call, seconds)), flush=True)


def clock(call: Callable[[], Any], seconds: float) -> float:
    """Best seconds per call over batches of calls that last a tenth of ``seconds`` each."""
    call()
    calls = 1
    while (best := _batch(call, calls)) * calls < seconds / 10:
        calls *= 2
    deadline = time.perf_counter() + seconds
    while time.perf_counter() < deadline:
        best = min(best, _batch(call, calls))
    return best


def _batch(call: Callable[[], Any], calls: int) -> float:
    start = time.perf_counter()
    for _ in range(calls):
        call()
    return (time.perf_counter() - start) / calls


def first_use(name: str, candidate: str, title: str) -> None:
    """Answers with what a fresh process pays, nothing where the library is missing: seconds of the import and of the
    first call, making the model included; megabytes after the import, at the peak of three calls, and of the workload
    alone.

    The workload alone is the peak of a second round above what is resident once the first has been thrown away:
    without the code that the first call loaded, with the parameters, the activations and what the kernels borrow.
    """
    start = time.perf_counter()
    try:
        for package in LIBRARIES[candidate]:
            import_module(package)
    except ModuleNotFoundError:
        print("{}")
        return
    answer = {"import, s": time.perf_counter() - start, "import, MB": _memory("VmHWM")}
    make = makers(name, candidate)[title]
    start = time.perf_counter()
    call = make()
    call()
    answer["first call, s"] = time.perf_counter() - start
    call()
    call()
    answer["process, MB"] = _memory("VmHWM")
    del call
    is_forgotten = _release()
    resident = _memory("VmRSS")
    call = make()
    for _ in range(3):
        call()
    answer["workload, MB"] = _memory("VmHWM") - resident if is_forgotten else math.nan
    print(json.dumps(answer))


def _memory(field: str) -> float:
    """Megabytes of this process, as Linux counts them; elsewhere nothing is known."""
    try:
        with open("/proc/self/status") as status:
            kilobytes = (int(line.split()[1]) for line in status if line.startswith(field))
            return next(kilobytes, math.nan) * 1024 / MEGABYTE
    except OSError:
        return math.nan


def _release() -> bool:
    """Gives freed memory back to the system and forgets the peak so far; whether it could."""
    import ctypes

    gc.collect()
    try:
        ctypes.CDLL(None).malloc_trim(0)
        with open("/proc/self/clear_refs", "w") as peak:
            peak.write("5")
    except (AttributeError, OSError, TypeError):
        return False
    return True
