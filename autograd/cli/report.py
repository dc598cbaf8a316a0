"""What a training job leaves behind: weights, numbers, charts and the gradient graph."""

from __future__ import annotations

import json
import math
import platform
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import graphviz
import numpy as np
from safetensors.numpy import save

import autograd

from ..files import written_atomically
from .job import Trainer

__all__ = ["record", "write"]

PACKAGES = ("numpy", "numba", "scipy", "safetensors", "matplotlib")
CHARTS = ("curves.png", "confusion.png", "mistakes.png")


def write(folder: Path, trainer: Trainer, seconds: float) -> tuple[list[str], list[str]]:
    """Writes everything about a job, the weights first.

    Reports of an earlier job in the same folder that this one does not write are removed: they would seem to be its.

    Args:
        folder: where to, which exists.
        trainer: the job, done or interrupted.
        seconds: the time it took in all.

    Returns:
        Names of the files written, and notes on those that could not be.

    Raises:
        OSError: a file cannot be written.
    """
    files: dict[str, bytes] = {}

    def keep(name: str, content: bytes) -> None:
        with written_atomically(folder / name) as file:
            file.write(content)
        files[name] = content

    keep("weights.safetensors", _weights(trainer))
    keep("run.json", json.dumps(record(trainer, seconds), indent=2, allow_nan=False).encode() + b"\n")
    notes = [*_write_charts(trainer, keep), *_write_graph(trainer, keep)]
    for name in (*CHARTS, "graph.svg", "graph.dot"):
        if name not in files:
            (folder / name).unlink(missing_ok=True)
    return list(files), notes


def _weights(trainer: Trainer) -> bytes:
    arrays = {name: np.ascontiguousarray(w.detach().numpy()) for name, w in trainer.model.state_dict().items()}
    data = trainer.data
    about = {"model": trainer.settings["model"], "side": data.side, "pixel_mean": data.mean, "pixel_std": data.std}
    # One entry, because safetensors writes several in an order that differs between processes.
    content: bytes = save(arrays, {"chalkgrad": json.dumps(about)})
    return content


def record(trainer: Trainer, seconds: float) -> dict[str, Any]:
    """The job as plain data for JSON; numbers that are not finite become None."""
    data, result = trainer.data, trainer.result
    about = {
        "command": "train",
        "status": trainer.status,
        "interrupted": trainer.status == "interrupted",
        "arguments": trainer.settings,
        "seed": trainer.settings["seed"],
        "versions": {
            "chalkgrad": autograd.__version__,
            "python": platform.python_version(),
            **{name: _version(name) for name in PACKAGES},
        },
        "machine": {
            "system": f"{platform.system()} {platform.machine()}",
            "byte_order": sys.byteorder,
            "threads": autograd.get_num_threads(),
            "jit": autograd.jit.mode(),
        },
        "data": {
            "name": data.name,
            "train": len(data.labels),
            "held_out": len(data.held_out_labels),
            "side": data.side,
            "pixel_mean": data.mean,
            "pixel_std": data.std,
        },
        "parameters": trainer.parameter_count,
        "epochs": trainer.epochs,
        "curve": [{"epochs": epochs, "train_loss": loss} for epochs, loss in trainer.curve],
        "held_out": {
            "loss": result.loss,
            "accuracy": result.accuracy,
            "correct": result.correct,
            "mistakes": [
                {"image": int(i), "label": int(result.labels[i]), "read_as": int(result.predictions[i])}
                for i in np.flatnonzero(result.predictions != result.labels)
            ],
        },
        "seconds": seconds,
    }
    plain: dict[str, Any] = _finite(about)
    return plain


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _write_charts(trainer: Trainer, keep: Callable[[str, bytes], None]) -> list[str]:
    try:
        from . import charts
    except ImportError:
        return ["no charts: matplotlib is not installed; pip install 'chalkgrad[plots]' brings it"]
    for name, draw in zip(CHARTS, (charts.curves, charts.confusion, charts.mistakes), strict=True):
        keep(name, draw(trainer))
    return []


def _write_graph(trainer: Trainer, keep: Callable[[str, bytes], None]) -> list[str]:
    """The gradient graph of one step on the first few training images."""
    trainer.model.train()
    with np.errstate(all="ignore"):
        loss, _ = trainer.loss(slice(0, trainer.settings["batch_size"]))
        picture = autograd.draw(loss, params=dict(trainer.model.named_parameters()))
    try:
        keep("graph.svg", picture.pipe(format="svg"))
    except graphviz.ExecutableNotFound:
        keep("graph.dot", picture.source.encode())
        return ["graph.dot instead of graph.svg: Graphviz' program dot is not installed; any Graphviz viewer shows it"]
    return []
