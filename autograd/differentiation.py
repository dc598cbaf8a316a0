"""From tensors to a backward pass over their nodes: `backward` and `grad`, and the checks before it."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from .graph import Node, run_backward, state
from .kernels.contiguous import copied
from .kernels.memory import is_root
from .tensor import BatchError, Tensor, history_of, wrap

__all__ = ["backward", "differentiate", "grad"]


# `run_backward` where gradients are arrays: overflow and division by zero give infinities, not warnings.
differentiate = np.errstate(all="ignore")(run_backward)


def backward(
    tensors: Tensor | Sequence[Tensor],
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    grad_variables: Any = None,
    inputs: Tensor | Sequence[Tensor] | None = None,
) -> None:
    """Adds the gradients of ``tensors`` to ``grad`` of the leaves they were made from.

    Args:
        tensors: one tensor or several.
        grad_tensors: for each the gradient of a final scalar with respect to it; None is 1 for a scalar.
        retain_graph: keep saved values for another pass; the value of ``create_graph`` by default.
        create_graph: record the backward pass itself.
        inputs: accumulate into these leaves only.
    """
    roots = _as_sequence(tensors)
    grad_tensors = grad_variables if grad_tensors is None else grad_tensors
    gradients = _as_list(grad_tensors, len(roots), "grad_tensors")
    nodes, values = _prepare_roots(roots, gradients, create_graph)
    wanted = None
    if inputs is not None:
        wanted = _input_nodes(_as_sequence(inputs))
        if not wanted:
            raise RuntimeError("inputs argument to backward() cannot be empty")
    if create_graph:
        warnings.warn(
            "Using backward() with create_graph=True will create a reference cycle between the parameter and its "
            "gradient which can cause a memory leak. Use autograd.grad when creating the graph, or reset .grad to "
            "None after use.",
            UserWarning,
            stacklevel=3 if sys._getframe(1).f_code.co_name == "backward" else 2,
        )
    keep = create_graph if retain_graph is None else retain_graph
    differentiate(nodes, values, inputs=wanted, retain_graph=keep, create_graph=create_graph)


Tensor._backward = staticmethod(backward)


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Tensor | None, ...]:
    """Gradients of the sum of ``outputs`` with respect to ``inputs``; no ``.grad`` changes.

    Args:
        outputs: one tensor or several.
        inputs: the tensors to differentiate by, leaves or not.
        grad_outputs: for each output the factor of its gradient; None is 1 for a scalar.
        retain_graph: keep saved values for another pass; the value of ``create_graph`` by default.
        create_graph: record the backward pass, so that the result can be differentiated.
        only_inputs: only True is possible.
        allow_unused: give None for an input that no output depends on, instead of an error.
        is_grads_batched: ``grad_outputs`` hold, along a first dimension of their own, several factors each, and the
            gradients do so likewise: one pass for all, as under `vmap`.
        materialize_grads: give zeros there.

    >>> import autograd
    >>> x = autograd.tensor(3.0, requires_grad=True)
    >>> (dy,) = autograd.grad(x**3, x, create_graph=True)
    >>> autograd.grad(dy, x)
    (tensor(18.),)
    """
    roots, targets = _as_sequence(outputs), _as_sequence(inputs)
    if not targets:
        raise RuntimeError("`inputs` argument to `grad()` cannot be empty.")
    if materialize_grads and allow_unused is False:
        raise ValueError("Expected allow_unused to be True or not passed when materialize_grads=True, but got: False.")
    if not only_inputs:
        warnings.warn("only_inputs argument is deprecated and is ignored now (defaults to True).", FutureWarning, 2)
    gradients = _as_list(grad_outputs, len(roots), "grad_outputs")
    keep = create_graph if retain_graph is None else retain_graph
    unused = bool(allow_unused or materialize_grads)
    if is_grads_batched:
        from .rows.pull import pull_batch

        return pull_batch(roots, targets, gradients, keep, create_graph, unused, materialize_grads)
    try:
        nodes, values = _prepare_roots(roots, gradients, create_graph)
        wanted = _input_nodes(targets)
    except BatchError:
        from .rows.pull import pull_examples

        return pull_examples(roots, targets, gradients, keep, create_graph, unused, materialize_grads)
    arrived = differentiate(
        nodes, values, inputs=wanted, retain_graph=keep, create_graph=create_graph, accumulate=False
    )
    results: list[Tensor | None] = []
    known = {id(value) for value in values}
    for target, g in zip(targets, arrived, strict=True):
        if g is None and materialize_grads:
            g = target.detach().mul(0) if target._is_structured else np.zeros_like(target._array)
        elif g is None and not allow_unused:
            raise RuntimeError(
                "One of the differentiated Tensors appears to not have been used in the graph. Set allow_unused=True "
                "if this is the desired behavior."
            )
        results.append(g if g is None or isinstance(g, Tensor) else own_tensor(g, known))
    return tuple(results)


def own_tensor(g: Any, known: set[int]) -> Tensor:
    """A gradient as a tensor that the caller may write to: it shares no memory and repeats no element.

    Args:
        g: an array.
        known: the ids of arrays that others hold; this one's is added.
    """
    g = np.asarray(g)
    if id(g) in known or not is_root(g) or not g.flags.writeable or 0 in g.strides:
        g = copied(g)
    known.add(id(g))
    return wrap(g)


def _as_list(gradients: Any, count: int, name: str) -> list[Any]:
    if gradients is None:
        return [None] * count
    result = [gradients] if isinstance(gradients, Tensor) else list(gradients)
    if len(result) != count:
        raise RuntimeError(f"got {count} tensors and {len(result)} gradients; {name} needs one for each")
    return result


def _as_sequence(values: Any) -> list[Any]:
    """One Tensor or gradient edge, or a sequence of them, as a list."""
    return [values] if isinstance(values, Tensor) or hasattr(values, "ownership_token") else list(values)


def _edge_node(value: Any, wanted: str) -> Node:
    """The node of a `graph.GradientEdge`.

    Raises:
        TypeError: something else.
    """
    node = getattr(value, "node", None)
    if not isinstance(node, Node):
        raise TypeError(f"{wanted}, but got {type(value).__name__}")
    return node


def _input_nodes(inputs: list[Tensor]) -> list[Node]:
    nodes = []
    for tensor in inputs:
        if not isinstance(tensor, Tensor):
            nodes.append(_edge_node(tensor, "inputs must be Tensors or GradientEdges"))
            continue
        node = history_of(tensor)
        if node is None:
            raise RuntimeError("One of the differentiated Tensors does not require grad")
        nodes.append(node)
    return nodes


def _prepare_roots(roots: list[Tensor], gradients: list[Any], create_graph: bool) -> tuple[list[Node], list[Any]]:
    nodes, values = [], []
    value: Any
    as_tensors = create_graph or state.push is not None  # which have tangents
    for root, gradient in zip(roots, gradients):  # noqa: B905 (equally long)
        if not isinstance(root, Tensor):
            nodes.append(_edge_node(root, "expected a Tensor or a GradientEdge to differentiate"))
            if not isinstance(gradient, Tensor):
                raise RuntimeError("a GradientEdge has no shape of its own: pass its gradient")
            values.append(gradient if as_tensors else gradient._array)
            continue
        node = history_of(root)
        if node is None:
            raise RuntimeError("element 0 of tensors does not require grad and does not have a grad_fn")
        if root._is_structured or (gradient is not None and getattr(gradient, "_is_structured", False)):
            value = _structured_gradient(root, gradient)
        elif gradient is None:
            array = root._array
            if array.size != 1:
                raise RuntimeError(
                    f"grad can be implicitly created only for scalar outputs, but this one has shape "
                    f"{list(root.shape)}; pass a gradient of that shape, or reduce it with sum() or mean()"
                )
            if array.dtype.kind == "c":
                raise RuntimeError(
                    f"grad can be implicitly created only for real scalar outputs but got {root.dtype}; pass a "
                    "gradient, or take .real or .abs()"
                )
            value = np.array(1, array.dtype) if array.ndim == 0 else np.ones(array.shape, array.dtype)
            value = wrap(value) if as_tensors else value
        else:
            if not isinstance(gradient, Tensor):
                raise TypeError(f"gradients can be either Tensors or None, but got {type(gradient).__name__}")
            if gradient._array.shape != root._array.shape:
                raise RuntimeError(
                    f"Mismatch in shape: grad_output[0] has a shape of {gradient.shape} and output[0] has a shape of "
                    f"{root.shape}."
                )
            if (gradient._array.dtype.kind == "c") != (root._array.dtype.kind == "c"):
                raise RuntimeError(
                    "For complex Tensors, both grad_output and output are required to have the same dtype. Mismatch in "
                    f"dtype: grad_output[0] has a dtype of {gradient.dtype} and output[0] has a dtype of {root.dtype}."
                )
            if as_tensors:
                value = gradient if gradient.dtype is root.dtype else gradient.to(root.dtype)
            else:
                value = gradient._array.astype(root._array.dtype, copy=False)
        nodes.append(node)
        values.append(value)
    return nodes, values


def _structured_gradient(root: Any, gradient: Any) -> Tensor:
    """The gradient of a tensor without an array of its own shape, as a tensor."""
    if gradient is None:
        if root.numel() != 1:
            raise RuntimeError("grad can be implicitly created only for scalar outputs; pass one, or reduce with sum()")
        return root.detach().like(wrap(np.ones_like(root._numbers)))
    if not isinstance(gradient, Tensor):
        raise TypeError(f"gradients can be either Tensors or None, but got {type(gradient).__name__}")
    if not root.is_same_size(gradient):
        raise RuntimeError("Mismatch in shape: grad_output[0] and output[0] have other sizes, or are of other kinds.")
    return gradient if gradient.dtype is root.dtype else gradient.to(root.dtype)
