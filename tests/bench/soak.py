"""The service under random kills and under a burst, with an account of every submission at the end.

    python -m tests.bench.soak [--storm 500] [--burst 1000] [--every 3] [--seed 1]

The storm sends submissions while processes of the service are killed at random; the burst sends them as fast
as they are accepted and looks at their places in the queue. Both end with one line for each way in which
submissions came out. The tests run both in a short form.
"""

from __future__ import annotations

import argparse
import random
import secrets
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import msgspec
import psutil
from sqlalchemy import func, select

from grader import up
from grader.store import Store, feedback, open_store, submissions
from grader.store.tables import Attempt, FeedbackRow, Submission
from tests.grader.arithmetic import RIGHT, STARTER, WRONG
from tests.service.conftest import HERE, Lms, service_settings
from tests.service.faults.breaking import kernel_servers, kill, kill_all, pool

# Notebook, its parts' statuses, its points.
KINDS: tuple[tuple[bytes, tuple[str, str], float], ...] = (
    (RIGHT, ("correct", "correct"), 3.0),
    (WRONG, ("incorrect", "correct"), 2.0),
    (STARTER, ("not_attempted", "not_attempted"), 0.0),
)


def _one_of(rng: random.Random, found: list[psutil.Process]) -> list[psutil.Process]:
    return rng.sample(found, min(1, len(found)))


VICTIMS: tuple[tuple[str, int, Callable[[Lms, random.Random], None]], ...] = (
    ("pool process", 8, lambda lms, rng: kill_all(rng.sample(found := pool(lms), min(1, len(found))))),
    (
        "kernel server",
        5,
        lambda lms, rng: kill_all(rng.sample(found := kernel_servers(lms), min(1, len(found)))),
    ),
    ("worker", 4, lambda lms, rng: kill(lms, "worker")),
    ("redis", 2, lambda lms, rng: kill(lms, "redis")),
    ("api", 2, lambda lms, rng: kill(lms, "api")),
)
PATIENCE = 1800.0


@dataclass
class Outcome:
    """What came of a storm or burst: how many came out how, and what must not be."""

    seconds: float
    sent: int
    ways: Counter[str] = field(default_factory=Counter)
    tries: Counter[int] = field(default_factory=Counter)
    kills: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def show(self, title: str) -> None:
        """Print the account."""
        print(
            f"\n{title}: {self.sent} submissions in {self.seconds:.0f} s ({self.sent / self.seconds:.1f}/s)"
        )
        for what, counted in (("killed", self.kills), ("came out", self.ways), ("tries", self.tries)):
            print(f"  {what}: " + ", ".join(f"{name}: {number}" for name, number in sorted(counted.items())))
        for line in self.wrong[:20]:
            print(f"  WRONG: {line}")
        print("  every submission has exactly the verdict that it deserves" if not self.wrong else "  FAILED")


def storm(lms: Lms, count: int, *, every: float, seed: int, apart: int = 1) -> Outcome:
    """Send ``count`` submissions while something is killed every so many seconds; wait for all verdicts.

    Between two kills come ``apart`` verdicts at least, or nothing would ever get done.
    """
    rng, began, sent = random.Random(seed), time.monotonic(), dict[int, str]()
    keys, before = [secrets.token_hex(8) for _ in range(count)], _ended(lms)
    kills: Counter[str] = Counter()
    next_kill, enough = began + every, apart
    while not (len(sent) == count and _all_ended(lms)):
        assert time.monotonic() - began < PATIENCE, "not all ended"
        lms.running.check()
        _send_some(lms, sent, keys, until=time.monotonic() + 0.3)
        ended = _ended(lms) - before
        if time.monotonic() > next_kill and enough <= ended < count * 0.9:
            next_kill, enough = time.monotonic() + every * rng.uniform(0.5, 1.5), ended + apart
            name, _, strike = rng.choices(VICTIMS, [weight for _, weight, _ in VICTIMS])[0]
            strike(lms, rng)
            kills[name] += 1
            for part in lms.running.parts:
                part.deaths = 0
        time.sleep(0.1)
    outcome = Outcome(time.monotonic() - began, count, kills=kills)
    _audit(lms, sent, outcome)
    return outcome


def burst(lms: Lms, count: int) -> Outcome:
    """Send ``count`` submissions from eight clients at once, look at their places, wait for all verdicts."""
    began = time.monotonic()
    with ThreadPoolExecutor(8) as clients:
        made = list(clients.map(lambda number: _send(lms, number, secrets.token_hex(8)), range(count)))
    accepted = time.monotonic() - began
    places = [_places(lms)]
    while not _all_ended(lms):
        assert time.monotonic() - began < PATIENCE, "not all ended"
        lms.running.check()
        time.sleep(1)
        places.append(_places(lms))
    outcome = Outcome(time.monotonic() - began, count)
    outcome.wrong += [f"places in the queue: {found}" for found in places if found != _counted(found)]
    outcome.ways[f"accepted in {accepted:.1f} s, longest queue {len(places[0])}"] = count
    _audit(lms, dict(enumerate(made)), outcome)
    return outcome


def _counted(places: Sequence[int]) -> list[int]:
    return list(range(1, len(places) + 1))


def _places(lms: Lms) -> list[int]:
    """The places of all that wait, in the order in which they were accepted, at one moment."""
    with _Opened(lms) as store, store.read() as session:
        waiting = session.scalars(
            select(Attempt.submission_id)
            .where(Attempt.state == "queued")
            .order_by(Attempt.created_at, Attempt.id)
        ).all()
        return [submissions.progress(session, one).position for one in waiting]


def _send_some(lms: Lms, sent: dict[int, str], keys: list[str], *, until: float) -> None:
    while len(sent) < len(keys) and time.monotonic() < until:
        try:
            sent[len(sent)] = _send(lms, len(sent), keys[len(sent)])
        except httpx.HTTPError:
            # The API was killed: whether it had committed or not, the same key asks again.
            return


def _send(lms: Lms, number: int, key: str) -> str:
    answer = lms.client.post(
        f"{HERE}/submissions",
        data={"student": f"student {number}"},
        files={"notebook": ("a.ipynb", KINDS[number % len(KINDS)][0])},
        headers={"Idempotency-Key": key},
    ).raise_for_status()
    return str(answer.json()["id"])


def _all_ended(lms: Lms) -> bool:
    with _Opened(lms) as store, store.read() as session:
        going = select(func.count()).where(Attempt.state.in_(("queued", "running")))
        return session.scalar(going) == 0


def _ended(lms: Lms) -> int:
    with _Opened(lms) as store, store.read() as session:
        return session.scalar(select(func.count()).where(Attempt.state == "finished")) or 0


def _audit(lms: Lms, sent: dict[int, str], outcome: Outcome) -> None:
    with _Opened(lms) as store, store.read() as session:
        for number, submission in sent.items():
            attempt = session.scalars(select(Attempt).where(Attempt.submission_id == submission)).one()
            verdicts = session.scalar(select(func.count()).where(FeedbackRow.attempt_id == attempt.id))
            document: dict[str, Any] = msgspec.json.decode(feedback.latest(session, attempt.id) or b"{}")
            parts = tuple(part["status"] for part in document.get("parts", ()))
            outcome.ways[f"{attempt.state} {'/'.join(parts)}"] += 1
            outcome.tries[attempt.claims] += 1
            _, deserved, points = KINDS[number % len(KINDS)]
            if (verdicts, parts, document.get("score")) != (1, deserved, points):
                outcome.wrong.append(
                    f"{submission}: {verdicts} verdicts, {parts}, {document.get('run')}, {attempt.reason}"
                )
        students = session.scalars(
            select(Submission.student).where(Submission.id.in_(sent.values())).distinct()
        ).all()
        if len(students) != len(sent) or len(set(sent.values())) != len(sent):
            outcome.wrong.append("a submission was lost or made twice")


class _Opened:
    """The service's store, for a moment."""

    def __init__(self, lms: Lms) -> None:
        self._store = open_store(lms.settings)

    def __enter__(self) -> Store:
        return self._store

    def __exit__(self, *_: object) -> None:
        self._store.close()


def main() -> int:
    """The long form; exit 1 where anything is wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--storm", type=int, default=500)
    parser.add_argument("--burst", type=int, default=1000)
    parser.add_argument("--every", type=float, default=3.0, help="seconds between two kills")
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        settings = service_settings(Path(folder) / "data")
        with up.service(settings, lambda line: print(f"· {line}"[:160], file=sys.stderr)) as running:
            lms = Lms(running, settings)
            lms.publish()
            if wanted.storm:
                outcome = storm(lms, wanted.storm, every=wanted.every, seed=wanted.seed)
                outcome.show("storm")
                wrong += len(outcome.wrong)
            if wanted.burst:
                outcome = burst(lms, wanted.burst)
                outcome.show("burst")
                wrong += len(outcome.wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
