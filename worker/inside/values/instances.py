"""The state of a library's object, read past whatever its class or a student's subclass says of itself."""

from __future__ import annotations

import sys
from types import GetSetDescriptorType, MemberDescriptorType
from typing import TYPE_CHECKING, Any

from . import TooMuchError, ancestry, class_name, lineage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from . import Node, Taker

_MAX_NAME = 1000
_absent = object()
_type_dict = type.__dict__["__dict__"].__get__


def state(value: object) -> dict[str, Any]:
    """The object's own attributes, by the slot of its farthest ancestor: no subclass hides them."""
    for kind in reversed(ancestry(value)):
        slot = _type_dict(kind).get("__dict__")
        if type(slot) in (GetSetDescriptorType, MemberDescriptorType):
            found = slot.__get__(value)
            return found if type(found) is dict else dict(dict.items(found))
    return {}


def defining(value: object, name: str) -> tuple[type | None, Any]:
    """The nearest class that defines ``name``, and what it defines; (None, None) where none does."""
    for kind in ancestry(value):
        own = _type_dict(kind)
        if name in own:
            return kind, own[name]
    return None, None


def attribute(value: object, name: str, library: str, missing: object = None) -> Any:
    """An attribute as ``library`` has it: what the nearest of its classes defines, or the object's own.

    What a student's subclass makes of it is passed over; it might leave, or fill the memory.
    """
    own = state(value)
    for kind in ancestry(value):
        defined = _type_dict(kind).get(name, _absent)
        if defined is not _absent and is_from(kind, library):
            read: Any = defined.fget if type(defined) is property else None
            return own.get(name, defined) if read is None else read(value)
    return own.get(name, missing)


def is_from(kind: type, library: str) -> bool:
    """Whether a class is what ``library`` offers under the class's name, not one that only claims to be."""
    module, _, name = class_name(kind).rpartition(".")
    if module.partition(".")[0] != library:
        return False
    return state(sys.modules[module]).get(name) is kind if module in sys.modules else False


def plain_name(value: object, most: int = _MAX_NAME) -> str | None:
    """The beginning of a text, where it is one: an attribute of any other class tells nothing."""
    return str.__getitem__(value, slice(0, most)) if isinstance(value, str) else None


def described(value: object, sort: str, attributes: Mapping[str, object], taker: Taker) -> Node:
    """The node of an object of a known sort; an attribute that cannot be taken is ``broken`` by itself."""
    return {
        "t": "object",
        "id": taker.identity(value),
        **lineage(value, taker),
        "sort": sort,
        "attributes": pieces({name: item for name, item in attributes.items() if item is not None}, taker),
    }


def pieces(attributes: Mapping[str, object], taker: Taker) -> dict[str, Node]:
    """The nodes of an object's attributes, by name; one that cannot be taken is ``broken`` by itself."""
    taker.spell(sum(map(len, attributes)))
    return {name: attempted(item, taker) for name, item in attributes.items()}


def attempted(item: object, taker: Taker) -> Node:
    """The node of a piece of an object, ``broken`` where that piece alone cannot be taken."""
    try:
        return taker.node(item)
    except RecursionError:  # the whole is nested too deep: going on beside it would begin again and again
        raise
    except TooMuchError as error:
        why = str(error)
    except Exception as error:  # noqa: BLE001 - whatever a student's class may raise
        why = f"reading it raised {class_name(type(error))}"
    return {"t": "broken", "why": why, "cls": class_name(type(item))}


TAKES: dict[str, Any] = {}
