"""Inputs and parameters of inpainting."""

from __future__ import annotations

from pydantic import field_validator

from napari_framewise.framework.framemap import channels_parameter
from napari_framewise.framework.inputs import MASK, Input, Kind
from napari_framewise.framework.parameters import Parameters, parameter
from napari_framewise.numerics.inpainting import Settings

INPUTS = (
    Input("stack", Kind.STACK, "Stack", "The frames that have holes.", frames="plane"),
    Input(
        "hole",
        MASK,
        "Hole",
        "Pixels to fill: not zero = fill this pixel. One image for all frames, or one per frame; "
        "without it missing pixels (NaN) are filled.",
        least=0,
        several_frames=True,
        folded=False,
    ),
    Input(
        "source",
        MASK,
        "Source",
        "Patches are copied only from where it is not zero; from everywhere by default.",
        least=0,
        several_frames=True,
        selects=True,
    ),
)


class InpaintingParameters(Parameters):
    """Parameters of inpainting."""

    size: int = parameter(
        Settings.size,
        "Patch size",
        "Side of a patch, odd: a little more than the largest detail of the texture.",
        unit="pixels",
        ge=3,
        le=99,
    )
    structure: float = parameter(
        Settings.structure,
        "Structure",
        "How much edges that meet the hole decide what comes first: 0 for not at all, 1 as it was "
        "published.",
        ge=0,
        le=1,
    )
    sigma: float = parameter(
        Settings.sigma,
        "Front smoothing",
        "Sigma of the Gaussian along the fill front before its normals are taken.",
        unit="pixels",
        ge=0,
        le=10,
        rare=True,
    )
    channels_along: int | None = channels_parameter()

    @field_validator("size")
    @classmethod
    def _odd(cls, size: int) -> int:
        if size % 2 == 0:
            raise ValueError(f"it should be odd, such as {size + 1}")
        return size
