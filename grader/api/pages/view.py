"""What a student's page says: pure functions from feedback to words, without addresses and without HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from checks.assignment import Assignment
from checks.feedback import Feedback, PartFeedback, Viewer
from checks.spec.models import Part
from grader.api.pages.rendering import points
from grader.grades import WITHOUT_SCORE
from grader.store.marks import OPEN

TO_DO = ("error", "incorrect", "partial", "not_attempted")
AGAIN = "then hand the notebook in again."
NEXT = {
    "partial": f"Some of it is right. Change what is said here, run the cell, {AGAIN}",
    "incorrect": f"Change your answer in the cell of this part, run it, {AGAIN}",
    "error": f"Restart the kernel and run all cells from the top; fix the first one that stops, {AGAIN}",
    "needs_review": "Nothing for you to do: the points appear here once a person has marked this part.",
    "unjudged": "Nothing for you to do: this part will be judged again, and it costs no points.",
}


@dataclass(frozen=True)
class Total:
    """The sum as a student reads it; ``score`` is None while it is no grade at all.

    ``missing`` says why. ``open``: how many parts are not decided, so that the sum may still grow.
    """

    score: float | None
    max_score: float
    open: int
    missing: str = "not yet judged"

    @property
    def words(self) -> str:
        """In one line."""
        if self.score is None:
            return self.missing
        return f"{points(self.score)} of {points(self.max_score)} points{' so far' if self.open else ''}"


@dataclass(frozen=True)
class PartCard:
    """A part with what stands around its message. ``more``: what its other checks say."""

    part: PartFeedback
    points: str
    next: str
    more: tuple[str, ...]
    anchor: str


@dataclass(frozen=True)
class Expected:
    """A part before its verdict."""

    id: str
    title: str
    points: str


def total(feedback: Feedback) -> Total:
    """The sum of the parts, unless one of them was not judged, or all of them wait for a person."""
    statuses = [part.status for part in feedback.parts if part.status != "ungraded"]
    waiting = sum(status in OPEN for status in statuses)
    if "unjudged" in statuses:
        return Total(None, feedback.max_score, waiting)
    if statuses and waiting == len(statuses):
        return Total(None, feedback.max_score, waiting, "not yet marked")
    return Total(feedback.score, feedback.max_score, waiting)


def cards(feedback: Feedback, assignment: Assignment) -> list[PartCard]:
    """Every part of a student's view, in the assignment's order."""
    specs = {part.id: part for part in assignment.parts}
    return [
        PartCard(part, part_points(part), next_step(part, specs.get(part.id)), more(part), f"part-{number}")
        for number, part in enumerate(feedback.parts, start=1)
    ]


def expected(assignment: Assignment, *, due_is_past: bool = False) -> list[Expected]:
    """The parts that a student will see judged."""
    viewer = Viewer(due_is_past=due_is_past)
    return [
        Expected(part.id, part.title, _worth(part.points, bonus=part.bonus) if part.graded else "")
        for part in assignment.parts
        if viewer.sees(part.visible)
    ]


def shared_message(shown: Sequence[PartCard]) -> str:
    """What every graded part says alike where none has a verdict of its own; empty where they differ."""
    graded = [card.part for card in shown if card.part.status != "ungraded"]
    said = {(part.status, part.message) for part in graded}
    status, message = said.pop() if len(said) == 1 and len(graded) > 1 else ("", "")
    return message if status in ("error", "unjudged") else ""


def shared_next(shown: Sequence[PartCard], run_status: str) -> str:
    """What the student does about that."""
    if run_status == "rejected":
        return "Hand in the notebook itself: the saved `.ipynb` file, complete, as Jupyter wrote it."
    return next(card.next for card in shown if card.part.status != "ungraded")


def part_points(part: PartFeedback) -> str:
    """``1 of 2 points``; for what nobody judged only what it is worth, and nothing where there is nothing."""
    if not part.max_score:
        return ""
    if part.status in WITHOUT_SCORE:
        return _worth(part.max_score, bonus=part.bonus)
    return f"{points(part.score)} of {_worth(part.max_score, bonus=part.bonus)}"


def next_step(part: PartFeedback, spec: Part | None) -> str:
    """What the student does next about a part; empty where there is nothing to do."""
    if part.status != "not_attempted":
        return NEXT.get(part.status, "")
    answers = [f"`{name}`" for name in spec.answers] if spec is not None else []
    if not answers:
        return f"Fill in the cell of this part, run it, {AGAIN}"
    return f"Give {_listed(answers)} a value in the cell of this part, run it, {AGAIN}"


def more(part: PartFeedback) -> tuple[str, ...]:
    """What failed checks say beside the part's own message."""
    said = [check.message for check in part.checks if check.outcome == "failed" and check.message]
    return tuple(dict.fromkeys(text for text in said if text not in part.message))


def first_to_do(shown: Sequence[PartCard]) -> PartCard | None:
    """Where to go on."""
    return next((card for card in shown if card.part.status in TO_DO), None)


def summary(shown: Sequence[PartCard]) -> str:
    """How far the student is, in one sentence."""
    graded = [card.part for card in shown if card.part.status != "ungraded"]
    if not graded:
        return "Nothing here is graded."
    right = sum(part.status == "correct" for part in graded)
    if right == len(graded):
        return "Every part is right. Well done."
    by_us = sum(part.status in OPEN for part in graded)
    if by_us == len(graded):
        return "No part is decided yet."
    rest = f", {by_us} not decided yet" if by_us else ""
    partly = sum(part.status == "partial" for part in graded)
    if not right and partly:
        return f"No part is fully right yet, {partly} {'is' if partly == 1 else 'are'} partly{rest}."
    if not right:
        return f"No part is right yet{rest}."
    return f"{right} of {len(graded)} parts right{rest}."


def _worth(most: float, *, bonus: bool) -> str:
    word = "point" if most == 1 else "points"
    return f"{points(most)} {'bonus ' if bonus else ''}{word}"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def expected_of(assignment: Assignment | None, *, due_is_past: bool = False) -> list[Expected]:
    """The same where the assignment may be unreadable."""
    return [] if assignment is None else expected(assignment, due_is_past=due_is_past)


def step_words(attempt: int, *, again: bool, by_hand: bool) -> str:
    """What made a verdict."""
    if by_hand:
        return "Marked by a person"
    if again:
        return "Judged again by the assignment's newer version"
    return "Graded" if attempt == 1 else f"Graded in run {attempt}"
