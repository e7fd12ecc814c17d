"""Grades for other systems: one module a format, found by its name.

A module has ``FORMAT`` (for people), ``TEMPLATE`` (whether it fills in a file that was downloaded there),
``FROM`` (where people find that file), ``FOR_STUDENTS`` (whether students read there what is said of their
parts) and ``export(grades, order) -> Export``.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence
from functools import cache
from typing import Protocol

import msgspec


class PartLine(msgspec.Struct, frozen=True):
    """One part as a reader of grades sees it; ``score`` is None where nobody has judged it (yet).

    ``message`` is what the student reads. A ``hidden`` part is kept from students (at this moment): its
    message is for instructors.
    """

    id: str
    title: str
    status: str
    score: float | None
    max_score: float
    message: str = ""
    hidden: bool = False


class Grade(msgspec.Struct, frozen=True):
    """What one student gets. ``score`` is None while a part is unjudged or waits for a person.

    ``student`` is the name that the submission came with: a system's number or login, or ``name_number`` as
    in a download. ``seconds`` is how long the run took, ``run`` its status. ``late``: whether it came after
    the due date; None where there is none.
    """

    student: str
    submission: str
    number: int
    state: str
    score: float | None
    max_score: float | None
    parts: tuple[PartLine, ...] = ()
    run: str = ""
    seconds: float = 0.0
    late: bool | None = None


class Order(msgspec.Struct, frozen=True):
    """What is exported: the assignment's title; the file to fill in, and its column, where there are such."""

    title: str
    template: bytes | None = None
    column: str | None = None


class Export(msgspec.Struct, frozen=True):
    """A finished file; ``remarks`` tell what could not be matched or was left as it was.

    ``students`` is how many have their grade in it.
    """

    content: bytes
    media_type: str
    filename: str
    remarks: tuple[str, ...] = ()
    students: int = 0


class ExportError(Exception):
    """It cannot be exported so; the text says what is missing and what there is."""


class Exporter(Protocol):
    """A format's module."""

    FORMAT: str
    TEMPLATE: bool
    FROM: str
    FOR_STUDENTS: bool

    def export(self, grades: Sequence[Grade], order: Order) -> Export:
        """The file; raises ExportError."""


@cache
def formats() -> dict[str, Exporter]:
    """Every format by the word that asks for it, in alphabetical order."""
    names = (found.name for found in pkgutil.iter_modules(__path__))
    modules = {name: importlib.import_module(f"{__name__}.{name}") for name in names}
    return {name: module for name, module in modules.items() if hasattr(module, "FORMAT")}


def exporter(wanted: str) -> Exporter:
    """The format's module; raises ExportError where there is none."""
    found = formats().get(wanted)
    if found is None:
        raise ExportError(f"there is no format {wanted!r}; there are {', '.join(formats())}")
    return found


def export(wanted: str, grades: Sequence[Grade], order: Order) -> Export:
    """The grades in a format; raises ExportError, also for a missing template."""
    chosen = exporter(wanted)
    if chosen.TEMPLATE and order.template is None:
        raise ExportError(
            f"{chosen.FORMAT}: please give the file downloaded there ({chosen.FROM}) as the template"
        )
    return chosen.export(grades, order)
