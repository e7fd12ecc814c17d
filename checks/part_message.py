"""The judge's own sentences about a part, and what students read in place of those that would tell them what
they may not see."""

from __future__ import annotations

from collections.abc import Iterable, Set

from checks.spec.models import Part
from checks.spec.template import escape, fill

_GATE = "This part counts once ", " is right; start there."
_GATE_UNSEEN = "This part counts once a part that is not shown is right."
_ACCEPTED = "Your value is accepted."
_UNJUDGED = "This part could not be judged, and it is not your fault"


def gated(names: Iterable[str]) -> str:
    """What is said of a part that counts only once the parts ``names`` are right."""
    return _named(map(escape, names))


def not_judged(why: str) -> str:
    """What is said of a part that the author or we kept from being judged; ``why`` is for instructors."""
    return f"{_UNJUDGED}: {escape(why).rstrip('.')}."


def for_students(message: str, part: Part, unseen: Set[str]) -> str:
    """A part's message without the reason of a fault (it may hold what was expected), and without the names
    and mistakes of ``unseen`` parts, by id."""
    if message.startswith(f"{_UNJUDGED}: "):
        return f"{_UNJUDGED}."
    if unseen & set(part.needs):
        message = _gate_for_students(message, {escape(name) for name in unseen})
    carry = part.carry_forward
    if carry and unseen & set(carry.after) and message == fill(carry.message, {}):
        return _ACCEPTED
    return message


def _gate_for_students(message: str, unseen: Set[str]) -> str:
    head, tail = _GATE
    if not (message.startswith(head) and message.endswith(tail)):
        return message
    names = message.removeprefix(head).removesuffix(tail).split(" and ")
    shown = [name for name in names if name not in unseen]
    return _named(shown) if shown else _GATE_UNSEEN


def _named(names: Iterable[str]) -> str:
    return " and ".join(names).join(_GATE)
