"""Reading frames: within bounds, whole or not at all, and never silently less than what was sent."""

from __future__ import annotations

import os

import pytest

from checks.evidence import encode_frame
from checks.evidence.values import Int
from worker import collect
from worker.collect import MAX_FRAME, Collector, FrameLabel
from worker.errors import InfrastructureError

PARTS = ("part1", "part2")


def sent(number: int, part: str = "part1") -> bytes:
    frame = encode_frame(part, "check", 1, {"x": Int(str(number))})
    return len(frame).to_bytes(4, "little") + frame


def collected(*pieces: bytes) -> Collector:
    read, write = os.pipe()
    collector = Collector(read, PARTS)
    collector.start()
    for piece in pieces:
        os.write(write, piece)
    os.close(write)
    collector.finish()
    os.close(read)
    return collector


def test_the_last_frame_of_a_part_is_kept() -> None:
    frames = collected(sent(1), sent(2), sent(7, "part2")).frames
    assert {key: frame for key, (_, frame) in frames.items()} == {
        ("part1", "check"): sent(2)[4:],
        ("part2", "check"): sent(7, "part2")[4:],
    }


def test_a_frame_that_is_cut_off_is_dropped_and_those_before_it_stay() -> None:
    assert len(collected(sent(1), sent(2, "part2")[:-1]).frames) == 1


@pytest.mark.parametrize("announced", [MAX_FRAME + 1, 2**32 - 1])
def test_a_frame_beyond_the_bound_ends_the_reading_and_is_told(announced: int) -> None:
    collector = collected(sent(1), announced.to_bytes(4, "little"), b"x" * 1000)
    assert len(collector.frames) == 1
    assert str(announced) in collector.refused


def test_bytes_that_are_no_frame_are_told_and_skipped() -> None:
    collector = collected((5).to_bytes(4, "little") + b"hello", sent(1))
    assert len(collector.frames) == 1
    assert collector.refused


def test_frames_of_parts_that_nobody_asked_for_are_told_and_not_kept() -> None:
    """A notebook that writes to the pipe itself could fill the memory with names that it invents."""
    collector = collected(*(sent(number, f"invented{number}") for number in range(100)), sent(1))
    assert list(collector.frames) == [("part1", "check")]
    assert collector.refused


def test_what_is_kept_is_bounded_and_a_frame_that_replaces_another_counts_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(collect, "MAX_KEPT", len(sent(1)) + 10)
    many = collected(*(sent(number % 10) for number in range(100)))
    assert (list(many.frames), many.refused) == ([("part1", "check")], "")
    two = collected(sent(1), sent(2, "part2"), sent(3))
    assert two.frames["part1", "check"][1] == sent(1)[4:]
    assert ("part2", "check") not in two.frames
    assert two.refused


def test_a_failure_of_our_own_while_reading_is_our_fault_and_not_lost_evidence() -> None:
    def broken(_label: FrameLabel) -> None:
        raise OSError("the database is gone")

    read, write = os.pipe()
    collector = Collector(read, PARTS, broken)
    collector.start()
    os.write(write, sent(1) + sent(2, "part2"))
    os.close(write)
    with pytest.raises(InfrastructureError, match="database"):
        collector.finish()
    os.close(read)


def test_descriptors_of_any_number_are_read() -> None:
    read, write = os.pipe()
    high = os.dup2(read, 3000, inheritable=False)
    collector = Collector(high, PARTS)
    collector.start()
    os.write(write, sent(1))
    os.close(write)
    collector.finish()
    assert len(collector.frames) == 1
    os.close(read)
    os.close(high)
