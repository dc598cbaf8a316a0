"""Functions of functions, as ``torch.func``: gradients, Jacobians and batches of functions that know nothing of them.

A transform wraps the inputs of the function in an identity of its own, runs it, and differentiates up to that identity:
transforms nest in any order. Reverse mode is one backward pass, forward mode `autograd.forward_ad`, a batch
`autograd.rows.batching`. What a transform returns has a history only where something outside of it requires grad.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from . import pytree
from .forward_ad import Level, Start, in_level, make_dual_at, through, unpack_dual_at, without_history
from .graph import Node, enable_grad, state
from .rows.batching import Batch, active_batches, base_of, enclose, entered, expose, is_batched, wrap_batch
from .rows.public import TORCH
from .rows.pull import pull
from .tensor import BatchError, Tensor, check_differentiable, has_history, history_of, node_of, wrap

__all__ = [
    "debug_unwrap",
    "functional_call",
    "functionalize",
    "grad",
    "grad_and_value",
    "hessian",
    "jacfwd",
    "jacrev",
    "jvp",
    "linearize",
    "replace_all_batch_norm_modules_",
    "stack_module_state",
    "vjp",
    "vmap",
]

Argnums = int | tuple[int, ...]


# --- Reverse mode --------------------------------------------------------------------------------------------------


class _Recording:
    """The inputs of one transform behind identities of its own, and what may be known outside of what they lead to."""

    def __init__(self, tensors: Sequence[Tensor]) -> None:
        self.keeps_history = state.grad
        pairs = [self._begin(tensor) for tensor in tensors]
        self.inputs = [given for given, _ in pairs]
        self._targets = [target for _, target in pairs]  # the same, whatever becomes of what the function is given
        self.own = {node_of(base_of(tensor)) for tensor in self._targets}

    def _begin(self, tensor: Tensor) -> tuple[Tensor, Tensor]:
        if not isinstance(tensor, Tensor):
            raise ValueError(f"Thing passed to transform API must be Tensor, got {type(tensor)}")
        check_differentiable(tensor._array.dtype)
        # A tensor that all examples share gets a gradient from each: here it becomes one tensor for each.
        batches = active_batches()
        for batch in reversed(batches):
            tensor = expose(tensor, batch)
        given = through(tensor, self.keeps_history, Start)
        target = wrap(given._array, given._node)
        for batch in batches:
            given, target = enclose(given, batch), enclose(target, batch)
        return given, target

    def reaches_outside(self, tensors: Iterable[Tensor]) -> bool:
        """Whether one of the tensors depends on something outside of the transform that requires grad."""
        if not self.keeps_history:
            return False
        found = [history_of(base_of(tensor)) for tensor in tensors]
        seen: set[Node] = set()
        while found:
            node = found.pop()
            if node is None or node in seen:
                continue
            seen.add(node)
            edges = [edge for edge in node.edges if has_history(edge)]
            if not edges and node not in self.own:
                return True
            found += edges
        return False

    def leave(self, tree: Any) -> Any:
        """The tensors of ``tree`` as they are seen outside."""

        def seen(leaf: Any) -> Any:
            if not isinstance(leaf, Tensor) or not leaf.requires_grad or self.reaches_outside([leaf]):
                return leaf
            return without_history(leaf, seen)

        return pytree.each(seen, tree)

    def gradients(self, outputs: Sequence[Tensor], cotangents: Sequence[Tensor], retain_graph: bool) -> list[Tensor]:
        """Gradients of all inputs; zeros where nothing depends on one."""
        outside = (*outputs, *cotangents)
        create_graph = state.grad and self.keeps_history and self.reaches_outside(outside)
        keep = retain_graph or create_graph  # what outside depends on it goes back through the same graph
        found = pull(outputs, self._targets, cotangents, create_graph=create_graph, retain_graph=keep)
        return [_zeros(x) if g is None else g for g, x in zip(found, self._targets, strict=True)]

    def pulled(self, outputs: Sequence[Tensor], cotangents: Sequence[Tensor]) -> list[Tensor | None]:
        """The same, recorded."""
        return pull(outputs, self._targets, cotangents, create_graph=True)


def _zeros(like: Tensor) -> Tensor:
    return TORCH["zeros_like"](like.detach())


def _ones(like: Tensor) -> Tensor:
    return TORCH["ones_like"](like.detach())


def _chosen(args: tuple[Any, ...], argnums: Any) -> Any:
    """The arguments that ``argnums`` names.

    Raises:
        RuntimeError: it is neither an int nor a tuple of different ints, or there is no such argument.
    """
    if isinstance(argnums, int):
        return args[_argument(argnums, args)]
    if not isinstance(argnums, tuple) or not all(isinstance(number, int) for number in argnums):
        raise RuntimeError(f"argnums must be int or Tuple[int, ...], got: {type(argnums)}")
    if not argnums:
        raise RuntimeError("argnums must be non-empty")
    if len(set(argnums)) != len(argnums):
        raise RuntimeError(f"argnums elements must be unique, got {argnums}")
    return tuple(args[_argument(number, args)] for number in argnums)


def _argument(number: int, args: tuple[Any, ...]) -> int:
    if not -len(args) <= number < len(args):
        raise RuntimeError(f"Got argnum={number}, but only {len(args)} positional inputs")
    return number % len(args)


def _replaced(args: tuple[Any, ...], argnums: Any, values: Any) -> tuple[Any, ...]:
    result = list(args)
    single = isinstance(argnums, int)
    for number, value in zip((argnums,) if single else argnums, (values,) if single else values, strict=True):
        result[number] = value
    return tuple(result)


def _tensors_of(value: Any, name: str) -> tuple[list[Tensor], pytree.Structure]:
    """The tensors that a function returned, and their structure.

    Raises:
        RuntimeError: something else is among them.
    """
    found, spec = pytree.flatten(value)
    for leaf in found:
        if not isinstance(leaf, Tensor):
            raise RuntimeError(
                f"{name}: expected f(*primals) to return only tensors, got unsupported type {type(leaf)}"
            )
    return found, spec


def _split_aux(result: Any, has_aux: bool, name: str) -> tuple[Any, Any]:
    if not has_aux:
        return result, None
    if not isinstance(result, tuple) or len(result) != 2:
        raise RuntimeError(f"{name}: output of function f should be a tuple: (output, aux) if has_aux is True")
    return result


def grad_and_value(func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False) -> Callable[..., Any]:
    """A function that returns the gradient of ``func`` and its value: ``(gradient, value)``, or
    ``(gradient, (value, aux))``. Arguments and errors are those of `grad`.

    >>> import autograd
    >>> grad_and_value(lambda x: (x**2).sum())(autograd.tensor([1.0, 3.0]))
    (tensor([2., 6.]), tensor(10.))
    """
    name = "grad_and_value(f)(*args)"

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        chosen, spec = pytree.flatten(_chosen(args, argnums))
        recording = _Recording(chosen)
        with enable_grad():
            result = func(*_replaced(args, argnums, pytree.unflatten(recording.inputs, spec)), **kwargs)
            output, aux = _split_aux(result, has_aux, name)
            if not isinstance(output, Tensor):
                raise RuntimeError(f"{name}: Expected f(*args) to return a Tensor, got {type(output)}")
            if output.dim():
                raise RuntimeError(
                    f"{name}: Expected f(*args) to return a scalar Tensor, got tensor with {output.dim()} dims. Maybe "
                    "you wanted to use the vjp or jacrev APIs instead?"
                )
            gradients = recording.gradients([output], [_ones(output)], retain_graph=has_aux)
        value = recording.leave((output, aux) if has_aux else output)
        return pytree.unflatten(gradients, spec), value

    return wrapper


def grad(func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False) -> Callable[..., Any]:
    """A function that computes the gradient of ``func``.

    Args:
        func: returns a 0-d tensor; with ``has_aux`` a pair of that and anything else.
        argnums: which positional arguments to differentiate by: an int, or several for a tuple of gradients. They may
            be nested tuples, lists and dicts of tensors; gradients are nested likewise.
        has_aux: return ``(gradient, aux)``.

    Raises:
        RuntimeError: another output, integers to differentiate by, or no such argument.
        ValueError: something to differentiate by is no tensor.

    >>> import autograd
    >>> autograd.func.grad(autograd.sin)(autograd.tensor(0.0))
    tensor(1.)
    >>> autograd.func.grad(autograd.func.grad(autograd.sin))(autograd.tensor(1.0))
    tensor(-0.8415)
    """
    both = grad_and_value(func, argnums, has_aux)

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        gradient, value = both(*args, **kwargs)
        return (gradient, value[1]) if has_aux else gradient

    return wrapper


def vjp(func: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """The value of ``func(*primals)``, and the function that takes a cotangent to ``cotangent @ J``.

    Args:
        func: returns a nest of tensors; with ``has_aux`` a pair of that and anything else.
        primals: nests of tensors.

    Returns:
        ``(output, vjp_fn)`` or ``(output, vjp_fn, aux)``; ``vjp_fn(cotangents)`` takes what has the structure of the
        output and returns a tuple, one gradient for each of ``primals``.

    >>> import autograd
    >>> output, pullback = vjp(lambda x: x**2, autograd.tensor([1.0, 3.0]))
    >>> pullback(autograd.tensor([1.0, 10.0]))
    (tensor([ 2., 60.]),)
    """
    leaves, spec = pytree.flatten(primals)
    recording = _Recording(leaves)
    with enable_grad():
        result = func(*pytree.unflatten(recording.inputs, spec))
        result, aux = _split_aux(result, has_aux, "vjp(f, *primals)")
        outputs, out_spec = _tensors_of(result, "vjp(f, *primals)")
        for output in outputs:
            if not (output.is_floating_point() or output.is_complex()):
                raise RuntimeError(
                    "vjp(f, ...): All outputs of f must be floating-point or complex Tensors, got Tensor with dtype "
                    f"{output.dtype}"
                )

    def vjp_fn(cotangents: Any, retain_graph: bool = True, create_graph: bool | None = None) -> Any:
        given, given_spec = pytree.flatten(cotangents)
        if given_spec != out_spec:
            raise RuntimeError(
                "Expected pytree structure of cotangents to be the same as pytree structure of outputs to the "
                f"function. cotangents: {given_spec}, primal output: {out_spec}"
            )
        for i, (g, output) in enumerate(zip(given, outputs, strict=True)):
            if g.shape != output.shape:
                raise RuntimeError(
                    f"Mismatch in shape: grad_output[{i}] has a shape of {g.shape} and output[{i}] has a shape of "
                    f"{output.shape}."
                )
        return pytree.unflatten(recording.gradients(outputs, given, retain_graph), spec)

    value = recording.leave(result)
    return (value, vjp_fn, recording.leave(aux)) if has_aux else (value, vjp_fn)


# --- Forward mode --------------------------------------------------------------------------------------------------


def jvp(func: Callable[..., Any], primals: Any, tangents: Any, *, strict: bool = False, has_aux: bool = False) -> Any:
    """The value of ``func(*primals)`` and the Jacobian-vector product ``J @ tangents``, in one pass, forward.

    Args:
        func: returns a nest of tensors; with ``has_aux`` a pair of that and anything else.
        primals: a tuple of nests of tensors.
        tangents: of the same structure and shapes.
        strict: raise where an output does not depend on the inputs, instead of giving zeros.

    Returns:
        ``(output, tangent)`` or ``(output, tangent, aux)``.

    Raises:
        RuntimeError: structures or shapes that do not fit.

    >>> import autograd
    >>> jvp(autograd.sin, (autograd.tensor(0.0),), (autograd.tensor(2.0),))
    (tensor(0.), tensor(2.))
    """
    return _jvp(func, primals, tangents, strict, has_aux)


def _jvp(
    func: Callable[..., Any], primals: Any, tangents: Any, strict: bool, has_aux: bool, shared: bool = False
) -> Any:
    """`jvp`; ``shared`` says that ``func`` knows nothing that is batched where only the tangents are."""
    name = "jvp(f, primals, tangents)"
    if not isinstance(primals, tuple):
        raise RuntimeError(f"{name}: Expected primals to be a tuple. E.g. it should be valid to call f(*primals).")
    flat, spec = pytree.flatten(primals)
    directions, directions_spec = pytree.flatten(tangents)
    if spec != directions_spec:
        raise RuntimeError(
            f"{name}: Expected primals and tangents to have the same python structure. For example, if primals is a "
            f"tuple of 3 tensors, tangents also must be. Got primals with structure {spec} and tangents with structure "
            f"{directions_spec}"
        )
    for what, values in (("primals", flat), ("tangents", directions)):
        if not values:
            raise RuntimeError(f"{name}: Expected {what} to contain at least one Tensor.")
        for value in values:
            if not isinstance(value, Tensor):
                raise RuntimeError(f"{name}: Expected {what} to only contain Tensors, got {type(value)}")
    level = Level()
    with in_level(level):
        duals = [make_dual_at(level, x, t, shared) for x, t in zip(flat, directions, strict=True)]
        result, aux = _split_aux(func(*pytree.unflatten(duals, spec)), has_aux, name)
        outputs, out_spec = _tensors_of(result, name)
        values, pushed = [], []
        for output in outputs:
            value, tangent = unpack_dual_at(level, output)
            if tangent is None:
                if strict:
                    raise RuntimeError(
                        "jvp(f, primals, tangents, strict=True): The output of f is independent of the inputs. This "
                        "is not allowed with strict=True."
                    )
                tangent = _zeros(value)
            values.append(value)
            pushed.append(tangent)
        both = pytree.unflatten(values, out_spec), pytree.unflatten(pushed, out_spec)
        if not has_aux:
            return both
        return *both, pytree.each(
            lambda leaf: unpack_dual_at(level, leaf).primal if isinstance(leaf, Tensor) else leaf, aux
        )


def linearize(func: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[..., Any]]:
    """The value of ``func`` at ``primals``, and its derivative there as a function: ``jvp_fn(*tangents)``.

    ``func`` runs once; ``jvp_fn`` is linear and works on what was recorded then.

    >>> import autograd
    >>> output, push = linearize(lambda x: x**2, autograd.tensor([1.0, 3.0]))
    >>> push(autograd.tensor([1.0, 1.0]))
    tensor([2., 6.])
    """
    leaves, spec = pytree.flatten(primals)
    recording = _Recording(leaves)
    with enable_grad():
        outputs, out_spec = _tensors_of(func(*pytree.unflatten(recording.inputs, spec)), "linearize(f, *primals)")
        # J^T g is linear in g, and its derivative by g, applied to a tangent, is J t: whatever g is.
        seeds = [through(_ones(output)) for output in outputs]
        pulled = recording.pulled(outputs, seeds)

    def jvp_fn(*tangents: Any) -> Any:
        given, given_spec = pytree.flatten(tangents)
        if given_spec != spec:
            raise RuntimeError(f"linearize: tangents have the structure {given_spec}, but primals {spec}")
        for tangent, primal in zip(given, leaves, strict=True):
            if tangent.shape != primal.shape or tangent.dtype is not primal.dtype:
                raise RuntimeError(
                    f"linearize: a tangent of shape {list(tangent.shape)} and {tangent.dtype} was given for a primal "
                    f"of shape {list(primal.shape)} and {primal.dtype}"
                )
        pairs = [(g, t) for g, t in zip(pulled, given, strict=True) if g is not None]
        create_graph = state.grad and recording.reaches_outside([*outputs, *given])
        pushed = pull([g for g, _ in pairs], seeds, [t for _, t in pairs], create_graph=create_graph)
        found = [_zeros(o) if tangent is None else tangent for tangent, o in zip(pushed, outputs, strict=True)]
        return pytree.unflatten(found, out_spec)

    return recording.leave(pytree.unflatten(outputs, out_spec)), jvp_fn


# --- Jacobians -----------------------------------------------------------------------------------------------------


def _basis(like: Tensor) -> Tensor:
    """For each element of ``like`` the tensor of its shape that is 1 there and 0 elsewhere."""
    n = like.numel()
    return TORCH["eye"](n, dtype=like.dtype).reshape(n, *like.shape)


def _check_real(operator: str, what: str, tensors: Iterable[Any]) -> None:
    """A complex number is two real ones: its derivatives by each are no complex number."""
    for i, value in enumerate(tensors):
        if isinstance(value, Tensor) and value.is_complex():
            raise RuntimeError(
                f"{operator}: Expected all {what} to be real but received complex tensor at flattened {what[:-1]} idx: "
                f"{i}; use view_as_real"
            )


def jacrev(
    func: Callable[..., Any],
    argnums: Argnums = 0,
    *,
    has_aux: bool = False,
    chunk_size: int | None = None,
    _preallocate_and_copy: bool = False,
) -> Callable[..., Any]:
    """A function that computes the Jacobian of ``func``, row by row: backward passes for all elements of the output,
    as one batch. For functions with more inputs than outputs.

    Args:
        func: returns a nest of tensors; with ``has_aux`` a pair of that and anything else.
        argnums: which arguments to differentiate by, as for `grad`.
        has_aux: return ``(Jacobian, aux)``.
        chunk_size: how many rows at once; all by default.

    Returns:
        for each output, for each input, a tensor of shape ``(*output.shape, *input.shape)``.

    >>> import autograd
    >>> jacrev(autograd.square)(autograd.tensor([1.0, 3.0]))
    tensor([[2., 0.],
            [0., 6.]])
    """
    if chunk_size is not None and chunk_size <= 0:
        raise ValueError(f"jacrev: `chunk_size` should be greater than 0, got {chunk_size}")

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        def of_chosen(chosen: Any) -> Any:
            return func(*_replaced(args, argnums, chosen), **kwargs)

        chosen = _chosen(args, argnums)
        output, vjp_fn, *aux = vjp(of_chosen, chosen, has_aux=has_aux)
        outputs, out_spec = pytree.flatten(output)
        inputs, in_spec = pytree.flatten(chosen)
        _check_real("jacrev", "inputs", inputs)
        _check_real("jacrev", "outputs", outputs)
        rows = []
        for i, out in enumerate(outputs):
            zeros = [_zeros(other) for other in outputs]

            def pulled(row: Tensor, i: int = i, zeros: list[Tensor] = zeros) -> Any:
                given = pytree.unflatten([*zeros[:i], row, *zeros[i + 1 :]], out_spec)
                return tuple(pytree.leaves(vjp_fn(given)))

            if out.numel():
                found = vmap(pulled, chunk_size=chunk_size)(_basis(out))
            else:
                found = [_zeros(x).expand(0, *x.shape) for x in inputs]
            pairs = zip(found, inputs, strict=True)
            rows.append(pytree.unflatten([g.reshape((*out.shape, *x.shape)) for g, x in pairs], in_spec))
        jacobian = pytree.unflatten(rows, out_spec)
        return (jacobian, *aux) if has_aux else jacobian

    return wrapper


def jacfwd(
    func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False, *, randomness: str = "error"
) -> Callable[..., Any]:
    """A function that computes the Jacobian of ``func``, column by column: ``func`` runs once and pushes the
    derivatives by all elements of the input forward, as one batch. For functions with more outputs than inputs.

    Arguments and results are those of `jacrev`; ``randomness`` is that of `vmap`.

    >>> import autograd
    >>> jacfwd(autograd.square)(autograd.tensor([1.0, 3.0]))
    tensor([[2., 0.],
            [0., 6.]])
    """

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        def of_chosen(*chosen: Any) -> Any:
            values = pytree.unflatten(list(chosen), in_spec)
            return func(*_replaced(args, argnums, values), **kwargs)

        inputs, in_spec = pytree.flatten(_chosen(args, argnums))
        for leaf in inputs:
            if not isinstance(leaf, Tensor):
                raise RuntimeError(f"jacfwd: Expected all inputs to be Tensors, got unsupported type {type(leaf)}")
        _check_real("jacfwd", "inputs", inputs)
        sizes = [leaf.numel() for leaf in inputs]
        columns: list[Tensor] = []
        for j, leaf in enumerate(inputs):
            before, behind = sum(sizes[:j]), sum(sizes[j + 1 :])
            parts = [_zeros(leaf).expand(before, *leaf.shape), _basis(leaf), _zeros(leaf).expand(behind, *leaf.shape)]
            columns.append(_joined(parts, 0))
        outside: list[Any] = []

        batches = active_batches()

        def pushed(*tangents: Any) -> Any:
            with entered(batches):  # only the tangents are batched: the function runs as if it were called alone
                output, tangent, *aux = _jvp(of_chosen, tuple(inputs), tangents, False, has_aux, shared=True)
            outside[:] = [output, aux]
            return tuple(_tensors_of(tangent, "jacfwd")[0])

        found = vmap(pushed, randomness=randomness)(*columns)
        outputs, out_spec = pytree.flatten(outside[0])
        _check_real("jacfwd", "outputs", outputs)
        blocks = []
        for tangent, out in zip(found, outputs, strict=True):
            pairs = zip(tangent.movedim(0, -1).split(sizes, -1), inputs, strict=True)
            blocks.append(pytree.unflatten([piece.reshape((*out.shape, *x.shape)) for piece, x in pairs], in_spec))
        jacobian = pytree.unflatten(blocks, out_spec)
        return (jacobian, *outside[1]) if has_aux else jacobian

    return wrapper


def hessian(func: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """A function that computes the Hessian of ``func``: forward over reverse mode.

    >>> import autograd
    >>> hessian(lambda x: (x**3).sum())(autograd.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    return jacfwd(jacrev(func, argnums), argnums)


# --- Batches -------------------------------------------------------------------------------------------------------


def vmap(
    func: Callable[..., Any],
    in_dims: Any = 0,
    out_dims: Any = 0,
    randomness: str = "error",
    *,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """A function that runs ``func`` on a whole batch at once; inside, ``func`` sees one example.

    Operators become the same operators on the batch; those without a rule for it run on one example after the other.
    The results are those of a loop over the examples.

    Args:
        func: returns a nest of tensors.
        in_dims: which dimension of each input counts the examples, None for an input that all share: an int, or a
            nest of the structure of the inputs.
        out_dims: where that dimension comes in the outputs, likewise.
        randomness: whether random operators inside are an ``"error"``, give the ``"same"`` numbers to all examples, or
            ``"different"`` ones.
        chunk_size: how many examples at once; all by default.

    Raises:
        ValueError: ``in_dims`` or ``out_dims`` does not fit, sizes differ, or ``func`` returns something else.
        RuntimeError: ``func`` asks for the numbers of an example, as in ``if x > 0``.

    >>> import autograd
    >>> x = autograd.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> autograd.vmap(autograd.dot)(x, x)
    tensor([ 5., 25.])
    >>> autograd.vmap(autograd.func.grad(lambda x: (x**3).sum()))(x)
    tensor([[ 3., 12.],
            [27., 48.]])
    """
    if randomness not in ("error", "different", "same"):
        raise RuntimeError(f"Only allowed values for randomness are 'error', 'different', or 'same'. Got {randomness}")
    if chunk_size is not None and chunk_size <= 0:
        raise ValueError(f"vmap: chunk_size should be None or greater than 0. (got {chunk_size})")
    name = getattr(func, "__name__", repr(func))

    @functools.wraps(func)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        leaves, dims, spec = _batch_inputs(name, args, in_dims)
        size = _batch_size(leaves, dims)
        values = [x if not d else x.movedim(d, 0) for x, d in zip(leaves, dims, strict=True)]
        if chunk_size is None or size <= chunk_size:
            return run(values, dims, spec, size, kwargs)
        pieces = []
        for start in range(0, size, chunk_size):
            part = [x if d is None else x[start : start + chunk_size] for x, d in zip(values, dims, strict=True)]
            pieces.append(run(part, dims, spec, min(chunk_size, size - start), kwargs))
        flat = [pytree.leaves(piece) for piece in pieces]
        places = pytree.broadcast(out_dims, pieces[0])
        joined = [_joined(list(column), d) for column, d in zip(zip(*flat, strict=True), places, strict=True)]
        return pytree.unflatten(joined, pytree.structure(pieces[0]))

    def run(values: list[Any], dims: list[Any], spec: pytree.Structure, size: int, kwargs: dict[str, Any]) -> Any:
        batch = Batch(size, randomness)
        with entered((*active_batches(), batch)):
            given = [x if d is None else wrap_batch(x, batch) for x, d in zip(values, dims, strict=True)]
            try:
                result = func(*pytree.unflatten(given, spec), **kwargs)
            except BatchError as error:
                raise RuntimeError(*error.args) from None
        outputs, out_spec = pytree.flatten(result)
        try:
            places = pytree.broadcast(out_dims, result)
        except ValueError:
            raise ValueError(
                f"vmap({name}, ..., out_dims={out_dims})(<inputs>): out_dims is not compatible with the structure of "
                f"`outputs`. out_dims has structure {pytree.structure(out_dims)} but outputs has structure {out_spec}."
            ) from None
        return pytree.unflatten(
            [_batch_output(name, out, d, batch) for out, d in zip(outputs, places, strict=True)], out_spec
        )

    return wrapped


def _batch_inputs(name: str, args: tuple[Any, ...], in_dims: Any) -> tuple[list[Any], list[Any], pytree.Structure]:
    """The leaves of the inputs, the dimension of each that counts the examples, and how they were nested."""
    call = f"vmap({name}, in_dims={in_dims}, ...)(<inputs>)"
    if not isinstance(in_dims, (int, tuple, list)) and in_dims is not None:
        raise ValueError(
            f"{call}: expected `in_dims` to be int or a (potentially nested) tuple matching the structure of inputs, "
            f"got: {type(in_dims)}."
        )
    if not args:
        raise ValueError(
            f"{call}: got no inputs. Maybe you forgot to add inputs, or you are trying to vmap over a function with no "
            "inputs. The latter is unsupported."
        )
    leaves, spec = pytree.flatten(args)
    try:
        dims = pytree.broadcast(in_dims, args)
    except ValueError:
        raise ValueError(
            f"{call}: in_dims is not compatible with the structure of `inputs`. in_dims has structure "
            f"{pytree.structure(in_dims)} but inputs has structure {spec}."
        ) from None
    for i, (leaf, dim) in enumerate(zip(leaves, dims, strict=True)):
        if dim is None:
            continue
        if not isinstance(dim, int):
            raise ValueError(
                f"{call}: Got in_dim={dim} for an input but in_dim must be either an integer dimension or None."
            )
        if not isinstance(leaf, Tensor):
            raise ValueError(
                f"{call}: Got in_dim={dim} for an input but the input is of type {type(leaf)}. We cannot vmap over "
                "non-Tensor arguments, please use None as the respective in_dim"
            )
        if not -leaf.dim() <= dim < leaf.dim():
            raise ValueError(
                f"{call}: Got in_dim={dim} for some input, but that input is a Tensor of dimensionality {leaf.dim()} "
                f"so expected in_dim to satisfy -{leaf.dim()} <= in_dim < {leaf.dim()}."
            )
        dims[i] = dim % leaf.dim()
    return leaves, dims, spec


def _batch_size(leaves: list[Any], dims: list[Any]) -> int:
    sizes = [leaf.size(dim) for leaf, dim in zip(leaves, dims, strict=True) if dim is not None]
    if not sizes:
        raise ValueError("vmap: Expected at least one Tensor to vmap over")
    if len(set(sizes)) > 1:
        raise ValueError(
            f"vmap: Expected all tensors to have the same size in the mapped dimension, got sizes {sizes} for the "
            "mapped dimension"
        )
    return sizes[0]


def _batch_output(name: str, output: Any, dim: Any, batch: Batch) -> Any:
    if not isinstance(output, Tensor):
        raise ValueError(
            f"vmap({name}, ...): `{name}` must only return Tensors, got type {type(output)}. Did you mean to set "
            "out_dims= to None for output?"
        )
    mine = is_batched(output) and output._batch is batch
    if dim is None:
        if mine:
            raise ValueError(
                f"vmap({name}, ...): `{name}` can not return a BatchedTensor when out_dim is None. Please use a "
                "non-None out_dim"
            )
        return output
    if not isinstance(dim, int):
        raise ValueError(f"vmap({name}, ..., out_dims=...): expected out_dims to hold ints or None, got {dim!r}")
    value = output._value if mine else output.expand(batch.size, *output.shape).clone()
    if not -value.dim() <= dim < value.dim():
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-value.dim()}, {value.dim() - 1}], but got {dim})"
        )
    return value.movedim(0, dim) if dim else value


def _joined(pieces: list[Any], dim: int | None) -> Any:
    return pieces[0] if dim is None or len(pieces) == 1 else TORCH["cat"](pieces, dim)


# --- Modules -------------------------------------------------------------------------------------------------------


def functional_call(
    module: Any,
    parameter_and_buffer_dicts: Mapping[str, Tensor] | Sequence[Mapping[str, Tensor]],
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """Calls a module with other tensors in place of its parameters and buffers.

    Args:
        parameter_and_buffer_dicts: names to tensors, or several such dicts with different names.
        args: a tuple of arguments, or one argument.
        tie_weights: a tensor given for one name of a shared parameter stands for its other names, too.
        strict: every parameter and buffer must be given, and nothing else; otherwise other names become attributes
            for the time of the call.

    Raises:
        RuntimeError: missing or unexpected names where ``strict``.
        ValueError: a name in two dicts.

    >>> import autograd
    >>> from autograd import nn
    >>> layer = nn.Linear(2, 1, bias=False)
    >>> autograd.func.functional_call(layer, {"weight": autograd.tensor([[1.0, 2.0]])}, autograd.ones(2))
    tensor([3.])
    """
    if isinstance(parameter_and_buffer_dicts, Mapping):
        given = dict(parameter_and_buffer_dicts)
    elif isinstance(parameter_and_buffer_dicts, Sequence):
        given = {}
        for each in parameter_and_buffer_dicts:
            if not isinstance(each, Mapping):
                raise ValueError(
                    f"Expected all elements of parameter_and_buffer_dicts to be dictionaries, got {each!r}"
                )
            repeated = given.keys() & each.keys()
            if repeated:
                raise ValueError(
                    f"{sorted(repeated)} appeared in multiple dictionaries; behavior of functional call is ambiguous"
                )
            given.update(each)
    else:
        raise ValueError(
            "Expected parameter_and_buffer_dicts to be a dict, or a list/tuple of dicts, but got "
            f"{type(parameter_and_buffer_dicts)}"
        )
    arguments = () if args is None else args if isinstance(args, tuple) else (args,)
    with _replaced_members(module, given, tie_weights, strict):
        return module(*arguments, **(kwargs or {}))


class _Absent:
    """Stands for an attribute that a module does not have."""


@contextmanager
def _replaced_members(module: Any, given: dict[str, Tensor], tie_weights: bool, strict: bool) -> Iterator[None]:
    members = {
        **dict(module.named_parameters(remove_duplicate=False)),
        **dict(module.named_buffers(remove_duplicate=False)),
    }
    if strict and given.keys() != members.keys():
        missing, unexpected = sorted(members.keys() - given.keys()), sorted(given.keys() - members.keys())
        raise RuntimeError(
            f"functional_call: for {type(module).__name__} with strict=True these keys are missing: {missing}, and "
            f"these unexpected: {unexpected}"
        )
    values = dict(given)
    if tie_weights:
        by_member = {id(members[name]): value for name, value in given.items() if name in members}
        for name, member in members.items():
            if id(member) in by_member:
                values.setdefault(name, by_member[id(member)])
    places = []
    for name, value in values.items():
        if not isinstance(value, Tensor):
            raise TypeError(f"{value} is not an instance of autograd.Tensor")
        path, _, last = name.rpartition(".")
        owner = module.get_submodule(path)
        registry = next((r for r in (owner._parameters, owner._buffers) if last in r), owner.__dict__)
        places.append((registry, last, value))
    before = [(registry, last, registry.get(last, _Absent)) for registry, last, _ in places]
    try:
        for registry, last, value in places:
            registry[last] = value
        yield
    finally:
        for registry, last, value in before:
            if value is _Absent:
                del registry[last]
            else:
                registry[last] = value


def stack_module_state(models: Sequence[Any]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The parameters and the buffers of several modules of one kind, each stacked along a new first dimension.

    Raises:
        RuntimeError: no modules, modules of different kinds or in different modes.

    >>> import autograd
    >>> from autograd import nn
    >>> parameters, buffers = stack_module_state([nn.Linear(2, 3) for _ in range(5)])
    >>> parameters["weight"].shape
    torch.Size([5, 3, 2])
    """
    modules = list(models)
    if not modules:
        raise RuntimeError("stack_module_state: Expected at least one model, got 0.")
    if not (all(m.training for m in modules) or not any(m.training for m in modules)):
        raise RuntimeError("stack_module_state: Expected all models to have the same training/eval mode.")
    if any(type(m) is not type(modules[0]) for m in modules):
        raise RuntimeError("stack_module_state: Expected all models to be of the same class.")
    parameters = [dict(m.named_parameters()) for m in modules]
    buffers = [dict(m.named_buffers()) for m in modules]

    def stacked(several: list[dict[str, Tensor]], name: str) -> Tensor:
        tensors = [each[name] for each in several]
        result = TORCH["stack"](tensors).detach()
        return result.requires_grad_(tensors[0].requires_grad)

    return (
        {name: stacked(parameters, name) for name in parameters[0]},
        {name: stacked(buffers, name) for name in buffers[0]},
    )


def replace_all_batch_norm_modules_(root: Any) -> Any:
    """Takes the running statistics away from every batch norm in a module: under `vmap` they could not be written.

    They then normalize by each batch, in evaluation, too. Returns the module.

    >>> from autograd import nn
    >>> model = replace_all_batch_norm_modules_(nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)))
    >>> model[1].running_mean, model[1].track_running_stats
    (None, False)
    """
    batch_norm = importlib.import_module("nn.batchnorm")._BatchNorm
    for module in root.modules():
        if isinstance(module, batch_norm) and module.track_running_stats:
            module.running_mean = module.running_var = module.num_batches_tracked = None
            module.track_running_stats = False
    return root


def debug_unwrap(tensor: Tensor, *, recurse: bool = True) -> Tensor:
    """The whole batch of which a tensor inside of `vmap` is one example, its examples along the first dimension.

    To look at in a debugger: what is computed with it is lost to the transform.

    Args:
        tensor: any; one that stands for no batch is returned as it is.
        recurse: through all levels of nested `vmap`, not the innermost alone.
    """
    if not is_batched(tensor):
        return tensor
    return base_of(tensor) if recurse else tensor._value


def functionalize(func: Callable[..., Any], *, remove: str = "mutations") -> Callable[..., Any]:
    """``func`` itself: transforms here see through writes and views, so that nothing has to be removed first.

    Args:
        remove: ``"mutations"`` or ``"mutations_and_views"``.

    Raises:
        RuntimeError: another ``remove``.
    """
    if remove not in ("mutations", "mutations_and_views"):
        raise RuntimeError(
            "functionalize(f, remove='mutations'): received invalid argument for remove=. Valid options are: "
            f"'mutations', 'mutations_and_views'. Got: remove={remove!r}"
        )
    return func
