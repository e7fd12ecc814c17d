from __future__ import annotations

import io
import json
import logging
import sys
from contextlib import suppress
from pathlib import Path

import pytest
import structlog

from grader import logs
from grader.patient_streams import PatientStream, patient_streams


@pytest.fixture
def full():
    """A text stream to a device that is always full."""
    stream = Path("/dev/full").open("w", buffering=1)  # noqa: SIM115 - closing it raises
    yield stream
    with suppress(OSError):
        stream.close()


def test_a_line_that_cannot_be_written_is_lost_and_nothing_else(full):
    with pytest.raises(OSError, match="No space"):
        print("lost", file=full, flush=True)
    patient = PatientStream(full)
    print("lost", file=patient, flush=True)
    assert (patient.name, patient.isatty()) == ("/dev/full", False)


@pytest.mark.usefixtures("logging_restored")
def test_logs_that_were_set_up_before_go_through_the_patient_stream_too(monkeypatch, full):
    """The service sets up its logs first, then its streams."""
    plain = io.StringIO()
    monkeypatch.setattr(sys, "stderr", plain)
    logs.configure()
    log = structlog.get_logger("service")
    log.info("before")
    monkeypatch.setattr(sys, "stderr", full)
    with patient_streams():
        log.info("lost")
        logging.getLogger("uvicorn.error").warning("lost, too")
        monkeypatch.setattr(sys, "stderr", plain)
        log.info("there is space again")
    assert [json.loads(line)["event"] for line in plain.getvalue().splitlines()] == [
        "before",
        "there is space again",
    ]


def test_the_process_prints_as_before(capsys):
    with patient_streams():
        print("told")
    assert capsys.readouterr().out == "told\n"
