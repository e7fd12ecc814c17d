"""Regular expressions in bounded time: patterns as Python writes them, matched without backtracking.

Python's own matcher may take exponential time on a student's text. Here a pattern becomes a list of
instructions that all alternatives run through at once, sign by sign (K. Thompson, "Regular expression search
algorithm", CACM 11, 1968), so the time is at most the text's length times the pattern's. Look-around, back
references and possessive or atomic parts have no place in this, and are refused when the spec is read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

MAX_TEXT = 10_000
MAX_INSTRUCTIONS = 500
_parser: Any = re._parser  # type: ignore[attr-defined]  # the standard library's own reading of patterns
_codes: Any = re._constants  # type: ignore[attr-defined]

Test = Callable[[str], bool]


class PatternError(ValueError):
    """The pattern is none, or beyond what is matched here."""


@dataclass(frozen=True)
class Step:
    """One instruction: ``take`` a sign that passes ``test``, ``fork`` to ``targets``, stand ``at`` a place,
    ``end``."""

    what: str
    test: Test | None = None
    targets: tuple[int, ...] = ()
    place: str = ""


class Pattern:
    """A compiled pattern; raises PatternError. ``search`` looks anywhere in a text."""

    def __init__(self, source: str, *, ignore_case: bool = False) -> None:
        try:
            tree = _parser.parse(source, re.DOTALL)
        except (re.error, OverflowError, RecursionError) as error:
            raise PatternError(f"no pattern: {error}") from error
        if tree.state.flags & ~int(re.DOTALL | re.UNICODE):
            raise PatternError("flags inside a pattern are not understood here; use `ignore`")
        self._fold = ignore_case
        self._steps: list[Step] = []
        try:
            self._sequence(tree)
        except RecursionError as error:
            raise PatternError("the pattern is nested too deep") from error
        self._steps.append(Step("end"))

    def search(self, text: str) -> bool:
        """Whether the pattern matches anywhere in (the first 10,000 signs of) the text."""
        text = text[:MAX_TEXT]
        current: set[int] = set()
        for position in range(len(text) + 1):
            current = self._reach({0, *current}, text, position)
            if any(self._steps[number].what == "end" for number in current):
                return True
            if position == len(text):
                break
            sign = text[position]
            current = {number + 1 for number in current if self._takes(number, sign)}
        return False

    def _takes(self, number: int, sign: str) -> bool:
        test = self._steps[number].test
        return test is not None and test(sign)

    def _reach(self, begin: set[int], text: str, position: int) -> set[int]:
        """Every instruction that can be reached without taking a sign."""
        found: set[int] = set()
        todo = list(begin)
        while todo:
            number = todo.pop()
            if number in found:
                continue
            found.add(number)
            step = self._steps[number]
            if step.what == "fork":
                todo.extend(step.targets)
            elif step.what == "at" and _stands(step.place, text, position):
                todo.append(number + 1)
        return found

    def _add(self, step: Step) -> int:
        if len(self._steps) >= MAX_INSTRUCTIONS:
            raise PatternError("the pattern is too large")
        self._steps.append(step)
        return len(self._steps) - 1

    def _sequence(self, tree: Sequence[tuple[Any, Any]]) -> None:
        for code, argument in tree:
            self._one(str(code), argument)

    def _one(self, code: str, argument: Any) -> None:
        match code:
            case "MAX_REPEAT" | "MIN_REPEAT":
                self._repeat(*argument)
            case "SUBPATTERN":
                _, added, dropped, inner = argument
                if added or dropped:
                    raise PatternError("flags inside a pattern are not understood here; use `ignore`")
                self._sequence(inner)
            case "BRANCH":
                self._branch(argument[1])
            case "AT":
                self._add(Step("at", place=str(argument)))
            case "LITERAL" | "NOT_LITERAL" | "ANY" | "IN":
                self._add(Step("take", test=_folded(_test(code, argument), self._fold)))
            case _:
                raise PatternError(f"a pattern's {code.lower().replace('_', ' ')} is not understood here")

    def _repeat(self, least: int, most: Any, inner: Any) -> None:
        if least > MAX_INSTRUCTIONS or (most is not _codes.MAXREPEAT and most > MAX_INSTRUCTIONS):
            raise PatternError("the pattern is too large")
        for _ in range(least):
            self._sequence(inner)
        if most is _codes.MAXREPEAT:
            fork = self._add(Step("fork"))
            self._sequence(inner)
            self._add(Step("fork", targets=(fork,)))
            self._steps[fork] = Step("fork", targets=(fork + 1, len(self._steps)))
            return
        forks = []
        for _ in range(int(most) - least):
            forks.append(self._add(Step("fork")))
            self._sequence(inner)
        for fork in forks:
            self._steps[fork] = Step("fork", targets=(fork + 1, len(self._steps)))

    def _branch(self, branches: Sequence[Any]) -> None:
        ends = []
        for branch in branches[:-1]:
            fork = self._add(Step("fork"))
            self._sequence(branch)
            ends.append(self._add(Step("fork")))
            self._steps[fork] = Step("fork", targets=(fork + 1, len(self._steps)))
        self._sequence(branches[-1])
        for end in ends:
            self._steps[end] = Step("fork", targets=(len(self._steps),))


@lru_cache(maxsize=256)
def compiled(source: str, ignore_case: bool) -> Pattern:
    """The pattern, kept for the next text; raises PatternError."""
    return Pattern(source, ignore_case=ignore_case)


def _folded(test: Test, fold: bool) -> Test:
    return (lambda sign: test(sign.lower()[:1]) or test(sign.upper()[:1])) if fold else test


def _test(code: str, argument: Any) -> Test:
    match code:
        case "LITERAL":
            return lambda sign: ord(sign) == argument
        case "NOT_LITERAL":
            return lambda sign: ord(sign) != argument
        case "ANY":
            return lambda _sign: True
        case _:
            return _one_of(argument)


def _one_of(items: Sequence[tuple[Any, Any]]) -> Test:
    negated = bool(items) and str(items[0][0]) == "NEGATE"
    tests = list(_members(items[1:] if negated else items))
    return lambda sign: any(test(sign) for test in tests) != negated


def _members(items: Sequence[tuple[Any, Any]]) -> Iterator[Test]:
    for code, argument in items:
        match str(code):
            case "LITERAL":
                yield _test("LITERAL", argument)
            case "RANGE":
                yield _between(*argument)
            case "CATEGORY":
                yield _CATEGORIES[str(argument)]
            case other:
                raise PatternError(f"a set's {other.lower()} is not understood here")


def _between(first: int, last: int) -> Test:
    return lambda sign: first <= ord(sign) <= last


def _is_word(sign: str) -> bool:
    return sign.isalnum() or sign == "_"


_CATEGORIES: dict[str, Test] = {
    "CATEGORY_DIGIT": str.isdecimal,
    "CATEGORY_NOT_DIGIT": lambda sign: not sign.isdecimal(),
    "CATEGORY_SPACE": str.isspace,
    "CATEGORY_NOT_SPACE": lambda sign: not sign.isspace(),
    "CATEGORY_WORD": _is_word,
    "CATEGORY_NOT_WORD": lambda sign: not _is_word(sign),
}


def _stands(place: str, text: str, position: int) -> bool:
    match place:
        case "AT_BEGINNING" | "AT_BEGINNING_STRING":
            return position == 0
        case "AT_END":
            return position == len(text) or text[position:] == "\n"
        case "AT_END_STRING":
            return position == len(text)
        case _:
            before = position > 0 and _is_word(text[position - 1])
            after = position < len(text) and _is_word(text[position])
            return (before != after) == (place == "AT_BOUNDARY")
