"""``each``: a check holds for every element, column, row or entry of a value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

from msgspec.structs import replace
from pydantic import Field

from checks.compare import content, steps
from checks.compare.spelling import Spelled
from checks.compare.words import listed
from checks.errors import MissingReferenceError
from checks.evidence import values as v
from checks.scene import PASSED, Outcome, Scene
from checks.spec.base import Found, Scope, walk
from checks.spec.kind import ABSENT, TargetKind
from checks.spec.template import Finished, escape

if TYPE_CHECKING:
    from checks.spec.check import Check

MAX_ELEMENTS = 10_000
Entry = tuple[v.AnyNode, v.AnyNode]


class Each(TargetKind):
    """``check`` is about the pseudo-variables ``item`` and ``key`` (a dict's key, a column's or row's label,
    a position from 0). ``to: reference`` in it is the author's item of the same key.
    """

    reasons: ClassVar[Mapping[str, str]] = {
        "absent": ABSENT,
        "no_elements": "{variable} is {seen}; there is nothing in it to look at one by one.",
        "empty": "{variable} is empty.",
        "too_many": "{variable} has too many elements to look at one by one.",
        "failed": "{count} of {total} elements of {variable} are not right: {failing}.",
    }
    facts: ClassVar[Mapping[str, str]] = {
        **TargetKind.facts,
        "failing": "the keys of the elements that fell short",
        "count": "how many these are",
        "total": "how many elements there are",
        "first": "what the check says of the first of them",
    }

    check: Check = Field(description="what must hold for `item`")
    over: Literal["items", "rows", "columns"] = Field(
        default="items", description="of a table: its columns (items, columns) or its rows"
    )
    credit: Literal["all", "share"] = Field(
        default="all", description="nothing unless all hold (the lowest credit), or the share that holds"
    )
    empty: bool = Field(default=False, description="whether a value without elements is right")

    def inner_scope(self, scope: Scope) -> Scope:
        """The check may speak of item and key."""
        return scope.with_variables("item", "key")

    def problems(self, scope: Scope) -> Iterator[Found]:
        """A check that looks at no element."""
        looked_at = {getattr(piece, "variable", None) for _, piece in walk(self.check)}
        formulas = " ".join(str(getattr(piece, "holds", "")) for _, piece in walk(self.check))
        if not {"item", "key"} & looked_at and "item" not in formulas and "key" not in formulas:
            yield ("check",), "the check looks neither at item nor at key", "of: item"

    def judge_node(self, node: v.AnyNode, scene: Scene) -> Outcome:
        """The check for one element after the other."""
        found = entries(node, rows=self.over == "rows")
        if found is None:
            return Outcome(0.0, "no_elements")
        if not found:
            return PASSED if self.empty else Outcome(0.0, "empty")
        if len(found) > MAX_ELEMENTS:
            return Outcome(0.0, "too_many")
        expected = self._expected(scene)
        outcomes = [self._judge_entry(entry, scene, expected) for entry in found]
        return self._together([str(Spelled(key)) for key, _ in found], outcomes)

    def _together(self, keys: list[str], outcomes: list[Outcome]) -> Outcome:
        failing = tuple(key for key, outcome in zip(keys, outcomes, strict=True) if not outcome.passed)
        if not failing:
            return Outcome(1.0, remark=next((each.remark for each in outcomes if each.remark), ""))
        credits_ = [outcome.credit for outcome in outcomes]
        credit = min(credits_) if self.credit == "all" else sum(credits_) / len(credits_)
        first = next(outcome.message for outcome in outcomes if not outcome.passed)
        facts = {
            "failing": listed(list(failing)),
            "count": len(failing),
            "total": len(keys),
            "first": Finished(first),
        }
        return Outcome(credit, "failed", facts, failing=failing)

    def _judge_entry(self, entry: Entry, scene: Scene, expected: dict[object, v.AnyNode] | None) -> Outcome:
        key, item = entry
        name = f"{scene.names.get(self.of.variable, self.of.variable)}[{Spelled(key)}]"
        inside = replace(
            scene,
            values={**scene.values, "item": item, "key": key},
            names={**scene.names, "item": name, "key": f"the key of {name}"},
        )
        if expected is not None:
            if content.label(key) not in expected:
                return Outcome(0.0, "unknown", message=f"{escape(name)} should not be there.")
            other = {"item": expected[content.label(key)], "key": key}
            inside = replace(inside, reference={**(scene.reference or {}), **other})
        return self.check.evaluate_inside(inside)

    def _expected(self, scene: Scene) -> dict[object, v.AnyNode] | None:
        """The author's items by key, where the check asks for them."""
        asks = any(getattr(piece, "reference", None) in ("", "item") for _, piece in walk(self.check))
        if not asks:
            return None
        author = replace(scene, values=scene.reference or {})
        node = self.of.sights(author)[0].node
        found = None if node is None else entries(node, rows=self.over == "rows")
        if found is None:
            raise MissingReferenceError(f"the reference run left no elements of {self.of.variable}")
        return {content.label(key): item for key, item in found}


def entries(node: v.AnyNode, *, rows: bool) -> list[Entry] | None:
    """A value's keys with its elements; None where it has none. Of a table, its columns or rows."""
    match node:
        case v.Mapping():
            return list(node.items)
        case v.Table() if rows:
            count = node.index.shape[0]
            cells = [(each.name, content.items(each.values) or []) for each in node.columns]
            made = [
                v.Mapping(items=tuple((name, column[at]) for name, column in cells)) for at in range(count)
            ]
            return list(zip(_labels(node.index), made, strict=True))
        case v.Table():
            columns = [steps.column_series(node, each) for each in node.columns]
            return [(each.name, each) for each in columns]
        case v.Series():
            return list(zip(_labels(node.index), content.items(node) or [], strict=True))
        case v.Array() if len(node.shape) > 1:
            found = [steps.item(node, _position(at)) for at in range(node.shape[0])]
            return [
                (_position(at), each) for at, each in enumerate(found) if not isinstance(each, steps.Missing)
            ]
        case _:
            items = content.items(node)
            return None if items is None else [(_position(at), each) for at, each in enumerate(items)]


def _labels(index: v.Index) -> list[v.AnyNode]:
    levels = [content.items(level) or [] for level in index.levels]
    if len(levels) == 1:
        return levels[0]
    return [v.Sequence(items=row, base="tuple", cls="builtins.tuple") for row in zip(*levels, strict=True)]


def _position(at: int) -> v.AnyNode:
    return v.Int(v=str(at))


KIND = Each
