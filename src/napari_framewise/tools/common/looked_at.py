"""The mask of tools that find things in frames."""

from __future__ import annotations

from napari_framewise.framework.inputs import MASK, Input

LOOKED_AT = Input(
    "mask",
    MASK,
    "Mask",
    "Pixels to look at: not zero = use this pixel. One image for all frames, or one each.",
    least=0,
    same_frame_as="stack",
    several_frames=True,
)
