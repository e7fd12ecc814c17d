"""An assignment: its spec, its files, and what a run has to know of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import methodcaller
from typing import Any

from checks import bundle
from checks.errors import Problem, SpecError
from checks.plan import CallsPlan, Limits, PartPlan, QueryPlan, RunPlan
from checks.source import NotANotebookError, assigned_names, binds_unseen, calls_check, code_cells
from checks.spec.base import walk
from checks.spec.kind import Kind
from checks.spec.loading import read_spec
from checks.spec.models import AssignmentSpec, Part
from checks.spec.reading import Document, read_yaml
from checks.spec.target import suggestion
from checks.unlikely import warnings


@dataclass(frozen=True)
class Offer:
    """What an installation has for assignments: the names of its ``environments`` and ``shims``."""

    environments: frozenset[str]
    shims: frozenset[str]


@dataclass(frozen=True)
class Assignment:
    """A checked assignment. ``version`` is the digest of its files; ``inputs`` maps where the notebook looks
    to a key of the files; ``starter`` holds the sources of the starter notebook's code cells; ``warnings``
    tell what the author may not have meant."""

    spec: AssignmentSpec
    version: str
    inputs: Mapping[str, str]
    starter: tuple[str, ...]
    warnings: tuple[Problem, ...] = ()

    @classmethod
    def from_files(cls, files: Mapping[str, bytes], offer: Offer | None = None) -> Assignment:
        """Check a bundle's files (``docs/architecture.md`` lists them);
        raises SpecError with every mistake.

        With an ``offer``, an environment or shim that is not in it is a mistake too.
        """
        if bundle.SPEC not in files:
            raise SpecError([Problem(bundle.SPEC, 0, 0, "", "the bundle has no such file")])
        try:
            spec, document = read_spec(files[bundle.SPEC], bundle.SPEC)
        except SpecError as error:
            raise SpecError([*error.problems, *_not_offered(_document(files), offer)]) from error
        inputs = spec.input_keys()
        problems = [
            *_missing_inputs(inputs, files, document),
            *_notebook_problems(files, needed=_needs_reference(spec)),
            *_unset_reference_names(spec, files, document),
            *_unset_variables(spec, files, document),
            *_not_offered(document, offer),
        ]
        if problems:
            raise SpecError(problems)
        starter = tuple(code_cells(files[bundle.STARTER]))
        told = (*document.warnings, *warnings(spec, starter, document))
        return cls(spec, bundle.digest(files), inputs, starter, told)

    @property
    def id(self) -> str:
        """The name under which the assignment is published."""
        return self.spec.id

    @property
    def title(self) -> str:
        """The title for people."""
        return self.spec.title

    @property
    def environment(self) -> str:
        """The name of the environment that its notebooks run in."""
        return self.spec.environment

    @property
    def compat(self) -> tuple[str, ...]:
        """The environment's shims to apply."""
        return tuple(self.spec.compat)

    @property
    def module(self) -> str | None:
        """The module from which the notebook imports its parts."""
        return self.spec.module

    @property
    def parts(self) -> tuple[Part, ...]:
        """The parts in their order."""
        return tuple(self.spec.parts)

    @property
    def limits(self) -> Limits:
        """The bounds of one run."""
        return Limits(**self.spec.limits.model_dump())

    @property
    def needs_reference(self) -> bool:
        """Whether judging takes the evidence of a reference run."""
        return _needs_reference(self.spec)

    @property
    def reuses_evidence(self) -> bool:
        """Whether an identical notebook need not run again: the author's word, else so with a seed."""
        chosen = self.spec.reuse_evidence
        return self.spec.seed is not None if chosen is None else chosen

    def plan(self) -> RunPlan:
        """What a student's run has to know: names and hints, nothing of the checks."""
        return RunPlan(
            module=self.module, parts=self._part_plans(_OWN), compat=self.compat, seed=self.spec.seed
        )

    def reference_plan(self) -> RunPlan:
        """The author's run: the same, the extra variables taken at its end, what other functions give."""
        return RunPlan(
            module=self.module,
            parts=self._part_plans(_OWN, _OTHERS),
            compat=self.compat,
            end=tuple(self.spec.reference.variables),
            seed=self.spec.seed,
        )

    def _part_plans(self, *works: _Work) -> tuple[PartPlan, ...]:
        return tuple(
            PartPlan(
                id=part.id,
                variables=tuple(part.variables),
                answers=part.answers,
                hints=tuple(part.hints),
                products=part.products,
                **_work(part, works),
            )
            for part in self.parts
        )


_Work = Callable[[Kind], CallsPlan | QueryPlan | None]
_OWN: _Work = methodcaller("work")
_OTHERS: _Work = methodcaller("reference_work")


def _work(part: Part, works: Sequence[_Work]) -> dict[str, Any]:
    """The calls and queries that the part's checks ask for, each once, however many checks look at it."""
    asked = [work(piece) for _, piece in walk(part) if isinstance(piece, Kind) for work in works]
    work = {plan.key: plan for plan in asked if plan is not None}.values()
    return {
        "calls": tuple(plan for plan in work if isinstance(plan, CallsPlan)),
        "queries": tuple(plan for plan in work if isinstance(plan, QueryPlan)),
    }


def spec_problems(files: Mapping[str, bytes], offer: Offer | None) -> list[Problem]:
    """Every mistake of the spec itself; whether the files that it wants are there is not looked at."""
    document = _document(files)
    try:
        spec, _ = read_spec(files[bundle.SPEC], bundle.SPEC)
    except SpecError as error:
        return [*error.problems, *_not_offered(document, offer)]
    return [
        *_unset_reference_names(spec, files, document),
        *_unset_variables(spec, files, document),
        *_not_offered(document, offer),
    ]


def _document(files: Mapping[str, bytes]) -> Document:
    """What the spec's file says, its mistakes included; empty where it is no YAML."""
    try:
        return read_yaml(files[bundle.SPEC], bundle.SPEC)
    except SpecError:
        return Document(bundle.SPEC)


def _not_offered(document: Document, offer: Offer | None) -> Iterator[Problem]:
    """Of the document, not of a checked spec: a mistake elsewhere must not hide these."""
    if offer is None or not isinstance(document.data, dict):
        return
    environment, compat = document.data.get("environment"), document.data.get("compat")
    if isinstance(environment, str) and environment not in offer.environments:
        meant = suggestion(environment, offer.environments)
        yield document.problem(("environment",), f"there is no environment {environment!r}", meant)
    for number, shim in enumerate(compat) if isinstance(compat, list) else ():
        if isinstance(shim, str) and shim not in offer.shims:
            what = f"there is no compatibility shim {shim!r}"
            yield document.problem(("compat", number), what, suggestion(shim, offer.shims))


def _needs_reference(spec: AssignmentSpec) -> bool:
    return any(getattr(piece, "wants_reference", bool)() for _, piece in walk(spec))


def _missing_inputs(
    inputs: Mapping[str, str], files: Mapping[str, bytes], document: Document
) -> list[Problem]:
    what = "the bundle lacks the file that should be there"
    return [
        document.problem(("inputs", target), what, key) for target, key in inputs.items() if key not in files
    ]


def _notebook_problems(files: Mapping[str, bytes], *, needed: bool) -> list[Problem]:
    problems = []
    for name in (bundle.STARTER, *([bundle.REFERENCE] if needed or bundle.REFERENCE in files else [])):
        if name not in files:
            problems.append(Problem(name, 0, 0, "", "the bundle has no such file"))
            continue
        try:
            code_cells(files[name])
        except NotANotebookError as error:
            problems.append(Problem(name, 0, 0, "", str(error)))
    return problems


def _unset_reference_names(
    spec: AssignmentSpec, files: Mapping[str, bytes], document: Document
) -> list[Problem]:
    """Variables that the spec wants of the author's run and no cell of the author's notebook assigns."""
    try:
        cells = code_cells(files.get(bundle.REFERENCE, b""))
    except NotANotebookError:
        return []
    assigned = set().union(*map(assigned_names, cells))
    return [
        document.problem(
            ("reference", "variables", number),
            f"no cell of the reference assigns {name!r}",
            suggestion(name, assigned),
        )
        for number, name in enumerate(spec.reference.variables)
        if name not in assigned
    ]


def _unset_variables(
    spec: AssignmentSpec, files: Mapping[str, bytes], document: Document
) -> Iterator[Problem]:
    """Variables of a part that neither the author's notebook nor the starter assigns, where the author's
    notebook answers the part (it calls its check) and nothing in it may bind names unseen."""
    try:
        cells = [code_cells(files.get(name, b"")) for name in (bundle.REFERENCE, bundle.STARTER)]
    except NotANotebookError:
        return
    sources = [*cells[0], *cells[1]]
    if any(binds_unseen(source) for source in sources):
        return
    assigned = frozenset[str]().union(*map(assigned_names, sources))
    for number, part in enumerate(spec.parts):
        if not any(calls_check(source, part.id) for source in cells[0]):
            continue
        for name in part.variables:
            if name not in assigned:
                what = f"no cell of the author's notebook or the starter assigns {name!r}"
                yield document.problem(("parts", number, "variables", name), what, suggestion(name, assigned))
