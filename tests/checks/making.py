"""Hand-made evidence: values, models, cells and snapshots as a sandbox would have sent them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from checks.assignment import Assignment
from checks.bundle import input_key
from checks.evidence import CellError, CellRun, Evidence, Run, Snapshot, array_node, encode_frame
from checks.evidence import values as v
from checks.feedback import SubmissionInfo
from checks.scene import Outcome, Scene
from checks.spec import load_spec

FIXTURES = Path(__file__).parents[2] / "fixtures" / "embeddings"
SUBMISSION = SubmissionInfo("s1", "ada", "sha256:0", 1)


def node(value: Any) -> v.AnyNode:  # noqa: C901, PLR0911, PLR0912 - one case a kind of value
    """The evidence of a plain Python or NumPy value; nodes stay as they are."""
    match value:
        case None:
            return v.Nothing()
        case bool():
            return v.Bool(v=value)
        case np.datetime64():
            return array_node(np.array(value, dtype="datetime64[us]"))
        case np.generic():
            return v.Float(v=float(value).hex(), cls=f"numpy.{value.dtype.name}")
        case int():
            return v.Int(v=str(value))
        case float():
            return v.Float(v=value.hex())
        case str():
            return v.Text(v=value)
        case list():
            return v.Sequence(items=tuple(map(node, value)))
        case tuple():
            return v.Sequence(items=tuple(map(node, value)), base="tuple", cls="builtins.tuple")
        case set():
            return v.SetOf(items=tuple(map(node, sorted(value))))
        case frozenset():
            return v.SetOf(items=tuple(map(node, sorted(value))), base="frozenset", cls="builtins.frozenset")
        case dict():
            return v.Mapping(items=tuple((node(key), node(item)) for key, item in value.items()))
        case np.ndarray() if value.dtype.kind in "US":
            return v.Array(dtype="str", shape=value.shape, items=tuple(map(node, value.ravel().tolist())))
        case np.ndarray() if value.dtype.kind == "O":
            return v.Array(dtype="object", shape=value.shape, items=tuple(map(node, value.ravel().tolist())))
        case np.ndarray():
            return array_node(value)
        case _:
            return value


def column_array(values: Any) -> v.Array:
    """One column's values as an array node."""
    found = node(np.asarray(values, dtype=object if isinstance(values[0], str) else None))
    assert isinstance(found, v.Array)
    return found


def index(length: int, levels: Mapping[str, Any] | None = None) -> v.Index:
    """A plain range index, or one of named levels."""
    if levels is None:
        return v.Index(levels=(column_array(np.arange(length)),), names=(v.Nothing(),))
    arrays = tuple(column_array(values) for values in levels.values())
    return v.Index(levels=arrays, names=tuple(map(node, levels)))


def table(
    columns: Mapping[str, Any] | Sequence[tuple[str, Any]], levels: Mapping[str, Any] | None = None
) -> v.Table:
    """A data frame; a list of pairs may name a column twice."""
    pairs = list(columns.items()) if isinstance(columns, Mapping) else list(columns)
    made = tuple(v.Column(name=node(name), dtype="?", values=column_array(values)) for name, values in pairs)
    return v.Table(columns=made, index=index(made[0].values.shape[0], levels))


def series(values: Any, labels: Any = None) -> v.Series:
    """A column by itself."""
    array = column_array(values)
    levels = None if labels is None else {"key": labels}
    return v.Series(name=v.Nothing(), dtype=array.dtype, values=array, index=index(array.shape[0], levels))


class Network:
    """Builds a model's graph call by call, as a framework does."""

    def __init__(self) -> None:
        self.layers: list[v.Layer] = []
        self.nodes: list[v.GraphNode] = []
        self.inputs: list[v.GraphTensor] = []

    def input(self, name: str) -> v.GraphTensor:
        """An input of shape (None, 1)."""
        tensor = self.call("keras.src.layers.core.input_layer.InputLayer", [], (None, 1), name)
        self.inputs.append(tensor)
        return tensor

    def call(
        self,
        cls: str,
        sources: Sequence[v.GraphTensor],
        shape: tuple[int | None, ...],
        name: str = "",
        **config: Any,
    ) -> v.GraphTensor:
        """A new layer, called once; its settings as keyword arguments."""
        number = 100 + len(self.layers)
        settings = {key: node(value) for key, value in config.items()}
        layer = v.Layer(
            id=number, cls=cls, name=name or f"{cls.rpartition('.')[2].lower()}_{number}", config=settings
        )
        self.layers.append(layer)
        self.nodes.append(v.GraphNode(layer=number, node=0, inputs=tuple(sources), shapes=(shape,)))
        return v.GraphTensor(layer=number, node=0, tensor=0)

    def layer(self, tensor: v.GraphTensor) -> v.Layer:
        """The layer that a tensor came out of."""
        return next(layer for layer in self.layers if layer.id == tensor.layer)

    def model(self, output: v.GraphTensor) -> v.Model:
        """The model with one output."""
        return v.Model(
            id=1,
            cls="keras.src.models.functional.Functional",
            name="model",
            layers=tuple(self.layers),
            nodes=tuple(reversed(self.nodes)),
            inputs=tuple(self.inputs),
            outputs=(output,),
        )


def cell(index_: int, source: str, error: tuple[str, str] | None = None, status: str = "ok") -> CellRun:
    """A code cell that ran, or failed with an exception's name and text in its second line."""
    if error is None:
        return CellRun(index=index_, source=source, status=status)  # type: ignore[arg-type]
    return CellRun(index=index_, source=source, status="error", error=CellError(*error, line=2))


def snapshot(part: str, trigger: str, at: int | None, values: Mapping[str, Any]) -> Snapshot:
    """The values of a part as taken in the cell with notebook index ``at``."""
    frame = encode_frame(part, trigger, 1, {name: node(value) for name, value in values.items()})  # type: ignore[arg-type]
    return Snapshot(part=part, trigger=trigger, cell=at, frame=frame)  # type: ignore[arg-type]


def evidence(
    cells: Sequence[CellRun] = (),
    snapshots: Sequence[Snapshot] = (),
    status: str = "completed",
    detail: str = "",
) -> Evidence:
    """The record of an attempt."""
    run = Run(
        status=status, seconds=1.5, environment="tensorflow@sha256:1", memory_limit="cgroup", detail=detail
    )  # type: ignore[arg-type]
    return Evidence(
        notebook="sha256:0", assignment="sha256:1", run=run, cells=tuple(cells), snapshots=tuple(snapshots)
    )


def notebook(*sources: str) -> bytes:
    """A notebook of code cells."""
    cells = [{"cell_type": "code", "source": source, "metadata": {}, "outputs": []} for source in sources]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}).encode()


def bundle_files(spec: bytes, starter: bytes | None = None) -> dict[str, bytes]:
    """A bundle around a spec: empty inputs, an author's notebook that assigns what the spec wants of it."""
    parsed = load_spec(spec)
    assigned = "\n".join(f"{name} = 1" for name in parsed.reference.variables)
    inputs = {input_key(source): b"" for source in parsed.inputs.values()}
    return {
        "assignment.yaml": spec,
        "starter.ipynb": starter or notebook(),
        "reference.ipynb": notebook(assigned),
        **inputs,
    }


def course_assignment(name: str) -> Assignment:
    """One of the example course's assignments, its inputs left empty."""
    return Assignment.from_files(bundle_files((FIXTURES / name / "assignment.yaml").read_bytes()))


def small_assignment(part: str, starter: bytes | None = None) -> Assignment:
    """An assignment with one part, whose keys are given as YAML (indented by four blanks)."""
    head = "id: a/b\ntitle: T\nenvironment: python\nreference: {variables: [other]}\n"
    text = f"{head}parts:\n  - id: q1\n    title: Q\n{part}"
    return Assignment.from_files(bundle_files(text.encode(), starter))


def check_of(text: str, names: Sequence[str]) -> Any:
    """One check, given as YAML on one line, of a part with variables of these names."""
    head = "id: a/b\ntitle: T\nenvironment: python\nparts:\n  - id: q1\n    title: Q\n"
    variables = "{" + ", ".join(f"{name}: {{}}" for name in names) + "}"
    spec = load_spec(f"{head}    variables: {variables}\n    checks: [{text}]\n".encode())
    return spec.parts[0].checks[0]


def outcome_of(text: str, values: Mapping[str, Any], reference: Mapping[str, Any] | None = None) -> Outcome:
    """How a check comes out for these values, held against the author's."""
    author = None if reference is None else {name: node(value) for name, value in reference.items()}
    seen = {name: node(value) for name, value in values.items()}
    found: Outcome = check_of(text, [*values]).evaluate(Scene(seen, author))
    return found
