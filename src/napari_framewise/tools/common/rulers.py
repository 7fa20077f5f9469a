"""Size of a frame's pixels where lengths and angles are measured in them."""

from __future__ import annotations

from collections.abc import Sequence

from napari_framewise.stacks.axes import Axis
from napari_framewise.stacks.units import PIXEL, unit_ratio


def pixel_size(axes: Sequence[Axis]) -> tuple[float, float, str]:
    """Height and width of a pixel in the rows' unit, and its name.

    1, 1 and "pixel" where rows and columns measure different things, or have no size.
    """
    rows, columns = axes
    ratio = unit_ratio(columns.unit, rows.unit)
    height, width = abs(rows.scale), abs(columns.scale) * ratio
    alike = columns.unit == rows.unit or ratio != 1.0
    if not alike or 0 in (height, width):
        return 1.0, 1.0, PIXEL
    return height, width, rows.unit or PIXEL
