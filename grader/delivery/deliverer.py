"""The thread that empties the outbox. It runs beside the relay; leases keep several of them apart."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor

import structlog
from sqlalchemy.exc import SQLAlchemyError

from grader.delivery.sender import TRY_SECONDS, Sender
from grader.settings import Settings
from grader.store import Store, outbox
from grader.store.outbox import Outcome, Outgoing

# Beyond the look-up of the name, which no deadline of ours bounds.
LEASE_SECONDS = TRY_SECONDS + 60
LOOK_SECONDS = 1.0
AT_ONCE = 8
GROWTH = 4
LONGEST_PAUSE = 86_400.0
GONE = 410

log = structlog.get_logger()


class Deliverer:
    """Sends what is due, each endpoint in its own turn, so that a dead receiver keeps nobody else waiting."""

    def __init__(self, store: Store, sender: Sender, settings: Settings) -> None:
        self._store = store
        self._sender = sender
        self._settings = settings
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
                message = outbox.claim(session, endpoint, seconds=LEASE_SECONDS)
            if message is None:
                break
            outcome = self._sender.send(message)
            self._settle(message, outcome)
            if not outcome.delivered:
                break
            delivered += 1
        return delivered

    def _run(self) -> None:
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="deliverer") as pool:
            while not self._stopping.wait(LOOK_SECONDS):
                try:
                    with self._store.read() as session:
                        due = outbox.due_endpoints(session)
                except SQLAlchemyError as error:
                    log.warning("database away", error=str(error))
                    continue
                for endpoint in due:
                    if self._begin(endpoint):
                        pool.submit(self._turn, endpoint)

    def _turn(self, endpoint: str) -> None:
        try:
            self.drain(endpoint)
        except SQLAlchemyError as error:
            # The lease runs out, and the message is sent again under its id.
            log.warning("delivery was not noted", endpoint=endpoint, error=str(error))
        except Exception:
            # A bug of ours: said here, because nobody looks at the pool's futures. The lease runs out.
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
            outbox.settle(session, message, outcome, again_in=again_in)
            if outcome.status == GONE:
                outbox.disable(session, message.endpoint)
        told = {"message": message.id, "endpoint": message.endpoint, "status": outcome.status}
        if outcome.delivered:
            log.info("delivered", **told)
        elif again_in is None:
            # Nobody tries any more: somebody should look.
            log.error("delivery given up", **told, error=outcome.error, tries=message.tries + 1)
        else:
            log.warning("not delivered", **told, error=outcome.error, again_in=round(again_in, 1))

    def _again_in(self, message: Outgoing, outcome: Outcome) -> float | None:
        tries = message.tries + 1
        if outcome.status == GONE or tries >= self._settings.webhook_tries:
            return None
        return pause(tries, self._settings.webhook_retry_seconds)


def pause(tries: int, first: float) -> float:
    """Seconds until the next try after ``tries`` failed ones.

    Exponential up to a day, then spread over half of it either way, so that many messages that failed
    together do not come back together.
    """
    longest = min(first * GROWTH ** min(tries - 1, 30), LONGEST_PAUSE)
    return float(random.uniform(0.5, 1.5) * longest)
