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
_type_qualname: Callable[[type], str] = type.__dict__["__qualname__"].__get__
_MAX_DEPTH = 40
_MAX_NODES = 500_000
_MAX_BLOB_BYTES = 32 << 20
_MAX_TEXT_BYTES = 8 << 20  # of all texts that stand in the header; it may have no more than that
_MAX_NAME = 200
_MAX_ANCESTORS = 50


class TooMuchError(Exception):
    """A value that is larger than evidence may be."""


class TooLongError(BaseException):
    """Reading took too long: a student's method does not return. No ``except Exception`` shall stop it."""


def class_name(kind: type) -> str:
    """``module.qualname`` of a class, whatever the class says of itself; cut where somebody made it long."""
    module = type.__getattribute__(kind, "__module__")
    name = _type_qualname(kind)[:_MAX_NAME]
    return f"{module[:_MAX_NAME] if type(module) is str else '?'}.{name}"


def ancestry(value: object) -> tuple[type, ...]:
    """The real classes of ``value``, nearest first."""
    return _type_mro(type(value))


class Taker:
    """Translates the values of one frame: one budget of nodes, texts and bytes, one numbering of identities.

    A value that cannot be taken gives back what it has spent: those after it are taken all the same.
    """

    def __init__(self) -> None:
        self.blobs: list[bytes] = []
        self._bytes = 0
        self._nodes = 0
        self._texts = 0
        self._depth = 0
        self._open: dict[int, object] = {}
        self._numbers: dict[int, int] = {}
        self._keep: list[object] = []

    def take(self, value: object) -> Node:
        """The node of ``value``: ``broken`` with the reason where it cannot be taken."""
        spent = (len(self.blobs), self._bytes, self._nodes, self._texts)
        try:
            return self.node(value)
        except TooMuchError as error:
            why = str(error)
        except TooLongError:
            why = "reading it takes too long"
        except RecursionError:
            why = "the value is nested too deep"
        except BaseException as error:  # noqa: BLE001 - a student's class may raise anything, SystemExit too
            why = f"reading it raised {class_name(type(error))}"
        kept, self._bytes, self._nodes, self._texts = spent
        del self.blobs[kept:]
        self._depth = 0
        self._open.clear()
        return {"t": "broken", "why": why, "cls": class_name(type(value))}

    def node(self, value: object) -> Node:
        """The node of ``value``, inside another; raises what reading it raises, or TooMuchError."""
        self.count(1)
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
            self._open.pop(key, None)

    def _dispatch(self, value: object) -> Node:
        exact = _EXACT.get(id(type(value)))
        if exact is not None:
            return exact(value, self) or opaque(value, self)
        self.spell(len(class_name(type(value))))  # a node of any class but the built-in ones tells its name
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
        self.reserve(len(data))
        self._bytes += len(data)
        self.blobs.append(data)
        return len(self.blobs) - 1

    def reserve(self, size: int) -> None:
        """Refuse an array of ``size`` bytes before it is copied."""
        if self._bytes + size > _MAX_BLOB_BYTES:
            raise TooMuchError(f"more than {_MAX_BLOB_BYTES >> 20} MiB of numbers")

    def count(self, nodes: int) -> None:
        """Account for ``nodes`` more values."""
        self._nodes += nodes
        if self._nodes > _MAX_NODES:
            raise TooMuchError(f"more than {_MAX_NODES} values")

    def spell(self, length: int) -> None:
        """Account for a text of ``length`` before it is copied into a node; one may stand in many places."""
        self._texts += length
        if self._texts > _MAX_TEXT_BYTES:
            raise TooMuchError(f"more than {_MAX_TEXT_BYTES >> 20} MiB of text")


def opaque(value: object, taker: Taker) -> Node:
    """The node of an object of which only its class is known."""
    return {"t": "object", "id": taker.identity(value), **lineage(value, taker)}


def lineage(value: object, taker: Taker) -> Node:
    """``cls`` and ``bases`` of an object's node: its class, and the nearest ancestors of that."""
    names = [class_name(kind) for kind in ancestry(value)[: _MAX_ANCESTORS + 1]]
    taker.spell(sum(map(len, names)))
    return {"cls": names[0], "bases": [name for name in names[1:] if name != "builtins.object"]}


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
# The built-in classes, which never go: most values are theirs. By their numbers, for a class need not be
# hashable.
_EXACT: dict[int, Take] = {
    id(kind): _TAKES[class_name(kind)]
    for kind in (type(None), bool, int, float, complex, str, bytes, list, tuple, dict, set)
}
