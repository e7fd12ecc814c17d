"""Grades and feedback as files over HTTP, read again by parsers as strict as the systems they are for."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
import zipfile

import msgspec
import nbformat
import pytest

from grader import handback
from grader.store.tables import Attempt
from tests.grader.arithmetic import RIGHT
from tests.grader.test_regrade import grade, now

HERE = "/api/v1/assignments/tests/arithmetic"
PAGE = "/assignments/tests/arithmetic"
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
CANVAS = (
    "Student,ID,SIS User ID,SIS Login ID,Section,Sums (301),Final Score\n"
    "    Points Possible,,,,,3,(read only)\n"
    '"Lovelace, Ada",1815,s-1,ada,Monday,,90\n'
    '"Hopper, Grace",1906,s-2,grace,Monday,1,80\n'
)
MOODLE = (
    "\ufeffIdentifier,Full name,Status,Grade,Maximum grade,Grade can be changed,Last modified (grade),"
    "Feedback comments\r\n"
    "Participant 1815,Ada Lovelace,Submitted,,3.00,Yes,-,\r\n"
)
STUDENT = "lovelaceada_1815"


@pytest.fixture
def instructor(client, store):
    client.headers.update(client.headers_of["instructor"])
    submission = grade(store, STUDENT, [0, 1, 2])
    with store.write() as session:
        session.query(Attempt).filter_by(submission_id=submission).one().executed = store.blobs.put(RIGHT)
    return client


def canvas_importer(content: bytes) -> dict[str, dict[str, float | None]]:
    """As Canvas reads a gradebook: titles with ids, the row of points, numbers or blanks; by student id."""
    header, *rows = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
    assert header[:2] == ["Student", "ID"]
    assert {"SIS User ID", "SIS Login ID", "Section"} <= set(header)
    titles = header[header.index("Section") + 1 :]
    assert all(re.fullmatch(r".+ \(\d+\)", title) for title in titles)
    assert rows[0][0].startswith("    Points Possible")
    assert all(len(row) == len(header) for row in rows)
    return {row[1]: {t: _number(row[header.index(t)]) for t in titles} for row in rows[1:]}


def _number(cell: str) -> float | None:
    return None if cell in {"", "EX"} else float(cell)


def moodle_importer(content: bytes) -> dict[str, dict[str, str]]:
    """As Moodle reads a worksheet: its own headers, a participant's number, a number within the maximum."""
    assert content.startswith("\ufeff".encode())
    read = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True))
    for row in read:
        assert re.fullmatch(r"Participant \d+", row["Identifier"])
        assert row["Grade"] == "" or 0 <= float(row["Grade"]) <= float(row["Maximum grade"])
    return {row["Identifier"]: row for row in read}


def gradescope(content: bytes) -> dict[str, object]:
    """As Gradescope reads results.json: known keys only, known words."""
    found = json.loads(content)
    known = {
        "score", "execution_time", "output", "output_format", "test_output_format", "test_name_format",
        "visibility", "stdout_visibility", "extra_data", "tests", "leaderboard",
    }  # fmt: skip
    assert found.keys() <= known
    for test in found["tests"]:
        assert test.get("status", "failed") in {"passed", "failed"}
        assert test["visibility"] in {"visible", "hidden", "after_due_date", "after_published"}
        assert test.get("output_format", "text") in {"text", "html", "simple_format", "md", "ansi"}
    return found


def fill(client, wanted: str, template: str, **fields):
    return client.post(
        f"{HERE}/grades.csv", params={"format": wanted}, data=fields, files={"template": ("t.csv", template)}
    )


def test_canvas_takes_the_filled_gradebook(instructor):
    answer = fill(instructor, "canvas", CANVAS)
    assert canvas_importer(answer.content) == {"1815": {"Sums (301)": 2.0}, "1906": {"Sums (301)": 1.0}}
    assert "canvas.csv" in answer.headers["content-disposition"]


def test_moodle_takes_the_filled_worksheet(instructor):
    read = moodle_importer(fill(instructor, "moodle", MOODLE).content)
    assert float(read["Participant 1815"]["Grade"]) == 2.0
    assert "These are not the first" in read["Participant 1815"]["Feedback comments"]


def test_gradescope_takes_the_results(instructor):
    answer = instructor.get(f"{HERE}/grades.csv", params={"format": "gradescope"})
    assert gradescope(answer.content)["score"] == 2.0


def test_who_is_not_in_the_template_is_told(instructor, store):
    grade(store, "nobody_7", [0, 1, 4])
    remarks = json.loads(fill(instructor, "canvas", CANVAS).headers["X-Grader-Remarks"])
    assert len(remarks) == 1
    assert remarks[0].startswith("nobody_7:")


@pytest.mark.parametrize(
    ("wanted", "template", "says"),
    [
        ("canvas", "a,b\n1,2\n", "no Canvas gradebook"),
        ("canvas", CANVAS.replace("Sums", "Vectors"), "'Vectors (301)'"),
        ("moodle", "a,b\nx,y\n", "no Moodle worksheet"),
        ("excel", CANVAS, "there is no format 'excel'"),
    ],
)
def test_what_cannot_be_exported_says_why(instructor, wanted, template, says):
    answer = fill(instructor, wanted, template)
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:grader:problem:cannot-export")
    assert says in answer.json()["detail"]


def test_a_format_that_fills_in_a_file_asks_for_it(instructor):
    answer = instructor.get(f"{HERE}/grades.csv", params={"format": "canvas"})
    assert (answer.status_code, "please give the file" in answer.json()["detail"]) == (422, True)


def opened(content: bytes) -> zipfile.ZipFile:
    archive = zipfile.ZipFile(io.BytesIO(content))
    assert archive.testzip() is None
    return archive


def test_each_student_has_a_folder_that_opens_offline(instructor, store):
    grade(store, "../../etc/passwd", [0, 1, 4])
    archive = opened(instructor.get(f"{HERE}/feedback.zip").content)
    names = archive.namelist()
    assert not [name for name in names if name.startswith(("/", "..")) or "/../" in name]
    assert {name.rpartition("/")[2] for name in names if name.startswith(f"{STUDENT}/")} == {
        "feedback.html", "feedback.ipynb", "feedback.json",
    }  # fmt: skip
    page = archive.read(f"{STUDENT}/feedback.html").decode()
    assert "These are not the first <strong>three</strong> squares." in page
    assert not re.search(r"""(?:src|href)=["'](?!data:|#)""", page)
    assert "<script" not in page
    notebook = nbformat.reads(archive.read(f"{STUDENT}/feedback.ipynb").decode(), as_version=4)
    nbformat.validate(notebook)
    assert any("grader-feedback" in cell.metadata.get("tags", []) for cell in notebook.cells)
    assert json.loads(archive.read(f"{STUDENT}/feedback.json"))["schema"] == "feedback/1"


CANVAS_FILE = "lovelaceada_LATE_1815_77_sums.ipynb"
MOODLE_FOLDER = "Ada Lovelace_1815_assignsubmission_file"


@pytest.mark.parametrize(
    ("student", "submitted", "expected"),
    [
        ("lovelaceada_1815", CANVAS_FILE, {CANVAS_FILE}),
        (
            "Ada Lovelace_1815",
            f"{MOODLE_FOLDER}/work/sums.ipynb",
            {f"{MOODLE_FOLDER}/feedback.{kind}" for kind in ("html", "ipynb", "json")},
        ),
        (
            "Ada Lovelace_1815",
            f"{MOODLE_FOLDER}_sums.ipynb",
            {f"{MOODLE_FOLDER}_feedback.{kind}" for kind in ("html", "ipynb", "json")},
        ),
    ],
    ids=["canvas", "moodle", "moodle flat"],
)
def test_a_systems_own_names_come_back(instructor, store, student, submitted, expected):
    if student != STUDENT:
        submission = grade(store, student, [0, 1, 2])
        with store.write() as session:
            session.query(Attempt).filter_by(submission_id=submission).one().executed = store.blobs.put(RIGHT)
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(submitted, b"{}")
    answer = instructor.post(f"{HERE}/feedback.zip", files={"download": ("d.zip", target.getvalue())})
    assert set(opened(answer.content).namelist()) == expected


def test_who_has_no_file_in_the_download_is_told(instructor, store):
    grade(store, "nobody_7", [0, 1, 4])
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(CANVAS_FILE, b"{}")
    answer = instructor.post(f"{HERE}/feedback.zip", files={"download": ("d.zip", target.getvalue())})
    assert json.loads(answer.headers["X-Grader-Remarks"]) == [
        "nobody_7: no notebook of this name in the zip; left out"
    ]


def test_who_has_no_executed_notebook_for_canvas_is_told(instructor, store):
    grade(store, "hoppergrace_1906", [0, 1, 4])
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(CANVAS_FILE, b"{}")
        archive.writestr("hoppergrace_1906_78_sums.ipynb", b"{}")
    answer = instructor.post(f"{HERE}/feedback.zip", files={"download": ("d.zip", target.getvalue())})
    assert opened(answer.content).namelist() == [CANVAS_FILE]
    assert json.loads(answer.headers["X-Grader-Remarks"]) == [
        "hoppergrace_1906: no executed notebook, and Canvas takes nothing else; left out"
    ]


def test_of_too_many_remarks_the_doubts_come_first_and_the_number_of_the_others_last(instructor, store):
    for number in range(22):
        grade(store, f"nobody{number:02d}_7", [0, 1, 4])
    grade(store, "grace_1906", [0, 1, 4])
    remarks = json.loads(fill(instructor, "canvas", CANVAS).headers["X-Grader-Remarks"])
    assert (
        remarks[0]
        == "grace_1906: written to Hopper, Grace, found by the ID 1906, the name agrees in part; please check"
    )
    assert (len(remarks), remarks[-1]) == (21, "and 3 more")


@pytest.mark.parametrize("download", [b"", b"no zip", b"PK\x05\x06" + b"\0" * 18])
def test_a_download_of_nobody_is_refused(instructor, download):
    answer = instructor.post(f"{HERE}/feedback.zip", files={"download": ("d.zip", download)})
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:grader:problem:cannot-export")


def given_back(client, *members: str, **form: str):
    """The answer of the web page to a download with these members."""
    client.headers["accept"] = "text/html"
    token = client.headers_of["instructor"]["Authorization"].removeprefix("Bearer ")
    client.headers.pop("authorization", None)
    client.post("/login", data={"token": token})
    csrf = client.get(f"{PAGE}/export").text.split('name="csrf" value="')[1].split('"')[0]
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name in members:
            archive.writestr(name, b"{}")
    files = {"download": ("d.zip", target.getvalue())}
    return client.post(f"{PAGE}/feedback.zip", data={"csrf": csrf} | form, files=files)


def test_the_page_names_who_is_left_out_of_the_feedback_beside_the_file(instructor, store):
    grade(store, "nobody_7", [0, 1, 4])
    answer = given_back(instructor, CANVAS_FILE)
    assert "nobody_7: no notebook of this name in the zip; left out" in answer.text
    kept = re.search(r'download="feedback.zip" href="data:application/zip;base64,([^"]+)"', answer.text)[1]
    assert opened(base64.b64decode(kept)).namelist() == [CANVAS_FILE]


def test_where_nobody_is_left_out_the_feedback_comes_at_once(instructor):
    answer = given_back(instructor, CANVAS_FILE)
    assert answer.headers["content-type"] == "application/zip"
    assert opened(answer.content).namelist() == [CANVAS_FILE]


def test_feedback_too_large_for_the_page_comes_when_the_download_is_given_once_more(
    instructor, store, monkeypatch
):
    monkeypatch.setattr("grader.api.mark_pages.IN_PAGE", 10)
    grade(store, "nobody_7", [0, 1, 4])
    page = given_back(instructor, CANVAS_FILE).text
    assert "nobody_7: no notebook of this name in the zip; left out" in page
    assert "data:application/zip" not in page
    assert 'name="told" value="1"' in page
    again = given_back(instructor, CANVAS_FILE, told="1")
    assert opened(again.content).namelist() == [CANVAS_FILE]


@pytest.mark.parametrize(
    ("statuses", "says"),
    [
        (("needs_review", "needs_review"), "not yet marked"),
        (("needs_review", "ungraded"), "not yet marked"),
        (("needs_review", "correct"), "1 of 3 points so far"),
        (("needs_review", "unjudged"), "not yet judged"),
        (("ungraded", "ungraded"), "1 of 3 points"),
    ],
)
def test_what_waits_for_a_person_is_no_zero_in_the_file_either(instructor, store, statuses, says):
    seen = now(store, only(store))
    parts = tuple(
        msgspec.structs.replace(part, status=status)
        for part, status in zip(seen.parts, statuses, strict=True)
    )
    seen = msgspec.structs.replace(seen, parts=parts, score=1.0, max_score=3.0)
    page = handback.files_of(handback.Handback(STUDENT, seen, None))[handback.HTML].decode()
    score = re.search(r'<p class="card score.*?</p>', page, re.DOTALL)[0]
    assert re.sub(r"<[^>]*>", "", score) == says


def only(store) -> str:
    with store.read() as session:
        return session.query(Attempt).one().submission_id
