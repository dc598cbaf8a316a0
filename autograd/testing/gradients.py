"""Gradients against finite differences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import dtypes
from ..differentiation import grad
from ..graph import enable_grad
from ..ops.create import as_tensor
from ..tensor import Tensor
from .comparison import make_tensor

__all__ = ["GradcheckError", "gradcheck", "gradgradcheck"]


class GradcheckError(RuntimeError):
    """Raised by `gradcheck` and `gradgradcheck` when a gradient is wrong."""


def gradcheck(
    func: Callable[..., Any],
    inputs: Any,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:
    """Whether the backward pass of ``func`` agrees with central differences of its values.

    For each output ``o`` and each input ``x`` that requires grad, every entry of the Jacobian ``do_j / dx_i`` must
    satisfy ``|backward - numerical| <= atol + rtol * |numerical|`` with
    ``numerical = (o_j(x_i + eps) - o_j(x_i - eps)) / (2 eps)``. A complex tensor counts as twice as many real numbers,
    its real and imaginary parts in turn.

    Args:
        func: from the inputs to a Tensor or a tuple of Tensors.
        inputs: a Tensor or a tuple of arguments. Those that require grad should be float64 or complex128: in float32
            the differences have about three correct digits.
        eps: how far an element is moved.
        atol: absolute tolerance.
        rtol: relative tolerance.
        raise_exception: raise instead of returning False.
        nondet_tol: by how much two backward passes on the same values may differ.
        check_undefined_grad: for several outputs, check also that one without a gradient counts as zero.
        check_grad_dtypes: check also that each gradient has its input's dtype.
        check_batched_grad: check also that several backward passes as one batch (`func.vmap`) give what single ones do.
        check_batched_forward_grad: the same for derivatives in forward mode.
        check_forward_ad: check also the derivatives in forward mode.
        check_backward_ad: check the backward pass.
        fast_mode: compare ``v @ J @ u`` for one random pair of unit vectors instead of all of ``J``: two evaluations
            of ``func`` per input instead of two per element.
        masked: accepted: there are no sparse tensors.

    Raises:
        AssertionError: options that contradict each other.
        GradcheckError: a mismatch: names the output, the input and the worst entry, and shows both Jacobians.
        ValueError: no input requires grad.

    >>> import autograd
    >>> x = autograd.tensor([0.5, 2.0], dtype=autograd.float64, requires_grad=True)
    >>> gradcheck(autograd.log, x, check_forward_ad=True)
    True
    >>> gradcheck(lambda x: x.detach() * x, x, raise_exception=False)
    False
    """
    for given, message in (
        (check_backward_ad or check_forward_ad, "one of check_forward_ad and check_backward_ad must be True"),
        (check_backward_ad or not check_batched_grad, "check_batched_grad needs check_backward_ad=True"),
        (check_forward_ad or not check_batched_forward_grad, "check_batched_forward_grad needs check_forward_ad=True"),
    ):
        if not given:
            raise AssertionError(f"gradcheck: {message}")
    arguments = _as_tuple(inputs)
    places = _checked_inputs(arguments)
    try:
        with enable_grad():
            outputs = _outputs_of(func, arguments)
            if check_forward_ad:
                _compare_tangents(func, arguments, places, outputs, eps, atol, rtol, fast_mode)
            if check_batched_forward_grad:
                _check_batched_tangents(func, arguments, places)
            if not check_backward_ad:
                return True
            compare = _compare_projections if fast_mode else _compare_jacobians
            for number, output in enumerate(outputs):
                compare(func, arguments, places, number, output, eps, atol, rtol)
                _check_repeats(output, arguments, places, number, nondet_tol)
                if check_batched_grad:
                    _check_batched(output, arguments, places, number)
            if check_grad_dtypes:
                _check_dtypes(outputs, arguments, places)
            if check_undefined_grad and len(outputs) > 1:
                _check_undefined(outputs, arguments, places)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Any,
    grad_outputs: Any = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_fwd_over_rev: bool = False,
    check_rev_over_rev: bool = True,
    fast_mode: bool = False,
    masked: bool = False,
) -> bool:
    """Whether the gradient of the gradient of ``func`` is right: `gradcheck` of its backward pass.

    The function checked takes ``inputs`` and the outputs' gradients to the inputs' gradients, recorded with
    ``create_graph=True``.

    Args:
        func: from the inputs to a Tensor or a tuple of Tensors.
        inputs: a Tensor or a tuple of arguments.
        grad_outputs: gradients of the outputs; random ones by default.
        gen_non_contig_grad_outputs: make the random ones non-contiguous.
        check_fwd_over_rev: check the backward pass in forward mode, too.
        check_rev_over_rev: check the backward pass of the backward pass.
        eps, atol, rtol, raise_exception, nondet_tol, check_undefined_grad, check_grad_dtypes, check_batched_grad,
            fast_mode, masked: as for `gradcheck`.

    Raises:
        GradcheckError: a mismatch.
        ValueError: no input requires grad.

    >>> import autograd
    >>> x = autograd.tensor([0.5, 2.0], dtype=autograd.float64, requires_grad=True)
    >>> gradgradcheck(autograd.log, x)
    True
    """
    arguments = _as_tuple(inputs)
    places = _checked_inputs(arguments)
    if grad_outputs is None:
        with enable_grad():
            outputs = _outputs_of(func, arguments)
        seeds: tuple[Any, ...] = tuple(
            make_tensor(
                output.shape,
                dtype=output.dtype,
                low=-1,
                high=1,
                requires_grad=True,
                noncontiguous=gen_non_contig_grad_outputs,
            )
            for output in outputs
        )
    else:
        seeds = _as_tuple(grad_outputs)

    def backward(*values: Any) -> tuple[Tensor, ...]:
        count = len(arguments)
        # A function that hands an input on must not make it its own output.
        given = [value.view_as(value) if i in places else value for i, value in enumerate(values[:count])]
        outputs = _outputs_of(func, given)
        wanted = [given[i] for i in places]
        gradients = grad(outputs, wanted, values[count:], create_graph=True, allow_unused=True)
        return tuple(g for g in gradients if g is not None)

    return gradcheck(
        backward,
        (*arguments, *seeds),
        eps=eps,
        atol=atol,
        rtol=rtol,
        raise_exception=raise_exception,
        nondet_tol=nondet_tol,
        check_undefined_grad=check_undefined_grad,
        check_grad_dtypes=check_grad_dtypes,
        check_batched_grad=check_batched_grad,
        check_forward_ad=check_fwd_over_rev,
        check_backward_ad=check_rev_over_rev,
        fast_mode=fast_mode,
    )


def _as_tuple(values: Any) -> tuple[Any, ...]:
    return tuple(values) if isinstance(values, (tuple, list)) else (values,)


def _checked_inputs(arguments: Sequence[Any]) -> list[int]:
    """Places of the inputs that require grad."""
    places = [i for i, value in enumerate(arguments) if isinstance(value, Tensor) and value.requires_grad]
    if not places:
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of them have requires_grad=True."
        )
    for i in places:
        strides, shape = arguments[i].stride(), arguments[i].shape
        if arguments[i].numel() and any(stride == 0 and n > 1 for stride, n in zip(strides, shape, strict=True)):
            raise RuntimeError(
                f"gradcheck: input {i} of shape {list(shape)} has a dimension with stride 0: its elements share memory "
                "and cannot be moved one by one. Call .contiguous() on it."
            )
    return places


def _outputs_of(func: Callable[..., Any], arguments: Sequence[Any]) -> list[Tensor]:
    """The outputs that may have a gradient."""
    outputs = [o for o in _as_tuple(func(*arguments)) if isinstance(o, Tensor) and o.dtype.numpy.kind in "fc"]
    return [output for output in outputs if output.requires_grad]


def _values_of(func: Callable[..., Any], arguments: Sequence[Any], number: int, like: Tensor) -> np.ndarray:
    """Values of the ``number``-th differentiable output at the present inputs."""
    with enable_grad():  # the same code runs, and picks the same outputs
        values = _outputs_of(func, arguments)[number].detach().numpy()
    if values.shape != tuple(like.shape):
        raise GradcheckError(f"output {number} had shape {list(like.shape)} and has {list(values.shape)} now")
    return _real_numbers(values)


def _real_numbers(array: np.ndarray) -> np.ndarray:
    """The elements in a row, as float64: of complex ones the real and imaginary parts in turn."""
    wide = np.complex128 if array.dtype.kind == "c" else np.float64
    return np.ascontiguousarray(array.reshape(-1).astype(wide)).view(np.float64)


def _from_real_numbers(numbers: np.ndarray, like: Tensor) -> np.ndarray:
    """The array of ``like``'s shape and dtype with these elements."""
    kind = dtypes.to_numpy_dtype(like.dtype)
    numbers = np.ascontiguousarray(numbers, np.float64)
    values = numbers.view(np.complex128) if kind.kind == "c" else numbers
    return values.reshape(tuple(like.shape)).astype(kind)


def _places_of_numbers(array: np.ndarray) -> list[tuple[np.ndarray, tuple[int, ...]]]:
    """For each real number in the array's memory the array of parts that it lies in, and where."""
    parts = [array.real, array.imag] if array.dtype.kind == "c" else [array]
    return [(part, index) for index in np.ndindex(array.shape) for part in parts]


def _gradients(
    outputs: Sequence[Tensor], arguments: Sequence[Any], places: Sequence[int], seeds: Any
) -> list[np.ndarray]:
    inputs = [arguments[i] for i in places]
    gradients = grad(outputs, inputs, seeds, retain_graph=True, allow_unused=True)
    return [
        np.zeros(tuple(x.shape), dtypes.to_numpy_dtype(x.dtype)) if g is None else g.detach().numpy()
        for x, g in zip(inputs, gradients, strict=True)
    ]


def _compare_jacobians(
    func: Any, arguments: Any, places: list[int], number: int, output: Tensor, eps: float, atol: float, rtol: float
) -> None:
    rows: list[list[np.ndarray]] = [[] for _ in places]
    count = output.numel() * (2 if output.is_complex() else 1)
    for seed in np.eye(count):
        gradients = _gradients([output], arguments, places, [as_tensor(_from_real_numbers(seed, output))])
        for i, row, g in zip(places, rows, gradients, strict=True):
            row.append(_real_numbers(g.astype(dtypes.to_numpy_dtype(arguments[i].dtype), copy=False)))
    for i, row in zip(places, rows, strict=True):
        array = arguments[i].detach().numpy()
        numbers = _places_of_numbers(array)
        backward = np.array(row, np.float64).reshape(count, len(numbers))
        numerical = np.zeros_like(backward)
        for column, (part, index) in enumerate(numbers):
            here = part[index]
            try:
                part[index] = here + eps
                ahead = _values_of(func, arguments, number, output)
                part[index] = here - eps
                behind = _values_of(func, arguments, number, output)
            finally:
                part[index] = here
            numerical[:, column] = (ahead - behind) / (2 * eps)
        _require_close(backward, numerical, number, i, atol, rtol)


def _require_close(
    backward: np.ndarray, numerical: np.ndarray, number: int, place: int, atol: float, rtol: float
) -> None:
    close = np.isclose(backward, numerical, rtol, atol, equal_nan=True)
    if close.all():
        return
    gap = np.where(close, -np.inf, np.nan_to_num(np.abs(backward - numerical), nan=np.inf))
    j, i = np.unravel_index(int(gap.argmax()), gap.shape)
    raise GradcheckError(
        f"Jacobian mismatch for output {number} with respect to input {place}: {close.size - int(close.sum())} of "
        f"{close.size} entries; worst at output element {j}, input element {i}: backward {backward[j, i]:.9g}, "
        f"numerical {numerical[j, i]:.9g}.\nnumerical:\n{numerical}\nbackward:\n{backward}"
    )


def _unit_vector(like: Tensor) -> np.ndarray:
    # Positive entries: a lost or swapped entry always shows.
    count = like.numel() * (2 if like.is_complex() else 1)
    vector = make_tensor((count,), dtype=dtypes.float64, low=0.5, high=1.0).numpy()
    return vector / max(float(np.linalg.norm(vector)), 1e-300)


def _compare_projections(
    func: Any, arguments: Any, places: list[int], number: int, output: Tensor, eps: float, atol: float, rtol: float
) -> None:
    left = _unit_vector(output)
    gradients = _gradients([output], arguments, places, [as_tensor(_from_real_numbers(left, output))])
    for i, g in zip(places, gradients, strict=True):
        array = arguments[i].detach().numpy()
        right = _unit_vector(arguments[i])
        step = eps * _from_real_numbers(right, arguments[i])
        here = array.copy()
        try:
            array[...] = here + step
            ahead = _values_of(func, arguments, number, output)
            array[...] = here - step
            behind = _values_of(func, arguments, number, output)
        finally:
            array[...] = here
        numerical = float(left @ (ahead - behind)) / (2 * eps)
        backward = float(_real_numbers(g) @ right)
        if not np.isclose(backward, numerical, rtol, atol, equal_nan=True):
            # The whole Jacobian finds the entry; where it agrees, the projection alone is reported.
            _compare_jacobians(func, arguments, [i], number, output, eps, atol, rtol)
            raise GradcheckError(
                f"Projected Jacobian mismatch for output {number} with respect to input {i}: backward {backward:.9g}, "
                f"numerical {numerical:.9g}."
            )


def _tangents(func: Any, arguments: Sequence[Any], place: int, direction: np.ndarray) -> list[np.ndarray]:
    """Derivatives of all outputs, in forward mode, when one input moves in a direction."""
    from .. import forward_ad

    with forward_ad.dual_level():
        moved = list(arguments)
        moved[place] = forward_ad.make_dual(arguments[place], as_tensor(direction))
        duals = [forward_ad.unpack_dual(output) for output in _outputs_of(func, moved)]
        zeros = (np.zeros_like(dual.primal.detach().numpy()) for dual in duals)
        return [
            zero if dual.tangent is None else dual.tangent.detach().numpy()
            for dual, zero in zip(duals, zeros, strict=True)
        ]


def _compare_tangents(
    func: Any,
    arguments: Any,
    places: list[int],
    outputs: Sequence[Tensor],
    eps: float,
    atol: float,
    rtol: float,
    one_direction: bool,
) -> None:
    """Derivatives in forward mode against differences, along each real number of each input, or one direction."""
    for i in places:
        x = arguments[i]
        unit = _unit_vector(x)
        array = x.detach().numpy()
        here = array.copy()
        for column, direction in enumerate([unit] if one_direction else np.eye(unit.size)):
            step = _from_real_numbers(direction, x)
            forward = _tangents(func, arguments, i, step)
            for number, (output, tangent) in enumerate(zip(outputs, forward, strict=True)):
                try:
                    array[...] = here + eps * step
                    ahead = _values_of(func, arguments, number, output)
                    array[...] = here - eps * step
                    behind = _values_of(func, arguments, number, output)
                finally:
                    array[...] = here
                numerical, found = (ahead - behind) / (2 * eps), _real_numbers(tangent)
                if not np.allclose(found, numerical, rtol, atol, equal_nan=True):
                    where = "a random direction" if one_direction else f"its real number {column}"
                    raise GradcheckError(
                        f"Jacobian mismatch for output {number} with respect to input {i}, computed with forward mode "
                        f"along {where}:\nnumerical:\n{numerical}\nforward:\n{found}"
                    )


def _check_batched(output: Tensor, arguments: Any, places: list[int], number: int) -> None:
    inputs = [arguments[i] for i in places]
    seeds = [make_tensor(output.shape, dtype=output.dtype, low=-1, high=1) for _ in range(2)]
    alone = [_gradients([output], arguments, places, [seed]) for seed in seeds]
    stack = as_tensor(np.stack([seed.numpy() for seed in seeds]))
    together = grad(output, inputs, stack, retain_graph=True, allow_unused=True, is_grads_batched=True)
    for place, g, *single in zip(places, together, *alone, strict=True):
        expected = np.stack(single)
        if not np.allclose(np.zeros_like(expected) if g is None else g.detach().numpy(), expected, 1e-7, 1e-10, True):
            raise GradcheckError(
                f"While testing batched gradient computation, got a mismatch: two backward passes from output {number} "
                f"to input {place} as one batch differ from single ones."
            )


def _check_batched_tangents(func: Any, arguments: Any, places: list[int]) -> None:
    from .. import func as transforms

    for i in places:
        x = arguments[i]
        directions = [_from_real_numbers(_unit_vector(x), x) for _ in range(2)]
        alone = [_tangents(func, arguments, i, direction) for direction in directions]

        def push(tangent: Tensor, i: int = i, x: Tensor = x) -> Any:
            def of_one(value: Tensor) -> tuple[Tensor, ...]:
                return tuple(_outputs_of(func, [*arguments[:i], value, *arguments[i + 1 :]]))

            return transforms.jvp(of_one, (x,), (tangent,))[1]

        together = transforms.vmap(push)(as_tensor(np.stack(directions)))
        for number, (found, *single) in enumerate(zip(together, *alone, strict=True)):
            if not np.allclose(found.detach().numpy(), np.stack(single), 1e-7, 1e-10, equal_nan=True):
                raise GradcheckError(
                    f"While testing batched gradient computation, got a mismatch: two derivatives of output {number} "
                    f"by input {i} in forward mode as one batch differ from single ones."
                )


def _check_repeats(output: Tensor, arguments: Any, places: list[int], number: int, tolerance: float) -> None:
    seed = make_tensor(output.shape, dtype=output.dtype, low=-1, high=1)
    once, again = (_gradients([output], arguments, places, [seed]) for _ in range(2))
    for i, a, b in zip(places, once, again, strict=True):
        if not np.allclose(a, b, 0, tolerance, equal_nan=True):
            raise GradcheckError(
                f"Backward is not reentrant: two passes from output {number} to input {i} with the same gradient "
                f"differ by up to {np.abs(a - b).max():.3g}; nondet_tol is {tolerance}."
            )


def _check_dtypes(outputs: Sequence[Tensor], arguments: Any, places: list[int]) -> None:
    inputs = [arguments[i] for i in places]
    seeds = [make_tensor(output.shape, dtype=output.dtype) for output in outputs]
    gradients = grad(outputs, inputs, seeds, retain_graph=True, allow_unused=True)
    for i, x, g in zip(places, inputs, gradients, strict=True):
        if g is not None and g.dtype is not x.dtype:
            raise GradcheckError(f"the gradient of input {i} has dtype {g.dtype}, but the input has {x.dtype}")


def _check_undefined(outputs: Sequence[Tensor], arguments: Any, places: list[int]) -> None:
    seeds = [make_tensor(output.shape, dtype=output.dtype, low=-1, high=1) for output in outputs]
    for number in range(len(outputs)):
        kept = [i for i in range(len(outputs)) if i != number]
        zeros = [as_tensor(np.zeros_like(seed.numpy())) if i == number else seed for i, seed in enumerate(seeds)]
        without = _gradients([outputs[i] for i in kept], arguments, places, [seeds[i] for i in kept])
        with_zero = _gradients(outputs, arguments, places, zeros)
        for i, a, b in zip(places, without, with_zero, strict=True):
            if not np.allclose(a, b, 1e-7, 1e-10, equal_nan=True):
                raise GradcheckError(
                    f"output {number} without a gradient is not taken as zero: the gradient of input {i} differs"
                )
