"""Something of a running service is killed or missing while a submission is on its way."""

from __future__ import annotations

import sqlite3
import threading
import time

import psutil
import pytest

from grader.queue import Queue
from tests.grader.arithmetic import SETUP, notebook
from tests.service.conftest import Lms, statuses
from tests.service.faults.breaking import (
    RIGHT_PARTS,
    account,
    kernel_servers,
    kill,
    kill_all,
    must_be_right,
    pool,
)  # fmt: skip

pytestmark = [pytest.mark.service, pytest.mark.faults]


# What the worker says of a kernel that somebody killed.
AGAIN = "running the notebook once more"


def slow(seconds: float, first: str = "") -> bytes:
    """A right submission that does something and sleeps before its answers."""
    return notebook(
        SETUP,
        f"{first}\nimport time; time.sleep({seconds})",
        "squares = [0, 1, 4]\npart1.check()",
        "total = sum(numbers)\npart2.check()",
    )


def is_large(process: psutil.Process) -> bool:
    try:
        return bool(process.memory_info().rss > 150 << 20)
    except psutil.NoSuchProcess:
        return False


def running(lms: Lms, seconds: float = 2) -> dict[str, object]:
    """A submission whose notebook runs just now."""
    sent = lms.submit(slow(seconds))
    lms.until(sent, lambda found: found["cells"] is not None)
    return sent


def told_after(lms: Lms, count: int) -> str:
    return " ".join(lms.said[count:])


def test_the_workers_main_process(lms: Lms):
    before, children = len(lms.said), pool(lms)  # looked for first: that may take as long as the notebook
    assert children
    sent = running(lms)
    kill(lms, "worker")
    _, alive = psutil.wait_procs(children, timeout=5)
    assert alive == [], "an orphan would go on without its sandbox"
    assert statuses(lms.feedback(sent)) == RIGHT_PARTS
    must_be_right(lms, sent, claims=2)
    assert "worker ended with code -9" in told_after(lms, before)
    assert "worker was started again" in told_after(lms, before)


def test_a_process_of_the_pool(lms: Lms):
    children = pool(lms)
    sent = running(lms)
    kill_all(children)
    assert statuses(lms.feedback(sent)) == RIGHT_PARTS
    must_be_right(lms, sent, claims=2)


def test_the_warm_kernel_server(lms: Lms):
    servers = kernel_servers(lms)
    sent = running(lms)
    kill_all(servers[:1])
    assert statuses(lms.feedback(sent)) == RIGHT_PARTS
    must_be_right(lms, sent, claims=2)


def test_the_notebooks_own_kernel_from_outside(lms: Lms):
    """As the host does when it has no memory left: it takes the largest."""
    log = lms.settings.data_dir / "logs" / "worker.log"
    before = log.read_text().count(AGAIN)
    sent = lms.submit(slow(2, "ballast = b'x' * (200 << 20)"))
    lms.until(sent, lambda _: any(map(is_large, kernel_servers(lms))))
    kill_all([one for one in kernel_servers(lms) if is_large(one)])
    lms.feedback(sent)
    must_be_right(lms, sent, claims=1)
    assert log.read_text().count(AGAIN) == before + 1


def test_every_process_of_the_warm_kernel_server_in_any_order(lms: Lms):
    for order in (slice(None, None, -1), slice(1, None)):
        sent = running(lms)
        kill_all(kernel_servers(lms)[order])
        lms.feedback(sent)
        found = account(lms, sent)
        assert (found.verdicts, found.parts) == (1, RIGHT_PARTS), found


def test_redis_while_notebooks_run_and_wait(lms: Lms):
    sent = [running(lms), *(lms.submit(slow(0.5), f"waits {number}") for number in range(3))]
    kill(lms, "redis")
    for one in sent:
        assert statuses(lms.feedback(one)) == RIGHT_PARTS
        must_be_right(lms, one, claims=1)


def test_redis_is_away_when_a_notebook_comes(lms: Lms):
    kill(lms, "redis")
    sent = lms.submit(slow(0))
    # Not lms.until: nobody is to start Redis again yet.
    time.sleep(1)
    assert lms.show(sent)["state"] == "queued"
    lms.feedback(sent)
    must_be_right(lms, sent, claims=1)


def test_the_api_between_commit_and_message(lms: Lms):
    kill(lms, "redis")
    sent = lms.submit(slow(0))
    kill(lms, "api")
    lms.feedback(sent)
    must_be_right(lms, sent, claims=1)


def test_redis_with_a_damaged_file_is_filled_again_from_the_database(lms: Lms):
    before, sent = len(lms.said), [lms.submit(slow(1), f"waits {number}") for number in range(4)]
    kill(lms, "redis")
    for file in (lms.settings.data_dir / "redis" / "appendonlydir").glob("*.incr.aof"):
        file.write_bytes(b"no command\r\n" + file.read_bytes())
    for one in sent:
        lms.feedback(one)
        must_be_right(lms, one, claims=1)
    assert "was set aside" in told_after(lms, before)


def test_two_workers_get_the_same_message(lms: Lms):
    blocker = [lms.submit(slow(1), f"first {number}") for number in range(2)]
    sent = lms.submit(slow(1))
    queue = Queue(lms.settings)
    attempt = attempt_of(lms, sent)
    for _ in range(5):
        queue.send(attempt, "python.interactive")
    queue.close()
    for one in (*blocker, sent):
        lms.feedback(one)
    time.sleep(1)
    must_be_right(lms, sent, claims=1)


def attempt_of(lms: Lms, sent: dict[str, object]) -> str:
    with sqlite3.connect(lms.settings.data_dir / "grader.sqlite") as database:
        row = database.execute("SELECT id FROM attempts WHERE submission_id = ?", (sent["id"],)).fetchone()
    return str(row[0])


def test_the_database_is_locked_for_longer_than_a_lease(lms: Lms):
    sent = running(lms, 1)
    lock = sqlite3.connect(lms.settings.data_dir / "grader.sqlite", isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    came: list[dict[str, object]] = []
    poster = threading.Thread(target=lambda: came.append(lms.submit(slow(0), "came then")))
    poster.start()
    time.sleep(lms.settings.lease_seconds + 2)
    assert came == [], "202 only after the commit"
    lock.execute("ROLLBACK")
    lock.close()
    poster.join(30)
    for one in (sent, *came):
        lms.feedback(one)
        must_be_right(lms, one)
    assert account(lms, sent).claims == 1, "nobody is blamed for what made everybody wait"


def test_a_worker_that_stood_still_and_lost_its_lease_stores_nothing(lms: Lms):
    held = pool(lms)
    sent = running(lms, 1)
    for process in held:
        process.suspend()
    deadline = time.monotonic() + 30
    while account(lms, sent).state == "running" and time.monotonic() < deadline:
        time.sleep(0.2)
    assert account(lms, sent).state == "queued"
    for process in held:
        process.resume()
    lms.feedback(sent)
    time.sleep(2)
    must_be_right(lms, sent, claims=2)


def test_the_api_while_somebody_watches(lms: Lms):
    sent = running(lms, 3)
    seen = lms.watch(sent, until=lambda kinds: len(kinds) >= 2)
    kill(lms, "api")
    lms.heal()
    rest = lms.watch(sent, after=seen[-1].mark)
    assert rest[-1].kind == "feedback"
    assert {one.part for one in (*seen, *rest) if one.kind == "part"} == {"part1", "part2"}
    assert not {one.mark for one in seen} & {one.mark for one in rest if one.mark}
