"""The way in, seen from outside: what is accepted, what is refused and how, and that nothing is lost."""

from __future__ import annotations

import errno
import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from checks.evidence import digest
from grader.notebooks import MAX_CELLS, normal_form
from grader.settings import Settings
from grader.store import open_store, submissions
from grader.store.tables import Attempt, Submission
from tests import serving
from tests.grader.arithmetic import RIGHT, notebook

HERE = "/api/v1/assignments/tests/arithmetic"
PROBLEM = "application/problem+json"
NOTEBOOK: dict[str, Any] = json.loads(RIGHT)
ON_SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def changed(**fields: object) -> bytes:
    return json.dumps(NOTEBOOK | fields).encode()


def form(client, content: bytes, student: str = "ada", path: str = HERE, **headers: str):
    return client.post(
        f"{path}/submissions",
        data={"student": student},
        files={"notebook": ("a.ipynb", content)},
        headers=client.headers_of["lms"] | headers,
    )


def body(client, content: bytes, **headers: str):
    sent = client.headers_of["lms"] | {"Content-Type": "application/json"} | headers
    return client.post(f"{HERE}/submissions", content=content, headers=sent)


def count(store, table=Submission) -> int:
    with store.read() as session:
        return session.query(table).count()


REFUSED = [
    ("no JSON", b"no", 422, "not-a-notebook", "not JSON"),
    ("nothing", b"", 422, "not-a-notebook", "not JSON"),
    ("a zip", b"PK\x03\x04\xff\xff", 422, "not-a-notebook", "not text"),
    ("a list", b"[]", 422, "not-a-notebook", "not an object"),
    ("other JSON", b"{}", 422, "not-a-notebook", "nbformat"),
    ("too new", changed(nbformat=5), 422, "not-a-notebook", "newer than 4"),
    ("too old", changed(nbformat=2), 422, "not-a-notebook", "too old"),
    ("too many cells", changed(cells=NOTEBOOK["cells"] * MAX_CELLS), 422, "not-a-notebook", "at most 5000"),
    ("too large", b" " * ((10 << 20) + 1), 413, "content-too-large", "10 MiB"),
    ("nested lists", b"[" * 200_000, 422, "not-a-notebook", "not JSON"),
    ("nested objects", b'{"a":' * 200_000, 422, "not-a-notebook", "not JSON"),
    ("nested source", changed(cells=[{"cell_type": "raw", "source": [[]]}]), 422, "not-a-notebook", "cell 0"),
    ("invalid UTF-8", changed().replace(b"squares", b"squ\xe4res"), 422, "not-a-notebook", "UTF-8"),
    ("half a UTF-16 file", changed().decode().encode("utf-16")[:-1], 422, "not-a-notebook", "UTF-16"),
]  # fmt: skip


@ON_SQLITE
@pytest.mark.parametrize(
    ("content", "status", "name", "says"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
def test_what_is_no_notebook_is_refused_with_the_reason_and_nothing_is_kept(  # noqa: PLR0917
    client, store, content, status, name, says
):
    answer = form(client, content)
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM)
    assert answer.json()["type"] == f"urn:grader:problem:{name}"
    assert says in answer.json()["detail"]
    assert (count(store), count(store, Attempt)) == (0, 0)


BAD_BODIES = [
    ("empty", b"", 422, "invalid-request"),
    ("no object", b"[]", 422, "invalid-request"),
    ("no notebook", b'{"student": "ada"}', 422, "invalid-request"),
    ("no student", b'{"notebook": {}}', 422, "invalid-request"),
    ("a number as student", b'{"student": 1, "notebook": {}}', 422, "invalid-request"),
    ("invalid UTF-8 around", b'{"student": "\xe4", "notebook": {}}', 422, "invalid-request"),
    ("nested around", b"[" * 200_000, 422, "invalid-request"),
    ("half a character", b'{"student": "\\ud800", "notebook": {}}', 422, "invalid-request"),
    ("no notebook in it", b'{"student": "ada", "notebook": 7}', 422, "not-a-notebook"),
    ("nested in it", b'{"student": "ada", "notebook": ' + b"[" * 9999 + b"]" * 9999 + b"}", 422, None),
    ("too large", b'{"student": "' + b"x" * (21 << 20), 413, "content-too-large"),
]  # fmt: skip


@ON_SQLITE
@pytest.mark.parametrize(
    ("content", "status", "name"), [case[1:] for case in BAD_BODIES], ids=[case[0] for case in BAD_BODIES]
)
def test_a_json_body_that_cannot_be_read_is_a_problem_too(client, store, content, status, name):
    answer = body(client, content)
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM)
    assert name is None or answer.json()["type"] == f"urn:grader:problem:{name}"
    assert count(store) == 0


@pytest.mark.parametrize("path", ["none", "tests/arithmetic%00", "tests/%ff", "x" * 3000])
def test_an_assignment_that_is_not_there_is_a_404_however_it_is_spelled(client, store, path):
    answer = form(client, RIGHT, path=f"/api/v1/assignments/{path}")
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:grader:problem:unknown-assignment")
    shown = client.get(f"/api/v1/submissions/{path}", headers=client.headers_of["lms"])
    assert shown.status_code == 404
    assert count(store) == 0


@ON_SQLITE
@pytest.mark.parametrize(
    "content",
    [
        pytest.param(RIGHT.decode().encode("utf-8-sig"), id="UTF-8 with a mark"),
        pytest.param(RIGHT.decode().encode("utf-16"), id="UTF-16 with a mark"),
        pytest.param(RIGHT.decode().encode("utf-16-be"), id="UTF-16 without"),
        pytest.param(json.dumps(NOTEBOOK, indent=4).encode(), id="laid out"),
    ],
)
def test_one_notebook_is_stored_once_however_it_was_written(client, store, content):
    sent = [form(client, RIGHT), form(client, content)]
    assert [answer.status_code for answer in sent] == [202, 202]
    with store.read() as session:
        found = {submissions.progress(session, answer.json()["id"]).notebook for answer in sent}
    assert found == {digest(normal_form(RIGHT))}


@ON_SQLITE
def test_format_3_is_accepted_and_kept_as_format_4(client):
    sent = form(client, notebook("x = 1", "y = 2", version=3)).json()
    kept = client.get(sent["links"]["notebook"], headers=client.headers_of["lms"]).json()
    assert (kept["nbformat"], [cell["source"] for cell in kept["cells"]]) == (4, ["x = 1", "y = 2"])


def test_a_key_that_comes_many_times_at_once_makes_one_submission(client, store):
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: form(client, RIGHT, **{"Idempotency-Key": "k"}), range(16)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert count(store) == 1


def test_a_key_is_one_for_forms_and_json_and_refuses_any_other_request(client, store):
    first = form(client, RIGHT, **{"Idempotency-Key": "k"})
    again = body(client, b'{"student": "ada", "notebook": ' + RIGHT + b"}", **{"Idempotency-Key": "k"})
    assert (first.json(), again.status_code) == (again.json(), 202)
    for other in (
        form(client, RIGHT, "bob", **{"Idempotency-Key": "k"}),
        form(client, notebook("x"), **{"Idempotency-Key": "k"}),
    ):
        assert (other.status_code, other.json()["type"]) == (409, "urn:grader:problem:idempotency-key-reused")
    assert count(store) == 1


def test_those_who_come_at_once_get_positions_and_numbers_without_gaps(client, store):
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: form(client, RIGHT, f"s{number % 3}").json(), range(24)))
    assert sorted(answer["position"] for answer in answers) == list(range(1, 25))
    for student in ("s0", "s1", "s2"):
        numbers = [answer["number"] for answer in answers if answer["student"] == student]
        assert sorted(numbers) == list(range(1, 9))
    for answer in answers:
        now = client.get(answer["links"]["self"], headers=client.headers_of["lms"]).json()
        assert now["position"] == answer["position"]


@ON_SQLITE
def test_a_folder_that_takes_nothing_more_is_a_503_and_nothing_is_kept(client, store, settings):
    name = digest(normal_form(RIGHT))
    folder = settings.data_dir / "blobs" / name[7:9]
    shutil.rmtree(folder, ignore_errors=True)
    folder.write_bytes(b"no folder")
    answer = form(client, RIGHT)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.json()["type"] == "urn:grader:problem:blobs-unavailable"
    assert count(store) == 0


@ON_SQLITE
def test_a_full_disk_is_a_507_and_nothing_is_kept(client, store, monkeypatch):
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("grader.store.blobs.folder.os.fsync", full)
    answer = form(client, RIGHT)
    monkeypatch.undo()
    assert (answer.status_code, answer.headers["retry-after"]) == (507, "5")
    assert answer.json()["type"] == "urn:grader:problem:storage-full"
    assert count(store) == 0


@pytest.mark.faults
def test_what_was_answered_with_202_is_there_after_the_server_was_killed(tmp_path):
    settings = Settings(data_dir=tmp_path / "data", broker_url="redis+socket:///none/there")  # type: ignore[arg-type]
    token = serving.prepare(settings)
    accepted: dict[str, str] = {}

    def keep_sending(url: str, thread: int) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        with httpx.Client(base_url=url, headers=headers, timeout=30) as lms:
            for number in range(1000):
                content = notebook(f"x = {thread, number}")
                try:
                    answer = lms.post(
                        f"{HERE}/submissions",
                        data={"student": f"s{thread}"},
                        files={"notebook": ("a.ipynb", content)},
                    )
                except httpx.TransportError:
                    return
                assert answer.status_code == 202, answer.text
                accepted[answer.json()["id"]] = digest(normal_form(content))
                if len(accepted) == 60:
                    served.process.kill()

    with serving.api(settings) as served, ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda thread: keep_sending(served.url, thread), range(6)))
    store = open_store(settings)
    with store.read() as session:
        kept = {row.id: row.notebook for row in session.query(Submission)}
        queued = {row.submission_id for row in session.query(Attempt).filter(Attempt.state == "queued")}
    assert len(accepted) >= 60
    assert accepted.items() <= kept.items()
    assert accepted.keys() <= queued
    assert all(store.blobs.get(name) for name in kept.values())
    store.close()
