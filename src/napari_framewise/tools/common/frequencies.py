"""Frequencies as users give them: per pixel, unit of the scale, or degree of visual angle."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from napari_framewise.framework.parameters import Parameters, parameter
from napari_framewise.stacks.axes import Axis
from napari_framewise.stacks.units import PIXEL, unit_name


class FrequencyParameters(Parameters):
    """What frequencies count: the part of the parameters that says so."""

    per: Literal["pixel", "scale", "degree"] = parameter(
        "pixel",
        "Cycles per",
        "What the frequencies count: cycles per pixel, per unit of the layer's scale, or per "
        "degree of visual angle.",
    )
    distance: float = parameter(
        570.0,
        "Viewing distance",
        "From the eye to the screen.",
        unit="mm",
        gt=0,
        shown_when={"per": "degree"},
    )
    pitch: float = parameter(
        0.25,
        "Pixel pitch",
        "Distance of neighbouring pixels on the screen.",
        unit="mm",
        gt=0,
        shown_when={"per": "degree"},
    )

    def unit(self, axes: Sequence[Axis]) -> str:
        """What the frequencies are cycles of."""
        if self.per == "scale":
            return unit_name(axes[-1].unit) or PIXEL
        return self.per

    def spacing(self, axes: Sequence[Axis]) -> tuple[float, ...]:
        """Distance of neighbouring pixels along each axis, in that unit.

        A pixel in the middle of the screen covers ``2 atan(pitch / (2 distance))``.

        Raises
        ------
        ValueError
            Where the pixels have no size, or axes have different units.
        """
        if self.per == "pixel":
            return (1.0,) * len(axes)
        if self.per == "degree":
            return (2 * math.degrees(math.atan(self.pitch / (2 * self.distance))),) * len(axes)
        units = {unit_name(axis.unit) or PIXEL for axis in axes}
        if len(units) > 1 or not all(axis.scale for axis in axes):
            said = ", ".join(f"{axis.name}: {axis.scale:g} {axis.unit}" for axis in axes)
            raise ValueError(
                f"Frequencies per unit of the scale were asked for, but the pixels are {said}; set "
                "the layer's scale and units alike along all axes, or give cycles per pixel."
            )
        return tuple(abs(axis.scale) for axis in axes)
