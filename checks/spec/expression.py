"""Formulas in specs: their mistakes are found when the spec is read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from checks.formula import FormulaError, parsed
from checks.spec.base import Found, Scope
from checks.spec.reading import Path
from checks.spec.suggesting import suggestion


def _checked(text: str) -> str:
    try:
        parsed(text)
    except FormulaError as error:
        raise PydanticCustomError("formula", "{why}", {"why": str(error)}) from error
    return text


Formula = Annotated[
    str,
    AfterValidator(_checked),
    WithJsonSchema({"type": "string", "description": "an expression over variables; docs/spec.md, Formulas"}),
]


def formula_problems(text: str, path: Path, scope: Scope) -> Iterator[Found]:
    """Names that are no variables of the part, or no variables of the author's run."""
    formula = parsed(text)
    for name in formula.names:
        if name not in scope.variables:
            what = f"{name!r} is none of the part's variables"
            yield path, what, suggestion(name, scope.variables)
    known = scope.reference | scope.variables
    for name in formula.references:
        if name not in known:
            yield path, f"{name!r} is no variable of the reference run", suggestion(name, known)
