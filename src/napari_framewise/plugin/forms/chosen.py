"""What is chosen in a picker, in words, and what was chosen and went."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import ref

from napari.layers import Layer, Shapes

from napari_framewise.framework.inputs import Input, Value
from napari_framewise.framework.outcome import ShapesResult
from napari_framewise.plugin.layers.layers_in import made_by_tool
from napari_framewise.stacks.ragged import RaggedStack
from napari_framewise.stacks.stack import Stack


@dataclass(frozen=True)
class Lost:
    """A layer that was chosen and went."""

    name: str
    layer: Callable[[], Layer | None]
    made: bool

    @classmethod
    def of(cls, layer: Layer) -> Lost:
        """The layer that goes."""
        return cls(layer.name, ref(layer), made_by_tool(layer))

    def back_among(self, layers: Sequence[Layer]) -> Layer | None:
        """The same layer again, or the new result that took a result's place."""
        for layer in layers:
            same_result = self.made and made_by_tool(layer) and layer.name == self.name
            if layer is self.layer() or same_result:
                return layer
        return None

    def sentence(self, role: Input) -> str:
        """What to tell the user."""
        other = "another layer" if role.least else "another layer or none"
        return f"{role.title}: {self.name} was removed; choose {other}."


def first_rectangle(layers: Sequence[Shapes]) -> list[Any] | None:
    """Corners of the first rectangle, in the world."""
    for layer in layers:
        for shape, kind in zip(layer.data, layer.shape_type, strict=True):
            if kind == "rectangle":
                return [layer.data_to_world(corner) for corner in shape]
    return None


def summary_of(value: Value | None) -> str:
    """What a value holds, in words."""
    if isinstance(value, Stack):
        return value.account
    if isinstance(value, RaggedStack):
        return value.summary()
    if isinstance(value, ShapesResult):
        counts = Counter(value.types)
        kinds = ", ".join(f"{count:,} {kind}{'s' * (count > 1)}" for kind, count in counts.items())
        return kinds or "no shapes yet"
    data = getattr(value, "data", None)
    if data is None:
        return ""
    return f"{len(data):,} point{'' if len(data) == 1 else 's'}" if len(data) else "no points yet"
