"""The benchmarks measure what they say and their page says what was measured; how long anything takes is not asked."""

import ast
import copy
import doctest
import json
import subprocess
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from benchmarks import child, document, fresh, machine, runner
from benchmarks import workload as workloads
from benchmarks.__main__ import FIRST_USES, OTHERS, RIVALS, WITH_GOALS, add, describe, rounded
from benchmarks.rivals import programs
from benchmarks.runner import Effort, compare, ratio, report, unit
from benchmarks.scaling import SWEEPS
from benchmarks.workload import Library, Traffic, Workload

FAMILIES = ("machine", *WITH_GOALS, *OTHERS)
TITLES = {title: workload for name in FAMILIES for title, workload in child.family(name).items()}


def measured(ours, theirs):
    """Results as if every workload had taken so long."""
    times = {name: {title: {"chalkgrad": ours, "torch": theirs} for title in child.family(name)} for name in FAMILIES}
    use = {"import, s": 0.1, "import, MB": 30.0, "first call, s": 0.2, "process, MB": 40.0, "workload, MB": 5.0}
    uses = {title: dict.fromkeys((fresh.UNCOMPILED, *child.LIBRARIES), use) for title in child.family("training")}
    return {"machine": describe(), "times": {"1": times, "2": copy.deepcopy(times)}, "first uses": uses}


@pytest.mark.parametrize("name", FAMILIES)
def test_every_workload_runs(name):
    library = Library("chalkgrad")
    for workload in child.family(name).values():
        workload.make(library)()


def test_names_are_unique():
    assert len(TITLES) == sum(len(child.family(name)) for name in FAMILIES)


def test_a_training_step_of_the_benchmarks_trains():
    library = Library("chalkgrad")
    losses = []
    module = library.nn.CrossEntropyLoss
    forward = module.forward
    module.forward = lambda *args: losses.append(forward(*args)) or losses[-1]
    try:
        step = TITLES["MLP 64-64-64-10, batch 64, SGD step"].make(library)
        for _ in range(20):
            step()
    finally:
        module.forward = forward
    assert losses[-1].item() < losses[0].item()


def test_rivals_know_our_names():
    folder = runner.ROOT / "benchmarks" / "rivals"
    assert {path.stem for path in folder.glob("*.py")} - {"__init__", "programs"} == set(RIVALS)
    named = [programs.CHAIN, *programs.PERCEPTRONS, *programs.POINTWISE, *programs.MATMULS]
    for rival in RIVALS:
        tree = ast.parse((folder / f"{rival}.py").read_text(encoding="utf-8"))
        texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and type(node.value) is str]
        named += [text for text in texts if ", 1" in text or "step" in text]
    assert set(named) <= set(TITLES)


def test_an_optional_rival_computes_gradients(monkeypatch):
    """The programs for libraries like NumPy, on NumPy with gradients by differences."""
    np = pytest.importorskip("numpy")

    def gradients(function, count):
        def by_differences(*arrays):
            found = []
            for i in range(count):
                moved = [array.astype("float64") for array in arrays]
                slope = np.zeros_like(moved[i])
                for place in np.ndindex(slope.shape):
                    ends = []
                    for step in (1e-4, -1e-4):
                        moved[i][place] += step
                        ends.append(function(*moved))
                        moved[i][place] -= step
                    slope[place] = (ends[0] - ends[1]) / 2e-4
                found.append(slope.astype("float32"))
            return found

        return by_differences

    monkeypatch.setattr(programs, "PERCEPTRONS", {"tiny": (4, 2, 3, 2)})
    known = programs.eager(np, gradients)
    assert [g.shape for g in known[programs.CHAIN]()()] == [(4, 4), (4,)]
    loss, parameters = programs.perceptron(np, 4, (2, 3, 2))
    monkeypatch.setattr(programs, "perceptron", lambda *args: (loss, parameters))
    before = loss(*parameters)
    step = programs.eager(np, gradients)["tiny"]()
    for _ in range(5):
        step()
    assert loss(*parameters) < before


def test_processes_take_turns(monkeypatch):
    asked = []

    @contextmanager
    def start(entry, name, candidate, **options):
        yield candidate

    def measure(candidate, title, seconds):
        asked.append((title, candidate))
        return float(len(asked))

    known = {"chalkgrad": ["first", "second"], "torch": ["first", "second"], "rival": ["second"], "missing": []}
    monkeypatch.setattr(runner, "start", start)
    monkeypatch.setattr(runner, "read", known.get)
    monkeypatch.setattr(runner, "_measure", measure)
    monkeypatch.setattr(runner, "family", lambda name: dict.fromkeys(["first", "second"]))
    times = compare("fake", list(known), Effort(rounds=2, visits=1))
    assert asked == [
        ("first", "chalkgrad"), ("first", "torch"), ("first", "torch"), ("first", "chalkgrad"),
        ("second", "chalkgrad"), ("second", "torch"), ("second", "rival"),
        ("second", "rival"), ("second", "torch"), ("second", "chalkgrad"),
    ]  # fmt: skip
    assert times == {
        "first": {"chalkgrad": [1, 4], "torch": [2, 3]},
        "second": {"chalkgrad": [5, 10], "torch": [6, 9], "rival": [7, 8]},
    }
    asked.clear()
    times = compare("fake", ["torch"], Effort(rounds=3, visits=2))
    assert [title for title, _ in asked] == ["first", "first", "second", "second", "first", "second"]
    assert times == {"first": {"torch": [1, 2, 5]}, "second": {"torch": [3, 4, 6]}}


def test_a_process_measures():
    times = compare("overhead", ["chalkgrad", "no_such_rival"], Effort(2, 0.001), only="clip")
    assert list(times) == ["clip_grad_norm_ of 6 small gradients"]
    ((candidate, seconds),) = next(iter(times.values())).items()
    assert candidate == "chalkgrad"
    assert len(seconds) == 2
    assert min(seconds) > 0


def test_a_process_that_fails_is_reported():
    silent = subprocess.Popen(["true"], stdout=subprocess.PIPE, text=True)
    with silent, pytest.raises(RuntimeError, match="ended early"):
        runner.read(silent)


def test_the_clock_counts_calls():
    calls = []
    assert 0 < child.clock(lambda: calls.append(None), 0.001) < 0.001
    assert len(calls) > 3


def test_ratio_and_spread():
    found = ratio([3.0, 1.0, 2.0, 4.0], [2.0, 2.0, 2.0, 2.0])
    assert (found.best, found.low, found.high) == (0.5, 1.0, 1.5)
    assert str(found) == "0.50x"


def test_report():
    text = report({"work": {"chalkgrad": [1e-3, 3e-3, 2e-3], "torch": [4e-3, 4e-3, 4e-3]}, "alone": {"jax": [2.0]}})
    head, ours, theirs, alone = text.splitlines()
    assert head.split() == ["workload", "candidate", "best", "median", "ratio", "quartiles"]
    assert ours.split() == ["work", "chalkgrad", "1", "ms", "2", "ms", "0.25x", "0.25", "…", "0.75"]
    assert theirs.split() == ["work", "torch", "4", "ms", "4", "ms"]
    assert alone.split() == ["alone", "jax", "2", "s", "2", "s"]
    assert doctest.testmod(runner) == (0, 3)
    assert [unit(x) for x in (2.5e-9, 2.5e-5, 0.25, 25)] == ["2.5 ns", "25 us", "250 ms", "25 s"]


def test_first_use_of_a_fresh_process(monkeypatch, tmp_path):
    (tmp_path / "torch.py").write_text("raise ModuleNotFoundError('as if it were not installed')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    found = fresh.first_use("training", "MLP 2-16-16-2, batch 32, SGD step")
    assert list(found) == [fresh.UNCOMPILED, "chalkgrad"]
    for answer in found.values():
        assert answer["import, s"] > 0
        assert answer["first call, s"] > 0
        if Path("/proc/self/status").exists():
            assert 5 < answer["import, MB"] < 500
            assert answer["process, MB"] >= answer["import, MB"]


def test_peaks():
    times = {title: {"chalkgrad": [2e-3, 1e-3]} for title in child.family("machine")}
    peaks = document.Peaks(times)
    work = child.family("machine")["multiply-adds, float32"]
    assert peaks.roof(work) == pytest.approx(1e-3)
    assert peaks.rate(work, 2e-3).endswith("GFLOP/s, 50 %")
    moved = Workload(work.make, traffic=Traffic("x>y yg>d", 1_000_000))
    assert peaks.roof(moved) == pytest.approx(1e-3)
    assert peaks.rate(moved, 4e-3) == "5 GB/s, 25 %"
    assert peaks.rate(Workload(work.make), 1.0) == ""


def test_bare_passes_are_those_of_the_workload():
    """Every pass reads what its letters say, and the gradient of x comes from what the forward pass wrote."""
    arrays = {name: np.full(1000, number, "float32") for number, name in enumerate("xygdpmv", start=2)}
    for passes, written in (("x>y yg>d", {"y": 2, "d": 8}), ("x> y>x", {"x": 2}), ("pgmv>pmv", {"m": 28})):
        machine.bare(Traffic(passes, 1000), arrays)()
        for name, number in written.items():
            assert (arrays[name] == number).all()
    assert doctest.testmod(workloads) == (0, 2)


def test_page():
    fast, slow = (document.page(measured(ours, [1.0, 1.5, 1.25])) for ours in ([0.01, 0.02, 0.03], [2.0, 2.5, 3.0]))
    with_goals = [title for title, workload in TITLES.items() if workload.goal is not None]
    assert len(with_goals) == 39
    for text, mark in ((fast, "✓"), (slow, "✗")):
        goals = text[text.index("## Goals") : text.index("## Where a goal is missed")]
        assert [line.split(" | ")[0].removeprefix("| ") for line in goals.splitlines() if mark in line] == with_goals
    assert "| exp, 1 M | 0.50x | 0.01x ✓ (0.01–0.02) | 0.01x ✓ (0.01–0.02) | 1 s | 10 ms |" in fast
    missed = [text.split("## Where a goal is missed")[1].split("## Once")[0] for text in (fast, slow)]
    assert "None." in missed[0]
    assert missed[1].count("x | 2.00x | ") == 2 * len(with_goals)
    assert "| import, s | 0.15x | 1.00x ✗ | 0.1 | 0.1 |" in fast
    for title, sweep in SWEEPS.items():
        assert (
            f"| {title} | {sweep.sizes[0]} … {sweep.sizes[-1]} | 10 ms … 10 ms | {sweep.order} | 0.00 | 0.00 |" in fast
        )


def test_what_the_roof_says():
    """Of work that is to take half of a second, where the better library takes a second."""
    words = [document.roof_word(roof, 0.5, 1.0) for roof in (0.01, 0.4, 0.6, 1.1)]
    assert words == ["overhead", "allows it", "forbids it", "beaten"]
    results = measured([2.0], [1.0])
    for by in results["times"]["1"]["machine"].values():
        by["chalkgrad"] = [1e-9]
    results["times"]["1"]["machine"][str(TITLES["exp, 1 M"].traffic)]["chalkgrad"] = [0.6]
    missed = document.page(results).split("## Where a goal is missed")[1].split("## Once")[0]
    line = next(line for line in missed.splitlines() if line.startswith("| exp, 1 M | 1 "))
    assert line == "| exp, 1 M | 1 | 0.50x | 2.00x | 500 ms | 600 ms | forbids it | 120 % | 60 % | 30 % |"


def test_page_without_pytorch():
    results = measured([1.0], [1.0])
    for families in results["times"].values():
        for titles in families.values():
            for by in titles.values():
                by.pop("torch", None)
    results["first uses"] = {}
    assert "## Everything measured" in document.page(results)


def test_plot_is_small(tmp_path):
    pytest.importorskip("matplotlib")
    document.plot(measured([1.0], [2.0])["times"]["1"]["scaling"], tmp_path / "plot.svg")
    assert 1000 < (tmp_path / "plot.svg").stat().st_size < 60_000


def test_committed_page_is_what_the_results_say():
    results = json.loads(document.RESULTS.read_text(encoding="utf-8"))
    assert document.PAGE.read_text(encoding="utf-8") == document.page(results)
    assert set(results["first uses"]) == {title for name in FIRST_USES for title in child.family(name)}


def test_measured_twice_is_measured_longer():
    times = {"work": {"chalkgrad": [1.0]}}
    add(times, {"work": {"chalkgrad": [2.0]}, "more": {"torch": [3.0]}})
    assert times == {"work": {"chalkgrad": [1.0, 2.0]}, "more": {"torch": [3.0]}}


def test_results_are_rounded():
    assert rounded({"a": [1.23456789, 2], "b": "text"}) == {"a": [1.235, 2], "b": "text"}
