"""The cases of ``calls``: one call each, or steps that follow each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from checks.compare.spelling import spelled
from checks.plan import StepPlan
from checks.spec.argument import Argument, argument_data, expected_node
from checks.spec.base import Found, Piece, Scope
from checks.spec.expectation import Expectation
from checks.spec.suggesting import suggestion
from checks.spec.wording import message_problems

DOTTED = r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$"
_LAST = "it"


class Import(Piece):
    """A function out of a module, such as ``operator.eq``; a plain name is a built-in one: ``len``."""

    import_: str = Field(alias="import", pattern=DOTTED)

    def spelled(self, arguments: Sequence[str]) -> str:
        """The call as a notebook would write it: operators between what they join."""
        sign = _OPERATORS.get(self.import_)
        if sign and len(arguments) == 2:
            return f"{arguments[0]} {sign} {arguments[1]}"
        return f"{self.import_.removeprefix('builtins.')}({', '.join(arguments)})"


_OPERATORS = {
    f"operator.{name}": sign
    for name, sign in (
        *(("eq", "=="), ("ne", "!="), ("lt", "<"), ("le", "<="), ("gt", ">"), ("ge", ">=")),
        *(("add", "+"), ("sub", "-"), ("mul", "*"), ("truediv", "/"), ("floordiv", "//"), ("mod", "%")),
        *(("pow", "**"), ("matmul", "@"), ("and_", "&"), ("or_", "|"), ("xor", "^")),
    )
}


class Step(Expectation):
    """One step: ``call`` a function or method, ``construct`` an object (the same, in other words), or
    ``look`` at an attribute. ``as`` names what comes out, for later steps.
    """

    call: Annotated[str, Field(pattern=DOTTED)] | Import | None = Field(
        default=None,
        description="a variable or what an earlier step gave, with dots; or {import: operator.eq}",
    )
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
        if isinstance(self.call, Import):
            return self.call.import_
        return self.call or self.construct_ or self.look or ""

    @property
    def root(self) -> str:
        """The name that must be there: a variable's, or an earlier step's; empty for an import."""
        return "" if isinstance(self.call, Import) else self.of.partition(".")[0]

    def plan(self) -> StepPlan:
        """What the sandbox does."""
        return StepPlan(
            do="look" if self.look else "call",
            of=self.of,
            name=self.as_,
            arguments=tuple(map(argument_data, self.arguments)),
            keywords={name: argument_data(each) for name, each in self.keywords.items()},
            consume=self.consume,
            imported=isinstance(self.call, Import),
        )

    def spelled(self) -> str:
        """The step as the notebook would write it."""
        if self.look:
            return self.of
        arguments = _spelled_arguments(self.arguments, self.keywords)
        if isinstance(self.call, Import):
            return self.call.spelled(arguments)
        return f"{self.of}({', '.join(arguments)})"


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
        known = {*scope.variables, _LAST}
        for number, step in enumerate(self.steps):
            if step.root and step.root not in known:
                what = f"{step.root!r} is none of the part's variables, and no earlier step's `as`"
                key = next(key for key in ("call", "construct", "look") if getattr(step, _FIELDS[key]))
                yield ("steps", number, key), what, _meant(step, known)
            known.add(step.as_)

    def made(self, of: str, consume: int | None) -> list[Step]:
        """The steps of the case: those given, or the one call of ``of``."""
        if self.steps:
            return self.steps
        taken = self.consume if self.consume is not None else consume
        given = {"call": of, "arguments": self.arguments, "keywords": self.keywords, "consume": taken}
        return [Step.model_validate(given)]


_FIELDS = {"call": "call", "construct": "construct_", "look": "look"}


def _meant(step: Step, known: set[str]) -> str:
    close = suggestion(step.root, known)
    library = "." in step.of and not close.startswith("did you mean")
    return f"{{import: {step.of}}}, for a function of a module" if library else close


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
