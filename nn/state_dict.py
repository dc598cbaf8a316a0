"""Saving a module's parameters and buffers under their names, and loading them again.

Loading checks every name and shape first and writes only when all of them fit: a failed load changes nothing.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from autograd.graph import no_grad
from autograd.tensor import Tensor, shape_of, wrap

from .parameter import Parameter, is_lazy

if TYPE_CHECKING:
    from .module import Module

__all__ = ["IncompatibleKeys", "consume_prefix_in_state_dict_if_present", "load", "load_own", "save", "save_own"]

Write = Callable[[], object]

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


def save_own(module: Module, destination: dict[str, Any], prefix: str, keep_vars: bool) -> None:
    """Writes the tensors of ``module`` itself, and what else it saves, into ``destination``."""
    for name, tensor in _persistent(module).items():
        destination[prefix + name] = tensor if keep_vars or is_lazy(tensor) else tensor.detach()
    if _has_extra_state(module):
        destination[prefix + EXTRA] = module.get_extra_state()


def save(module: Module, destination: OrderedDict[str, Any] | None, prefix: str, keep_vars: bool) -> Any:
    """Writes the tensors of ``module`` and its children into ``destination``, parents first, and returns it."""
    if destination is None:
        destination = OrderedDict()
        destination._metadata = OrderedDict()  # type: ignore[attr-defined]
    metadata = {"version": module._version}
    if hasattr(destination, "_metadata"):
        destination._metadata[prefix[:-1]] = metadata
    for hook in module._state_dict_pre_hooks.values():
        hook(module, prefix, keep_vars)
    module._save_to_state_dict(destination, prefix, keep_vars)
    for name, child in module._modules.items():
        if child is not None:
            child.state_dict(destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
    for hook in module._state_dict_hooks.values():
        replaced = hook(module, destination, prefix, metadata)
        destination = destination if replaced is None else replaced
    return destination


class Metadata(dict[str, Any]):
    """What was saved about a module, its version; and the writes that wait until everything was checked."""

    def __init__(self, saved: Mapping[str, Any], writes: list[Write]) -> None:
        super().__init__(saved)
        self.writes = writes


def load_own(
    module: Module,
    saved: dict[str, Any],
    prefix: str,
    metadata: dict[str, Any],
    strict: bool,
    missing: list[str],
    unexpected: list[str],
    errors: list[str],
) -> None:
    """Checks what ``saved`` has for ``module`` itself, and writes it, at once or where ``metadata`` says later."""
    for hook in module._load_state_dict_pre_hooks.values():
        hook(module, saved, prefix, metadata, strict, missing, unexpected, errors)
    writes: list[Write] = []
    own = _persistent(module)
    for name, tensor in own.items():
        key = prefix + name
        if key in saved:
            writes += _plan(module, name, tensor, key, saved[key], metadata.get("assign_to_params_buffers"), errors)
        elif strict:
            missing.append(key)
    extra = _has_extra_state(module)
    if extra and prefix + EXTRA in saved:
        writes.append(lambda: module.set_extra_state(saved[prefix + EXTRA]))
    elif extra and strict:
        missing.append(prefix + EXTRA)
    if strict:
        known = {name for name, child in module._modules.items() if child is not None}
        for key in saved:
            if key.startswith(prefix):
                name, dot, _ = key[len(prefix) :].partition(".")
                if name not in (known if dot else own) and not (extra and name == EXTRA):
                    unexpected.append(key)
    if isinstance(metadata, Metadata):
        metadata.writes += writes
    else:
        _carry_out(writes)


def _plan(
    module: Module, name: str, tensor: Any, key: str, value: Any, assign: bool | None, errors: list[str]
) -> list[Write]:
    """The writes that bring ``value`` to where ``tensor`` is; or none, and an error."""
    if not isinstance(value, Tensor):
        if not hasattr(value, "__array__"):
            errors.append(
                f'While copying the parameter named "{key}", expected a Tensor or an array from checkpoint but '
                f"received {type(value)}"
            )
            return []
        value = wrap(np.asarray(value))
    if is_lazy(tensor):
        return [] if is_lazy(value) else [lambda: tensor.materialize(value.shape), lambda: tensor.copy_(value)]
    if tensor.ndim == 0 and value.ndim == 1 and value.shape == (1,):
        value = wrap(value._array.reshape(()))
    if not tensor.is_same_size(value):
        errors.append(
            f"size mismatch for {key}: copying a param with shape {shape_of(value)} from checkpoint, the shape in "
            f"current model is {shape_of(tensor)}."
        )
        return []
    if not assign:
        return [lambda: tensor.copy_(value)]
    if not isinstance(tensor, Parameter):
        return [lambda: setattr(module, name, value)]
    if tensor.requires_grad and not (value.is_floating_point() or value.is_complex()):
        errors.append(f"cannot assign {key}: {value.dtype} in the checkpoint, but the model trains it.")
        return []
    return [lambda: setattr(module, name, _as_parameter(value, tensor.requires_grad))]


def _as_parameter(value: Tensor, requires_grad: bool) -> Parameter:
    if isinstance(value, Parameter):
        value.requires_grad_(requires_grad)
        return value
    return Parameter(value, requires_grad)


def _carry_out(writes: list[Write]) -> None:
    with no_grad():
        for write in writes:
            write()


def load(module: Module, state_dict: Mapping[str, Any], strict: bool, assign: bool) -> IncompatibleKeys:
    """Copies the tensors of ``state_dict`` into ``module``, or raises and leaves it as it was."""
    if not isinstance(state_dict, Mapping):
        raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
    saved_metadata = getattr(state_dict, "_metadata", {})
    keys = IncompatibleKeys([], [])
    errors: list[str] = []
    writes: list[Write] = []
    visited: list[Module] = []

    def visit(module: Module, saved: dict[str, Any], prefix: str) -> None:
        visited.append(module)
        metadata = Metadata(saved_metadata.get(prefix[:-1], {}), writes)
        if assign:
            metadata["assign_to_params_buffers"] = True
        module._load_from_state_dict(saved, prefix, metadata, True, keys.missing_keys, keys.unexpected_keys, errors)
        parts: dict[str, dict[str, Any]] = {name: {} for name, child in module._modules.items() if child is not None}
        for key, value in saved.items():
            name, dot, _ = key[len(prefix) :].partition(".")
            if dot and name in parts:
                parts[name][key] = value
        for name, part in parts.items():
            visit(module._modules[name], part, f"{prefix}{name}.")  # type: ignore[arg-type]

    visit(module, dict(state_dict), "")
    # Hooks may take names off the lists; where there is nothing to take off, they see the loaded values.
    hooks_first = bool(keys.missing_keys or keys.unexpected_keys)
    if hooks_first:
        _call_post_hooks(visited, keys)
    if strict and keys.unexpected_keys:
        errors.insert(0, f"Unexpected key(s) in state_dict: {_quoted(keys.unexpected_keys)}. ")
    if strict and keys.missing_keys:
        errors.insert(0, f"Missing key(s) in state_dict: {_quoted(keys.missing_keys)}. ")
    if errors:
        listed = "\n\t".join(errors)
        raise RuntimeError(f"Error(s) in loading state_dict for {type(module).__name__}:\n\t{listed}")
    _carry_out(writes)
    if not hooks_first:
        _call_post_hooks(visited, keys)
    return keys


def _call_post_hooks(visited: list[Module], keys: IncompatibleKeys) -> None:
    for module in reversed(visited):
        for hook in module._load_state_dict_post_hooks.values():
            if hook(module, keys) is not None:
                raise AssertionError(
                    "Hooks registered with ``register_load_state_dict_post_hook`` are not expected to return new "
                    "values, if incompatible_keys need to be modified, it should be done inplace."
                )


def consume_prefix_in_state_dict_if_present(state_dict: dict[str, Any], prefix: str) -> None:
    """Takes ``prefix`` off the names in ``state_dict``, in place: ``"module."`` after data-parallel training.

    >>> state = {"module.weight": 1, "bias": 2}
    >>> consume_prefix_in_state_dict_if_present(state, "module.")
    >>> state
    {'bias': 2, 'weight': 1}
    """
    for key in [key for key in state_dict if key.startswith(prefix)]:
        state_dict[key.removeprefix(prefix)] = state_dict.pop(key)
    metadata = getattr(state_dict, "_metadata", {})
    for key in list(metadata):
        if key and f"{key}.".startswith(prefix):
            metadata[key[len(prefix) :]] = metadata.pop(key)


def _quoted(names: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
