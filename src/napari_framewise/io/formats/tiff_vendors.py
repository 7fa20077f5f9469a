"""Pixel sizes in the TIFF dialects of microscopes, as tifffile reads their tags."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from napari_framewise.stacks.units import PIXEL, scaled

Steps: TypeAlias = dict[str, tuple[float, str]]


def vendor_steps(metadata: Mapping[str, Any]) -> Steps:
    """Step and unit by letter of the axis, from the first dialect that has some; else nothing."""
    for name, read in _DIALECTS.items():
        said = metadata.get(name)
        if isinstance(said, Mapping):
            steps = {axis: step for axis, step in read(said).items() if step[1] != PIXEL}
            if steps:
                return steps
    return {}


def _fei(said: Mapping[str, Any]) -> Steps:
    """FEI and Thermo Fisher: metres, in the section of the beam that scanned."""
    for name in ("Scan", "EScan", "IScan"):
        section = said.get(name)
        if isinstance(section, Mapping) and "PixelWidth" in section:
            width, height = section.get("PixelWidth"), section.get("PixelHeight")
            return {"X": scaled(width, "m"), "Y": scaled(height or width, "m")}
    return {}


def _zeiss_sem(said: Mapping[str, Any]) -> Steps:
    for name in ("ap_image_pixel_size", "ap_pixel_size"):
        entry = said.get(name)
        if isinstance(entry, (tuple, list)) and len(entry) > 2:
            return {axis: scaled(entry[1], entry[2]) for axis in "XY"}
    return {}


def _lsm(said: Mapping[str, Any]) -> Steps:
    steps = {axis: scaled(said.get(f"VoxelSize{axis}"), "m") for axis in "XYZ"}
    return {**steps, "T": scaled(said.get("TimeIntervall"), "s")}


def _sis(said: Mapping[str, Any]) -> Steps:
    return {axis: scaled(said.get(f"pixelsize{axis.lower()}"), "m") for axis in "XY"}


def _stk(said: Mapping[str, Any]) -> Steps:
    """MetaMorph, where it says that the stage is calibrated."""
    unit = said.get("CalibrationUnits")
    if not said.get("SpatialCalibration"):
        return {}
    return {axis: scaled(said.get(f"{axis}Calibration"), unit) for axis in "XY"}


def _fluoview(said: Mapping[str, Any]) -> Steps:
    steps: Steps = {}
    for entry in said.get("Dimensions") or ():
        if isinstance(entry, (tuple, list)) and len(entry) > 4:
            name, _, _, step, unit = entry[:5]
            steps[str(name).strip()[:1].upper()] = scaled(step, unit)
    return steps


def _micromanager(said: Mapping[str, Any]) -> Steps:
    summary = said.get("Summary")
    summary = summary if isinstance(summary, Mapping) else {}
    size = summary.get("PixelSize_um")
    return {
        "X": scaled(size, "um"),
        "Y": scaled(size, "um"),
        "Z": scaled(summary.get("z-step_um"), "um"),
        "T": scaled(summary.get("Interval_ms"), "ms"),
    }


def _tvips(said: Mapping[str, Any]) -> Steps:
    return {axis: scaled(said.get(f"PixelSize{axis}"), "nm") for axis in "XY"}


_DIALECTS: dict[str, Callable[[Mapping[str, Any]], Steps]] = {
    "fei": _fei,
    "sem": _zeiss_sem,
    "lsm": _lsm,
    "sis": _sis,
    "stk": _stk,
    "fluoview": _fluoview,
    "micromanager": _micromanager,
    "tvips": _tvips,
}
