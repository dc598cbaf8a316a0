"""IDX files, the format of MNIST: a magic number, the sizes and then the numbers, all big-endian."""

from __future__ import annotations

import gzip
import os
import zlib
from math import prod
from pathlib import Path
from typing import BinaryIO

import numpy as np

__all__ = ["load_idx", "load_mnist"]

# The third byte of the magic number; the fourth is the number of dimensions.
DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
GZIP_MAGIC = b"\x1f\x8b"
# Memory is asked for as the data arrive: a damaged header may announce terabytes.
CHUNK = 1 << 24

PARTS = {"train": "train", "test": "t10k"}
SIDE, CLASSES = 28, 10


def load_idx(path: str | os.PathLike[str]) -> np.ndarray:
    """The array in an IDX file, plain or compressed by gzip, whatever its name ends in.

    Args:
        path: the file.

    Returns:
        An array of the file's shape and type, in the machine's byte order.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no IDX file, or holds fewer or more bytes than its header says.

    >>> import struct, tempfile
    >>> with tempfile.NamedTemporaryFile(delete=False) as file:
    ...     _ = file.write(struct.pack(">HBBI", 0, 8, 1, 3) + bytes([5, 0, 4]))
    >>> load_idx(file.name)
    array([5, 0, 4], dtype=uint8)
    """
    path = Path(path)
    with path.open("rb") as plain:
        is_compressed = plain.read(2) == GZIP_MAGIC
        plain.seek(0)
        if not is_compressed:
            return _read(plain, path)
        try:
            with gzip.GzipFile(fileobj=plain) as file:
                return _read(file, path)  # type: ignore[arg-type]  # GzipFile reads bytes, but is no BinaryIO to mypy
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise ValueError(f"{path}: the gzip file is damaged or cut off ({error}); fetch it again") from error


def _read(file: BinaryIO, path: Path) -> np.ndarray:
    magic = file.read(4)
    if len(magic) < 4:
        raise ValueError(f"{path}: not an IDX file: it has {len(magic)} bytes, fewer than a magic number")
    if magic[:2] != b"\0\0" or magic[2] not in DTYPES or magic[3] == 0:
        raise ValueError(
            f"{path}: not an IDX file: its magic number is {magic.hex(' ')}, but should be 00 00, a type from "
            f"{', '.join(f'{code:02x}' for code in DTYPES)}, and the number of dimensions"
        )
    header = file.read(4 * magic[3])
    if len(header) < 4 * magic[3]:
        raise ValueError(f"{path}: cut off in the header, which announces {magic[3]} dimensions")
    shape = tuple(np.frombuffer(header, ">u4").tolist())
    dtype = np.dtype(DTYPES[magic[2]])
    expected = prod(shape) * dtype.itemsize
    data = bytearray()
    while len(data) <= expected:
        piece = file.read(min(CHUNK, expected + 1 - len(data)))
        if not piece:
            break
        data += piece
    if len(data) < expected:
        raise ValueError(
            f"{path}: cut off: shape {shape} takes {expected} bytes, but only {len(data)} are there; fetch it again"
        )
    if len(data) > expected:
        raise ValueError(f"{path}: more data than the {expected} bytes that shape {shape} takes")
    return np.frombuffer(data, dtype).reshape(shape).astype(dtype.newbyteorder("="), copy=False)


def load_mnist(folder: str | os.PathLike[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """MNIST, or a set in its format, from a folder with its four IDX files.

    The files are ``train-images-idx3-ubyte``, ``train-labels-idx1-ubyte``, ``t10k-images-idx3-ubyte`` and
    ``t10k-labels-idx1-ubyte``, each with or without ``.gz``.

    Args:
        folder: where they are.

    Returns:
        Training images, uint8 of shape (N, 1, 28, 28); their labels, int64 of shape (N,), from 0 to 9; then the
        test images and labels.

    Raises:
        FileNotFoundError: no such folder, or files are missing; all of them are named.
        ValueError: a damaged file, images of another size, or labels that do not fit.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder {folder}")
    names = [f"{part}-{kind}-ubyte" for part in PARTS.values() for kind in ("images-idx3", "labels-idx1")]
    found = {name: path for name in names for path in (folder / f"{name}.gz", folder / name) if path.is_file()}
    missing = [name for name in names if name not in found]
    if missing:
        raise FileNotFoundError(f"{folder} has no {', no '.join(missing)} (with or without .gz)")
    train_images, train_labels, test_images, test_labels = (load_idx(found[name]) for name in names)
    return (
        *_checked(train_images, train_labels, found[names[0]], found[names[1]]),
        *_checked(test_images, test_labels, found[names[2]], found[names[3]]),
    )


def _checked(
    images: np.ndarray, labels: np.ndarray, images_path: Path, labels_path: Path
) -> tuple[np.ndarray, np.ndarray]:
    if images.dtype != np.uint8 or images.ndim != 3 or images.shape[1:] != (SIDE, SIDE) or not len(images):
        raise ValueError(
            f"{images_path}: expected unsigned bytes of shape (N, {SIDE}, {SIDE}), but it holds {images.dtype} of "
            f"shape {images.shape}"
        )
    if labels.dtype != np.uint8 or labels.shape != images.shape[:1]:
        raise ValueError(
            f"{labels_path}: expected a byte for each of the {len(images)} images, but it holds {labels.dtype} of "
            f"shape {labels.shape}"
        )
    if labels.max() >= CLASSES:
        raise ValueError(f"{labels_path}: labels must be from 0 to {CLASSES - 1}, but one is {labels.max()}")
    return images[:, None], labels.astype(np.int64)
