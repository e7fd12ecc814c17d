"""The thread that empties the outbox. It runs beside the relay; leases keep several of them apart."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import structlog
from sqlalchemy.exc import SQLAlchemyError

from grader.delivery.sender import TRY_SECONDS, Sender
from grader.settings import Settings
from grader.store import Store, outbox
from grader.store.backoff import Backoff
from grader.store.heartbeat import Heartbeat
from grader.store.lease_watch import LeaseWatch
from grader.store.outbox import Beat, Outcome, Outgoing

LOOK_SECONDS = 1.0
AT_ONCE = 8
GONE = 410

log = structlog.get_logger()


class Deliverer:
    """Sends what is due, each endpoint in its own turn, so that a dead receiver keeps nobody else waiting."""

    def __init__(self, store: Store, sender: Sender, settings: Settings) -> None:
        self._store = store
        self._sender = sender
        self._settings = settings
        self._backoff = Backoff(settings.webhook_retry_seconds, settings.webhook_tries)
        self._watch: LeaseWatch[Beat] = LeaseWatch(
            store, seconds=settings.lease_seconds, beats=outbox.beats, take_back=outbox.take_back
        )
        self._stopping = threading.Event()
        self._busy: set[str] = set()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="deliverer", daemon=True)

    def start(self) -> None:
        """Begin; what was left over from before is sent first."""
        self._thread.start()

    def stop(self) -> None:
        """End after the tries that have begun."""
        self._stopping.set()
        self._thread.join(timeout=TRY_SECONDS + 5)

    def drain(self, endpoint: str) -> int:
        """Send what is due to one endpoint until something fails; returns how many were delivered."""
        delivered = 0
        while not self._stopping.is_set():
            with self._store.write() as session:
                message = outbox.claim(session, endpoint, self._backoff, seconds=self._settings.lease_seconds)
            if message is None:
                break
            outcome = self._send(message)
            self._settle(message, outcome)
            if not outcome.delivered:
                break
            delivered += 1
        return delivered

    def look(self) -> list[str]:
        """Free what silent deliverers hold; returns the endpoints that something can be sent to now."""
        for beat in self._watch.look():
            log.warning("delivery's lease expired", message=beat.message, owner=beat.owner)
        with self._store.read() as session:
            return list(outbox.due_endpoints(session, self._backoff))

    def _run(self) -> None:
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="deliverer") as pool:
            while not self._stopping.wait(min(LOOK_SECONDS, self._settings.lease_seconds / 5)):
                try:
                    due = self.look()
                except SQLAlchemyError as error:
                    log.warning("database away", error=str(error))
                    continue
                # A bug: told in full, and tried again. Without this thread no event is ever sent.
                except Exception:
                    log.exception("the deliverer failed")
                    continue
                for endpoint in due:
                    if self._begin(endpoint):
                        pool.submit(self._turn, endpoint)

    def _send(self, message: Outgoing) -> Outcome:
        """One try, with the lease kept: no deadline of ours bounds the look-up of a name."""

        def keep() -> None:
            with self._store.write() as session:
                outbox.renew(session, message, seconds=self._settings.lease_seconds)

        with Heartbeat(keep, every=self._settings.heartbeat_seconds):
            return self._sender.send(message)

    def _turn(self, endpoint: str) -> None:
        try:
            self.drain(endpoint)
        except SQLAlchemyError as error:
            # Nobody renews the lease, and the message is sent again under its id.
            log.warning("delivery was not noted", endpoint=endpoint, error=str(error))
        except Exception:
            # A bug of ours: said here, because nobody looks at the pool's futures.
            log.exception("delivery failed by our fault", endpoint=endpoint)
            raise
        finally:
            with self._lock:
                self._busy.discard(endpoint)

    def _begin(self, endpoint: str) -> bool:
        with self._lock:
            fresh = endpoint not in self._busy
            self._busy.add(endpoint)
            return fresh

    def _settle(self, message: Outgoing, outcome: Outcome) -> None:
        again_in = self._again_in(message, outcome)
        with self._store.write() as session:
            held = outbox.settle(session, message, outcome, again_in=again_in)
            if outcome.status == GONE:
                outbox.disable(session, message.endpoint)
        told = {"message": message.id, "endpoint": message.endpoint, "status": outcome.status}
        if not held:
            log.warning("delivery's lease was lost", **told)
        elif outcome.delivered:
            log.info("delivered", **told)
        elif again_in is None:
            # Nobody tries any more: somebody should look.
            log.error("delivery given up", **told, error=outcome.error, tries=message.tries + 1)
        else:
            log.warning("not delivered", **told, error=outcome.error, again_in=round(again_in, 1))

    def _again_in(self, message: Outgoing, outcome: Outcome) -> float | None:
        return None if outcome.status == GONE else self._backoff.again_in(message.tries + 1)
