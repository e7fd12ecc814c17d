"""Frames from bytes that nobody has to trust: texts in one piece, payloads given out once, mutations."""

from __future__ import annotations

import json
import random
import re
import struct
import tracemalloc
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from checks.compare import content
from checks.compare.pairs import read_pairs
from checks.compare.rows import match_rows
from checks.evidence import (
    BadFrameError,
    Evidence,
    Frame,
    Run,
    Snapshot,
    array_node,
    decode_frame,
    encode_frame,
)
from checks.evidence.arrays import Ends, Payload
from checks.evidence.frame import MAGIC, MAX_TEXTS
from checks.evidence.values import (
    AnyNode,
    Array,
    Column,
    Float,
    Index,
    Nothing,
    Opaque,
    Series,
    Table,
    Text,
    Texts,
)
from tests.conftest import ROOT


def texts(strings: list[str], missing: list[bool] | None = None, blank: Any = None, **fields: Any) -> Array:
    """An array of texts in one piece."""
    spelled = [text.encode() for text in strings]
    held = Texts(
        utf8=Payload(b"".join(spelled)),
        ends=Ends(np.cumsum([len(each) for each in spelled], dtype="<u4").tobytes() if spelled else b""),
        missing=None if missing is None else Payload(np.array(missing, dtype=bool).tobytes()),
        **({} if blank is None else {"blank": blank}),
    )
    return Array(**{"dtype": "object", "shape": (len(strings),), "texts": held, **fields})


STRINGS = st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=8)


@given(STRINGS, st.data())
def test_texts_come_back_as_they_were_written(strings: list[str], data: st.DataObject) -> None:
    missing = data.draw(st.none() | st.lists(st.booleans(), min_size=len(strings), max_size=len(strings)))
    blank = data.draw(st.sampled_from([Nothing(), Float("nan"), Opaque(id=1, cls="pandas.NA")]))
    node = decode_frame(encode_frame("p", "check", 1, {"a": texts(strings, missing, blank)})).values["a"]
    assert isinstance(node, Array)
    gaps = missing or [False] * len(strings)
    assert node.elements == [blank if gap else Text(each) for each, gap in zip(strings, gaps, strict=True)]
    assert content.gaps(node) == sum(map(content.gap, node.elements or ()))
    assert node.texts is not None
    assert node.texts.strings() == strings


@example(["ae\u0308", "\u00e4", "\uf900"])
@given(STRINGS.filter(bool))
def test_both_forms_of_an_array_mean_the_same_to_the_checks(strings: list[str]) -> None:
    """Evidence that was stored before texts travelled in one piece is judged as it was."""
    compact = texts(strings)
    single = Array(dtype="object", shape=(len(strings),), items=tuple(map(Text, strings)))
    assert content.items(compact) == content.items(single)
    assert content.labels(compact) == content.labels(single)
    assert content.numbers(compact) is content.numbers(single) is None
    assert content.family(compact) == content.family(single)
    assert content.gaps(compact) == content.gaps(single) == 0
    assert (match_rows(compact, single).wrong == "") == (
        len(set(map(content.composed, strings))) == len(strings)
    )


def test_ranked_pairs_in_an_array_of_texts_are_read_in_both_forms() -> None:
    cells = ["Film 1", "0.5", "Film 2", "0.25"]
    compact = texts(cells, shape=(2, 2))
    single = Array(dtype="str", shape=(2, 2), items=tuple(map(Text, cells)))
    assert read_pairs(compact).pairs == read_pairs(single).pairs == (("Film 1", 0.5), ("Film 2", 0.25))


def test_evidence_of_the_first_form_still_decodes() -> None:
    """Bytes as they were stored before: items one by one, and a mask for every column."""
    header = (
        b'{"part":"p","trigger":"check","run":1,"seed":7,"values":{"df":{"t":"table","columns":['
        b'{"name":{"t":"str","v":"title"},"dtype":"str","values":{"t":"array","shape":[2],"cls":"numpy.ndarray",'
        b'"dtype":"object","items":[{"t":"str","v":"Up"},{"t":"float","v":"nan"}]}},'
        b'{"name":{"t":"str","v":"n"},"dtype":"int64","values":{"t":"array","shape":[2],"cls":"numpy.ndarray",'
        b'"dtype":"int64","data":0,"mask":1}}],"index":{"t":"index","levels":[{"t":"array","shape":[2],'
        b'"cls":"numpy.ndarray","dtype":"int64","data":2}],"names":[{"t":"none"}],"cls":"pandas.RangeIndex"},'
        b'"cls":"pandas.DataFrame"}},"missing":[],"blobs":[16,2,16]}'
    )
    payloads = struct.pack("<qq", 1, 2) + b"\0\0" + struct.pack("<qq", 0, 1)
    table = decode_frame(MAGIC + struct.pack("<I", len(header)) + header + payloads).values["df"]
    assert isinstance(table, Table)
    assert content.items(table.columns[0].values) == [Text("Up"), Float("nan")]
    assert np.array_equal(np.asarray(content.numbers(table.columns[1].values)), [1, 2])


def _raw(node: dict[str, Any], *payloads: bytes) -> bytes:
    fields = {"part": "p", "trigger": "check", "run": 1, "values": {"a": node}}
    header = json.dumps({**fields, "blobs": [len(each) for each in payloads]}).encode()
    return MAGIC + struct.pack("<I", len(header)) + header + b"".join(payloads)


def _ends(*places: int) -> bytes:
    return struct.pack(f"<{len(places)}I", *places)


TWO = {"t": "array", "dtype": "str", "shape": [2], "texts": {"utf8": 0, "ends": 1}}
GAPPED = {**TWO, "texts": {"utf8": 0, "ends": 1, "missing": 2}}
BLANK = {**TWO, "texts": {"utf8": 0, "ends": 1, "missing": 2, "blank": {"t": "str", "v": "x"}}}
REFUSED = {
    "ends that go back": _raw({**TWO, "shape": [3]}, b"abc", _ends(3, 1, 3)),
    "ends beyond the bytes": _raw(TWO, b"abc", _ends(1, 4)),
    "bytes after the last end": _raw(TWO, b"abc", _ends(1, 2)),
    "bytes of no text": _raw({**TWO, "shape": [0]}, b"abc", b""),
    "an end in a character": _raw(TWO, "é".encode(), _ends(1, 2)),
    "no UTF-8": _raw(TWO, b"\xff\xfe", _ends(1, 2)),
    "surrogates": _raw(TWO, b"\xed\xa0\x80a", _ends(3, 4)),
    "half an end": _raw(TWO, b"ab", b"\1\0\0\0\2\0\0"),
    "fewer texts than the shape": _raw(TWO, b"ab", _ends(2)),
    "a mask of another length": _raw(GAPPED, b"ab", _ends(1, 2), b"\0"),
    "a blank that could be an answer": _raw(BLANK, b"ab", _ends(1, 2), b"\0\1"),
    "texts of numbers": _raw({**TWO, "dtype": "float64"}, b"ab", _ends(1, 2)),
    "texts of bytes": _raw({**TWO, "dtype": "bytes"}, b"ab", _ends(1, 2)),
    "texts and items": _raw({**TWO, "items": []}, b"ab", _ends(1, 2)),
    "one payload for both": _raw({**TWO, "texts": {"utf8": 0, "ends": 0}}, _ends(4, 4)),
    "an unknown key": _raw({**TWO, "texts": {"utf8": 0, "ends": 1, "code": 1}}, b"ab", _ends(1, 2)),
    "too many texts": _raw({**TWO, "shape": [MAX_TEXTS + 1]}, b"", _ends(0) * (MAX_TEXTS + 1)),
    "an array's payload in two arrays": _raw(
        {"t": "seq", "items": [{"t": "array", "dtype": "int8", "shape": [1], "data": 0}] * 2}, b"\1"
    ),
}  # fmt: skip


@pytest.mark.parametrize("raw", REFUSED.values(), ids=REFUSED.keys())
def test_texts_that_lie_are_refused(raw: bytes) -> None:
    with pytest.raises(BadFrameError):
        decode_frame(raw)


def test_the_honest_twin_of_the_refused_is_accepted() -> None:
    assert content.items(decode_frame(_raw(TWO, b"ab", _ends(1, 2))).values["a"]) == [Text("a"), Text("b")]  # type: ignore[arg-type]


def _column(values: Array) -> Column:
    return Column(name=Text("c"), dtype="str", values=values)


def _valid() -> list[bytes]:
    labels = Index(levels=(array_node(np.arange(3)),), names=(Nothing(),))
    held = texts(["a", "naïve", ""], [False, False, True])
    series = Series(name=Nothing(), dtype="float64", values=array_node(np.arange(3.0)), index=labels)
    table = Table(columns=(_column(held), _column(array_node(np.ones(3, bool)))), index=labels)
    return [
        encode_frame("part1", "check", 1, {"t": table}),
        encode_frame("part1", "bound", 2, {"s": series, "x": Float("0x1p+0"), "m": held}),
        encode_frame("", "end", 3, {"n": Text('[{\\"'), "z": array_node(np.zeros((2, 2), np.complex64))}),
    ]


def _mutated(raw: bytearray, chance: random.Random) -> None:
    place = chance.randrange(len(raw) + 1)
    match chance.randrange(7):
        case 0 if raw:
            raw[place % len(raw)] ^= 1 << chance.randrange(8)
        case 1 if raw:
            raw[place % len(raw)] = chance.randrange(256)
        case 2:
            raw[place:place] = chance.randbytes(chance.randrange(1, 5))
        case 3:
            del raw[place : place + chance.randrange(1, 9)]
        case 4:
            del raw[place:]
        case 5:
            start = chance.randrange(len(raw) + 1)
            raw[place:place] = raw[start : start + 40]
        case _:
            raw[place:place] = chance.choice([b"99999999999", b"-1", b'{"t":', b"[[", b"null", b'"', b"\\"])


def _mended(raw: bytearray, chance: random.Random) -> bytes:
    """Mostly with a header's length that is right again: what lies behind it shall be tried, too."""
    if len(raw) > 8 and chance.random() < 0.5:
        end = raw.rfind(b"]}") + 2
        raw[4:8] = struct.pack("<I", max(end - 8, 0))
    return bytes(raw)


def test_a_mutated_frame_is_a_frame_or_none_and_memory_stays_flat() -> None:
    chance, good = random.Random(20261122), 0
    originals = _valid()
    tracemalloc.start()
    for number in range(4000):
        raw = bytearray(originals[number % len(originals)])
        for _ in range(chance.randrange(1, 5)):
            _mutated(raw, chance)
        try:
            found = decode_frame(_mended(raw, chance))
        except BadFrameError:
            continue
        good += 1
        assert isinstance(found, Frame)
        for node in found.values.values():
            content.items(node)
            content.numbers(node)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert good > 20, "mutations that leave a frame must be among those tried"
    assert peak < 8 << 20


def test_a_payload_of_a_gibibyte_is_refused_on_its_announcement() -> None:
    header = json.dumps(
        {"part": "p", "trigger": "check", "run": 1, "values": {"a": TWO}, "blobs": [1 << 30, 4]}
    ).encode()
    tracemalloc.start()
    with pytest.raises(BadFrameError, match="add up"):
        decode_frame(MAGIC + struct.pack("<I", len(header)) + header)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1 << 20


def test_a_stored_record_with_texts_comes_back_from_its_bytes() -> None:
    snapshot = Snapshot(part="p", trigger="check", cell=0, frame=_valid()[0])
    run = Run(status="completed", seconds=1.0, environment="python", memory_limit="v2")
    record = Evidence(notebook="sha256:0", assignment="sha256:1", run=run, snapshots=(snapshot,))
    again = Evidence.from_bytes(record.to_bytes())
    assert again.to_bytes() == record.to_bytes()
    assert set(again.snapshots[0].decode().values) == {"t"}


def test_every_kind_of_node_is_documented_and_no_other() -> None:
    table = (ROOT / "docs" / "evidence.md").read_text().partition("| `t` | what |")[2].partition("\n\n")[0]
    documented = re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)
    made = [kind.__struct_config__.tag for kind in get_args(AnyNode)]
    assert documented == made
