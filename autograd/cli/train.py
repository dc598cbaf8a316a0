"""Trains a classifier of handwritten digits and reports on it."""

from __future__ import annotations

import argparse
import math
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..datasets import load_digits, load_mnist, split
from .errors import CommandError
from .interrupt import Interrupt

if TYPE_CHECKING:
    from .job import Data

__all__ = ["add_arguments", "run"]

# What an argument that was not given means: for the digits, for a folder.
EPOCHS = {"digits": 12, "folder": 3}
LEARNING_RATE = {"sgd": {"digits": 0.02, "folder": 0.01}, "adam": {"digits": 0.001, "folder": 0.001}}
MOMENTUM = 0.9


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describes the command's arguments to ``parser``."""
    add = parser.add_argument
    add(
        "--data",
        default="digits",
        metavar="digits|FOLDER",
        help="the 8 x 8 digits that come with the package, or a folder with the four IDX files of MNIST "
        "(default: %(default)s)",
    )
    add(
        "--model",
        choices=("lenet", "mlp"),
        default="lenet",
        help="convolutions, or one hidden layer of 128 (default: %(default)s)",
    )
    add(
        "--optimizer",
        choices=("sgd", "adam"),
        default="sgd",
        help="how gradients change the weights (default: %(default)s)",
    )
    # The defaults of these depend on other arguments.
    hidden = argparse.SUPPRESS
    rates = f"{_listed(LEARNING_RATE['sgd'])}; with adam {_listed(LEARNING_RATE['adam'])}"
    add("--lr", type=positive, default=hidden, help=f"learning rate (default: {rates})")
    add("--momentum", type=share, default=hidden, help=f"of sgd: at least 0, less than 1 (default: {MOMENTUM})")
    add("--epochs", type=count, default=hidden, help=f"passes over the training set (default: {_listed(EPOCHS)})")
    add("--batch-size", type=count, default=32, help="images in a step (default: %(default)s)")
    add("--seed", type=seed, default=0, help="of the first weights and the order of the images (default: %(default)s)")
    add(
        "--out",
        type=Path,
        default=Path("out"),
        metavar="DIR",
        help="folder for the weights and reports (default: %(default)s)",
    )
    add("--quiet", action="store_true", help="no progress bar and no table")


def run(arguments: argparse.Namespace) -> int:
    """Trains, and writes weights and reports.

    Returns:
        The exit code: 0, 1 when training diverged, or 130 after Ctrl-C.

    Raises:
        CommandError: an argument, the data or the folder cannot be used.
    """
    started = time.perf_counter()
    settings = _settings(arguments)
    data = _load(settings["data"])
    folder = _made(arguments.out)
    # Only now: the layers take a moment to load, and a mistyped argument should not have to wait for them.
    from . import job, report

    try:
        trainer = job.Trainer(data, settings)
    except ValueError as error:
        raise CommandError(str(error)) from error
    if not arguments.quiet:
        print(trainer.describe())
    with Interrupt() as interrupt:
        # A loss beyond the range of numbers is reported by name, not by warnings.
        with np.errstate(all="ignore"):
            trainer.run(interrupt, quiet=arguments.quiet)
        seconds = time.perf_counter() - started
        try:
            written, notes = report.write(folder, trainer, seconds)
        except OSError as error:
            raise CommandError(f"cannot write to {folder}: {error}", code=1) from error
    for note in notes:
        print(note, file=sys.stderr)
    return _conclude(trainer, folder, written, seconds)


def _conclude(trainer: Any, folder: Path, written: list[str], seconds: float) -> int:
    result = trainer.result
    score = f"held-out accuracy {result.accuracy:.2%} ({result.correct} of {len(result.predictions)})"
    if trainer.status == "interrupted":
        print(f"interrupted in epoch {trainer.epoch} of {trainer.settings['epochs']}: {score}; saved in {folder}")
        return 130
    if trainer.status == "diverged":
        print(
            f"chalkgrad train: the loss was no longer a number in epoch {trainer.epoch}: pass a smaller --lr than "
            f"{trainer.settings['lr']:g}; reports are in {folder}",
            file=sys.stderr,
        )
        return 1
    epochs = f"{trainer.epoch} epoch{'s' if trainer.epoch > 1 else ''}"
    print(f"{score} after {epochs}, {seconds:.1f} s; in {folder}: {', '.join(written)}")
    return 0


def _settings(arguments: argparse.Namespace) -> dict[str, Any]:
    """All settings of the job, defaults filled in."""
    kind = "digits" if arguments.data == "digits" else "folder"
    optimizer = arguments.optimizer
    if optimizer != "sgd" and hasattr(arguments, "momentum"):
        raise CommandError(f"argument --momentum: {optimizer} has none, only sgd")
    settings = {
        "data": arguments.data,
        "model": arguments.model,
        "optimizer": optimizer,
        "lr": getattr(arguments, "lr", LEARNING_RATE[optimizer][kind]),
        "epochs": getattr(arguments, "epochs", EPOCHS[kind]),
        "batch_size": arguments.batch_size,
        "seed": arguments.seed,
    }
    if optimizer == "sgd":
        settings["momentum"] = getattr(arguments, "momentum", MOMENTUM)
    return settings


def _load(name: str) -> Data:
    from .job import Data

    if name == "digits":
        return Data("digits", *split(*load_digits()))
    try:
        return Data(Path(name).name or name, *load_mnist(name))
    except FileNotFoundError as error:
        raise CommandError(
            f"argument --data: {error}; give 'digits', or a folder with the four files of MNIST"
        ) from error
    except (OSError, ValueError) as error:
        raise CommandError(f"argument --data: {error}") from error


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise CommandError(f"argument --out: {folder} is not a folder") from error
    except OSError as error:
        raise CommandError(f"argument --out: cannot make {folder}: {error.strerror}") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise CommandError(f"argument --out: {folder} cannot be written to")
    return folder


# --- Arguments: argparse puts "argument --lr: " in front of the texts ---------------------------------------------


def positive(text: str) -> float:
    """A finite number above 0."""
    value = _number(text, float)
    if not (value > 0 and math.isfinite(value)):
        raise argparse.ArgumentTypeError(f"must be a number above 0, but got {text}")
    return value


def share(text: str) -> float:
    """A number from 0 up to but not including 1."""
    value = _number(text, float)
    if not 0 <= value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 0 and less than 1, but got {text}")
    return value


def count(text: str) -> int:
    """A positive integer."""
    value = int(_number(text, int))
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be a positive integer, but got {text}")
    return value


def seed(text: str) -> int:
    """An integer that generators take."""
    value = int(_number(text, int))
    if not 0 <= value < 1 << 63:
        raise argparse.ArgumentTypeError(f"must be from 0 to 2^63 - 1, but got {text}")
    return value


def _number(text: str, kind: type[int] | type[float]) -> float:
    try:
        return kind(text)
    except ValueError:
        name = "an integer" if kind is int else "a number"
        raise argparse.ArgumentTypeError(f"must be {name}, but got {text!r}") from None


def _listed(defaults: dict[str, Any]) -> str:
    return ", ".join(f"{value} for {name if name != 'folder' else 'a folder'}" for name, value in defaults.items())
