"""What is captured, and when; and that hostile values and forged frames change nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from checks.evidence import BadFrameError
from checks.evidence.values import (
    AnyNode,
    Array,
    Broken,
    Callable,
    Complex,
    Float,
    Int,
    Layer,
    Mapping,
    Model,
    Nothing,
    Opaque,
    Seen,
    Sequence,
    Series,
    SetOf,
    Table,
    Tensor,
    Text,
)
from checks.plan import Limits
from tests.worker.runs import IMPORTS, Outcome, run_cells
from worker.warm import WarmServer

pytestmark = pytest.mark.sandbox


def _number(outcome: Outcome, trigger: str) -> int | None:
    frame = outcome.frame("part1", trigger)
    value = None if frame is None else frame.values.get("answer")
    return value.value if isinstance(value, Int) else None


def test_the_last_check_decides_whatever_is_bound_later(warm_server: WarmServer) -> None:
    outcome = run_cells(
        warm_server, IMPORTS, "answer = 1\npart1.check()", "answer = 2\npart1.check()", "answer = 3"
    )
    assert _number(outcome, "check") == 2
    assert _number(outcome, "bound") == 3
    assert [snapshot.cell for snapshot in outcome.evidence.snapshots if snapshot.trigger == "check"] == [2]


@pytest.mark.parametrize(
    "cell",
    [
        "answer = 5",
        "globals()['answer'] = 5",
        "for answer in range(6): pass",
        "answer += 4\n1 / 0",
        "exec('answer = 5')",
    ],
)
def test_without_a_check_the_value_when_last_bound_is_taken(warm_server: WarmServer, cell: str) -> None:
    assert _number(run_cells(warm_server, "answer = 1", cell, "print(answer)"), "bound") == 5


def test_a_change_in_place_counts_as_binding(warm_server: WarmServer) -> None:
    outcome = run_cells(warm_server, "answer = []", "answer.append(1)", "answer[0] = 7")
    frame = outcome.frame("part1", "bound")
    assert frame is not None
    assert frame.values["answer"] == Sequence(items=(Int("7"),))


def test_a_call_that_changes_nothing_does_not_count_as_binding(warm_server: WarmServer) -> None:
    outcome = run_cells(warm_server, "answer = [1]", "answer.count(1)", "answer.append(2)", "answer.index(2)")
    assert [(snapshot.trigger, snapshot.cell) for snapshot in outcome.evidence.snapshots] == [("bound", 2)]


def test_a_check_without_the_variable_says_that_it_is_missing(warm_server: WarmServer) -> None:
    frame = run_cells(warm_server, IMPORTS, "part1.check()").frame("part1", "check")
    assert frame is not None
    assert frame.missing == ("answer",)


VALUES: list[tuple[str, type | AnyNode]] = [
    ("None", Nothing()),
    ("10**30", Int(str(10**30))),
    ("0.1", Float((0.1).hex())),
    ("float('nan')", Float("nan")),
    ("np.float32(0.5)", Float((0.5).hex(), cls="numpy.float32")),
    ("np.float64(0.5)", Float((0.5).hex(), cls="numpy.float64")),
    ("3 + 4j", Complex((3.0).hex(), (4.0).hex())),
    ("'naïve \\ud800'", Text("naïve ?")),
    ("(1, [2])", Sequence(items=(Int("1"), Sequence(items=(Int("2"),))), base="tuple", cls="builtins.tuple")),
    ("frozenset({1})", SetOf(items=(Int("1"),), base="frozenset", cls="builtins.frozenset")),
    ("{'a': 1}", Mapping(items=((Text("a"), Int("1")),))),
    ("np.array(['a', 'b'])", Array),
    ("np.arange(6.).reshape(2, 3)", Array),
    ("pd.DataFrame({'a': [1, 2], 'b': ['x', None]})", Table),
    ("pd.Series([1, None], dtype='Int64', name='s')", Series),
    ("pd.Series(pd.Categorical(['u', 'v', 'u']))", Series),
    ("pd.date_range('2024-01-01', periods=3, tz='Europe/Vienna').to_series()", Series),
    ("keras.layers.Dense(3)", Layer),
    ("tf.constant([1., 2.])", Tensor),
    ("keras.Input((3,))", Tensor),
    ("tf.Variable(3)", Tensor),
    ("np.linalg.norm", Callable),
    ("int", Callable),
    ("object()", Opaque),
    ("np.array([(1, 2)], dtype='i4,i4')", Array),
    ("np.array([((1, 2), 3)], dtype='2i4,i4')", Opaque),
    ("pd.array([1, None])", Array),
    ("memoryview(np.arange(3.))", Array),
    ("pd.Categorical(['u', 'v'])", Array),
    ("pd.RangeIndex(10**12)", Broken),
    ("np.broadcast_to(np.float64(1), (10**5, 10**5))", Broken),
    ("range(10**9)", Sequence),
    ("cycle", Sequence),
    ("deep", Broken),
    ("Liar()", SetOf),
    ("Bomb()", Opaque),
    ("Array5().view(Array5)", Array),
    ("Raising()", Table),
]  # fmt: skip
HOSTILE = """
import numpy as np, pandas as pd, tensorflow as tf
from tensorflow import keras
cycle = []; cycle.append(cycle)
deep = []
for _ in range(100_000): deep = [deep]
class Liar(set):
    __class__ = list
    def __iter__(self): return iter('forged')
    def __len__(self): return 10**9
    def __eq__(self, other): return True
    __hash__ = None
class Bomb:
    def __getattr__(self, name): raise SystemExit
    def __repr__(self): raise SystemExit
    def __eq__(self, other): raise SystemExit
class Array5(np.ndarray):
    def __new__(cls): return np.zeros(5).view(cls)
    shape = (99,)
    def __array__(self, *a, **k): raise SystemExit
    def tobytes(self, *a): return b'forged'
class Raising(pd.DataFrame):
    pass
"""


def test_every_kind_of_value_is_taken_and_none_ends_the_kernel(warm_server: WarmServer) -> None:
    cells = [f"answer = {text}\npart1.check()\nother = None" for text, _ in VALUES]
    for start in range(0, len(cells), 50):
        outcome = run_cells(warm_server, IMPORTS + HOSTILE, *cells[start : start + 50])
        assert outcome.status == "completed", outcome.printed


@pytest.mark.parametrize(("text", "expected"), VALUES, ids=[text for text, _ in VALUES])
def test_a_value_becomes_its_node(warm_server: WarmServer, text: str, expected: type | AnyNode) -> None:
    outcome = run_cells(warm_server, IMPORTS + HOSTILE, f"answer = {text}\npart1.check()")
    frame = outcome.frame("part1", "check")
    assert frame is not None, outcome.printed
    value = frame.values["answer"]
    if isinstance(expected, type):
        assert isinstance(value, expected)
    else:
        assert value == expected


def test_a_lying_subclass_is_taken_by_what_it_is(warm_server: WarmServer) -> None:
    outcome = run_cells(
        warm_server, IMPORTS + HOSTILE, "answer = Liar({'true'})\nother = Array5()\npart2.check()"
    )
    frame = outcome.frame("part2", "check")
    assert frame is not None
    answer, other = frame.values["answer"], frame.values["other"]
    assert isinstance(answer, SetOf)
    assert answer.items == (Text("true"),)
    assert isinstance(other, Array)
    assert np.array_equal(np.asarray(other.values), np.zeros(5))


def test_a_container_of_itself_is_marked_where_it_begins_again(warm_server: WarmServer) -> None:
    frame = run_cells(warm_server, IMPORTS + HOSTILE, "answer = cycle\npart1.check()").frame("part1", "check")
    assert frame is not None
    answer = frame.values["answer"]
    assert isinstance(answer, Sequence)
    assert isinstance(answer.items[0], Seen)


def test_one_object_under_two_names_has_one_identity(warm_server: WarmServer) -> None:
    cell = "answer = object()\nother = answer\npart2.check()\n"
    frame = run_cells(warm_server, IMPORTS, cell).frame("part2", "check")
    assert frame is not None
    assert frame.values["answer"] == frame.values["other"]


def test_patched_libraries_do_not_reach_the_extraction(warm_server: WarmServer) -> None:
    outcome = run_cells(
        warm_server,
        IMPORTS,
        """
        import json, os, builtins, numpy as np, ast
        def forged(*a, **k): raise RuntimeError('patched')
        json.dumps = json.JSONEncoder.encode = os.write = ast.parse = forged
        np.ascontiguousarray = np.asarray = forged
        answer = np.arange(3.)
        part1.check()
        """,
        limits=Limits(cell_seconds=4, memory_mib=1500),
    )
    frame = outcome.frame("part1", "check")
    assert frame is not None
    answer = frame.values["answer"]
    assert isinstance(answer, Array)
    assert np.array_equal(np.asarray(answer.values), np.arange(3.0))


def test_forged_bytes_on_the_evidence_pipe_harm_only_their_own_part(warm_server: WarmServer) -> None:
    forge = """
    import os, struct, json
    forged = {'t': 'array', 'dtype': 'O', 'shape': [9], 'data': 0}
    label = {'part': 'part1', 'trigger': 'check', 'run': 2}
    head = json.dumps({**label, 'values': {'answer': forged}, 'blobs': []}).encode()
    raw = b'EVF1' + struct.pack('<I', len(head)) + head
    for fd in range(3, 64):
        try:
            if 'pipe' in os.readlink(f'/proc/self/fd/{fd}'):
                os.write(fd, struct.pack('<I', len(raw)) + raw)
        except OSError:
            pass
    """
    outcome = run_cells(warm_server, IMPORTS, "answer = 1\nother = 2\npart2.check()", forge, "print('on')")
    assert outcome.status in ("completed", "kernel_died")
    frame = outcome.frame("part2", "check")
    assert frame is not None
    assert frame.values["other"] == Int("2")
    with pytest.raises(BadFrameError):
        outcome.frame("part1", "check")


def test_an_endless_frame_is_cut_and_what_came_before_stays(warm_server: WarmServer) -> None:
    flood = """
    import os
    for fd in range(3, 64):
        try:
            if 'pipe' in os.readlink(f'/proc/self/fd/{fd}'):
                os.set_blocking(fd, False)
                os.write(fd, b'\\xff' * 65536)
        except OSError:
            pass
    """
    outcome = run_cells(warm_server, IMPORTS, "answer = 1\npart1.check()", flood)
    assert _number(outcome, "check") == 1


FORGED_MESSAGES = {
    "a stream without its fields": ("stream", {}),
    "an error without its fields": ("error", {}),
    "a status of another shape": ("status", {"execution_state": ["idle"]}),
    "an update without data": ("update_display_data", {"transient": {"display_id": "x"}}),
    "a type that nobody knows": ("verdict", {"status": "correct"}),
}


@pytest.mark.parametrize("forged", FORGED_MESSAGES.values(), ids=FORGED_MESSAGES.keys())
def test_a_forged_kernel_message_decides_nothing(warm_server: WarmServer, forged: tuple[str, object]) -> None:
    kind, content = forged
    outcome = run_cells(
        warm_server,
        IMPORTS,
        "answer = 1\npart1.check()",
        "k = get_ipython().kernel\n"
        f"k.session.send(k.iopub_socket, {kind!r}, {content!r}, parent=k.get_parent('shell'))",
        "other = 2\npart2.check()",
    )
    assert outcome.status == "completed"
    assert _number(outcome, "check") == 1
    assert outcome.frame("part2", "check") is not None


def test_a_message_whose_parent_is_nonsense_ends_the_run_as_the_notebooks_doing(
    warm_server: WarmServer,
) -> None:
    outcome = run_cells(
        warm_server,
        IMPORTS,
        "answer = 1\npart1.check()",
        "import time\nk = get_ipython().kernel\n"
        "m = k.session.msg('stream', {'name': 'stdout', 'text': 'x'})\n"
        "m['parent_header'] = 7\nk.iopub_socket.send_multipart(k.session.serialize(m))\ntime.sleep(1)",
    )
    assert outcome.status in ("completed", "kernel_died")
    assert _number(outcome, "check") == 1


@pytest.mark.parametrize("first", ["%%capture\nx = 1", "get_ipython().run_cell('y = 2')", "%time z = 3"])
def test_cells_that_magics_run_inside_a_cell_do_not_count(warm_server: WarmServer, first: str) -> None:
    outcome = run_cells(warm_server, first, IMPORTS, "answer = 1\npart1.check()")
    assert {snapshot.cell for snapshot in outcome.evidence.snapshots} == {2}


def test_an_answer_bound_under_a_cell_magic_is_seen(warm_server: WarmServer) -> None:
    outcome = run_cells(warm_server, "answer = [1]", "%%capture\nanswer[0] = 5")
    frame = outcome.frame("part1", "bound")
    assert frame is not None
    assert frame.values["answer"] == Sequence(items=(Int("5"),))


NESTED = """
from tensorflow import keras
inputs = keras.Input((1,), name='movie_id')
block = keras.Sequential([keras.layers.Embedding(5, 1, name='bias'), keras.layers.Flatten()], name='block')
inner_in = inputs
inner = keras.Model(inner_in, keras.layers.Flatten()(keras.layers.Embedding(5, 1, name='other')(inner_in)))
out = keras.layers.Add()([block(inputs), inner(inputs)])
answer = keras.Model(inputs, out)
"""


def test_nested_models_are_opened_and_their_layers_are_the_real_ones(warm_server: WarmServer) -> None:
    cell = NESTED + "other = (block.layers[0], inner.get_layer('other'))\npart2.check()"
    frame = run_cells(warm_server, IMPORTS, cell).frame("part2", "check")
    assert frame is not None
    model, pair = frame.values["answer"], frame.values["other"]
    assert isinstance(model, Model)
    assert isinstance(pair, Sequence)
    names = {layer.id: layer.name for layer in model.layers}
    calls = {names[node.layer]: [names[source.layer] for source in node.inputs] for node in model.nodes}
    assert calls["bias"] == calls["other"] == ["movie_id"]
    assert sorted(calls["add"])[0].startswith("flatten")
    assert [names[layer.id] for layer in pair.items if isinstance(layer, Layer)] == ["bias", "other"]


def test_a_lambda_layer_tells_what_its_code_uses(warm_server: WarmServer) -> None:
    layer = "keras.layers.Lambda(lambda t: 2 * keras.ops.squeeze(t, -1))"
    cell = f"from tensorflow import keras\nanswer = {layer}\npart1.check()"
    frame = run_cells(warm_server, IMPORTS, cell).frame("part1", "check")
    assert frame is not None
    answer = frame.values["answer"]
    assert isinstance(answer, Layer)
    function = answer.config["function"]
    assert isinstance(function, Mapping)
    told = {key.v: value for key, value in function.items if isinstance(key, Text)}
    assert told["operators"] == Sequence(items=(Text("*"),))
    assert told["names"] == Sequence(items=(Text("keras"), Text("ops"), Text("squeeze")))
