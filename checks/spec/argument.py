"""Arguments of calls as specs write them: literals, and what only a sandbox can make.

Beside YAML's own values and ``{set: […]}``, ``{tuple: […]}``, ``{dict: [[key, value]]}`` there are
``{array: […], dtype: float64}``, ``{series: […], index: […], name: …, dtype: …}``,
``{table: {column: […]}, index: […]}``, ``{date: 2024-02-29}`` and the other moments, ``{iterator: […]}``,
``{variable: name}`` (a copy of the notebook's variable, or of what an
earlier step gave) and ``{import: operator.neg}``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

import numpy as np
from pydantic import AfterValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from checks.evidence import array_node
from checks.evidence import values as v
from checks.spec.literal import literal_node
from checks.spec.moment import MOMENTS, moment_node, moment_text

Data = dict[str, Any]
_NUMBERS = "biuf"


def argument_data(given: Any) -> Data:  # noqa: PLR0911 - one line a kind of value
    """The data that the sandbox makes the argument of; raises ValueError for what is no argument."""
    match given:
        case None:
            return {"t": "none"}
        case bool():
            return {"t": "bool", "v": given}
        case int():
            return {"t": "int", "v": str(given)}
        case float():
            return {"t": "float", "v": given.hex()}
        case str():
            return {"t": "str", "v": given}
        case list():
            return _sequence("list")(given, {})
        case dict():
            for word, make in _FORMS.items():
                if word in given:
                    return make(given[word], {key: item for key, item in given.items() if key != word})
    raise ValueError(
        f"no argument: {given!r}; there are {', '.join(_FORMS)}; write a dict as {{dict: [[key, value]]}}"
    )


def expected_node(given: Any) -> v.AnyNode:
    """The evidence that such a value would leave; raises ValueError where only a sandbox could tell."""
    return _node(argument_data(given))


def _sequence(base: str) -> Callable[[Any, Data], Data]:
    def make(given: Any, more: Data) -> Data:
        _only(more)
        return {"t": "seq", "base": base, "items": [argument_data(item) for item in _listed(given)]}

    return make


def _iterator(given: Any, more: Data) -> Data:
    _only(more)
    return {"t": "iterator", "items": [argument_data(item) for item in _listed(given)]}


def _moment(word: str) -> Callable[[Any, Data], Data]:
    def make(given: Any, more: Data) -> Data:
        _only(more)
        return {"t": word, "v": moment_text(word, given)}

    return make


def _set(given: Any, more: Data) -> Data:
    _only(more)
    return {"t": "set", "items": [argument_data(item) for item in _listed(given)]}


def _dict(given: Any, more: Data) -> Data:
    _only(more)
    pairs = list(given.items()) if isinstance(given, dict) else _listed(given)
    if any(not isinstance(pair, (list, tuple)) or len(pair) != 2 for pair in pairs):
        raise ValueError("a dict's items are lists of a key and a value")
    return {"t": "map", "items": [[argument_data(key), argument_data(item)] for key, item in pairs]}


def _array(given: Any, more: Data) -> Data:
    _only(more, "dtype")
    data = {"t": "array", "values": argument_data(given), **_dtype(more)}
    _as_array(given, more.get("dtype"))
    return data


def _series(given: Any, more: Data) -> Data:
    _only(more, "dtype", "index", "name")
    data = {"t": "series", "values": argument_data(_listed(given)), **_dtype(more), **_index(more)}
    return {**data, "name": more["name"]} if "name" in more else data


def _table(given: Any, more: Data) -> Data:
    _only(more, "index")
    if not isinstance(given, dict) or len({len(_listed(column)) for column in given.values()}) > 1:
        raise ValueError("a table is columns of one length: {table: {a: [1, 2], b: [3, 4]}}")
    return {
        "t": "table",
        "columns": {name: argument_data(column) for name, column in given.items()},
        **_index(more),
    }


def _named(word: str) -> Callable[[Any, Data], Data]:
    def make(given: Any, more: Data) -> Data:
        _only(more)
        if not isinstance(given, str) or not all(map(str.isidentifier, given.split("."))):
            raise ValueError(f"{word} takes a name")
        return {"t": word, "name": given}

    return make


_FORMS: dict[str, Callable[[Any, Data], Data]] = {
    "set": _set,
    "tuple": _sequence("tuple"),
    "list": _sequence("list"),
    "dict": _dict,
    "array": _array,
    "series": _series,
    "table": _table,
    "iterator": _iterator,
    **{word: _moment(word) for word in MOMENTS},
    "variable": _named("variable"),
    "import": _named("import"),
}


def _only(more: Mapping[str, Any], *allowed: str) -> None:
    unknown = sorted(set(more) - set(allowed))
    if unknown:
        raise ValueError(f"unknown key {unknown[0]!r} in an argument")


def _listed(given: Any) -> list[Any]:
    if not isinstance(given, list):
        raise ValueError(f"a list is wanted, not {given!r}")
    return given


def _dtype(more: Mapping[str, Any]) -> Data:
    if "dtype" in more and not isinstance(more["dtype"], str):
        raise ValueError("a dtype is a name such as float64")
    return {"dtype": more["dtype"]} if "dtype" in more else {}


def _index(more: Mapping[str, Any]) -> Data:
    return {"index": argument_data(_listed(more["index"]))} if "index" in more else {}


def _as_array(given: Any, dtype: str | None) -> np.ndarray[Any, Any]:
    try:
        found = np.array(given, dtype=dtype)
    except (TypeError, ValueError) as error:
        raise ValueError(f"no array: {error}") from error
    if found.dtype.kind not in _NUMBERS and found.dtype.kind != "U":
        raise ValueError(f"an array of {found.dtype.name} cannot be written")
    return found


def _node(data: Data) -> v.AnyNode:  # noqa: PLR0911 - one line a kind of value
    match data["t"]:
        case "seq":
            base = data["base"]
            return v.Sequence(items=tuple(map(_node, data["items"])), base=base, cls=f"builtins.{base}")
        case "set":
            return v.SetOf(items=tuple(map(_node, data["items"])))
        case "map":
            return v.Mapping(items=tuple((_node(key), _node(item)) for key, item in data["items"]))
        case "array":
            return _column(_plain(data["values"]), data.get("dtype"))
        case "series":
            values = _column(_plain(data["values"]), data.get("dtype"))
            name = literal_node(data.get("name"))
            return v.Series(
                name=name, dtype=values.dtype, values=values, index=_labels(data, values.shape[0])
            )
        case "table":
            columns = {name: _column(_plain(column)) for name, column in data["columns"].items()}
            rows = next((column.shape[0] for column in columns.values()), 0)
            made = tuple(
                v.Column(name=v.Text(v=name), dtype=column.dtype, values=column)
                for name, column in columns.items()
            )
            return v.Table(columns=made, index=_labels(data, rows))
        case "variable" | "import":
            raise ValueError(f"{data['name']} is known in the sandbox alone")
        case "iterator":
            raise ValueError("an iterator equals nothing but itself; take its items with `consume`")
        case "date" | "datetime" | "timedelta" as word:
            given = {"microseconds": int(data["v"])} if word == "timedelta" else data["v"]
            return moment_node(word, given)
        case _:
            return literal_node(_plain(data))


def _plain(data: Data) -> Any:
    """Nested lists and scalars again."""
    match data["t"]:
        case "none":
            return None
        case "int":
            return int(data["v"])
        case "float":
            return float.fromhex(data["v"])
        case "seq":
            return [_plain(item) for item in data["items"]]
        case "bool" | "str":
            return data["v"]
        case _:
            raise ValueError("an array's elements are numbers, truth values or texts")


def _column(given: list[Any], dtype: str | None = None) -> v.Array:
    """Numbers as NumPy holds them; texts, and anything mixed, element by element."""
    if given and all(isinstance(item, str) for item in given):
        return v.Array(dtype="str", shape=(len(given),), items=tuple(map(literal_node, given)))
    if any(item is None or isinstance(item, str) for item in given):
        return v.Array(dtype="object", shape=(len(given),), items=tuple(map(literal_node, given)))
    return array_node(_as_array(given, dtype))


def _labels(data: Data, length: int) -> v.Index:
    labels = _column(_plain(data["index"])) if "index" in data else array_node(np.arange(length))
    return v.Index(levels=(labels,), names=(v.Nothing(),))


def _checked(given: Any) -> Any:
    try:
        argument_data(given)
    except ValueError as error:
        raise PydanticCustomError("argument", "{why}", {"why": str(error)}) from error
    return given


def _checked_value(given: Any) -> Any:
    try:
        expected_node(given)
    except ValueError as error:
        raise PydanticCustomError("argument", "{why}", {"why": str(error)}) from error
    return given


Argument = Annotated[
    Any,
    AfterValidator(_checked),
    WithJsonSchema({"description": "a value, {array: […]}, {table: {…}}, {variable: name} …"}),
]
Expected = Annotated[
    Any,
    AfterValidator(_checked_value),
    WithJsonSchema({"description": "a value, {array: […]}, {table: {…}} …"}),
]
