"""Translates live objects into inert nodes (``checks.evidence.values`` lists them).

Each module of this package translates the classes of one library: it has a table ``TAKES`` from full class
names to functions ``take(value, taker) -> node`` and is found by its presence. An object is translated by the
first class of its real ancestry (``type(value).__mro__``, never ``__class__``) that a table knows; anything
else becomes an ``object`` node, which tells its class and nothing more.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    Node = dict[str, Any]
    Take = Callable[[Any, "Taker"], Node | None]

_type_mro: Callable[[type], tuple[type, ...]] = type.__dict__["__mro__"].__get__
_MAX_DEPTH = 40
_MAX_NODES = 500_000
_MAX_BLOB_BYTES = 32 << 20


class TooMuchError(Exception):
    """A value that is larger than evidence may be."""


def class_name(kind: type) -> str:
    """``module.qualname`` of a class, whatever the class says of itself."""
    module = type.__getattribute__(kind, "__module__")
    name = type.__dict__["__qualname__"].__get__(kind)
    return f"{module if type(module) is str else '?'}.{name}"


def ancestry(value: object) -> tuple[type, ...]:
    """The real classes of ``value``, nearest first."""
    return _type_mro(type(value))


class Taker:
    """Translates the values of one frame: one budget of nodes and bytes, one numbering of identities."""

    def __init__(self) -> None:
        self.blobs: list[bytes] = []
        self._bytes = 0
        self._nodes = 0
        self._depth = 0
        self._open: dict[int, object] = {}
        self._numbers: dict[int, int] = {}
        self._keep: list[object] = []

    def take(self, value: object) -> Node:
        """The node of ``value``: ``broken`` with the reason where it cannot be taken."""
        try:
            return self.node(value)
        except TooMuchError as error:
            why = str(error)
        except RecursionError:
            why = "the value is nested too deep"
        except Exception as error:  # noqa: BLE001 - a student's class may raise anything from its methods
            why = f"reading it raised {class_name(type(error))}"
        return {"t": "broken", "why": why, "cls": class_name(type(value))}

    def node(self, value: object) -> Node:
        """The node of ``value``, inside another; raises what reading it raises, or TooMuchError."""
        self._nodes += 1
        if self._nodes > _MAX_NODES:
            raise TooMuchError(f"more than {_MAX_NODES} values")
        key = id(value)
        if key in self._open:
            return {"t": "seen", "id": self.identity(value)}
        if self._depth >= _MAX_DEPTH:
            raise TooMuchError(f"nested more than {_MAX_DEPTH} deep")
        self._open[key] = value
        self._depth += 1
        try:
            return self._dispatch(value)
        finally:
            self._depth -= 1
            del self._open[key]

    def _dispatch(self, value: object) -> Node:
        for kind in ancestry(value):
            take = _TAKES.get(class_name(kind))
            if take is not None:
                node = take(value, self)
                if node is not None:
                    return node
        return opaque(value, self)

    def identity(self, value: object) -> int:
        """A small number for the object: equal numbers in one frame mean one object."""
        number = self._numbers.setdefault(id(value), len(self._numbers))
        self._keep.append(value)
        return number

    def blob(self, data: bytes) -> int:
        """Keep the bytes of an array; their number."""
        self._bytes += len(data)
        if self._bytes > _MAX_BLOB_BYTES:
            raise TooMuchError(f"more than {_MAX_BLOB_BYTES >> 20} MiB of numbers")
        self.blobs.append(data)
        return len(self.blobs) - 1

    def reserve(self, size: int) -> None:
        """Refuse an array of ``size`` bytes before it is copied."""
        if self._bytes + size > _MAX_BLOB_BYTES:
            raise TooMuchError(f"more than {_MAX_BLOB_BYTES >> 20} MiB of numbers")


def opaque(value: object, taker: Taker) -> Node:
    """The node of an object of which only its class is known."""
    names = [class_name(kind) for kind in ancestry(value)]
    return {"t": "object", "id": taker.identity(value), "cls": names[0], "bases": names[1:-1]}


def _discover() -> dict[str, Take]:
    tables: dict[str, Take] = {}
    for found in pkgutil.iter_modules(__path__):
        try:
            module = importlib.import_module(f"{__name__}.{found.name}")
        except ModuleNotFoundError as error:
            if error.name is None or error.name.startswith(__name__):
                raise
            continue  # a library that this environment does not have has no values either
        tables.update(module.TAKES)
    return tables


_TAKES: dict[str, Take] = {}
_TAKES.update(_discover())
