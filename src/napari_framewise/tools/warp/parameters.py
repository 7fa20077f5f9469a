"""What the warp asks for."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from napari_framewise.framework.framemap import FrameMapParameters
from napari_framewise.framework.inputs import Input, Kind
from napari_framewise.framework.matrices import Matrix
from napari_framewise.framework.parameters import GIVEN, parameter
from napari_framewise.framework.transform import Transform
from napari_framewise.tools.common.mask_input import mask_input
from napari_framewise.tools.common.moved import MOVED

INPUTS = (
    Input(
        "stack",
        Kind.STACK,
        "Stack",
        "The frames to warp: planes, or volumes with a transform of volumes.",
    ),
    Input(
        "transform",
        Kind.MODEL,
        "Transform",
        "Where pixels go: an alignment, a flow, an elastic field, a calibration, one for all "
        "frames or one for each. Or paste a matrix below.",
        least=0,
        folded=False,
        model_kind=Transform,
    ),
    Input(
        "like",
        Kind.STACK,
        "As this layer",
        "Layer whose pixels the result is to have, with the output grid as this layer.",
        least=0,
    ),
    mask_input("use", "What lies under the rest changes nothing.", same_frame=True),
    Input(
        "labels",
        Kind.LABELS,
        "Labels",
        "Labels that are warped along, by the majority of each pixel's area.",
        least=0,
        most=8,
        same_frame_as="stack",
        several_frames=True,
        folded=True,
    ),
    *MOVED,
)


class WarpParameters(FrameMapParameters):
    """Parameters of the warp."""

    matrix: Matrix | None = parameter(
        None,
        "Matrix",
        "2 x 3 or 3 x 3 numbers, pasted as rows: an affine map or a homography of pixels, whose "
        "centres lie on whole numbers.",
    )
    matrix_axes: Literal["x_y", "row_column"] = parameter(
        "x_y",
        "Axes of the matrix",
        "It acts on columns and rows (x, y), as OpenCV's and scikit-image's do, or on rows and "
        "columns, as SciPy's.",
        shown_when={"matrix": GIVEN},
    )
    matrix_direction: Literal["input_to_output", "output_to_input"] = parameter(
        "input_to_output",
        "Direction of the matrix",
        "From the image to the result, as OpenCV's warpAffine takes it, or from the result to the "
        "image, as with WARP_INVERSE_MAP, in scikit-image and in SciPy.",
        shown_when={"matrix": GIVEN},
    )
    output_grid: Literal["same", "scale", "shape", "like", "whole"] = parameter(
        "same",
        "Output grid",
        "Pixels of the result: those that the transform was made for, the image's own with a "
        "matrix (same); the same field with larger or smaller pixels (scale) or in so many rows "
        "and columns (shape); as another layer (like); all that the image becomes (whole).",
    )
    scale: float = parameter(
        1.0,
        "Scale",
        "Pixels of the result per pixel, along each axis: 0.25 gives pixels four times as large.",
        shown_when={"output_grid": ("scale", "whole")},
        gt=0,
        le=1000,
    )
    rows: int | None = parameter(
        None,
        "Rows",
        "Rows of the result.",
        shown_when={"output_grid": "shape"},
        ge=1,
        start=256,
    )
    columns: int | None = parameter(
        None,
        "Columns",
        "Columns of the result.",
        shown_when={"output_grid": "shape"},
        ge=1,
        start=256,
    )
    kernel: Literal["jinc", "robidoux", "mitchell", "area", "fourier"] = parameter(
        "jinc",
        "Kernel",
        "Weights over the footprint of a pixel: jinc with three lobes stops most of what the "
        "result can't show; Robidoux and Mitchell ring less and leave more; area is the exact mean "
        "over the pixel; Fourier, of affine maps alone, cuts the spectrum itself. Where the map "
        "magnifies, a cubic B-spline.",
    )
    linear_light: bool = parameter(
        False,
        "Linear light",
        "Average the light of pixels that are coded as sRGB, as photographs are, not their codes.",
        rare=True,
    )

    @model_validator(mode="after")
    def _rows_and_columns(self) -> Self:
        if self.output_grid == "shape" and self.rows is None and self.columns is None:
            raise ValueError("The output grid by shape needs rows, columns or both; give one.")
        return self
