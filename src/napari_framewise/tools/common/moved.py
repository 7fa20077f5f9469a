"""What is moved along with frames that are put on other pixels."""

from __future__ import annotations

from napari_framewise.framework.inputs import Input, Kind

MOVED = (
    Input(
        "points",
        Kind.POINTS,
        "Points",
        "Points on the frames, moved exactly.",
        least=0,
        most=8,
        lies_on="stack",
        folded=True,
    ),
    Input(
        "shapes",
        Kind.SHAPES,
        "Shapes",
        "Shapes on the frames, their vertices moved exactly.",
        least=0,
        most=8,
        lies_on="stack",
        folded=True,
    ),
)
