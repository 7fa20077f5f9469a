"""Displacements in pixels per frame as speeds, where pixel size and frame time are known."""

from __future__ import annotations

from dataclasses import dataclass

import pint

from napari_framewise.stacks.axes import Axis

_NO_UNITS = ("", "pixel", "pixels", "px")


@dataclass(frozen=True)
class Motion:
    """Units of a motion.

    Attributes
    ----------
    unit : str, optional
        Unit of length, where all axes of the grid have the same.
    speed : float, optional
        What a length per frame is multiplied by to be a length per second.
    """

    unit: str | None
    speed: float | None

    @property
    def speed_unit(self) -> str:
        """Unit of the speed."""
        return f"{self.unit}/s"


def motion_of(grid: tuple[Axis, ...], leading: tuple[Axis, ...], frames_apart: int) -> Motion:
    """Units of the motion between frames that are so many apart along the last leading axis."""
    units = {axis.unit for axis in grid}
    unit = units.pop() if len(units) == 1 else None
    if unit is None or unit in _NO_UNITS:
        return Motion(None, None)
    seconds = _seconds(leading[-1]) if leading else None
    if seconds is None or frames_apart == 0:
        return Motion(unit, None)
    return Motion(unit, 1.0 / (seconds * frames_apart))


def _seconds(axis: Axis) -> float | None:
    """Seconds from a frame to the next, where the axis is one of time."""
    if axis.unit in _NO_UNITS or axis.scale <= 0:
        return None
    try:
        registry: pint.UnitRegistry[float] = pint.UnitRegistry()
        return float(registry.Quantity(axis.scale, axis.unit).to("second").magnitude)
    except (pint.errors.PintError, AttributeError, ValueError):
        return None
