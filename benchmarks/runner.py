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
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

__all__ = ["Libraries", "compare", "main", "report", "serve"]


class Libraries:
    """The packages of one candidate, by PyTorch's names: ``lib``, ``nn``, ``functional``, ``optim``."""

    def __init__(self, library: str) -> None:
        prefix = "" if library == "chalkgrad" else f"{library}."
        self.lib: Any = import_module("autograd" if library == "chalkgrad" else library)
        self.nn: Any = import_module(f"{prefix}nn")
        self.functional: Any = import_module(f"{prefix}nn.functional")
        self.optim: Any = import_module(f"{prefix}optim")
        if library == "torch":
            self.lib.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))


def main(module: str, make_workloads: Callable[[str], dict[str, Callable[[], Any]]]) -> None:
    """What ``python -m module`` does: measures the workloads, prints the table and keeps the results."""
    parser = argparse.ArgumentParser(module)
    parser.add_argument("--child", help="the library that this process measures")
    parser.add_argument("--only", default="", help="workloads with this text in their names")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=0.1, help="for each workload, library and round")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    if options.child:
        serve(make_workloads, options.child)
    else:
        times = compare(module, ("chalkgrad", "torch"), options.rounds, options.seconds, options.threads, options.only)
        report(times, path=None if options.only else "benchmarks/results.json")


def serve(make_workloads: Callable[[str], dict[str, Callable[[], Any]]], library: str) -> None:
    """The child's side: reads ``name seconds`` lines, times that workload, answers with seconds per call."""
    workloads = make_workloads(library)
    print(json.dumps(list(workloads)), flush=True)
    for line in sys.stdin:
        name, seconds = json.loads(line)
        print(json.dumps(_time(workloads[name], seconds)), flush=True)


def _time(function: Callable[[], Any], seconds: float) -> float:
    function()
    calls = 1
    while True:
        start = time.perf_counter()
        for _ in range(calls):
            function()
        spent = time.perf_counter() - start
        if spent > seconds / 10:
            break
        calls *= 2
    best = spent / calls
    deadline = time.perf_counter() + seconds
    while time.perf_counter() < deadline:
        start = time.perf_counter()
        for _ in range(calls):
            function()
        best = min(best, (time.perf_counter() - start) / calls)
    return best


class _Child:
    def __init__(self, module: str, library: str, threads: int) -> None:
        environment = dict(os.environ, OMP_NUM_THREADS=str(threads), OPENBLAS_NUM_THREADS=str(threads))
        environment.update(MKL_NUM_THREADS=str(threads), CHALKGRAD_NUM_THREADS=str(threads))
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, "--child", library],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        self.names = self._read()

    def _read(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("a benchmark process ended early; its error stands above")
        return json.loads(line)

    def measure(self, name: str, seconds: float) -> float:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps([name, seconds]) + "\n")
        self.process.stdin.flush()
        return self._read()

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def compare(
    module: str, libraries: Sequence[str], rounds: int = 9, seconds: float = 0.1, threads: int = 1, only: str = ""
) -> dict[str, dict[str, list[float]]]:
    """Seconds per call: for each workload and library one number a round."""
    children = {library: _Child(module, library, threads) for library in libraries}
    try:
        names = [name for name in next(iter(children.values())).names if only in name]
        times: dict[str, dict[str, list[float]]] = {name: {library: [] for library in libraries} for name in names}
        for name in names:
            order = list(libraries)
            for _ in range(rounds):
                for library in order:
                    times[name][library].append(children[library].measure(name, seconds))
                order.reverse()
        return times
    finally:
        for child in children.values():
            child.close()


def report(times: dict[str, dict[str, list[float]]], yardstick: str = "torch", path: str | None = None) -> None:
    """Prints best, median and the ratio to the yardstick with its spread over the rounds; adds them to a JSON file."""
    print(f"{'workload':44s} {'library':10s} {'best':>10s} {'median':>10s} {'ratio of best':>14s} {'spread':>15s}")
    for name, by_library in times.items():
        for library, values in by_library.items():
            line = f"{name:44s} {library:10s} {_unit(min(values)):>10s} {_unit(statistics.median(values)):>10s}"
            if library != yardstick and yardstick in by_library:
                ratios = sorted(a / b for a, b in zip(values, by_library[yardstick], strict=True))
                ratio = min(values) / min(by_library[yardstick])
                line += f" {ratio:>13.2f}x {ratios[len(ratios) // 4]:>6.2f} … {ratios[-len(ratios) // 4]:.2f}"
            print(line)
    if path is not None:
        file = Path(path)
        known = json.loads(file.read_text()) if file.exists() else {}
        known.update(times)
        file.write_text(json.dumps(known, indent=1) + "\n")


def _unit(seconds: float) -> str:
    for factor, unit in ((1e-6, "ns"), (1e-3, "us"), (1.0, "ms")):
        if seconds < factor:
            return f"{seconds / factor * 1000:.3g} {unit}"
    return f"{seconds:.3g} s"
