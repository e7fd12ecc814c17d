"""Frames: what is written comes back, and bytes that lie are refused with memory flat."""

from __future__ import annotations

import json
import math
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.evidence import BadFrameError, array_node, decode_frame, encode_frame
from checks.evidence.frame import MAGIC, MAX_HEADER
from checks.evidence.values import Array, Float, Int, Mapping, Nothing, Sequence, Series, SetOf, Text


def _raw(values: object, blobs: bytes = b"", lengths: list[int] | None = None, **fields: object) -> bytes:
    header = {"part": "p", "trigger": "check", "run": 1, "values": values, "blobs": lengths or [], **fields}
    body = header if isinstance(header, bytes) else json.dumps(header).encode()
    return MAGIC + struct.pack("<I", len(body)) + body + blobs


scalars = st.one_of(
    st.builds(lambda n: Int(str(n)), st.integers()),
    st.builds(lambda x: Float(x.hex()), st.floats(allow_nan=False)),
    st.builds(Text, st.text()),
    st.just(Nothing()),
)
nodes = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.builds(lambda items: Sequence(items=tuple(items)), st.lists(inner, max_size=4)),
        st.builds(lambda items: SetOf(items=tuple(items)), st.lists(inner, max_size=4)),
        st.builds(lambda pairs: Mapping(items=tuple(pairs)), st.lists(st.tuples(inner, inner), max_size=3)),
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.text(min_size=1), nodes, max_size=4))
def test_a_frame_comes_back_as_it_was_written(values: dict[str, Sequence]) -> None:
    assert decode_frame(encode_frame("part1", "check", 3, values)).values == values


@pytest.mark.parametrize(
    "dtype", ["bool", "int8", "uint64", "float16", "float32", "float64", "complex128", "datetime64[ns]"]
)
def test_an_array_comes_back_with_its_dtype_and_shape(dtype: str) -> None:
    data = np.arange(6).reshape(2, 3).astype(dtype)
    node = decode_frame(encode_frame("p", "end", 1, {"a": array_node(data)})).values["a"]
    assert isinstance(node, Array)
    assert node.values is not None
    assert node.values.dtype == data.dtype
    assert np.array_equal(node.values, data)


ARRAY = {"t": "array", "shape": [2], "data": 0}
REFUSED = {
    "nothing": b"",
    "no magic": b"XXXX" + b"\0" * 20,
    "a header beyond the bytes": MAGIC + struct.pack("<I", 10_000) + b"{}",
    "a header of 4 GiB": MAGIC + b"\xff\xff\xff\xff",
    "no JSON": MAGIC + struct.pack("<I", 3) + b"{{{",
    "no UTF-8": MAGIC + struct.pack("<I", 2) + b"\xff\xfe",
    "an unknown key": _raw({}, extra=1),
    "an unknown node": _raw({"a": {"t": "pickle", "v": "x"}}),
    "an unknown trigger": _raw({}, trigger="always"),
    "an object dtype": _raw({"a": {**ARRAY, "dtype": "object"}}, b"\0" * 16, [16]),
    "a structured dtype": _raw({"a": {**ARRAY, "dtype": "i4,i4"}}, b"\0" * 16, [16]),
    "a void dtype": _raw({"a": {**ARRAY, "dtype": "V8"}}, b"\0" * 16, [16]),
    "a shape that overflows": _raw(
        {"a": {**ARRAY, "dtype": "float64", "shape": [2**62, 2**62]}}, b"\0" * 16, [16]
    ),
    "a negative shape": _raw({"a": {**ARRAY, "dtype": "float64", "shape": [-2]}}, b"\0" * 16, [16]),
    "too few bytes": _raw({"a": {**ARRAY, "dtype": "float64"}}, b"\0" * 8, [8]),
    "a payload that is not there": _raw({"a": {**ARRAY, "dtype": "float64", "data": 7}}, b"\0" * 16, [16]),
    "payloads of 1 GiB announced": _raw({}, b"", [1 << 30]),
    "a negative payload": _raw({}, b"", [-8]),
    "bytes left over": _raw({}, b"abc", []),
    "a number that is none": _raw({"a": {"t": "int", "v": "12; import os"}}),
    "a float that is none": _raw({"a": {"t": "float", "v": "one"}}),
    "a nested number that is none": _raw({"a": {"t": "seq", "items": [{"t": "int", "v": "x"}]}}),
    "data and items": _raw({"a": {**ARRAY, "dtype": "float64", "items": []}}, b"\0" * 16, [16]),
    "fewer items than the shape": _raw({"a": {"t": "array", "dtype": "str", "shape": [2], "items": []}}),
}


@pytest.mark.parametrize("raw", REFUSED.values(), ids=REFUSED.keys())
def test_bytes_that_lie_are_refused(raw: bytes) -> None:
    with pytest.raises(BadFrameError):
        decode_frame(raw)


def test_nesting_a_hundred_thousand_deep_is_refused_with_memory_flat() -> None:
    deep = b'{"t":"seq","items":[' * 100_000 + b"]}" * 100_000
    body = b'{"part":"p","trigger":"check","run":1,"values":{"a":' + deep + b'},"blobs":[]}'
    raw = MAGIC + struct.pack("<I", len(body)) + body
    assert len(body) < MAX_HEADER
    tracemalloc.start()
    with pytest.raises(BadFrameError, match="deeper"):
        decode_frame(raw)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 6 * len(body)


def test_brackets_in_texts_do_not_count_as_nesting() -> None:
    values = {"a": Text('[{"' * 1000 + "\\")}
    assert decode_frame(encode_frame("p", "check", 1, values)).values == values


def test_columns_and_labels_must_be_equally_many() -> None:
    index = {"t": "index", "levels": [{**ARRAY, "dtype": "int64", "shape": [1]}], "names": [{"t": "none"}]}
    series = {
        "t": "series",
        "name": {"t": "none"},
        "dtype": "int64",
        "values": {**ARRAY, "dtype": "int64", "data": 1},
        "index": index,
    }
    with pytest.raises(BadFrameError, match="labels"):
        decode_frame(_raw({"a": series}, b"\0" * 24, [8, 16]))
    index["levels"] = [{**ARRAY, "dtype": "int64", "shape": [2]}]
    good = decode_frame(_raw({"a": series}, b"\0" * 32, [16, 16]))
    assert isinstance(good.values["a"], Series)


@settings(max_examples=300)
@given(st.data())
def test_no_mutation_of_a_frame_gets_past_the_decoder_as_another_error(data: st.DataObject) -> None:
    values = {
        "a": array_node(np.arange(4.0)),
        "b": Sequence(items=(Int("1"), Text("x"), Float(math.pi.hex()))),
    }
    raw = bytearray(encode_frame("part1", "check", 1, values))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(raw) - 1))
        raw[place] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(raw)))
    for candidate in (bytes(raw), bytes(raw[:cut])):
        try:
            decode_frame(candidate)
        except BadFrameError:
            continue


@pytest.mark.parametrize("spelling", ["0x1p+99999", "-0x1p+99999"])
def test_float_beyond_all_floats_is_no_frame(spelling: str) -> None:
    """``float.fromhex`` raises OverflowError here, which no decoder turns into an error of its own."""
    raw = encode_frame("p", "check", 1, {"x": Float(v="0x1.8p+0")})
    header = raw[8:].replace(b"0x1.8p+0", spelling.encode())
    with pytest.raises(BadFrameError):
        decode_frame(b"EVF1" + len(header).to_bytes(4, "little") + header)
