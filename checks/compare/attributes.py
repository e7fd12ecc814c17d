"""The named attributes of a value, whatever node says them: an object's, a layer's settings, a dict's."""

from __future__ import annotations

from collections.abc import Mapping

from checks.compare import content
from checks.evidence import values as v

MAX_STEPS = 10


def attributes_of(node: v.AnyNode) -> Mapping[str, v.AnyNode]:  # noqa: PLR0911 - one line a kind of value
    """What is known of a value, by name; empty where it has nothing of the kind."""
    match node:
        case v.Opaque():
            return node.attributes
        case v.Layer():
            return {**node.config, "name": v.Text(v=node.name)}
        case v.Model():
            layers = v.Sequence(items=node.layers)
            return {**(node.compiled or {}), "name": v.Text(v=node.name), "layers": layers}
        case v.Mapping():
            return {str(content.scalar(key)): item for key, item in node.items}
        case v.Sequence():
            return {str(number): item for number, item in enumerate(node.items)}
        case v.Series():
            return {
                "name": node.name,
                "dtype": v.Text(v=node.dtype),
                "index": node.index,
                **_groups(node.groups),
            }
        case v.Callable():
            return _of_function(node)
        case v.Array() | v.Tensor():
            shape = v.Sequence(items=tuple(map(_count, node.shape)), base="tuple", cls="builtins.tuple")
            zone = {"zone": v.Text(v=node.zone)} if isinstance(node, v.Array) and node.zone else {}
            return {"dtype": v.Text(v=node.dtype), "shape": shape, **zone}
        case v.History():
            numbers = {name: v.Sequence(items=found) for name, found in node.metrics.items()}
            return {**numbers, **node.settings}
        case _:
            return {}


def follow(node: v.AnyNode, path: str) -> v.AnyNode | str:
    """What ``path`` (names with dots between) leads to, or the first step that is not there.

    A name that holds dots itself goes before its pieces: ``dense.units`` may be one key of a dict.
    """
    steps = path.split(".")[:MAX_STEPS]
    while steps:
        known = attributes_of(node)
        length = next((n for n in range(len(steps), 0, -1) if ".".join(steps[:n]) in known), 0)
        if not length:
            return steps[0]
        node, steps = known[".".join(steps[:length])], steps[length:]
    return node


def _count(length: int | None) -> v.AnyNode:
    return v.Nothing() if length is None else v.Int(v=str(length))


def _groups(groups: v.Groups | None) -> dict[str, v.AnyNode]:
    return {} if groups is None else {"categories": groups.names, "ordered": v.Bool(v=groups.ordered)}


def _of_function(function: v.Callable) -> dict[str, v.AnyNode]:
    texts = {
        "name": function.name,
        "signature": function.signature,
        "doc": function.doc,
        "returns": function.returns,
    }
    found: dict[str, v.AnyNode] = {name: v.Text(v=text) for name, text in texts.items() if text is not None}
    if function.parameters is not None:
        names = [v.Text(v=each.name) for each in function.parameters]
        found["parameters"] = v.Sequence(items=tuple(names))
        pairs = [
            (v.Text(v=each.name), each.default) for each in function.parameters if each.default is not None
        ]
        found["defaults"] = v.Mapping(items=tuple(pairs))
    return found
