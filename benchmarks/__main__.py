"""Measures everything, prints it, and writes benchmarks/results.json and docs/performance.md: ``python -m benchmarks``.

Two threads are worth measuring only while nothing else runs.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import sys
import time
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks import document
from benchmarks.child import LIBRARIES, family
from benchmarks.fresh import first_use
from benchmarks.runner import ROOT, Effort, Times, compare, report

RIVALS = ("torch_compile", "jax", "mygrad", "hips_autograd", "micrograd", "tinygrad")
WITH_GOALS = ("overhead", "layers", "matmul", "training")
OTHERS = ("scalars", "small_operators", "scaling")
FIRST_USES = ("layers", "training")


def main() -> None:
    parser = argparse.ArgumentParser("python -m benchmarks")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=0.1, help="for each workload, library and round")
    parser.add_argument("--rivals", default=str(ROOT / ".rivals/bin/python"), help="an interpreter that has the others")
    options = parser.parse_args()
    effort = Effort(options.rounds, options.seconds)
    brief = Effort(max(options.rounds // 2, 1), options.seconds / 2)
    pythons = [sys.executable, *[options.rivals] * os.path.exists(options.rivals)]

    results: dict[str, Any] = {"machine": describe(), "times": {}, "first uses": {}}
    for threads in (1, 2):
        rivals = RIVALS if threads == 1 else ()
        times: dict[str, Times] = {}
        results["times"][str(threads)] = times
        # The peaks are measured first and last: what is held against them then met the machine at both.
        for name in ("machine", *WITH_GOALS, *(OTHERS if threads == 1 else ()), "machine"):
            candidates = ["chalkgrad"] if name == "machine" else [*LIBRARIES, *rivals]
            print(f"\n{name}, {document.threads_of(str(threads))}", flush=True)
            found = compare(name, candidates, brief if name in OTHERS else effort, threads, pythons=pythons)
            print(report(found), flush=True)
            add(times.setdefault(name, {}), found)
            save(results)
    for name in FIRST_USES:
        for title in family(name):
            print(f"first use: {title}", flush=True)
            results["first uses"][title] = first_use(name, title)
        save(results)
    print(document.goals(results))
    document.write()


def add(times: Times, more: Times) -> None:
    for title, by_candidate in more.items():
        for candidate, values in by_candidate.items():
            times.setdefault(title, {}).setdefault(candidate, []).extend(values)


def save(results: dict[str, Any]) -> None:
    """The raw numbers, one line for each list of them."""
    text = json.dumps(rounded(results), indent=1)
    document.RESULTS.write_text(re.sub(r"\[[^][]*\]", lambda found: " ".join(found[0].split()), text) + "\n")


def rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value


def describe() -> dict[str, Any]:
    """The machine, and what runs on it."""
    information = Path("/proc/cpuinfo")
    model = re.search(r"model name\s*: (.*)", information.read_text()) if information.exists() else None
    packages = ("numpy", "numba", "torch")
    installed = {distribution.metadata["Name"]: distribution.version for distribution in metadata.distributions()}
    return {
        "measured": time.strftime("%Y-%m-%d"),
        "processor": model[1] if model else platform.processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "busy": os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0,
        "Python": platform.python_version(),
        **{package: installed[package] for package in packages if package in installed},
    }


if __name__ == "__main__":
    main()
