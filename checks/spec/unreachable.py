"""Checks and misconceptions that can never count: the author meant something else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from pydantic import BaseModel

from checks.spec.base import Found, walk
from checks.spec.check import Check


class _Explaining(Protocol):
    @property
    def when(self) -> Check: ...


def problems(
    named: Mapping[str, Check], checks: Sequence[Check], misconceptions: Sequence[_Explaining]
) -> Iterator[Found]:
    """Needs that lead round in a circle, branches that an earlier one covers, shadowed misconceptions."""
    circular = set(named) - set(in_order(named))
    for number, name in enumerate(named):
        if name in circular:
            yield ("checks", number, "needs"), f"{name!r} can never run: its needs lead back to itself", ""
    for number, check in enumerate(checks):
        yield from _covered_branches(check, ("checks", number))
    seen: list[dict[str, Any]] = []
    for number, each in enumerate(misconceptions):
        says = _says(each.when)
        if says in seen:
            what = "an earlier misconception has the same condition, so this one is never reached"
            yield ("misconceptions", number, "when"), what, ""
        elif len(checks) == 1 and says == _says(checks[0]):
            what = "this is what the part's only check asks for, so it never holds for a wrong answer"
            yield ("misconceptions", number, "when"), what, ""
        seen.append(says)
        yield from _covered_branches(each.when, ("misconceptions", number, "when"))


def in_order(named: Mapping[str, Check]) -> list[str]:
    """The checks' ids so that each comes after those that it needs (else as in the file); those in a circle
    are left out, and needs that name nothing do not count."""
    found: list[str] = []
    left = list(named)
    while left:
        ready = [
            name for name in left if all(need in found or need not in named for need in named[name].needs)
        ]
        if not ready:
            break
        found.append(ready[0])
        left.remove(ready[0])
    return found


def _covered_branches(check: Check, path: tuple[str | int, ...]) -> Iterator[Found]:
    """Branches of ``any`` that say what an earlier one says."""
    for where, piece in walk(check, path):
        branches = getattr(piece, "any", None) if isinstance(piece, Check) else None
        if branches is None:
            continue
        seen: list[dict[str, Any]] = []
        for number, branch in enumerate(branches.root):
            says = _says(branch)
            if says in seen:
                what = "an earlier branch asks for the same, so this one is never reached"
                yield (*where, "any", number), what, ""
            seen.append(says)


def _says(check: BaseModel) -> dict[str, Any]:
    """What a check asks for, whatever it is called and says."""
    left_out = {
        "id",
        "message",
        "messages",
        "weight",
        "needs",
        "hidden",
        "visible",
        "message_visible",
        "remark",
    }
    return check.model_dump(exclude=left_out, exclude_unset=True)
