"""Values in a few words, for people: what a student's variable holds."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping

from checks.evidence import values as v

SHORT = 240
ITEMS = 5
CELL = 60


def said(named: Mapping[str, v.AnyNode]) -> str:
    """``name = value`` a line, cut at a bounded length."""
    return "\n".join(_cut(f"{name} = {short(node)}", SHORT) for name, node in named.items())


def kind(node: v.AnyNode) -> str:  # noqa: PLR0911 - one case a kind of value
    """What sort of thing a value is, with its size: ``array of float32 (943, 32)``."""
    match node:
        case v.Array():
            return f"{_name(node.cls)} of {node.dtype}, {_shape(node.shape)}"
        case v.Table():
            return f"{_name(node.cls)}, {node.index.shape[0]} rows × {len(node.columns)} columns"
        case v.Series():
            return f"{_name(node.cls)} of {node.dtype}, {node.index.shape[0]} rows"
        case v.Index():
            return f"{_name(node.cls)}, {node.shape[0]} labels"
        case v.Sequence() | v.SetOf() | v.Mapping():
            return f"{_name(node.cls)}, {_many(node.cut or len(node.items), 'item')}"
        case v.Text():
            return f"{_name(node.cls)}, {_many(node.cut or len(node.v), 'character')}"
        case v.Model():
            return f"{_name(node.cls)}, {_many(len(node.layers), 'layer')}"
        case v.Tensor():
            return f"{_name(node.cls)} of {node.dtype}, {_shape(node.shape)}"
        case v.Nothing():
            return "None"
        case v.Seen():
            return "itself again"
        case v.Called():
            return f"call, {_many(len(node.steps), 'step')}"
    return _name(node.cls) or "unknown"


def short(node: v.AnyNode, depth: int = 2) -> str:  # noqa: C901, PLR0911, PLR0912 - one case a kind of value
    """The value itself, as much as a line takes."""
    match node:
        case v.Nothing():
            return "None"
        case v.Bool():
            return str(node.v)
        case v.Int():
            return _cut(node.v, CELL)
        case v.Float():
            return _as_float(number(node.value))
        case v.Complex():
            return f"{number(node.value.real)} + {number(node.value.imag)}j"
        case v.Text():
            return repr(_cut(node.v, CELL))
        case v.Sequence():
            left, right = ("(", ")") if node.base == "tuple" else ("[", "]")
            return _listed(node.items, left, right, depth, node.cut)
        case v.SetOf():
            return _listed(node.items, "{", "}", depth, node.cut)
        case v.Mapping():
            return _mapping(node, depth)
        case v.Array():
            return _array(node)
        case v.Series():
            return f"{_array(node.values)}, {node.index.shape[0]} rows of {short(node.name)}"
        case v.Table():
            heads = _more([short(column.name) for column in node.columns[:ITEMS]], len(node.columns))
            return f"{node.index.shape[0]} rows × {_many(len(node.columns), 'column')}: {heads}"
        case v.Index():
            return ", ".join(_array(level) for level in node.levels)
        case v.Model():
            names = [_name(layer.cls) for layer in node.layers]
            return " → ".join([*names[:8], *(["…"] if len(names) > 8 else [])])
        case v.Layer():
            return f"{_name(node.cls)}({_settings(node.config)})"
        case v.Callable():
            return f"{node.name}{node.signature or '(…)'}" if not node.source else _cut(node.source, SHORT)
        case v.Tensor() if node.values is not None:
            return _array(node.values)
        case v.History():
            return f"{_many(len(node.epochs), 'epoch')}: {', '.join(node.metrics)}"
        case v.Broken():
            return f"could not be read: {node.why}"
        case v.Called():
            return "; ".join(_step(step) for step in node.steps[:ITEMS])
    return kind(node)


def number(value: float) -> str:
    """Six significant digits, or the words of what is no number."""
    return f"{value:.6g}" if math.isfinite(value) else str(value)


def _as_float(spelled: str) -> str:
    """4.0 is another answer than 4, where a check looks at types."""
    return spelled + ".0" if spelled.lstrip("-").isdecimal() else spelled


def _step(step: v.Step) -> str:
    return f"{step.name}: {short(step.result, 1) if step.result is not None else step.ended}"


def _listed(items: tuple[v.AnyNode, ...], left: str, right: str, depth: int, cut: int | None) -> str:
    if depth == 0 and items:
        return f"{left}…{right}"
    shown = [short(item, depth - 1) for item in items[:ITEMS]]
    return left + _more(shown, cut or len(items)) + right


def _mapping(node: v.Mapping, depth: int) -> str:
    if depth == 0 and node.items:
        return "{…}"
    shown = [f"{short(key, depth - 1)}: {short(value, depth - 1)}" for key, value in node.items[:ITEMS]]
    return "{" + _more(shown, node.cut or len(node.items)) + "}"


def _array(node: v.Array) -> str:
    size = math.prod(node.shape)
    values = node.values
    if values is not None:
        flat = itertools.islice(values.flat, ITEMS)
        shown = [number(float(each)) if values.dtype.kind == "f" else str(each) for each in flat]
    else:
        shown = [short(each, 0) for each in (node.elements or [])[:ITEMS]]
    return f"{_shape(node.shape)} {node.dtype} [{_more(shown, size)}]"


def _settings(config: Mapping[str, v.AnyNode]) -> str:
    told = {name: node for name, node in config.items() if not isinstance(node, v.Nothing)}
    return _more([f"{name}={short(node, 1)}" for name, node in list(told.items())[:ITEMS]], len(told))


def _more(shown: Iterable[str], total: int) -> str:
    kept = list(shown)
    return ", ".join([*kept, f"… {total - len(kept)} more"] if total > len(kept) else kept)


def _shape(shape: tuple[int | None, ...]) -> str:
    return "×".join("?" if length is None else str(length) for length in shape) or "0-d"


def _many(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def _name(cls: str) -> str:
    return cls.rpartition(".")[2]


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
