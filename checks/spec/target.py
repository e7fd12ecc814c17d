"""What a check is about, and what it is held against."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec.structs import replace
from pydantic import Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from checks.compare import content
from checks.compare.steps import Missing
from checks.errors import MissingReferenceError
from checks.evidence import values as v
from checks.formula import Failure, ParsedFormula, evaluate, parsed
from checks.scene import Scene
from checks.spec.base import Found, Piece, Scope
from checks.spec.expression import Formula, formula_problems
from checks.spec.literal import Literal, literal_node
from checks.spec.select import AS_IT_IS, NO_STEPS, Normalise, Select
from checks.spec.suggesting import suggestion
from checks.spec.template import escape

EVERY_COLUMN = "*"
MAX_COLUMNS = 200
OPERANDS = ("reference", "variable", "value", "formula")
__all__ = ["Operand", "ResultOperand", "Sight", "Target", "suggestion"]


class Sight(msgspec.Struct, frozen=True):
    """One value that a target stands for; ``node`` is None where there is none. ``column`` is its label,
    ``missing`` a sentence (Markdown) on the step of ``select`` that leads nowhere.
    """

    node: v.AnyNode | None
    variable: str
    column: str = ""
    missing: str = ""


class Target(Piece):
    """A variable, or one column of a variable that is a table (``column:
    "*"`` stands for every column in turn, the last 200 of a table with more).
    """

    variable: str
    column: str | None = None
    select: Select = NO_STEPS
    normalise: Normalise = AS_IT_IS

    @model_validator(mode="before")
    @classmethod
    def _spelled_short(cls, given: Any) -> Any:
        return {"variable": given} if isinstance(given, str) else given

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [{"type": "string", "description": "the name of a variable"}, handler(core)]}

    def problems(self, scope: Scope) -> Iterator[Found]:
        """A variable that the part does not list."""
        if self.variable not in scope.variables:
            what = f"{self.variable!r} is none of the part's variables"
            yield ("variable",), what, suggestion(self.variable, scope.variables)

    def sights(self, scene: Scene) -> list[Sight]:
        """The values to look at; a missing variable, column or step gives one without a node."""
        return [self._selected(sight) for sight in self._columns(scene)]

    def _selected(self, sight: Sight) -> Sight:
        if sight.node is None or not (self.select.root or self.normalise.root):
            return sight
        found = self.select.reach(sight.node)
        if isinstance(found, Missing):
            missing = f"{escape(self.variable)}: {escape(found.why)}."
            return replace(sight, node=None, missing=missing)
        return replace(sight, node=self.normalise.apply(found))

    def _columns(self, scene: Scene) -> list[Sight]:
        node = scene.values.get(self.variable)
        if self.column is None:
            return [Sight(node, self.variable)]
        if not isinstance(node, v.Table):
            return [Sight(None, self.variable, self.column)]
        if self.column == EVERY_COLUMN:
            # A column that a student adds comes last.
            last = node.columns[-MAX_COLUMNS:]
            found = [Sight(each.values, self.variable, content.column_name(each)) for each in last]
        else:
            found = [Sight(each, self.variable, self.column) for each in content.column(node, self.column)]
        return found or [Sight(None, self.variable, self.column)]


class Operand(Piece):
    """What a value is held against: the word ``reference`` (the same target in the author's run), a variable
    of the author's run, another variable of the student's, or a literal value."""

    reference: str | None = None
    variable: str | None = None
    value: Literal | None = Field(default=None)
    formula: Formula | None = Field(default=None, description="what follows from variables, by an expression")
    column: str | None = None
    select: Select = NO_STEPS
    normalise: Normalise = AS_IT_IS

    @model_validator(mode="before")
    @classmethod
    def _spelled_short(cls, given: Any) -> Any:
        if given == "reference":
            return {"reference": ""}
        if not isinstance(given, (dict, Operand)):
            near = suggestion(str(given), ["reference"])
            meant = near if near.startswith("did") else "write {value: …} for a value that is meant as it is"
            forms = ", ".join(f"{{{word}: …}}" for word in OPERANDS)
            raise PydanticCustomError(
                "operand", "{what}", {"what": f"no reference and none of {forms}: {meant}"}
            )
        return given

    @model_validator(mode="after")
    def _exactly_one(self) -> Operand:
        if len(self.model_fields_set & {*OPERANDS}) != 1:
            raise PydanticCustomError("operand", f"needs exactly one of {', '.join(OPERANDS)}")
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {
            "anyOf": [{"const": "reference", "description": "the same in the author's run"}, handler(core)]
        }

    def problems(self, scope: Scope) -> Iterator[Found]:
        """Names that nothing declares."""
        if self.reference:
            yield from _unknown_reference(self.reference, ("reference",), scope)
        if self.variable is not None and self.variable not in scope.variables:
            what = f"{self.variable!r} is none of the part's variables"
            yield ("variable",), what, suggestion(self.variable, scope.variables)
        if self.formula is not None:
            yield from formula_problems(self.formula, ("formula",), scope)

    def wants_reference(self) -> bool:
        """Whether the author's run is looked at."""
        return self.reference is not None or (
            self.formula is not None and bool(parsed(self.formula).references)
        )

    def node(self, scene: Scene, target: Target | None = None) -> v.AnyNode | None:
        """The value, in the target's normal form; None where the student's other variable is missing or a
        step into it leads nowhere. Raises MissingReferenceError where the author's run lacks it.
        """
        found = self._plain_node(scene, target)
        if found is None:
            return None
        same = self.reference == "" and target is not None
        for select in (target.select, self.select) if same and target else (self.select,):
            reached = select.reach(found)
            if isinstance(reached, Missing):
                if self.reference is None:
                    return None
                raise MissingReferenceError(f"of the reference's {self.reference or 'value'}: {reached.why}")
            found = reached
        if target is not None:
            found = target.normalise.apply(found)
        return self.normalise.apply(found)

    def _plain_node(self, scene: Scene, target: Target | None) -> v.AnyNode | None:
        if "value" in self.model_fields_set:
            return literal_node(self.value)
        if self.formula is not None:
            return self._computed(scene)
        if target is None and not self.reference and self.variable is None:
            raise MissingReferenceError("nothing says which of the reference's variables is meant")
        whole = self.whole(scene, target)
        column = self.column or (target.column if self.reference == "" and target else None)
        if column is None or whole is None:
            return whole
        found = content.column(whole, column) if isinstance(whole, v.Table) else []
        if not found and self.variable is None:
            raise MissingReferenceError(f"the reference's {self.reference or 'value'} has no column {column}")
        return found[0] if found else None

    def _computed(self, scene: Scene) -> v.AnyNode | None:
        """What the formula comes to; the author's fault where the author's own values do not do, either."""
        formula = parsed(self.formula or "")
        found = evaluate(formula, scene.values, scene.expected)
        if isinstance(found, Failure):
            blame_author(formula, scene, found)
            return None
        return found.node()

    def undefined(self, scene: Scene) -> str:
        """Why the formula cannot be computed; empty where it can, or there is none."""
        found = evaluate(parsed(self.formula), scene.values, scene.expected) if self.formula else None
        return found.why if isinstance(found, Failure) else ""

    def whole(self, scene: Scene, target: Target | None) -> v.AnyNode | None:
        """The variable as a whole, whatever column was chosen of it."""
        if self.variable is not None:
            return scene.values.get(self.variable)
        return scene.expected(self.reference or (target.variable if target else ""))


def blame_author(formula: ParsedFormula, scene: Scene, failure: Failure) -> None:
    """Raise MissingReferenceError where a formula that failed fails with the author's values, too."""
    why = "" if formula.names else failure.why
    if scene.reference is not None and formula.names and set(formula.names) <= scene.reference.keys():
        again = evaluate(formula, scene.reference, scene.expected)
        why = again.why if isinstance(again, Failure) else ""
    if why:
        raise MissingReferenceError(f"the formula {formula.text} cannot be computed: {why}")


class ResultOperand(Operand):
    """What a call or a query is held against: also what another function or query of the author's gives,
    when it is called in the same way. It is the author's own result then, but for where it comes from.
    """

    result_of: str | None = Field(
        default=None, description="what this other function or query of the author's run gives"
    )

    @model_validator(mode="before")
    @classmethod
    def _other_result(cls, given: Any) -> Any:
        if isinstance(given, dict) and set(given) == {"result_of"}:
            return {"reference": "", **given}
        return given

    @model_validator(mode="after")
    def _alone(self) -> ResultOperand:
        if self.result_of is not None and self.reference != "":
            raise PydanticCustomError("operand", "result_of stands alone")
        return self

    def problems(self, scope: Scope) -> Iterator[Found]:
        """A function or query that the author's run does not list."""
        yield from super().problems(scope)
        if self.result_of is not None:
            yield from _unknown_reference(self.result_of, ("result_of",), scope)


def _unknown_reference(name: str, path: tuple[str, ...], scope: Scope) -> Iterator[Found]:
    known = scope.reference | scope.variables
    if name not in known:
        yield path, f"{name!r} is no variable of the reference run", suggestion(name, known)
