"""What a process pays once: the import, the first call, and memory, each number from a process of its own."""

from __future__ import annotations

from tempfile import TemporaryDirectory

from benchmarks.child import LIBRARIES
from benchmarks.runner import read, start

__all__ = ["UNCOMPILED", "first_use"]

UNCOMPILED = "chalkgrad, nothing compiled"


def first_use(name: str, title: str) -> dict[str, dict[str, float]]:
    """For a workload of a family what `child.first_use` measures: ours with an empty cache of compiled code, ours with
    what that has left there, and PyTorch where it is installed.
    """
    found = {}
    with TemporaryDirectory() as cache:
        for label, candidate in {UNCOMPILED: "chalkgrad", **{library: library for library in LIBRARIES}}.items():
            with start("benchmarks.child.first_use", name, candidate, title, CHALKGRAD_CACHE=cache) as process:
                if answer := read(process):
                    found[label] = answer
    return found
