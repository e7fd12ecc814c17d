"""Every macro does what the author wrote it for, in every mode, and a mistyped one never gets through."""

from __future__ import annotations

import pytest

from grader.authoring.macros import CONDITIONS, DEFAULT_TEXTS, MODES, Mode, expand

STUDENT, AUTHOR, REFERENCE = MODES


def text(source: str, mode: Mode = STUDENT, **texts: str) -> str:
    result = expand(source, mode, {**DEFAULT_TEXTS, **texts})
    assert not result.mistakes
    return result.text


def mistakes(source: str, mode: Mode = STUDENT) -> list[tuple[int, str]]:
    return [(slip.line, slip.what) for slip in expand(source, mode, DEFAULT_TEXTS).mistakes]


@pytest.mark.parametrize(
    ("source", "student", "author"),
    [
        ("a\n#_RM_\nb\nc", "a\nc", "a\nc"),
        ("#_UNCOMMENT_\n#x = 1", "x = 1", "x = 1"),
        ("#_COMMENT_\nx = 1", "#x = 1", "#x = 1"),
        ("#_RM_IF(PROD)_\nb\nc", "c", "b\nc"),
        ("#_COMMENT_IF(PROD)_\npart1.hint()", "#part1.hint()", "part1.hint()"),
        ("#_UNCOMMENT_IF(PROD)_\n#x", "x", "#x"),
        ("#_RM_IF(TESTING)_\nb\nc", "b\nc", "c"),
        ("#_COMMENT_\n    x = 1", "    #x = 1", "    #x = 1"),
        ("if x:\n    #_UNCOMMENT_\n    # y = 1", "if x:\n     y = 1", "if x:\n     y = 1"),
        ("  #_RM_  \nb\nc", "c", "c"),
        ("#_RM_\na\n#_RM_\nb\nc", "c", "c"),
        ("# _RM_\nx", "# _RM_\nx", "# _RM_\nx"),
        ("x = '#_RM_'\ny", "x = '#_RM_'\ny", "x = '#_RM_'\ny"),
        ("#_private_name_\nx", "#_private_name_\nx", "#_private_name_\nx"),
    ],
)
def test_line_macros_act_on_the_next_line(source: str, student: str, author: str) -> None:
    assert text(source, STUDENT) == student
    assert text(source, AUTHOR) == author


@pytest.mark.parametrize(
    ("macro", "gone"),
    [
        ("#%%RM%%", set(MODES)),
        ("#%%RM_IF(PROD)%%", {STUDENT}),
        ("#%%RM_IF(TESTING)%%", {AUTHOR, REFERENCE}),
        ("#%%RM_IF(REFERENCE)%%", {REFERENCE}),
        ("#%%RM_BELOW%%", set(MODES)),
        ("#%%RM_BELOW_IF(PROD)%%", {STUDENT}),
    ],
)
def test_cell_macros_remove_the_cell_where_their_condition_holds(macro: str, gone: set[Mode]) -> None:
    for mode in MODES:
        result = expand(f"{macro}\nx = 1", mode, DEFAULT_TEXTS)
        assert result.removed == (mode in gone)
        assert result.ends == (mode in gone and "BELOW" in macro)
        assert result.text == ("" if result.removed else "x = 1")


@pytest.mark.parametrize(
    ("source", "fold"),
    [
        ("#%%HIDE%%\nx", {"source_hidden": True, "outputs_hidden": True}),
        ("#%%HIDE_INPUT%%\nx", {"source_hidden": True}),
        ("#%%HIDE_OUTPUT_IF(PROD)%%\nx", {"outputs_hidden": True}),
        ("#%%HIDE_IF(TESTING)%%\nx", {}),
        ("#$HIDE_INPUT$\nx", {"source_hidden": True}),
        ("#%%RM_IF(TESTING)%%\n#%%HIDE_INPUT%%\nx", {"source_hidden": True}),
    ],
)
def test_folding_macros_leave_no_text_behind(source: str, fold: dict[str, object]) -> None:
    result = expand(source, STUDENT, DEFAULT_TEXTS)
    assert (result.text.strip(), result.fold) == ("x", fold)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("see [it](#$TUTORIAL_URL(3)$)!", "see [it](#tutorial-3)!"),
        ("[a](#$TUTORIAL_URL$) and [b](#$EXERCISE_URL(2)$)", "[a](#tutorial) and [b](#exercise-2)"),
        ("costs 3#$ or 4$", "costs 3#$ or 4$"),
        ("$x#$ and $y$", "$x#$ and $y$"),
        ("#_COMMENT_IF(PROD)_\n#$HEADER$x", "#x"),
    ],
)
def test_text_macros_are_replaced_where_they_stand(source: str, expected: str) -> None:
    assert text(source) == expected


@pytest.mark.parametrize("name", sorted(DEFAULT_TEXTS))
def test_every_default_text_can_be_called(name: str) -> None:
    assert "{arg}" not in text(f"#${name.replace('*', '7')}$")


def test_the_course_may_give_its_own_texts_for_one_argument_or_for_all() -> None:
    own = {"TUTORIAL_URL(3)": "/gensim", "TUTORIAL_URL(*)": "/lesson/{arg}", "LOGO": "{arg}"}
    source = "#$TUTORIAL_URL(3)$ #$TUTORIAL_URL(4)$ #$LOGO$"
    assert text(source, **own) == "/gensim /lesson/4 {arg}"


@pytest.mark.parametrize(
    ("source", "line", "what"),
    [
        ("a\n#_REMOVE_\nb", 2, "unknown macro `#_REMOVE_`"),
        ("a\n#_RM_IF(PRODUCTION)_\nb", 2, "PROD, TESTING, REFERENCE"),
        ("#_RM_IF_\nb", 1, "a condition is written RM_IF(…)"),
        ("#_RM(PROD)_\nb", 1, "a condition is written RM_IF(…)"),
        ("#_RM\nb", 1, "does not end in `_`"),
        ("a\n#_RM_", 2, "no line below it"),
        ("#_RM_\n#_RM_\nb", 2, "expects a line to act on"),
        ("#_UNCOMMENT_\nx = 1", 2, "no comment: `x = 1`"),
        ("#%%DELETE%%\nx", 1, "unknown macro `#%%DELETE%%`"),
        ("#%%RM\nx", 1, "does not end in `%%`"),
        ("x\n#%%RM%%", 2, "has to be its first line"),
        ("x #$TUTORIAL$", 1, "unknown macro `#$TUTORIAL$`"),
        ("#$EXERCISE_URL$", 1, "known as EXERCISE_URL(*)"),
        ("#$HEADER(1)$", 1, "known as HEADER"),
        ("a\n#$KEEP_GOING now", 2, "does not end in `$`"),
        ("#$TUTORIAL_URL(3)", 1, "does not end in `$`"),
    ],
)
def test_a_mistyped_macro_is_a_mistake_with_its_line(source: str, line: int, what: str) -> None:
    for mode in MODES:
        found = mistakes(source, mode)
        assert [number for number, _ in found] == [line]
        assert what in found[0][1]


def test_all_mistakes_of_a_cell_are_told_at_once() -> None:
    assert [line for line, _ in mistakes("#%%NO%%\n#_NO_\nx\n#$NO$\n#_RM_")] == [1, 2, 4, 5]


def test_every_condition_holds_in_some_mode_and_not_in_all() -> None:
    for modes in CONDITIONS.values():
        assert 0 < len(modes) < len(MODES)
