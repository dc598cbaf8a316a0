"""Writes docs/performance.md and its plot from benchmarks/results.json: ``python -m benchmarks.document``."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.child import LIBRARIES, family
from benchmarks.fresh import UNCOMPILED
from benchmarks.runner import ROOT, Effort, Times, ratio, unit
from benchmarks.scaling import SWEEPS
from benchmarks.workload import Workload

__all__ = ["RESULTS", "Peaks", "goals", "page", "plot", "table", "write"]

RESULTS = ROOT / "benchmarks" / "results.json"
PAGE = ROOT / "docs" / "performance.md"
PLOT = ROOT / "docs" / "scaling.svg"

INTRODUCTION = """# Performance

How fast it is beside PyTorch and others, and how near to what the machine can do. `make bench` measures and writes
this page; the numbers themselves are in [benchmarks/results.json](../benchmarks/results.json).

**How it is measured.** Every library has a process of its own, since two OpenMP runtimes in one disturb each other.
In each round every process is asked in turn for one measurement of the same workload, the order turning round every
time; a measurement is the best of about ten batches of calls. Every family is visited {visits} times, by new processes:
where one has its memory, and what a neighbor does just then, decides up to a third of some times. A ratio is best time
to best time over all rounds, and beside it stand the quartiles of the ratios within the rounds. Ratios with one thread
repeat within a few percent even on a shared machine. **With two threads they mean something only if nothing else ran**:
one core taken away halves what is measured. The load average was {busy:.2f} when this run began.

**The machine**: {processor}, {cores} cores, on {measured};
{versions}.
What it does at most was measured in the same run, first and last, by
[a loop of multiply-adds and by bare passes](../benchmarks/machine.py): loops that read and write as many arrays of the
same size as a workload must, in the same order, and compute nothing. `x>y yg>d` reads x and writes y, then reads y and
g and writes d, as the two ways of exp do; what it moves counts every letter.
"""

GOALS = """## Goals

*Rate* is the arithmetic of the formula, or the traffic that no implementation can do without, divided by our time with
one thread, and its part of what the machine does at most: operations where these take longer at the peak, bytes where
the bare passes do. A workload counts a multiply-add as two operations, and reads and writes each array once in each
pass that needs it; loads of weights, temporaries and recomputation count for nothing. Small workloads are made of
overhead. A convolution's products are counted as its sum has them: with windows of 3 x 3 Winograd's algorithm does with
fewer, and its part of the peak can be more than all of it.
"""

MISSED = """## Where a goal is missed

The *roof* is the time that the machine leaves to any implementation: of the arithmetic at its peak and the bare passes,
what takes longer. It forbids a goal that asks for less. Last come the parts of it that the goal asks for and that
PyTorch and we reach. Where the roof is less than a twentieth of the better time, the rest is *overhead*: calls, not
arithmetic. A roof that somebody has *beaten* bounds nothing: arrays stayed in a nearer cache, or fewer products did.
"""

ONCE = """## Once in each process

`import` with `nn` and `optim`; then the *first call*, the making of the model included: with an empty cache, where
loops are compiled, and in later processes, which load them. *Memory* is what the workload itself takes: the peak of
resident memory in a second round above what remained when the first was thrown away; so parameters, optimizer state,
activations and buffers, without the code that the first call loads. *Whole process* is the highest that resident
memory came to in the first three calls, all included. One thread.
"""

OTHERS = """## Beside other libraries

Times as multiples of PyTorch's, one thread; empty where a library cannot say the workload or was not installed.
JAX runs under `jit`, tinygrad under `TinyJit`; torch.compile and these two are compiled before the clock starts.
The same programs stand in [benchmarks/rivals](../benchmarks/rivals).
"""

GROWTH = """## Growth

Each workload at growing sizes, one thread. *Growth* is the power of the size with which the time grows between the two
largest sizes, and *expected* what the arithmetic does: more would be a cost that something hides.

![Time against size, on logarithmic axes, beside the slope of the arithmetic](scaling.svg)
"""

EVERYTHING = """## Everything measured

With one thread, unless it says otherwise: best and median time of a call, ratio of best times, quartiles of the ratios.
"""


class Peaks:
    """What the machine does at most, with so many threads."""

    def __init__(self, times: Times) -> None:
        machine: Mapping[str, Workload] = family("machine")
        best = {title: min(times[title]["chalkgrad"]) for title in machine}
        self.flops = {w.dtype: w.flops / best[title] for title, w in machine.items() if w.flops}
        self.seconds = {w.traffic: best[title] for title, w in machine.items() if w.traffic}

    def arithmetic(self, workload: Workload) -> float:
        return workload.flops / self.flops[workload.dtype]

    def traffic(self, workload: Workload) -> float:
        return self.seconds[workload.traffic] if workload.traffic else 0.0

    def roof(self, workload: Workload) -> float:
        """Seconds that the workload takes at least."""
        return max(self.arithmetic(workload), self.traffic(workload))

    def rate(self, workload: Workload, seconds: float) -> str:
        if not self.roof(workload):
            return ""
        is_arithmetic = self.arithmetic(workload) >= self.traffic(workload)
        return f"{rate(workload, seconds, is_arithmetic)}, {percent(self.roof(workload) / seconds)}"


def page(results: Mapping[str, Any]) -> str:
    """The whole document."""
    sections = [
        _introduction(results),
        GOALS + goals(results),
        MISSED + _missed(results),
        ONCE + _once(results["first uses"]),
        OTHERS + _others(results["times"]["1"]),
        GROWTH + _growth(results["times"]["1"]["scaling"]),
        EVERYTHING + _everything(results["times"]),
    ]
    return "\n".join(sections)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """In Markdown, numbers to the right; with nothing in it, a word that says so."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    rule = f"| --- |{' ---: |' * (len(head) - 1)}"
    return "\n".join(["", f"| {' | '.join(head)} |", rule, *lines, ""]) if lines else "\nNone.\n"


def threads_of(count: str) -> str:
    return f"{count} thread{'s' * (count != '1')}"


def rate(workload: Workload, seconds: float, is_arithmetic: bool) -> str:
    if workload.traffic is None or is_arithmetic:
        return f"{workload.flops / seconds / 1e9:.3g} GFLOP/s"
    return f"{workload.traffic.bytes / seconds / 1e9:.3g} GB/s"


def percent(part: float) -> str:
    return f"{100 * part:.0f} %"


def _introduction(results: Mapping[str, Any]) -> str:
    machine = dict(results["machine"])
    words = {key: machine.pop(key) for key in ("measured", "processor", "cores", "busy")}
    versions = ", ".join(f"{name} {version}" for name, version in machine.items())
    rows = []
    for title, workload in family("machine").items():
        bests = [min(times["machine"][title]["chalkgrad"]) for times in results["times"].values()]
        rows.append([title, *(rate(workload, best, workload.flops > 0) for best in bests)])
    head = ["at most", *map(threads_of, results["times"])]
    return INTRODUCTION.format(**words, versions=versions, visits=Effort.visits) + table(head, rows)


def _with_goals(times: Mapping[str, Times]) -> dict[str, tuple[Workload, dict[str, list[float]]]]:
    """The workloads that have a goal, and what was measured of them."""
    return {
        title: (workload, times[name][title])
        for name in times
        for title, workload in family(name).items()
        if workload.goal is not None and "torch" in times[name].get(title, {})
    }


def _verdict(workload: Workload, found: Mapping[str, list[float]]) -> str:
    compared = ratio(found["chalkgrad"], found["torch"])
    is_met = workload.goal is not None and compared.best <= workload.goal
    return f"{compared} {'✓' if is_met else '✗'} ({compared.low:.2f}–{compared.high:.2f})"


def goals(results: Mapping[str, Any]) -> str:
    """The table of the workloads that have a goal."""
    by_threads = [_with_goals(times) for times in results["times"].values()]
    peaks = Peaks(results["times"]["1"]["machine"])
    rows = []
    for title, (workload, found) in by_threads[0].items():
        ours, theirs = min(found["chalkgrad"]), min(found["torch"])
        verdicts = [_verdict(*measured[title]) if title in measured else "" for measured in by_threads]
        rate = peaks.rate(workload, ours)
        rows.append([title, f"{workload.goal:.2f}x", *verdicts, unit(theirs), unit(ours), rate])
    head = ["forward and backward, or a step", "at most", *map(threads_of, results["times"])]
    return table([*head, "PyTorch", "ours", "rate, part of the peak"], rows)


def roof_word(roof: float, wanted: float, best: float) -> str:
    """What the roof says about the time that is wanted, where the best known is so long."""
    if roof > best:
        return "beaten"
    if roof > wanted:
        return "forbids it"
    return "allows it" if roof > best / 20 else "overhead"


def _missed(results: Mapping[str, Any]) -> str:
    rows = []
    for threads, times in results["times"].items():
        peaks = Peaks(times["machine"])
        for title, (workload, found) in _with_goals(times).items():
            ours, theirs = min(found["chalkgrad"]), min(found["torch"])
            wanted, roof = (workload.goal or 0) * theirs, peaks.roof(workload)
            if ours > wanted:
                word = roof_word(roof, wanted, min(ours, theirs))
                parts = [percent(roof / time) if roof else "" for time in (wanted, theirs, ours)]
                reached = [f"{workload.goal:.2f}x", f"{ours / theirs:.2f}x"]
                rows.append([title, threads, *reached, unit(wanted), unit(roof) if roof else "", word, *parts])
    head = ["workload", "threads", "goal", "reached", "the goal's time", "roof", "the roof", "part of the peak: goal"]
    return table([*head, "PyTorch", "ours"], rows)


def _once(uses: Mapping[str, Mapping[str, Mapping[str, float]]]) -> str:
    both = {title: [found[library] for library in LIBRARIES] for title, found in uses.items() if "torch" in found}
    imports, rows = [], []
    for measure, goal in (("import, s", 0.15), ("import, MB", 0.2)) if both else ():
        ours, theirs = (min(sides[i][measure] for sides in both.values()) for i in (0, 1))
        reached = f"{ours / theirs:.2f}x {'✓' if ours <= goal * theirs else '✗'}"
        imports.append([measure, f"{goal:.2f}x", reached, f"{theirs:.3g}", f"{ours:.3g}"])
    for title, sides in both.items():
        alone, peak = ([side[kind] for side in sides] for kind in ("workload, MB", "process, MB"))
        firsts = [unit(side["first call, s"]) for side in (uses[title][UNCOMPILED], *sides)]
        rows.append(
            [
                title,
                f"{alone[0] / alone[1]:.2f}x",
                *(f"{size:.1f}" for size in alone),
                *(f"{size:.0f}" for size in peak),
                *firsts,
            ]
        )
    memory = ["memory, ours to PyTorch's", "ours, MB", "PyTorch, MB", "whole process, ours, MB", "PyTorch, MB"]
    first = ["first call, compiling", "later", "PyTorch"]
    return table(["once", "at most", "ratio", "PyTorch", "ours"], imports) + table(["workload", *memory, *first], rows)


def _others(times: Mapping[str, Times]) -> str:
    found = {title: by for titles in times.values() for title, by in titles.items() if {*by} > {*LIBRARIES}}
    rivals = sorted({candidate for by in found.values() for candidate in by} - {*LIBRARIES})
    rows = []
    for title, by in found.items():
        multiples = [str(ratio(by[name], by["torch"])) if name in by else "" for name in ("chalkgrad", *rivals)]
        rows.append([title, unit(min(by["torch"])), *multiples])
    return table(["workload", "PyTorch", "ours", *(rival.replace("_", " ") for rival in rivals)], rows)


def _growth(times: Times) -> str:
    rows = []
    for title, sweep in SWEEPS.items():
        best = {size: times[f"{title}: {size}"] for size in sweep.sizes}
        *_, below, largest = sweep.sizes
        powers = [
            math.log(min(best[largest][library]) / min(best[below][library])) / math.log(largest / below)
            for library in LIBRARIES
            if library in best[largest]
        ]
        spans = [" … ".join(unit(min(best[size]["chalkgrad"])) for size in (sweep.sizes[0], largest))]
        rows.append(
            [title, f"{sweep.sizes[0]} … {largest}", *spans, str(sweep.order), *(f"{power:.2f}" for power in powers)]
        )
    return table(["sweep", "sizes", "our time", "expected", "growth, ours", "growth, PyTorch"], rows)


def _everything(times: Mapping[str, Mapping[str, Times]]) -> str:
    parts = []
    for threads, families in times.items():
        for name, found in families.items():
            module = f"[{name}](../benchmarks/{name}.py)"
            parts.append(f"\n### {module}{'' if threads == '1' else f', {threads_of(threads)}'}\n")
            rows = []
            for title, by in found.items():
                cells = [f"{unit(min(by[x]))} ({unit(statistics.median(by[x]))})" if x in by else "" for x in LIBRARIES]
                compared = ratio(by["chalkgrad"], by["torch"]) if len({*LIBRARIES} & {*by}) == 2 else None
                spread = [str(compared), f"{compared.low:.2f}–{compared.high:.2f}"] if compared else ["", ""]
                rows.append([title, *cells, *spread])
            head = ["workload", "ours, best (median)", "PyTorch, best (median)", "ratio", "quartiles"]
            parts.append(table(head, rows))
    return "".join(parts)


def plot(times: Times, path: Path) -> None:
    """Time against size, one panel for each sweep."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    with pyplot.rc_context({"svg.fonttype": "none", "svg.hashsalt": "scaling", "font.size": 8}):
        figure, panels = pyplot.subplots(2, 3, figsize=(9, 5), layout="constrained")
        for panel, (title, sweep) in zip(panels.flat, SWEEPS.items(), strict=True):
            for library, label in (("chalkgrad", "ours"), ("torch", "PyTorch")):
                found = [times[f"{title}: {size}"].get(library) for size in sweep.sizes]
                milliseconds = [1e3 * min(seconds) for seconds in found if seconds]
                if len(milliseconds) == len(sweep.sizes):
                    panel.loglog(sweep.sizes, milliseconds, marker="o", markersize=3, label=label)
            last = 1e3 * min(times[f"{title}: {sweep.sizes[-1]}"]["chalkgrad"])
            slope = [last * (size / sweep.sizes[-1]) ** sweep.order for size in sweep.sizes[-3:]]
            panel.loglog(sweep.sizes[-3:], slope, ":", color="gray", label=f"slope {sweep.order}")
            panel.set(title=title, ylabel="ms")
            panel.minorticks_off()
            panel.legend(frameon=False)
        figure.savefig(path, metadata={"Date": None})
        pyplot.close(figure)


def write() -> None:
    """The page and the plot of the results that are kept."""
    results = json.loads(RESULTS.read_text(encoding="utf-8"))
    PAGE.write_text(page(results), encoding="utf-8")
    plot(results["times"]["1"]["scaling"], PLOT)


if __name__ == "__main__":
    write()
