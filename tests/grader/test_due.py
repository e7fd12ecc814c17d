"""Due dates: set by every door, logged, told in their zone, honoured at the moment of reading."""

from __future__ import annotations

import io
import json
import time
import zipfile

import pytest
from typer.testing import CliRunner

from grader import cli, due
from grader.due import DueError, read_due
from grader.receive import publish_bundle
from grader.store import audit, tokens
from grader.store import due as due_dates
from grader.store.assignments import UnknownAssignmentError
from grader.store.due import Dates, Due, NoDueDateError, UnknownExtensionError
from tests.grader import test_regrade
from tests.grader.arithmetic import BUNDLE, SPEC
from tests.grader.test_api import HERE, submit

ID = "tests/arithmetic"
PAGE = f"/assignments/{ID}/due"
HOUR = 3600.0
# A check, a message and a whole part that wait for the due date.
LATER = (
    SPEC
    .replace("      - id: right\n", "      - id: right\n        message_visible: after_due\n")
    .replace("    title: A sum\n", "    title: A sum\n    visible: after_due\n")
)  # fmt: skip


def in_hours(hours: float) -> str:
    return due.iso(Due(time.time() + hours * HOUR, "Europe/Vienna"))


@pytest.fixture
def later(store, monkeypatch):
    """The assignment that keeps things for the due date, and a wrong submission of ada's; its id."""
    files = BUNDLE | {"assignment.yaml": LATER.encode()}
    monkeypatch.setitem(test_regrade.BUNDLE, "assignment.yaml", LATER.encode())
    publish_bundle(store, files)
    return test_regrade.grade(store, "ada", [0, 1, 2])


# --- what people write


@pytest.mark.parametrize(
    ("text", "zone", "says"),
    [
        ("2026-12-01T23:59:00+01:00", None, "Tue 1 Dec 2026, 23:59 (UTC+01:00)"),
        ("2026-12-01T23:59Z", None, "Tue 1 Dec 2026, 23:59 (UTC)"),
        ("2026-12-01T23:59", "Europe/Vienna", "Tue 1 Dec 2026, 23:59 (Europe/Vienna)"),
        ("2026-12-01T23:59Z", "Europe/Vienna", "Wed 2 Dec 2026, 00:59 (Europe/Vienna)"),
        ("2026-07-01 12:00", "America/New_York", "Wed 1 Jul 2026, 12:00 (America/New_York)"),
        ("2026-12-01T23:59", "-03:30", "Tue 1 Dec 2026, 23:59 (UTC-03:30)"),
    ],
)
def test_a_moment_is_read_and_told_in_its_zone(text, zone, says):
    assert due.words(read_due(text, zone)) == says


def test_summer_and_winter_time_are_the_zones():
    summer, winter = (read_due(f"2026-{day}T12:00", "Europe/Vienna") for day in ("07-01", "12-01"))
    assert due.iso(summer) == "2026-07-01T12:00:00+02:00"
    assert due.iso(winter) == "2026-12-01T12:00:00+01:00"


@pytest.mark.parametrize(
    ("text", "zone", "says"),
    [
        ("tomorrow", None, "is no moment"),
        ("", "UTC", "is no moment"),
        ("2026-12-01T23:59", None, "has no time zone"),
        ("2026-12-01T23:59", "Vienna", "is no time zone"),
        ("2026-12-01T23:59", "Europe", "is no time zone"),
        ("2026-12-01T23:59", "../../etc/passwd", "is no time zone"),
        ("2026-12-01T23:59", "+25:00", "is no time zone"),
        ("2026-12-01T23:59", "", "is no time zone"),
        ("0001-01-01T00:00+00:00", None, "too far away"),
        ("0001-01-01T00:00+00:00", "America/New_York", "too far away"),
        ("9999-12-31T23:59+00:00", None, "too far away"),
        ("2026-12-01T23:59+01:00:30", None, "whole minutes"),
    ],
)
def test_what_is_no_due_date_says_why(text, zone, says):
    with pytest.raises(DueError, match=says):
        read_due(text, zone)


# --- the store


def test_a_due_date_is_kept_changed_and_cleared_with_an_entry_each(store):
    first, second = Due(1e9, "UTC"), Due(1.5e9, "Europe/Vienna")
    with store.write() as session:
        for each in (first, second, second):
            due_dates.put(session, ID, each, by="ada")
    with store.read() as session:
        assert due_dates.of_assignment(session, ID) == Dates(second)
        assert due_dates.of_all(session, [ID, "tests/other"]) == {ID: second}
    with store.write() as session:
        assert due_dates.clear(session, ID, by="bob")
        assert not due_dates.clear(session, ID, by="bob")
    with store.read() as session:
        assert due_dates.of_assignment(session, ID) == due_dates.NONE
        entries = [each for each in audit.of_assignment(session, ID) if each.action.startswith("due.")]
    assert [(each.action, each.actor, each.before, each.after) for each in reversed(entries)] == [
        ("due.set", "ada", None, {"at": 1e9, "zone": "UTC"}),
        ("due.set", "ada", {"at": 1e9, "zone": "UTC"}, {"at": 1.5e9, "zone": "Europe/Vienna"}),
        ("due.cleared", "bob", {"at": 1.5e9, "zone": "Europe/Vienna"}, None),
    ]


def test_an_extension_counts_for_its_student_alone_and_only_when_it_is_later(store):
    with store.write() as session:
        due_dates.put(session, ID, Due(1e9, "UTC"), by="ada")
        due_dates.extend(session, ID, "bob", Due(2e9, "UTC"), by="ada")
        due_dates.extend(session, ID, "eve", Due(1e8, "UTC"), by="ada")
    with store.read() as session:
        dates = due_dates.of_assignment(session, ID)
    assert [dates.of(name).at for name in ("ada", "bob", "eve")] == [1e9, 2e9, 1e9]
    assert [dates.is_late(name, 1.5e9) for name in ("ada", "bob", "eve")] == [True, False, True]
    assert dates.is_late("ada", 1e9) is False
    with store.write() as session:
        due_dates.withdraw(session, ID, "bob", by="ada")
    with store.read() as session:
        assert due_dates.of_assignment(session, ID).of("bob").at == 1e9
        told = [each.action for each in audit.of_subject(session, ID, "bob")]
    assert told == ["extension.withdrawn", "extension.given"]


def test_clearing_takes_the_extensions_along_and_what_is_not_there_says_so(store):
    with store.write() as session, pytest.raises(NoDueDateError):
        due_dates.extend(session, ID, "bob", Due(2e9, "UTC"), by="ada")
    with store.write() as session, pytest.raises(UnknownExtensionError):
        due_dates.withdraw(session, ID, "bob", by="ada")
    with store.write() as session, pytest.raises(UnknownAssignmentError):
        due_dates.put(session, "tests/none", Due(2e9, "UTC"), by="ada")
    with store.write() as session:
        due_dates.put(session, ID, Due(1e9, "UTC"), by="ada")
        due_dates.extend(session, ID, "bob", Due(2e9, "UTC"), by="ada")
        due_dates.clear(session, ID, by="ada")
        due_dates.put(session, ID, Due(1.1e9, "UTC"), by="ada")
    with store.read() as session:
        assert due_dates.of_assignment(session, ID).extensions == {}


def test_without_a_due_date_nothing_is_late():
    assert due_dates.NONE.is_late("ada", 2e9) is None


def test_a_new_version_keeps_the_due_date(store):
    with store.write() as session:
        due_dates.put(session, ID, Due(1e9, "UTC"), by="ada")
    publish_bundle(store, BUNDLE | {"assignment.yaml": LATER.encode()})
    with store.read() as session:
        assert due_dates.of_assignment(session, ID).due == Due(1e9, "UTC")


# --- for programs


def test_it_is_set_read_and_cleared_over_http(client):
    client.headers.update(client.headers_of["instructor"])
    answer = client.put(f"{HERE}/due", json={"due": "2026-12-01T23:59", "zone": "Europe/Vienna"})
    assert answer.json() == {
        "assignment": ID,
        "due": "2026-12-01T23:59:00+01:00",
        "zone": "Europe/Vienna",
        "extensions": [],
    }
    client.put(f"{HERE}/extensions", json={"student": "b/o b", "due": "2026-12-08T12:00:00+00:00"})
    assert client.get(f"{HERE}/due").json()["extensions"] == [
        {"student": "b/o b", "due": "2026-12-08T12:00:00+00:00", "zone": "UTC"}
    ]
    [listed] = client.get("/api/v1/assignments", headers=client.headers_of["lms"]).json()["assignments"]
    assert listed["due"] == "2026-12-01T23:59:00+01:00"
    assert client.delete(f"{HERE}/extensions", params={"student": "b/o b"}).status_code == 204
    assert client.delete(f"{HERE}/due").status_code == 204
    assert client.get(f"{HERE}/due").json()["due"] is None
    actions = [each["action"] for each in client.get(f"{HERE}/audit").json()["entries"]]
    assert actions[:4] == ["due.cleared", "extension.withdrawn", "extension.given", "due.set"]


@pytest.mark.parametrize(
    ("path", "body", "status", "name"),
    [
        ("due", {"due": "2026-12-01T23:59"}, 422, "invalid-due-date"),
        ("due", {"due": "2026-12-01T23:59", "zone": "Nowhere"}, 422, "invalid-due-date"),
        ("due", {}, 422, "invalid-request"),
        ("extensions", {"student": "bob", "due": "2026-12-01T23:59Z"}, 409, "no-due-date"),
        ("extensions", {"student": "a\u0001b", "due": "2026-12-01T23:59Z"}, 422, "invalid-request"),
        ("extensions", {"student": "", "due": "2026-12-01T23:59Z"}, 422, "invalid-request"),
    ],
)
def test_what_cannot_be_set_says_why(client, path, body, status, name):
    answer = client.put(f"{HERE}/{path}", json=body, headers=client.headers_of["instructor"])
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:grader:problem:{name}")


# --- what students see


def views(client, submission: str) -> list[str]:
    """Everything that a student, or an LMS for a student, gets of a submission."""
    lms, instructor = client.headers_of["lms"], client.headers_of["instructor"]
    address = f"/api/v1/submissions/{submission}"
    page = client.get(address, headers=lms).json()["links"]["page"]
    graded = client.get(f"{HERE}/grades.csv?format=gradescope", headers=instructor).json()
    shown = [each for each in graded["tests"] if each["visibility"] == "visible"]
    archive = zipfile.ZipFile(io.BytesIO(client.get(f"{HERE}/feedback.zip", headers=instructor).content))
    return [
        client.get(page).text,
        client.get(f"{address}/feedback", headers=lms).text,
        client.get(f"{address}/feedback?{page.partition('?')[2]}").text,
        client.get(f"{address}/events", headers=lms).text,
        json.dumps(shown),
        archive.read("ada/feedback.html").decode(),
        archive.read("ada/feedback.json").decode(),
    ]


def sees(text: str) -> tuple[bool, bool]:
    """Whether a view tells the message, and the part, that wait for the due date."""
    return "not the first" in text, "A sum" in text


def test_what_waits_for_the_due_date_is_shown_from_then_on_in_every_view(client, store, later):
    hidden, shown = [(False, False)] * 7, [(True, True)] * 7

    def change(method: str, path: str, **request: object) -> None:
        answer = client.request(method, f"{HERE}/{path}", headers=client.headers_of["instructor"], **request)
        assert answer.is_success, answer.text

    assert [sees(each) for each in views(client, later)] == hidden
    change("PUT", "due", json={"due": in_hours(1)})
    assert [sees(each) for each in views(client, later)] == hidden
    change("PUT", "due", json={"due": in_hours(-1)})
    assert [sees(each) for each in views(client, later)] == shown
    change("PUT", "extensions", json={"student": "ada", "due": in_hours(1)})
    assert [sees(each) for each in views(client, later)] == hidden
    change("PUT", "extensions", json={"student": "bob", "due": in_hours(1)})
    change("DELETE", "extensions", params={"student": "ada"})
    assert [sees(each) for each in views(client, later)] == shown
    change("DELETE", "due")
    assert [sees(each) for each in views(client, later)] == hidden


def test_the_moment_is_that_of_reading(client, store, later, monkeypatch):
    client.headers.update(client.headers_of["instructor"])
    client.put(f"{HERE}/due", json={"due": in_hours(1)})
    address = f"/api/v1/submissions/{later}/feedback"
    before = client.get(address, headers=client.headers_of["lms"]).text
    now = time.time()
    monkeypatch.setattr(due.time, "time", lambda: now + 2 * HOUR)
    after = client.get(address, headers=client.headers_of["lms"]).text
    assert (sees(before), sees(after)) == ((False, False), (True, True))


def test_instructors_see_everything_before(client, store, later):
    found = client.get(f"/api/v1/submissions/{later}/feedback", headers=client.headers_of["instructor"])
    assert sees(found.text) == (True, True)


def test_comments_for_moodle_keep_back_what_waits(client, store, later):
    worksheet = (
        "Identifier,Full name,Status,Grade,Maximum grade,Feedback comments\n"
        "Participant 1,ada,Submitted for grading,,3,\n"
    )
    said = []
    for hours in (1, -1):
        client.put(
            f"{HERE}/due", json={"due": in_hours(hours)}, headers=client.headers_of["instructor"]
        ).raise_for_status()
        answer = client.post(
            f"{HERE}/grades.csv?format=moodle",
            files={"template": ("w.csv", worksheet.encode())},
            headers=client.headers_of["instructor"],
        )
        assert "X-Grader-Remarks" not in answer.headers
        said.append(sees(answer.text))
    assert said == [(False, False), (True, True)]


def test_a_waiting_page_lists_the_parts_that_will_be_seen(client, store, later):
    sent = submit(client, student="bob").json()
    assert "A sum" not in client.get(sent["links"]["page"]).text
    client.put(f"{HERE}/due", json={"due": in_hours(-1)}, headers=client.headers_of["instructor"])
    assert "A sum" in client.get(sent["links"]["page"]).text


def test_the_students_page_tells_the_due_date_and_that_it_came_late(client, store, later):
    page = client.get(f"/api/v1/submissions/{later}", headers=client.headers_of["lms"]).json()["links"][
        "page"
    ]
    assert "due <time" not in client.get(page).text
    for hours, late in ((1, False), (-1, True)):
        client.put(
            f"{HERE}/due",
            json={"due": in_hours(hours), "zone": "Europe/Vienna"},
            headers=client.headers_of["instructor"],
        )
        text = client.get(page).text
        assert "(Europe/Vienna)</time>" in text
        assert (">late</span>" in text) is late


# --- who came late


def test_reports_and_tables_tell_who_came_late(client, store, later):
    client.headers.update(client.headers_of["instructor"])
    plain = client.get(f"{HERE}/grades.csv").text.splitlines()[0]
    assert "late" not in plain.split(",")
    assert client.get(f"{HERE}/report").json()["submissions"][0]["late"] is None
    for hours, late in ((-1, True), (1, False)):
        client.put(f"{HERE}/due", json={"due": in_hours(hours)}).raise_for_status()
        head, row = client.get(f"{HERE}/grades.csv").text.splitlines()
        assert dict(zip(head.split(","), row.split(","), strict=True))["late"] == ("yes" if late else "no")
        assert client.get(f"{HERE}/report").json()["submissions"][0]["late"] is late
        [line] = client.get(f"/assignments/{ID}/roster?format=json").json()
        assert line["late"] == ("yes" if late else "no")
        for page in ("", "/roster", "/student?name=ada"):
            assert (">late</span>" in client.get(f"/assignments/{ID}{page}").text) is late, page
        assert (">late</span>" in client.get(f"/submissions/{later}").text) is late


# --- the page


@pytest.fixture
def signed_in(client, store):
    """An instructor's browser; ``post`` fills in the form's hidden field."""
    with store.write() as session:
        token = tokens.create(session, "instructor", "grace")
    client.post("/login", data={"token": token})
    csrf = client.get(PAGE).text.split('name="csrf" value="')[1].split('"')[0]

    def post(**form: str):
        return client.post(PAGE, data={"csrf": csrf} | form)

    return client, post


def test_an_instructor_sets_extends_withdraws_and_removes_on_the_page(signed_in):
    client, post = signed_in
    assert "No due date is set" in client.get(PAGE).text
    page = post(do="set", due="2026-12-01T23:59", zone="Europe/Vienna")
    assert (page.status_code, "Tue 1 Dec 2026, 23:59 (Europe/Vienna)" in page.text) == (200, True)
    assert 'value="2026-12-01T23:59"' in page.text
    page = post(do="extend", student="<b>ob", due="2026-12-08T12:00", zone="Europe/Vienna")
    assert "&lt;b&gt;ob" in page.text
    assert "Tue 8 Dec 2026, 12:00" in page.text
    page = post(do="withdraw", student="<b>ob")
    assert "No student has an extension" in page.text
    assert post(do="withdraw", student="<b>ob").status_code == 200
    assert "No due date is set" in post(do="clear").text


def test_a_mistake_on_the_page_is_told_beside_what_was_written(signed_in):
    client, post = signed_in
    page = post(do="set", due="2026-12-01T23:59", zone="Vienna")
    assert (page.status_code, "is no time zone" in page.text, 'value="Vienna"' in page.text) == (
        422, True, True,
    )  # fmt: skip
    page = post(do="extend", student="bob", due="2026-12-08T12:00", zone="UTC")
    assert (page.status_code, "Set a due date for everybody first" in page.text) == (422, True)
    assert client.post(PAGE, data={"do": "clear"}).status_code == 403


# --- the command line


@pytest.fixture
def here(monkeypatch, settings, store):
    """The command line works on this test's store."""
    monkeypatch.setenv("GRADER_DATA_DIR", str(settings.data_dir))
    if settings.database_url is not None:
        monkeypatch.setenv("GRADER_DATABASE_URL", settings.database_url.get_secret_value())


def test_the_command_line_sets_shows_and_clears(here, store):

    def said(*arguments: str, code: int = 0) -> str:
        result = CliRunner().invoke(cli.app, ["assignment", "due", *arguments])
        assert result.exit_code == code, result.output
        return result.output

    assert "no due date" in said("show", ID)
    assert "has no due date that" in said("set", ID, "2026-12-08T12:00Z", "--student", "bob", code=2)
    told = said("set", ID, "2026-12-01T23:59", "--zone", "Europe/Vienna")
    assert told == f"{ID}: due Tue 1 Dec 2026, 23:59 (Europe/Vienna)\n"
    said("set", ID, "2026-12-08T12:00Z", "--student", "bob")
    assert json.loads(said("show", ID, "--json")) == {
        "due": "2026-12-01T23:59:00+01:00",
        "extensions": {"bob": "2026-12-08T12:00:00+00:00"},
    }
    assert "has no time zone" in said("set", ID, "2026-12-01T23:59", code=2)
    assert "has no due date of his own" in said("clear", ID, "--student", "eve", code=2)
    said("clear", ID, "--student", "bob")
    said("clear", ID)
    assert "no due date" in said("show", ID)
    assert "no assignment tests/none" in said("show", "tests/none", code=2)


def test_an_export_on_the_command_line_keeps_back_what_waits(here, store, later):

    def exported() -> str:
        result = CliRunner().invoke(cli.app, ["export", ID, "--format", "gradescope"])
        assert result.exit_code == 0, result.output
        return json.dumps(
            [one for one in json.loads(result.stdout)["tests"] if one["visibility"] == "visible"]
        )

    assert sees(exported()) == (False, False)
    with store.write() as session:
        due_dates.put(session, ID, Due(time.time() - HOUR, "UTC"), by="ada")
    assert sees(exported()) == (True, True)
