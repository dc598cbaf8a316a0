"""Connectionist temporal classification: probabilities of all alignments, by dynamic programming in logarithms.

A text ``t1 t2`` is read off an alignment by dropping repetitions and blanks; ``- t1 - t2 -`` (blanks between and
around, 2 S + 1 places) is therefore walked through from left to right, one or two places at a time. Each step works on
all examples and places at once. Graves et al. (2006), sections 4.1 and 4.2.
"""

from __future__ import annotations

import numpy as np

__all__ = ["alignments", "alignments_gradient", "spaced"]


def spaced(targets: np.ndarray, blank: int) -> np.ndarray:
    """Targets (N, S) with blanks between and around: (N, 2 S + 1)."""
    count, length = targets.shape
    out = np.full((count, 2 * length + 1), blank, np.int64)
    out[:, 1::2] = targets
    return out


def _may_skip(labels: np.ndarray, blank: int) -> np.ndarray:
    """Where a path may come from two places before: over a blank between different labels."""
    skip = np.zeros(labels.shape, bool)
    skip[:, 2:] = (labels[:, 2:] != blank) & (labels[:, 2:] != labels[:, :-2])
    return skip


def _walk(log_probs: np.ndarray, labels: np.ndarray, target_lengths: np.ndarray, blank: int) -> np.ndarray:
    """Logarithms (T, N, 2 S + 1) of the total probability of all ways to each place, up to and with each time."""
    scores = np.take_along_axis(log_probs, np.broadcast_to(labels, (len(log_probs), *labels.shape)), 2)
    skip = _may_skip(labels, blank)
    # A way begins with the first blank or the first label.
    way = np.full(labels.shape, -np.inf, log_probs.dtype)
    way[:, :1] = 0
    way[:, 1:2] = np.where(target_lengths > 0, 0, -np.inf)[:, None]
    out = np.empty_like(scores)
    for t in range(len(scores)):
        if t:
            step = way.copy()
            step[:, 1:] = np.logaddexp(step[:, 1:], way[:, :-1])
            step[:, 2:] = np.where(skip[:, 2:], np.logaddexp(step[:, 2:], way[:, :-2]), step[:, 2:])
            way = step
        way = out[t] = way + scores[t]
    return out


def alignments(
    log_probs: np.ndarray, labels: np.ndarray, input_lengths: np.ndarray, target_lengths: np.ndarray, blank: int
) -> tuple[np.ndarray, np.ndarray]:
    """The losses (N,), and the walk from the left, which the gradient needs.

    Args:
        log_probs: (T, N, C).
        labels: `spaced` targets (N, 2 S + 1).
        input_lengths: (N,), at most T.
        target_lengths: (N,), at most S.
        blank: the class that says nothing.
    """
    walk = _walk(log_probs, labels, target_lengths, blank)
    some = input_lengths > 0
    total = np.full(len(labels), -np.inf, log_probs.dtype)
    end = walk[input_lengths[some] - 1, np.nonzero(some)[0]]
    examples, last = np.arange(len(end)), 2 * target_lengths[some]
    before = np.where(last > 0, end[examples, np.maximum(last - 1, 0)], -np.inf)
    total[some] = np.logaddexp(end[examples, last], before)
    # Nothing said in no time is certain.
    total[~some & (target_lengths == 0)] = 0
    return -total, walk


def alignments_gradient(
    g: np.ndarray,
    log_probs: np.ndarray,
    losses: np.ndarray,
    walk: np.ndarray,
    labels: np.ndarray,
    input_lengths: np.ndarray,
    target_lengths: np.ndarray,
    blank: int,
    zero_infinity: bool,
) -> np.ndarray:
    """``g (exp(log_probs) - occupancy)``: of the logits below a log-softmax, the gradient is that of ``log_probs``."""
    steps, count, _ = log_probs.shape
    # The walk from the right: times and places of each example reversed within its lengths.
    times = (input_lengths[None, :] - 1 - np.arange(steps)[:, None]) % max(steps, 1)
    places = (2 * target_lengths[:, None] - np.arange(labels.shape[1])) % labels.shape[1]
    examples = np.arange(count)
    back = _walk(log_probs[times, examples], np.take_along_axis(labels, places, 1), target_lengths, blank)
    back = np.take_along_axis(back[times, examples], np.broadcast_to(places, (steps, *places.shape)), 2)
    valid = np.arange(labels.shape[1]) <= 2 * target_lengths[:, None]
    occupied = np.where(valid, walk + back, -np.inf)
    of_class = np.full(log_probs.shape, -np.inf, log_probs.dtype)
    for s in range(labels.shape[1]):  # one place of all examples and times at once
        here = of_class[:, examples, labels[:, s]]
        of_class[:, examples, labels[:, s]] = np.logaddexp(here, occupied[:, :, s])
    out = (np.exp(log_probs) - np.exp(of_class + losses[:, None] - log_probs)) * g[:, None]
    out[np.arange(steps)[:, None] >= input_lengths] = 0
    if zero_infinity:
        out[:, np.isinf(losses)] = 0
    return out
