"""A path through a model as specs write it."""

from __future__ import annotations

from typing import Any

from pydantic import Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from checks.compare import content
from checks.compare.graph import (
    Between,
    Step,
    Trail,
    as_chain,
    find_trails,
    fused,
    graph_of,
    is_addition,
    is_reshaping,
)
from checks.compare.words import class_names
from checks.evidence import values as v
from checks.spec.base import Piece
from checks.spec.bounds import Bounds

ADDITION = "addition"


class Setting(Piece):
    """What a layer's setting must be: a value, or a number within bounds."""

    value: str | int | float | bool | None = None
    bounds: Bounds | None = None

    @model_validator(mode="before")
    @classmethod
    def _spelled_short(cls, given: Any) -> Any:
        return {"bounds": given} if isinstance(given, dict) else {"value": given}

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        bounds = handler(core)["properties"]["bounds"]["anyOf"][0]
        return {"anyOf": [{"type": ["string", "number", "boolean", "null"]}, bounds]}

    def holds(self, node: v.AnyNode | None) -> bool:
        """Whether the setting is so; a setting that is not there is None."""
        found = None if node is None else content.scalar(node)
        if self.bounds is None:
            return found == self.value and isinstance(found, bool) == isinstance(self.value, bool)
        # Compared as it is: a whole number may be beyond all floats.
        return isinstance(found, (int, float)) and not isinstance(found, bool) and self.bounds.hold(found)


class Stop(Piece):
    """A layer on the way: the names of its class (or of an ancestor), its name, its settings.

    ``addition`` is any way of adding up; ``beside`` then names inputs from which one other summand must
    follow.
    """

    layer: list[str] = Field(
        default=[], description="class names; `addition` for every way to add; none: any layer"
    )
    name: str | None = Field(default=None, description="the layer's name")
    config: dict[str, Setting] = Field(default={}, description="settings: values, or {min: …, max: …}")
    beside: list[str] = Field(default=[], description="inputs that another summand must follow from")
    computes: bool | None = Field(
        default=None, description="whether it may do more than move axes, as any layer between may not"
    )

    @model_validator(mode="before")
    @classmethod
    def _spelled_short(cls, given: Any) -> Any:
        if isinstance(given, str):
            return {"layer": [given]}
        if isinstance(given, dict) and isinstance(given.get("layer"), str):
            return {**given, "layer": [given["layer"]]}
        return given

    @model_validator(mode="after")
    def _beside_a_sum(self) -> Stop:
        if self.beside and self.layer != [ADDITION]:
            raise PydanticCustomError(
                "beside", "`beside` speaks of other summands: the layer must be `addition`"
            )
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = handler(core)
        one_name = {"type": "string", "description": "a class name"}
        schema["properties"]["layer"] = {"anyOf": [one_name, schema["properties"]["layer"]]}
        return {"anyOf": [one_name, schema]}

    def step(self) -> Step:
        """The step that the graph looks for."""
        return Step(test=self.fits, is_sum=self.layer == [ADDITION], beside=frozenset(self.beside))

    def fits(self, layer: v.Layer) -> bool:
        """Whether a layer is such a one."""
        return (
            (not self.layer or self._class_fits(layer))
            and self.name in (None, layer.name)
            and self.computes in (None, not is_reshaping(layer))
            and all(setting.holds(layer.config.get(key)) for key, setting in self.config.items())
        )

    def _class_fits(self, layer: v.Layer) -> bool:
        names = class_names(layer.cls, layer.bases)
        return not names.isdisjoint(self.layer) or (ADDITION in self.layer and is_addition(layer))


class Route(Piece):
    """From an input over stops, in this order, to an output of the model."""

    from_: str | None = Field(
        default=None, alias="from", description="the name of the input that the path begins with; else any"
    )
    through: list[Stop] = Field(min_length=1, description="the stops, from input to output")
    between: Between = Field(
        default="any",
        description="what may lie between: any layers, only such as move axes (shape_only), or nothing",
    )

    def trails(self, model: v.Model) -> list[Trail]:
        """The layers at the stops, for every such path of the model."""
        whole = model if model.nodes or self.from_ is not None else as_chain(model)
        found, other = self._found(whole), fused(whole)
        return found if found or other is whole else self._found(other)

    def _found(self, model: v.Model) -> list[Trail]:
        graph = graph_of(model)
        starts = dict.fromkeys(graph.input_names()) if self.from_ is None else [self.from_]
        return find_trails(graph, starts, [stop.step() for stop in self.through], self.between)
