"""Steps into a value, and the form that it is brought to, as specs write them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from typing import Literal as OneOf

from pydantic import Field, GetJsonSchemaHandler, RootModel, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from checks.compare import aggregates, steps
from checks.compare.normal import Form, normal
from checks.compare.steps import Missing, Reached
from checks.evidence import values as v
from checks.spec.base import Piece
from checks.spec.literal import Literal, literal_node

Aggregate = OneOf[
    "sum", "mean", "median", "min", "max", "std", "var", "any", "all", "len", "unique", "sorted", "reversed",
    "items", "counts", "keys", "values", "columns", "index", "shape", "missing", "dtype", "container",
]  # fmt: skip
Rule = OneOf["case", "accents", "punctuation", "blanks", "strip", "sort", "lists"]


class Step(Piece):
    """One step: exactly one of its keys. A bare word is an aggregate."""

    item: Literal | None = Field(default=None, description="an element by position, or by a dict's key")
    attribute: str | None = Field(default=None, description="what is known of an object under this name")
    column: str | None = Field(default=None, description="a table's column, with its labels")
    row: dict[str, Literal] | None = Field(
        default=None, description="the one row where these columns have these values, as a dict"
    )
    rows: dict[str, Literal] | None = Field(
        default=None, description="the part of a table where these columns have these values"
    )
    label: Literal | None = Field(default=None, description="an element or row by its index label")
    slice: tuple[int | None, int | None] | None = Field(default=None, description="[from, up to], from 0")
    aggregate: Aggregate | None = Field(default=None, description="a word for what sums the value up")

    @model_validator(mode="before")
    @classmethod
    def _spelled_short(cls, given: Any) -> Any:
        if isinstance(given, str):
            return {"aggregate": given}
        if isinstance(given, dict) and isinstance(given.get("slice"), list):
            return {**given, "slice": tuple(given["slice"])}
        return given

    @model_validator(mode="after")
    def _exactly_one(self) -> Step:
        if len(self.model_fields_set) != 1:
            raise PydanticCustomError("step", "a step is exactly one of {keys}", {"keys": ", ".join(_STEPS)})
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [{"enum": list(aggregates.WORDS), "description": "an aggregate"}, handler(core)]}

    def reach(self, node: v.AnyNode) -> Reached:
        """Where the step leads from a value."""
        (key,) = self.model_fields_set
        return _STEPS[key](node, getattr(self, key))


def _keyed(given: dict[str, Any]) -> dict[str, v.AnyNode]:
    return {name: literal_node(key) for name, key in given.items()}


_STEPS: dict[str, Callable[[v.AnyNode, Any], Reached]] = {
    "item": lambda node, key: steps.item(node, literal_node(key)),
    "attribute": steps.attribute,
    "column": steps.column,
    "row": lambda node, keys: steps.row(node, _keyed(keys)),
    "rows": lambda node, keys: steps.rows(node, _keyed(keys)),
    "label": lambda node, key: steps.label(node, literal_node(key)),
    "slice": lambda node, ends: steps.part(node, *ends),
    "aggregate": aggregates.aggregate,
}


class Select(RootModel[list[Step]]):
    """Steps, one after the other; a single one needs no list."""

    model_config = Piece.model_config | {"extra": None}

    @model_validator(mode="before")
    @classmethod
    def _single(cls, given: Any) -> Any:
        return [given] if isinstance(given, (str, dict)) else given

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        many = handler(core)
        return {"anyOf": [many["items"], many]}

    def reach(self, node: v.AnyNode) -> Reached:
        """Where all steps lead."""
        found: Reached = node
        for step in self.root:
            if isinstance(found, Missing):
                return found
            found = step.reach(found)
        return found


class Rounding(Piece):
    """To so many decimals."""

    round: int = Field(ge=-300, le=300, description="decimals that are kept")


class Normalise(RootModel[list[Rule | Rounding]]):
    """Rules for texts (in their order), rounding, sorting; a single one needs no list."""

    model_config = Piece.model_config | {"extra": None}

    @model_validator(mode="before")
    @classmethod
    def _single(cls, given: Any) -> Any:
        return [given] if isinstance(given, (str, dict)) else given

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        many = handler(core)
        return {"anyOf": [many["items"], many]}

    def apply(self, node: v.AnyNode) -> v.AnyNode:
        """The value in this form."""
        if not self.root:
            return node
        words = [rule for rule in self.root if isinstance(rule, str)]
        digits = [rule.round for rule in self.root if isinstance(rule, Rounding)]
        texts = tuple(word for word in words if word not in ("sort", "lists"))
        return normal(node, Form(texts, min(digits, default=None), "sort" in words, "lists" in words))


NO_STEPS = Select(root=[])
AS_IT_IS = Normalise(root=[])
