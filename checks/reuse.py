"""Whether what one version's run left is enough to judge by another version."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from checks import bundle
from checks.assignment import Assignment
from checks.plan import PartPlan, RunPlan


def covers(
    old: Assignment, new: Assignment, old_files: Mapping[str, bytes], new_files: Mapping[str, bytes]
) -> bool:
    """Whether a student's run under ``old`` took everything that ``new`` looks at, on the same data.

    Texts, points, checks, hints and messages may differ; the environment, the inputs, the shims and the seed
    may not, and no part may look at a variable (or make a call) that the old one did not.
    """
    return _same_ground(old, new, old_files, new_files) and _plan_covers(old.plan(), new.plan())


def reference_covers(
    old: Assignment, new: Assignment, old_files: Mapping[str, bytes], new_files: Mapping[str, bytes]
) -> bool:
    """Whether the author's run under ``old`` serves ``new``: as :func:`covers`, with the same solution."""
    before, after = old.reference_plan(), new.reference_plan()
    return (
        _same_ground(old, new, old_files, new_files)
        and old_files.get(bundle.REFERENCE) == new_files.get(bundle.REFERENCE)
        and set(after.end) <= set(before.end)
        and _plan_covers(before, after)
    )


def _same_ground(
    old: Assignment, new: Assignment, old_files: Mapping[str, bytes], new_files: Mapping[str, bytes]
) -> bool:
    same = all(
        getattr(old, name) == getattr(new, name) for name in ("environment", "compat", "module", "inputs")
    )
    return same and all(old_files.get(key) == new_files.get(key) for key in new.inputs.values())


def _plan_covers(old: RunPlan, new: RunPlan) -> bool:
    before = {part.id: part for part in old.parts}
    return old.seed == new.seed and all(
        part.id in before and _part_covers(before[part.id], part) for part in new.parts
    )


def _part_covers(old: PartPlan, new: PartPlan) -> bool:
    """Hints are only printed; of everything else a run notes what is listed, so a subset suffices."""
    before, after = msgspec.structs.asdict(old), msgspec.structs.asdict(new)
    return all(_within(after[name], before[name]) for name in before if name not in ("id", "hints"))


def _within(new: object, old: object) -> bool:
    if isinstance(new, tuple) and isinstance(old, tuple):
        return all(each in old for each in new)
    if isinstance(new, dict) and isinstance(old, dict):
        return new.items() <= old.items()
    return new == old
