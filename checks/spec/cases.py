"""The cases of ``calls``: one call each, or steps that follow each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from checks.compare.spelling import spelled
from checks.plan import StepPlan
from checks.spec.argument import Argument, argument_data, expected_node
from checks.spec.base import Found, Scope
from checks.spec.expectation import Expectation
from checks.spec.wording import message_problems

DOTTED = r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$"
_LAST = "it"


class Step(Expectation):
    """One step: ``call`` a function or method, ``construct`` an object (the same, in other words), or
    ``look`` at an attribute. ``as`` names what comes out, for later steps.
    """

    call: str | None = Field(default=None, pattern=DOTTED)
    construct_: str | None = Field(default=None, alias="construct", pattern=DOTTED)
    look: str | None = Field(default=None, pattern=DOTTED)
    as_: str = Field(default=_LAST, alias="as", pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    arguments: list[Argument] = Field(default=[])
    keywords: dict[str, Argument] = Field(default={})
    consume: int | None = Field(
        default=None, ge=0, le=100_000, description="take so many items of what comes out"
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> Step:
        if sum(name is not None for name in (self.call, self.construct_, self.look)) != 1:
            raise PydanticCustomError("step", "a step needs exactly one of call, construct, look")
        if self.look and (self.arguments or self.keywords):
            raise PydanticCustomError("step", "a look takes no arguments")
        return self

    @property
    def of(self) -> str:
        """The dotted name that the step is about."""
        return self.call or self.construct_ or self.look or ""

    def plan(self) -> StepPlan:
        """What the sandbox does."""
        return StepPlan(
            do="look" if self.look else "call",
            of=self.of,
            name=self.as_,
            arguments=tuple(map(argument_data, self.arguments)),
            keywords={name: argument_data(each) for name, each in self.keywords.items()},
            consume=self.consume,
        )

    def spelled(self) -> str:
        """The step as the notebook would write it."""
        if self.look:
            return self.of
        return f"{self.of}({', '.join(_spelled_arguments(self.arguments, self.keywords))})"


class Case(Expectation):
    """One case: ``arguments`` and ``keywords`` of the function, or ``steps``."""

    id: str | None = Field(default=None, pattern=r"^[A-Za-z_][A-Za-z0-9_-]*$")
    arguments: list[Argument] = Field(default=[])
    keywords: dict[str, Argument] = Field(default={})
    steps: list[Step] = Field(default=[], max_length=50)
    weight: float = Field(default=1.0, gt=0, le=1000)
    hidden: bool = Field(default=False, description="never show this call to a student")
    message: str | None = Field(default=None, description="what the student reads when this case fails")
    seconds: float | None = Field(default=None, gt=0, le=600)
    repeats: int | None = Field(default=None, ge=1, le=20)
    seed: int | None = Field(default=None, ge=0, le=2**32 - 1)
    consume: int | None = Field(default=None, ge=0, le=100_000)

    def problems(self, scope: Scope) -> Iterator[Found]:
        """Arguments beside steps that have their own."""
        yield from super().problems(scope)
        if self.steps and (self.arguments or self.keywords):
            yield ("arguments",), "a case with steps has its arguments in the steps", ""
        if self.message is not None:
            yield from message_problems(self.message, ("message",), FACTS)

    def made(self, of: str, consume: int | None) -> list[Step]:
        """The steps of the case: those given, or the one call of ``of``."""
        if self.steps:
            return self.steps
        taken = self.consume if self.consume is not None else consume
        given = {"call": of, "arguments": self.arguments, "keywords": self.keywords, "consume": taken}
        return [Step.model_validate(given)]


FACTS = {
    "variable": "the function's name",
    "call": "the call as Python writes it",
    "case": "the case's id",
    "seen": "the result, or its description",
    "exception": "the class of the exception that came out",
    "text": "the exception's text, or why the arguments do not fit",
    "line": "where the exception came out",
    "printed": "what was printed",
    "argument": "which arguments were changed",
    "after": "the arguments as they are after the call",
    "detail": "how the process ended, or which name is missing",
    "seconds": "the time limit",
    "count": "how many calls are not right",
    "total": "how many calls were made",
}


def spelled_steps(steps: Sequence[Step], last: int) -> str:
    """The step number ``last``, with those before it."""
    if not last:
        return steps[0].spelled()
    before = [
        f"{step.as_} = {step.spelled()}" if step.as_ != _LAST else step.spelled() for step in steps[:last]
    ]
    return f"{steps[last].spelled()} after {'; '.join(before)}"


def _spelled_arguments(arguments: Sequence[Any], keywords: dict[str, Any]) -> list[str]:
    return [*map(_spelled, arguments), *(f"{name}={_spelled(each)}" for name, each in keywords.items())]


def _spelled(given: Any) -> str:
    if isinstance(given, dict) and ("variable" in given or "import" in given):
        return str(given.get("variable") or given["import"])
    if isinstance(given, dict) and "iterator" in given:
        return f"iter({_spelled(given['iterator'])})"
    return spelled(expected_node(given), 40)
