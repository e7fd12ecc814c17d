"""The OpenAPI document against the service: made-up requests of every role, and its own examples."""

from __future__ import annotations

import itertools
import json
from urllib.parse import parse_qs, urlsplit

import jsonschema
import msgspec
import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, note, seed
from hypothesis import settings as tried
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.python import asgi
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from checks.feedback import Feedback
from grader.api import examples
from grader.api.app import create_app
from grader.receive import publish_bundle
from grader.report import Report
from grader.settings import Settings
from grader.store import open_store, tokens
from grader.store.database import migrate
from tests.grader.arithmetic import BUNDLE, RIGHT
from tests.grader.test_api import HERE, grade

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES_EACH = 6
BASE = "http://testserver"
ROLES = ("nobody", "lms", "instructor", "monitor", "student")


@schemathesis.serializer("application/x-tar")
def packed(_context, value):
    """A packed bundle is bytes; what is no bytes is sent as its text."""
    return value if isinstance(value, bytes) else bytes(getattr(value, "data", None) or str(value).encode())


class Made:
    """The running application, its schema, what each role sends along, and parameters that lead somewhere."""

    def __init__(self, settings, app):
        self.store = open_store(settings)
        migrate(self.store.engine)
        publish_bundle(self.store, BUNDLE)
        with self.store.write() as session:
            texts = {role: tokens.create(session, role, "test") for role in ("lms", "instructor", "monitor")}
        self.headers = {role: {"Authorization": f"Bearer {text}"} for role, text in texts.items()}
        self.headers |= {"nobody": {}, "student": {}}
        self.schema = schemathesis.openapi.from_dict(app.openapi())
        self.session = asgi.get_client(app)
        sent = self._submitted()
        grade(self.store, sent["id"])
        self.parameters = {
            "submission_id": sent["id"],
            "assignment_id": "tests/arithmetic",
            "course": "tests",
        }
        query = parse_qs(urlsplit(sent["links"]["page"]).query)
        self.link = {name: value for name, [value] in query.items()}

    def _submitted(self):
        answer = self.session.post(
            f"{BASE}{HERE}/submissions",
            data={"student": "ada"},
            files={"notebook": ("a.ipynb", RIGHT)},
            headers=self.headers["lms"],
        )
        assert answer.status_code == 202, answer.text
        return answer.json()

    def leading(self, operation):
        """This operation's own path parameters among those that lead somewhere."""
        names = {parameter.name for parameter in operation.path_parameters}
        return {name: value for name, value in self.parameters.items() if name in names}

    def groups(self, operation):
        """The roles by the query that they send along: a student's link goes where a link is taken."""
        if any(parameter.name == "signature" for parameter in operation.query):
            return {("student",): self.link, tuple(role for role in ROLES if role != "student"): None}
        return {ROLES: None}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("openapi") / "data",
        broker_url="memory://",
        link_requests_per_second=1000,
        token_requests_per_second=1000,
    )
    app = create_app(settings)
    with TestClient(app):
        made = Made(settings, app)
        yield made
    made.store.close()


@pytest.mark.slow
def test_what_the_service_answers_to_every_role_is_what_its_document_says(made):
    for found in made.schema.get_all_operations():
        operation = found.ok()
        groups = made.groups(operation).items()
        for mode, path, (roles, query) in itertools.product(
            GenerationMode, (made.leading(operation), None), groups
        ):
            cases = operation.as_strategy(generation_mode=mode, path_parameters=path, query=query)
            try:
                _try(cases, made, roles)
            except Unsatisfiable:
                # Nothing of the request is left free to be wrong.
                assert mode == GenerationMode.NEGATIVE


def _try(cases, made, roles):
    """Each made-up request is sent by every one of the roles: making it costs more than answering it."""

    @seed(20260101)
    @tried(max_examples=EXAMPLES_EACH, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=cases)
    def check(case):
        for role in roles:
            note(f"sent by {role}")
            case.call_and_validate(
                base_url=BASE, session=made.session, headers=made.headers[role], checks=CHECKS
            )

    check()


# --- examples


def operations(document):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method} {path}", operation


def test_every_operation_and_problem_has_an_example(client):
    missing = []
    for name, operation in operations(client.app.openapi()):
        bodies = dict(operation.get("requestBody", {"content": {}})["content"])
        bodies.pop("application/x-tar", None)  # bytes, of which JSON has no example
        contents = [(f"{name} sends", kind, content) for kind, content in bodies.items()]
        for status, answer in operation["responses"].items():
            contents += [(f"{name} {status}", *one) for one in answer.get("content", {}).items()]
        missing += [(where, kind) for where, kind, content in contents if "example" not in content]
    assert missing == []


def test_the_examples_are_what_the_schemas_say(client):
    document = client.app.openapi()
    seen = 0
    for _, operation in operations(document):
        contents = list(operation.get("requestBody", {"content": {}})["content"].values())
        for answer in operation["responses"].values():
            contents += answer.get("content", {}).values()
        for content in contents:
            if content.get("schema") and "example" in content:
                schema = content["schema"] | {"components": document["components"]}
                jsonschema.validate(content["example"], schema)
                seen += 1
    assert seen > 50


def test_the_examples_of_what_has_no_schema_of_pydantics_are_read_by_their_own_types():
    Feedback.from_json(json.dumps(examples.FEEDBACK).encode())
    msgspec.convert(examples.REPORT, Report)


def test_the_documents_are_valid_openapi(client):
    document = client.app.openapi()
    assert document["openapi"].startswith("3.1")
    ids = [operation["operationId"] for _, operation in operations(document)]
    assert len(ids) == len(set(ids))
    assert all(operation["description"] for _, operation in operations(document))
