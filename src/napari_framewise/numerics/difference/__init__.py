"""What changed between two images of one scene, whatever moved, blurred or lit them otherwise."""

from __future__ import annotations

from napari_framewise.numerics.difference.comparing import Change, Settings, compare
from napari_framewise.numerics.difference.focus import Focus, focus
from napari_framewise.numerics.difference.measures import Measure
from napari_framewise.numerics.difference.significance import (
    Regions,
    discovered,
    kept,
    p_values,
    regions,
    scores,
)

__all__ = [
    "Change",
    "Focus",
    "Measure",
    "Regions",
    "Settings",
    "compare",
    "discovered",
    "focus",
    "kept",
    "p_values",
    "regions",
    "scores",
]
