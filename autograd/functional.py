"""Jacobians, Hessians and products with them, as ``torch.autograd.functional``: functions of one tensor or several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from . import func as transforms
from . import graph
from .differentiation import grad
from .graph import enable_grad
from .rows.public import TORCH
from .tensor import Tensor

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]

Tensors = Tensor | tuple[Tensor, ...]


# --- What all share ------------------------------------------------------------------------------------------------


def _as_tuple(values: Any, argument: str, name: str) -> tuple[bool, tuple[Tensor, ...]]:
    """Whether it was a tuple, and the values as one.

    Raises:
        TypeError: something is no tensor.
    """
    is_tuple = isinstance(values, tuple)
    given = values if is_tuple else (values,)
    for i, value in enumerate(given):
        if not isinstance(value, Tensor):
            what = "outputs of the user-provided function" if argument == "outputs" else f"{argument}"
            if is_tuple:
                raise TypeError(
                    f"The {what} given to {name} must be either a Tensor or a tuple of Tensors but the value at index "
                    f"{i} has type {type(value)}."
                )
            raise TypeError(
                f"The {what} given to {name} must be either a Tensor or a tuple of Tensors but got {value!r}."
            )
    return is_tuple, given


def _begin(inputs: Sequence[Tensor], create_graph: bool, need_graph: bool = True) -> tuple[Tensor, ...]:
    """The inputs behind a step of their own: connected to what made them with ``create_graph``, else new leaves."""
    if create_graph:
        return tuple(x.view_as(x) if x.requires_grad else x.detach().requires_grad_(need_graph) for x in inputs)
    return tuple(x.detach().requires_grad_(need_graph) for x in inputs)


def _finish(values: Sequence[Tensor], create_graph: bool) -> tuple[Tensor, ...]:
    return tuple(values) if create_graph else tuple(value.detach() for value in values)


def _shown(values: Sequence[Any], is_tuple: bool) -> Any:
    return tuple(values) if is_tuple else values[0]


def _check_vector(v: Sequence[Tensor], like: Sequence[Tensor], is_tuple: bool) -> None:
    if len(v) != len(like):
        if is_tuple:
            raise RuntimeError(f"v is a tuple of invalid length: should be {len(like)} but got {len(v)}.")
        raise RuntimeError("The given v should contain a single Tensor.")
    for i, (each, other) in enumerate(zip(v, like, strict=True)):
        if each.shape != other.shape:
            raise RuntimeError(
                f"Entry {i} in v has invalid size: should be {list(other.shape)} but got {list(each.shape)}."
            )


def _vector(
    v: Any, like: Sequence[Tensor], is_tuple: bool, of: str, name: str, create_graph: bool
) -> tuple[Tensor, ...]:
    """``v`` as a tuple; ones where it was left out and there is one element to multiply."""
    if v is None:
        if len(like) != 1 or like[0].numel() != 1:
            raise RuntimeError(f"The vector v can only be None if the {of} a single Tensor with a single element.")
        return (TORCH["ones_like"](like[0].detach()),)
    _, given = _as_tuple(v, "v", name)
    given = _begin(given, create_graph, need_graph=False)
    _check_vector(given, like, is_tuple)
    return given


def _run(
    function: Callable[..., Any], inputs: Sequence[Tensor], name: str, strict: bool
) -> tuple[bool, tuple[Tensor, ...]]:
    is_tuple, outputs = _as_tuple(function(*inputs), "outputs", name)
    if strict:
        for i, output in enumerate(outputs):
            if not output.requires_grad:
                raise RuntimeError(
                    f"Output {i} of the user-provided function does not require gradients. The outputs must be "
                    "computed in a differentiable manner from the input when running in strict mode."
                )
    return is_tuple, outputs


def _gradients(
    outputs: Sequence[Tensor],
    inputs: Sequence[Tensor],
    v: Sequence[Any] | None,
    create_graph: bool,
    retain: bool = True,
) -> tuple[Tensor | None, ...]:
    """`autograd.grad` of those outputs that require grad; None where no path leads."""
    pairs = [(o, None if v is None else v[i]) for i, o in enumerate(outputs) if o.requires_grad]
    pairs = [(o, g) for o, g in pairs if v is None or g is not None]
    if not pairs:
        return (None,) * len(inputs)
    return grad(
        [o for o, _ in pairs],
        inputs,
        [g for _, g in pairs],
        retain_graph=retain or create_graph,
        create_graph=create_graph,
        allow_unused=True,
    )


def _filled(
    gradients: Sequence[Tensor | None], like: Sequence[Tensor], strict: bool, create_graph: bool, what: str
) -> tuple[Tensor, ...]:
    """Zeros for what is None; with ``strict`` an error, as for a result that is constant though a graph is wanted."""
    filled = []
    for i, (g, x) in enumerate(zip(gradients, like, strict=True)):
        if g is None:
            if strict:
                raise RuntimeError(
                    f"The {what} does not depend on input {i}: the user-provided function is independent of it. This "
                    "is not allowed in strict mode."
                )
            g = TORCH["zeros_like"](x.detach())
        elif strict and create_graph and not g.requires_grad:
            raise RuntimeError(
                f"The {what} is independent of input {i}. This is not allowed in strict mode when create_graph=True."
            )
        filled.append(g)
    return tuple(filled)


def _seeds(like: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """What a first backward pass starts from, for a second one to differentiate it by."""
    return tuple(TORCH["ones_like"](x.detach()).requires_grad_() for x in like)


class _Call:
    """``func(*inputs)`` with the history that its derivatives need, and ``v``, of the inputs' shapes."""

    def __init__(
        self, name: str, func: Callable[..., Any], inputs: Tensors, v: Any, create_graph: bool, strict: bool
    ) -> None:
        self.create_graph = create_graph
        self.is_tuple, given = _as_tuple(inputs, "inputs", name)
        self.v = _vector(v, given, self.is_tuple, "input to the user-provided function is", name, create_graph)
        self.inputs = _begin(given, create_graph)
        self.several, self.outputs = _run(func, self.inputs, name, strict)

    def gradient(self, name: str, strict: bool) -> tuple[Tensor, ...]:
        """That of the output, which must be a single element, recorded."""
        _single(self.outputs, self.several, name)
        return _filled(_gradients(self.outputs, self.inputs, None, True), self.inputs, strict, True, "jacobian")

    def shown(self, result: Sequence[Tensor], is_tuple: bool) -> tuple[Any, Any]:
        """The outputs and the result, as the caller gets them."""
        outputs = _shown(_finish(self.outputs, self.create_graph), self.several)
        return outputs, _shown(_finish(result, self.create_graph), is_tuple)


def _single(outputs: Sequence[Tensor], is_tuple: bool, name: str) -> None:
    if is_tuple or not isinstance(outputs[0], Tensor):
        raise RuntimeError(f"The function given to {name} should return a single Tensor")
    if outputs[0].numel() != 1:
        raise RuntimeError(f"The Tensor returned by the function given to {name} should contain a single element")


# --- Products ------------------------------------------------------------------------------------------------------


def vjp(
    func: Callable[..., Any],
    inputs: Tensors,
    v: Tensors | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """``func(*inputs)`` and the vector-Jacobian product ``v @ J``.

    Args:
        func: from tensors to a tensor or a tuple of tensors.
        inputs: a tensor or a tuple.
        v: of the outputs' shapes; may be left out where the output is one element.
        create_graph: give both results a history.
        strict: raise where an output does not depend on an input, instead of giving zeros.

    >>> import autograd
    >>> autograd.functional.vjp(lambda x: x**2, autograd.tensor([1.0, 3.0]), autograd.tensor([1.0, 1.0]))
    (tensor([1., 9.]), tensor([2., 6.]))
    """
    with enable_grad():
        is_tuple, given = _as_tuple(inputs, "inputs", "vjp")
        given = _begin(given, create_graph)
        several, outputs = _run(func, given, "vjp", strict)
        vector = _vector(v, outputs, several, "user-provided function returns", "vjp", create_graph)
    with graph.set_grad_enabled(create_graph or graph.is_grad_enabled()):
        found = _gradients(outputs, given, vector, create_graph, retain=False)
        result = _filled(found, given, strict, create_graph, "vjp")
    return _shown(_finish(outputs, create_graph), several), _shown(_finish(result, create_graph), is_tuple)


def jvp(
    func: Callable[..., Any],
    inputs: Tensors,
    v: Tensors | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """``func(*inputs)`` and the Jacobian-vector product ``J @ v``, by two backward passes: the second differentiates
    the first, ``g -> g @ J``, by ``g``. `autograd.func.jvp` needs one pass, forward.

    Arguments are those of `vjp`; ``v`` has the inputs' shapes.

    >>> import autograd
    >>> autograd.functional.jvp(lambda x: x**2, autograd.tensor([1.0, 3.0]), autograd.tensor([1.0, 1.0]))
    (tensor([1., 9.]), tensor([2., 6.]))
    """
    with enable_grad():
        call = _Call("jvp", func, inputs, v, create_graph, strict)
        seeds = _seeds(call.outputs)
        pulled = _filled(_gradients(call.outputs, call.inputs, seeds, True), call.inputs, strict, False, "jvp")
        if strict and any(not g.requires_grad for g in pulled):
            raise RuntimeError("The jvp is independent of an input. This is not allowed in strict mode.")
        found = _gradients(pulled, seeds, call.v, create_graph)
        return call.shown(_filled(found, call.outputs, strict, create_graph, "jvp"), call.several)


def vhp(
    func: Callable[..., Any],
    inputs: Tensors,
    v: Tensors | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """``func(*inputs)`` of one element, and the product ``v @ H`` with its Hessian. Arguments are those of `vjp`.

    >>> import autograd
    >>> autograd.functional.vhp(lambda x: (x**3).sum(), autograd.tensor([1.0, 3.0]), autograd.ones(2))
    (tensor(28.), tensor([ 6., 18.]))
    """
    with enable_grad():
        call = _Call("vhp", func, inputs, v, create_graph, strict)
        found = _gradients(call.gradient("vhp", strict), call.inputs, call.v, create_graph)
        return call.shown(_filled(found, call.inputs, strict, create_graph, "vhp"), call.is_tuple)


def hvp(
    func: Callable[..., Any],
    inputs: Tensors,
    v: Tensors | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """``func(*inputs)`` of one element, and the product ``H @ v`` with its Hessian. Arguments are those of `vjp`.
    `vhp` gives the same for twice differentiable functions, faster.

    >>> import autograd
    >>> autograd.functional.hvp(lambda x: (x**3).sum(), autograd.tensor([1.0, 3.0]), autograd.ones(2))
    (tensor(28.), tensor([ 6., 18.]))
    """
    with enable_grad():
        call = _Call("hvp", func, inputs, v, create_graph, strict)
        seeds = _seeds(call.inputs)
        doubled = _gradients(call.gradient("hvp", strict), call.inputs, seeds, True)
        found = _gradients(_filled(doubled, call.inputs, strict, True, "hessian"), seeds, call.v, create_graph)
        return call.shown(_filled(found, call.inputs, strict, create_graph, "hvp"), call.is_tuple)


# --- Matrices ------------------------------------------------------------------------------------------------------


def jacobian(
    func: Callable[..., Any],
    inputs: Tensors,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """The Jacobian of ``func`` at ``inputs``.

    Args:
        func: from tensors to a tensor or a tuple of tensors.
        inputs: a tensor or a tuple.
        create_graph: give the Jacobian a history.
        strict: raise where an output does not depend on an input, instead of giving zeros.
        vectorize: all rows in one pass that carries a batch, instead of one pass each.
        strategy: ``"reverse-mode"``, or with ``vectorize`` ``"forward-mode"``: column by column.

    Returns:
        a tensor of shape ``(*output.shape, *input.shape)``; a tuple of them for several inputs or several outputs, a
        tuple of tuples for both, outputs first.

    >>> import autograd
    >>> autograd.functional.jacobian(lambda x: x**2, autograd.tensor([1.0, 3.0]))
    tensor([[2., 0.],
            [0., 6.]])
    """
    if strategy not in ("reverse-mode", "forward-mode"):
        raise AssertionError(
            f'Expected strategy to be either "forward-mode" or "reverse-mode". Got "{strategy}": if your function has '
            'more outputs than inputs, "forward-mode" tends to be more performant. Otherwise, prefer "reverse-mode".'
        )
    if strategy == "forward-mode":
        if create_graph:
            raise NotImplementedError(
                'functional.jacobian: `create_graph=True` and `strategy="forward-mode"` are not supported together '
                '(yet). Please either set `create_graph=False` or `strategy="reverse-mode"`.'
            )
        if strict:
            raise RuntimeError(
                'functional.jacobian: `strict=True` and `strategy="forward-mode"` are not supported together (yet). '
                'Please either set `strict=False` or `strategy="reverse-mode"`.'
            )
        return _forward_jacobian(func, inputs, vectorize)
    with enable_grad():
        is_tuple, given = _as_tuple(inputs, "inputs", "jacobian")
        given = _begin(given, create_graph)
        several, outputs = _run(func, given, "jacobian", strict)
        if vectorize and strict:
            raise RuntimeError(
                "functional.jacobian: `strict=True` and `vectorized=True` are not supported together. Please either "
                "set `strict=False` or `vectorize=False`."
            )
        rows = _batched_rows if vectorize else _rows
        result = [rows(i, output, given, create_graph, strict) for i, output in enumerate(outputs)]
    shown = [_shown(_finish(row, create_graph), is_tuple) for row in result]
    return _shown(shown, several)


def _rows(i: int, output: Tensor, inputs: Sequence[Tensor], create_graph: bool, strict: bool) -> list[Tensor]:
    columns: list[list[Tensor]] = [[] for _ in inputs]
    flat = output.reshape(-1)
    for j in range(output.numel()):
        found = _gradients([flat[j]], inputs, None, create_graph)
        for column, g in zip(
            columns, _filled(found, inputs, strict, create_graph, f"Jacobian of output {i}"), strict=True
        ):
            column.append(g)
    return [
        (TORCH["stack"](column) if column else TORCH["zeros"](0, *x.shape, dtype=x.dtype)).reshape(
            (*output.shape, *x.shape)
        )
        for column, x in zip(columns, inputs, strict=True)
    ]


def _batched_rows(i: int, output: Tensor, inputs: Sequence[Tensor], create_graph: bool, strict: bool) -> list[Tensor]:
    shapes = [(*output.shape, *x.shape) for x in inputs]
    if not output.requires_grad or not output.numel():
        return [TORCH["zeros"](shape, dtype=x.dtype) for shape, x in zip(shapes, inputs, strict=True)]
    basis = TORCH["eye"](output.numel(), dtype=output.dtype).reshape(-1, *output.shape)
    found = grad(
        output, inputs, basis, retain_graph=True, create_graph=create_graph, allow_unused=True, is_grads_batched=True
    )
    return [
        TORCH["zeros"](shape, dtype=x.dtype) if g is None else g.reshape(shape)
        for g, shape, x in zip(found, shapes, inputs, strict=True)
    ]


def _forward_jacobian(func: Callable[..., Any], inputs: Tensors, vectorize: bool) -> Any:
    is_tuple, given = _as_tuple(inputs, "inputs", "jacobian")
    if not vectorize:
        raise NotImplementedError(
            'functional.jacobian: `strategy="forward-mode"` is only supported with `vectorize=True`.'
        )
    given = tuple(x.detach() for x in given)
    several = False

    def checked(*values: Tensor) -> tuple[Tensor, ...]:
        nonlocal several
        several, outputs = _as_tuple(func(*values), "outputs", "jacobian")
        return outputs

    rows = transforms.jacfwd(checked, argnums=tuple(range(len(given))))(*given)
    return _shown([_shown([block.detach() for block in row], is_tuple) for row in rows], several)


def hessian(
    func: Callable[..., Any],
    inputs: Tensors,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """The Hessian at ``inputs`` of ``func``, which returns one element: the Jacobian of its gradient.

    Args:
        func, inputs, create_graph, strict, vectorize: as for `jacobian`.
        outer_jacobian_strategy: how the gradient is differentiated: the ``strategy`` of `jacobian`.

    Returns:
        a tensor of shape ``(*input.shape, *input.shape)``; for several inputs a tuple of tuples of all pairs.

    >>> import autograd
    >>> autograd.functional.hessian(lambda x: (x**3).sum(), autograd.tensor([1.0, 3.0]))
    tensor([[ 6.,  0.],
            [ 0., 18.]])
    """
    is_tuple, given = _as_tuple(inputs, "inputs", "hessian")
    if outer_jacobian_strategy not in ("reverse-mode", "forward-mode"):
        raise AssertionError('Expected strategy to be either "forward-mode" or "reverse-mode".')
    forward = outer_jacobian_strategy == "forward-mode"

    def checked(*values: Tensor) -> Tensor:
        several, outputs = _as_tuple(func(*values), "outputs", "hessian")
        _single(outputs, several, "hessian")
        if strict and not outputs[0].requires_grad:
            raise RuntimeError("The output of the user-provided function does not require gradients.")
        return outputs[0].reshape(())

    def gradient(*values: Tensor) -> Any:
        if forward:
            values = tuple(x.requires_grad_() for x in values)
        found = jacobian(checked, values, create_graph=True, strict=strict)
        return tuple(found)

    result = jacobian(gradient, given, create_graph, strict, vectorize, outer_jacobian_strategy)
    return result if is_tuple else result[0][0]
