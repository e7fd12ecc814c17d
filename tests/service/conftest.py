"""The whole service as real processes, started once for this folder's tests."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from checks import bundle
from grader import embedded_redis, up
from grader.settings import Settings
from tests.conftest import need
from tests.grader.arithmetic import LIGHT
from worker.environment import load_environment
from worker.errors import SandboxUnavailable
from worker.warm import require_sandbox

HERE = "/api/v1/assignments/tests/arithmetic"
PATIENCE = 60.0
QUEUE = "python.interactive"


@dataclass(frozen=True)
class Told:
    """One server-sent event."""

    kind: str
    mark: str
    data: dict[str, Any]

    @property
    def part(self) -> str:
        """The id of the part that it tells of."""
        return str(self.data["part"]["id"])


@dataclass
class Lms:
    """A learning system's view of a running service."""

    running: up.Running
    settings: Settings
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.client = self._client("lms")
        self.instructor = self._client("instructor")

    def _client(self, role: str) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.running.tokens[role]}"}
        return httpx.Client(base_url=self.running.url, headers=headers, timeout=30)

    def publish(self) -> None:
        """Put the tiny assignment in force."""
        self.instructor.post("/api/v1/assignments", content=bundle.pack(LIGHT)).raise_for_status()

    def watch(
        self,
        sent: dict[str, Any],
        *,
        after: str | None = None,
        until: Callable[[list[str]], bool] = lambda _kinds: False,
    ) -> list[Told]:
        """The events of one connection, to its end or until it is enough; empty where all was told."""
        told: list[Told] = []
        headers = {"Last-Event-ID": after} if after else {}
        with self.client.stream("GET", sent["links"]["events"], headers=headers, timeout=60) as stream:
            block: dict[str, str] = {}
            for line in stream.iter_lines():
                if line and not line.startswith(":"):
                    name, _, value = line.partition(": ")
                    block[name] = value
                elif block:
                    told.append(Told(block["event"], block.get("id", ""), json.loads(block["data"])))
                    block = {}
                    if until([one.kind for one in told]):
                        break
        return told

    def submit(self, notebook: bytes, student: str = "ada", to: str = HERE) -> dict[str, Any]:
        """Hand in a notebook; the 202's document."""
        answer = self.client.post(
            f"{to}/submissions", data={"student": student}, files={"notebook": ("a.ipynb", notebook)}
        )
        assert answer.status_code == 202, answer.text
        return dict(answer.json())

    def show(self, sent: dict[str, Any]) -> dict[str, Any]:
        """Where a submission stands."""
        # Not by its links: a service that was started again may listen elsewhere.
        return dict(self.client.get(f"/api/v1/submissions/{sent['id']}").json())

    def until(self, sent: dict[str, Any], reached: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Wait for a state."""
        deadline = time.monotonic() + PATIENCE
        found: dict[str, Any] = {}
        while not found or not reached(found):
            assert time.monotonic() < deadline, found
            self.heal()
            try:
                found = self.show(sent)
            except httpx.TransportError:
                found = {}  # the API is starting again
            time.sleep(0.1)
        return found

    def said_within(self, log: Path, words: str) -> None:
        """Wait until a log has these words."""
        deadline = time.monotonic() + PATIENCE
        while words not in log.read_text(errors="replace"):
            assert time.monotonic() < deadline, words
            time.sleep(0.05)

    def heal(self) -> None:
        """What the supervisor does all the time: start again what has ended. Returns when it has begun."""
        self.running.check()
        while any(part.process.poll() is not None for part in self.running.parts):
            self.running.check()
            time.sleep(0.05)

    def feedback(self, sent: dict[str, Any]) -> dict[str, Any]:
        """Wait for the feedback."""
        self.until(sent, lambda found: found["state"] in {"finished", "parked"})
        answer = self.client.get(f"/api/v1/submissions/{sent['id']}/feedback")
        assert answer.status_code == 200, answer.text
        return dict(json.loads(answer.content))


def statuses(feedback: dict[str, Any]) -> dict[str, str]:
    """Part -> status."""
    return {part["id"]: part["status"] for part in feedback["parts"]}


def service_settings(folder: Path) -> Settings:
    """A service of its own: one light environment; short leases, so that faults are noticed quickly."""
    return Settings(
        data_dir=folder,
        port=0,
        serves=("python",),
        lease_seconds=3,
        retry_seconds=0.5,
        sweep_seconds=0.5,
        max_claims=10,
    )


def need_service() -> None:
    """What these tests cannot do without."""
    try:
        require_sandbox()
        load_environment("python")
        embedded_redis.find_server()
    except (SandboxUnavailable, embedded_redis.NoRedisError) as problem:
        need(False, str(problem))


@pytest.fixture(scope="session")
def lms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lms]:
    """The running service with the tiny assignment published."""
    need_service()
    settings = service_settings(tmp_path_factory.mktemp("service"))
    said: list[str] = []
    with up.service(settings, said.append) as running:
        made = Lms(running, settings, said)
        made.publish()
        yield made
