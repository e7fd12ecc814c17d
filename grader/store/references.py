"""Reference runs: the author's solution, run once for each assignment version and environment.

Whoever needs one and finds none takes it on under a lease. All others wait for it, and watch the lease
(``grader.store.silence``): who has seen it unchanged for too long takes over. ``lease_until`` is for people.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable

import msgspec
from sqlalchemy import ColumnElement, CursorResult, delete, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from checks.evidence import Evidence
from grader.store.database import Store
from grader.store.heartbeat import Heartbeat
from grader.store.silence import Silence
from grader.store.tables import Reference

WAIT_SECONDS = 0.3
# These endings tell of the author's notebook; any other may be the machine's, and is tried again.
FINAL = frozenset({"completed", "cell_error"})


class Beat(msgspec.Struct, frozen=True):
    """A run's lease as it was seen: one of the two changes when it is renewed or taken over."""

    owner: str
    until: float


class ReferenceFailedError(Exception):
    """There is no reference evidence to judge by; the text says why."""


def obtain(
    store: Store,
    key: tuple[str, str],
    make: Callable[[], Evidence],
    *,
    lease_seconds: float,
    patience: float,
) -> Evidence:
    """The evidence of ``key`` (assignment version, environment digest): stored, or made now by ``make``.

    What is made is stored under the digest of the environment that it really ran in, which is another one
    where the environment changes at this moment.

    Waits up to ``patience`` seconds for another one who is making it. Raises ReferenceFailedError, and what
    ``make`` raises; then the next one tries.
    """
    deadline, owner = time.monotonic() + patience, secrets.token_hex(8)
    silence: Silence[Beat] = Silence(lease_seconds)
    while True:
        with store.read() as session:
            found, held = find(session, key), beat(session, key)
        if found is not None:
            return Evidence.from_bytes(store.blobs.get(found))
        silent = silence.look([held] if held is not None else [])
        if (held is None or silent) and _claimed(store, key, owner, lease_seconds, held):
            return _make(store, key, make, owner, lease_seconds)
        if time.monotonic() > deadline:
            raise ReferenceFailedError("another worker's reference run did not end")
        time.sleep(min(WAIT_SECONDS, lease_seconds / 5))


def find(session: Session, key: tuple[str, str]) -> str | None:
    """The evidence's digest; None while nobody has finished the run."""
    row = session.get(Reference, key)
    return row.evidence if row is not None else None


def beat(session: Session, key: tuple[str, str]) -> Beat | None:
    """The lease of whoever is at the run; None where nobody is, or it is done."""
    row = session.get(Reference, key)
    if row is None or row.evidence is not None:
        return None
    return Beat(row.owner or "", row.lease_until)


def claim(
    session: Session, key: tuple[str, str], *, owner: str, seconds: float, silent: Beat | None = None
) -> bool:
    """Take the run on; False where another one has it or has done it.

    ``silent``: the lease of one who was watched and did not move; it is taken over if it still has not.
    """
    until = time.time() + seconds
    if silent is None:
        version, environment = key
        row = Reference(version=version, environment=environment, owner=owner, lease_until=until)
        return _add(session, row)
    unchanged = Reference.owner == silent.owner, Reference.lease_until == silent.until
    taken = session.execute(
        update(Reference)
        .where(_is(key), Reference.evidence.is_(None), *unchanged)
        .values(owner=owner, lease_until=until)
    )
    assert isinstance(taken, CursorResult)
    return taken.rowcount == 1


def renew(session: Session, key: tuple[str, str], *, owner: str, seconds: float) -> None:
    """Keep the run while it goes on."""
    until = time.time() + seconds
    session.execute(update(Reference).where(_is(key), Reference.owner == owner).values(lease_until=until))


def keep(session: Session, key: tuple[str, str], *, evidence: str) -> None:
    """Store the run's evidence; whoever comes first is as good as the other."""
    session.execute(
        update(Reference).where(_is(key), Reference.evidence.is_(None)).values(evidence=evidence, owner=None)
    )


def lend(session: Session, key: tuple[str, str], evidence: str) -> None:
    """Keep another version's evidence as this one's own, where it has none."""
    if session.get(Reference, key) is None:
        version, environment = key
        _add(
            session,
            Reference(
                version=version, environment=environment, evidence=evidence, owner=None, lease_until=0.0
            ),
        )


def give_up(session: Session, key: tuple[str, str], *, owner: str) -> None:
    """Let the next one try; does nothing once the evidence is kept."""
    session.execute(delete(Reference).where(_is(key), Reference.owner == owner))


def _claimed(store: Store, key: tuple[str, str], owner: str, seconds: float, silent: Beat | None) -> bool:
    with store.write() as session:
        return claim(session, key, owner=owner, seconds=seconds, silent=silent)


def _make(
    store: Store, key: tuple[str, str], make: Callable[[], Evidence], owner: str, lease_seconds: float
) -> Evidence:
    def keep_alive() -> None:
        with store.write() as session:
            renew(session, key, owner=owner, seconds=lease_seconds)

    try:
        with Heartbeat(keep_alive, every=lease_seconds / 5):
            evidence = make()
        if evidence.run.status not in FINAL:
            raise ReferenceFailedError(
                f"the reference run ended {evidence.run.status}: {evidence.run.detail}"
            )
        blob = store.blobs.put(evidence.to_bytes())
        real = key[0], evidence.run.environment.rpartition("@")[2]
        with store.write() as session:
            if real != key:
                claim(session, real, owner=owner, seconds=lease_seconds)
            keep(session, real, evidence=blob)
        return evidence
    finally:
        with store.write() as session:
            give_up(session, key, owner=owner)


def _add(session: Session, row: Reference) -> bool:
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        return False
    return True


def _is(key: tuple[str, str]) -> ColumnElement[bool]:
    return (Reference.version == key[0]) & (Reference.environment == key[1])
