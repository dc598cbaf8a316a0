"""Charts of a training job, as PNG. The colors are Okabe and Ito's, which color-blind readers tell apart."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from .job import CLASSES, Trainer

__all__ = ["confusion", "curves", "mistakes"]

BLUE, VERMILION, INK, GRAY = "#0072B2", "#D55E00", "#1A1A1A", "#6B6B6B"
RESOLUTION = 150  # dots per inch
# The sheet of mistakes shows the most confident ones, in so many rows and columns at most.
ROWS, COLUMNS = 5, 8
MANY_EPOCHS = 40

STYLE: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 11,
    "axes.titlesize": 13,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GRAY,
    "axes.labelcolor": INK,
    "xtick.color": GRAY,
    "ytick.color": GRAY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "text.color": INK,
}


def curves(trainer: Trainer) -> bytes:
    """Loss and accuracy over the epochs, for training and held-out images."""
    with rc_context(STYLE):
        figure = Figure(figsize=(11, 4.6), layout="constrained")
        left, right = figure.subplots(1, 2)
        ends = np.cumsum([e["samples"] for e in trainer.epochs]) / len(trainer.data.labels)
        # Measured while the weights still change: the middle of an epoch is what it stands for.
        middles = ends - np.diff(ends, prepend=0) / 2
        column = {name: np.array([e[name] for e in trainer.epochs]) for name in _COLUMNS}
        steps = np.array(trainer.curve).reshape(-1, 2)
        _lines(left, (*steps.T, "training"), (ends, column["held_out_loss"], "held-out"), "{:.3f}")
        left.set(title="Loss", ylabel="mean cross-entropy (nats, log scale)")
        if np.nanmax(steps[:, 1], initial=0) > 0:
            left.set_yscale("log")
            left.yaxis.set_major_formatter("{x:g}")
        _lines(
            right, (middles, column["train_accuracy"], "training"), (ends, column["held_out_accuracy"], "held-out"),
            "{:.1%}",
        )  # fmt: skip
        right.set(title="Accuracy", ylabel="images read correctly (%)")
        right.yaxis.set_major_formatter(PercentFormatter(1, decimals=None, symbol=""))
        for axes in (left, right):
            axes.set_xlabel("epochs (passes over the training set)")
            axes.set_xlim(0, max(1, ends[-1] if len(ends) else 1))
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            axes.grid(axis="y", color="#DDDDDD", linewidth=0.8)
            axes.set_axisbelow(True)
        figure.suptitle(_title(trainer), fontsize=11, color=GRAY, x=0.01, ha="left")
        return _png(figure)


_COLUMNS = ("train_accuracy", "held_out_loss", "held_out_accuracy")


def _lines(axes: Axes, training: Any, held_out: Any, number: str) -> None:
    """Two lines, each labeled where it ends; the labels keep apart."""
    labels = []
    for (x, y, name), color, marker in ((training, BLUE, ""), (held_out, VERMILION, "o")):
        few = len(x) <= MANY_EPOCHS
        axes.plot(x, y, color=color, linewidth=2, marker=(marker or "s") if few else "", markersize=4.5)
        if len(y) and np.isfinite(y[-1]):
            labels.append((y[-1], f"{name} {number.format(y[-1])}", color))
    labels.sort(key=lambda label: label[0])
    for place, (y, text, color) in enumerate(labels):
        # Beside the axes, in points: lines that end close together would print over each other.
        shift = 0 if len(labels) < 2 else (-8, 8)[place]
        axes.annotate(
            text, (1, y), (8, shift), xycoords=("axes fraction", "data"), textcoords="offset points",
            color=color, fontweight="bold", va="center", annotation_clip=False,
        )  # fmt: skip


def confusion(trainer: Trainer) -> bytes:
    """How often each digit was read as which: counts, mistakes in vermilion."""
    result = trainer.result
    counts = np.zeros((CLASSES, CLASSES), np.int64)
    np.add.at(counts, (result.labels, result.predictions), 1)
    totals = counts.sum(1)
    right = np.diagonal(counts)
    wrong = counts - np.diag(right)
    with rc_context(STYLE):
        figure = Figure(figsize=(8.2, 7.6), layout="constrained")
        axes = figure.subplots()
        blues = LinearSegmentedColormap.from_list("right", ["#FFFFFF", BLUE])
        oranges = LinearSegmentedColormap.from_list("wrong", ["#FFFFFF", VERMILION])
        shown = oranges(0.15 + 0.85 * wrong / max(int(wrong.max()), 1))
        shown[wrong == 0] = (1, 1, 1, 1)
        for digit in range(CLASSES):
            shown[digit, digit] = blues(0.35 * right[digit] / max(int(totals[digit]), 1))
        axes.imshow(shown)
        for (i, j), n in np.ndenumerate(counts):
            if n:
                dark = i != j and n > 0.6 * wrong.max()
                axes.text(j, i, str(n), ha="center", va="center", color="white" if dark else INK, fontweight="bold")
        for digit in range(CLASSES):
            share = f"{right[digit] / totals[digit]:.1%}" if totals[digit] else "–"
            axes.text(CLASSES - 0.3, digit, share, va="center", color=BLUE, fontweight="bold")
        axes.text(CLASSES - 0.3, -0.75, "correct", va="center", color=BLUE)
        axes.set(
            title=f"{result.correct} of {len(result.labels)} held-out digits read correctly ({result.accuracy:.2%})\n",
            xlabel="read as (digit)",
            ylabel="true digit",
            xticks=range(CLASSES),
            yticks=range(CLASSES),
        )
        axes.set_xticks(np.arange(-0.5, CLASSES), minor=True)
        axes.set_yticks(np.arange(-0.5, CLASSES), minor=True)
        axes.grid(which="minor", color="#DDDDDD", linewidth=0.8)
        axes.tick_params(which="both", length=0)
        for spine in axes.spines.values():
            spine.set_visible(False)
        figure.supxlabel(
            "number of images; blue: correct, vermilion: mistaken, darker where more often", fontsize=10, color=GRAY
        )
        return _png(figure)


def mistakes(trainer: Trainer) -> bytes:
    """The held-out digits that were misread, the most confident mistakes first."""
    result, data = trainer.result, trainer.data
    wrong = np.flatnonzero(result.predictions != result.labels)
    order = wrong[np.argsort(-result.confidences[wrong], kind="stable")][: ROWS * COLUMNS]
    columns = min(COLUMNS, max(len(order), 4))
    rows = max(1, -(-len(order) // columns))
    title = f"{len(wrong)} of {len(result.labels)} held-out digits misread"
    if len(wrong) > len(order):
        title += f": the {len(order)} most confident"
    with rc_context(STYLE):
        figure = Figure(figsize=(1.45 * columns + 0.3, 1.95 * rows + 0.9), layout="constrained")
        figure.suptitle(title, fontsize=13, fontweight="bold", x=0.01, ha="left")
        for axes in (cells := figure.subplots(rows, columns, squeeze=False)).flat:
            axes.set_axis_off()
        for axes, i in zip(cells.flat, order, strict=False):
            axes.imshow(data.held_out_images[i, 0], cmap="gray_r", interpolation="nearest")
            read, true = result.predictions[i], result.labels[i]
            axes.set_title(f"read {read}", fontsize=11, color=VERMILION, loc="left", pad=4)
            axes.set_title(f"is {true}", fontsize=11, color=BLUE, loc="right", pad=4)
            axes.text(
                0.5, -0.04, f"{result.confidences[i]:.0%} sure", transform=axes.transAxes, ha="center", va="top",
                fontsize=9, color=GRAY,
            )  # fmt: skip
        if not len(order):
            figure.text(0.01, 0.4, "Every held-out digit was read correctly.", fontsize=12)
        return _png(figure)


def _title(trainer: Trainer) -> str:
    state = "" if trainer.status == "finished" else f" ({trainer.status} in epoch {trainer.epoch})"
    return trainer.describe().partition(";")[0] + f" · {trainer.data.name} · {trainer.describe().split('; ')[-1]}{state}"


def _png(figure: Figure) -> bytes:
    content = io.BytesIO()
    FigureCanvasAgg(figure).print_figure(content, format="png", dpi=RESOLUTION)
    return content.getvalue()
