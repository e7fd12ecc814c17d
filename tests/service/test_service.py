"""HTTP -> Redis -> Celery -> sandbox -> feedback, with real processes."""

from __future__ import annotations

import subprocess
import sys

import httpx
import pytest
import redis

from checks import bundle
from tests.grader.arithmetic import RIGHT, SETUP, STARTER, WRONG, notebook
from tests.service.conftest import HERE, QUEUE, Lms, Told, statuses

pytestmark = pytest.mark.service


def slow(seconds: float) -> bytes:
    """A right submission that sleeps."""
    sleep = f"import time; time.sleep({seconds})"
    return notebook(SETUP, "squares = [0, 1, 4]\npart1.check()", sleep, "total = sum(numbers)\npart2.check()")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (RIGHT, {"part1": "correct", "part2": "correct"}),
        (WRONG, {"part1": "incorrect", "part2": "correct"}),
        (STARTER, {"part1": "not_attempted", "part2": "not_attempted"}),
        (
            notebook(SETUP, "squares = [missing]\npart1.check()", "total = sum(missing)\npart2.check()"),
            {"part1": "error", "part2": "error"},
        ),
    ],
    ids=["right", "wrong", "starter", "crash"],
)
def test_a_submission_comes_back_as_feedback(lms: Lms, content, expected):
    feedback = lms.feedback(lms.submit(content))
    assert feedback["schema"] == "feedback/1"
    assert statuses(feedback) == expected


def test_a_class_that_hands_in_at_once_gets_one_verdict_each(lms: Lms):
    sent = {
        f"pupil {number}": lms.submit(WRONG if number % 3 else RIGHT, f"pupil {number}")
        for number in range(9)
    }
    found = {name: statuses(lms.feedback(one))["part1"] for name, one in sent.items()}
    assert found == {f"pupil {number}": "incorrect" if number % 3 else "correct" for number in range(9)}
    report = lms.instructor.get(f"{HERE}/report").json()
    assert sum(row["student"] in sent for row in report["submissions"]) == 9


def test_who_watches_sees_the_queue_the_cells_and_the_verdict(lms: Lms):
    lms.submit(slow(2))
    lms.submit(slow(2))
    sent = lms.submit(slow(1))
    states, cells, parts = [], set(), []
    with lms.client.stream("GET", sent["links"]["events"], timeout=60) as stream:
        for line in stream.iter_lines():
            if line.startswith("data: "):
                told = httpx.Response(200, content=line.removeprefix("data: ")).json()
                states.append(told.get("state", "part" if "part" in told else "feedback"))
                cells.add((told.get("cells") or {}).get("total"))
                parts += [(told["part"]["id"], told["provisional"])] if "part" in told else []
    assert [state for number, state in enumerate(states) if state not in states[:number]] == [
        "queued", "running", "part", "finished", "feedback",
    ]  # fmt: skip
    assert 4 in cells
    assert parts[0] == ("part1", True), "part1's check runs a second before the notebook ends"


CLAMP = """\
id: tests/clamp
title: Clamp
environment: python
module: learntools.tests.clamp
parts:
  - id: q1
    title: Keep a number within bounds
    variables: {clamp: {}}
    checks:
      - id: cases
        calls: {of: clamp, cases: [{arguments: [20], returns: 10}, {arguments: [-20], returns: -10}]}
  - id: q2
    title: Count them
    variables: {query: {starter: ""}}
    checks:
      - sql:
          of: query
          databases:
            - id: one
              script: CREATE TABLE t (n); INSERT INTO t VALUES (1), (NULL);
              expected: {columns: ["COUNT(*)"], rows: [[2]]}
"""


# Some of its calls are told before the others are made.
SLOW_CLAMP = "import time\ndef clamp(x):\n    time.sleep(1.2)\n    return min(x, 10)"


def test_who_watches_sees_a_part_with_calls_judged_by_its_calls(lms: Lms):
    """Its snapshot comes first, its calls behind it: half of it must not be told as a verdict."""
    bind = "from learntools.core import binder; binder.bind(globals())\nfrom learntools.tests.clamp import *"
    content = notebook(
        bind,
        SLOW_CLAMP + "\nq1.check()",
        "query = 'SELECT COUNT(*) FROM t'\nq2.check()",
        "import time; time.sleep(2)",
    )
    files = {"assignment.yaml": CLAMP.encode(), "starter.ipynb": notebook(bind), "reference.ipynb": content}
    lms.instructor.post("/api/v1/assignments", content=bundle.pack(files)).raise_for_status()
    sent = lms.submit(content, to="/api/v1/assignments/tests/clamp")
    told = [(one.part, one.data["part"]["status"], one.data["provisional"]) for one in parts_told(lms, sent)]
    assert told == [("q1", "incorrect", True), ("q2", "correct", True)]


def parts_told(lms: Lms, sent: dict[str, object]) -> list[Told]:
    return [one for one in lms.watch(sent) if one.kind == "part"]


def test_messages_that_redis_forgot_are_sent_again(lms: Lms):
    waiting = [lms.submit(slow(3), f"waiting {number}") for number in range(4)]
    lms.until(waiting[0], lambda found: found["state"] == "running")
    with redis.Redis(unix_socket_path=str(lms.settings.redis_socket)) as broker:
        broker.delete(QUEUE)
    assert all(statuses(lms.feedback(one))["part1"] == "correct" for one in waiting)


def test_a_second_service_on_the_same_data_is_refused_with_the_firsts_number(lms: Lms):
    environment = lms.settings.as_environment() | {"PATH": "/usr/bin:/bin"}
    again = subprocess.run(
        [sys.executable, "-m", "grader", "up"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert again.returncode == 3
    assert "already running" in again.stderr
