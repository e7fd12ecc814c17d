"""Makes arguments out of inert data: new objects each time, so that no call sees what another one did.

The data are those of ``checks.spec.argument``: a dict whose ``t`` says what it is.
"""

from __future__ import annotations

import copy
import importlib
from collections import deque
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Data = dict[str, Any]
_deepcopy = copy.deepcopy
_SEQUENCES: dict[str, Callable[[list[object]], object]] = {
    "list": list,
    "tuple": tuple,
    "range": list,
    "deque": deque,
}


class UnfitArgumentError(Exception):
    """An argument that the notebook itself has to give is not there, or cannot be copied."""


class _Names:
    """Where variables come from: what the case has ``made`` itself (as it is), else the notebook (a copy)."""

    def __init__(self, space: Mapping[str, Any], made: Mapping[str, Any]) -> None:
        self._space, self._made = space, made

    def __getitem__(self, name: str) -> object:
        if name in self._made:
            return self._made[name]
        if name not in self._space:
            raise UnfitArgumentError(f"{name} has no value")
        try:
            return _deepcopy(self._space[name])
        except Exception as error:
            raise UnfitArgumentError(f"{name} cannot be copied ({type(error).__name__})") from error


def build(data: Data, space: Mapping[str, Any], made: Mapping[str, Any] | None = None) -> object:
    """The object that ``data`` stand for; variables are those that the case has ``made``, or copies of those
    in ``space``.

    Raises UnfitArgumentError; anything else is no fault of the notebook's.
    """
    return _built(data, _Names(space, made or {}))


def imported(dotted: str) -> Any:
    """What a module has under a name (``operator.eq``); a plain name is one of the built-in ones."""
    module, _, name = dotted.rpartition(".")
    return getattr(importlib.import_module(module or "builtins"), name)


def _built(data: Data, space: _Names) -> Any:
    return _BUILDERS[data["t"]](data, space)


def _items(data: Data, space: _Names) -> list[object]:
    return [_built(item, space) for item in data["items"]]


def _pairs(data: Data, space: _Names) -> dict[Any, object]:
    return {_built(key, space): _built(item, space) for key, item in data["items"]}


def _array(data: Data, space: _Names) -> object:
    # Looked for when it is needed: an environment need not have it.
    numpy = importlib.import_module("numpy")
    return numpy.array(_built(data["values"], space), dtype=data.get("dtype"))


def _series(data: Data, space: _Names) -> object:
    pandas = importlib.import_module("pandas")
    index = _built(data["index"], space) if "index" in data else None
    return pandas.Series(
        _built(data["values"], space), index=index, name=data.get("name"), dtype=data.get("dtype")
    )


def _table(data: Data, space: _Names) -> object:
    pandas = importlib.import_module("pandas")
    index = _built(data["index"], space) if "index" in data else None
    return pandas.DataFrame(
        {name: _built(values, space) for name, values in data["columns"].items()}, index=index
    )


_BUILDERS: dict[str, Callable[[Data, _Names], object]] = {
    "none": lambda _data, _space: None,
    "bool": lambda data, _space: data["v"],
    "int": lambda data, _space: int(data["v"], 16) if "x" in data["v"] else int(data["v"]),
    "float": lambda data, _space: float.fromhex(data["v"]),
    "str": lambda data, _space: data["v"],
    "seq": lambda data, space: _SEQUENCES[data.get("base", "list")](_items(data, space)),
    "set": lambda data, space: set(_items(data, space)),
    "map": _pairs,
    "array": _array,
    "series": _series,
    "table": _table,
    "iterator": lambda data, space: iter(_items(data, space)),
    "date": lambda data, _space: date.fromisoformat(data["v"]),
    "datetime": lambda data, _space: datetime.fromisoformat(data["v"]),
    "timedelta": lambda data, _space: timedelta(microseconds=int(data["v"])),
    "variable": lambda data, space: space[data["name"]],
    "import": lambda data, _space: imported(data["name"]),
}
