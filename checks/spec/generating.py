"""Generated arguments: the same spec always gives the same ones, on every machine and in every release.

The numbers come out of BLAKE2b over the seed and a counter, because NumPy's generators may change their
streams (NEP 19), and a class must be judged by one set of cases for ever.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from checks.spec.argument import Argument
from checks.spec.base import Piece
from checks.spec.bounds import Bounds

LETTERS = "abcdefghijklmnopqrstuvwxyz"
MAX_CASES = 200
_EDGES = 8  # one in so many numbers is a bound itself, where mistakes gather


class Drawing:
    """An endless row of numbers that follows from a seed."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._count = 0

    def below(self, bound: int) -> int:
        """A whole number from 0 to ``bound`` - 1 (``bound`` at most 2**100: the bias is below 2**-28)."""
        self._count += 1
        raw = blake2b(f"{self._seed}/{self._count}".encode(), digest_size=16).digest()
        return int.from_bytes(raw, "little") % bound

    def between(self, least: int, most: int) -> int:
        """A whole number within the bounds, both included."""
        edge = self.below(_EDGES * 2)
        return least if edge == 0 else most if edge == 1 else least + self.below(most - least + 1)


class Numbers(Bounds):
    """Numbers with so many ``digits`` after the point."""

    digits: int = Field(default=2, ge=0, le=12)


class Texts(Piece):
    """Texts of ``letters``; ``length`` is how many."""

    length: Bounds
    letters: str = Field(default=LETTERS, min_length=1)


class Lists(Piece):
    """Lists of what ``of`` gives; ``length`` is how many. As a tuple or an array where ``as`` says so."""

    of: Generator
    length: Bounds
    as_: str = Field(default="list", alias="as", pattern="^(list|tuple|set|array)$")


class Generator(Piece):
    """One argument's generator: exactly one of its forms."""

    integers: Bounds | None = None
    numbers: Numbers | None = None
    text: Texts | None = None
    choice: list[Argument] | None = Field(default=None, min_length=1)
    boolean: bool | None = Field(default=None, description="true: one of true and false")
    lists: Lists | None = None
    value: Argument | None = Field(default=None, description="always this one")

    @model_validator(mode="after")
    def _exactly_one(self) -> Generator:
        if len(self.model_fields_set) != 1:
            forms = ", ".join(type(self).model_fields)
            raise PydanticCustomError("generator", "{what}", {"what": f"needs exactly one of {forms}"})
        for bounds in (
            self.integers,
            self.numbers,
            self.text and self.text.length,
            self.lists and self.lists.length,
        ):
            if bounds and (bounds.min is None or bounds.max is None):
                raise PydanticCustomError("generator", "what is generated needs both min and max")
        return self

    def draw(self, drawing: Drawing) -> Any:  # noqa: PLR0911 - one line a form
        """The next argument, as a spec would write it."""
        if self.integers:
            return _whole(self.integers, drawing)
        if self.numbers:
            scale = 10**self.numbers.digits
            least, most = _ends(self.numbers)
            return drawing.between(round(least * scale), round(most * scale)) / scale
        if self.text:
            letters = self.text.letters
            return "".join(
                letters[drawing.below(len(letters))] for _ in range(_whole(self.text.length, drawing))
            )
        if self.choice:
            return self.choice[drawing.below(len(self.choice))]
        if self.boolean is not None:
            return bool(drawing.below(2))
        if self.lists:
            items = [self.lists.of.draw(drawing) for _ in range(_whole(self.lists.length, drawing))]
            return items if self.lists.as_ == "list" else {self.lists.as_: items}
        return self.value


class Generate(Piece):
    """``count`` cases. ``arguments`` are generators in the order of the arguments; a mapping names them for
    the reader; ``keywords`` are passed by name.
    """

    count: int = Field(ge=1, le=MAX_CASES)
    seed: int = Field(ge=0, le=2**53)
    arguments: list[Generator] | dict[str, Generator] = Field(default=[])
    keywords: dict[str, Generator] = Field(default={})

    def draw(self) -> list[tuple[list[Any], dict[str, Any]]]:
        """The arguments and keywords of every case."""
        drawing = Drawing(self.seed)
        given = list(self.arguments.values()) if isinstance(self.arguments, dict) else self.arguments
        return [
            (
                [each.draw(drawing) for each in given],
                {name: each.draw(drawing) for name, each in self.keywords.items()},
            )
            for _ in range(self.count)
        ]


def _ends(bounds: Bounds) -> tuple[float, float]:
    return bounds.min or 0.0, bounds.max or 0.0


def _whole(bounds: Bounds, drawing: Drawing) -> int:
    least, most = _ends(bounds)
    return drawing.between(int(least), int(most))


Lists.model_rebuild()
