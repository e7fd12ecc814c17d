"""The spec language: reading, models, JSON Schema."""

from checks.errors import Problem, SpecError
from checks.spec.loading import load_spec
from checks.spec.marking import Misconception
from checks.spec.models import AssignmentSpec, NotAttempted, Part, Variable
from checks.spec.schema import json_schema, schema_text

__all__ = [
    "AssignmentSpec",
    "Misconception",
    "NotAttempted",
    "Part",
    "Problem",
    "SpecError",
    "Variable",
    "json_schema",
    "load_spec",
    "schema_text",
]
