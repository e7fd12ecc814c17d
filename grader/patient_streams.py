"""Standard output and error that outlive a full disk: what cannot be written is lost, and nothing else.

The service's log usually lies on the disk that is full. Python's own logging survives that; a plain write
would raise, in the middle of answering that the disk is full.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any, TextIO, cast


class PatientStream:
    """A text stream whose ``write`` and ``flush`` never raise OSError; all else is the stream's own."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write, or lose the text."""
        try:
            return self._stream.write(text)
        except OSError:
            return len(text)

    def flush(self) -> None:
        """Flush, or try again with the next line."""
        try:
            self._stream.flush()
        except OSError:
            return

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def patient_streams() -> Iterator[None]:
    """Make this process's standard streams patient for a while."""
    out, error = (cast(TextIO, PatientStream(stream)) for stream in (sys.stdout, sys.stderr))
    with redirect_stdout(out), redirect_stderr(error):
        yield
