"""``relation``: a condition over variables, written as a formula."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import numpy as np
from pydantic import Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from checks.compare.spelling import Spelled
from checks.compare.words import describe
from checks.evidence import values as v
from checks.formula import Failure, evaluate, parsed
from checks.formula.exchange import Labelled
from checks.scene import PASSED, Outcome, Scene
from checks.spec.base import Found, Piece, Scope
from checks.spec.expression import Formula, formula_problems
from checks.spec.kind import Kind
from checks.spec.naming import Identifier
from checks.spec.target import Operand, blame_author


class Relation(Kind, Piece):
    """``holds`` must be true, for every element where it compares arrays. ``let`` gives names to values."""

    reasons: ClassVar[Mapping[str, str]] = {
        "absent": "{variable} has no value.",
        "undefined": "What {variable} has to fulfil cannot be computed from it: {why}.",
        "false": "{variable} is {seen}, which does not fulfil what is asked for.",
        "elements": "{differing} of {total} values do not fulfil what is asked for.",
    }
    facts: ClassVar[Mapping[str, str]] = {
        "variable": "the first variable of the formula",
        "seen": "its value in a few words",
        "value": "the value itself, cut after a line",
        "differing": "how many elements do not hold",
        "total": "how many elements there are",
        "why": "why the formula has no value",
    }

    holds: Formula = Field(description="the condition")
    let: dict[Identifier, Operand] = Field(default={}, description="names for values, to use in the formula")

    @model_validator(mode="before")
    @classmethod
    def _spelled_short(cls, given: Any) -> Any:
        return {"holds": given} if isinstance(given, str) else given

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [{"type": "string", "description": "the condition"}, handler(core)]}

    def problems(self, scope: Scope) -> Iterator[Found]:
        """Names that nothing declares, a formula that is no condition."""
        yield from formula_problems(self.holds, ("holds",), scope.with_variables(*self.let))
        formula = parsed(self.holds)
        if not formula.is_condition:
            what = "the formula gives a value, not a yes or no"
            yield ("holds",), what, "compare it, or close it in all(…), any(…), close(…)"
        if not formula.names:
            yield ("holds",), "the formula looks at no variable, so it always comes out the same", ""
        for name, operand in self.let.items():
            if operand.reference == "":
                yield ("let", name), "say which variable of the author's run is meant", "{reference: …}"
            if name not in formula.names:
                yield ("let", name), f"the formula does not use {name!r}", ""

    def wants_reference(self) -> bool:
        """Whether the formula looks at the author's run."""
        return bool(parsed(self.holds).references)

    def judge(self, scene: Scene) -> Outcome:
        """Whether the condition holds."""
        formula, values = parsed(self.holds), dict(scene.values)
        for name, operand in self.let.items():
            found = operand.node(scene)
            if found is None:
                return self._outcome("absent", scene, operand.variable or name)
            values[name] = found
        result = evaluate(formula, values, scene.expected)
        about = next((name for name in formula.names if name in scene.values), formula.names[0])
        if isinstance(result, Failure):
            blame_author(formula, scene, result)
            reason = "absent" if result.absent else "undefined"
            return self._outcome(reason, scene, result.absent or about, why=result.why)
        return self._decided(result.value, scene, about)

    def _decided(self, value: Any, scene: Scene, about: str) -> Outcome:
        flags = np.asarray(value.values if isinstance(value, Labelled) else value)
        if flags.dtype.kind != "b":
            return self._outcome("undefined", scene, about, why="it is neither true nor false")
        if flags.all():
            return PASSED
        count = {"differing": int((~flags).sum()), "total": flags.size}
        return self._outcome("elements" if flags.size > 1 else "false", scene, about, **count)

    def _outcome(self, reason: str, scene: Scene, about: str, **facts: object) -> Outcome:
        node: v.AnyNode | None = scene.values.get(about)
        name = scene.names.get(about, about)
        value = "nothing" if node is None else Spelled(node)
        return Outcome(0.0, reason, {"variable": name, "seen": describe(node), "value": value, **facts})


KIND = Relation
