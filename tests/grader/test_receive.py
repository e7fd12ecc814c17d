from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from checks.errors import BundleError, SpecError
from grader.notebooks import NotANotebookError
from grader.receive import BadRequestError, Sent, publish_bundle, receive_bundle, receive_notebook
from grader.store import assignments, submissions
from grader.store.acceptance import KeyReusedError
from grader.store.assignments import UnknownAssignmentError
from grader.store.tables import AssignmentVersion, Attempt, Submission
from tests.grader.arithmetic import BUNDLE, RIGHT, WRONG

HERE = "tests/arithmetic"


def stored(store, table) -> int:
    with store.read() as session:
        return session.query(table).count()


def test_a_submission_and_its_queued_attempt_are_stored_together(store):
    receipt = receive_notebook(store, Sent(HERE, "Ada Ångström", RIGHT))
    with store.read() as session:
        found = submissions.progress(session, receipt.submission)
        assert (found.student, found.number, found.state, found.position) == ("Ada Ångström", 1, "queued", 1)
        assert attempts_without_message(session) == [found.attempt]
    assert b"sum(numbers)" in store.blobs.get(found.notebook)


def attempts_without_message(session):
    return [row.id for row in session.query(Attempt).filter(Attempt.message_at.is_(None))]


def test_a_students_submissions_are_numbered_also_when_they_come_at_once(store):
    with ThreadPoolExecutor(8) as pool:
        made = list(
            pool.map(lambda _: receive_notebook(store, Sent(HERE, "ada", RIGHT)).submission, range(16))
        )
    with store.read() as session:
        assert sorted(submissions.progress(session, one).number for one in made) == list(range(1, 17))


def test_the_same_key_gets_the_same_submission(store):
    with ThreadPoolExecutor(8) as pool:
        sent = Sent(HERE, "ada", RIGHT, token="t", key="k")
        receipts = list(pool.map(lambda _: receive_notebook(store, sent), range(8)))
    assert len({receipt.submission for receipt in receipts}) == 1
    assert sum(receipt.created for receipt in receipts) == 1
    assert stored(store, Submission) == 1


@pytest.mark.parametrize("change", [{"student": "bob"}, {"notebook": WRONG}])
def test_a_key_with_another_request_is_refused(store, change):
    fields = {"assignment": HERE, "student": "ada", "notebook": RIGHT, "token": "t", "key": "k"}
    receive_notebook(store, Sent(**fields))
    with pytest.raises(KeyReusedError):
        receive_notebook(store, Sent(**fields | change))
    assert stored(store, Submission) == 1


def test_keys_of_different_tokens_do_not_meet(store):
    first, second = (
        receive_notebook(store, Sent(HERE, "ada", RIGHT, token=token, key="k")) for token in "ab"
    )
    assert first.submission != second.submission


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"assignment": "tests/none"}, UnknownAssignmentError),
        ({"notebook": b"no"}, NotANotebookError),
        ({"student": "  "}, BadRequestError),
        ({"student": "x" * 201}, BadRequestError),
        ({"student": "a\nb"}, BadRequestError),
        ({"key": ""}, BadRequestError),
        ({"key": "é"}, BadRequestError),
        ({"key": "k" * 201}, BadRequestError),
    ],
)
def test_what_cannot_be_graded_is_refused_and_nothing_is_kept(store, change, error):
    with pytest.raises(error):
        receive_notebook(store, Sent(**{"assignment": HERE, "student": "ada", "notebook": RIGHT} | change))
    assert stored(store, Submission) == 0


def test_a_version_is_kept_for_ever_and_a_submission_keeps_the_one_it_was_made_for(store):
    before = receive_notebook(store, Sent(HERE, "ada", RIGHT)).submission
    changed = BUNDLE | {
        "assignment.yaml": BUNDLE["assignment.yaml"].replace(b"title: Sums", b"title: Sums, again")
    }
    published = publish_bundle(store, changed)
    after = receive_notebook(store, Sent(HERE, "ada", RIGHT)).submission
    with store.read() as session:
        versions = [submissions.progress(session, one).version for one in (before, after)]
        assert versions[1] == published.version != versions[0]
        assert assignments.current(session, HERE).title == "Sums, again"
    assert stored(store, AssignmentVersion) == 2


def test_publishing_the_same_again_changes_nothing(store):
    with store.read() as session:
        before = assignments.current(session, HERE)
    assert publish_bundle(store, BUNDLE) == before
    assert stored(store, AssignmentVersion) == 1


def test_bad_bundles_are_refused(store):
    with pytest.raises(BundleError):
        receive_bundle(store, b"no archive")
    with pytest.raises(SpecError, match="titel"):
        publish_bundle(store, BUNDLE | {"assignment.yaml": b"titel: x\n"})
