"""``grader demo``: the whole service on sample submissions, as a learning system would use it, over HTTP."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.progress import Progress, TaskID

from checks import bundle
from grader import show, up
from grader.authoring.samples import read_samples
from grader.bundles import read_bundle
from grader.settings import Settings

COURSE = Path(__file__).parent.parent / "fixtures" / "embeddings"
SAMPLES_EACH = 6
# Right ones, the untouched one, and well-known ways to be wrong.
SHOWN_FIRST = (
    *("right", "right-another-way", "starter"),
    *("bias-over-users", "flatten-as-layer", "no-flatten"),
    *("negative-example", "wrong-axis", "list-of-norms"),
)
POLL_SECONDS = 0.3
PATIENCE_SECONDS = 900.0


class DemoError(Exception):
    """The demonstration did not come to its end; the text says why."""


@dataclass(frozen=True)
class Sample:
    """A submission whose verdict is known: ``expected`` is the status by part."""

    assignment: str
    name: str
    notebook: bytes
    expected: dict[str, str]


@dataclass
class Sent:
    """A sample after it was handed in."""

    sample: Sample
    url: str
    feedback: bytes | None = None


def run(settings: Settings, *, course: Path = COURSE, keep: bool = False) -> bool:
    """Start everything, grade the course's samples, show it all; True where every verdict was as expected.

    Raises StartError and DemoError, and KeyboardInterrupt where a signal ended it before there was feedback.
    """
    talk, out = show.progress_output(), show.output()
    right: list[bool] = []
    with (
        up.until_signal() as hurry,
        up.service(settings, lambda line: talk.print(f"· {line}"), hurry) as running,
    ):
        talk.print(f"· ready at {running.url}")
        samples = _publish(running, course, talk)
        with _client(running, "lms") as client:
            sent = [_submit(client, sample) for sample in samples]
            _watch(client, running, sent, talk)
        right = [_show(one, out) for one in sent]
        _summary(running, samples, right, out)
        if keep:
            where = f"{running.url}/login with the instructor's token of {settings.data_dir / 'tokens'}"
            talk.print(f"· to mark, regrade and export, sign in at {where}", soft_wrap=True)
            talk.print("· running until Ctrl-C")
            running.wait()
        talk.print("· the report opens while the service runs: `grader demo --keep` leaves it running")
    if not right:
        # The signal that ended the block above; the service is drained by now.
        raise KeyboardInterrupt
    return all(right)


def _client(running: up.Running, role: str) -> httpx.Client:
    headers = {"Authorization": f"Bearer {running.tokens[role]}"}
    return httpx.Client(base_url=running.url, headers=headers, timeout=60)


def _publish(running: up.Running, course: Path, talk: Console) -> list[Sample]:
    samples: list[Sample] = []
    with _client(running, "instructor") as client:
        for folder in sorted(path.parent for path in course.glob(f"*/{bundle.SPEC}")):
            archive = bundle.pack(read_bundle(folder))
            answer = _good(client.post("/api/v1/assignments", content=archive))
            chosen = _chosen(_samples(str(answer["id"]), folder))
            talk.print(f"· published {answer['id']}, {len(chosen)} sample submissions")
            samples += chosen
    if not samples:
        raise DemoError(f"there are no sample submissions below {course}")
    return samples


def _samples(assignment: str, folder: Path) -> Iterator[Sample]:
    for each in read_samples(folder):
        yield Sample(assignment, each.name, each.notebook, each.statuses)


def _chosen(samples: Iterator[Sample]) -> list[Sample]:
    rank = {name: number for number, name in enumerate(SHOWN_FIRST)}
    return sorted(samples, key=lambda one: (rank.get(one.name, len(rank)), one.name))[:SAMPLES_EACH]


def _submit(client: httpx.Client, sample: Sample) -> Sent:
    answer = client.post(
        f"/api/v1/assignments/{sample.assignment}/submissions",
        data={"student": sample.name},
        files={"notebook": (f"{sample.name}.ipynb", sample.notebook)},
        headers={"Idempotency-Key": f"{sample.name}-{secrets.token_hex(8)}"},
    )
    return Sent(sample, str(_good(answer)["links"]["self"]))


def _watch(client: httpx.Client, running: up.Running, sent: list[Sent], talk: Console) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    with Progress(
        *show.columns(), console=talk, disable=not talk.is_terminal, redirect_stdout=False
    ) as progress:
        total = progress.add_task("graded", total=len(sent))
        bars = {one.url: progress.add_task(one.sample.name, total=None) for one in sent}
        while any(one.feedback is None for one in sent):
            running.check()
            if time.monotonic() > deadline:
                raise DemoError(f"not all feedback came within {PATIENCE_SECONDS:g} seconds")
            for one in sent:
                if one.feedback is None:
                    _look(client, one, progress, bars[one.url])
                    if one.feedback is not None:
                        progress.advance(total)
                        if not talk.is_terminal:
                            talk.print(f"· graded {one.sample.assignment}, {one.sample.name}")
            time.sleep(POLL_SECONDS)


def _look(client: httpx.Client, one: Sent, progress: Progress, bar: TaskID) -> None:
    found = _good(client.get(one.url))
    cells = found["cells"] or {"current": 0, "total": None}
    state = f"number {found['position']} in the queue" if found["position"] else str(found["phase"])
    name = f"{one.sample.name}: {state}"
    progress.update(bar, description=name, completed=cells["current"], total=cells["total"])
    if found["state"] in {"finished", "parked"}:
        answer = client.get(found["links"]["feedback"])
        if answer.status_code != 200:
            raise DemoError(f"{one.sample.name} was given up: {answer.text}")
        one.feedback = answer.content
        progress.remove_task(bar)


def _show(one: Sent, out: Console) -> bool:
    assert one.feedback is not None
    shown = show.read(one.feedback)
    expected = one.sample.expected
    remarks = [_remark(part.status, expected.get(part.id)) for part in shown.parts]
    out.print(show.table(f"{one.sample.assignment}, {one.sample.name}", shown, remarks=remarks))
    out.print()
    statuses = {part.id: part.status for part in shown.parts}
    return all(statuses.get(part) == status for part, status in expected.items())


def _remark(status: str, expected: str | None) -> str:
    if expected is None:
        return ""
    return "as expected" if status == expected else f"expected {expected}"


def _summary(running: up.Running, samples: list[Sample], right: list[bool], out: Console) -> None:
    out.print(f"{sum(right)} of {len(right)} submissions got the expected verdicts")
    with _client(running, "instructor") as client:
        for assignment in dict.fromkeys(sample.assignment for sample in samples):
            page = _good(client.get(f"/api/v1/assignments/{assignment}/report-page"))["page"]
            out.print(f"report of {assignment}: {page}", soft_wrap=True)


def _good(answer: httpx.Response) -> dict[str, Any]:
    if answer.is_error:
        raise DemoError(f"{answer.request.url} answered {answer.status_code}: {answer.text}")
    document: dict[str, Any] = answer.json()
    return document
