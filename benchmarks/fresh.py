"""What a process pays once: the import, the first call, and memory, each number from a process of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from tempfile import TemporaryDirectory

from benchmarks.runner import read, start

__all__ = ["Uses", "first_uses"]

Uses = dict[str, dict[str, dict[str, float]]]  # workload, candidate: what `child.first_use` answers


def first_uses(name: str, titles: Iterable[str], libraries: Iterable[str], progress: Callable[[str], object]) -> Uses:
    """For workloads of a family: ours with an empty cache of compiled code, ours with the filled one, and PyTorch."""
    found: Uses = {}
    for title in titles:
        progress(title)
        with TemporaryDirectory() as cache:
            candidates = {"chalkgrad, nothing compiled": "chalkgrad", **{library: library for library in libraries}}
            found[title] = {label: _ask(name, candidate, title, cache) for label, candidate in candidates.items()}
    return found


def _ask(name: str, candidate: str, title: str, cache: str) -> dict[str, float]:
    with start("benchmarks.child.first_use", name, candidate, title, CHALKGRAD_CACHE=cache) as process:
        return read(process)
