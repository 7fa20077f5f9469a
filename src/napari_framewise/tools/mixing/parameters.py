"""What mixing coefficients are asked for: inputs by role, and parameters."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import field_validator, model_validator

from napari_framewise.framework.inputs import MASK, Input, Kind
from napari_framewise.framework.parameters import GIVEN, Parameters, parameter
from napari_framewise.numerics.mixing import MAX_REFERENCES
from napari_framewise.tools.common.mask_input import mask_input

INPUTS = (
    Input("stack", Kind.STACK, "Stack", "The frames to take apart."),
    Input(
        "references",
        Kind.FRAME,
        "References",
        "The images that every frame is a mixture of, 2 to 16 in all; they may be frames of the "
        "stack. Several frames of one layer are averaged, or taken as one reference each.",
        most=MAX_REFERENCES,
        usual=2,
        same_frame_as="stack",
        several_frames=True,
    ),
    mask_input("use", same_frame=True),
    Input(
        "regions",
        MASK,
        "Regions",
        "Regions that are taken apart by themselves as well: every shape of a layer, or every "
        "value of an image of labels.",
        least=0,
        lies_on="stack",
    ),
    Input(
        "weights",
        Kind.FRAME,
        "Weights",
        "Weight of each pixel, in proportion to one over its variance; 0 leaves it out.",
        least=0,
        same_frame_as="stack",
    ),
    Input(
        "dark",
        Kind.FRAME,
        "Dark frame",
        "Subtracted from frames and references first; several frames are averaged.",
        least=0,
        same_frame_as="stack",
        several_frames=True,
    ),
    Input(
        "flat",
        Kind.FRAME,
        "Flat field",
        "Divided out of frames and references after the dark frame; several frames are averaged.",
        least=0,
        same_frame_as="stack",
        several_frames=True,
    ),
)


class MixingParameters(Parameters):
    """Parameters of the mixing coefficients."""

    constraint: Literal["sum_to_one", "none", "non_negative", "fully_constrained"] = parameter(
        "sum_to_one",
        "Constraint",
        "What the coefficients of a frame must obey; fully constrained is both: a sum of one and "
        "none negative.",
    )
    errors: Literal["hc2", "hc3", "classical"] = parameter(
        "hc2",
        "Standard errors",
        "HC2 and HC3 hold where the noise differs from pixel to pixel, as photon noise does: HC2 "
        "is right on average, HC3 errs on the large side; classical takes one noise level for all "
        "pixels of a frame.",
    )
    offset: bool = parameter(
        False, "Free offset", "Fit a constant background to each frame as well."
    )
    gain: bool = parameter(
        False,
        "Free gain",
        "Fit a brightness to each frame as well, for bleaching or a drifting lamp; needs the sum "
        "of one.",
        shown_when={"constraint": ("sum_to_one", "fully_constrained")},
    )
    loss: Literal["linear", "huber"] = parameter(
        "linear",
        "Loss",
        "Linear is least squares; Huber gives pixels that do not fit, such as cosmic rays, less "
        "say.",
        rare=True,
    )
    lowest: tuple[float, ...] = parameter(
        (),
        "Lowest coefficient",
        "Lower bound: one number, or one for each reference. With two references and a sum of one, "
        "one number bounds the first.",
        group="Bounds",
        rare=True,
    )
    highest: tuple[float, ...] = parameter(
        (), "Highest coefficient", "Upper bound, as above.", group="Bounds", rare=True
    )
    several_frames: Literal["average", "separate"] = parameter(
        "average",
        "Several frames",
        "Whether a reference layer of several frames is averaged to one reference, or each frame "
        "is a reference.",
        group="References",
        rare=True,
    )
    reference_noise: Literal["correct", "ignore"] = parameter(
        "correct",
        "Reference noise",
        "Where all references are averages, their remaining noise is known: correct the pull that "
        "it has on the coefficients (errors in variables), or ignore it.",
        group="References",
        rare=True,
    )
    poisson_weights: bool = parameter(
        False,
        "Photon-noise weights",
        "Weight pixels by the noise that the detector has at the middle mixture; needs the "
        "detector's gain.",
        group="Detector",
        rare=True,
    )
    detector_gain: float | None = parameter(
        None,
        "Gain",
        "Electrons that make one count.",
        unit="electrons per count",
        start=1.0,
        gt=0,
        group="Detector",
        rare=True,
    )
    detector_offset: float = parameter(
        0.0,
        "Offset",
        "Counts of a pixel without light.",
        shown_when={"detector_gain": GIVEN},
        unit="counts",
        group="Detector",
        rare=True,
    )
    read_noise: float = parameter(
        0.0,
        "Read noise",
        "Standard deviation of the read-out.",
        shown_when={"detector_gain": GIVEN},
        unit="electrons",
        ge=0,
        group="Detector",
        rare=True,
    )
    saturation: float | None = parameter(
        None,
        "Saturation",
        "Count at which a pixel saturates: pixels that a mixture may bring there are left out of "
        "all frames; needs the detector's gain.",
        start=65535,
        unit="counts",
        group="Detector",
        rare=True,
    )
    fitted: bool = parameter(
        False, "Fitted stack", "Add the fitted frames as a layer.", group="Layers"
    )
    residual: bool = parameter(
        True, "Residual stack", "Add frames minus fit as a layer.", group="Layers"
    )
    mean_residual: bool = parameter(
        True,
        "Mean residual",
        "Add the residual averaged over all frames: it shows a shift or saturation that biases the "
        "coefficients.",
        group="Layers",
    )

    @field_validator("errors", mode="before")
    @classmethod
    def _former_name(cls, errors: Any) -> Any:
        """Recipes from before there were two consistent errors."""
        return "hc3" if errors == "consistent" else errors

    @model_validator(mode="after")
    def _detector(self) -> MixingParameters:
        wanting = [
            title
            for wanted, title in (
                (self.poisson_weights, "Photon-noise weights need"),
                (self.saturation is not None, "Saturation needs"),
            )
            if wanted and self.detector_gain is None
        ]
        if wanting:
            raise ValueError(
                f"{wanting[0]} the detector's gain, but none was given; give the electrons per "
                "count, or switch this off."
            )
        if self.gain and self.constraint in ("none", "non_negative"):
            raise ValueError(
                f"A free gain was asked for with the constraint {self.constraint}; it needs a sum "
                "of one: choose sum_to_one or fully_constrained."
            )
        return self
