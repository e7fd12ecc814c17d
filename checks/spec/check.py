"""One check of a spec: a kind with its settings, and what is said when it fails."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, cast

from msgspec.structs import replace
from pydantic import Field, create_model, model_validator
from pydantic_core import PydanticCustomError

from checks.scene import Outcome, Scene
from checks.spec.audience import HIDDEN, Visible, narrower
from checks.spec.base import Found, Piece, Scope
from checks.spec.kind import Kind, kinds
from checks.spec.reading import Path
from checks.spec.target import suggestion
from checks.spec.template import fill, singular
from checks.spec.wording import message_problems

INSIDE = "value"
ALWAYS = "The check did not pass."


class CheckBase(Piece):
    """What every check may have; the kinds' own keys join in :data:`Check`."""

    id: str | None = Field(
        default=None, description="a name for reports; the kind's word where it is left out"
    )
    message: str | None = Field(default=None, description="what the student reads when the check fails")
    messages: dict[str, str] = Field(default={}, description="messages for single reasons of the kind")
    weight: float = Field(
        default=1.0, gt=0, le=1000, description="its share where the part's credit is weighted"
    )
    needs: list[str] = Field(default=[], description="checks that must have passed, or this one is skipped")
    remark: str | None = Field(
        default=None, description="what the student reads beside full marks when the check passes"
    )
    hidden: bool = Field(default=False, description="the same as visible: instructors")
    visible: Visible = Field(
        default="always", description="who sees the check: always, after_due (the due date), instructors"
    )
    message_visible: Visible = Field(default="always", description="who sees its message")

    @model_validator(mode="after")
    def _one_kind(self) -> CheckBase:
        given = [word for word in kinds() if getattr(self, word) is not None]
        if len(given) != 1:
            named = f"{len(given)} kinds ({', '.join(given)})" if given else "no kind"
            raise PydanticCustomError(
                "one_kind", "{what}", {"what": f"a check needs exactly one kind, this one names {named}"}
            )
        return self

    @cached_property
    def word(self) -> str:
        """The word of the check's kind."""
        return next(word for word in kinds() if getattr(self, word) is not None)

    @cached_property
    def kind(self) -> Kind:
        """The kind with its settings."""
        return cast("Kind", getattr(self, self.word))

    @property
    def audience(self) -> Visible:
        """Who sees that there is this check."""
        return "instructors" if self.hidden else self.visible

    @property
    def message_audience(self) -> Visible:
        """Who sees what it says."""
        return narrower(self.audience, self.message_visible)

    def evaluate(self, scene: Scene) -> Outcome:
        """How the check comes out, its message (or remark) filled in."""
        outcome = self.kind.judge(scene)
        if not outcome.passed:
            return replace(outcome, message=self._message(outcome), remark="")
        remark = fill(self.remark, outcome.facts) if self.remark else outcome.remark
        if outcome.message or remark != outcome.remark:
            return replace(outcome, remark=remark, message="")
        return outcome

    def evaluate_inside(self, scene: Scene) -> Outcome:
        """The same for a check around this one, which passes on only what students may always read."""
        outcome = self.evaluate(scene)
        if self.message_audience == "always":
            return outcome
        return replace(outcome, message="" if outcome.passed else HIDDEN, remark="")

    def _message(self, outcome: Outcome) -> str:
        chosen = self.messages.get(outcome.finer) or self.messages.get(outcome.reason)
        if chosen is None and outcome.reason == "nan":  # gaps are wrong values, too
            chosen = self.messages.get("values")
        if chosen is None and outcome.message:
            return outcome.message
        template = chosen or self.message
        if template is None and outcome.fallback:
            return outcome.fallback
        if template is not None:
            return fill(template, outcome.facts)
        own = outcome.wording or self.kind.reasons.get(outcome.finer or outcome.reason) or ALWAYS
        return fill(singular(_of_column(own, outcome.facts), outcome.facts), outcome.facts)

    def problems(self, scope: Scope) -> Iterator[Found]:
        """Messages for reasons that the kind has not, fields that it does not fill,
        checks that are not there.
        """
        for reason in self.messages:
            if reason not in self.kind.reasons:
                what = f"{self.word!r} has no reason {reason!r}"
                yield ("messages", reason), what, suggestion(reason, self.kind.reasons)
        texts: dict[Path, str] = {("messages", reason): text for reason, text in self.messages.items()}
        for key in ("message", "remark"):
            if getattr(self, key) is not None:
                texts[(key,)] = getattr(self, key)
        for path, text in texts.items():
            yield from message_problems(text, path, self.kind.known_facts(scope))
        for number, name in enumerate(self.needs):
            if name not in scope.checks:
                yield ("needs", number), f"the part has no check {name!r}", suggestion(name, scope.checks)


def _of_column(own: str, facts: Mapping[str, object]) -> str:
    """A standard message on a column names it, where the kind's own words do not."""
    inside = facts.get("variable") == INSIDE  # a piece, which the check around it names
    if not facts.get("column") or "{column}" in own or inside:
        return own
    named = own.replace("{variable}", "the column {column} of {variable}")
    return named[:1].upper() + named[1:]


if TYPE_CHECKING:
    Check = CheckBase
else:
    Check = create_model(
        "Check",
        __base__=CheckBase,
        __doc__="One check: exactly one kind, and what is said when it fails.",
        **{word: (kind | None, Field(default=None)) for word, kind in kinds().items()},
    )
    for _kind in kinds().values():
        for _model in (*_kind.pieces, _kind):
            _model.model_rebuild(force=True, _types_namespace={"Check": Check})
    Check.model_rebuild(force=True)
