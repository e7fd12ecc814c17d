"""What the documents say of the service is what the code does."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from grader.api.app import create_app
from grader.api.census import LOOK_SECONDS
from grader.api.problems import STATUSES
from grader.api.webhooks import MAX_WEBHOOKS
from grader.cli import Exit
from grader.delivery.sender import ANSWER_BYTES, TRY_SECONDS
from grader.safety import SHORTEST_KEY
from grader.settings import Settings
from grader.store.audit import Action
from grader.store.tables import Role
from grader.store.webhooks import EVENTS
from tests.conftest import ROOT

API = (ROOT / "docs" / "api.md").read_text()
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()


def test_every_route_is_documented_and_no_other(settings):
    paths = create_app(settings).openapi()["paths"]
    made = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
    assert set(re.findall(r"^\| `((?:GET|POST|PUT|DELETE) [^`]+)`", API, re.MULTILINE)) == made


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_documented_with_its_description(name):
    assert re.search(
        rf"^\| `GRADER_{name.upper()}` \|.*{re.escape(str(Settings.model_fields[name].description))}",
        OPERATIONS,
        re.MULTILINE,
    )


def test_every_default_of_a_plain_setting_is_documented():
    for name, field in Settings.model_fields.items():
        if isinstance(field.default, (bool, int, float)):
            default = str(field.default).lower()
            assert f"| `GRADER_{name.upper()}` | {default} |" in OPERATIONS


def test_every_event_action_and_role_is_documented():
    assert {name for name in EVENTS if f"| `{name}` |" not in API} == set()
    assert {name for name in get_args(Action) if f"`{name}`" not in API} == set()
    assert {name for name in get_args(Role) if f"| `{name}` |" not in API} == set()


def test_every_figure_is_documented_and_no_other(client):
    client.get("/livez")
    said = client.get("/metrics", headers=client.headers_of["monitor"]).text
    made = {
        re.sub(r"_(bucket|count|sum)$", "", name) if kind == "histogram" else name
        for name, kind in re.findall(r"^# TYPE (grader_\w+) (\w+)$", said, re.MULTILINE)
        if not name.endswith("_created")
    }
    assert set(re.findall(r"^\| `(grader_\w+)`", OPERATIONS, re.MULTILINE)) == made


def test_the_bounds_of_webhooks_are_documented():
    assert f"within {TRY_SECONDS:g} seconds" in API
    assert f"At most {ANSWER_BYTES >> 10} KiB" in API
    assert f"at most {MAX_WEBHOOKS} webhooks" in API
    assert f"shorter than {SHORTEST_KEY} characters" in OPERATIONS
    assert f"every {LOOK_SECONDS:g} s" in OPERATIONS


def test_every_exit_code_is_documented():
    assert set(re.findall(r"^\| (\d+) \|", OPERATIONS, re.MULTILINE)) == {str(code.value) for code in Exit}


def test_the_time_to_drain_is_documented():
    assert f"up to {Settings.model_fields['drain_seconds'].default:g} s" in OPERATIONS


def test_every_problem_of_a_bare_status_is_documented():
    assert {name for _, name in STATUSES.values() if name != "conflict" and f"`{name}`" not in API} == set()


def test_every_problem_of_the_code_is_documented():
    code = "".join(path.read_text() for path in (ROOT / "grader" / "api").glob("*.py"))
    named = set(re.findall(r"Problem\(\s*\d{3}, \"([a-z-]+)\"", code)) | set(
        re.findall(r", \d{3}, \"([a-z-]+)\"\)", code)
    )
    assert named
    assert {name for name in named if f"`{name}`" not in API} == set()
