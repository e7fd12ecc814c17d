"""YAML with positions: plain Python values, and where each of them stands in the file.

The scalars are those of YAML 1.2's core schema (https://yaml.org/spec/1.2.2/#103-core-schema): ``no`` and
``on`` are text, ``012`` is twelve, ``1e-5`` is a number. PyYAML's own rules are those of YAML 1.1, where none
of this holds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from checks.errors import Problem, SpecError

MAX_BYTES = 1 << 20
MAX_ALIASES = 100
MAX_NODES = 100_000
MAX_DEPTH = 60

Path = tuple[str | int, ...]
Place = tuple[int, int]

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_CORE = (
    ("null", re.compile(r"~|null|Null|NULL|$"), ["~", "n", "N", ""]),
    ("bool", re.compile(r"(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")),
    ("int", re.compile(r"(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$"), list("-+0123456789")),
    (
        "float",
        re.compile(
            r"(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
        ),
        list("-+.0123456789"),
    ),
)
_TAG = "tag:yaml.org,2002:"


class _Loader(_Base):  # type: ignore[misc]
    """The parser of libyaml where PyYAML has it, with the resolvers of YAML 1.2."""

    yaml_implicit_resolvers: dict[str, list[Any]] = {}  # noqa: RUF012 - the name and kind that PyYAML reads


for _name, _pattern, _first in _CORE:
    _Loader.add_implicit_resolver(_TAG + _name, _pattern, _first)


@dataclass
class Document:
    """``data`` is what the file says; ``values`` and ``keys`` give line and column (from 1) by path."""

    file: str
    data: Any = None
    values: dict[Path, Place] = field(default_factory=dict)
    keys: dict[Path, Place] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    def problem(self, path: Path, what: str, meant: str = "", *, at_key: bool = False) -> Problem:
        """A problem at the place of ``path``, or of the nearest enclosing thing that has a place."""
        first = self.keys if at_key else self.values
        place = first.get(path) or self.keys.get(path)
        shorter = path
        while place is None and shorter:
            shorter = shorter[:-1]
            place = self.keys.get(shorter) or self.values.get(shorter)
        line, column = place or (1, 1)
        return Problem(self.file, line, column, ".".join(map(str, path)), what, meant)


def read_yaml(raw: bytes, file: str) -> Document:
    """Read one document; duplicate keys and odd tags are noted in ``problems``,
    what is no YAML raises SpecError.
    """
    if len(raw) > MAX_BYTES:
        raise SpecError([Problem(file, 0, 0, "", f"the file has {len(raw)} bytes, the limit is {MAX_BYTES}")])
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SpecError([Problem(file, 0, 0, "", f"the file is not UTF-8: {error.reason}")]) from error
    root = _compose(text, file)
    document = Document(file)
    document.data = _Builder(document).build(root, (), 0)
    return document


def _quotes_missing(what: str) -> str:
    """What is meant where YAML sees a mapping begin or go on in the middle of a text."""
    seen = ("did not find expected key", "mapping values are not allowed", "did not find expected ',' or")
    quotes = "a text that begins with a brace, or has a colon and a blank in it, stands in quotes"
    return quotes if any(each in what for each in seen) else ""


def _compose(text: str, file: str) -> Any:
    try:
        aliases = sum(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=_Loader))
        root = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        what = f"not YAML: {error.problem or error.context}"
        raise SpecError([Problem(file, *place, "", what, _quotes_missing(what))]) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise SpecError([Problem(file, 0, 0, "", f"not YAML: {error}")]) from error
    if aliases > MAX_ALIASES:
        raise SpecError([Problem(file, 0, 0, "", f"{aliases} aliases, the limit is {MAX_ALIASES}")])
    if root is None:
        raise SpecError([Problem(file, 1, 1, "", "the file is empty")])
    return root


class _Builder:
    """Turns composed nodes into values, counting as it goes: aliases make a small file a huge value."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._nodes = 0
        self._open: set[int] = set()

    def build(self, node: Any, path: Path, depth: int) -> Any:
        self._document.values.setdefault(path, _place(node))
        self._nodes += 1
        if self._nodes > MAX_NODES or depth > MAX_DEPTH or id(node) in self._open:
            raise SpecError(
                [self._document.problem(path, "too many values, too deep, or a value inside itself")]
            )
        self._open.add(id(node))
        try:
            return self._value(node, path, depth)
        finally:
            self._open.discard(id(node))

    def _value(self, node: Any, path: Path, depth: int) -> Any:
        if isinstance(node, yaml.SequenceNode):
            return [self.build(item, (*path, number), depth + 1) for number, item in enumerate(node.value)]
        if isinstance(node, yaml.MappingNode):
            return dict(self._pairs(node, path, depth))
        return self._scalar(node, path)

    def _pairs(self, node: Any, path: Path, depth: int) -> Iterator[tuple[str, Any]]:
        seen: set[str] = set()
        for key_node, value_node in node.value:
            key = self._key(key_node, path)
            here = (*path, key)
            if key in seen:
                line, column = _place(key_node)
                first = self._document.keys[here][0]
                text = f"the key {key!r} comes twice"
                found = Problem(
                    self._document.file,
                    line,
                    column,
                    ".".join(map(str, here)),
                    text,
                    f"first in line {first}",
                )
                self._document.problems.append(found)
                continue
            seen.add(key)
            self._document.keys[here] = _place(key_node)
            yield key, self.build(value_node, here, depth + 1)

    def _key(self, node: Any, path: Path) -> str:
        if not isinstance(node, yaml.ScalarNode):
            self._note(node, path, "a key must be plain text")
            return ""
        return str(node.value)

    def _scalar(self, node: Any, path: Path) -> Any:
        tag, text = str(node.tag).removeprefix(_TAG), str(node.value)
        named = len(text) == 1 and _VALUES.isdisjoint(path)  # y is a name wherever no value can stand
        meant = "" if node.style or named else _meant_otherwise(tag, text)
        if meant:
            line, column = _place(node)
            where = ".".join(map(str, path))
            self._document.warnings.append(
                Problem(self._document.file, line, column, where, f"{text} is {_AS[tag]} here", meant)
            )
        try:
            return _SCALARS[tag](text)
        except (KeyError, ValueError):
            self._note(node, path, f"{text!r} cannot be read as {node.tag}")
            return text

    def _note(self, node: Any, path: Path, what: str) -> None:
        line, column = _place(node)
        self._document.problems.append(
            Problem(self._document.file, line, column, ".".join(map(str, path)), what)
        )


_AS = {"str": "a text", "int": "a whole number in tens"}
_VALUES = frozenset({"value", "starter", "accept", "arguments", "keywords", "returns", "arguments_after"})
_SPOKEN_TRUTH = re.compile(r"(?:y|n|yes|no|on|off)", re.IGNORECASE)
_GROUPED = re.compile(r"[-+]?[0-9][0-9_]*_[0-9_]*|[-+]?[0-9]+(?::[0-5]?[0-9])+(?:\.[0-9]*)?")
_OCTAL = re.compile(r"[-+]?0[0-9]+")


def _meant_otherwise(tag: str, text: str) -> str:
    """What an unquoted scalar means in YAML 1.1 and not here; empty where both read the same."""
    if tag == "str" and _SPOKEN_TRUTH.fullmatch(text):
        return f"write true or false to mean that, or '{text}' in quotes"
    if tag == "str" and _GROUPED.fullmatch(text):
        return f"write a plain number to mean that, or '{text}' in quotes"
    if tag == "int" and _OCTAL.fullmatch(text):
        return f"write it without the zero, 0o… for octal, or '{text}' in quotes"
    return ""


def _place(node: Any) -> Place:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _whole(text: str) -> int:
    base = {"0o": 8, "0x": 16}.get(text[:2])
    return int(text[2:], base) if base else int(text)


def _real(text: str) -> float:
    special = text.lower().replace(".inf", "inf").replace(".nan", "nan")
    return float(special)


_SCALARS: dict[str, Callable[[str], Any]] = {
    "str": str,
    "null": lambda _text: None,
    "bool": lambda text: text.lower() == "true",
    "int": _whole,
    "float": _real,
}
