"""Every number of an outcome, and how they follow the unit of the pixels' values."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from napari_framewise.framework.outcome import Outcome
from napari_framewise.stacks.source import Array

# What numbers may be in: the unit to such a power.
_POWERS = (0, 1, 2, -1, -2)
_DEEPEST = 8


def everything(outcome: Outcome) -> dict[str, Array]:
    """The numbers of layers, their features, tables, curves and models, by their place in it."""
    found: dict[str, Array] = {}
    _collect(outcome, "", found, 0)
    return found


def _collect(value: Any, place: str, found: dict[str, Array], depth: int) -> None:
    if depth > _DEEPEST or value is None or isinstance(value, (bool, str, bytes)):
        return
    if isinstance(value, (int, float, np.number)):
        found[place] = np.asarray(value, np.float64)
    elif isinstance(value, np.ndarray):
        if value.dtype.kind in "biuf":
            found[place] = value
    elif isinstance(value, dict):
        for key, each in value.items():
            _collect(each, f"{place}.{key}", found, depth + 1)
    elif isinstance(value, (list, tuple)):
        for number, each in enumerate(value):
            _collect(each, f"{place}[{number}]", found, depth + 1)
    elif is_dataclass(value):
        for field in fields(value):
            _collect(getattr(value, field.name), f"{place}.{field.name}", found, depth + 1)
    elif hasattr(value, "columns"):
        for key in value.columns:
            _collect(np.asarray(value[key]), f"{place}.{key}", found, depth + 1)
    elif hasattr(value, "__array__"):
        _collect(np.asarray(value), place, found, depth + 1)


def assert_scaled(
    got: dict[str, Array],
    plain: dict[str, Array],
    unit: float,
    rtol: float,
    without: tuple[str, ...] = (),
) -> None:
    """Each array is the plain one times a power of the unit; bit by bit for an rtol of zero."""
    assert got.keys() == plain.keys()
    for place, values in plain.items():
        # Contrast limits rest on as many frames as time allows.
        if place.rpartition(".")[2].partition("[")[0] in {"contrast_limits", *without}:
            continue
        assert got[place].shape == values.shape, place
        off = {power: _off(got[place], values, unit**power) for power in _POWERS}
        # Single precision holds no more.
        most = max(rtol, 2e-6) if rtol and values.dtype == np.float32 else rtol
        assert min(off.values()) <= most, f"{place} times {unit:g} is off by {off}"


def _off(got: Array, plain: Array, factor: float) -> float:
    """Largest difference over the largest number; inf where only one of them has data."""
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        a, b = got.astype(np.float64), plain.astype(np.float64) * factor
        if not np.array_equal(np.isfinite(a), np.isfinite(b)):
            return float("inf")
        known = np.isfinite(a)
        size = float(np.max(np.abs(b[known]), initial=0.0))
        most = float(np.max(np.abs(a[known] - b[known]), initial=0.0))
    return most / size if size > 0 else most
