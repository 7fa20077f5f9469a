"""The grid of data that are made from nothing: what a tool without inputs asks for."""

from __future__ import annotations

from napari_framewise.framework.parameters import Parameters, parameter
from napari_framewise.stacks.axes import Axis
from napari_framewise.stacks.grid import Grid
from napari_framewise.stacks.units import unit_name


class GridParameters(Parameters):
    """Base of the parameters of a tool that takes no inputs."""

    frames: int = parameter(1, "Frames", "How many frames; 1 gives one image.", ge=1)
    rows: int = parameter(256, "Rows", "Rows of a frame.", unit="pixels", ge=1)
    columns: int = parameter(256, "Columns", "Columns of a frame.", unit="pixels", ge=1)
    pixel_size: float = parameter(
        1.0, "Pixel size", "Distance of neighbouring pixels, in the unit below.", gt=0, rare=True
    )
    pixel_unit: str = parameter(
        "pixel", "Unit", "Unit of the pixel size, such as um; pixel for none.", rare=True
    )

    def grid(self) -> Grid:
        """The grid: (y, x), or (t, y, x) where there are several frames."""
        unit = unit_name(self.pixel_unit) or "pixel"
        plane = (Axis("y", self.pixel_size, 0.0, unit), Axis("x", self.pixel_size, 0.0, unit))
        if self.frames == 1:
            return Grid(plane, (self.rows, self.columns))
        return Grid((Axis("t"), *plane), (self.frames, self.rows, self.columns))
