"""Regrading: submissions judged again a second on one core, from stored evidence; verdicts applied a second.

``python -m tests.bench.regrading`` measures this alone.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
from sqlalchemy import insert

from checks.assignment import Assignment
from checks.evidence import Evidence
from checks.feedback import SubmissionInfo
from checks.judge import judge
from grader import regrade
from grader.bundles import read_bundle
from grader.local import LocalGrader
from grader.receive import publish_bundle
from grader.settings import Settings
from grader.store import Store, open_store
from grader.store.database import migrate
from grader.store.regrades import How
from grader.store.tables import Attempt, FeedbackRow, Submission
from tests.bench.timing import Row
from tests.conftest import ROOT

MANY = 500
EXERCISES = ("ex1_embedding_layers", "ex3_gensim")
TARGET = 200
EVERY = 4  # of the samples: right and wrong answers of all sorts


def rows(scratch: Path) -> Iterator[Row]:
    """For each exercise: judged again, then applied, a second of processor time."""
    for name in EXERCISES:
        folder = next((ROOT / "fixtures").glob(f"*/{name}"), None)
        if folder is None:
            continue
        files = read_bundle(folder)
        settings = Settings(data_dir=scratch / name, broker_url="memory://")  # type: ignore[arg-type]
        notebooks = sorted((folder / "submissions").glob("*/*.ipynb"))[::EVERY]
        yield from _measured(name, settings, files, notebooks)


def _measured(name: str, settings: Settings, files: dict[str, bytes], notebooks: list[Path]) -> Iterator[Row]:
    with LocalGrader(settings, files) as grader:
        ran = [grader.grade(path.read_bytes(), path.parent.name).evidence for path in notebooks]
        reference = grader.reference
    store = open_store(settings)
    migrate(store.engine)
    publish_bundle(store, files)
    assignment = Assignment.from_files(files)
    _fill(store, assignment, [each for each in ran if each is not None], reference)
    made = regrade.begin(store, assignment.id, None, How("bench"))
    previewed = _seconds(lambda: regrade.preview(store, made, lambda _: reference))
    applied = _seconds(lambda: regrade.apply(store, made, by="bench"))
    rate = MANY / previewed
    yield Row(
        f"judge {name} again", f"{rate:.0f} a second", "", f"{rate / TARGET:.1f}x", f"{TARGET} a second"
    )
    yield Row(f"apply {name}", f"{MANY / applied:.0f} a second", "", "", "2000 a second")
    store.close()


def _seconds(work: object) -> float:
    started = time.process_time()
    work()  # type: ignore[operator]
    return time.process_time() - started


def _fill(store: Store, assignment: Assignment, ran: list[Evidence], reference: Evidence | None) -> None:
    """As many graded submissions as there must be, from a few runs."""
    blobs = [store.blobs.put(each.to_bytes()) for each in ran]
    with store.write() as session:
        for number in range(MANY):
            kind, key = number % len(ran), f"0{number:06d}"
            verdict = judge(assignment, ran[kind], reference, SubmissionInfo(key, key, ran[kind].notebook))
            given = msgspec.structs.asdict(verdict)
            session.execute(
                insert(Submission).values(
                    id=key, assignment_id=assignment.id, version=assignment.version, student=key, number=1,
                    notebook=ran[kind].notebook, created_at=float(number),
                )
            )  # fmt: skip
            session.execute(
                insert(Attempt).values(
                    id=key, submission_id=key, number=1, queue="x", created_at=0.0, state="finished",
                    evidence=blobs[kind], finished_at=1.0,
                )
            )  # fmt: skip
            session.execute(
                insert(FeedbackRow).values(
                    id=key, attempt_id=key, version=assignment.version, evidence=blobs[kind],
                    run_status=verdict.run.status, score=given["score"], max_score=given["max_score"],
                    document=verdict.to_json(), created_at=1.0,
                )
            )  # fmt: skip


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="grader-bench-") as folder_name:
        for row in rows(Path(folder_name)):
            print(row.markdown(), file=sys.stdout, flush=True)
