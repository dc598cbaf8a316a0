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
from matplotlib.ticker import LogFormatter, MaxNLocator

from .job import CLASSES, Trainer

__all__ = ["confusion", "curves", "mistakes"]

BLUE, VERMILION, INK, GRAY = "#0072B2", "#D55E00", "#1A1A1A", "#6B6B6B"
RESOLUTION = 150  # dots per inch
# The sheet of mistakes shows the most confident ones, in so many rows and columns at most.
ROWS, COLUMNS = 5, 8
MANY_EPOCHS = 40
# Single mistakes stay pale, however few there are.
PALE = 5

STYLE: Any = {
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


class _Plain(LogFormatter):
    """0.1 where matplotlib writes 1e-01."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        return f"{x:g}" if super().__call__(x, pos) else ""


def curves(trainer: Trainer) -> bytes:
    """Loss and accuracy over the epochs, for training and held-out images."""
    with rc_context(STYLE):
        figure = Figure(figsize=(12, 5), layout="constrained")
        left, right = figure.subplots(1, 2)
        ends = np.cumsum([epoch["samples"] for epoch in trainer.epochs]) / len(trainer.data.labels)
        # Measured while the weights still change: the middle of an epoch is what it stands for.
        middles = ends - np.diff(ends, prepend=0) / 2
        names = ("train_loss", "train_accuracy", "held_out_loss", "held_out_accuracy")
        column = {name: np.array([epoch[name] for epoch in trainer.epochs]) for name in names}
        left.plot(*np.array(trainer.curve).reshape(-1, 2).T, color=BLUE, linewidth=1, alpha=0.4)
        _lines(left, middles, column["train_loss"], ends, column["held_out_loss"], "{:.3g}")
        _lines(right, middles, column["train_accuracy"], ends, column["held_out_accuracy"], "{:.2%}")
        if any(loss > 0 for _, loss in trainer.curve):
            left.set_yscale("log")
            left.yaxis.set_major_formatter(_Plain())
            left.yaxis.set_minor_formatter(_Plain(labelOnlyBase=False, minor_thresholds=(1.5, 0.5)))
        left.set(title="Loss", ylabel="mean cross-entropy (nats, log scale)")
        right.set(title="Accuracy", ylabel="images read correctly (%)")
        right.yaxis.set_major_formatter(lambda share, _: f"{100 * share:g}")
        for axes in (left, right):
            axes.set_xlabel("epochs (passes over the training set)")
            axes.set_xlim(0, max(1, *ends) if len(ends) else 1)
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            axes.grid(axis="y", color="#DDDDDD", linewidth=0.8)
            axes.set_axisbelow(True)
        state = "" if trainer.status == "finished" else f" ({trainer.status} in epoch {trainer.epoch})"
        figure.suptitle(
            f"{trainer.settings['model']} on {trainer.data.name}: {trainer.result.accuracy:.2%} of the held-out images "
            f"read correctly{state}\n",
            fontsize=14, fontweight="bold", x=0.01, ha="left",
        )  # fmt: skip
        note = "thin line: training loss within epochs · " if trainer.curve else ""
        figure.supxlabel(note + trainer.describe().replace("; ", " · "), fontsize=9, color=GRAY, x=0.01, ha="left")
        return _png(figure)


def _lines(axes: Axes, middles: Any, training: Any, ends: Any, held_out: Any, number: str) -> None:
    """A line for each set of images, with its name and last value beside the place where it ends."""
    lines = [(middles, training, "training", BLUE, "s"), (ends, held_out, "held-out", VERMILION, "o")]
    for x, y, _, color, marker in lines:
        marker = marker if len(x) <= MANY_EPOCHS else ""
        axes.plot(x, y, color=color, linewidth=2, marker=marker, markersize=5, clip_on=False, zorder=3)
    ended = [line for line in lines if len(line[1]) and np.isfinite(line[1][-1])]
    # Lines that end close together would print over each other: the upper label goes up, the lower one down.
    for shift, (_, y, name, color, _) in zip((-9, 9), sorted(ended, key=lambda line: line[1][-1]), strict=False):
        axes.annotate(
            f"{name} {number.format(y[-1])}", (1, y[-1]), (9, shift if len(ended) > 1 else 0),
            xycoords=("axes fraction", "data"), textcoords="offset points", color=color, fontweight="bold",
            va="center", annotation_clip=False,
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
        shown = oranges(0.15 + 0.85 * wrong / max(int(wrong.max()), PALE))
        shown[wrong == 0] = (1, 1, 1, 1)
        for digit in range(CLASSES):
            shown[digit, digit] = blues(0.35 * right[digit] / max(int(totals[digit]), 1))
        axes.imshow(shown)
        for (i, j), n in np.ndenumerate(counts):
            if n:
                dark = i != j and n > 0.6 * max(int(wrong.max()), PALE)
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
        figure = Figure(figsize=(1.45 * columns + 0.4, 1.95 * rows + 0.7), layout="constrained")
        figure.suptitle(title, fontsize=13, fontweight="bold", x=0.01, ha="left")
        cells = list(figure.subplots(rows, columns, squeeze=False).flat)
        for axes in cells:
            axes.set_axis_off()
        for axes, i in zip(cells, order, strict=False):
            axes.set_axis_on()
            axes.set(xticks=(), yticks=())
            axes.spines[:].set(visible=True, color="#BBBBBB")
            axes.imshow(data.held_out_images[i, 0], cmap="gray_r", interpolation="nearest")
            axes.set_title(f"{result.labels[i]} read as {result.predictions[i]}", fontsize=11, loc="center", pad=5)
            axes.set_xlabel(f"{result.confidences[i]:.0%} sure", fontsize=9, color=GRAY)
        if not len(order):
            figure.text(0.01, 0.4, "Every held-out digit was read correctly.", fontsize=12)
        return _png(figure)


def _png(figure: Figure) -> bytes:
    content = io.BytesIO()
    FigureCanvasAgg(figure).print_figure(content, format="png", dpi=RESOLUTION)
    return content.getvalue()
