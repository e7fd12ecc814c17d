"""What a text must be like, as specs write it: for texts, titles, labels, file contents."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Any, Literal

from pydantic import Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from checks.compare.patterns import PatternError, compiled
from checks.spec.base import Piece
from checks.spec.bounds import Bounds

Ignored = Literal["case", "blanks", "punctuation", "accents"]
REASONS = ("equal", "contains", "excludes", "matches", "words", "lines")


class TextRule(Piece):
    """Each condition that is given must hold. A plain text stands for ``{equal: …}``, a list for
    one of several.

    ``ignore`` says what does not count: ``case``, ``blanks`` (how many, and at the ends), ``punctuation``,
    ``accents``; upper and lower case and blanks unless the author says otherwise.
    """

    equal: list[str] = Field(default=[], description="the text itself, or a list of which one is right")
    contains: list[str] = Field(default=[], description="pieces that must all be there")
    any_of: list[str] = Field(default=[], description="pieces of which one must be there")
    excludes: list[str] = Field(default=[], description="pieces that must not be there")
    matches: str | None = Field(
        default=None, description="a pattern (Python's, without look-around and back references)"
    )
    words: Bounds | None = Field(default=None, description="how many words")
    lines: Bounds | None = Field(default=None, description="how many lines that are not empty")
    ignore: list[Ignored] = Field(default=["case", "blanks"], description="what does not count")

    @model_validator(mode="before")
    @classmethod
    def _spelled_short(cls, given: Any) -> Any:
        if isinstance(given, (str, list)):
            given = {"equal": given}
        if not isinstance(given, dict):
            return given
        several = ("equal", "contains", "any_of", "excludes", "ignore")
        return {key: [one] if key in several and isinstance(one, str) else one for key, one in given.items()}

    @model_validator(mode="after")
    def _asks_something(self) -> TextRule:
        if not self.model_fields_set - {"ignore"}:
            raise PydanticCustomError("text_rule", "asks for nothing: any text is right")
        if self.matches is not None:
            try:
                compiled(self.matches, "case" in self.ignore)
            except PatternError as error:
                raise PydanticCustomError("pattern", "{why}", {"why": str(error)}) from error
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = handler(core)
        texts = {"type": "array", "items": {"type": "string"}}
        for key in ("equal", "contains", "any_of", "excludes", "ignore"):
            schema["properties"][key] = {"anyOf": [{"type": "string"}, schema["properties"][key]]}
        return {"anyOf": [{"type": "string"}, texts, schema]}

    def wanting(self, text: str) -> Iterator[tuple[str, str]]:
        """Each condition that does not hold, with the piece that it is about where students may know it."""
        plain = self.normalised(text)
        if self.equal and plain not in map(self.normalised, self.equal):
            yield "equal", ""
        if any(self.normalised(piece) not in plain for piece in self.contains):
            yield "contains", ""
        if self.any_of and not any(self.normalised(piece) in plain for piece in self.any_of):
            yield "contains", ""
        for piece in self.excludes:
            if self.normalised(piece) in plain:
                yield "excludes", piece
        if self.matches is not None and not compiled(self.matches, "case" in self.ignore).search(text):
            yield "matches", ""
        if self.words and not self.words.hold(count_words(text)):
            yield "words", ""
        if self.lines and not self.lines.hold(count_lines(text)):
            yield "lines", ""

    def normalised(self, text: str) -> str:
        """The text without what does not count."""
        text = unicodedata.normalize("NFC", text)
        if "accents" in self.ignore:
            apart = unicodedata.normalize("NFD", text)
            text = "".join(sign for sign in apart if not unicodedata.combining(sign))
        if "case" in self.ignore:
            text = text.casefold()
        if "punctuation" in self.ignore:
            text = "".join(" " if unicodedata.category(sign)[0] in "PS" else sign for sign in text)
        return " ".join(text.split()) if "blanks" in self.ignore else text


_WORD = re.compile(r"\w+(?:['’\-]\w+)*")


def count_words(text: str) -> int:
    """How many words a text has; ``don't`` and ``well-known`` are one."""
    return sum(1 for _ in _WORD.finditer(text))


def count_lines(text: str) -> int:
    """How many lines hold more than blanks."""
    return sum(1 for line in text.splitlines() if line.strip())
