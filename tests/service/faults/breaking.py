"""Ways to break a running service, and the account of what came of its submissions."""

from __future__ import annotations

import json
import signal
from dataclasses import dataclass

import psutil
from sqlalchemy import select

from grader.processes import Part
from grader.store import feedback, open_store
from grader.store.tables import Attempt, FeedbackRow, Submission
from tests.service.conftest import Lms

RIGHT_PARTS = {"part1": "correct", "part2": "correct"}


def part(lms: Lms, name: str) -> Part:
    """One of the service's own processes."""
    return next(one for one in lms.running.parts if one.name == name)


def kill(lms: Lms, name: str) -> None:
    """SIGKILL, and wait until it is gone; nobody starts it again before ``running.check()`` is called."""
    process = part(lms, name).process
    process.kill()
    process.wait()


def pool(lms: Lms) -> list[psutil.Process]:
    """The worker's pool: Celery's children, not the sandboxes."""
    return _below(lms, "celery")


def kernel_servers(lms: Lms) -> list[psutil.Process]:
    """The warm servers inside their jails, outermost process first, with what they have forked."""
    return _below(lms, "_grader_inside.server")


def kill_all(processes: list[psutil.Process]) -> None:
    """SIGKILL to each that is still there."""
    for process in processes:
        try:
            process.send_signal(signal.SIGKILL)
        except psutil.NoSuchProcess:
            continue


def _below(lms: Lms, words: str) -> list[psutil.Process]:
    try:
        found = psutil.Process(part(lms, "worker").process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []
    return [process for process in found if words in _command(process)]


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


@dataclass(frozen=True)
class Account:
    """What the database says of one submission: its tries, its verdicts, and how its parts stand."""

    state: str
    claims: int
    verdicts: int
    attempts: int
    run: str
    parts: dict[str, str]
    score: float


def account(lms: Lms, sent: dict[str, object]) -> Account:
    """The account of a submission that was answered with 202."""
    store = open_store(lms.settings)
    try:
        with store.read() as session:
            rows = session.scalars(select(Attempt).where(Attempt.submission_id == sent["id"])).all()
            verdicts = session.scalars(
                select(FeedbackRow.id).where(FeedbackRow.attempt_id.in_([row.id for row in rows]))
            ).all()
            document = json.loads(feedback.latest(session, rows[-1].id) or b"{}")
            assert session.get(Submission, sent["id"]) is not None
    finally:
        store.close()
    return Account(
        state=rows[-1].state,
        claims=rows[-1].claims,
        verdicts=len(verdicts),
        attempts=len(rows),
        run=document.get("run", {}).get("status", ""),
        parts={one["id"]: one["status"] for one in document.get("parts", [])},
        score=document.get("score", -1.0),
    )


def must_be_right(lms: Lms, sent: dict[str, object], *, claims: int | None = None) -> None:
    """One verdict, and the one that the notebook deserves; ``claims``, where known, tells of the tries."""
    found = account(lms, sent)
    assert (found.state, found.verdicts, found.attempts) == ("finished", 1, 1), found
    assert (found.run, found.parts, found.score) == ("completed", RIGHT_PARTS, 3.0), found
    assert claims is None or found.claims == claims, found
