"""The words for types of elements: families, and the names that NumPy and pandas give their dtypes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from checks.spec.base import Found
from checks.spec.reading import Path
from checks.spec.suggesting import suggestion

FAMILIES = (
    "bool",
    "integer",
    "float",
    "complex",
    "decimal",
    "fraction",
    "time",
    "time with zone",
    "text",
    "bytes",
    "category",
    "object",
)
_NAMES = (
    *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)),
    *(f"{sign}Int{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64)),
    *(f"float{bits}" for bits in (16, 32, 64)),
    *("bfloat16", "Float32", "Float64", "complex64", "complex128", "boolean", "str", "string"),
)
# With what they are of in brackets: datetime64[ns, Europe/Berlin], period[M], Sparse[int64, 0].
_WITH_BRACKETS = re.compile(r"(datetime64|timedelta64|period|interval|Sparse)\[.+\]\Z")
# Python's own, which a single number has, and no column.
_OF_NUMBERS = ("int", "float", "complex", "bool")
_MEANT = {
    "int": "integer",
    "number": "[integer, float]",
    "numeric": "[integer, float]",
    "double": "float",
    "date": "time",
    "datetime": "time",
    "datetime64": "time",
    "timedelta": "time",
    "timedelta64": "time",
    "categorical": "category",
    "texts": "text",
}


def dtype_problems(words: Sequence[str], path: Path, *, of_numbers: bool = False) -> Iterator[Found]:
    """Words that no value's elements can be of. ``of_numbers``: Python's own types of numbers are some."""
    known = (*FAMILIES, *_NAMES, *(_OF_NUMBERS if of_numbers else ()))
    for number, word in enumerate(words):
        if word not in known and not _WITH_BRACKETS.match(word):
            meant = _MEANT.get(word.lower())
            hint = f"did you mean {meant}?" if meant else suggestion(word, known)
            yield (*path, number), f"there is no type {word!r} of elements", hint
