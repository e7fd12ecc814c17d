"""The worksheet as Moodle writes it: cells with blanks in quotes, times in the reader's language, teams."""

from __future__ import annotations

import csv
import io

import msgspec
import pytest

from grader.exporters import Export, ExportError, Grade, Order, export, participants
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


def filled(*grades: Grade, template: str = WORKSHEET, column: str | None = None) -> Export:
    return export("moodle", grades, Order("Embeddings", template.encode(), column))


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


COHORTS = (
    "Auðkenni,Nafn,Númer,Árgangur,Staða,Einkunn,Hámark,Má breyta,Breytt\r\n"
    "Þátttakandi 1,Ada,,2024,Skilað,,10,Já,-\r\n"
    "Þátttakandi 2,Bob,,2024,Skilað,,10,Já,-\r\n"
)


def test_of_two_columns_that_could_be_the_grades_one_must_be_named() -> None:
    with pytest.raises(ExportError, match="name one of 'Númer', 'Einkunn'"):
        filled(grade("Ada_1"), template=COHORTS)
    made = filled(grade("Ada_1"), template=COHORTS, column="Einkunn")
    assert made.content.decode() == COHORTS.replace("Skilað,,10", "Skilað,7.5,10", 1)


def test_beside_a_scale_no_other_column_is_taken_for_the_grades() -> None:
    template = COHORTS.replace(",10,", ',"slæmt\ngott",')
    with pytest.raises(ExportError, match="name one of 'Númer', 'Einkunn'"):
        filled(grade("Ada_1"), template=template)
    with pytest.raises(ExportError, match=r"by a scale \(slæmt, gott\)"):
        filled(grade("Ada_1"), template=template.replace(",2024,", ",,"))


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


def test_a_worksheet_without_names_takes_the_number_and_tells_of_any_name() -> None:
    template = (
        'Identifier,Status,Grade,"Maximum grade","Grade can be changed","Last modified (grade)",'
        '"Feedback comments"\r\n"Participant 42",x,,8.00,Yes,-,\r\n'
    )
    for word in ("Participant", "Teilnehmerin", "Deelnemer"):
        made = filled(grade(f"{word}_42"), template=template)
        assert (by_student(made)["Participant 42"]["Grade"], made.remarks) == ("6", ())
    made = filled(grade("Ada Lovelace_42"), template=template)
    assert by_student(made)["Participant 42"]["Grade"] == "6"
    assert made.remarks == (
        "Ada Lovelace_42: written to Participant 42, found by the number 42 alone; please check",
    )


def test_a_name_of_signs_alone_is_found_by_its_number() -> None:
    made = filled(grade("\U0001f600_42"), template=TEAMS.replace("Ada Lovelace", "\U0001f600 :)"))
    assert [row["Grade"] for row in by_student(made).values()] == ["6", "", "", ""]
    assert made.remarks == ()


def test_names_without_the_signs_that_moodle_takes_out_are_found() -> None:
    made = filled(grade("OBrien, Müller_44"))
    assert by_student(made)["Participant 44"]["Grade"] == "6"
    assert made.remarks == ()


def grades_of(made: Export) -> list[str]:
    return [row["Grade"] for row in by_student(made).values()]


def test_a_number_is_no_part_of_a_name_that_ends_in_one() -> None:
    template = TEAMS.replace("Ada Lovelace", "Student 427").replace("Alan Turing", "Student 42")
    made = filled(grade("Student 42_7"), template=template)
    assert (grades_of(made), made.remarks) == (["", "", "6", ""], ())


@pytest.mark.parametrize("name", ["Ada Lovelace_42/aufgabe_43", "Participant_42/aufgabe_43"])
def test_one_of_several_notebooks_is_not_found_by_the_number_in_its_own_name(name: str) -> None:
    made = filled(grade(name))
    assert made.content == WORKSHEET.encode()
    assert made.remarks == (f"{name}: one of several notebooks that came from a student; not exported",)


def test_a_name_with_another_number_is_nobodys() -> None:
    made = filled(grade("Ada Lovelace_41", 1.0), grade("Ada Lovelace_42", 4.0), grade("Ada Lovelace_43", 2.0))
    assert by_student(made)["Participant 42"]["Grade"] == "8"
    assert made.remarks == (
        "Ada Lovelace_41: that name is there, but not with the number 41; not exported",
        "Ada Lovelace_43: that name is there, but not with the number 43; not exported",
    )


def test_a_name_that_agrees_in_part_is_told_and_takes_nobodys_row() -> None:
    made = filled(grade("Ada Byron_42"))
    assert by_student(made)["Participant 42"]["Grade"] == "6"
    assert made.remarks == (
        "Ada Byron_42: written to Ada Lovelace, found by the number 42, the name agrees in part; "
        "please check",
    )
    made = filled(grade("Ada Byron_42", 1.0), grade("Ada Lovelace_42", 4.0))
    assert by_student(made)["Participant 42"]["Grade"] == "8"
    assert len(made.remarks) == 1


@pytest.mark.parametrize("student", ["Ada Lovelace Fans_42", "lovelaceada_42"])
def test_a_name_that_holds_another_is_told(student: str) -> None:
    made = filled(grade(student))
    assert by_student(made)["Participant 42"]["Grade"] == "6"
    assert "the name agrees in part; please check" in made.remarks[0]


def test_a_word_inside_another_is_no_name() -> None:
    made = filled(grade("Planners Adagio_42"))
    assert made.content == WORKSHEET.encode()
    assert "participant 42 has another name there" in made.remarks[0]


COMMAS = {"as it came": "", "saved by a spreadsheet": ",,,,,,,,,,\r\n,,,,,,,,,,\r\n"}


@pytest.mark.parametrize("behind", COMMAS.values(), ids=COMMAS)
@pytest.mark.parametrize("headers", [True, False], ids=["known headers", "unknown headers"])
def test_rows_of_commas_take_neither_the_maximum_nor_the_lock(behind: str, headers: bool) -> None:
    template = WORKSHEET.replace(",3.00,8.00,Yes", ",3.00,8.00,No") + "\r\n" + behind
    if not headers:
        template = template.replace("Maximum grade", "Hámark").replace("Grade can be changed", "Má breyta")
    made = filled(grade("Ada Lovelace_42"), grade("Grace Hopper_43"), template=template)
    assert [row["Grade"] for row in list(by_student(made).values())[:3]] == ["6", "3.00", ""]
    assert made.remarks == ("Grace Hopper_43: Moodle has locked the grade; the row stays as it is",)


def test_the_maximum_and_the_lock_are_known_by_their_headers() -> None:
    template = WORKSHEET.replace(",3.00,8.00,Yes", ",3.00,?,Yes").replace(
        'No submission",,8.00,Yes', 'No submission",,8.00,?'
    )
    made = filled(
        grade("Ada Lovelace_42"), grade("Grace Hopper_43"), grade("OBrien, Müller_44"), template=template
    )
    assert [row["Grade"] for row in by_student(made).values()] == ["6", "3.00", ""]
    assert made.remarks == (
        "Grace Hopper_43: Moodle's maximum is not in the row; it stays as it is",
        "OBrien, Müller_44: Moodle has locked the grade; the row stays as it is",
    )


def test_points_without_a_maximum_beside_them_are_told() -> None:
    template = 'Identifier,"Full name",Status,Grade\r\n"Participant 42","Ada Lovelace",,\r\n'
    made = filled(grade("Ada Lovelace_42"), template=template)
    assert (grades_of(made), "no maximum was found" in made.remarks[0]) == (["3"], True)


FIELDS = (
    'Identifier,"Full name",Department,Status,Group,Marker,Grade,"Maximum grade","Grade can be changed",'
    '"Last modified (grade)","Feedback comments"\r\n'
    '"Participant 1",Ada,Physics,Submitted,Maths,"Kurt G",,4.00,Yes,-,\r\n'
    '"Participant 2",Bob,Physics,Submitted,Maths,"Kurt G",,4.00,Yes,-,\r\n'
    '"Participant 3",Cyd,Maths,Draft,Physics,"Kurt G",,4.00,Yes,-,\r\n'
)


def test_a_team_is_one_in_the_groups_column_alone() -> None:
    made = filled(grade("Physics_9", 4.0), grade("Maths_8", 1.0), template=FIELDS)
    assert (grades_of(made), made.remarks) == (["1", "1", "4"], ())
    for student in ("Submitted_9", "Kurt G_9", "Kurt G", "Draft", "Physics_1"):
        template = FIELDS.replace(",Physics,", ",Chemistry,")
        made = filled(grade(student), template=template.replace("Physics", "Biology"))
        assert made.content == template.replace("Physics", "Biology").encode()
        assert len(made.remarks) == 1


def test_a_group_called_like_a_field_of_others_in_an_unknown_language_is_nobodys() -> None:
    template = FIELDS.replace("Status,Group,Marker", "Staða,Hópur,Umsjón")
    made = filled(grade("Physics_9"), template=template)
    assert made.content == template.encode()
    assert made.remarks == ("Physics_9: more than one there could be meant; not exported",)
    made = filled(grade("Team X_9"), template=template.replace('Physics,"Kurt', '"Team X","Kurt'))
    assert grades_of(made) == ["", "", "3"]
    assert made.remarks == ("Team X_9: written to Cyd, found in the column 'Hópur' alone; please check",)


def test_a_field_that_one_student_has_is_a_doubt_and_one_of_several_is_nobodys() -> None:
    made = filled(grade("maths"), template=FIELDS)
    assert grades_of(made) == ["3", "3", ""]
    template = FIELDS.replace(",Group,", ",Marker,").replace("Cyd,Maths", "Cyd,Chess")
    made = filled(grade("Chess"), grade("Physics"), template=template)
    assert grades_of(made) == ["", "", "3"]
    assert made.remarks == (
        "Chess: written to Cyd, found in the column 'Department' alone; please check",
        "Physics: nobody of that name or number there; not exported",
    )


def test_a_students_fields_are_not_read_anew_for_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    monkeypatch.setattr(participants, "exact", lambda text: read.append(text) or text)
    for students in (1, 20):
        filled(*(grade(f"nobody{n}") for n in range(students)), template=FIELDS)
    assert read[: read.index("nobody0")].count("Physics") == read.count("Physics") / 2


def test_a_short_word_for_participants_is_a_whole_word() -> None:
    made = filled(grade("Philip_42"), template=TEAMS.replace("Participant ", "P"))
    assert made.students == 0
    assert made.remarks == ("Philip_42: participant 42 has another name there; not exported",)


def test_groups_that_differ_in_signs_alone_are_two() -> None:
    template = TEAMS.replace("Group 1", "Lab 1-1").replace("Group 2", "Lab 11")
    made = filled(grade("Lab 1-1_7", 4.0), grade("Lab 11_8", 1.0), template=template)
    assert (grades_of(made), made.remarks) == (["8", "8", "2", ""], ())
    made = filled(grade("Lab 1.1_7"), template=template)
    assert made.content == template.encode()
    assert made.remarks == ("Lab 1.1_7: more than one there could be meant; not exported",)
    made = filled(grade("Lab 1-1_7"), template=template.replace("Lab 1-1", "Lab_1-1"))
    assert grades_of(made) == ["6", "6", "", ""]


def test_the_default_group_may_have_many_members() -> None:
    made = filled(grade("Default group"), template=TEAMS.replace("Group 2", "Default group"))
    assert (grades_of(made), made.remarks) == (["", "", "6", "6"], ())


def test_a_group_without_a_number_that_is_called_like_somebody_else_is_nobodys() -> None:
    template = TEAMS.replace("Group 2", "Ada Lovelace")
    made = filled(grade("Ada Lovelace"), template=template)
    assert made.content == template.encode()


def test_a_profile_field_called_grade_is_none() -> None:
    template = WORKSHEET.replace('"Email address"', "Grade")
    made = filled(grade("Ada Lovelace_42"), template=template)
    assert 'ada@example.org,"Submitted for grading - 1 hour late",6,8.00' in made.content.decode()


@pytest.mark.parametrize(
    "column",
    [
        "Identifier",
        "Full name",
        "Email address",
        "Status",
        "Maximum grade",
        "Feedback comments",
        "Online text",
    ],
)
def test_no_other_column_is_filled_in_as_the_grades(column: str) -> None:
    for template in (WORKSHEET, WORKSHEET.replace(",Grade,", ",Points,")):
        with pytest.raises(ExportError, match=f"'{column}' is no column of grades"):
            filled(grade("Ada Lovelace_42"), template=template, column=column)
    made = filled(
        grade("Ada Lovelace_42"), template=WORKSHEET.replace(",Grade,", ",Points,"), column="Points"
    )
    assert by_student(made)["Participant 42"]["Points"] == "6"


def test_comments_go_into_no_column_of_another_name() -> None:
    template = WORKSHEET.replace("Feedback comments", "Annotate PDF")
    made = filled(grade("Ada Lovelace_42"), template=template)
    assert by_student(made)["Participant 42"]["Annotate PDF"] == ""
    assert by_student(made)["Participant 42"]["Grade"] == "6"


def test_a_comment_of_somebodys_stays_where_there_is_nothing_to_say() -> None:
    one = grade("Grace Hopper_43")
    hidden = msgspec.structs.replace(one, parts=(msgspec.structs.replace(one.parts[0], hidden=True),))
    made = filled(hidden)
    assert by_student(made)["Participant 43"]["Feedback comments"] == "<p>kept</p>"
    assert made.remarks == ()
    ours = filled(hidden, template=filled(one).content.decode())
    assert by_student(ours)["Participant 43"]["Feedback comments"] == ""


def test_a_login_that_ends_in_a_number_is_one() -> None:
    template = WORKSHEET.replace("Email address", "Username").replace("ada@example.org", "ada_43")
    made = filled(grade("ada_43"), template=template)
    assert (by_student(made)["Participant 42"]["Grade"], made.remarks) == ("6", ())


def test_an_address_is_one_students_in_any_language() -> None:
    template = WORKSHEET.replace("Email address", "Netfang").replace("Status", "Staða")
    made = filled(grade("ada@example.org"), template=template)
    assert (by_student(made)["Participant 42"]["Grade"], made.remarks) == ("6", ())


def test_a_short_word_is_no_part_of_a_name() -> None:
    made = filled(grade("Li Fans_42"), template=TEAMS.replace("Ada Lovelace", "Li Bo"))
    assert made.remarks == ("Li Fans_42: participant 42 has another name there; not exported",)


def test_a_status_is_no_name() -> None:
    template = FIELDS.replace('"Full name",Department,', "")
    for fields in ("Ada,Physics,", "Bob,Physics,", "Cyd,Maths,"):
        template = template.replace(fields, "")
    made = filled(grade("draft_3"), grade("kim_1"), template=template)
    assert grades_of(made) == ["3", "", "3"]
    assert [remark.partition("found ")[2] for remark in made.remarks] == [
        "by the number 3 alone; please check",
        "by the number 1 alone; please check",
    ]


def test_another_column_of_a_word_for_grades_is_not_the_one_with_the_maximum() -> None:
    made = filled(grade("Ada Lovelace_42"), template=WORKSHEET.replace("Online text", "Note"))
    assert by_student(made)["Participant 42"]["Grade"] == "6"


def test_a_doubt_about_what_is_locked_is_none() -> None:
    made = filled(grade("Ada Byron_42"), template=WORKSHEET.replace(",8.00,Yes,", ",8.00,No,"))
    assert made.remarks == ("Ada Byron_42: Moodle has locked the grade; the row stays as it is",)
