"""A class of sixty for pages to show: real verdicts on real evidence, handed in over some days.

``sums`` needs no sandbox: evidence of the tiny assignment, made by hand. ``samples`` runs an example course's
sample submissions once in the sandbox. As a program it fills a folder that ``grader up`` can serve:

    python -m tests.browser.klass DATA_DIR
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
from sqlalchemy import update
from sqlalchemy.orm import Session

from checks.assignment import Assignment
from checks.evidence import CellRun, Evidence, Run, Snapshot, encode_frame
from checks.feedback import Feedback, SubmissionInfo, system_error_feedback
from checks.judge import judge
from grader.bundles import read_bundle
from grader.local import LocalGrader
from grader.receive import Sent, publish_bundle, receive_notebook
from grader.settings import Settings
from grader.store import Store, attempts, open_store
from grader.store.attempts import Lease, Remains
from grader.store.database import migrate
from grader.store.tables import Attempt, Submission
from tests.checks.making import node
from tests.conftest import ROOT
from tests.grader.arithmetic import BUNDLE, SETUP, notebook

DAY = 86_400.0
NAMES = [
    "Ada Lovelace",
    "Alan Turing",
    "Annie Easley",
    "Barbara Liskov",
    "Blaise Pascal",
    "Carl Friedrich Gauß",
    "Chien-Shiung Wu",
    "Claude Shannon",
    "Daphne Koller",
    "Donald Knuth",
    "Dorothy Vaughan",
    "Edsger Dijkstra",
    "Emmy Noether",
    "Erna Hoover",
    "Evelyn Boyd Granville",
    "Fei-Fei Li",
    "Frances Allen",
    "Françoise Barré-Sinoussi",
    "Gladys West",
    "Grace Hopper",
    "Hedy Lamarr",
    "Hypatia",
    "Ida Rhodes",
    "Jean Bartik",
    "Joan Clarke",
    "John Backus",
    "Karen Spärck Jones",
    "Katherine Johnson",
    "Kateryna Yushchenko",
    "Kathleen Booth",
    "Katsuko Saruhashi",
    "Leslie Lamport",
    "Lise Meitner",
    "Lynn Conway",
    "Margaret Hamilton",
    "Marie Curie",
    "Maryam Mirzakhani",
    "Mary Jackson",
    "Mary Somerville",
    "Max Newman",
    "Muriel Cooper",
    "Niels Bohr",
    "Olga Ladyzhenskaya",
    "Peter Naur",
    "Radia Perlman",
    "Ramanujan",
    "Rosalind Franklin",
    "Rózsa Péter",
    "Ruth Teitelbaum",
    "Shafi Goldwasser",
    "Sofja Kowalewskaja",
    "Sophie Germain",
    "Sophie Wilson",
    "Stephanie Shirley",
    "Tim Berners-Lee",
    "Tu Youyou",
    "Ursula Franklin",
    "Vera Rubin",
    "Wang Zhenyi",
    "Zuse, Konrad",
]


@dataclass(frozen=True)
class Sample:
    """One notebook that was run: what it left, and the verdict. ``full``: nothing is wanting."""

    notebook: bytes
    evidence: bytes
    executed: bytes
    feedback: Feedback

    @property
    def full(self) -> bool:
        return self.feedback.score >= self.feedback.max_score


SQUARES = (
    "[0, 1, 4]",
    "[0, 1, 2]",
    "[0, 1, 2]",
    "[1, 4, 9]",
    "[0.0, 1.0, 4.0000001]",
    "[0, 2, 4]",
    "(0, 1, 4)",
    "None",
)
TOTALS = ("42", "42", "41", "3", "42.5", "1", "2", "39", "None")


def sums() -> list[Sample]:
    """The tiny assignment's answers in many combinations, without a sandbox."""
    assignment = Assignment.from_files(BUNDLE)
    reference = _run(assignment, "[0, 1, 4]", "42")
    pairs = [(one, other) for one in SQUARES for other in TOTALS]
    return [_judged(assignment, reference, *pair) for pair in pairs]


def _judged(assignment: Assignment, reference: Evidence, squares: str, total: str) -> Sample:
    evidence = _run(assignment, squares, total)
    raw = notebook(SETUP, f"squares = {squares}\npart1.check()", f"total = {total}\npart2.check()")
    return Sample(raw, evidence.to_bytes(), raw, judge(assignment, evidence, reference, INFO))


INFO = SubmissionInfo("sample", "sample", "sha256:0")


def _run(assignment: Assignment, squares: str, total: str) -> Evidence:
    values = {"squares": eval(squares), "total": eval(total)}
    snapshots = tuple(
        Snapshot(part, "check", cell, encode_frame(part, "check", cell + 1, {name: node(values[name])}))
        for part, cell, name in (("part1", 1, "squares"), ("part2", 2, "total"))
    )
    texts = (SETUP, f"squares = {squares}\npart1.check()", f"total = {total}\npart2.check()")
    cells = tuple(CellRun(at, text, "ok", 0.02 + 0.3 * (at == 0)) for at, text in enumerate(texts))
    seconds = 0.4 + len(squares) * 0.05 + len(total) * 0.4
    run = Run("completed", seconds, "tensorflow@sha256:0b1c", "cgroup")
    return Evidence("sha256:0", assignment.version, run, cells, snapshots)


def samples(settings: Settings, folder: Path) -> list[Sample]:
    """An example course's sample submissions, run here and now in the sandbox."""
    with LocalGrader(settings, read_bundle(folder)) as grader:
        return [_graded(grader, path) for path in sorted(folder.glob("submissions/*/submission.ipynb"))]


def _graded(grader: LocalGrader, path: Path) -> Sample:
    raw = path.read_bytes()
    found = grader.grade(raw, path.parent.name)
    assert found.evidence is not None
    assert found.executed is not None
    return Sample(raw, found.evidence.to_bytes(), found.executed, found.feedback)


def fill(
    store: Store,
    assignment: Assignment,
    pool: Sequence[Sample],
    *,
    names: Iterable[str] = NAMES,
    seed: int = 5,
) -> None:
    """Hand in for everybody: most get there after some tries, some wait, two met our own faults."""
    chance = random.Random(seed)
    right = [sample for sample in pool if sample.full]
    wrong = [sample for sample in pool if not sample.full]
    begun = time.time() - 6 * DAY
    for at, name in enumerate(names):
        moment = begun + chance.random() * 4 * DAY
        series = [
            chance.choice(wrong[: 1 + len(wrong) // 2 + at % 7])
            for _ in range(chance.choice((0, 1, 1, 2, 3)))
        ]
        series += [chance.choice(right)] if chance.random() < 0.55 or not series else []
        for sample in series:
            moment += chance.random() * DAY / 3
            _hand_in(store, assignment, name, sample.notebook, moment=moment, end=_finisher(store, sample))
        if at % 23 == 7:
            _hand_in(
                store, assignment, name, pool[0].notebook, moment=time.time() - 90, end=_parker(assignment)
            )
        elif at % 19 == 11:
            _hand_in(store, assignment, name, pool[1].notebook, moment=time.time() - 30, end=None)


Ending = Callable[[Session, Lease, SubmissionInfo], None]


def _hand_in(
    store: Store, assignment: Assignment, name: str, raw: bytes, *, moment: float, end: Ending | None
) -> None:
    sent = receive_notebook(store, Sent(assignment.id, name, raw)).progress
    with store.write() as session:
        if end is not None:
            lease = attempts.claim(session, sent.attempt, seconds=60)
            assert lease is not None
            end(session, lease, SubmissionInfo(sent.id, name, sent.notebook))
        session.execute(update(Submission).where(Submission.id == sent.id).values(created_at=moment))
        session.execute(update(Attempt).where(Attempt.id == sent.attempt).values(created_at=moment))
        if end is not None:
            times = {"started_at": moment + 0.4, "finished_at": moment + 4.0}
            session.execute(update(Attempt).where(Attempt.id == sent.attempt).values(**times))


def _finisher(store: Store, sample: Sample) -> Ending:
    remains = Remains(store.blobs.put(sample.evidence), store.blobs.put(sample.executed))

    def end(session: Session, lease: Lease, info: SubmissionInfo) -> None:
        verdict = msgspec.structs.replace(sample.feedback, submission=info)
        assert attempts.finish(session, lease, verdict, remains)

    return end


def _parker(assignment: Assignment) -> Ending:
    def end(session: Session, lease: Lease, info: SubmissionInfo) -> None:
        why = "the sandbox did not start: no space left on device"
        assert attempts.park(session, lease, system_error_feedback(assignment, info, why), reason=why)

    return end


def main(data: Path) -> None:
    """Fill ``data`` with the class of the gensim exercise, and print where the pages begin."""
    settings = Settings(data_dir=data)
    folder = ROOT / "fixtures" / "embeddings" / "ex3_gensim"
    pool = samples(settings, folder)
    store = open_store(settings)
    migrate(store.engine)
    files = read_bundle(folder)
    publish_bundle(store, files)
    fill(store, Assignment.from_files(files), pool)
    store.close()
    print(f"GRADER_DATA_DIR={data} grader up, then open /courses")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
