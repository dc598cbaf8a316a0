"""The operators: one row each, one file a family. Importing this package fills the table and equips Tensor.

`linalg` and `nn` hold the families of linear algebra and of neural networks; how rows are read and called is in
`autograd.rows`. Most families are loaded on first use (`autograd.rows.deferred`).
"""

from ..rows.deferred import attach_methods, load_all
from ..rows.public import attach_operators, attach_rows
from . import (  # noqa: F401  (importing a family registers its rows)
    bitwise,
    comparisons,
    complex,
    convert,
    create,
    elementary,
    index,
    pointwise,
    random,
    reduce,
    shape,
)
from .linalg import matmul  # noqa: F401
from .nn import activations  # noqa: F401

__all__ = ["load_all"]

attach_rows()
attach_operators()
attach_methods()
