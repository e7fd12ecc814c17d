"""The way in: what is sent is bounded, checked and made durable before anybody hears that it was accepted."""

from __future__ import annotations

import unicodedata

import msgspec

from checks import bundle
from checks.assignment import Assignment
from checks.evidence import digest
from grader.notebooks import normal_form
from grader.offer import offered
from grader.store import Store, assignments
from grader.store.acceptance import New, Receipt
from grader.store.audit import COMMAND_LINE
from grader.store.tokens import Caller

MAX_STUDENT = 200
MAX_KEY = 200


class BadRequestError(ValueError):
    """A field of the request is unusable; the text says which and why."""


class OtherCourseError(Exception):
    """The assignment belongs to a course that is out of the caller's scope."""


class Sent(msgspec.Struct, frozen=True):
    """One notebook as it was sent; ``key`` is the request's ``Idempotency-Key``, one of the ``token``'s."""

    assignment: str
    student: str
    notebook: bytes
    token: str = ""
    key: str | None = None


def receive_notebook(store: Store, sent: Sent) -> Receipt:
    """Store the notebook and queue its first attempt; durable when it returns.

    Raises BadRequestError, NotANotebookError, UnknownAssignmentError, RevokedTokenError or KeyReusedError;
    then no submission is kept.
    """
    check_student(sent.student)
    _check_key(sent.key)
    notebook = normal_form(sent.notebook)
    _check_assignment(store, sent.assignment)
    blob = store.blobs.put(notebook)
    request = digest(f"{sent.assignment}\n{sent.student}\n{blob}".encode())
    return store.acceptance.do(New(sent.assignment, sent.student, blob, sent.token, sent.key, request))


def receive_bundle(store: Store, archive: bytes, caller: Caller | None = None) -> assignments.Published:
    """Publish a packed assignment, for a request's caller where there is one.

    Raises BundleError (bad archive), SpecError (bad assignment) or OtherCourseError; then nothing is kept.
    """
    files = bundle.unpack(archive)
    assignment = Assignment.from_files(files, offered())
    if caller is not None and not caller.sees(assignment.id):
        raise OtherCourseError(assignment.id)
    return _publish(store, assignment, files, caller.actor if caller is not None else COMMAND_LINE)


def publish_bundle(store: Store, files: dict[str, bytes]) -> assignments.Published:
    """Put an assignment in force; publishing the same files again changes nothing. Raises SpecError."""
    return _publish(store, Assignment.from_files(files, offered()), files, COMMAND_LINE)


def _publish(store: Store, assignment: Assignment, files: dict[str, bytes], by: str) -> assignments.Published:
    blob = store.blobs.put(bundle.pack(files))
    with store.write() as session:
        assignments.publish(
            session,
            assignment.id,
            version=assignment.version,
            title=assignment.title,
            environment=assignment.environment,
            archive=blob,
            by=by,
        )
    with store.read() as session:
        return assignments.current(session, assignment.id)


def _check_assignment(store: Store, assignment_id: str) -> None:
    """Before anything is kept. Assignments stay for ever: what was there once is not looked up again."""
    if assignment_id not in store.known_assignments:
        with store.read() as session:
            assignments.current(session, assignment_id)
        store.known_assignments.add(assignment_id)


def check_student(name: str) -> None:
    """Raises BadRequestError for what cannot be a student's name."""
    if not name.strip():
        raise BadRequestError("`student` is empty")
    if len(name) > MAX_STUDENT:
        raise BadRequestError(f"`student` is longer than {MAX_STUDENT} characters")
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in name):
        raise BadRequestError("`student` holds control characters")


def _check_key(key: str | None) -> None:
    if key is not None and not (0 < len(key) <= MAX_KEY and key.isascii() and key.isprintable()):
        raise BadRequestError(f"the Idempotency-Key must be 1 to {MAX_KEY} printable ASCII characters")
