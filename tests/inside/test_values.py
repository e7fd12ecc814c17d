"""What the extractor makes of a value, and what the judge's side reads of it, without a sandbox."""

from __future__ import annotations

import array
import builtins
import functools
import json
import signal
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from checks.compare import content
from checks.evidence import Frame, Snapshot, decode_frame
from checks.evidence import values as v
from checks.judge import judge
from tests.checks.making import SUBMISSION, cell, evidence, small_assignment
from tests.checks.making import node as literal
from worker.inside import frame, values
from worker.inside.frame import Label

LABEL: Label = {"part": "p", "trigger": "check", "run": 1, "seed": 0}


def frame_of(**named: Any) -> Frame:
    return decode_frame(frame.encode(LABEL, list(named), named).data)


def taken(value: Any) -> v.AnyNode:
    return frame_of(x=value).values["x"]


# Containers that hold the right numbers, other than the one asked for.
NUMBERS = [0.5, -1.25, 3e300]
OTHERS = {
    "pd.array": pd.array(NUMBERS),
    "pd.array of plain numbers": pd.Series(NUMBERS).array,
    "array.array": array.array("d", NUMBERS),
    "memoryview": memoryview(array.array("d", NUMBERS)),
    "a view of foreign bytes": memoryview(np.array(NUMBERS, dtype=">f8")),
    "recarray": np.rec.array([(number,) for number in NUMBERS]),
    "structured array": np.array([(number,) for number in NUMBERS], dtype=[("norm", "f8")]),
    "matrix": np.asmatrix(NUMBERS),
    "masked array": np.ma.array(NUMBERS, mask=False),
    "Index": pd.Index(NUMBERS),
    "Categorical": pd.Categorical(NUMBERS),
    "list": NUMBERS,
    "long doubles": np.array(NUMBERS, dtype=np.longdouble).view(type("Mine", (np.ndarray,), {})),
}  # fmt: skip


ASSIGNMENT = small_assignment("""\
    variables: {x: {role: answer}}
    checks:
      - id: right
        equal: {of: x, to: {reference: other}}
""")


def verdict(value: Any, right: Any) -> tuple[str, float]:
    """What ``value`` is worth where the author's own variable is ``right``."""
    own = Snapshot(
        part="", trigger="end", cell=0, frame=frame.encode(LABEL, ["other"], {"other": right}).data
    )
    label: Label = {**LABEL, "part": "q1"}
    theirs = Snapshot(part="q1", trigger="check", cell=0, frame=frame.encode(label, ["x"], {"x": value}).data)
    cells = [cell(0, "x = 1\nq1.check()")]
    (part,) = judge(ASSIGNMENT, evidence(cells, [theirs]), evidence(cells, [own]), SUBMISSION).parts
    return part.status, part.score


@pytest.mark.parametrize("value", OTHERS.values(), ids=OTHERS.keys())
def test_right_numbers_in_another_container_are_partly_right(value: Any) -> None:
    assert verdict(np.array(NUMBERS), np.array(NUMBERS)) == ("correct", 1.0)
    assert verdict(value, np.array(NUMBERS)) == ("partial", 0.5)


@pytest.mark.parametrize("value", OTHERS.values(), ids=OTHERS.keys())
def test_wrong_numbers_in_another_container_are_wrong(value: Any) -> None:
    assert verdict(value, np.array([*NUMBERS[:2], 4.0])) == ("incorrect", 0.0)


@pytest.mark.parametrize(
    ("value", "texts"),
    [
        (np.array(["a", "", "naïve ☃"]), ["a", "", "naïve ☃"]),
        (np.array([["a", None], [None, "b"]], dtype=object), ["a", None, None, "b"]),
        (pd.Series(["x", None, "é"], dtype="str"), ["x", "nan", "é"]),
        (pd.array(["x", pd.NA], dtype="string"), ["x", "NA"]),
        (pd.Categorical(["u", "v", "u"]), ["u", "v", "u"]),
        (np.array(["a\ud800b", "c"], dtype=object), ["a?b", "c"]),
        (pd.Index(["one", "two"]), ["one", "two"]),
    ],
)
def test_texts_come_back_one_by_one(value: Any, texts: list[str | None]) -> None:
    node = taken(value)
    held = (
        node.levels[0] if isinstance(node, v.Index) else node.values if isinstance(node, v.Series) else node
    )
    assert isinstance(held, v.Array)
    assert held.texts is not None
    assert [_plain(each) for each in held.elements or ()] == texts
    assert repr(content.labels(held)) == repr([content.label(each) for each in held.elements or ()])


def _plain(node: v.AnyNode) -> str | None:
    match node:
        case v.Text():
            return node.v
        case v.Float():
            return node.v
        case v.Opaque():
            return node.cls.rpartition(".")[2].removesuffix("Type")
        case _:
            return None


GAPS = st.sampled_from([None, float("nan"), pd.NA])


@given(st.lists(st.one_of(st.none(), st.text()), min_size=1), GAPS)
def test_any_texts_and_gaps_come_back_as_they_were(texts: list[str | None], gap: Any) -> None:
    items = [gap if text is None else text for text in texts]
    held = taken(np.array([*items, None], dtype=object)[:-1])
    assert isinstance(held, v.Array)
    wanted = [taken(item) for item in items]
    if isinstance(gap, float) or gap is None:
        assert held.elements == wanted
    else:
        assert [type(each) for each in held.elements or ()] == [type(each) for each in wanted]
    assert held.shape == (len(texts),)


JSONLIKE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.tuples(inner) | st.dictionaries(st.text(), inner, max_size=3)
    ),
    max_leaves=20,
)


@given(JSONLIKE)
def test_plain_values_mean_the_same_to_the_extractor_and_to_the_spec(value: Any) -> None:
    if not isinstance(value, bytes) and not _holds_bytes(value):
        assert taken(value) == literal(value)
    assert decode_frame(frame.encode(LABEL, ["x"], {"x": value}).data).missing == ()


def _holds_bytes(value: Any) -> bool:
    items = list(value.values()) if isinstance(value, dict) else value
    return isinstance(items, (list, tuple)) and any(isinstance(i, bytes) or _holds_bytes(i) for i in items)


def _plain_one(x: Any, y: Any = 0.5) -> None: ...


BIG = "x" * (1 << 20)
# Made by the test alone: some take seconds and hundreds of mebibytes.
TOO_MUCH: dict[str, Callable[[], Any]] = {
    "one text in many places": lambda: [BIG] * 100_000,
    "one number in many places": lambda: [1 << (1 << 19)] * 100_000,
    "bytes in many places": lambda: [bytes(1 << 20)] * 100_000,
    "a broadcast array": lambda: np.broadcast_to(np.float64(1), (10**5, 10**5)),
    "a broadcast array of wide floats": lambda: np.broadcast_to(np.longdouble(1), (10**5, 10**5)),
    "a broadcast array of texts": lambda: np.broadcast_to(np.array("x" * 10**6), (200_000,)),
    "a broadcast array of objects": lambda: np.broadcast_to(np.array(None, dtype=object), (10**9,)),
    "a broadcast array of records": lambda: np.broadcast_to(np.array((1, 2), dtype="i8,i8"), (10**9,)),
    "a broadcast series": lambda: pd.Series(np.broadcast_to(np.float64(1), (10**7,))),
    "a range as index": lambda: pd.RangeIndex(10**10),
    "a sparse array": lambda: pd.arrays.SparseArray(np.zeros(4 * 10**7), kind="block", fill_value=np.nan),
    "a view of a broadcast array": lambda: memoryview(np.broadcast_to(np.float64(1), (10**5, 10**5))),
    "many tuples": lambda: [tuple(range(100_000))] * 10,
    "a long class name in many places": lambda: (
        [[type("n" * 200, (int,), {"__module__": "m" * 200})(1)] * 100_000] * 4
    ),
    "a number of a million bits": lambda: 1 << (1 << 21),
    "a function in many places": lambda: [_plain_one] * 100_000,
    "deep": lambda: functools.reduce(lambda inner, _: [inner], range(100_000), []),
}


@pytest.mark.parametrize("make", TOO_MUCH.values(), ids=TOO_MUCH.keys())
def test_too_much_is_told_within_little_memory_and_costs_its_neighbours_nothing(
    make: Callable[[], Any],
) -> None:
    value, numbers = make(), np.arange(1000.0)
    before = _peak_kib()
    encoded = frame.encode(LABEL, ["first", "x", "other"], {"first": numbers, "x": value, "other": numbers})
    assert _peak_kib() - before < 300 << 10
    found = decode_frame(encoded.data).values
    assert isinstance(found["x"], v.Broken), found["x"]
    assert found["x"].why
    assert "MemoryError" not in found["x"].why, "it is to be refused before it is tried"
    for neighbour in (found["first"], found["other"]):
        assert isinstance(neighbour, v.Array)
        assert np.array_equal(np.asarray(neighbour.values), numbers)


def _peak_kib() -> int:
    """The most memory that this process has ever had, in KiB."""
    with open("/proc/self/status", encoding="ascii") as status:  # noqa: PTH123 - a file that is none
        return int(next(line for line in status if line.startswith("VmHWM")).split()[1])


def test_of_values_that_are_too_large_together_the_largest_is_given_up() -> None:
    found = frame_of(small=[1, 2], large=[0.1] * 100_000, larger=[(0.1, n) for n in range(99_000)]).values
    assert found["small"] == literal([1, 2])
    assert isinstance(found["large"], v.Sequence)
    assert isinstance(found["larger"], v.Broken)
    assert "too large" in found["larger"].why


def _leave(*_: object, **__: object) -> Any:
    raise SystemExit


LEAVING = property(_leave)


def _lying_dict() -> Any:
    """Reading the entries in another than the base class's way leaves the interpreter."""
    return type("Exits", (dict,), dict.fromkeys(["items", "keys", "__iter__", "__len__"], _leave))(a=1)


def _dumb_objects() -> Any:
    """Instances of a class of which nothing may be asked, and the class itself."""
    names = ["__getattribute__", "__hash__", "__eq__", "__instancecheck__", "__subclasscheck__", "__repr__"]
    kind = type("Metaclass", (type,), dict.fromkeys(names, _leave))
    dumb = kind("Dumb", (), {"__class__": LEAVING})
    return [type.__call__(dumb), dumb]


def _lying_frame() -> Any:
    return _as_a_liar(pd.DataFrame({"a": [1, 2]}), "iloc", "index", "columns", "shape", "values", "dtypes")


def _lying_series() -> Any:
    return _as_a_liar(pd.Series([1.0, 2.0]), "array", "index", "name", "dtype", "values")


def _as_a_liar(value: Any, *names: str) -> Any:
    """The value, made an instance of a subclass whose properties leave the interpreter."""
    object.__setattr__(value, "__class__", type("Liar", (type(value),), dict.fromkeys(names, LEAVING)))
    return value


class Half(np.float64):
    """A number that says it is another one."""

    def __float__(self) -> float:
        return 99.0


class Whole(int):
    """As above."""

    def __int__(self) -> int:
        return 99

    __index__ = __repr__ = __str__ = __int__  # type: ignore[assignment]


HUGE_WHOLE = Whole(1 << 13_000)
HONEST = [
    (_lying_dict, "Mapping"),
    (_dumb_objects, "Sequence"),
    (_lying_frame, "Table"),
    (_lying_series, "Series"),
]


@pytest.mark.parametrize(("make", "kind"), HONEST)
def test_no_method_of_a_students_class_is_called(make: Any, kind: str) -> None:
    value = make()
    node = taken(value)
    assert type(node).__name__ == kind, node
    if isinstance(node, v.Table):
        assert content.numbers(node.columns[0].values).tolist() == [1, 2]  # type: ignore[union-attr]
    if isinstance(node, v.Series):
        assert content.numbers(node).tolist() == [1.0, 2.0]  # type: ignore[union-attr]


@pytest.mark.parametrize("make", [lambda: pd.DataFrame({"a": [1, 2]}), lambda: pd.Series([1, 2])])
def test_what_was_put_in_the_place_of_a_tables_data_is_not_asked_anything(make: Any) -> None:
    asked: list[str] = []

    class Stranger:
        def __getattribute__(self, name: str) -> Any:
            asked.append(name)
            raise SystemExit

    value = make()
    object.__setattr__(value, "_mgr", Stranger())
    assert isinstance(taken(value), v.Broken)
    assert asked == []


@pytest.mark.parametrize(
    ("value", "expected"),
    [(Half(0.5), 0.5), (Whole(7), 7), (HUGE_WHOLE, 1 << 13_000)],
    ids=["half", "whole", "huge"],
)
def test_a_number_is_taken_by_its_value_and_not_by_its_word(value: Any, expected: float) -> None:
    node = taken(value)
    assert isinstance(node, (v.Int, v.Float))
    assert node.value == expected


def test_leaving_the_interpreter_is_an_error_of_the_value_alone() -> None:
    bad = np.ma.array([1.0])
    found = frame_of(bad=_as_a_liar(bad, "_mask"), good=1)
    assert isinstance(found.values["bad"], v.Broken)
    assert found.values["bad"].why == "reading it raised builtins.SystemExit"
    assert found.values["good"] == literal(1)


class Layerlike:
    """Stands for a value of whose class the extractor must call a method."""


@pytest.fixture
def slow_value(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A value that takes for ever, and swallows whatever is raised into it for a while."""
    tries: list[int] = []

    def take(_value: object, _taker: values.Taker) -> values.Node:
        while True:
            try:
                time.sleep(60)
            except BaseException:
                tries.append(1)
                if len(tries) > 2:
                    raise

    monkeypatch.setitem(values._TAKES, values.class_name(Layerlike), take)
    monkeypatch.setattr(frame, "taken", partial(frame.taken, seconds=0.1))
    return Layerlike()


def test_a_value_that_takes_for_ever_is_given_up_and_an_alarm_of_the_notebooks_own_still_rings(
    slow_value: Any,
) -> None:
    rung: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda *_: rung.append(1))
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    try:
        found = frame_of(first=1, x=slow_value, other=2).values
        time.sleep(0.8)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert found["x"] == v.Broken(why="reading it takes too long", cls=values.class_name(Layerlike))
    assert (found["first"], found["other"]) == (literal(1), literal(2))
    assert rung == [1]


def test_values_can_be_taken_in_another_thread() -> None:
    found: list[Frame] = []
    thread = threading.Thread(target=lambda: found.append(frame_of(x=1)))
    thread.start()
    thread.join()
    assert found[0].values["x"] == literal(1)


@pytest.mark.parametrize("name", ["len", "isinstance", "dict", "sum", "sorted", "bytes", "memoryview"])
def test_a_patched_builtin_is_not_used_and_stays_patched(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    def forged(*_: object, **__: object) -> Any:
        raise SystemExit

    value = [pd.DataFrame({"a": ["u", "v"]}), {1, 2}]
    with monkeypatch.context() as patch:
        patch.setattr(builtins, name, forged)
        data = frame.encode(LABEL, ["x"], {"x": value}).data
        still = builtins.__dict__[name]
    assert still is forged
    assert isinstance(decode_frame(data).values["x"], v.Sequence)


def test_a_patched_json_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("encode", "iterencode", "default"):
        monkeypatch.setattr(json.JSONEncoder, name, lambda *_: "forged")
    assert taken([1]) == literal([1])


def _positions(a, b=1, /, c="two", *rest, d, e=None, **more): ...  # type: ignore[no-untyped-def]


def _keywords(*, only=True): ...  # type: ignore[no-untyped-def]


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (_positions, "(a, b=1, /, c='two', *rest, d, e=None, **more)"),
        (_plain_one, "(x: Any, y: Any = 0.5) -> None"),
        (_keywords, "(*, only=True)"),
        (lambda: None, "()"),
        (lambda x=[]: x, "(x=[])"),
    ],
)
def test_a_signature_is_spelled_without_asking_the_defaults(function: Any, expected: str) -> None:
    assert taken(function).signature == expected


def test_the_source_of_a_function_that_claims_an_endless_file_is_not_read() -> None:
    forged = _plain_one.__code__.replace(co_filename="/dev/zero")
    node = taken(type(_plain_one)(forged, {}))
    assert isinstance(node, v.Callable)
    assert node.source is None


def test_what_has_no_label_is_called_as_the_legend_calls_its_colour() -> None:
    figure = Figure()
    axes = figure.subplots()
    axes.plot([1, 2], [3, 4])
    axes.plot([1, 2], [4, 3], label="own")
    axes.plot([1, 2], [5, 5], color="black")
    axes.plot([1, 2], [6, 6], color="black")
    axes.legend(["A", "B", "C", "D"])
    found = taken(axes)
    assert isinstance(found, v.Opaque)
    lines = found.attributes["artists"]
    assert isinstance(lines, v.Sequence)
    labels = [
        getattr(line.attributes.get("label"), "v", None) for line in lines.items if isinstance(line, v.Opaque)
    ]
    assert labels == ["A", "own", None, None]  # two of one colour cannot be told apart
