"""The verdicts of the first exercise: sets of names, and models as their frameworks describe them."""

# ruff: noqa: E501 - a case of a table is one line, however long

from __future__ import annotations

import csv
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from checks.evidence import values as v
from checks.feedback import PartFeedback
from checks.judge import judge
from checks.spec import load_spec
from checks.spec.base import walk
from checks.spec.bounds import Bounds
from tests.checks.making import (
    FIXTURES,
    SUBMISSION,
    Network,
    cell,
    course_assignment,
    evidence,
    node,
    snapshot,
)

ASSIGNMENT = course_assignment("ex1_embedding_layers")
ROWS = 1800
USERS = 1000
EMBEDDING = "keras.src.layers.core.embedding.Embedding"
DENSE = "keras.src.layers.core.dense.Dense"
FLATTEN = "keras.src.layers.reshaping.flatten.Flatten"
RESHAPE = "keras.src.layers.reshaping.reshape.Reshape"
CONCATENATE = "keras.src.layers.merging.concatenate.Concatenate"
ADD = "keras.src.layers.merging.add.Add"
PLUS = "keras.src.ops.numpy.Add"
LAMBDA = "keras.src.layers.core.lambda_layer.Lambda"
SEQUENTIAL = "keras.src.models.sequential.Sequential"
STARTER = {
    "stream_id",
    "user_id",
    "song_id",
    "timestamp",
    "artist_id",
    "song_duration",
    "explicit",
    "user_country",
}
RIGHT = {"user_id", "song_id", "artist_id"}
Tensor = v.GraphTensor
Build = Callable[["Rating"], Tensor]


SOURCES = {
    "part1": "embedding_variables = x\npart1.check()",
    "part3.c": "movie_bias = f(x)\nmodel_bias = m",
    "part3.d": "bias_layer = x\npart3.d.check()",
}
UNTOUCHED = {"part3.d": "bias_layer = None\npart3.d.check()"}


def judged(part: str, values: dict[str, Any], trigger: str = "check", source: str = "") -> PartFeedback:
    cells = [cell(4, source or SOURCES[part])]
    found = evidence(cells, [snapshot(part, trigger, 4, values)])
    feedback = judge(ASSIGNMENT, found, None, SUBMISSION)
    return next(each for each in feedback.parts if each.id == part)


PART1 = [
    ("the three", RIGHT, "correct", ""),
    ("with the optional one", RIGHT | {"user_country"}, "correct", ""),
    ("frozen", frozenset(RIGHT), "correct", ""),
    ("a list", sorted(RIGHT), "partial", "a list of 3 items"),
    ("a tuple", tuple(sorted(RIGHT)), "partial", "a tuple"),
    ("keys of a dict", dict.fromkeys(sorted(RIGHT), 1), "partial", "a dict"),
    ("an array", np.array(sorted(RIGHT)), "partial", "an array"),
    ("keys of a view", v.Sequence(items=tuple(map(node, sorted(RIGHT))), base="other", cls="builtins.dict_keys"), "partial", "dict keys"),
    ("a row's id", RIGHT | {"stream_id"}, "incorrect", "stream_id"),
    ("a moment", RIGHT | {"timestamp"}, "incorrect", "timestamp"),
    ("a duration", RIGHT | {"song_duration"}, "incorrect", "song_duration"),
    ("a switch", RIGHT | {"explicit"}, "incorrect", "explicit"),
    ("two wrong ones", RIGHT | {"explicit", "timestamp"}, "incorrect", "- explicit"),
    ("one missing", {"user_id", "song_id"}, "incorrect", "is missing"),
    ("only the optional one", {"user_country"}, "incorrect", "is missing"),
    ("an unknown one", RIGHT | {"genre"}, "incorrect", "genre"),
    ("markup", RIGHT | {"<script>"}, "incorrect", "&lt;script&gt;"),
    ("a wrong list", [*sorted(RIGHT), "explicit"], "incorrect", "explicit"),
    ("a dict with nothing in it", {}, "incorrect", "dict and not a set"),
    ("a set with nothing in it", set(), "incorrect", "empty"),
    ("numbers", {1, 2, 3}, "incorrect", "the number 1"),
    ("a tuple inside", v.SetOf(items=(node(("user_id", "song_id")),)), "incorrect", "holds a tuple of 2 items"),
    ("a blank before", {" user_id", "song_id", "artist_id"}, "incorrect", "'␣user_id'"),
    ("two unknown ones", {"a", "b"} | RIGHT, "incorrect", "Not among the variables of the table: a and b."),
    ("one text", "user_id", "incorrect", "the text"),
    ("a number", 3, "incorrect", "the number 3"),
    ("the starter's", STARTER, "not_attempted", ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "status", "says"), [row[1:] for row in PART1], ids=[row[0] for row in PART1]
)
def test_embedding_variables(value: Any, status: str, says: str) -> None:
    part = judged("part1", {"embedding_variables": value})
    assert part.status == status, part.message
    assert says in part.message
    assert part.score == {"correct": 1.0, "partial": 0.5}.get(status, 0.0)


def test_every_wrong_variable_has_a_message_and_none_names_a_right_one() -> None:
    part = judged("part1", {"embedding_variables": STARTER - {"user_id"}})
    lines = part.message.splitlines()
    assert len(lines) == 5
    assert not any(name in part.message for name in RIGHT)


# --- models -----------------------------------------------------------------------------------------------------


class Rating(Network):
    """The network of the exercise as far as it is given: everything before the bias."""

    def __init__(self) -> None:
        super().__init__()
        self.user, self.movie = self.input("user_id"), self.input("movie_id")
        tables = [
            self.table(self.user, USERS, 8, "user_embedding"),
            self.table(self.movie, ROWS, 8, "movie_embedding"),
        ]
        hidden = self.call(FLATTEN, [self.call(CONCATENATE, tables, (None, 1, 16))], (None, 16))
        self.hidden = hidden
        self.out = self.call(DENSE, [hidden], (None, 1), "prediction", units=1)

    def table(self, source: Tensor, rows: int, columns: int, name: str = "") -> Tensor:
        return self.call(EMBEDDING, [source], (None, 1, columns), name, input_dim=rows, output_dim=columns)

    def bias(self, rows: int = ROWS, columns: int = 1) -> Tensor:
        return self.flat(self.table(self.movie, rows, columns, "bias"), columns)

    def flat(self, source: Tensor, columns: int = 1) -> Tensor:
        return self.call(FLATTEN, [source], (None, columns))

    def add(self, *summands: Tensor, shape: tuple[int | None, ...] = (None, 1), cls: str = ADD) -> Tensor:
        return self.call(cls, summands, shape)


def block(net: Rating) -> Tensor:
    """A table and a Flatten in a Sequential: evidence has the inner calls, and the block without any."""
    net.layers.append(v.Layer(id=77, cls=SEQUENTIAL, name="block"))
    return net.bias()


def code(*names: str, operators: list[str] | None = None, name: str = "<lambda>") -> dict[str, Any]:
    return {"name": name, "names": list(names), "operators": operators or []}


def in_lambda(function: dict[str, Any] | None) -> Build:
    settings = {} if function is None else {"function": function}
    return lambda n: n.add(n.out, n.call(LAMBDA, [n.table(n.movie, ROWS, 1)], (None, 1), **settings))


def after_lambda(function: dict[str, Any]) -> Build:
    return lambda n: n.call(
        LAMBDA,
        [n.add(n.out, n.table(n.movie, ROWS, 1), shape=(None, 1, 1))],
        (None, 1),
        function=function,
    )


def subclassed(net: Rating) -> Tensor:
    tensor = net.add(net.out, net.bias())
    found = [layer for layer in net.layers if layer.name != "bias"]
    bias = next(layer for layer in net.layers if layer.name == "bias")
    own = v.Layer(id=bias.id, cls="__main__.MyTable", name="bias", bases=(EMBEDDING,), config=bias.config)
    net.layers = [*found, own]
    return tensor


MODELS: list[tuple[str, Build, str, str | None]] = [
    ("Flatten before Add", lambda n: n.add(n.out, n.bias()), "correct", None),
    ("the other way round", lambda n: n.add(n.bias(), n.out), "correct", None),
    ("a + b", lambda n: n.add(n.out, n.bias(), cls=PLUS), "correct", None),
    ("Flatten after Add", lambda n: n.flat(n.add(n.out, n.table(n.movie, ROWS, 1), shape=(None, 1, 1))), "correct", None),
    ("Reshape", lambda n: n.add(n.out, n.call(RESHAPE, [n.table(n.movie, ROWS, 1)], (None, 1))), "correct", None),
    (
        "an index",
        lambda n: n.add(n.out, n.call("keras.src.ops.numpy.GetItem", [n.table(n.movie, ROWS, 1)], (None, 1))),
        "correct",
        None,
    ),
    (
        "pooling",
        lambda n: n.add(
            n.out, n.call("keras.src.layers.pooling.p.GlobalAveragePooling1D", [n.table(n.movie, ROWS, 1)], (None, 1))
        ),
        "correct",
        None,
    ),
    ("Lambda that moves axes", in_lambda(code("keras", "ops", "squeeze")), "correct", None),
    ("Lambda that takes one by its place", in_lambda(code()), "correct", None),
    ("Lambda around a function", in_lambda(code(name="squeeze")), "correct", None),
    ("Lambda that moves axes after Add", after_lambda(code("tf", "reshape")), "correct", None),
    ("Lambda that multiplies by zero", in_lambda(code("keras", "ops", "squeeze", operators=["*"])), "incorrect", "hidden_in_lambda"),
    ("Lambda that calls anything", in_lambda(code("tf", "zeros_like")), "incorrect", "hidden_in_lambda"),
    ("Lambda of an unknown function", in_lambda(code(name="mine")), "incorrect", "hidden_in_lambda"),
    ("Lambda without a word of its code", in_lambda(None), "incorrect", "hidden_in_lambda"),
    ("Lambda that computes after Add", after_lambda(code("tf", "sigmoid", "squeeze")), "incorrect", "hidden_in_lambda"),
    (
        "one-hot and Dense",
        lambda n: n.add(n.out, n.call(DENSE, [n.call("k.CategoryEncoding", [n.movie], (None, ROWS))], (None, 1), units=1)),
        "incorrect",
        "looked_up_by_dense",
    ),
    (
        "an activation before the addition",
        lambda n: n.add(n.out, n.call("k.Activation", [n.bias()], (None, 1), activation="sigmoid")),
        "incorrect",
        "changed_before_the_addition",
    ),
    ("more rows than needed", lambda n: n.add(n.out, n.bias(rows=5000)), "correct", None),
    ("more rows than a float can count", lambda n: n.add(n.out, n.bias(rows=10**400)), "correct", None),
    ("a linear activation at the end", lambda n: n.call("k.Activation", [n.add(n.out, n.bias())], (None, 1), activation="linear"), "correct", None),
    ("a user's bias too", lambda n: n.add(n.add(n.out, n.bias()), n.flat(n.table(n.user, USERS, 1))), "correct", None),
    ("three summands", lambda n: n.add(n.out, n.bias(), n.flat(n.table(n.user, USERS, 1))), "correct", None),
    ("a Sequential block", lambda n: n.add(n.out, block(n)), "correct", None),
    ("a subclass of Embedding", subclassed, "correct", None),
    ("over users", lambda n: n.add(n.out, n.flat(n.table(n.user, USERS, 1))), "incorrect", "bias_over_users"),
    ("eight columns", lambda n: n.add(n.out, n.bias(columns=8), shape=(None, 8)), "incorrect", "several_columns"),
    ("max without one", lambda n: n.add(n.out, n.bias(rows=ROWS - 1)), "incorrect", "too_few_rows"),
    ("no Flatten", lambda n: n.add(n.out, n.table(n.movie, ROWS, 1), shape=(None, 1, 1)), "incorrect", "forgotten_flatten"),
    ("Dense", lambda n: n.add(n.out, n.call(DENSE, [n.movie], (None, 1), units=1)), "incorrect", "dense_instead_of_embedding"),
    (
        "Dense after the table",
        lambda n: n.add(n.out, n.call(DENSE, [n.bias()], (None, 1), units=1)),
        "incorrect",
        "dense_after_embedding",
    ),
    ("multiplied", lambda n: n.call("keras.src.ops.numpy.Multiply", [n.out, n.bias()], (None, 1)), "incorrect", "merged_otherwise"),
    (
        "concatenated",
        lambda n: n.call(DENSE, [n.call(CONCATENATE, [n.out, n.bias()], (None, 2))], (None, 1), units=1),
        "incorrect",
        "concatenated",
    ),
    ("merged in a Lambda", lambda n: n.call(LAMBDA, [n.out, n.bias()], (None, 1)), "incorrect", "hidden_in_lambda"),
    (
        "then an activation",
        lambda n: n.call("k.Activation", [n.add(n.out, n.bias())], (None, 1), activation="sigmoid"),
        "incorrect",
        "changed_after_the_addition",
    ),
    ("added without the rating", lambda n: n.add(n.bias(), n.flat(n.table(n.user, USERS, 1))), "incorrect", "bias_not_at_the_end"),
    ("added to itself", lambda n: n.add(n.out, n.out), "incorrect", "bias_not_connected"),
    ("not used", lambda n: n.out, "incorrect", "bias_not_connected"),
    ("Dense of everything", lambda n: n.add(n.out, n.call(DENSE, [n.hidden], (None, 1), units=1)), "incorrect", "bias_not_connected"),
    ("twice the bias", lambda n: n.add(*[n.bias()] * 2), "incorrect", "bias_not_at_the_end"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("build", "status", "misconception"), [row[1:] for row in MODELS], ids=[row[0] for row in MODELS]
)
def test_model_bias(build: Build, status: str, misconception: str | None) -> None:
    net = Rating()
    part = judged("part3.c", {"model_bias": net.model(build(net))}, trigger="bound")
    assert (part.status, part.misconception) == (status, misconception), part.message


def test_model_bias_that_is_no_model() -> None:
    part = judged("part3.c", {"model_bias": "model"}, trigger="bound")
    assert (part.status, part.misconception) == ("incorrect", None)
    assert "the text 'model'" in part.message


def test_other_inputs_are_told() -> None:
    net = Rating()
    net.inputs = net.inputs[:1]
    part = judged("part3.c", {"model_bias": net.model(net.out)}, trigger="bound")
    assert (part.status, part.misconception) == ("incorrect", None)
    assert "takes user_id as inputs" in part.message


def test_inputs_in_another_order_are_told() -> None:
    net = Rating()
    output = net.add(net.out, net.bias())
    net.inputs.reverse()
    part = judged("part3.c", {"model_bias": net.model(output)}, trigger="bound")
    assert (part.status, part.misconception) == ("incorrect", "inputs_swapped")
    assert r"the order movie_id and user_id" in part.message


KERAS_TEXT = (
    "Only input tensors may be passed as positional arguments. The following argument value should be passed "
    "as a keyword argument: {what}"
)


@pytest.mark.parametrize(
    ("what", "misconception"),
    [
        (
            "<Embedding name=bias, built=True> (of type <class 'keras.src.layers.core.embedding.Embedding'>)",
            "layer_not_called",
        ),
        ("0 (of type <class 'int'>)", "not_a_tensor"),
    ],
)
def test_crash_of_the_addition_is_explained_by_what_was_passed(what: str, misconception: str) -> None:
    stopped = cell(
        4, "movie_bias = x\nmodel_bias = f(movie_bias)", ("ValueError", KERAS_TEXT.format(what=what))
    )
    feedback = judge(ASSIGNMENT, evidence([stopped]), None, SUBMISSION)
    part = next(each for each in feedback.parts if each.id == "part3.c")
    assert (part.status, part.misconception) == ("error", misconception)


def test_table_size_is_that_of_the_data() -> None:
    with (FIXTURES / "data" / "mini_rating.csv").open() as file:
        needed = max(int(row["movieId"]) for row in csv.DictReader(file)) + 1
    spec = load_spec((FIXTURES / "ex1_embedding_layers" / "assignment.yaml").read_bytes())
    bounds = {(piece.min, piece.max) for _, piece in walk(spec) if isinstance(piece, Bounds)}
    assert {(needed, None), (None, needed - 1)} <= bounds


# --- the layer ---------------------------------------------------------------------------------------------------


def named(net: Rating, name: str) -> v.Layer:
    return next(layer for layer in net.layers if layer.name == name)


def layer_case(build: Build, pick: Callable[[Rating], Any]) -> dict[str, Any]:
    net = Rating()
    model = net.model(build(net))
    return {"model_bias": model, "bias_layer": pick(net)}


def usual(net: Rating) -> Tensor:
    return net.add(net.out, net.bias())


def over_users(net: Rating) -> Tensor:
    return net.add(net.out, net.flat(net.table(net.user, USERS, 1, "bias")))


ELSEWHERE = v.Layer(
    id=900, cls=EMBEDDING, name="bias", config={"input_dim": node(ROWS), "output_dim": node(1)}
)
SYMBOLIC = v.Tensor(
    id=3, cls="keras.src.backend.common.keras_tensor.KerasTensor", dtype="float32", shape=(None, 1)
)
LAYERS: list[tuple[str, Build, Callable[[Rating], Any], str, str | None]] = [
    ("the layer", usual, lambda n: named(n, "bias"), "correct", None),
    ("of eight columns", lambda n: n.add(n.out, n.bias(columns=8), shape=(None, 8)), lambda n: named(n, "bias"), "correct", None),
    ("of too few rows", lambda n: n.add(n.out, n.bias(rows=9)), lambda n: named(n, "bias"), "correct", None),
    (
        "without Flatten",
        lambda n: n.add(n.out, n.table(n.movie, ROWS, 1, "bias"), shape=(None, 1, 1)),
        lambda n: named(n, "bias"),
        "correct",
        None,
    ),
    ("multiplied", lambda n: n.call("k.Multiply", [n.out, n.bias()], (None, 1)), lambda n: named(n, "bias"), "correct", None),
    ("over users", over_users, lambda n: named(n, "bias"), "incorrect", "user_bias"),
    ("the other table", usual, lambda n: named(n, "movie_embedding"), "incorrect", "other_layer"),
    ("the other table of a model over users", over_users, lambda n: named(n, "movie_embedding"), "incorrect", "other_layer"),
    ("the prediction", usual, lambda n: named(n, "prediction"), "incorrect", "other_layer"),
    ("Flatten", usual, lambda n: next(x for x in reversed(n.layers) if x.cls == FLATTEN), "incorrect", "reshaping_layer"),
    ("its name", usual, lambda _: "bias", "incorrect", "layer_name"),
    ("its weights", usual, lambda _: np.zeros((ROWS, 1), np.float32), "incorrect", "weights"),
    ("a list of weights", usual, lambda _: [np.zeros((3, 1), np.float32)], "incorrect", "weights"),
    ("what comes out of it", usual, lambda _: SYMBOLIC, "incorrect", "output_tensor"),
    ("a look-alike", usual, lambda _: ELSEWHERE, "incorrect", "look_alike"),
    ("the model", usual, lambda n: n.model(n.out), "incorrect", "whole_model"),
    ("a number", usual, lambda _: 3, "incorrect", None),
    ("the starter's", usual, lambda _: None, "not_attempted", None),
    (
        "in a Sequential block",
        lambda n: n.add(n.out, block(n)),
        lambda n: named(n, "bias"),
        "correct",
        None,
    ),
    (
        "like the one in a Sequential block",
        lambda n: n.add(n.out, block(n)),
        lambda n: v.Layer(id=901, cls=EMBEDDING, name="bias", config=named(n, "bias").config),
        "incorrect",
        "look_alike",
    ),
    ("all layers", usual, lambda n: list(n.layers), "incorrect", "several_layers"),
    ("a list with the layer", usual, lambda n: [named(n, "bias")], "incorrect", "several_layers"),
    ("a method", usual, lambda _: v.Callable(name="get_layer", cls="builtins.method"), "incorrect", "method_not_called"),
    ("an empty list", usual, lambda _: [], "incorrect", "weights"),
    ("None from a call", usual, lambda _: None, "incorrect", None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("build", "pick", "status", "misconception"), [row[1:] for row in LAYERS], ids=[row[0] for row in LAYERS]
)
def test_bias_layer(
    build: Build, pick: Callable[[Rating], Any], status: str, misconception: str | None
) -> None:
    source = UNTOUCHED["part3.d"] if status == "not_attempted" else ""
    part = judged("part3.d", layer_case(build, pick), source=source)
    assert (part.status, part.misconception) == (status, misconception), part.message


def test_bias_layer_without_a_model() -> None:
    part = judged("part3.d", {"bias_layer": ELSEWHERE})
    assert (part.status, part.misconception) == ("incorrect", "no_model")


def test_thought_parts_are_not_graded() -> None:
    feedback = judge(ASSIGNMENT, evidence(), None, SUBMISSION)
    found = {part.id: part.status for part in feedback.parts if part.max_score == 0}
    assert found == dict.fromkeys(("part2", "part3.a", "part3.b"), "ungraded")
