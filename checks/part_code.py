"""Which cells of a notebook are a part's: for checks that look at code."""

from __future__ import annotations

import ast

from checks.evidence import Evidence, Snapshot
from checks.scene import Code
from checks.source import assigned_names, calls_check, parse, same_code
from checks.spec.models import Part


def part_code(
    part: Part, evidence: Evidence, snapshot: Snapshot | None, starter: tuple[str, ...]
) -> tuple[Code, ...]:
    """The code cells up to the one where the part's values were taken, those of the part marked.

    A cell is the part's own when it calls the part's check, assigns one of its answers, or stands between the
    last check of another part and this part's; cells that are as the exercise gave them are nobody's.
    """
    last = snapshot.cell if snapshot is not None and snapshot.cell is not None else None
    cells = [cell for cell in evidence.cells if last is None or cell.index <= last]
    begin = _begin(part, [cell.source for cell in cells])
    given = {source for source in starter if parse(source) is not None}
    found = []
    for at, cell in enumerate(cells):
        taken = snapshot is not None and snapshot.trigger == "bound" and cell.index == last
        own = taken or begin <= at or bool(assigned_names(cell.source) & set(part.answers))
        changed = cell.source not in given and not any(same_code(cell.source, each) for each in given)
        found.append(Code(at + 1, cell.source, own and changed and cell.status != "not_run"))
    return tuple(found)


def _begin(part: Part, sources: list[str]) -> int:
    """Where the part's own cells begin: after the cell that called another part's check last, before this
    part's; with no such check of its own, at the end."""
    asking = [at for at, source in enumerate(sources) if calls_check(source, part.id)]
    if not asking:
        return len(sources)
    others = [
        at for at, source in enumerate(sources[: asking[-1]]) if _calls_any_check(source) and at not in asking
    ]
    return others[-1] + 1 if others else 0


def _calls_any_check(source: str) -> bool:
    tree = parse(source)
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)] if tree else []
    return any(isinstance(called, ast.Attribute) and called.attr == "check" for called in calls)
