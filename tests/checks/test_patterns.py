"""The matcher of patterns: it finds what Python's finds, in a time that no text can stretch."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.compare.patterns import Pattern, PatternError

ATOMS = st.sampled_from(
    ["a", "b", ".", "[ab]", "[^a]", r"\d", r"\w", r"\s", r"\b", "^", "$", "(a|b)", "(?:ab|)", "-"]
)
REPEATED = st.tuples(ATOMS, st.sampled_from(["", "", "*", "+", "?", "{2}", "{1,3}", "*?"])).map(
    lambda pair: pair[0] if pair[0] in ("^", "$", r"\b") else "".join(pair)
)


@settings(max_examples=300, deadline=None)
@given(st.lists(REPEATED, max_size=5).map("".join), st.text("ab1 -\n_", max_size=12))
def test_it_finds_what_python_s_own_finds(source: str, text: str) -> None:
    assert Pattern(source).search(text) == bool(re.search(source, text, re.DOTALL))


@pytest.mark.parametrize("source", ["(a+)+$", "(a|a)*b", "(a*)*b", "a?" * 60 + "a" * 60 + "$"])
def test_no_text_makes_it_search_for_ever(source: str) -> None:
    assert not Pattern(source).search("a" * 3_000 + "!")


def test_case_can_be_left_out_of_account() -> None:
    assert Pattern("^straße [a-c]", ignore_case=True).search("STRAßE B")
    assert not Pattern("^straße", ignore_case=False).search("STRAßE")


@pytest.mark.parametrize(
    "source",
    [
        "(",
        r"(a)\1",
        "(?=a)",
        "(?<!a)b",
        "(?i)a",
        "(?i:a)",
        "a*+",
        "(?>a)",
        "a{9999}",
        "(){999999}",
        "(" * 400,
    ],
)
def test_what_cannot_be_matched_in_time_is_refused(source: str) -> None:
    with pytest.raises(PatternError):
        Pattern(source)
