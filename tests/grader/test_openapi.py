"""The OpenAPI document against the service: made-up requests of every role, and the document's own examples."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, seed
from hypothesis import settings as tried
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.python import asgi
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from grader.api.app import create_app
from grader.receive import publish_bundle
from grader.settings import Settings
from grader.store import open_store, tokens
from grader.store.database import migrate
from tests.grader.arithmetic import BUNDLE
from tests.grader.test_api import grade, submit

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES_EACH = 3
ROLES = ("nobody", "lms", "instructor", "monitor", "student")


class Made:
    """The running application, its schema, and what each role sends along."""

    def __init__(self, folder):
        settings = Settings(
            data_dir=folder,
            broker_url="memory://",
            link_requests_per_second=1000,
            token_requests_per_second=1000,
        )
        self.store = open_store(settings)
        migrate(self.store.engine)
        publish_bundle(self.store, BUNDLE)
        with self.store.write() as session:
            texts = {role: tokens.create(session, role, "test") for role in ("lms", "instructor", "monitor")}
        self.app = create_app(settings)
        self.headers = {role: {"Authorization": f"Bearer {text}"} for role, text in texts.items()}
        self.headers |= {"nobody": {}, "student": {}}

    def known(self, client):
        """Submit and grade one notebook; parameters that lead somewhere."""
        client.headers_of = self.headers
        sent = submit(client).json()
        grade(self.store, sent["id"])
        self.link = {
            name: value[0] for name, value in parse_qs(urlsplit(sent["links"]["page"]).query).items()
        }
        return {"submission_id": sent["id"], "assignment_id": "tests/arithmetic", "course": "tests"}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    made = Made(tmp_path_factory.mktemp("openapi") / "data")
    with TestClient(made.app) as client:
        made.parameters = made.known(client)
        made.schema = schemathesis.openapi.from_dict(made.app.openapi())
        made.schema.app = made.app
        with asgi.get_client(made.app) as session:
            made.session = session
            yield made
    made.store.close()


def known_parameters(made, operation):
    """This operation's own path parameters, with values that lead somewhere."""
    names = {parameter.name for parameter in operation.path_parameters}
    return {name: value for name, value in made.parameters.items() if name in names}


@pytest.mark.slow
@pytest.mark.parametrize("role", ROLES)
def test_what_the_service_answers_is_what_its_document_says(made, role):
    for found in made.schema.get_all_operations():
        operation = found.ok()
        for mode in GenerationMode:
            for path in (known_parameters(made, operation), None):
                query = made.link if role == "student" and "signature" in str(operation.query) else None
                _try(made, operation, mode, path, query, made.headers[role])


def _try(made, operation, mode, path, query, headers):
    @seed(20260101)
    @tried(
        max_examples=EXAMPLES_EACH,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode, path_parameters=path, query=query))
    def check(case):
        case.call_and_validate(
            base_url="http://testserver", session=made.session, headers=headers, checks=CHECKS
        )

    check()
