"""The examples of docs/spec.md on calls and queries: made as the sandbox makes them, judged, and rendered."""

from __future__ import annotations

import pytest

from tests.checks.doc_examples import Example, examples
from tests.checks.test_spec_docs import SECTIONS

EXAMPLES = [example for word in ("calls", "sql") for example in examples(SECTIONS[word])]


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_an_example_says_what_it_claims(example: Example) -> None:
    part = example.feedback().parts[-1]
    assert (part.status, part.message) == (example.status, example.message)


def test_both_kinds_have_examples_that_pass_and_that_fail() -> None:
    statuses = {(example.spec.split(":")[0], example.status) for example in EXAMPLES}
    assert {(word, status) for word in ("calls", "sql") for status in ("correct", "incorrect")} <= statuses
