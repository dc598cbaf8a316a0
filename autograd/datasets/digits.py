"""The digits of E. Alpaydin and C. Kaynak (1998), UCI Machine Learning Repository, CC BY 4.0: 8 x 8 pixels."""

from __future__ import annotations

from importlib.resources import files

import numpy as np

__all__ = ["load_digits", "split"]

# The pixels are counts of inked points in blocks of 4 x 4.
BRIGHTEST = 16


def load_digits() -> tuple[np.ndarray, np.ndarray]:
    """The 1797 digits that come with the package, in the data set's order.

    E. Alpaydin and C. Kaynak (1998), *Optical Recognition of Handwritten Digits*, UCI Machine Learning Repository,
    CC BY 4.0: the testing part, as scikit-learn distributes it.

    Returns:
        Images, float32 of shape (1797, 1, 8, 8), from 0 (paper) to 1 (ink).
        Labels, int64 of shape (1797,), from 0 to 9.

    >>> images, labels = load_digits()
    >>> images.shape, images.dtype, labels[:5]
    ((1797, 1, 8, 8), dtype('float32'), array([0, 1, 2, 3, 4]))
    """
    with (files(__package__) / "digits.npz").open("rb") as file, np.load(file) as data:
        return data["images"].astype(np.float32) / np.float32(BRIGHTEST), data["labels"].astype(np.int64)


def split(
    images: np.ndarray, labels: np.ndarray, every: int = 5
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Sets aside every ``every``-th sample of each class, in the order given: the same samples in each run.

    No seed is involved, and the classes keep their shares. For the digits, 1442 train and 355 are held out. All 13
    writers are in both parts, so the held-out accuracy is that for known hands.

    Args:
        images: (N, ...).
        labels: (N,), classes.
        every: 5 sets a fifth aside.

    Returns:
        Images and labels to train on, then images and labels that are held out.

    Raises:
        ValueError: lengths that differ, or ``every`` below 2.

    >>> train, train_labels, test, test_labels = split(*load_digits())
    >>> len(train), len(test)
    (1442, 355)
    """
    if labels.ndim != 1 or len(images) != len(labels):
        raise ValueError(
            f"split: {images.shape[:1]} images need as many labels in one dimension, but labels have {labels.shape}"
        )
    if every < 2:
        raise ValueError(f"split: every must be at least 2, or nothing is left to train on, but got {every}")
    held_out = np.zeros(len(labels), np.bool_)
    for label in np.unique(labels):
        held_out[np.flatnonzero(labels == label)[every - 1 :: every]] = True
    return images[~held_out], labels[~held_out], images[held_out], labels[held_out]
