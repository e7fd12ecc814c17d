"""Every curl command of docs/api.md is sent, in their order, and gets the status that stands below it."""

from __future__ import annotations

import re
import shlex
from urllib.parse import parse_qs, urlsplit

from checks import bundle
from checks.assignment import Assignment
from checks.evidence import Evidence, Run
from checks.feedback import SubmissionInfo
from checks.judge import judge
from grader.store import attempts, submissions
from grader.store.attempts import Remains
from tests.conftest import ROOT
from tests.grader.arithmetic import BUNDLE, RIGHT

API = (ROOT / "docs" / "api.md").read_text()
COMMAND = re.compile(r"^    (curl (?:.*\\\n)*.*)\n(?:.*\n)*?answers `(\d+)", re.MULTILINE)
COURSE = BUNDLE | {
    "assignment.yaml": BUNDLE["assignment.yaml"].replace(
        b"id: tests/arithmetic", b"id: embeddings/ex3_gensim"
    )
}
FILES = {"ada.ipynb": RIGHT, "bundle.tar": bundle.pack(COURSE)}


def documented():
    """Each command with the status that is promised next."""
    found = COMMAND.findall(API)
    assert len(found) == len(re.findall(r"^    curl ", API, re.MULTILINE))
    return [(command.replace("\\\n", " "), int(status)) for command, status in found]


def request(command, known):
    """What curl would send: method, address and the rest, as the test's client takes it."""
    for name, value in known.items():
        command = command.replace(f"${name}", value)
    assert "$" not in command, command
    words = shlex.split(command)[1:]
    sent = {"headers": {}, "data": {}, "files": {}}
    method, address = None, ""
    while words:
        word = words.pop(0)
        if word == "-H":
            name, _, value = words.pop(0).partition(": ")
            sent["headers"][name] = value
        elif word == "-F":
            name, _, value = words.pop(0).partition("=")
            _field(sent, name, value)
        elif word == "--json":
            method, sent["content"] = method or "POST", words.pop(0)
            sent["headers"]["Content-Type"] = "application/json"
        elif word == "--data-binary":
            method, sent["content"] = method or "POST", FILES[words.pop(0).removeprefix("@")]
        elif word == "-X":
            method = words.pop(0)
        elif word == "-o":
            words.pop(0)
        elif word != "-N":
            address = word
    method = method or ("POST" if sent["data"] or sent["files"] else "GET")
    return method, address, {name: value for name, value in sent.items() if value}


def _field(sent, name, value):
    if value.startswith("@"):
        sent["files"][name] = (value[1:], FILES[value[1:]])
    else:
        sent["data"][name] = value


def grade(store, submission_id):
    with store.read() as session:
        found = submissions.progress(session, submission_id)
    run = Run(status="rejected", seconds=0.0, environment="tensorflow@sha256:0", memory_limit="", detail="x")
    evidence = Evidence(notebook=found.notebook, assignment=found.version, run=run)
    info = SubmissionInfo(found.id, found.student, found.notebook)
    verdict = judge(Assignment.from_files(COURSE), evidence, None, info)
    with store.write() as session:
        lease = attempts.claim(session, found.attempt, seconds=60)
        assert attempts.finish(session, lease, verdict, Remains(store.blobs.put(b"e"), store.blobs.put(b"x")))


def test_every_documented_request_is_answered_as_documented(client, store):
    instructor = client.headers_of["instructor"]["Authorization"].removeprefix("Bearer ")
    known = {"HOST": "http://testserver", "TOKEN": instructor}
    client.post(
        "/api/v1/assignments", content=FILES["bundle.tar"], headers=client.headers_of["instructor"]
    ).raise_for_status()
    got = []
    for command, status in documented():
        method, address, sent = request(command, known)
        answer = client.request(method, address, **sent)
        got.append((command, answer.status_code))
        assert got[-1] == (command, status), answer.text
        if address.endswith("/submissions"):
            grade(store, answer.json()["id"])
            query = parse_qs(urlsplit(answer.json()["links"]["page"]).query)
            known |= {"SUBMISSION": answer.json()["id"]}
            known |= {name.upper(): value for name, [value] in query.items()}
        if method == "POST" and address.endswith("/webhooks"):
            known["WEBHOOK"] = answer.json()["id"]
    assert len(got) > 12
