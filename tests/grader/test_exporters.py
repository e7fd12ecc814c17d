"""Files for other systems: what they accept, byte for byte, and what is never written into them."""

from __future__ import annotations

import csv
import io
import json
import zipfile

import msgspec
import pytest

from grader.exporters import ExportError, Grade, Order, PartLine, export, formats

CANVAS = (
    "Student,ID,SIS User ID,SIS Login ID,Section,Vectors (301),Embeddings (302),Current Score\n"
    ",,,,,,Manual Posting,\n"
    "    Points Possible,,,,,10,8,(read only)\n"
    '"Lovelace, Ada",1815,s-1,ada@example.org,Monday,9,,91.2\n'
    '"Hopper, Grace",1906,s-2,grace,Monday,8,3.5,80\n'
    '"Student, Test",9999,,test,Monday,,,\n'
)
MOODLE = (
    "\ufeffIdentifier,Full name,Email address,Status,Grade,Maximum grade,Grade can be changed,"
    "Last modified (submission),Last modified (grade),Feedback comments\r\n"
    "Participant 42,Ada Lovelace,ada@example.org,Submitted for grading,,8.00,Yes,"
    '"Monday, 2 November 2026, 9:00 AM",-,\r\n'
    "Participant 43,Grace Hopper,grace@example.org,Submitted for grading,3.00,8.00,No,"
    '"Monday, 2 November 2026, 9:05 AM","Tuesday, 3 November 2026, 8:00 AM",kept\r\n'
)
GERMAN = (
    "ID,Vollständiger Name,Status,Bewertung,Bestwertung,Bewertung kann geändert werden,"
    "Zuletzt geändert (Bewertung),Feedback als Kommentar\r\n"
    'Teilnehmer/in42,Ada Lovelace,Abgegeben,,"8,00",Ja,-,\r\n'
)
UNKNOWN_LANGUAGE = (
    "Auðkenni,Fullt nafn,Staða,Einkunn,Hámark,Breytt,Athugasemdir\r\nÞátttakandi 42,Ada,Skilað,,8.00,-,\r\n"
)


def grade(student: str, score: float | None = 3.0, *, number: int = 1, maximum: float = 4.0) -> Grade:
    status = "unjudged" if score is None else "incorrect"
    part = PartLine("part1", "Norms", status, score, maximum, "Look at the axis.")
    return Grade(student, f"s-{student}", number, "finished", score, maximum, (part,), "completed", 0.75)


def canvas(*grades: Grade, column: str | None = None, template: str = CANVAS, title: str = "Embeddings"):
    return export("canvas", grades, Order(title, template.encode(), column))


def cells(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_every_format_says_what_it_is_and_whether_it_needs_a_file() -> None:
    assert {name: each.TEMPLATE for name, each in formats().items()} == {
        "canvas": True, "gradescope": False, "moodle": True, "plain": False,
    }  # fmt: skip


def test_an_unknown_format_names_the_known_ones() -> None:
    with pytest.raises(ExportError, match="canvas, gradescope, moodle, plain"):
        export("excel", [], Order("Embeddings"))


@pytest.mark.parametrize(("wanted", "where"), [("canvas", "Grades, Export"), ("moodle", "grading worksheet")])
def test_a_format_that_fills_in_a_file_asks_for_it_and_says_where_it_is(wanted: str, where: str) -> None:
    with pytest.raises(ExportError, match=f"downloaded there .*{where}.* as the template"):
        export(wanted, [], Order("Embeddings"))


@pytest.mark.parametrize(
    ("statuses", "reason"),
    [
        (("needs_review", "correct", "needs_review"), "no grade yet, a person has to mark p0, p2"),
        (("unjudged",), "no grade yet, p0 could not be judged"),
        ((), "no grade yet"),
    ],
)
def test_who_has_no_grade_is_told_why(statuses: tuple[str, ...], reason: str) -> None:
    parts = tuple(PartLine(f"p{n}", "Norms", each, None, 1.0) for n, each in enumerate(statuses))
    made = canvas(msgspec.structs.replace(grade("1815", None), parts=parts))
    assert made.remarks == (f"1815: {reason}; the cell stays as it is",)


def test_canvas_gets_its_identity_columns_and_this_assignment_only() -> None:
    made = canvas(grade("1815"))
    assert made.content.decode() == (
        "Student,ID,SIS User ID,SIS Login ID,Section,Embeddings (302)\n"
        ",,,,,Manual Posting\n"
        "    Points Possible,,,,,8\n"
        '"Lovelace, Ada",1815,s-1,ada@example.org,Monday,6\n'  # 3 of 4 points are 6 of Canvas's 8
        '"Hopper, Grace",1906,s-2,grace,Monday,3.5\n'
        '"Student, Test",9999,,test,Monday,\n'
    )
    assert made.remarks == ()


@pytest.mark.parametrize(
    "name", ["1815", "s-1", "ada@example.org", "Lovelace, Ada", "lovelaceada_1815", "ADA@example.org"]
)
def test_canvas_students_are_found_by_number_sis_login_name_or_file_name(name: str) -> None:
    assert cells(canvas(grade(name)).content)[3][-1] == "6"


def test_a_student_whom_canvas_does_not_know_is_told_and_not_added() -> None:
    made = canvas(grade("nobody"))
    assert len(cells(made.content)) == 6
    assert made.remarks == ("nobody: nobody of that name or number there; not exported",)


def test_several_notebooks_of_one_student_are_told_as_that() -> None:
    made = canvas(grade("lovelaceada_1815/part a"), grade("lovelaceada_1815/part b"))
    assert len(made.remarks) == 2
    assert "one of several notebooks" in made.remarks[0]


def test_two_students_of_one_name_get_nobody_elses_grade() -> None:
    twins = CANVAS + '"Lovelace, Ada",1816,s-3,ada2,Monday,,,\n'
    made = canvas(grade("Lovelace, Ada"), template=twins)
    assert [row[-1] for row in cells(made.content)[3:]] == ["", "3.5", "", ""]
    assert len(made.remarks) == 1


def test_what_nobody_judged_leaves_canvas_as_it_is() -> None:
    made = canvas(grade("1906", None))
    assert cells(made.content)[4][-1] == "3.5"
    assert "no grade yet" in made.remarks[0]


def test_who_is_excused_in_canvas_stays_excused() -> None:
    made = canvas(grade("1906"), template=CANVAS.replace("8,3.5,80", "8,EX,80"))
    assert cells(made.content)[4][-1] == "EX"
    assert made.remarks == ("1906: excused in Canvas; the cell stays as it is",)


def test_an_unknown_title_is_refused_because_canvas_would_create_it() -> None:
    with pytest.raises(ExportError, match=r"no column 'Norms'.*'Vectors \(301\)', 'Embeddings \(302\)'"):
        canvas(grade("1815"), column="Norms")


def test_a_column_may_be_named_with_its_number() -> None:
    assert cells(canvas(grade("1815"), column="Vectors (301)").content)[0][-1] == "Vectors (301)"


@pytest.mark.parametrize("template", ["", "a,b\n1,2\n", CANVAS.replace("Points Possible", "Points")])
def test_a_file_that_is_no_gradebook_is_refused(template: str) -> None:
    with pytest.raises(ExportError, match="template"):
        canvas(grade("1815"), template=template)


def test_the_newest_submission_counts() -> None:
    made = canvas(grade("1815", 1.0, number=1), grade("1815", 4.0, number=2))
    assert cells(made.content)[3][-1] == "8"


def test_a_moodle_worksheet_comes_back_with_grade_and_comment_and_nothing_else_changed() -> None:
    made = export("moodle", [grade("Ada Lovelace_42")], Order("Embeddings", MOODLE.encode()))
    expected = MOODLE.replace(",,8.00,Yes", ",6,8.00,Yes").replace(
        '9:00 AM",-,\r\n',
        '9:00 AM",-,<p><strong>Norms</strong>: incorrect (3/4)</p><p>Look at the axis.</p>\r\n',
    )
    assert made.content == expected.encode()


def test_a_grade_that_moodle_has_locked_stays() -> None:
    made = export("moodle", [grade("43")], Order("Embeddings", MOODLE.encode()))
    assert made.content == MOODLE.encode()
    assert "locked" in made.remarks[0]


def test_a_german_worksheet_keeps_its_headers_and_its_comma() -> None:
    made = export("moodle", [grade("Ada Lovelace_42", 2.25)], Order("Embeddings", GERMAN.encode()))
    header, row = cells(made.content)
    assert header == cells(GERMAN.encode())[0]
    assert row[3] == "4,5"
    assert row[-1].startswith("<p><strong>Norms</strong>: incorrect")


def test_a_worksheet_in_a_language_nobody_looked_up_is_read_by_its_shape() -> None:
    made = export("moodle", [grade("Ada_42")], Order("Embeddings", UNKNOWN_LANGUAGE.encode()))
    assert cells(made.content)[1][3:5] == ["6", "8.00"]


def test_a_file_that_is_no_worksheet_is_refused() -> None:
    with pytest.raises(ExportError, match="participant"):
        export("moodle", [], Order("Embeddings", b"a,b\nx,y\n"))


def test_gradescope_gets_one_test_a_part() -> None:
    made = export("gradescope", [grade("ada")], Order("Embeddings"))
    document = json.loads(made.content)
    assert document["score"] == 3.0
    assert document["execution_time"] == 0.75
    (test,) = document["tests"]
    assert (test["name"], test["score"], test["max_score"], test["status"]) == ("Norms", 3.0, 4.0, "failed")
    assert (test["output"], test["output_format"]) == ("Look at the axis.", "md")


def test_gradescope_gets_no_document_without_a_score() -> None:
    made = export("gradescope", [grade("ada", None), grade("grace")], Order("Embeddings"))
    with zipfile.ZipFile(io.BytesIO(made.content)) as archive:
        assert archive.namelist() == ["0001_grace/results.json"]
    assert made.remarks == ("ada: no grade yet, part1 could not be judged; not exported",)
    with pytest.raises(ExportError, match="nobody has a grade yet"):
        export("gradescope", [grade("ada", None)], Order("Embeddings"))


def test_gradescope_gets_no_score_for_a_part_that_nobody_judges() -> None:
    question = PartLine("part2", "To think about", "ungraded", None, 0.0)
    whole = msgspec.structs.replace(grade("ada"), parts=(*grade("ada").parts, question))
    document = json.loads(export("gradescope", [whole], Order("Embeddings")).content)
    assert document["score"] == 3.0
    assert not {"score", "max_score", "status"} & document["tests"][1].keys()


def test_a_class_for_gradescope_is_one_zip_of_equal_bytes() -> None:
    grades = [grade("ada"), grade("gr/ace")]
    made = export("gradescope", grades, Order("Embeddings"))
    with zipfile.ZipFile(io.BytesIO(made.content)) as archive:
        assert archive.namelist() == ["0001_ada/results.json", "0002_gr_ace/results.json"]
    assert made.content == export("gradescope", grades, Order("Embeddings")).content


def test_a_submission_called_by_a_formula_is_none() -> None:
    # Without a server, a submission is called like its student.
    made = export("plain", [msgspec.structs.replace(grade("ada"), submission="=1+1")], Order("Embeddings"))
    assert "ada,'=1+1,1,finished" in made.content.decode()


def test_plain_csv_has_a_line_a_student_and_no_formula() -> None:
    made = export("plain", [grade("=1+1"), grade("ada", None)], Order("Embeddings"))
    assert made.content.decode() == (
        "student,submission,number,state,score,max_score,part1 score,part1 status\r\n"
        "'=1+1,s-=1+1,1,finished,3,4,3,incorrect\r\n"
        "ada,s-ada,1,finished,,4,,unjudged\r\n"
    )


def test_plain_csv_tells_who_was_late_and_nothing_of_whom_nobody_knows_it() -> None:
    late = [
        msgspec.structs.replace(grade(name), late=is_late)
        for name, is_late in (("a", True), ("b", False), ("c", None))
    ]
    lines = export("plain", late, Order("Embeddings")).content.decode().splitlines()
    assert [line.rpartition(",")[2] for line in lines] == ["late", "yes", "no", ""]
