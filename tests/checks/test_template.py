"""Messages: fields are filled with escaped text, and nothing a student writes becomes markup."""

from __future__ import annotations

import pytest

from checks.spec.template import MAX_VALUE, escape, fields, fill

ESCAPES = [
    ("plain words", "plain words"),
    ("movie_bias", "movie_bias"),
    ("_x_", r"\_x\_"),
    ("*x*", r"\*x\*"),
    ("`x`", r"\`x\`"),
    ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
    ("&lt;", "&amp;lt;"),
    ("[a](http://b)", r"\[a\](http://b)"),
    ("![a](b)", r"!\[a\](b)"),
    ("a\n\n# b", "a # b"),
    ("a\\b", r"a\\b"),
    ("a|b", r"a\|b"),
    ("~~a~~", r"\~\~a\~\~"),
    ("$x$", r"\$x\$"),
    ("\x1b[31m\u202eabc", r"\[31m abc"),
]


@pytest.mark.parametrize(("text", "escaped"), ESCAPES)
def test_escape(text: str, escaped: str) -> None:
    assert escape(text) == escaped


def test_long_text_is_cut() -> None:
    assert len(escape("x" * 10_000)) == MAX_VALUE


def test_very_long_text_is_cut_at_the_end_of_a_word() -> None:
    assert escape("word " * 1_000_000) == ("word " * 31).strip() + "…"


def test_text_that_was_cut_ends_its_sentence() -> None:
    assert fill("It is {seen}. Look.", {"seen": "x" * 1000}).endswith("x… Look.")


def test_fields_are_filled_once_and_escaped() -> None:
    assert fill("{{{seen}}} and {other}", {"seen": "{other}*"}) == r"{{other}\*} and …"


@pytest.mark.parametrize(
    ("text", "names", "wrong"),
    [
        ("{a} {b_2}", ["a", "b_2"], 0),
        ("{{a}}", [], 0),
        ("{A}", [], 1),
        ("{a!r}", [], 1),
        ("{a[0]}", [], 1),
        ("{", [], 1),
        ("}", [], 1),
        ("`{a}`", ["a"], 1),
        ("`x` {a}", ["a"], 0),
    ],
)
def test_fields_of_a_message(text: str, names: list[str], wrong: int) -> None:
    found, mistakes = fields(text)
    assert (found, len(mistakes)) == (names, wrong)
