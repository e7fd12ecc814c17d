"""Mistakes in an author's messages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from checks.spec.base import Found
from checks.spec.reading import Path
from checks.spec.target import suggestion
from checks.spec.template import fields


def message_problems(text: str, path: Path, facts: Mapping[str, str]) -> Iterator[Found]:
    """Wrong braces and unknown fields of one message."""
    names, wrong = fields(text)
    for what in wrong:
        yield path, what, ""
    for name in names:
        if name not in facts:
            yield path, f"the message has an unknown field {{{name}}}", suggestion(name, facts)
