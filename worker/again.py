"""A kernel that was killed from outside looks like one that killed itself: the same signal, no limit passed.

The host may have run out of memory, or the jail have been torn down with the kernel first. So such a run is
made once more: a notebook that kills its own kernel does it again, and then that is its verdict.
"""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable

from worker.attempt import Attempt
from worker.execute import describe
from worker.kernel import Ending

KILLED = describe(Ending(code=None, signal=signal.SIGKILL, out_of_memory=False))
_log = logging.getLogger(__name__)


def twice_if_killed(run: Callable[[], Attempt]) -> Attempt:
    """What ``run`` gives, or gives the second time where the kernel was killed and nobody knows by whom."""
    done = run()
    if (done.evidence.run.status, done.evidence.run.detail) != KILLED:
        return done
    _log.warning("the kernel was killed by SIGKILL: running the notebook once more")
    return run()
