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
from grader.exporters import ExportError
from grader.folder_report import NothingToReportError
from grader.gather import GatherError
from grader.keep import OutError
from grader.local import InfrastructureError
from grader.processes import StartError
from grader.regrade import RegradeError
from grader.safety import UnsafeError
from grader.settings import ConfigFileError
from grader.store import BlobMissingError
from grader.store.assignments import UnknownAssignmentError
from grader.store.database import NewerDatabaseError
from grader.store.references import ReferenceFailedError
from grader.store.regrades import RegradeBusyError, RegradeStateError, UnknownRegradeError
from grader.store.tokens import BadCourseError, UnknownTokenError
from grader.store.webhooks import UnknownWebhookError


class Exit(IntEnum):
    """Exit codes."""

    OK = 0
    NOT_GRADED = 1
    USAGE = 2
    INFRASTRUCTURE = 3
    INTERRUPTED = 130


@contextmanager
def exits() -> Iterator[None]:
    """Turn the errors that a person can do something about into a message and an exit code."""
    try:
        yield
    except (SpecError, BundleError, GatherError, OutError, ConfigFileError, UnsafeError) as error:
        fail(str(error), Exit.USAGE)
    except (
        BadCourseError,
        AddressRefusedError,
        ExportError,
        RegradeError,
        RegradeStateError,
        RegradeBusyError,
    ) as error:
        fail(str(error), Exit.USAGE)
    except (RefusedError, NothingToReportError) as error:
        fail(str(error), Exit.USAGE)
    except PushError as error:
        fail(str(error), Exit.INFRASTRUCTURE)
    except (UnknownTokenError, UnknownWebhookError, UnknownRegradeError) as error:
        fail(f"there is none with this id: {error}", Exit.USAGE)
    except UnknownAssignmentError as error:
        fail(f"there is no folder and no assignment {error}", Exit.USAGE)
    except ValidationError as error:
        mistakes = (f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        fail("the settings have mistakes\n" + "\n".join(mistakes), Exit.USAGE)
    except (OSError, OperationalError) as error:
        fail(f"the data directory cannot be used: {error}", Exit.INFRASTRUCTURE)
    except (InfrastructureError, ReferenceFailedError, BlobMissingError, StartError) as error:
        fail(str(error), Exit.INFRASTRUCTURE)
    except (DemoError, NewerDatabaseError) as error:
        fail(str(error), Exit.INFRASTRUCTURE)
    except KeyboardInterrupt:
        fail("interrupted", Exit.INTERRUPTED)


def fail(message: str, code: Exit) -> None:
    """Say why, and end with the code."""
    print(message, file=sys.stderr)
    raise typer.Exit(code)
