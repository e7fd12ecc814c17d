"""The spec language as JSON Schema, from the models themselves:
for editors, and to know which keys go where.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from checks.spec.models import AssignmentSpec
from checks.spec.reading import Path


@cache
def json_schema() -> dict[str, Any]:
    """The schema of ``assignment.yaml`` (JSON Schema 2020-12);
    ``assignment.schema.json`` beside this file is its copy.
    """
    schema = AssignmentSpec.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "assignment.yaml"}


def schema_text() -> str:
    """The schema as the published file spells it."""
    return json.dumps(json_schema(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def known_keys(path: Path) -> set[str]:
    """The keys that a mapping at ``path`` may have."""
    places = [json_schema()]
    for step in path:
        places = [deeper for place in places for deeper in _deeper(place, step)]
    return {key for place in places for branch in _branches(place) for key in branch.get("properties", {})}


def _deeper(place: dict[str, Any], step: str | int) -> Iterator[dict[str, Any]]:
    for branch in _branches(place):
        if isinstance(step, int):
            found = branch.get("items")
        else:
            by_pattern = next(
                iter(branch.get("patternProperties", {}).values()), branch.get("additionalProperties")
            )
            found = branch.get("properties", {}).get(step, by_pattern)
        if isinstance(found, dict):
            yield found


def _branches(place: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A schema and the alternatives that it refers to."""
    yield place
    if "$ref" in place:
        yield from _branches(json_schema()["$defs"][place["$ref"].rpartition("/")[2]])
    for other in (*place.get("anyOf", ()), *place.get("allOf", ()), *place.get("oneOf", ())):
        yield from _branches(other)
