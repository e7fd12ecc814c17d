"""What a formula may cost, and how it says that it cannot go on."""

from __future__ import annotations

MAX_STEPS = 200_000
MAX_ELEMENTS = 5_000_000
MAX_BITS = 4_096
MAX_TEXT = 200_000


class UndefinedError(Exception):
    """A formula has no value here; the text is a clause for people. Never leaves this package."""


class Budget:
    """Counts the steps of one evaluation: each operator is one, and one more for each hundred elements."""

    def __init__(self) -> None:
        self._left = MAX_STEPS

    def spend(self, elements: int = 0) -> None:
        """Take a step over so many elements; raises UndefinedError where the limit is reached."""
        if elements > MAX_ELEMENTS:
            raise UndefinedError(f"it would take more than {MAX_ELEMENTS} elements")
        self._left -= 1 + elements // 100
        if self._left < 0:
            raise UndefinedError("it would take too many steps")
