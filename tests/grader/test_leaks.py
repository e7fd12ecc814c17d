"""Every byte that a student or a learning system can get: nothing of it tells what is hidden."""

from __future__ import annotations

import csv
import io
import json
import re
import time
import zipfile
from html import unescape
from urllib.parse import urlsplit

import msgspec
import pytest

from checks import bundle
from checks.assignment import Assignment
from checks.evidence import Evidence
from checks.feedback import Feedback, SubmissionInfo
from checks.judge import judge, judge_part
from grader import grades, regrade
from grader.api.service import Service
from grader.exporters import gradescope
from grader.store import attempts, due, submissions
from grader.store.attempts import Remains
from grader.store.regrades import How
from tests.checks.making import cell, evidence, snapshot
from tests.grader.arithmetic import BUNDLE, RIGHT, notebook

# The views are the same on every database.
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
HERE = "/api/v1/assignments/tests/arithmetic"
DAY = 86_400
# Every word that begins with "never" is for instructors, with "later" for after the due date as well.
SPEC = """
id: tests/arithmetic
title: Sums
environment: tensorflow
module: learntools.tests.sums
inputs: {../input/numbers.csv: ../data/numbers.csv}
parts:
  - id: never_part
    title: never-title
    visible: instructors
    variables: {squares: {starter: null}}
    hints: [never-hint]
    checks: [{id: never_id, equal: {of: squares, to: {value: [0, 1, 4]}}, message: never-said}]
    solution: never-solution
  - id: later_part
    title: later-title
    visible: after_due
    points: 2
    variables: {squares: {starter: null}}
    hints: [later-hint]
    checks: [{id: later_id, equal: {of: squares, to: {value: [0, 1, 4]}}, message: later-said}]
    solution: never-solution
  - id: part1
    title: A list
    variables: {squares: {starter: null}}
    hints: [A hint.]
    checks:
      - {id: open, type: {of: squares, is: [list]}, message: No list., remark: A list it is.}
      - {id: never_check, hidden: true, equal: {of: squares, to: {value: [0, 1, 4]}}, message: never-wrong}
      - {id: later_check, visible: after_due, size: {of: squares, length: 3}, message: later-short}
      - {id: mute, message_visible: after_due, size: {of: squares, length: 3}, message: later-mute}
      - {id: inner, all: [{hidden: true, size: {of: squares, length: 3}, message: never-inner}]}
      - {id: never_kind, hidden: true, type: {of: squares, is: [list]}, remark: never-remark}
      - {id: later_kind, visible: after_due, type: {of: squares, is: [list]}, remark: later-remark}
    misconceptions:
      - id: never_known
        visible: instructors
        when: {equal: {of: squares, to: {value: [9]}}}
        message: never-known
    solution: never-solution
  - id: part2
    title: A sum
    needs: [never_part, later_part]
    variables: {total: {starter: null}}
    checks: [{id: same, equal: {of: total, to: reference}}]
  - id: part3
    title: A fault
    variables: {total: {starter: null}}
    checks: [{id: broken, equal: {of: total, to: {formula: 7654321 / 0}}}]
"""
AUTHORS = notebook("squares, total = [0, 1, 4], 42  # never-reference")
FILES = BUNDLE | {"assignment.yaml": SPEC.encode(), "reference.ipynb": AUTHORS}
ASSIGNMENT = Assignment.from_files(FILES)
PARTS = tuple(part.id for part in ASSIGNMENT.parts)
ANSWERS = {"wrong": [1, 2], "known": [9], "right": [0, 1, 4]}


def run(squares: list[int]) -> Evidence:
    values = {"squares": squares, "total": 42}
    made = evidence(
        [cell(0, "squares = 1\ntotal = 42")],
        [
            snapshot(part.id, "check", 0, {name: values[name] for name in part.variables})
            for part in ASSIGNMENT.parts
        ],
    )
    return msgspec.structs.replace(made, assignment=ASSIGNMENT.version)


REFERENCE = run([0, 1, 4])


def send(client, student: str = "ada") -> dict:
    return client.post(
        f"{HERE}/submissions",
        data={"student": student},
        files={"notebook": ("a.ipynb", RIGHT)},
        headers=client.headers_of["lms"],
    ).json()


def work(store, submission: str, squares: list[int]) -> Feedback:
    """Run and judge as a worker does, telling each part when it was judged."""
    made = run(squares)
    with store.write() as session:
        found = submissions.progress(session, submission)
        lease = attempts.claim(session, found.attempt, seconds=60)
        attempts.report(session, lease, phase="running", cell=1, cells=1)
        for part in PARTS:
            attempts.report_part(session, lease, judge_part(ASSIGNMENT, part, made, REFERENCE))
        verdict = judge(ASSIGNMENT, made, REFERENCE, SubmissionInfo(found.id, found.student, found.notebook))
        remains = Remains(store.blobs.put(made.to_bytes()), store.blobs.put(RIGHT))
        assert attempts.finish(session, lease, verdict, remains)
    return verdict


def publish(client, files: dict[str, bytes]) -> None:
    client.post(
        "/api/v1/assignments", content=bundle.pack(files), headers=client.headers_of["instructor"]
    ).raise_for_status()


@pytest.fixture
def told(client, store) -> dict[str, dict]:
    """One submission of ada's for each of ANSWERS, and one of another student's."""
    publish(client, FILES)
    sent = {name: send(client) for name in ANSWERS} | {"other": send(client, "never-student")}
    for name, each in sent.items():
        work(store, each["id"], ANSWERS.get(name, [1]))
    return sent


def views(client, sent: dict) -> dict[str, str]:
    """Everything that ada and a learning system get, by where."""
    lms, key = client.headers_of["lms"], urlsplit(sent["links"]["page"]).query
    address, page = f"/api/v1/submissions/{sent['id']}", f"/feedback/{sent['id']}"
    asked = {
        "page": f"{page}?{key}",
        "frame": f"{page}/notebook?{key}",
        "file": f"{page}/annotated.ipynb?{key}",
    }
    for path in ("", "/feedback", "/events", "/notebook", "/notebook?executed=true"):
        asked[path] = address + path + ("&" if "?" in path else "?") + key
    got = {name: client.get(path) for name, path in asked.items()}
    for path in ("", "/feedback", "/events", "/notebook?executed=true"):
        got[f"lms {path}"] = client.get(address + path, headers=lms)
    for number in range(9):
        again = client.get(f"{address}/events?{key}", headers={"Last-Event-ID": f"1.{number}"})
        got[f"again {number}"] = again
    got["listed"] = client.get("/api/v1/assignments", headers=lms)
    assert {answer.status_code for answer in got.values()} <= {200, 204}
    return {name: unescape(answer.text) for name, answer in got.items()} | files(client)


def files(client) -> dict[str, str]:
    """What instructors hand to ada: her folder, and what learning systems show her."""
    instructor = client.headers_of["instructor"]
    archive = zipfile.ZipFile(io.BytesIO(client.get(f"{HERE}/feedback.zip", headers=instructor).content))
    given = {
        name: unescape(archive.read(name).decode()) for name in archive.namelist() if name.startswith("ada/")
    }
    rows = [["Identifier", "Full name", "Grade", "Maximum grade", "Feedback comments"]]
    rows.append(["Participant 1", "ada", "", "100", ""])
    sheet = io.StringIO()
    csv.writer(sheet).writerows(rows)
    template = {"template": ("t.csv", sheet.getvalue().encode())}
    filled = client.post(f"{HERE}/grades.csv?format=moodle", files=template, headers=instructor)
    document = json.loads(results_of_ada(client.app.state.service))
    tests = [each for each in document["tests"] if each["visibility"] == "visible"]
    assert "ada" in filled.text
    return given | {"moodle": filled.text, "gradescope": json.dumps(tests)}


def results_of_ada(service: Service) -> bytes:
    """Her results for Gradescope, as if her total stood: without one she would be left out of the file."""
    with service.store.read() as session:
        dates = due.of_assignment(session, "tests/arithmetic")
        found = [each for each in grades.stored(session, "tests/arithmetic") if each.student == "ada"]
    told = found[-1].grade(lambda judged: service.for_student(judged, dates))
    return gradescope.results(msgspec.structs.replace(told, score=1.0))


def words(text: str) -> set[str]:
    return set(re.findall(r"(?:never|later)[-_]\w+|7654321", text.replace("\\", "")))


def leaks(client, sent: dict) -> dict[str, set[str]]:
    return {name: found for name, text in views(client, sent).items() if (found := words(text))}


@pytest.mark.parametrize("name", ANSWERS)
def test_before_the_due_date_no_view_tells_a_hidden_word(client, told, name):
    assert leaks(client, told[name]) == {}
    put_due(client, time.time() + DAY)
    assert leaks(client, told[name]) == {}


@pytest.mark.parametrize("name", ANSWERS)
def test_from_the_due_date_on_only_what_waited_for_it_is_told(client, told, name):
    put_due(client, time.time() - DAY)
    found = set().union(*leaks(client, told[name]).values())
    assert found
    assert not [word for word in found if not word.startswith("later")]
    extension = {"student": "ada", "due": moment(time.time() + DAY)}
    client.put(
        f"{HERE}/extensions", json=extension, headers=client.headers_of["instructor"]
    ).raise_for_status()
    assert leaks(client, told[name]) == {}


def put_due(client, at: float) -> None:
    answer = client.put(f"{HERE}/due", json={"due": moment(at)}, headers=client.headers_of["instructor"])
    answer.raise_for_status()


def moment(at: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))


def test_instructors_see_all_of_it(client, told):
    document = client.get(told["wrong"]["links"]["feedback"], headers=client.headers_of["instructor"]).text
    assert {"never-said", "later-short", "never-wrong", "never-title", "7654321"} <= words(document)


def test_events_of_an_older_version_tell_nothing_that_it_hid(client, store, told):
    """A hidden part is dropped and everybody is judged again: what was told of it comes no more."""
    head, _, rest = SPEC.partition("  - id: never_part\n")
    newer = head + rest[rest.index("  - id: later_part\n") :].replace("[never_part, ", "[")
    publish(client, FILES | {"assignment.yaml": newer.encode()})
    made = regrade.begin(store, "tests/arithmetic", None, How("ada"))
    regrade.preview(store, made, lambda _: REFERENCE)
    assert regrade.apply(store, made, by="ada")
    assert leaks(client, told["wrong"]) == {}


# --- links


def until(text: str) -> set[int]:
    return {int(found) for found in re.findall(r"expires=(\d+)", unescape(text))}


@pytest.fixture
def old(monkeypatch, client, told):
    """Signs a link as it was signed so long ago that it is over tomorrow."""
    service, now = client.app.state.service, time.time()

    def sign(page: str, subject: str) -> str:
        with monkeypatch.context() as patched:
            patched.setattr("grader.api.links.time.time", lambda: now - service.settings.link_days * DAY)
            return service.links.sign(page, subject)

    return sign


def test_a_student_s_link_gives_none_that_lives_longer(client, told, old):
    sent = told["wrong"]
    link = old("feedback", sent["id"])
    (end,), key = until(link), urlsplit(link).query
    assert end < time.time() + 2 * DAY
    asked = [
        link,
        f"/api/v1/submissions/{sent['id']}?{key}",
        f"/api/v1/submissions/{sent['id']}/events?{key}",
    ]
    for path in asked:
        answer = client.get(path)
        assert answer.status_code == 200
        assert until(answer.text) == {end}
    (other,) = re.findall(rf"/feedback/{told['right']['id']}\?[^\"]*", client.get(link).text)
    assert client.get(unescape(other)).status_code == 200


def test_a_report_s_link_gives_none_that_lives_longer(client, told, old):
    link = old("reports", "tests/arithmetic")
    answer = client.get(link)
    assert (answer.status_code, until(answer.text)) == (200, until(link))


def test_a_token_gives_links_of_the_full_lifetime(client, told, old):
    given = client.get(told["wrong"]["links"]["self"], headers=client.headers_of["lms"]).json()["links"][
        "page"
    ]
    assert until(given).pop() > until(old("feedback", told["wrong"]["id"])).pop() + DAY


# --- headers


def test_nothing_about_a_submission_is_kept_by_a_cache_or_taken_for_another_type(client, told):
    sent, lms = told["wrong"], client.headers_of["lms"]
    key = urlsplit(sent["links"]["page"]).query
    address, page = f"/api/v1/submissions/{sent['id']}", f"/feedback/{sent['id']}"
    asked = [f"{address}{path}" for path in ("", "/feedback", "/events", "/notebook", "/none")]
    asked += [f"{page}{path}?{key}" for path in ("", "/notebook", "/annotated.ipynb")]
    asked += [f"{HERE}/feedback.zip", f"{HERE}/grades.csv", f"{HERE}/report", f"{HERE}/report-page"]
    for path in asked:
        headers = client.get(
            path, headers={} if key in path else lms if address in path else client.headers_of["instructor"]
        ).headers
        assert "no-store" in headers.get("cache-control", ""), path
        assert headers.get("x-content-type-options") == "nosniff", path
