"""The mask that tools take: which pixels count."""

from __future__ import annotations

from napari_framewise.framework.inputs import MASK, Input


def mask_input(
    purpose: str,
    further: str = "",
    *,
    title: str = "Mask",
    on: str = "stack",
    same_frame: bool = False,
) -> Input:
    """The role of a mask, which may be left out.

    Parameters
    ----------
    purpose : str
        What its pixels are for, as a verb: "measure".
    further : str
        A sentence more for the tooltip.
    title : str
        Its label.
    on : str
        Role of the frames on which it lies.
    same_frame : bool
        Whether those have no channels, so that its shape is checked before a run.
    """
    description = (
        f"Pixels to {purpose}: not zero = use this pixel. Labels, an image or drawn shapes; one "
        "for all frames, or one each."
    )
    return Input(
        "mask",
        MASK,
        title,
        f"{description} {further}".strip(),
        least=0,
        several_frames=True,
        selects=True,
        lies_on=on,
        same_frame_as=on if same_frame else None,
    )
