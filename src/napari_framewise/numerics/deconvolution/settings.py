"""What a restoration is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from napari_framewise.numerics.deconvolution.extension import Boundary

Method: TypeAlias = Literal[
    "tv",
    "tv_fista",
    "richardson_lucy",
    "gradient_consensus",
    "landweber",
    "wiener",
    "tikhonov",
    "inverse",
]
DIRECT: tuple[Method, ...] = ("wiener", "tikhonov", "inverse")
"""Methods that take one step where the blur is diagonal."""


@dataclass(frozen=True)
class Settings:
    """What a restoration is asked for.

    Attributes
    ----------
    method : str
        "tv": total variation by ADMM; "tv_fista": the same by FISTA; "richardson_lucy";
        "gradient_consensus": the same, stopped by it; "landweber"; "wiener"; "tikhonov"; "inverse".
    boundary : str
        What the scene is past the border of the frame.
    noise : float, optional
        Standard deviation of the noise, in the unit of the pixels; by default measured in each
        frame.
    weight : float, optional
        Of the regularisation; by default the residual is to be as large as the noise. Of total
        variation in the unit of the pixels, of Richardson-Lucy's and of squared differences without
        unit.
    iterations : int
        At most.
    tolerance : float
        Iterations end where the change (rms, over the standard deviation of the frame) is less.
    non_negative : bool
        No pixel of the result may be less than 0.
    floor : float
        Of the inverse: least size of the transfer function that is divided by.
    spacing : tuple of float
        Size of a pixel along each axis, for total variation; equal by default.
    """

    method: Method = "tv"
    boundary: Boundary = "unknown"
    noise: float | None = None
    weight: float | None = None
    iterations: int = 100
    tolerance: float = 8e-4
    non_negative: bool = False
    floor: float = 0.0
    spacing: tuple[float, ...] = ()
