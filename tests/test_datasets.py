"""Data sets: the digits in the package, and IDX files whole and damaged."""

from __future__ import annotations

import gzip
import struct
from importlib.resources import files

import numpy as np
import pytest

from autograd.datasets import load_digits, load_idx, load_mnist, split

NAMES = ["train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"]


def idx(array: np.ndarray) -> bytes:
    codes = {"u1": 8, "i1": 9, "i2": 11, "i4": 12, "f4": 13, "f8": 14}
    header = struct.pack(f">HBB{array.ndim}I", 0, codes[array.dtype.str[1:]], array.ndim, *array.shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


def write_mnist(folder, train=20, test=10, compress=lambda number: False):
    random = np.random.default_rng(0)
    written = []
    for number, count in enumerate((train, train, test, test)):
        shape = (count, 28, 28) if number % 2 == 0 else (count,)
        array = random.integers(0, 256 if number % 2 == 0 else 10, shape).astype(np.uint8)
        name = f"{NAMES[number]}-ubyte"
        if compress(number):
            (folder / f"{name}.gz").write_bytes(gzip.compress(idx(array)))
        else:
            (folder / name).write_bytes(idx(array))
        written.append(array)
    return written


def test_digits():
    images, labels = load_digits()
    assert images.shape == (1797, 1, 8, 8)
    assert images.dtype == np.float32
    assert labels.dtype == np.int64
    assert images.min() == 0
    assert images.max() == 1
    assert np.array_equal(np.bincount(labels), [178, 182, 177, 183, 181, 182, 181, 179, 174, 180])


def test_digits_are_those_of_scikit_learn():
    sklearn = pytest.importorskip("sklearn.datasets")
    expected = sklearn.load_digits()
    images, labels = load_digits()
    assert np.array_equal(images[:, 0] * 16, expected.images)
    assert np.array_equal(labels, expected.target)


def test_digits_come_with_their_license():
    folder = files("autograd.datasets")
    text = (folder / "LICENSE-digits.txt").read_text(encoding="utf-8")
    assert all(word in text for word in ("Alpaydin", "Kaynak", "1998", "UCI", "CC BY 4.0"))
    assert len((folder / "digits.npz").read_bytes()) < 60_000


def test_split_takes_a_fifth_of_each_class():
    images, labels = load_digits()
    train, train_labels, held_out, held_out_labels = split(images, labels)
    assert np.array_equal(np.bincount(held_out_labels), np.bincount(labels) // 5)
    assert len(train) + len(held_out) == len(images)
    assert len(train) == len(train_labels)
    # Together they are all images, once each.
    both = sorted(image.tobytes() for part in (train, held_out) for image in part)
    assert both == sorted(image.tobytes() for image in images)
    again = split(images, labels)
    assert all(
        np.array_equal(a, b) for a, b in zip(again, (train, train_labels, held_out, held_out_labels), strict=True)
    )


def test_split_refuses():
    images, labels = load_digits()
    with pytest.raises(ValueError, match="as many labels"):
        split(images, labels[:-1])
    with pytest.raises(ValueError, match="at least 2"):
        split(images, labels, every=1)


@pytest.mark.parametrize("compressed", [False, True])
def test_idx_types_and_shapes(tmp_path, compressed):
    for kind in ("u1", "i1", "i2", "i4", "f4", "f8"):
        for shape in ((5,), (2, 3), (0, 4), (2, 1, 3, 2)):
            array = (np.arange(np.prod(shape)).reshape(shape) - (0 if kind == "u1" else 3)).astype(kind)
            path = tmp_path / "array"
            path.write_bytes(gzip.compress(idx(array)) if compressed else idx(array))
            read = load_idx(path)
            assert read.dtype == array.dtype
            assert read.dtype.isnative
            assert np.array_equal(read, array)


def test_idx_refuses_damaged_files(tmp_path):
    good = idx(np.arange(12, dtype=np.uint8).reshape(3, 4))
    packed = gzip.compress(good)
    path = tmp_path / "file"
    for content, message in (
        (b"", "0 bytes"),
        (b"PK\x03\x04 something else", "magic number is 50 4b 03 04"),
        (b"\0\0\x07\x01\0\0\0\x01\0", "magic number"),
        (b"\0\0\x08\x00", "magic number"),
        (good[:9], "cut off in the header"),
        (good[:-1], r"shape \(3, 4\) takes 12 bytes, but only 11"),
        (good + b"\0", "more data than the 12 bytes"),
        (struct.pack(">HBB3I", 0, 8, 3, *[2**32 - 1] * 3), "cut off"),
        (packed[:-12], "damaged or cut off"),
        (packed[:15] + b"\xff\xff\xff" + packed[18:], "damaged or cut off"),
    ):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=message) as caught:
            load_idx(path)
        assert str(path) in str(caught.value)
    with pytest.raises(FileNotFoundError):
        load_idx(tmp_path / "nowhere")


def test_mnist(tmp_path):
    written = write_mnist(tmp_path, compress=lambda number: number in (0, 3))
    train, train_labels, test, test_labels = load_mnist(tmp_path)
    assert train.shape == (20, 1, 28, 28)
    assert train.dtype == np.uint8
    assert train_labels.dtype == np.int64
    assert np.array_equal(train[:, 0], written[0])
    assert np.array_equal(train_labels, written[1])
    assert np.array_equal(test[:, 0], written[2])
    assert np.array_equal(test_labels, written[3])


def test_mnist_refuses(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        load_mnist(tmp_path / "nowhere")
    write_mnist(tmp_path)
    path = tmp_path / "train-images-idx3-ubyte"
    labels = tmp_path / "t10k-labels-idx1-ubyte"
    good, good_labels = path.read_bytes(), labels.read_bytes()
    for array in (np.zeros((20, 8, 8), np.uint8), np.zeros((20, 28), np.uint8), np.zeros((20, 28, 28), np.float32)):
        path.write_bytes(idx(array))
        with pytest.raises(ValueError, match=r"expected unsigned bytes of shape \(N, 28, 28\)"):
            load_mnist(tmp_path)
    path.write_bytes(good)
    for array, message in (
        (np.zeros(9, np.uint8), "each of the 10 images"),
        (np.full(10, 10, np.uint8), "one is 10"),
    ):
        labels.write_bytes(idx(array))
        with pytest.raises(ValueError, match=message):
            load_mnist(tmp_path)
    labels.write_bytes(good_labels)
    path.unlink()
    labels.unlink()
    with pytest.raises(FileNotFoundError, match="no train-images-idx3-ubyte, no t10k-labels-idx1-ubyte"):
        load_mnist(tmp_path)
