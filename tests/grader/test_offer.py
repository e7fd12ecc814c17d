from __future__ import annotations

from grader.offer import offered
from worker.environment import known_environments
from worker.inside.compat import available


def test_what_is_offered_is_what_the_worker_has():
    assert offered().environments == set(known_environments())
    assert offered().shims == set(available())
