"""The instructor's pages in this process: who may open them, what they say, and what they cost."""

from __future__ import annotations

import csv
import io
import json
import re
import threading
import time
from contextlib import contextmanager

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event, insert

from checks.assignment import Assignment
from grader.answer_groups import alarms, groups, read_missing
from grader.api.app import create_app
from grader.roster import lines, students
from grader.store import tokens
from grader.store.tables import Attempt, FeedbackRow, PartRow, Submission
from tests.browser import klass
from tests.grader.arithmetic import BUNDLE
from tests.grader.test_api import grade, park, submit

HERE = "/assignments/tests/arithmetic"
# nobody, lms, instructor of another course, of this one, of all. 303: to the sign-in form.
PAGES = [
    ("/courses", "303 403 200 200 200"),
    ("/courses/tests", "303 403 404 200 200"),
    (HERE, "303 403 404 200 200"),
    (f"{HERE}/answers", "303 403 404 200 200"),
    (f"{HERE}/roster", "303 403 404 200 200"),
    (f"{HERE}/student?name=ada", "303 403 404 200 200"),
    (f"{HERE}/parts/part1", "303 403 404 200 200"),
    (f"{HERE}/due", "303 403 404 200 200"),
    ("/submissions/{sid}", "303 403 404 200 200"),
    ("/submissions/{sid}/executed", "303 403 404 404 404"),
]
WHO = ("nobody", "lms", "other", "ours", "all")
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def site(settings, store):
    """The pages, and a token for each of WHO."""
    with store.write() as session:
        texts = {
            "lms": tokens.create(session, "lms", "canvas", "tests"),
            "other": tokens.create(session, "instructor", "lin", "other"),
            "ours": tokens.create(session, "instructor", "grace", "tests"),
            "all": tokens.create(session, "instructor", "root"),
        }
    quick = settings.model_copy(update={"token_requests_per_second": 1000})
    with TestClient(create_app(quick), follow_redirects=False) as client:
        client.headers_of = {"nobody": {}} | {
            who: {"Authorization": f"Bearer {text}", "Accept": "text/html"} for who, text in texts.items()
        }
        client.headers.update({"Accept": "text/html"})
        yield client


@pytest.fixture(scope="module")
def pool():
    return klass.sums()


def get(site, path, who="ours"):
    return site.get(path, headers=site.headers_of[who])


def text_of(answer) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).split())


@pytest.mark.parametrize(("path", "expected"), PAGES, ids=[path for path, _ in PAGES])
def test_each_role_gets_what_it_may(site, store, path, expected):
    sent = submit(site, role="ours").json()["id"]
    grade(store, sent)
    answers = {who: get(site, path.replace("{sid}", sent), who) for who in WHO}
    assert {who: answer.status_code for who, answer in answers.items()} == dict(
        zip(WHO, map(int, expected.split()), strict=True)
    )
    for answer in answers.values():
        if answer.status_code != 303:
            assert answer.headers["content-type"].startswith("text/html")
            policy = answer.headers["content-security-policy"]
            # The notebook's frame has its style inline, and can do nothing else.
            assert ("sandbox;" in policy) == path.endswith("/executed")
            assert "sandbox;" in policy or "'unsafe-inline'" not in policy
            assert " style=" not in answer.text


def test_every_page_is_in_the_table_of_roles(site):
    pages = {
        route.path.replace("{assignment_id:path}", "tests/arithmetic")
        .replace("{course}", "tests").replace("{part_id}", "part1").replace("{submission_id}", "{sid}")
        for route in _routes(site.app)
        if "instructor" in route.endpoint.__module__
    }  # fmt: skip
    assert pages == {path.partition("?")[0] for path, _ in PAGES}


def _routes(app):
    def walk(found):
        for route in found:
            if hasattr(route, "endpoint"):
                yield route
            elif hasattr(route, "routes") or hasattr(route, "original_router"):
                yield from walk(getattr(route, "original_router", route).routes)

    return walk(app.routes)


class TestAClass:
    @pytest.fixture
    def graded(self, site, store, pool):
        klass.fill(store, Assignment.from_files(BUNDLE), pool, names=klass.NAMES[:24])
        return site

    def test_equal_wrong_answers_stand_together_unexplained_first(self, graded, store):
        page = get(graded, f"{HERE}/answers")
        cards = re.findall(r'<article class="card toned answer.*?</article>', page.text, re.DOTALL)
        squares = [card for card in cards if "squares = [0, 1, 2]" in card]
        assert len(squares) == 1
        assert "not explained yet" in squares[0]
        assert "These are not the first" in squares[0]
        assignment = Assignment.from_files(BUNDLE)
        with store.read() as session:
            found = groups(session, assignment)["part1"]
        assert [each.text for each in found].count("squares = [0, 1, 2]") == 1
        assert "squares = [0, 1, 4]" not in {each.text for each in found}

    def test_each_part_shows_its_first_groups_and_leads_to_all_of_them(self, graded, monkeypatch):
        monkeypatch.setattr("grader.api.instructor.answers.SHOWN_EACH", (1, 8))
        monkeypatch.setattr("grader.api.instructor.answers.SHOWN_TOGETHER", 3)  # of two parts
        page = get(graded, f"{HERE}/answers").text
        assert page.count('<article class="card toned answer') == 2
        every = len(json.loads(get(graded, f"{HERE}/answers?format=json").text))
        told = [int(count) for count in re.findall(r"All (\d+) wrong answers", page)]
        assert sum(told) == every
        assert f'class="button" href="{HERE}/parts/part1"' in page

    def test_a_pages_title_names_the_assignment(self, graded):
        assert "<title>Roster · Sums</title>" in get(graded, f"{HERE}/roster").text
        assert "<title>Sums</title>" in get(graded, HERE).text

    def test_many_different_answers_that_fail_one_check_raise_the_alarm(self, graded, store):
        get(graded, f"{HERE}/answers")
        with store.read() as session:
            found = alarms(groups(session, Assignment.from_files(BUNDLE)))
        assert {(alarm.part, alarm.check) for alarm in found} >= {("part2", "same")}
        assert "Is the check wrong" in get(graded, HERE).text

    def test_the_roster_is_sorted_and_filtered_by_the_server(self, graded):
        names = lambda query: [  # noqa: E731
            row["student"] for row in get(graded, f"{HERE}/roster?format=json&{query}").json()
        ]
        assert names("") == sorted(klass.NAMES[:24], key=str.casefold)
        assert names("sort=student&down=true") == names("")[::-1]
        assert names("name=AD") == [name for name in names("") if "ad" in name.casefold()]
        scored = [
            row["score"] for row in get(graded, f"{HERE}/roster?format=json&sort=score&down=true").json()
        ]
        known = [score for score in scored if score is not None]
        assert known == sorted(known, reverse=True)
        assert scored == known + [None] * (len(scored) - len(known))
        assert get(graded, f"{HERE}/roster?sort=nonsense").status_code == 422

    def test_every_table_is_there_as_csv_and_json_with_the_same_columns(self, graded):
        for path in (HERE, f"{HERE}/answers", f"{HERE}/roster", f"{HERE}/parts/part1", "/courses"):
            listed = get(graded, f"{path}?format=json").json()
            rows = list(csv.DictReader(io.StringIO(get(graded, f"{path}?format=csv").text)))
            assert len(listed) == len(rows) > 0
            assert list(listed[0]) == list(rows[0])

    def test_a_submissions_page_tells_its_values_times_and_origin(self, graded, store):
        with store.read() as session:
            line = next(each for each in lines(session, "tests/arithmetic") if each.score == 2.0)
        page = get(graded, f"/submissions/{line.submission}")
        said = text_of(page)
        for wanted in ("squares", "list, 3 items", "Provenance", "cgroup", "tensorflow@sha256:0b1c",
                       "Time of each cell", "worker · judged by version"):  # fmt: skip
            assert wanted in said
        frame = get(graded, f"/submissions/{line.submission}/executed")
        assert "sandbox" in frame.headers["content-security-policy"]
        assert "part1.check()" in text_of(frame).replace(" ", "").replace(" ", "")


def test_what_is_not_judged_is_a_zero_nowhere(site, store):
    sent = submit(site, role="ours").json()["id"]
    park(store, sent)
    row = get(site, f"{HERE}/roster?format=json").json()[0]
    assert (row["score"], row["part1 points"], row["standing"]) == (None, None, "unjudged")
    for path in (f"{HERE}/roster", f"/submissions/{sent}", f"{HERE}/student?name=ada", f"{HERE}/parts/part1"):
        assert not re.search(r"\b0 (/|of) \d", text_of(get(site, path)))
    assert "no sandbox" in text_of(get(site, HERE))
    with store.read() as session:
        assert students(lines(session, "tests/arithmetic"))[0].counts.score is None


def test_a_name_is_no_formula_and_no_markup(site, store):
    name = '=cmd|"<script>alert(1)</script>'
    sent = submit(site, role="ours", student=name).json()["id"]
    grade(store, sent)
    assert "'=cmd" in get(site, f"{HERE}/roster?format=csv").text
    for path in (f"{HERE}/roster", f"/submissions/{sent}", HERE):
        assert "<script>" not in get(site, path).text


def test_the_answers_page_reads_evidence_for_a_bounded_time_and_says_what_is_left(
    site, store, pool, monkeypatch
):
    klass.fill(store, Assignment.from_files(BUNDLE), pool, names=klass.NAMES[:6])
    monkeypatch.setattr("grader.answer_groups.READ_SECONDS", 0.0)
    page = get(site, f"{HERE}/answers")
    assert 'http-equiv="refresh"' in page.text
    assert "still being read" in page.text
    monkeypatch.setattr("grader.answer_groups.READ_SECONDS", 60.0)
    assert 'http-equiv="refresh"' not in get(site, f"{HERE}/answers").text


@contextmanager
def counted(engine):
    """The statements that an engine runs for requests; the service's own threads look at it all the time."""
    seen, others = [], {"relay", "census", "deliverer", "regrade watch", "ping"}

    def listen(_connection, _cursor, statement, *_more):
        if threading.current_thread().name not in others:
            seen.append(statement)

    event.listen(engine, "before_cursor_execute", listen)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", listen)


def multiply(store, sample, count):
    """``count`` more students with one sample's evidence and verdict, straight into the tables."""
    evidence, now = store.blobs.put(sample.evidence), time.time()
    judged, version = sample.feedback, sample.feedback.assignment.version
    handed_in = {"assignment_id": "tests/arithmetic", "version": version, "number": 1, "notebook": "sha256:0"}
    run = {"number": 1, "queue": "q", "state": "finished"}
    verdict = {
        "version": version,
        "evidence": evidence,
        "run_status": "completed",
        "score": judged.score,
        "max_score": judged.max_score,
        "run_seconds": 1.0,
        "document": judged.to_json(),
    }
    parts = [
        {name: getattr(part, name) for name in ("title", "status", "score", "max_score")}
        | {"part": part.id, "position": place}
        for place, part in enumerate(judged.parts)
    ]
    ids = [{"id": f"{at:032x}", "created_at": now} for at in range(count)]
    rows = {
        Submission: [one | handed_in | {"student": f"student {at}"} for at, one in enumerate(ids)],
        Attempt: [one | run | {"submission_id": one["id"]} for one in ids],
        FeedbackRow: [one | verdict | {"attempt_id": one["id"]} for one in ids],
        PartRow: [part | {"feedback_id": one["id"]} for one in ids for part in parts],
    }
    with store.write() as session:
        for table, made in rows.items():
            session.execute(insert(table), made)


def test_two_thousand_submissions_cost_as_many_statements_as_two(site, store, pool):
    paths = (
        HERE,
        f"{HERE}/answers",
        f"{HERE}/roster",
        f"{HERE}/parts/part1",
        f"{HERE}/student?name={klass.NAMES[0]}",
    )
    engine = site.app.state.service.store.engine
    klass.fill(store, Assignment.from_files(BUNDLE), pool, names=klass.NAMES[:2])
    get(site, HERE)  # the assignment itself is read once and kept
    cost = []
    for more in (0, 2000):
        if more:
            multiply(store, next(sample for sample in pool if not sample.full), more)
        read_missing(store, Assignment.from_files(BUNDLE))
        cost.append([])
        for path in paths:
            with counted(engine) as seen:
                assert get(site, path).status_code == 200
            cost[-1].append(len(seen))
    assert cost[0] == cost[1]
    assert max(cost[1]) < 16


def test_marking_reads_of_a_large_class_who_waits_and_not_every_line(site, store, pool, monkeypatch):
    engine = site.app.state.service.store.engine
    klass.fill(store, Assignment.from_files(BUNDLE), pool, names=klass.NAMES[:2])
    with store.read() as session:
        path = f"/submissions/{session.query(Submission).first().id}/marks"
    get(site, path)
    monkeypatch.setattr("grader.roster.lines", lambda *_, **__: 1 / 0)
    cost = []
    for more in (0, 500):
        if more:
            multiply(store, next(sample for sample in pool if not sample.full), more)
        with counted(engine) as seen:
            assert get(site, path).status_code == 200
        cost.append(len(seen))
    assert cost[0] == cost[1] < 12
