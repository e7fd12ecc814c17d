"""How a command ends: what a person can do something about becomes a message on stderr and an exit code."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

import typer
from pydantic import ValidationError
from sqlalchemy.exc import OperationalError

from checks.errors import BundleError, SpecError
from grader.authoring.push import PushError, RefusedError
from grader.delivery.address import AddressRefusedError
from grader.demo import DemoError
from grader.due import DueError
from grader.exporters import ExportError
from grader.folder_report import NothingToReportError
from grader.gather import GatherError
from grader.keep import OutError
from grader.local import InfrastructureError
from grader.processes import StartError
from grader.receive import BadRequestError
from grader.regrade import RegradeError
from grader.safety import UnsafeError
from grader.settings import ConfigFileError
from grader.store import BlobMissingError
from grader.store.assignments import UnknownAssignmentError
from grader.store.database import NewerDatabaseError
from grader.store.due import NoDueDateError, UnknownExtensionError
from grader.store.references import ReferenceFailedError
from grader.store.regrades import RegradeBusyError, RegradeStateError, UnknownRegradeError
from grader.store.tokens import BadCourseError, UnknownTokenError
from grader.store.webhooks import CannotSendAgainError, UnknownDeliveryError, UnknownWebhookError


class Exit(IntEnum):
    """Exit codes."""

    OK = 0
    NOT_GRADED = 1
    USAGE = 2
    INFRASTRUCTURE = 3
    INTERRUPTED = 130


# What is said of an error, and the command's exit code; the first that fits counts.
KNOWN: tuple[tuple[tuple[type[Exception], ...], str, Exit], ...] = (
    ((SpecError, BundleError, GatherError, OutError, ConfigFileError, UnsafeError), "{}", Exit.USAGE),
    ((BadCourseError, AddressRefusedError, ExportError, DueError, BadRequestError), "{}", Exit.USAGE),
    ((RegradeError, RegradeStateError, RegradeBusyError, CannotSendAgainError), "{}", Exit.USAGE),
    ((RefusedError, NothingToReportError), "{}", Exit.USAGE),
    ((PushError,), "{}", Exit.INFRASTRUCTURE),
    (
        (UnknownTokenError, UnknownWebhookError, UnknownDeliveryError, UnknownRegradeError),
        "there is none with this id: {}",
        Exit.USAGE,
    ),
    ((UnknownAssignmentError,), "there is no folder and no assignment {}", Exit.USAGE),
    ((NoDueDateError,), "{} has no due date that could be extended", Exit.USAGE),
    ((UnknownExtensionError,), "{} has no due date of his own", Exit.USAGE),
    ((OperationalError,), "the database cannot be used: {}", Exit.INFRASTRUCTURE),
    ((OSError,), "the data directory cannot be used: {}", Exit.INFRASTRUCTURE),
    ((InfrastructureError, ReferenceFailedError, BlobMissingError, StartError), "{}", Exit.INFRASTRUCTURE),
    ((DemoError, NewerDatabaseError), "{}", Exit.INFRASTRUCTURE),
)
_ALL = tuple(kind for kinds, _, _ in KNOWN for kind in kinds)


@contextmanager
def exits() -> Iterator[None]:
    """Turn the errors that a person can do something about into a message and an exit code."""
    try:
        yield
    except ValidationError as error:
        mistakes = (f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        fail("the settings have mistakes\n" + "\n".join(mistakes), Exit.USAGE)
    except _ALL as error:
        words, code = next((words, code) for kinds, words, code in KNOWN if isinstance(error, kinds))
        fail(words.format(error), code)
    except KeyboardInterrupt:
        fail("interrupted", Exit.INTERRUPTED)


def fail(message: str, code: Exit) -> None:
    """Say why, and end with the code."""
    print(message, file=sys.stderr)
    raise typer.Exit(code)
