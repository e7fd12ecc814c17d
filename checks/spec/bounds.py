"""A number's bounds, as specs write them: one number, or ``{min: …, max: …}``."""

from __future__ import annotations

from typing import Any

from pydantic import GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from checks.spec.base import Piece


class Bounds(Piece):
    """Inclusive bounds; a bare number is both."""

    min: float | None = None
    max: float | None = None

    @model_validator(mode="before")
    @classmethod
    def _spelled_short(cls, given: Any) -> Any:
        is_number = isinstance(given, (int, float)) and not isinstance(given, bool)
        return {"min": given, "max": given} if is_number else given

    @model_validator(mode="after")
    def _in_order(self) -> Bounds:
        if self.min is None and self.max is None:
            raise PydanticCustomError("bounds", "bounds need min, max or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise PydanticCustomError("bounds", "min is above max: nothing can lie between")
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [{"type": "number"}, handler(core)]}

    def hold(self, number: float | None) -> bool:
        """Whether the number is there and lies within."""
        if number is None:
            return False
        return (self.min is None or number >= self.min) and (self.max is None or number <= self.max)
