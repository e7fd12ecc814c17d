"""``history``: how a training went: what was measured, for how many epochs, and how it came out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

from pydantic import Field

from checks.compare import content
from checks.compare.words import listed
from checks.evidence import values as v
from checks.scene import PASSED, Outcome, Scene
from checks.spec.base import Found, Piece, Scope
from checks.spec.bounds import Bounds
from checks.spec.kind import ABSENT, TargetKind

# What TensorFlow 1 and the versions since then call the same measure.
SAME = (
    ("mae", "mean_absolute_error"),
    ("mse", "mean_squared_error"),
    ("mape", "mean_absolute_percentage_error"),
    ("acc", "accuracy", "binary_accuracy", "categorical_accuracy", "sparse_categorical_accuracy"),
    ("rmse", "root_mean_squared_error"),
    ("lr", "learning_rate"),
)
RISING = ("accuracy", "acc", "auc", "precision", "recall", "f1", "f1_score", "r2_score", "top_k")


class Course(Piece):
    """How one measure must go. Which way is better follows from its name (accuracy rises, a loss falls)
    unless the author says it."""

    last: Bounds | None = Field(default=None, description="its value after the last epoch")
    best: Bounds | None = Field(default=None, description="its best value")
    best_epoch: Bounds | None = Field(default=None, description="the epoch of the best value, counted from 1")
    improves: bool = Field(default=False, description="whether it must end better than it began")
    better: Literal["lower", "higher"] | None = Field(default=None, description="which way is better")


class History(TargetKind):
    """Each of the conditions that are given must hold. A measure may have its old or its new name."""

    reasons: ClassVar[Mapping[str, str]] = {
        "absent": ABSENT,
        "not_history": "{variable} is {seen}, not the record of a training.",
        "empty": "{variable} records no epoch: was the model trained?",
        "keys": "{variable} records {measured}; something that should be measured, too, is not there.",
        "epochs": "The training went on for {epochs} epochs; that is not the number asked for.",
        "not_finite": "{metric} is not a number after epoch {epoch}: the training went astray.",
        "last": "{metric} is {value} after the last epoch; that is not good enough.",
        "best": "The best {metric} is {value}; that is not good enough.",
        "best_epoch": "{metric} is best after epoch {epoch} of {epochs}; that is not when it should be.",
        "improves": "{metric} is {value} after the last epoch, no better than after the first.",
    }
    facts: ClassVar[Mapping[str, str]] = {
        **TargetKind.facts,
        "measured": "the names of the measures",
        "metric": "the measure that the check failed for",
        "value": "its value",
        "epoch": "the epoch in question, counted from 1",
        "epochs": "the number of epochs",
    }

    has: list[str] = Field(default=[], description="measures that must be there")
    epochs: Bounds | None = Field(default=None, description="how many epochs there must be")
    metrics: dict[str, Course] = Field(default={}, description="measures, and how each must go")

    def problems(self, _scope: Scope) -> Iterator[Found]:
        """Measures of which nothing is asked."""
        for name, course in self.metrics.items():
            if not course.model_fields_set - {"better"}:
                yield (
                    ("metrics", name),
                    f"nothing is asked of {name!r}",
                    "has: […], to ask only that it is there",
                )

    def judge_node(self, node: v.AnyNode, _scene: Scene) -> Outcome:
        """The first condition that fails gives the reason."""
        measured = measures(node)
        if measured is None:
            return Outcome(0.0, "not_history")
        length = max(map(len, measured.values()), default=0)
        facts = {"measured": listed(list(measured)) or "nothing", "epochs": length}
        if not length:
            return Outcome(0.0, "empty", facts)
        if any(find(measured, name) is None for name in (*self.has, *self.metrics)):
            return Outcome(0.0, "keys", facts)
        if self.epochs and not self.epochs.hold(length):
            return Outcome(0.0, "epochs", facts)
        for name, course in self.metrics.items():
            numbers = find(measured, name) or []
            outcome = _judge_course(name, course, numbers)
            if not outcome.passed:
                return Outcome(0.0, outcome.reason, {**facts, **outcome.facts})
        return PASSED


def _judge_course(name: str, course: Course, numbers: list[float]) -> Outcome:
    astray = next((at for at, number in enumerate(numbers, 1) if not math.isfinite(number)), None)
    if astray is not None or not numbers:
        return Outcome(0.0, "not_finite", {"metric": name, "epoch": astray or 1, "value": "none"})
    choose = max if _rises(name, course) else min
    best = choose(numbers)
    at = numbers.index(best) + 1
    facts = {"metric": name, "epoch": at, "value": f"{best:.4g}"}
    if course.last and not course.last.hold(numbers[-1]):
        return Outcome(0.0, "last", {**facts, "value": f"{numbers[-1]:.4g}", "epoch": len(numbers)})
    if course.best and not course.best.hold(best):
        return Outcome(0.0, "best", facts)
    if course.best_epoch and not course.best_epoch.hold(at):
        return Outcome(0.0, "best_epoch", facts)
    if course.improves and (numbers[-1] == numbers[0] or choose(numbers[0], numbers[-1]) == numbers[0]):
        return Outcome(0.0, "improves", {**facts, "value": f"{numbers[-1]:.4g}", "epoch": len(numbers)})
    return PASSED


def _rises(name: str, course: Course) -> bool:
    plain = name.removeprefix("val_").lower()
    return course.better == "higher" if course.better else any(plain.startswith(word) for word in RISING)


def measures(node: v.AnyNode) -> dict[str, list[float]] | None:
    """The measures by name: of a training's record, of its dict, or of a table with a column for each; None
    for any other value, and where something else than numbers is in it."""
    match node:
        case v.History():
            found = {name: _plain(list(numbers)) for name, numbers in node.metrics.items()}
        case v.Mapping():
            pairs = [(content.scalar(key), content.numbers(item)) for key, item in node.items]
            found = {str(key): None if row is None or row.ndim != 1 else _floats(row) for key, row in pairs}
        case v.Table():
            rows = [(content.column_name(each), content.numbers(each.values)) for each in node.columns]
            found = {name: None if row is None else _floats(row) for name, row in rows}
        case _:
            return None
    plain = {name: numbers for name, numbers in found.items() if numbers is not None}
    return plain if len(plain) == len(found) else None


def _plain(nodes: list[v.AnyNode]) -> list[float] | None:
    rows = [content.numbers(node) for node in nodes]
    plain = [float(row) for row in rows if row is not None and row.shape == () and row.dtype.kind in "biuf"]
    return plain if len(plain) == len(nodes) else None


def _floats(row: content.Numbers) -> list[float] | None:
    return [float(number) for number in row.tolist()] if row.dtype.kind in "biuf" else None


def find(measured: Mapping[str, list[float]], name: str) -> list[float] | None:
    """The numbers of the measure ``name`` under any of its names; None where it was not measured."""
    if name in measured:
        return measured[name]
    before = "val_" if name.startswith("val_") else ""
    plain = name.removeprefix(before).lower()
    group = next((names for names in SAME if plain in names), (plain,))
    lower = {key.lower(): numbers for key, numbers in measured.items()}
    return next((lower[before + other] for other in group if before + other in lower), None)


KIND = History
