"""What worker hosts say that they have ready."""

from __future__ import annotations

import time
from collections.abc import Mapping

from sqlalchemy import delete
from sqlalchemy.orm import Session

from grader.store.tables import WarmKernels


def say(session: Session, host: str, ready: Mapping[str, int]) -> None:
    """``host`` has so many warm servers by environment now, and no others."""
    session.execute(delete(WarmKernels).where(WarmKernels.host == host))
    now = time.time()
    session.add_all(
        WarmKernels(host=host, environment=name, ready=count, seen_at=now) for name, count in ready.items()
    )
