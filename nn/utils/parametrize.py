"""Parameters that are functions of others: ``module.weight`` is computed each time it is asked for.

The parameter itself, or the several that it is computed from, is kept in ``module.parametrizations.weight``.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from autograd.graph import no_grad
from autograd.tensor import Tensor

from ..container import ModuleDict, ModuleList
from ..module import Module
from ..parameter import Parameter

__all__ = [
    "ParametrizationList",
    "cached",
    "is_parametrized",
    "register_parametrization",
    "remove_parametrizations",
    "transfer_parametrizations_and_params",
    "type_before_parametrizations",
]

_open_caches = 0
_cache: dict[tuple[int, str], Tensor] = {}


@contextmanager
def cached() -> Iterator[None]:
    """Within a ``with`` block each parametrized tensor is computed once, at its first use.

    >>> import nn
    >>> layer = nn.utils.parametrizations.weight_norm(nn.Linear(2, 2))
    >>> with nn.utils.parametrize.cached():
    ...     layer.weight is layer.weight
    True
    """
    global _open_caches
    _open_caches += 1
    try:
        yield
    finally:
        _open_caches -= 1
        if not _open_caches:
            _cache.clear()


def _register(module: Module, name: str, tensor: Tensor) -> None:
    if isinstance(tensor, Parameter):
        module.register_parameter(name, tensor)
    else:
        module.register_buffer(name, tensor)


def _check_result(what: str, result: Any, expected: dict[str, Any]) -> None:
    """Raises ValueError unless ``result`` is a tensor of the expected dtype and shape."""
    if not isinstance(result, Tensor):
        raise ValueError(f"{what} must return a tensor. Got {type(result).__name__}.")
    for fact, wanted in expected.items():
        if getattr(result, fact) != wanted:
            raise ValueError(
                f"{what} may not change the {fact} of the tensor, unless the `unsafe` flag is enabled: from {wanted} "
                f"to {getattr(result, fact)}"
            )


class ParametrizationList(ModuleList):
    """The functions that make one tensor, the first of them applied first, and what they are applied to.

    Args:
        modules: the functions; those with a ``right_inverse`` find the original from a value of the tensor.
        original: the tensor before it was parametrized.
        unsafe: let dtype and shape change.

    Attributes:
        original: what the first function takes; ``original0``, ``original1``, ... where it takes several.
        is_tensor: whether it takes one.
        ntensors: how many it takes.

    Raises:
        ValueError: no functions, or one that gives something else than it may.
    """

    def __init__(self, modules: Sequence[Module], original: Tensor, unsafe: bool = False) -> None:
        if not modules:
            raise ValueError("ParametrizationList requires one or more modules.")
        super().__init__(modules)
        self.unsafe = unsafe
        facts = {"dtype": original.dtype, "shape": original.shape}
        value: Any = original
        with no_grad():
            for module in reversed(list(self)):
                if hasattr(module, "right_inverse"):
                    try:
                        value = module.right_inverse(value)
                    except NotImplementedError:
                        continue
        self.is_tensor = isinstance(value, Tensor)
        if self.is_tensor:
            if value.dtype != original.dtype:
                raise ValueError(
                    "When `right_inverse` outputs one tensor, it may not change the dtype: original.dtype is "
                    f"{original.dtype}, but right_inverse(original).dtype {value.dtype}"
                )
            self.ntensors = 1
            original.data = value
            _register(self, "original", original)
        else:
            self._register_several(value, original)
        if not unsafe:
            _check_result("A parametrization", self(), facts)

    def _register_several(self, values: Any, original: Tensor) -> None:
        if not isinstance(values, Sequence):
            raise ValueError(
                "'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...). Got "
                f"{type(values).__name__}"
            )
        self.ntensors = len(values)
        for number, value in enumerate(values):
            if not isinstance(value, Tensor):
                raise ValueError(
                    "'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...). Got element "
                    f"{number} of the sequence with type {type(value).__name__}."
                )
            if isinstance(original, Parameter):
                value = Parameter(value, original.requires_grad)
            _register(self, f"original{number}", value.requires_grad_(original.requires_grad))

    def originals(self) -> list[Tensor]:
        """What the first function takes."""
        names = ["original"] if self.is_tensor else [f"original{number}" for number in range(self.ntensors)]
        return [getattr(self, name) for name in names]

    def right_inverse(self, value: Any) -> None:
        """Sets the original so that the tensor becomes ``value``, as well as the functions can.

        Raises:
            RuntimeError: a function has no ``right_inverse``.
            ValueError: one gives something else than the original is.
        """
        with no_grad():
            for module in reversed(list(self)):
                if not hasattr(module, "right_inverse"):
                    raise RuntimeError(f"parametrization {type(module).__name__} does not implement right_inverse.")
                value = module.right_inverse(value)
            values = [value] if self.is_tensor else value
            if not isinstance(values, Sequence):
                raise ValueError(f"'right_inverse' must return a sequence of tensors. Got {type(value).__name__}.")
            originals = self.originals()
            if len(values) != len(originals):
                raise ValueError(
                    f"'right_inverse' must return a sequence of tensors of length {len(originals)}. Got a sequence of "
                    f"length {len(values)}."
                )
            for original, new in zip(originals, values, strict=True):
                if not isinstance(new, Tensor):
                    raise ValueError(f"`right_inverse` should return a tensor. Got {type(new).__name__}")
                if new.dtype != original.dtype:
                    raise ValueError(
                        f"The tensor returned by `right_inverse` has dtype {new.dtype} while `original` has dtype "
                        f"{original.dtype}"
                    )
                original.data = new

    def forward(self) -> Tensor:
        first, *others = self
        value = first(*self.originals())
        for module in others:
            value = module(value)
        return value


def _deepcopy(self: Any, memo: dict[int, Any]) -> Any:
    if id(self) not in memo:
        memo[id(self)] = replica = object.__new__(type(self))
        replica.__dict__.update(copy.deepcopy(self.__dict__, memo))
    return memo[id(self)]


def _refuse_to_be_pickled(self: Any) -> Any:
    raise RuntimeError(
        "Serialization of parametrized modules is only supported through state_dict(): save that, and load it into a "
        "module that is parametrized in the same way."
    )


def _inject_class(module: Module) -> None:
    """Gives ``module`` a class of its own, which can have properties."""
    own = type(module)
    members: dict[str, Any] = {"__getstate__": _refuse_to_be_pickled}
    if not hasattr(own, "__deepcopy__"):
        members["__deepcopy__"] = _deepcopy
    module.__class__ = type(f"Parametrized{own.__name__}", (own,), members)


def _inject_property(module: Module, name: str) -> None:
    def get(self: Any) -> Tensor:
        parametrization = self.parametrizations[name]
        if not _open_caches:
            return parametrization()
        key = (id(self), name)
        if key not in _cache:
            _cache[key] = parametrization()
        return _cache[key]

    def set(self: Any, value: Tensor) -> None:
        self.parametrizations[name].right_inverse(value)

    setattr(type(module), name, property(get, set))


def register_parametrization(
    module: Module, tensor_name: str, parametrization: Module, *, unsafe: bool = False
) -> Module:
    """Makes a parameter or buffer of ``module`` a function of what it was.

    Assigning to it goes through the ``right_inverse`` of the function, where there is one.

    Args:
        module: that owns the tensor; its class becomes a subclass of what it was.
        tensor_name: of the parameter or buffer.
        parametrization: the function; a second one is applied to the result of the first.
        unsafe: let dtype and shape change, and do not check.

    Returns:
        ``module``.

    Raises:
        ValueError: there is no such tensor, or the function changes dtype or shape.

    >>> import autograd, nn
    >>> class Symmetric(nn.Module):
    ...     def forward(self, x):
    ...         return x.triu() + x.triu(1).mT
    >>> layer = nn.utils.parametrize.register_parametrization(nn.Linear(3, 3), "weight", Symmetric())
    >>> bool((layer.weight == layer.weight.T).all())
    True
    """
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        if not unsafe:
            value = getattr(module, tensor_name)
            facts = {"dtype": value.dtype, "shape": value.shape}
            result = parametrization(value)
            _check_result("A parametrization", result, facts)
            if hasattr(parametrization, "right_inverse"):
                with suppress(NotImplementedError):
                    _check_result("parametrization.right_inverse", parametrization.right_inverse(result), facts)
        listed: Any = module.parametrizations[tensor_name]
        listed.append(parametrization)
        listed.unsafe |= unsafe
    elif tensor_name in module._buffers or tensor_name in module._parameters:
        # Made before the tensor is taken away: where the function is refused, the module stays as it was.
        listed = ParametrizationList([parametrization], getattr(module, tensor_name), unsafe=unsafe)
        delattr(module, tensor_name)
        if not is_parametrized(module):
            _inject_class(module)
            module.parametrizations = ModuleDict()
        _inject_property(module, tensor_name)
        module.parametrizations[tensor_name] = listed
    else:
        raise ValueError(
            f"Module '{module}' does not have a parameter, a buffer, or a parametrized element with name "
            f"'{tensor_name}'"
        )
    return module


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Whether the tensor of that name, or any at all, is parametrized.

    >>> import autograd, nn
    >>> layer = nn.utils.parametrizations.weight_norm(nn.Linear(2, 2))
    >>> nn.utils.parametrize.is_parametrized(layer), nn.utils.parametrize.is_parametrized(layer, "bias")
    (True, False)
    """
    parametrizations = getattr(module, "parametrizations", None)
    if not isinstance(parametrizations, ModuleDict):
        return False
    return len(parametrizations) > 0 if tensor_name is None else tensor_name in parametrizations


def remove_parametrizations(module: Module, tensor_name: str, leave_parametrized: bool = True) -> Module:
    """Makes the tensor a plain parameter or buffer again.

    Args:
        module: that owns it.
        tensor_name: its name.
        leave_parametrized: whether it keeps its present value; else it becomes the original.

    Returns:
        ``module``, with its own class where nothing is parametrized any more.

    Raises:
        ValueError: it is not parametrized; or the original, several tensors, cannot be left.

    >>> import autograd, nn
    >>> layer = nn.utils.parametrizations.weight_norm(nn.Linear(2, 2))
    >>> list(nn.utils.parametrize.remove_parametrizations(layer, "weight").state_dict())
    ['bias', 'weight']
    """
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"Module {module} does not have a parametrization on {tensor_name}")
    listed: Any = module.parametrizations[tensor_name]
    if listed.is_tensor:
        original = listed.original
        if leave_parametrized:
            with no_grad():
                original.data = getattr(module, tensor_name)
    elif leave_parametrized:
        value = getattr(module, tensor_name)
        original = Parameter(value) if value.requires_grad else value
    else:
        raise ValueError(
            "Cannot leave unparametrized (`leave_parametrized=False`) a tensor that is parametrized in terms of a "
            "sequence of tensors."
        )
    delattr(type(module), tensor_name)
    del module.parametrizations[tensor_name]
    _register(module, tensor_name, original)
    if not is_parametrized(module):
        del module.parametrizations
        module.__class__ = type(module).__bases__[0]
    return module


def type_before_parametrizations(module: Module) -> type:
    """The class that ``module`` had before it was parametrized.

    >>> import autograd, nn
    >>> layer = nn.utils.parametrizations.weight_norm(nn.Linear(2, 2))
    >>> nn.utils.parametrize.type_before_parametrizations(layer).__name__
    'Linear'
    """
    return type(module).__bases__[0] if is_parametrized(module) else type(module)


def transfer_parametrizations_and_params(
    from_module: Module, to_module: Module, tensor_name: str | None = None
) -> Module:
    """Parametrizes ``to_module`` as ``from_module`` is, with the same functions and originals.

    Args:
        from_module: left as it is.
        to_module: gets the parameters that it lacks.
        tensor_name: this tensor alone.

    Returns:
        ``to_module``.
    """
    if not is_parametrized(from_module):
        return to_module
    for name in from_module.parametrizations if tensor_name is None else [tensor_name]:
        if not hasattr(to_module, name):
            setattr(to_module, name, Parameter(getattr(from_module, name)))
        source: Any = from_module.parametrizations[name]
        for parametrization in source:
            register_parametrization(to_module, name, parametrization)
        for original, tensor in source._parameters.items() | source._buffers.items():
            setattr(to_module.parametrizations[name], original, tensor)
    return to_module
