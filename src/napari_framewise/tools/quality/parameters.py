"""What the quality of an image beside its truth asks for."""

from __future__ import annotations

from typing import Literal

from napari_framewise.framework.framemap import channels_parameter
from napari_framewise.framework.inputs import Input, Kind
from napari_framewise.framework.parameters import Parameters, parameter
from napari_framewise.tools.common.mask_input import mask_input

INPUTS = (
    Input(
        "restored",
        Kind.STACK,
        "Images to judge",
        "A denoised, deblurred or otherwise made image or stack; several are put side by side.",
        most=8,
    ),
    Input(
        "truth",
        Kind.FRAME,
        "Truth",
        "What they should be: one image for all frames, or one for each. Nothing can be said of "
        "the quality of a restoration without it; Noise level measures noise alone.",
        same_frame_as="restored",
        several_frames=True,
    ),
    Input(
        "noisy",
        Kind.FRAME,
        "Before",
        "What was restored, for what the restoration gained (ISNR): one image, or one for each "
        "frame.",
        least=0,
        same_frame_as="restored",
        several_frames=True,
    ),
    mask_input("judge by", on="restored"),
)


class QualityParameters(Parameters):
    """Parameters of the quality."""

    peak: float | None = parameter(
        None,
        "Peak",
        "The range of values that PSNR and SSIM take as full: 255 for 8 bits. Empty: the largest "
        "value of an integer type; of floats the range of the first frame of the truth.",
        unit="values",
        start=255,
        gt=0,
    )
    ssim: Literal["wang", "scikit-image", "reflected"] = parameter(
        "wang",
        "SSIM",
        "Wang: Gaussian windows of 11 pixels wholly inside the frame (2004). scikit-image: its "
        "default, equal weights over 7 pixels, sample variance. Reflected: Gaussian windows over a "
        "mirrored border, as torchmetrics and OpenCV have it.",
    )
    multiscale: bool = parameter(
        True, "MS-SSIM", "SSIM over five scales (2003); of frames of 161 pixels a side or more."
    )
    light: bool = parameter(
        True,
        "Apart from light",
        "The same measures after the best gain and offset, and after what varies smoothly over "
        "the frame is taken out; uneven light is no noise.",
    )
    degree: int = parameter(
        3,
        "Degree",
        "Of the polynomials over the frame that smooth light is described by.",
        ge=1,
        le=8,
        rare=True,
        shown_when={"light": True},
    )
    structure: bool = parameter(
        True,
        "Structure left",
        "Autocorrelation and spectrum of the error: what is left in it besides noise.",
    )
    error_map: bool = parameter(
        True, "Error", "Image minus truth of every frame, as a layer.", group="Layers"
    )
    ssim_map: bool = parameter(
        True, "SSIM map", "SSIM around every pixel, as a layer.", group="Layers"
    )
    channels_along: int | None = channels_parameter()
