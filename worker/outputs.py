"""What a notebook may print: how much of it, and in which forms it is kept."""

from __future__ import annotations

import asyncio
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

# What nbclient raises on messages that are not as Jupyter's protocol has them: only a notebook writes such.
MALFORMED = (KeyError, TypeError, ValueError, AttributeError, RecursionError, nbformat.ValidationError)
# The forms of an output that are kept: what a page shows without running anything. No script, no widget (they
# talk over channels of their own), nothing that a viewer would have to load.
FORMS = frozenset(
    {
        "text/plain",
        "text/html",
        "text/markdown",
        "text/latex",
        "application/json",
        "image/png",
        "image/jpeg",
        "image/gif",
        "image/svg+xml",
    }
)
_IGNORED_MESSAGES = ("comm_open", "comm_msg", "comm_close")
_OUTPUT_BYTES = 1024  # what each output costs beside its content: it becomes an object of ours
_OUTPUTS = ("stream", "display_data", "update_display_data", "execute_result", "error")


class OutputLimitError(Exception):
    """The notebook printed more than it may."""


class LimitedClient(NotebookClient):
    """nbclient's client, but counting what cells print. ``budget``: bytes that the notebook may print;
    ``exceeded`` is set when they are spent, for nbclient itself looks at the output only after the reply.
    """

    budget: int = 0
    exceeded: asyncio.Future[None]

    def process_message(
        self, msg: dict[str, Any], cell: NotebookNode, cell_index: int
    ) -> NotebookNode | None:
        """Count the message, drop what opens channels of its own, and let nbclient do the rest."""
        if msg["msg_type"] in _IGNORED_MESSAGES:
            return None
        self.budget -= _size(msg["content"]) + (_OUTPUT_BYTES if msg["msg_type"] in _OUTPUTS else 0)
        if self.budget < 0:
            if not self.exceeded.done():
                self.exceeded.set_result(None)
            raise OutputLimitError
        try:
            _keep_known_forms(msg["content"])
            return super().process_message(msg, cell, cell_index)
        except MALFORMED:
            return None


def _keep_known_forms(content: dict[str, Any]) -> None:
    """Drop the other forms of a displayed value; raises one of MALFORMED where it is none."""
    forms = content.get("data")
    if forms is not None:
        content["data"] = {name: form for name, form in forms.items() if name in FORMS}


def _size(content: Any) -> int:
    """Bytes of a message's content, near enough: its texts and a little for every node."""
    if isinstance(content, str):
        return len(content)
    if isinstance(content, dict):
        return 16 + sum(_size(key) + _size(value) for key, value in content.items())
    if isinstance(content, list):
        return 16 + sum(_size(item) for item in content)
    return 8
