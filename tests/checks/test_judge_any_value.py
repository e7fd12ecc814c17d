"""Whatever a sandbox sends, the judge answers: no value makes it raise, or earns full marks by chance."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checks.evidence import array_node
from checks.evidence import values as v
from checks.judge import judge
from tests.checks import test_ex3_verdicts as ex3
from tests.checks.making import SUBMISSION, cell, course_assignment, evidence, index, node, snapshot

EX1 = course_assignment("ex1_embedding_layers")
NAMES = st.sampled_from(
    ["user_id", "movie_id", "norm", "movieId", "bias", "Film 3", "", "\ud7ff*<b>", "x" * 300]
)
CLASSES = st.sampled_from(
    ["Embedding", "k.Add", "k.Flatten", "k.Sequential", "k.InputLayer", "k.Dense", "", "."]
)
FLOATS = st.one_of(st.floats(), st.sampled_from([1e308, -1e308, 5e-324]))
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.just(10**400),
    FLOATS,
    st.text(max_size=5),
    NAMES,
    st.floats(width=32).map(np.float32),
).map(node)
DTYPES = st.sampled_from(
    [np.bool_, np.int8, np.uint64, np.float16, np.float32, np.float64, np.complex64, "M8[ns]", "m8[s]"]
)
SHAPES = st.sampled_from([(), (0,), (1,), (12,), (12, 1), (1, 12), (2, 2), (12, 4), (0, 3)])


@st.composite
def arrays(draw: st.DrawFn) -> v.Array:
    shape, dtype = draw(SHAPES), draw(DTYPES)
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    raw = draw(st.one_of(st.just(b"\0" * size), st.binary(min_size=size, max_size=size)))
    return array_node(np.frombuffer(raw, dtype=dtype).reshape(shape))


def objects(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[v.Array]:
    return st.lists(inner, max_size=3).map(
        lambda items: v.Array(dtype="object", shape=(len(items),), items=tuple(items))
    )


@st.composite
def tables(draw: st.DrawFn) -> v.Table:
    length = draw(st.sampled_from([0, 1, 12]))
    choices = [
        np.arange(length),
        np.zeros(length),
        np.full(length, np.nan),
        np.arange(length).astype("M8[ns]"),
        np.ones(length, bool),
    ]
    columns = draw(st.lists(st.tuples(NAMES, st.sampled_from(choices)), max_size=4))
    made = tuple(v.Column(name=node(name), dtype="?", values=array_node(values)) for name, values in columns)
    levels = {"movieId": np.arange(length)} if draw(st.booleans()) and length else None
    return v.Table(
        columns=made,
        index=index(length, levels) if length else v.Index((array_node(np.zeros(0)),), (node(None),)),
    )


IDS = st.integers(0, 4)
TENSORS = st.builds(v.GraphTensor, layer=IDS, node=st.integers(-1, 1), tensor=st.integers(-1, 1))
AXES = st.lists(st.one_of(st.none(), st.integers(-1, 8)), max_size=3).map(tuple)
CALLS = st.builds(
    v.GraphNode,
    layer=IDS,
    node=st.integers(0, 1),
    inputs=st.lists(TENSORS, max_size=3).map(tuple),
    shapes=st.lists(AXES, max_size=2).map(tuple),
)


def layers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[v.Layer]:
    config = st.dictionaries(
        st.sampled_from(["input_dim", "output_dim", "layers", "activation", "name"]), inner, max_size=3
    )
    return st.builds(
        v.Layer,
        id=IDS,
        cls=CLASSES,
        name=NAMES,
        bases=st.lists(CLASSES, max_size=2).map(tuple),
        config=config,
    )


def models(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[v.Model]:
    return st.builds(
        v.Model,
        id=IDS, cls=CLASSES, name=NAMES,
        layers=st.lists(layers(inner), max_size=5).map(tuple), nodes=st.lists(CALLS, max_size=6).map(tuple),
        inputs=st.lists(TENSORS, max_size=2).map(tuple), outputs=st.lists(TENSORS, max_size=2).map(tuple),
    )  # fmt: skip


def containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    items = st.lists(inner, max_size=4).map(tuple)
    pairs = st.lists(st.tuples(inner, inner), max_size=3).map(tuple)
    return st.one_of(
        st.builds(v.Sequence, items=items, base=st.sampled_from(["list", "tuple", "other"])),
        st.builds(v.SetOf, items=items),
        st.builds(v.Mapping, items=pairs),
        objects(inner),
        layers(inner),
        models(inner),
        st.builds(
            v.Tensor, id=IDS, cls=CLASSES, dtype=NAMES, shape=AXES, values=st.one_of(st.none(), arrays())
        ),
        st.builds(v.Broken, why=NAMES),
        st.builds(v.Seen, id=IDS),
        st.builds(v.Opaque, id=IDS, cls=CLASSES),
    )


NODES = st.recursive(st.one_of(SCALARS, arrays(), tables()), containers, max_leaves=8)
SLOW = settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@SLOW
@given(NODES, NODES, NODES)
def test_any_value_gets_a_verdict_in_the_third_exercise(
    first: v.AnyNode, second: v.AnyNode, third: v.AnyNode
) -> None:
    frames = {
        "part2": {"legally_impossible": first},
        "part3.a": {"norms": second},
        "part3.b": {"all_movies_df": third, "movies": second, "norms": first},
    }
    cells = [cell(number, source) for number, source in enumerate(ex3.CELLS.values())]
    snapshots = [
        snapshot(part, "check", number, frame) for number, (part, frame) in enumerate(frames.items())
    ]
    found = judge(ex3.ASSIGNMENT, evidence(cells, snapshots), ex3.REFERENCE, SUBMISSION)
    assert all(part.status in ("incorrect", "not_attempted", "ungraded", "partial") for part in found.parts)
    assert (
        found.to_json()
        == judge(ex3.ASSIGNMENT, evidence(cells, snapshots), ex3.REFERENCE, SUBMISSION).to_json()
    )


@SLOW
@given(NODES, NODES, models(SCALARS))
def test_any_value_gets_a_verdict_in_the_first_exercise(
    first: v.AnyNode, second: v.AnyNode, model: v.Model
) -> None:
    frames = {
        "part1": {"embedding_variables": first},
        "part3.c": {"model_bias": model},
        "part3.d": {"bias_layer": second, "model_bias": model},
    }
    cells = [
        cell(number, f"{next(iter(frame))} = x\n{part}.check()")
        for number, (part, frame) in enumerate(frames.items())
    ]
    snapshots = [
        snapshot(part, "check", number, frame) for number, (part, frame) in enumerate(frames.items())
    ]
    found = judge(EX1, evidence(cells, snapshots), None, SUBMISSION)
    assert found.parts[0].status != "correct"
