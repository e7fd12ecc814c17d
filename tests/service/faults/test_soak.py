"""The soak in its short form: see ``tests/bench/soak.py``."""

from __future__ import annotations

import pytest

from tests.bench.soak import burst, storm
from tests.service.conftest import Lms

pytestmark = [pytest.mark.service, pytest.mark.faults, pytest.mark.slow]


def test_while_processes_are_killed_at_random_every_submission_gets_its_one_verdict(lms: Lms) -> None:
    outcome = storm(lms, 24, every=0.3, seed=4, apart=4)
    assert outcome.kills.total() >= 3
    assert outcome.wrong == []


def test_a_burst_drains_with_the_right_places_and_no_loss(lms: Lms) -> None:
    assert burst(lms, 30).wrong == []
