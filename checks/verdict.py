"""How one part came out, before it becomes feedback."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from checks import part_message
from checks.evidence import Evidence, Snapshot
from checks.evidence import values as v
from checks.feedback import CheckFeedback, PartStatus
from checks.spec.models import Part

Values = Mapping[str, v.AnyNode]


class Verdict(msgspec.Struct, frozen=True):
    """How one part came out; ``credit`` from 0 to 1 of its points."""

    status: PartStatus
    message: str
    credit: float = 0.0
    misconception: str | None = None
    cell: int | None = None
    checks: tuple[CheckFeedback, ...] = ()


@dataclass(frozen=True)
class Case:
    """One part with everything that its verdict follows from; ``earlier`` are the verdicts on the parts
    before it."""

    part: Part
    evidence: Evidence
    starter: tuple[str, ...]
    reference: Values | None
    reference_fault: str = ""
    snapshot: Snapshot | None = None
    values: Values = field(default_factory=dict)
    earlier: Mapping[str, Verdict] = field(default_factory=dict)

    @property
    def cell(self) -> int | None:
        """The notebook index of the cell that decided."""
        return self.snapshot.cell if self.snapshot else None


def not_judged(part: Part, status: PartStatus, message: str, cell: int | None = None) -> Verdict:
    """A verdict before any check was looked at."""
    checks = tuple(
        CheckFeedback(name, "skipped", "", check.weight) for name, check in part.named_checks().items()
    )
    return Verdict(status, message, cell=cell, checks=checks)


def unjudged(part: Part, why: str) -> Verdict:
    """A verdict that is nobody's zero: the author's fault or ours."""
    checks = tuple(
        CheckFeedback(name, "unjudged", "", check.weight) for name, check in part.named_checks().items()
    )
    return Verdict("unjudged", part_message.not_judged(why), checks=checks)
