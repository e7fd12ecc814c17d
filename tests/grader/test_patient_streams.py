from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

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


def test_the_process_prints_as_before(capsys):
    with patient_streams():
        print("told")
    assert capsys.readouterr().out == "told\n"
