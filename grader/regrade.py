"""Judging again what was stored, by another version of the assignment: nothing runs.

A preview reads each submission's evidence, judges it, and keeps the verdict beside the one in force; no
student sees anything of it. Applying is one transaction over all of them. Submissions whose evidence does not
hold what the new version looks at are named, and can be run anew in the batch queue.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from checks import bundle
from checks.assignment import Assignment
from checks.evidence import Evidence
from checks.feedback import Feedback, PartFeedback, SubmissionInfo
from checks.judge import judge
from checks.reuse import covers, reference_covers
from grader.regrade_relay import watch_leases
from grader.settings import queue_name
from grader.store import Store, assignments, marks, references, regrade_jobs, regrades, rewriting
from grader.store.heartbeat import Heartbeat
from grader.store.marks import standing_score
from grader.store.regrades import (
    Candidate,
    Held,
    How,
    Judged,
    Kept,
    LeaseLostError,
    RegradeBusyError,
    RegradeStateError,
)
from grader.store.tables import AssignmentVersion, Attempt, Reference, new_id

CHUNK = 200
LEASE_SECONDS = 30.0
WAIT_SECONDS = 0.3
RUNNABLE = frozenset({"previewed", "applied"})
DUST = 1e-9  # scores are sums of binary fractions


class RegradeError(Exception):
    """It cannot be regraded so; the text says why."""


class PartChange(msgspec.Struct, frozen=True):
    """What happens to one part of one submission, and which checks and misconceptions made the difference."""

    part: str
    before: str | None
    after: str | None
    before_score: float
    after_score: float
    causes: tuple[str, ...]


class PartMoves(msgspec.Struct):
    """How a part's marks move in a whole class; ``causes`` counts what made the difference."""

    part: str
    rises: int = 0
    falls: int = 0
    other: int = 0
    causes: dict[str, int] = {}


class Mover(msgspec.Struct, frozen=True):
    """One submission whose verdict changes."""

    student: str
    submission: str
    before: float | None
    after: float | None
    parts: tuple[PartChange, ...]


class Preview(msgspec.Struct, frozen=True):
    """A regrade for people: who rises, who falls, by which check; what has to run again."""

    id: str
    assignment: str
    version: str
    state: str
    by: str
    total: int
    done: int
    detail: str
    created_at: float
    changed_at: float
    rises: int
    falls: int
    other: int
    unchanged: int
    needs_run: tuple[str, ...]
    parts: tuple[PartMoves, ...]
    movers: tuple[Mover, ...]


class Loaded(msgspec.Struct, frozen=True):
    """A version with its files."""

    files: dict[str, bytes]
    assignment: Assignment


ReferenceOf = Callable[[Loaded], Evidence | None]


def load(store: Store, version: str) -> Loaded:
    """A stored version; raises LookupError."""
    with store.read() as session:
        archive = assignments.archive_of(session, version)
    files = bundle.unpack(store.blobs.get(archive))
    return Loaded(files, Assignment.from_files(files))


def begin(store: Store, assignment_id: str, version: str | None, how: How) -> str:
    """A regrade to ``version`` (None: the one in force), still to be previewed; returns its id.

    Raises UnknownAssignmentError, RegradeBusyError, or RegradeError for a version of another assignment.
    """
    with store.write() as session:
        current = assignments.current(session, assignment_id)
        wanted = version or current.version
        row = session.get(AssignmentVersion, wanted)
        if row is None or row.assignment_id != assignment_id:
            raise RegradeError(f"{assignment_id} has no version {wanted}")
        return regrades.begin(session, assignment_id, wanted, how)


def begin_alone(
    store: Store,
    assignment_id: str,
    version: str | None,
    how: How,
    *,
    lease_seconds: float,
    waiting: Callable[[str], None],
) -> str:
    """``begin`` for a command line, beside which no service may run that ends what a killed one left behind.

    A regrade in the way is watched until it shows that it lives (RegradeBusyError) or has been silent for a
    whole lease; ``waiting`` is told its id once.
    """
    watch, seen = watch_leases(store, lease_seconds=lease_seconds), None
    while True:
        try:
            return begin(store, assignment_id, version, how)
        except RegradeBusyError as busy:
            with store.read() as session:
                beat = regrade_jobs.beat(session, busy.regrade)
            if beat is None or seen not in {None, beat}:
                raise
            if seen is None:
                waiting(busy.regrade)
            seen = beat
        watch.look()
        time.sleep(min(WAIT_SECONDS, lease_seconds / 5))


def preview(
    store: Store,
    regrade_id: str,
    reference_of: ReferenceOf,
    *,
    lease_seconds: float = LEASE_SECONDS,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> bool:
    """Judge every submission of the regrade's assignment again and keep the verdicts; changes no mark.

    ``reference_of`` gives the author's evidence where the version needs it (None: it needs none). Whatever it
    raises is raised here, and the regrade is ``failed``. ``progress`` is told how many are judged (from 0
    on), and of how many. False where there is nothing to do (any more): it is previewed, in other hands, or
    was discarded while it was made.
    """
    with store.write() as session:
        owner = regrade_jobs.claim(session, regrade_id, seconds=lease_seconds)
    if owner is None:
        return False
    held = Held(regrade_id, owner)

    def keep_alive() -> None:
        with store.write() as session:
            regrade_jobs.renew(session, regrade_id, owner, seconds=lease_seconds)

    with Heartbeat(keep_alive, every=lease_seconds / 5):
        try:
            _judge_all(store, held, reference_of, progress)
        except LeaseLostError:
            return False
        except KeyboardInterrupt:
            _fail(store, held, "interrupted; nothing was changed")
            raise
        except Exception as error:
            _fail(store, held, f"{type(error).__name__}: {error}")
            raise
    return True


def _fail(store: Store, held: Held, why: str) -> None:
    with store.write() as session:
        regrades.failed(session, held, why)


def _judge_all(
    store: Store, held: Held, reference_of: ReferenceOf, progress: Callable[[int, int], None]
) -> None:
    with store.read() as session:
        row = regrades.get(session, held.regrade)
        found = regrades.candidates(session, row.assignment_id)
    with store.write() as session:
        regrades.set_total(session, held, len(found))
    new = load(store, row.version)
    judged_again = _Again(store, new, reference_of(new))
    progress(0, len(found))
    for start in range(0, len(found), CHUNK):
        judged = judged_again.lines(found[start : start + CHUNK])
        with store.write() as session:
            regrades.add_lines(session, held, judged)
        progress(start + len(judged), len(found))
    with store.write() as session:
        regrades.previewed(session, held)


class _Again:
    """Judges candidates by one version; what several of them share is loaded once."""

    def __init__(self, store: Store, new: Loaded, reference: Evidence | None) -> None:
        self._store = store
        self._new = new
        self._reference = reference
        self._enough = lru_cache(maxsize=64)(self._covered)

    def lines(self, chunk: Sequence[Candidate]) -> list[Judged]:
        with self._store.read() as session:
            before = rewriting.documents(session, [each.feedback for each in chunk])
            given = marks.all_in_force(session, [each.submission for each in chunk])
        return [
            self._line(each, Feedback.from_json(before[each.feedback]), given.get(each.submission, ()))
            for each in chunk
        ]

    def _line(self, candidate: Candidate, before: Feedback, given: Sequence[marks.Given]) -> Judged:
        after = self._judged(candidate)
        shown = None if after is None else marks.overlaid(after, given)
        return Judged(
            candidate=candidate,
            before_score=standing_score(before),
            after=after,
            after_score=None if shown is None else standing_score(shown),
            changes=msgspec.json.encode(() if shown is None else changes(before, shown)),
        )

    def _judged(self, candidate: Candidate) -> Feedback | None:
        if candidate.evidence is None:
            return None
        evidence = Evidence.from_bytes(self._store.blobs.get(candidate.evidence))
        if not self._enough(evidence.assignment):
            return None
        info = SubmissionInfo(candidate.submission, candidate.student, candidate.notebook, candidate.number)
        return judge(self._new.assignment, evidence, self._reference, info)

    def _covered(self, ran_under: str) -> bool:
        if ran_under == self._new.assignment.version:
            return True
        try:
            old = load(self._store, ran_under)
        except LookupError:
            return False
        return covers(old.assignment, self._new.assignment, old.files, self._new.files)


def stored_reference(store: Store, new: Loaded) -> Evidence | None:
    """The author's evidence that serves ``new``, made by it or by an older version with the same solution.

    None where there is none yet. What an older version lends is noted as the new one's own.
    """
    wanted = new.assignment.version
    with store.read() as session:
        own = _references(session, [wanted])
        older = [
            version
            for version in session.scalars(
                select(AssignmentVersion.version)
                .where(AssignmentVersion.assignment_id == new.assignment.id)
                .order_by(AssignmentVersion.created_at.desc())
            )
            if version != wanted
        ]
        lent = _references(session, older)
    if own:
        return Evidence.from_bytes(store.blobs.get(own[-1].evidence or ""))
    for row in lent:
        old = load(store, row.version)
        if row.evidence and reference_covers(old.assignment, new.assignment, old.files, new.files):
            with store.write() as session:
                references.lend(session, (wanted, row.environment), row.evidence)
            return Evidence.from_bytes(store.blobs.get(row.evidence))
    return None


def begin_in_worker(
    store: Store, assignment_id: str, version: str | None, *, by: str, then_apply: bool
) -> str:
    """``begin``, with the preview left to the workers that serve the version's environment, as batch."""
    with store.read() as session:
        wanted = version or assignments.current(session, assignment_id).version
        row = session.get(AssignmentVersion, wanted)
    queue = None if row is None else queue_name(row.environment, "batch")
    return begin(store, assignment_id, version, How(by, queue, then_apply))


def apply_if_asked(store: Store, regrade_id: str) -> bool:
    """Put a finished preview in force where its author asked for that; where it cannot be, it says why."""
    with store.read() as session:
        row = regrades.get(session, regrade_id)
    if not row.then_apply:
        return False
    try:
        apply(store, regrade_id, by=row.by)
    except RegradeStateError as error:
        with store.write() as session:
            regrades.not_applied(session, regrade_id, f"not applied: {error}")
        return False
    return True


def discard(store: Store, regrade_id: str) -> None:
    """Forget a preview; raises RegradeStateError where it was applied."""
    with store.write() as session:
        regrades.discard(session, regrade_id)


def apply(store: Store, regrade_id: str, *, by: str) -> int:
    """Put the previewed verdicts in force, all or none; returns how many. Raises RegradeStateError."""
    with store.write() as session:
        return regrades.apply(session, regrade_id, by=by)


def undo(store: Store, regrade_id: str, *, by: str) -> int:
    """Put the verdicts from before in force again, all or none; returns how many.

    Raises RegradeStateError.
    """
    with store.write() as session:
        return regrades.undo(session, regrade_id, by=by)


def run_again(store: Store, regrade_id: str) -> int:
    """Queue, as batch, the submissions whose evidence does not tell; returns how many.

    Those that have been queued since are left out. Raises RegradeStateError before there is a preview.
    """
    with store.write() as session:
        row = regrades.get(session, regrade_id)
        if row.state not in RUNNABLE:
            raise RegradeStateError(
                f"the regrade is {row.state}; what has to run again is known once previewed"
            )
        queue = queue_name(session.get_one(AssignmentVersion, row.version).environment, "batch")
        waiting = regrades.to_run(session, regrade_id)
        for attempt in waiting:
            session.add(_next_attempt(attempt, queue))
            regrades.point_at(session, attempt.submission_id, row.version)
        return len(waiting)


def _next_attempt(last: Attempt, queue: str) -> Attempt:
    return Attempt(
        id=new_id(),
        submission_id=last.submission_id,
        number=last.number + 1,
        queue=queue,
        created_at=time.time(),
    )


def report(store: Store, regrade_id: str) -> Preview:
    """A regrade for people; raises UnknownRegradeError."""
    with store.read() as session:
        row = regrades.get(session, regrade_id)
        lines = regrades.lines(session, regrade_id)
    moves = [_moved(line) for line in lines if not line.needs_run]
    movers = [mover for mover in moves if mover.parts or mover.before != mover.after]
    ups = [mover for mover in movers if _rises(mover.before, mover.after)]
    downs = [mover for mover in movers if _rises(mover.after, mover.before)]
    return Preview(
        id=row.id, assignment=row.assignment_id, version=row.version, state=row.state, by=row.by,
        total=row.total, done=row.done, detail=row.detail,
        created_at=row.created_at, changed_at=row.changed_at,
        rises=len(ups), falls=len(downs), other=len(movers) - len(ups) - len(downs),
        unchanged=len(moves) - len(movers),
        needs_run=tuple(line.student for line in lines if line.needs_run),
        parts=_by_part(movers), movers=tuple(movers),
    )  # fmt: skip


def changes(before: Feedback, after: Feedback) -> tuple[PartChange, ...]:
    """Every part whose status, score or misconception differs, in the new order; then parts that went."""
    old, new = ({part.id: part for part in each.parts} for each in (before, after))
    return tuple(
        _change(name, old.get(name), new.get(name))
        for name in [*new, *(name for name in old if name not in new)]
        if _key(old.get(name)) != _key(new.get(name))
    )


def _references(session: Session, versions: Sequence[str]) -> list[Reference]:
    rows = session.scalars(
        select(Reference).where(Reference.version.in_(versions), Reference.evidence.is_not(None))
    )
    return sorted(rows, key=lambda row: versions.index(row.version))


def _key(part: PartFeedback | None) -> object:
    return None if part is None else (part.status, part.score, part.max_score, part.misconception)


def _change(name: str, old: PartFeedback | None, new: PartFeedback | None) -> PartChange:
    return PartChange(
        part=name,
        before=None if old is None else old.status,
        after=None if new is None else new.status,
        before_score=0.0 if old is None else old.score,
        after_score=0.0 if new is None else new.score,
        causes=tuple(_causes(old, new)),
    )


def _causes(old: PartFeedback | None, new: PartFeedback | None) -> Iterator[str]:
    """Checks whose outcome changed, and a misconception that is told now or no more."""
    before = {} if old is None else {check.id: check.outcome for check in old.checks}
    after = {} if new is None else {check.id: check.outcome for check in new.checks}
    for name in [*after, *(name for name in before if name not in after)]:
        if before.get(name) != after.get(name):
            yield f"{name}: {before.get(name, 'new')} → {after.get(name, 'gone')}"
    told = (None if old is None else old.misconception, None if new is None else new.misconception)
    if told[0] != told[1]:
        yield f"misconception: {told[0] or 'none'} → {told[1] or 'none'}"


def _moved(line: Kept) -> Mover:
    parts = msgspec.json.decode(line.changes, type=tuple[PartChange, ...])
    return Mover(line.student, line.submission, line.before, line.after, parts)


def _rises(before: float | None, after: float | None) -> bool:
    return before is not None and after is not None and after > before + DUST


def _by_part(movers: Iterable[Mover]) -> tuple[PartMoves, ...]:
    moves: dict[str, PartMoves] = {}
    for mover in movers:
        for change in mover.parts:
            move = moves.setdefault(change.part, PartMoves(change.part))
            if _rises(change.before_score, change.after_score):
                move.rises += 1
            elif _rises(change.after_score, change.before_score):
                move.falls += 1
            else:
                move.other += 1
            move.causes = dict(Counter(move.causes) + Counter(change.causes))
    return tuple(sorted(moves.values(), key=lambda move: move.part))
