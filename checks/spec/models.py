"""What an ``assignment.yaml`` says, as models; ``docs/spec.md`` explains every key."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Annotated
from typing import Literal as OneOf

from pydantic import Field, model_validator

from checks import plan
from checks.bundle import input_key
from checks.errors import BundleError
from checks.evidence import values as v
from checks.spec import unreachable
from checks.spec.audience import Visible
from checks.spec.base import Found, Piece, Scope, walk
from checks.spec.check import Check
from checks.spec.literal import Literal, literal_node
from checks.spec.marking import CarryForward, Misconception, Remark, Steps
from checks.spec.naming import AssignmentId, Identifier, PartId
from checks.spec.reading import Path
from checks.spec.suggesting import suggestion
from checks.spec.wording import message_problems

_DEFAULTS = plan.Limits()


class Limits(Piece):
    """Bounds of one run: seconds of wall time for the notebook and for each cell, sizes in MiB, processes."""

    seconds: float = Field(default=_DEFAULTS.seconds, gt=0, le=86_400)
    cell_seconds: float = Field(default=_DEFAULTS.cell_seconds, gt=0, le=86_400)
    memory_mib: int = Field(default=_DEFAULTS.memory_mib, gt=0, le=1 << 20)
    output_mib: float = Field(default=_DEFAULTS.output_mib, gt=0, le=1024)
    disk_mib: int = Field(default=_DEFAULTS.disk_mib, gt=0, le=1 << 20)
    processes: int = Field(default=_DEFAULTS.processes, gt=0, le=10_000)


class Variable(Piece):
    """A variable that is taken when the part's check runs.

    An ``answer`` is what the part asks for; a ``set-up`` or ``earlier part`` variable is there to be compared
    with. ``starter`` is the value that the starter notebook gives it: a placeholder, not an answer.
    """

    role: OneOf["answer", "set-up", "earlier part"] = "answer"
    starter: Literal | None = Field(
        default=None, description="the placeholder's value; leave out where there is none"
    )
    figure: bool = Field(
        default=False, description="not a variable, but the figure that was drawn last when the check runs"
    )
    file: str | None = Field(
        default=None, description="not a variable, but the file that the notebook wrote at this place"
    )

    def problems(self, _scope: Scope) -> Iterator[Found]:
        """What cannot be at once, and files that lie elsewhere."""
        if self.figure and self.file is not None:
            yield ("file",), "what is a figure is no file", ""
        if self.product and "starter" in self.model_fields_set:
            yield ("starter",), "a figure or a file has no placeholder", ""
        if self.file is not None and (not _safe_target(self.file) or self.file.startswith("../")):
            yield ("file",), f"{self.file!r} is no place beside the notebook", "results/table.csv"

    @property
    def product(self) -> str:
        """``figure`` or ``file:<path>``; empty for a variable."""
        return "figure" if self.figure else "" if self.file is None else f"file:{self.file}"

    @property
    def placeholder(self) -> v.AnyNode | None:
        """The starter value; None where the spec names none."""
        return literal_node(self.starter) if "starter" in self.model_fields_set else None


class Column(Piece):
    """A column of a table variable."""

    table: Identifier
    column: str

    def problems(self, scope: Scope) -> Iterator[Found]:
        """A table that the part does not watch."""
        if self.table not in scope.variables:
            yield ("table",), f"{self.table!r} is none of the part's variables", ""


class NotAttempted(Piece):
    """How an untouched part is told where no variable has a placeholder's value.

    ``unassigned``: names that the student has to create; the part is untouched while its answer has no value
    and no cell assigns one of them. ``unstored``: a column that the student has to add; the part is untouched
    while the column is missing, the cells with the part's check hold nothing else, and no cell stores such a
    column.
    """

    unassigned: list[Identifier] = Field(default=[])
    unstored: Column | None = None

    @model_validator(mode="before")
    @classmethod
    def _spelled_short(cls, given: object) -> object:
        if isinstance(given, dict) and isinstance(given.get("unassigned"), str):
            return {**given, "unassigned": [given["unassigned"]]}
        return given


class Crash(Piece):
    """A known way for the student's own code to stop: the ``exception``'s class and pieces of its text."""

    id: Identifier
    exception: Identifier
    contains: str | list[str] = Field(
        default=[], description="pieces that the exception's text must all hold; none: any text"
    )
    message: str

    def explains(self, exception: str, text: str) -> bool:
        """Whether an exception is the one that is meant."""
        pieces = [self.contains] if isinstance(self.contains, str) else self.contains
        return exception == self.exception and all(piece in text for piece in pieces)

    def problems(self, _scope: Scope) -> Iterator[Found]:
        """Fields of the message: there are none."""
        yield from message_problems(self.message, ("message",), {})


class Part(Piece):
    """One question. A part that is not ``graded`` is there to think about:
    it has neither checks nor points.
    """

    id: PartId
    title: str = Field(min_length=1)
    points: float = Field(default=1.0, ge=0, le=10_000)
    graded: bool = True
    bonus: bool = Field(default=False, description="its points come on top: they are not in max_score")
    marked_by: OneOf["checks", "hand"] = Field(
        default="checks", description="hand: a person gives the points; checks only tell that person more"
    )
    needs: list[PartId] = Field(
        default=[], description="earlier parts that must be right for this one to count"
    )
    carry_forward: CarryForward | None = None
    visible: Visible = Field(
        default="always", description="who sees the part: always, after_due, instructors"
    )
    message_visible: Visible = Field(default="always", description="who sees what is said about it")
    variables: dict[Identifier, Variable] = Field(default={})
    not_attempted: NotAttempted | None = None
    checks: list[Check] = Field(default=[])
    credit: OneOf["lowest", "weighted"] | Steps = Field(
        default="lowest",
        description="the part's credit: the lowest of its checks', their mean by weight, or by steps",
    )
    misconceptions: list[Misconception] = Field(default=[])
    remarks: list[Remark] = Field(default=[], description="kind words about a right answer")
    crashes: list[Crash] = Field(default=[], description="what known exceptions of the part's own cell mean")
    hints: list[str] = Field(default=[])
    solution: str = Field(default="", description="for people who may see it; it never enters the sandbox")
    correct: str = Field(default="Right.", description="what the student reads when everything is right")

    @cached_property
    def answers(self) -> tuple[str, ...]:
        """The variables that the part asks for."""
        return tuple(name for name, variable in self.variables.items() if variable.role == "answer")

    @property
    def products(self) -> dict[str, str]:
        """What is taken beside variables, by name."""
        return {name: each.product for name, each in self.variables.items() if each.product}

    @cached_property
    def reads_code(self) -> bool:
        """Whether a check of the part looks at the notebook's code."""
        return any(getattr(piece, "reads_code", False) for _, piece in walk(self) if piece is not self)

    def named_checks(self) -> dict[str, Check]:
        """The checks by id; those without one are called by their kind's word,
        numbered where it comes again.
        """
        named: dict[str, Check] = {}
        for check in self.checks:
            name, number = check.id or check.word, 2
            while name in named:
                name, number = f"{check.id or check.word}-{number}", number + 1
            named[name] = check
        return named

    def problems(self, _scope: Scope) -> Iterator[Found]:
        """What does not go together."""
        yield from self._mode_problems()
        yield from _repeated(("checks",), [check.id for check in self.checks], "id")
        yield from _repeated(("misconceptions",), [each.id for each in self.misconceptions], "id")
        yield from _repeated(("crashes",), [each.id for each in self.crashes], "id")
        yield from _repeated(("remarks",), [each.id for each in self.remarks], "id")
        yield from message_problems(self.correct, ("correct",), {})
        if isinstance(self.credit, Steps) and len(self.credit.steps) != len(self.checks):
            what = f"{len(self.credit.steps)} steps for {len(self.checks)} checks: one number for each check"
            yield ("credit", "steps"), what, ""
        yield from unreachable.problems(self.named_checks(), self.checks, self.misconceptions)

    def _mode_problems(self) -> Iterator[Found]:
        """What a part has that is judged, marked by hand, or only there to think about."""
        if not self.graded:
            if self.checks or self.misconceptions:
                yield ("graded",), "a part that is not graded has no checks", ""
            if "points" in self.model_fields_set and self.points:
                yield ("points",), "a part that is not graded has no points", ""
            if self.bonus or self.marked_by == "hand" or self.needs or self.carry_forward:
                yield ("graded",), "a part that is not graded has no bonus, mark, needs or carry_forward", ""
            return
        if self.marked_by == "hand":
            if self.misconceptions or self.carry_forward:
                yield ("marked_by",), "a part that a person marks has no misconceptions or carry_forward", ""
            return
        if not self.checks:
            yield ("checks",), "a graded part needs a check", "graded: false, for a question to think about"
        if not self.answers:
            yield ("variables",), "a graded part needs a variable whose role is answer", ""


class Reference(Piece):
    """The author's run: ``variables`` are taken at its end, beside those of the parts."""

    variables: list[Identifier] = Field(default=[])

    def problems(self, _scope: Scope) -> Iterator[Found]:
        """A name that is listed twice."""
        yield from _repeated(("variables",), list(self.variables))


class AssignmentSpec(Piece):
    """The whole file."""

    id: AssignmentId
    title: str = Field(min_length=1)
    environment: Identifier
    compat: list[Identifier] = Field(
        default=[], description="shims of the environment that its notebooks need"
    )
    module: Annotated[str, Field(pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$")] | None = Field(
        default=None, description="the module from which the notebook imports its parts"
    )
    limits: Limits = Limits()
    inputs: dict[str, str] = Field(
        default={},
        description="where the notebook looks: the file that it finds there, seen from this file's folder",
    )
    seed: int | None = Field(
        default=None,
        ge=0,
        le=2**32 - 1,
        description="what random generators begin with; else another each run",
    )
    reuse_evidence: bool | None = Field(
        default=None,
        description="an identical notebook is judged on its earlier run; by default where there is a seed",
    )
    reference: Reference = Reference()
    points: float | None = Field(
        default=None, description="what the parts' points add up to, without bonus; a guard against slips"
    )
    bonus: OneOf["added", "capped"] = Field(
        default="added", description="whether bonus points lift the score above max_score, or only up to it"
    )
    parts: list[Part] = Field(min_length=1)

    def input_keys(self) -> dict[str, str]:
        """Where the notebook looks -> the bundle's key of the file; raises BundleError for an unsafe path."""
        return {target: input_key(source) for target, source in self.inputs.items()}

    def problems(self, _scope: Scope) -> Iterator[Found]:
        """Parts that are named twice, inputs from or to places that they must not reach."""
        yield from _repeated(("parts",), [part.id for part in self.parts], "id")
        yield from self._points_problems()
        yield from self._order_problems()
        sources: dict[str, str] = {}
        for target, source in self.inputs.items():
            if not _safe_target(target):
                yield ("inputs", target), f"{target!r} is no place beside or above the notebook", "../input/…"
            try:
                first = sources.setdefault(input_key(source), source)
            except BundleError as error:
                yield ("inputs", target), str(error), ""
            else:
                if first != source:
                    yield ("inputs", target), f"{source!r} and {first!r} would be one file in the bundle", ""

    def _points_problems(self) -> Iterator[Found]:
        total = sum(part.points for part in self.parts if part.graded and not part.bonus)
        if self.points is not None and abs(total - self.points) > 1e-6:
            yield ("points",), f"the parts' points add up to {total:g}, not {self.points:g}", ""

    def _order_problems(self) -> Iterator[Found]:
        """Gates and carried mistakes lead back to earlier parts that the checks judge."""
        earlier: dict[str, Part] = {}
        for number, part in enumerate(self.parts):
            named: list[tuple[Path, str]] = [(("needs", at), name) for at, name in enumerate(part.needs)]
            if part.carry_forward:
                named += [
                    (("carry_forward", "after", at), name) for at, name in enumerate(part.carry_forward.after)
                ]
            for place, name in named:
                if name not in earlier:
                    what = f"there is no part {name!r} before this one"
                    yield ("parts", number, *place), what, suggestion(name, earlier)
                elif not earlier[name].graded or earlier[name].marked_by == "hand":
                    yield ("parts", number, *place), f"no check judges the part {name!r}", ""
            earlier[part.id] = part


def _safe_target(target: str) -> bool:
    below = target.removeprefix("../")
    parts = below.split("/")
    return (
        bool(below) and not below.startswith("/") and not {"", ".", ".."} & set(parts) and below.isprintable()
    )


def _repeated(path: tuple[str, ...], names: list[str | None], *key: str) -> Iterator[Found]:
    seen = set()
    for number, name in enumerate(names):
        if name is not None and name in seen:
            yield (*path, number, *key), f"{name!r} is there already", ""
        seen.add(name)
