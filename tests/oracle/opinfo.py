"""PyTorch's own sample inputs, as an oracle: what it calls each operator with, in our library and in PyTorch.

`torch.testing` knows for nearly every public operator a list of arguments that its developers found worth testing:
broadcasting, 0-d and empty tensors, negative dims, every keyword; and of arguments that must be refused.
"""

from __future__ import annotations

import math
import random
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

import autograd

TOLERANCE = {
    "float16": (5e-3, 5e-3),
    "bfloat16": (4e-2, 4e-2),
    "float32": (3e-4, 3e-5),
    "float64": (1e-6, 1e-8),
    "complex64": (3e-4, 3e-5),
    "complex128": (1e-6, 1e-8),
}
SEED = 42  # what op_db seeds its own random functions with


def name_of(op: Any) -> str:
    return f"{op.name}-{op.variant_test_name}" if op.variant_test_name else op.name


def function_of(op: Any) -> Any:
    """Our function of the same name, or None."""
    found: Any = autograd
    for part in op.name.split("."):
        found = getattr(found, part, None)
    if callable(found) and not isinstance(found, type):
        return found
    method = getattr(autograd.Tensor, op.name, None)
    return (lambda x: getattr(x, op.name)) if isinstance(method, property) else method


def converted(value: Any, torch: Any) -> Any:
    """PyTorch's arguments as ours: tensors with their strides, dtypes, generators, nested sequences."""
    if isinstance(value, torch.Tensor):
        return _tensor(value, torch)
    if isinstance(value, (torch.dtype, torch.memory_format, torch.layout)):
        return getattr(autograd, str(value).removeprefix("torch."))
    if isinstance(value, torch.device):
        return autograd.device(str(value))
    if isinstance(value, torch.Generator):
        return autograd.Generator()
    if isinstance(value, dict):
        return {key: converted(item, torch) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        items = [converted(item, torch) for item in value]
        return items if type(value) is list else tuple(items)
    return value


def _tensor(value: Any, torch: Any) -> Any:
    if value.layout != torch.strided:
        raise TypeError("sparse")
    plain = value.detach().resolve_conj().resolve_neg()
    narrow = plain.dtype == torch.bfloat16  # which NumPy has not: its bits cross over as integers
    array = np.array((plain.view(torch.int16) if narrow else plain).numpy(force=True), order="C")
    if not plain.is_contiguous() and plain.numel() and all(step > 0 for step in plain.stride()):
        steps = [step * array.itemsize for step in plain.stride()]
        memory = np.zeros(1 + sum((n - 1) * s for n, s in zip(plain.shape, plain.stride(), strict=True)), array.dtype)
        strided = np.lib.stride_tricks.as_strided(memory, array.shape, steps)
        strided[...] = array
        array = strided
    own = autograd.from_numpy(array)
    return (own.view(autograd.bfloat16) if narrow else own).requires_grad_(value.requires_grad)


def numbers(tensor: Any) -> np.ndarray:
    """A tensor of either library as an array; of bfloat16 as float32."""
    plain = tensor.detach()
    return (plain.float() if str(plain.dtype) == "torch.bfloat16" else plain).numpy(force=True)


def tensors(value: Any, kind: type) -> Iterator[Any]:
    """All tensors in nested arguments or results."""
    if isinstance(value, kind):
        yield value
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from tensors(item, kind)
    elif isinstance(value, dict):
        yield from tensors(list(value.values()), kind)


def check_same(mine: Any, other: Any, torch: Any, what: str) -> None:
    """Structure, dtype, shape and values agree."""
    if isinstance(other, torch.Tensor):
        assert isinstance(mine, autograd.Tensor), f"{what}: {type(mine).__name__} instead of a tensor"
        assert str(mine.dtype) == str(other.dtype), f"{what}: {mine.dtype}, PyTorch's {other.dtype}"
        assert tuple(mine.shape) == tuple(other.shape), f"{what}: {tuple(mine.shape)}, PyTorch's {tuple(other.shape)}"
        rtol, atol = TOLERANCE.get(str(other.dtype).removeprefix("torch."), (0, 0))
        np.testing.assert_allclose(numbers(mine), numbers(other), rtol, atol, equal_nan=True, err_msg=what)
    elif isinstance(other, (list, tuple)):
        assert len(mine) == len(other), f"{what}: {len(mine)} results, PyTorch's {len(other)}"
        for i, (a, b) in enumerate(zip(mine, other, strict=True)):
            check_same(a, b, torch, f"{what}[{i}]")
    elif isinstance(other, float):
        assert math.isclose(mine, other, rel_tol=1e-5, abs_tol=1e-7) or (mine != mine and other != other), what
    elif isinstance(other, torch.dtype):
        assert str(mine) == str(other), what
    else:
        assert mine == other, f"{what}: {mine!r}, PyTorch's {other!r}"


class Sample:
    """One call in both libraries."""

    def __init__(self, sample: Any, torch: Any) -> None:
        self.torch, self.sample = torch, sample
        self.theirs = (sample.input, *sample.args), dict(sample.kwargs)
        self.ours = converted(self.theirs[0], torch), converted(self.theirs[1], torch)

    def describe(self) -> str:
        return f"{self.theirs[0]!r:.300} {self.theirs[1]!r:.200}"

    def check(self, op: Any, function: Any, values: bool) -> str | None:
        """Compares value, gradients and their gradients; None where PyTorch itself refuses the sample.

        Returns:
            How far it went: ``"value"``, ``"gradient"`` or ``"second gradient"``.
        """
        torch = self.torch
        try:
            torch.default_generator.manual_seed(SEED)  # `torch.manual_seed` writes down the stack for each accelerator
            expected = op(*self.theirs[0], **self.theirs[1])
        except Exception:
            return None
        autograd.manual_seed(SEED)
        result = function(*self.ours[0], **self.ours[1])
        if not values:
            return "value"
        process = self.sample.output_process_fn_grad
        if process is not None:  # what is defined of it: singular vectors but for their signs, say
            result, expected = process(result), process(expected)
        check_same(result, expected, torch, "value")
        return self._check_gradients(op, result, expected)

    def _check_gradients(self, op: Any, result: Any, expected: Any) -> str:
        torch = self.torch
        roots = [t for t in tensors(expected, torch.Tensor) if t.requires_grad]
        leaves = [t for t in tensors(self.theirs, torch.Tensor) if t.requires_grad]
        assert [t.requires_grad for t in tensors(result, autograd.Tensor)] == [
            t.requires_grad for t in tensors(expected, torch.Tensor)
        ], "which outputs want grad"
        own_roots = [t for t in tensors(result, autograd.Tensor) if t.requires_grad]
        own_leaves = [t for t in tensors(self.ours, autograd.Tensor) if t.requires_grad]
        assert len(own_roots) == sum(t.requires_grad for t in tensors(expected, torch.Tensor)), (
            "which outputs want grad"
        )
        if not roots or not leaves or len(roots) != len(own_roots):
            return "value"
        generator = torch.Generator().manual_seed(SEED)
        seeds = [_random_like(root, torch, generator) for root in roots]
        try:
            gradients = torch.autograd.grad(roots, leaves, seeds, create_graph=True, allow_unused=True)
        except Exception:
            return "value"
        own = autograd.grad(own_roots, own_leaves, converted(seeds, torch), create_graph=True, allow_unused=True)
        self._compare(own, gradients, "gradient")
        again = [(a, b) for a, b in zip(own, gradients, strict=True) if b is not None and b.requires_grad]
        if not again or not op.supports_gradgrad or any(b.dtype == torch.bfloat16 for _, b in again):
            return "gradient"  # of bfloat16 both are rounded too often on the way to agree
        seeds = [_random_like(b, torch, generator) for _, b in again]
        try:
            second = torch.autograd.grad([b for _, b in again], leaves, seeds, allow_unused=True)
        except Exception:
            return "gradient"
        pairs = [(a, converted(s, torch)) for (a, _), s in zip(again, seeds, strict=True) if a.requires_grad]
        own_second: Any = [None] * len(leaves)
        if pairs:
            own_second = autograd.grad([a for a, _ in pairs], own_leaves, [s for _, s in pairs], allow_unused=True)
        self._compare(own_second, second, "second gradient")
        return "second gradient"

    def _compare(self, own: Any, gradients: Any, what: str) -> None:
        for i, (a, b) in enumerate(zip(own, gradients, strict=True)):
            if a is None or b is None:
                present = a if b is None else b
                assert present is None or not np.any(numbers(present)), f"{what} {i}: none in one library"
            else:
                check_same(a, b, self.torch, f"{what} {i}")


def _random_like(tensor: Any, torch: Any, generator: Any) -> Any:
    return torch.randn(tensor.shape, dtype=tensor.dtype, generator=generator)


def samples(op: Any, dtype: Any, torch: Any, most: int) -> list[Any]:
    """PyTorch's sample inputs, at most so many, spread over its list."""
    differentiable = dtype in op.supported_backward_dtypes("cpu") and dtype != torch.float16
    # `op.sample_inputs` watches what is drawn by looking through the stack of calls: ten times as slow.
    found = _drawn(torch, op.sample_inputs_func, op, "cpu", dtype, differentiable and op.supports_autograd)
    step = max(1, len(found) / most)
    return [found[int(i * step)] for i in range(min(most, len(found)))]


def error_samples(op: Any, torch: Any) -> list[Any]:
    """PyTorch's inputs that must be refused."""
    return _drawn(torch, op.error_inputs_func, op, "cpu")


def _drawn(torch: Any, function: Any, *args: Any) -> list[Any]:
    for seeded in (random.seed, np.random.seed, torch.default_generator.manual_seed):
        seeded(SEED)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return list(function(*args))
