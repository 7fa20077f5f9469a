"""What an elastic registration asks for: inputs by role and parameters."""

from __future__ import annotations

from typing import Literal

from pydantic import field_validator

from napari_framewise.framework.inputs import MASK, Input, Kind
from napari_framewise.framework.parameters import Parameters, parameter
from napari_framewise.framework.transform import Transform
from napari_framewise.numerics.elastic import Settings
from napari_framewise.tools.common.mask_input import mask_input
from napari_framewise.tools.common.registration import others, reference_frame
from napari_framewise.tools.elastic.how import How
from napari_framewise.tools.elastic.model import ElasticTransforms

INPUTS = (
    Input(
        "stack",
        Kind.STACK,
        "Stack",
        "The image, or the frames, to register: planes, or volumes by blocks.",
        frames=("plane", "volume"),
    ),
    Input(
        "reference",
        Kind.FRAME,
        "Reference",
        "The image to register to, of any size; the result lies on its pixels. Without it the "
        "frames are registered to each other.",
        least=0,
        folded=False,
        frames=("plane", "volume"),
    ),
    mask_input("compare", same_frame=True),
    Input(
        "reference_mask",
        MASK,
        "Reference mask",
        "Pixels of the reference to compare: not zero = use this pixel.",
        least=0,
        same_frame_as="reference",
        selects=True,
    ),
    Input(
        "reference_landmarks",
        Kind.POINTS,
        "Landmarks, reference",
        "Places in the reference, paired with those of the image by their index, or in order.",
        least=0,
        lies_on="reference",
    ),
    Input(
        "landmarks",
        Kind.POINTS,
        "Landmarks, image",
        "The same places in the image.",
        least=0,
        lies_on="stack",
    ),
    Input(
        "start",
        Kind.MODEL,
        "Start",
        "A transform to begin at, such as that of an alignment: the affine one closest to it.",
        least=0,
        model_kind=Transform,
    ),
    others(frames=("plane", "volume")),
    Input(
        "labels",
        Kind.LABELS,
        "Labels to move",
        "Labels that are moved by the same transforms.",
        least=0,
        most=8,
        several_frames=True,
        same_length_as="stack",
        folded=True,
    ),
    Input(
        "points",
        Kind.POINTS,
        "Points to move",
        "Points on the stack that are moved onto the reference.",
        least=0,
        most=8,
        folded=True,
        lies_on="stack",
    ),
    Input(
        "shapes",
        Kind.SHAPES,
        "Shapes to move",
        "Shapes on the stack that are moved onto the reference.",
        least=0,
        most=8,
        folded=True,
        lies_on="stack",
    ),
    Input(
        "transforms",
        Kind.MODEL,
        "Known transforms",
        "An earlier elastic registration: it is applied, nothing is estimated.",
        least=0,
        model_kind=ElasticTransforms.kind,
    ),
)


class ElasticParameters(Parameters):
    """Parameters of elastic registration."""

    method: Literal["splines", "blocks"] = parameter(
        "splines",
        "Method",
        "Splines fitted to all pixels, coarse to fine, for images that bend far or differ; or a "
        "shift for each block, for movies that tremble: quicker, of planes or volumes.",
    )
    to: Literal["mean", "frame", "previous"] = parameter(
        "mean",
        "Register to",
        "What frames are registered to where there is no reference: the mean of the frames "
        "registered to one of them; one frame; the frame before, with the transforms composed.",
    )
    reference_frame: int = reference_frame(
        "The frame that does not move, counted from 0 among the chosen frames; with the mean, the "
        "one that the first pass registers to.",
        to=("mean", "frame"),
    )
    spacing: float = parameter(
        Settings.spacing,
        "Spacing of nodes",
        "Distance of the nodes of the finest lattice; finer nodes follow smaller bends, and noise. "
        "Blocks are twice as wide.",
        unit="pixels",
        ge=4,
        le=4096,
    )
    reach: int = parameter(
        8,
        "Reach",
        "Farthest shift of a block from that of the whole frame.",
        unit="pixels",
        shown_when={"method": "blocks"},
        ge=2,
        le=256,
    )
    smoothness: float = parameter(
        Settings.smoothness,
        "Smoothness",
        "Weight of the bending energy: 1 is the usual one, 10 ten times as stiff.",
        shown_when={"method": "splines"},
        ge=0,
        le=1e6,
    )
    similarity: Literal["correlation", "squares"] = parameter(
        Settings.similarity,
        "Similarity",
        "Local normalised correlation, for images whose brightness or contrast differ; or least "
        "squares, for the same brightness in both.",
        shown_when={"method": "splines"},
    )
    window: int = parameter(
        Settings.window,
        "Window",
        "Side of the window of the local correlation, an odd number.",
        unit="pixels",
        ge=3,
        le=501,
        rare=True,
    )
    affine: bool = parameter(
        Settings.affine,
        "Affine first",
        "Look for shift, rotation, scale and shear before anything bends.",
        rare=True,
        shown_when={"method": "splines"},
    )
    landmark_weight: float = parameter(
        Settings.landmarks,
        "Weight of landmarks",
        "1: a landmark counts as much as the pixels around one node and its bending; 0: landmarks "
        "are only measured.",
        ge=0,
        le=1e6,
        group="Estimation",
        rare=True,
        shown_when={"method": "splines"},
    )
    divergence: float = parameter(
        Settings.divergence,
        "Divergence",
        "Further weight of the gradient of the divergence: of changes of expansion.",
        ge=0,
        le=1e6,
        group="Estimation",
        rare=True,
        shown_when={"method": "splines"},
    )
    curl: float = parameter(
        Settings.curl,
        "Curl",
        "Further weight of the gradient of the curl: of changes of rotation.",
        ge=0,
        le=1e6,
        group="Estimation",
        rare=True,
        shown_when={"method": "splines"},
    )
    interpolation: Literal["cubic", "linear"] = parameter(
        "cubic", "Interpolation", "How images are computed between pixels.", group="Layers"
    )
    both: bool = parameter(
        True,
        "Reference onto stack",
        "Also the reference brought onto the pixels of every frame, by the inverse.",
        group="Layers",
    )
    grid: bool = parameter(
        True, "Deformation grid", "Where lines of the reference lie in the image.", group="Layers"
    )
    displacement: bool = parameter(
        True,
        "Displacement",
        "Arrows, an image for each axis, and the Jacobian determinant as an image.",
        group="Layers",
    )
    judge: bool = parameter(
        True,
        "Motion left",
        "Measure how much motion is left in the registered frames, of 20 frames or more; see the "
        "tool of that name.",
        group="Layers",
        rare=True,
    )

    @field_validator("window")
    @classmethod
    def _odd(cls, value: int) -> int:
        if value % 2 == 0:
            raise ValueError(f"{value} has no middle pixel; give an odd number.")
        return value

    @property
    def how(self) -> How:
        """How two images are registered."""
        return How(self.settings, self.reach if self.method == "blocks" else None)

    @property
    def settings(self) -> Settings:
        """As the numerics take them."""
        return Settings(
            spacing=self.spacing,
            similarity=self.similarity,
            window=self.window,
            smoothness=self.smoothness,
            divergence=self.divergence,
            curl=self.curl,
            landmarks=self.landmark_weight,
            affine=self.affine,
        )

    @property
    def order(self) -> Literal[1, 3]:
        """Order of the spline that images are computed by."""
        return 3 if self.interpolation == "cubic" else 1
