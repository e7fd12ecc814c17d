"""The worksheet as Moodle writes it: cells with blanks in quotes, times in the reader's language, teams."""

from __future__ import annotations

import csv
import io

import pytest

from grader.exporters import Export, ExportError, Grade, Order, export
from tests.grader.test_exporters import grade

ADA = '"Participant 42","Ada Lovelace",ada@example.org,"Submitted for grading - 1 hour late",,8.00,Yes,'
WORKSHEET = (
    '\ufeffIdentifier,"Full name","Email address",Status,Grade,"Maximum grade","Grade can be changed",'
    '"Last modified (submission)","Online text","Last modified (grade)","Feedback comments"\r\n'
    f'{ADA}"Monday, 2 November 2026, 9:00 AM","<p>say ""hi""\nthere</p>",-,\r\n'
    '"Participant 43","Grace Hopper",grace@example.org,"Submitted for grading - Graded",3.00,8.00,Yes,'
    '"Monday, 2 November 2026, 9:05 AM",,"Tuesday, 3 November 2026, 8:00 AM","<p>kept</p>"\n'
    '"Participant 44","O\'Brien, Müller",m@example.org,"No submission",,8.00,Yes,-,,-,'
)
GERMAN = (
    'ID,"Vollständiger Name",Status,Bewertung,Bestwertung,"Bewertung kann geändert werden",'
    '"Zuletzt geändert (Bewertung)","Feedback als Kommentar"\r\n'
    'Teilnehmer/in42,"Ada Lovelace","Zur Bewertung abgegeben",,"8,00",Ja,-,\r\n'
    'Teilnehmer/in43,"Grace Hopper","Zur Bewertung abgegeben","3,00","8,00",Ja,'
    '"Dienstag, 3. November 2026, 08:00",\r\n'
)
TEAMS = (
    'Identifier,"Full name",Status,Group,Grade,"Maximum grade","Grade can be changed",'
    '"Last modified (grade)","Feedback comments"\r\n'
    '"Participant 42","Ada Lovelace",,"Group 1",,8.00,Yes,-,\r\n'
    '"Participant 43","Grace Hopper",,"Group 1",,8.00,Yes,-,\r\n'
    '"Participant 7","Alan Turing",,"Group 2",,8.00,Yes,-,\r\n'
    '"Participant 8","Mary Shelley",,"Default group",,8.00,Yes,-,\r\n'
)
SCALE = (
    'Identifier,"Full name",Status,Grade,Scale,"Grade can be changed","Last modified (grade)",'
    '"Feedback comments"\r\n"Participant 42","Ada Lovelace",,,"{}",Yes,-,\r\n'
)


def filled(*grades: Grade, template: str = WORKSHEET) -> Export:
    return export("moodle", grades, Order("Embeddings", template.encode()))


def by_student(made: Export, separator: str = ",") -> dict[str, dict[str, str]]:
    text = io.StringIO(made.content.decode("utf-8-sig"), newline="")
    return {next(iter(row.values())): row for row in csv.DictReader(text, delimiter=separator)}


def commented(message: str) -> str:
    part = grade("Ada Lovelace_42").parts[0]
    one = Grade("Ada Lovelace_42", "s", 1, "finished", 3.0, 4.0, (type(part)(
        "a", "Norms <b>", "incorrect", 3.0, 4.0, message),))  # fmt: skip
    return by_student(filled(one))["Participant 42"]["Feedback comments"]


def test_what_nobody_changed_comes_back_byte_for_byte() -> None:
    assert filled().content == WORKSHEET.encode()
    comment = "<p><strong>Norms</strong>: incorrect (3/4)</p><p>Look at the axis.</p>"
    made = filled(grade("Ada Lovelace_42"))
    expected = WORKSHEET.replace("late,,8.00", "late,6,8.00").replace('late",,8.00', 'late",6,8.00')
    assert made.content.decode() == expected.replace("-,\r\n", f"-,{comment}\r\n")
    assert (made.remarks, made.students) == ((), 1)


def test_comments_are_html_as_moodle_keeps_them() -> None:
    assert commented("Use `a < b`, not **bold**.") == (
        "<p><strong>Norms &lt;b&gt;</strong>: incorrect (3/4)</p>"
        "<p>Use <code>a &lt; b</code>, not <strong>bold</strong>.</p>"
    )
    assert "<script" not in commented("<script>alert(1)</script>")


def test_no_backslash_reaches_moodles_reader_which_takes_it_for_an_escape() -> None:
    for message in (r'`print("\")` and `"\\"`', "ends in \\", r"\alpha, `C:\new`"):
        assert "\\" not in commented(message)
        assert "&#92;" in commented(message)


@pytest.mark.parametrize("header", ["Last modified (grade)", "Zuletzt geändert (Bewertung)", "Breytt"])
def test_without_a_column_of_comments_the_time_of_the_grade_stays(header: str) -> None:
    template = (
        f'Identifier,"Full name",Status,Grade,"Maximum grade","Grade can be changed","{header}"\r\n'
        '"Participant 42","Ada Lovelace",,,8.00,Yes,-\r\n'
        '"Participant 43","Grace Hopper",,3.00,8.00,Yes,"Dienstag, 3. November 2026, 08:00"\r\n'
    )
    made = filled(grade("Ada Lovelace_42"), template=template)
    assert made.content.decode() == template.replace('Lovelace",,,8.00', 'Lovelace",,6,8.00')


def test_one_student_of_a_language_nobody_looked_up_gets_the_right_cell() -> None:
    template = (
        "Auðkenni,Fullt nafn,Kennitala,Staða,Einkunn,Hámark,Má breyta,Breytt\r\n"
        "Þátttakandi 42,Ada,12345,Skilað,,8.00,Já,-\r\n"
    )
    made = filled(grade("Ada_42"), template=template)
    assert made.content.decode() == template.replace("Skilað,,8.00", "Skilað,6,8.00")


def test_a_lock_is_seen_in_any_language_that_has_a_word_for_no() -> None:
    template = GERMAN.replace("Bewertung kann geändert werden", "Änderbar").replace("Ja,-", "Nein,-")
    made = filled(grade("Ada Lovelace_42"), template=template)
    assert made.content == template.encode()
    assert "locked" in made.remarks[0]


def test_a_grade_that_moodle_will_pass_over_for_its_time_is_told_once() -> None:
    made = filled(grade("Ada Lovelace_42"), grade("Grace Hopper_43"), template=GERMAN)
    assert len(made.remarks) == 1
    assert "Allow updating records that have been modified more recently" in made.remarks[0]
    assert filled(grade("Ada Lovelace_42"), template=GERMAN).remarks == ()
    assert "more recently" not in "".join(filled(grade("Grace Hopper_43")).remarks)


def test_a_comment_that_somebody_wrote_in_moodle_is_not_replaced_silently() -> None:
    made = filled(grade("Grace Hopper_43"))
    assert made.remarks == ("Grace Hopper_43: a comment that somebody wrote in Moodle is replaced",)
    assert filled(grade("Grace Hopper_43"), template=made.content.decode()).remarks == ()


def test_more_points_than_moodle_takes_are_its_maximum() -> None:
    made = filled(grade("Ada Lovelace_42", 5.0))
    assert by_student(made)["Participant 42"]["Grade"] == "8"
    assert made.remarks == ("Ada Lovelace_42: 10 points are more than Moodle takes; written as 8",)


@pytest.mark.parametrize("separator", [";", "\t"])
def test_another_separator_stays_and_is_told(separator: str) -> None:
    template = WORKSHEET.replace(",", separator).replace(f"Monday{separator}", "Monday,")
    made = filled(grade("Ada Lovelace_42"), template=template)
    assert by_student(made, separator)["Participant 42"]["Grade"] == "6"
    assert "choose their separator" in made.remarks[0]


def test_a_scale_of_words_is_refused_and_one_of_numbers_is_kept() -> None:
    with pytest.raises(ExportError, match=r"a scale \(poor, fair\)"):
        filled(grade("Ada Lovelace_42"), template=SCALE.format("poor\nfair"))
    numbers = SCALE.format("1\n2\n3")
    assert by_student(filled(grade("Ada Lovelace_42"), template=numbers))["Participant 42"]["Grade"] == "3"
    made = filled(grade("Ada Lovelace_42", 2.5), template=numbers)
    assert made.content == numbers.encode()
    assert "not on Moodle's scale" in made.remarks[0]


def test_a_teams_grade_goes_to_its_members_and_not_to_who_has_the_groups_number() -> None:
    made = filled(grade("Group 1_7"), grade("Default group"), template=TEAMS)
    grades = {name: row["Grade"] for name, row in by_student(made).items()}
    assert list(grades.values()) == ["6", "6", "", "6"]
    assert (made.remarks, made.students) == ((), 3)


def test_a_row_of_another_length_is_refused_as_moodle_would() -> None:
    with pytest.raises(ExportError, match="row 2 has 8 cells, its header has 9"):
        filled(template=TEAMS.replace("Yes,-,\r\n", "Yes,-\r\n", 1))


def test_a_team_nobody_knows_is_not_the_participant_of_its_number() -> None:
    made = filled(grade("Group 9_7"), template=TEAMS)
    assert made.content == TEAMS.encode()
    assert made.remarks == ("Group 9_7: participant 7 has another name there; not exported",)


@pytest.mark.parametrize("student", ["Group 1-Ada Lovelace_42", "Lovelace Ada_42", "Participant 42", "42"])
def test_a_participant_is_found_by_number_and_any_form_of_the_name(student: str) -> None:
    made = filled(grade(student), template=TEAMS)
    assert [row["Grade"] for row in by_student(made).values()] == ["6", "", "", ""]
    assert made.remarks == ()


def test_two_of_one_name_are_told_apart_by_number() -> None:
    made = filled(grade("Ada Lovelace_42"), template=TEAMS.replace("Grace Hopper", "Ada Lovelace"))
    assert [row["Grade"] for row in by_student(made).values()] == ["6", "", "", ""]


def test_a_group_that_is_called_like_a_student_does_not_get_his_grade() -> None:
    made = filled(grade("Ada Lovelace_42"), template=TEAMS.replace("Group 2", "Ada Lovelace"))
    assert [row["Grade"] for row in by_student(made).values()] == ["6", "", "", ""]


@pytest.mark.parametrize("student", ["Participant_42", "Group 1-Participant_42"])
def test_blind_marking_goes_by_the_number_alone(student: str) -> None:
    for columns in ('"Submitted for grading"', '"Submitted for grading","Group 2"'):
        group = ",Group" if "Group" in columns else ""
        template = (
            f'Identifier,Status{group},Grade,"Maximum grade","Grade can be changed","Last modified (grade)",'
            f'"Feedback comments"\r\n"Participant 42",{columns},,8.00,Yes,-,\r\n'
        )
        made = filled(grade(student), template=template)
        assert by_student(made)["Participant 42"]["Grade"] == "6"


def test_a_worksheet_without_names_takes_the_number_of_any_name() -> None:
    template = (
        'Identifier,Status,Grade,"Maximum grade","Grade can be changed","Last modified (grade)",'
        '"Feedback comments"\r\n"Participant 42",x,,8.00,Yes,-,\r\n'
    )
    assert by_student(filled(grade("Ada Lovelace_42"), template=template))["Participant 42"]["Grade"] == "6"


def test_a_name_of_signs_alone_is_found_by_its_number() -> None:
    made = filled(grade("\U0001f600_42"), template=TEAMS.replace("Ada Lovelace", "\U0001f600 :)"))
    assert [row["Grade"] for row in by_student(made).values()] == ["6", "", "", ""]
    assert made.remarks == ()


def test_names_without_the_signs_that_moodle_takes_out_are_found() -> None:
    made = filled(grade("OBrien, Müller_44"))
    assert by_student(made)["Participant 44"]["Grade"] == "6"
    assert made.remarks == ()
