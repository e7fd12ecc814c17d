"""docs/spec.md against the code: every kind has its section, examples are valid and say what they claim.

How an example with its values and its message is written stands atop :mod:`tests.checks.doc_examples`.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from checks.spec import load_spec
from checks.spec.kind import TargetKind, kinds
from checks.spec.models import AssignmentSpec
from tests.checks.doc_examples import Example, examples

TEXT = (Path(__file__).parents[2] / "docs" / "spec.md").read_text()
SECTIONS = dict(re.findall(r"^### `(\w+)`\n(.*?)(?=^##)", TEXT, re.MULTILINE | re.DOTALL))
BLOCK = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)
AROUND = """\
id: a/b
title: T
environment: python
reference: {variables: [other]}
parts:
  - id: q1
    title: Q
    variables: {norms: {}, films: {}, net: {}, layer: {}, all_movies_df: {}}
"""
ROWS = "      - {id: rows, equal: {of: norms, to: reference}}\n"


def indented(text: str, by: int) -> str:
    return "".join(f"{' ' * by}{line}\n" for line in text.splitlines())


def as_check(block: str) -> AssignmentSpec:
    first, *rest = indented(block, 8).splitlines()
    return load_spec(
        (AROUND + "    checks:\n" + ROWS + "\n".join(["      - " + first.strip(), *rest])).encode()
    )


def test_every_kind_has_its_section_and_no_other() -> None:
    assert set(SECTIONS) == set(kinds())


@pytest.mark.parametrize("word", sorted(kinds()))
def test_examples_are_checks_of_the_kind(word: str) -> None:
    for block in BLOCK.findall(SECTIONS[word]):
        assert as_check(block).parts[0].checks[1].word == word


@pytest.mark.parametrize("word", sorted(kinds()))
def test_reasons_and_fields_are_listed(word: str) -> None:
    names = {*kinds()[word].reasons, *kinds()[word].facts} - set(TargetKind.facts)
    assert [name for name in sorted(names) if f"`{name}`" not in SECTIONS[word]] == []


def test_whole_file_is_valid() -> None:
    first, *rules = BLOCK.findall(TEXT[: TEXT.index("## Checks")])
    assert [part.id for part in load_spec(first.encode()).parts] == ["part1", "part2"]
    for rule in rules:
        load_spec((AROUND + indented(rule, 4) + "    checks:\n" + ROWS).encode())


# Kinds whose rendered messages are still to be written.
UNRENDERED = {"model", "identity"}


def test_every_kind_has_a_rendered_message() -> None:
    rendered = {
        word
        for word, section in SECTIONS.items()
        if any(f"{word}:" in example.spec for example in examples(section))
    }
    assert set(SECTIONS) - rendered == UNRENDERED


@pytest.mark.parametrize("example", list(examples(TEXT)), ids=str)
def test_example_says_what_it_claims(example: Example) -> None:
    part = example.feedback().parts[-1]
    assert (part.status, part.message) == (example.status, example.message)
