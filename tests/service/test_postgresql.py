"""The whole service on PostgreSQL, its blobs at a URL of their own: no more than two settings."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from pydantic import SecretStr

from checks.evidence import Evidence
from checks.feedback import Feedback
from grader import up
from grader.store import feedback, open_store, submissions
from grader.store.tables import Attempt, FeedbackRow, Submission
from tests.grader.arithmetic import RIGHT, WRONG
from tests.service.conftest import Lms, need_service, service_settings, statuses

pytestmark = pytest.mark.service


@pytest.mark.slow
def test_a_class_is_graded_on_postgresql_with_one_verdict_each_and_found_again(postgres, tmp_path):
    need_service()
    settings = service_settings(tmp_path / "data").model_copy(
        update={
            "database_url": SecretStr(postgres.fresh(migrated=False)),
            "blobs_url": SecretStr(f"file://{tmp_path}/blobs of all hosts"),
            "serves": ("python",),
        }
    )
    with up.service(settings, print) as running:
        lms = Lms(running, settings)
        lms.publish()
        with ThreadPoolExecutor(4) as pool:
            sent = list(pool.map(lambda n: lms.submit(WRONG if n % 3 else RIGHT, f"s{n}"), range(9)))
        found = [statuses(lms.feedback(one))["part1"] for one in sent]
    assert found == ["incorrect" if number % 3 else "correct" for number in range(9)]
    assert not (settings.data_dir / "grader.sqlite").exists()
    assert not (settings.data_dir / "blobs").exists()
    store = open_store(settings)
    with store.read() as session:
        counts = [session.query(table).count() for table in (Submission, Attempt, FeedbackRow)]
        ended = session.query(Attempt.state, Attempt.evidence).all()
        document = feedback.latest(session, attempt_of(session, sent[0]["id"]))
    assert counts == [9, 9, 9]
    assert {state for state, _ in ended} == {"finished"}
    assert all(Evidence.from_bytes(store.blobs.get(name)).run.status == "completed" for _, name in ended)
    assert Feedback.from_json(document).score == 3.0
    store.close()


def attempt_of(session, submission: str) -> str:
    return submissions.progress(session, submission).attempt
