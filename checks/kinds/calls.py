"""``calls``: the student's functions, methods and classes, called in the sandbox, judged by what came out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from hashlib import blake2b
from typing import ClassVar, Literal

import msgspec
from msgspec.structs import replace
from pydantic import Field

from checks.compare import structure
from checks.compare.closeness import Tolerance
from checks.errors import NotMadeError
from checks.evidence import values as v
from checks.plan import CallsPlan, CasePlan, StepPlan
from checks.scene import PASSED, Outcome, Scene
from checks.spec.base import Found, Piece, Scope
from checks.spec.cases import DOTTED, FACTS, Case, Step, spelled_steps
from checks.spec.expectation import Expectation
from checks.spec.generating import MAX_CASES, Generate
from checks.spec.kind import ABSENT, Kind
from checks.spec.target import suggestion
from checks.spec.template import fill

Made = Mapping[str, Sequence[v.Called]]
_SECONDS = 5.0


class Calls(Kind, Expectation):
    """What is expected of every call stands beside ``of``; a case may say otherwise.

    The calls are made in a copy of the notebook's process, right after the part's values were taken.
    """

    reasons: ClassVar[Mapping[str, str]] = {
        "absent": ABSENT,
        "stopped": "The run ended before {variable} could be called.",
        "missing": "{call}: there is no {detail}.",
        "not_callable": "{variable} is no function: {call} is not possible.",
        "refused": "{call} is not possible: {text}",
        "unfit": "{call} could not be made: {detail}.",
        "time_limit": "{call} did not come to an end within {seconds} seconds.",
        "recursion": "{call} calls itself again and again, until Python gives up: when does it end?",
        "exited": "{call} ended the Python process ({detail}).",
        "too_large": "{call} gives more than can be looked at.",
        "not_made": "{call} was not tried any more, because the calls before it did not come to an end.",
        "raised": "{call} raised {exception}: {text} {line}",
        "not_raised": "{call} should raise an exception, but it gives {seen}.",
        "other_exception": "{call} raised {exception} ({text}), which is not the exception asked for. {line}",
        "exception_text": "{call} raised {exception}, but its text is not as asked for: {text}",
        "printed": "{call} printed {printed}, but returned None: a result has to be returned, not printed.",
        "no_return": "{call} returned None: is a return missing?",
        "not_none": "{call} should return nothing (None), but it returned {seen}.",
        "value": "{call} gives {seen}, which is not right.",
        "container": "{call} gives {seen}: the right content in another container than the one asked for.",
        "dtype": "{call} gives {seen}: the right content, but of another type than asked for.",
        "shape": "{call} gives {seen}; that is not the size asked for.",
        "nan": "{call} gives values that are not numbers (NaN).",
        "expect": "{call} does not come out right.",
        "mutated": "{call} changes {argument}; it should leave what it is given as it is.",
        "not_mutated": "{call} leaves its arguments as they were; it should change them.",
        "arguments_after": "After {call} the arguments are {after}, which is not right.",
        "stdout": "{call} should print something else than {printed}.",
        "differs": "{call} gives different results when it is made again.",
        "counted": "{count} of {total} calls do not come out right.",
        "unsaid": "Some calls of {variable} do not come out right.",
    }
    facts: ClassVar[Mapping[str, str]] = FACTS
    pieces: ClassVar[tuple[type[Piece], ...]] = (Expectation, Step, Case)

    of: str = Field(pattern=DOTTED, description="the function: a variable of the part, or a name within one")
    cases: list[Case] = Field(default=[], max_length=MAX_CASES)
    generate: Generate | None = Field(default=None, description="further cases, their arguments generated")
    credit: Literal["lowest", "weighted"] = Field(
        default="lowest", description="the credit: that of the worst case, or the mean by the cases' weight"
    )
    show: Literal["first_failing", "count", "nothing"] = Field(
        default="first_failing", description="what a student is told of the calls that fail"
    )
    seconds: float = Field(default=_SECONDS, gt=0, le=600, description="the time limit of each case")
    repeats: int = Field(default=1, ge=1, le=20, description="make each case so often; results must be equal")
    seed: int | None = Field(
        default=None, ge=0, le=2**32 - 1, description="of the random generators, in each case"
    )
    consume: int | None = Field(
        default=None, ge=0, le=100_000, description="the result is an iterator: take so many items"
    )
    process: Literal["own", "notebook"] = Field(
        default="own", description="where calls are made: in a copy of the notebook's process, or in itself"
    )

    def problems(self, scope: Scope) -> Iterator[Found]:
        """A function that the part does not watch, cases of one name, cases that expect nothing."""
        yield from Expectation.problems(self, scope)
        variable = self.of.partition(".")[0]
        if variable not in scope.variables:
            yield (
                ("of",),
                f"{variable!r} is none of the part's variables",
                suggestion(variable, scope.variables),
            )
        if not self.cases and self.generate is None:
            yield (), "calls need cases, or generate", ""
        for path, inner in self._inner_expectations():
            if inner.expected is not None and inner.expected.result_of is not None:
                yield (*path, "expected"), "another function is called for all cases: say so beside `of`", ""
        if self.generate and not self.is_given:
            yield ("generate",), "nothing is expected of generated calls", "expected: reference"
        seen: set[str] = set()
        for number, case in enumerate(self.cases):
            steps = any(step.is_given for step in case.steps)
            if not (case.is_given or self.is_given or steps):
                yield ("cases", number), "nothing is expected of this call", "returns, expected, raises …"
            if case.id is not None and case.id in seen:
                yield ("cases", number, "id"), f"{case.id!r} is there already", ""
            seen.add(case.id or "")

    def work(self) -> CallsPlan:
        """The calls for the sandbox; nothing of what is expected."""
        return self._plan

    def _inner_expectations(self) -> Iterator[tuple[tuple[str | int, ...], Expectation]]:
        for number, case in enumerate(self.cases):
            yield ("cases", number), case
            for at, step in enumerate(case.steps):
                yield ("cases", number, "steps", at), step

    def reference_work(self) -> CallsPlan | None:
        """The same calls of another function of the author's, where its results are what is looked at."""
        return self._others_plan

    @cached_property
    def _others_plan(self) -> CallsPlan | None:
        other = self.expected.result_of if self.expected else None
        if other is None:
            return None
        own = self.of.partition(".")[0]
        cases = tuple(
            msgspec.structs.replace(case, steps=tuple(_of_other(step, own, other) for step in case.steps))
            for case in self._plan.cases
        )
        plan = msgspec.structs.replace(self._plan, key="", cases=cases)
        return msgspec.structs.replace(plan, key=f"calls {digest(plan)}")

    def judge(self, scene: Scene) -> Outcome:
        """Every case by what is expected of it."""
        if self.of.partition(".")[0] not in scene.values:
            return Outcome(0.0, "absent", {"variable": self.of})
        made = runs_by_case(scene.values, self._plan.key)
        authors = (self._others_plan or self._plan).key
        theirs = runs_by_case(scene.reference, authors) if scene.reference else {}
        outcomes = {name: self._judge_case(name, made, theirs, scene) for name in self._cases}
        failing = tuple(name for name, outcome in outcomes.items() if not outcome.passed)
        if not failing:
            return PASSED
        return replace(self._told(outcomes, failing), credit=self._credit(outcomes), failing=failing)

    def _credit(self, outcomes: Mapping[str, Outcome]) -> float:
        if self.credit == "lowest":
            return min(outcome.credit for outcome in outcomes.values())
        weights = {name: case.weight for name, case in self._cases.items()}
        return sum(weights[name] * outcome.credit for name, outcome in outcomes.items()) / sum(
            weights.values()
        )

    def _told(self, outcomes: Mapping[str, Outcome], failing: Sequence[str]) -> Outcome:
        """What is said of the cases that fail: no more than may be shown."""
        counts = {"variable": self.of, "count": len(failing), "total": len(outcomes)}
        shown = [name for name in failing if not self._cases[name].hidden]
        if self.show == "nothing":
            return Outcome(0.0, "unsaid", {"variable": self.of})
        if self.show == "count" or not shown:
            return Outcome(0.0, "counted", counts)
        first = outcomes[shown[0]]
        facts = {**first.facts, **counts, "case": shown[0]}
        own = self._cases[shown[0]].message
        return replace(first, facts=facts, message=fill(own, facts) if own else "")

    def _judge_case(self, name: str, made: Made, theirs: Made, scene: Scene) -> Outcome:
        case, authors = self._cases[name], theirs.get(name, ())
        steps = case.made(self.of, self.consume)
        runs = made.get(name, ())
        if not runs:
            return Outcome(0.0, "stopped", {"variable": self.of})
        outcome = self._judge_run(case, steps, runs[0], authors[0] if authors else None, scene)
        if outcome.passed and any(_differs(runs[0], run) for run in runs[1:]):
            return Outcome(0.0, "differs", self._facts(case, steps, len(steps) - 1))
        return outcome

    def _judge_run(
        self, case: Case, steps: Sequence[Step], run: v.Called, author: v.Called | None, scene: Scene
    ) -> Outcome:
        """The worst step; a step that was not reached is told by the one that ended the case."""
        lowest = PASSED
        for number, (step, seen) in enumerate(zip(steps, run.steps, strict=False)):
            last = number == len(steps) - 1
            expectation = step.over(case.over(self)) if last else step.over(Expectation())
            theirs = author.steps[number] if author and number < len(author.steps) else None
            facts = self._facts(case, steps, number)
            outcome = _unended(expectation.judge_step(seen, theirs, scene, facts), step, seen)
            if outcome.credit < lowest.credit:
                lowest = outcome
            if lowest.credit <= 0:
                break
        if lowest.passed and len(run.steps) < len(steps):
            return Outcome(0.0, "stopped", {"variable": self.of})
        return lowest

    def _facts(self, case: Case, steps: Sequence[Step], number: int) -> dict[str, object]:
        seconds = case.seconds or self.seconds
        return {"variable": self.of, "call": spelled_steps(steps, number), "seconds": f"{seconds:g}"}

    @cached_property
    def _cases(self) -> dict[str, Case]:
        """All cases by id: those given, then the generated ones."""
        named = {case.id or f"case-{number}": case for number, case in enumerate(self.cases, 1)}
        drawn = self.generate.draw() if self.generate else []
        for number, (arguments, keywords) in enumerate(drawn, 1):
            named[f"generated-{number}"] = Case(arguments=arguments, keywords=keywords)
        return named

    @cached_property
    def _plan(self) -> CallsPlan:
        """The calls, named by their own digest: checks that want the same calls share them."""
        cases = tuple(
            CasePlan(
                id=name,
                steps=tuple(step.plan() for step in case.made(self.of, self.consume)),
                seconds=case.seconds or self.seconds,
                repeats=case.repeats or self.repeats,
                seed=self.seed if case.seed is None else case.seed,
            )
            for name, case in self._cases.items()
        )
        plan = CallsPlan("", cases, self._keeps_arguments, self.process)
        return msgspec.structs.replace(plan, key=f"calls {digest(plan)}")

    @property
    def _keeps_arguments(self) -> bool:
        inner = [each for case in self.cases for each in (case, *case.steps)]
        return any(each.looks_at_arguments for each in (self, *inner))


def _unended(outcome: Outcome, step: Step, seen: v.Step) -> Outcome:
    """An iterator that gave all the items that were asked for may go on for ever."""
    full = isinstance(seen.result, v.Sequence) and len(seen.result.items) == step.consume
    if outcome.reason not in ("value", "shape") or not full:
        return outcome
    more = f"at least {step.consume} items (no more were asked for): {outcome.facts['seen']}"
    return replace(outcome, facts={**outcome.facts, "seen": more})


def _of_other(step: StepPlan, own: str, other: str) -> StepPlan:
    """The step on the variable ``other`` where it is about ``own``."""
    name, dot, rest = step.of.partition(".")
    own_step = name == own and not step.imported
    return msgspec.structs.replace(step, of=f"{other}{dot}{rest}") if own_step else step


def digest(plan: msgspec.Struct) -> str:
    """A short name that follows from a plan's content."""
    return blake2b(msgspec.json.encode(plan, order="deterministic"), digest_size=10).hexdigest()


def runs_by_case(values: Mapping[str, v.AnyNode], key: str) -> dict[str, list[v.Called]]:
    """The calls (or queries) that were made, by case; raises NotMadeError where the run knew of none."""
    node = values.get(key)
    if not isinstance(node, v.Sequence):
        raise NotMadeError(
            "the run knew nothing of the calls that are asked for now: it has to be made again"
        )
    found: dict[str, list[v.Called]] = {}
    for each in node.items:
        if isinstance(each, v.Called):
            found.setdefault(each.case, []).append(each)
    return found


def _differs(first: v.Called, again: v.Called) -> bool:
    """Whether another run of the same case came out otherwise, to the last bit."""
    if [step.ended for step in first.steps] != [step.ended for step in again.steps]:
        return True
    pairs = zip(first.steps, again.steps, strict=True)
    return any(
        one.result is not None and other.result is not None and _other_result(other.result, one.result)
        for one, other in pairs
    )


def _other_result(seen: v.AnyNode, first: v.AnyNode) -> bool:
    """Whether a result is another one; of what does not even equal itself (objects of which nothing is known,
    functions) this cannot be said."""
    exact = Tolerance(relative=0.0)
    return not structure.same(seen, first, exact) and structure.same(first, first, exact)


KIND = Calls
