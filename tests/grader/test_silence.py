"""Which leases count as silent, by a clock of the test's own."""

from __future__ import annotations

import pytest

from grader.store.silence import Silence


@pytest.mark.parametrize(
    ("looks", "silent"),
    [
        ([(0, "a1"), (5, "a1"), (10, "a1")], []),
        ([(0, "a1"), (4, "a1"), (8, "a1"), (11, "a1")], ["a1"]),
        ([(0, "a1"), (4, "a2"), (8, "a2"), (11, "a2")], []),
        ([(0, "a1"), (4, ""), (8, "a1"), (11, "a1")], []),
        ([(0, "a1"), (11, "a1")], []),
        ([(0, "a1"), (11, "a1"), (15, "a1"), (19, "a1"), (22, "a1")], ["a1"]),
    ],
    ids=["in time", "silent", "renewed", "gone between", "nobody looked", "silent after nobody looked"],
)
def test_silence_is_the_same_lease_for_too_long_under_our_eyes(looks, silent):
    now = 0.0
    watch = Silence(10, clock=lambda: now)
    found = []
    for now, seen in looks:  # noqa: B007 - the clock reads it
        found = watch.look([seen] if seen else [])
    assert found == silent


def test_who_could_not_look_gives_everybody_the_whole_time_again():
    now = 0.0
    watch = Silence(10, clock=lambda: now)
    watch.look(["a"])
    watch.reset()
    for now in (4.0, 8.0, 12.0):  # noqa: B007 - the clock reads it
        assert watch.look(["a"]) == []
