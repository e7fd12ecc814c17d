"""Who may do what: bearer tokens with a role and a course, and the signed links of students.

A route names what it needs by its parameter's type (``Instructor``, ``Reader`` …); the dependency behind it
refuses everybody else before the route's own code runs. What lies out of a token's course is answered as if
it were not there (404), so that nobody learns what other courses have.
"""

from __future__ import annotations

import hmac
import math
from typing import Annotated

from fastapi import Depends, Query
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.concurrency import run_in_threadpool

from grader.api.limits import Buckets
from grader.api.links import LinkRefusedError
from grader.api.problems import Problem
from grader.api.service import Service, TheService
from grader.store import submissions, tokens
from grader.store.assignments import UnknownAssignmentError
from grader.store.submissions import UnknownSubmissionError
from grader.store.tokens import BadCourseError, Caller

BEARER = HTTPBearer(auto_error=False, description="a token of the role lms, instructor or monitor")
CHALLENGE = {"WWW-Authenticate": "Bearer"}
DEVELOPER = Caller("development", "instructor")
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(BEARER)]
Expires = Annotated[int, Query(description="of a student's link, in place of a token")]
Signature = Annotated[str, Query(description="of a student's link, in place of a token")]


def _known(service: TheService, credentials: Credentials) -> Caller:
    caller = who(service, _token(credentials))
    if caller is None:
        raise unknown_token()
    require_turn(service.token_turns, caller.token)
    return caller


def _token(credentials: HTTPAuthorizationCredentials | None) -> str:
    if credentials is None:
        raise Problem(401, "no-token", "Send a token: `Authorization: Bearer gr_…`.", headers=CHALLENGE)
    return credentials.credentials


def unknown_token() -> Problem:
    """The answer to a token that opens nothing."""
    return Problem(
        401, "unknown-token", "This token is not known here, or it was revoked.", headers=CHALLENGE
    )


def who(service: Service, text: str) -> Caller | None:
    """Whose token the text is; None where it is nobody's."""
    development = service.settings.development_token
    if development is not None and hmac.compare_digest(
        development.get_secret_value().encode(), text.encode()
    ):
        return DEVELOPER
    with service.store.read() as session:
        return tokens.check(session, text)


def require_turn(turns: Buckets, key: str) -> None:
    """Count a request; raises the 429 where there were too many."""
    wait = turns.take(key)
    if wait > 0:
        detail = f"More requests than are answered at once; go on in {wait:.1f} s."
        raise Problem(429, "too-many-requests", detail, headers={"Retry-After": str(math.ceil(wait))})


KnownCaller = Annotated[Caller, Depends(_known)]


def _require_role(caller: Caller, *roles: str) -> Caller:
    if caller.role not in roles:
        needed = " or ".join(roles)
        raise Problem(
            403, "wrong-role", f"This needs a token of the role {needed}; yours has the role {caller.role}."
        )
    return caller


# async, wherever nothing is looked up: a plain function would be sent to a thread and back.
async def _any(caller: KnownCaller) -> Caller:
    return _require_role(caller, "lms", "instructor")


async def _instructor(caller: KnownCaller) -> Caller:
    return _require_role(caller, "instructor")


def require_monitor(service: Service, credentials: HTTPAuthorizationCredentials | None) -> Caller:
    """A token that may see the figures of all courses; raises the 401 or 403."""
    caller = _known(service, credentials)
    if caller.role == "instructor" and caller.course is not None:
        raise Problem(403, "wrong-role", "Your token is for one course; the figures are of all of them.")
    return _require_role(caller, "monitor", "instructor")


AnyCaller = Annotated[Caller, Depends(_any)]
Instructor = Annotated[Caller, Depends(_instructor)]


async def _sender(assignment_id: str, service: TheService, credentials: Credentials) -> Caller:
    """A token that was good a moment ago is not looked up again: accepting looks whether it still is."""
    text = _token(credentials)
    caller = service.recent.caller(text)
    if caller is None:
        caller = await run_in_threadpool(who, service, text)
        if caller is None:
            raise unknown_token()
        service.recent.add(text, caller)
    require_turn(service.token_turns, caller.token)
    return _in_scope(assignment_id, _require_role(caller, "lms", "instructor"))


async def _assignment_instructor(assignment_id: str, caller: Instructor) -> Caller:
    return _in_scope(assignment_id, caller)


def _in_scope(assignment_id: str, caller: Caller) -> Caller:
    if not caller.sees(assignment_id):
        raise UnknownAssignmentError(assignment_id)
    return caller


def _course_instructor(course: str, caller: Instructor) -> Caller:
    try:
        tokens.check_course(course)
    except BadCourseError as error:
        raise Problem(404, "unknown-course", str(error)) from error
    if not caller.sees_course(course):
        raise Problem(404, "unknown-course", f"There is no such course: {course}")
    return caller


def _reader(
    submission_id: str,
    service: TheService,
    credentials: Credentials,
    expires: Expires = 0,
    signature: Signature = "",
) -> Caller:
    if credentials is None and signature:
        return _student(service, submission_id, expires, signature)
    caller = _require_role(_known(service, credentials), "lms", "instructor")
    with service.store.read() as session:
        if not caller.sees(submissions.progress(session, submission_id).assignment):
            raise UnknownSubmissionError(submission_id)
    return caller


def _student(service: Service, submission_id: str, expires: int, signature: str) -> Caller:
    try:
        service.links.check("feedback", submission_id, expires, signature)
    except LinkRefusedError as refusal:
        raise Problem(403, "link-refused", f"{refusal}.") from refusal
    require_turn(service.link_turns, submission_id)
    return Caller("", "student", submission=submission_id, until=expires)


# Who may hand in to the route's assignment, and who may see and change everything about it.
Sender = Annotated[Caller, Depends(_sender)]
AssignmentInstructor = Annotated[Caller, Depends(_assignment_instructor)]
CourseInstructor = Annotated[Caller, Depends(_course_instructor)]
# Who may look at the route's submission: a token in scope, or the student by the submission's link.
Reader = Annotated[Caller, Depends(_reader)]
