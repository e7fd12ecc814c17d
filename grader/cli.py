"""The command line. Results go to stdout, progress and remarks to stderr.

Exit codes: 0 all is well (low marks are no error), 1 some submissions could not be graded, 2 a wrong
command line, path, setting or assignment, 3 something of ours is missing or broke, 130 interrupted.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console

from checks import bundle
from checks.assignment import Assignment
from checks.evidence import Evidence
from checks.feedback import Feedback
from grader import demo as demonstration
from grader import regrade, show, show_class, up
from grader.access_commands import token_app, webhook_app
from grader.authoring_commands import push_assignment, rehearse_assignment
from grader.bundles import read_bundle
from grader.doctor import Finding, host_findings
from grader.due_commands import due_app
from grader.exits import Exit, exits
from grader.export_command import export_grades
from grader.gather import Found, GatherError, gather
from grader.interrupts import Interrupts, interrupts
from grader.keep import OutFolder, write_file
from grader.local import Graded, LocalGrader, judge_evidence, run_reference, sandbox_findings
from grader.offer import offered
from grader.origins import origins
from grader.processes import StartError
from grader.receive import publish_bundle
from grader.report_command import report_folder
from grader.settings import Settings
from grader.store import open_store
from grader.store.database import migrate
from grader.store.regrades import How

# Who did it, in the records of what the command line does.
CLI = "command line"
UNGRADABLE = frozenset({"rejected", "system_error"})

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
app.add_typer(token_app, name="token")
app.add_typer(webhook_app, name="webhook")
assignment_app.command(name="rehearse")(rehearse_assignment)
assignment_app.command(name="push")(push_assignment)
assignment_app.add_typer(due_app, name="due")
app.command(name="report")(report_folder)
app.command(name="export")(export_grades)

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
        settings = _settings(flags)
        _require_sandbox(settings)
        up.run(settings, lambda line: talk.print(f"· {line}", soft_wrap=True))


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
    timings: Annotated[bool, typer.Option("--timings", help="also tell where the time went")] = False,
) -> None:
    """Grade notebooks here and now, without a server."""
    with exits(), interrupts() as interrupted:
        settings = Settings()
        talk = show.progress_output()
        found = gather(paths, max_bytes=settings.max_notebook_bytes, remark=show.remarks(talk))
        files = read_bundle(assignment)
        kept = OutFolder(out, found) if out is not None else None
        talk.print(f"· {len(found)} notebook{'s' if len(found) != 1 else ''}; starting the sandbox")
        fine, lines, screen = True, [], show.output()
        with LocalGrader(settings, files) as grader, show.counter("graded", len(found), screen) as advance:
            for one, result in _graded(grader, found, jobs, interrupted):
                fine &= _deliver(one, result, screen, as_json=as_json, kept=kept)
                lines.append(show_class.Line.of(one.student, result))
                advance()
        if len(lines) > 1 and not as_json:
            screen.print(show_class.results(lines, screen.width), show_class.LEGEND, "", sep="\n")
        if timings:
            took = show_class.timings(lines, start=grader.start_seconds, reference=grader.reference_seconds)
            (talk if as_json else screen).print(took)
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
            _print(path.stem, feedback, show.output(), as_json=as_json)


@app.command(name="regrade")
def regrade_command(
    assignment: Annotated[str, typer.Argument(help="the assignment's id", show_default=False)],
    *,
    version: Annotated[
        str | None, typer.Option(help="judge by this version; the one in force otherwise")
    ] = None,
    apply: Annotated[bool, typer.Option("--apply", help="put the new verdicts in force")] = False,
    undo: Annotated[str | None, typer.Option(metavar="REGRADE", help="take an applied regrade back")] = None,
    run_again: Annotated[
        bool, typer.Option("--run-again", help="queue the submissions whose evidence does not tell")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="the preview as one JSON object")] = False,
) -> None:
    """Judge stored submissions again without running them; a preview, unless told to --apply."""
    with exits():
        settings = Settings()
        store = open_store(settings)
        migrate(store.engine)
        tell = show.remarks(show.progress_output())
        if undo is not None:
            tell(f"{regrade.undo(store, undo, by=CLI)} submissions have their earlier marks again")
            return
        made = regrade.begin_alone(
            store,
            assignment,
            version,
            How(CLI),
            lease_seconds=settings.lease_seconds,
            waiting=lambda other: tell(f"regrade {other} is in the way: waiting whether anybody is at it"),
        )

        def reference_of(new: regrade.Loaded) -> Evidence | None:
            stored = regrade.stored_reference(store, new)
            if stored is None and new.assignment.needs_reference:
                tell("the author's notebook runs first: checks compare with its values")
            return stored or run_reference(settings, new.files)

        with show.share("judged again") as progress:
            regrade.preview(
                store, made, reference_of, lease_seconds=settings.lease_seconds, progress=progress
            )
        found = regrade.report(store, made)
        _print_preview(found, as_json=as_json)
        if apply:
            tell(f"applied: {regrade.apply(store, made, by=CLI)} verdicts are in force; undo: --undo {made}")
        if run_again:
            tell(f"{regrade.run_again(store, made)} submissions are queued to run again")


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
        write_file(archive, bundle.pack(files))
        typer.echo(f"{archive}: version {bundle.digest(files)}")


@assignment_app.command(name="starter")
def write_starter(
    folder: Bundle, notebook: Annotated[Path, typer.Argument(help="the file to write")]
) -> None:
    """Write the notebook that students get."""
    with exits():
        write_file(notebook, read_bundle(folder)[bundle.STARTER])
        typer.echo(str(notebook))


@config_app.command(name="show")
def show_config(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="as one JSON object")] = False,
    with_origins: Annotated[
        bool, typer.Option("--origins", help="with --json: each as {value, from}")
    ] = False,
    host: Annotated[str | None, typer.Option(help="as with `grader up`")] = None,
    port: Annotated[int | None, typer.Option(help="as with `grader up`")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="as with `grader up`")] = None,
    workers: Annotated[int | None, typer.Option(help="as with `grader up`")] = None,
) -> None:
    """Print every setting and where its value comes from; secrets are masked."""
    given = {"host": host, "port": port, "data_dir": data_dir, "worker_processes": workers}
    flags = {name: value for name, value in given.items() if value is not None}
    with exits():
        shown, found = _settings(flags).shown(), origins(flags)
        if as_json:
            each = {name: {"value": value, "from": found[name]} for name, value in shown.items()}
            typer.echo(json.dumps(each if with_origins else shown, indent=2))
            return
        show.print_rows((name, "" if value is None else value, found[name]) for name, value in shown.items())


def _require_sandbox(settings: Settings) -> None:
    """Say at once, and all of it, what a worker would refuse to start without."""
    missing = [one for one in sandbox_findings(settings, start=False) if not one.ok]
    if missing:
        what = "\n".join(f"{one.what}: {one.detail}" for one in missing)
        raise StartError(f"this host cannot run notebooks safely\n{what}")


def _print_preview(found: regrade.Preview, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(msgspec.json.encode(found).decode() + "\n")
        return
    out = show.output()
    out.print(
        f"{found.assignment}: {found.total} submissions judged by {found.version[:19]}: "
        f"{found.rises} rise, {found.falls} fall, {found.other} change otherwise, {found.unchanged} stay"
    )
    if found.parts:
        out.print(show.moves(found))
    if found.needs_run:
        out.print(f"{len(found.needs_run)} have to run again: {', '.join(found.needs_run)}")


def _settings(flags: dict[str, Any]) -> Settings:
    return Settings(**{name: value for name, value in flags.items() if value is not None})


def _graded(
    grader: LocalGrader, found: list[Found], jobs: int, interrupted: Interrupts
) -> Iterator[tuple[Found, Graded]]:
    """Results in the order of the notebooks, each as soon as it and all before it are there."""
    pool = ThreadPoolExecutor(jobs)
    try:
        results = [pool.submit(_grade, grader, one) for one in found]
        for one, result in zip(found, results, strict=True):
            yield one, interrupted.result(result)
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


def _deliver(one: Found, result: Graded, out: Console, *, as_json: bool, kept: OutFolder | None) -> bool:
    if kept is not None:
        kept.keep(one.student, result)
    _print(one.student, result.feedback, out, as_json=as_json)
    return result.feedback.run.status not in UNGRADABLE and not any(
        part.status == "unjudged" for part in result.feedback.parts
    )


def _print(title: str, feedback: Feedback, out: Console, *, as_json: bool) -> None:
    document = feedback.to_json()
    if as_json and out.is_terminal:
        out.out(document.decode(), highlight=False)  # one line, above a bar
        return
    if as_json:
        sys.stdout.write(document.decode() + "\n")
        sys.stdout.flush()
        return
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
