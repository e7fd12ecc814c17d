"""The objects that a notebook knows as ``part1`` or ``part3.a``."""

from __future__ import annotations

import keyword
from collections.abc import Callable, Iterable, Mapping
from typing import Any

Take = Callable[[str], object]


class Part:
    """One part or a group of parts: ``check()``, ``hint(n)``, ``solution()``, and the parts below it by name.

    Calls never raise for their arguments: a stray one is ignored.
    """

    __slots__ = ("_check", "_children", "_hints", "_id")

    def __init__(self, part_id: str, check: Callable[[], object] | None, hints: tuple[str, ...]) -> None:
        self._id = part_id
        self._check = check
        self._hints = hints
        self._children: dict[str, Part] = {}

    def check(self, *_args: object, **_kwargs: object) -> None:
        """Record the part's variables as they are now."""
        if self._check is None:
            return self._point_to_children()
        self._check()
        return print(f"{self._id}: recorded.")

    def hint(self, n: object = 1, *_args: object, **_kwargs: object) -> None:
        """Show the ``n``-th hint, counted from 1."""
        if self._check is None:
            return self._point_to_children()
        return print(self._hint(n))

    def solution(self, *_args: object, **_kwargs: object) -> None:
        """Say that solutions are not shown while grading."""
        if self._check is None:
            return self._point_to_children()
        return print(f"{self._id}: solutions are not shown while a notebook is graded.")

    def _hint(self, n: object) -> str:
        count = len(self._hints)
        if not count:
            return f"{self._id}: there is no hint for this part."
        if not isinstance(n, int) or not 1 <= n <= count:
            have = "is 1 hint: hint()" if count == 1 else f"are {count} hints: hint(1) to hint({count})"
            return f"{self._id}: no hint {n!r}; there {have}."
        more = f" (for another one: {self._id}.hint({n + 1}))" if n < count else ""
        return f"Hint {n} of {count} for {self._id}: {self._hints[n - 1]}{more}"

    def _point_to_children(self) -> None:
        print(f"{self._id} consists of {_names(self._children.values())}: use these one by one.")

    def __getattr__(self, name: str) -> Part:
        if name.startswith("_"):
            raise AttributeError(name)
        if name in self._children:
            return self._children[name]
        below = f"; below it are {_names(self._children.values())}" if self._children else ""
        raise AttributeError(f"{self._id} has no {name!r}: it has check(), hint() and solution(){below}")

    def __dir__(self) -> list[str]:
        return ["check", "hint", "solution", *self._children]

    def __repr__(self) -> str:
        return self._id


def build_parts(plans: Iterable[Mapping[str, Any]], take: Take) -> dict[str, Part]:
    """The top parts by name, with the others below them; see :func:`install` for arguments and errors."""
    top: dict[str, Part] = {}
    for plan in plans:
        *groups, last = _path(plan["id"])
        level = top
        for depth, name in enumerate(groups, start=1):
            level = level.setdefault(name, Part(".".join(groups[:depth]), None, ()))._children
        _place(level, last, plan, take)
    return top


def _place(level: dict[str, Part], name: str, plan: Mapping[str, Any], take: Take) -> None:
    part_id = plan["id"]
    part = Part(part_id, lambda: take(part_id), tuple(plan["hints"]))
    group = level.get(name)
    if group is not None:
        if group._check is not None:
            raise ValueError(f"two parts have the id {part_id!r}")
        part._children = group._children
    level[name] = part


def _path(part_id: str) -> list[str]:
    path = part_id.split(".")
    for name in path:
        if not name.isidentifier() or keyword.iskeyword(name) or name.startswith("_") or hasattr(Part, name):
            raise ValueError(f"the part {part_id!r} cannot be reached as an attribute: {name!r}")
    return path


def _names(parts: Iterable[Part]) -> str:
    return ", ".join(map(repr, parts))
