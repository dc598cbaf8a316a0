"""Module: a tree of layers that knows its parameters.

Assigning a `Parameter`, a tensor buffer or another module as an attribute registers it. From these three registries
follows everything else: the parameters an optimizer trains, the names they are saved under, the printed tree.
"""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, TypeVar

from autograd import dtypes
from autograd.devices import require_cpu
from autograd.graph import HookDict, RemovableHandle, no_grad
from autograd.rows.public import TORCH
from autograd.tensor import Tensor

from .hooks import (
    ForwardHook,
    PartialHook,
    call_with_hooks,
    check_kind,
    has_hooks,
    register,
    registered,
)
from .parameter import Buffer, Parameter
from .shared_memory import share
from .state_dict import IncompatibleKeys, load, load_own, save, save_own

__all__ = ["Module"]

Self = TypeVar("Self", bound="Module")

REGISTRIES = ("_parameters", "_buffers", "_modules")
HOOKS = (
    "_forward_pre_hooks",
    "_forward_hooks",
    "_backward_pre_hooks",
    "_backward_hooks",
    "_state_dict_pre_hooks",
    "_state_dict_hooks",
    "_load_state_dict_pre_hooks",
    "_load_state_dict_post_hooks",
)


class Module:
    """Base class of layers and models.

    A subclass calls ``super().__init__()``, assigns its parameters and layers as attributes, and defines ``forward``.

    Attributes:
        training: True in training mode, False after `eval`; read by layers such as dropout.

    >>> import autograd, nn
    >>> class Scale(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.factor = nn.Parameter(autograd.tensor(2.0))
    ...
    ...     def forward(self, x):
    ...         return self.factor * x
    >>> [name for name, _ in Scale().named_parameters()]
    ['factor']
    """

    _version: int = 1  # of what is saved; subclasses raise it when they change that
    call_super_init: bool = False  # whether __init__ goes on to that of the next base class, with its arguments
    dump_patches: bool = False

    training: bool
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, Module | None]
    _non_persistent_buffers_set: set[str]
    _forward_pre_hooks: HookDict
    _forward_hooks: HookDict
    _backward_pre_hooks: HookDict
    _backward_hooks: HookDict
    _state_dict_pre_hooks: HookDict
    _state_dict_hooks: HookDict
    _load_state_dict_pre_hooks: HookDict
    _load_state_dict_post_hooks: HookDict

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if (args or kwargs) and not self.call_super_init:
            what = f"argument {next(iter(kwargs))!r}" if kwargs else f"{len(args)} positional arguments"
            raise TypeError(
                f"{type(self).__name__}.__init__() got an unexpected {what}: Module.__init__() takes none, unless "
                "call_super_init is set"
            )
        own = self.__dict__
        own["training"] = True
        for registry in REGISTRIES:
            own[registry] = {}
        own["_non_persistent_buffers_set"] = set()
        for hooks in HOOKS:
            own[hooks] = HookDict()
        if self.call_super_init:
            super().__init__(*args, **kwargs)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Takes what was pickled or copied; registries of hooks that it lacks start empty."""
        self.__dict__.update(state)
        self.__dict__.setdefault("_non_persistent_buffers_set", set())
        for hooks in HOOKS:
            self.__dict__.setdefault(hooks, HookDict())

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the module computes; every subclass defines it. Call the module itself, so that hooks run."""
        raise NotImplementedError(f'Module [{type(self).__name__}] is missing the required "forward" function')

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            is_plain = not has_hooks(self)
        except KeyError:
            raise AttributeError(self._without_init("_forward_hooks")) from None
        return self.forward(*args, **kwargs) if is_plain else call_with_hooks(self, args, kwargs)

    _call_impl = __call__

    def compile(self, **options: Any) -> None:
        """Checks the options of `autograd.compile`: the module runs compiled operators already, and stays as it is."""
        import autograd

        autograd.compile(self, **options)

    # --- Registration ----------------------------------------------------------------------------------------------

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Adds a parameter; None keeps the name, for a parameter that is switched off.

        Raises:
            TypeError: not a `Parameter`.
            KeyError: the name is empty, has a dot, or belongs to another attribute.
            ValueError: an operator made it, so it is no leaf.
        """
        self._check_new("parameter", name, "_parameters")
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(
                f"cannot assign '{_typename(param)}' object to parameter '{name}' (nn.Parameter or None required)"
            )
        if param is not None and param.grad_fn is not None:
            raise ValueError(
                f"Cannot assign non-leaf Tensor to parameter '{name}'. Model parameters must be created explicitly. "
                f"To express '{name}' as a function of another Tensor, compute the value in the forward() method."
            )
        self._parameters[name] = param if param is None else registered("_parameters", self, name, param)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Adds a tensor that belongs to the module's state but is not trained.

        Args:
            name: the attribute's name.
            tensor: its value; None keeps the name.
            persistent: whether it is part of ``state_dict``.

        Raises:
            TypeError: not a Tensor.
            KeyError: the name is empty, has a dot, or belongs to another attribute.
        """
        self._check_new("buffer", name, "_buffers")
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(f"cannot assign '{_typename(tensor)}' object to buffer '{name}' (Tensor or None required)")
        self._buffers[name] = registered("_buffers", self, name, tensor)
        if persistent:
            self._non_persistent_buffers_set.discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def add_module(self, name: str, module: Module | None) -> None:
        """Adds a child module.

        Raises:
            TypeError: not a Module.
            KeyError: the name is empty, has a dot, or belongs to another attribute.
        """
        if module is not None and not isinstance(module, Module):
            raise TypeError(f"{_typename(module)} is not a Module subclass")
        self._check_new("module", name, "_modules")
        self._modules[name] = registered("_modules", self, name, module)

    def register_module(self, name: str, module: Module | None) -> None:
        """Alias of `add_module`."""
        self.add_module(name, module)

    def _check_new(self, kind: str, name: Any, registry: str) -> None:
        if registry not in self.__dict__:
            raise AttributeError(f"cannot assign {kind} before Module.__init__() call")
        if not isinstance(name, str):
            raise TypeError(f"{kind} name should be a string. Got {_typename(name)}")
        if "." in name:
            raise KeyError(f'{kind} name can\'t contain ".", got: {name}')
        if not name:
            raise KeyError(f'{kind} name can\'t be empty string ""')
        if name not in self.__dict__[registry] and hasattr(self, name):
            raise KeyError(f"attribute '{name}' already exists")

    def __setattr__(self, name: str, value: Any) -> None:
        own = self.__dict__
        if isinstance(value, Parameter):
            self._require_init("parameters")
            self._forget(name, keep="_parameters")
            self.register_parameter(name, value)
        elif name in own.get("_parameters", ()):
            if value is not None:
                raise TypeError(
                    f"cannot assign '{_typename(value)}' as parameter '{name}' (nn.Parameter or None expected)"
                )
            self._parameters[name] = None
        elif isinstance(value, Module):
            self._require_init("module")
            self._forget(name, keep="_modules")
            self._modules[name] = registered("_modules", self, name, value)
        elif name in own.get("_modules", ()):
            if value is not None:
                raise TypeError(
                    f"cannot assign '{_typename(value)}' as child module '{name}' (nn.Module or None expected)"
                )
            self._modules[name] = registered("_modules", self, name, None)
        elif isinstance(value, Buffer):
            self._require_init("buffer")
            self._forget(name, keep="_buffers")
            self.register_buffer(name, value, value.persistent)
        elif name in own.get("_buffers", ()):
            if value is not None and not isinstance(value, Tensor):
                raise TypeError(
                    f"cannot assign '{_typename(value)}' as buffer '{name}' (nn.Buffer, Tensor or None expected)"
                )
            self._buffers[name] = registered("_buffers", self, name, value)
        else:
            if isinstance(value, (list, tuple, dict)):
                _warn_of_unregistered(type(self).__name__, name, value)
            object.__setattr__(self, name, value)

    def __getattr__(self, name: str) -> Any:
        own = self.__dict__
        if "_modules" in own:
            if name in own["_parameters"]:
                return own["_parameters"][name]
            if name in own["_modules"]:
                return own["_modules"][name]
            if name in own["_buffers"]:
                return own["_buffers"][name]
            raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")
        raise AttributeError(self._without_init(name))

    def _without_init(self, name: str) -> str:
        kind = type(self).__name__
        return f"'{kind}' object has no attribute '{name}': call super().__init__() in {kind}.__init__() first"

    def __delattr__(self, name: str) -> None:
        for registry in REGISTRIES:
            if name in self.__dict__.get(registry, ()):
                del self.__dict__[registry][name]
                self._non_persistent_buffers_set.discard(name)
                return
        object.__delattr__(self, name)

    def _require_init(self, kind: str) -> None:
        if "_modules" not in self.__dict__:
            raise AttributeError(f"cannot assign {kind} before Module.__init__() call")

    def _forget(self, name: str, keep: str) -> None:
        own = self.__dict__
        own.pop(name, None)
        for registry in REGISTRIES:
            if registry != keep:
                own[registry].pop(name, None)
        if keep != "_buffers":
            own["_non_persistent_buffers_set"].discard(name)

    # --- Looking up ------------------------------------------------------------------------------------------------

    def get_submodule(self, target: str) -> Module:
        """The module at a dotted path such as ``"encoder.0"``; ``""`` is this module.

        Raises:
            AttributeError: the path leads nowhere, or to something else.
        """
        module = self
        for name in target.split(".") if target else ():
            if not hasattr(module, name):
                raise AttributeError(f"{type(module).__name__} has no attribute `{name}`")
            module = getattr(module, name)
            if not isinstance(module, Module):
                raise AttributeError(f"`{name}` is not an nn.Module")
        return module

    def set_submodule(self, target: str, module: Module, strict: bool = False) -> None:
        """Puts ``module`` at a dotted path such as ``"encoder.0"``, in place of what is there.

        Args:
            target: the path; all but its last part must exist.
            module: the new module.
            strict: whether the last part must exist, too.

        Raises:
            ValueError: no path, or no module.
            AttributeError: the path leads nowhere, or to something else.
        """
        if not target:
            raise ValueError("Cannot set the submodule without a target name!")
        if not isinstance(module, Module):
            raise ValueError(f"`module` is not an nn.Module, found {type(module)}")
        path, _, name = target.rpartition(".")
        parent = self.get_submodule(path)
        if strict or hasattr(parent, name):
            parent.get_submodule(name)
        setattr(parent, name, module)

    def get_parameter(self, target: str) -> Parameter:
        """The parameter at a dotted path such as ``"encoder.0.weight"``.

        Raises:
            AttributeError: the path leads nowhere, or to something else.
        """
        owner, name = self._owner(target)
        parameter = getattr(owner, name)
        if not isinstance(parameter, Parameter):
            raise AttributeError(f"`{name}` is not an nn.Parameter")
        return parameter

    def get_buffer(self, target: str) -> Tensor:
        """The buffer at a dotted path such as ``"norm.running_mean"``.

        Raises:
            AttributeError: the path leads nowhere, or to something else.
        """
        owner, name = self._owner(target)
        if name not in owner._buffers:
            raise AttributeError(f"`{name}` is not a buffer")
        return getattr(owner, name)

    def _owner(self, target: str) -> tuple[Module, str]:
        path, _, name = target.rpartition(".")
        owner = self.get_submodule(path)
        if not hasattr(owner, name):
            raise AttributeError(f"{type(owner).__name__} has no attribute `{name}`")
        return owner, name

    # --- Walking the tree ------------------------------------------------------------------------------------------

    def modules(self, remove_duplicate: bool = True) -> Iterator[Module]:
        """This module and all below it, parents first, each once (``remove_duplicate``) or as often as it is used."""
        for _, module in self.named_modules(remove_duplicate=remove_duplicate):
            yield module

    def named_modules(
        self, memo: set[Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """`modules` with their dotted paths.

        Args:
            memo: modules to leave out; those that are yielded are added.
            prefix: goes before every path.
            remove_duplicate: yield a module that is used in several places only once.
        """
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, child in self._modules.items():
            if child is not None:
                path = f"{prefix}.{name}" if prefix else name
                yield from child.named_modules(memo, path, remove_duplicate)

    def children(self) -> Iterator[Module]:
        """The modules directly below this one, each once."""
        for _, child in self.named_children():
            yield child

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """`children` with their names."""
        seen: set[Module] = set()
        for name, child in self._modules.items():
            if child is not None and child not in seen:
                seen.add(child)
                yield name, child

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """The parameters of this module and, with ``recurse``, of all below it, each once."""
        for _, parameter in self.named_parameters(recurse=recurse):
            yield parameter

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """`parameters` with their dotted paths, ``prefix`` before each."""
        return self._named_members("_parameters", prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """The buffers of this module and, with ``recurse``, of all below it, each once."""
        for _, buffer in self.named_buffers(recurse=recurse):
            yield buffer

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """`buffers` with their dotted paths, ``prefix`` before each."""
        return self._named_members("_buffers", prefix, recurse, remove_duplicate)

    def _named_members(
        self, registry: str, prefix: str, recurse: bool, remove_duplicate: bool
    ) -> Iterator[tuple[str, Any]]:
        seen: set[Tensor] = set()
        owners: Iterable[tuple[str, Module]] = [(prefix, self)]
        if recurse:
            owners = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate)
        for path, module in owners:
            for name, member in module.__dict__[registry].items():
                if member is None or member in seen:
                    continue
                if remove_duplicate:
                    seen.add(member)
                yield (f"{path}.{name}" if path else name), member

    def apply(self: Self, fn: Callable[[Module], None]) -> Self:
        """Calls ``fn`` with every module below this one, children first, and then with this one."""
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    # --- Modes -----------------------------------------------------------------------------------------------------

    def train(self: Self, mode: bool = True) -> Self:
        """Sets training mode, or evaluation mode with ``mode=False``, here and below.

        Raises:
            ValueError: ``mode`` is not a bool.
        """
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        self.training = mode
        for child in self.children():
            child.train(mode)
        return self

    def eval(self: Self) -> Self:
        """Sets evaluation mode here and below."""
        return self.train(False)

    def requires_grad_(self: Self, requires_grad: bool = True) -> Self:
        """Starts or stops recording on all parameters: ``requires_grad_(False)`` freezes the module."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drops the gradients of all parameters, or fills them with zeros with ``set_to_none=False``."""
        for parameter in self.parameters():
            clear_grad(parameter, set_to_none)

    # --- Conversion ------------------------------------------------------------------------------------------------

    def _apply(self: Self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Replaces the values of parameters, their gradients and buffers by ``fn`` of them; the objects stay."""
        if recurse:
            for child in self.children():
                child._apply(fn)
        with no_grad():
            for parameter in self._parameters.values():
                if parameter is not None:
                    gradient = parameter.grad
                    parameter.data = fn(parameter)
                    if gradient is not None:
                        parameter.grad = fn(gradient.detach())
            for name, buffer in self._buffers.items():
                if buffer is not None:
                    self._buffers[name] = fn(buffer)
        return self

    def to(self: Self, *args: Any, **kwargs: Any) -> Self:
        """Converts floating-point parameters and buffers in place: ``to(dtype)``, ``to("cpu")``, ``to(tensor)``.

        Args:
            device: ``"cpu"``, the only one there is.
            dtype: a floating-point dtype.
            non_blocking: accepted; there is nothing to wait for.
            tensor: a tensor whose dtype is taken.

        Raises:
            TypeError: the dtype is not floating-point.
            RuntimeError: another device.
        """
        dtype = _target_dtype(*args, **kwargs)
        if dtype is None:
            return self
        if not (dtype.is_floating_point or dtype.is_complex):
            raise TypeError(f"nn.Module.to only accepts floating point dtypes, but got desired dtype={dtype}")
        return self._apply(lambda t: t.to(dtype) if t.is_floating_point() else t)

    def type(self: Self, dst_type: Any) -> Self:
        """Converts all parameters and buffers to ``dst_type``, a dtype or an old tensor type, in place."""
        return self._apply(lambda t: t.type(dst_type))

    def float(self: Self) -> Self:
        """Converts floating-point parameters and buffers to float32 in place."""
        return self.to(dtypes.float32)

    def double(self: Self) -> Self:
        """Converts floating-point parameters and buffers to float64 in place."""
        return self.to(dtypes.float64)

    def half(self: Self) -> Self:
        """Converts floating-point parameters and buffers to float16 in place."""
        return self.to(dtypes.float16)

    def bfloat16(self: Self) -> Self:
        """Converts floating-point parameters and buffers to bfloat16 in place."""
        return self.to(dtypes.bfloat16)

    def to_empty(self: Self, *, device: Any, recurse: bool = True) -> Self:
        """Replaces parameters and buffers by memory that is not initialized.

        Args:
            device: ``"cpu"``.
            recurse: also in the modules below this one.
        """
        return self._apply(lambda tensor: TORCH["empty_like"](tensor, device=device), recurse)

    def cpu(self: Self) -> Self:
        """Does nothing: everything is on the CPU."""
        return self

    def cuda(self: Self, device: int | dtypes.device | None = None) -> Self:
        """Raises AssertionError: there is no GPU here."""
        return self._to_accelerator("cuda", device)

    def xpu(self: Self, device: int | dtypes.device | None = None) -> Self:
        """Raises AssertionError: there is only the CPU."""
        return self._to_accelerator("xpu", device)

    def ipu(self: Self, device: int | dtypes.device | None = None) -> Self:
        """Raises an error: there is only the CPU."""
        return self._to_accelerator("ipu", device)

    def mtia(self: Self, device: int | dtypes.device | None = None) -> Self:
        """Raises an error: there is only the CPU."""
        return self._to_accelerator("mtia", device)

    def _to_accelerator(self: Self, kind: str, device: Any) -> Self:
        return self.to(kind if device is None or isinstance(device, int) else device)

    def share_memory(self: Self) -> Self:
        """Moves parameters and buffers to memory that processes forked afterwards share with this one."""
        return self._apply(share)

    # --- State -----------------------------------------------------------------------------------------------------

    def state_dict(
        self,
        *args: Any,
        destination: OrderedDict[str, Any] | None = None,
        prefix: str = "",
        keep_vars: bool = False,
    ) -> OrderedDict[str, Any]:
        """All parameters and persistent buffers by their dotted path. The tensors share the module's memory.

        Args:
            destination: where to put them; a new dict by default.
            prefix: goes before every name.
            keep_vars: give the parameters themselves, instead of detached tensors.

        >>> import nn
        >>> list(nn.Sequential(nn.Linear(2, 3)).state_dict())
        ['0.weight', '0.bias']
        """
        if args:
            warnings.warn(
                "state_dict(): positional arguments are deprecated, use destination=, prefix= and keep_vars=.",
                FutureWarning,
                stacklevel=2,
            )
            named = {"destination": destination, "prefix": prefix, "keep_vars": keep_vars}
            return self.state_dict(**{**named, **dict(zip(named, args, strict=False))})
        return save(self, destination, prefix, keep_vars)

    def _save_to_state_dict(self, destination: dict[str, Any], prefix: str, keep_vars: bool) -> None:
        """Saves this module alone, without its children; subclasses that save in another way override it."""
        save_own(self, destination, prefix, keep_vars)

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> IncompatibleKeys:
        """Copies tensors from ``state_dict`` into the parameters and buffers of the same names.

        Everything is checked first: when it raises, nothing has changed.

        Args:
            state_dict: names to tensors, or to anything with ``__array__``.
            strict: raise where names are missing or unexpected.
            assign: take the tensors themselves instead of copying, with their dtype.

        Returns:
            A named tuple of ``missing_keys`` and ``unexpected_keys``.

        Raises:
            RuntimeError: lists every missing, unexpected and mis-shaped name.
        """
        return load(self, state_dict, strict, assign)

    def _load_from_state_dict(
        self,
        state_dict: dict[str, Any],
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        """Loads this module alone, without its children; subclasses that changed what they save override it.

        Args:
            state_dict: this module's part and its children's, which may be changed.
            prefix: of this module's names.
            local_metadata: what was saved with it: ``"version"``.
            strict: whether to look for missing and unexpected names.
            missing_keys: receives names.
            unexpected_keys: receives names.
            error_msgs: receives what else is wrong.
        """
        load_own(self, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)

    def get_extra_state(self) -> Any:
        """What to save besides tensors; a subclass that defines it defines `set_extra_state`, too."""
        raise RuntimeError(f"{type(self).__name__} saves no extra state: define get_extra_state() first")

    def set_extra_state(self, state: Any) -> None:
        """Takes back what `get_extra_state` gave."""
        raise RuntimeError(f"{type(self).__name__} has no set_extra_state(), but the state_dict holds extra state")

    # --- Hooks -----------------------------------------------------------------------------------------------------

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Calls ``hook(module, args)`` before ``forward``; what it returns replaces the arguments.

        Args:
            hook: with ``with_kwargs``, called as ``hook(module, args, kwargs)`` and returns both.
            prepend: before the hooks that are there.
            with_kwargs: pass keyword arguments, too.
        """
        return register(self._forward_pre_hooks, ForwardHook(hook, with_kwargs), prepend)

    def register_forward_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False, always_call: bool = False
    ) -> RemovableHandle:
        """Calls ``hook(module, args, output)`` after ``forward``; what it returns replaces the output.

        Args:
            hook: with ``with_kwargs``, called as ``hook(module, args, kwargs, output)``.
            prepend: before the hooks that are there.
            with_kwargs: pass keyword arguments, too.
            always_call: also when ``forward`` raised, with output None.
        """
        return register(self._forward_hooks, ForwardHook(hook, with_kwargs, always_call), prepend)

    def register_full_backward_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Calls ``hook(module, grad_input, grad_output)`` when the gradients of the inputs are known.

        Both are tuples in the order of the call's positional arguments and outputs, with None where there is no
        gradient. What the hook returns replaces ``grad_input``.
        """
        check_kind(self._backward_hooks, full=True)
        return register(self._backward_hooks, hook, prepend)

    def register_backward_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """`register_full_backward_hook` of the old kind: sees the gradients of the last operator alone."""
        check_kind(self._backward_hooks, full=False)
        return register(self._backward_hooks, PartialHook(hook))

    def register_full_backward_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Calls ``hook(module, grad_output)`` before gradients enter; what it returns replaces ``grad_output``."""
        return register(self._backward_pre_hooks, hook, prepend)

    def register_state_dict_pre_hook(self, hook: Callable[..., None]) -> RemovableHandle:
        """Calls ``hook(module, prefix, keep_vars)`` before the state is collected."""
        return register(self._state_dict_pre_hooks, hook)

    def register_state_dict_post_hook(self, hook: Callable[..., None]) -> RemovableHandle:
        """Calls ``hook(module, state_dict, prefix, local_metadata)``, which may change the dict in place."""
        return register(self._state_dict_hooks, partial(_in_place, hook))

    def _register_state_dict_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """`register_state_dict_post_hook` of the old kind: what it returns replaces the dict."""
        return register(self._state_dict_hooks, hook)

    def register_load_state_dict_pre_hook(self, hook: Callable[..., None]) -> RemovableHandle:
        """Calls the hook before this module's part of a state dict is looked at.

        Its arguments are ``(module, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys,
        error_msgs)``; it may rename entries of ``state_dict`` in place.
        """
        return register(self._load_state_dict_pre_hooks, hook)

    def _register_load_state_dict_pre_hook(
        self, hook: Callable[..., None], with_module: bool = False
    ) -> RemovableHandle:
        """`register_load_state_dict_pre_hook` of the old kind: called without the module."""
        return register(self._load_state_dict_pre_hooks, hook if with_module else partial(_without_module, hook))

    def register_load_state_dict_post_hook(self, hook: Callable[..., None]) -> RemovableHandle:
        """Calls ``hook(module, incompatible_keys)`` after loading; it may take names off the lists in place.

        When names are missing or unexpected, it is called before anything is written.
        """
        return register(self._load_state_dict_post_hooks, hook)

    # --- Printing --------------------------------------------------------------------------------------------------

    def _get_name(self) -> str:
        return type(self).__name__

    def extra_repr(self) -> str:
        """The arguments shown in the printed form; layers define it."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr()
        lines = [f"({name}): {indented(repr(child))}" for name, child in self._modules.items()]
        return tree(self._get_name(), extra, lines)

    def __dir__(self) -> list[str]:
        names = set(dir(type(self))) | set(self.__dict__)
        for registry in REGISTRIES:
            names.update(self.__dict__.get(registry, ()))
        return sorted(name for name in names if not name[0].isdigit())


def tree(name: str, extra: str, lines: list[str]) -> str:
    """``Name(extra)`` on one line, or with its children's ``lines`` indented below."""
    extra_lines = extra.split("\n") if extra else []
    if len(extra_lines) == 1 and not lines:
        return f"{name}({extra})"
    body = "".join(f"\n  {line}" for line in extra_lines + lines)
    return f"{name}({body}\n)" if body else f"{name}()"


def indented(text: str) -> str:
    """``text`` with every line but the first moved right by two."""
    return text.replace("\n", "\n  ")


def _in_place(hook: Callable[..., Any], *args: Any) -> None:
    if hook(*args) is not None:
        raise RuntimeError("state_dict post-hook must return None")


def _without_module(hook: Callable[..., Any], module: Module, *args: Any) -> Any:
    return hook(*args)


def clear_grad(parameter: Tensor, set_to_none: bool) -> None:
    """Drops the gradient of ``parameter``, or fills it with zeros and takes it out of the graph."""
    if set_to_none or parameter.grad is None:
        parameter.grad = None
        return
    if parameter.grad.requires_grad:
        parameter.grad = parameter.grad.detach()
    with no_grad():
        parameter.grad.zero_()


def _typename(value: Any) -> str:
    kind = type(value)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _warn_of_unregistered(owner: str, name: str, value: Any) -> None:
    """Warns when a plain container hides modules or parameters from the registries."""
    found = _first_member(value)
    if found is None:
        return
    kind, remedy = ("modules", "nn.ModuleList") if isinstance(found, Module) else ("parameters", "nn.ParameterList")
    if isinstance(value, dict):
        remedy = remedy.replace("List", "Dict")
    warnings.warn(
        f"{owner}.{name} is a plain {type(value).__name__} of {kind}, which registers nothing: they will not be "
        f"trained, saved or converted. Use {remedy} instead.",
        UserWarning,
        stacklevel=3,
    )


def _first_member(value: Any) -> Module | Parameter | None:
    for item in value.values() if isinstance(value, dict) else value:
        if isinstance(item, (Module, Parameter)):
            return item
        if isinstance(item, (list, tuple, dict)) and (found := _first_member(item)) is not None:
            return found
    return None


def _target_dtype(*args: Any, **kwargs: Any) -> dtypes.dtype | None:
    """The dtype that the arguments of ``to`` ask for, None for "as it is"; checks the device."""
    dtype = kwargs.pop("dtype", None)
    device = kwargs.pop("device", None)
    kwargs.pop("non_blocking", None)
    kwargs.pop("memory_format", None)
    if "tensor" in kwargs:
        dtype = kwargs.pop("tensor").dtype
    if kwargs:
        raise TypeError(f"to() got an unexpected keyword argument '{next(iter(kwargs))}'")
    for value in args:
        if isinstance(value, Tensor):
            dtype = value.dtype
        elif isinstance(value, dtypes.dtype):
            dtype = value
        elif isinstance(value, (str, dtypes.device)):
            device = value
        elif value is not None and not isinstance(value, bool):
            raise TypeError(f"to() expects a dtype, a device or a tensor, but got {_typename(value)}")
    if device is not None:
        require_cpu(device, "to")
    return dtype
