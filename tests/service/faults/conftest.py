"""A fault of one test is not held against the next: pauses before a restart begin small again."""

from __future__ import annotations

import pytest

from tests.service.conftest import Lms


@pytest.fixture(autouse=True)
def _healed(request: pytest.FixtureRequest) -> None:
    if "lms" in request.fixturenames:
        lms: Lms = request.getfixturevalue("lms")
        for part in lms.running.parts:
            part.deaths = 0
