"""Light and displacement of a reference against an image, found from what did not change."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.difference.light import Light, Lighting, lighting
from napari_framewise.numerics.difference.motion import resized_field, smooth_displacement
from napari_framewise.numerics.interpolation import spline, warp

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Fit:
    """What brings a reference to an image.

    Attributes
    ----------
    light : Lighting, optional
        None where the light is as it is.
    displacement : (2, y, x) float64
        Where each pixel of the image lies in the reference, from its place: rows, columns.
    times : int
        Pixels along a side, of the images that are compared, of one that it was found on.
    """

    light: Lighting | None
    displacement: FloatArray
    times: int = 1

    def lit(self, reference: FloatArray) -> FloatArray:
        """The reference in the image's light."""
        return reference if self.light is None else self.light.applied(reference, self.times)

    def displaced(self, shape: tuple[int, ...]) -> FloatArray:
        """The displacements on the pixels that are compared."""
        return resized_field(self.displacement, shape)


def fitted(
    reference: FloatArray,
    image: FloatArray,
    weight: FloatArray,
    light: Light,
    smoothness: float,
    over: float | None,
    *,
    before: FloatArray | None = None,
    halved: bool = False,
) -> Fit:
    """Find light and displacement once.

    Parameters
    ----------
    reference, image : (y, x) float64
        Gaps filled from around them.
    weight : (y, x) float64
        0 where one of them has a gap or may have changed, else 1.
    light : {"local", "global", "none"}
        As `lighting` has it.
    smoothness : float
        Sigma in pixels; local light is found in windows of twice that.
    over : float, optional
        Sigma in pixels that displacements are smooth over; None: nothing is displaced.
    before : (2, y, x) float64, optional
        Displacements that are nearly right: light is found from the reference moved by them.
    halved : bool
        The images were halved before.

    Returns
    -------
    Fit
    """
    moved = reference
    if before is not None and light != "none":
        values, _, within = warp(spline(reference[None]), before)
        moved, weight = values[0], weight * within
    brought = lighting(moved, image, weight, light, 2 * smoothness)
    lit = reference if brought is None else brought.applied(reference)
    if over is None:
        return Fit(brought, np.zeros((2, *image.shape)))
    field = smooth_displacement(image, lit, weight, over, halved=halved)
    return Fit(brought, resized_field(field, image.shape))
