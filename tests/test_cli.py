"""The command line: arguments, a whole training job, Ctrl-C, and compiling ahead."""

from __future__ import annotations

import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

import autograd
import nn
from autograd.cli import interrupt, main
from autograd.datasets import load_digits, split

ROOT = Path(__file__).parents[1]
REPORTS = {"weights.safetensors", "run.json", "curves.png", "confusion.png", "mistakes.png"}


@pytest.fixture(autouse=True)
def _keep_seed():
    state = autograd.get_rng_state()
    yield
    autograd.set_rng_state(state)


def run(*arguments, **environment):
    """The command in a process of its own."""
    command = [sys.executable, "-m", "autograd.cli", *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300, check=False)


def train(out, *arguments):
    return main(["train", "--model", "mlp", "--epochs", "2", "--quiet", "--out", str(out), *arguments])


def test_version_and_help(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"chalkgrad {autograd.__version__}\n"
    for command in ([], ["train"], ["warmup"]):
        assert main([*command, "--help"]) == 0
        assert capsys.readouterr().out.startswith("usage: chalkgrad")


def test_start_imports_nothing_heavy():
    code = (
        "import sys, autograd.cli; autograd.cli.main(['--version']); "
        "print([m for m in ('matplotlib', 'numba', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_bad_arguments_are_one_line(tmp_path, capsys):
    file = tmp_path / "file"
    file.write_text("no folder")
    for arguments, message in (
        ([], "COMMAND"),
        (["jog"], "invalid choice: 'jog'"),
        (["train", "--model", "resnet"], "invalid choice: 'resnet'"),
        (["train", "--lr", "0"], "argument --lr: must be a number above 0, but got 0"),
        (["train", "--lr", "nan"], "above 0, but got nan"),
        (["train", "--lr", "fast"], "must be a number, but got 'fast'"),
        (["train", "--epochs", "0"], "argument --epochs: must be a positive integer, but got 0"),
        (["train", "--epochs", "1.5"], "must be an integer, but got '1.5'"),
        (["train", "--batch-size", "-3"], "argument --batch-size: must be a positive integer"),
        (["train", "--momentum", "1"], "argument --momentum: must be at least 0 and less than 1"),
        (["train", "--optimizer", "adam", "--momentum", "0.5"], "adam has none"),
        (["train", "--seed", "-1"], "argument --seed: must be from 0"),
        (["train", "--data", str(tmp_path / "nowhere")], "there is no folder"),
        (["train", "--data", str(tmp_path)], "has no train-images-idx3-ubyte"),
        (["train", "--out", str(file)], "is not a folder"),
        (["train", "--out", str(file / "sub")], "argument --out: "),
        (["warmup", "--dtype", "int8"], "invalid choice: 'int8'"),
    ):
        assert main(arguments) == 2, arguments
        printed = capsys.readouterr()
        assert message in printed.err
        assert printed.err.count("\n") == 1
        assert printed.err.startswith("chalkgrad")
        assert printed.out == ""


def test_damaged_data_are_one_line(tmp_path, capsys):
    for name in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        (tmp_path / f"{name}-ubyte").write_bytes(b"not idx at all")
    assert main(["train", "--data", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert "not an IDX file" in error
    assert error.count("\n") == 1


def test_training_learns_and_reports(tmp_path, capsys):
    pytest.importorskip("matplotlib")
    out = tmp_path / "deep" / "out"
    assert main(["train", "--out", str(out)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 15  # the job, a header, 12 epochs, the result
    assert {path.name for path in out.iterdir()} - {"graph.svg", "graph.dot"} == REPORTS
    assert (out / "graph.svg").exists() != (out / "graph.dot").exists()
    for name in ("curves.png", "confusion.png", "mistakes.png"):
        assert (out / name).read_bytes().startswith(b"\x89PNG")
    record = json.loads((out / "run.json").read_text())
    assert record["status"] == "finished"
    assert record["interrupted"] is False
    assert record["seed"] == 0
    assert record["versions"]["numpy"] == np.__version__
    assert [epoch["epoch"] for epoch in record["epochs"]] == [*range(1, 13)]
    assert record["held_out"]["accuracy"] == record["epochs"][-1]["held_out_accuracy"] >= 0.97
    assert f"{record['held_out']['accuracy']:.2%}" in lines[-1]

    # The weights alone give the same answers.
    weights = load_file(out / "weights.safetensors")
    assert sum(array.size for array in weights.values()) == record["parameters"]
    model = nn.models.LeNet(image_size=8)
    model.load_state_dict({name: autograd.from_numpy(array) for name, array in weights.items()})
    _, _, images, labels = split(*load_digits())
    scaled = (images - np.float32(record["data"]["pixel_mean"])) / np.float32(record["data"]["pixel_std"])
    with autograd.no_grad():
        predictions = model(autograd.from_numpy(scaled)).numpy().argmax(1)
    assert (predictions == labels).sum() == record["held_out"]["correct"]


@pytest.fixture
def without_charts(monkeypatch):
    """As where matplotlib is not installed."""
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.delitem(sys.modules, "autograd.cli.charts", raising=False)
    monkeypatch.delattr("autograd.cli.charts", raising=False)


def test_same_seed_same_bits(tmp_path, without_charts):
    """Without charts, which take longer than all the rest."""
    for optimizer in ("sgd", "adam"):
        content = []
        for number, seed in enumerate((7, 7, 8)):
            # What was drawn before must not matter.
            autograd.rand(number + 1)
            assert train(tmp_path, "--optimizer", optimizer, "--seed", str(seed)) == 0
            content.append((tmp_path / "weights.safetensors").read_bytes())
        assert content[0] == content[1] != content[2]


def test_without_matplotlib(tmp_path, without_charts, capsys):
    (tmp_path / "curves.png").write_bytes(b"of an earlier job")
    assert train(tmp_path) == 0
    assert "pip install 'chalkgrad[plots]'" in capsys.readouterr().err
    assert not list(tmp_path.glob("*.png"))
    assert (tmp_path / "weights.safetensors").exists()


def test_without_dot(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert train(tmp_path) == 0
    assert (tmp_path / "graph.dot").read_text().startswith("digraph")
    assert not (tmp_path / "graph.svg").exists()
    error = capsys.readouterr().err
    assert "graph.dot" in error
    assert error.count("\n") == 1


def test_divergence_is_named(tmp_path, capsys):
    assert train(tmp_path, "--lr", "1e30") == 1
    assert "pass a smaller --lr than 1e+30" in capsys.readouterr().err
    record = json.loads((tmp_path / "run.json").read_text())
    assert record["status"] == "diverged"
    assert record["epochs"][-1]["train_loss"] is None


def test_folder_in_mnist_format(tmp_path):
    random = np.random.default_rng(0)
    for part, count in (("train", 70), ("t10k", 30)):
        images = random.integers(0, 256, (count, 28, 28)).astype(np.uint8)
        labels = random.integers(0, 10, count).astype(np.uint8)
        for kind, array in (("images-idx3", images), ("labels-idx1", labels)):
            header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
            (tmp_path / f"{part}-{kind}-ubyte").write_bytes(header + array.tobytes())
    for model in ("lenet", "mlp"):
        assert (
            main(["train", "--data", str(tmp_path), "--model", model, "--quiet", "--out", str(tmp_path / "out")]) == 0
        )
        record = json.loads((tmp_path / "out" / "run.json").read_text())
        assert record["data"]["train"] == 70
        assert record["data"]["held_out"] == 30
        assert len(record["epochs"]) == 3


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT to another process")
@pytest.mark.parametrize("presses", [1, 5])
def test_ctrl_c_saves_what_is_there(tmp_path, presses):
    command = [sys.executable, "-m", "autograd.cli", "train", "--epochs", "100000", "--out", str(tmp_path)]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        # A background job of a shell is started with Ctrl-C ignored, and hands that on.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        lines = [process.stdout.readline() for _ in range(3)]  # the first epoch is over
        for _ in range(presses):
            process.send_signal(signal.SIGINT)
            time.sleep(0.1)
        rest, error = process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode == 130, error
    assert error == ""
    assert lines[0].startswith("lenet")
    assert rest.splitlines()[-1].startswith("interrupted in epoch ")
    record = json.loads((tmp_path / "run.json").read_text())
    assert record["interrupted"] is True
    weights = load_file(tmp_path / "weights.safetensors")
    assert sum(array.size for array in weights.values()) == record["parameters"]
    assert all(np.isfinite(array).all() for array in weights.values())
    assert not [path for path in tmp_path.iterdir() if path.name.endswith(".tmp")]
    if "matplotlib" in record["versions"]:
        assert (tmp_path / "curves.png").read_bytes().endswith(b"IEND\xaeB`\x82")


def test_interrupt_gives_the_handler_back():
    before = signal.getsignal(signal.SIGINT)
    with interrupt.Interrupt() as wish:
        assert not wish.requested
        if before is not signal.SIG_IGN:
            signal.raise_signal(signal.SIGINT)
            assert wish.requested
    assert signal.getsignal(signal.SIGINT) is before


def test_warmup_compiles_for_other_processes(tmp_path, monkeypatch):
    pytest.importorskip("numba")
    code = """
import sys
import autograd
from autograd.cli import main, warmup
from autograd.rows.table import TABLE
rows = {name: TABLE[name] for name in ("tanh", "atan2")}
warmup.TABLE = rows
code = main(["warmup"])
x, y = autograd.rand(40000, requires_grad=True), autograd.rand(40000, requires_grad=True)
before = autograd.jit.compiled()
autograd.atan2(x.tanh(), y).backward(autograd.ones(40000))
import nn
import optim
nn.LSTM(64, 128)(autograd.randn(50, 32, 64))[0].sum().backward()
model, images = nn.models.LeNet(), autograd.randn(64, 1, 28, 28)
nn.functional.cross_entropy(model(images), autograd.randint(0, 10, (64,))).backward()
maps = autograd.randn(16, 64, 32, 32, requires_grad=True)
nn.Conv2d(64, 64, 3, padding=1)(maps).sum().backward()
optim.Adam(model.parameters()).step()
print(code, autograd.jit.compiled() - before)
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "CHALKGRAD_CACHE": str(tmp_path / "loops")}
    environment |= {"CHALKGRAD_JIT": "auto", "PYTHONWARNINGS": "ignore"}
    # What other tests had compiled need not be compiled again, except for the loops that are looked at.
    known = autograd.jit.cache_folder()
    if known is not None:
        looked_at = ("chalkgrad_loop_tanh*", "chalkgrad_loop_atan2*")
        shutil.copytree(known, tmp_path / "loops", ignore=shutil.ignore_patterns(*looked_at, "*.tmp*"))
    outputs = [
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=500, check=True
        ).stdout.splitlines()
        for _ in range(2)
    ]
    for lines in outputs:
        assert "loops are ready" in lines[0]
        assert str(tmp_path / "loops") in lines[0]
        assert lines[-1] == "0 0"
    assert " 0 compiled now" not in outputs[0][0]
    assert " 0 compiled now" in outputs[1][0]


def test_warmup_covers_the_table():
    from autograd.cli.warmup import jobs
    from autograd.rows.table import TABLE, PointwiseRow

    names = [name for name, _ in jobs(np.dtype(np.float32), everything=True)]
    assert len(names) == len(set(names))
    for row in TABLE.values():
        if isinstance(row, PointwiseRow):
            assert f"{row.name} float32" in names
            if row.rules:
                assert any(name.startswith(f"{row.name}_backward_") for name in names)
    assert len(names) > len(list(jobs(np.dtype(np.float32))))


def test_warmup_without_numba(monkeypatch, capsys):
    monkeypatch.setattr(autograd.jit, "numba_available", lambda: False)
    assert main(["warmup"]) == 0
    output = capsys.readouterr().out
    assert "numba is not installed" in output
    assert output.count("\n") == 1


def test_warmup_without_a_cache_folder(tmp_path):
    pytest.importorskip("numba")
    file = tmp_path / "file"
    file.write_text("no folder")
    done = run("warmup", CHALKGRAD_CACHE=str(file))
    assert done.returncode == 1
    assert done.stderr.startswith("chalkgrad warmup: there is no cache folder")
    assert done.stderr.count("\n") == 1
