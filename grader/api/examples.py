"""An example of every request and answer in the OpenAPI document; a test holds them to its schemas."""

from __future__ import annotations

from typing import Any

ID = "019ab3f0c2d4a1b2c3d4e5f60718293a"
VERSION = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
HOST = "https://grader.example.edu"
ASSIGNMENT = {
    "id": "embeddings/ex3_gensim",
    "title": "Exploring embeddings with gensim",
    "version": VERSION,
    "environment": "tensorflow",
    "published_at": 1795335799.4,
    "due": "2026-12-01T23:59:00+01:00",
}
DUE = {
    "assignment": "embeddings/ex3_gensim",
    "due": "2026-12-01T23:59:00+01:00",
    "zone": "Europe/Vienna",
    "extensions": [{"student": "ada", "due": "2026-12-08T23:59:00+01:00", "zone": "Europe/Vienna"}],
}
NOTEBOOK = {
    "nbformat": 4,
    "nbformat_minor": 5,
    "metadata": {},
    "cells": [
        {
            "cell_type": "code",
            "id": "a1",
            "metadata": {},
            "execution_count": None,
            "outputs": [],
            "source": "norms = [1.0, 2.0]",
        }
    ],
}
SUBMISSION = {
    "id": ID,
    "assignment": "embeddings/ex3_gensim",
    "version": VERSION,
    "student": "ada",
    "number": 1,
    "attempt": 1,
    "state": "running",
    "phase": "running",
    "position": None,
    "cells": {"current": 3, "total": 20},
    "created_at": 1795335799.4,
    "started_at": 1795335800.1,
    "finished_at": None,
    "links": {
        "self": f"{HOST}/api/v1/submissions/{ID}",
        "feedback": f"{HOST}/api/v1/submissions/{ID}/feedback",
        "events": f"{HOST}/api/v1/submissions/{ID}/events",
        "notebook": f"{HOST}/api/v1/submissions/{ID}/notebook",
        "page": f"{HOST}/feedback/{ID}?expires=1797984000&signature=5f4dcc3b",
    },
}
FEEDBACK = {
    "schema": "feedback/1",
    "assignment": {"id": "embeddings/ex3_gensim", "version": VERSION, "title": "Exploring embeddings"},
    "submission": {"id": ID, "student": "ada", "notebook": VERSION, "attempt": 1},
    "run": {
        "status": "completed",
        "seconds": 0.8,
        "environment": "tensorflow@sha256:0b1c",
        "memory_limit": "cgroup",
    },
    "score": 0.0,
    "max_score": 1.0,
    "parts": [
        {
            "id": "part1",
            "title": "Norms",
            "status": "incorrect",
            "score": 0.0,
            "max_score": 1.0,
            "message": "Each row has a norm of its own.",
            "misconception": "whole_matrix_norm",
            "hints": [],
            "cell": 17,
            "checks": [],
        }
    ],
}
EVENTS = (
    f'id: 4\nevent: progress\ndata: {{"id": "{ID}", "state": "finished"}}\n\n'
    'id: 4\nevent: feedback\ndata: {"schema": "feedback/1"}\n\n'
)
PART = {
    "id": "part1",
    "title": "Norms",
    "status": "incorrect",
    "score": 0.0,
    "max_score": 1.0,
    "misconception": "whole_matrix_norm",
}
REPORT = {
    "assignment": "embeddings/ex3_gensim",
    "title": "Exploring embeddings with gensim",
    "version": VERSION,
    "states": {"finished": 1},
    "parts": [
        {
            "id": "part1",
            "title": "Norms",
            "max_score": 1.0,
            "statuses": {"incorrect": 1},
            "misconceptions": {"whole_matrix_norm": 1},
        }
    ],
    "submissions": [
        {
            "submission": ID,
            "student": "ada",
            "number": 1,
            "created_at": 1795335799.4,
            "state": "finished",
            "run_status": "completed",
            "score": 0.0,
            "max_score": 1.0,
            "parts": [PART],
            "reason": None,
        }
    ],
}
GRADES = (
    "student,submission,number,state,score,max_score,part1 score,part1 status\r\n"
    f"ada,{ID},1,finished,0.0,1.0,0.0,incorrect\r\n"
)
AUDIT = {
    "entries": [
        {
            "id": ID,
            "at": 1795335801.2,
            "actor": "worker",
            "action": "verdict.written",
            "subject": ID,
            "before": None,
            "after": {
                "version": VERSION,
                "run_status": "completed",
                "score": 0.0,
                "max_score": 1.0,
                "parts": {"part1": "incorrect"},
            },
        }
    ],
    "next": None,
}
WEBHOOK = {
    "id": ID,
    "course": "embeddings",
    "url": "https://lms.example.edu/hooks/grader",
    "events": ["feedback.changed", "submission.graded"],
    "created_at": 1795335799.4,
    "disabled_at": None,
    "failed": 0,
}
DELIVERIES = {
    "deliveries": [
        {
            "id": f"msg_{ID}",
            "event": "submission.graded",
            "state": "delivered",
            "created_at": 1795335801.2,
            "next_at": None,
            "tries": [
                {
                    "number": 1,
                    "at": 1795335801.9,
                    "seconds": 0.12,
                    "status": 204,
                    "error": None,
                    "excerpt": "",
                }
            ],
        }
    ],
    "next": None,
}
SENT_AGAIN = {
    "id": f"msg_{ID}",
    "event": "submission.graded",
    "state": "pending",
    "created_at": 1795335801.2,
    "next_at": 0.0,
    "tries": [
        {
            "number": 1,
            "at": 1795335801.9,
            "seconds": 0.12,
            "status": 503,
            "error": None,
            "excerpt": "down for maintenance",
        }
    ],
}
REGRADE = {
    "id": ID,
    "assignment": "embeddings/ex3_gensim",
    "version": VERSION,
    "state": "previewed",
    "by": "token 1a2b3c4d (ada)",
    "total": 120,
    "done": 120,
    "detail": "",
    "created_at": 1795335799.4,
    "changed_at": 1795335800.9,
}
PREVIEW = REGRADE | {
    "rises": 1,
    "falls": 0,
    "other": 0,
    "unchanged": 118,
    "needs_run": ["grace"],
    "parts": [{"part": "part1", "rises": 1, "falls": 0, "other": 0, "causes": {"right: failed → passed": 1}}],
    "movers": [
        {
            "student": "ada",
            "submission": ID,
            "before": 0.0,
            "after": 1.0,
            "parts": [
                {
                    "part": "part1",
                    "before": "incorrect",
                    "after": "correct",
                    "before_score": 0.0,
                    "after_score": 1.0,
                    "causes": ["right: failed → passed"],
                }
            ],
        }
    ],
    "next": None,
}
MARK = {
    "submission": ID,
    "part": "part1",
    "status": "partial",
    "score": 0.5,
    "max_score": 1.0,
    "judged_status": "needs_review",
    "judged_score": 0.0,
    "reason": "The idea is right, the axis is not.",
    "by": "token 1a2b3c4d (ada)",
    "at": 1795335900.2,
}
METRICS = 'grader_queue_depth{queue="tensorflow.interactive"} 3.0\n'
JSON, TEXT = "application/json", "text/plain"
_SUBMISSIONS = "/api/v1/submissions/{submission_id}"
_ASSIGNMENT = "/api/v1/assignments/{assignment_id}"
_REGRADE = f"{_ASSIGNMENT}/regrades/{{regrade_id}}"
_WEBHOOKS = "/api/v1/courses/{course}/webhooks"

# By operation: the media type and the body of its success. 204 has none.
ANSWERS: dict[tuple[str, str], tuple[str, Any]] = {
    ("get", "/api/v1/assignments"): (JSON, {"assignments": [ASSIGNMENT]}),
    ("post", "/api/v1/assignments"): (JSON, ASSIGNMENT),
    ("post", f"{_ASSIGNMENT}/submissions"): (JSON, SUBMISSION),
    ("get", f"{_ASSIGNMENT}/report"): (JSON, REPORT),
    ("get", f"{_ASSIGNMENT}/grades.csv"): ("text/csv", GRADES),
    ("post", f"{_ASSIGNMENT}/grades.csv"): (
        "text/csv",
        'Student,ID,Section,Embeddings (302)\r\n    Points Possible,,,8\r\n"Lovelace, Ada",1815,A,7\r\n',
    ),
    ("get", f"{_ASSIGNMENT}/feedback.zip"): ("application/zip", "(a zip)"),
    ("post", f"{_ASSIGNMENT}/feedback.zip"): ("application/zip", "(a zip)"),
    ("post", f"{_ASSIGNMENT}/regrade"): (JSON, REGRADE | {"state": "previewing", "done": 0}),
    ("get", f"{_ASSIGNMENT}/regrades"): (JSON, {"regrades": [REGRADE]}),
    ("get", _REGRADE): (JSON, PREVIEW),
    ("post", f"{_REGRADE}/apply"): (JSON, REGRADE | {"state": "applied"}),
    ("post", f"{_REGRADE}/undo"): (JSON, REGRADE | {"state": "undone"}),
    ("post", f"{_REGRADE}/discard"): (JSON, REGRADE | {"state": "discarded"}),
    ("post", f"{_REGRADE}/run-again"): (JSON, {"queued": 1}),
    ("put", f"{_SUBMISSIONS}/parts/{{part}}/mark"): (JSON, MARK),
    ("get", f"{_ASSIGNMENT}/report-page"): (
        JSON,
        {"page": f"{HOST}/reports/embeddings/ex3_gensim?expires=1"},
    ),
    ("get", f"{_ASSIGNMENT}/audit"): (JSON, AUDIT),
    ("get", f"{_ASSIGNMENT}/due"): (JSON, DUE),
    ("put", f"{_ASSIGNMENT}/due"): (JSON, DUE),
    ("put", f"{_ASSIGNMENT}/extensions"): (JSON, DUE),
    ("get", _SUBMISSIONS): (JSON, SUBMISSION),
    ("get", f"{_SUBMISSIONS}/feedback"): (JSON, FEEDBACK),
    ("get", f"{_SUBMISSIONS}/events"): ("text/event-stream", EVENTS),
    ("get", f"{_SUBMISSIONS}/notebook"): ("application/x-ipynb+json", NOTEBOOK),
    ("post", _WEBHOOKS): (JSON, WEBHOOK | {"secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}),
    ("get", _WEBHOOKS): (JSON, {"webhooks": [WEBHOOK]}),
    ("get", f"{_WEBHOOKS}/{{webhook_id}}/deliveries"): (JSON, DELIVERIES),
    ("post", f"{_WEBHOOKS}/{{webhook_id}}/deliveries/{{delivery_id}}/send-again"): (JSON, SENT_AGAIN),
    ("post", f"{_WEBHOOKS}/{{webhook_id}}/send-again"): (JSON, {"queued": 3}),
    ("get", "/livez"): (TEXT, "ok\n"),
    ("get", "/readyz"): (JSON, {"database": "ok", "broker": "ok"}),
    ("get", "/metrics"): (TEXT, METRICS),
}
# By operation and media type: a request's body. A packed bundle is bytes, of which JSON has no example.
REQUESTS: dict[tuple[str, str], dict[str, Any]] = {
    ("post", f"{_ASSIGNMENT}/submissions"): {
        JSON: {"student": "ada", "notebook": NOTEBOOK},
        "multipart/form-data": {"student": "ada", "notebook": "(the notebook's file)"},
    },
    ("post", f"{_ASSIGNMENT}/grades.csv"): {
        "multipart/form-data": {"template": "(the gradebook's file)", "column": "Embeddings (302)"}
    },
    ("post", f"{_ASSIGNMENT}/feedback.zip"): {"multipart/form-data": {"download": "(the zip)"}},
    ("post", f"{_ASSIGNMENT}/regrade"): {JSON: {"version": VERSION, "preview": True}},
    ("put", f"{_SUBMISSIONS}/parts/{{part}}/mark"): {
        JSON: {"score": 0.5, "reason": "The idea is right, the axis is not."}
    },
    ("put", f"{_ASSIGNMENT}/due"): {JSON: {"due": "2026-12-01T23:59", "zone": "Europe/Vienna"}},
    ("put", f"{_ASSIGNMENT}/extensions"): {JSON: {"student": "ada", "due": "2026-12-08T23:59:00+01:00"}},
    ("post", _WEBHOOKS): {
        JSON: {"url": "https://lms.example.edu/hooks/grader", "events": ["submission.graded"]}
    },
}


def add(schema: dict[str, Any]) -> None:
    """Put the examples into an OpenAPI document."""
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            _add(operation, (method, path))


def _add(operation: dict[str, Any], key: tuple[str, str]) -> None:
    if key in ANSWERS:
        kind, example = ANSWERS[key]
        success = min(status for status in operation["responses"] if status.startswith("2"))
        content = operation["responses"][success].setdefault("content", {})
        content.setdefault(kind, {})["example"] = example
    for kind, example in REQUESTS.get(key, {}).items():
        operation["requestBody"]["content"][kind]["example"] = example
