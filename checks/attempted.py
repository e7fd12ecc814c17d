"""Was a part attempted, and if its value is wanting, was it the student's own code that stopped it?

Both questions are answered from the cells' sources and how the cells ended, beside the values: a placeholder
that was left alone is no mistake, and a crash before the check is no answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from checks.compare import content, structure
from checks.compare.closeness import Tolerance
from checks.definitions import as_given
from checks.evidence import CellRun, Evidence, Snapshot
from checks.evidence import values as v
from checks.source import (
    assigned_names,
    calls_check,
    gives_literal,
    mentions,
    only_asks,
    parse,
    same_code,
    stores_column,
)
from checks.spec.models import Column, Part

LIMITS = {
    "time_limit": "it took too long",
    "out_of_memory": "it needed too much memory",
    "output_limit": "it printed too much",
    "kernel_died": "the Python process died",
}
Values = Mapping[str, v.AnyNode]


@dataclass(frozen=True)
class Stop:
    """The cell that stopped a part, and what to say of it; ``number`` counts the code cells from 1."""

    cell: CellRun
    number: int


def is_placeholder(part: Part, values: Values) -> bool:
    """Whether the values are those of a notebook in which the part was not touched."""
    starters = {name: part.variables[name].placeholder for name in part.answers}
    known = {name: node for name, node in starters.items() if node is not None}
    if known:
        return all(name in values and _is_same(values[name], node) for name, node in known.items())
    column = part.not_attempted.unstored if part.not_attempted else None
    if column is None:
        return False
    table = values.get(column.table)
    return isinstance(table, v.Table) and not content.column(table, column.column)


def is_untouched(  # noqa: PLR0911 - one line a rule
    part: Part, values: Values, evidence: Evidence, snapshot: Snapshot | None, starter: tuple[str, ...]
) -> bool:
    """Whether the part was left as the starter has it: by its values and what gave them, or by its rule and
    the cells' sources. ``snapshot`` is where the values come from.
    """
    rule = part.not_attempted
    if rule is not None and rule.unassigned:
        if all(name in values for name in part.answers):
            return False
        return _nothing_assigns(rule.unassigned, part, evidence)
    if rule is not None and rule.unstored is not None:
        return _nothing_stores(rule.unstored, part, values, evidence) and _asks_only(part, evidence, starter)
    if as_given(part.answers, _sources_until(evidence, snapshot), starter):
        return True
    if any(name in values for name in part.answers):
        return is_placeholder(part, values) and _is_as_given(part, evidence, snapshot, starter)
    if part.products.keys() >= set(part.answers):
        return _asks_only(part, evidence, starter)
    return not any(_assigns(cell.source, part) for cell in evidence.cells)


def stopping_cell(part: Part, evidence: Evidence, snapshot: Snapshot | None, values: Values) -> Stop | None:
    """The cell whose failure kept the part from having an answer; None where none did.

    ``snapshot`` is what the part is judged from, ``values`` what it holds. Once there is an answer, what
    failed afterwards is of no interest.
    """
    if any(name not in values for name in part.answers):
        return _stop_before_a_value(part, evidence)
    if is_placeholder(part, values):
        return _stop_before_the_check(part, evidence, snapshot)
    return None


def _stop_before_a_value(part: Part, evidence: Evidence) -> Stop | None:
    """The part's own failed cell (best the one with its check), else the last failed one before its cells.

    A part whose cells are gone was not stopped by anything.
    """
    own = [at for at, cell in enumerate(evidence.cells) if _is_own(cell.source, part)]
    if not own:
        return None
    failed = [at for at in own if _has_failed(evidence.cells[at])]
    failed = [at for at in failed if calls_check(evidence.cells[at].source, part.id)] or failed
    if not part.products.keys() >= set(part.answers):  # of a file, nothing tells which cell would write it
        failed = failed or [at for at in range(own[-1]) if _has_failed(evidence.cells[at])]
    return _stop_at(failed[-1], evidence) if failed else _limit_before(own, evidence)


def _stop_before_the_check(part: Part, evidence: Evidence, snapshot: Snapshot | None) -> Stop | None:
    """While the placeholder stands: a cell with the part's check that failed on its way to it."""
    reached = snapshot.cell if snapshot is not None and snapshot.trigger == "check" else None
    waiting = [
        at
        for at, cell in enumerate(evidence.cells)
        if cell.index != reached and calls_check(cell.source, part.id)
    ]
    failed = [at for at in waiting if _has_failed(evidence.cells[at])]
    return _stop_at(failed[-1], evidence) if failed else _limit_before(waiting, evidence)


def _stop_at(at: int, evidence: Evidence) -> Stop:
    return Stop(evidence.cells[at], at + 1)


def earlier_cause(stop: Stop, evidence: Evidence) -> Stop | None:
    """Where it began: the failed cell that would have given the name that is missing, or one behind it."""
    cause = _giver(stop, evidence)
    while cause is not None and (before := _giver(cause, evidence)) is not None:
        cause = before
    return cause


def _giver(stop: Stop, evidence: Evidence) -> Stop | None:
    error = stop.cell.error
    if error is None or error.name != "NameError":
        return None
    for at, cell in enumerate(evidence.cells[: stop.number - 1]):
        if _has_failed(cell) and any(mentions(error.message, name) for name in assigned_names(cell.source)):
            return _stop_at(at, evidence)
    return None


def _is_same(node: v.AnyNode, starter: v.AnyNode) -> bool:
    return structure.same(node, starter, Tolerance())


def _nothing_assigns(names: list[str], part: Part, evidence: Evidence) -> bool:
    """No cell assigns one of the names or, being no Python, mentions one; no other attempt failed."""
    for cell in evidence.cells:
        if parse(cell.source) is None and any(mentions(cell.source, name) for name in names):
            return False
        if assigned_names(cell.source) & set(names):
            return False
        other = cell.error is not None and cell.error.name != "NameError"
        if other and _assigns(cell.source, part):
            return False
    return True


def _nothing_stores(column: Column, part: Part, values: Values, evidence: Evidence) -> bool:
    """No such column in the table (or no table, and nothing that would give one), and no cell stores one."""
    if column.table in values:
        untouched = is_placeholder(part, values)
    else:
        untouched = not any(_assigns(cell.source, part) for cell in evidence.cells)
    return untouched and not any(
        stores_column(cell.source, column.table, column.column) for cell in _later(part, evidence)
    )


def _is_as_given(part: Part, evidence: Evidence, snapshot: Snapshot | None, starter: tuple[str, ...]) -> bool:
    """Whether a placeholder None was written down as one, and is not what an expression came to.

    Any other placeholder says by itself that nothing was changed, however it is spelled.
    """
    sources = _sources_until(evidence, snapshot)
    empty = [name for name in part.answers if isinstance(part.variables[name].placeholder, v.Nothing)]
    given = [gives_literal(source, name) for name in empty for source in _last_giving(sources, name)]
    return all(given) or any(same_code(sources[-1], cell) for cell in starter)


def _sources_until(evidence: Evidence, snapshot: Snapshot | None) -> list[str]:
    """The cells up to the one where the values come from."""
    last = snapshot.cell if snapshot is not None else None
    return [cell.source for cell in evidence.cells if last is None or cell.index <= last]


def _last_giving(sources: list[str], name: str) -> list[str]:
    return [source for source in sources if name in assigned_names(source)][-1:]


def _asks_only(part: Part, evidence: Evidence, starter: tuple[str, ...]) -> bool:
    """The cells with the part's check hold nothing else, or are the starter's."""
    asking = [cell.source for cell in evidence.cells if calls_check(cell.source, part.id)]
    return all(
        only_asks(source, part.id) or any(same_code(source, cell) for cell in starter) for source in asking
    )


def _later(part: Part, evidence: Evidence) -> list[CellRun]:
    """The cells after the one that first gives the part's table: those before cannot answer the part."""
    giving = [at for at, cell in enumerate(evidence.cells) if _assigns(cell.source, part)]
    return list(evidence.cells[giving[0] + 1 :]) if giving else list(evidence.cells)


def _assigns(source: str, part: Part) -> bool:
    if parse(source) is None:
        return any(mentions(source, name) for name in part.answers)
    return bool(assigned_names(source) & set(part.answers))


def _is_own(source: str, part: Part) -> bool:
    return calls_check(source, part.id) or _assigns(source, part)


def _has_failed(cell: CellRun) -> bool:
    return cell.status in ("error", "stopped")


def _limit_before(own: list[int], evidence: Evidence) -> Stop | None:
    """The cell at which a limit ended the run before one of the part's own cells was reached."""
    stopped = [at for at, cell in enumerate(evidence.cells) if cell.status == "stopped"]
    unreached = [at for at in own if evidence.cells[at].status == "not_run"]
    if evidence.run.status not in LIMITS or not unreached:
        return None
    at = stopped[0] if stopped else max(0, unreached[0] - 1)
    return Stop(evidence.cells[at], at + 1)
