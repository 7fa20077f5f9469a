"""What an alignment asks for: inputs by role and parameters."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from napari_framewise.framework.inputs import MASK, Input, Kind
from napari_framewise.framework.parameters import Parameters, parameter
from napari_framewise.numerics.alignment import Settings
from napari_framewise.tools.alignment.model import Transforms
from napari_framewise.tools.common.mask_input import mask_input
from napari_framewise.tools.common.registration import ORDERS, Order, others, reference_frame

INPUTS = (
    Input("stack", Kind.STACK, "Stack", "The image, or the frames, to align.", frames="plane"),
    Input(
        "template",
        Kind.FRAME,
        "Template",
        "The image to align to, of any size; the result lies on its pixels. Without it the frames "
        "are aligned to each other.",
        least=0,
        folded=False,
        frames="plane",
    ),
    mask_input("align by"),
    Input(
        "template_mask",
        MASK,
        "Mask of the template",
        "Pixels of the template to align by: not zero = use this pixel.",
        least=0,
        same_frame_as="template",
        selects=True,
    ),
    others(frames="plane"),
    Input(
        "labels",
        Kind.LABELS,
        "Labels to move with it",
        "Labels of every frame, moved by the same transforms, by the nearest pixel.",
        least=0,
        most=8,
        same_length_as="stack",
        several_frames=True,
        folded=True,
        frames="plane",
    ),
    Input(
        "transforms",
        Kind.MODEL,
        "Known transforms",
        "Transforms of an earlier alignment: they are applied, nothing is estimated.",
        least=0,
        model_kind=Transforms.kind,
    ),
)


class AlignmentParameters(Parameters):
    """Parameters of the alignment."""

    motion: Literal["translation", "euclidean", "similarity", "affine", "homography"] = parameter(
        Settings.motion,
        "Motion",
        "Family of transforms: shifts; with rotation (euclidean); with one scale (similarity); "
        "with shear (affine); with perspective (homography).",
    )
    to: Literal["mean", "frame", "previous", "running_mean"] = parameter(
        "mean",
        "Align to",
        "What frames are aligned to where there is no template: their mean, in passes; one frame; "
        "the frame before, with the transforms composed; the mean of the frames before.",
    )
    reference: Literal["frame", "alike"] = parameter(
        "frame",
        "Reference",
        "One frame, or the mean of the 20 frames that are most like each other: for stacks of "
        "little signal, or whose first frame is not to be trusted.",
        shown_when={"to": ("mean", "frame")},
        rare=True,
    )
    reference_frame: int = reference_frame(
        "The frame that does not move, counted from 0 among the chosen frames; with the mean, the "
        "one that the first pass aligns to.",
        to=("mean", "frame"),
        reference="frame",
    )
    passes: int = parameter(
        2,
        "Passes",
        "How often the frames are aligned, first to the reference frame and then to the mean of "
        "what is aligned so far.",
        shown_when={"to": "mean"},
        ge=2,
        le=5,
        rare=True,
    )
    memory: int = parameter(
        20,
        "Memory",
        "Frames that the running mean remembers: each further one replaces its share of the mean.",
        unit="frames",
        shown_when={"to": "running_mean"},
        ge=1,
        rare=True,
    )
    channel: int | None = parameter(
        None,
        "Channel",
        "Channel to estimate on, counted from 0; all together where none is given. All channels "
        "are moved.",
        ge=0,
    )
    start: Literal["correlation", "given"] = parameter(
        Settings.start,
        "Start",
        "Look for the template by normalised cross-correlation, or begin where it lies: middle on "
        "middle.",
        group="Estimation",
        rare=True,
    )
    rotations: float = parameter(
        Settings.rotations,
        "Largest rotation",
        "Look for the template turned by up to so much to both sides as well.",
        unit="degrees",
        shown_when={"start": "correlation"},
        ge=0,
        le=180,
        group="Estimation",
        rare=True,
    )
    loss: Literal["linear", "huber", "tukey"] = parameter(
        Settings.loss,
        "Loss",
        "Least squares (linear), or robust: pixels that do not fit have less say (Huber), or none "
        "(Tukey).",
        group="Estimation",
        rare=True,
    )
    brightness: bool = parameter(
        Settings.brightness,
        "Free brightness",
        "Fit a gain and an offset between the images as well.",
        group="Estimation",
        rare=True,
    )
    method: Literal["inverse", "forward"] = parameter(
        Settings.method,
        "Method",
        "Inverse compositional (slopes of the template) or forward additive (slopes of the image).",
        group="Estimation",
        rare=True,
    )
    smoothing: float = parameter(
        Settings.smoothing,
        "Smoothing",
        "Gaussian that the images are smoothed by before they are compared; the result is not.",
        unit="pixels",
        ge=0,
        le=50,
        group="Estimation",
        rare=True,
    )
    tolerance: float = parameter(
        Settings.tolerance,
        "Tolerance",
        "Step of the template's corners that ends the iterations.",
        unit="pixels",
        gt=0,
        le=1,
        group="Estimation",
        rare=True,
    )
    iterations: int = parameter(
        Settings.iterations,
        "Iterations",
        "Most of them, on each level of the pyramid.",
        ge=1,
        le=10000,
        group="Estimation",
        rare=True,
    )
    least_overlap: float = parameter(
        Settings.least_overlap,
        "Least overlap",
        "Share of the template that must lie in the image.",
        gt=0,
        le=1,
        group="Estimation",
        rare=True,
    )
    interpolation: Literal["cubic", "linear", "nearest"] = parameter(
        "cubic",
        "Interpolation",
        "How aligned frames are computed between pixels: cubic B-spline, linear, or the nearest "
        "pixel.",
        group="Layers",
    )
    result: Literal["resampled", "affine"] = parameter(
        "resampled",
        "Result",
        "Resample on the template's pixels; or leave the pixels of a single image as they are and "
        "move its layer (its napari affine).",
        group="Layers",
    )
    crop: bool = parameter(
        False,
        "Crop",
        "Crop the aligned frames to what all of them show; bad frames do not count.",
        shown_when={"result": "resampled"},
        group="Layers",
    )
    judge: bool = parameter(
        True,
        "Motion left",
        "Measure how much motion is left in the aligned frames, of 20 frames or more; see the tool "
        "of that name.",
        group="Layers",
        rare=True,
    )
    errors: bool = parameter(
        True,
        "Error images",
        "Add the difference to the template before and after as layers.",
        group="Layers",
    )

    @model_validator(mode="after")
    def _placed(self) -> AlignmentParameters:
        if self.result == "affine" and self.motion == "homography":
            raise ValueError(
                "A homography was asked for with the result affine; a layer's place has no "
                "perspective: choose affine as the motion, or the result resampled."
            )
        return self

    @property
    def settings(self) -> Settings:
        """As the numerics take them."""
        return self.as_settings(Settings)

    @property
    def order(self) -> Order:
        """Order of the spline that aligned frames are computed by."""
        return ORDERS[self.interpolation]
