"""Messages that would tell the answer: an expected value that stands in what a wrong student reads.

Expected are the values that a part's checks hold the answer against: literals of the spec and short values of
the author's run. Nothing is told by what the student's own values or the part's own cell hold already, by
values that are too common to tell anything (0, 1, truth values, words of one or two letters), or where the
spec says ``tell: true``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress

from pydantic import BaseModel

from checks.compare import content
from checks.errors import MissingReferenceError
from checks.evidence import values as v
from checks.feedback import PartFeedback
from checks.scene import Scene
from checks.spec import cases
from checks.spec.argument import expected_node
from checks.spec.base import walk
from checks.spec.models import Part
from checks.spec.target import Operand, Target
from checks.verdict import Case

MAX_ITEMS = 12  # of a container whose elements could be read off a message
MAX_OWN = 100_000
COMMON = frozenset({-1.0, 0.0, 1.0})
_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?!\w)")
_ESCAPED = re.compile(r"\\(.)")

Scalar = str | int | float


def leaked(case: Case, seen: PartFeedback) -> set[Scalar]:
    """The expected values that ``seen``, the part's feedback as a student reads it, gives away."""
    said = [seen.message, *(check.message for check in seen.checks if check.outcome == "failed")]
    text = _ESCAPED.sub(r"\1", "\n".join(said))
    written = "\n".join(_templates(case.part))
    known = [*case.values.values(), *_given(case.part)]
    own = [scalar for node in known for scalar in scalars(node, MAX_OWN)]
    typed = next((cell.source for cell in case.evidence.cells if cell.index == case.cell), "")
    expected = {scalar for node in expected_nodes(case) for scalar in scalars(node, MAX_ITEMS)}
    return {
        each for each in expected if _tells(each, text, written) and not _has(own, typed, each, case.part)
    }


def _given(part: Part) -> Iterator[v.AnyNode]:
    """What every student can read: the values that the starter hands out, and what calls are made with."""
    yield from (each.placeholder for each in part.variables.values() if each.placeholder is not None)
    for _, piece in walk(part):
        if isinstance(piece, (cases.Case, cases.Step)):
            for argument in (*piece.arguments, *piece.keywords.values()):
                with suppress(ValueError):  # what only the sandbox knows
                    yield expected_node(argument)


def expected_nodes(case: Case) -> Iterator[v.AnyNode]:
    """What the part's checks hold the answer against; a value that the author's run lacks is left out."""
    scene = Scene(case.values, case.reference)
    for check in case.part.checks:
        for _, piece in walk(check):
            if not getattr(piece, "tell", False):
                yield from _held_against(piece, scene)


def _held_against(piece: BaseModel, scene: Scene) -> Iterator[v.AnyNode]:
    of = getattr(piece, "of", None)
    target = of if isinstance(of, Target) else None
    for name in type(piece).model_fields:
        given = getattr(piece, name)
        if name == "returns" and name in piece.model_fields_set:
            yield expected_node(given)
        elif name == "required":
            yield from (v.Text(v=member) for member in given if isinstance(member, str))
        for operand in given if isinstance(given, list) else [given]:
            if isinstance(operand, Operand) and operand.variable is None:
                yield from _value(operand, scene, target)


def _value(operand: Operand, scene: Scene, target: Target | None) -> Iterator[v.AnyNode]:
    try:
        node = operand.node(scene, target)
    except MissingReferenceError:
        return
    if node is not None:
        yield node


def scalars(node: v.AnyNode | None, most: int) -> Iterator[Scalar]:
    """The numbers and texts in a value; none where it holds more than ``most`` of them."""
    found: list[Scalar] = []
    waiting = [node]
    while waiting and len(found) + len(waiting) <= most:
        each = waiting.pop()
        match each:
            case v.Bool() | v.Nothing() | None:
                continue
            case v.Int() | v.Float():
                found.append(each.value)
            case v.Text():
                found.append(each.v)
            case v.Array() if math.prod(each.shape) > most:
                return iter(())
            case v.Array() | v.Series() | v.Index() | v.Sequence() | v.SetOf():
                waiting += content.items(each) or []
            case v.Mapping():
                waiting += [side for pair in each.items for side in pair]
            case v.Table():
                waiting += [cell.values for cell in each.columns]
            case v.Called():
                waiting += [step.result for step in each.steps]
                waiting += [v.Text(v=line) for step in each.steps for line in step.printed.splitlines()]
    return iter(found if not waiting else [])


def _tells(value: Scalar, text: str, written: str) -> bool:
    if isinstance(value, str):
        return len(value) > 2 and _stands(value, text)
    if not math.isfinite(value) or float(value) in COMMON:
        return False
    # A whole number in a message is as a rule a count that the judge filled in: only an author's own tells.
    own = _numbers(written) if float(value).is_integer() else None
    return any(_is(token, value) for token in _numbers(text) if own is None or token in own)


def _has(own: Iterable[Scalar], typed: str, value: Scalar, part: Part) -> bool:
    """Whether the student has the value already, or it names something that the question names."""
    if isinstance(value, str):
        named = value in part.variables or _stands(value, part.title) or _stands(value, typed)
        return named or any(isinstance(each, str) and value in each for each in own)
    close = (abs(each - value) <= 1e-9 * abs(value) for each in own if isinstance(each, (int, float)))
    return any(close) or any(_is(token, value) for token in _numbers(typed))


def _is(token: str, value: float) -> bool:
    """Whether a number as it is written is the value, perhaps rounded to three digits or more."""
    digits = len(token.partition(".")[2].partition("e")[0]) if "e" not in token.lower() else 6
    shown = float(token)
    significant = len(re.sub(r"\D", "", token).lstrip("0"))
    return shown == value or (significant >= 3 and digits > 0 and round(value, digits) == shown)


def _stands(word: str, text: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) is not None


def _numbers(text: str) -> set[str]:
    return set(_NUMBER.findall(text))


def _templates(part: Part) -> Iterator[str]:
    for _, piece in walk(part):
        message, several = getattr(piece, "message", None), getattr(piece, "messages", None)
        if isinstance(message, str):
            yield message
        if isinstance(several, dict):
            yield from (text for text in several.values() if isinstance(text, str))
