"""Times workloads in several libraries, fairly: each library in a process of its own, and the processes take turns.

Two OpenMP runtimes in one process disturb each other, and a shared machine is never equally fast for long; so every
round asks each process in turn for one measurement of the same workload, the order turning round every time. What
repeats is the ratio of best times.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.child import LIBRARIES, family

__all__ = ["Effort", "Ratio", "Times", "compare", "main", "ratio", "read", "report", "start", "unit"]

ROOT = Path(__file__).resolve().parents[1]
Times = dict[str, dict[str, list[float]]]  # workload, candidate: seconds per call, one number a round

# The current folder comes last: a rival called autograd is found where it is installed, before ours.
BOOT = "import sys; sys.path.append(sys.path.pop(0)); from {} import {} as run; run(*sys.argv[1:])"


@dataclass(frozen=True)
class Effort:
    """How long is measured: rounds, and seconds for each workload, candidate and round; and by how many processes one
    after the other. Where a process has its memory, and what neighbors did meanwhile, told for a third of the time of
    layer norm: one process, and one minute, are no measurement."""

    rounds: int = 9
    seconds: float = 0.1
    visits: int = 3

    def shares(self) -> list[int]:
        """The rounds of each visit.

        >>> Effort(rounds=7).shares(), Effort(rounds=2).shares()
        ([3, 2, 2], [1, 1])
        """
        visits = max(min(self.visits, self.rounds), 1)
        return [self.rounds // visits + (i < self.rounds % visits) for i in range(visits)]


@dataclass(frozen=True)
class Ratio:
    """How one candidate compares with another: best to best, and the quartiles over the rounds."""

    best: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.best:.2f}x"


@contextmanager
def start(
    entry: str, *arguments: str, threads: int = 1, python: str = sys.executable, **environment: str
) -> Iterator[Any]:
    """A process of its own that calls ``module.function(*arguments)``."""
    module, _, function = entry.rpartition(".")
    counts = {f"{runtime}_NUM_THREADS": str(threads) for runtime in ("OMP", "OPENBLAS", "MKL", "CHALKGRAD")}
    process = subprocess.Popen(
        [python, "-c", BOOT.format(module, function), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, **counts, **environment},
    )
    with process:  # at the end closes the pipes, which ends the process, and waits for it
        yield process


def read(process: Any) -> Any:
    """The process's next answer."""
    line = process.stdout.readline()
    if not line:
        raise RuntimeError("a benchmark process ended early; its error stands above")
    return json.loads(line)


def compare(
    name: str,
    candidates: Sequence[str] = tuple(LIBRARIES),
    effort: Effort = Effort(),
    threads: int = 1,
    only: str = "",
    pythons: Sequence[str] = (sys.executable,),
) -> Times:
    """The times of a family's workloads in every candidate that one of the interpreters has."""
    times: Times = {}
    for rounds in effort.shares():
        for title, by_candidate in _visit(name, candidates, replace(effort, rounds=rounds), threads, only, pythons):
            known = times.setdefault(title, {})
            for candidate, values in by_candidate.items():
                known.setdefault(candidate, []).extend(values)
    return times


def _visit(
    name: str, candidates: Sequence[str], effort: Effort, threads: int, only: str, pythons: Sequence[str]
) -> Iterator[tuple[str, dict[str, list[float]]]]:
    """Each workload's times of one visit, by processes of its own."""
    with ExitStack() as stack:
        present: dict[str, tuple[Any, list[str]]] = {}
        for candidate in candidates:
            for python in pythons:
                process = stack.enter_context(
                    start("benchmarks.child.serve", name, candidate, threads=threads, python=python)
                )
                if known := [title for title in read(process) if only in title]:
                    present[candidate] = process, known
                    break
        for title in family(name):
            order = [candidate for candidate, (_, known) in present.items() if title in known]
            times: dict[str, list[float]] = {candidate: [] for candidate in order}
            for _ in range(effort.rounds):
                for candidate in order:
                    times[candidate].append(_measure(present[candidate][0], title, effort.seconds))
                order.reverse()
            if times:
                yield title, times


def _measure(process: Any, title: str, seconds: float) -> float:
    process.stdin.write(json.dumps([title, seconds]) + "\n")
    process.stdin.flush()
    return read(process)


def ratio(times: Sequence[float], yardstick: Sequence[float]) -> Ratio:
    """Of times taken in the same rounds.

    >>> print(ratio([1.0, 2.0, 3.0], [2.0, 2.0, 2.0]))
    0.50x
    """
    rounds = sorted(a / b for a, b in zip(times, yardstick, strict=True))
    quarter = len(rounds) // 4
    return Ratio(min(times) / min(yardstick), rounds[quarter], rounds[-1 - quarter])


def report(times: Times, yardstick: str = "torch") -> str:
    """Best, median and the ratio to the yardstick with its spread over the rounds, one line for each candidate."""
    lines = [f"{'workload':56s} {'candidate':14s} {'best':>8s} {'median':>8s} {'ratio':>8s} {'quartiles':>13s}"]
    for title, by_candidate in times.items():
        for candidate, values in by_candidate.items():
            line = f"{title:56s} {candidate:14s} {unit(min(values)):>8s} {unit(statistics.median(values)):>8s}"
            if candidate != yardstick and yardstick in by_candidate:
                found = ratio(values, by_candidate[yardstick])
                line += f" {found!s:>8s} {found.low:>6.2f} … {found.high:.2f}"
            lines.append(line)
    return "\n".join(lines)


def unit(seconds: float) -> str:
    """Three digits and a unit.

    >>> unit(0.00012345)
    '123 us'
    """
    for factor, name in ((1e-6, "ns"), (1e-3, "us"), (1.0, "ms")):
        if seconds < factor:
            return f"{seconds / factor * 1000:.3g} {name}"
    return f"{seconds:.3g} s"


def main(name: str) -> None:
    """What ``python -m benchmarks.<name>`` does: measures the family and prints the table; keeps nothing."""
    parser = argparse.ArgumentParser(f"python -m benchmarks.{name}")
    parser.add_argument("--only", default="", help="workloads with this text in their names")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=0.1, help="for each workload, library and round")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    times = compare(name, effort=Effort(options.rounds, options.seconds), threads=options.threads, only=options.only)
    print(report(times))
