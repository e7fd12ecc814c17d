"""The command line. Results go to stdout, progress and remarks to stderr.

Exit codes: 0 all is well (low marks are no error), 1 some submissions could not be graded, 2 a wrong
command line, path, setting or assignment, 3 something of ours is missing or broke, 130 interrupted.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from pydantic import ValidationError
from rich.table import Table
from sqlalchemy.exc import OperationalError

from checks import bundle
from checks.assignment import Assignment
from checks.errors import BundleError, SpecError
from checks.evidence import Evidence
from checks.feedback import Feedback
from grader import demo as demonstration
from grader import show, up
from grader.bundles import read_bundle
from grader.doctor import Finding, host_findings
from grader.gather import Found, GatherError, gather
from grader.keep import OutError, OutFolder
from grader.local import Graded, InfrastructureError, LocalGrader, judge_evidence, sandbox_findings
from grader.offer import offered
from grader.processes import StartError
from grader.receive import publish_bundle
from grader.settings import ConfigFileError, Settings
from grader.store import BlobMissingError, open_store
from grader.store.database import migrate
from grader.store.references import ReferenceFailedError

UNGRADABLE = frozenset({"rejected", "system_error"})


class Exit(IntEnum):
    """Exit codes."""

    OK = 0
    NOT_GRADED = 1
    USAGE = 2
    INFRASTRUCTURE = 3
    INTERRUPTED = 130


app = typer.Typer(
    help="Grades Jupyter notebooks part by part.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
assignment_app = typer.Typer(help="Check and publish assignments.", no_args_is_help=True)
config_app = typer.Typer(help="The settings in force.", no_args_is_help=True)
app.add_typer(assignment_app, name="assignment")
app.add_typer(config_app, name="config")

Bundle = Annotated[Path, typer.Argument(help="the assignment's folder", show_default=False)]
BundleOption = Annotated[
    Path, typer.Option("--assignment", "-a", help="the assignment's folder", show_default=False)
]


def main() -> None:
    """The console script."""
    app()


@app.command()
def demo(
    *,
    keep: Annotated[bool, typer.Option("--keep", help="leave the service running until Ctrl-C")] = False,
    course: Annotated[Path, typer.Option(help="folder of example assignments")] = demonstration.COURSE,
) -> None:
    """Start everything here, grade samples over HTTP, show the feedback and the report's address."""
    with exits():
        base = Settings()
        settings = base.model_copy(update={"data_dir": base.data_dir / "demo", "port": 0})
        if not demonstration.run(settings, course=course, keep=keep):
            raise typer.Exit(Exit.NOT_GRADED)


@app.command(name="up")
def up_command(
    host: Annotated[str | None, typer.Option(help="address to listen on")] = None,
    port: Annotated[int | None, typer.Option(help="port to listen on; 0 takes a free one")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="where all state is kept")] = None,
    workers: Annotated[int | None, typer.Option(help="notebooks graded at once")] = None,
) -> None:
    """Run the service: Redis (embedded unless configured), API and pages, workers."""
    flags = {"host": host, "port": port, "data_dir": data_dir, "worker_processes": workers}
    talk = show.progress_output()
    with exits():
        up.run(_settings(flags), lambda line: talk.print(f"· {line}", soft_wrap=True))


@app.command()
def grade(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH…", help="notebooks, folders, zips", show_default=False)
    ],
    assignment: BundleOption,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="one feedback/1 object per line")] = False,
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=1, help="notebooks run at once")] = 1,
    out: Annotated[
        Path | None, typer.Option(help="folder for feedback, evidence, executed notebooks")
    ] = None,
) -> None:
    """Grade notebooks here and now, without a server."""
    with exits():
        settings = Settings()
        found = gather(paths, max_bytes=settings.max_notebook_bytes)
        files = read_bundle(assignment)
        kept = OutFolder(out, found) if out is not None else None
        talk = show.progress_output()
        talk.print(f"· {len(found)} notebook{'s' if len(found) != 1 else ''}; starting the sandbox")
        fine = True
        with LocalGrader(settings, files) as grader, show.counter("graded", len(found)) as advance:
            for one, result in _graded(grader, found, jobs):
                fine &= _deliver(one, result, as_json=as_json, kept=kept)
                advance()
        if not fine:
            raise typer.Exit(Exit.NOT_GRADED)


@app.command()
def judge(
    evidence: Annotated[list[Path], typer.Argument(help="files written by grade --out", show_default=False)],
    assignment: BundleOption,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="one feedback/1 object per line")] = False,
) -> None:
    """Judge stored evidence by the assignment as it is now; runs nothing."""
    with exits():
        settings, files = Settings(), read_bundle(assignment)
        for path in evidence:
            record = _evidence(path)
            feedback = judge_evidence(settings, files, record, path.stem)
            _print(path.stem, feedback, as_json=as_json)


@app.command()
def doctor(
    *,
    start: Annotated[
        bool, typer.Option("--start", help="also start each sandbox once (takes seconds)")
    ] = False,
) -> None:
    """Say what this host has and what is missing."""
    with exits():
        settings = Settings()
        findings = [*host_findings(settings), *sandbox_findings(settings, start=start)]
        for finding in findings:
            _print_finding(finding)
        if not all(finding.ok for finding in findings):
            raise typer.Exit(Exit.INFRASTRUCTURE)


@assignment_app.command(name="check")
def check_assignment(folder: Bundle) -> None:
    """Read an assignment and report every mistake at once."""
    with exits():
        found = Assignment.from_files(read_bundle(folder), offered())
        for warning in found.warnings:
            typer.echo(f"{warning} (a warning)", err=True)
        points = sum(part.points for part in found.parts if part.graded and not part.bonus)
        typer.echo(f"{found.id}: {len(found.parts)} parts, {points:g} points, version {found.version}")


@assignment_app.command(name="publish")
def publish_assignment(folder: Bundle) -> None:
    """Put an assignment in force for the service of this data directory."""
    with exits():
        store = open_store(Settings())
        migrate(store.engine)
        published = publish_bundle(store, read_bundle(folder))
        typer.echo(f"{published.id}: version {published.version}")


@assignment_app.command(name="pack")
def pack_assignment(
    folder: Bundle, archive: Annotated[Path, typer.Argument(help="the file to write")]
) -> None:
    """Write an assignment as the one archive that the API takes."""
    with exits():
        files = read_bundle(folder)
        Assignment.from_files(files, offered())
        _write(archive, bundle.pack(files))
        typer.echo(f"{archive}: version {bundle.digest(files)}")


@assignment_app.command(name="starter")
def write_starter(
    folder: Bundle, notebook: Annotated[Path, typer.Argument(help="the file to write")]
) -> None:
    """Write the notebook that students get."""
    with exits():
        _write(notebook, read_bundle(folder)[bundle.STARTER])
        typer.echo(str(notebook))


@config_app.command(name="show")
def show_config(
    *, as_json: Annotated[bool, typer.Option("--json", help="as one JSON object")] = False
) -> None:
    """Print every setting; secrets are masked."""
    with exits():
        shown = Settings().shown()
        if as_json:
            typer.echo(json.dumps(shown, indent=2))
            return
        table = Table(show_header=False, show_edge=False, box=None)
        for name, value in shown.items():
            table.add_row(name, "" if value is None else str(value))
        show.output().print(table)


@contextmanager
def exits() -> Iterator[None]:
    """Turn the errors that a person can do something about into a message and an exit code."""
    try:
        yield
    except (SpecError, BundleError, GatherError, OutError, ConfigFileError) as error:
        _fail(str(error), Exit.USAGE)
    except ValidationError as error:
        mistakes = (f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        _fail("the settings have mistakes\n" + "\n".join(mistakes), Exit.USAGE)
    except (OSError, OperationalError) as error:
        _fail(f"the data directory cannot be used: {error}", Exit.INFRASTRUCTURE)
    except (InfrastructureError, ReferenceFailedError, BlobMissingError, StartError) as error:
        _fail(str(error), Exit.INFRASTRUCTURE)
    except demonstration.DemoError as error:
        _fail(str(error), Exit.INFRASTRUCTURE)
    except KeyboardInterrupt:
        _fail("interrupted", Exit.INTERRUPTED)


def _fail(message: str, code: Exit) -> None:
    print(message, file=sys.stderr)
    raise typer.Exit(code)


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise OutError(f"{path}: {error.strerror}") from error


def _settings(flags: dict[str, Any]) -> Settings:
    return Settings(**{name: value for name, value in flags.items() if value is not None})


def _graded(grader: LocalGrader, found: list[Found], jobs: int) -> Iterator[tuple[Found, Graded]]:
    """Results in the order of the notebooks, each as soon as it and all before it are there."""
    pool = ThreadPoolExecutor(jobs)
    try:
        results = pool.map(lambda one: _grade(grader, one), found)
        yield from zip(found, results, strict=True)
    except BaseException:
        # Whatever still runs ends with the sandbox; nobody waits for a notebook's time limit after Ctrl-C.
        grader.close()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _grade(grader: LocalGrader, one: Found) -> Graded:
    if one.refusal:
        return grader.reject(one.content, one.student, one.refusal)
    return grader.grade(one.content, one.student)


def _deliver(one: Found, result: Graded, *, as_json: bool, kept: OutFolder | None) -> bool:
    if kept is not None:
        kept.keep(one.student, result)
    _print(one.student, result.feedback, as_json=as_json)
    return result.feedback.run.status not in UNGRADABLE and not any(
        part.status == "unjudged" for part in result.feedback.parts
    )


def _print(title: str, feedback: Feedback, *, as_json: bool) -> None:
    document = feedback.to_json()
    if as_json:
        sys.stdout.write(document.decode() + "\n")
        sys.stdout.flush()
        return
    out = show.output()
    out.print(show.table(title, show.read(document)))
    out.print()


def _evidence(path: Path) -> Evidence:
    try:
        return Evidence.from_bytes(path.read_bytes())
    except OSError as error:
        raise GatherError(f"{path}: {error.strerror}") from error
    except msgspec.DecodeError as error:
        raise GatherError(f"{path}: not evidence: {error}") from error


def _print_finding(finding: Finding) -> None:
    typer.echo(f"{'ok     ' if finding.ok else 'MISSING'}  {finding.what}: {finding.detail}")
