"""The operators: one row each, one file a family. Importing this package fills the table and equips Tensor."""

from . import (  # noqa: F401  (importing a family registers its rows)
    activations,
    bitwise,
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
from .public import attach_operators, publish
from .table import TABLE

for _row in TABLE.values():
    publish(_row)
attach_operators()
