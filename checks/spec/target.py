"""What a check is about, and what it is held against."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from pydantic import Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from checks.compare import content
from checks.errors import MissingReferenceError
from checks.evidence import values as v
from checks.scene import Scene
from checks.spec.base import Found, Piece, Scope
from checks.spec.literal import Literal, literal_node

EVERY_COLUMN = "*"
MAX_COLUMNS = 200


def suggestion(name: str, known: Iterable[str]) -> str:
    """``did you mean …`` where a known name is near, else the known names, else nothing."""
    names = sorted(known)
    close = get_close_matches(name, names, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"known are: {', '.join(names)}" if names else ""


@dataclass(frozen=True)
class Sight:
    """One value that a target stands for; ``node`` is None where there is none. ``column`` is its label."""

    node: v.AnyNode | None
    variable: str
    column: str = ""


class Target(Piece):
    """A variable, or one column of a variable that is a table (``column:
    "*"`` stands for every column in turn, the last 200 of a table with more).
    """

    variable: str
    column: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _spelled_short(cls, given: Any) -> Any:
        return {"variable": given} if isinstance(given, str) else given

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [{"type": "string", "description": "the name of a variable"}, handler(core)]}

    def problems(self, scope: Scope) -> Iterator[Found]:
        """A variable that the part does not list."""
        if self.variable not in scope.variables:
            what = f"{self.variable!r} is none of the part's variables"
            yield ("variable",), what, suggestion(self.variable, scope.variables)

    def sights(self, scene: Scene) -> list[Sight]:
        """The values to look at; a missing variable or column gives one without a node."""
        node = scene.values.get(self.variable)
        if self.column is None:
            return [Sight(node, self.variable)]
        if not isinstance(node, v.Table):
            return [Sight(None, self.variable, self.column)]
        if self.column == EVERY_COLUMN:
            # A column that a student adds comes last.
            last = node.columns[-MAX_COLUMNS:]
            found = [Sight(each.values, self.variable, content.column_name(each)) for each in last]
        else:
            found = [Sight(each, self.variable, self.column) for each in content.column(node, self.column)]
        return found or [Sight(None, self.variable, self.column)]


class Operand(Piece):
    """What a value is held against: the word ``reference`` (the same target in the author's run), a variable
    of the author's run, another variable of the student's, or a literal value."""

    reference: str | None = None
    variable: str | None = None
    value: Literal | None = Field(default=None)
    column: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _spelled_short(cls, given: Any) -> Any:
        return {"reference": ""} if given == "reference" else given

    @model_validator(mode="after")
    def _exactly_one(self) -> Operand:
        if len(self.model_fields_set & {"reference", "variable", "value"}) != 1:
            raise PydanticCustomError("operand", "needs exactly one of reference, variable, value")
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {
            "anyOf": [{"const": "reference", "description": "the same in the author's run"}, handler(core)]
        }

    def problems(self, scope: Scope) -> Iterator[Found]:
        """Names that nothing declares."""
        if self.reference:
            known = scope.reference | scope.variables
            if self.reference not in known:
                what = f"{self.reference!r} is no variable of the reference run"
                yield ("reference",), what, suggestion(self.reference, known)
        if self.variable is not None and self.variable not in scope.variables:
            what = f"{self.variable!r} is none of the part's variables"
            yield ("variable",), what, suggestion(self.variable, scope.variables)

    def node(self, scene: Scene, target: Target) -> v.AnyNode | None:
        """The value; None where the student's other variable is missing. Raises MissingReferenceError."""
        if "value" in self.model_fields_set:
            return literal_node(self.value)
        whole = self.whole(scene, target)
        column = self.column or (target.column if self.reference == "" else None)
        if column is None or whole is None:
            return whole
        found = content.column(whole, column) if isinstance(whole, v.Table) else []
        if not found and self.variable is None:
            raise MissingReferenceError(
                f"the reference's {self.reference or target.variable} has no column {column}"
            )
        return found[0] if found else None

    def whole(self, scene: Scene, target: Target) -> v.AnyNode | None:
        """The variable as a whole, whatever column was chosen of it."""
        if self.variable is not None:
            return scene.values.get(self.variable)
        return scene.expected(self.reference or target.variable)
