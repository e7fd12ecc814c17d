"""Values into nodes and nodes into text, whatever a notebook has done to the names that this takes."""

from __future__ import annotations

from _json import make_encoder as _make_encoder
from json.encoder import encode_basestring_ascii as _spell
from typing import TYPE_CHECKING, Any, NoReturn

from .guard import deadline, no_collection, own_builtins
from .values import TooLongError

if TYPE_CHECKING:
    from .values import Node, Taker

SECONDS = 10.0  # for one value; a student's method that does not return shall not cost the notebook's time
_join = "".join


def _refuse(thing: object) -> NoReturn:
    raise TypeError(f"no part of a node: {type(thing)}")


# The machinery of ``json`` itself, without its methods, which a notebook can replace.
_chunks: Any = _make_encoder(None, _refuse, _spell, None, ":", ",", False, False, False)


def written(node: object) -> str:
    """The node (or anything of dicts with texts as keys, lists, texts and numbers) as JSON without blanks."""
    return _join(_chunks(node, 0))


def taken(taker: Taker, value: object, seconds: float = SECONDS) -> Node:
    """The value's node; ``broken`` where a method of the student's would keep us longer than ``seconds``."""
    with own_builtins(), no_collection():
        try:
            with deadline(seconds, TooLongError):
                return taker.take(value)
        except TooLongError:  # in the instant after the value was taken
            return {"t": "broken", "why": "reading it takes too long"}
