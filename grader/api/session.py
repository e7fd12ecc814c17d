"""Signing in, for people: a token becomes a cookie that this service signed.

The cookie holds the token's public prefix, the moment when it is over, and the signature of both; the
token's secret is not in it. Who it is, and whether the token was revoked, is looked up at every request. A
program may send its token instead (``Authorization: Bearer``).

Routes that change something take ``StaffForm``: it refuses a form whose hidden field ``csrf`` is not the one
of this session. Another site can neither read that field nor have the cookie sent (``SameSite=Strict``).
"""

from __future__ import annotations

import hmac
import secrets
import time
from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData

from grader.api.access import DEVELOPER, Credentials, require_turn, who
from grader.api.instructor.page import PageRoute, html
from grader.api.problems import Problem
from grader.api.service import Service, TheService
from grader.store import submissions, tokens
from grader.store.assignments import UnknownAssignmentError
from grader.store.submissions import UnknownSubmissionError
from grader.store.tokens import BadCourseError, Caller

COOKIE = "grader_session"
HOURS = 12
HOME = "/courses"
LOGIN = "/login"
MAX_FIELDS = 2_000
NOT_KNOWN = "This token is not known here, or it was revoked."
NOT_STAFF = "This token is for the role {role}; these pages are for instructors."

router = APIRouter(include_in_schema=False, route_class=PageRoute)


class SignInFirst(Problem):
    """Nobody is signed in: a browser is sent to the form, and from there back to ``path``."""

    def __init__(self, path: str) -> None:
        super().__init__(303, "no-session", "Sign in first.")
        self.path = path

    def response(self) -> Response:
        """The redirection."""
        return RedirectResponse(f"{LOGIN}?{urlencode({'next': self.path})}", 303)


def _staff(request: Request, service: TheService, credentials: Credentials) -> Caller:
    caller = _from_token(service, credentials.credentials) if credentials else _from_cookie(request, service)
    if caller is None:
        raise SignInFirst(_where(request))
    require_turn(service.token_turns, caller.token)
    return caller


def _from_token(service: Service, text: str) -> Caller:
    caller = who(service, text)
    if caller is None:
        raise Problem(401, "unknown-token", NOT_KNOWN, headers={"WWW-Authenticate": "Bearer"})
    if caller.role != "instructor":
        raise Problem(403, "wrong-role", NOT_STAFF.format(role=caller.role))
    return caller


def _from_cookie(request: Request, service: Service) -> Caller | None:
    """Who signed in; None where nobody did, it is too long ago, or the token was revoked since."""
    told, _, seal = request.cookies.get(COOKIE, "").rpartition(".")
    if not hmac.compare_digest(service.links.seal("session", told).encode(), seal.encode()):
        return None
    prefix, expires, _ = told.split(".")
    if int(expires) < time.time():
        return None
    if prefix == DEVELOPER.token:
        return DEVELOPER if service.settings.development_token is not None else None
    with service.store.read() as session:
        caller = tokens.caller_of(session, prefix)
    return caller if caller is not None and caller.role == "instructor" else None


def _where(request: Request) -> str:
    """Where to go on after signing in: a form's answer cannot be asked for again."""
    if request.method != "GET":
        return HOME
    query = f"?{request.url.query}" if request.url.query else ""
    return quote(request.url.path) + query


Staff = Annotated[Caller, Depends(_staff)]


def _assignment_staff(assignment_id: str, caller: Staff) -> Caller:
    if not caller.sees(assignment_id):
        raise UnknownAssignmentError(assignment_id)
    return caller


def _submission_staff(submission_id: str, service: TheService, caller: Staff) -> Caller:
    with service.store.read() as session:
        if not caller.sees(submissions.progress(session, submission_id).assignment):
            raise UnknownSubmissionError(submission_id)
    return caller


def _course_staff(course: str, caller: Staff) -> Caller:
    try:
        tokens.check_course(course)
    except BadCourseError as error:
        raise Problem(404, "unknown-course", str(error)) from error
    if not caller.sees_course(course):
        raise Problem(404, "unknown-course", f"There is no such course: {course}")
    return caller


# Who may see and change the route's assignment, submission or course.
AssignmentStaff = Annotated[Caller, Depends(_assignment_staff)]
SubmissionStaff = Annotated[Caller, Depends(_submission_staff)]
CourseStaff = Annotated[Caller, Depends(_course_staff)]


def _csrf(request: Request, service: TheService) -> str:
    return service.links.seal("csrf", request.cookies.get(COOKIE, ""))


# What every form of a signed-in person's page carries as its hidden field ``csrf``.
Csrf = Annotated[str, Depends(_csrf)]


async def _staff_form(request: Request, csrf: Csrf, credentials: Credentials, _caller: Staff) -> FormData:
    form = await request.form(max_files=1, max_fields=MAX_FIELDS)
    # A token is sent by a program that means it; a cookie, by a browser on whoever's behalf.
    if credentials is None and not _is_ours(request, form, csrf):
        detail = "This form was not opened in your session, or the session is over. Load the page again."
        raise Problem(403, "foreign-form", detail)
    return form


def _is_ours(request: Request, form: FormData, csrf: str) -> bool:
    field = form.get("csrf")
    return (
        _same_site(request) and isinstance(field, str) and hmac.compare_digest(field.encode(), csrf.encode())
    )


def _same_site(request: Request) -> bool:
    """What the browser itself says of where a request was begun; old ones say nothing."""
    return request.headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none")


# The form that a signed-in person sent from one of our pages; everything else never reaches the route.
StaffForm = Annotated[FormData, Depends(_staff_form)]


@router.get("/")
def first() -> Response:
    """Whoever types the service's bare address teaches; students have links."""
    return RedirectResponse(HOME, 303)


@router.get(LOGIN)
def login_page(request: Request, next: str = HOME) -> HTMLResponse:  # noqa: A002 - the parameter's name
    """The form. Who followed a link on another site may be signed in, which the browser does not tell
    then: the page asks again from here, where it does."""
    onward = request.headers.get("sec-fetch-site") == "cross-site" and COOKIE not in request.cookies
    return html("instructor_login.html", next=_own(next), onward=onward, error="")


@router.post(LOGIN)
async def login(request: Request, service: TheService) -> Response:
    """Exchange a token for the cookie."""
    require_turn(service.link_turns, f"login/{request.client.host if request.client else ''}")
    form = await request.form(max_files=0, max_fields=4)
    onward, text = _own(str(form.get("next", HOME))), str(form.get("token", "")).strip()
    if not _same_site(request):
        raise Problem(403, "foreign-form", "This form was not opened here.")
    try:
        caller = await run_in_threadpool(_from_token, service, text)
    except Problem as refused:
        return html("instructor_login.html", refused.status, next=onward, onward=False, error=refused.detail)
    answer = RedirectResponse(onward, 303)
    _set_cookie(answer, request, service, caller)
    return answer


@router.post("/logout")
async def logout(request: Request, service: TheService, _form: StaffForm) -> Response:
    """Forget the cookie."""
    answer = RedirectResponse(LOGIN, 303)
    answer.delete_cookie(COOKIE, secure=_is_https(request, service), httponly=True, samesite="strict")
    return answer


def _set_cookie(answer: Response, request: Request, service: Service, caller: Caller) -> None:
    # The random end makes every session's cookie, and with it its csrf field, one of its own.
    told = f"{caller.token}.{int(time.time()) + HOURS * 3600}.{secrets.token_hex(8)}"
    answer.set_cookie(
        COOKIE,
        f"{told}.{service.links.seal('session', told)}",
        max_age=HOURS * 3600,
        secure=_is_https(request, service),
        httponly=True,
        samesite="strict",
    )


def _is_https(request: Request, service: Service) -> bool:
    return service.url(request, "").startswith("https:")


def _own(path: str) -> str:
    """The path where it is one of this service, else the first page: nobody is led away after signing in."""
    plain = path.isprintable() and path.startswith("/") and "\\" not in path
    return path if plain and not path.startswith("//") else HOME
