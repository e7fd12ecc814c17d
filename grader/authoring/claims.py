"""The author's own test cells: code that only the author's notebook has, and the verdict that it claims.

    #%%RM_IF(PROD)%%
    # Incorrect: the squares of the lengths
    norms = (w ** 2).sum(axis=1)
    part3.a.check()

The first line says ``Correct``, ``Incorrect``, ``Partly correct`` or ``Not attempted``; the parts whose check
the cell calls must get that verdict when the author's notebook ends right behind it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from checks.source import calls_check
from grader.authoring.publish import publish

WORDS: dict[str, frozenset[str]] = {
    "correct": frozenset({"correct"}),
    "incorrect": frozenset({"incorrect", "partial"}),
    "partly correct": frozenset({"partial"}),
    "not attempted": frozenset({"not_attempted"}),
}
_CLAIM = re.compile(
    rf"\s*#\s*({'|'.join(sorted(WORDS, key=len, reverse=True))})\b[ \t]*:?(.*)", re.IGNORECASE
)


class Claim(msgspec.Struct, frozen=True):
    """One test cell: its id, what it claims, of which parts, and the notebook that ends with it.

    ``statuses`` are those that the claim allows; ``parts`` is empty where the cell calls no part's check.
    """

    cell: str
    word: str
    note: str
    parts: tuple[str, ...]
    statuses: frozenset[str]
    notebook: bytes


def claims(master: bytes, parts: Iterable[str]) -> list[Claim]:
    """The test cells of a master, in their order; ``parts`` are the ids that can be claimed of.

    Raises MasterError.
    """
    known = list(parts)
    student = {cell["id"] for cell in _notebook(publish(master, "student"))["cells"]}
    return list(_claims(_notebook(publish(master, "author")), student, known))


def _claims(author: dict[str, Any], student: set[str], known: list[str]) -> Iterator[Claim]:
    for index, cell in enumerate(author["cells"]):
        source = "".join(cell["source"])
        said = _CLAIM.match(source)
        if cell["cell_type"] != "code" or cell["id"] in student or said is None:
            continue
        word = said[1].lower()
        yield Claim(
            cell=cell["id"],
            word=word,
            note=said[2].strip(),
            parts=tuple(part for part in known if calls_check(source, part)),
            statuses=WORDS[word],
            notebook=json.dumps({**author, "cells": author["cells"][: index + 1]}).encode(),
        )


def _notebook(raw: bytes) -> dict[str, Any]:
    return dict(json.loads(raw))
