"""Literal values of a spec as evidence: YAML's own values, and ``{set: […]}``, ``{tuple:
[…]}``, ``{dict: [[k, v], …]}``, days ``{date: 2026-11-02}`` and the other ``moment``s.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any

import numpy as np
from msgspec.structs import replace
from pydantic import AfterValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from checks.evidence import array_node
from checks.evidence import values as v
from checks.spec.moment import MOMENTS, moment_node

_CONTAINERS: dict[str, Callable[[list[v.AnyNode]], v.AnyNode]] = {
    "set": lambda items: v.SetOf(items=tuple(items)),
    "tuple": lambda items: v.Sequence(items=tuple(items), base="tuple", cls="builtins.tuple"),
    "list": lambda items: v.Sequence(items=tuple(items)),
    "dict": lambda items: v.Mapping(items=tuple(_pair(item) for item in items)),
}


def _moment(text: str) -> v.AnyNode:
    """A moment; one of a time zone is in UTC, with the zone beside it, as evidence has it."""
    moment = datetime.fromisoformat(text)
    aware = moment.tzinfo is not None
    plain = moment.astimezone(UTC).replace(tzinfo=None) if aware else moment
    node = array_node(np.array(plain, dtype="datetime64[us]"))
    return replace(node, zone=str(moment.tzinfo)) if aware else node


_TIMES: dict[str, Callable[[str], v.AnyNode]] = {"moment": _moment}


def literal_node(given: Any) -> v.AnyNode:  # noqa: PLR0911 - one line a kind of value
    """The evidence of a literal; raises ValueError for a mapping that is none of the container spellings."""
    match given:
        case None:
            return v.Nothing()
        case bool():
            return v.Bool(v=given)
        case int():
            return v.Int(v=str(given))
        case float():
            return v.Float(v=given.hex())
        case str():
            return v.Text(v=given)
        case list():
            return v.Sequence(items=tuple(literal_node(item) for item in given))
        case dict() if len(given) == 1 and next(iter(given)) in (*_CONTAINERS, *MOMENTS):
            ((name, items),) = given.items()
            if name in MOMENTS:
                return moment_node(name, items)
            if isinstance(items, list):
                return _CONTAINERS[name]([literal_node(item) for item in items])
        case dict() if len(given) == 1 and next(iter(given)) in _TIMES:
            ((name, text),) = given.items()
            if isinstance(text, str):
                return _TIMES[name](text)
    raise ValueError(
        f"no literal: {given!r}; write a set as {{set: [1, 2]}}, a dict as {{dict: [[key, value]]}}, "
        "a day as {date: 2026-11-02}, a moment as {moment: 2026-11-02T09:00+01:00}"
    )


def _pair(node: v.AnyNode) -> tuple[v.AnyNode, v.AnyNode]:
    if not isinstance(node, v.Sequence) or len(node.items) != 2:
        raise ValueError("a dict's items are lists of a key and a value")
    return node.items[0], node.items[1]


def _checked(given: Any) -> Any:
    try:
        literal_node(given)
    except ValueError as error:
        raise PydanticCustomError("literal", "{why}", {"why": str(error)}) from error
    return given


Literal = Annotated[
    Any, AfterValidator(_checked), WithJsonSchema({"description": "a value; {set: […]} for a set"})
]
