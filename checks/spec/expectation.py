"""What is expected of one call: its result, an exception, what it prints, what becomes of its arguments."""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Optional
from typing import Literal as OneOf

from msgspec.structs import replace
from pydantic import Field, ValidationError, model_validator

from checks.compare import content, structure
from checks.compare.closeness import Tolerance
from checks.compare.normal import fold
from checks.compare.spelling import spelled
from checks.compare.words import class_name
from checks.errors import MissingReferenceError, NotMadeError
from checks.evidence import values as v
from checks.kinds.equal import Equal
from checks.scene import PASSED, Outcome, Scene
from checks.spec.argument import Expected, expected_node
from checks.spec.base import Found, Piece, Scope
from checks.spec.likeness import NUMBERS
from checks.spec.target import ResultOperand, Target
from checks.spec.template import fill

if TYPE_CHECKING:
    from checks.spec.check import Check

PSEUDO = ("result", "arguments", "keywords", "stdout", "raised")
_EXPECTED = "what is expected"  # no name of a variable
_NAMES = {"result": "the result", "stdout": "what is printed", "raised": "the exception"}
_RESULT = Target(variable="result")
_NEVER = ("time_limit", "exited", "not_made", "too_large", "unfit", "missing", "not_callable")


_RETURNED = "{call} returns its text, but it should print it: nothing was printed."
_ALIKE = ("case", "blanks")


_PYTHONS_OWN = {
    name: each.__name__  # IOError is called OSError
    for name, each in vars(builtins).items()
    if isinstance(each, type) and issubclass(each, BaseException)
}
_NOTEBOOK = "__main__."


def _is_namesake(cls: str) -> bool:
    """Whether a class of the notebook's own is called like one of Python's exceptions."""
    return cls.startswith(_NOTEBOOK) and class_name(cls) in _PYTHONS_OWN


class Raises(Piece):
    """An exception: the name of its class or of an ancestor, and pieces of its text, in whatever case.

    The name of one of Python's own exceptions means no class of the notebook that is called so; a library's
    may be meant (``requests.ConnectionError``).
    """

    exception: str
    contains: list[str] = Field(default=[])

    @model_validator(mode="before")
    @classmethod
    def _spelled_short(cls, given: Any) -> Any:
        if isinstance(given, str):
            return {"exception": given}
        if isinstance(given, dict) and isinstance(given.get("contains"), str):
            return {**given, "contains": [given["contains"]]}
        return given

    def wrong(self, raised: v.Raised) -> str:
        """The reason why an exception is not this one; empty where it is."""
        classes = (raised.cls, *raised.bases)
        names = {class_name(each) for each in classes if not _is_namesake(each)}
        if _PYTHONS_OWN.get(self.exception, self.exception) not in {*names, *classes}:
            return "other_exception"
        text = fold(raised.message, _ALIKE)
        return "" if all(fold(piece, _ALIKE) in text for piece in self.contains) else "exception_text"


class Printed(Piece):
    """What is printed: a whole text, pieces, or what the author's function prints.

    Blanks at the ends of lines never count; ``normalise`` makes more of it alike.
    """

    equal: str | None = None
    contains: list[str] = Field(default=[])
    reference: bool = False
    normalise: list[OneOf["blanks", "case"]] = Field(default=[])

    @model_validator(mode="before")
    @classmethod
    def _spelled_short(cls, given: Any) -> Any:
        if isinstance(given, str):
            return {"equal": given}
        if isinstance(given, dict) and isinstance(given.get("contains"), str):
            return {**given, "contains": [given["contains"]]}
        return given

    def wants_reference(self) -> bool:
        """Whether the author's run is looked at."""
        return self.reference

    def holds(self, printed: str, author: str | None) -> bool:
        """Whether a text is as expected; raises MissingReferenceError."""
        seen = self._normal(printed)
        if self.reference:
            if author is None:
                raise MissingReferenceError("the reference run left no printed text")
            if seen != self._normal(author):
                return False
        if self.equal is not None and seen != self._normal(self.equal):
            return False
        return all(self._normal(piece) in seen for piece in self.contains)

    def _normal(self, text: str) -> str:
        lines = "\n".join(line.rstrip() for line in text.strip("\n").splitlines())
        spaced = " ".join(lines.split()) if "blanks" in self.normalise else lines
        return spaced.casefold() if "case" in self.normalise else spaced


class Expectation(Piece):
    """Every condition that is given must hold; those on the result look at it in the order given here."""

    returns: Optional[Expected] = Field(default=None, description="the result, as a value")  # noqa: UP045
    expected: ResultOperand | None = Field(
        default=None,
        description="the result: reference (what the author's function gives), {result_of: …}, {variable: …}",
    )
    compare: dict[str, Any] = Field(
        default={}, description="settings of `equal` for the result: rel, dtype …; normalise"
    )
    raises: Raises | None = Field(default=None, description="the exception that must come out")
    mutates: bool | None = Field(default=None, description="whether the call must change its arguments")
    arguments_after: list[Expected] | OneOf["reference"] | None = Field(
        default=None, description="the arguments as they must be afterwards"
    )
    stdout: Printed | None = Field(default=None, description="what must be printed")
    expect: list[Check] = Field(
        default=[], description="further checks; variables: result, arguments, keywords, stdout, raised"
    )

    def inner_scope(self, scope: Scope) -> Scope:
        """The checks inside know what came out of the call, too."""
        names = frozenset(PSEUDO)
        return Scope(scope.variables | names, scope.reference | names, scope.checks)

    def problems(self, _scope: Scope) -> Iterator[Found]:
        """Settings of the comparison that there are not; results that exclude each other."""
        try:
            self._equal()
        except ValidationError as error:
            for detail in error.errors(include_url=False):
                yield ("compare", *detail["loc"]), detail["msg"][:1].lower() + detail["msg"][1:], ""
        given = [name for name in ("returns", "expected", "raises") if name in self.model_fields_set]
        if len(given) > 1:
            yield (given[1],), f"a call cannot have both {given[0]!r} and {given[1]!r}", ""

    def wants_reference(self) -> bool:
        """Whether the author's run is looked at."""
        return self.arguments_after == "reference"

    @property
    def is_given(self) -> bool:
        """Whether anything is expected at all."""
        return bool(self.model_fields_set & set(Expectation.model_fields) - {"compare"})

    @property
    def looks_at_arguments(self) -> bool:
        """Whether the arguments are of interest afterwards."""
        return self.mutates is not None or self.arguments_after is not None or bool(self.expect)

    def over(self, base: Expectation) -> Expectation:
        """This one, with what it leaves open taken from ``base``."""
        mine, theirs = _given(self), _given(base)
        if {"returns", "expected", "raises"} & set(mine):
            theirs = {
                key: item for key, item in theirs.items() if key not in ("returns", "expected", "raises")
            }
        return Expectation.model_construct(_fields_set={*theirs, *mine}, **{**theirs, **mine})

    def judge_step(
        self, step: v.Step, author: v.Step | None, scene: Scene, facts: Mapping[str, object]
    ) -> Outcome:
        """How a call comes out; ``author`` is the same call of the author's function, where there is one."""
        inner = _inner(scene, step, author)
        known = {**facts, **_facts(step)}
        lowest = PASSED
        for found in self._conditions(step, author, inner):
            if found.credit < lowest.credit:
                lowest = replace(found, facts={**found.facts, **known})
            if lowest.credit <= 0:
                break
        prefix = fill("{call}: ", known)
        return lowest if not lowest.fallback else _prefixed(lowest, prefix)

    def _conditions(self, step: v.Step, author: v.Step | None, scene: Scene) -> Iterator[Outcome]:
        if step.ended == "failed":
            raise NotMadeError(f"a call could not be made ({step.detail})")
        if step.ended in _NEVER or (step.ended == "refused" and not self._wants_exception(author)):
            yield Outcome(0.0, step.ended)
        yield self._judge_exception(step, author)
        if step.ended == "returned":
            yield self._judge_result(step, scene)
        for check in self.expect:
            outcome = check.evaluate_inside(scene)
            yield (
                outcome if outcome.passed else Outcome(outcome.credit, "expect", {}, fallback=outcome.message)
            )
        yield from self._judge_arguments(step, author)
        if self.stdout and not self.stdout.holds(step.printed, author.printed if author else None):
            silent = not step.printed.strip() and isinstance(step.result, v.Text)
            yield Outcome(0.0, "stdout", wording=_RETURNED if silent else "")

    def _judge_exception(self, step: v.Step, author: v.Step | None) -> Outcome:
        wanted = self._wants_exception(author)
        if wanted is None:
            if step.raised is None:
                return PASSED
            deep = class_name(step.raised.cls) == "RecursionError"
            return PASSED if self._awaits_exception else Outcome(0.0, "recursion" if deep else "raised")
        if step.raised is None:
            return Outcome(0.0, "not_raised")
        wrong = wanted.wrong(step.raised)
        return Outcome(0.0, wrong) if wrong else PASSED

    def _wants_exception(self, author: v.Step | None) -> Raises | None:
        """The exception that must come out; None where there is to be a result."""
        own = self.expected is not None and self.expected.reference == ""
        return _author_raises(author) if own else self.raises

    @property
    def _awaits_exception(self) -> bool:
        """Whether a nested check speaks of the exception, so that one may come out."""
        names = (getattr(getattr(check.kind, "of", None), "variable", "") for check in self.expect)
        return "raised" in names

    def _judge_result(self, step: v.Step, scene: Scene) -> Outcome:
        if self.expected is not None:
            wanted = self.expected.node(scene, _RESULT)
        elif "returns" in self.model_fields_set:
            wanted = expected_node(self.returns)
        else:
            return PASSED
        if isinstance(wanted, v.Nothing):
            return PASSED if isinstance(step.result, v.Nothing) else Outcome(0.0, "not_none")
        if isinstance(step.result, v.Nothing):
            return Outcome(0.0, "printed" if step.printed.strip() else "no_return")
        if wanted is None:
            return Outcome(0.0, "value")
        values = {**scene.values, _EXPECTED: wanted}
        outcome = self._equal(step.result, wanted).judge(
            Scene(values, scene.reference, scene.outcomes, _NAMES)
        )
        reason = outcome.reason if outcome.reason in ("container", "dtype", "nan", "shape") else "value"
        return outcome if outcome.passed else Outcome(outcome.credit, reason, outcome.facts)

    def _judge_arguments(self, step: v.Step, author: v.Step | None) -> Iterator[Outcome]:
        if self.mutates is False and step.changed:
            yield Outcome(0.0, "mutated")
        if self.mutates and not step.changed:
            yield Outcome(0.0, "not_mutated")
        if self.arguments_after is None:
            return
        wanted: tuple[v.AnyNode, ...]
        if self.arguments_after == "reference":
            if author is None:
                raise MissingReferenceError("the reference run left no arguments")
            wanted = author.arguments
        else:
            wanted = tuple(map(expected_node, self.arguments_after))
        tolerance = Tolerance()
        same = len(wanted) == len(step.arguments) and all(
            structure.same(seen, one, tolerance) for seen, one in zip(step.arguments, wanted, strict=True)
        )
        if not same:
            yield Outcome(0.0, "arguments_after")

    def _equal(self, result: v.AnyNode | None = None, wanted: v.AnyNode | None = None) -> Equal:
        """The comparison; a number that is written down stands for the integer and for the float."""
        numbers = (
            result is not None
            and wanted is not None
            and {content.family(result), content.family(wanted)} <= NUMBERS
        )
        lenient = {"dtype": "any"} if self.expected is None and numbers else {}
        form = {"variable": "result", "normalise": self.compare.get("normalise", [])}
        settings = {name: each for name, each in self.compare.items() if name != "normalise"}
        return Equal.model_validate({"of": form, "to": {"variable": _EXPECTED}, **lenient, **settings})


def _given(expectation: Expectation) -> dict[str, Any]:
    names = expectation.model_fields_set & set(Expectation.model_fields)
    return {name: getattr(expectation, name) for name in names}


def _author_raises(author: v.Step | None) -> Raises | None:
    """The exception that the author's function raises; raises MissingReferenceError where it did not end."""
    if author is None or author.ended not in ("returned", "raised", "refused"):
        raise MissingReferenceError("the author's own function did not return from one of the calls")
    if author.raised is None:
        return None
    cls = author.raised.cls
    return Raises(exception=cls if _is_namesake(cls) else class_name(cls))


def _inner(scene: Scene, step: v.Step, author: v.Step | None) -> Scene:
    reference = scene.reference
    if reference is not None and author is not None:
        reference = {**reference, **_pseudo(author)}
    return Scene({**scene.values, **_pseudo(step)}, reference, scene.outcomes, _NAMES)


def _pseudo(step: v.Step) -> dict[str, v.AnyNode]:
    """What came out, as the variables that nested checks know."""
    found: dict[str, v.AnyNode] = {
        "arguments": v.Sequence(items=step.arguments),
        "keywords": v.Mapping(items=tuple((v.Text(v=name), node) for name, node in step.keywords.items())),
        "stdout": v.Text(v=step.printed),
        "raised": v.Text(v=class_name(step.raised.cls)) if step.raised else v.Nothing(),
    }
    return found if step.result is None else {**found, "result": step.result}


def _facts(step: v.Step) -> dict[str, object]:
    raised = step.raised
    return {
        "seen": spelled(step.result) if step.result else "nothing",
        "exception": _exception(raised.cls) if raised else "no exception",
        "text": raised.message if raised else "",
        "line": f"in line {raised.line}: {raised.source}" if raised and raised.line else "",
        "printed": spelled(v.Text(v=step.printed.rstrip("\n"))),
        "argument": ", ".join(_ordinal(name) for name in step.changed),
        "after": ", ".join(map(spelled, (*step.arguments, *step.keywords.values()))),
        "detail": step.detail,
    }


def _exception(cls: str) -> str:
    """A class of the notebook's own that is called like one of Python's is told from it."""
    name = class_name(cls)
    return f"{name} (another class than Python's)" if _is_namesake(cls) else name


def _ordinal(name: str) -> str:
    words = ("first", "second", "third", "fourth", "fifth")
    if not name.isdigit():
        return f"the argument {name}"
    return f"its {words[int(name)]} argument" if int(name) < len(words) else f"its argument {int(name) + 1}"


def _prefixed(outcome: Outcome, prefix: str) -> Outcome:
    return Outcome(outcome.credit, outcome.reason, outcome.facts, fallback=prefix + outcome.fallback)
