"""Saving a module's parameters and buffers under their names, and loading them again.

Loading checks every name and shape first and writes only when all of them fit: a failed load changes nothing.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from autograd.graph import no_grad
from autograd.tensor import Tensor, wrap

from .parameter import Parameter, is_lazy

if TYPE_CHECKING:
    from .module import Module

__all__ = ["IncompatibleKeys", "load", "save"]

EXTRA = "_extra_state"


class _Keys(NamedTuple):
    missing_keys: list[str]
    unexpected_keys: list[str]


class IncompatibleKeys(_Keys):
    """What ``load_state_dict`` returns: the names that were missing and those that nothing asked for."""

    __slots__ = ()

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"_IncompatibleKeys(missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys})"

    __str__ = __repr__


def _persistent(module: Module) -> dict[str, Tensor]:
    tensors: dict[str, Any] = dict(module._parameters)
    for name, buffer in module._buffers.items():
        if name not in module._non_persistent_buffers_set:
            tensors[name] = buffer
    return {name: tensor for name, tensor in tensors.items() if tensor is not None}


def _has_extra_state(module: Module) -> bool:
    from .module import Module

    return type(module).get_extra_state is not Module.get_extra_state


def save(module: Module, destination: OrderedDict[str, Any], prefix: str, keep_vars: bool) -> None:
    """Writes the tensors of ``module`` and its children into ``destination``, parents first."""
    for hook in module._state_dict_pre_hooks.values():
        hook(module, prefix, keep_vars)
    for name, tensor in _persistent(module).items():
        destination[prefix + name] = tensor if keep_vars or is_lazy(tensor) else tensor.detach()
    if _has_extra_state(module):
        destination[prefix + EXTRA] = module.get_extra_state()
    for name, child in module._modules.items():
        if child is not None:
            child.state_dict(destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
    for hook in module._state_dict_hooks.values():
        hook(module, destination, prefix, {})


class _Loading:
    """One call of ``load_state_dict``: what was found, and what is to be written if all is well."""

    def __init__(self, strict: bool, assign: bool) -> None:
        self.strict = strict
        self.assign = assign
        self.missing: list[str] = []
        self.unexpected: list[str] = []
        self.errors: list[str] = []
        self.writes: list[Callable[[], object]] = []
        self.visited: list[Module] = []

    def visit(self, module: Module, saved: dict[str, Any], prefix: str) -> None:
        self.visited.append(module)
        for hook in module._load_state_dict_pre_hooks.values():
            hook(module, saved, prefix, {}, self.strict, self.missing, self.unexpected, self.errors)
        own = _persistent(module)
        for name, tensor in own.items():
            key = prefix + name
            if key in saved:
                self.plan(module, name, tensor, key, saved[key])
            else:
                self.missing.append(key)
        extra = _has_extra_state(module)
        if extra and prefix + EXTRA in saved:
            extra_state = saved[prefix + EXTRA]
            self.writes.append(lambda: module.set_extra_state(extra_state))
        elif extra:
            self.missing.append(prefix + EXTRA)

        of_child: dict[str, dict[str, Any]] = {name: {} for name, child in module._modules.items() if child is not None}
        for key, value in saved.items():
            name, dot, _ = key[len(prefix) :].partition(".")
            if dot and name in of_child:
                of_child[name][key] = value
            elif (dot or name not in own) and not (extra and name == EXTRA):
                self.unexpected.append(key)
        for name, part in of_child.items():
            child = module._modules[name]
            if child is not None:
                self.visit(child, part, f"{prefix}{name}.")

    def plan(self, module: Module, name: str, tensor: Tensor, key: str, value: Any) -> None:
        if not isinstance(value, Tensor):
            if not hasattr(value, "__array__"):
                self.errors.append(
                    f'While copying the parameter named "{key}", expected a Tensor or an array from checkpoint but '
                    f"received {type(value)}"
                )
                return
            value = wrap(np.asarray(value))
        if is_lazy(tensor):
            if not is_lazy(value):
                self.writes += [lambda: tensor.materialize(value.shape), lambda: tensor.copy_(value)]
            return
        if tensor.shape == () and value.shape == (1,):
            value = wrap(value._array.reshape(()))
        if value.shape != tensor.shape:
            self.errors.append(
                f"size mismatch for {key}: copying a param with shape {value.shape} from checkpoint, the shape in "
                f"current model is {tensor.shape}."
            )
            return
        if not self.assign:
            self.writes.append(lambda: tensor.copy_(value))
            return
        if isinstance(tensor, Parameter):
            if value.is_floating_point() or not tensor.requires_grad:
                self.writes.append(lambda: setattr(module, name, _as_parameter(value, tensor.requires_grad)))
            else:
                self.errors.append(f"cannot assign {key}: {value.dtype} in the checkpoint, but the model trains it.")
            return
        self.writes.append(lambda: setattr(module, name, value))


def _as_parameter(value: Tensor, requires_grad: bool) -> Parameter:
    if isinstance(value, Parameter):
        value.requires_grad_(requires_grad)
        return value
    return Parameter(value, requires_grad)


def load(module: Module, state_dict: Mapping[str, Any], strict: bool, assign: bool) -> IncompatibleKeys:
    """Copies the tensors of ``state_dict`` into ``module``, or raises and leaves it as it was."""
    if not isinstance(state_dict, Mapping):
        raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
    loading = _Loading(strict, assign)
    loading.visit(module, dict(state_dict), "")
    keys = IncompatibleKeys(loading.missing, loading.unexpected)
    # Hooks may take names off the lists; where there is nothing to take off, they see the loaded values.
    hooks_first = bool(keys.missing_keys or keys.unexpected_keys)
    if hooks_first:
        _call_post_hooks(loading.visited, keys)
    errors = loading.errors
    if strict and keys.unexpected_keys:
        errors.insert(0, f"Unexpected key(s) in state_dict: {_quoted(keys.unexpected_keys)}. ")
    if strict and keys.missing_keys:
        errors.insert(0, f"Missing key(s) in state_dict: {_quoted(keys.missing_keys)}. ")
    if errors:
        listed = "\n\t".join(errors)
        raise RuntimeError(f"Error(s) in loading state_dict for {type(module).__name__}:\n\t{listed}")
    with no_grad():
        for write in loading.writes:
            write()
    if not hooks_first:
        _call_post_hooks(loading.visited, keys)
    return keys


def _call_post_hooks(visited: list[Module], keys: IncompatibleKeys) -> None:
    for module in reversed(visited):
        for hook in module._load_state_dict_post_hooks.values():
            hook(module, keys)


def _quoted(names: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
