"""One backward pass from tensors to tensors, for transforms: no checks, batches seen through."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..differentiation import differentiate, own_tensor
from ..graph import Node, state
from ..tensor import Tensor, node_of
from .batching import enclose, expose, is_batched, levels_of

__all__ = ["pull"]


def pull(
    outputs: Sequence[Tensor],
    inputs: Sequence[Tensor],
    cotangents: Sequence[Tensor],
    *,
    create_graph: bool,
    retain_graph: bool = True,
) -> list[Tensor | None]:
    """For each input ``sum over outputs of cotangent @ J``; None where no output depends on it.

    Args:
        outputs: those without a node are passed over.
        inputs: tensors with a node. Outputs and inputs may be batched; cotangents at inner levels, too, at which those
            are not: then the pass carries whole batches.
        cotangents: of the outputs' shapes.
        create_graph: record the pass.
        retain_graph: keep the saved values.
    """
    roots: list[Node] = []
    values: list[Any] = []
    for output, cotangent in zip(outputs, cotangents, strict=True):
        for batch in levels_of(output):
            output, cotangent = expose(output, batch), expose(cotangent, batch)
        node = node_of(output)
        if node is not None:
            roots.append(node)
            values.append(cotangent if cotangent.dtype is output.dtype else cotangent.to(output.dtype))
    targets = []
    for tensor in inputs:
        for batch in levels_of(tensor):
            tensor = expose(tensor, batch)
        targets.append(node_of(tensor))
    if not create_graph and state.push is None and not any(is_batched(value) for value in values):
        values = [value._array for value in values]
    wanted: list[Any] = targets
    arrived = differentiate(
        roots, values, inputs=wanted, retain_graph=retain_graph, create_graph=create_graph, accumulate=False
    ) if roots else [None] * len(wanted)  # fmt: skip
    results: list[Tensor | None] = []
    known = {id(value) for value in values}
    for tensor, g in zip(inputs, arrived, strict=True):
        if g is not None:
            g = g if isinstance(g, Tensor) else own_tensor(g, known)
            for batch in reversed(levels_of(tensor)):
                g = enclose(g, batch)
        results.append(g)
    return results


def pull_examples(
    outputs: Sequence[Tensor],
    inputs: Sequence[Tensor],
    cotangents: Sequence[Tensor | None],
    retain_graph: bool,
    create_graph: bool,
    allow_unused: bool,
    materialize: bool,
) -> tuple[Tensor | None, ...]:
    """`autograd.grad` inside `vmap`: some of the tensors are batched.

    Raises:
        RuntimeError: nothing requires grad, a shape that does not fit, or an unused input.
    """
    from .public import TORCH

    given = []
    for i, (output, cotangent) in enumerate(zip(outputs, cotangents, strict=True)):
        if not output.requires_grad:
            raise RuntimeError(f"element {i} of tensors does not require grad and does not have a grad_fn")
        if cotangent is None:
            if output.numel() != 1:
                raise RuntimeError("grad can be implicitly created only for scalar outputs")
            cotangent = TORCH["ones_like"](output.detach())
        if cotangent.shape != output.shape:
            raise RuntimeError(
                f"Mismatch in shape: grad_output[{i}] has a shape of {cotangent.shape} and output[{i}] has a shape of "
                f"{output.shape}."
            )
        given.append(cotangent)
    if not all(tensor.requires_grad for tensor in inputs):
        raise RuntimeError("One of the differentiated Tensors does not require grad")
    found = pull(outputs, inputs, given, create_graph=create_graph, retain_graph=retain_graph)
    if not allow_unused and any(g is None for g in found):
        raise RuntimeError(
            "One of the differentiated Tensors appears to not have been used in the graph. Set allow_unused=True if "
            "this is the desired behavior."
        )
    return tuple(
        TORCH["zeros_like"](x.detach()) if g is None and materialize else g for g, x in zip(found, inputs, strict=True)
    )


def pull_batch(
    outputs: Sequence[Tensor],
    inputs: Sequence[Tensor],
    cotangents: Sequence[Tensor | None],
    *options: bool,
) -> tuple[Tensor | None, ...]:
    """`autograd.grad` with ``is_grads_batched``: `pull_examples` under `vmap` over the cotangents."""
    from ..func import vmap

    reached: list[bool] = []

    def one(*cotangents: Any) -> Any:
        found = pull_examples(outputs, inputs, cotangents, *options)
        reached[:] = [g is not None for g in found]
        return tuple(g for g in found if g is not None)

    results = iter(vmap(one, in_dims=tuple(None if g is None else 0 for g in cotangents))(*cotangents))
    return tuple(next(results) if there else None for there in reached)
