"""Signing in: what the cookie is, whom it lets in, and that no other site can act with it."""

from __future__ import annotations

import re
import time

import pytest
from fastapi import APIRouter
from fastapi.testclient import TestClient

from grader.api import session
from grader.api.app import create_app
from grader.api.session import AssignmentStaff, Csrf, Staff, StaffForm
from grader.store import tokens


def routes() -> APIRouter:
    """Pages as another module would make them."""
    made = APIRouter(include_in_schema=False, route_class=session.PageRoute)

    @made.get("/try")
    def who(caller: Staff, csrf: Csrf) -> dict[str, str | None]:
        return {"name": caller.name, "course": caller.course, "csrf": csrf}

    @made.get("/try/{assignment_id:path}")
    def one(assignment_id: str, caller: AssignmentStaff) -> str:
        return caller.actor

    @made.post("/try")
    async def change(form: StaffForm) -> str:
        return str(form["what"])

    return made


@pytest.fixture
def made(settings, store):
    with store.write() as writing:
        texts = {
            "ours": tokens.create(writing, "instructor", "grace", "tests"),
            "other": tokens.create(writing, "instructor", "lin", "other"),
            "lms": tokens.create(writing, "lms", "canvas"),
        }
    app = create_app(settings)
    app.include_router(routes())
    with TestClient(app, follow_redirects=False, base_url="http://testserver") as client:
        yield client, texts


def sign_in(client, token, **more):
    return client.post("/login", data={"token": token, **more})


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
class TestSession:
    def test_a_browser_is_sent_to_the_form_and_back_to_where_it_wanted(self, made):
        client, texts = made
        sent = client.get("/try/tests/arithmetic?sort=score")
        assert (sent.status_code, sent.headers["location"]) == (
            303,
            "/login?next=%2Ftry%2Ftests%2Farithmetic%3Fsort%3Dscore",
        )
        form = client.get(sent.headers["location"])
        assert 'value="/try/tests/arithmetic?sort=score"' in form.text
        back = sign_in(client, texts["ours"], next="/try/tests/arithmetic?sort=score")
        assert (back.status_code, back.headers["location"]) == (303, "/try/tests/arithmetic?sort=score")
        assert client.get("/try/tests/arithmetic").json().endswith("(grace)")

    def test_the_cookie_is_kept_from_scripts_and_other_sites_and_holds_no_secret(self, made):
        client, texts = made
        cookie = sign_in(client, texts["ours"]).headers["set-cookie"]
        assert "HttpOnly" in cookie and "SameSite=strict" in cookie and "Max-Age=43200" in cookie  # noqa: PT018
        assert texts["ours"].rsplit("_", 1)[1] not in cookie
        assert "Secure" not in cookie

    def test_behind_https_the_cookie_travels_by_https_only(self, settings, store):
        with store.write() as writing:
            text = tokens.create(writing, "instructor", "grace")
        secure = settings.model_copy(update={"public_url": "https://grader.example.edu"})
        with TestClient(create_app(secure), follow_redirects=False) as client:
            assert "Secure" in sign_in(client, text).headers["set-cookie"]

    @pytest.mark.parametrize(("token", "status"), [("lms", 403), ("gr_nonsense", 401), ("", 401)])
    def test_a_token_that_opens_nothing_here_says_why(self, made, token, status):
        client, texts = made
        refused = sign_in(client, texts.get(token, token))
        assert refused.status_code == status
        assert 'role="alert"' in refused.text
        assert "set-cookie" not in refused.headers

    def test_a_course_keeps_its_scope(self, made):
        client, texts = made
        sign_in(client, texts["other"])
        answer = client.get("/try/tests/arithmetic", headers={"Accept": "text/html"})
        assert (answer.status_code, "no assignment tests/arithmetic" in answer.text) == (404, True)

    def test_a_revoked_token_ends_its_sessions_at_once(self, made, store):
        client, texts = made
        sign_in(client, texts["ours"])
        assert client.get("/try").status_code == 200
        with store.write() as writing:
            tokens.revoke(writing, texts["ours"].split("_")[1])
        assert client.get("/try").status_code == 303

    def test_a_changed_or_old_cookie_is_none(self, made, monkeypatch):
        client, texts = made
        sign_in(client, texts["ours"])
        cookie = client.cookies[session.COOKIE]
        prefix, expires, *rest = cookie.split(".")
        for other in (f"{prefix}.{int(expires) + 1}.{'.'.join(rest)}", "", "a.b.c.d", cookie + "0", "é"):
            client.cookies.clear()
            assert (
                client.get("/try", headers={"Cookie": f"grader_session={other}".encode()}).status_code == 303
            )
        late = time.time() + 12 * 3600 + 1
        monkeypatch.setattr("grader.api.session.time.time", lambda: late)
        assert client.get("/try", headers={"Cookie": f"grader_session={cookie}"}).status_code == 303

    @pytest.mark.parametrize(
        "wanted",
        ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/a\nb", ""],
    )
    def test_nobody_is_led_to_another_site_after_signing_in(self, made, wanted):
        client, texts = made
        assert sign_in(client, texts["ours"], next=wanted).headers["location"] == "/courses"

    def test_a_form_needs_its_sessions_own_field(self, made):
        client, texts = made
        sign_in(client, texts["other"])
        foreign = client.get("/try").json()["csrf"]
        sign_in(client, texts["ours"])
        own = client.get("/try").json()["csrf"]
        send = lambda **more: client.post("/try", data={"what": "done", **more})  # noqa: E731
        assert [send().status_code, send(csrf=foreign).status_code, send(csrf="é").status_code] == [403] * 3
        assert send(csrf=own).json() == "done"
        cross = client.post("/try", data={"what": "x", "csrf": own}, headers={"Sec-Fetch-Site": "cross-site"})
        assert cross.status_code == 403

    def test_without_a_session_a_form_changes_nothing(self, made):
        client, _ = made
        field = client.app.state.service.links.seal("csrf", "")
        answer = client.post("/try", data={"what": "x", "csrf": field})
        assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=%2Fcourses")

    def test_a_program_sends_its_token_and_needs_no_field(self, made):
        client, texts = made
        headers = {"Authorization": f"Bearer {texts['ours']}"}
        assert client.get("/try", headers=headers).json()["name"] == "grace"
        assert client.post("/try", data={"what": "done"}, headers=headers).json() == "done"

    def test_signing_out_forgets_the_cookie(self, made):
        client, texts = made
        sign_in(client, texts["ours"])
        csrf = client.get("/try").json()["csrf"]
        assert client.post("/logout", data={"csrf": "no"}).status_code == 403
        assert client.post("/logout", data={"csrf": csrf}).headers["location"] == "/login"
        assert client.get("/try").status_code == 303

    def test_who_comes_by_a_link_from_elsewhere_is_asked_again_from_here(self, made):
        client, texts = made
        sign_in(client, texts["ours"])
        cookies = dict(client.cookies)
        client.cookies.clear()  # as SameSite=Strict has it
        headers = {"Sec-Fetch-Site": "cross-site"}
        form = client.get("/login?next=/try", headers=headers)
        assert re.search(r'http-equiv="refresh" content="0; url=/try"', form.text)
        assert "refresh" not in client.get("/login?next=/try").text
        client.cookies.update(cookies)
        assert client.get("/try").status_code == 200
