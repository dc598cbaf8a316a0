"""What all optimizers share: groups of parameters with their options, state of each parameter, saving and loading."""

from __future__ import annotations

import copy
import functools
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, groupby
from typing import Any

import numpy as np

import autograd
from autograd.dtypes import default_dtype
from autograd.graph import HookDict, RemovableHandle, enable_grad, no_grad
from autograd.graph import state as modes
from autograd.tensor import Tensor, TensorLeaf, count_write, wrap

__all__ = ["Optimizer", "register_optimizer_step_post_hook", "register_optimizer_step_pre_hook"]

Group = dict[str, Any]
Params = Iterable[Tensor] | Iterable[Group] | Iterable[tuple[str, Tensor]]

HOOKS = ("step_pre", "step_post", "state_dict_pre", "state_dict_post", "load_state_dict_pre", "load_state_dict_post")

# Options that state dicts of older programs may lack.
SWITCHES = {"foreach": None, "fused": None, "maximize": False, "capturable": False, "differentiable": False}
ADDED = {"amsgrad": False, "decoupled_weight_decay": False, "nesterov": False, "momentum": 0, "centered": False}

_all_pre_hooks, _all_post_hooks = HookDict(), HookDict()


class _Required:
    """The default of an option that every group must give."""

    def __repr__(self) -> str:
        return "<required parameter>"


required = _Required()


def register_optimizer_step_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Calls ``hook(optimizer, args, kwargs)`` before each step of every optimizer; a tuple replaces the arguments.

    >>> import autograd, nn, optim
    >>> w = nn.Parameter(autograd.ones(1))
    >>> handle = optim.optimizer.register_optimizer_step_pre_hook(lambda optimizer, args, kwargs: print("before"))
    >>> optim.SGD([w]).step()
    before
    >>> handle.remove()
    """
    return _all_pre_hooks.register(hook)


def register_optimizer_step_post_hook(hook: Callable[..., None]) -> RemovableHandle:
    """Calls ``hook(optimizer, args, kwargs)`` after each step of every optimizer.

    >>> import autograd, nn, optim
    >>> w = nn.Parameter(autograd.ones(1))
    >>> handle = optim.optimizer.register_optimizer_step_post_hook(lambda optimizer, args, kwargs: print("after"))
    >>> optim.SGD([w]).step()
    after
    >>> handle.remove()
    """
    return _all_post_hooks.register(hook)


def _with_hooks(step: Callable[..., Any]) -> Callable[..., Any]:
    """``step`` with the hooks around it, once also where one ``step`` calls another."""

    @functools.wraps(step)
    def hooked(self: Optimizer, *args: Any, **kwargs: Any) -> Any:
        before, after = self._hooks["step_pre"], self._hooks["step_post"]
        if self._stepping or not (before or after or _all_pre_hooks or _all_post_hooks):
            return step(self, *args, **kwargs)
        self._stepping = True
        try:
            for hook in [*_all_pre_hooks.values(), *before.values()]:
                changed = hook(self, args, kwargs)
                if changed is not None:
                    if not isinstance(changed, tuple) or len(changed) != 2:
                        raise RuntimeError(
                            f"a step pre-hook must return None or a tuple of (new_args, new_kwargs), but got {changed}."
                        )
                    args, kwargs = changed
            result = step(self, *args, **kwargs)
            for hook in [*after.values(), *_all_post_hooks.values()]:
                hook(self, args, kwargs)
            return result
        finally:
            self._stepping = False

    return hooked


class Optimizer:
    """Base class of optimizers. A subclass defines `update` and `new_state`, or `step` as a whole.

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

    >>> import autograd, nn, optim
    >>> class Signs(optim.Optimizer):
    ...     def __init__(self, params, lr=0.1):
    ...         super().__init__(params, {"lr": lr})
    ...
    ...     def new_state(self, param, group):
    ...         return {}
    ...
    ...     def update(self, params, gradients, group):
    ...         for param, gradient in zip(params, gradients):
    ...             param -= group["lr"] * gradient.sign()
    >>> w = nn.Parameter(autograd.tensor([1.0, -1.0]))
    >>> optimizer = Signs([w])
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.data
    tensor([ 0.9000, -0.9000])
    """

    _stepping = False
    _sparse_gradients = False  # whether `update` takes them
    _no_sparse_advice = ""
    _counts_in_int = False  # whether ``step`` is a plain number

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
        self._hooks = {name: HookDict() for name in HOOKS}

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
            if not (self.defaults.get("differentiable") or param.is_leaf or param.retains_grad):
                raise ValueError("can't optimize a non-leaf Tensor")
        for name, default in self.defaults.items():
            if default is required and name not in param_group:
                raise ValueError(f"parameter group didn't specify a value of required optimization parameter {name}")
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
        param_group.update({"params": params, **named, **_missing(self.defaults, param_group)})
        self.param_groups.append(param_group)

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
        recorded, modes.grad = modes.grad, bool(self.defaults.get("differentiable"))
        try:
            for group in self.param_groups:
                params, gradients = [], []
                for param in group["params"]:
                    node = param._node  # `param.grad` costs a call, and these steps take as long as a small update
                    gradient = node.grad if type(node) is TensorLeaf and param._view is None else param.grad
                    if gradient is not None:
                        params.append(param)
                        gradients.append(gradient)
                self._check_gradients(params, gradients, group)
                self.update(params, gradients, group)
        finally:
            modes.grad = recorded
        return loss

    def _check_gradients(self, params: list[Tensor], gradients: list[Any], group: Group) -> None:
        if not self._sparse_gradients and any(gradient.is_sparse for gradient in gradients):
            raise RuntimeError(f"{type(self).__name__} does not support sparse gradients{self._no_sparse_advice}")
        if group.get("fused"):
            for param in params:
                if not param.is_floating_point():
                    raise RuntimeError(
                        f"`fused=True` requires all the params to be floating point Tensors, but one is {param.dtype}"
                    )

    def update(self, params: list[Tensor], gradients: list[Any], group: Group) -> None:
        """Changes the parameters of a group in place; called by `step`, unrecorded but with ``differentiable``.

        Args:
            params: those of the group that have a gradient.
            gradients: theirs, which must not be changed.
            group: the options of the group.
        """
        raise NotImplementedError(f"{type(self).__name__} must define update() or step()")

    def new_state(self, param: Tensor, group: Group) -> dict[str, Any]:
        """What the algorithm remembers of a parameter before the first step."""
        return {}

    def _states(self, params: list[Tensor], group: Group) -> list[dict[str, Any]]:
        """The state of each parameter, made where there is none."""
        states = [self.state[param] for param in params]
        if not all(states):
            with no_grad():
                for param, state in zip(params, states, strict=True):
                    if not state:
                        state.update(self.new_state(param, group))
        return states

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drops the gradients of all parameters, or fills them with zeros with ``set_to_none=False``."""
        for group in self.param_groups:
            for param in group["params"]:
                if set_to_none:
                    node = param._node  # as in `step`
                    if type(node) is TensorLeaf and param._view is None:
                        node.grad = None
                    else:
                        param.grad = None
                    continue
                gradient = param.grad
                if gradient is None:
                    continue
                if gradient.requires_grad:
                    param.grad = gradient = gradient.detach()
                with no_grad():
                    gradient.zero_()

    def register_step_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Calls ``hook(optimizer, args, kwargs)`` before each step; a tuple it returns replaces the arguments."""
        return self._register("step_pre", hook)

    def register_step_post_hook(self, hook: Callable[..., None]) -> RemovableHandle:
        """Calls ``hook(optimizer, args, kwargs)`` after each step."""
        return self._register("step_post", hook)

    def register_state_dict_pre_hook(self, hook: Callable[..., None], prepend: bool = False) -> RemovableHandle:
        """Calls ``hook(optimizer)`` before `state_dict`; before the other hooks with ``prepend``."""
        return self._register("state_dict_pre", hook, prepend)

    def register_state_dict_post_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Calls ``hook(optimizer, state_dict)`` on what `state_dict` returns; a dict it returns takes its place."""
        return self._register("state_dict_post", hook, prepend)

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Calls ``hook(optimizer, state_dict)`` before `load_state_dict`; a dict it returns is loaded instead."""
        return self._register("load_state_dict_pre", hook, prepend)

    def register_load_state_dict_post_hook(self, hook: Callable[..., None], prepend: bool = False) -> RemovableHandle:
        """Calls ``hook(optimizer)`` after `load_state_dict`."""
        return self._register("load_state_dict_post", hook, prepend)

    def _register(self, event: str, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        hooks = self._hooks[event]
        others = list(hooks.items()) if prepend else []
        handle = hooks.register(hook)
        for key, other in others:  # behind the new one
            del hooks[key]
            hooks[key] = other
        return handle

    # --- Saving and loading ----------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """State and options in PyTorch's format, with a number in the place of each parameter.

        Returns:
            ``"state"``: for each parameter's number what the algorithm remembers; the tensors are not copied.
            ``"param_groups"``: the options of each group, and its parameters' numbers as ``"params"``.
        """
        for hook in list(self._hooks["state_dict_pre"].values()):
            hook(self)
        numbers: dict[Any, int] = {}
        for number, param in enumerate(chain.from_iterable(group["params"] for group in self.param_groups)):
            numbers.setdefault(param, number)
        state_dict = {
            "state": {numbers.get(param, param): remembered for param, remembered in self.state.items()},
            "param_groups": [
                {
                    **{name: option for name, option in group.items() if name != "params"},
                    "params": [numbers[param] for param in group["params"]],
                }
                for group in self.param_groups
            ],
        }
        for hook in list(self._hooks["state_dict_post"].values()):
            changed = hook(self, state_dict)
            state_dict = state_dict if changed is None else changed
        return state_dict

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes over the state and options of ``state_dict``, one of PyTorch's included. Tensors are copied.

        Tensors take the dtype of their parameter, except for the number of steps.

        Raises:
            ValueError: other numbers of groups or of parameters; nothing has changed.
        """
        state_dict = state_dict.copy()
        for hook in list(self._hooks["load_state_dict_pre"].values()):
            changed = hook(self, state_dict)
            state_dict = state_dict if changed is None else changed
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
            options = {name: _copied(option, None, None) for name, option in saved.items() if name != "params"}
            groups.append({**names, **options, "params": group["params"]})
        state: defaultdict[Any, Any] = defaultdict(dict)
        for key, remembered in state_dict["state"].items():
            param = params.get(key)
            state[key if param is None else param] = _copied(remembered, param, None)
        self.__setstate__({"state": state, "param_groups": groups})
        for hook in list(self._hooks["load_state_dict_post"].values()):
            hook(self)

    def __getstate__(self) -> dict[str, Any]:
        return {"defaults": self.defaults, "state": self.state, "param_groups": self.param_groups}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if "_hooks" not in self.__dict__:
            self._make_hooks()
        for group in self.param_groups:
            known = {name: value for name, value in {**SWITCHES, **ADDED}.items() if name in self.defaults}
            group.update(_missing(known, group))
            for param in group["params"]:
                step = self.state[param].get("step") if param in self.state else None
                if isinstance(step, (int, float)) and not self._counts_in_int:
                    self.state[param]["step"] = counter(step, group)

    def __repr__(self) -> str:
        text = f"{type(self).__name__} ("
        for number, group in enumerate(self.param_groups):
            options = "".join(f"    {name}: {group[name]}\n" for name in sorted(group) if name != "params")
            text += f"\nParameter Group {number}\n{options}"
        return text + ")"


def _copied(value: Any, param: Tensor | None, key: Any) -> Any:
    """``value`` with copies of its tensors, in the dtype of ``param``; arrays of other libraries become tensors."""
    if isinstance(value, dict):
        return {name: _copied(item, param, name) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_copied(item, param, None) for item in value)
    if isinstance(value, (Tensor, np.ndarray)) or (hasattr(value, "__array__") and not isinstance(value, np.generic)):
        tensor = value.detach() if isinstance(value, Tensor) else wrap(np.asarray(value))
        as_param = param is not None and key != "step" and param.is_floating_point()
        return tensor.to(param.dtype if param is not None and as_param else tensor.dtype, copy=True)
    return copy.deepcopy(value)


def _missing(defaults: Group, given: Group) -> Group:
    return {name: default for name, default in defaults.items() if name not in given}


def counter(value: float = 0.0, group: Group | None = None) -> Tensor:
    """A number of steps, as PyTorch keeps it: in float32, or float64 where that is the default."""
    wide = default_dtype.numpy == np.float64 and not (group is not None and group.get("fused"))
    return wrap(np.array(value, np.float64 if wide else np.float32))


def zeros_like(param: Tensor) -> Tensor:
    """Zeros of the parameter's shape, dtype and order in memory."""
    return full_like(param, 0)


def full_like(param: Tensor, value: complex) -> Tensor:
    """A tensor of the parameter's shape, dtype and order in memory, with the same value everywhere."""
    return autograd.full_like(param.detach(), value)


def columns(states: Sequence[dict[str, Any]], *names: str) -> list[list[Any]]:
    """For each name a list of what the states hold under it, None where they hold nothing."""
    return [[state.get(name) for state in states] for name in names]


def count_steps(steps: Sequence[Tensor]) -> list[float]:
    """One more step of each: how many that makes.

    Raises:
        RuntimeError: one is not a tensor.
    """
    require_counters(steps)
    return [overwrite(step, step._array.item() + 1) for step in steps]


def overwrite(scalar: Tensor, value: float) -> float:
    """Sets a tensor of one element, unrecorded; returns the value as its dtype rounds it."""
    array = scalar._array
    array.fill(value)
    count_write(scalar)
    return array.item()


def alike(keys: Sequence[Any], *columns: Sequence[Any] | None) -> Iterator[tuple[Any, list[Any]]]:
    """Each key with the part of the columns that belongs to it: from one change of the key to the next, in order.

    >>> list(alike([1, 1, 2], ["a", "b", "c"], None))
    [(1, [['a', 'b'], None]), (2, [['c'], None])]
    """
    if keys and keys.count(keys[0]) == len(keys):
        yield keys[0], list(columns)
        return
    for key, run in groupby(range(len(keys)), keys.__getitem__):
        places = [*run]
        yield key, [None if column is None else column[places[0] : places[-1] + 1] for column in columns]


def as_scalar(value: Any) -> Any:
    """A learning rate given as a tensor of one element becomes one without dimensions."""
    return value.squeeze() if isinstance(value, Tensor) and value.dim() else value


def refuse_scaled(grad_scale: Tensor | None, found_inf: Tensor | None) -> None:
    """Checks that gradients come unscaled: `GradScaler` divides them before the step.

    Raises:
        AssertionError: one of the arguments is given.
    """
    if grad_scale is not None or found_inf is not None:
        raise AssertionError("Expected grad_scale and found_inf to be None: unscale the gradients before the step")


def require_counters(*steps: Sequence[Any]) -> None:
    """Checks the numbers of steps given to a function.

    Raises:
        RuntimeError: one is not a tensor.
    """
    if not all(isinstance(step, Tensor) for step in chain(*steps)):
        raise RuntimeError("the argument `state_steps` must contain a list of singleton tensors")


def check_at_least(bound: float, text: str, value: Any) -> None:
    """Checks a number that has a lower bound.

    Raises:
        ValueError: it is smaller, or not a number.
    """
    if not value >= bound:
        raise ValueError(f"{text}: {value}")


def check_lr(lr: float | Tensor, text: str = "Invalid learning rate") -> None:
    """Checks a learning rate, which may be a tensor of one element.

    Raises:
        ValueError: a tensor of more elements or of none, or a negative number.
    """
    if isinstance(lr, Tensor) and lr.numel() != 1:
        raise ValueError("Tensor lr must be 1-element")
    check_at_least(0, text, lr)


def check_betas(betas: tuple[Any, Any]) -> None:
    """Checks the shares that moments keep.

    Raises:
        ValueError: one is outside [0, 1).
    """
    for number, beta in enumerate(betas[:2]):
        if not 0 <= beta < 1:
            raise ValueError(f"Invalid beta parameter at index {number}: {beta}")


def check_switches(foreach: bool | None, fused: bool | None, differentiable: bool) -> None:
    """Checks the switches that choose PyTorch's implementation; here there is one, whatever they say.

    Raises:
        RuntimeError: both of the first two, or ``fused`` and ``differentiable``.
    """
    if fused and differentiable:
        raise RuntimeError("`fused` does not support `differentiable`")
    if fused and foreach:
        raise RuntimeError("`fused` and `foreach` cannot be `True` together.")
