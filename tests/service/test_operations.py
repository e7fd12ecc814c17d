"""Figures and logs of real processes."""

from __future__ import annotations

import json
import re
import time

import pytest

from tests.grader.arithmetic import RIGHT

pytestmark = pytest.mark.service


def logged(lms, part):
    """What a part of the service logged; Celery greets in a form of its own."""
    lines = (lms.settings.data_dir / "logs" / f"{part}.log").read_text().splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")]


def test_the_figures_say_where_notebooks_are_taken(lms):
    deadline = time.monotonic() + 60
    while True:
        said = lms.client.get("/metrics").text
        found = re.findall(r'^grader_kernels_ready\{environment="(.*)"\} (.*)$', said, re.MULTILINE)
        if found:
            break
        assert time.monotonic() < deadline
        time.sleep(0.5)
    assert {name: float(value) for name, value in found} == dict.fromkeys(lms.settings.serves, 1.0)


def test_every_line_about_an_attempt_names_it_and_its_submission(lms):
    sent = lms.submit(RIGHT, student="logged")
    lms.feedback(sent)
    mine = [line for line in logged(lms, "worker") if line.get("submission") == sent["id"]]
    assert "graded" in {line["event"] for line in mine}
    assert all(line["attempt"] for line in mine)
    assert {"accepted", "request"} <= {
        line["event"] for line in logged(lms, "api") if line.get("submission") == sent["id"]
    }
