"""What filters of frames with missing pixels take: a mask and a confidence beside the frames."""

from __future__ import annotations

from napari_framewise.framework.channels import with_channels
from napari_framewise.framework.framemap import FrameMapParameters
from napari_framewise.framework.inputs import Input, Inputs, Kind
from napari_framewise.stacks.axes import Axis
from napari_framewise.tools.common.mask_input import mask_input

MASK_OF_FRAMES = mask_input("use")
CERTAINTY = (
    MASK_OF_FRAMES,
    Input(
        "confidence",
        Kind.FRAME,
        "Confidence",
        "How much each pixel counts, from 0 (missing) to 1; one image, or one for each frame.",
        least=0,
        several_frames=True,
    ),
)
CITATION = (
    "Knutsson, H. & Westin, C.-F. (1993). Normalized and differential convolution: methods for "
    "interpolation and filtering of incomplete and uncertain data. CVPR, 515-523."
)


def axes_of(inputs: Inputs, parameters: FrameMapParameters) -> tuple[Axis, ...]:
    """Axes of the pixels of a frame, without its channels."""
    return with_channels(inputs.stack("stack"), parameters.channels_along).spatial_grid.axes
