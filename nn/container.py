"""Modules made of modules: in a row, in a list, in a dict."""

from __future__ import annotations

import operator
import warnings
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from autograd.ops.nn.rectified import LARGE, linear_relu
from autograd.tensor import Tensor

from .activation import ReLU
from .hooks import has_hooks
from .linear import Linear
from .module import Module, indented, tree

__all__ = ["Container", "ModuleDict", "ModuleList", "Sequential"]


def _position(index: Any, length: int) -> int:
    """``index`` as a non-negative position; IndexError when out of range."""
    position = operator.index(index)
    if not -length <= position < length:
        raise IndexError(f"index {position} is out of range")
    return position % length


class _Numbered(Module):
    """What `Sequential` and `ModuleList` share: children named "0", "1", … that can be used like a list."""

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._modules.values())

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if not name.isdigit()]

    def _name_at(self, index: Any) -> str:
        return list(self._modules)[_position(index, len(self))]

    def __setitem__(self, index: int, module: Module) -> None:
        setattr(self, self._name_at(index), module)

    def __delitem__(self, index: int | slice) -> None:
        names = list(self._modules)
        for name in names[index] if isinstance(index, slice) else [self._name_at(index)]:
            delattr(self, name)
        self._renumber(list(self._modules.values()))

    def _renumber(self, modules: list[Module | None]) -> None:
        self._modules.clear()
        for number, module in enumerate(modules):
            self.add_module(str(number), module)

    def _check_modules(self, action: str, modules: Any) -> list[Module]:
        """The given modules as a list, so that a wrong one is found before any is added."""
        if not isinstance(modules, Iterable) or isinstance(modules, Mapping):
            raise TypeError(
                f"{type(self).__name__}.{action} should be called with an iterable, but got {type(modules).__name__}"
            )
        checked = list(modules)
        for module in checked:
            if not isinstance(module, Module):
                raise TypeError(f"{type(module).__name__} is not a Module subclass")
        return checked

    def append(self, module: Module) -> Any:
        """Adds a module at the end; returns self."""
        self.add_module(str(len(self)), module)
        return self

    def insert(self, index: int, module: Module) -> Any:
        """Adds a module before position ``index``.

        Raises:
            TypeError: not a Module.
            IndexError: a position beyond the ends.
        """
        if not isinstance(module, Module):
            raise TypeError(f"{type(module).__name__} is not a Module subclass")
        length = len(self)
        if not -length <= index <= length:
            raise IndexError(f"index {index} is out of range for {type(self).__name__} of length {length}")
        modules = list(self._modules.values())
        modules.insert(index if index >= 0 else index + length, module)
        self._renumber(modules)
        return self

    def extend(self, modules: Iterable[Module]) -> Any:
        """Adds several modules at the end; returns self."""
        for module in self._check_modules("extend", modules):
            self.append(module)
        return self

    def __iadd__(self, other: Iterable[Module]) -> Any:
        return self.extend(other)

    def pop(self, index: int | slice = -1) -> Any:
        """Removes and returns the module at a position, the last by default."""
        module = self[index]  # type: ignore[index]
        del self[index]
        return module


class Container(Module):
    """A module made of modules, given by their names; what `Module` was called before version 0.2.

    Args:
        kwargs: names and modules.
    """

    def __init__(self, **kwargs: Module) -> None:
        super().__init__()
        warnings.warn("nn.Container is deprecated: all of its functionality is in nn.Module.", stacklevel=2)
        for name, module in kwargs.items():
            self.add_module(name, module)


class Sequential(_Numbered):
    """Modules in a row: each takes the output of the one before it.

    Args:
        args: modules, or one ``OrderedDict`` of names to modules.

    >>> import nn
    >>> nn.Sequential(nn.Linear(4, 2), nn.ReLU())
    Sequential(
      (0): Linear(in_features=4, out_features=2, bias=True)
      (1): ReLU()
    )
    """

    def __init__(self, *args: Module | OrderedDict[str, Module]) -> None:
        super().__init__()
        if len(args) == 1 and isinstance(args[0], OrderedDict):
            for name, module in args[0].items():
                self.add_module(name, module)
        else:
            for number, layer in enumerate(args):
                self.add_module(str(number), layer)  # type: ignore[arg-type]

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return type(self)(OrderedDict([*self._modules.items()][index]))  # type: ignore[arg-type]
        return self._modules[self._name_at(index)]

    def __add__(self, other: Sequential) -> Sequential:
        if not isinstance(other, Sequential):
            raise ValueError(
                f"add operator supports only objects of Sequential class, but {type(other).__name__} is given."
            )
        return Sequential(*self, *other)

    def __mul__(self, times: int) -> Sequential:
        if not isinstance(times, int):
            raise TypeError(f"unsupported operand type(s) for *: Sequential and {type(times).__name__}")
        if times <= 0:
            raise ValueError(f"Non-positive multiplication factor {times} for {type(self).__name__}")
        return Sequential(*(list(self) * times))

    __rmul__ = __mul__

    def __imul__(self, times: int) -> Sequential:
        once = list(self)
        self * times  # refuses a wrong number of times
        for _ in range(times - 1):
            self.extend(once)
        return self

    def forward(self, input: Any) -> Any:
        waiting: Any = None  # a large linear layer: a ReLU behind it may be computed in its last pass
        for module in self._modules.values():
            if waiting is not None:
                if type(module) is ReLU and not module.inplace and _is_plain(module) and _is_plain(waiting):
                    input, waiting = linear_relu(input, waiting.weight, waiting.bias), None
                    continue
                input, waiting = waiting(input), None
            if type(module) is Linear and type(input) is Tensor and input._array.size * module.out_features >= LARGE:
                waiting = module
            else:
                input = module(input)  # type: ignore[misc]
        return input if waiting is None else waiting(input)


def _is_plain(module: Module) -> bool:
    """Whether a call of the module is what its class says, and nobody looks."""
    return not has_hooks(module) and "forward" not in module.__dict__


class ModuleList(_Numbered):
    """A list of modules that are registered, unlike those in a plain list. It has no ``forward``.

    Args:
        modules: the first modules.

    >>> import nn
    >>> nn.ModuleList(nn.Linear(2, 2) for _ in range(3))
    ModuleList(
      (0-2): 3 x Linear(in_features=2, out_features=2, bias=True)
    )
    """

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.extend(modules)

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return type(self)([*self][index])
        return self._modules[self._name_at(index)]

    def __add__(self, other: Iterable[Module]) -> ModuleList:
        return ModuleList([*self, *other])

    def insert(self, index: int, module: Module) -> None:
        """Adds a module before position ``index``, as ``list.insert``."""
        if not isinstance(module, Module):
            raise TypeError(f"{type(module).__name__} is not a Module subclass")
        modules = list(self._modules.values())
        modules.insert(index, module)
        self._renumber(modules)

    def __repr__(self) -> str:
        runs: list[list[Any]] = []  # [first position, last position, printed form]
        for position, module in enumerate(self):
            printed = repr(module)
            if runs and runs[-1][2] == printed:
                runs[-1][1] = position
            else:
                runs.append([position, position, printed])
        lines = [
            f"({first}): {indented(printed)}"
            if first == last
            else f"({first}-{last}): {last - first + 1} x {indented(printed)}"
            for first, last, printed in runs
        ]
        return tree(self._get_name(), "", lines)


class ModuleDict(Module):
    """A dict of modules that are registered, unlike those in a plain dict. It has no ``forward``.

    Args:
        modules: a mapping of names to modules, or pairs.

    >>> import nn
    >>> nn.ModuleDict({"conv": nn.Conv2d(1, 2, 3)})["conv"].out_channels
    2
    """

    def __init__(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.update(modules)

    def __getitem__(self, key: str) -> Any:
        return self._modules[key]

    def __setitem__(self, key: str, module: Module) -> None:
        self.add_module(key, module)

    def __delitem__(self, key: str) -> None:
        del self._modules[key]

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __contains__(self, key: object) -> bool:
        return key in self._modules

    def clear(self) -> None:
        """Removes all modules."""
        self._modules.clear()

    def pop(self, key: str) -> Any:
        """Removes and returns a module."""
        return self._modules.pop(key)

    def keys(self) -> Any:
        """The names."""
        return self._modules.keys()

    def items(self) -> Any:
        """Pairs of name and module."""
        return self._modules.items()

    def values(self) -> Any:
        """The modules."""
        return self._modules.values()

    def update(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]]) -> None:
        """Adds modules or replaces those of the same names.

        Raises:
            TypeError: neither a mapping nor an iterable of pairs.
            ValueError: an element that is no pair.
        """
        for key, module in _pairs("ModuleDict", modules):
            self[key] = module


def _pairs(kind: str, given: Any) -> list[tuple[str, Any]]:
    if isinstance(given, (Mapping, ModuleDict)):
        return list(given.items())
    if not isinstance(given, Iterable):
        raise TypeError(
            f"{kind}.update should be called with an iterable of key/value pairs, but got {type(given).__name__}"
        )
    pairs = []
    for position, pair in enumerate(given):
        if not isinstance(pair, Iterable):
            raise TypeError(f"{kind} update sequence element #{position} should be Iterable; is {type(pair).__name__}")
        if len(pair := tuple(pair)) != 2:
            raise ValueError(f"{kind} update sequence element #{position} has length {len(pair)}; 2 is required")
        pairs.append((pair[0], pair[1]))
    return pairs
