"""The named attributes of a value, whatever node says them: an object's, a layer's settings, a dict's."""

from __future__ import annotations

from collections.abc import Mapping

from checks.compare import content
from checks.compare.graph import graph_of
from checks.evidence import values as v

MAX_STEPS = 10


def attributes_of(node: v.AnyNode) -> Mapping[str, v.AnyNode]:
    """What is known of a value, by name; empty where nothing is."""
    return {**_measures(node), **_own(node)}


def _own(node: v.AnyNode) -> Mapping[str, v.AnyNode]:  # noqa: PLR0911 - one line a kind of value
    match node:
        case v.Opaque():
            return node.attributes
        case v.Layer():
            return {**node.config, "name": v.Text(v=node.name)}
        case v.Model():
            layers = v.Sequence(items=tuple(graph_of(node).layers_in_order()))
            return {**(node.compiled or {}), "name": v.Text(v=node.name), "layers": layers}
        case v.Series():
            labels = {"name": node.name, "index": node.index, "values": node.values}
            return {**labels, **_groups(node.groups)}
        case v.Callable():
            return _of_function(node)
        case v.Array() if node.zone:
            return {"zone": v.Text(v=node.zone)}
        case v.History():
            return _of_history(node)
        case _:
            return {}


def _measures(node: v.AnyNode) -> dict[str, v.AnyNode]:
    """Shape, number of axes, type of the elements: of what has them as attributes in Python, too."""
    if isinstance(node, (v.Sequence, v.SetOf, v.Mapping, v.Text, v.Bytes)) or _is_plain_number(node):
        return {}
    found: dict[str, v.AnyNode] = {}
    if (shape := content.shape_of(node)) is not None:
        lengths = v.Sequence(items=tuple(map(_count, shape)), base="tuple", cls="builtins.tuple")
        found = {"shape": lengths, "ndim": v.Int(v=str(len(shape)))}
    dtype = content.dtype(node)
    return {**found, "dtype": v.Text(v=dtype)} if dtype else found


def _is_plain_number(node: v.AnyNode) -> bool:
    return isinstance(node, (v.Bool, v.Int, v.Float, v.Complex)) and node.cls.startswith("builtins.")


def _of_history(node: v.History) -> dict[str, v.AnyNode]:
    metrics = {name: v.Sequence(items=tuple(numbers)) for name, numbers in node.metrics.items()}
    entries = tuple((v.Text(v=name), series) for name, series in metrics.items())
    epochs = v.Sequence(items=tuple(v.Int(v=str(epoch)) for epoch in node.epochs))
    return {**metrics, **node.settings, "epoch": epochs, "history": v.Mapping(items=entries)}


def pieces_of(node: v.AnyNode) -> Mapping[str, v.AnyNode]:
    """What a dotted path may go on with: attributes, a dict's entries, a sequence's elements by number."""
    match node:
        case v.Mapping():
            return {str(content.scalar(key)): item for key, item in node.items}
        case v.Sequence():
            return {str(number): item for number, item in enumerate(node.items)}
        case _:
            return attributes_of(node)


def follow(node: v.AnyNode, path: str) -> v.AnyNode | str:
    """What ``path`` (names with dots between) leads to, or the first step that is not there.

    A name that holds dots itself goes before its pieces: ``dense.units`` may be one key of a dict.
    """
    steps = path.split(".")[:MAX_STEPS]
    while steps:
        known = pieces_of(node)
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
        "__name__": function.name,
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
