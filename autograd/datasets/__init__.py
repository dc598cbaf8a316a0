"""Images of handwritten digits: a small set that comes with the package, and MNIST from a folder of IDX files."""

from .digits import load_digits, split
from .idx import load_idx, load_mnist

__all__ = ["load_digits", "load_idx", "load_mnist", "split"]
