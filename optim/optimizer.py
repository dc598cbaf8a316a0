"""What all optimizers share: groups of parameters with their options, state of each parameter, saving and loading."""

from __future__ import annotations

import copy
import functools
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from autograd.graph import HookDict, RemovableHandle, enable_grad, no_grad
from autograd.tensor import Tensor, wrap

__all__ = ["Optimizer"]

Group = dict[str, Any]
Params = Iterable[Tensor] | Iterable[Group] | Iterable[tuple[str, Tensor]]


def _with_hooks(step: Callable[..., Any]) -> Callable[..., Any]:
    """``step`` with the optimizer's hooks around it, once also where one ``step`` calls another."""

    @functools.wraps(step)
    def hooked(self: Optimizer, *args: Any, **kwargs: Any) -> Any:
        if self._stepping or not (self._step_pre_hooks or self._step_post_hooks):
            return step(self, *args, **kwargs)
        self._stepping = True
        try:
            for hook in list(self._step_pre_hooks.values()):
                changed = hook(self, args, kwargs)
                if changed is not None:
                    if not isinstance(changed, tuple) or len(changed) != 2:
                        raise RuntimeError(
                            f"a step pre-hook must return None or a tuple of (new_args, new_kwargs), but got {changed}."
                        )
                    args, kwargs = changed
            result = step(self, *args, **kwargs)
            for hook in list(self._step_post_hooks.values()):
                hook(self, args, kwargs)
            return result
        finally:
            self._stepping = False

    return hooked


class Optimizer:
    """Base class of optimizers. A subclass defines `update`, or `step` as a whole.

    Args:
        params: tensors, or pairs of name and tensor such as ``named_parameters()``, or dicts: each a group with
            ``"params"`` and options of its own.
        defaults: options of groups that do not give them.

    Attributes:
        param_groups: the groups, as dicts of ``"params"`` and options.
        state: for each parameter a dict of what the algorithm remembers.

    Raises:
        TypeError: ``params`` is a single tensor, or holds something else than tensors.
        ValueError: no parameters, a tensor that is no leaf, or one that is in two groups.
    """

    _stepping = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "step" in cls.__dict__:
            cls.step = _with_hooks(cls.__dict__["step"])  # type: ignore[method-assign]

    def __init__(self, params: Params, defaults: dict[str, Any]) -> None:
        if isinstance(params, Tensor):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors or dicts, but got "
                f"{type(params).__name__}; put it into a list"
            )
        self.defaults = defaults
        self.state: defaultdict[Any, Any] = defaultdict(dict)
        self.param_groups: list[Group] = []
        self._make_hooks()
        groups: list[Any] = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    def _make_hooks(self) -> None:
        self._step_pre_hooks = HookDict()
        self._step_post_hooks = HookDict()

    def add_param_group(self, param_group: Group) -> None:
        """Adds a group of parameters, such as layers that are unfrozen later.

        Args:
            param_group: ``"params"``, and options that differ from the defaults.

        Raises:
            TypeError: no dict, a set of parameters, or something that is no tensor.
            ValueError: a tensor that is no leaf or is in another group, or names for some parameters only.
        """
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        if "params" not in param_group:
            raise KeyError("a parameter group needs an entry 'params'")
        given = param_group["params"]
        if isinstance(given, set):
            raise TypeError(
                "optimizer parameters need to be organized in ordered collections, but the ordering of tensors in "
                "sets will change between runs. Please use a list instead."
            )
        listed = [given] if isinstance(given, Tensor) else list(given)
        names = [item[0] for item in listed if isinstance(item, tuple)]
        if names and len(names) != len(listed):
            raise ValueError("all optimizer params should be with/without names. Some param names are missing")
        params = [item[1] if isinstance(item, tuple) else item for item in listed]
        for param in params:
            if not isinstance(param, Tensor):
                raise TypeError(f"optimizer can only optimize Tensors, but one of the params is {type(param).__name__}")
            if not (param.is_leaf or param.retains_grad):
                raise ValueError("can't optimize a non-leaf Tensor")
        if len(params) != len(set(params)):
            warnings.warn(
                "optimizer contains a parameter group with duplicate parameters; each is updated more than once",
                stacklevel=3,
            )
        for group in self.param_groups:
            if ("param_names" in group) != bool(names):
                raise ValueError(
                    "all optimizer param groups should be with/without names. cannot add param group "
                    f"{'with' if names else 'without'} names to the optimizer"
                )
            if not set(params).isdisjoint(group["params"]):
                raise ValueError("some parameters appear in more than one parameter group")
        named = {"param_names": names} if names else {}
        self.param_groups.append({**self.defaults, **param_group, "params": params, **named})

    # --- Stepping --------------------------------------------------------------------------------------------------

    @_with_hooks
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Updates every parameter that has a gradient.

        Args:
            closure: computes the loss and its gradients anew; called first, with recording on.

        Returns:
            What ``closure`` returned, None without one.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        with no_grad():
            for group in self.param_groups:
                for param in group["params"]:
                    gradient = param.grad
                    if gradient is not None:
                        self.update(param, gradient, group)
        return loss

    def update(self, param: Tensor, gradient: Tensor, group: Group) -> None:
        """Changes one parameter in place; called by `step`, unrecorded.

        Args:
            param: the parameter.
            gradient: its gradient, which must not be changed.
            group: the options of its group.
        """
        raise NotImplementedError(f"{type(self).__name__} must define update() or step()")

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drops the gradients of all parameters, or fills them with zeros with ``set_to_none=False``."""
        for group in self.param_groups:
            for param in group["params"]:
                gradient = param.grad
                if gradient is None:
                    continue
                if set_to_none:
                    param.grad = None
                    continue
                if gradient.requires_grad:
                    param.grad = gradient = gradient.detach()
                with no_grad():
                    gradient.zero_()

    def register_step_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Calls ``hook(optimizer, args, kwargs)`` before each step; a tuple it returns replaces the arguments."""
        return self._step_pre_hooks.register(hook)

    def register_step_post_hook(self, hook: Callable[..., None]) -> RemovableHandle:
        """Calls ``hook(optimizer, args, kwargs)`` after each step."""
        return self._step_post_hooks.register(hook)

    # --- Saving and loading ----------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """State and options in PyTorch's format, with a number in the place of each parameter.

        Returns:
            ``"state"``: for each parameter's number what the algorithm remembers; the tensors are not copied.
            ``"param_groups"``: the options of each group, and its parameters' numbers as ``"params"``.
        """
        numbers: dict[Tensor, int] = {}
        for group in self.param_groups:
            for param in group["params"]:
                numbers.setdefault(param, len(numbers))
        return {
            "state": {numbers.get(param, param): remembered for param, remembered in self.state.items()},
            "param_groups": [
                {
                    **{name: option for name, option in group.items() if name != "params"},
                    "params": [numbers[param] for param in group["params"]],
                }
                for group in self.param_groups
            ],
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes over the state and options of ``state_dict``, one of PyTorch's included. Tensors are copied.

        Tensors take the dtype of their parameter, except for the number of steps.

        Raises:
            ValueError: other numbers of groups or of parameters; nothing has changed.
        """
        saved_groups = state_dict["param_groups"]
        if len(saved_groups) != len(self.param_groups):
            raise ValueError(
                "loaded state dict has a different number of parameter groups: "
                f"{len(saved_groups)} instead of {len(self.param_groups)}"
            )
        params: dict[Any, Tensor] = {}
        groups: list[Group] = []
        for number, (saved, group) in enumerate(zip(saved_groups, self.param_groups, strict=True)):
            if len(saved["params"]) != len(group["params"]):
                raise ValueError(
                    "loaded state dict contains a parameter group that doesn't match the size of optimizer's group: "
                    f"{len(saved['params'])} instead of {len(group['params'])} parameters in group {number}"
                )
            params.update(zip(saved["params"], group["params"], strict=True))
            names = {"param_names": group["param_names"]} if "param_names" in group else {}
            options = {name: copy.deepcopy(option) for name, option in saved.items() if name != "params"}
            groups.append({**names, **options, "params": group["params"]})
        state: defaultdict[Any, Any] = defaultdict(dict)
        for key, remembered in state_dict["state"].items():
            param = params.get(key)
            state[key if param is None else param] = _copied(remembered, param, None)
        self.__setstate__({"state": state, "param_groups": groups})

    def __getstate__(self) -> dict[str, Any]:
        return {"defaults": self.defaults, "state": self.state, "param_groups": self.param_groups}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if "_step_pre_hooks" not in self.__dict__:
            self._make_hooks()

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for number, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {number}")
            lines += [f"    {name}: {group[name]}" for name in sorted(group) if name != "params"]
        return "\n".join(lines) + "\n)"


def _copied(value: Any, param: Tensor | None, key: Any) -> Any:
    """``value`` with copies of its tensors, in the dtype of ``param``; arrays of other libraries become tensors."""
    if isinstance(value, dict):
        return {name: _copied(item, param, name) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_copied(item, param, None) for item in value)
    if isinstance(value, (Tensor, np.ndarray)) or (hasattr(value, "__array__") and not isinstance(value, np.generic)):
        array = value._array if isinstance(value, Tensor) else np.asarray(value)
        as_param = param is not None and key != "step" and param.is_floating_point()
        return wrap(np.array(array, param._array.dtype if param is not None and as_param else array.dtype))
    return copy.deepcopy(value)


def scalar(name: str, value: float | Tensor) -> float:
    """A number that may be given as a tensor of one element.

    Raises:
        ValueError: a tensor of more elements, or of none.
    """
    if isinstance(value, Tensor) and value.numel() != 1:
        raise ValueError(f"Tensor {name} must be 1-element, but has shape {tuple(value.shape)}")
    return float(value)


def check_switches(foreach: bool | None, fused: bool | None, differentiable: bool) -> None:
    """Checks the switches that choose PyTorch's implementation; here there is one, whatever they say.

    Raises:
        RuntimeError: both of the first two, or ``differentiable``.
    """
    if fused and foreach:
        raise RuntimeError("`fused` and `foreach` cannot be `True` together.")
    if differentiable:
        raise RuntimeError(
            "differentiable=True is not available: step() is not recorded. To differentiate through an update, "
            "compute the new values with operators, such as w - lr * g"
        )
