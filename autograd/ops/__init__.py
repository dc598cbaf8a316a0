"""The operators: one row each, one file a family. Importing this package fills the table and equips Tensor."""

from . import (  # noqa: F401  (importing a family registers its rows)
    activations,
    bitwise,
    complex,
    convert,
    create,
    index,
    layers,
    losses,
    matmul,
    pointwise,
    random,
    reduce,
    shape,
)
from .deferred import attach_methods, load_all
from .public import attach_operators, attach_rows

__all__ = ["load_all"]

attach_rows()
attach_operators()
attach_methods()
