"""Training a classifier, step by step, the same to the last bit for the same seed."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from tqdm import tqdm

import autograd
import nn
import optim

from .interrupt import Interrupt

__all__ = ["Data", "Result", "Trainer"]

CLASSES = 10
HIDDEN = 128
EVALUATION_BATCH = 500
# The curve of the training loss has this many points in an epoch.
POINTS = 10

HEADER = "epoch  training loss  accuracy  held-out loss  accuracy  seconds"
ROW = (
    "{epoch:5d}  {train_loss:13.4f}  {train_accuracy:8.2%}  {held_out_loss:13.4f}  {held_out_accuracy:8.2%}  "
    "{seconds:7.1f}"
)


@dataclass
class Data:
    """Images (N, 1, side, side) and labels (N,) to train on, and others that are held out."""

    name: str
    images: np.ndarray
    labels: np.ndarray
    held_out_images: np.ndarray
    held_out_labels: np.ndarray
    mean: float = field(init=False)
    std: float = field(init=False)

    def __post_init__(self) -> None:
        """Mean and standard deviation of all training pixels."""
        total = squares = 0.0
        # In parts: in float64 the whole of MNIST takes 380 MB.
        for start in range(0, len(self.images), EVALUATION_BATCH):
            part = self.images[start : start + EVALUATION_BATCH].astype(np.float64)
            total += float(part.sum())
            squares += float((part * part).sum())
        self.mean = total / self.images.size
        self.std = math.sqrt(max(squares / self.images.size - self.mean**2, 0.0)) or 1.0

    @property
    def side(self) -> int:
        return int(self.images.shape[-1])

    def scaled(self, images: np.ndarray) -> np.ndarray:
        """Images in float32 with the training set's mean at 0 and its standard deviation at 1."""
        return (images.astype(np.float32) - np.float32(self.mean)) * np.float32(1 / self.std)


@dataclass
class Result:
    """What the model makes of the held-out images: mean loss, most probable classes and their probabilities."""

    loss: float
    predictions: np.ndarray
    confidences: np.ndarray
    labels: np.ndarray

    @property
    def correct(self) -> int:
        return int((self.predictions == self.labels).sum())

    @property
    def accuracy(self) -> float:
        return self.correct / len(self.labels)


class Trainer:
    """A model, its optimizer, and what happened to them.

    Attributes:
        status: ``"finished"``, ``"interrupted"`` or ``"diverged"``.
        epoch: the epoch that is running, from 1.
        epochs: for each epoch its losses, accuracies and seconds; the last may be a part of an epoch.
        curve: pairs of the epochs done (a fraction) and the mean loss since the last pair.
        result: of the last evaluation.
    """

    def __init__(self, data: Data, settings: dict[str, Any]) -> None:
        self.data, self.settings = data, settings
        autograd.manual_seed(settings["seed"])
        if settings["model"] == "lenet":
            self.model: nn.Module = nn.models.LeNet(CLASSES, image_size=data.side)
            self.image_shape: tuple[int, ...] = (1, data.side, data.side)
        else:
            self.model = nn.models.MLP(data.side**2, HIDDEN, CLASSES)
            self.image_shape = (data.side**2,)
        self.criterion = nn.CrossEntropyLoss()
        parameters = self.model.parameters()
        self.optimizer: optim.Optimizer
        if settings["optimizer"] == "sgd":
            self.optimizer = optim.SGD(parameters, lr=settings["lr"], momentum=settings["momentum"])
        else:
            self.optimizer = optim.Adam(parameters, lr=settings["lr"])
        self.status = "finished"
        self.epoch = 0
        self.epochs: list[dict[str, Any]] = []
        self.curve: list[tuple[float, float]] = []
        self.result: Result

    @property
    def parameter_count(self) -> int:
        return sum(parameter.numel() for parameter in self.model.parameters())

    def describe(self) -> str:
        """The job in one line."""
        settings, data = self.settings, self.data
        momentum = f", momentum {settings['momentum']:g}" if "momentum" in settings else ""
        return (
            f"{settings['model']}: {self.parameter_count:,} parameters; {data.name}: {len(data.labels):,} images to "
            f"train on, {len(data.held_out_labels):,} held out; {settings['optimizer']}, lr {settings['lr']:g}"
            f"{momentum}, batches of {settings['batch_size']}, seed {settings['seed']}"
        )

    def run(self, interrupt: Interrupt, quiet: bool = False) -> None:
        """Trains for all epochs, or until Ctrl-C, or until the loss is no number any more."""
        shuffler = autograd.Generator().manual_seed(self.settings["seed"])
        if not quiet:
            print(HEADER)
        for epoch in range(1, self.settings["epochs"] + 1):
            self.epoch = epoch
            if interrupt.requested:
                self.status = "interrupted"
                if self.epoch == 1:
                    self.result = self.evaluate()
                break
            record = self._train_epoch(autograd.randperm(len(self.data.labels), generator=shuffler), interrupt, quiet)
            self.result = self.evaluate()
            record.update(held_out_loss=self.result.loss, held_out_accuracy=self.result.accuracy)
            self.epochs.append(record)
            if not quiet:
                print(ROW.format(**record), flush=True)
            if self.status != "finished":
                break

    def _train_epoch(self, order: autograd.Tensor, interrupt: Interrupt, quiet: bool) -> dict[str, Any]:
        started = time.perf_counter()
        rows, size = order.numpy(), self.settings["batch_size"]
        starts = range(0, len(rows), size)
        # Pieces of equal length, within a step: a short last one would be a jump in the curve.
        marks = {len(starts) * i // POINTS for i in range(1, POINTS + 1)}
        seen = correct = 0
        total = recent = 0.0
        recent_seen = 0
        self.model.train()
        # No bar where standard error is a file or a pipe.
        with tqdm(starts, f"epoch {self.epoch}", leave=False, unit="step", disable=quiet or None) as bar:
            for step, start in enumerate(bar, 1):
                batch = rows[start : start + size]
                loss, right = self._step(batch)
                seen += len(batch)
                recent_seen += len(batch)
                total += loss * len(batch)
                recent += loss * len(batch)
                correct += right
                if step in marks:
                    self.curve.append((self.epoch - 1 + seen / len(rows), recent / recent_seen))
                    recent, recent_seen = 0.0, 0
                bar.set_postfix_str(f"loss {total / seen:.4f}, accuracy {correct / seen:.2%}", refresh=False)
                if not math.isfinite(loss):
                    self.status = "diverged"
                    break
                if interrupt.requested:
                    self.status = "interrupted"
                    break
        return {
            "epoch": self.epoch,
            "samples": seen,
            "train_loss": total / seen,
            "train_accuracy": correct / seen,
            "seconds": time.perf_counter() - started,
        }

    def loss(self, batch: Any) -> tuple[autograd.Tensor, np.ndarray]:
        """The loss of training images, as a graph, and the logits."""
        logits = self.model(self._tensor(self.data.images[batch]))
        return self.criterion(logits, autograd.from_numpy(self.data.labels[batch])), logits.detach().numpy()

    def _step(self, batch: np.ndarray) -> tuple[float, int]:
        self.optimizer.zero_grad()
        loss, logits = self.loss(batch)
        loss.backward()
        self.optimizer.step()
        return float(loss.item()), int((logits.argmax(1) == self.data.labels[batch]).sum())

    def evaluate(self) -> Result:
        """The model's answers to the held-out images."""
        images, labels = self.data.held_out_images, self.data.held_out_labels
        self.model.eval()
        total = 0.0
        predictions, confidences = [], []
        with autograd.no_grad():
            for start in range(0, len(labels), EVALUATION_BATCH):
                part = slice(start, start + EVALUATION_BATCH)
                logits = self.model(self._tensor(images[part]))
                total += float(self.criterion(logits, autograd.from_numpy(labels[part])).item()) * len(labels[part])
                best = autograd.softmax(logits, 1).numpy()
                predictions.append(best.argmax(1))
                confidences.append(best.max(1))
        return Result(total / len(labels), np.concatenate(predictions), np.concatenate(confidences), labels)

    def _tensor(self, images: np.ndarray) -> autograd.Tensor:
        return autograd.from_numpy(self.data.scaled(images).reshape(len(images), *self.image_shape))
