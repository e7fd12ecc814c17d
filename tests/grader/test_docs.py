"""What the documents say of the service is what the code does."""

from __future__ import annotations

import re

import pytest

from grader.api.app import create_app
from grader.api.problems import STATUSES
from grader.cli import Exit
from grader.settings import Settings
from tests.conftest import ROOT

API = (ROOT / "docs" / "api.md").read_text()
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()


def test_every_route_is_documented_and_no_other(settings):
    paths = create_app(settings).openapi()["paths"]
    made = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
    assert set(re.findall(r"^\| `((?:GET|POST) [^`]+)`", API, re.MULTILINE)) == made


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_documented_with_its_description(name):
    assert re.search(
        rf"^\| `GRADER_{name.upper()}` \|.*{re.escape(str(Settings.model_fields[name].description))}",
        OPERATIONS,
        re.MULTILINE,
    )


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
