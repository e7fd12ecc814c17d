"""The gradebook as Canvas writes it: two decimals, quotes of its own, rows and columns that it guards."""

from __future__ import annotations

import pytest

from grader.exporters import Export, ExportError, Grade, Order, export
from tests.grader.test_exporters import grade

HEADER = "Student,ID,SIS User ID,SIS Login ID,Section,Notes,Vectors (301),Embeddings (302),Current Score\n"
GRADEBOOK = (
    HEADER + ",,,,,,Manual Posting,Manual Posting (scores hidden from instructors),\n"
    '"    Points Possible",,,,,(read only),10.00,8.00,(read only)\n'
    '"Lovelace, Ada",1815,s-1,ada@example.org,"Monday, Tuesday, and Thursday",late twice,9.00,,91.2\n'
    '"Hopper, Grace",1906,s-2,grace_7,Monday,,N/A,N/A,80\n'
    '"=""=SUM(A1) Müller, ""Q""""",77,1815,q,Monday,,8.00,7.50,80\n'
    '"Student, Test",9999,,test,Monday,,,,\n'
)
SEMICOLONS = (
    "Student;ID;SIS Login ID;Section;Embeddings (302)\n"
    "    Points Possible;;;;8,00\n"
    "Lovelace, Ada;1815;ada;Monday;\n"
    "Hopper, Grace;1906;grace;Monday;3,50\n"
)
TWO_NAMES = (
    "\ufeffLastName,FirstName,ID,SIS Login ID,Section,Embeddings (302)\n"
    "    Points Possible,,,,,8.00\n"
    "Lovelace,Ada,1815,ada,Monday,\n"
)


def filled(*grades: Grade, template: str = GRADEBOOK, column: str | None = None) -> Export:
    return export("canvas", grades, Order("Embeddings", template.encode(), column))


def test_rows_that_nobody_changed_keep_canvass_own_quotes() -> None:
    assert filled(grade("lovelaceada_1815")).content.decode() == (
        "Student,ID,SIS User ID,SIS Login ID,Section,Embeddings (302)\n"
        ",,,,,Manual Posting (scores hidden from instructors)\n"
        '"    Points Possible",,,,,8.00\n'
        '"Lovelace, Ada",1815,s-1,ada@example.org,"Monday, Tuesday, and Thursday",6\n'
        '"Hopper, Grace",1906,s-2,grace_7,Monday,N/A\n'
        '"=""=SUM(A1) Müller, ""Q""""",77,1815,q,Monday,7.50\n'
        '"Student, Test",9999,,test,Monday,\n'
    )


def test_a_gradebook_of_semicolons_and_decimal_commas_stays_one() -> None:
    made = filled(grade("lovelaceada_1815", 2.25), template=SEMICOLONS)
    assert made.content.decode() == SEMICOLONS.replace("1815;ada;Monday;", "1815;ada;Monday;4.5")
    assert (made.remarks, made.students) == ((), 1)


def test_last_and_first_names_find_their_student_and_lose_the_mark_that_canvas_stumbles_over() -> None:
    for name in ("Lovelace, Ada", "Ada Lovelace", "lovelaceada_1815"):
        made = filled(grade(name), template=TWO_NAMES)
        assert made.content.decode() == TWO_NAMES.removeprefix("\ufeff").replace("Monday,\n", "Monday,6\n")
    kept = filled(grade("q"), template="\ufeff" + GRADEBOOK)
    assert kept.content.startswith("\ufeffStudent,".encode())


def test_rows_of_another_length_than_the_header_are_taken() -> None:
    ragged = GRADEBOOK.replace("instructors),\n", "instructors),,,,,\n").replace(
        "99,,test,Monday,,,,\n", "99,,test\n"
    )
    made = filled(grade("lovelaceada_1815"), template=ragged)
    assert made.content == filled(grade("lovelaceada_1815")).content.replace(b"test,Monday,", b"test,,")


@pytest.mark.parametrize(("points", "given"), [('"8,0"', "6"), ('"1.000,00"', "750"), ("1000", "750")])
def test_points_are_read_as_canvas_reads_them(points: str, given: str) -> None:
    made = filled(grade("lovelaceada_1815"), template=GRADEBOOK.replace("10.00,8.00", f"10.00,{points}"))
    assert f'and Thursday",{given}\n' in made.content.decode()


def test_a_gradebook_that_was_sorted_anew_is_read() -> None:
    header, manual, points, *students = GRADEBOOK.splitlines(keepends=True)
    made = filled(grade("lovelaceada_1815"), template="".join([header, *students, points, manual]))
    assert (made.remarks, made.students) == ((), 1)


def test_a_column_without_points_takes_the_points_as_they_are() -> None:
    for points in ("0.00", ""):
        made = filled(grade("lovelaceada_1815"), template=GRADEBOOK.replace("10.00,8.00", f"10.00,{points}"))
        assert ",6\n" not in made.content.decode()
        assert 'and Thursday",3\n' in made.content.decode()


def test_who_is_not_assigned_in_canvas_stays_so() -> None:
    made = filled(grade("hoppergrace_1906"))
    assert made.content == filled().content
    assert made.remarks == ("hoppergrace_1906: not assigned in Canvas (N/A); the cell stays as it is",)


def test_a_number_that_two_columns_give_to_two_students_is_nobodys() -> None:
    made = filled(grade("1815"))
    assert made.content == filled().content
    assert made.remarks == ("1815: more than one there could be meant; not exported",)


def test_a_login_is_not_found_by_its_letters_alone() -> None:
    made = filled(grade("ada@exampleorg"), grade("s1"))
    assert made.content == filled().content
    assert len(made.remarks) == 2


def test_a_number_behind_a_name_is_canvass_own_and_no_others() -> None:
    made = filled(grade("anybody_9"), template=GRADEBOOK.replace("1815,q,", "9,q,"))
    assert made.remarks == ("anybody_9: nobody of that name or number there; not exported",)


@pytest.mark.parametrize("name", ["team3", "hw", "exercise_sheet", "bob"])
def test_a_number_without_its_name_is_nobodys_and_told(name: str) -> None:
    student = f"{name}_1815"
    for template in (GRADEBOOK, TWO_NAMES):
        made = filled(grade(student), template=template)
        assert made.content == filled(template=template).content
        told = f"{student}: the ID 1815 is that of Lovelace, Ada, another name; not exported"
        assert made.remarks == (told,)


@pytest.mark.parametrize("student", ["lovelaceada_4711", "hoppergrace_1815", "Grace Hopper_1815"])
def test_a_name_with_another_number_is_nobodys(student: str) -> None:
    made = filled(grade(student))
    assert made.content == filled().content
    digits = student.rpartition("_")[2]
    assert made.remarks == (f"{student}: that name is there, but not with the ID {digits}; not exported",)


@pytest.mark.parametrize(
    ("student", "written"),
    [
        ("plannersannex_5", False),
        ("Planners Annex_5", False),
        ("ann_5", True),
        ("Ann Smith Fans_5", True),
        ("annasmithson_5", True),
    ],
)
def test_a_name_that_holds_another_or_a_part_of_it_is_told(student: str, written: bool) -> None:
    made = filled(grade(student), template=GRADEBOOK + '"Smith, Ann",5,,,Monday,,,,\n')
    doubt = "written to Smith, Ann, found by the ID 5, the name agrees in part; please check"
    told = doubt if written else "the ID 5 is that of Smith, Ann, another name; not exported"
    assert (made.students, made.remarks) == (written, (f"{student}: {told}",))


def test_an_id_that_two_have_is_told_with_both() -> None:
    made = filled(grade("hw_1815"), template=GRADEBOOK.replace('Grace",1906', 'Grace",1815'))
    assert made.remarks == (
        "hw_1815: the ID 1815 is that of Hopper, Grace and Lovelace, Ada, another name; not exported",
    )


def test_a_second_row_of_points_is_no_student() -> None:
    template = GRADEBOOK + '"    Points Possible",5,,,(read only),10.00,8.00,,(read only)\n'
    for student in ("Points Possible", "pointspossible_5", "5"):
        made = filled(grade(student), template=template)
        assert (made.students, len(made.remarks)) == (0, 1)


@pytest.mark.parametrize("score", [4.0, None])
def test_a_guess_gets_nobodys_row(score: float | None) -> None:
    template = GRADEBOOK.replace("N/A,N/A", ",")
    made = filled(grade("grace_1906", 1.0), grade("hoppergrace_1906", score), template=template)
    cell = "" if score is None else "8"
    assert f'"Hopper, Grace",1906,s-2,grace_7,Monday,{cell}\n' in made.content.decode()
    assert (
        "grace_1906: found by the ID 1906, the name agrees in part: "
        "that row is hoppergrace_1906's; not exported" in made.remarks
    )


def test_of_two_guesses_at_one_row_none_is_written() -> None:
    made = filled(grade("ada_1815", 1.0), grade("Ada Fans_1815", 4.0))
    assert made.content == filled().content
    assert len(made.remarks) == 2
    assert "others could be meant by that row too" in made.remarks[0]


def test_what_should_be_looked_at_is_told_first() -> None:
    made = filled(grade("a_1"), grade("ada_1815"))
    assert [remark.partition(":")[0] for remark in made.remarks] == ["ada_1815", "a_1"]


def test_one_of_several_notebooks_is_not_found_by_the_number_in_its_own_name() -> None:
    name = "lovelaceada_1815/lovelaceada_1815_9001_hw_1906"
    made = filled(grade(name), template=GRADEBOOK.replace("N/A,N/A", ","))
    assert made.students == 0
    assert made.remarks == (f"{name}: one of several notebooks that came from a student; not exported",)


def test_a_number_is_no_part_of_a_name_that_ends_in_one() -> None:
    template = GRADEBOOK + '"1, Student",2,,,Monday,,,,\n"12, Student",13,,,Monday,,,,\n'
    for student in ("student1_2", "Student 1_2"):
        made = filled(grade(student), template=template)
        assert '"1, Student",2,,,Monday,6\n"12, Student",13,,,Monday,\n' in made.content.decode()
        assert made.remarks == ()


def test_an_anonymous_number_is_nobodys_id() -> None:
    made = filled(grade("anon_1815"))
    assert made.content == filled().content
    assert made.remarks[0].startswith("anon_1815: submitted anonymously")


def test_two_submissions_never_share_a_row() -> None:
    made = filled(grade("ada@example.org", 1.0), grade("lovelaceada_1815", 4.0))
    assert 'and Thursday",2\n' in made.content.decode()
    assert made.remarks == (
        "lovelaceada_1815: that row has the grade of ada@example.org already; not exported",
    )


def test_a_title_that_canvas_takes_for_a_total_is_refused() -> None:
    with pytest.raises(ExportError, match="Canvas takes 'Final Grade talk"):
        filled(template=GRADEBOOK.replace("Vectors", "Final Grade talk"), column="Final Grade talk (301)")


def test_names_with_marks_are_found_however_they_are_composed() -> None:
    template = GRADEBOOK.replace("Hopper, Grace", "Ünal, İpek").replace("N/A,N/A", ",")
    for name in ("u\u0308nali\u0307pek_1906", "ünali\u0307pek_1906", "Ünal, İpek"):
        made = filled(grade(name), template=template)
        assert (made.remarks, made.students) == ((), 1)


def test_names_that_differ_in_their_marks_alone_are_two() -> None:
    template = GRADEBOOK.replace("Hopper, Grace", "कुमार, किरन").replace("Lovelace, Ada", "कुमार, करन")
    made = filled(grade("कुमार करन"), template=template)
    assert 'and Thursday",6\n' in made.content.decode()
    assert made.students == 1


def test_a_file_in_another_encoding_says_what_to_do() -> None:
    with pytest.raises(ExportError, match="as it was downloaded"):
        export("canvas", [], Order("Embeddings", GRADEBOOK.encode("cp1252")))


def test_a_quotation_mark_out_of_place_is_told_with_its_line() -> None:
    for broken in (GRADEBOOK.replace('Ada",', 'Ada"x,'), GRADEBOOK.replace(",test,", ',"test,')):
        with pytest.raises(ExportError, match=r"no CSV: line [47] has a quotation mark out of place"):
            filled(template=broken)


def test_a_login_that_ends_in_a_number_is_one() -> None:
    made = filled(grade("grace_7"), template=GRADEBOOK.replace("N/A,N/A", ","))
    assert '"Hopper, Grace",1906,s-2,grace_7,Monday,6\n' in made.content.decode()
    assert made.remarks == ()
