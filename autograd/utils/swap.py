"""Two tensors exchange all that they are: every reference to the one then sees the other."""

from __future__ import annotations

import weakref

from ..tensor import Tensor, TensorLeaf

__all__ = ["swap_tensors"]


def swap_tensors(t1: Tensor, t2: Tensor) -> None:
    """Exchanges values, history, class and attributes of two tensors.

    Raises:
        RuntimeError: a weak reference to one of them would now see the other.

    >>> import autograd
    >>> a, b = autograd.zeros(2), autograd.ones(3)
    >>> autograd.utils.swap_tensors(a, b)
    >>> a
    tensor([1., 1., 1.])
    """
    for name, tensor in (("t1", t1), ("t2", t2)):
        own = tensor._node.owner if isinstance(tensor._node, TensorLeaf) else None
        if any(reference is not own for reference in weakref.getweakrefs(tensor)):
            raise RuntimeError(f"Cannot swap {name} because it has weakref associated with it")
    t1.__class__, t2.__class__ = t2.__class__, t1.__class__
    t1.__dict__, t2.__dict__ = t2.__dict__, t1.__dict__
    for slot in ("_array", "_node", "_counter", "_view"):
        one, other = getattr(t1, slot), getattr(t2, slot)
        setattr(t1, slot, other)
        setattr(t2, slot, one)
    for tensor in (t1, t2):
        if isinstance(tensor._node, TensorLeaf):
            tensor._node.owner = weakref.ref(tensor)
